/* scenarios/pipelining: several RCPTs at once (RFC 2920 3.1) where the provider bears it: how many are unanswered on
 * a line at any time, as the network sees it, what the servers count, and that every answer is that of its address
 * whatever becomes of the line in between.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/must.h"
#include "sim/campaign_owed.h"
#include "stage.h"

#define PROVIDER_OF(rcpts) \
    "provider own\nclass business\nmx mx.d.test\ngap_ms 0\nconnections 1\nrcpts " #rcpts "\n"
#define PROVIDER PROVIDER_OF(90)
#define FOUR     PROVIDER "pipelined_rcpts 4\ninvalids_per_session 90\n"

#define LIVE "live1", "live2", "live3", "live4", "live5", "live6", "live7", "live8", "live9"
#define NINE_LIVE(sub)                                                                          \
    {"live1@d.test", sub}, {"live2@d.test", sub}, {"live3@d.test", sub}, {"live4@d.test", sub}, \
        {"live5@d.test", sub}, {"live6@d.test", sub}, {"live7@d.test", sub},                    \
        {"live8@d.test", sub},                                                                  \
    {                                                                                           \
        "live9@d.test", sub                                                                     \
    }
#define SIX_DEAD(sub)                                                                           \
    {"dead1@d.test", sub}, {"dead2@d.test", sub}, {"dead3@d.test", sub}, {"dead4@d.test", sub}, \
        {"dead5@d.test", sub},                                                                  \
    {                                                                                           \
        "dead6@d.test", sub                                                                     \
    }

enum { LINES_MAX = 128, DOMAIN_BYTES = 64 };

/* What the network saw in the present scene. */
static struct log {
    struct campaign_owed owed[LINES_MAX]; /* by line */
    char domain[LINES_MAX][DOMAIN_BYTES]; /* of its last RCPT */
    unsigned lines;
    unsigned peak, last_peak; /* RCPTs unanswered on any line; on the last line */
    unsigned mixed;           /* several at once of different domains */
    unsigned broken;          /* said out of order */
    uint64_t rcpt_ms, nearest_ms;
    uint64_t first_ms, second_ms; /* when a line was opened */
    struct door *door;
} seen;

static void on_connected(void *context, uint32_t line, const struct ip *ip, const struct ip *client)
{
    (void)context;
    (void)ip;
    (void)client;
    must(line < LINES_MAX);
    seen.lines++;
    if (seen.lines <= 2) {
        *(seen.lines == 1 ? &seen.first_ms : &seen.second_ms) = door_now_ms(seen.door);
    }
    seen.last_peak = 0;
}

static void note_rcpt(uint32_t line, struct slice command)
{
    unsigned unanswered = seen.owed[line].rcpts;
    uint64_t now_ms = door_now_ms(seen.door);
    struct slice domain = slice_sub(command, slice_find_last_byte(command, '@'), command.len);
    must(domain.len < DOMAIN_BYTES);
    bool is_other = !slice_equal(domain, slice_of(seen.domain[line]));
    seen.mixed += unanswered > 1 && is_other ? 1 : 0;
    memcpy(seen.domain[line], domain.at, domain.len);
    seen.domain[line][domain.len] = '\0';
    seen.peak = unanswered > seen.peak ? unanswered : seen.peak;
    seen.last_peak = unanswered > seen.last_peak ? unanswered : seen.last_peak;
    if (seen.rcpt_ms != 0 && now_ms - seen.rcpt_ms < seen.nearest_ms) {
        seen.nearest_ms = now_ms - seen.rcpt_ms;
    }
    seen.rcpt_ms = now_ms;
}

static void on_sent(void *context, uint32_t line, struct slice bytes)
{
    (void)context;
    while (bytes.len > 0) {
        struct slice command = slice_trim(slice_cut(&bytes, '\n'));
        struct slice verb = slice_sub(command, 0, slice_find_byte(command, ' ', 0));
        seen.broken += campaign_owed_sent(&seen.owed[line], verb) ? 0 : 1;
        if (slice_equal(verb, SLICE("RCPT"))) {
            note_rcpt(line, command);
        }
    }
}

static void on_heard(void *context, uint32_t line, struct slice bytes)
{
    (void)context;
    campaign_owed_received(&seen.owed[line], bytes);
}

