/* SPDX-License-Identifier: Apache-2.0 */
#include "store/job_order.h"

#include <stdlib.h>

#include "base/slice.h"
#include "store/place.h"
#include "store/store_private.h"

enum { ORDER_FIRST = 1024, ORDER_MAX = 1 << 28 };

struct line {
    int64_t place, item;
    size_t turn; /* from 0 */
};

struct order {
    struct store *store;
    struct line *lines;
    size_t count, cap;
    int64_t job, turn_first;
};

static enum err prepare(struct order *order, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v2(order->store->db, sql, -1, out, NULL) == SQLITE_OK ? ERR_NONE
                                                                                 : ERR_STORE;
}

static enum err grow(struct order *order)
{
    if (order->count < order->cap) {
        return ERR_NONE;
    }
    if (order->cap >= ORDER_MAX) {
        return ERR_LIMIT;
    }
    size_t cap = order->cap == 0 ? ORDER_FIRST : order->cap * 2;
    struct line *lines = realloc(order->lines, cap * sizeof *lines);
    if (lines == NULL) {
        return ERR_NOMEM;
    }
    order->lines = lines;
    order->cap = cap;
    return ERR_NONE;
}

static enum err read_lines(struct order *order)
{
    sqlite3_stmt *statement = NULL;
    enum err e =
        prepare(order, "SELECT place,id FROM job_item WHERE job=?1 AND address<>''", &statement);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, order->job);
    int result = sqlite3_step(statement);
    while (e == ERR_NONE && result == SQLITE_ROW) {
        e = grow(order);
        if (e == ERR_NONE) {
            order->lines[order->count++] = (struct line){
                .place = sqlite3_column_int64(statement, 0),
                .item = sqlite3_column_int64(statement, 1),
            };
            result = sqlite3_step(statement);
        }
    }
    sqlite3_finalize(statement);
    return e == ERR_NONE && result != SQLITE_DONE ? ERR_STORE : e;
}

static int by_place(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;
    if (x->place != y->place) {
        return x->place < y->place ? -1 : 1;
    }
    return (x->item > y->item) - (x->item < y->item);
}

static int by_turn(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;
    return (x->turn > y->turn) - (x->turn < y->turn);
}

static enum err have_same_key(sqlite3_stmt *statement, int64_t a, int64_t b, bool *out)
{
    (void)sqlite3_bind_int64(statement, 1, a);
    (void)sqlite3_bind_int64(statement, 2, b);
    int result = sqlite3_step(statement);
    *out = result == SQLITE_ROW;
    (void)sqlite3_reset(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

/* Keeps the first line of each key. The lines are sorted: those of one key share a place. */
static enum err drop_doubles(struct order *order)
{
    sqlite3_stmt *statement = NULL;
    enum err e = prepare(order,
                         "SELECT 1 FROM job_item a, job_item b WHERE a.id=?1 AND b.id=?2"
                         " AND coalesce(a.key,a.address)=coalesce(b.key,b.address)",
                         &statement);
    size_t kept = 0;
    for (size_t i = 0; i < order->count && e == ERR_NONE; i++) {
        bool is_double = false;
        for (size_t j = kept; j > 0 && order->lines[j - 1].place == order->lines[i].place; j--) {
            e = have_same_key(statement, order->lines[j - 1].item, order->lines[i].item,
                              &is_double);
            if (is_double || e != ERR_NONE) {
                break;
            }
        }
        if (!is_double) {
            order->lines[kept++] = order->lines[i];
        }
    }
    sqlite3_finalize(statement);
    order->count = kept;
    return e;
}

static int64_t domain_of(const struct line *line)
{
    return line->place >> STORE_PLACE_KEY_BITS;
}

/* Counts how many runs of earlier rounds there are; then each line takes the next turn of its round. */
static enum err take_turns(struct order *order)
{
    size_t rounds = order->count / JOB_RUN + 2;
    size_t *next = calloc(rounds, sizeof *next);
    if (next == NULL) {
        return ERR_NOMEM;
    }
    size_t rank = 0;
    for (size_t i = 0; i < order->count; i++) {
        struct line *line = &order->lines[i];
        rank = i > 0 && domain_of(line) == domain_of(line - 1) ? rank + 1 : 0;
        line->turn = rank / JOB_RUN; /* the round, for the moment */
        next[line->turn + 1]++;
    }
    for (size_t i = 1; i < rounds; i++) {
        next[i] += next[i - 1];
    }
    for (size_t i = 0; i < order->count; i++) {
        order->lines[i].turn = next[order->lines[i].turn]++;
    }
    free(next);
    return ERR_NONE;
}

static enum err find_first_turn(struct order *order)
{
    sqlite3_stmt *statement = NULL;
    enum err e = prepare(order, "SELECT coalesce(max(id),0)+1 FROM job_turn", &statement);
    if (e != ERR_NONE) {
        return e;
    }
    e = sqlite3_step(statement) == SQLITE_ROW ? ERR_NONE : ERR_STORE;
    order->turn_first = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return e;
}

static enum err write_places(struct order *order)
{
    sqlite3_stmt *statement = NULL;
    enum err e =
        prepare(order, "INSERT INTO job_place(job,place,turn) VALUES(?1,?2,?3)", &statement);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, order->job);
    for (size_t i = 0; i < order->count && e == ERR_NONE; i++) {
        (void)sqlite3_bind_int64(statement, 2, order->lines[i].place);
        (void)sqlite3_bind_int64(statement, 3, order->turn_first + (int64_t)order->lines[i].turn);
        e = store_run(statement);
    }
    sqlite3_finalize(statement);
    return e;
}

static enum err write_turns(struct order *order)
{
    sqlite3_stmt *statement = NULL;
    enum err e = prepare(order, "INSERT INTO job_turn VALUES(?1,?2)", &statement);
    if (e != ERR_NONE) {
        return e;
    }
    for (size_t i = 0; i < order->count && e == ERR_NONE; i++) {
        (void)sqlite3_bind_int64(statement, 1, order->turn_first + (int64_t)order->lines[i].turn);
        (void)sqlite3_bind_int64(statement, 2, order->lines[i].item);
        e = store_run(statement);
    }
    sqlite3_finalize(statement);
    return e;
}

/* Each table is written in its own order, and so appended to. */
static enum err write_all(struct order *order)
{
    enum err e = read_lines(order);
    if (e == ERR_NONE && order->count > 0) {
        qsort(order->lines, order->count, sizeof *order->lines, by_place);
    }
    e = e != ERR_NONE ? e : drop_doubles(order);
    e = e != ERR_NONE ? e : take_turns(order);
    e = e != ERR_NONE ? e : find_first_turn(order);
    e = e != ERR_NONE ? e : write_places(order);
    if (e == ERR_NONE && order->count > 0) {
        qsort(order->lines, order->count, sizeof *order->lines, by_turn);
    }
    return e != ERR_NONE ? e : write_turns(order);
}

enum err job_order_write(struct store *store, int64_t job, int64_t *out_turn_first,
                         int64_t *out_turn_end, struct fault *out_fault)
{
    struct order order = {.store = store, .job = job};
    enum err e = write_all(&order);
    free(order.lines);
    if (e == ERR_STORE) {
        return store_fail(store, out_fault, "cannot be written");
    }
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "no memory for the order of the list");
    }
    *out_turn_first = order.turn_first;
    *out_turn_end = order.turn_first + (int64_t)order.count;
    return ERR_NONE;
}
