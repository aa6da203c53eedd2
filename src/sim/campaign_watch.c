/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_watch.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "sim/campaign_engine.h"
#include "sim/campaign_owed.h"
#include "sim/world.h"
#include "traffic/site.h"

enum {
    HOUR_MS = 3600 * 1000,
    UNDER_WAY_MS = 2000,  /* the longest way of a packet, jitter included (sim/campaign_site) */
    MEMORY_EVENTS = 4096, /* between looks at the heap */
    MEMORY_BYTES_BASE = 64 << 20,
    MEMORY_BYTES_QUESTION = 24 << 10, /* for each open question */
    MEMORY_BYTES_SERVERS =
        512, /* what the servers remember of an address; the store in memory ... */
    MEMORY_BYTES_STORE = 2048, /* ... keeps its record too */
};

/* One far end as we count: that of a site, or of all sites of one provider. */
struct group {
    struct traffic_limits limits;
    bool is_shared_system; /* each of our ways there has its own connections and pace */
    struct way {
        unsigned ours;            /* connections that we have not closed yet */
        uint64_t last_connect_ms; /* 0: none yet */
        uint64_t last_close_ms;
    } ways[CAMPAIGN_EGRESSES_MAX]; /* elsewhere all count as the first */
    uint64_t last_close_ms;        /* of any */
    uint64_t *refused_ms;          /* the last invalids_per_hour refusals, a ring; 0: none yet */
    unsigned refused_at;
};

/* The observer's context: the servers of one site. */
struct observed {
    struct campaign_watch *watch;
    const struct campaign_site *site;
    struct group *group;
    const struct peer_seen *seen[CAMPAIGN_HOSTS_MAX * 2]; /* those there are */
    unsigned seen_count;
};

struct campaign_watch {
    const struct campaign_plan *plan;
    struct world *world;
    const struct campaign_engine *engine;
    struct campaign_talk *talk;
    uint32_t talk_site;
    struct campaign_flaw flaw;
    struct group
        *groups; /* of sites, then of providers: those of a site with a provider are not used */
    struct observed *observed;
    struct line {
        uint32_t site;
        uint8_t way;
        struct campaign_owed owed;
    } * lines; /* by number */
    size_t line_cap;
    bool is_restarted;
    uint64_t counts_from_ms; /* refusals; before, it is the packets of a dead engine that arrive */
    size_t heap_at_start, heap_peak;
    uint64_t events;
    struct world_watcher watcher;
};

void campaign_watch_blame(struct campaign_watch *watch, uint32_t site, uint32_t number,
                          const char *format, ...)
{
    if (watch->flaw.is_found) {
        return;
    }
    watch->flaw = (struct campaign_flaw){.is_found = true,
                                         .at_ms = door_now_ms(world_door(watch->world)),
                                         .site = site,
                                         .number = number};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(watch->flaw.text, sizeof watch->flaw.text, format, arguments);
    va_end(arguments);
    door_stop(world_door(watch->world));
}

const struct campaign_flaw *campaign_watch_flaw(const struct campaign_watch *watch)
{
    return &watch->flaw;
}

size_t campaign_watch_memory_peak(const struct campaign_watch *watch)
{
    return watch->heap_peak;
}

/* As the servers count. */

/* While the end of a connection is still under way, a server counts it that we do not; what we hold open is
 * counted exactly where we connect. */
static bool is_end_under_way(const struct observed *observed)
{
    uint32_t way_ms = 0;
    for (unsigned i = 0; i < observed->site->host_count; i++) {
        uint32_t latency_ms = observed->site->hosts[i].latency_ms + observed->site->jitter_ms;
        way_ms = latency_ms > way_ms ? latency_ms : way_ms;
    }
    uint64_t now_ms = door_now_ms(world_door(observed->watch->world));
    return now_ms - observed->group->last_close_ms <= way_ms;
}

