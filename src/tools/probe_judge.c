/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

enum { EXPIRY_SOON_DAYS = 14, DAY_S = 86400, RSA_BITS_MIN = 2048, EC_BITS_MIN = 224 };

const char *probe_level_name(enum probe_level level)
{
    switch (level) {
    case PROBE_LEVEL_OK: return "ok";
    case PROBE_LEVEL_ADVICE: return "advice";
    case PROBE_LEVEL_UNKNOWN: return "unknown";
    case PROBE_LEVEL_MEND: break;
    }
    return "mend";
}

struct judge {
    const struct probe_plan *plan;
    int64_t now_s;
    int host;
    struct probe_findings *out;
};

static void add(struct judge *judge, enum probe_level level, const char *check, const char *hint,
                const char *format, ...) PRINTF_LIKE(5, 6);

static void add(struct judge *judge, enum probe_level level, const char *check, const char *hint,
                const char *format, ...)
{
    if (judge->out->count == PROBE_FINDINGS_MAX) {
        return;
    }
    struct probe_finding *finding = &judge->out->at[judge->out->count++];
    *finding =
        (struct probe_finding){.level = level, .check = check, .host = judge->host, .hint = hint};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
}

static bool is_old_signature(const char *signature)
{
    return slice_find_nocase(slice_of(signature), SLICE("md5")) < strlen(signature) ||
           slice_find_nocase(slice_of(signature), SLICE("sha1")) < strlen(signature);
}

/* ---- certificates ---- */

static void judge_dates(struct judge *judge, const struct tls_certificate *own)
{
    int64_t days = (own->not_after_s - judge->now_s) / DAY_S;
    if (own->not_after_s < judge->now_s) {
        add(judge, PROBE_LEVEL_MEND, "certificate_expired",
            "renew it, and see why that did not happen by itself",
            "the certificate ended %lld days ago", (long long)-days);
    } else if (own->not_before_s > judge->now_s) {
        add(judge, PROBE_LEVEL_MEND, "certificate_not_yet_valid",
            "look at the server's clock, and at ours", "the certificate is not valid yet");
    } else if (days < EXPIRY_SOON_DAYS) {
        add(judge, PROBE_LEVEL_ADVICE, "certificate_ends_soon", "see whether its renewal works",
            "the certificate ends in %lld days", (long long)days);
    }
}

static void judge_keys(struct judge *judge, const struct tls_view *tls)
{
    for (unsigned i = 0; i < tls->chain_count; i++) {
        const struct tls_certificate *certificate = &tls->chain[i];
        bool is_rsa = strcmp(certificate->key, "RSA") == 0;
        bool is_ec = strcmp(certificate->key, "EC") == 0;
        if ((is_rsa && certificate->key_bits < RSA_BITS_MIN) ||
            (is_ec && certificate->key_bits < EC_BITS_MIN)) {
            add(judge, PROBE_LEVEL_MEND, "certificate_weak_key",
                "make one with RSA of 2048 bits, or with P-256", "the key of %s has %d bits only",
                certificate->subject, certificate->key_bits);
        }
        bool is_own_issuer = strcmp(certificate->subject, certificate->issuer) == 0;
        if (is_old_signature(certificate->signature) && !(is_own_issuer && i > 0)) {
            add(judge, PROBE_LEVEL_MEND, "certificate_weak_signature",
                "have it signed with SHA-256", "the signature of %s is %s", certificate->subject,
                certificate->signature);
        }
    }
}

/* RFC 7671 5.1, RFC 7672 3.1.1: with usage 3 the record is all that counts. */
static bool is_vouched_for(const struct probe_host *host)
{
    return host->dane == PROBE_DANE_MATCH && host->has_dane_proof && host->dane_usage == 3;
}

static void judge_certificate(struct judge *judge, const struct probe_host *host)
{
    const struct tls_view *tls = &host->talk.tls;
    const struct tls_certificate *own = &tls->chain[0];
    if (tls->chain_count == 0) {
        add(judge, PROBE_LEVEL_MEND, "certificate_none", "give the server a certificate",
            "the server shows no certificate");
        return;
    }
    judge_keys(judge, tls);
    if (is_vouched_for(host)) {
        add(judge, PROBE_LEVEL_OK, "certificate", "",
            "a TLSA record of usage 3 vouches for the certificate: its name, dates and issuer do "
            "not count (RFC 7671 5.1)");
        return;
    }
    judge_dates(judge, own);
    bool is_dated = own->not_after_s >= judge->now_s;
    if (!tls->is_trusted && is_dated) {
        add(judge, PROBE_LEVEL_MEND, "certificate_untrusted",
            "use one of an authority that clients know, and send the intermediate ones with it",
            "the certificate is not trusted: %s", tls->verdict);
    }
    if (!tls->is_for_host && (host->name[0] != '\0' || judge->plan->server_name.len > 0)) {
        add(judge, PROBE_LEVEL_MEND, "certificate_other_name", "add the host's name to it",
            "the certificate is not for %.*s, but for %.120s",
            SLICE_ARG(judge->plan->server_name.len > 0 ? judge->plan->server_name
                                                       : slice_of(host->name)),
            own->names[0] != '\0' ? own->names : own->subject);
    }
    if (tls->is_trusted && tls->is_for_host && is_dated) {
        add(judge, PROBE_LEVEL_OK, "certificate", "",
            "the certificate is trusted and for this host");
    }
}

