/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/format.h"

#include <stdio.h>

#include "base/date.h"
#include "base/slice.h"
#include "engine/json_write.h"

enum { LOWER_BYTES = 512 }; /* RFC 5321 4.5.3.1.3: a path has 256 */

/* One row for each sub-status: their words for it. */
struct words {
    const char *reacher;
    const char *zerobounce, *zerobounce_sub;
    const char *kickbox, *kickbox_reason;
    const char *neverbounce;
};

static const struct words table[SUB_COUNT] = {
    [SUB_ACCEPTED] = {"safe", "valid", "", "deliverable", "accepted_email", "valid"},
    [SUB_ACCEPTED_RATE_LIMITED] = {"safe", "valid", "", "deliverable", "accepted_email", "valid"},
    [SUB_ACCEPTED_FORWARD] = {"safe", "valid", "alias_address", "deliverable", "accepted_email",
                              "valid"},
    [SUB_CATCH_ALL] = {"risky", "catch-all", "", "risky", "low_deliverability", "catchall"},
    [SUB_ACCEPTS_ALL_PROVIDER] = {"risky", "catch-all", "", "risky", "low_deliverability",
                                  "catchall"},
    [SUB_ACCEPTED_UNCONFIRMED] = {"risky", "unknown", "antispam_system", "risky",
                                  "low_deliverability", "unknown"},
    [SUB_MAILBOX_FULL] = {"risky", "invalid", "mailbox_quota_exceeded", "risky",
                          "low_deliverability", "invalid"},
    [SUB_DISPOSABLE] = {"risky", "do_not_mail", "disposable", "risky", "low_quality", "disposable"},
    [SUB_ROLE] = {"risky", "do_not_mail", "role_based", "risky", "low_quality", "valid"},
    [SUB_SUPPRESSED] = {"risky", "do_not_mail", "global_suppression", "risky", "low_quality",
                        "invalid"},
    [SUB_MAILBOX_NOT_FOUND] = {"invalid", "invalid", "mailbox_not_found", "undeliverable",
                               "rejected_email", "invalid"},
    [SUB_MAILBOX_DISABLED] = {"invalid", "invalid", "mailbox_not_found", "undeliverable",
                              "rejected_email", "invalid"},
    [SUB_MAILBOX_MOVED] = {"invalid", "invalid", "mailbox_not_found", "undeliverable",
                           "rejected_email", "invalid"},
    [SUB_INVALID_SYNTAX] = {"invalid", "invalid", "failed_syntax_check", "undeliverable",
                            "invalid_email", "invalid"},
    [SUB_DOMAIN_NOT_FOUND] = {"invalid", "invalid", "no_dns_entries", "undeliverable",
                              "invalid_domain", "invalid"},
    [SUB_NO_MAIL_HOST] = {"invalid", "invalid", "no_dns_entries", "undeliverable", "invalid_domain",
                          "invalid"},
    [SUB_NULL_MX] = {"invalid", "invalid", "does_not_accept_mail", "undeliverable",
                     "invalid_domain", "invalid"},
    [SUB_MX_UNROUTABLE] = {"invalid", "invalid", "unroutable_ip_address", "undeliverable",
                           "invalid_domain", "invalid"},
    [SUB_DOMAIN_NOT_HOSTED] = {"invalid", "invalid", "does_not_accept_mail", "undeliverable",
                               "invalid_domain", "invalid"},
    [SUB_SMTPUTF8_UNSUPPORTED] = {"invalid", "invalid", "mailbox_not_found", "undeliverable",
                                  "rejected_email", "invalid"},
    [SUB_GREYLISTED] = {"unknown", "unknown", "greylisted", "unknown", "unavailable_smtp",
                        "unknown"},
    [SUB_TEMP_FAILURE] = {"unknown", "unknown", "mail_server_temporary_error", "unknown",
                          "unavailable_smtp", "unknown"},
    [SUB_RATE_LIMITED] = {"unknown", "unknown", "antispam_system", "unknown", "unavailable_smtp",
                          "unknown"},
    [SUB_BLOCKED] = {"unknown", "unknown", "antispam_system", "unknown", "invalid_smtp", "unknown"},
    [SUB_BLANKET_REJECT] = {"unknown", "unknown", "antispam_system", "unknown", "invalid_smtp",
                            "unknown"},
    [SUB_TLS_REQUIRED_FAILED] = {"unknown", "unknown", "failed_smtp_connection", "unknown",
                                 "invalid_smtp", "unknown"},
    [SUB_CONNECT_FAILED] = {"unknown", "unknown", "failed_smtp_connection", "unknown", "no_connect",
                            "unknown"},
    [SUB_CONNECT_TIMEOUT] = {"unknown", "unknown", "mail_server_did_not_respond", "unknown",
                             "no_connect", "unknown"},
    [SUB_SMTP_TIMEOUT] = {"unknown", "unknown", "timeout_exceeded", "unknown", "timeout",
                          "unknown"},
    [SUB_DISCONNECTED] = {"unknown", "unknown", "forcible_disconnect", "unknown",
                          "unavailable_smtp", "unknown"},
    [SUB_PROTOCOL_ERROR] = {"unknown", "unknown", "exception_occurred", "unknown", "invalid_smtp",
                            "unknown"},
    [SUB_DNS_ERROR] = {"unknown", "unknown", "exception_occurred", "unknown", "timeout", "unknown"},
    [SUB_SKIPPED] = {"unknown", "unknown", "exception_occurred", "unknown", "unexpected_error",
                     "unknown"},
    [SUB_INTERNAL_ERROR] = {"unknown", "unknown", "exception_occurred", "unknown",
                            "unexpected_error", "unknown"},
};

