/* The line of a conversation: connecting, securing, moving bytes, leaving.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/conversation.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/conversation_private.h"
#include "net/proxy.h"

static void connect_next(struct conversation *c);
static void pump(struct conversation *c);
static bool flush(struct conversation *c);

static uint64_t now_ms(const struct conversation *c)
{
    return door_now_ms(c->door);
}

static void destroy(struct conversation *c)
{
    door_timer_stop(c->door, &c->alarm);
    link_close(c->link);
    hel_smtp_client_free(c->client);
    transcript_done(&c->prelude);
    free(c->early);
    conversation_forget(c);
    c->handler->closed(c->context, c);
    if (c->spare != NULL) {
        pool_give(c->spare, c);
    } else {
        free(c);
    }
}

/* Where what is said now is recorded; NULL: nowhere. */
static struct transcript *transcript_of(struct conversation *c)
{
    if (!c->is_recorded) {
        return NULL;
    }
    const struct conversation_probe *probe = conversation_asked(c);
    if (probe != NULL && probe->transcript != NULL) {
        return probe->transcript;
    }
    bool is_watched = c->config->keeps_transcript || c->config->observe != NULL;
    bool is_prelude = c->config->keeps_prelude && probe == NULL && c->transactions == 0;
    return is_watched || is_prelude ? &c->prelude : NULL;
}

static void record(struct conversation *c, char direction, struct slice line)
{
    struct transcript *transcript = transcript_of(c);
    if (transcript != NULL) {
        transcript_add(transcript, now_ms(c), direction, line);
    }
}

static void record_bytes(struct conversation *c, char direction, struct slice bytes)
{
    struct transcript *transcript = transcript_of(c);
    if (transcript != NULL) {
        transcript_add_bytes(transcript, now_ms(c), direction, bytes);
    }
}

static void note(struct conversation *c, const char *text)
{
    record(c, 'T', slice_of(text));
}

void conversation_evidence_init(const struct conversation *c, enum evidence_kind kind,
                                enum hel_smtp_stage stage, struct evidence *out)
{
    uint64_t now = now_ms(c);
    const struct conversation_probe *probe = conversation_asked(c);
    memset(out, 0, offsetof(struct evidence, text));
    out->role = probe == NULL ? PROBE_REAL : probe->role;
    out->kind = kind;
    out->stage = stage;
    out->exchanger = probe == NULL ? 0 : probe->exchanger;
    out->egress = c->config->egress;
    out->is_null_sender = probe != NULL && (probe->is_null_sender || c->config->mail_from.len == 0);
    out->ip = c->ip;
    out->at_ms = now;
    out->class =
        (struct classification){.scope = SCOPE_UNKNOWN, .reason = REASON_UNKNOWN, .rule = ""};
    out->session = c->number;
    out->session_rcpts = (uint16_t)(c->rcpts < UINT16_MAX ? c->rcpts : UINT16_MAX);
    out->session_refusals = (uint16_t)(c->refusals < UINT16_MAX ? c->refusals : UINT16_MAX);
    out->latency_ms =
        (uint32_t)(now - (probe == NULL ? c->stage_began_ms : c->questions[c->answered].asked_ms));
    out->text[0] = '\0';
}

static void copy_text(char *to, size_t room, struct slice text)
{
    size_t len = text.len < room - 1 ? text.len : room - 1;
    if (len > 0) {
        memcpy(to, text.at, len);
    }
    to[len] = '\0';
    for (size_t i = strlen(to); i < len; i += strlen(to + i)) {
        to[i] = ' ';
    }
}

void conversation_evidence_reply(const struct conversation *c, enum hel_smtp_stage stage,
                                 const struct hel_reply *reply, struct evidence *out)
{
    conversation_evidence_init(c, EVIDENCE_REPLY, stage, out);
    out->code = reply->code;
    out->enhanced = reply->enhanced;
    out->has_mixed_codes = reply->has_mixed_codes;
    copy_text(out->text, sizeof out->text, reply->text);
    char source[IP_TEXT_BYTES];
    const struct ip *own = c->ip.family == IP_V6 ? &c->config->source_v6 : &c->config->source_v4;
    struct slice own_words[2] = {c->config->helo_name, SLICE_NONE};
    size_t own_count = 1;
    if (own->family != IP_NONE) {
        own_words[own_count++] = slice_of(ip_format(own, source));
    }
    const struct conversation_probe *probe = conversation_asked(c);
    struct classify_question question = {
        .stage = stage,
        .provider = probe == NULL ? SLICE_NONE : probe->provider,
        .reply = reply,
        .own_words = own_words,
        .own_word_count = own_count,
        .rcpt = probe == NULL ? SLICE_NONE : probe->rcpt,
        .memo = c->config->memo,
    };
    out->class = rules_classify(c->config->rules, &question);
}

