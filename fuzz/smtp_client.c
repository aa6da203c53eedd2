/* fuzz/smtp_client: a caller, a peer and a clock out of the input. Each action is a byte, its argument the
 * bytes up to the next 0xFF. Checked all along: never more answers than commands, tags in the order of the
 * commands, each line sent is one of ours (no argument ends a line or begins one), a message is ended by
 * the client alone, deadlines and events fit the state.
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
    ACTION_COUNT,
};

enum {
    UNSENT_BYTES_MAX = 2048,
    COMMANDS_MAX = 8,
    REPLY_BYTES_MAX = 100,
    LINE_BYTES = 64, /* of a line, enough to know it by */
};

/* What the peer hears: lines of commands, chunks, the lines of a message. */
struct ear {
    char line[LINE_BYTES];
    size_t column, chunk_left;
    bool had_cr, is_behind_data, is_354, is_message;
};

struct world {
    struct hel_smtp_client *client;
    uint64_t now_ms;
    uint64_t asked, answered;  /* tags count from 1 */
    uint64_t data_tag;         /* of the last DATA */
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
};

static void end_command_line(struct ear *ear)
{
    struct slice line = slice_make(ear->line, ear->column < LINE_BYTES ? ear->column : LINE_BYTES);
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
    w->begun += begins && byte != 'E' && byte != 'H' ? 1 : 0;
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

static void on_answer(struct world *w, const struct hel_smtp_event *event)
{
    w->answered++;
    must(event->tag == w->answered && w->answered <= w->asked);
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
    default: {
        bool may_be_taken = !w->is_over && !w->is_shaking && w->asked - w->answered < COMMANDS_MAX;
        if (ask(w, action, text) == ERR_NONE) {
            must(may_be_taken);
            w->asked++;
        }
        break;
    }
    }
    pull(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hel_smtp_client_config config = {.helo_name = SLICE("us.example"),
                                                  .reply_bytes_max = REPLY_BYTES_MAX,
                                                  .unsent_bytes_max = UNSENT_BYTES_MAX,
                                                  .commands_max = COMMANDS_MAX};
    struct world w = {.now_ms = 1};
    must(hel_smtp_client_new(&config, w.now_ms, &w.client) == ERR_NONE);
    struct reader r = reader_over(slice_make((const char *)data, size));
    for (char byte; reader_byte(&r, &byte);) {
        struct slice text = r.rest;
        if (!reader_until(&r, '\xff', &text)) {
            (void)reader_take(&r, r.rest.len, &text);
        }
        act(&w, (enum action)((unsigned char)byte % ACTION_COUNT), text);
    }
    hel_smtp_client_free(w.client);
    return 0;
}
