/* base/date: Unix time as a date and time of day, UTC, in the Gregorian calendar; without the system's tables of zones,
 * whose reading a short run would wait for.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdint.h>

struct date {
    int year;       /* 1970 to 9999 */
    int month, day; /* from 1 on */
    int hour, minute, second;
};

/* The last second that has a date here. */
#define DATE_UNIX_S_MAX INT64_C(253402300799)

/* What lies before 1970 or after DATE_UNIX_S_MAX is taken for that. */
struct date date_of_unix(int64_t seconds);

/* "2026-11-21T08:09:10.123Z" (RFC 3339 5.6), NUL-terminated; empty outside of those years. Returns out. */
enum { DATE_TIME_BYTES = 25 };
const char *date_time_text(int64_t unix_ms, char out[DATE_TIME_BYTES]);

#endif
