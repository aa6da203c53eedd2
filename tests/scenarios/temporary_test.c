/* Scenarios 19 to 39: refusals for a time: greylisting, rates, limits of sessions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

static void waited_five_minutes(struct stage *stage)
{
    assert_true(stage_elapsed_ms(stage, 0) >= 300000);
    assert_true(stage_elapsed_ms(stage, 0) < 900000);
    assert_true(stage_record(stage, 0)->smtp.greylist_seen);
    assert_int_equal(stage_seen(stage, "5.9.1.1")->senders.count, 1);
}

static void give_two_a_session(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    config->rcpts_per_connection = 2;
}

/* RCPTs that were sent along with a refused MAIL count. */
static void had_two_a_session(struct stage *stage)
{
    assert_true(stage_seen(stage, "5.9.1.1")->rcpts_peak <= 2);
}

static void waited_for_the_live_only(struct stage *stage)
{
    assert_true(stage_elapsed_ms(stage, 0) >= 300000);
    assert_true(stage_elapsed_ms(stage, 1) < 60000);
}

static void is_soon(struct stage *stage)
{
    assert_true(stage_elapsed_ms(stage, 0) < 120000);
}

static void says_when_to_ask_again(struct stage *stage)
{
    assert_true(stage_record(stage, 0)->retry_after_s > 0);
}

static void says_five_minutes(struct stage *stage)
{
    uint32_t retry_s = stage_record(stage, 0)->retry_after_s;
    assert_in_range(retry_s, 240, 420);
}

static void keeps_two_connections(struct stage *stage)
{
    assert_true(stage_seen(stage, "5.9.1.1")->open_peak <= 3); /* the third learns it */
    uint64_t connections = stage_seen(stage, "5.9.1.1")->connections;
    const struct record *again = stage_ask_again(stage, "live1@d.test");
    assert_int_equal(again->sub, SUB_ACCEPTED);
    assert_true(stage_seen(stage, "5.9.1.1")->connections <= connections + 1);
}

static void ends_in_time(struct stage *stage)
{
    assert_true(stage_elapsed_ms(stage, 0) <= 6ull * 3600 * 1000);
}

/* Who is asked again after a pause got 250 before. A group that was under way hears it once for each. */
static void learned_one_by_one(struct stage *stage)
{
    assert_in_range(stage_seen(stage, "5.9.1.1")->deferred, 1, 5);
}

static void asked_more_than_twice(struct stage *stage)
{
    assert_true(stage_record(stage, 0)->smtp.attempts >= 2);
}

#define IN_PROGRESS                                                                            \
    "450 4.1.1 <%r>: Recipient address rejected: unverified address: Address verification in " \
    "progress"

