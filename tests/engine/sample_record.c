/* SPDX-License-Identifier: Apache-2.0 */
#include "sample_record.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"

enum { SAMPLE_ARENA_BYTES = 1 << 20, SAMPLE_TEXT_BYTES = 40 };

static const struct slice hostile_texts[] = {
    SLICE_LITERAL("\033[2J\033[1;1Hdeliverable"),
    SLICE_LITERAL("\033]0;title\007\033]8;;http://evil.example\033\\link"),
    SLICE_LITERAL("\x9b"
                  "31mC1\x90sixel\x9c"),
    SLICE_LITERAL("a\0b\0"),
    SLICE_LITERAL("\"},{\"status\":\"deliverable\""),
    SLICE_LITERAL("back\\slash \\u0041 \\"),
    SLICE_LITERAL("\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82"),
    SLICE_LITERAL("caf\xe9 latin"),
    SLICE_LITERAL("\xe2\x80\xae"
                  "moc.live \xe2\x81\xa6 \xef\xbb\xbf \xe2\x80\x8b"),
    SLICE_LITERAL("\xc2\x9b"
                  "2J \xc2\x85 \x7f \b\b\b \r overwritten"),
    SLICE_LITERAL("</script><script>alert(1)</script>\xe2\x80\xa8\xe2\x80\xa9"),
    SLICE_LITERAL("line\nline\r\nline\vline\fline\ttab"),
    SLICE_LITERAL("\xf0\x9f\x98\x80 \xe4\xbd\xa0\xe5\xa5\xbd"),
    SLICE_LITERAL("%s%n%99999d"),
    SLICE_LITERAL("\xf3\xa0\x81\x81\xf3\xa0\x80\xa0 \xc2\xad \xef\xbf\xb9"),
};

const struct slice *sample_hostile_texts(size_t *out_count)
{
    *out_count = sizeof hostile_texts / sizeof hostile_texts[0];
    return hostile_texts;
}

static struct ip ip_of(const char *text)
{
    struct ip ip;
    must(ip_parse(slice_of(text), &ip));
    return ip;
}

static void fill_smtp(struct record_smtp *smtp)
{
    *smtp = (struct record_smtp){
        .was_tried = true,
        .host = SLICE("mx1.example.org"),
        .ip = ip_of("2001:db8::25"),
        .port = 2525,
        .stage = HEL_SMTP_RCPT,
        .code = 550,
        .enhanced = {5, 1, 10},
        .text = SLICE("5.1.10 no\n5.1.10 such user"),
        .rule = SLICE("rules/a.rules:12"),
        .tls_used = true,
        .tls_cert_ok = true,
        .tls_version = SLICE("TLSv1.3"),
        .tls_cipher = SLICE("TLS_AES_256_GCM_SHA384"),
        .extensions = (HEL_SMTP_EXT_LIMITS << 1) - 1,
        .attempts = 3,
        .egress = SLICE("second"),
        .helo = SLICE("probe.example.net"),
        .mail_from = SLICE("who@example.net"),
        .control_tested = true,
        .control_result = SLICE("refused"),
        .control_code = 551,
        .control_count = 2,
        .greylist_seen = true,
        .greylist_first_at_ms = 1700000000123,
        .greylist_passed_at_ms = 1700000300456,
        .greylist_waited_s = 300,
        .latency_dns_ms = 11,
        .latency_control_ms = 12,
    };
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        smtp->latency_ms[i] = (uint32_t)(100 + i);
    }
}

void sample_record_full(struct record *out)
{
    static const struct record_line lines[] = {
        {0, 'T', SLICE_LITERAL("connected to 2001:db8::25")},
        {12, 'S', SLICE_LITERAL("220 mx1.example.org")},
        {13, 'C', SLICE_LITERAL("EHLO probe.example.net")},
    };
    *out = (struct record){
        .email = SLICE("  Jane.Doe+tag@Example.ORG"),
        .normalized = SLICE("jane.doe@example.org"),
        .ascii = SLICE("Jane.Doe+tag@example.org"),
        .local = SLICE("Jane.Doe+tag"),
        .domain = SLICE("example.org"),
        .status = VERDICT_UNKNOWN,
        .sub = SUB_BLOCKED,
        .block_kind = BLOCK_PTR,
        .skip = SKIP_BUDGET,
        .score = 41,
        .confidence = 0.875,
        .reason_count = 2,
        .reasons = {{"blocked", 40, "550 no PTR"}, {"tls_ok", -1, ""}},
        .did_you_mean = SLICE("jane.doe@example.com"),
        .flags = {true, true, true, true, true, true, true, true, true},
        .disposable_entry = SLICE("disposable.txt:7"),
        .is_catch_all = TRI_YES,
        .is_full = TRI_NO,
        .is_disabled = TRI_UNKNOWN,
        .has_dns = true,
        .route_status = ROUTE_OK,
        .dns_failure = DNS_FAILURE_TIMEOUT,
        .ttl_s = 3600,
        .mx_count = 2,
        .mx = {{SLICE_LITERAL("mx1.example.org"), 10, 2, {{.family = IP_NONE}}},
               {SLICE_LITERAL("mx2.example.org"), 65535, 0, {{.family = IP_NONE}}}},
        .provider_name = SLICE("google"),
        .provider_label = SLICE("Google"),
        .provider_class = SLICE("webmail"),
        .is_gateway = true,
        .provider_trait = SLICE("accepts_all"),
        .retry_after_s = 301,
        .checked_at_ms = 1763712345678,
        .expires_at_ms = 1763798745001,
        .is_cached = true,
        .duration_ms = 4321,
        .engine_version = SLICE("9.8.7"),
        .rules_version = SLICE("0123456789ab"),
        .transcript_count = sizeof lines / sizeof lines[0],
        .transcript = lines,
    };
    out->mx[0].addresses[0] = ip_of("192.0.2.25");
    out->mx[0].addresses[1] = ip_of("2001:db8::25");
    fill_smtp(&out->smtp);
}

