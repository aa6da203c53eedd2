/* cli/providers: `heloise providers check FILE...`, `explain DOMAIN...` and `list`: what the files of providers
 * say, ours with the user's over them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/probe_options.h"
#include "cli/providers_show.h"
#include "cli/workbench.h"
#include "engine/route_find.h"
#include "heloise/address.h"
#include "net/uv_door.h"

enum {
    KEY_DATA = 0x400,
    KEY_PROVIDERS,
    KEY_JSON,
    KEY_NO_DNS,
    KEY_RESOLVER,
    KEY_CONFIG,
    KEY_NO_CONFIG,
    ANSWER_BYTES_MAX = 1 << 20,
    QUERY_TIMEOUT_MS = 2000,
    QUERY_TRIES = 2,
};

enum providers_action { ACTION_CHECK, ACTION_EXPLAIN, ACTION_LIST };

struct providers_options {
    enum providers_action action;
    struct probe_options probe; /* the settings that count here: data, providers and resolvers */
    char **arguments;           /* behind the action */
    size_t argument_count;
    bool is_json, no_dns;
};

static const struct argp_option option_table[] = {
    {"data", KEY_DATA, "DIR", 0, "folder of rules, providers and lists", 0},
    {"providers", KEY_PROVIDERS, "FILE", 0,
     "your own file of providers, over ours, instead of the configuration's (repeatable)", 0},
    {"json", KEY_JSON, NULL, 0, "explain and list: one JSON object a line", 0},
    {"no-dns", KEY_NO_DNS, NULL, 0, "explain: do not look up the domain's mail servers", 0},
    {"resolver", KEY_RESOLVER, "ADDR[:PORT]", 0,
     "explain: DNS server instead of the system's (repeatable)", 0},
    {"config", KEY_CONFIG, "FILE", 0, "configuration file instead of the usual one", 0},
    {"no-config", KEY_NO_CONFIG, NULL, 0, "read no configuration file", 0},
    {0},
};

static void set(struct argp_state *state, const char *option, const char *setting, const char *word)
{
    struct providers_options *options = state->input;
    struct fault why = {.text = "out of memory"};
    if (config_set_word(&options->probe.given, setting, slice_of(word), &why) != ERR_NONE) {
        argp_error(state, "%s: %s", option, why.text);
    }
}

