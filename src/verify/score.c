/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/score.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"
#include "verify/control.h"
#include "verify/history.h"

enum {
    TEXT_SHOWN = 120, /* of a reply, before it is made printable */
};

/* Version 1. Only the order is promised: tests hold it, not the numbers. */
static const struct weight_row {
    int score;
    double confidence; /* in the status, as far as the sub-status tells */
} weights[SUB_COUNT] = {
    [SUB_ACCEPTED] = {95, 0.95},
    [SUB_ACCEPTED_RATE_LIMITED] = {92, 0.90},
    [SUB_ACCEPTED_FORWARD] = {88, 0.90},
    [SUB_CATCH_ALL] = {50, 0.90},
    [SUB_ACCEPTS_ALL_PROVIDER] = {55, 0.85},
    [SUB_ACCEPTED_UNCONFIRMED] = {65, 0.60},
    [SUB_MAILBOX_FULL] = {30, 0.90},
    [SUB_DISPOSABLE] = {25, 0.95},
    [SUB_ROLE] = {80, 0.90},
    [SUB_SUPPRESSED] = {80, 0.90},
    [SUB_MAILBOX_NOT_FOUND] = {3, 0.97},
    [SUB_MAILBOX_DISABLED] = {5, 0.95},
    [SUB_MAILBOX_MOVED] = {5, 0.90},
    [SUB_INVALID_SYNTAX] = {0, 1.00},
    [SUB_DOMAIN_NOT_FOUND] = {0, 0.99},
    [SUB_NO_MAIL_HOST] = {0, 0.98},
    [SUB_NULL_MX] = {0, 0.99},
    [SUB_MX_UNROUTABLE] = {0, 0.95},
    [SUB_DOMAIN_NOT_HOSTED] = {2, 0.90},
    [SUB_SMTPUTF8_UNSUPPORTED] = {3, 0.90},
    [SUB_GREYLISTED] = {45, 0.30},
    [SUB_TEMP_FAILURE] = {40, 0.25},
    [SUB_RATE_LIMITED] = {40, 0.25},
    [SUB_BLOCKED] = {40, 0.20},
    [SUB_BLANKET_REJECT] = {30, 0.25},
    [SUB_TLS_REQUIRED_FAILED] = {40, 0.20},
    [SUB_CONNECT_FAILED] = {25, 0.30},
    [SUB_CONNECT_TIMEOUT] = {25, 0.30},
    [SUB_SMTP_TIMEOUT] = {35, 0.20},
    [SUB_DISCONNECTED] = {35, 0.20},
    [SUB_PROTOCOL_ERROR] = {30, 0.20},
    [SUB_DNS_ERROR] = {35, 0.10},
    [SUB_SKIPPED] = {40, 0.00},
    [SUB_INTERNAL_ERROR] = {40, 0.00},
};

enum {
    TERM_ROLE = -10,
    TERM_GIBBERISH = -10,
    TERM_GIBBERISH_CATCH_ALL = -25,
    TERM_NAME_CATCH_ALL = 15,
    TERM_SUGGESTION = -10,
    TERM_SOFT_CODE = 3, /* undeliverable, yet only by a temporary code */
    TERM_CONTRAST = 2,  /* undeliverable, yet only beside a control */
    TERM_MIXED = -5,
    TERM_POSTMASTER = -5, /* a blanket refusal that spares postmaster is less of a blanket */
};

/* A likeness moves a score within these, so that an ambiguous answer never looks like a plain one. */
enum {
    RISKY_LOW = 15,
    RISKY_HIGH = 79,
    UNKNOWN_LOW = 20,
    UNKNOWN_HIGH = 49,
};

#define TERM_SHOWN 0.005 /* less is not told */

#define CONFIDENCE_CONTRAST 0.85
#define CONFIDENCE_SOFT     0.75

int score_base(enum verdict_sub sub)
{
    return weights[sub].score;
}

double score_confidence(enum verdict_sub sub)
{
    return weights[sub].confidence;
}

bool score_is_ambiguous(enum verdict_sub sub)
{
    return sub == SUB_CATCH_ALL || sub == SUB_ACCEPTS_ALL_PROVIDER ||
           sub == SUB_ACCEPTED_UNCONFIRMED || sub == SUB_GREYLISTED || sub == SUB_TEMP_FAILURE ||
           sub == SUB_RATE_LIMITED;
}

