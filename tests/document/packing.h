/* document/packing: archives made in memory, right ones; tests spoil them afterwards.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_PACKING_H
#define DOCUMENT_PACKING_H

#include "base/buf.h"

struct packing_member {
    const char *name;
    struct slice content;
};

/* Each appends to *out. */

/* One gzip member (RFC 1952). */
void packing_gzip(struct slice content, struct buf *out);
/* Zeros, count bytes of them, as gzip. */
void packing_gzip_zeros(size_t count, struct buf *out);
/* A header of that type ('0': a file), its content, filled up to a block. */
void packing_tar(const char *name, char type, struct slice content, struct buf *out);
void packing_tar_end(struct buf *out);
/* All members deflated, with their directory. */
void packing_zip(const struct packing_member *members, size_t count, struct buf *out);
/* A page of each text, which must be without parentheses and backslashes. */
void packing_pdf(const char *const *pages, size_t count, struct buf *out);

#endif
