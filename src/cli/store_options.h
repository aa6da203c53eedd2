/* cli/store_options: where the store is, for commands that only look at it or change it: --store, or what the
 * configuration says.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_STORE_OPTIONS_H
#define CLI_STORE_OPTIONS_H

#include <argp.h>

#include "cli/probe_options.h"
#include "store/store.h"

struct store_options {
    struct probe_options probe; /* for the configuration file, which may say where the store is */
    const char *path;           /* NULL: as the configuration says */
};

void store_options_init(struct store_options *out);
void store_options_done(struct store_options *options);

/* For struct argp_child; its input is a struct store_options. */
extern const struct argp store_options_argp;

/* After parsing: its path. Exit code 0, or the one to leave with; what is wrong was said then. */
int store_options_find(struct store_options *options, const char **out_path) MUST_USE;
/* The same with the configuration, which is then in options->probe.config, also where --store names the store. */
int store_options_configure(struct store_options *options, const char **out_path) MUST_USE;
/* As store_options_find, and opens it. */
int store_options_open(struct store_options *options, struct store **out) MUST_USE;

#endif
