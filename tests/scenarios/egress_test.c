/* Scenarios with several ways out: greylisting keeps its own (19 to 22), blocks move a site's traffic to the
 * others (40, 60, 114), and what is answered where none is left (115). What is learned outlives the engine.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#define A "198.51.100.1"
#define SOURCE(last)                                     \
    {                                                    \
        .family = IP_V4, .bytes = { 198, 51, 100, last } \
    }

#define HELO   .helo_name = SLICE_LITERAL(STAGE_HELO)
#define GOOGLE "alt1.gmail-smtp-in.l.google.com"
#define LISTED                                                                         \
    "550 5.7.1 Service unavailable; Client host [%i] blocked using zen.spamhaus.org; " \
    "https://www.spamhaus.org/query/ip/%i"

static const struct traffic_egress two[] = {
    {.name = SLICE_LITERAL("a"), HELO, .source_v4 = SOURCE(1), .weight = 5},
    {.name = SLICE_LITERAL("b"), HELO, .source_v4 = SOURCE(2), .weight = 1},
};

static const struct traffic_egress three[] = {
    {.name = SLICE_LITERAL("a"), HELO, .source_v4 = SOURCE(1), .weight = 1},
    {.name = SLICE_LITERAL("b"), HELO, .source_v4 = SOURCE(2), .weight = 1},
    {.name = SLICE_LITERAL("c"), HELO, .source_v4 = SOURCE(3), .weight = 1},
};

/* b is young: five recipients a day at each provider. */
static const struct traffic_egress young[] = {
    {.name = SLICE_LITERAL("a"), HELO, .source_v4 = SOURCE(1), .weight = 1},
    {.name = SLICE_LITERAL("b"),
     HELO,
     .source_v4 = SOURCE(2),
     .weight = 100,
     .warm_up = {.since_ms = TRAFFIC_SINCE_FIRST_USE, .first = 5}},
};

/* a leaves through a proxy. */
static const struct proxy proxy = {.kind = PROXY_SOCKS5, .ip = SOURCE(9), .port = 1080};
static const struct traffic_egress tunnelled[] = {
    {.name = SLICE_LITERAL("a"), HELO, .proxy = &proxy, .weight = 5},
    {.name = SLICE_LITERAL("b"), HELO, .source_v4 = SOURCE(2), .weight = 1},
};

static void use(struct knocker_config *config, const struct traffic_egress *egresses, size_t count)
{
    struct fault fault;
    assert_int_equal(traffic_egresses_check(egresses, count, &fault), ERR_NONE);
    config->egresses = egresses;
    config->egress_count = count;
}

static void use_two(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    use(config, two, 2);
}

static void use_three(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    use(config, three, 3);
}

static void use_young(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    use(config, young, 2);
}

static void use_a_dead_proxy(struct stage *stage, struct knocker_config *config)
{
    use(config, tunnelled, 2);
    world_cut_off(stage_world(stage), &proxy.ip, LINK_END_PROXY);
}

static void wall_up_a(struct stage *stage, struct knocker_config *config)
{
    use(config, two, 2);
    world_cut_off(stage_world(stage), &two[0].source_v4, LINK_END_UNREACHABLE);
}

static bool left_by(const struct record *record, const char *egress)
{
    return slice_equal(record->smtp.egress, slice_of(egress));
}

static unsigned count_by(const struct stage *stage, size_t from, size_t to, const char *egress)
{
    unsigned count = 0;
    for (size_t i = from; i < to; i++) {
        count += left_by(stage_record(stage, i), egress);
    }
    return count;
}

/* Asked anew after a pause, by another way out or with another sender, it would have begun anew. */
static void waited_once(struct stage *stage)
{
    for (size_t i = 0; i < 4; i++) {
        assert_true(stage_elapsed_ms(stage, i) >= 300000);
        assert_true(stage_elapsed_ms(stage, i) < 900000);
        assert_true(stage_record(stage, i)->smtp.greylist_seen);
    }
}

