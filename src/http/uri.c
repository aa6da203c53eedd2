/* SPDX-License-Identifier: Apache-2.0 */
#include "http/uri.h"

#include "base/reader.h"
#include "base/slice.h"
#include "base/text.h"

void uri_split(struct slice target, struct slice *out_path, struct slice *out_query)
{
    size_t mark = slice_find_byte(target, '?', 0);
    *out_path = slice_sub(target, 0, mark);
    *out_query = mark < target.len ? slice_sub(target, mark + 1, target.len) : SLICE_NONE;
}

static int hex_value(char c)
{
    if (ascii_is_digit(c)) {
        return c - '0';
    }
    char low = ascii_lower(c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* The next byte that is meant. */
static bool next_byte(struct reader *r, bool is_form, char *out)
{
    char c;
    struct slice hex;
    if (!reader_byte(r, &c)) {
        return false;
    }
    if (c == '+' && is_form) {
        c = ' ';
    } else if (c == '%') {
        if (!reader_take(r, 2, &hex) || hex_value(hex.at[0]) < 0 || hex_value(hex.at[1]) < 0) {
            return false;
        }
        c = (char)(hex_value(hex.at[0]) * 16 + hex_value(hex.at[1]));
    }
    *out = c;
    return true;
}

static bool is_clean(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f) {
            return false;
        }
    }
    return text_is_utf8(text);
}

static enum err decode(struct slice text, bool is_form, struct arena *arena, struct slice *out)
{
    char *room = arena_alloc(arena, text.len + 1);
    struct reader r = reader_over(text);
    size_t len = 0;
    if (room == NULL) {
        return ERR_NOMEM;
    }
    while (!reader_is_done(&r)) {
        if (!next_byte(&r, is_form, &room[len])) {
            return ERR_SYNTAX;
        }
        len++;
    }
    if (!is_clean(slice_make(room, len))) {
        return ERR_SYNTAX;
    }
    *out = slice_make(room, len);
    return ERR_NONE;
}

enum err uri_decode(struct slice text, struct arena *arena, struct slice *out)
{
    return decode(text, false, arena, out);
}

const struct slice *uri_query_find(const struct uri_query *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++) {
        if (slice_equal(query->at[i].name, slice_of(name))) {
            return &query->at[i].value;
        }
    }
    return NULL;
}

static enum err read_argument(struct slice part, struct arena *arena, struct uri_argument *out)
{
    size_t equals = slice_find_byte(part, '=', 0);
    enum err e = decode(slice_sub(part, 0, equals), true, arena, &out->name);
    return e != ERR_NONE ? e
                         : decode(slice_sub(part, equals + 1, part.len), true, arena, &out->value);
}

enum err uri_query_read(struct slice query, struct arena *arena, struct uri_query *out,
                        struct slice *out_name)
{
    out->count = 0;
    *out_name = SLICE_NONE;
    while (query.len > 0) {
        struct slice part = slice_cut(&query, '&');
        struct uri_argument argument = {SLICE_NONE, SLICE_NONE};
        if (part.len == 0) {
            continue;
        }
        if (out->count == URI_ARGUMENTS_MAX) {
            return ERR_LIMIT;
        }
        enum err e = read_argument(part, arena, &argument);
        *out_name = argument.name;
        if (e != ERR_NONE) {
            return e;
        }
        for (size_t i = 0; i < out->count; i++) {
            if (slice_equal(out->at[i].name, argument.name)) {
                return ERR_SYNTAX;
            }
        }
        out->at[out->count++] = argument;
    }
    return ERR_NONE;
}

bool uri_matches(const char *pattern, struct slice path, struct slice out_params[URI_PARAMS_MAX])
{
    struct slice wanted = slice_of(pattern);
    size_t params = 0;
    for (size_t i = 0; i < URI_PARAMS_MAX; i++) {
        out_params[i] = SLICE_NONE;
    }
    while (wanted.at != NULL && path.at != NULL) {
        struct slice part = slice_cut(&wanted, '/');
        struct slice given = slice_cut(&path, '/');
        if (!slice_starts(part, SLICE("{"))) {
            if (!slice_equal(part, given)) {
                return false;
            }
        } else {
            if (given.len == 0 || params == URI_PARAMS_MAX) {
                return false;
            }
            out_params[params++] = given;
        }
    }
    return wanted.at == NULL && path.at == NULL;
}
