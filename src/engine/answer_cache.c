/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/map.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/record_json.h"

enum {
    PARTS = 16,              /* each with a lock of its own */
    ENTRY_BYTES_MAX = 65536, /* what is larger is rare, and stays in the store */
    ENTRY_OVERHEAD = 128,    /* of the entry, its slot and malloc */
};

struct entry {
    TAILQ_ENTRY(entry) link; /* newest use last */
    struct answer_cache_life life;
    size_t key_len, rest_len;
    char text[]; /* the key, and the JSON behind "email" */
};
TAILQ_HEAD(entry_list, entry);

struct part {
    pthread_mutex_t mutex;
    struct map map;
    struct entry_list used;
    size_t bytes;
};

struct answer_cache {
    size_t part_bytes_max;
    uint64_t seed;
    struct part parts[PARTS];
};

enum err answer_cache_new(size_t bytes_max, uint64_t seed, struct answer_cache **out)
{
    struct answer_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL) {
        return ERR_NOMEM;
    }
    cache->part_bytes_max = bytes_max / PARTS;
    cache->seed = seed;
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &cache->parts[i];
        must(pthread_mutex_init(&part->mutex, NULL) == 0); /* of the default kind: it cannot fail */
        map_init(&part->map, seed);
        TAILQ_INIT(&part->used);
    }
    *out = cache;
    return ERR_NONE;
}

static size_t weight(const struct entry *entry)
{
    return ENTRY_OVERHEAD + entry->key_len + entry->rest_len;
}

static struct slice key_of(const struct entry *entry)
{
    return slice_make(entry->text, entry->key_len);
}

static void drop(struct part *part, struct entry *entry)
{
    (void)map_remove(&part->map, key_of(entry));
    TAILQ_REMOVE(&part->used, entry, link);
    part->bytes -= weight(entry);
    free(entry);
}

void answer_cache_free(struct answer_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &cache->parts[i];
        while (!TAILQ_EMPTY(&part->used)) {
            drop(part, TAILQ_FIRST(&part->used));
        }
        map_done(&part->map);
        (void)pthread_mutex_destroy(&part->mutex);
    }
    free(cache);
}

/* By the address's last bytes before its domain would do as well; all of it is cheap enough. */
static struct part *part_of(struct answer_cache *cache, struct slice key)
{
    return &cache->parts[slice_hash(key, cache->seed) % PARTS];
}

/* The JSON behind "email", beginning with the comma. */
static enum err write_rest(const struct record *record, struct buf *out, struct slice *out_rest)
{
    struct record cached = *record;
    cached.email = SLICE_NONE;
    cached.is_cached = true;
    cached.transcript_count = 0;
    enum err e = record_write_json(&cached, out);
    if (e == ERR_NONE) {
        const struct slice begin = SLICE_LITERAL("{\"email\":\"\"");
        must(slice_starts(buf_view(out), begin));
        *out_rest = slice_sub(buf_view(out), begin.len, out->len);
    }
    return e;
}

static void put(struct part *part, size_t bytes_max, struct entry *entry)
{
    struct entry *old = map_find(&part->map, key_of(entry));
    if (old != NULL && old->life.checked_at_ms > entry->life.checked_at_ms) {
        free(entry);
        return;
    }
    if (old != NULL) {
        drop(part, old);
    }
    while (part->bytes + weight(entry) > bytes_max && !TAILQ_EMPTY(&part->used)) {
        drop(part, TAILQ_FIRST(&part->used));
    }
    if (map_put(&part->map, key_of(entry), entry) != ERR_NONE) {
        free(entry);
        return;
    }
    TAILQ_INSERT_TAIL(&part->used, entry, link);
    part->bytes += weight(entry);
}

void answer_cache_put(struct answer_cache *cache, struct slice key, const struct record *record)
{
    struct buf json;
    struct slice rest;
    buf_init(&json, ENTRY_BYTES_MAX);
    struct entry *entry = NULL;
    if (write_rest(record, &json, &rest) == ERR_NONE) {
        entry = malloc(sizeof *entry + key.len + rest.len);
    }
    if (entry != NULL) {
        *entry = (struct entry){.life = {record->checked_at_ms, record->expires_at_ms},
                                .key_len = key.len,
                                .rest_len = rest.len};
        memcpy(entry->text, key.at, key.len);
        memcpy(entry->text + key.len, rest.at, rest.len);
        struct part *part = part_of(cache, key);
        (void)pthread_mutex_lock(&part->mutex);
        put(part, cache->part_bytes_max, entry);
        (void)pthread_mutex_unlock(&part->mutex);
    }
    buf_done(&json);
}

void answer_cache_drop(struct answer_cache *cache, struct slice key)
{
    struct part *part = part_of(cache, key);
    (void)pthread_mutex_lock(&part->mutex);
    struct entry *entry = map_find(&part->map, key);
    if (entry != NULL) {
        drop(part, entry);
    }
    (void)pthread_mutex_unlock(&part->mutex);
}

static enum err give(const struct entry *entry, struct slice email, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "email", email);
    return w.err != ERR_NONE
               ? w.err
               : buf_append(out, slice_make(entry->text + entry->key_len, entry->rest_len));
}

/* As the store has it: what was checked more than a day from now was checked with a wrong clock. */
static bool is_alive(const struct answer_cache_life *life, int64_t now_ms, int64_t age_ms_max)
{
    enum { DAY_MS = 86400000 };
    return life->expires_at_ms > now_ms && life->checked_at_ms - DAY_MS <= now_ms &&
           (age_ms_max == 0 || life->checked_at_ms >= now_ms - age_ms_max);
}

bool answer_cache_find(struct answer_cache *cache, const struct answer_cache_look *look,
                       struct buf *out_json, struct answer_cache_life *out)
{
    bool is_found = false;
    struct part *part = part_of(cache, look->key);
    (void)pthread_mutex_lock(&part->mutex);
    struct entry *entry = map_find(&part->map, look->key);
    if (entry != NULL && is_alive(&entry->life, look->now_ms, look->age_ms_max)) {
        TAILQ_REMOVE(&part->used, entry, link);
        TAILQ_INSERT_TAIL(&part->used, entry, link);
        *out = entry->life;
        is_found = give(entry, look->email, out_json) == ERR_NONE;
    }
    (void)pthread_mutex_unlock(&part->mutex);
    return is_found;
}
