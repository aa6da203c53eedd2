/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe_arguments.h"

#include <string.h>

#include "base/reader.h"
#include "base/slice.h"

enum argument_key {
    KEY_TO = 0x400,
    KEY_MX,
    KEY_LMTP,
    KEY_HELO_ONLY,
    KEY_PIPELINE,
    KEY_BDAT,
    KEY_QUIT_AFTER,
    KEY_DROP_AFTER,
    KEY_TLS,
    KEY_TLS_VERIFY,
    KEY_TLS_VERSION,
    KEY_TLS_CIPHERS,
    KEY_TLS_CA,
    KEY_TLS_CERT,
    KEY_TLS_KEY,
    KEY_TLS_SNI,
    KEY_AUTH,
    KEY_AUTH_USER,
    KEY_AUTH_PASSWORD_FILE,
    KEY_AUTH_AS,
    KEY_AUTH_OPTIONAL,
    KEY_AUTH_PLAINTEXT,
    KEY_SHOW_PASSWORD,
    KEY_TEST_LOGINS,
    KEY_MAIL_PARAMETERS,
    KEY_RCPT_PARAMETERS,
    KEY_PROXY_HEADER,
    KEY_XCLIENT,
    KEY_XFORWARD,
    KEY_SEND,
    KEY_KEEP_DATA,
    KEY_BODY,
    KEY_HEADER,
    KEY_ATTACH,
    KEY_ATTACH_TYPE,
    KEY_DKIM_KEY,
    KEY_DKIM_DOMAIN,
    KEY_DKIM_SELECTOR,
    KEY_DKIM_CANON,
    KEY_OPEN_RELAY,
    KEY_RELAY_TO,
    KEY_PORTS,
    KEY_EXAMINE,
    KEY_NO_EXAMINE,
    KEY_POLICY_PORT,
    KEY_POLICY_CA,
    KEY_JSON,
    KEY_SHOW_DATA,
    KEY_NO_WORDS,
    KEY_WATCH,
    KEY_COUNT,
};

