/* The line of a conversation.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_talk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"
#include "net/proxy.h"
#include "tools/probe_talk_private.h"

enum { TALK_BLOCK_BYTES = 16384, TALK_RESUME_MS = 10, TALK_CONNECT_MS = 30000 };

static const char *const stop_names[] = {
    [PROBE_STOP_NEVER] = "never",     [PROBE_STOP_CONNECT] = "connect",
    [PROBE_STOP_BANNER] = "banner",   [PROBE_STOP_FIRST_EHLO] = "first-ehlo",
    [PROBE_STOP_TLS] = "tls",         [PROBE_STOP_EHLO] = "ehlo",
    [PROBE_STOP_XCLIENT] = "xclient", [PROBE_STOP_AUTH] = "auth",
    [PROBE_STOP_MAIL] = "mail",       [PROBE_STOP_RCPT] = "rcpt",
    [PROBE_STOP_DATA] = "data",       [PROBE_STOP_BODY] = "body",
};

const char *probe_stop_name(enum probe_stop stop)
{
    return stop_names[stop];
}

bool probe_stop_parse(struct slice name, enum probe_stop *out)
{
    for (size_t i = 1; i < sizeof stop_names / sizeof *stop_names; i++) {
        if (slice_equal_nocase(name, slice_of(stop_names[i]))) {
            *out = (enum probe_stop)i;
            return true;
        }
    }
    return false;
}

const char *probe_end_name(enum probe_end end)
{
    switch (end) {
    case PROBE_END_DONE: return "done";
    case PROBE_END_REFUSED: return "refused";
    case PROBE_END_NOT_OFFERED: return "not_offered";
    case PROBE_END_WITHHELD: return "withheld";
    case PROBE_END_UNREACHED: return "unreached";
    case PROBE_END_TLS: return "tls_failed";
    case PROBE_END_TIMEOUT: return "timeout";
    case PROBE_END_CLOSED: return "closed";
    case PROBE_END_GARBAGE: return "garbage";
    case PROBE_END_LOCAL: return "local";
    case PROBE_END_STOPPED: break;
    }
    return "stopped";
}

/* ---- what is kept ---- */

static uint64_t now_ms(const struct talk *talk)
{
    return door_now_ms(talk->door);
}

static void record(struct talk *talk, char direction, struct slice line)
{
    char shown = talk->is_secured && direction != 'T' ? ascii_lower(direction) : direction;
    transcript_add(&talk->out->lines, now_ms(talk), shown, line);
}

void talk_note(struct talk *talk, const char *format, ...)
{
    char text[PROBE_DETAIL_BYTES * 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    record(talk, 'T', slice_of(text));
}

static void end_line(struct talk *talk, struct talk_assembler *side, char direction)
{
    struct slice line = slice_make(side->bytes, side->len);
    if (slice_ends(line, SLICE("\r"))) {
        line = slice_sub(line, 0, line.len - 1);
    }
    record(talk, direction, line);
    side->len = 0;
    side->is_begun = false;
}

/* Bytes come in any pieces; lines are recorded when they are whole. */
static void assemble(struct talk *talk, struct talk_assembler *side, char direction,
                     struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.at[i] == '\n') {
            end_line(talk, side, direction);
            continue;
        }
        side->is_begun = true;
        if (side->len < sizeof side->bytes) {
            side->bytes[side->len++] = bytes.at[i];
        }
    }
}

/* What goes out, without the secrets and the mass. */
static void record_said(struct talk *talk, struct slice bytes)
{
    if (talk->is_in_message && !talk->config->shows_data) {
        return;
    }
    if (!talk->hides || talk->config->login.shows_secrets) {
        assemble(talk, &talk->said, 'C', bytes);
        return;
    }
    struct slice line = slice_trim(bytes);
    size_t second = slice_find_byte(line, ' ', 0) + 1;
    bool is_auth = slice_starts(line, SLICE("AUTH "));
    size_t end = is_auth ? slice_find_byte(line, ' ', second) : 0;
    assemble(talk, &talk->said, 'C', slice_sub(line, 0, end));
    if (end < line.len) {
        assemble(talk, &talk->said, 'C', is_auth ? SLICE(" (not shown)") : SLICE("(not shown)"));
    }
    assemble(talk, &talk->said, 'C', SLICE("\n"));
    talk->hides = false;
}

