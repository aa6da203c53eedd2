/* A local part is reduced to a mask of letters, digits and separators; the mask is stretched or cut to
 * a useful length and filled again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/control.h"

#include <string.h>

#include "base/must.h"
#include "base/random.h"
#include "base/slice.h"
#include "base/text.h"

enum {
    MASK_MAX = 512, /* of the real local part, in characters */
};

enum shape_bit { SHAPE_LONG = 1, SHAPE_PARTED = 2, SHAPE_DIGITS = 4 };

struct mask {
    char kinds[MASK_MAX]; /* 'a', '0', or the separator itself */
    size_t len;
    size_t letters, digits, separators;
};

static char kind_of(struct slice character)
{
    char c = character.at[0];
    if (character.len > 1 || ascii_is_alpha(c)) {
        return 'a';
    }
    if (ascii_is_digit(c)) {
        return '0';
    }
    return c == '.' || c == '-' || c == '_' || c == '+' ? c : 'a';
}

static struct slice without_quotes(struct slice local)
{
    bool is_quoted = local.len >= 2 && local.at[0] == '"' && local.at[local.len - 1] == '"';
    return is_quoted ? slice_sub(local, 1, local.len - 1) : local;
}

static void mask_of(struct slice local, struct mask *out)
{
    out->len = out->letters = out->digits = out->separators = 0;
    struct slice rest = without_quotes(local);
    while (rest.len > 0 && out->len < MASK_MAX) {
        unsigned code_point;
        size_t len = text_utf8_next(rest, &code_point);
        len = len == 0 ? 1 : len;
        char kind = kind_of(slice_sub(rest, 0, len));
        rest = slice_sub(rest, len, rest.len);
        bool is_separator = kind != 'a' && kind != '0';
        char last = out->len == 0 ? '.' : out->kinds[out->len - 1];
        if (is_separator && last != 'a' && last != '0') {
            continue; /* never first, never two in a row: a quoted original may have such */
        }
        out->letters += kind == 'a' ? 1 : 0;
        out->digits += kind == '0' ? 1 : 0;
        out->separators += is_separator ? 1 : 0;
        out->kinds[out->len++] = kind;
    }
    while (out->len > 0 && out->kinds[out->len - 1] != 'a' && out->kinds[out->len - 1] != '0') {
        out->len--;
        out->separators--;
    }
}

/* What mask_of would count of letters and digits alone. False: something else stands there. */
static bool count_plain(struct slice local, size_t *out_digits)
{
    size_t digits = 0;
    for (size_t i = 0; i < local.len; i++) {
        bool is_digit = ascii_is_digit(local.at[i]);
        if (!is_digit && !ascii_is_alpha(local.at[i])) {
            return false;
        }
        digits += is_digit ? 1 : 0;
    }
    *out_digits = digits;
    return true;
}

unsigned control_shape(struct slice local)
{
    UNFILLED struct mask mask;
    mask.len = local.len;
    mask.separators = 0;
    if (!count_plain(local, &mask.digits)) {
        mask_of(local, &mask);
    }
    unsigned shape = 0;
    shape |= mask.len > CONTROL_SHORT_MAX ? SHAPE_LONG : 0;
    shape |= mask.separators > 0 ? SHAPE_PARTED : 0;
    shape |= mask.digits > 0 ? SHAPE_DIGITS : 0;
    return shape;
}

bool control_is_name_shaped(struct slice local)
{
    struct mask mask;
    mask_of(local, &mask);
    if (mask.separators == 0 || mask.digits > 0) {
        return false;
    }
    size_t run = 0;
    for (size_t i = 0; i < mask.len; i++) {
        if (mask.kinds[i] == '+') {
            return false;
        }
        bool is_end = mask.kinds[i] != 'a';
        if (is_end && run < 2) {
            return false;
        }
        run = is_end ? 0 : run + 1;
    }
    return run >= 2;
}

/* Padding goes to the front, where it can break no separator. */
static void fit(struct mask *mask)
{
    char pad = mask->letters == 0 && mask->digits > 0 ? '0' : 'a';
    if (mask->len < CONTROL_CHARS_MIN) {
        size_t missing = CONTROL_CHARS_MIN - mask->len;
        memmove(mask->kinds + missing, mask->kinds, mask->len);
        memset(mask->kinds, pad, missing);
        mask->len = CONTROL_CHARS_MIN;
    }
    if (mask->len > CONTROL_CHARS_MAX) {
        mask->len = CONTROL_CHARS_MAX;
        mask->kinds[mask->len - 1] = pad; /* not a separator at the end */
    }
}

void control_make(struct slice local, uint64_t seed, char out[CONTROL_CHARS_MAX + 1])
{
    static const char consonants[] = "bdfgjklmnprstvwxzq";
    static const char vowels[] = "aeiouy";
    struct random random = {.state = seed};
    struct mask mask;
    mask_of(local, &mask);
    fit(&mask);
    bool is_vowel = random_below(&random, 2) == 0;
    for (size_t i = 0; i < mask.len; i++) {
        char kind = mask.kinds[i];
        if (kind == 'a') {
            out[i] = is_vowel ? vowels[random_below(&random, sizeof vowels - 1)]
                              : consonants[random_below(&random, sizeof consonants - 1)];
            is_vowel = !is_vowel;
        } else {
            out[i] = kind == '0' ? (char)('0' + random_below(&random, 10)) : kind;
        }
    }
    if (mask.kinds[0] == '0') {
        out[0] = '0'; /* numbers that name people (accounts, telephones) do not start so */
    }
    out[mask.len] = '\0';
}

void control_put_path(struct slice local, struct slice domain, char out[CONTROL_PATH_BYTES])
{
    must(local.len + 1 + domain.len < CONTROL_PATH_BYTES);
    memcpy(out, local.at, local.len);
    out[local.len] = '@';
    memcpy(out + local.len + 1, domain.at, domain.len);
    out[local.len + 1 + domain.len] = '\0';
}
