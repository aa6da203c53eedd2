/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

enum { DIGESTS = 4 };

static const char digests[DIGESTS][STORE_KEY_DIGEST_BYTES] = {"one", "two", "three", "four"};

static int64_t add(struct store *store, const char *label, size_t digest)
{
    struct fault fault;
    int64_t id = 0;
    const struct store_key key = {
        .label = slice_of(label),
        .prefix = SLICE_LITERAL("hel_12345678"),
        .digest = slice_make(digests[digest], STORE_KEY_DIGEST_BYTES),
        .scopes = 3,
        .created_at_ms = 1000,
        .expires_at_ms = 9000,
        .rate_per_minute = 60,
        .quota_per_day = 10000,
    };
    if (store_key_add(store, &key, &id, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return id;
}

static void spell(void *context, const struct store_key *key)
{
    assert_int_equal(key->digest.len, STORE_KEY_DIGEST_BYTES);
    assert_int_equal(
        buf_printf(
            context, "%lld %.*s %.*s %.3s %u %lld-%lld revoked %lld used %lld %u %llu %lld:%llu\n",
            (long long)key->id, SLICE_ARG(key->label), SLICE_ARG(key->prefix), key->digest.at,
            key->scopes, (long long)key->created_at_ms, (long long)key->expires_at_ms,
            (long long)key->revoked_at_ms, (long long)key->used_at_ms, key->rate_per_minute,
            (unsigned long long)key->quota_per_day, (long long)key->usage_day,
            (unsigned long long)key->usage),
        ERR_NONE);
}

static void assert_keys(struct store *store, const char *expected)
{
    struct buf text;
    struct fault fault;
    buf_init(&text, 4096);
    assert_int_equal(store_key_each(store, spell, &text, &fault), ERR_NONE);
    assert_int_equal(buf_append_byte(&text, '\0'), ERR_NONE);
    assert_string_equal(text.at, expected);
    buf_done(&text);
}

static int64_t generation(struct store *store)
{
    int64_t number = -1;
    assert_int_equal(store_key_generation(store, &number), ERR_NONE);
    return number;
}

static void what_is_added_is_found_by_all(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct store *reader;
    struct fault fault;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    assert_int_equal(store_open_to_read(path, &reader, &fault), ERR_NONE);
    assert_keys(reader, "");
    int64_t before = generation(reader);
    assert_int_equal(add(store, "shop", 0), 1);
    assert_int_equal(add(store, "form", 1), 2);
    assert_true(generation(reader) > before);
    assert_keys(reader, "1 shop hel_12345678 one 3 1000-9000 revoked 0 used 0 60 10000 0:0\n"
                        "2 form hel_12345678 two 3 1000-9000 revoked 0 used 0 60 10000 0:0\n");
    store_close(reader);
    store_close(store);
}

static void a_secret_has_one_key(void **state)
{
    (void)state;
    struct fault fault;
    int64_t id = -1;
    struct store *store = scratch_open(":memory:");
    (void)add(store, "shop", 0);
    const struct store_key double_key = {.label = SLICE_LITERAL("again"),
                                         .digest = slice_make(digests[0], STORE_KEY_DIGEST_BYTES)};
    assert_int_equal(store_key_add(store, &double_key, &id, &fault), ERR_STORE);
    assert_int_equal(id, -1);
    store_close(store);
}

static void revoking_is_told_and_stays(void **state)
{
    (void)state;
    struct fault fault;
    struct store *store = scratch_open(":memory:");
    int64_t id = add(store, "shop", 0);
    int64_t before = generation(store);
    assert_int_equal(store_key_revoke(store, id, 5000, &fault), ERR_NONE);
    assert_true(generation(store) > before);
    assert_int_equal(store_key_revoke(store, id, 6000, &fault), ERR_NONE);
    assert_keys(store, "1 shop hel_12345678 one 3 1000-9000 revoked 5000 used 0 60 10000 0:0\n");
    before = generation(store);
    assert_int_equal(store_key_revoke(store, 77, 6000, &fault), ERR_CLOSED);
    assert_non_null(strstr(fault.text, "no key 77"));
    assert_int_equal(generation(store), before);
    store_close(store);
}

static void usage_adds_up_within_a_day(void **state)
{
    (void)state;
    struct fault fault;
    struct store *store = scratch_open(":memory:");
    int64_t id = add(store, "shop", 0);
    int64_t before = generation(store);
    const struct store_key_use first[] = {{id, 10, 5, 1100}, {id, 10, 7, 1200}};
    assert_int_equal(store_key_use(store, first, 2, &fault), ERR_NONE);
    assert_keys(store, "1 shop hel_12345678 one 3 1000-9000 revoked 0 used 1200 60 10000 10:12\n");
    const struct store_key_use next_day[] = {{id, 11, 2, 1150}, {77, 11, 2, 1150}};
    assert_int_equal(store_key_use(store, next_day, 2, &fault), ERR_NONE);
    assert_keys(store, "1 shop hel_12345678 one 3 1000-9000 revoked 0 used 1200 60 10000 11:2\n");
    assert_int_equal(generation(store), before);
    store_close(store);
}

static void numbers_are_not_given_twice(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    (void)add(store, "a", 0);
    assert_int_equal(add(store, "b", 1), 2);
    store_close(store);
    (void)scratch_sql(path, "DELETE FROM api_key WHERE id=2");
    store = scratch_open(path);
    assert_int_equal(add(store, "c", 2), 3);
    store_close(store);
}

static void there_is_an_end_of_keys(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    char sql[512];
    struct fault fault;
    int64_t id = 0;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    store_close(store);
    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d)"
                   " INSERT INTO api_key(label,prefix,digest,scopes,created_at,expires_at,"
                   "rate_per_minute,quota_per_day) SELECT '','',i,0,0,0,0,0 FROM n",
                   STORE_KEYS_MAX);
    (void)scratch_sql(path, sql);
    store = scratch_open(path);
    const struct store_key key = {.digest = slice_make(digests[0], STORE_KEY_DIGEST_BYTES)};
    assert_int_equal(store_key_add(store, &key, &id, &fault), ERR_LIMIT);
    store_close(store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_added_is_found_by_all),     cmocka_unit_test(a_secret_has_one_key),
        cmocka_unit_test(revoking_is_told_and_stays), cmocka_unit_test(usage_adds_up_within_a_day),
        IN_FOLDER(numbers_are_not_given_twice),       IN_FOLDER(there_is_an_end_of_keys),
    };
    return cmocka_run_group_tests_name("store/keys", tests, NULL, NULL);
}
