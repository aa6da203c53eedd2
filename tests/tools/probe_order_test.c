/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* What an operator says who allows all that can be allowed. */
struct house {
    struct config config;
    struct probe_terms terms;
};

static void open_house(struct house *house, bool is_generous)
{
    config_init(&house->config);
    config_settle(&house->config);
    house->config.serve.probe_sends = is_generous;
    if (is_generous) {
        house->config.serve.probe_relay =
            (struct config_texts){.at = {"mx.d.example", "192.0.2.25"}, .count = 2};
    }
    assert_null(probe_terms_read(&house->config, &house->terms));
}

static struct slice one_rcpt[] = {SLICE_LITERAL("Live@D.example")};

static const struct {
    const char *name;
    struct probe_wish wish;
    const char *member; /* that is refused; NULL: none is */
    bool is_refused_by_generous;
} cases[] = {
    {"a domain", {.target = SLICE_LITERAL("d.example")}, NULL, false},
    {"a host at a port of mail", {.target = SLICE_LITERAL("mx.d.example:587")}, NULL, false},
    {"LMTP", {.target = SLICE_LITERAL("lmtp://mx.d.example")}, NULL, false},
    {"no host", {.target = SLICE_LITERAL("mx..example")}, "target", true},
    {"another port", {.target = SLICE_LITERAL("mx.d.example:80")}, "target", true},
    {"another port, named", {.target = SLICE_LITERAL("d.example"), .port = 22}, "port", true},
    {"a socket of ours", {.target = SLICE_LITERAL("lmtp:///run/lmtp")}, "target", true},
    {"TLS of no kind",
     {.target = SLICE_LITERAL("d.example"), .tls = SLICE_LITERAL("x")},
     "tls",
     true},
    {"half a login",
     {.target = SLICE_LITERAL("d.example"), .user = SLICE_LITERAL("j")},
     "password",
     true},
    {"a login of no kind",
     {.target = SLICE_LITERAL("d.example"),
      .user = SLICE_LITERAL("j"),
      .password = SLICE_LITERAL("p"),
      .mechanism = SLICE_LITERAL("NTLM")},
     "mechanism",
     true},
    {"a message",
     {.target = SLICE_LITERAL("d.example"), .rcpts = one_rcpt, .rcpt_count = 1, .sends = true},
     "send",
     false},
    {"a message to nobody", {.target = SLICE_LITERAL("d.example"), .sends = true}, "send", true},
    {"relaying",
     {.target = SLICE_LITERAL("mx.d.example:25"), .relay_domain = SLICE_LITERAL("d.example")},
     "relay_domain",
     false},
    {"relaying at an address",
     {.target = SLICE_LITERAL("192.0.2.25"), .relay_domain = SLICE_LITERAL("d.example")},
     "relay_domain",
     false},
    {"relaying of a domain",
     {.target = SLICE_LITERAL("d.example"), .relay_domain = SLICE_LITERAL("d.example")},
     "relay_domain",
     true},
    {"relaying elsewhere",
     {.target = SLICE_LITERAL("192.0.2.26"), .relay_domain = SLICE_LITERAL("d.example")},
     "relay_domain",
     true},
};

static void the_operator_decides(void **state)
{
    (void)state;
    for (int generous = 0; generous < 2; generous++) {
        struct house house;
        open_house(&house, generous == 1);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct probe_order *order = NULL;
            struct fault fault;
            const char *member = "";
            bool is_refused =
                cases[i].member != NULL && (generous == 0 || cases[i].is_refused_by_generous);
            print_message("%s\n", cases[i].name);
            enum err e = probe_order_make(&house.terms, &cases[i].wish, &order, &member, &fault);
            assert_int_equal(e, is_refused ? ERR_SYNTAX : ERR_NONE);
            assert_string_equal(member, is_refused ? cases[i].member : "");
            assert_int_equal(order == NULL, is_refused);
            probe_order_free(order);
        }
        config_done(&house.config);
    }
}

/* Texts of the wish may go when the order is made; the plan is one that does no harm by itself. */
static void what_is_made_stands_alone(void **state)
{
    (void)state;
    struct house house;
    struct probe_order *order;
    struct fault fault;
    const char *member;
    char password[] = "secret", user[] = "jane", rcpt[] = "live@d.example";
    struct slice rcpts[] = {slice_of(rcpt)};
    const struct probe_wish wish = {.target = SLICE("jane@d.example"),
                                    .rcpts = rcpts,
                                    .rcpt_count = 1,
                                    .mail_from = SLICE(""),
                                    .user = slice_of(user),
                                    .password = slice_of(password)};
    open_house(&house, false);
    assert_int_equal(probe_order_make(&house.terms, &wish, &order, &member, &fault), ERR_NONE);
    memset(password, 'x', sizeof password - 1);
    memset(user, 'x', sizeof user - 1);
    memset(rcpt, 'x', sizeof rcpt - 1);
    const struct probe_talk_config *talk = &order->plan.talk;
    assert_int_equal(talk->rcpt_count, 2);
    assert_true(slice_equal(talk->rcpts[0], SLICE("jane@d.example")));
    assert_true(slice_equal(talk->rcpts[1], SLICE("live@d.example")));
    assert_int_equal(talk->mail_from.len, 0);
    assert_true(slice_equal(talk->login.user, SLICE("jane")));
    assert_true(slice_equal(talk->login.password, SLICE("secret")));
    assert_int_equal(talk->login.mechanisms[0], SASL_SCRAM_SHA_256);
    assert_false(talk->login.is_clear_fine);
    assert_false(talk->login.shows_secrets);
    assert_false(order->plan.trusts_named_ip);
    assert_int_equal(order->limit_ms, PROBE_ORDER_MS);
    assert_int_equal(probe_order_complete(order, 0, 1), ERR_NONE);
    assert_false(talk->has_message);
    probe_order_free(order);
    config_done(&house.config);
}

static void a_machine_that_contacts_nobody_tests_nobody(void **state)
{
    (void)state;
    struct config config;
    struct probe_terms terms;
    config_init(&config);
    config_settle(&config);
    config.asks_smtp = false;
    assert_non_null(probe_terms_read(&config, &terms));
    config_done(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_operator_decides),
        cmocka_unit_test(what_is_made_stands_alone),
        cmocka_unit_test(a_machine_that_contacts_nobody_tests_nobody),
    };
    return cmocka_run_group_tests_name("tools/probe_order", tests, NULL, NULL);
}
