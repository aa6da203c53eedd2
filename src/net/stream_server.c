/* One thread accepts; each connection's thread is detached and counted. To end, all lines are shut down, which wakes who
 * reads, and the count is waited for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/stream_server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "net/quiet_thread.h"

enum { ACCEPT_PAUSE_MS = 50 }; /* where descriptors are short */

struct stream {
    LIST_ENTRY(stream) link;
    struct stream_server *server;
    int fd;
    size_t socket;
};

struct stream_server {
    struct stream_server_config config;
    struct pollfd polled[STREAM_SOCKETS_MAX + 1]; /* the last one ends the thread */
    pthread_t thread;
    pthread_mutex_t mutex; /* over all that follows */
    pthread_cond_t changed;
    LIST_HEAD(, stream) streams;
    struct stream_counts counts;
    bool is_closing;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Until the line is ready or the time is over. */
static enum err await(const struct stream *stream, short what, uint64_t until_ms)
{
    for (;;) {
        uint64_t now = now_ms();
        if (now >= until_ms) {
            return ERR_TIMEOUT;
        }
        struct pollfd polled = {.fd = stream->fd, .events = what};
        uint64_t left = until_ms - now;
        int n = poll(&polled, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (n > 0) {
            return ERR_NONE;
        }
        if (n < 0 && errno != EINTR) {
            return ERR_CLOSED;
        }
    }
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR;
}

enum err stream_read(struct stream *stream, char *at, size_t max, uint32_t timeout_ms,
                     size_t *out_len)
{
    uint64_t until_ms = now_ms() + timeout_ms;
    for (;;) {
        enum err e = await(stream, POLLIN, until_ms);
        if (e != ERR_NONE) {
            return e;
        }
        ssize_t n = recv(stream->fd, at, max, MSG_DONTWAIT);
        if (n > 0) {
            *out_len = (size_t)n;
            return ERR_NONE;
        }
        if (n == 0 || !is_passing(errno)) {
            return ERR_CLOSED;
        }
    }
}

enum err stream_send(struct stream *stream, struct slice bytes, uint32_t timeout_ms)
{
    uint64_t until_ms = now_ms() + timeout_ms;
    while (bytes.len > 0) {
        ssize_t n = send(stream->fd, bytes.at, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && !is_passing(errno)) {
            return ERR_CLOSED;
        }
        bytes = slice_sub(bytes, n > 0 ? (size_t)n : 0, bytes.len);
        enum err e = bytes.len > 0 ? await(stream, POLLOUT, until_ms) : ERR_NONE;
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

/* Closed with the lock held: nobody shuts down a number that is another's by then. */
static void end_stream(struct stream *stream)
{
    struct stream_server *server = stream->server;
    (void)pthread_mutex_lock(&server->mutex);
    LIST_REMOVE(stream, link);
    (void)close(stream->fd);
    server->counts.open--;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->mutex);
    free(stream);
}

static void *run_stream(void *context)
{
    struct stream *stream = context;
    stream->server->config.serve(stream->server->config.context, stream, stream->socket);
    end_stream(stream);
    return NULL;
}

/* Counted and linked, or refused. */
static bool enter(struct stream_server *server, struct stream *stream)
{
    (void)pthread_mutex_lock(&server->mutex);
    bool has_room = server->counts.open < server->config.connections_max && !server->is_closing;
    if (has_room) {
        LIST_INSERT_HEAD(&server->streams, stream, link);
        server->counts.open++;
        server->counts.accepted++;
    } else {
        server->counts.refused++;
    }
    (void)pthread_mutex_unlock(&server->mutex);
    return has_room;
}

static void begin_stream(struct stream_server *server, int fd, size_t socket)
{
    pthread_t thread;
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        (void)close(fd);
        return;
    }
    *stream = (struct stream){.server = server, .fd = fd, .socket = socket};
    if (!enter(server, stream)) {
        (void)close(fd);
        free(stream);
    } else if (quiet_thread_start(&thread, run_stream, stream) != ERR_NONE) {
        end_stream(stream);
    } else {
        (void)pthread_detach(thread);
    }
}

static void accept_one(struct stream_server *server, size_t socket)
{
    int fd = accept4(server->config.sockets[socket], NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        begin_stream(server, fd, socket);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        (void)poll(NULL, 0, ACCEPT_PAUSE_MS); /* it would only be asked again at once */
    }
}

static void *run_accepting(void *context)
{
    struct stream_server *server = context;
    size_t count = server->config.socket_count;
    while (server->polled[count].revents == 0) {
        if (poll(server->polled, (nfds_t)count + 1, -1) < 0) {
            continue; /* interrupted */
        }
        for (size_t i = 0; i < count; i++) {
            if (server->polled[i].revents != 0) {
                accept_one(server, i);
            }
        }
    }
    return NULL;
}

static void server_free(struct stream_server *server)
{
    int wake = server->polled[server->config.socket_count].fd;
    if (wake >= 0) {
        (void)close(wake);
    }
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->mutex);
    free(server);
}

enum err stream_server_open(const struct stream_server_config *config, struct stream_server **out,
                            struct fault *out_fault)
{
    if (config->socket_count > STREAM_SOCKETS_MAX) {
        return fault_set(out_fault, ERR_LIMIT, 0, "more than %d places to listen at",
                         STREAM_SOCKETS_MAX);
    }
    struct stream_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    server->config = *config;
    LIST_INIT(&server->streams);
    (void)pthread_mutex_init(&server->mutex, NULL);
    (void)pthread_cond_init(&server->changed, NULL);
    for (size_t i = 0; i < config->socket_count; i++) {
        server->polled[i] = (struct pollfd){.fd = config->sockets[i], .events = POLLIN};
    }
    int wake = eventfd(0, EFD_CLOEXEC);
    server->polled[config->socket_count] = (struct pollfd){.fd = wake, .events = POLLIN};
    if (wake < 0 || quiet_thread_start(&server->thread, run_accepting, server) != ERR_NONE) {
        server_free(server);
        return fault_set(out_fault, ERR_SYSTEM, errno, "no thread to accept connections");
    }
    *out = server;
    return ERR_NONE;
}

void stream_server_close(struct stream_server *server)
{
    struct stream *stream;
    if (server == NULL) {
        return;
    }
    (void)eventfd_write(server->polled[server->config.socket_count].fd, 1);
    (void)pthread_join(server->thread, NULL);
    (void)pthread_mutex_lock(&server->mutex);
    server->is_closing = true;
    LIST_FOREACH(stream, &server->streams, link)
    {
        (void)shutdown(stream->fd, SHUT_RDWR);
    }
    while (server->counts.open > 0) {
        (void)pthread_cond_wait(&server->changed, &server->mutex);
    }
    (void)pthread_mutex_unlock(&server->mutex);
    server_free(server);
}

void stream_server_count(struct stream_server *server, struct stream_counts *out)
{
    (void)pthread_mutex_lock(&server->mutex);
    *out = server->counts;
    (void)pthread_mutex_unlock(&server->mutex);
}
