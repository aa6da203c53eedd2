/* scenarios/provider: every value of a provider's entry takes effect. Each scene gives the provider of mx.d.test
 * one value by a user's file and looks, from the network's side, at what was done and when.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/ip.h"
#include "base/must.h"
#include "stage.h"

#define PROVIDER "provider own\nclass business\nmx mx.d.test\ngap_ms 0\ninvalids_per_session 9\n"
#define WIDE     PROVIDER "connections 9\nrcpts 90\n"

#define LIVE "live1", "live2", "live3", "live4", "live5", "live6", "live7", "live8", "live9"
#define NINE_LIVE                                                                                 \
    {"live1@d.test", "accepted"}, {"live2@d.test", "accepted"}, {"live3@d.test", "accepted"},     \
        {"live4@d.test", "accepted"}, {"live5@d.test", "accepted"}, {"live6@d.test", "accepted"}, \
        {"live7@d.test", "accepted"}, {"live8@d.test", "accepted"},                               \
    {                                                                                             \
        "live9@d.test", "accepted"                                                                \
    }
#define SIX_DEAD(sub)                                                                           \
    {"dead1@d.test", sub}, {"dead2@d.test", sub}, {"dead3@d.test", sub}, {"dead4@d.test", sub}, \
        {"dead5@d.test", sub},                                                                  \
    {                                                                                           \
        "dead6@d.test", sub                                                                     \
    }

enum { LOG_MAX = 200, LINES_MAX = 64, NEVER_NEAR = 1 << 30 };

/* What went over the lines of the present scene. */
static struct log {
    struct door *door;
    uint64_t connected_ms[LOG_MAX], rcpt_ms[LOG_MAX];
    size_t connected, rcpts;
    unsigned mails[LINES_MAX], rcpts_of_mail[LINES_MAX]; /* by line */
    unsigned mails_peak, rcpts_of_mail_peak;
} seen;

static void on_connected(void *context, uint32_t line, const struct ip *ip, const struct ip *client)
{
    (void)context;
    (void)client;
    (void)ip;
    must(seen.connected < LOG_MAX);
    seen.connected_ms[seen.connected++] = door_now_ms(seen.door);
    seen.mails[line % LINES_MAX] = 0;
}

static void note_command(uint32_t line, struct slice command)
{
    unsigned *mails = &seen.mails[line % LINES_MAX];
    unsigned *rcpts = &seen.rcpts_of_mail[line % LINES_MAX];
    if (slice_starts(command, SLICE("MAIL"))) {
        *rcpts = 0;
        seen.mails_peak = ++*mails > seen.mails_peak ? *mails : seen.mails_peak;
    } else if (slice_starts(command, SLICE("RCPT"))) {
        must(seen.rcpts < LOG_MAX);
        seen.rcpt_ms[seen.rcpts++] = door_now_ms(seen.door);
        seen.rcpts_of_mail_peak =
            ++*rcpts > seen.rcpts_of_mail_peak ? *rcpts : seen.rcpts_of_mail_peak;
    }
}

static void on_sent(void *context, uint32_t line, struct slice bytes)
{
    (void)context;
    while (bytes.at != NULL) {
        note_command(line, slice_cut(&bytes, '\n'));
    }
}

static void on_heard(void *context, uint32_t line, struct slice bytes)
{
    (void)context;
    (void)line;
    (void)bytes;
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
    seen = (struct log){.door = world_door(stage_world(stage))};
    world_watch(stage_world(stage), &watcher);
}

static uint64_t nearest(const uint64_t *times, size_t count)
{
    uint64_t least = NEVER_NEAR;
    for (size_t i = 1; i < count; i++) {
        least = times[i] - times[i - 1] < least ? times[i] - times[i - 1] : least;
    }
    return least;
}

static unsigned connections_peak(const struct stage *stage)
{
    struct world_host_counts counts;
    stage_host_counts(stage, "5.9.1.1", &counts);
    return counts.peak;
}

static unsigned connections_tried(const struct stage *stage)
{
    struct world_host_counts counts;
    stage_host_counts(stage, "5.9.1.1", &counts);
    return counts.tried;
}

