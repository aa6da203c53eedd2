/* bench/limit_responder: the other side of every benchmark: an SMTP server and a name server in one
 * thread over bare epoll. Host n of --hosts listens on 127.1.x.y:--port; domain dN.bench has the MX
 * mxM.bench, M = N modulo hosts. Local parts that begin with "real" exist, all others get 550 5.1.1. (Two vowels in
 * a row: control probes have none.)
 * --delay holds each answer of the SMTP server back by so many milliseconds, --dns-delay each of the name server,
 * --pipelining 1 offers the extension.
 * Ends at SIGTERM or SIGINT and then prints what it saw as one line of JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"
#include "limit_dns.h"
#include "limit_server.h"

struct conversation {
    struct limit_endpoint endpoint;
    struct limit_held held;
    struct responder *responder;
    bool is_leaving; /* QUIT was answered, or the peer is gone */
    struct limit_lines lines;
};

struct held_name {
    struct limit_held held;
    int fd;
    struct limit_dns_reply reply;
};

struct counts {
    uint64_t conversations, mails, rcpts, accepted, rsets, quits, datas, others, dns;
    uint64_t open, open_peak;
    uint64_t pieces; /* in which the commands came */
};

struct responder {
    unsigned port, dns_port, hosts, delay_ms, dns_delay_ms, pipelining;
    int epoll;
    bool is_stopping;
    struct limit_queue held, held_names;
    struct counts counts;
};

static void say(struct conversation *c, const char *text)
{
    c->is_leaving = c->is_leaving || !limit_say(&c->lines, text);
}

static void conversation_close(struct conversation *c)
{
    close(c->endpoint.fd);
    c->responder->counts.open--;
    free(c);
}

static void conversation_flush(struct conversation *c)
{
    if (!limit_flush(&c->lines, c->endpoint.fd) || c->is_leaving) {
        conversation_close(c);
    }
}

static void conversation_answer(struct conversation *c)
{
    struct responder *r = c->responder;
    if (r->delay_ms == 0) {
        conversation_flush(c);
    } else {
        limit_hold(&r->held, &c->held, r->delay_ms);
    }
}

static struct conversation *of_held(struct limit_held *held)
{
    return (struct conversation *)(void *)((char *)held - offsetof(struct conversation, held));
}

static void names_due(struct responder *r, uint64_t now)
{
    struct limit_held *held = limit_take_due(&r->held_names, now);
    for (; held != NULL; held = limit_take_due(&r->held_names, now)) {
        struct held_name *name = (struct held_name *)(void *)held; /* its first member */
        limit_dns_send(name->fd, &name->reply);
        free(name);
    }
}

static void answer_due(struct responder *r)
{
    bool has_none = r->held.first == NULL && r->held_names.first == NULL;
    uint64_t now = has_none ? 0 : limit_now_us();
    struct limit_held *held = limit_take_due(&r->held, now);
    for (; held != NULL; held = limit_take_due(&r->held, now)) {
        conversation_flush(of_held(held));
    }
    names_due(r, now);
}

static uint64_t next_due_us(const struct responder *r)
{
    uint64_t answer_us = r->held.first == NULL ? UINT64_MAX : r->held.first->due_us;
    uint64_t name_us = r->held_names.first == NULL ? UINT64_MAX : r->held_names.first->due_us;
    return answer_us < name_us ? answer_us : name_us;
}

static void command_rcpt(struct conversation *c, const char *line, size_t len)
{
    struct responder *r = c->responder;
    r->counts.rcpts++;
    if (limit_begins(line, len, "RCPT TO:<real")) {
        r->counts.accepted++;
        say(c, "250 2.1.5 Ok\r\n");
    } else {
        say(c, "550 5.1.1 No such user here\r\n");
    }
}

static void command(void *context, const char *line, size_t len)
{
    struct conversation *c = context;
    struct responder *r = c->responder;
    if (limit_begins(line, len, "RCPT")) {
        command_rcpt(c, line, len);
    } else if (limit_begins(line, len, "MAIL")) {
        r->counts.mails++;
        say(c, "250 2.1.0 Ok\r\n");
    } else if (limit_begins(line, len, "EHLO")) {
        say(c, r->pipelining ? "250-mx.bench\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"
                             : "250-mx.bench\r\n250 ENHANCEDSTATUSCODES\r\n");
    } else if (limit_begins(line, len, "RSET")) {
        r->counts.rsets++;
        say(c, "250 2.0.0 Ok\r\n");
    } else if (limit_begins(line, len, "QUIT")) {
        r->counts.quits++;
        say(c, "221 2.0.0 Bye\r\n");
        c->is_leaving = true;
    } else {
        if (limit_begins(line, len, "DATA") || limit_begins(line, len, "BDAT")) {
            r->counts.datas++;
        }
        r->counts.others++;
        say(c, "502 5.5.1 Not here\r\n");
    }
}