static void left_by_b(struct stage *stage)
{
    assert_int_equal(count_by(stage, 0, 3, "b"), 3);
}

static void never_blocked(struct stage *stage)
{
    assert_int_equal(stage_seen(stage, "5.9.1.1")->blocked, 0);
}

/* P's answers came to b; Q never noticed; an hour later a is welcome again, and carries its part. */
static void moved_and_came_back(struct stage *stage)
{
    assert_int_equal(count_by(stage, 0, 12, "b"), 12);
    assert_true(count_by(stage, 12, 15, "a") >= 2);
    assert_true(stage_seen(stage, "5.9.1.1")->commands[PEER_AT_MAIL] <= 16);
    stage_sleep(stage, 3600);
    assert_true(left_by(stage_ask_again(stage, "later1@d.test"), "a"));
    assert_int_equal(stage_ask_again(stage, "later2@d.test")->sub, SUB_ACCEPTED);
}

/* One word was enough, and so long it rests. */
static void rested_as_the_provider_does(struct stage *stage)
{
    unsigned blocked = 0;
    for (size_t i = 0; i < 12; i++) {
        blocked += stage_record(stage, i)->smtp.attempts > 1;
    }
    assert_int_equal(blocked, 1);
    assert_int_equal(count_by(stage, 0, 12, "b"), 12);
    stage_sleep(stage, 3600);
    assert_true(left_by(stage_ask_again(stage, "later1@d.test"), "b"));
    stage_sleep(stage, 2000);
    assert_true(left_by(stage_ask_again(stage, "later2@d.test"), "a"));
}

/* The failures of a proxy are nobody's answers; it is left alone after three. */
static void left_without_the_proxy(struct stage *stage)
{
    struct world_host_counts counts;
    stage_host_counts(stage, "5.9.1.1", &counts);
    assert_in_range(counts.tried - counts.accepted, 1, 3);
    assert_int_equal(count_by(stage, 0, 12, "b"), 12);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(stage_record(stage, i)->smtp.attempts, 1);
    }
}

/* What one way out does not reach the other one does: nothing is said to be down. */
static void left_by_the_open_way(struct stage *stage)
{
    struct world_host_counts counts;
    stage_host_counts(stage, "5.9.1.1", &counts);
    assert_in_range(counts.tried - counts.accepted, 1, 3);
    assert_int_equal(count_by(stage, 0, 12, "b"), 12);
}

/* Each way out had its try, and no more. */
static void was_tried_by_both(struct stage *stage)
{
    struct world_host_counts counts;
    stage_host_counts(stage, "5.9.1.1", &counts);
    assert_int_equal(counts.accepted, 0);
    assert_in_range(counts.tried, 2, 8);
}

static void remembers_the_block(struct stage *stage)
{
    uint64_t before = stage_seen(stage, "5.9.1.1")->connections;
    stage_restart(stage);
    const struct record *record = stage_ask_again(stage, "later1@d.test");
    assert_int_equal(record->sub, SUB_ACCEPTED);
    assert_true(left_by(record, "b"));
    assert_int_equal(stage_seen(stage, "5.9.1.1")->connections, before + 1);
}

static void keep_block(void *context, const struct knocker_block *block)
{
    struct knocker_block *kept = context;
    *kept = *block;
}

static void names_no_other(struct stage *stage)
{
    unsigned unasked = 0;
    for (size_t i = 0; i < 12; i++) {
        const struct record *record = stage_record(stage, i);
        struct slice text = record->smtp.text;
        bool is_named = slice_find_byte(text, '@', 0) < text.len;
        unasked += record->smtp.attempts == 0;
        assert_int_equal(is_named, record->smtp.attempts > 0);
        assert_true(slice_find_nocase(text, SLICE("spamhaus")) < text.len);
        assert_true(!is_named || slice_find_nocase(text, record->ascii) < text.len);
    }
    assert_true(unasked > 0);
}

