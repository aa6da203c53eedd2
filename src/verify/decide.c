/* From evidence to sub-status. The order: DNS, then what stands about the mailbox, then what failed.
 * Undeliverable comes only from a permanent statement about this mailbox or its domain, from one that
 * a control contradicts, or from a temporary one that stays; all other roads end in unknown.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/decide.h"

#include <stddef.h>
#include <string.h>

#include "base/slice.h"
#include "verify/control.h"
#include "verify/life.h"
#include "verify/score.h"

/* How much a claim says. Statements about the mailbox share the highest rank: the last one counts. */
static const uint8_t ranks[CLAIM_COUNT] = {
    [CLAIM_ACCEPTED] = 100, [CLAIM_ACCEPTED_ODD] = 100, [CLAIM_EXISTS] = 100,
    [CLAIM_FULL] = 100,     [CLAIM_GONE] = 100,         [CLAIM_DISABLED] = 100,
    [CLAIM_MOVED] = 100,    [CLAIM_DOMAIN] = 90,        [CLAIM_AMBIGUOUS] = 100,
    [CLAIM_SOFT_GONE] = 80, [CLAIM_GREYLISTED] = 75,    [CLAIM_IN_PROGRESS] = 74,
    [CLAIM_BLOCKED] = 73,   [CLAIM_RATED] = 72,         [CLAIM_TLS] = 71,
    [CLAIM_TEMPORARY] = 60, [CLAIM_BROKEN] = 59,        [CLAIM_NO_UTF8] = 35,
    [CLAIM_TIMEOUT] = 50,   [CLAIM_DISCONNECTED] = 50,  [CLAIM_PROTOCOL] = 50,
    [CLAIM_UNREACHED] = 40, [CLAIM_SKIPPED] = 30,       [CLAIM_LOCAL] = 20,
};

int verdict_standing(const struct evidence *evidence, size_t count, enum claim *out_claim)
{
    int best = -1;
    unsigned best_rank = 0;
    for (size_t i = 0; i < count; i++) {
        if (evidence[i].role != PROBE_REAL) {
            continue;
        }
        enum claim claim = claim_of(&evidence[i]);
        if (ranks[claim] >= best_rank) {
            best = (int)i;
            best_rank = ranks[claim];
            *out_claim = claim;
        }
    }
    return best;
}

unsigned verdict_repeats(const struct evidence *evidence, size_t count, enum claim claim)
{
    unsigned repeats = 0;
    for (size_t i = count; i > 0; i--) {
        if (evidence[i - 1].role != PROBE_REAL) {
            continue;
        }
        if (claim_of(&evidence[i - 1]) != claim) {
            break;
        }
        repeats++;
    }
    return repeats;
}

static bool may_be_there(const struct exchanger *exchanger)
{
    return exchanger->status == HOST_OK || exchanger->status == HOST_DNS_ERROR ||
           exchanger->status == HOST_NO_FAMILY;
}

bool route_is_backup(const struct route *route, uint8_t exchanger)
{
    for (size_t i = 0; i < route->exchanger_count; i++) {
        const struct exchanger *other = &route->exchangers[i];
        if (may_be_there(other) && other->preference < route->exchangers[exchanger].preference) {
            return true;
        }
    }
    return false;
}

const struct verify_control_memory *decide_control(const struct verdict_question *question,
                                                   const struct evidence *evidence)
{
    return route_is_backup(question->route, evidence->exchanger)
               ? &question->domain->backup_controls[question->shape]
               : &question->domain->controls[question->shape];
}

bool decide_is_alike(const struct evidence *evidence, const struct verify_control_memory *control,
                     struct slice local)
{
    if (control->state != CONTROL_REFUSED || control->code / 100 != evidence->code / 100) {
        return false;
    }
    enum reply_reason reason = evidence->class.reason;
    bool is_same_statement = reason != REASON_UNKNOWN && control->reason == (uint8_t)reason;
    return is_same_statement || control->text_hash == claim_text_hash(evidence->text, local);
}

static bool was_claimed(const struct verdict_question *q, size_t exchanger, enum claim claim)
{
    for (size_t i = 0; i < q->count; i++) {
        if (q->evidence[i].role == PROBE_REAL && q->evidence[i].exchanger == exchanger &&
            claim_of(&q->evidence[i]) == claim) {
            return true;
        }
    }
    return false;
}

bool decide_all_exchangers(const struct verdict_question *question, enum claim claim)
{
    const struct route *route = question->route;
    for (size_t i = 0; i < route->exchanger_count; i++) {
        if (may_be_there(&route->exchangers[i]) && !was_claimed(question, i, claim)) {
            return false;
        }
    }
    return true;
}

