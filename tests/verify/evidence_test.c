/* The names of roles, kinds and skips: each has its own, as records carry them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_names(const char *const *expected, size_t count, const char *(*name)(int value))
{
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(name((int)i), expected[i]);
    }
    assert_string_equal(name((int)count), "unknown");
}

static const char *role_name(int value)
{
    return probe_role_name((enum probe_role)value);
}

static const char *kind_name(int value)
{
    return evidence_kind_name((enum evidence_kind)value);
}

static const char *skip_name(int value)
{
    return skip_reason_name((enum skip_reason)value);
}

static void everything_has_a_name(void **state)
{
    (void)state;
    static const char *const roles[] = {"real", "control", "postmaster"};
    static const char *const kinds[] = {
        "reply",          "connect_refused", "connect_timeout",      "timeout", "disconnected",
        "protocol_error", "tls_failed",      "smtputf8_unsupported", "skipped", "local"};
    static const char *const skips[] = {"none", "provider_policy", "egress_unhealthy", "budget",
                                        "cancelled"};
    check_names(roles, sizeof roles / sizeof *roles, role_name);
    check_names(kinds, sizeof kinds / sizeof *kinds, kind_name);
    check_names(skips, sizeof skips / sizeof *skips, skip_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
