/* SPDX-License-Identifier: Apache-2.0 */
#include "heloise/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "address_case.h"

static const struct good_case good_shapes[] = {
    {"plain", "user@example.com", "user@example.com"},
    {"the domain in lower case, the local part as given", "User.Name@Example.COM",
     "User.Name@example.com"}, /* RFC 5321 2.4 */
    {"scenario 96: a space in quotes", "\"john doe\"@example.com", "\"john doe\"@example.com"},
    {"scenario 96: an at in quotes", "\"a@b\"@example.com", "\"a@b\"@example.com"},
    {"scenario 96: a quoted pair", "\"a\\\"b\"@example.com", "\"a\\\"b\"@example.com"},
    {"scenario 102: IPv4", "user@[192.0.2.1]", "user@[192.0.2.1]"},
    {"scenario 102: IPv6", "user@[IPv6:2001:DB8::1]", "user@[IPv6:2001:db8::1]"},
    {"scenario 101: both sides", "\xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe5\xad\x90.example",
     "\xe7\x94\xa8\xe6\x88\xb7@xn--fsqu00a.example"},
    {"scenario 100: upper case", "User@example.com", "User@example.com"},
    {"scenario 100: lower case", "user@example.com", "user@example.com"},
    {"scenario 78: U-label",
     "a@b\xc3\xbc"
     "cher.example",
     "a@xn--bcher-kva.example"},
    {"scenario 78: A-label", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
    {"scenario 78: mixed case", "a@XN--Bcher-KVA.eXample", "a@xn--bcher-kva.example"},
    {"scenario 105: the wire form keeps dots and tag", "a.b.c+x@googlemail.com",
     "a.b.c+x@googlemail.com"},
    {"scenario 104: name", " Name <a@b.c> ", "a@b.c"},
    {"scenario 104: mailto", "mailto:a@b.c", "a@b.c"},
    {"scenario 104: dot", "a@b.c.", "a@b.c"},
    {"scenario 104: semicolon", "a@b.c;", "a@b.c"},
    {"scenario 104: BOM",
     "\xef\xbb\xbf"
     "a@b.c",
     "a@b.c"},
    {"scenario 104: full-width at",
     "a\xef\xbc\xa0"
     "b.c",
     "a@b.c"},
    {"scenario 112: spaces", "\t a@b.c \t", "a@b.c"},
};

static const struct bad_case bad_shapes[] = {
    {"scenario 97: two dots", SLICE_LITERAL("a..b@example.com"), 3},
    {"scenario 97: dot first", SLICE_LITERAL(".a@example.com"), 1},
    {"scenario 97: dot last", SLICE_LITERAL("a.@example.com"), 2},
    {"scenario 97: two dots behind", SLICE_LITERAL("a@d..com"), 5},
    {"scenario 97: hyphen first", SLICE_LITERAL("a@-d.com"), 3},
    {"scenario 97: hyphen last", SLICE_LITERAL("a@d-.com"), 3},
    {"scenario 97: no dot behind", SLICE_LITERAL("a@d"), 3},
    {"scenario 97: nothing before", SLICE_LITERAL("@d.com"), 1},
    {"scenario 97: nothing behind", SLICE_LITERAL("a@"), 3},
    {"scenario 97: a space before", SLICE_LITERAL("a b@d.com"), 2},
    {"scenario 97: a space around", SLICE_LITERAL("a @d.com"), 2},
    {"scenario 97: a space behind", SLICE_LITERAL("a@d .com"), 4},
    {"scenario 97: two at", SLICE_LITERAL("a@b@d.com"), 4},
    {"scenario 97: two at together", SLICE_LITERAL("a@@d.com"), 3},
    {"scenario 97: no at", SLICE_LITERAL("example.com"), 12},
    {"scenario 103: CR LF", SLICE_LITERAL("a@b.c\r\nDATA"), 6},
    {"scenario 103: a command", SLICE_LITERAL("a@b.c>\r\nRCPT TO:<x@y.z>"), 7},
    {"scenario 103: in the name", SLICE_LITERAL("N\r\nDATA\r\n <a@b.c>"), 2},
    {"scenario 103: NUL", SLICE_LITERAL("a\0@b.c"), 2},
    {"scenario 103: NUL behind", SLICE_LITERAL("a@b.c\0"), 6},
    {"scenario 103: NUL before", SLICE_LITERAL("\0a@b.c"), 1},
    {"scenario 103: NUL in the name", SLICE_LITERAL("N\0 <a@b.c>"), 2},
    {"scenario 103: encoded, before", SLICE_LITERAL("a%0d%0ab@b.c"), 2},
    {"scenario 103: encoded, behind", SLICE_LITERAL("a@b%0D%0A.c"), 4},
    {"scenario 103: encoded in mailto", SLICE_LITERAL("mailto:a@b.c%0d%0aDATA"), 0},
    {"scenario 103: encoded at its end", SLICE_LITERAL("mailto:a@b.c%0d%0a"), 0},
    {"scenario 103: >", SLICE_LITERAL("a@b.c>"), 6},
    {"scenario 103: <", SLICE_LITERAL("a<x@b.c"), 2},
    {"scenario 103: parameters", SLICE_LITERAL("a@b.c> SIZE=1 <x@y.z>"), 0},
    {"nothing", SLICE_LITERAL(""), 1},
    {"no bytes", {NULL, 0}, 1},
};

static void shapes(void **state)
{
    (void)state;
    check_good(good_shapes, COUNT(good_shapes));
    check_bad(bad_shapes, COUNT(bad_shapes));
}

/* RFC 5321 4.1.1: no line end and no NUL, wherever it stands, in whatever wrapping. Only spaces and line
 * ends around the whole text are cut. */
static void line_ends_never_parse(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "user@example.com",
        "\"us er\"@example.com",
        "Name <user@example.com>",
        "mailto:user@example.com",
        "user@[192.0.2.1]",
        ("\xc3\xbc@b\xc3\xbc"
         "cher.example"),
        "\"N\" <\"a\\\"b\"@xn--bcher-kva.example>;",
    };
    static const char bytes[] = {'\r', '\n', '\0'};
    for (size_t t = 0; t < COUNT(texts); t++) {
        size_t len = strlen(texts[t]);
        for (size_t at = 0; at <= len; at++) {
            for (size_t b = 0; b < 3; b++) {
                char text[100];
                memcpy(text, texts[t], at);
                text[at] = bytes[b];
                memcpy(text + at + 1, texts[t] + at, len - at);
                bool is_around = bytes[b] != '\0' && (at == 0 || at == len);
                struct hel_address a;
                enum err e =
                    hel_address_parse(slice_make(text, len + 1), HEL_ADDRESS_PRACTICAL, &a, NULL);
                if (e != (is_around ? ERR_NONE : ERR_SYNTAX)) {
                    bool is_trailing = texts[t][len - 1] == ';' && at == len - 1;
                    if (!is_trailing || bytes[b] == '\0') {
                        fail_msg("%s: byte %d at %zu", texts[t], bytes[b], at);
                    }
                }
            }
        }
    }
}

