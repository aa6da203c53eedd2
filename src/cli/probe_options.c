/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe_options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/slice.h"

enum option_key {
    KEY_RESOLVER = 0x200,
    KEY_ALLOW_NET,
    KEY_STORE,
    KEY_NO_STORE,
    KEY_FRESH,
    KEY_CACHE_TTL,
    KEY_TRANSCRIPT,
    KEY_NO_SMTP,
    KEY_FROM,
    KEY_HELO,
    KEY_PORT,
    KEY_SOURCE,
    KEY_TIMEOUT,
    KEY_STAGE_TIMEOUT,
    KEY_MAX_CONNECTIONS,
    KEY_MAX_PER_SITE,
    KEY_RCPTS_PER_CONNECTION,
    KEY_INVALIDS_PER_HOUR,
    KEY_NO_TLS,
    KEY_NO_CONTROL,
    KEY_NO_RETRY,
    KEY_GREYLIST_WAIT,
    KEY_RISKY_IF,
    KEY_STRICT,
    KEY_DATA,
    KEY_COLOUR,
};

static const struct argp_option option_table[] = {
    {NULL, 0, NULL, 0, "Who asks:", 1},
    {"from", KEY_FROM, "ADDRESS", 0,
     "MAIL FROM to use; the null sender <> then is the second choice, otherwise the first", 0},
    {"helo", KEY_HELO, "NAME", 0, "EHLO name: this machine's full name, or [IP]", 0},
    {"source", KEY_SOURCE, "IP", 0, "local address to connect from (once for IPv4, once for IPv6)",
     0},
    {NULL, 0, NULL, 0, "Where to:", 2},
    {"resolver", KEY_RESOLVER, "ADDR[:PORT]", 0, "DNS server instead of the system's (repeatable)",
     0},
    {"port", KEY_PORT, "PORT", 0, "SMTP port (25)", 0},
    {"allow-net", KEY_ALLOW_NET, "CIDR", 0,
     "private or loopback network that may be contacted (repeatable)", 0},
    {"no-tls", KEY_NO_TLS, NULL, 0, "do not use STARTTLS even where it is offered", 0},
    {NULL, 0, NULL, 0, "How patiently:", 3},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0,
     "budget for one address: verify answers by then with what is known (120), bulk counts only "
     "the "
     "time a server is being talked to",
     0},
    {"stage-timeout", KEY_STAGE_TIMEOUT, "STAGE=SECONDS", 0,
     "limit of one step: connect, banner, ehlo, starttls, mail, rcpt, rset or quit (repeatable)",
     0},
    {"greylist-wait", KEY_GREYLIST_WAIT, "SECONDS", 0,
     "first wait after greylisting that names no delay (300)", 0},
    {"no-retry", KEY_NO_RETRY, NULL, 0, "do not wait for temporary refusals: report them", 0},
    {NULL, 0, NULL, 0, "How much at once:", 4},
    {"max-connections", KEY_MAX_CONNECTIONS, "N", 0, "open connections in all (500)", 0},
    {"max-per-site", KEY_MAX_PER_SITE, "N", 0,
     "open connections to one site, at most the provider's limit", 0},
    {"rcpts-per-connection", KEY_RCPTS_PER_CONNECTION, "N", 0,
     "addresses asked on one connection, instead of the provider's limit", 0},
    {"invalids-per-hour", KEY_INVALIDS_PER_HOUR, "N", 0,
     "refused addresses one site may see in an hour, instead of the provider's limit", 0},
    {NULL, 0, NULL, 0, "What is asked:", 5},
    {"no-smtp", KEY_NO_SMTP, NULL, 0, "syntax, lists and DNS only; no mail server is contacted", 0},
    {"no-control", KEY_NO_CONTROL, NULL, 0,
     "no probe of an address that cannot exist; acceptance then stays unconfirmed", 0},
    {"risky-if", KEY_RISKY_IF, "LIST", 0,
     "properties that make a good address risky: disposable, role, free, or none (disposable)", 0},
    {"strict", KEY_STRICT, NULL, 0, "refuse local parts above 64 octets (RFC 5321)", 0},
    {"transcript", KEY_TRANSCRIPT, NULL, 0,
     "the conversation as it happens, and in the record; asks afresh", 0},
    {NULL, 0, NULL, 0, "What is remembered:", 6},
    {"store", KEY_STORE, "FILE", 0, "where verdicts and facts are kept", 0},
    {"no-store", KEY_NO_STORE, NULL, 0, "keep nothing, read nothing", 0},
    {"fresh", KEY_FRESH, NULL, 0, "ask again even where a kept verdict is still good", 0},
    {"cache-ttl", KEY_CACHE_TTL, "SECONDS", 0,
     "believe a kept verdict for at most so long; 0: not at all", 0},
    {"data", KEY_DATA, "DIR", 0, "folder of rules, providers and lists", 0},
    {NULL, 0, NULL, 0, "What is shown:", 7},
    {"color", KEY_COLOUR, "WHEN", 0, "auto, always or never", 0},
    {"quiet", 'q', NULL, 0, "no progress and no hints", 0},
    {0},
};

