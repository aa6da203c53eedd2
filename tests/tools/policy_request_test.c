/* Questions of the policy delegation protocol: whole, byte by byte, at every split; and what is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/policy_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static const char usual[] = "request=smtpd_access_policy\n"
                            "protocol_state=RCPT\n"
                            "protocol_name=ESMTP\n"
                            "helo_name=some.example\n"
                            "queue_id=8045F2AB23\n"
                            "sender=foo@bar.example\n"
                            "recipient=bar=baz@foo.example\n"
                            "client_address=192.0.2.3\n"
                            "size=\n"
                            "policy_context=both\n"
                            "\n";

static void check_usual(const struct policy_request *request)
{
    static const struct {
        enum policy_attribute attribute;
        const char *value;
    } rows[] = {
        {POLICY_REQUEST, "smtpd_access_policy"},
        {POLICY_PROTOCOL_STATE, "RCPT"},
        {POLICY_CONTEXT, "both"},
        {POLICY_SENDER, "foo@bar.example"},
        {POLICY_RECIPIENT, "bar=baz@foo.example"},
        {POLICY_CLIENT_ADDRESS, "192.0.2.3"},
        {POLICY_HELO_NAME, "some.example"},
        {POLICY_QUEUE_ID, "8045F2AB23"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice value = policy_request_value(request, rows[i].attribute);
        assert_true(slice_equal(value, slice_of(rows[i].value)));
    }
}

static void at_every_split(void **state)
{
    (void)state;
    struct slice whole = slice_of(usual);
    struct policy_request request;
    size_t used;
    policy_request_init(&request);
    for (size_t at = 0; at < whole.len; at++) {
        struct slice first = slice_sub(whole, 0, at);
        struct slice second = slice_sub(whole, at, whole.len);
        assert_int_equal(policy_request_feed(&request, first, &used), POLICY_MORE);
        assert_int_equal(used, at);
        assert_int_equal(request.has_begun, at > 0);
        assert_int_equal(policy_request_feed(&request, second, &used), POLICY_WHOLE);
        assert_int_equal(used, second.len);
        check_usual(&request);
        policy_request_clear(&request);
        assert_int_equal(policy_request_value(&request, POLICY_SENDER).len, 0);
    }
    policy_request_done(&request);
}

static void byte_by_byte(void **state)
{
    (void)state;
    struct policy_request request;
    size_t used;
    policy_request_init(&request);
    for (size_t i = 0; i < sizeof usual - 1; i++) {
        enum policy_progress wanted = i + 2 == sizeof usual ? POLICY_WHOLE : POLICY_MORE;
        assert_int_equal(policy_request_feed(&request, slice_make(usual + i, 1), &used), wanted);
    }
    check_usual(&request);
    policy_request_done(&request);
}

static void what_follows_is_left(void **state)
{
    (void)state;
    struct slice two =
        SLICE("request=smtpd_access_policy\r\nsender=a@b\r\nsender=c@d\r\n\r\nrequest=");
    struct policy_request request;
    size_t used;
    policy_request_init(&request);
    assert_int_equal(policy_request_feed(&request, two, &used), POLICY_WHOLE);
    assert_int_equal(used, two.len - 8);
    assert_true(slice_equal(policy_request_value(&request, POLICY_SENDER), SLICE("c@d")));
    policy_request_done(&request);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        struct slice bytes;
        const char *what;
    } rows[] = {
        {SLICE_LITERAL("\n"), "it is no request=smtpd_access_policy"},
        {SLICE_LITERAL("request=junk\n\n"), "it is no request=smtpd_access_policy"},
        {SLICE_LITERAL("hello\n"), "a line is no name=value"},
        {SLICE_LITERAL("=x\n"), "a line is no name=value"},
        {SLICE_LITERAL("sender=a\0b\n"), "a line holds a NUL"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy_request request;
        size_t used;
        policy_request_init(&request);
        assert_int_equal(policy_request_feed(&request, rows[i].bytes, &used), POLICY_INVALID);
        assert_string_equal(request.what, rows[i].what);
        policy_request_done(&request);
    }
}

/* One more of each than may be. */
static enum policy_progress feed_many(struct policy_request *request, struct slice line,
                                      size_t count)
{
    enum policy_progress progress = POLICY_MORE;
    for (size_t i = 0; i < count && progress == POLICY_MORE; i++) {
        size_t used;
        progress = policy_request_feed(request, line, &used);
    }
    return progress;
}

static void ceilings(void **state)
{
    (void)state;
    static char value[POLICY_VALUE_BYTES_MAX + 1];
    struct policy_request request;
    size_t used;
    memset(value, 'x', sizeof value);
    policy_request_init(&request);
    assert_int_equal(feed_many(&request, SLICE("a=b\n"), POLICY_ATTRIBUTES_MAX), POLICY_MORE);
    assert_int_equal(feed_many(&request, SLICE("a=b\n"), 1), POLICY_INVALID);
    policy_request_clear(&request);
    assert_int_equal(feed_many(&request, slice_make(value, sizeof value), 17), POLICY_INVALID);
    policy_request_clear(&request);
    assert_int_equal(policy_request_feed(&request, SLICE("sender="), &used), POLICY_MORE);
    assert_int_equal(feed_many(&request, slice_make(value, sizeof value - 1), 1), POLICY_MORE);
    assert_int_equal(feed_many(&request, SLICE("\nsender="), 1), POLICY_MORE);
    assert_int_equal(policy_request_value(&request, POLICY_SENDER).len, POLICY_VALUE_BYTES_MAX);
    assert_int_equal(feed_many(&request, slice_make(value, sizeof value), 1), POLICY_MORE);
    assert_int_equal(feed_many(&request, SLICE("\n"), 1), POLICY_INVALID);
    assert_string_equal(request.what, "a value is too long");
    policy_request_done(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_every_split),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(what_follows_is_left),
        cmocka_unit_test(refused),
        cmocka_unit_test(ceilings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
