/* decode/mime_private: mime.c walks over the lines; mime_field.c reads what fields say of a body.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_MIME_PRIVATE_H
#define DECODE_MIME_PRIVATE_H

#include "decode/mime.h"

enum { MIME_WORD_BYTES = 256 }; /* a type, charset, file name or boundary; longer ones are cut */

struct mime_word {
    char text[MIME_WORD_BYTES];
    size_t len;
};

/* What a header says of its body. */
struct mime_about {
    struct mime_word type, charset, file_name, boundary;
    enum transfer_kind transfer;
};

struct slice mime_word_view(const struct mime_word *word);
/* Takes what a field says; other fields say nothing. */
void mime_about_read(struct mime_about *about, struct slice name, struct slice value);

#endif
