/* tests/address/address_case: tables of texts and what the parser makes of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ADDRESS_ADDRESS_CASE_H
#define TESTS_ADDRESS_ADDRESS_CASE_H

#include "base/slice.h"
#include "heloise/address.h"

struct good_case {
    const char *name, *text;
    const char *wire;
};

struct bad_case {
    const char *name;
    struct slice text; /* may hold NUL */
    unsigned column;   /* 0: any */
};

/* Each text parses in both modes into its wire form; the wire form parses into itself. */
void check_good(const struct good_case *cases, size_t count);

/* Each text is refused in both modes, at the column, with words, and *out stays as it was. */
void check_bad(const struct bad_case *cases, size_t count);

/* The test fails where the text does not parse. */
struct hel_address parsed(const char *text);

enum { CASE_TEXT_BYTES = 150 };

/* local@domain, which must fit. Returns out. */
const char *write_address(const char *local, const char *domain, char out[CASE_TEXT_BYTES]);

#define COUNT(table) (sizeof(table) / sizeof *(table))

#endif
