/* verify/likeness: how likely a mailbox exists, where the mail server's answer cannot tell: a catch-all domain, an
 * answer for the time being. A logistic model over the local part (are its letters those of names, which shape has it, is
 * it a role, a number, keys in a row), over what is known of the domain's other addresses, and over what was seen of such
 * likelihoods later (verify/prior). docs/score.md says what it was trained on and how well it does.
 *
 * The sum of the terms is the log odds: each term can be told, and none decides a status.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_LIKENESS_H
#define VERIFY_LIKENESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "verify/prior.h"

struct likeness_model;

enum {
    LIKENESS_MODEL_BYTES_MAX = 1 << 16,
    LIKENESS_DATE_BYTES = 11, /* "2026-11-22" */
};

/* text: a file as tools/train_score.py writes it; not kept. ERR_SYNTAX: the fault begins with the number of
 * the line that is not as it must be, or is there and has another hash; ERR_LIMIT: too long; ERR_NOMEM. */
enum err likeness_model_parse(struct slice text, struct likeness_model **out,
                              struct fault *out_fault) MUST_USE;
void likeness_model_free(struct likeness_model *model);
const char *likeness_model_date(const struct likeness_model *model);
uint64_t likeness_model_hash(const struct likeness_model *model);

/* How a domain makes addresses of names. */
enum likeness_pattern {
    LIKENESS_IS_WORD,         /* maria, mariagarcia */
    LIKENESS_IS_INITIAL_WORD, /* mgarcia */
    LIKENESS_IS_DOTTED,       /* maria.garcia */
    LIKENESS_IS_UNDERSCORED,  /* maria_garcia */
    LIKENESS_IS_HYPHENED,     /* maria-garcia */
    LIKENESS_IS_INITIAL,      /* m.garcia, maria.g */
    LIKENESS_IS_NUMBERED,     /* maria84 */
    LIKENESS_IS_OTHER,
    LIKENESS_PATTERNS,
};
const char *likeness_pattern_example(enum likeness_pattern pattern); /* "first.last" */
/* Where there is nothing to judge by: it is not ASCII, or empty. */
bool likeness_is_blind(struct slice local);
enum likeness_pattern likeness_pattern(const struct likeness_model *model, struct slice local);

/* What is known of the domain and the address besides; zeroed: nothing. */
struct likeness_known {
    uint32_t patterns
        [LIKENESS_PATTERNS]; /* addresses of the domain that were found to exist, by pattern */
    struct prior_tally domain, provider;
    bool was_accepted, was_refused; /* this address, the last time that meant something */
    bool is_implicit_mx;
};

/* What a verdict is given to weigh. */
struct verify_likeness {
    const struct likeness_model *model;
    struct likeness_known known;
};

/* What is told apart, and told, of the log odds. */
enum likeness_term {
    LIKENESS_LETTERS, /* are they those of names */
    LIKENESS_DIGITS,  /* and bytes that are neither letter nor digit */
    LIKENESS_KEYS,    /* in a row, or the same one */
    LIKENESS_SHAPE,   /* first.last, a word, ... and its length */
    LIKENESS_ROLE,    /* info, sales */
    LIKENESS_PATTERN, /* is it made as the domain's known addresses are */
    LIKENESS_EARLIER, /* what was answered before */
    LIKENESS_DNS,
    LIKENESS_PROVIDER, /* what was seen later of others there */
    LIKENESS_DOMAIN,
    LIKENESS_TERMS,
};
const char *likeness_term_name(enum likeness_term term); /* "likeness_letters" */

struct likeness {
    double start; /* of a plain name, before the terms */
    double terms[LIKENESS_TERMS];
    double log_odds; /* the sum of all */
    enum likeness_pattern pattern;
};
double likeness_of_odds(double log_odds); /* 0 to 1 */

/* local is not blind. known NULL: nothing is known. */
void likeness_weigh(const struct likeness_model *model, struct slice local, bool is_role,
                    const struct likeness_known *known, struct likeness *out);

enum { LIKENESS_WORDS_BYTES = 128 };
/* The term and its weight in words: "6 of 7 known addresses are made like this: speaks for it (+0.50)". */
void likeness_say(const struct likeness *likeness, enum likeness_term term,
                  const struct likeness_known *known, char out[LIKENESS_WORDS_BYTES]);

#endif
