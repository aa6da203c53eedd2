/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* RFC 6376 3.2, RFC 7489 6.4 */
static void tags_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *list, *name, *value; /* value NULL: it is not there */
    } cases[] = {
        {"v=DMARC1; p=none", "p", "none"},
        {"v=DMARC1;p=none;", "P", "none"},
        {" v = DKIM1 ;\tp = AB CD== ; ", "p", "AB CD=="},
        {"p=", "p", ""},
        {"p=a; p=b", "p", "a"},
        {";;p=a", "p", "a"},
        {"x-y_z=1", "x-y_z", "1"},
        {"p", "p", NULL},
        {"=a; p=b", "p", "b"},
        {"junk; p=b", "p", "b"},
        {"", "p", NULL},
        {"pp=a", "p", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice value;
        bool is_found = dns_tag_find(slice_of(cases[i].list), slice_of(cases[i].name), &value);
        assert_int_equal(is_found, cases[i].value != NULL);
        if (is_found) {
            assert_true(slice_equal(value, slice_of(cases[i].value)));
        }
    }
}

static void what_is_no_tag_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *list, *bad;
    } cases[] = {
        {"v=1; p=2;", ""}, {"v=1; junk; p=2", "junk"}, {"1a=b", "1a=b"},    {"v=1;=2", "=2"},
        {"", ""},          {"v 1=2", "v 1=2"},         {"a=b\033[31m", ""}, {"\033=b", "\033=b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice bad = dns_tags_bad(slice_of(cases[i].list));
        assert_true(slice_equal(bad, slice_of(cases[i].bad)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_read),
        cmocka_unit_test(what_is_no_tag_is_named),
    };
    return cmocka_run_group_tests_name("dns/tags", tests, NULL, NULL);
}
