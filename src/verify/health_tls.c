/* verify/health_tls: checks of what makes senders use TLS: MTA-STS (RFC 8461), DANE (RFC 7672) with DNSSEC, and the
 * reports about it (RFC 8460).
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "verify/health_private.h"

enum {
    ID_BYTES_MAX = 32,             /* RFC 8461 3.1 */
    FIELD_NAME_BYTES_MAX = 32,     /* the same, and RFC 8460 3 */
    MAX_AGE_S_MAX = 31557600,      /* RFC 8461 3.2 */
    MAX_AGE_S_ADVISED = 7 * 86400, /* below it the policy is forgotten between two messages */
    DANE_TA = 2,                   /* RFC 7672 3.1.3: the usages that count for mail */
    DANE_EE = 3,
};

static bool is_taking_mail(const struct health_facts *facts)
{
    return facts->mx_count > 0 && !health_takes_no_mail(facts);
}

/* Where every mail server has records that count, senders need no other promise. */
static bool has_dane(const struct health_facts *facts)
{
    for (size_t i = 0; i < facts->mx_count; i++) {
        if (facts->mx[i].tlsa_count == 0 || !facts->mx[i].is_tlsa_authentic) {
            return false;
        }
    }
    return facts->mx_count > 0 && facts->is_mx_authentic;
}

static bool is_absent_text(const struct health_text *text)
{
    return health_is_absent(text->kind) || (text->kind == DNS_ANSWER_RECORDS && text->count == 0);
}

/* ---- MTA-STS ---- */

bool health_policy_value(struct slice *rest, struct slice key, struct slice *out)
{
    struct reader r = reader_over(*rest);
    struct slice line;
    while (reader_line(&r, &line)) {
        struct slice value = line;
        struct slice name = slice_trim(slice_cut(&value, ':'));
        if (value.at != NULL && slice_equal(name, key)) {
            *rest = r.rest;
            *out = slice_trim(value);
            return true;
        }
    }
    return false;
}

/* The first value; empty: there is none. */
static struct slice policy_value(const struct health_facts *facts, struct slice key)
{
    struct slice rest = facts->sts_policy.body;
    struct slice value;
    return health_policy_value(&rest, key, &value) ? value : SLICE_NONE;
}

static bool is_mode(struct slice value)
{
    return slice_equal(value, SLICE("enforce")) || slice_equal(value, SLICE("testing")) ||
           slice_equal(value, SLICE("none"));
}

static bool read_age(struct slice value, uint64_t *out_s)
{
    struct reader r = reader_over(value);
    return reader_number(&r, MAX_AGE_S_MAX, out_s) && reader_is_done(&r);
}

static bool is_fetched(const struct health_facts *facts)
{
    return facts->sts_policy.state == HEALTH_FETCH_DONE && facts->sts_policy.status == 200;
}

static void look_sts_missing(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    if (is_absent_text(&facts->sts) && is_taking_mail(facts) && !has_dane(facts)) {
        health_say(j,
                   health_text_of(j,
                                  "publish the record and, at "
                                  "https://mta-sts.%s/.well-known/mta-sts.txt, a policy that names "
                                  "the mail servers",
                                  facts->domain),
                   health_text_of(j, "_mta-sts.%s. IN TXT \"v=STSv1; id=1\"", facts->domain),
                   "%s has no MTA-STS policy, and no DANE", facts->domain);
    }
}

/* RFC 8461 3.1: sts-id is 1 to 32 letters and digits. */
static bool is_id(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (!ascii_is_alnum(value.at[i])) {
            return false;
        }
    }
    return value.len > 0 && value.len <= ID_BYTES_MAX;
}

/* RFC 8461 3.1, RFC 8460 3: a name may hold '-' and '.', and begin with a digit, other than that of a tag of DKIM. */
static bool is_field_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        bool is_mark = slice_find_byte(SLICE("_-."), name.at[i], 0) < 3;
        if (!ascii_is_alnum(name.at[i]) && !(is_mark && i > 0)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= FIELD_NAME_BYTES_MAX;
}

static bool is_field_value(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] <= ' ' || value.at[i] > '~') {
            return false;
        }
    }
    return value.len > 0;
}

