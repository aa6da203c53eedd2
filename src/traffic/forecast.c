/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/forecast.h"

#include <math.h>

#define PRECISION_MS 0.25
#define ANY_NUMBER   ((double)INFINITY)

/* One way out at the site, as far as its share of the work goes. */
struct way {
    double connections;
    double gap_ms, rcpt_gap_ms; /* 0: none */
    double refusals;            /* in an hour */
    double budget;              /* RCPTs in a day; ANY_NUMBER: any number */
    struct traffic_warmup warmup;
};

/* All there is to know for the question how much can have been asked by a time. */
struct plan {
    struct way ways[TRAFFIC_EGRESSES_MAX];
    size_t count;
    double per_connection; /* RCPTs */
    double conversation_ms;
    double refused_share; /* of the RCPTs */
    unsigned limits;      /* bits by enum forecast_limit: those that are looked at */
};

static bool looks_at(const struct plan *plan, enum forecast_limit limit)
{
    return (plan->limits >> limit & 1) != 0;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

/* The whole ones among them, of times and numbers that fit. */
static double whole(double value)
{
    return (double)(uint64_t)value;
}

static double rounded_up(double value)
{
    return whole(value) < value ? whole(value) + 1 : whole(value);
}

/* Within one hour, as fast as it goes. */
static double asked_at_speed(const struct plan *plan, const struct way *way, double ms)
{
    double asked = ms > 0 ? ANY_NUMBER : 0;
    if (looks_at(plan, FORECAST_CONNECTIONS)) {
        asked = way->connections * plan->per_connection * ms / plan->conversation_ms;
    }
    if (looks_at(plan, FORECAST_GAP) && way->gap_ms > 0) {
        asked = least(asked, plan->per_connection * (1 + ms / way->gap_ms));
    }
    if (looks_at(plan, FORECAST_PACE) && way->rcpt_gap_ms > 0) {
        asked = least(asked, 1 + ms / way->rcpt_gap_ms);
    }
    return asked;
}

/* RCPTs until an hour's refusals are used up. */
static double hourly_share(const struct plan *plan, const struct way *way)
{
    bool is_bound = looks_at(plan, FORECAST_REFUSALS) && plan->refused_share > 0;
    return is_bound ? way->refusals / plan->refused_share : ANY_NUMBER;
}

static double asked_by_hours(const struct plan *plan, const struct way *way, double ms)
{
    double share = hourly_share(plan, way);
    if (asked_at_speed(plan, way, FORECAST_HOUR_MS) <= share) {
        return asked_at_speed(plan, way, ms);
    }
    double hours = whole(ms / FORECAST_HOUR_MS);
    double rest = asked_at_speed(plan, way, ms - hours * FORECAST_HOUR_MS);
    return hours * share + least(share, rest);
}

static double daily_share(const struct plan *plan, const struct way *way,
                          const struct traffic_warmup *warmup)
{
    uint32_t allowance = traffic_warmup_allowance(warmup);
    bool warms_up = looks_at(plan, FORECAST_WARM_UP) && allowance != TRAFFIC_NO_BOUND;
    double share = looks_at(plan, FORECAST_BUDGET) ? way->budget : ANY_NUMBER;
    return warms_up ? least(share, allowance) : share;
}

static double asked_by(const struct plan *plan, const struct way *way, double ms)
{
    struct traffic_warmup warmup = way->warmup;
    double share = daily_share(plan, way, &warmup);
    double whole_day = isinf(share) ? 0 : asked_by_hours(plan, way, FORECAST_DAY_MS);
    double asked = 0;
    while (!isinf(share) && ms > FORECAST_DAY_MS) {
        asked += least(share, whole_day);
        ms -= FORECAST_DAY_MS;
        if (warmup.stage < TRAFFIC_WARMUP_STAGES) {
            warmup.stage++;
        }
        share = daily_share(plan, way, &warmup);
    }
    return asked + least(share, asked_by_hours(plan, way, ms));
}

static bool is_done_by(const struct plan *plan, double rcpts, double ms)
{
    double asked = 0;
    for (size_t i = 0; i < plan->count; i++) {
        asked += asked_by(plan, &plan->ways[i], ms);
    }
    return asked >= rcpts;
}

/* The time by which so many RCPTs can have been asked; FORECAST_FOREVER_MS: not by then. */
static double time_for(const struct plan *plan, double rcpts)
{
    double early = 0;
    double late = 1;
    while (!is_done_by(plan, rcpts, late)) {
        if (late >= (double)FORECAST_FOREVER_MS) {
            return (double)FORECAST_FOREVER_MS;
        }
        early = late;
        late = least(late * 2, (double)FORECAST_FOREVER_MS);
    }
    while (late - early > PRECISION_MS) {
        double middle = (early + late) / 2;
        if (is_done_by(plan, rcpts, middle)) {
            late = middle;
        } else {
            early = middle;
        }
    }
    return late;
}

/* Until a way out has asked so many, of all that it is given. */
static double way_time_for(const struct plan *plan, const struct way *way, double rcpts)
{
    struct plan one = {
        .ways = {*way},
        .count = 1,
        .per_connection = plan->per_connection,
        .conversation_ms = plan->conversation_ms,
        .refused_share = plan->refused_share,
        .limits = plan->limits,
    };
    return time_for(&one, rcpts);
}

/* What a way out asks before a wait that is longer than the patience; ANY_NUMBER: there is none. The wait is for the
 * next share: an hour's or a day's window that begins with the first RCPT, less the time that the share took. */
static double asked_first(const struct plan *plan, const struct way *way, double patience_ms,
                          double *wait_ms)
{
    double first = ANY_NUMBER;
    double hourly = hourly_share(plan, way);
    if (asked_at_speed(plan, way, FORECAST_HOUR_MS) > hourly) {
        double wait = FORECAST_HOUR_MS - way_time_for(plan, way, hourly);
        *wait_ms = most(*wait_ms, wait);
        first = wait > patience_ms ? hourly : ANY_NUMBER;
    }
    double daily = daily_share(plan, way, &way->warmup);
    if (!isinf(daily) && asked_by_hours(plan, way, FORECAST_DAY_MS) > daily) {
        double wait = FORECAST_DAY_MS - way_time_for(plan, way, daily);
        *wait_ms = most(*wait_ms, wait);
        first = wait > patience_ms ? least(first, daily) : first;
    }
    return first;
}

/* ---- the plan of a site ---- */

static bool reaches(const struct traffic_egress *egress, const struct forecast_demand *demand)
{
    return (demand->has_ipv4 && !egress->no_ipv4) || (demand->has_ipv6 && !egress->no_ipv6);
}

static void add_ways(struct plan *plan, const struct traffic_pool *pool,
                     const struct traffic_site *site, const struct forecast_demand *demand,
                     uint64_t now_ms)
{
    for (size_t i = 0; i < pool->count; i++) {
        const struct traffic_egress *egress = &pool->egresses[i].egress;
        const struct traffic_path *path = i < site->path_count ? site->paths[i] : NULL;
        bool is_blocked = path != NULL && path->health.state == TRAFFIC_BLOCKED;
        if (!reaches(egress, demand) || is_blocked) {
            continue;
        }
        struct way *way = &plan->ways[plan->count++];
        *way = (struct way){
            .refusals = site->limits.invalids_per_hour,
            .budget = egress->rcpts_per_day == 0 ? ANY_NUMBER : egress->rcpts_per_day,
        };
        if (path != NULL) {
            way->warmup = path->warmup;
        } else {
            traffic_warmup_init(&way->warmup, &egress->warm_up, now_ms);
        }
    }
}

/* RCPTs on one connection: by its limits, until too many were refused, and no more than its share of the work. */
static double per_connection(const struct traffic_limits *limits, double refused_share,
                             double share)
{
    double in_transactions =
        (double)limits->transactions_per_connection * limits->rcpts_per_transaction;
    double rcpts = least(limits->rcpts_per_connection, in_transactions);
    if (refused_share > 0) {
        rcpts = least(rcpts, limits->invalids_per_session / refused_share);
    }
    return most(1, least(rcpts, share));
}

/* Connections and pace are of each way out at a shared system, else of all together. Returns the connections. */
static unsigned share_out(struct plan *plan, const struct traffic_site *site, double probes)
{
    const struct traffic_limits *limits = &site->limits;
    double together = site->is_shared_system ? 1 : (double)plan->count;
    double allowed = limits->connections * (double)plan->count / together;
    double connections = least(allowed, rounded_up(probes / TRAFFIC_QUEUE_PER_CONNECTION));
    for (size_t i = 0; i < plan->count; i++) {
        struct way *way = &plan->ways[i];
        way->connections = connections / (double)plan->count;
        way->gap_ms = limits->connection_gap_ms * together;
        way->rcpt_gap_ms = limits->rcpt_gap_ms * together;
    }
    plan->per_connection = per_connection(limits, plan->refused_share, probes / connections);
    return (unsigned)connections;
}

/* Of so many RCPTs: the first, then groups, each of which might be refused altogether; with a pace each alone. */
static double round_trips(const struct traffic_limits *limits, double rcpts)
{
    double group = least(limits->pipelined_rcpts, limits->invalids_per_session);
    return limits->rcpt_gap_ms > 0 ? rcpts : 1 + (rcpts - 1) / group;
}

static double conversation_ms(const struct forecast_assumptions *assumed,
                              const struct traffic_limits *limits, double rcpts)
{
    double steps = FORECAST_STEPS + (assumed->has_tls ? FORECAST_TLS_STEPS : 0);
    return (steps + round_trips(limits, rcpts)) * assumed->rtt_ms;
}

/* The limit that alone would take the longest. */
static enum forecast_limit slowest_limit(struct plan *plan, double probes, bool has_all_connections)
{
    static const enum forecast_limit limits[] = {FORECAST_CONNECTIONS, FORECAST_GAP,
                                                 FORECAST_PACE,        FORECAST_REFUSALS,
                                                 FORECAST_WARM_UP,     FORECAST_BUDGET};
    enum forecast_limit slowest = FORECAST_CONNECTIONS;
    double slowest_ms = 0;
    unsigned all = plan->limits;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        plan->limits = 1u << limits[i];
        double ms = time_for(plan, probes);
        if (ms > slowest_ms) {
            slowest_ms = ms;
            slowest = limits[i];
        }
    }
    plan->limits = all;
    bool has_spare = slowest == FORECAST_CONNECTIONS && !has_all_connections;
    return has_spare ? FORECAST_ROUND_TRIPS : slowest;
}

