/* Each row is fed whole, byte by byte and cut in two at every place; all must give the same replies.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"
#include "smtp/reply_private.h"

enum { KEPT_BYTES = 64, LOG_BYTES_MAX = 1 << 20 };

/* `replies` is the log that the bytes give: for each reply its code, enhanced code, lines, marks and
 * text (LF shown as '|'); at the end what is left: "more" or "broken", nothing after a whole reply. */
static const struct parser_case {
    const char *name;
    struct slice bytes;
    const char *replies;
} cases[] = {
    {"nothing", SLICE_LITERAL(""), ""},
    /* RFC 5321 4.2: code, space, text, CRLF */
    {"one line", SLICE_LITERAL("250 OK\r\n"), "250 0.0.0 1 [OK]"},
    {"enhanced", SLICE_LITERAL("550 5.1.1 No\r\n"), "550 5.1.1 1 [5.1.1 No]"},
    {"two replies", SLICE_LITERAL("250 a\r\n354 b\r\n"), "250 0.0.0 1 [a]354 0.0.0 1 [b]"},
    {"lowest", SLICE_LITERAL("200 a\r\n"), "200 0.0.0 1 [a]"},
    {"highest", SLICE_LITERAL("599 a\r\n"), "599 0.0.0 1 [a]"},
    /* RFC 5321 4.2.1: several lines */
    {"lines", SLICE_LITERAL("250-a\r\n250-b\r\n250 c\r\n"), "250 0.0.0 3 [a|b|c]"},
    {"lines without text", SLICE_LITERAL("250-\r\n250-\r\n250 \r\n"), "250 0.0.0 3 [||]"},
    {"last line bare", SLICE_LITERAL("250-a\r\n250\r\n"), "250 0.0.0 2 [a|]"},
    {"first line bare", SLICE_LITERAL("250\r\n250 b\r\n"), "250 0.0.0 1 []250 0.0.0 1 [b]"},
    {"mixed codes", SLICE_LITERAL("550-a\r\n250 b\r\n"), "250 0.0.0 2 mixed [a|b]"},
    {"mixed, last as first", SLICE_LITERAL("550-a\r\n450-b\r\n550 c\r\n"),
     "550 0.0.0 3 mixed [a|b|c]"},
    {"enhanced in each line", SLICE_LITERAL("550-5.1.1 a\r\n550 5.2.2 b\r\n"),
     "550 5.1.1 2 [5.1.1 a|5.2.2 b]"},
    {"enhanced in the second", SLICE_LITERAL("550-a\r\n550 5.2.2 b\r\n"),
     "550 5.2.2 2 [a|5.2.2 b]"},
    {"no end", SLICE_LITERAL("250-a\r\n250-b\r\n"), "more"},
    {"cut in the code", SLICE_LITERAL("250-a\r\n25"), "more"},
    {"cut before LF", SLICE_LITERAL("250 a\r"), "more"},
    {"no line end", SLICE_LITERAL("250 a"), "more"},
    /* RFC 5321 4.2: the text may be missing, and so may the space */
    {"code alone", SLICE_LITERAL("250\r\n"), "250 0.0.0 1 []"},
    {"code and space", SLICE_LITERAL("250 \r\n"), "250 0.0.0 1 []"},
    {"code alone, LF", SLICE_LITERAL("250\n"), "250 0.0.0 1 []"},
    {"tab for space", SLICE_LITERAL("250\tOK\r\n"), "250 0.0.0 1 [OK]"},
    {"more spaces", SLICE_LITERAL("250   OK  \r\n"), "250 0.0.0 1 [  OK  ]"},
    {"dash in text", SLICE_LITERAL("250 -\r\n"), "250 0.0.0 1 [-]"},
    {"two dashes", SLICE_LITERAL("250--a\r\n250 b\r\n"), "250 0.0.0 2 [-a|b]"},
    {"a code as text", SLICE_LITERAL("250-250 a\r\n250 550-b\r\n"), "250 0.0.0 2 [250 a|550-b]"},
    {"text at once", SLICE_LITERAL("250OK\r\n"), "broken"},
    {"four digits", SLICE_LITERAL("2500 OK\r\n"), "broken"},
    {"colon", SLICE_LITERAL("250: OK\r\n"), "broken"},
    /* Line ends (RFC 5321 2.3.8 asks for CRLF; LF alone is met) */
    {"bare LF", SLICE_LITERAL("250-a\n250 b\n"), "250 0.0.0 2 [a|b]"},
    {"mixed ends", SLICE_LITERAL("250-a\r\n250-b\n250 c\r\n"), "250 0.0.0 3 [a|b|c]"},
    {"two CR", SLICE_LITERAL("250 a\r\r\n"), "250 0.0.0 1 [a\r]"},
    {"two CR, no text", SLICE_LITERAL("250\r\r\n"), "250 0.0.0 1 []"},
    {"CR in text", SLICE_LITERAL("250 a\rb\r\n"), "250 0.0.0 1 [a\rb]"},
    {"CR is no line end", SLICE_LITERAL("250 a\r250 b\r\n"), "250 0.0.0 1 [a\r250 b]"},
    {"CR before text", SLICE_LITERAL("250 \ra\r\n"), "250 0.0.0 1 [\ra]"},
    {"CR before a dash", SLICE_LITERAL("250\r-a\r\n"), "broken"},
    {"CR before a space", SLICE_LITERAL("250\r a\r\n"), "broken"},
    {"CR, then a letter", SLICE_LITERAL("250\ra\r\n"), "broken"},
    /* Bytes of all kinds */
    {"NUL in text", SLICE_LITERAL("250 a\0b\r\n"), "250 0.0.0 1 [a\\0b]"},
    {"NUL in the code", SLICE_LITERAL("25\0 a\r\n"), "broken"},
    {"NUL as separator", SLICE_LITERAL("250\0a\r\n"), "broken"},
    {"8-bit text", SLICE_LITERAL("550 \xd1\xf2\xee\xef \xff\x80\r\n"),
     "550 0.0.0 1 [\xd1\xf2\xee\xef \xff\x80]"},
    {"UTF-8", SLICE_LITERAL("550 5.1.1 gibt\xc2\xa0 es nicht \xe2\x80\xae\r\n"),
     "550 5.1.1 1 [5.1.1 gibt\xc2\xa0 es nicht \xe2\x80\xae]"},
    {"8-bit digit", SLICE_LITERAL("\xb2\xb5\xb0 a\r\n"), "broken"},
    /* Not SMTP */
    {"other words", SLICE_LITERAL("HTTP/1.1 400 Bad Request\r\n"), "broken"},
    {"echo", SLICE_LITERAL("EHLO us.example\r\n"), "broken"},
    {"TLS record", SLICE_LITERAL("\x15\x03\x01\x00\x02\x02\x46"), "broken"},
    {"SSH", SLICE_LITERAL("SSH-2.0-x\r\n"), "broken"},
    {"POP3", SLICE_LITERAL("+OK ready\r\n"), "broken"},
    {"IMAP", SLICE_LITERAL("* OK ready\r\n"), "broken"},
    {"empty line", SLICE_LITERAL("\r\n"), "broken"},
    {"space first", SLICE_LITERAL(" 250 a\r\n"), "broken"},
    {"class 1", SLICE_LITERAL("199 a\r\n"), "broken"},
    {"class 6", SLICE_LITERAL("600 a\r\n"), "broken"},
    {"class 0", SLICE_LITERAL("000 a\r\n"), "broken"},
    {"two digits", SLICE_LITERAL("25 a\r\n"), "broken"},
    {"minus", SLICE_LITERAL("-50 a\r\n"), "broken"},
    {"garbage behind a reply", SLICE_LITERAL("250 a\r\nxyz\r\n"), "250 0.0.0 1 [a]broken"},
    {"garbage between lines", SLICE_LITERAL("250-a\r\nxyz\r\n250 b\r\n"), "broken"},
    {"continued without a code", SLICE_LITERAL("250-a\r\n b\r\n250 c\r\n"), "broken"},
};

