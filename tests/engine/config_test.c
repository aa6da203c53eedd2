/* engine/config: defaults, what the command line changes, what the engine gets, what is shown; and that manual and
 * example know every key.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reader.h"
#include "base/slice.h"
#include "config_case.h"
#include "engine/config_private.h"

enum { SHOWN_BYTES_MAX = 1 << 20 };

static struct config_ways ways; /* of the test that runs; too large for the stack */

/* Nobody said anything: the engine is as it is without a configuration. */
static void defaults_are_the_engines(void **state)
{
    (void)state;
    struct config config;
    struct knocker_config plain;
    struct knocker_config applied;
    config_init(&config);
    config_settle(&config);
    knocker_config_init(&plain);
    knocker_config_init(&applied);
    config_apply(&config, &ways, &applied);
    assert_int_equal(plain.egress_count, 1);
    assert_int_equal(applied.egress_count, 1);
    assert_ptr_equal(applied.egresses, ways.egresses);
    assert_true(slice_equal(applied.egresses->helo_name, plain.egresses->helo_name));
    assert_true(slice_equal(applied.egresses->name, plain.egresses->name));
    assert_int_equal(applied.egresses->weight, plain.egresses->weight);
    assert_int_equal(applied.egresses->mail_from.len, 0);
    assert_int_equal(applied.egresses->source_v4.family, IP_NONE);
    assert_null(applied.egresses->proxy);
    assert_int_equal(applied.verify.null_sender_first, plain.verify.null_sender_first);
    assert_int_equal(applied.verify.retry_temporary, plain.verify.retry_temporary);
    assert_int_equal(applied.verify.no_control, plain.verify.no_control);
    assert_int_equal(applied.verify.no_smtp, plain.verify.no_smtp);
    assert_int_equal(applied.verify.risky_if, plain.verify.risky_if);
    assert_false(applied.verify.has_sender);
    assert_int_equal(applied.address_mode, plain.address_mode);
    assert_int_equal(applied.port, plain.port);
    assert_int_equal(applied.allowed_net_count, 0);
    assert_memory_equal(applied.timeout_ms, plain.timeout_ms, sizeof plain.timeout_ms);
    assert_int_equal(applied.fixed_timeouts, 0);
    assert_int_equal(applied.budget_ms, plain.budget_ms);
    assert_int_equal(applied.queue_wait_ms_max, plain.queue_wait_ms_max);
    assert_int_equal(applied.connections_max, plain.connections_max);
    assert_int_equal(applied.per_site_max, plain.per_site_max);
    assert_int_equal(applied.rcpts_per_connection, plain.rcpts_per_connection);
    assert_int_equal(applied.invalids_per_hour, plain.invalids_per_hour);
    assert_int_equal(applied.no_tls, plain.no_tls);
    assert_int_equal(applied.is_fresh, plain.is_fresh);
    assert_int_equal(applied.cache_age_ms_max, plain.cache_age_ms_max);
    config_done(&config);
}