static void on_came(void *context)
{
    const struct observed *observed = context;
    const struct group *group = observed->group;
    size_t ways = observed->watch->plan->settings.knocker.egress_count;
    unsigned limit = group->limits.connections * (group->is_shared_system ? (unsigned)ways : 1);
    for (unsigned i = 0; i < observed->seen_count && !is_end_under_way(observed); i++) {
        if (observed->seen[i]->open > limit) {
            campaign_watch_blame(observed->watch, observed->site->number, CAMPAIGN_NOBODY,
                                 "connections at once: a server sees %u, the limit is %u",
                                 (unsigned)observed->seen[i]->open, limit);
        }
    }
}

/* A refusal within the hour of the one that stands `invalids_per_hour` before it is one too many. */
static void count_refusal(struct observed *observed, uint64_t now_ms)
{
    struct group *group = observed->group;
    unsigned limit = group->limits.invalids_per_hour;
    uint64_t *oldest = &group->refused_ms[group->refused_at];
    if (now_ms < observed->watch->counts_from_ms) {
        return;
    }
    if (*oldest != 0 && now_ms - *oldest < HOUR_MS) {
        campaign_watch_blame(observed->watch, observed->site->number, CAMPAIGN_NOBODY,
                             "refused RCPTs: more than %u within an hour", limit);
    }
    *oldest = now_ms;
    group->refused_at = (group->refused_at + 1) % limit;
}

static void on_answered(void *context, const struct peer_rcpt *rcpt, uint64_t now_ms)
{
    struct observed *observed = context;
    struct campaign_watch *watch = observed->watch;
    const struct traffic_limits *limits = &observed->group->limits;
    uint32_t number = campaign_number(watch->plan, rcpt->path);
    uint32_t site = observed->site->number;
    if (number != UINT32_MAX &&
        watch->plan->domains[campaign_domain_of(watch->plan, number)].site != site) {
        campaign_watch_blame(watch, site, number, "asked at a server of another domain");
    }
    if (rcpt->rcpts > limits->rcpts_per_connection) {
        campaign_watch_blame(watch, site, number, "%u RCPTs in one session, the limit is %u",
                             rcpt->rcpts, limits->rcpts_per_connection);
    }
    if (rcpt->code < 500 || rcpt->code == 503) { /* 503: out of order, whoever the recipient is */
        return;
    }
    if (rcpt->refused > limits->invalids_per_session) {
        campaign_watch_blame(watch, site, number,
                             "%u refused RCPTs in one session, the limit is %u", rcpt->refused,
                             limits->invalids_per_session);
    }
    count_refusal(observed, now_ms);
}

static const struct peer_observer observer = {on_came, on_answered};

/* As the network sees it. */

