/* engine/domain: routes of domains, looked up once and shared, with the memory that cases of a domain
 * share. Idle ones are kept for the next question, the oldest dropped first.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"
#include "engine/knocker_private.h"
#include "engine/transport.h"

/* The questions of one lookup; outlive their domain where that is freed first, and maybe the knocker. */
struct inquiry {
    struct domain *domain; /* NULL: nobody cares any more */
    uint64_t open;         /* those on their way, by the bits of their ids */
    struct question {
        struct inquiry *inquiry;
        unsigned id;
    } questions[DOMAIN_QUESTIONS_MAX];
};
static_assert(DOMAIN_QUESTIONS_MAX <= 64, "a bit for each");

enum {
    MEMORY_LIFE_MS =
        7 * 86400000, /* catch-all and greylist habits of a domain (docs/verdicts.md) */
    MEMORY_TEXT_BYTES = 1024,
    DENIAL_TTL_S = 60, /* until a name server that denied what is there is asked again */
};

static uint64_t now_ms(const struct domain *domain)
{
    return door_now_ms(domain->knocker->door);
}

static void leave_lookups(struct domain *domain)
{
    if (domain->is_lookup_queued) {
        TAILQ_REMOVE(&domain->knocker->lookups, domain, lookup_link);
        domain->is_lookup_queued = false;
    }
}

/* What is still on its way will tell nobody. */
static void inquiry_leave(struct domain *domain)
{
    struct inquiry *inquiry = domain->inquiry;
    domain->inquiry = NULL;
    if (inquiry != NULL && inquiry->open == 0) {
        pool_give(&domain->knocker->spare_inquiries, inquiry);
    } else if (inquiry != NULL) {
        inquiry->domain = NULL;
    }
}

/* Blank but for its name. NULL: no memory. */
static struct domain *domain_alloc(struct knocker *knocker, struct slice name)
{
    struct domain *domain = slab_take_sized(&knocker->domain_slab, sizeof *domain + name.len + 1);
    if (domain == NULL) {
        return NULL;
    }
    memset(domain, 0, sizeof *domain);
    memcpy(domain->name, name.at, name.len);
    domain->name[name.len] = '\0';
    domain->knocker = knocker;
    return domain;
}

static void domain_dispose(struct domain *domain)
{
    slab_give_sized(&domain->knocker->domain_slab, domain,
                    sizeof *domain + strlen(domain->name) + 1);
}

static void domain_free(struct domain *domain)
{
    must(TAILQ_EMPTY(&domain->waiting));
    leave_lookups(domain);
    if (domain->lookup != NULL) {
        domain->knocker->lookups_open--;
        dns_lookup_free(domain->lookup);
    }
    inquiry_leave(domain);
    route_free(domain->route);
    free(domain->known);
    park_domain_done(domain);
    domain_dispose(domain);
}

void domains_init(struct knocker *knocker, uint64_t seed)
{
    map_init(&knocker->domains, seed);
    TAILQ_INIT(&knocker->idle_domains);
    TAILQ_INIT(&knocker->lookups);
    slab_init(&knocker->domain_slab, sizeof(struct domain) + KNOCKER_NAME_BYTES,
              KNOCKER_SLAB_PIECES);
    pool_init(&knocker->spare_lookups, dns_lookup_bytes(), KNOCKER_SPARE_LOOKUPS);
    pool_init(&knocker->spare_inquiries, sizeof(struct inquiry), KNOCKER_SPARE_INQUIRIES);
}

void domains_done(struct knocker *knocker)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->domains, &cursor, &key, &value)) {
        domain_free(value);
    }
    map_done(&knocker->domains);
    slab_done(&knocker->domain_slab);
    pool_done(&knocker->spare_lookups);
    pool_done(&knocker->spare_inquiries);
}

/* The memory between runs: "greylist=S", "live=N" and "control.SHAPE=STATE CODE HASH REASON", space-separated.
 * Only settled answers are worth keeping; what is temporary is asked again. */