static void the_engine_gets_what_is_set(void **state)
{
    (void)state;
    struct config_case c;
    config_case_read_right(&c, "helo h.example\nport 2525\nallow-net 127.0.0.0/8\ntls no\n"
                               "limits {\ntimeout 90s\nqueue-wait 1h\ngreylist-wait 1500ms\n"
                               "longest-wait 2h\nattempts 3\nmax-connections 9\n}\n"
                               "timeouts {\nrcpt 1500ms\nquit 2s\n}\n"
                               "verify {\ncache-ttl 1h\nstrict yes\ncontrol no\n}\n"
                               "egress one {\nsource-v4 192.0.2.1\nmail-from a@h.example\n}\n");
    config_settle(&c.config);
    struct knocker_config out;
    knocker_config_init(&out);
    config_apply(&c.config, &ways, &out);
    assert_true(slice_equal(out.egresses->helo_name, SLICE("h.example")));
    assert_true(slice_equal(out.egresses->name, SLICE("one")));
    assert_true(slice_equal(out.egresses->mail_from, SLICE("a@h.example")));
    assert_true(out.verify.has_sender);
    assert_false(out.verify.null_sender_first);
    assert_true(out.verify.no_control);
    assert_int_equal(out.verify.greylist_wait_s, 2);
    assert_int_equal(out.verify.wait_s_max, 7200);
    assert_int_equal(out.verify.attempts_max, 3);
    assert_int_equal(out.address_mode, HEL_ADDRESS_STRICT);
    assert_int_equal(out.port, 2525);
    assert_int_equal(out.egresses->source_v4.family, IP_V4);
    assert_int_equal(out.allowed_net_count, 1);
    assert_int_equal(out.timeout_ms[HEL_SMTP_RCPT], 1500);
    assert_int_equal(out.fixed_timeouts, 1u << HEL_SMTP_RCPT | 1u << HEL_SMTP_QUIT);
    assert_int_equal(out.budget_ms, 90000);
    assert_int_equal(out.queue_wait_ms_max, 3600000);
    assert_int_equal(out.connections_max, 9);
    assert_true(out.no_tls);
    assert_false(out.is_fresh);
    assert_int_equal(out.cache_age_ms_max, 3600000);
    config_case_done(&c);
}

/* Nobody said anything: webhooks and signals are as they are without a configuration. */
static void what_goes_out_has_its_defaults(void **state)
{
    (void)state;
    struct config config;
    struct webhooks_config plain_hooks, hooks;
    struct signals_config plain_signals, signals;
    config_init(&config);
    webhooks_config_init(&plain_hooks);
    signals_config_init(&plain_signals);
    config_apply_webhooks(&config, &hooks);
    config_apply_signals(&config, &signals);
    assert_int_equal(hooks.timeout_ms, plain_hooks.timeout_ms);
    assert_int_equal(hooks.at_once_max, plain_hooks.at_once_max);
    assert_int_equal(hooks.per_host_max, plain_hooks.per_host_max);
    assert_int_equal(hooks.keep_ms, plain_hooks.keep_ms);
    assert_int_equal(hooks.http.allowed_net_count, 0);
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        assert_false(signals.of[i].is_enabled);
        assert_true(slice_equal(signals.of[i].base_url, plain_signals.of[i].base_url));
        assert_int_equal(signals.of[i].timeout_ms, plain_signals.of[i].timeout_ms);
        assert_int_equal(signals.of[i].cache_ms, plain_signals.of[i].cache_ms);
        assert_int_equal(signals.of[i].per_minute, plain_signals.of[i].per_minute);
    }
    config_done(&config);
}

static void what_goes_out_gets_what_is_set(void **state)
{
    (void)state;
    struct config_case c;
    struct webhooks_config hooks;
    struct signals_config signals;
    config_case_read_right(&c, "allow-net 10.0.0.0/8\n"
                               "webhooks {\nallow-net 127.0.0.0/8 ::1\ntimeout 3s\nat-once 2\n"
                               "per-host 1\nkeep 1d\n}\n"
                               "rdap {\nenabled yes\nurl http://10.0.0.1/rdap\ntimeout 250ms\n"
                               "cache 0s\nper-minute 7\n}\n");
    config_apply_webhooks(&c.config, &hooks);
    config_apply_signals(&c.config, &signals);
    assert_int_equal(hooks.http.allowed_net_count, 2);
    assert_int_equal(hooks.timeout_ms, 3000);
    assert_int_equal(hooks.at_once_max, 2);
    assert_int_equal(hooks.per_host_max, 1);
    assert_int_equal(hooks.keep_ms, 86400000);
    assert_int_equal(signals.http.allowed_net_count, 1);
    assert_true(signals.of[SIGNAL_RDAP].is_enabled);
    assert_false(signals.of[SIGNAL_HIBP].is_enabled);
    assert_true(slice_equal(signals.of[SIGNAL_RDAP].base_url, SLICE("http://10.0.0.1/rdap")));
    assert_int_equal(signals.of[SIGNAL_RDAP].timeout_ms, 250);
    assert_int_equal(signals.of[SIGNAL_RDAP].cache_ms, 0);
    assert_int_equal(signals.of[SIGNAL_RDAP].per_minute, 7);
    config_case_done(&c);
}

