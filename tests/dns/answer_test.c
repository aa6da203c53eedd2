/* Answers to one question, from messages as resolvers send them; TTLs, aliases and trouble kept apart.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

enum { WIRE_BYTES = 65536, RECORDS = 12 };

struct row {
    const char *name;
    uint16_t type;
    uint8_t rcode;
    struct {
        const char *owner;
        uint16_t type;
        uint32_t ttl_s;
        const char *target;
    } records[RECORDS];
    bool has_soa;
    const char *says; /* "KIND NAME ALIASES TTL RECORDS", TTL 0: none */
};

static const char *const kind_names[] = {"open", "records", "not_found", "no_data", "cut", "error"};

#define LINK(n, m)                        \
    {                                     \
        "c" #n, DNS_CNAME, 300, "c" #m "" \
    }

static const struct row rows[] = {
    {"two records",
     DNS_MX,
     0,
     {{"x", DNS_MX, 300, "a"}, {"x", DNS_MX, 200, "b"}},
     false,
     "records x 0 200 2"},
    {"records of other names and types do not count",
     DNS_MX,
     0,
     {{"y", DNS_MX, 10, "a"}, {"x", DNS_NS, 10, "b"}, {"x", DNS_MX, 200, "b"}},
     false,
     "records x 0 200 1"},
    {"an alias and its end, in any order",
     DNS_MX,
     0,
     {{"y", DNS_MX, 100, "a"}, {"x", DNS_CNAME, 50, "y"}},
     false,
     "records y 1 50 1"},
    {"an alias asked for is the record",
     DNS_CNAME,
     0,
     {{"x", DNS_CNAME, 50, "y"}},
     false,
     "records x 0 50 1"},
    {"nothing there", DNS_MX, 0, {{0}}, true, "no_data x 0 0 0"},
    {"nothing there, without proof", DNS_MX, 0, {{0}}, false, "no_data x 0 0 0"},
    {"no such name", DNS_MX, DNS_NXDOMAIN, {{0}}, true, "not_found x 0 0 0"},
    {"an alias to nowhere",
     DNS_MX,
     DNS_NXDOMAIN,
     {{"x", DNS_CNAME, 50, "y"}},
     false,
     "not_found y 1 50 0"},
    {"an alias to what has none", DNS_MX, 0, {{"x", DNS_CNAME, 50, "y"}}, true, "no_data y 1 50 0"},
    {"an alias alone: its end is to be asked for",
     DNS_MX,
     0,
     {{"x", DNS_CNAME, 50, "y"}},
     false,
     "cut y 1 50 0"},
    {"a circle",
     DNS_MX,
     0,
     {{"x", DNS_CNAME, 50, "y"}, {"y", DNS_CNAME, 50, "x"}},
     false,
     "error servfail 0"},
    {"eight links",
     DNS_MX,
     0,
     {{"x", DNS_CNAME, 300, "c1"},
      LINK(1, 2),
      LINK(2, 3),
      LINK(3, 4),
      LINK(4, 5),
      LINK(5, 6),
      LINK(6, 7),
      LINK(7, 8),
      {"c8", DNS_MX, 300, "a"}},
     false,
     "records c8 8 300 1"},
    {"nine links",
     DNS_MX,
     0,
     {{"x", DNS_CNAME, 300, "c1"},
      LINK(1, 2),
      LINK(2, 3),
      LINK(3, 4),
      LINK(4, 5),
      LINK(5, 6),
      LINK(6, 7),
      LINK(7, 8),
      LINK(8, 9),
      {"c9", DNS_MX, 300, "a"}},
     false,
     "error servfail 0"},
    {"SERVFAIL", DNS_MX, DNS_SERVFAIL, {{0}}, false, "error servfail 0"},
    {"REFUSED", DNS_MX, DNS_REFUSED, {{"x", DNS_MX, 300, "a"}}, false, "error refused 0"},
    {"NOTIMP", DNS_MX, DNS_NOTIMP, {{0}}, false, "error servfail 0"},
};

