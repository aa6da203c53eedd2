/* bench/limit_client: the bare limit: --conversations of them, --concurrent at a time, over epoll. Each
 * is greeting, EHLO, then MAIL and RCPTs (RSET between transactions), QUIT; --mails and --rcpts are spread evenly
 * over all conversations, and so are --lookups: before its conversation a domain's MX and its host's A are asked for
 * (at 127.0.0.1, --dns-port). --loops threads share all of it evenly. With --pipelining 1 a transaction goes out in one
 * piece; with --group N as Heloise sends it: RSET, MAIL and the first RCPT in one piece, then groups of N RCPTs. With
 * --ring 1 the lines are on an io_uring instead. It
 * believes every reply and parses only as much as it takes to count final lines. Prints one line of JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"
#include "limit_dns.h"
#include "limit_ring.h"

enum { BUFFER_BYTES = 16384, EVENTS = 512, COLUMN_FINAL = 3, LOOPS_MAX = 64, LOOKUPS_MAX = 65536 };

enum step { STEP_MX, STEP_A, STEP_BANNER, STEP_EHLO, STEP_MAIL, STEP_RCPT, STEP_RSET, STEP_QUIT };

struct conversation {
    int fd;
    unsigned number;
    enum step step;   /* the command whose reply is awaited */
    unsigned awaited; /* replies to come before the next step */
    unsigned rcpts;   /* to be sent in this transaction */
    unsigned mails;   /* to be sent in this conversation */
    unsigned column;  /* in the reply line being read */
    bool is_final_line;
    char *said; /* with a ring: until it is sent */
};

struct client {
    unsigned port, dns_port, hosts, conversations, concurrent, rcpts, mails, lookups, pipelining,
        group, wants_ring;
    pthread_t thread;
    struct limit_ring *ring; /* NULL: epoll */
    int epoll, dns;
    unsigned started, finished, broken;
    unsigned mails_sent, rcpts_sent;
    uint64_t replies;
    struct conversation *lines;
    char *said; /* of all lines */
};

static void conversation_connect(struct client *client, struct conversation *c)
{
    struct sockaddr_in host = limit_host(c->number % client->hosts, client->port);
    c->step = STEP_BANNER;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (c->fd < 0 || (connect(c->fd, (const struct sockaddr *)&host, sizeof host) != 0 &&
                      errno != EINPROGRESS)) {
        limit_die("connect");
    }
    if (client->ring != NULL) {
        limit_ring_receive(client->ring, c->fd, c);
        return;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
        limit_die("epoll_ctl");
    }
}

static void look_up(struct client *client, struct conversation *c, const char *prefix,
                    unsigned type)
{
    char name[LIMIT_NAME_BYTES];
    (void)snprintf(name, sizeof name, "%s%u.bench", prefix, c->number % client->hosts);
    limit_dns_ask(client->dns, (uint16_t)(c - client->lines), name, type);
}

static void conversation_start(struct client *client, struct conversation *c)
{
    *c = (struct conversation){
        .fd = -1,
        .step = STEP_MX,
        .number = client->started,
        .awaited = 1,
        .mails = limit_share(client->mails, client->conversations, client->started),
        .said = c->said,
    };
    bool has_lookup = limit_share(client->lookups, client->conversations, client->started) > 0;
    client->started++;
    if (has_lookup) {
        look_up(client, c, "d", LIMIT_DNS_MX);
    } else {
        conversation_connect(client, c);
    }
}

static void take_answers(struct client *client)
{
    for (int id = limit_dns_answered(client->dns); id >= 0; id = limit_dns_answered(client->dns)) {
        struct conversation *c = &client->lines[id];
        if (c->step == STEP_MX) {
            c->step = STEP_A;
            look_up(client, c, "mx", LIMIT_DNS_A);
        } else if (c->step == STEP_A) {
            conversation_connect(client, c);
        }
    }
}

static void conversation_end(struct client *client, struct conversation *c)
{
    client->broken += c->step != STEP_QUIT;
    client->finished++;
    close(c->fd);
    c->fd = -1;
    if (client->started < client->conversations) {
        conversation_start(client, c);
    }
}

