/* smtp/client_data: the message itself: DATA with dot-stuffing (RFC 5321 4.1.1.4, 4.5.2) and BDAT (RFC 3030).
 * Bare CR and LF become CRLF, so that nothing but CRLF.CRLF can end the message (2.3.8).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "smtp/client_private.h"

enum err client_accept(struct hel_smtp_client *client, uint64_t tag)
{
    if (!client->config.is_lmtp) {
        return ERR_NONE;
    }
    if (client->accepted_count == client->accepted_room) {
        unsigned room =
            client->accepted_room == 0 ? CLIENT_COMMANDS_FIRST : client->accepted_room * 2;
        uint64_t *grown = realloc(client->accepted, room * sizeof *grown);
        if (grown == NULL) {
            return ERR_NOMEM;
        }
        client->accepted = grown;
        client->accepted_room = room;
    }
    client->accepted[client->accepted_count++] = tag;
    return ERR_NONE;
}

enum err client_queue_end(struct hel_smtp_client *client, uint64_t tag, struct slice text)
{
    unsigned owed = client->accepted_count; /* 0 but for LMTP: RFC 2033 4.2 */
    if (owed > 1 && owed > client->config.commands_max - client->command_count) {
        return ERR_LIMIT;
    }
    struct client_command command = {.tag = owed > 0 ? client->accepted[0] : tag,
                                     .stage = HEL_SMTP_BODY};
    enum err e = client_queue(client, &command, text);
    for (unsigned i = 1; i < owed && e == ERR_NONE; i++) {
        command.tag = client->accepted[i];
        e = client_queue(client, &command, SLICE_NONE);
    }
    client->accepted_count = 0;
    return e;
}

enum err hel_smtp_client_data(struct hel_smtp_client *client, uint64_t tag)
{
    if (client->state != CLIENT_READY) {
        return ERR_STATE;
    }
    struct client_command command = {.tag = tag, .stage = HEL_SMTP_DATA};
    /* What came after would be read as the message. */
    return client_queue_alone(client, &command, SLICE("DATA\r\n"), CLIENT_DATA);
}

static enum err end_body_line(struct hel_smtp_client *client)
{
    client->is_body_line_start = true;
    return buf_append(&client->out, SLICE("\r\n"));
}

static enum err body_byte(struct hel_smtp_client *client, char byte)
{
    bool follows_cr = client->body_had_cr;
    client->body_had_cr = byte == '\r';
    if (byte == '\r' || (byte == '\n' && !follows_cr)) {
        return end_body_line(client);
    }
    if (byte == '\n') {
        return ERR_NONE; /* the second half of CRLF */
    }
    if (client->is_body_line_start && byte == '.') {
        enum err e = buf_append_byte(&client->out, '.');
        if (e != ERR_NONE) {
            return e;
        }
    }
    client->is_body_line_start = false;
    return buf_append_byte(&client->out, byte);
}

enum err hel_smtp_client_body(struct hel_smtp_client *client, struct slice bytes)
{
    if (client->state != CLIENT_BODY) {
        return ERR_STATE;
    }
    /* Each byte may double; all of a piece goes in, or none of it. */
    if (bytes.len > (client->out.max - client->out.len) / 2) {
        return ERR_LIMIT;
    }
    enum err e = buf_reserve(&client->out, bytes.len * 2);
    for (size_t i = 0; i < bytes.len && e == ERR_NONE; i++) {
        e = body_byte(client, bytes.at[i]);
    }
    return e;
}

enum err hel_smtp_client_body_end(struct hel_smtp_client *client, uint64_t tag)
{
    if (client->state != CLIENT_BODY) {
        return ERR_STATE;
    }
    struct slice end = client->is_body_line_start ? SLICE(".\r\n") : SLICE("\r\n.\r\n");
    enum err e = client_queue_end(client, tag, end);
    if (e == ERR_NONE) {
        client->state = CLIENT_READY;
    }
    return e;
}

/* LMTP: while one of these is not answered, nobody knows how many answers the end of a message is owed. */
static bool has_open_envelope(const struct hel_smtp_client *client)
{
    for (unsigned i = 0; client->config.is_lmtp && i < client->command_count; i++) {
        unsigned stage = client->commands[i].stage;
        if (stage == HEL_SMTP_MAIL || stage == HEL_SMTP_RCPT || stage == HEL_SMTP_RSET) {
            return true;
        }
    }
    return false;
}

enum err hel_smtp_client_bdat(struct hel_smtp_client *client, uint64_t tag, struct slice chunk,
                              bool is_last)
{
    bool is_offered = (client->extensions & HEL_SMTP_EXT_CHUNKING) != 0;
    if (client->state != CLIENT_READY || !is_offered || (is_last && has_open_envelope(client))) {
        return ERR_STATE;
    }
    struct buf text;
    buf_init(&text, client->config.unsent_bytes_max);
    enum err e = buf_printf(&text, "BDAT %zu%s\r\n", chunk.len, is_last ? " LAST" : "");
    if (e == ERR_NONE) {
        e = buf_append(&text, chunk);
    }
    if (e == ERR_NONE && is_last) {
        e = client_queue_end(client, tag, buf_view(&text));
    } else if (e == ERR_NONE) {
        struct client_command command = {.tag = tag, .stage = HEL_SMTP_DATA};
        e = client_queue(client, &command, buf_view(&text));
    }
    buf_done(&text);
    return e;
}
