/* engine/doctor: what is asked, and what follows from the answers. The far servers come first: behind a
 * translating router only they know our address, on which all else depends.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "dns/reverse.h"
#include "engine/doctor_private.h"

enum { LIMIT_MS = 60000, INVENTED_LETTERS = 20 };

/* Exchangers that have stood at the same name for years; any provider with many would do. */
static const char *const far_hosts[FITNESS_FAR_MAX] = {"gmail-smtp-in.l.google.com",
                                                       "mx01.mail.icloud.com", "mx00.gmx.net"};

static void start_address(struct doctor *doctor, const struct doctor_about *about);

static void finish(struct doctor *doctor)
{
    if (doctor->is_over) {
        return;
    }
    doctor->is_over = true;
    door_timer_stop(doctor->door, &doctor->limit);
    doctor_drop_talks(doctor);
    doctor_drop_queries(doctor);
    if (doctor->config.done != NULL) {
        doctor->config.done(doctor->config.context);
    }
}

void doctor_one_over(struct doctor *doctor)
{
    doctor->open--;
    if (doctor->open == 0) {
        finish(doctor);
    }
}

static void on_query_over(void *owner)
{
    doctor_one_over(owner);
}

static void on_limit(void *context)
{
    finish(context);
}

bool doctor_may_contact(const struct doctor *doctor, const struct ip *ip)
{
    for (size_t i = 0; i < doctor->config.allowed_net_count; i++) {
        if (ip_net_contains(&doctor->config.allowed_nets[i], ip)) {
            return true;
        }
    }
    return !ip_is_special(ip);
}

static enum dns_type type_of(size_t family)
{
    return family == FITNESS_V6 ? DNS_AAAA : DNS_A;
}

/* ---- the resolver ---- */

static void on_invented(struct doctor *doctor, const struct doctor_about *about,
                        const struct dns_answer *answer)
{
    (void)about;
    struct fitness_machine *machine = &doctor->facts.machine;
    const struct dns_record *record = dns_answer_next(answer, NULL);
    machine->invented = answer->kind;
    if (record != NULL) {
        machine->invented_ip = record->ip;
    }
}

static void ask_invented(struct doctor *doctor)
{
    char name[INVENTED_LETTERS + 5];
    uint8_t bytes[INVENTED_LETTERS];
    const struct doctor_about about = {0};
    door_random_bytes(doctor->door, bytes, sizeof bytes);
    for (size_t i = 0; i < INVENTED_LETTERS; i++) {
        name[i] = (char)('a' + bytes[i] % 26);
    }
    memcpy(name + INVENTED_LETTERS, ".com", 5);
    doctor_ask(doctor, slice_of(name), DNS_A, on_invented, &about);
}

/* ---- block lists ---- */

/* The weightiest of all addresses in an answer. */
static void read_listing(const struct blocklist *list, const struct dns_answer *answer,
                         struct fitness_listing *out)
{
    *out = (struct fitness_listing){.kind = answer->kind};
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        struct blocklist_word word = blocklist_read(list, &record->ip);
        if (word.meaning > out->word.meaning) {
            out->word = word;
        }
    }
}

static void on_test_listed(struct doctor *doctor, const struct doctor_about *about,
                           const struct dns_answer *answer)
{
    read_listing(blocklist_at(doctor->config.lists, about->index), answer,
                 &doctor->facts.tests[about->index][about->subject].listed);
}

static void on_test_clean(struct doctor *doctor, const struct doctor_about *about,
                          const struct dns_answer *answer)
{
    read_listing(blocklist_at(doctor->config.lists, about->index), answer,
                 &doctor->facts.tests[about->index][about->subject].clean);
}

static void on_address_listing(struct doctor *doctor, const struct doctor_about *about,
                               const struct dns_answer *answer)
{
    read_listing(blocklist_at(doctor->config.lists, about->index), answer,
                 &doctor_address(doctor, about)->listings[about->index]);
}