static uint32_t parse_number(struct argp_state *state, const char *option, const char *text,
                             uint32_t max)
{
    struct reader r = reader_over(slice_of(text));
    uint64_t value = 0;
    if (!reader_number(&r, max, &value) || !reader_is_done(&r) || value == 0) {
        argp_error(state, "--%s: '%.60s' is not a number from 1 to %u", option, text, max);
    }
    return (uint32_t)value;
}

static void parse_source(struct argp_state *state, struct probe_options *options, const char *text)
{
    struct ip ip;
    if (!ip_parse(slice_of(text), &ip)) {
        argp_error(state, "--source: '%.60s' is not an IP address", text);
        return;
    }
    if (ip.family == IP_V6) {
        options->knocker.source_v6 = ip;
    } else {
        options->knocker.source_v4 = ip;
    }
}

static void parse_allow_net(struct argp_state *state, struct probe_options *options,
                            const char *text)
{
    struct knocker_config *config = &options->knocker;
    if (config->allowed_net_count == KNOCKER_NETS_MAX) {
        argp_error(state, "--allow-net: at most %d networks", (int)KNOCKER_NETS_MAX);
        return;
    }
    if (!ip_net_parse(slice_of(text), &config->allowed_nets[config->allowed_net_count])) {
        argp_error(state, "--allow-net: '%.60s' is not a network like 127.0.0.0/8 or fd00::/8",
                   text);
        return;
    }
    config->allowed_net_count++;
}

static void parse_from(struct argp_state *state, struct probe_options *options, const char *text)
{
    struct hel_address address;
    struct hel_address_error error;
    if (hel_address_parse(slice_of(text), HEL_ADDRESS_STRICT, &address, &error) != ERR_NONE) {
        argp_error(state, "--from: column %u: %s", error.column, error.text);
        return;
    }
    struct slice wire = hel_address_wire(&address);
    memcpy(options->mail_from, wire.at, wire.len);
    options->knocker.verify.mail_from = slice_make(options->mail_from, wire.len);
    options->knocker.verify.null_sender_first = false;
}

