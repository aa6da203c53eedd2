/* smtp/client: life, bytes in, bytes out, time and events.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "smtp/client_private.h"

/* RFC 5321 4.5.3.2, in milliseconds. */
static const uint32_t default_timeout_ms[HEL_SMTP_STAGE_COUNT] = {
    [HEL_SMTP_CONNECT] = 300000,  [HEL_SMTP_BANNER] = 300000, [HEL_SMTP_EHLO] = 300000,
    [HEL_SMTP_STARTTLS] = 300000, [HEL_SMTP_MAIL] = 300000,   [HEL_SMTP_RCPT] = 300000,
    [HEL_SMTP_DATA] = 120000,     [HEL_SMTP_BODY] = 600000,   [HEL_SMTP_RSET] = 300000,
    [HEL_SMTP_QUIT] = 300000,     [HEL_SMTP_AUTH] = 300000,   [HEL_SMTP_XCLIENT] = 300000,
};

static bool is_name_safe(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.at[i];
        if (byte <= ' ' || byte >= 0x7f) {
            return false;
        }
    }
    return name.len > 0 && name.len < CLIENT_HELO_BYTES;
}

static void apply_defaults(struct hel_smtp_client_config *config)
{
    if (config->reply_bytes_max == 0) {
        config->reply_bytes_max = CLIENT_REPLY_BYTES;
    }
    if (config->unsent_bytes_max == 0) {
        config->unsent_bytes_max = CLIENT_UNSENT_BYTES;
    }
    if (config->unsent_bytes_max < CLIENT_UNSENT_BYTES_MIN) {
        config->unsent_bytes_max = CLIENT_UNSENT_BYTES_MIN;
    }
    if (config->commands_max == 0) {
        config->commands_max = CLIENT_COMMANDS;
    }
    for (size_t i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        if (config->timeout_ms[i] == 0) {
            config->timeout_ms[i] = default_timeout_ms[i];
        }
    }
}

enum err hel_smtp_client_new(const struct hel_smtp_client_config *config, uint64_t now_ms,
                             struct hel_smtp_client **out)
{
    if (!is_name_safe(config->helo_name)) {
        return ERR_SYNTAX;
    }
    /* Not calloc: the C library's passes by what the thread has just freed. */
    struct hel_smtp_client *client = malloc(sizeof *client + config->helo_name.len);
    if (client == NULL) {
        return ERR_NOMEM;
    }
    memset(client, 0, offsetof(struct hel_smtp_client, first_commands));
    client->config = *config;
    apply_defaults(&client->config);
    memcpy(client->helo, config->helo_name.at, config->helo_name.len);
    client->config.helo_name = slice_make(client->helo, config->helo_name.len);
    reply_parser_init(&client->parser, client->config.reply_bytes_max, client->text_room,
                      sizeof client->text_room);
    buf_init_in(&client->input, client->input_room, sizeof client->input_room, CLIENT_INPUT_BYTES);
    buf_init_in(&client->out, client->out_room, sizeof client->out_room,
                client->config.unsent_bytes_max);
    buf_init(&client->held, client->config.unsent_bytes_max);
    buf_init(&client->extension_lines, CLIENT_EXTENSION_BYTES);
    client->commands = client->first_commands;
    client->command_room = client->config.commands_max < CLIENT_COMMANDS_FIRST
                               ? client->config.commands_max
                               : CLIENT_COMMANDS_FIRST;
    client->now_ms = now_ms;
    struct client_command greeting = {.stage = HEL_SMTP_BANNER, .is_own = true};
    must(client_queue(client, &greeting, SLICE_NONE) == ERR_NONE); /* it is the first */
    client->is_now_stale = false;
    *out = client;
    return ERR_NONE;
}

void hel_smtp_client_free(struct hel_smtp_client *client)
{
    if (client == NULL) {
        return;
    }
    reply_parser_done(&client->parser);
    buf_done(&client->input);
    buf_done(&client->out);
    buf_done(&client->held);
    buf_done(&client->extension_lines);
    if (client->commands != client->first_commands) {
        free(client->commands);
    }
    free(client->accepted);
    free(client);
}

/* Bytes and time. */

/* Commands are not told the time: a wait that one of them began counts from the next call that is. */
static void take_time(struct hel_smtp_client *client, uint64_t now_ms)
{
    client->now_ms = now_ms;
    if (client->is_now_stale) {
        client->awaited_since_ms = now_ms;
        client->is_now_stale = false;
    }
}

