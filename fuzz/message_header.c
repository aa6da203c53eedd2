/* fuzz/message_header: any bytes as a message, fed whole and byte by byte: header fields and the canonical forms of the
 * body must be the same, and fields stand in the bytes one behind the other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "message/dkim_canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES = 4 << 20 };

static enum err append(void *to, struct slice bytes)
{
    return buf_append(to, bytes);
}

/* The body in both forms behind each other. */
static void read_message(struct slice message, size_t piece, struct message_header *header,
                         struct buf *out)
{
    struct dkim_body simple, relaxed;
    struct buf second;
    message_header_init(header);
    buf_init(out, TEXT_BYTES);
    buf_init(&second, TEXT_BYTES);
    dkim_body_init(&simple, DKIM_SIMPLE, append, out);
    dkim_body_init(&relaxed, DKIM_RELAXED, append, &second);
    while (message.len > 0) {
        struct slice rest = slice_sub(message, 0, piece);
        message = slice_sub(message, piece, message.len);
        must(message_header_feed(header, &rest) == ERR_NONE);
        must(dkim_body_feed(&simple, rest) == ERR_NONE);
        must(dkim_body_feed(&relaxed, rest) == ERR_NONE);
    }
    must(message_header_finish(header) == ERR_NONE);
    must(dkim_body_finish(&simple) == ERR_NONE && dkim_body_finish(&relaxed) == ERR_NONE);
    must(simple.bytes == out->len && relaxed.bytes == second.len);
    must(buf_append(out, buf_view(&second)) == ERR_NONE);
    buf_done(&second);
}

static void check_fields(const struct message_header *header)
{
    size_t at = 0;
    for (size_t i = 0; i < header->count; i++) {
        const struct message_field *field = &header->fields[i];
        struct buf text;
        must(field->raw.at == header->bytes.at + at && slice_ends(field->raw, SLICE("\r\n")));
        at += field->raw.len;
        buf_init(&text, TEXT_BYTES);
        must(dkim_field_write(field, DKIM_RELAXED, append, &text) == ERR_NONE);
        must(slice_find_byte(buf_view(&text), '\n', 0) == text.len);
        must(text.len <= field->raw.len);
        buf_done(&text);
    }
    must(at == header->bytes.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice message = slice_make((const char *)data, size);
    struct message_header whole, bytes;
    struct buf body, body_of_bytes;
    if (size > MESSAGE_FIELDS_MAX) {
        return 0; /* ceilings are the tests' business */
    }
    read_message(message, size + 1, &whole, &body);
    read_message(message, 1, &bytes, &body_of_bytes);
    must(slice_equal(buf_view(&whole.bytes), buf_view(&bytes.bytes)) && whole.count == bytes.count);
    must(slice_equal(buf_view(&body), buf_view(&body_of_bytes)));
    check_fields(&whole);
    message_header_done(&whole);
    message_header_done(&bytes);
    buf_done(&body);
    buf_done(&body_of_bytes);
    return 0;
}
