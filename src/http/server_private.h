/* http/server_private: what the server's own files share: server.c (life, threads of the library), exchange.c (one request from
 * its first byte to its last), answer.c (answers), stream.c, keeper.c (the thread that looks after lines and logs).
 *
 * An exchange that waits for another thread is suspended: the library does not look at it. Its lock says who may touch it:
 * whoever answers resumes it, unless the keeper found the client gone and is telling the handler; then the keeper resumes it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_SERVER_PRIVATE_H
#define HTTP_SERVER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/mhd.h"
#include "http/server.h"
#include "http/stream.h"

/* A connection. */
struct http_line {
    struct http_line *previous, *next; /* of the server's list, under its lock */
    int fd;
    _Atomic uint64_t deadline_ms; /* for what the client sends; 0: none */
    struct http_exchange
        *watched; /* under the server's lock: one that waits for others than its client */
};

struct http_listener {
    struct MHD_Daemon *daemon;
    int socket;
};

struct http_server {
    struct http_server_config config;
    struct mhd mhd;
    struct http_listener listeners[HTTP_LISTENERS_MAX];
    size_t listener_count;
    const struct http_route
        *routes[METRICS_ROUTES_MAX]; /* the first of the metrics' stands for what has no route */
    size_t route_count;
    char *tls_certificate, *tls_key; /* text */
    uint64_t id_seed;
    _Atomic uint64_t id_next;
    pthread_mutex_t lock; /* of the lines' list */
    pthread_cond_t wake;  /* the keeper; whoever waits for the end of requests */
    struct http_line *lines;
    pthread_t keeper;
    bool has_keeper, is_keeper_stopping;
    atomic_bool is_stopping; /* answers close their connection */
    atomic_bool is_over;     /* nothing waits any more */
    _Atomic int64_t open;    /* exchanges */
};

enum exchange_stage { EXCHANGE_NEW, EXCHANGE_BODY, EXCHANGE_HANDLED, EXCHANGE_QUEUED };

struct exchange_header {
    const char *name;
    char *value;
};

struct http_exchange {
    struct http_request request;
    struct http_server *server;
    struct http_line *line;
    struct MHD_Connection *connection;
    enum exchange_stage stage;
    struct metrics_route *counts;
    uint64_t began_us;
    uint64_t body_seen, bytes_out;
    bool is_head, closes; /* closes: the connection ends with the answer */
    struct exchange_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    struct MHD_Response *response; /* the answer, until it is queued */
    unsigned status;
    struct http_stream *stream;

    pthread_mutex_t lock; /* of those below */
    bool is_held;         /* http_hold was called */
    bool is_suspended;    /* the library's resume is owed */
    bool is_with_keeper, wants_resume;
    bool has_left; /* the state's leave was called */
    bool is_gone;  /* the client, or the server's time */
};

uint64_t http_now_ms(void);
uint64_t http_now_us(void);

/* The library's callbacks; exchange.c. */
void *exchange_begin(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **slot);
void exchange_end(void *context, struct MHD_Connection *connection, void **slot,
                  enum MHD_RequestTerminationCode how);

/* Which of the common headers an answer gets beside those of the handler; answer.c. */
void answer_add_headers(struct http_exchange *exchange, struct MHD_Response *response,
                        const char *type);
/* Gives the answer; resumes the exchange where it waits. */
void answer_give(struct http_exchange *exchange, unsigned status, const char *type,
                 struct MHD_Response *response);

/* Suspends, with the lock held. False: the server is over. */
bool exchange_suspend(struct http_exchange *exchange);
/* Resumes if it is suspended, with the lock held. */
void exchange_resume(struct http_exchange *exchange);
/* Calls the state's leave, once. Without the lock. */
void exchange_leave(struct http_exchange *exchange);

/* The keeper: lines that are too slow, clients that went away while nothing was said, beats, logs. */
void *keeper_run(void *context);
/* Everything that waits is told that the server is over. */
void keeper_end_all(struct http_server *server);

/* stream.c: with the exchange's lock held, by the keeper. */
void stream_beat(struct http_stream *stream, uint64_t now_ms);
void stream_free(struct http_stream *stream);

const struct http_auth *http_exchange_auth(const struct http_request *request);

#endif