/* Cut between characters. */
static void copy_printable(struct slice text, char out[VERDICT_DETAIL_BYTES])
{
    struct slice shown = slice_sub(text, 0, TEXT_SHOWN);
    if (text_plain_run(shown) == shown.len) {
        memcpy(out, shown.at, shown.len);
        out[shown.len] = '\0';
        return;
    }
    struct buf printable;
    buf_init(&printable, (size_t)TEXT_SHOWN * 8);
    out[0] = '\0';
    if (text_append_printable(&printable, shown) == ERR_NONE) {
        struct slice rest = buf_view(&printable);
        size_t len = 0;
        unsigned code_point;
        size_t step = text_utf8_next(rest, &code_point);
        while (step > 0 && len + step < VERDICT_DETAIL_BYTES) {
            len += step;
            step = text_utf8_next(slice_sub(rest, len, rest.len), &code_point);
        }
        memcpy(out, rest.at, len);
        out[len] = '\0';
    }
    buf_done(&printable);
}

void score_reason(struct verdict *verdict, const char *code, int effect, const char *detail)
{
    if (verdict->reason_count >= VERDICT_REASONS_MAX) {
        return;
    }
    struct verdict_reason *reason = &verdict->reasons[verdict->reason_count++];
    reason->code = code;
    reason->effect = effect;
    reason->detail[0] = '\0';
    if (detail != NULL && detail[0] != '\0') {
        copy_printable(slice_of(detail), reason->detail);
    }
}

/* "550 5.1.1 No such user", or the kind and stage where there was no reply. */
static void describe(const struct evidence *e, char out[VERDICT_DETAIL_BYTES])
{
    if (e->kind == EVIDENCE_REPLY) {
        size_t len = strnlen(e->text, TEXT_SHOWN); /* for each address: not worth a printf */
        out[0] = (char)('0' + e->code / 100);
        out[1] = (char)('0' + e->code / 10 % 10);
        out[2] = (char)('0' + e->code % 10);
        out[3] = ' ';
        memcpy(out + 4, e->text, len);
        out[4 + len] = '\0';
    } else if (e->text[0] != '\0') {
        (void)snprintf(out, VERDICT_DETAIL_BYTES, "%.*s", TEXT_SHOWN, e->text);
    } else {
        (void)snprintf(out, VERDICT_DETAIL_BYTES, "at %s", hel_smtp_stage_name(e->stage));
    }
}

static const char *claim_code(enum claim claim)
{
    switch (claim) {
    case CLAIM_ACCEPTED: return "rcpt_accepted";
    case CLAIM_ACCEPTED_ODD: return "rcpt_accepted_vaguely";
    case CLAIM_EXISTS: return "rcpt_exists";
    case CLAIM_FULL: return "rcpt_full";
    case CLAIM_GONE: return "rcpt_no_user";
    case CLAIM_DISABLED: return "rcpt_disabled";
    case CLAIM_MOVED: return "rcpt_moved";
    case CLAIM_DOMAIN: return "domain_not_served";
    case CLAIM_AMBIGUOUS: return "rcpt_refused";
    case CLAIM_SOFT_GONE: return "rcpt_no_user_temporary";
    case CLAIM_GREYLISTED: return "greylisted";
    case CLAIM_IN_PROGRESS: return "verification_in_progress";
    case CLAIM_RATED: return "rate_limited";
    case CLAIM_BLOCKED: return "policy_blocked";
    case CLAIM_TEMPORARY: return "temporary_failure";
    case CLAIM_BROKEN: return "server_error";
    case CLAIM_TLS: return "tls_failed";
    case CLAIM_TIMEOUT: return "timeout";
    case CLAIM_DISCONNECTED: return "disconnected";
    case CLAIM_PROTOCOL: return "protocol_error";
    case CLAIM_UNREACHED: return "not_reached";
    case CLAIM_NO_UTF8: return "smtputf8_not_offered";
    case CLAIM_SKIPPED: return "skipped";
    case CLAIM_LOCAL:
    case CLAIM_COUNT: break;
    }
    return "local_trouble";
}

static void add_base(const struct verdict_question *q, struct verdict *verdict)
{
    char detail[VERDICT_DETAIL_BYTES] = "";
    if (verdict->deciding >= 0) {
        describe(&q->evidence[verdict->deciding], detail);
    } else if (q->route == NULL) {
        (void)snprintf(detail, sizeof detail, "stopped before DNS answered");
    } else if (q->route->status != ROUTE_OK) {
        (void)snprintf(detail, sizeof detail, "DNS: %s", route_status_name(q->route->status));
    }
    score_reason(verdict, verdict_sub_name(verdict->sub), score_base(verdict->sub), detail);
    verdict->confidence = score_confidence(verdict->sub);
}

/* What log odds add to the base of the score. */
static int points_of(const struct verdict *verdict, double log_odds)
{
    bool is_risky = verdict->status == VERDICT_RISKY;
    int base = score_base(verdict->sub);
    int room = (is_risky ? RISKY_HIGH : UNKNOWN_HIGH) - base;
    int depth = base - (is_risky ? RISKY_LOW : UNKNOWN_LOW);
    double lean = 2.0 * likeness_of_odds(log_odds) - 1.0;
    return (int)lround(lean * (lean >= 0.0 ? room : depth));
}

