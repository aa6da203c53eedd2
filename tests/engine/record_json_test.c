/* engine/record_json: a record comes back from its JSON as it was; JSON that is broken or is not a record
 * is refused or read as far as it goes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/record_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "sample_record.h"

enum { OUT_BYTES_MAX = 4 << 20, ROUNDS = 500 };

static void write_record(const struct record *record, struct buf *out)
{
    buf_init(out, OUT_BYTES_MAX);
    assert_int_equal(record_write_json(record, out), ERR_NONE);
}

static void assert_text(struct slice actual, struct slice expected)
{
    if (!slice_equal(actual, expected)) {
        fail_msg("'%.*s' instead of '%.*s'", SLICE_ARG(actual), SLICE_ARG(expected));
    }
}

static void assert_same_signals(const struct verify_signals *a, const struct verify_signals *b)
{
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        assert_int_equal(a->of[i].result, b->of[i].result);
        assert_int_equal(a->of[i].number, b->of[i].number);
    }
}

static void assert_same_smtp(const struct record_smtp *a, const struct record_smtp *b)
{
    assert_int_equal(a->was_tried, b->was_tried);
    assert_text(a->host, b->host);
    assert_memory_equal(&a->ip, &b->ip, sizeof a->ip);
    assert_int_equal(a->port, b->port);
    assert_int_equal(a->stage, b->stage);
    assert_int_equal(a->code, b->code);
    assert_int_equal(a->enhanced.class_digit, b->enhanced.class_digit);
    assert_int_equal(a->enhanced.subject, b->enhanced.subject);
    assert_int_equal(a->enhanced.detail, b->enhanced.detail);
    assert_text(a->text, b->text);
    assert_text(a->rule, b->rule);
    assert_int_equal(a->tls_used, b->tls_used);
    assert_int_equal(a->tls_cert_ok, b->tls_cert_ok);
    assert_text(a->tls_version, b->tls_version);
    assert_text(a->tls_cipher, b->tls_cipher);
    assert_int_equal(a->extensions, b->extensions);
    assert_int_equal(a->attempts, b->attempts);
    assert_text(a->egress, b->egress);
    assert_text(a->helo, b->helo);
    assert_text(a->mail_from, b->mail_from);
    assert_int_equal(a->control_tested, b->control_tested);
    assert_text(a->control_result, b->control_result);
    assert_int_equal(a->control_code, b->control_code);
    assert_int_equal(a->control_count, b->control_count);
    assert_int_equal(a->greylist_seen, b->greylist_seen);
    assert_int_equal(a->greylist_first_at_ms, b->greylist_first_at_ms);
    assert_int_equal(a->greylist_passed_at_ms, b->greylist_passed_at_ms);
    assert_int_equal(a->greylist_waited_s, b->greylist_waited_s);
    assert_memory_equal(a->latency_ms, b->latency_ms, sizeof a->latency_ms);
    assert_int_equal(a->latency_dns_ms, b->latency_dns_ms);
    assert_int_equal(a->latency_control_ms, b->latency_control_ms);
}

static void assert_same_lists(const struct record *a, const struct record *b)
{
    assert_int_equal(a->reason_count, b->reason_count);
    for (size_t i = 0; i < a->reason_count; i++) {
        assert_string_equal(a->reasons[i].code, b->reasons[i].code);
        assert_int_equal(a->reasons[i].effect, b->reasons[i].effect);
        assert_string_equal(a->reasons[i].detail, b->reasons[i].detail);
    }
    assert_int_equal(a->mx_count, b->mx_count);
    for (size_t i = 0; i < a->mx_count; i++) {
        assert_text(a->mx[i].host, b->mx[i].host);
        assert_int_equal(a->mx[i].preference, b->mx[i].preference);
        assert_int_equal(a->mx[i].address_count, b->mx[i].address_count);
        assert_memory_equal(a->mx[i].addresses, b->mx[i].addresses, sizeof a->mx[i].addresses);
    }
    assert_int_equal(a->transcript_count, b->transcript_count);
    for (size_t i = 0; i < a->transcript_count; i++) {
        assert_int_equal(a->transcript[i].t_ms, b->transcript[i].t_ms);
        assert_int_equal(a->transcript[i].direction, b->transcript[i].direction);
        assert_text(a->transcript[i].text, b->transcript[i].text);
    }
}

static void assert_same(const struct record *a, const struct record *b)
{
    assert_text(a->email, b->email);
    assert_text(a->normalized, b->normalized);
    assert_text(a->ascii, b->ascii);
    assert_text(a->local, b->local);
    assert_text(a->domain, b->domain);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->sub, b->sub);
    assert_int_equal(a->block_kind, b->block_kind);
    assert_int_equal(a->skip, b->skip);
    assert_int_equal(a->score, b->score);
    assert_true(a->confidence - b->confidence < 1e-9 && b->confidence - a->confidence < 1e-9);
    assert_text(a->did_you_mean, b->did_you_mean);
    assert_memory_equal(&a->flags, &b->flags, sizeof a->flags);
    assert_text(a->disposable_entry, b->disposable_entry);
    assert_int_equal(a->is_catch_all, b->is_catch_all);
    assert_int_equal(a->is_full, b->is_full);
    assert_int_equal(a->is_disabled, b->is_disabled);
    assert_int_equal(a->has_dns, b->has_dns);
    assert_int_equal(a->route_status, b->route_status);
    assert_int_equal(a->dns_failure, b->dns_failure);
    assert_int_equal(a->is_implicit_mx, b->is_implicit_mx);
    assert_int_equal(a->ttl_s, b->ttl_s);
    assert_text(a->provider_name, b->provider_name);
    assert_text(a->provider_label, b->provider_label);
    assert_text(a->provider_class, b->provider_class);
    assert_int_equal(a->is_gateway, b->is_gateway);
    assert_text(a->provider_trait, b->provider_trait);
    assert_int_equal(a->retry_after_s, b->retry_after_s);
    assert_int_equal(a->checked_at_ms, b->checked_at_ms);
    assert_int_equal(a->expires_at_ms, b->expires_at_ms);
    assert_int_equal(a->is_cached, b->is_cached);
    assert_int_equal(a->duration_ms, b->duration_ms);
    assert_text(a->engine_version, b->engine_version);
    assert_text(a->rules_version, b->rules_version);
    assert_same_lists(a, b);
    assert_same_smtp(&a->smtp, &b->smtp);
    assert_same_signals(&a->signals, &b->signals);
}

static void check_round_trip(const struct record *record)
{
    struct buf json;
    struct record back;
    write_record(record, &json);
    assert_int_equal(record_read_json(buf_view(&json), &back), ERR_NONE);
    assert_same(&back, record);
    record_done(&back);
    buf_done(&json);
}

static void test_full(void **state)
{
    (void)state;
    struct record record;
    sample_record_full(&record);
    check_round_trip(&record);
}

static void test_least(void **state)
{
    (void)state;
    struct record record = {.sub = SUB_ACCEPTED};
    check_round_trip(&record);
}

static void test_every_sub_status(void **state)
{
    (void)state;
    struct record record;
    sample_record_full(&record);
    for (int sub = 0; sub < SUB_COUNT; sub++) {
        record.sub = (enum verdict_sub)sub;
        record.status = verdict_status_of(record.sub);
        check_round_trip(&record);
    }
}

static void test_random(void **state)
{
    (void)state;
    struct random random = {.state = 2026};
    for (int round = 0; round < ROUNDS; round++) {
        struct record record;
        sample_record_random(&random, false, &record);
        check_round_trip(&record);
        record_done(&record);
    }
}

/* Texts of any bytes: valid JSON of one line; what was read has UTF-8 only and comes back as it is. */
static void test_hostile(void **state)
{
    (void)state;
    struct random random = {.state = 666};
    for (int round = 0; round < ROUNDS; round++) {
        struct record record, back;
        struct buf json;
        sample_record_random(&random, true, &record);
        write_record(&record, &json);
        assert_null(memchr(json.at, '\n', json.len));
        assert_int_equal(record_read_json(buf_view(&json), &back), ERR_NONE);
        assert_true(text_is_utf8(back.email) && text_is_utf8(back.smtp.text));
        assert_int_equal(back.transcript_count, record.transcript_count);
        check_round_trip(&back);
        buf_done(&json);
        record_done(&record);
        record_done(&back);
    }
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    struct record record, back;
    struct buf json;
    sample_record_full(&record);
    write_record(&record, &json);
    for (size_t cut = 0; cut < json.len; cut++) {
        assert_int_equal(record_read_json(slice_sub(buf_view(&json), 0, cut), &back), ERR_SYNTAX);
    }
    buf_done(&json);
}

