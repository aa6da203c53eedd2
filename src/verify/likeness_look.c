/* verify/likeness_look: what a local part looks like, as numbers. tools/train_score.py has the same in Python;
 * tests/verify/likeness_vectors.txt holds both together.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/slice.h"
#include "verify/likeness_private.h"

enum {
    INITIAL_COST = 33,   /* ln 26, in tenths of a nat: any letter may be an initial */
    INITIAL_MARGIN = 15, /* so much less surprising it must be as an initial and a word */
    INITIAL_WORD_MIN = 4,
    WORDS_MAX = 4,  /* of a name */
    NUMBER_MAX = 4, /* digits of a year, or of one's turn */
    CONSONANTS_USUAL = 3,
    LENGTH_USUAL = 16,
    CHANGES_MAX = 8,
    KEYS_MIN = 4,
    REPEATS_MIN = 3,
    HEX_MIN = 8,
};

#define SURPRISE_USUAL 2.8
#define WORST_USUAL    5.0
#define LENGTH_UNIT    8.0

/* Of one kind, as long as it goes. */
enum kind { KIND_LETTERS, KIND_DIGITS, KIND_MARK, KIND_ODD };
struct run {
    enum kind kind;
    uint8_t from, len;
};

struct look {
    struct slice text;
    char bytes[LOCAL_MAX];
    struct run runs[LOCAL_MAX];
    size_t run_count;
    unsigned counts[KIND_ODD + 1]; /* bytes of each kind */
    unsigned surprise, worst, steps;
    bool has_initial_word;
};

static enum kind kind_of(char c)
{
    if (c >= 'a' && c <= 'z') {
        return KIND_LETTERS;
    }
    if (ascii_is_digit(c)) {
        return KIND_DIGITS;
    }
    return c == '.' || c == '_' || c == '-' ? KIND_MARK : KIND_ODD;
}

/* Lower case, at most LOCAL_MAX bytes, without what follows a plus. */
static void tidy(struct slice local, struct look *look)
{
    size_t len = local.len < LOCAL_MAX ? local.len : LOCAL_MAX;
    for (size_t i = 0; i < len; i++) {
        look->bytes[i] = ascii_lower(local.at[i]);
    }
    look->text = slice_make(look->bytes, len);
    size_t plus = slice_find_byte(look->text, '+', 0);
    if (plus > 0) {
        look->text = slice_sub(look->text, 0, plus);
    }
}

static void split(struct look *look)
{
    for (size_t i = 0; i < look->text.len; i++) {
        enum kind kind = kind_of(look->text.at[i]);
        look->counts[kind]++;
        if (look->run_count == 0 || look->runs[look->run_count - 1].kind != kind) {
            look->runs[look->run_count++] = (struct run){.kind = kind, .from = (uint8_t)i};
        }
        look->runs[look->run_count - 1].len++;
    }
}

static unsigned word_surprise(const struct likeness_model *model, struct slice word,
                              unsigned *out_worst)
{
    size_t a = 0;
    size_t b = 0;
    unsigned sum = 0;
    *out_worst = 0;
    for (size_t i = 0; i <= word.len; i++) {
        size_t c = i < word.len ? (size_t)(word.at[i] - 'a' + 1) : 0;
        unsigned surprise = model->surprise[a][b][c];
        sum += surprise;
        *out_worst = surprise > *out_worst ? surprise : *out_worst;
        a = b;
        b = c;
    }
    return sum;
}

/* Read as a word, or as an initial and a word where that is much less surprising. */
static void look_at_word(const struct likeness_model *model, struct slice word, struct look *look)
{
    unsigned worst;
    unsigned surprise = word_surprise(model, word, &worst);
    if (word.len >= INITIAL_WORD_MIN) {
        unsigned rest_worst;
        unsigned rest = word_surprise(model, slice_sub(word, 1, word.len), &rest_worst);
        if (INITIAL_COST + rest + INITIAL_MARGIN < surprise) {
            surprise = INITIAL_COST + rest;
            worst = rest_worst;
            look->has_initial_word = true;
        }
    }
    look->surprise += surprise;
    look->worst = worst > look->worst ? worst : look->worst;
    look->steps += (unsigned)word.len + 1;
}

static void look_at_words(const struct likeness_model *model, struct look *look)
{
    for (size_t i = 0; i < look->run_count; i++) {
        const struct run *run = &look->runs[i];
        if (run->kind == KIND_LETTERS && run->len >= 2) { /* one letter is an initial */
            look_at_word(model, slice_sub(look->text, run->from, (size_t)run->from + run->len),
                         look);
        }
    }
}

