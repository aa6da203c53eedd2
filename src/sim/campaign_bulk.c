/* sim/campaign_bulk: the run of a list through engine/bulk and a store in a file. Death: what the files hold at a
 * random instant is all that is left. They are copied as they are, then the engine is taken apart behind a
 * network that carries nothing any more, as the system would close its lines; a new engine goes on with the copy.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "engine/bulk.h"
#include "engine/record_json.h"
#include "sim/campaign_private.h"

enum {
    PATH_BYTES = 512,
    COPY_BYTES = 1 << 16,
    LIFE_MS_MAX = 3 * 3600 * 1000, /* of an engine that is killed */
    TWICE_OUT_OF = 30,
};

struct list_run {
    struct campaign *campaign;
    struct bulk_config config;
    struct bulk *bulk;
    char folder[PATH_BYTES], list[PATH_BYTES], store[PATH_BYTES];
    unsigned lives;
    bool is_finished;
};

static enum err system_fault(struct fault *out_fault, const char *doing, const char *path)
{
    int os_errno = errno;
    char text[128];
    return fault_set(out_fault, ERR_SYSTEM, os_errno, "%s %s: %s", doing, path,
                     strerror_r(os_errno, text, sizeof text));
}

/* Files. */

static enum err write_list(struct list_run *run, struct fault *out_fault)
{
    struct campaign *campaign = run->campaign;
    FILE *file = fopen(run->list, "we");
    if (file == NULL) {
        return system_fault(out_fault, "cannot write", run->list);
    }
    bool is_good = fputs("email\n", file) >= 0;
    for (uint32_t i = 0; i < campaign->plan->options.addresses; i++) {
        uint32_t number = campaign_nth(campaign, i);
        unsigned times = random_below(&campaign->random, TWICE_OUT_OF) == 0 ? 2 : 1;
        for (unsigned n = 0; n < times; n++) {
            char address[CAMPAIGN_ADDRESS_BYTES];
            campaign_spell(campaign, number, address);
            campaign->asked[number]++;
            is_good = fprintf(file, "%s\n", address) > 0 && is_good;
        }
    }
    is_good = fclose(file) == 0 && is_good;
    return is_good ? ERR_NONE : system_fault(out_fault, "cannot write", run->list);
}

static void store_path(const struct list_run *run, unsigned life, const char *suffix,
                       char out[PATH_BYTES])
{
    (void)snprintf(out, PATH_BYTES, "%.400s/life%u.db%s", run->folder, life, suffix);
}

/* A file that is not there is copied as none. */
static enum err copy(const char *from_path, const char *to_path, struct fault *out_fault)
{
    FILE *from = fopen(from_path, "rbe");
    if (from == NULL) {
        return errno == ENOENT ? ERR_NONE : system_fault(out_fault, "cannot read", from_path);
    }
    FILE *to = fopen(to_path, "wbe");
    bool is_good = to != NULL;
    char bytes[COPY_BYTES];
    size_t len;
    while (is_good && (len = fread(bytes, 1, sizeof bytes, from)) > 0) {
        is_good = fwrite(bytes, 1, len, to) == len;
    }
    is_good = to != NULL && fclose(to) == 0 && is_good && ferror(from) == 0;
    (void)fclose(from);
    return is_good ? ERR_NONE : system_fault(out_fault, "cannot copy to", to_path);
}

/* What a killed process leaves: the store and its log. */
static enum err copy_store(const struct list_run *run, struct fault *out_fault)
{
    static const char *const suffixes[] = {"", "-wal"};
    enum err e = ERR_NONE;
    for (size_t i = 0; i < 2 && e == ERR_NONE; i++) {
        char from[PATH_BYTES], to[PATH_BYTES];
        store_path(run, run->lives - 1, suffixes[i], from);
        store_path(run, run->lives, suffixes[i], to);
        e = copy(from, to, out_fault);
    }
    return e;
}

