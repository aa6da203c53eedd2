/* Connections of the stream server: served by the socket they came by, bounded in number and time, ended at the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/stream_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/slice.h"
#include "net/listen_socket.h"

enum { PATIENCE_MS = 60000, BYTES = 64 };

/* Says which socket it is and sends back what comes, until a time or a line is over. */
struct echo {
    uint32_t timeout_ms;
    atomic_int last; /* what ended the last one: enum err */
};

static void serve(void *context, struct stream *stream, size_t socket)
{
    struct echo *echo = context;
    char bytes[BYTES] = {(char)('0' + socket)};
    size_t len = 1;
    enum err e = ERR_NONE;
    while (e == ERR_NONE) {
        e = stream_send(stream, slice_make(bytes, len), PATIENCE_MS);
        e = e == ERR_NONE ? stream_read(stream, bytes, sizeof bytes, echo->timeout_ms, &len) : e;
    }
    atomic_store(&echo->last, (int)e);
}

struct scene {
    struct echo echo;
    int sockets[2];
    uint16_t port;
    char path[64];
    struct stream_server *server;
};

static void open_scene(struct scene *scene, unsigned connections_max)
{
    struct ip ip;
    struct fault fault;
    assert_true(ip_parse(SLICE("127.0.0.1"), &ip));
    assert_int_equal(listen_socket_open(&ip, 0, &scene->sockets[0], &scene->port, &fault),
                     ERR_NONE);
    char folder[] = "/tmp/heloise-stream-XXXXXX";
    assert_non_null(mkdtemp(folder));
    (void)snprintf(scene->path, sizeof scene->path, "%s/socket", folder);
    assert_int_equal(listen_socket_open_unix(scene->path, &scene->sockets[1], &fault), ERR_NONE);
    const struct stream_server_config config = {.sockets = scene->sockets,
                                                .socket_count = 2,
                                                .connections_max = connections_max,
                                                .serve = serve,
                                                .context = &scene->echo};
    assert_int_equal(stream_server_open(&config, &scene->server, &fault), ERR_NONE);
}

static void close_scene(struct scene *scene)
{
    stream_server_close(scene->server);
    (void)close(scene->sockets[0]);
    (void)close(scene->sockets[1]);
    (void)unlink(scene->path);
    scene->path[strlen(scene->path) - strlen("/socket")] = '\0';
    (void)rmdir(scene->path);
}

static int dial(const struct scene *scene, bool is_unix)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(scene->port)};
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(path.sun_path, scene->path, strlen(scene->path));
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    const void *to = is_unix ? (const void *)&path : (const void *)&place;
    assert_int_equal(connect(fd, to, is_unix ? sizeof path : sizeof place), 0);
    return fd;
}

/* The next byte; -1: the line is over. */
static int next_byte(int fd)
{
    char byte;
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
    return recv(fd, &byte, 1, 0) == 1 ? byte : -1;
}

static void both_kinds_of_sockets(void **state)
{
    (void)state;
    struct scene scene = {.echo.timeout_ms = PATIENCE_MS};
    struct stream_counts counts;
    open_scene(&scene, 8);
    int one = dial(&scene, false);
    int two = dial(&scene, true);
    assert_int_equal(next_byte(one), '0');
    assert_int_equal(next_byte(two), '1');
    assert_int_equal(send(two, "x", 1, 0), 1);
    assert_int_equal(next_byte(two), 'x');
    stream_server_count(scene.server, &counts);
    assert_int_equal(counts.accepted, 2);
    assert_int_equal(counts.open, 2);
    (void)close(one);
    close_scene(&scene);
    assert_int_equal(next_byte(two), -1);
    (void)close(two);
}

static void one_too_many(void **state)
{
    (void)state;
    struct scene scene = {.echo.timeout_ms = PATIENCE_MS};
    struct stream_counts counts;
    open_scene(&scene, 1);
    int one = dial(&scene, false);
    assert_int_equal(next_byte(one), '0');
    int two = dial(&scene, false);
    assert_int_equal(next_byte(two), -1);
    stream_server_count(scene.server, &counts);
    assert_int_equal(counts.refused, 1);
    assert_int_equal(send(one, "y", 1, 0), 1);
    assert_int_equal(next_byte(one), 'y');
    (void)close(one);
    (void)close(two);
    close_scene(&scene);
    assert_int_equal(atomic_load(&scene.echo.last), ERR_CLOSED);
}

static void who_says_nothing(void **state)
{
    (void)state;
    struct scene scene = {.echo.timeout_ms = 1};
    open_scene(&scene, 1);
    int one = dial(&scene, true);
    assert_int_equal(next_byte(one), '1');
    assert_int_equal(next_byte(one), -1);
    assert_int_equal(atomic_load(&scene.echo.last), ERR_TIMEOUT);
    (void)close(one);
    close_scene(&scene);
    stream_server_close(NULL);
}

static void places_that_cannot_be_had(void **state)
{
    (void)state;
    struct scene scene = {.echo.timeout_ms = 1};
    struct fault fault;
    char path[200];
    int fd;
    open_scene(&scene, 1);
    assert_int_equal(listen_socket_open_unix(scene.path, &fd, &fault), ERR_SYSTEM);
    assert_non_null(strstr(fault.text, "another process does"));
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_int_equal(listen_socket_open_unix(path, &fd, &fault), ERR_SYSTEM);
    assert_int_equal(listen_socket_open_unix("/nonexistent/x", &fd, &fault), ERR_SYSTEM);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_kinds_of_sockets),
        cmocka_unit_test(one_too_many),
        cmocka_unit_test(who_says_nothing),
        cmocka_unit_test(places_that_cannot_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
