/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "decode/mime_private.h"

struct slice mime_word_view(const struct mime_word *word)
{
    return slice_make(word->text, word->len);
}

static void word_set(struct mime_word *word, struct slice text)
{
    word->len = text.len < MIME_WORD_BYTES ? text.len : MIME_WORD_BYTES;
    memcpy(word->text, text.at, word->len);
}

static void word_set_lower(struct mime_word *word, struct slice text)
{
    word_set(word, text);
    for (size_t i = 0; i < word->len; i++) {
        word->text[i] = ascii_lower(word->text[i]);
    }
}

static bool is_no_quote(char byte)
{
    return byte != '"' && byte != '\\';
}

/* Behind the opening quote, up to behind the closing one. */
static void read_quoted(struct reader *r, struct mime_word *out)
{
    char byte;
    out->len = 0;
    for (;;) {
        struct slice run = reader_while(r, is_no_quote);
        size_t room = MIME_WORD_BYTES - out->len;
        run = slice_sub(run, 0, room);
        memcpy(out->text + out->len, run.at, run.len);
        out->len += run.len;
        if (!reader_byte(r, &byte) || byte == '"') {
            return;
        }
        if (reader_byte(r, &byte) && out->len < MIME_WORD_BYTES) {
            out->text[out->len++] = byte;
        }
    }
}

static bool is_no_semicolon(char byte)
{
    return byte != ';';
}

static bool is_attribute(char byte)
{
    return byte != '=' && byte != ';';
}

/* RFC 2045 5.1: ; attribute=value. RFC 2231 3: a star behind the name has numbers and charsets follow; the first piece
 * counts. False: no more. */
static bool read_parameter(struct reader *r, struct slice *out_name, struct mime_word *out_value)
{
    char byte;
    (void)reader_while(r, is_no_semicolon);
    if (!reader_byte(r, &byte)) {
        return false;
    }
    struct slice name = slice_trim(reader_while(r, is_attribute));
    *out_name = slice_sub(name, 0, slice_find_byte(name, '*', 0));
    out_value->len = 0;
    if (!reader_literal(r, SLICE("="))) {
        return true;
    }
    while (reader_literal(r, SLICE(" ")) || reader_literal(r, SLICE("\t"))) {
    }
    if (reader_literal(r, SLICE("\""))) {
        read_quoted(r, out_value);
    } else {
        word_set(out_value, slice_trim(reader_while(r, is_no_semicolon)));
    }
    return true;
}

static void read_type(struct mime_about *about, struct slice value)
{
    struct reader r = reader_over(value);
    struct slice name;
    struct mime_word word;
    word_set_lower(&about->type, slice_trim(reader_while(&r, is_no_semicolon)));
    while (read_parameter(&r, &name, &word)) {
        if (slice_equal_nocase(name, SLICE("charset"))) {
            about->charset = word;
        } else if (slice_equal_nocase(name, SLICE("boundary"))) {
            about->boundary = word;
        } else if (slice_equal_nocase(name, SLICE("name")) && about->file_name.len == 0) {
            about->file_name = word;
        }
    }
}

static void read_disposition(struct mime_about *about, struct slice value)
{
    struct reader r = reader_over(value);
    struct slice name;
    struct mime_word word;
    while (read_parameter(&r, &name, &word)) {
        if (slice_equal_nocase(name, SLICE("filename"))) {
            about->file_name = word;
        }
    }
}

void mime_about_read(struct mime_about *about, struct slice name, struct slice value)
{
    if (slice_equal_nocase(name, SLICE("Content-Type"))) {
        read_type(about, value);
    } else if (slice_equal_nocase(name, SLICE("Content-Disposition"))) {
        read_disposition(about, value);
    } else if (slice_equal_nocase(name, SLICE("Content-Transfer-Encoding"))) {
        about->transfer = transfer_by_name(slice_trim(value));
    }
}
