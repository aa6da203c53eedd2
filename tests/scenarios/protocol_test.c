/* Scenarios 79 to 95: servers that speak oddly, slowly or not at all. Row 95 and the pieces of row 81 are played
 * in every scene of every section.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X500 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50

static void timed_out_at_banner(struct stage *stage)
{
    assert_int_equal(stage_record(stage, 0)->smtp.stage, HEL_SMTP_BANNER);
}

static void within_budget(struct stage *stage)
{
    assert_true(stage_elapsed_ms(stage, 0) <= 121000);
}

static void read_little(struct stage *stage)
{
    struct world_host_counts counts;
    stage_host_counts(stage, "5.9.1.1", &counts);
    assert_true(counts.tried >= 1);
}

static void ask_named_and_null(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    stage_name_sender(config);
}

static const struct scene scenes[] = {
    {"79", "the banner takes 30 seconds", .script = {.live = {"live"}, .banner_delay_ms = 30000},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}}},
    {"79b", "the banner takes ten minutes", .script = {.live = {"live"}, .banner_delay_ms = 600000},
     .asks = {{"live@d.test", "smtp_timeout"}}, .may_drop = true, .check = timed_out_at_banner},
    {"80", "twelve lines of banner, sixty of EHLO",
     .script = {.live = {"live"}, .banner_lines = 12, .ehlo_lines = 60},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}}},
    {"81", "bare line feeds", .script = {.live = {"live"}, .has_bare_lf = true},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}}},
    {"81b", "a line of 2000 characters",
     .script = {.live = {"live"}, .ok = "250 2.1.5 " X500 X500 X500 X500},
     .asks = {{"live@d.test", "accepted|protocol_error"}, {"dead@d.test", "mailbox_not_found"}}},
    {"81c", "NUL and bytes that are no text",
     .script = {.live = {"live"},
                .ok = "250 2.1.5 %0 ok %8",
                .unknown = "550 5.1.1 %8%0 user unknown %0"},
     .asks = {{"live@d.test", "accepted|protocol_error"},
              {"dead@d.test", "mailbox_not_found|protocol_error"}}},
    {"82", "lines of one reply with different codes",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .who = "odd",
                           .say = "550-5.1.1 no such user\n250 2.1.5 Ok"}}},
     .asks = {{"odd@d.test", "accepted_unconfirmed|protocol_error"}, {"live@d.test", "accepted"}}},
    {"85", "hangs up after the first refusal",
     .script = {.live = {"live", "other"}, .closes_after_bad = true},
     .asks = {{"dead@d.test", "mailbox_not_found"},
              {"live@d.test", "accepted"},
              {"gone@d.test", "mailbox_not_found"},
              {"other@d.test", "accepted"}}},
    {"87", "a tarpit of five seconds", .script = {.live = {"live"}, .bad_delay_ms = 5000},
     .asks = {{"dead@d.test", "mailbox_not_found"}, {"live@d.test", "accepted"}}, .budget_s = 120},
    {"87b", "a tarpit of twenty seconds", .script = {.live = {"live"}, .bad_delay_ms = 20000},
     .asks = {{"dead@d.test", "mailbox_not_found"}}, .budget_s = 120},
    {"88", "a byte every ten seconds",
     .script = {.live = {"live"}, .chunk_bytes = 1, .chunk_ms = 10000},
     .asks = {{"live@d.test", "smtp_timeout"}}, .budget_s = 120, .may_drop = true,
     .check = within_budget},
    {"89", "a megabyte of banner", .script = {.tongue = PEER_SPEAKS_FLOOD, .flood_bytes = 1 << 20},
     .asks = {{"live@d.test", "protocol_error"}}, .may_drop = true, .check = read_little},
    {"90", "HTTP on the port", .script = {.tongue = PEER_SPEAKS_HTTP},
     .asks = {{"live@d.test", "protocol_error"}}, .may_drop = true},
    {"90b", "TLS on the port", .script = {.tongue = PEER_SPEAKS_TLS},
     .asks = {{"live@d.test", "protocol_error"}}, .may_drop = true},
    {"90c", "nothing at all on the port", .script = {.tongue = PEER_SPEAKS_NOTHING},
     .asks = {{"live@d.test", "smtp_timeout"}}, .may_drop = true},
    {"91", "an echo of our own commands", .script = {.tongue = PEER_SPEAKS_ECHO},
     .asks = {{"live@d.test", "protocol_error"}, {"250@d.test", "protocol_error"}},
     .may_drop = true},
    {"92", "RSET is refused",
     .script = {.live = {"live", "other"},
                .rules = {{PEER_AT_RSET, .say = "502 5.5.1 RSET not allowed"}}},
     .asks = {{"live@d.test", "accepted"},
              {"dead@d.test", "mailbox_not_found"},
              {"other@d.test", "accepted"}},
     .tune = ask_named_and_null},
    {"92b", "a second recipient is 503",
     .script = {.live = {"live", "other"},
                .rules = {{PEER_AT_RCPT, .from_in_transaction = 2,
                           .say = "503 5.5.1 Bad sequence of commands"}}},
     .asks = {{"live@d.test", "accepted"},
              {"dead@d.test", "mailbox_not_found"},
              {"other@d.test", "accepted"}}},
    {"94", "the first answer comes late, after the next command went out",
     .script = {.live = {"live1", "live2", "slow"},
                .rules = {{PEER_AT_RCPT, .who = "slow", .delay_ms = 8000},
                          {PEER_AT_RCPT, .who = "lost", .delay_ms = 9000}}},
     .asks = {{"slow@d.test", "accepted"},
              {"dead1@d.test", "mailbox_not_found"},
              {"live1@d.test", "accepted"},
              {"lost@d.test", "mailbox_not_found"},
              {"live2@d.test", "accepted"},
              {"dead2@d.test", "mailbox_not_found"}}},
    {"94b", "answers later than our patience are nobody's",
     .script = {.live = {"live1", "live2", "slow"},
                .rules = {{PEER_AT_RCPT, .who = "slow", .delay_ms = 100000}}},
     .asks = {{"slow@d.test", "smtp_timeout"},
              {"dead1@d.test", "mailbox_not_found"},
              {"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"}},
     .may_drop = true},
};

int main(void)
{
    return stage_play_all("protocol", scenes, sizeof scenes / sizeof scenes[0]);
}
