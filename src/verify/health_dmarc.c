/* verify/health_dmarc: checks of the DMARC policy (RFC 7489 6.3, 7.1).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "verify/health_private.h"

enum { FINDING_BYTES_MAX = 80 /* of what is wrong, in a finding */ };

static bool is_state(const struct health_facts *facts, enum dmarc_search_state state)
{
    return facts->has_dmarc && facts->dmarc.state == state;
}

bool health_has_dmarc_record(const struct health_facts *facts)
{
    return is_state(facts, DMARC_SEARCH_FOUND) || is_state(facts, DMARC_SEARCH_BROKEN);
}

const char *health_dmarc_domain(const struct health_facts *facts)
{
    return facts->dmarc.is_organizational ? facts->dmarc.organizational : facts->dmarc.domain;
}

enum dmarc_policy health_dmarc_policy(const struct health_facts *facts)
{
    return is_state(facts, DMARC_SEARCH_FOUND) ? dmarc_policy_for(&facts->dmarc)
                                               : DMARC_POLICY_UNSET;
}

/* ---- checks ---- */

static void look_missing(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    if (is_state(facts, DMARC_SEARCH_NONE)) {
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
    if (is_state(j->facts, DMARC_SEARCH_FAILED)) {
        health_say(j, "look at the name servers", NULL,
                   "the DMARC policy of %s cannot be found out: %s", j->facts->domain,
                   dns_failure_name(j->facts->dmarc.failure));
    }
}

static void look_several(struct health_judge *j)
{
    if (is_state(j->facts, DMARC_SEARCH_SEVERAL)) {
        health_say(j, "keep one of them", NULL, "_dmarc.%s has several DMARC records",
                   health_dmarc_domain(j->facts));
    }
}

/* What a receiver cannot take as it stands. The rest are words in vain, which harm nothing: tags that are unknown or
 * that the revision of DMARC drops, and the place of p=, which the revision leaves open. */
static bool is_error(enum dmarc_finding_kind kind)
{
    return kind != DMARC_FINDING_UNKNOWN_TAG && kind != DMARC_FINDING_DROPPED_TAG &&
           kind != DMARC_FINDING_POLICY_PLACE;
}

static void look_syntax(struct health_judge *j)
{
    const struct dmarc_record *record = &j->facts->dmarc.record;
    for (size_t i = 0; health_has_dmarc_record(j->facts) && i < record->finding_count; i++) {
        const struct dmarc_finding *finding = &record->findings[i];
        if (is_error(finding->kind)) {
            health_say(j, "mend it; RFC 7489 6.3 has what may stand there", NULL,
                       finding->text.len == 0 ? "in the DMARC policy %s%.*s"
                                              : "in the DMARC policy %s: \"%.*s\"",
                       dmarc_finding_text(finding->kind),
                       SLICE_ARG(slice_sub(finding->text, 0, FINDING_BYTES_MAX)));
        }
    }
}

/* p=none is what receivers make of a policy that they cannot read (RFC 7489 6.6.3): look_syntax has told of that. */
static bool is_made_up(const struct dmarc_record *record)
{
    for (size_t i = 0; i < record->finding_count; i++) {
        enum dmarc_finding_kind kind = record->findings[i].kind;
        if (kind == DMARC_FINDING_NO_POLICY || kind == DMARC_FINDING_POLICY ||
            kind == DMARC_FINDING_SUBDOMAIN_POLICY) {
            return true;
        }
    }
    return false;
}

static void look_none(struct health_judge *j)
{
    if (health_dmarc_policy(j->facts) == DMARC_POLICY_NONE &&
        !is_made_up(&j->facts->dmarc.record)) {
        health_say(j,
                   "when the reports show that all your mail passes, ask for quarantine or reject",
                   NULL, "the DMARC policy asks receivers to do nothing (none)");
    }
}

static void look_partial(struct health_judge *j)
{
    unsigned percent = j->facts->dmarc.record.percent;
    if (health_dmarc_policy(j->facts) > DMARC_POLICY_NONE && percent < 100) {
        health_say(j, "take pct out", NULL, "the DMARC policy is for %u %% of the mail only",
                   percent);
    }
}

static void look_subdomains(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    const struct dmarc_record *record = &facts->dmarc.record;
    bool is_own = slice_equal_nocase(slice_of(facts->domain), slice_of(health_dmarc_domain(facts)));
    if (health_dmarc_policy(facts) != DMARC_POLICY_UNSET && is_own &&
        record->subdomain_policy != DMARC_POLICY_UNSET &&
        record->subdomain_policy < record->policy) {
        health_say(j, "take sp out", NULL,
                   "the DMARC policy is weaker for names below the domain: sp=%s",
                   dmarc_policy_name(record->subdomain_policy));
    }
}

static void look_reports(struct health_judge *j)
{
    if (health_dmarc_policy(j->facts) != DMARC_POLICY_UNSET &&
        j->facts->dmarc.record.aggregate_count == 0) {
        health_say(j, health_text_of(j, "add rua=mailto:postmaster@%s", j->facts->domain), NULL,
                   "the DMARC policy names no address for reports (rua)");
    }
}

static void look_permissions(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->report_count; i++) {
        const struct health_report_target *target = &j->facts->reports[i];
        if (target->kind != DNS_ANSWER_ERROR && target->kind != DNS_ANSWER_OPEN &&
            !target->is_authorised) {
            health_say(j, "have the owner of that domain publish the record",
                       health_text_of(j, "%s. IN TXT \"v=DMARC1\"", target->name),
                       "%s does not say that it takes DMARC reports about %s", target->domain,
                       health_dmarc_domain(j->facts));
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