static void timeouts_of_the_command_line_are_fixed_too(void **state)
{
    (void)state;
    struct config_case c;
    config_case_read_right(&c, "timeouts {\nbanner 3s\n}\n");
    struct config given;
    struct fault why;
    config_init(&given);
    assert_int_equal(config_set_word(&given, "timeouts.rcpt", SLICE("9"), &why), ERR_NONE);
    config_overlay(&c.config, &given);
    config_settle(&c.config);
    struct knocker_config out;
    knocker_config_init(&out);
    config_apply(&c.config, &ways, &out);
    assert_int_equal(out.timeout_ms[HEL_SMTP_RCPT], 9000);
    assert_int_equal(out.fixed_timeouts, 1u << HEL_SMTP_BANNER | 1u << HEL_SMTP_RCPT);
    config_done(&given);
    config_case_done(&c);
}

static void a_cache_of_no_time_is_none(void **state)
{
    (void)state;
    struct config_case c;
    config_case_read_right(&c, "verify {\ncache-ttl 0s\n}\n");
    config_settle(&c.config);
    struct knocker_config out;
    knocker_config_init(&out);
    config_apply(&c.config, &ways, &out);
    assert_true(out.is_fresh);
    config_case_done(&c);
}

static void what_is_kept_for_good_is_never_too_old(void **state)
{
    (void)state;
    struct config_case c;
    struct store_retention retention;
    config_case_read_right(&c, "retention {\nfacts 2d\nbatches 1h\n}\n");
    config_retention(&c.config, 1000000000, &retention);
    assert_true(retention.verdicts_before_ms == INT64_MIN);
    assert_int_equal(retention.facts_before_ms, 1000000000 - 2 * 86400000);
    assert_int_equal(retention.jobs_before_ms, 1000000000 - 3600000);
    config_case_done(&c);
}

/* Whether MAIL FROM:<> comes first: by the sender, unless somebody said it. */
static void the_first_sender(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_null_first;
    } rows[] = {
        {"", true},
        {"mail-from a@b.example\n", false},
        {"egress x {\nmail-from a@b.example\n}\n", false},
        {"mail-from a@b.example\nverify {\nnull-sender-first yes\n}\n", true},
        {"verify {\nnull-sender-first no\n}\n", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config_case c;
        struct knocker_config out;
        config_case_read_right(&c, rows[i].text);
        config_settle(&c.config);
        knocker_config_init(&out);
        config_apply(&c.config, &ways, &out);
        assert_int_equal(out.verify.null_sender_first, rows[i].is_null_first);
        config_case_done(&c);
    }
}

static const char two_egresses[] = "helo common.example\nport 26\nresolvers ::1 ::2\n"
                                   "egress a {\nsource-v4 192.0.2.1\nhelo a.example\n}\n"
                                   "egress b {\nsource-v4 192.0.2.2\nmail-from b@b.example\n"
                                   "warm-up-age 3d\n}\n";

static void egresses_take_what_is_common(void **state)
{
    (void)state;
    struct config_case c;
    config_case_read_right(&c, two_egresses);
    config_settle(&c.config);
    assert_int_equal(c.config.egress_count, 2);
    assert_string_equal(c.config.egresses[0].helo.at, "a.example");
    assert_int_equal(c.config.egresses[0].mail_from.len, 0);
    assert_int_equal(c.config.egresses[0].warm_up.first_day, 0);
    assert_string_equal(c.config.egresses[1].helo.at, "common.example");
    assert_string_equal(c.config.egresses[1].mail_from.at, "b@b.example");
    assert_int_equal(c.config.egresses[1].warm_up.first_day, 50);
    assert_int_equal(c.config.egresses[1].warm_up.growth_percent, 50);
    config_case_done(&c);
}

