/* What is signed here verifies here; what cannot be signed is refused; and the fields that no vector of others has.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "dkim_case.h"
#include "message/dkim_key.h"

enum { NOW_S = 1700000000, MESSAGE_BYTES = 1 << 16, LINE_BYTES = 78 };

static struct crypter *crypter;
static struct crypto_key *keys[2]; /* by enum crypto_kind */

static int set_up(void **state)
{
    (void)state;
    struct fault fault;
    bool is_up = crypter_new(&crypter, &fault) == ERR_NONE &&
                 crypter_key_make(crypter, CRYPTO_RSA, &keys[CRYPTO_RSA]) == ERR_NONE &&
                 crypter_key_make(crypter, CRYPTO_ED25519, &keys[CRYPTO_ED25519]) == ERR_NONE;
    return is_up ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    crypto_key_free(keys[0]);
    crypto_key_free(keys[1]);
    crypter_free(crypter);
    return 0;
}

#define MESSAGE                                                                              \
    "From: a@example.com\r\nTo: b@example.org\r\nCc: c@example.org\r\nCc: d@example.org\r\n" \
    "Subject: hello\r\n there\r\nX-Other: 1\r\n\r\nHello,  \r\n\r\nthere \r\n\r\n\r\n"

static struct dkim_sign_request request_for(enum crypto_kind kind)
{
    return (struct dkim_sign_request){.key = keys[kind],
                                      .domain = SLICE("example.com"),
                                      .selector = SLICE("s1"),
                                      .identity = SLICE_NONE,
                                      .headers = SLICE_NONE,
                                      .time_s = NOW_S};
}

/* The message with its signature on top; pieces of that many bytes go into the signer. */
static enum err sign(const struct dkim_sign_request *request, struct slice message, size_t piece,
                     struct buf *out)
{
    struct dkim_signer *signer;
    struct slice rest = message;
    buf_init(out, MESSAGE_BYTES);
    enum err e = dkim_signer_new(crypter_interface(crypter), request, &signer);
    if (e != ERR_NONE) {
        return e;
    }
    while (rest.len > 0) {
        assert_int_equal(dkim_signer_feed(signer, slice_sub(rest, 0, piece)), ERR_NONE);
        rest = slice_sub(rest, piece, rest.len);
    }
    e = dkim_signer_finish(signer, out);
    dkim_signer_free(signer);
    return e != ERR_NONE ? e : buf_append(out, message);
}

static void judge(struct slice message, enum crypto_kind kind, const char *flags,
                  char out[CASE_TEXT_BYTES])
{
    struct dkim_case given = {crypter_interface(crypter), NULL, NOW_S, 0};
    struct buf record;
    buf_init(&record, CASE_TEXT_BYTES);
    assert_int_equal(
        buf_printf(&record, "v=DKIM1; k=%s;%s p=", kind == CRYPTO_RSA ? "rsa" : "ed25519", flags),
        ERR_NONE);
    assert_int_equal(crypto_key_write_public(keys[kind], &record), ERR_NONE);
    assert_int_equal(buf_append_byte(&record, '\0'), ERR_NONE);
    assert_int_equal(zone_new(&given.zone), ERR_NONE);
    assert_int_equal(zone_add(given.zone, "s1._domainkey.example.com", DNS_TXT, record.at, 60),
                     ERR_NONE);
    dkim_case_judge(&given, message, out);
    zone_free(given.zone);
    buf_done(&record);
}

static void check_lines(struct slice field)
{
    size_t line = 0;
    for (size_t i = 0; i < field.len; i++) {
        line = field.at[i] == '\n' ? 0 : line + 1;
        assert_true(line <= LINE_BYTES);
    }
}

static void what_is_signed_verifies(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        enum crypto_kind kind = (i & 1) != 0 ? CRYPTO_RSA : CRYPTO_ED25519;
        struct dkim_sign_request request = request_for(kind);
        struct buf whole, pieces;
        char text[CASE_TEXT_BYTES];
        request.header_canon = (i & 2) != 0 ? DKIM_RELAXED : DKIM_SIMPLE;
        request.body_canon = (i & 4) != 0 ? DKIM_RELAXED : DKIM_SIMPLE;
        assert_int_equal(sign(&request, SLICE(MESSAGE), sizeof MESSAGE, &whole), ERR_NONE);
        assert_int_equal(sign(&request, SLICE(MESSAGE), 1, &pieces), ERR_NONE);
        assert_true(
            slice_equal(buf_view(&whole), buf_view(&pieces))); /* nothing is drawn at random */
        judge(buf_view(&whole), kind, "", text);
        assert_string_equal(text, "pass example.com s1");
        check_lines(slice_sub(buf_view(&whole), 0, whole.len - (sizeof MESSAGE - 1)));
        buf_done(&whole);
        buf_done(&pieces);
    }
}

