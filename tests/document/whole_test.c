/* document/whole: what needs all of a file is read from it, or from a copy that has its limit.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "packing.h"
#include "reading.h"

enum { BYTES_MAX = 1 << 20 };

static const struct packing_member members[] = {
    {"a", SLICE_LITERAL("a@d.de")},
    {"b", SLICE_LITERAL("b@d.de")},
};

static const char found[] = "a@d.de (a, line 1)\nb@d.de (b, line 1)\n";

/* From the file itself: wherever its descriptor stands, and it need not be fed whole. */
static void test_file(void **state)
{
    (void)state;
    struct reading reading = {.limits = document_usual_limits()};
    reading.limits.spool_bytes_max = 1;
    struct buf data;
    struct buf out;
    buf_init(&data, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    packing_zip(members, 2, &data);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(data.at, 1, data.len, file), data.len);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(reading_run_file(&reading, fileno(file), &out), ERR_NONE);
    assert_true(slice_equal(buf_view(&out), slice_of(found)));
    assert_int_equal(fclose(file), 0);
    buf_done(&out);
    buf_done(&data);
}

/* As a copy, up to the limit; a larger one is said once, and passed over. */
static void test_copy(void **state)
{
    (void)state;
    struct reading reading = {.limits = document_usual_limits()};
    struct buf data;
    struct buf tar;
    buf_init(&data, BYTES_MAX);
    buf_init(&tar, BYTES_MAX);
    packing_zip(members, 2, &data);
    reading.limits.spool_bytes_max = data.len;
    size_t wrong = reading_check_large("as large as may be", &reading, buf_view(&data), found);
    packing_tar("x.zip", '0', buf_view(&data), &tar);
    packing_tar("c", '0', SLICE("c@d.de"), &tar);
    reading.limits.spool_bytes_max--;
    wrong += reading_check_large(
        "too large", &reading, buf_view(&tar),
        "! x.zip: too large to be read inside another file; unpack it first\nc@d.de (c, line 1)\n");
    buf_done(&tar);
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
