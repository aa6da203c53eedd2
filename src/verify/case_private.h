/* verify/case_private: the fields of a case, for its own files only: case.c (life, actions), case_real.c
 * (what an answer about the real address leads to), case_control.c (controls, witnesses), case_wait.c
 * (how long to wait), case_pack.c (a case as a few bytes, while it waits).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_CASE_PRIVATE_H
#define VERIFY_CASE_PRIVATE_H

#include "base/pool.h"
#include "verify/control.h"
#include "verify/decide.h"

enum {
    CASE_EVIDENCE_MAX = 24,
    CASE_EVIDENCE_FIRST = 2, /* that of the address, and that of its control */
    CASE_FRESH_MAX = 2,      /* second looks through a new session, of each kind */
    CASE_CONTROL_WAITS = 3,  /* of one control */
    CASE_CONTROL_LOSSES = 2, /* lines lost under one control */
    CASE_BLOCKED_HOSTS = 2,  /* exchangers that may turn us away before we believe it */
    CASE_EGRESSES = 4,       /* other ways out that may be tried for one address */
    CASE_STALE_REFUSALS = 8, /* a vague refusal after so many is looked at again */
    CASE_MEMORY_MS = 7 * 86400 * 1000,
    CASE_UNTESTABLE_MS = 15 * 60 * 1000,
    CASE_VAGUE_MS =
        10 * 60 * 1000, /* a vague refusal of a control says little about later answers */
};

enum plan {
    PLAN_RESOLVE,
    PLAN_ASK,     /* the real address */
    PLAN_CONFIRM, /* the control's answer is needed */
    PLAN_WITNESS, /* somebody at this domain who is accepted */
    PLAN_DONE,
};

struct verify_case {
    struct pool *spare;                 /* borrowed; NULL: the heap */
    const struct verify_config *config; /* borrowed, as are domain, route and provider */
    struct verify_domain *domain;
    const struct route *route;
    const struct provider *provider;
    const struct hel_address *address; /* borrowed */
    uint64_t seed;
    struct evidence *evidence; /* grows as needed, from the first ones below */
    size_t count, cap;
    uint32_t accepted_by; /* the server that took it lately, as history_host; 0: none */
    enum plan plan;
    uint64_t not_before_ms; /* of the plan */
    uint32_t wait_s;        /* what that was as a delay, or would have been; 0: none */
    bool is_asking;
    enum probe_role asked;
    uint8_t shape;

    /* The next question about the real address. */
    uint8_t exchanger;
    bool is_null_sender, wants_fresh, keeps_egress, wants_other_egress;
    uint8_t attempts;
    uint16_t tried; /* exchangers of this round, as bits */
    uint8_t rounds;
    enum claim round_claim; /* CLAIM_COUNT: nothing that passes by itself in this round */
    uint32_t round_hint_s;
    bool has_swapped_sender;
    uint8_t blocked_hosts, distrusts, doubts, rated, losses, breaks, egresses;

    /* Controls and witnesses. */
    size_t standing;                     /* the evidence they are asked for */
    struct verify_control_memory *owned; /* the memory that this case is filling */
    uint8_t control_serial, control_waits, control_losses, control_count;
    bool control_fresh, control_elsewhere; /* the latter: through another egress */
    bool is_pending, awaits_live;

    bool is_concluded; /* what others await of it is told */
    bool is_expired;
    enum skip_reason why;
    bool greylist_seen;
    uint64_t greylist_first_ms, greylist_passed_ms;

    char rcpt
        [CONTROL_PATH_BYTES]; /* of a control or witness; from here on what is not filled is not touched */
    struct evidence first[CASE_EVIDENCE_FIRST];
};

/* case.c */
/* Without anything in it. spare: NULL: the heap. NULL: no memory. */
struct verify_case *case_alloc(struct pool *spare) MUST_USE;
/* For so much evidence. False: no memory. */
bool case_make_room(struct verify_case *c, size_t count) MUST_USE;
void case_done(struct verify_case *c);
void case_wait(struct verify_case *c, uint32_t wait_s,
               uint64_t now_ms); /* before the next question */
void case_leave_pending(struct verify_case *c);
void case_changed(struct verify_case *c);

/* case_real.c */
/* The best exchanger that is none of those tried, a set by bit. False: there is none. */
bool case_next_exchanger(const struct route *route, unsigned tried, uint8_t *out);
void case_begin_round(struct verify_case *c);
void case_real(struct verify_case *c, const struct evidence *e, uint64_t now_ms);

/* case_control.c: true while there is something to ask or await, and *out says what. */
bool case_confirm(struct verify_case *c, uint64_t now_ms, struct verify_action *out);
bool case_witness(struct verify_case *c, uint64_t now_ms, struct verify_action *out);
void case_control(struct verify_case *c, const struct evidence *e, uint64_t now_ms);
void case_postmaster(struct verify_case *c, const struct evidence *e, uint64_t now_ms);
void case_release(struct verify_case *c);  /* gives up what it was filling, so that others may */
void case_put_rcpt(struct verify_case *c); /* anew, of what it is filling */
bool case_needs_control(const struct verify_case *c, enum claim claim, const struct evidence *e);

/* case_wait.c */
/* claim is one that passes with time; times: how often it was said before in a row. */
uint32_t case_wait_s(const struct verify_case *c, enum claim claim, uint32_t hint_s,
                     unsigned times);

#endif
