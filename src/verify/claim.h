/* verify/claim: what one piece of evidence claims about the address asked for, reduced to the few
 * kinds that lead to different next steps. A statement about the asker never becomes one about the
 * mailbox here, whatever its code.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_CLAIM_H
#define VERIFY_CLAIM_H

#include "providers/provider.h"
#include "verify/evidence.h"

enum claim {
    CLAIM_ACCEPTED,
    CLAIM_ACCEPTED_ODD, /* 252, or lines of differing codes that end in 2xx: no plain yes */
    CLAIM_EXISTS,
    CLAIM_FULL,
    CLAIM_GONE, /* this mailbox does not exist, said for good */
    CLAIM_DISABLED,
    CLAIM_MOVED,
    CLAIM_DOMAIN,    /* the domain is not served here */
    CLAIM_AMBIGUOUS, /* refused for good, and the words do not tell whom it is about */
    CLAIM_SOFT_GONE, /* does not exist, said with a temporary code */
    CLAIM_GREYLISTED,
    CLAIM_IN_PROGRESS,
    CLAIM_RATED,
    CLAIM_BLOCKED,
    CLAIM_TEMPORARY,
    CLAIM_BROKEN, /* a permanent code about the server or the dialogue */
    CLAIM_TLS,
    CLAIM_TIMEOUT,
    CLAIM_DISCONNECTED,
    CLAIM_PROTOCOL,
    CLAIM_UNREACHED, /* no connection */
    CLAIM_NO_UTF8,
    CLAIM_SKIPPED,
    CLAIM_LOCAL,
    CLAIM_COUNT,
};

enum claim claim_of(const struct evidence *evidence);

/* Whether what a control was told decides what the claim means. */
bool claim_rests_on_control(enum claim claim);

/* After so many refusals in one session an acceptance in it means nothing, unless a refusal came after it: servers that fend off
 * harvesting then accept (or refuse) whatever comes. Large providers are more patient. */
unsigned claim_session_patience(const struct provider *provider);
bool claim_is_distrusted(const struct evidence *evidence, const struct provider *provider);

/* Hash of a reply's words without what differs from one recipient to the next: words that hold digits
 * or "@", the quoted and bracketed ones. rcpt's local part counts as such a word too. */
uint32_t claim_text_hash(const char *text, struct slice local);

#endif