static void on_closed(void *context, uint32_t line, bool is_up)
{
    (void)context;
    (void)line;
    (void)is_up;
}

static void watch(struct stage *stage, struct knocker_config *config)
{
    static const struct world_watcher watcher = {
        .connected = on_connected, .sent = on_sent, .received = on_heard, .closed = on_closed};
    (void)config;
    seen = (struct log){.door = world_door(stage_world(stage)), .nearest_ms = UINT64_MAX};
    world_watch(stage_world(stage), &watcher);
}

/* Tunes. */

static void nine_for_all(struct stage *stage, struct knocker_config *config)
{
    watch(stage, config);
    config->pipelined_rcpts = 9;
}

static void with_transcripts(struct stage *stage, struct knocker_config *config)
{
    watch(stage, config);
    config->keeps_transcript = true;
}

static void ask_as_somebody(struct stage *stage, struct knocker_config *config)
{
    watch(stage, config);
    stage_name_sender(config);
    config->verify.null_sender_first = true;
}

/* Checks. */

static void four_at_once(struct stage *stage)
{
    (void)stage;
    assert_int_equal(seen.peak, 4);
    assert_int_equal(seen.broken, 0);
}

static void one_after_the_other(struct stage *stage)
{
    (void)stage;
    assert_int_equal(seen.peak, 1);
    assert_int_equal(seen.broken, 0);
}

/* Somebody's own server bears five refusals in a session. */
static void as_many_as_refusals_are_left(struct stage *stage)
{
    assert_in_range(seen.peak, 2, 5);
    assert_in_range(stage_seen(stage, "5.9.1.1")->bad_peak, 1, 5);
}

static void never_more_than_three(struct stage *stage)
{
    assert_in_range(seen.peak, 2, 3);
    assert_true(stage_seen(stage, "5.9.1.1")->bad_peak <= 3);
}

static void three_in_the_hour(struct stage *stage)
{
    assert_true(stage_seen(stage, "5.9.1.1")->refused <= 3);
}

/* Of five in the hour: the control and the first dead one were refused, the second died with the line, the third was
 * behind it and counts as well. One is left. */
static void unheard_count_as_refused(struct stage *stage)
{
    assert_int_equal(stage_seen(stage, "5.9.1.1")->refused, 3);
}

static void in_order(struct stage *stage)
{
    (void)stage;
    assert_int_equal(seen.broken, 0);
}

/* The line was lost with others unanswered: not again. */
static void four_and_then_one(struct stage *stage)
{
    (void)stage;
    assert_int_equal(seen.peak, 4);
    assert_true(seen.lines >= 2);
    assert_int_equal(seen.last_peak, 1);
    assert_int_equal(seen.broken, 0);
}

/* It said how many it takes in a session; several at once it bears. */
static void four_on_more_lines(struct stage *stage)
{
    (void)stage;
    assert_int_equal(seen.peak, 4);
    assert_true(seen.lines >= 2);
    assert_true(seen.last_peak > 1);
}

/* What the server did not bear was asked again, and nothing of what it said in that group was believed. */
static void once_and_then_one(struct stage *stage)
{
    (void)stage;
    assert_true(seen.peak > 1);
    assert_true(seen.lines >= 2);
    assert_int_equal(seen.last_peak, 1);
}

static void within_a_transaction(struct stage *stage)
{
    assert_in_range(seen.peak, 2, 3);
    assert_true(stage_seen(stage, "5.9.1.1")->commands[PEER_AT_MAIL] >= 3);
    assert_int_equal(seen.broken, 0);
}

static void of_one_domain(struct stage *stage)
{
    (void)stage;
    assert_int_equal(seen.mixed, 0);
    assert_true(seen.peak > 1);
}

static void at_its_pace(struct stage *stage)
{
    one_after_the_other(stage);
    assert_true(seen.nearest_ms >= 100);
}

/* One complaint is the answer to one that was under way with others; the next is asked alone. */
static void alone_after_a_complaint(struct stage *stage)
{
    assert_int_equal(seen.peak, 4);
    assert_true(stage_seen(stage, "5.9.1.1")->deferred <= 4);
}

