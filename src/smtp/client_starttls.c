/* smtp/client_starttls: securing the line (RFC 3207).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"
#include "base/slice.h"
#include "smtp/client_private.h"

enum err hel_smtp_client_starttls(struct hel_smtp_client *client, uint64_t tag)
{
    bool is_offered = (client->extensions & HEL_SMTP_EXT_STARTTLS) != 0;
    if (client->state != CLIENT_READY || client->is_tls || !is_offered ||
        client->command_count > 0) {
        return ERR_STATE;
    }
    struct client_command command = {.tag = tag, .stage = HEL_SMTP_STARTTLS};
    return client_queue_alone(client, &command, SLICE("STARTTLS\r\n"), CLIENT_STARTING);
}

void hel_smtp_client_tls_ready(struct hel_smtp_client *client, uint64_t now_ms)
{
    must(client->state == CLIENT_HANDSHAKE);
    client->now_ms = now_ms;
    client->is_tls = true;
    hel_reply_parser_reset(&client->parser);
    buf_clear(&client->input);
    buf_clear(&client->out);
    if (client_say_hello(client) != ERR_NONE) {
        client->is_starved = true;
    }
}
