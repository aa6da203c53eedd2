/* net/proxy_http: CONNECT (RFC 9110 9.3.6). Of the answer only the status line is read; its fields are walked
 * over up to the empty line, and what follows belongs to the tunnel, whatever the fields say of a content.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"
#include "net/proxy_private.h"

enum {
    STATUS_LINE_BYTES = 13, /* "HTTP/1.1 200" and what ends the number */
    CREDENTIAL_BYTES = PROXY_WORD_BYTES + 1 + PROXY_WORD_BYTES + 1, /* a colon, a NUL */
    HOST_BYTES = IP_TEXT_BYTES + 10,                                /* brackets, colon, port */
};

enum http_stage { HTTP_AWAITS_STATUS, HTTP_AWAITS_END_OF_INTERIM, HTTP_AWAITS_END };

/* RFC 7617 2 */
static void put_credentials(struct proxy_dialogue *d)
{
    char clear[CREDENTIAL_BYTES];
    char coded[BASE64_BYTES(CREDENTIAL_BYTES)];
    int len = snprintf(clear, sizeof clear, "%.*s:%.*s", SLICE_ARG(d->proxy->user),
                       SLICE_ARG(d->proxy->password));
    must(len > 0 && (size_t)len < sizeof clear);
    size_t coded_len = base64_write(slice_make(clear, (size_t)len), coded);
    proxy_put(d, SLICE("Proxy-Authorization: Basic "));
    proxy_put(d, slice_make(coded, coded_len));
    proxy_put(d, SLICE("\r\n"));
    explicit_bzero(clear, sizeof clear);
    explicit_bzero(coded, sizeof coded);
}

void proxy_http_begin(struct proxy_dialogue *d)
{
    char ip[IP_TEXT_BYTES];
    char host[HOST_BYTES];
    bool is_v6 = d->target.ip.family == IP_V6;
    int len = snprintf(host, sizeof host, "%s%s%s:%u", is_v6 ? "[" : "",
                       ip_format(&d->target.ip, ip), is_v6 ? "]" : "", (unsigned)d->target.port);
    struct slice authority = slice_make(host, (size_t)len);
    proxy_put(d, SLICE("CONNECT "));
    proxy_put(d, authority);
    proxy_put(d, SLICE(" HTTP/1.1\r\nHost: "));
    proxy_put(d, authority);
    proxy_put(d, SLICE("\r\n"));
    if (d->proxy->user.len > 0) {
        put_credentials(d);
    }
    proxy_put(d, SLICE("\r\n"));
    d->stage = HTTP_AWAITS_STATUS;
    d->has_asked = true;
}

/* RFC 9112 4: HTTP-version SP status-code, then SP and a reason that may be empty; the last SP is often left
 * out. 0: it is none. */
static unsigned status_of(struct slice line)
{
    struct reader r = reader_over(line);
    struct slice digits;
    char minor;
    char after = ' ';
    uint64_t status = 0;
    if (!reader_literal(&r, SLICE("HTTP/1.")) || !reader_byte(&r, &minor) ||
        !ascii_is_digit(minor) || !reader_literal(&r, SLICE(" ")) || !reader_take(&r, 3, &digits)) {
        return 0;
    }
    bool has_end = !reader_byte(&r, &after) || after == ' ' || after == '\r';
    struct reader number = reader_over(digits);
    bool is_number = reader_number(&number, 599, &status) && reader_is_done(&number);
    return has_end && is_number && status >= 100 ? (unsigned)status : 0;
}

/* Strictly, 503 is the proxy's own trouble; but Squid, Apache and Envoy say it, as others say 502, when they
 * cannot reach the destination. And 401 is not for proxies; tinyproxy says it to a wrong password. */
static enum proxy_failure failure_of(unsigned status, bool has_user)
{
    switch (status) {
    case 403: return PROXY_FAILURE_DENIED;
    case 401:
    case 407: return has_user ? PROXY_FAILURE_AUTH : PROXY_FAILURE_AUTH_WANTED;
    case 502:
    case 503: return PROXY_FAILURE_UNREACHABLE;
    case 504: return PROXY_FAILURE_TIMEOUT;
    default: return PROXY_FAILURE_GENERAL;
    }
}

static void on_status(struct proxy_dialogue *d, struct proxy_step *step)
{
    unsigned status = status_of(slice_make(d->in, d->in_len));
    if (status == 0 || status == 101) { /* RFC 9110 15.2.2: nobody asked for another protocol */
        proxy_fail(step, PROXY_FAILURE_PROTOCOL, status);
    } else if (status < 200) {
        d->stage = HTTP_AWAITS_END_OF_INTERIM; /* RFC 9110 15.2 */
    } else if (status < 300) {
        d->stage = HTTP_AWAITS_END;
    } else {
        proxy_fail(step, failure_of(status, d->proxy->user.len > 0), status);
    }
}

static void on_line(struct proxy_dialogue *d, bool is_empty, struct proxy_step *step)
{
    switch ((enum http_stage)d->stage) {
    case HTTP_AWAITS_STATUS: on_status(d, step); break;
    case HTTP_AWAITS_END_OF_INTERIM:
        if (is_empty) {
            d->stage = HTTP_AWAITS_STATUS;
            d->in_len = 0;
        }
        break;
    case HTTP_AWAITS_END:
        if (is_empty) {
            step->status = PROXY_DONE;
        }
        break;
    }
}

/* Another protocol shows with its first bytes; a mail server's greeting, for one, ends no line of HTTP. */
static void keep(struct proxy_dialogue *d, char byte, struct proxy_step *step)
{
    static const char version[] = "HTTP/1.";
    bool is_version = d->in_len >= sizeof version - 1 || byte == version[d->in_len];
    if (!is_version) {
        proxy_fail(step, PROXY_FAILURE_PROTOCOL, 0);
    } else if (d->in_len < STATUS_LINE_BYTES) {
        d->in[d->in_len++] = byte;
    }
}

/* RFC 9112 2.2: a line ends with CRLF, and LF alone is understood. */
static void on_byte(struct proxy_dialogue *d, char byte, struct proxy_step *step)
{
    if (++d->head_len > PROXY_HEAD_BYTES) {
        proxy_fail(step, PROXY_FAILURE_PROTOCOL, 0);
    } else if (byte == '\n') {
        bool is_empty = d->line_len == 0;
        d->line_len = 0;
        on_line(d, is_empty, step);
    } else {
        if (byte != '\r' || d->line_len > 0) {
            d->line_len++;
        }
        if (d->stage == HTTP_AWAITS_STATUS) {
            keep(d, byte, step);
        }
    }
}

void proxy_http_received(struct proxy_dialogue *d, struct slice bytes, struct proxy_step *step)
{
    struct reader r = reader_over(bytes);
    char byte;
    while (step->status == PROXY_MORE && reader_byte(&r, &byte)) {
        on_byte(d, byte, step);
    }
    step->consumed = bytes.len - r.rest.len;
}
