/* The life of a case and its actions. After each answer there is a plan; `next` turns it into an action.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "verify/case_pack.h"
#include "verify/case_private.h"

size_t verify_case_bytes(void)
{
    return sizeof(struct verify_case);
}

struct verify_case *case_alloc(struct pool *spare)
{
    struct verify_case *c = spare == NULL ? malloc(sizeof *c) : pool_take(spare);
    if (c != NULL) {
        memset(c, 0, offsetof(struct verify_case, rcpt));
        c->spare = spare;
        c->evidence = c->first;
        c->cap = CASE_EVIDENCE_FIRST;
        c->rcpt[0] = '\0';
    }
    return c;
}

enum err verify_case_new(const struct verify_config *config, const struct hel_address *address,
                         struct verify_domain *domain, uint64_t seed, struct pool *spare,
                         struct verify_case **out)
{
    struct verify_case *c = case_alloc(spare);
    if (c == NULL) {
        return ERR_NOMEM;
    }
    c->config = config;
    c->address = address;
    c->domain = domain;
    c->seed = seed;
    c->shape = (uint8_t)control_shape(hel_address_local(address));
    c->is_null_sender = config->null_sender_first || !config->has_sender;
    c->round_claim = CLAIM_COUNT;
    c->is_pending = true;
    domain->pending++;
    *out = c;
    return ERR_NONE;
}

void verify_domain_expect(struct verify_domain *domain)
{
    domain->pending++;
}

void verify_domain_unexpect(struct verify_domain *domain)
{
    domain->pending--;
    if (domain->pending == 0 && domain->awaiting_live > 0) {
        domain->changes++;
    }
}

static void leave_awaiting(struct verify_case *c)
{
    if (c->awaits_live) {
        c->awaits_live = false;
        c->domain->awaiting_live--;
    }
}

void verify_case_free(struct verify_case *c)
{
    if (c == NULL) {
        return;
    }
    case_release(c);
    leave_awaiting(c);
    case_leave_pending(c);
    verify_case_forget(c);
}

void verify_case_was_accepted(struct verify_case *c, uint32_t host)
{
    c->accepted_by = host;
}

void case_changed(struct verify_case *c)
{
    c->domain->changes++;
}

void case_leave_pending(struct verify_case *c)
{
    if (!c->is_pending) {
        return;
    }
    c->is_pending = false;
    verify_domain_unexpect(c->domain);
}

void case_done(struct verify_case *c)
{
    c->plan = PLAN_DONE;
}

void case_wait(struct verify_case *c, uint32_t wait_s, uint64_t now_ms)
{
    uint32_t max_s = c->config->wait_s_max != 0 ? c->config->wait_s_max : VERIFY_WAIT_S_MAX;
    c->wait_s = wait_s;
    if (!c->config->retry_temporary || wait_s > max_s) {
        case_done(c);
        return;
    }
    c->not_before_ms = now_ms + (uint64_t)wait_s * 1000;
}

static bool is_asked(const struct verify_config *config, const struct route *route,
                     const struct provider *provider)
{
    return route->status == ROUTE_OK && !config->no_smtp && (provider->traits & PROVIDER_SKIP) == 0;
}

bool verify_first_exchanger(const struct verify_config *config, const struct route *route,
                            const struct provider *provider, uint8_t *out)
{
    return is_asked(config, route, provider) && case_next_exchanger(route, 0, out);
}

void verify_case_routed(struct verify_case *c, const struct route *route,
                        const struct provider *provider, uint64_t now_ms)
{
    (void)now_ms;
    must(route->exchanger_count <= ROUTE_EXCHANGERS_MAX);
    bool is_first = c->route == NULL;
    c->route = route;
    c->provider = provider;
    if (!is_first || c->plan != PLAN_RESOLVE) {
        return;
    }
    c->is_asking = false;
    if (is_asked(c->config, route, provider)) {
        case_begin_round(c);
    } else {
        case_done(c);
    }
}

bool case_make_room(struct verify_case *c, size_t count)
{
    if (count <= c->cap) {
        return true;
    }
    bool is_first = c->evidence == c->first;
    struct evidence *grown = realloc(is_first ? NULL : c->evidence, count * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    for (size_t i = 0; is_first && i < c->count; i++) {
        evidence_copy(&grown[i], &c->first[i]);
    }
    c->evidence = grown;
    c->cap = count;
    return true;
}

static bool append(struct verify_case *c, const struct evidence *evidence)
{
    size_t doubled = c->cap * 2 < CASE_EVIDENCE_MAX ? c->cap * 2 : CASE_EVIDENCE_MAX;
    if (c->count == c->cap && !case_make_room(c, doubled)) {
        return false;
    }
    evidence_copy(&c->evidence[c->count++], evidence);
    return true;
}

void verify_case_probed(struct verify_case *c, const struct evidence *evidence, uint64_t now_ms)
{
    if (!c->is_asking || c->plan == PLAN_DONE || c->plan == PLAN_RESOLVE) {
        return; /* too late: it was told to stop */
    }
    c->is_asking = false;
    c->wait_s = 0;
    c->not_before_ms = 0;
    if (c->count == CASE_EVIDENCE_MAX || !append(c, evidence)) {
        case_done(c);
        return;
    }
    struct evidence *e = &c->evidence[c->count - 1];
    e->role = c->asked;
    e->exchanger = c->asked == PROBE_REAL ? c->exchanger : c->evidence[c->standing].exchanger;
    e->text[EVIDENCE_TEXT_BYTES - 1] = '\0';
    switch (c->asked) {
    case PROBE_REAL: case_real(c, e, now_ms); break;
    case PROBE_CONTROL: case_control(c, e, now_ms); break;
    case PROBE_POSTMASTER: case_postmaster(c, e, now_ms); break;
    }
    if (c->count == CASE_EVIDENCE_MAX) {
        case_done(c);
    }
}

