/* engine/json_write: JSON text, written straight into a buffer. Strings come out as valid UTF-8 whatever went in:
 * bytes that are not UTF-8 are taken as Latin-1, as old servers mean them. Characters that a terminal would act
 * on are escaped, so that JSON may be shown on one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_JSON_WRITE_H
#define ENGINE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"

/* Errors are kept and told at the end: every call after the first failure does nothing. */
struct json_writer {
    struct buf *out; /* borrowed */
    enum err err;
    bool needs_comma;
};

void json_begin(struct json_writer *w, struct buf *out);

void json_open(struct json_writer *w, const char *key,
               char bracket);                         /* '{' or '['; key NULL in arrays */
void json_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_string(struct json_writer *w, const char *key, struct slice value);
void json_int(struct json_writer *w, const char *key, int64_t value);
void json_real(struct json_writer *w, const char *key, double value); /* three decimals */
void json_bool(struct json_writer *w, const char *key, bool value);
void json_null(struct json_writer *w, const char *key);
/* Null where there is none: an empty text, family IP_NONE, time 0 (Unix milliseconds, as date_time_text shows it). */
void json_text(struct json_writer *w, const char *key, struct slice value);
void json_ip(struct json_writer *w, const char *key, const struct ip *ip);
void json_time(struct json_writer *w, const char *key, int64_t unix_ms);
/* "next" of a page of at most limit things: the number of its last one, as a text; null where that was all. */
void json_next(struct json_writer *w, size_t count, size_t limit, int64_t last);
void json_raw(struct json_writer *w, const char *key,
              struct slice json); /* a whole value, trusted */

#endif
