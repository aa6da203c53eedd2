/* verify/health: the judge: every check in turn, and the grade.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/health.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "verify/health_private.h"

enum { TEXT_BYTES = 2048 };

static const struct health_checks *const tables[] = {
    &health_dns_checks,   &health_mx_checks,  &health_spf_checks,   &health_dkim_checks,
    &health_dmarc_checks, &health_tls_checks, &health_brand_checks, &health_list_checks,
};

/* What a kind of finding takes off; once for each check, so that ten hosts with one mistake count as one mistake. */
static const unsigned costs[] = {
    [HEALTH_UNKNOWN] = 0, [HEALTH_ADVICE] = 2,    [HEALTH_WARNING] = 11,
    [HEALTH_ERROR] = 25,  [HEALTH_CRITICAL] = 60,
};

static const char *keep(struct health_judge *j, const char *text)
{
    struct slice kept;
    if (text == NULL || text[0] == '\0') {
        return "";
    }
    if (arena_copy(&j->facts->arena, slice_of(text), &kept) != ERR_NONE) {
        j->err = ERR_NOMEM;
        return "";
    }
    return kept.at;
}

void health_say(struct health_judge *j, const char *todo, const char *record, const char *format,
                ...)
{
    char text[TEXT_BYTES];
    struct health_report *report = j->report;
    if (report->count == HEALTH_FINDINGS_MAX) {
        report->is_cut = true;
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    report->findings[report->count++] = (struct health_finding){
        .check = j->check,
        .text = keep(j, text),
        .todo = keep(j, todo),
        .record = keep(j, record),
    };
}

const char *health_text_of(struct health_judge *j, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return keep(j, text);
}

static void add_grade(struct health_report *report)
{
    unsigned cost = 0;
    report->worst = HEALTH_UNKNOWN;
    for (size_t i = 0; i < report->count; i++) {
        const struct health_check *check = report->findings[i].check;
        bool is_first = i == 0 || report->findings[i - 1].check != check;
        cost += is_first ? costs[check->level] : 0;
        report->worst = check->level > report->worst ? check->level : report->worst;
    }
    report->score = cost > 100 ? 0 : 100 - cost;
    report->grade = report->score >= 90   ? 'A'
                    : report->score >= 80 ? 'B'
                    : report->score >= 65 ? 'C'
                    : report->score >= 50 ? 'D'
                                          : 'F';
}

enum err health_judge(struct health_facts *facts, struct health_report *out)
{
    struct health_judge judge = {.facts = facts, .report = out};
    *out = (struct health_report){.count = 0};
    for (size_t i = 0; health_check_at(i) != NULL; i++) {
        judge.check = health_check_at(i);
        bool is_there = facts->soa != DNS_ANSWER_NOT_FOUND && facts->soa != DNS_ANSWER_ERROR;
        if (is_there || judge.check->area == HEALTH_DNS) {
            judge.check->look(&judge);
        }
    }
    add_grade(out);
    return judge.err;
}

const struct health_check *health_check_at(size_t index)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (index < tables[i]->count) {
            return &tables[i]->at[index];
        }
        index -= tables[i]->count;
    }
    return NULL;
}

static const struct {
    const char *name, *label;
} areas[] = {
    [HEALTH_DNS] = {"dns", "Domain and name servers"},
    [HEALTH_MX] = {"mx", "Mail servers (MX)"},
    [HEALTH_SPF] = {"spf", "SPF"},
    [HEALTH_DKIM] = {"dkim", "DKIM"},
    [HEALTH_DMARC] = {"dmarc", "DMARC"},
    [HEALTH_MTA_STS] = {"mta_sts", "MTA-STS"},
    [HEALTH_TLS_RPT] = {"tls_rpt", "TLS reports"},
    [HEALTH_DANE] = {"dane", "DANE and DNSSEC"},
    [HEALTH_BIMI] = {"bimi", "BIMI"},
    [HEALTH_AUTODISCOVERY] = {"autodiscovery", "Settings for mail programs"},
    [HEALTH_LISTS] = {"lists", "Block lists and age"},
};

const char *health_area_name(enum health_area area)
{
    must(area < HEALTH_AREAS);
    return areas[area].name;
}

const char *health_area_label(enum health_area area)
{
    must(area < HEALTH_AREAS);
    return areas[area].label;
}

const char *health_level_name(enum health_level level)
{
    switch (level) {
    case HEALTH_UNKNOWN: return "unknown";
    case HEALTH_ADVICE: return "advice";
    case HEALTH_WARNING: return "warning";
    case HEALTH_ERROR: return "error";
    case HEALTH_CRITICAL: return "critical";
    }
    return "unknown";
}

const char *health_key_from_name(enum health_key_from from)
{
    switch (from) {
    case HEALTH_KEY_GIVEN: return "given";
    case HEALTH_KEY_MAIL: return "mail";
    case HEALTH_KEY_COMMON: return "common";
    }
    return "common";
}
