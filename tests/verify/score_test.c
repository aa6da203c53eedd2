/* The score: a sum of its reasons, in the order that was promised; the numbers may change, the order may
 * not.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answers.h"
#include "base/slice.h"
#include "base/text.h"

enum { SEND = 80, CAREFUL = 50, HOLD = 20 };

struct scene {
    struct evidence evidence[30];
    struct verify_domain domain;
    struct verify_hints hints;
    struct verify_config config;
    struct provider provider;
    struct verdict_question question;
    struct verdict verdict;
};

/* A route with one exchanger. */
static union {
    struct route route;
    char room[sizeof(struct route) + sizeof(struct exchanger)];
} way = {.route = {.exchanger_count = 1}};

/* One answer, and what a control got. */
static struct scene *decide(const char *answer, enum control_state control,
                            struct verify_hints hints, const char *local)
{
    static struct scene scene;
    memset(&scene, 0, sizeof scene);
    scene.evidence[0] = answer_of(answer);
    scene.hints = hints;
    scene.provider.class = PROVIDER_SELFHOSTED;
    for (size_t i = 0; i < VERIFY_SHAPES_MAX; i++) {
        scene.domain.controls[i].state = (uint8_t)control;
        scene.domain.controls[i].code = control == CONTROL_ACCEPTED ? 250 : 550;
    }
    scene.question = (struct verdict_question){
        .evidence = scene.evidence,
        .count = 1,
        .route = &way.route,
        .provider = &scene.provider,
        .domain = &scene.domain,
        .hints = &scene.hints,
        .config = &scene.config,
        .local = slice_of(local),
    };
    verdict_decide(&scene.question, &scene.verdict);
    return &scene;
}

static int effect_of(const struct verdict *verdict, const char *code)
{
    for (size_t i = 0; i < verdict->reason_count; i++) {
        if (strcmp(verdict->reasons[i].code, code) == 0) {
            return verdict->reasons[i].effect;
        }
    }
    fail_msg("no reason %s", code);
    return 0;
}

static bool has_reason(const struct verdict *verdict, const char *code)
{
    for (size_t i = 0; i < verdict->reason_count; i++) {
        if (strcmp(verdict->reasons[i].code, code) == 0) {
            return true;
        }
    }
    return false;
}

static void the_order_of_bases_is_kept(void **state)
{
    (void)state;
    static const enum verdict_sub falling[] = {SUB_ACCEPTED,
                                               SUB_ACCEPTED_RATE_LIMITED,
                                               SUB_ACCEPTED_FORWARD,
                                               SUB_ACCEPTED_UNCONFIRMED,
                                               SUB_ACCEPTS_ALL_PROVIDER,
                                               SUB_CATCH_ALL,
                                               SUB_GREYLISTED,
                                               SUB_TEMP_FAILURE,
                                               SUB_DNS_ERROR,
                                               SUB_MAILBOX_FULL,
                                               SUB_CONNECT_FAILED};
    for (size_t i = 1; i < sizeof falling / sizeof *falling; i++) {
        if (score_base(falling[i - 1]) <= score_base(falling[i])) {
            fail_msg("%s is not above %s", verdict_sub_name(falling[i - 1]),
                     verdict_sub_name(falling[i]));
        }
    }
    assert_int_equal(score_base(SUB_BLOCKED), score_base(SUB_TEMP_FAILURE));
    assert_int_equal(score_base(SUB_SKIPPED), score_base(SUB_BLOCKED));
    assert_true(score_base(SUB_DISPOSABLE) < score_base(SUB_MAILBOX_FULL));
}

/* Bands: from 80 send, from 50 with care, from 20 hold, below drop. */
static void each_status_has_its_bands(void **state)
{
    (void)state;
    for (int i = 0; i < SUB_COUNT; i++) {
        int base = score_base((enum verdict_sub)i);
        switch (verdict_status_of((enum verdict_sub)i)) {
        case VERDICT_DELIVERABLE: assert_in_range(base, SEND, 100); break;
        case VERDICT_UNDELIVERABLE: assert_in_range(base, 0, 5); break;
        case VERDICT_RISKY: assert_in_range(base, HOLD, SEND); break;
        case VERDICT_UNKNOWN: assert_in_range(base, HOLD, CAREFUL - 1); break;
        }
    }
}

