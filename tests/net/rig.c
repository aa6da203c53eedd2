/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"

enum { GUARD_MS = 100000, OWNER_BYTES_MAX = 64 << 20 };

static void on_guard(void *context)
{
    struct rig *rig = context;
    rig->is_late = true;
    door_stop(rig->door);
}

int rig_open(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    static const char *const nobody[] = {"127.0.0.1:1"};
    const char *way = getenv("HELOISE_TEST_SOCKETS");
    const struct uv_door_config config = {.resolvers = nobody,
                                          .resolver_count = 1,
                                          .wants_ring = way == NULL || strcmp(way, "epoll") != 0};
    struct fault fault = {0};
    if (uv_door_open(&config, &rig->door, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    rig->guard = (struct timer){.fired = on_guard, .context = rig};
    door_timer_start(rig->door, &rig->guard, door_now_ms(rig->door) + GUARD_MS);
    *state = rig;
    return 0;
}

int rig_close(void **state)
{
    struct rig *rig = *state;
    door_timer_stop(rig->door, &rig->guard);
    uv_door_close(rig->door);
    free(rig);
    return 0;
}

void rig_step(struct rig *rig)
{
    door_run(rig->door);
    if (rig->is_late) {
        fail_msg("waited for something that does not come");
    }
}

struct rest {
    struct door *door;
    bool is_over;
};

static void on_rest(void *context)
{
    struct rest *rest = context;
    rest->is_over = true;
    door_stop(rest->door);
}

void rig_rest(struct rig *rig, uint32_t for_ms)
{
    struct rest rest = {.door = rig->door};
    struct timer timer = {.fired = on_rest, .context = &rest};
    door_timer_start(rig->door, &timer, door_now_ms(rig->door) + for_ms);
    RIG_UNTIL(rig, rest.is_over);
}

void rig_run_dry(struct rig *rig)
{
    door_timer_stop(rig->door, &rig->guard);
    door_run(rig->door);
    door_timer_start(rig->door, &rig->guard, door_now_ms(rig->door) + GUARD_MS);
}

struct ip rig_ip(const char *text)
{
    struct ip ip;
    assert_true(ip_parse(slice_of(text), &ip));
    return ip;
}

/* Owners. */

static struct owner *told(void *context)
{
    struct owner *owner = context;
    assert_false(owner->rig->is_asking); /* never from inside the call that asked */
    assert_int_equal(owner->ended, 0);   /* and never after the end */
    assert_non_null(owner->link);        /* nor after link_close */
    door_stop(owner->rig->door);
    return owner;
}

static void on_connected(void *context)
{
    struct owner *owner = told(context);
    owner->connected++;
    if (owner->changed != NULL) {
        owner->changed(owner);
    }
}

static void on_received(void *context, struct slice bytes)
{
    struct owner *owner = told(context);
    assert_true(bytes.len > 0);
    assert_int_equal(buf_append(&owner->bytes, bytes), ERR_NONE);
    if (owner->heard != NULL) {
        owner->heard(owner);
    }
}

static void on_secured(void *context, const struct tls_info *info)
{
    struct owner *owner = told(context);
    owner->secured++;
    owner->info = *info;
    if (owner->changed != NULL) {
        owner->changed(owner);
    }
}

static void on_ended(void *context, enum link_end why, const char *detail)
{
    struct owner *owner = told(context);
    owner->ended++;
    owner->why = why;
    (void)snprintf(owner->detail, sizeof owner->detail, "%s", detail);
    if (owner->over != NULL) {
        owner->over(owner);
    }
}

const struct link_handler owner_handler = {on_connected, on_received, on_secured, on_ended};

void owner_init(struct owner *owner, struct rig *rig)
{
    *owner = (struct owner){.rig = rig};
    buf_init(&owner->bytes, OWNER_BYTES_MAX);
}

void owner_request(struct owner *owner, const struct link_request *request)
{
    owner->rig->is_asking = true;
    owner->link = door_connect(owner->rig->door, request, &owner_handler, owner);
    owner->rig->is_asking = false;
    assert_non_null(owner->link);
}

void owner_connect(struct owner *owner, const char *ip, uint16_t port, const char *source)
{
    struct link_request request = {.ip = rig_ip(ip), .port = port};
    if (source != NULL) {
        request.source = rig_ip(source);
    }
    owner_request(owner, &request);
}

enum err owner_send(struct owner *owner, struct slice bytes)
{
    owner->rig->is_asking = true;
    enum err e = link_send(owner->link, bytes);
    owner->rig->is_asking = false;
    return e;
}

void owner_start_tls(struct owner *owner, const char *name)
{
    owner->rig->is_asking = true;
    link_start_tls(owner->link, slice_of(name));
    owner->rig->is_asking = false;
}

void owner_close(struct owner *owner)
{
    bool was_asking = owner->rig->is_asking;
    owner->rig->is_asking = true;
    link_close(owner->link);
    owner->rig->is_asking = was_asking;
    owner->link = NULL;
}

void owner_done(struct owner *owner)
{
    owner_close(owner);
    buf_done(&owner->bytes);
}

/* Hosts. */

static void on_accepted(void *context, struct link *link)
{
    struct host *host = context;
    assert_true(host->count < HOST_SIDES_MAX);
    assert_false(host->rig->is_asking);
    struct owner *side = &host->sides[host->count++];
    owner_init(side, host->rig);
    side->link = link;
    link_set_handler(link, &owner_handler, side);
    door_stop(host->rig->door);
    if (host->met != NULL) {
        host->met(side);
    }
}

void host_open(struct host *host, struct rig *rig, const char *ip, void (*met)(struct owner *side))
{
    *host = (struct host){.rig = rig, .met = met};
    struct net_place place = {.ip = rig_ip(ip)};
    struct fault fault = {0};
    if (net_listen(rig->door, &place, on_accepted, host, &host->listener, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

void host_close(struct host *host)
{
    listener_close(host->listener);
    for (unsigned i = 0; i < host->count; i++) {
        owner_done(&host->sides[i]);
    }
}

uint16_t host_port(const struct host *host)
{
    return listener_port(host->listener);
}

/* Plain sockets. */

static socklen_t address_of(const char *text, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)out;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        return sizeof *four;
    }
    assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
    six->sin6_family = AF_INET6;
    return sizeof *six;
}

int raw_bind(const char *ip, uint16_t *out_port)
{
    struct sockaddr_storage address;
    socklen_t len = address_of(ip, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0) {
        (void)(fd >= 0 && close(fd));
        return -1;
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *out_port = ntohs(((struct sockaddr_in *)(void *)&address)->sin_port); /* the same in both */
    return fd;
}

int raw_listen(const char *ip, uint16_t *out_port)
{
    int fd = raw_bind(ip, out_port);
    if (fd >= 0) {
        assert_int_equal(listen(fd, 16), 0);
    }
    return fd;
}

int raw_accept(struct rig *rig, int listening, struct ip *out_peer)
{
    struct pollfd ready = {.fd = listening, .events = POLLIN};
    while (poll(&ready, 1, 0) != 1) {
        rig_rest(rig, 1);
    }
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int fd = accept(listening, (struct sockaddr *)&address, &len);
    assert_true(fd >= 0);
    if (out_peer != NULL) {
        char text[IP_TEXT_BYTES];
        const void *bytes = address.ss_family == AF_INET
                                ? (const void *)&((struct sockaddr_in *)(void *)&address)->sin_addr
                                : &((struct sockaddr_in6 *)(void *)&address)->sin6_addr;
        assert_non_null(inet_ntop(address.ss_family, bytes, text, sizeof text));
        *out_peer = rig_ip(text);
    }
    return fd;
}

void raw_reset(int fd)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
    assert_int_equal(close(fd), 0);
}

bool raw_take(int fd, struct buf *out)
{
    char block[65536];
    ssize_t len;
    while ((len = recv(fd, block, sizeof block, MSG_DONTWAIT)) > 0) {
        assert_int_equal(buf_append(out, slice_make(block, (size_t)len)), ERR_NONE);
    }
    if (len < 0 && errno != EAGAIN) {
        fail_msg("recv: error %d", errno);
    }
    return len == 0;
}