static void put_or_null(struct json_writer *w, const char *key, struct slice value)
{
    if (value.len == 0) {
        json_null(w, key);
    } else {
        json_string(w, key, value);
    }
}

static void put_or_empty(struct json_writer *w, const char *key, struct slice value)
{
    json_string(w, key, value);
}

static bool accepts_mail(const struct record *record)
{
    return record->has_dns && record->route_status == ROUTE_OK;
}

/* Reacher. */

static void reacher_mx(struct json_writer *w, const struct record *record)
{
    json_open(w, "mx", '{');
    json_bool(w, "accepts_mail", accepts_mail(record));
    json_open(w, "records", '[');
    for (size_t i = 0; i < record->mx_count; i++) {
        char host[DNS_NAME_BYTES + 2];
        struct slice name =
            slice_sub(record->mx[i].host, 0, DNS_NAME_BYTES); /* of a file, perhaps */
        int len = snprintf(host, sizeof host, "%.*s.", SLICE_ARG(name));
        json_string(w, NULL, slice_make(host, (size_t)len));
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void reacher_misc(struct json_writer *w, const struct record *record)
{
    json_open(w, "misc", '{');
    json_bool(w, "is_disposable", record->flags.is_disposable);
    json_bool(w, "is_role_account", record->flags.is_role);
    json_bool(w, "is_b2c", record->flags.is_free);
    json_null(w, "gravatar_url");
    json_null(w, "haveibeenpwned");
    json_close(w, '}');
}

static void reacher_smtp(struct json_writer *w, const struct record *record)
{
    json_open(w, "smtp", '{');
    json_bool(w, "can_connect_smtp",
              record->smtp.was_tried && record->smtp.stage > HEL_SMTP_BANNER);
    json_bool(w, "has_full_inbox", record->is_full == TRI_YES);
    json_bool(w, "is_catch_all", record->is_catch_all == TRI_YES);
    json_bool(w, "is_deliverable", record->status == VERDICT_DELIVERABLE);
    json_bool(w, "is_disabled", record->is_disabled == TRI_YES);
    json_close(w, '}');
}

static void reacher_syntax(struct json_writer *w, const struct record *record)
{
    bool is_valid = record->sub != SUB_INVALID_SYNTAX;
    json_open(w, "syntax", '{');
    put_or_null(w, "address", is_valid ? record->ascii : SLICE_NONE);
    put_or_empty(w, "domain", record->domain);
    json_bool(w, "is_valid_syntax", is_valid);
    put_or_empty(w, "username", record->local);
    put_or_null(w, "normalized_email", record->normalized);
    put_or_null(w, "suggestion", record->did_you_mean);
    json_close(w, '}');
}

static void reacher_debug(struct json_writer *w, const struct record *record)
{
    char start[DATE_TIME_BYTES];
    char end[DATE_TIME_BYTES];
    json_open(w, "debug", '{');
    json_string(w, "backend_name", SLICE("heloise"));
    json_string(w, "start_time",
                slice_of(date_time_text(record->checked_at_ms - record->duration_ms, start)));
    json_string(w, "end_time", slice_of(date_time_text(record->checked_at_ms, end)));
    json_open(w, "duration", '{');
    json_int(w, "secs", record->duration_ms / 1000);
    json_int(w, "nanos", (int64_t)(record->duration_ms % 1000) * 1000000);
    json_close(w, '}');
    json_open(w, "smtp", '{');
    json_open(w, "verif_method", '{');
    json_string(w, "type", record->smtp.was_tried ? SLICE("Smtp") : SLICE("Skipped"));
    if (record->smtp.was_tried) {
        put_or_empty(w, "host", record->smtp.host);
    }
    json_close(w, '}');
    json_close(w, '}');
    json_close(w, '}');
}

enum err record_write_reacher(const struct record *record, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "input", record->email);
    json_string(&w, "is_reachable", slice_of(table[record->sub].reacher));
    reacher_misc(&w, record);
    reacher_mx(&w, record);
    reacher_smtp(&w, record);
    reacher_syntax(&w, record);
    reacher_debug(&w, record);
    json_close(&w, '}');
    return w.err;
}

/* ZeroBounce: many of its truths are strings. */

static struct slice zerobounce_time(int64_t unix_ms, char out[96])
{
    struct date date = date_of_unix(unix_ms / 1000);
    int len = snprintf(out, 96, "%04d-%02d-%02d %02d:%02d:%02d.%03d", date.year, date.month,
                       date.day, date.hour, date.minute, date.second, (int)(unix_ms % 1000));
    return slice_make(out, (size_t)len);
}

enum err record_write_zerobounce(const struct record *record, struct buf *out)
{
    const struct words *words = &table[record->sub];
    struct slice sub = slice_of(words->zerobounce_sub);
    struct slice status = slice_of(words->zerobounce);
    char time_text[96];
    if (record->sub == SUB_CATCH_ALL && record->flags.is_role) {
        status = SLICE("do_not_mail");
        sub = SLICE("role_based_catch_all");
    }
    if (record->sub == SUB_DOMAIN_NOT_FOUND && record->did_you_mean.len > 0) {
        sub = SLICE("possible_typo");
    }
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "address", record->email);
    json_string(&w, "status", status);
    json_string(&w, "sub_status", sub);
    json_bool(&w, "free_email", record->flags.is_free);
    put_or_null(&w, "did_you_mean", record->did_you_mean);
    put_or_null(&w, "account", record->local);
    put_or_null(&w, "domain", record->domain);
    json_null(&w, "domain_age_days");
    put_or_null(&w, "smtp_provider", record->provider_name);
    json_string(&w, "mx_found", record->mx_count > 0 ? SLICE("true") : SLICE("false"));
    put_or_null(&w, "mx_record", record->mx_count > 0 ? record->mx[0].host : SLICE_NONE);
    json_null(&w, "firstname");
    json_null(&w, "lastname");
    json_null(&w, "gender");
    json_null(&w, "country");
    json_null(&w, "region");
    json_null(&w, "city");
    json_null(&w, "zipcode");
    json_string(&w, "processed_at", zerobounce_time(record->checked_at_ms, time_text));
    json_close(&w, '}');
    return w.err;
}

