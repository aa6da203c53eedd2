/* verify/health_private: what health.c (the judge) and the files of checks share. Each file has a table of its checks.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_HEALTH_PRIVATE_H
#define VERIFY_HEALTH_PRIVATE_H

#include "verify/health.h"

struct health_judge {
    struct health_facts *facts;
    struct health_report *report;
    const struct health_check *check; /* whose turn it is */
    enum err err;
};

/* The parts of a finding; texts are copied. todo, record: NULL or text. */
void health_say(struct health_judge *j, const char *todo, const char *record, const char *format,
                ...) PRINTF_LIKE(4, 5);

/* For records: a text that lives as long as the facts; "" without memory. */
const char *health_text_of(struct health_judge *j, const char *format, ...) PRINTF_LIKE(2, 3);

struct health_checks {
    const struct health_check *at;
    size_t count;
};
extern const struct health_checks health_dns_checks, health_mx_checks, health_spf_checks,
    health_dkim_checks, health_dmarc_checks, health_tls_checks, health_brand_checks,
    health_list_checks;

/* An answer that says that there is nothing. */
static inline bool health_is_absent(enum dns_answer_kind kind)
{
    return kind == DNS_ANSWER_NOT_FOUND || kind == DNS_ANSWER_NO_DATA;
}

/* The domain takes no mail, and says so (RFC 7505). */
static inline bool health_takes_no_mail(const struct health_facts *facts)
{
    return facts->has_null_mx && facts->mx_count == 1;
}

/* What is asked of receivers for mail from the domain; DMARC_POLICY_UNSET where no record holds. */
enum dmarc_policy health_dmarc_policy(const struct health_facts *facts);

#endif
