/* address/extract_judge: is there an address around this at sign? Less than the grammar allows: what stands in running
 * text beside addresses (slashes, equals signs, quotes, markdown) counts as no part of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "address/extract_private.h"
#include "base/attr.h"
#include "base/slice.h"
#include "base/text.h"

enum {
    FIRST_IDEOGRAPH = 0x2e80, /* scripts from here on are written without spaces */
    LITERAL_BYTES_MAX = 64,
    DROPPED_LABELS_MAX = 3,   /* from the end of what may be a domain */
    SOFT_LINE_BYTES_MIN = 60, /* programs break lines near the 76 bytes that RFC 2045 allows */
    SOFT_LINE_BYTES_MAX = 76,
};

struct found_unit {
    struct extract_unit unit;
    size_t at;
};

/* What was gathered of an address. */
struct draft {
    struct found_unit local[EXTRACT_BEHIND_BYTES];
    size_t local_count;
    char text[EXTRACT_TEXT_BYTES];
    size_t local_len, len;
    size_t begin, end;   /* in the text */
    size_t token;        /* in the text: behind what no token goes over */
    size_t domain_words; /* dots written as words */
};

/* Letters and digits of scripts, less what is punctuation, a symbol, or for private use. A rough sieve: the parser has
 * the last word. */
static bool is_foreign_letter(unsigned code)
{
    static const struct {
        unsigned from, to;
    } others[] = {
        {0x80, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},       {0x2000, 0x2e7f},
        {0x3000, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x3030},   {0xd800, 0xf8ff},
        {0xfe00, 0xfe6f}, {0xfe70, 0xfe70}, {0xfeff, 0xff20},   {0xff3b, 0xff40},
        {0xff5b, 0xff65}, {0xffe0, 0xffff}, {0x1f000, 0x1fbff}, {0xe0000, 0x10ffff},
    };
    if (code < 0x80) {
        return false;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (code >= others[i].from && code <= others[i].to) {
            return false;
        }
    }
    return true;
}

static bool is_word_character(unsigned code)
{
    return code < 0x80 ? ascii_is_alnum((char)code) : is_foreign_letter(code);
}

static bool is_local_character(unsigned code)
{
    switch (code) {
    case '.':
    case '_':
    case '+':
    case '-':
    case '\'':
    case '~':
    case '%':
    case '=': return true;
    default: return is_word_character(code);
    }
}

/* jane@example.com behind Chinese text: without spaces the local part begins where the script changes. */
static bool is_border(unsigned before, unsigned after)
{
    return before >= FIRST_IDEOGRAPH && after < 0x80 && ascii_is_alnum((char)after);
}

bool extract_may_break(struct slice text)
{
    return slice_ends(text, SLICE("=")) || slice_ends(text, SLICE("=\r"));
}

/* The soft line break that text[at], an equals sign, begins; 0: it is none. */
static size_t soft_break_at(struct slice text, size_t at)
{
    struct slice rest = slice_sub(text, at, at + 3);
    size_t len = slice_starts(rest, SLICE("=\r\n")) ? 3 : slice_starts(rest, SLICE("=\n")) ? 2 : 0;
    if (len == 0) {
        return 0;
    }
    struct slice before =
        slice_sub(text, at > SOFT_LINE_BYTES_MAX ? at - SOFT_LINE_BYTES_MAX : 0, at);
    size_t newline = slice_find_last_byte(before, '\n');
    size_t line = newline < before.len ? before.len - newline : before.len + 1; /* with the sign */
    return line >= SOFT_LINE_BYTES_MIN && line <= SOFT_LINE_BYTES_MAX ? len : 0;
}

/* Whether a soft line break ends with text[at], a newline. */
static bool is_soft_newline(struct slice text, size_t at)
{
    struct slice before = slice_sub(text, 0, at);
    return (slice_ends(before, SLICE("=")) && soft_break_at(text, at - 1) > 0) ||
           (slice_ends(before, SLICE("=\r")) && soft_break_at(text, at - 2) > 0);
}

/* Bytes that no unit of a local part begins or ends with. In words, spaces may be such. */
static bool is_barrier(char c, bool has_words)
{
    switch (c) {
    case '\n':
    case '\r':
    case '\0':
    case '@': return true;
    case ' ':
    case '\t':
    case '<':
    case '>':
    case '"':
    case '(':
    case ')':
    case ',':
    case '[':
    case ']':
    case '{':
    case '}':
    case '|': return !has_words;
    default: return false;
    }
}

