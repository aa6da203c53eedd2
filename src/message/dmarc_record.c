/* message/dmarc_record: a record's tags (RFC 7489 6.3, 6.4), each read by a function of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "dns/tags.h"
#include "message/dmarc.h"

enum { PERCENT_MAX = 100, INTERVAL_S = 86400 };

static void add(struct dmarc_record *out, enum dmarc_finding_kind kind, struct slice text)
{
    if (out->finding_count < DMARC_FINDINGS_MAX) {
        out->findings[out->finding_count++] = (struct dmarc_finding){kind, text};
    }
}

/* ---- values ---- */

static bool read_policy(struct slice value, enum dmarc_policy *out)
{
    for (int i = DMARC_POLICY_NONE; i <= DMARC_POLICY_REJECT; i++) {
        enum dmarc_policy policy = (enum dmarc_policy)i;
        if (slice_equal_nocase(value, slice_of(dmarc_policy_name(policy)))) {
            *out = policy;
            return true;
        }
    }
    return false;
}

static void take_policy(struct dmarc_record *out, struct slice value)
{
    if (!read_policy(value, &out->policy)) {
        add(out, DMARC_FINDING_POLICY, value);
    }
}

static void take_subdomain_policy(struct dmarc_record *out, struct slice value)
{
    if (!read_policy(value, &out->subdomain_policy)) {
        add(out, DMARC_FINDING_SUBDOMAIN_POLICY, value);
    }
}

static void take_non_existent_policy(struct dmarc_record *out, struct slice value)
{
    if (!read_policy(value, &out->non_existent_policy)) {
        add(out, DMARC_FINDING_NON_EXISTENT_POLICY, value);
    }
}

static void take_alignment(struct dmarc_record *out, struct slice value, enum dmarc_alignment *to)
{
    bool is_strict = slice_equal_nocase(value, SLICE("s"));
    if (!is_strict && !slice_equal_nocase(value, SLICE("r"))) {
        add(out, DMARC_FINDING_ALIGNMENT, value);
        return;
    }
    *to = is_strict ? DMARC_STRICT : DMARC_RELAXED;
}

static void take_dkim_alignment(struct dmarc_record *out, struct slice value)
{
    take_alignment(out, value, &out->dkim_alignment);
}

static void take_spf_alignment(struct dmarc_record *out, struct slice value)
{
    take_alignment(out, value, &out->spf_alignment);
}

static bool read_number(struct slice value, uint64_t max, uint64_t *out)
{
    struct reader r = reader_over(value);
    return reader_number(&r, max, out) && reader_is_done(&r);
}

static void take_percent(struct dmarc_record *out, struct slice value)
{
    uint64_t percent;
    add(out, DMARC_FINDING_DROPPED_TAG, SLICE("pct"));
    if (!read_number(value, PERCENT_MAX, &percent)) {
        add(out, DMARC_FINDING_PERCENT, value);
        return;
    }
    out->percent = (unsigned)percent;
}

static void take_interval(struct dmarc_record *out, struct slice value)
{
    uint64_t interval;
    add(out, DMARC_FINDING_DROPPED_TAG, SLICE("ri"));
    if (!read_number(value, UINT32_MAX, &interval)) {
        add(out, DMARC_FINDING_INTERVAL, value);
        return;
    }
    out->interval_s = (uint32_t)interval;
}

static unsigned failure_option(struct slice word)
{
    static const struct {
        struct slice word;
        unsigned option;
    } words[] = {{SLICE_LITERAL("0"), DMARC_REPORT_ALL_FAIL},
                 {SLICE_LITERAL("1"), DMARC_REPORT_ANY_FAIL},
                 {SLICE_LITERAL("d"), DMARC_REPORT_DKIM},
                 {SLICE_LITERAL("s"), DMARC_REPORT_SPF}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (slice_equal_nocase(word, words[i].word)) {
            return words[i].option;
        }
    }
    return 0;
}

static void take_options(struct dmarc_record *out, struct slice value)
{
    struct slice rest = value;
    struct slice word;
    unsigned options = 0;
    while (tag_item_next(&rest, ':', &word)) {
        unsigned option = failure_option(word);
        if (option == 0) {
            add(out, DMARC_FINDING_OPTIONS, word);
        }
        options |= option;
    }
    out->failure_options = options == 0 ? out->failure_options : options;
}

static void take_format(struct dmarc_record *out, struct slice value)
{
    struct slice rest = value;
    struct slice word;
    add(out, DMARC_FINDING_DROPPED_TAG, SLICE("rf"));
    while (tag_item_next(&rest, ':', &word)) {
        if (!slice_equal_nocase(word, SLICE("afrf"))) {
            add(out, DMARC_FINDING_FORMAT, word);
        }
    }
}

static void take_psd(struct dmarc_record *out, struct slice value)
{
    char c = value.len == 1 ? ascii_lower(value.at[0]) : '\0';
    if (c != 'y' && c != 'n' && c != 'u') {
        add(out, DMARC_FINDING_PSD, value);
        return;
    }
    out->psd = c;
}

