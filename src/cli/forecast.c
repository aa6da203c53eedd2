/* cli/forecast: `heloise forecast`: how long a list will take, and which limits bind, before any mail server hears
 * of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/slice.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/result_file.h"
#include "cli/spool.h"
#include "cli/ticker.h"
#include "cli/workbench.h"
#include "engine/forecast_report.h"
#include "net/uv_door.h"

enum {
    KEY_COLUMN = 0x300,
    KEY_SHEET,
    KEY_NO_DNS,
    KEY_INVALID_SHARE,
    KEY_GREYLIST_SHARE,
    KEY_RTT,
    KEY_ALL,
    KEY_JSON,
    PATH_BYTES = 4096,
    PROGRESS_BYTES = 128,
    PROGRESS_MS = 250,
    REPORT_BYTES_MAX = 64 << 20,
    ROWS_SHOWN = 15,
    RTT_MS_MAX = 600000,
    /* Where nothing is said. A list in steady use has few dead addresses, one that lay for a year a fifth and more;
     * a list is cleaned because nobody knows. */
    INVALID_PERCENT = 10,
    /* Of servers of one's own; large providers hardly greylist. A guess: it costs a second question and five
     * minutes. */
    GREYLIST_PERCENT = 10,
    RTT_MS = 200, /* half the way round the earth, and a server that looks something up */
};

struct forecast_options {
    struct probe_options probe;
    const char *input, *column, *sheet;
    double invalid_share, greylist_share;
    uint32_t rtt_ms;
    bool no_dns, shows_all, is_json;
};