static void time_site(struct plan *plan, const struct forecast_assumptions *assumed,
                      struct forecast_outlook *out)
{
    double wait_ms = 0;
    double first = 0;
    for (size_t i = 0; i < plan->count; i++) {
        first += asked_first(plan, &plan->ways[i], (double)assumed->queue_wait_ms, &wait_ms);
    }
    double whole_ms = time_for(plan, out->probes);
    out->asked = least(out->probes, first);
    out->whole_ms = (uint64_t)rounded_up(whole_ms);
    out->time_ms =
        out->asked < out->probes ? (uint64_t)rounded_up(time_for(plan, out->asked)) : out->whole_ms;
    /* A share that is not used up is not waited for. */
    out->wait_ms = whole_ms >= wait_ms ? (uint64_t)rounded_up(wait_ms) : 0;
}

void traffic_forecast_site(const struct traffic_pool *pool, const struct traffic_site *site,
                           const struct forecast_demand *demand,
                           const struct forecast_assumptions *assumed, uint64_t now_ms,
                           struct forecast_outlook *out)
{
    struct plan plan = {.limits = UINT32_MAX};
    double addresses = (double)demand->addresses;
    double again = demand->may_greylist ? assumed->greylist_share : 0;
    *out = (struct forecast_outlook){.limit = FORECAST_NOTHING};
    if (demand->addresses == 0) {
        return;
    }
    out->probes = addresses * (1 + again) + (double)demand->controls;
    plan.refused_share =
        (addresses * assumed->invalid_share + (double)demand->controls) / out->probes;
    add_ways(&plan, pool, site, demand, now_ms);
    if (plan.count == 0) {
        out->limit = FORECAST_NO_WAY;
        out->skipped = demand->addresses;
        return;
    }
    unsigned allowed =
        site->limits.connections * (site->is_shared_system ? (unsigned)plan.count : 1);
    out->connections = share_out(&plan, site, out->probes);
    plan.conversation_ms = conversation_ms(assumed, &site->limits, plan.per_connection);
    time_site(&plan, assumed, out);
    out->conversation_ms = plan.conversation_ms;
    out->conversations = rounded_up(out->asked / plan.per_connection);
    out->skipped = (uint64_t)rounded_up(addresses * (1 - out->asked / out->probes));
    out->limit = slowest_limit(&plan, out->probes, out->connections >= allowed);
}