/* Few were asked; the rest has the cause; the summary has it too; others are served. */
static void all_are_blocked(struct stage *stage)
{
    struct knocker_block block = {0};
    knocker_each_block(stage_knocker(stage), keep_block, &block);
    assert_true(slice_equal(block.who, SLICE("Google")));
    assert_int_equal(block.code, 550);
    assert_true(block.addresses >= 4);
    assert_true(slice_find_nocase(block.said, SLICE("spamhaus")) < block.said.len);
    assert_in_range(block.again_in_s, 60, 1800);
    assert_true(stage_seen(stage, "5.9.1.1")->commands[PEER_AT_MAIL] <= 16);
    for (size_t i = 0; i < 12; i++) {
        const struct record *record = stage_record(stage, i);
        assert_true(record->block_kind == BLOCK_IP_LIST ||
                    record->block_kind == BLOCK_IP_REPUTATION);
        assert_true(record->retry_after_s > 0);
        assert_int_equal(record->smtp.code,
                         550); /* the cause, also where it was not asked itself */
    }
}

/* And after another start nobody is asked before the time has come. */
static void all_stay_blocked(struct stage *stage)
{
    all_are_blocked(stage);
    uint64_t before = stage_seen(stage, "5.9.1.1")->connections;
    stage_restart(stage);
    const struct record *record = stage_ask_again(stage, "later1@d.test");
    assert_int_equal(record->sub, SUB_SKIPPED);
    assert_int_equal(record->skip, SKIP_EGRESS_UNHEALTHY);
    assert_int_equal(stage_seen(stage, "5.9.1.1")->connections, before);
    stage_sleep(stage, 1800);
    assert_int_equal(stage_ask_again(stage, "later2@d.test")->sub, SUB_BLOCKED);
    assert_true(stage_seen(stage, "5.9.1.1")->connections > before);
}

/* Five, in spite of its weight, and none more after another start on the same day. */
static void spares_the_young(struct stage *stage)
{
    assert_in_range(count_by(stage, 0, 12, "b"), 1, 5);
    stage_restart(stage);
    for (int i = 0; i < 3; i++) {
        static const char *const later[] = {"later1@d.test", "later2@d.test", "later3@d.test"};
        assert_true(left_by(stage_ask_again(stage, later[i]), "a"));
    }
    stage_sleep(stage, 27 * 3600);
    assert_true(left_by(stage_ask_again(stage, "later4@d.test"), "b"));
}

#define TWELVE                                                                                 \
    "live1", "live2", "live3", "live4", "live5", "live6", "live7", "live8", "live9", "live10", \
        "live11", "live12", "later1", "later2", "later3", "later4"
#define ASK_TWELVE(sub)                                                                         \
    {"live1@d.test", sub}, {"live2@d.test", sub}, {"live3@d.test", sub}, {"live4@d.test", sub}, \
        {"live5@d.test", sub}, {"live6@d.test", sub}, {"live7@d.test", sub},                    \
        {"live8@d.test", sub}, {"live9@d.test", sub}, {"live10@d.test", sub},                   \
        {"live11@d.test", sub},                                                                 \
    {                                                                                           \
        "live12@d.test", sub                                                                    \
    }

#define Q_HOST                                                            \
    {                                                                     \
        "5.9.1.2", NULL, 10, .script = {.live = {"one", "two", "three"} } \
    }
#define Q_NAMES                         \
    {"q.test", DNS_MX, "10 mx.q.test"}, \
    {                                   \
        "mx.q.test", DNS_A, "5.9.1.2"   \
    }
#define ASK_Q                                               \
    {"one@q.test", "accepted"}, {"two@q.test", "accepted"}, \
    {                                                       \
        "three@q.test", "accepted"                          \
    }