static void test_not_records(void **state)
{
    (void)state;
    static const struct slice cases[] = {
        SLICE_LITERAL(""),
        SLICE_LITERAL("null"),
        SLICE_LITERAL("[]"),
        SLICE_LITERAL("{}"),
        SLICE_LITERAL("\"record\""),
        SLICE_LITERAL("{\"status\":\"deliverable\"}"),
        SLICE_LITERAL("{\"sub_status\":\"accepted\"}"),
        SLICE_LITERAL("{\"status\":\"Deliverable\",\"sub_status\":\"accepted\"}"),
        SLICE_LITERAL("{\"status\":\"deliverable\",\"sub_status\":\"unheard\"}"),
        SLICE_LITERAL("{\"status\":1,\"sub_status\":\"accepted\"}"),
        SLICE_LITERAL("{\"status\":\"risky\",\"status\":\"risky\",\"sub_status\":\"role\"}"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record back;
        assert_int_equal(record_read_json(cases[i], &back), ERR_SYNTAX);
    }
}

/* Every value in its turn replaced by one of a wrong kind or out of all bounds: read or refused, never
 * trusted, and what was read can be written again. */
static void read_and_write(json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT);
    must(text != NULL);
    struct record record;
    enum err e = record_read_json(slice_of(text), &record);
    assert_true(e == ERR_NONE || e == ERR_SYNTAX);
    if (e == ERR_NONE) {
        struct buf again;
        write_record(&record, &again);
        buf_done(&again);
        record_done(&record);
    }
    free(text);
}

