/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhook_headers.h"

#include <string.h>

#include "base/slice.h"
#include "base/text.h"

enum { NAME_SHOWN_MAX = 60 };

/* Those that libcurl makes, that end at the next hop, or by which a receiver knows us. */
static const char *const ours[] = {
    "Connection", "Content-Encoding",  "Content-Length",     "Expect",
    "Host",       "Keep-Alive",        "Proxy-Connection",   "TE",
    "Trailer",    "Transfer-Encoding", "Proxy-Authenticate", "Proxy-Authorization",
    "Upgrade",    "Content-Type",
};

static bool is_ours(struct slice name)
{
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (slice_equal_nocase(name, slice_of(ours[i]))) {
            return true;
        }
    }
    return slice_starts_nocase(name, SLICE("Webhook-"));
}

/* RFC 9110 5.5, without the bytes that it calls opaque. */
static bool is_value(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if (c < ' ' || c >= 0x7f) {
            return false;
        }
    }
    return true;
}

/* *out_count: how many there are. */
static bool has_name(struct slice lines, struct slice name, size_t *out_count)
{
    bool is_there = false;
    *out_count = 0;
    while (lines.len > 0) {
        struct slice value = slice_cut(&lines, '\n');
        is_there = is_there || slice_equal_nocase(slice_cut(&value, ':'), name);
        (*out_count)++;
    }
    return is_there;
}

enum err webhook_headers_add(struct buf *lines, struct slice name, struct slice value,
                             struct fault *out_fault)
{
    size_t count;
    value = slice_trim(value);
    if (!text_is_http_token(name) || !is_value(value)) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "a header is a name of letters, digits and signs, and a value of "
                         "printable ASCII");
    }
    if (slice_equal_nocase(name, SLICE("Content-Type")) &&
        slice_starts_nocase(value, SLICE("application/json"))) {
        return ERR_NONE;
    }
    if (is_ours(name)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "the header %.*s cannot be chosen; leave it out",
                         (int)(name.len < NAME_SHOWN_MAX ? name.len : NAME_SHOWN_MAX), name.at);
    }
    if (has_name(buf_view(lines), name, &count)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "a header stands there twice");
    }
    if (count == WEBHOOK_HEADERS_MAX ||
        lines->len + name.len + value.len + 2 > WEBHOOK_HEADERS_BYTES_MAX) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "more than %d headers, or %d bytes of them",
                         WEBHOOK_HEADERS_MAX, WEBHOOK_HEADERS_BYTES_MAX);
    }
    return buf_printf(lines, "%.*s:%.*s\n", SLICE_ARG(name), SLICE_ARG(value)) == ERR_NONE
               ? ERR_NONE
               : fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
}

void webhook_headers_read(struct slice lines, struct webhook_headers *out)
{
    size_t used = 0;
    out->count = 0;
    while (lines.len > 0 && out->count < WEBHOOK_HEADERS_MAX) {
        struct slice value = slice_cut(&lines, '\n');
        struct slice name = slice_cut(&value, ':');
        size_t bytes = name.len + 1 + value.len;
        if (!text_is_http_token(name) || !is_value(value) || bytes > sizeof out->text - used) {
            continue;
        }
        char *at = out->text + used;
        memcpy(at, name.at, name.len);
        at[name.len] = '\0';
        if (value.len > 0) {
            memcpy(at + name.len + 1, value.at, value.len);
        }
        out->at[out->count].name = at;
        out->at[out->count].value = slice_make(at + name.len + 1, value.len);
        out->count++;
        used += bytes;
    }
}
