/* engine/ask: drives the case of one address: fulfils what it asks for, answers it, keeps its time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"

static uint64_t now_ms(const struct ask *ask)
{
    return door_now_ms(ask->knocker->door);
}

static enum err case_begin(struct ask *ask)
{
    struct knocker *knocker = ask->knocker;
    if (!ask_equip(ask)) {
        return ERR_NOMEM;
    }
    enum err e =
        verify_case_new(&knocker->config.verify, &ask->address, &ask->domain->memory,
                        random_next(&knocker->random), &knocker->spare_cases, &ask->verify);
    UNFILLED struct verify_history history;
    if (e == ERR_NONE && history_read(ask, &history)) {
        verify_case_was_accepted(ask->verify, history_accepted_by(&history));
    }
    return e;
}

static void set_probe(struct ask *ask, const struct verify_probe *probe)
{
    const struct domain *domain = ask->domain;
    must(domain->site != NULL && probe->exchanger < domain->route->exchanger_count);
    ask->work->probe = (struct conversation_probe){
        .role = probe->role,
        .exchanger = probe->exchanger,
        .is_null_sender = probe->is_null_sender,
        .needs_smtputf8 = probe->needs_smtputf8,
        .rcpt = probe->rcpt, /* the case keeps it until it is answered */
    };
    ask->wants_fresh = probe->wants_fresh_connection;
    ask->keeps_egress = probe->keeps_egress && ask->work->was_tried;
    if (probe->wants_other_egress) {
        ask->work->shun |= UINT64_C(1) << ask->egress;
    }
    ask->requeues = 0;
}

static void enqueue(struct ask *ask, size_t exchanger)
{
    struct domain *domain = ask->domain;
    site_enqueue(domain->site, ask, &domain->route->exchangers[exchanger]);
}

static void on_wait_over(void *context)
{
    struct ask *ask = context;
    ask->is_waiting = false;
    ask->knocker->counts.waiting--;
    verify_case_tick(ask->verify, now_ms(ask));
    ask_step(ask);
}

static void stop_waiting(struct ask *ask)
{
    if (ask->is_waiting) {
        ask->is_waiting = false;
        ask->knocker->counts.waiting--;
        door_timer_stop(ask->knocker->door, &ask->work->wait);
    }
}

static void ask_wait(struct ask *ask, uint64_t until_ms)
{
    const struct knocker_config *config = &ask->knocker->config;
    uint64_t end_ms = ask->asked_ms + config->budget_ms;
    if (config->is_budget_wall_clock && config->budget_ms != 0 && until_ms >= end_ms) {
        ask_expire(ask, SKIP_BUDGET); /* nobody will wait that long: say so now */
        return;
    }
    ask->work->shun = 0; /* by then it may be another matter */
    ask_hold(ask, until_ms);
}

void ask_hold(struct ask *ask, uint64_t until_ms)
{
    if (park_until(ask, until_ms)) {
        return;
    }
    park_give_back_room(ask);
    ask->is_waiting = true;
    ask->knocker->counts.waiting++;
    ask->work->wait = (struct timer){.fired = on_wait_over, .context = ask};
    door_timer_start(ask->knocker->door, &ask->work->wait, until_ms);
}

void ask_await(struct ask *ask)
{
    if (!park_until_woken(ask)) {
        park_give_back_room(ask);
        ask_link(ask, &ask->domain->waiting, ASK_DOMAIN, false);
    }
}

/* What others of the domain await may have changed with this case's last step. */
static void spread_news(struct domain *domain)
{
    if (domain->memory.changes != domain->memory_changes_seen) {
        domain->memory_changes_seen = domain->memory.changes;
        domain_changed(domain);
    }
}

/* Where it is the only question, its line says goodbye first: the answer is made in the time that takes. Nobody else is
 * there who could change what it rests on meanwhile. */
static void finish(struct ask *ask)
{
    const struct knocker *knocker = ask->knocker;
    if (ask_awaits_signals(ask)) {
        return;
    }
    bool is_only = knocker->counts.asked - knocker->counts.answered == 1;
    if (is_only && !knocker->is_turning) {
        ask->is_over = true;
        knocker_make_ready(ask);
        return;
    }
    knocker_finish(ask);
}

