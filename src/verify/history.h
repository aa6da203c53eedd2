/* verify/history: what the same question was answered on earlier days, and what that is worth today. It explains and
 * weighs, and may ask for a second look; it decides nothing: no status rests on it, least of all undeliverable.
 * The engine fills it from the store's facts.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_HISTORY_H
#define VERIFY_HISTORY_H

#include "verify/verdict.h"

enum { VERIFY_HISTORY_MAX = 8 };

/* What lies longer back says nothing of a mailbox: people come and go. */
#define VERIFY_HISTORY_LIFE_MS (INT64_C(180) * 86400 * 1000)
/* An acceptance not older than that makes a refusal by the same server worth a second look. */
#define VERIFY_HISTORY_RECENT_MS (INT64_C(24) * 3600 * 1000)

struct verify_past {
    int64_t at_ms; /* Unix time */
    enum verdict_sub sub;
    uint32_t host; /* history_host of who said it; 0: not known */
};

struct verify_history {
    int64_t asked_at_ms; /* of today's question */
    uint8_t count;
    struct verify_past past[VERIFY_HISTORY_MAX]; /* newest first */
};

enum history_word {
    HISTORY_SILENT, /* says nothing about the mailbox */
    HISTORY_LIVE,   /* accepted, and that meant something */
    HISTORY_GONE,   /* a statement about this mailbox: mail would bounce */
};
enum history_word history_word(enum verdict_sub sub);

/* Puts one more at the end; false: it is too old, not from before the question, or there is no room. */
bool history_add(struct verify_history *history, const struct verify_past *past);

/* The newest that says something of the mailbox; NULL: there is none. history may be NULL. */
const struct verify_past *history_last(const struct verify_history *history);

/* A mail server's name as a number. */
uint32_t history_host(struct slice host);

/* Who accepted it within the last hours, if that is the last that was said of it; 0: nobody. */
uint32_t history_accepted_by(const struct verify_history *history);

/* Adds what it says of this verdict, whose sub-status is found: a reason, and its part in score and confidence.
 * history may be NULL. */
void history_weigh(const struct verify_history *history, struct verdict *verdict);

#endif