void talk_end(struct talk *talk, enum probe_end end, enum hel_smtp_stage stage, const char *detail)
{
    if (talk->is_refusal_final) {
        return;
    }
    talk->is_refusal_final = true;
    talk->out->end = end;
    talk->out->stage = stage;
    (void)snprintf(talk->out->detail, sizeof talk->out->detail, "%s", detail);
}

void talk_over(struct talk *talk)
{
    talk->state = TALK_OVER;
    door_stop(talk->door);
}

/* The line is of no use any more. */
static void fail(struct talk *talk, enum probe_end end, enum hel_smtp_stage stage,
                 const char *detail)
{
    if (detail[0] != '\0') {
        talk_note(talk, "%s", detail);
    }
    talk_end(talk, end, stage, detail);
    talk_over(talk);
}

/* ---- bytes out ---- */

static void pump(struct talk *talk);

static void take_outgoing(struct talk *talk)
{
    char block[TALK_BLOCK_BYTES];
    size_t len;
    while ((len = tls_session_outgoing(talk->tls, block, sizeof block)) > 0) {
        if (buf_append(&talk->wire, slice_make(block, len)) != ERR_NONE) {
            talk->is_out_of_memory = true;
            return;
        }
    }
}

static void send_wire(struct talk *talk)
{
    while (talk->wire.len > 0) {
        size_t len = talk->wire.len < TALK_BLOCK_BYTES ? talk->wire.len : TALK_BLOCK_BYTES;
        enum err e = link_send(talk->link, slice_sub(buf_view(&talk->wire), 0, len));
        if (e == ERR_LIMIT) { /* the peer is slower than we: in a moment again */
            door_timer_start(talk->door, &talk->resume, now_ms(talk) + TALK_RESUME_MS);
            return;
        }
        if (e != ERR_NONE) {
            buf_clear(&talk->wire); /* the link's end is told by the link */
            return;
        }
        buf_drop_front(&talk->wire, len);
    }
}

/* RFC 3207 4.2, CVE-2011-0411: a command in the same packet as STARTTLS. */
static bool is_injection_due(const struct talk *talk, struct slice bytes)
{
    return talk->config->injects && !talk->is_secured && slice_equal(bytes, SLICE("STARTTLS\r\n"));
}

static void flush(struct talk *talk)
{
    if (talk->link == NULL || talk->state != TALK_TALKING) {
        return;
    }
    send_wire(talk);
    struct slice unsent = hel_smtp_client_unsent(talk->client);
    if (talk->wire.len > 0 || unsent.len == 0) {
        return;
    }
    record_said(talk, unsent);
    enum err e = ERR_NONE;
    if (talk->tls != NULL) {
        e = tls_session_write(talk->tls, unsent);
        take_outgoing(talk);
    } else {
        e = buf_append(&talk->wire, unsent);
        if (e == ERR_NONE && is_injection_due(talk, unsent)) {
            record(talk, 'C', SLICE("NOOP (in the same packet)"));
            e = buf_append(&talk->wire, SLICE("NOOP\r\n"));
        }
    }
    talk->is_out_of_memory = talk->is_out_of_memory || e == ERR_NOMEM || e == ERR_LIMIT;
    hel_smtp_client_sent(talk->client, unsent.len, now_ms(talk));
    send_wire(talk);
}

static void set_alarm(struct talk *talk)
{
    uint64_t at_ms = talk->client == NULL ? UINT64_MAX : hel_smtp_client_deadline(talk->client);
    if (talk->state != TALK_TALKING) {
        return;
    }
    if (at_ms == UINT64_MAX) {
        door_timer_stop(talk->door, &talk->alarm);
    } else {
        door_timer_start(talk->door, &talk->alarm, at_ms);
    }
}

static void pump(struct talk *talk)
{
    struct hel_smtp_event event;
    while (talk->state == TALK_TALKING && hel_smtp_client_next(talk->client, &event)) {
        talk_on_event(talk, &event);
    }
    if (talk->state == TALK_TALKING) {
        talk_go_on(talk);
        flush(talk);
    }
    /* The rest of a message goes out as fast as the line takes it. */
    while (talk->state == TALK_TALKING && talk->place == TALK_AT_BODY && talk->owed == 0 &&
           talk->wire.len == 0) {
        talk_go_on(talk);
        flush(talk);
    }
    if (talk->is_out_of_memory && talk->state != TALK_OVER) {
        fail(talk, PROBE_END_LOCAL, HEL_SMTP_CONNECT, "out of memory");
    }
    set_alarm(talk);
}

