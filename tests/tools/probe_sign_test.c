/* What is signed is verified by others' library in tests/cli/probe_suite.py.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static void canonical_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_right;
        enum dkim_canon header, body;
    } cases[] = {
        {"relaxed/simple", true, DKIM_RELAXED, DKIM_SIMPLE},
        {"simple/relaxed", true, DKIM_SIMPLE, DKIM_RELAXED},
        {"Relaxed/RELAXED", true, DKIM_RELAXED, DKIM_RELAXED},
        {"relaxed", true, DKIM_RELAXED, DKIM_SIMPLE},
        {"", false, DKIM_SIMPLE, DKIM_SIMPLE},
        {"relaxed/", false, DKIM_SIMPLE, DKIM_SIMPLE},
        {"/simple", false, DKIM_SIMPLE, DKIM_SIMPLE},
        {"simple/simple/simple", false, DKIM_SIMPLE, DKIM_SIMPLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum dkim_canon header = DKIM_SIMPLE, body = DKIM_SIMPLE;
        if (probe_canon_parse(slice_of(cases[i].text), &header, &body) != cases[i].is_right ||
            header != cases[i].header || body != cases[i].body) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void what_cannot_sign_changes_nothing(void **state)
{
    (void)state;
    static const struct slice keys[] = {SLICE_LITERAL(""), SLICE_LITERAL("no key\n"),
                                        SLICE_LITERAL("-----BEGIN PRIVATE KEY-----\nAAAA\n"
                                                      "-----END PRIVATE KEY-----\n")};
    const struct probe_message_plan plan = {.raw = SLICE("From: f\n\nbody\n"),
                                            .host = SLICE("us.example")};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct probe_signing signing = {
            .key = keys[i], .domain = SLICE("us.example"), .selector = SLICE("s")};
        struct probe_message message;
        struct fault fault;
        assert_int_equal(probe_message_make(&plan, &message), ERR_NONE);
        size_t bytes = message.bytes.len, added = message.added.len;
        assert_int_equal(probe_sign(&signing, &message, &fault), ERR_SYNTAX);
        assert_string_equal(fault.text, "it is no private key in PEM without a password");
        assert_int_equal(message.bytes.len, bytes);
        assert_int_equal(message.added.len, added);
        probe_message_done(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_forms),
        cmocka_unit_test(what_cannot_sign_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
