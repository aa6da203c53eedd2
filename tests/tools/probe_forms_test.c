/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static void relay_forms(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "u@d", "u@d",        "u@d",     "u%d@us", "u%d",     "d!u@us",
        "d!u", "\"u@d\"@us", "\"u@d\"", "u@d@us", "@us:u@d", "u@d.",
    };
    static struct probe_relay_forms forms;
    const struct slice unsaid = {.at = NULL};
    assert_int_equal(probe_relay_forms(SLICE("us"), SLICE("u@d"), SLICE("s@x"), &forms), ERR_NONE);
    assert_int_equal(forms.count, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < forms.count; i++) {
        if (!slice_equal(forms.trials[i].rcpt, slice_of(wanted[i]))) {
            fail_msg("%zu: %.*s", i, SLICE_ARG(forms.trials[i].rcpt));
        }
    }
    assert_int_equal(forms.trials[1].mail_from.len, 0);
    assert_true(slice_equal(forms.trials[2].mail_from, SLICE("postmaster@us")));
    assert_int_equal(probe_relay_forms(SLICE("us"), unsaid, SLICE(""), &forms), ERR_NONE);
    assert_true(slice_equal(forms.trials[0].rcpt, SLICE("relay-test@example.net")));
    assert_true(slice_equal(forms.trials[0].mail_from, SLICE("relay-test@example.org")));
    assert_int_equal(probe_relay_forms(SLICE("us"), SLICE(""), SLICE(""), &forms), ERR_SYNTAX);
    assert_int_equal(probe_relay_forms(SLICE("us"), SLICE("d"), SLICE(""), &forms), ERR_SYNTAX);
    assert_int_equal(probe_relay_forms(SLICE(""), SLICE("u@d"), SLICE(""), &forms), ERR_SYNTAX);
}

static const struct {
    const char *text;
    struct slice wanted; /* empty: ERR_SYNTAX */
} headers[] = {
    {"v1", SLICE_LITERAL("PROXY UNKNOWN\r\n")},
    {"v1,192.0.2.1:1,192.0.2.2:25", SLICE_LITERAL("PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n")},
    {"V1,[2001:db8::1]:1,[2001:db8::2]:25",
     SLICE_LITERAL("PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n")},
    {"v2", SLICE_LITERAL("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")},
    {"v2,1.2.3.4:258,5.6.7.8:25",
     SLICE_LITERAL("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\1\2\3\4\5\6\7\10\1\2\0\x19")},
    {"v3", SLICE_LITERAL("")},
    {"v1,192.0.2.1:1", SLICE_LITERAL("")},
    {"v1,192.0.2.1,192.0.2.2", SLICE_LITERAL("")},
    {"v2,192.0.2.1:1,[2001:db8::2]:25", SLICE_LITERAL("")},
};

static void proxy_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct buf out;
        buf_init(&out, 256);
        enum err e = probe_proxy_header(slice_of(headers[i].text), &out);
        assert_int_equal(e, headers[i].wanted.len == 0 ? ERR_SYNTAX : ERR_NONE);
        if (e == ERR_NONE && !slice_equal(buf_view(&out), headers[i].wanted)) {
            fail_msg("%s: %zu bytes", headers[i].text, out.len);
        }
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay_forms),
        cmocka_unit_test(proxy_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
