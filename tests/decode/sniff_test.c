/* decode/sniff and decode/tar: what files are by their first bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/sniff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"
#include "decode/tar.h"

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        enum sniff_kind kind;
        struct slice head;
    } cases[] = {
        {SNIFF_TEXT, SLICE_LITERAL("")},
        {SNIFF_TEXT, SLICE_LITERAL("jane@example.com\nFrom: x\nTo: y\n")},
        {SNIFF_TEXT, SLICE_LITERAL("Subject: only one field of mail\n\nx")},
        {SNIFF_TEXT, SLICE_LITERAL("<jane@example.com>")},
        {SNIFF_TEXT, SLICE_LITERAL("<a@example.com>")},
        {SNIFF_TEXT, SLICE_LITERAL("see %PDF-1.4")},
        {SNIFF_HTML, SLICE_LITERAL("\xef\xbb\xbf \n<!doctype HTML>")},
        {SNIFF_HTML, SLICE_LITERAL("<p>x")},
        {SNIFF_HTML, SLICE_LITERAL("<?xml version='1.0'?><html>")},
        {SNIFF_XML, SLICE_LITERAL("<?xml version='1.0'?><a>")},
        {SNIFF_OFFICE,
         SLICE_LITERAL("<?xml version='1.0'?><w xmlns='http://schemas.openxmlformats.org/x'>")},
        {SNIFF_MAIL, SLICE_LITERAL("Received: from x\n\tby y\nX-Own: z\nFrom: a\n\nbody")},
        {SNIFF_MBOX, SLICE_LITERAL("From a@b Thu Jan  1\nFrom: a\nTo: b\n\n")},
        {SNIFF_VCARD, SLICE_LITERAL("begin:vcard\r\n")},
        {SNIFF_LDIF, SLICE_LITERAL("# comment\n\nversion: 1\n")},
        {SNIFF_LDIF, SLICE_LITERAL("dn: cn=x,dc=y\n")},
        {SNIFF_LDIF, SLICE_LITERAL("dn:: Y249eA==\n")},
        {SNIFF_PDF, SLICE_LITERAL("%PDF-1.7\n")},
        {SNIFF_ZIP, SLICE_LITERAL("PK\x03\x04")},
        {SNIFF_GZIP, SLICE_LITERAL("\x1f\x8b\x08\0")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(sniff_kind_of(cases[i].head), cases[i].kind);
        /* What is decided early is not decided otherwise later. */
        for (size_t len = 0; len <= cases[i].head.len; len++) {
            struct slice head = slice_sub(cases[i].head, 0, len);
            assert_true(!sniff_is_decided(head) || sniff_kind_of(head) == cases[i].kind);
        }
    }
    assert_true(sniff_is_decided(SLICE("jane@example.com\n")));
    assert_false(sniff_is_decided(SLICE("jane@example.com")));
}

static void test_charsets(void **state)
{
    (void)state;
    size_t mark;
    assert_true(slice_equal(sniff_wide_charset(SLICE("\xff\xfe"
                                                     "a\0"),
                                               &mark),
                            SLICE("UTF-16LE")));
    assert_int_equal(mark, 2);
    assert_true(slice_equal(sniff_wide_charset(SLICE("\xff\xfe\0\0"), &mark), SLICE("UTF-32LE")));
    assert_int_equal(mark, 4);
    assert_true(
        slice_equal(sniff_wide_charset(SLICE("\0j\0a\0n\0e\0@"), &mark), SLICE("UTF-16BE")));
    assert_int_equal(mark, 0);
    assert_int_equal(sniff_wide_charset(SLICE("jane@example.com"), &mark).len, 0);
    assert_true(slice_equal(sniff_declared_charset(SLICE("<meta charset='x-y'>")), SLICE("x-y")));
    assert_true(
        slice_equal(sniff_declared_charset(SLICE("<meta content=\"text/html; charset=Big5\">")),
                    SLICE("Big5")));
    assert_true(
        slice_equal(sniff_declared_charset(SLICE("<?xml version=\"1.0\" encoding=\"latin1\"?><a>")),
                    SLICE("latin1")));
    assert_int_equal(sniff_declared_charset(SLICE("<p>")).len, 0);
}

static void test_tar(void **state)
{
    (void)state;
    char block[TAR_BLOCK_BYTES] = "dir/file.txt";
    struct tar_header header;
    memcpy(block + 124, "00000000017 ", 12);
    block[156] = '0';
    unsigned sum = 8 * ' ';
    for (size_t i = 0; i < sizeof block; i++) {
        sum += (unsigned char)block[i];
    }
    (void)snprintf(block + 148, 8, "%06o", sum);
    assert_true(tar_header_read(slice_make(block, sizeof block), &header));
    assert_true(slice_equal(header.name, SLICE("dir/file.txt")));
    assert_int_equal(header.size, 15);
    assert_true(header.is_file);
    assert_int_equal(sniff_kind_of(slice_make(block, sizeof block)), SNIFF_TAR);
    block[0] = 'x';
    assert_false(tar_header_read(slice_make(block, sizeof block), &header));
    assert_false(tar_header_read(slice_make(block, 511), &header));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_charsets),
        cmocka_unit_test(test_tar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
