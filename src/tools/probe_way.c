/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_way.h"

#include "base/slice.h"

enum { BODY_TIMEOUT_MS = 120000 };

static void choose_times(const struct config *config, struct probe_talk_config *talk)
{
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        talk->timeout_ms[i] = (uint32_t)config->timeout_ms[i];
    }
    talk->timeout_ms[HEL_SMTP_DATA] = talk->timeout_ms[HEL_SMTP_BODY] = BODY_TIMEOUT_MS;
    talk->timeout_ms[HEL_SMTP_AUTH] = talk->timeout_ms[HEL_SMTP_MAIL];
    talk->timeout_ms[HEL_SMTP_XCLIENT] = talk->timeout_ms[HEL_SMTP_MAIL];
    talk->limit_ms = config->budget_ms < UINT32_MAX ? (uint32_t)config->budget_ms : 0;
}

const char *probe_way_choose(const struct config *config, struct config_ways *ways,
                             struct probe_plan *plan)
{
    const struct config_egress *egress = NULL;
    for (size_t i = 0; i < config->egress_count && egress == NULL; i++) {
        egress = config->egresses[i].is_enabled ? &config->egresses[i] : NULL;
    }
    config_list_ways(config, ways);
    if (egress == NULL || ways->count == 0) {
        return "no egress is enabled";
    }
    const char *obstacle = config_egress_obstacle(egress);
    if (obstacle != NULL) {
        return obstacle;
    }
    const struct traffic_egress *way = &ways->egresses[0];
    /* The port of the configuration is that of verify; a scheme or a named port is stronger. */
    plan->port = config->port == KNOCKER_PORT ? 0 : (uint16_t)config->port;
    plan->source_v4 = way->source_v4;
    plan->source_v6 = way->source_v6;
    plan->allowed_nets = config->allowed_nets.at;
    plan->allowed_net_count = config->allowed_nets.count;
    plan->talk.proxy = way->proxy;
    plan->talk.helo = egress->helo.len > 0 ? egress->helo : SLICE("localhost.localdomain");
    plan->talk.mail_from = egress->mail_from;
    choose_times(config, &plan->talk);
    return NULL;
}
