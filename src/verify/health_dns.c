/* verify/health_dns: checks of the domain itself and its name servers (RFC 1034, 1912, 2182).
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/slice.h"
#include "verify/health_private.h"

static void look_absent(struct health_judge *j)
{
    if (j->facts->soa == DNS_ANSWER_NOT_FOUND) {
        health_say(j, "register the domain, or mend its delegation at the registrar", NULL,
                   "%s does not exist", j->facts->domain);
    }
}

static void look_failing(struct health_judge *j)
{
    if (j->facts->soa == DNS_ANSWER_ERROR) {
        health_say(
            j,
            "ask again with another resolver (--resolver); where that fails too, look at the "
            "name servers and the DNSSEC signatures",
            NULL, "the resolver gives no answer about %s: %s", j->facts->domain,
            dns_failure_name(j->facts->failure));
    }
}

static void look_single(struct health_judge *j)
{
    if (j->facts->ns_kind == DNS_ANSWER_RECORDS && j->facts->ns_count == 1) {
        health_say(j, "have the zone served by a second name server elsewhere",
                   health_text_of(j, "%s. IN NS ns2.example.net.", j->facts->domain),
                   "there is one name server: %s", j->facts->ns[0].host.name);
    }
}

static void look_ns_alias(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->ns_count; i++) {
        const struct health_host *host = &j->facts->ns[i].host;
        if (host->is_alias) {
            health_say(j, "name the host that the alias leads to", NULL,
                       "the name server %s is an alias (CNAME)", host->name);
        }
    }
}

static void look_ns_address(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->ns_count; i++) {
        const struct health_host *host = &j->facts->ns[i].host;
        if (health_is_absent(host->kinds[FITNESS_V4]) &&
            health_is_absent(host->kinds[FITNESS_V6])) {
            health_say(j, "give it an address record, or take it out of the NS records", NULL,
                       "the name server %s has no address", host->name);
        }
    }
}

static void look_ns_silent(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->ns_count; i++) {
        if (j->facts->ns[i].state == HEALTH_NS_SILENT) {
            health_say(j, "start it, open port 53 over TCP, or take it out of the NS records", NULL,
                       "the name server %s does not answer over TCP", j->facts->ns[i].host.name);
        }
    }
}

static void look_ns_lame(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->ns_count; i++) {
        if (j->facts->ns[i].state == HEALTH_NS_LAME) {
            health_say(j, "set the zone up there, or take it out of the NS records", NULL,
                       "the name server %s has no authority for %s", j->facts->ns[i].host.name,
                       j->facts->domain);
        }
    }
}

static void look_ns_serials(struct health_judge *j)
{
    const struct health_ns *first = NULL;
    for (size_t i = 0; i < j->facts->ns_count; i++) {
        const struct health_ns *ns = &j->facts->ns[i];
        if (ns->state != HEALTH_NS_ANSWERED) {
            continue;
        }
        first = first == NULL ? ns : first;
        if (ns->serial != first->serial) {
            health_say(j, "mend the zone transfer; right after a change, ask again in some minutes",
                       NULL, "%s has serial %u and %s has %u", first->host.name, first->serial,
                       ns->host.name, ns->serial);
            return;
        }
    }
}

static void look_mx_failing(struct health_judge *j)
{
    if (j->facts->mx_kind == DNS_ANSWER_ERROR && j->facts->soa != DNS_ANSWER_ERROR) {
        health_say(j, "ask again later, or with another resolver (--resolver)", NULL,
                   "the MX records of %s cannot be found out: %s", j->facts->domain,
                   dns_failure_name(j->facts->mx_failure));
    }
}

static void look_partial(struct health_judge *j)
{
    if (j->facts->is_partial) {
        health_say(j, "ask again, with more time: --timeout", NULL,
                   "the time was over before all questions about %s were answered",
                   j->facts->domain);
    }
}

static const struct health_check checks[] = {
    {"not_all_answered", HEALTH_DNS, HEALTH_UNKNOWN,
     "What was not answered may hide faults that are not named here.", look_partial},
    {"domain_not_found", HEALTH_DNS, HEALTH_CRITICAL,
     "Mail to the domain comes back at once, and mail from it is refused.", look_absent},
    {"domain_failing", HEALTH_DNS, HEALTH_CRITICAL,
     "Servers that get no answer keep mail waiting and give it up in the end.", look_failing},
    {"mx_failing", HEALTH_DNS, HEALTH_CRITICAL,
     "Without an answer nobody knows where mail goes; senders wait, then give up.",
     look_mx_failing},
    {"ns_single", HEALTH_DNS, HEALTH_WARNING,
     "When the only name server is down the domain is gone; RFC 2182 5 asks for two at least.",
     look_single},
    {"ns_is_alias", HEALTH_DNS, HEALTH_WARNING,
     "RFC 2181 10.3 forbids it; some resolvers will not find the domain.", look_ns_alias},
    {"ns_without_address", HEALTH_DNS, HEALTH_ERROR,
     "Resolvers lose time with it, or find no name server at all.", look_ns_address},
    {"ns_silent", HEALTH_DNS, HEALTH_ERROR,
     "Resolvers wait for it in vain; long answers, which need TCP (RFC 7766), are lost.",
     look_ns_silent},
    {"ns_lame", HEALTH_DNS, HEALTH_ERROR,
     "It tells resolvers that it does not know the domain, which then seems to fail at random.",
     look_ns_lame},
    {"ns_serials_differ", HEALTH_DNS, HEALTH_WARNING,
     "Who asks gets an old or a new answer by chance.", look_ns_serials},
};

const struct health_checks health_dns_checks = {checks, sizeof checks / sizeof *checks};
