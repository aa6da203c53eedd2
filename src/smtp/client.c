/* smtp/client: life, bytes in, bytes out, time and events.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

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
    [HEL_SMTP_QUIT] = 300000,
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
    struct hel_smtp_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return ERR_NOMEM;
    }
    client->config = *config;
    apply_defaults(&client->config);
    memcpy(client->helo, config->helo_name.at, config->helo_name.len);
    client->config.helo_name = slice_make(client->helo, config->helo_name.len);
    buf_init(&client->input, CLIENT_INPUT_BYTES);
    buf_init(&client->out, client->config.unsent_bytes_max);
    buf_init(&client->held, client->config.unsent_bytes_max);
    buf_init(&client->extension_lines, CLIENT_EXTENSION_BYTES);
    client->now_ms = now_ms;
    client->awaited_since_ms = now_ms;
    enum err e = hel_reply_parser_new(client->config.reply_bytes_max, &client->parser);
    if (e == ERR_NONE) {
        struct client_command greeting = {.stage = HEL_SMTP_BANNER, .is_own = true};
        e = client_queue(client, &greeting, SLICE_NONE);
    }
    if (e != ERR_NONE) {
        hel_smtp_client_free(client);
        return e;
    }
    *out = client;
    return ERR_NONE;
}

void hel_smtp_client_free(struct hel_smtp_client *client)
{
    if (client == NULL) {
        return;
    }
    hel_reply_parser_free(client->parser);
    buf_done(&client->input);
    buf_done(&client->out);
    buf_done(&client->held);
    buf_done(&client->extension_lines);
    free(client->commands);
    free(client);
}

/* Commands. */

static enum err make_room(struct hel_smtp_client *client)
{
    if (client->command_count < client->command_room) {
        return ERR_NONE;
    }
    if (client->command_room >= client->config.commands_max) {
        return ERR_LIMIT;
    }
    unsigned room = client->command_room == 0 ? CLIENT_COMMANDS_FIRST : client->command_room * 2;
    if (room > client->config.commands_max) {
        room = client->config.commands_max;
    }
    struct client_command *grown = realloc(client->commands, room * sizeof *grown);
    if (grown == NULL) {
        return ERR_NOMEM;
    }
    client->commands = grown;
    client->command_room = room;
    return ERR_NONE;
}

enum err client_queue(struct hel_smtp_client *client, const struct client_command *command,
                      struct slice text)
{
    if (client->out.len + client->held.len + text.len > client->config.unsent_bytes_max) {
        return ERR_LIMIT;
    }
    enum err e = make_room(client);
    if (e == ERR_NONE) {
        e = buf_append(&client->held, text);
    }
    if (e != ERR_NONE) {
        return e;
    }
    struct client_command *added = &client->commands[client->command_count++];
    *added = *command;
    added->len = (uint32_t)text.len;
    client_release(client);
    return ERR_NONE;
}

/* RFC 2920 3.1: these may stand inside a group; any other ends it. */
static bool may_be_followed(const struct client_command *command)
{
    return !command->is_own && (command->stage == HEL_SMTP_MAIL ||
                                command->stage == HEL_SMTP_RCPT || command->stage == HEL_SMTP_RSET);
}

static bool may_release(const struct hel_smtp_client *client)
{
    if (client->sent_count == client->command_count) {
        return false;
    }
    if (client->sent_count == 0) {
        return true;
    }
    bool is_pipelined = (client->extensions & HEL_SMTP_EXT_PIPELINING) != 0;
    return is_pipelined && may_be_followed(&client->commands[client->sent_count - 1]);
}

void client_release(struct hel_smtp_client *client)
{
    while (may_release(client)) {
        const struct client_command *command = &client->commands[client->sent_count];
        struct slice text = slice_sub(buf_view(&client->held), 0, command->len);
        if (buf_append(&client->out, text) != ERR_NONE) {
            client->is_closed = true; /* memory is gone: the conversation cannot go on */
            return;
        }
        buf_drop_front(&client->held, command->len);
        if (client->sent_count == 0) {
            client->awaited_since_ms = client->now_ms;
        }
        client->sent_count++;
    }
}

