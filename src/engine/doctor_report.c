/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/doctor_report.h"

#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/writer.h"

const char *doctor_verdict_name(const struct fitness_report *report)
{
    switch (fitness_level_of(report)) {
    case FITNESS_OK:
    case FITNESS_ADVICE: return "fit";
    case FITNESS_UNKNOWN: return "unknown";
    case FITNESS_MEND: break;
    }
    return "unfit";
}

/* On one line: a reply of several lines, too. */
static void put_line(struct writer *w, const char *text)
{
    struct slice rest = slice_of(text);
    while (rest.at != NULL) {
        writer_put_safe(w, slice_trim(slice_cut(&rest, '\n')));
        writer_put(w, rest.at != NULL ? " / " : "\n");
    }
}

static const char *colour_of(enum fitness_level level)
{
    switch (level) {
    case FITNESS_OK: return "\033[32m";
    case FITNESS_ADVICE: return "\033[33m";
    case FITNESS_UNKNOWN: return "\033[1;36m";
    case FITNESS_MEND: return "\033[1;31m";
    }
    return "";
}

static void put_finding(struct writer *w, const struct fitness_finding *finding)
{
    writer_put(w, "  ");
    writer_put_colour(w, colour_of(finding->level));
    writer_printf(w, "%-8s", fitness_level_name(finding->level));
    writer_put_colour(w, WRITER_COLOUR_END);
    writer_put(w, " ");
    put_line(w, finding->text);
    if (finding->hint[0] != '\0') {
        writer_put(w, "           -> ");
        put_line(w, finding->hint);
    }
}

static void put_heading(struct writer *w, const struct fitness_egress *egress)
{
    writer_put(w, "\nThe way out");
    if (egress->label.len > 0) {
        writer_put(w, " ");
        writer_put_safe(w, egress->label);
    }
    writer_put(w, ": EHLO ");
    writer_put_safe(w, egress->helo.len > 0 ? egress->helo : SLICE("(none)"));
    writer_put(w, ", MAIL FROM <");
    writer_put_safe(w, egress->mail_from);
    writer_put(w, ">\n");
}

static void count_levels(const struct fitness_report *report, unsigned counts[FITNESS_MEND + 1])
{
    for (size_t i = 0; i < report->count; i++) {
        counts[report->findings[i].level]++;
    }
}

static void put_summary(struct writer *w, const struct fitness_report *report)
{
    unsigned counts[FITNESS_MEND + 1] = {0};
    count_levels(report, counts);
    writer_put(w, "\n");
    if (counts[FITNESS_MEND] > 0) {
        writer_printf(w, "Not fit to ask: %u to mend", counts[FITNESS_MEND]);
    } else if (counts[FITNESS_UNKNOWN] > 0) {
        writer_printf(w, "Nothing to mend was found");
    } else {
        writer_printf(w, "Fit to ask");
    }
    if (counts[FITNESS_UNKNOWN] > 0) {
        writer_printf(w, "; %u not found out", counts[FITNESS_UNKNOWN]);
    }
    if (counts[FITNESS_ADVICE] > 0) {
        writer_printf(w, "; %u could be better", counts[FITNESS_ADVICE]);
    }
    writer_put(w, ".\n");
}

enum err doctor_write_text(const struct fitness_facts *facts, const struct fitness_report *report,
                           bool has_colour, struct buf *out)
{
    struct writer w = {.out = out, .has_colour = has_colour};
    int egress = -1;
    writer_put(&w, "The machine\n");
    for (size_t i = 0; i < report->count; i++) {
        const struct fitness_finding *finding = &report->findings[i];
        if (finding->egress != egress) {
            egress = finding->egress;
            put_heading(&w, &facts->egresses[egress]);
        }
        put_finding(&w, finding);
    }
    put_summary(&w, report);
    return w.err;
}

static void json_finding(struct json_writer *w, const struct fitness_finding *finding)
{
    char ip[IP_TEXT_BYTES];
    json_open(w, NULL, '{');
    json_string(w, "check", slice_of(fitness_check_name(finding->check)));
    json_string(w, "level", slice_of(fitness_level_name(finding->level)));
    if (finding->egress < 0) {
        json_null(w, "egress");
    } else {
        json_int(w, "egress", finding->egress);
    }
    if (finding->ip.family == IP_NONE) {
        json_null(w, "ip");
    } else {
        json_string(w, "ip", slice_of(ip_format(&finding->ip, ip)));
    }
    json_string(w, "text", slice_of(finding->text));
    json_string(w, "hint", slice_of(finding->hint));
    json_close(w, '}');
}

enum err doctor_write_json(const struct fitness_facts *facts, const struct fitness_report *report,
                           struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "fitness", slice_of(doctor_verdict_name(report)));
    json_open(&w, "egresses", '[');
    for (size_t i = 0; i < facts->egress_count; i++) {
        json_open(&w, NULL, '{');
        json_string(&w, "label", facts->egresses[i].label);
        json_string(&w, "ehlo_name", facts->egresses[i].helo);
        json_string(&w, "mail_from", facts->egresses[i].mail_from);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_open(&w, "findings", '[');
    for (size_t i = 0; i < report->count; i++) {
        json_finding(&w, &report->findings[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return w.err;
}
