/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "cli/exit.h"
#include "cli/workbench.h"

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
    KEY_PROXY,
    KEY_PROXY_PASSWORD_FILE,
    KEY_TIMEOUT,
    KEY_STAGE_TIMEOUT,
    KEY_MAX_CONNECTIONS,
    KEY_MAX_PER_SITE,
    KEY_RCPTS_PER_CONNECTION,
    KEY_PIPELINED_RCPTS,
    KEY_INVALIDS_PER_HOUR,
    KEY_PROVIDERS,
    KEY_NO_TLS,
    KEY_NO_CONTROL,
    KEY_NO_RETRY,
    KEY_GREYLIST_WAIT,
    KEY_RISKY_IF,
    KEY_STRICT,
    KEY_DATA,
    KEY_LISTS,
    KEY_COLOUR,
    KEY_SET,
    KEY_CONFIG,
    KEY_NO_CONFIG,
};

enum { SETTING_BYTES = 64 };

/* What follows is shown behind a command's own options, in these groups. */
enum group {
    GROUP_WHO = 51,
    GROUP_WHERE,
    GROUP_PATIENCE,
    GROUP_AMOUNT,
    GROUP_ASKED,
    GROUP_REMEMBERED,
    GROUP_ELSEWHERE,
    GROUP_SHOWN,
};

static const struct argp_option line_table[] = {
    {NULL, 0, NULL, 0, "Who asks:", GROUP_WHO},
    {"helo", KEY_HELO, "NAME", 0, "EHLO name: this machine's full name, or [IP]", 0},
    {"source", KEY_SOURCE, "IP", 0, "local address to connect from (once for IPv4, once for IPv6)",
     0},
    {NULL, 0, NULL, 0, "Where to:", GROUP_WHERE},
    {"resolver", KEY_RESOLVER, "ADDR[:PORT]", 0, "DNS server instead of the system's (repeatable)",
     0},
    {"port", KEY_PORT, "PORT", 0, "SMTP port (25)", 0},
    {"allow-net", KEY_ALLOW_NET, "CIDR", 0,
     "private or loopback network that may be contacted (repeatable)", 0},
    {NULL, 0, NULL, 0,
     "How patiently (TIME is seconds, or 500ms, 30s, 5m, 2h, 1d):", GROUP_PATIENCE},
    {"timeout", KEY_TIMEOUT, "TIME", 0,
     "budget for one address: verify answers by then with what is known (2m), bulk counts only "
     "the "
     "time a server is being talked to",
     0},
    {NULL, 0, NULL, 0, "What is set elsewhere:", GROUP_ELSEWHERE},
    {"data", KEY_DATA, "DIR", 0, "folder of rules, providers and lists", 0},
    {"lists", KEY_LISTS, "DIR", 0, "folder of your own lists; see heloise-lists(1)", 0},
    {"config", KEY_CONFIG, "FILE", 0, "configuration file instead of the usual one", 0},
    {"no-config", KEY_NO_CONFIG, NULL, 0, "read no configuration file", 0},
    {"set", KEY_SET, "KEY=VALUE", 0,
     "one setting of heloise.conf, such as limits.queue-wait=10m (repeatable)", 0},
    {NULL, 0, NULL, 0, "What is shown:", GROUP_SHOWN},
    {"color", KEY_COLOUR, "WHEN", 0, "auto, always or never", 0},
    {"quiet", 'q', NULL, 0, "no progress and no hints", 0},
    {0},
};

static const struct argp_option talk_table[] = {
    {"from", KEY_FROM, "ADDRESS", 0,
     "MAIL FROM to use; the null sender <> then is the second choice, otherwise the first",
     GROUP_WHO},
    {"proxy", KEY_PROXY, "URL", 0,
     "connect to the mail servers through it: socks5://IP:PORT, http://IP:PORT (CONNECT) or "
     "proxyv2://IP:PORT (a relay that takes the PROXY protocol), with USER@ or USER:PASSWORD@ in "
     "front of IP where it wants them",
     0},
    {"proxy-password-file", KEY_PROXY_PASSWORD_FILE, "FILE", 0,
     "the proxy's password: the first line of FILE, instead of the environment's "
     "HELOISE_PROXY_PASSWORD",
     0},
    {"no-tls", KEY_NO_TLS, NULL, 0, "do not use STARTTLS even where it is offered", GROUP_WHERE},
    {"stage-timeout", KEY_STAGE_TIMEOUT, "STAGE=TIME", 0,
     "limit of one step: connect, banner, ehlo, starttls, mail, rcpt, rset or quit (repeatable)",
     GROUP_PATIENCE},
    {0},
};

