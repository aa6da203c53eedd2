/* SPDX-License-Identifier: Apache-2.0 */
#include "http/server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/span.h"
#include "http/server_private.h"

enum {
    PEM_BYTES_MAX = 1 << 20,
    TURN_MS = 10,
    END_TURNS = 100, /* for what waits to be told that the server is over */
    LOG_BYTES_MAX = 1024,
};

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* ---- lines ---- */

static void open_line(struct http_server *server, struct MHD_Connection *connection, void **slot)
{
    const union MHD_ConnectionInfo *info =
        server->mhd.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_line *line = calloc(1, sizeof *line);
    *slot = line;
    if (line == NULL || info == NULL) {
        free(line); /* it is served, and closed by the library's own limit alone */
        *slot = NULL;
        return;
    }
    line->fd = info->connect_fd;
    atomic_store(&line->deadline_ms, http_now_ms() + server->config.idle_ms);
    (void)pthread_mutex_lock(&server->lock);
    line->next = server->lines;
    if (line->next != NULL) {
        line->next->previous = line;
    }
    server->lines = line;
    (void)pthread_mutex_unlock(&server->lock);
}

static void close_line(struct http_server *server, void **slot)
{
    struct http_line *line = *slot;
    if (line == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&server->lock);
    *(line->previous != NULL ? &line->previous->next : &server->lines) = line->next;
    if (line->next != NULL) {
        line->next->previous = line->previous;
    }
    (void)pthread_mutex_unlock(&server->lock);
    free(line);
    *slot = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = context;
    struct http_metrics *metrics = server->config.metrics;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        open_line(server, connection, slot);
        (void)atomic_fetch_add(&metrics->connections, 1);
        (void)atomic_fetch_add(&metrics->connections_total, 1);
    } else {
        close_line(server, slot);
        (void)atomic_fetch_sub(&metrics->connections, 1);
    }
}

/* ---- the library ---- */

/* We decode ourselves, from the target as it came. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

static void on_library_log(void *context, const char *format, va_list args) PRINTF_LIKE(2, 0);

static void on_library_log(void *context, const char *format, va_list args)
{
    struct http_server *server = context;
    struct buf text;
    buf_init(&text, LOG_BYTES_MAX);
    if (buf_vprintf(&text, format, args) == ERR_NONE) {
        http_log_event(server->config.log, "debug", "http", slice_trim(buf_view(&text)));
    }
    buf_done(&text);
}

static struct MHD_Daemon *start_daemon(struct http_server *server, int socket)
{
    const struct http_server_config *config = &server->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[8];
    size_t count = 0;
    if (server->tls_key != NULL) {
        flags |= MHD_USE_TLS;
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, server->tls_key};
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, server->tls_certificate};
        static char priorities[] = TLS_PRIORITIES;
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, priorities};
    }
    if (config->threads > 1) {
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)config->threads, NULL};
    }
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return server->mhd.MHD_start_daemon(
        flags, 0, NULL, NULL, exchange_step, server, MHD_OPTION_EXTERNAL_LOGGER, on_library_log,
        server, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT,
        config->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->connections_client_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (config->idle_ms + 999) / 1000,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_LINE_BYTES_MAX,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, server, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_ARRAY, options,
        MHD_OPTION_END);
}

/* ---- open ---- */

