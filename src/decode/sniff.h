/* decode/sniff: what a file is, by its first bytes, whatever its name.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_SNIFF_H
#define DECODE_SNIFF_H

#include <stdbool.h>

#include "heloise/types.h"

enum sniff_kind {
    SNIFF_TEXT, /* also: whatever is none of the others */
    SNIFF_HTML,
    SNIFF_XML,
    SNIFF_OFFICE, /* a part of an Office Open XML or OpenDocument file */
    SNIFF_MAIL,
    SNIFF_MBOX,
    SNIFF_VCARD,
    SNIFF_LDIF,
    SNIFF_PDF,
    SNIFF_ZIP, /* also: Office Open XML, OpenDocument */
    SNIFF_GZIP,
    SNIFF_TAR,
};

enum { SNIFF_BYTES = 4096 }; /* more are not looked at */

enum sniff_kind sniff_kind_of(struct slice head);
/* Whether more bytes can change what sniff_kind_of says: a log is text from its first line on. */
bool sniff_is_decided(struct slice head);

/* The charset that its first bytes prove: UTF-16 and UTF-32 by their mark, or by zero bytes between Western letters; a
 * name for iconv. Empty: none of them. *out_mark is how many bytes the mark has. */
struct slice sniff_wide_charset(struct slice head, size_t *out_mark);

/* The charset that HTML (meta charset, http-equiv) or XML (encoding) says of itself; empty: none. */
struct slice sniff_declared_charset(struct slice head);

#endif
