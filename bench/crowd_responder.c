/* bench/crowd_responder: the world of bench/million.py: SMTP servers of many kinds and their names in one thread over
 * bare epoll. It enforces no limit; it counts, for each far end and client address, what a limit would be held
 * against, and prints it as one line of JSON when SIGTERM or SIGINT ends it.
 *
 * Standard input has a line of six numbers for each server, in their order:
 *     far_end  delay_ms  greylist_s  pipelining  first  second
 * the far end that it belongs to; how long each answer is held back; how long a stranger's first RCPT is put off
 * (0: not at all); whether it offers PIPELINING; and the exchangers of its domains, which are dN.bench and
 * cN.bench with N modulo servers: itself twice, or a first one that is dead and a second. A delay of DEAD_DELAY is a
 * server that nothing listens at. Server n of far end g is mxN.gG.bench, on the address of limit_host(n).
 *
 * cN.bench takes mail for everybody; at dN.bench only local parts that begin with "real" exist. From --block-after RCPTs
 * at far end --block-far-end on, all of --block-client's there are refused with the words of a block list. Clients are
 * 127.0.0.1 + --first-client and those that follow.
 * SPDX-License-Identifier: Apache-2.0 */
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crowd_strangers.h"
#include "limit.h"
#include "limit_dns.h"
#include "limit_server.h"

enum {
    SERVERS_MAX = 1000,
    CLIENTS_MAX = 8,
    DEAD_DELAY = 999999,
    HOUR_SLOTS = 61, /* minutes: the running one and all that an hour before it touches */
};

/* What a far end saw of one client. Peaks are of one moment, session, transaction, or hour. */
struct tally {
    uint64_t conversations, mails, rcpts, accepted, refused, put_off, datas, without_quit;
    uint64_t blocked; /* RCPTs refused with the words of the block list */
    unsigned open, open_peak;
    unsigned session_rcpts_peak, session_refused_peak, session_mails_peak, transaction_rcpts_peak;
    unsigned hour[HOUR_SLOTS], hour_peak;
    uint64_t minute; /* of the newest slot */
};

struct far_end {
    struct tally clients[CLIENTS_MAX];
    uint64_t rcpts;
    unsigned open, open_peak;
};

struct server {
    struct limit_endpoint listener;
    struct far_end *far_end;
    unsigned number, far_end_number, delay_ms, greylist_s, pipelining;
    unsigned exchangers[LIMIT_MX_MAX];
    struct limit_queue held;
};

struct conversation {
    struct limit_endpoint endpoint;
    struct server *server;
    struct tally *tally;
    unsigned client;
    struct limit_held held;
    struct crowd *crowd;
    bool has_quit;
    bool is_leaving; /* QUIT was answered, or the peer is gone */
    unsigned rcpts, refused, mails, transaction_rcpts;
    struct limit_lines lines;
};

struct crowd {
    unsigned port, dns_port, first_client, clients, block_far_end, block_client, block_after;
    int epoll;
    bool is_stopping;
    unsigned server_count, far_end_count;
    struct server servers[SERVERS_MAX];
    struct far_end *far_ends;
    struct strangers strangers;
    uint64_t begun_us;
    uint64_t dns, unknown_clients;
    unsigned open, open_peak;
};

static void raise_to(unsigned *peak, unsigned value)
{
    if (*peak < value) {
        *peak = value;
    }
}

/* --- conversations ----------------------------------------------------------------------------- */

static void say(struct conversation *c, const char *text)
{
    c->is_leaving = c->is_leaving || !limit_say(&c->lines, text);
}

static void conversation_close(struct conversation *c)
{
    close(c->endpoint.fd);
    c->crowd->open--;
    c->server->far_end->open--;
    c->tally->open--;
    c->tally->without_quit += c->has_quit ? 0 : 1;
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
    struct server *server = c->server;
    if (server->delay_ms == 0) {
        conversation_flush(c);
    } else {
        limit_hold(&server->held, &c->held, server->delay_ms);
    }
}

static struct conversation *of_held(struct limit_held *held)
{
    return (struct conversation *)(void *)((char *)held - offsetof(struct conversation, held));
}

static void answer_due(struct crowd *crowd)
{
    uint64_t now = limit_now_us();
    for (unsigned i = 0; i < crowd->server_count; i++) {
        struct limit_queue *queue = &crowd->servers[i].held;
        struct limit_held *held = limit_take_due(queue, now);
        for (; held != NULL; held = limit_take_due(queue, now)) {
            conversation_flush(of_held(held));
        }
    }
}

