/* verify/health_mx: checks of the mail servers: names, addresses, reverse names, whether they answer (RFC 5321 5.1,
 * 7505).
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/slice.h"
#include "dns/reverse.h"
#include "verify/health_private.h"

enum { SAME_NETWORK_V4 = 24, SAME_NETWORK_V6 = 48 };

static bool is_address_text(const char *name)
{
    struct ip ip;
    return ip_parse(slice_of(name), &ip);
}

/* A host whose addresses were asked for; the root of a null MX and addresses in place of names are none. */
static bool is_host(const struct health_mx *mx)
{
    return mx->host.name[0] != '\0' && !is_address_text(mx->host.name);
}

static void look_none(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    if (!health_is_absent(facts->mx_kind) || facts->is_implicit_mx) {
        return;
    }
    health_say(j, "name a mail server; where the domain should take no mail, say that instead: 0 .",
               health_text_of(j, "%s. IN MX 10 mail.%s.", facts->domain, facts->domain),
               "%s has no MX record and no address", facts->domain);
}

static void look_implicit(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    if (facts->is_implicit_mx) {
        health_say(j, "name the mail server",
                   health_text_of(j, "%s. IN MX 10 %s.", facts->domain, facts->domain),
                   "%s has no MX record; mail goes to the address of the name itself",
                   facts->domain);
    }
}

static void look_null_mixed(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    if (facts->has_null_mx && facts->mx_count > 1) {
        health_say(j, "take \"0 .\" out, or all others", NULL,
                   "beside the null MX (\"0 .\") there are other MX records");
    }
}

static void look_literal(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->mx_count; i++) {
        const struct health_mx *mx = &j->facts->mx[i];
        if (is_address_text(mx->host.name)) {
            health_say(j, "give the address a name, and name that",
                       health_text_of(j, "%s. IN MX %u mail.%s.", j->facts->domain, mx->preference,
                                      j->facts->domain),
                       "the MX record names an address, %s, where a host name belongs",
                       mx->host.name);
        }
    }
}

static void look_alias(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->mx_count; i++) {
        const struct health_mx *mx = &j->facts->mx[i];
        if (mx->host.is_alias && !j->facts->is_implicit_mx) {
            health_say(j, "name the host that the alias leads to", NULL,
                       "the mail server %s is an alias (CNAME)", mx->host.name);
        }
    }
}

static bool has_no_address(const struct health_host *host)
{
    return health_is_absent(host->kinds[FITNESS_V4]) && health_is_absent(host->kinds[FITNESS_V6]);
}

static void look_address(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->mx_count; i++) {
        const struct health_mx *mx = &j->facts->mx[i];
        if (is_host(mx) && has_no_address(&mx->host)) {
            health_say(j, "give it an address, or take it out of the MX records",
                       health_text_of(j, "%s. IN A 192.0.2.1", mx->host.name),
                       "the mail server %s has no address", mx->host.name);
        }
    }
}

static void look_address_failing(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->mx_count; i++) {
        const struct health_host *host = &j->facts->mx[i].host;
        if (host->address_count == 0 && (host->kinds[FITNESS_V4] == DNS_ANSWER_ERROR ||
                                         host->kinds[FITNESS_V6] == DNS_ANSWER_ERROR)) {
            health_say(j, "look at the name servers of its domain, and for a loop of aliases", NULL,
                       "the address of the mail server %s cannot be found out: %s", host->name,
                       dns_failure_name(host->failure));
        }
    }
}

typedef void (*address_fn)(struct health_judge *j, const struct health_host *host,
                           const struct health_address *address);

static void each_address(struct health_judge *j, address_fn fn)
{
    for (size_t i = 0; i < j->facts->mx_count; i++) {
        const struct health_host *host = &j->facts->mx[i].host;
        for (size_t k = 0; k < host->address_count; k++) {
            fn(j, host, host->addresses[k]);
        }
    }
}

static void say_private(struct health_judge *j, const struct health_host *host,
                        const struct health_address *address)
{
    char text[IP_TEXT_BYTES];
    if (address->is_special) {
        health_say(j, "give it its public address", NULL,
                   "the mail server %s has the address %s, which nobody outside can reach",
                   host->name, ip_format(&address->ip, text));
    }
}

static void look_private(struct health_judge *j)
{
    each_address(j, say_private);
}

