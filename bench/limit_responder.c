/* bench/limit_responder: the other side of every benchmark: an SMTP server and a name server in one
 * thread over bare epoll. Host n of --hosts listens on 127.1.x.y:--port; domain dN.bench has the MX
 * mxM.bench, M = N modulo hosts. Local parts that begin with "real" exist, all others get 550 5.1.1. (Two vowels in a row: control probes have none.)
 * --delay holds each answer back by so many milliseconds, --pipelining 1 offers the extension.
 * Ends at SIGTERM or SIGINT and then prints what it saw as one line of JSON. It takes no care of slow
 * readers or long lines: the connection is closed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"
#include "limit_dns.h"

enum {
    BUFFER_BYTES = 8192, /* a hundred pipelined RCPTs with their replies */
    EVENTS = 512,
    BACKLOG = 4096,
};

enum kind { KIND_LISTENER, KIND_CONVERSATION, KIND_DNS, KIND_SIGNAL };

struct endpoint {
    enum kind kind;
    int fd;
};

struct conversation {
    struct endpoint endpoint;
    struct conversation *next_due; /* in the queue of held answers */
    uint64_t due_us;
    bool is_queued;
    bool is_leaving; /* QUIT was answered, or the peer is gone */
    size_t in_len, out_len;
    char in[BUFFER_BYTES], out[BUFFER_BYTES];
};

struct counts {
    uint64_t conversations, mails, rcpts, accepted, rsets, quits, datas, others, dns;
    uint64_t open, open_peak;
};

struct responder {
    unsigned port, dns_port, hosts, delay_ms, pipelining;
    int epoll;
    bool is_stopping;
    struct conversation *due_first, *due_last;
    struct counts counts;
};

static void watch(struct responder *r, struct endpoint *endpoint)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = endpoint};
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, endpoint->fd, &event) != 0) {
        limit_die("epoll_ctl");
    }
}

static void say(struct conversation *c, const char *text)
{
    size_t len = strlen(text);
    if (len > sizeof c->out - c->out_len) {
        c->is_leaving = true;
        return;
    }
    memcpy(c->out + c->out_len, text, len);
    c->out_len += len;
}

static void conversation_close(struct responder *r, struct conversation *c)
{
    close(c->endpoint.fd);
    r->counts.open--;
    free(c);
}

/* False when the conversation is over and gone. */
static bool conversation_flush(struct responder *r, struct conversation *c)
{
    ssize_t n = c->out_len == 0 ? 0 : send(c->endpoint.fd, c->out, c->out_len, MSG_NOSIGNAL);
    if (n != (ssize_t)c->out_len || c->is_leaving) {
        conversation_close(r, c);
        return false;
    }
    c->out_len = 0;
    return true;
}

static void conversation_answer(struct responder *r, struct conversation *c)
{
    if (r->delay_ms == 0) {
        conversation_flush(r, c);
        return;
    }
    if (c->is_queued) {
        return;
    }
    c->is_queued = true;
    c->due_us = limit_now_us() + (uint64_t)r->delay_ms * 1000u;
    c->next_due = NULL;
    if (r->due_last != NULL) {
        r->due_last->next_due = c;
    } else {
        r->due_first = c;
    }
    r->due_last = c;
}

static void answer_due(struct responder *r)
{
    uint64_t now = r->due_first == NULL ? 0 : limit_now_us();
    while (r->due_first != NULL && r->due_first->due_us <= now) {
        struct conversation *c = r->due_first;
        r->due_first = c->next_due;
        r->due_last = r->due_first == NULL ? NULL : r->due_last;
        c->is_queued = false;
        conversation_flush(r, c);
    }
}

static bool begins(const char *line, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    return len >= word_len && strncasecmp(line, word, word_len) == 0;
}

static void command_rcpt(struct responder *r, struct conversation *c, const char *line, size_t len)
{
    r->counts.rcpts++;
    if (begins(line, len, "RCPT TO:<real")) {
        r->counts.accepted++;
        say(c, "250 2.1.5 Ok\r\n");
    } else {
        say(c, "550 5.1.1 No such user here\r\n");
    }
}

static void command(struct responder *r, struct conversation *c, const char *line, size_t len)
{
    if (begins(line, len, "RCPT")) {
        command_rcpt(r, c, line, len);
    } else if (begins(line, len, "MAIL")) {
        r->counts.mails++;
        say(c, "250 2.1.0 Ok\r\n");
    } else if (begins(line, len, "EHLO")) {
        say(c, r->pipelining ? "250-mx.bench\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"
                             : "250-mx.bench\r\n250 ENHANCEDSTATUSCODES\r\n");
    } else if (begins(line, len, "RSET")) {
        r->counts.rsets++;
        say(c, "250 2.0.0 Ok\r\n");
    } else if (begins(line, len, "QUIT")) {
        r->counts.quits++;
        say(c, "221 2.0.0 Bye\r\n");
        c->is_leaving = true;
    } else {
        if (begins(line, len, "DATA") || begins(line, len, "BDAT")) {
            r->counts.datas++;
        }
        r->counts.others++;
        say(c, "502 5.5.1 Not here\r\n");
    }
}

