/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static const struct slice subject[] = {SLICE_LITERAL("Subject: own")};

static const struct {
    const char *name;
    struct slice raw;
    bool adds_nothing;
    size_t header_count; /* of subject */
    struct slice wanted;
    struct slice added;
} cases[] = {
    {"complete", SLICE_LITERAL("Date: d\nFrom: f\nMessage-ID: m\n\nbody"), false, 0,
     SLICE_LITERAL("Date: d\r\nFrom: f\r\nMessage-ID: m\r\n\r\nbody\r\n"), SLICE_LITERAL("")},
    {"without a date", SLICE_LITERAL("From: f\r\nMessage-ID: m\r\n\r\nb\rc\n"), false, 0,
     SLICE_LITERAL(
         "Date: Thu, 01 Jan 1970 00:00:10 +0000\r\nFrom: f\r\nMessage-ID: m\r\n\r\nb\r\nc\r\n"),
     SLICE_LITERAL("Date: Thu, 01 Jan 1970 00:00:10 +0000\n")},
    {"as it is", SLICE_LITERAL("x\n.\n"), true, 0, SLICE_LITERAL("x\r\n.\r\n"), SLICE_LITERAL("")},
    {"text alone", SLICE_LITERAL("no header\n"), false, 0,
     SLICE_LITERAL("Date: Thu, 01 Jan 1970 00:00:10 +0000\r\nFrom: <f@x>\r\n"
                   "Message-ID: <7.probe@us>\r\n\r\nno header\r\n"),
     SLICE_LITERAL(
         "Date: Thu, 01 Jan 1970 00:00:10 +0000\nFrom: <f@x>\nMessage-ID: <7.probe@us>\n")},
    {"a field replaced, with its folds",
     SLICE_LITERAL("Date: d\nSUBJECT: a\n b\nFrom: f\nMessage-ID: m\n\n"), false, 1,
     SLICE_LITERAL("Subject: own\r\nDate: d\r\nFrom: f\r\nMessage-ID: m\r\n\r\n"),
     SLICE_LITERAL("Subject: own\n")},
};

static void raw_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct probe_message_plan plan = {.raw = cases[i].raw,
                                                .adds_nothing = cases[i].adds_nothing,
                                                .from = SLICE("f@x"),
                                                .to = SLICE("t@y"),
                                                .host = SLICE("us"),
                                                .headers = subject,
                                                .header_count = cases[i].header_count,
                                                .now_s = 10,
                                                .random = 7};
        struct probe_message message;
        assert_int_equal(probe_message_make(&plan, &message), ERR_NONE);
        if (!slice_equal(buf_view(&message.bytes), cases[i].wanted)) {
            fail_msg("%s: \"%.*s\"", cases[i].name, SLICE_ARG(buf_view(&message.bytes)));
        }
        assert_true(slice_equal(buf_view(&message.added), cases[i].added));
        assert_false(message.needs_8bit);
        probe_message_done(&message);
    }
}

static void what_is_no_field(void **state)
{
    (void)state;
    static const struct slice bad[] = {SLICE_LITERAL("x"), SLICE_LITERAL(": x"),
                                       SLICE_LITERAL("a b: x"), SLICE_LITERAL("a: x\r\nb: y")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct probe_message_plan plan = {
            .headers = &bad[i], .header_count = 1, .host = SLICE("us")};
        struct probe_message message;
        assert_int_equal(probe_message_make(&plan, &message), ERR_SYNTAX);
    }
}

static void eight_bits(void **state)
{
    (void)state;
    const struct probe_message_plan plan = {.text = SLICE("\xc3\xbc"), .host = SLICE("us")};
    struct probe_message message;
    assert_int_equal(probe_message_make(&plan, &message), ERR_NONE);
    assert_true(message.needs_8bit);
    probe_message_done(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_messages),
        cmocka_unit_test(what_is_no_field),
        cmocka_unit_test(eight_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
