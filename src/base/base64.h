/* base/base64: bytes as letters (RFC 4648 4), also as they stand in URLs and names (RFC 4648 5).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "heloise/types.h"

/* What so many bytes become at most. */
#define BASE64_BYTES(count) (((count) + 2) / 3 * 4)

/* Writes BASE64_BYTES(bytes.len) bytes with padding, without a NUL; how many. */
size_t base64_write(struct slice bytes, char *out);

/* The same with '-' and '_' and without padding. */
size_t base64_write_url(struct slice bytes, char *out);

/* The reverse, strictly: letters by fours, padding as written here, no bits left over, nothing else. Writes at most
 * text.len / 4 * 3 bytes; *out_len is how many. False: it is no such text, and out has no meaning. */
bool base64_read(struct slice text, char *out, size_t *out_len);

#endif