static bool remember_line(struct campaign_watch *watch, uint32_t line, struct line what)
{
    if (line >= watch->line_cap) {
        size_t cap = (size_t)line * 2 + 64;
        struct line *grown = realloc(watch->lines, cap * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        watch->lines = grown;
        watch->line_cap = cap;
    }
    watch->lines[line] = what;
    return true;
}

static uint8_t way_of(const struct campaign_watch *watch, const struct group *group,
                      const struct ip *client)
{
    const struct knocker_config *config = &watch->plan->settings.knocker;
    for (size_t i = 0; i < config->egress_count && group->is_shared_system; i++) {
        const struct traffic_egress *egress = &config->egresses[i];
        if (ip_equal(client, &egress->source_v4) || ip_equal(client, &egress->source_v6)) {
            return (uint8_t)i;
        }
    }
    return 0;
}

static void on_connected(void *context, uint32_t line, const struct ip *ip, const struct ip *client)
{
    struct campaign_watch *watch = context;
    const struct campaign_site *site = campaign_site_at(watch->plan, ip);
    char text[IP_TEXT_BYTES];
    if (site == NULL) {
        must(remember_line(watch, line, (struct line){.site = CAMPAIGN_NOBODY}));
        campaign_watch_blame(watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "connects to %s, where nothing should be contacted",
                             ip_format(ip, text));
        return;
    }
    struct group *group = watch->observed[site->number].group;
    struct line what = {.site = site->number, .way = way_of(watch, group, client)};
    struct way *way = &group->ways[what.way];
    must(remember_line(watch, line, what));
    uint64_t now_ms = door_now_ms(world_door(watch->world));
    if (watch->talk != NULL && site->number == watch->talk_site) {
        campaign_talk_note(watch->talk, line, now_ms, "connects to", slice_of(ip_format(ip, text)));
    }
    if (++way->ours > group->limits.connections) {
        campaign_watch_blame(watch, site->number, CAMPAIGN_NOBODY,
                             "connections at once: %u, the limit is %u", way->ours,
                             group->limits.connections);
    }
    if (way->last_close_ms == now_ms) {
        return; /* another address, or without TLS, in place of one that was given up just now */
    }
    if (way->last_connect_ms != 0 &&
        now_ms - way->last_connect_ms < group->limits.connection_gap_ms) {
        campaign_watch_blame(watch, site->number, CAMPAIGN_NOBODY,
                             "connects %u ms after the one before, the least is %u",
                             (unsigned)(now_ms - way->last_connect_ms),
                             group->limits.connection_gap_ms);
    }
    way->last_connect_ms = now_ms;
}

static void check_command(struct campaign_watch *watch, struct line *line, struct slice command)
{
    static const char *const verbs[] = {"EHLO", "HELO", "STARTTLS", "MAIL",
                                        "RCPT", "RSET", "NOOP",     "QUIT"};
    struct slice verb = slice_trim(slice_sub(command, 0, slice_find_byte(command, ' ', 0)));
    bool is_known = false;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        is_known = is_known || slice_equal(verb, slice_of(verbs[i]));
    }
    if (!is_known) {
        campaign_watch_blame(watch, line->site, CAMPAIGN_NOBODY, "no command of a probe: %.*s",
                             SLICE_ARG(command));
    }
    if (!campaign_owed_sent(&line->owed, verb)) {
        campaign_watch_blame(watch, line->site, CAMPAIGN_NOBODY,
                             "said with %u RCPTs and %u commands before them unanswered: %.*s",
                             line->owed.rcpts, line->owed.others, SLICE_ARG(command));
    }
}

static void on_sent(void *context, uint32_t line, struct slice bytes)
{
    struct campaign_watch *watch = context;
    struct line *where = &watch->lines[line];
    uint32_t site = where->site;
    if (watch->talk != NULL && site == watch->talk_site) {
        campaign_talk_note(watch->talk, line, door_now_ms(world_door(watch->world)), "C", bytes);
    }
    struct slice rest = bytes;
    while (rest.len > 0) {
        check_command(watch, where, slice_cut(&rest, '\n'));
    }
    if (site == CAMPAIGN_NOBODY) {
        return;
    }
    unsigned limit = watch->observed[site].group->limits.pipelined_rcpts;
    if (where->owed.rcpts > limit) {
        campaign_watch_blame(watch, site, CAMPAIGN_NOBODY,
                             "%u RCPTs unanswered at once, the limit is %u", where->owed.rcpts,
                             limit);
    }
}

static void on_received(void *context, uint32_t line, struct slice bytes)
{
    struct campaign_watch *watch = context;
    campaign_owed_received(&watch->lines[line].owed, bytes);
    if (watch->talk != NULL && watch->lines[line].site == watch->talk_site) {
        campaign_talk_note(watch->talk, line, door_now_ms(world_door(watch->world)), "S", bytes);
    }
}

static void on_closed(void *context, uint32_t line, bool is_up)
{
    struct campaign_watch *watch = context;
    (void)is_up;
    uint32_t site = watch->lines[line].site;
    if (site == CAMPAIGN_NOBODY) {
        return;
    }
    struct group *group = watch->observed[site].group;
    struct way *way = &group->ways[watch->lines[line].way];
    way->ours--;
    way->last_close_ms = group->last_close_ms = door_now_ms(world_door(watch->world));
    if (watch->talk != NULL && site == watch->talk_site) {
        campaign_talk_closed(watch->talk, line);
    }
}