static unsigned controls_asked(const struct stage *stage)
{
    const struct peer_seen *of = stage_seen(stage, "5.9.1.1");
    unsigned count = 0;
    for (unsigned i = 0; i < of->recipients.count; i++) {
        const char *name = of->recipients.at[i];
        count += strncmp(name, "live", 4) == 0 || strncmp(name, "dead", 4) == 0 ? 0 : 1;
    }
    return count;
}

/* Checks. */

static void two_connections(struct stage *stage)
{
    assert_int_equal(connections_peak(stage), 2);
}

static void one_connection_at_a_time(struct stage *stage)
{
    assert_int_equal(connections_peak(stage), 1);
}

static void three_seconds_between_connections(struct stage *stage)
{
    (void)stage;
    assert_true(seen.connected >= 3);
    assert_true(nearest(seen.connected_ms, seen.connected) >= 3000);
}

static void three_rcpts_on_each_connection(struct stage *stage)
{
    assert_int_equal(stage_seen(stage, "5.9.1.1")->rcpts_peak, 3);
}

static void two_transactions_of_two(struct stage *stage)
{
    assert_int_equal(seen.mails_peak, 2);
    assert_int_equal(seen.rcpts_of_mail_peak, 2);
    assert_int_equal(stage_seen(stage, "5.9.1.1")->rcpts_peak, 4);
}

static void one_rcpt_in_each_transaction(struct stage *stage)
{
    (void)stage;
    assert_int_equal(seen.rcpts_of_mail_peak, 1);
    assert_true(seen.mails_peak > 1);
}

/* The line is kept while it waits for the pace: nine live ones and the control take two seconds and more. */
static void paced_on_one_line(struct stage *stage)
{
    assert_int_equal(seen.rcpts, 10);
    assert_true(nearest(seen.rcpt_ms, seen.rcpts) >= 700);
    assert_true(connections_tried(stage) <= 3); /* as many as were wanted before the first RCPT */
}

/* Nobody keeps a line open for half a minute of nothing. */
static void paced_over_lines(struct stage *stage)
{
    assert_int_equal(seen.rcpts, 4);
    assert_true(nearest(seen.rcpt_ms, seen.rcpts) >= 30000);
    assert_int_equal(connections_tried(stage), 4);
}

static void two_refusals_in_each_session(struct stage *stage)
{
    assert_true(stage_seen(stage, "5.9.1.1")->bad_peak <= 2);
}

static void three_refusals_in_the_hour(struct stage *stage)
{
    assert_true(stage_seen(stage, "5.9.1.1")->refused <= 3);
}

static void rested_for_200_s(struct stage *stage)
{
    (void)stage;
    assert_int_equal(seen.connected, 2);
    assert_true(seen.connected_ms[1] - seen.connected_ms[0] >= 200000);
}

static void left_in_peace(struct stage *stage)
{
    assert_int_equal(connections_tried(stage), 1);
    assert_true(stage_elapsed_ms(stage, 0) < 1000000);
}

static void was_not_touched(struct stage *stage)
{
    assert_int_equal(connections_tried(stage), 0);
    assert_int_equal(stage_record(stage, 0)->skip, SKIP_PROVIDER_POLICY);
}

static void no_controls(struct stage *stage)
{
    assert_int_equal(controls_asked(stage), 0);
}

static void least_pressure(struct stage *stage)
{
    assert_int_equal(controls_asked(stage), 0);
    assert_int_equal(stage_seen(stage, "5.9.1.1")->rcpts_peak, 1);
    assert_int_equal(connections_peak(stage), 1);
    assert_true(nearest(seen.connected_ms, seen.connected) >= 10000);
}

static void no_plain_second_try(struct stage *stage)
{
    assert_int_equal(connections_tried(stage), 1);
    assert_int_equal(seen.rcpts, 0);
}

/* Tunes. */

static void ask_for_more(struct stage *stage, struct knocker_config *config)
{
    watch(stage, config);
    config->per_site_max = 50;
    config->rcpts_per_connection = 50;
    config->invalids_per_hour = 1000;
}

static void fix_rcpt_timeout(struct stage *stage, struct knocker_config *config)
{
    watch(stage, config);
    config->timeout_ms[HEL_SMTP_RCPT] = 20000;
    config->fixed_timeouts = 1u << HEL_SMTP_RCPT;
}