/* ---- TLS ---- */

void talk_shake(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    char name[256];
    (void)snprintf(name, sizeof name, "%.*s", SLICE_ARG(config->server_name));
    talk->state = TALK_SHAKING;
    talk->stage_began_ms = now_ms(talk);
    uint32_t wait_ms = config->timeout_ms[HEL_SMTP_STARTTLS];
    door_timer_start(talk->door, &talk->alarm,
                     now_ms(talk) + (wait_ms == 0 ? TALK_CONNECT_MS : wait_ms));
    if (config->tls == NULL || tls_session_client(config->tls, name, &talk->tls) != ERR_NONE) {
        fail(talk, PROBE_END_LOCAL, HEL_SMTP_STARTTLS, "TLS is not to be had: install OpenSSL");
        return;
    }
    for (size_t i = 0; i < config->dane_count; i++) {
        const struct probe_dane *dane = &config->dane[i];
        (void)tls_session_expect_dane(talk->tls, dane->usage, dane->selector, dane->matching,
                                      dane->data);
    }
    enum tls_status status = tls_session_shake(talk->tls);
    take_outgoing(talk);
    send_wire(talk);
    if (status == TLS_FAILED) {
        fail(talk, PROBE_END_TLS, HEL_SMTP_STARTTLS, tls_session_error(talk->tls));
    }
}

static void open_client(struct talk *talk)
{
    struct hel_smtp_client_config config = {.helo_name = talk->config->helo,
                                            .is_lmtp = talk->config->is_lmtp,
                                            .prefers_helo = talk->config->prefers_helo,
                                            .holds_hello = true};
    memcpy(config.timeout_ms, talk->config->timeout_ms, sizeof config.timeout_ms);
    enum err e = hel_smtp_client_new(&config, now_ms(talk), &talk->client);
    if (e != ERR_NONE) {
        fail(talk, PROBE_END_LOCAL, HEL_SMTP_CONNECT,
             e == ERR_SYNTAX ? "the EHLO name is not usable: give another with --helo"
                             : "out of memory");
    }
}

static void show_tls(struct talk *talk)
{
    const struct tls_view *tls = &talk->out->tls;
    const struct tls_certificate *own = &tls->chain[0];
    talk_note(talk, "%s, %s%s%s; certificate %s", tls->version, tls->cipher,
              tls->group[0] == '\0' ? "" : ", ", tls->group,
              tls->chain_count == 0 ? "none" : own->subject);
}

static void on_up(struct talk *talk)
{
    struct probe_talk *out = talk->out;
    bool was_at_once = talk->client == NULL;
    talk->is_secured = true;
    talk->state = TALK_TALKING;
    out->has_tls = true;
    out->handshake_ms = (uint32_t)(now_ms(talk) - talk->stage_began_ms);
    tls_session_view(talk->tls, &out->tls);
    show_tls(talk);
    if (talk->config->demands_certificate && !(out->tls.is_trusted && out->tls.is_for_host)) {
        fail(talk, PROBE_END_WITHHELD, HEL_SMTP_STARTTLS,
             out->tls.is_trusted ? "the certificate is for another name" : out->tls.verdict);
        return;
    }
    if (was_at_once) {
        open_client(talk);
    } else {
        hel_smtp_client_tls_ready(talk->client, now_ms(talk));
    }
    if (talk->config->stop == PROBE_STOP_TLS && talk->state == TALK_TALKING) {
        talk_end(talk, PROBE_END_DONE, HEL_SMTP_STARTTLS, "");
        talk_over(talk);
    }
}

static void hear(struct talk *talk, struct slice bytes)
{
    assemble(talk, &talk->heard, 'S', bytes);
    hel_smtp_client_received(talk->client, bytes, now_ms(talk));
    pump(talk);
}

