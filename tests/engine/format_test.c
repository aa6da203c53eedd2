/* engine/format: the shapes of other services for every sub-status, word by word, and the fields that come from
 * elsewhere in the record. The words are those of docs/verdicts.md, kept here a second time on purpose.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/slice.h"
#include "engine/record_json.h"
#include "sample_record.h"

enum { OUT_BYTES_MAX = 4 << 20, ROUNDS = 200 };

typedef enum err (*write_fn)(const struct record *record, struct buf *out);

static const write_fn writers[] = {record_write_reacher, record_write_zerobounce,
                                   record_write_kickbox, record_write_neverbounce};

enum { WRITER_COUNT = sizeof writers / sizeof writers[0] };

static json_t *written(write_fn write, const struct record *record)
{
    struct buf out;
    buf_init(&out, OUT_BYTES_MAX);
    assert_int_equal(write(record, &out), ERR_NONE);
    assert_null(memchr(out.at, '\n', out.len));
    json_error_t error;
    json_t *root = json_loadb(out.at, out.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (root == NULL) {
        fail_msg("%s: %.*s", error.text, (int)out.len, out.at);
    }
    buf_done(&out);
    return root;
}

/* path: keys with '.' between them. */
static const json_t *at(const json_t *root, const char *path)
{
    struct slice rest = slice_of(path);
    while (rest.at != NULL) {
        char key[64] = {0};
        struct slice word = slice_cut(&rest, '.');
        memcpy(key, word.at, word.len < sizeof key ? word.len : sizeof key - 1);
        root = json_object_get(root, key);
    }
    if (root == NULL) {
        fail_msg("no field %s", path);
    }
    return root;
}

static void assert_word(const json_t *root, const char *path, const char *expected)
{
    const json_t *value = at(root, path);
    assert_true(json_is_string(value));
    assert_string_equal(json_string_value(value), expected);
}

static void assert_truth(const json_t *root, const char *path, bool expected)
{
    const json_t *value = at(root, path);
    assert_true(json_is_boolean(value));
    if (json_is_true(value) != expected) {
        fail_msg("%s is %s", path, expected ? "false" : "true");
    }
}

static bool has_flag(const json_t *root, const char *name)
{
    size_t i;
    json_t *flag;
    json_array_foreach(at(root, "flags"), i, flag)
    {
        if (strcmp(json_string_value(flag), name) == 0) {
            return true;
        }
    }
    return false;
}

