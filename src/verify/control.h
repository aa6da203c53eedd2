/* verify/control: local parts that cannot exist, shaped like a real one. Servers that accept some
 * shapes only (short names, first.last, digits) are told from honest ones only by a control of the
 * same shape: length, separators at the same kind of places, digits where digits stand. Letters are
 * syllables nobody uses, ASCII also for a UTF-8 local part.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_CONTROL_H
#define VERIFY_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "heloise/address.h"

enum {
    CONTROL_CHARS_MIN = 9,  /* shorter ones might exist by chance */
    CONTROL_CHARS_MAX = 64, /* RFC 5321 4.5.3.1.1 */
    CONTROL_SHORT_MAX = 12, /* shapes tell shorter local parts from longer ones */
};

/* Which of VERIFY_SHAPES_MAX classes a local part belongs to (quotes and all): an answer to a control
 * of a class holds for the class. */
unsigned control_shape(struct slice local);

/* Writes a NUL-terminated local part of CONTROL_CHARS_MIN to _MAX bytes; the same seed gives the same
 * one. */
void control_make(struct slice local, uint64_t seed, char out[CONTROL_CHARS_MAX + 1]);

/* Writes "local@domain"; both fit, as every address of ours does. */
enum { CONTROL_PATH_BYTES = CONTROL_CHARS_MAX + 1 + HEL_WIRE_BYTES };
void control_put_path(struct slice local, struct slice domain, char out[CONTROL_PATH_BYTES]);

/* Looks like a person's name: two or more runs of letters parted by a dot, "-" or "_". */
bool control_is_name_shaped(struct slice local);

#endif
