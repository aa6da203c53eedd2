/* http/keeper: the thread that looks after the lines. The library does not look at a suspended connection, so whether its client
 * is still there is asked here; and it counts each byte as a sign of life, so whoever drips bytes is stopped here.
 * SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/slice.h"
#include "base/span.h"
#include "http/server_private.h"

enum {
    TURN_MS = 250,   /* logs are written that often */
    LOOK_MS = 1000,  /* lines are looked at that often */
    LEAVERS_MAX = 64 /* in one look */
};

static bool has_hung_up(int fd)
{
    struct pollfd line = {.fd = fd, .events = POLLRDHUP};
    return poll(&line, 1, 0) > 0 && (line.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Takes it out of the others' hands, where it waits. */
static bool take(struct http_exchange *exchange)
{
    (void)pthread_mutex_lock(&exchange->lock);
    bool is_taken = exchange->is_suspended && !exchange->is_with_keeper;
    exchange->is_with_keeper = exchange->is_with_keeper || is_taken;
    (void)pthread_mutex_unlock(&exchange->lock);
    return is_taken;
}

static void give_back(struct http_exchange *exchange)
{
    (void)pthread_mutex_lock(&exchange->lock);
    exchange->is_with_keeper = false;
    exchange->is_gone = true;
    exchange_resume(exchange);
    (void)pthread_mutex_unlock(&exchange->lock);
}

static void beat(struct http_exchange *exchange, uint64_t now_ms)
{
    if (exchange->stream != NULL) {
        (void)pthread_mutex_lock(&exchange->lock);
        stream_beat(exchange->stream, now_ms);
        (void)pthread_mutex_unlock(&exchange->lock);
    }
}

/* With the server's lock. */
static size_t look_at_lines(struct http_server *server, uint64_t now_ms,
                            struct http_exchange *leavers[LEAVERS_MAX])
{
    size_t count = 0;
    for (struct http_line *line = server->lines; line != NULL; line = line->next) {
        uint64_t deadline_ms = atomic_load_explicit(&line->deadline_ms, memory_order_relaxed);
        if (deadline_ms != 0 && now_ms > deadline_ms) {
            (void)shutdown(line->fd, SHUT_RDWR); /* the library sees the end and closes */
            atomic_store(&line->deadline_ms, 0);
            (void)atomic_fetch_add(&server->config.metrics->too_slow, 1);
        }
        if (line->watched == NULL) {
            continue;
        }
        if (count < LEAVERS_MAX && has_hung_up(line->fd) && take(line->watched)) {
            leavers[count++] = line->watched;
        } else {
            beat(line->watched, now_ms);
        }
    }
    return count;
}

static void look(struct http_server *server)
{
    struct http_exchange *leavers[LEAVERS_MAX];
    size_t count = look_at_lines(server, http_now_ms(), leavers);
    (void)pthread_mutex_unlock(&server->lock);
    for (size_t i = 0; i < count; i++) {
        exchange_leave(
            leavers[i]); /* it is suspended, and only the keeper wakes it: it is still there */
        give_back(leavers[i]);
    }
    (void)pthread_mutex_lock(&server->lock);
}

static void wait_a_turn(struct http_server *server)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const struct timespec until = span_after(now, TURN_MS);
    (void)pthread_cond_timedwait(&server->wake, &server->lock, &until);
}

void *keeper_run(void *context)
{
    struct http_server *server = context;
    uint64_t looked_at_ms = 0;
    (void)pthread_mutex_lock(&server->lock);
    while (!server->is_keeper_stopping) {
        if (http_now_ms() >= looked_at_ms + LOOK_MS) {
            looked_at_ms = http_now_ms();
            look(server);
        }
        (void)pthread_mutex_unlock(&server->lock);
        http_log_flush(server->config.log);
        (void)pthread_mutex_lock(&server->lock);
        if (!server->is_keeper_stopping) {
            wait_a_turn(server);
        }
    }
    (void)pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* With the server's lock: the next that waits, taken. */
static struct http_exchange *next_waiting(struct http_server *server)
{
    for (struct http_line *line = server->lines; line != NULL; line = line->next) {
        if (line->watched != NULL && take(line->watched)) {
            return line->watched;
        }
    }
    return NULL;
}

void keeper_end_all(struct http_server *server)
{
    for (;;) {
        (void)pthread_mutex_lock(&server->lock);
        struct http_exchange *exchange = next_waiting(server);
        (void)pthread_mutex_unlock(&server->lock);
        if (exchange == NULL) {
            return;
        }
        exchange_leave(exchange);
        if (exchange->stream == NULL && exchange->response == NULL) {
            http_refuse(&exchange->request, PROBLEM_NOT_READY, "the server is stopping");
        }
        give_back(exchange);
    }
}
