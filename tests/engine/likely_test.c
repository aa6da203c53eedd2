/* What the store says of a domain, and how outcomes get there: numbers that drift from what is seen are corrected.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/likely.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../store/scratch.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/knowledge.h"

#define DOMAIN "b.example"
#define NOW    INT64_C(1800000000000)

static struct knowledge *knowledge;
static struct likely_means means;

static int load(void **state)
{
    (void)state;
    struct fault fault;
    must(knowledge_open(DATA_DIR, &knowledge, &fault) == ERR_NONE);
    means = (struct likely_means){knowledge_likeness(knowledge), knowledge_lists(knowledge)};
    return 0;
}

static int unload(void **state)
{
    (void)state;
    knowledge_free(knowledge);
    return 0;
}

static void put_fact(struct store *store, const char *key, const char *detail)
{
    const struct store_fact fact = {.key = slice_of(key),
                                    .domain = SLICE_LITERAL(DOMAIN),
                                    .kind = SLICE_LITERAL("probe"),
                                    .source = SLICE_LITERAL("default"),
                                    .detail = slice_of(detail),
                                    .at_ms = 100};
    assert_int_equal(store_fact_put(store, &fact), ERR_NONE);
}

static struct likeness_known known_of(struct store *store)
{
    struct likeness_known known;
    likely_of_domain(store, &means, SLICE(DOMAIN), NOW, NOW, &known);
    return known;
}

static void answers_tell_how_addresses_are_made(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    put_fact(store, "maria.garcia@" DOMAIN, "accepted mx.b.example");
    put_fact(store, "paul.smith@" DOMAIN, "accepted_forward mx.b.example");
    put_fact(store, "info@" DOMAIN, "accepted mx.b.example");          /* not made of a name */
    put_fact(store, "lena@" DOMAIN, "mailbox_not_found mx.b.example"); /* is none */
    put_fact(store, "anna@" DOMAIN, "catch_all mx.b.example");         /* says nothing */
    put_fact(store, "otto@" DOMAIN, "no such word");
    put_fact(store, "no address", "accepted");
    struct likeness_known known = known_of(store);
    assert_int_equal(known.patterns[LIKENESS_IS_DOTTED], 2);
    assert_int_equal(known.patterns[LIKENESS_IS_WORD], 0);
    assert_int_equal(known.domain.count, 4);
    assert_true(fabs(known.domain.seen - 3.0) < 1e-9);
    store_close(store);
}

static double likelihood(struct store *store, const char *local)
{
    struct likeness_known known = known_of(store);
    struct likeness likeness;
    known.provider = likely_of_provider(store, SLICE("google"), NOW);
    likeness_weigh(means.model, slice_of(local), false, &known, &likeness);
    return likeness_of_odds(likeness.log_odds);
}

static void learn(struct store *store, const char *address, const char *provider, bool was_alive)
{
    struct fault fault = {.text = ""};
    const struct likely_report report = {slice_of(address), slice_of(provider), was_alive, NOW - 1};
    assert_int_equal(likely_learn(store, &means, &report, &fault), ERR_NONE);
}

/* The same words learned as bounces and as deliveries: the number goes where they say, and the more of them there are
 * the closer it comes to what is seen. */
static void outcomes_move_what_is_said(void **state)
{
    (void)state;
    for (int is_alive = 0; is_alive <= 1; is_alive++) {
        struct store *store = scratch_open(":memory:");
        double last = likelihood(store, "petra");
        static const char *const names[] = {"anna", "paul", "lena", "otto", "karl", "emma"};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char address[64];
            (void)snprintf(address, sizeof address, "%s@" DOMAIN, names[i]);
            learn(store, address, "", is_alive == 1);
            double now = likelihood(store, "petra");
            assert_true(is_alive == 1 ? now > last : now < last);
            last = now;
        }
        assert_true(is_alive == 1 ? last > 0.85 : last < 0.35);
        store_close(store);
    }
}

static void a_provider_tells_of_its_other_domains(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    double before = likelihood(store, "petra");
    learn(store, "anna@c.example", "google", false);
    learn(store, "paul@d.example", "google", false);
    double after = likelihood(store, "petra");
    assert_true(after < before);
    learn(store, "lena@e.example", "yahoo", false);
    assert_true(fabs(likelihood(store, "petra") - after) < 1e-12);
    store_close(store);
}

static void what_cannot_be_learned_is_told(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct fault fault = {.text = ""};
    const struct likely_report wrong = {.address = SLICE("no address")};
    const struct likely_report blind = {.address = SLICE("j\xc3\xb6rg@" DOMAIN)};
    assert_int_equal(likely_learn(store, &means, &wrong, &fault), ERR_SYNTAX);
    assert_non_null(strstr(fault.text, "column 3"));
    assert_int_equal(likely_learn(store, &means, &blind, &fault), ERR_STATE);
    store_close(store);
}

static void words_of_logs(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        bool is_known;
        enum likely_outcome outcome;
    } rows[] = {
        {"delivered", true, LIKELY_ALIVE},
        {" Opened ", true, LIKELY_ALIVE},
        {"Hard Bounce", true, LIKELY_GONE},
        {"hard-bounce", true, LIKELY_GONE},
        {"BOUNCED", true, LIKELY_GONE},
        {"soft_bounce", true, LIKELY_SILENT},
        {"", true, LIKELY_SILENT},
        {"what", false, LIKELY_SILENT},
        {"deliveredd", false, LIKELY_SILENT},
        {"a word that is longer than any outcome that there is", false, LIKELY_SILENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum likely_outcome outcome = LIKELY_SILENT;
        assert_int_equal(likely_outcome_parse(slice_of(rows[i].word), &outcome), rows[i].is_known);
        assert_int_equal(outcome, rows[i].outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_tell_how_addresses_are_made),
        cmocka_unit_test(outcomes_move_what_is_said),
        cmocka_unit_test(a_provider_tells_of_its_other_domains),
        cmocka_unit_test(what_cannot_be_learned_is_told),
        cmocka_unit_test(words_of_logs),
    };
    return cmocka_run_group_tests_name("engine/likely", tests, load, unload);
}
