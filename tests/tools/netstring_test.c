/* Netstrings: at every split, what is refused, and write read back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/netstring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slice.h"

enum { BYTES_MAX = 32 };

static void at_every_split(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a", "12:hello,", "verdict jane@plain.example"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf wire;
        struct netstring netstring;
        size_t used;
        buf_init(&wire, 64);
        netstring_init(&netstring, BYTES_MAX);
        assert_int_equal(netstring_write(slice_of(texts[i]), &wire), ERR_NONE);
        for (size_t at = 0; at < wire.len; at++) {
            struct slice whole = buf_view(&wire);
            struct slice second = slice_sub(whole, at, whole.len);
            assert_int_equal(netstring_feed(&netstring, slice_sub(whole, 0, at), &used),
                             NETSTRING_MORE);
            assert_int_equal(netstring_feed(&netstring, second, &used), NETSTRING_WHOLE);
            assert_int_equal(used, second.len);
            assert_true(slice_equal(buf_view(&netstring.text), slice_of(texts[i])));
            netstring_clear(&netstring);
        }
        netstring_done(&netstring);
        buf_done(&wire);
    }
}

static void refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "x", ":", "05:hello,", "5:hello;", "33:", "-1:", "1 :a,", "9999999999:", "1:ab", ","};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct netstring netstring;
        size_t used;
        netstring_init(&netstring, BYTES_MAX);
        assert_int_equal(netstring_feed(&netstring, slice_of(rows[i]), &used), NETSTRING_INVALID);
        netstring_done(&netstring);
    }
}

static void the_longest(void **state)
{
    (void)state;
    struct netstring netstring;
    size_t used;
    netstring_init(&netstring, BYTES_MAX);
    struct slice two = SLICE("32:01234567890123456789012345678901,0:,");
    assert_int_equal(netstring_feed(&netstring, two, &used), NETSTRING_WHOLE);
    assert_int_equal(netstring.text.len, BYTES_MAX);
    assert_int_equal(used, two.len - 3);
    netstring_done(&netstring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_every_split),
        cmocka_unit_test(refused),
        cmocka_unit_test(the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
