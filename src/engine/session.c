/* engine/session: one conversation as its site sees it: gives it probes, learns from the answers, hands them to
 * their asks, and gives back what was lost with the line. Each limit is held as if all that is under way will be
 * refused, so a group of RCPTs that go out together never exceeds one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"
#include "verify/claim.h"

/* The provider's, unless the user chose one. */
static uint32_t usual_timeout_ms(const struct site *site, enum hel_smtp_stage stage)
{
    const struct knocker_config *config = &site->knocker->config;
    uint32_t own_ms = site->provider->timeout_ms[stage];
    bool is_fixed = (config->fixed_timeouts >> stage & 1) != 0;
    return own_ms == 0 || is_fixed ? config->timeout_ms[stage] : own_ms;
}

/* Limits that fall as the far end teaches, in this session or another. */
static void follow_limits(struct session *session)
{
    const struct site *site = session->host->site;
    const struct traffic_limits *limits = &site->traffic.limits;
    session->config.rcpts_per_transaction = limits->rcpts_per_transaction;
    session->config.pipelined_rcpts =
        site->knocker->config.keeps_transcript ? 1 : limits->pipelined_rcpts;
}

static struct ask *first_queued(const struct lane *lane)
{
    if (lane == NULL) {
        return NULL;
    }
    struct ask *fresh = TAILQ_FIRST(&lane->fresh_queue);
    return fresh != NULL ? fresh : TAILQ_FIRST(&lane->queue);
}

/* What a line says before it asks anything is seen by who will most likely be asked there. */
static void on_prelude(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct session *session = context;
    (void)t_ms; /* of the conversation; the question has its own beginning */
    struct ask *ask = first_queued(session->lane);
    ask = ask != NULL ? ask : first_queued(&session->host->any);
    if (ask == NULL || !ask->is_watched) {
        return;
    }
    uint32_t number = conversation_number(session->conversation);
    if (ask->work->prelude_told == 0 || ask->work->prelude_told == number) {
        ask->work->prelude_told = number;
        uint64_t since = door_now_ms(ask->knocker->door) - ask->asked_ms;
        ask_watched(ask, (uint32_t)since, direction, line);
    }
}

/* What is the way out's own, and what the far end taught. */
static void configure(struct session *session, size_t index)
{
    const struct site *site = session->host->site;
    const struct knocker *knocker = site->knocker;
    const struct traffic_egress *egress = egress_at(knocker, index);
    struct conversation_config *config = &session->config;
    *config = knocker->conversation;
    config->observe_prelude = config->keeps_prelude ? on_prelude : NULL;
    config->egress = (uint8_t)index;
    config->helo_name = egress->helo_name;
    config->mail_from = egress->mail_from;
    config->source_v4 = egress->source_v4;
    config->source_v6 = egress->source_v6;
    config->no_ipv4 = egress->no_ipv4;
    config->no_ipv6 = egress->no_ipv6;
    config->proxy = egress->proxy;
    config->needs_tls = !config->no_tls && (site->provider->traits & PROVIDER_NEEDS_TLS) != 0;
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        if (site->provider->timeout_ms[i] != 0) { /* else the user's are there, as all have them */
            config->timeout_ms[i] = usual_timeout_ms(site, (enum hel_smtp_stage)i);
        }
    }
    config->timeout_ms[HEL_SMTP_MAIL] =
        traffic_path_timeout_ms(session->path, config->timeout_ms[HEL_SMTP_MAIL]);
    config->timeout_ms[HEL_SMTP_RCPT] =
        traffic_path_timeout_ms(session->path, config->timeout_ms[HEL_SMTP_RCPT]);
    follow_limits(session);
}

void session_watch_budget(struct session *session, uint64_t until_ms)
{
    if (session->budget.place == 0 || until_ms < session->budget.due_ms) {
        door_timer_start(session->host->site->knocker->door, &session->budget, until_ms);
    }
}

/* One timer for all that are asked on this line, and not started anew for each. Giving one up is the last that is done
 * here, as the line is left with it: the next one whose budget is over has the next turn of the timer. */
static void on_budget(void *context)
{
    struct session *session = context;
    uint64_t now = site_now_ms(session->host->site);
    struct ask *over = NULL;
    struct ask *ask;
    TAILQ_FOREACH(ask, &session->asked, link)
    {
        uint64_t until_ms = ask->work->talk_until_ms;
        if (over == NULL && until_ms <= now) {
            over = ask;
        } else if (until_ms != UINT64_MAX) {
            session_watch_budget(session, until_ms);
        }
    }
    if (over != NULL) {
        ask_overspent(over);
    }
}

