/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/signals.h"

#include <stdio.h>

#include "base/date.h"

enum {
    TERM_GRAVATAR = 5,
    TERM_GITHUB = 5,
    TERM_BREACHED = 3, /* it was in use once */
    TERM_NEW_DOMAIN = -10,
    DAY_S = 86400,
};

const char *signal_service_name(enum signal_service service)
{
    static const char *const names[SIGNAL_SERVICE_COUNT] = {
        [SIGNAL_GRAVATAR] = "gravatar",
        [SIGNAL_GITHUB] = "github",
        [SIGNAL_HIBP] = "hibp",
        [SIGNAL_RDAP] = "rdap",
    };
    return names[service];
}

/* The reason keeps what really came to the score, so that the sum is still the score. */
static void add(const struct signals_score *onto, int *moved, const char *code, int effect,
                const char *detail)
{
    if (*onto->reason_count >= VERDICT_REASONS_MAX) {
        return;
    }
    int sum = *moved + (onto->status == VERDICT_UNDELIVERABLE ? 0 : effect);
    sum = sum > SIGNALS_EFFECT_MAX ? SIGNALS_EFFECT_MAX : sum;
    sum = sum < -SIGNALS_EFFECT_MAX ? -SIGNALS_EFFECT_MAX : sum;
    struct verdict_reason *reason = &onto->reasons[(*onto->reason_count)++];
    reason->code = code;
    reason->effect = sum - *moved;
    (void)snprintf(reason->detail, sizeof reason->detail, "%s", detail);
    *moved = sum;
}

static void add_domain(const struct verify_signal *signal, const struct signals_score *onto,
                       int *moved)
{
    char detail[VERDICT_DETAIL_BYTES];
    int64_t day = signal->number;
    bool is_new = onto->now_ms / 1000 / DAY_S - day < SIGNALS_NEW_DOMAIN_DAYS;
    struct date date = date_of_unix(day * DAY_S);
    (void)snprintf(detail, sizeof detail, "registered on %04d-%02d-%02d", date.year, date.month,
                   date.day);
    add(onto, moved, is_new ? "domain_new" : "domain_age", is_new ? TERM_NEW_DOMAIN : 0, detail);
}

void signals_weigh(const struct verify_signals *signals, const struct signals_score *onto)
{
    char detail[VERDICT_DETAIL_BYTES];
    int moved = 0;
    if (signals->of[SIGNAL_RDAP].result == SIGNAL_YES) {
        add_domain(&signals->of[SIGNAL_RDAP], onto, &moved);
    }
    if (signals->of[SIGNAL_GRAVATAR].result == SIGNAL_YES) {
        add(onto, &moved, "has_gravatar", TERM_GRAVATAR, "");
    }
    if (signals->of[SIGNAL_GITHUB].result == SIGNAL_YES) {
        add(onto, &moved, "has_github", TERM_GITHUB, "");
    }
    if (signals->of[SIGNAL_HIBP].result == SIGNAL_YES) {
        (void)snprintf(detail, sizeof detail, "in %u breaches", signals->of[SIGNAL_HIBP].number);
        add(onto, &moved, "in_breaches", TERM_BREACHED, detail);
    }
    int score = *onto->score + moved;
    *onto->score = score < 0 ? 0 : score > 100 ? 100 : score;
}
