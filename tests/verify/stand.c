/* One case with its world: route, provider, memory of the domain, clock. And the principles.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answers.h"
#include "base/slice.h"
#include "verify/case_pack.h"
#include "verify/control.h"

enum { ROUNDS_MAX = 200, LIFE_MIN_S = 300, LIFE_MAX_S = 31 * 86400 };

/* "10 20? 30!" */
static void set_exchangers(struct stand *stand, const char *mx)
{
    struct route *route = stand->route;
    for (const char *at = mx; *at != '\0' && route->exchanger_count < ROUTE_EXCHANGERS_MAX;) {
        char *end;
        struct exchanger *exchanger = &route->exchangers[route->exchanger_count++];
        exchanger->preference = (uint16_t)strtoul(at, &end, 10);
        (void)snprintf(exchanger->host, sizeof exchanger->host, "mx%u.d.test",
                       route->exchanger_count);
        exchanger->status = *end == '?' ? HOST_DNS_ERROR : *end == '!' ? HOST_UNROUTABLE : HOST_OK;
        at = end + strspn(end, "?! ");
    }
}

static void set_config(struct stand *stand)
{
    const struct play *play = stand->play;
    stand->config = play->config;
    stand->config.retry_temporary = !play->no_retry;
    stand->config.has_sender = !play->no_sender;
    stand->provider =
        (struct provider){.name = SLICE_LITERAL("default"),
                          .class = play->is_large ? PROVIDER_BUSINESS : PROVIDER_SELFHOSTED,
                          .traits = play->traits};
}

struct stand *stand_new(const struct play *play, struct verify_domain *domain)
{
    struct stand *stand = test_calloc(1, sizeof *stand);
    const char *text = play->address != NULL ? play->address : "jane@d.test";
    assert_int_equal(
        hel_address_parse(slice_of(text), HEL_ADDRESS_PRACTICAL, &stand->address, NULL), ERR_NONE);
    stand->play = play;
    stand->verdict = test_calloc(1, sizeof *stand->verdict);
    (void)snprintf(stand->text, sizeof stand->text, "%s", text);
    stand->local =
        slice_sub(slice_of(stand->text), 0, slice_find_last_byte(slice_of(stand->text), '@'));
    stand->now_ms = PLAY_START_MS;
    stand->domain = domain != NULL ? domain : &stand->own_domain;
    stand->route = test_calloc(1, sizeof *stand->route +
                                      ROUTE_EXCHANGERS_MAX * sizeof stand->route->exchangers[0]);
    stand->route->status = play->dns;
    stand->route->ttl_s = 3600;
    set_config(stand);
    set_exchangers(stand, play->mx != NULL ? play->mx : "10");
    if (play->remember != NULL) {
        play->remember(stand->domain);
    }
    intern_init(&stand->sayings, 7);
    stand->others_ask = stand->domain->controls[0].state == CONTROL_RUNNING;
    return stand;
}

/* Without memory there is no case, and nothing has happened. */
void stand_begin(struct stand *stand)
{
    enum err err =
        verify_case_new(&stand->config, &stand->address, stand->domain, 7, NULL, &stand->verify);
    if (err != ERR_NONE) {
        assert_int_equal(err, ERR_NOMEM);
        assert_null(stand->verify);
        assert_int_equal(stand->domain->pending, 0);
        return;
    }
    if (stand->play->accepted_by != NULL) {
        verify_case_was_accepted(stand->verify, history_host(slice_of(stand->play->accepted_by)));
    }
}

void stand_free(struct stand *stand)
{
    verify_case_free(stand->verify);
    if (stand->domain == &stand->own_domain && !stand->others_ask) {
        assert_int_equal(stand->domain->pending, 0);
        assert_int_equal(stand->domain->awaiting_live, 0);
        assert_int_not_equal(stand->domain->postmaster.state, CONTROL_RUNNING);
        for (size_t i = 0; i < VERIFY_SHAPES_MAX; i++) {
            assert_int_not_equal(stand->domain->controls[i].state, CONTROL_RUNNING);
            assert_int_not_equal(stand->domain->backup_controls[i].state, CONTROL_RUNNING);
        }
    }
    assert_int_equal(stand->sayings.map.count, 0);
    intern_done(&stand->sayings);
    test_free(stand->verdict);
    test_free(stand->route);
    test_free(stand);
}

struct verify_case *stand_case(const struct stand *stand)
{
    return stand->verify;
}

uint64_t stand_now_ms(const struct stand *stand)
{
    return stand->now_ms;
}

const struct verdict *play_verdict(const struct stand *stand)
{
    verify_case_verdict(stand->verify, &stand->play->hints, NULL, stand->verdict);
    return stand->verdict;
}