static enum err prepare(struct session *session, struct host *host, size_t egress)
{
    struct site *site = host->site;
    struct knocker *knocker = site->knocker;
    session->host = host;
    session->budget = (struct timer){.fired = on_budget, .context = session};
    TAILQ_INIT(&session->asked);
    TAILQ_INIT(&session->held);
    session->path =
        traffic_pool_path(&knocker->pool, &site->traffic, egress, site_traffic_ms(site));
    bool has_lanes = knocker->pool.count > 1;
    session->lane = has_lanes ? host_lane(host, egress) : NULL;
    if (session->path == NULL || (has_lanes && session->lane == NULL)) {
        return ERR_NOMEM;
    }
    configure(session, egress);
    return conversation_new(knocker->door, &session->config, &host->exchanger,
                            ++knocker->conversation_number, session, &session->conversation);
}

/* Sessions are counted where they serve: at the host, and in the lane of their way out. */
static void count(struct session *session, bool is_talking, bool is_more)
{
    struct lane *lanes[] = {&session->host->any, session->lane};
    for (size_t i = 0; i < 2 && lanes[i] != NULL; i++) {
        unsigned *counter = is_talking ? &lanes[i]->talking : &lanes[i]->connecting;
        *counter = is_more ? *counter + 1 : *counter - 1;
    }
}

void sessions_init(struct knocker *knocker)
{
    TAILQ_INIT(&knocker->sessions);
    pool_init(&knocker->spare_sessions, sizeof(struct session), KNOCKER_SPARE_SESSIONS);
    pool_init(&knocker->spare_conversations, conversation_bytes(), KNOCKER_SPARE_SESSIONS);
    knocker->conversation.spare = &knocker->spare_conversations;
}

void sessions_done(struct knocker *knocker)
{
    pool_done(&knocker->spare_sessions);
    pool_done(&knocker->spare_conversations);
}

enum err session_open(struct host *host, size_t egress)
{
    struct site *site = host->site;
    struct knocker *knocker = site->knocker;
    struct session *session = pool_take(&knocker->spare_sessions);
    if (session == NULL) {
        return ERR_NOMEM;
    }
    memset(session, 0, offsetof(struct session, config));
    enum err e = prepare(session, host, egress);
    if (e != ERR_NONE) {
        pool_give(&knocker->spare_sessions, session);
        return e;
    }
    if (host->avoids_tls && !session->config.needs_tls) {
        conversation_avoid_tls(session->conversation);
    }
    TAILQ_INSERT_TAIL(&knocker->sessions, session, link);
    count(session, false, true);
    site->open++;
    session->is_trial = traffic_path_opened(session->path, site_traffic_ms(site));
    struct knocker_counts *counts = &knocker->counts;
    counts->conversations++;
    counts->talking++;
    if (counts->talking > counts->talking_peak) {
        counts->talking_peak = counts->talking;
    }
    return ERR_NONE;
}

static struct ask *lane_next(struct lane *lane, bool is_unused)
{
    if (is_unused && !TAILQ_EMPTY(&lane->fresh_queue)) {
        return TAILQ_FIRST(&lane->fresh_queue);
    }
    return TAILQ_FIRST(&lane->queue);
}

/* Who must leave by this way comes first. */
static struct ask *next_ask(struct session *session, bool is_unused)
{
    struct ask *ask = session->lane == NULL ? NULL : lane_next(session->lane, is_unused);
    return ask != NULL ? ask : lane_next(&session->host->any, is_unused);
}

static void set_pacing(struct session *session, bool is_pacing)
{
    struct lane *lanes[] = {&session->host->any, session->lane};
    for (size_t i = 0; i < 2 && lanes[i] != NULL && session->is_pacing != is_pacing; i++) {
        lanes[i]->pacing = is_pacing ? lanes[i]->pacing + 1 : lanes[i]->pacing - 1;
    }
    session->is_pacing = is_pacing;
}

static bool has_transaction_left(const struct session *session,
                                 const struct conversation_probe *probe)
{
    return conversation_has_transaction(
        session->conversation, probe,
        session->host->site->traffic.limits.transactions_per_connection);
}

