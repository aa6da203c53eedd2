/* verify/fitness_egress: one way out: its address and reverse name, the names it gives, whether it is let through,
 * whether mail comes back to it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/reader.h"
#include "base/slice.h"
#include "verify/fitness_private.h"

enum { NUMBERS_MAX = 16 };

static const char *family_name(const struct fitness_egress *egress,
                               const struct fitness_address *address)
{
    return address == &egress->addresses[FITNESS_V6] ? "IPv6" : "IPv4";
}

/* Nothing came, or nothing that says anything. */
static bool is_silence(enum dns_answer_kind kind)
{
    return kind == DNS_ANSWER_ERROR || kind == DNS_ANSWER_OPEN;
}

/* ---- the public address ---- */

/* What a far server sees is what counts. True: it sees something else. */
static bool is_contradicted(struct fitness_judge *j, const struct fitness_address *address,
                            const char *family)
{
    for (size_t i = 0; i < address->far_count; i++) {
        const struct fitness_far *far = &address->far[i];
        char ip[IP_TEXT_BYTES], seen[IP_TEXT_BYTES];
        if (far->seen.family != IP_NONE && address->public.family != IP_NONE &&
            !ip_equal(&far->seen, &address->public)) {
            fitness_add(j, FITNESS_PUBLIC_IP, FITNESS_MEND,
                        "the rest was looked up for the first; give the right one with --public-ip",
                        "the public %s address should be %s, and %s sees us as %s", family,
                        ip_format(&address->public, ip), far->host, ip_format(&far->seen, seen));
            return true;
        }
    }
    return false;
}

static void judge_public(struct fitness_judge *j, const struct fitness_address *address,
                         const char *family)
{
    char ip[IP_TEXT_BYTES], local[IP_TEXT_BYTES], here[IP_TEXT_BYTES + 32];
    bool is_behind = address->local.family == IP_NONE;
    (void)ip_format(&address->public, ip);
    (void)snprintf(here, sizeof here, "%s%s", is_behind ? "it is a proxy's" : "here it is ",
                   is_behind ? "" : ip_format(&address->local, local));
    if (is_contradicted(j, address, family)) {
        return;
    }
    switch (address->origin) {
    case FITNESS_ORIGIN_GIVEN:
        fitness_add(j, FITNESS_PUBLIC_IP, FITNESS_OK, NULL,
                    "the public %s address is %s, as you say", family, ip);
        return;
    case FITNESS_ORIGIN_OWN:
        fitness_add(j, FITNESS_PUBLIC_IP, FITNESS_OK, NULL, "the public %s address is %s", family,
                    ip);
        return;
    case FITNESS_ORIGIN_SEEN:
        fitness_add(j, FITNESS_PUBLIC_IP, FITNESS_OK, NULL,
                    "the public %s address is %s: so %s sees us; %s", family, ip, address->seen_by,
                    here);
        return;
    case FITNESS_ORIGIN_NONE: break;
    }
    fitness_add(
        j, FITNESS_PUBLIC_IP, FITNESS_UNKNOWN,
        "behind a proxy or a translating router it cannot be known from within; give it with "
        "--public-ip",
        "the public %s address is not known (%s), so its reverse name, SPF and block "
        "lists were not looked at",
        family, here);
}

/* ---- port 25 ---- */

static const char *words_of(const struct evidence *evidence)
{
    switch (evidence->kind) {
    case EVIDENCE_CONNECT_REFUSED: return "refused";
    case EVIDENCE_CONNECT_TIMEOUT: return "no answer";
    case EVIDENCE_LOCAL:
        return evidence->text[0] != '\0' ? evidence->text
                                         : "this machine cannot connect from there";
    case EVIDENCE_TIMEOUT: return "the line comes up, and nobody greets";
    case EVIDENCE_DISCONNECTED: return "the line comes up and is closed without a word";
    case EVIDENCE_PROTOCOL_ERROR: return "something answers that is no mail server";
    case EVIDENCE_REPLY:
    case EVIDENCE_TLS_FAILED:
    case EVIDENCE_UTF8_UNSUPPORTED:
    case EVIDENCE_SKIPPED: break;
    }
    return "refused";
}

static bool is_turned_away(const struct fitness_far *far)
{
    return far->state == FITNESS_FAR_FAILED && far->evidence.kind == EVIDENCE_REPLY;
}

