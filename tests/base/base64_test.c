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

static void reads_what_it_writes(void **state)
{
    (void)state;
    char bytes[64], text[BASE64_BYTES(64)], back[64 + 3];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 37 + 250);
    }
    for (size_t len = 0; len <= sizeof bytes; len++) {
        size_t back_len = 99;
        size_t text_len = base64_write(slice_make(bytes, len), text);
        assert_true(base64_read(slice_make(text, text_len), back, &back_len));
        assert_int_equal(back_len, len);
        assert_memory_equal(back, bytes, len);
    }
}

static void refuses_what_is_not_base64(void **state)
{
    static const char *const texts[] = {"Z",        "Zg",       "Zg=",  "Zm9vY", "====",   "Z===",
                                        "=g==",     "Zh==",     "Zm9=", "Zm 8",  "Zm9v\n", "Zm-_",
                                        "Zg==Zg==", "Zm8=Zg==", "Z=9v", "Zg=A"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char out[16];
        size_t len;
        if (base64_read(slice_of(texts[i]), out, &len)) {
            fail_msg("\"%s\" was read", texts[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_examples),
        cmocka_unit_test(writes_for_urls),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(refuses_what_is_not_base64),
    };
    return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}
