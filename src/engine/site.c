/* engine/site: the queues of probes before the hosts of a site, and the conversations that serve them
 * within the site's limits. How many, how fast and when is traffic/site's decision.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"
#include "verify/claim.h"

static const struct conversation_handler session_handler;

static uint64_t now_ms(const struct site *site)
{
    return door_now_ms(site->knocker->door);
}

static void on_wake(void *context)
{
    site_pump(context);
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
    struct traffic_ceilings ceilings = {config->per_site_max, config->rcpts_per_connection};
    struct traffic_limits limits = traffic_limits_of(provider, &ceilings);
    if (config->invalids_per_hour != 0) {
        limits.invalids_per_hour = config->invalids_per_hour;
    }
    traffic_site_init(&site->traffic, &limits);
    site->conversation = (struct conversation_config){
        .handler = &session_handler,
        .helo_name = config->helo_name,
        .mail_from = config->verify.mail_from,
        .port = config->port,
        .source_v4 = config->source_v4,
        .source_v6 = config->source_v6,
        .no_tls = config->no_tls,
        .keeps_transcript = config->keeps_transcript,
        .observe = config->observe,
        .observe_context = config->observe_context,
        .rules = knowledge_rules(knocker->knowledge),
    };
    memcpy(site->conversation.timeout_ms, config->timeout_ms, sizeof config->timeout_ms);
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

/* Gives an ask evidence in the next turn instead of asking. */
static void tell_later(struct ask *ask, const struct evidence *evidence)
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

static void queue_put(struct host *host, struct ask *ask, bool is_first)
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

static void queue_remove(struct ask *ask)
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
    if (host->down_until_ms > now_ms(site)) {
        tell_later(ask, &host->down);
        return;
    }
    bool is_first = ask->is_first;
    ask->is_first = false;
    queue_put(host, ask, is_first);
    site_pump(site);
}

/* Opening and feeding sessions. */

static void want_connection(struct site *site)
{
    if (!site->is_hungry) {
        site->is_hungry = true;
        TAILQ_INSERT_TAIL(&site->knocker->hungry, site, hungry_link);
    }
}

static enum err session_open(struct host *host)
{
    struct site *site = host->site;
    struct knocker *knocker = site->knocker;
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        return ERR_NOMEM;
    }
    session->host = host;
    TAILQ_INIT(&session->held);
    site->conversation.rcpts_per_transaction = site->traffic.limits.rcpts_per_transaction;
    enum err e = conversation_new(knocker->door, &site->conversation, &host->exchanger,
                                  ++knocker->conversation_number, session, &session->conversation);
    if (e != ERR_NONE) {
        free(session);
        return e;
    }
    if (host->avoids_tls) {
        conversation_avoid_tls(session->conversation);
    }
    TAILQ_INSERT_TAIL(&knocker->sessions, session, link);
    host->connecting++;
    traffic_site_opened(&site->traffic, now_ms(site));
    struct knocker_counts *counts = &knocker->counts;
    counts->conversations++;
    counts->talking++;
    if (counts->talking > counts->talking_peak) {
        counts->talking_peak = counts->talking;
    }
    return ERR_NONE;
}

static unsigned sessions_wanted(const struct host *host)
{
    unsigned shared =
        (host->queued + KNOCKER_QUEUE_PER_CONNECTION - 1) / KNOCKER_QUEUE_PER_CONNECTION;
    unsigned serving = host->talking < shared ? host->talking : shared;
    unsigned wanted = host->fresh_queued + shared - serving;
    return wanted > host->connecting ? wanted - host->connecting : 0;
}

static void wake_at(struct site *site, uint64_t at_ms)
{
    if (at_ms != TRAFFIC_NEVER) {
        door_timer_start(site->knocker->door, &site->wake, at_ms);
    }
}