/* The whole first, then each term with what it adds to those before it. */
static void add_terms(const struct verify_likeness *weighed, const struct likeness *likeness,
                      struct verdict *verdict)
{
    char detail[VERDICT_DETAIL_BYTES];
    (void)snprintf(
        detail, sizeof detail,
        "%.2f that the mailbox exists (%.2f for a plain name), by the model of %s (%08" PRIx64 ")",
        likeness_of_odds(likeness->log_odds), likeness_of_odds(likeness->start),
        likeness_model_date(weighed->model), likeness_model_hash(weighed->model) >> 32);
    int points = points_of(verdict, likeness->start);
    score_reason(verdict, "likelihood", points, detail);
    double odds = likeness->start;
    for (int i = 0; i < LIKENESS_TERMS; i++) {
        enum likeness_term term = (enum likeness_term)i;
        odds += likeness->terms[term];
        int after = points_of(verdict, odds);
        if (after != points || fabs(likeness->terms[term]) >= TERM_SHOWN) {
            likeness_say(likeness, term, &weighed->known, detail);
            score_reason(verdict, likeness_term_name(term), after - points, detail);
        }
        points = after;
    }
}

/* False: there is nothing to weigh, or nothing to weigh it by. */
static bool add_likeness(const struct verdict_question *q, struct verdict *verdict)
{
    if (q->hints->likeness == NULL || !score_is_ambiguous(verdict->sub) ||
        likeness_is_blind(q->local)) {
        return false;
    }
    struct verify_likeness weighed = *q->hints->likeness;
    const struct verify_past *last = history_last(q->history);
    if (last != NULL && verdict->status == VERDICT_RISKY) { /* else history_weigh says it */
        weighed.known.was_accepted = history_word(last->sub) == HISTORY_LIVE;
        weighed.known.was_refused = history_word(last->sub) == HISTORY_GONE;
    }
    weighed.known.is_implicit_mx = q->route != NULL && q->route->is_implicit_mx;
    struct likeness likeness;
    likeness_weigh(weighed.model, q->local, q->hints->is_role, &weighed.known, &likeness);
    add_terms(&weighed, &likeness, verdict);
    return true;
}

/* What the local part says where no likeness is weighed. */
static void add_local(const struct verdict_question *q, struct verdict *verdict)
{
    const struct verify_hints *hints = q->hints;
    bool is_catch_all = verdict->sub == SUB_CATCH_ALL;
    if (hints->is_role) {
        score_reason(verdict, "role", TERM_ROLE, NULL);
    }
    if (hints->is_gibberish) {
        score_reason(verdict, "gibberish", is_catch_all ? TERM_GIBBERISH_CATCH_ALL : TERM_GIBBERISH,
                     NULL);
    }
    if (is_catch_all && !hints->is_gibberish && control_is_name_shaped(q->local)) {
        score_reason(verdict, "name_shaped", TERM_NAME_CATCH_ALL, NULL);
    }
}

static void add_hints(const struct verdict_question *q, struct verdict *verdict)
{
    const struct verify_hints *hints = q->hints;
    if (verdict->status == VERDICT_UNDELIVERABLE) {
        return;
    }
    if (!add_likeness(q, verdict)) {
        add_local(q, verdict);
    }
    if (hints->has_suggestion) {
        score_reason(verdict, "likely_typo", TERM_SUGGESTION, NULL);
    }
    if (hints->is_free) {
        score_reason(verdict, "free_provider", 0, NULL);
    }
    if (hints->is_disposable && verdict->sub != SUB_DISPOSABLE) {
        score_reason(verdict, "disposable", 0, NULL);
    }
}

static const char *control_reason(const struct verify_control_memory *control)
{
    switch ((enum control_state)control->state) {
    case CONTROL_REFUSED: return "control_refused";
    case CONTROL_ACCEPTED: return "control_accepted";
    case CONTROL_UNTESTABLE: return "control_untestable";
    case CONTROL_UNTESTED:
    case CONTROL_RUNNING: break;
    }
    return "control_untested";
}

static void add_traits(const struct verdict_question *q, const struct evidence *e,
                       struct verdict *verdict)
{
    unsigned traits = q->provider->traits;
    if ((traits & PROVIDER_ACCEPTS_ALL) != 0) {
        score_reason(verdict, "provider_accepts_all", 0, NULL);
    } else if ((traits & PROVIDER_SELECTIVE) != 0) {
        score_reason(verdict, "provider_selective", 0, NULL);
    }
    if (route_is_backup(q->route, e->exchanger)) {
        score_reason(verdict, "backup_exchanger", 0, q->route->exchangers[e->exchanger].host);
    }
}

