/* verify/case: one address being verified: a machine that asks (resolve this, probe that, wait until)
 * and is answered, without I/O. It keeps the evidence and decides when there is enough.
 *
 *     verify_case_new -> loop { verify_case_next(...) -> action; fulfil it; answer it } -> DONE
 *
 * RESOLVE is answered by routed(), PROBE by probed(), WAIT by tick() at its time, AWAIT_DOMAIN by
 * tick() whenever the domain's memory changed. IDLE: an answer is still owed. The case never asks for
 * more than one thing at a time.
 *
 * What cases of one domain share (control answers by shape, learned greylist delay, what postmaster
 * said, that its servers block us) is in a struct verify_domain that the caller keeps, one per A-label
 * domain and egress, and lends to each case of that domain; only one thread touches it.
 *
 * Rules of the verdict are principle, not habit: undeliverable needs a statement about this mailbox
 * or domain; what is said about us is unknown. The real address is asked first, a control shaped like
 * it (length, dots, digits, charset) second. Greylisting keeps the triplet: a retry after a greylist
 * answer goes to the same exchanger with the same MAIL FROM, out of the same egress; so do controls. Only what is
 * said about us is asked again through another. Never DATA, VRFY or EXPN.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_CASE_H
#define VERIFY_CASE_H

#include "base/pool.h"
#include "heloise/address.h"
#include "providers/provider.h"
#include "verify/history.h"
#include "verify/likeness.h"

struct verify_case;

/* Memory of a domain; zeroed is a fresh one. Times are of the same clock as now_ms. */
enum control_state {
    CONTROL_UNTESTED,
    CONTROL_RUNNING,    /* some case is asking; others await it */
    CONTROL_REFUSED,    /* a control was refused as unknown: acceptance means something */
    CONTROL_ACCEPTED,   /* catch-all for this shape */
    CONTROL_UNTESTABLE, /* blocked, rated, skipped: acceptance stays unconfirmed */
};
enum { VERIFY_SHAPES_MAX = 8 }; /* classes of local parts told apart: see verify/control.h */
struct verify_domain {
    struct verify_control_memory {
        uint8_t state; /* enum control_state */
        uint8_t tries;
        uint16_t code; /* the control's answer */
        uint64_t at_ms;
        uint32_t text_hash; /* of its normalised text, to tell blanket refusals */
        uint8_t reason;     /* enum reply_reason */
    } controls[VERIFY_SHAPES_MAX];
    struct verify_control_memory postmaster;
    /* Answers of exchangers that are not of the best preference: a backup knows less. */
    struct verify_control_memory backup_controls[VERIFY_SHAPES_MAX];
    uint32_t greylist_delay_s;  /* learned: how long it really took; 0: not known */
    uint64_t greylist_until_ms; /* no use in asking before */
    uint16_t live_seen;         /* mailboxes seen accepted while a control was refused */
    uint32_t pending; /* cases whose first answer is owed; an ambiguous refusal waits for them */
    uint32_t awaiting_live; /* cases that wait so */
    uint16_t changes;       /* grows with every change */
};

/* What holds where a config says 0. */
enum {
    VERIFY_GREYLIST_WAIT_S = 300, /* the commonest delay of greylisting software */
    VERIFY_WAIT_S_MAX = 3600,
    VERIFY_ATTEMPTS_MAX = 6,
};

struct verify_config {
    bool has_sender;          /* MAIL FROM has a name, or else only the null sender is used */
    bool null_sender_first;   /* ask with <> first, and with the name where <> is refused;
                                      otherwise the other way round */
    bool no_smtp;             /* stop after DNS */
    bool no_control;          /* never send control probes (acceptance stays unconfirmed) */
    bool retry_temporary;     /* wait and retry greylisting and other 4xx; otherwise conclude */
    uint32_t greylist_wait_s; /* first delay when neither hint nor memory knows */
    uint32_t wait_s_max;      /* of one wait; longer ones conclude with retry_after */
    uint8_t attempts_max;     /* probes of the real address in all */
    unsigned risky_if;        /* set of enum verify_risky */
};
enum verify_risky {
    VERIFY_RISKY_DISPOSABLE = 1 << 0,
    VERIFY_RISKY_ROLE = 1 << 1,
    VERIFY_RISKY_FREE = 1 << 2,
};