static void on_domain_listing(struct doctor *doctor, const struct doctor_about *about,
                              const struct dns_answer *answer)
{
    struct fitness_egress *egress = &doctor->facts.egresses[about->egress];
    read_listing(blocklist_at(doctor->config.lists, about->index), answer,
                 &egress->domains[about->family].listings[about->index]);
}

static void ask_list_address(struct doctor *doctor, const struct blocklist *list,
                             const struct ip *ip, doctor_answer_fn fn,
                             const struct doctor_about *about)
{
    char name[DNS_NAME_BYTES];
    if (dns_reverse_name(ip, list->zone, name)) {
        doctor_ask(doctor, slice_of(name), DNS_A, fn, about);
    }
}

static void ask_list_domain(struct doctor *doctor, const struct blocklist *list,
                            struct slice domain, doctor_answer_fn fn,
                            const struct doctor_about *about)
{
    char name[DNS_NAME_BYTES];
    if (domain.len + 1 + list->zone.len >= sizeof name) {
        return;
    }
    memcpy(name, domain.at, domain.len);
    name[domain.len] = '.';
    memcpy(name + domain.len + 1, list->zone.at, list->zone.len);
    size_t len = domain.len + 1 + list->zone.len;
    doctor_ask(doctor, slice_make(name, len), DNS_A, fn, about);
}

/* RFC 5782 5 */
static void ask_list_tests(struct doctor *doctor, const struct blocklist *list,
                           const struct doctor_about *about)
{
    static const char *const points[][2] = {{"127.0.0.2", "127.0.0.1"},
                                            {"::ffff:7f00:2", "::ffff:7f00:1"}};
    if (about->subject == FITNESS_DOMAIN) {
        ask_list_domain(doctor, list, list->test, on_test_listed, about);
        ask_list_domain(doctor, list, SLICE("invalid"), on_test_clean, about);
        return;
    }
    struct ip listed, clean;
    must(ip_parse(slice_of(points[about->subject][0]), &listed));
    must(ip_parse(slice_of(points[about->subject][1]), &clean));
    ask_list_address(doctor, list, &listed, on_test_listed, about);
    ask_list_address(doctor, list, &clean, on_test_clean, about);
}

/* domain is empty for addresses. */
static void ask_lists(struct doctor *doctor, struct doctor_about about, struct slice domain)
{
    static const unsigned subjects[FITNESS_SUBJECTS] = {BLOCKLIST_IPV4, BLOCKLIST_IPV6,
                                                        BLOCKLIST_DOMAIN};
    const struct blocklist_book *book = doctor->config.lists;
    bool is_tested = doctor->is_list_tested[about.subject];
    doctor->is_list_tested[about.subject] = true;
    for (size_t i = 0; book != NULL && i < blocklist_count(book); i++) {
        const struct blocklist *list = blocklist_at(book, i);
        about.index = i;
        if ((list->subjects & subjects[about.subject]) == 0) {
            continue;
        }
        if (!is_tested) {
            ask_list_tests(doctor, list, &about);
        }
        if (about.subject == FITNESS_DOMAIN) {
            ask_list_domain(doctor, list, domain, on_domain_listing, &about);
        } else {
            ask_list_address(doctor, list, &doctor_address(doctor, &about)->public,
                             on_address_listing, &about);
        }
    }
}

/* ---- an address that is known ---- */

static void on_forward(struct doctor *doctor, const struct doctor_about *about,
                       const struct dns_answer *answer)
{
    struct fitness_address *address = doctor_address(doctor, about);
    struct fitness_reverse *reverse = &address->reverses[about->index];
    reverse->forward = answer->kind;
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        reverse->is_confirmed = reverse->is_confirmed || ip_equal(&record->ip, &address->public);
    }
}

static void on_reverse(struct doctor *doctor, const struct doctor_about *about,
                       const struct dns_answer *answer)
{
    struct fitness_address *address = doctor_address(doctor, about);
    struct doctor_about forward = *about;
    address->reverse = answer->kind;
    for (const struct dns_record *record = dns_answer_next(answer, NULL);
         record != NULL && address->reverse_count < FITNESS_NAMES_MAX;
         record = dns_answer_next(answer, record)) {
        forward.index = address->reverse_count++;
        memcpy(address->reverses[forward.index].name, record->target, DNS_NAME_BYTES);
        doctor_ask(doctor, slice_of(record->target), (uint16_t)type_of(about->family), on_forward,
                   &forward);
    }
}

