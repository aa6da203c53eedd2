/* verify/likeness_model: the file of the model. Every line is there once, in the order in which it is written, so that
 * reading is one pass; the last one has the hash of those before it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "verify/likeness_private.h"

enum {
    SURPRISE_FIRST = '!', /* a value is one printable character from here on */
    SURPRISE_MAX = 93,
    VERSION = 1,
    HASH_CHARS = 16,
};

#define MILLIONTHS_MAX UINT64_C(100000000)
#define MILLION        1e6

static const char *const feature_names[FEATURES] = {
    [FEATURE_SURPRISE] = "surprise",
    [FEATURE_SURPRISE_HIGH] = "surprise_high",
    [FEATURE_SURPRISE_WORST] = "surprise_worst",
    [FEATURE_CONSONANTS] = "consonants",
    [FEATURE_LETTERS_FEW] = "letters_few",
    [FEATURE_DIGITS] = "digits",
    [FEATURE_DIGITS_TAIL] = "digits_tail",
    [FEATURE_DIGIT_CHANGES] = "digit_changes",
    [FEATURE_HEX] = "hex",
    [FEATURE_ODD_BYTES] = "odd_bytes",
    [FEATURE_KEYS] = "keys",
    [FEATURE_REPEATS] = "repeats",
    [FEATURE_LONG] = "long",
    [FEATURE_INITIAL_WORD] = "initial_word",
    [FEATURE_DOTTED] = "dotted",
    [FEATURE_UNDERSCORED] = "underscored",
    [FEATURE_HYPHENED] = "hyphened",
    [FEATURE_INITIAL] = "initial",
    [FEATURE_OTHER] = "other",
    [FEATURE_ROLE] = "role",
    [FEATURE_PATTERN] = "pattern",
};

static const char *const by_hand_names[BY_HAND_COUNT] = {
    [BY_HAND_ACCEPTED] = "earlier_accepted",
    [BY_HAND_REFUSED] = "earlier_refused",
    [BY_HAND_IMPLICIT_MX] = "implicit_mx",
};

static const char *const pattern_names[LIKENESS_PATTERNS] = {
    [LIKENESS_IS_WORD] = "word",         [LIKENESS_IS_INITIAL_WORD] = "initial_word",
    [LIKENESS_IS_DOTTED] = "dotted",     [LIKENESS_IS_UNDERSCORED] = "underscored",
    [LIKENESS_IS_HYPHENED] = "hyphened", [LIKENESS_IS_INITIAL] = "initial",
    [LIKENESS_IS_NUMBERED] = "numbered", [LIKENESS_IS_OTHER] = "other",
};

struct reading {
    struct reader reader;
    struct slice line; /* what is left of it */
    unsigned number;   /* of the line */
};

/* The next line that is no comment. */
static bool next_line(struct reading *r)
{
    do {
        r->number++;
        if (!reader_line(&r->reader, &r->line)) {
            return false;
        }
    } while (r->line.len > 0 && r->line.at[0] == '#');
    return true;
}

/* The next line begins with this word. */
static bool line_of(struct reading *r, const char *word)
{
    return next_line(r) && slice_equal(slice_cut(&r->line, ' '), slice_of(word));
}

/* The next word of the line: millionths, with a sign in front where it is below 0. */
static bool number(struct reading *r, double *out)
{
    struct reader word = reader_over(slice_cut(&r->line, ' '));
    bool is_negative = reader_literal(&word, SLICE("-"));
    uint64_t value;
    if (!reader_number(&word, MILLIONTHS_MAX, &value) || !reader_is_done(&word)) {
        return false;
    }
    *out = (double)value / MILLION * (is_negative ? -1.0 : 1.0);
    return true;
}

static bool named(struct reading *r, const char *word, const char *name)
{
    return line_of(r, word) && slice_equal(slice_cut(&r->line, ' '), slice_of(name));
}

