/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/wording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"
#include "verify/evidence.h"

enum { ROUNDS = 20000, TEXT_MAX = 80, PART_MAX = 4096 };

struct parts {
    struct buf common, own;
};

static struct parts split(struct slice text, struct slice address)
{
    struct parts parts;
    buf_init(&parts.common, PART_MAX);
    buf_init(&parts.own, PART_MAX);
    assert_int_equal(wording_split(text, address, &parts.common, &parts.own), ERR_NONE);
    return parts;
}

static void parts_done(struct parts *parts)
{
    buf_done(&parts->common);
    buf_done(&parts->own);
}

static void check_joined(const struct parts *parts, struct slice address, struct slice text)
{
    char joined[EVIDENCE_TEXT_BYTES];
    memset(joined, 'x', sizeof joined);
    wording_join(buf_view(&parts->common), buf_view(&parts->own), address, joined, text.len + 1);
    assert_true(slice_equal(slice_of(joined), text));
    assert_true(text.len + 1 == sizeof joined || joined[text.len + 1] == 'x');
}

/* Two recipients are told the same but for themselves. */
static void what_all_are_told_is_one_text(void **state)
{
    (void)state;
    static const struct {
        const char *jane, *li;
    } rows[] = {
        {"4.2.0 <jane@d.test>: Recipient address rejected: Greylisted",
         "4.2.0 <li.wu@d.test>: Recipient address rejected: Greylisted"},
        {"4.7.1 Greylisted, come back in 297 seconds (id=ab12-7)",
         "4.7.1 Greylisted, come back in 3 seconds (id=ff03-81)"},
        {"4.7.1 jane@d.test jane@d.test\ngreylisted for 00:05:00",
         "4.7.1 li.wu@d.test li.wu@d.test\ngreylisted for 00:04:59"},
        {"4.3.2 Service currently unavailable", "4.3.2 Service currently unavailable"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice jane = SLICE("jane@d.test"), li = SLICE("li.wu@d.test");
        struct parts a = split(slice_of(rows[i].jane), jane);
        struct parts b = split(slice_of(rows[i].li), li);
        assert_true(slice_equal(buf_view(&a.common), buf_view(&b.common)));
        check_joined(&a, jane, slice_of(rows[i].jane));
        check_joined(&b, li, slice_of(rows[i].li));
        parts_done(&a);
        parts_done(&b);
    }
}

static void numbers_of_all_stay(void **state)
{
    (void)state;
    struct parts parts = split(SLICE("4.7.1 from 192.0.2.7: later"), SLICE("jane@d.test"));
    assert_true(slice_equal(buf_view(&parts.common), SLICE("4.7.1 from \001 later")));
    parts_done(&parts);
    parts = split(SLICE("4.7.1 from 192.0.2.7 later"), SLICE("jane@d.test"));
    assert_int_equal(parts.own.len, 0);
    parts_done(&parts);
}

/* Any bytes at all, those of the marks among them. */
static void any_text_is_whole_again(void **state)
{
    (void)state;
    static const char bytes[] = "\001\002 \n\t.@<>19ab\377";
    static const struct slice pieces[] = {SLICE_LITERAL("a@b"), SLICE_LITERAL("a"),
                                          SLICE_LITERAL("")};
    struct random random = {11};
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[TEXT_MAX];
        size_t len = 0;
        for (size_t wanted = random_below(&random, TEXT_MAX - 4); len < wanted;) {
            bool is_address = random_below(&random, 8) == 0;
            struct slice piece =
                is_address ? pieces[0]
                           : slice_make(&bytes[random_below(&random, sizeof bytes - 1)], 1);
            memcpy(text + len, piece.at, piece.len);
            len += piece.len;
        }
        struct slice address = pieces[random_below(&random, 3)];
        struct parts parts = split(slice_make(text, len), address);
        check_joined(&parts, address, slice_make(text, len));
        parts_done(&parts);
    }
}

static void ceilings_hold(void **state)
{
    (void)state;
    for (size_t max = 1; max < 8; max++) {
        struct buf common, own;
        buf_init(&common, max);
        buf_init(&own, max);
        assert_int_equal(
            wording_split(SLICE("later 1234567 jane@d.test"), SLICE("jane@d.test"), &common, &own),
            ERR_LIMIT);
        assert_true(common.len <= max && own.len <= max);
        buf_done(&common);
        buf_done(&own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_all_are_told_is_one_text),
        cmocka_unit_test(numbers_of_all_stay),
        cmocka_unit_test(any_text_is_whole_again),
        cmocka_unit_test(ceilings_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
