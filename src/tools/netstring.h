/* tools/netstring: netstrings (D. J. Bernstein, "Netstrings"; "12:hello world!,"), in which socketmap questions and answers
 * travel (socketmap_table(5)), without I/O.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_NETSTRING_H
#define TOOLS_NETSTRING_H

#include <stdbool.h>

#include "base/buf.h"

enum netstring_progress { NETSTRING_MORE, NETSTRING_WHOLE, NETSTRING_INVALID };

/* The ceiling of text is that of a string. */
struct netstring {
    struct buf text;
    size_t length; /* of the string that is being read */
    unsigned digits;
    bool has_length, has_begun;
};

void netstring_init(struct netstring *out, size_t bytes_max);
void netstring_done(struct netstring *netstring);
/* For the next one. */
void netstring_clear(struct netstring *netstring);

/* Takes the bytes up to the end of the string; *out_used is how many. Whole: netstring->text has it. */
enum netstring_progress netstring_feed(struct netstring *netstring, struct slice bytes,
                                       size_t *out_used) MUST_USE;

/* Appends the string. ERR_LIMIT, ERR_NOMEM. */
enum err netstring_write(struct slice text, struct buf *out) MUST_USE;

#endif
