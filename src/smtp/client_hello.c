/* smtp/client_hello: EHLO or LHLO, its HELO fallback, and what the answer offers (RFC 5321 3.2, 4.1.1.1).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"
#include "base/slice.h"
#include "smtp/client_private.h"

struct extension_name {
    struct slice keyword;
    unsigned bit;
};

static const struct extension_name extension_names[] = {
    {SLICE_LITERAL("PIPELINING"), HEL_SMTP_EXT_PIPELINING},
    {SLICE_LITERAL("STARTTLS"), HEL_SMTP_EXT_STARTTLS},
    {SLICE_LITERAL("SIZE"), HEL_SMTP_EXT_SIZE},
    {SLICE_LITERAL("8BITMIME"), HEL_SMTP_EXT_8BITMIME},
    {SLICE_LITERAL("SMTPUTF8"), HEL_SMTP_EXT_SMTPUTF8},
    {SLICE_LITERAL("CHUNKING"), HEL_SMTP_EXT_CHUNKING},
    {SLICE_LITERAL("ENHANCEDSTATUSCODES"), HEL_SMTP_EXT_ENHANCEDSTATUSCODES},
    {SLICE_LITERAL("DSN"), HEL_SMTP_EXT_DSN},
    {SLICE_LITERAL("AUTH"), HEL_SMTP_EXT_AUTH},
    {SLICE_LITERAL("BINARYMIME"), HEL_SMTP_EXT_BINARYMIME},
    {SLICE_LITERAL("REQUIRETLS"), HEL_SMTP_EXT_REQUIRETLS},
    {SLICE_LITERAL("LIMITS"), HEL_SMTP_EXT_LIMITS},
    {SLICE_LITERAL("XCLIENT"), HEL_SMTP_EXT_XCLIENT},
    {SLICE_LITERAL("XFORWARD"), HEL_SMTP_EXT_XFORWARD},
};

static bool is_keyword_byte(char byte)
{
    return ascii_is_alnum(byte) || byte == '-';
}

static void learn_line(struct hel_smtp_client *client, struct slice line)
{
    struct reader r = reader_over(slice_trim(line));
    struct slice keyword = reader_while(&r, is_keyword_byte);
    for (size_t i = 0; i < sizeof extension_names / sizeof extension_names[0]; i++) {
        if (slice_equal_nocase(keyword, extension_names[i].keyword)) {
            client->extensions |= extension_names[i].bit;
        }
    }
    /* RFC 1870 4: a limit of zero, or none, means that there is none. */
    bool is_size = slice_equal_nocase(keyword, SLICE("SIZE"));
    if (is_size && reader_literal(&r, SLICE(" "))) {
        (void)reader_number(&r, UINT64_MAX / 2, &client->size_limit);
    }
}

static enum err learn(struct hel_smtp_client *client, const struct hel_reply *reply)
{
    struct slice rest = reply->text;
    if (reply->is_cut) { /* the last line kept may be half a line, and half a number */
        rest = slice_sub(rest, 0, slice_find_last_byte(rest, '\n'));
    }
    (void)slice_cut(&rest, '\n'); /* the first line greets */
    if (rest.at == NULL) {
        return ERR_NONE;
    }
    enum err e = buf_append(&client->extension_lines, slice_sub(rest, 0, CLIENT_EXTENSION_BYTES));
    while (rest.at != NULL) {
        learn_line(client, slice_cut(&rest, '\n'));
    }
    return e;
}

static enum err say(struct hel_smtp_client *client, struct slice verb)
{
    struct client_command command = {.stage = HEL_SMTP_EHLO, .is_own = true};
    struct slice parts[] = {verb, client->config.helo_name, SLICE_LITERAL("\r\n")};
    return client_queue_parts(client, &command, parts, sizeof parts / sizeof parts[0]);
}

enum err client_say_hello(struct hel_smtp_client *client)
{
    client_forget(client);
    client->state = CLIENT_GREETING;
    client->tried_helo = client->config.prefers_helo;
    if (client->config.is_lmtp) {
        return say(client, SLICE("LHLO ")); /* RFC 2033 4.1 */
    }
    return say(client, client->tried_helo ? SLICE("HELO ") : SLICE("EHLO "));
}

enum err hel_smtp_client_hello(struct hel_smtp_client *client)
{
    return client->state == CLIENT_HOLDING ? client_say_hello(client) : ERR_STATE;
}

static bool out_of_memory(struct hel_smtp_client *client, struct hel_smtp_event *out)
{
    client->state = CLIENT_OVER;
    *out = (struct hel_smtp_event){
        .kind = HEL_SMTP_EVENT_FAILED, .stage = HEL_SMTP_EHLO, .failure = HEL_SMTP_FAILURE_NOMEM};
    return true;
}

bool client_on_hello(struct hel_smtp_client *client, const struct hel_reply *reply,
                     struct hel_smtp_event *out)
{
    *out = (struct hel_smtp_event){
        .kind = HEL_SMTP_EVENT_REPLY, .stage = HEL_SMTP_EHLO, .reply = *reply};
    if (hel_reply_is_success(reply)) {
        if (!client->tried_helo && learn(client, reply) != ERR_NONE) {
            return out_of_memory(client, out);
        }
        client->state = CLIENT_READY;
        out->kind = HEL_SMTP_EVENT_HELLO;
        return true;
    }
    /* RFC 5321 3.2: a server that does not know EHLO is greeted the old way, once. */
    if (hel_reply_is_permanent(reply) && !client->tried_helo && !client->config.is_lmtp) {
        client->tried_helo = true;
        return say(client, SLICE("HELO ")) == ERR_NONE ? false : out_of_memory(client, out);
    }
    client->state = CLIENT_REFUSED;
    return true;
}