static void memory_apply(struct domain *domain, struct slice name, struct slice value)
{
    uint64_t numbers[4] = {0};
    size_t count = 0;
    struct slice rest = value;
    while (rest.at != NULL && count < 4) {
        struct reader r = reader_over(slice_cut(&rest, ','));
        if (!reader_number(&r, UINT32_MAX, &numbers[count++])) {
            return;
        }
    }
    if (slice_equal(name, SLICE("greylist"))) {
        domain->memory.greylist_delay_s = (uint32_t)numbers[0];
        return;
    }
    if (slice_equal(name, SLICE("live"))) {
        domain->memory.live_seen = (uint16_t)(numbers[0] < UINT16_MAX ? numbers[0] : UINT16_MAX);
        return;
    }
    struct reader r = reader_over(name);
    uint64_t shape = 0;
    bool is_control = reader_literal(&r, SLICE("control.")) &&
                      reader_number(&r, VERIFY_SHAPES_MAX - 1, &shape) && count == 4;
    if (is_control && (numbers[0] == CONTROL_REFUSED || numbers[0] == CONTROL_ACCEPTED) &&
        numbers[3] < REASON_COUNT) {
        domain->memory.controls[shape] = (struct verify_control_memory){
            .state = (uint8_t)numbers[0],
            .code = (uint16_t)numbers[1],
            .text_hash = (uint32_t)numbers[2],
            .reason = (uint8_t)numbers[3],
            .at_ms = now_ms(domain),
        };
    }
}

static void memory_load(struct domain *domain)
{
    struct knocker *knocker = domain->knocker;
    if (knocker->store == NULL || knocker->config.is_fresh) {
        return;
    }
    struct buf text;
    buf_init(&text, MEMORY_TEXT_BYTES);
    if (store_domain_find(knocker->store, slice_of(domain->name), SLICE("memory"),
                          door_wall_ms(knocker->door), &text)) {
        struct slice rest = buf_view(&text);
        while (rest.at != NULL) {
            struct slice item = slice_cut(&rest, ' ');
            size_t equals = slice_find_byte(item, '=', 0);
            memory_apply(domain, slice_sub(item, 0, equals), slice_sub(item, equals + 1, item.len));
        }
    }
    buf_done(&text);
    domain->memory_changes_stored = domain->memory.changes;
}

void domains_recall(struct knocker *knocker)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->domains, &cursor, &key, &value)) {
        memory_load(value);
    }
}

static enum err memory_write(const struct verify_domain *memory, struct buf *out)
{
    enum err e = ERR_NONE;
    if (memory->greylist_delay_s != 0) {
        e = buf_printf(out, "greylist=%u", memory->greylist_delay_s);
    }
    if (memory->live_seen != 0 && e == ERR_NONE) {
        e = buf_printf(out, "%slive=%u", out->len == 0 ? "" : " ", (unsigned)memory->live_seen);
    }
    for (size_t i = 0; i < VERIFY_SHAPES_MAX && e == ERR_NONE; i++) {
        const struct verify_control_memory *control = &memory->controls[i];
        if (control->state == CONTROL_REFUSED || control->state == CONTROL_ACCEPTED) {
            e = buf_printf(out, "%scontrol.%zu=%u,%u,%u,%u", out->len == 0 ? "" : " ", i,
                           control->state, control->code, control->text_hash, control->reason);
        }
    }
    return e;
}

void domain_keep(struct domain *domain)
{
    struct knocker *knocker = domain->knocker;
    if (knocker->store == NULL || domain->memory.changes == domain->memory_changes_stored) {
        return;
    }
    domain->memory_changes_stored = domain->memory.changes;
    struct buf text;
    buf_init(&text, MEMORY_TEXT_BYTES);
    if (memory_write(&domain->memory, &text) == ERR_NONE && text.len > 0) {
        int64_t now = door_wall_ms(knocker->door);
        enum err e = store_domain_put(knocker->store, slice_of(domain->name), SLICE("memory"),
                                      buf_view(&text), now, now + MEMORY_LIFE_MS);
        knocker->counts.store_errors += e == ERR_NONE ? 0 : 1;
        knocker_wrote(knocker);
    }
    buf_done(&text);
}

static void leave_idle(struct domain *domain)
{
    if (domain->is_idle) {
        TAILQ_REMOVE(&domain->knocker->idle_domains, domain, idle_link);
        domain->knocker->idle_domain_count--;
        domain->is_idle = false;
    }
}

enum err domain_get(struct knocker *knocker, struct slice name, struct domain **out)
{
    struct domain *domain = map_find(&knocker->domains, name);
    if (domain == NULL) {
        domain = domain_alloc(knocker, name);
        if (domain == NULL) {
            return ERR_NOMEM;
        }
        TAILQ_INIT(&domain->waiting);
        if (map_put(&knocker->domains, slice_of(domain->name), domain) != ERR_NONE) {
            domain_dispose(domain);
            return ERR_NOMEM;
        }
        memory_load(domain);
    }
    leave_idle(domain);
    domain->ask_count++;
    *out = domain;
    return ERR_NONE;
}

