/* Packing: whatever is packed comes back byte by byte, what is broken is told, and the known text is pinned, for it stands
 * in files.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/sip_hash.h"
#include "base/slice.h"

enum { BYTES_MAX = 1 << 16, KNOWN_BYTES = 2285 };

#define RECORD                                                                                  \
    "{\"email\":\"\",\"normalized\":\"x@y.example\",\"ascii\":\"x@y.example\",\"local\":\"x\"," \
    "\"domain\":\"y.example\",\"status\":\"deliverable\",\"sub_status\":\"accepted\","          \
    "\"score\":95,\"confidence\":0.95,\"flags\":{\"is_disposable\":false,\"is_role\":true,"     \
    "\"is_free\":false,\"is_catch_all\":null},\"duration_ms\":1250,\"rules_version\":\"0123\"}"
#define HUNDRED                                                                                    \
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901" \
    "23456789"

struct pack_row {
    const char *name;
    struct slice text;
    bool is_packed;
};

static const struct pack_row rows[] = {
    {"a record", SLICE_LITERAL(RECORD), true},
    {"a few letters", SLICE_LITERAL("{\"email\":\"x"), false},
    {"a long value", SLICE_LITERAL("\"confidence\":0.95," HUNDRED HUNDRED "\"cached\":false,"),
     true},
    {"any bytes", SLICE_LITERAL("\0\x01\x80\xff" RECORD "\0\xfe"), true},
    {"nothing", SLICE_LITERAL(""), false},
    {"one byte", SLICE_LITERAL("{"), false},
    {"nothing that is known", SLICE_LITERAL("!?;:<>=+*~^%$#@"), false},
};

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    struct pack pack = {.state = NULL};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf packed, text;
        bool is_packed = false;
        buf_init(&packed, BYTES_MAX);
        buf_init(&text, BYTES_MAX);
        assert_int_equal(store_pack(&pack, rows[i].text, &packed, &is_packed), ERR_NONE);
        if (is_packed != rows[i].is_packed || (packed.len > 0) != is_packed) {
            fail_msg("%s: %d, %zu bytes", rows[i].name, is_packed, packed.len);
        }
        if (is_packed) {
            assert_true(packed.len < rows[i].text.len);
            assert_int_equal(store_unpack(buf_view(&packed), &text), ERR_NONE);
            assert_true(slice_equal(buf_view(&text), rows[i].text));
        }
        buf_done(&packed);
        buf_done(&text);
    }
    store_pack_done(&pack);
}

/* Each length that a piece, and what stands between pieces, may have: a record cut anywhere, between other bytes. */
static void any_part_of_a_record_comes_back(void **state)
{
    (void)state;
    struct pack pack = {.state = NULL};
    const struct slice record = SLICE(RECORD);
    struct random random = {1};
    for (size_t from = 0; from < record.len; from++) {
        struct buf text, packed, back;
        bool is_packed = false;
        buf_init(&text, BYTES_MAX);
        buf_init(&packed, BYTES_MAX);
        buf_init(&back, BYTES_MAX);
        for (size_t parts = random_below(&random, 4); parts > 0; parts--) {
            size_t end = from + random_below(&random, (uint32_t)(record.len - from + 1));
            assert_int_equal(buf_append(&text, slice_sub(record, from, end)), ERR_NONE);
            assert_int_equal(
                buf_append(&text, slice_make(HUNDRED HUNDRED, random_below(&random, 200))),
                ERR_NONE);
        }
        assert_int_equal(store_pack(&pack, buf_view(&text), &packed, &is_packed), ERR_NONE);
        if (is_packed) {
            assert_int_equal(store_unpack(buf_view(&packed), &back), ERR_NONE);
            assert_true(slice_equal(buf_view(&back), buf_view(&text)));
        }
        buf_done(&text);
        buf_done(&packed);
        buf_done(&back);
    }
    store_pack_done(&pack);
}

