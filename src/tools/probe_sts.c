/* tools/probe_sts: the MTA-STS policy of the domain that is probed, fetched as tools/health does it, held against the
 * hosts that were talked to (RFC 8461 4.1).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/slice.h"
#include "tools/health.h"
#include "tools/probe_private.h"

enum { POLICY_LIMIT_MS = 15000 };

const char *probe_sts_name(enum probe_sts_state state)
{
    switch (state) {
    case PROBE_STS_NOT_TRIED: return "not_tried";
    case PROBE_STS_NONE: return "none";
    case PROBE_STS_FOUND: return "found";
    case PROBE_STS_BROKEN: return "broken";
    case PROBE_STS_UNKNOWN: break;
    }
    return "unknown";
}

struct wait {
    struct door *door;
    bool is_over;
};

static void on_policy(void *context)
{
    struct wait *wait = context;
    wait->is_over = true;
    door_stop(wait->door);
}

static void say(struct probe_sts *sts, enum probe_sts_state state, const char *detail)
{
    sts->state = state;
    (void)snprintf(sts->detail, sizeof sts->detail, "%s", detail);
}

/* RFC 8461 3.1: with several records there is no policy. */
static void read_policy(const struct health_facts *facts, struct probe_result *out)
{
    struct probe_sts *sts = &out->sts;
    const struct health_policy_file *file = &facts->sts_policy;
    struct slice rest = file->body, mode;
    if (facts->sts.kind == DNS_ANSWER_ERROR || facts->is_partial) {
        say(sts, PROBE_STS_UNKNOWN, facts->is_partial ? "no answer in time" : "no answer from DNS");
    } else if (facts->sts.count == 0) {
        say(sts, PROBE_STS_NONE, "");
    } else if (facts->sts.count > 1) {
        say(sts, PROBE_STS_BROKEN, "there are several records");
    } else if (file->state != HEALTH_FETCH_DONE) {
        say(sts, PROBE_STS_BROKEN, file->words);
    } else if (file->status != 200) {
        sts->state = PROBE_STS_BROKEN;
        (void)snprintf(sts->detail, sizeof sts->detail, "the server answers %u", file->status);
    } else if (!health_policy_value(&rest, SLICE("mode"), &mode)) {
        say(sts, PROBE_STS_BROKEN, "it has no mode");
    } else {
        sts->state = PROBE_STS_FOUND;
        (void)snprintf(sts->mode, sizeof sts->mode, "%.*s", (int)sizeof sts->mode - 1,
                       slice_equal(mode, SLICE("enforce"))   ? "enforce"
                       : slice_equal(mode, SLICE("testing")) ? "testing"
                                                             : "none");
        for (size_t i = 0; i < out->host_count; i++) {
            struct probe_host *host = &out->hosts[i];
            bool is_named = health_policy_names(file->body, slice_of(host->name));
            host->sts_names_it = is_named ? PROBE_YES : PROBE_NO;
        }
    }
}

enum err probe_find_sts(struct probe_run *run)
{
    const struct probe_plan *plan = run->plan;
    const struct health_config config = {
        .only_sts = true,
        .http = plan->http,
        .policy_port = plan->policy_port,
        .allowed_nets = plan->allowed_nets,
        .allowed_net_count = plan->allowed_net_count,
        .limit_ms = POLICY_LIMIT_MS,
        .done = on_policy,
    };
    struct wait wait = {.door = run->door};
    probe_tell(run, "fetching the MTA-STS policy of %s", plan->target.name);
    struct health *health;
    enum err e = health_new(run->door, &config, slice_of(plan->target.name), &wait, &health);
    if (e != ERR_NONE) {
        return e;
    }
    door_run(run->door);
    if (wait.is_over) {
        read_policy(health_facts(health), run->out);
    } else {
        run->is_stopped = true;
    }
    health_free(health);
    return ERR_NONE;
}
