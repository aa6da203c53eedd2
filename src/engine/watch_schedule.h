/* engine/watch_schedule: when a watched list is checked again, and how old an answer may be then. Arithmetic only: time comes
 * in. Unix milliseconds.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WATCH_SCHEDULE_H
#define ENGINE_WATCH_SCHEDULE_H

#include <stdint.h>

#define WATCH_EVERY_MS_MIN (INT64_C(3600) * 1000)
#define WATCH_EVERY_MS_MAX (INT64_C(366) * 24 * 3600 * 1000)

/* The first time after now of those that lie every_ms apart, of which due_ms was one: what was missed is not made up for.
 * One that lies further ahead than every_ms comes of a clock that was wrong: then every_ms from now. */
int64_t watch_next_ms(int64_t due_ms, int64_t every_ms, int64_t now_ms);

/* How old an answer may be to be kept: the interval, less what the last run took, so that what it asked late counts as old
 * now; half the interval at least. */
int64_t watch_age_ms_max(int64_t every_ms, int64_t took_ms);

#endif
