/* fuzz/verify_health: any bytes as everything that strangers write about a domain's mail: DKIM key, DMARC policy, MTA-STS
 * record and policy, TLS reports, BIMI, and a message with signatures. Whatever it is, the judge ends, within its bounds.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "verify/health.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct health_text text_of(struct slice bytes)
{
    return (struct health_text){.name = "x.d.example",
                                .kind = DNS_ANSWER_RECORDS,
                                .count = 1,
                                .text = slice_sub(bytes, 0, HEALTH_TEXT_BYTES_MAX)};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct health_report report;
    struct slice bytes = slice_make((const char *)data, size);
    char selectors[8][HEALTH_SELECTOR_BYTES];
    struct health_key key = {.selector = "s", .kind = DNS_ANSWER_RECORDS};
    struct health_mx mx = {.host = {.name = "mx.d.example"}, .tlsa_kind = DNS_ANSWER_NO_DATA};
    struct health_facts facts = {
        .domain = "d.example",
        .soa = DNS_ANSWER_RECORDS,
        .mx_kind = DNS_ANSWER_RECORDS,
        .mx_count = 1,
        .mx = &mx,
        .key_count = 1,
        .keys = &key,
        .has_dmarc = true,
        .sts = text_of(bytes),
        .sts_policy = {.state = HEALTH_FETCH_DONE,
                       .status = 200,
                       .content_type = bytes,
                       .body = bytes},
        .tls_rpt = text_of(bytes),
        .bimi = text_of(bytes),
    };
    key.fault = dkim_key_read(bytes, &key.key, NULL);
    must(dmarc_search_init(&facts.dmarc, SLICE("d.example"), SLICE("d.example")) == ERR_NONE);
    facts.dmarc.state =
        dmarc_record_read(bytes, &facts.dmarc.record) ? DMARC_SEARCH_FOUND : DMARC_SEARCH_BROKEN;
    arena_init(&facts.arena, HEALTH_MEMORY_BYTES_MAX);
    must(health_judge(&facts, &report) == ERR_NONE);
    must(report.count <= HEALTH_FINDINGS_MAX && report.score <= 100);
    arena_done(&facts.arena);
    must(health_mail_selectors(bytes, SLICE("d.example"), selectors, 8) <= 8);
    return 0;
}
