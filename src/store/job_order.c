/* SPDX-License-Identifier: Apache-2.0 */
#include "store/job_order.h"

#include <stdlib.h>

#include "base/slice.h"
#include "store/place.h"
#include "store/store_private.h"

enum {
    ORDER_FIRST = 1024,
    ORDER_MAX = 1 << 28,
    ORDER_RUN = 1024, /* lines sorted at once, before runs are merged */
    ORDER_IN_MEMORY =
        32,         /* lines that are moved in memory cost that much less than those written, */
    ORDER_READ = 4, /* and those read, or sorted */
};

struct line {
    int64_t place, item;
    size_t turn; /* from 0 */
};

enum phase {
    PHASE_READ,
    PHASE_SORT,    /* runs of lines, by place */
    PHASE_MERGE,   /* the runs, pair by pair */
    PHASE_DOUBLES, /* go; those of one key share a place */
    PHASE_ROUNDS,  /* which round of runs each line is in, and how many are in each */
    PHASE_TURNS,   /* each line takes the next turn of its round */
    PHASE_RESERVE,
    PHASE_WRITE_PLACES, /* each table in its own order, and so appended to */
    PHASE_WRITE_TURNS,
    PHASE_DONE,
};

struct job_order {
    struct store *store;
    enum phase phase;
    struct line *lines, *other; /* the latter of the same size, from PHASE_MERGE on */
    size_t count, cap;
    size_t at, kept; /* how far the phase is */
    struct {
        size_t width, a, a_end, b, b_end; /* of the pair of runs */
    } merge;
    size_t *next; /* turn of each round */
    size_t rounds, rank;
    int64_t job, last_item, turn_first;
    sqlite3_stmt *statement; /* of the phase */
};

enum err job_order_new(struct store *store, int64_t job, int64_t first_item, struct job_order **out)
{
    struct job_order *order = calloc(1, sizeof *order);
    if (order == NULL) {
        return ERR_NOMEM;
    }
    order->store = store;
    order->job = job;
    order->last_item = first_item - 1;
    *out = order;
    return ERR_NONE;
}

void job_order_free(struct job_order *order)
{
    if (order == NULL) {
        return;
    }
    sqlite3_finalize(order->statement);
    free(order->lines);
    free(order->other);
    free(order->next);
    free(order);
}

int64_t job_order_turn_first(const struct job_order *order)
{
    return order->turn_first;
}

int64_t job_order_turn_end(const struct job_order *order)
{
    return order->turn_first + (int64_t)order->count;
}

static void enter(struct job_order *order, enum phase phase)
{
    sqlite3_finalize(order->statement);
    order->statement = NULL;
    order->phase = phase;
    order->at = 0;
}

static enum err prepare(struct job_order *order, const char *sql)
{
    if (order->statement != NULL) {
        return ERR_NONE;
    }
    return sqlite3_prepare_v2(order->store->db, sql, -1, &order->statement, NULL) == SQLITE_OK
               ? ERR_NONE
               : ERR_STORE;
}

static size_t end_of_step(const struct job_order *order, size_t limit)
{
    size_t left = order->count - order->at;
    return order->at + (left < limit ? left : limit);
}

/* Reading. */

static enum err grow(struct job_order *order)
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

static enum err read_some(struct job_order *order, size_t limit)
{
    enum err e =
        prepare(order, "SELECT place,id FROM job_item WHERE job=?1 AND id>?2 AND address<>''"
                       " ORDER BY id LIMIT ?3");
    if (e != ERR_NONE) {
        return e;
    }
    sqlite3_stmt *statement = order->statement;
    size_t before = order->count;
    (void)sqlite3_bind_int64(statement, 1, order->job);
    (void)sqlite3_bind_int64(statement, 2, order->last_item);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)(limit < ORDER_MAX ? limit : ORDER_MAX));
    int result = sqlite3_step(statement);
    while (e == ERR_NONE && result == SQLITE_ROW) {
        e = grow(order);
        if (e == ERR_NONE) {
            order->last_item = sqlite3_column_int64(statement, 1);
            order->lines[order->count++] = (struct line){
                .place = sqlite3_column_int64(statement, 0), .item = order->last_item};
            result = sqlite3_step(statement);
        }
    }
    (void)sqlite3_reset(statement);
    if (e == ERR_NONE && result == SQLITE_DONE && order->count - before < limit) {
        enter(order, PHASE_SORT);
    }
    return e == ERR_NONE && result != SQLITE_DONE ? ERR_STORE : e;
}

/* Sorting. */