/* The next probe of this session; NULL: there is none, limits end the session here, or what is left of them is for
 * the closing control, which those under way may come to need. */
static struct ask *choose_ask(struct session *session, unsigned rcpts, unsigned refusals)
{
    bool may_hold = !TAILQ_EMPTY(&session->held) || !TAILQ_EMPTY(&session->asked);
    unsigned reserved = may_hold && held_has_control(session) ? 1 : 0;
    if (session->is_suspect ||
        !traffic_path_may_ask(session->path, session->is_trial, rcpts + reserved, refusals)) {
        return NULL;
    }
    struct ask *ask = next_ask(session, rcpts == 0 && !session->asked_any);
    if (ask != NULL && !ask_begin(ask)) {
        site_remove(ask);
        ask_expire(ask, SKIP_BUDGET);
        return NULL;
    }
    return ask != NULL && has_transaction_left(session, &ask->work->probe) ? ask : NULL;
}

static bool may_close(const struct session *session, unsigned rcpts, unsigned refusals)
{
    const struct ask *last = TAILQ_LAST(&session->held, ask_list);
    return last != NULL && !session->is_suspect && held_has_control(session) &&
           traffic_path_may_ask(session->path, session->is_trial, rcpts, refusals) &&
           has_transaction_left(session, &last->work->probe);
}

static const struct conversation_probe *begin_ask(struct session *session, struct ask *ask)
{
    struct site *site = session->host->site;
    lane_remove(ask);
    ask_link(ask, &session->asked, ASK_ASKED, false);
    session->asked_any = true;
    ask->work->probe.provider = site->provider->name;
    if (ask->keeps_transcript) {
        ask->work->probe.transcript = &ask->work->transcript;
        ask->work->probe.was_prelude_told =
            site->knocker->config.observe != NULL || !ask->is_watched ||
            ask->work->prelude_told == conversation_number(session->conversation);
    }
    ask_talks(ask, session);
    return &ask->work->probe;
}

static void count_asked(struct session *session, const struct conversation_probe *probe)
{
    struct site *site = session->host->site;
    traffic_path_asked(session->path, site_traffic_ms(site));
    site->knocker->counts.probes++;
    site->knocker->counts.control_probes += probe->role == PROBE_REAL ? 0 : 1;
}

/* A record's transcript is one address's own dialogue. */
static bool is_single(const struct ask *ask)
{
    return ask->keeps_transcript;
}

static const struct conversation_probe *on_wants_another(void *context, struct conversation *c,
                                                         unsigned rcpts, unsigned refusals)
{
    struct session *session = context;
    uint64_t now = site_traffic_ms(session->host->site);
    if (session->closing != NULL ||
        !traffic_path_may_pipeline(session->path, session->is_trial, now)) {
        return NULL;
    }
    struct ask *ask = choose_ask(session, rcpts, refusals);
    const struct ask *last = TAILQ_LAST(&session->asked, ask_list);
    if (ask == NULL || !conversation_fits(c, &ask->work->probe) || is_single(ask) ||
        (last != NULL && is_single(last))) {
        return NULL;
    }
    const struct conversation_probe *probe = begin_ask(session, ask);
    count_asked(session, probe);
    return probe;
}

static const struct conversation_probe *on_wants_probe(void *context, struct conversation *c,
                                                       unsigned rcpts, unsigned refusals)
{
    struct session *session = context;
    struct site *site = session->host->site;
    uint64_t now = site_traffic_ms(site);
    follow_limits(session);
    struct ask *ask = choose_ask(session, rcpts, refusals);
    bool has_probe = ask != NULL || may_close(session, rcpts, refusals);
    uint64_t ask_at = traffic_path_ask_at(session->path, now);
    bool waits = has_probe && ask_at > now && ask_at <= now + KNOCKER_IDLE_MS_MAX;
    set_pacing(session, waits);
    if (waits) {
        conversation_ask_again_at(c, knocker_door_ms(site->knocker, ask_at));
        return NULL;
    }
    const struct conversation_probe *probe = NULL;
    if (has_probe && ask_at <= now) {
        probe = ask != NULL ? begin_ask(session, ask) : held_closing(session);
    }
    if (probe == NULL && session->has_vindicated) {
        session->has_vindicated = false;
        conversation_ask_again_at(c, site_now_ms(site));
        return NULL;
    }
    if (probe == NULL) {
        held_release_all(session, false);
        return NULL;
    }
    count_asked(session, probe);
    return probe;
}

