/* engine/site: the queues of probes before the hosts of a site, and when a conversation is opened for them,
 * within the site's limits. How many, how fast and when is traffic/site's decision; what happens in a conversation
 * is engine/session's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"

static void on_wake(void *context)
{
    site_pump(context);
}

static struct traffic_limits limits_of(const struct knocker *knocker,
                                       const struct provider *provider)
{
    const struct knocker_config *config = &knocker->config;
    struct traffic_ceilings ceilings = {config->per_site_max, config->rcpts_per_connection,
                                        config->invalids_per_hour};
    return traffic_limits_of(provider, &ceilings);
}

static void set_timeouts(struct site *site)
{
    const struct knocker_config *config = &site->knocker->config;
    for (unsigned i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        uint32_t own_ms = site->provider->timeout_ms[i];
        bool is_fixed = (config->fixed_timeouts >> i & 1) != 0;
        site->conversation.timeout_ms[i] = own_ms == 0 || is_fixed ? config->timeout_ms[i] : own_ms;
    }
}

void site_recognise(struct site *site, struct slice banner)
{
    const struct provider_book *book = knowledge_providers(site->knocker->knowledge);
    if (site->provider != provider_by_host(book, SLICE_NONE)) {
        return; /* its name told already */
    }
    const struct provider *seen = provider_by_banner(book, banner);
    if (seen != NULL) {
        struct traffic_limits limits = limits_of(site->knocker, seen);
        traffic_site_tighten(&site->traffic, &limits);
        site->provider = seen;
        set_timeouts(site);
    }
}

enum err site_get(struct knocker *knocker, const struct route *route,
                  const struct provider *provider, struct site **out)
{
    char key[TRAFFIC_KEY_BYTES];
    traffic_site_key(route, provider, key);
    struct site *site = map_find(&knocker->sites, slice_of(key));
    if (site != NULL) {
        *out = site;
        return ERR_NONE;
    }
    site = calloc(1, sizeof *site);
    if (site == NULL) {
        return ERR_NOMEM;
    }
    memcpy(site->key, key, sizeof key);
    site->knocker = knocker;
    site->provider = provider;
    const struct knocker_config *config = &knocker->config;
    struct traffic_limits limits = limits_of(knocker, provider);
    traffic_site_init(&site->traffic, &limits);
    site->conversation = (struct conversation_config){
        .handler = &session_handler,
        .helo_name = config->helo_name,
        .mail_from = config->verify.mail_from,
        .port = config->port,
        .source_v4 = config->source_v4,
        .source_v6 = config->source_v6,
        .proxy = config->proxy.kind == PROXY_NONE ? NULL : &config->proxy,
        .no_tls = config->no_tls,
        .needs_tls = !config->no_tls && (provider->traits & PROVIDER_NEEDS_TLS) != 0,
        .keeps_transcript = config->keeps_transcript,
        .observe = config->observe,
        .observe_context = config->observe_context,
        .rules = knowledge_rules(knocker->knowledge),
        .memo = knocker->memo,
    };
    set_timeouts(site);
    site->wake = (struct timer){.fired = on_wake, .context = site};
    if (map_put(&knocker->sites, slice_of(site->key), site) != ERR_NONE) {
        free(site);
        return ERR_NOMEM;
    }
    *out = site;
    return ERR_NONE;
}

void site_free(struct site *site)
{
    door_timer_stop(site->knocker->door, &site->wake);
    if (site->is_hungry) {
        TAILQ_REMOVE(&site->knocker->hungry, site, hungry_link);
    }
    struct host *host = site->hosts;
    while (host != NULL) {
        struct host *next = host->next;
        free(host);
        host = next;
    }
    free(site);
}

static struct host *host_get(struct site *site, const struct exchanger *exchanger)
{
    for (struct host *host = site->hosts; host != NULL; host = host->next) {
        if (strcmp(host->exchanger.host, exchanger->host) == 0) {
            host->exchanger = *exchanger; /* the newest addresses */
            return host;
        }
    }
    struct host *host = calloc(1, sizeof *host);
    if (host == NULL) {
        return NULL;
    }
    host->site = site;
    host->exchanger = *exchanger;
    TAILQ_INIT(&host->queue);
    TAILQ_INIT(&host->fresh_queue);
    host->next = site->hosts;
    site->hosts = host;
    return host;
}

void site_tell_later(struct ask *ask, const struct evidence *evidence)
{
    struct evidence *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        ask->is_expired = true;
        ask->expired_why = SKIP_BUDGET;
        knocker_make_ready(ask);
        return;
    }
    *copy = *evidence;
    copy->role = ask->probe.role;
    copy->exchanger = ask->probe.exchanger;
    copy->is_null_sender = ask->probe.is_null_sender;
    ask->pending = copy;
    knocker_make_ready(ask);
}

