/* engine/record_read: a record out of its JSON, as the store gives it back. The store is a file, and files can be
 * broken: every field is checked, and what is missing stays empty.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/record_json.h"

enum { RECORD_ARENA_BYTES = 4 << 20, DAY_MS = 86400 * 1000 };

static struct slice text_of(struct record *record, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    struct slice copy = SLICE_NONE;
    if (!json_is_string(value)) {
        return SLICE_NONE;
    }
    struct slice s = slice_make(json_string_value(value), json_string_length(value));
    return s.len > 0 && arena_copy(&record->arena, s, &copy) == ERR_NONE ? copy : SLICE_NONE;
}

static struct slice raw_text(const json_t *object, const char *key)
{
    return slice_of(json_string_value(json_object_get(object, key)));
}

static int64_t int_of(const json_t *object, const char *key, int64_t max)
{
    const json_t *value = json_object_get(object, key);
    int64_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    return number < 0 ? 0 : number > max ? max : number;
}

static bool bool_of(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static enum tri tri_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_true(value) ? TRI_YES : json_is_false(value) ? TRI_NO : TRI_UNKNOWN;
}

static struct ip ip_of(const json_t *value)
{
    struct ip ip = {.family = IP_NONE};
    const char *text = json_string_value(value);
    if (text != NULL) {
        (void)ip_parse(slice_of(text), &ip);
    }
    return ip;
}

/* "2026-11-21T08:09:10.123Z", as date_time_text writes it; 0 for anything else. */
static int64_t time_of(const json_t *object, const char *key)
{
    static const char separators[] = "--T::.Z";
    static const uint64_t maxima[] = {9999, 12, 31, 23, 59, 60, 999};
    uint64_t parts[7];
    struct reader r = reader_over(raw_text(object, key));
    for (size_t i = 0; i < 7; i++) {
        if (!reader_number(&r, maxima[i], &parts[i]) ||
            !reader_literal(&r, slice_make(&separators[i], 1))) {
            return 0;
        }
    }
    struct tm time = {.tm_year = (int)parts[0] - 1900,
                      .tm_mon = (int)parts[1] - 1,
                      .tm_mday = (int)parts[2],
                      .tm_hour = (int)parts[3],
                      .tm_min = (int)parts[4],
                      .tm_sec = (int)parts[5]};
    return (int64_t)timegm(&time) * 1000 + (int64_t)parts[6];
}

static void read_reasons(struct record *record, const json_t *root)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "reasons"), i, item)
    {
        if (record->reason_count == VERDICT_REASONS_MAX) {
            return;
        }
        struct verdict_reason *reason = &record->reasons[record->reason_count++];
        reason->code = text_of(record, item, "code").at;
        const json_t *effect = json_object_get(item, "effect");
        reason->effect = json_is_integer(effect) ? (int)json_integer_value(effect) : 0;
        struct slice detail = slice_sub(raw_text(item, "detail"), 0, VERDICT_DETAIL_BYTES - 1);
        memcpy(reason->detail, detail.len == 0 ? "" : detail.at, detail.len);
    }
}

static void read_flags(struct record *record, const json_t *root)
{
    const json_t *flags = json_object_get(root, "flags");
    record->flags = (struct record_flags){
        .is_disposable = bool_of(flags, "is_disposable"),
        .is_role = bool_of(flags, "is_role"),
        .is_free = bool_of(flags, "is_free"),
        .is_plus_tagged = bool_of(flags, "is_plus_tagged"),
        .is_noreply = bool_of(flags, "is_noreply"),
        .is_gov = bool_of(flags, "is_gov"),
        .is_edu = bool_of(flags, "is_edu"),
        .is_idn = bool_of(flags, "is_idn"),
        .is_gibberish = bool_of(flags, "is_gibberish"),
    };
    record->is_catch_all = tri_of(flags, "is_catch_all");
    record->is_full = tri_of(flags, "is_full");
    record->is_disabled = tri_of(flags, "is_disabled");
    record->disposable_entry = text_of(record, flags, "disposable_entry");
}

static void read_route_status(struct record *record, const json_t *dns)
{
    struct slice status = raw_text(dns, "status");
    for (int i = ROUTE_OK; i <= ROUTE_DNS_ERROR; i++) {
        if (slice_equal(status, slice_of(route_status_name((enum route_status)i)))) {
            record->route_status = (enum route_status)i;
        }
    }
    struct slice failure = raw_text(dns, "resolver_status");
    for (int i = DNS_FAILURE_NONE; i <= DNS_FAILURE_BROKEN; i++) {
        if (slice_equal(failure, slice_of(dns_failure_name((enum dns_failure)i)))) {
            record->dns_failure = (enum dns_failure)i;
        }
    }
}

