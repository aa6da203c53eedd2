/* tools/health: what is asked about a domain, and what follows from the first answers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "heloise/address.h"
#include "tools/health_private.h"

enum { LIMIT_MS = 30000, STEP_MS = 8000 };

/* RFC 6186 3, RFC 8314 5.1, and what Outlook asks for. */
static const char *const services[HEALTH_SERVICES_MAX] = {
    "_submission._tcp", "_submissions._tcp", "_imap._tcp",  "_imaps._tcp",        "_pop3._tcp",
    "_pop3s._tcp",      "_jmap._tcp",        "_sieve._tcp", "_autodiscover._tcp",
};

static void finish(struct health *health)
{
    if (health->is_over) {
        return;
    }
    health->is_over = true;
    door_timer_stop(health->door, &health->limit);
    door_timer_stop(health->door, &health->start);
    health_drop_talks(health);
    health_drop_policies(health);
    queries_drop(&health->queries);
    if (health->rdap != NULL) {
        signals_cancel(health->rdap);
        health->rdap = NULL;
    }
}

static void tell(struct health *health)
{
    if (!health->is_over) {
        finish(health);
        health->config.done(health->context);
    }
}

void health_one_begun(struct health *health)
{
    health->others_begun++;
    health->open++;
}

void health_one_over(struct health *health)
{
    health->open--;
    if (health->open == 0) {
        tell(health);
    }
}

static void on_ask_over(void *owner)
{
    health_one_over(owner);
}

static void on_limit(void *context)
{
    struct health *health = context;
    health->facts->is_partial = true;
    tell(health);
}

void health_ask(struct health *health, struct slice name, uint16_t type, queries_answer_fn fn,
                void *subject, size_t index)
{
    health->open += queries_put(&health->queries, name, type, fn, subject, index) ? 1 : 0;
}

bool health_may_contact(const struct health *health, const struct ip *ip)
{
    for (size_t i = 0; i < health->config.allowed_net_count; i++) {
        if (ip_net_contains(&health->config.allowed_nets[i], ip)) {
            return true;
        }
    }
    return !ip_is_special(ip);
}

bool health_join_name(const char *prefix, struct slice domain, char out[DNS_NAME_BYTES])
{
    int len = snprintf(out, DNS_NAME_BYTES, "%s.%.*s", prefix, SLICE_ARG(domain));
    return len > 0 && len < DNS_NAME_BYTES;
}

bool health_domain_read(struct slice text, char out[DNS_NAME_BYTES])
{
    char at[HEL_WIRE_BYTES];
    struct hel_address address;
    size_t from = slice_find_last_byte(text, '@');
    struct slice domain = slice_sub(text, from < text.len ? from + 1 : 0, text.len);
    if (slice_ends(domain, SLICE("."))) {
        domain = slice_sub(domain, 0, domain.len - 1);
    }
    int len = snprintf(at, sizeof at, "a@%.*s", SLICE_ARG(domain));
    if (domain.len > sizeof at || len < 0 || (size_t)len >= sizeof at ||
        hel_address_parse(slice_make(at, (size_t)len), HEL_ADDRESS_STRICT, &address, NULL) !=
            ERR_NONE ||
        address.is_literal || hel_address_domain(&address).len >= DNS_NAME_BYTES) {
        return false;
    }
    domain = hel_address_domain(&address);
    memcpy(out, domain.at, domain.len);
    out[domain.len] = '\0';
    return true;
}

/* ---- the domain ---- */

static void on_soa(void *owner, void *subject, size_t index, const char *asked,
                   const struct dns_answer *answer)
{
    (void)subject;
    (void)index;
    (void)asked;
    struct health *health = owner;
    struct health_facts *facts = health->facts;
    facts->soa = answer->kind;
    facts->failure = answer->failure;
    facts->is_authentic = answer->kind != DNS_ANSWER_ERROR && answer->message.is_authentic;
}

static void on_ds(void *owner, void *subject, size_t index, const char *asked,
                  const struct dns_answer *answer)
{
    (void)subject;
    (void)index;
    (void)asked;
    struct health *health = owner;
    health->facts->ds = answer->kind;
}

/* ---- mail servers ---- */

static void on_tlsa(void *owner, void *subject, size_t index, const char *asked,
                    const struct dns_answer *answer)
{
    (void)owner;
    (void)index;
    (void)asked;
    struct health_mx *mx = subject;
    mx->tlsa_kind = answer->kind;
    mx->is_tlsa_authentic = answer->message.is_authentic;
    const struct dns_record *record = dns_answer_next(answer, NULL);
    for (; record != NULL && mx->tlsa_count < HEALTH_TLSA_MAX;
         record = dns_answer_next(answer, record)) {
        if (record->text.len >= 3) {
            mx->tlsa[mx->tlsa_count++] =
                (struct health_tlsa){(uint8_t)record->text.at[0], (uint8_t)record->text.at[1],
                                     (uint8_t)record->text.at[2], record->text.len - 3};
        }
    }
}

