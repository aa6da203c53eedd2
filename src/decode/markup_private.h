/* decode/markup_private: markup.c walks over the bytes; markup_tag.c knows what tags mean.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_MARKUP_PRIVATE_H
#define DECODE_MARKUP_PRIVATE_H

#include "decode/markup.h"

/* Whether what stands on both sides of this tag is one word. name: without '/' and prefix. */
bool markup_tag_joins(enum markup_dialect dialect, struct slice name, bool is_closing);
/* Appends the value of an attribute as text: references resolved, percent-encoding behind mailto: too. */
enum err markup_value_append(struct slice value, struct buf *out) MUST_USE;

#endif
