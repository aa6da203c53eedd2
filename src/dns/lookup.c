/* dns/lookup: the questions and what their answers say; what is known of the hosts is in dns/targets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "dns/lookup_private.h"

enum {
    LOOKUP_CNAMES_MAX = 8, /* links followed for one name; more is a loop (RFC 1034 3.6.2) */
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

static void want(struct dns_lookup *lookup, unsigned id, const char *name, uint16_t type)
{
    struct asked *asked = &lookup->asked[id];
    *asked = (struct asked){.type = type, .is_wanted = true};
    memcpy(asked->name, name, strlen(name) + 1);
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
    bool is_over = asked->kind == ANSWER_NO_DATA || asked->kind == ANSWER_ERROR;
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
}

enum err dns_lookup_new(struct slice domain, const struct dns_lookup_options *options,
                        struct dns_lookup **out)
{
    char name[DNS_NAME_BYTES];
    if (!copy_domain(domain, name)) {
        return ERR_SYNTAX;
    }
    struct slice text = slice_of(name);
    bool is_literal = text.at[0] == '[';
    if (is_literal && (text.len < 3 || !slice_ends(text, SLICE("]")))) {
        return ERR_SYNTAX;
    }
    struct dns_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        return ERR_NOMEM;
    }
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

static void use_domain_itself(struct dns_lookup *lookup)
{
    lookup->is_implicit_mx = true;
    (void)dns_target_add(lookup, lookup->domain, 0);
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
            dns_target_add_address(lookup, target, &record->ip);
        }
    }
}

/* A cut answer is none: whoever carries the questions asks again over TCP (RFC 2181 9, 7766). */
static bool is_answer_to(const struct dns_message *message, const struct asked *asked)
{
    bool has_question = message->question_type != 0;
    return message->is_response && !message->is_truncated &&
           (!has_question ||
            (message->question_type == asked->type && strcmp(message->question, asked->name) == 0));
}

void dns_lookup_answered(struct dns_lookup *lookup, unsigned id, enum dns_transport transport,
                         struct slice message)
{
    must(id < DNS_LOOKUP_IDS && lookup->asked[id].is_sent);
    struct asked *asked = &lookup->asked[id];
    if (asked->kind != ANSWER_OPEN) {
        return;
    }
    struct dns_message read;
    if (transport != DNS_TRANSPORT_ANSWERED) {
        set_error(asked, failure_of(transport));
        ask_ipv6_after_all(lookup, id);
        return;
    }
    if (dns_message_parse(message, &read) != ERR_NONE || !is_answer_to(&read, asked)) {
        set_error(asked, DNS_FAILURE_BROKEN);
        ask_ipv6_after_all(lookup, id);
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
    ask_ipv6_after_all(lookup, id);
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
        dns_target_sum_up(lookup, route);
    }
    route->ttl_s = clamp_ttl(lookup, route);
    *out = route;
    return ERR_NONE;
}