struct size_case {
    const char *name;
    size_t local, label, labels; /* labels of that many letters, then ".example" */
    size_t last;                 /* letters of one more label in front, 0: none */
    bool is_strict, is_practical;
};

static size_t write_sized(char *to, const struct size_case *c)
{
    size_t n = c->local;
    memset(to, 'a', n);
    to[n++] = '@';
    if (c->last > 0) {
        memset(to + n, 'c', c->last);
        n += c->last;
        to[n++] = '.';
    }
    for (size_t i = 0; i < c->labels; i++) {
        memset(to + n, 'b', c->label);
        n += c->label;
        to[n++] = '.';
    }
    memcpy(to + n, "example", 7);
    return n + 7;
}

static void limits(void **state)
{
    (void)state;
    static const struct size_case rows[] = {
        {"scenario 98: local part of 64", 64, 3, 1, 0, true, true}, /* RFC 5321 4.5.3.1.1 */
        {"scenario 98: local part of 65", 65, 3, 1, 0, false, true},
        {"local part of 128", 128, 3, 1, 0, false, true},
        {"local part of 129", 129, 3, 1, 0, false, false},
        {"scenario 98: label of 63", 1, 63, 1, 0, true, true}, /* RFC 1035 2.3.4 */
        {"scenario 98: label of 64", 1, 64, 1, 0, false, false},
        /* 64 + 1 + 2 * 64 + (53 + 1) + 7 = 254 */
        {"scenario 98: address of 254", 64, 63, 2, 53, true, true}, /* RFC 5321 4.5.3.1.3 */
        {"scenario 98: address of 255", 64, 63, 2, 54, false, false},
        /* 1 + 1 + 3 * 64 + (52 + 1) + 7 = 254 */
        {"domain of 252", 1, 63, 3, 52, true, true},
        {"domain of 253", 1, 63, 3, 53, false, false}, /* fits the domain, not the path */
        {"domain of 256", 1, 63, 3, 56, false, false}, /* RFC 5321 4.5.3.1.2 */
        {"domain of 1000", 1, 50, 19, 0, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[1200];
        struct slice s = slice_make(text, write_sized(text, &rows[i]));
        struct hel_address a;
        struct hel_address_error error = {.column = 0};
        bool is_strict = hel_address_parse(s, HEL_ADDRESS_STRICT, &a, &error) == ERR_NONE;
        bool is_practical = hel_address_parse(s, HEL_ADDRESS_PRACTICAL, &a, NULL) == ERR_NONE;
        if (is_strict != rows[i].is_strict || is_practical != rows[i].is_practical) {
            fail_msg("%s: %s", rows[i].name, error.text);
        }
        if (is_practical) {
            assert_int_equal(a.wire_len, s.len);
            assert_int_equal(a.local_len, rows[i].local);
        }
    }
}

static void long_texts_are_refused(void **state)
{
    (void)state;
    char text[2100];
    memset(text, ' ', sizeof text);
    memcpy(text, "a@b.c", 5);
    struct hel_address a;
    struct hel_address_error error;
    assert_int_equal(hel_address_parse(slice_make(text, 2048), HEL_ADDRESS_STRICT, &a, &error),
                     ERR_NONE);
    assert_int_equal(hel_address_parse(slice_make(text, 2049), HEL_ADDRESS_STRICT, &a, &error),
                     ERR_SYNTAX);
    memset(text, 'a', sizeof text);
    assert_int_equal(hel_address_parse(slice_make(text, 2048), HEL_ADDRESS_STRICT, &a, &error),
                     ERR_SYNTAX);
    assert_int_equal(error.column, 2049);
}

static void views(void **state)
{
    (void)state;
    struct hel_address a = parsed("\"a@b\"@B\xc3\x9c"
                                  "cher.example");
    assert_true(slice_equal(hel_address_local(&a), SLICE("\"a@b\"")));
    assert_true(slice_equal(hel_address_domain(&a), SLICE("xn--bcher-kva.example")));
    assert_true(slice_equal(hel_address_wire(&a), SLICE("\"a@b\"@xn--bcher-kva.example")));
    assert_string_equal(a.domain_text, "b\xc3\xbc"
                                       "cher.example");
    assert_true(a.is_quoted && a.is_idn && !a.is_literal && !a.needs_smtputf8);
    a = parsed("\xc3\xbc@[192.0.2.1]");
    assert_true(!a.is_quoted && !a.is_idn && a.is_literal && a.needs_smtputf8);
    assert_true(slice_equal(hel_address_domain(&a), SLICE("[192.0.2.1]")));
}

/* Columns count characters of the text as it was given, wrapping included. */
static void columns(void **state)
{
    (void)state;
    static const struct bad_case bad[] = {
        {"after a name", SLICE_LITERAL("Name <a..b@c.de>"), 9},
        {"after spaces", SLICE_LITERAL("  a..b@c.de"), 5},
        {"after a BOM",
         SLICE_LITERAL("\xef\xbb\xbf"
                       "a..b@c.de"),
         4},
        {"after letters of two bytes", SLICE_LITERAL("\xc3\xa4\xc3\xb6..b@c.de"), 4},
        {"after a name in UTF-8", SLICE_LITERAL("J\xc3\xb6rg <a b@c.de>"), 8},
        {"after mailto", SLICE_LITERAL("mailto:a..b@c.de"), 10},
        {"a quote in the middle", SLICE_LITERAL("a\"b\"@c.de"), 2},
        {"a quote not closed", SLICE_LITERAL("\"abc@d.ef"), 1},
        {"text behind the quotes", SLICE_LITERAL("\"abc\"d@e.fg"), 6},
        {"a comma", SLICE_LITERAL("a,b@c.de"), 2},
        {"a bracket", SLICE_LITERAL("a(c)@c.de"), 2},
        {"the third label", SLICE_LITERAL("a@b.c.d_e.fg"), 8},
        {"a full-width at before",
         SLICE_LITERAL("a\xef\xbc\xa0"
                       "b..c"),
         5},
    };
    check_bad(bad, COUNT(bad));
}

static void text_must_be_utf8(void **state)
{
    (void)state;
    static const struct bad_case bad[] = {
        {"Latin-1", SLICE_LITERAL("Jos\xe9@example.com"), 0},
        {"overlong", SLICE_LITERAL("a\xc0\x80@example.com"), 0},
        {"surrogate", SLICE_LITERAL("a\xed\xa0\x80@example.com"), 0},
        {"cut", SLICE_LITERAL("a@example.com\xc3"), 0},
        {"behind mailto", SLICE_LITERAL("mailto:a%E9@example.com"), 0},
    };
    check_bad(bad, COUNT(bad));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),
        cmocka_unit_test(line_ends_never_parse),
        cmocka_unit_test(limits),
        cmocka_unit_test(long_texts_are_refused),
        cmocka_unit_test(views),
        cmocka_unit_test(columns),
        cmocka_unit_test(text_must_be_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
