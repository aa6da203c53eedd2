/* cli/config: `heloise config`: whether the configuration file is right, and what holds in the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/probe_options.h"
#include "cli/workbench.h"

enum { OUT_BYTES_MAX = 16 << 20 /* 64 egresses, each with long paths */ };

struct config_options {
    struct probe_options probe;
    const char *action; /* check or show; NULL: not given */
};

static void take_argument(struct argp_state *state, struct config_options *options, char *arg)
{
    if (options->action == NULL) {
        if (strcmp(arg, "check") != 0 && strcmp(arg, "show") != 0) {
            argp_error(state, "'%.60s' is neither check nor show", arg);
        }
        options->action = arg;
        return;
    }
    if (options->probe.config_path != NULL) {
        argp_error(state, "one file at a time; '%.60s' is a second one", arg);
    }
    options->probe.config_path = arg;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct config_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->probe; return 0;
    case ARGP_KEY_ARG: take_argument(state, options, arg); return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "nothing to do: check or show?"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static enum err summarise_egresses(const struct config *config, struct buf *out)
{
    size_t count = config->egresses[0].line > 0 ? config->egress_count : 0;
    enum err e = buf_printf(out, "egresses  %zu", count);
    const char *gap = "; enabled: ";
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        if (config->egresses[i].is_enabled) {
            e = buf_printf(out, "%s%s", gap, config->egresses[i].name.at);
            gap = ", ";
        }
    }
    return e != ERR_NONE ? e : buf_append_byte(out, '\n');
}

static enum err summarise(const struct config *config, struct buf *out)
{
    if (config->file.len == 0) {
        return buf_append(out, SLICE("no configuration file: the defaults hold\n"));
    }
    size_t settings = 0;
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        settings += config->marks[i].origin == CONFIG_FILE ? 1 : 0;
    }
    enum err e = text_append_printable(out, config->file);
    e = e != ERR_NONE ? e : buf_printf(out, ": OK\nsettings  %zu outside of egresses\n", settings);
    return e != ERR_NONE ? e : summarise_egresses(config, out);
}

static int run_action(struct config_options *options)
{
    int code = probe_options_read(&options->probe);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    struct buf out;
    buf_init(&out, OUT_BYTES_MAX);
    const struct config *config = &options->probe.config;
    enum err e =
        strcmp(options->action, "check") == 0 ? summarise(config, &out) : config_show(config, &out);
    if (e != ERR_NONE) {
        complain("out of memory");
        code = EXIT_INTERNAL;
    } else if (fwrite(out.at, 1, out.len, stdout) != out.len || fflush(stdout) != 0) {
        complain("cannot write to standard output");
        code = EXIT_CANNOT_WRITE;
    }
    buf_done(&out);
    return code;
}

int cli_config(int argc, char **argv)
{
    static const struct argp_child children[] = {{&probe_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        NULL,
        parse_option,
        "check [FILE]\nshow [FILE]",
        "check: says whether the configuration file is right, or all that is wrong with it. show: "
        "prints all settings that hold for verify and bulk with these options, and where each "
        "comes from.\v"
        "Without FILE the usual one: what HELOISE_CONFIG names, ~/.config/heloise/heloise.conf, "
        "/etc/heloise/heloise.conf. Exit status: 0 right, 64 usage, 78 wrong or cannot be read.",
        children,
        NULL,
        NULL};
    struct config_options options = {.action = NULL};
    probe_options_init(&options.probe);
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    int code = run_action(&options);
    probe_options_done(&options.probe);
    return code;
}
