/* engine/held: what a tired session accepted. After a few refusals many servers take, or refuse, whatever
 * comes; so an acceptance from then on is held until the same session refuses an unknown mailbox once more, and
 * thereby is seen to tell them apart still. Where no refusal comes by itself before the session ends, it is asked
 * for: one closing control in the name of all that are held, for the price of one RCPT instead of a connection each.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"
#include "verify/claim.h"
#include "verify/control.h"

struct closing {
    struct conversation_probe probe; /* first: it is freed by this */
    char rcpt[CONTROL_PATH_BYTES];
};

bool held_keep(struct session *session, struct ask *ask, const struct evidence *evidence)
{
    bool is_accepted = evidence->kind == EVIDENCE_REPLY && evidence->stage == HEL_SMTP_RCPT &&
                       evidence->code >= 200 && evidence->code < 300;
    if (ask->work->probe.role != PROBE_REAL || !is_accepted || ask->is_expired ||
        !claim_is_distrusted(evidence, session->host->site->provider)) {
        return false;
    }
    ask->work->held = pool_take(&ask->knocker->spare_evidence);
    if (ask->work->held == NULL) {
        return false;
    }
    evidence_copy(ask->work->held, evidence);
    ask->work->holder = session;
    ask_unlink(ask);
    ask_link(ask, &session->held, ASK_HELD, false);
    return true;
}

void held_release(struct ask *ask, bool is_vindicated)
{
    struct evidence *evidence = ask->work->held;
    ask->work->held = NULL;
    evidence->is_vindicated = is_vindicated;
    ask->work->pending = evidence;
    knocker_make_ready(ask);
}

void held_release_all(struct session *session, bool is_vindicated)
{
    while (!TAILQ_EMPTY(&session->held)) {
        held_release(TAILQ_FIRST(&session->held), is_vindicated);
    }
}

static bool is_plain_refusal(const struct evidence *evidence)
{
    return evidence->kind == EVIDENCE_REPLY && evidence->stage == HEL_SMTP_RCPT &&
           evidence->code >= 500 && evidence->class.scope == SCOPE_MAILBOX &&
           evidence->class.reason == REASON_MAILBOX_UNKNOWN;
}

void held_judge(struct session *session, const struct evidence *evidence)
{
    if (is_plain_refusal(evidence) && !TAILQ_EMPTY(&session->held)) {
        held_release_all(session, true);
        session->has_vindicated = true;
    }
}

bool held_has_control(const struct session *session)
{
    const struct site *site = session->host->site;
    return verify_has_control(&site->knocker->config.verify, site->provider) &&
           (site->provider->traits & PROVIDER_ACCEPTS_ALL) == 0;
}

static void put_control(struct closing *closing, const struct ask *ask, uint64_t seed)
{
    char local[CONTROL_CHARS_MAX + 1];
    control_make(hel_address_local(&ask->address), seed, local);
    control_put_path(slice_of(local), hel_address_domain(&ask->address), closing->rcpt);
}

const struct conversation_probe *held_closing(struct session *session)
{
    const struct ask *last = TAILQ_LAST(&session->held, ask_list);
    must(last != NULL && session->closing == NULL);
    struct closing *closing = malloc(sizeof *closing);
    if (closing == NULL) {
        return NULL;
    }
    put_control(closing, last, random_next(&session->host->site->knocker->random));
    closing->probe = (struct conversation_probe){
        .role = PROBE_CONTROL,
        .exchanger = last->work->probe.exchanger,
        .is_null_sender = last->work->probe.is_null_sender,
        .needs_smtputf8 = last->work->probe.needs_smtputf8, /* the same transaction will do */
        .rcpt = slice_of(closing->rcpt),
        .provider = last->work->probe.provider,
    };
    session->closing = &closing->probe;
    return session->closing;
}

void held_closed(struct session *session)
{
    free(session->closing);
    session->closing = NULL;
}
