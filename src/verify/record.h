/* verify/record: the answer as it is shown, stored and exported: one plain value per address, after
 * VERDICTS.md section 3. Slices are borrowed from the arena inside, or from its maker, who keeps them
 * as long as it lends the record.
 * Writing it as JSON or in another service's shape is engine/format's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_RECORD_H
#define VERIFY_RECORD_H

#include "base/arena.h"
#include "verify/signals.h"

struct record_mx {
    struct slice host;
    uint16_t preference;
    uint8_t address_count;
    struct ip addresses[ROUTE_ADDRESSES_MAX];
};

struct record_line {
    uint32_t t_ms;
    char direction; /* 'S' server, 'C' client, 'T' a note: connected, TLS up, ... */
    struct slice text;
};

struct record_flags {
    bool is_disposable, is_role, is_free, is_plus_tagged, is_noreply, is_gov, is_edu, is_idn,
        is_gibberish;
};

struct record_smtp {
    bool was_tried;
    struct slice host;
    struct ip ip;
    uint16_t port;
    enum hel_smtp_stage stage;
    uint16_t code; /* 0: no reply */
    struct hel_enhanced enhanced;
    struct slice text, rule;
    bool tls_used, tls_cert_ok;
    struct slice tls_version, tls_cipher;
    unsigned extensions; /* enum hel_smtp_extension */
    unsigned attempts;
    struct slice egress, helo, mail_from;
    bool control_tested;
    struct slice control_result; /* "refused", "accepted", "untestable", "" */
    uint16_t control_code;
    unsigned control_count;
    bool greylist_seen;
    int64_t greylist_first_at_ms, greylist_passed_at_ms; /* Unix time; 0: none */
    uint32_t greylist_waited_s;
    uint32_t latency_ms
        [HEL_SMTP_STAGE_COUNT]; /* by stage; CONNECT, BANNER, EHLO, ...; 0: not measured */
    uint32_t latency_dns_ms, latency_control_ms;
};

struct record {
    struct arena arena;
    struct slice email;                            /* as given, cleaned of nothing; raw */
    struct slice normalized, ascii, local, domain; /* empty where the syntax is bad */
    enum verdict_status status;
    enum verdict_sub sub;
    enum block_kind block_kind;
    enum skip_reason skip;
    int score;
    double confidence;
    struct slice did_you_mean;
    struct record_flags flags;
    struct slice disposable_entry; /* which list entry decided; empty: none */
    enum tri is_catch_all, is_full, is_disabled;
    bool has_dns; /* DNS was asked */
    enum route_status route_status;
    enum dns_failure dns_failure;
    bool is_implicit_mx;
    uint32_t ttl_s;
    struct slice provider_name, provider_label, provider_class; /* class: "webmail", ... */
    bool is_gateway;
    struct slice provider_trait; /* "accepts_all", ... or empty */
    struct record_smtp smtp;
    struct verify_signals signals; /* of external services; all SIGNAL_OFF: none was asked */
    uint32_t retry_after_s;
    int64_t checked_at_ms, expires_at_ms; /* Unix time */
    bool is_cached;
    uint32_t duration_ms;
    struct slice engine_version, rules_version;
    size_t transcript_count;
    const struct record_line *transcript;

    /* Only so many are set. */
    uint8_t reason_count, mx_count;
    struct verdict_reason reasons[VERDICT_REASONS_MAX];
    struct record_mx mx[ROUTE_EXCHANGERS_MAX];
};

#endif