/* A refusal in words is about us: the server answers others. */
static void add_refusal(struct fitness_judge *j, const struct fitness_far *far)
{
    const struct evidence *evidence = &far->evidence;
    fitness_add(j, FITNESS_PORT_25, evidence->code >= 500 ? FITNESS_MEND : FITNESS_ADVICE,
                "what it says is about this address or its names; mend those first",
                "%s turns us away: %u %.300s", far->host, (unsigned)evidence->code, evidence->text);
}

static void add_blocked(struct fitness_judge *j, const struct fitness_address *address,
                        const char *family)
{
    const struct fitness_far *shown = NULL;
    bool comes_up = false;
    bool is_open = false;
    for (size_t i = 0; i < address->far_count; i++) {
        const struct fitness_far *far = &address->far[i];
        bool has_line =
            far->state == FITNESS_FAR_FAILED && (far->evidence.kind == EVIDENCE_TIMEOUT ||
                                                 far->evidence.kind == EVIDENCE_DISCONNECTED ||
                                                 far->evidence.kind == EVIDENCE_PROTOCOL_ERROR);
        comes_up = comes_up || has_line;
        is_open = is_open || far->state == FITNESS_FAR_OPEN;
        if (far->state == FITNESS_FAR_FAILED && (shown == NULL || has_line)) {
            shown = far;
        }
    }
    if (shown == NULL && is_open) {
        fitness_add(j, FITNESS_PORT_25, FITNESS_UNKNOWN, "give it more time with --timeout",
                    "port 25 over %s: no mail server had answered when the time was over", family);
    } else if (shown == NULL) {
        fitness_add(j, FITNESS_PORT_25, FITNESS_UNKNOWN, "mend the resolver first",
                    "port 25 was not tried over %s: no mail server's address was found", family);
    } else if (comes_up) {
        fitness_add(j, FITNESS_PORT_25, FITNESS_MEND,
                    "something between takes the lines; run it from another network",
                    "no large provider greets us over %s (%s: %s)", family, shown->host,
                    words_of(&shown->evidence));
    } else {
        fitness_add(
            j, FITNESS_PORT_25, FITNESS_MEND,
            "ask the network's operator to open outgoing port 25, or run it elsewhere; until then "
            "--no-smtp checks syntax, lists and DNS",
            "port 25 is blocked from here over %s: no large provider's mail server can be reached "
            "(%s: %s)",
            family, shown->host, words_of(&shown->evidence));
    }
}

static void judge_port(struct fitness_judge *j, const struct fitness_address *address,
                       const char *family)
{
    size_t talked = 0;
    size_t turned_away = 0;
    size_t tried = 0;
    for (size_t i = 0; i < address->far_count; i++) {
        tried += address->far[i].state != FITNESS_FAR_NO_NAME;
        talked += address->far[i].state == FITNESS_FAR_TALKED;
        turned_away += is_turned_away(&address->far[i]);
    }
    if (talked > 0) {
        fitness_add(j, FITNESS_PORT_25, FITNESS_OK, NULL,
                    "port 25 is open over %s: %zu of %zu large providers talk to us", family,
                    talked, tried);
    } else if (turned_away == 0 && address->far_count > 0) {
        add_blocked(j, address, family);
    }
    for (size_t i = 0; i < address->far_count; i++) {
        if (is_turned_away(&address->far[i])) {
            add_refusal(j, &address->far[i]);
        }
    }
}

/* ---- the reverse name ---- */

/* The numbers that stand in a name, one after the other. */
static size_t numbers_in(const char *name, uint64_t out[NUMBERS_MAX])
{
    size_t count = 0;
    struct reader r = reader_over(slice_of(name));
    char byte;
    while (count < NUMBERS_MAX && !reader_is_done(&r)) {
        if (reader_number(&r, UINT32_MAX, &out[count])) {
            count++;
        } else if (!reader_byte(&r, &byte)) {
            break;
        }
    }
    return count;
}

