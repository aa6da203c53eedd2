/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/report.h"

#include <inttypes.h>

#include "base/slice.h"
#include "engine/sentence.h"
#include "engine/writer.h"

const char *report_colour(enum verdict_status status)
{
    switch (status) {
    case VERDICT_DELIVERABLE: return "\033[1;32m";
    case VERDICT_UNDELIVERABLE: return "\033[1;31m";
    case VERDICT_RISKY: return "\033[1;33m";
    case VERDICT_UNKNOWN: return "\033[1;36m";
    }
    return "";
}

static void put_label(struct writer *w, const char *label)
{
    writer_put(w, "  ");
    writer_put_colour(w, "\033[2m");
    writer_printf(w, "%-10s", label);
    writer_put_colour(w, WRITER_COLOUR_END);
    writer_put(w, " ");
}

static void put_headline(struct writer *w, const struct record *record)
{
    writer_put_colour(w, report_colour(record->status));
    writer_put(w, verdict_status_name(record->status));
    writer_put_colour(w, WRITER_COLOUR_END);
    writer_put(w, "  ");
    writer_put_safe(w, record->email);
    writer_put(w, "\n");
}

static void put_cause(struct writer *w, const struct record *record)
{
    put_label(w, "why");
    writer_put(w, sentence_of(record->sub));
    const char *block = sentence_of_block(record->block_kind);
    if (block[0] != '\0') {
        writer_put(w, ": ");
        writer_put(w, block);
    }
    writer_put(w, "\n");
    put_label(w, "");
    writer_printf(w, "%s, score %d of 100, %.0f %% sure%s\n", verdict_sub_name(record->sub),
                  record->score, record->confidence * 100.0,
                  record->is_cached ? ", from an earlier check" : "");
    if (record->retry_after_s > 0) {
        put_label(w, "again");
        writer_printf(w, "in %" PRIu32 " s may tell more\n", record->retry_after_s);
    }
}

static void put_server(struct writer *w, const struct record *record)
{
    const struct record_smtp *smtp = &record->smtp;
    if (!smtp->was_tried) {
        return;
    }
    char ip[IP_TEXT_BYTES];
    put_label(w, "server");
    writer_put_safe(w, smtp->host);
    if (smtp->ip.family != IP_NONE) {
        writer_put(w, " ");
        writer_put(w, ip_format(&smtp->ip, ip));
    }
    if (record->provider_label.len > 0 &&
        !slice_equal(record->provider_class, SLICE("selfhosted"))) {
        writer_put(w, " (");
        writer_put_safe(w, record->provider_label);
        writer_put(w, ")");
    }
    writer_put(w, smtp->tls_used ? ", " : ", no TLS\n");
    if (smtp->tls_used) {
        writer_put_safe(w, smtp->tls_version);
        writer_put(w, smtp->tls_cert_ok ? "\n" : ", certificate not verified\n");
    }
}

static void put_reply(struct writer *w, const struct record *record)
{
    const struct record_smtp *smtp = &record->smtp;
    if (smtp->code == 0) {
        return;
    }
    put_label(w, "it said");
    writer_printf(w, "%s: %u ", hel_smtp_stage_name(smtp->stage), smtp->code);
    struct slice rest = smtp->text;
    for (bool is_first = true; rest.at != NULL; is_first = false) {
        struct slice line = slice_cut(&rest, '\n');
        if (!is_first) {
            writer_put(w, "\n");
            put_label(w, "");
        }
        writer_put_safe(w, line);
    }
    writer_put(w, "\n");
}

static void put_reasons(struct writer *w, const struct record *record)
{
    for (size_t i = 0; i < record->reason_count; i++) {
        const struct verdict_reason *reason = &record->reasons[i];
        put_label(w, i == 0 ? "reasons" : "");
        writer_printf(w, "%+4d ", reason->effect);
        writer_put_safe(w, slice_of(reason->code));
        if (reason->detail[0] != '\0') {
            writer_put(w, ": ");
            writer_put_safe(w, slice_of(reason->detail));
        }
        writer_put(w, "\n");
    }
}

static void put_flag(struct writer *w, bool is_set, const char *name, bool *has_any)
{
    if (!is_set) {
        return;
    }
    if (!*has_any) {
        put_label(w, "is");
    } else {
        writer_put(w, ", ");
    }
    writer_put(w, name);
    *has_any = true;
}

static void put_flags(struct writer *w, const struct record *record)
{
    const struct record_flags *flags = &record->flags;
    bool has_any = false;
    put_flag(w, flags->is_disposable, "disposable", &has_any);
    put_flag(w, flags->is_role, "a role", &has_any);
    put_flag(w, flags->is_free, "at a free provider", &has_any);
    put_flag(w, flags->is_plus_tagged, "tagged", &has_any);
    put_flag(w, flags->is_noreply, "no-reply", &has_any);
    put_flag(w, flags->is_gov, "government", &has_any);
    put_flag(w, flags->is_edu, "education", &has_any);
    put_flag(w, flags->is_idn, "international", &has_any);
    put_flag(w, flags->is_gibberish, "perhaps generated", &has_any);
    put_flag(w, record->is_catch_all == TRI_YES, "at a catch-all domain", &has_any);
    if (has_any) {
        writer_put(w, "\n");
    }
    if (record->did_you_mean.len > 0) {
        put_label(w, "perhaps");
        writer_put_safe(w, record->did_you_mean);
        writer_put(w, " was meant\n");
    }
}

enum err report_write(const struct record *record, bool has_colour, struct buf *out)
{
    struct writer w = {.out = out, .has_colour = has_colour};
    put_headline(&w, record);
    put_cause(&w, record);
    put_server(&w, record);
    put_reply(&w, record);
    put_flags(&w, record);
    put_reasons(&w, record);
    return w.err;
}