static enum verdict_sub sub_of_accepted(const struct verdict_question *q, const struct evidence *e,
                                        enum claim claim)
{
    const struct verify_control_memory *control = decide_control(q, e);
    bool is_plain = claim == CLAIM_ACCEPTED;
    enum verdict_sub yes = e->class.is_forwarded ? SUB_ACCEPTED_FORWARD : SUB_ACCEPTED;
    if ((q->provider->traits & PROVIDER_ACCEPTS_ALL) != 0) {
        return SUB_ACCEPTS_ALL_PROVIDER;
    }
    if (claim_is_distrusted(e, q->provider)) {
        return SUB_ACCEPTED_UNCONFIRMED;
    }
    if ((q->provider->traits & PROVIDER_SELECTIVE) != 0 && is_plain) {
        return yes;
    }
    if ((q->provider->traits & PROVIDER_CONTROL_MEANINGLESS) != 0) {
        return SUB_ACCEPTED_UNCONFIRMED;
    }
    switch ((enum control_state)control->state) {
    case CONTROL_ACCEPTED:
        return route_is_backup(q->route, e->exchanger) ? SUB_ACCEPTS_ALL_PROVIDER : SUB_CATCH_ALL;
    case CONTROL_REFUSED: return is_plain ? yes : SUB_ACCEPTED_UNCONFIRMED;
    case CONTROL_UNTESTED:
    case CONTROL_RUNNING:
    case CONTROL_UNTESTABLE: break;
    }
    return SUB_ACCEPTED_UNCONFIRMED;
}

/* A refusal that does not say whom it is about, beside what the control got. */
static enum verdict_sub sub_of_ambiguous(const struct verdict_question *q, const struct evidence *e)
{
    const struct verify_control_memory *control = decide_control(q, e);
    if ((q->provider->traits & PROVIDER_CONTROL_MEANINGLESS) != 0) {
        return SUB_BLANKET_REJECT;
    }
    if (control->state == CONTROL_ACCEPTED) {
        return SUB_MAILBOX_NOT_FOUND;
    }
    if (control->state == CONTROL_REFUSED) {
        if (!decide_is_alike(e, control, q->local)) {
            return SUB_BLOCKED; /* strangers' names get another answer: this one is guarded */
        }
        return q->domain->live_seen > 0 ? SUB_MAILBOX_NOT_FOUND : SUB_BLANKET_REJECT;
    }
    return control->reason == REASON_POLICY_BLOCKED && control->state == CONTROL_UNTESTABLE
               ? SUB_BLOCKED
               : SUB_BLANKET_REJECT;
}

static enum verdict_sub sub_of_domain(const struct verdict_question *q, const struct evidence *e)
{
    if (e->stage < HEL_SMTP_RCPT) {
        return decide_all_exchangers(q, CLAIM_DOMAIN) ? SUB_DOMAIN_NOT_HOSTED : SUB_BLANKET_REJECT;
    }
    const struct verify_control_memory *control = decide_control(q, e);
    if (control->state == CONTROL_ACCEPTED) {
        return SUB_MAILBOX_NOT_FOUND;
    }
    if (!decide_is_alike(e, control, q->local)) {
        return SUB_BLANKET_REJECT;
    }
    if (q->domain->live_seen > 0) {
        return SUB_MAILBOX_NOT_FOUND; /* others are served: it is this mailbox after all */
    }
    return decide_all_exchangers(q, CLAIM_DOMAIN) ? SUB_DOMAIN_NOT_HOSTED : SUB_BLANKET_REJECT;
}

static enum verdict_sub sub_of_soft_gone(const struct verdict_question *q, const struct evidence *e)
{
    const struct verify_control_memory *control = decide_control(q, e);
    bool is_stable = verdict_repeats(q->evidence, q->count, CLAIM_SOFT_GONE) >= DECIDE_SOFT_TIMES;
    bool others_live = q->domain->live_seen > 0 || q->domain->postmaster.state == CONTROL_ACCEPTED;
    bool is_selective = control->state == CONTROL_ACCEPTED ||
                        (decide_is_alike(e, control, q->local) && others_live);
    return is_stable && is_selective ? SUB_MAILBOX_NOT_FOUND : SUB_TEMP_FAILURE;
}

static bool had_connect_timeout(const struct verdict_question *q)
{
    for (size_t i = 0; i < q->count; i++) {
        if (q->evidence[i].role == PROBE_REAL && q->evidence[i].kind == EVIDENCE_CONNECT_TIMEOUT) {
            return true;
        }
    }
    return false;
}

