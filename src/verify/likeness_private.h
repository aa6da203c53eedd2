/* verify/likeness_private: the model and what is looked at, for likeness.c (weighing, words), likeness_model.c (the
 * file) and likeness_look.c (the local part).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_LIKENESS_PRIVATE_H
#define VERIFY_LIKENESS_PRIVATE_H

#include "verify/likeness.h"

enum {
    LETTERS = 27, /* a word's bound, then a to z */
    LOCAL_MAX = 64,
};

/* In the order of the file, which is that of tools/train_score.py. */
enum feature {
    FEATURE_SURPRISE,       /* nats for each letter, by the two before it, on average */
    FEATURE_SURPRISE_HIGH,  /* above that of names */
    FEATURE_SURPRISE_WORST, /* of one letter */
    FEATURE_CONSONANTS,     /* in a row, above 3 */
    FEATURE_LETTERS_FEW,
    FEATURE_DIGITS,        /* their share */
    FEATURE_DIGITS_TAIL,   /* up to four, at the end only */
    FEATURE_DIGIT_CHANGES, /* from letters to digits and back */
    FEATURE_HEX,
    FEATURE_ODD_BYTES,
    FEATURE_KEYS,    /* in a row of a keyboard: their share */
    FEATURE_REPEATS, /* of one byte: their share */
    FEATURE_LONG,
    FEATURE_INITIAL_WORD,
    FEATURE_DOTTED,
    FEATURE_UNDERSCORED,
    FEATURE_HYPHENED,
    FEATURE_INITIAL,
    FEATURE_OTHER,
    FEATURE_ROLE,
    FEATURE_PATTERN,
    FEATURES,
};

/* Weights that are set, not trained. */
enum by_hand { BY_HAND_ACCEPTED, BY_HAND_REFUSED, BY_HAND_IMPLICIT_MX, BY_HAND_COUNT };

struct likeness_model {
    double constant;
    double weights[FEATURES], means[FEATURES];
    double by_hand[BY_HAND_COUNT];
    double shares[LIKENESS_PATTERNS]; /* how usual a pattern is */
    uint8_t surprise[LETTERS][LETTERS]
                    [LETTERS]; /* of the third after the first two, in tenths of a nat */
    char date[LIKENESS_DATE_BYTES];
    uint64_t hash;
};

/* All features but those that need to know more than the local part: ROLE and PATTERN are 0. */
void likeness_look(const struct likeness_model *model, struct slice local,
                   double out_features[FEATURES], enum likeness_pattern *out_pattern);

#endif