/* Some of these bytes are parts of longer units. */
static bool is_part_of_unit(struct slice text, size_t at)
{
    switch (text.at[at]) {
    case '(':
    case '[': return extract_is_in_sequence(text, at);
    case '\n': return is_soft_newline(text, at);
    case '\r': return at + 1 < text.len && text.at[at + 1] == '\n' && is_soft_newline(text, at + 1);
    default: return false;
    }
}

static size_t find_barrier(struct slice text, size_t begin, size_t at, bool has_words)
{
    size_t from = at - begin > EXTRACT_BEHIND_BYTES ? at - EXTRACT_BEHIND_BYTES : begin;
    size_t i = at;
    while (i > from && (!is_barrier(text.at[i - 1], has_words) || is_part_of_unit(text, i - 1))) {
        i--;
    }
    while (i < at && ((unsigned char)text.at[i] & 0xc0u) == 0x80u) {
        i++; /* no character begins with these */
    }
    return i;
}

/* Spaces, control characters, brackets, quotes, and what stands for them. */
static bool parts_tokens(struct extract_unit unit)
{
    return unit.code <= ' ' || (unit.code < 0x80 && strchr("<>\"()[]{}|\\,;", (char)unit.code));
}

/* What reads as if it were not there: its length, and 0 for everything else. A space of no width between words parts
 * them, beside a dot or the at sign it lets a line be broken. */
static size_t nothing_at(struct slice text, size_t at, struct extract_unit unit)
{
    if (!unit.is_nothing) {
        return unit.code == '=' ? soft_break_at(text, at) : 0;
    }
    bool may_part = !unit.is_escape && unit.code != 0xad && unit.code != 0x2060;
    char before = at > 0 ? text.at[at - 1] : '\0';
    char after = at + unit.len < text.len ? text.at[at + unit.len] : '\0';
    bool is_inside = before == '.' || before == '@' || after == '.' || after == '@';
    return !may_part || is_inside ? unit.len : 0;
}

/* The units from the last one that cannot belong to a local part up to the at sign. */
static void gather_local(struct draft *draft, struct slice text, size_t from, size_t at,
                         struct extract_rules rules)
{
    draft->local_count = 0;
    draft->begin = draft->token = from;
    for (size_t i = from; i < at;) {
        struct extract_unit unit = extract_unit_at(slice_sub(text, i, at), rules);
        size_t nothing = nothing_at(text, i, unit);
        if (nothing > 0) {
            i += nothing;
            continue;
        }
        bool is_part = is_local_character(unit.code) && (!unit.is_word || unit.code == '.');
        if (!is_part) {
            draft->local_count = 0;
            draft->begin = i + unit.len;
            draft->token = parts_tokens(unit) ? draft->begin : draft->token;
        } else {
            draft->local[draft->local_count++] = (struct found_unit){unit, i};
        }
        i += unit.len;
    }
}

static unsigned code_at(const struct draft *draft, size_t i)
{
    return draft->local[i].unit.code;
}

/* Bounce addresses hold one of their own, jane=example.com, behind a '+' or '-'; elsewhere '=' ends a name. */
static bool is_bounce(const struct draft *draft, size_t equals)
{
    bool has_mark = false;
    bool has_dot = false;
    for (size_t i = 0; i < draft->local_count; i++) {
        unsigned code = code_at(draft, i);
        has_mark = has_mark || (i < equals && (code == '+' || code == '-'));
        has_dot = has_dot || (i > equals && code == '.');
    }
    return has_mark && has_dot;
}

/* "=20joe": a byte as quoted-printable writes it, that no local part holds (RFC 2045 6.7). */
static bool is_quoted_byte(const struct draft *draft, size_t equals)
{
    static const char *const bytes[] = {"09", "0A", "0D", "20", "22", "28", "2C",
                                        "3A", "3B", "3C", "3D", "3E", "5B"};
    if (equals + 2 >= draft->local_count) {
        return false;
    }
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        if (code_at(draft, equals + 1) == (unsigned)bytes[i][0] &&
            code_at(draft, equals + 2) == (unsigned)bytes[i][1]) {
            return true;
        }
    }
    return false;
}

