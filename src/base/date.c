/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"

enum {
    DAY_S = 86400,
    ERA_DAYS = 146097,      /* of 400 years, after which the calendar repeats itself */
    FIRST_DAY = 719468,     /* 1970-01-01, counted from 0000-03-01 */
    LEAP_CYCLE_DAYS = 1461, /* four years */
    FIVE_MONTHS_DAYS = 153, /* of any five from March on: 31, 30, 31, 30, 31 */
};

/* Years begin with March here, so that a leap day is the last of its year. */
struct date date_of_unix(int64_t seconds)
{
    int64_t given = seconds < 0 ? 0 : seconds > DATE_UNIX_S_MAX ? DATE_UNIX_S_MAX : seconds;
    int days = (int)(given / DAY_S) + FIRST_DAY;
    int rest = (int)(given % DAY_S);
    int era = days / ERA_DAYS;
    int day_of_era = days % ERA_DAYS;
    int year_of_era = (day_of_era - day_of_era / (LEAP_CYCLE_DAYS - 1) + day_of_era / 36524 -
                       day_of_era / (ERA_DAYS - 1)) /
                      365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / FIVE_MONTHS_DAYS; /* 0: March */
    return (struct date){
        .year = era * 400 + year_of_era + (month >= 10 ? 1 : 0),
        .month = month < 10 ? month + 3 : month - 9,
        .day = day_of_year - (FIVE_MONTHS_DAYS * month + 2) / 5 + 1,
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
    };
}

static char *put_digits(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

/* RFC 3339 5.6. By hand: two for each record. */
const char *date_time_text(int64_t unix_ms, char out[DATE_TIME_BYTES])
{
    if (unix_ms < 0 || unix_ms >= (DATE_UNIX_S_MAX + 1) * 1000) {
        out[0] = '\0';
        return out;
    }
    struct date date = date_of_unix(unix_ms / 1000);
    char *at = put_digits(out, date.year, 4);
    *at++ = '-';
    at = put_digits(at, date.month, 2);
    *at++ = '-';
    at = put_digits(at, date.day, 2);
    *at++ = 'T';
    at = put_digits(at, date.hour, 2);
    *at++ = ':';
    at = put_digits(at, date.minute, 2);
    *at++ = ':';
    at = put_digits(at, date.second, 2);
    *at++ = '.';
    at = put_digits(at, (int)(unix_ms % 1000), 3);
    *at++ = 'Z';
    *at = '\0';
    return out;
}
