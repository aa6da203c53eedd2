/* verify/evidence: copies, and the names of roles, kinds and skips, as in records.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/evidence.h"

#include <stddef.h>
#include <string.h>

void evidence_copy(struct evidence *to, const struct evidence *from)
{
    memcpy(to, from,
           offsetof(struct evidence, text) + strnlen(from->text, sizeof from->text - 1) + 1);
}

const char *probe_role_name(enum probe_role role)
{
    switch (role) {
    case PROBE_REAL: return "real";
    case PROBE_CONTROL: return "control";
    case PROBE_POSTMASTER: return "postmaster";
    }
    return "unknown";
}

const char *evidence_kind_name(enum evidence_kind kind)
{
    switch (kind) {
    case EVIDENCE_REPLY: return "reply";
    case EVIDENCE_CONNECT_REFUSED: return "connect_refused";
    case EVIDENCE_CONNECT_TIMEOUT: return "connect_timeout";
    case EVIDENCE_TIMEOUT: return "timeout";
    case EVIDENCE_DISCONNECTED: return "disconnected";
    case EVIDENCE_PROTOCOL_ERROR: return "protocol_error";
    case EVIDENCE_TLS_FAILED: return "tls_failed";
    case EVIDENCE_UTF8_UNSUPPORTED: return "smtputf8_unsupported";
    case EVIDENCE_SKIPPED: return "skipped";
    case EVIDENCE_LOCAL: return "local";
    }
    return "unknown";
}

const char *skip_reason_name(enum skip_reason reason)
{
    switch (reason) {
    case SKIP_NONE: return "none";
    case SKIP_PROVIDER_POLICY: return "provider_policy";
    case SKIP_EGRESS_UNHEALTHY: return "egress_unhealthy";
    case SKIP_BUDGET: return "budget";
    case SKIP_CANCELLED: return "cancelled";
    }
    return "unknown";
}