/* The index of the first unit that belongs to the local part. */
static size_t trim_local(const struct draft *draft)
{
    size_t first = 0;
    for (size_t i = 0; i < draft->local_count; i++) {
        unsigned code = code_at(draft, i);
        bool is_second_dot = i > 0 && code == '.' && code_at(draft, i - 1) == '.';
        if (is_second_dot || (code == '=' && !is_bounce(draft, i))) {
            first = i + (code == '=' && is_quoted_byte(draft, i) ? 3 : 1);
        } else if (i > 0 && is_border(code_at(draft, i - 1), code)) {
            first = i;
        }
    }
    while (first < draft->local_count && !is_word_character(code_at(draft, first)) &&
           code_at(draft, first) != '_') {
        first++;
    }
    return first;
}

/* The character as UTF-8; its length. */
static size_t write_unit(struct extract_unit unit, char bytes[TEXT_UTF8_BYTES])
{
    bytes[0] = (char)unit.code;
    return unit.code < 0x80 ? 1 : text_utf8_write(unit.code, bytes);
}

static bool put_unit(struct draft *draft, struct slice text, size_t at, struct extract_unit unit)
{
    char bytes[TEXT_UTF8_BYTES];
    size_t len = write_unit(unit, bytes);
    /* A reference to what is not ASCII is no way to write an address. */
    bool is_plain = unit.code < 0x80 || text.at[at] != '&';
    if (!is_plain || draft->len + len > sizeof draft->text) {
        return false;
    }
    memcpy(draft->text + draft->len, bytes, len);
    draft->len += len;
    return true;
}

/* Units of a domain: the full stops of other scripts part its labels too (RFC 5895 2). */
static struct extract_unit domain_unit_at(struct slice text, size_t at, struct extract_rules rules)
{
    struct extract_unit unit = extract_unit_at(slice_sub(text, at, text.len), rules);
    if (unit.code == 0x3002 || unit.code == 0xff0e || unit.code == 0xff61) {
        unit.code = '.';
    }
    return unit;
}

static bool take_local(struct draft *draft, struct slice text)
{
    size_t first = trim_local(draft);
    draft->len = 0;
    if (first == draft->local_count) {
        return false;
    }
    draft->begin = draft->local[first].at;
    for (size_t i = first; i < draft->local_count; i++) {
        if (!put_unit(draft, text, draft->local[i].at, draft->local[i].unit)) {
            return false;
        }
    }
    draft->local_len = draft->len;
    return draft->len <= HEL_LOCAL_BYTES_MAX;
}

/* "jane doe"@: from the quote before the at sign back to the one that opens, which nothing of a word stands before. */
static bool take_quoted(struct draft *draft, struct slice text, size_t begin, size_t at)
{
    if (at <= begin || text.at[at - 1] != '"') {
        return false;
    }
    size_t from = at - begin > HEL_LOCAL_BYTES_MAX ? at - HEL_LOCAL_BYTES_MAX : begin;
    bool has_word = false;
    size_t open = at - 1;
    while (open > from && text.at[open - 1] != '"' && text.at[open - 1] != '\n') {
        open--;
        has_word = has_word || ascii_is_alnum(text.at[open]);
    }
    bool is_opened = open > from && text.at[open - 1] == '"';
    bool is_free = is_opened && (open - 1 == begin || strchr(" \t\n\r<,;:(", text.at[open - 2]));
    if (!has_word || !is_free) {
        return false;
    }
    draft->begin = open - 1;
    draft->len = at - draft->begin;
    memcpy(draft->text, text.at + draft->begin, draft->len);
    draft->local_len = draft->len;
    return true;
}

/* Behind the at sign, as long as it may be a domain; ends with the last letter or digit. */
static bool take_domain(struct draft *draft, struct slice text, size_t at,
                        struct extract_rules rules)
{
    unsigned before = '@';
    size_t whole_len = 0;
    size_t limit = at + EXTRACT_AHEAD_BYTES < text.len ? at + EXTRACT_AHEAD_BYTES : text.len;
    while (at < limit) {
        struct extract_unit unit = domain_unit_at(text, at, rules);
        size_t nothing = nothing_at(text, at, unit);
        if (nothing > 0) {
            at += nothing;
            continue;
        }
        bool is_letter = is_word_character(unit.code);
        bool is_part = is_letter || unit.code == '.' || unit.code == '-';
        /* A label does not go on in a script that is written without spaces. */
        bool is_end = !is_part || (unit.code == '.' && (before == '.' || before == '@')) ||
                      (is_letter && unit.code >= FIRST_IDEOGRAPH && before < 0x80 &&
                       ascii_is_alnum((char)before)) ||
                      draft->len > draft->local_len + HEL_DOMAIN_BYTES_MAX;
        if (is_end || !put_unit(draft, text, at, unit)) {
            break;
        }
        at += unit.len;
        before = unit.code;
        draft->domain_words += unit.is_word && unit.code == '.' ? 1 : 0;
        if (is_letter) {
            whole_len = draft->len;
            draft->end = at;
        }
    }
    draft->len = whole_len;
    return whole_len > draft->local_len + 1;
}

