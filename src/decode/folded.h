/* decode/folded: the lines of vCards (RFC 6350 and its forerunners 2.1 and 3.0) and LDIF (RFC 2849), unfolded, taken apart
 * and decoded. Without I/O: give it bytes, take lines, as with decode/mime.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_FOLDED_H
#define DECODE_FOLDED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum folded_kind { FOLDED_VCARD, FOLDED_LDIF };

struct folded_line {
    uint64_t number;   /* of its first line in the file, from 1 */
    struct slice name; /* "EMAIL", "item1.EMAIL", "mail;lang-de": as it stands, with what follows */
    struct slice charset; /* that a vCard 2.1 names; empty: UTF-8 */
    struct slice value;   /* decoded; what is as long as a photograph is cut */
};

struct folded;

enum err folded_new(enum folded_kind kind, struct folded **out) MUST_USE;
void folded_free(struct folded *folded); /* safe on NULL */

/* The piece before it must be used up (folded_next has said false); bytes must live until this one is. */
void folded_feed(struct folded *folded, struct slice bytes);
void folded_end(struct folded *folded);
/* Slices until the next call. *out_is_line false: nothing more without more bytes. ERR_NOMEM. */
enum err folded_next(struct folded *folded, struct folded_line *out, bool *out_is_line) MUST_USE;

#endif
