/* smtp/client_auth: logging in: AUTH and its exchange of challenges and answers (RFC 4954 4). What is said is a SASL
 * mechanism's (smtp/sasl); here it becomes lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "base/slice.h"
#include "smtp/client_private.h"

/* RFC 4422 3.1 */
static bool is_mechanism(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_alnum(name.at[i]) && name.at[i] != '-' && name.at[i] != '_') {
            return false;
        }
    }
    return name.len > 0 && name.len <= 20;
}

static enum err append_base64(struct buf *line, struct slice bytes)
{
    if (bytes.len == 0) {
        return ERR_NONE;
    }
    enum err e = buf_reserve(line, BASE64_BYTES(bytes.len));
    if (e == ERR_NONE) {
        line->len += base64_write(bytes, line->at + line->len);
    }
    return e;
}

/* Sends the line and overwrites it here: it may hold a password. */
static enum err send_line(struct hel_smtp_client *client, uint64_t tag, struct buf *line,
                          enum err e)
{
    e = e != ERR_NONE ? e : buf_append(line, SLICE("\r\n"));
    if (e == ERR_NONE) {
        struct client_command command = {.tag = tag, .stage = HEL_SMTP_AUTH};
        e = client_queue_alone(client, &command, buf_view(line), CLIENT_AUTH);
    }
    buf_done_wipe(line);
    return e;
}

enum err hel_smtp_client_auth(struct hel_smtp_client *client, uint64_t tag, struct slice mechanism,
                              const struct slice *initial)
{
    bool is_offered = (client->extensions & HEL_SMTP_EXT_AUTH) != 0;
    if (client->state != CLIENT_READY || !is_offered || client->is_logged_in ||
        client->command_count > 0) {
        return ERR_STATE;
    }
    if (!is_mechanism(mechanism)) {
        return ERR_SYNTAX;
    }
    struct buf line;
    buf_init(&line, HEL_SMTP_AUTH_LINE_BYTES);
    enum err e = buf_append(&line, SLICE("AUTH "));
    e = e != ERR_NONE ? e : buf_append(&line, mechanism);
    if (e == ERR_NONE && initial != NULL) {
        e = buf_append_byte(&line, ' ');
        /* RFC 4954 4: an empty first word is '=', so that it differs from none. */
        e = e != ERR_NONE       ? e
            : initial->len == 0 ? buf_append_byte(&line, '=')
                                : append_base64(&line, *initial);
    }
    return send_line(client, tag, &line, e);
}

enum err hel_smtp_client_auth_answer(struct hel_smtp_client *client, uint64_t tag,
                                     struct slice bytes)
{
    if (client->state != CLIENT_CHALLENGED) {
        return ERR_STATE;
    }
    struct buf line;
    buf_init(&line, HEL_SMTP_AUTH_LINE_BYTES);
    return send_line(client, tag, &line, append_base64(&line, bytes));
}

enum err hel_smtp_client_auth_cancel(struct hel_smtp_client *client, uint64_t tag)
{
    if (client->state != CLIENT_CHALLENGED) {
        return ERR_STATE;
    }
    struct client_command command = {.tag = tag, .stage = HEL_SMTP_AUTH};
    return client_queue_alone(client, &command, SLICE("*\r\n"), CLIENT_AUTH);
}

void client_on_auth(struct hel_smtp_client *client, const struct hel_reply *reply)
{
    client->is_logged_in = hel_reply_is_success(reply);
    client->state = reply->code == 334 ? CLIENT_CHALLENGED : CLIENT_READY;
}