/* Of several labels, and no address literal. */
static bool is_name(struct slice text)
{
    return text.len > 0 && text.at[0] != '[' && slice_find_byte(text, '.', 0) < text.len;
}

static void start_address(struct doctor *doctor, const struct doctor_about *about)
{
    const struct fitness_egress *egress = &doctor->facts.egresses[about->egress];
    struct doctor_about lists = *about;
    char name[DNS_NAME_BYTES];
    must(dns_pointer_name(&doctor_address(doctor, about)->public, name));
    doctor_ask(doctor, slice_of(name), DNS_PTR, on_reverse, about);
    if (is_name(doctor_domain_of(egress->mail_from))) {
        doctor_ask_spf(doctor, about, false);
    }
    if (is_name(egress->helo)) {
        doctor_ask_spf(doctor, about, true);
    }
    lists.subject = about->family == FITNESS_V6 ? FITNESS_ADDRESS_V6 : FITNESS_ADDRESS_V4;
    ask_lists(doctor, lists, SLICE_NONE);
}

/* ---- far servers ---- */

/* When all of them are over, what they see of us settles an address that nobody knew. */
void doctor_far_over(struct doctor *doctor, const struct doctor_about *about)
{
    struct fitness_address *address = doctor_address(doctor, about);
    for (size_t i = 0; i < address->far_count; i++) {
        if (address->far[i].state == FITNESS_FAR_OPEN) {
            return;
        }
    }
    for (size_t i = 0; i < address->far_count && address->public.family == IP_NONE; i++) {
        if (address->far[i].seen.family != IP_NONE) {
            address->public = address->far[i].seen;
            address->origin = FITNESS_ORIGIN_SEEN;
            address->seen_by = address->far[i].host;
            if (!doctor->config.only_port) {
                start_address(doctor, about);
            }
        }
    }
}

/* The same server for all egresses of the family. */
static void on_far_address(struct doctor *doctor, const struct doctor_about *about,
                           const struct dns_answer *answer)
{
    struct doctor_far *far = &doctor->far[about->index];
    struct exchanger *exchanger = &far->exchangers[about->family];
    struct fitness_machine *machine = &doctor->facts.machine;
    if (about->family == FITNESS_V4 && machine->resolver != DNS_ANSWER_RECORDS) {
        machine->resolver = answer->kind;
        machine->resolver_failure = answer->failure;
    }
    for (const struct dns_record *record = dns_answer_next(answer, NULL);
         record != NULL && exchanger->address_count == 0;
         record = dns_answer_next(answer, record)) {
        if (doctor_may_contact(doctor, &record->ip)) {
            exchanger->addresses[exchanger->address_count++] = record->ip;
        }
    }
    for (size_t i = 0; i < doctor->facts.egress_count; i++) {
        struct doctor_about talk = *about;
        talk.egress = i;
        struct fitness_address *address = doctor_address(doctor, &talk);
        if (doctor->config.no_smtp) {
            continue;
        }
        if (address->is_used && exchanger->address_count > 0) {
            doctor_talk_far(doctor, &talk);
        } else if (address->is_used) {
            address->far[about->index].state = FITNESS_FAR_NO_NAME;
            doctor_far_over(doctor, &talk);
        }
    }
}

static void ask_far(struct doctor *doctor, size_t family)
{
    for (size_t i = 0; i < FITNESS_FAR_MAX; i++) {
        const struct doctor_about about = {.family = family, .index = i};
        struct exchanger *exchanger = &doctor->far[i].exchangers[family];
        memcpy(exchanger->host, far_hosts[i], strlen(far_hosts[i]) + 1);
        doctor_ask(doctor, slice_of(far_hosts[i]), (uint16_t)type_of(family), on_far_address,
                   &about);
    }
}

