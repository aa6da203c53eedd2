/* The words of the verdict and which status each sub-status belongs to: one table, both ways.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/verdict.h"

#include "base/must.h"
#include "base/slice.h"

static const char *const status_names[] = {
    [VERDICT_DELIVERABLE] = "deliverable",
    [VERDICT_UNDELIVERABLE] = "undeliverable",
    [VERDICT_RISKY] = "risky",
    [VERDICT_UNKNOWN] = "unknown",
};

enum { STATUS_COUNT = sizeof status_names / sizeof *status_names };

static const struct sub_row {
    const char *name;
    enum verdict_status status;
} sub_rows[SUB_COUNT] = {
    [SUB_ACCEPTED] = {"accepted", VERDICT_DELIVERABLE},
    [SUB_ACCEPTED_RATE_LIMITED] = {"accepted_rate_limited", VERDICT_DELIVERABLE},
    [SUB_ACCEPTED_FORWARD] = {"accepted_forward", VERDICT_DELIVERABLE},
    [SUB_CATCH_ALL] = {"catch_all", VERDICT_RISKY},
    [SUB_ACCEPTS_ALL_PROVIDER] = {"accepts_all_provider", VERDICT_RISKY},
    [SUB_ACCEPTED_UNCONFIRMED] = {"accepted_unconfirmed", VERDICT_RISKY},
    [SUB_MAILBOX_FULL] = {"mailbox_full", VERDICT_RISKY},
    [SUB_DISPOSABLE] = {"disposable", VERDICT_RISKY},
    [SUB_ROLE] = {"role", VERDICT_RISKY},
    [SUB_SUPPRESSED] = {"suppressed", VERDICT_RISKY},
    [SUB_MAILBOX_NOT_FOUND] = {"mailbox_not_found", VERDICT_UNDELIVERABLE},
    [SUB_MAILBOX_DISABLED] = {"mailbox_disabled", VERDICT_UNDELIVERABLE},
    [SUB_MAILBOX_MOVED] = {"mailbox_moved", VERDICT_UNDELIVERABLE},
    [SUB_INVALID_SYNTAX] = {"invalid_syntax", VERDICT_UNDELIVERABLE},
    [SUB_DOMAIN_NOT_FOUND] = {"domain_not_found", VERDICT_UNDELIVERABLE},
    [SUB_NO_MAIL_HOST] = {"no_mail_host", VERDICT_UNDELIVERABLE},
    [SUB_NULL_MX] = {"null_mx", VERDICT_UNDELIVERABLE},
    [SUB_MX_UNROUTABLE] = {"mx_unroutable", VERDICT_UNDELIVERABLE},
    [SUB_DOMAIN_NOT_HOSTED] = {"domain_not_hosted", VERDICT_UNDELIVERABLE},
    [SUB_SMTPUTF8_UNSUPPORTED] = {"smtputf8_unsupported", VERDICT_UNDELIVERABLE},
    [SUB_GREYLISTED] = {"greylisted", VERDICT_UNKNOWN},
    [SUB_TEMP_FAILURE] = {"temp_failure", VERDICT_UNKNOWN},
    [SUB_RATE_LIMITED] = {"rate_limited", VERDICT_UNKNOWN},
    [SUB_BLOCKED] = {"blocked", VERDICT_UNKNOWN},
    [SUB_BLANKET_REJECT] = {"blanket_reject", VERDICT_UNKNOWN},
    [SUB_TLS_REQUIRED_FAILED] = {"tls_required_failed", VERDICT_UNKNOWN},
    [SUB_CONNECT_FAILED] = {"connect_failed", VERDICT_UNKNOWN},
    [SUB_CONNECT_TIMEOUT] = {"connect_timeout", VERDICT_UNKNOWN},
    [SUB_SMTP_TIMEOUT] = {"smtp_timeout", VERDICT_UNKNOWN},
    [SUB_DISCONNECTED] = {"disconnected", VERDICT_UNKNOWN},
    [SUB_PROTOCOL_ERROR] = {"protocol_error", VERDICT_UNKNOWN},
    [SUB_DNS_ERROR] = {"dns_error", VERDICT_UNKNOWN},
    [SUB_SKIPPED] = {"skipped", VERDICT_UNKNOWN},
    [SUB_INTERNAL_ERROR] = {"internal_error", VERDICT_UNKNOWN},
};

const char *verdict_status_name(enum verdict_status status)
{
    must((size_t)status < STATUS_COUNT);
    return status_names[status];
}

const char *verdict_sub_name(enum verdict_sub sub)
{
    must((size_t)sub < SUB_COUNT);
    return sub_rows[sub].name;
}

enum verdict_status verdict_status_of(enum verdict_sub sub)
{
    must((size_t)sub < SUB_COUNT);
    return sub_rows[sub].status;
}

bool verdict_status_parse(struct slice name, enum verdict_status *out)
{
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (slice_equal(name, slice_of(status_names[i]))) {
            *out = (enum verdict_status)i;
            return true;
        }
    }
    return false;
}

bool verdict_sub_parse(struct slice name, enum verdict_sub *out)
{
    for (size_t i = 0; i < SUB_COUNT; i++) {
        if (slice_equal(name, slice_of(sub_rows[i].name))) {
            *out = (enum verdict_sub)i;
            return true;
        }
    }
    return false;
}
