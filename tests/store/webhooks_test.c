/* SPDX-License-Identifier: Apache-2.0 */
#include "store/webhooks.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

enum { LISTED_MAX = 16, TEXT_BYTES = 64 };

static const struct store_webhook_endpoint endpoint_a = {
    .owner = SLICE_LITERAL("key1"),
    .url = SLICE_LITERAL("https://a.example/hook"),
    .origin = SLICE_LITERAL("a.example:443"),
    .secret = SLICE_LITERAL("whsec_a"),
};

static int64_t open_endpoint(struct store *store, const char *url)
{
    int64_t id = 0;
    struct store_webhook_endpoint endpoint = endpoint_a;
    endpoint.url = slice_of(url);
    assert_int_equal(store_webhook_endpoint_open(store, &endpoint, 1, &id), ERR_NONE);
    return id;
}

static bool put(struct store *store, int64_t endpoint, const char *id, const char *once,
                int64_t next_at_ms)
{
    bool is_new = false;
    const struct store_webhook event = {.id = slice_of(id),
                                        .kind = SLICE("batch.done"),
                                        .batch = SLICE("b1"),
                                        .about = slice_of(once),
                                        .once = slice_of(once),
                                        .body = SLICE("{\"a\":1}"),
                                        .endpoint = {.id = endpoint},
                                        .created_at_ms = 5,
                                        .next_at_ms = next_at_ms};
    assert_int_equal(store_webhook_put(store, &event, &is_new), ERR_NONE);
    return is_new;
}

struct listed {
    size_t count;
    char ids[LISTED_MAX][TEXT_BYTES];
    struct store_webhook last; /* its texts are gone, but for these */
    char error[TEXT_BYTES], secret[TEXT_BYTES], body[TEXT_BYTES];
};

static void see(void *context, const struct store_webhook *event)
{
    struct listed *listed = context;
    (void)snprintf(listed->ids[listed->count++], TEXT_BYTES, "%.*s", SLICE_ARG(event->id));
    listed->last = *event;
    (void)snprintf(listed->error, TEXT_BYTES, "%.*s", SLICE_ARG(event->last_error));
    (void)snprintf(listed->secret, TEXT_BYTES, "%.*s", SLICE_ARG(event->endpoint.secret));
    (void)snprintf(listed->body, TEXT_BYTES, "%.*s", SLICE_ARG(event->body));
}

static void an_endpoint_is_one_for_its_owner_and_url(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct store_webhook_endpoint other = endpoint_a;
    int64_t first, second, third;
    struct buf secret;
    buf_init(&secret, TEXT_BYTES);
    other.secret = SLICE("whsec_b");
    assert_int_equal(store_webhook_endpoint_open(store, &endpoint_a, 1, &first), ERR_NONE);
    assert_int_equal(store_webhook_endpoint_open(store, &other, 2, &second), ERR_NONE);
    assert_int_equal(first, second);
    assert_int_equal(store_webhook_endpoint_secret(store, first, &secret), ERR_NONE);
    assert_memory_equal(secret.at, "whsec_a", 7);
    assert_int_equal(store_webhook_endpoint_set_secret(store, first, SLICE("whsec_c")), ERR_NONE);
    buf_clear(&secret);
    assert_int_equal(store_webhook_endpoint_secret(store, first, &secret), ERR_NONE);
    assert_memory_equal(secret.at, "whsec_c", 7);
    other.owner = SLICE("key2");
    assert_int_equal(store_webhook_endpoint_open(store, &other, 3, &third), ERR_NONE);
    assert_int_not_equal(first, third);
    assert_int_equal(store_webhook_endpoint_secret(store, 99, &secret), ERR_CLOSED);
    assert_int_equal(store_webhook_endpoint_set_secret(store, 99, SLICE("x")), ERR_CLOSED);
    buf_done(&secret);
    store_close(store);
}

