/* What the answer to EHLO offers (RFC 5321 4.1.1.1).
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "ready.h"

static void keywords(void **state)
{
    (void)state;
    static const struct {
        const char *name, *lines;
        unsigned extensions;
        uint64_t size_limit;
    } cases[] = {
        {"nothing", "", 0, 0},
        {"RFC 2920", "250 PIPELINING\r\n", HEL_SMTP_EXT_PIPELINING, 0},
        {"RFC 3207", "250 STARTTLS\r\n", HEL_SMTP_EXT_STARTTLS, 0},
        {"RFC 1870", "250 SIZE 52428800\r\n", HEL_SMTP_EXT_SIZE, 52428800},
        {"RFC 1870, no limit", "250 SIZE\r\n", HEL_SMTP_EXT_SIZE, 0},
        {"RFC 1870, zero", "250 SIZE 0\r\n", HEL_SMTP_EXT_SIZE, 0},
        {"RFC 1870, no number", "250 SIZE much\r\n", HEL_SMTP_EXT_SIZE, 0},
        {"RFC 1870, negative", "250 SIZE -1\r\n", HEL_SMTP_EXT_SIZE, 0},
        {"RFC 1870, beyond 64 bits", "250 SIZE 99999999999999999999\r\n", HEL_SMTP_EXT_SIZE, 0},
        {"RFC 6152", "250 8BITMIME\r\n", HEL_SMTP_EXT_8BITMIME, 0},
        {"RFC 6531", "250 SMTPUTF8\r\n", HEL_SMTP_EXT_SMTPUTF8, 0},
        {"RFC 3030", "250-CHUNKING\r\n250 BINARYMIME\r\n",
         HEL_SMTP_EXT_CHUNKING | HEL_SMTP_EXT_BINARYMIME, 0},
        {"RFC 2034", "250 ENHANCEDSTATUSCODES\r\n", HEL_SMTP_EXT_ENHANCEDSTATUSCODES, 0},
        {"RFC 3461", "250 DSN\r\n", HEL_SMTP_EXT_DSN, 0},
        {"RFC 4954", "250 AUTH PLAIN LOGIN\r\n", HEL_SMTP_EXT_AUTH, 0},
        {"old AUTH=", "250 AUTH=PLAIN\r\n", HEL_SMTP_EXT_AUTH, 0},
        {"RFC 8689", "250 REQUIRETLS\r\n", HEL_SMTP_EXT_REQUIRETLS, 0},
        {"RFC 9422", "250 LIMITS RCPTMAX=100\r\n", HEL_SMTP_EXT_LIMITS, 0},
        {"RFC 5321 2.4: any case", "250 PipeLining\r\n", HEL_SMTP_EXT_PIPELINING, 0},
        {"spaces", "250  PIPELINING  \r\n", HEL_SMTP_EXT_PIPELINING, 0},
        {"twice", "250-SIZE 5\r\n250 SIZE 6\r\n", HEL_SMTP_EXT_SIZE, 6},
        {"longer word", "250 PIPELINING2\r\n", 0, 0},
        {"shorter word", "250 PIPELIN\r\n", 0, 0},
        {"with a prefix", "250 X-STARTTLS\r\n", 0, 0},
        {"behind another", "250 HELP STARTTLS\r\n", 0, 0},
        {"masked by a middle box", "250 XXXXXXXA\r\n", 0, 0},
        {"empty line", "250-\r\n250 STARTTLS\r\n", HEL_SMTP_EXT_STARTTLS, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hel_smtp_client *client = ready_client(cases[i].lines);
        unsigned extensions = hel_smtp_client_extensions(client);
        uint64_t size_limit = hel_smtp_client_size_limit(client);
        if (extensions != cases[i].extensions || size_limit != cases[i].size_limit) {
            fail_msg("%s: %x, limit %llu", cases[i].name, extensions,
                     (unsigned long long)size_limit);
        }
        hel_smtp_client_free(client);
    }
}

static void lines_are_kept(void **state)
{
    (void)state;
    struct hel_smtp_client *client = ready_client("250-SIZE 5\r\n250-\r\n250 X-OTHER a b\r\n");
    assert_true(
        slice_equal(hel_smtp_client_extension_lines(client), SLICE("SIZE 5\n\nX-OTHER a b")));
    hel_smtp_client_free(client);
    client = ready_client("");
    assert_int_equal(hel_smtp_client_extension_lines(client).len, 0);
    hel_smtp_client_free(client);
}

/* RFC 5321 4.1.1.1, 4.1.3: a name or an address literal; nothing that could end the line. */
static void own_names(void **state)
{
    (void)state;
    static char long_name[256];
    for (size_t i = 0; i < sizeof long_name; i++) {
        long_name[i] = 'a';
    }
    const struct {
        const char *name;
        struct slice helo_name;
        enum err err;
    } cases[] = {
        {"name", SLICE("mx.example"), ERR_NONE},
        {"IPv4", SLICE("[192.0.2.1]"), ERR_NONE},
        {"IPv6", SLICE("[IPv6:2001:db8::1]"), ERR_NONE},
        {"as long as a name can be", slice_make(long_name, 255), ERR_NONE},
        {"longer", slice_make(long_name, 256), ERR_SYNTAX},
        {"empty", SLICE_NONE, ERR_SYNTAX},
        {"space", SLICE("mx example"), ERR_SYNTAX},
        {"CRLF", SLICE("mx.example\r\nQUIT"), ERR_SYNTAX},
        {"LF", SLICE("mx.example\n"), ERR_SYNTAX},
        {"NUL", SLICE("mx\0example"), ERR_SYNTAX},
        {"DEL", SLICE("mx\x7f"), ERR_SYNTAX},
        {"8-bit", SLICE("m\xc3\xbcx.example"), ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hel_smtp_client *client = NULL;
        const struct hel_smtp_client_config config = {.helo_name = cases[i].helo_name};
        enum err e = hel_smtp_client_new(&config, 0, &client);
        if (e != cases[i].err || (client != NULL) != (e == ERR_NONE)) {
            fail_msg("%s: error %d", cases[i].name, (int)e);
        }
        hel_smtp_client_free(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords),
        cmocka_unit_test(lines_are_kept),
        cmocka_unit_test(own_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
