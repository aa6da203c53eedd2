/* verify/health_dmarc: checks of the DMARC policy (RFC 7489 6.3, 7.1).
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "dns/tags.h"
#include "verify/health_private.h"

static bool has_policy(const struct health_facts *facts)
{
    return facts->dmarc.count == 1;
}

struct slice health_dmarc_tag(const struct health_facts *facts, struct slice name)
{
    struct slice value = SLICE_NONE;
    bool is_found = has_policy(facts) && dns_tag_find(facts->dmarc.text, name, &value);
    return is_found ? value : SLICE_NONE;
}

/* What holds for this domain: sp of one above it (RFC 7489 6.6.3). */
static struct slice policy_of(const struct health_facts *facts)
{
    struct slice sp = health_dmarc_tag(facts, SLICE("sp"));
    bool is_sub = facts->is_dmarc_inherited && sp.len > 0;
    return is_sub ? sp : health_dmarc_tag(facts, SLICE("p"));
}

/* How strict: 0 none, 1 quarantine, 2 reject; -1: no policy. */
static int strictness(struct slice policy)
{
    return slice_equal_nocase(policy, SLICE("none"))         ? 0
           : slice_equal_nocase(policy, SLICE("quarantine")) ? 1
           : slice_equal_nocase(policy, SLICE("reject"))     ? 2
                                                             : -1;
}

/* ---- where reports go ---- */

/* The domain of "mailto:local@domain!10m" (RFC 7489 6.2). */
static struct slice uri_domain(struct slice uri)
{
    static const char scheme[] = "mailto:";
    if (!slice_starts_nocase(uri, SLICE("mailto:"))) {
        return SLICE_NONE;
    }
    struct slice address = slice_sub(uri, sizeof scheme - 1, slice_find_byte(uri, '!', 0));
    size_t at = slice_find_last_byte(address, '@');
    return at > 0 && at + 1 < address.len ? slice_sub(address, at + 1, address.len) : SLICE_NONE;
}

static bool is_below(struct slice name, struct slice domain)
{
    return slice_equal_nocase(name, domain) ||
           (name.len > domain.len && slice_ends_nocase(name, domain) &&
            name.at[name.len - domain.len - 1] == '.');
}

static size_t add_domains(struct slice uris, struct slice domain,
                          char out[HEALTH_REPORTS_MAX][DNS_NAME_BYTES], size_t count)
{
    while (uris.at != NULL && count < HEALTH_REPORTS_MAX) {
        struct slice found = uri_domain(slice_trim(slice_cut(&uris, ',')));
        bool is_known = found.len == 0 || found.len >= DNS_NAME_BYTES || is_below(found, domain) ||
                        is_below(domain, found) || memchr(found.at, '\0', found.len) != NULL;
        for (size_t i = 0; i < count && !is_known; i++) {
            is_known = slice_equal_nocase(slice_of(out[i]), found);
        }
        if (!is_known) {
            for (size_t i = 0; i < found.len; i++) {
                out[count][i] = ascii_lower(found.at[i]);
            }
            out[count++][found.len] = '\0';
        }
    }
    return count;
}

size_t health_report_domains(struct slice dmarc, struct slice domain,
                             char out[HEALTH_REPORTS_MAX][DNS_NAME_BYTES])
{
    struct slice uris;
    size_t count = 0;
    if (dns_tag_find(dmarc, SLICE("rua"), &uris)) {
        count = add_domains(uris, domain, out, count);
    }
    if (dns_tag_find(dmarc, SLICE("ruf"), &uris)) {
        count = add_domains(uris, domain, out, count);
    }
    return count;
}

/* ---- checks ---- */

static void look_missing(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    bool is_absent = health_is_absent(facts->dmarc.kind) ||
                     (facts->dmarc.kind == DNS_ANSWER_RECORDS && facts->dmarc.count == 0);
    if (is_absent) {
        const char *policy = health_takes_no_mail(facts) ? "reject" : "quarantine";
        health_say(
            j, "publish a policy; p=none first, with reports, where you do not know who sends",
            health_text_of(j, "_dmarc.%s. IN TXT \"v=DMARC1; p=%s; rua=mailto:postmaster@%s\"",
                           facts->domain, policy, facts->domain),
            "%s has no DMARC policy", facts->domain);
    }
}

static void look_failing(struct health_judge *j)
{
    if (j->facts->dmarc.kind == DNS_ANSWER_ERROR) {
        health_say(j, "look at the name servers", NULL,
                   "the DMARC policy of %s cannot be found out: %s", j->facts->domain,
                   dns_failure_name(j->facts->dmarc.failure));
    }
}

static void look_several(struct health_judge *j)
{
    if (j->facts->dmarc.count > 1) {
        health_say(j, "keep one of them", NULL, "%s has %u DMARC records", j->facts->dmarc.name,
                   j->facts->dmarc.count);
    }
}

/* A tag's value as it should be; false where it is not there. */
static bool is_wrong(const struct health_facts *facts, struct slice name,
                     bool (*is_good)(struct slice value))
{
    struct slice value;
    return dns_tag_find(facts->dmarc.text, name, &value) && !is_good(value);
}

static bool is_policy_word(struct slice value)
{
    return strictness(value) >= 0;
}

static bool is_alignment(struct slice value)
{
    return slice_equal_nocase(value, SLICE("r")) || slice_equal_nocase(value, SLICE("s"));
}

static bool is_percentage(struct slice value)
{
    struct reader r = reader_over(value);
    uint64_t number;
    return reader_number(&r, 100, &number) && reader_is_done(&r);
}

