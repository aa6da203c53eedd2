/* engine/config_read: what a file may say, and what is said of one that is wrong: every error with its line, all at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "config_case.h"
#include "fail_alloc.h"

static const char full_text[] = "# all of it\n"
                                "helo mail.example.com\r\n"
                                "  mail-from  \"Probe@Example.com\"  # who\n"
                                "port 2525\n"
                                "tls no\n"
                                "resolvers 192.0.2.53 [2001:db8::53]:5353\n"
                                "allow-net 10.0.0.0/8 fd00::/8\n"
                                "store \"a dir/h.db\"\n"
                                "data /srv/data\n"
                                "providers mine.conf /etc/theirs.conf\n"
                                "limits {\n"
                                "  max-connections 7\n  max-per-site 6\n  rcpts-per-connection 5\n"
                                "  pipelined-rcpts 9\n  invalids-per-hour 4\n  timeout 90s\n"
                                "  queue-wait 1h\n  greylist-wait 10m\n  longest-wait 2d\n"
                                "  attempts 3\n"
                                "}\n"
                                "timeouts {\nconnect 1s\nrcpt 1500ms\n}\n"
                                "verify {\n"
                                "smtp no\ncontrol no\nretry no\nstrict yes\nnull-sender-first yes\n"
                                "risky-if role free\nfresh yes\ncache-ttl 1d\n"
                                "}\n"
                                "egress \"main\" {\n"
                                "  source-v4 192.0.2.10\n  source-v6 2001:db8::10\n  weight 3\n"
                                "  budget 1000\n  warm-up-start 2026-11-01\n"
                                "  warm-up-first-day 20\n  warm-up-growth 30%\n"
                                "}\n"
                                "egress far.away {\n"
                                "  proxy socks5://joe:pw@relay.example:1080\n  helo far.example\n"
                                "  mail-from a@far.example\n  warm-up-age 12d\n  enabled no\n"
                                "}\n";

static void reads_every_key_outside_egresses(void **state)
{
    (void)state;
    struct config_case c;
    config_case_read_right(&c, full_text);
    const struct config *config = &c.config;
    char ip[IP_TEXT_BYTES];
    assert_string_equal(config->helo.at, "mail.example.com");
    assert_string_equal(config->mail_from.at, "Probe@example.com");
    assert_int_equal(config->port, 2525);
    assert_false(config->wants_tls);
    assert_int_equal(config->resolvers.count, 2);
    assert_string_equal(config->resolvers.at[1], "[2001:db8::53]:5353");
    assert_int_equal(config->allowed_nets.count, 2);
    assert_string_equal(ip_format(&config->allowed_nets.at[1].ip, ip), "fd00::");
    assert_string_equal(config->store.path.at, "/conf/a dir/h.db");
    assert_string_equal(config->data_dir.at, "/srv/data");
    assert_int_equal(config->providers.count, 2);
    assert_string_equal(config->providers.at[0], "/conf/mine.conf");
    assert_string_equal(config->providers.at[1], "/etc/theirs.conf");
    assert_int_equal(config->connections_max, 7);
    assert_int_equal(config->per_site_max, 6);
    assert_int_equal(config->rcpts_per_connection, 5);
    assert_int_equal(config->pipelined_rcpts, 9);
    assert_int_equal(config->invalids_per_hour, 4);
    assert_int_equal(config->budget_ms, 90000);
    assert_int_equal(config->queue_wait_ms, 3600000);
    assert_int_equal(config->greylist_wait_ms, 600000);
    assert_int_equal(config->longest_wait_ms, 172800000);
    assert_int_equal(config->attempts, 3);
    assert_int_equal(config->timeout_ms[HEL_SMTP_CONNECT], 1000);
    assert_int_equal(config->timeout_ms[HEL_SMTP_RCPT], 1500);
    assert_int_equal(config->timeout_ms[HEL_SMTP_QUIT], 2000);
    assert_false(config->asks_smtp || config->asks_control || config->retries);
    assert_true(config->is_strict && config->null_sender_first && config->is_fresh);
    assert_int_equal(config->risky_if, VERIFY_RISKY_ROLE | VERIFY_RISKY_FREE);
    assert_int_equal(config->cache_age_ms_max, 86400000);
    config_case_done(&c);
}

static void reads_every_key_of_egresses(void **state)
{
    (void)state;
    struct config_case c;
    config_case_read_right(&c, full_text);
    char ip[IP_TEXT_BYTES];
    assert_int_equal(c.config.egress_count, 2);
    const struct config_egress *egress = &c.config.egresses[0];
    assert_string_equal(egress->name.at, "main");
    assert_int_equal(egress->line, 37);
    assert_string_equal(ip_format(&egress->source_v4, ip), "192.0.2.10");
    assert_string_equal(ip_format(&egress->source_v6, ip), "2001:db8::10");
    assert_int_equal(egress->weight, 3);
    assert_int_equal(egress->budget, 1000);
    assert_int_equal(egress->warm_up.start_day, 20758); /* date -d 2026-11-01 +%s / 86400 */
    assert_int_equal(egress->warm_up.first_day, 20);
    assert_int_equal(egress->warm_up.growth_percent, 30);
    assert_true(egress->is_enabled);
    assert_int_equal(egress->proxy.kind, PROXY_NONE);
    egress = &c.config.egresses[1];
    assert_string_equal(egress->name.at, "far.away");
    assert_int_equal(egress->proxy.kind, PROXY_SOCKS5);
    assert_string_equal(egress->helo.at, "far.example");
    assert_string_equal(egress->mail_from.at, "a@far.example");
    assert_int_equal(egress->warm_up.age_ms, 12 * 86400000ull);
    assert_int_equal(egress->weight, 1);
    assert_false(egress->is_enabled);
    config_case_done(&c);
}