static void log_reply(struct buf *log, const struct hel_reply *reply)
{
    enum err e = buf_printf(log, "%d %d.%d.%d %d%s%s [", reply->code, reply->enhanced.class_digit,
                            reply->enhanced.subject, reply->enhanced.detail, reply->line_count,
                            reply->has_mixed_codes ? " mixed" : "", reply->is_cut ? " cut" : "");
    assert_int_equal(e, ERR_NONE);
    for (size_t i = 0; i < reply->text.len; i++) {
        char byte = reply->text.at[i] == '\n' ? '|' : reply->text.at[i];
        e = byte == '\0' ? buf_append(log, SLICE("\\0")) : buf_append_byte(log, byte);
        assert_int_equal(e, ERR_NONE);
    }
    assert_int_equal(buf_append_byte(log, ']'), ERR_NONE);
}

struct run {
    struct hel_reply_parser *parser;
    struct buf log;
    bool takes_lines;          /* replies of one line in one piece, without feeding them */
    bool is_broken, is_inside; /* of a reply */
};

static enum hel_reply_status take_or_feed(struct run *run, struct slice bytes, size_t *used,
                                          struct hel_reply *reply)
{
    if (run->takes_lines && reply_parser_take_line(run->parser, bytes, reply)) {
        *used = bytes.len;
        return HEL_REPLY_DONE;
    }
    return hel_reply_parser_feed(run->parser, bytes, used, reply);
}

