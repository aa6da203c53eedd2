/* engine/config_value: each kind of value, its bounds, and back to text.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "engine/config_private.h"

/* Set as on a line of a file; shown is what config_value_write makes of it, NULL: refused, and said stands in why. */
struct row {
    const char *setting, *text, *shown, *said;
};

static const struct row plain_rows[] = {
    {"port", "1", "1", NULL},
    {"port", "65535", "65535", NULL},
    {"port", "0", NULL, "from 1 to 65535"},
    {"port", "65536", NULL, "from 1 to 65535"},
    {"port", "99999999999999999999999", NULL, "from 1 to 65535"},
    {"port", "-1", NULL, "from 1 to 65535"},
    {"port", "1 ", "1", NULL},
    {"port", "0x10", NULL, "from 1 to 65535"},
    {"limits.timeout", "1s", "1s", NULL},
    {"limits.timeout", "1000ms", "1s", NULL},
    {"limits.timeout", "1500ms", "1500ms", NULL},
    {"limits.timeout", "90s", "90s", NULL},
    {"limits.timeout", "120s", "2m", NULL},
    {"limits.timeout", "24h", "1d", NULL},
    {"limits.timeout", "999ms", NULL, "from 1s to 1d"},
    {"limits.timeout", "86401s", NULL, "from 1s to 1d"},
    {"limits.timeout", "2d", NULL, "from 1s to 1d"},
    {"limits.timeout", "99999999999999999d", NULL, "from 1s to 1d"},
    {"limits.timeout", "30", NULL, "write a number and s, m, h or d"},
    {"limits.timeout", "30 s", NULL, "one value is enough"},
    {"limits.timeout", "s", NULL, "is no time"},
    {"limits.timeout", "1.5m", NULL, "is no time"},
    {"limits.timeout", "5min", NULL, "is no time"},
    {"limits.queue-wait", "7d", "7d", NULL},
    {"verify.cache-ttl", "0s", "0s", NULL},
    {"verify.cache-ttl", "365d", "365d", NULL},
    {"verify.cache-ttl", "366d", NULL, "from 0s to 365d"},
    {"tls", "yes", "yes", NULL},
    {"tls", "no", "no", NULL},
    {"tls", "YES", NULL, "neither yes nor no"},
    {"tls", "true", NULL, "neither yes nor no"},
    {"store", "none", "none", NULL},
    {"store", "\"none\"", "\"none\"", NULL},
    {"store", "/a/b", "\"/a/b\"", NULL},
    {"store", "\"/a \\\"b\\\\\"", "\"/a \\\"b\\\\\"", NULL},
    {"store", "\"\"", NULL, "a path is empty"},
    {"store", "~/x", NULL, "only a shell"},
    {"data", "a b", NULL, "in quotes"},
    {"helo", "mail.example", "\"mail.example\"", NULL},
    {"helo", "[192.0.2.1]", "\"[192.0.2.1]\"", NULL},
    {"helo", "\"a b\"", NULL, "neither a host name"},
    {"helo", "\"\"", NULL, "neither a host name"},
    {"mail-from", "A@B.Example", "\"A@b.example\"", NULL},
    {"mail-from", "a@b@c", NULL, "column"},
    {"source-v4", "192.0.2.1", "192.0.2.1", NULL},
    {"source-v4", "2001:db8::1", NULL, "not an IPv4 address"},
    {"source-v6", "2001:DB8:0::1", "2001:db8::1", NULL},
    {"source-v6", "192.0.2.1", NULL, "not an IPv6 address"},
    {"resolvers", "192.0.2.1 [::1]:5300", "192.0.2.1 [::1]:5300", NULL},
    {"resolvers", "ns.example", NULL, "not an address like"},
    {"resolvers", "::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8", "::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8", NULL},
    {"resolvers", "::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9", NULL, "at most 8"},
    {"resolvers", "", NULL, "a value is missing"},
    {"allow-net", "127.0.0.0/8 ::1", "127.0.0.0/8 ::1/128", NULL},
    {"allow-net", "127.0.0.0/33", NULL, "not a network"},
    {"providers", "/a \"/b c\"", "\"/a\" \"/b c\"", NULL},
    {"rdap.url", "https://rdap.example", "\"https://rdap.example\"", NULL},
    {"rdap.url", "http://127.0.0.1:80/base", "\"http://127.0.0.1:80/base\"", NULL},
    {"rdap.url", "https://rdap.example/", NULL, "without a slash at the end"},
    {"rdap.url", "https://", NULL, "is no URL"},
    {"rdap.url", "rdap.example", NULL, "is no URL"},
    {"rdap.url", "ftp://rdap.example", NULL, "is no URL"},
    {"rdap.url", "\"https://rdap.example/a b\"", NULL, "is no URL"},
    {"hibp.per-minute", "0", NULL, "from 1 to 60000"},
    {"webhooks.at-once", "65", NULL, "from 1 to 64"},
    {"verify.risky-if", "disposable", "disposable", NULL},
    {"verify.risky-if", "free role disposable", "disposable role free", NULL},
    {"verify.risky-if", "free,role", "role free", NULL},
    {"verify.risky-if", "none", "none", NULL},
    {"verify.risky-if", "rolle", NULL, "none of disposable, role, free, none"},
    {"verify.risky-if", "role,", NULL, "none of disposable, role, free, none"},
    {"verify.risky-if", "", NULL, "a value is missing"},
    {"ports", "1", NULL, "did you mean port?"},
    {"timeout", "1s", NULL, "did you mean limits.timeout?"},
    {"limits.port", "1", NULL, "did you mean port?"},
    {"limits.tiemout", "1s", NULL, "did you mean limits.timeout?"},
    {"egress.helo", "a", NULL, "in the file only"},
    {"", "1", NULL, "'heloise config show' lists them"},
    {"tls", "\"no", NULL, "no closing \" on this line"},
};

