/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "dns/lookup.h"
#include "engine/knocker_private.h"
#include "engine/transport.h"

struct slot;

/* One DNS question on its way. */
struct asked {
    struct slot *slot;
    unsigned id;
};

/* One domain being looked up; free again when all its questions came back. */
struct slot {
    struct survey *survey;
    const struct census_domain *domain;
    struct dns_lookup *lookup; /* NULL: free */
    unsigned open;             /* questions */
    struct asked asked[DNS_LOOKUP_IDS];
};

struct survey {
    const struct survey_config *config;
    struct door *door;
    const struct census_domain *next; /* to be looked up */
    struct traffic_pool pool;
    struct map sites;
    struct survey_site *first, **last;
    struct survey_counts counts;
    bool is_cancelled, is_finished, is_filling, has_failed;
    struct slot slots[SURVEY_LOOKUPS_MAX];
};

enum err survey_new(struct door *door, const struct survey_config *config,
                    const struct census *census, struct survey **out)
{
    struct survey *survey = calloc(1, sizeof *survey);
    if (survey == NULL) {
        return ERR_NOMEM;
    }
    survey->config = config;
    survey->door = door;
    survey->next = census->first;
    survey->last = &survey->first;
    map_init(&survey->sites, config->seed);
    for (size_t i = 0; i < SURVEY_LOOKUPS_MAX; i++) {
        survey->slots[i].survey = survey;
    }
    enum err e = egress_pool_read(config->knocker, config->store, config->wall_ms, &survey->pool);
    if (e != ERR_NONE) {
        survey_free(survey);
        return e;
    }
    *out = survey;
    return ERR_NONE;
}

static void site_free_one(struct survey_site *site)
{
    traffic_site_done(&site->traffic);
    free(site);
}

void survey_free(struct survey *survey)
{
    if (survey == NULL) {
        return;
    }
    for (size_t i = 0; i < SURVEY_LOOKUPS_MAX; i++) {
        dns_lookup_free(survey->slots[i].lookup);
    }
    while (survey->first != NULL) {
        struct survey_site *next = survey->first->next;
        site_free_one(survey->first);
        survey->first = next;
    }
    map_done(&survey->sites);
    traffic_pool_done(&survey->pool);
    free(survey);
}

/* ---- sites ---- */

/* Its key stands behind it. */
static struct survey_site *make_site(struct survey *survey, struct slice key,
                                     const struct provider *provider)
{
    const struct survey_config *config = survey->config;
    struct survey_site *site = calloc(1, sizeof *site + key.len + 1);
    if (site == NULL) {
        return NULL;
    }
    char *text = (char *)(site + 1);
    memcpy(text, key.at, key.len);
    site->key = slice_make(text, key.len);
    site->provider = provider;
    struct traffic_limits limits = site_limits(config->knocker, provider);
    traffic_site_init(&site->traffic, &limits, provider->class != PROVIDER_SELFHOSTED);
    if (egress_site_read(config->store, site->key, config->wall_ms, &survey->pool,
                         &site->traffic) != ERR_NONE ||
        map_put(&survey->sites, site->key, site) != ERR_NONE) {
        site_free_one(site);
        return NULL;
    }
    *survey->last = site;
    survey->last = &site->next;
    return site;
}

/* Addresses that cannot exist, one for each shape there is, where such a question would mean anything: see
 * verify/case_control. */
static uint64_t controls_of(const struct knocker_config *config, const struct provider *provider,
                            unsigned shapes)
{
    const unsigned without = PROVIDER_ACCEPTS_ALL | PROVIDER_SELECTIVE;
    if (!verify_has_control(&config->verify, provider) || (provider->traits & without) != 0) {
        return 0;
    }
    uint64_t count = 0;
    for (unsigned i = 0; i < VERIFY_SHAPES_MAX; i++) {
        count += shapes >> i & 1;
    }
    return count;
}

static void add_to(struct survey_tally *tally, const struct census_domain *domain)
{
    tally->domains++;
    tally->addresses += domain->addresses;
}

