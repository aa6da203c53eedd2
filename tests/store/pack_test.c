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

enum { BYTES_MAX = 1 << 16, KNOWN_PARTS_MAX = 4096 };

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
    {"half a word", SLICE_LITERAL("{\"email\":\"\",\"norm"), true},
    {"a long value", SLICE_LITERAL("\"confidence\":0.95," HUNDRED HUNDRED "\"cached\":false,"),
     true},
    {"any bytes", SLICE_LITERAL("\0\x01\x80\xff\"is_disposable\":false\0"), true},
    {"nothing", SLICE_LITERAL(""), false},
    {"one byte", SLICE_LITERAL("{"), false},
    {"nothing that is known", SLICE_LITERAL(HUNDRED HUNDRED), false},
};

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    struct pack_index index = {.is_made = false};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf packed, text;
        bool is_packed = false;
        buf_init(&packed, BYTES_MAX);
        buf_init(&text, BYTES_MAX);
        assert_int_equal(store_pack(&index, rows[i].text, &packed, &is_packed), ERR_NONE);
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
}

/* Each length that a piece, and what stands between pieces, may have: a record cut anywhere, between other bytes. */
static void any_part_of_a_record_comes_back(void **state)
{
    (void)state;
    struct pack_index index = {.is_made = false};
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
        assert_int_equal(store_pack(&index, buf_view(&text), &packed, &is_packed), ERR_NONE);
        if (is_packed) {
            assert_int_equal(store_unpack(buf_view(&packed), &back), ERR_NONE);
            assert_true(slice_equal(buf_view(&back), buf_view(&text)));
        }
        buf_done(&text);
        buf_done(&packed);
        buf_done(&back);
    }
}

static const struct broken_row {
    const char *name;
    struct slice packed;
} broken[] = {
    {"nothing", SLICE_LITERAL("")},
    {"another known text", SLICE_LITERAL("\x02\x00{")},
    {"letters that are missing", SLICE_LITERAL("\x01\x02{}")},
    {"half a piece", SLICE_LITERAL("\x01\x80")},
    {"a long piece without its length", SLICE_LITERAL("\x01\x80\x07")},
    {"a piece behind the end", SLICE_LITERAL("\x01\xff\xff\xff")},
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
    struct pack_index index = {.is_made = false};
    struct buf small, text;
    bool is_packed = false;
    buf_init(&small, 16);
    assert_int_equal(store_pack(&index, SLICE(RECORD), &small, &is_packed), ERR_LIMIT);
    assert_int_equal(store_unpack(SLICE("\x01\x80\x07\x20"), &small), ERR_LIMIT);
    assert_int_equal(small.len, 0);
    buf_init(&text, 64);
    assert_int_equal(store_unpack(SLICE("\x01\x80\x07\x20"), &text), ERR_NONE);
    assert_int_equal(text.len, 12 + 32);
    buf_done(&small);
    buf_done(&text);
}

/* Files are read by it: who wants another one gives it another number. */
static void the_known_text_never_changes(void **state)
{
    (void)state;
    struct buf known;
    buf_init(&known, BYTES_MAX);
    enum err e = ERR_NONE;
    size_t count = 0;
    for (; e == ERR_NONE && count < KNOWN_PARTS_MAX; count++) {
        const unsigned place = (unsigned)count;
        const char packed[] = {1, (char)(0x80 | place >> 5), (char)((place & 0x1f) << 3)};
        e = store_unpack(slice_make(packed, sizeof packed), &known);
    }
    assert_int_equal(e, ERR_SYNTAX);
    assert_int_equal(known.len, 11405);
    assert_true(sip_hash(buf_view(&known), 0, 0) == UINT64_C(0x4c5b64d6021e979f));
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
