/* traffic/path: what holds between one egress and one site: open conversations, RCPTs under way, refused ones of
 * the last hour, health, warm-up. It never opens anything: it answers "when", and is told what happened.
 * A limit is never exceeded: what is under way counts as if it will be refused.
 *
 * Times are milliseconds since 1970 that never go back within a run, so that what is kept means the same in
 * the next one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_PATH_H
#define TRAFFIC_PATH_H

#include "traffic/egress.h"
#include "traffic/health.h"
#include "traffic/site.h"
#include "traffic/warmup.h"

/* An egress of a pool, and what it asked for within a day at all sites. */
struct traffic_pool_egress {
    struct traffic_egress egress;
    struct traffic_window day;
};

struct traffic_path {
    struct traffic_site *site;
    struct traffic_pool_egress *egress;
    struct traffic_adapt adapt; /* of this path, where the site is a shared system */
    struct traffic_health
        health; /* rests as long as the provider is known to (limits.cooldown_ms) */
    struct traffic_warmup warmup;
    struct traffic_window invalids; /* refused RCPTs of the hour */
    unsigned open, asking;          /* conversations; RCPTs sent and not answered */
    uint64_t
        turn; /* grows with each conversation and RCPT, less where weight and capacity are great */
};

void traffic_path_init(struct traffic_path *path, struct traffic_site *site,
                       struct traffic_pool_egress *egress, uint64_t now_ms);

/* When a conversation may be opened: now_ms for at once; TRAFFIC_NEVER before something closes or is answered. */
uint64_t traffic_path_connect_at(const struct traffic_path *path, uint64_t now_ms);
/* True: it is a trial of a blocked path, for one probe; so is what comes of it. */
bool traffic_path_opened(struct traffic_path *path, uint64_t now_ms);
void traffic_path_closed(struct traffic_path *path, bool is_trial, uint64_t now_ms);

/* When one more RCPT may be asked, by any session. */
uint64_t traffic_path_ask_at(const struct traffic_path *path, uint64_t now_ms);
/* Whether a session that asked rcpts and was refused invalids may ask once more. */
bool traffic_path_may_ask(const struct traffic_path *path, bool is_trial, unsigned rcpts,
                          unsigned invalids);
/* Whether it may ask one more while others of it are unanswered, within limits.pipelined_rcpts. Not where the next
 * answer must be heard first: in a trial, after a complaint or a block until it is over, in a tarpit or after an answer
 * that was held back as in one; nor where that would leave other open conversations without a place in the hour. */
bool traffic_path_may_pipeline(const struct traffic_path *path, bool is_trial, uint64_t now_ms);
void traffic_path_asked(struct traffic_path *path, uint64_t now_ms);

/* How an RCPT that was asked ended. */
struct traffic_answer {
    enum traffic_word word;
    bool is_trial;
    bool is_invalid; /* refused: counts for the hour */
    bool is_timeout; /* waited for in vain */
    bool is_later;   /* what it says passes soon: a block that may be over with a short rest */
    bool
        is_behind; /* asked before the answer before it came: latency_ms is the time between the two */
    uint32_t latency_ms; /* with TRAFFIC_WORD_GOOD */
    uint32_t
        usual_ms;    /* its timeout, without the patience of traffic_path_timeout_ms; 0: not told */
    uint32_t hint_s; /* a delay that was named; 0: none */
};
/* True: this answer closed the path. */
bool traffic_path_answered(struct traffic_path *path, const struct traffic_answer *answer,
                           uint64_t now_ms);
/* The same of a conversation that did not come as far as asking. */
bool traffic_path_failed(struct traffic_path *path, const struct traffic_answer *answer,
                         uint64_t now_ms);
/* A connection, still counted as open, was turned away while others were served. */
void traffic_path_crowded(struct traffic_path *path);

/* How long to wait for an answer, by what this far end taught. */
uint32_t traffic_path_timeout_ms(const struct traffic_path *path, uint32_t usual_ms);

#endif