static void set_alarm(struct conversation *c, uint64_t at_ms)
{
    if (at_ms == UINT64_MAX) {
        door_timer_stop(c->door, &c->alarm);
    } else if (c->alarm.place == 0 || c->alarm.due_ms != at_ms) {
        door_timer_start(c->door, &c->alarm, at_ms);
    }
}

/* While it talks, an alarm that comes early does no harm: it looks again. So one is set for the few that come, not for each
 * command. */
static void set_alarm_by(struct conversation *c, uint64_t at_ms)
{
    if (c->alarm.place == 0 || at_ms == UINT64_MAX || at_ms < c->alarm.due_ms) {
        set_alarm(c, at_ms);
    }
}

static void give_up(struct conversation *c, enum evidence_kind kind, enum hel_smtp_stage stage,
                    const char *text)
{
    struct evidence evidence;
    conversation_evidence_init(c, kind, stage, &evidence);
    copy_text(evidence.text, sizeof evidence.text, slice_of(text));
    c->state = CONVERSATION_OVER;
    c->handler->failed(c->context, c, &evidence);
}

/* Drops the present line and client; the next address or a plain line follows. */
static void drop_line(struct conversation *c)
{
    link_close(c->link);
    c->link = NULL;
    hel_smtp_client_free(c->client);
    c->client = NULL;
    c->tls_used = false;
}

static void on_broken_tls(struct conversation *c, const char *detail)
{
    const char *text = detail == NULL || detail[0] == '\0' ? "TLS handshake failed" : detail;
    note(c, text);
    c->broke_tls = true;
    if (c->config->needs_tls) {
        give_up(c, EVIDENCE_TLS_FAILED, HEL_SMTP_STARTTLS, text);
        return;
    }
    c->avoids_tls = true;
    drop_line(c);
    c->next_address--; /* the same address again, in plain */
    connect_next(c);
}

static void open_client(struct conversation *c)
{
    struct hel_smtp_client_config config = {.helo_name = c->config->helo_name};
    memcpy(config.timeout_ms, c->config->timeout_ms, sizeof config.timeout_ms);
    enum err e = hel_smtp_client_new(&config, now_ms(c), &c->client);
    if (e != ERR_NONE) {
        give_up(c, EVIDENCE_LOCAL, HEL_SMTP_CONNECT,
                e == ERR_SYNTAX ? "the EHLO name is not usable" : "out of memory");
    }
}

static void stage_passed(struct conversation *c, enum hel_smtp_stage stage)
{
    uint64_t now = now_ms(c);
    c->latency_ms[stage] = (uint32_t)(now - c->stage_began_ms);
    c->stage_began_ms = now;
}

static void finish_if_over(struct conversation *c)
{
    if (c->state == CONVERSATION_OVER) {
        destroy(c);
    }
}

static void note_connected(struct conversation *c)
{
    if (transcript_of(c) == NULL) {
        return;
    }
    char text[IP_TEXT_BYTES + PROXY_NAME_BYTES + 32];
    char ip[IP_TEXT_BYTES];
    char name[PROXY_NAME_BYTES] = "";
    const struct proxy *proxy = c->config->proxy;
    (void)snprintf(text, sizeof text, "connected to %s%s%s", ip_format(&c->ip, ip),
                   proxy == NULL ? "" : " through ",
                   proxy == NULL ? "" : proxy_describe(proxy, name));
    note(c, text);
}

static void on_connected(void *context)
{
    struct conversation *c = context;
    note_connected(c);
    stage_passed(c, HEL_SMTP_CONNECT);
    c->state = CONVERSATION_TALKING;
    open_client(c);
    pump(c);
}

/* The first line of the greeting names the software and often the provider. It may come in pieces. */
static void keep_banner(struct conversation *c, struct slice bytes)
{
    if (c->has_banner) {
        return;
    }
    size_t end = slice_find_byte(bytes, '\n', 0);
    size_t room = sizeof c->banner - c->banner_len;
    size_t len = end < room ? end : room;
    memcpy(c->banner + c->banner_len, bytes.at, len);
    c->banner_len += len;
    c->has_banner = end < bytes.len || len == room;
}