static bool is_name_byte(char c)
{
    return ascii_is_alnum(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']' ||
           c == '_';
}

static void parse_helo(struct argp_state *state, struct probe_options *options, const char *text)
{
    struct reader r = reader_over(slice_of(text));
    struct slice name = reader_while(&r, is_name_byte);
    if (name.len == 0 || name.len >= sizeof options->helo || !reader_is_done(&r)) {
        argp_error(state, "--helo: '%.60s' is neither a host name nor an address like [192.0.2.1]",
                   text);
        return;
    }
    memcpy(options->helo, name.at, name.len);
    options->knocker.helo_name = slice_make(options->helo, name.len);
    options->has_helo = true;
}

static void parse_stage_timeout(struct argp_state *state, struct probe_options *options,
                                const char *text)
{
    struct slice all = slice_of(text);
    size_t equals = slice_find_byte(all, '=', 0);
    enum hel_smtp_stage stage;
    if (equals == all.len || !hel_smtp_stage_parse(slice_sub(all, 0, equals), &stage)) {
        argp_error(state,
                   "--stage-timeout: '%.60s' is not like rcpt=45; stages: connect, banner, ehlo, "
                   "starttls, mail, rcpt, rset, quit",
                   text);
        return;
    }
    options->knocker.timeout_ms[stage] =
        1000 * parse_number(state, "stage-timeout", text + equals + 1, 3600);
}

static void parse_risky_if(struct argp_state *state, struct probe_options *options,
                           const char *text)
{
    unsigned set = 0;
    struct slice rest = slice_of(text);
    while (rest.at != NULL) {
        struct slice word = slice_trim(slice_cut(&rest, ','));
        if (slice_equal(word, SLICE("disposable"))) {
            set |= VERIFY_RISKY_DISPOSABLE;
        } else if (slice_equal(word, SLICE("role"))) {
            set |= VERIFY_RISKY_ROLE;
        } else if (slice_equal(word, SLICE("free"))) {
            set |= VERIFY_RISKY_FREE;
        } else if (!slice_equal(word, SLICE("none"))) {
            argp_error(state, "--risky-if: '%.*s' is none of disposable, role, free, none",
                       SLICE_ARG(word));
        }
    }
    options->knocker.verify.risky_if = set;
}

static void parse_colour(struct argp_state *state, struct probe_options *options, const char *text)
{
    if (strcmp(text, "always") == 0) {
        options->colour = COLOUR_ALWAYS;
    } else if (strcmp(text, "never") == 0) {
        options->colour = COLOUR_NEVER;
    } else if (strcmp(text, "auto") == 0) {
        options->colour = COLOUR_AUTO;
    } else {
        argp_error(state, "--color: '%.60s' is none of auto, always, never", text);
    }
}

static void add_resolver(struct argp_state *state, struct probe_options *options, const char *text)
{
    if (options->resolver_count == PROBE_RESOLVERS_MAX) {
        argp_error(state, "--resolver: at most %d resolvers", (int)PROBE_RESOLVERS_MAX);
        return;
    }
    options->resolvers[options->resolver_count++] = text;
}

/* Options that hold a number. */
static bool parse_numbers(struct argp_state *state, struct probe_options *options, int key,
                          char *arg)
{
    struct knocker_config *config = &options->knocker;
    switch (key) {
    case KEY_PORT: config->port = (uint16_t)parse_number(state, "port", arg, 65535); return true;
    case KEY_TIMEOUT:
        config->budget_ms = 1000 * parse_number(state, "timeout", arg, 86400);
        return true;
    case KEY_GREYLIST_WAIT:
        config->verify.greylist_wait_s = parse_number(state, "greylist-wait", arg, 86400);
        return true;
    case KEY_MAX_CONNECTIONS:
        config->connections_max = parse_number(state, "max-connections", arg, 100000);
        return true;
    case KEY_MAX_PER_SITE:
        config->per_site_max = parse_number(state, "max-per-site", arg, 100000);
        return true;
    case KEY_RCPTS_PER_CONNECTION:
        config->rcpts_per_connection = parse_number(state, "rcpts-per-connection", arg, 10000);
        return true;
    case KEY_INVALIDS_PER_HOUR:
        config->invalids_per_hour = parse_number(state, "invalids-per-hour", arg, 10000000);
        return true;
    case KEY_CACHE_TTL:
        config->is_fresh = config->is_fresh || strcmp(arg, "0") == 0;
        if (strcmp(arg, "0") != 0) {
            config->cache_age_ms_max =
                1000 * (int64_t)parse_number(state, "cache-ttl", arg, 31536000);
        }
        return true;
    default: return false;
    }
}

/* Options that are a switch. */
static bool parse_switches(struct probe_options *options, int key)
{
    struct knocker_config *config = &options->knocker;
    switch (key) {
    case KEY_NO_STORE: options->no_store = true; return true;
    case KEY_FRESH: config->is_fresh = true; return true;
    case KEY_TRANSCRIPT: config->keeps_transcript = true; return true;
    case KEY_NO_SMTP: config->verify.no_smtp = true; return true;
    case KEY_NO_CONTROL: config->verify.no_control = true; return true;
    case KEY_NO_RETRY: config->verify.retry_temporary = false; return true;
    case KEY_NO_TLS: config->no_tls = true; return true;
    case KEY_STRICT: config->address_mode = HEL_ADDRESS_STRICT; return true;
    case 'q': options->is_quiet = true; return true;
    default: return false;
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct probe_options *options = state->input;
    if (key == ARGP_KEY_INIT || parse_numbers(state, options, key, arg) ||
        parse_switches(options, key)) {
        return 0;
    }
    switch (key) {
    case KEY_RESOLVER: add_resolver(state, options, arg); return 0;
    case KEY_ALLOW_NET: parse_allow_net(state, options, arg); return 0;
    case KEY_STORE: options->store_path = arg; return 0;
    case KEY_FROM: parse_from(state, options, arg); return 0;
    case KEY_HELO: parse_helo(state, options, arg); return 0;
    case KEY_SOURCE: parse_source(state, options, arg); return 0;
    case KEY_STAGE_TIMEOUT: parse_stage_timeout(state, options, arg); return 0;
    case KEY_RISKY_IF: parse_risky_if(state, options, arg); return 0;
    case KEY_DATA: options->data_dir = arg; return 0;
    case KEY_COLOUR: parse_colour(state, options, arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp probe_options_argp = {option_table, parse_option, NULL, NULL, NULL, NULL, NULL};

void probe_options_init(struct probe_options *out)
{
    *out = (struct probe_options){.colour = COLOUR_AUTO};
    knocker_config_init(&out->knocker);
}

void probe_options_settle(struct probe_options *options)
{
    if (options->has_helo) {
        return;
    }
    char name[sizeof options->helo];
    if (gethostname(name, sizeof name - 1) != 0) {
        return;
    }
    name[sizeof name - 1] = '\0';
    /* RFC 5321 4.1.4 wants a name that can be looked up; one without a dot is refused by many. */
    if (strchr(name, '.') != NULL) {
        memcpy(options->helo, name, sizeof name);
        options->knocker.helo_name = slice_of(options->helo);
        options->has_helo = true;
    }
}
