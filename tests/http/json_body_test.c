/* Bodies of JSON: what is taken, and the problem and place of what is not.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "http/json_body.h"

struct wanted {
    struct slice name;
    bool is_big;
    uint64_t count;
    struct json_t *list;
};

static const struct json_member members[] = {
    {"name", JSON_BODY_TEXT, true, 1, 8, offsetof(struct wanted, name)},
    {"big", JSON_BODY_FLAG, false, 0, 0, offsetof(struct wanted, is_big)},
    {"count", JSON_BODY_COUNT, false, 2, 9, offsetof(struct wanted, count)},
    {"list", JSON_BODY_LIST, false, 1, 3, offsetof(struct wanted, list)},
};

static bool read(const char *text, size_t len, struct wanted *out, struct json_t **body,
                 struct problem *problem)
{
    *out = (struct wanted){.count = 5};
    return json_body_read(slice_make(text, len), members, sizeof members / sizeof *members, out,
                          body, problem);
}

static void takes_what_is_right(void **state)
{
    static const char text[] =
        "{\"name\":\"j\\u00e4n\",\"big\":true,\"count\":9,\"list\":[\"a\",\"b\"]}";
    struct wanted wanted;
    struct json_t *body;
    struct problem problem;
    (void)state;
    assert_true(read(text, sizeof text - 1, &wanted, &body, &problem));
    assert_true(slice_equal(wanted.name, SLICE("j\xc3\xa4n")));
    assert_true(wanted.is_big);
    assert_int_equal(wanted.count, 9);
    assert_int_equal(json_body_list_length(wanted.list), 2);
    assert_true(slice_equal(json_body_list_text(wanted.list, 1), SLICE("b")));
    json_body_free(body);
    static const char least[] = " {\"name\":\"j\",\"count\":null} ";
    assert_true(read(least, sizeof least - 1, &wanted, &body, &problem));
    assert_int_equal(wanted.count, 5); /* as it was */
    json_body_free(body);
}

static void tells_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        enum problem_kind kind;
        const char *pointer;
    } rows[] = {
        {"", PROBLEM_BAD_JSON, ""},
        {"{", PROBLEM_BAD_JSON, ""},
        {"{\"name\":\"a\",\"name\":\"b\"}", PROBLEM_BAD_JSON, ""},
        {"{\"name\":\"a\"}x", PROBLEM_BAD_JSON, ""},
        {"{\"name\":\"\\u0000\"}", PROBLEM_BAD_JSON, ""},
        {"{\"name\":\"\xff\"}", PROBLEM_BAD_JSON, ""},
        {"{\"name\":'a'}", PROBLEM_BAD_JSON, ""},
        {"{\"name\":\"a\",\"count\":1e999}", PROBLEM_BAD_JSON, ""},
        {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", PROBLEM_BAD_JSON, ""},
        {"[]", PROBLEM_INVALID, ""},
        {"{}", PROBLEM_INVALID, "/name"},
        {"{\"name\":null}", PROBLEM_INVALID, "/name"},
        {"{\"name\":1}", PROBLEM_INVALID, "/name"},
        {"{\"name\":\"\"}", PROBLEM_INVALID, "/name"},
        {"{\"name\":\"123456789\"}", PROBLEM_INVALID, "/name"},
        {"{\"name\":\"a\",\"big\":1}", PROBLEM_INVALID, "/big"},
        {"{\"name\":\"a\",\"big\":\"yes\"}", PROBLEM_INVALID, "/big"},
        {"{\"name\":\"a\",\"count\":1}", PROBLEM_INVALID, "/count"},
        {"{\"name\":\"a\",\"count\":10}", PROBLEM_INVALID, "/count"},
        {"{\"name\":\"a\",\"count\":-2}", PROBLEM_INVALID, "/count"},
        {"{\"name\":\"a\",\"count\":2.0}", PROBLEM_INVALID, "/count"},
        {"{\"name\":\"a\",\"list\":[]}", PROBLEM_INVALID, "/list"},
        {"{\"name\":\"a\",\"list\":{}}", PROBLEM_INVALID, "/list"},
        {"{\"name\":\"a\",\"list\":[\"a\",\"a\",\"a\",\"a\"]}", PROBLEM_INVALID, "/list"},
        {"{\"name\":\"a\",\"list\":[\"a\",2]}", PROBLEM_INVALID, "/list/1"},
        {"{\"name\":\"a\",\"~a/b\":1}", PROBLEM_INVALID, "/~0a~1b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wanted wanted;
        struct json_t *body;
        struct problem problem;
        assert_false(read(rows[i].text, strlen(rows[i].text), &wanted, &body, &problem));
        assert_int_equal(problem.kind, rows[i].kind);
        assert_string_equal(problem.pointer, rows[i].pointer);
        assert_true(problem.detail[0] != '\0');
    }
}

static void brackets_in_texts_are_no_depth(void **state)
{
    static const char text[] = "{\"name\":\"a\",\"list\":[\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"]}";
    struct wanted wanted;
    struct json_t *body;
    struct problem problem;
    (void)state;
    assert_true(read(text, sizeof text - 1, &wanted, &body, &problem));
    json_body_free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_right),
        cmocka_unit_test(tells_what_is_wrong),
        cmocka_unit_test(brackets_in_texts_are_no_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
