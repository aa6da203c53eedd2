/* Targets of requests: decoding, queries, patterns; right ones, wrong ones, and at each ceiling.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/slice.h"
#include "http/uri.h"

static void decodes(void **state)
{
    static const struct {
        const char *text, *meant; /* NULL: nothing */
    } rows[] = {
        {"", ""},       {"plain", "plain"},     {"a%40b", "a@b"}, {"%2F%2f", "//"},
        {"a+b", "a+b"}, {"%C3%A4", "\xc3\xa4"}, {"%", NULL},      {"%4", NULL},
        {"%4g", NULL},  {"%00", NULL},          {"%1f", NULL},    {"%7f", NULL},
        {"%ff", NULL},  {"%c3", NULL},          {"a\nb", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena;
        struct slice out = SLICE_NONE;
        arena_init(&arena, 1000);
        enum err e = uri_decode(slice_of(rows[i].text), &arena, &out);
        assert_int_equal(e, rows[i].meant == NULL ? ERR_SYNTAX : ERR_NONE);
        assert_true(rows[i].meant == NULL || slice_equal(out, slice_of(rows[i].meant)));
        arena_done(&arena);
    }
}

static void reads_queries(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        size_t count;
        const char *a; /* the value of a; NULL: none */
    } rows[] = {
        {"", ERR_NONE, 0, NULL},
        {"a=1", ERR_NONE, 1, "1"},
        {"a=1&b=2", ERR_NONE, 2, "1"},
        {"&&a=1&", ERR_NONE, 1, "1"},
        {"a", ERR_NONE, 1, ""},
        {"a=", ERR_NONE, 1, ""},
        {"a=b=c", ERR_NONE, 1, "b=c"},
        {"a=two+words", ERR_NONE, 1, "two words"},
        {"%61=%2B", ERR_NONE, 1, "+"},
        {"a=1&a=1", ERR_SYNTAX, 1, "1"},
        {"a=1&%61=2", ERR_SYNTAX, 1, "1"},
        {"a=%", ERR_SYNTAX, 0, NULL},
        {"%=a", ERR_SYNTAX, 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena;
        struct uri_query query;
        struct slice name;
        arena_init(&arena, 1000);
        assert_int_equal(uri_query_read(slice_of(rows[i].text), &arena, &query, &name),
                         rows[i].err);
        assert_int_equal(query.count, rows[i].count);
        const struct slice *value = uri_query_find(&query, "a");
        assert_int_equal(value == NULL, rows[i].a == NULL);
        assert_true(value == NULL || slice_equal(*value, slice_of(rows[i].a)));
        arena_done(&arena);
    }
}

static void queries_have_an_end(void **state)
{
    char text[5 * (URI_ARGUMENTS_MAX + 1) + 1];
    struct arena arena;
    struct uri_query query;
    struct slice name;
    (void)state;
    size_t len = 0;
    for (int i = 0; i <= URI_ARGUMENTS_MAX; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "a%02d=&", i);
    }
    arena_init(&arena, 4000);
    assert_int_equal(uri_query_read(slice_make(text, len - 5), &arena, &query, &name), ERR_NONE);
    assert_int_equal(query.count, URI_ARGUMENTS_MAX);
    assert_int_equal(uri_query_read(slice_make(text, len), &arena, &query, &name), ERR_LIMIT);
    arena_done(&arena);
    arena_init(&arena, 16);
    assert_int_equal(uri_query_read(slice_make(text, len), &arena, &query, &name), ERR_NOMEM);
    arena_done(&arena);
}

static void matches_patterns(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool is_one;
        const char *params[2];
    } rows[] = {
        {"/", "/", true, {"", ""}},
        {"/v1/sites", "/v1/sites", true, {"", ""}},
        {"/v1/sites", "/v1/sites/", false, {"", ""}},
        {"/v1/sites", "/v1", false, {"", ""}},
        {"/v1/sites", "/v1/Sites", false, {"", ""}},
        {"/v1/sites", "", false, {"", ""}},
        {"/v1/sites", "*", false, {"", ""}},
        {"/v1/domains/{domain}", "/v1/domains/a.example", true, {"a.example", ""}},
        {"/v1/domains/{domain}", "/v1/domains/a%2Fb", true, {"a%2Fb", ""}},
        {"/v1/domains/{domain}", "/v1/domains/", false, {"", ""}},
        {"/v1/domains/{domain}", "/v1/domains", false, {"", ""}},
        {"/v1/domains/{domain}", "/v1/domains/a/b", false, {"", ""}},
        {"/a/{b}/c/{d}", "/a/1/c/2", true, {"1", "2"}},
        {"/a/{b}/c/{d}", "/a/1/x/2", false, {"", ""}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice params[URI_PARAMS_MAX];
        assert_int_equal(uri_matches(rows[i].pattern, slice_of(rows[i].path), params),
                         rows[i].is_one);
        for (size_t p = 0; p < 2 && rows[i].is_one; p++) {
            assert_true(slice_equal(params[p], slice_of(rows[i].params[p])));
        }
    }
}

static void splits(void **state)
{
    static const char *const rows[][3] = {{"/a", "/a", ""},
                                          {"/a?", "/a", ""},
                                          {"/a?b?c", "/a", "b?c"},
                                          {"?b", "", "b"},
                                          {"", "", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice path, query;
        uri_split(slice_of(rows[i][0]), &path, &query);
        assert_true(slice_equal(path, slice_of(rows[i][1])));
        assert_true(slice_equal(query, slice_of(rows[i][2])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(reads_queries),
        cmocka_unit_test(queries_have_an_end),
        cmocka_unit_test(matches_patterns),
        cmocka_unit_test(splits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