/* Kickbox gives the address and its user in lower case. */
static void put_lower(struct json_writer *w, const char *key, struct slice value)
{
    char text[LOWER_BYTES];
    size_t len = value.len < sizeof text ? value.len : sizeof text; /* of a file, perhaps */
    for (size_t i = 0; i < len; i++) {
        text[i] = ascii_lower(value.at[i]);
    }
    put_or_null(w, key, slice_make(text, len));
}

enum err record_write_kickbox(const struct record *record, struct buf *out)
{
    const struct words *words = &table[record->sub];
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "result", slice_of(words->kickbox));
    json_string(&w, "reason", slice_of(words->kickbox_reason));
    json_bool(&w, "role", record->flags.is_role);
    json_bool(&w, "free", record->flags.is_free);
    json_bool(&w, "disposable", record->flags.is_disposable);
    json_bool(&w, "accept_all",
              record->is_catch_all == TRI_YES || record->sub == SUB_ACCEPTS_ALL_PROVIDER);
    put_or_null(&w, "did_you_mean", record->did_you_mean);
    json_real(&w, "sendex", record->score / 100.0);
    put_lower(&w, "email", record->ascii.len > 0 ? record->ascii : record->email);
    put_lower(&w, "user", record->local);
    put_or_null(&w, "domain", record->domain);
    json_bool(&w, "success", true);
    json_null(&w, "message");
    json_close(&w, '}');
    return w.err;
}