static void say_no_reverse(struct health_judge *j, const struct health_host *host,
                           const struct health_address *address)
{
    char ip[IP_TEXT_BYTES];
    char name[DNS_NAME_BYTES];
    if (!address->is_special && health_is_absent(address->reverse) &&
        dns_pointer_name(&address->ip, name)) {
        health_say(j, "have whoever owns the address set its reverse name",
                   health_text_of(j, "%s. IN PTR %s.", name, host->name),
                   "%s (%s) has no reverse name", ip_format(&address->ip, ip), host->name);
    }
}

static void look_reverse(struct health_judge *j)
{
    each_address(j, say_no_reverse);
}

static void say_unconfirmed(struct health_judge *j, const struct health_host *host,
                            const struct health_address *address)
{
    char ip[IP_TEXT_BYTES];
    if (address->reverse == DNS_ANSWER_RECORDS && !address->is_confirmed) {
        health_say(j, "give that name this address, or set the reverse name to one that has it",
                   health_text_of(j, "%s. IN %s %s", address->reverse_name,
                                  address->ip.family == IP_V6 ? "AAAA" : "A",
                                  ip_format(&address->ip, ip)),
                   "the reverse name of %s (%s) is %s, which does not lead back to it",
                   ip_format(&address->ip, ip), host->name, address->reverse_name);
    }
}

static void look_unconfirmed(struct health_judge *j)
{
    each_address(j, say_unconfirmed);
}

static bool is_same_network(const struct ip *a, const struct ip *b)
{
    struct ip_net net = {.ip = *a, .bits = a->family == IP_V6 ? SAME_NETWORK_V6 : SAME_NETWORK_V4};
    return a->family == b->family && ip_net_contains(&net, b);
}

static void look_one_network(struct health_judge *j)
{
    const struct health_facts *facts = j->facts;
    const struct ip *first = NULL;
    char text[IP_TEXT_BYTES];
    for (size_t i = 0; i < facts->mx_count; i++) {
        const struct health_host *host = &facts->mx[i].host;
        if (host->kinds[FITNESS_V4] == DNS_ANSWER_ERROR ||
            host->kinds[FITNESS_V6] == DNS_ANSWER_ERROR) {
            return; /* it may be elsewhere */
        }
        for (size_t k = 0; k < host->address_count; k++) {
            first = first == NULL ? &host->addresses[k]->ip : first;
            if (!is_same_network(first, &host->addresses[k]->ip)) {
                return;
            }
        }
    }
    if (first != NULL) {
        health_say(j, "have a second mail server in another network", NULL,
                   "all mail servers are in the network around %s", ip_format(first, text));
    }
}

/* Mail servers with an address that was tried, and of them those that answered at one. */
static void count_ports(const struct health_facts *facts, unsigned *out_tried,
                        unsigned *out_answered)
{
    *out_tried = *out_answered = 0;
    for (size_t i = 0; i < facts->mx_count; i++) {
        const struct health_host *host = &facts->mx[i].host;
        bool is_tried = false;
        bool is_answered = false;
        for (size_t k = 0; k < host->address_count; k++) {
            is_tried |= host->addresses[k]->port != HEALTH_PORT_OPEN;
            is_answered |= host->addresses[k]->port == HEALTH_PORT_TALKED ||
                           host->addresses[k]->port == HEALTH_PORT_TURNED_AWAY;
        }
        *out_tried += is_tried ? 1 : 0;
        *out_answered += is_answered ? 1 : 0;
    }
}

static void look_none_answers(struct health_judge *j)
{
    unsigned tried;
    unsigned answered;
    count_ports(j->facts, &tried, &answered);
    if (tried > 0 && answered == 0) {
        health_say(j,
                   "see that the mail server runs and its firewall lets port 25 in; and that port "
                   "25 is open from here: heloise doctor",
                   NULL, "no mail server of %s talks to us on port %u", j->facts->domain,
                   j->facts->port);
    }
}

static void say_silent(struct health_judge *j, const struct health_host *host,
                       const struct health_address *address)
{
    char ip[IP_TEXT_BYTES];
    if (address->port == HEALTH_PORT_FAILED) {
        health_say(j, "start it, let port 25 in, or take its record away", NULL,
                   "the mail server %s [%s] does not talk to us: %s", host->name,
                   ip_format(&address->ip, ip), address->port_words);
    }
}

static void look_some_silent(struct health_judge *j)
{
    unsigned tried;
    unsigned answered;
    count_ports(j->facts, &tried, &answered);
    if (answered > 0) {
        each_address(j, say_silent);
    }
}

