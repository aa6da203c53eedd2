/* SPDX-License-Identifier: Apache-2.0 */
#include "store/job_output.h"

#include <stdlib.h>

#include "base/slice.h"
#include "store/store_private.h"

enum {
    OUTPUT_HANDFUL = 256,
    OUTPUT_HANDFUL_BYTES = 1 << 18, /* of keys and results: no more are read ahead */
    OUTPUT_TEXTS_MAX = 1 << 26,
    OUTPUT_APART_MAX = 4, /* numbers for each item: lists that are loaded together share them */
};

/* Its key and its result follow each other in the texts from at on. */
struct output_item {
    size_t at, key_len, result_len;
    bool has_result;
};

struct job_output {
    struct store *store;
    struct job_output_of of;
    bool is_over;             /* it knows nothing any more */
    int64_t version, changes; /* of the file, by others and by this store, when it was begun */
    int64_t item_first, item_end, next_item;
    int64_t *results; /* of item_first and those after it; 0: none */
    struct buf texts;
    struct output_item items[OUTPUT_HANDFUL];
    size_t at, count;
};

static enum err read_version(struct job_output *output, int64_t *out)
{
    return store_read_number(output->store, "PRAGMA data_version", out, NULL);
}

static void bind_turns(const struct job_output *output, sqlite3_stmt *statement)
{
    (void)sqlite3_bind_int64(statement, 1, output->of.turn_first);
    (void)sqlite3_bind_int64(statement, 2, output->of.turn_end);
}

static enum err read_ends(struct job_output *output)
{
    sqlite3_stmt *statement = store_prepare_read(
        output->store, "SELECT coalesce(min(item),0),coalesce(max(item)+1,0) FROM job_turn"
                       " WHERE id>=?1 AND id<?2 AND item<>0");
    if (statement == NULL) {
        return ERR_STORE;
    }
    bind_turns(output, statement);
    bool is_read = sqlite3_step(statement) == SQLITE_ROW;
    output->item_first = output->next_item = is_read ? sqlite3_column_int64(statement, 0) : 0;
    output->item_end = is_read ? sqlite3_column_int64(statement, 1) : 0;
    sqlite3_finalize(statement);
    int64_t turns = output->of.turn_end - output->of.turn_first;
    if (is_read && output->item_end - output->item_first > turns * OUTPUT_APART_MAX) {
        return ERR_LIMIT;
    }
    return is_read ? ERR_NONE : ERR_STORE;
}

static enum err read_results(struct job_output *output)
{
    output->results =
        calloc((size_t)(output->item_end - output->item_first) + 1, sizeof *output->results);
    if (output->results == NULL) {
        return ERR_NOMEM;
    }
    sqlite3_stmt *statement =
        store_prepare_read(output->store, "SELECT item,result FROM job_turn"
                                          " WHERE id>=?1 AND id<?2 AND item<>0");
    if (statement == NULL) {
        return ERR_STORE;
    }
    bind_turns(output, statement);
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        int64_t item = sqlite3_column_int64(statement, 0);
        output->results[item - output->item_first] = sqlite3_column_int64(statement, 1);
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

enum err job_output_new(struct store *store, const struct job_output_of *of,
                        struct job_output **out)
{
    struct job_output *output = calloc(1, sizeof *output);
    if (output == NULL) {
        return ERR_NOMEM;
    }
    output->store = store;
    output->of = *of;
    buf_init(&output->texts, OUTPUT_TEXTS_MAX);
    store_begin_read(store); /* all of it as it was at one moment */
    output->changes = sqlite3_total_changes(store->db);
    enum err e = read_version(output, &output->version);
    e = e != ERR_NONE ? e : read_ends(output);
    e = e != ERR_NONE ? e : read_results(output);
    if (e != ERR_NONE) {
        job_output_free(output);
        return e;
    }
    *out = output;
    return ERR_NONE;
}

void job_output_free(struct job_output *output)
{
    if (output == NULL) {
        return;
    }
    buf_done(&output->texts);
    free(output->results);
    free(output);
}

static enum err add_result(struct job_output *output, int64_t item, struct output_item *out)
{
    int64_t id = output->results[item - output->item_first];
    sqlite3_stmt *statement = store_statement(output->store, STATEMENT_JOB_RESULT_READ);
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    int result = id != 0 ? sqlite3_step(statement) : SQLITE_DONE;
    enum err e = result == SQLITE_ROW || result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
    if (result == SQLITE_ROW) {
        struct slice json = store_column(statement, 0);
        e = buf_append(&output->texts, json);
        out->result_len = json.len;
        out->has_result = true;
    }
    (void)sqlite3_reset(statement);
    return e;
}

static enum err add_item(struct job_output *output, sqlite3_stmt *statement)
{
    struct slice key = store_column(statement, 1);
    int64_t item = sqlite3_column_int64(statement, 0);
    struct output_item *added = &output->items[output->count];
    *added = (struct output_item){.at = output->texts.len, .key_len = key.len};
    enum err e = buf_append(&output->texts, key);
    e = e != ERR_NONE ? e : add_result(output, item, added);
    output->next_item = item + 1;
    output->count += e == ERR_NONE ? 1 : 0;
    return e;
}

static enum err read_items(struct job_output *output)
{
    sqlite3_stmt *statement = store_statement(output->store, STATEMENT_JOB_ITEM_EACH);
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, output->of.job);
    (void)sqlite3_bind_int64(statement, 2, output->next_item);
    (void)sqlite3_bind_int64(statement, 3, output->item_end);
    enum err e = ERR_NONE;
    int result = SQLITE_ROW;
    while (e == ERR_NONE && output->count < OUTPUT_HANDFUL &&
           output->texts.len < OUTPUT_HANDFUL_BYTES &&
           (result = sqlite3_step(statement)) == SQLITE_ROW) {
        e = add_item(output, statement);
    }
    (void)sqlite3_reset(statement);
    return e == ERR_NONE && result != SQLITE_ROW && result != SQLITE_DONE ? ERR_STORE : e;
}

/* The numbers of results that went are given to others: none is believed after a change. */
static enum err read_handful(struct job_output *output)
{
    struct store *store = output->store;
    int64_t version = 0;
    output->at = output->count = 0;
    buf_clear(&output->texts);
    store_begin_read(store);
    enum err e = read_version(output, &version);
    e = e == ERR_NONE && version != output->version ? ERR_STATE : e;
    e = e != ERR_NONE ? e : read_items(output);
    store->reads += store->reads > 0 ? (unsigned)output->count : 0;
    return e;
}

static bool is_there(struct job_output *output)
{
    if (!output->is_over && sqlite3_total_changes(output->store->db) != output->changes) {
        output->is_over = true;
    }
    if (!output->is_over && output->at == output->count) {
        output->is_over = read_handful(output) != ERR_NONE || output->count == 0;
    }
    return !output->is_over;
}

bool job_output_find(struct job_output *output, struct slice key, struct buf *out_json)
{
    if (!is_there(output)) {
        return false;
    }
    const struct output_item *item = &output->items[output->at];
    const char *at = output->texts.at + item->at;
    if (!slice_equal(slice_make(at, item->key_len), key)) {
        return false;
    }
    output->at++; /* one that comes again has its result with the first */
    return item->has_result &&
           buf_append(out_json, slice_make(at + item->key_len, item->result_len)) == ERR_NONE;
}