/* How sure a block is about this way out. Where the null sender is refused the other one is asked with first. */
static enum traffic_word word_of_block(const struct session *session,
                                       const struct evidence *evidence)
{
    if (evidence->is_null_sender && session->config.mail_from.len > 0 &&
        evidence->stage >= HEL_SMTP_MAIL) {
        return TRAFFIC_WORD_NONE;
    }
    const struct site *site = session->host->site;
    enum block_kind kind = evidence->class.block_kind;
    bool is_our_address = kind == BLOCK_IP_LIST || kind == BLOCK_IP_REPUTATION;
    if (is_our_address && site->traffic.limits.cooldown_ms > 0) {
        return TRAFFIC_WORD_BLOCK_CERTAIN; /* known to hold it against an address for so long */
    }
    if (evidence->stage < HEL_SMTP_RCPT) {
        return site->has_one_host ? TRAFFIC_WORD_BLOCK_CERTAIN : TRAFFIC_WORD_BLOCK_LIKELY;
    }
    switch (kind) {
    case BLOCK_IP_LIST:
    case BLOCK_IP_REPUTATION:
    case BLOCK_HELO:
    case BLOCK_PTR:
    case BLOCK_GEO: return TRAFFIC_WORD_BLOCK_LIKELY;
    case BLOCK_NONE:
    case BLOCK_SENDER:
    case BLOCK_SPF_DKIM_DMARC:
    case BLOCK_POLICY: break;
    }
    return TRAFFIC_WORD_BLOCK_VAGUE;
}

/* What an answer says about us. */
static enum traffic_word word_of(const struct session *session, const struct evidence *evidence)
{
    enum claim claim = claim_of(evidence);
    if (claim == CLAIM_BLOCKED) {
        return word_of_block(session, evidence);
    }
    if (claim == CLAIM_RATED) {
        return TRAFFIC_WORD_RATE;
    }
    if (claim == CLAIM_LOCAL && evidence->stage == HEL_SMTP_CONNECT) {
        return TRAFFIC_WORD_NO_WAY;
    }
    if (evidence->kind != EVIDENCE_REPLY) {
        return TRAFFIC_WORD_NONE;
    }
    if (evidence->code == 421 || (evidence->stage < HEL_SMTP_MAIL && evidence->code < 500)) {
        return TRAFFIC_WORD_BUSY;
    }
    bool is_own_trouble = claim == CLAIM_TEMPORARY || claim == CLAIM_BROKEN;
    return evidence->stage == HEL_SMTP_RCPT && !is_own_trouble ? TRAFFIC_WORD_GOOD
                                                               : TRAFFIC_WORD_NONE;
}

/* A session or transaction that is cut says nothing but that. */
static enum traffic_word word_at_end(const struct session *session, enum probe_end end,
                                     const struct evidence *evidence)
{
    return end == PROBE_END_ANSWERED ? word_of(session, evidence) : TRAFFIC_WORD_NONE;
}

static bool is_about_us(enum traffic_word word)
{
    return word >= TRAFFIC_WORD_RATE;
}

/* Another way out for what this one is not let ask. A server of one's own that asks for patience gets it. */
static bool has_other(const struct session *session, uint64_t shun, enum traffic_word word)
{
    struct site *site = session->host->site;
    if (!is_about_us(word) || (word == TRAFFIC_WORD_RATE && !site->traffic.is_shared_system)) {
        return false;
    }
    struct traffic_wish wish = egress_wish(session->host, NULL);
    wish.shun = shun | UINT64_C(1) << session->config.egress;
    return traffic_pool_has_well(&site->knocker->pool, &site->traffic, &wish,
                                 site_traffic_ms(site));
}

/* A refusal; or asked and never answered: a server that holds its refusals back has counted that one too. */
static bool is_invalid(const struct evidence *evidence)
{
    if (evidence->kind != EVIDENCE_REPLY) {
        return evidence->kind == EVIDENCE_TIMEOUT || evidence->kind == EVIDENCE_DISCONNECTED;
    }
    return evidence->code >= 500 ||
           (evidence->code >= 400 && evidence->class.reason == REASON_MAILBOX_UNKNOWN);
}

