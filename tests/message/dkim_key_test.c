/* Key records with each fault, what stands beside the key, and answers with several of them (RFC 6376 3.6.1, 3.6.2.2).
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

#define ED "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
/* The key of RFC 6376 C, of 1024 bits, as SubjectPublicKeyInfo. */
#define RSA                                                                            \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt" \
    "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0" \
    "fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
/* The same as RSAPublicKey. */
#define RSA_BARE                                                                       \
    "MIGJAoGBAPAhE/9QLdIGwSYapn1klbf8OQygZ4udCDV9afv/Ni0jE3ZKcUKPE4Iob2/dviNh9xM2HmKN" \
    "KyrrfW4Ei0truh36/9G10LZTMnWVZP3jupH5FxpzaBu2j80yonR/N9WMfg64qGK11j21/qZzAaNo0FxZ" \
    "OggyY9I8N1A81RhyRxDZAgMBAAE="

enum { TESTING = 1, STRICT = 2, SHA256 = 4, SHA1 = 8, MAIL = 16, VERSION = 32, NOTES = 64 };

static const struct {
    const char *text;
    enum dkim_fault fault;
    unsigned bits;
    unsigned flags;
    const char *bad;
} rows[] = {
    {"v=DKIM1; k=ed25519; p=" ED, DKIM_FAULT_NONE, 256, SHA256 | SHA1 | MAIL | VERSION, ""},
    {"p=" RSA, DKIM_FAULT_NONE, 1024, SHA256 | SHA1 | MAIL, ""},
    {"k=rsa; p=" RSA_BARE ";", DKIM_FAULT_NONE, 1024, SHA256 | SHA1 | MAIL, ""},
    {"v=DKIM1;n=a%20b;t=y:s;h=sha1:sha256;s=*;k=rsa;p=" RSA, DKIM_FAULT_NONE, 1024,
     TESTING | STRICT | SHA256 | SHA1 | MAIL | VERSION | NOTES, ""},
    {"h=sha1; s=other; t=x; p=" RSA, DKIM_FAULT_NONE, 1024, SHA1, ""},
    {"h= sha256 : x ; s = other : email ; p=" RSA, DKIM_FAULT_NONE, 1024, SHA256 | MAIL, ""},
    {"v=DKIM1; g=*; p=" RSA, DKIM_FAULT_NONE, 1024, SHA256 | SHA1 | MAIL | VERSION, ""},
    {"", DKIM_FAULT_KEY_MISSING, 0, SHA256 | SHA1 | MAIL, "p"},
    {"v=DKIM1; k=rsa", DKIM_FAULT_KEY_MISSING, 0, SHA256 | SHA1 | MAIL | VERSION, "p"},
    {"v=DKIM1; p=", DKIM_FAULT_KEY_REVOKED, 0, SHA256 | SHA1 | MAIL | VERSION, "p"},
    {"v=DKIM1; p= ;", DKIM_FAULT_KEY_REVOKED, 0, SHA256 | SHA1 | MAIL | VERSION, "p"},
    {"v=DKIM2; p=" RSA, DKIM_FAULT_KEY_VERSION, 0, SHA256 | SHA1 | MAIL | VERSION, "v"},
    {"p=" RSA "; v=DKIM1", DKIM_FAULT_KEY_VERSION, 0, SHA256 | SHA1 | MAIL | VERSION, "v"},
    {"k=dsa; p=" RSA, DKIM_FAULT_KEY_KIND, 0, SHA256 | SHA1 | MAIL, "k"},
    {"p=!", DKIM_FAULT_KEY_BROKEN, 0, SHA256 | SHA1 | MAIL, "p"},
    {"p=AAAA", DKIM_FAULT_KEY_BROKEN, 0, SHA256 | SHA1 | MAIL, "p"},
    {"p=" ED, DKIM_FAULT_KEY_BROKEN, 0, SHA256 | SHA1 | MAIL, "p"},
    {"k=ed25519; p=" RSA, DKIM_FAULT_KEY_BROKEN, 0, SHA256 | SHA1 | MAIL, "p"},
    {"k=rsa; hello; p=" RSA, DKIM_FAULT_KEY_SYNTAX, 1024, SHA256 | SHA1 | MAIL, "hello"},
    {"k=rsa; k=rsa; p=" RSA, DKIM_FAULT_KEY_SYNTAX, 1024, SHA256 | SHA1 | MAIL, "k=rsa"},
    {"k=rsa; p=" RSA "\xc3\xa4", DKIM_FAULT_KEY_SYNTAX, 0, SHA256 | SHA1 | MAIL, NULL},
};

static unsigned flags_of(const struct dkim_key *key)
{
    return (key->is_testing ? TESTING : 0u) | (key->is_strict ? STRICT : 0u) |
           (key->takes_sha256 ? SHA256 : 0u) | (key->takes_sha1 ? SHA1 : 0u) |
           (key->is_for_mail ? MAIL : 0u) | (key->has_version ? VERSION : 0u) |
           (key->has_notes ? NOTES : 0u);
}

static void records_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dkim_key key;
        struct slice bad;
        enum dkim_fault fault = dkim_key_read(slice_of(rows[i].text), &key, &bad);
        bool is_right = fault == rows[i].fault && key.bits == rows[i].bits &&
                        flags_of(&key) == rows[i].flags &&
                        key.is_revoked == (fault == DKIM_FAULT_KEY_REVOKED) &&
                        (rows[i].bad == NULL || slice_equal(bad, slice_of(rows[i].bad)));
        if (!is_right) {
            fail_msg("%s: '%s' at '%.*s', %u bits, flags %u", rows[i].text, dkim_fault_text(fault),
                     SLICE_ARG(bad), key.bits, flags_of(&key));
        }
    }
}

static void names_are_made(void **state)
{
    (void)state;
    char name[DNS_NAME_BYTES];
    char endless[240];
    memset(endless, 'x', sizeof endless);
    assert_true(dkim_key_name(SLICE("s1.x"), SLICE("example.com"), name));
    assert_string_equal(name, "s1.x._domainkey.example.com");
    assert_false(dkim_key_name(SLICE(""), SLICE("example.com"), name));
    assert_false(dkim_key_name(SLICE("s1"), SLICE(""), name));
    assert_false(dkim_key_name(SLICE("s1234"), slice_make(endless, sizeof endless), name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(names_are_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
