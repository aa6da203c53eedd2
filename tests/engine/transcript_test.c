/* engine/transcript: lines come back in order and whole, the whole is bounded, observers see each line once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

enum { DUMP_BYTES_MAX = 1 << 20 };

static void dump_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct buf *out = context;
    must(buf_printf(out, "%u%c<", t_ms, direction) == ERR_NONE &&
         buf_append(out, line) == ERR_NONE && buf_append(out, SLICE(">")) == ERR_NONE);
}

static void assert_lines(const struct transcript *t, const char *expected)
{
    struct buf out;
    buf_init(&out, DUMP_BYTES_MAX);
    transcript_each(t, dump_line, &out);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.len == 0 ? "" : out.at, expected, out.len);
    buf_done(&out);
}

static void test_order_and_time(void **state)
{
    (void)state;
    struct transcript t;
    transcript_init(&t, 1000, NULL, NULL);
    assert_lines(&t, "");
    transcript_add(&t, 1000, 'T', SLICE("connected"));
    transcript_add(&t, 1012, 'S', SLICE(""));
    transcript_add(&t, 900, 'C', SLICE("before its time"));
    transcript_add(&t, 2500, 'S', SLICE("a\0b\033\xff"));
    struct buf out;
    buf_init(&out, DUMP_BYTES_MAX);
    transcript_each(&t, dump_line, &out);
    assert_true(slice_equal(buf_view(&out),
                            SLICE("0T<connected>12S<>0C<before its time>1500S<a\0b\033\xff>")));
    buf_done(&out);
    transcript_clear(&t);
    assert_lines(&t, "");
    transcript_add(&t, 1001, 'S', SLICE("again"));
    assert_lines(&t, "1S<again>");
    transcript_done(&t);
    transcript_done(&t);
}

static void test_bytes_become_lines(void **state)
{
    (void)state;
    struct transcript t;
    transcript_init(&t, 0, NULL, NULL);
    transcript_add_bytes(&t, 1, 'C', SLICE("EHLO a\r\nMAIL FROM:<>\r\n"));
    transcript_add_bytes(&t, 2, 'S', SLICE(""));
    transcript_add_bytes(&t, 3, 'S', SLICE("250-a\n250 b\r\nhalf"));
    assert_lines(&t, "1C<EHLO a>1C<MAIL FROM:<>>3S<250-a>3S<250 b>3S<half>");
    transcript_done(&t);
}

struct seen {
    size_t lines, bytes, longest;
    char last;
};

static void on_seen(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct seen *seen = context;
    (void)t_ms;
    seen->lines++;
    seen->bytes += line.len;
    seen->longest = line.len > seen->longest ? line.len : seen->longest;
    seen->last = direction;
}

static void test_bounded(void **state)
{
    (void)state;
    static const char long_line[TRANSCRIPT_LINE_BYTES_MAX * 3];
    struct seen observed = {0}, kept = {0};
    struct transcript t;
    transcript_init(&t, 0, on_seen, &observed);
    for (unsigned i = 0; i < 10000; i++) {
        transcript_add(&t, i, 'S', slice_make(long_line, sizeof long_line - i % sizeof long_line));
    }
    transcript_each(&t, on_seen, &kept);
    assert_int_equal(observed.lines, 10000);
    assert_int_equal(observed.longest, TRANSCRIPT_LINE_BYTES_MAX);
    assert_int_equal(kept.longest, TRANSCRIPT_LINE_BYTES_MAX);
    assert_true(kept.bytes <= TRANSCRIPT_BYTES_MAX);
    assert_true(t.lines.len <= TRANSCRIPT_BYTES_MAX);
    assert_true(kept.bytes >= TRANSCRIPT_BYTES_MAX - 4 * TRANSCRIPT_LINE_BYTES_MAX);
    transcript_done(&t);
}

static void test_append(void **state)
{
    (void)state;
    struct seen observed = {0};
    struct transcript early, late;
    transcript_init(&early, 1000, NULL, NULL);
    transcript_init(&late, 1500, on_seen, &observed);
    transcript_add(&early, 1100, 'S', SLICE("banner"));
    transcript_add(&early, 1700, 'C', SLICE("EHLO"));
    transcript_append(&late, &early); /* times are its own: what was before it is at 0 */
    assert_lines(&late, "0S<banner>200C<EHLO>");
    assert_int_equal(observed.lines, 0);
    transcript_add(&late, 1800, 'S', SLICE("250"));
    assert_int_equal(observed.lines, 1);
    for (int i = 0; i < 100000; i++) {
        transcript_append(&late, &early);
    }
    assert_true(late.lines.len <= TRANSCRIPT_BYTES_MAX);
    transcript_done(&early);
    transcript_done(&late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_time),
        cmocka_unit_test(test_bytes_become_lines),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests_name("engine/transcript", tests, NULL, NULL);
}
