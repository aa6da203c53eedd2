/* SPDX-License-Identifier: Apache-2.0 */
#include "store/idempotency.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

enum {
    NEW = STORE_REQUEST_NEW,
    FINISHED = STORE_REQUEST_FINISHED,
    RUNNING = STORE_REQUEST_RUNNING,
    MISMATCH = STORE_REQUEST_MISMATCH
};

#define NOW  INT64_C(1700000000000)
#define LIFE INT64_C(86400000)

static const struct store_request upload = {
    .owner = 3, .key = SLICE_LITERAL("order-17"), .digest = SLICE_LITERAL("d1")};

static int begin_at(struct store *store, const struct store_request *request, int64_t now_ms)
{
    struct fault fault;
    struct store_request_standing standing = {.state = STORE_REQUEST_MISMATCH};
    if (store_request_begin(store, request, now_ms, &standing, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return (int)standing.state;
}

static int begin(struct store *store, const struct store_request *request)
{
    return begin_at(store, request, NOW);
}

static void finish(struct store *store, const struct store_request *request)
{
    assert_int_equal(store_request_finish(store, request, 202, SLICE("/v1/batches/7")), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
}

static void a_request_is_done_once(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct fault fault;
    struct buf reference;
    buf_init(&reference, 100);
    struct store_request_standing standing = {.reference = &reference};
    assert_int_equal(begin(store, &upload), NEW);
    assert_int_equal(begin(store, &upload), RUNNING);
    finish(store, &upload);
    assert_int_equal(store_request_begin(store, &upload, NOW, &standing, &fault), ERR_NONE);
    assert_int_equal(standing.state, FINISHED);
    assert_int_equal(standing.status, 202);
    assert_true(slice_equal(buf_view(&reference), SLICE("/v1/batches/7")));
    buf_done(&reference);
    store_close(store);
}

static void the_same_key_is_for_the_same_request(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct store_request other = upload;
    other.digest = SLICE("d2");
    assert_int_equal(begin(store, &upload), NEW);
    assert_int_equal(begin(store, &other), MISMATCH);
    finish(store, &upload);
    assert_int_equal(begin(store, &other), MISMATCH);
    other.owner = 4; /* somebody else's key */
    assert_int_equal(begin(store, &other), NEW);
    assert_int_equal(begin(store, &upload), FINISHED);
    store_close(store);
}

static void what_was_dropped_may_be_sent_again(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    assert_int_equal(begin(store, &upload), NEW);
    assert_int_equal(store_request_drop(store, &upload), ERR_NONE);
    assert_int_equal(begin(store, &upload), NEW);
    finish(store, &upload);
    assert_int_equal(store_request_drop(store, &upload), ERR_NONE); /* it is finished: it stays */
    assert_int_equal(begin(store, &upload), FINISHED);
    store_close(store);
}

static void a_day_later_it_is_forgotten(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    assert_int_equal(begin(store, &upload), NEW);
    finish(store, &upload);
    assert_int_equal(begin_at(store, &upload, NOW + LIFE - 1), FINISHED);
    assert_int_equal(begin_at(store, &upload, NOW + LIFE), NEW);
    finish(store, &upload);
    assert_int_equal(begin_at(store, &upload, NOW - LIFE), NEW); /* the clock had been wrong */
    store_close(store);
}

static void the_old_are_swept(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    (void)scratch_sql(path,
                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<150)"
                      " INSERT INTO idempotency(owner,key,request,holder,status,at)"
                      " SELECT 1,i,x'00',0,202,5 FROM n");
    assert_int_equal(begin(store, &upload), NEW);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM idempotency"), 51);
    assert_int_equal(begin(store, &upload), RUNNING);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM idempotency"), 1);
    store_close(store);
}

static void keys_have_a_length(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct fault fault;
    struct store_request_standing standing = {.state = STORE_REQUEST_NEW};
    char longest[STORE_IDEMPOTENCY_KEY_BYTES_MAX + 1];
    memset(longest, 'k', sizeof longest);
    struct store_request request = upload;
    request.key = SLICE_NONE;
    assert_int_equal(store_request_begin(store, &request, NOW, &standing, &fault), ERR_LIMIT);
    request.key = slice_make(longest, sizeof longest);
    assert_int_equal(store_request_begin(store, &request, NOW, &standing, &fault), ERR_LIMIT);
    request.key = slice_make(longest, sizeof longest - 1);
    assert_int_equal(begin(store, &request), NEW);
    store_close(store);
}

static void a_closed_store_has_begun_nothing(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *first = scratch_open(path);
    struct store *second = scratch_open(path);
    assert_int_equal(begin(first, &upload), NEW);
    assert_int_equal(begin(second, &upload), RUNNING);
    store_close(first);
    assert_int_equal(begin(second, &upload), NEW);
    store_close(second);
}

/* Begins, writes the work and the outcome, and is killed before or after they are committed. */
struct plan {
    const char *path;
    bool commits;
};

static int work_and_die(const void *context, const struct scratch_ends *ends)
{
    const struct plan *plan = context;
    struct store *store;
    struct store_request_standing standing = {.state = STORE_REQUEST_RUNNING};
    if (store_open(plan->path, &store, NULL) != ERR_NONE ||
        store_request_begin(store, &upload, NOW, &standing, NULL) != ERR_NONE ||
        standing.state != STORE_REQUEST_NEW || scratch_put(store, "a@b", "{}") != ERR_NONE ||
        store_request_finish(store, &upload, 202, SLICE("7")) != ERR_NONE ||
        (plan->commits && store_flush(store, NULL) != ERR_NONE)) {
        return 1;
    }
    scratch_tell_ready(ends);
    scratch_wait_go(ends);
    return 2;
}

static void a_kill_leaves_the_work_and_the_outcome_or_neither(void **state)
{
    for (int commits = 0; commits <= 1; commits++) {
        char path[SCRATCH_PATH_BYTES];
        scratch_path(state, commits ? "1.db" : "0.db", path);
        store_close(scratch_open(path));
        const struct plan plan = {path, commits != 0};
        struct scratch_process child = scratch_start(work_and_die, &plan);
        scratch_wait_ready(&child);
        if (commits) { /* while it lives */
            struct store *other = scratch_open(path);
            assert_int_equal(begin(other, &upload), FINISHED);
            store_close(other);
        }
        assert_int_equal(kill(child.pid, SIGKILL), 0);
        assert_int_equal(scratch_finish(&child), 256 + SIGKILL);
        struct store *store = scratch_open(path);
        assert_int_equal(scratch_has(store, "a@b", "{}"), commits);
        assert_int_equal(begin(store, &upload), commits ? FINISHED : NEW);
        store_close(store);
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_done_once),
        cmocka_unit_test(the_same_key_is_for_the_same_request),
        cmocka_unit_test(what_was_dropped_may_be_sent_again),
        cmocka_unit_test(a_day_later_it_is_forgotten),
        IN_FOLDER(the_old_are_swept),
        cmocka_unit_test(keys_have_a_length),
        IN_FOLDER(a_closed_store_has_begun_nothing),
        IN_FOLDER(a_kill_leaves_the_work_and_the_outcome_or_neither),
    };
    return cmocka_run_group_tests_name("store/idempotency", tests, NULL, NULL);
}