/* jane@[192.0.2.1], jane@[IPv6:2001:db8::1]. */
static bool take_literal(struct draft *draft, struct slice text, size_t at)
{
    struct slice rest = slice_sub(text, at, at + LITERAL_BYTES_MAX);
    size_t close = slice_find_byte(rest, ']', 0);
    if (rest.len == 0 || rest.at[0] != '[' || close == rest.len ||
        draft->len + close + 1 > sizeof draft->text) {
        return false;
    }
    memcpy(draft->text + draft->len, rest.at, close + 1);
    draft->len += close + 1;
    draft->end = at + close + 1;
    return true;
}

/* logo@2x.png, icon@3x.zip: pictures for screens of several densities. */
static bool is_picture(const struct draft *draft)
{
    struct slice domain =
        slice_make(draft->text + draft->local_len + 1, draft->len - draft->local_len - 1);
    return domain.len > 3 && ascii_is_digit(domain.at[0]) && ascii_lower(domain.at[1]) == 'x' &&
           domain.at[2] == '.' && slice_find_byte(domain, '.', 3) == domain.len;
}

/* Reserved names (RFC 2606) stand in examples, and we have a village of them. */
static bool is_top(const struct address_lists *lists, struct slice label)
{
    return address_is_top_domain(lists, label) || slice_equal(label, SLICE("example")) ||
           slice_equal(label, SLICE("test"));
}

static bool has_top(const struct address_lists *lists, const struct hel_address *address)
{
    struct slice domain = slice_make(address->domain_text, address->domain_text_len);
    size_t dot = slice_find_last_byte(domain, '.');
    return dot < domain.len && is_top(lists, slice_sub(domain, dot + 1, domain.len));
}

/* The last label goes until there is an address: "mail jane@example.com.Thanks". Every label was one character or more
 * of the text, but where it ends there is not kept: it is walked again. */
static bool drop_label(struct draft *draft, struct slice text, size_t domain_at,
                       struct extract_rules rules)
{
    struct slice now = slice_make(draft->text, draft->len);
    size_t dot = slice_find_last_byte(now, '.');
    if (dot == now.len || dot < draft->local_len) {
        return false;
    }
    draft->len = dot;
    size_t len = draft->local_len + 1;
    for (draft->end = domain_at; len < dot;) {
        struct extract_unit unit = domain_unit_at(text, draft->end, rules);
        size_t nothing = nothing_at(text, draft->end, unit);
        char bytes[TEXT_UTF8_BYTES];
        len += nothing > 0 ? 0 : write_unit(unit, bytes);
        draft->end += nothing > 0 ? nothing : unit.len;
    }
    return draft->len > draft->local_len + 1;
}

static bool settle(const struct extract_config *config, struct draft *draft, struct slice text,
                   size_t domain_at, struct extract_rules rules, struct hel_address *out)
{
    for (size_t dropped = 0;; dropped++) {
        struct slice found = slice_make(draft->text, draft->len);
        bool is_address = !is_picture(draft) &&
                          hel_address_parse(found, HEL_ADDRESS_STRICT, out, NULL) == ERR_NONE;
        if (is_address && (out->is_literal || has_top(config->lists, out))) {
            return true;
        }
        if (dropped == DROPPED_LABELS_MAX || !drop_label(draft, text, domain_at, rules)) {
            return false;
        }
    }
}

static bool is_mailto(struct slice text, size_t from, size_t begin)
{
    static const struct slice scheme = SLICE_LITERAL("mailto:");
    return begin - from >= scheme.len &&
           slice_starts_nocase(slice_sub(text, begin - scheme.len, begin), scheme);
}

/* ftp://jane:secret@example.com names a user of a server. */
static bool is_user_info(struct slice text, size_t from, size_t begin)
{
    static const struct slice mark = SLICE_LITERAL("://");
    struct slice before = slice_sub(text, from, begin);
    size_t slash = slice_find_last_byte(before, '/');
    return slash < before.len && slash >= 2 &&
           slice_equal(slice_sub(before, slash - 2, slash + 1), mark) &&
           slice_find_byte(before, '?', slash) == before.len;
}