static const struct mapping {
    const char *sub, *reacher, *zerobounce, *zerobounce_sub, *kickbox, *kickbox_reason,
        *neverbounce;
} mappings[] = {
    {"accepted", "safe", "valid", "", "deliverable", "accepted_email", "valid"},
    {"accepted_rate_limited", "safe", "valid", "", "deliverable", "accepted_email", "valid"},
    {"accepted_forward", "safe", "valid", "alias_address", "deliverable", "accepted_email",
     "valid"},
    {"catch_all", "risky", "catch-all", "", "risky", "low_deliverability", "catchall"},
    {"accepts_all_provider", "risky", "catch-all", "", "risky", "low_deliverability", "catchall"},
    {"accepted_unconfirmed", "risky", "unknown", "antispam_system", "risky", "low_deliverability",
     "unknown"},
    {"mailbox_full", "risky", "invalid", "mailbox_quota_exceeded", "risky", "low_deliverability",
     "invalid"},
    {"disposable", "risky", "do_not_mail", "disposable", "risky", "low_quality", "disposable"},
    {"role", "risky", "do_not_mail", "role_based", "risky", "low_quality", "valid"},
    {"suppressed", "risky", "do_not_mail", "global_suppression", "risky", "low_quality", "invalid"},
    {"mailbox_not_found", "invalid", "invalid", "mailbox_not_found", "undeliverable",
     "rejected_email", "invalid"},
    {"mailbox_disabled", "invalid", "invalid", "mailbox_not_found", "undeliverable",
     "rejected_email", "invalid"},
    {"mailbox_moved", "invalid", "invalid", "mailbox_not_found", "undeliverable", "rejected_email",
     "invalid"},
    {"invalid_syntax", "invalid", "invalid", "failed_syntax_check", "undeliverable",
     "invalid_email", "invalid"},
    {"domain_not_found", "invalid", "invalid", "no_dns_entries", "undeliverable", "invalid_domain",
     "invalid"},
    {"no_mail_host", "invalid", "invalid", "no_dns_entries", "undeliverable", "invalid_domain",
     "invalid"},
    {"null_mx", "invalid", "invalid", "does_not_accept_mail", "undeliverable", "invalid_domain",
     "invalid"},
    {"mx_unroutable", "invalid", "invalid", "unroutable_ip_address", "undeliverable",
     "invalid_domain", "invalid"},
    {"domain_not_hosted", "invalid", "invalid", "does_not_accept_mail", "undeliverable",
     "invalid_domain", "invalid"},
    {"smtputf8_unsupported", "invalid", "invalid", "mailbox_not_found", "undeliverable",
     "rejected_email", "invalid"},
    {"greylisted", "unknown", "unknown", "greylisted", "unknown", "unavailable_smtp", "unknown"},
    {"temp_failure", "unknown", "unknown", "mail_server_temporary_error", "unknown",
     "unavailable_smtp", "unknown"},
    {"rate_limited", "unknown", "unknown", "antispam_system", "unknown", "unavailable_smtp",
     "unknown"},
    {"blocked", "unknown", "unknown", "antispam_system", "unknown", "invalid_smtp", "unknown"},
    {"blanket_reject", "unknown", "unknown", "antispam_system", "unknown", "invalid_smtp",
     "unknown"},
    {"tls_required_failed", "unknown", "unknown", "failed_smtp_connection", "unknown",
     "invalid_smtp", "unknown"},
    {"connect_failed", "unknown", "unknown", "failed_smtp_connection", "unknown", "no_connect",
     "unknown"},
    {"connect_timeout", "unknown", "unknown", "mail_server_did_not_respond", "unknown",
     "no_connect", "unknown"},
    {"smtp_timeout", "unknown", "unknown", "timeout_exceeded", "unknown", "timeout", "unknown"},
    {"disconnected", "unknown", "unknown", "forcible_disconnect", "unknown", "unavailable_smtp",
     "unknown"},
    {"protocol_error", "unknown", "unknown", "exception_occurred", "unknown", "invalid_smtp",
     "unknown"},
    {"dns_error", "unknown", "unknown", "exception_occurred", "unknown", "timeout", "unknown"},
    {"skipped", "unknown", "unknown", "exception_occurred", "unknown", "unexpected_error",
     "unknown"},
    {"internal_error", "unknown", "unknown", "exception_occurred", "unknown", "unexpected_error",
     "unknown"},
};

static void check_mapping(const struct mapping *m)
{
    struct record record = {.email = SLICE("a@b.example"), .score = 50};
    assert_true(verdict_sub_parse(slice_of(m->sub), &record.sub));
    record.status = verdict_status_of(record.sub);
    json_t *reacher = written(record_write_reacher, &record);
    assert_word(reacher, "is_reachable", m->reacher);
    assert_word(reacher, "input", "a@b.example");
    assert_truth(reacher, "smtp.is_deliverable", record.status == VERDICT_DELIVERABLE);
    json_t *zerobounce = written(record_write_zerobounce, &record);
    assert_word(zerobounce, "status", m->zerobounce);
    assert_word(zerobounce, "sub_status", m->zerobounce_sub);
    assert_word(zerobounce, "address", "a@b.example");
    json_t *kickbox = written(record_write_kickbox, &record);
    assert_word(kickbox, "result", m->kickbox);
    assert_word(kickbox, "reason", m->kickbox_reason);
    assert_truth(kickbox, "accept_all", strcmp(m->sub, "accepts_all_provider") == 0);
    assert_true(json_real_value(at(kickbox, "sendex")) == 0.5);
    json_t *neverbounce = written(record_write_neverbounce, &record);
    assert_word(neverbounce, "result", m->neverbounce);
    assert_word(neverbounce, "status", "success");
    assert_int_equal(has_flag(neverbounce, "bad_syntax"), record.sub == SUB_INVALID_SYNTAX);
    assert_int_equal(has_flag(neverbounce, "spamtrap_network"), record.sub == SUB_SUPPRESSED);
    assert_int_equal(has_flag(neverbounce, "connect_fails"),
                     record.sub == SUB_CONNECT_FAILED || record.sub == SUB_CONNECT_TIMEOUT);
    json_decref(reacher);
    json_decref(zerobounce);
    json_decref(kickbox);
    json_decref(neverbounce);
}