static const struct argp_option option_table[] = {
    {NULL, 0, NULL, 0, "Which server:", 20},
    {"mx", KEY_MX, "HOST|all", 0,
     "of a domain's mail servers this one, or all, instead of the first that answers", 0},
    {NULL, '4', NULL, 0, "IPv4 only", 0},
    {NULL, '6', NULL, 0, "IPv6 only", 0},
    {"lmtp", KEY_LMTP, NULL, 0, "speak LMTP (RFC 2033)", 0},
    {"helo-only", KEY_HELO_ONLY, NULL, 0, "HELO instead of EHLO", 0},
    {"proxy-header", KEY_PROXY_HEADER, "VERSION[,SOURCE:PORT,DEST:PORT]", 0,
     "begin with the header of the PROXY protocol, v1 or v2", 0},
    {NULL, 0, NULL, 0, "TLS:", 21},
    {"tls", KEY_TLS, "WHEN", 0,
     "may (where STARTTLS is offered, the default), must, never, or at-once (as smtps:// does)", 0},
    {"tls-verify", KEY_TLS_VERIFY, NULL, 0,
     "go on only with a trusted certificate for the host's name", 0},
    {"tls-version", KEY_TLS_VERSION, "V[-V]", 0, "1.0, 1.1, 1.2 or 1.3, or from one to another", 0},
    {"tls-ciphers", KEY_TLS_CIPHERS, "LIST", 0, "OpenSSL's list, for TLS 1.2 and older", 0},
    {"tls-ca", KEY_TLS_CA, "FILE", 0, "trust these certificates (PEM) instead of the system's", 0},
    {"tls-cert", KEY_TLS_CERT, "FILE", 0, "certificate to show (PEM)", 0},
    {"tls-key", KEY_TLS_KEY, "FILE", 0, "its key (PEM, without a password)", 0},
    {"tls-sni", KEY_TLS_SNI, "NAME", 0, "name to ask for and to check, instead of the host's", 0},
    {"examine", KEY_EXAMINE, NULL, 0,
     "look at each version of TLS, DANE, the MTA-STS policy of a domain and the STARTTLS "
     "injection, in conversations of their own; the default "
     "where nothing is sent and nobody logs in",
     0},
    {"no-examine", KEY_NO_EXAMINE, NULL, 0, "do not", 0},
    {"policy-port", KEY_POLICY_PORT, "PORT", 0, "port of MTA-STS policies; 443", 0},
    {"policy-ca", KEY_POLICY_CA, "FILE", 0,
     "certificates (PEM) that vouch for the servers of MTA-STS policies", 0},
    {NULL, 0, NULL, 0, "Logging in:", 22},
    {"auth", KEY_AUTH, "LIST", OPTION_ARG_OPTIONAL,
     "log in with the first of these that is offered: SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN, "
     "LOGIN "
     "(in this order without LIST), XOAUTH2, OAUTHBEARER",
     0},
    {"auth-user", KEY_AUTH_USER, "NAME", 0, "who logs in", 0},
    {"auth-password-file", KEY_AUTH_PASSWORD_FILE, "FILE", 0,
     "password or token: the first line of FILE, instead of the environment's "
     "HELOISE_PROBE_PASSWORD or a "
     "question on the terminal",
     0},
    {"auth-as", KEY_AUTH_AS, "NAME", 0, "act as this user", 0},
    {"auth-optional", KEY_AUTH_OPTIONAL, NULL, 0, "go on where no login is offered", 0},
    {"auth-plaintext", KEY_AUTH_PLAINTEXT, NULL, 0, "let the password cross the line without TLS",
     0},
    {"show-password", KEY_SHOW_PASSWORD, NULL, 0, "show the lines of the login", 0},
    {"test-logins", KEY_TEST_LOGINS, NULL, 0,
     "log in with each mechanism that is offered, on lines of their own", 0},
    {NULL, 0, NULL, 0, "What is said:", 23},
    {"to", KEY_TO, "ADDRESS", 0, "recipient (repeatable); as far as RCPT TO, unless --send", 0},
    {"mail-parameters", KEY_MAIL_PARAMETERS, "TEXT", 0, "behind MAIL FROM, such as 'RET=HDRS'", 0},
    {"rcpt-parameters", KEY_RCPT_PARAMETERS, "TEXT", 0,
     "behind each RCPT TO, such as 'NOTIFY=NEVER'", 0},
    {"pipeline", KEY_PIPELINE, NULL, 0, "MAIL and RCPTs in one go, where it is offered", 0},
    {"xclient", KEY_XCLIENT, "NAME=VALUE", 0,
     "XCLIENT with this (repeatable): NAME, ADDR, PORT, PROTO, HELO, LOGIN, DESTADDR, DESTPORT", 0},
    {"xforward", KEY_XFORWARD, "NAME=VALUE", 0, "XFORWARD with this (repeatable)", 0},
    {"quit-after", KEY_QUIT_AFTER, "STAGE", 0,
     "say QUIT after connect, banner, first-ehlo, tls, ehlo, xclient, auth, mail, rcpt or body", 0},
    {"drop-after", KEY_DROP_AFTER, "STAGE", 0, "the same, or data, and close the line without QUIT",
     0},
    {NULL, 0, NULL, 0, "The message:", 24},
    {"send", KEY_SEND, "FILE", OPTION_ARG_OPTIONAL,
     "send a message to the recipients: FILE, - for standard input, or a generated one; what it "
     "lacks (Date, "
     "From, Message-ID) is added and shown",
     0},
    {"keep-data", KEY_KEEP_DATA, NULL, 0, "add nothing to FILE", 0},
    {"header", KEY_HEADER, "NAME: VALUE", 0,
     "a header field, instead of the one of that name (repeatable)", 0},
    {"body", KEY_BODY, "TEXT|@FILE", 0, "text of the generated message", 0},
    {"attach", KEY_ATTACH, "FILE", 0, "attach FILE to the generated message (repeatable)", 0},
    {"attach-type", KEY_ATTACH_TYPE, "TYPE", 0, "MIME type of the attachment that follows", 0},
    {"bdat", KEY_BDAT, NULL, 0, "send it with BDAT (CHUNKING)", 0},
    {"dkim-key", KEY_DKIM_KEY, "FILE", 0,
     "sign the message with DKIM: a private key (PEM, without a password) of RSA or Ed25519, which "
     "decides the algorithm",
     0},
    {"dkim-domain", KEY_DKIM_DOMAIN, "DOMAIN", 0, "who signs (d=)", 0},
    {"dkim-selector", KEY_DKIM_SELECTOR, "NAME", 0, "where the public key stands (s=)", 0},
    {"dkim-canon", KEY_DKIM_CANON, "HEADER/BODY", 0,
     "canonical forms, each simple or relaxed (relaxed/relaxed)", 0},
    {NULL, 0, NULL, 0, "Further tests:", 25},
    {"ports", KEY_PORTS, NULL, 0, "compare ports 25, 465, 587 and 2525", 0},
    {"open-relay", KEY_OPEN_RELAY, "DOMAIN", 0,
     "try whether the server passes strangers' mail on; for a server of yours, which serves "
     "DOMAIN. Never sends data",
     0},
    {"relay-to", KEY_RELAY_TO, "ADDRESS", 0, "the stranger of that test (relay-test@example.net)",
     0},
    {NULL, 0, NULL, 0, "How it is told:", 26},
    {"json", KEY_JSON, NULL, 0, "one JSON object a run", 0},
    {"show-data", KEY_SHOW_DATA, NULL, 0, "show the message as it is sent", 0},
    {"no-words", KEY_NO_WORDS, NULL, 0, "do not say what codes and extensions mean", 0},
    {"watch", KEY_WATCH, "TIME", OPTION_ARG_OPTIONAL,
     "again every TIME (10s), with statistics in the end", 0},
    {"count", KEY_COUNT, "N", 0, "of --watch: stop after N runs", 0},
    {0},
};

