/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "address_case.h"

enum { TEXT_BYTES = 300 };

/* A blank in front is cut off by the whole parser, and makes sure that it is the one that answers. */
static void check_same(struct slice text, enum hel_address_mode mode)
{
    char blank[TEXT_BYTES + 1] = " ";
    memcpy(blank + 1, text.at, text.len);
    struct hel_address a = {.wire_len = 0};
    struct hel_address b = {.wire_len = 0};
    struct hel_address_error a_error = {.column = 0};
    struct hel_address_error b_error = {.column = 0};
    enum err e = hel_address_parse(text, mode, &a, &a_error);
    enum err e_blank = hel_address_parse(slice_make(blank, text.len + 1), mode, &b, &b_error);
    bool is_same = e == e_blank && a.wire_len == b.wire_len && a.local_len == b.local_len &&
                   a.domain_text_len == b.domain_text_len && a.needs_smtputf8 == b.needs_smtputf8 &&
                   a.is_quoted == b.is_quoted && a.is_literal == b.is_literal &&
                   a.is_idn == b.is_idn && strcmp(a.wire, b.wire) == 0 &&
                   strcmp(a.domain_text, b.domain_text) == 0 &&
                   strcmp(a_error.text, b_error.text) == 0;
    if (!is_same) {
        fail_msg("%.*s: %s %s, whole: %s %s", SLICE_ARG(text), a.wire, a_error.text, b.wire,
                 b_error.text);
    }
}

/* All texts of some characters that differ in what they mean, up to a length. */
static void short_texts_are_read_as_the_whole_parser_reads_them(void **state)
{
    (void)state;
    static const char characters[] = "aX1.-_@%";
    enum { KINDS = sizeof characters - 1, LONGEST = 6 };
    for (size_t len = 0, count = 1; len <= LONGEST; len++, count *= KINDS) {
        for (size_t number = 0; number < count; number++) {
            char text[LONGEST + 1];
            size_t rest = number;
            for (size_t i = 0; i < len; i++, rest /= KINDS) {
                text[i] = characters[rest % KINDS];
            }
            check_same(slice_make(text, len), HEL_ADDRESS_PRACTICAL);
        }
    }
}

static size_t put_label(char *to, size_t len)
{
    memset(to, 'd', len);
    to[len] = '.';
    return len + 1;
}

static void lengths_are_held_as_the_whole_parser_holds_them(void **state)
{
    (void)state;
    for (size_t local = 62; local <= 66; local++) {
        for (size_t label = 61; label <= 65; label++) {
            for (size_t last = 1; last <= 65; last++) {
                char text[TEXT_BYTES];
                memset(text, 'l', local);
                size_t len = local;
                text[len++] = '@';
                len += put_label(text + len, label);
                len += put_label(text + len, 55);
                len += put_label(text + len, last);
                check_same(slice_make(text, len - 1), HEL_ADDRESS_STRICT);
                check_same(slice_make(text, len - 1), HEL_ADDRESS_PRACTICAL);
            }
        }
    }
}

static void each_byte_is_read_as_the_whole_parser_reads_it(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 7; at++) {
            char text[] = "ab@cd.e";
            text[at] = (char)byte;
            check_same(slice_make(text, sizeof text - 1), HEL_ADDRESS_STRICT);
            check_same(slice_make(text, sizeof text - 1), HEL_ADDRESS_PRACTICAL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_texts_are_read_as_the_whole_parser_reads_them),
        cmocka_unit_test(lengths_are_held_as_the_whole_parser_holds_them),
        cmocka_unit_test(each_byte_is_read_as_the_whole_parser_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
