/* engine/conversation: one connection from us to a host, joined with the SMTP client core: connects to
 * one address after the other, secures the line where STARTTLS is offered (a broken handshake is
 * retried in plain on a fresh connection), asks probes and hands back their evidence, and
 * leaves with QUIT whenever the line is up. It decides nothing about limits: its owner (engine/session)
 * feeds it, probe by probe, through the callbacks below. No DATA ever.
 *
 * Probes are asked one by one, or in groups where the owner and the server's PIPELINING allow it (RFC 2920 3.1):
 * once MAIL was accepted, RCPTs of one transaction go out together, and the next group follows when all of this
 * one are answered. Answers come in the order of the questions, and are told when the last of the group is there: a
 * server that loses its step in a group is asked for none of what it said in it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONVERSATION_H
#define ENGINE_CONVERSATION_H

#include "base/pool.h"
#include "engine/transcript.h"
#include "net/door.h"
#include "verify/case.h"

struct conversation;

/* What a probe is asked with; borrowed while it is asked. */
struct conversation_probe {
    enum probe_role role;
    uint8_t exchanger;
    bool is_null_sender;
    bool needs_smtputf8;
    struct slice rcpt;
    struct slice provider;         /* name, for the reply rules */
    struct transcript *transcript; /* NULL: none is kept */
    bool was_prelude_told;         /* its observer was told what was said before the first probe */
};

/* The line as it was when a probe was answered, for records. */
struct conversation_line {
    const char *host;
    struct ip ip;
    bool tls_used;
    const struct tls_info *tls; /* NULL without TLS */
    unsigned extensions;
    const uint32_t *latency_ms; /* [HEL_SMTP_STAGE_COUNT] */
};

/* How a probe ended for the session: who decides what to do with the probe next. */
enum probe_end {
    PROBE_END_ANSWERED,    /* evidence says what was answered */
    PROBE_END_SESSION_CUT, /* 421 or a closed line after earlier answers: ask again on a new line */
    PROBE_END_TRANSACTION_CUT, /* "too many recipients" after earlier ones in the same transaction */
    PROBE_END_GROUP_BROKEN, /* the server does not bear a group: ask again, and one by one from now on */
};

struct conversation_handler {
    /* The peer is being called: here is time to spend. config->rules are needed from now on. NULL: nobody has use
     * for it. */
    void (*connecting)(void *context);
    /* Ready for a probe: return it, or NULL to leave, or to wait after conversation_ask_again_at. The session's
     * counts are arguments. */
    const struct conversation_probe *(*wants_probe)(void *context, struct conversation *c,
                                                    unsigned rcpts, unsigned refusals);
    /* Others are under way, counted by rcpts and, since they may be refused, by refusals: one more that goes out
     * with them and fits their transaction (conversation_fits), or NULL. Never called, and may be NULL, where
     * pipelined_rcpts is 1. */
    const struct conversation_probe *(*wants_another)(void *context, struct conversation *c,
                                                      unsigned rcpts, unsigned refusals);
    /* The oldest of those under way has ended. transaction_rcpts: recipients answered before in the same
     * transaction. When the line is lost, or the group is broken, only that one is told of it: those behind it stay
     * with the owner. */
    void (*probed)(void *context, struct conversation *c, const struct conversation_probe *probe,
                   enum probe_end end, const struct evidence *evidence, unsigned transaction_rcpts);
    /* It could not get as far as asking: evidence of connect, banner, EHLO or TLS. */
    void (*failed)(void *context, struct conversation *c, const struct evidence *evidence);
    /* EHLO was accepted; banner is its first line. */
    void (*ready)(void *context, struct conversation *c, struct slice banner);
    /* The last call; the conversation frees itself after it. */
    void (*closed)(void *context, struct conversation *c);
};

struct conversation_config {
    struct slice helo_name, mail_from;
    uint16_t port;
    uint8_t egress;                 /* its number, for evidence */
    struct ip source_v4, source_v6; /* family IP_NONE: the kernel chooses */
    bool no_ipv4, no_ipv6;          /* not reached from there */
    const struct proxy *proxy;      /* NULL: none; borrowed */
    uint32_t timeout_ms[HEL_SMTP_STAGE_COUNT];
    bool no_tls;
    bool needs_tls;        /* where TLS breaks or is refused, plain text is no way out */
    bool keeps_transcript; /* of all that is said; else of what a probe wants, and with: */
    bool keeps_prelude;    /* of what is said before the first probe, for those that want it */
    transcript_fn observe; /* told every line as it happens; NULL: nobody */
    void *observe_context;
    transcript_fn observe_prelude; /* where there is no observe; with the conversation's context */
    const struct rules *rules;
    struct rules_memo *memo; /* shared by the conversations of a thread */
    struct pool
        *spare; /* of conversation_bytes() each: where their memory is from; NULL: the heap */
    const struct conversation_handler *handler;
    unsigned rcpts_per_transaction; /* changed by the owner as it learns; so is this: */
    unsigned pipelined_rcpts;       /* unanswered at once, at least 1; it may fall, but not grow */
};

size_t conversation_bytes(void);

/* exchanger is borrowed until closed(); so is config with its handler. ERR_NOMEM; otherwise callbacks
 * follow, from the loop only. number: unique in a run, becomes evidence.session. */
enum err conversation_new(struct door *door, const struct conversation_config *config,
                          const struct exchanger *exchanger, uint32_t number, void *context,
                          struct conversation **out) MUST_USE;

/* Plain from the start (a handshake with this host broke before). Before the first loop turn. */
void conversation_avoid_tls(struct conversation *c);
bool conversation_broke_tls(const struct conversation *c);

/* From inside wants_probe: stay on the line, and want a probe again at that time. */
void conversation_ask_again_at(struct conversation *c, uint64_t at_ms);

/* Whether the session will have seen at most so many transactions once this probe was asked. */
bool conversation_has_transaction(const struct conversation *c,
                                  const struct conversation_probe *probe, unsigned max);

/* Whether this probe may be asked in the open transaction, after those under way. */
bool conversation_fits(const struct conversation *c, const struct conversation_probe *probe);

/* Leave as soon as may be: probes under way are given up without evidence; QUIT where the line is up. */
void conversation_leave(struct conversation *c);

/* Ends it at once, without a word; closed() is called. Not from inside its callbacks. */
void conversation_drop(struct conversation *c);

void conversation_line(const struct conversation *c, struct conversation_line *out);
void *conversation_context(const struct conversation *c);
uint32_t conversation_number(const struct conversation *c);

#endif