static void feed_piece(struct run *run, struct slice piece)
{
    while (piece.len > 0 && !run->is_broken) {
        /* A block of its own size, so that a sanitizer sees a read past its end. */
        char *exact = malloc(piece.len);
        assert_non_null(exact);
        memcpy(exact, piece.at, piece.len);
        size_t used = SIZE_MAX;
        struct hel_reply reply;
        enum hel_reply_status status =
            take_or_feed(run, slice_make(exact, piece.len), &used, &reply);
        assert_true(used <= piece.len);
        assert_true(status != HEL_REPLY_MORE || used == piece.len);
        run->is_inside = status == HEL_REPLY_MORE;
        run->is_broken = status == HEL_REPLY_BROKEN;
        if (status == HEL_REPLY_DONE) {
            assert_true(used > 0);
            log_reply(&run->log, &reply);
        }
        free(exact);
        piece = slice_sub(piece, used, piece.len);
    }
}

/* Fed in pieces of `step` bytes after a first one of `first`. The text is the caller's. */
static char *run_in_pieces(struct slice bytes, size_t kept, size_t first, size_t step,
                           bool takes_lines)
{
    struct run run = {.takes_lines = takes_lines};
    assert_int_equal(hel_reply_parser_new(kept, &run.parser), ERR_NONE);
    buf_init(&run.log, LOG_BYTES_MAX);
    feed_piece(&run, slice_sub(bytes, 0, first));
    for (size_t at = first; at < bytes.len; at += step) {
        feed_piece(&run, slice_sub(bytes, at, at + step));
    }
    const char *end = run.is_broken ? "broken" : (run.is_inside ? "more" : "");
    assert_int_equal(buf_append(&run.log, slice_of(end)), ERR_NONE);
    hel_reply_parser_free(run.parser);
    char *text = buf_take_text(&run.log);
    assert_non_null(text);
    return text;
}

static void expect(const char *name, struct slice bytes, size_t kept, size_t first, size_t step,
                   const char *expected)
{
    for (int takes_lines = 0; takes_lines <= 1; takes_lines++) {
        char *got = run_in_pieces(bytes, kept, first, step, takes_lines != 0);
        if (strcmp(got, expected) != 0) {
            fail_msg("%s, cut at %zu: \"%s\" instead of \"%s\"", name, first, got, expected);
        }
        free(got);
    }
}

static void expect_in_all_pieces(const char *name, struct slice bytes, size_t kept,
                                 const char *expected)
{
    expect(name, bytes, kept, bytes.len, 1, expected);
    expect(name, bytes, kept, 0, 1, expected);
    for (size_t cut = 1; cut < bytes.len; cut++) {
        expect(name, bytes, kept, cut, bytes.len, expected);
    }
}

static void pieces_do_not_matter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_in_all_pieces(cases[i].name, cases[i].bytes, KEPT_BYTES, cases[i].replies);
    }
}