static void read_dns(struct record *record, const json_t *root)
{
    const json_t *dns = json_object_get(root, "dns");
    record->has_dns = json_is_object(dns);
    if (!record->has_dns) {
        return;
    }
    read_route_status(record, dns);
    record->is_implicit_mx = bool_of(dns, "implicit_mx");
    record->ttl_s = (uint32_t)int_of(dns, "ttl", UINT32_MAX);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(dns, "mx"), i, item)
    {
        if (record->mx_count == ROUTE_EXCHANGERS_MAX) {
            return;
        }
        struct record_mx *mx = &record->mx[record->mx_count++];
        mx->host = text_of(record, item, "host");
        mx->preference = (uint16_t)int_of(item, "preference", UINT16_MAX);
        size_t j;
        json_t *address;
        json_array_foreach(json_object_get(item, "addresses"), j, address)
        {
            if (mx->address_count < ROUTE_ADDRESSES_MAX) {
                mx->addresses[mx->address_count++] = ip_of(address);
            }
        }
    }
}

static void read_provider(struct record *record, const json_t *root)
{
    const json_t *provider = json_object_get(root, "provider");
    record->provider_name = text_of(record, provider, "name");
    record->provider_label = text_of(record, provider, "label");
    record->provider_class = text_of(record, provider, "class");
    record->is_gateway = bool_of(provider, "gateway");
    record->provider_trait = text_of(record, provider, "trait");
}

static unsigned extensions_of(const json_t *words)
{
    static const char *const names[] = {"PIPELINING",
                                        "STARTTLS",
                                        "SIZE",
                                        "8BITMIME",
                                        "SMTPUTF8",
                                        "CHUNKING",
                                        "ENHANCEDSTATUSCODES",
                                        "DSN",
                                        "AUTH",
                                        "BINARYMIME",
                                        "REQUIRETLS",
                                        "LIMITS"}; /* in the order of their bits */
    unsigned set = 0;
    size_t i;
    json_t *word;
    json_array_foreach(words, i, word)
    {
        for (unsigned bit = 0; bit < sizeof names / sizeof names[0]; bit++) {
            if (slice_equal(slice_of(json_string_value(word)), slice_of(names[bit]))) {
                set |= 1u << bit;
            }
        }
    }
    return set;
}

static void read_smtp_parts(struct record *record, const json_t *smtp)
{
    struct record_smtp *out = &record->smtp;
    const json_t *tls = json_object_get(smtp, "tls");
    out->tls_used = bool_of(tls, "used");
    out->tls_version = text_of(record, tls, "version");
    out->tls_cipher = text_of(record, tls, "cipher");
    out->tls_cert_ok = bool_of(tls, "cert_ok");
    const json_t *control = json_object_get(smtp, "control");
    out->control_tested = bool_of(control, "tested");
    out->control_result = text_of(record, control, "result");
    out->control_code = (uint16_t)int_of(control, "code", 999);
    out->control_count = (unsigned)int_of(control, "count", 1000);
    const json_t *greylist = json_object_get(smtp, "greylist");
    out->greylist_seen = bool_of(greylist, "seen");
    out->greylist_first_at_ms = time_of(greylist, "first_at");
    out->greylist_passed_at_ms = time_of(greylist, "passed_at");
    out->greylist_waited_s = (uint32_t)int_of(greylist, "waited_s", UINT32_MAX);
    const json_t *latency = json_object_get(smtp, "latency_ms");
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        out->latency_ms[i] =
            (uint32_t)int_of(latency, hel_smtp_stage_name((enum hel_smtp_stage)i), UINT32_MAX);
    }
    out->latency_dns_ms = (uint32_t)int_of(latency, "dns", UINT32_MAX);
    out->latency_control_ms = (uint32_t)int_of(latency, "control", UINT32_MAX);
}

static void read_smtp(struct record *record, const json_t *root)
{
    const json_t *smtp = json_object_get(root, "smtp");
    struct record_smtp *out = &record->smtp;
    out->was_tried = json_is_object(smtp);
    if (!out->was_tried) {
        return;
    }
    out->host = text_of(record, smtp, "host");
    out->ip = ip_of(json_object_get(smtp, "ip"));
    out->port = (uint16_t)int_of(smtp, "port", UINT16_MAX);
    (void)hel_smtp_stage_parse(raw_text(smtp, "stage"), &out->stage);
    out->code = (uint16_t)int_of(smtp, "code", 999);
    (void)hel_enhanced_parse(raw_text(smtp, "enhanced"), &out->enhanced);
    out->text = text_of(record, smtp, "text");
    out->rule = text_of(record, smtp, "rule");
    out->extensions = extensions_of(json_object_get(smtp, "extensions"));
    out->attempts = (unsigned)int_of(smtp, "attempts", 1000);
    out->egress = text_of(record, smtp, "egress");
    out->helo = text_of(record, smtp, "helo");
    out->mail_from = text_of(record, smtp, "mail_from");
    read_smtp_parts(record, smtp);
}

