/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include <stdio.h>

#include "base/reader.h"
#include "base/slice.h"

static const struct {
    const char *name;
    uint64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
enum { UNITS = sizeof units / sizeof *units };

void span_write(uint64_t ms, char out[SPAN_TEXT_BYTES])
{
    size_t unit = 0;
    for (size_t i = 1; i < UNITS && ms > 0; i++) {
        unit = ms % units[i].ms == 0 ? i : unit;
    }
    (void)snprintf(out, SPAN_TEXT_BYTES, "%llu%s", (unsigned long long)(ms / units[unit].ms),
                   ms == 0 ? "s" : units[unit].name);
}

bool span_read(struct slice text, bool takes_seconds, uint64_t max_ms, uint64_t *out_ms)
{
    struct reader r = reader_over(text);
    uint64_t number;
    if (!reader_number(&r, max_ms, &number)) {
        return false;
    }
    uint64_t unit_ms = takes_seconds && r.rest.len == 0 ? 1000 : 0;
    for (size_t i = 0; i < UNITS; i++) {
        unit_ms = slice_equal(r.rest, slice_of(units[i].name)) ? units[i].ms : unit_ms;
    }
    if (unit_ms == 0 || number > max_ms / unit_ms) {
        return false;
    }
    *out_ms = number * unit_ms;
    return true;
}

struct timespec span_after(struct timespec moment, uint32_t ms)
{
    enum { SECOND_MS = 1000, SECOND_NS = 1000000000, MS_NS = 1000000 };
    moment.tv_sec += ms / SECOND_MS;
    moment.tv_nsec += (long)(ms % SECOND_MS) * MS_NS;
    if (moment.tv_nsec >= SECOND_NS) {
        moment.tv_sec++;
        moment.tv_nsec -= SECOND_NS;
    }
    return moment;
}
