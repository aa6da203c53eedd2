/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhook_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* 63 bytes: a key may have one more. */
#define LONGEST "whsec_" KEY_21 KEY_21 KEY_21
#define KEY_21  "MfKQ9r8GKYqrTwjUPD8ILPZIo2La"

/* The example of the specification's own libraries. */
static void signs_the_published_example(void **state)
{
    (void)state;
    struct digester *digester;
    char signature[WEBHOOK_SIGNATURE_BYTES];
    const struct webhook_message message = {.id = SLICE("msg_p5jXN8AQM9LWM0D4loKWxJek"),
                                            .timestamp_s = 1614265330,
                                            .body = SLICE("{\"test\": 2432232314}")};
    assert_int_equal(digester_new(&digester, NULL), ERR_NONE);
    assert_int_equal(webhook_sign(digester, SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                                  &message, signature),
                     ERR_NONE);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_int_equal(webhook_sign(digester, SLICE("whsec_x"), &message, signature), ERR_SYNTAX);
    digester_free(digester);
}

static void a_secret_is_written_and_known_again(void **state)
{
    (void)state;
    char key[WEBHOOK_KEY_BYTES];
    char secret[WEBHOOK_SECRET_BYTES];
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (char)(i * 9);
    }
    webhook_secret_write(key, secret);
    assert_string_equal(secret, "whsec_AAkSGyQtNj9IUVpjbHV+h5CZoqu0vcbP2OHq8/wFDhc=");
    assert_true(webhook_secret_is_valid(slice_of(secret)));
    assert_true(webhook_secret_is_valid(SLICE(LONGEST)));
}

static void other_texts_are_no_secrets(void **state)
{
    static const char *const texts[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",    /* not by fours */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==",   /* 22 bytes */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", /* a line's end */
        LONGEST "AAAA",                             /* 66 bytes */
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (webhook_secret_is_valid(slice_of(texts[i]))) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_the_published_example),
        cmocka_unit_test(a_secret_is_written_and_known_again),
        cmocka_unit_test(other_texts_are_no_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
