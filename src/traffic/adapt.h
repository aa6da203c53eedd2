/* traffic/adapt: how many connections at once, how fast one after the other, and how patiently a far end is asked,
 * as its answers teach. Everything rises slowly with good answers and falls at once: with words about rate, with
 * answers that come much later than they used to, with connections turned away.
 *
 * The measure of "late" is a baseline: the quickest answers seen, drifting up slowly. A far end that takes seconds
 * for every answer on purpose (a tarpit) is not overloaded: it is waited out, through two connections.
 *
 * The limit is the caller's and is never exceeded. It opens nothing: it answers "when", and is told.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_ADAPT_H
#define TRAFFIC_ADAPT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TRAFFIC_PAUSE_MS_MIN = 1000, /* after a first word about rate; doubled each time */
    TRAFFIC_PAUSE_MS_MAX = 60000,
    TRAFFIC_TARPIT_MS = 4000, /* an answer that takes longer is held back on purpose */
    TRAFFIC_TARPIT_CONNECTIONS = 2,
    TRAFFIC_RISE_ANSWERS = 8, /* good answers for one more connection, for each that there is */
    TRAFFIC_PATIENCE_MAX = 6, /* halves added to a usual timeout: four times it at most */
};

struct traffic_pace {
    unsigned connections, connections_first; /* at most; to begin with, 0: all of them */
    unsigned connection_gap_ms;              /* least time between two new connections */
    unsigned rcpt_gap_ms; /* least time between two RCPTs, on whatever connection */
    unsigned cooldown_ms; /* no new connection for so long after a word about rate or reputation */
};

struct traffic_adapt {
    struct traffic_pace pace; /* as configured; connections is at least 1 */
    unsigned ceiling;         /* the limit, lowered where one too many was turned away */
    unsigned connections;     /* allowed now, 1 to ceiling */
    unsigned open;
    unsigned credit; /* good answers since the last change of connections */
    uint64_t not_before_ms, ask_not_before_ms;
    uint32_t pause_ms; /* the last pause; grows while the far end complains */

    uint32_t baseline_us, recent_us; /* of answers; 0: none yet */
    uint8_t samples;                 /* since the last judgement, as far as they matter */
    uint8_t held_back, prompt;       /* answers in a row that took long, or not */
    bool is_tarpit;
    uint8_t patience; /* halves added to timeouts */
};

void traffic_adapt_init(struct traffic_adapt *adapt, const struct traffic_pace *pace);
/* From now on no faster than this either. */
void traffic_adapt_tighten(struct traffic_adapt *adapt, const struct traffic_pace *pace);

/* When one more connection may be opened: now_ms for at once, TRAFFIC_NEVER before one closes. */
uint64_t traffic_adapt_connect_at(const struct traffic_adapt *adapt, uint64_t now_ms);
void traffic_adapt_opened(struct traffic_adapt *adapt, uint64_t now_ms);
void traffic_adapt_closed(struct traffic_adapt *adapt);

/* When one more RCPT may be asked, as far as its pace goes. */
uint64_t traffic_adapt_ask_at(const struct traffic_adapt *adapt, uint64_t now_ms);
void traffic_adapt_asked(struct traffic_adapt *adapt, uint64_t now_ms);

/* An answer that was no complaint, and how long it took. usual_ms: the timeout it had without our patience. */
void traffic_adapt_answered(struct traffic_adapt *adapt, uint32_t latency_ms, uint32_t usual_ms);
/* The same of one that was asked before the answer before it came: it took so long after that one, without a round
 * trip, and does not tell whether answers come late. */
void traffic_adapt_followed(struct traffic_adapt *adapt, uint32_t latency_ms, uint32_t usual_ms);
/* A complaint about rate or volume, or about us where that passes with rest. hint_s: the delay it named, or 0. */
void traffic_adapt_slowed(struct traffic_adapt *adapt, uint32_t hint_s, uint64_t now_ms);
/* A connection, still counted as open, was turned away while others were served. */
void traffic_adapt_crowded(struct traffic_adapt *adapt);
/* An answer was waited for until its timeout. */
void traffic_adapt_timed_out(struct traffic_adapt *adapt);

/* How long to wait where usual_ms is usual; never longer than max_ms, but for a usual_ms above it. */
uint32_t traffic_adapt_timeout_ms(const struct traffic_adapt *adapt, uint32_t usual_ms,
                                  uint32_t max_ms);

/* Worth remembering: it differs from what a new far end gets. */
bool traffic_adapt_has_learned(const struct traffic_adapt *adapt);

#endif
