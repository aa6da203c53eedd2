/* Ed25519 signatures: RFC 8032's own vectors, each byte of signature and message changed, files that are none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* RFC 8032 7.1, test 3: the message af82; its key as SubjectPublicKeyInfo (RFC 8410 4). */
static const char key[] = "-----BEGIN PUBLIC KEY-----\n"
                          "MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=\n"
                          "-----END PUBLIC KEY-----\n";
static const char message[] = "\xaf\x82";
static const unsigned char signature[SIGNATURE_BYTES] = {
    0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02, 0x48, 0x27, 0xe6, 0x9c, 0x3a, 0xbe, 0x01, 0xa3,
    0x0c, 0xe5, 0x48, 0xa2, 0x84, 0x74, 0x3a, 0x44, 0x5e, 0x36, 0x80, 0xd7, 0xdb, 0x5a, 0xc3, 0xac,
    0x18, 0xff, 0x9b, 0x53, 0x8d, 0x16, 0xf2, 0x90, 0xae, 0x67, 0xf7, 0x60, 0x98, 0x4d, 0xc6, 0x59,
    0x4a, 0x7c, 0x15, 0xe9, 0x71, 0x6e, 0xd2, 0x8d, 0xc0, 0x27, 0xbe, 0xce, 0xea, 0x1e, 0xc4, 0x0a};
static const char in_base64[] = " YpHWV97sJAJIJ+acOr4BowzlSKKEdDpEXjaA19taw6wY/5tTjRbykK5n92CYTcZZ"
                                "SnwV6XFu0o3AJ77O6h7ECg==\r\n";

static enum err check(const char bytes[SIGNATURE_BYTES], struct slice text)
{
    struct fault fault;
    return signature_check(slice_of(key), bytes, text, &fault);
}

static void vector(void **state)
{
    (void)state;
    struct slice text = SLICE(message);
    char bytes[SIGNATURE_BYTES];
    memcpy(bytes, signature, sizeof bytes);
    assert_int_equal(check(bytes, text), ERR_NONE);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        assert_int_equal(check(bytes, text), ERR_SYNTAX);
        bytes[i] ^= 1;
    }
    assert_int_equal(check(bytes, SLICE("\xaf\x83")), ERR_SYNTAX);
    assert_int_equal(check(bytes, SLICE_NONE), ERR_SYNTAX);
}

static void files(void **state)
{
    (void)state;
    char bytes[SIGNATURE_BYTES];
    assert_true(signature_read(slice_make((const char *)signature, sizeof signature), bytes));
    assert_memory_equal(bytes, signature, sizeof bytes);
    memset(bytes, 0, sizeof bytes);
    assert_true(signature_read(SLICE(in_base64), bytes));
    assert_memory_equal(bytes, signature, sizeof bytes);
    assert_false(signature_read(SLICE_NONE, bytes));
    assert_false(signature_read(SLICE("YpHW"), bytes));
    assert_false(signature_read(slice_sub(SLICE(in_base64), 0, 60), bytes));
}

/* A key that signs nothing (RFC 8410 3). */
static const char x25519[] = "-----BEGIN PUBLIC KEY-----\n"
                             "MCowBQYDK2VuAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=\n"
                             "-----END PUBLIC KEY-----\n";

static void keys(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "no key", "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n", x25519};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault fault;
        assert_int_equal(
            signature_check(slice_of(bad[i]), (const char *)signature, SLICE(message), &fault),
            ERR_SYNTAX);
        assert_true(fault.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector),
        cmocka_unit_test(files),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