static void every_way_out_is_the_knockers(void **state)
{
    (void)state;
    static const char text[] = "helo common.example\n"
                               "egress a {\nsource-v4 192.0.2.1\nweight 7\nbudget 900\n"
                               "warm-up-start 2026-11-21\n}\n"
                               "egress p {\nproxy http://192.0.2.5:1\n}\n"
                               "egress off {\nsource-v4 192.0.2.9\nenabled no\n}\n"
                               "egress b {\nsource-v6 2001:db8::1\nmail-from b@b.example\n"
                               "warm-up-age 3d\nwarm-up-growth 20%\n}\n";
    struct config_case c;
    const struct traffic_egress *out = ways.egresses;
    struct knocker_config knocker;
    struct fault fault;
    config_case_read_right(&c, text);
    config_settle(&c.config);
    knocker_config_init(&knocker);
    config_apply(&c.config, &ways, &knocker);
    assert_int_equal(knocker.egress_count, 3);
    assert_ptr_equal(knocker.egresses, out);
    assert_true(knocker.verify.has_sender);
    assert_int_equal(traffic_egresses_check(out, 3, &fault), ERR_NONE);
    assert_true(slice_equal(out[0].name, SLICE("a")));
    assert_true(slice_equal(out[0].helo_name, SLICE("common.example")));
    assert_int_equal(out[0].source_v4.family, IP_V4);
    assert_null(out[0].proxy);
    assert_int_equal(out[1].proxy->kind, PROXY_HTTP);
    assert_int_equal(out[1].proxy->port, 1);
    assert_int_equal(out[0].weight, 7);
    assert_int_equal(out[0].rcpts_per_day, 900);
    assert_true(out[0].warm_up.since_ms == UINT64_C(1795219200000));
    assert_int_equal(out[0].warm_up.first, 50);
    assert_int_equal(out[2].source_v6.family, IP_V6);
    assert_true(slice_equal(out[2].mail_from, SLICE("b@b.example")));
    assert_int_equal(out[2].weight, 1);
    assert_true(out[2].warm_up.since_ms == TRAFFIC_SINCE_FIRST_USE);
    assert_int_equal(out[2].warm_up.age_ms, 3 * 86400000);
    assert_int_equal(out[2].warm_up.growth_percent, 20);
    config_case_done(&c);
}

static const struct config_egress *first_enabled(const struct config *config)
{
    for (size_t i = 0; i < config->egress_count; i++) {
        if (config->egresses[i].is_enabled) {
            return &config->egresses[i];
        }
    }
    fail_msg("none is enabled");
    abort(); /* not reached; cmocka's function does not say so to the compiler */
}

static void set(struct config *config, const char *key, const char *word)
{
    assert_int_equal(config_set_word(config, key, slice_of(word), NULL), ERR_NONE);
}

static void the_command_line_is_stronger(void **state)
{
    (void)state;
    struct config_case c;
    struct config given;
    config_case_read_right(&c, two_egresses);
    config_init(&given);
    set(&given, "port", "27");
    set(&given, "helo", "given.example");
    set(&given, "resolvers", "::3");
    config_overlay(&c.config, &given);
    config_settle(&c.config);
    assert_int_equal(c.config.port, 27);
    assert_int_equal(c.config.resolvers.count, 1);
    assert_string_equal(c.config.resolvers.at[0], "::3");
    assert_int_equal(c.config.egress_count, 2);
    assert_string_equal(c.config.egresses[0].helo.at, "given.example");
    assert_string_equal(c.config.egresses[1].helo.at, "given.example");
    assert_string_equal(c.config.egresses[1].mail_from.at, "b@b.example");
    config_case_done(&c);
    config_done(&given);
}

