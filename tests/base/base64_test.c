/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* RFC 4648 10, and bytes above 0x7f. */
static void writes_the_examples(void **state)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd\xfb", "//79+w=="},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[BASE64_BYTES(8) + 1];
        memset(out, '!', sizeof out);
        size_t len = base64_write(slice_of(cases[i].bytes), out);
        assert_int_equal(len, BASE64_BYTES(strlen(cases[i].bytes)));
        assert_int_equal(out[len], '!');
        out[len] = '\0';
        assert_string_equal(out, cases[i].text);
    }
}

/* RFC 4648 5 */
static void writes_for_urls(void **state)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xff\xfe\xfd\xfb", "__79-w"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[BASE64_BYTES(8) + 1] = {0};
        size_t len = base64_write_url(slice_of(cases[i].bytes), out);
        assert_int_equal(len, strlen(cases[i].text));
        assert_memory_equal(out, cases[i].text, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_examples),
        cmocka_unit_test(writes_for_urls),
    };
    return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}
