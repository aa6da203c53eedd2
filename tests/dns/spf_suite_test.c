/* The public test suite of RFC 7208 (data/README.md), all of it, through the machine that everything here asks:
 * results and explanations. How its zones are meant: "SPF" is a TXT record where the name has no TXT of its own, and
 * "NONE" is none; TIMEOUT is what befalls questions that no record before it answers; a name that is not there does
 * not exist.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/spf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include <cmocka.h>

#include "base/slice.h"

enum {
    WIRE_BYTES = 1 << 18,
    TEXT_BYTES = 8192,
    QUESTIONS_MAX = 400,
    CASES = 203, /* of the release of 2019 */
};

static const char *suite; /* the path of the file */

/* ---- YAML ---- */

struct node {
    yaml_document_t *document;
    yaml_node_t *at; /* NULL: there is none */
};

static struct slice scalar(struct node node)
{
    if (node.at == NULL || node.at->type != YAML_SCALAR_NODE) {
        return SLICE_NONE;
    }
    return slice_make((const char *)node.at->data.scalar.value, node.at->data.scalar.length);
}

static struct node node_of(struct node parent, int id)
{
    return (struct node){parent.document, yaml_document_get_node(parent.document, id)};
}

static size_t pair_count(struct node map)
{
    return (size_t)(map.at->data.mapping.pairs.top - map.at->data.mapping.pairs.start);
}

static struct slice pair_key(struct node map, size_t i)
{
    return scalar(node_of(map, map.at->data.mapping.pairs.start[i].key));
}

static struct node pair_value(struct node map, size_t i)
{
    return node_of(map, map.at->data.mapping.pairs.start[i].value);
}

/* The records of a name, as dns/message writes names; the file has spaces in one. */
static struct node records_of(struct node zone, struct slice name)
{
    char key[DNS_NAME_BYTES];
    for (size_t i = 0; i < pair_count(zone); i++) {
        struct slice text = pair_key(zone, i);
        size_t len = 0;
        for (size_t j = 0; j < text.len && len + 4 < sizeof key; j++) {
            bool is_space = text.at[j] == ' ';
            memcpy(key + len, is_space ? "\\032" : text.at + j, is_space ? 4 : 1);
            len += is_space ? 4 : 1;
        }
        if (slice_equal_nocase(slice_make(key, len), name)) {
            return pair_value(zone, i);
        }
    }
    return (struct node){zone.document, NULL};
}

static struct node member(struct node map, const char *name)
{
    for (size_t i = 0; i < pair_count(map); i++) {
        if (slice_equal_nocase(pair_key(map, i), slice_of(name))) {
            return pair_value(map, i);
        }
    }
    return (struct node){map.document, NULL};
}

/* A list's items, or the one value that stands for it. */
static size_t item_count(struct node node)
{
    bool is_list = node.at->type == YAML_SEQUENCE_NODE;
    return !is_list
               ? 1
               : (size_t)(node.at->data.sequence.items.top - node.at->data.sequence.items.start);
}

static struct node item(struct node node, size_t i)
{
    bool is_list = node.at->type == YAML_SEQUENCE_NODE;
    return !is_list ? node : node_of(node, node.at->data.sequence.items.start[i]);
}

/* ---- the zone of a scenario ---- */

static uint16_t type_of(struct slice word)
{
    static const struct {
        const char *word;
        uint16_t type;
    } types[] = {{"A", DNS_A},     {"AAAA", DNS_AAAA},   {"MX", DNS_MX},  {"PTR", DNS_PTR},
                 {"TXT", DNS_TXT}, {"CNAME", DNS_CNAME}, {"SPF", DNS_TXT}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (slice_equal(word, slice_of(types[i].word))) {
            return types[i].type;
        }
    }
    fail_msg("a record of type %.*s", SLICE_ARG(word));
    return 0;
}

static void copy_name(char out[DNS_NAME_BYTES], struct slice name)
{
    assert_true(name.len < DNS_NAME_BYTES);
    memcpy(out, name.at, name.len);
    out[name.len] = '\0';
}

/* The strings, each behind its length; one that is too long for that becomes several. */
static struct slice wire_text(struct node value, char room[TEXT_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < item_count(value); i++) {
        struct slice text = scalar(item(value, i));
        do {
            size_t n = text.len < 255 ? text.len : 255;
            assert_true(len + 1 + n < TEXT_BYTES);
            room[len++] = (char)n;
            memcpy(room + len, text.at, n);
            len += n;
            text = slice_sub(text, n, text.len);
        } while (text.len > 0);
    }
    return slice_make(room, len);
}

static void add_record(struct dns_message *message, uint16_t type, struct slice owner,
                       struct node value)
{
    static char texts[DNS_RECORDS_MAX][TEXT_BYTES];
    struct dns_record *record = &message->answers[message->answer_count];
    *record = (struct dns_record){.type = type, .ttl_s = 300};
    copy_name(record->owner, owner);
    if (type == DNS_TXT) {
        record->text = wire_text(value, texts[message->answer_count]);
    } else if (type == DNS_A || type == DNS_AAAA) {
        assert_true(ip_parse(scalar(value), &record->ip));
    } else {
        copy_name(record->target, scalar(item(value, item_count(value) - 1)));
    }
    message->answer_count++;
}