/* One action; true: there may be another at once. */
static bool act(struct ask *ask)
{
    struct verify_action action;
    verify_case_next(ask->verify, now_ms(ask), &action);
    switch (action.kind) {
    case VERIFY_RESOLVE:
        verify_case_routed(ask->verify, ask->domain->route, ask->domain->provider, now_ms(ask));
        return true;
    case VERIFY_PROBE:
        set_probe(ask, &action.probe);
        enqueue(ask, action.probe.exchanger);
        return false;
    case VERIFY_WAIT: ask_wait(ask, action.until_ms); return false;
    case VERIFY_AWAIT_DOMAIN: ask_await(ask); return false;
    case VERIFY_IDLE: return false;
    case VERIFY_DONE: finish(ask); return false;
    }
    return false;
}

void ask_unexpect(struct ask *ask)
{
    if (ask->is_unbegun) {
        ask->is_unbegun = false;
        verify_domain_unexpect(&ask->domain->memory);
        spread_news(ask->domain);
    }
}

bool ask_begin(struct ask *ask)
{
    if (ask->verify != NULL) {
        return true;
    }
    if (case_begin(ask) != ERR_NONE) {
        return false;
    }
    ask_unexpect(ask); /* the case counts itself */
    uint64_t now = now_ms(ask);
    struct verify_action action;
    verify_case_next(ask->verify, now, &action);
    must(action.kind == VERIFY_RESOLVE);
    verify_case_routed(ask->verify, ask->domain->route, ask->domain->provider, now);
    verify_case_next(ask->verify, now, &action);
    must(action.kind == VERIFY_PROBE);
    set_probe(ask, &action.probe);
    return true;
}

/* True: it stands in a queue, or was told of before it could. */
static bool stands_unbegun(struct ask *ask)
{
    struct domain *domain = ask->domain;
    uint8_t exchanger;
    if (ask->is_expired || domain->route == NULL ||
        !verify_first_exchanger(&ask->knocker->config.verify, domain->route, domain->provider,
                                &exchanger)) {
        return false;
    }
    ask->is_unbegun = true;
    verify_domain_expect(&domain->memory);
    enqueue(ask, exchanger);
    return true;
}

static bool needs_route(struct ask *ask)
{
    if (domain_is_ready(ask->domain)) {
        return false;
    }
    ask_link(ask, &ask->domain->waiting, ASK_DOMAIN, false);
    domain_look_up(ask->domain);
    if (!ask->is_patient) {
        domain_hurry(ask->domain);
    }
    return true;
}

static void on_claim_look(void *context)
{
    knocker_make_ready(context);
}

/* Two processes that ask the same at the same time probe once: the second waits for the verdict. True: this
 * ask waits, or has its answer. Where the store knows nothing it is probed without. */
static bool awaits_other_process(struct ask *ask)
{
    struct knocker *knocker = ask->knocker;
    if (ask->has_claim || !ask_shares_answers(ask) || !knocker_claims(&knocker->config)) {
        return false;
    }
    char key[KNOCKER_KEY_BYTES];
    bool is_mine;
    if (store_claim_try(knocker->store, ask_store_key(ask, key), door_wall_ms(knocker->door),
                        &is_mine) != ERR_NONE) {
        knocker->counts.store_errors++;
        return false;
    }
    ask->has_claim = is_mine;
    ask->is_behind = !is_mine;
    knocker_wrote(knocker);
    if (ask_find_cached(ask)) { /* it came since the first look */
        knocker_make_ready(ask);
        return true;
    }
    if (!is_mine && !ask_equip(ask)) {
        return false;
    }
    if (!is_mine) {
        ask->work->wait = (struct timer){.fired = on_claim_look, .context = ask};
        door_timer_start(knocker->door, &ask->work->wait, now_ms(ask) + KNOCKER_CLAIM_MS);
    }
    return !is_mine;
}

static void out_of_memory(struct ask *ask)
{
    ask->is_expired = true;
    knocker_finish(ask);
}