static void look_at_memory(struct campaign_watch *watch, const struct knocker_counts *counts)
{
    struct mallinfo2 info = mallinfo2();
    size_t heap = info.uordblks + info.hblkhd;
    heap -= heap < watch->heap_at_start ? heap : watch->heap_at_start;
    watch->heap_peak = heap > watch->heap_peak ? heap : watch->heap_peak;
    uint64_t open = counts->asked - counts->answered;
    uint64_t kept =
        MEMORY_BYTES_SERVERS + (watch->plan->settings.has_store ? MEMORY_BYTES_STORE : 0);
    if (heap > MEMORY_BYTES_BASE + open * MEMORY_BYTES_QUESTION + counts->asked * kept) {
        campaign_watch_blame(watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "memory: %zu bytes with %llu questions open", heap,
                             (unsigned long long)open);
    }
}

static void on_moved(void *context, uint64_t now_ms)
{
    struct campaign_watch *watch = context;
    (void)now_ms;
    if (watch->engine == NULL) {
        return;
    }
    struct knocker_counts counts;
    campaign_engine_count(watch->engine, &counts);
    if (counts.answered > counts.asked) {
        campaign_watch_blame(watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "more answers than questions");
    }
    if (counts.talking > watch->plan->settings.knocker.connections_max) {
        campaign_watch_blame(watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "%u connections in all, the limit is %u", counts.talking,
                             watch->plan->settings.knocker.connections_max);
    }
    if (watch->events++ % MEMORY_EVENTS == 0) {
        look_at_memory(watch, &counts);
    }
}

/* The watch itself. */

static void settle(struct group *group, const struct campaign_plan *plan,
                   const struct knowledge *knowledge, const char *host)
{
    const struct knocker_config *config = &plan->settings.knocker;
    const struct traffic_ceilings ceilings = {
        .per_site = config->per_site_max,
        .rcpts_per_connection = config->rcpts_per_connection,
        .pipelined_rcpts = config->pipelined_rcpts,
        .invalids_per_hour = config->invalids_per_hour,
    };
    const struct provider *provider =
        provider_by_host(knowledge_providers(knowledge), slice_of(host));
    group->limits = traffic_limits_of(provider, &ceilings);
    group->is_shared_system = provider->class != PROVIDER_SELFHOSTED;
    /* Those of all ways are counted together. What holds for each of them may be so many times more. */
    group->limits.invalids_per_hour *= (unsigned)config->egress_count;
}

/* Sites with the same provider's name are one far end to us. */
static uint32_t group_of(const struct campaign_plan *plan, uint32_t site)
{
    const char *suffix = plan->sites[site].mx_suffix;
    for (uint32_t i = 0; suffix != NULL && i < site; i++) {
        if (plan->sites[i].mx_suffix == suffix) {
            return i;
        }
    }
    return site;
}

static void observe_hosts(struct campaign_watch *watch, const struct campaign_site *site)
{
    struct observed *observed = &watch->observed[site->number];
    for (unsigned i = 0; i < site->host_count; i++) {
        const struct campaign_host *host = &site->hosts[i];
        const char *const ips[] = {host->ip, host->ip6};
        for (size_t n = 0; n < 2; n++) {
            struct peer_server *server = world_host_server(watch->world, ips[n], 0);
            if (server != NULL) {
                peer_server_observe(server, &observer, observed);
                observed->seen[observed->seen_count++] = peer_server_seen(server);
            }
        }
    }
}

static enum err begin_site(struct campaign_watch *watch, const struct knowledge *knowledge,
                           uint32_t number)
{
    const struct campaign_plan *plan = watch->plan;
    const struct campaign_site *site = &plan->sites[number];
    uint32_t place = group_of(plan, number);
    struct group *group = &watch->groups[place];
    watch->observed[number] = (struct observed){.watch = watch, .site = site, .group = group};
    observe_hosts(watch, site);
    if (place != number) {
        return ERR_NONE;
    }
    char host[CAMPAIGN_NAME_BYTES];
    (void)snprintf(host, sizeof host, "x.%s", site->mx_suffix == NULL ? "test" : site->mx_suffix);
    settle(group, plan, knowledge, host);
    group->refused_ms = calloc(group->limits.invalids_per_hour, sizeof *group->refused_ms);
    return group->refused_ms == NULL ? ERR_NOMEM : ERR_NONE;
}

