/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/likeness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "verify/likeness_private.h"

#define PATTERN_WEIGHT  2.0 /* of the usual shares, in known addresses */
#define PATTERN_FIT_MAX 3.0

static const enum likeness_term feature_terms[FEATURES] = {
    [FEATURE_SURPRISE] = LIKENESS_LETTERS,
    [FEATURE_SURPRISE_HIGH] = LIKENESS_LETTERS,
    [FEATURE_SURPRISE_WORST] = LIKENESS_LETTERS,
    [FEATURE_CONSONANTS] = LIKENESS_LETTERS,
    [FEATURE_LETTERS_FEW] = LIKENESS_LETTERS,
    [FEATURE_DIGITS] = LIKENESS_DIGITS,
    [FEATURE_DIGITS_TAIL] = LIKENESS_DIGITS,
    [FEATURE_DIGIT_CHANGES] = LIKENESS_DIGITS,
    [FEATURE_HEX] = LIKENESS_DIGITS,
    [FEATURE_ODD_BYTES] = LIKENESS_DIGITS,
    [FEATURE_KEYS] = LIKENESS_KEYS,
    [FEATURE_REPEATS] = LIKENESS_KEYS,
    [FEATURE_LONG] = LIKENESS_SHAPE,
    [FEATURE_INITIAL_WORD] = LIKENESS_SHAPE,
    [FEATURE_DOTTED] = LIKENESS_SHAPE,
    [FEATURE_UNDERSCORED] = LIKENESS_SHAPE,
    [FEATURE_HYPHENED] = LIKENESS_SHAPE,
    [FEATURE_INITIAL] = LIKENESS_SHAPE,
    [FEATURE_OTHER] = LIKENESS_SHAPE,
    [FEATURE_ROLE] = LIKENESS_ROLE,
    [FEATURE_PATTERN] = LIKENESS_PATTERN,
};

static const struct term_row {
    const char *name;
    const char *good, *bad; /* where it speaks for the mailbox, and against it */
} term_rows[LIKENESS_TERMS] = {
    [LIKENESS_LETTERS] = {"likeness_letters", "letters like those of names",
                          "letters unlike those of names"},
    [LIKENESS_DIGITS] = {"likeness_digits", "its digits", "its digits or signs"},
    [LIKENESS_KEYS] = {"likeness_keys", "keys in a row", "keys in a row, or one again and again"},
    [LIKENESS_SHAPE] = {"likeness_shape", NULL, NULL},
    [LIKENESS_ROLE] = {"likeness_role", "a role", "a role; many are guessed"},
    [LIKENESS_PATTERN] = {"domain_pattern", NULL, NULL},
    [LIKENESS_EARLIER] = {"earlier_answer", "it was accepted when that meant something",
                          "it was refused when that meant something"},
    [LIKENESS_DNS] = {"dns_signs", "its DNS", "the domain has no MX record"},
    [LIKENESS_PROVIDER] = {"provider_outcomes", NULL, NULL},
    [LIKENESS_DOMAIN] = {"domain_outcomes", NULL, NULL},
};

const char *likeness_term_name(enum likeness_term term)
{
    return term_rows[term].name;
}

const char *likeness_pattern_example(enum likeness_pattern pattern)
{
    switch (pattern) {
    case LIKENESS_IS_WORD: return "a word";
    case LIKENESS_IS_INITIAL_WORD: return "flast";
    case LIKENESS_IS_DOTTED: return "first.last";
    case LIKENESS_IS_UNDERSCORED: return "first_last";
    case LIKENESS_IS_HYPHENED: return "first-last";
    case LIKENESS_IS_INITIAL: return "f.last";
    case LIKENESS_IS_NUMBERED: return "a name and a number";
    case LIKENESS_IS_OTHER:
    case LIKENESS_PATTERNS: break;
    }
    return "no shape of names";
}

double likeness_of_odds(double log_odds)
{
    return 1.0 / (1.0 + exp(-log_odds));
}

static uint32_t known_count(const struct likeness_known *known)
{
    uint32_t count = 0;
    for (size_t i = 0; i < LIKENESS_PATTERNS; i++) {
        count += known->patterns[i];
    }
    return count;
}

