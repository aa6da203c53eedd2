/* See the header. PROVIDERS-like knowledge is not here: scope and reason came from the reply rules.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/claim.h"

#include "base/attr.h"
#include "base/slice.h"

enum {
    PATIENCE = 2,        /* refusals in a session; stock servers turn after three or more RCPTs */
    PATIENCE_LARGE = 10, /* of the large providers, whose limits are known and higher */
    WORD_BYTES = 64,     /* of a word that is hashed */
};

static bool is_permanent(const struct evidence *e)
{
    return e->code >= 500;
}

/* rule may be NULL. Asked for each answer several times; most differ in their first letter. */
static bool begins(const char *rule, const char *word)
{
    while (rule != NULL && *word != '\0' && *rule == *word) {
        rule++;
        word++;
    }
    return *word == '\0';
}

/* "No such user" as a proof: the words or the code say it. 5.4.1 speaks of routing, a bare code of
 * nothing; both need the comparison with a control. */
static bool is_firm(const struct evidence *e)
{
    bool is_by_code = begins(e->class.rule, "code:");
    return e->class.scope == SCOPE_MAILBOX && !is_by_code && e->enhanced.subject != 4;
}

/* A server's own trouble as a proof: in words. An enhanced code alone is used for other things too
 * (5.4.1 for unknown recipients, for strangers, for everybody). */
static bool is_trouble(const struct evidence *e)
{
    return !begins(e->class.rule, "enhanced:");
}

/* Refused for good, and not said to be about us. */
static enum claim vague_refusal(const struct evidence *e)
{
    switch (e->class.scope) {
    case SCOPE_US: return CLAIM_BLOCKED;
    case SCOPE_SERVER:
        if (is_permanent(e) && is_trouble(e)) {
            return CLAIM_BROKEN;
        }
        break;
    case SCOPE_MAILBOX:
    case SCOPE_DOMAIN:
    case SCOPE_MESSAGE:
    case SCOPE_UNKNOWN: break;
    }
    return is_permanent(e) ? CLAIM_AMBIGUOUS : CLAIM_TEMPORARY;
}

/* A statement about a mailbox or domain, believed only with the scope that belongs to it. */
static enum claim statement(const struct evidence *e, enum reply_scope scope, enum claim claim)
{
    return e->class.scope == scope ? claim : vague_refusal(e);
}

static enum claim claim_of_no_user(const struct evidence *e)
{
    if (!is_permanent(e)) {
        return statement(e, SCOPE_MAILBOX, CLAIM_SOFT_GONE);
    }
    return is_firm(e) ? CLAIM_GONE : vague_refusal(e);
}

static enum claim claim_of_refused_rcpt(const struct evidence *e)
{
    bool is_final = is_permanent(e);
    switch (e->class.reason) {
    case REASON_MAILBOX_UNKNOWN: return claim_of_no_user(e);
    case REASON_MAILBOX_FULL: return statement(e, SCOPE_MAILBOX, CLAIM_FULL);
    case REASON_EXISTS: return statement(e, SCOPE_MAILBOX, CLAIM_EXISTS);
    case REASON_MAILBOX_DISABLED:
        return is_final ? statement(e, SCOPE_MAILBOX, CLAIM_DISABLED) : CLAIM_TEMPORARY;
    case REASON_MAILBOX_MOVED:
        return is_final ? statement(e, SCOPE_MAILBOX, CLAIM_MOVED) : CLAIM_TEMPORARY;
    case REASON_RELAY_DENIED:
    case REASON_DOMAIN_PROBLEM:
        return is_final ? statement(e, SCOPE_DOMAIN, CLAIM_DOMAIN) : CLAIM_TEMPORARY;
    case REASON_GREYLISTED: return CLAIM_GREYLISTED;
    case REASON_RATE_LIMITED: return CLAIM_RATED;
    case REASON_POLICY_BLOCKED:
        return e->class.scope == SCOPE_UNKNOWN && is_final ? CLAIM_AMBIGUOUS : CLAIM_BLOCKED;
    case REASON_SPAM_CONTENT:
    case REASON_AUTH_REQUIRED: return CLAIM_BLOCKED;
    case REASON_TLS_REQUIRED: return CLAIM_TLS;
    case REASON_SYSTEM_ERROR:
        if (is_final && is_trouble(e)) {
            return CLAIM_BROKEN;
        }
        return is_final ? vague_refusal(e) : CLAIM_TEMPORARY;
    case REASON_ACCEPTED:
    case REASON_TOO_BIG:
    case REASON_UNKNOWN:
    case REASON_COUNT: break;
    }
    return vague_refusal(e);
}

/* At connect a server turns hosts away, not triplets: "try again later" with 421 is a matter of load
 * or rate, unless it says that it is the system (x.3.y). */
static bool is_turned_away(const struct evidence *e)
{
    return e->code == 421 && e->stage <= HEL_SMTP_BANNER && e->enhanced.subject != 3;
}

/* Before RCPT nobody was named: nothing here is about a mailbox. RFC 7504 and 7505 allow a greeting
 * that speaks for the domain. */