void hel_smtp_client_received(struct hel_smtp_client *client, struct slice bytes, uint64_t now_ms)
{
    take_time(client, now_ms);
    bool is_deaf = client->is_starved || client->is_flooded; /* bytes are missing from here on */
    if (is_deaf || client->state == CLIENT_OVER || client->state == CLIENT_HANDSHAKE) {
        return;
    }
    enum err e = buf_append(&client->input, bytes);
    client->is_starved = e == ERR_NOMEM;
    client->is_flooded = e == ERR_LIMIT;
}

void hel_smtp_client_peer_closed(struct hel_smtp_client *client)
{
    client->is_closed = true;
}

struct slice hel_smtp_client_unsent(const struct hel_smtp_client *client)
{
    return client->state == CLIENT_OVER ? SLICE_NONE : buf_view(&client->out);
}

void hel_smtp_client_sent(struct hel_smtp_client *client, size_t n, uint64_t now_ms)
{
    take_time(client, now_ms);
    client->sent_total += n < client->out.len ? n : client->out.len;
    buf_drop_front(&client->out, n);
}

uint64_t hel_smtp_client_deadline(const struct hel_smtp_client *client)
{
    bool awaits =
        client->state != CLIENT_OVER && client->state != CLIENT_HANDSHAKE && client->sent_count > 0;
    if (!awaits) {
        return UINT64_MAX;
    }
    return client->awaited_since_ms + client->config.timeout_ms[client->commands[0].stage];
}

void hel_smtp_client_tick(struct hel_smtp_client *client, uint64_t now_ms)
{
    take_time(client, now_ms);
    if (now_ms >= hel_smtp_client_deadline(client)) {
        client->is_timed_out = true;
    }
}

/* Events. */

static enum hel_smtp_stage awaited_stage(const struct hel_smtp_client *client)
{
    if (client->sent_count > 0) {
        return (enum hel_smtp_stage)client->commands[0].stage;
    }
    if (client->state == CLIENT_BODY) {
        return HEL_SMTP_BODY;
    }
    if (client->state == CLIENT_CHALLENGED) {
        return HEL_SMTP_AUTH;
    }
    return client->state == CLIENT_HANDSHAKE ? HEL_SMTP_STARTTLS : HEL_SMTP_RSET;
}

static bool fail(struct hel_smtp_client *client, enum hel_smtp_failure failure,
                 const struct hel_reply *reply, struct hel_smtp_event *out)
{
    *out = (struct hel_smtp_event){
        .kind = HEL_SMTP_EVENT_FAILED, .stage = awaited_stage(client), .failure = failure};
    if (reply != NULL) {
        out->reply = *reply;
    }
    client->state = CLIENT_OVER;
    return true;
}

/* What is left to say when no reply is at hand; false: nothing, all is well. */
static bool fail_if_over(struct hel_smtp_client *client, struct hel_smtp_event *out)
{
    if (client->is_starved) {
        return fail(client, HEL_SMTP_FAILURE_NOMEM, NULL, out);
    }
    if (client->is_flooded) {
        return fail(client, HEL_SMTP_FAILURE_PROTOCOL, NULL, out);
    }
    if (client->is_closed) {
        return fail(client, HEL_SMTP_FAILURE_CLOSED, NULL, out);
    }
    return client->is_timed_out && fail(client, HEL_SMTP_FAILURE_TIMEOUT, NULL, out);
}

static bool on_banner(struct hel_smtp_client *client, const struct hel_reply *reply,
                      struct hel_smtp_event *out)
{
    bool is_good = hel_reply_is_success(reply);
    if (is_good && !client->config.holds_hello) {
        if (client_say_hello(client) != ERR_NONE) {
            return fail(client, HEL_SMTP_FAILURE_NOMEM, NULL, out);
        }
        return false;
    }
    client->state = is_good ? CLIENT_HOLDING : CLIENT_REFUSED;
    *out = (struct hel_smtp_event){
        .kind = HEL_SMTP_EVENT_REPLY, .stage = HEL_SMTP_BANNER, .reply = *reply};
    return true;
}

static void on_starttls(struct hel_smtp_client *client, const struct hel_reply *reply,
                        struct hel_smtp_event *out)
{
    client->state = CLIENT_READY;
    if (reply->code != 220) {
        return;
    }
    client->state = CLIENT_HANDSHAKE;
    out->kind = HEL_SMTP_EVENT_START_TLS;
    /* RFC 3207 4.2 and 6: what came in plain behind the reply is somebody's injection. */
    out->is_plaintext_dropped = client->input.len > 0;
    buf_clear(&client->input);
}

/* The 354 to DATA; in this state DATA is the last of the queue (RFC 5321 4.1.1.4). */
static void on_data(struct hel_smtp_client *client, const struct hel_reply *reply)
{
    client->state = reply->code == 354 ? CLIENT_BODY : CLIENT_READY;
    client->is_body_line_start = true;
    client->body_had_cr = false;
}

