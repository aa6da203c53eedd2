/* What earlier days say of today's answer: the reason, the score, the confidence; and that no status comes of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "verify/score.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
#define NOON_MS INT64_C(1790164800000) /* 2026-09-23 12:00 */

/* An answer so many hours before today's noon. */
struct earlier {
    int hours;
    enum verdict_sub sub;
};

static struct verify_history history_of(const struct earlier *earlier)
{
    struct verify_history history = {.asked_at_ms = NOON_MS};
    for (; earlier->hours > 0; earlier++) {
        struct verify_past past = {NOON_MS - earlier->hours * HOUR_MS, earlier->sub, 7};
        (void)history_add(&history, &past);
    }
    return history;
}

static struct verdict verdict_of(enum verdict_sub sub)
{
    return (struct verdict){
        .sub = sub, .status = verdict_status_of(sub), .confidence = score_confidence(sub)};
}

enum change { LESS = -1, SAME, MORE };

static const struct row {
    const char *name;
    enum verdict_sub today;
    struct earlier earlier[6];
    const char *code; /* NULL: nothing is said */
    int effect;
    enum change confidence;
    const char *detail;
} rows[] = {
    {"nothing before", SUB_ACCEPTED, {{0}}, NULL, 0, SAME, NULL},
    {"accepted again",
     SUB_ACCEPTED,
     {{8 * 24, SUB_ACCEPTED}},
     "seen_before",
     0,
     MORE,
     "the same answer on 2026-09-15"},
    {"the same day proves nothing new", SUB_ACCEPTED, {{3, SUB_ACCEPTED}}, NULL, 0, SAME, NULL},
    {"each day once, three at most",
     SUB_MAILBOX_NOT_FOUND,
     {{24, SUB_MAILBOX_NOT_FOUND},
      {25, SUB_MAILBOX_NOT_FOUND},
      {72, SUB_MAILBOX_NOT_FOUND},
      {96, SUB_MAILBOX_DISABLED},
      {120, SUB_MAILBOX_NOT_FOUND}},
     "seen_before",
     0,
     MORE,
     "the same answer on 2026-09-22, 2026-09-20, 2026-09-19"},
    {"what says nothing is passed over",
     SUB_ACCEPTED,
     {{24, SUB_GREYLISTED}, {48, SUB_ACCEPTED}},
     "seen_before",
     0,
     MORE,
     "the same answer on 2026-09-21"},
    {"the last word counts",
     SUB_ACCEPTED,
     {{24, SUB_ACCEPTED}, {48, SUB_MAILBOX_NOT_FOUND}, {72, SUB_ACCEPTED}},
     "seen_before",
     0,
     MORE,
     "the same answer on 2026-09-22"},
    {"gone since",
     SUB_MAILBOX_NOT_FOUND,
     {{24, SUB_ACCEPTED}},
     "answer_changed",
     0,
     LESS,
     "accepted on 2026-09-22"},
    {"there since",
     SUB_ACCEPTED,
     {{24, SUB_MAILBOX_NOT_FOUND}},
     "answer_changed",
     0,
     LESS,
     "mailbox_not_found on 2026-09-22"},
    {"trouble, and it was there",
     SUB_TEMP_FAILURE,
     {{48, SUB_ACCEPTED}},
     "accepted_before",
     15,
     SAME,
     "accepted on 2026-09-21"},
    {"a block, and it was there",
     SUB_BLOCKED,
     {{48, SUB_ACCEPTED_FORWARD}},
     "accepted_before",
     15,
     SAME,
     "accepted_forward on 2026-09-21"},
    {"trouble, and it was not there",
     SUB_GREYLISTED,
     {{48, SUB_MAILBOX_DISABLED}},
     "refused_before",
     -15,
     SAME,
     "mailbox_disabled on 2026-09-21"},
    {"nobody was asked today", SUB_SKIPPED, {{48, SUB_ACCEPTED}}, NULL, 0, SAME, NULL},
    {"catch-all says nothing of one name",
     SUB_CATCH_ALL,
     {{48, SUB_ACCEPTED}},
     NULL,
     0,
     SAME,
     NULL},
    {"catch-all said nothing of one name",
     SUB_ACCEPTED,
     {{48, SUB_CATCH_ALL}},
     NULL,
     0,
     SAME,
     NULL},
    {"too long ago", SUB_MAILBOX_NOT_FOUND, {{200 * 24, SUB_ACCEPTED}}, NULL, 0, SAME, NULL},
};

static void weighs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct verify_history history = history_of(row->earlier);
        struct verdict verdict = verdict_of(row->today);
        double before = verdict.confidence;
        history_weigh(&history, &verdict);
        if (verdict.sub != row->today || verdict.status != verdict_status_of(row->today) ||
            verdict.reason_count != (row->code != NULL)) {
            fail_msg("%s: %u reasons", row->name, verdict.reason_count);
        }
        if (row->code != NULL) {
            assert_string_equal(verdict.reasons[0].code, row->code);
            assert_string_equal(verdict.reasons[0].detail, row->detail);
            assert_int_equal(verdict.reasons[0].effect, row->effect);
        }
        enum change change = verdict.confidence > before   ? MORE
                             : verdict.confidence < before ? LESS
                                                           : SAME;
        if (change != row->confidence || verdict.confidence > 1.0 || verdict.confidence < 0.0) {
            fail_msg("%s: confidence %f, was %f", row->name, verdict.confidence, before);
        }
    }
    struct verdict verdict = verdict_of(SUB_ACCEPTED);
    history_weigh(NULL, &verdict);
    assert_int_equal(verdict.reason_count, 0);
}

static void is_bounded(void **state)
{
    (void)state;
    struct verify_history history = {.asked_at_ms = NOON_MS};
    const struct verify_past good = {NOON_MS - DAY_MS, SUB_ACCEPTED, 1};
    static const int64_t bad[] = {-1,        NOON_MS,   NOON_MS + 1,
                                  INT64_MAX, INT64_MIN, NOON_MS - VERIFY_HISTORY_LIFE_MS - 1};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct verify_past past = {bad[i], SUB_ACCEPTED, 1};
        assert_false(history_add(&history, &past));
    }
    for (int i = 0; i < VERIFY_HISTORY_MAX; i++) {
        assert_true(history_add(&history, &good));
    }
    assert_false(history_add(&history, &good));
    assert_int_equal(history.count, VERIFY_HISTORY_MAX);
}

static void knows_who_accepted_lately(void **state)
{
    static const struct {
        struct earlier earlier[4];
        uint32_t host;
    } cases[] = {
        {{{0}}, 0},
        {{{2, SUB_ACCEPTED}}, 7},
        {{{2, SUB_TEMP_FAILURE}, {3, SUB_ACCEPTED}}, 7},
        {{{2, SUB_MAILBOX_NOT_FOUND}, {3, SUB_ACCEPTED}}, 0},
        {{{25, SUB_ACCEPTED}}, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verify_history history = history_of(cases[i].earlier);
        assert_int_equal(history_accepted_by(&history), cases[i].host);
    }
    assert_int_equal(history_host(SLICE("")), 0);
    assert_int_not_equal(history_host(SLICE("mx.d.test")), 0);
    assert_int_not_equal(history_host(SLICE("mx.d.test")), history_host(SLICE("mx2.d.test")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weighs),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(knows_who_accepted_lately),
    };
    return cmocka_run_group_tests_name("verify/history", tests, NULL, NULL);
}
