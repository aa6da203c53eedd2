/* engine/config_proxy: the URL of a proxy (RFC 3986 3): socks5://user:password@host:port, http://..., proxyv2://host:port.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"
#include "base/slice.h"
#include "engine/config_private.h"

enum {
    HOST_BYTES_MAX = 255,   /* RFC 1035 2.3.4 */
    SECRET_BYTES_MAX = 255, /* of user and password, RFC 1929 2 */
};

static const struct {
    const char *start;
    enum proxy_kind kind;
} schemes[] = {{"socks5://", PROXY_SOCKS5}, {"http://", PROXY_HTTP}, {"proxyv2://", PROXY_V2}};
enum { SCHEMES = sizeof schemes / sizeof *schemes };

static int hex_digit(char c)
{
    char lower = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* %41 and the like become bytes (RFC 3986 2.1). */
static enum err decode(struct slice text, struct arena *arena, struct slice *out,
                       struct fault *out_why)
{
    char bytes[SECRET_BYTES_MAX];
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.at[i + 2]) : -1;
            if (low < 0 || high * 16 + low == 0) {
                return fault_set(out_why, ERR_SYNTAX, 0,
                                 "a %% in the user or password of a proxy starts two hexadecimal "
                                 "digits; write %%25 for the sign itself");
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (len == sizeof bytes) {
            return fault_set(out_why, ERR_SYNTAX, 0,
                             "the user or password of a proxy has more than %d bytes",
                             SECRET_BYTES_MAX);
        }
        bytes[len++] = c;
    }
    return arena_copy(arena, slice_make(bytes, len), out);
}

static bool is_host_byte(char c)
{
    return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_';
}

/* A name or an address; an IPv6 one stands in brackets. */
static bool read_host(struct reader *r, struct slice *out, struct ip *out_ip)
{
    if (reader_literal(r, SLICE("["))) {
        return reader_until(r, ']', out) && ip_parse(*out, out_ip) && out_ip->family == IP_V6;
    }
    *out = reader_while(r, is_host_byte);
    if (slice_starts(r->rest, SLICE(":")) && slice_find_byte(r->rest, ':', 1) < r->rest.len) {
        return false; /* an IPv6 address without brackets */
    }
    if (!ip_parse(*out, out_ip)) {
        *out_ip = (struct ip){.family = IP_NONE};
    }
    return out->len > 0 && out->len <= HOST_BYTES_MAX;
}

static enum err read_place(struct slice text, struct arena *arena, struct config_proxy *out,
                           struct fault *out_why)
{
    struct reader r = reader_over(text);
    struct slice host;
    uint64_t port = 0;
    if (!read_host(&r, &host, &out->ip)) {
        return fault_set(out_why, ERR_SYNTAX, 0,
                         "the host of the proxy is neither a name nor an address (an IPv6 one "
                         "stands in brackets)");
    }
    if (!reader_literal(&r, SLICE(":")) || !reader_number(&r, 65535, &port) || port == 0) {
        return fault_set(out_why, ERR_SYNTAX, 0,
                         "the proxy has no port from 1 to 65535; write %.*s:PORT",
                         SLICE_ARG(slice_sub(host, 0, 60)));
    }
    (void)reader_literal(&r, SLICE("/"));
    if (!reader_is_done(&r)) {
        return fault_set(out_why, ERR_SYNTAX, 0,
                         "'%.*s' behind the port of the proxy says nothing; remove it",
                         SLICE_ARG(slice_sub(r.rest, 0, 60)));
    }
    out->port = (uint16_t)port;
    return arena_copy(arena, host, &out->host);
}

