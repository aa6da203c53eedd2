/* The canonical forms: the examples of RFC 6376 3.4.5 and rows of our own, cut at every place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim_canon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

enum { TEXT_BYTES = 1024, NO_LIMIT = -1 };

static enum err append(void *to, struct slice bytes)
{
    return buf_append(to, bytes);
}

/* RFC 6376 3.4.1, 3.4.2 */
static void fields_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *field, *relaxed;
    } rows[] = {
        {"A: X\r\n", "a:X"},
        {"B : Y\t\r\n\tZ  \r\n", "b:Y Z"},
        {"SUBJect: AbC\r\n", "subject:AbC"},
        {"A:\r\n", "a:"},
        {"A: \t \r\n", "a:"},
        {"A:\r\n b\r\n", "a:b"},
        {"A: a:  b\r\n\t\r\n c\r\n", "a:a: b c"},
        {"A: b \r\n", "a:b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message_header header;
        struct slice bytes = slice_of(rows[i].field);
        struct buf text;
        message_header_init(&header);
        buf_init(&text, TEXT_BYTES);
        assert_int_equal(message_header_feed(&header, &bytes), ERR_NONE);
        assert_int_equal(message_header_finish(&header), ERR_NONE);
        assert_int_equal(dkim_field_write(&header.fields[0], DKIM_RELAXED, append, &text),
                         ERR_NONE);
        assert_true(slice_equal(buf_view(&text), slice_of(rows[i].relaxed)));
        buf_clear(&text);
        assert_int_equal(dkim_field_write(&header.fields[0], DKIM_SIMPLE, append, &text), ERR_NONE);
        assert_int_equal(buf_append(&text, SLICE("\r\n")), ERR_NONE);
        assert_true(slice_equal(buf_view(&text), slice_of(rows[i].field)));
        buf_done(&text);
        message_header_done(&header);
    }
}

/* RFC 6376 3.4.3, 3.4.4, 3.4.5 */
static const struct {
    const char *body, *simple, *relaxed;
    int limit;
} bodies[] = {
    {" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n", NO_LIMIT},
    {"", "\r\n", "", NO_LIMIT},
    {"\r\n", "\r\n", "", NO_LIMIT},
    {"\r\n\r\n\r\n", "\r\n", "", NO_LIMIT},
    {" ", " \r\n", "", NO_LIMIT},
    {" \r\n\t\r\n", " \r\n\t\r\n", "", NO_LIMIT},
    {"a", "a\r\n", "a\r\n", NO_LIMIT},
    {"a\r\n", "a\r\n", "a\r\n", NO_LIMIT},
    {"a \t\r\n", "a \t\r\n", "a\r\n", NO_LIMIT},
    {"\r\n\r\na", "\r\n\r\na\r\n", "\r\n\r\na\r\n", NO_LIMIT},
    {"a\r\n \r\nb\r\n", "a\r\n \r\nb\r\n", "a\r\n\r\nb\r\n", NO_LIMIT},
    {"a\n\nb\n\n", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n", NO_LIMIT},
    {"a\rb\r\n", "a\rb\r\n", "a\rb\r\n", NO_LIMIT},
    {"a\r\r\n", "a\r\r\n", "a\r\r\n", NO_LIMIT},
    {"a \rb", "a \rb\r\n", "a \rb\r\n", NO_LIMIT},
    {"a\r", "a\r\r\n", "a\r\r\n", NO_LIMIT},
    {"\r", "\r\r\n", "\r\r\n", NO_LIMIT},
    {"  a", "  a\r\n", " a\r\n", NO_LIMIT},
    {"abc\r\ndef\r\n", "abc\r", "abc\r", 4},
    {"abc\r\ndef\r\n", "", "", 0},
    {"a\r\n\r\n\r\nb", "a\r\n\r", "a\r\n\r", 4},
    {"a\r\n", "a\r\n", "a\r\n", 100},
};

static void check(size_t row, enum dkim_canon canon, size_t from, size_t to)
{
    struct dkim_body body;
    struct buf text;
    struct slice all = slice_of(bodies[row].body);
    struct slice wanted = slice_of(canon == DKIM_SIMPLE ? bodies[row].simple : bodies[row].relaxed);
    buf_init(&text, TEXT_BYTES);
    dkim_body_init(&body, canon, append, &text);
    if (bodies[row].limit != NO_LIMIT) {
        dkim_body_limit(&body, (uint64_t)bodies[row].limit);
    }
    assert_int_equal(dkim_body_feed(&body, slice_sub(all, 0, from)), ERR_NONE);
    assert_int_equal(dkim_body_feed(&body, slice_sub(all, from, to)), ERR_NONE);
    assert_int_equal(dkim_body_feed(&body, slice_sub(all, to, all.len)), ERR_NONE);
    assert_int_equal(dkim_body_finish(&body), ERR_NONE);
    if (!slice_equal(buf_view(&text), wanted)) {
        fail_msg("row %zu, form %d, cut at %zu and %zu: '%.*s'", row, (int)canon, from, to,
                 SLICE_ARG(buf_view(&text)));
    }
    buf_done(&text);
}

static void bodies_are_the_same_wherever_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        size_t len = strlen(bodies[i].body);
        for (size_t from = 0; from <= len; from++) {
            for (size_t to = from; to <= len; to++) {
                check(i, DKIM_SIMPLE, from, to);
                check(i, DKIM_RELAXED, from, to);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_written),
        cmocka_unit_test(bodies_are_the_same_wherever_they_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
