/* SPDX-License-Identifier: Apache-2.0 */
#include "limit_server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "limit.h"

enum { BACKLOG = 4096 };

void limit_watch(int epoll, struct limit_endpoint *endpoint)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = endpoint};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, endpoint->fd, &event) != 0) {
        limit_die("epoll_ctl");
    }
}

int limit_listen(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
        listen(fd, BACKLOG) != 0) {
        limit_die("listen");
    }
    return fd;
}

int limit_end_signals(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    return signalfd(-1, &ends, SFD_CLOEXEC);
}

bool limit_say(struct limit_lines *lines, const char *text)
{
    size_t len = strlen(text);
    if (len > sizeof lines->out - lines->out_len) {
        return false;
    }
    memcpy(lines->out + lines->out_len, text, len);
    lines->out_len += len;
    return true;
}

bool limit_flush(struct limit_lines *lines, int fd)
{
    ssize_t n = lines->out_len == 0 ? 0 : send(fd, lines->out, lines->out_len, MSG_NOSIGNAL);
    bool went = n == (ssize_t)lines->out_len;
    lines->out_len = 0;
    return went;
}

bool limit_hear(struct limit_lines *lines, int fd,
                void (*command)(void *context, const char *line, size_t len), void *context)
{
    ssize_t n = recv(fd, lines->in + lines->in_len, sizeof lines->in - lines->in_len, 0);
    if (n < 0 && errno == EAGAIN) {
        return true;
    }
    if (n <= 0) {
        return false;
    }
    lines->in_len += (size_t)n;
    char *line = lines->in;
    char *end = lines->in + lines->in_len;
    char *feed = memchr(line, '\n', lines->in_len);
    while (feed != NULL) {
        command(context, line, (size_t)(feed - line));
        line = feed + 1;
        feed = memchr(line, '\n', (size_t)(end - line));
    }
    lines->in_len = (size_t)(end - line);
    memmove(lines->in, line, lines->in_len);
    return true;
}

bool limit_begins(const char *line, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    return len >= word_len && strncasecmp(line, word, word_len) == 0;
}

void limit_hold(struct limit_queue *queue, struct limit_held *held, unsigned delay_ms)
{
    if (held->is_queued) {
        return;
    }
    *held = (struct limit_held){
        .due_us = limit_now_us() + (uint64_t)delay_ms * 1000u,
        .is_queued = true,
    };
    if (queue->last != NULL) {
        queue->last->next = held;
    } else {
        queue->first = held;
    }
    queue->last = held;
}

struct limit_held *limit_take_due(struct limit_queue *queue, uint64_t now_us)
{
    struct limit_held *held = queue->first;
    if (held == NULL || held->due_us > now_us) {
        return NULL;
    }
    queue->first = held->next;
    queue->last = queue->first == NULL ? NULL : queue->last;
    held->is_queued = false;
    return held;
}

int limit_wait_ms(uint64_t due_us)
{
    if (due_us == UINT64_MAX) {
        return -1;
    }
    uint64_t now = limit_now_us();
    return due_us <= now ? 0 : (int)((due_us - now) / 1000u) + 1;
}
