/* tools/health_talk: conversations: with mail servers, as far as EHLO; with name servers over TCP, one question each
 * (RFC 7766).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/conversation.h"
#include "tools/health_private.h"

enum { NS_ANSWER_BYTES_MAX = 65535 + 2, NS_LIMIT_MS = 5000 };

/* ---- mail servers ---- */

struct health_talk {
    TAILQ_ENTRY(health_talk) link;
    struct health *health;
    struct health_address *address;
    struct exchanger exchanger;
    struct conversation *conversation;
    struct conversation_config config;
};

static const struct conversation_probe *on_wants_probe(void *context, struct conversation *c,
                                                       unsigned rcpts, unsigned refusals)
{
    (void)context;
    (void)c;
    (void)rcpts;
    (void)refusals;
    return NULL; /* nothing but to leave */
}

static const char *words_of(const struct evidence *evidence)
{
    switch (evidence->kind) {
    case EVIDENCE_CONNECT_REFUSED: return "refused";
    case EVIDENCE_CONNECT_TIMEOUT: return "no answer";
    case EVIDENCE_TIMEOUT: return "the line comes up, and nobody greets";
    case EVIDENCE_DISCONNECTED: return "the line comes up and is closed without a word";
    case EVIDENCE_PROTOCOL_ERROR: return "something answers that is no mail server";
    case EVIDENCE_REPLY:
    case EVIDENCE_LOCAL:
    case EVIDENCE_TLS_FAILED:
    case EVIDENCE_UTF8_UNSUPPORTED:
    case EVIDENCE_SKIPPED: break;
    }
    return evidence->text;
}

/* A reply that turns us away is about us; trouble here says nothing about the server. */
static void on_failed(void *context, struct conversation *c, const struct evidence *evidence)
{
    (void)c;
    struct health_address *address = ((struct health_talk *)context)->address;
    if (evidence->kind == EVIDENCE_LOCAL) {
        return;
    }
    bool is_reply = evidence->kind == EVIDENCE_REPLY;
    address->port = is_reply ? HEALTH_PORT_TURNED_AWAY : HEALTH_PORT_FAILED;
    if (is_reply) {
        (void)snprintf(address->port_words, sizeof address->port_words, "%u %.*s", evidence->code,
                       HEALTH_WORDS_BYTES - 8, evidence->text);
    } else {
        (void)snprintf(address->port_words, sizeof address->port_words, "%.*s",
                       HEALTH_WORDS_BYTES - 1, words_of(evidence));
    }
}

static void on_probed(void *context, struct conversation *c, const struct conversation_probe *probe,
                      enum probe_end end, const struct evidence *evidence,
                      unsigned transaction_rcpts)
{
    (void)probe;
    (void)end;
    (void)transaction_rcpts;
    on_failed(context, c, evidence);
}

static void on_ready(void *context, struct conversation *c, struct slice banner)
{
    (void)c;
    (void)banner;
    const struct health_talk *talk = context;
    talk->address->port = HEALTH_PORT_TALKED;
}

static void on_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    (void)t_ms;
    const struct health_talk *talk = context;
    struct slice word = slice_trim(slice_sub(line, 4, line.len));
    if (direction == 'S' && slice_starts(line, SLICE("250")) &&
        slice_equal_nocase(word, SLICE("STARTTLS"))) {
        talk->address->has_starttls = true;
    }
}

static void on_closed(void *context, struct conversation *c)
{
    (void)c;
    struct health_talk *talk = context;
    struct health *health = talk->health;
    TAILQ_REMOVE(&health->talks, talk, link);
    free(talk);
    if (!health->is_over) {
        health_one_over(health);
    }
}

void health_talk_mx(struct health *health, struct health_host *host, struct health_address *address)
{
    static const struct conversation_handler handler = {.wants_probe = on_wants_probe,
                                                        .probed = on_probed,
                                                        .failed = on_failed,
                                                        .ready = on_ready,
                                                        .closed = on_closed};
    struct health_talk *talk = calloc(1, sizeof *talk);
    if (talk == NULL) {
        return;
    }
    talk->health = health;
    talk->address = address;
    memcpy(talk->exchanger.host, host->name, sizeof talk->exchanger.host);
    talk->exchanger.address_count = 1;
    talk->exchanger.addresses[0] = address->ip;
    talk->config = (struct conversation_config){
        .helo_name =
            health->config.helo.len > 0 ? health->config.helo : SLICE("localhost.localdomain"),
        .source_v4 = health->config.source_v4,
        .source_v6 = health->config.source_v6,
        .port = health->config.port,
        .no_tls = true, /* EHLO tells enough */
        .observe = on_line,
        .observe_context = talk,
        .rules = health->config.rules,
        .handler = &handler,
        .rcpts_per_transaction = 1,
        .pipelined_rcpts = 1,
    };
    for (size_t i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        talk->config.timeout_ms[i] = health->config.step_ms;
    }
    if (conversation_new(health->door, &talk->config, &talk->exchanger, health->others_begun, talk,
                         &talk->conversation) != ERR_NONE) {
        free(talk);
        return;
    }
    TAILQ_INSERT_TAIL(&health->talks, talk, link);
    health_one_begun(health);
}

