/* address/extract: what is found in texts of every kind, and the same however they are cut into pieces.
 * SPDX-License-Identifier: Apache-2.0 */
#include "address/extract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/random.h"
#include "base/slice.h"

#include "load_lists.h"

enum { DUMP_BYTES_MAX = 16 << 20 };

struct extract_case {
    const char *name;
    struct slice input;
    const char *expected; /* "OFFSET-END:LINE TEXT" each, parted by newlines */
    bool wants_obfuscated;
};

#define CASE(name, input, expected)                 \
    {                                               \
        name, SLICE_LITERAL(input), expected, false \
    }
#define OBFUSCATED(name, input, expected)          \
    {                                              \
        name, SLICE_LITERAL(input), expected, true \
    }

static struct address_lists *lists;

static void take_all(struct extract *x, struct buf *out)
{
    struct extract_found found;
    while (extract_next(x, &found)) {
        must(found.offset < found.end && found.address.local_len > 0);
        must(buf_printf(out, "%s%llu-%llu:%llu %.*s", out->len > 0 ? "\n" : "",
                        (unsigned long long)found.offset, (unsigned long long)found.end,
                        (unsigned long long)found.line, SLICE_ARG(found.text)) == ERR_NONE);
    }
}

/* In pieces that end at each place of cuts, and then of step bytes. */
static void extract_pieces(struct slice input, size_t first, size_t step, bool wants_obfuscated,
                           struct buf *out)
{
    const struct extract_config config = {.lists = lists, .wants_obfuscated = wants_obfuscated};
    struct extract *x = NULL;
    must(extract_new(&config, &x) == ERR_NONE);
    buf_clear(out);
    size_t end = first;
    for (size_t at = 0; at < input.len; end += step) {
        struct slice piece = slice_sub(input, at, end);
        /* A copy, so that reading past it is seen. */
        char *copy = malloc(piece.len + 1);
        must(copy != NULL);
        memcpy(copy, piece.at, piece.len);
        extract_feed(x, slice_make(copy, piece.len));
        take_all(x, out);
        free(copy);
        at += piece.len;
    }
    extract_feed(x, SLICE_NONE);
    extract_end(x);
    take_all(x, out);
    extract_free(x);
}

