/* fuzz/smtp_client: a caller, a peer and a clock out of the input. Each action is a byte, its argument the
 * bytes up to the next 0xFF. Checked all along: never more answers than commands, tags in the order of the
 * commands (of LMTP, the answers to messages in an order of their own), each line sent is one of ours (no argument ends
 * a line or begins one), a message is ended by the client alone, deadlines and events fit the state.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum action {
    ACTION_PEER, /* the peer speaks: the argument, then a line end */
    ACTION_PEER_RAW,
    ACTION_SENT,
    ACTION_SENT_ONE,
    ACTION_TIME,
    ACTION_MAIL,
    ACTION_RCPT,
    ACTION_DATA,
    ACTION_BODY,
    ACTION_END,
    ACTION_BDAT,
    ACTION_RSET,
    ACTION_STARTTLS,
    ACTION_TLS,
    ACTION_QUIT,
    ACTION_CLOSE,
    ACTION_AUTH,
    ACTION_AUTH_INITIAL, /* mechanism and first word, parted by a space */
    ACTION_ANSWER,
    ACTION_CANCEL,
    ACTION_XCLIENT, /* name and value, parted by '=' */
    ACTION_XFORWARD,
    ACTION_LMTP, /* as the first one: the client speaks LMTP */
    ACTION_COUNT,
};

enum {
    UNSENT_BYTES_MAX = 2048,
    ACTION_BYTES = 32, /* actions are '`', 'a', 'b' and so on, so that seeds can be read */
    COMMANDS_MAX = 8,
    REPLY_BYTES_MAX = 100,
    LINE_BYTES = 64, /* of a line, enough to know it by */
};

/* What the peer hears: lines of commands, chunks, the lines of a message. */
struct ear {
    char line[LINE_BYTES];
    size_t column, chunk_left;
    bool had_cr, is_behind_data, is_354, is_message;
    unsigned answers; /* to challenges, that were given and not heard yet */
};

struct world {
    struct hel_smtp_client *client;
    uint64_t now_ms;
    uint64_t asked, answered; /* tags count from 1 */
    uint64_t data_tag;        /* of the last DATA */
    uint64_t body_tag;        /* LMTP: of the last answer to a message */
    bool is_lmtp;
    uint64_t begun;            /* commands of which the peer heard the first byte */
    bool is_over, is_shaking;  /* hands */
    bool is_open;              /* 354 was given, the message not ended */
    uint64_t ends, ends_heard; /* of messages */
    struct ear ear;
};

/* What a line of ours can be; where CR stands, it is all of the line. */
static const struct slice verbs[] = {
    SLICE_LITERAL("MAIL FROM:<"),
    SLICE_LITERAL("RCPT TO:<"),
    SLICE_LITERAL("RSET\r"),
    SLICE_LITERAL("STARTTLS\r"),
    SLICE_LITERAL("QUIT\r"),
    SLICE_LITERAL("DATA\r"),
    SLICE_LITERAL("EHLO us.example\r"),
    SLICE_LITERAL("HELO us.example\r"),
    SLICE_LITERAL("LHLO us.example\r"),
    SLICE_LITERAL("AUTH "),
    SLICE_LITERAL("XCLIENT "),
    SLICE_LITERAL("XFORWARD "),
};

/* Base64, or the one star that cancels (RFC 4954 4). */
static void end_answer_line(struct ear *ear, struct slice line)
{
    ear->answers--;
    if (slice_equal(line, SLICE("*\r"))) {
        return;
    }
    for (size_t i = 0; i < line.len; i++) {
        char byte = line.at[i];
        must(ascii_is_alnum(byte) || byte == '+' || byte == '/' || byte == '=' || byte == '\r');
    }
}

static void end_command_line(struct ear *ear)
{
    struct slice line = slice_make(ear->line, ear->column < LINE_BYTES ? ear->column : LINE_BYTES);
    /* The far end may have challenged before it heard the command. */
    if (ear->answers > 0 && !slice_starts(line, SLICE("AUTH "))) {
        end_answer_line(ear, line);
        return;
    }
    ear->is_behind_data = slice_equal(line, SLICE("DATA\r"));
    struct reader r = reader_over(line);
    uint64_t length;
    if (reader_literal(&r, SLICE("BDAT "))) {
        must(reader_number(&r, UNSENT_BYTES_MAX, &length));
        (void)reader_literal(&r, SLICE(" LAST"));
        must(slice_equal(r.rest, SLICE("\r")));
        ear->chunk_left = length;
        return;
    }
    bool is_known = false;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        bool has_argument = !slice_ends(verbs[i], SLICE("\r"));
        is_known =
            is_known || (has_argument ? slice_starts(line, verbs[i]) : slice_equal(line, verbs[i]));
    }
    must(is_known);
}

/* The message of a world is over when its caller ended it, and not before. */
static void end_message_line(struct world *w)
{
    struct ear *ear = &w->ear;
    if (ear->column == 2 && ear->line[0] == '.') {
        must(++w->ends_heard <= w->ends);
        ear->is_message = false;
    }
}