static const struct argp_option asking_table[] = {
    {"greylist-wait", KEY_GREYLIST_WAIT, "TIME", 0,
     "first wait after greylisting that names no delay (5m)", GROUP_PATIENCE},
    {"no-retry", KEY_NO_RETRY, NULL, 0, "do not wait for temporary refusals: report them", 0},
    {NULL, 0, NULL, 0, "How much at once:", GROUP_AMOUNT},
    {"max-connections", KEY_MAX_CONNECTIONS, "N", 0, "open connections in all (500)", 0},
    {"max-per-site", KEY_MAX_PER_SITE, "N", 0,
     "open connections to one site, at most the provider's limit", 0},
    {"rcpts-per-connection", KEY_RCPTS_PER_CONNECTION, "N", 0,
     "addresses asked on one connection, instead of the provider's limit", 0},
    {"pipelined-rcpts", KEY_PIPELINED_RCPTS, "N", 0,
     "addresses asked at once on one connection, without waiting for the answers between, instead "
     "of the provider's limit (5 for servers nobody knows); 1: one by one",
     0},
    {"invalids-per-hour", KEY_INVALIDS_PER_HOUR, "N", 0,
     "refused addresses one site may see in an hour, instead of the provider's limit", 0},
    {"providers", KEY_PROVIDERS, "FILE", 0,
     "your own limits, timeouts and traits of providers, over ours (repeatable); see "
     "heloise-providers(5)",
     0},
    {NULL, 0, NULL, 0, "What is asked:", GROUP_ASKED},
    {"no-smtp", KEY_NO_SMTP, NULL, 0, "syntax, lists and DNS only; no mail server is contacted", 0},
    {"no-control", KEY_NO_CONTROL, NULL, 0,
     "no probe of an address that cannot exist; acceptance then stays unconfirmed", 0},
    {"risky-if", KEY_RISKY_IF, "LIST", 0,
     "properties that make a good address risky: disposable, role, free, or none (disposable)", 0},
    {"strict", KEY_STRICT, NULL, 0, "refuse local parts above 64 octets (RFC 5321)", 0},
    {"transcript", KEY_TRANSCRIPT, NULL, 0,
     "the conversation as it happens, and in the record; asks afresh", 0},
    {NULL, 0, NULL, 0, "What is remembered:", GROUP_REMEMBERED},
    {"store", KEY_STORE, "FILE", 0, "where verdicts and facts are kept", 0},
    {"no-store", KEY_NO_STORE, NULL, 0, "keep nothing, read nothing", 0},
    {"fresh", KEY_FRESH, NULL, 0, "ask again even where a kept verdict is still good", 0},
    {"cache-ttl", KEY_CACHE_TTL, "TIME", 0,
     "believe a kept verdict for at most so long; 0: not at all", 0},
    {0},
};

/* Options that stand for a setting of the configuration. */
static const struct setting {
    int key;
    const char *option;
    const char *setting;
    const char *text; /* what a switch sets; NULL: the option's argument is the value */
} settings[] = {
    {KEY_FROM, "from", "mail-from", NULL},
    {KEY_HELO, "helo", "helo", NULL},
    {KEY_PROXY_PASSWORD_FILE, "proxy-password-file", "proxy-password-file", NULL},
    {KEY_RESOLVER, "resolver", "resolvers", NULL},
    {KEY_PORT, "port", "port", NULL},
    {KEY_ALLOW_NET, "allow-net", "allow-net", NULL},
    {KEY_NO_TLS, "no-tls", "tls", "no"},
    {KEY_TIMEOUT, "timeout", "limits.timeout", NULL},
    {KEY_GREYLIST_WAIT, "greylist-wait", "limits.greylist-wait", NULL},
    {KEY_NO_RETRY, "no-retry", "verify.retry", "no"},
    {KEY_MAX_CONNECTIONS, "max-connections", "limits.max-connections", NULL},
    {KEY_MAX_PER_SITE, "max-per-site", "limits.max-per-site", NULL},
    {KEY_RCPTS_PER_CONNECTION, "rcpts-per-connection", "limits.rcpts-per-connection", NULL},
    {KEY_PIPELINED_RCPTS, "pipelined-rcpts", "limits.pipelined-rcpts", NULL},
    {KEY_INVALIDS_PER_HOUR, "invalids-per-hour", "limits.invalids-per-hour", NULL},
    {KEY_PROVIDERS, "providers", "providers", NULL},
    {KEY_NO_SMTP, "no-smtp", "verify.smtp", "no"},
    {KEY_NO_CONTROL, "no-control", "verify.control", "no"},
    {KEY_RISKY_IF, "risky-if", "verify.risky-if", NULL},
    {KEY_STRICT, "strict", "verify.strict", "yes"},
    {KEY_STORE, "store", "store", NULL},
    {KEY_NO_STORE, "no-store", "store", "none"},
    {KEY_FRESH, "fresh", "verify.fresh", "yes"},
    {KEY_CACHE_TTL, "cache-ttl", "verify.cache-ttl", NULL},
    {KEY_DATA, "data", "data", NULL},
    {KEY_LISTS, "lists", "lists", NULL},
};

