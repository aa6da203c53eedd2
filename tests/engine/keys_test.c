/* Keys as requests meet them: who is let in, what is counted, what a second process and a restart change.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/keys.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../store/scratch.h"
#include "base/slice.h"
#include "engine/key_issue.h"

enum { THREADS = 4, ROUNDS = 500 };

#define DAY_MS INT64_C(86400000)
#define NOON   (20000 * DAY_MS + DAY_MS / 2)

/* A service: the store's thread, and the keys that others ask. */
struct rig {
    char path[SCRATCH_PATH_BYTES];
    struct digester *digester;
    struct store *store;
    struct keys *keys;
};

static void rig_start(struct rig *rig)
{
    struct fault fault;
    rig->store = scratch_open(rig->path);
    assert_int_equal(keys_open(rig->path, rig->digester, &rig->keys, &fault), ERR_NONE);
}

static void rig_open(struct rig *rig, void **state)
{
    struct fault fault;
    scratch_path(state, "x.db", rig->path);
    assert_int_equal(digester_new(&rig->digester, &fault), ERR_NONE);
    rig_start(rig);
}

static void rig_stop(struct rig *rig)
{
    keys_close(rig->keys);
    store_close(rig->store);
}

static void rig_close(struct rig *rig)
{
    rig_stop(rig);
    digester_free(rig->digester);
}

static struct key_issued issue(const struct rig *rig, const struct key_grant *grant)
{
    struct key_issued issued;
    struct fault fault;
    if (key_issue(rig->store, rig->digester, grant, NOON, &issued, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return issued;
}

static const struct key_grant usual = {.label = SLICE_LITERAL("shop"), .scopes = KEY_SCOPE_VERIFY};

static struct key_decision check(const struct rig *rig, const char *secret, enum key_scope scope,
                                 uint32_t cost, int64_t now_ms)
{
    struct key_decision decision;
    assert_int_equal(keys_check(rig->keys, slice_of(secret), scope, cost, now_ms, &decision),
                     ERR_NONE);
    return decision;
}

static enum key_answer ask(const struct rig *rig, const char *secret, int64_t now_ms)
{
    return check(rig, secret, KEY_SCOPE_VERIFY, 1, now_ms).answer;
}

static void save(const struct rig *rig)
{
    struct fault fault;
    assert_int_equal(keys_save(rig->keys, rig->store, &fault), ERR_NONE);
}

static void a_holder_is_let_in(void **state)
{
    struct rig rig;
    rig_open(&rig, state);
    const struct key_grant grant = {.label = SLICE_LITERAL("shop"),
                                    .scopes = KEY_SCOPE_VERIFY | KEY_SCOPE_READ};
    struct key_issued issued = issue(&rig, &grant);
    assert_int_equal(strlen(issued.secret), KEY_SECRET_BYTES);
    assert_memory_equal(issued.secret, "hel_", 4);
    struct key_decision decision = check(&rig, issued.secret, KEY_SCOPE_VERIFY, 1, NOON);
    assert_int_equal(decision.answer, KEY_ALLOWED);
    assert_int_equal(decision.key, issued.id);
    assert_int_equal(decision.scopes, grant.scopes);
    assert_string_equal(decision.label, "shop");
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_BATCH, 1, NOON).answer, KEY_LACKS_SCOPE);
    rig_close(&rig);
}

static void strangers_are_not(void **state)
{
    struct rig rig;
    struct key_decision decision;
    rig_open(&rig, state);
    struct key_issued issued = issue(&rig, &usual);
    char other[sizeof issued.secret];
    memcpy(other, issued.secret, sizeof other);
    other[KEY_SECRET_BYTES - 2] = other[KEY_SECRET_BYTES - 2] == 'A' ? 'B' : 'A';
    assert_int_equal(check(&rig, other, KEY_SCOPE_VERIFY, 1, NOON).key, 0);
    const char *const bad[] = {other,
                               "",
                               "hel_",
                               "hel_short",
                               issued.secret + 1,
                               "hel_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ask(&rig, bad[i], NOON), KEY_UNKNOWN);
    }
    /* One byte more or less, and bytes after a NUL. */
    char longer[KEY_SECRET_BYTES + 1];
    memcpy(longer, issued.secret, sizeof longer);
    for (size_t len = 0; len <= sizeof longer; len++) {
        assert_int_equal(
            keys_check(rig.keys, slice_make(longer, len), KEY_SCOPE_VERIFY, 1, NOON, &decision),
            ERR_NONE);
        assert_int_equal(decision.answer, len == KEY_SECRET_BYTES ? KEY_ALLOWED : KEY_UNKNOWN);
    }
    rig_close(&rig);
}