static void ask_mx(struct health *health, struct health_mx *mx)
{
    char name[DNS_NAME_BYTES];
    struct ip ip;
    if (mx->host.name[0] == '\0' || ip_parse(slice_of(mx->host.name), &ip)) {
        return;
    }
    health_ask_host(health, &mx->host, HEALTH_HOST_MX);
    if (health_join_name("_25._tcp", slice_of(mx->host.name), name)) {
        health_ask(health, slice_of(name), DNS_TLSA, on_tlsa, mx, 0);
    }
}

static struct health_mx *add_mx(struct health_facts *facts, const char *host, uint16_t preference)
{
    if (facts->mx_count == HEALTH_MX_MAX) {
        facts->mx_beyond++;
        return NULL;
    }
    size_t place = facts->mx_count++;
    while (place > 0 && facts->mx[place - 1].preference > preference) {
        facts->mx[place] = facts->mx[place - 1];
        place--;
    }
    struct health_mx *mx = &facts->mx[place];
    *mx = (struct health_mx){.preference = preference};
    (void)snprintf(mx->host.name, sizeof mx->host.name, "%s", host);
    return mx;
}

/* RFC 5321 5.1: without MX the name itself. */
static void on_own_address(void *owner, void *subject, size_t index, const char *asked,
                           const struct dns_answer *answer)
{
    (void)subject;
    (void)index;
    (void)asked;
    struct health *health = owner;
    struct health_facts *facts = health->facts;
    if (answer->kind == DNS_ANSWER_RECORDS && !facts->is_implicit_mx) {
        facts->is_implicit_mx = true;
        struct health_mx *mx = add_mx(facts, facts->domain, 0);
        if (mx != NULL) {
            ask_mx(health, mx);
        }
    }
}

static void on_mx(void *owner, void *subject, size_t index, const char *asked,
                  const struct dns_answer *answer)
{
    (void)subject;
    (void)index;
    (void)asked;
    struct health *health = owner;
    struct health_facts *facts = health->facts;
    facts->mx_kind = answer->kind;
    facts->mx_failure = answer->failure;
    facts->is_mx_authentic = answer->message.is_authentic;
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        (void)add_mx(facts, record->target, record->preference);
        facts->has_null_mx |= record->target[0] == '\0';
    }
    for (size_t i = 0; i < facts->mx_count; i++) {
        ask_mx(health, &facts->mx[i]);
    }
    if (answer->kind == DNS_ANSWER_NO_DATA) {
        health_ask(health, slice_of(facts->domain), DNS_A, on_own_address, NULL, 0);
        health_ask(health, slice_of(facts->domain), DNS_AAAA, on_own_address, NULL, 0);
    }
}

/* ---- name servers and services ---- */

static void on_ns(void *owner, void *subject, size_t index, const char *asked,
                  const struct dns_answer *answer)
{
    (void)subject;
    (void)index;
    (void)asked;
    struct health *health = owner;
    struct health_facts *facts = health->facts;
    facts->ns_kind = answer->kind;
    const struct dns_record *record = dns_answer_next(answer, NULL);
    for (; record != NULL && facts->ns_count < HEALTH_NS_MAX;
         record = dns_answer_next(answer, record)) {
        struct health_ns *ns = &facts->ns[facts->ns_count++];
        (void)snprintf(ns->host.name, sizeof ns->host.name, "%s", record->target);
        health_ask_host(health, &ns->host, HEALTH_HOST_NS);
    }
}

static void on_service(void *owner, void *subject, size_t index, const char *asked,
                       const struct dns_answer *answer)
{
    (void)index;
    (void)asked;
    struct health *health = owner;
    struct health_service *service = subject;
    service->kind = answer->kind;
    const struct dns_record *record = dns_answer_next(answer, NULL);
    for (; record != NULL && service->target_count < HEALTH_TARGETS_MAX;
         record = dns_answer_next(answer, record)) {
        size_t place = service->target_count++;
        struct health_host *host = &service->targets[place].host;
        service->targets[place].port = record->port;
        (void)snprintf(host->name, sizeof host->name, "%s", record->target);
        if (host->name[0] != '\0') {
            health_ask_host(health, host, HEALTH_HOST_OTHER);
        }
    }
}

static void ask_services(struct health *health)
{
    struct health_facts *facts = health->facts;
    struct slice domain = slice_of(facts->domain);
    char name[DNS_NAME_BYTES];
    for (size_t i = 0; i < HEALTH_SERVICES_MAX; i++) {
        facts->services[i].label = services[i];
        if (health_join_name(services[i], domain, name)) {
            health_ask(health, slice_of(name), DNS_SRV, on_service, &facts->services[i], 0);
        }
    }
    facts->service_count = HEALTH_SERVICES_MAX;
    if (health_join_name("autoconfig", domain, facts->autoconfig.name)) {
        health_ask_host(health, &facts->autoconfig, HEALTH_HOST_OTHER);
    }
    if (health_join_name("autodiscover", domain, facts->autodiscover.name)) {
        health_ask_host(health, &facts->autodiscover, HEALTH_HOST_OTHER);
    }
}

/* ---- registration ---- */