static void on_received(void *context, struct slice bytes)
{
    struct conversation *c = context;
    if (c->client == NULL || c->state == CONVERSATION_OVER) {
        return;
    }
    record_bytes(c, 'S', bytes);
    keep_banner(c, bytes);
    hel_smtp_client_received(c->client, bytes, now_ms(c));
    pump(c);
}

static void on_secured(void *context, const struct tls_info *info)
{
    struct conversation *c = context;
    c->tls = *info;
    c->tls_used = true;
    c->state = CONVERSATION_TALKING;
    stage_passed(c, HEL_SMTP_STARTTLS);
    note(c, info->version);
    hel_smtp_client_tls_ready(c->client, now_ms(c));
    pump(c);
}

static void on_unconnected(struct conversation *c, enum link_end why, const char *detail)
{
    note(c, detail);
    if (why == LINK_END_LOCAL) {
        c->had_local_trouble = true;
        copy_text(c->trouble, sizeof c->trouble, slice_of(detail));
    }
    if (why == LINK_END_PROXY) {
        give_up(c, EVIDENCE_LOCAL, HEL_SMTP_CONNECT, detail); /* the next address fares no better */
    } else {
        connect_next(c);
    }
}

static void on_ended(void *context, enum link_end why, const char *detail)
{
    struct conversation *c = context;
    switch (c->state) {
    case CONVERSATION_CONNECTING:
        on_unconnected(c, why, detail == NULL ? "connection failed" : detail);
        break;
    case CONVERSATION_HANDSHAKING: on_broken_tls(c, detail); break;
    case CONVERSATION_TALKING:
        hel_smtp_client_peer_closed(c->client);
        pump(c);
        return;
    case CONVERSATION_LEAVING: c->state = CONVERSATION_OVER; break;
    case CONVERSATION_OVER: break;
    }
    finish_if_over(c);
}

static const struct link_handler line_handler = {
    .connected = on_connected,
    .received = on_received,
    .secured = on_secured,
    .ended = on_ended,
};

static bool is_out_of_reach(const struct conversation *c, const struct ip *ip)
{
    return ip->family == IP_V6 ? c->config->no_ipv6 : c->config->no_ipv4;
}

static void connect_next(struct conversation *c)
{
    drop_line(c);
    const struct exchanger *exchanger = c->exchanger;
    while (c->next_address < exchanger->address_count &&
           is_out_of_reach(c, &exchanger->addresses[c->next_address])) {
        c->next_address++;
    }
    if (c->next_address >= c->exchanger->address_count) {
        enum evidence_kind kind = c->had_timeout         ? EVIDENCE_CONNECT_TIMEOUT
                                  : c->had_local_trouble ? EVIDENCE_LOCAL
                                                         : EVIDENCE_CONNECT_REFUSED;
        give_up(c, kind, HEL_SMTP_CONNECT, kind == EVIDENCE_LOCAL ? c->trouble : "");
        return;
    }
    c->ip = c->exchanger->addresses[c->next_address++];
    c->state = CONVERSATION_CONNECTING;
    c->stage_began_ms = now_ms(c);
    struct link_request request = {
        .ip = c->ip,
        .port = c->config->port,
        .source = c->ip.family == IP_V6 ? c->config->source_v6 : c->config->source_v4,
        .proxy = c->config->proxy,
        /* Less than the alarm below: a silent proxy is not to be taken for a silent host. */
        .proxy_limit_ms = c->config->timeout_ms[HEL_SMTP_CONNECT] / 2,
    };
    c->link = door_connect(c->door, &request, &line_handler, c);
    if (c->link == NULL) {
        give_up(c, EVIDENCE_LOCAL, HEL_SMTP_CONNECT, "out of memory");
        return;
    }
    set_alarm(c, now_ms(c) + c->config->timeout_ms[HEL_SMTP_CONNECT]);
    if (c->handler->connecting != NULL) {
        c->handler->connecting(c->context);
    }
}

static void say_quit_blind(struct conversation *c)
{
    /* The dialogue is out of step, the line is up: say goodbye without waiting for an answer. */
    if (c->link != NULL && link_send(c->link, SLICE("QUIT\r\n")) == ERR_NONE) {
        record(c, 'C', SLICE("QUIT"));
    }
}

