/* address/extract: the mail addresses in any text: mail, HTML, CSV, logs, source code. Fed in pieces of any size; what is
 * found is the same however they are cut.
 *
 *     extract_new(&config, &x);
 *     for each piece: extract_feed(x, piece);  while (extract_next(x, &found)) ...
 *     extract_end(x);                          while (extract_next(x, &found)) ...
 *
 * Seen through are HTML's character references (&#64;, &commat;), percent-encoding behind mailto: and where the at sign
 * itself is encoded, escapes of JSON and C (\u0040, \n), control sequences of terminals, what does not print (soft
 * hyphens, marks of byte order), soft line breaks of quoted-printable, the full stops and at signs of other scripts, and,
 * only when asked, "jane [at] example [dot] com". What surrounds an address (brackets, quotes, a
 * full stop) is left out. An address needs a top-level domain that exists; logo@2x.png is none. Text is UTF-8; bytes that
 * are not end an address. Memory is fixed, and so is the work for each byte.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ADDRESS_EXTRACT_H
#define ADDRESS_EXTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "address/lists.h"

struct extract_config {
    const struct address_lists *lists; /* for top-level domains; must outlive the extraction */
    bool wants_obfuscated;             /* "[at]", "(dot)" and "jane at example dot com" count */
    bool has_no_lines;                 /* nobody asks for line numbers: all are 1 */
};

struct extract_found {
    struct hel_address address; /* strict mode */
    struct slice text; /* as it was meant: decoded, otherwise as it stands; until the next call */
    uint64_t offset, end; /* bytes of the whole text; of its first, behind its last */
    uint64_t line;        /* of its first byte, from 1; LF ends a line */
};

struct extract;

enum err extract_new(const struct extract_config *config, struct extract **out) MUST_USE;
void extract_free(struct extract *x); /* safe on NULL */
/* A new text begins, with line 1 and offset 0; what was not yet found of the one before is forgotten. */
void extract_restart(struct extract *x);

/* The piece before it must be used up (extract_next has said false); bytes must live until this one is. */
void extract_feed(struct extract *x, struct slice bytes);
/* The text is over. */
void extract_end(struct extract *x);
/* The next address, in the order of the text; false: none without more text. */
bool extract_next(struct extract *x, struct extract_found *out);

#endif
