/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "certs.h"
#include "web.h"

enum { MEGABYTE = 1 << 20, LIMIT_MS = 20000, SHORT_MS = 50, URL_BYTES = 256 };

/* What came of a request. */
struct told {
    struct rig *rig;
    unsigned count;
    enum http_client_end end;
    unsigned status;
    uint32_t retry_after_s;
    char body[256], detail[400], content_type[80];
    size_t body_len;
};

static void hear(void *context, const struct http_client_answer *answer)
{
    struct told *told = context;
    assert_false(told->rig->is_asking); /* never from inside the call that asked */
    told->count++;
    told->end = answer->end;
    told->status = answer->status;
    told->retry_after_s = answer->retry_after_s;
    told->body_len = answer->body.len;
    (void)snprintf(told->body, sizeof told->body, "%.*s", SLICE_ARG(answer->body));
    (void)snprintf(told->detail, sizeof told->detail, "%s", answer->detail);
    (void)snprintf(told->content_type, sizeof told->content_type, "%.*s",
                   SLICE_ARG(answer->content_type));
    door_stop(told->rig->door);
}

static const struct http_client_request plain = {.method = HTTP_CLIENT_GET,
                                                 .timeout_ms = LIMIT_MS,
                                                 .connect_timeout_ms = LIMIT_MS,
                                                 .response_bytes_max = 65536,
                                                 .redirects_max = 3};

