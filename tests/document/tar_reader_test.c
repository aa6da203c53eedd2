/* document/tar_reader: the files of a tar archive, and what is none of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "packing.h"
#include "reading.h"

enum { BYTES_MAX = 1 << 20 };

static struct buf data;

/* POSIX ustar: files alone are read, each by its kind, under its name. */
static void test_members(void **state)
{
    (void)state;
    const struct reading usual = {.wants_hidden = false};
    buf_init(&data, BYTES_MAX);
    packing_tar("d/", '5', SLICE_NONE, &data);
    packing_tar("d/a.txt", '0', SLICE("\njane@example.com"), &data);
    packing_tar("empty", '0', SLICE_NONE, &data);
    packing_tar("../../etc/b.html", '0', SLICE("<p>joe&commat;example.org"), &data);
    packing_tar("link@example.com", '2', SLICE_NONE, &data);
    packing_tar("device", '3', SLICE_NONE, &data);
    packing_tar("pax", 'x', SLICE("30 path=no@example.com\n"), &data);
    packing_tar("old", '\0', SLICE("a@d.de"), &data);
    packing_tar_end(&data);
    size_t wrong = reading_check_large("members", &usual, buf_view(&data),
                                       "jane@example.com (d/a.txt, line 2)\n"
                                       "joe@example.org (../../etc/b.html, line 1)\n"
                                       "a@d.de (old, line 1)\n");
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

static void test_in_each_other(void **state)
{
    (void)state;
    const struct reading usual = {.wants_hidden = false};
    struct buf inner;
    buf_init(&data, BYTES_MAX);
    buf_init(&inner, BYTES_MAX);
    packing_tar("a", '0', SLICE("a@d.de"), &inner);
    packing_gzip(buf_view(&inner), &data);
    buf_clear(&inner);
    packing_tar("x.tgz", '0', buf_view(&data), &inner);
    packing_tar("b", '0', SLICE("b@d.de"), &inner);
    size_t wrong = reading_check_large("in each other", &usual, buf_view(&inner),
                                       "a@d.de (x.tgz/a, line 1)\nb@d.de (b, line 1)\n");
    buf_done(&inner);
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

static void test_damaged(void **state)
{
    (void)state;
    const struct reading usual = {.wants_hidden = false};
    buf_init(&data, BYTES_MAX);
    packing_tar("a", '0', SLICE("a@d.de"), &data);
    size_t first = data.len;
    packing_tar("b", '0', SLICE("b@d.de, and more"), &data);
    size_t wrong = reading_check_large(
        "cut in a member", &usual, slice_sub(buf_view(&data), 0, data.len - 505),
        "a@d.de (a, line 1)\nb@d.de (b, line 1)\n"
        "! the tar archive ends too early; what is there was read\n");
    data.at[first] = 'c'; /* and the sum is wrong */
    wrong += reading_check_large("a wrong header", &usual, buf_view(&data),
                                 "a@d.de (a, line 1)\n"
                                 "! damaged tar archive; what stands before it was read\n");
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

/* A damaged member ends itself alone. */
static void test_damaged_member(void **state)
{
    (void)state;
    const struct reading usual = {.wants_hidden = false};
    buf_init(&data, BYTES_MAX);
    packing_tar("a.gz", '0', SLICE("\x1f\x8b\x08zzzzzzzzzzzzzzzz"), &data);
    packing_tar("b", '0', SLICE("b@d.de"), &data);
    packing_tar_end(&data);
    size_t wrong = reading_check_large("a damaged member", &usual, buf_view(&data),
                                       "! a.gz: damaged gzip data; what stands before it was read\n"
                                       "b@d.de (b, line 1)\n");
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_in_each_other),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damaged_member),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
