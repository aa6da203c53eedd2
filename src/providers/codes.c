/* providers/codes: see the header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/codes.h"

#include "base/slice.h"

enum {
    ANY = 0xFFFF, /* every detail */
};

/* RFC 3463 3.x with RFC 7505, 7372, 5248: the meaning as registered. is_firm: common servers use it
 * for nothing else, so that it may be believed without text. */
static const struct enhanced_row {
    const char *rule;
    enum reply_reason reason;
    enum block_kind block;
    uint16_t subject, detail;
    uint8_t class_digit; /* 0: both 4 and 5 */
    bool is_firm;
} enhanced_rows[] = {
    {"enhanced:x.1.0", REASON_MAILBOX_UNKNOWN, BLOCK_NONE, 1, 0, 0, true},
    {"enhanced:x.1.1", REASON_MAILBOX_UNKNOWN, BLOCK_NONE, 1, 1, 0, true},
    {"enhanced:x.1.2", REASON_DOMAIN_PROBLEM, BLOCK_NONE, 1, 2, 0, true},
    {"enhanced:x.1.3", REASON_MAILBOX_UNKNOWN, BLOCK_NONE, 1, 3, 0, false},
    {"enhanced:x.1.4", REASON_MAILBOX_UNKNOWN, BLOCK_NONE, 1, 4, 0, false},
    {"enhanced:x.1.6", REASON_MAILBOX_MOVED, BLOCK_NONE, 1, 6, 0, true},
    {"enhanced:x.1.7", REASON_POLICY_BLOCKED, BLOCK_SENDER, 1, 7, 0, true},
    {"enhanced:x.1.8", REASON_POLICY_BLOCKED, BLOCK_SENDER, 1, 8, 0, true},
    {"enhanced:x.1.10", REASON_DOMAIN_PROBLEM, BLOCK_NONE, 1, 10, 0, false},
    {"enhanced:5.2.1", REASON_MAILBOX_DISABLED, BLOCK_NONE, 2, 1, 5, true},
    {"enhanced:4.2.1", REASON_MAILBOX_DISABLED, BLOCK_NONE, 2, 1, 4, false},
    {"enhanced:x.2.2", REASON_MAILBOX_FULL, BLOCK_NONE, 2, 2, 0, true},
    {"enhanced:x.2.3", REASON_TOO_BIG, BLOCK_NONE, 2, 3, 0, true},
    {"enhanced:x.3.4", REASON_TOO_BIG, BLOCK_NONE, 3, 4, 0, true},
    {"enhanced:x.3", REASON_SYSTEM_ERROR, BLOCK_NONE, 3, ANY, 0, true},
    {"enhanced:x.4", REASON_SYSTEM_ERROR, BLOCK_NONE, 4, ANY, 0, true},
    {"enhanced:x.5.3", REASON_RATE_LIMITED, BLOCK_NONE, 5, 3, 0, true},
    {"enhanced:x.7.8", REASON_AUTH_REQUIRED, BLOCK_NONE, 7, 8, 0, true},
    {"enhanced:x.7.10", REASON_TLS_REQUIRED, BLOCK_NONE, 7, 10, 0, true},
    {"enhanced:x.7.11", REASON_TLS_REQUIRED, BLOCK_NONE, 7, 11, 0, true},
    {"enhanced:x.7.13", REASON_MAILBOX_DISABLED, BLOCK_NONE, 7, 13, 0, false},
    {"enhanced:x.7.20", REASON_POLICY_BLOCKED, BLOCK_SPF_DKIM_DMARC, 7, 20, 0, true},
    {"enhanced:x.7.21", REASON_POLICY_BLOCKED, BLOCK_SPF_DKIM_DMARC, 7, 21, 0, true},
    {"enhanced:x.7.22", REASON_POLICY_BLOCKED, BLOCK_SPF_DKIM_DMARC, 7, 22, 0, true},
    {"enhanced:x.7.23", REASON_POLICY_BLOCKED, BLOCK_SPF_DKIM_DMARC, 7, 23, 0, true},
    {"enhanced:x.7.24", REASON_POLICY_BLOCKED, BLOCK_SPF_DKIM_DMARC, 7, 24, 0, true},
    {"enhanced:x.7.25", REASON_POLICY_BLOCKED, BLOCK_PTR, 7, 25, 0, true},
    {"enhanced:x.7.26", REASON_POLICY_BLOCKED, BLOCK_SPF_DKIM_DMARC, 7, 26, 0, true},
    {"enhanced:x.7.27", REASON_POLICY_BLOCKED, BLOCK_SENDER, 7, 27, 0, true},
    {"enhanced:x.7.28", REASON_RATE_LIMITED, BLOCK_NONE, 7, 28, 0, true},
    {"enhanced:x.7", REASON_POLICY_BLOCKED, BLOCK_POLICY, 7, ANY, 0, false},
};

static const struct enhanced_row *find_row(struct hel_enhanced enhanced)
{
    for (size_t i = 0; i < sizeof enhanced_rows / sizeof *enhanced_rows; i++) {
        const struct enhanced_row *row = &enhanced_rows[i];
        if (row->subject == enhanced.subject &&
            (row->detail == ANY || row->detail == enhanced.detail) &&
            (row->class_digit == 0 || row->class_digit == enhanced.class_digit)) {
            return row;
        }
    }
    return NULL;
}