/* The line was lost with others under way behind the oldest, or the group was not borne in another way. */
static bool has_broken_group(const struct session *session, enum probe_end end,
                             const struct evidence *evidence)
{
    const struct ask *first = TAILQ_FIRST(&session->asked);
    bool has_behind = first != NULL && TAILQ_NEXT(first, link) != NULL;
    return end == PROBE_END_GROUP_BROKEN || (has_behind && evidence->kind == EVIDENCE_DISCONNECTED);
}

/* What was under way when somebody was told to slow down could not heed it any more: one complaint, not several. */
static bool is_echo(const struct session *session, enum traffic_word word, bool is_behind)
{
    return is_behind && word == TRAFFIC_WORD_RATE && session->last_word == TRAFFIC_WORD_RATE;
}

/* What an answer teaches about the site and the way there. */
static void learn(struct session *session, struct slice rcpt, enum probe_end end,
                  const struct evidence *evidence, unsigned transaction_rcpts)
{
    struct site *site = session->host->site;
    uint64_t now = evidence->at_ms; /* told later, where others of its group were awaited */
    bool is_behind = now - evidence->latency_ms < session->answered_ms;
    enum traffic_word word = word_at_end(session, end, evidence);
    struct traffic_answer answer = {
        .word = is_echo(session, word, is_behind) ? TRAFFIC_WORD_NONE : word,
        .is_trial = session->is_trial,
        .is_invalid = end == PROBE_END_GROUP_BROKEN || is_invalid(evidence),
        .is_timeout = evidence->kind == EVIDENCE_TIMEOUT,
        .is_later = evidence->code == 421,
        .is_behind = is_behind,
        .latency_ms = is_behind ? (uint32_t)(now - session->answered_ms) : evidence->latency_ms,
        .usual_ms = usual_timeout_ms(site, HEL_SMTP_RCPT),
        .hint_s = evidence->class.retry_after_s,
    };
    session->answered_ms = now;
    session->last_word = word;
    if (traffic_path_answered(session->path, &answer, site_traffic_ms(site))) {
        egress_closed(site, evidence, rcpt);
    }
    /* Once it is decided, this is a conversation like others: later words of it are no trial's. */
    session->is_trial = session->is_trial && session->path->health.state == TRAFFIC_TRYING;
    if (end == PROBE_END_SESSION_CUT) {
        traffic_site_session_cut(&site->traffic, evidence->session_rcpts);
    } else if (end == PROBE_END_TRANSACTION_CUT) {
        traffic_site_transaction_cut(&site->traffic, transaction_rcpts);
    }
    if (has_broken_group(session, end, evidence)) {
        traffic_site_pipeline_broke(&site->traffic, site_traffic_ms(site));
    }
}

static void keep_line(struct ask *ask, const struct conversation_line *line, uint8_t egress)
{
    ask->work->was_tried = true;
    ask->work->line.egress = egress;
    ask->work->line.host = line->host;
    ask->work->line.ip = line->ip;
    ask->work->line.extensions = line->extensions;
    memcpy(ask->work->line.latency_ms, line->latency_ms, sizeof ask->work->line.latency_ms);
    ask->work->line.is_secured = line->tls_used;
    if (line->tls == NULL) {
        return;
    }
    if (ask->work->line.tls == NULL) {
        ask->work->line.tls = malloc(sizeof *ask->work->line.tls);
    }
    if (ask->work->line.tls != NULL) {
        *ask->work->line.tls = *line->tls;
    }
}

static void end_asking(struct session *session, struct ask *ask)
{
    TAILQ_REMOVE(&session->asked, ask, link);
    ask->place = ASK_NOWHERE;
    ask_talked(ask);
}