static void conversation_read(struct responder *r, struct conversation *c)
{
    ssize_t n = recv(c->endpoint.fd, c->in + c->in_len, sizeof c->in - c->in_len, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        c->is_leaving = true;
        if (!c->is_queued) {
            conversation_close(r, c);
        } else {
            epoll_ctl(r->epoll, EPOLL_CTL_DEL, c->endpoint.fd, NULL);
        }
        return;
    }
    c->in_len += (size_t)n;
    char *line = c->in;
    char *end = c->in + c->in_len;
    char *feed = memchr(line, '\n', c->in_len);
    while (feed != NULL) {
        command(r, c, line, (size_t)(feed - line));
        line = feed + 1;
        feed = memchr(line, '\n', (size_t)(end - line));
    }
    c->in_len = (size_t)(end - line);
    memmove(c->in, line, c->in_len);
    if (c->out_len > 0) {
        conversation_answer(r, c);
    }
}

static void listener_accept(struct responder *r, struct endpoint *listener)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd >= 0) {
        struct conversation *c = calloc(1, sizeof *c);
        if (c == NULL) {
            limit_die("calloc");
        }
        c->endpoint = (struct endpoint){.kind = KIND_CONVERSATION, .fd = fd};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        r->counts.conversations++;
        r->counts.open++;
        if (r->counts.open > r->counts.open_peak) {
            r->counts.open_peak = r->counts.open;
        }
        watch(r, &c->endpoint);
        say(c, "220 mx.bench ESMTP\r\n");
        conversation_answer(r, c);
        fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
}

/* --- names ------------------------------------------------------------------------------------- */

/* "dN.bench" is a domain, "mxN.bench" a host. */
static void names_of(const void *context, const char *name, struct limit_names *out)
{
    const struct responder *r = context;
    bool is_host = strncmp(name, "mx", 2) == 0;
    char *end = NULL;
    unsigned number =
        (unsigned)strtoul(name + (is_host ? 2 : strcspn(name, "0123456789")), &end, 10);
    if (strcmp(end, ".bench") != 0) {
        return;
    }
    out->is_known = true;
    out->has_address = is_host;
    if (is_host) {
        out->address = limit_host(number, 0).sin_addr;
        return;
    }
    out->mx_count = 1;
    (void)snprintf(out->mx[0], LIMIT_NAME_BYTES, "mx%u.bench", number % r->hosts);
}

/* --- start and end ----------------------------------------------------------------------------- */

static struct endpoint *endpoint_new(enum kind kind, int fd)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (endpoint == NULL) {
        limit_die("calloc");
    }
    *endpoint = (struct endpoint){.kind = kind, .fd = fd};
    return endpoint;
}

static void bind_to(int fd, const struct sockaddr_in *address)
{
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        limit_die("bind");
    }
}

static void start(struct responder *r)
{
    for (unsigned i = 0; i < r->hosts; i++) {
        struct sockaddr_in address = limit_host(i, r->port);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        bind_to(fd, &address);
        if (listen(fd, BACKLOG) != 0) {
            limit_die("listen");
        }
        watch(r, endpoint_new(KIND_LISTENER, fd));
    }
    if (r->dns_port != 0) {
        watch(r, endpoint_new(KIND_DNS, limit_dns_open(r->dns_port)));
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    watch(r, endpoint_new(KIND_SIGNAL, signalfd(-1, &ends, SFD_CLOEXEC)));
}

static void dispatch(struct responder *r, struct endpoint *endpoint)
{
    switch (endpoint->kind) {
    case KIND_LISTENER: listener_accept(r, endpoint); break;
    case KIND_CONVERSATION: conversation_read(r, (struct conversation *)(void *)endpoint); break;
    case KIND_DNS: r->counts.dns += limit_dns_serve(endpoint->fd, names_of, r); break;
    case KIND_SIGNAL: r->is_stopping = true; break;
    }
}

static int wait_ms(const struct responder *r)
{
    if (r->due_first == NULL) {
        return -1;
    }
    uint64_t now = limit_now_us();
    return r->due_first->due_us <= now ? 0 : (int)((r->due_first->due_us - now) / 1000u) + 1;
}

static void print_counts(const struct counts *c)
{
    printf("{\"conversations\": %ju, \"mails\": %ju, \"rcpts\": %ju, \"accepted\": %ju, \"rsets\": "
           "%ju, "
           "\"quits\": %ju, \"datas\": %ju, \"others\": %ju, \"dns\": %ju, \"open_peak\": %ju}\n",
           (uintmax_t)c->conversations, (uintmax_t)c->mails, (uintmax_t)c->rcpts,
           (uintmax_t)c->accepted, (uintmax_t)c->rsets, (uintmax_t)c->quits, (uintmax_t)c->datas,
           (uintmax_t)c->others, (uintmax_t)c->dns, (uintmax_t)c->open_peak);
}

int main(int argc, char **argv)
{
    struct responder r = {.port = 2599, .hosts = 1};
    const struct limit_option options[] = {{"--port", &r.port, 65535},
                                           {"--dns-port", &r.dns_port, 65535},
                                           {"--hosts", &r.hosts, LIMIT_HOSTS_MAX},
                                           {"--delay", &r.delay_ms, 600000},
                                           {"--pipelining", &r.pipelining, 1},
                                           {NULL, NULL, 0}};
    limit_options(argc, argv, options);
    limit_raise_files();
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    start(&r);
    printf("ready\n");
    fflush(stdout);
    while (!r.is_stopping) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(r.epoll, events, EVENTS, wait_ms(&r));
        for (int i = 0; i < count; i++) {
            dispatch(&r, events[i].data.ptr);
        }
        answer_due(&r);
    }
    print_counts(&r.counts);
    return 0;
}