static void an_end_is_an_end(void **state)
{
    struct rig rig;
    rig_open(&rig, state);
    const struct key_grant grant = {
        .label = SLICE_LITERAL("short"), .scopes = KEY_SCOPE_ADMIN, .life_ms = 5000};
    struct key_issued issued = issue(&rig, &grant);
    assert_int_equal(ask(&rig, issued.secret, NOON + 4999), KEY_ALLOWED);
    assert_int_equal(ask(&rig, issued.secret, NOON + 5000), KEY_EXPIRED);
    rig_close(&rig);
}

static void rates_and_quotas_hold(void **state)
{
    struct rig rig;
    rig_open(&rig, state);
    const struct key_grant grant = {.label = SLICE_LITERAL("small"),
                                    .scopes = KEY_SCOPE_VERIFY,
                                    .rate_per_minute = 2,
                                    .quota_per_day = 5};
    struct key_issued issued = issue(&rig, &grant);
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 2, NOON).answer, KEY_ALLOWED);
    struct key_decision decision = check(&rig, issued.secret, KEY_SCOPE_VERIFY, 1, NOON);
    assert_int_equal(decision.answer, KEY_TOO_FAST);
    assert_int_equal(decision.retry_after_s, 30);
    decision = check(&rig, issued.secret, KEY_SCOPE_VERIFY, 1, NOON + 29999);
    assert_int_equal(decision.retry_after_s, 1);
    assert_int_equal(ask(&rig, issued.secret, NOON + 30000), KEY_ALLOWED);
    /* The rows of an upload: the day's quota alone. */
    assert_int_equal(keys_charge(rig.keys, issued.id, 2, NOON + 30000, &decision), ERR_NONE);
    assert_int_equal(decision.answer, KEY_ALLOWED);
    assert_int_equal(keys_charge(rig.keys, issued.id, 1, NOON + 30000, &decision), ERR_NONE);
    assert_int_equal(decision.answer, KEY_QUOTA_USED_UP);
    decision = check(&rig, issued.secret, KEY_SCOPE_VERIFY, 1, NOON + 60000);
    assert_int_equal(decision.answer, KEY_QUOTA_USED_UP);
    assert_int_equal(decision.retry_after_s, 12 * 3600 - 60);
    assert_int_equal(ask(&rig, issued.secret, NOON + DAY_MS / 2), KEY_ALLOWED);
    assert_int_equal(keys_charge(rig.keys, 77, 1, NOON, &decision), ERR_NONE);
    assert_int_equal(decision.answer, KEY_UNKNOWN);
    rig_close(&rig);
}

static size_t count(const struct rig *rig, int64_t now_ms)
{
    size_t number = 0;
    assert_int_equal(keys_count(rig->keys, now_ms, &number), ERR_NONE);
    return number;
}

/* As `heloise key` does it: through a connection of its own, which the keys do not know of. */
static void others_changes_are_seen_within_a_second(void **state)
{
    struct rig rig;
    struct fault fault;
    rig_open(&rig, state);
    assert_int_equal(count(&rig, NOON), 0);
    struct store *other = scratch_open(rig.path);
    struct key_issued issued;
    const struct key_grant grant = {
        .label = SLICE_LITERAL("late"), .scopes = KEY_SCOPE_VERIFY, .rate_per_minute = 3};
    assert_int_equal(key_issue(other, rig.digester, &grant, NOON, &issued, &fault), ERR_NONE);
    assert_int_equal(count(&rig, NOON + KEYS_LOOK_MS - 1), 0);
    assert_int_equal(count(&rig, NOON + KEYS_LOOK_MS), 1);
    int64_t later = NOON + 1000;
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 3, later).answer, KEY_ALLOWED);
    struct key_issued second;
    assert_int_equal(key_issue(other, rig.digester, &usual, NOON, &second, &fault), ERR_NONE);
    assert_int_equal(ask(&rig, second.secret, later + KEYS_LOOK_MS), KEY_ALLOWED);
    assert_int_equal(ask(&rig, issued.secret, later + KEYS_LOOK_MS), KEY_TOO_FAST); /* goes on */
    assert_int_equal(store_key_revoke(other, issued.id, NOON, &fault), ERR_NONE);
    assert_int_equal(ask(&rig, issued.secret, later + 2 * KEYS_LOOK_MS), KEY_REVOKED);
    assert_int_equal(store_key_revoke(other, second.id, NOON, &fault), ERR_NONE);
    assert_int_equal(ask(&rig, second.secret, NOON - DAY_MS),
                     KEY_REVOKED);                  /* the clock went back */
    assert_int_equal(count(&rig, later + 5000), 2); /* they count all the same */
    store_close(other);
    rig_close(&rig);
}