static void on_ask_probed(struct session *session, struct conversation *c, struct ask *ask,
                          enum probe_end end, const struct evidence *evidence)
{
    enum traffic_word word = word_at_end(session, end, evidence);
    end_asking(session, ask);
    bool is_given_up = ask->left > 0; /* its answer still counts for the site */
    if (end != PROBE_END_ANSWERED && ask->requeues < KNOCKER_REQUEUES_MAX && !is_given_up) {
        ask->requeues++;
        lane_put(ask->lane, ask, true);
        return;
    }
    struct conversation_line line;
    conversation_line(c, &line);
    if (ask->work->probe.role == PROBE_REAL) {
        keep_line(ask, &line, session->config.egress);
    } else {
        ask->work->line.latency_control_ms = evidence->latency_ms;
    }
    ask->egress = session->config.egress;
    ask->is_first = true; /* its next probe, if any, goes on this line */
    held_judge(session, evidence);
    if (has_other(session, ask->work->shun, word)) {
        struct evidence told;
        evidence_copy(&told, evidence);
        told.has_other_egress = true;
        ask_told(ask, &told);
    } else if (!held_keep(session, ask, evidence)) {
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

static void on_probed(void *context, struct conversation *c, const struct conversation_probe *probe,
                      enum probe_end end, const struct evidence *evidence,
                      unsigned transaction_rcpts)
{
    struct session *session = context;
    struct host *host = session->host;
    struct ask *ask = TAILQ_FIRST(&session->asked);
    must(probe == (ask != NULL ? &ask->work->probe : session->closing));
    learn(session, probe->rcpt, end, evidence, transaction_rcpts);
    host->lost_in_a_row = 0;
    host->avoids_tls = host->avoids_tls || conversation_broke_tls(c);
    if (ask != NULL) {
        on_ask_probed(session, c, ask, end, evidence);
    } else {
        on_closing_probed(session, evidence);
    }
}

static bool is_refused_connection(const struct evidence *evidence)
{
    return evidence->kind == EVIDENCE_CONNECT_REFUSED || evidence->kind == EVIDENCE_CONNECT_TIMEOUT;
}

/* Every probe before this host gets the same answer: asking again for each would be rude and slow. */
static void tell_lane(struct lane *lane, const struct evidence *evidence)
{
    for (struct ask *ask = lane_first(lane); ask != NULL; ask = lane_first(lane)) {
        lane_remove(ask);
        ask_was_tried(ask, lane->host, evidence);
        site_tell_later(ask, evidence);
    }
}

static void tell_queues(struct host *host, const struct evidence *evidence)
{
    tell_lane(&host->any, evidence);
    for (struct lane *lane = host->lanes; lane != NULL; lane = lane->next) {
        tell_lane(lane, evidence);
    }
}

/* Words, and the way there, are each egress's own; a machine that does not answer is everybody's. */
static bool others_are_up(const struct session *session, const struct evidence *evidence)
{
    bool is_own = evidence->kind == EVIDENCE_REPLY || evidence->kind == EVIDENCE_LOCAL;
    unsigned open = is_own ? session->path->open : session->host->site->open;
    return open > 1 && session->host->any.talking > 0;
}

/* Where all others came by other ways and this machine does not answer, it is this way that does not lead there. */
static void one_too_many(struct session *session, const struct evidence *evidence)
{
    bool is_unserved = session->lane != NULL && session->lane->talking == 0;
    if (!is_unserved || evidence->kind == EVIDENCE_REPLY) {
        traffic_path_crowded(session->path);
        return;
    }
    struct site *site = session->host->site;
    struct traffic_answer answer = {.word = TRAFFIC_WORD_NO_WAY, .is_trial = session->is_trial};
    if (traffic_path_failed(session->path, &answer, site_traffic_ms(site))) {
        egress_closed(site, evidence, SLICE_NONE);
    }
}

/* Without memory for what was said, the next address finds it out anew. */
static void believe_down(struct host *host, const struct evidence *evidence, uint64_t until_ms)
{
    if (host->down == NULL) {
        host->down = malloc(sizeof *host->down);
    }
    if (host->down != NULL) {
        evidence_copy(host->down, evidence);
        host->down_until_ms = until_ms;
    }
}

/* A machine that does not answer may be behind a wall on this way only: before it is called down, every other way
 * out that is well has a try. */
static bool tries_another_way(const struct session *session, const struct evidence *evidence)
{
    struct host *host = session->host;
    struct site *site = host->site;
    if (site->knocker->pool.count < 2 || !is_refused_connection(evidence)) {
        return false;
    }
    uint64_t now = site_now_ms(site);
    host->unreached = (host->unreached_until_ms > now ? host->unreached : 0) |
                      UINT64_C(1) << session->config.egress;
    host->unreached_until_ms = now + KNOCKER_DOWN_MS;
    struct traffic_wish wish = egress_wish(host, NULL);
    return traffic_pool_has_well(&site->knocker->pool, &site->traffic, &wish,
                                 site_traffic_ms(site));
}

static void on_failed(void *context, struct conversation *c, const struct evidence *evidence)
{
    struct session *session = context;
    struct host *host = session->host;
    uint64_t now = site_now_ms(host->site);
    host->avoids_tls = host->avoids_tls || conversation_broke_tls(c);
    if (is_refused_connection(evidence)) {
        host->site->knocker->counts.connects_failed++;
    }
    bool is_reply = evidence->kind == EVIDENCE_REPLY;
    bool is_temporary = is_reply && evidence->code < 500;
    host->lost_in_a_row++;
    if (others_are_up(session, evidence) && host->lost_in_a_row < KNOCKER_FAILURES_MAX &&
        (is_temporary || !is_reply)) {
        one_too_many(session, evidence); /* the others serve the queue */
        return;
    }
    enum traffic_word word = word_of(session, evidence);
    struct traffic_answer answer = {
        .word = word,
        .is_trial = session->is_trial,
        .is_later = is_temporary,
        .hint_s = evidence->class.retry_after_s,
    };
    if (traffic_path_failed(session->path, &answer, site_traffic_ms(host->site))) {
        egress_closed(host->site, evidence, SLICE_NONE);
    }
    host->lost_in_a_row = 0;
    if (has_other(session, 0, word) || tries_another_way(session, evidence)) {
        return; /* which serves the queue */
    }
    host->unreached = 0;
    if (!is_temporary && evidence->kind != EVIDENCE_LOCAL) {
        believe_down(host, evidence, now + KNOCKER_DOWN_MS);
    }
    tell_queues(host, evidence);
}

static void on_ready(void *context, struct conversation *c, struct slice banner)
{
    struct session *session = context;
    struct host *host = session->host;
    (void)c;
    session->is_ready = true;
    count(session, false, false);
    count(session, true, true);
    struct knocker *knocker = host->site->knocker;
    knocker->counts.connects_good++;
    site_recognise(host->site, banner);
}

/* What was asked will not be heard: for all we know it was a refusal. */
static void count_unheard(struct session *session)
{
    struct traffic_answer unheard = {.is_trial = session->is_trial, .is_invalid = true};
    (void)traffic_path_answered(session->path, &unheard, site_traffic_ms(session->host->site));
}

void session_abandon(struct ask *ask)
{
    struct session *session = conversation_context(ask->work->conversation);
    end_asking(session, ask);
    count_unheard(session);
    conversation_leave(session->conversation);
}

/* The line ended without a word about this probe: ask again elsewhere, or say that we could not. Where it answered
 * others before, that costs no try: those behind were not reached, and the work got on all the same. */
static void give_back(struct session *session, struct ask *ask)
{
    struct host *host = session->host;
    bool had_answers = session->answered_ms != 0;
    end_asking(session, ask);
    count_unheard(session);
    if (had_answers || ask->requeues < KNOCKER_REQUEUES_MAX) {
        ask->requeues = (uint8_t)(ask->requeues + (had_answers ? 0 : 1));
        lane_put(ask->lane, ask, true);
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
    struct site *site = session->host->site;
    struct knocker *knocker = site->knocker;
    (void)c;
    while (!TAILQ_EMPTY(&session->asked)) {
        give_back(session, TAILQ_LAST(&session->asked, ask_list)); /* each goes before the last */
    }
    if (session->closing != NULL) {
        count_unheard(session);
        held_closed(session);
    }
    door_timer_stop(knocker->door, &session->budget);
    set_pacing(session, false);
    held_release_all(session, false);
    count(session, session->is_ready, false);
    TAILQ_REMOVE(&knocker->sessions, session, link);
    traffic_path_closed(session->path, session->is_trial, site_traffic_ms(site));
    knocker->counts.talking--;
    site->open--;
    pool_give(&knocker->spare_sessions, session);
    egress_keep(site);
    site_pump(site);
    site_feed_hungry(knocker);
    knocker_settle(knocker);
}

static void on_connecting(void *context)
{
    struct session *session = context;
    struct knocker *knocker = session->host->site->knocker;
    if (knocker_learn(knocker, KNOWLEDGE_LISTS)) {
        session->config.rules = knowledge_rules(knocker->knowledge);
    }
    if (knocker->counts.conversations == 1) {
        knocker_flush(knocker); /* the first claim: a disk may take as long as a peer */
    }
}

const struct conversation_handler session_handler = {
    .connecting = on_connecting,
    .wants_probe = on_wants_probe,
    .wants_another = on_wants_another,
    .probed = on_probed,
    .failed = on_failed,
    .ready = on_ready,
    .closed = on_closed,
};