static const struct extract_case cases[] = {
    CASE("nothing", "", ""),
    CASE("alone", "jane@example.com", "0-16:1 jane@example.com"),
    CASE("in a sentence", "Write to jane@example.com, or to o'brien+x@sub.example.co.uk.\nBye.",
         "9-25:1 jane@example.com\n33-60:1 o'brien+x@sub.example.co.uk"),
    CASE("lines", "a\nb\n jane@example.com\r\njoe@example.org",
         "5-21:3 jane@example.com\n23-38:4 joe@example.org"),
    CASE("header", "From: \"Doe, J\" <jane@example.com>, =?utf-8?q?x?= <joe@example.org>",
         "16-32:1 jane@example.com\n50-65:1 joe@example.org"),
    CASE("brackets and quotes",
         "(a.b@example.com) [c@example.com] {d@example.com} 'e@example.com' \"f@example.com\" "
         "`g@example.com` \xc2\xabh@example.com\xc2\xbb \xe2\x80\x9ci@example.com\xe2\x80\x9d "
         "*j@example.com* "
         "_k@example.com_ k@example.com;l@example.com|m@example.com/n@example.com",
         "1-16:1 a.b@example.com\n19-32:1 c@example.com\n35-48:1 d@example.com\n"
         "51-64:1 e@example.com\n67-80:1 f@example.com\n83-96:1 g@example.com\n"
         "100-113:1 h@example.com\n119-132:1 i@example.com\n137-150:1 j@example.com\n"
         "152-166:1 _k@example.com\n168-181:1 k@example.com\n182-195:1 l@example.com\n"
         "196-209:1 m@example.com\n210-223:1 n@example.com"),
    CASE("mailto",
         "<a href=\"mailto:jane%2Btag@example.com?subject=x%40y\">MAILTO:joe@example.org</a>",
         "16-38:1 jane+tag@example.com\n61-76:1 joe@example.org"),
    CASE("encoded at sign",
         "GET /?email=jane.doe%40example.com&x=50%25 https://h.example/?to=a%2Bb%40example.org",
         "12-34:1 jane.doe@example.com\n65-84:1 a+b@example.org"),
    CASE("character references",
         "jane&#64;example.com &lt;joe&commat;example&period;org&gt; "
         "&#106;&#x6f;&#0000101;&#x40;&#101;&#120;&#97;mple&#46;net",
         "0-20:1 jane@example.com\n25-54:1 joe@example.org\n59-116:1 joe@example.net"),
    CASE("JSON", "{\"email\":\"jane@example.com\",\"@x\":\"@y.com\",\"u\":\"a\\u0040b.com\"}",
         "10-26:1 jane@example.com\n47-59:1 a@b.com"),
    CASE("escapes of JSON and C",
         "\"\\u003cjane\\u0040example.com\\u003e\" \\\"a@b.com\\\" "
         "x\\njoe@example.org\\r\\n\\tb@b.com "
         "a\\x40b.com b\\u00fccher@b\\u00fccher.de \\jane@example.com C:\\new\\nora@example.com",
         "7-28:1 jane@example.com\n38-45:1 a@b.com\n51-66:1 joe@example.org\n72-79:1 b@b.com\n"
         "80-90:1 a@b.com\n91-117:1 b\xc3\xbc"
         "cher@b\xc3\xbc"
         "cher.de\n119-135:1 jane@example.com\n"
         "143-159:1 nora@example.com"),
    CASE("control sequences",
         "\x1b[31mjoe@a.example\x1b[0m \x1b[1;38;5;9ma\x1b[m@\x1b[01;31m\x1b[Kb.com\x1b[m\x1b[K "
         "\x1b(Bc@b.com "
         "\xc2\x9b"
         "31md@b.com\x1b[2K\x1b[1Ge@b.com \x1b]8;;mailto:f@b.com\x07g@b.com\x1b]8;;\x1b\\h@b.com",
         "5-18:1 joe@a.example\n34-55:1 a@b.com\n65-72:1 c@b.com\n78-85:1 d@b.com\n93-100:1 "
         "e@b.com\n"
         "113-120:1 f@b.com\n121-128:1 g@b.com\n135-142:1 h@b.com"),
    CASE("control sequences that were written out",
         "\\x1b[31ma@b.com\\x1b[0m \\033[1mb@b.com \\e[1mc@b.com ^[[31md@b.com^[[0m "
         "\\u001b[31me@b.com "
         "#033[1mf@b.com#033[m g@b.com#012h@b.com",
         "8-15:1 a@b.com\n30-37:1 b@b.com\n43-50:1 c@b.com\n57-64:1 d@b.com\n80-87:1 e@b.com\n"
         "95-102:1 f@b.com\n109-116:1 g@b.com\n120-127:1 h@b.com"),
    CASE("no control sequences",
         "[31mjane@example.com (Bjoe@example.org \x1b[[a@b.com \x1b[1\nb@b.com",
         "1-20:1 31mjane@example.com\n22-38:1 Bjoe@example.org\n42-49:1 a@b.com\n54-61:2 b@b.com"),
    CASE("what does not print",
         "\xef\xbb\xbfjane@\xe2\x80\x8b"
         "example\xe2\x80\x8b.com \xe2\x80\x8e"
         "a@b.com\xe2\x80\x8f jo\xc2\xad"
         "e@exam\xc2\xadple.com Mail\xe2\x80\x8bn@b.com\xe2\x80\x8bThanks",
         "3-25:1 jane@example.com\n29-36:1 a@b.com\n40-59:1 joe@example.com\n67-74:1 n@b.com"),
    CASE("full stops and at signs of other scripts",
         "jane@example\xe3\x80\x82"
         "com a@m\xc3\xbcller\xef\xbc\x8e"
         "de b\xef\xbc\xa0"
         "b.com "
         "\xe8\xaf\xb7"
         "joe@\xe4\xbe\x8b\xe5\xad\x90\xe3\x80\x82\xe4\xb8\xad\xe5\x9b\xbd"
         "\xe3\x80\x82\xe8\xb0\xa2\xe8\xb0\xa2 c@b.com\xe3\x80\x82"
         "d@b.com",
         "0-18:1 jane@example.com\n19-33:1 a@m\xc3\xbcller.de\n34-43:1 b@b.com\n"
         "47-66:1 joe@\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd\n76-83:1 c@b.com\n"
         "86-93:1 d@b.com"),
    CASE("separators that are encoded, and at signs that are not",
         "?x=%3Cjane@example.com%3E&to=a@b.com%2Cb@b.com&u=a+b%20c%2Bd@b.com mailto%3Ae@b.com "
         "x%y@b.com",
         "6-22:1 jane@example.com\n29-36:1 a@b.com\n39-46:1 b@b.com\n55-66:1 c+d@b.com\n76-83:1 "
         "e@b.com\n"
         "84-93:1 x%y@b.com"),
    CASE("references without a semicolon", "&ltjane@example.com&gt &nbspjoe@example.org",
         "3-19:1 jane@example.com\n28-43:1 joe@example.org"),
    CASE("quoted-printable in a log",
         "=3Cjane@example.com=3E Hi=20joe@example.org to=a@b.com x=2Cb@b.com\n"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx jo=\r\ne@exam=\nple.com\n"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx c@exam=\nple.com",
         "3-19:1 jane@example.com\n28-43:1 joe@example.org\n47-54:1 a@b.com\n59-66:1 b@b.com\n"
         "205-220:5 c@example.com"),
    CASE("strings of programs", "b'jane@example.com', u'joe@example.org' 'o'neill@b.com' f'x",
         "2-18:1 jane@example.com\n23-38:1 joe@example.org\n41-54:1 o'neill@b.com"),
    CASE("CSV", "id,email\n1,jane@example.com,x\n2;joe@example.org\t3",
         "11-27:2 jane@example.com\n32-47:3 joe@example.org"),
    CASE("log",
         "to=<jane@example.com>, relay=mx.example.com[192.0.2.1]:25, from=joe@example.org status",
         "4-20:1 jane@example.com\n64-79:1 joe@example.org"),
    CASE("bounce", "bounce+jane=example.com@lists.example.org x=jane@example.com",
         "0-41:1 bounce+jane=example.com@lists.example.org\n44-60:1 jane@example.com"),
    CASE("end of a sentence", "jane@example.com.Thanks jane@example.com... jane@example.com.",
         "0-16:1 jane@example.com\n24-40:1 jane@example.com\n44-60:1 jane@example.com"),
    CASE("pictures", "logo@2x.png icon@3x.zip img@2X.app hero@2x.co.uk", "35-48:1 hero@2x.co.uk"),
    CASE("no addresses",
         "@jane jane@ a@b a@localhost react@18.2.0 a@b.nosuchtop https://x.example/@jane a@.com "
         "a@-b.com "
         "ssh://jane:pw@example.com/x ftp://joe@example.com @@ a@@b.com",
         ""),
    CASE("numbers of messages",
         "message-id=<1.2$x@mail.example.com> Message-ID: <3@mail.example.com>\n"
         "msgid=4@mail.example.com, ID=<jane@example.com>",
         "99-115:2 jane@example.com"),
    CASE("path after a host", "https://x.example/u/jane@example.com?to=joe@example.com",
         "20-36:1 jane@example.com\n40-55:1 joe@example.com"),
    CASE("dots", "..jane@example.com a..b@example.com c.@example.com jane@example..com",
         "2-18:1 jane@example.com\n22-35:1 b@example.com"),
    CASE("quoted", "\"jane doe\"@example.com x\"joe\"@example.com \"a\":\"@b.com\"",
         "0-22:1 \"jane doe\"@example.com"),
    CASE("literal", "jane@[192.0.2.1] joe@[IPv6:2001:db8::1] a@[b]",
         "0-16:1 jane@[192.0.2.1]\n17-39:1 joe@[IPv6:2001:db8::1]"),
    CASE("IDN",
         "jane@m\xc3\xbcller.de j\xc3\xb6rg@example.com "
         "\xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd",
         "0-15:1 jane@m\xc3\xbcller.de\n16-33:1 j\xc3\xb6rg@example.com\n"
         "34-54:1 \xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd"),
    CASE("text without spaces",
         "\xe8\xaf\xb7\xe8\x81\x94\xe7\xb3\xbbjane@example."
         "com\xe8\xb0\xa2\xe8\xb0\xa2\xe3\x80\x82joe@example.org\xe3\x80\x82",
         "9-25:1 jane@example.com\n34-49:1 joe@example.org"),
    CASE("not UTF-8", "\xff\xfejane@example.com\xff j\xf6rg@example.com",
         "2-18:1 jane@example.com\n22-36:1 rg@example.com"),
    CASE("zero bytes", "jane@example.com\0joe@example.org\0",
         "0-16:1 jane@example.com\n17-32:1 joe@example.org"),
    CASE("long local part",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com",
         "78-154:1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com"),
    CASE("obfuscated, not asked", "jane [at] example [dot] com", ""),
    OBFUSCATED(
        "obfuscated",
        "jane [at] example [dot] com, a.b(AT)example.com; {joe} joe {at} x ( dot ) example.org",
        "0-27:1 jane@example.com\n29-47:1 a.b@example.com\n55-85:1 joe@x.example.org"),
    OBFUSCATED("in words",
               "jane dot doe at example dot co dot uk or meet me at example.com at noon",
               "0-37:1 jane.doe@example.co.uk"),
    OBFUSCATED("both", "jane@example.com or joe[at]example.org",
               "0-16:1 jane@example.com\n20-38:1 joe@example.org"),
};

