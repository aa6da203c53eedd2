/* providers/fold: reply text brought to one plain form before rules look at it: lower case, accents of
 * Latin letters dropped (UTF-8 and Latin-1 alike), lines joined, blanks collapsed, enhanced codes at
 * line starts cut, and every mail address replaced by "@", so that words inside an echoed address
 * (spam.full@, blocked@) never decide. Fragments in rule files are folded the same way.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_FOLD_H
#define PROVIDERS_FOLD_H

#include <stdbool.h>

#include "base/attr.h"
#include "heloise/reply.h"

enum {
    FOLD_BYTES_MAX = 2048, /* what follows in a longer reply is not looked at */
};

/* Returns the length written to out, at most cap. Nothing is masked. */
size_t fold_text(struct slice text, char *out, size_t cap);

/* In folded text: addresses become "@"; so do the recipient itself, its local part where it stands in
 * quotes or brackets, and its domain. Returns the new length. rcpt is as given, and may be empty. */
size_t fold_mask(char *text, size_t len, struct slice rcpt);
/* False: fold_mask leaves this folded text as it is, whoever the recipient is. */
bool fold_may_echo(struct slice text);

/* word (folded) stands in text with no letter or digit on either side. */
bool fold_has_word(struct slice text, struct slice word);

/* "5.1.1" at the start of text; *out_len is its length. */
bool fold_enhanced(struct slice text, struct hel_enhanced *out, size_t *out_len);

/* The code that some servers put elsewhere: "(#5.1.1)", "#5.1.0", "(5.1.1)". */
bool fold_enhanced_within(struct slice text, struct hel_enhanced *out);

#endif
