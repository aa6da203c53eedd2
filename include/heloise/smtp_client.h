/* heloise/smtp_client: one outgoing SMTP or LMTP conversation (RFC 5321, 2033, 2920, 3207, 4954, 6531, 3030) without
 * I/O.
 * Give it bytes and the time; take from it bytes, events and the next deadline. The caller moves the
 * bytes and does the TLS handshake. Commands are queued; they go out one at a time, or together where
 * EHLO's answer offered PIPELINING. Each carries a tag of the caller's, and its reply comes back with
 * that tag: an answer is never assigned to another command (a reply nobody asked for ends the
 * conversation). EHLO, its HELO fallback and the EHLO after TLS are sent by the client itself.
 *
 * Order of things: new -> EVENT_HELLO (or EVENT_REPLY of stage BANNER or EHLO: refused) -> commands.
 * starttls -> EVENT_START_TLS -> handshake -> tls_ready -> EVENT_HELLO again, knowing only what was
 * said inside TLS. EVENT_FAILED is the last event. A 421 to any command is delivered as that command's
 * EVENT_REPLY, then EVENT_FAILED with HEL_SMTP_FAILURE_CLOSING; so is one that comes unasked
 * (HEL_SMTP_FAILURE_CLOSING with the reply in the event).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HELOISE_SMTP_CLIENT_H
#define HELOISE_SMTP_CLIENT_H

#include "heloise/reply.h"

enum hel_smtp_stage {
    HEL_SMTP_CONNECT, /* used by callers; the client starts with a connected line */
    HEL_SMTP_BANNER,
    HEL_SMTP_EHLO, /* EHLO or HELO */
    HEL_SMTP_STARTTLS,
    HEL_SMTP_MAIL,
    HEL_SMTP_RCPT,
    HEL_SMTP_DATA, /* DATA itself, or a BDAT chunk that is not the last */
    HEL_SMTP_BODY, /* the final dot, or BDAT LAST */
    HEL_SMTP_RSET,
    HEL_SMTP_QUIT,
    HEL_SMTP_AUTH,    /* AUTH and each answer to a challenge */
    HEL_SMTP_XCLIENT, /* Postfix's XCLIENT and XFORWARD */
    HEL_SMTP_STAGE_COUNT,
};

/* "connect", "banner", "ehlo", ... as in records and rule files. */
HEL_PUBLIC const char *hel_smtp_stage_name(enum hel_smtp_stage stage);
HEL_PUBLIC bool hel_smtp_stage_parse(struct slice name, enum hel_smtp_stage *out);

struct hel_smtp_client;

struct hel_smtp_client_config {
    struct slice helo_name;                    /* FQDN or address literal; copied */
    size_t reply_bytes_max;                    /* text kept of one reply; 0: 4096 */
    size_t unsent_bytes_max;                   /* commands waiting to be sent; 0: 65536 */
    unsigned commands_max;                     /* commands queued and unanswered; 0: 256 */
    uint32_t timeout_ms[HEL_SMTP_STAGE_COUNT]; /* 0: RFC 5321 4.5.3.2 */
    bool is_lmtp;      /* LHLO; the message is answered once for each recipient (RFC 2033) */
    bool prefers_helo; /* HELO at once: for servers that are to be asked the old way */
    bool holds_hello; /* a good greeting is an EVENT_REPLY of stage BANNER, and the client waits for
                         hel_smtp_client_hello */
};

enum hel_smtp_extension {
    HEL_SMTP_EXT_PIPELINING = 1 << 0,
    HEL_SMTP_EXT_STARTTLS = 1 << 1,
    HEL_SMTP_EXT_SIZE = 1 << 2,
    HEL_SMTP_EXT_8BITMIME = 1 << 3,
    HEL_SMTP_EXT_SMTPUTF8 = 1 << 4,
    HEL_SMTP_EXT_CHUNKING = 1 << 5,
    HEL_SMTP_EXT_ENHANCEDSTATUSCODES = 1 << 6,
    HEL_SMTP_EXT_DSN = 1 << 7,
    HEL_SMTP_EXT_AUTH = 1 << 8,
    HEL_SMTP_EXT_BINARYMIME = 1 << 9,
    HEL_SMTP_EXT_REQUIRETLS = 1 << 10,
    HEL_SMTP_EXT_LIMITS = 1 << 11,
    HEL_SMTP_EXT_XCLIENT = 1 << 12,
    HEL_SMTP_EXT_XFORWARD = 1 << 13,
};

