/* cli/store: `heloise store`: what is remembered as a whole: how much it is, whether it is in order, a copy of it and
 * back, and an address that must be forgotten.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/result_file.h"
#include "cli/store_options.h"
#include "cli/workbench.h"
#include "engine/erase.h"
#include "engine/json_write.h"
#include "net/wall_clock.h"
#include "store/backup.h"

enum { OUT_BYTES_MAX = 1 << 20 };

enum verb { VERB_INFO, VERB_CHECK, VERB_BACKUP, VERB_RESTORE, VERB_ERASE, VERB_PRUNE, VERB_COUNT };

static const struct {
    const char *name;
    const char *wants; /* its argument; NULL: none */
} verbs[VERB_COUNT] = {
    [VERB_INFO] = {"info", NULL},        [VERB_CHECK] = {"check", NULL},
    [VERB_BACKUP] = {"backup", "FILE"},  [VERB_RESTORE] = {"restore", "FILE"},
    [VERB_ERASE] = {"erase", "ADDRESS"}, [VERB_PRUNE] = {"prune", NULL},
};

struct store_command {
    struct store_options store;
    enum verb verb;
    bool has_verb;
    const char *argument; /* NULL: none given */
    bool is_forced, wants_json;
};

enum { KEY_FORCE = 0x500, KEY_JSON };

static const struct argp_option option_table[] = {
    {"force", KEY_FORCE, NULL, 0, "for backup: write over a file that is there", 0},
    {"json", KEY_JSON, NULL, 0, "for info and erase: as JSON", 0},
    {0},
};

static void parse_word(struct argp_state *state, struct store_command *command, const char *word)
{
    if (!command->has_verb) {
        for (int i = 0; i < VERB_COUNT; i++) {
            if (strcmp(word, verbs[i].name) == 0) {
                command->verb = (enum verb)i;
                command->has_verb = true;
                return;
            }
        }
        argp_error(state, "'%.60s' is none of info, check, backup, restore, erase, prune", word);
    }
    if (verbs[command->verb].wants == NULL || command->argument != NULL) {
        argp_error(state, "'%.60s' is one word too many", word);
    }
    command->argument = word;
}

