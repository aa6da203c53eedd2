/* engine/site: the queues of probes before the hosts of a site, and when a conversation is opened for them,
 * within the site's limits. How many, how fast and when is traffic/site's decision; what happens in a conversation
 * is engine/session's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"

static void on_wake(void *context)
{
    site_pump(context);
}

struct traffic_limits site_limits(const struct knocker_config *config,
                                  const struct provider *provider)
{
    const struct traffic_ceilings ceilings = {
        .per_site = config->per_site_max,
        .rcpts_per_connection = config->rcpts_per_connection,
        .pipelined_rcpts = config->pipelined_rcpts,
        .invalids_per_hour = config->invalids_per_hour,
    };
    return traffic_limits_of(provider, &ceilings);
}

void site_recognise(struct site *site, struct slice banner)
{
    const struct provider_book *book = knowledge_providers(site->knocker->knowledge);
    if (site->provider != provider_by_host(book, SLICE_NONE)) {
        return; /* its name told already */
    }
    const struct provider *seen = provider_by_banner(book, banner);
    if (seen != NULL) {
        struct traffic_limits limits = site_limits(&site->knocker->config, seen);
        traffic_site_tighten(&site->traffic, &limits);
        site->provider = seen;
    }
}

/* Blank but for its key, and the room of the path. NULL: no memory. */
static struct site *site_alloc(struct knocker *knocker, const char *key)
{
    size_t key_bytes = strlen(key) + 1;
    struct site *site = slab_take_sized(&knocker->site_slab, sizeof *site + key_bytes);
    if (site == NULL) {
        return NULL;
    }
    memset(site, 0, offsetof(struct site, path));
    memcpy(site->key, key, key_bytes);
    site->knocker = knocker;
    return site;
}

static void site_dispose(struct site *site)
{
    slab_give_sized(&site->knocker->site_slab, site, sizeof *site + strlen(site->key) + 1);
}

enum err site_get(struct knocker *knocker, const struct route *route,
                  const struct provider *provider, struct site **out)
{
    UNFILLED char key[TRAFFIC_KEY_BYTES];
    traffic_site_key(route, provider, key);
    struct site *site = map_find(&knocker->sites, slice_of(key));
    if (site != NULL) {
        *out = site;
        return ERR_NONE;
    }
    site = site_alloc(knocker, key);
    if (site == NULL) {
        return ERR_NOMEM;
    }
    site->provider = provider;
    struct traffic_limits limits = site_limits(&knocker->config, provider);
    bool is_shared_system = provider->class != PROVIDER_SELFHOSTED;
    traffic_site_init(&site->traffic, &limits, is_shared_system);
    traffic_site_lend_room(&site->traffic, &site->path);
    site->has_one_host = !is_shared_system && route->exchanger_count == 1;
    site->wake = (struct timer){.fired = on_wake, .context = site};
    park_site_init(site);
    if (egress_site_load(site) != ERR_NONE ||
        map_put(&knocker->sites, slice_of(site->key), site) != ERR_NONE) {
        traffic_site_done(&site->traffic);
        site_dispose(site);
        return ERR_NOMEM;
    }
    *out = site;
    return ERR_NONE;
}

static void lane_init(struct lane *lane, struct host *host, size_t egress)
{
    *lane = (struct lane){.host = host, .egress = (uint8_t)egress};
    TAILQ_INIT(&lane->queue);
    TAILQ_INIT(&lane->fresh_queue);
}

enum { HOST_HEAD_BYTES = offsetof(struct host, exchanger) + offsetof(struct exchanger, host) };

/* Blank but for who it is. NULL: no memory. */
static struct host *host_alloc(struct site *site, const struct exchanger *exchanger)
{
    size_t name_bytes = strlen(exchanger->host) + 1;
    struct host *host = slab_take_sized(&site->knocker->host_slab, HOST_HEAD_BYTES + name_bytes);
    if (host == NULL) {
        return NULL;
    }
    memset(host, 0, offsetof(struct host, exchanger));
    host->site = site;
    exchanger_copy(&host->exchanger, exchanger);
    return host;
}

static void host_free(struct host *host)
{
    while (host->lanes != NULL) {
        struct lane *next = host->lanes->next;
        free(host->lanes);
        host->lanes = next;
    }
    free(host->down);
    slab_give_sized(&host->site->knocker->host_slab, host,
                    HOST_HEAD_BYTES + strlen(host->exchanger.host) + 1);
}