static void judge_ocsp(struct judge *judge, enum tls_ocsp ocsp)
{
    switch (ocsp) {
    case TLS_OCSP_NONE: return;
    case TLS_OCSP_GOOD:
        add(judge, PROBE_LEVEL_OK, "ocsp", "",
            "a stapled OCSP answer says that the certificate is good");
        return;
    case TLS_OCSP_REVOKED:
        add(judge, PROBE_LEVEL_MEND, "ocsp_revoked", "get a new certificate",
            "the certificate was revoked, says the stapled OCSP answer");
        return;
    case TLS_OCSP_UNKNOWN:
    case TLS_OCSP_STALE:
    case TLS_OCSP_FORGED:
    case TLS_OCSP_BROKEN: break;
    }
    add(judge, PROBE_LEVEL_MEND, "ocsp_bad",
        "see why the server does not renew it, or do not staple", "the stapled OCSP answer is %s",
        tls_ocsp_name(ocsp));
}

/* ---- TLS ---- */

static void judge_versions(struct judge *judge, const struct probe_host *host)
{
    const struct probe_version *v = host->versions;
    bool is_tried = v[2].offered != PROBE_NOT_TRIED;
    if (!is_tried) {
        return;
    }
    bool has_old = v[0].offered == PROBE_YES || v[1].offered == PROBE_YES;
    if (has_old) {
        add(judge, PROBE_LEVEL_ADVICE, "tls_old_versions", "switch TLS 1.0 and 1.1 off (RFC 8996)",
            "the server still speaks %s%s%s", v[0].offered == PROBE_YES ? "TLS 1.0" : "",
            v[0].offered == PROBE_YES && v[1].offered == PROBE_YES ? " and " : "",
            v[1].offered == PROBE_YES ? "TLS 1.1" : "");
    }
    if (has_old && v[2].offered == PROBE_NO && v[3].offered == PROBE_NO) {
        add(judge, PROBE_LEVEL_MEND, "tls_only_old", "offer TLS 1.2 and 1.3 (RFC 9325 3.1.1)",
            "the server speaks neither TLS 1.2 nor 1.3");
    }
}

static void judge_injection(struct judge *judge, enum probe_injection injection)
{
    switch (injection) {
    case PROBE_INJECTION_NOT_TRIED: return;
    case PROBE_INJECTION_DROPPED:
        add(judge, PROBE_LEVEL_OK, "starttls_injection", "",
            "a command sent in the clear behind STARTTLS is thrown away");
        return;
    case PROBE_INJECTION_REFUSED:
        add(judge, PROBE_LEVEL_OK, "starttls_injection", "",
            "a command sent in the clear behind STARTTLS ends it");
        return;
    case PROBE_INJECTION_IN_CLEAR:
        add(judge, PROBE_LEVEL_ADVICE, "starttls_injection",
            "have it throw away what comes behind STARTTLS",
            "a command sent behind STARTTLS is answered in the clear, before the handshake");
        return;
    case PROBE_INJECTION_VULNERABLE:
        add(judge, PROBE_LEVEL_MEND, "starttls_injection",
            "update the server: who sits between can put commands into TLS (RFC 3207 4.2, "
            "CVE-2011-0411)",
            "a command sent in the clear behind STARTTLS is obeyed inside TLS");
        return;
    case PROBE_INJECTION_UNKNOWN: break;
    }
    add(judge, PROBE_LEVEL_UNKNOWN, "starttls_injection", "",
        "the STARTTLS injection could not be tried");
}

