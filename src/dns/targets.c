/* dns/targets: the hosts of a lookup: their order, which of their addresses may be used, what they come to.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/slice.h"
#include "dns/lookup_private.h"

struct target *dns_target_add(struct dns_lookup *lookup, const char *host, uint16_t preference)
{
    struct target *target = &lookup->targets[lookup->target_count++];
    memcpy(target->exchanger.host, host, strlen(host) + 1);
    target->exchanger.preference = preference;
    target->exchanger.status = HOST_OK;
    target->exchanger.address_count = 0;
    target->is_literal = false;
    target->had_address = false;
    target->had_allowed = false;
    return target;
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

/* IPv4 before IPv6, whichever answer came first; a name is worth the same address once. */
static void keep_address(struct exchanger *exchanger, const struct ip *ip)
{
    size_t place = exchanger->address_count;
    for (size_t i = exchanger->address_count; i > 0; i--) {
        const struct ip *other = &exchanger->addresses[i - 1];
        if (ip_equal(other, ip)) {
            return;
        }
        if (ip->family == IP_V4 && other->family == IP_V6) {
            place = i - 1;
        }
    }
    if (place == ROUTE_ADDRESSES_MAX) {
        return;
    }
    if (exchanger->address_count < ROUTE_ADDRESSES_MAX) {
        exchanger->address_count++;
    }
    for (size_t i = exchanger->address_count - 1u; i > place; i--) {
        exchanger->addresses[i] = exchanger->addresses[i - 1];
    }
    exchanger->addresses[place] = *ip;
}

void dns_target_add_address(struct dns_lookup *lookup, struct target *target, const struct ip *ip)
{
    bool has_family = ip->family == IP_V4 ? lookup->options.can_ipv4 : lookup->options.can_ipv6;
    target->had_address = true;
    if (!is_allowed(lookup, ip)) {
        return;
    }
    target->had_allowed = true;
    if (has_family) {
        keep_address(&target->exchanger, ip);
    }
}

/* Listed twice: the better preference counts. True: there is nothing left to do. */
static bool is_listed_better(struct dns_lookup *lookup, const struct dns_record *record)
{
    for (size_t i = 0; i < lookup->target_count; i++) {
        const struct exchanger *exchanger = &lookup->targets[i].exchanger;
        if (strcmp(exchanger->host, record->target) != 0) {
            continue;
        }
        if (exchanger->preference <= record->preference) {
            return true;
        }
        lookup->target_count--;
        memmove(&lookup->targets[i], &lookup->targets[i + 1],
                (lookup->target_count - i) * sizeof lookup->targets[0]);
        return false;
    }
    return false;
}

void dns_target_insert(struct dns_lookup *lookup, const struct dns_record *record)
{
    if (is_listed_better(lookup, record)) {
        return;
    }
    if (lookup->target_count == ROUTE_EXCHANGERS_MAX) {
        const struct target *last = &lookup->targets[ROUTE_EXCHANGERS_MAX - 1];
        if (record->preference >= last->exchanger.preference) {
            return;
        }
        lookup->target_count--;
    }
    const struct target *last = dns_target_add(lookup, record->target, record->preference);
    size_t behind = lookup->target_count - 1;
    size_t place = behind;
    while (place > 0 && lookup->targets[place - 1].exchanger.preference > record->preference) {
        place--;
    }
    if (place < behind) {
        struct target added = *last;
        memmove(&lookup->targets[place + 1], &lookup->targets[place],
                (behind - place) * sizeof added);
        lookup->targets[place] = added;
    }
}

void dns_target_shuffle(struct dns_lookup *lookup)
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

static const struct asked *asked_four(const struct dns_lookup *lookup, size_t i)
{
    return &lookup->asked[1 + 2 * i];
}

static const struct asked *asked_six(const struct dns_lookup *lookup, size_t i)
{
    return &lookup->asked[2 + 2 * i];
}

/* A family that we speak is still unknown. */
static bool has_open_family(const struct dns_lookup *lookup, size_t i)
{
    return (lookup->options.can_ipv4 && asked_four(lookup, i)->kind == DNS_ANSWER_ERROR) ||
           (lookup->options.can_ipv6 && asked_six(lookup, i)->kind == DNS_ANSWER_ERROR);
}

static enum host_status host_status_of(const struct dns_lookup *lookup, size_t i)
{
    const struct target *target = &lookup->targets[i];
    enum dns_answer_kind four = asked_four(lookup, i)->kind;
    enum dns_answer_kind six = asked_six(lookup, i)->kind;
    if (target->exchanger.address_count > 0) {
        return HOST_OK;
    }
    if (has_open_family(lookup, i)) {
        return HOST_DNS_ERROR;
    }
    if (target->had_allowed) {
        return HOST_NO_FAMILY;
    }
    if (target->is_literal) {
        return HOST_UNROUTABLE;
    }
    if (four == DNS_ANSWER_ERROR || six == DNS_ANSWER_ERROR) {
        return HOST_DNS_ERROR;
    }
    if (target->had_address) {
        return HOST_UNROUTABLE;
    }
    return four == DNS_ANSWER_NOT_FOUND || six == DNS_ANSWER_NOT_FOUND ? HOST_NOT_FOUND
                                                                       : HOST_NO_ADDRESS;
}

static enum dns_failure host_failure(const struct dns_lookup *lookup, size_t i)
{
    const struct asked *four = asked_four(lookup, i);
    return four->kind == DNS_ANSWER_ERROR ? four->failure : asked_six(lookup, i)->failure;
}

void dns_target_sum_up(const struct dns_lookup *lookup, struct route *route)
{
    size_t counts[HOST_NO_FAMILY + 1] = {0};
    enum dns_failure failure = DNS_FAILURE_NONE;
    for (size_t i = 0; i < lookup->target_count; i++) {
        exchanger_copy(&route->exchangers[i], &lookup->targets[i].exchanger);
        enum host_status status = host_status_of(lookup, i);
        route->exchangers[i].status = status;
        counts[status]++;
        if (status == HOST_DNS_ERROR && failure == DNS_FAILURE_NONE) {
            failure = host_failure(lookup, i); /* of the best one */
        }
    }
    route->exchanger_count = (uint8_t)lookup->target_count;
    /* NOLINTNEXTLINE(bugprone-branch-clone): the order of these lines is the order of precedence */
    if (counts[HOST_OK] > 0) {
        route->status = ROUTE_OK;
    } else if (counts[HOST_DNS_ERROR] > 0) {
        route->status = ROUTE_DNS_ERROR;
        route->failure = failure;
    } else if (counts[HOST_NO_FAMILY] > 0) {
        route->status = ROUTE_OK;
    } else {
        route->status = counts[HOST_UNROUTABLE] > 0 ? ROUTE_UNROUTABLE : ROUTE_NO_HOST;
    }
}