static void set_word(struct argp_state *state, const char *option, const char *setting,
                     const char *word)
{
    struct probe_options *options = state->input;
    struct fault why = {.text = "out of memory"};
    if (config_set_word(&options->given, setting, slice_of(word), &why) != ERR_NONE) {
        argp_error(state, "--%s: %s", option, why.text);
    }
}

static void set_text(struct argp_state *state, const char *option, const char *setting,
                     const char *text)
{
    struct probe_options *options = state->input;
    struct fault why = {.text = "out of memory"};
    if (config_set_text(&options->given, setting, slice_of(text), &why) != ERR_NONE) {
        argp_error(state, "--%s: %s", option, why.text);
    }
}

static bool parse_setting(struct argp_state *state, int key, const char *arg)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct setting *s = &settings[i];
        if (s->key == key && s->text != NULL) {
            set_text(state, s->option, s->setting, s->text);
            return true;
        }
        if (s->key == key) {
            set_word(state, s->option, s->setting, arg);
            return true;
        }
    }
    return false;
}

static void parse_source(struct argp_state *state, const char *text)
{
    struct ip ip;
    if (!ip_parse(slice_of(text), &ip)) {
        argp_error(state, "--source: '%.60s' is not an IP address", text);
        return;
    }
    set_word(state, "source", ip.family == IP_V6 ? "source-v6" : "source-v4", text);
}

/* Neither ps, nor a command that is shown again, nor a job that is kept is to have the password. What goes on later
 * asks for it then. */
static void drop_password(char *url)
{
    char *user = strstr(url, "://");
    char *end = strrchr(url, '@');
    char *colon = user == NULL ? NULL : strchr(user + 3, ':');
    if (end != NULL && colon != NULL && colon < end) {
        size_t secret = (size_t)(end - colon);
        size_t kept = strlen(end) + 1;
        memmove(colon, end, kept);
        memset(colon + kept, '\0', secret);
    }
}

static void parse_proxy(struct argp_state *state, char *url)
{
    set_word(state, "proxy", "proxy", url);
    drop_password(url);
}

/* Copies up to the '=' to name; what follows it, or NULL where there is none or name is too long. */
static const char *cut_name(const char *text, size_t room, char *name)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || (size_t)(equals - text) >= room) {
        return NULL;
    }
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    return equals + 1;
}

static void parse_stage_timeout(struct argp_state *state, const char *text)
{
    char stage[SETTING_BYTES], setting[2 * SETTING_BYTES];
    const char *value = cut_name(text, sizeof stage, stage);
    enum hel_smtp_stage parsed;
    if (value == NULL || !hel_smtp_stage_parse(slice_of(stage), &parsed) ||
        parsed == HEL_SMTP_DATA || parsed == HEL_SMTP_BODY) {
        argp_error(state,
                   "--stage-timeout: '%.60s' is not like rcpt=45; stages: connect, banner, ehlo, "
                   "starttls, mail, rcpt, rset, quit",
                   text);
        return;
    }
    (void)snprintf(setting, sizeof setting, "timeouts.%s", stage);
    set_word(state, "stage-timeout", setting, value);
}