static const struct scene scenes[] = {
    {"19c", "greylisting by triplet, three ways out",
     .script = {.live = {"live1", "live2", "live3", "live4"}, .greylist_s = 300},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"live3@d.test", "accepted"},
              {"live4@d.test", "accepted"},
              {"dead@d.test", "mailbox_not_found"}},
     .is_order_open = true, .tune = use_three, .check = waited_once},
    {"20c", "each of them would start anew, and asking too early too",
     .script = {.live = {"live1", "live2", "live3", "live4"},
                .greylist_s = 300,
                .greylist_restarts = true,
                .greylist_say = "450 4.2.0 <%r>: Recipient address rejected: Greylisted"},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"live3@d.test", "accepted"},
              {"live4@d.test", "accepted"}},
     .is_order_open = true, .tune = use_three, .check = waited_once},
    {"21c", "asking too early starts the time again, at a provider with three ways there",
     .hosts = {{"5.9.1.1", GOOGLE, 10,
                .script = {.live = {"live1", "live2", "live3"},
                           .greylist_s = 900,
                           .greylist_restarts = true,
                           .greylist_say = "451 4.7.1 Please try again later"}}},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"live3@d.test", "accepted"}},
     .is_order_open = true, .tune = use_three},
    {"22c", "greylisting at MAIL, by client and sender, three ways out",
     .script = {.live = {"live1", "live2"}, .greylist_s = 300, .greylist_kind = PEER_GREYLIST_MAIL},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"dead@d.test", "mailbox_not_found"}},
     .is_order_open = true, .tune = use_three},
    {"40c", "554 in the banner for one of two",
     .script = {.live = {"live1", "live2"},
                .rules = {{PEER_AT_BANNER, .client = A,
                           .say = "554-gmx.net (mxgmx017) Nemesis ESMTP Service not available\n"
                                  "554-Bad DNS PTR resource record.\n554 For explanation visit "
                                  "https://postmaster.gmx.net/en/error-messages?ip=%i&c=rdns",
                           .closes = true}}},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"dead@d.test", "mailbox_not_found"}},
     .tune = use_two, .check = left_by_b},
    {"41c", "on a block list at RCPT, one of two",
     .script = {.live = {"live1", "live2"}, .rules = {{PEER_AT_RCPT, .client = A, .say = LISTED}}},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"dead@d.test", "mailbox_not_found"}},
     .tune = use_two, .check = left_by_b},
    {"60c", "25 refusals an hour block a client: two of them ask for more than one may",
     .script = {.live = {"live1"}, .block_after_bad = 25, .block_s = 3600},
     .asks = {{"dead1@d.test", "mailbox_not_found"},
              {"dead2@d.test", "mailbox_not_found"},
              {"dead3@d.test", "mailbox_not_found"},
              {"dead4@d.test", "mailbox_not_found"},
              {"dead5@d.test", "mailbox_not_found"},
              {"dead6@d.test", "mailbox_not_found"},
              {"dead7@d.test", "mailbox_not_found"},
              {"dead8@d.test", "mailbox_not_found"},
              {"dead9@d.test", "mailbox_not_found"},
              {"dead10@d.test", "mailbox_not_found"},
              {"dead11@d.test", "mailbox_not_found"},
              {"dead12@d.test", "mailbox_not_found"},
              {"dead13@d.test", "mailbox_not_found"},
              {"dead14@d.test", "mailbox_not_found"},
              {"dead15@d.test", "mailbox_not_found"},
              {"dead16@d.test", "mailbox_not_found"},
              {"dead17@d.test", "mailbox_not_found"},
              {"dead18@d.test", "mailbox_not_found"},
              {"dead19@d.test", "mailbox_not_found"},
              {"dead20@d.test", "mailbox_not_found"},
              {"dead21@d.test", "mailbox_not_found"},
              {"dead22@d.test", "mailbox_not_found"},
              {"dead23@d.test", "mailbox_not_found"},
              {"dead24@d.test", "mailbox_not_found"},
              {"dead25@d.test", "mailbox_not_found"},
              {"dead26@d.test", "mailbox_not_found"},
              {"live1@d.test", "accepted"}},
     .tune = use_three, .check = never_blocked},
    {"114", "one of two is on the block list of one provider, for three quarters of an hour",
     .hosts = {{"5.9.1.1", GOOGLE, 10,
                .script = {.live = {TWELVE},
                           .rules = {{PEER_AT_MAIL, .client = A, .for_ms = 2700000,
                                      .say = LISTED}}}},
               Q_HOST},
     .names = {Q_NAMES}, .asks = {ASK_TWELVE("accepted"), ASK_Q}, .tune = use_two,
     .check = moved_and_came_back},
    {"114b", "the block is remembered by the next engine",
     .hosts = {{"5.9.1.1", GOOGLE, 10,
                .script = {.live = {TWELVE},
                           .rules = {{PEER_AT_MAIL, .client = A, .say = LISTED}}}}},
     .asks = {ASK_TWELVE("accepted")}, .tune = use_two, .check = remembers_the_block},
    {"114c", "a provider that is known to hold it against an address for an hour and a half",
     .providers = "provider own\nclass business\nmx mx.d.test\ngap_ms 0\ncooldown_s 5400\n",
     .script = {.live = {TWELVE},
                .rules = {{PEER_AT_MAIL, .client = A, .for_ms = 5000000, .say = LISTED}}},
     .asks = {ASK_TWELVE("accepted|accepted_unconfirmed")}, .tune = use_two,
     .check = rested_as_the_provider_does},
    {"-", "the proxy of one of two is down",
     .hosts = {{"5.9.1.1", GOOGLE, 10, .script = {.live = {TWELVE}}}},
     .asks = {ASK_TWELVE("accepted")}, .tune = use_a_dead_proxy, .check = left_without_the_proxy},
    {"-", "one of two is behind a wall", .script = {.live = {TWELVE}},
     .asks = {ASK_TWELVE("accepted")}, .tune = wall_up_a, .check = left_by_the_open_way},
    {"-", "a server that is down, for both of two ways out",
     .hosts = {{"5.9.1.1", "mx.d.test", 10, .behaviour = WORLD_REFUSE}},
     .asks = {ASK_TWELVE("connect_failed")}, .tune = use_two, .check = was_tried_by_both},
    {"115", "all of them are on the block list of one provider",
     .hosts = {{"5.9.1.1", GOOGLE, 10,
                .script = {.live = {TWELVE}, .rules = {{PEER_AT_MAIL, .say = LISTED}}}},
               Q_HOST},
     .names = {Q_NAMES}, .asks = {ASK_TWELVE("blocked"), ASK_Q}, .tune = use_two,
     .check = all_stay_blocked},
    {"115b", "the same at RCPT, one way out only",
     .hosts = {{"5.9.1.1", GOOGLE, 10,
                .script = {.live = {TWELVE}, .rules = {{PEER_AT_RCPT, .say = LISTED}}}},
               Q_HOST},
     .names = {Q_NAMES}, .asks = {ASK_TWELVE("blocked"), ASK_Q}, .check = all_are_blocked},
    {"115c", "the words name a recipient: they are not told to others so",
     .hosts = {{"5.9.1.1", GOOGLE, 10,
                .script = {.live = {TWELVE},
                           .rules = {{PEER_AT_RCPT,
                                      .say = "550 5.7.1 <%r> (%l): mail from [%i] is blocked using "
                                             "zen.spamhaus.org"}}}}},
     .asks = {ASK_TWELVE("blocked")}, .tune = use_two, .check = names_no_other},
    {"-", "a young one keeps its allowance, also after another start",
     .hosts = {{"5.9.1.1", GOOGLE, 10, .script = {.live = {TWELVE}}}},
     .asks = {ASK_TWELVE("accepted")}, .tune = use_young, .check = spares_the_young},
};

int main(void)
{
    return stage_play_all("egress", scenes, sizeof scenes / sizeof scenes[0]);
}