/* ---- name servers ---- */

struct health_ns_talk {
    TAILQ_ENTRY(health_ns_talk) link;
    struct health *health;
    struct health_ns *ns;
    struct link *line;
    struct buf received;
    struct timer limit;
    uint16_t id;
};

static void drop_ns_talk(struct health_ns_talk *talk)
{
    struct health *health = talk->health;
    TAILQ_REMOVE(&health->ns_talks, talk, link);
    door_timer_stop(health->door, &talk->limit);
    link_close(talk->line);
    buf_done(&talk->received);
    free(talk);
}

static void end_ns_talk(struct health_ns_talk *talk, enum health_ns_state state)
{
    struct health *health = talk->health;
    talk->ns->state = state;
    drop_ns_talk(talk);
    health_one_over(health);
}

static void on_ns_connected(void *context)
{
    struct health_ns_talk *talk = context;
    struct buf question;
    struct buf framed;
    buf_init(&question, 1024);
    buf_init(&framed, 1024);
    enum err e = dns_question_write(talk->id, talk->health->facts->domain, DNS_SOA, &question);
    const char length[2] = {(char)(question.len >> 8), (char)(question.len & 0xff)};
    e = e != ERR_NONE ? e : buf_append(&framed, slice_make(length, sizeof length));
    e = e != ERR_NONE ? e : buf_append(&framed, buf_view(&question));
    e = e != ERR_NONE ? e : link_send(talk->line, buf_view(&framed));
    buf_done(&question);
    buf_done(&framed);
    if (e != ERR_NONE) {
        end_ns_talk(talk, HEALTH_NS_OPEN);
    }
}

static void take_ns_answer(struct health_ns_talk *talk, struct slice bytes)
{
    UNFILLED struct dns_message message;
    if (dns_message_parse(bytes, &message) != ERR_NONE || !message.is_response ||
        message.id != talk->id) {
        end_ns_talk(talk, HEALTH_NS_SILENT);
        return;
    }
    for (size_t i = 0; i < message.answer_count; i++) {
        const struct dns_record *record = &message.answers[i];
        if (message.is_authoritative && record->type == DNS_SOA &&
            strcmp(record->owner, talk->health->facts->domain) == 0) {
            talk->ns->serial = record->serial;
            end_ns_talk(talk, HEALTH_NS_ANSWERED);
            return;
        }
    }
    end_ns_talk(talk, HEALTH_NS_LAME);
}

static void on_ns_received(void *context, struct slice bytes)
{
    struct health_ns_talk *talk = context;
    uint16_t len;
    if (buf_append(&talk->received, bytes) != ERR_NONE) {
        end_ns_talk(talk, HEALTH_NS_SILENT);
        return;
    }
    struct reader r = reader_over(buf_view(&talk->received));
    struct slice message;
    if (reader_u16(&r, &len) && reader_take(&r, len, &message)) {
        take_ns_answer(talk, message);
    }
}

static void on_ns_secured(void *context, const struct tls_info *info)
{
    (void)context; /* no TLS here */
    (void)info;
}

static void on_ns_ended(void *context, enum link_end why, const char *detail)
{
    (void)detail;
    end_ns_talk(context, why == LINK_END_LOCAL ? HEALTH_NS_OPEN : HEALTH_NS_SILENT);
}

static void on_ns_limit(void *context)
{
    end_ns_talk(context, HEALTH_NS_SILENT);
}

/* Only its first address: what the others say is the same zone. */
void health_talk_ns(struct health *health, struct health_ns *ns, const struct ip *ip)
{
    static const struct link_handler handler = {.connected = on_ns_connected,
                                                .received = on_ns_received,
                                                .secured = on_ns_secured,
                                                .ended = on_ns_ended};
    if (ns->is_asked) {
        return;
    }
    struct health_ns_talk *talk = calloc(1, sizeof *talk);
    if (talk == NULL) {
        return;
    }
    const struct link_request request = {.ip = *ip, .port = health->config.ns_port};
    talk->health = health;
    talk->ns = ns;
    buf_init(&talk->received, NS_ANSWER_BYTES_MAX);
    door_random_bytes(health->door, &talk->id, sizeof talk->id);
    talk->line = door_connect(health->door, &request, &handler, talk);
    if (talk->line == NULL) {
        free(talk);
        return;
    }
    ns->is_asked = true;
    talk->limit = (struct timer){.fired = on_ns_limit, .context = talk};
    door_timer_start(health->door, &talk->limit, door_now_ms(health->door) + NS_LIMIT_MS);
    TAILQ_INSERT_TAIL(&health->ns_talks, talk, link);
    health_one_begun(health);
}

void health_drop_talks(struct health *health)
{
    while (!TAILQ_EMPTY(&health->talks)) {
        conversation_drop(TAILQ_FIRST(&health->talks)->conversation);
    }
    while (!TAILQ_EMPTY(&health->ns_talks)) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself out of the list */
        drop_ns_talk(TAILQ_FIRST(&health->ns_talks));
    }
}
