/* cli/bulk: `heloise bulk`: a list in, the same list with verdicts out; progress, Ctrl-C and going on.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/job_name.h"
#include "cli/result_file.h"
#include "cli/spool.h"
#include "cli/ticker.h"
#include "cli/workbench.h"
#include "engine/crew.h"

enum {
    COMMIT_MS = 1000, /* what a kill -9 may cost; the same pages are written less often then */
    PROGRESS_MS = 500,
    PROGRESS_BYTES = 512,
    SAID_BYTES_MAX = 8192,
    LEAVE_MS = 700, /* after Ctrl-C: time for lines to be left politely */
    PATH_BYTES = 4096,
};

struct bulk_options {
    struct probe_options probe;
    const char *input, *output;
    const char *output_format; /* NULL: by the output's name, else by the input's */
    const char *column, *sheet;
    const struct slice *fingerprint; /* the job that is to go on; NULL: whichever it is */
    int argc;
    char **argv; /* for the command to go on with */
};

enum { KEY_OUTPUT_FORMAT = 0x300, KEY_COLUMN, KEY_SHEET };

static const struct argp_option option_table[] = {
    {"output", 'o', "FILE", 0, "where to write (standard output)", -1},
    {"output-format", KEY_OUTPUT_FORMAT, "NAME", 0, "csv, ndjson or xlsx", -1},
    {"column", KEY_COLUMN, "NAME|N", 0, "the column with the address: its header or number from 1",
     -1},
    {"sheet", KEY_SHEET, "NAME|N", 0, "of a workbook: the sheet to read", -1},
    {0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct bulk_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->probe; return 0;
    case 'o': options->output = arg; return 0;
    case KEY_OUTPUT_FORMAT:
        if (strcmp(arg, "csv") != 0 && strcmp(arg, "ndjson") != 0 && strcmp(arg, "xlsx") != 0) {
            argp_error(state, "--output-format: '%.60s' is neither csv, ndjson nor xlsx", arg);
        }
        options->output_format = arg;
        return 0;
    case KEY_COLUMN: options->column = arg; return 0;
    case KEY_SHEET: options->sheet = arg; return 0;
    case ARGP_KEY_ARG:
        if (options->input != NULL) {
            argp_error(state, "one input at a time; '%.60s' is a second one", arg);
        }
        options->input = arg;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no input given; '-' reads standard input"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

struct run {
    struct workbench bench;
    struct bulk_options *options;
    struct bulk *bulk;
    struct crew *crew; /* several loops; NULL: one, the workbench's */
    const char *phase;
    char spool[PATH_BYTES]; /* a copy of standard input; empty: none */
    struct ticker ticker;
    bool is_finished;
    bool is_writing_part; /* stopped already: what there is gets written */
    uint64_t started_ms, phase_began_ms, last_shown_ms;
    struct timer leave;
};

static void format_span(uint64_t seconds, char out[32])
{
    if (seconds < 3600) {
        (void)snprintf(out, 32, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
    } else {
        (void)snprintf(out, 32, "%" PRIu64 "h%02" PRIu64, seconds / 3600, seconds / 60 % 60);
    }
}

static void count_asked(const struct run *run, struct knocker_counts *out)
{
    if (run->crew != NULL) {
        crew_count(run->crew, out);
    } else {
        knocker_count(run->bench.knocker, out);
    }
}

static void show_progress(void *context)
{
    struct run *run = context;
    uint64_t now = door_now_ms(run->bench.door);
    if (!run->ticker.is_on || now - run->started_ms < 1000 ||
        now - run->last_shown_ms < PROGRESS_MS) {
        return;
    }
    run->last_shown_ms = now;
    struct bulk_counts counts;
    bulk_count(run->bulk, &counts);
    uint64_t fresh = counts.done - counts.done_before;
    double rate = (double)fresh * 1000.0 / (double)(now - run->started_ms);
    char left[32] = "?";
    if (rate > 0.0) {
        format_span((uint64_t)((double)(counts.items - counts.done) / rate), left);
    }
    struct knocker_counts talking;
    count_asked(run, &talking);
    char text[PROGRESS_BYTES];
    (void)snprintf(
        text, sizeof text,
        "%s %" PRIu64 "/%" PRIu64 "  %.0f/s  left %s  deliverable %" PRIu64
        "  undeliverable %" PRIu64 "  risky %" PRIu64 "  unknown %" PRIu64 "  lines %u  waiting %u",
        run->phase, counts.done, counts.items, rate, left, counts.by_status[VERDICT_DELIVERABLE],
        counts.by_status[VERDICT_UNDELIVERABLE], counts.by_status[VERDICT_RISKY],
        counts.by_status[VERDICT_UNKNOWN], talking.talking, talking.waiting);
    ticker_show(&run->ticker, text);
}

/* While rows are read or written the door does not run: signals are looked for in between. */
static bool may_go_on(void *context)
{
    struct run *run = context;
    door_turn(run->bench.door);
    uint64_t now = door_now_ms(run->bench.door);
    if (run->ticker.is_on && now - run->phase_began_ms >= 1000 &&
        now - run->last_shown_ms >= PROGRESS_MS) {
        run->last_shown_ms = now;
        struct bulk_counts counts;
        char text[PROGRESS_BYTES];
        bulk_count(run->bulk, &counts);
        (void)snprintf(text, sizeof text, "%s row %" PRIu64, run->phase, counts.rows);
        ticker_show(&run->ticker, text);
    }
    return !run->bench.is_interrupted || run->is_writing_part;
}

/* The end. */

static bool is_stopped(const struct run *run)
{
    return run->bench.is_interrupted || bulk_wish(run->bulk) != STORE_WISH_NONE;
}

static void stop_if_through(void *context)
{
    struct run *run = context;
    if (run->is_finished) {
        door_stop(run->bench.door);
    }
}

static void on_leave(void *context)
{
    struct run *run = context;
    door_stop(run->bench.door);
}

static void on_finished(void *context)
{
    struct run *run = context;
    run->is_finished = true;
    uint64_t wait_ms = is_stopped(run) ? LEAVE_MS : 3000;
    run->leave = (struct timer){.fired = on_leave, .context = run};
    door_timer_start(run->bench.door, &run->leave, door_now_ms(run->bench.door) + wait_ms);
    if (run->crew == NULL) {
        knocker_settle(run->bench.knocker);
    } else if (crew_is_idle(run->crew)) {
        stop_if_through(run);
    }
}

static void on_interrupt(void *context)
{
    struct run *run = context;
    bulk_cancel(run->bulk);
}

static void say_how_to_go_on(const struct run *run)
{
    (void)fputs("heloise: stopped; what is done is kept. The same command goes on:\n    ", stderr);
    say_command(run->options->argc, run->options->argv);
}

/* What came of no question at all. */
static void say_block(void *context, const struct knocker_block *block)
{
    (void)context;
    char again[64] = "";
    if (block->again_in_s > 0) {
        char span[32];
        format_span(block->again_in_s, span);
        (void)snprintf(again, sizeof again, " (again in %s)", span);
    }
    struct buf said;
    buf_init(&said, SAID_BYTES_MAX);
    if (block->said.len > 0 && (buf_append(&said, SLICE(": ")) != ERR_NONE ||
                                text_append_printable(&said, block->said) != ERR_NONE)) {
        buf_clear(&said);
    }
    struct slice words = buf_view(&said);
    complain("%" PRIu64
             " addresses were not asked: %.*s lets us ask through none of our addresses%.*s%s",
             block->addresses, SLICE_ARG(block->who), SLICE_ARG(words), again);
    buf_done(&said);
}

static void say_summary(const struct run *run)
{
    if (run->options->probe.is_quiet) {
        return;
    }
    if (run->crew != NULL) {
        crew_each_block(run->crew, say_block, NULL);
    } else {
        knocker_each_block(run->bench.knocker, say_block, NULL);
    }
    struct bulk_counts counts;
    bulk_count(run->bulk, &counts);
    struct knocker_counts asked;
    count_asked(run, &asked);
    char span[32];
    format_span((door_now_ms(run->bench.door) - run->started_ms) / 1000, span);
    (void)fprintf(
        stderr,
        "%" PRIu64 " rows, %" PRIu64 " addresses, %" PRIu64 " asked before, in %s\n"
        "  deliverable   %" PRIu64 "\n  undeliverable %" PRIu64 "\n  risky         %" PRIu64
        "\n  unknown       %" PRIu64 "\n  no address    %" PRIu64 " rows\n",
        counts.rows, counts.items, counts.done_before + asked.cached, span,
        counts.by_status[VERDICT_DELIVERABLE], counts.by_status[VERDICT_UNDELIVERABLE],
        counts.by_status[VERDICT_RISKY], counts.by_status[VERDICT_UNKNOWN], counts.invalid_rows);
    if (counts.bad_rows > 0) {
        (void)fprintf(stderr,
                      "  %" PRIu64
                      " rows could not be read as rows; they are in the output, with why\n",
                      counts.bad_rows);
    }
    if (asked.connects_good == 0 && asked.connects_failed > 2) {
        complain("not one mail server could be reached on port %u: most home and cloud networks "
                 "block it",
                 (unsigned)run->options->probe.knocker.port);
    }
}

static enum table_format output_format(const struct bulk_options *options)
{
    const char *name = options->output_format;
    if (name != NULL) {
        return strcmp(name, "ndjson") == 0 ? TABLE_NDJSON
               : strcmp(name, "xlsx") == 0 ? TABLE_XLSX
                                           : TABLE_CSV;
    }
    struct slice path = slice_of(options->output != NULL ? options->output : options->input);
    bool is_ndjson =
        slice_ends_nocase(path, SLICE(".ndjson")) || slice_ends_nocase(path, SLICE(".jsonl"));
    bool is_xlsx = options->output != NULL && slice_ends_nocase(path, SLICE(".xlsx"));
    return is_ndjson ? TABLE_NDJSON : is_xlsx ? TABLE_XLSX : TABLE_CSV;
}

static int write_output(struct run *run, bool is_whole)
{
    uint64_t unfinished = 0;
    const char *output = run->options->output;
    run->phase = "writing";
    run->phase_began_ms = door_now_ms(run->bench.door);
    run->is_writing_part = !is_whole;
    if (output != NULL) {
        char partial[PATH_BYTES];
        (void)snprintf(partial, sizeof partial, "%s.partial", output);
        if (!is_whole && !result_file_is_plain(output)) {
            return EXIT_SUCCESS; /* a pipe or device takes the whole result only */
        }
        int code = result_file_write(run->bulk, is_whole ? output : partial, &unfinished);
        ticker_clear(&run->ticker);
        if (code == EXIT_SUCCESS && !is_whole) {
            complain("%s holds all rows so far; %" PRIu64 " have no result yet", partial,
                     unfinished);
        } else if (code == EXIT_SUCCESS) {
            (void)unlink(partial);
        }
        return code;
    }
    if (!is_whole) {
        return EXIT_SUCCESS; /* the rows come when the job is through */
    }
    if (isatty(STDOUT_FILENO) == 1) {
        ticker_clear(&run->ticker);
        run->ticker.is_on = false; /* the rows come there */
    }
    struct fault fault;
    if (bulk_write(run->bulk, stdout, &unfinished, &fault) != ERR_NONE) {
        if (fault.err == ERR_STATE) {
            return EXIT_STOPPED; /* by Ctrl-C; the caller says so */
        }
        complain("cannot write to standard output: %s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    if (fflush(stdout) != 0) {
        complain("cannot write to standard output: %s",
                 error_text(&(struct error_text){.text = ""}));
        return EXIT_CANNOT_WRITE;
    }
    ticker_clear(&run->ticker);
    return EXIT_SUCCESS;
}

/* What the list of jobs says from now on. */
static int end_job(struct run *run, enum store_job_state state)
{
    struct fault fault;
    if (bulk_end(run->bulk, state, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

/* The copy goes with the process, and so does the job: nobody could go on with it. */
static int leave_stdin(struct run *run)
{
    struct fault fault;
    complain("stopped; what is done is kept as verdicts, but standard input cannot be read again");
    if (bulk_forget(run->bulk, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_STOPPED;
}

static int cancel(struct run *run, int written)
{
    long long number = (long long)bulk_number(run->bulk);
    if (written != EXIT_SUCCESS) {
        complain("so job %lld keeps its results; 'heloise jobs cancel %lld' drops them", number,
                 number);
        return written;
    }
    int code = end_job(run, STORE_JOB_CANCELLED);
    if (code == EXIT_SUCCESS) {
        complain("job %lld was cancelled; what is done is kept as verdicts", number);
    }
    return code == EXIT_SUCCESS ? EXIT_STOPPED : code;
}

static int pause_job(struct run *run)
{
    long long number = (long long)bulk_number(run->bulk);
    int code = end_job(run, STORE_JOB_PAUSED);
    if (code == EXIT_SUCCESS) {
        complain("job %lld is paused; 'heloise jobs resume %lld' goes on, as does the same command",
                 number, number);
    }
    return code == EXIT_SUCCESS ? EXIT_STOPPED : code;
}

/* Before it was through: by a signal, or by another process. written: the exit code of writing what there is. */
static int stop(struct run *run, int written)
{
    if (run->spool[0] != '\0') {
        return leave_stdin(run);
    }
    switch (bulk_wish(run->bulk)) {
    case STORE_WISH_PAUSE: return pause_job(run);
    case STORE_WISH_CANCEL: return cancel(run, written);
    case STORE_WISH_NONE: break;
    }
    say_how_to_go_on(run);
    return EXIT_STOPPED;
}

static int finish(struct run *run)
{
    ticker_clear(&run->ticker);
    const struct fault *fault = bulk_fault(run->bulk);
    bool is_whole = !is_stopped(run) && fault->err == ERR_NONE;
    int code = write_output(run, is_whole);
    if (is_whole && is_stopped(run)) {
        code = EXIT_SUCCESS; /* stopped while the whole result was being written; said below */
    }
    say_summary(run);
    if (fault->err != ERR_NONE) {
        complain("%s", fault->text);
        say_how_to_go_on(run);
        return EXIT_CANNOT_WRITE;
    }
    if (is_stopped(run)) {
        return stop(run, code);
    }
    return code == EXIT_SUCCESS ? end_job(run, STORE_JOB_DONE) : code;
}

static int cannot_load(struct run *run, const struct fault *fault)
{
    ticker_clear(&run->ticker);
    if (is_stopped(run)) {
        return stop(run, EXIT_SUCCESS);
    }
    complain("%s", fault->text);
    return fault->err == ERR_SYNTAX   ? EXIT_BAD_DATA
           : fault->err == ERR_SYSTEM ? EXIT_NO_INPUT
                                      : EXIT_CANNOT_WRITE;
}

static int run_job(struct run *run, struct bulk_config *config)
{
    struct fault fault;
    struct bulk_way way;
    if (run->crew != NULL) {
        way = crew_way(run->crew);
        config->way = &way;
    }
    enum err e = bulk_open(config, run->bench.door, run->bench.knocker, run->bench.store,
                           &run->bulk, &fault);
    if (e != ERR_NONE) {
        complain("%s", fault.text);
        return e == ERR_STATE ? EXIT_BUSY : EXIT_CANNOT_WRITE;
    }
    run->phase = "reading";
    run->phase_began_ms = door_now_ms(run->bench.door);
    run->bench.on_interrupt = on_interrupt;
    run->bench.interrupt_context = run;
    if (bulk_load(run->bulk, &fault) != ERR_NONE) {
        return cannot_load(run, &fault);
    }
    run->phase = "asked";
    run->started_ms = door_now_ms(run->bench.door);
    if (run->crew != NULL) {
        crew_on_idle(run->crew, stop_if_through, run);
    } else {
        knocker_on_idle(run->bench.knocker, stop_if_through, run);
    }
    bulk_start(run->bulk);
    door_run(run->bench.door);
    door_timer_stop(run->bench.door, &run->leave);
    if (run->crew != NULL) {
        crew_stop(run->crew);
    }
    return finish(run);
}

/* One loop is the workbench's own. */
static int open_crew(struct run *run, enum table_format format)
{
    const struct probe_options *probe = &run->options->probe;
    struct uv_door_config door = workbench_door_config(probe);
    const struct config_store *store = &probe->config.store;
    struct crew_config config = {
        .knocker = &probe->knocker,
        .knowledge = run->bench.knowledge,
        .door = &door,
        .store_path = store->is_none ? NULL : store->path.at,
        .loops = crew_loops(&probe->knocker, probe->config.loops),
        .output_format = format,
    };
    struct fault fault;
    if (config.loops == 1) {
        return EXIT_SUCCESS;
    }
    if (crew_open(&config, run->bench.door, run->bench.store, &run->crew, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

/* The list is another one than when the job began. */
static bool is_other_job(const struct run *run, const struct store_job_name *name)
{
    const struct slice *wanted = run->options->fingerprint;
    return wanted != NULL && !slice_equal(*wanted, name->fingerprint);
}

static int open_and_run(struct run *run, const struct store_job_name *name)
{
    struct bulk_options *options = run->options;
    int code = workbench_open(&run->bench, &options->probe, "bulk");
    if (code != EXIT_SUCCESS) {
        return code;
    }
    code = workbench_learn(&run->bench);
    if (code != EXIT_SUCCESS) {
        workbench_close(&run->bench);
        return code;
    }
    knowledge_hasten(run->bench.knowledge);
    options->probe.knocker.began_at_ms =
        store_job_begun(run->bench.store, name->fingerprint, door_wall_ms(run->bench.door));
    struct bulk_config config = {
        .input_path = options->input,
        .name = *name,
        .table = {.file_name = slice_of(options->input),
                  .column = slice_of(options->column),
                  .sheet = slice_of(options->sheet)},
        .output_format = output_format(options),
        .progressed = show_progress,
        .may_go_on = may_go_on,
        .finished = on_finished,
        .context = run,
    };
    run->started_ms = door_now_ms(run->bench.door);
    code = open_crew(run, config.output_format);
    if (code == EXIT_SUCCESS) {
        code = run_job(run, &config);
    }
    if (run->crew != NULL) {
        crew_stop(run->crew);
    }
    bulk_close(run->bulk);
    crew_close(run->crew);
    workbench_close(&run->bench);
    return code;
}

static int run_bulk(struct run *run)
{
    struct bulk_options *options = run->options;
    int code = EXIT_SUCCESS;
    bool is_stdin = strcmp(options->input, "-") == 0;
    if (is_stdin) {
        code = spool_open(run->spool, sizeof run->spool);
        options->input = run->spool;
    }
    const struct job_call call = {
        .probe = &options->probe,
        .input = options->input,
        .output = options->output,
        .output_format = options->output_format,
        .column = options->column,
        .sheet = options->sheet,
        .is_stdin = is_stdin,
        .argc = options->argc,
        .argv = options->argv,
    };
    struct job_name name = {.name = {.label = SLICE_NONE}};
    if (code == EXIT_SUCCESS) {
        code = job_name_make(&call, &name);
    }
    if (code == EXIT_SUCCESS && is_other_job(run, &name.name)) {
        complain("%s has changed since this job began, or a setting has; the same 'heloise bulk' "
                 "command makes a new job of it, and 'heloise jobs forget' drops this one",
                 options->input);
        code = EXIT_BAD_DATA;
    }
    if (code == EXIT_SUCCESS && options->output != NULL) {
        code = result_file_check(options->output);
    }
    if (code == EXIT_SUCCESS) {
        code = open_and_run(run, &name.name);
    }
    job_name_done(&name);
    spool_remove(run->spool);
    return code;
}

int cli_bulk(int argc, char **argv)
{
    return cli_bulk_job(argc, argv, NULL);
}

int cli_bulk_job(int argc, char **argv, const struct slice *fingerprint)
{
    static const struct argp_child children[] = {{&probe_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        option_table,
        parse_option,
        "INPUT",
        "Verifies a list: CSV of any kind, plain text, NDJSON, a JSON array or an XLSX workbook. "
        "All columns and the order of rows "
        "are kept; "
        "an address that stands twice is asked once.\v"
        "A run that was stopped or killed goes on with the same command. Exit status: 0 completed, "
        "64 usage, "
        "65 the input is no list of addresses, 66 no input, 73 cannot write, 75 another process "
        "runs this job, 78 bad configuration, 130 stopped by a signal or by 'heloise jobs'.",
        children,
        NULL,
        NULL};
    struct bulk_options options = {.fingerprint = fingerprint, .argc = argc, .argv = argv};
    probe_options_init(&options.probe);
    options.probe.knocker.is_budget_wall_clock = false;
    options.probe.knocker.flush_ms = COMMIT_MS;
    options.probe.has_many_lines = true;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct run run = {.options = &options};
    ticker_init(&run.ticker, !options.probe.is_quiet);
    int code = probe_options_settle(&options.probe);
    if (code == EXIT_SUCCESS) {
        code = run_bulk(&run);
    }
    probe_options_done(&options.probe);
    return code;
}