/* Each number of the address is one of the name: a provider's table made it. */
static bool looks_generated(const char *name, const struct ip *ip)
{
    uint64_t numbers[NUMBERS_MAX];
    size_t count = numbers_in(name, numbers);
    size_t found = 0;
    for (size_t octet = 0; octet < 4 && ip->family == IP_V4; octet++) {
        size_t i = 0;
        while (i < count && numbers[i] != ip->bytes[octet]) {
            i++;
        }
        if (i < count) {
            numbers[i] = UINT64_MAX; /* stands for one octet only */
            found++;
        }
    }
    return found == 4;
}

static void judge_confirmed(struct fitness_judge *j, const struct fitness_egress *egress,
                            const struct fitness_address *address, const char *name)
{
    char ip[IP_TEXT_BYTES];
    (void)ip_format(&address->public, ip);
    if (looks_generated(name, &address->public)) {
        fitness_add(j, FITNESS_REVERSE_NAME, FITNESS_ADVICE,
                    "give it a name of your own, as mail servers have; many distrust such ones",
                    "the reverse name of %s is %s, which leads back, and looks like that of a "
                    "customer's line",
                    ip, name);
    } else if (egress->helo.len > 0 && !slice_equal_nocase(slice_of(name), egress->helo) &&
               egress->helo.at[0] != '[') {
        fitness_add(
            j, FITNESS_REVERSE_NAME, FITNESS_OK, NULL,
            "the reverse name of %s is %s and leads back; it is not the EHLO name, which few ask",
            ip, name);
    } else {
        fitness_add(j, FITNESS_REVERSE_NAME, FITNESS_OK, NULL,
                    "the reverse name of %s is %s and leads back", ip, name);
    }
}

static void judge_unconfirmed(struct fitness_judge *j, const struct fitness_address *address)
{
    char ip[IP_TEXT_BYTES];
    char hint[FITNESS_TEXT_BYTES];
    const struct fitness_reverse *first = &address->reverses[0];
    (void)ip_format(&address->public, ip);
    for (size_t i = 0; i < address->reverse_count; i++) {
        if (is_silence(address->reverses[i].forward)) {
            fitness_add(
                j, FITNESS_REVERSE_NAME, FITNESS_UNKNOWN, "try again",
                "the reverse name of %s is %s; the DNS gave no answer whether it leads back", ip,
                address->reverses[i].name);
            return;
        }
    }
    (void)snprintf(hint, sizeof hint, "in the DNS, give %s the %s record %s", first->name,
                   address->public.family == IP_V6 ? "AAAA" : "A", ip);
    fitness_add(j, FITNESS_REVERSE_NAME, FITNESS_MEND, hint,
                "the reverse name of %s is %s, which %s", ip, first->name,
                first->forward == DNS_ANSWER_RECORDS ? "leads to another address"
                                                     : "has no address");
}

static void judge_reverse(struct fitness_judge *j, const struct fitness_egress *egress,
                          const struct fitness_address *address)
{
    char ip[IP_TEXT_BYTES];
    (void)ip_format(&address->public, ip);
    if (is_silence(address->reverse)) {
        fitness_add(j, FITNESS_REVERSE_NAME, FITNESS_UNKNOWN, "try again",
                    "the DNS gave no answer about the reverse name of %s", ip);
        return;
    }
    if (address->reverse_count == 0) {
        fitness_add(j, FITNESS_REVERSE_NAME, FITNESS_MEND,
                    "have the provider of the address set its PTR record to the EHLO name",
                    "%s has no reverse name; many servers refuse all that comes from there", ip);
        return;
    }
    for (size_t i = 0; i < address->reverse_count; i++) {
        if (address->reverses[i].is_confirmed) {
            judge_confirmed(j, egress, address, address->reverses[i].name);
            return;
        }
    }
    judge_unconfirmed(j, address);
}

/* ---- the EHLO name ---- */

static bool leads_to(const struct fitness_egress *egress, const struct ip *ip)
{
    for (size_t i = 0; i < egress->helo_count; i++) {
        if (ip_equal(&egress->helo_ips[i], ip)) {
            return true;
        }
    }
    return false;
}

