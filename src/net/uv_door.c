/* net/uv_door: the loop, its clock, timers and signals.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/uv_door.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "base/slice.h"
#include "net/listener.h"
#include "net/uv_private.h"
#include "net/wall_clock.h"

enum {
    TURN_ALARM_MS = 60000, /* never rings */
    DNS_PORT = 53,
};

static struct uv_door *of(struct door *door)
{
    return (struct uv_door *)(void *)door;
}

static uint64_t door_uv_now(struct door *door)
{
    return uv_now(&of(door)->loop);
}

static int64_t door_uv_wall(struct door *door)
{
    (void)door;
    return wall_clock_ms();
}

static void door_uv_random(struct door *door, void *at, size_t len)
{
    (void)door;
    must(getrandom(at, len, 0) == (ssize_t)len);
}

/* Timers: one uv_timer for all of ours. */

static void on_alarm(uv_timer_t *alarm);

static void arm(struct uv_door *door)
{
    const struct timer *first = timers_first(&door->timers);
    if (first == NULL || door->is_stopped) { /* libuv rings what is due again before it stops */
        (void)uv_timer_stop(&door->alarm);
        return;
    }
    uint64_t now = uv_now(&door->loop);
    uint64_t wait = first->due_ms > now ? first->due_ms - now : 0;
    (void)uv_timer_start(&door->alarm, on_alarm, wait, 0);
}

static void on_alarm(uv_timer_t *alarm)
{
    struct uv_door *door = alarm->data;
    uint64_t now = uv_now(&door->loop);
    struct timer *first = timers_first(&door->timers);
    while (first != NULL && first->due_ms <= now && !door->is_stopped) {
        timers_remove(&door->timers, first);
        first->fired(first->context);
        first = timers_first(&door->timers);
    }
    arm(door);
}

static void door_uv_timer_start(struct door *base, struct timer *timer, uint64_t due_ms)
{
    struct uv_door *door = of(base);
    const struct timer *before = timers_first(&door->timers);
    uint64_t before_ms = before == NULL ? UINT64_MAX : before->due_ms;
    must(timers_put(&door->timers, timer, due_ms) ==
         ERR_NONE); /* 8 bytes a timer; there is no way on */
    if (due_ms < before_ms) {
        arm(door);
    }
}

/* The alarm may now ring for nothing once: cheaper than arming it anew each time. */
static void door_uv_timer_stop(struct door *base, struct timer *timer)
{
    struct uv_door *door = of(base);
    timers_remove(&door->timers, timer);
    if (door->timers.count == 0) {
        (void)uv_timer_stop(&door->alarm);
    }
}

static void door_uv_run(struct door *base)
{
    struct uv_door *door = of(base);
    if (door->was_stopped_before) {
        door->was_stopped_before = false;
        return;
    }
    door->is_stopped = false;
    door->is_running = true;
    uv_update_time(&door->loop);
    arm(door);
    uv_sockets_run(&door->sockets, true, &door->is_stopped);
    door->is_running = false;
}

/* A loop without anything to wait for does not look at its signals; the alarm gives it something. */
static void door_uv_turn(struct door *base)
{
    struct uv_door *door = of(base);
    uv_update_time(&door->loop);
    if (door->timers.count == 0) {
        (void)uv_timer_start(&door->alarm, on_alarm, TURN_ALARM_MS, 0);
    }
    door->is_running = true;
    uv_sockets_run(&door->sockets, false, &door->is_stopped);
    door->is_running = false;
    if (door->timers.count == 0) {
        (void)uv_timer_stop(&door->alarm);
    }
}

static void door_uv_stop(struct door *base)
{
    struct uv_door *door = of(base);
    door->is_stopped = true;
    door->was_stopped_before = !door->is_running;
    uv_sockets_stop(&door->sockets);
}

static bool door_uv_has_ipv6(struct door *door)
{
    return of(door)->has_ipv6;
}

/* Choosing a route for a datagram socket sends nothing. The addresses are those of a root name server. */
static struct ip door_uv_own_address(struct door *door, enum ip_family family)
{
    (void)door;
    struct ip far = {0};
    struct ip own = {0};
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    bool is_six = family == IP_V6;
    must(ip_parse(is_six ? SLICE("2001:500:2::c") : SLICE("192.33.4.12"), &far));
    (void)uv_link_sockaddr(&far, DNS_PORT, &address);
    int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_known =
        fd >= 0 &&
        connect(fd, (const struct sockaddr *)&address,
                is_six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &len) == 0 && uv_link_ip(&address, &own);
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_known ? own : (struct ip){0};
}