static void site_free(struct site *site)
{
    egress_site_save(site);
    door_timer_stop(site->knocker->door, &site->wake);
    park_site_done(site);
    if (site->is_hungry) {
        TAILQ_REMOVE(&site->knocker->hungry, site, hungry_link);
    }
    struct host *host = site->hosts;
    while (host != NULL) {
        struct host *next = host->next;
        host_free(host);
        host = next;
    }
    traffic_site_done(&site->traffic);
    free(site->closed);
    site_dispose(site);
}

void sites_init(struct knocker *knocker, uint64_t seed)
{
    map_init(&knocker->sites, seed);
    slab_init(&knocker->site_slab, sizeof(struct site) + KNOCKER_NAME_BYTES, KNOCKER_SLAB_PIECES);
    slab_init(&knocker->host_slab, HOST_HEAD_BYTES + KNOCKER_NAME_BYTES, KNOCKER_SLAB_PIECES);
}

void sites_done(struct knocker *knocker)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->sites, &cursor, &key, &value)) {
        site_free(value);
    }
    map_done(&knocker->sites);
    slab_done(&knocker->site_slab);
    slab_done(&knocker->host_slab);
}

static struct host *host_get(struct site *site, const struct exchanger *exchanger)
{
    for (struct host *host = site->hosts; host != NULL; host = host->next) {
        if (strcmp(host->exchanger.host, exchanger->host) == 0) {
            exchanger_copy(&host->exchanger, exchanger); /* the newest addresses */
            return host;
        }
    }
    struct host *host = host_alloc(site, exchanger);
    if (host == NULL) {
        return NULL;
    }
    lane_init(&host->any, host, 0);
    host->next = site->hosts;
    site->hosts = host;
    return host;
}

struct lane *host_lane(struct host *host, size_t egress)
{
    for (struct lane *lane = host->lanes; lane != NULL; lane = lane->next) {
        if (lane->egress == egress) {
            return lane;
        }
    }
    struct lane *lane = malloc(sizeof *lane);
    if (lane != NULL) {
        lane_init(lane, host, egress);
        lane->next = host->lanes;
        host->lanes = lane;
    }
    return lane;
}

void ask_was_tried(struct ask *ask, const struct host *host, const struct evidence *evidence)
{
    ask->egress = evidence->egress;
    if (ask_equip(ask)) {
        ask->work->was_tried = true;
        ask->work->line.host = host->exchanger.host;
        ask->work->line.ip = evidence->ip;
        ask->work->line.egress = evidence->egress;
    }
}

void site_tell_later(struct ask *ask, const struct evidence *evidence)
{
    struct pool *spare = &ask->knocker->spare_evidence;
    struct evidence *copy = pool_take(spare);
    if (copy == NULL || !ask_begin(ask)) {
        pool_give(spare, copy);
        ask->is_expired = true;
        ask->expired_why = SKIP_BUDGET;
        knocker_make_ready(ask);
        return;
    }
    evidence_copy(copy, evidence);
    copy->role = ask->work->probe.role;
    copy->exchanger = ask->work->probe.exchanger;
    copy->is_null_sender = ask->work->probe.is_null_sender;
    ask->work->pending = copy;
    knocker_make_ready(ask);
}

/* Those without patience stand before the patient ones; of either kind in the order in which they came. */
static void stand(struct ask *ask, struct ask_list *queue, struct ask **first_patient,
                  bool is_first)
{
    if (is_first || ask->is_patient || *first_patient == NULL) {
        ask_link(ask, queue, ASK_QUEUE, is_first);
    } else {
        must(ask->place == ASK_NOWHERE);
        TAILQ_INSERT_BEFORE(*first_patient, ask, link);
        ask->place = ASK_QUEUE;
    }
    if (!is_first && ask->is_patient && *first_patient == NULL) {
        *first_patient = ask;
    }
}

void lane_put(struct lane *lane, struct ask *ask, bool is_first)
{
    ask->lane = lane;
    if (ask->wants_fresh) {
        stand(ask, &lane->fresh_queue, &lane->fresh_patient, is_first);
        lane->fresh_queued++;
    } else {
        stand(ask, &lane->queue, &lane->patient, is_first);
        lane->queued++;
    }
}

