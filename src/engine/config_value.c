/* engine/config_value: what stands behind a key becomes a value, or a sentence that says what is wrong with it and what
 * to write instead.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "base/span.h"
#include "base/text.h"
#include "engine/config_private.h"

enum {
    SHOWN_BYTES = 60, /* of a value in a complaint */
    HELO_BYTES_MAX = 255,
    URL_BYTES_MAX = 512,
    YEAR_MIN = 2000,
    YEAR_MAX = 2200,
};

/* One value being read. */
struct value_reader {
    const struct config_key *key;
    const struct config_given *given;
    struct arena *arena;
    struct fault *why;
};

static struct slice shown(struct slice s)
{
    return slice_sub(s, 0, SHOWN_BYTES);
}

static enum err one_word(const struct value_reader *r, struct slice *out)
{
    if (r->given->count != 1) {
        return fault_set(r->why, ERR_SYNTAX, 0, "%s",
                         r->given->count == 0
                             ? "a value is missing; write it behind the key"
                             : "one value is enough; put it in quotes if it has spaces");
    }
    *out = r->given->words[0].text;
    return ERR_NONE;
}

/* ---- numbers ---- */

static bool whole_number(struct slice text, uint64_t min, uint64_t max, uint64_t *out)
{
    struct reader digits = reader_over(text);
    uint64_t value = 0;
    if (!reader_number(&digits, max, &value) || !reader_is_done(&digits) || value < min) {
        return false;
    }
    *out = value;
    return true;
}

static enum err read_count(const struct value_reader *r, uint32_t *field)
{
    struct slice text = SLICE_NONE;
    uint64_t value;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    if (!whole_number(text, r->key->min, r->key->max, &value)) {
        return fault_set(r->why, ERR_SYNTAX, 0, "'%.*s' is not a number from %llu to %llu",
                         SLICE_ARG(shown(text)), (unsigned long long)r->key->min,
                         (unsigned long long)r->key->max);
    }
    *field = (uint32_t)value;
    return ERR_NONE;
}

static enum err read_percent(const struct value_reader *r, uint32_t *field)
{
    struct slice text = SLICE_NONE;
    uint64_t value;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    struct slice number = slice_sub(text, 0, text.len - (text.len > 0 ? 1 : 0));
    if (!slice_ends(text, SLICE("%")) || !whole_number(number, r->key->min, r->key->max, &value)) {
        return fault_set(r->why, ERR_SYNTAX, 0, "'%.*s' is not a share from %llu%% to %llu%%",
                         SLICE_ARG(shown(text)), (unsigned long long)r->key->min,
                         (unsigned long long)r->key->max);
    }
    *field = (uint32_t)value;
    return ERR_NONE;
}

static enum err read_span(const struct value_reader *r, uint64_t *field)
{
    struct slice text = SLICE_NONE;
    uint64_t value = 0;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    bool takes_seconds = r->given->takes_seconds;
    if (!span_read(text, takes_seconds, r->key->max, &value) || value < r->key->min) {
        char min[32], max[32];
        span_write(r->key->min, min);
        span_write(r->key->max, max);
        return fault_set(
            r->why, ERR_SYNTAX, 0, "'%.*s' is no time from %s to %s; write a number and %s",
            SLICE_ARG(shown(text)), min, max,
            takes_seconds ? "s, m, h or d, or seconds alone" : "s, m, h or d, as in 30s");
    }
    *field = value;
    return ERR_NONE;
}