/* Random records. */

struct maker {
    struct random *random;
    struct record *record;
    bool is_hostile;
};

static uint32_t below(struct maker *m, uint32_t bound)
{
    return random_below(m->random, bound);
}

static bool toss(struct maker *m)
{
    return below(m, 2) == 1;
}

static size_t random_bytes(struct maker *m, char *out, size_t room)
{
    static const char *const plain[] = {
        "a", "Z", "9", ".", "@", "\"", "\\", " ", "\xc3\xa9", "\xe4\xbd\xa0", "\xf0\x9f\x98\x80",
        "=", "<", "-"};
    size_t len = below(m, SAMPLE_TEXT_BYTES);
    size_t n = 0;
    while (n < len && n + 4 <= room) {
        if (m->is_hostile) {
            out[n++] = (char)below(m, 256);
            continue;
        }
        const char *piece = plain[below(m, sizeof plain / sizeof plain[0])];
        size_t piece_len = strlen(piece);
        memcpy(out + n, piece, piece_len);
        n += piece_len;
    }
    return n;
}

static struct slice text(struct maker *m)
{
    char bytes[SAMPLE_TEXT_BYTES + 8];
    struct slice made = slice_make(bytes, random_bytes(m, bytes, sizeof bytes));
    struct slice copy = SLICE_NONE;
    must(made.len == 0 || arena_copy(&m->record->arena, made, &copy) == ERR_NONE);
    return copy;
}

static struct ip random_ip(struct maker *m)
{
    char word[IP_TEXT_BYTES];
    if (toss(m)) {
        (void)snprintf(word, sizeof word, "192.0.%u.%u", below(m, 256), below(m, 256));
    } else {
        (void)snprintf(word, sizeof word, "2001:db8::%x:%x", below(m, 65536), below(m, 65536));
    }
    return ip_of(word);
}

static int64_t random_time(struct maker *m)
{
    return toss(m) ? 0 : (int64_t)below(m, 4000000000u) * 1000 + below(m, 1000);
}

static void random_reasons(struct maker *m)
{
    static const char *const codes[] = {"accepted", "role", "tls_ok", "control_refused"};
    m->record->reason_count = (uint8_t)below(m, VERDICT_REASONS_MAX + 1);
    for (size_t i = 0; i < m->record->reason_count; i++) {
        struct verdict_reason *reason = &m->record->reasons[i];
        reason->code = codes[below(m, 4)];
        reason->effect = (int)below(m, 200) - 100;
        bool was_hostile = m->is_hostile;
        m->is_hostile = false; /* details are printable by contract */
        reason->detail[random_bytes(m, reason->detail, sizeof reason->detail - 1)] = '\0';
        m->is_hostile = was_hostile;
    }
}

static void random_dns(struct maker *m)
{
    struct record *record = m->record;
    record->has_dns = toss(m);
    if (!record->has_dns) {
        return;
    }
    record->route_status = (enum route_status)below(m, ROUTE_DNS_ERROR + 1);
    record->dns_failure = (enum dns_failure)below(m, DNS_FAILURE_BROKEN + 1);
    record->is_implicit_mx = toss(m);
    record->ttl_s = (uint32_t)random_next(m->random);
    record->mx_count = (uint8_t)below(m, ROUTE_EXCHANGERS_MAX + 1);
    for (size_t i = 0; i < record->mx_count; i++) {
        struct record_mx *mx = &record->mx[i];
        mx->host = text(m);
        mx->preference = (uint16_t)below(m, 65536);
        mx->address_count = (uint8_t)below(m, ROUTE_ADDRESSES_MAX + 1);
        for (size_t j = 0; j < mx->address_count; j++) {
            mx->addresses[j] = random_ip(m);
        }
    }
}

