/* sim/campaign_settings: how our side asks in one campaign.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"
#include "base/slice.h"
#include "sim/campaign_plan.h"

enum { PATIENT_WAIT_MS = 20 * 24 * 3600 * 1000 };

static unsigned draw(struct random *r, const unsigned *from, unsigned count)
{
    return from[random_below(r, count)];
}

static bool happens(struct random *r, unsigned percent)
{
    return random_below(r, 100) < percent;
}

static const struct traffic_egress plain = {.name = SLICE_LITERAL("default"), .weight = 1};

/* One of them is heavier, one is young. */
static const struct traffic_egress ways_out[CAMPAIGN_EGRESSES_MAX] = {
    {.name = SLICE_LITERAL("a"),
     .source_v4 = {IP_V4, {198, 51, 100, 1}},
     .source_v6 = {IP_V6, {0x20, 0x01, 0x0d, 0xb8, 1}},
     .weight = 3},
    {.name = SLICE_LITERAL("b"),
     .source_v4 = {IP_V4, {198, 51, 100, 2}},
     .source_v6 = {IP_V6, {0x20, 0x01, 0x0d, 0xb8, 2}},
     .weight = 1},
    {.name = SLICE_LITERAL("c"),
     .source_v4 = {IP_V4, {198, 51, 100, 3}},
     .source_v6 = {IP_V6, {0x20, 0x01, 0x0d, 0xb8, 3}},
     .weight = 1,
     .warm_up = {.since_ms = TRAFFIC_SINCE_FIRST_USE, .first = 5}},
};

static void set_egresses(struct campaign_settings *settings, unsigned count)
{
    struct knocker_config *config = &settings->knocker;
    config->egresses = settings->egresses;
    config->egress_count = count > 1 ? count : 1;
    for (size_t i = 0; i < config->egress_count; i++) {
        struct traffic_egress *egress = &settings->egresses[i];
        *egress = count > 1 ? ways_out[i] : plain;
        egress->helo_name = SLICE("probe.heloise.test");
        egress->mail_from = config->verify.has_sender ? SLICE("knock@heloise.test") : SLICE_NONE;
    }
}

void campaign_settings_draw(struct campaign_settings *settings, uint64_t seed, unsigned egresses)
{
    static const unsigned per_site[] = {0, 0, 0, 1, 2, 8};
    static const unsigned rcpts[] = {0, 0, 0, 0, 1, 8, 30};
    static const unsigned invalids[] = {0, 0, 0, 3, 50, 1000};
    static const unsigned pipelined[] = {0, 0, 2, 4, 10, PROVIDER_PIPELINED_RCPTS_MAX};
    static const unsigned connections[] = {500, 500, 40, 3};
    struct random r = {seed};
    (void)random_next(&r);
    *settings = (struct campaign_settings){
        .is_patient = happens(&r, 70),
        .has_store = happens(&r, 40),
        .is_interleaved = happens(&r, 70),
    };
    struct knocker_config *config = &settings->knocker;
    knocker_config_init(config);
    config->verify.null_sender_first = happens(&r, 70);
    config->verify.has_sender = happens(&r, 60);
    config->verify.retry_temporary = settings->is_patient || happens(&r, 70);
    config->per_site_max = draw(&r, per_site, 6);
    config->rcpts_per_connection = draw(&r, rcpts, 7);
    config->invalids_per_hour = draw(&r, invalids, 6);
    config->connections_max = draw(&r, connections, 4);
    config->no_tls = happens(&r, 10);
    config->keeps_transcript = happens(&r, 10);
    set_egresses(settings, egresses);
    if (settings->is_patient) {
        config->is_budget_wall_clock = false;
        config->budget_ms = 0;
        config->queue_wait_ms_max = PATIENT_WAIT_MS;
    } else if (happens(&r, 30)) {
        config->is_budget_wall_clock = false;
    }
    config->pipelined_rcpts = draw(&r, pipelined, 6);
}