static void what_is_known_of_the_address_counts(void **state)
{
    (void)state;
    static const struct {
        struct verify_hints hints;
        const char *local, *reason;
        int accepted, catch_all; /* effect */
    } cases[] = {
        {{.is_role = true}, "jane", "role", -10, -10},
        {{.is_gibberish = true}, "xqzvw", "gibberish", -10, -25},
        {{.has_suggestion = true}, "jane", "likely_typo", -10, -10},
        {{.is_free = true}, "jane", "free_provider", 0, 0},
        {{.is_disposable = true}, "jane", "disposable", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct verdict *v =
            &decide("yes", CONTROL_REFUSED, cases[i].hints, cases[i].local)->verdict;
        assert_int_equal(effect_of(v, cases[i].reason), cases[i].accepted);
        assert_int_equal(v->score, score_base(SUB_ACCEPTED) + cases[i].accepted);
        v = &decide("yes", CONTROL_ACCEPTED, cases[i].hints, cases[i].local)->verdict;
        assert_int_equal(effect_of(v, cases[i].reason), cases[i].catch_all);
        assert_int_equal(v->score, score_base(SUB_CATCH_ALL) + cases[i].catch_all);
        v = &decide("no", CONTROL_UNTESTED, cases[i].hints, cases[i].local)->verdict;
        assert_false(has_reason(v, cases[i].reason)); /* the dead have no properties */
        assert_int_equal(v->score, score_base(SUB_MAILBOX_NOT_FOUND));
    }
}

static void a_name_is_likelier_at_a_catch_all(void **state)
{
    (void)state;
    static const struct verify_hints none = {0};
    static const struct verify_hints gibberish = {.is_gibberish = true};
    const struct verdict *v = &decide("yes", CONTROL_ACCEPTED, none, "jane.miller")->verdict;
    assert_int_equal(effect_of(v, "name_shaped"), 15);
    assert_int_equal(v->score, score_base(SUB_CATCH_ALL) + 15);
    v = &decide("yes", CONTROL_REFUSED, none, "jane.miller")->verdict;
    assert_false(has_reason(v, "name_shaped"));
    v = &decide("yes", CONTROL_ACCEPTED, gibberish, "xqzv.wvkx")->verdict;
    assert_false(has_reason(v, "name_shaped"));
    assert_int_equal(v->score, score_base(SUB_CATCH_ALL) - 25);
}

static void the_way_it_was_weighed_counts(void **state)
{
    (void)state;
    static const struct verify_hints none = {0};
    const struct verdict *v = &decide("no%", CONTROL_UNTESTED, none, "jane")->verdict;
    assert_int_equal(effect_of(v, "mixed_codes"), -5);
    assert_int_equal(v->score, 0);
    v = &decide("vague", CONTROL_ACCEPTED, none, "jane")->verdict;
    assert_int_equal(v->sub, SUB_MAILBOX_NOT_FOUND);
    assert_int_equal(effect_of(v, "differs_from_others"), 2);
    assert_true(v->confidence < 0.97);
    struct scene *scene = decide("vague", CONTROL_UNTESTABLE, none, "jane");
    scene->domain.postmaster.state = CONTROL_ACCEPTED;
    verdict_decide(&scene->question, &scene->verdict);
    assert_int_equal(scene->verdict.sub, SUB_BLANKET_REJECT);
    assert_int_equal(effect_of(&scene->verdict, "postmaster_accepted"), -5);
    scene->domain.postmaster.state = CONTROL_REFUSED;
    verdict_decide(&scene->question, &scene->verdict);
    assert_int_equal(effect_of(&scene->verdict, "postmaster_refused"), 0);
    scene = decide("soft-no", CONTROL_ACCEPTED, none, "jane");
    scene->evidence[1] = scene->evidence[2] = scene->evidence[0];
    scene->question.count = 3;
    verdict_decide(&scene->question, &scene->verdict);
    assert_int_equal(scene->verdict.sub, SUB_MAILBOX_NOT_FOUND);
    assert_int_equal(effect_of(&scene->verdict, "stable_refusal"), 3);
}

static void all_terms_together_stay_in_bounds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < answer_count * 64; i++) {
        struct verify_hints hints = {.is_role = (i & 1) != 0,
                                     .is_gibberish = (i & 2) != 0,
                                     .has_suggestion = (i & 4) != 0,
                                     .is_free = (i & 8) != 0};
        enum control_state control = (i & 16) != 0 ? CONTROL_ACCEPTED : CONTROL_REFUSED;
        const char *local = (i & 32) != 0 ? "jane.miller" : "jane";
        const struct verdict *v = &decide(answers[i / 64].name, control, hints, local)->verdict;
        int sum = 0;
        for (size_t j = 0; j < v->reason_count; j++) {
            sum += v->reasons[j].effect;
        }
        assert_in_range(v->score, 0, 100);
        assert_int_equal(v->score, sum < 0 ? 0 : sum);
        assert_string_equal(v->reasons[0].code, verdict_sub_name(v->sub));
        assert_int_equal(v->reasons[0].effect, score_base(v->sub));
        bool is_dead = v->status == VERDICT_UNDELIVERABLE;
        assert_true(is_dead ? v->score <= 10 : v->score < 100);
    }
}