static void parse_set(struct argp_state *state, char *text)
{
    char setting[SETTING_BYTES];
    const char *value = cut_name(text, sizeof setting, setting);
    if (value == NULL) {
        argp_error(state, "--set: '%.60s' is not like limits.queue-wait=10m", text);
        return;
    }
    char option[sizeof setting + 8];
    (void)snprintf(option, sizeof option, "set %s", setting);
    set_text(state, option, setting, value);
    if (strcmp(setting, "proxy") == 0) {
        drop_password(text);
    }
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

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct probe_options *options = state->input;
    if (key == ARGP_KEY_INIT && state->child_inputs != NULL) {
        state->child_inputs[0] = options;
    }
    if (key == ARGP_KEY_INIT || parse_setting(state, key, arg)) {
        return 0;
    }
    switch (key) {
    case KEY_SOURCE: parse_source(state, arg); return 0;
    case KEY_PROXY: parse_proxy(state, arg); return 0;
    case KEY_STAGE_TIMEOUT: parse_stage_timeout(state, arg); return 0;
    case KEY_SET: parse_set(state, arg); return 0;
    case KEY_CONFIG: options->config_path = arg; return 0;
    case KEY_NO_CONFIG: options->no_config = true; return 0;
    case KEY_TRANSCRIPT: options->knocker.keeps_transcript = true; return 0;
    case KEY_COLOUR: parse_colour(state, options, arg); return 0;
    case 'q': options->is_quiet = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp probe_line_argp = {.options = line_table, .parser = parse_option};

static const struct argp_child line_child[] = {{&probe_line_argp, 0, NULL, 0}, {0}};
const struct argp probe_talk_argp = {
    .options = talk_table, .parser = parse_option, .children = line_child};

static const struct argp_child talk_child[] = {{&probe_talk_argp, 0, NULL, 0}, {0}};
const struct argp probe_options_argp = {
    .options = asking_table, .parser = parse_option, .children = talk_child};

void probe_options_init(struct probe_options *out)
{
    *out = (struct probe_options){.colour = COLOUR_AUTO};
    knocker_config_init(&out->knocker);
    config_init(&out->given);
    config_init(&out->config);
}

void probe_options_done(struct probe_options *options)
{
    config_done(&options->config);
    config_done(&options->given);
}

/* ---- after parsing ---- */

static void tell(const struct probe_options *options, const struct config_complaints *complaints)
{
    for (size_t i = 0; i < complaints->count; i++) {
        const struct config_complaint *complaint = &complaints->at[i];
        if (!complaint->is_warning || !options->is_quiet) {
            (void)fprintf(stderr, "%s\n", complaint->text);
        }
    }
    size_t all = complaints->errors + complaints->warnings;
    if (all > complaints->count) {
        (void)fprintf(stderr, "... and %zu more\n", all - complaints->count);
    }
}

static int load(struct probe_options *options)
{
    char room[CONFIG_PATH_BYTES];
    const char *path = options->no_config ? NULL : config_find(options->config_path, room);
    if (path == NULL) {
        return EXIT_SUCCESS;
    }
    struct config_complaints complaints = {.count = 0};
    enum err e = config_load(&options->config, path, &complaints);
    tell(options, &complaints);
    if (complaints.errors > 0) {
        complain("the configuration has %zu error%s; mend %s, or leave it out with --no-config",
                 complaints.errors, complaints.errors == 1 ? "" : "s",
                 complaints.errors == 1 ? "it" : "them");
        return EXIT_BAD_CONFIG;
    }
    if (e != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

/* RFC 5321 4.1.4 wants a name that can be looked up; one without a dot is refused by many. */
static enum err name_machine(struct config *config)
{
    char name[256];
    if (config->helo.len > 0 || gethostname(name, sizeof name - 1) != 0) {
        return ERR_NONE;
    }
    name[sizeof name - 1] = '\0';
    return strchr(name, '.') == NULL ? ERR_NONE
                                     : arena_copy(&config->arena, slice_of(name), &config->helo);
}

/* Of the way out: the command line or the file. */
static int blame(const struct probe_options *options)
{
    const struct config *given = &options->given;
    bool is_given = given->proxy.kind != PROXY_NONE || given->proxy_password_file.len > 0;
    return is_given ? EXIT_BAD_USAGE : EXIT_BAD_CONFIG;
}

static int find_password(struct probe_options *options)
{
    struct config_complaints complaints = {.count = 0};
    enum err e = config_find_password(&options->config, &complaints);
    tell(options, &complaints);
    if (complaints.errors > 0) {
        return blame(options);
    }
    if (e != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

int probe_options_read(struct probe_options *options)
{
    int code = load(options);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    struct config *config = &options->config;
    enum err e = config_read_environment(config);
    config_overlay(config, &options->given);
    if (e == ERR_NONE && !options->no_config) {
        e = config_find_lists(config);
    }
    if (e != ERR_NONE || name_machine(config) != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    config_settle(config);
    return find_password(options);
}

/* The engine goes out by all enabled egresses. False: it cannot go out by one of them. */
static bool check_egresses(const struct config *config)
{
    for (size_t i = 0; i < config->egress_count; i++) {
        const struct config_egress *egress = &config->egresses[i];
        const char *obstacle = egress->is_enabled ? config_egress_obstacle(egress) : NULL;
        if (obstacle != NULL) {
            complain("egress \"%s\": %s", egress->name.at, obstacle);
            return false;
        }
    }
    return true;
}

/* All of those that are used. */
static bool has_helo(const struct config *config)
{
    for (size_t i = 0; i < config->egress_count; i++) {
        if (config->egresses[i].is_enabled && config->egresses[i].helo.len == 0) {
            return false;
        }
    }
    return true;
}

int probe_options_settle(struct probe_options *options)
{
    int code = probe_options_read(options);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    if (!check_egresses(&options->config)) {
        return blame(options);
    }
    options->has_helo = has_helo(&options->config);
    config_apply(&options->config, &options->ways, &options->knocker);
    return EXIT_SUCCESS;
}
