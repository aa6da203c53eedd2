/* SPDX-License-Identifier: Apache-2.0 */
#include "address_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const enum hel_address_mode modes[] = {HEL_ADDRESS_STRICT, HEL_ADDRESS_PRACTICAL};

/* Everything but the wire form must agree as well: parse(write(x)) = x. */
static void check_again(const char *name, const struct hel_address *address,
                        enum hel_address_mode mode)
{
    struct hel_address again;
    struct hel_address_error error;
    if (hel_address_parse(hel_address_wire(address), mode, &again, &error) != ERR_NONE) {
        fail_msg("%s: the wire form %s: %s", name, address->wire, error.text);
    }
    assert_string_equal(again.wire, address->wire);
    assert_string_equal(again.domain_text, address->domain_text);
    assert_int_equal(again.local_len, address->local_len);
    assert_int_equal(again.needs_smtputf8, address->needs_smtputf8);
    assert_int_equal(again.is_quoted, address->is_quoted);
    assert_int_equal(again.is_literal, address->is_literal);
    assert_int_equal(again.is_idn, address->is_idn);
}

void check_good(const struct good_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t m = 0; m < 2; m++) {
            struct hel_address a;
            struct hel_address_error error;
            if (hel_address_parse(slice_of(cases[i].text), modes[m], &a, &error) != ERR_NONE) {
                fail_msg("%s: column %u: %s", cases[i].name, error.column, error.text);
            }
            if (strcmp(a.wire, cases[i].wire) != 0) {
                fail_msg("%s: %s", cases[i].name, a.wire);
            }
            assert_int_equal(a.wire_len, strlen(a.wire));
            assert_int_equal(a.domain_text_len, strlen(a.domain_text));
            check_again(cases[i].name, &a, modes[m]);
        }
    }
}

void check_bad(const struct bad_case *cases, size_t count)
{
    static const struct hel_address blank;
    for (size_t i = 0; i < count; i++) {
        for (size_t m = 0; m < 2; m++) {
            struct hel_address a = blank;
            struct hel_address_error error = {.column = 0};
            if (hel_address_parse(cases[i].text, modes[m], &a, &error) != ERR_SYNTAX) {
                fail_msg("%s: parses as %s", cases[i].name, a.wire);
            }
            if (cases[i].column != 0 && error.column != cases[i].column) {
                fail_msg("%s: column %u: %s", cases[i].name, error.column, error.text);
            }
            assert_memory_equal(&a, &blank, sizeof a);
            assert_true(error.text[0] != '\0' && error.column > 0);
            for (const char *c = error.text; *c != '\0'; c++) {
                assert_true(*c >= ' ' && *c < 0x7f);
            }
            assert_int_equal(hel_address_parse(cases[i].text, modes[m], &a, NULL), ERR_SYNTAX);
        }
    }
}

struct hel_address parsed(const char *text)
{
    struct hel_address a;
    struct hel_address_error error;
    if (hel_address_parse(slice_of(text), HEL_ADDRESS_PRACTICAL, &a, &error) != ERR_NONE) {
        fail_msg("%s: %s", text, error.text);
    }
    return a;
}

const char *write_address(const char *local, const char *domain, char out[CASE_TEXT_BYTES])
{
    int length = snprintf(out, CASE_TEXT_BYTES, "%s@%s", local, domain);
    assert_true(length > 0 && length < CASE_TEXT_BYTES);
    return out;
}
