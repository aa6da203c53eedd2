/* document/mail: fields, bodies and attachments of messages and mboxes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "packing.h"
#include "reading.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

#define BEGIN "From: a@d.de\r\nSubject: x\r\n"

/* RFC 2047: words of other charsets; what programs made up is no address. */
static void test_fields(void **state)
{
    (void)state;
    static const struct reading_case cases[] = {
        {.name = "several in a field, folded",
         .input = SLICE_LITERAL("From: a@d.de\nTo: B <b@d.de>,\n\t\"C, D\" <c@d.de>\n\n"),
         .expected = "a@d.de (From, line 0)\nb@d.de (To, line 0)\nc@d.de (To, line 0)\n"},
        {.name = "encoded words",
         .input = SLICE_LITERAL("From: =?utf-8?q?j=C3=B6rg=40d=2Ede?=\n"
                                "Subject: =?utf-8?b?YkA=?= =?utf-8?B?ZC5kZQ==?= = =?x\n\n"),
         .expected = "j\xc3\xb6rg@d.de (From, line 0)\nb@d.de (Subject, line 0)\n"},
        {.name = "an encoded word in Latin-1",
         .input = SLICE_LITERAL("To: x\nSubject: =?iso-8859-1?q?j=F6=40d.de?=\n\n"),
         .expected = "j\xc3\xb6@d.de (Subject, line 0)\n"},
        {.name = "made up by programs",
         .input =
             SLICE_LITERAL(BEGIN "Message-ID: <1@d.de>\r\nReferences: <2@d.de>\r\n"
                                 "In-Reply-To: <3@d.de>\r\nDKIM-Signature: i=@d.de; x=4@d.de\r\n"
                                 "Content-ID: <5@d.de>\r\n\r\n"),
         .expected = "a@d.de (From, line 0)\n"},
        {.name = "no field goes into the next",
         .input = SLICE_LITERAL("Subject: a@\nTo: d.de\n\n"),
         .expected = ""},
    };
    reading_check_all(cases, COUNT(cases));
}

