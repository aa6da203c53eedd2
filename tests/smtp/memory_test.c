/* Each allocation of a whole conversation, of the parser and of hel_reply_parse fails once. Nothing leaks;
 * the caller hears ERR_NOMEM or HEL_SMTP_FAILURE_NOMEM and nothing else; a command that was refused so
 * can be given again, and then the peer hears the same bytes as ever. Linked with --wrap.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"
#include "fail_alloc.h"

enum { SAID_BYTES_MAX = 16384, ALLOCATIONS_MAX = 1000 };

/* True: the allocation that should fail was reached. */
static bool heap_end(void)
{
    assert_int_equal(fail_alloc_end(), 0);
    assert_true(fail_alloc_count() < ALLOCATIONS_MAX);
    return fail_alloc_happened();
}

struct scene {
    struct hel_smtp_client *client;
    bool heard_nomem, is_over;
    size_t said_len;
    char said[SAID_BYTES_MAX];
};

typedef enum err (*step_fn)(struct scene *s, struct slice text);

static enum err step_peer(struct scene *s, struct slice text)
{
    hel_smtp_client_received(s->client, text, 0);
    return ERR_NONE;
}

static enum err step_mail(struct scene *s, struct slice text)
{
    const struct hel_smtp_mail mail = {.reverse_path = text, .size = 1234567};
    return hel_smtp_client_mail(s->client, 1, &mail);
}

static enum err step_rcpt(struct scene *s, struct slice text)
{
    return hel_smtp_client_rcpt(s->client, 2, text);
}

static enum err step_data(struct scene *s, struct slice text)
{
    (void)text;
    return hel_smtp_client_data(s->client, 3);
}

static enum err step_body(struct scene *s, struct slice text)
{
    return hel_smtp_client_body(s->client, text);
}

static enum err step_end(struct scene *s, struct slice text)
{
    (void)text;
    return hel_smtp_client_body_end(s->client, 4);
}

static enum err step_bdat(struct scene *s, struct slice text)
{
    return hel_smtp_client_bdat(s->client, 5, text, true);
}

static enum err step_starttls(struct scene *s, struct slice text)
{
    (void)text;
    return hel_smtp_client_starttls(s->client, 6);
}

static enum err step_tls(struct scene *s, struct slice text)
{
    (void)text;
    hel_smtp_client_tls_ready(s->client, 0);
    return ERR_NONE;
}

static enum err step_quit(struct scene *s, struct slice text)
{
    (void)text;
    return hel_smtp_client_quit(s->client, 7);
}

#define LONG_TEXT "0123456789012345678901234567890123456789012345678901234567890123456789"
#define TEN(x)    x x x x x x x x x x

struct step {
    step_fn step; /* NULL: the end */
    unsigned times;
    struct slice text;
};

static const struct step old_server[] = {
    {step_peer, 1, SLICE_LITERAL("220-mx.example " TEN(LONG_TEXT) "\r\n220 " LONG_TEXT "\r\n")},
    {step_peer, 1, SLICE_LITERAL("502 no\r\n")},
    {step_peer, 1, SLICE_LITERAL("250 old\r\n")},
    {step_mail, 1, SLICE_LITERAL("a@b.example")},
    {step_peer, 1, SLICE_LITERAL("250 ok\r\n")},
    {step_quit, 1, SLICE_LITERAL("")},
    {step_peer, 1, SLICE_LITERAL("221 bye\r\n")},
    {NULL, 0, SLICE_LITERAL("")},
};

static const struct step new_server[] = {
    {step_peer, 1, SLICE_LITERAL("220 mx.example\r\n")},
    {step_peer, 1, SLICE_LITERAL("250-mx\r\n250-" LONG_TEXT "\r\n250 STARTTLS\r\n")},
    {step_starttls, 1, SLICE_LITERAL("")},
    {step_peer, 1, SLICE_LITERAL("220 go\r\n250 injected\r\n")},
    {step_tls, 1, SLICE_LITERAL("")},
    {step_peer, 1, SLICE_LITERAL("250-mx\r\n250-SIZE\r\n250-PIPELINING\r\n250 CHUNKING\r\n")},
    {step_mail, 1, SLICE_LITERAL("a@b.example")},
    {step_rcpt, 30, SLICE_LITERAL("c@" LONG_TEXT ".example")},
    {step_data, 1, SLICE_LITERAL("")},
    {step_peer, 31, SLICE_LITERAL("250 2.1.5 ok\r\n")},
    {step_peer, 1, SLICE_LITERAL("354 go\r\n")},
    {step_body, 9, SLICE_LITERAL(".\n" TEN(LONG_TEXT))},
    {step_end, 1, SLICE_LITERAL("")},
    {step_peer, 1, SLICE_LITERAL("250 ok\r\n")},
    {step_bdat, 1, SLICE_LITERAL(TEN(LONG_TEXT))},
    {step_peer, 1, SLICE_LITERAL("250 ok\r\n")},
    {step_quit, 1, SLICE_LITERAL("")},
    {step_peer, 1, SLICE_LITERAL("221 bye\r\n")},
    {NULL, 0, SLICE_LITERAL("")},
};