static void read_tls(struct talk *talk)
{
    char plain[TALK_BLOCK_BYTES];
    while (talk->state == TALK_TALKING) {
        size_t len;
        enum tls_status status = tls_session_read(talk->tls, plain, sizeof plain, &len);
        take_outgoing(talk);
        send_wire(talk);
        if (len > 0) {
            hear(talk, slice_make(plain, len));
        } else if (status == TLS_FAILED) {
            fail(talk, PROBE_END_TLS, HEL_SMTP_STARTTLS, tls_session_error(talk->tls));
        } else if (status == TLS_CLOSED) {
            hel_smtp_client_peer_closed(talk->client);
            pump(talk);
            return;
        } else {
            return;
        }
    }
}

/* ---- what the link tells ---- */

static void on_connected(void *context)
{
    struct talk *talk = context;
    char ip[IP_TEXT_BYTES];
    char name[PROXY_NAME_BYTES] = "";
    const struct proxy *proxy = talk->config->proxy;
    talk->out->connect_ms = (uint32_t)(now_ms(talk) - talk->began_ms);
    talk_note(talk, "connected to %s port %u%s%s", ip_format(&talk->config->ip, ip),
              talk->config->port, proxy == NULL ? "" : " through ",
              proxy == NULL ? "" : proxy_describe(proxy, name));
    if (talk->config->stop == PROBE_STOP_CONNECT) {
        talk_end(talk, PROBE_END_DONE, HEL_SMTP_CONNECT, "");
        talk_over(talk);
        return;
    }
    if (talk->config->hello_bytes.len > 0) {
        talk_note(talk, "PROXY header sent, %zu bytes", talk->config->hello_bytes.len);
        if (buf_append(&talk->wire, talk->config->hello_bytes) == ERR_NONE) {
            send_wire(talk);
        }
    }
    if (talk->config->tls_mode == PROBE_TLS_AT_ONCE) {
        talk_shake(talk);
        return;
    }
    talk->state = TALK_TALKING;
    open_client(talk);
    set_alarm(talk);
}

static void on_received(void *context, struct slice bytes)
{
    struct talk *talk = context;
    if (talk->state == TALK_OVER) {
        return;
    }
    if (talk->tls == NULL) {
        if (talk->client != NULL) {
            hear(talk, bytes);
        }
        return;
    }
    tls_session_received(talk->tls, bytes);
    if (!talk->is_secured) {
        enum tls_status status = tls_session_shake(talk->tls);
        take_outgoing(talk);
        send_wire(talk);
        if (status == TLS_FAILED || status == TLS_CLOSED) {
            fail(talk, PROBE_END_TLS, HEL_SMTP_STARTTLS, tls_session_error(talk->tls));
        } else if (status == TLS_UP) {
            on_up(talk);
        }
    }
    if (talk->is_secured && talk->state == TALK_TALKING) {
        read_tls(talk);
        pump(talk);
    }
}

static void on_secured(void *context, const struct tls_info *info)
{
    (void)context; /* the link's own TLS is not used */
    (void)info;
}

static enum probe_end end_of(enum link_end why)
{
    switch (why) {
    case LINK_END_REFUSED:
    case LINK_END_UNREACHABLE:
    case LINK_END_RESET:
    case LINK_END_CLOSED: return PROBE_END_UNREACHED;
    case LINK_END_TLS: return PROBE_END_TLS;
    case LINK_END_LOCAL:
    case LINK_END_PROXY: break;
    }
    return PROBE_END_LOCAL;
}

static void on_ended(void *context, enum link_end why, const char *detail)
{
    struct talk *talk = context;
    const char *text = detail == NULL || detail[0] == '\0' ? "the connection was closed" : detail;
    switch (talk->state) {
    case TALK_CONNECTING: fail(talk, end_of(why), HEL_SMTP_CONNECT, text); break;
    case TALK_SHAKING:
        fail(talk, PROBE_END_TLS, HEL_SMTP_STARTTLS, "the peer closed the line in the handshake");
        break;
    case TALK_TALKING:
        if (talk->heard.is_begun) {
            end_line(talk, &talk->heard, 'S');
        }
        hel_smtp_client_peer_closed(talk->client);
        pump(talk);
        break;
    case TALK_OVER: break;
    }
}

static const struct link_handler handler = {
    .connected = on_connected,
    .received = on_received,
    .secured = on_secured,
    .ended = on_ended,
};

/* ---- time ---- */