/* RFC 5321 4.1.3, 4.1.4 */
static void judge_literal(struct fitness_judge *j, const struct fitness_egress *egress)
{
    struct slice inside = slice_sub(egress->helo, 1, egress->helo.len - 1);
    struct ip ip;
    bool has_tag = slice_starts_nocase(inside, SLICE("ipv6:"));
    bool is_address = ip_parse(has_tag ? slice_sub(inside, 5, inside.len) : inside, &ip);
    bool is_ours = false;
    bool is_known = !is_address; /* nonsense is nobody's address */
    for (size_t i = 0; i < FITNESS_FAMILIES && is_address; i++) {
        is_ours = is_ours || ip_equal(&egress->addresses[i].public, &ip);
        is_known = is_known || egress->addresses[i].public.family == ip.family;
    }
    enum fitness_level level = is_ours ? FITNESS_ADVICE : is_known ? FITNESS_MEND : FITNESS_UNKNOWN;
    fitness_add(j, FITNESS_EHLO_NAME, level, "give the machine's full name with --helo",
                "the EHLO name %.*s is %s", SLICE_ARG(egress->helo),
                is_ours    ? "our address, where many servers want a name"
                : is_known ? "not our address"
                           : "an address, and whether it is ours is not known");
}

static bool is_unanswered(const struct fitness_egress *egress)
{
    for (size_t i = 0; i < FITNESS_FAMILIES; i++) {
        if (egress->addresses[i].is_used && is_silence(egress->helo_kind[i])) {
            return true;
        }
    }
    return false;
}

/* That the name leads to each of our addresses, and where else it leads. */
static void judge_helo_addresses(struct fitness_judge *j, const struct fitness_egress *egress)
{
    char first[IP_TEXT_BYTES];
    (void)ip_format(&egress->helo_ips[0], first);
    size_t known = 0;
    size_t missed = 0;
    for (size_t i = 0; i < FITNESS_FAMILIES; i++) {
        const struct ip *ip = &egress->addresses[i].public;
        char text[IP_TEXT_BYTES];
        char hint[FITNESS_TEXT_BYTES];
        known += ip->family != IP_NONE;
        if (ip->family == IP_NONE || leads_to(egress, ip)) {
            continue;
        }
        missed++;
        if (is_silence(egress->helo_kind[i])) {
            fitness_add(j, FITNESS_EHLO_NAME, FITNESS_UNKNOWN, "try again",
                        "the DNS gave no answer whether the EHLO name %.*s leads to us at %s",
                        SLICE_ARG(egress->helo), ip_format(ip, text));
            continue;
        }
        (void)snprintf(hint, sizeof hint,
                       "in the DNS, give it the %s record %s, or another name with --helo",
                       ip->family == IP_V6 ? "AAAA" : "A", ip_format(ip, text));
        fitness_add(j, FITNESS_EHLO_NAME, FITNESS_MEND, hint,
                    "the EHLO name %.*s leads to %s, not to us at %s", SLICE_ARG(egress->helo),
                    first, text);
    }
    if (missed == 0) {
        fitness_add(j, FITNESS_EHLO_NAME, FITNESS_OK, NULL, "the EHLO name %.*s leads to %s",
                    SLICE_ARG(egress->helo), known > 0 ? "us" : first);
    }
}

static void judge_helo(struct fitness_judge *j, const struct fitness_egress *egress)
{
    struct slice helo = egress->helo;
    if (helo.len == 0) {
        fitness_add(j, FITNESS_EHLO_NAME, FITNESS_MEND, "give a full name with --helo",
                    "this machine's name has no domain, and many servers refuse such an EHLO name");
    } else if (helo.at[0] == '[') {
        judge_literal(j, egress);
    } else if (slice_find_byte(helo, '.', 0) == helo.len) {
        fitness_add(j, FITNESS_EHLO_NAME, FITNESS_MEND, "give a full name with --helo",
                    "the EHLO name %.*s has no domain, and many servers refuse such a one",
                    SLICE_ARG(helo));
    } else if (egress->helo_count > 0) {
        judge_helo_addresses(j, egress);
    } else if (is_unanswered(egress)) {
        fitness_add(j, FITNESS_EHLO_NAME, FITNESS_UNKNOWN, "try again",
                    "the DNS gave no answer about the EHLO name %.*s", SLICE_ARG(helo));
    } else {
        fitness_add(
            j, FITNESS_EHLO_NAME, FITNESS_MEND,
            "give it address records, or another name with --helo",
            "the EHLO name %.*s has no address in the DNS, and many servers refuse such a one",
            SLICE_ARG(helo));
    }
}

