/* cli/probe_arguments: the command line of `heloise probe`, and the plan that is made of it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROBE_ARGUMENTS_H
#define CLI_PROBE_ARGUMENTS_H

#include <argp.h>

#include "cli/probe_options.h"
#include "tools/probe_forms.h"
#include "tools/probe_message.h"
#include "tools/probe_sign.h"

enum { PROBE_ATTRIBUTES_MAX = 16 };

struct probe_arguments {
    struct probe_options common; /* who asks, where to, how patiently: as verify has them */
    const char *target;
    struct slice rcpts[PROBE_RCPTS_MAX];
    size_t rcpt_count;
    struct slice only_host;
    bool all_hosts, only_v4, only_v6;
    bool is_lmtp, prefers_helo, pipelines, uses_bdat, drops;
    enum probe_stop stop;
    enum probe_tls_mode tls_mode;
    bool has_tls_mode, demands_certificate;
    unsigned version_min, version_max;
    const char *ciphers, *ca_file, *certificate_file, *key_file, *server_name;
    enum sasl_mechanism mechanisms[SASL_MECHANISM_COUNT];
    size_t mechanism_count; /* 0: no login */
    bool wants_login, is_login_optional, is_clear_fine, shows_secrets, tests_logins;
    const char *user, *password_file, *act_as;
    const char *mail_parameters, *rcpt_parameters, *proxy_header;
    struct hel_smtp_attribute xclient[PROBE_ATTRIBUTES_MAX], xforward[PROBE_ATTRIBUTES_MAX];
    size_t xclient_count, xforward_count;
    bool sends, adds_nothing;
    const char *message_file; /* NULL: generated; "-": standard input */
    const char *text;
    struct slice headers[PROBE_HEADERS_MAX];
    size_t header_count;
    const char *attachment_files[PROBE_ATTACHMENTS_MAX], *attachment_types[PROBE_ATTACHMENTS_MAX];
    size_t attachment_count;
    const char *next_type;                                   /* of the attachment that follows */
    const char *dkim_key_file, *dkim_domain, *dkim_selector; /* all or none */
    enum dkim_canon dkim_header_canon, dkim_body_canon;
    const char *relay_domain;
    struct slice relay_rcpt; /* its at NULL: not said */
    bool compares_ports, examines, no_examine;
    const char *policy_ca;
    uint16_t policy_port;
    bool is_json, shows_data, no_words;
    uint64_t watch_ms; /* 0: once */
    unsigned runs_max; /* 0: until it is stopped */
};

extern const struct argp probe_arguments_argp;

void probe_arguments_init(struct probe_arguments *out);
void probe_arguments_done(struct probe_arguments *arguments);

#endif
