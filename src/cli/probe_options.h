/* cli/probe_options: the options that verify and bulk share: from where, how and how patiently to ask.
 * An argp child parser fills the struct and checks each value as it is read.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROBE_OPTIONS_H
#define CLI_PROBE_OPTIONS_H

#include <argp.h>

#include "engine/knocker.h"
#include "net/uv_door.h"

enum { PROBE_RESOLVERS_MAX = 8 };

enum colour_when { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct probe_options {
    struct knocker_config knocker;
    const char *resolvers[PROBE_RESOLVERS_MAX]; /* ADDR[:PORT]; none: the system's */
    size_t resolver_count;
    const char *store_path; /* NULL: the default place */
    bool no_store;
    const char *data_dir; /* NULL: the default place */
    enum colour_when colour;
    bool is_quiet;
    bool has_helo;
    char helo[256];
    char mail_from[HEL_WIRE_BYTES];
};

void probe_options_init(struct probe_options *out);
void probe_options_done(struct probe_options *options);

/* For struct argp_child; its input is a struct probe_options. */
extern const struct argp probe_options_argp;

/* Fills in what was not given: the EHLO name from this machine's. After parsing. */
void probe_options_settle(struct probe_options *options);

#endif