static void count_refusal(const struct crowd *crowd, struct conversation *c)
{
    struct tally *tally = c->tally;
    uint64_t minute = (limit_now_us() - crowd->begun_us) / 60000000u;
    for (; tally->minute < minute; tally->minute++) {
        tally->hour[(tally->minute + 1) % HOUR_SLOTS] = 0;
    }
    tally->hour[minute % HOUR_SLOTS]++;
    unsigned sum = 0;
    for (unsigned i = 0; i < HOUR_SLOTS; i++) {
        sum += tally->hour[i];
    }
    raise_to(&tally->hour_peak, sum);
    tally->refused++;
    c->refused++;
    raise_to(&tally->session_refused_peak, c->refused);
}

static bool is_blocked(const struct crowd *crowd, const struct conversation *c)
{
    return c->server->far_end_number == crowd->block_far_end && c->client == crowd->block_client &&
           c->server->far_end->rcpts > crowd->block_after;
}

/* The greylist knows a recipient by its client. */
static bool is_put_off(struct crowd *crowd, const struct conversation *c, const char *rcpt,
                       size_t len)
{
    if (c->server->greylist_s == 0) {
        return false;
    }
    uint32_t now_ms = (uint32_t)((limit_now_us() - crowd->begun_us) / 1000u);
    return !strangers_pass(&crowd->strangers, rcpt, len, c->client, c->server->greylist_s * 1000u,
                           now_ms);
}

/* line is "RCPT TO:<local@domain>" and what may follow. */
static void answer_rcpt(struct crowd *crowd, struct conversation *c, const char *line, size_t len)
{
    static const char reals[] = "RCPT TO:<real";
    const char *at = memchr(line, '@', len);
    const char *end = memchr(line, '>', len);
    if (at == NULL || end == NULL || end < at) {
        count_refusal(crowd, c);
        say(c, "501 5.1.3 Bad recipient address syntax\r\n");
        return;
    }
    if (is_blocked(crowd, c)) {
        count_refusal(crowd, c);
        c->tally->blocked++;
        char text[128];
        (void)snprintf(text, sizeof text,
                       "550 5.7.1 Service unavailable; client [127.0.0.%u] blocked using "
                       "zen.spamhaus.org\r\n",
                       1 + crowd->first_client + c->client);
        say(c, text);
        return;
    }
    if (is_put_off(crowd, c, line, (size_t)(end - line))) {
        c->tally->put_off++;
        char text[96];
        (void)snprintf(text, sizeof text,
                       "450 4.7.1 Greylisted, please try again in %u seconds\r\n",
                       c->server->greylist_s);
        say(c, text);
        return;
    }
    if (at[1] == 'c' || limit_begins(line, len, reals)) {
        c->tally->accepted++;
        say(c, "250 2.1.5 Ok\r\n");
        return;
    }
    count_refusal(crowd, c);
    say(c, "550 5.1.1 No such user here\r\n");
}

static void command_rcpt(struct conversation *c, const char *line, size_t len)
{
    c->rcpts++;
    c->transaction_rcpts++;
    c->tally->rcpts++;
    c->server->far_end->rcpts++;
    raise_to(&c->tally->session_rcpts_peak, c->rcpts);
    raise_to(&c->tally->transaction_rcpts_peak, c->transaction_rcpts);
    answer_rcpt(c->crowd, c, line, len);
}

static void command_mail(struct conversation *c)
{
    c->mails++;
    c->transaction_rcpts = 0;
    c->tally->mails++;
    raise_to(&c->tally->session_mails_peak, c->mails);
    say(c, "250 2.1.0 Ok\r\n");
}

static void command(void *context, const char *line, size_t len)
{
    struct conversation *c = context;
    if (limit_begins(line, len, "RCPT")) {
        command_rcpt(c, line, len);
    } else if (limit_begins(line, len, "MAIL")) {
        command_mail(c);
    } else if (limit_begins(line, len, "EHLO")) {
        say(c, c->server->pipelining != 0
                   ? "250-mx.bench\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"
                   : "250-mx.bench\r\n250 ENHANCEDSTATUSCODES\r\n");
    } else if (limit_begins(line, len, "RSET")) {
        say(c, "250 2.0.0 Ok\r\n");
    } else if (limit_begins(line, len, "QUIT")) {
        say(c, "221 2.0.0 Bye\r\n");
        c->has_quit = true;
        c->is_leaving = true;
    } else {
        c->tally->datas +=
            limit_begins(line, len, "DATA") || limit_begins(line, len, "BDAT") ? 1 : 0;
        say(c, "502 5.5.1 Not here\r\n");
    }
}

static void conversation_read(struct conversation *c)
{
    if (limit_hear(&c->lines, c->endpoint.fd, command, c)) {
        if (c->lines.out_len > 0) {
            conversation_answer(c);
        }
        return;
    }
    c->is_leaving = true;
    if (c->held.is_queued) {
        epoll_ctl(c->crowd->epoll, EPOLL_CTL_DEL, c->endpoint.fd, NULL);
    } else {
        conversation_close(c);
    }
}