enum hel_smtp_failure {
    HEL_SMTP_FAILURE_PROTOCOL, /* not SMTP, over-long, echoed, or a reply nobody asked for */
    HEL_SMTP_FAILURE_TIMEOUT,  /* the deadline of the stage passed */
    HEL_SMTP_FAILURE_CLOSED,   /* the peer closed or the line broke */
    HEL_SMTP_FAILURE_CLOSING,  /* the peer said 421 */
    HEL_SMTP_FAILURE_NOMEM,
};

enum hel_smtp_event_kind {
    HEL_SMTP_EVENT_HELLO,     /* EHLO or HELO accepted; extensions() now answers */
    HEL_SMTP_EVENT_START_TLS, /* 220 to STARTTLS: shake hands now, then call tls_ready */
    HEL_SMTP_EVENT_REPLY,     /* the reply to a command; or a refusal at BANNER or EHLO */
    HEL_SMTP_EVENT_FAILED,    /* the conversation is over */
};

struct hel_smtp_event {
    enum hel_smtp_event_kind kind;
    enum hel_smtp_stage stage;
    uint64_t tag;           /* of the command, for REPLY to one of the caller's commands */
    struct hel_reply reply; /* HELLO, START_TLS, REPLY; FAILED/CLOSING. Valid until the next call */
    enum hel_smtp_failure failure; /* FAILED only; stage then says what was waited for
                                      (RSET: nothing was) */
    bool is_plaintext_dropped; /* START_TLS: bytes came after the 220 and were dropped (RFC 3207) */
};

/* Starts waiting for the greeting. ERR_NOMEM; ERR_SYNTAX for a helo_name that holds space or controls. */
HEL_PUBLIC enum err hel_smtp_client_new(const struct hel_smtp_client_config *config,
                                        uint64_t now_ms, struct hel_smtp_client **out) MUST_USE;
HEL_PUBLIC void hel_smtp_client_free(struct hel_smtp_client *client);

/* Network to client. Never fails: trouble becomes an event. */
HEL_PUBLIC void hel_smtp_client_received(struct hel_smtp_client *client, struct slice bytes,
                                         uint64_t now_ms);
HEL_PUBLIC void hel_smtp_client_peer_closed(struct hel_smtp_client *client);

/* Client to network: what to write now (empty: nothing), and that n bytes of it were taken. */
HEL_PUBLIC struct slice hel_smtp_client_unsent(const struct hel_smtp_client *client);
HEL_PUBLIC void hel_smtp_client_sent(struct hel_smtp_client *client, size_t n, uint64_t now_ms);

/* The next event, oldest first; false when there is none. Call until it says false. */
HEL_PUBLIC bool hel_smtp_client_next(struct hel_smtp_client *client, struct hel_smtp_event *out);

/* When tick() must be called at the latest; UINT64_MAX: no deadline (nothing is awaited). */
HEL_PUBLIC uint64_t hel_smtp_client_deadline(const struct hel_smtp_client *client);
HEL_PUBLIC void hel_smtp_client_tick(struct hel_smtp_client *client, uint64_t now_ms);

/* What the last HELLO offered: a set of enum hel_smtp_extension; 0 before it and after HELO. */
HEL_PUBLIC unsigned hel_smtp_client_extensions(const struct hel_smtp_client *client);
HEL_PUBLIC uint64_t hel_smtp_client_size_limit(const struct hel_smtp_client *client); /* 0: none */
/* The EHLO lines after the first, joined by LF; valid until the next HELLO. */
HEL_PUBLIC struct slice hel_smtp_client_extension_lines(const struct hel_smtp_client *client);

/* Commands. Each: ERR_STATE (before HELLO, after quit or FAILED, out of order), ERR_LIMIT (queue
 * full), ERR_SYNTAX (a path with CR, LF, NUL, control, or '<' '>' outside quotes), ERR_NOMEM.
 * Paths are given without brackets. */
struct hel_smtp_mail {
    struct slice reverse_path; /* empty: the null sender */
    bool smtputf8;             /* only if offered, else ERR_STATE */
    bool body_8bitmime;
    uint64_t size; /* 0: not sent; sent only where SIZE is offered */
    struct slice
        parameters; /* further ones (RET=HDRS ENVID=1); parted by single spaces, as they are */
};
HEL_PUBLIC enum err hel_smtp_client_mail(struct hel_smtp_client *client, uint64_t tag,
                                         const struct hel_smtp_mail *mail) MUST_USE;