static enum verdict_sub sub_of_claim(const struct verdict_question *q, const struct evidence *e,
                                     enum claim claim)
{
    switch (claim) {
    case CLAIM_ACCEPTED:
    case CLAIM_ACCEPTED_ODD: return sub_of_accepted(q, e, claim);
    case CLAIM_EXISTS: return SUB_ACCEPTED_RATE_LIMITED;
    case CLAIM_FULL: return SUB_MAILBOX_FULL;
    case CLAIM_GONE: return SUB_MAILBOX_NOT_FOUND;
    case CLAIM_DISABLED: return SUB_MAILBOX_DISABLED;
    case CLAIM_MOVED: return SUB_MAILBOX_MOVED;
    case CLAIM_DOMAIN: return sub_of_domain(q, e);
    case CLAIM_AMBIGUOUS: return sub_of_ambiguous(q, e);
    case CLAIM_SOFT_GONE: return sub_of_soft_gone(q, e);
    case CLAIM_GREYLISTED: return SUB_GREYLISTED;
    case CLAIM_IN_PROGRESS:
    case CLAIM_TEMPORARY:
    case CLAIM_BROKEN: return SUB_TEMP_FAILURE;
    case CLAIM_RATED: return SUB_RATE_LIMITED;
    case CLAIM_BLOCKED: return SUB_BLOCKED;
    case CLAIM_TLS: return SUB_TLS_REQUIRED_FAILED;
    case CLAIM_TIMEOUT: return SUB_SMTP_TIMEOUT;
    case CLAIM_DISCONNECTED: return SUB_DISCONNECTED;
    case CLAIM_PROTOCOL: return SUB_PROTOCOL_ERROR;
    case CLAIM_UNREACHED: return had_connect_timeout(q) ? SUB_CONNECT_TIMEOUT : SUB_CONNECT_FAILED;
    case CLAIM_NO_UTF8:
        return decide_all_exchangers(q, CLAIM_NO_UTF8) ? SUB_SMTPUTF8_UNSUPPORTED
                                                       : SUB_CONNECT_FAILED;
    case CLAIM_SKIPPED: return SUB_SKIPPED;
    case CLAIM_LOCAL:
    case CLAIM_COUNT: break;
    }
    return SUB_INTERNAL_ERROR;
}

/* True where DNS alone decides. */
static bool sub_of_route(const struct route *route, enum verdict_sub *out)
{
    switch (route->status) {
    case ROUTE_OK: return false;
    case ROUTE_NOT_FOUND: *out = SUB_DOMAIN_NOT_FOUND; return true;
    case ROUTE_NULL_MX: *out = SUB_NULL_MX; return true;
    case ROUTE_NO_HOST: *out = SUB_NO_MAIL_HOST; return true;
    case ROUTE_UNROUTABLE: *out = SUB_MX_UNROUTABLE; return true;
    case ROUTE_DNS_ERROR: break;
    }
    *out = SUB_DNS_ERROR;
    return true;
}

static bool has_usable_host(const struct route *route)
{
    for (size_t i = 0; i < route->exchanger_count; i++) {
        if (route->exchangers[i].status == HOST_OK) {
            return true;
        }
    }
    return false;
}

/* Nothing was asked. */
static enum verdict_sub sub_without_evidence(const struct verdict_question *q,
                                             enum skip_reason *out_skip)
{
    *out_skip = q->why;
    if (q->is_expired || q->route == NULL || q->config->no_smtp) {
        return SUB_SKIPPED;
    }
    if ((q->provider->traits & PROVIDER_SKIP) != 0) {
        *out_skip = SKIP_PROVIDER_POLICY;
        return SUB_SKIPPED;
    }
    /* There was somebody to ask, so there was an answer, and no memory to keep it. */
    return has_usable_host(q->route) ? SUB_INTERNAL_ERROR : SUB_CONNECT_FAILED;
}

static void decide_block_kind(const struct verdict_question *q, struct verdict *out)
{
    if (out->sub != SUB_BLOCKED) {
        return;
    }
    const struct evidence *e = &q->evidence[out->deciding];
    out->block_kind = e->class.block_kind;
    if (out->block_kind == BLOCK_NONE) {
        out->block_kind = e->stage == HEL_SMTP_EHLO ? BLOCK_HELO : BLOCK_POLICY;
    }
}

/* From the answer itself and from what it rests on: not from what others of the domain happen to have learned by
 * then, so that the same answers make the same record in any order. */