static void a_given_source_stands_for_all_egresses(void **state)
{
    (void)state;
    struct config_case c;
    struct config given;
    char ip[IP_TEXT_BYTES];
    config_case_read_right(&c, two_egresses);
    config_init(&given);
    set(&given, "source-v6", "2001:db8::1");
    config_overlay(&c.config, &given);
    config_settle(&c.config);
    assert_int_equal(c.config.egress_count, 1);
    const struct config_egress *egress = first_enabled(&c.config);
    assert_string_equal(egress->name.at, "default");
    assert_int_equal(egress->source_v4.family, IP_NONE);
    assert_string_equal(ip_format(&egress->source_v6, ip), "2001:db8::1");
    assert_string_equal(egress->helo.at, "common.example");
    config_case_done(&c);
    config_done(&given);
}

static void the_first_egress_is_enabled(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *obstacle; /* NULL: there is none */
    } rows[] = {
        {"", "default", NULL},
        {"egress a {\nenabled no\n}\negress b {\nsource-v4 192.0.2.1\n}\n", "b", NULL},
        {"egress a {\nproxy http://192.0.2.9:1\n}\negress b {\n}\n", "a", NULL},
        {"egress a {\nproxy http://joe@192.0.2.9:1\n}\n", "a", "no password"},
        {"egress a {\nproxy proxyv2://[::1]:1\nsource-v4 192.0.2.1\n}\n", "a", NULL},
        {"egress a {\nproxy http://h:1\n}\n", "a", "is a name"},
        {"egress a {\nproxy http://192.0.2.9:1\nsource-v6 2001:db8::1\n}\n", "a",
         "leave out the source"},
        {"egress a {\nproxy socks5://joe@192.0.2.9:1\n}\n", "a", "no password"},
        {"proxy socks5://joe:pw@192.0.2.9:1\n", "default", NULL},
        {"source-v4 192.0.2.1\nproxy socks5://192.0.2.9:1\n", "default", "leave out the source"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config_case c;
        config_case_read_right(&c, rows[i].text);
        config_settle(&c.config);
        const struct config_egress *egress = first_enabled(&c.config);
        assert_string_equal(egress->name.at, rows[i].name);
        const char *obstacle = config_egress_obstacle(egress);
        bool is_right = rows[i].obstacle == NULL
                            ? obstacle == NULL
                            : obstacle != NULL && strstr(obstacle, rows[i].obstacle) != NULL;
        if (!is_right) {
            fail_msg("%s: %s", rows[i].text, obstacle == NULL ? "nothing" : obstacle);
        }
        config_case_done(&c);
    }
}

static void a_proxy_of_the_command_line_is_the_only_way(void **state)
{
    (void)state;
    struct config_case c;
    struct config given;
    struct knocker_config out;
    config_case_read_right(&c, "egress a {\nproxy socks5://joe@192.0.2.9:1\n"
                               "proxy-password-file x\n}\negress b {\n}\n");
    config_init(&given);
    set(&given, "proxy", "http://bob:pw@[2001:db8::9]:3128");
    config_overlay(&c.config, &given);
    config_settle(&c.config);
    assert_int_equal(c.config.egress_count, 1);
    knocker_config_init(&out);
    assert_null(out.egresses->proxy);
    config_apply(&c.config, &ways, &out);
    char name[PROXY_NAME_BYTES];
    assert_string_equal(proxy_describe(out.egresses->proxy, name), "HTTP proxy [2001:db8::9]:3128");
    assert_true(slice_equal(out.egresses->proxy->user, SLICE("bob")));
    assert_true(slice_equal(out.egresses->proxy->password, SLICE("pw")));
    config_case_done(&c);
    config_done(&given);
}

/* ---- show ---- */

static void show(const struct config *config, struct buf *out)
{
    buf_init(out, SHOWN_BYTES_MAX);
    assert_int_equal(config_show(config, out), ERR_NONE);
    assert_int_equal(buf_append_byte(out, '\0'), ERR_NONE);
    out->len--;
}

