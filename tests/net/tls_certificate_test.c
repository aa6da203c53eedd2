/* net/tls and certificates: what is recorded of them, and those a server shows.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "certs.h"
#include "tls_pair.h"

static void records_what_the_certificate_is_worth(void **state)
{
    static const struct {
        const char *what;
        struct cert_wish wish;
        const char *asked;
        bool is_trusted, is_for_host, is_expired;
        const char *words;
    } cases[] = {
        {"trusted", {"mx.a.example", 9, false}, "mx.a.example", true, true, false, "ok"},
        {"any case", {"mx.a.example", 9, false}, "MX.A.Example", true, true, false, "ok"},
        {"wrong name", {"mx.a.example", 9, false}, "mx.b.example", true, false, false, "ok"},
        {"longer name", {"a.example", 9, false}, "mx.a.example", true, false, false, "ok"},
        {"wildcard", {"*.a.example", 9, false}, "mx.a.example", true, true, false, "ok"},
        {"expired", {"mx.a.example", -2, false}, "mx.a.example", false, true, true, "expired"},
        {"by itself", {"mx.a.example", 9, true}, "mx.a.example", false, true, false, "self"},
        {"by itself and expired",
         {"mx.a.example", -2, true},
         "mx.a.example",
         false,
         true,
         true,
         "self"},
        {"an address asked", {"mx.a.example", 9, false}, "192.0.2.1", true, false, false, "ok"},
        {"IPv6 asked", {"mx.a.example", 9, false}, "2001:db8::1", true, false, false, "ok"},
        {"no name asked", {"mx.a.example", 9, false}, "", true, false, false, "ok"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_server *server = certs_server(&cases[i].wish);
        struct tls_session *shown = tls_pair_server(server);
        struct tls_session *session = tls_pair_client(*state, cases[i].asked);
        tls_pair_shake(session, shown);
        struct tls_info info;
        tls_session_info(session, &info);
        if (info.is_cert_trusted != cases[i].is_trusted ||
            info.is_cert_for_host != cases[i].is_for_host ||
            info.is_cert_expired != cases[i].is_expired ||
            strstr(info.cert_result, cases[i].words) == NULL) {
            fail_msg("%s: trusted %d, for host %d, expired %d, '%s'", cases[i].what,
                     info.is_cert_trusted, info.is_cert_for_host, info.is_cert_expired,
                     info.cert_result);
        }
        tls_session_free(session);
        tls_session_free(shown);
        tls_server_free(server);
    }
}

static void makes_certificates_of_its_own(void **state)
{
    for (int days_left = -1; days_left <= 1; days_left += 2) {
        struct tls_server *server;
        assert_int_equal(
            tls_server_new(SLICE_NONE, SLICE_NONE, "mx.own.example", days_left, &server, NULL),
            ERR_NONE);
        struct tls_session *shown = tls_pair_server(server);
        struct tls_session *session = tls_pair_client(*state, "mx.own.example");
        tls_pair_shake(session, shown);
        struct tls_info info;
        tls_session_info(session, &info);
        assert_false(info.is_cert_trusted);
        assert_true(info.is_cert_for_host);
        assert_int_equal(info.is_cert_expired, days_left < 0);
        assert_string_equal(info.cert_result, "self-signed certificate");
        tls_session_free(session);
        tls_session_free(shown);
        tls_server_free(server);
    }
}

static void bad_keys_are_said_in_words(void **state)
{
    (void)state;
    char *certificate, *key;
    certs_pem(&(struct cert_wish){.host = "mx.a.example", .days_left = 1}, &certificate, &key);
    char *other = certs_key();
    const struct {
        struct slice certificate, key;
        const char *words;
    } cases[] = {
        {slice_of(certificate), SLICE("no key"), "private key"},
        {SLICE("no certificate"), slice_of(key), "certificate"},
        {slice_of(key), slice_of(key), "certificate"},
        {slice_of(certificate), slice_of(other), "do not go together"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_server *server = NULL;
        struct fault fault = {0};
        assert_int_equal(tls_server_new(cases[i].certificate, cases[i].key, "", 0, &server, &fault),
                         ERR_SYNTAX);
        assert_null(server);
        assert_non_null(strstr(fault.text, cases[i].words));
    }
    free(certificate);
    free(key);
    free(other);
    tls_server_free(NULL);
    tls_client_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_what_the_certificate_is_worth),
        cmocka_unit_test(makes_certificates_of_its_own),
        cmocka_unit_test(bad_keys_are_said_in_words),
    };
    return cmocka_run_group_tests(tests, tls_pair_open, tls_pair_close);
}
