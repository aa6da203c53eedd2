/* The verdict as a pure function: which evidence stands, what it amounts to beside a control, and that no
 * heap of weak evidence makes a strong verdict.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answers.h"
#include "base/random.h"
#include "base/slice.h"

enum { EVIDENCE_MAX = 24, HEAPS = 30000 };

static union {
    struct route route;
    char room[sizeof(struct route) + ROUTE_EXCHANGERS_MAX * sizeof(struct exchanger)];
} way;

static struct scene {
    struct evidence evidence[EVIDENCE_MAX];
    struct verify_domain domain;
    struct verify_hints hints;
    struct verify_config config;
    struct provider provider;
    struct verdict_question question;
    struct verdict verdict;
} scene;

/* Fresh, with exchangers of these preferences. */
static void set_scene(const char *preferences)
{
    memset(&scene, 0, sizeof scene);
    memset(&way, 0, sizeof way);
    scene.provider.class = PROVIDER_SELFHOSTED;
    for (const char *at = preferences; *at != '\0'; at++) {
        way.route.exchangers[way.route.exchanger_count++].preference = (uint16_t)(*at - '0');
    }
    scene.question = (struct verdict_question){
        .evidence = scene.evidence,
        .route = &way.route,
        .provider = &scene.provider,
        .domain = &scene.domain,
        .hints = &scene.hints,
        .config = &scene.config,
        .local = SLICE("jane"),
    };
}

static void add(const char *answer, uint8_t exchanger, enum probe_role role)
{
    struct evidence *e = &scene.evidence[scene.question.count++];
    *e = answer_of(answer);
    e->exchanger = exchanger;
    e->role = role;
}

static void add_all(const char *words)
{
    struct slice rest = slice_of(words);
    while (rest.at != NULL) {
        char word[40];
        struct slice part = slice_cut(&rest, ' ');
        assert_true(part.len < sizeof word);
        memcpy(word, part.at, part.len);
        word[part.len] = '\0';
        add(word, 0, PROBE_REAL);
    }
}

static const struct verdict *decide(void)
{
    verdict_decide(&scene.question, &scene.verdict);
    return &scene.verdict;
}

static void set_control(enum control_state state, const char *answer)
{
    struct evidence e = answer_of(answer);
    scene.domain.controls[0] =
        (struct verify_control_memory){.state = (uint8_t)state,
                                       .code = e.code,
                                       .reason = (uint8_t)e.class.reason,
                                       .text_hash = claim_text_hash(e.text, SLICE("bafoqu"))};
}

static void the_last_statement_stands_else_what_says_most(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int standing;
        enum claim claim;
    } cases[] = {
        {"yes no", 1, CLAIM_GONE},
        {"no yes", 1, CLAIM_ACCEPTED},
        {"no slow", 0, CLAIM_GONE},
        {"grey slow drop", 0, CLAIM_GREYLISTED},
        {"relay no", 1, CLAIM_GONE},
        {"no relay", 0, CLAIM_GONE},
        {"slow drop", 1, CLAIM_DISCONNECTED},
        {"drop unreached", 0, CLAIM_DISCONNECTED},
        {"unreached no-utf8", 0, CLAIM_UNREACHED},
        {"busy blocked busy", 1, CLAIM_BLOCKED},
        {"soft-no grey", 0, CLAIM_SOFT_GONE},
        {"local skip", 1, CLAIM_SKIPPED},
        {"vague", 0, CLAIM_AMBIGUOUS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum claim claim = CLAIM_COUNT;
        set_scene("1");
        add_all(cases[i].words);
        int standing = verdict_standing(scene.evidence, scene.question.count, &claim);
        if (standing != cases[i].standing || claim != cases[i].claim) {
            fail_msg("%s: %d, claim %d", cases[i].words, standing, (int)claim);
        }
    }
}

