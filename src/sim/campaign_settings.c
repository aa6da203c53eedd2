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

void campaign_settings_draw(struct campaign_settings *settings, uint64_t seed)
{
    static const unsigned per_site[] = {0, 0, 0, 1, 2, 8};
    static const unsigned rcpts[] = {0, 0, 0, 0, 1, 8, 30};
    static const unsigned invalids[] = {0, 0, 0, 3, 50, 1000};
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
    config->helo_name = SLICE("probe.heloise.test");
    config->verify.null_sender_first = happens(&r, 70);
    config->verify.mail_from = happens(&r, 60) ? SLICE("knock@heloise.test") : SLICE_NONE;
    config->verify.retry_temporary = settings->is_patient || happens(&r, 70);
    config->per_site_max = draw(&r, per_site, 6);
    config->rcpts_per_connection = draw(&r, rcpts, 7);
    config->invalids_per_hour = draw(&r, invalids, 6);
    config->connections_max = draw(&r, connections, 4);
    config->no_tls = happens(&r, 10);
    config->keeps_transcript = happens(&r, 10);
    if (settings->is_patient) {
        config->is_budget_wall_clock = false;
        config->budget_ms = 0;
        config->queue_wait_ms_max = PATIENT_WAIT_MS;
    } else if (happens(&r, 30)) {
        config->is_budget_wall_clock = false;
    }
}