/* ---- the whole list ---- */

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void forecast_total_add(struct forecast_total *total, const struct forecast_demand *demand,
                        const struct forecast_outlook *outlook)
{
    total->addresses += demand->addresses;
    total->skipped += outlook->skipped;
    total->probes += outlook->probes;
    total->asked += outlook->asked;
    total->conversations += outlook->conversations;
    total->talk_ms += outlook->conversations * outlook->conversation_ms;
    total->may_greylist = total->may_greylist || (demand->may_greylist && outlook->asked > 0);
    total->wait_ms = later(total->wait_ms, outlook->wait_ms);
    total->slowest_ms = later(total->slowest_ms, outlook->time_ms);
    if (outlook->whole_ms > total->slowest_whole_ms) {
        total->slowest_whole_ms = outlook->whole_ms;
        total->slowest_limit = outlook->limit;
    }
}

/* By the budgets of all egresses, whichever site is asked. */
static uint64_t time_by_budgets(const struct traffic_pool *pool, double rcpts)
{
    struct plan plan = {.limits = 1u << FORECAST_BUDGET, .count = pool->count};
    for (size_t i = 0; i < pool->count; i++) {
        uint32_t budget = pool->egresses[i].egress.rcpts_per_day;
        plan.ways[i].budget = budget == 0 ? ANY_NUMBER : budget;
    }
    return rcpts > 0 ? (uint64_t)time_for(&plan, rcpts) : 0;
}

