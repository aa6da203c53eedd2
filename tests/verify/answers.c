/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAID(at, number, whom, why, by, words)                                       \
    .kind = EVIDENCE_REPLY, .stage = HEL_SMTP_##at, .code = (number), .text = words, \
    .class = {.scope = SCOPE_##whom, .reason = REASON_##why, .rule = (by)}
#define TROUBLE(what, at) .kind = EVIDENCE_##what, .stage = HEL_SMTP_##at
#define RULE              "rules/generic.rules:1"

const struct answer answers[] = {
    {"yes", CLAIM_ACCEPTED, {SAID(RCPT, 250, MAILBOX, ACCEPTED, "code:250", "2.1.5 Ok")}},
    {"forward",
     CLAIM_ACCEPTED,
     {.kind = EVIDENCE_REPLY,
      .stage = HEL_SMTP_RCPT,
      .code = 251,
      .text = "will forward",
      .class = {.reason = REASON_ACCEPTED, .is_forwarded = true, .rule = "code:251"}}},
    {"perhaps",
     CLAIM_ACCEPTED_ODD,
     {SAID(RCPT, 252, MAILBOX, ACCEPTED, "code:252", "Cannot VRFY")}},
    {"exists", CLAIM_EXISTS, {SAID(RCPT, 450, MAILBOX, EXISTS, RULE, "receives too quickly")}},
    {"full", CLAIM_FULL, {SAID(RCPT, 452, MAILBOX, MAILBOX_FULL, RULE, "4.2.2 over quota")}},
    {"no", CLAIM_GONE, {SAID(RCPT, 550, MAILBOX, MAILBOX_UNKNOWN, RULE, "5.1.1 No such user")}},
    {"disabled", CLAIM_DISABLED, {SAID(RCPT, 550, MAILBOX, MAILBOX_DISABLED, RULE, "Disabled")}},
    {"moved", CLAIM_MOVED, {SAID(RCPT, 551, MAILBOX, MAILBOX_MOVED, RULE, "User has moved")}},
    {"relay", CLAIM_DOMAIN, {SAID(RCPT, 554, DOMAIN, RELAY_DENIED, RULE, "Relay access denied")}},
    {"closed", CLAIM_DOMAIN, {SAID(BANNER, 521, DOMAIN, DOMAIN_PROBLEM, RULE, "takes no mail")}},
    {"vague", CLAIM_AMBIGUOUS, {SAID(RCPT, 550, UNKNOWN, UNKNOWN, "code:550", "Rejected")}},
    {"by-code",
     CLAIM_AMBIGUOUS,
     {SAID(RCPT, 550, MAILBOX, MAILBOX_UNKNOWN, "code:550", "Mailbox unavailable")}},
    {"soft-no",
     CLAIM_SOFT_GONE,
     {SAID(RCPT, 450, MAILBOX, MAILBOX_UNKNOWN, RULE, "4.1.1 User unknown")}},
    {"grey", CLAIM_GREYLISTED, {SAID(RCPT, 451, US, GREYLISTED, RULE, "4.7.1 Greylisted")}},
    {"first-visit",
     CLAIM_GREYLISTED,
     {.kind = EVIDENCE_REPLY,
      .stage = HEL_SMTP_RCPT,
      .code = 450,
      .text = "4.3.2 Service currently unavailable",
      .enhanced = {4, 3, 2},
      .class = {.scope = SCOPE_US, .reason = REASON_GREYLISTED, .rule = RULE}}},
    {"checking",
     CLAIM_IN_PROGRESS,
     {.kind = EVIDENCE_REPLY,
      .stage = HEL_SMTP_RCPT,
      .code = 450,
      .text = "address verification in progress",
      .class = {.reason = REASON_SYSTEM_ERROR, .is_in_progress = true, .rule = RULE}}},
    {"rated", CLAIM_RATED, {SAID(RCPT, 452, US, RATE_LIMITED, RULE, "4.5.3 Too many")}},
    {"rated-for-good", CLAIM_RATED, {SAID(RCPT, 550, US, RATE_LIMITED, RULE, "5.7.1 Too many")}},
    {"rated-at-door", CLAIM_RATED, {SAID(BANNER, 421, US, RATE_LIMITED, RULE, "Too many lines")}},
    {"blocked", CLAIM_BLOCKED, {SAID(RCPT, 554, US, POLICY_BLOCKED, RULE, "5.7.1 Listed")}},
    {"sender",
     CLAIM_BLOCKED,
     {.kind = EVIDENCE_REPLY,
      .stage = HEL_SMTP_MAIL,
      .code = 550,
      .text = "5.7.1 Sender refused",
      .class = {.scope = SCOPE_US,
                .reason = REASON_POLICY_BLOCKED,
                .block_kind = BLOCK_SENDER,
                .rule = RULE}}},
    {"blocked-at-door", CLAIM_BLOCKED, {SAID(BANNER, 554, US, POLICY_BLOCKED, RULE, "Go away")}},
    {"busy", CLAIM_TEMPORARY, {SAID(RCPT, 451, SERVER, SYSTEM_ERROR, RULE, "4.3.0 Try later")}},
    {"broken", CLAIM_BROKEN, {SAID(RCPT, 554, SERVER, SYSTEM_ERROR, RULE, "5.3.0 Disk error")}},
    {"sequence", CLAIM_BROKEN, {SAID(MAIL, 503, SERVER, SYSTEM_ERROR, RULE, "Bad sequence")}},
    {"wants-tls", CLAIM_TLS, {SAID(MAIL, 530, US, TLS_REQUIRED, RULE, "Must issue STARTTLS")}},
    {"tls-fails", CLAIM_TLS, {TROUBLE(TLS_FAILED, STARTTLS)}},
    {"slow", CLAIM_TIMEOUT, {TROUBLE(TIMEOUT, RCPT)}},
    {"drop", CLAIM_DISCONNECTED, {TROUBLE(DISCONNECTED, RCPT)}},
    {"garble", CLAIM_PROTOCOL, {TROUBLE(PROTOCOL_ERROR, BANNER)}},
    {"unreached", CLAIM_UNREACHED, {TROUBLE(CONNECT_REFUSED, CONNECT)}},
    {"silent", CLAIM_UNREACHED, {TROUBLE(CONNECT_TIMEOUT, CONNECT)}},
    {"no-utf8", CLAIM_NO_UTF8, {TROUBLE(UTF8_UNSUPPORTED, EHLO)}},
    {"skip", CLAIM_SKIPPED, {TROUBLE(SKIPPED, CONNECT), .skip = SKIP_BUDGET}},
    {"local", CLAIM_LOCAL, {TROUBLE(LOCAL, CONNECT)}},
};

const unsigned answer_count = sizeof answers / sizeof answers[0];

static void apply_mark(const char *mark, struct evidence *e)
{
    unsigned number = (unsigned)strtoul(mark + 1, NULL, 10);
    switch (*mark) {
    case '+': e->class.retry_after_s = number; break;
    case '!':
        e->session_refusals = (uint16_t)number;
        e->session_rcpts = (uint16_t)number;
        break;
    case '%': e->has_mixed_codes = true; break;
    case '^': e->has_other_egress = true; break;
    case '?': e->is_hearsay = true; break;
    case '~': (void)snprintf(e->text, sizeof e->text, "Other words altogether"); break;
    default: fail_msg("no such mark: %s", mark);
    }
}

struct evidence answer_of(const char *word)
{
    size_t len = strcspn(word, "+!%~^?");
    for (unsigned i = 0; i < answer_count; i++) {
        if (strlen(answers[i].name) != len || memcmp(answers[i].name, word, len) != 0) {
            continue;
        }
        struct evidence e = answers[i].evidence;
        for (const char *mark = word + len; *mark != '\0';) {
            apply_mark(mark, &e);
            mark += 1 + strcspn(mark + 1, "+!%~^?");
        }
        return e;
    }
    fail_msg("no such answer: %s", word);
    return (struct evidence){0};
}