/* ---- SPF ---- */

static void judge_spf(struct fitness_judge *j, const struct fitness_address *address,
                      const struct fitness_spf *spf, bool is_helo)
{
    if (!spf->is_asked) {
        return;
    }
    const struct spf_outcome *outcome = &spf->outcome;
    char ip[IP_TEXT_BYTES];
    char hint[FITNESS_TEXT_BYTES];
    const char *what = is_helo ? "the EHLO name" : "MAIL FROM's domain";
    (void)ip_format(&address->public, ip);
    (void)snprintf(hint, sizeof hint, "in the DNS, let the SPF record of %s allow %s:%s",
                   outcome->domain, address->public.family == IP_V6 ? "ip6" : "ip4", ip);
    switch (outcome->result) {
    case SPF_PASS:
        fitness_add(j, FITNESS_SPF, FITNESS_OK, NULL, "SPF of %s allows %s (%s)", what, ip,
                    outcome->term);
        return;
    case SPF_NONE:
        fitness_add(j, FITNESS_SPF, is_helo ? FITNESS_OK : FITNESS_ADVICE, is_helo ? NULL : hint,
                    "%s (%s) has no SPF record", what, outcome->domain);
        return;
    case SPF_NEUTRAL:
        fitness_add(j, FITNESS_SPF, FITNESS_ADVICE, hint, "SPF of %s says nothing of %s (%s)", what,
                    ip, outcome->term[0] == '\0' ? "no term matches" : outcome->term);
        return;
    case SPF_FAIL:
    case SPF_SOFTFAIL:
        fitness_add(j, FITNESS_SPF, FITNESS_MEND, hint, "SPF of %s does not allow %s: %s (%s)",
                    what, ip, spf_result_name(outcome->result), outcome->term);
        return;
    case SPF_PERMERROR:
        fitness_add(j, FITNESS_SPF, FITNESS_MEND,
                    "repair the record; others take it for none, or for a refusal",
                    "the SPF record of %s cannot be used: %s%s%s", outcome->domain,
                    spf_fault_text(outcome->fault), outcome->term[0] == '\0' ? "" : ": ",
                    outcome->term);
        return;
    case SPF_TEMPERROR: break;
    }
    fitness_add(j, FITNESS_SPF, FITNESS_UNKNOWN, "try again", "SPF of %s (%s): %s", what,
                outcome->domain, spf_fault_text(outcome->fault));
}

/* ---- bounces ---- */

static void judge_mail_from(struct fitness_judge *j, const struct fitness_egress *egress)
{
    if (egress->mail_from.len == 0) {
        fitness_add(j, FITNESS_MAIL_FROM, FITNESS_ADVICE, "give an address of yours with --from",
                    "only the null sender is given in MAIL FROM, which some servers answer worse");
        return;
    }
    if (egress->bounces == NULL || egress->bounces->status == ROUTE_DNS_ERROR) {
        fitness_add(j, FITNESS_MAIL_FROM, FITNESS_UNKNOWN, "try again",
                    "the DNS gave no answer about the domain of MAIL FROM %.*s",
                    SLICE_ARG(egress->mail_from));
        return;
    }
    if (egress->bounces->status == ROUTE_OK && slice_ends(egress->mail_from, SLICE("]"))) {
        fitness_add(
            j, FITNESS_MAIL_FROM, FITNESS_ADVICE, "give an address with a domain with --from",
            "MAIL FROM %.*s names an address in place of a domain, which many servers refuse",
            SLICE_ARG(egress->mail_from));
        return;
    }
    if (egress->bounces->status == ROUTE_OK) {
        fitness_add(j, FITNESS_MAIL_FROM, FITNESS_OK, NULL,
                    "the domain of MAIL FROM %.*s takes mail (%s%s)", SLICE_ARG(egress->mail_from),
                    egress->bounces->exchangers[0].host,
                    egress->bounces->is_implicit_mx ? ", without MX" : "");
        return;
    }
    const char *why = egress->bounces->status == ROUTE_NOT_FOUND ? "does not exist"
                      : egress->bounces->status == ROUTE_NULL_MX
                          ? "says that it takes no mail (null MX)"
                      : egress->bounces->status == ROUTE_NO_HOST
                          ? "has no mail server"
                          : "has mail servers at addresses only that are not public";
    fitness_add(
        j, FITNESS_MAIL_FROM, FITNESS_MEND,
        "give it an MX record, or another address with --from; many servers refuse a sender to "
        "whom nothing can be returned",
        "the domain of MAIL FROM %.*s %s", SLICE_ARG(egress->mail_from), why);
}