static void what_is_due_is_found_by_endpoint_and_time(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    int64_t numbers[STORE_WEBHOOK_DUE_MAX];
    int64_t a = open_endpoint(store, "https://a.example/");
    int64_t b = open_endpoint(store, "https://b.example/");
    assert_int_equal(store_webhook_endpoint_after(store, 0), 0);
    assert_int_equal(store_webhook_next_at(store, 0), INT64_MAX);
    assert_true(put(store, b, "1", "", 30));
    assert_true(put(store, b, "2", "", 10));
    assert_true(put(store, b, "3", "", 10));
    assert_true(put(store, a, "4", "", 50));
    assert_int_equal(store_webhook_endpoint_after(store, 0), a);
    assert_int_equal(store_webhook_endpoint_after(store, a), b);
    assert_int_equal(store_webhook_endpoint_after(store, b), 0);
    assert_int_equal(store_webhook_next_at(store, 0), 10);
    assert_int_equal(store_webhook_next_at(store, 10), 30);
    assert_int_equal(store_webhook_due(store, a, 49, 9, numbers), 0);
    assert_int_equal(store_webhook_due(store, b, 9, 9, numbers), 0);
    assert_int_equal(store_webhook_due(store, b, 30, 9, numbers), 3);
    assert_int_equal(numbers[0], 2);
    assert_int_equal(numbers[1], 3);
    assert_int_equal(numbers[2], 1);
    assert_int_equal(store_webhook_due(store, b, 30, 2, numbers), 2);
    store_close(store);
}

static void a_thing_that_happened_once_has_one_event(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct listed listed = {0};
    int64_t a = open_endpoint(store, "https://a.example/");
    int64_t b = open_endpoint(store, "https://b.example/");
    assert_true(put(store, a, "1", "done", 10));
    assert_false(put(store, a, "2", "done", 10));
    assert_true(put(store, b, "3", "done", 10));
    assert_true(put(store, a, "4", "", 10));
    assert_true(put(store, a, "5", "", 10));
    const struct store_webhook_page page = {.limit = LISTED_MAX};
    assert_int_equal(store_webhook_each(store, &page, see, &listed), ERR_NONE);
    assert_int_equal(listed.count, 4);
    store_close(store);
}

static void tries_are_kept_and_replayed(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct listed listed = {0};
    int64_t a = open_endpoint(store, "https://a.example/");
    assert_true(put(store, a, "evt_1", "", 10));
    const struct store_webhook failed = {.state = STORE_WEBHOOK_FAILED,
                                         .tries = 11,
                                         .next_at_ms = 70,
                                         .changed_at_ms = 60,
                                         .last_status = 503,
                                         .last_error = SLICE("busy")};
    assert_int_equal(store_webhook_tried(store, 1, &failed), ERR_NONE);
    assert_int_equal(store_webhook_endpoint_after(store, 0), 0);
    assert_int_equal(store_webhook_find(store, SLICE("evt_1"), see, &listed), ERR_NONE);
    assert_int_equal(listed.last.state, STORE_WEBHOOK_FAILED);
    assert_int_equal(listed.last.tries, 11);
    assert_int_equal(listed.last.last_status, 503);
    assert_int_equal(listed.last.created_at_ms, 5);
    assert_int_equal(listed.last.changed_at_ms, 60);
    assert_string_equal(listed.error, "busy");
    assert_string_equal(listed.secret, "whsec_a");
    assert_string_equal(listed.body, "{\"a\":1}");
    assert_int_equal(store_webhook_replay(store, SLICE("evt_1"), 80), ERR_NONE);
    assert_int_equal(store_webhook_read(store, 1, see, &listed), ERR_NONE);
    assert_int_equal(listed.last.state, STORE_WEBHOOK_WAITING);
    assert_int_equal(listed.last.tries, 0);
    assert_int_equal(listed.last.next_at_ms, 80);
    assert_string_equal(listed.ids[1], "evt_1");
    assert_int_equal(store_webhook_replay(store, SLICE("evt_2"), 80), ERR_CLOSED);
    assert_int_equal(store_webhook_read(store, 2, see, &listed), ERR_CLOSED);
    assert_int_equal(store_webhook_find(store, SLICE("evt_2"), see, &listed), ERR_CLOSED);
    store_close(store);
}

