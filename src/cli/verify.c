/* cli/verify: `heloise verify`: addresses on the command line or standard input, a report or records out.
 * Answers come out in the order of the questions.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/input.h"
#include "cli/ticker.h"
#include "cli/workbench.h"
#include "engine/format.h"
#include "engine/record_json.h"
#include "engine/report.h"

enum {
    VERIFY_OUT_BYTES_MAX = 4 << 20, /* one record in any shape */
    VERIFY_WINDOW = 256,         /* questions open at once, so that standard input may be endless */
    VERIFY_INPUT_MS = 50,        /* between looks at a standard input that has nothing yet */
    VERIFY_NEWS_AFTER_MS = 2000, /* who waits longer is told for what */
    VERIFY_NEWS_MS = 500,
    VERIFY_LEAVE_MS = 1500, /* after the last answer: time for lines to be left politely */
    VERIFY_NEWS_BYTES_MAX = 4096,
    VERIFY_MEMORY_STEP_BYTES = 2 << 20,
};

enum verify_shape {
    SHAPE_REPORT,
    SHAPE_JSON,
    SHAPE_REACHER,
    SHAPE_ZEROBOUNCE,
    SHAPE_KICKBOX,
    SHAPE_NEVERBOUNCE
};

struct verify_options {
    struct probe_options probe;
    enum verify_shape shape;
    char **addresses;
    size_t address_count;
    bool reads_stdin;
};

enum { KEY_JSON = 0x300, KEY_FORMAT };

static const struct argp_option option_table[] = {
    {"json", KEY_JSON, NULL, 0, "one JSON record a line", -1},
    {"format", KEY_FORMAT, "NAME", 0,
     "another service's shape: reacher, zerobounce, kickbox or neverbounce", -1},
    {0},
};

static enum verify_shape parse_format(struct argp_state *state, const char *name)
{
    static const char *const names[] = {"reacher", "zerobounce", "kickbox", "neverbounce"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (enum verify_shape)(SHAPE_REACHER + (int)i);
        }
    }
    argp_error(state, "--format: '%.60s' is none of reacher, zerobounce, kickbox, neverbounce",
               name);
    return SHAPE_REPORT;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct verify_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->probe; return 0;
    case KEY_JSON: options->shape = SHAPE_JSON; return 0;
    case KEY_FORMAT: options->shape = parse_format(state, arg); return 0;
    case ARGP_KEY_ARGS:
        options->addresses = state->argv + state->next;
        options->address_count = (size_t)(state->argc - state->next);
        options->reads_stdin =
            options->address_count == 1 && strcmp(options->addresses[0], "-") == 0;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "no address given; '-' reads them from standard input");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* One question; answers are kept until those before them were shown. */
struct question {
    struct question *next;
    struct run *run;
    struct buf out;
    bool is_answered;
};

struct run {
    struct workbench bench;
    const struct verify_options *options;
    struct question *first, *last;
    size_t next_argument, open, asked;
    struct input input;
    bool is_input_over;
    bool has_colour;
    enum verdict_status status; /* of the last answer */
    bool has_failed_write;
    size_t no_way_out; /* answers that show that no server can be reached from here */
    bool has_dns_trouble;
    struct ticker ticker;
    uint64_t began_ms;
    struct timer refill, news, leave;
};

static enum err shape(const struct run *run, const struct record *record, struct buf *out)
{
    enum err e = ERR_NONE;
    switch (run->options->shape) {
    case SHAPE_REPORT:
        e = report_write(record, run->has_colour, out);
        return e != ERR_NONE || run->options->probe.is_quiet ? e : buf_append_byte(out, '\n');
    case SHAPE_JSON: e = record_write_json(record, out); break;
    case SHAPE_REACHER: e = record_write_reacher(record, out); break;
    case SHAPE_ZEROBOUNCE: e = record_write_zerobounce(record, out); break;
    case SHAPE_KICKBOX: e = record_write_kickbox(record, out); break;
    case SHAPE_NEVERBOUNCE: e = record_write_neverbounce(record, out); break;
    }
    return e != ERR_NONE ? e : buf_append_byte(out, '\n');
}

