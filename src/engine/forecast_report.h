/* engine/forecast_report: a forecast of a whole list: a row for each provider, one for all servers of their own, one
 * for those of whom nothing is known; for people and for programs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_FORECAST_REPORT_H
#define ENGINE_FORECAST_REPORT_H

#include "engine/survey.h"

enum forecast_kind { FORECAST_PROVIDER, FORECAST_OWN_SERVERS, FORECAST_UNKNOWN_SERVERS };

struct forecast_row {
    enum forecast_kind kind;
    const struct provider *provider; /* PROVIDER only, else of the first */
    uint64_t sites, domains;
    struct forecast_total sum;
    const struct survey_site *slowest; /* of its sites */
    unsigned connections;              /* of all sites at once */
};

struct forecast_report {
    const struct census *census;
    struct survey_counts counts;
    struct forecast_assumptions assumed;
    bool has_dns;
    struct forecast_row *rows; /* most addresses first */
    size_t row_count;
    struct forecast_total total;
};

/* census and survey must outlive it. ERR_NOMEM. */
enum err forecast_report_make(const struct census *census, const struct survey *survey,
                              const struct forecast_assumptions *assumed, int64_t wall_ms,
                              struct forecast_report *out) MUST_USE;
void forecast_report_done(struct forecast_report *report);

/* A table of at most rows_max rows (0: all) with the rest as one, and what it comes to. Safe for terminals. ERR_NOMEM,
 * ERR_LIMIT. */
enum err forecast_write_text(const struct forecast_report *report, size_t rows_max, struct buf *out)
    MUST_USE;
/* One object in one line (docs of the fields: heloise-forecast(1)). */
enum err forecast_write_json(const struct forecast_report *report, struct buf *out) MUST_USE;

#endif
