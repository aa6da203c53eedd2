/* Which paths are sent, and how (RFC 5321 4.1.1.2, 4.1.1.3, 4.1.2).
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"
#include "ready.h"

static const struct path_case {
    const char *name;
    struct slice path;
    bool is_safe;
} paths[] = {
    {"plain", SLICE_LITERAL("a@b.example"), true},
    {"bare postmaster", SLICE_LITERAL("Postmaster"), true}, /* RFC 5321 4.5.1 */
    {"address literal", SLICE_LITERAL("a@[192.0.2.1]"), true},
    {"source route", SLICE_LITERAL("@x.example:a@b.example"), true},
    {"specials", SLICE_LITERAL("!#$%&'*+-/=?^_`{|}~@b.example"), true},
    {"8-bit", SLICE_LITERAL("\xc3\xb6@b.example"), true},
    {"quoted", SLICE_LITERAL("\"a b\"@c.example"), true},
    {"quoted brackets", SLICE_LITERAL("\"<>\"@c.example"), true},
    {"quoted quote", SLICE_LITERAL("\"\\\"\"@c.example"), true},
    {"quoted backslash", SLICE_LITERAL("\"\\\\\"@c.example"), true},
    {"backslash unquoted", SLICE_LITERAL("a\\b@c.example"), true},
    {"CR", SLICE_LITERAL("a\r@b.example"), false},
    {"LF", SLICE_LITERAL("a\n@b.example"), false},
    {"NUL", SLICE_LITERAL("a\0@b.example"), false},
    {"TAB", SLICE_LITERAL("a\t@b.example"), false},
    {"ESC", SLICE_LITERAL("a\x1b@b.example"), false},
    {"DEL", SLICE_LITERAL("a\x7f@b.example"), false},
    {"a second command", SLICE_LITERAL("a@b.example>\r\nRCPT TO:<c@d.example"), false},
    {"a parameter", SLICE_LITERAL("a@b.example> SIZE=1"), false},
    {"opening bracket", SLICE_LITERAL("<a@b.example"), false},
    {"closing bracket", SLICE_LITERAL("a@b.example>"), false},
    {"space", SLICE_LITERAL("a b@c.example"), false},
    {"open quote", SLICE_LITERAL("\"a@b.example"), false},
    {"open quote by a pair", SLICE_LITERAL("\"a\\\"@b.example"), false},
    {"backslash at the end", SLICE_LITERAL("\"a\\"), false},
    {"quoted LF", SLICE_LITERAL("\"a\n\"@b.example"), false},
    {"quoted pair of LF", SLICE_LITERAL("\"a\\\n\"@b.example"), false},
    {"quoted pair of NUL", SLICE_LITERAL("\"a\\\0\"@b.example"), false},
    {"quoted pair of DEL", SLICE_LITERAL("\"a\\\x7f\"@b.example"), false},
    {"space behind a quoted part", SLICE_LITERAL("\"a\" @b.example"), false},
};

static void expect_sent(struct hel_smtp_client *client, const struct path_case *row,
                        const char *verb, enum err e)
{
    struct buf line;
    buf_init(&line, 4096);
    if (row->is_safe) {
        assert_int_equal(buf_printf(&line, "%s:<%.*s>\r\n", verb, SLICE_ARG(row->path)), ERR_NONE);
    }
    struct slice sent = ready_sent(client);
    if (e != (row->is_safe ? ERR_NONE : ERR_SYNTAX) || !slice_equal(sent, buf_view(&line))) {
        fail_msg("%s, %s: error %d, sent \"%.*s\"", row->name, verb, (int)e, SLICE_ARG(sent));
    }
    buf_done(&line);
    if (row->is_safe) {
        assert_int_equal(ready_event(client, "250 ok\r\n").tag, 7);
    }
}

static void paths_cannot_leave_their_brackets(void **state)
{
    (void)state;
    struct hel_smtp_client *client = ready_client("");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const struct hel_smtp_mail mail = {.reverse_path = paths[i].path};
        expect_sent(client, &paths[i], "MAIL FROM", hel_smtp_client_mail(client, 7, &mail));
        enum err e = hel_smtp_client_rcpt(client, 7, paths[i].path);
        expect_sent(client, &paths[i], "RCPT TO", e);
    }
    hel_smtp_client_free(client);
}