static void details_are_printable_and_bounded(void **state)
{
    (void)state;
    static const struct verify_hints none = {0};
    struct scene *scene = decide("no", CONTROL_UNTESTED, none, "jane");
    memset(scene->evidence[0].text, '\xc3', EVIDENCE_TEXT_BYTES - 1);
    verdict_decide(&scene->question, &scene->verdict);
    for (int i = 1; i < EVIDENCE_TEXT_BYTES - 1; i += 2) {
        scene->evidence[0].text[i] = (char)(i % 32);
    }
    verdict_decide(&scene->question, &scene->verdict);
    for (size_t i = 0; i < scene->verdict.reason_count; i++) {
        struct slice detail = slice_of(scene->verdict.reasons[i].detail);
        assert_true(detail.len < VERDICT_DETAIL_BYTES && text_is_utf8(detail));
        for (size_t j = 0; j < detail.len; j++) {
            assert_true((unsigned char)detail.at[j] >= ' ' && detail.at[j] != '\x7f');
        }
    }
    struct verdict verdict = {0};
    score_reason(&verdict, "empty", 1, NULL);
    assert_string_equal(verdict.reasons[0].detail, "");
}

static void reasons_beyond_the_last_are_dropped(void **state)
{
    (void)state;
    static const struct verify_hints none = {0};
    struct verdict verdict = {0};
    for (int i = 0; i < VERDICT_REASONS_MAX + 3; i++) {
        score_reason(&verdict, "again", 1, "x");
    }
    assert_int_equal(verdict.reason_count, VERDICT_REASONS_MAX);
    struct scene *scene = decide("slow", CONTROL_UNTESTED, none, "jane");
    for (size_t i = 1; i < 30; i++) {
        scene->evidence[i] = scene->evidence[0];
    }
    scene->question.count = 30;
    verdict_decide(&scene->question, &scene->verdict);
    assert_in_range(scene->verdict.reason_count, 2, VERDICT_REASONS_MAX);
    assert_int_equal(scene->verdict.score, score_base(SUB_SMTP_TIMEOUT));
}

/* With a likeness. */

enum { MODEL_ROOM = 1 << 17 };

static struct likeness_model *model;
static struct verify_likeness weighed;

