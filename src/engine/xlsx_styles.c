/* engine/xlsx_styles: which cells' numbers are dates (ECMA-376 part 1, 18.8), and numbers as text.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/reader.h"
#include "base/slice.h"
#include "engine/xlsx_private.h"

enum {
    STYLES_MAX = 65536,  /* Excel allows 65,490 */
    FORMATS_MAX = 65536, /* own formats, and their numbers */
    NUMBER_BYTES_MAX = 64,
    DAY_S = 86400,
    CENTURIES_DAYS = 146097, /* four hundred years: the calendar repeats */
    CENTURIES_YEARS = 400,
    EPOCH_1900_DAYS = 25569, /* from 1899-12-30 to 1970-01-01 */
    EPOCH_1904_DAYS = 24107,
    LEAP_1900 = 60,         /* the day that 1900 did not have, and that spreadsheets count */
    SERIAL_MAX = 2958466,   /* the day after 9999-12-31 */
    PLAIN_WHOLE_DIGITS = 15 /* a double keeps as many */
};

static bool is_time_letter(char c)
{
    char lower = ascii_lower(c);
    return lower == 'y' || lower == 'd' || lower == 'h' || lower == 's' || lower == 'm';
}

/* [h], [mm], [s] count on; [Red], [$-409] and conditions say nothing of the kind. */
static bool is_span(struct slice inner)
{
    for (size_t i = 0; i < inner.len; i++) {
        char c = ascii_lower(inner.at[i]);
        if (c != 'h' && c != 'm' && c != 's') {
            return false;
        }
    }
    return inner.len > 0;
}

/* Letters in quotes, behind a backslash, '_' (as wide as) or '*' (filled with) are text. */
enum xlsx_shown xlsx_shown_by(struct slice format_code)
{
    struct reader r = reader_over(format_code);
    struct slice inner;
    char c;
    if (slice_starts_nocase(format_code, SLICE("General"))) {
        return XLSX_SHOWN_NUMBER;
    }
    while (reader_byte(&r, &c)) {
        if (c == '"') {
            (void)reader_until(&r, '"', &inner);
        } else if (c == '[') {
            if (reader_until(&r, ']', &inner) && is_span(inner)) {
                return XLSX_SHOWN_SPAN;
            }
        } else if (c == '\\' || c == '_' || c == '*') {
            (void)reader_byte(&r, &c);
        } else if (c == ';') {
            return XLSX_SHOWN_NUMBER; /* the first section is that of positive numbers */
        } else if (is_time_letter(c)) {
            return XLSX_SHOWN_DATE;
        }
    }
    return XLSX_SHOWN_NUMBER;
}

/* Formats that have a number and no text in the file (18.8.30), those of East Asia among them. */
static enum xlsx_shown shown_by_number(uint64_t format)
{
    bool is_date = (format >= 14 && format <= 22) || (format >= 27 && format <= 36) ||
                   format == 45 || format == 47 || (format >= 50 && format <= 58);
    return format == 46 ? XLSX_SHOWN_SPAN : is_date ? XLSX_SHOWN_DATE : XLSX_SHOWN_NUMBER;
}

struct walk {
    struct xlsx_styles *styles;
    struct buf formats; /* a byte for each own format's number, '\0': not known */
    bool is_in_cells;   /* inside cellXfs */
};

static bool number_of(const char *text, uint64_t max, uint64_t *out)
{
    struct reader r = reader_over(slice_of(text));
    return reader_number(&r, max, out) && reader_is_done(&r);
}

static enum err learn_format(struct walk *walk, const char **attributes)
{
    uint64_t number;
    if (!number_of(xlsx_attribute(attributes, "numFmtId"), FORMATS_MAX - 1, &number)) {
        return ERR_NONE;
    }
    struct buf *formats = &walk->formats;
    while (formats->len <= number) {
        enum err e = buf_append_byte(formats, '\0');
        if (e != ERR_NONE) {
            return ERR_NOMEM;
        }
    }
    enum xlsx_shown shown = xlsx_shown_by(slice_of(xlsx_attribute(attributes, "formatCode")));
    formats->at[number] = (char)(1 + shown);
    return ERR_NONE;
}

static enum err learn_style(struct walk *walk, const char **attributes)
{
    uint64_t number = 0;
    (void)number_of(xlsx_attribute(attributes, "numFmtId"), FORMATS_MAX - 1, &number);
    char own = number < walk->formats.len ? walk->formats.at[number] : '\0';
    char shown = own != '\0' ? (char)(own - 1) : (char)shown_by_number(number);
    enum err e = buf_append_byte(&walk->styles->shown, shown);
    return e == ERR_LIMIT ? ERR_NONE : e;
}

static enum err begin_style(void *context, const char *name, const char **attributes)
{
    struct walk *walk = context;
    if (strcmp(name, "cellXfs") == 0) {
        walk->is_in_cells = true;
    }
    if (strcmp(name, "numFmt") == 0) {
        return learn_format(walk, attributes);
    }
    return walk->is_in_cells && strcmp(name, "xf") == 0 ? learn_style(walk, attributes) : ERR_NONE;
}

