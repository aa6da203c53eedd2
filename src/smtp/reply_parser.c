/* smtp/reply_parser: replies out of bytes in any pieces. A line is three digits, a separator and text
 * (RFC 5321 4.2); whatever does not begin so is not SMTP.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/reply.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "smtp/reply_private.h"

enum {
    REPLY_CODE_DIGITS = 3,
    REPLY_WIRE_FACTOR = 10, /* of the text kept: more of one reply is an attack or a mistake */
    REPLY_WIRE_BYTES_MIN = 65536,
    REPLY_ENHANCED_BYTES = 10, /* "#5.999.999" */
};

static void begin(struct hel_reply_parser *parser, size_t bytes_max)
{
    must(bytes_max > 0);
    size_t wire_max = bytes_max * REPLY_WIRE_FACTOR;
    *parser = (struct hel_reply_parser){
        .wire_bytes_max = wire_max > REPLY_WIRE_BYTES_MIN ? wire_max : REPLY_WIRE_BYTES_MIN};
}

enum err hel_reply_parser_new(size_t bytes_max, struct hel_reply_parser **out)
{
    struct hel_reply_parser *parser = malloc(sizeof *parser);
    if (parser == NULL) {
        return ERR_NOMEM;
    }
    begin(parser, bytes_max);
    buf_init(&parser->text, bytes_max);
    *out = parser;
    return ERR_NONE;
}

void reply_parser_init(struct hel_reply_parser *parser, size_t bytes_max, char *room,
                       size_t room_bytes)
{
    begin(parser, bytes_max);
    buf_init_in(&parser->text, room, room_bytes, bytes_max);
}

void reply_parser_done(struct hel_reply_parser *parser)
{
    buf_done(&parser->text);
}

void hel_reply_parser_free(struct hel_reply_parser *parser)
{
    if (parser != NULL) {
        reply_parser_done(parser);
        free(parser);
    }
}

void hel_reply_parser_reset(struct hel_reply_parser *parser)
{
    struct buf text = parser->text;
    buf_clear(&text);
    *parser = (struct hel_reply_parser){.text = text, .wire_bytes_max = parser->wire_bytes_max};
}

static void begin_line(struct hel_reply_parser *parser)
{
    parser->column = 0;
    parser->code = 0;
    parser->has_more = false;
    parser->is_line_cut = false;
    parser->has_cr = false;
    parser->line_start = parser->text.len;
}

/* Code and separator; false: not a reply. */
static bool take_head(struct hel_reply_parser *parser, char byte)
{
    if (parser->column < REPLY_CODE_DIGITS) {
        if (!ascii_is_digit(byte)) {
            return false;
        }
        parser->code = (uint16_t)(parser->code * 10 + (byte - '0'));
        parser->column++;
        bool is_complete = parser->column == REPLY_CODE_DIGITS;
        return !is_complete || (parser->code >= 200 && parser->code <= 599);
    }
    if (byte == '\r') { /* "250" alone: the line end comes next */
        parser->has_cr = true;
        return true;
    }
    parser->has_more = byte == '-';
    parser->column++;
    return !parser->has_cr && (byte == '-' || byte == ' ' || byte == '\t');
}

static enum err keep(struct hel_reply_parser *parser, struct slice piece)
{
    if (parser->is_line_cut) {
        return ERR_NONE;
    }
    size_t room = parser->text.max - parser->text.len;
    if (piece.len > room) {
        parser->is_cut = true;
        parser->is_line_cut = true;
        piece = slice_sub(piece, 0, room);
    }
    enum err e = buf_append(&parser->text, piece);
    parser->is_starved = e != ERR_NONE;
    return e;
}

static enum err add_text(struct hel_reply_parser *parser, struct slice piece)
{
    if (piece.len == 0) {
        return ERR_NONE;
    }
    enum err e = parser->has_cr ? keep(parser, SLICE("\r")) : ERR_NONE;
    parser->has_cr = piece.at[piece.len - 1] == '\r';
    if (parser->has_cr) {
        piece.len--;
    }
    return e == ERR_NONE ? keep(parser, piece) : e;
}

/* Of a line that was cut, only a code that stands well before the cut can be told from a part of one. */
static void find_enhanced(struct hel_reply_parser *parser)
{
    struct slice line = slice_sub(buf_view(&parser->text), parser->line_start, parser->text.len);
    bool is_readable = !parser->is_line_cut || line.len > REPLY_ENHANCED_BYTES;
    if (is_readable && parser->enhanced.class_digit == 0) {
        (void)hel_enhanced_parse(line, &parser->enhanced);
    }
}

