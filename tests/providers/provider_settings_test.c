/* providers/provider_settings: what holds where nobody says anything, what traits imply, and that every value
 * tells whose it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "load.h"

#define HEAD "source \"a page\"\ndate 2026-11\n"
#define BARE HEAD "provider default\nlabel d\nclass selfhosted\n"
#define SLOW BARE "provider slow\nlabel s\nclass gateway\nconnections 3\ntimeout banner 20\n"

static struct provider_book *compile(const char *text, const char *over)
{
    struct provider_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    if (compile_books(text, over, NULL, &book, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return book;
}

static struct provider_setting setting_of(const struct provider_book *book, const char *name,
                                          const char *key)
{
    const struct provider *provider = provider_by_name(book, slice_of(name));
    struct provider_setting setting;
    for (size_t i = 0; provider_setting_at(book, provider, i, &setting); i++) {
        if (strcmp(setting.key, key) == 0) {
            return setting;
        }
    }
    fail_msg("no setting %s", key);
    return setting;
}

static void assert_setting(const struct provider_book *book, const char *name, const char *key,
                           uint32_t value, const char *where)
{
    struct provider_setting setting = setting_of(book, name, key);
    if (setting.value != value || strcmp(setting.where, where) != 0) {
        fail_msg("%s %s is %u from %s, not %u from %s", name, key, setting.value, setting.where,
                 value, where);
    }
    assert_true(setting.meaning[0] != '\0');
}

static void test_defaults(void **state)
{
    (void)state;
    struct provider_book *book = compile(BARE, NULL);
    assert_setting(book, "default", "connections", 2, "default");
    assert_setting(book, "default", "gap_ms", 500, "default");
    assert_setting(book, "default", "rcpts", 5, "default");
    assert_setting(book, "default", "transactions", 5, "default"); /* as many as recipients */
    assert_setting(book, "default", "rcpts_per_transaction", 20, "default");
    assert_setting(book, "default", "pipelined_rcpts", 1, "default");
    assert_setting(book, "default", "rcpt_gap_ms", 0, "default");
    assert_setting(book, "default", "invalids_per_session", 2, "default");
    assert_setting(book, "default", "invalids_per_hour", 20, "default");
    assert_setting(book, "default", "cooldown_s", 0, "default");
    assert_setting(book, "default", "timeout rcpt", 0, "default");
    provider_book_free(book);
}

static void test_places(void **state)
{
    (void)state;
    struct provider_book *book = compile(
        SLOW "traits one_rcpt\n", "\n\nprovider slow\nrcpts 9\ntimeout rcpt 7\ntraits skip\n");
    assert_setting(book, "slow", "connections", 3, "test:9");
    assert_setting(book, "slow", "rcpts", 9, "own:4");
    assert_setting(book, "slow", "transactions", 9, "default");
    assert_setting(book, "slow", "rcpts_per_transaction", 1, "trait one_rcpt");
    assert_setting(book, "slow", "timeout banner", 20, "test:10");
    assert_setting(book, "slow", "timeout rcpt", 7, "own:5");
    const struct provider *slow = provider_by_name(book, SLICE("slow"));
    struct provider_setting trait;
    assert_true(provider_trait_at(book, slow, 0, &trait));
    assert_string_equal(trait.key, "skip");
    assert_string_equal(trait.where, "own:6");
    assert_true(provider_trait_at(book, slow, 1, &trait));
    assert_string_equal(trait.key, "one_rcpt");
    assert_string_equal(trait.where, "test:11");
    assert_false(provider_trait_at(book, slow, 2, &trait));
    provider_book_free(book);
}

/* A trait fills in what is not said; said later than a limit, it goes before it. */
static void test_what_traits_imply(void **state)
{
    (void)state;
    struct provider_book *book = compile(SLOW "traits tarpits\n", NULL);
    assert_setting(book, "slow", "connections", 3, "test:9");
    assert_setting(book, "slow", "timeout banner", 20, "test:10");
    assert_setting(book, "slow", "timeout rcpt", 300, "trait tarpits");
    assert_setting(book, "slow", "timeout mail", 300, "trait tarpits");
    assert_setting(book, "slow", "timeout connect", 0, "default");
    provider_book_free(book);
    book = compile(SLOW, "provider slow\ntraits tarpits\n");
    assert_setting(book, "slow", "connections", 1, "trait tarpits");
    assert_setting(book, "slow", "timeout banner", 300, "trait tarpits");
    provider_book_free(book);
    book = compile(SLOW, "provider slow\ntraits tarpits\nconnections 5\n");
    assert_setting(book, "slow", "connections", 5, "own:3");
    provider_book_free(book);
    book = compile(SLOW "traits tarpits\n", "provider slow\ntraits -tarpits\n");
    assert_setting(book, "slow", "timeout rcpt", 0, "default");
    provider_book_free(book);
    book = compile(SLOW, "provider slow\ntraits forbids_probing\n");
    assert_setting(book, "slow", "connections", 1, "trait forbids_probing");
    assert_setting(book, "slow", "gap_ms", 10000, "trait forbids_probing");
    assert_setting(book, "slow", "rcpts", 1, "trait forbids_probing");
    assert_setting(book, "slow", "transactions", 1, "default");
    assert_setting(book, "slow", "invalids_per_session", 1, "trait forbids_probing");
    assert_setting(book, "slow", "invalids_per_hour", 5, "trait forbids_probing");
    provider_book_free(book);
}

