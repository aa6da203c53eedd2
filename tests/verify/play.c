/* SPDX-License-Identifier: Apache-2.0 */
#include "play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "fail_alloc.h"
#include "stand.h"

/* What a play came to. */
struct outcome {
    struct verdict verdict;
    struct verify_summary summary;
};

enum { WORD_BYTES = 48, WORDS_MAX = 80, GROUP_MAX = 100 };

struct script {
    char words[WORDS_MAX][WORD_BYTES];
    unsigned count, at;
};

static void script_read(struct script *script, const char *text)
{
    script->count = script->at = 0;
    struct slice rest = slice_of(text);
    while (rest.at != NULL) {
        struct slice word = slice_cut(&rest, ' ');
        if (word.len > 0) {
            assert_true(script->count < WORDS_MAX && word.len < WORD_BYTES);
            memcpy(script->words[script->count], word.at, word.len);
            script->words[script->count++][word.len] = '\0';
        }
    }
    assert_true(script->count > 0);
}

/* What the case asks for, as a script would say it. */
static void describe(const struct stand *stand, const struct verify_action *action,
                     char out[WORD_BYTES])
{
    const struct verify_probe *probe = &action->probe;
    switch (action->kind) {
    case VERIFY_RESOLVE: (void)snprintf(out, WORD_BYTES, "resolve"); return;
    case VERIFY_AWAIT_DOMAIN: (void)snprintf(out, WORD_BYTES, "await"); return;
    case VERIFY_IDLE: (void)snprintf(out, WORD_BYTES, "idle"); return;
    case VERIFY_WAIT:
        (void)snprintf(out, WORD_BYTES, "wait:%llu",
                       (unsigned long long)(action->until_ms - stand->now_ms) / 1000);
        return;
    case VERIFY_DONE:
        (void)snprintf(out, WORD_BYTES, "=%s", verdict_sub_name(play_verdict(stand)->sub));
        return;
    case VERIFY_PROBE: break;
    }
    (void)snprintf(out, WORD_BYTES, "%s%u%s%s%s", probe_role_name(probe->role),
                   (unsigned)probe->exchanger, probe->wants_fresh_connection ? "+" : "",
                   probe->is_null_sender && !stand->play->no_sender ? "<>" : "",
                   probe->wants_other_egress ? "^" : "");
}

static void check_rcpt(const struct stand *stand, const struct verify_probe *probe)
{
    struct slice domain = SLICE("@d.test");
    bool is_real = probe->role == PROBE_REAL;
    assert_true(slice_ends(probe->rcpt, domain));
    assert_int_equal(slice_equal(probe->rcpt, slice_of(stand->text)), is_real);
    if (probe->role == PROBE_POSTMASTER) {
        assert_true(slice_equal(probe->rcpt, SLICE("postmaster@d.test")));
    }
}

/* Who is greylisted comes back the same way from then on; so does a control, to where it was accepted. */
static void check_egress(const struct stand *stand, const struct verify_probe *probe)
{
    size_t count;
    const struct evidence *evidence = verify_case_evidence(stand->verify, &count);
    bool is_greylisted = count > 0 && claim_of(&evidence[count - 1]) == CLAIM_GREYLISTED;
    bool was_greylisted = false;
    for (size_t i = 0; i < count; i++) {
        was_greylisted = was_greylisted || claim_of(&evidence[i]) == CLAIM_GREYLISTED;
    }
    assert_false(probe->keeps_egress && probe->wants_other_egress);
    if (probe->role != PROBE_REAL || was_greylisted) {
        assert_true(probe->keeps_egress || probe->wants_other_egress);
    }
    if (is_greylisted) {
        assert_true(probe->keeps_egress);
    }
}

/* Words that come from outside; true where this was one. */
static bool is_event(struct stand *stand, const char *word)
{
    if (strncmp(word, "expire:", 7) == 0) {
        bool is_budget = strcmp(word + 7, "budget") == 0;
        verify_case_expire(stand->verify, is_budget ? SKIP_BUDGET : SKIP_CANCELLED, stand->now_ms);
    } else if (strcmp(word, "live") == 0) {
        stand->domain->live_seen++;
        stand->domain->changes++;
        verify_case_tick(stand->verify, stand->now_ms);
    } else if (strncmp(word, "settled:", 8) == 0) {
        struct verify_control_memory *control = &stand->domain->controls[0];
        bool is_accepted = strcmp(word + 8, "accepted") == 0;
        control->state = is_accepted ? CONTROL_ACCEPTED : CONTROL_REFUSED;
        control->code = is_accepted ? 250 : 550;
        control->reason = is_accepted ? REASON_ACCEPTED : REASON_MAILBOX_UNKNOWN;
        control->at_ms = stand->now_ms;
        verify_case_tick(stand->verify, stand->now_ms);
    } else {
        return false;
    }
    return true;
}

