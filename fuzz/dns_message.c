/* fuzz/dns_message: any bytes as a DNS message. What can be read is written and read again the same; and it
 * is given to a lookup as the answer to each of its questions, which must come to an end.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "dns/lookup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    WIRE_BYTES = 1 << 20,
    QUESTIONS_MAX = 16 * DNS_LOOKUP_IDS, /* far above what eight links for each name can make */
};

static void check_record(const struct dns_record *a, const struct dns_record *b)
{
    must(a->type == b->type && a->ttl_s == b->ttl_s && a->preference == b->preference);
    must(strcmp(a->owner, b->owner) == 0 && strcmp(a->target, b->target) == 0);
    must(a->minimum_s == b->minimum_s && memcmp(&a->ip, &b->ip, sizeof a->ip) == 0);
    must(slice_equal(a->text, b->text) && a->weight == b->weight && a->port == b->port);
}

static void check_round_trip(const struct dns_message *message)
{
    static struct dns_message again;
    struct buf out;
    buf_init(&out, WIRE_BYTES);
    must(dns_message_write(message, &out) == ERR_NONE);
    must(dns_message_parse(buf_view(&out), &again) == ERR_NONE);
    must(again.id == message->id && again.answer_count == message->answer_count);
    must(again.is_response == message->is_response);
    must(!message->is_response || again.rcode == message->rcode);
    must(message->question_type == 0 || strcmp(again.question, message->question) == 0);
    must(again.question_type == message->question_type);
    must(again.has_negative_ttl == message->has_negative_ttl);
    must(again.negative_ttl_s == message->negative_ttl_s);
    for (size_t i = 0; i < message->answer_count; i++) {
        check_record(&message->answers[i], &again.answers[i]);
    }
    buf_done(&out);
}

static void check_route(const struct route *route)
{
    must(route->exchanger_count <= ROUTE_EXCHANGERS_MAX);
    must((route->status == ROUTE_DNS_ERROR) == (route->failure != DNS_FAILURE_NONE));
    must(route->ttl_s >= 60 && route->ttl_s <= 86400);
    for (size_t i = 0; i < route->exchanger_count; i++) {
        const struct exchanger *exchanger = &route->exchangers[i];
        must((exchanger->status == HOST_OK) == (exchanger->address_count > 0));
        must(i == 0 || route->exchangers[i - 1].preference <= exchanger->preference);
        for (size_t j = 0; j < exchanger->address_count; j++) {
            must(!ip_is_special(&exchanger->addresses[j]));
        }
    }
}

static void check_lookup(struct slice bytes, const struct dns_message *message, uint8_t seed)
{
    const struct dns_lookup_options options = {
        .can_ipv4 = (seed & 1) == 0, .can_ipv6 = (seed & 2) == 0, .seed = seed};
    struct dns_lookup *lookup;
    struct dns_question question;
    struct route *route;
    if (dns_lookup_new(slice_of(message->question), &options, &lookup) != ERR_NONE) {
        return;
    }
    unsigned count = 0;
    while (dns_lookup_next(lookup, &question)) {
        must(++count < QUESTIONS_MAX);

        dns_lookup_answered(lookup, question.id, DNS_TRANSPORT_ANSWERED, bytes);
    }
    must(dns_lookup_take(lookup, &route) == ERR_NONE);
    check_route(route);
    route_free(route);
    dns_lookup_free(lookup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns_message message;
    struct slice bytes = slice_make((const char *)data, size);
    if (dns_message_parse(bytes, &message) != ERR_NONE) {
        return 0;
    }
    check_round_trip(&message);
    check_lookup(bytes, &message, data[0]);
    /* Without its question it is an answer to anything. */
    message.question_type = 0;
    message.is_response = true;
    message.is_truncated = false;
    struct buf out;
    buf_init(&out, WIRE_BYTES);
    must(dns_message_write(&message, &out) == ERR_NONE);
    check_lookup(buf_view(&out), &message, data[0]);
    buf_done(&out);
    return 0;
}