/* RFC 5321 4.2.3, RFC 4954 6, RFC 7504, RFC 3207 4. */
static const struct {
    uint16_t code;
    enum reply_reason reason;
} code_rows[] = {
    {421, REASON_SYSTEM_ERROR},  {450, REASON_UNKNOWN},         {451, REASON_SYSTEM_ERROR},
    {452, REASON_SYSTEM_ERROR},  {454, REASON_SYSTEM_ERROR},    {455, REASON_SYSTEM_ERROR},
    {500, REASON_SYSTEM_ERROR},  {501, REASON_SYSTEM_ERROR},    {502, REASON_SYSTEM_ERROR},
    {503, REASON_SYSTEM_ERROR},  {504, REASON_SYSTEM_ERROR},    {521, REASON_DOMAIN_PROBLEM},
    {530, REASON_AUTH_REQUIRED}, {534, REASON_AUTH_REQUIRED},   {535, REASON_AUTH_REQUIRED},
    {538, REASON_TLS_REQUIRED},  {550, REASON_MAILBOX_UNKNOWN}, {551, REASON_MAILBOX_MOVED},
    {552, REASON_MAILBOX_FULL},  {553, REASON_MAILBOX_UNKNOWN}, {554, REASON_UNKNOWN},
    {555, REASON_SYSTEM_ERROR},  {556, REASON_DOMAIN_PROBLEM},
};

static enum reply_reason reading_of_code(uint16_t code)
{
    for (size_t i = 0; i < sizeof code_rows / sizeof *code_rows; i++) {
        if (code_rows[i].code == code) {
            return code_rows[i].reason;
        }
    }
    return REASON_UNKNOWN;
}

enum reply_reason codes_reading(uint16_t code, struct hel_enhanced enhanced)
{
    if (code < 400) {
        return REASON_ACCEPTED;
    }
    const struct enhanced_row *row = enhanced.class_digit < 4 ? NULL : find_row(enhanced);
    return row == NULL ? reading_of_code(code) : row->reason;
}

enum reply_scope codes_scope_of(enum reply_reason reason)
{
    switch (reason) {
    case REASON_ACCEPTED:
    case REASON_MAILBOX_UNKNOWN:
    case REASON_MAILBOX_FULL:
    case REASON_MAILBOX_DISABLED:
    case REASON_MAILBOX_MOVED:
    case REASON_EXISTS: return SCOPE_MAILBOX;
    case REASON_GREYLISTED:
    case REASON_RATE_LIMITED:
    case REASON_POLICY_BLOCKED:
    case REASON_AUTH_REQUIRED:
    case REASON_TLS_REQUIRED: return SCOPE_US;
    case REASON_SPAM_CONTENT:
    case REASON_TOO_BIG: return SCOPE_MESSAGE;
    case REASON_RELAY_DENIED:
    case REASON_DOMAIN_PROBLEM: return SCOPE_DOMAIN;
    case REASON_SYSTEM_ERROR: return SCOPE_SERVER;
    case REASON_UNKNOWN:
    case REASON_COUNT: return SCOPE_UNKNOWN;
    }
    return SCOPE_UNKNOWN;
}

static struct classification success(enum hel_smtp_stage stage)
{
    enum reply_scope scope = stage == HEL_SMTP_RCPT   ? SCOPE_MAILBOX
                             : stage == HEL_SMTP_BODY ? SCOPE_MESSAGE
                                                      : SCOPE_SERVER;
    return (struct classification){.scope = scope, .reason = REASON_ACCEPTED};
}

/* Before RCPT nobody has been named yet: a refusal is about the asker or the server. A greeting of
 * 521 is the one statement about the domain (RFC 7504). */
static struct classification before_rcpt(enum hel_smtp_stage stage, uint16_t code)
{
    enum reply_reason reason = reading_of_code(code);
    bool is_greeting = stage == HEL_SMTP_CONNECT || stage == HEL_SMTP_BANNER;
    if (reason == REASON_DOMAIN_PROBLEM && !is_greeting) {
        reason = REASON_POLICY_BLOCKED;
    }
    if (code >= 550 && code != 555 && reason != REASON_DOMAIN_PROBLEM) {
        reason = REASON_POLICY_BLOCKED;
    }
    return (struct classification){
        .scope = codes_scope_of(reason),
        .reason = reason,
        .block_kind = reason == REASON_POLICY_BLOCKED ? BLOCK_POLICY : BLOCK_NONE,
    };
}

/* What a code alone may say. 550 to 554 at RCPT need a comparison with a control answer. */
static struct classification by_code(enum hel_smtp_stage stage, uint16_t code)
{
    if (code / 100 < 4) {
        return success(stage);
    }
    if (stage < HEL_SMTP_RCPT) {
        return before_rcpt(stage, code);
    }
    enum reply_reason reason = reading_of_code(code);
    bool is_claim = reason == REASON_MAILBOX_UNKNOWN || reason == REASON_MAILBOX_MOVED ||
                    reason == REASON_MAILBOX_FULL || code == 452;
    if (is_claim) {
        reason = REASON_UNKNOWN;
    }
    return (struct classification){.scope = codes_scope_of(reason), .reason = reason};
}

struct classification codes_fallback(enum hel_smtp_stage stage, uint16_t code,
                                     struct hel_enhanced enhanced)
{
    const struct enhanced_row *row =
        code < 400 || enhanced.class_digit != code / 100 ? NULL : find_row(enhanced);
    bool is_early_claim = row != NULL && stage < HEL_SMTP_RCPT &&
                          (codes_scope_of(row->reason) == SCOPE_MAILBOX ||
                           codes_scope_of(row->reason) == SCOPE_DOMAIN);
    if (row == NULL || !row->is_firm || is_early_claim) {
        return by_code(stage, code);
    }
    return (struct classification){.scope = codes_scope_of(row->reason),
                                   .reason = row->reason,
                                   .block_kind = row->block,
                                   .rule = row->rule};
}