void host_queue_put(struct host *host, struct ask *ask, bool is_first)
{
    ask->host = host;
    if (ask->wants_fresh) {
        ask_link(ask, &host->fresh_queue, ASK_QUEUE, is_first);
        host->fresh_queued++;
    } else {
        ask_link(ask, &host->queue, ASK_QUEUE, is_first);
        host->queued++;
    }
}

void host_queue_remove(struct ask *ask)
{
    must(ask->place == ASK_QUEUE);
    struct host *host = ask->host;
    if (ask->wants_fresh) {
        TAILQ_REMOVE(&host->fresh_queue, ask, link);
        host->fresh_queued--;
    } else {
        TAILQ_REMOVE(&host->queue, ask, link);
        host->queued--;
    }
    ask->place = ASK_NOWHERE;
}

void site_enqueue(struct site *site, struct ask *ask, const struct exchanger *exchanger)
{
    struct host *host = host_get(site, exchanger);
    if (host == NULL) {
        ask_expire(ask, SKIP_BUDGET);
        return;
    }
    if (host->down_until_ms > site_now_ms(site)) {
        site_tell_later(ask, &host->down);
        return;
    }
    bool is_first = ask->is_first;
    ask->is_first = false;
    host_queue_put(host, ask, is_first);
    site_pump(site);
}

/* When to open sessions. */

static void want_connection(struct site *site)
{
    if (!site->is_hungry) {
        site->is_hungry = true;
        TAILQ_INSERT_TAIL(&site->knocker->hungry, site, hungry_link);
    }
}

static unsigned sessions_wanted(const struct host *host)
{
    unsigned shared =
        (host->queued + KNOCKER_QUEUE_PER_CONNECTION - 1) / KNOCKER_QUEUE_PER_CONNECTION;
    unsigned serving = host->talking < shared ? host->talking : shared;
    if (host->pacing > 0) {
        serving =
            shared; /* who waits for the pace serves the queue; one more would wait beside it */
    }
    unsigned wanted = host->fresh_queued + shared - serving;
    return wanted > host->connecting ? wanted - host->connecting : 0;
}

static void wake_at(struct site *site, uint64_t at_ms)
{
    if (at_ms != TRAFFIC_NEVER) {
        door_timer_start(site->knocker->door, &site->wake, at_ms);
    }
}

/* A limit or a rest binds for longer than anybody waits: say so instead of holding the job. */
static void drop_queue(struct host *host)
{
    struct ask_list *lists[] = {&host->fresh_queue, &host->queue};
    for (size_t i = 0; i < 2; i++) {
        while (!TAILQ_EMPTY(lists[i])) {
            struct ask *ask = TAILQ_FIRST(lists[i]);
            host_queue_remove(ask);
            ask->is_expired = true;
            ask->expired_why = SKIP_BUDGET;
            knocker_make_ready(ask);
        }
    }
}

static void host_pump(struct host *host)
{
    struct site *site = host->site;
    struct knocker *knocker = site->knocker;
    unsigned wanted = sessions_wanted(host);
    while (wanted > 0) {
        uint64_t now = site_now_ms(site);
        uint64_t ask_at = traffic_site_ask_at(&site->traffic, now);
        uint64_t connect_at = traffic_site_connect_at(&site->traffic, now);
        uint64_t too_late = now + knocker->config.queue_wait_ms_max;
        if ((ask_at != TRAFFIC_NEVER && ask_at > too_late) ||
            (connect_at != TRAFFIC_NEVER && connect_at > too_late)) {
            drop_queue(host);
            return;
        }
        uint64_t at = ask_at > connect_at ? ask_at : connect_at;
        if (at > now) {
            wake_at(site, at);
            return;
        }
        if (knocker->counts.talking >= knocker->config.connections_max) {
            want_connection(site);
            return;
        }
        if (session_open(host) != ERR_NONE) {
            wake_at(site, now + 1000);
            return;
        }
        wanted--;
    }
}

void site_pump(struct site *site)
{
    if (site->knocker->is_cancelled) {
        return;
    }
    for (struct host *host = site->hosts; host != NULL; host = host->next) {
        host_pump(host);
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
        host_queue_remove(ask);
        return;
    }
    if (ask->conversation == NULL) {
        return;
    }
    struct session *session = conversation_context(ask->conversation);
    session->ask = NULL;
    /* Its answer will not be heard: it may have been a refusal. */
    traffic_site_answered(&session->host->site->traffic, true, site_now_ms(session->host->site));
    ask_talked(ask);
    conversation_leave(session->conversation);
}