static void the_log_has_pages(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    int64_t a = open_endpoint(store, "https://a.example/");
    for (int i = 1; i <= 5; i++) {
        char id[TEXT_BYTES];
        (void)snprintf(id, sizeof id, "%d", i);
        assert_true(put(store, a, id, "", 10));
    }
    const struct store_webhook delivered = {.state = STORE_WEBHOOK_DELIVERED, .changed_at_ms = 9};
    assert_int_equal(store_webhook_tried(store, 4, &delivered), ERR_NONE);
    const struct slice key1 = SLICE("key1");
    const struct slice key2 = SLICE("key2");
    const struct slice b1 = SLICE("b1");
    const enum store_webhook_state waiting = STORE_WEBHOOK_WAITING;
    const struct {
        struct store_webhook_page page;
        const char *ids;
    } rows[] = {
        {{.limit = 2}, "54"},
        {{.limit = 2, .before = 4}, "32"},
        {{.limit = 9, .before = 2}, "1"},
        {{.limit = 9, .owner = &key1, .batch = &b1}, "54321"},
        {{.limit = 9, .owner = &key2}, ""},
        {{.limit = 9, .batch = &key2}, ""},
        {{.limit = 9, .state = &waiting}, "5321"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct listed listed = {0};
        char ids[LISTED_MAX + 1] = "";
        assert_int_equal(store_webhook_each(store, &rows[i].page, see, &listed), ERR_NONE);
        for (size_t at = 0; at < listed.count; at++) {
            ids[at] = listed.ids[at][0];
        }
        assert_string_equal(ids, rows[i].ids);
    }
    store_close(store);
}

static void what_is_old_or_erased_leaves(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    size_t count = 0;
    struct listed listed = {0};
    int64_t a = open_endpoint(store, "https://a.example/");
    assert_true(put(store, a, "1", "x@y", 10));
    assert_true(put(store, a, "2", "", 10));
    assert_true(put(store, a, "3", "", 10));
    const struct store_webhook delivered = {.state = STORE_WEBHOOK_DELIVERED, .changed_at_ms = 100};
    assert_int_equal(store_webhook_tried(store, 2, &delivered), ERR_NONE);
    assert_int_equal(store_webhook_prune(store, 100, 9, &count), ERR_NONE);
    assert_int_equal(count, 0);
    assert_int_equal(store_webhook_prune(store, 101, 9, &count), ERR_NONE);
    assert_int_equal(count, 1); /* what waits stays, however old */
    assert_int_equal(store_webhook_erase(store, SLICE("x@y"), &count), ERR_NONE);
    assert_int_equal(count, 1);
    const struct store_webhook_page page = {.limit = LISTED_MAX};
    assert_int_equal(store_webhook_each(store, &page, see, &listed), ERR_NONE);
    assert_int_equal(listed.count, 1);
    assert_string_equal(listed.ids[0], "3");
    store_close(store);
}

/* Puts an event with something else, commits, puts more, and dies. */
static int put_and_die(const void *context, const struct scratch_ends *ends)
{
    struct store *store;
    bool is_new;
    int64_t endpoint;
    struct store_webhook event = {.id = SLICE("1"), .kind = SLICE("k"), .next_at_ms = 1};
    (void)ends;
    if (store_open(context, &store, NULL) != ERR_NONE ||
        scratch_put(store, "a@b", "{}") != ERR_NONE ||
        store_webhook_endpoint_open(store, &endpoint_a, 1, &endpoint) != ERR_NONE) {
        return 1;
    }
    event.endpoint.id = endpoint;
    if (store_webhook_put(store, &event, &is_new) != ERR_NONE ||
        store_flush(store, NULL) != ERR_NONE || scratch_put(store, "c@d", "{}") != ERR_NONE) {
        return 2;
    }
    event.id = SLICE("2");
    return store_webhook_put(store, &event, &is_new) != ERR_NONE ? 3 : kill(getpid(), SIGKILL);
}

static void an_event_stands_with_what_it_speaks_of(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct scratch_process child = scratch_start(put_and_die, path);
    assert_int_equal(scratch_finish(&child), 256 + SIGKILL);
    struct store *store = scratch_open(path);
    assert_true(scratch_has(store, "a@b", "{}"));
    assert_false(scratch_has(store, "c@d", "{}"));
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM webhook"), 1);
    store_close(store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_is_one_for_its_owner_and_url),
        cmocka_unit_test(what_is_due_is_found_by_endpoint_and_time),
        cmocka_unit_test(a_thing_that_happened_once_has_one_event),
        cmocka_unit_test(tries_are_kept_and_replayed),
        cmocka_unit_test(the_log_has_pages),
        cmocka_unit_test(what_is_old_or_erased_leaves),
        IN_FOLDER(an_event_stands_with_what_it_speaks_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
