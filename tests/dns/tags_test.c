/* Lists of tags with each fault, their items, and base64 with folds (RFC 6376 3.2, RFC 7489 6.4, RFC 8461 3.1).
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* RFC 6376 3.2, RFC 7489 6.4 */
static void tags_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *list, *name, *value; /* value NULL: it is not there */
        enum tag_fault fault;
        const char *bad;
    } rows[] = {
        {"v=DMARC1; p=none", "p", "none", TAG_FAULT_NONE, ""},
        {"v=DMARC1;p=none;", "p", "none", TAG_FAULT_NONE, ""},
        {"v=DMARC1; p=none", "P", NULL, TAG_FAULT_NONE, ""},
        {" v = DKIM1 ;\tp = AB CD== ; ", "p", "AB CD==", TAG_FAULT_NONE, ""},
        {"h=a:\r\n b; c=d", "h", "a:\r\n b", TAG_FAULT_NONE, ""},
        {"p=", "p", "", TAG_FAULT_NONE, ""},
        {"", "p", NULL, TAG_FAULT_NONE, ""},
        {"pp=a", "p", NULL, TAG_FAULT_NONE, ""},
        {"a=b=c", "a", "b=c", TAG_FAULT_NONE, ""},
        {"x_y2=1", "x_y2", "1", TAG_FAULT_NONE, ""},
        {"p=a; p=b; q=c", "p", "a", TAG_FAULT_DOUBLE, "p=b"},
        {";;p=a", "p", "a", TAG_FAULT_SYNTAX, ""},
        {"p", "p", NULL, TAG_FAULT_SYNTAX, "p"},
        {"=a; p=b", "p", "b", TAG_FAULT_SYNTAX, "=a"},
        {"v=1; junk; p=b; more", "p", "b", TAG_FAULT_SYNTAX, "junk"},
        {"1a=b; p=c", "p", "c", TAG_FAULT_SYNTAX, "1a=b"},
        {"v 1=2", "v", NULL, TAG_FAULT_SYNTAX, "v 1=2"},
        {"a=b\033[31m; p=c", "a", NULL, TAG_FAULT_SYNTAX, "a=b\033[31m"},
        {"a=\xc3\xa9", "a", NULL, TAG_FAULT_SYNTAX, "a=\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tag_list list;
        struct slice bad;
        assert_int_equal(tag_list_read(slice_of(rows[i].list), &list, &bad), rows[i].fault);
        assert_true(slice_equal(bad, slice_of(rows[i].bad)));
        const struct tag *tag = tag_find(&list, slice_of(rows[i].name));
        assert_int_equal(tag != NULL, rows[i].value != NULL);
        if (tag != NULL) {
            assert_true(slice_equal(tag->value, slice_of(rows[i].value)));
        }
    }
}

static void tags_beyond_the_ceiling_are_left_out(void **state)
{
    (void)state;
    char text[1024] = "";
    struct tag_list list;
    struct slice bad = SLICE_NONE;
    for (size_t i = 0; i <= TAGS_MAX; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, "t%zu=x;", i);
        bool fits = i < TAGS_MAX;
        assert_int_equal(tag_list_read(slice_of(text), &list, &bad),
                         fits ? TAG_FAULT_NONE : TAG_FAULT_TOO_MANY);
        assert_int_equal(list.count, fits ? i + 1 : TAGS_MAX);
    }
    assert_true(slice_equal(bad, SLICE("t64=x")));
}

static void items_follow_each_other(void **state)
{
    (void)state;
    static const char *const wanted[] = {"a", "", "b c", ""};
    struct slice rest = SLICE(" a :: b c\t:");
    struct slice item;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_true(tag_item_next(&rest, ':', &item));
        assert_true(slice_equal(item, slice_of(wanted[i])));
    }
    assert_false(tag_item_next(&rest, ':', &item));
}

/* RFC 6376 2.10 */
static void base64_may_be_folded(void **state)
{
    (void)state;
    static const struct {
        const char *value, *bytes; /* bytes NULL: it is none, or too long */
    } rows[] = {
        {"aGVs\r\n bG8=", "hello"},   {"a G V s", "hel"},      {"", ""},
        {"aGVsbG8hISE=", "hello!!!"}, {"aGVs bG8hISEh", NULL}, {"aGVsb", NULL},
        {"aA==aA==", NULL},           {"!!!!", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[8];
        size_t len;
        bool is_read = tag_base64(slice_of(rows[i].value), out, sizeof out, &len);
        assert_int_equal(is_read, rows[i].bytes != NULL);
        if (is_read) {
            assert_true(slice_equal(slice_make(out, len), slice_of(rows[i].bytes)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_read),
        cmocka_unit_test(tags_beyond_the_ceiling_are_left_out),
        cmocka_unit_test(items_follow_each_other),
        cmocka_unit_test(base64_may_be_folded),
    };
    return cmocka_run_group_tests_name("dns/tags", tests, NULL, NULL);
}
