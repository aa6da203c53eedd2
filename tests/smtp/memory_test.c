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

enum { SAID_BYTES_MAX = 16384, ALLOCATIONS_MAX = 1000 };

static struct {
    bool is_on;
    unsigned count, failing; /* from 1; 0: none */
    int live;
} heap;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

static bool fails_now(void)
{
    return heap.is_on && ++heap.count == heap.failing;
}

static void *counted(void *got)
{
    heap.live += heap.is_on && got != NULL ? 1 : 0;
    return got;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails_now()) {
        return NULL;
    }
    return old == NULL ? counted(__real_realloc(old, size)) : __real_realloc(old, size);
}

void __wrap_free(void *old)
{
    heap.live -= heap.is_on && old != NULL ? 1 : 0;
    __real_free(old);
}

static void heap_begin(unsigned failing)
{
    heap.count = 0;
    heap.live = 0;
    heap.failing = failing;
    heap.is_on = true;
}

/* True: the allocation that should fail was reached. */
static bool heap_end(void)
{
    heap.is_on = false;
    assert_int_equal(heap.live, 0);
    assert_true(heap.count < ALLOCATIONS_MAX);
    return heap.failing != 0 && heap.count >= heap.failing;
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
    {step_peer, 1, SLICE_LITERAL("220-mx.example " LONG_TEXT "\r\n220 " LONG_TEXT "\r\n")},
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
    heap_begin(0);
    play(&whole, script);
    (void)heap_end();
    assert_false(whole.heard_nomem);
    unsigned total = heap.count;
    assert_true(total > 5);
    for (unsigned n = 1; n <= total; n++) {
        broken = (struct scene){.client = NULL};
        heap_begin(n);
        play(&broken, script);
        assert_true(heap_end());
        assert_true(broken.heard_nomem);
        bool is_same = broken.said_len == whole.said_len || broken.is_over;
        if (broken.client != NULL &&
            (!is_same || memcmp(broken.said, whole.said, broken.said_len) != 0)) {
            fail_msg("allocation %u of %u: the peer hears something else", n, total);
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
        heap_begin(n);
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
        heap_begin(n);
        enum err e = hel_reply_parser_new(1000, &p);
        if (e == ERR_NONE) {
            enum hel_reply_status status = hel_reply_parser_feed(p, text, &used, &reply);
            must(status == (heap.count >= n ? HEL_REPLY_BROKEN : HEL_REPLY_DONE));
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
