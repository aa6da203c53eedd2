/* dns/lookup: the questions and what their answers say; what is known of the hosts is in dns/targets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/lookup.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "dns/lookup_private.h"

enum {
    LOOKUP_TTL_MIN_S = 60, /* a zero TTL must not make a list ask again for each row */
    LOOKUP_TTL_MAX_S = 86400,
    LOOKUP_NEGATIVE_MAX_S = 10800, /* RFC 2308 5 */
    LOOKUP_NEGATIVE_DEFAULT_S = 900,
    LOOKUP_ERROR_S = 60, /* trouble is asked again soon */
};

static void live_at_most(struct dns_lookup *lookup, uint32_t ttl_s)
{
    if (ttl_s < lookup->ttl_s) {
        lookup->ttl_s = ttl_s;
    }
}

/* All but the room for the name. */
static void asked_clear(struct asked *asked)
{
    memset(asked, 0, offsetof(struct asked, name));
}

static void want(struct dns_lookup *lookup, unsigned id, const char *name, uint16_t type)
{
    struct asked *asked = &lookup->asked[id];
    asked_clear(asked);
    asked->type = type;
    asked->is_wanted = true;
    memcpy(asked->name, name, strlen(name) + 1);
}

/* All hosts are there: room for the questions about them, none of which is wanted yet. */
static void count_hosts(struct dns_lookup *lookup)
{
    lookup->asked_count = 1 + 2 * (unsigned)lookup->target_count;
    for (unsigned i = 1; i < lookup->asked_count; i++) {
        asked_clear(&lookup->asked[i]);
    }
}

static void ask_addresses(struct dns_lookup *lookup)
{
    count_hosts(lookup);
    for (size_t i = 0; i < lookup->target_count; i++) {
        struct ip ip;
        struct target *target = &lookup->targets[i];
        if (ip_parse(slice_of(target->exchanger.host), &ip)) {
            target->is_literal = true; /* an MX must name a host (RFC 1035 3.3.9) */
            continue;
        }
        want(lookup, (unsigned)(1 + 2 * i), target->exchanger.host, DNS_A);
        if (!lookup->options.asks_ipv6_late) {
            want(lookup, (unsigned)(2 + 2 * i), target->exchanger.host, DNS_AAAA);
        }
    }
}

/* Without A there may still be AAAA: then the host exists, though we cannot get there. */
static void ask_ipv6_after_all(struct dns_lookup *lookup, unsigned id)
{
    const struct asked *asked = &lookup->asked[id];
    bool is_four = id > 0 && asked->type == DNS_A;
    bool is_over = asked->kind == DNS_ANSWER_NO_DATA || asked->kind == DNS_ANSWER_ERROR;
    if (is_four && is_over && lookup->options.asks_ipv6_late) {
        want(lookup, id + 1, lookup->targets[(id - 1) / 2].exchanger.host, DNS_AAAA);
    }
}

/* RFC 5321 4.1.3: [192.0.2.1] or [IPv6:2001:db8::1]. */
static bool parse_literal(struct slice text, struct ip *out)
{
    bool has_tag = slice_starts_nocase(text, SLICE("ipv6:"));
    struct slice address = has_tag ? slice_sub(text, 5, text.len) : text;
    return ip_parse(address, out) && out->family == (has_tag ? IP_V6 : IP_V4);
}

/* The name as answers carry it: lower case, without the last dot. */
static bool copy_domain(struct slice domain, char out[DNS_NAME_BYTES])
{
    if (slice_ends(domain, SLICE("."))) {
        domain = slice_sub(domain, 0, domain.len - 1);
    }
    if (domain.len == 0 || domain.len >= DNS_NAME_BYTES ||
        memchr(domain.at, '\0', domain.len) != NULL) {
        return false;
    }
    for (size_t i = 0; i < domain.len; i++) {
        out[i] = ascii_lower(domain.at[i]);
    }
    out[domain.len] = '\0';
    return true;
}

