/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/json_write.h"

#include <stdio.h>

#include "base/slice.h"
#include "base/text.h"

void json_begin(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

static void put(struct json_writer *w, struct slice text)
{
    if (w->err == ERR_NONE) {
        w->err = buf_append(w->out, text);
    }
}

static void put_escape(struct json_writer *w, unsigned char byte)
{
    char text[8];
    int len = snprintf(text, sizeof text, "\\u%04x", byte);
    put(w, slice_make(text, (size_t)len));
}

/* How many bytes at the start of s may go out as they are. */
static size_t plain_run(struct slice s)
{
    size_t n = 0;
    while (n < s.len) {
        unsigned char byte = (unsigned char)s.at[n];
        unsigned code;
        size_t step = 1;
        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f) {
            break;
        }
        if (byte >= 0x80) {
            step = text_utf8_next(slice_sub(s, n, s.len), &code);
            if (step == 0) {
                break;
            }
        }
        n += step;
    }
    return n;
}

static void put_quoted(struct json_writer *w, struct slice s)
{
    put(w, SLICE("\""));
    while (s.len > 0) {
        size_t run = plain_run(s);
        put(w, slice_sub(s, 0, run));
        s = slice_sub(s, run, s.len);
        if (s.len == 0) {
            break;
        }
        char byte = s.at[0];
        if (byte == '"' || byte == '\\') {
            char pair[2] = {'\\', byte};
            put(w, slice_make(pair, 2));
        } else if (byte == '\n') {
            put(w, SLICE("\\n"));
        } else {
            put_escape(w, (unsigned char)byte);
        }
        s = slice_sub(s, 1, s.len);
    }
    put(w, SLICE("\""));
}

static void begin_value(struct json_writer *w, const char *key)
{
    if (w->needs_comma) {
        put(w, SLICE(","));
    }
    w->needs_comma = true;
    if (key != NULL) {
        put(w, SLICE("\""));
        put(w, slice_of(key)); /* our own words: nothing to escape */
        put(w, SLICE("\":"));
    }
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
    begin_value(w, key);
    put(w, slice_make(&bracket, 1));
    w->needs_comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
    put(w, slice_make(&bracket, 1));
    w->needs_comma = true;
}

void json_string(struct json_writer *w, const char *key, struct slice value)
{
    begin_value(w, key);
    put_quoted(w, value);
}

void json_int(struct json_writer *w, const char *key, int64_t value)
{
    char text[24];
    begin_value(w, key);
    int len = snprintf(text, sizeof text, "%lld", (long long)value);
    put(w, slice_make(text, (size_t)len));
}

void json_real(struct json_writer *w, const char *key, double value)
{
    char text[48];
    begin_value(w, key);
    int len = snprintf(text, sizeof text, "%.3g", value);
    put(w, slice_make(text, (size_t)len));
}

void json_bool(struct json_writer *w, const char *key, bool value)
{
    begin_value(w, key);
    put(w, value ? SLICE("true") : SLICE("false"));
}

void json_null(struct json_writer *w, const char *key)
{
    begin_value(w, key);
    put(w, SLICE("null"));
}

void json_raw(struct json_writer *w, const char *key, struct slice json)
{
    begin_value(w, key);
    put(w, json);
}