static void only_the_real_address_stands(void **state)
{
    (void)state;
    enum claim claim = CLAIM_COUNT;
    set_scene("1");
    add("no", 0, PROBE_CONTROL);
    add("yes", 0, PROBE_POSTMASTER);
    assert_int_equal(verdict_standing(scene.evidence, 2, &claim), -1);
    assert_int_equal(claim, CLAIM_COUNT);
    assert_int_equal(verdict_repeats(scene.evidence, 2, CLAIM_GONE), 0);
    add("slow", 0, PROBE_REAL);
    add("no", 0, PROBE_CONTROL);
    assert_int_equal(verdict_standing(scene.evidence, 4, &claim), 2);
    assert_int_equal(decide()->sub, SUB_SMTP_TIMEOUT);
    assert_int_equal(scene.verdict.deciding, 2);
}

static void repeats_are_counted_from_the_end(void **state)
{
    (void)state;
    set_scene("1");
    add_all("soft-no grey soft-no");
    add("grey", 0, PROBE_CONTROL);
    add("soft-no", 0, PROBE_REAL);
    assert_int_equal(verdict_repeats(scene.evidence, 5, CLAIM_SOFT_GONE), 2);
    assert_int_equal(verdict_repeats(scene.evidence, 5, CLAIM_GREYLISTED), 0);
    assert_int_equal(verdict_repeats(scene.evidence, 2, CLAIM_GREYLISTED), 1);
}