/* ---- names of an egress ---- */

static void on_helo_address(struct doctor *doctor, const struct doctor_about *about,
                            const struct dns_answer *answer)
{
    struct fitness_egress *egress = &doctor->facts.egresses[about->egress];
    size_t taken = 0;
    egress->helo_kind[about->family] = answer->kind;
    for (const struct dns_record *record = dns_answer_next(answer, NULL);
         record != NULL && taken < FITNESS_NAMES_MAX; record = dns_answer_next(answer, record)) {
        egress->helo_ips[egress->helo_count++] = record->ip;
        taken++;
    }
}

void doctor_route_known(struct doctor *doctor, size_t egress)
{
    bool is_open = doctor->config.egresses[egress].obstacle == NULL;
    if (doctor->config.asks_mailbox && !doctor->config.no_smtp && is_open &&
        doctor->bounces[egress]->status == ROUTE_OK) {
        doctor_talk_mailbox(doctor, egress);
    }
}

static void start_names(struct doctor *doctor, size_t index)
{
    struct fitness_egress *egress = &doctor->facts.egresses[index];
    struct doctor_about about = {.egress = index, .subject = FITNESS_DOMAIN};
    if (is_name(egress->helo)) {
        egress->domains[0].name = egress->helo;
        for (about.family = 0; about.family < FITNESS_FAMILIES; about.family++) {
            doctor_ask(doctor, egress->helo, (uint16_t)type_of(about.family), on_helo_address,
                       &about);
        }
    }
    if (egress->mail_from.len > 0) {
        egress->domains[1].name = doctor_domain_of(egress->mail_from);
        doctor_ask_route(doctor, index);
    }
    for (size_t i = 0; i < 2; i++) {
        about.family = i; /* which of the two domains */
        if (is_name(egress->domains[i].name)) {
            ask_lists(doctor, about, egress->domains[i].name);
        }
    }
}

/* ---- the beginning ---- */

/* Behind a proxy our own addresses say nothing; a relay may be told which of its own to use. */
static struct ip local_address(struct doctor *doctor, const struct doctor_egress *egress,
                               bool is_six)
{
    const struct ip *source = is_six ? &egress->source_v6 : &egress->source_v4;
    if (source->family != IP_NONE || egress->proxy != NULL) {
        return *source;
    }
    return door_own_address(doctor->door, is_six ? IP_V6 : IP_V4);
}

/* Whether connections of the family leave there: named by the user, or as the machine can. */
static bool is_family_open(const struct doctor *doctor, const struct doctor_egress *egress,
                           const struct fitness_address *address, bool is_six)
{
    const struct ip *source = is_six ? &egress->source_v6 : &egress->source_v4;
    const struct ip *public = is_six ? &egress->public_v6 : &egress->public_v4;
    if (egress->obstacle != NULL) {
        return false;
    }
    if (source->family != IP_NONE || public->family != IP_NONE) {
        return true;
    }
    if (egress->proxy != NULL) {
        return !is_six; /* what a proxy can do with IPv6 nobody knows */
    }
    return is_six ? doctor->facts.machine.has_ipv6 : address->local.family != IP_NONE;
}

static void set_address(struct doctor *doctor, const struct doctor_about *about)
{
    const struct doctor_egress *given = &doctor->config.egresses[about->egress];
    struct fitness_address *address = doctor_address(doctor, about);
    bool is_six = about->family == FITNESS_V6;
    const struct ip *public = is_six ? &given->public_v6 : &given->public_v4;
    address->local = local_address(doctor, given, is_six);
    address->is_used = is_family_open(doctor, given, address, is_six);
    address->far_count = doctor->config.no_smtp ? 0 : FITNESS_FAR_MAX;
    for (size_t i = 0; i < FITNESS_FAR_MAX; i++) {
        address->far[i].host = far_hosts[i];
    }
    if (public->family != IP_NONE) {
        address->public = *public;
        address->origin = FITNESS_ORIGIN_GIVEN;
    } else if (address->local.family != IP_NONE && !ip_is_special(&address->local)) {
        address->public = address->local;
        address->origin = FITNESS_ORIGIN_OWN;
    }
}

