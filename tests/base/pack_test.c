/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"
#include "fail_alloc.h"

enum { ROUNDS = 2000, BUF_MAX = 256 };

/* One of each. */
struct values {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64, since;
    bool flags[11];
    char raw[3];
    struct slice bytes;
};

static void walk(struct pack *p, struct values *v)
{
    bool *flags[11];
    for (size_t i = 0; i < 11; i++) {
        flags[i] = &v->flags[i];
    }
    pack_u8(p, &v->u8);
    pack_u16(p, &v->u16);
    pack_flags(p, flags, 11);
    pack_u32(p, &v->u32);
    pack_bytes(p, &v->bytes);
    pack_u64(p, &v->u64);
    pack_since(p, &v->since, v->u64);
    pack_raw(p, v->raw, sizeof v->raw);
}

static struct values draw(struct random *random)
{
    static const char text[] = "what follows is cut somewhere";
    struct values v = {.u8 = (uint8_t)random_next(random), .u16 = (uint16_t)random_next(random)};
    v.u32 = (uint32_t)random_next(random) >> random_below(random, 32);
    v.u64 = random_next(random) >> random_below(random, 64);
    v.since = v.u64 + (random_next(random) >> random_below(random, 64));
    for (size_t i = 0; i < 11; i++) {
        v.flags[i] = random_below(random, 2) == 0;
    }
    memcpy(v.raw, text + random_below(random, 5), sizeof v.raw);
    v.bytes = slice_make(text, random_below(random, sizeof text));
    return v;
}

static void check_same(const struct values *a, const struct values *b)
{
    assert_int_equal(a->u8, b->u8);
    assert_int_equal(a->u16, b->u16);
    assert_int_equal(a->u32, b->u32);
    assert_int_equal(a->u64, b->u64);
    assert_int_equal(a->since, b->since);
    assert_memory_equal(a->flags, b->flags, sizeof a->flags);
    assert_memory_equal(a->raw, b->raw, sizeof a->raw);
    assert_true(slice_equal(a->bytes, b->bytes));
}

static void gives_back_what_was_written(void **state)
{
    (void)state;
    struct random random = {7};
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct buf buf;
        buf_init(&buf, BUF_MAX);
        struct values first = draw(&random), second = draw(&random), got = {0};
        struct pack writing = pack_into(&buf);
        walk(&writing, &first);
        walk(&writing, &second);
        assert_int_equal(writing.err, ERR_NONE);
        struct pack reading = pack_from(buf_view(&buf));
        walk(&reading, &got);
        check_same(&got, &first);
        walk(&reading, &got);
        check_same(&got, &second);
        assert_true(reader_is_done(&reading.from));
        buf_done(&buf);
    }
}

static void takes_few_bytes(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        size_t bytes;
    } rows[] = {{0, 1}, {127, 1}, {128, 2}, {16383, 2}, {16384, 3}, {UINT64_MAX, 10}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf buf;
        buf_init(&buf, BUF_MAX);
        struct pack p = pack_into(&buf);
        uint64_t number = rows[i].number;
        pack_u64(&p, &number);
        assert_int_equal(number, rows[i].number);
        assert_int_equal(buf.len, rows[i].bytes);
        buf_done(&buf);
    }
}

static void keeps_its_first_failure(void **state)
{
    (void)state;
    struct random random = {7};
    struct values v = draw(&random);
    struct buf buf;
    buf_init(&buf, 4);
    struct pack p = pack_into(&buf);
    walk(&p, &v);
    assert_int_equal(p.err, ERR_LIMIT);
    assert_true(buf.len <= 4);
    buf_done(&buf);
    fail_alloc_at(1);
    buf_init(&buf, BUF_MAX);
    p = pack_into(&buf);
    walk(&p, &v);
    assert_int_equal(p.err, ERR_NOMEM);
    assert_int_equal(buf.len, 0);
    buf_done(&buf);
    assert_int_equal(fail_alloc_end(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_written),
        cmocka_unit_test(takes_few_bytes),
        cmocka_unit_test(keeps_its_first_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
