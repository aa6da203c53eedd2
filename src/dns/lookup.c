/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/random.h"
#include "base/slice.h"

enum {
    LOOKUP_CNAMES_MAX = 8, /* links followed for one name; more is a loop (RFC 1034 3.6.2) */
    LOOKUP_TTL_MIN_S = 60, /* a zero TTL must not make a list ask again for each row */
    LOOKUP_TTL_MAX_S = 86400,
    LOOKUP_NEGATIVE_MAX_S = 10800, /* RFC 2308 5 */
    LOOKUP_NEGATIVE_DEFAULT_S = 900,
    LOOKUP_ERROR_S = 60, /* trouble is asked again soon */
};

/* What one question brought. */
enum answer_kind {
    ANSWER_OPEN,
    ANSWER_RECORDS,
    ANSWER_NOT_FOUND,
    ANSWER_NO_DATA,
    ANSWER_ERROR,
};

struct asked {
    char name[DNS_NAME_BYTES]; /* as asked last: the end of a CNAME chain */
    uint16_t type;
    uint8_t cnames;
    bool is_wanted, is_sent;
    enum answer_kind kind;
    enum dns_failure failure;
};

struct target {
    struct exchanger exchanger;
    bool is_literal;
    bool had_address; /* of any kind, before guard and family */
    bool had_allowed; /* one that the guard lets pass */
};

struct dns_lookup {
    struct dns_lookup_options options;
    struct random random;
    char domain[DNS_NAME_BYTES];
    bool is_implicit_mx, is_null_mx, is_literal;
    uint32_t ttl_s;
    size_t target_count;
    struct target targets[ROUTE_EXCHANGERS_MAX];
    struct asked asked[DNS_LOOKUP_IDS]; /* 0: MX; 1 + 2i: A of target i; 2 + 2i: AAAA */
    const struct dns_message *message;  /* being looked at; NULL between answers */
};

static void want(struct dns_lookup *lookup, unsigned id, const char *name, uint16_t type)
{
    struct asked *asked = &lookup->asked[id];
    *asked = (struct asked){.type = type, .is_wanted = true};
    memcpy(asked->name, name, strlen(name) + 1);
}

static void live_at_most(struct dns_lookup *lookup, uint32_t ttl_s)
{
    if (ttl_s < lookup->ttl_s) {
        lookup->ttl_s = ttl_s;
    }
}

static bool is_allowed(const struct dns_lookup *lookup, const struct ip *ip)
{
    if (!ip_is_special(ip)) {
        return true;
    }
    for (size_t i = 0; i < lookup->options.allowed_net_count; i++) {
        if (ip_net_contains(&lookup->options.allowed_nets[i], ip)) {
            return true;
        }
    }
    return false;
}

static void add_address(struct dns_lookup *lookup, struct target *target, const struct ip *ip)
{
    struct exchanger *exchanger = &target->exchanger;
    bool has_family = ip->family == IP_V4 ? lookup->options.can_ipv4 : lookup->options.can_ipv6;
    target->had_address = true;
    if (!is_allowed(lookup, ip)) {
        return;
    }
    target->had_allowed = true;
    if (has_family && exchanger->address_count < ROUTE_ADDRESSES_MAX) {
        exchanger->addresses[exchanger->address_count++] = *ip;
    }
}

static struct target *add_target(struct dns_lookup *lookup, const char *host, uint16_t preference)
{
    struct target *target = &lookup->targets[lookup->target_count++];
    *target = (struct target){.exchanger.preference = preference};
    memcpy(target->exchanger.host, host, strlen(host) + 1);
    return target;
}

static void ask_addresses(struct dns_lookup *lookup)
{
    for (size_t i = 0; i < lookup->target_count; i++) {
        struct ip ip;
        struct target *target = &lookup->targets[i];
        if (ip_parse(slice_of(target->exchanger.host), &ip)) {
            target->is_literal = true; /* an MX must name a host (RFC 1035 3.3.9) */
            continue;
        }
        want(lookup, (unsigned)(1 + 2 * i), target->exchanger.host, DNS_A);
        want(lookup, (unsigned)(2 + 2 * i), target->exchanger.host, DNS_AAAA);
    }
}

