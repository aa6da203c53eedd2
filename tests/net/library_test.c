/* SPDX-License-Identifier: Apache-2.0 */
#include "net/library.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct calculus {
    TYPE_OF(&(cos)) cos;
    TYPE_OF(&(sin)) sin;
};
#define CALCULUS_ROW(name) LIBRARY_ROW(calculus, name)
static const struct library_function functions[] = {CALCULUS_ROW(cos) CALCULUS_ROW(sin)};
static const struct library_function more[] = {
    CALCULUS_ROW(cos){"sin_of_nobody", offsetof(struct calculus, sin)}};

static void test_fills_its_table(void **state)
{
    (void)state;
    static const char *const names[] = {"libnobody.so.1", "libm.so.6", NULL};
    const struct library library = {names, "libm", functions, 2};
    struct calculus table = {NULL, NULL};
    struct fault fault = {.err = ERR_NONE};
    assert_int_equal(library_load(&library, &table, &fault), ERR_NONE);
    assert_true(table.cos(0) > 0.999 && table.sin(0) < 0.001);
}

static void test_says_what_is_missing(void **state)
{
    (void)state;
    static const char *const nowhere[] = {"libnobody.so.1", "libnobody.so.2", NULL};
    static const char *const names[] = {"libm.so.6", NULL};
    const struct {
        struct library library;
        const char *text;
    } cases[] = {
        {{nowhere, "nobody 2", functions, 2}, "libnobody.so.1 cannot be loaded: install nobody 2"},
        {{names, "libm 7", more, 2}, "libm.so.6 has no function sin_of_nobody: install libm 7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct calculus table = {NULL, NULL};
        struct fault fault = {.err = ERR_NONE};
        assert_int_equal(library_load(&cases[i].library, &table, &fault), ERR_SYSTEM);
        assert_string_equal(fault.text, cases[i].text);
        assert_true(table.cos == NULL && table.sin == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fills_its_table),
        cmocka_unit_test(test_says_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
