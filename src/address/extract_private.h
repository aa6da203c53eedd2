/* address/extract_private: the parts of the extraction. extract_unit.c: what stands at a place of the text, decoded.
 * extract_escape.c: of that, what stands for characters that act.
 * extract_judge.c: whether there is an address around an at sign. extract.c: the window over the text.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ADDRESS_EXTRACT_PRIVATE_H
#define ADDRESS_EXTRACT_PRIVATE_H

#include "address/extract.h"

enum {
    /* What is looked at of the text around an at sign: 64 and 254 bytes, each as a character reference of up to ten, and
     * some spaces. */
    EXTRACT_BEHIND_BYTES = 768,
    EXTRACT_AHEAD_BYTES = 2816,
    EXTRACT_KEPT_BYTES =
        EXTRACT_BEHIND_BYTES + 128, /* and of what stands before that, to tell what it is */
    EXTRACT_TEXT_BYTES = 512,       /* an address that may still be too long */
};

/* What an at sign begins with: itself, a character reference, "%40", "\\u0040", U+FF20. */
#define EXTRACT_SIGN_BYTES "@&%\\\xef"

/* A character, or what stands for one. */
struct extract_unit {
    unsigned code;     /* '\0': none, not UTF-8, or the end */
    size_t len;        /* in the text; at least 1 but at its end */
    bool is_encoded;   /* percent-encoded */
    bool is_escape;    /* "\\u0040", or a control sequence */
    bool is_nothing;   /* a reader sees nothing of it: what stands around it is one word */
    bool is_word;      /* '@' or '.': in brackets or as a word */
    bool is_bare_word; /* without brackets */
};

struct extract_rules {
    bool has_percent; /* %40 is read as '@' */
    bool has_words;   /* so is "[at]" */
    bool is_path;     /* of Windows: backslashes part it */
};

/* What stands at the beginning of text. */
struct extract_unit extract_unit_at(struct slice text, struct extract_rules rules);
/* The escape that text begins with: '\\', '#', '^' or ESC. len 0: it is none. */
struct extract_unit extract_escape_at(struct slice text);
/* The control sequence whose introducer, U+009B, stands before text; len 0: it is none. */
struct extract_unit extract_sequence_at(struct slice text);
/* Whether the bracket text[at] stands behind an escape character, as it is or written out. */
bool extract_is_in_sequence(struct slice text, size_t at);
/* Whether a newline behind text may be a soft one, which quoted-printable leaves out (RFC 2045 6.7). */
bool extract_may_break(struct slice text);
/* A cheap test where words are read too: no at sign begins with another byte. */
bool extract_may_begin_at_sign(char byte);

/* An at sign in its surroundings. */
struct extract_spot {
    struct slice text;
    size_t begin, at; /* nothing before text[begin] may be used; text[at] begins the sign */
    struct extract_unit sign;
};

/* Fills all but line of *out, offsets counted in text; its text is kept in to, of EXTRACT_TEXT_BYTES. */
bool extract_judge(const struct extract_config *config, const struct extract_spot *spot, char *to,
                   struct extract_found *out);

#endif
