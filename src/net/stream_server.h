/* net/stream_server: connections of a small protocol of questions and answers, each in a thread of its own, which may
 * block: for a mail server's workers, of which there are some hundred and each keeps its line for minutes. The number of
 * connections and the time of each step are bounded; one too many is closed at once.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_STREAM_SERVER_H
#define NET_STREAM_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct stream_server;
struct stream;

enum { STREAM_SOCKETS_MAX = 32 };

struct stream_server_config {
    const int *sockets; /* that listen and do not block; borrowed until the end, and not closed */
    size_t socket_count;
    unsigned connections_max;
    /* In the connection's thread; when it returns the connection is closed. socket: the index of the one it came by. */
    void (*serve)(void *context, struct stream *stream, size_t socket);
    void *context;
};

/* ERR_SYSTEM, ERR_NOMEM. */
enum err stream_server_open(const struct stream_server_config *config, struct stream_server **out,
                            struct fault *out_fault) MUST_USE;
/* Accepts no more, ends what is being read, and waits until all have returned. NULL is fine. */
void stream_server_close(struct stream_server *server);

struct stream_counts {
    uint64_t accepted, refused; /* refused: there were too many */
    unsigned open;
};
void stream_server_count(struct stream_server *server, struct stream_counts *out);

/* What has come, at least a byte. ERR_TIMEOUT; ERR_CLOSED: the other side has ended, or the server does. */
enum err stream_read(struct stream *stream, char *at, size_t max, uint32_t timeout_ms,
                     size_t *out_len) MUST_USE;
/* All of it. ERR_TIMEOUT, ERR_CLOSED. */
enum err stream_send(struct stream *stream, struct slice bytes, uint32_t timeout_ms) MUST_USE;

#endif