static void show_ready(struct run *run)
{
    while (run->first != NULL && run->first->is_answered) {
        struct question *question = run->first;
        run->first = question->next;
        if (run->first == NULL) {
            run->last = NULL;
        }
        struct slice text = buf_view(&question->out);
        ticker_clear(&run->ticker);
        bool is_written = fwrite(text.at, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
        if (!is_written && !run->has_failed_write) {
            char why[128];
            complain("cannot write to standard output: %s", strerror_r(errno, why, sizeof why));
        }
        run->has_failed_write = run->has_failed_write || !is_written;
        buf_done(&question->out);
        free(question);
    }
}

/* Providers are always up: where none of their names can be found, or none of their exchangers reached, it is
 * this network. */
static bool shows_no_way_out(const struct record *record)
{
    bool is_connect = record->sub == SUB_CONNECT_FAILED || record->sub == SUB_CONNECT_TIMEOUT;
    return (is_connect || record->sub == SUB_DNS_ERROR) && record->provider_name.len > 0 &&
           !slice_equal(record->provider_class, SLICE("selfhosted"));
}

static void refill_at(struct run *run, uint64_t wait_ms)
{
    door_timer_start(run->bench.door, &run->refill, door_now_ms(run->bench.door) + wait_ms);
}

static void on_answer(void *context, const struct record *record)
{
    struct question *question = context;
    struct run *run = question->run;
    buf_init(&question->out, VERIFY_OUT_BYTES_MAX);
    if (!run->bench.has_bad_data && shape(run, record, &question->out) != ERR_NONE) {
        complain("out of memory while writing a record");
    }
    question->is_answered = true;
    run->status = record->status;
    run->no_way_out += shows_no_way_out(record) ? 1 : 0;
    run->has_dns_trouble = run->has_dns_trouble || record->sub == SUB_DNS_ERROR;
    run->open--;
    show_ready(run);
    refill_at(run, 0);
}

static void on_leave(void *context)
{
    const struct run *run = context;
    door_stop(run->bench.door);
}

/* Every answer is out and every line is closed politely. */
static void on_idle(void *context)
{
    struct run *run = context;
    if (run->is_input_over) {
        door_stop(run->bench.door);
    }
}

static enum input_result next_input(struct run *run, struct slice *out)
{
    const struct verify_options *options = run->options;
    if (!options->reads_stdin) {
        if (run->next_argument == options->address_count) {
            return INPUT_END;
        }
        *out = slice_of(options->addresses[run->next_argument++]);
        return INPUT_LINE;
    }
    for (;;) {
        enum input_result result = input_next(&run->input, out);
        *out = slice_trim(*out);
        if (result != INPUT_LINE || out->len > 0) {
            return result;
        }
    }
}

static enum err ask(struct run *run, struct slice text)
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL) {
        return ERR_NOMEM;
    }
    question->run = run;
    if (run->last == NULL) {
        run->first = question;
    } else {
        run->last->next = question;
    }
    run->last = question;
    run->open++;
    run->asked++;
    return knocker_ask(run->bench.knocker, text, on_answer, question);
}

/* While the last lines wait for the answer to QUIT. Who waits for this process waits until its memory is given back, too:
 * the lists take as long as half of the rest, what the heap holds free a sixth of it. */
static void put_away(struct run *run)
{
    struct fault fault;
    if (knocker_leave_store(run->bench.knocker, &fault) != ERR_NONE) {
        complain("%s; the answers above stand, but were not kept", fault.text);
    }
    store_close(run->bench.store);
    run->bench.store = NULL;
    knocker_leave_lists(run->bench.knocker);
    knowledge_drop_lists(run->bench.knowledge);
    (void)malloc_trim(0);
}

