/* providers/names: the words for scopes, reasons and kinds of block in records and rule files.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/classify.h"

const char *reply_scope_name(enum reply_scope scope)
{
    switch (scope) {
    case SCOPE_MAILBOX: return "mailbox";
    case SCOPE_DOMAIN: return "domain";
    case SCOPE_US: return "us";
    case SCOPE_MESSAGE: return "message";
    case SCOPE_SERVER: return "server";
    case SCOPE_UNKNOWN: return "unknown";
    }
    return "unknown";
}

const char *reply_reason_name(enum reply_reason reason)
{
    switch (reason) {
    case REASON_ACCEPTED: return "accepted";
    case REASON_MAILBOX_UNKNOWN: return "mailbox_unknown";
    case REASON_MAILBOX_FULL: return "mailbox_full";
    case REASON_MAILBOX_DISABLED: return "mailbox_disabled";
    case REASON_MAILBOX_MOVED: return "mailbox_moved";
    case REASON_EXISTS: return "exists";
    case REASON_GREYLISTED: return "greylisted";
    case REASON_RATE_LIMITED: return "rate_limited";
    case REASON_POLICY_BLOCKED: return "policy_blocked";
    case REASON_SPAM_CONTENT: return "spam_content";
    case REASON_RELAY_DENIED: return "relay_denied";
    case REASON_DOMAIN_PROBLEM: return "domain_problem";
    case REASON_AUTH_REQUIRED: return "auth_required";
    case REASON_TLS_REQUIRED: return "tls_required";
    case REASON_TOO_BIG: return "too_big";
    case REASON_SYSTEM_ERROR: return "system_error";
    case REASON_UNKNOWN:
    case REASON_COUNT: return "unknown";
    }
    return "unknown";
}

const char *block_kind_name(enum block_kind kind)
{
    switch (kind) {
    case BLOCK_NONE: return "none";
    case BLOCK_IP_LIST: return "ip_list";
    case BLOCK_IP_REPUTATION: return "ip_reputation";
    case BLOCK_HELO: return "helo";
    case BLOCK_SENDER: return "sender";
    case BLOCK_PTR: return "ptr";
    case BLOCK_SPF_DKIM_DMARC: return "spf_dkim_dmarc";
    case BLOCK_POLICY: return "policy";
    case BLOCK_GEO: return "geo";
    }
    return "none";
}