/* Days since 1970-01-01 in the Gregorian calendar: years are counted from March, so that the leap day is last. */
static uint32_t day_of(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t y = month <= 2 ? year - 1 : year;
    uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static void date_text(uint32_t days, char out[16])
{
    uint32_t year = YEAR_MIN;
    while (year < YEAR_MAX && day_of(year + 1, 1, 1) <= days) {
        year++;
    }
    uint32_t month = 1;
    while (month < 12 && day_of(year, month + 1, 1) <= days) {
        month++;
    }
    (void)snprintf(out, 16, "%04u-%02u-%02u", year, month, days - day_of(year, month, 1) + 1);
}

static enum err read_date(const struct value_reader *r, uint32_t *field)
{
    struct slice text = SLICE_NONE;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    uint64_t year, month, day;
    char back[16] = "";
    uint32_t days = 0;
    if (text.len == 10 && whole_number(slice_sub(text, 0, 4), YEAR_MIN, YEAR_MAX, &year) &&
        whole_number(slice_sub(text, 5, 7), 1, 12, &month) &&
        whole_number(slice_sub(text, 8, 10), 1, 31, &day)) {
        days = day_of((uint32_t)year, (uint32_t)month, (uint32_t)day);
        date_text(days, back); /* the day after February has none: it becomes one of March */
    }
    if (days == 0 || !slice_equal(text, slice_of(back))) {
        return fault_set(r->why, ERR_SYNTAX, 0, "'%.*s' is no day; write one like 2026-11-21",
                         SLICE_ARG(shown(text)));
    }
    *field = days;
    return ERR_NONE;
}

static enum err read_switch(const struct value_reader *r, bool *field)
{
    struct slice text = SLICE_NONE;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    bool is_yes = slice_equal(text, SLICE("yes"));
    if (!is_yes && !slice_equal(text, SLICE("no"))) {
        return fault_set(r->why, ERR_SYNTAX, 0, "'%.*s' is neither yes nor no",
                         SLICE_ARG(shown(text)));
    }
    *field = is_yes;
    return ERR_NONE;
}

/* ---- places ---- */

static enum err path_of(const struct value_reader *r, const struct config_word *word,
                        struct slice *out)
{
    struct slice text = word->text;
    if (text.len == 0) {
        return fault_set(r->why, ERR_SYNTAX, 0, "a path is empty; write one, or leave the key out");
    }
    if (text.at[0] == '~') {
        return fault_set(r->why, ERR_SYNTAX, 0,
                         "'%.*s': only a shell knows what ~ means; write the whole path",
                         SLICE_ARG(shown(text)));
    }
    if (r->given->folder.len == 0 || text.at[0] == '/') {
        *out = text;
        return ERR_NONE;
    }
    if (r->given->folder.len + 1 + text.len >= CONFIG_PATH_BYTES) {
        return fault_set(r->why, ERR_SYNTAX, 0, "a path has more than %d bytes",
                         CONFIG_PATH_BYTES - 1);
    }
    char path[CONFIG_PATH_BYTES];
    int len =
        snprintf(path, sizeof path, "%.*s/%.*s", SLICE_ARG(r->given->folder), SLICE_ARG(text));
    return arena_copy(r->arena, slice_make(path, (size_t)len), out);
}

static enum err read_path(const struct value_reader *r, struct slice *field)
{
    struct slice text = SLICE_NONE;
    enum err e = one_word(r, &text);
    return e != ERR_NONE ? e : path_of(r, &r->given->words[0], field);
}

static enum err read_store(const struct value_reader *r, struct config_store *field)
{
    struct slice text = SLICE_NONE;
    struct config_store store = {.is_none = false, .path = SLICE_NONE};
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    store.is_none = !r->given->words[0].is_quoted && slice_equal(text, SLICE("none"));
    if (!store.is_none) {
        e = path_of(r, &r->given->words[0], &store.path);
    }
    if (e == ERR_NONE) {
        *field = store;
    }
    return e;
}

/* What follows is put behind it, so it ends without a slash. */
static enum err read_url(const struct value_reader *r, struct slice *field)
{
    struct slice text = SLICE_NONE;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    bool is_secure = slice_starts(text, SLICE("https://")) && text.len > 8;
    bool is_plain = slice_starts(text, SLICE("http://")) && text.len > 7;
    if ((!is_secure && !is_plain) || slice_ends(text, SLICE("/")) || text.len > URL_BYTES_MAX ||
        slice_find_byte(text, ' ', 0) < text.len || !text_is_ascii(text)) {
        return fault_set(r->why, ERR_SYNTAX, 0,
                         "'%.*s' is no URL like https://service.example, without a slash at the "
                         "end",
                         SLICE_ARG(shown(text)));
    }
    *field = text;
    return ERR_NONE;
}

/* ---- lists ---- */

static enum err list_has_room(const struct value_reader *r, size_t count)
{
    if (r->given->count == 0) {
        return fault_set(r->why, ERR_SYNTAX, 0, "a value is missing; write one or more");
    }
    if (count + r->given->count > r->key->max) {
        return fault_set(r->why, ERR_SYNTAX, 0, "at most %llu of them",
                         (unsigned long long)r->key->max);
    }
    return ERR_NONE;
}

static enum err read_paths(const struct value_reader *r, struct config_texts *field)
{
    struct config_texts list = *field;
    enum err e = list_has_room(r, list.count);
    for (size_t i = 0; i < r->given->count && e == ERR_NONE; i++) {
        struct slice path = SLICE_NONE;
        e = path_of(r, &r->given->words[i], &path);
        list.at[list.count++] = path.at;
    }
    if (e == ERR_NONE) {
        *field = list;
    }
    return e;
}

/* "127.0.0.1:0": any free port, for tests. */
static bool is_any_port(struct slice text)
{
    struct ip ip;
    uint16_t port = 0;
    struct slice address = slice_sub(text, 0, text.len - 2);
    if (text.len < 2 || !slice_ends(text, SLICE(":0"))) {
        return false;
    }
    return ip_port_parse(address, &ip, &port) && port == 0 &&
           (ip.family == IP_V4 || slice_starts(text, SLICE("[")));
}

static enum err check_place(const struct value_reader *r, struct slice text)
{
    struct ip ip;
    uint16_t port = 0;
    bool is_listen = r->key->kind == CONFIG_LISTEN;
    if (ip_port_parse(text, &ip, &port) || (is_listen && is_any_port(text))) {
        return ERR_NONE;
    }
    return fault_set(r->why, ERR_SYNTAX, 0,
                     "'%.*s' is not an address like 192.0.2.53, 127.0.0.1:5353 or "
                     "[2001:db8::1]:53",
                     SLICE_ARG(shown(text)));
}

static enum err check_socket(const struct value_reader *r, struct slice text)
{
    struct ip ip;
    uint16_t port = 0;
    struct slice rest = slice_sub(text, 5, text.len);
    bool is_unix = slice_starts(text, SLICE("unix:/"));
    bool is_inet = slice_starts(text, SLICE("inet:")) &&
                   ((ip_port_parse(rest, &ip, &port) && port > 0) || is_any_port(rest));
    if (is_unix || is_inet) {
        return ERR_NONE;
    }
    return fault_set(r->why, ERR_SYNTAX, 0,
                     "'%.*s' is no place like inet:127.0.0.1:10040, inet:[::1]:10040 or "
                     "unix:/run/heloise/policy",
                     SLICE_ARG(shown(text)));
}

static enum err check_host(const struct value_reader *r, struct slice text)
{
    struct ip ip;
    bool is_host = text.len > 0;
    for (size_t i = 0; i < text.len && is_host; i++) {
        is_host = ascii_is_alnum(text.at[i]) || slice_find_byte(SLICE(".-"), text.at[i], 0) < 2;
    }
    if (is_host || ip_parse(text, &ip)) {
        return ERR_NONE;
    }
    return fault_set(r->why, ERR_SYNTAX, 0, "'%.*s' is no host like mx.example.com or 192.0.2.25",
                     SLICE_ARG(shown(text)));
}

static enum err check_origin(const struct value_reader *r, struct slice text)
{
    size_t colon = slice_find_nocase(text, SLICE("://"));
    struct slice scheme = slice_sub(text, 0, colon);
    struct slice host = slice_sub(text, colon + 3, text.len);
    bool is_web = slice_equal(scheme, SLICE("https")) || slice_equal(scheme, SLICE("http"));
    bool is_whole = host.len > 0 && slice_find_byte(host, '/', 0) == host.len;
    if (slice_equal(text, SLICE("*")) || (is_web && is_whole)) {
        return ERR_NONE;
    }
    return fault_set(r->why, ERR_SYNTAX, 0,
                     "'%.*s' is no origin like https://www.example.com, without a path",
                     SLICE_ARG(shown(text)));
}

/* Words as they are, each of which passes the check. */
static enum err read_texts(const struct value_reader *r, struct config_texts *field,
                           enum err (*check)(const struct value_reader *r, struct slice text))
{
    struct config_texts list = *field;
    enum err e = list_has_room(r, list.count);
    for (size_t i = 0; i < r->given->count && e == ERR_NONE; i++) {
        e = check(r, r->given->words[i].text);
        list.at[list.count++] = r->given->words[i].text.at;
    }
    if (e == ERR_NONE) {
        *field = list;
    }
    return e;
}

static const char *const policy_words[] = {[CONFIG_POLICY_REJECT] = "reject",
                                           [CONFIG_POLICY_DEFER] = "defer",
                                           [CONFIG_POLICY_DUNNO] = "dunno"};

static enum err read_policy(const struct value_reader *r, enum config_policy_do *field)
{
    struct slice text = SLICE_NONE;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    for (int i = CONFIG_POLICY_REJECT; i <= CONFIG_POLICY_DUNNO; i++) {
        if (slice_equal(text, slice_of(policy_words[i]))) {
            *field = (enum config_policy_do)i;
            return ERR_NONE;
        }
    }
    return fault_set(r->why, ERR_SYNTAX, 0, "'%.*s' is none of reject, defer, dunno",
                     SLICE_ARG(shown(text)));
}

static enum err read_nets(const struct value_reader *r, struct config_nets *field)
{
    struct config_nets list = *field;
    enum err e = list_has_room(r, list.count);
    for (size_t i = 0; i < r->given->count && e == ERR_NONE; i++) {
        struct slice text = r->given->words[i].text;
        if (!ip_net_parse(text, &list.at[list.count++])) {
            e = fault_set(r->why, ERR_SYNTAX, 0,
                          "'%.*s' is not a network like 127.0.0.0/8 or fd00::/8",
                          SLICE_ARG(shown(text)));
        }
    }
    if (e == ERR_NONE) {
        *field = list;
    }
    return e;
}

static const struct {
    const char *name;
    unsigned risk;
} risks[] = {{"disposable", VERIFY_RISKY_DISPOSABLE},
             {"role", VERIFY_RISKY_ROLE},
             {"free", VERIFY_RISKY_FREE},
             {"none", 0}};
enum { RISKS = sizeof risks / sizeof *risks };

static enum err add_risk(const struct value_reader *r, struct slice word, unsigned *set)
{
    for (size_t i = 0; i < RISKS; i++) {
        if (slice_equal(word, slice_of(risks[i].name))) {
            *set |= risks[i].risk;
            return ERR_NONE;
        }
    }
    return fault_set(r->why, ERR_SYNTAX, 0, "'%.*s' is none of disposable, role, free, none",
                     SLICE_ARG(shown(word)));
}

static enum err read_risky(const struct value_reader *r, uint32_t *field)
{
    unsigned set = 0;
    enum err e = r->given->count > 0 ? ERR_NONE : list_has_room(r, 0);
    for (size_t i = 0; i < r->given->count; i++) {
        struct slice rest = r->given->words[i].text;
        while (rest.at != NULL && e == ERR_NONE) {
            e = add_risk(r, slice_trim(slice_cut(&rest, ',')), &set);
        }
    }
    if (e == ERR_NONE) {
        *field = set;
    }
    return e;
}

/* ---- names and addresses ---- */

static enum err read_ip(const struct value_reader *r, enum ip_family family, struct ip *field)
{
    struct slice text = SLICE_NONE;
    struct ip ip;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    if (!ip_parse(text, &ip) || ip.family != family) {
        return fault_set(r->why, ERR_SYNTAX, 0, "'%.*s' is not an IPv%d address",
                         SLICE_ARG(shown(text)), (int)family);
    }
    *field = ip;
    return ERR_NONE;
}

static bool is_name_byte(char c)
{
    return ascii_is_alnum(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']' ||
           c == '_';
}

static enum err read_helo(const struct value_reader *r, struct slice *field)
{
    struct slice text = SLICE_NONE;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    struct reader bytes = reader_over(text);
    struct slice name = reader_while(&bytes, is_name_byte);
    if (name.len == 0 || name.len > HELO_BYTES_MAX || !reader_is_done(&bytes)) {
        return fault_set(r->why, ERR_SYNTAX, 0,
                         "'%.*s' is neither a host name nor an address like [192.0.2.1]",
                         SLICE_ARG(shown(text)));
    }
    *field = text;
    return ERR_NONE;
}

static enum err read_sender(const struct value_reader *r, struct slice *field)
{
    struct slice text = SLICE_NONE;
    struct hel_address address;
    struct hel_address_error error;
    enum err e = one_word(r, &text);
    if (e != ERR_NONE) {
        return e;
    }
    if (hel_address_parse(text, HEL_ADDRESS_STRICT, &address, &error) != ERR_NONE) {
        return fault_set(r->why, ERR_SYNTAX, 0, "'%.*s': column %u: %s", SLICE_ARG(shown(text)),
                         error.column, error.text);
    }
    return arena_copy(r->arena, hel_address_wire(&address), field);
}

static enum err read_proxy(const struct value_reader *r, struct config_proxy *field)
{
    struct slice text = SLICE_NONE;
    enum err e = one_word(r, &text);
    return e != ERR_NONE ? e : config_proxy_read(text, r->arena, field, r->why);
}

/* ---- all of them ---- */

/* What a terminal would act on has no place in a setting. It is not shown: it may be a proxy's password. */
static bool is_printable(struct slice s)
{
    while (s.len > 0) {
        unsigned code;
        size_t length = text_utf8_next(s, &code);
        if (length == 0 || text_is_dangerous(code)) {
            return false;
        }
        s = slice_sub(s, length, s.len);
    }
    return true;
}

enum err config_value_read(const struct config_key *key, const struct config_given *given,
                           struct arena *arena, void *field, struct fault *out_why)
{
    const struct value_reader r = {key, given, arena, out_why};
    for (size_t i = 0; i < given->count; i++) {
        if (!is_printable(given->words[i].text)) {
            return fault_set(out_why, ERR_SYNTAX, 0,
                             "the value holds a control character, or is no UTF-8");
        }
    }
    switch (key->kind) {
    case CONFIG_COUNT: return read_count(&r, field);
    case CONFIG_PERCENT: return read_percent(&r, field);
    case CONFIG_SPAN: return read_span(&r, field);
    case CONFIG_DATE: return read_date(&r, field);
    case CONFIG_SWITCH: return read_switch(&r, field);
    case CONFIG_PATH: return read_path(&r, field);
    case CONFIG_PATHS: return read_paths(&r, field);
    case CONFIG_STORE: return read_store(&r, field);
    case CONFIG_HELO: return read_helo(&r, field);
    case CONFIG_SENDER: return read_sender(&r, field);
    case CONFIG_IP_V4: return read_ip(&r, IP_V4, field);
    case CONFIG_IP_V6: return read_ip(&r, IP_V6, field);
    case CONFIG_RESOLVERS:
    case CONFIG_LISTEN: return read_texts(&r, field, check_place);
    case CONFIG_ORIGINS: return read_texts(&r, field, check_origin);
    case CONFIG_SOCKETS: return read_texts(&r, field, check_socket);
    case CONFIG_HOSTS: return read_texts(&r, field, check_host);
    case CONFIG_POLICY: return read_policy(&r, field);
    case CONFIG_NETS: return read_nets(&r, field);
    case CONFIG_RISKY: return read_risky(&r, field);
    case CONFIG_PROXY: return read_proxy(&r, field);
    case CONFIG_URL: return read_url(&r, field);
    }
    return ERR_STATE;
}

/* ---- and back ---- */

static enum err write_quoted(struct slice text, struct buf *out)
{
    enum err e = buf_append_byte(out, '"');
    for (size_t i = 0; i < text.len && e == ERR_NONE; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\') {
            e = buf_append_byte(out, '\\');
        }
        e = e != ERR_NONE ? e : buf_append_byte(out, text.at[i]);
    }
    return e != ERR_NONE ? e : buf_append_byte(out, '"');
}

static enum err write_text(const struct slice *text, struct buf *out)
{
    return text->len == 0 ? ERR_NONE : write_quoted(*text, out);
}

static enum err write_texts(const struct config_texts *list, bool is_quoted, struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < list->count && e == ERR_NONE; i++) {
        e = i > 0 ? buf_append_byte(out, ' ') : ERR_NONE;
        if (e == ERR_NONE) {
            struct slice text = slice_of(list->at[i]);
            e = is_quoted ? write_quoted(text, out) : buf_append(out, text);
        }
    }
    return e;
}