static void say_turned_away(struct health_judge *j, const struct health_host *host,
                            const struct health_address *address)
{
    char ip[IP_TEXT_BYTES];
    if (address->port == HEALTH_PORT_TURNED_AWAY) {
        health_say(j, "see whether this machine is fit to ask: heloise doctor", NULL,
                   "the mail server %s [%s] turns us away: %s", host->name,
                   ip_format(&address->ip, ip), address->port_words);
    }
}

static void look_turned_away(struct health_judge *j)
{
    each_address(j, say_turned_away);
}

static void say_plain(struct health_judge *j, const struct health_host *host,
                      const struct health_address *address)
{
    char ip[IP_TEXT_BYTES];
    if (address->port == HEALTH_PORT_TALKED && !address->has_starttls) {
        health_say(j, "give the server a certificate and switch STARTTLS on", NULL,
                   "the mail server %s [%s] does not offer STARTTLS", host->name,
                   ip_format(&address->ip, ip));
    }
}

static void look_plain(struct health_judge *j)
{
    each_address(j, say_plain);
}

static void look_double(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->mx_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(j->facts->mx[i].host.name, j->facts->mx[k].host.name) == 0) {
                health_say(j, "keep one of the records", NULL, "%s stands twice in the MX records",
                           j->facts->mx[i].host.name);
                return;
            }
        }
    }
}

static void look_many(struct health_judge *j)
{
    if (j->facts->mx_beyond > 0) {
        health_say(j, "a handful is enough", NULL, "there are %zu MX records",
                   j->facts->mx_count + j->facts->mx_beyond);
    }
}

static const struct health_check checks[] = {
    {"mx_missing", HEALTH_MX, HEALTH_CRITICAL, "Nobody can send mail to the domain.", look_none},
    {"mx_implicit", HEALTH_MX, HEALTH_WARNING,
     "Many senders take a domain without MX for one without mail; and a web server's address gets "
     "the mail.",
     look_implicit},
    {"mx_null_mixed", HEALTH_MX, HEALTH_ERROR,
     "A null MX says that no mail is taken, and must stand alone (RFC 7505 3); senders differ in "
     "what they do.",
     look_null_mixed},
    {"mx_is_address", HEALTH_MX, HEALTH_ERROR,
     "An MX record names a host (RFC 1035 3.3.9); most senders refuse an address.", look_literal},
    {"mx_is_alias", HEALTH_MX, HEALTH_WARNING,
     "RFC 5321 5.1 and RFC 2181 10.3 forbid it; some senders do not follow the alias.", look_alias},
    {"mx_without_address", HEALTH_MX, HEALTH_ERROR,
     "Senders lose time with it; where it is the only one, mail comes back.", look_address},
    {"mx_address_failing", HEALTH_MX, HEALTH_ERROR,
     "While the address cannot be found out, mail for this server waits.", look_address_failing},
    {"mx_private_address", HEALTH_MX, HEALTH_ERROR, "Senders connect to themselves or to nobody.",
     look_private},
    {"mx_without_reverse_name", HEALTH_MX, HEALTH_ADVICE,
     "Where the server sends as well, many receivers refuse a client without a reverse name.",
     look_reverse},
    {"mx_reverse_name_unconfirmed", HEALTH_MX, HEALTH_ADVICE,
     "Where the server sends as well, many receivers distrust a reverse name that does not lead "
     "back.",
     look_unconfirmed},
    {"mx_one_network", HEALTH_MX, HEALTH_ADVICE,
     "When that network is down no mail arrives; senders wait for hours or days.",
     look_one_network},
    {"mx_all_silent", HEALTH_MX, HEALTH_CRITICAL, "No mail arrives while none of them answers.",
     look_none_answers},
    {"mx_silent", HEALTH_MX, HEALTH_WARNING, "Senders lose time with it before they try others.",
     look_some_silent},
    {"mx_turns_away", HEALTH_MX, HEALTH_UNKNOWN, "What it offers to others could not be seen.",
     look_turned_away},
    {"mx_without_starttls", HEALTH_MX, HEALTH_WARNING,
     "Mail travels in the clear, and senders that insist on TLS do not deliver.", look_plain},
    {"mx_double", HEALTH_MX, HEALTH_ADVICE, "The second record does nothing.", look_double},
    {"mx_many", HEALTH_MX, HEALTH_ADVICE,
     "Senders look at some of them only, and the answer may not fit into one packet.", look_many},
};

const struct health_checks health_mx_checks = {checks, sizeof checks / sizeof *checks};
