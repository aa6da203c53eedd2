/* SPDX-License-Identifier: Apache-2.0 */
#include "heloise/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

enum { SCRATCH_BYTES = 256 };

static const struct whole_case {
    const char *name;
    struct slice bytes;
    enum err err;
    uint16_t code, line_count;
    const char *text;
} cases[] = {
    /* RFC 5321 4.2 */
    {"one line", SLICE_LITERAL("250 OK\r\n"), ERR_NONE, 250, 1, "OK"},
    {"no line end", SLICE_LITERAL("250 OK"), ERR_NONE, 250, 1, "OK"},
    {"CR only", SLICE_LITERAL("250 OK\r"), ERR_NONE, 250, 1, "OK"},
    {"LF", SLICE_LITERAL("250 OK\n"), ERR_NONE, 250, 1, "OK"},
    {"code alone", SLICE_LITERAL("250"), ERR_NONE, 250, 1, ""},
    {"code and CR", SLICE_LITERAL("250\r"), ERR_NONE, 250, 1, ""},
    {"code and space", SLICE_LITERAL("250 "), ERR_NONE, 250, 1, ""},
    /* RFC 5321 4.2.1 */
    {"lines", SLICE_LITERAL("550-5.1.1 a\n550 b"), ERR_NONE, 550, 2, "5.1.1 a\nb"},
    {"lines, last bare", SLICE_LITERAL("550-a\r\n550"), ERR_NONE, 550, 2, "a\n"},
    {"empty", SLICE_LITERAL(""), ERR_SYNTAX, 0, 0, NULL},
    {"no reply", SLICE_LITERAL("hello"), ERR_SYNTAX, 0, 0, NULL},
    {"half a code", SLICE_LITERAL("25"), ERR_SYNTAX, 0, 0, NULL},
    {"no last line", SLICE_LITERAL("550-a"), ERR_SYNTAX, 0, 0, NULL},
    {"no last line, ended", SLICE_LITERAL("550-a\r\n"), ERR_SYNTAX, 0, 0, NULL},
    {"two replies", SLICE_LITERAL("250 a\r\n250 b\r\n"), ERR_SYNTAX, 0, 0, NULL},
    {"text behind", SLICE_LITERAL("250 a\r\n\r\n"), ERR_SYNTAX, 0, 0, NULL},
};

static void reads_one_whole_reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct whole_case *row = &cases[i];
        char scratch[SCRATCH_BYTES];
        struct hel_reply reply = {.code = 1};
        enum err e = hel_reply_parse(row->bytes, scratch, sizeof scratch, &reply);
        bool is_right = e == row->err;
        if (e == ERR_NONE) {
            is_right = is_right && reply.code == row->code && reply.line_count == row->line_count &&
                       slice_equal(reply.text, slice_of(row->text));
        } else {
            is_right = is_right && reply.code == 1; /* untouched on failure */
        }
        if (!is_right) {
            fail_msg("%s: error %d, %d %.*s", row->name, (int)e, reply.code, SLICE_ARG(reply.text));
        }
    }
}

static void needs_room_for_the_text(void **state)
{
    (void)state;
    char scratch[SCRATCH_BYTES];
    struct hel_reply reply;
    assert_int_equal(hel_reply_parse(SLICE("250 OK"), scratch, 6, &reply), ERR_NONE);
    assert_int_equal(hel_reply_parse(SLICE("250 OK"), scratch, 5, &reply), ERR_SYNTAX);
}

/* The first digit says it all (RFC 5321 4.2.1). */
static void classes_come_from_the_first_digit(void **state)
{
    (void)state;
    for (unsigned code = 200; code < 600; code++) {
        const struct hel_reply reply = {.code = (uint16_t)code};
        assert_int_equal(hel_reply_is_success(&reply), code < 300);
        assert_int_equal(hel_reply_is_transient(&reply), code >= 400 && code < 500);
        assert_int_equal(hel_reply_is_permanent(&reply), code >= 500);
    }
}

static void too_much_is_no_reply(void **state)
{
    (void)state;
    static char bytes[65537], scratch[65537];
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "250 ", 4);
    struct hel_reply reply;
    struct slice text = slice_make(bytes, sizeof bytes - 1);
    assert_int_equal(hel_reply_parse(text, scratch, sizeof scratch, &reply), ERR_NONE);
    assert_false(reply.is_cut);
    assert_int_equal(reply.text.len, 65532);
    text.len++;
    assert_int_equal(hel_reply_parse(text, scratch, sizeof scratch, &reply), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_one_whole_reply),
        cmocka_unit_test(needs_room_for_the_text),
        cmocka_unit_test(classes_come_from_the_first_digit),
        cmocka_unit_test(too_much_is_no_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
