/* The dialogue of a conversation: one probe after the other, and the evidence of each.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "engine/conversation_private.h"

static uint64_t domain_hash(struct slice rcpt)
{
    size_t at = slice_find_last_byte(rcpt, '@');
    return slice_hash(slice_sub(rcpt, at, rcpt.len), 0);
}

static bool fits_transaction(const struct conversation *c, const struct conversation_probe *probe)
{
    return c->in_transaction && c->transaction_rcpts < c->config->rcpts_per_transaction &&
           c->transaction_null_sender == probe->is_null_sender &&
           c->transaction_smtputf8 == probe->needs_smtputf8 &&
           c->transaction_domain == domain_hash(probe->rcpt);
}

unsigned conversation_transactions(const struct conversation *c,
                                   const struct conversation_probe *probe)
{
    return c->transactions + (fits_transaction(c, probe) ? 0 : 1);
}

static enum err send_mail(struct conversation *c, const struct conversation_probe *probe)
{
    if (c->in_transaction) {
        enum err e = hel_smtp_client_rset(c->client, TAG_RSET);
        if (e != ERR_NONE) {
            return e;
        }
    }
    struct hel_smtp_mail mail = {
        .reverse_path = probe->is_null_sender ? SLICE_NONE : c->config->mail_from,
        .smtputf8 = probe->needs_smtputf8,
    };
    c->in_transaction = true;
    c->transactions++;
    c->transaction_rcpts = 0;
    c->transaction_null_sender = probe->is_null_sender;
    c->transaction_smtputf8 = probe->needs_smtputf8;
    c->transaction_domain = domain_hash(probe->rcpt);
    return hel_smtp_client_mail(c->client, TAG_MAIL, &mail);
}

static enum err send_rcpt(struct conversation *c)
{
    c->rcpt_is_sent = true;
    return hel_smtp_client_rcpt(c->client, TAG_RCPT, c->probe->rcpt);
}

/* Hands the probe's end to the owner; the probe is over. */
static void tell(struct conversation *c, enum probe_end end, struct evidence *evidence)
{
    c->probe = NULL;
    c->has_early_evidence = false;
    c->handler->probed(c->context, c, end, evidence, c->transaction_rcpts);
}

static void start(struct conversation *c, const struct conversation_probe *probe)
{
    c->probe = probe;
    c->asked_ms = door_now_ms(c->door);
    c->stage_began_ms = c->asked_ms;
    c->rcpt_is_sent = false;
    if (probe->transcript != NULL) {
        transcript_append(probe->transcript, &c->prelude);
    }
    enum err e = ERR_NONE;
    bool needs_mail = !fits_transaction(c, probe);
    if (needs_mail) {
        e = send_mail(c, probe);
    }
    bool may_pipeline =
        (hel_smtp_client_extensions(c->client) & HEL_SMTP_EXT_PIPELINING) != 0 || !needs_mail;
    if (e == ERR_NONE && may_pipeline) {
        e = send_rcpt(c);
    }
    if (e != ERR_NONE) {
        struct evidence evidence;
        conversation_evidence_init(c, EVIDENCE_LOCAL, HEL_SMTP_MAIL, &evidence);
        tell(c, PROBE_END_ANSWERED, &evidence);
        conversation_go(c);
    }
}

static bool lacks_smtputf8(const struct conversation *c, const struct conversation_probe *probe)
{
    return probe->needs_smtputf8 &&
           (hel_smtp_client_extensions(c->client) & HEL_SMTP_EXT_SMTPUTF8) == 0;
}

void conversation_ask_next(struct conversation *c)
{
    while (c->state == CONVERSATION_TALKING && c->probe == NULL) {
        c->ask_again_ms = 0;
        const struct conversation_probe *probe =
            c->handler->wants_probe(c->context, c, c->rcpts, c->refusals);
        if (probe == NULL && c->ask_again_ms != 0) {
            return;
        }
        if (probe == NULL) {
            conversation_go(c);
            return;
        }
        if (!lacks_smtputf8(c, probe)) {
            start(c, probe);
            continue;
        }
        struct evidence evidence;
        c->probe = probe;
        conversation_evidence_init(c, EVIDENCE_UTF8_UNSUPPORTED, HEL_SMTP_MAIL, &evidence);
        tell(c, PROBE_END_ANSWERED, &evidence);
    }
}

/* A demand for TLS that this line could not meet is a statement about the line, not the mailbox. */
static void mark_tls(const struct conversation *c, struct evidence *evidence)
{
    if (evidence->class.reason == REASON_TLS_REQUIRED && !c->tls_used) {
        evidence->kind = EVIDENCE_TLS_FAILED;
    }
}

static void on_mail_refused(struct conversation *c, const struct hel_reply *reply)
{
    struct evidence evidence;
    conversation_evidence_reply(c, HEL_SMTP_MAIL, reply, &evidence);
    mark_tls(c, &evidence);
    c->in_transaction = false;
    if (c->rcpt_is_sent) {
        c->early = evidence; /* the pipelined RCPT's answer is still owed */
        c->has_early_evidence = true;
        return;
    }
    bool is_cut = reply->code == 421 && c->rcpts > 0;
    tell(c, is_cut ? PROBE_END_SESSION_CUT : PROBE_END_ANSWERED, &evidence);
    c->rcpts++; /* one question of those that the session may have */
    conversation_ask_next(c);
}