static int by_place(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;
    if (x->place != y->place) {
        return x->place < y->place ? -1 : 1;
    }
    return (x->item > y->item) - (x->item < y->item);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum err sort_some(struct job_order *order, size_t limit)
{
    size_t end = end_of_step(order, limit);
    while (order->at < end) {
        size_t len = smaller(ORDER_RUN, order->count - order->at);
        qsort(order->lines + order->at, len, sizeof *order->lines, by_place);
        order->at += len;
    }
    if (order->at < order->count) {
        return ERR_NONE;
    }
    order->other = calloc(order->count + 1, sizeof *order->other);
    if (order->other == NULL) {
        return ERR_NOMEM;
    }
    order->merge.width = ORDER_RUN;
    enter(order, order->count <= ORDER_RUN ? PHASE_DOUBLES : PHASE_MERGE);
    return ERR_NONE;
}

static void next_pair(struct job_order *order)
{
    size_t width = order->merge.width;
    order->merge.a = order->at;
    order->merge.a_end = order->merge.b = smaller(order->at + width, order->count);
    order->merge.b_end = smaller(order->merge.b + width, order->count);
}

static void swap_lines(struct job_order *order)
{
    struct line *lines = order->lines;
    order->lines = order->other;
    order->other = lines;
}

static void merge_some(struct job_order *order, size_t limit)
{
    size_t end = end_of_step(order, limit);
    while (order->at < end) {
        if (order->merge.a == order->merge.a_end && order->merge.b == order->merge.b_end) {
            next_pair(order);
        }
        size_t a = order->merge.a;
        size_t b = order->merge.b;
        bool has_b = b < order->merge.b_end;
        bool takes_a =
            a < order->merge.a_end && (!has_b || by_place(&order->lines[a], &order->lines[b]) < 0);
        order->other[order->at++] = order->lines[takes_a ? a : b];
        order->merge.a += takes_a ? 1 : 0;
        order->merge.b += takes_a ? 0 : 1;
    }
    if (order->at == order->count) {
        swap_lines(order);
        order->at = order->merge.a = order->merge.a_end = order->merge.b = order->merge.b_end = 0;
        order->merge.width *= 2;
        if (order->merge.width >= order->count) {
            enter(order, PHASE_DOUBLES);
        }
    }
}

/* Doubles. */

static enum err have_same_key(sqlite3_stmt *statement, int64_t a, int64_t b, bool *out)
{
    (void)sqlite3_bind_int64(statement, 1, a);
    (void)sqlite3_bind_int64(statement, 2, b);
    int result = sqlite3_step(statement);
    *out = result == SQLITE_ROW;
    (void)sqlite3_reset(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

static enum err is_double(struct job_order *order, const struct line *line, bool *out)
{
    *out = false;
    for (size_t j = order->kept; j > 0 && order->lines[j - 1].place == line->place; j--) {
        enum err e = have_same_key(order->statement, order->lines[j - 1].item, line->item, out);
        if (*out || e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

/* Keeps the first line of each key. */
static enum err drop_doubles(struct job_order *order, size_t limit)
{
    enum err e = prepare(order, "SELECT 1 FROM job_item a, job_item b WHERE a.id=?1 AND b.id=?2"
                                " AND coalesce(a.key,a.address)=coalesce(b.key,b.address)");
    size_t end = end_of_step(order, limit);
    for (; order->at < end && e == ERR_NONE; order->at++) {
        bool goes = false;
        e = is_double(order, &order->lines[order->at], &goes);
        if (!goes) {
            order->lines[order->kept++] = order->lines[order->at];
        }
    }
    if (e == ERR_NONE && order->at == order->count) {
        order->count = order->kept;
        enter(order, PHASE_ROUNDS);
    }
    return e;
}

/* Turns. */

static int64_t domain_of(const struct line *line)
{
    return line->place >> STORE_PLACE_KEY_BITS;
}

static enum err count_rounds(struct job_order *order, size_t limit)
{
    if (order->next == NULL) {
        order->rounds = order->count / JOB_RUN + 2;
        order->next = calloc(order->rounds, sizeof *order->next);
        if (order->next == NULL) {
            return ERR_NOMEM;
        }
    }
    size_t end = end_of_step(order, limit);
    for (; order->at < end; order->at++) {
        struct line *line = &order->lines[order->at];
        bool goes_on = order->at > 0 && domain_of(line) == domain_of(line - 1);
        order->rank = goes_on ? order->rank + 1 : 0;
        line->turn = order->rank / JOB_RUN; /* the round, for the moment */
        order->next[line->turn + 1]++;
    }
    if (order->at == order->count) {
        for (size_t i = 1; i < order->rounds; i++) {
            order->next[i] += order->next[i - 1];
        }
        enter(order, PHASE_TURNS);
    }
    return ERR_NONE;
}

static void take_turns(struct job_order *order, size_t limit)
{
    size_t end = end_of_step(order, limit);
    for (; order->at < end; order->at++) {
        struct line *line = &order->lines[order->at];
        line->turn = order->next[line->turn]++;
        order->other[line->turn] = *line;
    }
    if (order->at == order->count) {
        enter(order, PHASE_RESERVE);
    }
}

/* Writing. */

/* Said in the job's row before the first turn is written: nobody else takes them, and what is left of an order that
 * was not finished is found. */
static enum err reserve(struct job_order *order)
{
    enum err e =
        prepare(order, "UPDATE job SET (turn_first,turn_end)=(SELECT first,first+?2 FROM (SELECT"
                       " max((SELECT coalesce(max(id),0)+1 FROM job_turn),"
                       " (SELECT max(turn_end) FROM job)) AS first)) WHERE id=?1"
                       " RETURNING turn_first");
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(order->statement, 1, order->job);
    (void)sqlite3_bind_int64(order->statement, 2, (int64_t)order->count);
    if (sqlite3_step(order->statement) != SQLITE_ROW) {
        return ERR_STORE;
    }
    order->turn_first = sqlite3_column_int64(order->statement, 0);
    if (sqlite3_step(order->statement) != SQLITE_DONE) {
        return ERR_STORE;
    }
    enter(order, PHASE_WRITE_PLACES);
    return ERR_NONE;
}

static enum err write_places(struct job_order *order, size_t limit)
{
    enum err e = prepare(order, "INSERT INTO job_place(job,place,turn) VALUES(?1,?2,?3)");
    size_t end = end_of_step(order, limit);
    for (; order->at < end && e == ERR_NONE; order->at++) {
        const struct line *line = &order->lines[order->at];
        (void)sqlite3_bind_int64(order->statement, 1, order->job);
        (void)sqlite3_bind_int64(order->statement, 2, line->place);
        (void)sqlite3_bind_int64(order->statement, 3, order->turn_first + (int64_t)line->turn);
        e = store_run(order->statement);
    }
    if (e == ERR_NONE && order->at == order->count) {
        enter(order, PHASE_WRITE_TURNS);
    }
    return e;
}

static enum err write_turns(struct job_order *order, size_t limit)
{
    enum err e = prepare(order, "INSERT INTO job_turn(id,item) VALUES(?1,?2)");
    size_t end = end_of_step(order, limit);
    for (; order->at < end && e == ERR_NONE; order->at++) {
        const struct line *line = &order->other[order->at];
        (void)sqlite3_bind_int64(order->statement, 1, order->turn_first + (int64_t)line->turn);
        (void)sqlite3_bind_int64(order->statement, 2, line->item);
        e = store_run(order->statement);
    }
    if (e == ERR_NONE && order->at == order->count) {
        enter(order, PHASE_DONE);
    }
    return e;
}

static enum err step(struct job_order *order, size_t limit)
{
    switch (order->phase) {
    case PHASE_READ: return read_some(order, limit * ORDER_READ);
    case PHASE_SORT: return sort_some(order, limit * ORDER_READ);
    case PHASE_MERGE: merge_some(order, limit * ORDER_IN_MEMORY); return ERR_NONE;
    case PHASE_DOUBLES: return drop_doubles(order, limit);
    case PHASE_ROUNDS: return count_rounds(order, limit * ORDER_IN_MEMORY);
    case PHASE_TURNS: take_turns(order, limit * ORDER_IN_MEMORY); return ERR_NONE;
    case PHASE_RESERVE: return reserve(order);
    case PHASE_WRITE_PLACES: return write_places(order, limit);
    case PHASE_WRITE_TURNS: return write_turns(order, limit);
    case PHASE_DONE: break;
    }
    return ERR_NONE;
}

enum err job_order_step(struct job_order *order, size_t limit, bool *out_is_done,
                        struct fault *out_fault)
{
    bool writes = order->phase >= PHASE_RESERVE;
    enum err e = writes ? store_begin_write(order->store) : ERR_NONE;
    e = e != ERR_NONE ? e : step(order, limit);
    if (e == ERR_STORE) {
        return store_fail(order->store, out_fault, "cannot be written");
    }
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "no memory for the order of the list");
    }
    *out_is_done = order->phase == PHASE_DONE;
    return ERR_NONE;
}
