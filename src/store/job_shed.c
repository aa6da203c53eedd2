/* SPDX-License-Identifier: Apache-2.0 */
#include "store/job_shed.h"

#include "store/job_lock.h"
#include "store/store_private.h"

enum { SHED_GROUP_ROWS = 2048 }; /* each has four rows and their places in indexes */

/* Up to three numbers in, one out where there is a row. */
static enum err run(struct store *store, const char *sql, const int64_t numbers[3], int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        return ERR_STORE;
    }
    for (int i = 0; i < sqlite3_bind_parameter_count(statement); i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): no statement has more than three */
        (void)sqlite3_bind_int64(statement, i + 1, numbers[i]);
    }
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW && out != NULL) {
        *out = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

#define DELETE_PLACES                                                                            \
    "DELETE FROM job_place WHERE (place,job,turn) IN (SELECT i.place,i.job,t.id FROM job_turn t" \
    " JOIN job_item i ON i.id=t.item WHERE t.id>=?2 AND t.id<?3)"

/* Turns from first up to end, with all that hangs on them. */
static enum err shed_turns(struct store *store, int64_t id, int64_t first, int64_t end)
{
    static const char *const steps[] = {
        "DELETE FROM job_result WHERE id IN (SELECT result FROM job_turn WHERE id>=?2 AND id<?3)",
        (DELETE_PLACES),
        "DELETE FROM job_item WHERE id IN (SELECT item FROM job_turn WHERE id>=?2 AND id<?3)",
        "DELETE FROM job_turn WHERE id>=?2 AND id<?3",
        "UPDATE job SET turn_first=?3,state=0 WHERE id=?1",
    };
    const int64_t numbers[3] = {id, first, end};
    enum err e = ERR_NONE;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && e == ERR_NONE; i++) {
        e = run(store, steps[i], numbers, NULL);
    }
    return e;
}

/* Items without a turn: doubles, and those of a list that was not loaded. *cursor stays where there are none. */
static enum err shed_items(struct store *store, int64_t id, size_t limit, int64_t *cursor)
{
    int64_t last = *cursor;
    enum err e = run(store,
                     "SELECT coalesce(max(id),?2) FROM (SELECT id FROM job_item WHERE job=?1"
                     " AND id>?2 ORDER BY id LIMIT ?3)",
                     (const int64_t[3]){id, *cursor, (int64_t)limit}, &last);
    if (e == ERR_NONE && last != *cursor) {
        e = run(store, "DELETE FROM job_item WHERE job=?1 AND id>?2 AND id<=?3",
                (const int64_t[3]){id, *cursor, last}, NULL);
    }
    *cursor = e == ERR_NONE ? last : *cursor;
    return e;
}

static enum err shed_row(struct store *store, int64_t id)
{
    const int64_t numbers[3] = {id, 0, 0};
    int64_t turns = 0;
    /* An order that was not finished may have written a place whose turn is not there. */
    enum err e = run(store, "SELECT count(*) FROM job WHERE id=?1 AND loaded=0 AND turn_end>0",
                     numbers, &turns);
    if (e == ERR_NONE && turns > 0) {
        e = run(store, "DELETE FROM job_place WHERE job=?1", numbers, NULL);
    }
    return e != ERR_NONE ? e : run(store, "DELETE FROM job WHERE id=?1", numbers, NULL);
}

static enum err shed(struct store *store, int64_t id, size_t limit, int64_t *cursor, bool *out)
{
    const int64_t numbers[3] = {id, 0, 0};
    int64_t first = 0;
    int64_t end = 0;
    enum err e = run(store, "SELECT turn_first FROM job WHERE id=?1", numbers, &first);
    e = e != ERR_NONE ? e : run(store, "SELECT turn_end FROM job WHERE id=?1", numbers, &end);
    if (e != ERR_NONE) {
        return e;
    }
    if (first < end) {
        int64_t part = end - first < (int64_t)limit ? end - first : (int64_t)limit;
        return shed_turns(store, id, first, first + part);
    }
    int64_t before = *cursor;
    e = shed_items(store, id, limit, cursor);
    if (e == ERR_NONE && *cursor == before) {
        e = shed_row(store, id);
        *out = e == ERR_NONE;
    }
    return e;
}

enum err store_job_shed(struct store *store, int64_t id, size_t limit, int64_t *cursor,
                        bool *out_is_done, struct fault *out_fault)
{
    struct job_lock lock;
    bool is_done = false;
    enum err e = job_lock_take(store, id, 0, &lock, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = store_begin_write(store);
    e = e != ERR_NONE ? e : store_results_write(store);
    e = e != ERR_NONE ? e : shed(store, id, limit, cursor, &is_done);
    store->pending += (unsigned)limit;
    bool is_full = is_done || store->pending >= SHED_GROUP_ROWS;
    e = e == ERR_NONE && is_full ? store_flush(store, out_fault) : e;
    if (e == ERR_NONE) {
        *out_is_done = is_done;
        if (is_done) {
            job_lock_remove(&lock);
        }
    } else {
        e = store_fail(store, out_fault, "cannot be written");
    }
    job_lock_release(&lock);
    return e;
}
