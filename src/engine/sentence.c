/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sentence.h"

static const char *const sentences[SUB_COUNT] = {
    [SUB_ACCEPTED] = "the server takes mail for it, and refuses an address that cannot exist",
    [SUB_ACCEPTED_RATE_LIMITED] =
        "the mailbox exists; it gets more mail at the moment than its server allows",
    [SUB_ACCEPTED_FORWARD] = "the server takes mail for it and forwards it elsewhere",
    [SUB_CATCH_ALL] = "the server takes mail for any name, so this one proves nothing",
    [SUB_ACCEPTS_ALL_PROVIDER] =
        "this provider says yes to every name at this point and sorts out later",
    [SUB_ACCEPTED_UNCONFIRMED] =
        "the server took it, but whether it refuses others could not be tested",
    [SUB_MAILBOX_FULL] = "the mailbox exists and is full",
    [SUB_DISPOSABLE] = "a throw-away mailbox",
    [SUB_ROLE] = "a shared or free address, risky by your settings",
    [SUB_SUPPRESSED] = "on your own suppression list",
    [SUB_MAILBOX_NOT_FOUND] = "the server says that there is no such mailbox",
    [SUB_MAILBOX_DISABLED] = "the mailbox is disabled",
    [SUB_MAILBOX_MOVED] = "the mailbox has moved away",
    [SUB_INVALID_SYNTAX] = "this is no address",
    [SUB_DOMAIN_NOT_FOUND] = "the domain does not exist",
    [SUB_NO_MAIL_HOST] = "the domain has no mail server",
    [SUB_NULL_MX] = "the domain says that it takes no mail (null MX)",
    [SUB_MX_UNROUTABLE] = "the domain's mail servers have no public address",
    [SUB_DOMAIN_NOT_HOSTED] = "its mail servers say that they do not serve this domain",
    [SUB_SMTPUTF8_UNSUPPORTED] = "none of its servers can take a non-ASCII address",
    [SUB_GREYLISTED] = "the server asks to come back later (greylisting)",
    [SUB_TEMP_FAILURE] = "the server has a temporary problem",
    [SUB_RATE_LIMITED] = "the server limits how much we may ask",
    [SUB_BLOCKED] = "the server refuses us, not the address",
    [SUB_BLANKET_REJECT] = "the server refuses every name alike, so it says nothing about this one",
    [SUB_TLS_REQUIRED_FAILED] = "the server demands TLS, and it could not be set up",
    [SUB_CONNECT_FAILED] = "none of its servers could be reached",
    [SUB_CONNECT_TIMEOUT] = "its servers do not answer",
    [SUB_SMTP_TIMEOUT] = "the server stopped answering in mid-conversation",
    [SUB_DISCONNECTED] = "the server hung up in mid-conversation",
    [SUB_PROTOCOL_ERROR] = "what answers there does not speak SMTP",
    [SUB_DNS_ERROR] = "DNS gave no answer about the domain",
    [SUB_SKIPPED] = "it was not asked",
    [SUB_INTERNAL_ERROR] = "our own trouble (memory, descriptors, proxy); ask again",
};

const char *sentence_of(enum verdict_sub sub)
{
    return sub < SUB_COUNT ? sentences[sub] : "unknown";
}

const char *sentence_of_block(enum block_kind kind)
{
    switch (kind) {
    case BLOCK_NONE: return "";
    case BLOCK_IP_LIST: return "our address is on a block list";
    case BLOCK_IP_REPUTATION: return "our address has a poor reputation there";
    case BLOCK_HELO: return "our EHLO name displeases it (see --helo)";
    case BLOCK_SENDER: return "our sender address displeases it (see --from)";
    case BLOCK_PTR: return "our address has no proper reverse name (PTR)";
    case BLOCK_SPF_DKIM_DMARC: return "the sender's SPF, DKIM or DMARC displeases it";
    case BLOCK_POLICY: return "a policy of theirs";
    case BLOCK_GEO: return "our country or network is blocked";
    }
    return "";
}