static bool is_family_used(const struct doctor *doctor, size_t family)
{
    for (size_t i = 0; i < doctor->facts.egress_count; i++) {
        if (doctor->facts.egresses[i].addresses[family].is_used) {
            return true;
        }
    }
    return false;
}

static void on_start(void *context)
{
    struct doctor *doctor = context;
    doctor->open++; /* this */
    ask_far(doctor, FITNESS_V4);
    if (is_family_used(doctor, FITNESS_V6)) {
        ask_far(doctor, FITNESS_V6);
    }
    if (!doctor->config.only_port) {
        ask_invented(doctor);
    }
    for (size_t i = 0; i < doctor->facts.egress_count && !doctor->config.only_port; i++) {
        struct doctor_about about = {.egress = i};
        start_names(doctor, i);
        for (; about.family < FITNESS_FAMILIES; about.family++) {
            const struct fitness_address *address = doctor_address(doctor, &about);
            if (address->is_used && address->public.family != IP_NONE) {
                start_address(doctor, &about);
            }
        }
    }
    doctor_one_over(doctor);
}

enum err doctor_new(struct door *door, const struct doctor_config *config, struct doctor **out)
{
    if (config->egress_count > FITNESS_EGRESSES_MAX) {
        return ERR_LIMIT;
    }
    struct doctor *doctor = calloc(1, sizeof *doctor);
    struct fitness_egress *egresses =
        calloc(config->egress_count == 0 ? 1 : config->egress_count, sizeof *egresses);
    if (doctor == NULL || egresses == NULL) {
        free(doctor);
        free(egresses);
        return ERR_NOMEM;
    }
    doctor->door = door;
    doctor->config = *config;
    doctor->facts.machine = config->machine;
    doctor->facts.machine.wall_ms = door_wall_ms(door);
    doctor->facts.machine.has_ipv6 = door_has_ipv6(door);
    doctor->facts.lists = config->lists;
    doctor->facts.egresses = egresses;
    doctor->facts.egress_count = config->egress_count;
    queries_init(&doctor->queries, door, DOCTOR_QUERIES_MAX, doctor, on_query_over);
    TAILQ_INIT(&doctor->questions);
    TAILQ_INIT(&doctor->talks);
    for (size_t i = 0; i < config->egress_count; i++) {
        struct doctor_about about = {.egress = i};
        egresses[i].label = config->egresses[i].label;
        egresses[i].helo = config->egresses[i].helo;
        egresses[i].mail_from = config->egresses[i].mail_from;
        egresses[i].obstacle = config->egresses[i].obstacle;
        for (; about.family < FITNESS_FAMILIES; about.family++) {
            set_address(doctor, &about);
        }
    }
    doctor->start = (struct timer){.fired = on_start, .context = doctor};
    doctor->limit = (struct timer){.fired = on_limit, .context = doctor};
    uint64_t now_ms = door_now_ms(door);
    door_timer_start(door, &doctor->start, now_ms);
    door_timer_start(door, &doctor->limit,
                     now_ms + (config->limit_ms == 0 ? LIMIT_MS : config->limit_ms));
    *out = doctor;
    return ERR_NONE;
}

void doctor_free(struct doctor *doctor)
{
    if (doctor == NULL) {
        return;
    }
    doctor->config.done = NULL;
    door_timer_stop(doctor->door, &doctor->start);
    finish(doctor);
    for (size_t i = 0; i < doctor->facts.egress_count; i++) {
        route_free(doctor->bounces[i]);
    }
    free(doctor->facts.egresses);
    free(doctor);
}

void doctor_progress(const struct doctor *doctor, unsigned *out_begun, unsigned *out_over)
{
    *out_begun = doctor->begun;
    *out_over = doctor->begun - doctor->open;
}

const struct fitness_facts *doctor_facts(const struct doctor *doctor)
{
    return &doctor->facts;
}
