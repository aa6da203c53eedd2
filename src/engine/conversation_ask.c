/* The dialogue of a conversation: probes one after the other or in groups, and the evidence of each.
 * The first RCPT of a transaction goes alone with its MAIL: a refused MAIL is the answer to one probe, not to many.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/conversation_private.h"

/* Of the open transaction, with its at sign: no domain has another, so whoever ends with it is of that domain. */
static struct slice transaction_domain(const struct conversation *c)
{
    return slice_make(c->transaction_domain, c->transaction_domain_len);
}

/* One that is too long to be a domain is nobody else's. */
static void keep_domain(struct conversation *c, struct slice rcpt)
{
    struct slice domain = slice_sub(rcpt, slice_find_last_byte(rcpt, '@'), rcpt.len);
    c->transaction_domain_len = domain.len <= sizeof c->transaction_domain ? domain.len : 0;
    memcpy(c->transaction_domain, domain.at, c->transaction_domain_len);
}

bool conversation_fits(const struct conversation *c, const struct conversation_probe *probe)
{
    return c->in_transaction &&
           c->transaction_rcpts + c->under_way < c->config->rcpts_per_transaction &&
           c->transaction_null_sender == probe->is_null_sender &&
           c->transaction_smtputf8 == probe->needs_smtputf8 && c->transaction_domain_len > 0 &&
           slice_ends(probe->rcpt, transaction_domain(c));
}

bool conversation_has_transaction(const struct conversation *c,
                                  const struct conversation_probe *probe, unsigned max)
{
    return c->transactions < max || (c->transactions == max && conversation_fits(c, probe));
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
    c->is_mail_accepted = false;
    c->transactions++;
    c->transaction_rcpts = 0;
    c->transaction_null_sender = probe->is_null_sender;
    c->transaction_smtputf8 = probe->needs_smtputf8;
    keep_domain(c, probe->rcpt);
    return hel_smtp_client_mail(c->client, TAG_MAIL, &mail);
}

static enum err send_rcpt(struct conversation *c, struct conversation_question *question)
{
    enum err e = hel_smtp_client_rcpt(c->client, TAG_RCPT, question->probe->rcpt);
    question->is_sent = e == ERR_NONE;
    return e;
}

/* Hands the oldest probe's end to the owner; the probe is over. */
static void tell_counted(struct conversation *c, enum probe_end end, struct evidence *evidence,
                         unsigned transaction_rcpts)
{
    const struct conversation_probe *probe = c->questions[0].probe;
    c->under_way--;
    memmove(c->questions, c->questions + 1, c->under_way * sizeof c->questions[0]);
    c->handler->probed(c->context, c, probe, end, evidence, transaction_rcpts);
}

static void tell(struct conversation *c, enum probe_end end, struct evidence *evidence)
{
    tell_counted(c, end, evidence, c->transaction_rcpts);
}

/* Those of a group that were answered, in order. */
static void tell_answered(struct conversation *c)
{
    while (c->answered > 0) {
        struct conversation_question *oldest = &c->questions[0];
        struct evidence *answer = TAKE(oldest->answer);
        c->answered--;
        tell_counted(c, oldest->end, answer, oldest->transaction_rcpts);
        free(answer);
    }
}

void conversation_forget(struct conversation *c)
{
    while (c->answered > 0) {
        free(c->questions[--c->answered].answer);
    }
    c->under_way = 0;
}

static void tell_early(struct conversation *c, enum probe_end end)
{
    struct evidence *early = TAKE(c->early);
    tell(c, end, early);
    free(early);
}

/* The oldest probe could not be put to the server. */
static void tell_unsent(struct conversation *c)
{
    struct evidence evidence;
    conversation_evidence_init(c, EVIDENCE_LOCAL, HEL_SMTP_MAIL, &evidence);
    tell(c, PROBE_END_ANSWERED, &evidence);
    conversation_go(c);
}

static struct conversation_question *add(struct conversation *c,
                                         const struct conversation_probe *probe)
{
    must(c->under_way < c->under_way_max);
    struct conversation_question *added = &c->questions[c->under_way++];
    *added = (struct conversation_question){.probe = probe, .asked_ms = door_now_ms(c->door)};
    c->is_recorded = c->is_recorded || probe->transcript != NULL;
    return added;
}

static bool has_pipelining(const struct conversation *c)
{
    return (hel_smtp_client_extensions(c->client) & HEL_SMTP_EXT_PIPELINING) != 0;
}