/* A field of a record NAME=VALUE; NAME=VALUE. False: it has none, or is no such list. */
static bool find_field(struct slice record, struct slice wanted, struct slice *out)
{
    struct slice rest = record;
    bool has = false;
    while (rest.at != NULL) {
        struct slice value = slice_trim(slice_cut(&rest, ';'));
        if (value.len == 0 && rest.at == NULL) {
            break; /* behind the last ';' */
        }
        struct slice name = slice_cut(&value, '=');
        if (!is_field_name(name) || value.at == NULL || !is_field_value(value)) {
            return false;
        }
        if (!has && slice_equal(name, wanted)) {
            has = true;
            *out = value;
        }
    }
    return has;
}

static void look_sts_record(struct health_judge *j)
{
    const struct health_text *sts = &j->facts->sts;
    struct slice id;
    if (sts->count > 1) {
        health_say(j, "keep one of them", NULL, "%s has %u MTA-STS records", sts->name, sts->count);
        return;
    }
    if (sts->count == 0) {
        return;
    }
    if (!find_field(sts->text, SLICE("id"), &id) || !is_id(id)) {
        health_say(j, "give it an id of letters and digits, another one at each change",
                   health_text_of(j, "%s. IN TXT \"v=STSv1; id=1\"", sts->name),
                   "the MTA-STS record has no id that can be read");
    }
}

static void look_sts_fetch(struct health_judge *j)
{
    const struct health_policy_file *file = &j->facts->sts_policy;
    if (file->state == HEALTH_FETCH_FAILED) {
        health_say(j, "serve it over https, with a certificate for that name, without a redirect",
                   NULL, "the MTA-STS policy cannot be fetched from mta-sts.%s: %s",
                   j->facts->domain, file->words);
    } else if (file->state == HEALTH_FETCH_DONE && file->status != 200) {
        health_say(j, "serve it at /.well-known/mta-sts.txt", NULL,
                   "mta-sts.%s answers %u where the MTA-STS policy should be", j->facts->domain,
                   file->status);
    }
}

static void look_sts_type(struct health_judge *j)
{
    const struct health_policy_file *file = &j->facts->sts_policy;
    struct slice rest = file->content_type;
    struct slice type = slice_trim(slice_cut(&rest, ';'));
    if (is_fetched(j->facts) && !slice_equal_nocase(type, SLICE("text/plain"))) {
        health_say(j, "serve it as text/plain", NULL, "the MTA-STS policy is served as \"%.*s\"",
                   SLICE_ARG(slice_sub(type, 0, 80)));
    }
}

static void look_sts_policy(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    uint64_t age_s;
    if (!is_fetched(facts)) {
        return;
    }
    struct slice mode = policy_value(facts, SLICE("mode"));
    if (!slice_equal(policy_value(facts, SLICE("version")), SLICE("STSv1"))) {
        health_say(j, "add the line: version: STSv1", NULL, "the MTA-STS policy has no version");
    }
    if (!is_mode(mode)) {
        health_say(j, "add the line: mode: enforce", NULL, "the MTA-STS policy has no mode");
    }
    if (!read_age(policy_value(facts, SLICE("max_age")), &age_s)) {
        health_say(j, "add the line: max_age: 604800", NULL,
                   "the MTA-STS policy has no max_age that can be read");
    }
    if (policy_value(facts, SLICE("mx")).len == 0 && !slice_equal(mode, SLICE("none"))) {
        health_say(j, "add a line \"mx: NAME\" for each mail server", NULL,
                   "the MTA-STS policy names no mail server");
    }
}

static void look_sts_mode(struct health_judge *j)
{
    struct slice mode = is_fetched(j->facts) ? policy_value(j->facts, SLICE("mode")) : SLICE_NONE;
    if (slice_equal(mode, SLICE("testing")) || slice_equal(mode, SLICE("none"))) {
        health_say(j, "when the TLS reports show no trouble: mode: enforce, and a new id", NULL,
                   "the MTA-STS policy is in mode %.*s", SLICE_ARG(mode));
    }
}

static void look_sts_age(struct health_judge *j)
{
    uint64_t age_s;
    if (is_fetched(j->facts) && read_age(policy_value(j->facts, SLICE("max_age")), &age_s) &&
        age_s < MAX_AGE_S_ADVISED &&
        !slice_equal(policy_value(j->facts, SLICE("mode")), SLICE("none"))) {
        health_say(j, "max_age: 604800 (a week), or more", NULL,
                   "the MTA-STS policy holds for %u seconds only", (unsigned)age_s);
    }
}

