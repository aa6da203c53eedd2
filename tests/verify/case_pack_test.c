/* What a packed case keeps: all of its evidence, in few bytes, the words of many cases once. That it goes on as it
 * would have is played by every table of plays (tests/verify/play).
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/case_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"
#include "stand.h"

enum { CASES = 50, ROUNDS = 200, EVIDENCE = 6, GREYLISTED_BYTES_MAX = 110 };

static const struct play waiting = {"waits", .script = "", .config = {.attempts_max = EVIDENCE}};

/* Asks for the real address, and is answered so; then it waits. */
static void greylist(struct stand *stand, const struct evidence *said)
{
    struct verify_action action;
    verify_case_next(stand->verify, stand->now_ms, &action);
    if (action.kind == VERIFY_RESOLVE) {
        stand_route(stand);
        verify_case_next(stand->verify, stand->now_ms, &action);
    }
    assert_int_equal(action.kind, VERIFY_PROBE);
    struct evidence evidence = *said;
    evidence.at_ms = stand->now_ms;
    verify_case_probed(stand->verify, &evidence, stand->now_ms);
}

static void wait(struct stand *stand)
{
    struct verify_action action;
    verify_case_next(stand->verify, stand->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_WAIT);
    stand_pass(stand, action.until_ms);
}

static struct evidence draw(struct random *random, const char *text)
{
    struct evidence e = {
        .kind = EVIDENCE_REPLY,
        .stage = HEL_SMTP_RCPT,
        .egress = (uint8_t)random_below(random, 64),
        .is_null_sender = random_below(random, 2) == 0,
        .ip = {.family = random_below(random, 2) == 0 ? IP_V4 : IP_V6},
        .code = (uint16_t)(450 + random_below(random, 3)),
        .enhanced = {4, 7, (uint16_t)random_below(random, 3)},
        .has_mixed_codes = random_below(random, 2) == 0,
        .class = {.scope = SCOPE_US, .reason = REASON_GREYLISTED, .rule = "rules/generic.rules:7"},
        .session = (uint32_t)random_next(random),
        .session_rcpts = (uint16_t)random_below(random, 100),
        .session_refusals = (uint16_t)random_below(random, 100),
        .latency_ms = random_below(random, 60000),
    };
    for (size_t i = 0; i < (e.ip.family == IP_V4 ? 4u : 16u); i++) {
        e.ip.bytes[i] = (uint8_t)random_below(random, 2);
    }
    (void)snprintf(e.text, sizeof e.text, "%s", text);
    return e;
}

static void check_same(const struct evidence *a, const struct evidence *b)
{
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->stage, b->stage);
    assert_int_equal(a->skip, b->skip);
    assert_int_equal(a->exchanger, b->exchanger);
    assert_int_equal(a->egress, b->egress);
    assert_int_equal(a->is_null_sender, b->is_null_sender);
    assert_int_equal(a->has_other_egress, b->has_other_egress);
    assert_int_equal(a->is_hearsay, b->is_hearsay);
    assert_memory_equal(&a->ip, &b->ip, sizeof a->ip);
    assert_int_equal(a->at_ms, b->at_ms);
    assert_int_equal(a->code, b->code);
    assert_memory_equal(&a->enhanced, &b->enhanced, sizeof a->enhanced);
    assert_int_equal(a->has_mixed_codes, b->has_mixed_codes);
    assert_int_equal(a->class.scope, b->class.scope);
    assert_int_equal(a->class.reason, b->class.reason);
    assert_int_equal(a->class.block_kind, b->class.block_kind);
    assert_int_equal(a->class.is_in_progress, b->class.is_in_progress);
    assert_int_equal(a->class.is_forwarded, b->class.is_forwarded);
    assert_int_equal(a->class.retry_after_s, b->class.retry_after_s);
    assert_ptr_equal(a->class.rule, b->class.rule);
    assert_string_equal(a->text, b->text);
    assert_int_equal(a->session, b->session);
    assert_int_equal(a->session_rcpts, b->session_rcpts);
    assert_int_equal(a->session_refusals, b->session_refusals);
    assert_int_equal(a->is_vindicated, b->is_vindicated);
    assert_int_equal(a->latency_ms, b->latency_ms);
}

static void evidence_is_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "4.2.0 <jane@d.test>: Recipient address rejected: Greylisted for 299 seconds",
        "4.7.1 \001\002\377 try later"};
    struct random random = {5};
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct stand *stand = stand_new(&waiting, NULL);
        struct evidence before[EVIDENCE];
        stand->is_packed_often = true;
        stand_begin(stand);
        unsigned times = 1 + random_below(&random, EVIDENCE - 1);
        for (unsigned i = 0; i < times; i++) {
            struct evidence said = draw(&random, texts[random_below(&random, 3)]);
            greylist(stand, &said);
            if (i + 1 < times) {
                wait(stand);
            }
        }
        size_t count;
        const struct evidence *list = verify_case_evidence(stand->verify, &count);
        assert_int_equal(count, times);
        memcpy(before, list, count * sizeof *list);
        stand_repack(stand);
        list = verify_case_evidence(stand->verify, &count);
        assert_int_equal(count, times);
        for (size_t i = 0; i < count; i++) {
            check_same(&before[i], &list[i]);
        }
        stand_free(stand);
    }
}

/* Of a text that names each recipient, and the seconds that are left. */
static void many_cases_share_their_words(void **state)
{
    (void)state;
    struct stand *stands[CASES];
    struct buf packed;
    struct intern sayings;
    struct random random = {9};
    buf_init(&packed, CASES * VERIFY_PACKED_BYTES_MAX);
    intern_init(&sayings, 1);
    for (unsigned i = 0; i < CASES; i++) {
        char address[32], text[160];
        (void)snprintf(address, sizeof address, "somebody%u@d.test", i);
        (void)snprintf(text, sizeof text,
                       "4.2.0 <%s>: Recipient address rejected: Greylisted, see "
                       "http://postgrey.schweikert.ch/help/d.test.html (in %u seconds)",
                       address, 300 - i);
        const struct play play = {"shares", .script = "", .address = address};
        struct evidence said = draw(&random, text);
        said.code = 450;
        said.enhanced.detail = 1;
        said.has_mixed_codes = false;
        stands[i] = stand_new(&play, NULL);
        stand_begin(stands[i]);
        greylist(stands[i], &said);
        size_t begin = packed.len;
        assert_int_equal(verify_case_pack(stands[i]->verify, &sayings, &packed), ERR_NONE);
        assert_true(packed.len - begin <= GREYLISTED_BYTES_MAX);
    }
    assert_int_equal(sayings.map.count, 1);
    struct pack from = pack_from(buf_view(&packed));
    for (unsigned i = 0; i < CASES; i++) {
        struct verify_case *again;
        struct verify_borrowed borrowed = {&stands[i]->config,   &stands[i]->address,
                                           stands[i]->domain,    stands[i]->route,
                                           &stands[i]->provider, NULL};
        size_t count;
        char text[EVIDENCE_TEXT_BYTES];
        (void)snprintf(text, sizeof text, "%s",
                       verify_case_evidence(stands[i]->verify, &count)->text);
        assert_int_equal(verify_case_unpack(&from, &borrowed, &sayings, &again), ERR_NONE);
        verify_case_forget(stands[i]->verify);
        stands[i]->verify = again;
        assert_string_equal(verify_case_evidence(again, &count)->text, text);
        stand_free(stands[i]);
    }
    assert_int_equal(sayings.map.count, 0);
    intern_done(&sayings);
    buf_done(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_is_the_same),
        cmocka_unit_test(many_cases_share_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
