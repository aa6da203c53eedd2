/* engine/session: one conversation as its site sees it: gives it probes, learns from the answers, hands them to
 * their asks, and gives back what was lost with the line.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/knocker_private.h"

enum err session_open(struct host *host)
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
    if (host->avoids_tls && !site->conversation.needs_tls) {
        conversation_avoid_tls(session->conversation);
    }
    TAILQ_INSERT_TAIL(&knocker->sessions, session, link);
    host->connecting++;
    traffic_site_opened(&site->traffic, site_now_ms(site));
    struct knocker_counts *counts = &knocker->counts;
    counts->conversations++;
    counts->talking++;
    if (counts->talking > counts->talking_peak) {
        counts->talking_peak = counts->talking;
    }
    return ERR_NONE;
}

static struct ask *next_ask(struct host *host, bool is_unused)
{
    if (is_unused && !TAILQ_EMPTY(&host->fresh_queue)) {
        return TAILQ_FIRST(&host->fresh_queue);
    }
    return TAILQ_FIRST(&host->queue);
}

static void set_pacing(struct session *session, bool is_pacing)
{
    if (session->is_pacing && !is_pacing) {
        session->host->pacing--;
    } else if (!session->is_pacing && is_pacing) {
        session->host->pacing++;
    }
    session->is_pacing = is_pacing;
}

static bool has_transaction_left(const struct session *session,
                                 const struct conversation_probe *probe)
{
    return conversation_transactions(session->conversation, probe) <=
           session->host->site->traffic.limits.transactions_per_connection;
}

/* The next probe of this session; NULL: there is none, the site's limits end the session here, or what is left of
 * them is for the closing control. */
static struct ask *choose_ask(struct session *session, unsigned rcpts, unsigned refusals)
{
    struct host *host = session->host;
    const struct traffic_site *traffic = &host->site->traffic;
    unsigned reserved = TAILQ_EMPTY(&session->held) ? 0 : 1;
    if (session->is_suspect || !traffic_session_may_ask(traffic, rcpts + reserved, refusals)) {
        return NULL;
    }
    struct ask *ask = next_ask(host, rcpts == 0 && !session->asked_any);
    return ask != NULL && has_transaction_left(session, &ask->probe) ? ask : NULL;
}

static bool may_close(const struct session *session, unsigned rcpts, unsigned refusals)
{
    const struct ask *last = TAILQ_LAST(&session->held, ask_list);
    return last != NULL && !session->is_suspect &&
           traffic_session_may_ask(&session->host->site->traffic, rcpts, refusals) &&
           has_transaction_left(session, &last->probe);
}

static const struct conversation_probe *begin_ask(struct session *session, struct ask *ask)
{
    struct site *site = session->host->site;
    host_queue_remove(ask);
    session->ask = ask;
    session->asked_any = true;
    ask->probe.provider = site->provider->name;
    if (site->knocker->config.keeps_transcript) {
        ask->probe.transcript = &ask->transcript;
    }
    ask_talks(ask, session->conversation);
    return &ask->probe;
}

static const struct conversation_probe *on_wants_probe(void *context, struct conversation *c,
                                                       unsigned rcpts, unsigned refusals)
{
    struct session *session = context;
    struct site *site = session->host->site;
    uint64_t now = site_now_ms(site);
    struct ask *ask = choose_ask(session, rcpts, refusals);
    bool has_probe = ask != NULL || may_close(session, rcpts, refusals);
    uint64_t ask_at = traffic_site_ask_at(&site->traffic, now);
    bool waits = has_probe && ask_at > now && ask_at <= now + KNOCKER_IDLE_MS_MAX;
    set_pacing(session, waits);
    if (waits) {
        conversation_ask_again_at(c, ask_at);
        return NULL;
    }
    const struct conversation_probe *probe = NULL;
    if (has_probe && ask_at <= now) {
        probe = ask != NULL ? begin_ask(session, ask) : held_closing(session);
    }
    if (probe == NULL && session->has_vindicated) {
        session->has_vindicated = false;
        conversation_ask_again_at(c, now);
        return NULL;
    }
    if (probe == NULL) {
        held_release_all(session, false);
        return NULL;
    }
    traffic_site_asked(&site->traffic, now);
    site->knocker->counts.probes++;
    site->knocker->counts.control_probes += probe->role == PROBE_REAL ? 0 : 1;
    return probe;
}

/* Asked and never answered: a server that holds its refusals back has counted this one all the same. */
static bool is_unheard(const struct evidence *evidence)
{
    return evidence->kind == EVIDENCE_TIMEOUT || evidence->kind == EVIDENCE_DISCONNECTED;
}

/* About our rate; or, where the provider is known to cool down, about the reputation of our address. */
static bool asks_for_rest(const struct traffic_site *traffic, const struct evidence *evidence)
{
    bool is_blocked = evidence->class.reason == REASON_POLICY_BLOCKED &&
                      (evidence->class.block_kind == BLOCK_IP_LIST ||
                       evidence->class.block_kind == BLOCK_IP_REPUTATION);
    return evidence->code == 421 || evidence->class.reason == REASON_RATE_LIMITED ||
           (is_blocked && traffic->limits.cooldown_ms > 0);
}