static void conversation_send(const struct client *client, const struct conversation *c,
                              const char *text, size_t len)
{
    if (client->ring != NULL) {
        memcpy(c->said, text, len);
        limit_ring_send(client->ring, c->fd, c->said, len);
    } else if (send(c->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len) {
        shutdown(c->fd, SHUT_RDWR);
    }
}

/* So many RCPTs in one piece, with what goes before them; commands: how many these are. */
static void send_rcpts(struct client *client, struct conversation *c, unsigned count,
                       const char *before, unsigned commands)
{
    char text[BUFFER_BYTES];
    size_t len = (size_t)snprintf(text, sizeof text, "%s", before);
    for (unsigned i = 0; i < count && len < sizeof text - 64; i++) {
        unsigned number = client->rcpts_sent++;
        c->rcpts--;
        len += (size_t)snprintf(text + len, sizeof text - len, "RCPT TO:<%s%u@d%u.bench>\r\n",
                                number % 2 == 0 ? "real" : "gone", number, client->started);
    }
    c->awaited = count + commands;
    conversation_send(client, c, text, len);
}

#define MAIL "MAIL FROM:<probe@limit.bench>\r\n"

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static void send_mail(struct client *client, struct conversation *c, bool is_first)
{
    c->rcpts = limit_share(client->rcpts, client->mails, client->mails_sent++);
    c->mails--;
    if (client->pipelining) {
        c->step = STEP_RCPT;
        send_rcpts(client, c, c->rcpts, MAIL, 1);
        return;
    }
    if (client->group > 0) {
        c->step = STEP_RCPT;
        send_rcpts(client, c, least(1, c->rcpts), is_first ? MAIL : "RSET\r\n" MAIL,
                   is_first ? 1 : 2);
        return;
    }
    c->step = STEP_MAIL;
    conversation_send(client, c, MAIL, sizeof MAIL - 1);
}

static void after_mail(struct client *client, struct conversation *c)
{
    if (c->rcpts > 0) {
        c->step = STEP_RCPT;
        send_rcpts(client, c, least(client->group > 0 ? client->group : 1, c->rcpts), "", 0);
    } else if (c->mails > 0 && client->group > 0) {
        send_mail(client, c, false);
    } else if (c->mails > 0) {
        c->step = STEP_RSET;
        conversation_send(client, c, "RSET\r\n", 6);
    } else {
        c->step = STEP_QUIT;
        conversation_send(client, c, "QUIT\r\n", 6);
    }
}

static void after_ehlo(struct client *client, struct conversation *c)
{
    if (c->mails > 0) {
        send_mail(client, c, true);
    } else {
        c->step = STEP_QUIT;
        conversation_send(client, c, "QUIT\r\n", 6);
    }
}

/* All replies of a step are in. */
static void conversation_next(struct client *client, struct conversation *c)
{
    static const char ehlo[] = "EHLO probe.limit.bench\r\n";
    c->awaited = 1;
    switch (c->step) {
    case STEP_MX:
    case STEP_A: break; /* no line yet */
    case STEP_BANNER:
        c->step = STEP_EHLO;
        conversation_send(client, c, ehlo, sizeof ehlo - 1);
        break;
    case STEP_EHLO: after_ehlo(client, c); break;
    case STEP_RSET: send_mail(client, c, false); break;
    case STEP_MAIL:
    case STEP_RCPT: after_mail(client, c); break;
    case STEP_QUIT: c->awaited = 0; break;
    }
}

static void conversation_hear(struct client *client, struct conversation *c, const char *text,
                              ssize_t n)
{
    for (ssize_t i = 0; i < n; i++) {
        if (c->column++ == COLUMN_FINAL) {
            c->is_final_line = text[i] != '-';
        }
        if (text[i] == '\n') {
            c->column = 0;
            client->replies += c->is_final_line;
            if (c->is_final_line && c->awaited > 0 && --c->awaited == 0) {
                conversation_next(client, c);
            }
        }
    }
}

static void conversation_read(struct client *client, struct conversation *c)
{
    char text[BUFFER_BYTES];
    ssize_t n = recv(c->fd, text, sizeof text, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            conversation_end(client, c);
        }
        return;
    }
    conversation_hear(client, c, text, n);
    if (c->step == STEP_QUIT && c->awaited == 0) {
        conversation_end(client, c);
    }
}