static int load_model(void **state)
{
    static char text[MODEL_ROOM];
    struct fault fault;
    (void)state;
    FILE *file = fopen(MODEL_FILE, "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(likeness_model_parse(slice_make(text, len), &model, &fault), ERR_NONE);
    weighed.model = model;
    return 0;
}

static int free_model(void **state)
{
    (void)state;
    likeness_model_free(model);
    return 0;
}

/* Whatever it says: status, sub-status and confidence stay, an answer that is plain stays as it is, and a score of one
 * that is not stays in its band. */
static void a_likeness_never_decides(void **state)
{
    (void)state;
    static const char *const locals[] = {"maria.garcia", "info", "xk29fj3q", "asdfgh",
                                         "j\xc3\xb6rg"};
    for (unsigned i = 0; i < answer_count * 2 * 5; i++) {
        enum control_state control = i % 2 == 0 ? CONTROL_ACCEPTED : CONTROL_UNTESTABLE;
        const char *local = locals[i / 2 % 5];
        const char *answer = answers[i / 10].name;
        const struct verify_hints with = {.likeness = &weighed};
        const struct verify_hints without = {0};
        const struct verdict plain = decide(answer, control, without, local)->verdict;
        const struct verdict *v = &decide(answer, control, with, local)->verdict;
        assert_int_equal(v->status, plain.status);
        assert_int_equal(v->sub, plain.sub);
        assert_int_equal(v->life_s, plain.life_s);
        assert_true(v->confidence >= plain.confidence && v->confidence <= plain.confidence);
        if (!score_is_ambiguous(v->sub) || i / 2 % 5 == 4) {
            assert_int_equal(v->reason_count, plain.reason_count);
            assert_int_equal(v->score, plain.score);
            continue;
        }
        int sum = 0;
        for (size_t j = 0; j < v->reason_count; j++) {
            sum += v->reasons[j].effect;
        }
        assert_int_equal(v->score, sum);
        assert_true(has_reason(v, "likelihood"));
        bool is_risky = v->status == VERDICT_RISKY;
        assert_in_range(v->score, is_risky ? 15 : 20, is_risky ? 79 : 49);
    }
}

static int score_of(enum control_state control, const char *answer, bool is_role, const char *local)
{
    const struct verify_hints hints = {.is_role = is_role, .likeness = &weighed};
    return decide(answer, control, hints, local)->verdict.score;
}

static void a_likeness_ranks(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum control_state control;
        int apart; /* at least so far */
    } cases[] = {{"yes", CONTROL_ACCEPTED, 30},
                 {"yes", CONTROL_UNTESTABLE, 30},
                 {"grey", CONTROL_UNTESTED, 15}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int name = score_of(cases[i].control, cases[i].answer, false, "maria.garcia");
        int role = score_of(cases[i].control, cases[i].answer, true, "info");
        int token = score_of(cases[i].control, cases[i].answer, false, "xk29fj3q");
        int keys = score_of(cases[i].control, cases[i].answer, false, "asdfgh");
        assert_true(name > role && role > token && role > keys);
        assert_true(name - token >= cases[i].apart && name - keys >= cases[i].apart);
    }
}

static void an_earlier_answer_weighs_at_a_catch_all(void **state)
{
    (void)state;
    const struct verify_hints hints = {.likeness = &weighed};
    struct scene *scene = decide("yes", CONTROL_ACCEPTED, hints, "maria.garcia");
    int plain = scene->verdict.score;
    struct verify_history history = {.asked_at_ms = 1000};
    const struct verify_past live = {.at_ms = 10, .sub = SUB_ACCEPTED};
    const struct verify_past gone = {.at_ms = 10, .sub = SUB_MAILBOX_NOT_FOUND};
    assert_true(history_add(&history, &live));
    scene->question.history = &history;
    verdict_decide(&scene->question, &scene->verdict);
    assert_int_equal(scene->verdict.sub, SUB_CATCH_ALL);
    assert_true(scene->verdict.score > plain && effect_of(&scene->verdict, "earlier_answer") > 0);
    history = (struct verify_history){.asked_at_ms = 1000};
    assert_true(history_add(&history, &gone));
    verdict_decide(&scene->question, &scene->verdict);
    assert_int_equal(scene->verdict.sub, SUB_CATCH_ALL);
    assert_true(scene->verdict.score < plain && effect_of(&scene->verdict, "earlier_answer") < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_bases_is_kept),
        cmocka_unit_test(each_status_has_its_bands),
        cmocka_unit_test(what_is_known_of_the_address_counts),
        cmocka_unit_test(a_name_is_likelier_at_a_catch_all),
        cmocka_unit_test(the_way_it_was_weighed_counts),
        cmocka_unit_test(all_terms_together_stay_in_bounds),
        cmocka_unit_test(details_are_printable_and_bounded),
        cmocka_unit_test(reasons_beyond_the_last_are_dropped),
        cmocka_unit_test(a_likeness_never_decides),
        cmocka_unit_test(a_likeness_ranks),
        cmocka_unit_test(an_earlier_answer_weighs_at_a_catch_all),
    };
    return cmocka_run_group_tests(tests, load_model, free_model);
}
