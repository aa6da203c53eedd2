/* How long each verdict is believed, and when asking again may help.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* Life without a route and with the advice of its own. */
static const struct life_row {
    enum verdict_sub sub;
    uint32_t life_s, retry_s;
} life_rows[] = {
    {SUB_ACCEPTED, 7 * DAY, 0},
    {SUB_ACCEPTED_RATE_LIMITED, 7 * DAY, 0},
    {SUB_ACCEPTED_FORWARD, 7 * DAY, 0},
    {SUB_CATCH_ALL, DAY, 0},
    {SUB_ACCEPTS_ALL_PROVIDER, DAY, 0},
    {SUB_ACCEPTED_UNCONFIRMED, 3 * HOUR, 3 * HOUR},
    {SUB_MAILBOX_FULL, DAY, DAY},
    {SUB_DISPOSABLE, DAY, 0},
    {SUB_ROLE, DAY, 0},
    {SUB_SUPPRESSED, DAY, 0},
    {SUB_MAILBOX_NOT_FOUND, 3 * DAY, 0},
    {SUB_MAILBOX_DISABLED, 3 * DAY, 0},
    {SUB_MAILBOX_MOVED, 3 * DAY, 0},
    {SUB_INVALID_SYNTAX, 31 * DAY, 0},
    {SUB_DOMAIN_NOT_FOUND, DAY, 0},
    {SUB_NO_MAIL_HOST, DAY, 0},
    {SUB_NULL_MX, DAY, 0},
    {SUB_MX_UNROUTABLE, DAY, 0},
    {SUB_DOMAIN_NOT_HOSTED, DAY, 0},
    {SUB_SMTPUTF8_UNSUPPORTED, 3 * DAY, 0},
    {SUB_GREYLISTED, 5 * MINUTE, 5 * MINUTE},
    {SUB_TEMP_FAILURE, 30 * MINUTE, 30 * MINUTE},
    {SUB_RATE_LIMITED, HOUR, HOUR},
    {SUB_BLOCKED, 3 * HOUR, 4 * HOUR},
    {SUB_BLANKET_REJECT, 3 * HOUR, 4 * HOUR},
    {SUB_TLS_REQUIRED_FAILED, 3 * HOUR, 4 * HOUR},
    {SUB_CONNECT_FAILED, 3 * HOUR, 3 * HOUR},
    {SUB_CONNECT_TIMEOUT, 3 * HOUR, 3 * HOUR},
    {SUB_SMTP_TIMEOUT, 30 * MINUTE, 30 * MINUTE},
    {SUB_DISCONNECTED, 30 * MINUTE, 30 * MINUTE},
    {SUB_PROTOCOL_ERROR, 3 * HOUR, 4 * HOUR},
    {SUB_DNS_ERROR, 10 * MINUTE, 10 * MINUTE},
    {SUB_SKIPPED, 3 * HOUR, 0},
    {SUB_INTERNAL_ERROR, 10 * MINUTE, 10 * MINUTE},
};

static struct verdict verdict_of(enum verdict_sub sub, uint32_t retry_after_s)
{
    return (struct verdict){
        .sub = sub, .status = verdict_status_of(sub), .retry_after_s = retry_after_s};
}

static void each_sub_status_has_its_life(void **state)
{
    (void)state;
    assert_int_equal(sizeof life_rows / sizeof *life_rows, SUB_COUNT);
    for (int i = 0; i < SUB_COUNT; i++) {
        const struct life_row *row = &life_rows[i];
        uint32_t retry_s = life_retry_after(row->sub, SKIP_NONE);
        struct verdict verdict = verdict_of(row->sub, retry_s);
        assert_int_equal(row->sub, i);
        if (retry_s != row->retry_s || life_of(&verdict, NULL) != row->life_s) {
            fail_msg("%s: life %u, retry after %u", verdict_sub_name(row->sub),
                     (unsigned)life_of(&verdict, NULL), (unsigned)retry_s);
        }
    }
}

static void an_unknown_lives_until_asking_may_help(void **state)
{
    (void)state;
    static const struct {
        uint32_t retry_s, life_s;
    } cases[] = {{0, 3 * HOUR},
                 {1, 300},
                 {300, 300},
                 {301, 301},
                 {3 * HOUR, 3 * HOUR},
                 {3 * HOUR + 1, 3 * HOUR},
                 {UINT32_MAX, 3 * HOUR}};
    for (int sub = 0; sub < SUB_COUNT; sub++) {
        if (verdict_status_of((enum verdict_sub)sub) != VERDICT_UNKNOWN) {
            continue;
        }
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct verdict verdict = verdict_of((enum verdict_sub)sub, cases[i].retry_s);
            assert_int_equal(life_of(&verdict, NULL), cases[i].life_s);
        }
    }
    struct verdict unconfirmed = verdict_of(SUB_ACCEPTED_UNCONFIRMED, 2 * DAY);
    assert_int_equal(life_of(&unconfirmed, NULL), DAY);
    unconfirmed.retry_after_s = 0;
    assert_int_equal(life_of(&unconfirmed, NULL), 300);
}

static void what_only_dns_said_lives_no_longer_than_dns(void **state)
{
    (void)state;
    static const enum verdict_sub subs[] = {SUB_DOMAIN_NOT_FOUND, SUB_NO_MAIL_HOST, SUB_NULL_MX,
                                            SUB_MX_UNROUTABLE};
    static const struct {
        uint32_t ttl_s, life_s;
    } cases[] = {{0, DAY}, {1, 300}, {3600, 3600}, {DAY, DAY}, {30 * DAY, DAY}};
    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++) {
        for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
            struct route route = {.ttl_s = cases[j].ttl_s};
            struct verdict verdict = verdict_of(subs[i], 0);
            assert_int_equal(life_of(&verdict, &route), cases[j].life_s);
        }
    }
    struct route brief = {.ttl_s = 1};
    struct verdict refused = verdict_of(SUB_MAILBOX_NOT_FOUND, 0);
    assert_int_equal(life_of(&refused, &brief), 3 * DAY);
}

static void skips_are_retried_by_their_reason(void **state)
{
    (void)state;
    assert_int_equal(life_retry_after(SUB_SKIPPED, SKIP_BUDGET), HOUR);
    assert_int_equal(life_retry_after(SUB_SKIPPED, SKIP_EGRESS_UNHEALTHY), 4 * HOUR);
    assert_int_equal(life_retry_after(SUB_SKIPPED, SKIP_PROVIDER_POLICY), 0);
    assert_int_equal(life_retry_after(SUB_SKIPPED, SKIP_CANCELLED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sub_status_has_its_life),
        cmocka_unit_test(an_unknown_lives_until_asking_may_help),
        cmocka_unit_test(what_only_dns_said_lives_no_longer_than_dns),
        cmocka_unit_test(skips_are_retried_by_their_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