static void on_alarm(void *context)
{
    struct talk *talk = context;
    switch (talk->state) {
    case TALK_CONNECTING:
        fail(talk, PROBE_END_UNREACHED, HEL_SMTP_CONNECT, "no answer to the connection in time");
        break;
    case TALK_SHAKING:
        fail(talk, PROBE_END_TLS, HEL_SMTP_STARTTLS, "the handshake did not end in time");
        break;
    case TALK_TALKING:
        hel_smtp_client_tick(talk->client, now_ms(talk));
        pump(talk);
        break;
    case TALK_OVER: break;
    }
}

static void on_limit(void *context)
{
    struct talk *talk = context;
    if (talk->state != TALK_OVER) {
        fail(talk, PROBE_END_TIMEOUT, HEL_SMTP_CONNECT, "the time for all of it is over");
    }
}

static void on_resume(void *context)
{
    pump(context);
}

static void start(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    uint32_t wait_ms = config->timeout_ms[HEL_SMTP_CONNECT];
    wait_ms = wait_ms == 0 ? TALK_CONNECT_MS : wait_ms;
    const struct link_request request = {.ip = config->ip,
                                         .port = config->port,
                                         .source = config->source,
                                         .proxy = config->proxy,
                                         .proxy_limit_ms = wait_ms / 2};
    talk->alarm = (struct timer){.fired = on_alarm, .context = talk};
    talk->limit = (struct timer){.fired = on_limit, .context = talk};
    talk->resume = (struct timer){.fired = on_resume, .context = talk};
    talk->link = door_connect(talk->door, &request, &handler, talk);
    talk->is_out_of_memory = talk->link == NULL;
    door_timer_start(talk->door, &talk->alarm, talk->began_ms + wait_ms);
    if (config->limit_ms > 0) {
        door_timer_start(talk->door, &talk->limit, talk->began_ms + config->limit_ms);
    }
}

static void stop(struct talk *talk)
{
    struct probe_talk *out = talk->out;
    door_timer_stop(talk->door, &talk->alarm);
    door_timer_stop(talk->door, &talk->limit);
    door_timer_stop(talk->door, &talk->resume);
    if (talk->state != TALK_OVER) {
        talk_end(talk, PROBE_END_STOPPED, HEL_SMTP_CONNECT, "stopped");
    }
    if (talk->is_secured && talk->link != NULL) {
        tls_session_close(talk->tls);
        take_outgoing(talk);
        send_wire(talk);
    }
    out->total_ms = (uint32_t)(now_ms(talk) - talk->began_ms);
    link_close(talk->link);
    tls_session_free(talk->tls);
    hel_smtp_client_free(talk->client);
    sasl_free(talk->sasl);
    buf_done_wipe(&talk->wire);
}

enum err probe_talk_run(struct door *door, const struct probe_talk_config *config,
                        struct probe_talk *out)
{
    struct talk *talk = calloc(1, sizeof *talk);
    if (talk == NULL) {
        return ERR_NOMEM;
    }
    memset(out, 0, sizeof *out);
    door_turn(door); /* the clock stood still while OpenSSL was loaded, or a report written */
    out->ip = config->ip;
    out->port = config->port;
    talk->door = door;
    talk->config = config;
    talk->out = out;
    talk->began_ms = door_now_ms(door);
    buf_init(&talk->wire, TALK_WIRE_BYTES);
    transcript_init(&out->lines, talk->began_ms, config->observe, config->context);
    start(talk);
    bool is_called_off = config->is_called_off != NULL && *config->is_called_off;
    if (!talk->is_out_of_memory && !is_called_off) {
        door_run(door);
    }
    bool is_starved = talk->is_out_of_memory;
    stop(talk);
    explicit_bzero(talk, sizeof *talk);
    free(talk);
    if (is_starved) {
        probe_talk_done(out);
        return ERR_NOMEM;
    }
    return ERR_NONE;
}

void probe_talk_done(struct probe_talk *talk)
{
    free(talk->steps);
    talk->steps = NULL;
    talk->step_count = 0;
    transcript_done(&talk->lines);
}

const struct probe_step *probe_talk_step(const struct probe_talk *talk, enum hel_smtp_stage stage)
{
    for (size_t i = talk->step_count; i > 0; i--) {
        if (talk->steps[i - 1].stage == stage) {
            return &talk->steps[i - 1];
        }
    }
    return NULL;
}
