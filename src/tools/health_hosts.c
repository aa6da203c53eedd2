/* tools/health_hosts: hosts and their addresses: reverse names and where those lead, block lists, and what each is then
 * asked for.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "dns/reverse.h"
#include "tools/health_private.h"

/* ---- reverse names ---- */

static void on_forward(void *owner, void *subject, size_t index, const char *asked,
                       const struct dns_answer *answer)
{
    (void)owner;
    (void)index;
    struct health_address *address = subject;
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        if (ip_equal(&record->ip, &address->ip)) {
            address->is_confirmed = true;
            memcpy(address->reverse_name, asked, strlen(asked) + 1);
            return;
        }
    }
}

static void on_reverse(void *owner, void *subject, size_t index, const char *asked,
                       const struct dns_answer *answer)
{
    (void)index;
    (void)asked;
    struct health *health = owner;
    struct health_address *address = subject;
    uint16_t type = address->ip.family == IP_V6 ? DNS_AAAA : DNS_A;
    address->reverse = answer->kind;
    const struct dns_record *record = dns_answer_next(answer, NULL);
    for (; record != NULL && address->reverse_count < FITNESS_NAMES_MAX;
         record = dns_answer_next(answer, record)) {
        if (address->reverse_count++ == 0) {
            memcpy(address->reverse_name, record->target, sizeof address->reverse_name);
        }
        health_ask(health, slice_of(record->target), type, on_forward, address, 0);
    }
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

static void on_listing(void *owner, void *subject, size_t index, const char *asked,
                       const struct dns_answer *answer)
{
    (void)asked;
    const struct health *health = owner;
    read_listing(blocklist_at(health->config.lists, index), answer, subject);
}

static void ask_list_ip(struct health *health, size_t list, const struct ip *ip,
                        struct fitness_listing *out)
{
    char name[DNS_NAME_BYTES];
    if (dns_reverse_name(ip, blocklist_at(health->config.lists, list)->zone, name)) {
        health_ask(health, slice_of(name), DNS_A, on_listing, out, list);
    }
}

static void ask_list_name(struct health *health, size_t list, struct slice name,
                          struct fitness_listing *out)
{
    char all[DNS_NAME_BYTES];
    int len = snprintf(all, sizeof all, "%.*s.%.*s", SLICE_ARG(name),
                       SLICE_ARG(blocklist_at(health->config.lists, list)->zone));
    if (len > 0 && (size_t)len < sizeof all) {
        health_ask(health, slice_of(all), DNS_A, on_listing, out, list);
    }
}

/* RFC 5782 5: what must be there, and what must not. */
static void ask_tests(struct health *health, size_t list, unsigned subject)
{
    static const char *const points[][2] = {{"127.0.0.2", "127.0.0.1"},
                                            {"::ffff:7f00:2", "::ffff:7f00:1"}};
    struct fitness_list_test *test = &health->facts->tests[list][subject];
    if (subject == FITNESS_DOMAIN) {
        ask_list_name(health, list, blocklist_at(health->config.lists, list)->test, &test->listed);
        ask_list_name(health, list, SLICE("invalid"), &test->clean);
        return;
    }
    struct ip listed, clean;
    must(ip_parse(slice_of(points[subject][0]), &listed));
    must(ip_parse(slice_of(points[subject][1]), &clean));
    ask_list_ip(health, list, &listed, &test->listed);
    ask_list_ip(health, list, &clean, &test->clean);
}

/* ip NULL: the domain. */
static void ask_lists(struct health *health, const struct ip *ip,
                      struct fitness_listing listings[BLOCKLISTS_MAX])
{
    static const unsigned kinds[FITNESS_SUBJECTS] = {BLOCKLIST_IPV4, BLOCKLIST_IPV6,
                                                     BLOCKLIST_DOMAIN};
    const struct blocklist_book *book = health->config.lists;
    unsigned subject = ip == NULL            ? FITNESS_DOMAIN
                       : ip->family == IP_V6 ? FITNESS_ADDRESS_V6
                                             : FITNESS_ADDRESS_V4;
    bool is_tested = health->is_list_tested[subject];
    health->is_list_tested[subject] = true;
    for (size_t i = 0; book != NULL && i < blocklist_count(book); i++) {
        if ((blocklist_at(book, i)->subjects & kinds[subject]) == 0) {
            continue;
        }
        if (!is_tested) {
            ask_tests(health, i, subject);
        }
        if (ip == NULL) {
            ask_list_name(health, i, slice_of(health->facts->domain), &listings[i]);
        } else {
            ask_list_ip(health, i, ip, &listings[i]);
        }
    }
}

void health_ask_domain_lists(struct health *health)
{
    ask_lists(health, NULL, health->facts->listings);
}

void health_ask_address(struct health *health, struct health_address *address)
{
    char name[DNS_NAME_BYTES];
    address->is_special = !health_may_contact(health, &address->ip);
    if (address->is_special) {
        return;
    }
    if (dns_pointer_name(&address->ip, name)) {
        health_ask(health, slice_of(name), DNS_PTR, on_reverse, address, 0);
    }
    ask_lists(health, &address->ip, address->listings);
}

/* ---- hosts ---- */

static void use_address(struct health *health, struct health_host *host,
                        struct health_address *address, enum health_host_use use)
{
    bool is_reached = health_may_contact(health, &address->ip) &&
                      (address->ip.family == IP_V4 || door_has_ipv6(health->door));
    switch (use) {
    case HEALTH_HOST_MX:
        health_ask_address(health, address);
        if (is_reached && host->address_count <= HEALTH_TALKS_OF_HOST && health->config.port != 0) {
            health_talk_mx(health, host, address);
        }
        return;
    case HEALTH_HOST_NS:
        if (is_reached && health->config.ns_port != 0) {
            health_talk_ns(health, (struct health_ns *)(void *)host, &address->ip);
        }
        return;
    case HEALTH_HOST_OTHER: return;
    }
}

static void on_address(void *owner, void *subject, size_t index, const char *asked,
                       const struct dns_answer *answer)
{
    (void)asked;
    struct health *health = owner;
    struct health_host *host = subject;
    size_t family = answer->type == DNS_AAAA ? FITNESS_V6 : FITNESS_V4;
    host->kinds[family] = answer->kind;
    host->failure = answer->kind == DNS_ANSWER_ERROR ? answer->failure : host->failure;
    host->is_alias |= answer->aliases > 0;
    for (const struct dns_record *record = dns_answer_next(answer, NULL);
         record != NULL && host->address_count < HEALTH_ADDRESSES_MAX;
         record = dns_answer_next(answer, record)) {
        struct health_address *address = arena_alloc(&health->facts->arena, sizeof *address);
        if (address == NULL) {
            return;
        }
        address->ip = record->ip;
        host->addresses[host->address_count++] = address;
        use_address(health, host, address, (enum health_host_use)index);
    }
}

_Static_assert(offsetof(struct health_ns, host) == 0, "a name server is found by its host");

void health_ask_host(struct health *health, struct health_host *host, enum health_host_use use)
{
    health_ask(health, slice_of(host->name), DNS_A, on_address, host, use);
    health_ask(health, slice_of(host->name), DNS_AAAA, on_address, host, use);
}