static void on_refill(void *context)
{
    struct run *run = context;
    struct slice text = SLICE_NONE;
    if ((run->has_failed_write || run->bench.has_bad_data) && !run->is_input_over) {
        /* nobody reads on, or there is nothing to say */
        run->is_input_over = true;
        knocker_cancel(run->bench.knocker);
    }
    while (!run->is_input_over && run->open < VERIFY_WINDOW) {
        enum input_result result = next_input(run, &text);
        if (result == INPUT_NOT_YET) {
            refill_at(run, VERIFY_INPUT_MS);
            return;
        }
        if (result == INPUT_END) {
            run->is_input_over = true;
        } else if (ask(run, text) != ERR_NONE) {
            complain("out of memory");
            run->is_input_over = true;
        }
    }
    if (run->is_input_over && run->open == 0) {
        door_timer_start(run->bench.door, &run->leave,
                         door_now_ms(run->bench.door) + VERIFY_LEAVE_MS);
        put_away(run);
        knocker_settle(run->bench.knocker);
    }
}

static void on_interrupt(void *context)
{
    struct run *run = context;
    run->is_input_over = true;
    knocker_cancel(run->bench.knocker);
    refill_at(run, 0);
}

/* For whoever looks at a terminal: what the next answer waits for. */
static void on_news(void *context)
{
    struct run *run = context;
    struct door *door = run->bench.door;
    uint64_t now_ms = door_now_ms(door);
    struct buf out;
    buf_init(&out, VERIFY_NEWS_BYTES_MAX);
    if (run->first != NULL && knocker_describe(run->bench.knocker, run->first, &out) == ERR_NONE &&
        out.len > 0 &&
        buf_printf(&out, " (%llu s", (unsigned long long)(now_ms - run->began_ms) / 1000) ==
            ERR_NONE &&
        (run->open == 1 || buf_printf(&out, ", %zu open", run->open) == ERR_NONE) &&
        buf_append(&out, SLICE(")\0")) == ERR_NONE) {
        ticker_show(&run->ticker, out.at);
    } else {
        ticker_clear(&run->ticker);
    }
    buf_done(&out);
    door_timer_start(door, &run->news, now_ms + VERIFY_NEWS_MS);
}

static void on_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct run *run = context;
    struct buf out;
    buf_init(&out, VERIFY_OUT_BYTES_MAX);
    const char *colour = !run->has_colour   ? ""
                         : direction == 'C' ? "\033[36m"
                         : direction == 'S' ? "\033[32m"
                                            : "\033[2m";
    if (buf_printf(&out, "%s%6.3f %c ", colour, t_ms / 1000.0, direction) == ERR_NONE &&
        text_append_printable(&out, line) == ERR_NONE &&
        buf_printf(&out, "%s\n", run->has_colour ? "\033[0m" : "") == ERR_NONE) {
        ticker_clear(&run->ticker);
        (void)fwrite(out.at, 1, out.len, stderr);
    }
    buf_done(&out);
}

static void say_no_way_out(const struct run *run)
{
    if (run->has_dns_trouble) {
        complain(
            "the name servers know no large provider, so no mail server can be found from here: "
            "check /etc/resolv.conf, or name another one with --resolver");
        return;
    }
    complain(
        "no mail server of a large provider could be reached on port %u. Most home and cloud "
        "networks "
        "block outgoing port 25: run this where it is open (heloise --help names the options), or "
        "ask your provider to open it. --no-smtp checks syntax, lists and DNS from here.",
        (unsigned)run->options->probe.knocker.port);
}