static void on_signals(void *context, const struct verify_signals *told)
{
    struct health *health = context;
    const struct verify_signal *rdap = &told->of[SIGNAL_RDAP];
    health->rdap = NULL;
    health->facts->age = rdap->result == SIGNAL_YES ? HEALTH_AGE_KNOWN : HEALTH_AGE_UNKNOWN;
    health->facts->registered_day = (uint32_t)rdap->number;
    health_one_over(health);
}

static void ask_registration(struct health *health)
{
    char address[DNS_NAME_BYTES + 16];
    int len = snprintf(address, sizeof address, "postmaster@%s", health->facts->domain);
    struct slice text = slice_make(address, (size_t)len);
    if (health->config.signals != NULL &&
        signals_ask(health->config.signals, text, text, on_signals, health, &health->rdap) ==
            ERR_NONE) {
        health_one_begun(health);
    }
}

/* ---- all of it ---- */

static void ask_egresses(struct health *health)
{
    struct health_facts *facts = health->facts;
    for (size_t i = 0; i < health->config.egress_count && i < HEALTH_EGRESSES_MAX; i++) {
        struct health_address *address = arena_alloc(&facts->arena, sizeof *address);
        if (address == NULL) {
            return;
        }
        address->ip = health->config.egresses[i];
        facts->egresses[facts->egress_count].address = address;
        health_ask_address(health, address);
        health_ask_egress_spf(health, facts->egress_count++);
    }
}

static void start(void *context)
{
    struct health *health = context;
    struct slice domain = slice_of(health->facts->domain);
    health->open++; /* until all is asked */
    if (health->config.only_sts) {
        health_ask_sts(health);
        health_one_over(health);
        return;
    }
    health_ask(health, domain, DNS_SOA, on_soa, NULL, 0);
    health_ask(health, domain, DNS_DS, on_ds, NULL, 0);
    health_ask(health, domain, DNS_MX, on_mx, NULL, 0);
    health_ask(health, domain, DNS_NS, on_ns, NULL, 0);
    health_ask_policies(health);
    ask_services(health);
    ask_egresses(health);
    health_ask_domain_lists(health);
    ask_registration(health);
    health_one_over(health);
}

static struct health_facts *new_facts(struct slice domain)
{
    struct health_facts *facts = calloc(1, sizeof *facts);
    if (facts == NULL) {
        return NULL;
    }
    arena_init(&facts->arena, HEALTH_MEMORY_BYTES_MAX);
    facts->mx = arena_alloc(&facts->arena, HEALTH_MX_MAX * sizeof *facts->mx);
    facts->ns = arena_alloc(&facts->arena, HEALTH_NS_MAX * sizeof *facts->ns);
    facts->keys = arena_alloc(&facts->arena, HEALTH_KEYS_MAX * sizeof *facts->keys);
    if (facts->mx == NULL || facts->ns == NULL || facts->keys == NULL) {
        arena_done(&facts->arena);
        free(facts);
        return NULL;
    }
    for (size_t i = 0; i < domain.len; i++) {
        facts->domain[i] = ascii_lower(domain.at[i]);
    }
    return facts;
}

enum err health_new(struct door *door, const struct health_config *config, struct slice domain,
                    void *context, struct health **out)
{
    if (domain.len == 0 || domain.len >= DNS_NAME_BYTES) {
        return ERR_SYNTAX;
    }
    struct health *health = calloc(1, sizeof *health);
    struct health_facts *facts = health == NULL ? NULL : new_facts(domain);
    if (facts == NULL) {
        free(health);
        return ERR_NOMEM;
    }
    health->door = door;
    health->config = *config;
    health->config.limit_ms = config->limit_ms == 0 ? LIMIT_MS : config->limit_ms;
    health->config.step_ms = config->step_ms == 0 ? STEP_MS : config->step_ms;
    health->context = context;
    health->facts = facts;
    facts->wall_ms = door_wall_ms(door);
    facts->lists = config->lists;
    facts->port = config->port;
    TAILQ_INIT(&health->talks);
    TAILQ_INIT(&health->ns_talks);
    TAILQ_INIT(&health->runs);
    queries_init(&health->queries, door, HEALTH_QUERIES_MAX, health, on_ask_over);
    uint64_t now_ms = door_now_ms(door);
    health->limit = (struct timer){.fired = on_limit, .context = health};
    health->start = (struct timer){.fired = start, .context = health};
    door_timer_start(door, &health->limit, now_ms + health->config.limit_ms);
    door_timer_start(door, &health->start, now_ms);
    *out = health;
    return ERR_NONE;
}

void health_free(struct health *health)
{
    if (health == NULL) {
        return;
    }
    finish(health);
    spf_tree_free(health->spf);
    arena_done(&health->facts->arena);
    free(health->facts);
    free(health);
}

void health_progress(const struct health *health, unsigned *out_begun, unsigned *out_over)
{
    *out_begun = health->queries.begun + health->others_begun;
    *out_over = *out_begun < health->open ? 0 : *out_begun - health->open;
}

struct health_facts *health_facts(struct health *health)
{
    return health->facts;
}