static struct survey_site *add_domain(struct survey *survey, const struct census_domain *domain,
                                      struct slice key, const struct provider *provider)
{
    const struct knocker_config *config = survey->config->knocker;
    if (config->verify.no_smtp || (provider->traits & PROVIDER_SKIP) != 0) {
        add_to(&survey->counts.not_asked, domain);
        return NULL;
    }
    struct survey_site *site = map_find(&survey->sites, key);
    if (site == NULL) {
        site = make_site(survey, key, provider);
    }
    if (site == NULL) {
        survey->has_failed = true;
        return NULL;
    }
    site->domains++;
    site->demand.addresses += domain->addresses;
    site->demand.controls += controls_of(config, provider, domain->shapes);
    site->demand.may_greylist =
        provider->class == PROVIDER_SELFHOSTED && config->verify.retry_temporary;
    return site;
}

static void add_families(struct survey_site *site, const struct route *route)
{
    for (size_t i = 0; i < route->exchanger_count; i++) {
        const struct exchanger *exchanger = &route->exchangers[i];
        for (size_t k = 0; k < exchanger->address_count; k++) {
            bool is_v6 = exchanger->addresses[k].family == IP_V6;
            site->demand.has_ipv6 = site->demand.has_ipv6 || is_v6;
            site->demand.has_ipv4 = site->demand.has_ipv4 || !is_v6;
        }
    }
}

/* By its name alone. */
static void add_by_name(struct survey *survey, const struct census_domain *domain)
{
    static const struct route nowhere = {.status = ROUTE_DNS_ERROR};
    const struct provider_book *book = knowledge_providers(survey->config->knowledge);
    const struct provider *provider = provider_serving(book, domain->name, SLICE_NONE);
    char key[TRAFFIC_KEY_BYTES];
    bool is_unknown = provider->class == PROVIDER_SELFHOSTED;
    traffic_site_key(&nowhere, provider, key);
    struct survey_site *site =
        add_domain(survey, domain, is_unknown ? domain->name : slice_of(key), provider);
    if (site != NULL) {
        site->is_unknown = is_unknown;
        site->demand.has_ipv4 = site->demand.has_ipv6 = true;
    }
}

/* A name server that denies a large provider's domain is not believed, as in engine/domain. */
static void add_by_route(struct survey *survey, const struct census_domain *domain,
                         const struct route *route)
{
    const struct provider_book *book = knowledge_providers(survey->config->knowledge);
    bool is_denied = route->status == ROUTE_NOT_FOUND || route->status == ROUTE_NO_HOST;
    bool is_doubtful = is_denied && provider_by_domain(book, domain->name) != NULL;
    if (route->status == ROUTE_DNS_ERROR || is_doubtful) {
        add_to(&survey->counts.unanswered, domain);
        add_by_name(survey, domain);
        return;
    }
    if (route->status != ROUTE_OK) {
        add_to(&survey->counts.no_mail, domain);
        return;
    }
    struct slice best =
        route->exchanger_count > 0 ? slice_of(route->exchangers[0].host) : SLICE_NONE;
    const struct provider *provider = provider_serving(book, domain->name, best);
    char key[TRAFFIC_KEY_BYTES];
    traffic_site_key(route, provider, key);
    struct survey_site *site = add_domain(survey, domain, slice_of(key), provider);
    if (site != NULL) {
        add_families(site, route);
    }
}

/* ---- looking up ---- */

static void fill_slots(struct survey *survey);

static void finish(struct survey *survey)
{
    if (!survey->is_finished) {
        survey->is_finished = true;
        survey->config->finished(survey->config->context);
    }
}

static void count_done(struct survey *survey)
{
    survey->counts.domains_done++;
    if (survey->config->progressed != NULL) {
        survey->config->progressed(survey->config->context);
    }
}

static void on_answer(void *context, enum query_status status, struct slice message);

