/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/responder.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"
#include "net/listener.h"

enum {
    DATAGRAM_BYTES = 512, /* RFC 1035 4.2.1; EDNS is not spoken */
    ANSWER_BYTES_MAX = 65535,
    STREAMS_MAX = 256,
    OPEN_TRIES = 16, /* for one port that is free over both UDP and TCP */
};

struct stream {
    struct responder *responder;
    struct link *link; /* NULL: a free place */
    struct buf input;
};

struct responder {
    const struct zone *zone;
    struct listener *udp, *tcp;
    struct stream streams[STREAMS_MAX];
    uint64_t questions;
};

/* False: no answer is given. */
static bool answer(struct responder *responder, struct slice question, size_t room, struct buf *out)
{
    struct dns_message *asked = malloc(sizeof *asked);
    struct dns_message *said = malloc(sizeof *said);
    bool is_written = false;
    if (asked != NULL && said != NULL && dns_message_parse(question, asked) == ERR_NONE &&
        !asked->is_response) {
        enum zone_failure failure = zone_ask(responder->zone, slice_of(asked->question),
                                             asked->question_type, asked->id, said);
        bool is_silent = failure == ZONE_TIMEOUT || failure == ZONE_NONE_REACHED;
        is_written = !is_silent && dns_message_write(said, out) == ERR_NONE;
        if (is_written && out->len > room) {
            buf_clear(out);
            said->answer_count = 0;
            said->has_negative_ttl = false;
            said->is_truncated = true;
            is_written = dns_message_write(said, out) == ERR_NONE;
        }
        if (is_written && failure == ZONE_BROKEN) {
            out->len = 5; /* not even a header */
        }
    }
    free(asked);
    free(said);
    responder->questions += is_written;
    return is_written;
}

static void on_datagram(void *context, const struct net_place *from, struct slice datagram)
{
    struct responder *responder = context;
    struct buf out;
    buf_init(&out, ANSWER_BYTES_MAX);
    if (answer(responder, datagram, DATAGRAM_BYTES, &out)) {
        enum err e = listener_reply(responder->udp, from, buf_view(&out));
        responder->questions -= e != ERR_NONE; /* lost, as datagrams are; it is asked again */
    }
    buf_done(&out);
}

/* TCP: each message behind its length in two octets. */

static void stream_end(struct stream *stream)
{
    link_close(stream->link);
    stream->link = NULL;
    buf_done(&stream->input);
}

static void on_ended(void *context, enum link_end why, const char *detail)
{
    (void)why;
    (void)detail;
    stream_end(context);
}

static enum err reply(struct stream *stream, struct slice message)
{
    char size[2] = {(char)(message.len >> 8), (char)(message.len & 0xFF)};
    enum err e = link_send(stream->link, slice_make(size, sizeof size));
    return e != ERR_NONE ? e : link_send(stream->link, message);
}

static void on_bytes(void *context, struct slice bytes)
{
    struct stream *stream = context;
    enum err e = buf_append(&stream->input, bytes);
    while (e == ERR_NONE) {
        struct reader r = reader_over(buf_view(&stream->input));
        uint16_t len;
        struct slice question;
        if (!reader_u16(&r, &len) || !reader_take(&r, len, &question)) {
            return;
        }
        struct buf out;
        buf_init(&out, ANSWER_BYTES_MAX);
        if (answer(stream->responder, question, ANSWER_BYTES_MAX, &out)) {
            e = reply(stream, buf_view(&out));
        }
        buf_done(&out);
        buf_drop_front(&stream->input, (size_t)len + 2);
    }
    stream_end(stream);
}

static void on_stream(void *context, struct link *link)
{
    static const struct link_handler handler = {.received = on_bytes, .ended = on_ended};
    struct responder *responder = context;
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream *stream = &responder->streams[i];
        if (stream->link == NULL) {
            stream->responder = responder;
            stream->link = link;
            buf_init(&stream->input, (size_t)2 * ANSWER_BYTES_MAX);
            link_set_handler(link, &handler, stream);
            return;
        }
    }
    link_close(link);
}

static enum err open_both(struct responder *responder, struct door *door, const struct ip *ip,
                          uint16_t port, struct fault *out_fault)
{
    struct net_place place = {*ip, port};
    enum err e = net_listen_udp(door, &place, on_datagram, responder, &responder->udp, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    place.port = listener_port(responder->udp);
    e = net_listen(door, &place, on_stream, responder, &responder->tcp, out_fault);
    if (e != ERR_NONE) {
        listener_close(responder->udp);
        responder->udp = NULL;
    }
    return e;
}

enum err responder_open(struct door *door, const struct zone *zone, const struct ip *ip,
                        uint16_t port, struct responder **out, struct fault *out_fault)
{
    struct responder *responder = calloc(1, sizeof *responder);
    if (responder == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    responder->zone = zone;
    enum err e = ERR_SYSTEM;
    for (int tries = 0; tries < (port == 0 ? OPEN_TRIES : 1) && e != ERR_NONE; tries++) {
        e = open_both(responder, door, ip, port, out_fault);
    }
    if (e != ERR_NONE) {
        free(responder);
        return e;
    }
    *out = responder;
    return ERR_NONE;
}

void responder_close(struct responder *responder)
{
    if (responder == NULL) {
        return;
    }
    listener_close(responder->udp);
    listener_close(responder->tcp);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (responder->streams[i].link != NULL) {
            stream_end(&responder->streams[i]);
        }
    }
    free(responder);
}

uint16_t responder_port(const struct responder *responder)
{
    return listener_port(responder->udp);
}

uint64_t responder_questions(const struct responder *responder)
{
    return responder->questions;
}
