/* engine/table_array: a JSON array cut into its elements, one a line, as its bytes come. Line ends between tokens become
 * spaces; otherwise an element's text stays as it stands. What an element holds is not judged here, only where it ends.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"
#include "base/slice.h"
#include "engine/table_private.h"

enum {
    DEPTH_MAX = 1024, /* jansson refuses 2048 */
};

bool table_array_looks_like(struct slice sample)
{
    struct slice text = slice_trim(sample);
    struct slice inner = slice_trim(slice_sub(text, 1, text.len));
    if (text.len == 0 || text.at[0] != '[' || inner.len == 0) {
        return false;
    }
    struct slice next = slice_trim(slice_sub(inner, 1, inner.len));
    return inner.at[0] == '"' || (inner.at[0] == ']' && next.len == 0) ||
           (inner.at[0] == '{' && (next.len == 0 || next.at[0] == '"' || next.at[0] == '}'));
}

/* In an element all but its end is copied. Returns what is wrong, NULL: nothing. */
static const char *step_inside(struct table_array *array, char c)
{
    if (array->is_in_string) {
        bool is_end = c == '"' && !array->is_escaped;
        array->is_escaped = c == '\\' && !array->is_escaped;
        array->is_in_string = !is_end;
        return c == '\n' || c == '\r' ? "a text is not closed on its line" : NULL;
    }
    if (c == '{' || c == '[') {
        return ++array->depth > DEPTH_MAX ? "values are nested too deep" : NULL;
    }
    if (c == '}' || c == ']') {
        if (array->depth == 0) {
            return "this closes nothing";
        }
        array->depth--;
    }
    array->is_in_string = c == '"';
    return NULL;
}

static enum err begin_element(struct table_array *array, struct buf *lines)
{
    array->state = ARRAY_INSIDE;
    return buf_append(lines, slice_make((const char *)&array->line, sizeof array->line));
}

static const char *step_between(struct table_array *array, char c)
{
    switch (array->state) {
    case ARRAY_BEFORE: array->state = ARRAY_FIRST; return c == '[' ? NULL : "'[' is missing";
    case ARRAY_FIRST:
    case ARRAY_NEXT: {
        bool may_end = array->state == ARRAY_FIRST;
        if (c == ']' && may_end) {
            array->state = ARRAY_OVER;
            return NULL;
        }
        return c == ',' || c == ']' || c == '}' ? "a value is missing here" : NULL;
    }
    case ARRAY_BEHIND:
        array->state = c == ']' ? ARRAY_OVER : ARRAY_NEXT;
        return c == ',' || c == ']' ? NULL : "',' or ']' is missing before this";
    case ARRAY_OVER: return "the array has ended before this";
    case ARRAY_INSIDE: break;
    }
    return NULL;
}

static bool begins_element(const struct table_array *array, char c)
{
    return (array->state == ARRAY_FIRST || array->state == ARRAY_NEXT) && c != ',' && c != ']' &&
           c != '}';
}

/* A value without brackets or quotes ends before what cannot be part of it. */
static bool ends_word(const struct table_array *array, char c)
{
    return array->state == ARRAY_INSIDE && array->depth == 0 && !array->is_in_string &&
           (ascii_is_space(c) || c == ',' || c == ']');
}

static enum err end_element(struct table_array *array, struct buf *to)
{
    array->state = ARRAY_BEHIND;
    return buf_append_byte(to, '\n');
}

static enum err take_inside(struct table_array *array, char c, struct buf *to, const char **out_why)
{
    bool was_nested = array->depth > 0 || array->is_in_string;
    *out_why = step_inside(array, c);
    bool is_gap = !array->is_in_string && (c == '\n' || c == '\r');
    enum err e = buf_append_byte(to, is_gap ? ' ' : c);
    bool is_over = was_nested && array->depth == 0 && !array->is_in_string;
    return e == ERR_NONE && is_over ? end_element(array, to) : e;
}

static enum err take(struct table_array *array, char c, struct buf *to, struct buf *lines,
                     const char **out_why)
{
    enum err e = ERR_NONE;
    if (ends_word(array, c)) {
        e = end_element(array, to);
    } else if (begins_element(array, c) && !ascii_is_space(c)) {
        e = begin_element(array, lines);
    }
    if (e != ERR_NONE) {
        return e;
    }
    if (array->state == ARRAY_INSIDE) {
        return take_inside(array, c, to, out_why);
    }
    *out_why = ascii_is_space(c) ? NULL : step_between(array, c);
    return ERR_NONE;
}

static enum err wrong(const struct table_array *array, struct slice name, const char *why,
                      struct fault *out_fault)
{
    return fault_set(out_fault, ERR_SYNTAX, 0, "%.*s:%llu:%llu: this is no JSON array: %s",
                     SLICE_ARG(name), (unsigned long long)array->line,
                     (unsigned long long)array->column, why);
}

/* Columns count bytes. */
static void move_on(struct table_array *array, char c)
{
    bool is_second = c == '\n' && array->was_cr;
    bool is_newline = (c == '\n' && !is_second) || c == '\r';
    array->was_cr = c == '\r';
    array->line += is_newline ? 1 : 0;
    array->column = is_newline || is_second ? 1 : array->column + 1;
}

enum err table_array_cut(struct table_array *array, struct slice name, struct slice text,
                         struct buf *to, struct buf *lines, struct fault *out_fault)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *why = NULL;
        enum err e = take(array, text.at[i], to, lines, &why);
        if (e != ERR_NONE) {
            return fault_set(out_fault, e, 0, "%s",
                             e == ERR_LIMIT ? "a row is too long" : "out of memory");
        }
        if (why != NULL) {
            return wrong(array, name, why, out_fault);
        }
        move_on(array, text.at[i]);
    }
    return ERR_NONE;
}

enum err table_array_end(const struct table_array *array, struct slice name,
                         struct fault *out_fault)
{
    if (array->state == ARRAY_OVER) {
        return ERR_NONE;
    }
    return wrong(array, name, "the file ends before its ']'", out_fault);
}
