/* fuzz/message_dmarc: any bytes as a DMARC record. One that holds has a policy; what it lends is in it; and a message is
 * judged by it without surprise.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "message/dmarc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void check_uris(const struct dmarc_uri *uris, size_t count, struct slice text)
{
    must(count <= DMARC_URIS_MAX);
    for (size_t i = 0; i < count; i++) {
        must(is_within(uris[i].text, text) && is_within(uris[i].address, text));
        must(is_within(uris[i].host, uris[i].address));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct dmarc_record record;
    bool holds = dmarc_record_read(text, &record);
    must(!holds || (dmarc_is_record(text) && record.policy != DMARC_POLICY_UNSET));
    must(record.percent <= 100 && record.failure_options != 0);
    check_uris(record.aggregate, record.aggregate_count, text);
    check_uris(record.failure, record.failure_count, text);
    must(record.finding_count <= DMARC_FINDINGS_MAX);
    for (size_t i = 0; i < record.finding_count; i++) {
        must(dmarc_finding_text(record.findings[i].kind)[0] != '\0');
    }
    struct dmarc_facts facts = {.from = {SLICE("a.example.com"), SLICE("example.com")},
                                .has_spf = true,
                                .spf = {SLICE("b.example.com"), SLICE("example.com")}};
    struct dmarc_outcome outcome = dmarc_judge(&record, record.policy, &facts);
    must((outcome.result == DMARC_RESULT_PASS) == (record.spf_alignment == DMARC_RELAXED));
    return 0;
}