/* RFC 8461 4.1: one label may stand as "*". */
static bool is_named(struct slice pattern, struct slice host)
{
    if (slice_ends(pattern, SLICE("."))) {
        pattern = slice_sub(pattern, 0, pattern.len - 1);
    }
    if (slice_starts(pattern, SLICE("*."))) {
        (void)slice_cut(&pattern, '.');
        (void)slice_cut(&host, '.');
        return host.at != NULL && slice_equal_nocase(pattern, host);
    }
    return slice_equal_nocase(pattern, host);
}

bool health_policy_names(struct slice policy, struct slice host)
{
    struct slice rest = policy;
    struct slice pattern;
    while (health_policy_value(&rest, SLICE("mx"), &pattern)) {
        if (is_named(pattern, host)) {
            return true;
        }
    }
    return false;
}

static void look_sts_mx(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    if (!is_fetched(facts) || policy_value(facts, SLICE("mx")).len == 0) {
        return;
    }
    for (size_t i = 0; i < facts->mx_count; i++) {
        const char *host = facts->mx[i].host.name;
        if (host[0] != '\0' && !health_policy_names(facts->sts_policy.body, slice_of(host))) {
            health_say(
                j, health_text_of(j, "add the line: mx: %s; and give the record a new id", host),
                NULL, "the MTA-STS policy does not name the mail server %s", host);
        }
    }
}

/* ---- TLS reports ---- */

static void look_reports_missing(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    if (is_absent_text(&facts->tls_rpt) && is_taking_mail(facts)) {
        health_say(j, "say where reports go",
                   health_text_of(j,
                                  "_smtp._tls.%s. IN TXT \"v=TLSRPTv1; rua=mailto:postmaster@%s\"",
                                  facts->domain, facts->domain),
                   "%s asks for no TLS reports", facts->domain);
    }
}

/* RFC 8460 3 */
static bool names_place(struct slice record)
{
    struct slice rua;
    return find_field(record, SLICE("rua"), &rua) && (slice_starts_nocase(rua, SLICE("mailto:")) ||
                                                      slice_starts_nocase(rua, SLICE("https:")));
}

static void look_reports_syntax(struct health_judge *j)
{
    const struct health_text *text = &j->facts->tls_rpt;
    if (text->count > 1) {
        health_say(j, "keep one of them", NULL, "%s has %u records for TLS reports", text->name,
                   text->count);
        return;
    }
    if (text->count > 0 && !names_place(text->text)) {
        health_say(j, "say where reports go",
                   health_text_of(j, "%s. IN TXT \"v=TLSRPTv1; rua=mailto:postmaster@%s\"",
                                  text->name, j->facts->domain),
                   "the record for TLS reports names no place that reports can go to");
    }
}

/* ---- DNSSEC and DANE ---- */

static void look_unsigned(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    if (facts->soa == DNS_ANSWER_RECORDS && health_is_absent(facts->ds) && !facts->is_authentic) {
        health_say(j, "sign the zone, and give the DS record to the registrar", NULL,
                   "%s is not signed (DNSSEC)", facts->domain);
    }
}

static void look_not_validated(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    if (facts->ds == DNS_ANSWER_RECORDS && !facts->is_authentic) {
        health_say(j, "ask through a resolver that validates: --resolver", NULL,
                   "%s is signed, and the resolver does not say whether the signatures are good",
                   facts->domain);
    }
}

static void look_dane_unsigned(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    bool can_tell = facts->ds != DNS_ANSWER_RECORDS || facts->is_authentic;
    for (size_t i = 0; i < facts->mx_count && can_tell; i++) {
        const struct health_mx *mx = &facts->mx[i];
        if (mx->tlsa_count > 0 && (!mx->is_tlsa_authentic || !facts->is_mx_authentic)) {
            health_say(j, "sign the zone of the mail server and that of the domain", NULL,
                       "%s has TLSA records, and the resolver does not vouch for %s", mx->host.name,
                       mx->is_tlsa_authentic ? "the MX records that lead there" : "them");
        }
    }
}

bool health_tlsa_is_usable(const struct health_tlsa *tlsa)
{
    bool has_length = tlsa->matching == 1   ? tlsa->data_bytes == 32
                      : tlsa->matching == 2 ? tlsa->data_bytes == 64
                                            : tlsa->matching == 0 && tlsa->data_bytes > 64;
    return (tlsa->usage == DANE_TA || tlsa->usage == DANE_EE) && tlsa->selector <= 1 && has_length;
}