static void judge_dane(struct judge *judge, const struct probe_host *host)
{
    switch (host->dane) {
    case PROBE_DANE_NOT_TRIED:
    case PROBE_DANE_NONE: return;
    case PROBE_DANE_UNUSABLE:
        add(judge, PROBE_LEVEL_MEND, "dane_unusable",
            "publish 3 1 1: the SHA-256 digest of the server's public key (RFC 7672 3.1)",
            "none of the %u TLSA records is one that senders of mail look at", host->dane_count);
        return;
    case PROBE_DANE_MATCH:
        if (host->has_dane_proof) {
            add(judge, PROBE_LEVEL_OK, "dane", "",
                "one of the %u TLSA records fits the certificate, and DNSSEC proves them",
                host->dane_count);
            return;
        }
        add(judge, PROBE_LEVEL_ADVICE, "dane_not_proven",
            "sign the zone of the host, or ask a resolver that validates (--resolver): records "
            "without DNSSEC count for nobody (RFC 7672 2.1)",
            "one of the %u TLSA records fits the certificate, but the resolver does not say that "
            "DNSSEC proves them",
            host->dane_count);
        return;
    case PROBE_DANE_MISMATCH:
        add(judge, PROBE_LEVEL_MEND, "dane",
            "publish the new key's record before the key is used (RFC 7671 8.1)",
            "none of the %u TLSA records fits the certificate%s", host->dane_count,
            host->has_dane_proof ? ", and DNSSEC proves them: senders that use DANE do not deliver"
                                 : " (the resolver does not say that DNSSEC proves them)");
        return;
    case PROBE_DANE_NOT_SECURE:
        add(judge, PROBE_LEVEL_ADVICE, "dane_not_secure",
            "sign the zone they stand in (RFC 7672 2.2)",
            "DNSSEC proves the TLSA records, and not the %s: DANE does not apply to this host",
            host->dane_gap == PROBE_GAP_MX ? "MX records that lead there"
                                           : "addresses of the host");
        return;
    case PROBE_DANE_UNKNOWN: break;
    }
    add(judge, PROBE_LEVEL_UNKNOWN, "dane", "", "DANE could not be looked at");
}

/* RFC 8461 4.1, 4.2 */
static void judge_sts(struct judge *judge, const struct probe_sts *sts,
                      const struct probe_host *host)
{
    const char *name = judge->plan->target.name;
    bool is_enforced = strcmp(sts->mode, "enforce") == 0;
    bool is_told = host->talk.has_hello || host->talk.has_tls || host->talk.end == PROBE_END_TLS;
    if (sts->state != PROBE_STS_FOUND || strcmp(sts->mode, "none") == 0 || !is_told) {
        return;
    }
    enum probe_level level = is_enforced ? PROBE_LEVEL_MEND : PROBE_LEVEL_ADVICE;
    bool holds = host->talk.has_tls && host->talk.tls.is_trusted && host->talk.tls.is_for_host;
    if (host->sts_names_it != PROBE_YES) {
        add(judge, level, "mta_sts_not_named",
            "add the line \"mx: NAME\" to the policy, and give the record a new id",
            "the MTA-STS policy of %s, in mode %s, does not name this host", name, sts->mode);
    } else if (!holds) {
        add(judge, level, "mta_sts_certificate",
            "get a certificate of an authority that clients know, with the host's name",
            "the MTA-STS policy of %s, in mode %s, names this host, whose certificate does not "
            "hold for it",
            name, sts->mode);
    } else {
        add(judge, PROBE_LEVEL_OK, "mta_sts", "",
            "the MTA-STS policy of %s, in mode %s, names this host, and its certificate holds",
            name, sts->mode);
    }
}

static bool offers_clear_login(const struct probe_talk *talk)
{
    struct slice lines = slice_of(talk->plain_extension_lines);
    return probe_offers_mechanism(lines, SLICE("PLAIN")) ||
           probe_offers_mechanism(lines, SLICE("LOGIN"));
}

static void judge_tls(struct judge *judge, const struct probe_host *host)
{
    const struct probe_talk *talk = &host->talk;
    if (talk->has_plain_hello && offers_clear_login(talk)) {
        add(judge, PROBE_LEVEL_MEND, "login_in_clear", "offer logins inside TLS only (RFC 4954 4)",
            "logins that show the password are offered without TLS");
    }
    if (talk->has_tls) {
        judge_certificate(judge, host);
        judge_ocsp(judge, talk->tls.ocsp);
    } else if (talk->has_hello && judge->plan->talk.tls_mode != PROBE_TLS_NEVER &&
               (talk->extensions & HEL_SMTP_EXT_STARTTLS) == 0 && !talk->used_helo &&
               judge->plan->target.scheme != PROBE_LMTP &&
               judge->plan->talk.stop != PROBE_STOP_FIRST_EHLO) {
        add(judge, PROBE_LEVEL_ADVICE, "tls_not_offered", "offer STARTTLS (RFC 3207)",
            "the server offers no TLS");
    }
    judge_versions(judge, host);
    judge_injection(judge, host->injection);
    judge_dane(judge, host);
}

