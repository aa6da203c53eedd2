/* cli/bulk: `heloise bulk`: a list in, the same list with verdicts out; progress, Ctrl-C and going on.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/result_file.h"
#include "cli/spool.h"
#include "cli/ticker.h"
#include "cli/workbench.h"
#include "engine/bulk.h"

enum {
    COMMIT_MS = 1000, /* what a kill -9 may cost; the same pages are written less often then */
    FINGERPRINT_BYTES_MAX = 65536,
    PROGRESS_MS = 500,
    PROGRESS_BYTES = 512,
    LEAVE_MS = 700, /* after Ctrl-C: time for lines to be left politely */
    PATH_BYTES = 4096,
};

struct bulk_options {
    struct probe_options probe;
    const char *input, *output;
    const char *output_format; /* NULL: by the output's name, else by the input's */
    const char *column;
    int argc;
    char **argv; /* for the command to go on with */
};

enum { KEY_OUTPUT_FORMAT = 0x300, KEY_COLUMN };

static const struct argp_option option_table[] = {
    {"output", 'o', "FILE", 0, "where to write (standard output)", -1},
    {"output-format", KEY_OUTPUT_FORMAT, "NAME", 0, "csv or ndjson", -1},
    {"column", KEY_COLUMN, "NAME|N", 0, "the column with the address: its header or number from 1",
     -1},
    {0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct bulk_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->probe; return 0;
    case 'o': options->output = arg; return 0;
    case KEY_OUTPUT_FORMAT:
        if (strcmp(arg, "csv") != 0 && strcmp(arg, "ndjson") != 0) {
            argp_error(state, "--output-format: '%.60s' is neither csv nor ndjson", arg);
        }
        options->output_format = arg;
        return 0;
    case KEY_COLUMN: options->column = arg; return 0;
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
    knocker_count(run->bench.knocker, &talking);
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
    uint64_t wait_ms = run->bench.is_interrupted ? LEAVE_MS : 3000;
    run->leave = (struct timer){.fired = on_leave, .context = run};
    door_timer_start(run->bench.door, &run->leave, door_now_ms(run->bench.door) + wait_ms);
    knocker_settle(run->bench.knocker);
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

static void say_summary(const struct run *run)
{
    if (run->options->probe.is_quiet) {
        return;
    }
    struct bulk_counts counts;
    bulk_count(run->bulk, &counts);
    struct knocker_counts asked;
    knocker_count(run->bench.knocker, &asked);
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

/* What makes two calls the same job: the file as it is now, and what changes the answers. */
static int fingerprint(const struct run *run, struct buf *out)
{
    const struct bulk_options *options = run->options;
    struct stat info;
    char *path = realpath(options->input, NULL);
    if (path == NULL || stat(path, &info) != 0) {
        complain("cannot read %s: %s", options->input,
                 error_text(&(struct error_text){.text = ""}));
        free(path);
        return EXIT_NO_INPUT;
    }
    if (!S_ISREG(info.st_mode)) {
        complain(
            "%s is not a regular file, and a list is read twice; '-' takes a stream from standard "
            "input",
            options->input);
        free(path);
        return EXIT_NO_INPUT;
    }
    const struct knocker_config *config = &options->probe.knocker;
    enum err e = buf_printf(out, "%s|%lld|%lld.%09ld|%s|%s|%s|%d%d|%u|%u%u|%.*s", path,
                            (long long)info.st_size, (long long)info.st_mtim.tv_sec,
                            info.st_mtim.tv_nsec, options->column == NULL ? "" : options->column,
                            options->output == NULL ? "" : options->output,
                            options->output_format == NULL ? "" : options->output_format,
                            config->verify.no_smtp, config->verify.no_control, config->port,
                            config->verify.risky_if, (unsigned)config->address_mode,
                            SLICE_ARG(config->verify.mail_from));
    free(path);
    return e == ERR_NONE ? EXIT_SUCCESS : EXIT_INTERNAL;
}

static enum table_format output_format(const struct bulk_options *options)
{
    const char *name = options->output_format;
    if (name != NULL) {
        return strcmp(name, "ndjson") == 0 ? TABLE_NDJSON : TABLE_CSV;
    }
    struct slice path = slice_of(options->output != NULL ? options->output : options->input);
    bool is_ndjson =
        slice_ends_nocase(path, SLICE(".ndjson")) || slice_ends_nocase(path, SLICE(".jsonl"));
    return is_ndjson ? TABLE_NDJSON : TABLE_CSV;
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

static int finish(struct run *run)
{
    ticker_clear(&run->ticker);
    const struct fault *fault = bulk_fault(run->bulk);
    bool is_whole = !run->bench.is_interrupted && fault->err == ERR_NONE;
    int code = write_output(run, is_whole);
    if (is_whole && run->bench.is_interrupted) {
        code = EXIT_SUCCESS; /* stopped while the whole result was being written; said below */
    }
    say_summary(run);
    if (fault->err != ERR_NONE) {
        complain("%s", fault->text);
        say_how_to_go_on(run);
        return EXIT_CANNOT_WRITE;
    }
    if (run->bench.is_interrupted) {
        if (run->spool[0] != '\0') {
            complain("stopped; what is done is kept as verdicts, but standard input cannot be read "
                     "again");
        } else {
            say_how_to_go_on(run);
        }
        return EXIT_STOPPED;
    }
    struct fault forget_fault;
    if (code == EXIT_SUCCESS && bulk_forget(run->bulk, &forget_fault) != ERR_NONE) {
        complain("%s", forget_fault.text);
        code = EXIT_CANNOT_WRITE;
    }
    return code;
}

static int run_job(struct run *run, struct bulk_config *config)
{
    struct fault fault;
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
        ticker_clear(&run->ticker);
        if (run->bench.is_interrupted) {
            say_how_to_go_on(run);
            return EXIT_STOPPED;
        }
        complain("%s", fault.text);
        return fault.err == ERR_SYNTAX   ? EXIT_BAD_DATA
               : fault.err == ERR_SYSTEM ? EXIT_NO_INPUT
                                         : EXIT_CANNOT_WRITE;
    }
    run->phase = "asked";
    run->started_ms = door_now_ms(run->bench.door);
    knocker_on_idle(run->bench.knocker, stop_if_through, run);
    bulk_start(run->bulk);
    door_run(run->bench.door);
    door_timer_stop(run->bench.door, &run->leave);
    return finish(run);
}

static int run_bulk(struct run *run)
{
    struct bulk_options *options = run->options;
    int code = EXIT_SUCCESS;
    if (strcmp(options->input, "-") == 0) {
        code = spool_open(run->spool, sizeof run->spool);
        options->input = run->spool;
    }
    struct buf print;
    buf_init(&print, FINGERPRINT_BYTES_MAX);
    if (code == EXIT_SUCCESS) {
        code = fingerprint(run, &print);
    }
    if (code == EXIT_SUCCESS && options->output != NULL) {
        code = result_file_check(options->output);
    }
    if (code == EXIT_SUCCESS) {
        code = workbench_open(&run->bench, &options->probe, "bulk");
    }
    if (code == EXIT_SUCCESS) {
        struct bulk_config config = {
            .input_path = options->input,
            .fingerprint = buf_view(&print),
            .table = {.file_name = slice_of(options->input), .column = slice_of(options->column)},
            .output_format = output_format(options),
            .progressed = show_progress,
            .may_go_on = may_go_on,
            .finished = on_finished,
            .context = run,
        };
        run->started_ms = door_now_ms(run->bench.door);
        code = run_job(run, &config);
        bulk_close(run->bulk);
        workbench_close(&run->bench);
    }
    buf_done(&print);
    spool_remove(run->spool);
    return code;
}

int cli_bulk(int argc, char **argv)
{
    static const struct argp_child children[] = {{&probe_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        option_table,
        parse_option,
        "INPUT",
        "Verifies a list: CSV of any kind, plain text or NDJSON. All columns and the order of rows "
        "are kept; "
        "an address that stands twice is asked once.\v"
        "A run that was stopped or killed goes on with the same command. Exit status: 0 completed, "
        "64 usage, "
        "65 the input is no list of addresses, 66 no input, 73 cannot write, 75 another process "
        "runs this job, 78 bad configuration, 130 stopped.",
        children,
        NULL,
        NULL};
    struct bulk_options options = {.argc = argc, .argv = argv};
    probe_options_init(&options.probe);
    options.probe.knocker.is_budget_wall_clock = false;
    options.probe.knocker.flush_ms = COMMIT_MS;
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
