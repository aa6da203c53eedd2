/* tools/probe_json: the report for programs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "tools/probe_report.h"
#include "tools/probe_words.h"

static void put_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct json_writer *w = context;
    bool in_tls = direction == 'c' || direction == 's';
    const char *side = direction == 'C' || direction == 'c'   ? "C"
                       : direction == 'S' || direction == 's' ? "S"
                                                              : "T";
    json_open(w, NULL, '{');
    json_int(w, "t_ms", t_ms);
    json_string(w, "direction", slice_of(side));
    json_bool(w, "tls", in_tls);
    json_string(w, "text", line);
    json_close(w, '}');
}

static void put_step(struct json_writer *w, const struct probe_step *step)
{
    char room[PROBE_WORDS_BYTES];
    json_open(w, NULL, '{');
    json_string(w, "stage", slice_of(hel_smtp_stage_name(step->stage)));
    json_string(w, "about", slice_of(step->about));
    json_int(w, "began_ms", step->began_ms);
    json_int(w, "took_ms", step->took_ms);
    json_bool(w, "tls", step->in_tls);
    json_int(w, "code", step->code);
    if (step->enhanced.class_digit == 0) {
        json_null(w, "enhanced");
    } else {
        char text[24];
        (void)snprintf(text, sizeof text, "%u.%u.%u", step->enhanced.class_digit,
                       step->enhanced.subject, step->enhanced.detail);
        json_string(w, "enhanced", slice_of(text));
    }
    json_string(w, "text", slice_of(step->text));
    json_string(w, "meaning", slice_of(probe_words_reply(step->code, step->enhanced, room)));
    json_close(w, '}');
}

static void put_extensions(struct json_writer *w, const char *key, const char *lines)
{
    struct slice rest = slice_of(lines);
    json_open(w, key, '[');
    while (rest.at != NULL && rest.len > 0) {
        struct slice line = slice_cut(&rest, '\n');
        const char *meaning = probe_words_extension(line);
        json_open(w, NULL, '{');
        json_string(w, "line", line);
        if (meaning == NULL) {
            json_null(w, "meaning");
        } else {
            json_string(w, "meaning", slice_of(meaning));
        }
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_hash(struct json_writer *w, const char *key, const uint8_t *hash)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * TLS_VIEW_HASH_BYTES];
    for (size_t i = 0; i < TLS_VIEW_HASH_BYTES; i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    json_string(w, key, slice_make(text, sizeof text));
}

static void put_certificate(struct json_writer *w, const struct tls_certificate *certificate)
{
    struct slice rest = slice_of(certificate->names);
    json_open(w, NULL, '{');
    json_string(w, "subject", slice_of(certificate->subject));
    json_string(w, "issuer", slice_of(certificate->issuer));
    json_open(w, "names", '[');
    while (rest.at != NULL && rest.len > 0) {
        json_string(w, NULL, slice_cut(&rest, ' '));
    }
    json_close(w, ']');
    json_int(w, "not_before", certificate->not_before_s);
    json_int(w, "not_after", certificate->not_after_s);
    json_string(w, "key", slice_of(certificate->key));
    json_int(w, "key_bits", certificate->key_bits);
    json_string(w, "signature", slice_of(certificate->signature));
    put_hash(w, "sha256", certificate->sha256);
    put_hash(w, "key_sha256", certificate->key_sha256);
    json_close(w, '}');
}

static void put_tls(struct json_writer *w, const struct probe_talk *talk)
{
    const struct tls_view *tls = &talk->tls;
    if (!talk->has_tls) {
        json_null(w, "tls");
        return;
    }
    json_open(w, "tls", '{');
    json_string(w, "version", slice_of(tls->version));
    json_string(w, "cipher", slice_of(tls->cipher));
    json_int(w, "cipher_bits", tls->cipher_bits);
    json_string(w, "group", slice_of(tls->group));
    json_int(w, "handshake_ms", talk->handshake_ms);
    json_bool(w, "trusted", tls->is_trusted);
    json_bool(w, "for_host", tls->is_for_host);
    json_string(w, "verification", slice_of(tls->verdict));
    json_string(w, "ocsp", slice_of(tls_ocsp_name(tls->ocsp)));
    json_open(w, "chain", '[');
    for (unsigned i = 0; i < tls->chain_count; i++) {
        put_certificate(w, &tls->chain[i]);
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void put_talk(struct json_writer *w, const struct probe_talk *talk, bool with_lines)
{
    json_string(w, "end", slice_of(probe_end_name(talk->end)));
    json_string(w, "stage", slice_of(hel_smtp_stage_name(talk->stage)));
    json_string(w, "detail", slice_of(talk->detail));
    json_int(w, "connect_ms", talk->connect_ms);
    json_int(w, "total_ms", talk->total_ms);
    json_string(w, "banner", slice_of(talk->banner));
    put_extensions(w, "extensions", talk->extension_lines);
    put_tls(w, talk);
    json_open(w, "steps", '[');
    for (size_t i = 0; i < talk->step_count; i++) {
        put_step(w, &talk->steps[i]);
    }
    json_close(w, ']');
    if (with_lines) {
        json_open(w, "transcript", '[');
        transcript_each(&talk->lines, put_line, w);
        json_close(w, ']');
    }
}

static void put_versions(struct json_writer *w, const struct probe_host *host)
{
    static const char *const names[PROBE_VERSIONS] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
    json_open(w, "tls_versions", '[');
    for (size_t i = 0; i < PROBE_VERSIONS && host->versions[0].offered != PROBE_NOT_TRIED; i++) {
        json_open(w, NULL, '{');
        json_string(w, "version", slice_of(names[i]));
        json_string(w, "offered", slice_of(probe_answer_name(host->versions[i].offered)));
        json_string(w, "detail", slice_of(host->versions[i].detail));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_string(w, "starttls_injection", slice_of(probe_injection_name(host->injection)));
    json_string(w, "dane", slice_of(probe_dane_name(host->dane)));
    json_int(w, "dane_records", host->dane_count);
    json_int(w, "dane_usable", host->dane_usable_count);
    json_bool(w, "dane_authentic", host->has_dane_proof);
    json_string(w, "mta_sts_names_it", slice_of(probe_answer_name(host->sts_names_it)));
}

static void put_logins(struct json_writer *w, const struct probe_host *host)
{
    json_open(w, "logins", '[');
    for (int i = 0; i < SASL_MECHANISM_COUNT; i++) {
        const struct probe_login_result *login = &host->logins[i];
        if (login->is_offered) {
            json_open(w, NULL, '{');
            json_string(w, "mechanism", slice_of(sasl_mechanism_name((enum sasl_mechanism)i)));
            json_string(w, "worked", slice_of(probe_answer_name(login->worked)));
            json_string(w, "detail", slice_of(login->detail));
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

static void put_ports(struct json_writer *w, const struct probe_host *host)
{
    json_open(w, "ports", '[');
    for (size_t i = 0; i < host->port_count; i++) {
        json_open(w, NULL, '{');
        json_int(w, "port", host->ports[i].port);
        put_talk(w, &host->ports[i].talk, false);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_host(struct json_writer *w, const struct probe_host *host)
{
    char ip[IP_TEXT_BYTES];
    json_open(w, NULL, '{');
    json_string(w, "host", slice_of(host->name));
    if (host->is_exchanger) {
        json_int(w, "preference", host->preference);
    } else {
        json_null(w, "preference");
    }
    json_bool(w, "has_address", host->status == HOST_OK);
    if (host->status == HOST_OK) {
        json_string(w, "ip", slice_of(ip_format(&host->talk.ip, ip)));
        json_int(w, "port", host->talk.port);
        put_talk(w, &host->talk, true);
        put_versions(w, host);
        put_logins(w, host);
        put_ports(w, host);
    }
    if (host->has_relay) {
        json_open(w, "relay", '{');
        put_talk(w, &host->relay, true);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void put_findings(struct json_writer *w, const struct probe_findings *findings)
{
    json_open(w, "findings", '[');
    for (size_t i = 0; i < findings->count; i++) {
        const struct probe_finding *finding = &findings->at[i];
        json_open(w, NULL, '{');
        json_string(w, "check", slice_of(finding->check));
        json_string(w, "level", slice_of(probe_level_name(finding->level)));
        if (finding->host < 0) {
            json_null(w, "host");
        } else {
            json_int(w, "host", finding->host);
        }
        json_string(w, "text", slice_of(finding->text));
        json_string(w, "hint", slice_of(finding->hint));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_added(struct json_writer *w, struct slice lines)
{
    struct slice rest = lines;
    json_open(w, "added", '[');
    while (rest.at != NULL && rest.len > 0) {
        json_string(w, NULL, slice_cut(&rest, '\n'));
    }
    json_close(w, ']');
}

enum err probe_write_json(const struct probe_plan *plan, const struct probe_result *result,
                          const struct probe_findings *findings, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "name", slice_of(plan->target.name));
    json_int(&w, "port", probe_port_of(plan));
    if (result->route == NULL) {
        json_null(&w, "route");
    } else {
        json_string(&w, "route", slice_of(route_status_name(result->route->status)));
    }
    json_bool(&w, "complete", !result->is_stopped);
    put_added(&w, plan->added);
    json_open(&w, "mta_sts", '{');
    json_string(&w, "state", slice_of(probe_sts_name(result->sts.state)));
    json_string(&w, "mode", slice_of(result->sts.mode));
    json_string(&w, "detail", slice_of(result->sts.detail));
    json_close(&w, '}');
    json_open(&w, "hosts", '[');
    for (size_t i = 0; i < result->host_count; i++) {
        put_host(&w, &result->hosts[i]);
    }
    json_close(&w, ']');
    put_findings(&w, findings);
    json_string(&w, "worst", slice_of(probe_level_name(probe_level_of(findings))));
    json_close(&w, '}');
    return w.err;
}