/* Plays up to `words` words as written; false: that was before the end. */
static bool perform(struct stand *stand, struct script *script, unsigned words)
{
    while (script->at < words) {
        const char *expected = script->words[script->at++];
        stand_repack(stand);
        if (is_event(stand, expected)) {
            continue;
        }
        struct verify_action action;
        char asked[WORD_BYTES];
        verify_case_next(stand->verify, stand->now_ms, &action);
        if (action.kind == VERIFY_RESOLVE) {
            stand_route(stand);
            verify_case_next(stand->verify, stand->now_ms, &action);
        }
        describe(stand, &action, asked);
        if (strcmp(asked, expected) != 0) {
            fail_msg("%s: word %u: %s expected, asked for %s", stand->play->name, script->at,
                     expected, asked);
        }
        if (action.kind == VERIFY_PROBE) {
            check_rcpt(stand, &action.probe);
            check_egress(stand, &action.probe);
            stand->asked = action.probe;
            struct verify_action idle;
            verify_case_next(stand->verify, stand->now_ms, &idle);
            assert_int_equal(idle.kind, VERIFY_IDLE);
            if (script->at >= words) {
                return false; /* an answer is owed */
            }
            stand_answer(stand, script->words[script->at++]);
        } else if (action.kind == VERIFY_WAIT) {
            stand_pass(stand, action.until_ms);
        } else if (action.kind == VERIFY_DONE) {
            return true;
        }
    }
    return false;
}

static void note_outcome(const struct stand *stand, struct outcome *out)
{
    out->verdict = *play_verdict(stand);
    out->summary = play_summary(stand);
}

static void play_as_written(const struct play *play, struct script *script, bool is_packed_often,
                            struct outcome *out)
{
    struct stand *stand = stand_new(play, NULL);
    stand->is_packed_often = is_packed_often;
    stand_begin(stand);
    script->at = 0;
    assert_true(perform(stand, script, script->count));
    assert_int_equal(script->at, script->count);
    check_principles(stand);
    if (play->check != NULL) {
        play->check(stand);
    }
    note_outcome(stand, out);
    stand_free(stand);
}

static void play_and_expire(const struct play *play, struct script *script, unsigned words,
                            enum skip_reason why, bool is_packed_often, struct outcome *out)
{
    struct stand *stand = stand_new(play, NULL);
    stand->is_packed_often = is_packed_often;
    stand_begin(stand);
    script->at = 0;
    bool is_done = perform(stand, script, words);
    if (!is_done) {
        struct verify_action action;
        verify_case_expire(stand->verify, why, stand->now_ms);
        verify_case_next(stand->verify, stand->now_ms, &action);
        assert_int_equal(action.kind, VERIFY_DONE);
        stand_answer(stand, "yes"); /* too late */
        verify_case_expire(stand->verify, why, stand->now_ms);
        verify_case_next(stand->verify, stand->now_ms, &action);
        assert_int_equal(action.kind, VERIFY_DONE);
    }
    check_principles(stand);
    bool is_open = play_verdict(stand)->status == VERDICT_UNKNOWN;
    if (!is_done && why == SKIP_CANCELLED && is_open) {
        assert_int_equal(play_verdict(stand)->sub, SUB_SKIPPED);
        assert_int_equal(play_verdict(stand)->skip, SKIP_CANCELLED);
    }
    note_outcome(stand, out);
    stand_free(stand);
}

static bool is_same_verdict(const struct verdict *v, const struct verdict *w)
{
    return v->status == w->status && v->sub == w->sub && v->block_kind == w->block_kind &&
           v->skip == w->skip && v->stage == w->stage && v->score == w->score &&
           v->confidence == w->confidence && v->is_catch_all == w->is_catch_all &&
           v->is_full == w->is_full && v->is_disabled == w->is_disabled &&
           v->retry_after_s == w->retry_after_s && v->deciding == w->deciding &&
           v->life_s == w->life_s && v->reason_count == w->reason_count;
}

