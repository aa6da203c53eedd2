/* bench/limit_server: what the two responders share: endpoints of an epoll, the bytes of a line, answers that are
 * held back, and how they listen and end. It takes no care of slow readers or long lines: the connection is closed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_LIMIT_SERVER_H
#define BENCH_LIMIT_SERVER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LIMIT_BUFFER_BYTES = 8192, /* a hundred pipelined RCPTs with their replies */
    LIMIT_EVENTS = 512,
};

enum limit_kind { LIMIT_LISTENER, LIMIT_CONVERSATION, LIMIT_DNS, LIMIT_SIGNAL };

/* The first member of what an event leads to. */
struct limit_endpoint {
    enum limit_kind kind;
    int fd;
};
void limit_watch(int epoll, struct limit_endpoint *endpoint);

int limit_listen(const struct sockaddr_in *address); /* a socket that does not block */
int limit_end_signals(void);                         /* readable at SIGTERM or SIGINT */

struct limit_lines {
    size_t in_len, out_len;
    char in[LIMIT_BUFFER_BYTES], out[LIMIT_BUFFER_BYTES];
};
bool limit_say(struct limit_lines *lines, const char *text); /* false: it does not fit */
bool limit_flush(struct limit_lines *lines,
                 int fd); /* all that was said, at once; false: not all went */

/* What came, line by line without the last line feed; false: the peer is gone. */
bool limit_hear(struct limit_lines *lines, int fd,
                void (*command)(void *context, const char *line, size_t len), void *context);
bool limit_begins(const char *line, size_t len, const char *word); /* in any case */

/* Answers that are held back as long each, and so are due in the order in which they were put. */
struct limit_held {
    struct limit_held *next;
    uint64_t due_us;
    bool is_queued;
};
struct limit_queue {
    struct limit_held *first, *last;
};
void limit_hold(struct limit_queue *queue, struct limit_held *held, unsigned delay_ms);
struct limit_held *limit_take_due(struct limit_queue *queue,
                                  uint64_t now_us); /* NULL: none is due */
/* For epoll_wait, of the one that is due first; UINT64_MAX: there is none. */
int limit_wait_ms(uint64_t due_us);

#endif