/* Others that go out together with the one just begun. One that cannot be sent is told of in its turn. */
static void start_others(struct conversation *c)
{
    bool may = has_pipelining(c) && c->is_mail_accepted && c->under_way > 0;
    while (may && c->under_way < c->config->pipelined_rcpts) {
        const struct conversation_probe *probe = c->handler->wants_another(
            c->context, c, c->rcpts + c->under_way, c->refusals + c->under_way);
        if (probe == NULL) {
            return;
        }
        must(conversation_fits(c, probe));
        may = send_rcpt(c, add(c, probe)) == ERR_NONE;
    }
}

static void start(struct conversation *c, const struct conversation_probe *probe)
{
    bool needs_mail = !conversation_fits(c, probe);
    struct conversation_question *question = add(c, probe);
    c->stage_began_ms = question->asked_ms;
    if (probe->transcript != NULL) {
        if (probe->was_prelude_told) {
            transcript_append(probe->transcript, &c->prelude);
        } else {
            transcript_repeat(probe->transcript, &c->prelude);
        }
    }
    enum err e = ERR_NONE;
    if (needs_mail) {
        e = send_mail(c, probe);
    }
    if (e == ERR_NONE && (has_pipelining(c) || !needs_mail)) {
        e = send_rcpt(c, question);
    }
    if (e != ERR_NONE) {
        tell_unsent(c);
        return;
    }
    start_others(c);
}

static bool lacks_smtputf8(const struct conversation *c, const struct conversation_probe *probe)
{
    return probe->needs_smtputf8 &&
           (hel_smtp_client_extensions(c->client) & HEL_SMTP_EXT_SMTPUTF8) == 0;
}