static void begin_literal(struct dns_lookup *lookup, struct slice inside)
{
    struct ip ip;
    struct target *target = dns_target_add(lookup, lookup->domain, 0);
    target->is_literal = true;
    if (parse_literal(inside, &ip)) {
        dns_target_add_address(lookup, target, &ip);
    }
    count_hosts(lookup);
}

size_t dns_lookup_bytes(void)
{
    return sizeof(struct dns_lookup);
}

enum err dns_lookup_new(struct slice domain, const struct dns_lookup_options *options,
                        struct dns_lookup **out)
{
    UNFILLED char name[DNS_NAME_BYTES];
    if (!copy_domain(domain, name)) {
        return ERR_SYNTAX;
    }
    struct slice text = slice_of(name);
    bool is_literal = text.at[0] == '[';
    if (is_literal && (text.len < 3 || !slice_ends(text, SLICE("]")))) {
        return ERR_SYNTAX;
    }
    struct dns_lookup *lookup =
        options->spare == NULL ? malloc(sizeof *lookup) : pool_take(options->spare);
    if (lookup == NULL) {
        return ERR_NOMEM;
    }
    memset(lookup, 0, offsetof(struct dns_lookup, asked));
    asked_clear(&lookup->asked[0]);
    lookup->asked_count = 1;
    lookup->options = *options;
    lookup->random.state = options->seed;
    lookup->ttl_s = LOOKUP_TTL_MAX_S;
    memcpy(lookup->domain, name, text.len + 1);
    if (is_literal) {
        begin_literal(lookup, slice_sub(text, 1, text.len - 1));
    } else {
        want(lookup, 0, lookup->domain, DNS_MX);
    }
    *out = lookup;
    return ERR_NONE;
}

void dns_lookup_free(struct dns_lookup *lookup)
{
    if (lookup != NULL && lookup->options.spare != NULL) {
        pool_give(lookup->options.spare, lookup);
    } else {
        free(lookup);
    }
}

bool dns_lookup_next(struct dns_lookup *lookup, struct dns_question *out)
{
    for (unsigned i = 0; i < lookup->asked_count; i++) {
        struct asked *asked = &lookup->asked[i];
        if (asked->is_wanted && !asked->is_sent) {
            asked->is_sent = true;
            *out = (struct dns_question){i, slice_of(asked->name), asked->type};
            return true;
        }
    }
    return false;
}

static void use_domain_itself(struct dns_lookup *lookup)
{
    lookup->is_implicit_mx = true;
    (void)dns_target_add(lookup, lookup->domain, 0);
    ask_addresses(lookup);
}

static void take_exchangers(struct dns_lookup *lookup)
{
    for (const struct dns_record *record = dns_answer_next(lookup->answer, NULL); record != NULL;
         record = dns_answer_next(lookup->answer, record)) {
        if (record->target[0] == '\0') {
            lookup->is_null_mx = true; /* RFC 7505; ignored beside a real one */
        } else {
            dns_target_insert(lookup, record);
        }
    }
    if (lookup->target_count == 0) {
        return;
    }
    lookup->is_null_mx = false;
    dns_target_shuffle(lookup);
    ask_addresses(lookup);
}

/* Answers. */

static uint32_t negative_life(const struct dns_message *message)
{
    uint32_t life_s =
        message->has_negative_ttl ? message->negative_ttl_s : LOOKUP_NEGATIVE_DEFAULT_S;
    return life_s < LOOKUP_NEGATIVE_MAX_S ? life_s : LOOKUP_NEGATIVE_MAX_S;
}