static void identities_and_lists_are_signed(void **state)
{
    (void)state;
    static const struct {
        const char *identity, *headers, *flags, *says;
    } rows[] = {
        {"a@example.com", "", "", "pass example.com s1"},
        {"@sub.example.com", "", "", "pass example.com s1"},
        {"@sub.example.com", "", " t=s;",
         "permerror example.com s1: the signer's identity is in a subdomain, which the key record "
         "rules out (t=s)"},
        {"", "From:Cc:cC:Cc:Subject:X-None", "", "pass example.com s1"},
        {"", " from : to ", "", "pass example.com s1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dkim_sign_request request = request_for(CRYPTO_ED25519);
        struct buf signed_one;
        char text[CASE_TEXT_BYTES];
        request.identity = slice_of(rows[i].identity);
        request.headers = slice_of(rows[i].headers);
        request.lifetime_s = 60;
        assert_int_equal(sign(&request, SLICE(MESSAGE), sizeof MESSAGE, &signed_one), ERR_NONE);
        judge(buf_view(&signed_one), CRYPTO_ED25519, rows[i].flags, text);
        assert_string_equal(text, rows[i].says);
        buf_done(&signed_one);
    }
}

static void what_cannot_be_signed_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *selector, *identity, *headers, *message;
    } rows[] = {
        {"", "s1", "", "", MESSAGE},
        {"example..com", "s1", "", "", MESSAGE},
        {"example.com; l=0", "s1", "", "", MESSAGE},
        {"example.com", "", "", "", MESSAGE},
        {"example.com", "s 1", "", "", MESSAGE},
        {"example.com", "s1", "a@example.net", "", MESSAGE},
        {"example.com", "s1", "a;b@example.com", "", MESSAGE},
        {"example.com", "s1", "", "to:subject", MESSAGE},
        {"example.com", "s1", "", "from::to", MESSAGE},
        {"example.com", "s1", "", "from:a b", MESSAGE},
        {"example.com", "s1", "", "", "To: b@example.org\r\n\r\nhello\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dkim_sign_request request = request_for(CRYPTO_ED25519);
        struct buf signed_one;
        request.domain = slice_of(rows[i].domain);
        request.selector = slice_of(rows[i].selector);
        request.identity = slice_of(rows[i].identity);
        request.headers = slice_of(rows[i].headers);
        assert_int_equal(sign(&request, slice_of(rows[i].message), MESSAGE_BYTES, &signed_one),
                         ERR_SYNTAX);
        buf_done(&signed_one);
    }
    dkim_signer_free(NULL);
}

/* What a record says of its key (RFC 6376 3.6.1), with that of a real one. */
static void keys_have_their_size(void **state)
{
    (void)state;
    static const unsigned bits[] = {[CRYPTO_RSA] = 2048, [CRYPTO_ED25519] = 256};
    for (int kind = CRYPTO_RSA; kind <= CRYPTO_ED25519; kind++) {
        struct dkim_key key;
        struct slice bad;
        struct buf record;
        buf_init(&record, CASE_TEXT_BYTES);
        assert_int_equal(buf_printf(&record, "v=DKIM1; n=x; t=y; k=%s; p=",
                                    kind == CRYPTO_RSA ? "rsa" : "ed25519"),
                         ERR_NONE);
        assert_int_equal(crypto_key_write_public(keys[kind], &record), ERR_NONE);
        assert_int_equal(dkim_key_read(buf_view(&record), &key, &bad), DKIM_FAULT_NONE);
        assert_int_equal(key.bits, bits[kind]);
        assert_true(key.has_version && key.has_notes && key.is_testing && !key.is_strict);
        buf_done(&record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_verifies),
        cmocka_unit_test(identities_and_lists_are_signed),
        cmocka_unit_test(what_cannot_be_signed_is_refused),
        cmocka_unit_test(keys_have_their_size),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
