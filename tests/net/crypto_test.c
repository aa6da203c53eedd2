/* Hashes, signatures and keys against published figures, and what is no key.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static struct crypter *crypter;

static int set_up(void **state)
{
    (void)state;
    struct fault fault;
    return crypter_new(&crypter, &fault) == ERR_NONE ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    crypter_free(crypter);
    crypter_free(NULL);
    return 0;
}

static struct crypto_digest digest_of(const char *first, const char *second)
{
    const struct crypto *crypto = crypter_interface(crypter);
    struct crypto_hasher *hasher;
    struct crypto_digest digest;
    assert_int_equal(crypto->hasher_new(crypto->context, &hasher), ERR_NONE);
    assert_int_equal(crypto->hasher_add(hasher, slice_of(first)), ERR_NONE);
    assert_int_equal(crypto->hasher_add(hasher, slice_of(second)), ERR_NONE);
    assert_int_equal(crypto->hasher_end(hasher, &digest), ERR_NONE);
    crypto->hasher_free(hasher);
    crypto->hasher_free(NULL);
    return digest;
}

/* FIPS 180-2 B.1 */
static void abc_has_its_digest(void **state)
{
    (void)state;
    static const uint8_t abc[CRYPTO_DIGEST_BYTES] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct crypto_digest digest = digest_of("a", "bc");
    assert_memory_equal(digest.bytes, abc, sizeof abc);
}

/* RFC 8463 A.1, A.2: the private key of RFC 8032 7.1 in PKCS #8, and its public half. */
static const char ed25519_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static void a_known_key_is_read(void **state)
{
    (void)state;
    struct crypto_key *key;
    struct fault fault;
    struct buf text;
    buf_init(&text, 4096);
    assert_int_equal(crypter_key_read(crypter, SLICE(ed25519_pem), &key, &fault), ERR_NONE);
    assert_int_equal(crypter_interface(crypter)->key_kind(key), CRYPTO_ED25519);
    assert_int_equal(crypto_key_write_public(key, &text), ERR_NONE);
    assert_true(
        slice_equal(buf_view(&text), SLICE("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")));
    buf_done(&text);
    crypto_key_free(key);
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "hello",
        "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
        "-----END PUBLIC KEY-----\n",
        /* X25519 */
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
        "-----END PRIVATE KEY-----\n",
        /* with a password, for which nobody is asked */
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCoWmTqUYTLoLvEyhIG\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct crypto_key *key;
        struct fault fault = {ERR_NONE, 0, ""};
        assert_int_equal(crypter_key_read(crypter, slice_of(texts[i]), &key, &fault), ERR_SYNTAX);
        assert_true(fault.text[0] != '\0');
    }
    crypto_key_free(NULL);
}

static void signatures_hold_for_their_digest_alone(void **state)
{
    (void)state;
    struct crypto_key *key;
    struct fault fault;
    uint8_t signature[CRYPTO_SIGNATURE_BYTES_MAX];
    size_t len;
    bool is_right = false;
    static const uint8_t public_half[] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7,
                                          0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
                                          0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25,
                                          0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
    const struct crypto *crypto = crypter_interface(crypter);
    struct crypto_digest digest = digest_of("a", "b");
    struct crypto_digest other = digest_of("a", "c");
    struct slice half = slice_make((const char *)public_half, sizeof public_half);
    assert_int_equal(crypter_key_read(crypter, SLICE(ed25519_pem), &key, &fault), ERR_NONE);
    assert_int_equal(crypto->sign(key, &digest, signature, &len), ERR_NONE);
    assert_int_equal(len, 64);
    struct slice signed_bytes = slice_make((const char *)signature, len);
    assert_int_equal(
        crypto->verify(crypto->context, CRYPTO_ED25519, half, &digest, signed_bytes, &is_right),
        ERR_NONE);
    assert_true(is_right);
    assert_int_equal(
        crypto->verify(crypto->context, CRYPTO_ED25519, half, &other, signed_bytes, &is_right),
        ERR_NONE);
    assert_false(is_right);
    assert_int_equal(
        crypto->verify(crypto->context, CRYPTO_RSA, half, &digest, signed_bytes, &is_right),
        ERR_SYNTAX);
    assert_int_equal(crypto->verify(crypto->context, CRYPTO_ED25519, slice_sub(half, 1, 32),
                                    &digest, signed_bytes, &is_right),
                     ERR_SYNTAX);
    crypto_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abc_has_its_digest),
        cmocka_unit_test(a_known_key_is_read),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(signatures_hold_for_their_digest_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