void verify_case_tick(struct verify_case *c, uint64_t now_ms)
{
    if (now_ms >= c->not_before_ms) {
        c->not_before_ms = 0;
    }
}

/* Until it would go on. */
static uint32_t wait_left_s(const struct verify_case *c, uint64_t now_ms)
{
    return c->not_before_ms > now_ms ? (uint32_t)((c->not_before_ms - now_ms + 999) / 1000)
                                     : c->wait_s;
}

void verify_case_expire(struct verify_case *c, enum skip_reason why, uint64_t now_ms)
{
    if (c->is_concluded) {
        return;
    }
    c->is_expired = true;
    c->why = why;
    c->is_asking = false;
    c->wait_s = wait_left_s(c, now_ms);
    case_done(c);
}

/* Seen alive where others are refused: what makes a vague refusal of another mailbox believable. */
static void count_live(struct verify_case *c)
{
    enum claim claim = CLAIM_LOCAL;
    int at = c->route == NULL ? -1 : verdict_standing(c->evidence, c->count, &claim);
    if (at < 0 || (claim != CLAIM_ACCEPTED && claim != CLAIM_EXISTS)) {
        return;
    }
    const struct evidence *e = &c->evidence[at];
    const struct verify_control_memory *control = route_is_backup(c->route, e->exchanger)
                                                      ? &c->domain->backup_controls[c->shape]
                                                      : &c->domain->controls[c->shape];
    unsigned traits = c->provider->traits;
    bool is_selective = control->state == CONTROL_REFUSED || (traits & PROVIDER_SELECTIVE) != 0;
    bool is_live = claim == CLAIM_EXISTS || (is_selective && (traits & PROVIDER_ACCEPTS_ALL) == 0 &&
                                             !claim_is_distrusted(e, c->provider));
    if (is_live && c->domain->live_seen < UINT16_MAX) {
        c->domain->live_seen++;
        if (c->domain->live_seen == 1) {
            case_changed(c);
        }
    }
}

static void conclude(struct verify_case *c)
{
    c->is_concluded = true;
    case_release(c);
    leave_awaiting(c);
    count_live(c);
    case_leave_pending(c);
}