/* What told the provider, and the rule by which it serves a domain. */
static void test_matches(void **state)
{
    (void)state;
    struct provider_book *book =
        compile(SLOW "mx slow.example in.*.example\ndomain slow.test listed.test\n",
                "provider own-box\nclass selfhosted\nmx box.example\n");
    struct provider_match match;
    provider_match_host(book, SLICE("a.Slow.example."), &match);
    assert_string_equal(match.provider->name.at, "slow");
    assert_string_equal(match.name.at, "slow.example");
    assert_string_equal(match.where, "test:11");
    provider_match_host(book, SLICE("x.in.b.example"), &match);
    assert_string_equal(match.name.at, "in.*.example");
    provider_match_host(book, SLICE("elsewhere.example"), &match);
    assert_null(match.provider);
    provider_match_domain(book, SLICE("Listed.test"), &match);
    assert_string_equal(match.where, "test:12");
    static const struct {
        const char *domain, *host, *provider;
    } cases[] = {
        {"x.test", "mx.slow.example", "slow"}, {"x.test", "mx.x.test", "default"},
        {"slow.test", "mx.x.test", "slow"},    {"slow.test", "", "slow"},
        {"slow.example", "", "slow"},          {"x.test", "box.example", "own-box"},
        {"slow.test", "box.example", "slow"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct provider *p =
            provider_serving(book, slice_of(cases[i].domain), slice_of(cases[i].host));
        assert_string_equal(p->name.at, cases[i].provider);
    }
    provider_book_free(book);
}

/* Every entry of ours names what is published by lines of its own, and is not above it. */
static void test_shipped_limits(void **state)
{
    (void)state;
    struct provider_book *book = load_providers();
    const struct provider *provider;
    for (size_t i = 0; (provider = provider_at(book, i)) != NULL; i++) {
        struct provider_setting setting;
        static const char *const said[] = {"connections", "gap_ms", "rcpts", "invalids_per_session",
                                           "invalids_per_hour"};
        for (size_t k = 0; k < sizeof said / sizeof *said; k++) {
            setting = setting_of(book, provider->name.at, said[k]);
            assert_string_not_equal(setting.where, "default");
        }
        assert_true(provider->source.len > 0 && provider->date.len > 0);
    }
    /* Published: connections, and deliveries on each. Ours are at most a quarter of them, but at least 1. */
    static const struct {
        const char *name;
        unsigned connections, deliveries;
    } published[] = {
        {"google", 5, 50},      {"outlook", 5, 50}, {"microsoft365", 5, 50}, {"yahoo", 3, 20},
        {"yahoo-japan", 2, 20}, {"icloud", 10, 5},  {"gmx", 4, 20},          {"comcast", 25, 1000},
        {"orange", 2, 100},     {"qq", 4, 8},       {"netease", 4, 7},       {"mimecast", 10, 100},
        {"barracuda", 10, 15},  {"cox", 5, 100},
    };
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const struct provider *p = provider_by_name(book, slice_of(published[i].name));
        assert_non_null(p);
        unsigned connections = published[i].connections < 8 ? 1 : published[i].connections / 4;
        unsigned deliveries = published[i].deliveries < 8 ? 1 : published[i].deliveries / 4;
        if (p->limits[PROVIDER_CONNECTIONS] > connections ||
            p->limits[PROVIDER_TRANSACTIONS_PER_CONNECTION] > deliveries) {
            fail_msg("%s: %u connections, %u transactions", published[i].name,
                     p->limits[PROVIDER_CONNECTIONS],
                     p->limits[PROVIDER_TRANSACTIONS_PER_CONNECTION]);
        }
    }
    provider_book_free(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),          cmocka_unit_test(test_places),
        cmocka_unit_test(test_what_traits_imply), cmocka_unit_test(test_matches),
        cmocka_unit_test(test_shipped_limits),
    };
    return cmocka_run_group_tests_name("providers/provider_settings", tests, NULL, NULL);
}