/* Of a ring, whose request lasts until the far end closes. */
static void on_ring(void *owner, void *context, const char *text, int len)
{
    struct client *client = owner;
    if (context == client) {
        take_answers(client);
    } else if (len > 0) {
        conversation_hear(client, context, text, len);
    } else {
        conversation_end(client, context);
    }
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void print_result(const struct client *clients, unsigned loops, double seconds)
{
    struct rusage used = {0};
    unsigned finished = 0, broken = 0;
    uint64_t replies = 0;
    getrusage(RUSAGE_SELF, &used);
    for (unsigned i = 0; i < loops; i++) {
        finished += clients[i].finished;
        broken += clients[i].broken;
        replies += clients[i].replies;
    }
    printf("{\"conversations\": %u, \"broken\": %u, \"replies\": %ju, \"seconds\": %.3f, "
           "\"per_second\": %.0f, \"user_s\": %.3f, \"system_s\": %.3f, \"rss_kib\": %ld}\n",
           finished, broken, (uintmax_t)replies, seconds, (double)finished / seconds,
           seconds_of(&used.ru_utime), seconds_of(&used.ru_stime), used.ru_maxrss);
}

static void open_client(struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    client->dns = limit_dns_client(client->dns_port);
    client->lines = calloc(client->concurrent, sizeof *client->lines);
    if (client->lines == NULL ||
        epoll_ctl(client->epoll, EPOLL_CTL_ADD, client->dns, &event) != 0) {
        limit_die("calloc");
    }
    if (client->wants_ring) {
        char *said = calloc(client->concurrent, BUFFER_BYTES);
        if (said == NULL) {
            limit_die("calloc");
        }
        client->said = said;
        client->ring = limit_ring_new();
        limit_ring_watch(client->ring, client->dns, client);
        for (unsigned i = 0; i < client->concurrent; i++) {
            client->lines[i].said = said + (size_t)i * BUFFER_BYTES;
        }
    }
}

static void turn(struct client *client)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(client->epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == client) {
            take_answers(client);
        } else {
            conversation_read(client, events[i].data.ptr);
        }
    }
}

static void *run(void *context)
{
    struct client *client = context;
    open_client(client);
    for (unsigned i = 0; i < client->concurrent && client->started < client->conversations; i++) {
        conversation_start(client, &client->lines[i]);
    }
    while (client->finished < client->conversations) {
        if (client->ring != NULL) {
            limit_ring_wait(client->ring, on_ring, client);
        } else {
            turn(client);
        }
    }
    limit_ring_free(client->ring);
    free(client->said);
    close(client->dns);
    close(client->epoll);
    free(client->lines);
    return NULL;
}

/* One thread's part of everything. */
static struct client part_of(const struct client *whole, unsigned loops, unsigned n)
{
    struct client part = *whole;
    part.conversations = limit_share(whole->conversations, loops, n);
    part.concurrent = limit_share(whole->concurrent, loops, n);
    part.rcpts = limit_share(whole->rcpts, loops, n);
    part.mails = limit_share(whole->mails, loops, n);
    part.lookups = limit_share(whole->lookups, loops, n);
    return part;
}

int main(int argc, char **argv)
{
    struct client whole = {.port = 2599,
                           .dns_port = 2553,
                           .hosts = 1,
                           .conversations = 100000,
                           .concurrent = 100,
                           .rcpts = 100000,
                           .mails = 100000};
    unsigned loops = 1;
    const struct limit_option options[] = {{"--port", &whole.port, 65535},
                                           {"--dns-port", &whole.dns_port, 65535},
                                           {"--hosts", &whole.hosts, LIMIT_HOSTS_MAX},
                                           {"--conversations", &whole.conversations, 100000000},
                                           {"--concurrent", &whole.concurrent, LOOKUPS_MAX},
                                           {"--rcpts", &whole.rcpts, 100000000},
                                           {"--mails", &whole.mails, 100000000},
                                           {"--lookups", &whole.lookups, 100000000},
                                           {"--pipelining", &whole.pipelining, 1},
                                           {"--group", &whole.group, 100},
                                           {"--ring", &whole.wants_ring, 1},
                                           {"--loops", &loops, LOOPS_MAX},
                                           {NULL, NULL, 0}};
    limit_options(argc, argv, options);
    limit_raise_files();
    struct client clients[LOOPS_MAX];
    uint64_t begun = limit_now_us();
    unsigned broken = 0;
    for (unsigned i = 0; i < loops; i++) {
        clients[i] = part_of(&whole, loops, i);
        if (pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0) {
            limit_die("pthread_create");
        }
    }
    for (unsigned i = 0; i < loops; i++) {
        pthread_join(clients[i].thread, NULL);
        broken += clients[i].broken;
    }
    print_result(clients, loops, (double)(limit_now_us() - begun) / 1e6);
    return broken == 0 ? 0 : 1;
}
