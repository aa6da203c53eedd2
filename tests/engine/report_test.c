/* engine/report: what a person sees: whole reports as text, and nothing in them that a terminal would act on.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "base/text.h"
#include "engine/record_json.h"
#include "engine/sentence.h"
#include "sample_record.h"

enum { OUT_BYTES_MAX = 4 << 20, ROUNDS = 300 };

static void show(const struct record *record, bool has_colour, struct buf *out)
{
    buf_init(out, OUT_BYTES_MAX);
    assert_int_equal(report_write(record, has_colour, out), ERR_NONE);
    assert_true(out->len > 0 && out->at[out->len - 1] == '\n');
}

static void assert_report(const struct record *record, bool has_colour, const char *expected)
{
    struct buf out;
    show(record, has_colour, &out);
    if (!slice_equal(buf_view(&out), slice_of(expected))) {
        fail_msg("instead of\n%s\nit is\n%.*s", expected, (int)out.len, out.at);
    }
    buf_done(&out);
}

static void test_full(void **state)
{
    (void)state;
    struct record record;
    sample_record_full(&record);
    record.flags = (struct record_flags){.is_role = true, .is_plus_tagged = true};
    assert_report(&record, false,
                  "unknown    Jane.Doe+tag@Example.ORG\n"
                  "  why        the server refuses us, not the address: our address has no proper "
                  "reverse name (PTR)\n"
                  "             blocked, score 41 of 100, 88 % sure, from an earlier check\n"
                  "  again      in 301 s may tell more\n"
                  "  server     mx1.example.org 2001:db8::25 (Google), TLSv1.3\n"
                  "  it said    rcpt: 550 5.1.10 no\n"
                  "             5.1.10 such user\n"
                  "  is         a role, tagged, at a catch-all domain\n"
                  "  perhaps    jane.doe@example.com was meant\n"
                  "  reasons     +40 blocked: 550 no PTR\n"
                  "               -1 tls_ok\n");
}

static void test_least(void **state)
{
    (void)state;
    const struct record record = {
        .email = SLICE("no address"),
        .status = VERDICT_UNDELIVERABLE,
        .sub = SUB_INVALID_SYNTAX,
        .confidence = 1.0,
    };
    assert_report(&record, false,
                  "undeliverable  no address\n"
                  "  why        this is no address\n"
                  "             invalid_syntax, score 0 of 100, 100 % sure\n");
}

static void test_colours(void **state)
{
    (void)state;
    const struct record record = {
        .email = SLICE("a@b.example"), .status = VERDICT_DELIVERABLE, .confidence = 0.5};
    assert_report(&record, true,
                  "\033[1;32mdeliverable\033[0m  a@b.example\n"
                  "  \033[2mwhy       \033[0m the server takes mail for it, and refuses an address "
                  "that cannot exist\n"
                  "  \033[2m          \033[0m accepted, score 0 of 100, 50 % sure\n");
}

static void test_every_sub_status_tells_why(void **state)
{
    (void)state;
    struct record record;
    sample_record_full(&record);
    for (int sub = 0; sub < SUB_COUNT; sub++) {
        struct buf out;
        record.sub = (enum verdict_sub)sub;
        record.status = verdict_status_of(record.sub);
        show(&record, false, &out);
        struct slice text = buf_view(&out);
        assert_true(slice_starts(text, slice_of(verdict_status_name(record.status))));
        assert_true(slice_find_nocase(text, slice_of(sentence_of(record.sub))) < text.len);
        assert_true(slice_find_nocase(text, slice_of(verdict_sub_name(record.sub))) < text.len);
        buf_done(&out);
    }
}

/* Valid UTF-8, no controls but line ends, none of the characters that turn or hide text; and no line that
 * begins as a headline does, so that a server cannot write a verdict of its own. */
static void assert_harmless(const struct record *record)
{
    struct buf out;
    show(record, false, &out);
    struct slice rest = buf_view(&out);
    assert_true(text_is_utf8(rest));
    size_t lines = 0;
    while (rest.len > 0) {
        struct slice line = slice_sub(rest, 0, slice_find_byte(rest, '\n', 0));
        assert_true(lines == 0 || slice_starts(line, SLICE("  ")));
        for (size_t i = 0; i < line.len;) {
            unsigned code;
            size_t step = text_utf8_next(slice_sub(line, i, line.len), &code);
            assert_true(step > 0 && !text_is_dangerous(code));
            i += step;
        }
        rest = slice_sub(rest, line.len + 1, rest.len);
        lines++;
    }
    buf_done(&out);
}

static void test_hostile_texts(void **state)
{
    (void)state;
    size_t count;
    const struct slice *texts = sample_hostile_texts(&count);
    for (size_t i = 0; i < count; i++) {
        struct record record;
        sample_record_full(&record);
        record.email = texts[i];
        record.did_you_mean = texts[i];
        record.provider_label = texts[i];
        record.smtp.host = texts[i];
        record.smtp.text = texts[i];
        record.smtp.tls_version = texts[i];
        struct slice detail = slice_sub(texts[i], 0, VERDICT_DETAIL_BYTES - 1);
        memcpy(record.reasons[0].detail, detail.at, detail.len);
        record.reasons[0].detail[detail.len] = '\0';
        assert_harmless(&record);
    }
}

static void test_random(void **state)
{
    (void)state;
    struct random random = {.state = 4};
    for (int round = 0; round < ROUNDS; round++) {
        struct record record;
        sample_record_random(&random, true, &record);
        assert_harmless(&record);
        record_done(&record);
    }
}

static void test_ceiling(void **state)
{
    (void)state;
    struct record record;
    struct buf whole;
    sample_record_full(&record);
    show(&record, true, &whole);
    for (size_t max = 1; max < whole.len; max++) {
        struct buf out;
        buf_init(&out, max);
        assert_int_equal(report_write(&record, true, &out), ERR_LIMIT);
        assert_true(out.len <= max);
        buf_done(&out);
    }
    buf_done(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),          cmocka_unit_test(test_least),
        cmocka_unit_test(test_colours),       cmocka_unit_test(test_every_sub_status_tells_why),
        cmocka_unit_test(test_hostile_texts), cmocka_unit_test(test_random),
        cmocka_unit_test(test_ceiling),
    };
    return cmocka_run_group_tests_name("engine/report", tests, NULL, NULL);
}