static enum err write_nets(const struct config_nets *list, struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < list->count && e == ERR_NONE; i++) {
        char ip[IP_TEXT_BYTES];
        e = buf_printf(out, "%s%s/%u", i > 0 ? " " : "", ip_format(&list->at[i].ip, ip),
                       (unsigned)list->at[i].bits);
    }
    return e;
}

static enum err write_risky(uint32_t set, struct buf *out)
{
    if (set == 0) {
        return buf_append(out, SLICE("none"));
    }
    enum err e = ERR_NONE;
    const char *gap = "";
    for (size_t i = 0; i < RISKS && e == ERR_NONE; i++) {
        if ((set & risks[i].risk) != 0) {
            e = buf_printf(out, "%s%s", gap, risks[i].name);
            gap = " ";
        }
    }
    return e;
}

static enum err write_span(uint64_t ms, struct buf *out)
{
    char text[32];
    if (ms == CONFIG_NO_SPAN) {
        return ERR_NONE;
    }
    span_write(ms, text);
    return buf_append(out, slice_of(text));
}

static enum err write_date(uint32_t days, struct buf *out)
{
    char text[16];
    if (days == 0) {
        return ERR_NONE;
    }
    date_text(days, text);
    return buf_append(out, slice_of(text));
}

static enum err write_ip(const struct ip *ip, struct buf *out)
{
    char text[IP_TEXT_BYTES];
    return ip->family == IP_NONE ? ERR_NONE : buf_append(out, slice_of(ip_format(ip, text)));
}