static const struct argp_option option_table[] = {
    {NULL, 0, NULL, 0, "What is read:", 0},
    {"column", KEY_COLUMN, "NAME|N", 0, "the column with the address: its header or number from 1",
     0},
    {"sheet", KEY_SHEET, "NAME|N", 0, "of a workbook: the sheet to read", 0},
    {"no-dns", KEY_NO_DNS, NULL, 0, "look up no domain: judge by its name alone", 0},
    {NULL, 0, NULL, 0, "What is assumed:", 0},
    {"invalid-share", KEY_INVALID_SHARE, "PERCENT", 0,
     "addresses that will be refused as unknown (10)", 0},
    {"greylist-share", KEY_GREYLIST_SHARE, "PERCENT", 0,
     "addresses at servers of one's own that are greylisted (10)", 0},
    {"rtt", KEY_RTT, "MS", 0, "milliseconds from a command to its answer (200)", 0},
    {NULL, 0, NULL, 0, "How it is told:", 0},
    {"all", KEY_ALL, NULL, 0, "every row of the table, not the largest alone", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object", 0},
    {0},
};

static double parse_percent(struct argp_state *state, const char *option, const char *text)
{
    char *end = NULL;
    double value = strtod(text, &end);
    /* Digits first: strtod takes spaces, signs, hexadecimal and "nan" too. */
    bool is_plain = strspn(text, "0123456789.") == strlen(text);
    if (!is_plain || end == text || *end != '\0' || value > 100) {
        argp_error(state, "%s: '%.40s' is no number from 0 to 100", option, text);
        return 0;
    }
    return value / 100;
}

static uint32_t parse_rtt(struct argp_state *state, const char *text)
{
    struct reader r = reader_over(slice_of(text));
    uint64_t value = 0;
    if (!reader_number(&r, RTT_MS_MAX, &value) || r.rest.len > 0 || value == 0) {
        argp_error(state, "--rtt: '%.40s' is no number of milliseconds from 1 to %d", text,
                   RTT_MS_MAX);
    }
    return (uint32_t)value;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct forecast_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->probe; return 0;
    case KEY_COLUMN: options->column = arg; return 0;
    case KEY_SHEET: options->sheet = arg; return 0;
    case KEY_NO_DNS: options->no_dns = true; return 0;
    case KEY_INVALID_SHARE:
        options->invalid_share = parse_percent(state, "--invalid-share", arg);
        return 0;
    case KEY_GREYLIST_SHARE:
        options->greylist_share = parse_percent(state, "--greylist-share", arg);
        return 0;
    case KEY_RTT: options->rtt_ms = parse_rtt(state, arg); return 0;
    case KEY_ALL: options->shows_all = true; return 0;
    case KEY_JSON: options->is_json = true; return 0;
    case ARGP_KEY_ARG:
        if (options->input != NULL) {
            argp_error(state, "one list at a time; '%.60s' is a second one", arg);
        }
        options->input = arg;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no list given; '-' reads standard input"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* One forecast. */
struct run {
    const struct forecast_options *options;
    struct knowledge *knowledge;
    struct store *store; /* NULL: none, or none yet */
    struct door *door;
    struct survey *survey;
    struct census census;
    struct ticker ticker;
    uint64_t shown_ms, seed;
    int64_t wall_ms;
    bool is_interrupted;
};

static void on_signal(void *context)
{
    struct run *run = context;
    if (run->is_interrupted) {
        _exit(EXIT_STOPPED); /* asked twice: at once */
    }
    run->is_interrupted = true;
    if (run->survey != NULL) {
        survey_cancel(run->survey);
    }
}

/* ---- opening ---- */

static int open_door(struct run *run)
{
    int code = workbench_open_door(&run->options->probe, on_signal, run, &run->door);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    door_random_bytes(run->door, &run->seed, sizeof run->seed);
    run->wall_ms = door_wall_ms(run->door);
    return EXIT_SUCCESS;
}

/* A store that is not there yet knows nothing, and stays so: a forecast leaves nothing behind. */
static int open_store(struct run *run)
{
    const struct config_store *store = &run->options->probe.config.store;
    if (store->is_none || store->path.len == 0 || access(store->path.at, F_OK) != 0) {
        return EXIT_SUCCESS;
    }
    return workbench_open_store(store->path.at, &run->store);
}

static int open_all(struct run *run)
{
    int code = workbench_open_knowledge(&run->options->probe, &run->knowledge);
    code = code == EXIT_SUCCESS ? open_door(run) : code;
    return code == EXIT_SUCCESS ? open_store(run) : code;
}

static void close_all(struct run *run)
{
    uv_door_close(run->door); /* answers what the survey still waits for */
    survey_free(run->survey);
    census_done(&run->census);
    store_close(run->store);
    knowledge_free(run->knowledge);
}

/* ---- reading the list ---- */

static bool is_due(struct run *run)
{
    uint64_t now = door_now_ms(run->door);
    if (!run->ticker.is_on || now - run->shown_ms < PROGRESS_MS) {
        return false;
    }
    run->shown_ms = now;
    return true;
}

static bool may_go_on(void *context)
{
    struct run *run = context;
    door_turn(run->door);
    if (is_due(run)) {
        char text[PROGRESS_BYTES];
        (void)snprintf(text, sizeof text, "reading row %" PRIu64, run->census.rows);
        ticker_show(&run->ticker, text);
    }
    return !run->is_interrupted;
}

static int read_file(struct run *run, FILE *file, const char *name)
{
    const struct forecast_options *options = run->options;
    const struct census_config config = {
        .knocker = &options->probe.knocker,
        .store = run->store,
        .wall_ms = run->wall_ms,
        .seed = run->seed,
        .table = {.file_name = slice_of(name),
                  .column = slice_of(options->column),
                  .sheet = slice_of(options->sheet),
                  .may_go_on = may_go_on,
                  .context = run},
    };
    struct fault fault;
    enum err e = census_take(&config, file, &run->census, &fault);
    ticker_clear(&run->ticker);
    if (run->is_interrupted) {
        return EXIT_STOPPED;
    }
    if (e == ERR_NONE) {
        return EXIT_SUCCESS;
    }
    complain("%s", fault.text);
    return e == ERR_SYNTAX ? EXIT_BAD_DATA : e == ERR_SYSTEM ? EXIT_NO_INPUT : EXIT_INTERNAL;
}

static int read_list(struct run *run, const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        complain("cannot read %s: %s", path, error_text(&(struct error_text){.text = ""}));
        return EXIT_NO_INPUT;
    }
    int code = read_file(run, file, path);
    (void)fclose(file);
    return code;
}

/* ---- looking up ---- */

static void on_progress(void *context)
{
    struct run *run = context;
    if (is_due(run)) {
        struct survey_counts counts;
        char text[PROGRESS_BYTES];
        survey_count(run->survey, &counts);
        (void)snprintf(text, sizeof text, "looked up %" PRIu64 " of %zu domains",
                       counts.domains_done, run->census.domain_count);
        ticker_show(&run->ticker, text);
    }
}

static void on_finished(void *context)
{
    struct run *run = context;
    door_stop(run->door);
}

static int look_up(struct run *run, const struct survey_config *config)
{
    struct door *door = run->options->no_dns ? NULL : run->door;
    if (survey_new(door, config, &run->census, &run->survey) != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    survey_start(run->survey);
    if (door != NULL) {
        door_run(door);
    }
    ticker_clear(&run->ticker);
    if (run->is_interrupted) {
        return EXIT_STOPPED;
    }
    if (survey_has_failed(run->survey)) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

/* ---- telling ---- */

static int tell(const struct run *run)
{
    const struct forecast_options *options = run->options;
    const struct knocker_config *knocker = &options->probe.knocker;
    const struct forecast_assumptions assumed = {
        .invalid_share = options->invalid_share,
        .greylist_share = knocker->verify.retry_temporary ? options->greylist_share : 0,
        .rtt_ms = options->rtt_ms,
        .greylist_wait_ms = knocker->verify.greylist_wait_s * 1000,
        .queue_wait_ms = knocker->queue_wait_ms_max,
        .connections_max = knocker->connections_max,
        .has_tls = !knocker->no_tls,
    };
    struct forecast_report report;
    struct buf out;
    enum err e = forecast_report_make(&run->census, run->survey, &assumed, run->wall_ms, &report);
    if (e != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    report.has_dns = !options->no_dns;
    buf_init(&out, REPORT_BYTES_MAX);
    e = options->is_json ? forecast_write_json(&report, &out)
                         : forecast_write_text(&report, options->shows_all ? 0 : ROWS_SHOWN, &out);
    if (e == ERR_NONE) {
        (void)fwrite(out.at, 1, out.len, stdout); /* a failure is seen at the end */
    } else {
        complain("out of memory");
    }
    buf_done(&out);
    forecast_report_done(&report);
    return e == ERR_NONE ? EXIT_SUCCESS : EXIT_INTERNAL;
}

static int forecast(struct run *run, const char *path)
{
    int code = open_all(run);
    code = code == EXIT_SUCCESS ? read_list(run, path) : code;
    if (code != EXIT_SUCCESS) {
        return code;
    }
    const struct survey_config config = {
        .knocker = &run->options->probe.knocker,
        .knowledge = run->knowledge,
        .store = run->store,
        .wall_ms = run->wall_ms,
        .seed = run->seed,
        .progressed = on_progress,
        .finished = on_finished,
        .context = run,
    };
    code = look_up(run, &config);
    code = code == EXIT_SUCCESS ? tell(run) : code;
    uv_door_close(run->door); /* while the survey's configuration lives */
    run->door = NULL;
    return code;
}

/* Where the list is a pipe, it is copied first, while a signal still ends the process: what it is, is found out from
 * its beginning, which is read twice. */
static int run_forecast(struct run *run)
{
    const char *input = run->options->input;
    char spool[PATH_BYTES] = "";
    int code = EXIT_SUCCESS;
    if (strcmp(input, "-") == 0) {
        code = spool_open(spool, sizeof spool);
        input = spool;
    }
    if (code == EXIT_SUCCESS) {
        code = forecast(run, input);
        close_all(run);
    }
    spool_remove(spool);
    return code;
}

int cli_forecast(int argc, char **argv)
{
    static const struct argp_child children[] = {{&probe_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        option_table,
        parse_option,
        "LIST",
        "Says how many addresses of a list each provider has, how long they will take through the "
        "ways out there are, and which limits bind; asks the name service only, and no mail "
        "server. Give it the list and the options that 'heloise bulk' will get.\v"
        "Exit status: 0 told, 64 usage, 65 the list is no list of addresses, 66 no list, 69 no "
        "network, 70 no memory, 73 cannot write, or the store cannot be opened, 78 bad "
        "configuration, 130 stopped by a signal.",
        children,
        NULL,
        NULL};
    argp_err_exit_status = EXIT_BAD_USAGE;
    struct forecast_options options = {
        .invalid_share = INVALID_PERCENT / 100.0,
        .greylist_share = GREYLIST_PERCENT / 100.0,
        .rtt_ms = RTT_MS,
    };
    probe_options_init(&options.probe);
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct run run = {.options = &options};
    ticker_init(&run.ticker, !options.probe.is_quiet);
    int code = probe_options_settle(&options.probe);
    if (code == EXIT_SUCCESS) {
        code = run_forecast(&run);
    }
    if (code == EXIT_STOPPED) {
        complain("stopped; nothing was asked");
    }
    probe_options_done(&options.probe);
    if (code == EXIT_SUCCESS && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
        complain("cannot write to standard output");
        code = EXIT_CANNOT_WRITE;
    }
    return code;
}
