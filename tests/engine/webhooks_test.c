/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../net/web.h"
#include "../store/scratch.h"
#include "base/slice.h"
#include "json_check.h"

enum { REFUSED_MS = 1500, URL_BYTES = 256, VALUE_BYTES = 512, TEXT_BYTES = 1024 };

/* A store, webhooks over it, and a receiver that answers as it is told. */
struct stage {
    struct rig *rig;
    struct store *store;
    struct webhooks *webhooks;
    struct ip_net net;
    struct webhooks_config config;
    struct web web;
    const char *reply; /* NULL: none comes */
    char url[URL_BYTES];
};

#define REPLY_OK "HTTP/1.1 204 No Content\r\n\r\n"

static struct slice answer(void *context, const struct web_request *request)
{
    const struct stage *stage = context;
    (void)request;
    return stage->reply == NULL ? (struct slice){NULL, 0} : slice_of(stage->reply);
}

static void open_webhooks(struct stage *stage)
{
    struct fault fault = {0};
    if (webhooks_open(stage->rig->door, stage->store, &stage->config, &stage->webhooks, &fault) !=
        ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

static int stage_open(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    void *rig;
    assert_int_equal(rig_open(&rig), 0);
    stage->rig = rig;
    stage->reply = REPLY_OK;
    stage->store = scratch_open(":memory:");
    assert_true(ip_net_parse(SLICE("127.0.0.1"), &stage->net));
    webhooks_config_init(&stage->config);
    stage->config.http.allowed_nets = &stage->net;
    stage->config.http.allowed_net_count = 1;
    web_open(&stage->web, stage->rig, "127.0.0.1", answer, stage);
    (void)web_url(&stage->web, "127.0.0.1", "/hook", stage->url);
    open_webhooks(stage);
    *state = stage;
    return 0;
}

static int stage_close(void **state)
{
    struct stage *stage = *state;
    webhooks_close(stage->webhooks);
    web_close(&stage->web);
    store_close(stage->store);
    void *rig = stage->rig;
    free(stage);
    return rig_close(&rig);
}

static enum err put(struct stage *stage, const char *url, const char *once, struct fault *out_fault)
{
    const struct webhook_event event = {.kind = WEBHOOK_BATCH_DONE,
                                        .owner = SLICE("key1"),
                                        .url = slice_of(url),
                                        .batch = SLICE("b1"),
                                        .once = slice_of(once),
                                        .data = SLICE("{\"id\":\"b1\",\"rows\":3}")};
    return webhooks_put(stage->webhooks, &event, out_fault);
}

/* The newest event. */
struct seen {
    enum store_webhook_state state;
    unsigned tries, last_status;
    int64_t number, created_at_ms, changed_at_ms, next_at_ms;
    char id[64], error[256], log[TEXT_BYTES];
    size_t count;
};

static void see(void *context, const struct store_webhook *event)
{
    struct seen *seen = context;
    struct json_writer w;
    struct buf log;
    buf_init(&log, TEXT_BYTES - 1);
    json_begin(&w, &log);
    webhook_log_write(&w, event);
    assert_int_equal(w.err, ERR_NONE);
    assert_true(json_check_is_valid(buf_view(&log)));
    assert_int_equal(slice_find_nocase(buf_view(&log), SLICE("whsec")), log.len);
    if (seen->count++ == 0) {
        seen->state = event->state;
        seen->tries = event->tries;
        seen->last_status = event->last_status;
        seen->number = event->number;
        seen->created_at_ms = event->created_at_ms;
        seen->changed_at_ms = event->changed_at_ms;
        seen->next_at_ms = event->next_at_ms;
        (void)snprintf(seen->id, sizeof seen->id, "%.*s", SLICE_ARG(event->id));
        (void)snprintf(seen->error, sizeof seen->error, "%.*s", SLICE_ARG(event->last_error));
        (void)snprintf(seen->log, sizeof seen->log, "%.*s", SLICE_ARG(buf_view(&log)));
    }
    buf_done(&log);
}

static struct seen newest(struct stage *stage)
{
    struct seen seen = {0};
    const struct store_webhook_page page = {.limit = 100};
    assert_int_equal(store_webhook_each(stage->store, &page, see, &seen), ERR_NONE);
    return seen;
}

static void wait_for_tries(struct stage *stage, uint64_t tries)
{
    while (webhooks_count(stage->webhooks).tries < tries) {
        rig_rest(stage->rig, 1);
    }
}

static void an_event_is_delivered_signed(void **state)
{
    struct stage *stage = *state;
    char value[VALUE_BYTES], signature[WEBHOOK_SIGNATURE_BYTES];
    struct buf secret;
    struct digester *digester;
    buf_init(&secret, VALUE_BYTES);
    assert_int_equal(put(stage, stage->url, "", NULL), ERR_NONE);
    wait_for_tries(stage, 1);
    struct seen seen = newest(stage);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.state, STORE_WEBHOOK_DELIVERED);
    assert_int_equal(seen.last_status, 204);
    const struct web_request *request = web_request(&stage->web, 0);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->path, "/hook");
    assert_string_equal(web_header(request, "Webhook-Id", value), seen.id);
    assert_string_equal(web_header(request, "Content-Type", value), "application/json");
    assert_true(json_check_is_valid(slice_of(request->body)));
    assert_non_null(strstr(request->body, "{\"type\":\"batch.done\",\"timestamp\":\"2"));
    assert_non_null(strstr(request->body, "\"data\":{\"id\":\"b1\",\"rows\":3}}"));

    const struct webhook_message message = {
        .id = slice_of(seen.id),
        .timestamp_s = strtoll(web_header(request, "Webhook-Timestamp", value), NULL, 10),
        .body = slice_of(request->body)};
    assert_in_range(message.timestamp_s, seen.created_at_ms / 1000, seen.changed_at_ms / 1000);
    assert_int_equal(webhooks_secret(stage->webhooks, SLICE("key1"), slice_of(stage->url),
                                     SLICE_NONE, &secret, NULL),
                     ERR_NONE);
    assert_int_equal(digester_new(&digester, NULL), ERR_NONE);
    assert_int_equal(webhook_sign(digester, buf_view(&secret), &message, signature), ERR_NONE);
    assert_string_equal(web_header(request, "Webhook-Signature", value), signature);
    assert_non_null(strstr(seen.log, "\"state\":\"delivered\",\"tries\":1"));
    digester_free(digester);
    buf_done(&secret);
}