static void check_line(const char *shown, const char *line)
{
    if (strstr(shown, line) == NULL) {
        fail_msg("not shown: %s\n%s", line, shown);
    }
}

static void shows_where_values_come_from(void **state)
{
    (void)state;
    struct config_case c;
    struct config given;
    struct buf out;
    config_case_read_right(&c, "port 26\negress e {\nproxy socks5://joe:hunter2@h:1\n}\n");
    config_init(&given);
    set(&given, "limits.timeout", "30");
    config_overlay(&c.config, &given);
    config_settle(&c.config);
    show(&c.config, &out);
    check_line(out.at, "# configuration file: t.conf\n");
    check_line(out.at, "\nport 26                                      # t.conf:1\n");
    check_line(out.at, "\ntls yes                                      # default\n");
    check_line(out.at, "\n    timeout 30s                              # command line\n");
    check_line(out.at, "\n#resolvers: the system's                     # default\n");
    check_line(out.at, "\n    proxy socks5://joe:***@h:1               # t.conf:3\n");
    assert_null(strstr(out.at, "hunter2"));
    buf_done(&out);
    config_case_done(&c);
    config_done(&given);
}

/* Without what stands behind '#' at the end of a line. */
static void cut_comments(const char *text, struct buf *out)
{
    buf_init(out, SHOWN_BYTES_MAX);
    struct reader r = reader_over(slice_of(text));
    struct slice line;
    while (reader_line(&r, &line)) {
        size_t mark = slice_find_last_byte(line, '#');
        struct slice kept = slice_trim(slice_sub(line, 0, mark));
        if (kept.len > 0 && kept.at[0] != '#') {
            assert_int_equal(buf_printf(out, "%.*s\n", SLICE_ARG(kept)), ERR_NONE);
        }
    }
    assert_int_equal(buf_append_byte(out, '\0'), ERR_NONE);
}

/* What is shown is a file that means the same. */
static void what_is_shown_reads_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        two_egresses,
        "store \"a \\\"b\\\\ # c\"\nproviders x \"y z\"\nallow-net ::1\nhelo [192.0.2.1]\n"
        "verify {\nrisky-if none\ncache-ttl 0s\n}\n"
        "egress e {\nproxy http://u@[::1]:8080\nproxy-password-file p\n"
        "warm-up-start 2024-02-29\nwarm-up-growth 7%\nbudget 5\n}\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct config_case first, again;
        struct buf shown, shown_again, bare, bare_again;
        config_case_read_right(&first, texts[i]);
        config_settle(&first.config);
        show(&first.config, &shown);
        config_case_read_right(&again, shown.at);
        config_settle(&again.config);
        show(&again.config, &shown_again);
        cut_comments(shown.at, &bare);
        cut_comments(shown_again.at, &bare_again);
        assert_string_equal(bare.at, bare_again.at);
        buf_done(&bare);
        buf_done(&bare_again);
        buf_done(&shown);
        buf_done(&shown_again);
        config_case_done(&first);
        config_case_done(&again);
    }
}

/* ---- manual and example ---- */

static void each_key_has_its_mark(void **state)
{
    (void)state;
    unsigned seen[2][CONFIG_KEYS_MAX] = {{0}};
    bool was_egress = false;
    for (size_t i = 0; i < config_key_count; i++) {
        bool is_egress = config_key_is_egress(&config_keys[i]);
        assert_true(is_egress || !was_egress); /* they are the table's end */
        was_egress = is_egress;
        assert_int_equal(seen[is_egress][config_mark_index(&config_keys[i])]++, 0);
    }
    assert_true(was_egress);
}