static void judge(struct dns_lookup *lookup, struct asked *asked)
{
    const struct dns_answer *answer = lookup->answer;
    asked->kind = answer->kind;
    asked->failure = answer->failure;
    asked->cnames = (uint8_t)(asked->cnames + answer->aliases);
    if (answer->aliases > 0) {
        memcpy(asked->name, answer->name, sizeof asked->name);
    }
    live_at_most(lookup, answer->ttl_s);
    if (asked->kind != DNS_ANSWER_ERROR && asked->cnames > DNS_ALIASES_MAX) {
        asked->kind = DNS_ANSWER_ERROR; /* a loop over several answers */
        asked->failure = DNS_FAILURE_SERVFAIL;
    }
    if (asked->kind == DNS_ANSWER_CUT) {
        asked->kind = DNS_ANSWER_OPEN;
        asked->is_sent = false; /* the chain's end is asked for */
    }
    if (asked->kind == DNS_ANSWER_NO_DATA || asked->kind == DNS_ANSWER_NOT_FOUND) {
        live_at_most(lookup, negative_life(&answer->message));
    }
}

static void take_addresses(struct dns_lookup *lookup, unsigned id)
{
    struct target *target = &lookup->targets[(id - 1) / 2];
    for (const struct dns_record *record = dns_answer_next(lookup->answer, NULL); record != NULL;
         record = dns_answer_next(lookup->answer, record)) {
        dns_target_add_address(lookup, target, &record->ip);
    }
}

void dns_lookup_answered(struct dns_lookup *lookup, unsigned id, enum dns_transport transport,
                         struct slice message)
{
    must(id < lookup->asked_count && lookup->asked[id].is_sent);
    struct asked *asked = &lookup->asked[id];
    if (asked->kind != DNS_ANSWER_OPEN) {
        return;
    }
    UNFILLED struct dns_answer answer; /* room for many records; most have one */
    dns_answer_read(asked->name, asked->type, transport, message, &answer);
    lookup->answer = &answer;
    judge(lookup, asked);
    if (id > 0 && asked->kind == DNS_ANSWER_RECORDS) {
        take_addresses(lookup, id);
    }
    if (id == 0 && asked->kind == DNS_ANSWER_RECORDS) {
        take_exchangers(lookup);
    }
    if (id == 0 && asked->kind == DNS_ANSWER_NO_DATA) {
        use_domain_itself(lookup);
    }
    ask_ipv6_after_all(lookup, id);
    lookup->answer = NULL;
}

bool dns_lookup_is_done(const struct dns_lookup *lookup)
{
    for (unsigned i = 0; i < lookup->asked_count; i++) {
        if (lookup->asked[i].is_wanted && lookup->asked[i].kind == DNS_ANSWER_OPEN) {
            return false;
        }
    }
    return true;
}

/* The route. */

static uint32_t clamp_ttl(const struct dns_lookup *lookup, const struct route *route)
{
    if (route->status == ROUTE_DNS_ERROR) {
        return LOOKUP_ERROR_S;
    }
    for (size_t i = 0; i < route->exchanger_count; i++) {
        if (route->exchangers[i].status == HOST_DNS_ERROR) {
            return LOOKUP_ERROR_S; /* usable, but maybe not the whole of it */
        }
    }
    return lookup->ttl_s < LOOKUP_TTL_MIN_S ? LOOKUP_TTL_MIN_S : lookup->ttl_s;
}

enum err dns_lookup_take(struct dns_lookup *lookup, struct route **out)
{
    if (!dns_lookup_is_done(lookup)) {
        return ERR_STATE;
    }
    struct route *route =
        malloc(sizeof *route + lookup->target_count * sizeof route->exchangers[0]);
    if (route == NULL) {
        return ERR_NOMEM;
    }
    *route = (struct route){.exchanger_count = 0};
    const struct asked *mx = &lookup->asked[0];
    route->is_implicit_mx = lookup->is_implicit_mx;
    if (mx->kind == DNS_ANSWER_NOT_FOUND) {
        route->status = ROUTE_NOT_FOUND;
    } else if (mx->kind == DNS_ANSWER_ERROR) {
        route->status = ROUTE_DNS_ERROR;
        route->failure = mx->failure;
    } else if (lookup->is_null_mx) {
        route->status = ROUTE_NULL_MX;
    } else {
        dns_target_sum_up(lookup, route);
    }
    route->ttl_s = clamp_ttl(lookup, route);
    *out = route;
    return ERR_NONE;
}
