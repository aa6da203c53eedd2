/* cli/jobs: `heloise jobs`: the bulk runs that a store knows, and what may be done about one from another process.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/reader.h"
#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/result_file.h"
#include "cli/store_options.h"
#include "cli/workbench.h"
#include "net/wall_clock.h"
#include "store/job_list.h"

enum {
    STOP_MS_MAX =
        60000, /* for a runner to leave its lines and write what there is of a long list */
    LOOK_MS = 50,
    PATH_BYTES_MAX = 65536, /* printable, with escapes */
};

enum verb { VERB_LIST, VERB_PAUSE, VERB_RESUME, VERB_CANCEL, VERB_FORGET, VERB_COUNT };

static const char *const verbs[VERB_COUNT] = {"list", "pause", "resume", "cancel", "forget"};

struct jobs_options {
    struct store_options store;
    enum verb verb;
    bool has_verb;
    int64_t job; /* 0: none given */
};

static void parse_word(struct argp_state *state, struct jobs_options *options, const char *word)
{
    uint64_t number = 0;
    if (!options->has_verb) {
        for (int i = 0; i < VERB_COUNT; i++) {
            if (strcmp(word, verbs[i]) == 0) {
                options->verb = (enum verb)i;
                options->has_verb = true;
                return;
            }
        }
        argp_error(state, "'%.60s' is none of list, pause, resume, cancel, forget", word);
    }
    struct reader r = reader_over(slice_of(word));
    if (options->job != 0 || options->verb == VERB_LIST || !reader_number(&r, INT64_MAX, &number) ||
        !reader_is_done(&r) || number == 0) {
        argp_error(state, "'%.60s' is not the number of one job, as 'heloise jobs' lists them",
                   word);
    }
    options->job = (int64_t)number;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct jobs_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->store; return 0;
    case ARGP_KEY_ARG: parse_word(state, options, arg); return 0;
    case ARGP_KEY_END:
        if (options->verb != VERB_LIST && options->job == 0) {
            argp_error(state, "%s which job? 'heloise jobs' lists them", verbs[options->verb]);
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* What failed, as an exit code; the store said it in the fault. */
static int refuse(enum err e, const struct fault *fault)
{
    complain("%s", fault->text);
    return e == ERR_CLOSED ? EXIT_BAD_USAGE : e == ERR_STATE ? EXIT_BUSY : EXIT_CANNOT_WRITE;
}

/* The list. */

static const char *state_word(const struct store_job_entry *entry)
{
    if (entry->is_running) {
        return entry->is_loaded ? "running" : "reading";
    }
    switch (entry->state) {
    case STORE_JOB_PAUSED: return "paused";
    case STORE_JOB_CANCELLED: return "cancelled";
    case STORE_JOB_DONE: return "done";
    case STORE_JOB_OPEN: break;
    }
    return "stopped";
}

static void print_path(struct slice path)
{
    struct buf text;
    buf_init(&text, PATH_BYTES_MAX);
    if (text_append_printable(&text, path) == ERR_NONE) {
        (void)printf("%.*s", SLICE_ARG(buf_view(&text)));
    }
    buf_done(&text);
}

static void list_job(void *context, const struct store_job_entry *entry)
{
    size_t *count = context;
    char began[DATE_TIME_BYTES];
    char progress[48];
    if (*count == 0) {
        (void)printf("%5s  %-9s  %15s  %-16s  %s\n", "job", "state", "done", "since (UTC)",
                     "input -> output");
    }
    (*count)++;
    (void)snprintf(progress, sizeof progress, "%" PRIu64 "/%" PRIu64, entry->done, entry->items);
    (void)date_time_text(entry->created_at_ms, began);
    began[10] = ' ';
    (void)printf("%5" PRId64 "  %-9s  %15s  %.16s  ", entry->id, state_word(entry), progress,
                 began);
    print_path(entry->name.label);
    if (entry->name.output.len > 0) {
        (void)fputs(" -> ", stdout);
        print_path(entry->name.output);
    }
    if (entry->is_running) {
        (void)printf("  (process %ld)", entry->holder.pid);
    }
    (void)putchar('\n');
}

static int list(struct store *store)
{
    struct fault fault;
    size_t count = 0;
    enum err e = store_job_each(store, list_job, &count, &fault);
    if (e != ERR_NONE) {
        return refuse(e, &fault);
    }
    if (count == 0) {
        (void)puts("no jobs");
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
}

/* One job. */

/* What is kept of an entry beyond its call. */
struct job {
    struct store_job_entry entry; /* its name is in the text below */
    struct buf fingerprint, folder, command;
};

static void keep(struct buf *to, struct slice from, enum err *e)
{
    buf_init(to, from.len + 1);
    *e = *e != ERR_NONE ? *e : buf_append(to, from);
}

struct finding {
    struct job *job;
    enum err err;
};

static void keep_job(void *context, const struct store_job_entry *entry)
{
    struct finding *finding = context;
    struct job *job = finding->job;
    job->entry = *entry;
    keep(&job->fingerprint, entry->name.fingerprint, &finding->err);
    keep(&job->folder, entry->name.folder, &finding->err);
    keep(&job->command, entry->name.command, &finding->err);
}

static void job_done(struct job *job)
{
    buf_done(&job->fingerprint);
    buf_done(&job->folder);
    buf_done(&job->command);
}

/* job_done is owed either way. */
static enum err find(struct store *store, int64_t id, struct job *out, struct fault *out_fault)
{
    *out = (struct job){.entry = {.id = id}};
    struct finding finding = {out, ERR_NONE};
    enum err e = store_job_find(store, id, keep_job, &finding, out_fault);
    if (e == ERR_NONE && finding.err != ERR_NONE) {
        e = fault_set(out_fault, finding.err, 0, "out of memory");
    }
    return e;
}

static bool is_over(const struct store_job_entry *entry)
{
    return entry->state == STORE_JOB_CANCELLED || entry->state == STORE_JOB_DONE;
}

static int say_over(const struct store_job_entry *entry)
{
    complain("job %" PRId64 " %s; the command that made it begins anew", entry->id,
             entry->state == STORE_JOB_DONE ? "is done already" : "was cancelled");
    return EXIT_BAD_USAGE;
}

static void look_into(void *context, const struct store_job_entry *entry)
{
    struct store_job_entry *out = context;
    *out = *entry;
}

/* Until its runner is gone. *out: what became of it; its name is not to be used. ERR_CLOSED: it is no more. */
static enum err await_stop(struct store *store, int64_t id, struct store_job_entry *out,
                           struct fault *out_fault)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    for (int waited_ms = 0; waited_ms < STOP_MS_MAX; waited_ms += LOOK_MS) {
        enum err e = store_job_find(store, id, look_into, out, out_fault);
        if (e != ERR_NONE || !out->is_running) {
            return e;
        }
        (void)nanosleep(&pause, NULL);
    }
    return fault_set(out_fault, ERR_STATE, 0, "process %ld was asked to stop, and still runs",
                     out->holder.pid);
}

/* The runner was asked, and is gone. */
static int tell_outcome(const struct store_job_entry *entry)
{
    const char *what = entry->state == STORE_JOB_PAUSED      ? "is paused"
                       : entry->state == STORE_JOB_CANCELLED ? "is cancelled"
                       : entry->state == STORE_JOB_DONE      ? "was done before it could be stopped"
                                                             : "is stopped";
    (void)printf("job %" PRId64 " %s: %" PRIu64 " of %" PRIu64 " addresses have their answer\n",
                 entry->id, what, entry->done, entry->items);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
}

static int halt(struct store *store, int64_t id, enum store_job_wish wish)
{
    struct fault fault;
    struct store_job_entry entry;
    enum store_job_state state = wish == STORE_WISH_PAUSE ? STORE_JOB_PAUSED : STORE_JOB_CANCELLED;
    enum err e = store_job_find(store, id, look_into, &entry, &fault);
    if (e == ERR_NONE && !entry.is_running && is_over(&entry)) {
        return say_over(&entry);
    }
    if (e == ERR_NONE && entry.is_running) {
        e = store_job_ask(store, id, wish, &fault);
        e = e != ERR_NONE && e != ERR_CLOSED ? e : await_stop(store, id, &entry, &fault);
        if (e == ERR_CLOSED) {
            (void)printf("job %" PRId64 " is stopped, and gone: it read standard input\n", id);
            return EXIT_SUCCESS;
        }
    }
    if (e == ERR_NONE && !is_over(&entry) && entry.state != state) {
        e = store_job_settle(store, id, state, wall_clock_ms(), &fault);
        entry.state = state;
    }
    return e == ERR_NONE ? tell_outcome(&entry) : refuse(e, &fault);
}

static int forget(struct store *store, int64_t id)
{
    struct fault fault;
    enum err e = store_job_forget(store, id, wall_clock_ms(), &fault);
    if (e != ERR_NONE) {
        return refuse(e, &fault);
    }
    (void)printf("job %" PRId64 " is forgotten; its verdicts are kept while they live\n", id);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
}

/* Going on. */

/* The program's name and the words of the command; borrowed. Each ends with a NUL (can_run_again). */
static char **words_of(struct job *job, char *program, int *out_argc)
{
    const struct buf *command = &job->command;
    size_t count = 1;
    for (size_t i = 0; i < command->len; i++) {
        count += command->at[i] == '\0';
    }
    char **argv = calloc(count + 1, sizeof *argv);
    if (argv == NULL) {
        return NULL;
    }
    argv[0] = program;
    char *at = command->at;
    for (size_t i = 1; i < count; i++) {
        argv[i] = at;
        at += strlen(at) + 1;
    }
    *out_argc = (int)count;
    return argv;
}

static bool can_run_again(const struct job *job)
{
    size_t len = job->command.len;
    return job->folder.len > 0 && len > 0 && job->command.at[len - 1] == '\0';
}

static int check_resume(struct job *job)
{
    const struct store_job_entry *entry = &job->entry;
    if (entry->is_running) {
        complain("process %ld runs job %" PRId64 " already", entry->holder.pid, entry->id);
        return EXIT_BUSY;
    }
    if (is_over(entry)) {
        return say_over(entry);
    }
    if (!can_run_again(job)) {
        complain("job %" PRId64 " read standard input, and that cannot be read again", entry->id);
        return EXIT_NO_INPUT;
    }
    if (buf_append_byte(&job->folder, '\0') != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    if (chdir(job->folder.at) != 0) {
        complain("cannot go to %s, where job %" PRId64 " began: %s", job->folder.at, entry->id,
                 error_text(&(struct error_text){.text = ""}));
        return EXIT_NO_INPUT;
    }
    return EXIT_SUCCESS;
}

static int resume(struct job *job)
{
    char program[] = "heloise bulk";
    int argc = 0;
    char **argv = words_of(job, program, &argc);
    if (argv == NULL) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    struct slice fingerprint = buf_view(&job->fingerprint);
    int code = cli_bulk_job(argc, argv, &fingerprint);
    free(argv);
    return code;
}

/* The store is closed first: the run opens its own. */
static int find_and_resume(struct store **store, int64_t id)
{
    struct fault fault;
    struct job job;
    enum err e = find(*store, id, &job, &fault);
    int code = e == ERR_NONE ? check_resume(&job) : refuse(e, &fault);
    store_close(*store);
    *store = NULL;
    code = code == EXIT_SUCCESS ? resume(&job) : code;
    job_done(&job);
    return code;
}

static int act(struct store **store, const struct jobs_options *options)
{
    switch (options->verb) {
    case VERB_PAUSE: return halt(*store, options->job, STORE_WISH_PAUSE);
    case VERB_CANCEL: return halt(*store, options->job, STORE_WISH_CANCEL);
    case VERB_RESUME: return find_and_resume(store, options->job);
    case VERB_FORGET: return forget(*store, options->job);
    case VERB_LIST:
    case VERB_COUNT: break;
    }
    return list(*store);
}

int cli_jobs(int argc, char **argv)
{
    static const struct argp_child children[] = {{&store_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        NULL,
        parse_option,
        "[list]\npause JOB\nresume JOB\ncancel JOB\nforget JOB",
        "The runs of 'heloise bulk' that the store knows. pause: its process stops within about a "
        "second and keeps what is done. resume: goes on here. cancel: stops for good. forget: "
        "takes it out of the list.\v"
        "Exit status: 0 done, 64 usage or no such job, 66 the list cannot be read again, 73 the "
        "store cannot be written, 75 another process runs the job, 78 bad configuration; resume "
        "ends "
        "as bulk does.",
        children,
        NULL,
        NULL};
    struct jobs_options options = {.verb = VERB_LIST};
    store_options_init(&options.store);
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct store *store = NULL;
    int code = store_options_open(&options.store, &store);
    if (code == EXIT_SUCCESS) {
        code = act(&store, &options);
        store_close(store);
    }
    store_options_done(&options.store);
    return code;
}
