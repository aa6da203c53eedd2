/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outcomes.h"

#include "base/must.h"
#include "store/store_private.h"

enum err store_outcome_put(struct store *store, const struct store_outcome *outcome)
{
    must(store->outbox == NULL);
    enum err e = store_begin_write(store);
    sqlite3_stmt *statement = store_statement(store, STATEMENT_OUTCOME_PUT);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, outcome->key);
    store_bind(statement, 3, outcome->domain);
    store_bind(statement, 4, outcome->provider);
    (void)sqlite3_bind_int(statement, 5, outcome->was_alive ? 1 : 0);
    (void)sqlite3_bind_double(statement, 6, outcome->said);
    (void)sqlite3_bind_int64(statement, 7, outcome->at_ms);
    e = store_run(statement);
    return e != ERR_NONE ? e : store_end_write(store);
}

enum err store_outcome_each(struct store *store, struct slice domain, int64_t before_ms,
                            size_t limit, store_outcome_fn fn, void *context)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_OUTCOME_EACH);
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_domain(statement, domain, before_ms, limit);
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        const struct store_outcome outcome = {
            .key = store_column(statement, 0),
            .domain = store_column(statement, 1),
            .provider = store_column(statement, 2),
            .was_alive = sqlite3_column_int(statement, 3) != 0,
            .said = sqlite3_column_double(statement, 4),
            .at_ms = sqlite3_column_int64(statement, 5),
        };
        fn(context, &outcome);
        result = sqlite3_step(statement);
    }
    (void)sqlite3_reset(statement);
    return result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

enum err store_outcome_sum(struct store *store, struct slice provider, int64_t before_ms,
                           uint32_t limit, struct store_outcome_sum *out)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_OUTCOME_SUM);
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind(statement, 1, provider);
    (void)sqlite3_bind_int64(statement, 2, before_ms);
    (void)sqlite3_bind_int64(statement, 3, limit);
    bool is_there = sqlite3_step(statement) == SQLITE_ROW;
    if (is_there) {
        *out = (struct store_outcome_sum){
            .count = (uint32_t)sqlite3_column_int64(statement, 0),
            .said = sqlite3_column_double(statement, 1),
            .alive = sqlite3_column_double(statement, 2),
        };
    }
    (void)sqlite3_reset(statement);
    return is_there ? ERR_NONE : ERR_STORE;
}