static void take_arguments(struct argp_state *state, struct providers_options *options)
{
    static const char *const names[] = {"check", "explain", "list"};
    const char *name = state->argv[state->next];
    size_t action = 0;
    while (action < sizeof names / sizeof *names && strcmp(name, names[action]) != 0) {
        action++;
    }
    if (action == sizeof names / sizeof *names) {
        argp_error(state, "'%.40s' is none of check, explain, list", name);
        return;
    }
    options->action = (enum providers_action)action;
    options->arguments = state->argv + state->next + 1;
    options->argument_count = (size_t)(state->argc - state->next - 1);
    if (options->action == ACTION_LIST && options->argument_count > 0) {
        argp_error(state, "list takes no argument, but '%.40s' is there", options->arguments[0]);
    } else if (options->action == ACTION_EXPLAIN && options->argument_count == 0) {
        argp_error(state, "explain: no domain given");
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct providers_options *options = state->input;
    switch (key) {
    case KEY_DATA: set(state, "--data", "data", arg); return 0;
    case KEY_PROVIDERS: set(state, "--providers", "providers", arg); return 0;
    case KEY_JSON: options->is_json = true; return 0;
    case KEY_NO_DNS: options->no_dns = true; return 0;
    case KEY_RESOLVER: set(state, "--resolver", "resolvers", arg); return 0;
    case KEY_CONFIG: options->probe.config_path = arg; return 0;
    case KEY_NO_CONFIG: options->probe.no_config = true; return 0;
    case ARGP_KEY_ARGS: take_arguments(state, options); return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "check, explain or list?"); return 0;
    case ARGP_KEY_END:
        for (size_t i = 0; options->action == ACTION_CHECK && i < options->argument_count; i++) {
            set(state, "check", "providers", options->arguments[i]);
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = option_table,
    .parser = parse_option,
    .args_doc = "check [FILE...]\nexplain DOMAIN...\nlist",
    .doc = "Files of providers: who is on the other side, and how much it bears.\v"
           "check reads FILE over our files, or those that the configuration names, and lists all "
           "that is wrong in it. explain shows which provider serves a domain, every value of its "
           "entry, and the line that says so. list shows all providers. The files are described in "
           "heloise-providers(5).\n\n"
           "Exit status 65 if a file or a domain is wrong, 66 if a file cannot be read, 78 if the "
           "configuration is wrong.",
};

/* ---- knowledge ---- */

static int exit_code_of(enum err e)
{
    return e == ERR_SYNTAX ? EXIT_BAD_DATA : e == ERR_SYSTEM ? EXIT_NO_INPUT : EXIT_INTERNAL;
}

static int open_knowledge(const struct providers_options *options, struct knowledge **out)
{
    struct buf faults;
    buf_init(&faults, PROVIDER_REPORT_BYTES_MAX);
    const struct config *config = &options->probe.config;
    const struct knowledge_files files = {
        .data_dir = config->data_dir.at,
        .lists_dir = config->lists_dir.at,
        .provider_files = config->providers.at,
        .provider_file_count = config->providers.count,
        .provider_faults = &faults,
    };
    struct fault fault;
    enum err e = knowledge_open_files(&files, out, &fault);
    if (e != ERR_NONE && faults.len > 0) {
        (void)fwrite(faults.at, 1, faults.len, stderr);
    } else if (e != ERR_NONE) {
        complain("%s", fault.text);
    }
    buf_done(&faults);
    return e == ERR_NONE ? EXIT_SUCCESS : exit_code_of(e);
}

/* ---- check ---- */

static int say_ok(const struct providers_options *options, const struct knowledge *knowledge)
{
    const struct config_texts *files = &options->probe.config.providers;
    struct provider_counts counts;
    provider_book_count(knowledge_providers(knowledge), &counts);
    for (size_t i = 0; i < files->count; i++) {
        (void)printf("%s%s", i == 0 ? "" : ", ", files->at[i]);
    }
    (void)printf(": OK: %u provider%s changed, %u added; %u value%s, %u name%s\n", counts.changed,
                 counts.changed == 1 ? "" : "s", counts.added, counts.values,
                 counts.values == 1 ? "" : "s", counts.names, counts.names == 1 ? "" : "s");
    return EXIT_SUCCESS;
}

/* ---- explain and list ---- */

static int write_out(const struct buf *out, enum err e)
{
    if (e != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    struct slice text = buf_view(out);
    (void)fwrite(text.at, 1, text.len, stdout); /* a failure is seen at the end */
    return EXIT_SUCCESS;
}

/* A domain, or the domain of an address, as it is asked for. */
static bool read_domain(const char *word, struct hel_address *out)
{
    char text[HEL_WIRE_BYTES];
    struct hel_address_error error;
    bool is_address = strchr(word, '@') != NULL;
    int len = snprintf(text, sizeof text, "%s%s", is_address ? "" : "x@", word);
    if (len < 0 || (size_t)len >= sizeof text) {
        complain("'%.60s...' is too long for a domain", word);
        return false;
    }
    if (hel_address_parse(slice_make(text, (size_t)len), HEL_ADDRESS_PRACTICAL, out, &error) !=
        ERR_NONE) {
        complain("'%.60s' is no domain: %s", word, error.text);
        return false;
    }
    return true;
}

static int find_route(const struct providers_options *options, struct slice domain,
                      struct route **out)
{
    const struct config_texts *resolvers = &options->probe.config.resolvers;
    const struct uv_door_config config = {.resolvers = resolvers->at,
                                          .resolver_count = resolvers->count,
                                          .query_timeout_ms = QUERY_TIMEOUT_MS,
                                          .query_tries = QUERY_TRIES};
    struct door *door = NULL;
    struct fault fault;
    if (uv_door_open(&config, &door, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_NO_WAY_OUT;
    }
    enum err e = route_find(door, domain, NULL, out);
    uv_door_close(door);
    if (e != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

static int explain_domain(const struct providers_options *options,
                          const struct knowledge *knowledge, const char *word, struct buf *out)
{
    struct hel_address address;
    struct route *route = NULL;
    struct knocker_config config;
    knocker_config_init(&config);
    if (!read_domain(word, &address)) {
        return EXIT_BAD_DATA;
    }
    struct providers_answer answer = {.book = knowledge_providers(knowledge),
                                      .config = &config,
                                      .domain = hel_address_domain(&address),
                                      .mx_host = SLICE_NONE};
    int code = options->no_dns ? EXIT_SUCCESS : find_route(options, answer.domain, &route);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    if (route != NULL && route->status == ROUTE_DNS_ERROR) {
        complain("%.*s: the name service gave no answer (%s); judged by the domain alone",
                 SLICE_ARG(answer.domain), dns_failure_name(route->failure));
    }
    if (route != NULL && route->exchanger_count > 0) {
        answer.mx_host = slice_of(route->exchangers[0].host);
    }
    answer.route = route;
    answer.provider = provider_serving(answer.book, answer.domain, answer.mx_host);
    code = write_out(out, options->is_json ? providers_show_json(&answer, out)
                                           : providers_show_text(&answer, out));
    route_free(route);
    return code;
}

static int explain(const struct providers_options *options, const struct knowledge *knowledge)
{
    int worst = EXIT_SUCCESS;
    for (size_t i = 0; i < options->argument_count; i++) {
        struct buf out;
        buf_init(&out, ANSWER_BYTES_MAX);
        int code = explain_domain(options, knowledge, options->arguments[i], &out);
        worst = code > worst ? code : worst;
        buf_done(&out);
    }
    return worst;
}

static int list(const struct providers_options *options, const struct knowledge *knowledge)
{
    const struct provider_book *book = knowledge_providers(knowledge);
    struct knocker_config config;
    knocker_config_init(&config);
    int code = EXIT_SUCCESS;
    const struct provider *provider;
    for (size_t i = 0; code == EXIT_SUCCESS && (provider = provider_at(book, i)) != NULL; i++) {
        struct buf out;
        buf_init(&out, ANSWER_BYTES_MAX);
        code = write_out(&out, options->is_json ? providers_list_json(book, provider, &config, &out)
                                                : providers_list_text(provider, &out));
        buf_done(&out);
    }
    return code;
}

static int act(const struct providers_options *options, const struct knowledge *knowledge)
{
    switch (options->action) {
    case ACTION_CHECK: return say_ok(options, knowledge);
    case ACTION_EXPLAIN: return explain(options, knowledge);
    case ACTION_LIST: return list(options, knowledge);
    }
    return EXIT_INTERNAL;
}

static int run(struct providers_options *options)
{
    int code = probe_options_read(&options->probe);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    if (options->action == ACTION_CHECK && options->probe.config.providers.count == 0) {
        complain("check: no file given, and the configuration names none");
        return EXIT_BAD_USAGE;
    }
    struct knowledge *knowledge = NULL;
    code = open_knowledge(options, &knowledge);
    if (code == EXIT_SUCCESS) {
        code = act(options, knowledge);
    }
    knowledge_free(knowledge);
    return code;
}

int cli_providers(int argc, char **argv)
{
    argp_err_exit_status = EXIT_BAD_USAGE;
    struct providers_options options = {.is_json = false};
    probe_options_init(&options.probe);
    int code = EXIT_BAD_USAGE;
    if (argp_parse(&parser, argc, argv, 0, NULL, &options) == 0) {
        code = run(&options);
    }
    probe_options_done(&options.probe);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        complain("the output cannot be written");
        return EXIT_CANNOT_WRITE;
    }
    return code;
}
