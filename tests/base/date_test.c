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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_system),
        cmocka_unit_test(stays_within_its_bounds),
    };
    return cmocka_run_group_tests_name("base/date", tests, NULL, NULL);
}