/* How much more usual the pattern is in this domain than elsewhere, as a logarithm. */
static double pattern_fit(const struct likeness_model *model, const struct likeness_known *known,
                          enum likeness_pattern pattern)
{
    double count = known_count(known);
    double share = model->shares[pattern];
    if (count <= 0.0) {
        return 0.0;
    }
    double fit =
        log((known->patterns[pattern] + PATTERN_WEIGHT * share) / (count + PATTERN_WEIGHT) / share);
    return fit > PATTERN_FIT_MAX    ? PATTERN_FIT_MAX
           : fit < -PATTERN_FIT_MAX ? -PATTERN_FIT_MAX
                                    : fit;
}

/* A word of an organisation is not judged as a name. */
static void take_as_role(const struct likeness_model *model, double f[FEATURES])
{
    f[FEATURE_ROLE] = 1.0;
    for (size_t i = 0; i < FEATURES; i++) {
        if (feature_terms[i] == LIKENESS_LETTERS) {
            f[i] = model->means[i];
        }
    }
}

static void weigh_known(const struct likeness_model *model, const struct likeness_known *known,
                        struct likeness *out)
{
    const double *by_hand = model->by_hand;
    out->terms[LIKENESS_EARLIER] = known->was_accepted  ? by_hand[BY_HAND_ACCEPTED]
                                   : known->was_refused ? by_hand[BY_HAND_REFUSED]
                                                        : 0.0;
    out->terms[LIKENESS_DNS] = known->is_implicit_mx ? by_hand[BY_HAND_IMPLICIT_MX] : 0.0;
    out->terms[LIKENESS_PROVIDER] = prior_shift(&known->provider, 0.0);
    out->terms[LIKENESS_DOMAIN] = prior_shift(&known->domain, out->terms[LIKENESS_PROVIDER]);
}

void likeness_weigh(const struct likeness_model *model, struct slice local, bool is_role,
                    const struct likeness_known *known, struct likeness *out)
{
    double f[FEATURES];
    memset(out, 0, sizeof *out);
    likeness_look(model, local, f, &out->pattern);
    if (is_role) {
        take_as_role(model, f);
    } else if (known != NULL) {
        f[FEATURE_PATTERN] = pattern_fit(model, known, out->pattern);
    }
    for (size_t i = 0; i < FEATURES; i++) {
        out->terms[feature_terms[i]] += model->weights[i] * (f[i] - model->means[i]);
    }
    if (known != NULL) {
        weigh_known(model, known, out);
    }
    out->start = model->constant;
    out->log_odds = out->start;
    for (size_t i = 0; i < LIKENESS_TERMS; i++) {
        out->log_odds += out->terms[i];
    }
}

static const char *force(double weight)
{
    double size = fabs(weight);
    return size >= 2.0 ? "strongly " : size >= 0.5 ? "" : "a little ";
}

static void say_tally(const struct prior_tally *tally, const char *where,
                      char out[LIKENESS_WORDS_BYTES])
{
    (void)snprintf(out, LIKENESS_WORDS_BYTES, "of %u seen %s %.0f were alive, %.1f expected",
                   tally->count, where, tally->seen, tally->said);
}

static void say_what(const struct likeness *likeness, enum likeness_term term,
                     const struct likeness_known *known, char out[LIKENESS_WORDS_BYTES])
{
    const char *plain = likeness->terms[term] >= 0.0 ? term_rows[term].good : term_rows[term].bad;
    if (term == LIKENESS_SHAPE) {
        (void)snprintf(out, LIKENESS_WORDS_BYTES, "its shape: %s",
                       likeness_pattern_example(likeness->pattern));
    } else if (term == LIKENESS_PATTERN && known != NULL) {
        (void)snprintf(out, LIKENESS_WORDS_BYTES, "%u of %u known addresses there are made so: %s",
                       known->patterns[likeness->pattern], known_count(known),
                       likeness_pattern_example(likeness->pattern));
    } else if (term == LIKENESS_PROVIDER && known != NULL) {
        say_tally(&known->provider, "at this provider", out);
    } else if (term == LIKENESS_DOMAIN && known != NULL) {
        say_tally(&known->domain, "at this domain", out);
    } else {
        (void)snprintf(out, LIKENESS_WORDS_BYTES, "%s", plain == NULL ? "" : plain);
    }
}

void likeness_say(const struct likeness *likeness, enum likeness_term term,
                  const struct likeness_known *known, char out[LIKENESS_WORDS_BYTES])
{
    double weight = likeness->terms[term];
    char what[LIKENESS_WORDS_BYTES];
    say_what(likeness, term, known, what);
    (void)snprintf(out, LIKENESS_WORDS_BYTES, "%.80s; speaks %s%s it (%+.2f)", what, force(weight),
                   weight >= 0.0 ? "for" : "against", weight);
}