static void the_day_survives_a_restart(void **state)
{
    struct rig rig;
    rig_open(&rig, state);
    const struct key_grant grant = {
        .label = SLICE_LITERAL("small"), .scopes = KEY_SCOPE_VERIFY, .quota_per_day = 10};
    struct key_issued issued = issue(&rig, &grant);
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 4, NOON).answer, KEY_ALLOWED);
    save(&rig);
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 3, NOON).answer, KEY_ALLOWED);
    save(&rig);
    save(&rig); /* nothing new */
    rig_stop(&rig);
    assert_int_equal(scratch_sql(rig.path, "SELECT usage FROM api_key"), 7);
    rig_start(&rig);
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 4, NOON).answer,
                     KEY_QUOTA_USED_UP);
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 3, NOON).answer, KEY_ALLOWED);
    /* The next day begins anew, with what was not saved of this one. */
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 2, NOON + DAY_MS).answer,
                     KEY_ALLOWED);
    save(&rig);
    assert_int_equal(scratch_sql(rig.path, "SELECT usage FROM api_key"), 2);
    rig_close(&rig);
}

/* Uses 3, saves, uses 2 more, and is killed. */
static int use_and_die(const void *context, const struct scratch_ends *ends)
{
    const char *const *words = context;
    struct digester *digester;
    struct store *store;
    struct keys *keys;
    struct key_decision decision;
    struct slice secret = slice_of(words[1]);
    if (digester_new(&digester, NULL) != ERR_NONE ||
        store_open(words[0], &store, NULL) != ERR_NONE ||
        keys_open(words[0], digester, &keys, NULL) != ERR_NONE ||
        keys_check(keys, secret, KEY_SCOPE_VERIFY, 3, NOON, &decision) != ERR_NONE ||
        keys_save(keys, store, NULL) != ERR_NONE ||
        keys_check(keys, secret, KEY_SCOPE_VERIFY, 2, NOON, &decision) != ERR_NONE) {
        return 1;
    }
    scratch_tell_ready(ends);
    scratch_wait_go(ends);
    return decision.answer == KEY_ALLOWED ? 0 : 2;
}

static void a_kill_costs_what_was_not_saved(void **state)
{
    struct rig rig;
    rig_open(&rig, state);
    const struct key_grant grant = {
        .label = SLICE_LITERAL("small"), .scopes = KEY_SCOPE_VERIFY, .quota_per_day = 10};
    struct key_issued issued = issue(&rig, &grant);
    rig_stop(&rig);
    const char *const words[] = {rig.path, issued.secret};
    struct scratch_process child = scratch_start(use_and_die, words);
    scratch_wait_ready(&child);
    assert_int_equal(kill(child.pid, SIGKILL), 0);
    assert_int_equal(scratch_finish(&child), 256 + SIGKILL);
    rig_start(&rig);
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 8, NOON).answer,
                     KEY_QUOTA_USED_UP);
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 7, NOON).answer, KEY_ALLOWED);
    rig_close(&rig);
}

static void a_save_that_fails_is_made_up_for(void **state)
{
    struct rig rig;
    struct fault fault;
    rig_open(&rig, state);
    struct key_issued issued = issue(&rig, &usual);
    assert_int_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 4, NOON).answer, KEY_ALLOWED);
    struct store *reader;
    assert_int_equal(store_open_to_read(rig.path, &reader, &fault), ERR_NONE);
    assert_int_equal(keys_save(rig.keys, reader, &fault), ERR_STORE);
    store_close(reader);
    save(&rig);
    assert_int_equal(scratch_sql(rig.path, "SELECT usage FROM api_key"), 4);
    rig_close(&rig);
}

static void without_a_store_there_is_no_key(void **state)
{
    struct rig rig;
    struct fault fault;
    rig_open(&rig, state);
    struct key_issued issued = issue(&rig, &usual);
    keys_close(rig.keys);
    assert_int_equal(keys_open(NULL, rig.digester, &rig.keys, &fault), ERR_NONE);
    assert_int_equal(count(&rig, NOON), 0);
    assert_int_equal(ask(&rig, issued.secret, NOON), KEY_UNKNOWN);
    save(&rig);
    rig_close(&rig);
}