/* One error each: its line, and what must stand in it. */
static const struct {
    const char *text;
    unsigned line;
    const char *said;
} errors[] = {
    {"prot 25\n", 1, "did you mean port?"},
    {"\n\nresolver 192.0.2.1\n", 3, "did you mean resolvers?"},
    {"quux 1\n", 1, "heloise.conf(5) lists all"},
    {"timeout 5m\n", 1, "belongs into the section limits"},
    {"max-conections 5\n", 1, "did you mean max-connections in the section limits?"},
    {"limits {\nport 25\n}\n", 2, "stands outside of all"},
    {"limits {\nmax_per_site 2\n}\n", 2, "did you mean max-per-site?"},
    {"limits {\nresolvrs 192.0.2.1\n}\n", 2, "did you mean resolvers outside of sections?"},
    {"limts {\nrubbish\n}\n", 1, "did you mean limits?"},
    {"nonsense {\n}\n", 1, "there are limits, timeouts, verify, "},
    {"port 25\nport 26\n", 2, "stands in line 1 already"},
    {"allow-net ::1\nallow-net ::2\n", 2, "with all values on its line"},
    {"limits {\n}\nlimits {\n}\n", 3, "begins in line 1 already"},
    {"limits {\nattempts 2\n}\nlimits {\n}\n", 4, "begins in line 1 already"},
    {"limits x {\n}\n", 1, "has no name"},
    {"limits\n", 1, "has no '{'"},
    {"limits{\n", 1, "needs a space before it"},
    {"port 25;\n", 1, "';' is not used"},
    {"port=25\n", 1, "'port' is followed by '='"},
    {"port = 25\n", 1, "followed by '='"},
    {"port\n", 1, "a value is missing"},
    {"port 25 26\n", 1, "one value is enough"},
    {"helo two words\n", 1, "in quotes"},
    {"}\n", 1, "no open section"},
    {"limits {\n} attempts 2\n", 2, "alone on its line"},
    {"\nlimits {\n", 2, "not closed"},
    {"limits {\nverify {\n}\n", 2, "line 1 is still open"},
    {"store \"open\n", 1, "no closing \""},
    {"egress {\n}\n", 1, "has one name"},
    {"egress a b {\n}\n", 1, "has one name"},
    {"egress \"a b\" {\n}\n", 1, "is no name for an egress"},
    {"egress \"\" {\n}\n", 1, "is no name for an egress"},
    {"egress a {\nsource-v4 192.0.2.1\n}\negress a {\n}\n", 4, "begins in line 1 already"},
    {"egress a {\n}\negress b {\n}\n", 3, "leaves from where \"a\" of line 1 does"},
    {"egress a {\nenabled no\n}\n", 1, "no egress is enabled"},
    {"egress a {\nport 25\n}\n", 2, "stands outside of all"},
    {"source-v4 192.0.2.1\negress a {\n}\n", 1, "for files without any"},
    {"proxy http://h:1\negress a {\n}\n", 1, "for files without any"},
    {"proxy-password-file x\n", 1, "no proxy that this password is for"},
    {"proxy-password-file x\nproxy http://h:1\n", 1, "no user"},
    {"proxy http://u:p@h:1\nproxy-password-file x\n", 2, "a password already"},
    {"egress a {\nproxy-password-file x\n}\n", 2, "no proxy that this password is for"},
    {"egress a {\nproxy http://h:1\nproxy-password-file x\n}\n", 3, "no user"},
    {"egress a {\nproxy http://u:p@h:1\nproxy-password-file x\n}\n", 3, "a password already"},
    {"egress a {\nproxy proxyv2://h:1\nproxy-password-file x\n}\n", 3, "knows no password"},
    {"egress a {\nwarm-up-start 2026-11-01\nwarm-up-age 2d\n}\n", 3, "a start or an age"},
    {"egress a {\nwarm-up-growth 20%\n}\n", 2, "needs to know when"},
    {"egress a {\nwarm-up-first-day 20\n}\n", 2, "needs to know when"},
    {"helo a\x1b[2J\n", 1, "holds a control character"},
    {"helo \xff\n", 1, "is no UTF-8"},
    {"p\x1b[2Jt 25\n", 1, "'p\\x1b[2Jt'"},
};