const struct verify_domain *play_domain(const struct stand *stand)
{
    return stand->domain;
}

struct verify_summary play_summary(const struct stand *stand)
{
    struct verify_summary summary;
    verify_case_summary(stand->verify, &summary);
    return summary;
}

bool play_has_reason(const struct stand *stand, const char *code)
{
    const struct verdict *verdict = play_verdict(stand);
    for (size_t i = 0; i < verdict->reason_count; i++) {
        if (strcmp(verdict->reasons[i].code, code) == 0) {
            return true;
        }
    }
    return false;
}

void stand_route(struct stand *stand)
{
    stand->is_routed = true;
    verify_case_routed(stand->verify, stand->route, &stand->provider, stand->now_ms);
}

void stand_answer(struct stand *stand, const char *word)
{
    struct evidence evidence = answer_of(word);
    evidence.at_ms = stand->now_ms;
    evidence.is_null_sender = stand->asked.is_null_sender;
    verify_case_probed(stand->verify, &evidence, stand->now_ms);
}

void stand_repack(struct stand *stand)
{
    struct verify_domain domain = *stand->domain;
    struct verify_borrowed borrowed = {
        .config = &stand->config,
        .address = &stand->address,
        .domain = stand->domain,
        .route = stand->route,
        .provider = &stand->provider,
    };
    if (!stand->is_packed_often || !stand->is_routed) {
        return;
    }
    struct buf packed;
    buf_init(&packed, VERIFY_PACKED_BYTES_MAX);
    if (verify_case_pack(stand->verify, &stand->sayings, &packed) == ERR_NONE) {
        verify_packed_drop(buf_view(&packed), &stand->sayings);
        assert_int_equal(stand->sayings.map.count, 0);
    }
    buf_clear(&packed);
    if (verify_case_pack(stand->verify, &stand->sayings, &packed) == ERR_NONE) {
        verify_case_forget(stand->verify);
        struct pack from = pack_from(buf_view(&packed));
        enum err e = verify_case_unpack(&from, &borrowed, &stand->sayings, &stand->verify);
        if (e != ERR_NONE) { /* once more: only one allocation fails */
            e = verify_case_unpack(&from, &borrowed, &stand->sayings, &stand->verify);
        }
        assert_int_equal(e, ERR_NONE);
        assert_true(reader_is_done(&from.from));
    }
    assert_memory_equal(&domain, stand->domain, sizeof domain);
    buf_done(&packed);
}

void stand_pass(struct stand *stand, uint64_t until_ms)
{
    stand->now_ms = until_ms;
    verify_case_tick(stand->verify, stand->now_ms);
}

void stand_drive(struct stand *stand, pick_fn pick, void *context)
{
    struct verify_action action;
    for (unsigned i = 0; i < ROUNDS_MAX; i++) {
        stand_repack(stand);
        verify_case_next(stand->verify, stand->now_ms, &action);
        switch (action.kind) {
        case VERIFY_DONE: return;
        case VERIFY_RESOLVE: stand_route(stand); break;
        case VERIFY_PROBE:
            stand->asked = action.probe;
            stand_answer(stand, pick(context, &action.probe));
            break;
        case VERIFY_WAIT:
            assert_true(action.until_ms > stand->now_ms);
            stand_pass(stand, action.until_ms);
            break;
        case VERIFY_AWAIT_DOMAIN:
            verify_case_expire(stand->verify, SKIP_BUDGET, stand->now_ms);
            break;
        case VERIFY_IDLE: fail_msg("%s: idle, and no answer is owed", stand->play->name);
        }
    }
    fail_msg("%s: does not come to an end", stand->play->name);
}

/* Stable, and others at this place are answered otherwise. */
static bool is_soft_refusal_proved(const struct stand *stand, const struct evidence *list,
                                   size_t count, const struct verify_control_memory *control)
{
    unsigned times = 0;
    for (size_t i = 0; i < count; i++) {
        times += list[i].role == PROBE_REAL && claim_of(&list[i]) == CLAIM_SOFT_GONE ? 1 : 0;
    }
    bool others_live =
        stand->domain->live_seen > 0 || stand->domain->postmaster.state == CONTROL_ACCEPTED;
    return times >= 3 && (control->state == CONTROL_ACCEPTED ||
                          (control->state == CONTROL_REFUSED && others_live));
}