/* The time of the next try is set back, and the webhooks are opened anew, as by a process that comes later. */
static void try_again_now(struct stage *stage)
{
    struct seen seen = newest(stage);
    const struct store_webhook earlier = {.tries = seen.tries, .changed_at_ms = 1, .next_at_ms = 1};
    webhooks_close(stage->webhooks);
    assert_int_equal(store_webhook_tried(stage->store, seen.number, &earlier), ERR_NONE);
    open_webhooks(stage);
}

static void what_fails_comes_again_with_its_id(void **state)
{
    struct stage *stage = *state;
    char value[VALUE_BYTES];
    stage->reply = "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(put(stage, stage->url, "", NULL), ERR_NONE);
    wait_for_tries(stage, 1);
    struct seen first = newest(stage);
    assert_int_equal(first.state, STORE_WEBHOOK_WAITING);
    assert_int_equal(first.tries, 1);
    assert_int_equal(first.last_status, 500);
    assert_in_range(first.next_at_ms - first.changed_at_ms, 9000, 11000);
    assert_string_equal(first.error, "the receiver answered 500");
    stage->reply = REPLY_OK;
    try_again_now(stage);
    wait_for_tries(stage, 1);
    struct seen second = newest(stage);
    assert_int_equal(second.state, STORE_WEBHOOK_DELIVERED);
    assert_int_equal(second.tries, 2);
    assert_int_equal(stage->web.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct web_request *request = web_request(&stage->web, i);
        assert_string_equal(web_header(request, "Webhook-Id", value), first.id);
    }
}