static struct client_command take_command(struct hel_smtp_client *client)
{
    struct client_command first = client->commands[0];
    client->command_count--;
    client->sent_count--;
    memmove(client->commands, client->commands + 1, client->command_count * sizeof first);
    client->awaited_since_ms = client->now_ms;
    return first;
}

/* Bytes and time. */

void hel_smtp_client_received(struct hel_smtp_client *client, struct slice bytes, uint64_t now_ms)
{
    client->now_ms = now_ms;
    if (client->state != CLIENT_OVER && client->state != CLIENT_HANDSHAKE &&
        buf_append(&client->input, bytes) != ERR_NONE) {
        client->is_closed = true;
    }
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
    client->now_ms = now_ms;
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
    client->now_ms = now_ms;
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

static bool on_banner(struct hel_smtp_client *client, const struct hel_reply *reply,
                      struct hel_smtp_event *out)
{
    if (hel_reply_is_success(reply)) {
        if (client_say_hello(client) != ERR_NONE) {
            return fail(client, HEL_SMTP_FAILURE_NOMEM, NULL, out);
        }
        return false;
    }
    client->state = CLIENT_REFUSED;
    *out = (struct hel_smtp_event){
        .kind = HEL_SMTP_EVENT_REPLY, .stage = HEL_SMTP_BANNER, .reply = *reply};
    return true;
}

static void on_starttls(struct hel_smtp_client *client, const struct hel_reply *reply,
                        struct hel_smtp_event *out)
{
    client->state = CLIENT_READY;
    if (!hel_reply_is_success(reply)) {
        return;
    }
    client->state = CLIENT_HANDSHAKE;
    out->kind = HEL_SMTP_EVENT_START_TLS;
    /* RFC 3207 4.2 and 6: what came in plain behind the reply is somebody's injection. */
    out->is_plaintext_dropped = client->input.len > 0;
    buf_clear(&client->input);
}

static bool on_reply(struct hel_smtp_client *client, const struct hel_reply *reply,
                     struct hel_smtp_event *out)
{
    if (client->sent_count == 0) {
        bool is_closing = reply->code == 421; /* RFC 5321 3.8: at any time */
        return fail(client, is_closing ? HEL_SMTP_FAILURE_CLOSING : HEL_SMTP_FAILURE_PROTOCOL,
                    is_closing ? reply : NULL, out);
    }
    struct client_command command = take_command(client);
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
    if (command.stage == HEL_SMTP_STARTTLS) {
        on_starttls(client, reply, out);
    } else if (command.stage == HEL_SMTP_DATA && client->is_data_open) {
        client->is_data_open = false;
        client->state = reply->code == 354 ? CLIENT_BODY : client->state;
        client->is_body_line_start = true;
        client->body_had_cr = false;
    }
    client_release(client);
    return true;
}

bool hel_smtp_client_next(struct hel_smtp_client *client, struct hel_smtp_event *out)
{
    while (client->state != CLIENT_OVER) {
        if (client->is_closing) {
            return fail(client, HEL_SMTP_FAILURE_CLOSING, NULL, out);
        }
        if (client->input.len > 0 && client->state != CLIENT_HANDSHAKE) {
            size_t used;
            struct hel_reply reply;
            enum hel_reply_status status =
                hel_reply_parser_feed(client->parser, buf_view(&client->input), &used, &reply);
            buf_drop_front(&client->input, used);
            if (status == HEL_REPLY_BROKEN) {
                return fail(client, HEL_SMTP_FAILURE_PROTOCOL, NULL, out);
            }
            if (status == HEL_REPLY_DONE && on_reply(client, &reply, out)) {
                return true;
            }
            continue;
        }
        if (client->is_closed) {
            return fail(client, HEL_SMTP_FAILURE_CLOSED, NULL, out);
        }
        if (client->is_timed_out) {
            return fail(client, HEL_SMTP_FAILURE_TIMEOUT, NULL, out);
        }
        return false;
    }
    return false;
}

void client_forget(struct hel_smtp_client *client)
{
    client->extensions = 0;
    client->size_limit = 0;
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