/* How the statement was weighed, where it was not plain. */
static void add_weighing(const struct verdict_question *q, const struct evidence *e,
                         enum claim claim, struct verdict *verdict)
{
    bool is_bad = verdict->status == VERDICT_UNDELIVERABLE;
    if (claim == CLAIM_ACCEPTED && claim_is_distrusted(e, q->provider)) {
        score_reason(verdict, "session_distrusted", 0,
                     "accepted after many refusals in one session");
    }
    if (e->has_mixed_codes) {
        score_reason(verdict, "mixed_codes", TERM_MIXED, NULL);
    }
    if (claim == CLAIM_SOFT_GONE && is_bad) {
        score_reason(verdict, "stable_refusal", TERM_SOFT_CODE, NULL);
        verdict->confidence = CONFIDENCE_SOFT;
    }
    if ((claim == CLAIM_AMBIGUOUS || claim == CLAIM_DOMAIN) && is_bad) {
        score_reason(verdict, "differs_from_others", TERM_CONTRAST, NULL);
        verdict->confidence = CONFIDENCE_CONTRAST;
    }
    if (claim == CLAIM_AMBIGUOUS && !is_bad && q->domain->postmaster.state == CONTROL_ACCEPTED) {
        score_reason(verdict, "postmaster_accepted", TERM_POSTMASTER, NULL);
    }
    if (claim == CLAIM_AMBIGUOUS && !is_bad && q->domain->postmaster.state == CONTROL_REFUSED) {
        score_reason(verdict, "postmaster_refused", 0, NULL);
    }
}

static void add_evidence(const struct verdict_question *q, struct verdict *verdict)
{
    for (size_t i = 0; i < q->count; i++) {
        const struct evidence *e = &q->evidence[i];
        bool is_told = (int)i == verdict->deciding || e->role == PROBE_POSTMASTER;
        if (is_told || verdict->reason_count + 1 >= VERDICT_REASONS_MAX) {
            continue;
        }
        char detail[VERDICT_DETAIL_BYTES];
        describe(e, detail);
        bool is_control = e->role == PROBE_CONTROL;
        score_reason(verdict, is_control ? "control_answer" : claim_code(claim_of(e)), 0, detail);
    }
}

static void add_standing(const struct verdict_question *q, struct verdict *verdict)
{
    const struct evidence *e = &q->evidence[verdict->deciding];
    enum claim claim = claim_of(e);
    uint8_t told = verdict->reason_count;
    score_reason(verdict, claim_code(claim), 0, NULL);
    if (verdict->reason_count > told) { /* in the words of the base, which is the first */
        memcpy(verdict->reasons[told].detail, verdict->reasons[0].detail, VERDICT_DETAIL_BYTES);
    }
    if (claim_rests_on_control(claim)) {
        score_reason(verdict, control_reason(decide_control(q, e)), 0, NULL);
    }
    add_traits(q, e, verdict);
    add_weighing(q, e, claim, verdict);
}

static void add_circumstances(const struct verdict_question *q, struct verdict *verdict)
{
    if (q->config->no_smtp) {
        score_reason(verdict, "no_smtp", 0, "only DNS was asked");
    }
    if (q->config->no_control) {
        score_reason(verdict, "no_control", 0, NULL);
    }
    if (q->is_expired) {
        score_reason(verdict, "stopped", 0, skip_reason_name(q->why));
    } else if (verdict->sub == SUB_SKIPPED && verdict->skip == SKIP_PROVIDER_POLICY) {
        score_reason(verdict, "provider_skipped", 0, NULL);
    }
    bool is_routed = q->route != NULL && q->route->status == ROUTE_OK;
    if (is_routed && verdict->sub == SUB_CONNECT_FAILED && verdict->deciding < 0) {
        score_reason(verdict, "no_usable_address", 0,
                     "no exchanger has an address that can be used");
    }
}

void score_sum(const struct verdict_question *question, struct verdict *verdict)
{
    add_base(question, verdict);
    add_hints(question, verdict);
    if (verdict->deciding >= 0) {
        add_standing(question, verdict);
    }
    add_circumstances(question, verdict);
    history_weigh(question->history, verdict);
    int sum = 0;
    for (size_t i = 0; i < verdict->reason_count; i++) {
        sum += verdict->reasons[i].effect;
    }
    verdict->score = sum < 0 ? 0 : sum > 100 ? 100 : sum;
    if (verdict->deciding >= 0) {
        add_evidence(question, verdict);
    }
}