static void ask(struct slot *slot)
{
    struct dns_question question;
    slot->open++; /* of our own: an answer that comes at once ends nothing before all are asked */
    while (dns_lookup_next(slot->lookup, &question)) {
        slot->asked[question.id] = (struct asked){slot, question.id};
        slot->open++;
        door_query(slot->survey->door, question.name, question.type, on_answer,
                   &slot->asked[question.id]);
    }
    slot->open--;
}

/* True: the slot is free. */
static bool end_if_done(struct slot *slot)
{
    struct survey *survey = slot->survey;
    if (slot->open > 0 || !dns_lookup_is_done(slot->lookup)) {
        return false;
    }
    struct route *route = NULL;
    if (dns_lookup_take(slot->lookup, &route) == ERR_NONE) {
        add_by_route(survey, slot->domain, route);
    } else {
        survey->has_failed = true;
    }
    route_free(route);
    dns_lookup_free(slot->lookup);
    slot->lookup = NULL;
    count_done(survey);
    return true;
}

static void on_answer(void *context, enum query_status status, struct slice message)
{
    const struct asked *asked = context;
    struct slot *slot = asked->slot;
    slot->open--;
    if (slot->survey->is_cancelled) {
        return;
    }
    dns_lookup_answered(slot->lookup, asked->id, transport_of(status), message);
    ask(slot);
    if (end_if_done(slot)) {
        fill_slots(slot->survey);
    }
}

/* False: no memory. */
static bool start(struct slot *slot, const struct census_domain *domain)
{
    struct survey *survey = slot->survey;
    const struct knocker_config *config = survey->config->knocker;
    const struct dns_lookup_options options = {
        .allowed_nets = config->allowed_nets,
        .allowed_net_count = config->allowed_net_count,
        .can_ipv4 = true,
        .can_ipv6 = true,
        .asks_ipv6_late = !door_has_ipv6(survey->door),
    };
    if (dns_lookup_new(domain->name, &options, &slot->lookup) != ERR_NONE) {
        slot->lookup = NULL;
        return false;
    }
    slot->domain = domain;
    ask(slot);
    return true;
}

static const struct census_domain *take_next(struct survey *survey)
{
    const struct census_domain *domain = survey->next;
    survey->next = domain == NULL ? NULL : domain->next;
    return domain;
}

/* The slot's domains, as long as they need no answer. */
static void fill(struct slot *slot)
{
    while (slot->lookup == NULL && slot->survey->next != NULL) {
        if (!start(slot, take_next(slot->survey))) {
            slot->survey->has_failed = true;
        } else {
            (void)end_if_done(slot);
        }
    }
}

static bool is_busy(const struct survey *survey)
{
    for (size_t i = 0; i < SURVEY_LOOKUPS_MAX; i++) {
        if (survey->slots[i].lookup != NULL) {
            return true;
        }
    }
    return false;
}

/* An answer that comes at once would begin anew in here: slots that it frees are seen to in another round. */
static void fill_slots(struct survey *survey)
{
    if (survey->is_filling || survey->is_cancelled) {
        return;
    }
    survey->is_filling = true;
    do {
        for (size_t i = 0; i < SURVEY_LOOKUPS_MAX; i++) {
            fill(&survey->slots[i]);
        }
    } while (!is_busy(survey) && survey->next != NULL);
    survey->is_filling = false;
    if (!is_busy(survey)) {
        finish(survey);
    }
}

void survey_start(struct survey *survey)
{
    if (survey->door != NULL) {
        fill_slots(survey);
        return;
    }
    for (const struct census_domain *domain = take_next(survey); domain != NULL;
         domain = take_next(survey)) {
        add_by_name(survey, domain);
        count_done(survey);
    }
    finish(survey);
}

void survey_cancel(struct survey *survey)
{
    survey->is_cancelled = true;
    finish(survey);
}

bool survey_has_failed(const struct survey *survey)
{
    return survey->has_failed;
}

const struct survey_site *survey_first(const struct survey *survey)
{
    return survey->first;
}

const struct traffic_pool *survey_pool(const struct survey *survey)
{
    return &survey->pool;
}

void survey_count(const struct survey *survey, struct survey_counts *out)
{
    *out = survey->counts;
}