/* What is kept is bounded by bytes_max; what is thrown away is marked. */
static void long_text_is_cut_and_marked(void **state)
{
    (void)state;
    static const struct parser_case rows[] = {
        {"fits exactly", SLICE_LITERAL("250 12345678\r\n"), "250 0.0.0 1 [12345678]"},
        {"fits exactly, LF", SLICE_LITERAL("250 12345678\n"), "250 0.0.0 1 [12345678]"},
        {"one too many", SLICE_LITERAL("250 123456789\r\n"), "250 0.0.0 1 cut [12345678]"},
        {"CR inside the cut", SLICE_LITERAL("250 1234567\r9\r\n"), "250 0.0.0 1 cut [1234567\r]"},
        {"second line cut", SLICE_LITERAL("250-1234\r\n250 5678\r\n"),
         "250 0.0.0 2 cut [1234|567]"},
        {"no room for the second", SLICE_LITERAL("250-12345678\r\n250 9\r\n"),
         "250 0.0.0 2 cut [12345678]"},
        {"no room for an empty second", SLICE_LITERAL("250-12345678\r\n250\r\n"),
         "250 0.0.0 2 cut [12345678]"},
        {"room for an empty second", SLICE_LITERAL("250-1234567\r\n250\r\n"),
         "250 0.0.0 2 [1234567|]"},
        {"the code counts behind the cut", SLICE_LITERAL("250-123456789\r\n550 x\r\n"),
         "550 0.0.0 2 mixed cut [12345678]"},
        {"a cut code is no code", SLICE_LITERAL("550 5.1.1000 x\r\n"),
         "550 0.0.0 1 cut [5.1.1000]"},
        {"half a code is no code", SLICE_LITERAL("550 #5.7.133 x\r\n"),
         "550 0.0.0 1 cut [#5.7.133]"},
        {"a code cut short is none", SLICE_LITERAL("550-1\r\n550 5.7.133 x\r\n"),
         "550 0.0.0 2 cut [1|5.7.13]"},
        {"the next reply is whole", SLICE_LITERAL("250 123456789\r\n250 a\r\n"),
         "250 0.0.0 1 cut [12345678]250 0.0.0 1 [a]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect_in_all_pieces(rows[i].name, rows[i].bytes, 8, rows[i].replies);
    }
}

static struct slice repeat(struct buf *out, struct slice head, struct slice unit, size_t times)
{
    buf_init(out, 1 << 20);
    assert_int_equal(buf_append(out, head), ERR_NONE);
    for (size_t i = 0; i < times; i++) {
        assert_int_equal(buf_append(out, unit), ERR_NONE);
    }
    return buf_view(out);
}

/* RFC 5321 4.5.3.1.5 allows 512 octets a line; what never ends is given up. */
static void endless_replies_are_given_up(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct slice head, unit;
        size_t times;
        const char *tail, *log_start;
    } rows[] = {
        {"a line of 4 KB", SLICE_LITERAL("250 "), SLICE_LITERAL("x"), 4096, "\r\n",
         "250 0.0.0 1 cut [xxxx"},
        {"a line of 60 KB", SLICE_LITERAL("250 "), SLICE_LITERAL("x"), 60000, "\r\n",
         "250 0.0.0 1 cut [xxxx"},
        {"a line of 70 KB", SLICE_LITERAL("250 "), SLICE_LITERAL("x"), 70000, "\r\n", "broken"},
        {"a line without end", SLICE_LITERAL("250 "), SLICE_LITERAL("x"), 70000, "", "broken"},
        {"CR without end", SLICE_LITERAL("250 "), SLICE_LITERAL("\r"), 70000, "", "broken"},
        {"CR instead of text", SLICE_LITERAL("250"), SLICE_LITERAL("\r"), 70000, "", "broken"},
        {"1000 lines", SLICE_LITERAL(""), SLICE_LITERAL("250-\r\n"), 999, "250 \r\n",
         "250 0.0.0 1000 cut [||||"},
        {"too many lines", SLICE_LITERAL(""), SLICE_LITERAL("250-\r\n"), 20000, "250 \r\n",
         "broken"},
        {"too many short lines", SLICE_LITERAL(""), SLICE_LITERAL("250-\n"), 20000, "", "broken"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf bytes;
        (void)repeat(&bytes, rows[i].head, rows[i].unit, rows[i].times);
        assert_int_equal(buf_append(&bytes, slice_of(rows[i].tail)), ERR_NONE);
        size_t steps[] = {bytes.len, 1, 7, 4096};
        for (size_t j = 0; j < sizeof steps / sizeof *steps; j++) {
            char *got = run_in_pieces(buf_view(&bytes), KEPT_BYTES, 0, steps[j], j % 2 == 0);
            if (strncmp(got, rows[i].log_start, strlen(rows[i].log_start)) != 0) {
                fail_msg("%s by %zu: \"%.40s\"", rows[i].name, steps[j], got);
            }
            free(got);
        }
        buf_done(&bytes);
    }
}

/* The ceiling is for one reply, not for a conversation. */
static void many_replies_are_no_long_reply(void **state)
{
    (void)state;
    struct buf bytes;
    (void)repeat(&bytes, SLICE(""), SLICE("250 ok\r\n"), 20000);
    char *got = run_in_pieces(buf_view(&bytes), KEPT_BYTES, 0, bytes.len, true);
    assert_int_equal(strlen(got), 20000 * strlen("250 0.0.0 1 [ok]"));
    free(got);
    buf_done(&bytes);
}

static void reset_forgets_everything(void **state)
{
    (void)state;
    static const char *const before[] = {
        "", "2", "250-5.1.1 a\r\n550-b\r\n45", "250 ab", "250 ab\r", "250\r", "xyz", "250 ok\r\n",
    };
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        struct run run = {.parser = NULL};
        assert_int_equal(hel_reply_parser_new(KEPT_BYTES, &run.parser), ERR_NONE);
        buf_init(&run.log, LOG_BYTES_MAX);
        feed_piece(&run, slice_of(before[i]));
        hel_reply_parser_reset(run.parser);
        run.is_broken = false;
        buf_clear(&run.log);
        feed_piece(&run, SLICE("354 go\r\n"));
        assert_true(slice_equal(buf_view(&run.log), SLICE("354 0.0.0 1 [go]")));
        buf_done(&run.log);
        hel_reply_parser_free(run.parser);
    }
    hel_reply_parser_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(long_text_is_cut_and_marked),
        cmocka_unit_test(endless_replies_are_given_up),
        cmocka_unit_test(many_replies_are_no_long_reply),
        cmocka_unit_test(reset_forgets_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
