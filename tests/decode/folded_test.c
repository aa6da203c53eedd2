/* decode/folded: the lines of vCards and LDIF, however they are cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/folded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "split.h"

struct folded_case {
    const char *name;
    enum folded_kind kind;
    struct slice input;
    const char *expected; /* "number name[charset]=value" each, parted by '|' */
};

static void take_lines(struct folded *folded, struct buf *out)
{
    struct folded_line line;
    bool is_line = true;
    while (is_line) {
        must(folded_next(folded, &line, &is_line) == ERR_NONE);
        if (is_line) {
            must(buf_printf(out, "%d %.*s[%.*s]=%.*s|", (int)line.number, SLICE_ARG(line.name),
                            SLICE_ARG(line.charset), SLICE_ARG(line.value)) == ERR_NONE);
        }
    }
}

static void read_lines(const void *how, struct slice input, size_t first, size_t step,
                       struct buf *out)
{
    const struct folded_case *c = how;
    struct folded *folded = NULL;
    must(folded_new(c->kind, &folded) == ERR_NONE);
    for (size_t at = 0; at < input.len;) {
        struct slice piece;
        char *copy = split_piece(input, &at, first, step, &piece);
        folded_feed(folded, piece);
        take_lines(folded, out);
        free(copy);
    }
    folded_end(folded);
    take_lines(folded, out);
    folded_free(folded);
}

static void test_folded(void **state)
{
    (void)state;
    static const struct folded_case cases[] = {
        /* RFC 6350 3.2, 3.4 */
        {"folded", FOLDED_VCARD,
         SLICE_LITERAL("EMAIL:ja\r\n ne@x.com\r\nNOTE:a\\,b\\nc\r\n\tq\r\n"),
         "1 EMAIL[]=jane@x.com|3 NOTE[]=a,b\ncq|"},
        {"quoted parameter", FOLDED_VCARD, SLICE_LITERAL("A;X=\"a:b\":c"), "1 A;X=\"a:b\"[]=c|"},
        {"2.1", FOLDED_VCARD,
         SLICE_LITERAL("N;CHARSET=latin1;ENCODING=QUOTED-PRINTABLE:a=40=\r\nb=E4\r\nM;QUOTED-"
                       "PRINTABLE:=41\r\n"),
         "1 N;CHARSET=latin1;ENCODING=QUOTED-PRINTABLE[latin1]=a@b\xe4|3 M;QUOTED-PRINTABLE[]=A|"},
        {"base64", FOLDED_VCARD, SLICE_LITERAL("K;ENCODING=b:YUBi\n"), "1 K;ENCODING=b[]=a@b|"},
        /* RFC 2849 */
        {"LDIF", FOLDED_LDIF,
         SLICE_LITERAL("version: 1\ndn: a\nmail:: amFuZUB4\n LmNvbQ==\n\nmail: jo\n e@x\n"),
         "1 version[]=1|2 dn[]=a|3 mail[]=jane@x.com|6 mail[]=joe@x|"},
        {"no colon", FOLDED_LDIF, SLICE_LITERAL("a\n b\n\n\n"), "1 ab[]=|"},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wrong += split_check(cases[i].name, read_lines, &cases[i], cases[i].input,
                             slice_of(cases[i].expected));
    }
    assert_int_equal(wrong, 0);
}

/* A picture of megabytes is cut, and what follows it is read. */
static void test_ceiling(void **state)
{
    (void)state;
    struct buf text;
    struct buf out;
    buf_init(&text, 4 << 20);
    buf_init(&out, 4 << 20);
    must(buf_append(&text, SLICE("PHOTO;ENCODING=b:")) == ERR_NONE);
    for (int i = 0; i < 50000; i++) {
        must(buf_append(&text, SLICE("AAAAAAAAAAAAAAAA\n ")) == ERR_NONE);
    }
    must(buf_append(&text, SLICE("\nEMAIL:a@b\n")) == ERR_NONE);
    const struct folded_case c = {.kind = FOLDED_VCARD};
    read_lines(&c, buf_view(&text), 4096, 4096, &out);
    assert_true(slice_ends(buf_view(&out), SLICE("EMAIL[]=a@b|")));
    buf_done(&text);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_folded),
                                       cmocka_unit_test(test_ceiling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