static void a_store_that_cannot_be_read_lets_nobody_in(void **state)
{
    struct rig rig;
    struct key_decision decision = {.answer = KEY_UNKNOWN, .key = 5};
    rig_open(&rig, state);
    struct key_issued issued = issue(&rig, &usual);
    assert_int_equal(ask(&rig, issued.secret, NOON), KEY_ALLOWED);
    (void)scratch_sql(rig.path, "DROP TABLE api_key_generation");
    assert_int_equal(
        keys_check(rig.keys, slice_of(issued.secret), KEY_SCOPE_VERIFY, 1, NOON + 1000, &decision),
        ERR_STORE);
    assert_int_equal(decision.key, 5);
    rig_close(&rig);
}

static void labels_are_text(void **state)
{
    struct rig rig;
    struct fault fault;
    struct key_issued issued = {.id = 7};
    char longest[KEY_LABEL_BYTES_MAX + 1];
    memset(longest, 'x', sizeof longest);
    rig_open(&rig, state);
    const struct slice bad[] = {SLICE_NONE, SLICE("a\nb"), SLICE("a\xff"), SLICE("a\x1b[1m"),
                                slice_make(longest, sizeof longest)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct key_grant grant = {.label = bad[i], .scopes = KEY_SCOPE_VERIFY};
        assert_int_equal(key_issue(rig.store, rig.digester, &grant, NOON, &issued, &fault),
                         ERR_SYNTAX);
        assert_int_equal(issued.id, 7);
    }
    const struct key_grant grant = {.label = slice_make(longest, KEY_LABEL_BYTES_MAX),
                                    .scopes = KEY_SCOPE_VERIFY};
    issued = issue(&rig, &grant);
    assert_memory_equal(check(&rig, issued.secret, KEY_SCOPE_VERIFY, 1, NOON).label, longest,
                        KEY_LABEL_BYTES_MAX);
    rig_close(&rig);
}

/* Many threads, one key: not one more than its quota is let in, whatever else happens to the table meanwhile. */
struct crowd {
    const struct rig *rig;
    const char *secret;
    unsigned allowed;
};

static void *ask_often(void *context)
{
    struct crowd *crowd = context;
    for (int i = 0; i < ROUNDS; i++) {
        struct key_decision decision;
        if (keys_check(crowd->rig->keys, slice_of(crowd->secret), KEY_SCOPE_VERIFY, 1,
                       NOON + (int64_t)i * KEYS_LOOK_MS, &decision) == ERR_NONE &&
            decision.answer == KEY_ALLOWED) {
            crowd->allowed++;
        }
    }
    return NULL;
}

static void a_crowd_gets_no_more_than_the_quota(void **state)
{
    struct rig rig;
    pthread_t threads[THREADS];
    struct crowd crowds[THREADS];
    unsigned allowed = 0;
    rig_open(&rig, state);
    const struct key_grant grant = {
        .label = SLICE_LITERAL("crowd"), .scopes = KEY_SCOPE_VERIFY, .quota_per_day = ROUNDS};
    struct key_issued issued = issue(&rig, &grant);
    for (size_t i = 0; i < THREADS; i++) {
        crowds[i] = (struct crowd){&rig, issued.secret, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &crowds[i]), 0);
    }
    for (int i = 0; i < 10; i++) {
        (void)issue(&rig, &usual);
        save(&rig);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        allowed += crowds[i].allowed;
    }
    save(&rig);
    assert_int_equal(allowed, ROUNDS);
    assert_int_equal(scratch_sql(rig.path, "SELECT usage FROM api_key WHERE id=1"), ROUNDS);
    rig_close(&rig);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_holder_is_let_in),
        IN_FOLDER(strangers_are_not),
        IN_FOLDER(an_end_is_an_end),
        IN_FOLDER(rates_and_quotas_hold),
        IN_FOLDER(others_changes_are_seen_within_a_second),
        IN_FOLDER(the_day_survives_a_restart),
        IN_FOLDER(a_kill_costs_what_was_not_saved),
        IN_FOLDER(a_save_that_fails_is_made_up_for),
        IN_FOLDER(without_a_store_there_is_no_key),
        IN_FOLDER(a_store_that_cannot_be_read_lets_nobody_in),
        IN_FOLDER(labels_are_text),
        IN_FOLDER(a_crowd_gets_no_more_than_the_quota),
    };
    return cmocka_run_group_tests_name("engine/keys", tests, NULL, NULL);
}
