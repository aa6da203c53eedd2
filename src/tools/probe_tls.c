/* tools/probe_tls: a closer look at the TLS of a host: each version by itself, a command injected behind STARTTLS, and
 * the records of DANE. Each is a conversation of its own that goes as far as EHLO.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/route_find.h"
#include "tools/probe_private.h"
#include "verify/health.h"

const char *probe_injection_name(enum probe_injection injection)
{
    switch (injection) {
    case PROBE_INJECTION_NOT_TRIED: return "not_tried";
    case PROBE_INJECTION_DROPPED: return "dropped";
    case PROBE_INJECTION_REFUSED: return "refused";
    case PROBE_INJECTION_IN_CLEAR: return "answered_in_clear";
    case PROBE_INJECTION_VULNERABLE: return "vulnerable";
    case PROBE_INJECTION_UNKNOWN: break;
    }
    return "unknown";
}

const char *probe_dane_name(enum probe_dane_state state)
{
    switch (state) {
    case PROBE_DANE_NOT_TRIED: return "not_tried";
    case PROBE_DANE_NONE: return "none";
    case PROBE_DANE_UNUSABLE: return "unusable";
    case PROBE_DANE_MATCH: return "match";
    case PROBE_DANE_MISMATCH: return "mismatch";
    case PROBE_DANE_NOT_SECURE: return "not_secure";
    case PROBE_DANE_UNKNOWN: break;
    }
    return "unknown";
}

/* A short conversation for TLS's sake; nobody is shown it. */
static void prepare(const struct probe_run *run, const struct probe_host *host,
                    struct probe_talk_config *out)
{
    probe_talk_prepare(run, host, &host->talk.ip, out);
    probe_talk_quieten(out);
    out->observe = NULL;
    if (out->tls_mode == PROBE_TLS_MAY) {
        out->tls_mode = PROBE_TLS_MUST;
    }
}

/* ---- versions ---- */

static enum err try_version(struct probe_run *run, const struct probe_host *host, unsigned version,
                            struct probe_version *out)
{
    const struct tls_settings settings = {
        .version_min = version, .version_max = version, .allows_weak = true};
    struct probe_talk_config config;
    struct probe_talk talk;
    struct fault fault;
    struct tls_client *tls;
    probe_tell(run, "trying TLS 1.%u", version - TLS_OLDEST);
    enum err e = tls_client_new_with(&settings, &tls, &fault);
    if (e == ERR_SYNTAX) {
        out->offered = PROBE_UNKNOWN;
        (void)snprintf(out->detail, sizeof out->detail, "%.*s", (int)sizeof out->detail - 1,
                       fault.text);
        return ERR_NONE;
    }
    if (e != ERR_NONE) {
        return e;
    }
    prepare(run, host, &config);
    config.tls = tls;
    config.stop = PROBE_STOP_TLS;
    e = probe_talk_once(run, &config, &talk);
    if (e == ERR_NONE) {
        out->offered = talk.has_tls                ? PROBE_YES
                       : talk.end == PROBE_END_TLS ? PROBE_NO
                                                   : PROBE_UNKNOWN;
        (void)snprintf(out->detail, sizeof out->detail, "%s",
                       talk.has_tls ? talk.tls.cipher : talk.detail);
        probe_talk_done(&talk);
    }
    tls_client_free(tls);
    return e;
}

/* ---- injection (RFC 3207 4.2, CVE-2011-0411) ---- */

/* A server that keeps what came in the clear answers NOOP inside, where EHLO's answer is awaited: all answers move by
 * one, and that to QUIT is EHLO's. */
static enum probe_injection judge_injection(const struct probe_talk *talk)
{
    const struct probe_step *starttls = probe_talk_step(talk, HEL_SMTP_STARTTLS);
    const struct probe_step *quit = probe_talk_step(talk, HEL_SMTP_QUIT);
    if (starttls == NULL) {
        return PROBE_INJECTION_UNKNOWN;
    }
    if (starttls->code != 220) {
        return PROBE_INJECTION_REFUSED;
    }
    if (talk->had_plaintext_behind_starttls) {
        return PROBE_INJECTION_IN_CLEAR;
    }
    if (!talk->has_tls) {
        return talk->end == PROBE_END_TLS ? PROBE_INJECTION_REFUSED : PROBE_INJECTION_UNKNOWN;
    }
    bool is_out_of_step = talk->end == PROBE_END_GARBAGE || (quit != NULL && quit->code == 250);
    if (is_out_of_step) {
        return PROBE_INJECTION_VULNERABLE;
    }
    return quit != NULL || talk->end == PROBE_END_CLOSED || talk->end == PROBE_END_DONE
               ? PROBE_INJECTION_DROPPED
               : PROBE_INJECTION_UNKNOWN;
}

static enum err try_injection(struct probe_run *run, struct probe_host *host)
{
    struct probe_talk_config config;
    struct probe_talk talk;
    prepare(run, host, &config);
    probe_tell(run, "trying a command behind STARTTLS");
    config.injects = true;
    enum err e = probe_talk_once(run, &config, &talk);
    if (e == ERR_NONE) {
        host->injection = judge_injection(&talk);
        probe_talk_done(&talk);
    }
    return e;
}

/* ---- DANE (RFC 7672) ---- */

