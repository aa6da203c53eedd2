/* LMTP (RFC 2033), and clients that greet otherwise than usual.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "ready.h"

static struct hel_smtp_client *open_client(struct hel_smtp_client_config config)
{
    struct hel_smtp_client *client = NULL;
    config.helo_name = SLICE("us.example");
    assert_int_equal(hel_smtp_client_new(&config, 0, &client), ERR_NONE);
    return client;
}

static void assert_sent(struct hel_smtp_client *client, const char *text)
{
    struct slice sent = ready_sent(client);
    if (!slice_equal(sent, slice_of(text))) {
        fail_msg("sent \"%.*s\", not \"%s\"", SLICE_ARG(sent), text);
    }
}

static struct hel_smtp_client *lmtp_client(void)
{
    struct hel_smtp_event event;
    struct hel_smtp_client *client = open_client((struct hel_smtp_client_config){.is_lmtp = true});
    hel_smtp_client_received(client, SLICE("220 mx.example LMTP\r\n"), 0);
    assert_false(hel_smtp_client_next(client, &event));
    assert_sent(client, "LHLO us.example\r\n");
    event = ready_event(client, "250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    assert_int_equal(event.kind, HEL_SMTP_EVENT_HELLO);
    return client;
}

/* Three recipients, of which the second is refused. */
static void ask_recipients(struct hel_smtp_client *client)
{
    const struct hel_smtp_mail mail = {.reverse_path = SLICE("a@us.example")};
    static const char *const replies[] = {"250 1\r\n", "550 2\r\n", "250 3\r\n"};
    assert_int_equal(hel_smtp_client_mail(client, 1, &mail), ERR_NONE);
    (void)ready_sent(client);
    (void)ready_event(client, "250 ok\r\n");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(hel_smtp_client_rcpt(client, 10 + i, SLICE("b@mx.example")), ERR_NONE);
        (void)ready_sent(client);
        (void)ready_event(client, replies[i]);
    }
}

/* RFC 2033 4.2: an answer for each recipient that was accepted, in their order; cut at every byte. */
static void assert_answers(struct hel_smtp_client *client)
{
    const char *answers = "250 first\r\n452 third\r\n";
    const uint64_t tags[] = {10, 12};
    struct hel_smtp_event event;
    unsigned seen = 0;
    for (size_t i = 0; answers[i] != '\0'; i++) {
        hel_smtp_client_received(client, slice_make(answers + i, 1), 0);
        while (hel_smtp_client_next(client, &event)) {
            assert_true(seen < 2);
            assert_int_equal(event.kind, HEL_SMTP_EVENT_REPLY);
            assert_int_equal(event.stage, HEL_SMTP_BODY);
            assert_int_equal(event.tag, tags[seen++]);
        }
    }
    assert_int_equal(seen, 2);
}

static void one_answer_for_each(void **state)
{
    (void)state;
    struct hel_smtp_client *client = lmtp_client();
    for (unsigned message = 0; message < 2; message++) {
        ask_recipients(client);
        assert_int_equal(hel_smtp_client_data(client, 20), ERR_NONE);
        (void)ready_sent(client);
        assert_int_equal(ready_event(client, "354 go\r\n").reply.code, 354);
        assert_int_equal(hel_smtp_client_body(client, SLICE("text\n")), ERR_NONE);
        assert_int_equal(hel_smtp_client_body_end(client, 21), ERR_NONE);
        assert_sent(client, "text\r\n.\r\n");
        assert_answers(client);
    }
    hel_smtp_client_free(client);
}

static void chunks_are_answered_alike(void **state)
{
    (void)state;
    struct hel_smtp_client *client = lmtp_client();
    ask_recipients(client);
    assert_int_equal(hel_smtp_client_bdat(client, 20, SLICE("text\r\n"), true), ERR_NONE);
    assert_sent(client, "BDAT 6 LAST\r\ntext\r\n");
    assert_answers(client);
    hel_smtp_client_free(client);
}