static void the_last_try_is_the_end(void **state)
{
    struct stage *stage = *state;
    stage->reply = "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(put(stage, stage->url, "", NULL), ERR_NONE);
    for (unsigned tries = 1; tries < 12; tries++) {
        wait_for_tries(stage, 1);
        struct seen seen = newest(stage);
        assert_int_equal(seen.state, STORE_WEBHOOK_WAITING);
        assert_int_equal(seen.tries, tries);
        assert_true(seen.next_at_ms - seen.changed_at_ms >= 3600 * 1000);
        try_again_now(stage);
    }
    wait_for_tries(stage, 1);
    assert_int_equal(newest(stage).state, STORE_WEBHOOK_FAILED);
    assert_int_equal(webhooks_count(stage->webhooks).failed, 1);

    stage->reply = REPLY_OK; /* and somebody sends it once more */
    assert_int_equal(webhooks_replay(stage->webhooks, slice_of(newest(stage).id), NULL), ERR_NONE);
    wait_for_tries(stage, 2);
    assert_int_equal(newest(stage).state, STORE_WEBHOOK_DELIVERED);
    assert_int_equal(newest(stage).tries, 1);
    struct fault fault;
    assert_int_equal(webhooks_replay(stage->webhooks, SLICE("evt_x"), &fault), ERR_CLOSED);
}

static void one_that_is_gone_is_not_asked_again(void **state)
{
    struct stage *stage = *state;
    stage->reply = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(put(stage, stage->url, "", NULL), ERR_NONE);
    wait_for_tries(stage, 1);
    assert_int_equal(newest(stage).state, STORE_WEBHOOK_FAILED);
    assert_int_equal(newest(stage).tries, 1);
}

static void what_happened_once_is_told_once(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(put(stage, stage->url, "b1 done", NULL), ERR_NONE);
    assert_int_equal(put(stage, stage->url, "b1 done", NULL), ERR_NONE);
    wait_for_tries(stage, 1);
    assert_int_equal(put(stage, stage->url, "b1 done", NULL), ERR_NONE);
    rig_rest(stage->rig, 20);
    assert_int_equal(newest(stage).count, 1);
    assert_int_equal(stage->web.count, 1);
}

