/* Scenarios 1 to 16: servers that take more than they have.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

static void sub_domain_has_its_own_answer(struct stage *stage)
{
    const struct record *inner = stage_ask_again(stage, "dead@honest.d.test");
    assert_int_equal(inner->sub, SUB_MAILBOX_NOT_FOUND);
    inner = stage_ask_again(stage, "live@honest.d.test");
    assert_int_equal(inner->sub, SUB_ACCEPTED);
}

static void add_honest_sub_domain(struct stage *stage, struct knocker_config *config)
{
    (void)config;
    static const struct peer_script honest = {.live = {"live"}};
    struct world_host host = {.ip = "5.9.2.1", .script = &honest};
    assert_int_equal(world_host_add(stage_world(stage), &host), ERR_NONE);
}

static void is_catch_all(struct stage *stage)
{
    assert_int_equal(stage_record(stage, 0)->is_catch_all, TRI_YES);
}

static void is_not_catch_all(struct stage *stage)
{
    assert_int_not_equal(stage_record(stage, 0)->is_catch_all, TRI_YES);
}

static void one_connection_was_enough(struct stage *stage)
{
    const struct peer_seen *seen = stage_seen(stage, "5.9.1.1");
    assert_int_equal(seen->connections, 1);
    assert_int_equal(seen->refused, 5); /* three dead ones, the domain's control, the closing one */
}

/* Four honest answers and, at most, all five addresses and the control once more: each of them in a session of its
 * own or before the fifth RCPT of one. */
static void nothing_was_asked_after_the_closing_control(struct stage *stage)
{
    const struct peer_seen *seen = stage_seen(stage, "5.9.1.1");
    assert_true(seen->rcpts_peak > 4);
    assert_true(seen->rcpts_peak <= 8);
}

static void no_controls(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    config->verify.no_control = true;
}

static void only_the_dead_were_refused(struct stage *stage)
{
    const struct peer_seen *seen = stage_seen(stage, "5.9.1.1");
    assert_int_equal(seen->refused, 3);
    assert_in_range(seen->connections, 2, 3);
}

static void six_recipients_a_session(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    config->rcpts_per_connection = 6;
}

static void no_session_was_longer_than_six(struct stage *stage)
{
    const struct peer_seen *seen = stage_seen(stage, "5.9.1.1");
    assert_int_equal(seen->rcpts_peak, 6);
    assert_true(seen->connections <= 3);
}

#define THREE_DEAD                                                                \
    {"dead1@d.test", "mailbox_not_found"}, {"dead2@d.test", "mailbox_not_found"}, \
    {                                                                             \
        "dead3@d.test", "mailbox_not_found"                                       \
    }
#define FIVE_LIVE                                                                             \
    {"live1@d.test", "accepted"}, {"live2@d.test", "accepted"}, {"live3@d.test", "accepted"}, \
        {"live4@d.test", "accepted"},                                                         \
    {                                                                                         \
        "live5@d.test", "accepted"                                                            \
    }