static void spoil(json_t *root, json_t *at)
{
    static const char *const wrong[] = {"null",
                                        "-1",
                                        "99999999999999",
                                        "1e300",
                                        "\"\"",
                                        "[]",
                                        "{}",
                                        "[[{}]]",
                                        "[1,null,{\"a\":[]}]",
                                        "true",
                                        "\"\\u0000\\u0000\"",
                                        "\"9999-99-99T99:99:99.999Z\""};
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(at, next, key, value)
    {
        json_incref(value);
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            must(json_object_set_new(
                     at, key, json_loads(wrong[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)) == 0);
            read_and_write(root);
        }
        must(json_object_set_new(at, key, value) == 0);
    }
}

static void test_wrong_kinds(void **state)
{
    (void)state;
    struct record record;
    struct buf json;
    sample_record_full(&record);
    write_record(&record, &json);
    json_t *root = json_loadb(json.at, json.len, 0, NULL);
    must(root != NULL);
    spoil(root, root);
    static const char *const parts[] = {"flags", "dns", "provider", "smtp"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        spoil(root, json_object_get(root, parts[i]));
    }
    static const char *const smtp_parts[] = {"tls", "control", "greylist", "latency_ms"};
    for (size_t i = 0; i < sizeof smtp_parts / sizeof smtp_parts[0]; i++) {
        spoil(root, json_object_get(json_object_get(root, "smtp"), smtp_parts[i]));
    }
    spoil(root, json_array_get(json_object_get(root, "reasons"), 0));
    spoil(root, json_array_get(json_object_get(root, "transcript"), 0));
    spoil(root, json_array_get(json_object_get(json_object_get(root, "dns"), "mx"), 0));
    json_decref(root);
    buf_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_every_sub_status),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_not_records),
        cmocka_unit_test(test_wrong_kinds),
    };
    return cmocka_run_group_tests_name("engine/record_json", tests, NULL, NULL);
}