static enum claim claim_of_early_refusal(const struct evidence *e)
{
    bool is_final = is_permanent(e);
    bool is_greeting = e->stage <= HEL_SMTP_BANNER;
    switch (e->class.reason) {
    case REASON_RATE_LIMITED: return CLAIM_RATED;
    case REASON_GREYLISTED: return is_turned_away(e) ? CLAIM_RATED : CLAIM_GREYLISTED;
    case REASON_TLS_REQUIRED: return CLAIM_TLS;
    case REASON_POLICY_BLOCKED:
    case REASON_SPAM_CONTENT:
    case REASON_AUTH_REQUIRED: return CLAIM_BLOCKED;
    case REASON_DOMAIN_PROBLEM:
        if (is_final && is_greeting && e->class.scope == SCOPE_DOMAIN) {
            return CLAIM_DOMAIN;
        }
        break;
    case REASON_SYSTEM_ERROR:
    case REASON_ACCEPTED:
    case REASON_MAILBOX_UNKNOWN:
    case REASON_MAILBOX_FULL:
    case REASON_MAILBOX_DISABLED:
    case REASON_MAILBOX_MOVED:
    case REASON_EXISTS:
    case REASON_RELAY_DENIED:
    case REASON_TOO_BIG:
    case REASON_UNKNOWN:
    case REASON_COUNT: break;
    }
    if (!is_final) {
        return is_turned_away(e) ? CLAIM_RATED : CLAIM_TEMPORARY;
    }
    bool is_about_dialogue = e->class.reason == REASON_SYSTEM_ERROR && e->stage != HEL_SMTP_EHLO;
    return is_about_dialogue ? CLAIM_BROKEN : CLAIM_BLOCKED;
}

static enum claim claim_of_reply(const struct evidence *e)
{
    if (e->code < 200 || (e->code >= 300 && e->code < 400)) {
        return CLAIM_PROTOCOL;
    }
    if (e->stage > HEL_SMTP_RCPT) {
        return CLAIM_BROKEN; /* RSET refused: the session is of no use */
    }
    if (e->code < 300) {
        bool is_plain = e->code != 252 && !e->has_mixed_codes;
        return e->stage != HEL_SMTP_RCPT ? CLAIM_PROTOCOL
               : is_plain                ? CLAIM_ACCEPTED
                                         : CLAIM_ACCEPTED_ODD;
    }
    if (e->class.is_in_progress) {
        return CLAIM_IN_PROGRESS;
    }
    return e->stage == HEL_SMTP_RCPT ? claim_of_refused_rcpt(e) : claim_of_early_refusal(e);
}

enum claim claim_of(const struct evidence *evidence)
{
    if (evidence->kind == EVIDENCE_REPLY) { /* nearly always */
        return claim_of_reply(evidence);
    }
    switch (evidence->kind) {
    case EVIDENCE_REPLY: break;
    case EVIDENCE_CONNECT_REFUSED:
    case EVIDENCE_CONNECT_TIMEOUT: return CLAIM_UNREACHED;
    case EVIDENCE_TIMEOUT: return CLAIM_TIMEOUT;
    case EVIDENCE_DISCONNECTED: return CLAIM_DISCONNECTED;
    case EVIDENCE_PROTOCOL_ERROR: return CLAIM_PROTOCOL;
    case EVIDENCE_TLS_FAILED: return CLAIM_TLS;
    case EVIDENCE_UTF8_UNSUPPORTED: return CLAIM_NO_UTF8;
    case EVIDENCE_SKIPPED: return CLAIM_SKIPPED;
    case EVIDENCE_LOCAL: return CLAIM_LOCAL;
    }
    return CLAIM_LOCAL;
}

bool claim_rests_on_control(enum claim claim)
{
    return claim == CLAIM_ACCEPTED || claim == CLAIM_ACCEPTED_ODD || claim == CLAIM_AMBIGUOUS ||
           claim == CLAIM_DOMAIN || claim == CLAIM_SOFT_GONE;
}

unsigned claim_session_patience(const struct provider *provider)
{
    bool is_large = provider->class == PROVIDER_WEBMAIL || provider->class == PROVIDER_BUSINESS;
    return is_large ? PATIENCE_LARGE : PATIENCE;
}

bool claim_is_distrusted(const struct evidence *evidence, const struct provider *provider)
{
    return !evidence->is_vindicated &&
           evidence->session_refusals >= claim_session_patience(provider);
}

static bool is_separator(char c)
{
    return c <= ';' && (ascii_is_space(c) || c == ',' || c == ';' || c == '(' || c == ')');
}

static bool varies(struct slice word, struct slice local)
{
    if (local.len > 0 && slice_find_nocase(word, local) < word.len) {
        return true;
    }
    for (size_t i = 0; i < word.len; i++) {
        char c = word.at[i];
        bool may_be = c <= '['; /* nearly all are letters behind it */
        if (may_be &&
            (ascii_is_digit(c) || c == '@' || c == '<' || c == '[' || c == '"' || c == '\'')) {
            return true;
        }
    }
    return false;
}

uint32_t claim_text_hash(const char *text, struct slice local)
{
    uint64_t hash = 0;
    struct slice rest = slice_of(text);
    while (rest.len > 0) {
        size_t len = 0;
        while (len < rest.len && !is_separator(rest.at[len])) {
            len++;
        }
        struct slice word = slice_sub(rest, 0, len);
        rest = slice_sub(rest, len < rest.len ? len + 1 : len, rest.len);
        if (len == 0 || varies(word, local)) {
            continue;
        }
        UNFILLED char lower[WORD_BYTES];
        size_t kept = len < sizeof lower ? len : sizeof lower;
        for (size_t i = 0; i < kept; i++) {
            lower[i] = ascii_lower(word.at[i]);
        }
        hash = slice_hash(slice_make(lower, kept), hash);
    }
    return (uint32_t)(hash >> 32);
}