static unsigned count_runs(const struct look *look, enum kind kind)
{
    unsigned count = 0;
    for (size_t i = 0; i < look->run_count; i++) {
        count += look->runs[i].kind == kind ? 1 : 0;
    }
    return count;
}

/* Words parted by single marks, each the same one. */
static enum likeness_pattern pattern_of_words(const struct look *look)
{
    bool has_initial = false;
    char mark = '\0';
    bool is_mixed = false;
    for (size_t i = 0; i < look->run_count; i++) {
        const struct run *run = &look->runs[i];
        if ((run->kind == KIND_LETTERS) != (i % 2 == 0) || (i % 2 == 1 && run->len != 1)) {
            return LIKENESS_IS_OTHER;
        }
        char first = look->text.at[run->from];
        has_initial = has_initial || (i % 2 == 0 && run->len == 1);
        is_mixed = is_mixed || (i % 2 == 1 && mark != '\0' && mark != first);
        mark = i % 2 == 1 ? first : mark;
    }
    if (look->run_count % 2 == 0 || look->run_count / 2 >= WORDS_MAX) {
        return LIKENESS_IS_OTHER;
    }
    if (has_initial) {
        return LIKENESS_IS_INITIAL;
    }
    if (is_mixed) {
        return LIKENESS_IS_OTHER;
    }
    return mark == '.'   ? LIKENESS_IS_DOTTED
           : mark == '_' ? LIKENESS_IS_UNDERSCORED
                         : LIKENESS_IS_HYPHENED;
}

static enum likeness_pattern pattern_of(const struct look *look)
{
    if (look->counts[KIND_LETTERS] == 0 || look->counts[KIND_ODD] > 0) {
        return LIKENESS_IS_OTHER;
    }
    const struct run *last = &look->runs[look->run_count - 1];
    if (look->counts[KIND_DIGITS] > 0) {
        bool is_number = last->kind == KIND_DIGITS && last->len <= NUMBER_MAX &&
                         count_runs(look, KIND_DIGITS) == 1;
        return is_number ? LIKENESS_IS_NUMBERED : LIKENESS_IS_OTHER;
    }
    if (look->run_count == 1) {
        return look->has_initial_word ? LIKENESS_IS_INITIAL_WORD : LIKENESS_IS_WORD;
    }
    return pattern_of_words(look);
}

/* The longest walk along one row of keys, in either direction. */
static unsigned walk_along(struct slice row, struct slice text)
{
    unsigned best = 0;
    unsigned length = 0;
    bool has_last = false;
    size_t last = 0;
    int step = 0; /* 1: to the right, -1: to the left, 0: it has just begun */
    for (size_t i = 0; i < text.len; i++) {
        size_t at = slice_find_byte(row, text.at[i], 0);
        bool is_there = at < row.len;
        int move = is_there && has_last ? (at == last + 1) - (last == at + 1) : 0;
        if (move != 0 && (step == 0 || move == step)) {
            length++;
        } else {
            length = move != 0 ? 2 : is_there ? 1 : 0;
        }
        step = move;
        last = at;
        has_last = is_there;
        best = length > best ? length : best;
    }
    return best;
}

static unsigned longest_keys(struct slice text)
{
    static const char *const rows[] = {"qwertyuiop", "asdfghjkl", "zxcvbnm",    "1234567890",
                                       "qwertzuiop", "yxcvbnm",   "azertyuiop", "qsdfghjklm"};
    unsigned best = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned length = walk_along(slice_of(rows[i]), text);
        best = length > best ? length : best;
    }
    return best;
}

static unsigned longest_repeat(struct slice text)
{
    unsigned best = 0;
    unsigned length = 0;
    for (size_t i = 0; i < text.len; i++) {
        length = i > 0 && text.at[i] == text.at[i - 1] ? length + 1 : 1;
        best = length > best ? length : best;
    }
    return best;
}

static unsigned longest_consonants(struct slice text)
{
    const struct slice vowels = SLICE("aeiouy");
    unsigned best = 0;
    unsigned length = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool is_vowel = slice_find_byte(vowels, text.at[i], 0) < vowels.len;
        length = kind_of(text.at[i]) == KIND_LETTERS && !is_vowel ? length + 1 : 0;
        best = length > best ? length : best;
    }
    return best;
}

static unsigned digit_changes(const struct look *look)
{
    unsigned changes = 0;
    for (size_t i = 1; i < look->run_count; i++) {
        enum kind a = look->runs[i - 1].kind;
        enum kind b = look->runs[i].kind;
        changes += a != b && a <= KIND_DIGITS && b <= KIND_DIGITS ? 1 : 0;
    }
    return changes;
}