static const struct scene scenes[] = {
    {"-", "two connections at once", .providers = PROVIDER "rcpts 90\nconnections 2\n",
     .script = {.live = {LIVE}, .delay_ms = 300},
     .asks = {NINE_LIVE, SIX_DEAD("mailbox_not_found")}, .tune = watch, .check = two_connections},
    {"-", "three seconds between connections",
     .providers =
         "provider own\nclass business\nmx mx.d.test\nconnections 9\nrcpts 3\ngap_ms 3000\n",
     .script = {.live = {LIVE}}, .asks = {NINE_LIVE}, .tune = watch,
     .check = three_seconds_between_connections},
    {"-", "three recipients on a connection", .providers = PROVIDER "connections 9\nrcpts 3\n",
     .script = {.live = {LIVE}}, .asks = {NINE_LIVE}, .tune = watch,
     .check = three_rcpts_on_each_connection},
    {"-", "two transactions on a connection, of two recipients",
     .providers = PROVIDER "connections 1\nrcpts 90\ntransactions 2\nrcpts_per_transaction 2\n",
     .script = {.live = {LIVE}}, .asks = {NINE_LIVE}, .tune = watch,
     .check = two_transactions_of_two},
    {"-", "one recipient in a transaction", .providers = WIDE "traits one_rcpt\n",
     .script = {.live = {LIVE}}, .asks = {NINE_LIVE}, .tune = watch,
     .check = one_rcpt_in_each_transaction},
    {"-", "one recipient in a transaction, whatever the command line says",
     .providers = WIDE "traits one_rcpt\n", .script = {.live = {LIVE}}, .asks = {NINE_LIVE},
     .tune = ask_for_more, .check = one_rcpt_in_each_transaction},
    {"-", "a pace that is waited for on the line", .providers = WIDE "rcpt_gap_ms 700\n",
     .script = {.live = {LIVE}}, .asks = {NINE_LIVE}, .tune = watch, .check = paced_on_one_line},
    {"-", "a pace for which the line is left", .providers = WIDE "rcpt_gap_ms 30000\n",
     .script = {.live = {LIVE}},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"live3@d.test", "accepted"}},
     .tune = watch, .check = paced_over_lines},
    {"-", "two refusals in a session",
     .providers = "provider own\nclass business\nmx mx.d.test\nrcpts 90\ninvalids_per_session 2\n",
     .script = {.live = {LIVE}}, .asks = {SIX_DEAD("mailbox_not_found"), NINE_LIVE}, .tune = watch,
     .check = two_refusals_in_each_session},
    {"-", "three refusals in an hour", .providers = WIDE "invalids_per_hour 3\n",
     .script = {.live = {LIVE}}, .asks = {SIX_DEAD("mailbox_not_found|skipped")}, .tune = watch,
     .check = three_refusals_in_the_hour},
    {"-", "a longer wait for RCPT", .providers = WIDE "timeout rcpt 100\n",
     .script = {.live = {"live"}, .rules = {{PEER_AT_RCPT, .delay_ms = 80000}}},
     .asks = {{"live@d.test", "accepted"}}, .tune = watch},
    {"-", "a shorter wait for RCPT", .providers = WIDE "timeout rcpt 10\n",
     .script = {.live = {"live"}, .rules = {{PEER_AT_RCPT, .delay_ms = 20000}}},
     .asks = {{"live@d.test", "smtp_timeout"}}, .may_drop = true, .tune = watch},
    {"-", "a wait that the user fixed", .providers = WIDE "timeout rcpt 100\n",
     .script = {.live = {"live"}, .rules = {{PEER_AT_RCPT, .delay_ms = 80000}}},
     .asks = {{"live@d.test", "smtp_timeout"}}, .may_drop = true, .tune = fix_rcpt_timeout},
    {"-", "a tarpit is waited out", .providers = WIDE "traits tarpits\n",
     .script = {.live = {"live"}, .rules = {{PEER_AT_RCPT, .delay_ms = 250000}}},
     .asks = {{"live@d.test", "accepted"}}, .tune = watch},
    {"-", "a tarpit gets one connection", .providers = PROVIDER "rcpts 90\ntraits tarpits\n",
     .script = {.live = {LIVE}, .delay_ms = 300},
     .asks = {NINE_LIVE, SIX_DEAD("mailbox_not_found")}, .tune = watch,
     .check = one_connection_at_a_time},
    {"-", "a rest after a word about rate", .providers = WIDE "cooldown_s 200\n",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .to_visit = 1, .closes = true,
                           .say = "421 4.7.0 Too many messages, slow down"}}},
     .asks = {{"live@d.test", "accepted"}}, .tune = watch, .check = rested_for_200_s},
    {"-", "a rest longer than anybody waits", .providers = WIDE "cooldown_s 7200\n",
     .script = {.live = {"live"},
                .rules = {{PEER_AT_RCPT, .closes = true,
                           .say = "421 4.7.0 Too many messages, slow down"}}},
     .asks = {{"live@d.test", "rate_limited"}}, .tune = watch, .check = left_in_peace},
    {"-", "not asked at all", .providers = WIDE "traits skip\n", .script = {.live = {"live"}},
     .asks = {{"live@d.test", "skipped"}}, .tune = watch, .check = was_not_touched},
    {"-", "an acceptance says nothing", .providers = WIDE "traits accepts_all\n",
     .script = {.live = {"live"}}, .asks = {{"live@d.test", "accepts_all_provider"}}, .tune = watch,
     .check = no_controls},
    {"-", "an acceptance is selective", .providers = WIDE "traits selective\n",
     .script = {.live = {"live"}}, .asks = {{"live@d.test", "accepted"}}, .tune = watch,
     .check = no_controls},
    {"-", "a control says nothing", .providers = WIDE "traits control_meaningless\n",
     .script = {.live = {"live"}}, .asks = {{"live@d.test", "accepted_unconfirmed"}}, .tune = watch,
     .check = no_controls},
    {"-", "probing is forbidden",
     .providers = "provider own\nclass business\nmx mx.d.test\n"
                  "traits forbids_probing selective\n",
     .script = {.live = {LIVE}},
     .asks = {{"live1@d.test", "accepted"},
              {"live2@d.test", "accepted"},
              {"dead1@d.test", "mailbox_not_found"}},
     .tune = watch, .check = least_pressure},
    {"-", "probing is forbidden, whatever the command line says",
     .providers = "provider own\nclass business\nmx mx.d.test\n"
                  "traits forbids_probing selective\n",
     .script = {.live = {LIVE}},
     .asks = {{"live1@d.test", "accepted"}, {"live2@d.test", "accepted"}}, .tune = ask_for_more,
     .check = least_pressure},
    {"-", "TLS is needed and breaks", .providers = WIDE "traits needs_tls\n",
     .script = {.live = {"live"}, .tls = PEER_TLS_GARBAGE},
     .asks = {{"live@d.test", "tls_required_failed"}}, .may_drop = true, .tune = watch,
     .check = no_plain_second_try},
    {"-", "TLS is needed and refused", .providers = WIDE "traits needs_tls\n",
     .script = {.live = {"live"},
                .tls = PEER_TLS_GOOD,
                .rules = {{PEER_AT_STARTTLS, .say = "454 4.7.0 TLS not available"}}},
     .asks = {{"live@d.test", "tls_required_failed"}}, .tune = watch, .check = no_plain_second_try},
    {"-", "TLS is needed and not offered", .providers = WIDE "traits needs_tls\n",
     .script = {.live = {"live"}}, .asks = {{"live@d.test", "accepted"}}, .tune = watch},
    {"-", "known by its greeting",
     .providers = "provider own\nclass business\nbanner \"Own Mail\"\nrcpts 3\n"
                  "invalids_per_session 9\nconnections 1\n",
     .script = {.live = {LIVE}, .rules = {{PEER_AT_BANNER, .say = "220 mx.d.test Own Mail ready"}}},
     .asks = {NINE_LIVE}, .tune = watch, .check = three_rcpts_on_each_connection},
};

int main(void)
{
    return stage_play_all("provider", scenes, sizeof scenes / sizeof scenes[0]);
}