void domain_release(struct domain *domain)
{
    struct knocker *knocker = domain->knocker;
    domain->ask_count--;
    if (domain->ask_count > 0) {
        return;
    }
    domain_keep(domain);
    TAILQ_INSERT_TAIL(&knocker->idle_domains, domain, idle_link);
    domain->is_idle = true;
    knocker->idle_domain_count++;
    if (knocker->idle_domain_count > KNOCKER_DOMAINS_IDLE_MAX) {
        struct domain *oldest = TAILQ_FIRST(&knocker->idle_domains);
        leave_idle(oldest);
        (void)map_remove(&knocker->domains, slice_of(oldest->name));
        domain_free(oldest);
    }
}

bool domain_is_ready(struct domain *domain)
{
    if (domain->route == NULL || domain->lookup != NULL) {
        return false;
    }
    /* A route in use stays: the cases of its domain hold on to it. */
    return domain->ask_count > 1 || now_ms(domain) < domain->route_until_ms;
}

void domain_changed(struct domain *domain)
{
    struct ask *ask = TAILQ_FIRST(&domain->waiting);
    while (ask != NULL) {
        struct ask *next = TAILQ_NEXT(ask, link);
        ask->is_woken = ask->verify != NULL;
        knocker_make_ready(ask);
        ask = next;
    }
    park_wake(domain);
}

static const struct provider *provider_of(const struct domain *domain)
{
    const struct route *route = domain->route;
    struct slice best =
        route->exchanger_count > 0 ? slice_of(route->exchangers[0].host) : SLICE_NONE;
    return provider_serving(knowledge_providers(domain->knocker->knowledge), slice_of(domain->name),
                            best);
}

/* Those that wait for the route go on; without one it was memory that failed. */
static void tell_waiting(struct domain *domain)
{
    struct ask *ask = TAILQ_FIRST(&domain->waiting);
    while (ask != NULL) {
        struct ask *next = TAILQ_NEXT(ask, link);
        if (domain->route == NULL) {
            ask->is_expired = true;
            ask->expired_why = SKIP_BUDGET;
        }
        knocker_make_ready(ask);
        ask = next;
    }
}

/* The domains of the large providers are there. A name server that denies one speaks for itself (a captive
 * portal, a broken cache), and would make us call live mailboxes dead. */
static void doubt_denial(const struct domain *domain, struct route *route)
{
    bool is_denied = route->status == ROUTE_NOT_FOUND || route->status == ROUTE_NO_HOST;
    const struct provider_book *book = knowledge_providers(domain->knocker->knowledge);
    if (is_denied && provider_by_domain(book, slice_of(domain->name)) != NULL) {
        route->status = ROUTE_DNS_ERROR;
        route->failure = DNS_FAILURE_BROKEN;
        route->ttl_s = DENIAL_TTL_S;
    }
}

/* With the route: a disposable domain may show by its MX hosts only. */
void domain_describe(struct domain *domain)
{
    const struct list_reader *reader = &domain->knocker->lists;
    if (domain->described_by == list_reader_number(reader)) {
        return;
    }
    UNFILLED struct slice hosts[ROUTE_EXCHANGERS_MAX];
    struct slice name = slice_of(domain->name);
    size_t count = 0;
    const struct route *route = domain->route;
    for (size_t i = 0; route != NULL && i < route->exchanger_count && i < ROUTE_EXCHANGERS_MAX;
         i++) {
        hosts[count++] = slice_of(route->exchangers[i].host);
    }
    const struct address_lists *lists = list_reader_lists(reader);
    domain_flags(lists, name, hosts, count, &domain->flags);
    domain->suggestion = address_suggest_domain(lists, name);
    domain->described_by = list_reader_number(reader);
}

void domain_settle(struct domain *domain, struct route *route, uint64_t until_ms)
{
    struct knocker *knocker = domain->knocker;
    route_free(domain->route);
    domain->route = route;
    domain->route_until_ms = until_ms;
    domain->provider = provider_of(domain);
    domain->owner = errand_owner(knocker, route, domain->provider);
    domain->is_owner_told = false;
    domain->described_by = 0;
    domain->site = NULL;
    bool is_ours = domain->owner == knocker->config.crew.index;
    if (route->status == ROUTE_OK && is_ours &&
        site_get(knocker, route, domain->provider, &domain->site) != ERR_NONE) {
        route_free(domain->route);
        domain->route = NULL;
    }
}

static void looked_up(struct domain *domain)
{
    struct route *route = NULL;
    enum err e = dns_lookup_take(domain->lookup, &route);
    dns_lookup_free(domain->lookup);
    domain->lookup = NULL;
    inquiry_leave(domain);
    domain->knocker->lookups_open--;
    domain->dns_ms = (uint32_t)(now_ms(domain) - domain->lookup_began_ms);
    if (e == ERR_NONE && !knocker_learn(domain->knocker, KNOWLEDGE_PROVIDERS)) {
        route_free(route);
        return; /* all is about to be cancelled */
    }
    if (e == ERR_NONE) {
        doubt_denial(domain, route);
        domain_settle(domain, route, now_ms(domain) + (uint64_t)route->ttl_s * 1000);
    }
    tell_waiting(domain);
}

