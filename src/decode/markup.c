/* decode/markup: one byte at a time through the states of a document, runs of plain text at once.
 *
 * Values of attributes wait in `aside` for the next place where words are parted, and so do newlines inside tags: neither
 * may part a word that goes on behind a tag of style.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/markup.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"
#include "decode/markup_private.h"
#include "decode/reference.h"

enum {
    NAME_BYTES = 128,
    VALUE_BYTES_MAX = 16384, /* then it is taken piece by piece */
    ASIDE_BYTES_MAX = 65536,
    NEWLINES_MAX = 4096, /* that wait */
    RUN_BYTES_MAX =
        512, /* so that many tags and references side by side cost no more than others */
};

enum state {
    STATE_TEXT,
    STATE_REFERENCE,
    STATE_OPEN, /* behind '<' */
    STATE_NAME,
    STATE_TAG, /* between attributes */
    STATE_ATTRIBUTE,
    STATE_VALUE_START,
    STATE_VALUE,
    STATE_BANG, /* behind "<!" */
    STATE_COMMENT,
    STATE_CDATA,
    STATE_DECLARATION,
    STATE_RAW, /* in script or style */
};

struct name {
    char text[NAME_BYTES];
    size_t len; /* may be more than is kept */
};

struct markup {
    struct markup_config config;
    enum state state;
    char held[REFERENCE_BYTES_MAX]; /* a reference, or what follows "<!" */
    size_t held_len;
    struct name tag, attribute;
    struct slice raw_end; /* "</script" */
    size_t matched;       /* bytes of what ends a comment, CDATA or script that were seen */
    char quote;           /* around the value; '\0': none */
    bool is_closing, is_raw_kept, was_slash;
    size_t newlines; /* inside tags, not yet written */
    struct buf value, aside;
};

enum err markup_new(const struct markup_config *config, struct markup **out)
{
    struct markup *markup = calloc(1, sizeof *markup);
    if (markup == NULL) {
        return ERR_NOMEM;
    }
    markup->config = *config;
    buf_init(&markup->value, VALUE_BYTES_MAX);
    buf_init(&markup->aside, ASIDE_BYTES_MAX);
    *out = markup;
    return ERR_NONE;
}

void markup_free(struct markup *markup)
{
    if (markup != NULL) {
        buf_done(&markup->value);
        buf_done(&markup->aside);
        free(markup);
    }
}

static struct slice name_view(const struct name *name)
{
    return slice_make(name->text, name->len < NAME_BYTES ? name->len : NAME_BYTES);
}

static void name_add(struct name *name, char c)
{
    if (name->len < NAME_BYTES) {
        name->text[name->len] = c;
    }
    name->len++;
}

/* What waited for a place between words. */
static enum err part(struct markup *markup, struct buf *out)
{
    enum err e = ERR_NONE;
    if (markup->aside.len > 0) {
        e = buf_append(out, buf_view(&markup->aside));
        buf_clear(&markup->aside);
    }
    for (; markup->newlines > 0 && e == ERR_NONE; markup->newlines--) {
        e = buf_append_byte(out, '\n');
    }
    return e == ERR_NONE ? buf_append_byte(out, '\f') : e;
}

static void open_tag(struct markup *markup)
{
    markup->state = STATE_OPEN;
    markup->tag.len = markup->attribute.len = 0;
    markup->is_closing = markup->is_raw_kept = markup->was_slash = false;
}

/* A run of text without '<' and '&'. What waits goes where its first space stands. */
static enum err take_text(struct markup *markup, struct slice run, struct buf *out)
{
    if (markup->aside.len > 0 || markup->newlines > 0) {
        size_t space = 0;
        while (space < run.len && !ascii_is_space(run.at[space])) {
            space++;
        }
        enum err e = buf_append(out, slice_sub(run, 0, space));
        if (e == ERR_NONE && space < run.len) {
            e = part(markup, out);
        }
        return e == ERR_NONE ? buf_append(out, slice_sub(run, space, run.len)) : e;
    }
    return buf_append(out, run);
}