static bool read_head(struct reading *r, struct likeness_model *model)
{
    if (!line_of(r, "version") || !slice_equal(r->line, SLICE("1"))) {
        return false;
    }
    if (!line_of(r, "date") || r->line.len != LIKENESS_DATE_BYTES - 1) {
        return false;
    }
    for (size_t i = 0; i < r->line.len; i++) {
        bool is_mark = i == 4 || i == 7;
        if (is_mark ? r->line.at[i] != '-' : !ascii_is_digit(r->line.at[i])) {
            return false;
        }
    }
    memcpy(model->date, r->line.at, r->line.len);
    return line_of(r, "constant") && number(r, &model->constant);
}

static bool read_weights(struct reading *r, struct likeness_model *model)
{
    for (size_t i = 0; i < FEATURES; i++) {
        if (!named(r, "weight", feature_names[i]) || !number(r, &model->weights[i]) ||
            !number(r, &model->means[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < BY_HAND_COUNT; i++) {
        if (!named(r, "set", by_hand_names[i]) || !number(r, &model->by_hand[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < LIKENESS_PATTERNS; i++) {
        bool is_read = named(r, "pattern", pattern_names[i]) && number(r, &model->shares[i]);
        if (!is_read || model->shares[i] <= 0.0 || model->shares[i] > 1.0) {
            return false;
        }
    }
    return true;
}

static bool read_letters(struct reading *r, uint8_t row[LETTERS])
{
    if (!line_of(r, "letters") || r->line.len != LETTERS) {
        return false;
    }
    for (size_t i = 0; i < LETTERS; i++) {
        char c = r->line.at[i];
        if (c < SURPRISE_FIRST || c > SURPRISE_FIRST + SURPRISE_MAX) {
            return false;
        }
        row[i] = (uint8_t)(c - SURPRISE_FIRST);
    }
    return true;
}

static bool read_surprise(struct reading *r, struct likeness_model *model)
{
    for (size_t a = 0; a < LETTERS; a++) {
        for (size_t b = 0; b < LETTERS; b++) {
            if (!read_letters(r, model->surprise[a][b])) {
                return false;
            }
        }
    }
    return true;
}

static bool read_hash(struct reading *r, uint64_t *out)
{
    if (!line_of(r, "hash") || r->line.len != HASH_CHARS) {
        return false;
    }
    uint64_t hash = 0;
    for (size_t i = 0; i < HASH_CHARS; i++) {
        char c = r->line.at[i];
        bool is_letter = c >= 'a' && c <= 'f';
        if (!ascii_is_digit(c) && !is_letter) {
            return false;
        }
        hash = hash << 4 | (uint64_t)(is_letter ? c - 'a' + 10 : c - '0');
    }
    *out = hash;
    return reader_is_done(&r->reader);
}

static enum err read_model(struct slice text, struct likeness_model *model, struct fault *out_fault)
{
    struct reading r = {.reader = reader_over(text)};
    if (!read_head(&r, model) || !read_weights(&r, model) || !read_surprise(&r, model)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "%u: not what a model of version %d has",
                         r.number, VERSION);
    }
    size_t body = text.len - r.reader.rest.len;
    if (!read_hash(&r, &model->hash)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "%u: no hash, or more after it", r.number);
    }
    if (slice_hash(slice_sub(text, 0, body), 0) != model->hash) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "%u: another hash than that of the lines before: the file was changed",
                         r.number);
    }
    return ERR_NONE;
}

enum err likeness_model_parse(struct slice text, struct likeness_model **out,
                              struct fault *out_fault)
{
    if (text.len > LIKENESS_MODEL_BYTES_MAX) {
        return fault_set(out_fault, ERR_LIMIT, 0, "1: longer than %d bytes",
                         LIKENESS_MODEL_BYTES_MAX);
    }
    struct likeness_model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the model");
    }
    enum err e = read_model(text, model, out_fault);
    if (e != ERR_NONE) {
        free(model);
        return e;
    }
    *out = model;
    return ERR_NONE;
}

void likeness_model_free(struct likeness_model *model)
{
    free(model);
}

const char *likeness_model_date(const struct likeness_model *model)
{
    return model->date;
}

uint64_t likeness_model_hash(const struct likeness_model *model)
{
    return model->hash;
}
