/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/report.h"

#include <inttypes.h>

#include "base/slice.h"
#include "base/text.h"
#include "engine/record_json.h"
#include "engine/sentence.h"

struct writer {
    struct buf *out;
    bool has_colour;
    enum err err;
};

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

static void put(struct writer *w, const char *text)
{
    if (w->err == ERR_NONE) {
        w->err = buf_append(w->out, slice_of(text));
    }
}

static void put_safe(struct writer *w, struct slice text)
{
    if (w->err == ERR_NONE) {
        w->err = text_append_printable(w->out, text);
    }
}

static void put_colour(struct writer *w, const char *colour)
{
    if (w->has_colour) {
        put(w, colour);
    }
}

static void put_label(struct writer *w, const char *label)
{
    put(w, "  ");
    put_colour(w, "\033[2m");
    if (w->err == ERR_NONE) {
        w->err = buf_printf(w->out, "%-10s", label);
    }
    put_colour(w, REPORT_COLOUR_END);
    put(w, " ");
}

static void put_headline(struct writer *w, const struct record *record)
{
    put_colour(w, report_colour(record->status));
    put(w, verdict_status_name(record->status));
    put_colour(w, REPORT_COLOUR_END);
    put(w, "  ");
    put_safe(w, record->email);
    put(w, "\n");
}

static void put_cause(struct writer *w, const struct record *record)
{
    put_label(w, "why");
    put(w, sentence_of(record->sub));
    const char *block = sentence_of_block(record->block_kind);
    if (block[0] != '\0') {
        put(w, ": ");
        put(w, block);
    }
    if (w->err == ERR_NONE) {
        w->err = buf_printf(w->out, "\n");
    }
    put_label(w, "");
    if (w->err == ERR_NONE) {
        w->err =
            buf_printf(w->out, "%s, score %d of 100, %.0f %% sure%s\n",
                       verdict_sub_name(record->sub), record->score, record->confidence * 100.0,
                       record->is_cached ? ", from an earlier check" : "");
    }
    if (record->retry_after_s > 0 && w->err == ERR_NONE) {
        put_label(w, "again");
        w->err = buf_printf(w->out, "in %" PRIu32 " s may tell more\n", record->retry_after_s);
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
    put_safe(w, smtp->host);
    if (smtp->ip.family != IP_NONE) {
        put(w, " ");
        put(w, ip_format(&smtp->ip, ip));
    }
    if (record->provider_label.len > 0 &&
        !slice_equal(record->provider_class, SLICE("selfhosted"))) {
        put(w, " (");
        put_safe(w, record->provider_label);
        put(w, ")");
    }
    put(w, smtp->tls_used ? ", " : ", no TLS\n");
    if (smtp->tls_used) {
        put_safe(w, smtp->tls_version);
        put(w, smtp->tls_cert_ok ? "\n" : ", certificate not verified\n");
    }
}

static void put_reply(struct writer *w, const struct record *record)
{
    const struct record_smtp *smtp = &record->smtp;
    if (smtp->code == 0) {
        return;
    }
    put_label(w, "it said");
    if (w->err == ERR_NONE) {
        w->err = buf_printf(w->out, "%s: %u ", hel_smtp_stage_name(smtp->stage), smtp->code);
    }
    struct slice rest = smtp->text;
    for (bool is_first = true; rest.at != NULL; is_first = false) {
        struct slice line = slice_cut(&rest, '\n');
        if (!is_first) {
            put(w, "\n");
            put_label(w, "");
        }
        put_safe(w, line);
    }
    put(w, "\n");
}

static void put_reasons(struct writer *w, const struct record *record)
{
    for (size_t i = 0; i < record->reason_count; i++) {
        const struct verdict_reason *reason = &record->reasons[i];
        put_label(w, i == 0 ? "reasons" : "");
        if (w->err == ERR_NONE) {
            w->err = buf_printf(w->out, "%+4d ", reason->effect);
        }
        put_safe(w, slice_of(reason->code));
        if (reason->detail[0] != '\0') {
            put(w, ": ");
            put_safe(w, slice_of(reason->detail));
        }
        put(w, "\n");
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
        put(w, ", ");
    }
    put(w, name);
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
        put(w, "\n");
    }
    if (record->did_you_mean.len > 0) {
        put_label(w, "perhaps");
        put_safe(w, record->did_you_mean);
        put(w, " was meant\n");
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