static void look_dane_unusable(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->mx_count; i++) {
        const struct health_mx *mx = &j->facts->mx[i];
        for (size_t k = 0; k < mx->tlsa_count; k++) {
            const struct health_tlsa *tlsa = &mx->tlsa[k];
            if (!health_tlsa_is_usable(tlsa)) {
                health_say(j, "publish 3 1 1: the SHA-256 digest of the server's public key", NULL,
                           "a TLSA record of %s does not count for mail: %u %u %u with %zu bytes",
                           mx->host.name, tlsa->usage, tlsa->selector, tlsa->matching,
                           tlsa->data_bytes);
            }
        }
    }
}

/* Some have it and others do not: senders that insist on DANE use those that have. */
static void look_dane_partial(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    size_t with = 0;
    for (size_t i = 0; i < facts->mx_count; i++) {
        with += facts->mx[i].tlsa_count > 0 ? 1 : 0;
    }
    for (size_t i = 0; i < facts->mx_count && with > 0; i++) {
        if (health_is_absent(facts->mx[i].tlsa_kind)) {
            health_say(j, "publish one for each mail server", NULL,
                       "%s has no TLSA record, and other mail servers of the domain have one",
                       facts->mx[i].host.name);
        }
    }
}

static const struct health_check checks[] = {
    {"mta_sts_missing", HEALTH_MTA_STS, HEALTH_ADVICE,
     "Whoever stands between can keep senders from using TLS, or answer in the server's place.",
     look_sts_missing},
    {"mta_sts_record", HEALTH_MTA_STS, HEALTH_ERROR,
     "Senders act as if there were no policy (RFC 8461 3.1).", look_sts_record},
    {"mta_sts_not_fetched", HEALTH_MTA_STS, HEALTH_ERROR,
     "Senders cannot read the policy that the record promises; it does not hold.", look_sts_fetch},
    {"mta_sts_content_type", HEALTH_MTA_STS, HEALTH_WARNING,
     "Senders may refuse a policy that is not text/plain (RFC 8461 3.2).", look_sts_type},
    {"mta_sts_policy", HEALTH_MTA_STS, HEALTH_ERROR,
     "A policy without one of its lines is none (RFC 8461 3.2).", look_sts_policy},
    {"mta_sts_not_enforced", HEALTH_MTA_STS, HEALTH_ADVICE,
     "Senders deliver all the same when TLS fails.", look_sts_mode},
    {"mta_sts_short_life", HEALTH_MTA_STS, HEALTH_ADVICE,
     "Senders that write seldom have forgotten the policy when they need it (RFC 8461 3.2).",
     look_sts_age},
    {"mta_sts_mx_not_named", HEALTH_MTA_STS, HEALTH_ERROR,
     "Senders do not deliver to a server that an enforced policy does not name.", look_sts_mx},
    {"tls_rpt_missing", HEALTH_TLS_RPT, HEALTH_ADVICE,
     "When TLS fails for some senders, nobody tells you.", look_reports_missing},
    {"tls_rpt_record", HEALTH_TLS_RPT, HEALTH_WARNING, "No reports will come (RFC 8460 3).",
     look_reports_syntax},
    {"dnssec_unsigned", HEALTH_DANE, HEALTH_ADVICE,
     "Answers about the domain can be forged, its mail servers among them; DANE needs signatures.",
     look_unsigned},
    {"dnssec_not_validated", HEALTH_DANE, HEALTH_UNKNOWN,
     "Whether DANE works cannot be said without it.", look_not_validated},
    {"dane_unsigned", HEALTH_DANE, HEALTH_ERROR,
     "TLSA records count only where DNSSEC vouches for them (RFC 7672 2.1).", look_dane_unsigned},
    {"dane_unusable", HEALTH_DANE, HEALTH_WARNING,
     "Senders look at the usages DANE-TA (2) and DANE-EE (3) only (RFC 7672 3.1.3).",
     look_dane_unusable},
    {"dane_partial", HEALTH_DANE, HEALTH_WARNING,
     "Who stands between leads senders to the server that has none.", look_dane_partial},
};

const struct health_checks health_tls_checks = {checks, sizeof checks / sizeof *checks};