static const struct scene scenes[] = {
    {"19", "greylisting by triplet", .script = {.live = {"live"}, .greylist_s = 300},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}},
     .check = waited_five_minutes},
    {"19b", "greylisting that names no time",
     .script = {.live = {"live"},
                .greylist_s = 300,
                .greylist_say = "451 4.7.1 Greylisting in action, please come back later"},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}},
     .check = waited_five_minutes},
    {"20", "the triplet is kept: another sender or address would start anew",
     .script = {.live = {"live"},
                .greylist_s = 300,
                .greylist_say = "450 4.2.0 <%r>: Recipient address rejected: Greylisted"},
     .asks = {{"live@d.test", "accepted"}}, .check = waited_five_minutes},
    {"21", "asking too early starts the time again",
     .script = {.live = {"live"},
                .greylist_s = 900,
                .greylist_restarts = true,
                .greylist_say = "451 4.7.1 Please try again later"},
     .asks = {{"live@d.test", "accepted"}}},
    {"22", "greylisting at MAIL",
     .script = {.live = {"live"}, .greylist_s = 300, .greylist_kind = PEER_GREYLIST_MAIL},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}}},
    {"22b", "the same, and a session has no more of us than its limit",
     .script = {.live = {"live"}, .greylist_s = 300, .greylist_kind = PEER_GREYLIST_MAIL},
     .asks = {{"live@d.test", "accepted"},
              {"dead1@d.test", "mailbox_not_found"},
              {"dead2@d.test", "mailbox_not_found"},
              {"dead3@d.test", "mailbox_not_found"},
              {"dead4@d.test", "mailbox_not_found"}},
     .tune = give_two_a_session, .check = had_two_a_session},
    {"23", "only those who exist are greylisted",
     .script = {.live = {"live"}, .greylist_s = 300, .greylist_spares_dead = true},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}},
     .check = waited_for_the_live_only},
    {"23b", "the same without time to wait: never deliverable before 250",
     .script = {.live = {"live"}, .greylist_s = 300, .greylist_spares_dead = true},
     .asks = {{"live@d.test", "greylisted"}, {"dead@d.test", "mailbox_not_found"}}, .budget_s = 60,
     .check = says_five_minutes},
    {"24", "an unknown mailbox needs no wait",
     .script = {.live = {"live"}, .greylist_s = 300, .greylist_spares_dead = true},
     .asks = {{"live@d.test", "accepted"},
              {"dead@d.test", "mailbox_not_found"},
              {"gone@d.test", "mailbox_not_found"}},
     .check = waited_for_the_live_only},
    {"25", "verification in progress for six seconds",
     .script = {.live = {"live"}, .rules = {{PEER_AT_RCPT, .for_ms = 6000, .say = IN_PROGRESS}}},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}}, .budget_s = 120,
     .check = is_soon},
    {"27", "450 with the words of an unknown user, for ever",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "-",
                           .say = "450 4.1.1 <%r>: Recipient address rejected: User unknown in "
                                  "virtual alias table"}}},
     .asks = {{"dead@d.test", "mailbox_not_found"}, {"live@d.test", "accepted"}},
     .check = asked_more_than_twice},
    {"27b", "450 with what the server behind said, after verification in progress",
     .script = {.live = {"live"},
                .rules =
                    {{PEER_AT_RCPT, .for_ms = 6000, .say = IN_PROGRESS},
                     {PEER_AT_RCPT, .who = "-",
                      .say =
                          "450 4.1.1 <%r>: Recipient address rejected: unverified address: host "
                          "192.0.2.1[192.0.2.1] said: 550 Unrouteable address (in reply to RCPT TO "
                          "command)"}}},
     .asks = {{"dead@d.test", "mailbox_not_found"}, {"live@d.test", "accepted"}}, .budget_s = 90},
    {"27c", "the same where nobody is known to live: it may be said to all",
     .script = {.live = {"live"},
                .rules =
                    {{PEER_AT_RCPT, .for_ms = 6000, .say = IN_PROGRESS},
                     {PEER_AT_RCPT, .who = "-",
                      .say =
                          "450 4.1.1 <%r>: Recipient address rejected: unverified address: host "
                          "192.0.2.1[192.0.2.1] said: 550 Unrouteable address (in reply to RCPT TO "
                          "command)"}}},
     .asks = {{"dead@d.test", "temp_failure"}}, .budget_s = 90},
    {"28", "452 4.2.2 that means greylisting",
     .script = {.live = {"live"},
                .greylist_s = 120,
                .greylist_say = "452 4.2.2 Greylisted, please try again shortly."},
     .asks = {{"live@d.test", "accepted"}}},
    {"29", "over quota",
     .script = {.live = {"live"},
                .rules =
                    {{PEER_AT_RCPT, .who = "full",
                      .say = "452 4.2.2 The email account that you tried to reach is over quota"}}},
     .asks = {{"full@d.test", "mailbox_full"}, {"live@d.test", "accepted"}}},
    {"30", "receiving mail too quickly, 450",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "busy",
                           .say =
                               "450 4.2.1 The user you are trying to contact is receiving mail at "
                               "a rate that prevents additional messages from being delivered."}}},
     .asks = {{"busy@d.test", "accepted_rate_limited"}}},
    {"31", "receiving mail too quickly, 550",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "busy",
                           .say =
                               "550 5.2.1 The user you are trying to contact is receiving mail at "
                               "a rate that prevents additional messages from being delivered."}}},
     .asks = {{"busy@d.test", "accepted_rate_limited"}}},
    {"32", "421 in the banner until the third visit",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_BANNER, .to_visit = 2,
                           .say = "421 4.7.0 %h Temporarily unavailable, try again in 60 seconds",
                           .closes = true}}},
     .asks = {{"live@d.test", "accepted"}}},
    {"33", "421 in the banner for ever",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_BANNER,
                           .say = "421 4.7.0 %h Too many connections from your IP, slow down",
                           .closes = true}}},
     .asks = {{"live@d.test", "rate_limited|blocked"}}, .check = says_when_to_ask_again},
    {"34", "421 after five recipients of a session",
     .script =
         {.live = {"live1", "live2", "live3", "live4", "live5", "live6", "live7", "live8", "live9"},
          .rules = {{PEER_AT_RCPT, .from = 6,
                     .say = "421 4.7.0 Too many recipients in this session", .closes = true}}},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"live3@d.test", "accepted"},
              {"live4@d.test", "accepted"},
              {"live5@d.test", "accepted"},
              {"live6@d.test", "accepted"},
              {"live7@d.test", "accepted"},
              {"live8@d.test", "accepted"},
              {"live9@d.test", "accepted"},
              {"dead1@d.test", "mailbox_not_found"},
              {"dead2@d.test", "mailbox_not_found"}}},
    {"35", "452 4.5.3 from the second recipient of a transaction",
     .script = {.live = {"live1", "live2", "live3", "live4", "live5", "live6"},
                .rules = {{PEER_AT_RCPT, .from_in_transaction = 2,
                           .say = "452 4.5.3 Too many recipients"}}},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"live3@d.test", "accepted"},
              {"live4@d.test", "accepted"},
              {"live5@d.test", "accepted"},
              {"live6@d.test", "accepted"},
              {"dead1@d.test", "mailbox_not_found"}},
     .check = learned_one_by_one},
    {"36", "the third connection gets 421",
     .script = {.live = {"live1", "live2", "live3", "live4", "live5", "live6", "live7", "live8"},
                .connections_max = 2,
                .delay_ms = 200},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"live3@d.test", "accepted"},
              {"live4@d.test", "accepted"},
              {"live5@d.test", "accepted"},
              {"live6@d.test", "accepted"},
              {"live7@d.test", "accepted"},
              {"live8@d.test", "accepted"},
              {"dead1@d.test", "mailbox_not_found"},
              {"dead2@d.test", "mailbox_not_found"}},
     .check = keeps_two_connections},
    {"37", "450 4.3.2 on the first visit (postscreen)",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .to_visit = 1,
                           .say = "450 4.3.2 Service currently unavailable"}}},
     .asks = {{"live@d.test", "accepted"}}, .check = is_soon},
    {"38", "a delay in hours, minutes and seconds",
     .script = {.live = {"live"},
                .greylist_s = 300,
                .greylist_say = "451 4.7.1 Greylisting in action, please come back in 00:05:00"},
     .asks = {{"live@d.test", "greylisted"}}, .budget_s = 60, .check = says_five_minutes},
    {"38b", "a delay in seconds",
     .script = {.live = {"live"},
                .greylist_s = 300,
                .greylist_say = "450 4.2.0 Greylisted, see "
                                "http://postgrey.schweikert.ch/help/d.test.html (in 300 seconds)"},
     .asks = {{"live@d.test", "greylisted"}}, .budget_s = 60, .check = says_five_minutes},
    {"39", "4xx without end",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .say = "451 4.3.0 Temporary lookup failure"}}},
     .asks = {{"live@d.test", "temp_failure"}}, .check = ends_in_time},
};

int main(void)
{
    return stage_play_all("temporary", scenes, sizeof scenes / sizeof scenes[0]);
}
