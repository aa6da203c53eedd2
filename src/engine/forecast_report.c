/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/forecast_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/writer.h"

enum {
    SPAN_BYTES = 32,
    LABEL_COLUMNS = 30,
    KEY_SHOWN_MAX = 120, /* bytes of a site's hosts */
};

/* ---- making ---- */

static enum forecast_kind kind_of(const struct survey_site *site)
{
    return site->is_unknown                               ? FORECAST_UNKNOWN_SERVERS
           : site->provider->class == PROVIDER_SELFHOSTED ? FORECAST_OWN_SERVERS
                                                          : FORECAST_PROVIDER;
}

/* Providers are their own site, so each is met once; the two groups gather. */
static struct forecast_row *row_of(struct forecast_report *report, const struct survey_site *site,
                                   struct forecast_row *groups[3])
{
    enum forecast_kind kind = kind_of(site);
    struct forecast_row *row = kind == FORECAST_PROVIDER ? NULL : groups[kind];
    if (row == NULL) {
        row = &report->rows[report->row_count++];
        *row = (struct forecast_row){.kind = kind, .provider = site->provider};
        groups[kind] = row;
    }
    return row;
}

static int compare_rows(const void *a, const void *b)
{
    const struct forecast_row *left = a;
    const struct forecast_row *right = b;
    if (left->sum.addresses != right->sum.addresses) {
        return left->sum.addresses > right->sum.addresses ? -1 : 1;
    }
    int order = slice_compare(left->provider->name, right->provider->name);
    return order != 0 ? order : (int)left->kind - (int)right->kind;
}

static size_t count_sites(const struct survey *survey)
{
    size_t count = 0;
    for (const struct survey_site *site = survey_first(survey); site != NULL; site = site->next) {
        count++;
    }
    return count;
}

enum err forecast_report_make(const struct census *census, const struct survey *survey,
                              const struct forecast_assumptions *assumed, int64_t wall_ms,
                              struct forecast_report *out)
{
    *out = (struct forecast_report){.census = census, .assumed = *assumed};
    survey_count(survey, &out->counts);
    out->rows = calloc(count_sites(survey) + 1, sizeof *out->rows);
    if (out->rows == NULL) {
        return ERR_NOMEM;
    }
    struct forecast_row *groups[3] = {NULL};
    for (const struct survey_site *site = survey_first(survey); site != NULL; site = site->next) {
        struct forecast_outlook outlook;
        struct forecast_row *row = row_of(out, site, groups);
        traffic_forecast_site(survey_pool(survey), &site->traffic, &site->demand, assumed,
                              (uint64_t)wall_ms, &outlook);
        if (row->slowest == NULL || outlook.whole_ms > row->sum.slowest_whole_ms) {
            row->slowest = site;
        }
        row->sites++;
        row->domains += site->domains;
        row->connections += outlook.connections;
        forecast_total_add(&row->sum, &site->demand, &outlook);
        forecast_total_add(&out->total, &site->demand, &outlook);
    }
    for (size_t i = 0; i < out->row_count; i++) {
        struct forecast_row *row = &out->rows[i];
        forecast_total_finish(&row->sum, survey_pool(survey), assumed);
        if (row->connections > assumed->connections_max) {
            row->connections = assumed->connections_max;
        }
    }
    forecast_total_finish(&out->total, survey_pool(survey), assumed);
    qsort(out->rows, out->row_count, sizeof *out->rows, compare_rows);
    return ERR_NONE;
}

void forecast_report_done(struct forecast_report *report)
{
    free(report->rows);
    report->rows = NULL;
    report->row_count = 0;
}

/* ---- text ---- */

