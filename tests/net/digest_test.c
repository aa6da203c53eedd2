/* SPDX-License-Identifier: Apache-2.0 */
#include "net/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"

enum { BYTES_MAX = 200 };

static int open_digester(void **state)
{
    struct fault fault;
    return digester_new((struct digester **)state, &fault) == ERR_NONE ? 0 : -1;
}

static int close_digester(void **state)
{
    digester_free(*state);
    return 0;
}

static void assert_digest(const struct digest *digest, const char *hex)
{
    char text[DIGEST_HEX_BYTES + 1] = {0};
    digest_write_hex(digest, text);
    assert_string_equal(text, hex);
}

static const struct {
    const char *bytes, *hex;
} sha256_cases[] = {
    /* The examples of FIPS 180-4. */
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void digests_the_examples(void **state)
{
    for (size_t i = 0; i < sizeof sha256_cases / sizeof sha256_cases[0]; i++) {
        struct digest digest;
        assert_int_equal(digest_sha256(*state, slice_of(sha256_cases[i].bytes), &digest), ERR_NONE);
        assert_digest(&digest, sha256_cases[i].hex);
    }
}

/* count times the byte, or, where count is 0, the text. */
struct part {
    const char *text;
    size_t count;
    char byte;
};

static struct slice spell(const struct part *part, char room[BYTES_MAX])
{
    if (part->count == 0) {
        return slice_of(part->text);
    }
    memset(room, part->byte, part->count);
    return slice_make(room, part->count);
}

static const struct {
    struct part key, bytes;
    const char *hex;
} hmac_cases[] = {
    /* RFC 4231 4.2, 4.3, 4.4, 4.7, 4.8 */
    {{.count = 20, .byte = 0x0b},
     {.text = "Hi There"},
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {{.text = "Jefe"},
     {.text = "what do ya want for nothing?"},
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {{.count = 20, .byte = (char)0xaa},
     {.count = 50, .byte = (char)0xdd},
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {{.count = 131, .byte = (char)0xaa},
     {.text = "Test Using Larger Than Block-Size Key - Hash Key First"},
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {{.count = 131, .byte = (char)0xaa},
     {.text = "This is a test using a larger than block-size key and a larger than block-size data."
              " The key needs to be hashed before being used by the HMAC algorithm."},
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    {{.text = ""},
     {.text = ""},
     "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
};

static void signs_the_examples(void **state)
{
    for (size_t i = 0; i < sizeof hmac_cases / sizeof hmac_cases[0]; i++) {
        char key_room[BYTES_MAX], bytes_room[BYTES_MAX];
        struct digest digest;
        assert_int_equal(digest_hmac_sha256(*state, spell(&hmac_cases[i].key, key_room),
                                            spell(&hmac_cases[i].bytes, bytes_room), &digest),
                         ERR_NONE);
        assert_digest(&digest, hmac_cases[i].hex);
    }
}

static void a_slice_without_a_place_is_empty(void **state)
{
    struct digest digest;
    assert_int_equal(digest_sha256(*state, (struct slice){NULL, 0}, &digest), ERR_NONE);
    assert_digest(&digest, sha256_cases[0].hex);
    assert_int_equal(
        digest_hmac_sha256(*state, (struct slice){NULL, 0}, (struct slice){NULL, 0}, &digest),
        ERR_NONE);
    assert_digest(&digest, hmac_cases[5].hex);
}

/* RFC 1321 A.5, FIPS 180-4; RFC 2202 2, 3; RFC 6070 2, RFC 7914 11. */
static void other_kinds_too(void **state)
{
    static const struct {
        enum digest_kind kind;
        size_t len;
        const char *digest, *hmac, *derived;
    } cases[] = {
        {DIGEST_MD5, 16, "900150983cd24fb0d6963f7d28e17f72", "750c783e6ab0b503eaa86e310a5db738",
         NULL},
        {DIGEST_SHA_1, 20, "a9993e364706816aba3e25717850c26c9cd0d89d",
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
        {DIGEST_SHA_256, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
         "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b"},
    };
    const struct slice text = SLICE("what do ya want for nothing?");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct digest digest = {{0}};
        char hex[DIGEST_HEX_BYTES];
        struct slice shown = slice_make(hex, 2 * cases[i].len);
        assert_int_equal(digest_any(*state, cases[i].kind, SLICE("abc"), digest.bytes), ERR_NONE);
        digest_write_hex(&digest, hex);
        assert_true(slice_equal(shown, slice_of(cases[i].digest)));
        assert_int_equal(digest_hmac(*state, cases[i].kind, SLICE("Jefe"), text, digest.bytes),
                         ERR_NONE);
        digest_write_hex(&digest, hex);
        assert_true(slice_equal(shown, slice_of(cases[i].hmac)));
        assert_int_equal(
            digest_derive(*state, cases[i].kind, SLICE("password"), SLICE("salt"), 1, digest.bytes),
            ERR_NONE);
        digest_write_hex(&digest, hex);
        assert_true(cases[i].derived == NULL || slice_equal(shown, slice_of(cases[i].derived)));
    }
}

static void compares_every_byte(void **state)
{
    (void)state;
    struct digest a = {{1, 2, 3}};
    assert_true(digest_is_equal(&a, &(struct digest){{1, 2, 3}}));
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        struct digest b = a;
        b.bytes[i] ^= 0x80;
        assert_false(digest_is_equal(&a, &b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_the_examples),
        cmocka_unit_test(signs_the_examples),
        cmocka_unit_test(a_slice_without_a_place_is_empty),
        cmocka_unit_test(other_kinds_too),
        cmocka_unit_test(compares_every_byte),
    };
    return cmocka_run_group_tests_name("net/digest", tests, open_digester, close_digester);
}
