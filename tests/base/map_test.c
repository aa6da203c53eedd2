/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"
#include "fail_alloc.h"

enum { KEYS = 500, STEPS = 20000 };

struct entry {
    char text[16];
    struct slice key;
    bool is_in;
};

static struct entry entries[KEYS];

static void fill_entries(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        int len = snprintf(entries[i].text, sizeof entries[i].text, "key-%zu", i);
        entries[i].key = slice_make(entries[i].text, (size_t)len);
        entries[i].is_in = false;
    }
}

static size_t count_in(const struct map *m)
{
    size_t cursor = 0;
    size_t count = 0;
    struct slice key;
    void *value;
    while (map_next(m, &cursor, &key, &value)) {
        const struct entry *entry = value;
        assert_true(entry->is_in);
        assert_true(slice_equal(key, entry->key));
        count++;
    }
    return count;
}

/* Random puts and removals against a plain array that says what must be there. */
static void agrees_with_an_array(void **state)
{
    (void)state;
    static const uint64_t seeds[] = {0, 1, 0xfeedfacecafebeef};
    for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++) {
        struct random random = {seeds[s]};
        struct map m;
        map_init(&m, seeds[s]);
        fill_entries();
        for (size_t step = 0; step < STEPS; step++) {
            struct entry *entry = &entries[random_below(&random, KEYS)];
            if (random_below(&random, 2) == 0) {
                assert_int_equal(map_put(&m, entry->key, entry), ERR_NONE);
                entry->is_in = true;
            } else {
                void *was = map_remove(&m, entry->key);
                assert_ptr_equal(was, entry->is_in ? entry : NULL);
                entry->is_in = false;
            }
            const struct entry *other = &entries[random_below(&random, KEYS)];
            assert_ptr_equal(map_find(&m, other->key), other->is_in ? other : NULL);
        }
        assert_int_equal(count_in(&m), m.count);
        map_done(&m);
        map_done(&m);
    }
}

static void empty_map_has_nothing(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, 7);
    size_t cursor = 0;
    struct slice key;
    void *value;
    assert_null(map_find(&m, SLICE("a")));
    assert_null(map_remove(&m, SLICE("a")));
    assert_false(map_next(&m, &cursor, &key, &value));
    map_done(&m);
}

static void replacing_keeps_the_old_key(void **state)
{
    (void)state;
    static const char first_text[] = "key";
    static const char second_text[] = "key ";
    int one = 1;
    int two = 2;
    struct map m;
    map_init(&m, 7);
    assert_int_equal(map_put(&m, slice_make(first_text, 3), &one), ERR_NONE);
    assert_int_equal(map_put(&m, slice_make(second_text, 3), &two), ERR_NONE);
    size_t cursor = 0;
    struct slice key;
    void *value;
    assert_true(map_next(&m, &cursor, &key, &value));
    assert_ptr_equal(key.at, first_text);
    assert_ptr_equal(value, &two);
    assert_false(map_next(&m, &cursor, &key, &value));
    assert_int_equal(m.count, 1);
    map_done(&m);
}

static void keys_are_bytes(void **state)
{
    (void)state;
    static const struct slice keys[] = {
        SLICE_LITERAL(""),  SLICE_LITERAL("\0"), SLICE_LITERAL("\0\0"), SLICE_LITERAL("a"),
        SLICE_LITERAL("A"), SLICE_LITERAL("a "), SLICE_LITERAL("\xff"), SLICE_LITERAL("aa"),
    };
    int values[sizeof keys / sizeof *keys];
    struct map m;
    map_init(&m, 7);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_null(map_find(&m, keys[i]));
        assert_int_equal(map_put(&m, keys[i], &values[i]), ERR_NONE);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_ptr_equal(map_find(&m, keys[i]), &values[i]);
    }
    map_done(&m);
}

static void no_memory_keeps_what_is_there(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, 7);
    fill_entries();
    fail_alloc_at(1);
    assert_int_equal(map_put(&m, entries[0].key, &entries[0]), ERR_NOMEM);
    fail_alloc_at(0);
    size_t put = 0;
    enum err e = ERR_NONE;
    while (put < KEYS && e == ERR_NONE) {
        fail_alloc_at(m.count > 100 ? 1 : 0);
        e = map_put(&m, entries[put].key, &entries[put]);
        put += e == ERR_NONE ? 1 : 0;
    }
    fail_alloc_at(0);
    assert_int_equal(e, ERR_NOMEM);
    assert_int_equal(m.count, put);
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(map_find(&m, entries[i].key), i < put ? &entries[i] : NULL);
    }
    map_done(&m);
}

/* Each byte of a key counts, and its length. */
static void near_keys_are_different(void **state)
{
    (void)state;
    enum { LEN_MAX = 40, NEAR = LEN_MAX * (LEN_MAX + 1) / 2 };
    static char texts[NEAR][LEN_MAX];
    struct map m;
    map_init(&m, 7);
    size_t count = 0;
    for (size_t len = 1; len <= LEN_MAX; len++) {
        for (size_t changed = 0; changed < len; changed++, count++) {
            memset(texts[count], 'a', len);
            texts[count][changed] = 'b';
            assert_int_equal(map_put(&m, slice_make(texts[count], len), texts[count]), ERR_NONE);
        }
    }
    assert_int_equal(m.count, NEAR);
    count = 0;
    for (size_t len = 1; len <= LEN_MAX; len++) {
        for (size_t changed = 0; changed < len; changed++, count++) {
            assert_ptr_equal(map_find(&m, slice_make(texts[count], len)), texts[count]);
        }
    }
    map_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_an_array),          cmocka_unit_test(empty_map_has_nothing),
        cmocka_unit_test(replacing_keeps_the_old_key),   cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(no_memory_keeps_what_is_there), cmocka_unit_test(near_keys_are_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