/* ---- the conversation ---- */

static void judge_end(struct judge *judge, const struct probe_talk *talk)
{
    const char *stage = hel_smtp_stage_name(talk->stage);
    switch (talk->end) {
    case PROBE_END_DONE: return;
    case PROBE_END_REFUSED:
        add(judge, PROBE_LEVEL_MEND, "refused", "", "refused at %s: %s", stage, talk->detail);
        return;
    case PROBE_END_NOT_OFFERED:
        add(judge, PROBE_LEVEL_MEND, "not_offered", "", "%s: %s", stage, talk->detail);
        return;
    case PROBE_END_WITHHELD:
        add(judge, PROBE_LEVEL_MEND, "withheld", "", "not gone on at %s: %s", stage, talk->detail);
        return;
    case PROBE_END_TLS:
        add(judge, PROBE_LEVEL_MEND, "tls_failed", "look at the server's TLS with the log at hand",
            "the TLS handshake failed: %s", talk->detail);
        return;
    case PROBE_END_GARBAGE:
        add(judge, PROBE_LEVEL_MEND, "garbage", "is this a mail server, and is this its port?",
            "at %s: %s", stage, talk->detail);
        return;
    case PROBE_END_CLOSED:
        add(judge, PROBE_LEVEL_MEND, "closed", "", "at %s: %s", stage, talk->detail);
        return;
    case PROBE_END_UNREACHED:
        add(judge, PROBE_LEVEL_UNKNOWN, "unreached",
            "is the port open, there and on the way? heloise doctor looks at port 25",
            "no connection: %s", talk->detail);
        return;
    case PROBE_END_TIMEOUT:
        add(judge, PROBE_LEVEL_UNKNOWN, "timeout", "give it longer with --timeout", "at %s: %s",
            stage, talk->detail);
        return;
    case PROBE_END_LOCAL:
        add(judge, PROBE_LEVEL_UNKNOWN, "local", "", "our own trouble: %s", talk->detail);
        return;
    case PROBE_END_STOPPED: return; /* which was said of all of it */
    }
}

static void judge_rcpts(struct judge *judge, const struct probe_talk *talk)
{
    for (size_t i = 0; i < talk->step_count; i++) {
        const struct probe_step *step = &talk->steps[i];
        bool is_answer = step->stage == HEL_SMTP_RCPT || step->stage == HEL_SMTP_BODY;
        if (talk->end == PROBE_END_DONE && is_answer && step->code / 100 != 2) {
            add(judge, PROBE_LEVEL_MEND, "recipient_refused", "", "%s is refused: %u %.200s",
                step->about, step->code, step->text);
        }
    }
}

static void judge_logins(struct judge *judge, const struct probe_host *host)
{
    for (int i = 0; i < SASL_MECHANISM_COUNT; i++) {
        const struct probe_login_result *login = &host->logins[i];
        const char *name = sasl_mechanism_name((enum sasl_mechanism)i);
        if (login->worked == PROBE_YES) {
            add(judge, PROBE_LEVEL_OK, "login", "", "the login works with %s", name);
        } else if (login->worked == PROBE_NO) {
            add(judge, PROBE_LEVEL_MEND, "login", "do not offer what cannot work",
                "the login fails with %s: %s", name, login->detail);
        } else if (login->worked == PROBE_UNKNOWN) {
            add(judge, PROBE_LEVEL_UNKNOWN, "login", "", "%s was not tried: %s", name,
                login->detail);
        }
    }
    const struct probe_talk *talk = &host->talk;
    if (talk->is_logged_in && !talk->is_server_proven) {
        add(judge, PROBE_LEVEL_MEND, "login_unproven", "",
            "the server did not prove that it knows the password");
    }
}

static void judge_relay(struct judge *judge, const struct probe_host *host)
{
    unsigned accepted = 0, asked = 0;
    for (size_t i = 0; i < host->relay.step_count; i++) {
        const struct probe_step *step = &host->relay.steps[i];
        if (step->stage != HEL_SMTP_RCPT) {
            continue;
        }
        asked++;
        if (step->code / 100 == 2) {
            accepted++;
            add(judge, PROBE_LEVEL_MEND, "open_relay",
                "take mail for your own domains only (RFC 5321 7.1)",
                "the server takes mail for a stranger's address: %s", step->about);
        }
    }
    if (accepted == 0 && asked == judge->plan->relay_count) {
        add(judge, PROBE_LEVEL_OK, "open_relay", "", "none of %u forms is relayed", asked);
    } else if (accepted == 0) {
        add(judge, PROBE_LEVEL_UNKNOWN, "open_relay", "",
            "%u of %zu forms were asked, none is relayed: %s", asked, judge->plan->relay_count,
            host->relay.detail);
    }
}

