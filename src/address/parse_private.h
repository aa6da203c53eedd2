/* address/parse_private: one address on its way from text to value, for the files of the parser: clean.c
 * (what people paste), local.c, domain.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ADDRESS_PARSE_PRIVATE_H
#define ADDRESS_PARSE_PRIVATE_H

#include "base/attr.h"
#include "heloise/address.h"

enum { PARSE_TEXT_BYTES_MAX = 2048 };

struct parse {
    char text[PARSE_TEXT_BYTES_MAX + 1]; /* cleaned: nothing but the address */
    size_t len;
    unsigned first_column; /* of text[0] in what was given */
    struct hel_address *out;
    struct hel_address_error *out_error;
};

/* True: an address of plain characters, and *out is what the whole parser would make of it, in either mode; what lies
 * behind its texts is not cleared. */
bool address_is_plain(struct slice text, struct hel_address *out) MUST_USE;

/* Fills text, len and first_column. */
enum err address_clean(struct slice given, struct parse *parse) MUST_USE;

/* *at: where the local part begins; where its '@' stands on success. */
enum err address_parse_local(struct parse *parse, size_t *at) MUST_USE;
enum err address_parse_domain(struct parse *parse, size_t at) MUST_USE;

/* Fills the error, with the column of text[offset]; returns ERR_SYNTAX. */
enum err address_fail(struct parse *parse, size_t offset, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
