/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

#define MAX_MS 86400000ull

static void reads_a_number_and_a_unit(void **state)
{
    static const struct {
        const char *text;
        bool takes_seconds, is_right;
        uint64_t ms;
    } cases[] = {
        {"250ms", false, true, 250}, {"30s", false, true, 30000},
        {"5m", false, true, 300000}, {"2h", false, true, 7200000},
        {"1d", false, true, MAX_MS}, {"0s", false, true, 0},
        {"7", true, true, 7000},     {"7", false, false, 0},
        {"", true, false, 0},        {"d", false, false, 0},
        {"2d", false, false, 0},     {"1 d", false, false, 0},
        {"-1s", false, false, 0},    {"1.5h", false, false, 0},
        {"1w", false, false, 0},     {"18446744073709551616ms", false, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t ms = 1;
        bool is_right = span_read(slice_of(cases[i].text), cases[i].takes_seconds, MAX_MS, &ms);
        if (is_right != cases[i].is_right || ms != (is_right ? cases[i].ms : 1)) {
            fail_msg("'%s': %d, %llu", cases[i].text, is_right, (unsigned long long)ms);
        }
    }
}

static void writes_the_largest_unit(void **state)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        {0, "0s"},        {1, "1ms"},     {1500, "1500ms"},     {60000, "1m"},
        {5400000, "90m"}, {MAX_MS, "1d"}, {90 * MAX_MS, "90d"}, {MAX_MS + 1000, "86401s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[SPAN_TEXT_BYTES];
        uint64_t ms = 0;
        span_write(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
        assert_true(span_read(slice_of(text), false, UINT64_MAX, &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void a_moment_moves_on(void **state)
{
    static const struct {
        struct timespec moment;
        uint32_t ms;
        struct timespec after;
    } cases[] = {
        {{7, 5}, 0, {7, 5}},
        {{7, 5}, 999, {7, 999000005}},
        {{7, 5}, 1000, {8, 5}},
        {{7, 1000000}, 999, {8, 0}},
        {{7, 999999999}, 1, {8, 999999}},
        {{7, 999999999}, 2999, {10, 998999999}},
        {{0, 0}, UINT32_MAX, {4294967, 295000000}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct timespec after = span_after(cases[i].moment, cases[i].ms);
        assert_int_equal(after.tv_sec, cases[i].after.tv_sec);
        assert_int_equal(after.tv_nsec, cases[i].after.tv_nsec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_number_and_a_unit),
        cmocka_unit_test(writes_the_largest_unit),
        cmocka_unit_test(a_moment_moves_on),
    };
    return cmocka_run_group_tests_name("base/span", tests, NULL, NULL);
}