static void hear_byte(struct world *w, char byte)
{
    struct ear *ear = &w->ear;
    if (ear->chunk_left > 0) {
        ear->chunk_left--;
        return;
    }
    if (ear->is_behind_data) {
        ear->is_behind_data = false;
        ear->is_message = ear->is_354;
        ear->is_354 = false;
    }
    bool begins = ear->column == 0 && !ear->is_message;
    bool greets = ear->answers == 0 && (byte == 'E' || byte == 'H' || byte == 'L');
    w->begun += begins && !greets ? 1 : 0;
    must(ear->had_cr == (byte == '\n')); /* RFC 5321 2.3.8 */
    ear->had_cr = byte == '\r';
    if (byte != '\n') {
        must(ear->is_message || byte == '\r' || (unsigned char)byte >= ' ');
        if (ear->column < LINE_BYTES) {
            ear->line[ear->column] = byte;
        }
        ear->column++;
        return;
    }
    if (ear->is_message) {
        end_message_line(w);
    } else {
        end_command_line(ear);
    }
    ear->column = 0;
}

static void send_bytes(struct world *w, size_t wanted)
{
    struct slice unsent = hel_smtp_client_unsent(w->client);
    must(unsent.len <= UNSENT_BYTES_MAX);
    size_t n = wanted < unsent.len ? wanted : unsent.len;
    for (size_t i = 0; i < n; i++) {
        hear_byte(w, unsent.at[i]);
    }
    hel_smtp_client_sent(w->client, n, w->now_ms);
}

/* RFC 2033 4.2: one for each recipient that was accepted, with the tag of its RCPT, or one with that of the end. */
static void on_lmtp_answer(struct world *w, const struct hel_smtp_event *event)
{
    uint64_t *last = event->stage == HEL_SMTP_BODY ? &w->body_tag : &w->answered;
    must(event->tag > *last && event->tag <= w->asked);
    *last = event->tag;
}

static void on_answer(struct world *w, const struct hel_smtp_event *event)
{
    if (w->is_lmtp) {
        on_lmtp_answer(w, event);
    } else {
        w->answered++;
        must(event->tag == w->answered && w->answered <= w->asked);
    }
    must(w->answered <= w->begun);
    if (event->tag == w->data_tag) {
        must(event->stage == HEL_SMTP_DATA);
        w->is_open = event->reply.code == 354;
        w->ear.is_354 = w->is_open;
    }
}

static void on_event(struct world *w, const struct hel_smtp_event *event)
{
    must(!w->is_over && !w->is_shaking);
    must(event->reply.text.len <= REPLY_BYTES_MAX);
    switch (event->kind) {
    case HEL_SMTP_EVENT_HELLO:
        must(event->stage == HEL_SMTP_EHLO && hel_reply_is_success(&event->reply));
        break;
    case HEL_SMTP_EVENT_START_TLS:
        must(event->reply.code == 220);
        on_answer(w, event);
        w->is_shaking = true;
        break;
    case HEL_SMTP_EVENT_REPLY:
        must(event->reply.code >= 200 && event->reply.code <= 599);
        if (event->stage > HEL_SMTP_EHLO) {
            on_answer(w, event);
        }
        break;
    case HEL_SMTP_EVENT_FAILED:
        must(event->failure != HEL_SMTP_FAILURE_NOMEM);
        w->is_over = true;
        break;
    }
}

static void pull(struct world *w)
{
    struct hel_smtp_event event;
    /* In the handshake nothing more is said until tls_ready, unless the line breaks. */
    while (hel_smtp_client_next(w->client, &event)) {
        w->is_shaking = w->is_shaking && event.kind != HEL_SMTP_EVENT_FAILED;
        on_event(w, &event);
    }
    if (w->is_over || w->is_shaking) {
        must(hel_smtp_client_deadline(w->client) == UINT64_MAX);
    }
    must(!w->is_over || hel_smtp_client_unsent(w->client).len == 0);
}

static void pass_time(struct world *w, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        w->now_ms += (unsigned char)text.at[i] * 1000u;
    }
    hel_smtp_client_tick(w->client, w->now_ms);
    pull(w);
    must(hel_smtp_client_deadline(w->client) > w->now_ms);
}

static enum err mail(struct world *w, struct slice text)
{
    char first = text.len > 0 ? text.at[0] : '\0';
    const struct hel_smtp_mail mail = {.reverse_path = slice_sub(text, 1, text.len),
                                       .smtputf8 = (first & 1) != 0,
                                       .body_8bitmime = (first & 2) != 0,
                                       .size = (first & 4) != 0 ? UINT64_MAX : 0};
    return hel_smtp_client_mail(w->client, w->asked + 1, &mail);
}

static enum err data_or_end(struct world *w, enum action action)
{
    uint64_t tag = w->asked + 1;
    if (action == ACTION_DATA) {
        enum err e = hel_smtp_client_data(w->client, tag);
        if (e == ERR_NONE) {
            w->data_tag = tag;
        }
        return e;
    }
    enum err e = hel_smtp_client_body_end(w->client, tag);
    if (e == ERR_NONE) {
        must(w->is_open);
        w->is_open = false;
        w->ends++;
        w->begun++;
    }
    return e;
}