static bool are_report_uris(struct slice value)
{
    while (value.at != NULL) {
        if (uri_domain(slice_trim(slice_cut(&value, ','))).len == 0) {
            return false;
        }
    }
    return true;
}

static void look_syntax(struct health_judge *j)
{
    static const struct {
        struct slice name;
        bool (*is_good)(struct slice value);
    } tags[] = {
        {SLICE_LITERAL("p"), is_policy_word},    {SLICE_LITERAL("sp"), is_policy_word},
        {SLICE_LITERAL("adkim"), is_alignment},  {SLICE_LITERAL("aspf"), is_alignment},
        {SLICE_LITERAL("pct"), is_percentage},   {SLICE_LITERAL("rua"), are_report_uris},
        {SLICE_LITERAL("ruf"), are_report_uris},
    };
    struct slice p;
    if (!has_policy(j->facts)) {
        return;
    }
    struct slice bad = dns_tags_bad(j->facts->dmarc.text);
    if (bad.len > 0) {
        health_say(j, "mend or remove it", NULL, "in the DMARC policy \"%.*s\" is no tag",
                   SLICE_ARG(slice_sub(bad, 0, 80)));
    }
    if (!dns_tag_find(j->facts->dmarc.text, SLICE("p"), &p)) {
        health_say(j, "add p=quarantine or p=reject behind v=DMARC1", NULL,
                   "the DMARC policy has no p");
    }
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (is_wrong(j->facts, tags[i].name, tags[i].is_good)) {
            struct slice value = health_dmarc_tag(j->facts, tags[i].name);
            health_say(j, "see RFC 7489 6.3 for what may stand there", NULL,
                       "in the DMARC policy %.*s has no such value: \"%.*s\"",
                       SLICE_ARG(tags[i].name), SLICE_ARG(slice_sub(value, 0, 80)));
        }
    }
}

static void look_none(struct health_judge *j)
{
    if (strictness(policy_of(j->facts)) == 0) {
        health_say(j,
                   "when the reports show that all your mail passes, ask for quarantine or reject",
                   NULL, "the DMARC policy asks receivers to do nothing (none)");
    }
}

static void look_partial(struct health_judge *j)
{
    struct slice pct = health_dmarc_tag(j->facts, SLICE("pct"));
    if (strictness(policy_of(j->facts)) > 0 && pct.len > 0 && is_percentage(pct) &&
        !slice_equal(pct, SLICE("100"))) {
        health_say(j, "take pct out", NULL, "the DMARC policy is for %.*s %% of the mail only",
                   SLICE_ARG(pct));
    }
}

static void look_subdomains(struct health_judge *j)
{
    struct slice p = health_dmarc_tag(j->facts, SLICE("p"));
    struct slice sp = health_dmarc_tag(j->facts, SLICE("sp"));
    if (!j->facts->is_dmarc_inherited && strictness(sp) >= 0 && strictness(sp) < strictness(p)) {
        health_say(j, "take sp out", NULL,
                   "the DMARC policy is weaker for names below the domain: sp=%.*s", SLICE_ARG(sp));
    }
}

static void look_reports(struct health_judge *j)
{
    if (has_policy(j->facts) && strictness(policy_of(j->facts)) >= 0 &&
        health_dmarc_tag(j->facts, SLICE("rua")).len == 0) {
        health_say(j, health_text_of(j, "add rua=mailto:postmaster@%s", j->facts->domain), NULL,
                   "the DMARC policy names no address for reports (rua)");
    }
}

static void look_permissions(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->report_count; i++) {
        const struct health_report_target *target = &j->facts->reports[i];
        if (target->permission.kind != DNS_ANSWER_ERROR &&
            target->permission.kind != DNS_ANSWER_OPEN && target->permission.count == 0) {
            health_say(j, "have the owner of that domain publish the record",
                       health_text_of(j, "%s. IN TXT \"v=DMARC1\"", target->permission.name),
                       "%s does not say that it takes DMARC reports about %s", target->domain,
                       j->facts->domain);
        }
    }
}

static const struct health_check checks[] = {
    {"dmarc_missing", HEALTH_DMARC, HEALTH_ERROR,
     "Nobody is told what to do with forged mail; large providers refuse bulk mail without DMARC.",
     look_missing},
    {"dmarc_failing", HEALTH_DMARC, HEALTH_ERROR,
     "Receivers put mail off, or act as if there were no policy.", look_failing},
    {"dmarc_several_records", HEALTH_DMARC, HEALTH_ERROR,
     "With two records none holds (RFC 7489 6.6.3).", look_several},
    {"dmarc_syntax", HEALTH_DMARC, HEALTH_ERROR,
     "Receivers skip what they cannot read, or the whole policy.", look_syntax},
    {"dmarc_none", HEALTH_DMARC, HEALTH_WARNING,
     "It only watches: forged mail is delivered as before.", look_none},
    {"dmarc_partial", HEALTH_DMARC, HEALTH_ADVICE,
     "The rest of forged mail gets the weaker treatment, and newer receivers ignore pct.",
     look_partial},
    {"dmarc_subdomains_weaker", HEALTH_DMARC, HEALTH_WARNING,
     "Forgers use names below the domain instead, also such as do not exist.", look_subdomains},
    {"dmarc_no_reports", HEALTH_DMARC, HEALTH_ADVICE,
     "Without reports you do not see who sends in your name, nor which of your mail fails.",
     look_reports},
    {"dmarc_report_not_permitted", HEALTH_DMARC, HEALTH_WARNING,
     "Receivers send no reports to another domain that does not ask for them (RFC 7489 7.1).",
     look_permissions},
};

const struct health_checks health_dmarc_checks = {checks, sizeof checks / sizeof *checks};
