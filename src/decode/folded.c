/* decode/folded: `next` is the line that is read, `whole` the one before it with what was folded from it: only the line
 * behind it says that it is over.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/folded.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "decode/transfer.h"

enum {
    LINE_BYTES_MAX = 262144
}; /* unfolded; an address book's longest that is no picture has some kilobytes */

struct folded {
    enum folded_kind kind;
    struct slice input;
    struct buf next, whole, value;
    bool is_over, is_next_whole, is_given;
    uint64_t line, whole_line; /* of next; of the first of whole */
};

enum err folded_new(enum folded_kind kind, struct folded **out)
{
    struct folded *folded = calloc(1, sizeof *folded);
    if (folded == NULL) {
        return ERR_NOMEM;
    }
    folded->kind = kind;
    folded->line = folded->whole_line = 1;
    buf_init(&folded->next, LINE_BYTES_MAX);
    buf_init(&folded->whole, LINE_BYTES_MAX);
    buf_init(&folded->value, LINE_BYTES_MAX);
    *out = folded;
    return ERR_NONE;
}

void folded_free(struct folded *folded)
{
    if (folded != NULL) {
        buf_done(&folded->next);
        buf_done(&folded->whole);
        buf_done(&folded->value);
        free(folded);
    }
}

void folded_feed(struct folded *folded, struct slice bytes)
{
    must(folded->input.len == 0);
    folded->input = bytes;
}

void folded_end(struct folded *folded)
{
    folded->is_over = true;
}

/* What does not fit is left out. */
static enum err append_some(struct buf *to, struct slice bytes)
{
    return buf_append(to, slice_sub(bytes, 0, LINE_BYTES_MAX - to->len));
}

/* Reads on until next is a whole line; is_next_whole says whether it is. */
static enum err read_line(struct folded *folded)
{
    if (folded->is_next_whole) {
        return ERR_NONE;
    }
    size_t newline = slice_find_byte(folded->input, '\n', 0);
    enum err e = append_some(&folded->next, slice_sub(folded->input, 0, newline));
    folded->is_next_whole =
        newline < folded->input.len || (folded->is_over && folded->next.len > 0);
    folded->input = slice_sub(folded->input, newline + 1, folded->input.len);
    if (folded->is_next_whole && folded->next.len > 0 &&
        folded->next.at[folded->next.len - 1] == '\r') {
        folded->next.len--;
    }
    return e;
}

/* vCard 2.1: a quoted-printable value goes on where its line ends with '='. */
static bool is_soft_break(const struct folded *folded)
{
    struct slice whole = buf_view(&folded->whole);
    return folded->kind == FOLDED_VCARD && slice_ends(whole, SLICE("=")) &&
           slice_find_nocase(slice_sub(whole, 0, slice_find_byte(whole, ':', 0)),
                             SLICE("QUOTED-PRINTABLE")) < slice_find_byte(whole, ':', 0);
}

/* Whether next belongs to whole; *out_more is what of it. */
static bool is_continued(const struct folded *folded, struct slice *out_more)
{
    struct slice next = buf_view(&folded->next);
    if (folded->whole.len == 0) {
        return false;
    }
    bool is_folded =
        next.len > 0 && (next.at[0] == ' ' || (next.at[0] == '\t' && folded->kind == FOLDED_VCARD));
    *out_more = slice_sub(next, is_folded ? 1 : 0, next.len);
    return is_folded || is_soft_break(folded);
}

static void drop_next(struct folded *folded)
{
    buf_clear(&folded->next);
    folded->is_next_whole = false;
    folded->line++;
}

static enum err join(struct folded *folded, struct slice more)
{
    if (is_soft_break(folded)) {
        folded->whole.len--;
    }
    enum err e = append_some(&folded->whole, more);
    drop_next(folded);
    return e;
}

static void begin_whole(struct folded *folded)
{
    struct buf empty = folded->whole;
    folded->whole = folded->next;
    folded->next = empty;
    folded->whole_line = folded->line;
    drop_next(folded);
}

/* Outside quotes, in which a parameter's value may have one. */
static size_t find_colon(struct slice text)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        is_quoted = is_quoted != (text.at[i] == '"');
        if (text.at[i] == ':' && !is_quoted) {
            return i;
        }
    }
    return slice_find_byte(text, ':', 0);
}

