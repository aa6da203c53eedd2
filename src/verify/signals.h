/* verify/signals: what others than the mail servers say of an address or its domain: whether it has a profile somewhere,
 * was in a breach, how old its domain is. It explains and weighs a little; it decides nothing: no status, sub-status or
 * confidence rests on it, and of an undeliverable address not even the score. engine/signals asks.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_SIGNALS_H
#define VERIFY_SIGNALS_H

#include "verify/verdict.h"

enum signal_service {
    SIGNAL_GRAVATAR, /* a picture belongs to the address */
    SIGNAL_GITHUB,   /* an account shows the address */
    SIGNAL_HIBP,     /* Have I Been Pwned: it was in breaches */
    SIGNAL_RDAP,     /* when the domain was registered (RFC 9083 4.5) */
    SIGNAL_SERVICE_COUNT,
};

/* Numbers are kept in the store: they are not changed, only added to. */
enum signal_result {
    SIGNAL_OFF,       /* not asked */
    SIGNAL_YES,       /* it knows it */
    SIGNAL_NO,        /* it does not */
    SIGNAL_NO_ANSWER, /* trouble, or too many questions */
};

struct verify_signal {
    enum signal_result result;
    uint32_t
        number; /* with YES: of accounts, of breaches; RDAP: the day of registration, counted from 1970-01-01 */
};

struct verify_signals {
    struct verify_signal of[SIGNAL_SERVICE_COUNT];
};

enum {
    SIGNALS_EFFECT_MAX = 10, /* on a score, of all of them together, up and down */
    SIGNALS_NEW_DOMAIN_DAYS = 30,
};

const char *signal_service_name(enum signal_service service); /* "gravatar" */

/* A score with the reasons that it was made of. */
struct signals_score {
    enum verdict_status status;
    int64_t now_ms; /* Unix time */
    int *score;
    struct verdict_reason *reasons; /* room for VERDICT_REASONS_MAX */
    uint8_t *reason_count;
};
/* Adds a reason for each that says something, as long as there is room, and its part in the score. Whatever the signals
 * say, the score moves by SIGNALS_EFFECT_MAX at most and stays within 0 and 100. */
void signals_weigh(const struct verify_signals *signals, const struct signals_score *onto);

#endif