static void random_smtp(struct maker *m)
{
    struct record_smtp *smtp = &m->record->smtp;
    smtp->was_tried = toss(m);
    if (!smtp->was_tried) {
        return;
    }
    smtp->host = text(m);
    if (toss(m)) {
        smtp->ip = random_ip(m);
    }
    smtp->port = (uint16_t)below(m, 65536);
    smtp->stage = (enum hel_smtp_stage)below(m, HEL_SMTP_STAGE_COUNT);
    if (toss(m)) {
        smtp->code = (uint16_t)(200 + below(m, 400));
        if (toss(m)) {
            smtp->enhanced = (struct hel_enhanced){4, (uint16_t)below(m, 1000), 7};
        }
    }
    smtp->text = text(m);
    smtp->rule = text(m);
    smtp->tls_used = toss(m);
    smtp->tls_cert_ok = toss(m);
    smtp->tls_version = text(m);
    smtp->tls_cipher = text(m);
    smtp->extensions = below(m, HEL_SMTP_EXT_LIMITS << 1);
    smtp->attempts = below(m, 1001);
    smtp->egress = text(m);
    smtp->helo = text(m);
    smtp->mail_from = text(m);
    smtp->control_tested = toss(m);
    smtp->control_result = text(m);
    smtp->control_code = (uint16_t)below(m, 1000);
    smtp->control_count = below(m, 1001);
    smtp->greylist_seen = toss(m);
    smtp->greylist_first_at_ms = random_time(m);
    smtp->greylist_passed_at_ms = random_time(m);
    smtp->greylist_waited_s = (uint32_t)random_next(m->random);
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        smtp->latency_ms[i] = (uint32_t)random_next(m->random);
    }
    smtp->latency_dns_ms = (uint32_t)random_next(m->random);
    smtp->latency_control_ms = (uint32_t)random_next(m->random);
}

static void random_provider(struct maker *m)
{
    struct record *record = m->record;
    record->provider_name = text(m);
    if (record->provider_name.len > 0) {
        record->provider_label = text(m);
        record->provider_class = text(m);
        record->provider_trait = text(m);
        record->is_gateway = toss(m);
    }
}

static void random_signals(struct maker *m)
{
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        struct verify_signal *signal = &m->record->signals.of[i];
        signal->result = (enum signal_result)below(m, SIGNAL_NO_ANSWER + 1);
        signal->number = signal->result == SIGNAL_YES ? below(m, 100000) : 0;
    }
}

static void random_transcript(struct maker *m)
{
    size_t count = below(m, 6);
    struct record_line *lines =
        count == 0 ? NULL : arena_alloc(&m->record->arena, count * sizeof *lines);
    must(count == 0 || lines != NULL);
    for (size_t i = 0; i < count; i++) {
        lines[i] =
            (struct record_line){(uint32_t)random_next(m->random), "SCT"[below(m, 3)], text(m)};
    }
    m->record->transcript_count = count;
    m->record->transcript = lines;
}

void sample_record_random(struct random *random, bool is_hostile, struct record *out)
{
    struct maker m = {random, out, is_hostile};
    *out = (struct record){.score = 0};
    arena_init(&out->arena, SAMPLE_ARENA_BYTES);
    out->email = text(&m);
    out->normalized = text(&m);
    out->ascii = text(&m);
    out->local = text(&m);
    out->domain = text(&m);
    out->sub = (enum verdict_sub)below(&m, SUB_COUNT);
    out->status = verdict_status_of(out->sub);
    out->block_kind = (enum block_kind)below(&m, BLOCK_GEO + 1);
    out->skip = (enum skip_reason)below(&m, SKIP_CANCELLED + 1);
    out->score = (int)below(&m, 101);
    out->confidence = below(&m, 101) / 100.0;
    out->did_you_mean = text(&m);
    out->flags = (struct record_flags){toss(&m), toss(&m), toss(&m), toss(&m), toss(&m),
                                       toss(&m), toss(&m), toss(&m), toss(&m)};
    out->disposable_entry = text(&m);
    out->is_catch_all = (enum tri)below(&m, 3);
    out->is_full = (enum tri)below(&m, 3);
    out->is_disabled = (enum tri)below(&m, 3);
    out->retry_after_s = (uint32_t)random_next(random);
    out->checked_at_ms = random_time(&m);
    out->expires_at_ms = random_time(&m);
    out->is_cached = toss(&m);
    out->duration_ms = (uint32_t)random_next(random);
    out->engine_version = text(&m);
    out->rules_version = text(&m);
    random_reasons(&m);
    random_dns(&m);
    random_provider(&m);
    random_smtp(&m);
    random_signals(&m);
    random_transcript(&m);
}
