/* What each answer about the real address leads to: another look through a new session, a wait, another
 * sender, the next exchanger, a control, or the end. Everything here is bounded by attempts, rounds and
 * counters; running out of them is the end too.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/case_private.h"

#include "base/slice.h"

static bool may_ask(const struct verify_case *c)
{
    unsigned max = c->config->attempts_max != 0 ? c->config->attempts_max : VERIFY_ATTEMPTS_MAX;
    return c->attempts < max && c->count < CASE_EVIDENCE_MAX;
}

static void ask(struct verify_case *c, bool wants_fresh)
{
    c->wants_fresh = wants_fresh;
    if (may_ask(c)) {
        c->plan = PLAN_ASK;
    } else {
        case_done(c);
    }
}

/* A second look of one kind, through a session that asked nothing yet; false: there were enough. */
static bool look_again(struct verify_case *c, uint8_t *looks, unsigned max)
{
    if (*looks >= max || !may_ask(c)) {
        return false;
    }
    (*looks)++;
    ask(c, true);
    return true;
}

bool case_next_exchanger(const struct route *route, unsigned tried, uint8_t *out)
{
    for (uint8_t i = 0; i < route->exchanger_count && i < ROUTE_EXCHANGERS_MAX; i++) {
        if (route->exchangers[i].status == HOST_OK && (tried >> i & 1) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool has_next_exchanger(const struct verify_case *c, uint8_t *out)
{
    return case_next_exchanger(c->route, c->tried, out);
}

void case_begin_round(struct verify_case *c)
{
    c->tried = 0;
    c->round_claim = CLAIM_COUNT;
    c->round_hint_s = 0;
    c->blocked_hosts = 0;
    if (!has_next_exchanger(c, &c->exchanger)) {
        case_done(c);
        return;
    }
    ask(c, false);
}

/* What is said about us is not said about our other ways out. */
static bool ask_elsewhere(struct verify_case *c, const struct evidence *e)
{
    if (!e->has_other_egress || c->egresses >= CASE_EGRESSES || !may_ask(c)) {
        return false;
    }
    c->egresses++;
    c->wants_other_egress = true;
    c->keeps_egress = false;
    ask(c, false);
    return true;
}

/* The control is asked where the standing evidence came from. */
static void confirm(struct verify_case *c, size_t standing)
{
    const struct evidence *e = &c->evidence[standing];
    c->standing = standing;
    if (case_needs_control(c, claim_of(e), e)) {
        c->plan = PLAN_CONFIRM;
    } else {
        case_done(c);
    }
}

static void finish_round(struct verify_case *c, uint64_t now_ms)
{
    if (c->round_claim != CLAIM_COUNT) {
        uint32_t wait_s = case_wait_s(c, c->round_claim, c->round_hint_s, c->rounds);
        c->rounds++;
        case_begin_round(c);
        case_wait(c, wait_s, now_ms);
        return;
    }
    enum claim claim = CLAIM_LOCAL;
    int standing = verdict_standing(c->evidence, c->count, &claim);
    if (standing >= 0 && claim == CLAIM_DOMAIN && c->evidence[standing].stage == HEL_SMTP_RCPT) {
        confirm(c, (size_t)standing);
    } else {
        case_done(c);
    }
}

static void move_on(struct verify_case *c, uint64_t now_ms)
{
    if (has_next_exchanger(c, &c->exchanger)) {
        ask(c, false);
    } else {
        finish_round(c, now_ms);
    }
}

/* What passes by itself: the other exchangers first, then all again later. */
static void move_on_and_return(struct verify_case *c, enum claim claim, const struct evidence *e,
                               uint64_t now_ms)
{
    c->round_claim = claim;
    if (e->class.retry_after_s > c->round_hint_s) {
        c->round_hint_s = e->class.retry_after_s;
    }
    move_on(c, now_ms);
}

static void wait_here(struct verify_case *c, enum claim claim, const struct evidence *e,
                      uint64_t now_ms)
{
    unsigned repeats = verdict_repeats(c->evidence, c->count, claim);
    unsigned before = repeats > 0 ? repeats - 1 : 0;
    ask(c, claim == CLAIM_RATED);
    case_wait(c, case_wait_s(c, claim, e->class.retry_after_s, before), now_ms);
}

static void on_accepted(struct verify_case *c, const struct evidence *e)
{
    bool is_doubtful = claim_is_distrusted(e, c->provider) && e->session_rcpts > 0;
    if (is_doubtful && look_again(c, &c->distrusts, CASE_FRESH_MAX)) {
        return;
    }
    if (e->has_mixed_codes && look_again(c, &c->doubts, 1)) {
        return;
    }
    confirm(c, c->count - 1);
}

/* This server took it a few hours ago. */
static bool is_news(const struct verify_case *c, const struct evidence *e)
{
    return c->accepted_by != 0 &&
           c->accepted_by == history_host(slice_of(c->route->exchangers[e->exchanger].host));
}

/* A refusal for good. Lines of differing codes, what a tired session says vaguely, and the opposite of what was said
 * lately are looked at twice. */
static void on_refused(struct verify_case *c, const struct evidence *e, enum claim claim)
{
    bool is_vague = claim == CLAIM_AMBIGUOUS && e->session_refusals >= CASE_STALE_REFUSALS;
    if ((e->has_mixed_codes || is_vague || is_news(c, e)) && look_again(c, &c->doubts, 1)) {
        return;
    }
    if (claim == CLAIM_AMBIGUOUS) {
        confirm(c, c->count - 1);
    } else {
        case_done(c);
    }
}

static void on_soft_gone(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    if (verdict_repeats(c->evidence, c->count, CLAIM_SOFT_GONE) < DECIDE_SOFT_TIMES) {
        wait_here(c, CLAIM_SOFT_GONE, e, now_ms);
    } else {
        confirm(c, c->count - 1);
    }
}

static void on_rated(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    if (e->session_rcpts > 0 && look_again(c, &c->rated, CASE_FRESH_MAX)) {
        return;
    }
    if (ask_elsewhere(c, e)) {
        return;
    }
    if (e->stage <= HEL_SMTP_EHLO) {
        move_on_and_return(c, CLAIM_RATED, e, now_ms);
    } else if (e->code < 500) {
        wait_here(c, CLAIM_RATED, e, now_ms);
    } else {
        case_done(c);
    }
}

static bool is_about_sender(const struct evidence *e)
{
    if (e->stage == HEL_SMTP_MAIL) {
        return true;
    }
    if (e->stage != HEL_SMTP_RCPT) {
        return false;
    }
    switch (e->class.block_kind) {
    case BLOCK_SENDER:
    case BLOCK_SPF_DKIM_DMARC: return true;
    case BLOCK_NONE:
    case BLOCK_POLICY: return e->is_null_sender; /* bounces are refused by some, in vague words */
    case BLOCK_IP_LIST:
    case BLOCK_IP_REPUTATION:
    case BLOCK_HELO:
    case BLOCK_PTR:
    case BLOCK_GEO: break;
    }
    return false;
}

static bool swap_sender(struct verify_case *c, const struct evidence *e)
{
    if (c->has_swapped_sender || !c->config->has_sender || !is_about_sender(e) || !may_ask(c)) {
        return false;
    }
    c->has_swapped_sender = true;
    c->is_null_sender = !e->is_null_sender;
    c->keeps_egress = true;
    ask(c, false);
    return true;
}

/* Said about us: the other sender may be better liked, then another way out, and one more exchanger may be of
 * another mind. Asking them all would only spread the word. */
static void on_blocked(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    if (swap_sender(c, e) || ask_elsewhere(c, e)) {
        return;
    }
    c->blocked_hosts++;
    if (c->blocked_hosts < CASE_BLOCKED_HOSTS && has_next_exchanger(c, &c->exchanger)) {
        ask(c, false);
    } else {
        c->round_claim = CLAIM_COUNT;
        c->tried = UINT16_MAX;
        finish_round(c, now_ms);
    }
}

static void on_broken(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    if (e->stage == HEL_SMTP_MAIL && swap_sender(c, e)) {
        return;
    }
    if (!look_again(c, &c->breaks, 1)) {
        move_on(c, now_ms);
    }
}

static void note_greylisting(struct verify_case *c, enum claim claim, uint64_t now_ms)
{
    if (claim == CLAIM_GREYLISTED) {
        c->domain->greylist_until_ms = now_ms + (uint64_t)c->domain->greylist_delay_s * 1000;
        if (!c->greylist_seen) {
            c->greylist_seen = true;
            c->greylist_first_ms = now_ms;
        }
        return;
    }
    bool is_answer = claim <= CLAIM_AMBIGUOUS;
    if (!c->greylist_seen || c->greylist_passed_ms != 0 || !is_answer) {
        return;
    }
    c->greylist_passed_ms = now_ms;
    uint32_t took_s = (uint32_t)((now_ms - c->greylist_first_ms + 999) / 1000);
    if (took_s > 0 && took_s != c->domain->greylist_delay_s) {
        c->domain->greylist_delay_s = took_s;
        case_changed(c);
    }
}

void case_real(struct verify_case *c, const struct evidence *e, uint64_t now_ms)
{
    enum claim claim = claim_of(e);
    c->tried = (uint16_t)(c->tried | 1u << e->exchanger);
    if (e->is_hearsay) {
        case_done(c);
        return;
    }
    c->attempts = (uint8_t)(c->attempts + (claim == CLAIM_UNREACHED ? 0 : 1));
    c->wants_other_egress = false;
    note_greylisting(c, claim, now_ms);
    /* A greylist that let one way out pass asks the others to wait anew, also where it is only a second look. */
    c->keeps_egress = c->greylist_seen || claim == CLAIM_IN_PROGRESS;
    switch (claim) {
    case CLAIM_ACCEPTED:
    case CLAIM_ACCEPTED_ODD: on_accepted(c, e); break;
    case CLAIM_GONE:
    case CLAIM_DISABLED:
    case CLAIM_MOVED:
    case CLAIM_AMBIGUOUS: on_refused(c, e, claim); break;
    case CLAIM_SOFT_GONE: on_soft_gone(c, e, now_ms); break;
    case CLAIM_GREYLISTED:
    case CLAIM_IN_PROGRESS: wait_here(c, claim, e, now_ms); break;
    case CLAIM_RATED: on_rated(c, e, now_ms); break;
    case CLAIM_BLOCKED: on_blocked(c, e, now_ms); break;
    case CLAIM_TEMPORARY: move_on_and_return(c, claim, e, now_ms); break;
    case CLAIM_BROKEN: on_broken(c, e, now_ms); break;
    case CLAIM_DISCONNECTED:
        if (!look_again(c, &c->losses, CASE_FRESH_MAX)) {
            move_on(c, now_ms);
        }
        break;
    case CLAIM_LOCAL:
        if (!look_again(c, &c->breaks, 1)) {
            case_done(c);
        }
        break;
    case CLAIM_DOMAIN:
    case CLAIM_TLS:
    case CLAIM_TIMEOUT:
    case CLAIM_PROTOCOL:
    case CLAIM_UNREACHED:
    case CLAIM_NO_UTF8: move_on(c, now_ms); break;
    case CLAIM_EXISTS:
    case CLAIM_FULL:
    case CLAIM_SKIPPED:
    case CLAIM_COUNT: case_done(c); break;
    }
}