static void pull(struct scene *s)
{
    struct hel_smtp_event event;
    while (hel_smtp_client_next(s->client, &event)) {
        if (event.kind == HEL_SMTP_EVENT_FAILED) {
            must(event.failure == HEL_SMTP_FAILURE_NOMEM);
            s->heard_nomem = true;
            s->is_over = true;
        }
    }
    struct slice unsent = hel_smtp_client_unsent(s->client);
    must(unsent.len <= sizeof s->said - s->said_len);
    memcpy(s->said + s->said_len, unsent.at, unsent.len);
    s->said_len += unsent.len;
    hel_smtp_client_sent(s->client, unsent.len, 0);
}

static void take_step(struct scene *s, const struct step *step)
{
    enum err e = step->step(s, step->text);
    if (e == ERR_NOMEM) {
        s->heard_nomem = true;
        e = step->step(s, step->text);
    }
    must(e == ERR_NONE);
    /* Commands are collected: they fill the buffers. */
    if (step->step == step_peer || step->step == step_tls) {
        pull(s);
    }
}

static void play(struct scene *s, const struct step *script)
{
    const struct hel_smtp_client_config config = {.helo_name = SLICE("us.example")};
    enum err e = hel_smtp_client_new(&config, 0, &s->client);
    if (e != ERR_NONE) {
        must(e == ERR_NOMEM && s->client == NULL);
        s->heard_nomem = true;
        return;
    }
    for (const struct step *step = script; step->step != NULL; step++) {
        for (unsigned i = 0; i < step->times && !s->is_over; i++) {
            take_step(s, step);
        }
        pull(s);
    }
    hel_smtp_client_free(s->client);
}

static void every_allocation_fails_once(const struct step *script)
{
    static struct scene whole, broken;
    whole = (struct scene){.client = NULL};
    fail_alloc_at(0);
    play(&whole, script);
    (void)heap_end();
    assert_false(whole.heard_nomem);
    size_t total = fail_alloc_count();
    assert_true(total > 2); /* the client has room of its own for what is short */
    for (size_t n = 1; n <= total; n++) {
        broken = (struct scene){.client = NULL};
        fail_alloc_at(n);
        play(&broken, script);
        assert_true(heap_end());
        assert_true(broken.heard_nomem);
        bool is_same = broken.said_len == whole.said_len || broken.is_over;
        if (broken.client != NULL &&
            (!is_same || memcmp(broken.said, whole.said, broken.said_len) != 0)) {
            fail_msg("allocation %zu of %zu: the peer hears something else", n, total);
        }
    }
}

static void conversation_with_an_old_server(void **state)
{
    (void)state;
    every_allocation_fails_once(old_server);
}

static void conversation_with_a_new_server(void **state)
{
    (void)state;
    every_allocation_fails_once(new_server);
}

static void whole_reply(void **state)
{
    (void)state;
    static char scratch[1024];
    struct slice text = SLICE("550-" TEN(LONG_TEXT) "\r\n550 5.1.1 b\r\n");
    for (unsigned n = 1; n < ALLOCATIONS_MAX; n++) {
        struct hel_reply reply;
        fail_alloc_at(n);
        enum err e = hel_reply_parse(text, scratch, sizeof scratch, &reply);
        bool has_failed = heap_end();
        assert_int_equal(e, has_failed ? ERR_NOMEM : ERR_NONE);
        if (!has_failed) {
            assert_true(n > 2);
            assert_int_equal(reply.code, 550);
            return;
        }
    }
}

/* A parser that ran out of memory must be reset, and works again. */
static void parser(void **state)
{
    (void)state;
    struct slice text = SLICE("250-" TEN(LONG_TEXT) "\r\n250 b\r\n");
    bool has_failed = true;
    for (unsigned n = 1; has_failed; n++) {
        struct hel_reply_parser *p = NULL;
        size_t used;
        struct hel_reply reply;
        fail_alloc_at(n);
        enum err e = hel_reply_parser_new(1000, &p);
        if (e == ERR_NONE) {
            enum hel_reply_status status = hel_reply_parser_feed(p, text, &used, &reply);
            must(status == (fail_alloc_happened() ? HEL_REPLY_BROKEN : HEL_REPLY_DONE));
            hel_reply_parser_reset(p);
            must(hel_reply_parser_feed(p, text, &used, &reply) == HEL_REPLY_DONE);
            must(reply.line_count == 2 && !reply.is_cut);
        }
        hel_reply_parser_free(p);
        has_failed = heap_end();
        assert_int_equal(e, n == 1 ? ERR_NOMEM : ERR_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversation_with_an_old_server),
        cmocka_unit_test(conversation_with_a_new_server),
        cmocka_unit_test(whole_reply),
        cmocka_unit_test(parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