static enum err read_secrets(struct slice text, struct arena *arena, struct config_proxy *out,
                             struct fault *out_why)
{
    if (out->kind == PROXY_V2) {
        return fault_set(out_why, ERR_SYNTAX, 0,
                         "proxyv2 knows no user; remove what stands before @");
    }
    size_t colon = slice_find_byte(text, ':', 0);
    enum err e = decode(slice_sub(text, 0, colon), arena, &out->user, out_why);
    if (e == ERR_NONE && out->kind == PROXY_HTTP &&
        slice_find_byte(out->user, ':', 0) < out->user.len) { /* RFC 7617 2 */
        e = fault_set(out_why, ERR_SYNTAX, 0, "HTTP knows no user with a colon");
    }
    if (e == ERR_NONE && out->user.len == 0) {
        e = fault_set(out_why, ERR_SYNTAX, 0,
                      "the proxy's user is empty; remove the @ or name one");
    }
    if (e == ERR_NONE && colon < text.len) {
        e = decode(slice_sub(text, colon + 1, text.len), arena, &out->password, out_why);
    }
    return e;
}

/* Complaints never repeat what stands before the @: it may be a password. */
enum err config_proxy_read(struct slice url, struct arena *arena, struct config_proxy *out,
                           struct fault *out_why)
{
    struct config_proxy proxy = {.user = SLICE_NONE, .password = SLICE_NONE};
    struct slice rest = url;
    for (size_t i = 0; i < SCHEMES && proxy.kind == PROXY_NONE; i++) {
        struct slice start = slice_of(schemes[i].start);
        if (slice_starts_nocase(url, start)) {
            proxy.kind = schemes[i].kind;
            rest = slice_sub(url, start.len, url.len);
        }
    }
    if (proxy.kind == PROXY_NONE) {
        return fault_set(out_why, ERR_SYNTAX, 0,
                         "a proxy is written socks5://HOST:PORT, http://HOST:PORT or "
                         "proxyv2://HOST:PORT");
    }
    enum err e = ERR_NONE;
    size_t at = slice_find_last_byte(rest, '@');
    if (at < rest.len) {
        e = read_secrets(slice_sub(rest, 0, at), arena, &proxy, out_why);
        rest = slice_sub(rest, at + 1, rest.len);
    }
    if (e == ERR_NONE) {
        e = read_place(rest, arena, &proxy, out_why);
    }
    if (e == ERR_NONE) {
        *out = proxy;
    }
    return e;
}

const char *config_proxy_password_complaint(const struct config_proxy *proxy)
{
    if (proxy->kind == PROXY_V2) {
        return "proxyv2 knows no password; remove this line";
    }
    if (proxy->user.len == 0) {
        return "the proxy has a password and no user; write it before the host, as in "
               "socks5://USER@HOST:PORT";
    }
    return proxy->password.len > 0 ? "the URL of the proxy has a password already; remove it there"
                                   : NULL;
}

/* Letters, digits and what RFC 3986 2.3 calls unreserved stay. */
static enum err write_encoded(struct slice text, struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < text.len && e == ERR_NONE; i++) {
        char c = text.at[i];
        bool is_plain = ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
        e = is_plain ? buf_append_byte(out, c)
                     : buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
    return e;
}

enum err config_proxy_write(const struct config_proxy *proxy, struct buf *out)
{
    if (proxy->kind == PROXY_NONE) {
        return ERR_NONE;
    }
    const char *start = "";
    for (size_t i = 0; i < SCHEMES; i++) {
        start = schemes[i].kind == proxy->kind ? schemes[i].start : start;
    }
    enum err e = buf_append(out, slice_of(start));
    if (e == ERR_NONE && proxy->user.len > 0) {
        e = write_encoded(proxy->user, out);
        e = e != ERR_NONE ? e
                          : buf_append(out, proxy->password.len > 0 ? SLICE(":***@") : SLICE("@"));
    }
    if (e != ERR_NONE) {
        return e;
    }
    return proxy->ip.family == IP_V6
               ? buf_printf(out, "[%.*s]:%u", SLICE_ARG(proxy->host), (unsigned)proxy->port)
               : buf_printf(out, "%.*s:%u", SLICE_ARG(proxy->host), (unsigned)proxy->port);
}
