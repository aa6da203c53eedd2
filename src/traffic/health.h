/* traffic/health: whether a site still wants to hear from an egress. A block closes the path between the two, and
 * nothing else. After a pause, the provider's own where one is known, one single probe is let through; a bad answer
 * doubles the pause, a good one opens the path for one connection, then two, four and so on as good answers come.
 *
 *     well --block--> blocked --pause over, a conversation opens--> trying --good--> well (one connection)
 *                        ^                                            |
 *                        +------------- block: twice the pause -------+
 *
 * Not every block is about the egress: a policy may be one recipient's own. So words weigh by how sure they are,
 * and a good answer takes the weight off again. What belongs to a trial is said by the caller, since answers of
 * conversations that were open before the block still come in.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_HEALTH_H
#define TRAFFIC_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum traffic_health_state { TRAFFIC_WELL, TRAFFIC_BLOCKED, TRAFFIC_TRYING };

/* What an answer says about us. Three likely words in a row close the path, or eight vague ones. */
enum traffic_word {
    TRAFFIC_WORD_NONE,   /* nothing: no answer, or one about the server's own trouble */
    TRAFFIC_WORD_GOOD,   /* an answer about a mailbox, of whatever kind */
    TRAFFIC_WORD_BUSY,   /* not now, for a reason of its own: slower, but nothing against us */
    TRAFFIC_WORD_RATE,   /* too much, too fast, too many connections */
    TRAFFIC_WORD_NO_WAY, /* no word at all: our way to it is broken (a proxy, a source address) */
    TRAFFIC_WORD_BLOCK_VAGUE,
    TRAFFIC_WORD_BLOCK_LIKELY,
    TRAFFIC_WORD_BLOCK_CERTAIN, /* said before anybody was asked for, or by who is known to hold it against us */
};

enum {
    TRAFFIC_TRY_MS_FIRST = 30 * 60 * 1000, /* where the provider's own pause is not known */
    TRAFFIC_TRY_MS_MAX = 24 * 60 * 60 * 1000,
    TRAFFIC_TRY_AGAIN_MS = 60 * 1000, /* after a trial that got no word at all */
    TRAFFIC_STRIKES_MAX = 16,         /* far beyond what the longest pause needs */
    TRAFFIC_SHARE_FULL = 64,          /* connections: more than any limit */
};

/* Zeroed is an unknown, well path. */
struct traffic_health {
    uint8_t state;      /* enum traffic_health_state */
    uint8_t strikes;    /* blocks that no recovery followed: each doubles the pause */
    uint8_t weight;     /* of bad words since the last good one */
    uint8_t share;      /* connections that may be open while it recovers; 0: any number */
    uint16_t good;      /* answers since the share grew */
    uint64_t try_at_ms; /* BLOCKED: when a single probe may be sent */
};

/* When a conversation may be opened as far as health goes; TRAFFIC_NEVER while a trial is under way. */
uint64_t traffic_health_open_at(const struct traffic_health *health, uint64_t now_ms);
unsigned traffic_health_connections(const struct traffic_health *health, unsigned limit);

/* No complaint since the last good answer, no recovery under way. */
bool traffic_health_is_sound(const struct traffic_health *health);

/* A conversation was opened. True: it is the trial, for one probe. */
bool traffic_health_opened(struct traffic_health *health);
/* The trial's conversation ended; where no word came it is repeated soon. */
void traffic_health_trial_over(struct traffic_health *health, uint64_t now_ms);

/* How long a path rests that is closed. */
struct traffic_rest {
    uint32_t first_ms; /* the first pause, which others double; 0: TRAFFIC_TRY_MS_FIRST */
    uint32_t hint_s;   /* a delay that the answer named, the least of this pause; 0: none */
};

/* What an answer said. True: the path is closed by this word. */
bool traffic_health_heard(struct traffic_health *health, enum traffic_word word, bool is_trial,
                          struct traffic_rest rest, uint64_t now_ms);

#endif
