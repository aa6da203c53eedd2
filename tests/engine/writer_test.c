/* Text put together piece by piece: colours only where wanted, foreign text made safe, and nothing after an error.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/slice.h"
#include "engine/writer.h"

static void write_all(struct writer *w)
{
    writer_put_colour(w, "\033[1m");
    writer_put(w, "it said ");
    writer_put_colour(w, WRITER_COLOUR_END);
    writer_put_safe(w, SLICE("\033]0;x\a550\r\n"));
    writer_printf(w, ", %d of %s", 7, "ten");
}

static void pieces_follow_each_other(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    struct writer plain = {.out = &out};
    write_all(&plain);
    assert_int_equal(plain.err, ERR_NONE);
    struct slice text = slice_make(out.at, out.len);
    assert_true(slice_starts(text, SLICE("it said ")));
    assert_true(slice_ends(text, SLICE(", 7 of ten")));
    assert_int_equal(slice_find_byte(text, '\033', 0), text.len);
    assert_int_equal(slice_find_byte(text, '\r', 0), text.len);
    buf_clear(&out);
    struct writer coloured = {.out = &out, .has_colour = true};
    write_all(&coloured);
    assert_true(slice_starts(slice_make(out.at, out.len), SLICE("\033[1mit said \033[0m")));
    buf_done(&out);
}

/* Whatever the place where it ends, the first error stays and no later piece is written. */
static void nothing_follows_an_error(void **state)
{
    (void)state;
    for (size_t max = 1; max < 20; max++) {
        struct buf out;
        buf_init(&out, max);
        struct writer w = {.out = &out};
        write_all(&w);
        assert_int_equal(w.err, ERR_LIMIT);
        size_t len = out.len;
        writer_put(&w, "");
        writer_put_safe(&w, SLICE("x"));
        writer_printf(&w, "x");
        assert_int_equal(w.err, ERR_LIMIT);
        assert_int_equal(out.len, len);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_follow_each_other),
        cmocka_unit_test(nothing_follows_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