static enum err read_pem(const char *path, const char *begin, char **out, struct fault *fault)
{
    struct buf text;
    buf_init(&text, PEM_BYTES_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : 1;
    enum err e = ERR_NONE;
    while (count > 0 && e == ERR_NONE) {
        e = buf_reserve(&text, 4096);
        count = e == ERR_NONE ? read(fd, text.at + text.len, 4096) : 0;
        text.len += count > 0 ? (size_t)count : 0;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (e == ERR_NONE && count < 0) {
        e = fault_set(fault, ERR_SYSTEM, 0,
                      "%s cannot be read; is the path right, and may this user read it?", path);
    } else if (e == ERR_NONE && slice_find_nocase(buf_view(&text), slice_of(begin)) == text.len) {
        e = fault_set(fault, ERR_SYSTEM, 0, "%s holds no \"%s...\"; a file in PEM form is wanted",
                      path, begin);
    } else if (e == ERR_NONE) {
        *out = buf_take_text(&text);
        e = *out == NULL ? ERR_NOMEM : ERR_NONE;
    }
    buf_done_wipe(&text);
    return e;
}

static enum err read_tls(struct http_server *server, struct fault *fault)
{
    const struct http_server_config *config = &server->config;
    if (config->tls_key == NULL) {
        return ERR_NONE;
    }
    enum err e = read_pem(config->tls_certificate, "-----BEGIN CERTIFICATE",
                          &server->tls_certificate, fault);
    return e != ERR_NONE ? e : read_pem(config->tls_key, "-----BEGIN ", &server->tls_key, fault);
}

static void list_routes(struct http_server *server)
{
    const struct http_server_config *config = &server->config;
    struct http_metrics *metrics = config->metrics;
    metrics->routes[0].method = "";
    metrics->routes[0].pattern = "other";
    for (size_t i = 0; i < config->routes_count; i++) {
        for (size_t j = 0; j < config->routes[i]->count; j++) {
            const struct http_route *route = &config->routes[i]->at[j];
            must(server->route_count + 1 < METRICS_ROUTES_MAX);
            server->routes[server->route_count++] = route;
            metrics->routes[server->route_count].method = route->method;
            metrics->routes[server->route_count].pattern = route->pattern;
        }
    }
}

static enum err start(struct http_server *server, struct fault *fault)
{
    const struct http_server_config *config = &server->config;
    if (pthread_create(&server->keeper, NULL, keeper_run, server) != 0) {
        return fault_set(fault, ERR_SYSTEM, 0, "no thread can be had");
    }
    server->has_keeper = true;
    for (size_t i = 0; i < config->socket_count; i++) {
        struct http_listener *listener = &server->listeners[server->listener_count];
        listener->socket = fcntl(config->sockets[i], F_DUPFD_CLOEXEC, 0);
        listener->daemon = listener->socket < 0 ? NULL : start_daemon(server, listener->socket);
        if (listener->daemon == NULL) {
            (void)close(listener->socket);
            return fault_set(fault, ERR_SYSTEM, 0,
                             server->tls_key != NULL
                                 ? "the server cannot start; do the TLS certificate and key belong "
                                   "together?"
                                 : "the server cannot start: no threads, memory or descriptors");
        }
        server->listener_count++;
    }
    return ERR_NONE;
}

/* Threads of the library inherit the mask: signals are for the one that watches for them. */
static enum err start_quietly(struct http_server *server, struct fault *fault)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    enum err e = start(server, fault);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return e;
}

enum err http_server_open(const struct http_server_config *config, struct http_server **out,
                          struct fault *out_fault)
{
    must(config->socket_count <= HTTP_LISTENERS_MAX && config->threads > 0);
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    server->config = *config;
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_cond_init(&server->wake, NULL);
    if (getrandom(&server->id_seed, sizeof server->id_seed, 0) != sizeof server->id_seed) {
        server->id_seed = http_now_us(); /* ids of requests need not be secret */
    }
    list_routes(server);
    enum err e = read_tls(server, out_fault);
    e = e != ERR_NONE ? e : mhd_load(&server->mhd, out_fault);
    e = e != ERR_NONE ? e : start_quietly(server, out_fault);
    if (e != ERR_NONE) {
        http_server_close(server, 0);
        return e;
    }
    *out = server;
    return ERR_NONE;
}

/* ---- close ---- */

/* Until nothing is under way, or the time is over. */
static void wait_for_the_end(struct http_server *server, uint32_t grace_ms)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const struct timespec until = span_after(now, grace_ms);
    (void)pthread_mutex_lock(&server->lock);
    int waited = 0;
    while (atomic_load(&server->open) > 0 && waited == 0) {
        waited = pthread_cond_timedwait(&server->wake, &server->lock, &until);
    }
    (void)pthread_mutex_unlock(&server->lock);
}

static void stop_keeper(struct http_server *server)
{
    if (!server->has_keeper) {
        return;
    }
    (void)pthread_mutex_lock(&server->lock);
    server->is_keeper_stopping = true;
    (void)pthread_cond_broadcast(&server->wake);
    (void)pthread_mutex_unlock(&server->lock);
    (void)pthread_join(server->keeper, NULL);
    server->has_keeper = false;
}

void http_server_close(struct http_server *server, uint32_t grace_ms)
{
    if (server == NULL) {
        return;
    }
    atomic_store(&server->is_stopping, true);
    for (size_t i = 0; i < server->listener_count; i++) {
        (void)server->mhd.MHD_quiesce_daemon(server->listeners[i].daemon);
    }
    wait_for_the_end(server, grace_ms);
    atomic_store(&server->is_over, true);
    stop_keeper(server);
    for (int turn = 0; turn < END_TURNS && atomic_load(&server->open) > 0; turn++) {
        keeper_end_all(server);
        wait_for_the_end(server, TURN_MS);
    }
    for (size_t i = 0; i < server->listener_count; i++) {
        server->mhd.MHD_stop_daemon(server->listeners[i].daemon);
        (void)close(server->listeners[i].socket);
    }
    http_log_flush(server->config.log);
    free(server->tls_certificate);
    if (server->tls_key != NULL) {
        explicit_bzero(server->tls_key, strlen(server->tls_key));
        free(server->tls_key);
    }
    (void)pthread_cond_destroy(&server->wake);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}
