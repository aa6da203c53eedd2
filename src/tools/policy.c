/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/policy.h"

#include <stdio.h>

#include "base/slice.h"
#include "engine/sentence.h"

enum { BOTH = 1 << POLICY_ROLE_RECIPIENT | 1 << POLICY_ROLE_SENDER };

/* Trouble of the far side that passes by itself, and that it names itself. */
static bool is_temporary(enum verdict_sub sub)
{
    return sub == SUB_GREYLISTED || sub == SUB_TEMP_FAILURE || sub == SUB_DNS_ERROR;
}

enum config_policy_do policy_decide(const struct config_policy *settings,
                                    const struct policy_finding *finding)
{
    if (finding->is_pending) {
        return settings->pending;
    }
    switch (finding->status) {
    case VERDICT_DELIVERABLE: return CONFIG_POLICY_DUNNO;
    case VERDICT_UNDELIVERABLE: return settings->undeliverable;
    case VERDICT_RISKY: return settings->risky;
    case VERDICT_UNKNOWN:
        return is_temporary(finding->sub) ? settings->temporary : settings->unknown;
    }
    return CONFIG_POLICY_DUNNO;
}

/* The enhanced code behind its class (RFC 3463 3.2; 5.1.10 and 5.7.27: RFC 7505 4; 5.6.7: RFC 6531 3.5). */
static const char *detail_of(enum policy_role role, const struct policy_finding *finding)
{
    bool is_sender = role == POLICY_ROLE_SENDER;
    if (finding->is_pending) {
        return is_sender ? "1.7" : "1.1";
    }
    if (finding->sub == SUB_NULL_MX) {
        return is_sender ? "7.27" : "1.10";
    }
    if (finding->sub == SUB_DOMAIN_NOT_FOUND || finding->sub == SUB_NO_MAIL_HOST ||
        finding->sub == SUB_MX_UNROUTABLE || finding->sub == SUB_DOMAIN_NOT_HOSTED) {
        return is_sender ? "1.8" : "1.2";
    }
    if (is_sender) {
        return "1.7";
    }
    if (finding->sub == SUB_INVALID_SYNTAX) {
        return "1.3";
    }
    if (finding->sub == SUB_MAILBOX_DISABLED) {
        return "2.1";
    }
    if (finding->sub == SUB_MAILBOX_FULL) {
        return "2.2";
    }
    if (finding->sub == SUB_MAILBOX_MOVED) {
        return "1.6";
    }
    return finding->sub == SUB_SMTPUTF8_UNSUPPORTED ? "6.7" : "1.1";
}

const char *policy_action(const struct config_policy *settings, enum policy_role role,
                          const struct policy_finding *finding, char out[POLICY_ACTION_BYTES])
{
    static const char *const found[] = {[VERDICT_DELIVERABLE] = "deliverable",
                                        [VERDICT_UNDELIVERABLE] = "undeliverable",
                                        [VERDICT_RISKY] = "risky",
                                        [VERDICT_UNKNOWN] = "unverified"};
    enum config_policy_do what = policy_decide(settings, finding);
    const char *detail = detail_of(role, finding);
    const char *why = finding->is_pending ? "it is being verified" : sentence_of(finding->sub);
    const char *word = finding->is_pending ? "unverified" : found[finding->status];
    const char *whose = role == POLICY_ROLE_SENDER ? "sender " : "";
    switch (what) {
    case CONFIG_POLICY_REJECT:
        (void)snprintf(out, POLICY_ACTION_BYTES, "550 5.%s %s %saddress: %s", detail, word, whose,
                       why);
        break;
    case CONFIG_POLICY_DEFER:
        (void)snprintf(out, POLICY_ACTION_BYTES, "DEFER_IF_PERMIT 4.%s %s %saddress: %s", detail,
                       word, whose, why);
        break;
    case CONFIG_POLICY_DUNNO: (void)snprintf(out, POLICY_ACTION_BYTES, "DUNNO"); break;
    }
    return out;
}

unsigned policy_roles(const struct config_policy *settings, const struct policy_request *request)
{
    struct slice context = policy_request_value(request, POLICY_CONTEXT);
    struct slice state = policy_request_value(request, POLICY_PROTOCOL_STATE);
    unsigned roles = 0;
    if (slice_equal(context, SLICE("both"))) {
        roles = BOTH;
    } else if (slice_equal(context, SLICE("sender")) || slice_equal(state, SLICE("MAIL"))) {
        roles = 1 << POLICY_ROLE_SENDER;
    } else if (slice_equal(context, SLICE("recipient"))) {
        roles = 1 << POLICY_ROLE_RECIPIENT;
    } else {
        roles = settings->checks_senders ? BOTH : 1 << POLICY_ROLE_RECIPIENT;
    }
    bool has_sender = policy_request_value(request, POLICY_SENDER).len > 0;
    bool has_recipient = policy_request_value(request, POLICY_RECIPIENT).len > 0;
    roles &= has_sender ? BOTH : 1u << POLICY_ROLE_RECIPIENT;
    return roles & (has_recipient ? BOTH : 1u << POLICY_ROLE_SENDER);
}