static void ask_real(struct verify_case *c, struct verify_action *out)
{
    out->kind = VERIFY_PROBE;
    out->probe = (struct verify_probe){
        .role = PROBE_REAL,
        .exchanger = c->exchanger,
        .is_null_sender = c->is_null_sender,
        .wants_fresh_connection = c->wants_fresh,
        .keeps_egress = c->keeps_egress,
        .wants_other_egress = c->wants_other_egress,
        .needs_smtputf8 = c->address->needs_smtputf8,
        .rcpt = hel_address_wire(c->address),
    };
    c->asked = PROBE_REAL;
    c->is_asking = true;
}

/* False: the plan changed, look again. */
static bool act(struct verify_case *c, uint64_t now_ms, struct verify_action *out)
{
    switch (c->plan) {
    case PLAN_RESOLVE:
        c->is_asking = true;
        out->kind = VERIFY_RESOLVE;
        return true;
    case PLAN_ASK: ask_real(c, out); return true;
    case PLAN_CONFIRM: return case_confirm(c, now_ms, out);
    case PLAN_WITNESS: return case_witness(c, now_ms, out);
    case PLAN_DONE: break;
    }
    if (!c->is_concluded) {
        conclude(c);
    }
    out->kind = VERIFY_DONE;
    return true;
}

void verify_case_next(struct verify_case *c, uint64_t now_ms, struct verify_action *out)
{
    *out = (struct verify_action){.kind = VERIFY_IDLE};
    if (c->is_asking) {
        return;
    }
    if (c->plan != PLAN_DONE && now_ms < c->not_before_ms) {
        case_leave_pending(c);
        out->kind = VERIFY_WAIT;
        out->until_ms = c->not_before_ms;
        return;
    }
    while (!act(c, now_ms, out)) {
    }
}

static struct verdict_question question_of(const struct verify_case *c,
                                           const struct verify_hints *hints,
                                           const struct verify_history *history)
{
    return (struct verdict_question){
        .evidence = c->evidence,
        .count = c->count,
        .route = c->route,
        .provider = c->provider,
        .domain = c->domain,
        .hints = hints,
        .history = history,
        .config = c->config,
        .local = hel_address_local(c->address),
        .shape = c->shape,
        .is_expired = c->is_expired,
        .why = c->why,
        .wait_s = c->wait_s,
    };
}

void verify_case_verdict(const struct verify_case *c, const struct verify_hints *hints,
                         const struct verify_history *history, struct verdict *out)
{
    must(c->is_concluded);
    struct verdict_question question = question_of(c, hints, history);
    verdict_decide(&question, out);
}

void verify_case_verdict_so_far(const struct verify_case *c, const struct verify_hints *hints,
                                const struct verify_history *history, uint64_t now_ms,
                                struct verdict *out)
{
    struct verdict_question question = question_of(c, hints, history);
    if (!c->is_concluded) {
        question.is_expired = true;
        question.why = SKIP_BUDGET;
        question.wait_s = wait_left_s(c, now_ms);
    }
    verdict_decide(&question, out);
}

const struct evidence *verify_case_evidence(const struct verify_case *c, size_t *out_count)
{
    *out_count = c->count;
    return c->evidence;
}

/* The memory where the standing evidence came from; NULL: it rests on no control. */
static const struct verify_control_memory *summary_control(const struct verify_case *c)
{
    enum claim claim = CLAIM_LOCAL;
    int at = c->route == NULL ? -1 : verdict_standing(c->evidence, c->count, &claim);
    if (at < 0 || !claim_rests_on_control(claim)) {
        return NULL;
    }
    return route_is_backup(c->route, c->evidence[at].exchanger)
               ? &c->domain->backup_controls[c->shape]
               : &c->domain->controls[c->shape];
}

void verify_case_summary(const struct verify_case *c, struct verify_summary *out)
{
    const struct verify_control_memory *control = summary_control(c);
    *out = (struct verify_summary){
        .attempts = c->attempts,
        .control_tested = c->control_count > 0,
        .control = control == NULL ? CONTROL_UNTESTED : (enum control_state)control->state,
        .control_code = control == NULL ? 0 : control->code,
        .control_count = c->control_count,
        .greylist_seen = c->greylist_seen,
        .greylist_first_ms = c->greylist_first_ms,
        .greylist_passed_ms = c->greylist_passed_ms,
    };
}