static const char *limit_words(enum forecast_limit limit)
{
    static const char *const words[FORECAST_LIMIT_COUNT] = {
        [FORECAST_NOTHING] = "nothing to ask",
        [FORECAST_ROUND_TRIPS] = "round trips",
        [FORECAST_CONNECTIONS] = "connections",
        [FORECAST_GAP] = "gap between connections",
        [FORECAST_PACE] = "pace",
        [FORECAST_REFUSALS] = "refusals an hour",
        [FORECAST_WARM_UP] = "warm-up",
        [FORECAST_BUDGET] = "budget of a day",
        [FORECAST_NO_WAY] = "no way out reaches it",
        [FORECAST_ALL_CONNECTIONS] = "connections in all",
        [FORECAST_GREYLISTING] = "greylisting",
    };
    return words[limit];
}

/* "0:07", "2h05", "3d04h"; what is estimated in days is not known to the minute. */
static const char *span(uint64_t ms, char out[SPAN_BYTES])
{
    uint64_t s = (ms + 999) / 1000;
    if (ms >= FORECAST_FOREVER_MS) {
        (void)snprintf(out, SPAN_BYTES, "over 10 years");
    } else if (s < 3600) {
        (void)snprintf(out, SPAN_BYTES, "%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
    } else if (s < 86400) {
        (void)snprintf(out, SPAN_BYTES, "%" PRIu64 "h%02" PRIu64, s / 3600, s / 60 % 60);
    } else {
        (void)snprintf(out, SPAN_BYTES, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
    }
    return out;
}

static void put_counts(struct writer *w, const struct forecast_report *report)
{
    const struct census *census = report->census;
    const struct {
        uint64_t count;
        const char *words;
    } parts[] = {
        {census->duplicates, "stand there before"},
        {census->invalid_rows, "are no addresses"},
        {census->bad_rows, "cannot be read as rows"},
        {census->fresh, "have a verdict that is still good"},
        {report->counts.no_mail.addresses, "of these are at domains that take no mail"},
        {report->counts.unanswered.addresses,
         "of these are at domains for which the name service gave no answer"},
        {report->counts.not_asked.addresses, "of these are not asked: so it is set"},
    };
    writer_printf(w, "%" PRIu64 " rows: %" PRIu64 " addresses to ask at %zu domains\n",
                  census->rows, census->addresses, census->domain_count);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].count > 0) {
            writer_printf(w, "  %10" PRIu64 "  %s\n", parts[i].count, parts[i].words);
        }
    }
}

static void put_label(struct writer *w, const struct forecast_row *row)
{
    switch (row->kind) {
    case FORECAST_PROVIDER: writer_put_safe(w, row->provider->label); return;
    case FORECAST_OWN_SERVERS: writer_printf(w, "own servers (%" PRIu64 ")", row->sites); return;
    case FORECAST_UNKNOWN_SERVERS: writer_printf(w, "unknown (%" PRIu64 ")", row->sites); return;
    }
}

/* From where the line began, in characters that are mostly one byte. */
static void pad(struct writer *w, size_t before)
{
    while (w->err == ERR_NONE && w->out->len - before < LABEL_COLUMNS) {
        writer_put(w, " ");
    }
}

static void put_row(struct writer *w, const struct forecast_row *row)
{
    const struct forecast_total *sum = &row->sum;
    char time[SPAN_BYTES];
    size_t before = w->out->len;
    put_label(w, row);
    pad(w, before);
    writer_printf(w, "%10" PRIu64 " %8" PRIu64 " %10.0f %6u %14s  %s", sum->addresses, row->domains,
                  sum->asked, row->connections, span(sum->time_ms, time), limit_words(sum->limit));
    if (sum->skipped > 0) {
        writer_printf(w, "; up to %" PRIu64 " skipped", sum->skipped);
    }
    writer_put(w, "\n");
}