/* One at a time: whoever closed a line before this one was opened is heard first. */
static void listener_accept(struct crowd *crowd, struct server *server)
{
    struct sockaddr_in from = {0};
    socklen_t from_len = sizeof from;
    int fd = accept4(server->listener.fd, (struct sockaddr *)&from, &from_len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    unsigned client = ntohl(from.sin_addr.s_addr) - INADDR_LOOPBACK - crowd->first_client;
    if (client >= crowd->clients) {
        crowd->unknown_clients++;
        close(fd);
        return;
    }
    struct conversation *c = calloc(1, sizeof *c);
    if (c == NULL) {
        limit_die("calloc");
    }
    c->endpoint = (struct limit_endpoint){.kind = LIMIT_CONVERSATION, .fd = fd};
    c->crowd = crowd;
    c->server = server;
    c->client = client;
    c->tally = &server->far_end->clients[client];
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    c->tally->conversations++;
    raise_to(&c->tally->open_peak, ++c->tally->open);
    raise_to(&server->far_end->open_peak, ++server->far_end->open);
    raise_to(&crowd->open_peak, ++crowd->open);
    limit_watch(crowd->epoll, &c->endpoint);
    say(c, "220 mx.bench ESMTP\r\n");
    conversation_answer(c);
}

/* --- names ------------------------------------------------------------------------------------- */

static void host_name(const struct crowd *crowd, unsigned server, char out[LIMIT_NAME_BYTES])
{
    (void)snprintf(out, LIMIT_NAME_BYTES, "mx%u.g%u.bench", server,
                   crowd->servers[server].far_end_number);
}

static void names_of(const void *context, const char *name, struct limit_names *out)
{
    const struct crowd *crowd = context;
    bool is_host = strncmp(name, "mx", 2) == 0;
    const char *digits = name + strcspn(name, "0123456789");
    unsigned number = (unsigned)strtoul(digits, NULL, 10);
    if (*digits == '\0' || (is_host && number >= crowd->server_count)) {
        return;
    }
    if (is_host) {
        char known[LIMIT_NAME_BYTES];
        host_name(crowd, number, known);
        out->is_known = out->has_address = strcmp(name, known) == 0;
        out->address = limit_host(number, 0).sin_addr;
        return;
    }
    const struct server *server = &crowd->servers[number % crowd->server_count];
    out->is_known = true;
    out->mx_count = server->exchangers[0] == server->exchangers[1] ? 1 : 2;
    for (unsigned i = 0; i < out->mx_count; i++) {
        host_name(crowd, server->exchangers[i], out->mx[i]);
    }
}

/* --- start and end ----------------------------------------------------------------------------- */

static unsigned number_read(const char **at)
{
    char *end = NULL;
    unsigned long number = strtoul(*at, &end, 10);
    if (end == *at || number > DEAD_DELAY) {
        limit_die("plan");
    }
    *at = end;
    return (unsigned)number;
}

static void plan_read(struct crowd *crowd)
{
    char line[128];
    while (crowd->server_count < SERVERS_MAX && fgets(line, sizeof line, stdin) != NULL) {
        const char *at = line;
        struct server *server = &crowd->servers[crowd->server_count];
        server->number = crowd->server_count++;
        server->far_end_number = number_read(&at);
        server->delay_ms = number_read(&at);
        server->greylist_s = number_read(&at);
        server->pipelining = number_read(&at);
        server->exchangers[0] = number_read(&at);
        server->exchangers[1] = number_read(&at);
        if (crowd->far_end_count <= server->far_end_number) {
            crowd->far_end_count = server->far_end_number + 1;
        }
    }
    crowd->far_ends = calloc(crowd->far_end_count, sizeof *crowd->far_ends);
    if (crowd->far_ends == NULL) {
        limit_die("plan");
    }
    for (unsigned i = 0; i < crowd->server_count; i++) {
        struct server *server = &crowd->servers[i];
        server->far_end = &crowd->far_ends[server->far_end_number];
        if (server->exchangers[0] >= crowd->server_count ||
            server->exchangers[1] >= crowd->server_count) {
            limit_die("plan");
        }
    }
}

static void server_listen(const struct crowd *crowd, struct server *server)
{
    struct sockaddr_in address = limit_host(server->number, crowd->port);
    server->listener =
        (struct limit_endpoint){.kind = LIMIT_LISTENER, .fd = limit_listen(&address)};
    limit_watch(crowd->epoll, &server->listener);
}

/* New lines after all others: one that was closed before counts no more then. */
static void turn(struct crowd *crowd, const struct epoll_event *events, int count)
{
    struct server *called[SERVERS_MAX];
    unsigned called_count = 0;
    for (int i = 0; i < count; i++) {
        struct limit_endpoint *endpoint = events[i].data.ptr;
        switch (endpoint->kind) {
        case LIMIT_LISTENER: called[called_count++] = (struct server *)(void *)endpoint; break;
        case LIMIT_CONVERSATION: conversation_read((struct conversation *)(void *)endpoint); break;
        case LIMIT_DNS: crowd->dns += limit_dns_serve(endpoint->fd, names_of, crowd); break;
        case LIMIT_SIGNAL: crowd->is_stopping = true; break;
        }
    }
    for (unsigned i = 0; i < called_count; i++) {
        listener_accept(crowd, called[i]);
    }
}

static int wait_ms(const struct crowd *crowd)
{
    uint64_t due_us = UINT64_MAX;
    for (unsigned i = 0; i < crowd->server_count; i++) {
        const struct limit_held *first = crowd->servers[i].held.first;
        due_us = first != NULL && first->due_us < due_us ? first->due_us : due_us;
    }
    return limit_wait_ms(due_us);
}

static void print_tally(const struct tally *t)
{
    printf("{\"conversations\": %ju, \"mails\": %ju, \"rcpts\": %ju, \"accepted\": %ju, "
           "\"refused\": %ju, \"put_off\": %ju, \"blocked\": %ju, \"datas\": %ju, "
           "\"without_quit\": %ju, \"open\": %u, \"session_rcpts\": %u, \"session_refused\": %u, "
           "\"session_mails\": %u, \"transaction_rcpts\": %u, \"hour_refused\": %u}",
           (uintmax_t)t->conversations, (uintmax_t)t->mails, (uintmax_t)t->rcpts,
           (uintmax_t)t->accepted, (uintmax_t)t->refused, (uintmax_t)t->put_off,
           (uintmax_t)t->blocked, (uintmax_t)t->datas, (uintmax_t)t->without_quit, t->open_peak,
           t->session_rcpts_peak, t->session_refused_peak, t->session_mails_peak,
           t->transaction_rcpts_peak, t->hour_peak);
}

static void print_counts(const struct crowd *crowd)
{
    printf("{\"open\": %u, \"dns\": %ju, \"unknown_clients\": %ju, \"moved\": %ju, "
           "\"early\": %ju, \"far_ends\": [",
           crowd->open_peak, (uintmax_t)crowd->dns, (uintmax_t)crowd->unknown_clients,
           (uintmax_t)crowd->strangers.moved, (uintmax_t)crowd->strangers.early);
    for (unsigned i = 0; i < crowd->far_end_count; i++) {
        printf("%s{\"open\": %u, \"clients\": [", i == 0 ? "" : ", ", crowd->far_ends[i].open_peak);
        for (unsigned k = 0; k < crowd->clients; k++) {
            printf("%s", k == 0 ? "" : ", ");
            print_tally(&crowd->far_ends[i].clients[k]);
        }
        printf("]}");
    }
    printf("]}\n");
}

static void start(struct crowd *crowd)
{
    static struct limit_endpoint names = {.kind = LIMIT_DNS};
    static struct limit_endpoint ends = {.kind = LIMIT_SIGNAL};
    for (unsigned i = 0; i < crowd->server_count; i++) {
        if (crowd->servers[i].delay_ms != DEAD_DELAY) {
            server_listen(crowd, &crowd->servers[i]);
        }
    }
    names.fd = limit_dns_open(crowd->dns_port);
    limit_watch(crowd->epoll, &names);
    ends.fd = limit_end_signals();
    limit_watch(crowd->epoll, &ends);
}

int main(int argc, char **argv)
{
    static struct crowd crowd = {.port = 2599,
                                 .dns_port = 2553,
                                 .first_client = 10,
                                 .clients = 1,
                                 .block_far_end = UINT32_MAX};
    const struct limit_option options[] = {{"--port", &crowd.port, 65535},
                                           {"--dns-port", &crowd.dns_port, 65535},
                                           {"--first-client", &crowd.first_client, 200},
                                           {"--clients", &crowd.clients, CLIENTS_MAX},
                                           {"--block-far-end", &crowd.block_far_end, SERVERS_MAX},
                                           {"--block-client", &crowd.block_client, CLIENTS_MAX},
                                           {"--block-after", &crowd.block_after, UINT32_MAX},
                                           {NULL, NULL, 0}};
    limit_options(argc, argv, options);
    limit_raise_files();
    plan_read(&crowd);
    crowd.begun_us = limit_now_us();
    crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
    start(&crowd);
    printf("ready\n");
    fflush(stdout);
    while (!crowd.is_stopping) {
        struct epoll_event events[LIMIT_EVENTS];
        int count = epoll_wait(crowd.epoll, events, LIMIT_EVENTS, wait_ms(&crowd));
        turn(&crowd, events, count);
        answer_due(&crowd);
    }
    print_counts(&crowd);
    return 0;
}
