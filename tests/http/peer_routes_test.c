/* http/peer_routes: where the clients of other services put their key, and in whose words a wrong one is refused. A real
 * server; who the keys belong to is played.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "base/reader.h"
#include "base/slice.h"
#include "http/api.h"
#include "http/server.h"
#include "net/listen_socket.h"

enum { TEXT_BYTES = 4096, GRACE_MS = 1000 };

/* ---- keys ---- */

/* "good" may do all, "busy" is asked too often, "reader" lacks the scope. */
static void admit(void *context, const struct http_caller *caller, struct http_admission *out)
{
    static const struct {
        const char *key;
        enum http_admitted outcome;
    } keys[] = {{"good", HTTP_ADMITTED}, {"busy", HTTP_KEY_RATE}, {"reader", HTTP_KEY_SCOPE}};
    (void)context;
    out->outcome = HTTP_KEY_UNKNOWN;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (slice_equal(caller->key, slice_of(keys[i].key))) {
            out->outcome = keys[i].outcome;
            out->retry_after_s = keys[i].outcome == HTTP_KEY_RATE ? 7 : 0;
        }
    }
}

static bool has_keys(void *context)
{
    (void)context;
    return true;
}

/* ---- server ---- */

struct rig {
    struct http_server *server;
    struct http_metrics metrics;
    struct http_log log;
    struct http_api api; /* without an engine: who is let in is told 503 */
    int socket;
    uint16_t port;
};

static int open_rig(void **state)
{
    static struct rig rig;
    static const struct http_auth auth = {.has_keys = has_keys, .admit = admit};
    static const struct http_routes *const tables[] = {&http_peer_routes};
    struct ip ip;
    struct fault fault;
    assert_true(ip_parse(SLICE("127.0.0.1"), &ip));
    assert_int_equal(listen_socket_open(&ip, 0, &rig.socket, &rig.port, &fault), ERR_NONE);
    http_log_init(&rig.log, STDERR_FILENO);
    rig.log.has_requests = false;
    const struct http_server_config config = {
        .sockets = &rig.socket,
        .socket_count = 1,
        .threads = 1,
        .connections_max = 16,
        .idle_ms = 60000,
        .auth = &auth,
        .routes = tables,
        .routes_count = 1,
        .metrics = &rig.metrics,
        .log = &rig.log,
        .api = &rig.api,
    };
    assert_int_equal(http_server_open(&config, &rig.server, &fault), ERR_NONE);
    *state = &rig;
    return 0;
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    http_server_close(rig->server, GRACE_MS);
    (void)close(rig->socket);
    http_log_done(&rig->log);
    return 0;
}

/* The answer to a request: its status, with all that came in out. */
static unsigned ask(const struct rig *rig, const char *request, char out[TEXT_BYTES])
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(rig->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    size_t len = 0;
    ssize_t n;
    while ((n = recv(fd, out + len, TEXT_BYTES - 1 - len, 0)) > 0) {
        len += (size_t)n;
    }
    (void)close(fd);
    out[len] = '\0';
    struct reader reader = {slice_make(out, len)};
    uint64_t status = 0;
    assert_true(reader_literal(&reader, SLICE("HTTP/1.1 ")) &&
                reader_number(&reader, 999, &status));
    return (unsigned)status;
}

/* ---- rows ---- */

#define END                  "Host: 127.0.0.1\r\nConnection: close\r\n"
#define GET(target, headers) "GET " target " HTTP/1.1\r\n" END headers "\r\n"
#define POST(target, headers, length, body) \
    "POST " target " HTTP/1.1\r\n" END headers "Content-Length: " length "\r\n\r\n" body

