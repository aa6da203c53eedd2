/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhook_headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* RFC 9110 5.5, 5.6.2, 7.6.1 */
static void one_header_is_taken_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *lines; /* NULL: refused */
    } cases[] = {
        {"X-Reacher-Secret", "a b;c", "X-Reacher-Secret:a b;c\n"},
        {"Authorization", "Bearer a.b-c", "Authorization:Bearer a.b-c\n"},
        {"X-Empty", "", "X-Empty:\n"},
        {"X", "  trimmed ", "X:trimmed\n"},
        {"Content-Type", "application/json; charset=utf-8", ""},
        {"content-type", "text/plain", NULL},
        {"Host", "inside.example", NULL},
        {"CONTENT-LENGTH", "0", NULL},
        {"Transfer-Encoding", "chunked", NULL},
        {"connection", "close", NULL},
        {"Upgrade", "h2c", NULL},
        {"Webhook-Signature", "v1,x", NULL},
        {"webhook-id", "evt_1", NULL},
        {"webhook-anything", "1", NULL},
        {"", "empty", NULL},
        {"X Y", "a", NULL},
        {"X:Y", "a", NULL},
        {"X\r\nHost", "a", NULL},
        {"\xc3\xa4", "a", NULL},
        {"X", "a\r\nHost: b", NULL},
        {"X", "a\tb", NULL},
        {"X", "\xc3\xa4", NULL},
        {"X", "a\x7f", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf lines;
        struct fault fault = {.err = ERR_NONE};
        buf_init(&lines, WEBHOOK_HEADERS_BYTES_MAX);
        enum err e =
            webhook_headers_add(&lines, slice_of(cases[i].name), slice_of(cases[i].value), &fault);
        assert_int_equal(e, cases[i].lines == NULL ? ERR_SYNTAX : ERR_NONE);
        assert_true(slice_equal(buf_view(&lines), slice_of(cases[i].lines)));
        assert_true((fault.text[0] != '\0') == (e != ERR_NONE));
        buf_done(&lines);
    }
}

static void names_stand_once_and_are_few(void **state)
{
    (void)state;
    struct buf lines;
    struct fault fault;
    struct webhook_headers read;
    char name[16];
    buf_init(&lines, WEBHOOK_HEADERS_BYTES_MAX);
    for (int i = 0; i < WEBHOOK_HEADERS_MAX; i++) {
        (void)snprintf(name, sizeof name, "X-%d", i);
        assert_int_equal(webhook_headers_add(&lines, slice_of(name), SLICE("v"), &fault), ERR_NONE);
        assert_int_equal(webhook_headers_add(&lines, slice_of(name), SLICE("w"), &fault),
                         ERR_SYNTAX);
    }
    assert_int_equal(webhook_headers_add(&lines, SLICE("x-3"), SLICE("v"), &fault), ERR_SYNTAX);
    assert_int_equal(webhook_headers_add(&lines, SLICE("Y"), SLICE("v"), &fault), ERR_SYNTAX);
    webhook_headers_read(buf_view(&lines), &read);
    assert_int_equal(read.count, WEBHOOK_HEADERS_MAX);
    assert_string_equal(read.at[7].name, "X-7");
    assert_true(slice_equal(read.at[7].value, SLICE("v")));
    buf_done(&lines);
}

static void all_of_them_have_a_ceiling(void **state)
{
    (void)state;
    static const char long_value[WEBHOOK_HEADERS_BYTES_MAX] = {0};
    char value[WEBHOOK_HEADERS_BYTES_MAX];
    struct buf lines;
    struct fault fault;
    struct webhook_headers read;
    memset(value, 'v', sizeof value);
    buf_init(&lines, WEBHOOK_HEADERS_BYTES_MAX);
    const size_t room = WEBHOOK_HEADERS_BYTES_MAX - sizeof "X:";
    assert_int_equal(webhook_headers_add(&lines, SLICE("X"), slice_make(value, room + 1), &fault),
                     ERR_SYNTAX);
    assert_int_equal(webhook_headers_add(&lines, SLICE("X"), slice_make(value, room), &fault),
                     ERR_NONE);
    assert_int_equal(webhook_headers_add(&lines, SLICE("Y"), SLICE_NONE, &fault), ERR_SYNTAX);
    webhook_headers_read(buf_view(&lines), &read);
    assert_int_equal(read.count, 1);
    assert_int_equal(read.at[0].value.len, room);
    webhook_headers_read(slice_make(long_value, sizeof long_value), &read);
    assert_int_equal(read.count, 0);
    webhook_headers_read(SLICE("no colon here\n:\nA:b\nB c:d\nC:e"), &read);
    assert_int_equal(read.count, 2);
    assert_string_equal(read.at[0].name, "A");
    assert_string_equal(read.at[1].name, "C");
    buf_done(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_header_is_taken_or_refused),
        cmocka_unit_test(names_stand_once_and_are_few),
        cmocka_unit_test(all_of_them_have_a_ceiling),
    };
    return cmocka_run_group_tests_name("engine/webhook_headers", tests, NULL, NULL);
}
