/* cli/doctor: `heloise doctor`: examines whether this machine is fit to ask, through the engine's doctor, and shows
 * what is right, what to mend and how.
 * SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/timex.h>

#include "base/slice.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/ticker.h"
#include "cli/workbench.h"
#include "engine/doctor.h"
#include "engine/doctor_report.h"
#include "net/uv_door.h"

enum {
    KEY_PUBLIC_IP = 0x300,
    KEY_ASK_BOUNCE,
    KEY_NO_BLOCK_LISTS,
    KEY_JSON,
    REPORT_BYTES_MAX = 16 * 1024 * 1024,
    PROGRESS_AFTER_MS = 2000,
    PROGRESS_EVERY_MS = 250,
    LIMIT_MS_MAX = 3600000,
    SPARE_FILES = 64, /* store, resolver, output, and what libraries hold */
};

_Static_assert((int)FITNESS_EGRESSES_MAX >= (int)CONFIG_EGRESSES_MAX,
               "every egress of a configuration has its place");

/* 2026-01-01: this version was made later, so no clock that is right stands earlier. */
static const int64_t made_after_ms = 1767225600000;

struct public_ip {
    struct slice egress; /* empty: the only one */
    struct ip ip;
};

struct doctor_options {
    struct probe_options probe;
    struct public_ip public_ips[2 * FITNESS_EGRESSES_MAX];
    size_t public_count;
    bool asks_bounce, no_block_lists, is_json;
};

/* One examination. */
struct visit {
    const struct doctor_options *options;
    struct knowledge *knowledge;
    struct blocklist_book *lists;
    struct door *door;
    struct doctor *doctor;
    struct doctor_egress egresses[FITNESS_EGRESSES_MAX];
    struct config_ways ways; /* of the same places */
    size_t egress_count;
    struct timer progress;
    struct ticker ticker;
    uint64_t began_ms;
    bool is_interrupted;
};