/* True: that was the last line. */
static bool end_line(struct hel_reply_parser *parser)
{
    find_enhanced(parser);
    if (parser->line_count == 0) {
        parser->first_code = parser->code;
    }
    parser->has_mixed_codes = parser->has_mixed_codes || parser->code != parser->first_code;
    if (parser->line_count < UINT16_MAX) {
        parser->line_count++;
    }
    return !parser->has_more;
}

static void give(const struct hel_reply_parser *parser, struct hel_reply *out)
{
    *out = (struct hel_reply){
        .code = parser->code,
        .enhanced = parser->enhanced,
        .line_count = parser->line_count,
        .has_mixed_codes = parser->has_mixed_codes,
        .is_cut = parser->is_cut,
        .text = buf_view(&parser->text),
    };
}

static enum hel_reply_status feed_text(struct hel_reply_parser *parser, struct slice bytes,
                                       size_t *used, struct hel_reply *out)
{
    size_t end = slice_find_byte(bytes, '\n', *used);
    if (add_text(parser, slice_sub(bytes, *used, end)) != ERR_NONE) {
        return HEL_REPLY_BROKEN;
    }
    if (end == bytes.len) {
        *used = end;
        return HEL_REPLY_MORE;
    }
    *used = end + 1;
    if (end_line(parser)) {
        give(parser, out);
        return HEL_REPLY_DONE;
    }
    parser->is_line_cut = false;
    enum err e = keep(parser, SLICE("\n"));
    begin_line(parser);
    return e == ERR_NONE ? HEL_REPLY_MORE : HEL_REPLY_BROKEN;
}

static enum hel_reply_status feed(struct hel_reply_parser *parser, struct slice bytes, size_t *used,
                                  struct hel_reply *out)
{
    while (*used < bytes.len) {
        bool is_head = parser->column <= REPLY_CODE_DIGITS;
        bool is_bare_end = parser->column == REPLY_CODE_DIGITS && bytes.at[*used] == '\n';
        if (is_head && !is_bare_end) {
            if (!take_head(parser, bytes.at[*used])) {
                return HEL_REPLY_BROKEN;
            }
            (*used)++;
            continue;
        }
        enum hel_reply_status status = feed_text(parser, bytes, used, out);
        if (status != HEL_REPLY_MORE) {
            return status;
        }
    }
    return HEL_REPLY_MORE;
}

/* "250 ", and the code; 0: it does not begin so. */
static uint16_t plain_code(struct slice bytes)
{
    enum { HEAD_BYTES = REPLY_CODE_DIGITS + 1 };
    if (bytes.len <= HEAD_BYTES || bytes.at[REPLY_CODE_DIGITS] != ' ') {
        return 0;
    }
    unsigned code = 0;
    for (size_t i = 0; i < REPLY_CODE_DIGITS; i++) {
        if (!ascii_is_digit(bytes.at[i])) {
            return 0;
        }
        code = code * 10 + (unsigned)(bytes.at[i] - '0');
    }
    return code >= 200 && code <= 599 ? (uint16_t)code : 0;
}

bool reply_parser_take_line(struct hel_reply_parser *parser, struct slice bytes,
                            struct hel_reply *out)
{
    uint16_t code = plain_code(bytes);
    size_t end = slice_find_byte(bytes, '\n', 0);
    if (code == 0 || end + 1 != bytes.len || (parser->wire_bytes > 0 && !parser->is_given)) {
        return false;
    }
    struct slice text = slice_sub(bytes, REPLY_CODE_DIGITS + 1, end);
    text.len -= text.len > 0 && text.at[text.len - 1] == '\r' ? 1 : 0;
    if (text.len == 0 || text.len > parser->text.max || bytes.len > parser->wire_bytes_max) {
        return false;
    }
    *out = (struct hel_reply){.code = code, .line_count = 1, .text = text};
    (void)hel_enhanced_parse(text, &out->enhanced);
    return true;
}

bool reply_parser_is_starved(const struct hel_reply_parser *parser)
{
    return parser->is_starved;
}

enum hel_reply_status hel_reply_parser_feed(struct hel_reply_parser *parser, struct slice bytes,
                                            size_t *out_used, struct hel_reply *out)
{
    if (parser->is_given) {
        hel_reply_parser_reset(parser);
    }
    size_t used = 0;
    enum hel_reply_status status = feed(parser, bytes, &used, out);
    parser->is_given = status == HEL_REPLY_DONE;
    parser->wire_bytes += used;
    if (parser->wire_bytes > parser->wire_bytes_max) {
        status = HEL_REPLY_BROKEN;
    }
    *out_used = used;
    return status;
}
