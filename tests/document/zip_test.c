/* document/zip: the members of ZIP archives, right ones and hostile ones.
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

static struct slice pack(const struct packing_member *members, size_t count)
{
    buf_clear(&data);
    packing_zip(members, count, &data);
    return buf_view(&data);
}

/* Names are told as they stand; nothing is written anywhere. */
static void test_members(void **state)
{
    (void)state;
    static const struct packing_member members[] = {
        {"a.txt", SLICE_LITERAL("\na@d.de")},
        {"d/", SLICE_LITERAL("")},
        {"d/b.html", SLICE_LITERAL("<p>b&#64;d.de")},
        {"../../../c", SLICE_LITERAL("c@d.de")},
        {"/etc/passwd", SLICE_LITERAL("e@d.de")},
        {"word/document.xml",
         SLICE_LITERAL("<?xml version='1.0'?><w:p xmlns:w='http://schemas.openxmlformats.org/x'>"
                       "<w:t>f@</w:t><w:t>d.de</w:t></w:p>")},
    };
    const struct reading usual = {.wants_hidden = false};
    buf_init(&data, BYTES_MAX);
    size_t wrong = reading_check_large(
        "members", &usual, pack(members, sizeof members / sizeof members[0]),
        "a@d.de (a.txt, line 2)\nb@d.de (d/b.html, line 1)\nc@d.de (../../../c, line 1)\n"
        "e@d.de (/etc/passwd, line 1)\nf@d.de (word/document.xml, line 1)\n");
    wrong += reading_check_large("nothing in it", &usual, pack(NULL, 0), "");
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

static void test_damaged(void **state)
{
    (void)state;
    static const struct packing_member members[] = {
        {"a", SLICE_LITERAL("a@d.de a@d.de a@d.de a@d.de")},
        {"b", SLICE_LITERAL("b@d.de")},
    };
    const struct reading usual = {.wants_hidden = false};
    buf_init(&data, BYTES_MAX);
    struct slice whole = pack(members, 2);
    size_t wrong = reading_check_large("cut", &usual, slice_sub(whole, 0, whole.len - 30),
                                       "! damaged ZIP archive\n");
    data.at[14] ^= 1; /* of the checksum */
    size_t directory = slice_find_nocase(buf_view(&data), SLICE("PK\1\2"));
    data.at[directory + 16] ^= 1;
    wrong += reading_check_large("a member with a wrong sum", &usual, buf_view(&data),
                                 "! a: damaged in its archive\nb@d.de (b, line 1)\n");
    (void)pack(members, 2);
    data.at[6] |= 1; /* encrypted */
    data.at[directory + 8] |= 1;
    wrong += reading_check_large("an encrypted member", &usual, buf_view(&data),
                                 "! a: damaged or encrypted in its archive\nb@d.de (b, line 1)\n");
    (void)pack(members, 2);
    data.at[data.len - 7] = 0x7f; /* the directory is two gigabytes large */
    wrong += reading_check_large("a directory that cannot be", &usual, buf_view(&data),
                                 "! damaged ZIP archive\n");
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

/* Archives in archives up to the depth; what unpacks to too much ends all of them. */
static void test_bombs(void **state)
{
    (void)state;
    struct reading reading = {.limits = document_usual_limits()};
    reading.limits.unpacked_bytes_max = 8 << 20;
    struct buf zeros;
    struct buf inner;
    buf_init(&data, BYTES_MAX);
    buf_init(&zeros, 16 << 20);
    buf_init(&inner, BYTES_MAX);
    while (zeros.len < 4 << 20) {
        must(buf_append(&zeros, slice_make("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16)) == ERR_NONE);
    }
    struct packing_member members[8];
    for (size_t i = 0; i < 8; i++) {
        members[i] = (struct packing_member){"zeros", buf_view(&zeros)};
    }
    packing_zip(members, 8, &inner);
    for (size_t i = 0; i < 8; i++) {
        members[i] = (struct packing_member){"inner.zip", buf_view(&inner)};
    }
    struct buf out;
    buf_init(&out, 1 << 16);
    assert_int_equal(reading_run(&reading, pack(members, 8), SIZE_MAX / 2, 1, &out), ERR_NONE);
    assert_true(slice_starts(buf_view(&out),
                             SLICE("! inner.zip: it unpacks to too much; unpack it first\n")));
    assert_true(slice_ends(buf_view(&out), SLICE("it unpacks to too much; unpack it first\n")));
    buf_clear(&out);
    reading.limits.depth_max = 1;
    assert_int_equal(reading_run(&reading, buf_view(&data), SIZE_MAX / 2, 1, &out), ERR_NONE);
    assert_true(slice_starts(buf_view(&out),
                             SLICE("! inner.zip: it is packed too often; unpack it first\n")));
    buf_done(&out);
    buf_done(&inner);
    buf_done(&zeros);
    buf_done(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_bombs),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
