/* decode/reference: HTML's character references: &uuml; &#252; &#xfc;
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_REFERENCE_H
#define DECODE_REFERENCE_H

#include <stdbool.h>

#include "heloise/types.h"

enum { REFERENCE_BYTES_MAX = 32 }; /* &#x00000000000000000000000040; is still read */

/* The reference at the beginning of text, with its semicolon: its code point and length. False: there is none, or none
 * that is known; names are those of HTML 4, and of HTML 5 what may stand in addresses. */
bool reference_read(struct slice text, unsigned *out_code, size_t *out_len);

#endif