/* What the answer to a command of the caller's means for those that follow. ERR_NOMEM. */
static enum err learn_from(struct hel_smtp_client *client, const struct client_command *command,
                           const struct hel_reply *reply, struct hel_smtp_event *out)
{
    if (command->stage == HEL_SMTP_STARTTLS) {
        on_starttls(client, reply, out);
    } else if (command->stage == HEL_SMTP_AUTH) {
        client_on_auth(client, reply);
    } else if (client->state == CLIENT_XCLIENT && client->command_count == 0) {
        return client_on_xclient(client, reply);
    } else if (client->state == CLIENT_DATA && client->command_count == 0) {
        on_data(client, reply);
    } else if (command->stage == HEL_SMTP_MAIL || command->stage == HEL_SMTP_RSET) {
        client->accepted_count = 0;
    } else if (command->stage == HEL_SMTP_RCPT && hel_reply_is_success(reply)) {
        return client_accept(client, command->tag);
    }
    return ERR_NONE;
}

static bool is_answer_due(const struct hel_smtp_client *client)
{
    if (client->sent_count == 0) {
        return false;
    }
    const struct client_command *first = &client->commands[0];
    return first->len == 0 || client->sent_total > first->start_at;
}

static bool on_reply(struct hel_smtp_client *client, const struct hel_reply *reply,
                     struct hel_smtp_event *out)
{
    if (!is_answer_due(client)) {
        bool is_closing = reply->code == 421; /* RFC 5321 3.8: at any time */
        return fail(client, is_closing ? HEL_SMTP_FAILURE_CLOSING : HEL_SMTP_FAILURE_PROTOCOL,
                    is_closing ? reply : NULL, out);
    }
    struct client_command command = client_take_command(client);
    client->is_closing = reply->code == 421;
    if (command.stage == HEL_SMTP_BANNER) {
        return on_banner(client, reply, out);
    }
    if (command.stage == HEL_SMTP_EHLO) {
        return client_on_hello(client, reply, out);
    }
    *out = (struct hel_smtp_event){.kind = HEL_SMTP_EVENT_REPLY,
                                   .stage = (enum hel_smtp_stage)command.stage,
                                   .tag = command.tag,
                                   .reply = *reply};
    enum err e = learn_from(client, &command, reply, out);
    if (e != ERR_NONE) {
        return fail(client, HEL_SMTP_FAILURE_NOMEM, NULL, out);
    }
    if (!client->is_closing) {
        client_release(client);
    }
    return true;
}

/* Takes what is looked at from the input. A reply is valid until the next bytes come. */
static enum hel_reply_status take_reply(struct hel_smtp_client *client, struct hel_reply *reply)
{
    struct slice input = buf_view(&client->input);
    if (reply_parser_take_line(&client->parser, input, reply)) {
        buf_clear(&client->input);
        return HEL_REPLY_DONE;
    }
    size_t used;
    enum hel_reply_status status = hel_reply_parser_feed(&client->parser, input, &used, reply);
    buf_drop_front(&client->input, used);
    return status;
}

bool hel_smtp_client_next(struct hel_smtp_client *client, struct hel_smtp_event *out)
{
    while (client->state != CLIENT_OVER) {
        if (client->is_closing) {
            return fail(client, HEL_SMTP_FAILURE_CLOSING, NULL, out);
        }
        if (client->input.len == 0) {
            return fail_if_over(client, out);
        }
        UNFILLED struct hel_reply reply;
        enum hel_reply_status status = take_reply(client, &reply);
        if (status == HEL_REPLY_BROKEN) {
            bool is_starved = reply_parser_is_starved(&client->parser);
            return fail(client, is_starved ? HEL_SMTP_FAILURE_NOMEM : HEL_SMTP_FAILURE_PROTOCOL,
                        NULL, out);
        }
        if (status == HEL_REPLY_DONE && on_reply(client, &reply, out)) {
            return true;
        }
    }
    return false;
}

void client_forget(struct hel_smtp_client *client)
{
    client->extensions = 0;
    client->size_limit = 0;
    client->is_logged_in = false;
    client->accepted_count = 0;
    buf_clear(&client->extension_lines);
}

unsigned hel_smtp_client_extensions(const struct hel_smtp_client *client)
{
    return client->extensions;
}

uint64_t hel_smtp_client_size_limit(const struct hel_smtp_client *client)
{
    return client->size_limit;
}

struct slice hel_smtp_client_extension_lines(const struct hel_smtp_client *client)
{
    return buf_view(&client->extension_lines);
}