static void judge_mailbox(struct fitness_judge *j, const struct fitness_egress *egress)
{
    const struct evidence *evidence = &egress->mailbox;
    if (!egress->has_mailbox) {
        return;
    }
    bool is_reply = evidence->kind == EVIDENCE_REPLY;
    if (is_reply && evidence->stage == HEL_SMTP_RCPT && evidence->code < 300) {
        fitness_add(j, FITNESS_BOUNCE, FITNESS_OK, NULL, "%.*s takes bounces: %u %.200s",
                    SLICE_ARG(egress->mail_from), (unsigned)evidence->code, evidence->text);
    } else if (is_reply && evidence->stage == HEL_SMTP_RCPT && evidence->code >= 500 &&
               evidence->class.scope != SCOPE_US) {
        fitness_add(j, FITNESS_BOUNCE, FITNESS_MEND,
                    "make the mailbox, or give another address with --from",
                    "%.*s takes no bounces: %u %.300s", SLICE_ARG(egress->mail_from),
                    (unsigned)evidence->code, evidence->text);
    } else if (is_reply) {
        fitness_add(j, FITNESS_BOUNCE, FITNESS_UNKNOWN, "try again later, or from elsewhere",
                    "whether %.*s takes bounces is not known: %u %.300s",
                    SLICE_ARG(egress->mail_from), (unsigned)evidence->code, evidence->text);
    } else {
        fitness_add(j, FITNESS_BOUNCE, FITNESS_UNKNOWN, "try again later, or from elsewhere",
                    "whether %.*s takes bounces is not known: %s", SLICE_ARG(egress->mail_from),
                    words_of(evidence));
    }
}

static void judge_domains(struct fitness_judge *j, const struct fitness_egress *egress)
{
    static const char *const what[] = {"the EHLO name", "MAIL FROM's domain"};
    for (size_t i = 0; i < 2; i++) {
        const struct fitness_name *domain = &egress->domains[i];
        char text[DNS_NAME_BYTES + 32];
        if (domain->name.len > 0) {
            (void)snprintf(text, sizeof text, "%s %.*s", what[i], SLICE_ARG(domain->name));
            fitness_judge_listings(j, FITNESS_DOMAIN, slice_of(text), domain->listings);
        }
    }
}

static void judge_address(struct fitness_judge *j, const struct fitness_egress *egress,
                          size_t family)
{
    const struct fitness_address *address = &egress->addresses[family];
    if (!address->is_used) {
        return;
    }
    char ip[IP_TEXT_BYTES];
    const char *name = family_name(egress, address);
    j->ip = address->public;
    judge_port(j, address, name);
    judge_public(j, address, name);
    if (address->public.family != IP_NONE) {
        judge_reverse(j, egress, address);
        judge_spf(j, address, &address->mail_from, false);
        judge_spf(j, address, &address->helo, true);
        fitness_judge_listings(j, family == FITNESS_V6 ? FITNESS_ADDRESS_V6 : FITNESS_ADDRESS_V4,
                               slice_of(ip_format(&address->public, ip)), address->listings);
    }
    j->ip = (struct ip){0};
}

void fitness_judge_egress(struct fitness_judge *j, const struct fitness_egress *egress)
{
    bool is_used = false;
    for (size_t i = 0; i < FITNESS_FAMILIES; i++) {
        is_used = is_used || egress->addresses[i].is_used;
        judge_address(j, egress, i);
    }
    if (egress->obstacle != NULL) {
        fitness_add(j, FITNESS_PORT_25, FITNESS_MEND, NULL, "%s", egress->obstacle);
    } else if (!is_used) {
        fitness_add(j, FITNESS_PUBLIC_IP, FITNESS_MEND,
                    "connect this machine, or give a --source that has a way out",
                    "this machine has no route into the internet");
    }
    judge_helo(j, egress);
    judge_mail_from(j, egress);
    judge_mailbox(j, egress);
    judge_domains(j, egress);
}
