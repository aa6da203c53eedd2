/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/answer.h"

#include <string.h>

#include "base/slice.h"

static void live_at_most(struct dns_answer *answer, uint32_t ttl_s)
{
    if (ttl_s < answer->ttl_s) {
        answer->ttl_s = ttl_s;
    }
}

static void set_error(struct dns_answer *answer, enum dns_failure failure)
{
    answer->kind = DNS_ANSWER_ERROR;
    answer->failure = failure;
    answer->message.answer_count = 0;
}

static enum dns_failure failure_of(enum dns_transport transport)
{
    switch (transport) {
    case DNS_TRANSPORT_TIMEOUT: return DNS_FAILURE_TIMEOUT;
    case DNS_TRANSPORT_REFUSED: return DNS_FAILURE_REFUSED;
    case DNS_TRANSPORT_ANSWERED:
    case DNS_TRANSPORT_FAILED: break;
    }
    return DNS_FAILURE_BROKEN;
}

/* A cut answer is none: whoever carries the questions asks again over TCP (RFC 2181 9, 7766). */
static bool is_answer_to(const struct dns_message *message, const char *name, uint16_t type)
{
    bool has_question = message->question_type != 0;
    return message->is_response && !message->is_truncated &&
           (!has_question ||
            (message->question_type == type && strcmp(message->question, name) == 0));
}

static const struct dns_record *alias_of(const struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->message.answer_count; i++) {
        const struct dns_record *record = &answer->message.answers[i];
        if (record->type == DNS_CNAME && strcmp(record->owner, answer->name) == 0) {
            return record;
        }
    }
    return NULL;
}

/* To the end of the chain that the answer shows; false: it goes in a circle. */
static bool follow_aliases(struct dns_answer *answer)
{
    const struct dns_record *alias = alias_of(answer);
    while (alias != NULL) {
        memcpy(answer->name, alias->target, sizeof answer->name);
        live_at_most(answer, alias->ttl_s);
        if (++answer->aliases > DNS_ALIASES_MAX) {
            return false;
        }
        alias = alias_of(answer);
    }
    return true;
}

static void judge(struct dns_answer *answer)
{
    const struct dns_message *message = &answer->message;
    if (message->rcode != DNS_NOERROR && message->rcode != DNS_NXDOMAIN) {
        set_error(answer,
                  message->rcode == DNS_REFUSED ? DNS_FAILURE_REFUSED : DNS_FAILURE_SERVFAIL);
        return;
    }
    if (answer->type != DNS_CNAME && !follow_aliases(answer)) {
        set_error(answer, DNS_FAILURE_SERVFAIL); /* broken on their side, and maybe only now */
        return;
    }
    const struct dns_record *record = dns_answer_next(answer, NULL);
    if (record != NULL) {
        answer->kind = DNS_ANSWER_RECORDS;
    } else if (message->rcode == DNS_NXDOMAIN) {
        answer->kind = DNS_ANSWER_NOT_FOUND;
    } else {
        bool is_cut = answer->aliases > 0 && !message->has_negative_ttl;
        answer->kind = is_cut ? DNS_ANSWER_CUT : DNS_ANSWER_NO_DATA;
    }
    for (; record != NULL; record = dns_answer_next(answer, record)) {
        live_at_most(answer, record->ttl_s);
    }
}

void dns_answer_read(const char *name, uint16_t type, enum dns_transport transport,
                     struct slice bytes, struct dns_answer *out)
{
    out->kind = DNS_ANSWER_ERROR;
    out->failure = DNS_FAILURE_NONE;
    out->type = type;
    out->aliases = 0;
    out->ttl_s = UINT32_MAX;
    out->message.answer_count = 0;
    out->message.is_authentic = false;
    size_t len = strnlen(name, sizeof out->name - 1);
    memcpy(out->name, name, len);
    out->name[len] = '\0';
    if (transport != DNS_TRANSPORT_ANSWERED) {
        set_error(out, failure_of(transport));
    } else if (dns_message_parse(bytes, &out->message) != ERR_NONE ||
               !is_answer_to(&out->message, name, type)) {
        set_error(out, DNS_FAILURE_BROKEN);
    } else {
        judge(out);
    }
}

const struct dns_record *dns_answer_next(const struct dns_answer *answer,
                                         const struct dns_record *after)
{
    const struct dns_message *message = &answer->message;
    for (size_t i = after == NULL ? 0 : (size_t)(after - message->answers) + 1;
         i < message->answer_count; i++) {
        const struct dns_record *record = &message->answers[i];
        if (record->type == answer->type && strcmp(record->owner, answer->name) == 0) {
            return record;
        }
    }
    return NULL;
}