/* RFC 6698 2.1; out gets those that count for mail. */
static void read_records(const struct dns_answer *answer, struct probe_host *host,
                         struct probe_dane *out)
{
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        if (record->text.len < 3) {
            continue;
        }
        const struct health_tlsa tlsa = {.usage = (uint8_t)record->text.at[0],
                                         .selector = (uint8_t)record->text.at[1],
                                         .matching = (uint8_t)record->text.at[2],
                                         .data_bytes = record->text.len - 3};
        host->dane_count++;
        if (health_tlsa_is_usable(&tlsa) && host->dane_usable_count < PROBE_DANE_MAX) {
            out[host->dane_usable_count++] =
                (struct probe_dane){.usage = tlsa.usage,
                                    .selector = tlsa.selector,
                                    .matching = tlsa.matching,
                                    .data = slice_sub(record->text, 3, record->text.len)};
        }
    }
}

static enum err match_records(struct probe_run *run, struct probe_host *host,
                              const struct probe_dane *records, size_t count)
{
    struct probe_talk_config config;
    struct probe_talk talk;
    struct fault fault;
    struct tls_client *tls;
    const struct tls_settings settings = {.allows_weak = true};
    enum err e = tls_client_new_with(&settings, &tls, &fault);
    if (e != ERR_NONE) {
        return e;
    }
    prepare(run, host, &config);
    config.tls = tls;
    config.stop = PROBE_STOP_TLS;
    config.dane = records;
    config.dane_count = count;
    e = probe_talk_once(run, &config, &talk);
    if (e == ERR_NONE) {
        host->dane = !talk.has_tls           ? PROBE_DANE_UNKNOWN
                     : talk.tls.matches_dane ? PROBE_DANE_MATCH
                                             : PROBE_DANE_MISMATCH;
        host->dane_usage = talk.tls.dane_usage;
        probe_talk_done(&talk);
    }
    tls_client_free(tls);
    return e;
}

/* Whether the resolver calls an answer authentic: DNSSEC proves it (RFC 4035 3.2.3). */
static enum err is_proven(struct probe_run *run, const char *name, uint16_t type, bool *out)
{
    struct dns_answer *answer = malloc(sizeof *answer);
    enum err e = answer == NULL ? ERR_NOMEM
                                : route_ask(run->door, slice_of(name), type, &run->bytes, answer);
    *out = e == ERR_NONE && answer->kind != DNS_ANSWER_ERROR && answer->message.is_authentic;
    free(answer);
    return e;
}

/* RFC 7672 2.2.1, 2.2.2: where the MX records or the host's addresses are not proven, whoever sends mail looks at no TLSA
 * record of the host. */
static enum err find_gap(struct probe_run *run, struct probe_host *host)
{
    uint16_t type = host->talk.ip.family == IP_V6 ? DNS_AAAA : DNS_A;
    bool has_mx = true, has_address = true;
    enum err e = ERR_NONE;
    if (host->is_exchanger) {
        e = is_proven(run, run->plan->target.name, DNS_MX, &has_mx);
    }
    e = e != ERR_NONE ? e : is_proven(run, host->name, type, &has_address);
    if (e == ERR_NONE) {
        host->dane_gap = !has_mx ? PROBE_GAP_MX : !has_address ? PROBE_GAP_ADDRESS : PROBE_GAP_NONE;
        host->dane = host->dane_gap == PROBE_GAP_NONE ? host->dane : PROBE_DANE_NOT_SECURE;
    }
    return e;
}

static enum err read_dane(struct probe_run *run, struct probe_host *host)
{
    char name[PROBE_NAME_BYTES + 16];
    struct probe_dane records[PROBE_DANE_MAX];
    int len = snprintf(name, sizeof name, "_%u._tcp.%s", host->talk.port, host->name);
    if (host->name[0] == '\0' || len >= DNS_NAME_BYTES) {
        return ERR_NONE;
    }
    struct dns_answer *answer = malloc(sizeof *answer);
    probe_tell(run, "asking for the TLSA records of %s", host->name);
    enum err e = answer == NULL
                     ? ERR_NOMEM
                     : route_ask(run->door, slice_of(name), DNS_TLSA, &run->bytes, answer);
    if (e == ERR_NONE) {
        read_records(answer, host, records);
        host->has_dane_proof = answer->kind != DNS_ANSWER_ERROR && answer->message.is_authentic;
        host->dane = answer->kind == DNS_ANSWER_ERROR ? PROBE_DANE_UNKNOWN
                     : host->dane_count > 0           ? PROBE_DANE_UNUSABLE
                                                      : PROBE_DANE_NONE;
    }
    if (e == ERR_NONE && host->dane_usable_count > 0) {
        e = match_records(run, host, records, host->dane_usable_count);
    }
    free(answer);
    /* A resolver that proves nothing says nothing of the way either. */
    return e == ERR_NONE && host->has_dane_proof && host->dane_count > 0 ? find_gap(run, host) : e;
}

static enum err try_dane(struct probe_run *run, struct probe_host *host)
{
    enum err e = read_dane(run, host);
    if (e == ERR_CLOSED) {
        run->is_stopped = true;
        host->dane = PROBE_DANE_UNKNOWN;
        return ERR_NONE;
    }
    return e;
}

enum err probe_examine_tls(struct probe_run *run, struct probe_host *host)
{
    bool is_starttls = (host->talk.plain_extension_lines[0] != '\0' || host->talk.has_plain_hello);
    bool is_offered = host->talk.has_tls || host->talk.end == PROBE_END_TLS;
    enum err e = ERR_NONE;
    if (!is_offered) {
        return ERR_NONE;
    }
    for (unsigned i = 0; i < PROBE_VERSIONS && e == ERR_NONE && !run->is_stopped; i++) {
        e = try_version(run, host, TLS_OLDEST + i, &host->versions[i]);
    }
    if (e == ERR_NONE && is_starttls && !run->is_stopped) {
        e = try_injection(run, host);
    }
    if (e == ERR_NONE && !run->is_stopped) {
        e = try_dane(run, host);
    }
    return e;
}