enum err campaign_watch_new(const struct campaign_plan *plan, const struct knowledge *knowledge,
                            struct world *world, struct campaign_talk *talk, uint32_t talk_site,
                            struct campaign_watch **out)
{
    struct campaign_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        return ERR_NOMEM;
    }
    struct mallinfo2 info = mallinfo2();
    watch->heap_at_start = info.uordblks + info.hblkhd;
    watch->plan = plan;
    watch->world = world;
    watch->talk = talk;
    watch->talk_site = talk_site;
    watch->groups = calloc(plan->site_count, sizeof *watch->groups);
    watch->observed = calloc(plan->site_count, sizeof *watch->observed);
    enum err e = watch->groups == NULL || watch->observed == NULL ? ERR_NOMEM : ERR_NONE;
    for (uint32_t i = 0; i < plan->site_count && e == ERR_NONE; i++) {
        e = begin_site(watch, knowledge, i);
    }
    if (e != ERR_NONE) {
        campaign_watch_free(watch);
        return e;
    }
    watch->watcher = (struct world_watcher){.connected = on_connected,
                                            .sent = on_sent,
                                            .received = on_received,
                                            .closed = on_closed,
                                            .moved = on_moved,
                                            .context = watch};
    world_watch(world, &watch->watcher);
    *out = watch;
    return ERR_NONE;
}

void campaign_watch_free(struct campaign_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    world_watch(watch->world, NULL);
    for (uint32_t i = 0; watch->groups != NULL && i < watch->plan->site_count; i++) {
        free(watch->groups[i].refused_ms);
    }
    free(watch->groups);
    free(watch->observed);
    free(watch->lines);
    free(watch);
}

void campaign_watch_engine(struct campaign_watch *watch, const struct campaign_engine *engine)
{
    if (engine != NULL && watch->events > 0) {
        watch->is_restarted = true;
        watch->counts_from_ms = door_now_ms(world_door(watch->world)) + UNDER_WAY_MS;
    }
    watch->engine = engine;
    for (uint32_t i = 0; i < watch->plan->site_count; i++) {
        struct group *group = &watch->groups[i];
        for (size_t way = 0; way < CAMPAIGN_EGRESSES_MAX; way++) {
            group->ways[way].last_connect_ms = 0;
        }
        if (group->refused_ms != NULL) {
            memset(group->refused_ms, 0,
                   group->limits.invalids_per_hour * sizeof *group->refused_ms);
        }
    }
}

/* Whoever blocks after more refusals than we ever cause has never blocked. */
static void check_blocks(struct campaign_watch *watch, const struct campaign_site *site)
{
    const struct group *group = watch->observed[site->number].group;
    bool is_out_of_reach = site->script.block_after_bad > group->limits.invalids_per_hour;
    for (unsigned i = 0; i < site->host_count; i++) {
        struct peer_server *server = world_host_server(watch->world, site->hosts[i].ip, 0);
        if (server != NULL && is_out_of_reach && !watch->is_restarted &&
            peer_server_seen(server)->blocked > 0) {
            campaign_watch_blame(watch, site->number, CAMPAIGN_NOBODY,
                                 "a server that blocks after %u refused RCPTs an hour has blocked",
                                 site->script.block_after_bad);
        }
    }
}

void campaign_watch_end(struct campaign_watch *watch)
{
    struct world_counts counts;
    world_count(watch->world, &counts);
    if (counts.lines > 0) {
        campaign_watch_blame(watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "%u connections are left open", counts.lines);
    }
    for (uint32_t i = 0; i < watch->plan->site_count; i++) {
        check_blocks(watch, &watch->plan->sites[i]);
    }
}
