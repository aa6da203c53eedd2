/* engine/json_write: what comes out is JSON whatever goes in, and the same texts come back from it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "json_check.h"
#include "sample_record.h"

enum { OUT_BYTES_MAX = 1 << 20 };

/* Bytes that are not UTF-8 as the Latin-1 characters of the same number. */
static void as_utf8(struct slice s, struct buf *out)
{
    while (s.len > 0) {
        unsigned code;
        size_t step = text_utf8_next(s, &code);
        if (step > 0) {
            must(buf_append(out, slice_sub(s, 0, step)) == ERR_NONE);
        } else {
            unsigned char byte = (unsigned char)s.at[0];
            char pair[2] = {(char)(0xc0 | byte >> 6), (char)(0x80 | (byte & 0x3f))};
            must(buf_append(out, slice_make(pair, 2)) == ERR_NONE);
            step = 1;
        }
        s = slice_sub(s, step, s.len);
    }
}

static void check_text(struct slice text)
{
    struct buf out, actual, expected;
    struct json_writer w;
    buf_init(&out, OUT_BYTES_MAX);
    buf_init(&actual, OUT_BYTES_MAX);
    buf_init(&expected, OUT_BYTES_MAX);
    json_begin(&w, &out);
    json_open(&w, NULL, '[');
    json_string(&w, NULL, text);
    json_close(&w, ']');
    assert_int_equal(w.err, ERR_NONE);
    for (size_t i = 0; i < out.len;) {
        unsigned code;
        size_t step = text_utf8_next(slice_sub(buf_view(&out), i, out.len), &code);
        assert_true(step > 0 && !text_is_dangerous(code));
        i += step;
    }
    assert_true(json_check_first_text(buf_view(&out), &actual));
    as_utf8(text, &expected);
    assert_true(slice_equal(buf_view(&actual), buf_view(&expected)));
    buf_done(&actual);
    buf_done(&out);
    buf_done(&expected);
}

static void test_hostile_texts(void **state)
{
    (void)state;
    size_t count;
    const struct slice *texts = sample_hostile_texts(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t cut = 0; cut <= texts[i].len; cut++) {
            check_text(slice_sub(texts[i], 0, cut));
            check_text(slice_sub(texts[i], cut, texts[i].len));
        }
    }
}

static void test_every_byte_and_pair(void **state)
{
    (void)state;
    char pair[2];
    for (int a = 0; a < 256; a++) {
        pair[0] = (char)a;
        check_text(slice_make(pair, 1));
        for (int b = 0; b < 256; b += 5) {
            pair[1] = (char)b;
            check_text(slice_make(pair, 2));
        }
    }
}

static void test_random_bytes(void **state)
{
    (void)state;
    struct random random = {.state = 7};
    for (int round = 0; round < 2000; round++) {
        char bytes[64];
        size_t len = random_below(&random, sizeof bytes);
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char)random_below(&random, 256);
        }
        check_text(slice_make(bytes, len));
    }
}

static void write_all(struct json_writer *w)
{
    json_open(w, NULL, '{');
    json_int(w, "low", INT64_MIN);
    json_int(w, "high", INT64_MAX);
    json_real(w, "real", 0.875);
    json_real(w, "whole", 1.0);
    json_bool(w, "yes", true);
    json_bool(w, "no", false);
    json_null(w, "null");
    json_raw(w, "raw", SLICE("[1,{\"a\":2}]"));
    json_open(w, "empty", '[');
    json_close(w, ']');
    json_open(w, "list", '[');
    json_string(w, NULL, SLICE("a\"b"));
    json_open(w, NULL, '{');
    json_close(w, '}');
    json_int(w, NULL, 3);
    json_close(w, ']');
    json_close(w, '}');
}

#define WRITTEN                                                                              \
    "{\"low\":-9223372036854775808,\"high\":9223372036854775807,\"real\":0.875,\"whole\":1," \
    "\"yes\":true,\"no\":false,\"null\":null,\"raw\":[1,{\"a\":2}],\"empty\":[],"            \
    "\"list\":[\"a\\\"b\",{},3]}"

static void test_values(void **state)
{
    (void)state;
    struct buf out;
    struct json_writer w;
    buf_init(&out, OUT_BYTES_MAX);
    json_begin(&w, &out);
    write_all(&w);
    assert_int_equal(w.err, ERR_NONE);
    assert_true(slice_equal(buf_view(&out), SLICE(WRITTEN)));
    assert_true(json_check_is_valid(buf_view(&out)));
    buf_done(&out);
}

/* A ceiling at any place: the error stays, and nothing is written after it. */
static void test_ceiling(void **state)
{
    (void)state;
    for (size_t max = 1; max < sizeof WRITTEN - 1; max++) {
        struct buf out;
        struct json_writer w;
        buf_init(&out, max);
        json_begin(&w, &out);
        write_all(&w);
        assert_int_equal(w.err, ERR_LIMIT);
        assert_true(out.len <= max);
        assert_memory_equal(out.at == NULL ? "" : out.at, WRITTEN, out.len);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_texts), cmocka_unit_test(test_every_byte_and_pair),
        cmocka_unit_test(test_random_bytes),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_ceiling),
    };
    return cmocka_run_group_tests_name("engine/json_write", tests, NULL, NULL);
}
