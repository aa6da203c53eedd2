/* document/gzip: gzip files, several in a row, in each other, damaged, and far too large.
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

enum { BYTES_MAX = 1 << 22 };

static struct buf data;

static struct slice pack(const char *text)
{
    packing_gzip(slice_of(text), &data);
    return buf_view(&data);
}

/* RFC 1952 2.2 */
static void test_read(void **state)
{
    (void)state;
    const struct reading usual = {.wants_hidden = false};
    buf_init(&data, BYTES_MAX);
    size_t wrong =
        reading_check("one", &usual, pack("a\njane@example.com"), "jane@example.com (line 2)\n");
    wrong += reading_check("two, which are one text", &usual, pack(".de\njoe@d.de"),
                           "jane@example.com.de (line 2)\njoe@d.de (line 3)\n");
    must(buf_append(&data, slice_make("\0\0\0\0\0\0\0", 7)) == ERR_NONE);
    wrong += reading_check("filled up with zeros", &usual, buf_view(&data),
                           "jane@example.com.de (line 2)\njoe@d.de (line 3)\n");
    buf_clear(&data);
    wrong += reading_check("nothing in it", &usual, pack(""), "");
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

/* What stands before the damage is read, and what is wrong is told once. */
static void test_damaged(void **state)
{
    (void)state;
    const struct reading usual = {.wants_hidden = false};
    buf_init(&data, BYTES_MAX);
    struct slice whole = pack("jane@example.com\n");
    size_t wrong = reading_check("without its end", &usual, slice_sub(whole, 0, whole.len - 3),
                                 "jane@example.com (line 1)\n"
                                 "! the gzip data ends too early; what is there was read\n");
    wrong += reading_check("its header alone", &usual, slice_sub(whole, 0, 10),
                           "! the gzip data ends too early; what is there was read\n");
    data.at[data.len - 6] ^= 1; /* of the checksum */
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(reading_run(&usual, buf_view(&data), data.len, 1, &out), ERR_NONE);
    assert_true(
        slice_ends(buf_view(&out), SLICE("! damaged gzip data; what stands before it was read\n")));
    buf_clear(&data);
    wrong += reading_check("no deflate at all", &usual,
                           SLICE("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03jane@example.com"),
                           "! damaged gzip data; what stands before it was read\n");
    buf_done(&out);
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

/* A hundred megabytes of zeros in a hundred kilobytes; the same packed again is a bomb. */
static void test_bombs(void **state)
{
    (void)state;
    struct reading reading = {.wants_hidden = false};
    struct buf twice;
    buf_init(&data, BYTES_MAX);
    buf_init(&twice, BYTES_MAX);
    packing_gzip_zeros(100 << 20, &data);
    packing_gzip(buf_view(&data), &twice);
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(reading_run(&reading, buf_view(&data), 4096, 4096, &out), ERR_NONE);
    assert_int_equal(out.len, 0);
    assert_int_equal(reading_run(&reading, buf_view(&twice), 4096, 4096, &out), ERR_NONE);
    assert_true(slice_starts(buf_view(&out), SLICE("! it unpacks to too much; unpack it first\n")));
    buf_clear(&out);
    reading.limits = document_usual_limits();
    reading.limits.unpacked_bytes_max = 1 << 20;
    assert_int_equal(reading_run(&reading, buf_view(&data), 4096, 4096, &out), ERR_NONE);
    assert_true(slice_equal(buf_view(&out), SLICE("! it unpacks to too much; unpack it first\n")));
    buf_done(&out);
    buf_done(&twice);
    buf_done(&data);
}

/* So many in each other are read, and one more is not. */
static void test_depth(void **state)
{
    (void)state;
    struct reading reading = {.limits = document_usual_limits()};
    reading.limits.depth_max = 3;
    struct buf packed;
    buf_init(&data, BYTES_MAX);
    buf_init(&packed, BYTES_MAX);
    must(buf_append(&packed, SLICE("jane@example.com")) == ERR_NONE);
    size_t wrong = 0;
    for (unsigned depth = 1; depth <= 5; depth++) {
        buf_clear(&data);
        packing_gzip(buf_view(&packed), &data);
        wrong += reading_check("in each other", &reading, buf_view(&data),
                               depth <= 3 ? "jane@example.com (line 1)\n"
                                          : "! it is packed too often; unpack it first\n");
        buf_clear(&packed);
        must(buf_append(&packed, buf_view(&data)) == ERR_NONE);
    }
    buf_done(&packed);
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