/* RFC 6350 3.4: a backslash before commas, semicolons and itself; "\n" is a newline. In place. */
static void unescape(struct buf *value)
{
    size_t to = 0;
    for (size_t i = 0; i < value->len; i++) {
        bool is_escape = value->at[i] == '\\' && i + 1 < value->len;
        i += is_escape ? 1 : 0;
        value->at[to++] = is_escape && ascii_lower(value->at[i]) == 'n' ? '\n' : value->at[i];
    }
    value->len = to;
}

static enum err decode_value(struct folded *folded, enum transfer_kind kind, struct slice text)
{
    struct transfer transfer;
    transfer_init(&transfer, kind);
    buf_clear(&folded->value);
    enum err e = transfer_feed(&transfer, text, &folded->value);
    return e == ERR_NONE ? transfer_end(&transfer, &folded->value) : e;
}

/* ;CHARSET=utf-8;ENCODING=QUOTED-PRINTABLE, or the encoding alone as in 2.1. */
static enum transfer_kind read_parameters(struct slice parameters, struct slice *out_charset)
{
    enum transfer_kind kind = TRANSFER_PLAIN;
    while (parameters.at != NULL) {
        struct slice value = slice_cut(&parameters, ';');
        struct slice name = value;
        size_t equals = slice_find_byte(value, '=', 0);
        if (equals < value.len) {
            name = slice_trim(slice_sub(value, 0, equals));
            value = slice_trim(slice_sub(value, equals + 1, value.len));
        }
        if (slice_equal_nocase(name, SLICE("CHARSET"))) {
            *out_charset = value;
        } else if (slice_equal_nocase(name, SLICE("ENCODING")) || name.at == value.at) {
            enum transfer_kind found = transfer_by_name(value);
            kind = found == TRANSFER_PLAIN ? kind : found;
        }
    }
    return kind;
}

static enum err give_vcard(struct folded *folded, struct folded_line *out)
{
    struct slice whole = buf_view(&folded->whole);
    size_t colon = find_colon(whole);
    out->name = slice_sub(whole, 0, colon);
    size_t semicolon = slice_find_byte(out->name, ';', 0);
    enum transfer_kind kind =
        semicolon < out->name.len
            ? read_parameters(slice_sub(out->name, semicolon + 1, out->name.len), &out->charset)
            : TRANSFER_PLAIN;
    enum err e = decode_value(folded, kind, slice_sub(whole, colon + 1, whole.len));
    if (e == ERR_NONE && kind == TRANSFER_PLAIN) {
        unescape(&folded->value);
    }
    return e;
}

/* RFC 2849: "name: value", "name:: base64", "name:< address of the value". */
static enum err give_ldif(struct folded *folded, struct folded_line *out)
{
    struct slice whole = buf_view(&folded->whole);
    size_t colon = slice_find_byte(whole, ':', 0);
    out->name = slice_sub(whole, 0, colon);
    struct slice value = slice_sub(whole, colon + 1, whole.len);
    bool is_base64 = slice_starts(value, SLICE(":"));
    return decode_value(folded, is_base64 ? TRANSFER_BASE64 : TRANSFER_PLAIN,
                        slice_trim(slice_sub(value, is_base64 ? 1 : 0, value.len)));
}

static enum err give(struct folded *folded, struct folded_line *out)
{
    *out = (struct folded_line){.number = folded->whole_line};
    folded->is_given = true;
    enum err e = folded->kind == FOLDED_VCARD ? give_vcard(folded, out) : give_ldif(folded, out);
    out->value = buf_view(&folded->value);
    return e;
}

enum err folded_next(struct folded *folded, struct folded_line *out, bool *out_is_line)
{
    *out_is_line = false;
    if (folded->is_given) {
        folded->is_given = false;
        buf_clear(&folded->whole);
    }
    for (;;) {
        enum err e = read_line(folded);
        if (e != ERR_NONE) {
            return e;
        }
        bool is_last = folded->is_over && !folded->is_next_whole && folded->whole.len > 0;
        struct slice more;
        if (!folded->is_next_whole && !is_last) {
            return ERR_NONE;
        }
        if (!is_last && is_continued(folded, &more)) {
            e = join(folded, more);
            if (e != ERR_NONE) {
                return e;
            }
            continue;
        }
        if (folded->whole.len > 0) {
            *out_is_line = true;
            return give(folded, out);
        }
        begin_whole(folded);
    }
}
