/* SPDX-License-Identifier: Apache-2.0 */
#include "zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/reader.h"
#include "base/slice.h"

enum { WORDS = 6, CHAIN_MAX = 12, ANSWER_BYTES = 65536 };

struct line {
    struct slice words[WORDS]; /* empty where there is none */
};

static bool next_line(struct slice *rest, struct line *out)
{
    while (rest->at != NULL) {
        struct slice text = slice_trim(slice_cut(rest, '\n'));
        if (text.len == 0) {
            continue;
        }
        *out = (struct line){0};
        for (size_t i = 0; i < WORDS && text.at != NULL; i++) {
            out->words[i] = slice_cut(&text, ' ');
        }
        return true;
    }
    return false;
}

static const char *type_name(uint16_t type)
{
    return type == DNS_MX ? "MX" : type == DNS_A ? "A" : type == DNS_AAAA ? "AAAA" : "CNAME";
}

static uint32_t number_of(struct slice word)
{
    struct reader r = reader_over(word);
    uint64_t number = 0;
    if (!reader_number(&r, UINT32_MAX, &number)) {
        fail_msg("no number: %.*s", SLICE_ARG(word));
    }
    return (uint32_t)number;
}

static void copy_name(char out[DNS_NAME_BYTES], struct slice name)
{
    bool is_root = slice_equal(name, SLICE("."));
    memcpy(out, name.at, is_root ? 0 : name.len);
    out[is_root ? 0 : name.len] = '\0';
}

static bool is_line_of(const struct line *line, const char *name, const char *type)
{
    return slice_equal(line->words[0], slice_of(name)) &&
           slice_equal(line->words[1], slice_of(type));
}

static void add_record(struct dns_message *message, const struct line *line, uint16_t type)
{
    struct dns_record *record = &message->answers[message->answer_count++];
    *record = (struct dns_record){.type = type, .ttl_s = number_of(line->words[2])};
    copy_name(record->owner, line->words[0]);
    if (type == DNS_MX) {
        record->preference = (uint16_t)number_of(line->words[3]);
        copy_name(record->target, line->words[4]);
    } else if (type == DNS_CNAME) {
        copy_name(record->target, line->words[3]);
    } else if (!ip_parse(line->words[3], &record->ip)) {
        fail_msg("no address: %.*s", SLICE_ARG(line->words[3]));
    }
}

/* The records of a type that the zone has for a name; CNAME: one at most. */
static bool add_records(const char *zone, const char *name, uint16_t type,
                        struct dns_message *message, struct line *out_last)
{
    struct line line;
    bool has_found = false;
    struct slice rest = slice_of(zone);
    while (next_line(&rest, &line) && message->answer_count < DNS_RECORDS_MAX) {
        if (is_line_of(&line, name, type_name(type)) && ascii_is_digit(line.words[2].at[0])) {
            add_record(message, &line, type);
            *out_last = line;
            has_found = true;
        }
    }
    return has_found;
}

static void add_negative(const char *zone, const char *name, struct dns_message *message)
{
    struct line line;
    bool is_known = false;
    struct slice rest = slice_of(zone);
    while (next_line(&rest, &line)) {
        is_known = is_known || slice_equal(line.words[0], slice_of(name));
        if (slice_equal(line.words[1], SLICE("SOA")) && slice_ends(slice_of(name), line.words[0])) {
            message->has_negative_ttl = true;
            message->negative_ttl_s = number_of(line.words[2]);
        }
    }
    message->rcode = is_known ? DNS_NOERROR : DNS_NXDOMAIN;
}

static void fill_answer(const char *zone, const struct dns_question *question,
                        struct dns_message *message)
{
    char name[DNS_NAME_BYTES];
    struct line last;
    copy_name(name, question->name);
    for (size_t i = 0; i < CHAIN_MAX; i++) {
        if (!add_records(zone, name, DNS_CNAME, message, &last)) {
            break;
        }
        if (slice_equal(last.words[4], SLICE("alone"))) {
            return;
        }
        copy_name(name, last.words[3]);
    }
    if (!add_records(zone, name, question->type, message, &last)) {
        add_negative(zone, name, message);
    }
}

/* The word that a zone has in place of records, or an empty slice. */
static struct slice trouble_of(const char *zone, const struct dns_question *question)
{
    struct line line;
    struct slice rest = slice_of(zone);
    while (next_line(&rest, &line)) {
        if (slice_equal(line.words[0], question->name) &&
            slice_equal(line.words[1], slice_of(type_name(question->type))) &&
            !ascii_is_digit(line.words[2].at[0])) {
            return line.words[2];
        }
    }
    return SLICE_NONE;
}