static const struct config_key *key_of(const char *setting)
{
    struct slice section = slice_of(setting);
    size_t dot = slice_find_byte(section, '.', 0);
    struct slice name = dot == section.len ? section : slice_sub(section, dot + 1, section.len);
    section = dot == section.len ? SLICE_NONE : slice_sub(section, 0, dot);
    const struct config_key *key = config_key_find(section, name);
    assert_non_null(key);
    return key;
}

static void check_shown(const struct config_key *key, const void *base, const char *shown)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(config_value_write(key, config_field_view(key, base), &out), ERR_NONE);
    if (!slice_equal(buf_view(&out), slice_of(shown))) {
        fail_msg("%s: %.*s and not %s", key->name, SLICE_ARG(buf_view(&out)), shown);
    }
    buf_done(&out);
}

static void reads_and_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plain_rows / sizeof *plain_rows; i++) {
        const struct row *row = &plain_rows[i];
        struct config config;
        struct fault why = {.err = ERR_NONE};
        config_init(&config);
        enum err e = config_set_text(&config, row->setting, slice_of(row->text), &why);
        if (e != (row->shown == NULL ? ERR_SYNTAX : ERR_NONE) ||
            (row->said != NULL && strstr(why.text, row->said) == NULL)) {
            fail_msg("%s %s: %s", row->setting, row->text, why.text);
        }
        if (row->shown != NULL) {
            check_shown(key_of(row->setting), &config, row->shown);
        }
        config_done(&config);
    }
}