static bool has_own_text(struct node records)
{
    for (size_t i = 0; i < item_count(records); i++) {
        struct node record = item(records, i);
        if (record.at->type == YAML_MAPPING_NODE &&
            slice_equal(pair_key(record, 0), SLICE("TXT"))) {
            return true;
        }
    }
    return false;
}

/* False: silence. */
static bool look_up(struct node records, struct slice name, uint16_t type, struct dns_message *out)
{
    bool has_text = has_own_text(records);
    bool is_silent = false;
    for (size_t i = 0; i < item_count(records); i++) {
        struct node record = item(records, i);
        if (record.at->type == YAML_SCALAR_NODE) {
            is_silent = is_silent || out->answer_count == 0;
            continue;
        }
        struct slice word = pair_key(record, 0);
        struct node value = pair_value(record, 0);
        uint16_t of = type_of(word);
        bool is_left_out = (slice_equal(word, SLICE("SPF")) && has_text) ||
                           slice_equal(scalar(value), SLICE("NONE"));
        if (!is_left_out && (of == type || of == DNS_CNAME)) {
            add_record(out, of, name, value);
        }
    }
    return !is_silent || out->answer_count > 0;
}

static void answer(struct spf *spf, struct node zone, struct slice name, uint16_t type)
{
    static struct dns_message message;
    struct buf wire;
    struct node records = records_of(zone, name);
    message = (struct dns_message){.id = 1, .is_response = true, .question_type = type};
    copy_name(message.question, name);
    message.rcode = records.at == NULL ? DNS_NXDOMAIN : DNS_NOERROR;
    bool is_answered = records.at == NULL || look_up(records, name, type, &message);
    buf_init(&wire, WIRE_BYTES);
    assert_int_equal(dns_message_write(&message, &wire), ERR_NONE);
    spf_answered(spf, is_answered ? DNS_TRANSPORT_ANSWERED : DNS_TRANSPORT_TIMEOUT,
                 is_answered ? buf_view(&wire) : SLICE_NONE);
    buf_done(&wire);
}

/* ---- the cases ---- */

static struct spf *evaluate(struct node zone, struct node test)
{
    struct spf_request request = {
        .sender = scalar(member(test, "mailfrom")),
        .helo = scalar(member(test, "helo")),
        .wants_explanation = true,
        .receiver = SLICE("receiver.example"),
        .now_s = 1111111111,
    };
    struct spf *spf;
    struct slice name;
    uint16_t type;
    unsigned count = 0;
    assert_true(ip_parse(scalar(member(test, "host")), &request.ip));
    assert_int_equal(spf_new(&request, &spf), ERR_NONE);
    while (spf_next(spf, &name, &type)) {
        assert_true(++count < QUESTIONS_MAX);
        answer(spf, zone, name, type);
    }
    assert_true(spf_is_done(spf));
    return spf;
}

static bool is_among(struct node results, const char *result)
{
    for (size_t i = 0; i < item_count(results); i++) {
        if (slice_equal(scalar(item(results, i)), slice_of(result))) {
            return true;
        }
    }
    return false;
}

/* 1: it is not as the suite says. */
static unsigned check_case(struct node zone, struct slice name, struct node test)
{
    struct spf *spf = evaluate(zone, test);
    const struct spf_outcome *outcome = spf_outcome(spf);
    struct slice explained =
        outcome->explanation[0] == '\0' ? SLICE("DEFAULT") : slice_of(outcome->explanation);
    struct node wanted = member(test, "explanation");
    bool is_right = is_among(member(test, "result"), spf_result_name(outcome->result)) &&
                    (wanted.at == NULL || slice_equal(scalar(wanted), explained));
    if (!is_right) {
        print_error("%.*s: %s, term '%s', %s, explained '%.*s'\n", SLICE_ARG(name),
                    spf_result_name(outcome->result), outcome->term, spf_fault_text(outcome->fault),
                    SLICE_ARG(explained));
    }
    spf_free(spf);
    return is_right ? 0 : 1;
}

static unsigned check_scenario(struct node scenario, unsigned *cases)
{
    unsigned wrong = 0;
    struct node tests = member(scenario, "tests");
    struct node zone = member(scenario, "zonedata");
    for (size_t i = 0; i < pair_count(tests); i++) {
        wrong += check_case(zone, pair_key(tests, i), pair_value(tests, i));
        (*cases)++;
    }
    return wrong;
}

static void every_case_of_the_public_suite_holds(void **state)
{
    (void)state;
    FILE *file = fopen(suite, "rb");
    yaml_parser_t parser;
    unsigned cases = 0;
    unsigned wrong = 0;
    assert_non_null(file);
    assert_true(yaml_parser_initialize(&parser));
    yaml_parser_set_input_file(&parser, file);
    for (;;) {
        yaml_document_t document;
        assert_true(yaml_parser_load(&parser, &document));
        struct node root = {&document, yaml_document_get_root_node(&document)};
        bool is_end = root.at == NULL;
        if (!is_end) {
            wrong += check_scenario(root, &cases);
        }
        yaml_document_delete(&document);
        if (is_end) {
            break;
        }
    }
    yaml_parser_delete(&parser);
    (void)fclose(file);
    assert_int_equal(cases, CASES);
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_of_the_public_suite_holds)};
    if (argc != 2) {
        return EXIT_FAILURE;
    }
    suite = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