static int exit_code(const struct run *run)
{
    if (run->has_failed_write) {
        return EXIT_CANNOT_WRITE;
    }
    if (run->bench.has_bad_data) {
        return EXIT_BAD_DATA;
    }
    if (run->bench.is_interrupted) {
        return EXIT_STOPPED;
    }
    if (run->no_way_out > 0 && run->no_way_out == run->asked) {
        say_no_way_out(run);
        return EXIT_NO_WAY_OUT;
    }
    if (run->options->reads_stdin || run->asked != 1) {
        return EXIT_SUCCESS;
    }
    switch (run->status) {
    case VERDICT_DELIVERABLE: return EXIT_DELIVERABLE;
    case VERDICT_UNDELIVERABLE: return EXIT_UNDELIVERABLE;
    case VERDICT_RISKY: return EXIT_RISKY;
    case VERDICT_UNKNOWN: return EXIT_UNKNOWN;
    }
    return EXIT_INTERNAL;
}

static int run_questions(struct run *run, struct verify_options *options)
{
    run->bench.first = options->reads_stdin ? NULL : options->addresses[0];
    int code = workbench_open(&run->bench, &options->probe, "verify");
    if (code != EXIT_SUCCESS) {
        return code;
    }
    run->bench.on_interrupt = on_interrupt;
    run->bench.interrupt_context = run;
    knocker_on_idle(run->bench.knocker, on_idle, run);
    run->refill = (struct timer){.fired = on_refill, .context = run};
    run->leave = (struct timer){.fired = on_leave, .context = run};
    run->news = (struct timer){.fired = on_news, .context = run};
    run->began_ms = door_now_ms(run->bench.door);
    ticker_init(&run->ticker, !options->probe.is_quiet);
    refill_at(run, 0);
    if (run->ticker.is_on) {
        door_timer_start(run->bench.door, &run->news, run->began_ms + VERIFY_NEWS_AFTER_MS);
    }
    door_run(run->bench.door);
    door_timer_stop(run->bench.door, &run->news);
    door_timer_stop(run->bench.door, &run->refill);
    door_timer_stop(run->bench.door, &run->leave);
    show_ready(run);
    ticker_clear(&run->ticker);
    code = exit_code(run);
    if (run->bench.store == NULL) {
        loader_free(run->bench.loader);
        store_opener_free(run->bench.opener);
        exit(code); /* all is put away; the rest goes faster with the process than piece by piece */
    }
    workbench_close(&run->bench);
    input_done(&run->input);
    return code;
}

int cli_verify(int argc, char **argv)
{
    static const struct argp_child children[] = {{&probe_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {option_table,
                                     parse_option,
                                     "ADDRESS...",
                                     "Says whether an address takes mail, how sure that is, and "
                                     "why: asks its mail servers as far as "
                                     "RCPT TO and leaves without sending anything.\v"
                                     "Exit status: 0 deliverable, 1 undeliverable, 2 risky, 3 "
                                     "unknown, 64 usage, 69 no way out, 78 bad configuration; with "
                                     "several addresses or '-': 0 when the run completed.",
                                     children,
                                     NULL,
                                     NULL};
    struct run run = {0};
    /* A thread's memory grows at once: each step stops all threads, and a short run needs no more than this. */
    (void)mallopt(M_TOP_PAD, VERIFY_MEMORY_STEP_BYTES);
    workbench_prepare(&run.bench);
    /* Large: as a local of this function its pages would come before the threads. */
    struct verify_options *options = calloc(1, sizeof *options);
    if (options == NULL) {
        complain("out of memory");
        workbench_close(&run.bench);
        return EXIT_INTERNAL;
    }
    run.options = options;
    probe_options_init(&options->probe);
    (void)argp_parse(&argp, argc, argv, 0, NULL, options);
    int code = probe_options_settle(&options->probe);
    run.has_colour = workbench_has_colour(&options->probe, stdout);
    if (options->probe.knocker.keeps_transcript && options->shape == SHAPE_REPORT) {
        options->probe.knocker.observe = on_line;
        options->probe.knocker.observe_context = &run;
    }
    if (code == EXIT_SUCCESS) {
        code = run_questions(&run, options);
    } else {
        workbench_close(&run.bench);
    }
    probe_options_done(&options->probe);
    free(options);
    return code;
}