static enum tri decide_catch_all(const struct verdict_question *q, enum claim claim,
                                 const struct evidence *e)
{
    if (claim == CLAIM_GONE) {
        return TRI_NO; /* not every name is taken: this one is not */
    }
    if (!claim_rests_on_control(claim)) {
        return TRI_UNKNOWN;
    }
    switch ((enum control_state)decide_control(q, e)->state) {
    case CONTROL_ACCEPTED: return TRI_YES;
    case CONTROL_REFUSED: return TRI_NO;
    case CONTROL_UNTESTED:
    case CONTROL_RUNNING:
    case CONTROL_UNTESTABLE: break;
    }
    return TRI_UNKNOWN;
}

static void decide_tristates(const struct verdict_question *q, enum claim claim,
                             struct verdict *out)
{
    out->is_catch_all = decide_catch_all(q, claim, &q->evidence[out->deciding]);
    bool is_answered = claim <= CLAIM_MOVED;
    if (is_answered) {
        out->is_full = claim == CLAIM_FULL ? TRI_YES : TRI_NO;
        out->is_disabled = claim == CLAIM_DISABLED ? TRI_YES : TRI_NO;
    }
}

/* The user's own policy comes last, and never hides that mail would bounce. */
static enum verdict_sub sub_by_policy(const struct verdict_question *q, enum verdict_sub sub)
{
    enum verdict_status status = verdict_status_of(sub);
    unsigned risky_if = q->config->risky_if;
    if (status != VERDICT_UNDELIVERABLE && q->hints->is_disposable &&
        (risky_if & VERIFY_RISKY_DISPOSABLE) != 0) {
        return SUB_DISPOSABLE;
    }
    if (status != VERDICT_DELIVERABLE) {
        return sub;
    }
    if (q->hints->is_role && (risky_if & VERIFY_RISKY_ROLE) != 0) {
        return SUB_ROLE;
    }
    return q->hints->is_free && (risky_if & VERIFY_RISKY_FREE) != 0 ? SUB_SUPPRESSED : sub;
}

/* Stopped by its owner: what is not settled is not told, so that it is asked another time. */
static bool is_cancelled(const struct verdict_question *q, enum verdict_sub sub)
{
    return q->is_expired && q->why == SKIP_CANCELLED &&
           (verdict_status_of(sub) == VERDICT_UNKNOWN || sub == SUB_ACCEPTED_UNCONFIRMED);
}

static void decide_sub(const struct verdict_question *q, struct verdict *out)
{
    enum claim claim = CLAIM_LOCAL;
    if (q->route != NULL && sub_of_route(q->route, &out->sub)) {
        return;
    }
    out->deciding = q->route == NULL ? -1 : verdict_standing(q->evidence, q->count, &claim);
    if (out->deciding < 0) {
        out->sub = sub_without_evidence(q, &out->skip);
        return;
    }
    const struct evidence *e = &q->evidence[out->deciding];
    out->sub = sub_of_claim(q, e, claim);
    out->stage = e->stage;
    if (claim == CLAIM_SKIPPED) {
        out->skip = e->skip;
    }
    decide_block_kind(q, out);
    decide_tristates(q, claim, out);
}

static uint32_t retry_after(const struct verdict_question *q, const struct verdict *verdict)
{
    bool is_open = verdict->status == VERDICT_UNKNOWN || verdict->sub == SUB_MAILBOX_FULL ||
                   verdict->sub == SUB_ACCEPTED_UNCONFIRMED;
    if (!is_open) {
        return 0;
    }
    if (q->wait_s != 0) {
        return q->wait_s;
    }
    uint32_t hint = verdict->deciding < 0 ? 0 : q->evidence[verdict->deciding].class.retry_after_s;
    return hint != 0 ? hint : life_retry_after(verdict->sub, verdict->skip);
}

void verdict_decide(const struct verdict_question *question, struct verdict *out)
{
    memset(out, 0, offsetof(struct verdict, reasons)); /* reason_count says which are there */
    out->deciding = -1;
    decide_sub(question, out);
    enum verdict_sub found = out->sub;
    if (is_cancelled(question, found)) {
        found = out->sub = SUB_SKIPPED;
        out->skip = SKIP_CANCELLED;
    } else {
        out->sub = sub_by_policy(question, found);
    }
    if (out->sub != SUB_BLOCKED) {
        out->block_kind = BLOCK_NONE;
    }
    if (out->sub != SUB_SKIPPED) {
        out->skip = SKIP_NONE;
    }
    out->status = verdict_status_of(out->sub);
    out->retry_after_s = retry_after(question, out);
    score_sum(question, out);
    if (out->sub != found) {
        score_reason(out, verdict_sub_name(found), 0, "what the servers say");
    }
    out->life_s = life_of(out, question->route);
}
