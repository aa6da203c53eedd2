/* Scenarios 40 to 60: refusals that are about us, and TLS.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

static void is_ptr(struct stage *stage)
{
    assert_int_equal(stage_record(stage, 0)->block_kind, BLOCK_PTR);
}
static void is_ip_list(struct stage *stage)
{
    assert_int_equal(stage_record(stage, 0)->block_kind, BLOCK_IP_LIST);
}
static void is_sender(struct stage *stage)
{
    assert_int_equal(stage_record(stage, 0)->block_kind, BLOCK_SENDER);
}
static void is_helo(struct stage *stage)
{
    assert_int_equal(stage_record(stage, 0)->block_kind, BLOCK_HELO);
}

static void is_plain(struct stage *stage)
{
    assert_false(stage_record(stage, 0)->smtp.tls_used);
    assert_true(stage_seen(stage, "5.9.1.1")->connections >= 2); /* on a fresh connection */
}

static void is_secured(struct stage *stage)
{
    assert_true(stage_record(stage, 0)->smtp.tls_used);
}

/* In pieces the injected bytes come after our handshake began and break it: then a fresh connection in plain. */
static void is_secured_if_injected(struct stage *stage)
{
    assert_true(stage_record(stage, 0)->smtp.tls_used ||
                stage_seen(stage, "5.9.1.1")->connections >= 2);
}

static void is_secured_without_trust(struct stage *stage)
{
    assert_true(stage_record(stage, 0)->smtp.tls_used);
    assert_false(stage_record(stage, 0)->smtp.tls_cert_ok);
}

static void give_sender(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    stage_name_sender(config);
}

static void give_sender_first(struct stage *stage, struct knocker_config *config)
{
    give_sender(stage, config);
    config->verify.null_sender_first = false;
}

static void used_both_senders(struct stage *stage)
{
    assert_int_equal(stage_seen(stage, "5.9.1.1")->senders.count, 2);
}

static void give_three_an_hour(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    config->invalids_per_hour = 3;
}

static void had_three_an_hour(struct stage *stage)
{
    assert_true(stage_seen(stage, "5.9.1.1")->refused <= 3);
}

static void never_blocked(struct stage *stage)
{
    const struct peer_seen *seen = stage_seen(stage, "5.9.1.1");
    assert_int_equal(seen->blocked, 0);
    assert_true(seen->refused < 25);
}

#define SPAMHAUS                                                                       \
    "550 5.7.1 Service unavailable; Client host [%i] blocked using zen.spamhaus.org; " \
    "https://www.spamhaus.org/query/ip/%i"
#define ACCESS_DENIED                                                     \
    "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) " \
    "[DB5EUR01FT012.eop-EUR01.prod.protection.outlook.com]"

