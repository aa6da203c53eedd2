/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_forms.h"

#include "base/slice.h"

/* ---- relaying ---- */

/* %o own domain, %s stranger's address, %u and %d its halves, %f the sender. */
static const struct {
    const char *mail_from, *rcpt, *words;
} forms[] = {
    {"%f", "%s", "a stranger to a stranger"},
    {"", "%s", "the null sender to a stranger"},
    {"postmaster@%o", "%s", "a sender of the server's own domain"},
    {"%f", "%u%%%d@%o", "percent hack"},
    {"%f", "%u%%%d", "percent hack without a domain"},
    {"%f", "%d!%u@%o", "bang path at the own domain"},
    {"%f", "%d!%u", "bang path"},
    {"%f", "\"%s\"@%o", "quoted at sign at the own domain"},
    {"%f", "\"%s\"", "quoted address"},
    {"%f", "%s@%o", "two at signs"},
    {"%f", "@%o:%s", "source route (RFC 5321 appendix C)"},
    {"%f", "%s.", "trailing dot"},
};
_Static_assert(sizeof forms / sizeof *forms <= PROBE_TRIALS_MAX, "each form has its place");

struct values {
    struct slice own, stranger, user, domain, sender;
};

static enum err fill(const char *form, const struct values *values, struct buf *out)
{
    enum err e = ERR_NONE;
    for (const char *at = form; *at != '\0' && e == ERR_NONE; at++) {
        if (*at != '%') {
            e = buf_append_byte(out, *at);
            continue;
        }
        at++;
        switch (*at) {
        case 'o': e = buf_append(out, values->own); break;
        case 's': e = buf_append(out, values->stranger); break;
        case 'u': e = buf_append(out, values->user); break;
        case 'd': e = buf_append(out, values->domain); break;
        case 'f': e = buf_append(out, values->sender); break;
        default: e = buf_append_byte(out, '%'); break;
        }
    }
    return e;
}

static enum err fill_room(
    const char *form, const struct values *values,
    /* NOLINTNEXTLINE(readability-non-const-parameter): the buffer writes there */
    char room[PROBE_FORM_BYTES], struct slice *out)
{
    struct buf text = {.at = room, .cap = PROBE_FORM_BYTES, .max = PROBE_FORM_BYTES};
    enum err e = fill(form, values, &text);
    *out = buf_view(&text);
    return e;
}

enum err probe_relay_forms(struct slice own, struct slice stranger, struct slice sender,
                           struct probe_relay_forms *out)
{
    stranger = stranger.at != NULL ? stranger : SLICE("relay-test@example.net");
    sender = sender.len > 0 ? sender : SLICE("relay-test@example.org");
    size_t at = slice_find_last_byte(stranger, '@');
    if (at == 0 || at + 1 >= stranger.len || own.len == 0) {
        return ERR_SYNTAX;
    }
    const struct values values = {own, stranger, slice_sub(stranger, 0, at),
                                  slice_sub(stranger, at + 1, stranger.len), sender};
    enum err e = ERR_NONE;
    out->count = 0;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && e == ERR_NONE; i++) {
        struct probe_trial *trial = &out->trials[i];
        out->words[i] = forms[i].words;
        e = fill_room(forms[i].mail_from, &values, out->rooms[2 * i], &trial->mail_from);
        e = e != ERR_NONE ? e
                          : fill_room(forms[i].rcpt, &values, out->rooms[2 * i + 1], &trial->rcpt);
        out->count++;
    }
    return e;
}

/* ---- the PROXY protocol ---- */

struct ends {
    struct ip source, destination;
    uint16_t source_port, destination_port;
};

static enum err write_v1(const struct ends *ends, struct buf *out)
{
    char source[IP_TEXT_BYTES], destination[IP_TEXT_BYTES];
    if (ends == NULL) {
        return buf_append(out, SLICE("PROXY UNKNOWN\r\n"));
    }
    return buf_printf(out, "PROXY TCP%c %s %s %u %u\r\n", ends->source.family == IP_V6 ? '6' : '4',
                      ip_format(&ends->source, source), ip_format(&ends->destination, destination),
                      ends->source_port, ends->destination_port);
}

static enum err put_u16(struct buf *out, unsigned value)
{
    enum err e = buf_append_byte(out, (char)(value >> 8));
    return e != ERR_NONE ? e : buf_append_byte(out, (char)(value & 0xff));
}

static enum err write_v2(const struct ends *ends, struct buf *out)
{
    enum err e = buf_append(out, SLICE("\r\n\r\n\0\r\nQUIT\n"));
    if (e != ERR_NONE || ends == NULL) { /* version 2, LOCAL, no addresses */
        return e != ERR_NONE ? e : buf_append(out, SLICE("\x20\0\0\0"));
    }
    bool is_six = ends->source.family == IP_V6;
    size_t len = is_six ? 16 : 4;
    e = buf_append_byte(out, '\x21'); /* version 2, PROXY */
    e = e != ERR_NONE ? e : buf_append_byte(out, is_six ? '\x21' : '\x11');
    e = e != ERR_NONE ? e : put_u16(out, (unsigned)(2 * len + 4));
    e = e != ERR_NONE ? e : buf_append(out, slice_make((const char *)ends->source.bytes, len));
    e = e != ERR_NONE ? e : buf_append(out, slice_make((const char *)ends->destination.bytes, len));
    e = e != ERR_NONE ? e : put_u16(out, ends->source_port);
    return e != ERR_NONE ? e : put_u16(out, ends->destination_port);
}

enum err probe_proxy_header(struct slice text, struct buf *out)
{
    struct slice rest = text;
    struct slice version = slice_cut(&rest, ',');
    bool is_one = slice_equal_nocase(version, SLICE("v1"));
    bool has_ends = rest.at != NULL;
    struct ends ends = {.source_port = 0};
    if (!is_one && !slice_equal_nocase(version, SLICE("v2"))) {
        return ERR_SYNTAX;
    }
    if (has_ends) {
        struct slice source = slice_cut(&rest, ',');
        struct slice destination = rest.at == NULL ? SLICE_NONE : rest;
        if (!ip_port_parse(source, &ends.source, &ends.source_port) ||
            !ip_port_parse(destination, &ends.destination, &ends.destination_port) ||
            ends.source.family != ends.destination.family || ends.source_port == 0 ||
            ends.destination_port == 0) {
            return ERR_SYNTAX;
        }
    }
    return is_one ? write_v1(has_ends ? &ends : NULL, out) : write_v2(has_ends ? &ends : NULL, out);
}