/* What is known of the address without asking anybody; of use to the verdict only: effects on the score, but for
 * risky_if. */
struct verify_hints {
    bool is_disposable, is_role, is_free, is_gibberish;
    bool has_suggestion; /* did_you_mean is not empty */
    const struct verify_likeness
        *likeness; /* of use where the answer is ambiguous; NULL: not weighed */
};

enum verify_action_kind {
    VERIFY_RESOLVE,
    VERIFY_PROBE,
    VERIFY_WAIT,
    VERIFY_AWAIT_DOMAIN,
    VERIFY_IDLE,
    VERIFY_DONE,
};

struct verify_probe {
    enum probe_role role;
    uint8_t exchanger;           /* index into the route */
    bool is_null_sender;         /* MAIL FROM:<>, else the name of the way out */
    bool wants_fresh_connection; /* a session that asked nothing yet (poisoning, 503, ...) */
    bool keeps_egress;           /* the way out of the last answer, as long as it is not blocked */
    bool wants_other_egress;     /* none of those that this case's answers came through */
    bool needs_smtputf8;
    struct slice rcpt; /* forward-path without brackets; valid until the next call */
};

struct verify_action {
    enum verify_action_kind kind;
    struct verify_probe probe; /* PROBE */
    uint64_t until_ms;         /* WAIT */
};

/* Whether controls may be asked there, and mean anything. */
bool verify_has_control(const struct verify_config *config, const struct provider *provider);

/* Which exchanger a case asks first, known without the case. False: it asks none. */
bool verify_first_exchanger(const struct verify_config *config, const struct route *route,
                            const struct provider *provider, uint8_t *out);

/* Counts an address of the domain whose case has not begun, and no longer: an ambiguous refusal waits for its first
 * answer too. */
void verify_domain_expect(struct verify_domain *domain);
void verify_domain_unexpect(struct verify_domain *domain);

/* address, config, provider book, domain and spare are borrowed and must outlive the case.
 * seed makes the control names. spare: of verify_case_bytes() each, where its memory is from; NULL: the heap. ERR_NOMEM. */
enum err verify_case_new(const struct verify_config *config, const struct hel_address *address,
                         struct verify_domain *domain, uint64_t seed, struct pool *spare,
                         struct verify_case **out) MUST_USE;
size_t verify_case_bytes(void);
void verify_case_free(struct verify_case *c);
/* Before the first action: this server (history_accepted_by) accepted the address lately. If it refuses it now, it is
 * asked once more through a new session before that is believed. */
void verify_case_was_accepted(struct verify_case *c, uint32_t host);

void verify_case_next(struct verify_case *c, uint64_t now_ms, struct verify_action *out);

/* route is borrowed until the case is freed; provider is that of its best exchanger (never NULL), and
 * may be replaced by one recognised later (banner). */
void verify_case_routed(struct verify_case *c, const struct route *route,
                        const struct provider *provider, uint64_t now_ms);
void verify_case_probed(struct verify_case *c, const struct evidence *evidence, uint64_t now_ms);
void verify_case_tick(struct verify_case *c, uint64_t now_ms);
/* The budget is over or the run is stopped: the next action is DONE with what is known. */
void verify_case_expire(struct verify_case *c, enum skip_reason why, uint64_t now_ms);

/* After DONE, and before cases of the same domain change its memory. history: NULL where there is none. */
void verify_case_verdict(const struct verify_case *c, const struct verify_hints *hints,
                         const struct verify_history *history, struct verdict *out);

/* What the verdict would be if its time were over now. */
void verify_case_verdict_so_far(const struct verify_case *c, const struct verify_hints *hints,
                                const struct verify_history *history, uint64_t now_ms,
                                struct verdict *out);

/* All evidence in the order it came; valid until the next call that changes the case. */
const struct evidence *verify_case_evidence(const struct verify_case *c, size_t *out_count);

/* For records: control and greylist summary. */
struct verify_summary {
    unsigned attempts; /* probes of the real address */
    bool control_tested;
    enum control_state control; /* where the answer rests on one, else UNTESTED and 0 */
    uint16_t control_code;
    uint8_t control_count;
    bool greylist_seen;
    uint64_t greylist_first_ms, greylist_passed_ms; /* 0: did not happen */
};
void verify_case_summary(const struct verify_case *c, struct verify_summary *out);

#endif
