/* The words of the verdict: each sub-status belongs to one status, and every word parses back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* The vocabulary as it was decided: changing it breaks the users' code. */
static const struct vocabulary_row {
    enum verdict_status status;
    const char *subs;
} vocabulary[] = {
    {VERDICT_DELIVERABLE, "accepted accepted_rate_limited accepted_forward"},
    {VERDICT_RISKY, "catch_all accepts_all_provider accepted_unconfirmed mailbox_full disposable "
                    "role suppressed"},
    {VERDICT_UNDELIVERABLE,
     "mailbox_not_found mailbox_disabled mailbox_moved invalid_syntax domain_not_found "
     "no_mail_host null_mx mx_unroutable domain_not_hosted smtputf8_unsupported"},
    {VERDICT_UNKNOWN, "greylisted temp_failure rate_limited blocked blanket_reject "
                      "tls_required_failed connect_failed connect_timeout smtp_timeout "
                      "disconnected protocol_error dns_error skipped internal_error"},
};

static void the_vocabulary_is_whole(void **state)
{
    (void)state;
    unsigned seen[SUB_COUNT] = {0};
    size_t count = 0;
    for (size_t i = 0; i < sizeof vocabulary / sizeof *vocabulary; i++) {
        struct slice rest = slice_of(vocabulary[i].subs);
        while (rest.at != NULL) {
            enum verdict_sub sub;
            assert_true(verdict_sub_parse(slice_cut(&rest, ' '), &sub));
            assert_int_equal(verdict_status_of(sub), vocabulary[i].status);
            seen[sub]++;
            count++;
        }
    }
    assert_int_equal(count, SUB_COUNT);
    for (size_t i = 0; i < SUB_COUNT; i++) {
        assert_int_equal(seen[i], 1);
    }
}

static void every_word_parses_back(void **state)
{
    (void)state;
    for (int i = 0; i < SUB_COUNT; i++) {
        enum verdict_sub sub;
        assert_true(verdict_sub_parse(slice_of(verdict_sub_name((enum verdict_sub)i)), &sub));
        assert_int_equal(sub, i);
    }
    for (int i = VERDICT_DELIVERABLE; i <= VERDICT_UNKNOWN; i++) {
        enum verdict_status status;
        const char *name = verdict_status_name((enum verdict_status)i);
        assert_true(verdict_status_parse(slice_of(name), &status));
        assert_int_equal(status, i);
    }
}

static void other_words_do_not_parse(void **state)
{
    (void)state;
    static const char *const words[] = {"", "Accepted", "accept", "accepted ", "unknown_", "safe"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        enum verdict_sub sub = SUB_COUNT;
        enum verdict_status status = VERDICT_RISKY;
        assert_false(verdict_sub_parse(slice_of(words[i]), &sub));
        assert_false(verdict_status_parse(slice_of(words[i]), &status));
        assert_int_equal(sub, SUB_COUNT);
        assert_int_equal(status, VERDICT_RISKY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vocabulary_is_whole),
        cmocka_unit_test(every_word_parses_back),
        cmocka_unit_test(other_words_do_not_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