/* The rows from there on, as one. */
static void put_rest(struct writer *w, const struct forecast_report *report, size_t from)
{
    uint64_t addresses = 0, domains = 0, skipped = 0, time_ms = 0;
    double asked = 0;
    for (size_t i = from; i < report->row_count; i++) {
        const struct forecast_row *row = &report->rows[i];
        addresses += row->sum.addresses;
        domains += row->domains;
        skipped += row->sum.skipped;
        asked += row->sum.asked;
        time_ms = row->sum.time_ms > time_ms ? row->sum.time_ms : time_ms;
    }
    char time[SPAN_BYTES];
    size_t before = w->out->len;
    writer_printf(w, "%zu more", report->row_count - from);
    pad(w, before);
    writer_printf(w, "%10" PRIu64 " %8" PRIu64 " %10.0f %6s %14s", addresses, domains, asked, "",
                  span(time_ms, time));
    if (skipped > 0) {
        writer_printf(w, "  up to %" PRIu64 " skipped", skipped);
    }
    writer_put(w, "\n");
}

static void put_table(struct writer *w, const struct forecast_report *report, size_t rows_max)
{
    size_t shown = report->row_count;
    if (rows_max > 0 && shown > rows_max + 1) {
        shown = rows_max;
    }
    writer_printf(w, "\n%-*s%10s %8s %10s %6s %14s  %s\n", LABEL_COLUMNS, "served by", "addresses",
                  "domains", "questions", "lines", "time", "bound by");
    for (size_t i = 0; i < shown; i++) {
        put_row(w, &report->rows[i]);
    }
    if (shown < report->row_count) {
        put_rest(w, report, shown);
    }
}

/* The row whose slowest site makes the whole as slow as it is. */
static const struct forecast_row *slowest_row(const struct forecast_report *report)
{
    for (size_t i = 0; i < report->row_count; i++) {
        if (report->rows[i].sum.slowest_whole_ms == report->total.slowest_whole_ms) {
            return &report->rows[i];
        }
    }
    return NULL;
}

static struct slice site_name(const struct forecast_row *row)
{
    struct slice key = slice_trim(row->slowest->key);
    return row->kind == FORECAST_PROVIDER ? row->provider->label : slice_sub(key, 0, KEY_SHOWN_MAX);
}

static void put_skipped(struct writer *w, const struct forecast_total *total)
{
    char whole[SPAN_BYTES];
    if (total->skipped == 0) {
        return;
    }
    if (total->wait_ms == 0) {
        writer_printf(w, "%" PRIu64 " addresses cannot be asked.\n", total->skipped);
        return;
    }
    writer_printf(w,
                  "Up to %" PRIu64
                  " addresses would end as unknown/skipped, since their turn comes too late for "
                  "limits.queue-wait.\nWith --set limits.queue-wait=%" PRIu64
                  "m all are asked, in about %s.\n",
                  total->skipped, total->wait_ms / 60000 + 1, span(total->whole_ms, whole));
}

static void put_total(struct writer *w, const struct forecast_report *report)
{
    const struct forecast_total *total = &report->total;
    const struct forecast_row *row = slowest_row(report);
    char time[SPAN_BYTES];
    writer_printf(w, "\nIn all about %s, %.0f questions in %.0f conversations.",
                  span(total->time_ms, time), total->asked, total->conversations);
    if (row != NULL && total->whole_ms > 0) {
        writer_printf(w, "%s: %s",
                      total->skipped > 0 ? " What would take longest, were all asked"
                                         : " What takes longest",
                      limit_words(total->limit));
        if (total->limit == row->sum.slowest_limit) {
            writer_put(w, " at ");
            writer_put_safe(w, site_name(row));
        }
        writer_put(w, ".");
    }
    writer_put(w, "\n");
    put_skipped(w, total);
}

static void put_assumed(struct writer *w, const struct forecast_assumptions *assumed)
{
    writer_printf(w,
                  "Assumed: %.4g %% unknown mailboxes (--invalid-share), %" PRIu32
                  " ms from a command to its answer (--rtt), %.4g %% greylisted at own servers "
                  "(--greylist-share).\n",
                  assumed->invalid_share * 100, assumed->rtt_ms, assumed->greylist_share * 100);
}

enum err forecast_write_text(const struct forecast_report *report, size_t rows_max, struct buf *out)
{
    struct writer w = {.out = out};
    put_counts(&w, report);
    if (report->row_count == 0) {
        writer_put(&w, "No mail server would be asked.\n");
    } else {
        put_table(&w, report, rows_max);
        put_total(&w, report);
        put_assumed(&w, &report->assumed);
    }
    return w.err;
}

