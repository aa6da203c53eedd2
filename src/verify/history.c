/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/history.h"

#include <stdio.h>

#include "base/date.h"
#include "base/slice.h"
#include "verify/score.h"

enum {
    DAY_MS = 86400 * 1000,
    DATES_SHOWN = 3,
    TERM_ACCEPTED_BEFORE = 15, /* nothing was learned today */
    TERM_REFUSED_BEFORE = -15,
};

#define DOUBT_TAKEN \
    0.4 /* of what is left of doubt, by an answer of another day that says the same */
#define TRUST_KEPT 0.85 /* where it says the opposite */

enum history_word history_word(enum verdict_sub sub)
{
    switch (sub) {
    case SUB_ACCEPTED:
    case SUB_ACCEPTED_RATE_LIMITED:
    case SUB_ACCEPTED_FORWARD:
    case SUB_ROLE:
    case SUB_SUPPRESSED: return HISTORY_LIVE;
    case SUB_MAILBOX_NOT_FOUND:
    case SUB_MAILBOX_DISABLED:
    case SUB_MAILBOX_MOVED: return HISTORY_GONE;
    case SUB_CATCH_ALL:
    case SUB_ACCEPTS_ALL_PROVIDER:
    case SUB_ACCEPTED_UNCONFIRMED:
    case SUB_MAILBOX_FULL:
    case SUB_DISPOSABLE:
    case SUB_INVALID_SYNTAX:
    case SUB_DOMAIN_NOT_FOUND:
    case SUB_NO_MAIL_HOST:
    case SUB_NULL_MX:
    case SUB_MX_UNROUTABLE:
    case SUB_DOMAIN_NOT_HOSTED:
    case SUB_SMTPUTF8_UNSUPPORTED:
    case SUB_GREYLISTED:
    case SUB_TEMP_FAILURE:
    case SUB_RATE_LIMITED:
    case SUB_BLOCKED:
    case SUB_BLANKET_REJECT:
    case SUB_TLS_REQUIRED_FAILED:
    case SUB_CONNECT_FAILED:
    case SUB_CONNECT_TIMEOUT:
    case SUB_SMTP_TIMEOUT:
    case SUB_DISCONNECTED:
    case SUB_PROTOCOL_ERROR:
    case SUB_DNS_ERROR:
    case SUB_SKIPPED:
    case SUB_INTERNAL_ERROR:
    case SUB_COUNT: break;
    }
    return HISTORY_SILENT;
}

bool history_add(struct verify_history *history, const struct verify_past *past)
{
    bool is_past = past->at_ms >= 0 && past->at_ms < history->asked_at_ms;
    if (!is_past || history->asked_at_ms - past->at_ms > VERIFY_HISTORY_LIFE_MS ||
        history->count == VERIFY_HISTORY_MAX) {
        return false;
    }
    history->past[history->count++] = *past;
    return true;
}

const struct verify_past *history_last(const struct verify_history *history)
{
    for (uint8_t i = 0; history != NULL && i < history->count; i++) {
        if (history_word(history->past[i].sub) != HISTORY_SILENT) {
            return &history->past[i];
        }
    }
    return NULL;
}

uint32_t history_host(struct slice host)
{
    if (host.len == 0) {
        return 0;
    }
    uint32_t number = (uint32_t)slice_hash(host, 0);
    return number != 0 ? number : 1;
}

uint32_t history_accepted_by(const struct verify_history *history)
{
    const struct verify_past *last = history_last(history);
    bool is_recent = last != NULL && history_word(last->sub) == HISTORY_LIVE &&
                     history->asked_at_ms - last->at_ms <= VERIFY_HISTORY_RECENT_MS;
    return is_recent ? last->host : 0;
}

static size_t put_date(char *at, size_t room, const char *before, int64_t at_ms)
{
    struct date date = date_of_unix(at_ms / 1000);
    int len = snprintf(at, room, "%s%04d-%02d-%02d", before, date.year, date.month, date.day);
    return len < 0 || (size_t)len >= room ? 0 : (size_t)len;
}

static void put_last(const struct verify_past *last, char out[VERDICT_DETAIL_BYTES])
{
    size_t len = (size_t)snprintf(out, VERDICT_DETAIL_BYTES, "%s on", verdict_sub_name(last->sub));
    (void)put_date(out + len, VERDICT_DETAIL_BYTES - len, " ", last->at_ms);
}

/* The days, other than today, on which the last answers said this; how many. */
static unsigned put_days(const struct verify_history *history, enum history_word word,
                         char out[VERDICT_DETAIL_BYTES])
{
    int64_t day = history->asked_at_ms / DAY_MS;
    unsigned days = 0;
    size_t len = (size_t)snprintf(out, VERDICT_DETAIL_BYTES, "the same answer on");
    for (uint8_t i = 0; i < history->count && days < DATES_SHOWN; i++) {
        const struct verify_past *past = &history->past[i];
        enum history_word said = history_word(past->sub);
        if (said != HISTORY_SILENT && said != word) {
            break;
        }
        if (said == word && past->at_ms / DAY_MS != day) {
            day = past->at_ms / DAY_MS;
            len += put_date(out + len, VERDICT_DETAIL_BYTES - len, days == 0 ? " " : ", ",
                            past->at_ms);
            days++;
        }
    }
    return days;
}

static void weigh_answer(const struct verify_history *history, enum history_word word,
                         const struct verify_past *last, struct verdict *verdict)
{
    char detail[VERDICT_DETAIL_BYTES];
    if (history_word(last->sub) != word) {
        put_last(last, detail);
        score_reason(verdict, "answer_changed", 0, detail);
        verdict->confidence *= TRUST_KEPT;
        return;
    }
    unsigned days = put_days(history, word, detail);
    if (days > 0) {
        score_reason(verdict, "seen_before", 0, detail);
    }
    for (unsigned i = 0; i < days; i++) {
        verdict->confidence += (1.0 - verdict->confidence) * DOUBT_TAKEN;
    }
}

void history_weigh(const struct verify_history *history, struct verdict *verdict)
{
    const struct verify_past *last = history_last(history);
    enum history_word word = history_word(verdict->sub);
    if (last == NULL) {
        return;
    }
    if (word != HISTORY_SILENT) {
        weigh_answer(history, word, last, verdict);
        return;
    }
    bool was_asked = verdict->status == VERDICT_UNKNOWN && verdict->sub != SUB_SKIPPED &&
                     verdict->sub != SUB_INTERNAL_ERROR;
    if (was_asked) {
        bool was_live = history_word(last->sub) == HISTORY_LIVE;
        char detail[VERDICT_DETAIL_BYTES];
        put_last(last, detail);
        score_reason(verdict, was_live ? "accepted_before" : "refused_before",
                     was_live ? TERM_ACCEPTED_BEFORE : TERM_REFUSED_BEFORE, detail);
    }
}