static void on_alarm(void *context)
{
    struct conversation *c = context;
    switch (c->state) {
    case CONVERSATION_CONNECTING:
        if (c->link == NULL) { /* the first turn of the loop after conversation_new */
            connect_next(c);
            break;
        }
        c->had_timeout = true;
        note(c, "connect timed out");
        connect_next(c);
        break;
    case CONVERSATION_HANDSHAKING: on_broken_tls(c, "TLS handshake timed out"); break;
    case CONVERSATION_TALKING:
        hel_smtp_client_tick(c->client, now_ms(c));
        if (c->ask_again_ms != 0 && now_ms(c) >= c->ask_again_ms) {
            conversation_ask_next(c);
        }
        pump(c);
        return;
    case CONVERSATION_LEAVING: c->state = CONVERSATION_OVER; break;
    case CONVERSATION_OVER: break;
    }
    finish_if_over(c);
}

size_t conversation_bytes(void)
{
    return sizeof(struct conversation) +
           CONVERSATION_SPARE_QUESTIONS * sizeof(struct conversation_question);
}

enum err conversation_new(struct door *door, const struct conversation_config *config,
                          const struct exchanger *exchanger, uint32_t number, void *context,
                          struct conversation **out)
{
    struct pool *spare =
        config->pipelined_rcpts <= CONVERSATION_SPARE_QUESTIONS ? config->spare : NULL;
    struct conversation *c =
        spare != NULL ? pool_take(spare)
                      : malloc(sizeof *c + config->pipelined_rcpts * sizeof c->questions[0]);
    if (c == NULL) {
        return ERR_NOMEM;
    }
    memset(c, 0, offsetof(struct conversation, transaction_domain));
    c->trouble[0] = '\0';
    c->under_way_max = config->pipelined_rcpts;
    c->spare = spare;
    c->door = door;
    c->config = config;
    c->exchanger = exchanger;
    c->number = number;
    c->handler = config->handler;
    c->context = context;
    c->avoids_tls = config->no_tls;
    c->alarm.fired = on_alarm;
    c->alarm.context = c;
    bool has_observer = config->observe != NULL;
    c->is_recorded = config->keeps_transcript || config->keeps_prelude || has_observer;
    transcript_init(&c->prelude, now_ms(c),
                    has_observer ? config->observe : config->observe_prelude,
                    has_observer ? config->observe_context : context);
    c->state = CONVERSATION_CONNECTING;
    set_alarm(c, now_ms(c));
    *out = c;
    return ERR_NONE;
}

void conversation_avoid_tls(struct conversation *c)
{
    c->avoids_tls = true;
    c->broke_tls = true;
}

void conversation_ask_again_at(struct conversation *c, uint64_t at_ms)
{
    c->ask_again_ms = at_ms;
}

bool conversation_broke_tls(const struct conversation *c)
{
    return c->broke_tls;
}

void conversation_go(struct conversation *c)
{
    if (c->state == CONVERSATION_LEAVING || c->state == CONVERSATION_OVER) {
        return;
    }
    bool is_up = c->state == CONVERSATION_TALKING && c->client != NULL;
    bool is_in_step = is_up && c->under_way == 0;
    c->state = CONVERSATION_LEAVING;
    uint32_t wait_ms = 0;
    if (is_in_step && hel_smtp_client_quit(c->client, TAG_QUIT) == ERR_NONE) {
        wait_ms = c->config->timeout_ms[HEL_SMTP_QUIT];
    } else if (is_up) {
        say_quit_blind(c);
    }
    set_alarm(c, now_ms(c) + wait_ms);
}

void conversation_leave(struct conversation *c)
{
    conversation_go(c);
    if (c->client != NULL && c->link != NULL) {
        (void)flush(c); /* there is nobody left to tell */
    }
    conversation_forget(c);
}

void conversation_drop(struct conversation *c)
{
    c->state = CONVERSATION_OVER;
    destroy(c);
}

static void start_tls(struct conversation *c, const struct hel_smtp_event *event)
{
    if (event->is_plaintext_dropped) {
        note(c, "plaintext after the STARTTLS reply was dropped");
    }
    c->state = CONVERSATION_HANDSHAKING;
    c->stage_began_ms = now_ms(c);
    set_alarm(c, now_ms(c) + c->config->timeout_ms[HEL_SMTP_STARTTLS]);
    link_start_tls(c->link, slice_of(c->exchanger->host));
}

