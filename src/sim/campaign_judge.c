/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_judge.h"

#include <stdio.h>

#include "base/slice.h"
#include "sim/peer_private.h"

/* What a domain without a way to it is called; SUB_COUNT: there is a way. */
static enum verdict_sub sub_of_way(enum campaign_way way)
{
    switch (way) {
    case CAMPAIGN_WAY_NXDOMAIN: return SUB_DOMAIN_NOT_FOUND;
    case CAMPAIGN_WAY_NULL_MX: return SUB_NULL_MX;
    case CAMPAIGN_WAY_NO_HOST: return SUB_NO_MAIL_HOST;
    case CAMPAIGN_WAY_UNROUTABLE: return SUB_MX_UNROUTABLE;
    case CAMPAIGN_WAY_SERVFAIL:
    case CAMPAIGN_WAY_TIMEOUT:
    case CAMPAIGN_WAY_REFUSED:
    case CAMPAIGN_WAY_BROKEN: return SUB_DNS_ERROR;
    case CAMPAIGN_WAY_MX:
    case CAMPAIGN_WAY_IMPLICIT:
    case CAMPAIGN_WAY_ALIAS: break;
    }
    return SUB_COUNT;
}

static enum verdict_sub sub_of_truth(enum campaign_truth truth)
{
    switch (truth) {
    case CAMPAIGN_LIVE: return SUB_ACCEPTED;
    case CAMPAIGN_UNKNOWN: return SUB_MAILBOX_NOT_FOUND;
    case CAMPAIGN_FULL: return SUB_MAILBOX_FULL;
    case CAMPAIGN_DISABLED: return SUB_MAILBOX_DISABLED;
    case CAMPAIGN_MOVED: return SUB_MAILBOX_MOVED;
    case CAMPAIGN_FORWARDED: return SUB_ACCEPTED_FORWARD;
    case CAMPAIGN_AWAY: break;
    }
    return SUB_TEMP_FAILURE;
}

static bool takes_mail(enum campaign_truth truth)
{
    switch (truth) {
    case CAMPAIGN_LIVE:
    case CAMPAIGN_FULL:
    case CAMPAIGN_FORWARDED:
    case CAMPAIGN_AWAY: return true;
    case CAMPAIGN_UNKNOWN:
    case CAMPAIGN_DISABLED:
    case CAMPAIGN_MOVED: break;
    }
    return false;
}

static bool object(char why[CAMPAIGN_WHY_BYTES], const char *what, const char *expected,
                   const struct record *record)
{
    (void)snprintf(why, CAMPAIGN_WHY_BYTES, "%s: %.*s is %s%s%s; by \"%u %.*s\" and %.*s", what,
                   SLICE_ARG(record->email), verdict_sub_name(record->sub),
                   expected == NULL ? "" : ", expected ", expected == NULL ? "" : expected,
                   (unsigned)record->smtp.code, SLICE_ARG(slice_sub(record->smtp.text, 0, 120)),
                   SLICE_ARG(record->smtp.rule));
    return false;
}

/* Every scripted answer names its recipient in brackets. A control's name is nobody's. */
static bool is_said_of_another(const struct campaign_plan *plan, uint32_t number, struct slice text)
{
    size_t open = slice_find_byte(text, '<', 0);
    size_t close = slice_find_byte(text, '>', open);
    if (close >= text.len) {
        return false;
    }
    uint32_t named = campaign_number(plan, slice_sub(text, open + 1, close));
    return named != UINT32_MAX && named != number;
}

/* Where nothing disturbs, and nothing ends a question before its answer. */
static bool is_foretold(const struct campaign_plan *plan, uint32_t domain)
{
    for (unsigned i = 0; i < plan->weather_count; i++) {
        if (plan->weather[i].is_dns && plan->weather[i].domain == domain) {
            return false;
        }
    }
    return plan->sites[plan->domains[domain].site].is_plain && plan->settings.is_patient;
}

static bool judge_answer(const struct campaign_plan *plan, uint32_t number,
                         const struct record *record, char why[CAMPAIGN_WHY_BYTES])
{
    char address[CAMPAIGN_ADDRESS_BYTES];
    uint32_t domain = campaign_domain_of(plan, number);
    const struct campaign_site *site = &plan->sites[plan->domains[domain].site];
    campaign_address(plan, number, address);
    enum campaign_truth truth = campaign_truth(plan, number);
    bool is_caught = truth == CAMPAIGN_UNKNOWN && peer_catches(&site->script, slice_of(address));
    if (record->status == VERDICT_UNDELIVERABLE && (takes_mail(truth) || is_caught)) {
        return object(why, "a mailbox that takes mail is called undeliverable", NULL, record);
    }
    if (record->status == VERDICT_DELIVERABLE && !takes_mail(truth)) {
        return object(why, "a mailbox that takes no mail is called deliverable", NULL, record);
    }
    bool is_as_told = truth == CAMPAIGN_AWAY ? record->status == VERDICT_UNKNOWN
                                             : record->sub == sub_of_truth(truth);
    if (is_foretold(plan, domain) && !is_as_told) {
        return object(why, "an honest server", verdict_sub_name(sub_of_truth(truth)), record);
    }
    return true;
}

bool campaign_judge(const struct campaign_plan *plan, uint32_t number, struct slice asked,
                    const struct record *record, char out_why[CAMPAIGN_WHY_BYTES])
{
    char address[CAMPAIGN_ADDRESS_BYTES];
    campaign_address(plan, number, address);
    if (!slice_equal(record->email, asked) ||
        !slice_equal_nocase(record->ascii, slice_of(address))) {
        return object(out_why, "the answer belongs to another question", address, record);
    }
    if (is_said_of_another(plan, number, record->smtp.text)) {
        return object(out_why, "the reply was said of another address", NULL, record);
    }
    if (record->sub == SUB_INTERNAL_ERROR) {
        return object(out_why, "trouble of our own", NULL, record);
    }
    const struct campaign_domain *domain = &plan->domains[campaign_domain_of(plan, number)];
    enum verdict_sub wayless = sub_of_way(domain->way);
    if (wayless == SUB_COUNT) {
        return judge_answer(plan, number, record, out_why);
    }
    return record->sub == wayless ||
           object(out_why, "a domain without a way", verdict_sub_name(wayless), record);
}