static void tells_each_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct config_case c;
        char place[32];
        config_case_read(&c, slice_of(errors[i].text));
        (void)snprintf(place, sizeof place, "t.conf:%u: ", errors[i].line);
        const char *said = c.complaints.at[0].text;
        if (c.err != ERR_SYNTAX || c.complaints.errors != 1 || strstr(said, place) != said ||
            strstr(said, errors[i].said) == NULL) {
            fail_msg("%s%zu errors: %s", errors[i].text, c.complaints.errors, said);
        }
        config_case_done(&c);
    }
}

/* Whatever is wrong with the line of a password. */
static void never_tells_a_password(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "proxy socks5://joe:hunter2@h:1;",    "proxy=socks5://joe:hunter2@h:1",
        "proxy socks5://joe:hunter2\x7f@h:1", "proxy = socks5://joe:hunter2@h:1",
        "proxy socks5://joe:hunter2@h:1 x",   "proxy socks9://joe:hunter2@h:1",
        "proxy socks5://joe:hunter2@h{",      "proxy \"socks5://joe:hunter2@h:1",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[128];
        struct config_case c;
        (void)snprintf(text, sizeof text, "egress e {\n%s\n}\n", lines[i]);
        config_case_read(&c, slice_of(text));
        assert_int_equal(c.complaints.errors, 1);
        if (strstr(c.complaints.at[0].text, "hunter2") != NULL) {
            fail_msg("%s", c.complaints.at[0].text);
        }
        config_case_done(&c);
    }
}

/* One that cannot be kept is looked through all the same. */
static void looks_through_what_it_cannot_keep(void **state)
{
    (void)state;
    struct config_case c;
    config_case_read(&c, SLICE("egress a {\n}\negress a {\nweight x\n}\nport x\n"));
    assert_int_equal(c.complaints.errors, 3);
    assert_memory_equal(c.complaints.at[0].text, "t.conf:3:", 9);
    assert_memory_equal(c.complaints.at[1].text, "t.conf:4:", 9);
    assert_memory_equal(c.complaints.at[2].text, "t.conf:6:", 9);
    assert_int_equal(c.config.egress_count, 1);
    config_case_done(&c);
}