/* How many answers the last chunk is owed is known once MAIL and RCPT are answered. */
static void the_last_chunk_waits(void **state)
{
    (void)state;
    const struct hel_smtp_mail mail = {.reverse_path = SLICE("a@us.example")};
    struct hel_smtp_client *client = lmtp_client();
    assert_int_equal(hel_smtp_client_mail(client, 1, &mail), ERR_NONE);
    assert_int_equal(hel_smtp_client_rcpt(client, 10, SLICE("b@mx.example")), ERR_NONE);
    assert_int_equal(hel_smtp_client_bdat(client, 20, SLICE("x"), true), ERR_STATE);
    (void)ready_sent(client);
    (void)ready_event(client, "250 ok\r\n");
    assert_int_equal(hel_smtp_client_bdat(client, 20, SLICE("x"), true), ERR_STATE);
    (void)ready_event(client, "250 ok\r\n");
    assert_int_equal(hel_smtp_client_bdat(client, 20, SLICE("x"), true), ERR_NONE);
    assert_sent(client, "BDAT 1 LAST\r\nx");
    assert_int_equal(ready_event(client, "250 taken\r\n").tag, 10);
    hel_smtp_client_free(client);
}

/* A RSET forgets who was accepted: the end is answered once, with its own tag. */
static void nobody_accepted(void **state)
{
    (void)state;
    struct hel_smtp_client *client = lmtp_client();
    ask_recipients(client);
    assert_int_equal(hel_smtp_client_rset(client, 2), ERR_NONE);
    (void)ready_sent(client);
    (void)ready_event(client, "250 ok\r\n");
    assert_int_equal(hel_smtp_client_bdat(client, 20, SLICE(""), true), ERR_NONE);
    (void)ready_sent(client);
    assert_int_equal(ready_event(client, "503 no\r\n").tag, 20);
    hel_smtp_client_free(client);
}

/* LHLO has no older form. */
static void no_fallback(void **state)
{
    (void)state;
    struct hel_smtp_event event;
    struct hel_smtp_client *client = open_client((struct hel_smtp_client_config){.is_lmtp = true});
    hel_smtp_client_received(client, SLICE("220 x\r\n"), 0);
    assert_false(hel_smtp_client_next(client, &event));
    (void)ready_sent(client);
    event = ready_event(client, "500 what\r\n");
    assert_int_equal(event.kind, HEL_SMTP_EVENT_REPLY);
    assert_int_equal(event.stage, HEL_SMTP_EHLO);
    hel_smtp_client_free(client);
}

static void held_hello(void **state)
{
    (void)state;
    struct hel_smtp_client *client =
        open_client((struct hel_smtp_client_config){.holds_hello = true, .prefers_helo = true});
    assert_int_equal(hel_smtp_client_hello(client), ERR_STATE);
    struct hel_smtp_event event = ready_event(client, "220-a\r\n220 b\r\n");
    assert_int_equal(event.kind, HEL_SMTP_EVENT_REPLY);
    assert_int_equal(event.stage, HEL_SMTP_BANNER);
    assert_int_equal(ready_sent(client).len, 0);
    assert_int_equal(hel_smtp_client_hello(client), ERR_NONE);
    assert_int_equal(hel_smtp_client_hello(client), ERR_STATE);
    assert_sent(client, "HELO us.example\r\n");
    assert_int_equal(ready_event(client, "250 hi\r\n").kind, HEL_SMTP_EVENT_HELLO);
    hel_smtp_client_free(client);
    client = open_client((struct hel_smtp_client_config){.holds_hello = true});
    (void)ready_event(client, "220 b\r\n");
    assert_int_equal(hel_smtp_client_quit(client, 1), ERR_NONE); /* one may leave instead */
    assert_sent(client, "QUIT\r\n");
    hel_smtp_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_answer_for_each),  cmocka_unit_test(chunks_are_answered_alike),
        cmocka_unit_test(the_last_chunk_waits), cmocka_unit_test(nobody_accepted),
        cmocka_unit_test(no_fallback),          cmocka_unit_test(held_hello),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