static size_t check(const struct extract_case *c, struct buf *out, const char *how, size_t number)
{
    if (slice_equal(buf_view(out), slice_of(c->expected))) {
        return 0;
    }
    print_message("%s, %s %zu:\n%.*s\n", c->name, how, number, SLICE_ARG(buf_view(out)));
    return 1;
}

static void test_found(void **state)
{
    (void)state;
    size_t wrong = 0;
    struct buf out;
    buf_init(&out, DUMP_BYTES_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct extract_case *c = &cases[i];
        extract_pieces(c->input, c->input.len, 1, c->wants_obfuscated, &out);
        size_t whole_wrong = check(c, &out, "whole", 0);
        wrong += whole_wrong;
        for (size_t cut = 0; cut <= c->input.len && whole_wrong == 0; cut++) {
            extract_pieces(c->input, cut, c->input.len, c->wants_obfuscated, &out);
            wrong += check(c, &out, "cut at", cut);
        }
        for (size_t step = 1; step < 8 && whole_wrong == 0; step++) {
            extract_pieces(c->input, step, step, c->wants_obfuscated, &out);
            wrong += check(c, &out, "in steps of", step);
        }
    }
    buf_done(&out);
    assert_int_equal(wrong, 0);
}

/* Many windows of text of all kinds: the same in pieces of any size, and offsets that are right. */
static void test_any_cut(void **state)
{
    (void)state;
    static const char *const words[] = {
        "jane@example.com",
        " ",
        "\n",
        "x",
        "@",
        "&#64;",
        "%40",
        "mailto:",
        ".",
        "com",
        "\xc3\xbc",
        "\"",
        "<",
        ">",
        "at",
        " dot ",
        "[at]",
        "=",
        "a",
        "\xe7\x94\xa8",
        "=\n",
        "=\r\n",
        "\x1b[31m",
        "\x1b",
        "[",
        "\\u0040",
        "\\n",
        "#033",
        "^[[1m",
        "\xc2\xad",
        "\xe2\x80\x8b",
        "\xef\xbc\xa0",
        "\xe3\x80\x82",
        "%3C",
        "=20",
        "b'",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx "};
    struct random random = {.state = 7};
    struct buf text;
    struct buf whole;
    struct buf pieces;
    buf_init(&text, DUMP_BYTES_MAX);
    buf_init(&whole, DUMP_BYTES_MAX);
    buf_init(&pieces, DUMP_BYTES_MAX);
    while (text.len < 150000) {
        uint32_t i = random_below(&random, sizeof words / sizeof words[0]);
        must(buf_append(&text, slice_of(words[i])) == ERR_NONE);
    }
    for (unsigned wants_obfuscated = 0; wants_obfuscated < 2; wants_obfuscated++) {
        extract_pieces(buf_view(&text), text.len, 1, wants_obfuscated == 1, &whole);
        assert_true(whole.len > 4000);
        static const size_t steps[] = {1, 3, 511, 65535, 65537};
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            extract_pieces(buf_view(&text), steps[i], steps[i], wants_obfuscated == 1, &pieces);
            assert_true(slice_equal(buf_view(&whole), buf_view(&pieces)));
        }
    }
    buf_done(&text);
    buf_done(&whole);
    buf_done(&pieces);
}

/* An address across the end of each window, and megabytes of what costs most. */
static void test_hostile(void **state)
{
    (void)state;
    static const char *const patterns[] = {"@",        "a@",  "&#64;", "%40", "a%40a.",  " at ",
                                           "x@a.a.a.", "\"@", "&#",    "(",   "aaaaaaaa"};
    struct buf text;
    struct buf out;
    buf_init(&text, DUMP_BYTES_MAX);
    buf_init(&out, DUMP_BYTES_MAX);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        buf_clear(&text);
        while (text.len < 70000) {
            must(buf_append(&text, slice_of(patterns[i])) == ERR_NONE);
        }
        must(buf_append(&text, SLICE(" jane@example.com")) == ERR_NONE);
        extract_pieces(buf_view(&text), 4096, 4096, true, &out);
        assert_true(slice_ends(buf_view(&out), SLICE(":1 jane@example.com")));
    }
    buf_done(&text);
    buf_done(&out);
}

static int load(void **state)
{
    (void)state;
    lists = load_shipped_lists();
    return 0;
}

static int unload(void **state)
{
    (void)state;
    close_shipped_lists(lists);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