static void on_hello(struct conversation *c, const struct hel_smtp_event *event)
{
    stage_passed(c, HEL_SMTP_EHLO);
    unsigned offered = hel_smtp_client_extensions(c->client);
    if ((offered & HEL_SMTP_EXT_STARTTLS) != 0 && !c->tls_used && !c->avoids_tls &&
        hel_smtp_client_starttls(c->client, TAG_STARTTLS) == ERR_NONE) {
        (void)flush(c); /* where it is lost, pump hears of it */
        door_expect_tls(c->door);
        return;
    }
    struct slice greeting = slice_make(c->banner, c->banner_len);
    if (greeting.len == 0) {
        greeting = event->reply.text;
    }
    c->handler->ready(c->context, c, greeting);
    conversation_ask_next(c);
}

static void on_refused(struct conversation *c, const struct hel_smtp_event *event)
{
    struct evidence evidence;
    conversation_evidence_reply(c, event->stage, &event->reply, &evidence);
    conversation_go(c);
    c->handler->failed(c->context, c, &evidence);
}

/* The server takes back its offer of TLS. */
static void on_tls_refused(struct conversation *c, const struct hel_smtp_event *event)
{
    c->tls_was_refused = true;
    if (c->config->needs_tls) {
        struct evidence evidence;
        conversation_evidence_reply(c, HEL_SMTP_STARTTLS, &event->reply, &evidence);
        evidence.kind = EVIDENCE_TLS_FAILED;
        conversation_go(c);
        c->handler->failed(c->context, c, &evidence);
        return;
    }
    c->handler->ready(c->context, c, slice_make(c->banner, c->banner_len));
    conversation_ask_next(c);
}

static void on_event(struct conversation *c, const struct hel_smtp_event *event)
{
    switch (event->kind) {
    case HEL_SMTP_EVENT_HELLO: on_hello(c, event); return;
    case HEL_SMTP_EVENT_START_TLS: start_tls(c, event); return;
    case HEL_SMTP_EVENT_FAILED: conversation_on_failed(c, event); return;
    case HEL_SMTP_EVENT_REPLY:
        if (event->stage == HEL_SMTP_BANNER || event->stage == HEL_SMTP_EHLO) {
            on_refused(c, event);
        } else if (event->stage == HEL_SMTP_STARTTLS) {
            on_tls_refused(c, event);
        } else {
            conversation_on_reply(c, event);
        }
        return;
    }
}

/* After QUIT only its answer or the end of the line matters. */
static void on_event_leaving(struct conversation *c, const struct hel_smtp_event *event)
{
    if (event->kind == HEL_SMTP_EVENT_FAILED ||
        (event->kind == HEL_SMTP_EVENT_REPLY && event->stage == HEL_SMTP_QUIT)) {
        c->state = CONVERSATION_OVER;
    }
}

/* False: the line is lost, and there is an event of it. */
static bool flush(struct conversation *c)
{
    struct slice out = hel_smtp_client_unsent(c->client);
    if (out.len == 0 || c->link == NULL) {
        return true;
    }
    record_bytes(c, 'C', out);
    if (link_send(c->link, out) != ERR_NONE) {
        hel_smtp_client_peer_closed(c->client);
        return false;
    }
    hel_smtp_client_sent(c->client, out.len, now_ms(c));
    return true;
}

static void pump(struct conversation *c)
{
    UNFILLED struct hel_smtp_event event;
    while ((c->state == CONVERSATION_TALKING || c->state == CONVERSATION_LEAVING) &&
           c->client != NULL) {
        bool has_event = hel_smtp_client_next(c->client, &event);
        if (!has_event && !flush(c)) {
            has_event = hel_smtp_client_next(c->client, &event);
        }
        if (!has_event) {
            break;
        }
        if (c->state == CONVERSATION_LEAVING) {
            on_event_leaving(c, &event);
        } else {
            on_event(c, &event);
        }
    }
    if (c->state == CONVERSATION_TALKING && c->client != NULL) {
        uint64_t deadline_ms = hel_smtp_client_deadline(c->client);
        bool waits = c->ask_again_ms != 0 && c->ask_again_ms < deadline_ms;
        set_alarm_by(c, waits ? c->ask_again_ms : deadline_ms);
    }
    finish_if_over(c);
}

void conversation_line(const struct conversation *c, struct conversation_line *out)
{
    *out = (struct conversation_line){
        .host = c->exchanger->host,
        .ip = c->ip,
        .tls_used = c->tls_used,
        .tls = c->tls_used ? &c->tls : NULL,
        .extensions = c->client == NULL ? 0 : hel_smtp_client_extensions(c->client),
        .latency_ms = c->latency_ms,
    };
}

uint32_t conversation_number(const struct conversation *c)
{
    return c->number;
}

void *conversation_context(const struct conversation *c)
{
    return c->context;
}
