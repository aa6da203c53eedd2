/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/key_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

#define V KEY_SCOPE_VERIFY
#define B KEY_SCOPE_BATCH
#define R KEY_SCOPE_READ
#define L KEY_SCOPE_LEARN
#define A KEY_SCOPE_ADMIN

static const struct {
    const char *text;
    unsigned scopes;     /* 0: it is refused */
    const char *written; /* or what the refusal says */
} scope_cases[] = {
    {"verify", V, "verify"},
    {"batch,verify", V | B, "verify,batch"},
    {"read,read", R, "read"},
    {"admin,read,batch,verify", V | B | R | A, "verify,batch,read,admin"},
    {"admin,learn,verify", V | L | A, "verify,learn,admin"},
    {"probe,read", R | KEY_SCOPE_PROBE, "read,probe"},
    {"", 0, "'' is no scope"},
    {"verify,", 0, "'' is no scope"},
    {"verify, batch", 0, "' batch' is no scope"},
    {"Verify", 0, "'Verify' is no scope"},
    {"verify,all", 0, "'all' is no scope; there are verify, batch, read, learn, probe and admin"},
};

static void reads_and_writes_scopes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scope_cases / sizeof scope_cases[0]; i++) {
        unsigned scopes = 77;
        struct fault why = {.err = ERR_NONE};
        struct buf written;
        enum err e = key_scopes_read(slice_of(scope_cases[i].text), &scopes, &why);
        if (scope_cases[i].scopes == 0) {
            assert_int_equal(e, ERR_SYNTAX);
            assert_int_equal(scopes, 77);
            assert_non_null(strstr(why.text, scope_cases[i].written));
            continue;
        }
        assert_int_equal(e, ERR_NONE);
        assert_int_equal(scopes, scope_cases[i].scopes);
        buf_init(&written, 100);
        assert_int_equal(key_scopes_write(scopes, &written), ERR_NONE);
        assert_true(slice_equal(buf_view(&written), slice_of(scope_cases[i].written)));
        buf_done(&written);
    }
}

static void admin_implies_all(void **state)
{
    (void)state;
    static const struct {
        unsigned has;
        enum key_scope wanted;
        bool is_allowed;
    } cases[] = {
        {V, V, true},
        {V, B, false},
        {V | B, B, true},
        {V | B | R, A, false},
        {A, V, true},
        {A, B, true},
        {A, R, true},
        {A, L, true},
        {V | B | R, L, false},
        {A, A, true},
        {0, V, false},
        {A, KEY_SCOPE_PROBE, true},
        {V | B | R, KEY_SCOPE_PROBE, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(key_scopes_allow(cases[i].has, cases[i].wanted), cases[i].is_allowed);
    }
    assert_string_equal(key_scope_name(KEY_SCOPE_READ), "read");
    assert_string_equal(key_scope_name(KEY_SCOPE_ADMIN), "admin");
}

static void reads_rates_and_quotas(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t rate, quota; /* 0: it is none */
    } cases[] = {
        {"60/min", 60, 0},
        {"10000000/min", 10000000, 0},
        {"10000001/min", 0, 0},
        {"10000/day", 0, 10000},
        {"1000000000000/day", 0, UINT64_C(1000000000000)},
        {"1000000000001/day", 0, 0},
        {"0/min", 0, 0},
        {"0/day", 0, 0},
        {"60", 0, 0},
        {"/min", 0, 0},
        {"60/minute", 0, 0},
        {"60 /min", 0, 0},
        {"-1/min", 0, 0},
        {"1/min/day", 0, 0},
        {"99999999999999999999999/day", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t rate = 0;
        uint64_t quota = 0;
        struct fault why;
        enum err e = key_rate_read(slice_of(cases[i].text), &rate, &why);
        assert_int_equal(e, cases[i].rate == 0 ? ERR_SYNTAX : ERR_NONE);
        assert_int_equal(rate, cases[i].rate);
        e = key_quota_read(slice_of(cases[i].text), &quota, &why);
        assert_int_equal(e, cases[i].quota == 0 ? ERR_SYNTAX : ERR_NONE);
        assert_int_equal(quota, cases[i].quota);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_scopes),
        cmocka_unit_test(admin_implies_all),
        cmocka_unit_test(reads_rates_and_quotas),
    };
    return cmocka_run_group_tests_name("engine/key_words", tests, NULL, NULL);
}
