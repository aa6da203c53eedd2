/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/outcome_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../store/scratch.h"
#include "base/slice.h"

static struct outcome_list *open_text(const char *name, const char *text, FILE **out_file)
{
    struct outcome_list *list;
    struct fault fault;
    static char bytes[4096];
    size_t len = strlen(text);
    assert_true(len < sizeof bytes);
    memcpy(bytes, text, len + 1);
    *out_file = fmemopen(bytes, len, "rb");
    assert_non_null(*out_file);
    assert_int_equal(outcome_list_open(slice_of(name), *out_file, &list, &fault), ERR_NONE);
    return list;
}

#define SAID(a, p, o)                                                           \
    {                                                                           \
        .address = SLICE_LITERAL(a), .provider = SLICE_LITERAL(p), .outcome = o \
    }

static void rows_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        struct outcome_row rows[2];
    } cases[] = {
        {"a.csv",
         "Email;OUTCOME;Provider\n a@b.example ;Bounced;gmail\nc@b.example;opened;\n",
         {SAID("a@b.example", "gmail", LIKELY_GONE), SAID("c@b.example", "", LIKELY_ALIVE)}},
        {"a.ndjson",
         "{\"outcome\":\"soft-bounce\",\"email\":\"a@b.example\"}\n"
         "{\"email\":\"c@b.example\",\"outcome\":\"\"}\n",
         {SAID("a@b.example", "", LIKELY_SILENT), SAID("c@b.example", "", LIKELY_SILENT)}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FILE *file;
        struct outcome_row row;
        struct fault fault;
        struct outcome_list *list = open_text(cases[i].name, cases[i].text, &file);
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(outcome_list_next(list, &row, &fault), ERR_NONE);
            assert_null(row.why);
            assert_true(slice_equal(row.address, cases[i].rows[k].address));
            assert_true(slice_equal(row.provider, cases[i].rows[k].provider));
            assert_int_equal(row.outcome, cases[i].rows[k].outcome);
        }
        assert_int_equal(outcome_list_next(list, &row, &fault), ERR_CLOSED);
        outcome_list_close(list);
        assert_int_equal(fclose(file), 0);
    }
}

static void lists_without_outcomes_are_none(void **state)
{
    (void)state;
    static char text[] = "email,result\na@b.example,bounced\n";
    struct outcome_list *list;
    struct fault fault;
    FILE *file = fmemopen(text, sizeof text - 1, "rb");
    assert_non_null(file);
    assert_int_equal(outcome_list_open(SLICE("a.csv"), file, &list, &fault), ERR_SYNTAX);
    assert_non_null(strstr(fault.text, "no column 'outcome'"));
    assert_int_equal(fclose(file), 0);
    outcome_list_close(NULL);
}

static void rows_are_learned_and_counted(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct knowledge *knowledge;
    struct fault fault;
    struct outcome_means means;
    struct outcome_counts counts = {.alive = 0};
    const struct outcome_row rows[] = {
        SAID("anna.weber@b.example", "", LIKELY_GONE),
        SAID("paul@b.example", "", LIKELY_ALIVE),
        SAID("uwe@b.example", "", LIKELY_SILENT),
        SAID("no address", "", LIKELY_GONE),
        {.why = "it is broken"},
    };
    const enum err wanted[] = {ERR_NONE, ERR_NONE, ERR_NONE, ERR_SYNTAX, ERR_SYNTAX};
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    assert_int_equal(knowledge_open(DATA_DIR, &knowledge, &fault), ERR_NONE);
    outcome_means_init(&means, store, knowledge);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(outcome_learn(&means, &rows[i], 1, &counts, &fault), wanted[i]);
    }
    assert_int_equal(counts.alive, 1);
    assert_int_equal(counts.gone, 1);
    assert_int_equal(counts.silent, 1);
    assert_int_equal(counts.unused, 2);
    assert_int_equal(store_flush(store, &fault), ERR_NONE);
    store_close(store);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM outcome"), 2);
    knowledge_free(knowledge);
}

static void names_and_domains_tell_the_provider(void **state)
{
    (void)state;
    struct knowledge *knowledge;
    struct fault fault;
    assert_int_equal(knowledge_open(DATA_DIR, &knowledge, &fault), ERR_NONE);
    const struct provider_book *book = knowledge_providers(knowledge);
    struct slice gmail = outcome_provider(book, SLICE_NONE, SLICE("gmail.com"));
    assert_true(gmail.len > 0);
    assert_true(slice_equal(outcome_provider(book, gmail, SLICE("b.example")), gmail));
    assert_true(slice_equal(outcome_provider(book, SLICE("nobody"), SLICE("gmail.com")), gmail));
    assert_int_equal(outcome_provider(book, SLICE("nobody"), SLICE("b.example")).len, 0);
    knowledge_free(knowledge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test(lists_without_outcomes_are_none),
        cmocka_unit_test_setup_teardown(rows_are_learned_and_counted, scratch_make, scratch_remove),
        cmocka_unit_test(names_and_domains_tell_the_provider),
    };
    return cmocka_run_group_tests_name("engine/outcome_list", tests, NULL, NULL);
}