static void put_flag(struct json_writer *w, bool is_set, const char *name)
{
    if (is_set) {
        json_string(w, NULL, slice_of(name));
    }
}

enum err record_write_neverbounce(const struct record *record, struct buf *out)
{
    bool has_connected = record->smtp.was_tried && record->smtp.stage > HEL_SMTP_CONNECT;
    bool is_dns_bad = record->has_dns && record->route_status != ROUTE_OK;
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "status", SLICE("success"));
    json_string(&w, "result", slice_of(table[record->sub].neverbounce));
    json_open(&w, "flags", '[');
    put_flag(&w, record->sub == SUB_INVALID_SYNTAX, "bad_syntax");
    put_flag(&w, record->flags.is_free, "free_email_host");
    put_flag(&w, record->flags.is_role, "role_account");
    put_flag(&w, record->flags.is_disposable, "disposable_email");
    put_flag(&w, record->flags.is_gov, "government_host");
    put_flag(&w, record->flags.is_edu, "academic_host");
    put_flag(&w, record->has_dns && !is_dns_bad, "has_dns");
    put_flag(&w, record->mx_count > 0 && !record->is_implicit_mx, "has_dns_mx");
    put_flag(&w, is_dns_bad && record->route_status != ROUTE_DNS_ERROR, "bad_dns");
    put_flag(&w, record->route_status == ROUTE_DNS_ERROR && record->has_dns, "temporary_dns_error");
    put_flag(&w, has_connected, "smtp_connectable");
    put_flag(&w, record->sub == SUB_CONNECT_FAILED || record->sub == SUB_CONNECT_TIMEOUT,
             "connect_fails");
    put_flag(&w, record->is_catch_all == TRI_YES, "accepts_all");
    put_flag(&w, record->did_you_mean.len > 0, "spelling_mistake");
    put_flag(&w, record->sub == SUB_SUPPRESSED, "spamtrap_network");
    json_close(&w, ']');
    put_or_empty(&w, "suggested_correction", record->did_you_mean);
    json_int(&w, "execution_time", record->duration_ms);
    json_close(&w, '}');
    return w.err;
}
