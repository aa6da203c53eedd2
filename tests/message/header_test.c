/* Headers in whole and in pieces: every row must come out the same wherever it is cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

enum { TEXT_BYTES = 2048 };

static const struct {
    const char *name, *bytes;
    const char *
        says; /* "NAME=VALUE" of each field, unfolded, parted by "|"; then what is left for the body */
} rows[] = {
    {"plain", "A: b\r\nC: d\r\n\r\nbody", "A=b|C=d|>body"},
    {"lone LFs", "A: b\nC: d\n\nbody\n", "A=b|C=d|>body\n"},
    {"folded", "A: b\r\n c\r\n\td\r\nE:f\r\n\r\n", "A=b c\td|E=f|>"},
    {"folds at once", "A:\r\n b\r\n\r\n", "A=b|>"},
    {"a fold of white space alone", "A: b\r\n \r\nC: d\r\n\r\n", "A=b|C=d|>"},
    {"white space before the colon", "A \t: b\r\n\r\n", "A=b|>"},
    {"a colon in the value", "A: b:c\r\n\r\n", "A=b:c|>"},
    {"an empty value", "A:\r\n\r\n", "A=|>"},
    {"no field", "hello there\r\nA: b\r\n\r\n", "=hello there|A=b|>"},
    {"no name", ": b\r\n\r\n", "=: b|>"},
    {"a name with a space", "a b: c\r\n\r\n", "=a b: c|>"},
    {"eight bits in a name", "\xc3\xa4: c\r\n\r\n", "=\xc3\xa4: c|>"},
    {"begins with a fold", " x\r\nA: b\r\n\r\n", "=x|A=b|>"},
    {"an envelope line", "From x@y Mon\nA: b\n\n", "=From x@y Mon|A=b|>"},
    {"no header", "\r\nbody", ">body"},
    {"no header, LF", "\nbody", ">body"},
    {"nothing", "", ">"},
    {"ends in the header", "A: b\r\nC: d\r\n", "A=b|C=d|>"},
    {"ends in a line", "A: b\r\nC: d", "A=b|C=d|>"},
    {"ends with a CR", "A: b\r", "A=b|>"},
    {"a lone CR", "A: b\rc\r\n\r\n", "A=b\rc|>"},
    {"a CR before a CRLF", "A: b\r\r\n\r\n", "A=b|>"},
    {"two empty lines", "A: b\r\n\r\n\r\nx", "A=b|>\r\nx"},
};

static void print(const struct message_header *header, struct slice rest, char out[TEXT_BYTES])
{
    struct buf text;
    buf_init(&text, TEXT_BYTES - 1);
    for (size_t i = 0; i < header->count; i++) {
        const struct message_field *field = &header->fields[i];
        assert_true(slice_ends(field->raw, SLICE("\r\n")));
        assert_int_equal(buf_append(&text, field->name), ERR_NONE);
        assert_int_equal(buf_append_byte(&text, '='), ERR_NONE);
        assert_int_equal(message_value_unfold(field->value, &text), ERR_NONE);
        assert_int_equal(buf_append_byte(&text, '|'), ERR_NONE);
    }
    assert_int_equal(buf_append_byte(&text, '>'), ERR_NONE);
    assert_int_equal(buf_append(&text, rest), ERR_NONE);
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    buf_done(&text);
}

/* Cut at two places; what follows the header goes on as the body. */
static void check(size_t row, size_t from, size_t to)
{
    struct message_header header;
    struct slice all = slice_of(rows[row].bytes);
    struct slice pieces[] = {slice_sub(all, 0, from), slice_sub(all, from, to),
                             slice_sub(all, to, all.len)};
    struct buf body;
    char found[TEXT_BYTES];
    message_header_init(&header);
    buf_init(&body, TEXT_BYTES);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(message_header_feed(&header, &pieces[i]), ERR_NONE);
        assert_int_equal(buf_append(&body, pieces[i]), ERR_NONE);
    }
    assert_int_equal(message_header_finish(&header), ERR_NONE);
    assert_int_equal(message_header_finish(&header), ERR_NONE);
    print(&header, buf_view(&body), found);
    if (strcmp(found, rows[row].says) != 0) {
        fail_msg("%s, cut at %zu and %zu: '%s', wanted '%s'", rows[row].name, from, to, found,
                 rows[row].says);
    }
    buf_done(&body);
    message_header_done(&header);
    message_header_done(&header);
}

static void fields_are_the_same_wherever_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = strlen(rows[i].bytes);
        for (size_t from = 0; from <= len; from++) {
            for (size_t to = from; to <= len; to++) {
                check(i, from, to);
            }
        }
    }
}

static void fields_are_found_by_name(void **state)
{
    (void)state;
    struct message_header header;
    struct slice bytes = SLICE("To: a\r\nCc: b\r\nTO: c\r\n\r\n");
    message_header_init(&header);
    assert_int_equal(message_header_feed(&header, &bytes), ERR_NONE);
    assert_int_equal(message_header_find(&header, SLICE("to"), 0), 0);
    assert_int_equal(message_header_find(&header, SLICE("to"), 1), 2);
    assert_int_equal(message_header_find(&header, SLICE("to"), 3), 3);
    assert_int_equal(message_header_find(&header, SLICE(""), 0), 3);
    assert_int_equal(message_header_count(&header, SLICE("tO")), 2);
    message_header_done(&header);
}

/* Feeds lines until it has enough. */
static enum err fill(struct message_header *header, struct slice line)
{
    enum err e = ERR_NONE;
    message_header_init(header);
    for (size_t i = 0; i < (size_t)MESSAGE_HEADER_BYTES_MAX && e == ERR_NONE; i++) {
        struct slice rest = line;
        e = message_header_feed(header, &rest);
    }
    return e;
}

static void ceilings_hold(void **state)
{
    (void)state;
    struct message_header header;
    assert_int_equal(fill(&header, SLICE("A: b\r\n")), ERR_LIMIT);
    message_header_done(&header);
    assert_int_equal(fill(&header, SLICE("a long line without an end")), ERR_LIMIT);
    message_header_done(&header);
    message_header_init(&header);
    for (size_t i = 0; i <= MESSAGE_FIELDS_MAX; i++) {
        struct slice line = SLICE("A: b\r\n");
        assert_int_equal(message_header_feed(&header, &line), ERR_NONE);
    }
    assert_int_equal(message_header_finish(&header), ERR_LIMIT);
    message_header_done(&header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_the_same_wherever_they_are_cut),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(ceilings_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