void conversation_ask_next(struct conversation *c)
{
    if (c->under_way > 0 && !c->questions[0].is_sent) {
        tell_unsent(c);
    }
    while (c->state == CONVERSATION_TALKING && c->under_way == 0) {
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
        (void)add(c, probe);
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
    if (c->questions[0].is_sent) { /* the pipelined RCPT's answer is still owed */
        c->early = malloc(sizeof *c->early);
        if (c->early == NULL) {
            tell_unsent(c);
        } else {
            evidence_copy(c->early, &evidence);
        }
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

/* A group that was not understood, or whose answers do not come in its order: for all we know none of them is that of
 * its address. */
static void break_group(struct conversation *c, enum evidence_kind kind)
{
    while (c->answered > 0) {
        free(c->questions[--c->answered].answer);
    }
    struct evidence evidence;
    conversation_evidence_init(c, kind, HEL_SMTP_RCPT, &evidence);
    tell(c, PROBE_END_GROUP_BROKEN, &evidence);
}

static bool contains(const struct hel_reply *reply, struct slice words)
{
    return slice_find_nocase(reply->text, words) < reply->text.len;
}

/* It names another one of the group, and not the one whose turn it is. 251 and 551 name whom to write to instead
 * (RFC 5321 3.4). */
static bool names_another(const struct conversation *c, const struct hel_reply *reply)
{
    if (slice_find_byte(reply->text, '@', 0) == reply->text.len || reply->code == 251 ||
        reply->code == 551 || contains(reply, c->questions[c->answered].probe->rcpt)) {
        return false;
    }
    for (unsigned i = 0; i < c->under_way; i++) {
        if (i != c->answered && contains(reply, c->questions[i].probe->rcpt)) {
            return true;
        }
    }
    return false;
}

/* The answer to one of a group says that the server is not where we are: unknown commands, a bad sequence, words about
 * pipelining or synchronization. */
static bool is_out_of_step(const struct conversation *c, const struct hel_reply *reply,
                           const struct evidence *evidence)
{
    if (reply->code == 500 || reply->code == 502 || reply->code == 503) {
        return true;
    }
    bool may_be_about_us = reply->code >= 400 && evidence->class.scope != SCOPE_MAILBOX;
    bool is_about_protocol = may_be_about_us && (contains(reply, SLICE("pipelin")) ||
                                                 contains(reply, SLICE("synchroni")));
    return is_about_protocol || names_another(c, reply);
}

static bool is_refusal(const struct evidence *evidence)
{
    return evidence->code >= 500 || evidence->class.reason == REASON_MAILBOX_UNKNOWN;
}

/* An answer is told at once, but for those of a group, which wait for the last of it. */
static void on_rcpt_answered(struct conversation *c, struct conversation_question *question,
                             struct evidence *evidence)
{
    bool is_last = c->answered + 1 == c->under_way || !question[1].is_sent;
    if (!is_last && evidence->code != 421) {
        question->answer = malloc(sizeof *question->answer);
        if (question->answer == NULL) {
            conversation_leave(c);
            return;
        }
        evidence_copy(question->answer, evidence);
        c->answered++;
        return;
    }
    enum probe_end end = question->end;
    unsigned transaction_rcpts = question->transaction_rcpts;
    tell_answered(c);
    if (c->under_way > 0) { /* given up meanwhile? */
        tell_counted(c, end, evidence, transaction_rcpts);
    }
    if (evidence->code == 421) { /* the end of the line follows as an event */
        conversation_forget(c);  /* who is behind was not reached */
        return;
    }
    conversation_ask_next(c);
}

static void on_rcpt_reply(struct conversation *c, const struct hel_reply *reply)
{
    if (c->early != NULL) {
        bool is_cut = c->early->code == 421 && c->rcpts > 0;
        tell_early(c, is_cut ? PROBE_END_SESSION_CUT : PROBE_END_ANSWERED);
        c->rcpts++;
        conversation_ask_next(c);
        return;
    }
    UNFILLED struct evidence evidence;
    conversation_evidence_reply(c, HEL_SMTP_RCPT, reply, &evidence);
    if (c->under_way > 1 && is_out_of_step(c, reply, &evidence)) {
        break_group(c, EVIDENCE_PROTOCOL_ERROR);
        conversation_leave(c);
        return;
    }
    mark_tls(c, &evidence);
    c->latency_ms[HEL_SMTP_RCPT] = evidence.latency_ms;
    struct conversation_question *question = &c->questions[c->answered];
    question->transaction_rcpts = c->transaction_rcpts;
    question->end = PROBE_END_ANSWERED;
    if (reply->code == 421 && c->rcpts > 0) {
        question->end = PROBE_END_SESSION_CUT;
    } else if (is_transaction_full(c, reply)) {
        question->end = PROBE_END_TRANSACTION_CUT;
    }
    c->rcpts++;
    c->transaction_rcpts++;
    c->refusals += is_refusal(&evidence) ? 1 : 0;
    if (question->end == PROBE_END_TRANSACTION_CUT) {
        c->transaction_rcpts = c->config->rcpts_per_transaction; /* the next one begins anew */
    }
    on_rcpt_answered(c, question, &evidence);
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
    if (c->under_way == 0) {
        return; /* given up meanwhile */
    }
    bool is_good = hel_reply_is_success(&event->reply);
    if (event->tag == TAG_RSET && !is_good) {
        on_rset_refused(c, &event->reply);
    } else if (event->tag == TAG_MAIL && !is_good) {
        on_mail_refused(c, &event->reply);
    } else if (event->tag == TAG_MAIL) {
        c->latency_ms[HEL_SMTP_MAIL] = (uint32_t)(door_now_ms(c->door) - c->stage_began_ms);
        c->is_mail_accepted = true;
        struct conversation_question *question = &c->questions[0];
        if (!question->is_sent && send_rcpt(c, question) != ERR_NONE) {
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

/* With the line. What was answered in a group counts where the server ended it; one that fell silent or out of step
 * may have swallowed one of the group, and so moved the answers. */
static void tell_lost(struct conversation *c, enum hel_smtp_failure failure,
                      struct evidence *evidence)
{
    if (c->under_way > 1 &&
        (failure == HEL_SMTP_FAILURE_TIMEOUT || failure == HEL_SMTP_FAILURE_PROTOCOL)) {
        break_group(c, evidence->kind);
        return;
    }
    tell_answered(c);
    if (c->under_way > 0) {
        bool is_cut = c->rcpts > 0 &&
                      (failure == HEL_SMTP_FAILURE_CLOSED || failure == HEL_SMTP_FAILURE_CLOSING);
        tell(c, is_cut ? PROBE_END_SESSION_CUT : PROBE_END_ANSWERED, evidence);
    }
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
    if (c->under_way == 0) {
        bool is_early = event->stage <= HEL_SMTP_STARTTLS;
        if (is_early) {
            c->handler->failed(c->context, c, &evidence);
        }
    } else if (c->early != NULL) {
        tell_early(c, PROBE_END_ANSWERED);
    } else {
        tell_lost(c, event->failure, &evidence);
    }
    conversation_forget(c);
    if (says_quit) {
        conversation_go(c);
    } else {
        c->state = CONVERSATION_OVER;
    }
}
