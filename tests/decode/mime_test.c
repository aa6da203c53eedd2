/* decode/mime: fields and parts of mail, however it is cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/mime.h"

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

struct mime_case {
    const char *name;
    bool is_mbox;
    struct slice input;
    const char *
        expected; /* "F name=value;", "P message path type charset file transfer;", "B body;", "E;" */
};

static void put_event(const struct mime_event *event, bool *is_in_body, struct buf *out)
{
    const struct mime_part *part = &event->part;
    if (*is_in_body && event->kind != MIME_EVENT_BODY) {
        *is_in_body = false;
        must(buf_append(out, SLICE(";")) == ERR_NONE);
    }
    switch (event->kind) {
    case MIME_EVENT_FIELD:
        must(buf_printf(out, "F %.*s=%.*s;", SLICE_ARG(event->name), SLICE_ARG(event->value)) ==
             ERR_NONE);
        break;
    case MIME_EVENT_PART:
        must(buf_printf(out, "P %d %.*s %.*s %.*s %.*s %d;", (int)part->message,
                        SLICE_ARG(part->path), SLICE_ARG(part->type), SLICE_ARG(part->charset),
                        SLICE_ARG(part->file_name), (int)part->transfer) == ERR_NONE);
        break;
    case MIME_EVENT_BODY:
        must(buf_printf(out, "%s%.*s", *is_in_body ? "" : "B ", SLICE_ARG(event->body)) ==
             ERR_NONE);
        *is_in_body = true;
        break;
    case MIME_EVENT_END: must(buf_append(out, SLICE("E;")) == ERR_NONE); break;
    }
}

static void take_events(struct mime *mime, bool *is_in_body, struct buf *out)
{
    struct mime_event event;
    bool is_event = true;
    while (is_event) {
        must(mime_next(mime, &event, &is_event) == ERR_NONE);
        if (is_event) {
            put_event(&event, is_in_body, out);
        }
    }
}

static void read_mail(const void *how, struct slice input, size_t first, size_t step,
                      struct buf *out)
{
    const struct mime_case *c = how;
    struct mime *mime = NULL;
    bool is_in_body = false;
    must(mime_new(c->is_mbox, &mime) == ERR_NONE);
    for (size_t at = 0; at < input.len;) {
        struct slice piece;
        char *copy = split_piece(input, &at, first, step, &piece);
        mime_feed(mime, piece);
        take_events(mime, &is_in_body, out);
        free(copy);
    }
    mime_end(mime);
    take_events(mime, &is_in_body, out);
    mime_free(mime);
}

static const struct mime_case cases[] = {
    {"one", false, SLICE_LITERAL("From: a\r\n\tb\r\nTO : c\r\n\r\nd\r\ne"),
     "F From=a\tb;F TO=c;P 1     0;B d\r\ne;E;"},
    {"header alone", false, SLICE_LITERAL("A: b\nC: d"), "F A=b;F C=d;"},
    {"no empty line", false, SLICE_LITERAL("A: b\nwithout a colon\nC: d\n"),
     "F A=b;P 1     0;B without a colon\nC: d\n;E;"},
    /* RFC 2046 5.1 */
    {"multipart", false,
     SLICE_LITERAL("Content-Type: multipart/mixed; boundary=\"x y\"\n\npreamble\n--x "
                   "y\nContent-Type: TEXT/HTML;charset=\"u\\\"8\"\n"
                   "Content-Transfer-Encoding: BASE64\n\na\n--x yz\n--x y\nContent-Disposition: "
                   "attachment; filename*0=f;x=y\n\nb\n"
                   "--x y--\nepilogue\n"),
     "F Content-Type=multipart/mixed; boundary=\"x y\";F Content-Type=TEXT/HTML;charset=\"u\\\"8\";"
     "F Content-Transfer-Encoding=BASE64;P 1 1 text/html u\"8  2;B a\n--x yz\n;E;"
     "F Content-Disposition=attachment; filename*0=f;x=y;P 1 2   f 0;B b\n;E;"},
    {"nested, with a message", false,
     SLICE_LITERAL(
         "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\nS: 1\n"
         "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--a\n\ny\n--a--\n"),
     "F Content-Type=multipart/mixed; boundary=a;F Content-Type=message/rfc822;F S=1;"
     "F Content-Type=multipart/alternative; boundary=b;P 1 1.1    0;B x\n;E;P 1 2    0;B y\n;E;"},
    {"digest", false,
     SLICE_LITERAL("Content-Type: multipart/digest; boundary=a\n\n--a\n\nS: 1\n\nx\n--a--\n"),
     "F Content-Type=multipart/digest; boundary=a;F S=1;P 1 1    0;B x\n;E;"},
    {"part without body", false,
     SLICE_LITERAL("Content-Type: multipart/x; boundary=a\n\n--a\nA: b\n--a--\n"),
     "F Content-Type=multipart/x; boundary=a;F A=b;"},
    /* RFC 4155 */
    {"mbox", true,
     SLICE_LITERAL("From a 1\nA: b\n\nc\nFrom here\n\nFrom here\n>From x\n\nFrom d 2\nE: f\n\ng\n"),
     "F A=b;P 1     0;B c\nFrom here\n\nFrom here\n>From x\n\n;E;F E=f;P 2     0;B g\n;E;"},
};

static void test_mime(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wrong += split_check(cases[i].name, read_mail, &cases[i], cases[i].input,
                             slice_of(cases[i].expected));
    }
    assert_int_equal(wrong, 0);
}

/* A field of megabytes is told in pieces, a line of megabytes too; multiparts in each other end somewhere. */
static void test_ceilings(void **state)
{
    (void)state;
    struct buf text;
    struct buf out;
    buf_init(&text, 4 << 20);
    buf_init(&out, 8 << 20);
    must(buf_append(&text, SLICE("To: x")) == ERR_NONE);
    for (int i = 0; i < 40000; i++) {
        must(buf_append(&text, SLICE(",\n jane@example.com")) == ERR_NONE);
    }
    must(buf_append(&text, SLICE("\n\n")) == ERR_NONE);
    for (int i = 0; i < 200000; i++) {
        must(buf_append(&text, SLICE("joe@example.com ")) == ERR_NONE);
    }
    const struct mime_case none = {.is_mbox = false};
    read_mail(&none, buf_view(&text), 65536, 65536, &out);
    size_t signs = 0;
    for (size_t i = 0; i < out.len; i++) {
        signs += out.at[i] == '@' ? 1 : 0;
    }
    assert_int_equal(signs, 240000);
    buf_clear(&text);
    buf_clear(&out);
    for (int i = 0; i < 100; i++) {
        must(buf_printf(&text, "Content-Type: multipart/x; boundary=b%d\n\n--b%d\n", i, i) ==
             ERR_NONE);
    }
    read_mail(&none, buf_view(&text), 100, 100, &out);
    assert_true(slice_ends(buf_view(&out), SLICE("E;")));
    buf_done(&text);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mime),
                                       cmocka_unit_test(test_ceilings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
