/* engine/conversation_private: the fields of a conversation, for its own files only: conversation.c (the
 * line: connecting, TLS, leaving) and conversation_ask.c (the dialogue: MAIL, RCPT, evidence).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONVERSATION_PRIVATE_H
#define ENGINE_CONVERSATION_PRIVATE_H

#include "engine/conversation.h"

enum conversation_state {
    CONVERSATION_CONNECTING,
    CONVERSATION_TALKING,
    CONVERSATION_HANDSHAKING, /* TLS */
    CONVERSATION_LEAVING,     /* QUIT is on its way, or there is nobody to say it to */
    CONVERSATION_OVER,        /* freed when the present callback ends */
};

enum {
    CONVERSATION_BANNER_BYTES = 200,
    CONVERSATION_TROUBLE_BYTES = 160,
    CONVERSATION_SPARE_QUESTIONS = 8, /* there is room for so many in one of a pool */
};

enum conversation_tag { TAG_STARTTLS = 1, TAG_RSET, TAG_MAIL, TAG_RCPT, TAG_QUIT };

/* A probe that is under way. */
struct conversation_question {
    const struct conversation_probe *probe;
    uint64_t asked_ms;
    struct evidence
        *answer;        /* of one of a group, until all of the group are answered; NULL: none yet */
    enum probe_end end; /* with answer; so is this: */
    unsigned transaction_rcpts;
    bool is_sent; /* its RCPT: the reply is owed, also after MAIL was refused */
};

struct conversation {
    struct door *door;
    const struct conversation_config *config;
    const struct exchanger *exchanger;
    const struct conversation_handler *handler;
    void *context;
    struct pool *spare; /* where its memory goes; NULL: the heap */
    uint32_t number;
    enum conversation_state state;
    struct link *link;
    struct hel_smtp_client *client;
    struct timer alarm;
    uint8_t next_address;
    bool avoids_tls, broke_tls, tls_was_refused, tls_used;
    bool had_timeout; /* of a connect */
    bool had_local_trouble;
    uint64_t stage_began_ms;
    uint32_t latency_ms[HEL_SMTP_STAGE_COUNT];
    struct ip ip;     /* of the line */
    bool is_recorded; /* as a whole, or its prelude, or a probe that was asked wants to be */
    struct transcript prelude;
    bool has_banner; /* whole, or as much of it as there is room for */
    size_t banner_len;

    /* The dialogue. */
    unsigned rcpts, refusals;   /* answered in this session, also where MAIL was refused; refused */
    unsigned transaction_rcpts; /* answered in this transaction */
    unsigned transactions;      /* begun in this session */
    uint64_t ask_again_ms;      /* 0: it does not wait for a time to ask */
    bool in_transaction;        /* MAIL was accepted or is under way; ... */
    bool is_mail_accepted;      /* ... the former */
    bool transaction_null_sender, transaction_smtputf8;
    size_t transaction_domain_len;
    struct evidence *early; /* MAIL was refused; told when RCPT's reply is in; NULL: it was not */
    unsigned under_way, under_way_max;
    unsigned answered; /* of those under way, and not told yet */

    /* Last, and not cleared: most conversations never touch most of it. */
    char transaction_domain[1 + DNS_NAME_BYTES]; /* recipients of one domain share a transaction */
    char trouble[CONVERSATION_TROUBLE_BYTES];    /* of ours, the last one, in words */
    char banner[CONVERSATION_BANNER_BYTES];
    struct tls_info tls;                      /* with tls_used */
    struct conversation_question questions[]; /* those under way, as they were asked */
};

/* Whose answer comes next; NULL: nobody's. */
static inline const struct conversation_probe *conversation_asked(const struct conversation *c)
{
    return c->under_way == c->answered ? NULL : c->questions[c->answered].probe;
}

/* conversation_ask.c */
void conversation_ask_next(struct conversation *c);
void conversation_on_reply(struct conversation *c, const struct hel_smtp_event *event);
void conversation_on_failed(struct conversation *c, const struct hel_smtp_event *event);
void conversation_forget(struct conversation *c); /* those under way stay with the owner */

/* conversation.c */
void conversation_evidence_init(const struct conversation *c, enum evidence_kind kind,
                                enum hel_smtp_stage stage, struct evidence *out);
void conversation_evidence_reply(const struct conversation *c, enum hel_smtp_stage stage,
                                 const struct hel_reply *reply, struct evidence *out);
void conversation_go(struct conversation *c); /* leave politely */

#endif