static const struct scene scenes[] = {
    {"40", "554 in the banner: bad PTR",
     .script =
         {.live = {"live"},
          .rules = {{PEER_AT_BANNER,
                     .say = "554-gmx.net (mxgmx017) Nemesis ESMTP Service not available\n554-No "
                            "SMTP service\n554-Bad DNS PTR resource record.\n554 For explanation "
                            "visit https://postmaster.gmx.net/en/error-messages?ip=%i&c=rdns",
                     .closes = true}}},
     .asks = {{"live@d.test", "blocked"}}, .check = is_ptr},
    {"41", "on a block list, at RCPT, for everybody",
     .script = {.live = {"live"}, .rules = {{PEER_AT_RCPT, .say = SPAMHAUS}}},
     .asks = {{"live@d.test", "blocked"}, {"dead@d.test", "blocked"}}, .check = is_ip_list},
    {"42", "the same refusal without a reason for everybody",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .say = "550 5.7.1 Requested action not taken"}}},
     .asks = {{"live@d.test", "blanket_reject"}, {"dead@d.test", "blanket_reject"}}},
    {"43", "client host rejected at RCPT",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT,
                           .say = "554 5.7.1 <unknown[%i]>: Client host rejected: Access denied"}}},
     .asks = {{"live@d.test", "blocked"}, {"dead@d.test", "blocked"}}},
    {"44", "450 4.1.8 sender domain not found at RCPT",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT,
                           .say = "450 4.1.8 <%f>: Sender address rejected: Domain not found"}}},
     .asks = {{"live@d.test", "blocked"}}, .tune = give_sender_first, .check = is_sender},
    {"44b", "550 5.1.8 sender domain not found at RCPT",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT,
                           .say = "550 5.1.8 <%f>: Sender address rejected: Domain not found"}}},
     .asks = {{"live@d.test", "blocked"}}, .tune = give_sender_first, .check = is_sender},
    {"45", "sender verification fails after a callout of 20 seconds",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .delay_ms = 20000, .say = "550 Sender verify failed"}}},
     .asks = {{"live@d.test", "blocked"}}, .check = is_sender},
    {"45b", "the null sender is refused, a named one is not",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_MAIL, .who = "",
                           .say = "550 5.7.1 Null sender not allowed here"}}},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}},
     .tune = give_sender, .check = used_both_senders},
    {"47", "EHLO and HELO refused for the name",
     .script =
         {.live = {"live"},
          .rules =
              {{PEER_AT_EHLO,
                .say = "504 5.5.2 <%h>: Helo command rejected: need fully-qualified hostname"},
               {PEER_AT_HELO,
                .say = "504 5.5.2 <%h>: Helo command rejected: need fully-qualified hostname"}}},
     .asks = {{"live@d.test", "blocked"}}, .check = is_helo},
    {"47b", "EHLO and HELO refused with 501",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_EHLO, .say = "501 5.5.4 Invalid domain name"},
                          {PEER_AT_HELO, .say = "501 5.5.4 Invalid domain name"}}},
     .asks = {{"live@d.test", "blocked"}}, .check = is_helo},
    {"48", "550 5.7.1 No such user",
     .script = {.live = {"live"}, .unknown = "550 5.7.1 No such user!"},
     .asks = {{"dead@d.test", "mailbox_not_found"}, {"live@d.test", "accepted"}}},
    {"49", "access denied at Microsoft 365, with a live one known",
     .hosts = {{"5.9.1.1", "d-test.mail.protection.outlook.com", 10,
                .script = {.live = {"live"}, .unknown = ACCESS_DENIED}}},
     .asks = {{"dead@d.test", "mailbox_not_found"}, {"live@d.test", "accepted"}}},
    {"49b", "the same text elsewhere for everybody",
     .script = {.live = {"live"}, .rules = {{PEER_AT_RCPT, .say = ACCESS_DENIED}}},
     .asks = {{"dead@d.test", "blanket_reject"}, {"live@d.test", "blanket_reject"}}},
    {"50", "550 5.1.1 that speaks of our rate",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT,
                           .say =
                               "550 5.1.1 <%f> has sent to too many recipients this hour. IB607"}}},
     .asks = {{"live@d.test", "rate_limited"}}},
    {"51", "unavailable or access denied, with a live one known",
     .script = {.live = {"live"},
                .unknown = "550 Mailbox unavailable or access denied [MIvP0wdRUCRRBcA0]"},
     .asks = {{"dead@d.test", "mailbox_not_found"}, {"live@d.test", "accepted"}}},
    {"51b", "the same alone",
     .script = {.live = {"live"},
                .unknown = "550 Mailbox unavailable or access denied [MIvP0wdRUCRRBcA0]"},
     .asks = {{"dead@d.test", "blanket_reject"}}},
    {"52", "relay access denied on all exchangers",
     .hosts = {{"5.9.1.1", "mx1.d.test", 10, .script = {.domains = {"e.test"}}},
               {"5.9.1.2", "mx2.d.test", 20, .script = {.domains = {"e.test"}}}},
     .asks = {{"live@d.test", "domain_not_hosted"}}},
    {"54", "530 must issue STARTTLS",
     .script = {.live = {"live"}, .tls = PEER_TLS_GOOD, .is_tls_required = true},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}},
     .check = is_secured},
    {"55", "the handshake is garbage, plain works",
     .script = {.live = {"live"}, .tls = PEER_TLS_GARBAGE},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}},
     .check = is_plain},
    {"55b", "the handshake breaks the line, plain works",
     .hosts = {{"5.9.1.1", "mx.d.test", 10, .tls = WORLD_TLS_RESET,
                .script = {.live = {"live"}, .tls = PEER_TLS_GOOD}}},
     .asks = {{"live@d.test", "accepted"}}, .check = is_plain},
    {"55c", "the handshake never ends, plain works",
     .hosts = {{"5.9.1.1", "mx.d.test", 10, .tls = WORLD_TLS_HANG,
                .script = {.live = {"live"}, .tls = PEER_TLS_GOOD}}},
     .asks = {{"live@d.test", "accepted"}}, .check = is_plain},
    {"56", "an expired, self-signed certificate",
     .script = {.live = {"live"}, .tls = PEER_TLS_GOOD, .is_cert_expired = true},
     .asks = {{"live@d.test", "accepted"}}, .check = is_secured_without_trust},
    {"57", "TLS is mandatory and STARTTLS answers 454",
     .script = {.live = {"live"},
                .tls = PEER_TLS_GOOD,
                .is_tls_required = true,
                .rules = {{PEER_AT_STARTTLS,
                           .say = "454 4.7.0 TLS not available due to local problem"}}},
     .asks = {{"live@d.test", "tls_required_failed"}}},
    {"58", "plaintext replies behind the 220 of STARTTLS",
     .script = {.live = {"live"}, .tls = PEER_TLS_INJECTED},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}},
     .may_drop = true, /* no QUIT is possible in a broken handshake */
     .check = is_secured_if_injected},
    {"59", "EHLO 502, HELO works", .script = {.live = {"live"}, .has_no_ehlo = true},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}}},
    {"60", "25 refusals an hour get us blocked",
     .script = {.live = {"live1", "live2"}, .block_after_bad = 25, .block_s = 3600},
     .asks = {{"dead1@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead2@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead3@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead4@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead5@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead6@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead7@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead8@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead9@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead10@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead11@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead12@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead13@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead14@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead15@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead16@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead17@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead18@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead19@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead20@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead21@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead22@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead23@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead24@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead25@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead26@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead27@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"dead28@d.test", "mailbox_not_found|skipped|rate_limited"},
              {"live1@d.test", "accepted|skipped|rate_limited"},
              {"live2@d.test", "accepted|skipped|rate_limited"}},
     .check = never_blocked},
    {"60b", "refusals that come later than anybody waits count all the same",
     .script = {.live = {"live"}, .bad_delay_ms = 90000},
     .asks = {{"dead1@d.test", "smtp_timeout|skipped"},
              {"dead2@d.test", "smtp_timeout|skipped"},
              {"dead3@d.test", "smtp_timeout|skipped"},
              {"dead4@d.test", "smtp_timeout|skipped"},
              {"dead5@d.test", "smtp_timeout|skipped"},
              {"dead6@d.test", "smtp_timeout|skipped"}},
     .tune = give_three_an_hour, .check = had_three_an_hour},
};

int main(void)
{
    return stage_play_all("policy", scenes, sizeof scenes / sizeof scenes[0]);
}
