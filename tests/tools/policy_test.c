/* What is answered, by status, role and settings; which addresses a question is about; who is excepted.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "tools/policy_except.h"

enum { RECIPIENT = 1 << POLICY_ROLE_RECIPIENT, SENDER = 1 << POLICY_ROLE_SENDER };

static void actions(void **state)
{
    (void)state;
    static const struct {
        enum verdict_sub sub;
        bool is_pending;
        const char *recipient, *sender;
    } rows[] = {
        {SUB_ACCEPTED, false, "DUNNO", "DUNNO"},
        {SUB_CATCH_ALL, false, "DUNNO", "DUNNO"},
        {SUB_BLOCKED, false, "DUNNO", "DUNNO"},
        {SUB_CONNECT_TIMEOUT, false, "DUNNO", "DUNNO"},
        {SUB_SKIPPED, true, "DUNNO", "DUNNO"},
        {SUB_MAILBOX_NOT_FOUND, false, "550 5.1.1 ", "550 5.1.7 "},
        {SUB_MAILBOX_DISABLED, false, "550 5.2.1 ", "550 5.1.7 "},
        {SUB_MAILBOX_MOVED, false, "550 5.1.6 ", "550 5.1.7 "},
        {SUB_DOMAIN_NOT_FOUND, false, "550 5.1.2 ", "550 5.1.8 "},
        {SUB_NULL_MX, false, "550 5.1.10 ", "550 5.7.27 "},
        {SUB_SMTPUTF8_UNSUPPORTED, false, "550 5.6.7 ", "550 5.1.7 "},
        {SUB_GREYLISTED, false, "DEFER_IF_PERMIT 4.1.1 ", "DEFER_IF_PERMIT 4.1.7 "},
        {SUB_DNS_ERROR, false, "DEFER_IF_PERMIT 4.1.1 ", "DEFER_IF_PERMIT 4.1.7 "},
    };
    struct config config;
    config_init(&config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char action[POLICY_ACTION_BYTES];
        const struct policy_finding finding = {.status = verdict_status_of(rows[i].sub),
                                               .sub = rows[i].sub,
                                               .is_pending = rows[i].is_pending};
        (void)policy_action(&config.policy, POLICY_ROLE_RECIPIENT, &finding, action);
        assert_memory_equal(action, rows[i].recipient, strlen(rows[i].recipient));
        (void)policy_action(&config.policy, POLICY_ROLE_SENDER, &finding, action);
        assert_memory_equal(action, rows[i].sender, strlen(rows[i].sender));
    }
    config_done(&config);
}

/* However bad the news: one line of printable ASCII that fits. */
static void every_sub_status(void **state)
{
    (void)state;
    const struct config_policy strict = {.undeliverable = CONFIG_POLICY_REJECT,
                                         .risky = CONFIG_POLICY_REJECT,
                                         .temporary = CONFIG_POLICY_DEFER,
                                         .unknown = CONFIG_POLICY_DEFER,
                                         .pending = CONFIG_POLICY_DEFER};
    for (int sub = 0; sub < SUB_COUNT; sub++) {
        char action[POLICY_ACTION_BYTES];
        const struct policy_finding finding = {.status = verdict_status_of((enum verdict_sub)sub),
                                               .sub = (enum verdict_sub)sub};
        (void)policy_action(&strict, POLICY_ROLE_RECIPIENT, &finding, action);
        size_t len = strlen(action);
        assert_in_range(len, 5, POLICY_ACTION_BYTES - 2);
        for (size_t i = 0; i < len; i++) {
            assert_in_range(action[i], ' ', '~');
        }
    }
}

static void roles(void **state)
{
    (void)state;
    static const struct {
        const char *question;
        unsigned plain, with_senders;
    } rows[] = {
        {"protocol_state=RCPT\nsender=a@b\nrecipient=c@d\n", RECIPIENT, RECIPIENT | SENDER},
        {"protocol_state=RCPT\nsender=\nrecipient=c@d\n", RECIPIENT, RECIPIENT},
        {"protocol_state=MAIL\nsender=a@b\nrecipient=\n", SENDER, SENDER},
        {"protocol_state=DATA\nsender=a@b\nrecipient=\n", 0, SENDER},
        {"protocol_state=RCPT\npolicy_context=sender\nsender=a@b\nrecipient=c@d\n", SENDER, SENDER},
        {"protocol_state=RCPT\npolicy_context=recipient\nsender=a@b\nrecipient=c@d\n", RECIPIENT,
         RECIPIENT},
        {"protocol_state=MAIL\npolicy_context=both\nsender=a@b\nrecipient=c@d\n",
         RECIPIENT | SENDER, RECIPIENT | SENDER},
        {"protocol_state=CONNECT\n", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy_request request;
        struct config_policy settings = {.checks_senders = false};
        size_t used;
        policy_request_init(&request);
        assert_int_equal(policy_request_feed(&request, slice_of(rows[i].question), &used),
                         POLICY_MORE);
        assert_int_equal(policy_roles(&settings, &request), rows[i].plain);
        settings.checks_senders = true;
        assert_int_equal(policy_roles(&settings, &request), rows[i].with_senders);
        policy_request_done(&request);
    }
}

static void exceptions(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool is_excepted;
    } rows[] = {
        {"a@plain.example", true},
        {"A@SUB.Plain.Example", true},
        {"a@unplain.example", false},
        {"Boss@other.example", true},
        {"b@other.example", false},
        {"a@b\xc3\xbc"
         "cher.example",
         true},
        {"a@xn--bcher-kva.example", true},
        {"no address", false},
        {"", false},
    };
    struct policy_except *except = NULL;
    struct fault fault;
    struct ip ip;
    assert_int_equal(policy_except_read(SLICE("f"),
                                        SLICE("# ours\n\n Plain.Example # all\nboss@OTHER.example\n"
                                              "b\xc3\xbc"
                                              "cher.example\n192.0.2.0/24\n2001:db8::1\n"),
                                        &except, &fault),
                     ERR_NONE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(policy_except_has_address(except, slice_of(rows[i].address)),
                         rows[i].is_excepted);
        assert_false(policy_except_has_address(NULL, slice_of(rows[i].address)));
    }
    assert_true(ip_parse(SLICE("192.0.2.9"), &ip) && policy_except_has_client(except, &ip));
    assert_true(ip_parse(SLICE("2001:db8::1"), &ip) && policy_except_has_client(except, &ip));
    assert_true(ip_parse(SLICE("192.0.3.9"), &ip) && !policy_except_has_client(except, &ip));
    policy_except_free(except);
    assert_int_equal(policy_except_read(SLICE("f"), SLICE("a.example\n@\n"), &except, &fault),
                     ERR_SYNTAX);
    assert_string_equal(fault.text, "f:2: '@' is no domain, address or network like 192.0.2.0/24");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions),
        cmocka_unit_test(every_sub_status),
        cmocka_unit_test(roles),
        cmocka_unit_test(exceptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