static bool is_same_summary(const struct verify_summary *v, const struct verify_summary *w)
{
    return v->attempts == w->attempts && v->control_tested == w->control_tested &&
           v->control == w->control && v->control_code == w->control_code &&
           v->control_count == w->control_count && v->greylist_seen == w->greylist_seen &&
           v->greylist_first_ms == w->greylist_first_ms &&
           v->greylist_passed_ms == w->greylist_passed_ms;
}

static void check_same(const struct play *play, const struct outcome *a, const struct outcome *b)
{
    const struct verdict *v = &a->verdict, *w = &b->verdict;
    bool is_same = is_same_verdict(v, w) && is_same_summary(&a->summary, &b->summary);
    for (size_t i = 0; is_same && i < v->reason_count; i++) {
        is_same = strcmp(v->reasons[i].code, w->reasons[i].code) == 0 &&
                  v->reasons[i].effect == w->reasons[i].effect &&
                  strcmp(v->reasons[i].detail, w->reasons[i].detail) == 0;
    }
    if (!is_same) {
        fail_msg("%s: packed now and then it ends otherwise (%s, %s)", play->name,
                 verdict_sub_name(v->sub), verdict_sub_name(w->sub));
    }
}

/* A case that is packed between any two steps is the same case. */
static void play_packed(const struct play *play, struct script *script)
{
    static const enum skip_reason reasons[] = {SKIP_BUDGET, SKIP_CANCELLED};
    struct outcome whole = {.summary = {.attempts = 0}}, packed = whole;
    play_as_written(play, script, false, &whole);
    play_as_written(play, script, true, &packed);
    check_same(play, &whole, &packed);
    for (unsigned i = 0; i < script->count; i++) {
        for (size_t r = 0; r < sizeof reasons / sizeof *reasons; r++) {
            play_and_expire(play, script, i, reasons[r], false, &whole);
            play_and_expire(play, script, i, reasons[r], true, &packed);
            check_same(play, &whole, &packed);
        }
    }
}

/* The script's answers while it fits, then the same answer for ever. */
static const char *next_answer(void *context, const struct verify_probe *probe)
{
    struct script *script = context;
    (void)probe;
    while (script->at < script->count) {
        const char *word = script->words[script->at++];
        size_t len = strlen(word);
        bool is_question = strncmp(word, "real", 4) == 0 || strncmp(word, "control", 7) == 0 ||
                           strncmp(word, "postmaster", 10) == 0;
        if (is_question && len > 4 && script->at < script->count) {
            return script->words[script->at++];
        }
    }
    return "slow";
}

/* False: it has fewer allocations than that. */
static bool play_without_memory(const struct play *play, struct script *script, unsigned failing,
                                bool is_packed_often)
{
    script->at = 0;
    struct stand *stand = stand_new(play, NULL);
    stand->is_packed_often = is_packed_often;
    fail_alloc_at(failing);
    stand_begin(stand);
    if (stand->verify == NULL) {
        assert_int_equal(failing, 1);
    } else {
        stand_drive(stand, next_answer, script);
        check_principles(stand);
    }
    stand_free(stand);
    assert_int_equal(fail_alloc_end(), 0);
    return fail_alloc_happened();
}

static void play_one(void **state)
{
    const struct play *play = *state;
    struct script script;
    script_read(&script, play->script);
    play_packed(play, &script);
    unsigned failing = 1;
    while (play_without_memory(play, &script, failing, false)) {
        failing++;
    }
    assert_true(failing > 1); /* the case, at least */
    failing = 1;
    while (play_without_memory(play, &script, failing, true)) {
        failing++;
    }
}

int play_all(const char *group, const struct play *plays, size_t count)
{
    struct CMUnitTest tests[GROUP_MAX];
    assert_true(count <= GROUP_MAX);
    for (size_t i = 0; i < count; i++) {
        tests[i] = (struct CMUnitTest){.name = plays[i].name,
                                       .test_func = play_one,
                                       .initial_state = (void *)(uintptr_t)&plays[i]};
    }
    return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}