/* ---- single options ---- */

static void parse_tls_mode(struct argp_state *state, struct probe_arguments *arguments,
                           const char *text)
{
    static const char *const names[] = {[PROBE_TLS_MAY] = "may",
                                        [PROBE_TLS_NEVER] = "never",
                                        [PROBE_TLS_MUST] = "must",
                                        [PROBE_TLS_AT_ONCE] = "at-once"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            arguments->tls_mode = (enum probe_tls_mode)i;
            arguments->has_tls_mode = true;
            return;
        }
    }
    argp_error(state, "--tls: '%.60s' is none of may, must, never, at-once", text);
}

/* "1.2" */
static bool read_version(struct slice text, unsigned *out)
{
    bool is_version = text.len == 3 && text.at[0] == '1' && text.at[1] == '.' &&
                      text.at[2] >= '0' && text.at[2] <= '3';
    if (is_version) {
        *out = TLS_OLDEST + (unsigned)(text.at[2] - '0');
    }
    return is_version;
}

static void parse_versions(struct argp_state *state, struct probe_arguments *arguments,
                           const char *text)
{
    struct slice rest = slice_of(text);
    struct slice first = slice_cut(&rest, '-');
    struct slice last = rest.at == NULL ? first : rest;
    if (!read_version(first, &arguments->version_min) ||
        !read_version(last, &arguments->version_max) ||
        arguments->version_min > arguments->version_max) {
        argp_error(state, "--tls-version: '%.60s' is not like 1.2 or 1.0-1.2", text);
    }
}

static void parse_mechanisms(struct argp_state *state, struct probe_arguments *arguments,
                             const char *text)
{
    struct slice rest = slice_of(text);
    arguments->wants_login = true;
    arguments->mechanism_count = 0;
    if (text == NULL) {
        memcpy(arguments->mechanisms, sasl_usual, sizeof sasl_usual);
        arguments->mechanism_count = SASL_USUAL_COUNT;
        return;
    }
    while (rest.at != NULL) {
        struct slice name = slice_cut(&rest, ',');
        enum sasl_mechanism mechanism;
        if (!sasl_mechanism_parse(name, &mechanism)) {
            argp_error(state,
                       "--auth: '%.*s' is none of SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN, "
                       "LOGIN, XOAUTH2, OAUTHBEARER",
                       (int)(name.len < 40 ? name.len : 40), name.at);
            return;
        }
        if (arguments->mechanism_count < SASL_MECHANISM_COUNT) {
            arguments->mechanisms[arguments->mechanism_count++] = mechanism;
        }
    }
}