static void take_testing(struct dmarc_record *out, struct slice value)
{
    out->is_testing = slice_equal_nocase(value, SLICE("y"));
    if (!out->is_testing && !slice_equal_nocase(value, SLICE("n"))) {
        add(out, DMARC_FINDING_TESTING, value);
    }
}

/* ---- report addresses (RFC 7489 6.2) ---- */

/* "10m": RFC 7489 6.2; units are powers of 1024. */
static bool read_size(struct slice text, uint64_t *out)
{
    static const char units[] = "kmgt";
    struct reader r = reader_over(text);
    char unit;
    if (!reader_number(&r, UINT32_MAX, out)) {
        return false;
    }
    if (reader_byte(&r, &unit)) {
        const char *at = strchr(units, ascii_lower(unit));
        if (unit == '\0' || at == NULL) {
            return false;
        }
        *out <<= 10 * (at - units + 1);
    }
    return reader_is_done(&r);
}

/* RFC 3986 3.1 */
static bool has_scheme(struct slice uri)
{
    size_t colon = slice_find_byte(uri, ':', 0);
    for (size_t i = 0; i < colon && i < uri.len; i++) {
        if (!ascii_is_alnum(uri.at[i]) && uri.at[i] != '+' && uri.at[i] != '-' &&
            uri.at[i] != '.') {
            return false;
        }
    }
    return colon > 0 && colon + 1 < uri.len && ascii_is_alpha(uri.at[0]);
}

/* False: it is none. */
static bool read_uri(struct dmarc_record *record, struct slice item, struct dmarc_uri *out)
{
    size_t bang = slice_find_byte(item, '!', 0);
    *out = (struct dmarc_uri){
        .text = slice_sub(item, 0, bang), .address = SLICE_NONE, .host = SLICE_NONE};
    if (bang < item.len && !read_size(slice_sub(item, bang + 1, item.len), &out->bytes_max)) {
        add(record, DMARC_FINDING_URI_SIZE, item);
        out->bytes_max = 0;
    }
    if (!has_scheme(out->text)) {
        add(record, DMARC_FINDING_URI, item);
        return false;
    }
    if (!slice_starts_nocase(out->text, SLICE("mailto:"))) {
        add(record, DMARC_FINDING_URI_SCHEME, item);
        return true;
    }
    struct slice address = slice_sub(out->text, sizeof "mailto:" - 1, out->text.len);
    address = slice_sub(address, 0, slice_find_byte(address, '?', 0));
    size_t at = slice_find_last_byte(address, '@');
    if (at == 0 || at + 1 >= address.len) {
        add(record, DMARC_FINDING_URI, item);
        return false;
    }
    out->address = address;
    out->host = slice_sub(address, at + 1, address.len);
    return true;
}

static void take_uris(struct dmarc_record *out, struct slice value, struct dmarc_uri *uris,
                      size_t *count)
{
    struct slice rest = value;
    struct slice item;
    while (tag_item_next(&rest, ',', &item)) {
        if (*count == DMARC_URIS_MAX) {
            add(out, DMARC_FINDING_TOO_MANY_URIS, item);
            return;
        }
        if (read_uri(out, item, &uris[*count])) {
            (*count)++;
        }
    }
}

static void take_aggregate(struct dmarc_record *out, struct slice value)
{
    take_uris(out, value, out->aggregate, &out->aggregate_count);
}

static void take_failure(struct dmarc_record *out, struct slice value)
{
    take_uris(out, value, out->failure, &out->failure_count);
}

/* ---- the record ---- */

static const struct {
    const char *name;
    void (*take)(struct dmarc_record *out, struct slice value);
} known[] = {
    {"p", take_policy},
    {"sp", take_subdomain_policy},
    {"np", take_non_existent_policy},
    {"adkim", take_dkim_alignment},
    {"aspf", take_spf_alignment},
    {"pct", take_percent},
    {"fo", take_options},
    {"rf", take_format},
    {"ri", take_interval},
    {"rua", take_aggregate},
    {"ruf", take_failure},
    {"psd", take_psd},
    {"t", take_testing},
};

static void take_tag(struct dmarc_record *out, const struct tag *tag)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (slice_equal_nocase(tag->name, slice_of(known[i].name))) {
            known[i].take(out, tag->value);
            return;
        }
    }
    add(out, DMARC_FINDING_UNKNOWN_TAG, tag->name);
}

/* RFC 7489 6.4: "v" *WSP "=" *WSP "DMARC1", then white space and a semicolon, or the end. */
bool dmarc_is_record(struct slice text)
{
    struct slice piece = slice_sub(text, 0, slice_find_byte(text, ';', 0));
    size_t equals = slice_find_byte(piece, '=', 0);
    return slice_equal(slice_trim(slice_sub(piece, 0, equals)), SLICE("v")) &&
           slice_equal(slice_trim(slice_sub(piece, equals + 1, piece.len)), SLICE("DMARC1"));
}

