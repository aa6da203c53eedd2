/* verify/health_lists: checks of block lists and of the domain's age. What a list says is believed only where its test
 * points are as they must be (RFC 5782 5).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "verify/health_private.h"

enum { YOUNG_DAYS = 30 };

static const int64_t day_ms = 86400000;

static unsigned subject_of(const struct ip *ip)
{
    return ip->family == IP_V6 ? FITNESS_ADDRESS_V6 : FITNESS_ADDRESS_V4;
}

static bool is_listed(const struct fitness_listing *listing)
{
    return listing->kind == DNS_ANSWER_RECORDS && listing->word.meaning == BLOCKLIST_LISTED;
}

/* It knows its test point and does not know everything. */
static bool is_believed(const struct health_facts *facts, size_t list, unsigned subject)
{
    const struct fitness_list_test *test = &facts->tests[list][subject];
    return is_listed(&test->listed) && !is_listed(&test->clean);
}

static void say_listings(struct health_judge *j, bool is_heavy, unsigned subject, const char *what,
                         const struct fitness_listing *listings)
{
    for (size_t i = 0; i < blocklist_count(j->facts->lists); i++) {
        const struct blocklist *list = blocklist_at(j->facts->lists, i);
        if (list->is_heavy != is_heavy || !is_listed(&listings[i]) ||
            !is_believed(j->facts, i, subject)) {
            continue;
        }
        struct slice word = listings[i].word.text;
        health_say(j,
                   health_text_of(j, "mend what led to it, then have it removed: %.*s",
                                  SLICE_ARG(list->page)),
                   NULL, "%s is on %.*s%s%.*s", what, SLICE_ARG(list->label),
                   word.len > 0 ? ": " : "", SLICE_ARG(word));
    }
}

static void say_all(struct health_judge *j, bool is_heavy)
{
    const struct health_facts *facts = j->facts;
    if (facts->lists == NULL) {
        return;
    }
    say_listings(j, is_heavy, FITNESS_DOMAIN, facts->domain, facts->listings);
    for (size_t i = 0; i < facts->mx_count; i++) {
        const struct health_host *host = &facts->mx[i].host;
        for (size_t k = 0; k < host->address_count; k++) {
            const struct ip *ip = &host->addresses[k]->ip;
            char text[IP_TEXT_BYTES];
            say_listings(
                j, is_heavy, subject_of(ip),
                health_text_of(j, "the mail server %s [%s]", host->name, ip_format(ip, text)),
                host->addresses[k]->listings);
        }
    }
    for (size_t i = 0; i < facts->egress_count; i++) {
        const struct health_address *address = facts->egresses[i].address;
        char text[IP_TEXT_BYTES];
        say_listings(j, is_heavy, subject_of(&address->ip),
                     health_text_of(j, "the egress %s", ip_format(&address->ip, text)),
                     address->listings);
    }
}

static void look_heavy(struct health_judge *j)
{
    say_all(j, true);
}

static void look_light(struct health_judge *j)
{
    say_all(j, false);
}

/* One word for each list that was asked and cannot be believed. */
static void look_refusing(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    size_t count = facts->lists == NULL ? 0 : blocklist_count(facts->lists);
    for (size_t i = 0; i < count; i++) {
        for (unsigned subject = 0; subject < FITNESS_SUBJECTS; subject++) {
            const struct fitness_list_test *test = &facts->tests[i][subject];
            const struct blocklist *list = blocklist_at(facts->lists, i);
            if (test->listed.kind == DNS_ANSWER_OPEN || is_believed(facts, i, subject)) {
                continue;
            }
            const char *why = is_listed(&test->clean)                 ? "lists everybody"
                              : test->listed.kind == DNS_ANSWER_ERROR ? "gives no answer"
                                                                      : "refuses this resolver";
            struct slice word = test->listed.word.text;
            health_say(j, "ask through a resolver of your own: --resolver", NULL, "%.*s %s%s%.*s",
                       SLICE_ARG(list->label), why, word.len > 0 ? ": " : "", SLICE_ARG(word));
            break;
        }
    }
}

static void look_egress_reverse(struct health_judge *j)
{
    char ip[IP_TEXT_BYTES];
    for (size_t i = 0; i < j->facts->egress_count; i++) {
        const struct health_address *address = j->facts->egresses[i].address;
        ip_format(&address->ip, ip);
        if (health_is_absent(address->reverse)) {
            health_say(j, "have whoever owns the address set its reverse name", NULL,
                       "mail leaves from %s, which has no reverse name", ip);
        } else if (address->reverse == DNS_ANSWER_RECORDS && !address->is_confirmed) {
            health_say(j, "give that name this address", NULL,
                       "mail leaves from %s, whose reverse name %s does not lead back to it", ip,
                       address->reverse_name);
        }
    }
}

static void look_young(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    int64_t age_days = facts->wall_ms / day_ms - (int64_t)facts->registered_day;
    if (facts->age == HEALTH_AGE_KNOWN && age_days < YOUNG_DAYS) {
        health_say(j, "send little, and let it grow", NULL, "%s was registered %d days ago",
                   facts->domain, (int)(age_days < 0 ? 0 : age_days));
    }
}

static const struct health_check checks[] = {
    {"listed", HEALTH_LISTS, HEALTH_ERROR, "Many servers refuse mail because of this list alone.",
     look_heavy},
    {"listed_light", HEALTH_LISTS, HEALTH_WARNING,
     "Some servers count it against mail; few refuse because of it alone.", look_light},
    {"list_refuses", HEALTH_LISTS, HEALTH_UNKNOWN,
     "Whether the list has an entry is not known; no answer is not a clean one.", look_refusing},
    {"egress_reverse_name", HEALTH_LISTS, HEALTH_ERROR,
     "Large providers refuse mail from an address whose reverse name does not lead back.",
     look_egress_reverse},
    {"domain_young", HEALTH_LISTS, HEALTH_ADVICE,
     "Receivers distrust domains of less than a month.", look_young},
};

const struct health_checks health_list_checks = {checks, sizeof checks / sizeof *checks};