/* The hourly limit binds for longer than anybody waits: say so instead of holding the job. */
static void drop_queue(struct host *host)
{
    struct ask_list *lists[] = {&host->fresh_queue, &host->queue};
    for (size_t i = 0; i < 2; i++) {
        while (!TAILQ_EMPTY(lists[i])) {
            struct ask *ask = TAILQ_FIRST(lists[i]);
            queue_remove(ask);
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
        uint64_t now = now_ms(site);
        uint64_t ask_at = traffic_site_ask_at(&site->traffic, now);
        uint64_t connect_at = traffic_site_connect_at(&site->traffic, now);
        if (ask_at != TRAFFIC_NEVER && ask_at > now + knocker->config.queue_wait_ms_max) {
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

static struct ask *next_ask(struct host *host, bool is_unused)
{
    if (is_unused && !TAILQ_EMPTY(&host->fresh_queue)) {
        return TAILQ_FIRST(&host->fresh_queue);
    }
    return TAILQ_FIRST(&host->queue);
}

void site_release_held(struct ask *ask, bool is_vindicated)
{
    struct evidence *evidence = ask->held;
    ask->held = NULL;
    evidence->is_vindicated = is_vindicated;
    ask->pending = evidence;
    knocker_make_ready(ask);
}

static void release_all_held(struct session *session, bool is_vindicated)
{
    while (!TAILQ_EMPTY(&session->held)) {
        site_release_held(TAILQ_FIRST(&session->held), is_vindicated);
    }
}

/* False: no need, or no memory. */
static bool hold(struct session *session, struct ask *ask, const struct evidence *evidence)
{
    bool is_accepted = evidence->kind == EVIDENCE_REPLY && evidence->stage == HEL_SMTP_RCPT &&
                       evidence->code >= 200 && evidence->code < 300;
    if (ask->probe.role != PROBE_REAL || !is_accepted || ask->is_expired ||
        !claim_is_distrusted(evidence, session->host->site->provider)) {
        return false;
    }
    ask->held = malloc(sizeof *ask->held);
    if (ask->held == NULL) {
        return false;
    }
    *ask->held = *evidence;
    ask->holder = session;
    ask_unlink(ask);
    ask_link(ask, &session->held, ASK_HELD, false);
    return true;
}

static bool is_plain_refusal(const struct evidence *evidence)
{
    return evidence->kind == EVIDENCE_REPLY && evidence->stage == HEL_SMTP_RCPT &&
           evidence->code >= 500 && evidence->class.scope == SCOPE_MAILBOX &&
           evidence->class.reason == REASON_MAILBOX_UNKNOWN;
}

static const struct conversation_probe *on_wants_probe(void *context, struct conversation *c,
                                                       unsigned rcpts, unsigned refusals)
{
    struct session *session = context;
    struct host *host = session->host;
    struct site *site = host->site;
    uint64_t now = now_ms(site);
    if (!traffic_session_may_ask(&site->traffic, rcpts, refusals)) {
        release_all_held(session, false);
        return NULL;
    }
    struct ask *ask = next_ask(host, rcpts == 0 && !session->asked_any);
    if (ask == NULL || traffic_site_ask_at(&site->traffic, now) > now) {
        release_all_held(session, false);
        return NULL;
    }
    queue_remove(ask);
    session->ask = ask;
    session->asked_any = true;
    ask->probe.provider = site->provider->name;
    if (site->knocker->config.keeps_transcript) {
        ask->probe.transcript = &ask->transcript;
    }
    traffic_site_asked(&site->traffic);
    ask_talks(ask, c);
    site->knocker->counts.probes++;
    site->knocker->counts.control_probes += ask->probe.role == PROBE_REAL ? 0 : 1;
    return &ask->probe;
}

/* What an answer teaches about the site's patience. */
static void learn(struct session *session, enum probe_end end, const struct evidence *evidence,
                  unsigned transaction_rcpts)
{
    struct traffic_site *traffic = &session->host->site->traffic;
    uint64_t now = now_ms(session->host->site);
    bool is_reply = evidence->kind == EVIDENCE_REPLY;
    bool is_invalid = is_reply && evidence->code >= 400 &&
                      (evidence->code >= 500 || evidence->class.reason == REASON_MAILBOX_UNKNOWN);
    traffic_site_answered(traffic, is_invalid, now);
    if (end == PROBE_END_SESSION_CUT) {
        traffic_site_session_cut(traffic, evidence->session_rcpts);
        return;
    }
    if (end == PROBE_END_TRANSACTION_CUT) {
        traffic_site_transaction_cut(traffic, transaction_rcpts);
        session->host->site->conversation.rcpts_per_transaction =
            traffic->limits.rcpts_per_transaction;
        return;
    }
    if (is_reply && (evidence->code == 421 || evidence->class.reason == REASON_RATE_LIMITED)) {
        traffic_site_slowed(traffic, now, evidence->class.retry_after_s);
    } else if (is_reply && evidence->code < 300) {
        traffic_site_went_well(traffic);
    }
}

static void on_probed(void *context, struct conversation *c, enum probe_end end,
                      const struct evidence *evidence, unsigned transaction_rcpts)
{
    struct session *session = context;
    struct ask *ask = session->ask;
    struct host *host = session->host;
    if (ask == NULL) {
        return; /* it was given up meanwhile */
    }
    session->ask = NULL;
    learn(session, end, evidence, transaction_rcpts);
    host->lost_in_a_row = 0;
    host->avoids_tls = host->avoids_tls || conversation_broke_tls(c);
    ask_talked(ask);
    if (end != PROBE_END_ANSWERED && ask->requeues < KNOCKER_REQUEUES_MAX) {
        ask->requeues++;
        queue_put(host, ask, true);
        return;
    }
    struct conversation_line line;
    conversation_line(c, &line);
    if (ask->probe.role == PROBE_REAL) {
        ask->was_tried = true;
        memcpy(ask->line_host, line.host, strlen(line.host) + 1);
        ask->line.ip = line.ip;
        ask->line.tls_used = line.tls_used;
        ask->line.extensions = line.extensions;
        memcpy(ask->line.latency_ms, line.latency_ms, sizeof ask->line.latency_ms);
        if (line.tls != NULL) {
            ask->tls = *line.tls;
        }
    } else {
        ask->line.latency_control_ms = evidence->latency_ms;
    }
    ask->is_first = true; /* its next probe, if any, goes on this line */
    if (is_plain_refusal(evidence)) {
        release_all_held(session, true);
    }
    if (!hold(session, ask, evidence)) {
        ask_told(ask, evidence);
    }
}

static bool others_are_up(const struct session *session)
{
    const struct site *site = session->host->site;
    return site->traffic.open > 1;
}

static bool is_refused_connection(const struct evidence *evidence)
{
    return evidence->kind == EVIDENCE_CONNECT_REFUSED || evidence->kind == EVIDENCE_CONNECT_TIMEOUT;
}

/* Every probe before this host gets the same answer: asking again for each would be rude and slow. */
static void tell_queue(struct host *host, const struct evidence *evidence)
{
    struct ask_list *lists[] = {&host->fresh_queue, &host->queue};
    for (size_t i = 0; i < 2; i++) {
        while (!TAILQ_EMPTY(lists[i])) {
            struct ask *ask = TAILQ_FIRST(lists[i]);
            queue_remove(ask);
            memcpy(ask->line_host, host->exchanger.host, strlen(host->exchanger.host) + 1);
            ask->was_tried = true;
            ask->line.ip = evidence->ip;
            tell_later(ask, evidence);
        }
    }
}

static void on_failed(void *context, struct conversation *c, const struct evidence *evidence)
{
    struct session *session = context;
    struct host *host = session->host;
    struct traffic_site *traffic = &host->site->traffic;
    uint64_t now = now_ms(host->site);
    host->avoids_tls = host->avoids_tls || conversation_broke_tls(c);
    if (is_refused_connection(evidence)) {
        host->site->knocker->counts.connects_failed++;
    }
    bool is_reply = evidence->kind == EVIDENCE_REPLY;
    bool is_temporary = is_reply && evidence->code < 500;
    host->lost_in_a_row++;
    if (others_are_up(session) && host->talking > 0 && host->lost_in_a_row < KNOCKER_FAILURES_MAX &&
        (is_temporary || !is_reply)) {
        traffic_site_crowded(traffic); /* one too many: the others serve the queue */
        return;
    }
    if (is_temporary) {
        traffic_site_slowed(traffic, now, evidence->class.retry_after_s);
    } else if (evidence->kind != EVIDENCE_LOCAL) {
        host->down_until_ms = now + KNOCKER_DOWN_MS;
        host->down = *evidence;
    }
    host->lost_in_a_row = 0;
    tell_queue(host, evidence);
}

static void on_ready(void *context, struct conversation *c, struct slice banner)
{
    struct session *session = context;
    struct host *host = session->host;
    (void)c;
    session->is_ready = true;
    host->connecting--;
    host->talking++;
    struct knocker *knocker = host->site->knocker;
    knocker->counts.connects_good++;
    if (host->site->provider->class == PROVIDER_SELFHOSTED) {
        const struct provider *seen =
            provider_by_banner(knowledge_providers(knocker->knowledge), banner);
        if (seen != NULL) {
            host->site->provider = seen;
        }
    }
}

/* The line ended without a word about its probe: ask again elsewhere, or say that we could not. */
static void give_back(struct session *session)
{
    struct ask *ask = session->ask;
    struct host *host = session->host;
    session->ask = NULL;
    traffic_site_answered(&host->site->traffic, false, now_ms(host->site));
    ask_talked(ask);
    if (ask->requeues < KNOCKER_REQUEUES_MAX) {
        ask->requeues++;
        queue_put(host, ask, true);
        return;
    }
    struct evidence evidence = {
        .kind = EVIDENCE_LOCAL,
        .at_ms = now_ms(host->site),
        .class = {.scope = SCOPE_UNKNOWN, .reason = REASON_UNKNOWN, .rule = ""}};
    tell_later(ask, &evidence);
}

static void on_closed(void *context, struct conversation *c)
{
    struct session *session = context;
    struct host *host = session->host;
    struct site *site = host->site;
    struct knocker *knocker = site->knocker;
    (void)c;
    if (session->ask != NULL) {
        give_back(session);
    }
    release_all_held(session, false);
    if (session->is_ready) {
        host->talking--;
    } else {
        host->connecting--;
    }
    TAILQ_REMOVE(&knocker->sessions, session, link);
    traffic_site_closed(&site->traffic);
    knocker->counts.talking--;
    free(session);
    site_pump(site);
    site_feed_hungry(knocker);
    knocker_settle(knocker);
}

static const struct conversation_handler session_handler = {
    .wants_probe = on_wants_probe,
    .probed = on_probed,
    .failed = on_failed,
    .ready = on_ready,
    .closed = on_closed,
};

void site_remove(struct ask *ask)
{
    if (ask->place == ASK_QUEUE) {
        queue_remove(ask);
        return;
    }
    if (ask->conversation == NULL) {
        return;
    }
    struct session *session = conversation_context(ask->conversation);
    session->ask = NULL;
    traffic_site_answered(&session->host->site->traffic, false, now_ms(session->host->site));
    ask_talked(ask);
    conversation_leave(session->conversation);
}
