/* tools/probe_talk: one whole conversation with a mail server, as a script says: connect, TLS, EHLO, XCLIENT, login,
 * MAIL, RCPT, the message, QUIT; every line and every answer is kept with its time. It joins the protocol core
 * (heloise/smtp_client) with a link of the door and, unlike engine/conversation, with a TLS of its own (net/tls), whose
 * settings are those of the examination.
 *
 * The caller waits: probe_talk_run runs the door's loop until the conversation is over.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_TALK_H
#define TOOLS_PROBE_TALK_H

#include "engine/transcript.h"
#include "heloise/smtp_client.h"
#include "net/digest.h"
#include "net/door.h"
#include "net/tls_view.h"
#include "smtp/sasl.h"

enum {
    PROBE_STEPS_MAX = 512,
    PROBE_STEP_TEXT_BYTES = 480,
    PROBE_DETAIL_BYTES = 240,
    PROBE_BANNER_BYTES = 240,
    PROBE_EXTENSION_BYTES = 4096,
    PROBE_DANE_MAX = 16,
    PROBE_ABOUT_BYTES = 320,
};

enum probe_tls_mode {
    PROBE_TLS_MAY, /* STARTTLS where it is offered */
    PROBE_TLS_NEVER,
    PROBE_TLS_MUST,    /* STARTTLS, or the conversation ends */
    PROBE_TLS_AT_ONCE, /* from the first byte (RFC 8314 3.3) */
};

/* After which answer the script ends. */
enum probe_stop {
    PROBE_STOP_NEVER,
    PROBE_STOP_CONNECT,
    PROBE_STOP_BANNER,
    PROBE_STOP_FIRST_EHLO,
    PROBE_STOP_TLS,
    PROBE_STOP_EHLO,
    PROBE_STOP_XCLIENT,
    PROBE_STOP_AUTH,
    PROBE_STOP_MAIL,
    PROBE_STOP_RCPT,
    PROBE_STOP_DATA,
    PROBE_STOP_BODY,
};
const char *probe_stop_name(enum probe_stop stop);
bool probe_stop_parse(struct slice name, enum probe_stop *out);

struct probe_dane {
    uint8_t usage, selector, matching;
    struct slice data;
};

struct probe_login {
    const enum sasl_mechanism
        *mechanisms;        /* in the order of preference; the first that is offered is taken */
    size_t mechanism_count; /* 0: no login */
    struct slice user, password, authorization;
    bool is_clear_fine; /* passwords may cross a line without TLS */
    bool is_optional;   /* where none is offered the script goes on */
    bool shows_secrets; /* in the transcript */
};

/* An envelope of the relay test: asked with MAIL and RCPT, then taken back with RSET; never DATA. */
struct probe_trial {
    struct slice mail_from, rcpt;
};

struct probe_talk_config {
    struct ip ip;
    uint16_t port;
    struct ip source;
    const struct proxy *proxy; /* NULL: none */
    struct slice hello_bytes;  /* sent first of all (the PROXY protocol's header); empty: nothing */
    struct slice helo;
    struct slice server_name; /* for SNI and the name check; empty: none */
    enum probe_tls_mode tls_mode;
    struct tls_client *tls;   /* settings of TLS */
    bool demands_certificate; /* one that is not trusted or for another name ends it */
    bool injects;             /* a command behind STARTTLS in the same packet (RFC 3207 4.2) */
    const struct probe_dane *dane;
    size_t dane_count;
    bool is_lmtp, prefers_helo, pipelines;
    uint32_t timeout_ms[HEL_SMTP_STAGE_COUNT]; /* 0: the client's own */
    uint32_t limit_ms;                         /* of all of it; 0: none */
    enum probe_stop stop;
    bool drops; /* leaves without QUIT */
    const struct hel_smtp_attribute *xclient, *xforward;
    size_t xclient_count, xforward_count;
    struct probe_login login;
    struct digester *digester; /* for the login */
    const struct probe_trial *trials;
    size_t trial_count;
    bool has_envelope; /* MAIL and RCPT are asked */
    struct slice mail_from, mail_parameters, rcpt_parameters;
    const struct slice *rcpts;
    size_t rcpt_count;
    bool has_message;     /* DATA too */
    struct slice message; /* as it travels, without dot-stuffing */
    bool uses_bdat, shows_data, needs_8bit, needs_smtputf8;
    const bool
        *is_called_off; /* set by who stops the loop, wherever it is just then; NULL: nobody does */
    transcript_fn
        observe; /* told each line as it happens: 'C', 'S' in clear, 'c', 's' inside TLS, 'T' ours */
    void *context;
};

enum probe_end {
    PROBE_END_DONE,        /* the script came to its end */
    PROBE_END_REFUSED,     /* the server said no: stage and the last step tell */
    PROBE_END_NOT_OFFERED, /* what the script wants is not there */
    PROBE_END_WITHHELD,    /* we would have had to show a password, or trust a wrong certificate */
    PROBE_END_UNREACHED,   /* no connection */
    PROBE_END_TLS,         /* the handshake failed */
    PROBE_END_TIMEOUT,
    PROBE_END_CLOSED,  /* the server closed, or said 421, where it should not */
    PROBE_END_GARBAGE, /* what came is not SMTP */
    PROBE_END_LOCAL,   /* our own trouble */
    PROBE_END_STOPPED, /* somebody stopped the loop */
};
const char *probe_end_name(enum probe_end end);

/* One command and its answer. */
struct probe_step {
    enum hel_smtp_stage stage;
    uint32_t began_ms, took_ms; /* since the conversation began; until the whole answer was there */
    uint16_t code;
    struct hel_enhanced enhanced;
    bool in_tls;
    char about[PROBE_ABOUT_BYTES];    /* of RCPT and trials: the address; of AUTH: the mechanism */
    char text[PROBE_STEP_TEXT_BYTES]; /* the answer; lines joined by LF; raw, NUL-terminated */
};

struct probe_talk {
    enum probe_end end;
    enum hel_smtp_stage stage; /* where it ended */
    char detail[PROBE_DETAIL_BYTES];
    struct ip ip;
    uint16_t port;
    uint32_t connect_ms, total_ms;
    char banner[PROBE_BANNER_BYTES];
    unsigned extensions; /* of the last EHLO */
    char extension_lines[PROBE_EXTENSION_BYTES], plain_extension_lines[PROBE_EXTENSION_BYTES];
    bool has_plain_hello, has_hello, used_helo;
    uint64_t size_limit;
    bool has_tls;
    struct tls_view tls;
    uint32_t handshake_ms;
    bool had_plaintext_behind_starttls;
    bool has_login, is_logged_in, is_server_proven;
    enum sasl_mechanism mechanism;
    unsigned accepted_rcpts;
    struct probe_step *steps; /* owned */
    size_t step_count;
    struct transcript lines; /* owned */
};

/* Sets all of *out, which probe_talk_done frees. ERR_NOMEM; whatever else goes wrong is the end that *out names. */
enum err probe_talk_run(struct door *door, const struct probe_talk_config *config,
                        struct probe_talk *out) MUST_USE;
void probe_talk_done(struct probe_talk *talk);

/* Whether one of the lines of EHLO's answer (joined by LF) offers this mechanism of AUTH. */
bool probe_offers_mechanism(struct slice extension_lines, struct slice mechanism);

/* The last answer of a stage; NULL: there was none. */
const struct probe_step *probe_talk_step(const struct probe_talk *talk, enum hel_smtp_stage stage);

#endif
