/* tools/policy: what a mail server is to do with an address, by what is known of it: actions as in access(5). Pure.
 * What a server far away said never stands in an action; sentences of ours do.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_POLICY_H
#define TOOLS_POLICY_H

#include "engine/config.h"
#include "tools/policy_request.h"
#include "verify/verdict.h"

enum policy_role { POLICY_ROLE_RECIPIENT, POLICY_ROLE_SENDER };

/* What was found out of an address. */
struct policy_finding {
    enum verdict_status status;
    enum verdict_sub sub;
    bool is_pending; /* not yet: the work goes on */
    bool is_cached;
};

/* What the settings say of it: reject, defer, or dunno (no opinion: the next rule decides). */
enum config_policy_do policy_decide(const struct config_policy *settings,
                                    const struct policy_finding *finding);

/* "550 5.1.1 undeliverable address: ...", "DEFER_IF_PERMIT 4.1.1 ...", "DUNNO"; NUL-terminated. Returns out. */
enum { POLICY_ACTION_BYTES = 256 };
const char *policy_action(const struct config_policy *settings, enum policy_role role,
                          const struct policy_finding *finding, char out[POLICY_ACTION_BYTES]);

/* Which addresses a question is about: a set of 1 << enum policy_role. policy_context "recipient", "sender" or "both"
 * says so; else protocol_state does: MAIL the sender, RCPT the recipient, with policy.senders the sender too. */
unsigned policy_roles(const struct config_policy *settings, const struct policy_request *request);

#endif
