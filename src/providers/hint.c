/* providers/hint: a number followed by a unit, or h:mm:ss; see the header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/hint.h"

#include "base/reader.h"
#include "base/slice.h"

enum {
    HINT_NUMBER_MAX = 1000000,
    MINUTE = 60,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
};

/* The longest name first where one begins another. Folded: lower case, no accents. */
static const struct unit {
    const char *name;
    uint32_t seconds;
    bool is_prefix; /* more letters may follow: plural, case endings, other scripts */
} units[] = {
    {"sec", 1, true},
    {"sek", 1, true},
    {"s", 1, false},
    {"segundo", 1, true},
    {"\u79d2", 1, true},
    {"\u0441\u0435\u043a", 1, true},
    {"min", MINUTE, true},
    {"m", MINUTE, false},
    {"dakika", MINUTE, true},
    {"\u5206", MINUTE, true},
    {"\ubd84", MINUTE, true},
    {"\u043c\u0438\u043d", MINUTE, true},
    {"hour", HOUR, true},
    {"hr", HOUR, true},
    {"h", HOUR, false},
    {"stunde", HOUR, true},
    {"heure", HOUR, true},
    {"hora", HOUR, true},
    {"ore", HOUR, false},
    {"ora", HOUR, false},
    {"uur", HOUR, false},
    {"godzin", HOUR, true},
    {"timm", HOUR, true},
    {"saat", HOUR, true},
    {"hodin", HOUR, true},
    {"\u5c0f\u65f6", HOUR, true},
    {"\u0447\u0430\u0441", HOUR, true},
    {"\u6642\u9593", HOUR, true},
    {"day", DAY, true},
    {"tag", DAY, true},
    {"jour", DAY, true},
};

static uint32_t unit_seconds(struct slice rest)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct slice name = slice_of(units[i].name);
        bool is_whole =
            rest.len == name.len || (rest.len > name.len && !ascii_is_alnum(rest.at[name.len]));
        if (slice_starts(rest, name) && (units[i].is_prefix || is_whole)) {
            return units[i].seconds;
        }
    }
    return 0;
}

/* What stands before the number says that it is no delay. */
static bool is_rate(struct slice before)
{
    static const char *const words[] = {"per",     "last", "past",       "previous",
                                        "every",   "/",    "within the", "les",
                                        "letzten", "max",  "pro",        "older than"};
    before = slice_trim(before);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (slice_ends(before, slice_of(words[i]))) {
            return true;
        }
    }
    return false;
}

static uint32_t bounded(uint64_t seconds)
{
    return seconds > HINT_SECONDS_MAX ? HINT_SECONDS_MAX : (uint32_t)seconds;
}

/* mm:ss or hh:mm:ss after a first number; what follows must not be a further part, and a time of day
 * ("10:15:00 GMT") is told by the date words around it, so only "in" and the like lead here. */
static bool read_clock(struct reader *r, uint64_t first, uint64_t *out_seconds)
{
    struct reader back = *r;
    uint64_t second = 0;
    uint64_t third = 0;
    if (!reader_literal(r, SLICE(":")) || !reader_number(r, 59, &second)) {
        *r = back;
        return false;
    }
    if (reader_literal(r, SLICE(":")) && reader_number(r, 59, &third)) {
        *out_seconds = first * HOUR + second * MINUTE + third;
    } else {
        *out_seconds = first * MINUTE + second;
    }
    return true;
}

static bool leads_to_delay(struct slice before)
{
    before = slice_trim(before);
    static const char *const words[] = {"in",   "after", "for", "wait",         "at least",
                                        "nach", "dans",  "en",  "retry-after:", "retry in:"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (slice_ends(before, slice_of(words[i]))) {
            return true;
        }
    }
    return false;
}

/* The delay that the number at the reader begins, or 0. */
static uint32_t delay_at(struct reader *r, struct slice before)
{
    uint64_t value = 0;
    if (!reader_number(r, HINT_NUMBER_MAX, &value)) {
        return 0;
    }
    uint64_t clock_seconds = 0;
    if (read_clock(r, value, &clock_seconds)) {
        return leads_to_delay(before) ? bounded(clock_seconds) : 0;
    }
    struct slice rest = r->rest;
    if (rest.len > 0 && (rest.at[0] == ' ' || rest.at[0] == '-')) {
        rest = slice_sub(rest, 1, rest.len);
    }
    uint32_t seconds = unit_seconds(rest);
    return seconds == 0 || is_rate(before) ? 0 : bounded(value * seconds);
}

uint32_t hint_delay(struct slice text)
{
    struct reader r = reader_over(text);
    bool is_word_start = true;
    while (!reader_is_done(&r)) {
        size_t at = text.len - r.rest.len;
        char c = r.rest.at[0];
        if (is_word_start && ascii_is_digit(c)) {
            uint32_t seconds = delay_at(&r, slice_sub(text, 0, at));
            if (seconds > 0) {
                return seconds;
            }
        }
        char skipped = ' ';
        if (text.len - r.rest.len == at) {
            (void)reader_byte(&r, &skipped);
        } else {
            skipped = '0';
        }
        /* No number in the middle of a name, an address (1.2.3.4) or a code (5.7.1). */
        is_word_start = !ascii_is_alnum(skipped) && skipped != '.' && skipped != '-';
    }
    return 0;
}