static bool is_refusal_proved(const struct stand *stand, const struct evidence *e,
                              const struct verify_control_memory *control)
{
    bool has_contrast = control->state == CONTROL_ACCEPTED ||
                        (control->state == CONTROL_REFUSED && stand->domain->live_seen > 0);
    switch (claim_of(e)) {
    case CLAIM_GONE:
    case CLAIM_DISABLED:
    case CLAIM_MOVED: return e->stage == HEL_SMTP_RCPT && e->code >= 500;
    case CLAIM_AMBIGUOUS: return e->stage == HEL_SMTP_RCPT && e->code >= 500 && has_contrast;
    case CLAIM_DOMAIN:
        return e->code >= 500 &&
               (e->stage <= HEL_SMTP_BANNER || has_contrast || control->state == CONTROL_REFUSED);
    case CLAIM_NO_UTF8: return true;
    case CLAIM_ACCEPTED:
    case CLAIM_ACCEPTED_ODD:
    case CLAIM_EXISTS:
    case CLAIM_FULL:
    case CLAIM_SOFT_GONE:
    case CLAIM_GREYLISTED:
    case CLAIM_IN_PROGRESS:
    case CLAIM_RATED:
    case CLAIM_BLOCKED:
    case CLAIM_TEMPORARY:
    case CLAIM_BROKEN:
    case CLAIM_TLS:
    case CLAIM_TIMEOUT:
    case CLAIM_DISCONNECTED:
    case CLAIM_PROTOCOL:
    case CLAIM_UNREACHED:
    case CLAIM_SKIPPED:
    case CLAIM_LOCAL:
    case CLAIM_COUNT: break;
    }
    return false;
}

static bool is_acceptance_proved(const struct stand *stand, const struct evidence *e,
                                 const struct verify_control_memory *control)
{
    bool is_yes = e->stage == HEL_SMTP_RCPT && e->code / 100 == 2;
    bool is_selective = (stand->provider.traits & PROVIDER_SELECTIVE) != 0;
    return claim_of(e) == CLAIM_EXISTS ||
           (is_yes && (is_selective || control->state == CONTROL_REFUSED));
}

static void check_sum(const struct verdict *verdict)
{
    int sum = 0;
    for (size_t i = 0; i < verdict->reason_count; i++) {
        assert_non_null(verdict->reasons[i].code);
        sum += verdict->reasons[i].effect;
    }
    assert_int_equal(verdict->score, sum < 0 ? 0 : sum > 100 ? 100 : sum);
}

/* The domain's memory for this address where the exchanger stands. */
static const struct verify_control_memory *control_of(const struct stand *stand, uint8_t exchanger)
{
    unsigned shape = control_shape(stand->local);
    return route_is_backup(stand->route, exchanger) ? &stand->domain->backup_controls[shape]
                                                    : &stand->domain->controls[shape];
}

static void check_status(const struct stand *stand, const struct evidence *list, size_t count)
{
    const struct verdict *verdict = play_verdict(stand);
    const struct evidence *e = &list[verdict->deciding];
    assert_true(verdict->deciding < (int)count && e->role == PROBE_REAL);
    const struct verify_control_memory *control = control_of(stand, e->exchanger);
    bool is_proved = true;
    if (verdict->status == VERDICT_UNDELIVERABLE) {
        is_proved =
            is_refusal_proved(stand, e, control) ||
            (claim_of(e) == CLAIM_SOFT_GONE && is_soft_refusal_proved(stand, list, count, control));
    } else if (verdict->status == VERDICT_DELIVERABLE) {
        is_proved = is_acceptance_proved(stand, e, control);
    }
    if (!is_proved) {
        fail_msg("%s: %s without proof: %u %s", stand->play->name, verdict_sub_name(verdict->sub),
                 (unsigned)e->code, e->text);
    }
}

void check_principles(const struct stand *stand)
{
    size_t count;
    const struct evidence *list = verify_case_evidence(stand->verify, &count);
    const struct verdict *verdict = play_verdict(stand);
    assert_int_equal(verdict->status, verdict_status_of(verdict->sub));
    assert_true(verdict->confidence >= 0 && verdict->confidence <= 1);
    assert_true(verdict->reason_count > 0);
    assert_in_range(verdict->life_s, LIFE_MIN_S, LIFE_MAX_S);
    if (verdict->block_kind != BLOCK_NONE) {
        assert_int_equal(verdict->sub, SUB_BLOCKED);
    }
    if (verdict->skip != SKIP_NONE) {
        assert_int_equal(verdict->sub, SUB_SKIPPED);
    } else if (verdict->sub == SUB_SKIPPED) {
        assert_true(stand->config.no_smtp);
    }
    assert_string_equal(verdict->reasons[0].code, verdict_sub_name(verdict->sub));
    check_sum(verdict);
    if (verdict->deciding >= 0) {
        check_status(stand, list, count);
    } else if (stand->play->dns == ROUTE_OK) {
        assert_int_not_equal(verdict->status, VERDICT_DELIVERABLE);
        assert_int_not_equal(verdict->status, VERDICT_UNDELIVERABLE);
    }
}