static enum err write_count(uint32_t count, const char *unit, struct buf *out)
{
    return count == 0 ? ERR_NONE : buf_printf(out, "%u%s", count, unit);
}

static enum err write_store(const struct config_store *store, struct buf *out)
{
    return store->is_none ? buf_append(out, SLICE("none")) : write_text(&store->path, out);
}

enum err config_value_write(const struct config_key *key, const void *field, struct buf *out)
{
    switch (key->kind) {
    case CONFIG_COUNT: return write_count(*(const uint32_t *)field, "", out);
    case CONFIG_PERCENT: return write_count(*(const uint32_t *)field, "%", out);
    case CONFIG_SPAN: return write_span(*(const uint64_t *)field, out);
    case CONFIG_DATE: return write_date(*(const uint32_t *)field, out);
    case CONFIG_SWITCH: return buf_append(out, *(const bool *)field ? SLICE("yes") : SLICE("no"));
    case CONFIG_PATH:
    case CONFIG_URL:
    case CONFIG_HELO:
    case CONFIG_SENDER: return write_text(field, out);
    case CONFIG_PATHS: return write_texts(field, true, out);
    case CONFIG_STORE: return write_store(field, out);
    case CONFIG_IP_V4:
    case CONFIG_IP_V6: return write_ip(field, out);
    case CONFIG_RESOLVERS:
    case CONFIG_LISTEN:
    case CONFIG_SOCKETS:
    case CONFIG_HOSTS:
    case CONFIG_ORIGINS: return write_texts(field, false, out);
    case CONFIG_NETS: return write_nets(field, out);
    case CONFIG_POLICY:
        return buf_append(out, slice_of(policy_words[*(const enum config_policy_do *)field]));
    case CONFIG_RISKY: return write_risky(*(const uint32_t *)field, out);
    case CONFIG_PROXY: return config_proxy_write(field, out);
    }
    return ERR_STATE;
}
