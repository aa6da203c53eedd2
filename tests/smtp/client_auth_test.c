/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "ready.h"

static void assert_sent(struct hel_smtp_client *client, const char *line)
{
    struct slice sent = ready_sent(client);
    if (!slice_equal(sent, slice_of(line))) {
        fail_msg("sent \"%.*s\", not \"%s\"", SLICE_ARG(sent), line);
    }
}

static struct hel_smtp_client *offered(void)
{
    return ready_client("250 AUTH PLAIN LOGIN\r\n");
}

/* RFC 4954 4: with a first word, with an empty one, with none. */
static void first_words(void **state)
{
    (void)state;
    static const struct {
        struct slice initial;
        bool has_initial;
        const char *line;
    } cases[] = {
        {SLICE_LITERAL("\0u\0p"), true, "AUTH PLAIN AHUAcA==\r\n"},
        {SLICE_LITERAL(""), true, "AUTH PLAIN =\r\n"},
        {SLICE_LITERAL(""), false, "AUTH PLAIN\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hel_smtp_client *client = offered();
        assert_int_equal(hel_smtp_client_auth(client, 7, SLICE("PLAIN"),
                                              cases[i].has_initial ? &cases[i].initial : NULL),
                         ERR_NONE);
        assert_sent(client, cases[i].line);
        struct hel_smtp_event event = ready_event(client, "235 2.7.0 ok\r\n");
        assert_int_equal(event.kind, HEL_SMTP_EVENT_REPLY);
        assert_int_equal(event.stage, HEL_SMTP_AUTH);
        assert_int_equal(event.tag, 7);
        /* RFC 4954 4: no second AUTH after success; MAIL may follow. */
        assert_int_equal(hel_smtp_client_auth(client, 8, SLICE("PLAIN"), NULL), ERR_STATE);
        assert_int_equal(hel_smtp_client_rset(client, 9), ERR_NONE);
        hel_smtp_client_free(client);
    }
}

static void challenges(void **state)
{
    (void)state;
    struct hel_smtp_client *client = offered();
    assert_int_equal(hel_smtp_client_auth_answer(client, 1, SLICE("x")), ERR_STATE);
    assert_int_equal(hel_smtp_client_auth(client, 1, SLICE("LOGIN"), NULL), ERR_NONE);
    assert_sent(client, "AUTH LOGIN\r\n");
    assert_int_equal(hel_smtp_client_rset(client, 2), ERR_STATE); /* not while it is under way */
    struct hel_smtp_event event = ready_event(client, "334 VXNlcm5hbWU6\r\n");
    assert_int_equal(event.reply.code, 334);
    assert_true(slice_equal(event.reply.text, SLICE("VXNlcm5hbWU6")));
    assert_true(hel_smtp_client_deadline(client) == UINT64_MAX); /* it is our turn */
    assert_int_equal(hel_smtp_client_auth_answer(client, 2, SLICE("user")), ERR_NONE);
    assert_sent(client, "dXNlcg==\r\n");
    (void)ready_event(client, "334 UGFzc3dvcmQ6\r\n");
    assert_int_equal(hel_smtp_client_auth_answer(client, 3, SLICE("")), ERR_NONE);
    assert_sent(client, "\r\n");
    event = ready_event(client, "535 5.7.8 no\r\n");
    assert_int_equal(event.tag, 3);
    assert_int_equal(hel_smtp_client_auth(client, 4, SLICE("PLAIN"), NULL), ERR_NONE);
    assert_sent(client, "AUTH PLAIN\r\n");
    (void)ready_event(client, "334 \r\n");
    assert_int_equal(hel_smtp_client_auth_cancel(client, 5), ERR_NONE);
    assert_sent(client, "*\r\n");
    event = ready_event(client, "501 5.7.0 cancelled\r\n");
    assert_int_equal(event.reply.code, 501);
    hel_smtp_client_free(client);
}

/* The exchange cut at every byte gives the same answers. */
static void every_split(void **state)
{
    (void)state;
    const char *talk = "334 VXNlcm5hbWU6\r\n";
    for (size_t cut = 0; cut <= strlen(talk); cut++) {
        struct hel_smtp_client *client = offered();
        struct hel_smtp_event event;
        assert_int_equal(hel_smtp_client_auth(client, 1, SLICE("LOGIN"), NULL), ERR_NONE);
        (void)ready_sent(client);
        hel_smtp_client_received(client, slice_make(talk, cut), 0);
        bool was_early = hel_smtp_client_next(client, &event);
        assert_int_equal(was_early, cut == strlen(talk));
        hel_smtp_client_received(client, slice_of(talk + cut), 0);
        assert_true(was_early || hel_smtp_client_next(client, &event));
        assert_int_equal(event.reply.code, 334);
        hel_smtp_client_free(client);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
    static char large[HEL_SMTP_AUTH_LINE_BYTES];
    const struct slice initial = {large, sizeof large};
    struct hel_smtp_client *client = ready_client("");
    assert_int_equal(hel_smtp_client_auth(client, 1, SLICE("PLAIN"), NULL), ERR_STATE);
    hel_smtp_client_free(client);
    client = offered();
    assert_int_equal(hel_smtp_client_auth(client, 1, SLICE("PLAIN x"), NULL), ERR_SYNTAX);
    assert_int_equal(hel_smtp_client_auth(client, 1, SLICE("PLAIN\r\nRSET"), NULL), ERR_SYNTAX);
    assert_int_equal(hel_smtp_client_auth(client, 1, SLICE(""), NULL), ERR_SYNTAX);
    assert_int_equal(hel_smtp_client_auth(client, 1, SLICE("PLAIN"), &initial), ERR_LIMIT);
    assert_int_equal(ready_sent(client).len, 0);
    assert_int_equal(hel_smtp_client_rset(client, 1), ERR_NONE);
    assert_int_equal(hel_smtp_client_auth(client, 2, SLICE("PLAIN"), NULL), ERR_STATE); /* alone */
    hel_smtp_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_words),
        cmocka_unit_test(challenges),
        cmocka_unit_test(every_split),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
