/* SPDX-License-Identifier: Apache-2.0 */
#include "store/results.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "store/store_private.h"

enum {
    RESULTS_TEXTS_MAX = 4 << 20, /* more are written in parts */
    RESULTS_FIRST = 256,
};

/* Its texts follow each other from at on. */
struct result_row {
    int64_t item, turn;
    size_t at, status_len, result_len;
};

void results_init(struct results *results)
{
    *results = (struct results){.rows = NULL};
    buf_init(&results->texts, RESULTS_TEXTS_MAX);
}

void results_done(struct results *results)
{
    buf_done(&results->texts);
    free(results->rows);
}

void store_results_forget(struct store *store)
{
    buf_clear(&store->results.texts);
    store->results.count = 0;
}

bool store_results_wait(const struct store *store, int64_t first, int64_t end)
{
    const struct results *results = &store->results;
    for (size_t i = 0; i < results->count; i++) {
        if (results->rows[i].turn >= first && results->rows[i].turn < end) {
            return true;
        }
    }
    return false;
}

static enum err write_row(struct store *store, int64_t turn, struct slice status,
                          struct slice result)
{
    sqlite3_stmt *add = store_statement(store, STATEMENT_JOB_RESULT_ADD);
    sqlite3_stmt *point = store_statement(store, STATEMENT_JOB_TURN_ANSWERED);
    if (add == NULL || point == NULL) {
        return ERR_STORE;
    }
    store_bind(add, 1, status);
    store_bind(add, 2, result);
    enum err e = store_run(add);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(point, 1, turn);
    (void)sqlite3_bind_int64(point, 2, sqlite3_last_insert_rowid(store->db));
    return store_run(point);
}

/* In the order of the list; of two for one item the newer one comes first. */
static int by_item(const void *a, const void *b)
{
    const struct result_row *x = a;
    const struct result_row *y = b;
    if (x->item != y->item) {
        return x->item < y->item ? -1 : 1;
    }
    return (x->at < y->at) - (x->at > y->at);
}

/* The first rows are in the file: they do not wait any more. */
static void drop_first(struct results *results, size_t count)
{
    results->count -= count;
    memmove(results->rows, results->rows + count, results->count * sizeof *results->rows);
}

enum err store_results_write(struct store *store)
{
    struct results *results = &store->results;
    if (results->count > 0) {
        qsort(results->rows, results->count, sizeof *results->rows, by_item);
    }
    for (size_t i = 0; i < results->count; i++) {
        const struct result_row *row = &results->rows[i];
        if (i > 0 && row->item == row[-1].item) {
            continue;
        }
        const char *at = results->texts.at + row->at;
        enum err e = write_row(store, row->turn, slice_make(at, row->status_len),
                               slice_make(at + row->status_len, row->result_len));
        if (e != ERR_NONE) {
            drop_first(results, i);
            return e;
        }
    }
    store_results_forget(store);
    return ERR_NONE;
}

static enum err grow(struct results *results)
{
    if (results->count < results->cap) {
        return ERR_NONE;
    }
    size_t cap = results->cap == 0 ? RESULTS_FIRST : results->cap * 2;
    struct result_row *rows = realloc(results->rows, cap * sizeof *rows);
    if (rows == NULL) {
        return ERR_NOMEM;
    }
    results->rows = rows;
    results->cap = cap;
    return ERR_NONE;
}

/* ERR_LIMIT, ERR_NOMEM: there is no room. */
static enum err gather(struct results *results, struct result_row row, struct slice status,
                       struct slice result)
{
    enum err e = grow(results);
    e = e != ERR_NONE ? e : buf_reserve(&results->texts, status.len + result.len);
    e = e != ERR_NONE ? e : buf_append(&results->texts, status);
    e = e != ERR_NONE ? e : buf_append(&results->texts, result);
    if (e != ERR_NONE) {
        return e;
    }
    results->rows[results->count++] = row;
    return ERR_NONE;
}

static enum err change(struct store *store, int64_t id, struct slice status, struct slice result)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_JOB_RESULT_CHANGE);
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    store_bind(statement, 2, status);
    store_bind(statement, 3, result);
    return store_run(statement);
}

/* The item of a turn (0: it was erased, or is no longer there), and the number of the result that it has (0: none). */
static enum err find_turn(struct store *store, int64_t turn, int64_t *out_item, int64_t *out_result)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_JOB_TURN_FIND);
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, turn);
    int found = sqlite3_step(statement);
    *out_item = found == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    *out_result = found == SQLITE_ROW ? sqlite3_column_int64(statement, 1) : 0;
    (void)sqlite3_reset(statement);
    return found == SQLITE_ROW || found == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

enum err store_results_keep(struct store *store, int64_t turn, struct slice status,
                            struct slice result)
{
    int64_t item;
    int64_t id;
    enum err e = find_turn(store, turn, &item, &id);
    if (e != ERR_NONE || item == 0) {
        return e;
    }
    if (id != 0) {
        return change(store, id, status, result);
    }
    const struct result_row row = {.item = item,
                                   .turn = turn,
                                   .at = store->results.texts.len,
                                   .status_len = status.len,
                                   .result_len = result.len};
    if (gather(&store->results, row, status, result) == ERR_NONE) {
        return ERR_NONE;
    }
    e = store_results_write(store);
    return e != ERR_NONE ? e : write_row(store, turn, status, result);
}
