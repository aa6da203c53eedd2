/* engine/config_proxy: URLs of proxies; what is wrong with one is told without its password.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "engine/config_private.h"

static void reads_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum proxy_kind kind;
        const char *host;
        uint16_t port;
        const char *user, *password, *shown;
    } rows[] = {
        {"socks5://h.example:1080", PROXY_SOCKS5, "h.example", 1080, "", "",
         "socks5://h.example:1080"},
        {"HTTP://192.0.2.1:8080/", PROXY_HTTP, "192.0.2.1", 8080, "", "", "http://192.0.2.1:8080"},
        {"proxyv2://[2001:db8::1]:25", PROXY_V2, "2001:db8::1", 25, "", "",
         "proxyv2://[2001:db8::1]:25"},
        {"socks5://joe@h:1", PROXY_SOCKS5, "h", 1, "joe", "", "socks5://joe@h:1"},
        {"socks5://joe:secret@h:1", PROXY_SOCKS5, "h", 1, "joe", "secret", "socks5://joe:***@h:1"},
        {"socks5://a%40b%3a:%25%20x:y@h:65535", PROXY_SOCKS5, "h", 65535, "a@b:", "% x:y",
         "socks5://a%40b%3A:***@h:65535"},
        {"socks5://j@o@h:1", PROXY_SOCKS5, "h", 1, "j@o", "", "socks5://j%40o@h:1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config_proxy proxy;
        struct arena arena;
        struct fault why = {.text = ""};
        struct buf shown;
        arena_init(&arena, 4096);
        buf_init(&shown, 4096);
        if (config_proxy_read(slice_of(rows[i].url), &arena, &proxy, &why) != ERR_NONE) {
            fail_msg("%s: %s", rows[i].url, why.text);
        }
        assert_int_equal(proxy.kind, rows[i].kind);
        assert_string_equal(proxy.host.at, rows[i].host);
        assert_int_equal(proxy.port, rows[i].port);
        assert_string_equal(proxy.user.at, rows[i].user);
        assert_string_equal(proxy.password.at, rows[i].password);
        assert_int_equal(proxy.ip.family != IP_NONE, ip_parse(proxy.host, &(struct ip){0}));
        assert_int_equal(config_proxy_write(&proxy, &shown), ERR_NONE);
        assert_true(slice_equal(buf_view(&shown), slice_of(rows[i].shown)));
        buf_done(&shown);
        arena_done(&arena);
    }
}

static void refuses_others(void **state)
{
    (void)state;
    static const struct {
        const char *url, *said;
    } rows[] = {
        {"", "is written socks5://"},
        {"h:1080", "is written socks5://"},
        {"socks4://h:1080", "is written socks5://"},
        {"socks5://", "host of the proxy"},
        {"socks5://:1", "host of the proxy"},
        {"socks5://h", "no port"},
        {"socks5://h:", "no port"},
        {"socks5://h:0", "no port"},
        {"socks5://h:65536", "no port"},
        {"socks5://2001:db8::1:25", "in brackets"},
        {"socks5://[192.0.2.1]:25", "host of the proxy"},
        {"socks5://[2001:db8::1:25", "host of the proxy"},
        {"socks5://h:1/path", "says nothing"},
        {"socks5://@h:1", "user is empty"},
        {"socks5://:hunter2@h:1", "user is empty"},
        {"socks5://joe:hunter2%@h:1", "hexadecimal"},
        {"socks5://joe:hunter2%4@h:1", "hexadecimal"},
        {"socks5://joe:hunter2%4x@h:1", "hexadecimal"},
        {"socks5://joe:hunter2%00@h:1", "hexadecimal"},
        {"socks5://joe:hunter2@h", "no port"},
        {"socks5://joe:hunter2@h h:1", "no port"},
        {"proxyv2://joe:hunter2@h:1", "knows no user"},
        {"http://jo%3ae:hunter2@h:1", "no user with a colon"}, /* RFC 7617 2 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config_proxy proxy = {.kind = PROXY_NONE, .port = 7};
        struct arena arena;
        struct fault why = {.text = ""};
        arena_init(&arena, 4096);
        if (config_proxy_read(slice_of(rows[i].url), &arena, &proxy, &why) != ERR_SYNTAX ||
            strstr(why.text, rows[i].said) == NULL || strstr(why.text, "hunter2") != NULL) {
            fail_msg("%s: %s", rows[i].url, why.text);
        }
        assert_int_equal(proxy.port, 7); /* untouched */
        arena_done(&arena);
    }
}

/* RFC 1929 2: one octet counts the bytes. */
static void secrets_have_a_bound(void **state)
{
    (void)state;
    char url[512] = "socks5://";
    size_t start = strlen(url);
    for (size_t len = 255; len <= 256; len++) {
        struct config_proxy proxy;
        struct arena arena;
        arena_init(&arena, 4096);
        memset(url + start, 'u', len);
        memcpy(url + start + len, "@h:1", sizeof "@h:1");
        assert_int_equal(config_proxy_read(slice_of(url), &arena, &proxy, NULL),
                         len == 255 ? ERR_NONE : ERR_SYNTAX);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_urls),
        cmocka_unit_test(refuses_others),
        cmocka_unit_test(secrets_have_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