static struct http_client *open_client(struct rig *rig, const struct ip_net *net,
                                       const char *ca_file)
{
    const struct http_client_config config = {
        .allowed_nets = net, .allowed_net_count = net == NULL ? 0 : 1, .ca_file = ca_file};
    struct http_client *client;
    struct fault fault = {0};
    if (http_client_open(rig->door, &config, &client, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return client;
}

static struct http_exchange *ask(struct rig *rig, struct http_client *client,
                                 const struct http_client_request *request, struct told *out)
{
    struct http_exchange *exchange;
    struct fault fault = {0};
    *out = (struct told){.rig = rig};
    rig->is_asking = true;
    if (http_client_ask(client, request, hear, out, &exchange, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    rig->is_asking = false;
    return exchange;
}

static struct told ask_and_wait(struct rig *rig, struct http_client *client,
                                const struct http_client_request *request)
{
    struct told told;
    (void)ask(rig, client, request, &told);
    RIG_UNTIL(rig, told.count == 1);
    return told;
}

static struct ip_net net_of(const char *text)
{
    struct ip_net net;
    assert_true(ip_net_parse(slice_of(text), &net));
    return net;
}

/* Paths that the server knows. */
static struct slice play(void *context, const struct web_request *request)
{
    static char text[2 * 65536 + 512];
    static const struct {
        const char *path, *reply;
    } pages[] = {
        {"/ok", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"},
        {"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
        {"/busy", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n"},
        {"/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"},
        {"/once", "HTTP/1.1 307 Temporary\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"},
        {"/other", "HTTP/1.1 303 See Other\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"},
        {"/nowhere", "HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n"},
        {"/inside", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data\r\n"
                    "Content-Length: 0\r\n\r\n"},
        {"/name", "HTTP/1.1 302 Found\r\nLocation: http://inside.localhost:1/\r\n"
                  "Content-Length: 0\r\n\r\n"},
        {"/file", "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
                  "Content-Length: 0\r\n\r\n"},
        {"/gopher", "HTTP/1.1 302 Found\r\nLocation: gopher://example.com/\r\n"
                    "Content-Length: 0\r\n\r\n"},
        {"/broken", "220 mx.example ESMTP\r\n"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (strcmp(request->path, pages[i].path) == 0) {
            return slice_of(pages[i].reply);
        }
    }
    if (strcmp(request->path, "/silent") == 0) {
        return (struct slice){NULL, 0};
    }
    bool is_head =
        strcmp(request->path, "/heads") == 0; /* else /huge, or the same without a length */
    int len = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s",
                       is_head                               ? "A:"
                       : strcmp(request->path, "/huge") == 0 ? "Content-Length: 131072\r\n\r\n"
                                                             : "\r\n");
    assert_true(len > 0);
    for (size_t i = (size_t)len; i < sizeof text; i++) {
        text[i] = !is_head      ? 'x'
                  : i % 64 == 0 ? '\r'
                  : i % 64 == 1 ? '\n'
                  : i % 64 == 4 ? ':'
                                : 'x';
    }
    return slice_make(text, sizeof text);
}

static void answers_are_told(void **state)
{
    static const struct {
        const char *path;
        enum http_client_end end;
        unsigned status;
        uint32_t retry_after_s;
        const char *body;
        size_t requests;
    } rows[] = {
        {"/ok", HTTP_CLIENT_END_ANSWERED, 200, 0, "hello", 1},
        {"/missing", HTTP_CLIENT_END_ANSWERED, 404, 0, "", 1},
        {"/busy", HTTP_CLIENT_END_ANSWERED, 429, 17, "", 1},
        {"/once", HTTP_CLIENT_END_ANSWERED, 200, 0, "hello", 2},
        {"/other", HTTP_CLIENT_END_ANSWERED, 303, 0, "", 1},
        {"/loop", HTTP_CLIENT_END_REDIRECTED, 302, 0, "", 4},
        {"/nowhere", HTTP_CLIENT_END_REDIRECTED, 301, 0, "", 1},
        {"/inside", HTTP_CLIENT_END_FORBIDDEN, 302, 0, "", 1},
        {"/file", HTTP_CLIENT_END_FORBIDDEN, 302, 0, "", 1},
        {"/gopher", HTTP_CLIENT_END_FORBIDDEN, 302, 0, "", 1},
        {"/broken", HTTP_CLIENT_END_UNREACHABLE, 0, 0, "", 1},
    };
    struct rig *rig = *state;
    struct web web;
    char url[URL_BYTES];
    struct ip_net net = net_of("127.0.0.0/8");
    web_open(&web, rig, "127.0.0.1", play, NULL);
    struct http_client *client = open_client(rig, &net, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_client_request request = plain;
        size_t before = web.count;
        request.url = slice_of(web_url(&web, "127.0.0.1", rows[i].path, url));
        struct told told = ask_and_wait(rig, client, &request);
        if (told.end != rows[i].end || told.status != rows[i].status ||
            told.retry_after_s != rows[i].retry_after_s || strcmp(told.body, rows[i].body) != 0 ||
            web.count - before != rows[i].requests) {
            fail_msg("%s: %s %u %u \"%s\" after %zu requests (%s)", rows[i].path,
                     http_end_name(told.end), told.status, told.retry_after_s, told.body,
                     web.count - before, told.detail);
        }
        assert_int_equal(told.detail[0] == '\0', told.end == HTTP_CLIENT_END_ANSWERED);
    }
    http_client_close(client);
    web_close(&web);
}

static void a_post_says_what_it_was_given(void **state)
{
    struct rig *rig = *state;
    struct web web;
    char url[URL_BYTES], value[512];
    struct ip_net net = net_of("127.0.0.1");
    static const struct http_client_header headers[] = {
        {.name = "Content-Type", .value = SLICE_LITERAL("application/json")},
        {.name = "X-Key", .value = SLICE_LITERAL("secret"), .is_for_origin = true},
        {.name = "X-Empty", .value = SLICE_LITERAL("")},
    };
    web_open(&web, rig, "127.0.0.1", play, NULL);
    struct http_client *client = open_client(rig, &net, NULL);
    struct http_client_request request = plain;
    request.method = HTTP_CLIENT_POST;
    request.url = slice_of(web_url(&web, "127.0.0.1", "/once", url));
    request.headers = headers;
    request.header_count = 3;
    request.body = SLICE("{\"a\":1}");
    struct told told = ask_and_wait(rig, client, &request);
    assert_int_equal(told.status, 200);
    assert_string_equal(told.content_type, "text/plain");
    for (size_t i = 0; i < 2; i++) { /* the redirect too: method, body, and the same origin's key */
        const struct web_request *seen = web_request(&web, i);
        assert_string_equal(seen->method, "POST");
        assert_string_equal(seen->body, "{\"a\":1}");
        assert_string_equal(web_header(seen, "Content-Type", value), "application/json");
        assert_string_equal(web_header(seen, "X-Key", value), "secret");
        assert_string_equal(web_header(seen, "User-Agent", value), "Heloise/" HELOISE_VERSION);
        assert_string_equal(web_header(seen, "Expect", value), "");
        assert_non_null(strstr(seen->head, "\r\nX-Empty:"));
    }
    http_client_close(client);
    web_close(&web);
}

/* Sends to wherever the test says. */
static struct slice send_on(void *context, const struct web_request *request)
{
    (void)request;
    static char text[512];
    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                   (const char *)context);
    return slice_of(text);
}

static void a_key_stays_with_its_origin(void **state)
{
    struct rig *rig = *state;
    struct web first, second;
    char url[URL_BYTES], onward[URL_BYTES], value[512];
    struct ip_net net = net_of("127.0.0.1");
    static const struct http_client_header key = {
        .name = "X-Key", .value = SLICE_LITERAL("secret"), .is_for_origin = true};
    web_open(&second, rig, "127.0.0.1", play, NULL);
    web_open(&first, rig, "127.0.0.1", send_on, onward);
    (void)web_url(&second, "127.0.0.1", "/ok", onward);
    struct http_client *client = open_client(rig, &net, NULL);
    struct http_client_request request = plain;
    request.url = slice_of(web_url(&first, "127.0.0.1", "/", url));
    request.headers = &key;
    request.header_count = 1;
    assert_int_equal(ask_and_wait(rig, client, &request).status, 200);
    assert_string_equal(web_header(web_request(&first, 0), "X-Key", value), "secret");
    assert_string_equal(web_header(web_request(&second, 0), "X-Key", value), "");
    http_client_close(client);
    web_close(&first);
    web_close(&second);
}

/* Whatever leads to an address that is not allowed, no byte and no connection goes there. */
static void nothing_goes_inside(void **state)
{
    struct rig *rig = *state;
    struct web web;
    char url[URL_BYTES];
    web_open(&web, rig, "127.0.0.1", play, NULL);
    struct http_client *client = open_client(rig, NULL, NULL);
    struct http_client_request request = plain;
    request.url = slice_of(web_url(&web, "inside.localhost", "/ok", url)); /* a name for loopback */
    struct told told = ask_and_wait(rig, client, &request);
    assert_int_equal(told.end, HTTP_CLIENT_END_FORBIDDEN);
    assert_non_null(strstr(told.detail, "not a public address"));
    assert_int_equal(web.link_count, 0);
    http_client_close(client);

    struct ip_net net = net_of(
        "127.0.0.1"); /* but a redirect to a name for ::1 alone, or for another port's host */
    client = open_client(rig, &net, NULL);
    request.url = slice_of(web_url(&web, "127.0.0.1", "/name", url));
    told = ask_and_wait(rig, client, &request); /* 127.0.0.1:1 is allowed, and nobody is there */
    assert_int_equal(told.end, HTTP_CLIENT_END_UNREACHABLE);
    http_client_close(client);

    struct web beside; /* allowed is one address of the two: the redirect goes to the other */
    char onward[URL_BYTES];
    web_open(&beside, rig, "127.0.0.2", play, NULL);
    struct web sender;
    web_open(&sender, rig, "127.0.0.1", send_on, onward);
    (void)web_url(&beside, "127.0.0.2", "/ok", onward);
    client = open_client(rig, &net, NULL);
    request.url = slice_of(web_url(&sender, "127.0.0.1", "/", url));
    told = ask_and_wait(rig, client, &request);
    assert_int_equal(told.end, HTTP_CLIENT_END_FORBIDDEN);
    assert_int_equal(told.status, 302);
    assert_int_equal(beside.link_count, 0);
    http_client_close(client);
    web_close(&sender);
    web_close(&beside);
    web_close(&web);
}

static void urls_are_judged(void **state)
{
    static const struct {
        const char *url, *origin, *why; /* origin NULL: refused */
    } rows[] = {
        {"https://example.com/hook", "example.com:443", ""},
        {"http://example.com", "example.com:80", ""},
        {"https://EXAMPLE.com:8443/a?b=c", "EXAMPLE.com:8443", ""},
        {"http://93.184.216.34/", "93.184.216.34:80", ""},
        {"http://[2606:4700::1]/", "[2606:4700::1]:80", ""},
        {"http://192.0.2.77:81/", "192.0.2.77:81", ""}, /* its network is allowed */
        {"", NULL, "printable"},
        {"http://exa mple.com/", NULL, "printable"},
        {"http://example.com/\r\nX: y", NULL, "printable"},
        {"ftp://example.com/", NULL, "https://"},
        {"file:///etc/passwd", NULL, "https://"},
        {"javascript:alert(1)", NULL, "cannot be read"},
        {"example.com/hook", NULL, "cannot be read"},
        {"http://", NULL, "cannot be read"},
        {"http:///hook", "hook:80", ""}, /* as libcurl takes it */
        {"http://example.com:99999/", NULL, "cannot be read"},
        {"http://us:pass@example.com/", NULL, "user or password"},
        {"http://us@example.com/", NULL, "user or password"},
        {"http://[fe80::1%25eth0]/", NULL, "interface"},
        {"http://127.0.0.1/", NULL, "not a public one"},
        {"http://127.1/", NULL, "not a public one"},
        {"http://2130706433/", NULL, "not a public one"},
        {"http://0x7f.0.0.1/", NULL, "not a public one"},
        {"http://017700000001/", NULL, "not a public one"},
        {"http://0/", NULL, "not a public one"},
        {"http://10.0.0.1/", NULL, "not a public one"},
        {"http://172.16.0.1/", NULL, "not a public one"},
        {"http://192.168.1.1/", NULL, "not a public one"},
        {"http://100.64.0.1/", NULL, "not a public one"},
        {"http://169.254.169.254/", NULL, "not a public one"},
        {"http://224.0.0.1/", NULL, "not a public one"},
        {"http://255.255.255.255/", NULL, "not a public one"},
        {"http://[::1]/", NULL, "not a public one"},
        {"http://[::]/", NULL, "not a public one"},
        {"http://[::ffff:127.0.0.1]/", NULL, "not a public one"},
        {"http://[64:ff9b::7f00:1]/", NULL, "not a public one"},
        {"http://[fd00::1]/", NULL, "not a public one"},
        {"http://[fe80::1]/", NULL, "not a public one"},
        {"http://[fd00:ec2::254]/", NULL, "not a public one"},
    };
    struct rig *rig = *state;
    struct ip_net net = net_of("192.0.2.0/24");
    struct http_client *client = open_client(rig, &net, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char origin[HTTP_ORIGIN_BYTES] = "";
        struct fault fault = {0};
        enum err e = http_client_check_url(client, slice_of(rows[i].url), origin, &fault);
        bool is_right = rows[i].origin == NULL
                            ? e == ERR_SYNTAX && strstr(fault.text, rows[i].why) != NULL
                            : e == ERR_NONE && strcmp(origin, rows[i].origin) == 0;
        if (!is_right) {
            fail_msg("\"%s\": %s \"%s\" \"%s\"", rows[i].url, err_name(e), origin, fault.text);
        }
        struct http_client_request request = plain;
        struct http_exchange *exchange;
        request.url = slice_of(rows[i].url);
        if (rows[i].origin == NULL) {
            assert_int_equal(http_client_ask(client, &request, hear, NULL, &exchange, &fault),
                             ERR_SYNTAX);
        }
    }
    http_client_close(client);
}

static void urls_have_their_length(void **state)
{
    struct rig *rig = *state;
    struct http_client *client = open_client(rig, NULL, NULL);
    char longest[HTTP_CLIENT_URL_BYTES + 2] = "http://example.com/";
    memset(longest + 19, 'a', sizeof longest - 20);
    char origin[HTTP_ORIGIN_BYTES];
    assert_int_equal(
        http_client_check_url(client, slice_make(longest, HTTP_CLIENT_URL_BYTES), origin, NULL),
        ERR_NONE);
    assert_int_equal(
        http_client_check_url(client, slice_make(longest, HTTP_CLIENT_URL_BYTES + 1), origin, NULL),
        ERR_SYNTAX);
    http_client_close(client);
}

static void answers_have_their_limits(void **state)
{
    static const struct {
        const char *path;
        size_t bytes_max;
        uint32_t timeout_ms;
        enum http_client_end end;
    } rows[] = {
        {"/huge", 65536, LIMIT_MS, HTTP_CLIENT_END_TOO_LARGE},
        {"/endless", 65536, LIMIT_MS, HTTP_CLIENT_END_TOO_LARGE},
        {"/heads", 65536, LIMIT_MS, HTTP_CLIENT_END_TOO_LARGE},
        {"/ok", 5, LIMIT_MS, HTTP_CLIENT_END_ANSWERED},
        {"/ok", 4, LIMIT_MS, HTTP_CLIENT_END_TOO_LARGE},
        {"/ok", 0, LIMIT_MS, HTTP_CLIENT_END_TOO_LARGE},
        {"/missing", 0, LIMIT_MS, HTTP_CLIENT_END_ANSWERED},
        {"/silent", 65536, SHORT_MS, HTTP_CLIENT_END_TIMEOUT},
        {"/endless", 1 << 20, SHORT_MS, HTTP_CLIENT_END_TIMEOUT},
    };
    struct rig *rig = *state;
    struct web web;
    char url[URL_BYTES];
    struct ip_net net = net_of("127.0.0.1");
    web_open(&web, rig, "127.0.0.1", play, NULL);
    struct http_client *client = open_client(rig, &net, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_client_request request = plain;
        request.url = slice_of(web_url(&web, "127.0.0.1", rows[i].path, url));
        request.response_bytes_max = rows[i].bytes_max;
        request.timeout_ms = rows[i].timeout_ms;
        struct told told = ask_and_wait(rig, client, &request);
        if (told.end != rows[i].end || told.body_len > rows[i].bytes_max) {
            fail_msg("%zu %s: %s, %zu bytes (%s)", i, rows[i].path, http_end_name(told.end),
                     told.body_len, told.detail);
        }
    }
    http_client_close(client);
    web_close(&web);
}

static void who_is_not_there_is_told(void **state)
{
    struct rig *rig = *state;
    struct ip_net net = net_of("127.0.0.1");
    uint16_t port;
    char url[URL_BYTES];
    int fd = raw_bind("127.0.0.1", &port); /* refuses */
    struct http_client *client = open_client(rig, &net, NULL);
    struct http_client_request request = plain;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    request.url = slice_of(url);
    assert_int_equal(ask_and_wait(rig, client, &request).end, HTTP_CLIENT_END_UNREACHABLE);
    assert_int_equal(close(fd), 0);
    http_client_close(client);
}

static void the_environment_names_no_proxy(void **state)
{
    struct rig *rig = *state;
    struct web web;
    char url[URL_BYTES];
    struct ip_net net = net_of("127.0.0.1");
    web_open(&web, rig, "127.0.0.1", play, NULL);
    assert_int_equal(setenv("http_proxy", "http://127.0.0.9:9", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "socks5://127.0.0.9:9", 1), 0);
    struct http_client *client = open_client(rig, &net, NULL);
    struct http_client_request request = plain;
    request.url = slice_of(web_url(&web, "127.0.0.1", "/ok", url));
    assert_int_equal(ask_and_wait(rig, client, &request).status, 200);
    assert_int_equal(unsetenv("http_proxy") + unsetenv("ALL_PROXY"), 0);
    http_client_close(client);
    web_close(&web);
}

static void what_is_dropped_says_nothing_more(void **state)
{
    struct rig *rig = *state;
    struct web web;
    char url[URL_BYTES];
    struct told first, second, third;
    struct ip_net net = net_of("127.0.0.1");
    web_open(&web, rig, "127.0.0.1", play, NULL);
    struct http_client *client = open_client(rig, &net, NULL);
    struct http_client_request request = plain;
    request.url = slice_of(web_url(&web, "127.0.0.1", "/silent", url));
    struct http_exchange *silent = ask(rig, client, &request, &first);
    request.url = slice_of(web_url(&web, "127.0.0.1", "/ok", url));
    http_client_cancel(ask(rig, client, &request, &second)); /* before it began */
    RIG_UNTIL(rig, web.count == 1);
    http_client_cancel(silent); /* while the answer is awaited */
    request.url = slice_of(web_url(&web, "127.0.0.1", "/silent", url));
    (void)ask(rig, client, &request, &third);
    RIG_UNTIL(rig, web.count == 2);
    http_client_close(client); /* with one under way */
    assert_int_equal(first.count + second.count + third.count, 0);
    web_close(&web);
}

static void many_at_once_are_bounded(void **state)
{
    struct rig *rig = *state;
    struct web web;
    char url[URL_BYTES];
    struct ip_net net = net_of("127.0.0.1");
    static struct told told[HTTP_CLIENT_EXCHANGES_MAX];
    struct http_exchange *one_more;
    struct fault fault;
    web_open(&web, rig, "127.0.0.1", play, NULL);
    struct http_client *client = open_client(rig, &net, NULL);
    struct http_client_request request = plain;
    request.url = slice_of(web_url(&web, "127.0.0.1", "/ok", url));
    for (size_t i = 0; i < HTTP_CLIENT_EXCHANGES_MAX; i++) {
        (void)ask(rig, client, &request, &told[i]);
    }
    assert_int_equal(http_client_ask(client, &request, hear, NULL, &one_more, &fault), ERR_LIMIT);
    http_client_close(client);
    web_close(&web);
}

static void headers_are_text(void **state)
{
    struct rig *rig = *state;
    struct http_client *client = open_client(rig, NULL, NULL);
    static const struct slice values[] = {SLICE_LITERAL("a\r\nX: y"), SLICE_LITERAL("a\nb"),
                                          SLICE_LITERAL("a\0b"), SLICE_LITERAL("\x7f")};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct http_client_header header = {.name = "X-A", .value = values[i]};
        struct http_client_request request = plain;
        struct http_exchange *exchange;
        struct fault fault;
        request.url = SLICE("https://example.com/");
        request.headers = &header;
        request.header_count = 1;
        assert_int_equal(http_client_ask(client, &request, hear, NULL, &exchange, &fault),
                         ERR_SYNTAX);
        assert_non_null(strstr(fault.text, "X-A"));
    }
    http_client_close(client);
}

static void write_roots(char path[40])
{
    char *text = certs_authority();
    memcpy(path, "/tmp/heloise-roots-XXXXXX", 26);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    free(text);
}

static void certificates_are_verified(void **state)
{
    static const struct {
        const char *name;
        struct cert_wish wish;
        bool knows_authority;
        enum http_client_end end;
    } rows[] = {
        {"right", {.host = "far.localhost", .days_left = 9}, true, HTTP_CLIENT_END_ANSWERED},
        {"unknown authority",
         {.host = "far.localhost", .days_left = 9},
         false,
         HTTP_CLIENT_END_TLS},
        {"expired", {.host = "far.localhost", .days_left = -1}, true, HTTP_CLIENT_END_TLS},
        {"another name", {.host = "near.localhost", .days_left = 9}, true, HTTP_CLIENT_END_TLS},
        {"self-signed",
         {.host = "far.localhost", .days_left = 9, .is_by_nobody = true},
         true,
         HTTP_CLIENT_END_TLS},
    };
    struct rig *rig = *state;
    struct ip_net net = net_of("127.0.0.1");
    char roots[40];
    write_roots(roots);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct web web;
        char url[URL_BYTES];
        web_open(&web, rig, "127.0.0.1", play, NULL);
        web.tls = certs_server(&rows[i].wish);
        struct http_client *client = open_client(rig, &net, rows[i].knows_authority ? roots : NULL);
        struct http_client_request request = plain;
        request.url = slice_of(web_url(&web, "far.localhost", "/ok", url));
        struct told told = ask_and_wait(rig, client, &request);
        if (told.end != rows[i].end || (told.end != HTTP_CLIENT_END_ANSWERED && web.count > 0)) {
            fail_msg("%s: %s (%s)", rows[i].name, http_end_name(told.end), told.detail);
        }
        http_client_close(client);
        struct tls_server *server = web.tls;
        web_close(&web);
        tls_server_free(server);
    }
    assert_int_equal(unlink(roots), 0);
    certs_done();
}

static void https_does_not_lead_to_http(void **state)
{
    struct rig *rig = *state;
    struct web web, open;
    struct ip_net net = net_of("127.0.0.1");
    char url[URL_BYTES], onward[URL_BYTES], roots[40];
    write_roots(roots);
    web_open(&open, rig, "127.0.0.1", play, NULL);
    web_open(&web, rig, "127.0.0.1", send_on, onward);
    (void)web_url(&open, "127.0.0.1", "/ok", onward);
    web.tls = certs_server(&(struct cert_wish){.host = "far.localhost", .days_left = 9});
    struct http_client *client = open_client(rig, &net, roots);
    struct http_client_request request = plain;
    request.url = slice_of(web_url(&web, "far.localhost", "/", url));
    struct told told = ask_and_wait(rig, client, &request);
    assert_int_equal(told.end, HTTP_CLIENT_END_FORBIDDEN);
    assert_non_null(strstr(told.detail, "https may not lead to http"));
    assert_int_equal(open.link_count, 0);
    http_client_close(client);
    struct tls_server *server = web.tls;
    web_close(&web);
    web_close(&open);
    tls_server_free(server);
    assert_int_equal(unlink(roots), 0);
    certs_done();
}

#define ON_RIG(test) cmocka_unit_test_setup_teardown(test, rig_open, rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_RIG(answers_are_told),
        ON_RIG(a_post_says_what_it_was_given),
        ON_RIG(a_key_stays_with_its_origin),
        ON_RIG(nothing_goes_inside),
        ON_RIG(urls_are_judged),
        ON_RIG(urls_have_their_length),
        ON_RIG(answers_have_their_limits),
        ON_RIG(who_is_not_there_is_told),
        ON_RIG(the_environment_names_no_proxy),
        ON_RIG(what_is_dropped_says_nothing_more),
        ON_RIG(many_at_once_are_bounded),
        ON_RIG(headers_are_text),
        ON_RIG(certificates_are_verified),
        ON_RIG(https_does_not_lead_to_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