static enum dns_transport transport_of(struct slice trouble)
{
    return slice_equal(trouble, SLICE("timeout"))       ? DNS_TRANSPORT_TIMEOUT
           : slice_equal(trouble, SLICE("unreachable")) ? DNS_TRANSPORT_REFUSED
           : slice_equal(trouble, SLICE("failed"))      ? DNS_TRANSPORT_FAILED
                                                        : DNS_TRANSPORT_ANSWERED;
}

static uint8_t rcode_of(struct slice trouble)
{
    return slice_equal(trouble, SLICE("servfail"))   ? DNS_SERVFAIL
           : slice_equal(trouble, SLICE("refused"))  ? DNS_REFUSED
           : slice_equal(trouble, SLICE("notimp"))   ? DNS_NOTIMP
           : slice_equal(trouble, SLICE("nxdomain")) ? DNS_NXDOMAIN
                                                     : DNS_NOERROR;
}

static void answer(const char *zone, struct dns_lookup *lookup, const struct dns_question *question)
{
    struct slice trouble = trouble_of(zone, question);
    static struct dns_message message;
    message = (struct dns_message){.is_response = true, .question_type = question->type};
    copy_name(message.question, question->name);
    message.rcode = rcode_of(trouble);
    message.is_truncated = slice_equal(trouble, SLICE("cut"));
    message.is_response = !slice_equal(trouble, SLICE("query"));
    if (slice_equal(trouble, SLICE("other"))) {
        copy_name(message.question, SLICE("other.example"));
    }
    if (message.rcode == DNS_NOERROR) {
        fill_answer(zone, question, &message);
    }
    struct buf bytes;
    buf_init(&bytes, ANSWER_BYTES);
    assert_int_equal(dns_message_write(&message, &bytes), ERR_NONE);
    struct slice view = buf_view(&bytes);
    if (slice_equal(trouble, SLICE("garbage"))) {
        view = slice_sub(view, 0, 20);
    }
    dns_lookup_answered(lookup, question->id, transport_of(trouble), view);
    buf_done(&bytes);
}

struct route *zone_look_up(const char *zone, const char *domain,
                           const struct dns_lookup_options *options, enum zone_order order)
{
    struct dns_lookup *lookup;
    struct dns_question open[DNS_LOOKUP_IDS];
    struct route *route = NULL;
    size_t count = 0;
    assert_int_equal(dns_lookup_new(slice_of(domain), options, &lookup), ERR_NONE);
    while (!dns_lookup_is_done(lookup)) {
        assert_int_equal(dns_lookup_take(lookup, &route), ERR_STATE);
        while (count < DNS_LOOKUP_IDS && dns_lookup_next(lookup, &open[count])) {
            count++;
        }
        assert_true(count > 0); /* not done, but nothing to ask: it would wait for ever */
        count--;
        struct dns_question next = open[order == ZONE_LAST ? count : 0];
        if (order == ZONE_FIRST) {
            memmove(open, open + 1, count * sizeof open[0]);
        }
        answer(zone, lookup, &next);
    }
    assert_int_equal(dns_lookup_take(lookup, &route), ERR_NONE);
    dns_lookup_free(lookup);
    return route;
}

static const char *host_status_name(enum host_status status)
{
    switch (status) {
    case HOST_OK: return "ok";
    case HOST_NOT_FOUND: return "not_found";
    case HOST_NO_ADDRESS: return "no_address";
    case HOST_UNROUTABLE: return "unroutable";
    case HOST_DNS_ERROR: return "dns_error";
    case HOST_NO_FAMILY: return "no_family";
    }
    return "unknown";
}

void zone_print(const struct route *route, char out[ZONE_TEXT_BYTES])
{
    struct buf text;
    buf_init(&text, ZONE_TEXT_BYTES - 1);
    const char *failure = dns_failure_name(route->failure);
    bool has_failed = route->failure != DNS_FAILURE_NONE;
    enum err e = buf_printf(&text, "%s%s%s%s %u", route_status_name(route->status),
                            has_failed ? "/" : "", has_failed ? failure : "",
                            route->is_implicit_mx ? " implicit" : "", route->ttl_s);
    for (size_t i = 0; i < route->exchanger_count; i++) {
        const struct exchanger *exchanger = &route->exchangers[i];
        e = e != ERR_NONE ? e
                          : buf_printf(&text, " | %u %s %s", exchanger->preference, exchanger->host,
                                       host_status_name(exchanger->status));
        for (size_t j = 0; j < exchanger->address_count; j++) {
            char ip[IP_TEXT_BYTES];
            e = e != ERR_NONE ? e
                              : buf_printf(&text, " %s", ip_format(&exchanger->addresses[j], ip));
        }
    }
    assert_int_equal(e, ERR_NONE);
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    buf_done(&text);
}