void ask_step(struct ask *ask)
{
    if (ask->work->syntax != NULL || ask->work->cached != NULL || ask->is_over) {
        knocker_finish(ask);
        return;
    }
    if (ask->verify == NULL && !ask->is_unbegun) {
        bool is_alone =
            ask->knocker->config.crew.count == 1; /* else it may be another's to look up */
        if (is_alone && !ask->is_expired && !domain_is_ready(ask->domain)) {
            domain_look_up(ask->domain); /* on its way while the claim is written */
        }
        if (!ask->is_expired && awaits_other_process(ask)) {
            return;
        }
        if (!ask->is_expired && (errand_leaves(ask) || needs_route(ask))) {
            return;
        }
        if (stands_unbegun(ask)) {
            return;
        }
        if (ask->domain->route == NULL || case_begin(ask) != ERR_NONE) {
            out_of_memory(ask);
            return;
        }
    }
    if (ask->is_unbegun && !ask_begin(ask)) {
        out_of_memory(ask);
        return;
    }
    if (ask->work->pending != NULL) {
        struct evidence *evidence = ask->work->pending;
        ask->work->pending = NULL;
        verify_case_probed(ask->verify, evidence, now_ms(ask));
        pool_give(&ask->knocker->spare_evidence, evidence);
    }
    if (ask->is_expired) {
        verify_case_expire(ask->verify, ask->expired_why, now_ms(ask));
    } else if (ask->is_woken) {
        verify_case_tick(ask->verify, now_ms(ask));
    }
    ask->is_woken = false;
    struct domain *domain = ask->domain;
    domain->ask_count++; /* the last action may end the ask; the domain stays for the news */
    bool goes_on = true;
    while (goes_on) {
        goes_on = act(ask);
    }
    spread_news(domain);
    domain_release(domain);
}

void ask_told(struct ask *ask, const struct evidence *evidence)
{
    verify_case_probed(ask->verify, evidence, now_ms(ask));
    ask_step(ask);
}

void ask_expire(struct ask *ask, enum skip_reason why)
{
    ask->is_expired = true;
    ask->expired_why = why;
    if (ask->place == ASK_HELD) {
        held_release(ask, false);
    }
    stop_waiting(ask);
    door_timer_stop(ask->knocker->door, &ask->work->wait); /* for another process */
    knocker_make_ready(ask);
}

void ask_overspent(struct ask *ask)
{
    if (ask->work->conversation != NULL && ask->work->pending == NULL) {
        struct evidence *evidence = pool_take(&ask->knocker->spare_evidence);
        if (evidence != NULL) {
            *evidence = (struct evidence){
                .role = ask->work->probe.role,
                .kind = EVIDENCE_TIMEOUT,
                .stage = HEL_SMTP_RCPT,
                .exchanger = ask->work->probe.exchanger,
                .is_null_sender = ask->work->probe.is_null_sender,
                .at_ms = now_ms(ask),
                .class = {.scope = SCOPE_UNKNOWN, .reason = REASON_UNKNOWN, .rule = ""},
            };
        }
        ask->work->pending = evidence;
    }
    site_remove(ask);
    ask_expire(ask, SKIP_BUDGET);
}

/* Where only talking counts, the budget runs while a line works for this address. */
void ask_talks(struct ask *ask, struct session *session)
{
    const struct knocker_config *config = &ask->knocker->config;
    struct ask_work *work = ask->work;
    work->conversation = session->conversation;
    work->talk_began_ms = now_ms(ask);
    work->talk_until_ms = UINT64_MAX;
    if (config->budget_ms != 0 && !config->is_budget_wall_clock) {
        uint32_t left = config->budget_ms > work->spent_ms ? config->budget_ms - work->spent_ms : 0;
        work->talk_until_ms = work->talk_began_ms + left;
        session_watch_budget(session, work->talk_until_ms);
    }
}

void ask_talked(struct ask *ask)
{
    ask->work->conversation = NULL;
    if (!ask->knocker->config.is_budget_wall_clock) {
        ask->work->spent_ms += (uint32_t)(now_ms(ask) - ask->work->talk_began_ms);
    }
}

static void on_budget_over(void *context)
{
    ask_overspent(context);
}

enum err ask_begin_budget(struct ask *ask)
{
    const struct knocker_config *config = &ask->knocker->config;
    if (config->budget_ms == 0 || !config->is_budget_wall_clock) {
        return ERR_NONE;
    }
    if (!ask_equip(ask)) {
        return ERR_NOMEM;
    }
    ask->work->budget = (struct timer){.fired = on_budget_over, .context = ask};
    door_timer_start(ask->knocker->door, &ask->work->budget, ask->asked_ms + config->budget_ms);
    return ERR_NONE;
}

void ask_hurry(struct ask *ask)
{
    if (!ask->is_patient) {
        return;
    }
    struct lane *lane = ask->place == ASK_QUEUE ? ask->lane : NULL;
    if (lane != NULL) {
        lane_remove(ask);
    }
    ask->is_patient = false;
    if (lane != NULL) {
        lane_put(lane, ask, false);
    }
    if (ask->domain != NULL) {
        domain_hurry(ask->domain);
    }
}
