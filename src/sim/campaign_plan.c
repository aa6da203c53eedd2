/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/reader.h"
#include "base/slice.h"

enum {
    CODE_LETTERS = 5, /* of a number written in letters: 11 million of them */
    ADDRESSES_PER_DOMAIN = 25,
    DOMAINS_PER_SITE = 3,
    WEATHER_MS_MAX = 2 * 3600 * 1000,
    FIRST_IP = 0x05010001, /* 5.1.0.1: an ordinary public address */
};

const char *campaign_fault_name(enum campaign_fault fault)
{
    switch (fault) {
    case CAMPAIGN_GREYLIST: return "greylist";
    case CAMPAIGN_POISON: return "poison";
    case CAMPAIGN_BLOCK: return "block";
    case CAMPAIGN_CATCH_ALL: return "catch-all";
    case CAMPAIGN_DEAD: return "dead";
    case CAMPAIGN_SLOW: return "slow";
    case CAMPAIGN_TARPIT: return "tarpit";
    case CAMPAIGN_BUSY: return "busy";
    case CAMPAIGN_CUT: return "cut";
    case CAMPAIGN_TLS: return "tls";
    case CAMPAIGN_DNS: return "dns";
    case CAMPAIGN_MAILBOX: return "mailbox";
    case CAMPAIGN_LIMITS: return "limits";
    case CAMPAIGN_PACKETS: return "packets";
    case CAMPAIGN_GROUPS: return "groups";
    case CAMPAIGN_PROVIDER: return "provider";
    case CAMPAIGN_VANITY: return "vanity";
    case CAMPAIGN_FAULTS: break;
    }
    return "?";
}

static bool is_allowed(const struct campaign_plan *plan, enum campaign_fault fault)
{
    return (plan->options.faults & 1u << fault) != 0;
}

/* Addresses. */

/* One in a stream of draws that belongs to this address alone. */
static struct random draws_of(const struct campaign_plan *plan, uint32_t domain, uint32_t n)
{
    struct random r = {plan->options.seed ^ ((uint64_t)domain << 32 | n)};
    (void)random_next(&r);
    return r;
}

static void write_letters(uint32_t n, char out[CODE_LETTERS + 1])
{
    for (int i = CODE_LETTERS - 1; i >= 0; i--) {
        out[i] = (char)('a' + n % 26);
        n /= 26;
    }
    out[CODE_LETTERS] = '\0';
}

static void local_part(const struct campaign_plan *plan, uint32_t domain, uint32_t n,
                       char out[CAMPAIGN_ADDRESS_BYTES])
{
    static const char *const first[] = {"anna", "ben",   "chloe", "david",
                                        "eva",  "felix", "grace", "hugo"};
    static const char *const last[] = {"weber",  "smith",  "novak", "rossi",
                                       "dubois", "jensen", "silva", "kim"};
    struct random r = draws_of(plan, domain, n);
    const char *given = first[random_below(&r, 8)];
    const char *family = last[random_below(&r, 8)];
    char letters[CODE_LETTERS + 1];
    write_letters(n, letters);
    switch (random_below(&r, 5)) {
    case 0: (void)snprintf(out, CAMPAIGN_ADDRESS_BYTES, "%s.%s%s", given, family, letters); return;
    case 1: (void)snprintf(out, CAMPAIGN_ADDRESS_BYTES, "%s%u", given, n); return;
    case 2: (void)snprintf(out, CAMPAIGN_ADDRESS_BYTES, "%s_%s%u", given, family, n); return;
    case 3:
        (void)snprintf(out, CAMPAIGN_ADDRESS_BYTES, "%c.%s%s", given[0], family, letters);
        return;
    default: (void)snprintf(out, CAMPAIGN_ADDRESS_BYTES, "%s%s%s", given, family, letters); return;
    }
}

