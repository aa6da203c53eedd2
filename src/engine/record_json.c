/* engine/record_json: writing. Reading is record_read.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/record_json.h"

#include <stdio.h>

#include "base/slice.h"
#include "engine/json_write.h"

void record_done(struct record *record)
{
    if (record->arena.max > 0) {
        arena_done(&record->arena);
    }
}

enum { DAY_MS = 86400 * 1000 };

static void put_tri(struct json_writer *w, const char *key, enum tri value)
{
    if (value == TRI_UNKNOWN) {
        json_null(w, key);
    } else {
        json_bool(w, key, value == TRI_YES);
    }
}

static void put_reasons(struct json_writer *w, const struct record *record)
{
    json_open(w, "reasons", '[');
    for (size_t i = 0; i < record->reason_count; i++) {
        const struct verdict_reason *reason = &record->reasons[i];
        json_open(w, NULL, '{');
        json_string(w, "code", slice_of(reason->code));
        json_int(w, "effect", reason->effect);
        json_text(w, "detail", slice_of(reason->detail));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_flags(struct json_writer *w, const struct record *record)
{
    const struct record_flags *flags = &record->flags;
    json_open(w, "flags", '{');
    json_bool(w, "is_disposable", flags->is_disposable);
    json_bool(w, "is_role", flags->is_role);
    json_bool(w, "is_free", flags->is_free);
    put_tri(w, "is_catch_all", record->is_catch_all);
    json_bool(w, "is_plus_tagged", flags->is_plus_tagged);
    json_bool(w, "is_noreply", flags->is_noreply);
    json_bool(w, "is_gov", flags->is_gov);
    json_bool(w, "is_edu", flags->is_edu);
    json_bool(w, "is_idn", flags->is_idn);
    put_tri(w, "is_full", record->is_full);
    put_tri(w, "is_disabled", record->is_disabled);
    json_bool(w, "is_gibberish", flags->is_gibberish);
    json_text(w, "disposable_entry", record->disposable_entry);
    json_close(w, '}');
}

static void put_dns(struct json_writer *w, const struct record *record)
{
    if (!record->has_dns) {
        json_null(w, "dns");
        return;
    }
    json_open(w, "dns", '{');
    json_string(w, "status", slice_of(route_status_name(record->route_status)));
    json_string(w, "resolver_status", slice_of(dns_failure_name(record->dns_failure)));
    json_bool(w, "mx_found", record->mx_count > 0 && !record->is_implicit_mx);
    json_bool(w, "implicit_mx", record->is_implicit_mx);
    json_bool(w, "null_mx", record->route_status == ROUTE_NULL_MX);
    json_int(w, "ttl", record->ttl_s);
    json_open(w, "mx", '[');
    for (size_t i = 0; i < record->mx_count; i++) {
        const struct record_mx *mx = &record->mx[i];
        json_open(w, NULL, '{');
        json_string(w, "host", mx->host);
        json_int(w, "preference", mx->preference);
        json_open(w, "addresses", '[');
        for (size_t j = 0; j < mx->address_count; j++) {
            json_ip(w, NULL, &mx->addresses[j]);
        }
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void put_provider(struct json_writer *w, const struct record *record)
{
    if (record->provider_name.len == 0) {
        json_null(w, "provider");
        return;
    }
    json_open(w, "provider", '{');
    json_string(w, "name", record->provider_name);
    json_text(w, "label", record->provider_label);
    json_string(w, "class", record->provider_class);
    json_bool(w, "gateway", record->is_gateway);
    json_text(w, "trait", record->provider_trait);
    json_close(w, '}');
}

struct extension_word {
    unsigned bit;
    const char *word;
};

static const struct extension_word extension_words[] = {
    {HEL_SMTP_EXT_PIPELINING, "PIPELINING"},
    {HEL_SMTP_EXT_STARTTLS, "STARTTLS"},
    {HEL_SMTP_EXT_SIZE, "SIZE"},
    {HEL_SMTP_EXT_8BITMIME, "8BITMIME"},
    {HEL_SMTP_EXT_SMTPUTF8, "SMTPUTF8"},
    {HEL_SMTP_EXT_CHUNKING, "CHUNKING"},
    {HEL_SMTP_EXT_ENHANCEDSTATUSCODES, "ENHANCEDSTATUSCODES"},
    {HEL_SMTP_EXT_DSN, "DSN"},
    {HEL_SMTP_EXT_AUTH, "AUTH"},
    {HEL_SMTP_EXT_BINARYMIME, "BINARYMIME"},
    {HEL_SMTP_EXT_REQUIRETLS, "REQUIRETLS"},
    {HEL_SMTP_EXT_LIMITS, "LIMITS"},
};

static void put_extensions(struct json_writer *w, unsigned set)
{
    json_open(w, "extensions", '[');
    for (size_t i = 0; i < sizeof extension_words / sizeof extension_words[0]; i++) {
        if ((set & extension_words[i].bit) != 0) {
            json_string(w, NULL, slice_of(extension_words[i].word));
        }
    }
    json_close(w, ']');
}

static void put_reply(struct json_writer *w, const struct record_smtp *smtp)
{
    char enhanced[24];
    if (smtp->code == 0) {
        json_null(w, "code");
        json_null(w, "enhanced");
    } else {
        json_int(w, "code", smtp->code);
        if (smtp->enhanced.class_digit == 0) {
            json_null(w, "enhanced");
        } else {
            (void)snprintf(enhanced, sizeof enhanced, "%u.%u.%u", smtp->enhanced.class_digit,
                           smtp->enhanced.subject, smtp->enhanced.detail);
            json_string(w, "enhanced", slice_of(enhanced));
        }
    }
    json_text(w, "text", smtp->text);
    json_text(w, "rule", smtp->rule);
}

static void put_latency(struct json_writer *w, const struct record_smtp *smtp)
{
    json_open(w, "latency_ms", '{');
    json_int(w, "dns", smtp->latency_dns_ms);
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        if (smtp->latency_ms[i] > 0) {
            json_int(w, hel_smtp_stage_name((enum hel_smtp_stage)i), smtp->latency_ms[i]);
        }
    }
    json_int(w, "control", smtp->latency_control_ms);
    json_close(w, '}');
}

static void put_smtp(struct json_writer *w, const struct record *record)
{
    const struct record_smtp *smtp = &record->smtp;
    if (!smtp->was_tried) {
        json_null(w, "smtp");
        return;
    }
    json_open(w, "smtp", '{');
    json_text(w, "host", smtp->host);
    json_ip(w, "ip", &smtp->ip);
    json_int(w, "port", smtp->port);
    json_string(w, "stage", slice_of(hel_smtp_stage_name(smtp->stage)));
    put_reply(w, smtp);
    json_open(w, "tls", '{');
    json_bool(w, "used", smtp->tls_used);
    json_text(w, "version", smtp->tls_version);
    json_text(w, "cipher", smtp->tls_cipher);
    json_bool(w, "cert_ok", smtp->tls_cert_ok);
    json_close(w, '}');
    put_extensions(w, smtp->extensions);
    json_int(w, "attempts", smtp->attempts);
    json_text(w, "egress", smtp->egress);
    json_text(w, "helo", smtp->helo);
    json_string(w, "mail_from", smtp->mail_from);
    json_open(w, "control", '{');
    json_bool(w, "tested", smtp->control_tested);
    json_text(w, "result", smtp->control_result);
    json_int(w, "code", smtp->control_code);
    json_int(w, "count", smtp->control_count);
    json_close(w, '}');
    json_open(w, "greylist", '{');
    json_bool(w, "seen", smtp->greylist_seen);
    json_time(w, "first_at", smtp->greylist_first_at_ms);
    json_time(w, "passed_at", smtp->greylist_passed_at_ms);
    json_int(w, "waited_s", smtp->greylist_waited_s);
    json_close(w, '}');
    put_latency(w, smtp);
    json_close(w, '}');
}

static void put_signal(struct json_writer *w, enum signal_service service,
                       const struct verify_signal *signal)
{
    if (signal->result == SIGNAL_OFF) {
        return;
    }
    json_open(w, signal_service_name(service), '{');
    if (signal->result == SIGNAL_NO_ANSWER) {
        json_null(w, "found");
    } else {
        json_bool(w, "found", signal->result == SIGNAL_YES);
    }
    if (signal->result == SIGNAL_YES && service == SIGNAL_RDAP) {
        json_time(w, "registered_at", (int64_t)signal->number * DAY_MS);
    } else if (signal->result == SIGNAL_YES) {
        json_int(w, "count", signal->number);
    }
    json_close(w, '}');
}

static void put_signals(struct json_writer *w, const struct record *record)
{
    bool was_asked = false;
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        was_asked |= record->signals.of[i].result != SIGNAL_OFF;
    }
    if (!was_asked) {
        return;
    }
    json_open(w, "signals", '{');
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        put_signal(w, (enum signal_service)i, &record->signals.of[i]);
    }
    json_close(w, '}');
}

static void put_transcript(struct json_writer *w, const struct record *record)
{
    if (record->transcript_count == 0) {
        return;
    }
    json_open(w, "transcript", '[');
    for (size_t i = 0; i < record->transcript_count; i++) {
        const struct record_line *line = &record->transcript[i];
        json_open(w, NULL, '{');
        json_int(w, "t_ms", line->t_ms);
        json_string(w, "dir", slice_make(&line->direction, 1));
        json_string(w, "line", line->text);
        json_close(w, '}');
    }
    json_close(w, ']');
}

enum err record_write_json(const struct record *record, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "email", record->email);
    json_text(&w, "normalized", record->normalized);
    json_text(&w, "ascii", record->ascii);
    json_text(&w, "local", record->local);
    json_text(&w, "domain", record->domain);
    json_string(&w, "status", slice_of(verdict_status_name(record->status)));
    json_string(&w, "sub_status", slice_of(verdict_sub_name(record->sub)));
    if (record->block_kind != BLOCK_NONE) {
        json_string(&w, "block_kind", slice_of(block_kind_name(record->block_kind)));
    }
    if (record->skip != SKIP_NONE) {
        json_string(&w, "skip_reason", slice_of(skip_reason_name(record->skip)));
    }
    json_int(&w, "score", record->score);
    json_real(&w, "confidence", record->confidence);
    put_reasons(&w, record);
    json_text(&w, "did_you_mean", record->did_you_mean);
    put_flags(&w, record);
    put_dns(&w, record);
    put_provider(&w, record);
    put_smtp(&w, record);
    put_signals(&w, record);
    if (record->retry_after_s > 0) {
        json_int(&w, "retry_after", record->retry_after_s);
    } else {
        json_null(&w, "retry_after");
    }
    json_time(&w, "checked_at", record->checked_at_ms);
    json_time(&w, "expires_at", record->expires_at_ms);
    json_bool(&w, "cached", record->is_cached);
    json_int(&w, "duration_ms", record->duration_ms);
    json_text(&w, "engine_version", record->engine_version);
    json_text(&w, "rules_version", record->rules_version);
    put_transcript(&w, record);
    json_close(&w, '}');
    return w.err;
}