static enum err end_reference(struct markup *markup, struct buf *out)
{
    struct slice held = slice_make(markup->held, markup->held_len);
    unsigned code;
    size_t len;
    markup->state = STATE_TEXT;
    markup->held_len = 0;
    if (!reference_read(held, &code, &len)) {
        return buf_append(out, held);
    }
    char bytes[TEXT_UTF8_BYTES];
    return buf_append(out, slice_make(bytes, text_utf8_write(code, bytes)));
}

/* The byte is used up unless it cannot belong to the reference. */
static enum err step_reference(struct markup *markup, char c, bool *out_is_used, struct buf *out)
{
    bool is_part = ascii_is_alnum(c) || c == '#' || c == ';';
    *out_is_used = is_part;
    if (is_part) {
        markup->held[markup->held_len++] = c;
    }
    bool is_over = !is_part || c == ';' || markup->held_len == sizeof markup->held;
    return is_over ? end_reference(markup, out) : ERR_NONE;
}

static bool may_hold_address(struct slice value)
{
    return slice_find_byte(value, '@', 0) < value.len ||
           slice_find_byte(value, '&', 0) < value.len || slice_find_byte(value, '%', 0) < value.len;
}

static enum err put_aside(struct markup *markup, struct slice value, struct buf *out)
{
    enum err e = ERR_NONE;
    if (markup->aside.len + value.len + 2 > ASIDE_BYTES_MAX) {
        e = part(markup, out);
    }
    e = e == ERR_NONE ? buf_append_byte(&markup->aside, '\f') : e;
    e = e == ERR_NONE ? markup_value_append(value, &markup->aside) : e;
    return e == ERR_NONE ? buf_append_byte(&markup->aside, '\f') : e;
}

static enum err end_value(struct markup *markup, struct buf *out)
{
    struct slice value = buf_view(&markup->value);
    if (slice_equal_nocase(name_view(&markup->attribute), SLICE("type")) &&
        slice_find_nocase(value, SLICE("ld+json")) < value.len) {
        markup->is_raw_kept = true;
    }
    enum err e = may_hold_address(value) ? put_aside(markup, value, out) : ERR_NONE;
    buf_clear(&markup->value);
    return e;
}

static enum err add_to_value(struct markup *markup, char c, struct buf *out)
{
    enum err e = markup->value.len == VALUE_BYTES_MAX ? end_value(markup, out) : ERR_NONE;
    /* A newline is counted as one of the tag. */
    return e == ERR_NONE ? buf_append_byte(&markup->value, c == '\n' ? ' ' : c) : e;
}

static struct slice raw_end_of(struct slice tag)
{
    if (slice_equal_nocase(tag, SLICE("script"))) {
        return SLICE("</script");
    }
    return slice_equal_nocase(tag, SLICE("style")) ? SLICE("</style") : SLICE_NONE;
}

static enum err end_tag(struct markup *markup, struct buf *out)
{
    struct slice tag = name_view(&markup->tag);
    size_t colon = slice_find_byte(tag, ':', 0);
    struct slice local = colon < tag.len ? slice_sub(tag, colon + 1, tag.len) : tag;
    enum err e = ERR_NONE;
    markup->state = STATE_TEXT;
    if (slice_find_byte(tag, '@', 0) < tag.len) {
        /* <jane@example.com>, by people who did not know that '<' has a meaning */
        e = put_aside(markup, tag, out);
    }
    if (e == ERR_NONE && !markup_tag_joins(markup->config.dialect, local, markup->is_closing)) {
        e = part(markup, out);
    }
    markup->raw_end =
        markup->config.dialect == MARKUP_HTML && !markup->is_closing && !markup->was_slash
            ? raw_end_of(tag)
            : SLICE_NONE;
    if (markup->raw_end.len > 0) {
        markup->state = STATE_RAW;
        markup->matched = 0;
        markup->is_raw_kept = markup->is_raw_kept || (markup->config.wants_hidden && tag.len == 6);
    }
    return e;
}