static bool is_hex(const struct look *look)
{
    for (size_t i = 0; i < look->text.len; i++) {
        char c = look->text.at[i];
        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f') && c != '-') {
            return false;
        }
    }
    return look->text.len >= HEX_MIN && look->counts[KIND_DIGITS] >= 2 &&
           look->counts[KIND_LETTERS] >= 1;
}

static double above(double value, double usual)
{
    return value > usual ? value - usual : 0.0;
}

static void look_at_letters(const struct look *look, double f[FEATURES])
{
    double mean = look->steps > 0 ? (double)look->surprise / look->steps / 10.0 : 0.0;
    f[FEATURE_SURPRISE] = mean;
    f[FEATURE_SURPRISE_HIGH] = above(mean, SURPRISE_USUAL);
    f[FEATURE_SURPRISE_WORST] = above(look->worst / 10.0, WORST_USUAL);
    f[FEATURE_CONSONANTS] = above(longest_consonants(look->text), CONSONANTS_USUAL);
    f[FEATURE_LETTERS_FEW] = look->counts[KIND_LETTERS] < 3 ? 1.0 : 0.0;
}

static void look_at_rest(const struct look *look, enum likeness_pattern pattern, double f[FEATURES])
{
    double length = look->text.len > 0 ? (double)look->text.len : 1.0;
    unsigned keys = longest_keys(look->text);
    unsigned repeat = longest_repeat(look->text);
    double changes = above(digit_changes(look), 1.0);
    f[FEATURE_DIGITS] = look->counts[KIND_DIGITS] / length;
    f[FEATURE_DIGITS_TAIL] = pattern == LIKENESS_IS_NUMBERED ? 1.0 : 0.0;
    f[FEATURE_DIGIT_CHANGES] = changes < CHANGES_MAX ? changes : CHANGES_MAX;
    f[FEATURE_HEX] = is_hex(look) ? 1.0 : 0.0;
    f[FEATURE_ODD_BYTES] = look->counts[KIND_ODD] / length;
    f[FEATURE_KEYS] = keys >= KEYS_MIN ? keys / length : 0.0;
    f[FEATURE_REPEATS] = repeat >= REPEATS_MIN ? repeat / length : 0.0;
    f[FEATURE_LONG] = above((double)look->text.len, LENGTH_USUAL) / LENGTH_UNIT;
}

static void set_pattern(enum likeness_pattern pattern, double f[FEATURES])
{
    switch (pattern) {
    case LIKENESS_IS_INITIAL_WORD: f[FEATURE_INITIAL_WORD] = 1.0; return;
    case LIKENESS_IS_DOTTED: f[FEATURE_DOTTED] = 1.0; return;
    case LIKENESS_IS_UNDERSCORED: f[FEATURE_UNDERSCORED] = 1.0; return;
    case LIKENESS_IS_HYPHENED: f[FEATURE_HYPHENED] = 1.0; return;
    case LIKENESS_IS_INITIAL: f[FEATURE_INITIAL] = 1.0; return;
    case LIKENESS_IS_OTHER: f[FEATURE_OTHER] = 1.0; return;
    case LIKENESS_IS_WORD:     /* what the others are weighed against */
    case LIKENESS_IS_NUMBERED: /* has a feature of its own */
    case LIKENESS_PATTERNS: break;
    }
}

static void look_over(const struct likeness_model *model, struct slice local, struct look *out)
{
    memset(out, 0, sizeof *out);
    tidy(local, out);
    split(out);
    look_at_words(model, out);
}

void likeness_look(const struct likeness_model *model, struct slice local,
                   double out_features[FEATURES], enum likeness_pattern *out_pattern)
{
    struct look look;
    look_over(model, local, &look);
    *out_pattern = pattern_of(&look);
    memset(out_features, 0, FEATURES * sizeof *out_features);
    look_at_letters(&look, out_features);
    look_at_rest(&look, *out_pattern, out_features);
    set_pattern(*out_pattern, out_features);
}

enum likeness_pattern likeness_pattern(const struct likeness_model *model, struct slice local)
{
    struct look look;
    look_over(model, local, &look);
    return pattern_of(&look);
}

bool likeness_is_blind(struct slice local)
{
    for (size_t i = 0; i < local.len; i++) {
        if ((unsigned char)local.at[i] >= 0x80) {
            return true;
        }
    }
    return local.len == 0;
}