HEL_PUBLIC enum err hel_smtp_client_rcpt(struct hel_smtp_client *client, uint64_t tag,
                                         struct slice forward_path) MUST_USE;
/* With ESMTP parameters (NOTIFY=NEVER) as in struct hel_smtp_mail. */
HEL_PUBLIC enum err hel_smtp_client_rcpt_with(struct hel_smtp_client *client, uint64_t tag,
                                              struct slice forward_path, struct slice parameters)
    MUST_USE;
HEL_PUBLIC enum err hel_smtp_client_rset(struct hel_smtp_client *client, uint64_t tag) MUST_USE;
HEL_PUBLIC enum err hel_smtp_client_starttls(struct hel_smtp_client *client, uint64_t tag) MUST_USE;
HEL_PUBLIC enum err hel_smtp_client_quit(struct hel_smtp_client *client, uint64_t tag) MUST_USE;

/* With holds_hello: EHLO (LHLO, HELO) now. */
HEL_PUBLIC enum err hel_smtp_client_hello(struct hel_smtp_client *client) MUST_USE;

/* AUTH (RFC 4954), only where it is offered, nothing is under way and nobody logged in yet. initial: NULL where the
 * mechanism has no first word of its own. A 334 is an EVENT_REPLY of stage AUTH whose text is the challenge in base64:
 * answer it, or cancel; any other code ends the exchange. Bytes are encoded here. ERR_LIMIT: the line would be longer
 * than HEL_SMTP_AUTH_LINE_BYTES. */
enum { HEL_SMTP_AUTH_LINE_BYTES = 12288 }; /* RFC 4954 4 */
HEL_PUBLIC enum err hel_smtp_client_auth(struct hel_smtp_client *client, uint64_t tag,
                                         struct slice mechanism, const struct slice *initial)
    MUST_USE;
HEL_PUBLIC enum err hel_smtp_client_auth_answer(struct hel_smtp_client *client, uint64_t tag,
                                                struct slice bytes) MUST_USE;
HEL_PUBLIC enum err hel_smtp_client_auth_cancel(struct hel_smtp_client *client, uint64_t tag)
    MUST_USE;

/* Postfix's XCLIENT and XFORWARD, only where they are offered. Values are encoded (xtext, RFC 3461 4). A 220 to XCLIENT
 * begins the session anew: EVENT_REPLY, then the client greets again, and EVENT_HELLO follows. */
struct hel_smtp_attribute {
    struct slice name, value;
};
HEL_PUBLIC enum err hel_smtp_client_xclient(struct hel_smtp_client *client, uint64_t tag,
                                            const struct hel_smtp_attribute *attributes,
                                            size_t count) MUST_USE;
HEL_PUBLIC enum err hel_smtp_client_xforward(struct hel_smtp_client *client, uint64_t tag,
                                             const struct hel_smtp_attribute *attributes,
                                             size_t count) MUST_USE;

/* DATA; no command may follow before its answer. After its 354 (an EVENT_REPLY of stage DATA) call
 * body any number of times, then body_end. body stuffs dots and writes line ends as CRLF (RFC 5321
 * 4.5.2, 2.3.8). LMTP: the end of the message (BDAT LAST too) is answered once for each recipient that was accepted, in
 * their order, and each answer carries the tag of its RCPT; where none was, once with the tag of the end. */
HEL_PUBLIC enum err hel_smtp_client_data(struct hel_smtp_client *client, uint64_t tag) MUST_USE;
HEL_PUBLIC enum err hel_smtp_client_body(struct hel_smtp_client *client, struct slice bytes)
    MUST_USE;
HEL_PUBLIC enum err hel_smtp_client_body_end(struct hel_smtp_client *client, uint64_t tag) MUST_USE;
/* One chunk, only if CHUNKING is offered (RFC 3030); is_last ends the message, in LMTP not before MAIL and RCPT are
 * answered. */
HEL_PUBLIC enum err hel_smtp_client_bdat(struct hel_smtp_client *client, uint64_t tag,
                                         struct slice chunk, bool is_last) MUST_USE;

/* The handshake after EVENT_START_TLS succeeded: everything known is forgotten, EHLO is sent. */
HEL_PUBLIC void hel_smtp_client_tls_ready(struct hel_smtp_client *client, uint64_t now_ms);

#endif