static enum err step_open(struct markup *markup, char c, bool *out_is_used, struct buf *out)
{
    bool has_slash = markup->is_closing;
    if (c == '/' && !has_slash) {
        markup->is_closing = true;
    } else if ((c == '!' || c == '?') && !has_slash) {
        markup->held_len = 0;
        markup->state = c == '!' ? STATE_BANG : STATE_DECLARATION;
    } else if (ascii_is_alpha(c) || c == '_') {
        name_add(&markup->tag, c);
        markup->state = STATE_NAME;
    } else {
        *out_is_used = false;
        markup->state = STATE_TEXT;
        return buf_append(out, has_slash ? SLICE("</") : SLICE("<"));
    }
    return ERR_NONE;
}

/* In a tag, between its parts. */
static enum err step_tag(struct markup *markup, char c, struct buf *out)
{
    if (c == '>') {
        return end_tag(markup, out);
    }
    markup->was_slash = c == '/';
    if (c == '=' && markup->attribute.len > 0) {
        markup->state = STATE_VALUE_START;
    } else if (!ascii_is_space(c) && c != '/' && c != '=') {
        markup->attribute.len = 0;
        name_add(&markup->attribute, c);
        markup->state = STATE_ATTRIBUTE;
    }
    return ERR_NONE;
}

static enum err step_name(struct markup *markup, struct name *name, char c, struct buf *out)
{
    if (!ascii_is_space(c) && c != '>' && c != '/' && c != '=') {
        name_add(name, c);
        return ERR_NONE;
    }
    markup->state = STATE_TAG;
    return step_tag(markup, c, out);
}

static enum err step_value_start(struct markup *markup, char c, struct buf *out)
{
    if (ascii_is_space(c)) {
        return ERR_NONE;
    }
    if (c == '>') {
        return end_tag(markup, out);
    }
    markup->was_slash = false;
    markup->state = STATE_VALUE;
    markup->quote = c == '"' || c == '\'' ? c : '\0';
    return markup->quote == '\0' ? add_to_value(markup, c, out) : ERR_NONE;
}

static enum err step_value(struct markup *markup, char c, struct buf *out)
{
    bool is_over = markup->quote == '\0' ? ascii_is_space(c) || c == '>' : c == markup->quote;
    if (!is_over) {
        return add_to_value(markup, c, out);
    }
    enum err e = end_value(markup, out);
    markup->attribute.len = 0;
    markup->state = STATE_TAG;
    return e == ERR_NONE && c == '>' ? end_tag(markup, out) : e;
}

/* Which of "<!--", "<![CDATA[" and "<!DOCTYPE" it is. */
static void step_bang(struct markup *markup, char c, bool *out_is_used)
{
    static const struct slice cdata = SLICE_LITERAL("[CDATA[");
    markup->held[markup->held_len++] = c;
    struct slice held = slice_make(markup->held, markup->held_len);
    markup->matched = 0;
    if (slice_equal(held, SLICE("--"))) {
        markup->state = STATE_COMMENT;
        markup->matched = 2; /* "<!-->" is a whole comment */
    } else if (slice_equal(held, cdata)) {
        markup->state = STATE_CDATA;
    } else if (!slice_starts(SLICE("--"), held) && !slice_starts(cdata, held)) {
        *out_is_used = false;
        markup->state = STATE_DECLARATION;
    }
}

/* Whether c completes end, which begins with a run of one byte. */
static bool completes(struct markup *markup, struct slice end, char c)
{
    size_t run = end.len - 1; /* "--" of "-->" */
    if (c == end.at[0]) {
        markup->matched += markup->matched < run ? 1 : 0;
        return false;
    }
    bool is_over = c == '>' && markup->matched == run;
    markup->matched = 0;
    return is_over;
}

static enum err step_hidden(struct markup *markup, char c, struct buf *out)
{
    struct slice end = markup->state == STATE_COMMENT ? SLICE("-->") : SLICE("]]>");
    bool is_text = markup->state == STATE_CDATA || markup->config.wants_hidden;
    if (completes(markup, end, c)) {
        markup->state = STATE_TEXT;
        return is_text ? part(markup, out) : ERR_NONE;
    }
    if (is_text) {
        return buf_append_byte(out, c);
    }
    markup->newlines += c == '\n' ? 1 : 0;
    return ERR_NONE;
}