static const struct argp_option option_table[] = {
    {NULL, 0, NULL, 0, "What is examined:", 0},
    {"public-ip", KEY_PUBLIC_IP, "[EGRESS=]IP", 0,
     "address that others see, where a router or proxy stands between (once for IPv4, once for "
     "IPv6)",
     0},
    {"ask-bounce", KEY_ASK_BOUNCE, NULL, 0,
     "ask the server of MAIL FROM's domain whether it takes mail for it, as far as RCPT TO", 0},
    {"no-block-lists", KEY_NO_BLOCK_LISTS, NULL, 0, "do not ask block lists", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object", 0},
    {0},
};

static void parse_public_ip(struct argp_state *state, struct doctor_options *options,
                            const char *text)
{
    struct slice all = slice_of(text);
    size_t equals = slice_find_byte(all, '=', 0);
    bool is_named = equals < all.len;
    struct public_ip public = {.egress = slice_sub(all, 0, is_named ? equals : 0)};
    if (!ip_parse(slice_sub(all, is_named ? equals + 1 : 0, all.len), &public.ip)) {
        argp_error(state, "--public-ip: '%.60s' is not an IP address, nor EGRESS=IP", text);
    } else if (ip_is_special(&public.ip)) {
        argp_error(state, "--public-ip: %.60s is not a public address", text);
    } else if (options->public_count == sizeof options->public_ips / sizeof public) {
        argp_error(state, "--public-ip: too many of them");
    } else {
        options->public_ips[options->public_count++] = public;
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct doctor_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->probe; return 0;
    case KEY_PUBLIC_IP: parse_public_ip(state, options, arg); return 0;
    case KEY_ASK_BOUNCE: options->asks_bounce = true; return 0;
    case KEY_NO_BLOCK_LISTS: options->no_block_lists = true; return 0;
    case KEY_JSON: options->is_json = true; return 0;
    case ARGP_KEY_ARG: argp_error(state, "doctor takes no argument like '%.60s'", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the machine, as far as no network is needed ---- */

/* Whether the kernel is told the time by somebody. */
static enum fitness_clock clock_state(void)
{
    struct timex state = {.modes = 0};
    int how = adjtimex(&state);
    return how < 0             ? FITNESS_CLOCK_UNKNOWN
           : how == TIME_ERROR ? FITNESS_CLOCK_ALONE
                               : FITNESS_CLOCK_KEPT;
}

static void examine_machine(const struct probe_options *options, struct fault *store_fault,
                            struct fitness_machine *out)
{
    struct rlimit files;
    *out = (struct fitness_machine){.earliest_ms = made_after_ms, .clock = clock_state()};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        out->files_max = files.rlim_cur;
        out->files_wanted = options->config.connections_max + SPARE_FILES;
    }
    if (!options->config.store.is_none) {
        out->store = workbench_store_works(options, store_fault) ? "" : store_fault->text;
    }
}

/* ---- the visit ---- */

static void on_signal(void *context)
{
    struct visit *visit = context;
    visit->is_interrupted = true;
    door_stop(visit->door);
}

static void on_progress(void *context)
{
    struct visit *visit = context;
    char text[128];
    unsigned begun, over;
    uint64_t now_ms = door_now_ms(visit->door);
    doctor_progress(visit->doctor, &begun, &over);
    (void)snprintf(text, sizeof text, "examining: %u of %u answered, %u s", over, begun,
                   (unsigned)((now_ms - visit->began_ms) / 1000));
    ticker_show(&visit->ticker, text);
    door_timer_start(visit->door, &visit->progress, now_ms + PROGRESS_EVERY_MS);
}

static void on_done(void *context)
{
    struct visit *visit = context;
    door_timer_stop(visit->door, &visit->progress);
    door_stop(visit->door);
}

static int open_visit(struct visit *visit)
{
    const struct probe_options *probe = &visit->options->probe;
    const struct knowledge_files files = {.data_dir = probe->config.data_dir.at,
                                          .lists_dir = probe->config.lists_dir.at};
    struct fault fault;
    (void)signal(SIGPIPE, SIG_IGN); /* a closed line is an ordinary event */
    if (knowledge_open_files(&files, &visit->knowledge, &fault) != ERR_NONE ||
        (!visit->options->no_block_lists &&
         knowledge_blocklists_open(&files, &visit->lists, &fault) != ERR_NONE)) {
        complain("%s", fault.text);
        return EXIT_BAD_DATA;
    }
    return workbench_open_door(probe, on_signal, visit, &visit->door);
}

static void close_visit(struct visit *visit)
{
    doctor_free(visit->doctor);
    uv_door_close(visit->door);
    blocklist_book_free(visit->lists);
    knowledge_free(visit->knowledge);
}

static int show(const struct visit *visit)
{
    const struct doctor_options *options = visit->options;
    const struct fitness_facts *facts = doctor_facts(visit->doctor);
    struct fitness_report report = {0};
    struct buf out;
    buf_init(&out, REPORT_BYTES_MAX);
    enum err e = fitness_judge(facts, &report);
    if (e == ERR_NONE && options->is_json) {
        e = doctor_write_json(facts, &report, &out);
        e = e != ERR_NONE ? e : buf_append_byte(&out, '\n');
    } else if (e == ERR_NONE) {
        e = doctor_write_text(facts, &report, workbench_has_colour(&options->probe, stdout), &out);
    }
    enum fitness_level level = fitness_level_of(&report);
    int code = level == FITNESS_MEND ? EXIT_UNFIT : level == FITNESS_UNKNOWN ? EXIT_UNKNOWN : 0;
    if (e != ERR_NONE) {
        complain(e == ERR_LIMIT ? "too much was found for one report: enable fewer egresses"
                                : "out of memory");
        code = EXIT_INTERNAL;
    } else if (fwrite(out.at, 1, out.len, stdout) != out.len || fflush(stdout) != 0) {
        complain("cannot write to standard output");
        code = EXIT_CANNOT_WRITE;
    }
    fitness_report_done(&report);
    buf_done(&out);
    return code;
}

/* The enabled egresses of the configuration, with what the user knows of their addresses. */

static void add_egress(struct visit *visit, const struct config_egress *from)
{
    size_t place = visit->egress_count++;
    const struct traffic_egress *way = &visit->ways.egresses[place];
    visit->egresses[place] = (struct doctor_egress){
        .label = from->line > 0 ? from->name : SLICE_NONE,
        .helo = from->helo,
        .mail_from = from->mail_from,
        .source_v4 = way->source_v4,
        .source_v6 = way->source_v6,
        .proxy = way->proxy,
        .obstacle = config_egress_obstacle(from),
    };
}

static struct doctor_egress *find_egress(struct visit *visit, struct slice name)
{
    if (name.len == 0) {
        return visit->egress_count == 1 ? &visit->egresses[0] : NULL;
    }
    for (size_t i = 0; i < visit->egress_count; i++) {
        if (slice_equal(visit->egresses[i].label, name)) {
            return &visit->egresses[i];
        }
    }
    return NULL;
}

static int add_egresses(struct visit *visit)
{
    const struct doctor_options *options = visit->options;
    const struct config *config = &options->probe.config;
    config_list_ways(config, &visit->ways);
    for (size_t i = 0; i < config->egress_count; i++) {
        if (config->egresses[i].is_enabled) {
            add_egress(visit, &config->egresses[i]);
        }
    }
    for (size_t i = 0; i < options->public_count; i++) {
        const struct public_ip *public = &options->public_ips[i];
        struct doctor_egress *egress = find_egress(visit, public->egress);
        if (egress == NULL && public->egress.len == 0) {
            complain("--public-ip: there are %zu egresses; say of which: EGRESS=IP",
                     visit->egress_count);
            return EXIT_BAD_USAGE;
        }
        if (egress == NULL) {
            complain("--public-ip: no enabled egress is called '%.*s'", SLICE_ARG(public->egress));
            return EXIT_BAD_USAGE;
        }
        if (public->ip.family == IP_V6) {
            egress->public_v6 = public->ip;
        } else {
            egress->public_v4 = public->ip;
        }
    }
    return EXIT_SUCCESS;
}

static int examine(struct visit *visit)
{
    const struct doctor_options *options = visit->options;
    const struct config *settings = &options->probe.config;
    struct fault store_fault;
    struct doctor_config config = {
        .egresses = visit->egresses,
        .egress_count = visit->egress_count,
        .rules = knowledge_rules(visit->knowledge),
        .lists = visit->lists,
        .port = (uint16_t)settings->port,
        .allowed_nets = settings->allowed_nets.at,
        .allowed_net_count = settings->allowed_nets.count,
        .asks_mailbox = options->asks_bounce,
        .no_smtp = !settings->asks_smtp,
        .limit_ms =
            settings->budget_ms < LIMIT_MS_MAX ? (uint32_t)settings->budget_ms : LIMIT_MS_MAX,
        .done = on_done,
        .context = visit,
    };
    examine_machine(&options->probe, &store_fault, &config.machine);
    visit->began_ms = door_now_ms(visit->door);
    visit->progress = (struct timer){.fired = on_progress, .context = visit};
    ticker_init(&visit->ticker, !options->probe.is_quiet);
    if (doctor_new(visit->door, &config, &visit->doctor) != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    door_timer_start(visit->door, &visit->progress, visit->began_ms + PROGRESS_AFTER_MS);
    door_run(visit->door);
    door_timer_stop(visit->door, &visit->progress);
    ticker_clear(&visit->ticker);
    return visit->is_interrupted ? EXIT_STOPPED : show(visit);
}

int cli_doctor(int argc, char **argv)
{
    static const struct argp_child children[] = {{&probe_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        option_table,
        parse_option,
        NULL,
        "Examines whether this machine is fit to ask mail servers: resolver, clock, port 25, "
        "reverse name, EHLO name, SPF, block lists, and whether mail comes back to MAIL FROM. Give "
        "it the "
        "options of verify or bulk, and it examines what they would do, for every egress that is "
        "enabled in heloise.conf; --timeout limits all of it. No message is sent.\v"
        "Exit status: 0 fit, 1 something to mend, 3 something could not be found out; 64 usage, 65 "
        "data, 69 no network, 70 internal, 73 cannot write, 78 configuration, 130 stopped.",
        children,
        NULL,
        NULL};
    struct doctor_options options = {.public_count = 0};
    struct visit visit = {.options = &options};
    probe_options_init(&options.probe);
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    int code = probe_options_read(&options.probe);
    if (code == EXIT_SUCCESS) {
        code = add_egresses(&visit);
    }
    if (code == EXIT_SUCCESS) {
        code = open_visit(&visit);
    }
    if (code == EXIT_SUCCESS) {
        code = examine(&visit);
    }
    close_visit(&visit);
    probe_options_done(&options.probe);
    return code;
}
