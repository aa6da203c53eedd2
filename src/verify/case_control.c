/* Controls: a name that cannot exist is asked where the real one was answered, once for a domain and
 * shape. And witnesses: where everybody is refused alike, somebody who is not tells a dead mailbox from
 * a closed door.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/case_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

static const struct slice postmaster = SLICE_LITERAL("postmaster");

bool verify_has_control(const struct verify_config *config, const struct provider *provider)
{
    const unsigned against = PROVIDER_CONTROL_MEANINGLESS | PROVIDER_FORBIDS_PROBING;
    return !config->no_control && (provider->traits & against) == 0;
}

bool case_needs_control(const struct verify_case *c, enum claim claim, const struct evidence *e)
{
    unsigned traits = c->provider->traits;
    bool is_yes = claim == CLAIM_ACCEPTED || claim == CLAIM_ACCEPTED_ODD;
    if (!verify_has_control(c->config, c->provider)) {
        return false;
    }
    if (is_yes && ((traits & PROVIDER_ACCEPTS_ALL) != 0 || claim_is_distrusted(e, c->provider))) {
        return false;
    }
    return claim != CLAIM_ACCEPTED || (traits & PROVIDER_SELECTIVE) == 0;
}

static const struct evidence *standing(const struct verify_case *c)
{
    return &c->evidence[c->standing];
}

static struct verify_control_memory *slot_of(struct verify_case *c)
{
    return route_is_backup(c->route, standing(c)->exchanger) ? &c->domain->backup_controls[c->shape]
                                                             : &c->domain->controls[c->shape];
}

static bool is_settled(const struct verify_case *c, const struct verify_control_memory *slot,
                       uint64_t now_ms)
{
    uint64_t age_ms = now_ms > slot->at_ms ? now_ms - slot->at_ms : 0;
    switch ((enum control_state)slot->state) {
    case CONTROL_ACCEPTED: return age_ms < CASE_MEMORY_MS;
    case CONTROL_REFUSED: break;
    case CONTROL_UNTESTABLE: return age_ms < CASE_UNTESTABLE_MS;
    case CONTROL_UNTESTED:
    case CONTROL_RUNNING: return false;
    }
    /* Vague words may have been about us, then; they give no meaning to a yes of today. */
    bool is_vague = slot->reason == REASON_UNKNOWN && claim_of(standing(c)) == CLAIM_ACCEPTED;
    return age_ms < (is_vague ? CASE_VAGUE_MS : CASE_MEMORY_MS);
}

static void put_rcpt(struct verify_case *c, struct slice local)
{
    control_put_path(local, hel_address_domain(c->address), c->rcpt);
}

static void put_control(struct verify_case *c)
{
    char local[CONTROL_CHARS_MAX + 1];
    control_make(hel_address_local(c->address), c->seed + c->control_serial, local);
    put_rcpt(c, slice_of(local));
}

void case_put_rcpt(struct verify_case *c)
{
    if (c->owned == &c->domain->postmaster) {
        put_rcpt(c, postmaster);
    } else if (c->owned != NULL) {
        put_control(c);
    }
}

static void take(struct verify_case *c, struct verify_control_memory *slot)
{
    slot->state = CONTROL_RUNNING;
    slot->tries = (uint8_t)(slot->tries + (slot->tries < UINT8_MAX ? 1 : 0));
    c->owned = slot;
    c->control_waits = c->control_losses = 0;
    c->control_fresh = c->control_elsewhere = false;
    c->not_before_ms = 0;
}

static void ask(struct verify_case *c, enum probe_role role, struct verify_action *out)
{
    out->kind = VERIFY_PROBE;
    out->probe = (struct verify_probe){
        .role = role,
        .exchanger = standing(c)->exchanger,
        .is_null_sender = standing(c)->is_null_sender,
        .wants_fresh_connection = c->control_fresh,
        .keeps_egress = !c->control_elsewhere,
        .wants_other_egress = c->control_elsewhere,
        .rcpt = slice_of(c->rcpt),
    };
    c->control_fresh = c->control_elsewhere = false;
    c->asked = role;
    c->is_asking = true;
}

void case_release(struct verify_case *c)
{
    if (c->owned != NULL) {
        c->owned->state = CONTROL_UNTESTED;
        c->owned = NULL;
        case_changed(c);
    }
}

static void settle(struct verify_case *c, enum control_state state, const struct evidence *e,
                   uint64_t now_ms)
{
    struct slice rcpt = slice_of(c->rcpt);
    struct slice local = slice_sub(rcpt, 0, slice_find_last_byte(rcpt, '@'));
    struct verify_control_memory *slot = c->owned;
    slot->state = (uint8_t)state;
    slot->code = e->code;
    slot->at_ms = now_ms;
    slot->text_hash = claim_text_hash(e->text, local);
    slot->reason =
        (uint8_t)(claim_of(e) == CLAIM_BLOCKED ? REASON_POLICY_BLOCKED : e->class.reason);
    c->owned = NULL;
    c->wait_s = 0;
    case_changed(c);
}

/* The control has its answer, or will have none. */
static void after_control(struct verify_case *c)
{
    enum claim claim = claim_of(standing(c));
    bool needs_witness = claim == CLAIM_AMBIGUOUS || claim == CLAIM_SOFT_GONE;
    if (needs_witness && decide_is_alike(standing(c), slot_of(c), hel_address_local(c->address))) {
        c->plan = PLAN_WITNESS;
    } else {
        case_done(c);
    }
}