static enum err end_style(void *context, const char *name)
{
    struct walk *walk = context;
    if (strcmp(name, "cellXfs") == 0) {
        walk->is_in_cells = false;
    }
    return ERR_NONE;
}

void xlsx_styles_done(struct xlsx_styles *styles)
{
    buf_done(&styles->shown);
}

enum err xlsx_styles_read(struct xlsx_zip *zip, const char *part_name, struct xlsx_styles *out,
                          struct fault *out_fault)
{
    static const struct xlsx_xml_events events = {begin_style, end_style, NULL};
    struct walk walk = {.styles = out};
    buf_init(&out->shown, STYLES_MAX);
    buf_init(&walk.formats, FORMATS_MAX);
    enum err e = xlsx_xml_read(zip, part_name, &events, &walk, out_fault);
    buf_done(&walk.formats);
    return e;
}

enum xlsx_shown xlsx_styles_find(const struct xlsx_styles *styles, uint64_t style)
{
    if (style >= styles->shown.len) {
        return XLSX_SHOWN_NUMBER;
    }
    switch (styles->shown.at[style]) {
    case XLSX_SHOWN_DATE: return XLSX_SHOWN_DATE;
    case XLSX_SHOWN_SPAN: return XLSX_SHOWN_SPAN;
    default: return XLSX_SHOWN_NUMBER;
    }
}

/* Numbers as text. */

/* Digits that stand in the file beyond what a double keeps are an artefact of writing it: 0.1 stands there as
 * 0.10000000000000001. */
static enum err put_plain(double number, struct buf *out)
{
    bool fits = number > -1e15 && number < 1e15;
    int64_t whole = fits ? (int64_t)number : 0;
    if (fits && number >= (double)whole && number <= (double)whole) {
        return buf_append_int(out, whole);
    }
    return buf_printf(out, "%.*g", PLAIN_WHOLE_DIGITS, number);
}

static enum err put_span(double days, struct buf *out)
{
    int64_t seconds = (int64_t)(days * DAY_S + 0.5);
    return buf_printf(out, "%lld:%02d:%02d", (long long)(seconds / 3600), (int)(seconds / 60 % 60),
                      (int)(seconds % 60));
}

static struct date date_of(int64_t serial_s, bool is_1904)
{
    int64_t days = serial_s / DAY_S;
    int64_t since_1970 = days - (is_1904 ? EPOCH_1904_DAYS : EPOCH_1900_DAYS);
    since_1970 += !is_1904 && days < LEAP_1900 ? 1 : 0;
    bool is_before = since_1970 < 0;
    struct date date =
        date_of_unix((since_1970 + (is_before ? CENTURIES_DAYS : 0)) * DAY_S + serial_s % DAY_S);
    date.year -= is_before ? CENTURIES_YEARS : 0;
    if (!is_1904 && days == LEAP_1900) {
        date.year = 1900;
        date.month = 2;
        date.day = 29;
    }
    return date;
}

static enum err put_date(double serial, bool is_1904, struct buf *out)
{
    int64_t seconds = (int64_t)(serial * DAY_S + 0.5);
    struct date date = date_of(seconds, is_1904);
    bool has_day = seconds >= DAY_S;
    bool has_time = !has_day || seconds % DAY_S != 0;
    enum err e = ERR_NONE;
    if (has_day) {
        e = buf_printf(out, "%04d-%02d-%02d", date.year, date.month, date.day);
    }
    if (e == ERR_NONE && has_time) {
        e = buf_printf(out, "%s%02d:%02d:%02d", has_day ? "T" : "", date.hour, date.minute,
                       date.second);
    }
    return e;
}

static bool parse_number(struct slice value, double *out)
{
    char text[NUMBER_BYTES_MAX];
    struct slice digits = slice_trim(value);
    if (digits.len == 0 || digits.len >= sizeof text) {
        return false;
    }
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.at[i];
        if (!ascii_is_digit(c) && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E') {
            return false;
        }
    }
    memcpy(text, digits.at, digits.len);
    text[digits.len] = '\0';
    char *end = NULL;
    double number = strtod(text, &end);
    if (*end != '\0' || !isfinite(number)) {
        return false;
    }
    *out = number;
    return true;
}

enum err xlsx_number_put(struct slice value, enum xlsx_shown shown, bool is_1904, struct buf *out)
{
    double number;
    if (!parse_number(value, &number)) {
        return buf_append(out, value);
    }
    bool is_day = number >= 0 && number < SERIAL_MAX;
    if (shown == XLSX_SHOWN_DATE && is_day) {
        return put_date(number, is_1904, out);
    }
    return shown == XLSX_SHOWN_SPAN && is_day ? put_span(number, out) : put_plain(number, out);
}