uint32_t campaign_domain_of(const struct campaign_plan *plan, uint32_t number)
{
    uint32_t low = 0;
    uint32_t high = plan->domain_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (plan->domains[middle].first <= number) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

void campaign_address(const struct campaign_plan *plan, uint32_t number,
                      char out[CAMPAIGN_ADDRESS_BYTES])
{
    uint32_t domain = campaign_domain_of(plan, number);
    char local[CAMPAIGN_ADDRESS_BYTES];
    local_part(plan, domain, number - plan->domains[domain].first, local);
    (void)snprintf(out, CAMPAIGN_ADDRESS_BYTES, "%.60s@d%u.test", local, domain);
}

/* The number at the end of a local part, in digits or letters; whether it is one of ours is seen by making the
 * address again. */
static uint64_t number_at_end(struct slice local)
{
    size_t at = local.len;
    while (at > 0 && ascii_is_digit(local.at[at - 1])) {
        at--;
    }
    uint64_t n = 0;
    if (at < local.len) {
        struct reader r = reader_over(slice_sub(local, at, local.len));
        return reader_number(&r, UINT32_MAX - 1, &n) ? n : UINT32_MAX;
    }
    for (at = local.len < CODE_LETTERS ? 0 : local.len - CODE_LETTERS; at < local.len; at++) {
        char c = ascii_lower(local.at[at]);
        if (c < 'a' || c > 'z') {
            return UINT32_MAX;
        }
        n = n * 26 + (uint64_t)(c - 'a');
    }
    return n;
}

uint32_t campaign_number(const struct campaign_plan *plan, struct slice path)
{
    size_t at = slice_find_last_byte(path, '@');
    struct reader r = reader_over(slice_sub(path, at, path.len));
    uint64_t domain;
    if (!reader_literal_nocase(&r, SLICE("@d")) ||
        !reader_number(&r, plan->domain_count - 1, &domain) ||
        !slice_equal_nocase(r.rest, SLICE(".test"))) {
        return UINT32_MAX;
    }
    struct slice local = slice_sub(path, 0, at);
    uint64_t n = number_at_end(local);
    uint64_t number = plan->domains[domain].first + n;
    char again[CAMPAIGN_ADDRESS_BYTES];
    if (n >= plan->options.addresses || number >= plan->options.addresses) {
        return UINT32_MAX;
    }
    local_part(plan, (uint32_t)domain, (uint32_t)n, again);
    bool is_ours = slice_equal_nocase(local, slice_of(again)) &&
                   campaign_domain_of(plan, (uint32_t)number) == domain;
    return is_ours ? (uint32_t)number : UINT32_MAX;
}

enum campaign_truth campaign_truth(const struct campaign_plan *plan, uint32_t number)
{
    static const enum campaign_truth odd[] = {CAMPAIGN_FULL,  CAMPAIGN_FULL,      CAMPAIGN_DISABLED,
                                              CAMPAIGN_MOVED, CAMPAIGN_FORWARDED, CAMPAIGN_AWAY};
    uint32_t domain = campaign_domain_of(plan, number);
    const struct campaign_site *site = &plan->sites[plan->domains[domain].site];
    struct random r = draws_of(plan, domain, number - plan->domains[domain].first);
    r.state ^= 0x7472757468; /* another stream than that of the name */
    bool is_odd = random_below(&r, 100) < 15;
    if (is_odd && (site->faults & 1u << CAMPAIGN_MAILBOX) != 0) {
        return odd[random_below(&r, sizeof odd / sizeof odd[0])];
    }
    return random_below(&r, 100) < site->live_percent ? CAMPAIGN_LIVE : CAMPAIGN_UNKNOWN;
}

/* Names of hosts. */

void campaign_exchanger(const struct campaign_plan *plan, uint32_t domain, unsigned n,
                        char out[CAMPAIGN_NAME_BYTES])
{
    uint32_t number = plan->domains[domain].site;
    const struct campaign_site *site = &plan->sites[number];
    if (site->mx_suffix != NULL) {
        (void)snprintf(out, CAMPAIGN_NAME_BYTES, "d%u-%u.%s", domain, n, site->mx_suffix);
    } else if ((site->faults & 1u << CAMPAIGN_VANITY) != 0) {
        (void)snprintf(out, CAMPAIGN_NAME_BYTES, "mx%u.d%u.test", n, domain);
    } else {
        (void)snprintf(out, CAMPAIGN_NAME_BYTES, "mx%u.s%u.test", n, number);
    }
}

/* The draw. */

static void name_hosts(struct campaign_site *site)
{
    for (unsigned i = 0; i < site->host_count; i++) {
        struct campaign_host *host = &site->hosts[i];
        uint32_t ip = FIRST_IP + site->number * CAMPAIGN_HOSTS_MAX + i;
        (void)snprintf(host->ip, sizeof host->ip, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
                       ip >> 8 & 255, ip & 255);
        if (host->ip6[0] != '\0') {
            (void)snprintf(host->ip6, sizeof host->ip6, "2a01:4f8::%x:%x", ip >> 16, ip & 0xFFFF);
        }
    }
}

const struct campaign_site *campaign_site_at(const struct campaign_plan *plan, const struct ip *ip)
{
    const uint8_t *at = ip->family == IP_V6 ? ip->bytes + 12 : ip->bytes;
    uint32_t number = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    number = (number - FIRST_IP) / CAMPAIGN_HOSTS_MAX;
    return number < plan->site_count ? &plan->sites[number] : NULL;
}

static enum campaign_way draw_way(const struct campaign_plan *plan, struct random *r,
                                  const struct campaign_site *site)
{
    static const enum campaign_way broken[] = {
        CAMPAIGN_WAY_NXDOMAIN, CAMPAIGN_WAY_NULL_MX, CAMPAIGN_WAY_NO_HOST, CAMPAIGN_WAY_UNROUTABLE,
        CAMPAIGN_WAY_SERVFAIL, CAMPAIGN_WAY_TIMEOUT, CAMPAIGN_WAY_REFUSED, CAMPAIGN_WAY_BROKEN};
    if (is_allowed(plan, CAMPAIGN_DNS) && random_below(r, 5) == 0) {
        return broken[random_below(r, sizeof broken / sizeof broken[0])];
    }
    bool needs_names = site->mx_suffix != NULL || site->domain_count > 0 ||
                       (site->faults & 1u << CAMPAIGN_VANITY) != 0;
    if (!needs_names && random_below(r, 12) == 0) {
        return CAMPAIGN_WAY_IMPLICIT; /* its host is the domain itself: the only domain of that site */
    }
    return random_below(r, 12) == 0 ? CAMPAIGN_WAY_ALIAS : CAMPAIGN_WAY_MX;
}

/* Sizes differ much, as in real lists: most domains are small. */
static enum err draw_domains(struct campaign_plan *plan, struct random *r)
{
    uint32_t *weights = malloc(plan->domain_count * sizeof *weights);
    if (weights == NULL) {
        return ERR_NOMEM;
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < plan->domain_count; i++) {
        weights[i] = 1 + random_below(r, 10);
        weights[i] = random_below(r, 8) == 0 ? weights[i] * 8 : weights[i];
        sum += weights[i];
    }
    uint64_t before = 0;
    for (uint32_t i = 0; i < plan->domain_count; i++) {
        struct campaign_domain *domain = &plan->domains[i];
        domain->first = (uint32_t)(before * plan->options.addresses / sum);
        before += weights[i];
        domain->site = i < plan->site_count ? i : random_below(r, plan->site_count);
        struct campaign_domain *its_first = &plan->domains[domain->site];
        if (i > domain->site && its_first->way == CAMPAIGN_WAY_IMPLICIT) {
            its_first->way = CAMPAIGN_WAY_MX; /* no longer alone */
        }
        struct campaign_site *site = &plan->sites[domain->site];
        domain->way = draw_way(plan, r, site);
        site->domain_count++;
    }
    free(weights);
    return ERR_NONE;
}

static void draw_weather(struct campaign_plan *plan, struct random *r)
{
    static const enum zone_failure failures[] = {ZONE_SERVFAIL, ZONE_TIMEOUT, ZONE_REFUSED};
    static const enum world_behaviour behaviours[] = {WORLD_REFUSE, WORLD_BLACKHOLE, WORLD_RESET,
                                                      WORLD_UNREACHABLE};
    unsigned count = random_below(r, CAMPAIGN_WEATHER_MAX + 1);
    for (unsigned i = 0; i < count; i++) {
        struct campaign_weather weather = {
            .from_ms = random_below(r, WEATHER_MS_MAX),
            .is_dns = random_below(r, 2) == 0,
            .domain = random_below(r, plan->domain_count),
            .site = random_below(r, plan->site_count),
            .failure = failures[random_below(r, 3)],
            .behaviour = behaviours[random_below(r, 4)],
        };
        weather.to_ms = weather.from_ms + 1000 + random_below(r, WEATHER_MS_MAX);
        bool may = weather.is_dns ? plan->domains[weather.domain].way == CAMPAIGN_WAY_MX
                                  : (plan->sites[weather.site].faults & 1u << CAMPAIGN_DEAD) != 0;
        may = may && is_allowed(plan, weather.is_dns ? CAMPAIGN_DNS : CAMPAIGN_DEAD);
        if (may) {
            plan->weather[plan->weather_count++] = weather;
        }
    }
}

enum err campaign_plan_new(const struct campaign_options *options, struct campaign_plan **out)
{
    struct campaign_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return ERR_NOMEM;
    }
    plan->options = *options;
    struct random r = {options->seed};
    campaign_settings_draw(&plan->settings, random_next(&r), options->egresses);
    uint32_t per_domain = 1 + random_below(&r, 2 * ADDRESSES_PER_DOMAIN);
    uint32_t per_site = 1 + random_below(&r, 2 * DOMAINS_PER_SITE);
    plan->domain_count = options->addresses / per_domain + 1;
    plan->site_count = plan->domain_count / per_site + 1;
    plan->sites = calloc(plan->site_count, sizeof *plan->sites);
    plan->domains = calloc(plan->domain_count, sizeof *plan->domains);
    if (plan->sites == NULL || plan->domains == NULL) {
        campaign_plan_free(plan);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < plan->site_count; i++) {
        struct campaign_site *site = &plan->sites[i];
        site->plan = plan;
        site->number = i;
        campaign_site_draw(site, random_next(&r));
        name_hosts(site);
    }
    if (draw_domains(plan, &r) != ERR_NONE) {
        campaign_plan_free(plan);
        return ERR_NOMEM;
    }
    draw_weather(plan, &r);
    *out = plan;
    return ERR_NONE;
}

void campaign_plan_free(struct campaign_plan *plan)
{
    if (plan != NULL) {
        free(plan->sites);
        free(plan->domains);
        free(plan);
    }
}