static void ask_dns(struct domain *domain);
static void start_queued(struct knocker *knocker);

static void on_answer(void *context, enum query_status status, struct slice message)
{
    const struct question *question = context;
    struct inquiry *inquiry = question->inquiry;
    struct domain *domain = inquiry->domain;
    unsigned id = question->id;
    inquiry->open &= ~(UINT64_C(1) << id);
    if (domain == NULL) {
        if (inquiry->open == 0) {
            free(inquiry);
        }
        return;
    }
    struct knocker *knocker = domain->knocker;
    dns_lookup_answered(domain->lookup, id, transport_of(status), message);
    ask_dns(domain);
    start_queued(knocker);
}

/* NULL: no memory. */
static struct question *question_of(struct domain *domain, unsigned id)
{
    uint64_t bit = UINT64_C(1) << id;
    must(id < DOMAIN_QUESTIONS_MAX);
    if (domain->inquiry == NULL) {
        struct inquiry *inquiry = pool_take(&domain->knocker->spare_inquiries);
        if (inquiry == NULL) {
            return NULL;
        }
        inquiry->domain = domain;
        inquiry->open = 0;
        domain->inquiry = inquiry;
    }
    must((domain->inquiry->open & bit) == 0);
    domain->inquiry->open |= bit;
    struct question *question = &domain->inquiry->questions[id];
    *question = (struct question){domain->inquiry, id};
    return question;
}

static void ask_dns(struct domain *domain)
{
    struct dns_question asked;
    while (domain->lookup != NULL && dns_lookup_next(domain->lookup, &asked)) {
        struct question *question = question_of(domain, asked.id);
        if (question == NULL) {
            dns_lookup_answered(domain->lookup, asked.id, DNS_TRANSPORT_FAILED, SLICE_NONE);
            continue;
        }
        door_query(domain->knocker->door, asked.name, asked.type, on_answer, question);
    }
    if (domain->lookup != NULL && dns_lookup_is_done(domain->lookup)) {
        looked_up(domain);
    }
}

static void start_lookup(struct domain *domain)
{
    struct knocker *knocker = domain->knocker;
    struct dns_lookup_options options = {
        .allowed_nets = knocker->config.allowed_nets,
        .allowed_net_count = knocker->config.allowed_net_count,
        .can_ipv4 = true,
        .can_ipv6 = true,
        /* What a proxy can reach is not known. */
        .asks_ipv6_late = egress_has_proxy(knocker) || !door_has_ipv6(knocker->door),
        .seed = random_next(&knocker->random),
        .spare = &knocker->spare_lookups,
    };
    domain->lookup_began_ms = now_ms(domain);
    if (dns_lookup_new(slice_of(domain->name), &options, &domain->lookup) != ERR_NONE) {
        domain->lookup = NULL;
        tell_waiting(domain);
        return;
    }
    knocker->lookups_open++;
    ask_dns(domain);
}

static void start_queued(struct knocker *knocker)
{
    unsigned most = KNOCKER_LOOKUPS_MAX / knocker->config.crew.count;
    while (!TAILQ_EMPTY(&knocker->lookups) && knocker->lookups_open < most) {
        struct domain *domain = TAILQ_FIRST(&knocker->lookups);
        leave_lookups(domain);
        start_lookup(domain);
    }
}

void domain_hurry(struct domain *domain)
{
    if (domain->is_lookup_queued) {
        struct domain_list *queue = &domain->knocker->lookups;
        TAILQ_REMOVE(queue, domain, lookup_link);
        TAILQ_INSERT_HEAD(queue, domain, lookup_link);
    }
}

void domain_look_up(struct domain *domain)
{
    struct knocker *knocker = domain->knocker;
    if (domain->lookup != NULL || domain->is_lookup_queued) {
        return;
    }
    domain->is_lookup_queued = true;
    TAILQ_INSERT_TAIL(&knocker->lookups, domain, lookup_link);
    start_queued(knocker);
}

/* Nobody asks yet: it stays as an idle one does. */
void knocker_look_ahead(struct knocker *knocker, struct slice text)
{
    UNFILLED struct hel_address address;
    struct hel_address_error error;
    struct domain *domain;
    if (hel_address_parse(text, knocker->config.address_mode, &address, &error) == ERR_NONE &&
        domain_get(knocker, hel_address_domain(&address), &domain) == ERR_NONE) {
        domain_look_up(domain);
        domain_release(domain);
    }
}
