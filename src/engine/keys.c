/* engine/keys: the table of keys, its renewal, and what was used but is not saved yet.
 *
 * One mutex guards all of it but the digester; it is held for a look-up and some additions, and for reading the keys
 * anew when one was added or revoked. It is not held while a secret is digested or usage is written.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/map.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/allowance.h"
#include "engine/key_issue.h"
#include "store/keys.h"

enum {
    /* Of the digest, to find a key by: no two share it by chance, and nobody can make them. What is found is compared
     * as a whole, in constant time. */
    FIND_BYTES = 8,
    TABLE_FIRST = 16,
};

struct key {
    struct digest digest;
    int64_t id;
    unsigned scopes;
    int64_t expires_at_ms, revoked_at_ms; /* 0: never */
    struct allowance_limits limits;
    struct allowance allowance;
    bool is_used;     /* since the last save */
    uint64_t unsaved; /* of allowance.day */
    int64_t used_at_ms;
    char label[KEY_LABEL_BYTES_MAX + 1];
};

struct table {
    struct key *at; /* in the order of their numbers */
    size_t count, cap;
    struct map by_digest;
};

struct keys {
    const struct digester *digester;
    pthread_mutex_t lock;
    struct store *reader; /* NULL: there is no store */
    struct table table;
    int64_t generation; /* of the table */
    int64_t looked_ms;
    bool has_looked;
    uint64_t seed;
};

/* Reading the keys. */

static void table_done(struct table *table)
{
    map_done(&table->by_digest);
    free(table->at);
    *table = (struct table){.count = 0};
}

static struct slice find_bytes(const struct digest *digest)
{
    return slice_make((const char *)digest->bytes, FIND_BYTES);
}

struct reading {
    struct table table;
    int64_t now_ms;
    enum err err;
};

static bool make_room(struct table *table)
{
    if (table->count < table->cap) {
        return true;
    }
    size_t cap = table->cap == 0 ? TABLE_FIRST : table->cap * 2;
    struct key *at = realloc(table->at, cap * sizeof *at);
    if (at == NULL) {
        return false;
    }
    table->at = at;
    table->cap = cap;
    return true;
}

static void read_key(void *context, const struct store_key *from)
{
    struct reading *reading = context;
    struct table *table = &reading->table;
    if (reading->err != ERR_NONE || from->digest.len != DIGEST_BYTES) {
        return;
    }
    if (table->count >= STORE_KEYS_MAX || !make_room(table)) {
        reading->err = ERR_NOMEM;
        return;
    }
    struct key *key = &table->at[table->count++];
    *key = (struct key){
        .id = from->id,
        .scopes = from->scopes,
        .expires_at_ms = from->expires_at_ms,
        .revoked_at_ms = from->revoked_at_ms,
        .limits = {.rate_per_minute = from->rate_per_minute, .quota_per_day = from->quota_per_day},
    };
    memcpy(key->digest.bytes, from->digest.at, DIGEST_BYTES);
    struct slice label = slice_sub(from->label, 0, KEY_LABEL_BYTES_MAX);
    memcpy(key->label, label.at, label.len);
    allowance_init(&key->allowance, &key->limits, from->usage_day, from->usage, reading->now_ms);
}