static const struct row {
    const char *name, *request;
    unsigned status;
    const char *says; /* part of the answer */
} rows[] = {
    /* every place of a good key: past the keys there is no engine */
    {"Reacher's header",
     POST("/v0/check_email", "Authorization: good\r\n", "21", "{\"to_email\":\"a@b.cd\"}"), 503,
     "{\"error\":\""},
    {"Reacher's other header",
     POST("/v1/check_email", "x-reacher-secret: good\r\n", "21", "{\"to_email\":\"a@b.cd\"}"), 503,
     "{\"error\":\""},
    {"a job", POST("/v1/bulk", "Authorization: good\r\n", "20", "{\"input\":[\"a@b.cd\"]}"), 503,
     "{\"error\":\""},
    {"ZeroBounce's argument", GET("/v2/validate?api_key=good&email=a@b.cd", ""), 503,
     "{\"error\":\""},
    {"an argument that is encoded", GET("/v2/validate?email=a@b.cd&api_key=g%6fod", ""), 503,
     "{\"error\":\""},
    {"credits need a key alone", GET("/v2/getcredits?api_key=good", ""), 200,
     "{\"Credits\":\"1000000\"}"},
    {"ZeroBounce's body",
     POST("/v2/validatebatch", "", "61",
          "{\"api_key\":\"good\",\"email_batch\":[{\"email_address\":\"a@b.cd\"}]}"),
     503, "{\"error\":\""},
    {"Kickbox's header", GET("/v2/verify?email=a@b.cd", "Authorization: token good\r\n"), 503,
     "{\"success\":false,"},
    {"Kickbox's argument", GET("/v2/verify?email=a@b.cd&apikey=good", ""), 503,
     "{\"success\":false,"},
    {"a bearer", GET("/v2/verify?email=a@b.cd", "Authorization: Bearer good\r\n"), 503,
     "{\"success\":false,"},
    {"our header", GET("/v2/verify?email=a@b.cd", "X-Api-Key: good\r\n"), 503,
     "{\"success\":false,"},
    {"NeverBounce's argument", GET("/v4/single/check?key=good&email=a@b.cd", ""), 200,
     "\"status\":\"general_failure\""},
    {"NeverBounce's body",
     POST("/v4.2/single/check", "", "31", "{\"key\":\"good\",\"email\":\"a@b.cd\"}"), 200,
     "\"status\":\"general_failure\""},
    /* none, or a bad one */
    {"Reacher: none", POST("/v0/check_email", "", "2", "{}"), 401, "{\"error\":\""},
    {"Reacher: another", POST("/v0/check_email", "Authorization: test_api_token\r\n", "2", "{}"),
     401, "{\"error\":\""},
    {"ZeroBounce: none", GET("/v2/validate?email=a@b.cd", ""), 403, "{\"error\":\""},
    {"ZeroBounce: another", GET("/v2/getcredits?api_key=bad", ""), 403, "{\"error\":\""},
    {"ZeroBounce: none in the body",
     POST("/v2/validatebatch", "", "49", "{\"email_batch\":[{\"email_address\":\"a@b.example\"}]}"),
     403, "{\"error\":\""},
    {"ZeroBounce: another in the body",
     POST("/v2/validatebatch", "", "17", "{\"api_key\":\"bad\"}"), 403, "{\"error\":\""},
    {"ZeroBounce: a number in the body", POST("/v2/validatebatch", "", "13", "{\"api_key\":7}"),
     403, "{\"error\":\""},
    {"Kickbox: another", GET("/v2/verify?email=a@b.cd&apikey=bad", ""), 403,
     "{\"success\":false,\"message\":\""},
    {"NeverBounce: another", GET("/v4/single/check?key=bad&email=a@b.cd", ""), 200,
     "\"status\":\"auth_failure\""},
    {"NeverBounce: another posted", POST("/v4.2/single/check", "", "13", "{\"key\":\"bad\"}"), 200,
     "\"status\":\"auth_failure\""},
    /* one that may not, or not now */
    {"Kickbox: no scope", GET("/v2/verify?email=a@b.cd&apikey=reader", ""), 403,
     "\"success\":false"},
    {"ZeroBounce: too often", GET("/v2/validate?api_key=busy&email=a@b.cd", ""), 429,
     "Retry-After: 7\r\n"},
    {"NeverBounce: too often", GET("/v4/single/check?key=busy&email=a@b.cd", ""), 200,
     "\"status\":\"throttle_triggered\""},
};

static void each_row(void **state)
{
    const struct rig *rig = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TEXT_BYTES];
        unsigned status = ask(rig, rows[i].request, text);
        if (status != rows[i].status || strstr(text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].name, text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_row, open_rig, close_rig),
    };
    return cmocka_run_group_tests_name("http/peer_routes", tests, NULL, NULL);
}