static bool is_transaction_full(const struct conversation *c, const struct hel_reply *reply)
{
    /* RFC 5321 4.5.3.1.10: 452 (552 from old servers) "too many recipients". */
    bool says_so = reply->enhanced.subject == 5 && reply->enhanced.detail == 3;
    return c->transaction_rcpts > 0 && reply->code == 452 &&
           (says_so || reply->enhanced.class_digit == 0);
}

static bool is_refusal(const struct evidence *evidence)
{
    return evidence->code >= 500 || evidence->class.reason == REASON_MAILBOX_UNKNOWN;
}

static void on_rcpt_reply(struct conversation *c, const struct hel_reply *reply)
{
    c->rcpt_is_sent = false;
    if (c->has_early_evidence) {
        bool is_cut = c->early.code == 421 && c->rcpts > 0;
        tell(c, is_cut ? PROBE_END_SESSION_CUT : PROBE_END_ANSWERED, &c->early);
        c->rcpts++;
        conversation_ask_next(c);
        return;
    }
    struct evidence evidence;
    conversation_evidence_reply(c, HEL_SMTP_RCPT, reply, &evidence);
    mark_tls(c, &evidence);
    c->latency_ms[HEL_SMTP_RCPT] = evidence.latency_ms;
    enum probe_end end = PROBE_END_ANSWERED;
    if (reply->code == 421 && c->rcpts > 0) {
        end = PROBE_END_SESSION_CUT;
    } else if (is_transaction_full(c, reply)) {
        end = PROBE_END_TRANSACTION_CUT;
    }
    tell(c, end, &evidence);
    c->rcpts++;
    c->transaction_rcpts++;
    c->refusals += is_refusal(&evidence) ? 1 : 0;
    if (end == PROBE_END_TRANSACTION_CUT) {
        c->transaction_rcpts = c->config->rcpts_per_transaction; /* the next one begins anew */
    }
    if (reply->code == 421) {
        return; /* the end of the line follows as an event */
    }
    conversation_ask_next(c);
}

/* RSET must not fail (RFC 5321 4.1.1.5); where it does, nothing said on this line can be trusted. */
static void on_rset_refused(struct conversation *c, const struct hel_reply *reply)
{
    struct evidence evidence;
    conversation_evidence_reply(c, HEL_SMTP_RSET, reply, &evidence);
    tell(c, PROBE_END_SESSION_CUT, &evidence);
    conversation_go(c);
}

void conversation_on_reply(struct conversation *c, const struct hel_smtp_event *event)
{
    if (c->probe == NULL) {
        return; /* given up meanwhile */
    }
    bool is_good = hel_reply_is_success(&event->reply);
    if (event->tag == TAG_RSET && !is_good) {
        on_rset_refused(c, &event->reply);
    } else if (event->tag == TAG_MAIL && !is_good) {
        on_mail_refused(c, &event->reply);
    } else if (event->tag == TAG_MAIL) {
        c->latency_ms[HEL_SMTP_MAIL] = (uint32_t)(door_now_ms(c->door) - c->stage_began_ms);
        if (!c->rcpt_is_sent && send_rcpt(c) != ERR_NONE) {
            conversation_go(c);
        }
    } else if (event->tag == TAG_RCPT) {
        on_rcpt_reply(c, &event->reply);
    }
}

static enum evidence_kind kind_of(enum hel_smtp_failure failure)
{
    switch (failure) {
    case HEL_SMTP_FAILURE_PROTOCOL: return EVIDENCE_PROTOCOL_ERROR;
    case HEL_SMTP_FAILURE_TIMEOUT: return EVIDENCE_TIMEOUT;
    case HEL_SMTP_FAILURE_CLOSED: return EVIDENCE_DISCONNECTED;
    case HEL_SMTP_FAILURE_CLOSING: return EVIDENCE_REPLY;
    case HEL_SMTP_FAILURE_NOMEM: return EVIDENCE_LOCAL;
    }
    return EVIDENCE_LOCAL;
}

/* The end of the line: for the probe under way, or for the attempt to get as far as asking. */
void conversation_on_failed(struct conversation *c, const struct hel_smtp_event *event)
{
    struct evidence evidence;
    if (event->failure == HEL_SMTP_FAILURE_CLOSING && event->reply.code != 0) {
        conversation_evidence_reply(c, event->stage, &event->reply, &evidence);
    } else {
        conversation_evidence_init(c, kind_of(event->failure), event->stage, &evidence);
    }
    bool says_quit = event->failure == HEL_SMTP_FAILURE_TIMEOUT;
    if (c->probe == NULL) {
        bool is_early = event->stage <= HEL_SMTP_STARTTLS;
        if (is_early) {
            c->handler->failed(c->context, c, &evidence);
        }
    } else if (c->has_early_evidence) {
        tell(c, PROBE_END_ANSWERED, &c->early);
    } else {
        bool is_cut = c->rcpts > 0 && (event->failure == HEL_SMTP_FAILURE_CLOSED ||
                                       event->failure == HEL_SMTP_FAILURE_CLOSING);
        tell(c, is_cut ? PROBE_END_SESSION_CUT : PROBE_END_ANSWERED, &evidence);
    }
    if (says_quit) {
        conversation_go(c);
    } else {
        c->state = CONVERSATION_OVER;
    }
}