static void check_words(struct argp_state *state, const struct store_command *command)
{
    const char *name = verbs[command->verb].name;
    bool has_json = command->verb == VERB_INFO || command->verb == VERB_ERASE;
    if (verbs[command->verb].wants != NULL && command->argument == NULL) {
        argp_error(state, "%s needs %s", name, verbs[command->verb].wants);
    }
    if (command->is_forced && command->verb != VERB_BACKUP) {
        argp_error(state, "--force is for backup");
    }
    if (command->wants_json && !has_json) {
        argp_error(state, "--json is for info and erase");
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct store_command *command = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &command->store; return 0;
    case KEY_FORCE: command->is_forced = true; return 0;
    case KEY_JSON: command->wants_json = true; return 0;
    case ARGP_KEY_ARG: parse_word(state, command, arg); return 0;
    case ARGP_KEY_END: check_words(state, command); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* What failed, as an exit code. */
static int refuse(enum err e, const struct fault *fault, const char *hint)
{
    struct error_text room;
    errno = fault->os_errno;
    bool has_cause = fault->os_errno != 0;
    complain("%s%s%s%s", fault->text, has_cause ? ": " : "", has_cause ? error_text(&room) : "",
             hint);
    switch (e) {
    case ERR_SYNTAX: return EXIT_BAD_USAGE;
    case ERR_CLOSED: return EXIT_NO_INPUT;
    case ERR_STATE: return EXIT_BUSY;
    case ERR_NOMEM: return EXIT_INTERNAL;
    case ERR_NONE:
    case ERR_LIMIT:
    case ERR_TIMEOUT:
    case ERR_SYSTEM:
    case ERR_STORE: break;
    }
    return EXIT_CANNOT_WRITE;
}

static int say(const struct buf *out)
{
    if (fwrite(out->at, 1, out->len, stdout) != out->len || fflush(stdout) != 0) {
        complain("cannot write to standard output");
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

/* info */

static enum err write_info(const char *path, const struct store_info *info, struct buf *out)
{
    char oldest[DATE_TIME_BYTES];
    enum err e = buf_append(out, SLICE("store     "));
    e = e != ERR_NONE ? e : text_append_printable(out, slice_of(path));
    e = e != ERR_NONE ? e
                      : buf_printf(out,
                                   "\nbytes     %" PRIu64 "; %" PRIu64 " of them free, %" PRIu64
                                   " more in its log\nschema    %d\nverdicts  %" PRIu64
                                   "\nfacts     %" PRIu64,
                                   info->file_bytes, info->free_bytes, info->log_bytes,
                                   info->schema, info->verdicts, info->facts);
    if (e == ERR_NONE && info->oldest_fact_ms != 0) {
        e = buf_printf(out, ", the oldest of %.10s", date_time_text(info->oldest_fact_ms, oldest));
    }
    return e != ERR_NONE ? e
                         : buf_printf(out,
                                      "\ndomains   %" PRIu64 "\njobs      %" PRIu64
                                      "\nkeys      %" PRIu64 "\n",
                                      info->domains, info->jobs, info->keys);
}

static enum err write_info_json(const char *path, const struct store_info *info, struct buf *out)
{
    struct json_writer w;
    char oldest[DATE_TIME_BYTES];
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "store", slice_of(path));
    json_int(&w, "bytes", (int64_t)info->file_bytes);
    json_int(&w, "free_bytes", (int64_t)info->free_bytes);
    json_int(&w, "log_bytes", (int64_t)info->log_bytes);
    json_int(&w, "schema", info->schema);
    json_int(&w, "verdicts", (int64_t)info->verdicts);
    json_int(&w, "facts", (int64_t)info->facts);
    if (info->oldest_fact_ms != 0) {
        json_string(&w, "oldest_fact_at", slice_of(date_time_text(info->oldest_fact_ms, oldest)));
    } else {
        json_null(&w, "oldest_fact_at");
    }
    json_int(&w, "domains", (int64_t)info->domains);
    json_int(&w, "jobs", (int64_t)info->jobs);
    json_int(&w, "keys", (int64_t)info->keys);
    json_close(&w, '}');
    return w.err != ERR_NONE ? w.err : buf_append_byte(out, '\n');
}

static int show_info(const char *path, bool wants_json)
{
    struct fault fault;
    struct store_info info;
    enum err e = store_info(path, &info, &fault);
    if (e != ERR_NONE) {
        return refuse(e, &fault, "");
    }
    struct buf out;
    buf_init(&out, OUT_BYTES_MAX);
    e = wants_json ? write_info_json(path, &info, &out) : write_info(path, &info, &out);
    int code = EXIT_INTERNAL;
    if (e == ERR_NONE) {
        code = say(&out);
    } else {
        complain("out of memory");
    }
    buf_done(&out);
    return code;
}

/* check */

static void complain_of_store(void *context, struct slice text)
{
    size_t *count = context;
    (*count)++;
    struct buf shown;
    buf_init(&shown, OUT_BYTES_MAX);
    if (text_append_printable(&shown, text) == ERR_NONE) {
        (void)printf("%.*s\n", SLICE_ARG(buf_view(&shown)));
    }
    buf_done(&shown);
}

static int check(const char *path)
{
    struct fault fault;
    size_t count = 0;
    enum err e = store_check(path, complain_of_store, &count, &fault);
    if (e != ERR_NONE) {
        return refuse(e, &fault, "");
    }
    if (count > 0) {
        (void)fflush(stdout);
        complain("the store is damaged; 'heloise store restore' puts a backup in its place");
        return EXIT_BAD_DATA;
    }
    return puts("in order") >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
}

/* backup and restore */

static int backup(const char *path, const char *to, bool is_forced)
{
    struct fault fault;
    struct stat about = {.st_size = 0};
    enum err e = store_backup(path, to, is_forced, &fault);
    if (e != ERR_NONE) {
        bool is_there = e == ERR_STATE && !is_forced;
        int code = refuse(e, &fault, is_there ? "; --force writes over a backup" : "");
        return e == ERR_STATE ? EXIT_CANNOT_WRITE : code;
    }
    (void)stat(to, &about);
    (void)printf("%s: %lld bytes\n", to, (long long)about.st_size);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
}

static int restore(const char *path, const char *from)
{
    struct fault fault;
    char aside[STORE_ASIDE_BYTES];
    struct store *store = NULL;
    enum err e = store_restore(from, path, wall_clock_ms(), aside, &fault);
    if (e != ERR_NONE) {
        return refuse(e, &fault, "");
    }
    int code = workbench_open_store(path, &store); /* an older one is brought up to date */
    store_close(store);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    (void)printf("%s is restored from %s\n", path, from);
    if (aside[0] != '\0') {
        (void)printf("what was there before is in %s\n", aside);
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
}

/* erase */

static enum err write_erased(const struct store_erased *erased, struct buf *out)
{
    enum err e = buf_printf(out,
                            "erased: %" PRIu64 " verdicts, %" PRIu64 " facts, %" PRIu64
                            " items and %" PRIu64 " results of jobs, %zu signals, %zu webhooks\n",
                            erased->verdicts, erased->facts, erased->items, erased->results,
                            erased->signals, erased->webhooks);
    if (e == ERR_NONE && erased->items > 0) {
        e = buf_append(out, SLICE("lists that were read, and files that were written, are as they "
                                  "were: the address must be taken out of them too\n"));
    }
    if (e == ERR_NONE && !erased->is_log_clean) {
        e = buf_append(out, SLICE("another process uses the store: its log keeps the bytes until "
                                  "it is written anew, or that process ends\n"));
    }
    return e;
}

static enum err write_erased_json(const struct store_erased *erased, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_int(&w, "verdicts", (int64_t)erased->verdicts);
    json_int(&w, "facts", (int64_t)erased->facts);
    json_int(&w, "items", (int64_t)erased->items);
    json_int(&w, "results", (int64_t)erased->results);
    json_int(&w, "signals", (int64_t)erased->signals);
    json_int(&w, "webhooks", (int64_t)erased->webhooks);
    json_bool(&w, "log_clean", erased->is_log_clean);
    json_close(&w, '}');
    return w.err != ERR_NONE ? w.err : buf_append_byte(out, '\n');
}

static int tell_erased(const struct store_erased *erased, bool wants_json)
{
    struct buf out;
    buf_init(&out, OUT_BYTES_MAX);
    enum err e = wants_json ? write_erased_json(erased, &out) : write_erased(erased, &out);
    int code = EXIT_INTERNAL;
    if (e == ERR_NONE) {
        code = say(&out);
    } else {
        complain("out of memory");
    }
    buf_done(&out);
    return code;
}

static int open_existing(const char *path, struct store **out)
{
    struct fault fault;
    if (access(path, F_OK) != 0) {
        (void)fault_set(&fault, ERR_CLOSED, errno, "cannot read the store %.300s", path);
        return refuse(ERR_CLOSED, &fault, "");
    }
    return workbench_open_store(path, out);
}

static int erase(const char *path, const char *address, bool wants_json)
{
    struct fault fault;
    struct store *store = NULL;
    struct store_erased erased;
    int code = open_existing(path, &store);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    enum err e = erase_address(store, slice_of(address), &erased, &fault);
    store_close(store);
    return e == ERR_NONE ? tell_erased(&erased, wants_json) : refuse(e, &fault, "");
}

/* prune */

static int sweep(struct store *store, const struct store_retention *retention)
{
    struct fault fault;
    struct store_sweep sweep;
    enum err e = ERR_NONE;
    store_sweep_begin(&sweep, retention);
    while (e == ERR_NONE && !sweep.is_done) {
        e = store_sweep_step(store, &sweep, &fault);
    }
    if (e != ERR_NONE) {
        return refuse(e, &fault, "");
    }
    (void)printf("deleted: %" PRIu64 " rows that were too old\n", sweep.deleted);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
}

static int prune(const char *path, const struct config *config)
{
    struct store *store = NULL;
    struct store_retention retention;
    config_retention(config, wall_clock_ms(), &retention);
    if (retention.verdicts_before_ms == INT64_MIN && retention.facts_before_ms == INT64_MIN &&
        retention.jobs_before_ms == INT64_MIN) {
        complain("all is kept for good; section retention of the configuration says for how long");
        return EXIT_SUCCESS;
    }
    int code = open_existing(path, &store);
    code = code != EXIT_SUCCESS ? code : sweep(store, &retention);
    store_close(store);
    return code;
}

static int act(const char *path, const struct store_command *command)
{
    switch (command->verb) {
    case VERB_CHECK: return check(path);
    case VERB_BACKUP: return backup(path, command->argument, command->is_forced);
    case VERB_RESTORE: return restore(path, command->argument);
    case VERB_ERASE: return erase(path, command->argument, command->wants_json);
    case VERB_PRUNE: return prune(path, &command->store.probe.config);
    case VERB_INFO:
    case VERB_COUNT: break;
    }
    return show_info(path, command->wants_json);
}

int cli_store(int argc, char **argv)
{
    static const struct argp_child children[] = {{&store_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        option_table,
        parse_option,
        "[info]\ncheck\nbackup FILE\nrestore FILE\nerase ADDRESS\nprune",
        "What is remembered. info: how much it is. check: whether the file is in order. backup: a "
        "copy of one moment, while others go on. restore: a backup in its place; the old one is "
        "kept. erase: forgets all that is stored of an address. prune: deletes what the "
        "configuration does not keep any longer.\v"
        "Exit status: 0 done, 64 usage or no address, 65 the store is damaged, 66 the store or the "
        "backup cannot be read or is none, 73 the store or the backup cannot be written, 75 "
        "somebody uses the store, 78 bad configuration.",
        children,
        NULL,
        NULL};
    struct store_command command = {.verb = VERB_INFO};
    const char *path = NULL;
    store_options_init(&command.store);
    (void)argp_parse(&argp, argc, argv, 0, NULL, &command);
    int code = command.verb == VERB_PRUNE ? store_options_configure(&command.store, &path)
                                          : store_options_find(&command.store, &path);
    code = code != EXIT_SUCCESS ? code : act(path, &command);
    store_options_done(&command.store);
    return code;
}