static void a_backup_has_a_better_one_that_may_be_there(void **state)
{
    (void)state;
    static const struct {
        enum host_status better;
        bool is_backup;
    } cases[] = {{HOST_OK, true},         {HOST_DNS_ERROR, true},   {HOST_NO_FAMILY, true},
                 {HOST_NOT_FOUND, false}, {HOST_NO_ADDRESS, false}, {HOST_UNROUTABLE, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_scene("122");
        way.route.exchangers[0].status = cases[i].better;
        assert_false(route_is_backup(&way.route, 0));
        assert_int_equal(route_is_backup(&way.route, 1), cases[i].is_backup);
        assert_int_equal(route_is_backup(&way.route, 2), cases[i].is_backup);
    }
}

static void all_exchangers_means_all_that_may_be_there(void **state)
{
    (void)state;
    set_scene("123");
    add("relay", 0, PROBE_REAL);
    add("relay", 1, PROBE_REAL);
    add("relay", 2, PROBE_CONTROL);
    assert_false(decide_all_exchangers(&scene.question, CLAIM_DOMAIN));
    way.route.exchangers[2].status = HOST_UNROUTABLE;
    assert_true(decide_all_exchangers(&scene.question, CLAIM_DOMAIN));
    way.route.exchangers[2].status = HOST_DNS_ERROR;
    assert_false(decide_all_exchangers(&scene.question, CLAIM_DOMAIN));
}

static void alike_is_the_same_words_or_the_same_statement(void **state)
{
    (void)state;
    static const struct {
        const char *control, *real;
        bool is_alike;
    } cases[] = {
        {"vague", "vague", true},     {"vague", "vague~", false}, {"no", "no~", true},
        {"no", "vague", false},       {"vague", "no", false},     {"soft-no", "vague", false},
        {"soft-no", "soft-no", true}, {"relay", "relay~", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct evidence e = answer_of(cases[i].real);
        set_scene("1");
        set_control(CONTROL_REFUSED, cases[i].control);
        if (decide_is_alike(&e, &scene.domain.controls[0], SLICE("jane")) != cases[i].is_alike) {
            fail_msg("%s and %s", cases[i].control, cases[i].real);
        }
        scene.domain.controls[0].state = CONTROL_ACCEPTED;
        assert_false(decide_is_alike(&e, &scene.domain.controls[0], SLICE("jane")));
    }
}

static void the_control_gives_a_yes_its_meaning(void **state)
{
    (void)state;
    static const enum verdict_sub expected[] = {
        [CONTROL_UNTESTED] = SUB_ACCEPTED_UNCONFIRMED,
        [CONTROL_RUNNING] = SUB_ACCEPTED_UNCONFIRMED,
        [CONTROL_REFUSED] = SUB_ACCEPTED,
        [CONTROL_ACCEPTED] = SUB_CATCH_ALL,
        [CONTROL_UNTESTABLE] = SUB_ACCEPTED_UNCONFIRMED,
    };
    for (int i = CONTROL_UNTESTED; i <= CONTROL_UNTESTABLE; i++) {
        set_scene("1");
        add("yes", 0, PROBE_REAL);
        set_control((enum control_state)i, "no");
        assert_int_equal(decide()->sub, expected[i]);
        scene.evidence[0] = answer_of("yes!2"); /* poisoned: nothing helps */
        assert_int_equal(decide()->sub, SUB_ACCEPTED_UNCONFIRMED);
        scene.evidence[0] = answer_of("yes");
        scene.provider.traits = PROVIDER_SELECTIVE;
        assert_int_equal(decide()->sub, SUB_ACCEPTED);
        scene.provider.traits = PROVIDER_ACCEPTS_ALL;
        assert_int_equal(decide()->sub, SUB_ACCEPTS_ALL_PROVIDER);
    }
}

static void advice_is_the_wait_then_the_servers_then_ours(void **state)
{
    (void)state;
    set_scene("1");
    add("grey+90", 0, PROBE_REAL);
    scene.question.wait_s = 70;
    assert_int_equal(decide()->retry_after_s, 70);
    scene.question.wait_s = 0;
    assert_int_equal(decide()->retry_after_s, 90);
    scene.evidence[0].class.retry_after_s = 0;
    assert_int_equal(decide()->retry_after_s, 300);
    scene.evidence[0] = answer_of("no+90");
    scene.question.wait_s = 70;
    assert_int_equal(decide()->retry_after_s, 0); /* final is final */
    scene.evidence[0] = answer_of("full");
    assert_int_equal(decide()->retry_after_s, 70);
}

static void a_block_is_named(void **state)
{
    (void)state;
    set_scene("1");
    add("blocked", 0, PROBE_REAL);
    assert_int_equal(decide()->block_kind, BLOCK_POLICY);
    scene.evidence[0].class.block_kind = BLOCK_IP_LIST;
    assert_int_equal(decide()->block_kind, BLOCK_IP_LIST);
    scene.evidence[0].class.block_kind = BLOCK_NONE;
    scene.evidence[0].stage = HEL_SMTP_EHLO;
    assert_int_equal(decide()->block_kind, BLOCK_HELO);
    scene.evidence[0] = answer_of("busy");
    assert_int_equal(decide()->block_kind, BLOCK_NONE);
}

/* Fills the list with answers that `accepts` takes, and the memory with anything. */
static void heap_up(struct random *random, bool (*accepts)(const struct evidence *e))
{
    static const char *const routes[] = {"1", "11", "12"};
    set_scene(routes[random_below(random, 3)]);
    uint32_t count = 1 + random_below(random, 8);
    while (scene.question.count < count) {
        struct evidence *e = &scene.evidence[scene.question.count];
        *e = answers[random_below(random, answer_count)].evidence;
        e->role = random_below(random, 3) == 0 ? PROBE_CONTROL : PROBE_REAL;
        e->exchanger = (uint8_t)random_below(random, way.route.exchanger_count);
        scene.question.count += e->role == PROBE_CONTROL || accepts(e) ? 1 : 0;
    }
    struct evidence control = answers[random_below(random, answer_count)].evidence;
    scene.domain.controls[0].state = (uint8_t)random_below(random, CONTROL_UNTESTABLE + 1);
    scene.domain.controls[0].code = control.code;
    scene.domain.controls[0].reason = (uint8_t)control.class.reason;
    scene.domain.backup_controls[0] = scene.domain.controls[0];
    scene.domain.live_seen = (uint16_t)random_below(random, 2);
}

static void no_heap_gives(bool (*accepts)(const struct evidence *e), enum verdict_status status)
{
    struct random random = {.state = 5};
    for (unsigned i = 0; i < HEAPS; i++) {
        heap_up(&random, accepts);
        if (decide()->status == status) {
            fail_msg("%s from %u %s", verdict_sub_name(scene.verdict.sub),
                     (unsigned)scene.evidence[scene.verdict.deciding].code,
                     scene.evidence[scene.verdict.deciding].text);
        }
    }
}

/* "No such user" with a temporary code is the one exception, and needs three of it and a contrast. */
static bool is_temporary(const struct evidence *e)
{
    return e->kind == EVIDENCE_REPLY && e->code / 100 == 4 && claim_of(e) != CLAIM_SOFT_GONE;
}

static bool is_before_rcpt(const struct evidence *e)
{
    return e->stage < HEL_SMTP_RCPT && claim_of(e) != CLAIM_DOMAIN && claim_of(e) != CLAIM_NO_UTF8;
}

static bool is_about_us(const struct evidence *e)
{
    return e->class.scope == SCOPE_US;
}

static bool is_trouble(const struct evidence *e)
{
    return e->kind != EVIDENCE_REPLY && e->kind != EVIDENCE_UTF8_UNSUPPORTED;
}

static bool is_no_acceptance(const struct evidence *e)
{
    return e->code / 100 != 2 && claim_of(e) != CLAIM_EXISTS;
}

static void undeliverable_needs_more_than(void **state)
{
    (void)state;
    no_heap_gives(is_temporary, VERDICT_UNDELIVERABLE);
    no_heap_gives(is_before_rcpt, VERDICT_UNDELIVERABLE);
    no_heap_gives(is_about_us, VERDICT_UNDELIVERABLE);
    no_heap_gives(is_trouble, VERDICT_UNDELIVERABLE);
}

static void deliverable_needs_an_acceptance(void **state)
{
    (void)state;
    no_heap_gives(is_no_acceptance, VERDICT_DELIVERABLE);
}

static bool is_blanket(const struct evidence *e)
{
    return claim_of(e) == CLAIM_AMBIGUOUS;
}

/* All alike, and nobody is known to live: nothing is said of this mailbox. */
static void a_blanket_refusal_condemns_nobody(void **state)
{
    (void)state;
    struct random random = {.state = 6};
    for (unsigned i = 0; i < HEAPS; i++) {
        heap_up(&random, is_blanket);
        scene.domain.live_seen = 0;
        if (scene.domain.controls[0].state == CONTROL_ACCEPTED) {
            scene.domain.controls[0].state = CONTROL_REFUSED;
        }
        scene.domain.backup_controls[0] = scene.domain.controls[0];
        assert_int_not_equal(decide()->status, VERDICT_UNDELIVERABLE);
        assert_int_not_equal(scene.verdict.status, VERDICT_DELIVERABLE);
    }
}

static bool is_anything(const struct evidence *e)
{
    (void)e;
    return true;
}

static void deliverable_needs_a_refused_control(void **state)
{
    (void)state;
    struct random random = {.state = 7};
    for (unsigned i = 0; i < HEAPS; i++) {
        heap_up(&random, is_anything);
        bool is_refused = scene.domain.controls[0].state == CONTROL_REFUSED;
        const struct verdict *verdict = decide();
        if (verdict->status == VERDICT_DELIVERABLE && !is_refused) {
            assert_int_equal(verdict->sub, SUB_ACCEPTED_RATE_LIMITED); /* said outright */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_statement_stands_else_what_says_most),
        cmocka_unit_test(only_the_real_address_stands),
        cmocka_unit_test(repeats_are_counted_from_the_end),
        cmocka_unit_test(a_backup_has_a_better_one_that_may_be_there),
        cmocka_unit_test(all_exchangers_means_all_that_may_be_there),
        cmocka_unit_test(alike_is_the_same_words_or_the_same_statement),
        cmocka_unit_test(the_control_gives_a_yes_its_meaning),
        cmocka_unit_test(advice_is_the_wait_then_the_servers_then_ours),
        cmocka_unit_test(a_block_is_named),
        cmocka_unit_test(undeliverable_needs_more_than),
        cmocka_unit_test(deliverable_needs_an_acceptance),
        cmocka_unit_test(a_blanket_refusal_condemns_nobody),
        cmocka_unit_test(deliverable_needs_a_refused_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