static void test_every_sub_status(void **state)
{
    (void)state;
    assert_int_equal(sizeof mappings / sizeof mappings[0], SUB_COUNT);
    for (size_t i = 0; i < SUB_COUNT; i++) {
        print_message("%s\n", mappings[i].sub);
        check_mapping(&mappings[i]);
    }
}

static void test_reacher_fields(void **state)
{
    (void)state;
    struct record record;
    sample_record_full(&record);
    json_t *root = written(record_write_reacher, &record);
    assert_truth(root, "misc.is_disposable", true);
    assert_truth(root, "misc.is_role_account", true);
    assert_truth(root, "misc.is_b2c", true);
    assert_truth(root, "mx.accepts_mail", true);
    assert_string_equal(json_string_value(json_array_get(at(root, "mx.records"), 0)),
                        "mx1.example.org.");
    assert_int_equal(json_array_size(at(root, "mx.records")), 2);
    assert_truth(root, "smtp.can_connect_smtp", true);
    assert_truth(root, "smtp.has_full_inbox", false);
    assert_truth(root, "smtp.is_catch_all", true);
    assert_truth(root, "smtp.is_disabled", false);
    assert_truth(root, "syntax.is_valid_syntax", true);
    assert_word(root, "syntax.address", "Jane.Doe+tag@example.org");
    assert_word(root, "syntax.username", "Jane.Doe+tag");
    assert_word(root, "syntax.domain", "example.org");
    assert_word(root, "syntax.suggestion", "jane.doe@example.com");
    assert_int_equal(json_integer_value(at(root, "debug.duration.secs")), 4);
    assert_int_equal(json_integer_value(at(root, "debug.duration.nanos")), 321000000);
    assert_word(root, "debug.start_time", "2025-11-21T08:05:41.357Z");
    assert_word(root, "debug.end_time", "2025-11-21T08:05:45.678Z");
    assert_word(root, "debug.smtp.verif_method.type", "Smtp");
    assert_word(root, "debug.smtp.verif_method.host", "mx1.example.org");
    json_decref(root);
    record.smtp.stage = HEL_SMTP_BANNER;
    record.route_status = ROUTE_NULL_MX;
    root = written(record_write_reacher, &record);
    assert_truth(root, "smtp.can_connect_smtp", false);
    assert_truth(root, "mx.accepts_mail", false);
    json_decref(root);
}

static void test_zerobounce_fields(void **state)
{
    (void)state;
    struct record record;
    sample_record_full(&record);
    json_t *root = written(record_write_zerobounce, &record);
    assert_word(root, "account", "Jane.Doe+tag");
    assert_word(root, "domain", "example.org");
    assert_word(root, "did_you_mean", "jane.doe@example.com");
    assert_truth(root, "free_email", true);
    assert_word(root, "mx_found", "true"); /* a string, as theirs */
    assert_word(root, "mx_record", "mx1.example.org");
    assert_word(root, "smtp_provider", "google");
    assert_word(root, "processed_at", "2025-11-21 08:05:45.678");
    json_decref(root);
    record.sub = SUB_CATCH_ALL;
    root = written(record_write_zerobounce, &record);
    assert_word(root, "status", "do_not_mail");
    assert_word(root, "sub_status", "role_based_catch_all");
    json_decref(root);
    record.sub = SUB_DOMAIN_NOT_FOUND;
    record.mx_count = 0;
    root = written(record_write_zerobounce, &record);
    assert_word(root, "sub_status", "possible_typo");
    assert_word(root, "mx_found", "false");
    assert_true(json_is_null(at(root, "mx_record")));
    json_decref(root);
}