static void build(const struct row *row, struct dns_message *out)
{
    *out = (struct dns_message){.id = 7,
                                .is_response = true,
                                .rcode = row->rcode,
                                .question = "x",
                                .question_type = row->type,
                                .has_negative_ttl = row->has_soa,
                                .negative_ttl_s = 60};
    for (size_t i = 0; i < RECORDS && row->records[i].owner != NULL; i++) {
        struct dns_record *record = &out->answers[out->answer_count++];
        record->type = row->records[i].type;
        record->ttl_s = row->records[i].ttl_s;
        (void)snprintf(record->owner, sizeof record->owner, "%s", row->records[i].owner);
        (void)snprintf(record->target, sizeof record->target, "%s", row->records[i].target);
    }
}

static void print(const struct dns_answer *answer, char out[600])
{
    unsigned count = 0;
    for (const struct dns_record *at = dns_answer_next(answer, NULL); at != NULL;
         at = dns_answer_next(answer, at)) {
        count++;
    }
    if (answer->kind == DNS_ANSWER_ERROR) {
        (void)snprintf(out, 600, "error %s %u", dns_failure_name(answer->failure), count);
        return;
    }
    (void)snprintf(out, 600, "%s %s %u %u %u", kind_names[answer->kind], answer->name,
                   answer->aliases, answer->ttl_s == UINT32_MAX ? 0 : answer->ttl_s, count);
}

static void read_message(const struct dns_message *message, const char *name, uint16_t type,
                         struct dns_answer *out)
{
    struct buf wire;
    buf_init(&wire, WIRE_BYTES);
    assert_int_equal(dns_message_write(message, &wire), ERR_NONE);
    dns_answer_read(name, type, DNS_TRANSPORT_ANSWERED, buf_view(&wire), out);
    buf_done(&wire);
}

static void answers_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static struct dns_message message;
        static struct dns_answer answer;
        char text[600];
        build(&rows[i], &message);
        read_message(&message, "x", rows[i].type, &answer);
        print(&answer, text);
        if (strcmp(text, rows[i].says) != 0) {
            fail_msg("%s: is %s, wanted %s", rows[i].name, text, rows[i].says);
        }
    }
}

static void answers_to_others_are_none(void **state)
{
    (void)state;
    static struct dns_message message;
    static struct dns_answer answer;
    build(&rows[0], &message);
    read_message(&message, "y", DNS_MX, &answer);
    assert_int_equal(answer.failure, DNS_FAILURE_BROKEN);
    read_message(&message, "x", DNS_A, &answer);
    assert_int_equal(answer.failure, DNS_FAILURE_BROKEN);
    message.is_truncated = true;
    read_message(&message, "x", DNS_MX, &answer);
    assert_int_equal(answer.failure, DNS_FAILURE_BROKEN);
    message.is_truncated = false;
    message.is_response = false;
    read_message(&message, "x", DNS_MX, &answer);
    assert_int_equal(answer.failure, DNS_FAILURE_BROKEN);
    assert_null(dns_answer_next(&answer, NULL));
}

static void trouble_on_the_way_is_kept_apart(void **state)
{
    (void)state;
    static const struct {
        enum dns_transport transport;
        enum dns_failure failure;
    } cases[] = {
        {DNS_TRANSPORT_TIMEOUT, DNS_FAILURE_TIMEOUT},
        {DNS_TRANSPORT_REFUSED, DNS_FAILURE_REFUSED},
        {DNS_TRANSPORT_FAILED, DNS_FAILURE_BROKEN},
        {DNS_TRANSPORT_ANSWERED, DNS_FAILURE_BROKEN}, /* no bytes */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct dns_answer answer;
        dns_answer_read("x", DNS_MX, cases[i].transport, SLICE_NONE, &answer);
        assert_int_equal(answer.kind, DNS_ANSWER_ERROR);
        assert_int_equal(answer.failure, cases[i].failure);
        assert_null(dns_answer_next(&answer, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_judged),
        cmocka_unit_test(answers_to_others_are_none),
        cmocka_unit_test(trouble_on_the_way_is_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
