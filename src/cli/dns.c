/* cli/dns: `heloise dns`: says what the DNS of domains does to their mail, what to mend, and which record to publish.
 * SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/ticker.h"
#include "cli/workbench.h"
#include "net/uv_door.h"
#include "tools/health.h"
#include "tools/health_report.h"

enum {
    KEY_JSON = 0x300,
    KEY_CSV,
    KEY_FIX,
    KEY_INPUT,
    KEY_SELECTOR,
    KEY_MAIL,
    KEY_EGRESS,
    KEY_RDAP,
    KEY_NO_BLOCK_LISTS,
    KEY_NO_NAME_SERVERS,
    KEY_NS_PORT,
    KEY_POLICY_PORT,
    KEY_POLICY_CA,
    KEY_NO_SMTP,
    SELECTORS_MAX = 32,
    DOMAINS_MAX = 100000,
    AT_ONCE_MAX = 8, /* domains under way */
    INPUT_BYTES_MAX = 32 << 20,
    MAIL_BYTES_MAX = 1 << 20, /* only the header is read */
    SELECTORS_BYTES_MAX = 1 << 20,
    PROGRESS_AFTER_MS = 1000,
    PROGRESS_EVERY_MS = 250,
    DNS_PORT = 53,
    LIMIT_MS_MAX = 600000,
};

enum dns_shape { SHAPE_TEXT, SHAPE_JSON, SHAPE_CSV, SHAPE_FIX };

struct dns_options {
    struct probe_options probe;
    enum dns_shape shape;
    const char *input; /* a file of domains; "-": standard input; NULL: none */
    const char *mail;
    const char *policy_ca;
    struct slice selectors[SELECTORS_MAX];
    size_t selector_count;
    struct ip egresses[HEALTH_EGRESSES_MAX];
    size_t egress_count;
    bool asks_rdap, no_block_lists, no_name_servers, no_smtp;
    uint16_t ns_port, policy_port;
    char **domains;
    size_t domain_count;
};

/* One domain's place among those under way; its answer waits for those before it. */
struct place {
    struct visit *visit;
    struct health *health;
    bool is_over;
};

struct visit {
    const struct dns_options *options;
    struct knowledge *knowledge;
    struct blocklist_book *lists;
    struct public_suffix *suffixes;
    struct buf selectors, mail, input;
    struct door *door;
    struct http_client *http;
    struct signals *signals;
    struct config_ways ways;
    struct health_config config;
    struct slice *domains; /* A-labels, in texts */
    struct arena texts;
    size_t domain_count, begun, shown;
    struct place places[AT_ONCE_MAX]; /* of domain i: i % AT_ONCE_MAX */
    struct timer progress;
    struct ticker ticker;
    bool is_interrupted;
    int code; /* of what was shown so far */
};