static void parse_stop(struct argp_state *state, struct probe_arguments *arguments,
                       const char *text, bool drops)
{
    bool is_known = probe_stop_parse(slice_of(text), &arguments->stop);
    if (!is_known || (arguments->stop == PROBE_STOP_DATA && !drops)) {
        argp_error(state,
                   "--%s: '%.40s' is none of connect, banner, first-ehlo, tls, ehlo, xclient, "
                   "auth, mail, rcpt, %sbody",
                   drops ? "drop-after" : "quit-after", text, drops ? "data, " : "");
    }
    arguments->drops = drops;
}

static void add_attribute(struct argp_state *state, const char *option, const char *text,
                          struct hel_smtp_attribute *to, size_t *count)
{
    struct slice all = slice_of(text);
    size_t equals = slice_find_byte(all, '=', 0);
    if (equals == 0 || equals + 1 >= all.len) {
        argp_error(state, "--%s: '%.60s' is not like ADDR=192.0.2.1", option, text);
    } else if (*count == PROBE_ATTRIBUTES_MAX) {
        argp_error(state, "--%s: too many of them", option);
    } else {
        to[(*count)++] = (struct hel_smtp_attribute){slice_sub(all, 0, equals),
                                                     slice_sub(all, equals + 1, all.len)};
    }
}

static void add_attachment(struct argp_state *state, struct probe_arguments *arguments,
                           const char *file)
{
    if (arguments->attachment_count == PROBE_ATTACHMENTS_MAX) {
        argp_error(state, "--attach: more than %d of them", PROBE_ATTACHMENTS_MAX);
        return;
    }
    arguments->attachment_types[arguments->attachment_count] = arguments->next_type;
    arguments->attachment_files[arguments->attachment_count++] = file;
    arguments->next_type = NULL;
}

static void add_text(struct argp_state *state, const char *option, const char *text,
                     struct slice *to, size_t *count, size_t max)
{
    if (*count == max) {
        argp_error(state, "--%s: more than %zu of them", option, max);
    } else {
        to[(*count)++] = slice_of(text);
    }
}

/* "10", "10s", "500ms", "5m" */
static void parse_watch(struct argp_state *state, struct probe_arguments *arguments,
                        const char *text)
{
    static const struct {
        struct slice unit;
        uint64_t ms;
    } units[] = {{SLICE_LITERAL(""), 1000},
                 {SLICE_LITERAL("s"), 1000},
                 {SLICE_LITERAL("ms"), 1},
                 {SLICE_LITERAL("m"), 60000},
                 {SLICE_LITERAL("h"), 3600000}};
    struct reader r = reader_over(slice_of(text == NULL ? "10s" : text));
    uint64_t number = 0;
    bool is_number = reader_number(&r, 1000000, &number) && number > 0;
    for (size_t i = 0; is_number && i < sizeof units / sizeof *units; i++) {
        if (slice_equal(r.rest, units[i].unit)) {
            arguments->watch_ms = number * units[i].ms;
            return;
        }
    }
    argp_error(state, "--watch: '%.40s' is not like 10s, 500ms or 5m", text);
}

static void parse_count(struct argp_state *state, struct probe_arguments *arguments,
                        const char *text)
{
    struct reader r = reader_over(slice_of(text));
    uint64_t number = 0;
    if (!reader_number(&r, 1000000, &number) || !reader_is_done(&r) || number == 0) {
        argp_error(state, "--count: '%.40s' is not a number from 1 to 1000000", text);
    }
    arguments->runs_max = (unsigned)number;
}

static uint16_t parse_port(struct argp_state *state, const char *option, const char *text)
{
    struct reader r = reader_over(slice_of(text));
    uint64_t port = 0;
    if (!reader_number(&r, UINT16_MAX, &port) || !reader_is_done(&r) || port == 0) {
        argp_error(state, "--%s: '%.40s' is not a port from 1 to 65535", option, text);
    }
    return (uint16_t)port;
}

/* ---- groups of options; true: it was one of them ---- */

