/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/json_write.h"

#include <stdio.h>

#include "base/date.h"
#include "base/slice.h"
#include "base/text.h"

enum { NUMBER_BYTES = 24 };

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

static void put_unit(struct json_writer *w, unsigned unit)
{
    char text[16];
    int len = snprintf(text, sizeof text, "\\u%04x", unit);
    put(w, slice_make(text, (size_t)len));
}

/* RFC 8259 7: beyond 16 bits as a pair of surrogates. */
static void put_escape(struct json_writer *w, unsigned code)
{
    if (code < 0x10000) {
        put_unit(w, code);
        return;
    }
    put_unit(w, 0xd800 + ((code - 0x10000) >> 10));
    put_unit(w, 0xdc00 + ((code - 0x10000) & 0x3ff));
}

/* The first character of s and how many bytes it takes; a byte that is not UTF-8 is Latin-1. */
static size_t next_character(struct slice s, unsigned *out_code)
{
    size_t step = text_utf8_next(s, out_code);
    if (step == 0) {
        *out_code = (unsigned char)s.at[0];
        return 1;
    }
    return step;
}

/* How many bytes at the start of s may go out as they are. */
static size_t plain_run(struct slice s)
{
    size_t n = 0;
    while (n < s.len) {
        char c = s.at[n];
        if (c >= ' ' && c <= '~' && c != '"' && c != '\\') { /* nearly all of nearly all texts */
            n++;
            continue;
        }
        unsigned code;
        size_t step = next_character(slice_sub(s, n, s.len), &code);
        bool is_raw_byte = step == 1 && code >= 0x80;
        if (is_raw_byte || code == '"' || code == '\\' || text_is_dangerous(code)) {
            break;
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
        unsigned code;
        size_t step = next_character(s, &code);
        if (code == '"' || code == '\\') {
            char pair[2] = {'\\', (char)code};
            put(w, slice_make(pair, 2));
        } else if (code == '\n') {
            put(w, SLICE("\\n"));
        } else {
            put_escape(w, code);
        }
        s = slice_sub(s, step, s.len);
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
    begin_value(w, key);
    if (w->err == ERR_NONE) {
        w->err = buf_append_int(w->out, value);
    }
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

void json_text(struct json_writer *w, const char *key, struct slice value)
{
    if (value.len == 0) {
        json_null(w, key);
    } else {
        json_string(w, key, value);
    }
}

void json_ip(struct json_writer *w, const char *key, const struct ip *ip)
{
    char text[IP_TEXT_BYTES];
    json_text(w, key, ip->family == IP_NONE ? SLICE_NONE : slice_of(ip_format(ip, text)));
}

void json_time(struct json_writer *w, const char *key, int64_t unix_ms)
{
    char text[DATE_TIME_BYTES];
    json_text(w, key, unix_ms == 0 ? SLICE_NONE : slice_of(date_time_text(unix_ms, text)));
}

void json_next(struct json_writer *w, size_t count, size_t limit, int64_t last)
{
    char number[NUMBER_BYTES];
    (void)snprintf(number, sizeof number, "%lld", (long long)last);
    json_text(w, "next", count < limit ? SLICE_NONE : slice_of(number));
}

void json_raw(struct json_writer *w, const char *key, struct slice json)
{
    begin_value(w, key);
    put(w, json);
}
