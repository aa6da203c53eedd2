/* SPDX-License-Identifier: Apache-2.0 */
#include "heloise/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static const struct enhanced_case {
    const char *name, *text;
    struct hel_enhanced expected; /* class 0: the text begins with no enhanced code */
} cases[] = {
    /* RFC 3463 2: class "." subject "." detail, one to three digits each after the class */
    {"success", "2.1.5 ok", {2, 1, 5}},
    {"transient", "4.2.1 later", {4, 2, 1}},
    {"permanent", "5.1.1 no such user", {5, 1, 1}},
    {"three digits", "5.999.999 x", {5, 999, 999}},
    {"two digits", "5.7.27 x", {5, 7, 27}},
    {"zeros", "5.0.0 x", {5, 0, 0}},
    {"nothing behind", "5.1.1", {5, 1, 1}},
    {"colon behind", "5.1.1: x", {5, 1, 1}},
    {"bracket behind", "5.1.1<a@b.example>", {5, 1, 1}},
    {"dash behind", "5.1.1-x", {5, 1, 1}},
    {"line end behind", "5.1.1\r\n", {5, 1, 1}},
    {"number sign before", "#5.1.0 Address rejected", {5, 1, 0}},
    /* RFC 3463 2 forbids writing leading zeros; the value is read nevertheless */
    {"leading zeros", "5.01.001 x", {5, 1, 1}},
    {"class 1", "1.1.1 x", {0}},
    {"class 3", "3.1.1 x", {0}},
    {"class 0", "0.1.1 x", {0}},
    {"class 6", "6.1.1 x", {0}},
    {"class of two digits", "55.1.1 x", {0}},
    {"subject too long", "5.1000.1 x", {0}},
    {"detail too long", "5.1.1000 x", {0}},
    {"huge", "5.1.99999999999999999999999 x", {0}},
    {"a fourth part", "5.1.1.1 x", {0}},
    {"a dot behind", "5.1.1. x", {0}},
    {"a letter behind", "5.1.1a", {0}},
    {"an address", "5.9.200.17 is listed", {0}},
    {"two parts", "5.1 x", {0}},
    {"one part", "5", {0}},
    {"dot only", "5.", {0}},
    {"empty middle", "5..1", {0}},
    {"sign", "5.-1.1", {0}},
    {"space inside", "5. 1.1", {0}},
    {"space before", " 5.1.1 x", {0}},
    {"in brackets", "[5.1.1] x", {0}},
    {"two number signs", "##5.1.1 x", {0}},
    {"words", "user unknown", {0}},
    {"empty", "", {0}},
};

static void reads_what_stands_at_the_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct enhanced_case *row = &cases[i];
        struct hel_enhanced got = {9, 9, 9};
        bool is_code = hel_enhanced_parse(slice_of(row->text), &got);
        const struct hel_enhanced *wanted = &row->expected;
        bool is_right =
            is_code == (wanted->class_digit != 0) &&
            (is_code ? got.class_digit == wanted->class_digit && got.subject == wanted->subject &&
                           got.detail == wanted->detail
                     : got.class_digit == 9); /* untouched on failure */
        if (!is_right) {
            fail_msg("%s: read %d as %d.%d.%d", row->name, is_code, got.class_digit, got.subject,
                     got.detail);
        }
    }
}

/* A slice need not end where the code ends: nothing behind it is read. */
static void stops_at_the_end_of_the_slice(void **state)
{
    (void)state;
    struct hel_enhanced got;
    assert_true(hel_enhanced_parse(slice_make("5.1.123", 5), &got));
    assert_int_equal(got.detail, 1);
    assert_false(hel_enhanced_parse(slice_make("5.1.1", 4), &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_stands_at_the_start),
        cmocka_unit_test(stops_at_the_end_of_the_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