static bool parse_server(struct argp_state *state, struct probe_arguments *a, int key, char *arg)
{
    switch (key) {
    case KEY_MX:
        a->all_hosts = strcmp(arg, "all") == 0;
        a->only_host = a->all_hosts ? SLICE_NONE : slice_of(arg);
        return true;
    case '4': a->only_v4 = true; return true;
    case '6': a->only_v6 = true; return true;
    case KEY_LMTP: a->is_lmtp = true; return true;
    case KEY_HELO_ONLY: a->prefers_helo = true; return true;
    case KEY_PROXY_HEADER: a->proxy_header = arg; return true;
    case KEY_PORTS: a->compares_ports = true; return true;
    case KEY_OPEN_RELAY: a->relay_domain = arg; return true;
    case KEY_RELAY_TO: a->relay_rcpt = slice_of(arg); return true;
    case KEY_JSON: a->is_json = true; return true;
    case KEY_SHOW_DATA: a->shows_data = true; return true;
    case KEY_NO_WORDS: a->no_words = true; return true;
    case KEY_WATCH: parse_watch(state, a, arg); return true;
    case KEY_COUNT: parse_count(state, a, arg); return true;
    default: return false;
    }
}

static bool parse_tls(struct argp_state *state, struct probe_arguments *a, int key, char *arg)
{
    switch (key) {
    case KEY_TLS: parse_tls_mode(state, a, arg); return true;
    case KEY_TLS_VERIFY: a->demands_certificate = true; return true;
    case KEY_TLS_VERSION: parse_versions(state, a, arg); return true;
    case KEY_TLS_CIPHERS: a->ciphers = arg; return true;
    case KEY_TLS_CA: a->ca_file = arg; return true;
    case KEY_TLS_CERT: a->certificate_file = arg; return true;
    case KEY_TLS_KEY: a->key_file = arg; return true;
    case KEY_TLS_SNI: a->server_name = arg; return true;
    case KEY_EXAMINE: a->examines = true; return true;
    case KEY_NO_EXAMINE: a->no_examine = true; return true;
    case KEY_POLICY_PORT: a->policy_port = parse_port(state, "policy-port", arg); return true;
    case KEY_POLICY_CA: a->policy_ca = arg; return true;
    default: return false;
    }
}

static bool parse_login(struct argp_state *state, struct probe_arguments *a, int key, char *arg)
{
    switch (key) {
    case KEY_AUTH: parse_mechanisms(state, a, arg); return true;
    case KEY_AUTH_USER: a->user = arg; return true;
    case KEY_AUTH_PASSWORD_FILE: a->password_file = arg; return true;
    case KEY_AUTH_AS: a->act_as = arg; return true;
    case KEY_AUTH_OPTIONAL: a->is_login_optional = true; return true;
    case KEY_AUTH_PLAINTEXT: a->is_clear_fine = true; return true;
    case KEY_SHOW_PASSWORD: a->shows_secrets = true; return true;
    case KEY_TEST_LOGINS: a->tests_logins = true; return true;
    default: return false;
    }
}

static bool parse_dkim(struct argp_state *state, struct probe_arguments *a, int key, char *arg)
{
    switch (key) {
    case KEY_DKIM_KEY: a->dkim_key_file = arg; return true;
    case KEY_DKIM_DOMAIN: a->dkim_domain = arg; return true;
    case KEY_DKIM_SELECTOR: a->dkim_selector = arg; return true;
    case KEY_DKIM_CANON:
        if (!probe_canon_parse(slice_of(arg), &a->dkim_header_canon, &a->dkim_body_canon)) {
            argp_error(state, "--dkim-canon: '%.40s' is not like relaxed/simple", arg);
        }
        return true;
    default: return false;
    }
}

static bool parse_said(struct argp_state *state, struct probe_arguments *a, int key, char *arg)
{
    switch (key) {
    case KEY_TO: add_text(state, "to", arg, a->rcpts, &a->rcpt_count, PROBE_RCPTS_MAX); return true;
    case KEY_MAIL_PARAMETERS: a->mail_parameters = arg; return true;
    case KEY_RCPT_PARAMETERS: a->rcpt_parameters = arg; return true;
    case KEY_PIPELINE: a->pipelines = true; return true;
    case KEY_XCLIENT:
        add_attribute(state, "xclient", arg, a->xclient, &a->xclient_count);
        return true;
    case KEY_XFORWARD:
        add_attribute(state, "xforward", arg, a->xforward, &a->xforward_count);
        return true;
    case KEY_QUIT_AFTER: parse_stop(state, a, arg, false); return true;
    case KEY_DROP_AFTER: parse_stop(state, a, arg, true); return true;
    case KEY_SEND:
        a->sends = true;
        a->message_file = arg;
        return true;
    case KEY_KEEP_DATA: a->adds_nothing = true; return true;
    case KEY_HEADER:
        add_text(state, "header", arg, a->headers, &a->header_count, PROBE_HEADERS_MAX);
        return true;
    case KEY_BODY: a->text = arg; return true;
    case KEY_ATTACH: add_attachment(state, a, arg); return true;
    case KEY_ATTACH_TYPE: a->next_type = arg; return true;
    case KEY_BDAT: a->uses_bdat = true; return true;
    default: return false;
    }
}

