/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/key_size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

enum { KEY_BYTES_MAX = 1024 };

static size_t put_length(char *at, size_t len)
{
    if (len < 0x80) {
        at[0] = (char)len;
        return 1;
    }
    if (len < 0x100) {
        at[0] = (char)0x81;
        at[1] = (char)len;
        return 2;
    }
    at[0] = (char)0x82;
    at[1] = (char)(len >> 8);
    at[2] = (char)(len & 0xff);
    return 3;
}

/* A value of X.690 around what is there. */
static size_t wrap(char type, const char *inside, size_t len, char *out)
{
    out[0] = type;
    size_t head = 1 + put_length(out + 1, len);
    memcpy(out + head, inside, len);
    return head + len;
}

/* RSAPublicKey with a modulus of so many bits and the exponent 65537. */
static size_t make_key(unsigned bits, char out[KEY_BYTES_MAX])
{
    static const char exponent[] = {2, 3, 1, 0, 1};
    char modulus[KEY_BYTES_MAX] = {0};
    char inside[KEY_BYTES_MAX];
    size_t bytes = (bits + 7) / 8;
    size_t front = bits % 8 == 0 ? 1 : 0; /* a zero, so that it is not negative */
    memset(modulus + front, 0x5a, bytes);
    modulus[front] = (char)(1u << ((bits + 7) % 8));
    size_t len = wrap(2, modulus, front + bytes, inside);
    memcpy(inside + len, exponent, sizeof exponent);
    return wrap(0x30, inside, len + sizeof exponent, out);
}

/* SubjectPublicKeyInfo around it. */
static size_t make_info(unsigned bits, char out[KEY_BYTES_MAX])
{
    static const char algorithm[] = {0x30,       13, 6, 9, 0x2a, (char)0x86, 0x48, (char)0x86,
                                     (char)0xf7, 13, 1, 1, 1,    5,          0};
    char key[KEY_BYTES_MAX + 1] = {0};
    char inside[KEY_BYTES_MAX];
    size_t len = make_key(bits, key + 1);
    memcpy(inside, algorithm, sizeof algorithm);
    size_t more = wrap(3, key, len + 1, inside + sizeof algorithm);
    return wrap(0x30, inside, sizeof algorithm + more, out);
}

/* RFC 5280 4.1, RFC 8017 A.1.1 */
static void keys_are_measured(void **state)
{
    (void)state;
    static const unsigned sizes[] = {384, 512, 768, 1023, 1024, 1025, 2048, 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char der[KEY_BYTES_MAX];
        size_t len = make_key(sizes[i], der);
        assert_int_equal(dns_rsa_bits(slice_make(der, len)), sizes[i]);
        len = make_info(sizes[i], der);
        assert_int_equal(dns_rsa_bits(slice_make(der, len)), sizes[i]);
    }
}

static void cut_keys_are_none(void **state)
{
    (void)state;
    char der[KEY_BYTES_MAX];
    size_t len = make_info(1024, der);
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(dns_rsa_bits(slice_make(der, cut)), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_measured),
        cmocka_unit_test(cut_keys_are_none),
    };
    return cmocka_run_group_tests_name("dns/key_size", tests, NULL, NULL);
}
