/* http/log: log lines: one JSON object a line. Lines are gathered and written by http_log_flush, which the server calls
 * several times a second, so that no request waits for a disk; what does not fit meanwhile is counted and told.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_LOG_H
#define HTTP_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct http_log {
    int fd;            /* borrowed */
    bool has_requests; /* a line for each */
    bool
        has_addresses; /* of clients, and targets as they came, in which addresses of people stand */
    pthread_mutex_t lock; /* of those below */
    struct buf lines, spare;
    uint64_t lost;
};

void http_log_init(struct http_log *out, int fd);
void http_log_done(struct http_log *log); /* flushes */

struct http_log_request {
    struct slice id, method, route, target, client, key;
    unsigned status;
    uint64_t micros, bytes;
    bool is_broken; /* the client went away before the end */
};
void http_log_request(struct http_log *log, const struct http_log_request *request);

/* {"time":...,"level":level,"event":event,"detail":...} */
void http_log_event(struct http_log *log, const char *level, const char *event,
                    struct slice detail);

/* Writes what was gathered; from one thread at a time. */
void http_log_flush(struct http_log *log);

#endif