bool case_confirm(struct verify_case *c, uint64_t now_ms, struct verify_action *out)
{
    struct verify_control_memory *slot = slot_of(c);
    if (c->owned == NULL) {
        if (is_settled(c, slot, now_ms)) {
            after_control(c);
            return false;
        }
        if (slot->state == CONTROL_RUNNING) {
            out->kind = VERIFY_AWAIT_DOMAIN;
            return true;
        }
        take(c, slot);
        put_control(c);
    }
    c->control_count++;
    ask(c, PROBE_CONTROL, out);
    return true;
}

static void untestable(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    settle(c, CONTROL_UNTESTABLE, e, now_ms);
}

static void retry_fresh(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    if (c->control_losses >= CASE_CONTROL_LOSSES) {
        untestable(c, e, now_ms);
        return;
    }
    c->control_losses++;
    c->control_fresh = true;
}

/* Blocked: what it was asked for stands, and may be confirmed through another way out. */
static void retry_elsewhere(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    if (!e->has_other_egress || c->control_losses >= CASE_CONTROL_LOSSES) {
        untestable(c, e, now_ms);
        return;
    }
    c->control_losses++;
    c->control_elsewhere = true;
}

/* The same name again: a greylist's clock runs for the triplet. */
static void retry_later(struct verify_case *c, enum claim claim, const struct evidence *e,
                        uint64_t now_ms)
{
    if (e->session_rcpts > 0 && claim != CLAIM_GREYLISTED && claim != CLAIM_IN_PROGRESS &&
        c->control_losses < CASE_CONTROL_LOSSES) {
        c->control_losses++;
        c->control_fresh = true;
        return;
    }
    if (c->control_waits >= CASE_CONTROL_WAITS) {
        untestable(c, e, now_ms);
        return;
    }
    uint32_t wait_s = case_wait_s(c, claim, e->class.retry_after_s, c->control_waits);
    c->control_waits++;
    c->control_fresh = true;
    case_wait(c, wait_s, now_ms);
    if (c->plan == PLAN_DONE) {
        uint32_t advice_s = c->wait_s;
        untestable(c, e, now_ms);
        c->wait_s = advice_s;
    }
}

void case_control(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    enum claim claim = claim_of(e);
    if (e->is_hearsay) {
        untestable(c, e, now_ms);
        return;
    }
    switch (claim) {
    case CLAIM_GONE:
    case CLAIM_SOFT_GONE:
    case CLAIM_AMBIGUOUS:
    case CLAIM_DISABLED:
    case CLAIM_MOVED:
    case CLAIM_DOMAIN: settle(c, CONTROL_REFUSED, e, now_ms); break;
    case CLAIM_ACCEPTED:
    case CLAIM_ACCEPTED_ODD:
        if (claim_is_distrusted(e, c->provider) && c->control_losses < CASE_CONTROL_LOSSES) {
            c->control_losses++;
            c->control_fresh = true;
        } else {
            settle(c, CONTROL_ACCEPTED, e, now_ms);
        }
        break;
    case CLAIM_EXISTS:
    case CLAIM_FULL: /* by chance somebody's name, or words that mean nothing: another name tells */
        c->control_serial++;
        put_control(c);
        retry_fresh(c, e, now_ms);
        break;
    case CLAIM_GREYLISTED:
    case CLAIM_IN_PROGRESS:
    case CLAIM_TEMPORARY:
    case CLAIM_RATED: retry_later(c, claim, e, now_ms); break;
    case CLAIM_BROKEN:
    case CLAIM_TIMEOUT:
    case CLAIM_DISCONNECTED:
    case CLAIM_PROTOCOL:
    case CLAIM_UNREACHED:
    case CLAIM_LOCAL: retry_fresh(c, e, now_ms); break;
    case CLAIM_BLOCKED: retry_elsewhere(c, e, now_ms); break;
    case CLAIM_TLS:
    case CLAIM_NO_UTF8:
    case CLAIM_SKIPPED:
    case CLAIM_COUNT: untestable(c, e, now_ms); break;
    }
}

static bool is_postmaster(const struct verify_case *c)
{
    return slice_equal_nocase(hel_address_local(c->address), postmaster);
}

static bool awaits_others(struct verify_case *c, struct verify_action *out)
{
    case_leave_pending(c);
    if (c->domain->pending == 0) {
        return false;
    }
    if (!c->awaits_live) {
        c->awaits_live = true;
        c->domain->awaiting_live++;
    }
    out->kind = VERIFY_AWAIT_DOMAIN;
    return true;
}

bool case_witness(struct verify_case *c, uint64_t now_ms, struct verify_action *out)
{
    struct verify_control_memory *slot = &c->domain->postmaster;
    if (c->domain->live_seen > 0) {
        case_done(c);
        return false;
    }
    if (c->owned == NULL) {
        if (awaits_others(c, out)) {
            return true;
        }
        if (is_postmaster(c) || is_settled(c, slot, now_ms)) {
            case_done(c);
            return false;
        }
        if (slot->state == CONTROL_RUNNING) {
            out->kind = VERIFY_AWAIT_DOMAIN;
            return true;
        }
        take(c, slot);
        put_rcpt(c, postmaster);
    }
    ask(c, PROBE_POSTMASTER, out);
    return true;
}

void case_postmaster(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    enum claim claim = claim_of(e);
    bool is_accepted = claim == CLAIM_ACCEPTED || claim == CLAIM_EXISTS || claim == CLAIM_FULL;
    bool is_refused = e->kind == EVIDENCE_REPLY && e->code >= 400 && !is_accepted;
    enum control_state state = is_accepted  ? CONTROL_ACCEPTED
                               : is_refused ? CONTROL_REFUSED
                                            : CONTROL_UNTESTABLE;
    settle(c, state, e, now_ms);
    case_done(c);
}