static void remove_folder(const struct list_run *run)
{
    struct dirent **entries;
    int count = scandir(run->folder, &entries, NULL, NULL);
    for (int i = 0; i < count; i++) {
        char path[PATH_BYTES + sizeof entries[i]->d_name];
        (void)snprintf(path, sizeof path, "%s/%s", run->folder, entries[i]->d_name);
        (void)unlink(path); /* fails for . and .. */
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    (void)rmdir(run->folder);
}

/* One life of the process. */

static void on_finished(void *context)
{
    struct list_run *run = context;
    run->is_finished = true;
}

static enum err be_born(struct list_run *run, struct fault *out_fault)
{
    struct campaign *campaign = run->campaign;
    char path[PATH_BYTES];
    store_path(run, run->lives++, "", path);
    enum err e = store_open(path, &campaign->store, out_fault);
    if (e == ERR_NONE && campaign_begin_engine(campaign) != ERR_NONE) {
        e = fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    if (e == ERR_NONE) {
        const struct bulk_way way = campaign_engine_way(campaign->engine);
        run->config.way = &way;
        e = bulk_open(&run->config, world_door(campaign->world),
                      campaign_engine_reader(campaign->engine), campaign->store, &run->bulk,
                      out_fault);
        run->config.way = NULL; /* it was copied */
    }
    e = e == ERR_NONE ? bulk_load(run->bulk, out_fault) : e;
    if (e == ERR_NONE) {
        bulk_start(run->bulk);
    }
    return e;
}

static void take_apart(struct list_run *run)
{
    struct campaign *campaign = run->campaign;
    if (run->bulk != NULL && !run->is_finished) {
        world_mute(campaign->world, true);
        bulk_cancel(run->bulk);
        world_run_until(campaign->world, door_now_ms(world_door(campaign->world)));
        run->is_finished = false;
    }
    bulk_close(run->bulk);
    run->bulk = NULL;
    campaign_end_engine(campaign);
    store_close(campaign->store);
    campaign->store = NULL;
    world_mute(campaign->world, false);
}

static enum err die(struct list_run *run, struct fault *out_fault)
{
    enum err e = copy_store(run, out_fault);
    take_apart(run);
    return e;
}

static bool has_flaw(const struct list_run *run)
{
    return campaign_watch_flaw(run->campaign->watch)->is_found;
}

static enum err live(struct list_run *run, struct fault *out_fault)
{
    struct campaign *campaign = run->campaign;
    struct door *door = world_door(campaign->world);
    enum err e = be_born(run, out_fault);
    for (unsigned i = 0; i < campaign->config->kills && e == ERR_NONE && !has_flaw(run); i++) {
        uint32_t life_ms =
            random_below(&campaign->random, 1u << (8 + random_below(&campaign->random, 16)));
        world_run_until(campaign->world, door_now_ms(door) + life_ms % LIFE_MS_MAX);
        if (run->is_finished || has_flaw(run)) {
            break;
        }
        e = die(run, out_fault);
        e = e == ERR_NONE ? be_born(run, out_fault) : e;
    }
    if (e == ERR_NONE && !has_flaw(run)) {
        door_run(door);
    }
    return e;
}

/* The rows that came out, against those that went in. */

static bool next_line(FILE *file, struct buf *line)
{
    buf_clear(line);
    int c;
    while ((c = getc(file)) != EOF && c != '\n') {
        if (buf_append_byte(line, (char)c) != ERR_NONE) {
            return false;
        }
    }
    return c != EOF || line->len > 0;
}

/* The record within {"email":...,"heloise":{...}}. */
static struct slice record_of(struct slice row)
{
    struct slice name = SLICE("\"heloise\":");
    size_t at = slice_find_nocase(row, name);
    return at == row.len ? SLICE_NONE : slice_sub(row, at + name.len, row.len - 1);
}

static void judge_row(struct campaign *campaign, struct slice asked, struct slice json)
{
    uint32_t number = campaign_number(campaign->plan, asked);
    struct record record;
    if (number == UINT32_MAX || record_read_json(record_of(json), &record) != ERR_NONE) {
        campaign_watch_blame(campaign->watch, CAMPAIGN_NOBODY, number,
                             "no record beside %.*s: %.*s", SLICE_ARG(asked),
                             SLICE_ARG(slice_sub(json, 0, 200)));
        return;
    }
    campaign_answer(campaign, number, asked, &record);
    record_done(&record);
}

static void judge_rows(struct list_run *run, FILE *list, FILE *results)
{
    struct campaign *campaign = run->campaign;
    struct buf asked, json;
    buf_init(&asked, 1 << 16);
    buf_init(&json, 4 << 20);
    (void)next_line(list, &asked); /* the header */
    while (next_line(list, &asked) && !has_flaw(run)) {
        if (!next_line(results, &json)) {
            campaign_watch_blame(campaign->watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                                 "no row for %.*s", SLICE_ARG(buf_view(&asked)));
            break;
        }
        judge_row(campaign, buf_view(&asked), buf_view(&json));
    }
    if (!has_flaw(run) && next_line(results, &json)) {
        campaign_watch_blame(campaign->watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "a row too many: %.*s", SLICE_ARG(slice_sub(buf_view(&json), 0, 200)));
    }
    buf_done(&asked);
    buf_done(&json);
}

static enum err judge(struct list_run *run, struct fault *out_fault)
{
    char *text = NULL;
    size_t len = 0;
    uint64_t unfinished = 0;
    FILE *to = open_memstream(&text, &len);
    if (to == NULL) {
        return system_fault(out_fault, "cannot write", "the results");
    }
    enum err e = bulk_write(run->bulk, to, &unfinished, out_fault);
    (void)fclose(to);
    FILE *list = fopen(run->list, "re");
    FILE *results = len == 0 ? NULL : fmemopen(text, len, "r");
    if (e == ERR_NONE && (list == NULL || results == NULL)) {
        e = system_fault(out_fault, "cannot read", run->list);
    }
    if (e == ERR_NONE && unfinished > 0) {
        campaign_watch_blame(run->campaign->watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "%llu rows have no result", (unsigned long long)unfinished);
    } else if (e == ERR_NONE) {
        judge_rows(run, list, results);
    }
    if (list != NULL) {
        (void)fclose(list);
    }
    if (results != NULL) {
        (void)fclose(results);
    }
    free(text);
    return e;
}

static enum err check(struct list_run *run, struct fault *out_fault)
{
    struct campaign *campaign = run->campaign;
    if (has_flaw(run)) {
        return ERR_NONE;
    }
    if (bulk_fault(run->bulk)->err != ERR_NONE) {
        campaign_watch_blame(campaign->watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "the job stopped: %s", bulk_fault(run->bulk)->text);
        return ERR_NONE;
    }
    if (!run->is_finished || world_is_cut(campaign->world)) {
        campaign_watch_blame(campaign->watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "the job does not end");
        return ERR_NONE;
    }
    enum err e = judge(run, out_fault);
    campaign_watch_end(campaign->watch);
    return e;
}

enum err campaign_run_bulk(struct campaign *campaign, struct fault *out_fault)
{
    struct list_run run = {.campaign = campaign};
    (void)snprintf(run.folder, sizeof run.folder, "%.200s/heloise-campaign-XXXXXX",
                   campaign->config->folder);
    if (mkdtemp(run.folder) == NULL) {
        return system_fault(out_fault, "cannot make", run.folder);
    }
    (void)snprintf(run.list, sizeof run.list, "%.400s/list.csv", run.folder);
    run.config = (struct bulk_config){
        .input_path = run.list,
        .name = {.fingerprint = SLICE("a campaign"), .label = SLICE("list.csv")},
        .table = {.file_name = SLICE("list.csv")},
        .output_format = TABLE_NDJSON,
        .finished = on_finished,
        .context = &run,
    };
    enum err e = write_list(&run, out_fault);
    e = e == ERR_NONE ? live(&run, out_fault) : e;
    campaign->outcome->traffic_hash = world_traffic_hash(campaign->world);
    e = e == ERR_NONE ? check(&run, out_fault) : e;
    take_apart(&run);
    remove_folder(&run);
    return e;
}
