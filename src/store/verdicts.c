/* store/verdicts: the verdict cache, what is learned of domains, and the history of facts.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/slice.h"
#include "store/place.h"
#include "store/store_private.h"

static bool find_text(sqlite3_stmt *statement, struct buf *out)
{
    bool is_found = sqlite3_step(statement) == SQLITE_ROW &&
                    buf_append(out, store_column(statement, 0)) == ERR_NONE;
    (void)sqlite3_reset(statement);
    return is_found;
}

/* Those of older files, and those that gain nothing, are not packed. */
static bool find_record(sqlite3_stmt *statement, struct buf *out)
{
    bool is_found = sqlite3_step(statement) == SQLITE_ROW;
    if (is_found && sqlite3_column_type(statement, 0) == SQLITE_BLOB) {
        const char *at = sqlite3_column_blob(statement, 0);
        size_t len = (size_t)sqlite3_column_bytes(statement, 0);
        is_found = at != NULL && store_unpack(slice_make(at, len), out) == ERR_NONE;
    } else {
        is_found = is_found && buf_append(out, store_column(statement, 0)) == ERR_NONE;
    }
    (void)sqlite3_reset(statement);
    return is_found;
}

bool store_verdict_find(struct store *store, struct slice key, int64_t now_ms, int64_t age_ms_max,
                        struct buf *out_json)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_VERDICT_FIND);
    if (statement == NULL) {
        return false;
    }
    store_bind_key(statement, 1, key);
    (void)sqlite3_bind_int64(statement, 3, now_ms);
    (void)sqlite3_bind_int64(statement, 4, age_ms_max == 0 ? INT64_MIN : now_ms - age_ms_max);
    return find_record(statement, out_json);
}

/* A run has one variant: it is written once in a group. */
static enum err put_variant(struct store *store, struct slice variant)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_VARIANT_PUT);
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind(statement, 1, variant);
    enum err e = store_run(statement);
    store->has_variant = e == ERR_NONE && variant.len < sizeof store->variant;
    if (store->has_variant) {
        memcpy(store->variant, variant.at, variant.len);
        store->variant[variant.len] = '\0';
    }
    return e;
}

static enum err note_variant(struct store *store, struct slice key)
{
    struct slice variant = store_variant(key);
    bool is_known =
        variant.len == 0 || (store->has_variant && slice_equal(variant, slice_of(store->variant)));
    return is_known ? ERR_NONE : put_variant(store, variant);
}

/* 0: there is none. */
static enum err find_row(struct store *store, struct slice key, int64_t *out_id)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_VERDICT_ROW);
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, key);
    int result = sqlite3_step(statement);
    *out_id = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

enum err store_verdict_put(struct store *store, const struct store_verdict *verdict)
{
    struct store_verdict row = *verdict;
    bool is_packed = false;
    buf_clear(&store->packed);
    if (store_pack(&store->pack, verdict->json, &store->packed, &is_packed) == ERR_NONE &&
        is_packed) {
        row.json = buf_view(&store->packed);
    }
    return store->outbox != NULL ? courier_verdict_put(store, &row, is_packed)
                                 : store_verdict_write(store, &row, is_packed);
}

enum err store_verdict_write(struct store *store, const struct store_verdict *verdict,
                             bool is_packed)
{
    int64_t id = 0;
    enum err e = store_begin_write(store);
    e = e != ERR_NONE ? e : find_row(store, verdict->key, &id);
    sqlite3_stmt *statement =
        store_statement(store, id != 0 ? STATEMENT_VERDICT_CHANGE : STATEMENT_VERDICT_ADD);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    if (id != 0) {
        (void)sqlite3_bind_int64(statement, 1, id);
    } else {
        store_bind_key(statement, 1, verdict->key);
    }
    store_bind(statement, 3, verdict->domain);
    store_bind(statement, 4, verdict->status);
    store_bind(statement, 5, verdict->sub_status);
    (void)sqlite3_bind_int64(statement, 6, verdict->checked_at_ms);
    (void)sqlite3_bind_int64(statement, 7, verdict->expires_at_ms);
    if (is_packed) {
        store_bind_bytes(statement, 8, verdict->json);
    } else {
        store_bind(statement, 8, verdict->json);
    }
    e = store_run(statement);
    e = e != ERR_NONE ? e : note_variant(store, verdict->key);
    return e != ERR_NONE ? e : store_end_write(store);
}

bool store_domain_find(struct store *store, struct slice domain, struct slice name, int64_t now_ms,
                       struct buf *out_value)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_DOMAIN_FIND);
    if (statement == NULL) {
        return false;
    }
    store_bind(statement, 1, domain);
    store_bind(statement, 2, name);
    (void)sqlite3_bind_int64(statement, 3, now_ms);
    return find_text(statement, out_value);
}

enum err store_domain_put(struct store *store, struct slice domain, struct slice name,
                          struct slice value, int64_t at_ms, int64_t expires_at_ms)
{
    if (store->outbox != NULL) {
        return courier_domain_put(store, domain, name, value, at_ms, expires_at_ms);
    }
    enum err e = store_begin_write(store);
    sqlite3_stmt *statement = store_statement(store, STATEMENT_DOMAIN_PUT);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    store_bind(statement, 1, domain);
    store_bind(statement, 2, name);
    store_bind(statement, 3, value);
    (void)sqlite3_bind_int64(statement, 4, at_ms);
    (void)sqlite3_bind_int64(statement, 5, expires_at_ms);
    e = store_run(statement);
    return e != ERR_NONE ? e : store_end_write(store);
}

enum err store_fact_put(struct store *store, const struct store_fact *fact)
{
    if (store->outbox != NULL) {
        return courier_fact_put(store, fact);
    }
    enum err e = store_begin_write(store);
    sqlite3_stmt *statement = store_statement(store, STATEMENT_FACT_PUT);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, fact->key);
    store_bind(statement, 3, fact->domain);
    store_bind(statement, 4, fact->kind);
    store_bind(statement, 5, fact->source);
    store_bind(statement, 6, fact->detail);
    (void)sqlite3_bind_int64(statement, 7, fact->at_ms);
    e = store_run(statement);
    return e != ERR_NONE ? e : store_end_write(store);
}

int64_t store_fact_oldest(struct store *store)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_FACT_OLDEST);
    bool is_there = statement != NULL && sqlite3_step(statement) == SQLITE_ROW;
    int64_t at_ms = is_there ? sqlite3_column_int64(statement, 0) : INT64_MAX;
    if (statement != NULL) {
        (void)sqlite3_reset(statement);
    }
    return at_ms;
}

static enum err each_fact(sqlite3_stmt *statement, store_fact_fn fn, void *context)
{
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        struct store_fact fact = {
            .key = store_column(statement, 0),
            .domain = store_column(statement, 1),
            .kind = store_column(statement, 2),
            .source = store_column(statement, 3),
            .detail = store_column(statement, 4),
            .at_ms = sqlite3_column_int64(statement, 5),
        };
        fn(context, &fact);
        result = sqlite3_step(statement);
    }
    (void)sqlite3_reset(statement);
    return result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

enum err store_fact_each(struct store *store, struct slice key, size_t limit, store_fact_fn fn,
                         void *context)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_FACT_EACH);
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, key);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)limit);
    return each_fact(statement, fn, context);
}

enum err store_fact_each_of_domain(struct store *store, struct slice domain, int64_t before_ms,
                                   size_t limit, store_fact_fn fn, void *context)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_FACT_OF_DOMAIN);
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_domain(statement, domain, before_ms, limit);
    return each_fact(statement, fn, context);
}