/* More than can be shown are counted; each line of what is shown is told in its order. */
static void tells_all_errors_at_once(void **state)
{
    (void)state;
    enum { LINES = CONFIG_COMPLAINTS_MAX + 30 };
    struct buf text;
    buf_init(&text, 4096);
    for (int i = 0; i < LINES; i++) {
        struct slice line = i % 2 == 0 ? SLICE("prt 25\n") : SLICE("quux 1\n");
        assert_int_equal(buf_append(&text, line), ERR_NONE);
    }
    struct config_case c;
    config_case_read(&c, buf_view(&text));
    assert_int_equal(c.err, ERR_SYNTAX);
    assert_int_equal(c.complaints.errors, LINES);
    assert_int_equal(c.complaints.count, CONFIG_COMPLAINTS_MAX);
    for (unsigned i = 0; i < CONFIG_COMPLAINTS_MAX; i++) {
        char place[32];
        (void)snprintf(place, sizeof place, "t.conf:%u: ", i + 1);
        assert_memory_equal(c.complaints.at[i].text, place, strlen(place));
    }
    config_case_done(&c);
    buf_done(&text);
}

static void egresses_have_a_bound(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 65536);
    for (unsigned i = 0; i < CONFIG_EGRESSES_MAX + 1; i++) {
        assert_int_equal(buf_printf(&text, "egress e%u {\nsource-v4 192.0.2.%u\n}\n", i, i),
                         ERR_NONE);
    }
    struct config_case c;
    config_case_read(&c, buf_view(&text));
    assert_int_equal(c.complaints.errors, 1);
    assert_non_null(strstr(c.complaints.at[0].text, "more than 64 egresses"));
    assert_int_equal(c.config.egress_count, CONFIG_EGRESSES_MAX);
    config_case_done(&c);
    buf_done(&text);
}

static void size_has_a_bound(void **state)
{
    (void)state;
    enum { BYTES = CONFIG_BYTES_MAX + 1 };
    char *text = malloc(BYTES);
    assert_non_null(text);
    memset(text, '\n', BYTES);
    struct config_case c;
    config_case_read(&c, slice_make(text, BYTES));
    assert_int_equal(c.err, ERR_SYNTAX);
    assert_string_equal(c.complaints.at[0].text,
                        "t.conf: larger than 256 KB; it is no configuration");
    config_case_done(&c);
    config_case_read(&c, slice_make(text, BYTES - 1));
    assert_int_equal(c.err, ERR_NONE);
    config_case_done(&c);
    free(text);
}

static void nothing_is_right_too(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", "\n", "# only this", "\xef\xbb\xbfport 25\n", "port 25 # no line end", "limits {\n}"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config_case c;
        config_case_read_right(&c, rows[i]);
        assert_int_equal(c.complaints.count, 0);
        config_case_done(&c);
    }
}

/* A file cut anywhere is read without harm, and is wrong only with a place. */
static void every_beginning_is_safe(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof full_text; len++) {
        char *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, full_text, len);
        struct config_case c;
        config_case_read(&c, slice_make(exact, len));
        assert_true((c.err == ERR_NONE) == (c.complaints.errors == 0));
        for (size_t i = 0; i < c.complaints.count; i++) {
            assert_memory_equal(c.complaints.at[i].text, "t.conf:", 7);
        }
        config_case_done(&c);
        free(exact);
    }
}

static void survives_each_failed_allocation(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct config_case c;
        fail_alloc_at(n);
        config_case_read(&c, slice_of(full_text));
        bool happened = fail_alloc_happened();
        config_case_done(&c);
        assert_int_equal(fail_alloc_end(), 0);
        assert_int_equal(c.err, happened ? ERR_NOMEM : ERR_NONE);
        if (!happened) {
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_key_outside_egresses),
        cmocka_unit_test(reads_every_key_of_egresses),
        cmocka_unit_test(tells_each_error),
        cmocka_unit_test(never_tells_a_password),
        cmocka_unit_test(looks_through_what_it_cannot_keep),
        cmocka_unit_test(tells_all_errors_at_once),
        cmocka_unit_test(egresses_have_a_bound),
        cmocka_unit_test(size_has_a_bound),
        cmocka_unit_test(nothing_is_right_too),
        cmocka_unit_test(every_beginning_is_safe),
        cmocka_unit_test(survives_each_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
