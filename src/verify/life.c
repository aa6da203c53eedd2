/* The figures follow the mail servers' own caches: Postfix keeps a good address for 31 days and asks
 * again after 7, a bad one for 3 days; Exim keeps callout answers for hours to a day.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/life.h"

enum {
    MINUTE = 60,
    HOUR = 3600,
    DAY = 86400,
    LIFE_UNKNOWN_MIN = 5 * MINUTE,
    LIFE_UNKNOWN_MAX = 3 * HOUR,
};

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

static uint32_t dns_life(const struct route *route)
{
    uint32_t ttl_s = route == NULL || route->ttl_s == 0 ? DAY : route->ttl_s;
    return clamp(ttl_s, LIFE_UNKNOWN_MIN, DAY);
}

static uint32_t bad_life(enum verdict_sub sub, const struct route *route)
{
    switch (sub) {
    case SUB_INVALID_SYNTAX: return 31 * DAY;
    case SUB_DOMAIN_NOT_FOUND:
    case SUB_NO_MAIL_HOST:
    case SUB_NULL_MX:
    case SUB_MX_UNROUTABLE: return dns_life(route);
    case SUB_DOMAIN_NOT_HOSTED: return DAY; /* a new domain is set up within days */
    case SUB_ACCEPTED:
    case SUB_ACCEPTED_RATE_LIMITED:
    case SUB_ACCEPTED_FORWARD:
    case SUB_CATCH_ALL:
    case SUB_ACCEPTS_ALL_PROVIDER:
    case SUB_ACCEPTED_UNCONFIRMED:
    case SUB_MAILBOX_FULL:
    case SUB_DISPOSABLE:
    case SUB_ROLE:
    case SUB_SUPPRESSED:
    case SUB_MAILBOX_NOT_FOUND:
    case SUB_MAILBOX_DISABLED:
    case SUB_MAILBOX_MOVED:
    case SUB_SMTPUTF8_UNSUPPORTED:
    case SUB_GREYLISTED:
    case SUB_TEMP_FAILURE:
    case SUB_RATE_LIMITED:
    case SUB_BLOCKED:
    case SUB_BLANKET_REJECT:
    case SUB_TLS_REQUIRED_FAILED:
    case SUB_CONNECT_FAILED:
    case SUB_CONNECT_TIMEOUT:
    case SUB_SMTP_TIMEOUT:
    case SUB_DISCONNECTED:
    case SUB_PROTOCOL_ERROR:
    case SUB_DNS_ERROR:
    case SUB_SKIPPED:
    case SUB_INTERNAL_ERROR:
    case SUB_COUNT: break;
    }
    return 3 * DAY;
}

uint32_t life_of(const struct verdict *verdict, const struct route *route)
{
    switch (verdict->status) {
    case VERDICT_DELIVERABLE: return 7 * DAY;
    case VERDICT_UNDELIVERABLE: return bad_life(verdict->sub, route);
    case VERDICT_RISKY:
        return verdict->sub == SUB_ACCEPTED_UNCONFIRMED
                   ? clamp(verdict->retry_after_s, LIFE_UNKNOWN_MIN, DAY)
                   : DAY;
    case VERDICT_UNKNOWN: break;
    }
    uint32_t retry_s = verdict->retry_after_s == 0 ? LIFE_UNKNOWN_MAX : verdict->retry_after_s;
    return clamp(retry_s, LIFE_UNKNOWN_MIN, LIFE_UNKNOWN_MAX);
}

uint32_t life_retry_after(enum verdict_sub sub, enum skip_reason skip)
{
    switch (sub) {
    case SUB_GREYLISTED: return 5 * MINUTE;
    case SUB_TEMP_FAILURE:
    case SUB_SMTP_TIMEOUT:
    case SUB_DISCONNECTED: return 30 * MINUTE;
    case SUB_RATE_LIMITED: return HOUR;
    case SUB_DNS_ERROR:
    case SUB_INTERNAL_ERROR: return 10 * MINUTE;
    case SUB_ACCEPTED_UNCONFIRMED:
    case SUB_CONNECT_TIMEOUT:
    case SUB_CONNECT_FAILED: return 3 * HOUR;
    case SUB_BLOCKED:
    case SUB_BLANKET_REJECT:
    case SUB_TLS_REQUIRED_FAILED:
    case SUB_PROTOCOL_ERROR: return 4 * HOUR;
    case SUB_MAILBOX_FULL: return DAY;
    case SUB_SKIPPED:
        return skip == SKIP_BUDGET ? HOUR : skip == SKIP_EGRESS_UNHEALTHY ? 4 * HOUR : 0;
    case SUB_ACCEPTED:
    case SUB_ACCEPTED_RATE_LIMITED:
    case SUB_ACCEPTED_FORWARD:
    case SUB_CATCH_ALL:
    case SUB_ACCEPTS_ALL_PROVIDER:
    case SUB_DISPOSABLE:
    case SUB_ROLE:
    case SUB_SUPPRESSED:
    case SUB_MAILBOX_NOT_FOUND:
    case SUB_MAILBOX_DISABLED:
    case SUB_MAILBOX_MOVED:
    case SUB_INVALID_SYNTAX:
    case SUB_DOMAIN_NOT_FOUND:
    case SUB_NO_MAIL_HOST:
    case SUB_NULL_MX:
    case SUB_MX_UNROUTABLE:
    case SUB_DOMAIN_NOT_HOSTED:
    case SUB_SMTPUTF8_UNSUPPORTED:
    case SUB_COUNT: break;
    }
    return 0;
}
