/* tools/probe_talk_private: a conversation under way, for probe_talk.c (the line: connecting, TLS, bytes, time) and
 * probe_script.c (the dialogue: what is said next, and what an answer means).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_TALK_PRIVATE_H
#define TOOLS_PROBE_TALK_PRIVATE_H

#include "tools/probe_talk.h"

enum {
    TALK_LINE_BYTES = 1000,       /* of a line shown; the rest of it is not */
    TALK_WIRE_BYTES = 512 * 1024, /* made and not yet taken by the link */
    TALK_PIECE_BYTES = 16384,     /* of the message at once */
};

enum talk_state {
    TALK_CONNECTING,
    TALK_SHAKING, /* TLS */
    TALK_TALKING,
    TALK_OVER,
};

/* What the script comes to next. */
enum talk_place {
    TALK_AT_STARTTLS,
    TALK_AT_XCLIENT,
    TALK_AT_AUTH,
    TALK_AT_XFORWARD,
    TALK_AT_TRIALS,
    TALK_AT_MAIL,
    TALK_AT_RCPT,
    TALK_AT_DATA,
    TALK_AT_BODY, /* the message goes out */
    TALK_AT_END,  /* its answer is awaited */
    TALK_AT_QUIT,
    TALK_AT_GOODBYE, /* QUIT was said */
};

/* Bytes of one side until a line is whole. */
struct talk_assembler {
    char bytes[TALK_LINE_BYTES];
    size_t len;
    bool is_begun;
};

struct talk {
    struct door *door;
    const struct probe_talk_config *config;
    struct probe_talk *out;
    enum talk_state state;
    enum talk_place place;
    struct link *link;
    struct hel_smtp_client *client;
    struct tls_session *tls;
    bool is_secured;
    struct buf wire;
    struct timer alarm, limit, resume;
    uint64_t began_ms, stage_began_ms;
    struct talk_assembler heard, said;
    bool hides;         /* what goes out now is part of a login */
    bool is_in_message; /* what goes out now is the message */
    unsigned owed;      /* answers to what was said */
    size_t steps_room;
    uint64_t asked_ms[16]; /* a ring, of those owed: begins of their waits */
    size_t next_rcpt, message_at, next_trial;
    unsigned trial_part;
    struct sasl *sasl;
    struct sasl_config sasl_config;
    struct sasl_hashes hashes;
    char nonce[33];
    bool is_refusal_final; /* the script is cut: QUIT follows, and the end is known */
    bool is_out_of_memory;
};

/* probe_talk.c */
void talk_note(struct talk *talk, const char *format, ...) PRINTF_LIKE(2, 3);
/* The first end stays. */
void talk_end(struct talk *talk, enum probe_end end, enum hel_smtp_stage stage, const char *detail);
void talk_over(struct talk *talk);  /* the loop is left */
void talk_shake(struct talk *talk); /* TLS begins */

/* probe_script.c */
void talk_on_event(struct talk *talk, const struct hel_smtp_event *event);
void talk_go_on(struct talk *talk); /* says what comes next, where no answer is owed */

#endif