static bool begin_literal(struct dns_lookup *lookup, struct slice domain)
{
    if (domain.len < 3 || domain.at[0] != '[') {
        return false;
    }
    struct slice inside = slice_sub(domain, 1, domain.len - 1);
    if (slice_starts_nocase(inside, SLICE("IPv6:"))) {
        inside = slice_sub(inside, 5, inside.len);
    }
    struct ip ip;
    lookup->is_literal = true;
    struct target *target = add_target(lookup, lookup->domain, 0);
    if (ip_parse(inside, &ip)) {
        add_address(lookup, target, &ip);
    }
    return true;
}

enum err dns_lookup_new(struct slice domain, const struct dns_lookup_options *options,
                        struct dns_lookup **out)
{
    if (domain.len == 0 || domain.len >= DNS_NAME_BYTES) {
        return ERR_SYNTAX;
    }
    struct dns_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        return ERR_NOMEM;
    }
    lookup->options = *options;
    lookup->random.state = options->seed;
    lookup->ttl_s = LOOKUP_TTL_MAX_S;
    memcpy(lookup->domain, domain.at, domain.len);
    if (!begin_literal(lookup, domain)) {
        want(lookup, 0, lookup->domain, DNS_MX);
    }
    *out = lookup;
    return ERR_NONE;
}

void dns_lookup_free(struct dns_lookup *lookup)
{
    free(lookup);
}

bool dns_lookup_next(struct dns_lookup *lookup, struct dns_question *out)
{
    for (unsigned i = 0; i < DNS_LOOKUP_IDS; i++) {
        struct asked *asked = &lookup->asked[i];
        if (asked->is_wanted && !asked->is_sent) {
            asked->is_sent = true;
            *out = (struct dns_question){i, slice_of(asked->name), asked->type};
            return true;
        }
    }
    return false;
}

/* MX: sorted by preference, equal ones shuffled (RFC 5321 5.1). */

static void insert_exchanger(struct dns_lookup *lookup, const struct dns_record *record)
{
    for (size_t i = 0; i < lookup->target_count; i++) {
        if (strcmp(lookup->targets[i].exchanger.host, record->target) == 0) {
            return; /* listed twice: the first one stays */
        }
    }
    if (lookup->target_count == ROUTE_EXCHANGERS_MAX) {
        const struct target *last = &lookup->targets[ROUTE_EXCHANGERS_MAX - 1];
        if (record->preference >= last->exchanger.preference) {
            return;
        }
        lookup->target_count--;
    }
    struct target *target = add_target(lookup, record->target, record->preference);
    struct target added = *target;
    size_t place = lookup->target_count - 1;
    while (place > 0 && lookup->targets[place - 1].exchanger.preference > record->preference) {
        lookup->targets[place] = lookup->targets[place - 1];
        place--;
    }
    lookup->targets[place] = added;
}

static void shuffle_equals(struct dns_lookup *lookup)
{
    for (size_t i = 1; i < lookup->target_count; i++) {
        size_t first = i;
        while (first > 0 && lookup->targets[first - 1].exchanger.preference ==
                                lookup->targets[i].exchanger.preference) {
            first--;
        }
        size_t other = first + random_below(&lookup->random, (uint32_t)(i - first + 1));
        struct target held = lookup->targets[i];
        lookup->targets[i] = lookup->targets[other];
        lookup->targets[other] = held;
    }
}

static void use_domain_itself(struct dns_lookup *lookup)
{
    lookup->is_implicit_mx = true;
    (void)add_target(lookup, lookup->domain, 0);
    ask_addresses(lookup);
}

static void take_exchangers(struct dns_lookup *lookup)
{
    const struct dns_message *message = lookup->message;
    for (size_t i = 0; i < message->answer_count; i++) {
        const struct dns_record *record = &message->answers[i];
        if (record->type == DNS_MX && record->target[0] == '\0') {
            lookup->is_null_mx = true; /* RFC 7505; ignored beside a real one */
        } else if (record->type == DNS_MX) {
            insert_exchanger(lookup, record);
        }
    }
    if (lookup->target_count == 0) {
        return;
    }
    lookup->is_null_mx = false;
    shuffle_equals(lookup);
    ask_addresses(lookup);
}

/* Answers. */

static enum dns_failure failure_of(enum dns_transport transport)
{
    switch (transport) {
    case DNS_TRANSPORT_TIMEOUT: return DNS_FAILURE_TIMEOUT;
    case DNS_TRANSPORT_REFUSED: return DNS_FAILURE_REFUSED;
    case DNS_TRANSPORT_ANSWERED:
    case DNS_TRANSPORT_FAILED: break;
    }
    return DNS_FAILURE_BROKEN;
}