static const char *status_text(enum host_status status)
{
    switch (status) {
    case HOST_OK: return "";
    case HOST_NOT_FOUND: return "the name does not exist";
    case HOST_NO_ADDRESS: return "the name has no address";
    case HOST_UNROUTABLE:
        return "the name has private addresses only, which are not contacted unless --allow-net "
               "says so";
    case HOST_DNS_ERROR: return "the DNS does not answer";
    case HOST_NO_FAMILY: break;
    }
    return "the name has no address of a family that is used";
}

static void judge_host(struct judge *judge, const struct probe_host *host)
{
    if (host->status != HOST_OK) {
        bool is_dns = host->status == HOST_DNS_ERROR || host->status == HOST_NO_FAMILY;
        add(judge, is_dns ? PROBE_LEVEL_UNKNOWN : PROBE_LEVEL_MEND, "host", "", "%s: %s",
            host->name, status_text(host->status));
        return;
    }
    judge_end(judge, &host->talk);
    if (host->talk.end == PROBE_END_STOPPED) {
        return;
    }
    judge_rcpts(judge, &host->talk);
    judge_tls(judge, host);
    judge_logins(judge, host);
    if (host->has_relay) {
        judge_relay(judge, host);
    }
}

static void judge_route(struct judge *judge, const struct probe_result *result)
{
    const char *name = judge->plan->target.name;
    judge->host = -1;
    switch (result->route->status) {
    case ROUTE_OK:
        if (result->host_count == 0) {
            add(judge, PROBE_LEVEL_MEND, "route", "", "%.*s is no mail server of %s",
                SLICE_ARG(judge->plan->only_host), name);
        }
        return;
    case ROUTE_NULL_MX:
        add(judge, PROBE_LEVEL_MEND, "route", "", "%s takes no mail, says its null MX", name);
        return;
    case ROUTE_DNS_ERROR:
        add(judge, PROBE_LEVEL_UNKNOWN, "route", "", "the DNS does not answer for %s: %s", name,
            dns_failure_name(result->route->failure));
        return;
    case ROUTE_NOT_FOUND:
    case ROUTE_NO_HOST:
    case ROUTE_UNROUTABLE: break;
    }
    add(judge, PROBE_LEVEL_MEND, "route",
        result->route->status == ROUTE_UNROUTABLE
            ? "--allow-net names private networks that may be contacted"
            : "",
        "%s has no mail server: %s", name, route_status_name(result->route->status));
}

static void judge_policy(struct judge *judge, const struct probe_sts *sts)
{
    const char *name = judge->plan->target.name;
    if (sts->state == PROBE_STS_BROKEN) {
        add(judge, PROBE_LEVEL_MEND, "mta_sts_policy",
            "serve it over https, with a certificate for that name, without a redirect, or take "
            "the record away (RFC 8461 3.3)",
            "%s has an MTA-STS record, and no policy that can be read: %s", name, sts->detail);
    } else if (sts->state == PROBE_STS_UNKNOWN) {
        add(judge, PROBE_LEVEL_UNKNOWN, "mta_sts_policy", "",
            "whether %s has an MTA-STS policy is not known: %s", name, sts->detail);
    }
}

void probe_judge(const struct probe_plan *plan, const struct probe_result *result, int64_t now_s,
                 struct probe_findings *out)
{
    struct judge judge = {.plan = plan, .now_s = now_s, .host = -1, .out = out};
    out->count = 0;
    if (result->is_stopped) {
        add(&judge, PROBE_LEVEL_UNKNOWN, "stopped", "", "stopped before all was looked at");
    }
    if (result->route != NULL) {
        judge_route(&judge, result);
        judge_policy(&judge, &result->sts);
    }
    for (size_t i = 0; i < result->host_count; i++) {
        judge.host = (int)i;
        judge_host(&judge, &result->hosts[i]);
        judge_sts(&judge, &result->sts, &result->hosts[i]);
    }
}

enum probe_level probe_level_of(const struct probe_findings *findings)
{
    enum probe_level worst = PROBE_LEVEL_OK;
    for (size_t i = 0; i < findings->count; i++) {
        worst = findings->at[i].level > worst ? findings->at[i].level : worst;
    }
    return worst;
}
