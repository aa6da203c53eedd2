/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static void assert_same(int64_t seconds)
{
    time_t given = (time_t)seconds;
    struct tm right;
    assert_non_null(gmtime_r(&given, &right));
    struct date date = date_of_unix(seconds);
    assert_int_equal(date.year, right.tm_year + 1900);
    assert_int_equal(date.month, right.tm_mon + 1);
    assert_int_equal(date.day, right.tm_mday);
    assert_int_equal(date.hour, right.tm_hour);
    assert_int_equal(date.minute, right.tm_min);
    assert_int_equal(date.second, right.tm_sec);
}

/* The system's own conversion says the same, every day up to 2500 and around the turn of each century. */
static void agrees_with_the_system(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 193600; day++) {
        assert_same(day * 86400);
        assert_same(day * 86400 + 86399);
    }
    for (int64_t second = 0; second < 86400; second += 61) {
        assert_same(1700000000 / 86400 * 86400 + second);
    }
    assert_same(DATE_UNIX_S_MAX);
    assert_same(DATE_UNIX_S_MAX - 86400);
}

static void stays_within_its_bounds(void **state)
{
    (void)state;
    assert_int_equal(date_of_unix(-1).year, 1970);
    assert_int_equal(date_of_unix(INT64_MIN).second, 0);
    assert_int_equal(date_of_unix(INT64_MAX).year, 9999);
    assert_int_equal(date_of_unix(INT64_MAX).second, 59);
}

/* RFC 3339 5.6 */
static void writes_the_internet_form(void **state)
{
    (void)state;
    static const struct {
        int64_t unix_ms;
        const char *text;
    } cases[] = {{0, "1970-01-01T00:00:00.000Z"},
                 {1, "1970-01-01T00:00:00.001Z"},
                 {951782400999, "2000-02-29T00:00:00.999Z"},
                 {1763712345678, "2025-11-21T08:05:45.678Z"},
                 {253402300799999, "9999-12-31T23:59:59.999Z"},
                 {-1, ""},
                 {253402300800000, ""}, /* no year of four digits */
                 {INT64_MIN, ""},
                 {INT64_MAX, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DATE_TIME_BYTES];
        const char *shown = date_time_text(cases[i].unix_ms, text);
        assert_string_equal(shown, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_system),
        cmocka_unit_test(stays_within_its_bounds),
        cmocka_unit_test(writes_the_internet_form),
    };
    return cmocka_run_group_tests_name("base/date", tests, NULL, NULL);
}