/* The end of the CNAME chain that the answer shows for the name; false: it goes in a circle. */
static bool follow_cnames(struct dns_lookup *lookup, struct asked *asked)
{
    const struct dns_message *message = lookup->message;
    for (size_t i = 0; i <= message->answer_count; i++) {
        bool has_moved = false;
        for (size_t j = 0; j < message->answer_count && !has_moved; j++) {
            const struct dns_record *record = &message->answers[j];
            if (record->type == DNS_CNAME && strcmp(record->owner, asked->name) == 0) {
                memcpy(asked->name, record->target, sizeof asked->name);
                live_at_most(lookup, record->ttl_s);
                asked->cnames++;
                has_moved = true;
            }
        }
        if (!has_moved) {
            return true;
        }
        if (asked->cnames > LOOKUP_CNAMES_MAX) {
            return false;
        }
    }
    return false;
}

static size_t count_records(struct dns_lookup *lookup, const struct asked *asked)
{
    size_t count = 0;
    const struct dns_message *message = lookup->message;
    for (size_t i = 0; i < message->answer_count; i++) {
        const struct dns_record *record = &message->answers[i];
        if (record->type == asked->type && strcmp(record->owner, asked->name) == 0) {
            live_at_most(lookup, record->ttl_s);
            count++;
        }
    }
    return count;
}

static void set_error(struct asked *asked, enum dns_failure failure)
{
    asked->kind = ANSWER_ERROR;
    asked->failure = failure;
}

static void set_negative(struct dns_lookup *lookup, struct asked *asked, enum answer_kind kind)
{
    const struct dns_message *message = lookup->message;
    uint32_t life_s =
        message->has_negative_ttl ? message->negative_ttl_s : LOOKUP_NEGATIVE_DEFAULT_S;
    live_at_most(lookup, life_s < LOOKUP_NEGATIVE_MAX_S ? life_s : LOOKUP_NEGATIVE_MAX_S);
    asked->kind = kind;
}

static void judge(struct dns_lookup *lookup, struct asked *asked)
{
    const struct dns_message *message = lookup->message;
    if (message->rcode != DNS_NOERROR && message->rcode != DNS_NXDOMAIN) {
        set_error(asked,
                  message->rcode == DNS_REFUSED ? DNS_FAILURE_REFUSED : DNS_FAILURE_SERVFAIL);
        return;
    }
    unsigned before = asked->cnames;
    if (!follow_cnames(lookup, asked)) {
        set_error(asked,
                  DNS_FAILURE_SERVFAIL); /* a loop: broken on their side, and maybe only now */
        return;
    }
    if (count_records(lookup, asked) > 0) {
        asked->kind = ANSWER_RECORDS;
    } else if (message->rcode == DNS_NXDOMAIN) {
        set_negative(lookup, asked, ANSWER_NOT_FOUND);
    } else if (asked->cnames > before && asked->cnames <= LOOKUP_CNAMES_MAX &&
               !message->has_negative_ttl) {
        asked->is_sent = false; /* the chain was cut short: ask for its end */
    } else {
        set_negative(lookup, asked, ANSWER_NO_DATA);
    }
}

static void take_addresses(struct dns_lookup *lookup, unsigned id)
{
    const struct asked *asked = &lookup->asked[id];
    struct target *target = &lookup->targets[(id - 1) / 2];
    const struct dns_message *message = lookup->message;
    for (size_t i = 0; i < message->answer_count; i++) {
        const struct dns_record *record = &message->answers[i];
        if (record->type == asked->type && strcmp(record->owner, asked->name) == 0) {
            add_address(lookup, target, &record->ip);
        }
    }
}

void dns_lookup_answered(struct dns_lookup *lookup, unsigned id, enum dns_transport transport,
                         struct slice message)
{
    must(id < DNS_LOOKUP_IDS && lookup->asked[id].is_sent);
    struct asked *asked = &lookup->asked[id];
    if (asked->kind != ANSWER_OPEN) {
        return;
    }
    if (transport != DNS_TRANSPORT_ANSWERED) {
        set_error(asked, failure_of(transport));
        return;
    }
    struct dns_message read;
    if (dns_message_parse(message, &read) != ERR_NONE || !read.is_response) {
        set_error(asked, DNS_FAILURE_BROKEN);
        return;
    }
    lookup->message = &read;
    judge(lookup, asked);
    if (id > 0 && asked->kind == ANSWER_RECORDS) {
        take_addresses(lookup, id);
    }
    if (id == 0 && asked->kind == ANSWER_RECORDS) {
        take_exchangers(lookup);
    }
    if (id == 0 && asked->kind == ANSWER_NO_DATA) {
        use_domain_itself(lookup);
    }
    lookup->message = NULL;
}