/* What an answer teaches about the site's patience. */
static void learn(struct session *session, enum probe_end end, const struct evidence *evidence,
                  unsigned transaction_rcpts)
{
    struct traffic_site *traffic = &session->host->site->traffic;
    uint64_t now = site_now_ms(session->host->site);
    bool is_reply = evidence->kind == EVIDENCE_REPLY;
    bool is_invalid =
        is_reply ? evidence->code >= 400 &&
                       (evidence->code >= 500 || evidence->class.reason == REASON_MAILBOX_UNKNOWN)
                 : is_unheard(evidence);
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
    if (is_reply && asks_for_rest(traffic, evidence)) {
        traffic_site_slowed(traffic, now, evidence->class.retry_after_s);
    } else if (is_reply && evidence->code < 300) {
        traffic_site_went_well(traffic);
    }
}

static void keep_line(struct ask *ask, const struct conversation_line *line)
{
    ask->was_tried = true;
    ask->line.host = line->host;
    ask->line.ip = line->ip;
    ask->line.extensions = line->extensions;
    memcpy(ask->line.latency_ms, line->latency_ms, sizeof ask->line.latency_ms);
    ask->line.is_secured = line->tls_used;
    if (line->tls == NULL) {
        return;
    }
    if (ask->line.tls == NULL) {
        ask->line.tls = malloc(sizeof *ask->line.tls);
    }
    if (ask->line.tls != NULL) {
        *ask->line.tls = *line->tls;
    }
}

static void on_ask_probed(struct session *session, struct conversation *c, enum probe_end end,
                          const struct evidence *evidence)
{
    struct ask *ask = session->ask;
    session->ask = NULL;
    ask_talked(ask);
    if (end != PROBE_END_ANSWERED && ask->requeues < KNOCKER_REQUEUES_MAX) {
        ask->requeues++;
        host_queue_put(session->host, ask, true);
        return;
    }
    struct conversation_line line;
    conversation_line(c, &line);
    if (ask->probe.role == PROBE_REAL) {
        keep_line(ask, &line);
    } else {
        ask->line.latency_control_ms = evidence->latency_ms;
    }
    ask->is_first = true; /* its next probe, if any, goes on this line */
    held_judge(session, evidence);
    if (!held_keep(session, ask, evidence)) {
        ask_told(ask, evidence);
    }
}

/* A session that did not refuse a name that cannot exist tells nothing any more. */
static void on_closing_probed(struct session *session, const struct evidence *evidence)
{
    held_closed(session);
    held_judge(session, evidence);
    session->is_suspect = !TAILQ_EMPTY(&session->held);
    held_release_all(session, false);
}

static void on_probed(void *context, struct conversation *c, enum probe_end end,
                      const struct evidence *evidence, unsigned transaction_rcpts)
{
    struct session *session = context;
    struct host *host = session->host;
    if (session->ask == NULL && session->closing == NULL) {
        return; /* it was given up meanwhile */
    }
    learn(session, end, evidence, transaction_rcpts);
    host->lost_in_a_row = 0;
    host->avoids_tls = host->avoids_tls || conversation_broke_tls(c);
    if (session->closing != NULL) {
        on_closing_probed(session, evidence);
    } else {
        on_ask_probed(session, c, end, evidence);
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
            host_queue_remove(ask);
            ask->line.host = host->exchanger.host;
            ask->was_tried = true;
            ask->line.ip = evidence->ip;
            site_tell_later(ask, evidence);
        }
    }
}

static void on_failed(void *context, struct conversation *c, const struct evidence *evidence)
{
    struct session *session = context;
    struct host *host = session->host;
    struct traffic_site *traffic = &host->site->traffic;
    uint64_t now = site_now_ms(host->site);
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
    if (is_temporary || (is_reply && asks_for_rest(traffic, evidence))) {
        traffic_site_slowed(traffic, now, evidence->class.retry_after_s);
    }
    if (!is_temporary && evidence->kind != EVIDENCE_LOCAL) {
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
    site_recognise(host->site, banner);
}

/* The line ended without a word about its probe: ask again elsewhere, or say that we could not. */
static void give_back(struct session *session)
{
    struct ask *ask = session->ask;
    struct host *host = session->host;
    session->ask = NULL;
    traffic_site_answered(&host->site->traffic, true,
                          site_now_ms(host->site)); /* for all we know */
    ask_talked(ask);
    if (ask->requeues < KNOCKER_REQUEUES_MAX) {
        ask->requeues++;
        host_queue_put(host, ask, true);
        return;
    }
    struct evidence evidence = {
        .kind = EVIDENCE_LOCAL,
        .at_ms = site_now_ms(host->site),
        .class = {.scope = SCOPE_UNKNOWN, .reason = REASON_UNKNOWN, .rule = ""}};
    site_tell_later(ask, &evidence);
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
    if (session->closing != NULL) {
        traffic_site_answered(&site->traffic, true, site_now_ms(site)); /* for all we know */
        held_closed(session);
    }
    set_pacing(session, false);
    held_release_all(session, false);
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

const struct conversation_handler session_handler = {
    .wants_probe = on_wants_probe,
    .probed = on_probed,
    .failed = on_failed,
    .ready = on_ready,
    .closed = on_closed,
};
