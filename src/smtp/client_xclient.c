/* smtp/client_xclient: Postfix's XCLIENT and XFORWARD: saying on whose behalf we speak
 * (https://www.postfix.org/XCLIENT_README.html, XFORWARD_README.html).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "smtp/client_private.h"

enum { CLIENT_ATTRIBUTE_BYTES = 255, CLIENT_XCLIENT_LINE_BYTES = 4096 };

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_alnum(name.at[i]) && name.at[i] != '-' && name.at[i] != '_') {
            return false;
        }
    }
    return name.len > 0;
}

/* RFC 3461 4: what is not printable, '+' and '=' become +HH. */
static enum err append_xtext(struct buf *line, struct slice value)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < value.len && e == ERR_NONE; i++) {
        unsigned char byte = (unsigned char)value.at[i];
        bool is_plain = byte > ' ' && byte < 0x7f && byte != '+' && byte != '=';
        e = is_plain ? buf_append_byte(line, value.at[i]) : buf_printf(line, "+%02X", byte);
    }
    return e;
}

static enum err write_line(struct buf *line, struct slice verb,
                           const struct hel_smtp_attribute *attributes, size_t count)
{
    enum err e = buf_append(line, verb);
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        const struct hel_smtp_attribute *attribute = &attributes[i];
        if (!is_name(attribute->name) || attribute->value.len == 0 ||
            attribute->value.len > CLIENT_ATTRIBUTE_BYTES) {
            return ERR_SYNTAX;
        }
        e = buf_append_byte(line, ' ');
        e = e != ERR_NONE ? e : buf_append(line, attribute->name);
        e = e != ERR_NONE ? e : buf_append_byte(line, '=');
        e = e != ERR_NONE ? e : append_xtext(line, attribute->value);
    }
    return e != ERR_NONE ? e : buf_append(line, SLICE("\r\n"));
}

static enum err say(struct hel_smtp_client *client, uint64_t tag, bool is_xclient,
                    const struct hel_smtp_attribute *attributes, size_t count)
{
    unsigned wanted = is_xclient ? HEL_SMTP_EXT_XCLIENT : HEL_SMTP_EXT_XFORWARD;
    if (client->state != CLIENT_READY || (client->extensions & wanted) == 0 ||
        (is_xclient && client->command_count > 0)) {
        return ERR_STATE;
    }
    if (count == 0) {
        return ERR_SYNTAX;
    }
    struct buf line;
    buf_init(&line, CLIENT_XCLIENT_LINE_BYTES);
    enum err e =
        write_line(&line, is_xclient ? SLICE("XCLIENT") : SLICE("XFORWARD"), attributes, count);
    if (e == ERR_NONE) {
        struct client_command command = {.tag = tag, .stage = HEL_SMTP_XCLIENT};
        e = client_queue_alone(client, &command, buf_view(&line),
                               is_xclient ? CLIENT_XCLIENT : CLIENT_READY);
    }
    buf_done(&line);
    return e;
}

enum err hel_smtp_client_xclient(struct hel_smtp_client *client, uint64_t tag,
                                 const struct hel_smtp_attribute *attributes, size_t count)
{
    return say(client, tag, true, attributes, count);
}

enum err hel_smtp_client_xforward(struct hel_smtp_client *client, uint64_t tag,
                                  const struct hel_smtp_attribute *attributes, size_t count)
{
    return say(client, tag, false, attributes, count);
}

enum err client_on_xclient(struct hel_smtp_client *client, const struct hel_reply *reply)
{
    if (reply->code != 220) {
        client->state = CLIENT_READY;
        return ERR_NONE;
    }
    return client_say_hello(client);
}