/* Whatever its place: paths are looked at by several bytes together. */
static void each_byte_of_a_path_is_looked_at(void **state)
{
    (void)state;
    struct hel_smtp_client *client = ready_client("");
    for (size_t len = 1; len <= 20; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char path[20];
                memset(path, 'a', sizeof path);
                path[at] = (char)byte;
                bool is_safe =
                    byte > ' ' && byte != 0x7f && byte != '<' && byte != '>' && byte != '"';
                struct path_case row = {"a byte", slice_make(path, len), is_safe};
                enum err e = hel_smtp_client_rcpt(client, 7, row.path);
                expect_sent(client, &row, "RCPT TO", e);
            }
        }
    }
    hel_smtp_client_free(client);
}

static void long_paths(void **state)
{
    (void)state;
    static char bytes[1025];
    memset(bytes, 'a', sizeof bytes);
    struct hel_smtp_client *client = ready_client("");
    assert_int_equal(hel_smtp_client_rcpt(client, 1, slice_make(bytes, 1025)), ERR_SYNTAX);
    assert_int_equal(hel_smtp_client_rcpt(client, 1, slice_make(bytes, 1024)), ERR_NONE);
    assert_int_equal(ready_sent(client).len, 1024 + strlen("RCPT TO:<>\r\n"));
    hel_smtp_client_free(client);
}

/* RFC 5321 4.5.5: the null sender; there is no null recipient. */
static void empty_paths(void **state)
{
    (void)state;
    struct hel_smtp_client *client = ready_client("");
    const struct hel_smtp_mail mail = {.reverse_path = SLICE_NONE};
    assert_int_equal(hel_smtp_client_rcpt(client, 1, SLICE_NONE), ERR_SYNTAX);
    assert_int_equal(hel_smtp_client_mail(client, 1, &mail), ERR_NONE);
    assert_true(slice_equal(ready_sent(client), SLICE("MAIL FROM:<>\r\n")));
    hel_smtp_client_free(client);
}

/* Parameters only where they are offered (RFC 1870 3, 6152 2, 6531 3.4). */
static void parameters(void **state)
{
    (void)state;
    static const struct {
        const char *name, *offer;
        struct hel_smtp_mail mail;
        enum err err;
        const char *line;
    } cases[] = {
        {"size", "250 SIZE\r\n", {.size = 1}, ERR_NONE, "MAIL FROM:<a@b> SIZE=1\r\n"},
        {"greatest size",
         "250 SIZE\r\n",
         {.size = UINT64_MAX},
         ERR_NONE,
         "MAIL FROM:<a@b> SIZE=18446744073709551615\r\n"},
        {"size not offered", "", {.size = 1}, ERR_NONE, "MAIL FROM:<a@b>\r\n"},
        {"8-bit",
         "250 8BITMIME\r\n",
         {.body_8bitmime = true},
         ERR_NONE,
         "MAIL FROM:<a@b> BODY=8BITMIME\r\n"},
        {"8-bit not offered", "250 SIZE\r\n", {.body_8bitmime = true}, ERR_STATE, ""},
        {"UTF-8", "250 SMTPUTF8\r\n", {.smtputf8 = true}, ERR_NONE, "MAIL FROM:<a@b> SMTPUTF8\r\n"},
        {"UTF-8 not offered", "250 8BITMIME\r\n", {.smtputf8 = true}, ERR_STATE, ""},
        {"all",
         "250-SIZE\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
         {.size = 20, .smtputf8 = true, .body_8bitmime = true},
         ERR_NONE,
         "MAIL FROM:<a@b> BODY=8BITMIME SMTPUTF8 SIZE=20\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hel_smtp_client *client = ready_client(cases[i].offer);
        struct hel_smtp_mail mail = cases[i].mail;
        mail.reverse_path = SLICE("a@b");
        enum err e = hel_smtp_client_mail(client, 1, &mail);
        struct slice sent = ready_sent(client);
        if (e != cases[i].err || !slice_equal(sent, slice_of(cases[i].line))) {
            fail_msg("%s: error %d, \"%.*s\"", cases[i].name, (int)e, SLICE_ARG(sent));
        }
        hel_smtp_client_free(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_cannot_leave_their_brackets),
        cmocka_unit_test(each_byte_of_a_path_is_looked_at),
        cmocka_unit_test(long_paths),
        cmocka_unit_test(empty_paths),
        cmocka_unit_test(parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
