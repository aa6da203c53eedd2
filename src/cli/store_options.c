/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/store_options.h"

#include <stdlib.h>
#include <time.h>

#include "cli/exit.h"
#include "cli/workbench.h"

enum { KEY_STORE = 0x400, KEY_CONFIG, KEY_NO_CONFIG };

static const struct argp_option option_table[] = {
    {"store", KEY_STORE, "FILE", 0, "the store, in place of the usual one", 0},
    {"config", KEY_CONFIG, "FILE", 0, "the configuration file", 0},
    {"no-config", KEY_NO_CONFIG, NULL, 0, "read no configuration file", 0},
    {0},
};

/* NOLINTNEXTLINE(readability-non-const-parameter): argp's type */
static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct store_options *options = state->input;
    switch (key) {
    case KEY_STORE: options->path = arg; return 0;
    case KEY_CONFIG: options->probe.config_path = arg; return 0;
    case KEY_NO_CONFIG: options->probe.no_config = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp store_options_argp = {option_table, parse_option, NULL, NULL, NULL, NULL, NULL};

void store_options_init(struct store_options *out)
{
    *out = (struct store_options){.path = NULL};
    probe_options_init(&out->probe);
}

void store_options_done(struct store_options *options)
{
    probe_options_done(&options->probe);
}

static int take_path(struct store_options *options, const char **out_path)
{
    if (options->path == NULL) {
        options->path = options->probe.config.store.path.at;
    }
    if (options->path[0] == '\0') {
        complain("no place for the store: set HOME, or give --store FILE");
        return EXIT_CANNOT_WRITE;
    }
    *out_path = options->path;
    return EXIT_SUCCESS;
}

int store_options_configure(struct store_options *options, const char **out_path)
{
    int code = probe_options_read(&options->probe);
    return code != EXIT_SUCCESS ? code : take_path(options, out_path);
}

int store_options_find(struct store_options *options, const char **out_path)
{
    return options->path == NULL ? store_options_configure(options, out_path)
                                 : take_path(options, out_path);
}

int store_options_open(struct store_options *options, struct store **out)
{
    const char *path = NULL;
    int code = store_options_find(options, &path);
    return code != EXIT_SUCCESS ? code : workbench_open_store(path, out);
}
