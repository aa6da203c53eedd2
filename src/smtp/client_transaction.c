/* smtp/client_transaction: MAIL, RCPT, RSET and QUIT (RFC 5321 4.1.1).
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/slice.h"
#include "smtp/client_private.h"

/* Nearly all bytes of nearly all paths, eight at a time. The high bit of a byte of `low + x` is set where the byte is not
 * below 0x80 - x; that of `zeros` where a backslash is there, or one of the angle brackets, which differ in one bit. An
 * exclamation mark and the quote behind it count as what is below them. */
static bool are_harmless_eight(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones * 0x80;
    uint64_t low = word & ~highs;
    uint64_t brackets = (low | ones * ('<' ^ '>')) ^ ones * ('<' | '>');
    uint64_t zeros = ~((low ^ ones * '\\') + ~highs) | ~(brackets + ~highs);
    return ((word | (low + ones) | ~(low + ones * (0x80 - 0x23)) | zeros) & highs) == 0;
}

/* What is left over stands before bytes that are. */
static bool are_harmless(struct slice path)
{
    uint64_t word = UINT64_C(0x6161616161616161);
    size_t at = 0;
    for (; at + sizeof word <= path.len; at += sizeof word) {
        memcpy(&word, path.at + at, sizeof word);
        if (!are_harmless_eight(word)) {
            return false;
        }
    }
    if (at < path.len) {
        memcpy(&word, path.at + at, path.len - at);
    }
    return are_harmless_eight(word);
}

/* A path must not be able to end its brackets or its line. Inside a quoted string '<', '>' and space are
 * plain (RFC 5321 4.1.2). */
bool client_path_is_safe(struct slice path)
{
    bool is_harmless = are_harmless(path);
    bool is_quoted = false;
    for (size_t i = 0; i < path.len && !is_harmless; i++) {
        unsigned char byte = (unsigned char)path.at[i];
        if (byte < ' ' || byte == 0x7f) {
            return false;
        }
        if (is_quoted && byte == '\\') {
            i++; /* a quoted pair; what follows is checked below */
            if (i == path.len || (unsigned char)path.at[i] < ' ' || path.at[i] == 0x7f) {
                return false;
            }
        } else if (byte == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && (byte == '<' || byte == '>' || byte == ' ')) {
            return false;
        }
    }
    return !is_quoted && path.len <= CLIENT_PATH_BYTES;
}

/* Words parted by spaces: nothing that could end the line. */
static bool are_parameters_safe(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte < ' ' || byte == 0x7f) {
            return false;
        }
    }
    return text.len <= CLIENT_PATH_BYTES;
}

static enum err queue_line(struct hel_smtp_client *client, uint64_t tag, enum hel_smtp_stage stage,
                           const struct slice *parts, size_t count)
{
    struct client_command command = {.tag = tag, .stage = (uint8_t)stage};
    return client_queue_parts(client, &command, parts, count);
}

static struct slice size_text(uint64_t size, char room[32])
{
    size_t at = 32;
    while (size > 0) {
        room[--at] = (char)('0' + size % 10);
        size /= 10;
    }
    return slice_make(room + at, 32 - at);
}

enum err hel_smtp_client_mail(struct hel_smtp_client *client, uint64_t tag,
                              const struct hel_smtp_mail *mail)
{
    unsigned offered = client->extensions;
    bool lacks_utf8 = mail->smtputf8 && (offered & HEL_SMTP_EXT_SMTPUTF8) == 0;
    bool lacks_8bit = mail->body_8bitmime && (offered & HEL_SMTP_EXT_8BITMIME) == 0;
    if (client->state != CLIENT_READY || lacks_utf8 || lacks_8bit) {
        return ERR_STATE;
    }
    if (!client_path_is_safe(mail->reverse_path) || !are_parameters_safe(mail->parameters)) {
        return ERR_SYNTAX;
    }
    char room[32];
    bool says_size = mail->size > 0 && (offered & HEL_SMTP_EXT_SIZE) != 0;
    struct slice parts[] = {
        SLICE_LITERAL("MAIL FROM:<"),
        mail->reverse_path,
        SLICE_LITERAL(">"),
        mail->body_8bitmime ? SLICE(" BODY=8BITMIME") : SLICE_NONE,
        mail->smtputf8 ? SLICE(" SMTPUTF8") : SLICE_NONE,
        says_size ? SLICE(" SIZE=") : SLICE_NONE,
        says_size ? size_text(mail->size, room) : SLICE_NONE,
        mail->parameters.len > 0 ? SLICE(" ") : SLICE_NONE,
        mail->parameters,
        SLICE_LITERAL("\r\n"),
    };
    return queue_line(client, tag, HEL_SMTP_MAIL, parts, sizeof parts / sizeof parts[0]);
}

enum err hel_smtp_client_rcpt(struct hel_smtp_client *client, uint64_t tag,
                              struct slice forward_path)
{
    return hel_smtp_client_rcpt_with(client, tag, forward_path, SLICE_NONE);
}

enum err hel_smtp_client_rcpt_with(struct hel_smtp_client *client, uint64_t tag,
                                   struct slice forward_path, struct slice parameters)
{
    if (client->state != CLIENT_READY) {
        return ERR_STATE;
    }
    if (forward_path.len == 0 || !client_path_is_safe(forward_path) ||
        !are_parameters_safe(parameters)) {
        return ERR_SYNTAX;
    }
    struct slice parts[] = {
        SLICE_LITERAL("RCPT TO:<"),
        forward_path,
        SLICE_LITERAL(">"),
        parameters.len > 0 ? SLICE(" ") : SLICE_NONE,
        parameters,
        SLICE_LITERAL("\r\n"),
    };
    return queue_line(client, tag, HEL_SMTP_RCPT, parts, sizeof parts / sizeof parts[0]);
}

enum err hel_smtp_client_rset(struct hel_smtp_client *client, uint64_t tag)
{
    if (client->state != CLIENT_READY) {
        return ERR_STATE;
    }
    struct slice parts[] = {SLICE_LITERAL("RSET\r\n")};
    return queue_line(client, tag, HEL_SMTP_RSET, parts, 1);
}

enum err hel_smtp_client_quit(struct hel_smtp_client *client, uint64_t tag)
{
    /* Also after a refusal by banner or EHLO: RFC 5321 3.1 has the client leave with QUIT. */
    if (client->state != CLIENT_READY && client->state != CLIENT_REFUSED &&
        client->state != CLIENT_HOLDING) {
        return ERR_STATE;
    }
    struct slice parts[] = {SLICE_LITERAL("QUIT\r\n")};
    enum err e = queue_line(client, tag, HEL_SMTP_QUIT, parts, 1);
    if (e == ERR_NONE) {
        client->state = CLIENT_QUITTING;
    }
    return e;
}