void lane_remove(struct ask *ask)
{
    must(ask->place == ASK_QUEUE);
    struct lane *lane = ask->lane;
    if (lane->patient == ask) {
        lane->patient = TAILQ_NEXT(ask, link);
    } else if (lane->fresh_patient == ask) {
        lane->fresh_patient = TAILQ_NEXT(ask, link);
    }
    if (ask->wants_fresh) {
        TAILQ_REMOVE(&lane->fresh_queue, ask, link);
        lane->fresh_queued--;
    } else {
        TAILQ_REMOVE(&lane->queue, ask, link);
        lane->queued--;
    }
    ask->place = ASK_NOWHERE;
}

struct ask *lane_first(struct lane *lane)
{
    struct ask *ask = TAILQ_FIRST(&lane->fresh_queue);
    return ask != NULL ? ask : TAILQ_FIRST(&lane->queue);
}

/* Whoever must leave by one way, or must not by some, waits for that one; the others for any. */
static void host_put(struct host *host, struct ask *ask, bool is_first)
{
    struct site *site = host->site;
    struct traffic_pool *pool = &site->knocker->pool;
    struct lane *lane = &host->any;
    if (pool->count > 1 && (ask->keeps_egress || ask->work->shun != 0)) {
        struct traffic_wish wish = egress_wish(host, ask);
        struct traffic_choice choice;
        traffic_pool_choose(pool, &site->traffic, &wish, site_traffic_ms(site), &choice);
        if (choice.kind == TRAFFIC_NOBODY) {
            egress_turn_away(host, ask, choice.at_ms);
            return;
        }
        lane = host_lane(host, choice.egress);
        if (lane == NULL) {
            ask_expire(ask, SKIP_BUDGET);
            return;
        }
    }
    lane_put(lane, ask, is_first);
}

void site_enqueue(struct site *site, struct ask *ask, const struct exchanger *exchanger)
{
    struct host *host = host_get(site, exchanger);
    if (host == NULL) {
        ask_expire(ask, SKIP_BUDGET);
        return;
    }
    if (host->down_until_ms > site_now_ms(site)) {
        site_tell_later(ask, host->down);
        return;
    }
    bool is_first = ask->is_first;
    ask->is_first = false;
    host_put(host, ask, is_first);
    site_pump(site);
}

/* When to open sessions. */

static bool is_patient(struct lane *lane)
{
    const struct ask *first = TAILQ_FIRST(&lane->queue);
    const struct ask *first_fresh = TAILQ_FIRST(&lane->fresh_queue);
    return (first == NULL || first->is_patient) && (first_fresh == NULL || first_fresh->is_patient);
}

static bool has_connection_for(const struct knocker *knocker, struct lane *lane)
{
    unsigned most = knocker->config.connections_max;
    return knocker->counts.talking < most - (is_patient(lane) ? most / KNOCKER_SPARE_PART : 0);
}

static void want_connection(struct site *site, struct lane *lane)
{
    struct site_list *hungry = &site->knocker->hungry;
    if (site->is_hungry) {
        TAILQ_REMOVE(hungry, site, hungry_link);
    }
    site->is_hungry = true;
    if (is_patient(lane)) {
        TAILQ_INSERT_TAIL(hungry, site, hungry_link);
    } else {
        TAILQ_INSERT_HEAD(hungry, site, hungry_link);
    }
}

static unsigned sessions_wanted(const struct lane *lane)
{
    unsigned shared =
        (lane->queued + TRAFFIC_QUEUE_PER_CONNECTION - 1) / TRAFFIC_QUEUE_PER_CONNECTION;
    unsigned serving = lane->talking < shared ? lane->talking : shared;
    if (lane->pacing > 0) {
        serving =
            shared; /* who waits for the pace serves the queue; one more would wait beside it */
    }
    unsigned wanted = lane->fresh_queued + shared - serving;
    return wanted > lane->connecting ? wanted - lane->connecting : 0;
}

static void wake_at(struct site *site, uint64_t traffic_ms)
{
    if (traffic_ms == TRAFFIC_NEVER) {
        return;
    }
    uint64_t due_ms = knocker_door_ms(site->knocker, traffic_ms);
    if (site->wake.place == 0 || due_ms < site->wake.due_ms) {
        door_timer_start(site->knocker->door, &site->wake, due_ms);
    }
}

/* A limit or a rest binds for longer than anybody waits: say so instead of holding the job. */
static void drop_queue(struct lane *lane)
{
    for (struct ask *ask = lane_first(lane); ask != NULL; ask = lane_first(lane)) {
        lane_remove(ask);
        ask->is_expired = true;
        ask->expired_why = SKIP_BUDGET;
        knocker_make_ready(ask);
    }
}