static void test_kickbox_fields(void **state)
{
    (void)state;
    struct record record;
    sample_record_full(&record);
    json_t *root = written(record_write_kickbox, &record);
    assert_truth(root, "role", true);
    assert_truth(root, "free", true);
    assert_truth(root, "disposable", true);
    assert_truth(root, "accept_all", true);
    assert_truth(root, "success", true);
    assert_word(root, "did_you_mean", "jane.doe@example.com");
    assert_word(root, "email", "jane.doe+tag@example.org");
    assert_word(root, "user", "jane.doe+tag");
    assert_word(root, "domain", "example.org");
    assert_true(json_is_null(at(root, "message")));
    assert_true(json_real_value(at(root, "sendex")) == 0.41);
    json_decref(root);
}

static void test_neverbounce_flags(void **state)
{
    (void)state;
    static const char *const flags[] = {"free_email_host", "role_account",     "disposable_email",
                                        "government_host", "academic_host",    "has_dns",
                                        "has_dns_mx",      "smtp_connectable", "accepts_all",
                                        "spelling_mistake"};
    struct record record;
    sample_record_full(&record);
    json_t *root = written(record_write_neverbounce, &record);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        assert_true(has_flag(root, flags[i]));
    }
    assert_int_equal(json_array_size(at(root, "flags")), sizeof flags / sizeof flags[0]);
    assert_word(root, "suggested_correction", "jane.doe@example.com");
    assert_int_equal(json_integer_value(at(root, "execution_time")), 4321);
    json_decref(root);
    record = (struct record){.sub = SUB_DNS_ERROR, .status = VERDICT_UNKNOWN, .has_dns = true};
    record.route_status = ROUTE_DNS_ERROR;
    root = written(record_write_neverbounce, &record);
    assert_true(has_flag(root, "temporary_dns_error"));
    assert_int_equal(json_array_size(at(root, "flags")), 1);
    json_decref(root);
    record.route_status = ROUTE_NOT_FOUND;
    root = written(record_write_neverbounce, &record);
    assert_true(has_flag(root, "bad_dns"));
    json_decref(root);
}

static void test_hostile(void **state)
{
    (void)state;
    struct random random = {.state = 99};
    for (int round = 0; round < ROUNDS; round++) {
        struct record record;
        sample_record_random(&random, true, &record);
        for (size_t i = 0; i < WRITER_COUNT; i++) {
            json_decref(written(writers[i], &record));
        }
        record_done(&record);
    }
}

/* A store that was tampered with may hold names longer than DNS allows. */
static void test_long_host(void **state)
{
    (void)state;
    char host[5000];
    memset(host, 'x', sizeof host);
    struct record record;
    sample_record_full(&record);
    record.mx[0].host = slice_make(host, sizeof host);
    for (size_t i = 0; i < WRITER_COUNT; i++) {
        json_decref(written(writers[i], &record));
    }
}

static void test_ceiling(void **state)
{
    (void)state;
    struct record record;
    sample_record_full(&record);
    for (size_t i = 0; i < WRITER_COUNT; i++) {
        struct buf out;
        buf_init(&out, 100);
        assert_int_equal(writers[i](&record, &out), ERR_LIMIT);
        assert_true(out.len <= 100);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sub_status),  cmocka_unit_test(test_reacher_fields),
        cmocka_unit_test(test_zerobounce_fields), cmocka_unit_test(test_kickbox_fields),
        cmocka_unit_test(test_neverbounce_flags), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_long_host),         cmocka_unit_test(test_ceiling),
    };
    return cmocka_run_group_tests_name("engine/format", tests, NULL, NULL);
}