/* Behind number and length: a token (how many letters, how long a piece), letters, and how far back the piece is. */
static const struct broken_row {
    const char *name;
    struct slice packed;
} broken[] = {
    {"nothing", SLICE_LITERAL("")},
    {"another known text", SLICE_LITERAL("\x02\0\0\x01\x10{")},
    {"half a length", SLICE_LITERAL("\x01\0\0")},
    {"no block", SLICE_LITERAL("\x01\0\0\x05")},
    {"no text", SLICE_LITERAL("\x01\0\0\0\x10{")},
    {"letters that are missing", SLICE_LITERAL("\x01\0\0\x03\x30{}")},
    {"less than the length", SLICE_LITERAL("\x01\0\0\x04\x30{,}")},
    {"more than the length", SLICE_LITERAL("\x01\0\0\x02\x30{,}")},
    {"half a piece", SLICE_LITERAL("\x01\0\0\x05\x01\x10")},
    {"a piece before the beginning", SLICE_LITERAL("\x01\0\0\x09\0\xff\xff\x50{{{{{")},
    {"longer than any block could say", SLICE_LITERAL("\x01\xff\xff\xff\x10{")},
};

static void what_is_broken_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct buf text;
        buf_init(&text, BYTES_MAX);
        assert_int_equal(buf_append(&text, SLICE("before")), ERR_NONE);
        if (store_unpack(broken[i].packed, &text) != ERR_SYNTAX) {
            fail_msg("%s", broken[i].name);
        }
        assert_true(slice_equal(buf_view(&text), SLICE("before")));
        buf_done(&text);
    }
}

static void a_record_that_is_too_long_is_told(void **state)
{
    (void)state;
    struct pack pack = {.state = NULL};
    struct buf small, packed;
    bool is_packed = false;
    buf_init(&small, 16);
    buf_init(&packed, BYTES_MAX);
    assert_int_equal(store_pack(&pack, SLICE(RECORD), &small, &is_packed), ERR_LIMIT);
    assert_int_equal(store_pack(&pack, SLICE(RECORD), &packed, &is_packed), ERR_NONE);
    assert_true(is_packed);
    assert_int_equal(store_unpack(buf_view(&packed), &small), ERR_LIMIT);
    assert_int_equal(small.len, 0);
    buf_done(&small);
    buf_done(&packed);
    store_pack_done(&pack);
}

/* A block that is the known text from so far back to its end, and five letters (the format wants them). */
static enum err take_known(size_t back, struct buf *out)
{
    const size_t text_len = back + 5;
    struct buf packed;
    buf_init(&packed, BYTES_MAX);
    const char head[] = {1,    (char)(text_len >> 16),   (char)(text_len >> 8), (char)text_len,
                         0x0f, (char)(back & UINT8_MAX), (char)(back >> 8)};
    assert_int_equal(buf_append(&packed, slice_make(head, sizeof head)), ERR_NONE);
    size_t more = back - 4 - 15;
    for (; more >= UINT8_MAX; more -= UINT8_MAX) {
        assert_int_equal(buf_append(&packed, SLICE("\xff")), ERR_NONE);
    }
    const char last = (char)more;
    assert_int_equal(buf_append(&packed, slice_make(&last, 1)), ERR_NONE);
    assert_int_equal(buf_append(&packed, SLICE("\x50=====")), ERR_NONE);
    enum err e = store_unpack(buf_view(&packed), out);
    buf_done(&packed);
    return e;
}

/* Files are read by it: who wants another one gives it another number. */
static void the_known_text_never_changes(void **state)
{
    (void)state;
    struct buf known;
    buf_init(&known, BYTES_MAX);
    assert_int_equal(take_known(KNOWN_BYTES + 1, &known), ERR_SYNTAX);
    assert_int_equal(take_known(KNOWN_BYTES, &known), ERR_NONE);
    assert_int_equal(known.len, KNOWN_BYTES + 5);
    assert_true(sip_hash(slice_sub(buf_view(&known), 0, KNOWN_BYTES), 0, 0) ==
                UINT64_C(0xcd7d0d68649ddd9a));
    buf_done(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(any_part_of_a_record_comes_back),
        cmocka_unit_test(what_is_broken_is_told),
        cmocka_unit_test(a_record_that_is_too_long_is_told),
        cmocka_unit_test(the_known_text_never_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
