/* verify/verdict: status, sub-status, score and reasons as a pure function of evidence. The vocabulary
 * and its mapping to other services stand in docs/verdicts.md.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_VERDICT_H
#define VERIFY_VERDICT_H

#include "dns/route.h"
#include "verify/evidence.h"

enum verdict_status { VERDICT_DELIVERABLE, VERDICT_UNDELIVERABLE, VERDICT_RISKY, VERDICT_UNKNOWN };

enum verdict_sub {
    SUB_ACCEPTED,
    SUB_ACCEPTED_RATE_LIMITED,
    SUB_ACCEPTED_FORWARD,
    SUB_CATCH_ALL,
    SUB_ACCEPTS_ALL_PROVIDER,
    SUB_ACCEPTED_UNCONFIRMED,
    SUB_MAILBOX_FULL,
    SUB_DISPOSABLE,
    SUB_ROLE,
    SUB_SUPPRESSED,
    SUB_MAILBOX_NOT_FOUND,
    SUB_MAILBOX_DISABLED,
    SUB_MAILBOX_MOVED,
    SUB_INVALID_SYNTAX,
    SUB_DOMAIN_NOT_FOUND,
    SUB_NO_MAIL_HOST,
    SUB_NULL_MX,
    SUB_MX_UNROUTABLE,
    SUB_DOMAIN_NOT_HOSTED,
    SUB_SMTPUTF8_UNSUPPORTED,
    SUB_GREYLISTED,
    SUB_TEMP_FAILURE,
    SUB_RATE_LIMITED,
    SUB_BLOCKED,
    SUB_BLANKET_REJECT,
    SUB_TLS_REQUIRED_FAILED,
    SUB_CONNECT_FAILED,
    SUB_CONNECT_TIMEOUT,
    SUB_SMTP_TIMEOUT,
    SUB_DISCONNECTED,
    SUB_PROTOCOL_ERROR,
    SUB_DNS_ERROR,
    SUB_SKIPPED,
    SUB_INTERNAL_ERROR,
    SUB_COUNT,
};

enum tri { TRI_UNKNOWN, TRI_NO, TRI_YES };

enum {
    VERDICT_REASONS_MAX = 24,
    VERDICT_DETAIL_BYTES = 160,
};

struct verdict_reason {
    const char *code; /* static: "rcpt_accepted", "control_refused", "role", "no_smtp", ... */
    int effect;       /* on the score; 0: none */
    char detail[VERDICT_DETAIL_BYTES]; /* printable, NUL-terminated; may be empty */
};

struct verdict {
    enum verdict_status status;
    enum verdict_sub sub;
    enum block_kind block_kind; /* with SUB_BLOCKED */
    enum skip_reason skip;      /* with SUB_SKIPPED */
    enum hel_smtp_stage stage;  /* how far the deciding evidence came */
    int score;                  /* 0 to 100 */
    double confidence;          /* 0 to 1 */
    enum tri is_catch_all, is_full, is_disabled;
    uint32_t retry_after_s; /* when asking again may help; 0: no advice */
    int deciding;           /* index into the evidence, or -1 (syntax, DNS) */
    uint32_t life_s;        /* how long the verdict may be cached */
    uint8_t reason_count;
    struct verdict_reason reasons[VERDICT_REASONS_MAX];
};

const char *verdict_status_name(enum verdict_status status);
const char *verdict_sub_name(enum verdict_sub sub);
bool verdict_status_parse(struct slice name, enum verdict_status *out);
bool verdict_sub_parse(struct slice name, enum verdict_sub *out);
enum verdict_status verdict_status_of(
    enum verdict_sub sub); /* every sub-status belongs to one status */

#endif