/* Three complaints in one group are one: the next line is opened after one second, not after one, two and four. */
static void a_single_pause(struct stage *stage)
{
    assert_true(stage_seen(stage, "5.9.1.1")->deferred >= 3);
    assert_true(seen.lines >= 2);
    assert_in_range(seen.second_ms - seen.first_ms, 1000, 3000);
}

static const struct scene scenes[] = {
    {"-", "four at once", .providers = FOUR, .script = {.live = {LIVE}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = four_at_once},
    {"-", "four at once, answered in one piece", .providers = FOUR,
     .script = {.live = {LIVE}, .is_bunching = true},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = four_at_once},
    {"-", "four at once, each answer late", .providers = FOUR,
     .script = {.live = {LIVE}, .delay_ms = 900},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = four_at_once},
    {"-", "without PIPELINING", .providers = FOUR,
     .script = {.live = {LIVE}, .extensions = {"8BITMIME"}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = one_after_the_other},
    {"-", "nobody says how many", .providers = PROVIDER, .script = {.live = {LIVE}},
     .asks = {NINE_LIVE("accepted")}, .tune = watch, .check = one_after_the_other},
    {"-", "the user says nine for all", .script = {.live = {LIVE}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = nine_for_all,
     .check = as_many_as_refusals_are_left},
    {"-", "somebody's own server that nobody knows", .script = {.live = {LIVE}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = as_many_as_refusals_are_left},
    {"-", "somebody's own server, and each answer is held back",
     .script = {.live = {LIVE}, .delay_ms = 5000},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = one_after_the_other},
    {"-", "a transcript is one address's own", .providers = FOUR, .script = {.live = {LIVE}},
     .asks = {NINE_LIVE("accepted")}, .tune = with_transcripts, .check = one_after_the_other},
    {"-", "the null sender is refused: one RCPT hears of it",
     .providers = FOUR "invalids_per_hour 1000\n",
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_MAIL, .who = "", .say = "550 5.7.1 No bounces here"}}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = ask_as_somebody,
     .check = in_order},
    {"-", "three in a transaction",
     .providers = PROVIDER "pipelined_rcpts 50\nrcpts_per_transaction 3\n"
                           "invalids_per_session 90\n",
     .script = {.live = {LIVE}}, .asks = {NINE_LIVE("accepted")}, .tune = watch,
     .check = within_a_transaction},
    {"-", "too many in a transaction, in the middle",
     .providers = PROVIDER "pipelined_rcpts 50\ninvalids_per_session 90\n",
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .from_in_transaction = 5,
                           .say = "452 4.5.3 Error: too many recipients"}}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = of_one_domain},
    {"-", "two domains behind one server", .providers = FOUR, .script = {.live = {LIVE}},
     .names = {{"e.test", DNS_MX, "10 mx.d.test"}},
     .asks = {{"live1@d.test", "accepted"},
              {"live1@e.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"live3@d.test", "accepted"},
              {"live2@e.test", "accepted"},
              {"live3@e.test", "accepted"},
              {"live4@d.test", "accepted"},
              {"live5@d.test", "accepted"},
              {"dead1@e.test", "mailbox_not_found"}},
     .tune = watch, .check = of_one_domain},
    {"-", "a pace", .providers = FOUR "rcpt_gap_ms 100\n", .script = {.live = {LIVE}},
     .asks = {NINE_LIVE("accepted")}, .tune = watch, .check = at_its_pace},
    {"-", "three refusals in a session",
     .providers = PROVIDER "pipelined_rcpts 50\ninvalids_per_session 3\n",
     .script = {.live = {LIVE}}, .asks = {SIX_DEAD("mailbox_not_found"), NINE_LIVE("accepted")},
     .tune = watch, .check = never_more_than_three},
    {"-", "three refusals in the hour", .providers = FOUR "invalids_per_hour 3\n",
     .script = {.live = {LIVE}}, .asks = {SIX_DEAD("mailbox_not_found|skipped")}, .tune = watch,
     .check = three_in_the_hour},
    {"-", "the line is lost between answers, and what was not heard is counted",
     .providers = FOUR "invalids_per_hour 5\n",
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .from = 4, .to_visit = 1, .say = "", .closes = true}}},
     .asks = {{"live1@d.test", "accepted"}, SIX_DEAD("mailbox_not_found|skipped")}, .tune = watch,
     .check = unheard_count_as_refused},
    {"-", "the line is lost between answers", .providers = FOUR,
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .from = 4, .to_visit = 1, .say = "", .closes = true}}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = four_and_then_one},
    {"-", "the line is always lost at the third", .providers = FOUR,
     .script = {.live = {LIVE}, .rules = {{PEER_AT_RCPT, .from = 3, .say = "", .closes = true}}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch},
    {"-", "one is never answered", .providers = FOUR,
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .from = 4, .to_visit = 1, .delay_ms = 3000000}}},
     .asks = {NINE_LIVE("accepted|smtp_timeout"), SIX_DEAD("mailbox_not_found")}, .may_drop = true,
     .tune = watch, .check = four_and_then_one},
    {"-", "the second of two is 503", .providers = FOUR,
     .script = {.live = {LIVE}, .grouping = PEER_GROUPS_REFUSED},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = once_and_then_one},
    {"-", "the second of two is never answered", .providers = FOUR,
     .script = {.live = {LIVE}, .grouping = PEER_GROUPS_SWALLOWED},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = once_and_then_one},
    {"-", "two are answered in the wrong order", .providers = FOUR,
     .script = {.live = {LIVE}, .grouping = PEER_GROUPS_CROSSED},
     .asks = {{"live1@d.test", "accepted"},
              {"dead1@d.test", "mailbox_not_found"},
              {"live2@d.test", "accepted"},
              {"dead2@d.test", "mailbox_not_found"},
              {"live3@d.test", "accepted"},
              {"dead3@d.test", "mailbox_not_found"},
              {"dead4@d.test", "mailbox_not_found"},
              {"live4@d.test", "accepted"},
              {"live5@d.test", "accepted"}},
     .tune = watch, .check = once_and_then_one},
    {"-", "words about pipelining in the middle", .providers = FOUR,
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .from = 4, .to = 4, .to_visit = 1,
                           .say = "554 SMTP synchronization error"}}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = once_and_then_one},
    {"-", "one of a group has moved to another one of it", .providers = FOUR,
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .who = "moved",
                           .say = "551 5.1.6 User not local; please try <live5@d.test>"}}},
     .asks = {NINE_LIVE("accepted"), {"moved@d.test", "mailbox_moved"}}, .tune = watch,
     .check = four_at_once},
    {"-", "a word about rate to all of a group",
     .providers = PROVIDER_OF(5) "pipelined_rcpts 4\ninvalids_per_session 90\n",
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .from = 3, .to_visit = 1,
                           .say = "450 4.7.1 <%r>: Error: too much mail, slow down"}}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = a_single_pause},
    {"-", "421 in the middle", .providers = FOUR,
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .from = 5, .closes = true,
                           .say = "421 4.7.0 %h Too many recipients in this session"}}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = four_on_more_lines},
    {"-", "a word about rate in the middle", .providers = FOUR,
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .who = "live5", .times = 1,
                           .say = "450 4.7.1 <%r>: Error: too much mail, slow down"}}},
     .asks = {NINE_LIVE("accepted"), SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = alone_after_a_complaint},
    {"-", "a block in the middle", .providers = FOUR,
     .script = {.live = {LIVE},
                .rules = {{PEER_AT_RCPT, .from = 6,
                           .say = "550 5.7.1 Service unavailable; client [%i] blocked using "
                                  "zen.spamhaus.org"}}},
     .asks = {NINE_LIVE("accepted|accepted_unconfirmed|blocked"),
              SIX_DEAD("mailbox_not_found|blocked")},
     .tune = watch},
    {"-", "a session that takes whatever comes after three refusals",
     .providers = "provider own\nclass selfhosted\nmx mx.d.test\ngap_ms 0\nconnections 1\n"
                  "rcpts 90\ninvalids_per_session 9\npipelined_rcpts 4\n",
     .script = {.live = {LIVE}, .rules = {{PEER_AT_RCPT, .after_bad = 3, .say = "250 2.1.5 Ok"}}},
     .asks = {SIX_DEAD("mailbox_not_found"), NINE_LIVE("accepted")}, .tune = watch},
};

int main(void)
{
    return stage_play_all("pipelining", scenes, sizeof scenes / sizeof scenes[0]);
}