static void find_list_fault(struct dmarc_record *out, enum tag_fault fault, struct slice bad)
{
    if (fault == TAG_FAULT_DOUBLE) {
        add(out, DMARC_FINDING_DOUBLE_TAG, bad);
    } else if (fault != TAG_FAULT_NONE) {
        add(out, DMARC_FINDING_SYNTAX, bad);
    }
}

/* RFC 7489 6.4: p= behind v=. */
static void find_policy_place(struct dmarc_record *out, const struct tag_list *tags)
{
    const struct tag *policy = tag_find(tags, SLICE("p"));
    if (policy == NULL) {
        add(out, DMARC_FINDING_NO_POLICY, SLICE_NONE);
    } else if (policy != &tags->at[1]) {
        add(out, DMARC_FINDING_POLICY_PLACE, policy->value);
    }
}

static bool has_finding(const struct dmarc_record *record, enum dmarc_finding_kind kind)
{
    for (size_t i = 0; i < record->finding_count; i++) {
        if (record->findings[i].kind == kind) {
            return true;
        }
    }
    return false;
}

bool dmarc_record_read(struct slice text, struct dmarc_record *out)
{
    struct tag_list tags;
    struct slice bad;
    *out = (struct dmarc_record){
        .percent = PERCENT_MAX,
        .failure_options = DMARC_REPORT_ALL_FAIL,
        .interval_s = INTERVAL_S,
        .psd = 'u',
    };
    enum tag_fault fault = tag_list_read(text, &tags, &bad);
    find_list_fault(out, fault, bad);
    find_policy_place(out, &tags);
    for (size_t i = 0; i < tags.count; i++) {
        if (!slice_equal(tags.at[i].name, SLICE("v"))) {
            take_tag(out, &tags.at[i]);
        }
    }
    bool is_unsure =
        out->policy == DMARC_POLICY_UNSET || has_finding(out, DMARC_FINDING_SUBDOMAIN_POLICY);
    if (is_unsure && out->aggregate_count > 0) { /* RFC 7489 6.6.3 step 6 */
        out->policy = DMARC_POLICY_NONE;
        out->subdomain_policy = DMARC_POLICY_UNSET;
        is_unsure = false;
    }
    return dmarc_is_record(text) && !is_unsure;
}

const char *dmarc_policy_name(enum dmarc_policy policy)
{
    switch (policy) {
    case DMARC_POLICY_UNSET: return "";
    case DMARC_POLICY_NONE: return "none";
    case DMARC_POLICY_QUARANTINE: return "quarantine";
    case DMARC_POLICY_REJECT: return "reject";
    }
    return "";
}

const char *dmarc_finding_text(enum dmarc_finding_kind kind)
{
    switch (kind) {
    case DMARC_FINDING_SYNTAX: return "a piece of the record is no tag with a value";
    case DMARC_FINDING_DOUBLE_TAG: return "a tag stands twice; the second is ignored";
    case DMARC_FINDING_UNKNOWN_TAG: return "a tag is unknown and is ignored";
    case DMARC_FINDING_NO_POLICY: return "there is no policy (p=)";
    case DMARC_FINDING_POLICY_PLACE: return "the policy (p=) is not the second tag";
    case DMARC_FINDING_POLICY: return "the policy (p=) is not none, quarantine or reject";
    case DMARC_FINDING_SUBDOMAIN_POLICY:
        return "the policy of subdomains (sp=) is not none, quarantine or reject";
    case DMARC_FINDING_NON_EXISTENT_POLICY:
        return "the policy of names that do not exist (np=) is not none, quarantine or reject";
    case DMARC_FINDING_ALIGNMENT: return "an alignment (adkim=, aspf=) is neither r nor s";
    case DMARC_FINDING_PERCENT: return "the percentage (pct=) is no number from 0 to 100";
    case DMARC_FINDING_OPTIONS: return "an option of failure reports (fo=) is not 0, 1, d or s";
    case DMARC_FINDING_FORMAT: return "a format of failure reports (rf=) is not afrf";
    case DMARC_FINDING_INTERVAL: return "the interval of reports (ri=) is no number of seconds";
    case DMARC_FINDING_PSD: return "psd= is not y, n or u";
    case DMARC_FINDING_TESTING: return "t= is neither y nor n";
    case DMARC_FINDING_URI: return "a report address is no URI with an address in it";
    case DMARC_FINDING_URI_SCHEME: return "a report address does not begin with mailto:";
    case DMARC_FINDING_URI_SIZE: return "the size limit of a report address cannot be read";
    case DMARC_FINDING_TOO_MANY_URIS: return "there are more report addresses than anybody reads";
    case DMARC_FINDING_DROPPED_TAG: return "a tag that the revision of DMARC does without";
    }
    return "";
}
