/* address/extract_escape: what stands in logs and program text for characters that act or that do not print: control
 * sequences of terminals (ECMA-48), as they are or written out, backslash escapes of JSON and of C, octal numbers of
 * syslog daemons.
 * SPDX-License-Identifier: Apache-2.0 */
#include "address/extract_private.h"
#include "base/slice.h"

enum {
    ESC = 0x1b,
    SEQUENCE_BYTES_MAX = 64, /* of a control sequence; a longer one is none */
};

/* Digits in that base, as many as count; false: others stand there. */
static bool read_digits(struct slice text, size_t count, unsigned base, unsigned *out)
{
    unsigned code = 0;
    if (text.len < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char lower = ascii_lower(text.at[i]);
        bool is_letter = lower >= 'a' && lower <= 'f';
        unsigned digit = is_letter ? (unsigned)(lower - 'a') + 10 : (unsigned)(lower - '0');
        if ((!is_letter && !ascii_is_digit(lower)) || digit >= base) {
            return false;
        }
        code = code * base + digit;
    }
    *out = code;
    return true;
}

/* "\n", "\u0040", "\x40", "\033", "#033", "^[": the character and how long that is; 0: none of them. */
static size_t written_at(struct slice text, unsigned *out_code)
{
    char mark = text.at[0];
    char kind = text.len > 1 ? text.at[1] : '\0';
    struct slice digits = slice_sub(text, 2, text.len);
    if (mark == '^') {
        *out_code = ESC;
        return kind == '[' ? 2 : 0;
    }
    if (mark == '#' || ascii_is_digit(kind)) {
        bool is_control =
            read_digits(slice_sub(text, 1, text.len), 3, 8, out_code) && *out_code < ' ';
        return is_control ? 4 : 0;
    }
    switch (kind) {
    case 'n':
    case 'r':
    case 't': *out_code = ' '; return 2;
    case 'e': *out_code = ESC; return 2;
    case 'u': return read_digits(digits, 4, 16, out_code) ? 6 : 0;
    case 'x': return read_digits(digits, 2, 16, out_code) && *out_code < 0x80 ? 4 : 0;
    default: return 0;
    }
}

/* ECMA-48 5.4, behind its introducer: parameters, intermediates and a last byte; 0: it is none. What only colours or
 * clears leaves a text as it reads; what moves parts it. */
static size_t sequence_len(struct slice text, bool *out_is_nothing)
{
    size_t i = 0;
    while (i < text.len && i < SEQUENCE_BYTES_MAX && text.at[i] >= 0x20 && text.at[i] <= 0x3f) {
        i++;
    }
    if (i == text.len || text.at[i] < 0x40 || text.at[i] > 0x7e) {
        return 0;
    }
    *out_is_nothing = text.at[i] == 'm' || text.at[i] == 'K';
    return i + 1;
}

/* Behind an escape character: a control sequence, or the choice of a character set (ECMA-35): ESC ( B. */
static size_t escaped_len(struct slice text, bool *out_is_nothing)
{
    if (slice_starts(text, SLICE("["))) {
        size_t len = sequence_len(slice_sub(text, 1, text.len), out_is_nothing);
        return len > 0 ? len + 1 : 0;
    }
    bool is_set = text.len > 1 && text.at[0] >= '(' && text.at[0] <= '/' && text.at[1] >= '0' &&
                  text.at[1] <= '~';
    *out_is_nothing = is_set;
    return is_set ? 2 : 0;
}

struct extract_unit extract_escape_at(struct slice text)
{
    struct extract_unit unit = {.code = ESC, .len = 1, .is_escape = true};
    if (text.at[0] != ESC) {
        unit.len = written_at(text, &unit.code);
    }
    if (unit.len > 0 && unit.code == ESC) {
        unit.len += escaped_len(slice_sub(text, unit.len, text.len), &unit.is_nothing);
    }
    return unit;
}

struct extract_unit extract_sequence_at(struct slice text)
{
    struct extract_unit unit = {.code = ESC, .is_escape = true};
    unit.len = sequence_len(text, &unit.is_nothing);
    return unit;
}

bool extract_is_in_sequence(struct slice text, size_t at)
{
    static const struct slice escapes[] = {
        SLICE_LITERAL("\x1b"),    SLICE_LITERAL("\\x1b"),   SLICE_LITERAL("\\x1B"),
        SLICE_LITERAL("\\u001b"), SLICE_LITERAL("\\u001B"), SLICE_LITERAL("\\033"),
        SLICE_LITERAL("\\e"),     SLICE_LITERAL("#033"),    SLICE_LITERAL("^["),
    };
    struct slice before = slice_sub(text, 0, at);
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (slice_ends(before, escapes[i])) {
            return true;
        }
    }
    return slice_ends(before, SLICE("^")) && slice_starts(slice_sub(text, at, at + 2), SLICE("[["));
}