/* The table stays where it is from now on. */
static enum err index_table(struct table *table, uint64_t seed)
{
    map_init(&table->by_digest, seed);
    for (size_t i = 0; i < table->count; i++) {
        struct key *key = &table->at[i];
        enum err e = map_put(&table->by_digest, find_bytes(&key->digest), key);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

static int by_id(const void *id, const void *key)
{
    int64_t a = *(const int64_t *)id;
    int64_t b = ((const struct key *)key)->id;
    return (a > b) - (a < b);
}

static struct key *find_id(const struct table *table, int64_t id)
{
    return table->count == 0 ? NULL
                             : bsearch(&id, table->at, table->count, sizeof *table->at, by_id);
}

/* What is known here and not in the store goes on: buckets, and usage that is not saved. */
static void carry_over(const struct table *old, struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct key *key = &table->at[i];
        const struct key *before = find_id(old, key->id);
        if (before == NULL) {
            continue;
        }
        key->allowance = before->allowance;
        key->is_used = before->is_used;
        key->unsaved = before->unsaved;
        key->used_at_ms = before->used_at_ms;
    }
}

static enum err renew(struct keys *keys, int64_t now_ms)
{
    struct reading reading = {.now_ms = now_ms, .err = ERR_NONE};
    enum err e = store_key_each(keys->reader, read_key, &reading, NULL);
    e = e != ERR_NONE ? e : reading.err;
    e = e != ERR_NONE ? e : index_table(&reading.table, keys->seed);
    if (e != ERR_NONE) {
        table_done(&reading.table);
        return e;
    }
    carry_over(&keys->table, &reading.table);
    table_done(&keys->table);
    keys->table = reading.table;
    return ERR_NONE;
}

/* Under the lock: what others did meanwhile. A clock that was set back looks at once. */
static enum err look(struct keys *keys, int64_t now_ms)
{
    int64_t generation = 0;
    bool is_fresh =
        keys->has_looked && now_ms >= keys->looked_ms && now_ms - keys->looked_ms < KEYS_LOOK_MS;
    if (keys->reader == NULL || is_fresh) {
        return ERR_NONE;
    }
    /* Read before the keys: what changes in between is seen the next time. */
    enum err e = store_key_generation(keys->reader, &generation);
    if (e == ERR_NONE && (!keys->has_looked || generation != keys->generation)) {
        e = renew(keys, now_ms);
    }
    if (e == ERR_NONE) {
        keys->generation = generation;
        keys->looked_ms = now_ms;
        keys->has_looked = true;
    }
    return e;
}

enum err keys_open(const char *store_path, const struct digester *digester, struct keys **out,
                   struct fault *out_fault)
{
    struct keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    keys->digester = digester;
    must(pthread_mutex_init(&keys->lock, NULL) == 0);
    (void)!getrandom(&keys->seed, sizeof keys->seed, 0);
    enum err e =
        store_path == NULL ? ERR_NONE : store_open_to_read(store_path, &keys->reader, out_fault);
    if (e != ERR_NONE) {
        keys_close(keys);
        return e;
    }
    *out = keys;
    return ERR_NONE;
}

void keys_close(struct keys *keys)
{
    if (keys != NULL) {
        table_done(&keys->table);
        store_close(keys->reader);
        (void)pthread_mutex_destroy(&keys->lock);
        free(keys);
    }
}

enum err keys_count(struct keys *keys, int64_t now_ms, size_t *out_count)
{
    (void)pthread_mutex_lock(&keys->lock);
    enum err e = look(keys, now_ms);
    if (e == ERR_NONE) {
        *out_count = keys->table.count;
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return e;
}

/* Deciding. */

static void note_use(struct key *key, int64_t day_before, uint64_t cost, int64_t now_ms)
{
    if (key->allowance.day != day_before) {
        key->unsaved = 0; /* the day is over: nobody asks what was used of it */
    }
    key->unsaved += cost;
    key->used_at_ms = now_ms;
    key->is_used = true;
}

static uint32_t whole_seconds(int64_t wait_ms)
{
    int64_t seconds = (wait_ms + 999) / 1000;
    return seconds < 1 ? 1 : seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

static enum key_answer answer_of(enum allowance_answer answer)
{
    switch (answer) {
    case ALLOWANCE_GIVEN: return KEY_ALLOWED;
    case ALLOWANCE_TOO_FAST: return KEY_TOO_FAST;
    case ALLOWANCE_USED_UP: break;
    }
    return KEY_QUOTA_USED_UP;
}

static void describe(const struct key *key, struct key_decision *out)
{
    *out = (struct key_decision){.answer = KEY_ALLOWED, .key = key->id, .scopes = key->scopes};
    memcpy(out->label, key->label, sizeof out->label);
}

static enum key_answer right_to(const struct key *key, enum key_scope scope, int64_t now_ms)
{
    if (key->revoked_at_ms != 0) {
        return KEY_REVOKED;
    }
    if (key->expires_at_ms != 0 && now_ms >= key->expires_at_ms) {
        return KEY_EXPIRED;
    }
    return key_scopes_allow(key->scopes, scope) ? KEY_ALLOWED : KEY_LACKS_SCOPE;
}

static void decide(struct key *key, enum key_scope scope, uint32_t cost, int64_t now_ms,
                   struct key_decision *out)
{
    describe(key, out);
    out->answer = right_to(key, scope, now_ms);
    if (out->answer != KEY_ALLOWED) {
        return;
    }
    int64_t wait_ms = 0;
    int64_t day = key->allowance.day;
    out->answer = answer_of(allowance_take(&key->allowance, &key->limits, cost, now_ms, &wait_ms));
    if (out->answer == KEY_ALLOWED) {
        note_use(key, day, cost, now_ms);
    } else {
        out->retry_after_s = whole_seconds(wait_ms);
    }
}

static struct key *find_digest(const struct table *table, const struct digest *digest)
{
    struct key *key = map_find(&table->by_digest, find_bytes(digest));
    return key != NULL && digest_is_equal(&key->digest, digest) ? key : NULL;
}

enum err keys_check(struct keys *keys, struct slice secret, enum key_scope scope, uint32_t cost,
                    int64_t now_ms, struct key_decision *out)
{
    struct digest digest;
    if (!key_secret_has_form(secret)) {
        *out = (struct key_decision){.answer = KEY_UNKNOWN};
        return ERR_NONE;
    }
    enum err e = digest_sha256(keys->digester, secret, &digest);
    if (e != ERR_NONE) {
        return e;
    }
    (void)pthread_mutex_lock(&keys->lock);
    e = look(keys, now_ms);
    if (e == ERR_NONE) {
        struct key *key = find_digest(&keys->table, &digest);
        *out = (struct key_decision){.answer = KEY_UNKNOWN};
        if (key != NULL) {
            decide(key, scope, cost, now_ms, out);
        }
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return e;
}

static void charge(struct key *key, uint64_t cost, int64_t now_ms, struct key_decision *out)
{
    int64_t wait_ms = 0;
    int64_t day = key->allowance.day;
    describe(key, out);
    out->answer =
        answer_of(allowance_charge(&key->allowance, &key->limits, cost, now_ms, &wait_ms));
    if (out->answer == KEY_ALLOWED) {
        note_use(key, day, cost, now_ms);
    } else {
        out->retry_after_s = whole_seconds(wait_ms);
    }
}

enum err keys_charge(struct keys *keys, int64_t key_id, uint64_t cost, int64_t now_ms,
                     struct key_decision *out)
{
    (void)pthread_mutex_lock(&keys->lock);
    enum err e = look(keys, now_ms);
    if (e == ERR_NONE) {
        struct key *key = find_id(&keys->table, key_id);
        *out = (struct key_decision){.answer = KEY_UNKNOWN};
        if (key != NULL) {
            charge(key, cost, now_ms, out);
        }
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return e;
}

/* Saving. */

/* What is not saved, which from now on counts as saved. */
static enum err gather(struct keys *keys, struct store_key_use **out, size_t *out_count)
{
    struct table *table = &keys->table;
    struct store_key_use *uses = NULL;
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        count += table->at[i].is_used ? 1 : 0;
    }
    if (count > 0) {
        uses = calloc(count, sizeof *uses);
        if (uses == NULL) {
            return ERR_NOMEM;
        }
    }
    size_t at = 0;
    for (size_t i = 0; i < table->count && at < count; i++) {
        struct key *key = &table->at[i];
        if (key->is_used) {
            uses[at++] = (struct store_key_use){.key = key->id,
                                                .day = key->allowance.day,
                                                .count = key->unsaved,
                                                .at_ms = key->used_at_ms};
            key->is_used = false;
            key->unsaved = 0;
        }
    }
    *out = uses;
    *out_count = count;
    return ERR_NONE;
}

/* They could not be written. */
static void give_back(struct keys *keys, const struct store_key_use *uses, size_t count)
{
    (void)pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < count; i++) {
        struct key *key = find_id(&keys->table, uses[i].key);
        if (key != NULL && key->allowance.day == uses[i].day) {
            key->unsaved += uses[i].count;
            key->is_used = true;
        }
    }
    (void)pthread_mutex_unlock(&keys->lock);
}

enum err keys_save(struct keys *keys, struct store *store, struct fault *out_fault)
{
    struct store_key_use *uses = NULL;
    size_t count = 0;
    (void)pthread_mutex_lock(&keys->lock);
    enum err e = gather(keys, &uses, &count);
    (void)pthread_mutex_unlock(&keys->lock);
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "out of memory");
    }
    if (count > 0) {
        e = store_key_use(store, uses, count, out_fault);
    }
    if (e != ERR_NONE) {
        give_back(keys, uses, count);
    }
    free(uses);
    return e;
}
