/* providers/lines: splits lines into words; see the header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/slice.h"

void lines_init(struct lines *lines, struct slice name, struct slice text)
{
    *lines = (struct lines){.name = name, .reader = reader_over(text)};
}

enum err lines_fault(const struct lines *lines, struct fault *out_fault, const char *format, ...)
{
    char text[sizeof out_fault->text];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0) {
        text[0] = '\0';
    }
    if (lines->name.len == 0) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "%s", text);
    }
    return fault_set(out_fault, ERR_SYNTAX, 0, "%.*s:%u: %s", SLICE_ARG(lines->name), lines->number,
                     text);
}

/* From the byte after the opening delimiter to the closing one, skipping what a backslash protects. */
static enum err cut_delimited(struct lines *lines, struct slice *rest, char delimiter,
                              struct slice *out, struct fault *out_fault)
{
    size_t i = 0;
    while (i < rest->len && rest->at[i] != delimiter) {
        i += rest->at[i] == '\\' ? 2 : 1;
    }
    if (i >= rest->len) {
        return lines_fault(lines, out_fault, "no closing %c on this line; add it", delimiter);
    }
    *out = slice_sub(*rest, 0, i);
    *rest = slice_sub(*rest, i + 1, rest->len);
    return ERR_NONE;
}

static struct slice cut_bare(struct slice *rest)
{
    size_t i = 0;
    while (i < rest->len && !ascii_is_space(rest->at[i])) {
        i++;
    }
    struct slice word = slice_sub(*rest, 0, i);
    *rest = slice_sub(*rest, i, rest->len);
    return word;
}

static enum err cut_word(struct lines *lines, struct slice *rest, struct fault *out_fault)
{
    if (lines->count == LINE_WORDS_MAX) {
        return lines_fault(lines, out_fault, "more than %d words; use a second line",
                           LINE_WORDS_MAX);
    }
    struct word *word = &lines->words[lines->count++];
    char first = rest->at[0];
    if (first != '"' && (first != '/' || lines->has_paths)) {
        *word = (struct word){WORD_BARE, cut_bare(rest)};
        return ERR_NONE;
    }
    word->kind = first == '"' ? WORD_QUOTED : WORD_PATTERN;
    *rest = slice_sub(*rest, 1, rest->len);
    return cut_delimited(lines, rest, first, &word->text, out_fault);
}

static enum err split(struct lines *lines, struct slice line, struct fault *out_fault)
{
    lines->count = 0;
    struct slice rest = slice_trim(line);
    while (rest.len > 0 && rest.at[0] != '#') {
        enum err e = cut_word(lines, &rest, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
        rest = slice_trim(rest);
    }
    return ERR_NONE;
}

enum err lines_next(struct lines *lines, struct fault *out_fault)
{
    struct slice line;
    while (reader_line(&lines->reader, &line)) {
        lines->number++;
        if (line.len > LINE_BYTES_MAX) {
            return lines_fault(lines, out_fault, "line longer than %d bytes; split it",
                               LINE_BYTES_MAX);
        }
        enum err e = split(lines, line, out_fault);
        if (e != ERR_NONE || lines->count > 0) {
            return e;
        }
    }
    return ERR_CLOSED;
}

/* Not by printf: it is said of each of some hundred entries whenever they are read. */
enum err lines_where(const struct lines *lines, struct arena *arena, struct slice *out)
{
    char room[128];
    struct buf text;
    buf_init_in(&text, room, sizeof room, sizeof room);
    enum err e = buf_append(&text, slice_sub(lines->name, 0, 100));
    e = e != ERR_NONE ? e : buf_append_byte(&text, ':');
    e = e != ERR_NONE ? e : buf_append_int(&text, lines->number);
    e = e != ERR_NONE ? e : arena_copy(arena, buf_view(&text), out);
    buf_done(&text);
    return e;
}

/* What a backslash protects stands for itself, but for \n. */
static size_t unescape(struct slice text, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool is_protected = text.at[i] == '\\' && i + 1 < text.len;
        i += is_protected ? 1 : 0;
        out[n++] = is_protected && text.at[i] == 'n' ? '\n' : text.at[i];
    }
    return n;
}

enum err word_copy(struct arena *arena, const struct word *word, struct slice *out)
{
    if (word->kind != WORD_QUOTED || slice_find_byte(word->text, '\\', 0) == word->text.len) {
        return arena_copy(arena, word->text, out);
    }
    char *text = arena_alloc_unfilled(arena, word->text.len + 1);
    if (text == NULL) {
        return ERR_NOMEM;
    }
    size_t len = unescape(word->text, text);
    text[len] = '\0';
    *out = slice_make(text, len);
    return ERR_NONE;
}

enum err lines_value(const struct lines *lines, struct arena *arena, struct slice *out,
                     struct fault *out_fault)
{
    const struct word *key = &lines->words[0];
    if (lines->count != 2 || lines->words[1].kind == WORD_PATTERN ||
        lines->words[1].text.len == 0) {
        return lines_fault(lines, out_fault,
                           "%.*s takes one value; put it in quotes if it has spaces",
                           SLICE_ARG(key->text));
    }
    return word_copy(arena, &lines->words[1], out);
}

static bool date_fits(struct slice text)
{
    static const char form[] = "dddd-dd-dd";
    if (text.len != 7 && text.len != 10) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (form[i] == 'd' ? !ascii_is_digit(text.at[i]) : text.at[i] != '-') {
            return false;
        }
    }
    return true;
}

enum err lines_date(const struct lines *lines, struct slice *out, struct fault *out_fault)
{
    if (lines->count != 2 || !date_fits(lines->words[1].text)) {
        return lines_fault(lines, out_fault, "date must be YYYY-MM or YYYY-MM-DD");
    }
    *out = lines->words[1].text;
    return ERR_NONE;
}