/* ---- JSON ---- */

static void write_figures(struct json_writer *w, const struct forecast_total *sum)
{
    json_int(w, "addresses", (int64_t)sum->addresses);
    json_int(w, "probes", (int64_t)(sum->asked + 0.5));
    json_int(w, "conversations", (int64_t)sum->conversations);
    json_int(w, "skipped", (int64_t)sum->skipped);
    json_real(w, "time_s", (double)sum->time_ms / 1000);
    json_real(w, "whole_time_s", (double)sum->whole_ms / 1000);
    json_bool(w, "is_endless", sum->whole_ms >= FORECAST_FOREVER_MS);
    json_real(w, "wait_s", (double)sum->wait_ms / 1000);
    json_string(w, "limit", slice_of(forecast_limit_name(sum->limit)));
}

static void write_row(struct json_writer *w, const struct forecast_row *row)
{
    static const char *const kinds[] = {"provider", "own_servers", "unknown"};
    json_open(w, NULL, '{');
    json_string(w, "kind", slice_of(kinds[row->kind]));
    if (row->kind == FORECAST_PROVIDER) {
        json_string(w, "provider", row->provider->name);
        json_string(w, "label", row->provider->label);
    } else {
        json_null(w, "provider");
        json_null(w, "label");
    }
    json_int(w, "sites", (int64_t)row->sites);
    json_int(w, "domains", (int64_t)row->domains);
    json_int(w, "connections", row->connections);
    write_figures(w, &row->sum);
    json_string(w, "slowest_site", slice_trim(row->slowest->key));
    json_close(w, '}');
}

static void write_tally(struct json_writer *w, const char *key, const struct survey_tally *tally)
{
    json_open(w, key, '{');
    json_int(w, "domains", (int64_t)tally->domains);
    json_int(w, "addresses", (int64_t)tally->addresses);
    json_close(w, '}');
}

static void write_list(struct json_writer *w, const struct forecast_report *report)
{
    const struct census *census = report->census;
    json_open(w, "list", '{');
    json_int(w, "rows", (int64_t)census->rows);
    json_int(w, "bad_rows", (int64_t)census->bad_rows);
    json_int(w, "invalid", (int64_t)census->invalid_rows);
    json_int(w, "duplicates", (int64_t)census->duplicates);
    json_int(w, "fresh", (int64_t)census->fresh);
    json_int(w, "addresses", (int64_t)census->addresses);
    json_int(w, "domains", (int64_t)census->domain_count);
    write_tally(w, "no_mail", &report->counts.no_mail);
    write_tally(w, "unanswered", &report->counts.unanswered);
    write_tally(w, "not_asked", &report->counts.not_asked);
    json_close(w, '}');
}

static void write_assumed(struct json_writer *w, const struct forecast_report *report)
{
    const struct forecast_assumptions *assumed = &report->assumed;
    json_open(w, "assumed", '{');
    json_real(w, "invalid_share", assumed->invalid_share);
    json_real(w, "greylist_share", assumed->greylist_share);
    json_real(w, "rtt_s", assumed->rtt_ms / 1000.0);
    json_real(w, "queue_wait_s", (double)assumed->queue_wait_ms / 1000);
    json_bool(w, "has_dns", report->has_dns);
    json_close(w, '}');
}

enum err forecast_write_json(const struct forecast_report *report, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    write_list(&w, report);
    write_assumed(&w, report);
    json_open(&w, "served_by", '[');
    for (size_t i = 0; i < report->row_count; i++) {
        write_row(&w, &report->rows[i]);
    }
    json_close(&w, ']');
    json_open(&w, "total", '{');
    write_figures(&w, &report->total);
    json_close(&w, '}');
    json_close(&w, '}');
    return w.err != ERR_NONE ? w.err : buf_append_byte(out, '\n');
}