static void bind(struct forecast_total *total, enum forecast_limit limit, uint64_t ms,
                 uint64_t whole_ms)
{
    total->time_ms = later(total->time_ms, ms);
    if (whole_ms > total->whole_ms) {
        total->whole_ms = whole_ms;
        total->limit = limit;
    }
}

void forecast_total_finish(struct forecast_total *total, const struct traffic_pool *pool,
                           const struct forecast_assumptions *assumed)
{
    total->time_ms = total->slowest_ms;
    total->whole_ms = total->slowest_whole_ms;
    total->limit = total->slowest_limit;
    if (total->asked <= 0) {
        return;
    }
    double talk_ms = total->talk_ms / assumed->connections_max;
    double whole_talk_ms = talk_ms * total->probes / total->asked;
    bind(total, FORECAST_ALL_CONNECTIONS, (uint64_t)talk_ms, (uint64_t)whole_talk_ms);
    bind(total, FORECAST_BUDGET, time_by_budgets(pool, total->asked),
         time_by_budgets(pool, total->probes));
    if (total->may_greylist && assumed->greylist_share > 0) {
        bind(total, FORECAST_GREYLISTING, assumed->greylist_wait_ms, assumed->greylist_wait_ms);
    }
}

const char *forecast_limit_name(enum forecast_limit limit)
{
    static const char *const names[FORECAST_LIMIT_COUNT] = {
        [FORECAST_NOTHING] = "nothing",
        [FORECAST_ROUND_TRIPS] = "round_trips",
        [FORECAST_CONNECTIONS] = "connections",
        [FORECAST_GAP] = "connection_gap",
        [FORECAST_PACE] = "pace",
        [FORECAST_REFUSALS] = "refusals",
        [FORECAST_WARM_UP] = "warm_up",
        [FORECAST_BUDGET] = "daily_budget",
        [FORECAST_NO_WAY] = "no_way_out",
        [FORECAST_ALL_CONNECTIONS] = "all_connections",
        [FORECAST_GREYLISTING] = "greylisting",
    };
    return names[limit];
}
