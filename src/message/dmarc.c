/* message/dmarc: the search for a record and the judgement of a message.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dmarc.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"

static bool make_name(const char *prefix, struct slice domain, char out[DNS_NAME_BYTES])
{
    if (domain.len == 0 || strlen(prefix) + domain.len >= DNS_NAME_BYTES - 1) {
        return false;
    }
    (void)snprintf(out, DNS_NAME_BYTES, "%s%.*s", prefix, SLICE_ARG(domain));
    return true;
}

/* ---- the search ---- */

static void ask(struct dmarc_search *search, const char *domain)
{
    must(make_name("_dmarc.", slice_of(domain), search->name)); /* looked at by init */
    search->is_sent = false;
    search->aliases = 0;
}

enum err dmarc_search_init(struct dmarc_search *search, struct slice domain,
                           struct slice organizational)
{
    char name[DNS_NAME_BYTES];
    if (!make_name("_dmarc.", domain, name) || !make_name("_dmarc.", organizational, name)) {
        return ERR_SYNTAX;
    }
    memset(search, 0, sizeof *search);
    (void)make_name("", domain, search->domain);
    (void)make_name("", organizational, search->organizational);
    search->is_organizational = slice_equal_nocase(domain, organizational);
    search->state = DMARC_SEARCH_ASKING;
    ask(search, search->domain);
    return ERR_NONE;
}

bool dmarc_search_next(struct dmarc_search *search, struct slice *out_name, uint16_t *out_type)
{
    if (search->state != DMARC_SEARCH_ASKING || search->is_sent) {
        return false;
    }
    search->is_sent = true;
    *out_name = slice_of(search->name);
    *out_type = DNS_TXT;
    return true;
}

/* False: it is too long. */
static bool join_strings(const struct dns_record *record, char out[DMARC_TEXT_BYTES],
                         size_t *out_len)
{
    struct slice rest = record->text;
    struct slice string;
    size_t len = 0;
    while (dns_text_next(&rest, &string)) {
        if (len + string.len > DMARC_TEXT_BYTES) {
            return false;
        }
        memcpy(out + len, string.at, string.len);
        len += string.len;
    }
    *out_len = len;
    return true;
}

/* RFC 7489 6.6.3 step 2: those that begin like one; the last is kept. */
static size_t select_records(const struct dns_answer *answer, char out[DMARC_TEXT_BYTES],
                             size_t *out_len)
{
    char text[DMARC_TEXT_BYTES];
    size_t count = 0;
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        size_t len;
        if (join_strings(record, text, &len) && dmarc_is_record(slice_make(text, len))) {
            memcpy(out, text, len);
            *out_len = len;
            count++;
        }
    }
    return count;
}

/* RFC 7489 6.6.3 step 3: where the domain has none, its organizational domain is asked. */
static void take_answer(struct dmarc_search *search, const struct dns_answer *answer)
{
    if (answer->kind == DNS_ANSWER_ERROR) {
        search->state = DMARC_SEARCH_FAILED;
        search->failure = answer->failure;
        return;
    }
    size_t count = select_records(answer, search->text, &search->text_bytes);
    if (count == 0 && !search->is_organizational) {
        search->is_organizational = true;
        ask(search, search->organizational);
    } else if (count == 0) {
        search->state = DMARC_SEARCH_NONE;
    } else if (count > 1) {
        search->state = DMARC_SEARCH_SEVERAL;
    } else {
        bool holds =
            dmarc_record_read(slice_make(search->text, search->text_bytes), &search->record);
        search->state = holds ? DMARC_SEARCH_FOUND : DMARC_SEARCH_BROKEN;
    }
}

void dmarc_search_answered(struct dmarc_search *search, enum dns_transport transport,
                           struct slice message)
{
    must(search->is_sent);
    struct dns_answer answer;
    dns_answer_read(search->name, DNS_TXT, transport, message, &answer);
    search->is_sent = false;
    search->aliases += answer.aliases;
    if (answer.kind == DNS_ANSWER_CUT && search->aliases <= DNS_ALIASES_MAX) {
        memcpy(search->name, answer.name, sizeof search->name);
        return;
    }
    if (answer.kind == DNS_ANSWER_CUT) {
        answer.kind = DNS_ANSWER_ERROR;
        answer.failure = DNS_FAILURE_BROKEN;
    }
    take_answer(search, &answer);
}

enum dmarc_policy dmarc_policy_for(const struct dmarc_search *search)
{
    const struct dmarc_record *record = &search->record;
    bool is_inherited =
        search->is_organizational &&
        !slice_equal_nocase(slice_of(search->domain), slice_of(search->organizational));
    return is_inherited && record->subdomain_policy != DMARC_POLICY_UNSET ? record->subdomain_policy
                                                                          : record->policy;
}

/* ---- a message ---- */

bool dmarc_is_aligned(const struct dmarc_identity *a, const struct dmarc_identity *b,
                      enum dmarc_alignment alignment)
{
    if (alignment == DMARC_STRICT) {
        return slice_equal_nocase(a->domain, b->domain);
    }
    return a->organizational.len > 0 && slice_equal_nocase(a->organizational, b->organizational);
}

/* RFC 7489 6.6.4: what is left out gets the next milder treatment. */
static enum dmarc_policy milder(enum dmarc_policy policy)
{
    return policy == DMARC_POLICY_REJECT ? DMARC_POLICY_QUARANTINE : DMARC_POLICY_NONE;
}

struct dmarc_outcome dmarc_judge(const struct dmarc_record *record, enum dmarc_policy policy,
                                 const struct dmarc_facts *facts)
{
    struct dmarc_outcome outcome = {.policy = policy};
    must(facts->dkim_count <= DMARC_DKIM_MAX);
    outcome.is_spf_aligned =
        facts->has_spf && dmarc_is_aligned(&facts->from, &facts->spf, record->spf_alignment);
    for (size_t i = 0; i < facts->dkim_count && !outcome.is_dkim_aligned; i++) {
        outcome.is_dkim_aligned =
            dmarc_is_aligned(&facts->from, &facts->dkim[i], record->dkim_alignment);
    }
    bool is_pass = outcome.is_spf_aligned || outcome.is_dkim_aligned;
    outcome.result = is_pass ? DMARC_RESULT_PASS : DMARC_RESULT_FAIL;
    outcome.disposition = is_pass                         ? DMARC_POLICY_NONE
                          : facts->draw < record->percent ? policy
                                                          : milder(policy);
    return outcome;
}

/* ---- report addresses elsewhere ---- */

bool dmarc_report_is_external(struct slice domain_organizational, struct slice host_organizational)
{
    return !slice_equal_nocase(domain_organizational, host_organizational);
}

bool dmarc_report_name(struct slice domain, struct slice host, char out[DNS_NAME_BYTES])
{
    static const char between[] = "._report._dmarc.";
    if (domain.len == 0 || host.len == 0 ||
        domain.len + host.len + sizeof between >= DNS_NAME_BYTES) {
        return false;
    }
    (void)snprintf(out, DNS_NAME_BYTES, "%.*s%s%.*s", SLICE_ARG(domain), between, SLICE_ARG(host));
    return true;
}

/* RFC 7489 7.1 step 6: any record that begins like one. */
bool dmarc_report_is_authorised(const struct dns_answer *answer)
{
    char text[DMARC_TEXT_BYTES];
    size_t len;
    return select_records(answer, text, &len) > 0;
}