bool dns_lookup_is_done(const struct dns_lookup *lookup)
{
    for (unsigned i = 0; i < DNS_LOOKUP_IDS; i++) {
        if (lookup->asked[i].is_wanted && lookup->asked[i].kind == ANSWER_OPEN) {
            return false;
        }
    }
    return true;
}

/* The route. */

static enum host_status host_status_of(const struct dns_lookup *lookup, size_t i)
{
    const struct target *target = &lookup->targets[i];
    const struct asked *four = &lookup->asked[1 + 2 * i];
    const struct asked *six = &lookup->asked[2 + 2 * i];
    if (target->exchanger.address_count > 0) {
        return HOST_OK;
    }
    if (target->is_literal) {
        return HOST_UNROUTABLE;
    }
    if (target->had_allowed) {
        return HOST_NO_FAMILY;
    }
    if (four->kind == ANSWER_ERROR || six->kind == ANSWER_ERROR) {
        return HOST_DNS_ERROR;
    }
    if (target->had_address) {
        return HOST_UNROUTABLE;
    }
    return four->kind == ANSWER_NOT_FOUND || six->kind == ANSWER_NOT_FOUND ? HOST_NOT_FOUND
                                                                           : HOST_NO_ADDRESS;
}

static enum dns_failure host_failure(const struct dns_lookup *lookup, size_t i)
{
    const struct asked *four = &lookup->asked[1 + 2 * i];
    return four->kind == ANSWER_ERROR ? four->failure : lookup->asked[2 + 2 * i].failure;
}

/* From what the hosts have: one usable is enough; an error anywhere leaves the rest open. */
static void sum_up(const struct dns_lookup *lookup, struct route *route)
{
    size_t counts[HOST_NO_FAMILY + 1] = {0};
    for (size_t i = 0; i < lookup->target_count; i++) {
        route->exchangers[i] = lookup->targets[i].exchanger;
        enum host_status status = host_status_of(lookup, i);
        route->exchangers[i].status = status;
        counts[status]++;
        if (status == HOST_DNS_ERROR) {
            route->failure = host_failure(lookup, i);
        }
    }
    route->exchanger_count = (uint8_t)lookup->target_count;
    if (counts[HOST_OK] + counts[HOST_NO_FAMILY] > 0) {
        route->status = ROUTE_OK;
    } else if (counts[HOST_DNS_ERROR] > 0) {
        route->status = ROUTE_DNS_ERROR;
    } else if (counts[HOST_UNROUTABLE] > 0) {
        route->status = ROUTE_UNROUTABLE;
    } else {
        route->status = ROUTE_NO_HOST;
    }
    if (route->status != ROUTE_DNS_ERROR) {
        route->failure = DNS_FAILURE_NONE;
    }
}

static uint32_t clamp_ttl(const struct dns_lookup *lookup, const struct route *route)
{
    if (route->status == ROUTE_DNS_ERROR) {
        return LOOKUP_ERROR_S;
    }
    return lookup->ttl_s < LOOKUP_TTL_MIN_S ? LOOKUP_TTL_MIN_S : lookup->ttl_s;
}

enum err dns_lookup_take(struct dns_lookup *lookup, struct route **out)
{
    if (!dns_lookup_is_done(lookup)) {
        return ERR_STATE;
    }
    struct route *route =
        calloc(1, sizeof *route + lookup->target_count * sizeof route->exchangers[0]);
    if (route == NULL) {
        return ERR_NOMEM;
    }
    const struct asked *mx = &lookup->asked[0];
    route->is_implicit_mx = lookup->is_implicit_mx;
    if (mx->kind == ANSWER_NOT_FOUND) {
        route->status = ROUTE_NOT_FOUND;
    } else if (mx->kind == ANSWER_ERROR) {
        route->status = ROUTE_DNS_ERROR;
        route->failure = mx->failure;
    } else if (lookup->is_null_mx) {
        route->status = ROUTE_NULL_MX;
    } else {
        sum_up(lookup, route);
    }
    route->ttl_s = clamp_ttl(lookup, route);
    *out = route;
    return ERR_NONE;
}