/* The example as it stands is right; each key is in it, in its section, said or behind '#'. */
static void the_example_has_every_key(void **state)
{
    (void)state;
    char *text = config_case_load(EXAMPLES_DIR "/heloise.conf");
    struct config_case c;
    config_case_read_right(&c, text);
    assert_int_equal(c.complaints.count, 0);
    bool seen[CONFIG_KEYS_MAX] = {false};
    struct reader r = reader_over(slice_of(text));
    struct slice line;
    struct slice section = SLICE_NONE;
    while (reader_line(&r, &line)) {
        struct slice rest = slice_trim(line);
        struct slice word = slice_cut(&rest, ' ');
        if (slice_ends(line, SLICE("{"))) {
            section = word;
        } else if (slice_equal(word, SLICE("}"))) {
            section = SLICE_NONE;
        }
        word = slice_starts(word, SLICE("#")) ? slice_sub(word, 1, word.len) : word;
        const struct config_key *key = config_key_find(section, word);
        if (key != NULL) {
            seen[key - config_keys] = true;
        }
    }
    for (size_t i = 0; i < config_key_count; i++) {
        if (!seen[i]) {
            fail_msg("examples/heloise.conf lacks %s in section '%s'", config_keys[i].name,
                     config_keys[i].section);
        }
    }
    config_case_done(&c);
    free(text);
}

/* The headings of heloise.conf(5) under which the keys of a section stand. */
static const char *const headings[][2] = {
    {"", ".Sh OUTSIDE OF SECTIONS\n"},
    {"limits", ".Sh LIMITS\n"},
    {"timeouts", ".Sh TIMEOUTS\n"},
    {"verify", ".Sh WHAT IS ASKED\n"},
    {"egress", ".Sh EGRESSES\n"},
    {"webhooks", ".Sh WEBHOOKS\n"},
    {"gravatar", ".Sh EXTERNAL SIGNALS\n"},
    {"github", ".Sh EXTERNAL SIGNALS\n"},
    {"hibp", ".Sh EXTERNAL SIGNALS\n"},
    {"rdap", ".Sh EXTERNAL SIGNALS\n"},
    {"serve", ".Sh SERVICE\n"},
    {"policy", ".Sh MAIL SERVERS THAT ASK\n"},
    {"retention", ".Sh RETENTION\n"},
};

static void the_manual_has_every_key(void **state)
{
    (void)state;
    char *page = config_case_load(MAN_DIR "/heloise.conf.5");
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const char *part = NULL;
        for (size_t h = 0; h < sizeof headings / sizeof *headings; h++) {
            if (strcmp(headings[h][0], key->section) == 0) {
                part = strstr(page, headings[h][1]);
            }
        }
        assert_non_null(part);
        char item[96];
        (void)snprintf(item, sizeof item, "\n.It Cm %s ", key->name);
        const char *found = strstr(part, item);
        const char *end = strstr(part + 1, "\n.Sh ");
        if (found == NULL || (end != NULL && found > end)) {
            fail_msg("heloise.conf(5) lacks %s under %s", key->name, part);
        }
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_engines),
        cmocka_unit_test(the_engine_gets_what_is_set),
        cmocka_unit_test(what_goes_out_has_its_defaults),
        cmocka_unit_test(what_goes_out_gets_what_is_set),
        cmocka_unit_test(timeouts_of_the_command_line_are_fixed_too),
        cmocka_unit_test(a_cache_of_no_time_is_none),
        cmocka_unit_test(what_is_kept_for_good_is_never_too_old),
        cmocka_unit_test(the_first_sender),
        cmocka_unit_test(egresses_take_what_is_common),
        cmocka_unit_test(every_way_out_is_the_knockers),
        cmocka_unit_test(the_command_line_is_stronger),
        cmocka_unit_test(a_given_source_stands_for_all_egresses),
        cmocka_unit_test(the_first_egress_is_enabled),
        cmocka_unit_test(a_proxy_of_the_command_line_is_the_only_way),
        cmocka_unit_test(shows_where_values_come_from),
        cmocka_unit_test(what_is_shown_reads_back),
        cmocka_unit_test(each_key_has_its_mark),
        cmocka_unit_test(the_example_has_every_key),
        cmocka_unit_test(the_manual_has_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