static void check_dkim(struct argp_state *state, const struct probe_arguments *a)
{
    bool has_all = a->dkim_key_file != NULL && a->dkim_domain != NULL && a->dkim_selector != NULL;
    bool has_none = a->dkim_key_file == NULL && a->dkim_domain == NULL && a->dkim_selector == NULL;
    if (!has_all && !has_none) {
        argp_error(state, "--dkim-key, --dkim-domain and --dkim-selector belong together");
    } else if (has_all && !a->sends) {
        argp_error(state, "--dkim-key signs a message: add --send");
    }
}

/* What cannot be meant. */
static void check(struct argp_state *state, const struct probe_arguments *a)
{
    bool makes_text = a->text != NULL || a->attachment_count > 0;
    if (a->target == NULL) {
        argp_error(state, "whom to probe: a domain, HOST:PORT, an IP address, or smtp://, "
                          "smtps://, lmtp://HOST[:PORT]");
    } else if (a->message_file != NULL && makes_text) {
        argp_error(state, "--body and --attach make a message; --send %.60s has one",
                   a->message_file);
    } else if (!a->sends &&
               (makes_text || a->header_count > 0 || a->uses_bdat || a->adds_nothing)) {
        argp_error(
            state,
            "--body, --header, --attach, --keep-data and --bdat belong to a message: add --send");
    } else if ((a->tests_logins || a->wants_login) && a->user == NULL) {
        argp_error(state, "who logs in: --auth-user NAME");
    } else if ((a->certificate_file == NULL) != (a->key_file == NULL)) {
        argp_error(state, "--tls-cert and --tls-key belong together");
    } else if (a->only_v4 && a->only_v6) {
        argp_error(state, "-4 and -6: one of them");
    } else if (a->runs_max > 0 && a->watch_ms == 0) {
        argp_error(state, "--count belongs to --watch");
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct probe_arguments *a = state->input;
    if (parse_server(state, a, key, arg) || parse_tls(state, a, key, arg) ||
        parse_login(state, a, key, arg) || parse_said(state, a, key, arg) ||
        parse_dkim(state, a, key, arg)) {
        return 0;
    }
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->common; return 0;
    case ARGP_KEY_ARG:
        if (a->target != NULL) {
            argp_error(state, "one target at a time; '%.60s' is a second one", arg);
        }
        a->target = arg;
        return 0;
    case ARGP_KEY_END:
        check(state, a);
        check_dkim(state, a);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&probe_talk_argp, 0, NULL, 0}, {0}};

const struct argp probe_arguments_argp = {
    option_table,
    parse_option,
    "TARGET",
    "Tests a mail server: shows the conversation line by line, and says what codes and extensions "
    "mean and what is "
    "wrong with TLS, certificates and logins. TARGET is a domain (its mail servers), an address, "
    "HOST:PORT, an IP "
    "address, or smtp://, smtps:// or lmtp://HOST[:PORT]. Nothing is sent unless --send says so.\v"
    "Exit status: 0 all is well, 1 something is refused or to be mended, 3 something could not be "
    "found out; 64 usage, "
    "65 data, 66 no input, 69 no network, 70 internal, 73 cannot write, 78 configuration, 130 "
    "stopped.",
    children,
    NULL,
    NULL};

void probe_arguments_init(struct probe_arguments *out)
{
    memset(out, 0, sizeof *out);
    out->only_host = SLICE_NONE;
    out->dkim_header_canon = out->dkim_body_canon = DKIM_RELAXED;
    probe_options_init(&out->common);
    out->common.wants_authentic = true; /* of TLSA records */
}

void probe_arguments_done(struct probe_arguments *arguments)
{
    probe_options_done(&arguments->common);
}