/* RFC 2045, 2046: transfer encodings and charsets; pictures and keys are passed over. */
static void test_bodies(void **state)
{
    (void)state;
    static const struct reading_case cases[] = {
        {.name = "quoted-printable, in Latin-1",
         .input = SLICE_LITERAL(BEGIN "Content-Type: text/plain; charset=iso-8859-1\r\n"
                                      "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                                      "j=F6=\r\n@d.de=0Ab@=\r\nd.de\r\n"),
         .expected = "a@d.de (From, line 0)\nj\xc3\xb6@d.de (body, line 1)\n"
                     "b@d.de (body, line 2)\n"},
        {.name = "HTML in base64",
         .input = SLICE_LITERAL(BEGIN "Content-Type: text/html\r\n"
                                      "Content-Transfer-Encoding: base64\r\n\r\n"
                                      "PHA+YiYjNjQ7\r\nZC5kZTwvcD4=\r\n"),
         .expected = "a@d.de (From, line 0)\nb@d.de (body, line 1)\n"},
        {.name = "parts",
         .input = SLICE_LITERAL(BEGIN "Content-Type: multipart/mixed; boundary=\"b c\"\r\n\r\n"
                                      "preamble@d.de\r\n--b c\r\n\r\nb@d.de\r\n--b c\r\n"
                                      "Content-Type: image/png\r\n\r\nc@d.de\r\n--b c\r\n"
                                      "Content-Type: application/octet-stream; name=x.html\r\n\r\n"
                                      "<p>e&commat;d.de\r\n--b c--\r\nepilogue@d.de\r\n"),
         .expected = "a@d.de (From, line 0)\nb@d.de (part 1, line 1)\n"
                     "e@d.de (part 3 x.html, line 1)\n"},
        {.name = "a message in a message",
         .input = SLICE_LITERAL(BEGIN
                                "Content-Type: message/rfc822\r\n\r\nTo: b@d.de\r\n\r\nc@d.de\r\n"),
         .expected = "a@d.de (From, line 0)\nb@d.de (To, line 0)\nc@d.de (body, line 1)\n"},
        {.name = "without its last boundary",
         .input = SLICE_LITERAL(
             BEGIN "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nb@d.de"),
         .expected = "a@d.de (From, line 0)\nb@d.de (part 1, line 1)\n"},
        {.name = "a header without end",
         .input = SLICE_LITERAL("To: a@d.de\nSubject: b@d.de"),
         .expected = "a@d.de (To, line 0)\nb@d.de (Subject, line 0)\n"},
    };
    reading_check_all(cases, COUNT(cases));
}

/* RFC 4155 */
static void test_mboxes(void **state)
{
    (void)state;
#define FROM "From x@d.de Thu Jan  1 00:00:00 2026\n"
    static const struct reading_case cases[] = {
        {.name = "two messages",
         .input = SLICE_LITERAL(FROM "To: a@d.de\nDate: x\n\nb@d.de\n>From c@d.de 1\n\n" FROM
                                     "To: e@d.de\nDate: x\n\nFrom f@d.de 1\n"),
         .expected = "a@d.de (message 1/To, line 0)\nb@d.de (message 1/body, line 1)\n"
                     "c@d.de (message 1/body, line 2)\ne@d.de (message 2/To, line 0)\n"},
        {.name = "a multipart that never ends",
         .input = SLICE_LITERAL(FROM "To: a@d.de\nContent-Type: multipart/x; boundary=b\n\n--b\n\n"
                                     "b@d.de\n\n" FROM "To: c@d.de\nDate: x\n\n--b\ne@d.de\n"),
         .expected = "a@d.de (message 1/To, line 0)\nb@d.de (message 1/part 1, line 1)\n"
                     "c@d.de (message 2/To, line 0)\ne@d.de (message 2/body, line 2)\n"},
    };
    reading_check_all(cases, COUNT(cases));
}

/* Attachments of other kinds, in each other, up to the depth. */
static void test_attachments(void **state)
{
    (void)state;
    struct reading reading = {.limits = document_usual_limits()};
    struct buf zip;
    struct buf mail;
    buf_init(&zip, 1 << 16);
    buf_init(&mail, 1 << 16);
    const struct packing_member member = {"x.txt", SLICE_LITERAL("b@d.de")};
    packing_zip(&member, 1, &zip);
    must(buf_append(&mail, SLICE(BEGIN "Content-Type: application/zip; name=\"x.zip\"\r\n"
                                       "Content-Transfer-Encoding: binary\r\n\r\n")) == ERR_NONE);
    must(buf_append(&mail, buf_view(&zip)) == ERR_NONE);
    size_t wrong = reading_check("a ZIP archive", &reading, buf_view(&mail),
                                 "a@d.de (From, line 0)\nb@d.de (body x.zip/x.txt, line 1)\n");
    reading.limits.depth_max = 1;
    wrong += reading_check("a ZIP archive that is one too many", &reading, buf_view(&mail),
                           "a@d.de (From, line 0)\n"
                           "! body x.zip: it is packed too often; unpack it first\n");
    buf_done(&mail);
    buf_done(&zip);
    assert_int_equal(wrong, 0);
}

/* Multiparts in each other without end, a header of megabytes, a line of megabytes: read, and memory stays. */
static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct slice begin, unit, end;
        size_t units;
        const char *last;
    } cases[] = {
        {"deep", SLICE_LITERAL("Date: x\nTo: x\n"),
         SLICE_LITERAL("Content-Type: multipart/mixed; boundary=b\n\n--b\n"),
         SLICE_LITERAL("\nz@d.de\n"), 20000, ", line 1)\n"},
        {"messages in each other", SLICE_LITERAL("Date: x\nTo: x\n"),
         SLICE_LITERAL("Content-Type: message/rfc822\n\n"), SLICE_LITERAL("\nz@d.de\n"), 20000,
         "z@d.de (body, line 1)\n"},
        {"a field of megabytes", SLICE_LITERAL("Date: x\nTo: x"),
         SLICE_LITERAL(",\n x x x x x x x"), SLICE_LITERAL(", z@d.de\n\n"), 200000,
         "z@d.de (To, line 0)\n"},
        {"fields without end", SLICE_LITERAL("Date: x\n"), SLICE_LITERAL("To: x\n"),
         SLICE_LITERAL("To: z@d.de\n\n"), 200000, "z@d.de (To, line 0)\n"},
        {"a line of megabytes", SLICE_LITERAL("Date: x\nTo: x\n\n"), SLICE_LITERAL("x x x x x "),
         SLICE_LITERAL("z@d.de"), 200000, "z@d.de (body, line 1)\n"},
        {"a field's name of megabytes", SLICE_LITERAL("Date: x\nTo: x\n"),
         SLICE_LITERAL("xxxxxxxxxx"), SLICE_LITERAL(": x\n\nz@d.de"), 200000,
         "z@d.de (body, line 3)\n"},
        {"encoded words", SLICE_LITERAL("Date: x\nTo: "), SLICE_LITERAL("=?utf-8?q?x?= "),
         SLICE_LITERAL("\n\nz@d.de"), 100000, "z@d.de (body, line 1)\n"},
        {"what begins encoded words", SLICE_LITERAL("Date: x\nTo: "), SLICE_LITERAL("=?x?q?"),
         SLICE_LITERAL("\n\nz@d.de"), 200000, "z@d.de (body, line 1)\n"},
        {"boundaries", SLICE_LITERAL("Date: x\nContent-Type: multipart/x; boundary=b\n\n"),
         SLICE_LITERAL("--b\n\nx\n"), SLICE_LITERAL("z@d.de"), 100000, ", line 2)\n"},
    };
    const struct reading usual = {.wants_hidden = false};
    struct buf text;
    struct buf out;
    buf_init(&text, 16 << 20);
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        buf_clear(&text);
        buf_clear(&out);
        must(buf_append(&text, cases[i].begin) == ERR_NONE);
        for (size_t n = 0; n < cases[i].units; n++) {
            must(buf_append(&text, cases[i].unit) == ERR_NONE);
        }
        must(buf_append(&text, cases[i].end) == ERR_NONE);
        assert_int_equal(reading_run(&usual, buf_view(&text), 8192, 8192, &out), ERR_NONE);
        if (!slice_ends(buf_view(&out), slice_of(cases[i].last))) {
            fail_msg("%s: %.*s", cases[i].name, SLICE_ARG(buf_view(&out)));
        }
    }
    buf_done(&out);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),  cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_mboxes),  cmocka_unit_test(test_attachments),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
