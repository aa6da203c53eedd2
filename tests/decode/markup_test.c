/* decode/markup: what a reader sees of HTML and XML, however it is cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/markup.h"

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

struct markup_case {
    const char *name;
    struct markup_config config;
    struct slice input;
    const char *words; /* of the text, parted by one space; lines by '|' */
};

/* Spaces and form feeds become one space, newlines '|'. */
static void put_words(struct slice text, struct buf *out)
{
    bool is_gap = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '\n') {
            must(buf_append_byte(out, '|') == ERR_NONE);
            is_gap = true;
        } else if (c == ' ' || c == '\f') {
            is_gap = is_gap || buf_append_byte(out, ' ') == ERR_NONE;
        } else {
            must(buf_append_byte(out, c) == ERR_NONE);
            is_gap = false;
        }
    }
}

static void read_markup(const void *how, struct slice input, size_t first, size_t step,
                        struct buf *out)
{
    const struct markup_case *c = how;
    struct markup *markup = NULL;
    struct buf text;
    buf_init(&text, 1 << 20);
    must(markup_new(&c->config, &markup) == ERR_NONE);
    for (size_t at = 0; at < input.len;) {
        struct slice piece;
        char *copy = split_piece(input, &at, first, step, &piece);
        must(markup_feed(markup, piece, &text) == ERR_NONE);
        free(copy);
    }
    must(markup_end(markup, &text) == ERR_NONE);
    put_words(buf_view(&text), out);
    while (out->len > 0 && (out->at[out->len - 1] == ' ' || out->at[out->len - 1] == '|')) {
        out->len--;
    }
    markup_free(markup);
    buf_done(&text);
}

#define HTML(name, input, words)                                \
    {                                                           \
        name, {MARKUP_HTML, false}, SLICE_LITERAL(input), words \
    }

static void test_markup(void **state)
{
    (void)state;
    static const struct markup_case cases[] = {
        HTML("style joins", "ja<b>n</b>e<i>@</i><wbr>x.com<p>joe</p>k", "jane@x.com joe k"),
        HTML("links", "at <a href=x>a@x.com</a><a>b@x.com</a> j@<a>y.com</a>",
             "at a@x.com b@x.com j@y.com"),
        HTML("references", "a&#64;b&#x2e;c &lt;M&uuml;&nosuch; &amp;&copy &#xffffff;",
             "a@b.c <M\xc3\xbc&nosuch; &&copy \xef\xbf\xbd"),
        HTML("attributes", "x<a title='a@b' href=\"mailto:j%40x.com,k@y?cc=&quot;\" b=c>y</a>z",
             "xy a@b mailto:j@x.com,k@y?cc=\" z"),
        HTML("comments join", "ja<!-- a@b --><!-->n<!--->e", "jane"),
        HTML("scripts",
             "a<script>x<y;\"</p>\"</script >b<style>c</style>d<SCRIPT "
             "type=application/ld+json>e</script>f",
             "a b d e</scrip f"),
        HTML("lines", "a\n<b\nc=\"d\ne\">f<!--\n-->g h\n", "a|fg|||h"),
        HTML("no tags", "1 < 2 <3 </ > <j@x.com> <k@y", "1 < 2 <3 </ > j@x.com k@y"),
        HTML("cut", "a<b c=\"d@e", "a d@e"),
        HTML("declaration", "<!DOCTYPE html><?x y?>a<![CDATA[b<c]]>d", "ab<c]] d"),
        {"hidden",
         {MARKUP_HTML, true},
         SLICE_LITERAL("a<!-- b --><script>c</script>"),
         "a b -- c</scrip"},
        {"office",
         {MARKUP_OFFICE, false},
         SLICE_LITERAL("<w:p><w:t>ja</w:t><w:t>ne</w:t></w:p><w:p>k<w:tab/>l</w:p>"),
         "jane k l"},
        {"XML", {MARKUP_XML, false}, SLICE_LITERAL("<a x='j@k'>b</a><c>d</c>"), "j@k b d"},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wrong += split_check(cases[i].name, read_markup, &cases[i], cases[i].input,
                             slice_of(cases[i].words));
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_markup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
