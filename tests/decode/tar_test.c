/* decode/tar: headers of tar archives, and what is none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
enum { SIZE_AT = 124, SUM_AT = 148, TYPE_AT = 156 };

/* A header with that size field and type, its sum right. */
static void make(const char *name, const char *size, size_t size_len, char type, char *block)
{
    unsigned sum = 0;
    memset(block, 0, TAR_BLOCK_BYTES);
    memcpy(block, name, strlen(name));
    memcpy(block + SIZE_AT, size, size_len);
    memset(block + SUM_AT, ' ', 8);
    block[TYPE_AT] = type;
    for (size_t i = 0; i < TAR_BLOCK_BYTES; i++) {
        sum += (unsigned char)block[i];
    }
    (void)snprintf(block + SUM_AT, 8, "%06o", sum);
}

/* POSIX ustar; GNU's binary sizes */
static void test_headers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct slice size;
        char type;
        bool is_header, is_file;
        uint64_t expected;
    } cases[] = {
        {"a", SLICE_LITERAL("00000000144"), '0', true, true, 100},
        {"a", SLICE_LITERAL("00000000144"), '\0', true, true, 100},
        {"a", SLICE_LITERAL("00000000144"), '7', true, true, 100},
        {"a", SLICE_LITERAL("00000000144"), '5', true, false, 100},
        {"a", SLICE_LITERAL("00000000144"), 'x', true, false, 100},
        {"a", SLICE_LITERAL("     144 "), '0', true, true, 100},
        {"a", SLICE_LITERAL("777777777777"), '0', true, true, 0777777777777},
        {"a", SLICE_LITERAL("\x80\0\0\0\0\0\0\0\0\1\0\0"), '0', true, true, 65536},
        {"a", SLICE_LITERAL("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), '0', false, false,
         0},
        {"a", SLICE_LITERAL("\x80\0\0\0\0\x7f\xff\xff\xff\xff\xff\xff"), '0', false, false, 0},
        {"a", SLICE_LITERAL(""), '0', false, false, 0},
        {"a", SLICE_LITERAL("-1"), '0', false, false, 0},
        {"a", SLICE_LITERAL("12x"), '0', false, false, 0},
        {"", SLICE_LITERAL("00000000144"), '0', false, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char block[TAR_BLOCK_BYTES];
        struct tar_header header = {.size = 0};
        make(cases[i].name, cases[i].size.at, cases[i].size.len, cases[i].type, block);
        bool is_header = tar_header_read(slice_make(block, sizeof block), &header);
        assert_int_equal(is_header, cases[i].is_header);
        assert_int_equal(header.size, cases[i].expected);
        assert_int_equal(header.is_file, cases[i].is_file);
    }
}

/* A name may fill its field; any byte that is changed, or a block that is cut, is no header. */
static void test_name_and_sum(void **state)
{
    (void)state;
    char name[101];
    char block[TAR_BLOCK_BYTES];
    struct tar_header header;
    memset(name, 'n', 100);
    name[100] = '\0';
    make(name, "00000000001", 11, '0', block);
    assert_true(tar_header_read(slice_make(block, sizeof block), &header));
    assert_true(slice_equal(header.name, slice_of(name)));
    assert_false(tar_header_read(slice_make(block, sizeof block - 1), &header));
    for (size_t i = 0; i < sizeof block; i++) {
        bool is_sum = i >= SUM_AT && i < SUM_AT + 8;
        block[i] ^= 1;
        assert_true(is_sum || !tar_header_read(slice_make(block, sizeof block), &header));
        block[i] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_name_and_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
