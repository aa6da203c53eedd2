/* heloise/address: what a mailbox address is (RFC 5321 4.1.2, RFC 6531 3.3, RFC 5890-5893).
 * One parser for the command line, lists, the API and SMTP. It first cleans what people paste
 * (`Name <a@b>`, mailto:, BOM, surrounding space, trailing dot or semicolon, full-width at), then
 * holds the rest against the grammar. A parsed address never contains CR, LF, NUL or another control.
 * No allocation: a struct hel_address is a plain value.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HELOISE_ADDRESS_H
#define HELOISE_ADDRESS_H

#include <stdbool.h>

#include "heloise/types.h"

enum {
    HEL_LOCAL_BYTES_MAX = 64,            /* RFC 5321 4.5.3.1.1 */
    HEL_LOCAL_BYTES_PRACTICAL_MAX = 128, /* what practical mode still puts on the wire */
    HEL_DOMAIN_BYTES_MAX = 255,          /* RFC 5321 4.5.3.1.2 */
    HEL_ADDRESS_BYTES_MAX = 254,         /* a path of 256 less its two brackets, 4.5.3.1.3 */
    HEL_LABEL_BYTES_MAX = 63,            /* RFC 1035 2.3.4 */
    HEL_WIRE_BYTES = 400,                /* room for practical mode, with a NUL */
};

enum hel_address_mode {
    HEL_ADDRESS_STRICT,    /* the grammar and every length limit */
    HEL_ADDRESS_PRACTICAL, /* the grammar, but local parts up to HEL_LOCAL_BYTES_PRACTICAL_MAX */
};

struct hel_address {
    unsigned short wire_len, local_len, domain_text_len; /* local_len includes quotes */
    bool needs_smtputf8;              /* the local part is not ASCII (RFC 6531) */
    bool is_quoted;                   /* the local part is a Quoted-string */
    bool is_literal;                  /* the domain is an address literal in brackets */
    bool is_idn;                      /* the domain has at least one A-label */
    char wire[HEL_WIRE_BYTES];        /* as sent in RCPT TO, without brackets: local part as given
                                         (quotes kept, NFC), "@", domain in lower-case A-labels */
    char domain_text[HEL_WIRE_BYTES]; /* the domain for people: lower-case U-labels, UTF-8 */
};

struct hel_address_error {
    unsigned column; /* 1-based, in characters (not bytes) of the text as given */
    char text[160];  /* what is wrong; NUL-terminated; holds no raw input beyond printable ASCII */
};

/* ERR_NONE, or ERR_SYNTAX with *out_error filled (out_error may be NULL). Text is UTF-8; anything
 * else is a syntax error. Text longer than 2048 bytes is a syntax error. */
HEL_PUBLIC enum err hel_address_parse(struct slice text, enum hel_address_mode mode,
                                      struct hel_address *out, struct hel_address_error *out_error)
    MUST_USE;

/* Views into the value; valid as long as it is. */
HEL_PUBLIC struct slice hel_address_wire(const struct hel_address *address);
HEL_PUBLIC struct slice hel_address_local(const struct hel_address *address);
HEL_PUBLIC struct slice hel_address_domain(const struct hel_address *address); /* A-labels */

#endif
