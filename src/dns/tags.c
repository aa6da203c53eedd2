/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/tags.h"

#include "base/base64.h"
#include "base/reader.h"
#include "base/slice.h"

/* RFC 6376 3.2: tag-name. */
static bool is_name_byte(char c)
{
    return ascii_is_alnum(c) || c == '_';
}

/* RFC 6376 3.2: tval, and the white space within: nothing above ASCII, no control characters. */
static bool is_value(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (!ascii_is_space(c) && (c < '!' || c > '~')) {
            return false;
        }
    }
    return true;
}

static bool read_tag(struct slice piece, struct tag *out)
{
    struct reader r = reader_over(slice_trim(piece));
    out->name = reader_while(&r, is_name_byte);
    (void)reader_while(&r, ascii_is_space);
    if (out->name.len == 0 || !ascii_is_alpha(out->name.at[0]) || !reader_literal(&r, SLICE("="))) {
        return false;
    }
    out->value = slice_trim(r.rest);
    return is_value(out->value);
}

static enum tag_fault add_piece(struct slice piece, struct tag_list *out)
{
    struct tag tag;
    if (!read_tag(piece, &tag)) {
        return TAG_FAULT_SYNTAX;
    }
    if (tag_find(out, tag.name) != NULL) {
        return TAG_FAULT_DOUBLE;
    }
    if (out->count == TAGS_MAX) {
        return TAG_FAULT_TOO_MANY;
    }
    out->at[out->count++] = tag;
    return TAG_FAULT_NONE;
}

enum tag_fault tag_list_read(struct slice text, struct tag_list *out, struct slice *out_bad)
{
    enum tag_fault first = TAG_FAULT_NONE;
    struct slice rest = text;
    out->count = 0;
    *out_bad = SLICE_NONE;
    while (rest.at != NULL) {
        struct slice piece = slice_cut(&rest, ';');
        bool is_last = rest.at == NULL;
        if (is_last && slice_trim(piece).len == 0) {
            break; /* the semicolon at the end may be there */
        }
        enum tag_fault fault = add_piece(piece, out);
        if (fault != TAG_FAULT_NONE && first == TAG_FAULT_NONE) {
            first = fault;
            *out_bad = slice_trim(piece);
        }
    }
    return first;
}

const struct tag *tag_find(const struct tag_list *list, struct slice name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (slice_equal(list->at[i].name, name)) {
            return &list->at[i];
        }
    }
    return NULL;
}

bool tag_item_next(struct slice *rest, char separator, struct slice *out)
{
    if (rest->at == NULL) {
        return false;
    }
    *out = slice_trim(slice_cut(rest, separator));
    return true;
}

bool tag_base64(struct slice value, char *out, size_t room, size_t *out_len)
{
    char four[4];
    char three[3];
    size_t have = 0;
    size_t len = 0;
    bool is_end = false; /* what is padded is the last */
    for (size_t i = 0; i < value.len; i++) {
        if (ascii_is_space(value.at[i])) {
            continue;
        }
        four[have++] = value.at[i];
        if (have < sizeof four) {
            continue;
        }
        size_t n;
        if (is_end || !base64_read(slice_make(four, sizeof four), three, &n) || len + n > room) {
            return false;
        }
        for (size_t j = 0; j < n; j++) {
            out[len++] = three[j];
        }
        is_end = n < sizeof three;
        have = 0;
    }
    *out_len = len;
    return have == 0;
}