static void turn_away_queue(struct lane *lane, const struct traffic_choice *choice)
{
    struct evidence evidence = {
        .kind = EVIDENCE_CONNECT_REFUSED, /* none of our ways out reaches an address of it */
        .stage = HEL_SMTP_CONNECT,
        .at_ms = site_now_ms(lane->host->site),
        .class = {.scope = SCOPE_UNKNOWN, .reason = REASON_UNKNOWN, .rule = ""},
    };
    for (struct ask *ask = lane_first(lane); ask != NULL; ask = lane_first(lane)) {
        lane_remove(ask);
        if (choice->why == TRAFFIC_ALL_BLOCKED) {
            egress_turn_away(lane->host, ask, choice->at_ms);
        } else {
            site_tell_later(ask, &evidence);
        }
    }
}

/* Their way out was closed: they find another, or learn that there is none. */
static void move_queue(struct lane *lane)
{
    struct ask_list moving = TAILQ_HEAD_INITIALIZER(moving);
    for (struct ask *ask = lane_first(lane); ask != NULL; ask = lane_first(lane)) {
        lane_remove(ask);
        TAILQ_INSERT_TAIL(&moving, ask, link);
    }
    while (!TAILQ_EMPTY(&moving)) {
        struct ask *ask = TAILQ_FIRST(&moving);
        TAILQ_REMOVE(&moving, ask, link);
        host_put(lane->host, ask, false);
    }
    wake_at(lane->host->site, site_traffic_ms(lane->host->site)); /* lanes that were seen already */
}

/* True: a session may be opened, through that way out. */
static bool find_way(struct lane *lane, size_t *out_egress)
{
    struct site *site = lane->host->site;
    struct knocker *knocker = site->knocker;
    struct traffic_wish wish = egress_wish(lane->host, NULL);
    bool is_bound = lane != &lane->host->any;
    if (is_bound) {
        wish.keep = lane->egress;
    }
    uint64_t now = site_traffic_ms(site);
    uint64_t patience = now + knocker->config.queue_wait_ms_max;
    struct traffic_choice choice;
    traffic_pool_choose(&knocker->pool, &site->traffic, &wish, now, &choice);
    switch (choice.kind) {
    case TRAFFIC_GO:
    case TRAFFIC_WAIT:
        if (is_bound && choice.egress != lane->egress) {
            move_queue(lane);
            return false;
        }
        if (choice.kind == TRAFFIC_GO) {
            *out_egress = choice.egress;
            return true;
        }
        break;
    case TRAFFIC_NOBODY:
        if (choice.why == TRAFFIC_NO_FAMILY || choice.at_ms > patience) {
            turn_away_queue(lane, &choice);
            return false;
        }
        break;
    }
    if (choice.at_ms != TRAFFIC_NEVER && choice.at_ms > patience) {
        drop_queue(lane);
    } else {
        wake_at(site, choice.at_ms);
    }
    return false;
}

static void lane_pump(struct lane *lane)
{
    struct site *site = lane->host->site;
    struct knocker *knocker = site->knocker;
    size_t egress;
    for (unsigned wanted = sessions_wanted(lane); wanted > 0; wanted--) {
        if (!find_way(lane, &egress)) {
            return;
        }
        if (!has_connection_for(knocker, lane)) {
            want_connection(site, lane);
            return;
        }
        if (session_open(lane->host, egress) != ERR_NONE) {
            wake_at(site, site_traffic_ms(site) + 1000);
            return;
        }
    }
}

void site_pump(struct site *site)
{
    if (site->knocker->is_cancelled) {
        return;
    }
    for (struct host *host = site->hosts; host != NULL; host = host->next) {
        for (struct lane *lane = host->lanes; lane != NULL; lane = lane->next) {
            lane_pump(lane);
        }
        lane_pump(&host->any);
    }
}

void site_feed_hungry(struct knocker *knocker)
{
    while (!TAILQ_EMPTY(&knocker->hungry) &&
           knocker->counts.talking < knocker->config.connections_max) {
        struct site *site = TAILQ_FIRST(&knocker->hungry);
        TAILQ_REMOVE(&knocker->hungry, site, hungry_link);
        site->is_hungry = false;
        site_pump(site);
        if (site->is_hungry) {
            return;
        }
    }
}

void site_remove(struct ask *ask)
{
    if (ask->place == ASK_QUEUE) {
        lane_remove(ask);
        return;
    }
    if (ask->work->conversation == NULL) {
        return;
    }
    session_abandon(ask);
}
