/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_target.h"

#include <string.h>

#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"
#include "heloise/address.h"

static const struct {
    struct slice prefix;
    enum probe_scheme scheme;
} schemes[] = {
    {SLICE_LITERAL("smtp://"), PROBE_SMTP},
    {SLICE_LITERAL("smtps://"), PROBE_SMTPS},
    {SLICE_LITERAL("lmtp://"), PROBE_LMTP},
};

static enum err complain_of(struct slice text, const char *what, struct fault *out_fault)
{
    char safe[61];
    size_t len = text.len < sizeof safe - 1 ? text.len : sizeof safe - 1;
    for (size_t i = 0; i < len; i++) {
        safe[i] = (char)(text.at[i] >= ' ' && text.at[i] < 0x7f ? text.at[i] : '?');
    }
    safe[len] = '\0';
    return fault_set(out_fault, ERR_SYNTAX, 0,
                     "'%s' %s: name a domain, HOST:PORT, an IP address, or smtp://, smtps://, "
                     "lmtp://HOST[:PORT]",
                     safe, what);
}

static bool copy(char *to, size_t room, struct slice text)
{
    if (text.len >= room) {
        return false;
    }
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    return true;
}

/* A host name as an address would have it: that brings its grammar, A-labels and lengths. */
static bool read_name(struct slice text, struct probe_target *out)
{
    char probe[PROBE_NAME_BYTES + 8] = "x@";
    struct hel_address address;
    if (text.len == 0 || text.len + 3 > sizeof probe) {
        return false;
    }
    memcpy(probe + 2, text.at, text.len);
    if (hel_address_parse(slice_make(probe, text.len + 2), HEL_ADDRESS_PRACTICAL, &address, NULL) !=
            ERR_NONE ||
        address.is_literal) {
        return slice_equal_nocase(text, SLICE("localhost")) &&
               copy(out->name, sizeof out->name, SLICE("localhost"));
    }
    return copy(out->name, sizeof out->name, hel_address_domain(&address));
}

static bool read_port(struct slice text, uint16_t *out)
{
    struct reader r = reader_over(text);
    uint64_t port;
    if (!reader_number(&r, UINT16_MAX, &port) || !reader_is_done(&r) || port == 0) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

/* HOST, HOST:PORT, IP, [IP]:PORT. */
static enum err read_host(struct slice text, struct probe_target *out, struct fault *out_fault)
{
    if (ip_port_parse(text, &out->ip, &out->port)) {
        out->kind = PROBE_TARGET_IP;
        return ERR_NONE;
    }
    struct slice inside = slice_sub(text, 1, text.len > 0 ? text.len - 1 : 0);
    bool is_bracketed = slice_starts(text, SLICE("[")) && slice_ends(text, SLICE("]"));
    if (is_bracketed && slice_starts_nocase(inside, SLICE("IPv6:"))) {
        inside = slice_sub(inside, 5, inside.len);
    }
    if (is_bracketed && ip_parse(inside, &out->ip)) {
        out->kind = PROBE_TARGET_IP;
        return ERR_NONE;
    }
    size_t colon = slice_find_byte(text, ':', 0);
    struct slice name = slice_sub(text, 0, colon);
    if (colon < text.len && !read_port(slice_sub(text, colon + 1, text.len), &out->port)) {
        return complain_of(text, "has no port from 1 to 65535", out_fault);
    }
    if (!read_name(name, out)) {
        return complain_of(text, "is no host name", out_fault);
    }
    out->kind = PROBE_TARGET_HOST;
    return ERR_NONE;
}

static enum err read_socket(struct slice path, struct probe_target *out, struct fault *out_fault)
{
    bool has_nul = slice_find_byte(path, '\0', 0) < path.len;
    if (has_nul || !copy(out->path, sizeof out->path, path)) {
        return complain_of(path, "is too long for a socket", out_fault);
    }
    out->kind = PROBE_TARGET_SOCKET;
    return ERR_NONE;
}

static enum err read_address(struct slice text, struct probe_target *out, struct fault *out_fault)
{
    struct hel_address address;
    struct hel_address_error error;
    if (hel_address_parse(text, HEL_ADDRESS_PRACTICAL, &address, &error) != ERR_NONE) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "this is no address: %s", error.text);
    }
    must(copy(out->rcpt, sizeof out->rcpt, hel_address_wire(&address)));
    if (address.is_literal) {
        return read_host(hel_address_domain(&address), out, out_fault);
    }
    must(copy(out->name, sizeof out->name, hel_address_domain(&address)));
    out->kind = PROBE_TARGET_DOMAIN;
    return ERR_NONE;
}

enum err probe_target_parse(struct slice text, struct probe_target *out, struct fault *out_fault)
{
    struct probe_target target = {.kind = PROBE_TARGET_DOMAIN};
    struct slice rest = slice_trim(text);
    bool has_scheme = false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes && !has_scheme; i++) {
        if (slice_starts_nocase(rest, schemes[i].prefix)) {
            target.scheme = schemes[i].scheme;
            rest = slice_sub(rest, schemes[i].prefix.len, rest.len);
            has_scheme = true;
        }
    }
    enum err e = ERR_NONE;
    if (has_scheme && target.scheme == PROBE_LMTP && slice_starts(rest, SLICE("/"))) {
        e = read_socket(rest, &target, out_fault);
    } else if (!has_scheme && slice_find_byte(rest, '@', 0) < rest.len) {
        e = read_address(rest, &target, out_fault);
    } else {
        if (has_scheme && slice_ends(rest, SLICE("/"))) {
            rest = slice_sub(rest, 0, rest.len - 1);
        }
        e = read_host(rest, &target, out_fault);
        bool is_bare = target.kind == PROBE_TARGET_HOST && target.port == 0 && !has_scheme;
        if (e == ERR_NONE && is_bare && strcmp(target.name, "localhost") != 0) {
            target.kind = PROBE_TARGET_DOMAIN;
        }
    }
    if (e == ERR_NONE) {
        *out = target;
    }
    return e;
}
