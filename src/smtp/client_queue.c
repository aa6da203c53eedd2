/* smtp/client_queue: commands waiting, going out and owing a reply (RFC 2920 3.1).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "smtp/client_private.h"

static enum err make_room(struct hel_smtp_client *client)
{
    if (client->command_count < client->command_room) {
        return ERR_NONE;
    }
    if (client->command_room >= client->config.commands_max) {
        return ERR_LIMIT;
    }
    unsigned room = client->command_room * 2;
    if (room > client->config.commands_max) {
        room = client->config.commands_max;
    }
    bool is_first = client->commands == client->first_commands;
    struct client_command *grown =
        realloc(is_first ? NULL : client->commands, room * sizeof *grown);
    if (grown == NULL) {
        return ERR_NOMEM;
    }
    if (is_first) {
        memcpy(grown, client->commands, client->command_count * sizeof *grown);
    }
    client->commands = grown;
    client->command_room = room;
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
    const struct client_command *next = &client->commands[client->sent_count];
    if (next->stage == HEL_SMTP_BODY && next->len == 0) {
        return true; /* LMTP: a further answer to what went out */
    }
    bool is_pipelined = (client->extensions & HEL_SMTP_EXT_PIPELINING) != 0;
    return is_pipelined && may_be_followed(&client->commands[client->sent_count - 1]);
}

/* The first that waits; its text goes out next. */
static void release_first(struct hel_smtp_client *client)
{
    struct client_command *command = &client->commands[client->sent_count];
    command->start_at = client->sent_total + client->out.len;
    if (client->sent_count == 0) {
        client->awaited_since_ms = client->now_ms;
        client->is_now_stale = true;
    }
    client->sent_count++;
}

/* len: of all of them; room for it is reserved. */
static void append_parts(struct buf *to, const struct slice *parts, size_t count, size_t len)
{
    must(len <= to->cap - to->len);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0) {
            memcpy(to->at + to->len, parts[i].at, parts[i].len);
            to->len += parts[i].len;
        }
    }
}

enum err client_queue_parts(struct hel_smtp_client *client, const struct client_command *command,
                            const struct slice *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += parts[i].len;
    }
    if (client->out.len + client->held.len + len > client->config.unsent_bytes_max) {
        return ERR_LIMIT;
    }
    enum err e = make_room(client);
    if (e == ERR_NONE) { /* invariant 4: what is queued can be released */
        e = buf_reserve(&client->out, client->held.len + len);
    }
    if (e != ERR_NONE) {
        return e;
    }
    struct client_command *added = &client->commands[client->command_count++];
    *added = *command;
    added->len = (uint32_t)len;
    if (client->sent_count + 1 == client->command_count && may_release(client)) {
        release_first(client);
        append_parts(&client->out, parts, count, len);
        return ERR_NONE;
    }
    e = buf_reserve(&client->held, len);
    if (e != ERR_NONE) {
        client->command_count--;
        return e;
    }
    append_parts(&client->held, parts, count, len);
    client_release(client);
    return ERR_NONE;
}

enum err client_queue(struct hel_smtp_client *client, const struct client_command *command,
                      struct slice text)
{
    return client_queue_parts(client, command, &text, 1);
}

enum err client_queue_alone(struct hel_smtp_client *client, const struct client_command *command,
                            struct slice text, enum client_state state)
{
    enum err e = client_queue(client, command, text);
    if (e == ERR_NONE) {
        client->state = state;
    }
    return e;
}

void client_release(struct hel_smtp_client *client)
{
    while (may_release(client)) {
        uint32_t len = client->commands[client->sent_count].len;
        struct slice text = slice_sub(buf_view(&client->held), 0, len);
        release_first(client);
        append_parts(&client->out, &text, 1, len);
        buf_drop_front(&client->held, len);
    }
}

struct client_command client_take_command(struct hel_smtp_client *client)
{
    struct client_command first = client->commands[0];
    client->command_count--;
    client->sent_count--;
    if (client->command_count > 0) {
        memmove(client->commands, client->commands + 1, client->command_count * sizeof first);
    }
    client->awaited_since_ms = client->now_ms;
    client->is_timed_out = false;
    return first;
}