/* Keys of egresses, which a command line does not reach. */
static const struct row egress_rows[] = {
    {"warm-up-growth", "1%", "1%", NULL},
    {"warm-up-growth", "900%", "900%", NULL},
    {"warm-up-growth", "0%", NULL, "from 1% to 900%"},
    {"warm-up-growth", "901%", NULL, "from 1% to 900%"},
    {"warm-up-growth", "50", NULL, "from 1% to 900%"},
    {"warm-up-growth", "", NULL, "from 1% to 900%"},
    {"warm-up-start", "2000-01-01", "2000-01-01", NULL},
    {"warm-up-start", "2024-02-29", "2024-02-29", NULL},
    {"warm-up-start", "2026-12-31", "2026-12-31", NULL},
    {"warm-up-start", "2200-12-31", "2200-12-31", NULL},
    {"warm-up-start", "2023-02-29", NULL, "is no day"},
    {"warm-up-start", "2100-02-29", NULL, "is no day"},
    {"warm-up-start", "2026-04-31", NULL, "is no day"},
    {"warm-up-start", "2026-13-01", NULL, "is no day"},
    {"warm-up-start", "2026-00-01", NULL, "is no day"},
    {"warm-up-start", "1999-12-31", NULL, "is no day"},
    {"warm-up-start", "2026/11/01", NULL, "is no day"},
    {"warm-up-start", "20261101", NULL, "is no day"},
    {"warm-up-start", "", NULL, "is no day"},
    {"warm-up-age", "1d", "1d", NULL},
    {"warm-up-age", "3650d", "3650d", NULL},
    {"warm-up-age", "23h", NULL, "from 1d to 3650d"},
};

static void reads_values_of_egresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof egress_rows / sizeof *egress_rows; i++) {
        const struct row *row = &egress_rows[i];
        const struct config_key *key = config_key_find(SLICE("egress"), slice_of(row->setting));
        struct config config;
        struct fault why = {.err = ERR_NONE};
        config_init(&config);
        config_egress_init(&config.egresses[0]);
        const struct config_word word = {.text = slice_of(row->text)};
        const struct config_given given = {.words = &word, .count = 1};
        enum err e = config_value_read(key, &given, &config.arena,
                                       config_field(key, &config.egresses[0]), &why);
        if (e != (row->shown == NULL ? ERR_SYNTAX : ERR_NONE) ||
            (row->said != NULL && strstr(why.text, row->said) == NULL)) {
            fail_msg("%s %s: %s", row->setting, row->text, why.text);
        }
        check_shown(key, &config.egresses[0], row->shown == NULL ? "" : row->shown);
        config_done(&config);
    }
}

/* One word of the command line is taken as it is, and a time may lack its unit. */
static void words_are_taken_as_they_are(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"limits.timeout", "30", "30s", NULL},
        {"limits.timeout", "2m", "2m", NULL},
        {"limits.timeout", "x", NULL, "or seconds alone"},
        {"store", "none", "\"none\"", NULL},
        {"store", "a \"b\" # c", "\"a \\\"b\\\" # c\"", NULL},
        {"store", "a\\n", "\"a\\\\n\"", NULL},
        {"store", "", NULL, "a path is empty"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config config;
        struct fault why = {.err = ERR_NONE};
        config_init(&config);
        enum err e = config_set_word(&config, rows[i].setting, slice_of(rows[i].text), &why);
        assert_int_equal(e, rows[i].shown == NULL ? ERR_SYNTAX : ERR_NONE);
        if (e == ERR_NONE) {
            check_shown(key_of(rows[i].setting), &config, rows[i].shown);
        } else {
            assert_non_null(strstr(why.text, rows[i].said));
        }
        config_done(&config);
    }
}

static void lists_grow_and_stay_on_failure(void **state)
{
    (void)state;
    struct config config;
    config_init(&config);
    assert_int_equal(config_set_word(&config, "resolvers", SLICE("::1"), NULL), ERR_NONE);
    assert_int_equal(config_set_word(&config, "resolvers", SLICE("::2"), NULL), ERR_NONE);
    assert_int_equal(config_set_text(&config, "resolvers", SLICE("::3 x"), NULL), ERR_SYNTAX);
    check_shown(key_of("resolvers"), &config, "::1 ::2");
    config_done(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(reads_values_of_egresses),
        cmocka_unit_test(words_are_taken_as_they_are),
        cmocka_unit_test(lists_grow_and_stay_on_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