static const struct scene scenes[] = {
    {"1", "250 to everything", .script = {.catch_all = PEER_CATCH_ALL_YES},
     .asks = {{"live@d.test", "catch_all"},
              {"any.body@d.test", "catch_all"},
              {"x1y2@d.test", "catch_all"}},
     .check = is_catch_all},
    {"2", "250 to everything, each after 1 to 8 seconds",
     .script = {.catch_all = PEER_CATCH_ALL_YES,
                .rcpt_delay_min_ms = 1000,
                .rcpt_delay_max_ms = 8000},
     .asks = {{"live@d.test", "catch_all"}, {"paul@d.test", "catch_all"}}, .budget_s = 120},
    {"3", "250 to short local parts",
     .script = {.catch_all = PEER_CATCH_ALL_SHORT, .catch_all_bytes = 12, .live = {"live"}},
     .asks = {{"live@d.test", "catch_all"}, {"a.rather.long.name@d.test", "mailbox_not_found"}}},
    {"4", "250 to names like first.last",
     .script = {.catch_all = PEER_CATCH_ALL_NAMES, .live = {"jane.miller"}},
     .asks = {{"jane.miller@d.test", "catch_all"}, {"paul.smith@d.test", "catch_all"}}},
    {"6", "the control is greylisted, the address is not",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "-", .for_ms = 200000,
                           .say = "451 4.7.1 Greylisted, try again later"}}},
     .asks = {{"live@d.test", "accepted"}}, .check = is_not_catch_all},
    {"6b", "the same with no time to wait",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "-", .for_ms = 200000,
                           .say = "451 4.7.1 Greylisted, try again later"}}},
     .asks = {{"live@d.test", "accepted_unconfirmed"}}, .budget_s = 60, .check = is_not_catch_all},
    {"7", "452 4.5.3 for the control after the address",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .from_in_transaction = 2,
                           .say = "452 4.5.3 Too many recipients"}}},
     .asks = {{"live@d.test", "accepted"}}},
    {"8", "421 and hang-up for the control, for ever",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "-",
                           .say = "421 4.3.2 Closing transmission channel", .closes = true}}},
     .asks = {{"live@d.test", "accepted_unconfirmed"}}},
    {"8b", "421 and hang-up for the first control only",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "-", .to_visit = 1,
                           .say = "421 4.3.2 Closing transmission channel", .closes = true}}},
     .asks = {{"live@d.test", "accepted"}}},
    {"9", "the control is refused by policy",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "-",
                           .say =
                               "550 5.7.1 Message refused by policy: sender reputation too low"}}},
     .asks = {{"live@d.test", "accepted_unconfirmed"}}, .check = is_not_catch_all},
    {"10", "honest to three recipients of a session, then 250 to all",
     .script = {.live = {"live"}, .rules = {{PEER_AT_RCPT, .from = 4, .say = "250 2.1.5 Ok"}}},
     .asks =
         {{"dead1@d.test", "mailbox_not_found"},
          {"dead2@d.test", "mailbox_not_found"},
          {"dead3@d.test", "mailbox_not_found"},
          {"dead4@d.test", "mailbox_not_found|catch_all|accepted_unconfirmed|accepts_all_provider"},
          {"dead5@d.test", "mailbox_not_found|catch_all|accepted_unconfirmed|accepts_all_provider"},
          {"dead6@d.test", "mailbox_not_found|catch_all|accepted_unconfirmed|accepts_all_provider"},
          {"dead7@d.test",
           "mailbox_not_found|catch_all|accepted_unconfirmed|accepts_all_provider"}}},
    {"10b", "three dead ones, then live ones to the end: one closing control vindicates them",
     .script = {.live = {"live1", "live2", "live3", "live4", "live5"}},
     .asks = {THREE_DEAD, FIVE_LIVE}, .check = one_connection_was_enough},
    {"10c", "honest to four recipients of a session, then 250 to all: the closing control as well",
     .script = {.live = {"live1", "live2"},
                .rules = {{PEER_AT_RCPT, .from = 5, .say = "250 2.1.5 Ok"}}},
     .asks = {{"dead1@d.test", "mailbox_not_found"},
              {"dead2@d.test", "mailbox_not_found"},
              {"dead3@d.test", "mailbox_not_found"},
              {"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"dead4@d.test", "mailbox_not_found"}},
     .check = nothing_was_asked_after_the_closing_control},
    {"10d", "the last RCPT that a session may have is the closing control's",
     .script = {.live = {"live1", "live2", "live3", "live4", "live5"}},
     .asks = {THREE_DEAD, FIVE_LIVE}, .tune = six_recipients_a_session,
     .check = no_session_was_longer_than_six},
    {"10e", "no controls are wanted: each that is not trusted has its own connection",
     .script = {.live = {"live1", "live2"}},
     .asks = {{"dead1@d.test", "mailbox_not_found"},
              {"dead2@d.test", "mailbox_not_found"},
              {"dead3@d.test", "mailbox_not_found"},
              {"live1@d.test", "accepted_unconfirmed"},
              {"live2@d.test", "accepted_unconfirmed"}},
     .tune = no_controls, .check = only_the_dead_were_refused},
    {"11", "after three refusals 550 to all of the session",
     .script = {.live = {"live", "other"},
                .rules = {{PEER_AT_RCPT, .after_bad = 3,
                           .say = "550 Rejected for too many bad recipients"}}},
     .asks = {{"dead1@d.test", "mailbox_not_found"},
              {"dead2@d.test", "mailbox_not_found"},
              {"dead3@d.test", "mailbox_not_found"},
              {"live@d.test", "accepted"},
              {"other@d.test", "accepted"}}},
    {"14", "a catch-all domain with an honest sub-domain",
     .script = {.catch_all = PEER_CATCH_ALL_YES},
     .names = {{"honest.d.test", DNS_MX, "10 mx.honest.d.test"},
               {"mx.honest.d.test", DNS_A, "5.9.2.1"}},
     .asks = {{"live@d.test", "catch_all"}}, .tune = add_honest_sub_domain,
     .check = sub_domain_has_its_own_answer},
    {"15", "252 to everything",
     .script = {.rules = {{PEER_AT_RCPT,
                           .say = "252 2.1.5 Cannot VRFY user, but will accept message"}}},
     .asks = {{"live@d.test", "catch_all"}}},
    {"16", "251 for one who forwards",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "fwd",
                           .say = "251 2.1.5 User not local; will forward to <fwd@e.test>"}}},
     .asks = {{"fwd@d.test", "accepted_forward"},
              {"live@d.test", "accepted"},
              {"dead@d.test", "mailbox_not_found"}}},
};

int main(void)
{
    return stage_play_all("catch-all", scenes, sizeof scenes / sizeof scenes[0]);
}