static void urls_and_secrets_are_judged(void **state)
{
    struct stage *stage = *state;
    struct fault fault = {0};
    struct buf secret;
    buf_init(&secret, VALUE_BYTES);
    assert_int_equal(webhooks_check_url(stage->webhooks, SLICE("http://10.0.0.1/"), &fault),
                     ERR_SYNTAX);
    assert_non_null(strstr(fault.text, "not a public one"));
    assert_int_equal(webhooks_check_url(stage->webhooks, SLICE("ftp://example.com/"), &fault),
                     ERR_SYNTAX);
    const struct slice url = slice_of(stage->url);
    assert_int_equal(
        webhooks_secret(stage->webhooks, SLICE("key2"), url, SLICE("simple"), &secret, &fault),
        ERR_SYNTAX);
    assert_non_null(strstr(fault.text, "whsec_"));
    assert_int_equal(webhooks_secret(stage->webhooks, SLICE("key2"), url,
                                     SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &secret,
                                     &fault),
                     ERR_NONE);
    assert_memory_equal(secret.at, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", secret.len);
    assert_int_equal(newest(stage).count, 0);
    buf_done(&secret);
}

/* A store that refuses costs neither an event nor a second delivery. */
static void what_came_of_it_is_kept_when_the_store_can(void **state)
{
    static const struct scratch_refusal refusals[] = {
        {"", "BEFORE UPDATE ON webhook", "ABORT"},
        {"", "BEFORE UPDATE ON webhook", "ROLLBACK"},
        {"", NULL, NULL},
    };
    struct stage *stage = *state;
    void *folder;
    char path[SCRATCH_PATH_BYTES];
    assert_int_equal(scratch_make(&folder), 0);
    scratch_path(&folder, "x.db", path);
    webhooks_close(stage->webhooks);
    store_close(stage->store);
    stage->store = scratch_open(path);
    open_webhooks(stage);
    for (unsigned i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        assert_int_equal(put(stage, stage->url, "", NULL), ERR_NONE);
        assert_int_equal(store_flush(stage->store, NULL), ERR_NONE);
        scratch_refuse(path, &refusals[i]);
        RIG_UNTIL(stage->rig, stage->web.count == i + 1);
        rig_rest(stage->rig, REFUSED_MS);
        assert_int_equal(stage->web.count, i + 1);
        assert_int_equal(newest(stage).state, STORE_WEBHOOK_WAITING);
        scratch_relieve(path, &refusals[i]);
        wait_for_tries(stage, i + 1);
        struct seen seen = newest(stage);
        assert_int_equal(seen.state, STORE_WEBHOOK_DELIVERED);
        assert_int_equal(seen.tries, 1);
        assert_int_equal(stage->web.count, i + 1);
    }
    assert_int_equal(scratch_remove(&folder), 0);
}

/* Who put it has done what it speaks of: the log says why nobody hears of it. */
static void one_that_may_not_be_told_is_in_the_log(void **state)
{
    static const char *const urls[] = {"http://10.0.0.1/", "ftp://example.com/", "hook"};
    struct stage *stage = *state;
    for (unsigned i = 0; i < sizeof urls / sizeof *urls; i++) {
        assert_int_equal(put(stage, urls[i], "", NULL), ERR_NONE);
        wait_for_tries(stage, i + 1);
        struct seen seen = newest(stage);
        assert_int_equal(seen.state, STORE_WEBHOOK_WAITING);
        assert_int_equal(seen.tries, 1);
        assert_non_null(strstr(seen.error, "forbidden: "));
    }
    assert_int_equal(stage->web.count, 0);
}

/* The address is checked when it is connected to; a name says nothing. */
static void a_name_for_an_inner_address_is_not_told(void **state)
{
    struct stage *stage = *state;
    char url[URL_BYTES];
    webhooks_close(stage->webhooks);
    stage->config.http.allowed_net_count = 0;
    open_webhooks(stage);
    assert_int_equal(put(stage, web_url(&stage->web, "inside.localhost", "/", url), "", NULL),
                     ERR_NONE);
    wait_for_tries(stage, 1);
    struct seen seen = newest(stage);
    assert_int_equal(seen.state, STORE_WEBHOOK_WAITING);
    assert_non_null(strstr(seen.error, "forbidden: "));
    assert_int_equal(stage->web.link_count, 0);
}

static void few_are_under_way_at_once(void **state)
{
    struct stage *stage = *state;
    struct web other;
    char url[URL_BYTES];
    stage->reply = NULL;
    web_open(&other, stage->rig, "127.0.0.1", answer, stage);
    (void)web_url(&other, "127.0.0.1", "/", url);
    webhooks_close(stage->webhooks);
    stage->config.at_once_max = 5;
    stage->config.per_host_max = 3;
    open_webhooks(stage);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(put(stage, stage->url, "", NULL), ERR_NONE);
    }
    assert_int_equal(put(stage, url, "", NULL), ERR_NONE);
    RIG_UNTIL(stage->rig,
              stage->web.count == 3 && other.count == 1); /* the long queue leaves room */
    rig_rest(stage->rig, 20);
    assert_int_equal(stage->web.count, 3);
    assert_int_equal(webhooks_count(stage->webhooks).under_way, 4);

    stage->reply = REPLY_OK; /* who comes later sends all of them */
    webhooks_close(stage->webhooks);
    open_webhooks(stage);
    wait_for_tries(stage, 21);
    assert_int_equal(webhooks_count(stage->webhooks).delivered, 21);
    assert_int_equal(webhooks_count(stage->webhooks).under_way, 0);
    assert_int_equal(stage->web.count, 23);
    assert_int_equal(other.count, 2);
    web_close(&other);
}

static void the_log_forgets(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(put(stage, stage->url, "", NULL), ERR_NONE);
    wait_for_tries(stage, 1);
    webhooks_close(stage->webhooks);
    stage->config.keep_ms = -1000; /* what ended a second from now is old */
    open_webhooks(stage);
    rig_rest(stage->rig, 5);
    assert_int_equal(newest(stage).count, 0);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(an_event_is_delivered_signed),
        ON_STAGE(what_fails_comes_again_with_its_id),
        ON_STAGE(the_last_try_is_the_end),
        ON_STAGE(one_that_is_gone_is_not_asked_again),
        ON_STAGE(what_happened_once_is_told_once),
        ON_STAGE(urls_and_secrets_are_judged),
        ON_STAGE(what_came_of_it_is_kept_when_the_store_can),
        ON_STAGE(one_that_may_not_be_told_is_in_the_log),
        ON_STAGE(a_name_for_an_inner_address_is_not_told),
        ON_STAGE(few_are_under_way_at_once),
        ON_STAGE(the_log_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