static enum err log_in(struct world *w, enum action action, struct slice text)
{
    uint64_t tag = w->asked + 1;
    if (action == ACTION_ANSWER || action == ACTION_CANCEL) {
        enum err e = action == ACTION_ANSWER ? hel_smtp_client_auth_answer(w->client, tag, text)
                                             : hel_smtp_client_auth_cancel(w->client, tag);
        w->ear.answers += e == ERR_NONE ? 1 : 0;
        return e;
    }
    struct slice initial = text;
    struct slice mechanism = action == ACTION_AUTH ? text : slice_cut(&initial, ' ');
    return hel_smtp_client_auth(w->client, tag, mechanism, action == ACTION_AUTH ? NULL : &initial);
}

static enum err tell_of(struct world *w, enum action action, struct slice text)
{
    uint64_t tag = w->asked + 1;
    struct hel_smtp_attribute attribute = {.value = text};
    attribute.name = slice_cut(&attribute.value, '=');
    return action == ACTION_XCLIENT ? hel_smtp_client_xclient(w->client, tag, &attribute, 1)
                                    : hel_smtp_client_xforward(w->client, tag, &attribute, 1);
}

static enum err ask(struct world *w, enum action action, struct slice text)
{
    uint64_t tag = w->asked + 1;
    switch ((unsigned)action) {
    case ACTION_MAIL: return mail(w, text);
    case ACTION_RCPT: return hel_smtp_client_rcpt(w->client, tag, text);
    case ACTION_BDAT:
        return hel_smtp_client_bdat(w->client, tag, slice_sub(text, 1, text.len),
                                    text.len > 0 && (text.at[0] & 1) != 0);
    case ACTION_RSET: return hel_smtp_client_rset(w->client, tag);
    case ACTION_STARTTLS: return hel_smtp_client_starttls(w->client, tag);
    case ACTION_QUIT: return hel_smtp_client_quit(w->client, tag);
    case ACTION_AUTH:
    case ACTION_AUTH_INITIAL:
    case ACTION_ANSWER:
    case ACTION_CANCEL: return log_in(w, action, text);
    case ACTION_XCLIENT:
    case ACTION_XFORWARD: return tell_of(w, action, text);
    default: return data_or_end(w, action);
    }
}

static void act(struct world *w, enum action action, struct slice text)
{
    switch ((unsigned)action) {
    case ACTION_PEER:
    case ACTION_PEER_RAW:
        hel_smtp_client_received(w->client, text, w->now_ms);
        if (action == ACTION_PEER) {
            hel_smtp_client_received(w->client, SLICE("\r\n"), w->now_ms);
        }
        break;
    case ACTION_SENT: send_bytes(w, SIZE_MAX); break;
    case ACTION_SENT_ONE: send_bytes(w, 1); break;
    case ACTION_TIME: pass_time(w, text); break;
    case ACTION_BODY:
        if (hel_smtp_client_body(w->client, text) == ERR_NONE) {
            must(w->is_open);
        }
        break;
    case ACTION_TLS:
        if (w->is_shaking) {
            w->is_shaking = false;
            w->ear = (struct ear){.column = 0};
            hel_smtp_client_tls_ready(w->client, w->now_ms);
        }
        break;
    case ACTION_CLOSE: hel_smtp_client_peer_closed(w->client); break;
    case ACTION_LMTP: break;
    default: {
        bool has_room = w->is_lmtp || w->asked - w->answered < COMMANDS_MAX;
        if (ask(w, action, text) == ERR_NONE) {
            must(!w->is_over && !w->is_shaking && has_room);
            w->asked++;
        }
        break;
    }
    }
    pull(w);
}

static enum action action_of(uint8_t byte)
{
    unsigned action = byte % ACTION_BYTES;
    return action < ACTION_COUNT ? (enum action)action : ACTION_LMTP;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_lmtp = size > 0 && action_of(data[0]) == ACTION_LMTP;
    const struct hel_smtp_client_config config = {.helo_name = SLICE("us.example"),
                                                  .reply_bytes_max = REPLY_BYTES_MAX,
                                                  .unsent_bytes_max = UNSENT_BYTES_MAX,
                                                  .commands_max = COMMANDS_MAX,
                                                  .is_lmtp = is_lmtp};
    struct world w = {.now_ms = 1, .is_lmtp = is_lmtp};
    must(hel_smtp_client_new(&config, w.now_ms, &w.client) == ERR_NONE);
    struct reader r = reader_over(slice_make((const char *)data, size));
    for (char byte; reader_byte(&r, &byte);) {
        struct slice text = r.rest;
        if (!reader_until(&r, '\xff', &text)) {
            (void)reader_take(&r, r.rest.len, &text);
        }
        act(&w, action_of((uint8_t)byte), text);
    }
    hel_smtp_client_free(w.client);
    return 0;
}
