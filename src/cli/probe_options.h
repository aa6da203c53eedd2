/* cli/probe_options: the options that all commands share which ask: from where, how and how patiently to ask. Those that
 * stand for a setting of heloise.conf are given to engine/config, which checks them; the configuration file and the
 * environment come below them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROBE_OPTIONS_H
#define CLI_PROBE_OPTIONS_H

#include <argp.h>

#include "engine/config.h"

enum colour_when { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct probe_options {
    struct config given;     /* what the command line says, alone */
    struct config config;    /* all that holds; once read */
    const char *config_path; /* NULL: the usual places */
    bool no_config;
    struct knocker_config knocker; /* once settled; borrows from the config and these: */
    struct config_ways ways;
    enum colour_when colour;
    bool is_quiet;
    bool wants_authentic; /* set by the command: the DNSSEC state of answers matters to it */
    bool has_many_lines;  /* set by the command: it has hundreds of lines open at a time */
    bool has_helo;        /* once settled: a name that can be looked up, or that somebody chose */
};

void probe_options_init(struct probe_options *out);
void probe_options_done(struct probe_options *options);

/* For struct argp_child; their input is a struct probe_options. The options of what looks things up and connects; these and
 * how a conversation goes; these and how addresses are asked about. */
extern const struct argp probe_line_argp, probe_talk_argp, probe_options_argp;

/* After parsing: the configuration file and the environment below what was given; the EHLO name from this machine's
 * where nobody named one. What is wrong is told on standard error. Exit code 0, or the one to leave with. */
int probe_options_read(struct probe_options *options) MUST_USE;

/* The same, then everything the knocker needs: out of which egress it goes. */
int probe_options_settle(struct probe_options *options) MUST_USE;

#endif
