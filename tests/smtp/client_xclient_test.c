/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "ready.h"

static const struct hel_smtp_attribute attributes[] = {
    {SLICE_LITERAL("ADDR"), SLICE_LITERAL("192.0.2.1")},
    {SLICE_LITERAL("LOGIN"), SLICE_LITERAL("a +b=\r\nc")},
};

static void assert_sent(struct hel_smtp_client *client, const char *line)
{
    struct slice sent = ready_sent(client);
    if (!slice_equal(sent, slice_of(line))) {
        fail_msg("sent \"%.*s\", not \"%s\"", SLICE_ARG(sent), line);
    }
}

/* 220: all begins anew; values cannot end the line. */
static void the_session_begins_anew(void **state)
{
    (void)state;
    struct hel_smtp_client *client = ready_client("250 XCLIENT ADDR LOGIN\r\n");
    assert_int_equal(hel_smtp_client_xclient(client, 5, attributes, 2), ERR_NONE);
    assert_sent(client, "XCLIENT ADDR=192.0.2.1 LOGIN=a+20+2Bb+3D+0D+0Ac\r\n");
    assert_int_equal(hel_smtp_client_rset(client, 6), ERR_STATE);
    struct hel_smtp_event event = ready_event(client, "220 mx.example\r\n");
    assert_int_equal(event.kind, HEL_SMTP_EVENT_REPLY);
    assert_int_equal(event.stage, HEL_SMTP_XCLIENT);
    assert_int_equal(event.tag, 5);
    assert_int_equal(hel_smtp_client_extensions(client), 0);
    assert_sent(client, "EHLO us.example\r\n");
    event = ready_event(client, "250-mx\r\n250 PIPELINING\r\n");
    assert_int_equal(event.kind, HEL_SMTP_EVENT_HELLO);
    assert_int_equal(hel_smtp_client_extensions(client), HEL_SMTP_EXT_PIPELINING);
    hel_smtp_client_free(client);
}

static void a_refusal_changes_nothing(void **state)
{
    (void)state;
    struct hel_smtp_client *client = ready_client("250 XCLIENT ADDR\r\n");
    assert_int_equal(hel_smtp_client_xclient(client, 5, attributes, 1), ERR_NONE);
    (void)ready_sent(client);
    assert_int_equal(ready_event(client, "550 5.7.0 no\r\n").reply.code, 550);
    assert_int_equal(hel_smtp_client_rset(client, 6), ERR_NONE);
    hel_smtp_client_free(client);
}

static void forwarding(void **state)
{
    (void)state;
    struct hel_smtp_client *client = ready_client("250 XFORWARD ADDR\r\n");
    assert_int_equal(hel_smtp_client_xclient(client, 1, attributes, 1), ERR_STATE);
    assert_int_equal(hel_smtp_client_xforward(client, 1, attributes, 0), ERR_SYNTAX);
    assert_int_equal(hel_smtp_client_xforward(client, 1, attributes, 1), ERR_NONE);
    assert_sent(client, "XFORWARD ADDR=192.0.2.1\r\n");
    assert_int_equal(ready_event(client, "250 2.0.0 ok\r\n").stage, HEL_SMTP_XCLIENT);
    assert_int_equal(hel_smtp_client_rset(client, 2), ERR_NONE);
    hel_smtp_client_free(client);
}

static void names_are_words(void **state)
{
    (void)state;
    const struct hel_smtp_attribute bad[] = {
        {SLICE_LITERAL("AD DR"), SLICE_LITERAL("x")},
        {SLICE_LITERAL(""), SLICE_LITERAL("x")},
        {SLICE_LITERAL("ADDR"), SLICE_LITERAL("")},
    };
    struct hel_smtp_client *client = ready_client("250 XCLIENT ADDR\r\n");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(hel_smtp_client_xclient(client, 1, &bad[i], 1), ERR_SYNTAX);
    }
    assert_int_equal(ready_sent(client).len, 0);
    hel_smtp_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_session_begins_anew),
        cmocka_unit_test(a_refusal_changes_nothing),
        cmocka_unit_test(forwarding),
        cmocka_unit_test(names_are_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