static void conversation_read(struct conversation *c)
{
    if (limit_hear(&c->lines, c->endpoint.fd, command, c)) {
        if (c->lines.out_len > 0) {
            c->responder->counts.pieces++;
            conversation_answer(c);
        }
        return;
    }
    c->is_leaving = true;
    if (c->held.is_queued) {
        epoll_ctl(c->responder->epoll, EPOLL_CTL_DEL, c->endpoint.fd, NULL);
    } else {
        conversation_close(c);
    }
}

static void listener_accept(struct responder *r, struct limit_endpoint *listener)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd >= 0) {
        struct conversation *c = calloc(1, sizeof *c);
        if (c == NULL) {
            limit_die("calloc");
        }
        c->endpoint = (struct limit_endpoint){.kind = LIMIT_CONVERSATION, .fd = fd};
        c->responder = r;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        r->counts.conversations++;
        r->counts.open++;
        if (r->counts.open > r->counts.open_peak) {
            r->counts.open_peak = r->counts.open;
        }
        limit_watch(r->epoll, &c->endpoint);
        say(c, "220 mx.bench ESMTP\r\n");
        conversation_answer(c);
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

static unsigned hold_names(struct responder *r, int fd)
{
    struct limit_dns_reply reply = {0};
    unsigned count = 0;
    for (; limit_dns_next(fd, names_of, r, &reply); count++) {
        struct held_name *name = calloc(1, sizeof *name);
        if (name == NULL) {
            limit_die("calloc");
        }
        name->fd = fd;
        name->reply = reply;
        limit_hold(&r->held_names, &name->held, r->dns_delay_ms);
    }
    return count;
}

static unsigned names_answer(struct responder *r, int fd)
{
    return r->dns_delay_ms > 0 ? hold_names(r, fd) : limit_dns_serve(fd, names_of, r);
}

/* --- start and end ----------------------------------------------------------------------------- */

static void watch_new(const struct responder *r, enum limit_kind kind, int fd)
{
    struct limit_endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (endpoint == NULL) {
        limit_die("calloc");
    }
    *endpoint = (struct limit_endpoint){.kind = kind, .fd = fd};
    limit_watch(r->epoll, endpoint);
}

static void start(const struct responder *r)
{
    for (unsigned i = 0; i < r->hosts; i++) {
        struct sockaddr_in address = limit_host(i, r->port);
        watch_new(r, LIMIT_LISTENER, limit_listen(&address));
    }
    if (r->dns_port != 0) {
        watch_new(r, LIMIT_DNS, limit_dns_open(r->dns_port));
    }
    watch_new(r, LIMIT_SIGNAL, limit_end_signals());
}

static void dispatch(struct responder *r, struct limit_endpoint *endpoint)
{
    switch (endpoint->kind) {
    case LIMIT_LISTENER: listener_accept(r, endpoint); break;
    case LIMIT_CONVERSATION: conversation_read((struct conversation *)(void *)endpoint); break;
    case LIMIT_DNS: r->counts.dns += names_answer(r, endpoint->fd); break;
    case LIMIT_SIGNAL: r->is_stopping = true; break;
    }
}

static void print_counts(const struct counts *c)
{
    printf("{\"conversations\": %ju, \"mails\": %ju, \"rcpts\": %ju, \"accepted\": %ju, \"rsets\": "
           "%ju, "
           "\"quits\": %ju, \"datas\": %ju, \"others\": %ju, \"dns\": %ju, \"open_peak\": %ju, "
           "\"pieces\": %ju}\n",
           (uintmax_t)c->conversations, (uintmax_t)c->mails, (uintmax_t)c->rcpts,
           (uintmax_t)c->accepted, (uintmax_t)c->rsets, (uintmax_t)c->quits, (uintmax_t)c->datas,
           (uintmax_t)c->others, (uintmax_t)c->dns, (uintmax_t)c->open_peak, (uintmax_t)c->pieces);
}

int main(int argc, char **argv)
{
    struct responder r = {.port = 2599, .hosts = 1};
    const struct limit_option options[] = {{"--port", &r.port, 65535},
                                           {"--dns-port", &r.dns_port, 65535},
                                           {"--hosts", &r.hosts, LIMIT_HOSTS_MAX},
                                           {"--delay", &r.delay_ms, 600000},
                                           {"--dns-delay", &r.dns_delay_ms, 600000},
                                           {"--pipelining", &r.pipelining, 1},
                                           {NULL, NULL, 0}};
    limit_options(argc, argv, options);
    limit_raise_files();
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    start(&r);
    printf("ready\n");
    fflush(stdout);
    while (!r.is_stopping) {
        struct epoll_event events[LIMIT_EVENTS];
        int count = epoll_wait(r.epoll, events, LIMIT_EVENTS, limit_wait_ms(next_due_us(&r)));
        for (int i = 0; i < count; i++) {
            dispatch(&r, events[i].data.ptr);
        }
        answer_due(&r);
    }
    print_counts(&r.counts);
    return 0;
}