static void read_signal(const json_t *object, enum signal_service service,
                        struct verify_signal *out)
{
    const json_t *found = json_object_get(object, "found");
    bool is_found = json_is_true(found);
    *out = (struct verify_signal){.result = is_found               ? SIGNAL_YES
                                            : json_is_false(found) ? SIGNAL_NO
                                                                   : SIGNAL_NO_ANSWER};
    if (is_found && service == SIGNAL_RDAP) {
        int64_t at_ms = time_of(object, "registered_at");
        out->number = at_ms > 0 ? (uint32_t)(at_ms / DAY_MS) : 0;
    } else if (is_found) {
        out->number = (uint32_t)int_of(object, "count", UINT32_MAX);
    }
}

static void read_signals(struct record *record, const json_t *root)
{
    const json_t *signals = json_object_get(root, "signals");
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        enum signal_service service = (enum signal_service)i;
        const json_t *object = json_object_get(signals, signal_service_name(service));
        if (json_is_object(object)) {
            read_signal(object, service, &record->signals.of[i]);
        }
    }
}

static void read_transcript(struct record *record, const json_t *root)
{
    const json_t *items = json_object_get(root, "transcript");
    size_t count = json_array_size(items);
    struct record_line *lines =
        count == 0 ? NULL : arena_alloc(&record->arena, count * sizeof *lines);
    if (lines == NULL) {
        return;
    }
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        struct slice direction = raw_text(item, "dir");
        lines[i] = (struct record_line){.t_ms = (uint32_t)int_of(item, "t_ms", UINT32_MAX),
                                        .direction = direction.len == 1 ? direction.at[0] : 'T',
                                        .text = text_of(record, item, "line")};
    }
    record->transcript = lines;
    record->transcript_count = count;
}

static void read_kinds(struct record *record, const json_t *root)
{
    struct slice block = raw_text(root, "block_kind");
    for (int i = BLOCK_NONE; i <= BLOCK_GEO; i++) {
        if (slice_equal(block, slice_of(block_kind_name((enum block_kind)i)))) {
            record->block_kind = (enum block_kind)i;
        }
    }
    struct slice skip = raw_text(root, "skip_reason");
    for (int i = SKIP_NONE; i <= SKIP_CANCELLED; i++) {
        if (slice_equal(skip, slice_of(skip_reason_name((enum skip_reason)i)))) {
            record->skip = (enum skip_reason)i;
        }
    }
}

static enum err read_root(const json_t *root, struct record *record)
{
    if (!verdict_status_parse(raw_text(root, "status"), &record->status) ||
        !verdict_sub_parse(raw_text(root, "sub_status"), &record->sub)) {
        return ERR_SYNTAX;
    }
    record->email = text_of(record, root, "email");
    record->normalized = text_of(record, root, "normalized");
    record->ascii = text_of(record, root, "ascii");
    record->local = text_of(record, root, "local");
    record->domain = text_of(record, root, "domain");
    record->did_you_mean = text_of(record, root, "did_you_mean");
    record->score = (int)int_of(root, "score", 100);
    record->confidence = json_number_value(json_object_get(root, "confidence"));
    record->retry_after_s = (uint32_t)int_of(root, "retry_after", UINT32_MAX);
    record->checked_at_ms = time_of(root, "checked_at");
    record->expires_at_ms = time_of(root, "expires_at");
    record->is_cached = bool_of(root, "cached");
    record->duration_ms = (uint32_t)int_of(root, "duration_ms", UINT32_MAX);
    record->engine_version = text_of(record, root, "engine_version");
    record->rules_version = text_of(record, root, "rules_version");
    read_kinds(record, root);
    read_reasons(record, root);
    read_flags(record, root);
    read_dns(record, root);
    read_provider(record, root);
    read_smtp(record, root);
    read_signals(record, root);
    read_transcript(record, root);
    return ERR_NONE;
}

enum err record_read_json(struct slice json, struct record *out)
{
    json_error_t error;
    json_t *root = json_loadb(json.at, json.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        return ERR_SYNTAX;
    }
    struct record record = {.score = 0};
    arena_init(&record.arena, RECORD_ARENA_BYTES);
    enum err e = read_root(root, &record);
    json_decref(root);
    if (e != ERR_NONE) {
        record_done(&record);
        return e;
    }
    *out = record;
    return ERR_NONE;
}