static const struct argp_option option_table[] = {
    {NULL, 0, NULL, 0, "What is asked:", 0},
    {"input", KEY_INPUT, "FILE", 0, "domains from a file, one a line; '-' is standard input", 0},
    {"selector", KEY_SELECTOR, "NAME", 0, "name of a DKIM key; may be given more than once", 0},
    {"mail", KEY_MAIL, "FILE", 0, "a signed message whose signatures name DKIM keys", 0},
    {"egress", KEY_EGRESS, "IP", 0,
     "address that the domain's mail leaves from; may be given more than once", 0},
    {"rdap", KEY_RDAP, NULL, 0, "ask when the domain was registered", 0},
    {"no-block-lists", KEY_NO_BLOCK_LISTS, NULL, 0, "do not ask block lists", 0},
    {"no-name-servers", KEY_NO_NAME_SERVERS, NULL, 0, "do not ask the name servers themselves", 0},
    {"no-smtp", KEY_NO_SMTP, NULL, 0, "do not speak with the mail servers", 0},
    {"ns-port", KEY_NS_PORT, "PORT", 0, "port of the name servers; 53", 0},
    {"policy-port", KEY_POLICY_PORT, "PORT", 0, "port of the MTA-STS policies; 443", 0},
    {"policy-ca", KEY_POLICY_CA, "FILE", 0,
     "certificates (PEM) that vouch for the servers of MTA-STS policies", 0},
    {NULL, 0, NULL, 0, "How it is told:", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object a line, for each domain", 0},
    {"csv", KEY_CSV, NULL, 0, "CSV, a line for each finding", 0},
    {"fix", KEY_FIX, NULL, 0, "only the records to publish, as lines of a zone file", 0},
    {0},
};

static uint16_t parse_port(struct argp_state *state, const char *option, const char *text)
{
    struct reader r = reader_over(slice_of(text));
    uint64_t port;
    if (!reader_number(&r, UINT16_MAX, &port) || !reader_is_done(&r) || port == 0) {
        argp_error(state, "%s: '%.60s' is no port", option, text);
        return 0;
    }
    return (uint16_t)port;
}

static void parse_selector(struct argp_state *state, struct dns_options *options, const char *text)
{
    struct slice selector = slice_of(text);
    bool is_name = selector.len > 0 && selector.len < HEALTH_SELECTOR_BYTES;
    for (size_t i = 0; i < selector.len && is_name; i++) {
        is_name = ascii_is_alnum(text[i]) || strchr("-_.", text[i]) != NULL;
    }
    if (!is_name) {
        argp_error(state, "--selector: '%.60s' is no name of a DKIM key", text);
    } else if (options->selector_count == SELECTORS_MAX) {
        argp_error(state, "--selector: more than %d of them", SELECTORS_MAX);
    } else {
        options->selectors[options->selector_count++] = selector;
    }
}

static void parse_egress(struct argp_state *state, struct dns_options *options, const char *text)
{
    struct ip ip;
    if (!ip_parse(slice_of(text), &ip)) {
        argp_error(state, "--egress: '%.60s' is not an IP address", text);
    } else if (options->egress_count == HEALTH_EGRESSES_MAX) {
        argp_error(state, "--egress: more than %d of them", HEALTH_EGRESSES_MAX);
    } else {
        options->egresses[options->egress_count++] = ip;
    }
}

static void set_shape(struct argp_state *state, struct dns_options *options, enum dns_shape shape)
{
    if (options->shape != SHAPE_TEXT && options->shape != shape) {
        argp_error(state, "--json, --csv and --fix exclude each other");
    }
    options->shape = shape;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct dns_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->probe; return 0;
    case KEY_JSON: set_shape(state, options, SHAPE_JSON); return 0;
    case KEY_CSV: set_shape(state, options, SHAPE_CSV); return 0;
    case KEY_FIX: set_shape(state, options, SHAPE_FIX); return 0;
    case KEY_INPUT: options->input = arg; return 0;
    case KEY_SELECTOR: parse_selector(state, options, arg); return 0;
    case KEY_MAIL: options->mail = arg; return 0;
    case KEY_EGRESS: parse_egress(state, options, arg); return 0;
    case KEY_RDAP: options->asks_rdap = true; return 0;
    case KEY_NO_BLOCK_LISTS: options->no_block_lists = true; return 0;
    case KEY_NO_NAME_SERVERS: options->no_name_servers = true; return 0;
    case KEY_NO_SMTP: options->no_smtp = true; return 0;
    case KEY_NS_PORT: options->ns_port = parse_port(state, "--ns-port", arg); return 0;
    case KEY_POLICY_PORT: options->policy_port = parse_port(state, "--policy-port", arg); return 0;
    case KEY_POLICY_CA: options->policy_ca = arg; return 0;
    case ARGP_KEY_ARGS:
        options->domains = state->argv + state->next;
        options->domain_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (options->domain_count == 0 && options->input == NULL) {
            argp_error(state, "no domain given; --input=- reads them from standard input");
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what is read before ---- */

/* is_head: what is longer than out takes is left out. Exit code. */
static int read_file(const char *path, bool is_head, struct buf *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    char block[65536];
    char words[128];
    size_t len = 1;
    enum err e = ERR_NONE;
    if (file == NULL) {
        complain("cannot read %s: %s", path, strerror_r(errno, words, sizeof words));
        return EXIT_NO_INPUT;
    }
    while (len > 0 && e == ERR_NONE) {
        len = fread(block, 1, sizeof block, file);
        e = buf_append(out, slice_make(block, len));
    }
    bool has_failed = ferror(file) != 0;
    if (file != stdin) {
        (void)fclose(file);
    }
    if (has_failed || (e != ERR_NONE && !(is_head && e == ERR_LIMIT))) {
        complain("cannot read %s: %s", path,
                 e == ERR_LIMIT ? "it is too long"
                 : has_failed   ? "it cannot be read"
                                : "out of memory");
        return EXIT_NO_INPUT;
    }
    return EXIT_SUCCESS;
}

/* As it is asked about; a mail address stands for its domain. where: for the complaint. */
static int add_domain(struct visit *visit, struct slice text, const char *where, size_t line)
{
    char domain[DNS_NAME_BYTES];
    if (!health_domain_read(text, domain)) {
        if (line > 0) {
            complain("%s:%zu: '%.*s' is no domain", where, line, SLICE_ARG(slice_sub(text, 0, 80)));
        } else {
            complain("'%.*s' is no domain", SLICE_ARG(slice_sub(text, 0, 80)));
        }
        return EXIT_BAD_DATA;
    }
    if (visit->domain_count == DOMAINS_MAX) {
        complain("more than %d domains: ask in parts", DOMAINS_MAX);
        return EXIT_BAD_DATA;
    }
    if (arena_copy(&visit->texts, slice_of(domain), &visit->domains[visit->domain_count++]) !=
        ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

static int read_domains(struct visit *visit)
{
    const struct dns_options *options = visit->options;
    int code = EXIT_SUCCESS;
    visit->domains = calloc(DOMAINS_MAX, sizeof *visit->domains);
    if (visit->domains == NULL) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < options->domain_count && code == EXIT_SUCCESS; i++) {
        code = add_domain(visit, slice_of(options->domains[i]), NULL, 0);
    }
    if (options->input == NULL || code != EXIT_SUCCESS) {
        return code;
    }
    code = read_file(options->input, false, &visit->input);
    struct reader r = reader_over(buf_view(&visit->input));
    struct slice line;
    for (size_t number = 1; code == EXIT_SUCCESS && reader_line(&r, &line); number++) {
        line = slice_trim(line);
        if (line.len > 0 && line.at[0] != '#') {
            code = add_domain(visit, line, options->input, number);
        }
    }
    return code;
}

/* ---- showing ---- */

static int code_of(const struct health_facts *facts, const struct health_report *report)
{
    if (report->worst >= HEALTH_ERROR) {
        return facts->soa == DNS_ANSWER_ERROR ? EXIT_UNKNOWN : EXIT_UNFIT;
    }
    return facts->is_partial ? EXIT_UNKNOWN : EXIT_SUCCESS;
}

static enum err write_one(struct visit *visit, struct health_facts *facts,
                          struct health_report *report, struct buf *out)
{
    const struct dns_options *options = visit->options;
    bool has_colour = workbench_has_colour(&options->probe, stdout);
    enum err e = health_judge(facts, report);
    if (e != ERR_NONE) {
        return e;
    }
    switch (options->shape) {
    case SHAPE_TEXT:
        e = visit->shown > 0 ? buf_append_byte(out, '\n') : ERR_NONE;
        return e != ERR_NONE ? e : health_write_text(facts, report, has_colour, out);
    case SHAPE_JSON:
        e = health_write_json(facts, report, out);
        return e != ERR_NONE ? e : buf_append_byte(out, '\n');
    case SHAPE_CSV:
        e = visit->shown == 0 ? health_write_csv_head(out) : ERR_NONE;
        return e != ERR_NONE ? e : health_write_csv(facts, report, out);
    case SHAPE_FIX:
        e = visit->shown > 0 ? buf_append_byte(out, '\n') : ERR_NONE;
        return e != ERR_NONE ? e : health_write_fixes(facts, report, out);
    }
    return e;
}

static int show(struct visit *visit, struct health *health)
{
    struct health_report *report = calloc(1, sizeof *report);
    struct health_facts *facts = health_facts(health);
    struct buf out;
    buf_init(&out, HEALTH_REPORT_BYTES_MAX);
    enum err e = report == NULL ? ERR_NOMEM : write_one(visit, facts, report, &out);
    int code = EXIT_INTERNAL;
    if (e != ERR_NONE) {
        complain("%s: %s", facts->domain,
                 e == ERR_LIMIT ? "too much was found for one report" : "out of memory");
    } else {
        ticker_clear(&visit->ticker);
        bool is_written = fwrite(out.at, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
        code = is_written ? code_of(facts, report) : EXIT_CANNOT_WRITE;
        if (!is_written) {
            complain("cannot write to standard output");
        }
    }
    buf_done(&out);
    free(report);
    return code;
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
    unsigned begun = 0;
    unsigned over = 0;
    char text[160];
    for (size_t i = 0; i < AT_ONCE_MAX; i++) {
        unsigned one_begun = 0;
        unsigned one_over = 0;
        if (visit->places[i].health != NULL) {
            health_progress(visit->places[i].health, &one_begun, &one_over);
        }
        begun += one_begun;
        over += one_over;
    }
    (void)snprintf(text, sizeof text, "asking: %zu of %zu domains done, %u of %u answers",
                   visit->shown, visit->domain_count, over, begun);
    ticker_show(&visit->ticker, text);
    door_timer_start(visit->door, &visit->progress, door_now_ms(visit->door) + PROGRESS_EVERY_MS);
}

static void on_done(void *context)
{
    struct place *place = context;
    place->is_over = true;
    door_stop(place->visit->door);
}

/* The weightiest of all: what could not be written, what is wrong, what is not known. */
static void add_code(struct visit *visit, int code)
{
    bool is_weightier = code >= EXIT_BAD_USAGE || visit->code == EXIT_SUCCESS ||
                        (visit->code == EXIT_UNKNOWN && code == EXIT_UNFIT);
    if (code != EXIT_SUCCESS && visit->code < EXIT_BAD_USAGE && is_weightier) {
        visit->code = code;
    }
}

static int begin_more(struct visit *visit)
{
    while (visit->begun < visit->domain_count && visit->begun - visit->shown < AT_ONCE_MAX) {
        struct place *place = &visit->places[visit->begun % AT_ONCE_MAX];
        *place = (struct place){.visit = visit};
        if (health_new(visit->door, &visit->config, visit->domains[visit->begun], place,
                       &place->health) != ERR_NONE) {
            complain("out of memory");
            return EXIT_INTERNAL;
        }
        visit->begun++;
    }
    return EXIT_SUCCESS;
}

static void show_ready(struct visit *visit)
{
    while (visit->shown < visit->begun) {
        struct place *place = &visit->places[visit->shown % AT_ONCE_MAX];
        if (!place->is_over || visit->code >= EXIT_BAD_USAGE) {
            return;
        }
        add_code(visit, show(visit, place->health));
        health_free(place->health);
        place->health = NULL;
        visit->shown++;
    }
}

static int ask_all(struct visit *visit)
{
    visit->progress = (struct timer){.fired = on_progress, .context = visit};
    ticker_init(&visit->ticker, !visit->options->probe.is_quiet);
    door_timer_start(visit->door, &visit->progress, door_now_ms(visit->door) + PROGRESS_AFTER_MS);
    while (visit->shown < visit->domain_count && visit->code < EXIT_BAD_USAGE) {
        int code = begin_more(visit);
        if (code != EXIT_SUCCESS) {
            return code;
        }
        door_run(visit->door);
        if (visit->is_interrupted) {
            break;
        }
        show_ready(visit);
    }
    door_timer_stop(visit->door, &visit->progress);
    ticker_clear(&visit->ticker);
    return visit->is_interrupted ? EXIT_STOPPED : visit->code;
}

/* ---- opening and closing ---- */

static int open_data(struct visit *visit)
{
    const struct dns_options *options = visit->options;
    const char *dir = options->probe.config.data_dir.at;
    struct fault fault;
    if (knowledge_open(dir, &visit->knowledge, &fault) != ERR_NONE ||
        knowledge_selectors_read(dir, &visit->selectors, &fault) != ERR_NONE ||
        public_suffix_open(NULL, &visit->suffixes, &fault) != ERR_NONE ||
        (!options->no_block_lists &&
         knowledge_blocklists_open(dir, &visit->lists, &fault) != ERR_NONE)) {
        complain("%s", fault.text);
        return EXIT_BAD_DATA;
    }
    return options->mail == NULL ? EXIT_SUCCESS : read_file(options->mail, true, &visit->mail);
}

static int open_door(struct visit *visit)
{
    const struct probe_options *probe = &visit->options->probe;
    struct uv_door_config config = workbench_door_config(probe);
    struct fault fault;
    config.wants_authentic = true;
    enum err e = uv_door_open(&config, &visit->door, &fault);
    if (e != ERR_NONE) {
        complain("%s", fault.text);
        return e == ERR_SYNTAX ? EXIT_BAD_USAGE : EXIT_INTERNAL;
    }
    if (uv_door_on_signal(visit->door, SIGINT, on_signal, visit) != ERR_NONE ||
        uv_door_on_signal(visit->door, SIGTERM, on_signal, visit) != ERR_NONE) {
        complain("cannot watch for signals");
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

static int open_services(struct visit *visit)
{
    const struct dns_options *options = visit->options;
    const struct config *config = &options->probe.config;
    const struct http_client_config http = {.allowed_nets = config->allowed_nets.at,
                                            .allowed_net_count = config->allowed_nets.count,
                                            .ca_file = options->policy_ca};
    struct signals_config signals;
    struct fault fault;
    if (http_client_open(visit->door, &http, &visit->http, &fault) != ERR_NONE) {
        complain("%s; MTA-STS policies are not fetched", fault.text);
    }
    if (!options->asks_rdap) {
        return EXIT_SUCCESS;
    }
    config_apply_signals(config, &signals);
    for (size_t i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        signals.of[i].is_enabled = i == SIGNAL_RDAP;
    }
    if (signals_open(visit->door, NULL, &signals, &visit->signals, &fault) != ERR_NONE) {
        complain("--rdap: %s", fault.text);
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

static void set_config(struct visit *visit)
{
    const struct dns_options *options = visit->options;
    const struct config *config = &options->probe.config;
    config_list_ways(config, &visit->ways);
    visit->config = (struct health_config){
        .rules = knowledge_rules(visit->knowledge),
        .lists = visit->lists,
        .suffixes = visit->suffixes,
        .allowed_nets = config->allowed_nets.at,
        .allowed_net_count = config->allowed_nets.count,
        .helo = config->helo,
        .source_v4 = visit->ways.egresses[0].source_v4,
        .source_v6 = visit->ways.egresses[0].source_v6,
        .port = config->asks_smtp && !options->no_smtp ? (uint16_t)config->port : 0,
        .ns_port = options->no_name_servers ? 0 : options->ns_port,
        .policy_port = options->policy_port,
        .http = visit->http,
        .signals = visit->signals,
        .selectors = buf_view(&visit->selectors),
        .given = options->selectors,
        .given_count = options->selector_count,
        .mail = buf_view(&visit->mail),
        .egresses = options->egresses,
        .egress_count = options->egress_count,
        .limit_ms = config->budget_ms < LIMIT_MS_MAX ? (uint32_t)config->budget_ms : LIMIT_MS_MAX,
        .done = on_done,
    };
}

static int visit_all(struct visit *visit)
{
    int code = read_domains(visit);
    code = code != EXIT_SUCCESS ? code : open_data(visit);
    code = code != EXIT_SUCCESS ? code : open_door(visit);
    code = code != EXIT_SUCCESS ? code : open_services(visit);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    set_config(visit);
    return ask_all(visit);
}

static void close_visit(struct visit *visit)
{
    for (size_t i = 0; i < AT_ONCE_MAX; i++) {
        health_free(visit->places[i].health);
    }
    signals_close(visit->signals);
    http_client_close(visit->http);
    uv_door_close(visit->door);
    blocklist_book_free(visit->lists);
    public_suffix_close(visit->suffixes);
    knowledge_free(visit->knowledge);
    arena_done(&visit->texts);
    free(visit->domains);
    buf_done(&visit->selectors);
    buf_done(&visit->mail);
    buf_done(&visit->input);
}

int cli_dns(int argc, char **argv)
{
    static const struct argp_child children[] = {{&probe_line_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        option_table,
        parse_option,
        "DOMAIN...",
        "Looks at what the DNS says about the mail of domains: mail servers, SPF, DKIM, DMARC, "
        "MTA-STS, TLS reports, DANE, BIMI, settings for mail programs, block lists, name servers; "
        "gives a grade, says what to mend and why, and which record to publish. Mail servers are "
        "spoken with as far as EHLO (not with --no-smtp); --timeout limits all of it.\v"
        "Exit status: 0 nothing to mend, or advice only; 1 an error in a domain; 3 something could "
        "not be found out; 64 usage, 65 data, 66 no input, 70 internal, 73 cannot write, 78 "
        "configuration, 130 stopped.",
        children,
        NULL,
        NULL};
    struct dns_options options = {.ns_port = DNS_PORT};
    struct visit visit = {.options = &options};
    arena_init(&visit.texts, INPUT_BYTES_MAX);
    buf_init(&visit.selectors, SELECTORS_BYTES_MAX);
    buf_init(&visit.mail, MAIL_BYTES_MAX);
    buf_init(&visit.input, INPUT_BYTES_MAX);
    probe_options_init(&options.probe);
    (void)signal(SIGPIPE, SIG_IGN); /* a closed line is an ordinary event */
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    int code = probe_options_read(&options.probe);
    if (code == EXIT_SUCCESS) {
        code = visit_all(&visit);
    }
    close_visit(&visit);
    probe_options_done(&options.probe);
    return code;
}