/* What programs number messages with looks like an address, and stands in every line of a mail server's log. */
static bool is_message_id(struct slice text, size_t at, size_t begin)
{
    static const struct slice names[] = {
        SLICE_LITERAL("message-id="),  SLICE_LITERAL("message-id:"), SLICE_LITERAL("msgid="),
        SLICE_LITERAL("in-reply-to:"), SLICE_LITERAL("references:"),
    };
    size_t from = at > EXTRACT_BEHIND_BYTES ? at - EXTRACT_BEHIND_BYTES : 0;
    size_t token = begin;
    while (token > from && !ascii_is_space(text.at[token - 1]) && text.at[token - 1] != '<') {
        token--;
    }
    bool has_bracket = token > from && text.at[token - 1] == '<';
    struct slice before = slice_trim(slice_sub(text, from, has_bracket ? token - 1 : token));
    struct slice inside = slice_sub(text, token, begin);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_starts_nocase(inside, names[i]) ||
            (has_bracket && slice_ends_nocase(before, names[i]))) {
            return true;
        }
    }
    return false;
}

/* C:\new\nora@...: no escape is written there. */
static bool is_windows_path(struct slice text)
{
    for (size_t i = 1; i + 1 < text.len; i++) {
        bool is_drive = text.at[i] == ':' && text.at[i + 1] == '\\' &&
                        ascii_is_alpha(text.at[i - 1]) &&
                        (i == 1 || !ascii_is_alnum(text.at[i - 2]));
        if (is_drive) {
            return true;
        }
    }
    return false;
}

/* b'joe@a.example' in a program: the letter belongs to the quotes. */
static void drop_prefix(struct draft *draft, struct slice text)
{
    struct slice begin = slice_sub(text, draft->begin, draft->begin + 3);
    bool is_closed = draft->end < text.len && text.at[draft->end] == '\'';
    bool is_string = begin.len == 3 && begin.at[1] == '\'' &&
                     strchr("bBuUrRnNfF", begin.at[0]) != NULL && begin.at[0] != '\0';
    if (is_closed && is_string && draft->local_len > 2) {
        draft->begin += 2;
        draft->local_len -= 2;
        draft->len -= 2;
        memmove(draft->text, draft->text + 2, draft->len);
    }
}

static bool find_local(struct draft *draft, struct slice text, size_t begin, size_t at,
                       struct extract_rules *rules)
{
    size_t from = find_barrier(text, begin, at, rules->has_words);
    rules->is_path = is_windows_path(slice_sub(text, from, at));
    gather_local(draft, text, from, at, *rules);
    if (!rules->has_percent && is_mailto(text, draft->token, draft->begin)) {
        rules->has_percent = true;
        gather_local(draft, text, from, at, *rules);
    }
    return !is_user_info(text, draft->token, draft->begin) && take_local(draft, text) &&
           !is_message_id(text, at, draft->begin);
}

bool extract_judge(const struct extract_config *config, const struct extract_spot *spot, char *to,
                   struct extract_found *out)
{
    UNFILLED struct draft draft; /* local_count and len say what of it is there */
    struct slice text = spot->text;
    struct extract_rules rules = {.has_percent = spot->sign.is_encoded,
                                  .has_words = config->wants_obfuscated};
    draft.local_count = 0;
    draft.domain_words = 0;
    if (!take_quoted(&draft, text, spot->begin, spot->at) &&
        !find_local(&draft, text, spot->begin, spot->at, &rules)) {
        return false;
    }
    size_t domain_at = spot->at + spot->sign.len;
    static const struct slice sign = SLICE_LITERAL("@");
    if (!put_unit(&draft, sign, 0, (struct extract_unit){.code = '@', .len = 1}) ||
        (!take_literal(&draft, text, domain_at) && !take_domain(&draft, text, domain_at, rules))) {
        return false;
    }
    drop_prefix(&draft, text);
    /* "meet me at example.com" is no address; "jane at example dot com" is. */
    if ((spot->sign.is_bare_word && draft.domain_words == 0) ||
        !settle(config, &draft, text, domain_at, rules, &out->address)) {
        return false;
    }
    memcpy(to, draft.text, draft.len);
    out->text = slice_make(to, draft.len);
    out->offset = draft.begin;
    out->end = draft.end;
    return true;
}