/* From a unique local address (RFC 4193) nobody out there answers. */
static bool find_ipv6(struct door *door)
{
    struct ip own = door_uv_own_address(door, IP_V6);
    return own.family == IP_V6 && !ip_is_special(&own);
}

static const struct door_ops uv_ops = {
    .now_ms = door_uv_now,
    .wall_ms = door_uv_wall,
    .random_bytes = door_uv_random,
    .timer_start = door_uv_timer_start,
    .timer_stop = door_uv_timer_stop,
    .connect = uv_link_connect,
    .link_send = uv_link_send,
    .expect_tls = uv_link_expect_tls,
    .link_start_tls = uv_link_start_tls,
    .link_close = uv_link_close,
    .query = uv_resolver_query,
    .run = door_uv_run,
    .turn = door_uv_turn,
    .has_ipv6 = door_uv_has_ipv6,
    .own_address = door_uv_own_address,
    .stop = door_uv_stop,
};

/* Writing to a line that is gone is an ordinary event here, and libuv has no MSG_NOSIGNAL. */
static void ignore_broken_pipes(void)
{
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        (void)signal(SIGPIPE, SIG_IGN);
    }
}

/* Its buffers are most of it; as long as they are not used they cost nothing. NULL: no memory. */
static struct uv_door *door_alloc(void)
{
    struct uv_door *door = malloc(sizeof *door);
    return door == NULL ? NULL : memset(door, 0, offsetof(struct uv_door, sockets.outbox));
}

enum err uv_door_open(const struct uv_door_config *config, struct door **out,
                      struct fault *out_fault)
{
    struct uv_door *door = door_alloc();
    int error = door == NULL ? UV_ENOMEM : uv_loop_init(&door->loop);
    if (error != 0) {
        free(door);
        return fault_set(out_fault, error == UV_ENOMEM ? ERR_NOMEM : ERR_SYSTEM, -error,
                         "cannot make an event loop: %s", uv_strerror(error));
    }
    ignore_broken_pipes();
    door->door.ops = &uv_ops;
    door->has_ipv6 = find_ipv6(&door->door);
    (void)uv_timer_init(&door->loop, &door->alarm);
    door->alarm.data = door;
    error = uv_sockets_open(&door->sockets, &door->loop, config->wants_ring);
    if (error != 0) {
        uv_door_close(&door->door);
        return fault_set(out_fault, ERR_SYSTEM, -error, "cannot watch sockets: %s",
                         uv_strerror(error));
    }
    enum err e = uv_resolver_open(door, config, &door->resolver, out_fault);
    if (e != ERR_NONE) {
        uv_door_close(&door->door);
        return e;
    }
    *out = &door->door;
    return ERR_NONE;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (uv_is_closing(handle)) {
        return;
    }
    if (handle->type == UV_UDP) {
        listener_close(handle->data);
        return;
    }
    uv_close(handle, NULL);
}

void uv_door_close(struct door *door)
{
    if (door == NULL) {
        return;
    }
    struct uv_door *own = of(door);
    uv_resolver_close(own->resolver);
    uv_sockets_close(&own->sockets);
    uv_walk(&own->loop, close_handle, NULL);
    do { /* a door_stop from one of the last callbacks stops only one round */
        (void)uv_run(&own->loop, UV_RUN_DEFAULT);
    } while (uv_loop_close(&own->loop) == UV_EBUSY);
    tls_client_free(own->tls);
    timers_done(&own->timers);
    free(own);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    (void)signal_number;
    const struct uv_signal_watch *watch = handle->data;
    watch->fn(watch->context);
}

enum err uv_door_on_signal(struct door *door, int signal_number, void (*fn)(void *context),
                           void *context)
{
    struct uv_door *own = of(door);
    for (size_t i = 0; i < UV_SIGNALS_MAX; i++) {
        struct uv_signal_watch *watch = &own->signals[i];
        if (watch->is_open) {
            continue;
        }
        if (uv_signal_init(&own->loop, &watch->handle) != 0) {
            return ERR_SYSTEM;
        }
        watch->fn = fn;
        watch->context = context;
        watch->is_open = true;
        watch->handle.data = watch;
        uv_unref((uv_handle_t *)&watch->handle);
        return uv_signal_start(&watch->handle, on_signal, signal_number) == 0 ? ERR_NONE
                                                                              : ERR_SYSTEM;
    }
    return ERR_LIMIT;
}