static enum err step_raw(struct markup *markup, char c, struct buf *out)
{
    struct slice end = markup->raw_end;
    if (ascii_lower(c) == end.at[markup->matched]) {
        markup->matched++;
    } else {
        markup->matched = c == '<' ? 1 : 0;
    }
    if (markup->matched == end.len) {
        open_tag(markup);
        markup->is_closing = true;
        markup->state = STATE_NAME;
        return part(markup, out);
    }
    markup->newlines += !markup->is_raw_kept && c == '\n' ? 1 : 0;
    return markup->is_raw_kept ? buf_append_byte(out, c) : ERR_NONE;
}

/* Of a byte outside text. */
static enum err step(struct markup *markup, char c, bool *out_is_used, struct buf *out)
{
    *out_is_used = true;
    switch (markup->state) {
    case STATE_TEXT: break;
    case STATE_REFERENCE: return step_reference(markup, c, out_is_used, out);
    case STATE_OPEN: return step_open(markup, c, out_is_used, out);
    case STATE_NAME: return step_name(markup, &markup->tag, c, out);
    case STATE_TAG: return step_tag(markup, c, out);
    case STATE_ATTRIBUTE: return step_name(markup, &markup->attribute, c, out);
    case STATE_VALUE_START: return step_value_start(markup, c, out);
    case STATE_VALUE: return step_value(markup, c, out);
    case STATE_BANG: step_bang(markup, c, out_is_used); break;
    case STATE_COMMENT:
    case STATE_CDATA: return step_hidden(markup, c, out);
    case STATE_DECLARATION: markup->state = c == '>' ? STATE_TEXT : STATE_DECLARATION; break;
    case STATE_RAW: return step_raw(markup, c, out);
    }
    return ERR_NONE;
}

static bool is_inside_tag(enum state state)
{
    return state >= STATE_OPEN && state <= STATE_DECLARATION && state != STATE_COMMENT &&
           state != STATE_CDATA;
}

static enum err feed_text(struct markup *markup, struct slice bytes, size_t *at, struct buf *out)
{
    struct slice near = slice_sub(bytes, 0, *at + RUN_BYTES_MAX);
    size_t end = slice_find_byte(near, '<', *at);
    end = slice_find_byte(slice_sub(near, 0, end), '&', *at);
    enum err e = take_text(markup, slice_sub(bytes, *at, end), out);
    *at = end;
    if (e != ERR_NONE || end == near.len) {
        return e;
    }
    *at = end + 1;
    if (bytes.at[end] == '<') {
        open_tag(markup);
    } else {
        markup->state = STATE_REFERENCE;
        markup->held[0] = '&';
        markup->held_len = 1;
    }
    return ERR_NONE;
}

enum err markup_feed(struct markup *markup, struct slice bytes, struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < bytes.len && e == ERR_NONE;) {
        if (markup->state == STATE_TEXT) {
            e = feed_text(markup, bytes, &i, out);
            continue;
        }
        bool is_used;
        bool is_in_tag = is_inside_tag(markup->state);
        char c = bytes.at[i];
        e = step(markup, c, &is_used, out);
        markup->newlines += is_used && is_in_tag && c == '\n' ? 1 : 0;
        i += is_used ? 1 : 0;
        if (markup->newlines == NEWLINES_MAX && e == ERR_NONE) {
            e = part(markup, out);
        }
    }
    return e;
}

enum err markup_end(struct markup *markup, struct buf *out)
{
    enum err e = markup->state == STATE_REFERENCE ? end_reference(markup, out) : ERR_NONE;
    if (e == ERR_NONE && markup->state == STATE_VALUE) {
        e = end_value(markup, out);
    } else if (e == ERR_NONE && markup->state == STATE_NAME) {
        e = end_tag(markup, out);
    }
    markup->state = STATE_TEXT;
    return e == ERR_NONE ? part(markup, out) : e;
}
