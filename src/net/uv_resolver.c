/* net/uv_resolver: DNS questions over c-ares on the loop: UDP first, TCP where an answer was cut. Answers are
 * handed up as they came; what they say is dns/message's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ares.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"
#include "net/uv_private.h"

enum {
    RESOLVER_QUERY_TIMEOUT_MS = 3000,
    RESOLVER_TRIES = 3,
    RESOLVER_RECEIVE_BYTES = 1 << 20, /* answers come in bursts; the kernel may allow less */
    RESOLVER_BEAT_MS = 50,            /* how exactly time limits are kept */
    RESOLVER_SERVERS_MAX = 8,
    DNS_CLASS_IN = 1,
    DNS_PORT = 53,
    QUESTION_HEAD_BYTES = 12,
    QUESTION_TEXT_MAX = 253, /* of a name: 255 octets on the wire (RFC 1035 2.3.4) */
    QUESTION_BYTES_MAX = QUESTION_HEAD_BYTES + QUESTION_TEXT_MAX + 2 + 4,
    QUESTION_LABEL_MAX = 63,
    FLAG_AUTHENTIC = 0x20, /* AD, in the second octet of the flags (RFC 6840 5.7) */
    RESOLVER_IDS = 64,     /* drawn at a time: each draw is a call of the kernel */
};

/* A socket of c-ares that the loop watches. */
struct resolver_socket {
    struct resolver_socket *next;
    struct resolver_channel *channel;
    ares_socket_t fd;
    int events; /* of libuv, that c-ares waits for */
    uv_poll_t poll;
};

struct resolver_channel {
    struct uv_resolver *resolver;
    ares_channel ares;
    bool is_open;
};

/* The first channel goes on to the next server after SERVFAIL, NOTIMP and REFUSED; where all servers said so
 * c-ares 1.18 reports no more than where none was there. Then the second one is asked, which takes the first
 * word of anybody; few ever need it, so it is opened then. */
enum { CHANNEL_SEEKS, CHANNEL_TAKES, CHANNELS };

struct uv_resolver {
    struct uv_door *door;
    int timeout_ms, tries;
    struct ares_addr_port_node servers[RESOLVER_SERVERS_MAX];
    size_t server_count; /* 0: those of the system */
    struct resolver_channel channels[CHANNELS];
    unsigned open;  /* questions that c-ares has */
    bool is_asking; /* inside ares_query */
    bool wants_authentic;
    bool is_closing; /* the channel is going or gone */
    uint16_t ids[RESOLVER_IDS];
    size_t ids_left;
    struct resolver_socket *sockets;
    struct timer tick;
    struct resolver_query *late; /* failed at once and not told yet */
};

struct resolver_query {
    struct resolver_query *next, **place; /* in resolver->late */
    query_fn fn;
    void *context;
    struct door *door;
    int status; /* of a question that failed at once */
    struct timer late;
    bool is_second; /* asked on CHANNEL_TAKES */
    uint16_t type;
    char name[256];
};

/* c-ares looks through all its questions to say when it wants to be called; a steady beat is cheaper. */
static void set_tick(struct uv_resolver *resolver)
{
    struct door *door = &resolver->door->door;
    if (resolver->open == 0) {
        door_timer_stop(door, &resolver->tick);
    } else if (resolver->tick.place == 0) {
        door_timer_start(door, &resolver->tick, door_now_ms(door) + RESOLVER_BEAT_MS);
    }
}

static void on_tick(void *context)
{
    struct uv_resolver *resolver = context;
    for (size_t i = 0; i < CHANNELS; i++) {
        if (resolver->channels[i].is_open) {
            ares_process_fd(resolver->channels[i].ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        }
    }
    set_tick(resolver);
}

/* libuv stops to watch a socket with an error, as a UDP socket has whose server was away for a moment; a question sent
 * meanwhile has heard of it instead of c-ares' next look, and the socket stays in use. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct resolver_socket *socket = poll->data;
    struct resolver_channel *channel = socket->channel;
    ares_socket_t fd = socket->fd;
    if (status < 0) {
        (void)uv_poll_start(poll, socket->events, on_poll);
    }
    bool can_read = status < 0 || (events & UV_READABLE) != 0;
    bool can_write = status < 0 || (events & UV_WRITABLE) != 0;
    ares_process_fd(channel->ares, can_read ? fd : ARES_SOCKET_BAD,
                    can_write ? fd : ARES_SOCKET_BAD);
    set_tick(channel->resolver);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void socket_drop(struct resolver_socket **at)
{
    struct resolver_socket *socket = *at;
    *at = socket->next;
    (void)uv_poll_stop(&socket->poll);
    uv_close((uv_handle_t *)&socket->poll, on_poll_closed);
}

static void on_socket(void *context, ares_socket_t fd, int readable, int writable)
{
    struct resolver_channel *channel = context;
    struct uv_resolver *resolver = channel->resolver;
    struct resolver_socket **at = &resolver->sockets;
    while (*at != NULL && (*at)->fd != fd) {
        at = &(*at)->next;
    }
    if (readable == 0 && writable == 0) {
        if (*at != NULL) {
            socket_drop(at);
        }
        return;
    }
    if (*at == NULL) {
        struct resolver_socket *socket = calloc(1, sizeof *socket);
        if (socket == NULL || uv_poll_init(&resolver->door->loop, &socket->poll, fd) != 0) {
            free(socket); /* the question will time out */
            return;
        }
        socket->channel = channel;
        socket->fd = fd;
        socket->poll.data = socket;
        *at = socket;
    }
    (*at)->events = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
    (void)uv_poll_start(&(*at)->poll, (*at)->events, on_poll);
}

/* Servers. */

static enum err read_servers(struct uv_resolver *resolver, const struct uv_door_config *config,
                             struct fault *out_fault)
{
    struct ares_addr_port_node *nodes = resolver->servers;
    size_t count = 0;
    for (; count < config->resolver_count && count < RESOLVER_SERVERS_MAX; count++) {
        struct ip ip;
        uint16_t port = DNS_PORT;
        if (!ip_port_parse(slice_of(config->resolvers[count]), &ip, &port)) {
            return fault_set(
                out_fault, ERR_SYNTAX, 0,
                "--resolver: '%.80s' is not an address like 192.0.2.53, 127.0.0.1:5353 "
                "or [2001:db8::1]:53",
                config->resolvers[count]);
        }
        nodes[count] = (struct ares_addr_port_node){
            .family = ip.family == IP_V6 ? AF_INET6 : AF_INET, .udp_port = port, .tcp_port = port};
        memcpy(&nodes[count].addr, ip.bytes, ip.family == IP_V6 ? 16 : 4);
        if (count > 0) {
            nodes[count - 1].next = &nodes[count];
        }
    }
    resolver->server_count = count;
    return ERR_NONE;
}

static int channel_open(struct uv_resolver *resolver, size_t which)
{
    struct resolver_channel *channel = &resolver->channels[which];
    channel->resolver = resolver;
    struct ares_options options = {
        .timeout = resolver->timeout_ms,
        .tries = resolver->tries,
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
                 (which == CHANNEL_TAKES ? ARES_FLAG_NOCHECKRESP : 0),
        .socket_receive_buffer_size = RESOLVER_RECEIVE_BYTES,
        .sock_state_cb = on_socket,
        .sock_state_cb_data = channel,
    };
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB |
               ARES_OPT_SOCK_RCVBUF;
    int status = ares_init_options(&channel->ares, &options, mask);
    channel->is_open = status == ARES_SUCCESS;
    if (channel->is_open && resolver->server_count > 0) {
        status = ares_set_servers_ports(channel->ares, resolver->servers);
    }
    return status;
}

/* c-ares asks the next server after SERVFAIL, NOTIMP and REFUSED and keeps only the word: told upwards as
 * the header that said it, so that nobody confuses it with silence (RFC 1035 4.1.1). */
static struct slice header_of(int status)
{
    static const char servfail[12] = {0, 0, (char)0x81, (char)0x82};
    static const char not_implemented[12] = {0, 0, (char)0x81, (char)0x84};
    static const char refused[12] = {0, 0, (char)0x81, (char)0x85};
    switch (status) {
    case ARES_ESERVFAIL: return slice_make(servfail, sizeof servfail);
    case ARES_ENOTIMP: return slice_make(not_implemented, sizeof not_implemented);
    case ARES_EREFUSED: return slice_make(refused, sizeof refused);
    default: return SLICE_NONE;
    }
}

static void answer(struct resolver_query *query, int status, struct slice message)
{
    enum query_status told = QUERY_FAILED;
    if (message.len == 0) {
        message = header_of(status);
    }
    if (message.len > 0) {
        told = QUERY_ANSWERED;
    } else if (status == ARES_ETIMEOUT) {
        told = QUERY_TIMEOUT;
    } else if (status == ARES_ECONNREFUSED) {
        told = QUERY_REFUSED;
    }
    query->fn(query->context, told, message);
    free(query);
}

static void on_late(void *context)
{
    struct resolver_query *query = context;
    *query->place = query->next;
    if (query->next != NULL) {
        query->next->place = query->place;
    }
    answer(query, query->status, SLICE_NONE);
}

/* Failed inside a call; told from the loop like everything. */
static void tell_late(struct uv_resolver *resolver, struct resolver_query *query, int status)
{
    query->status = status;
    query->place = &resolver->late;
    query->next = resolver->late;
    if (query->next != NULL) {
        query->next->place = &query->next;
    }
    resolver->late = query;
    query->late = (struct timer){.fired = on_late, .context = query};
    door_timer_start(query->door, &query->late, door_now_ms(query->door));
}

static void on_answer(void *context, int status, int timeouts, unsigned char *message, int len);

/* The labels on the wire, with the root's (RFC 1035 3.1). 0: an escape in it, a label that is none, or a name that must
 * not be asked for at all (RFC 7686): c-ares sees to those. */
static size_t put_labels(struct slice name, unsigned char *out)
{
    if (name.len == 0 || name.len > QUESTION_TEXT_MAX || slice_ends_nocase(name, SLICE("onion")) ||
        slice_find_byte(name, '\\', 0) < name.len) {
        return 0;
    }
    size_t begin = 0;
    while (begin <= name.len) {
        size_t end = slice_find_byte(name, '.', begin);
        size_t len = end - begin;
        if (len == 0 || len > QUESTION_LABEL_MAX) {
            return 0;
        }
        out[begin] = (unsigned char)len;
        memcpy(out + begin + 1, name.at + begin, len);
        begin = end + 1;
    }
    out[begin] = 0;
    return begin + 1;
}

static uint16_t next_id(struct uv_resolver *resolver)
{
    if (resolver->ids_left == 0) {
        door_random_bytes(&resolver->door->door, resolver->ids, sizeof resolver->ids);
        resolver->ids_left = RESOLVER_IDS;
    }
    return resolver->ids[--resolver->ids_left];
}

static void put_u16(unsigned char *out, unsigned value)
{
    out[0] = (unsigned char)(value >> 8 & 0xff);
    out[1] = (unsigned char)(value & 0xff);
}

/* The same octets that c-ares would make (RFC 1035 4.1), at a small part of what it takes there. 0: c-ares makes them. */
static size_t write_question(struct uv_resolver *resolver, const struct resolver_query *query,
                             unsigned char out[QUESTION_BYTES_MAX])
{
    size_t len = put_labels(slice_of(query->name), out + QUESTION_HEAD_BYTES);
    if (len == 0) {
        return 0;
    }
    memset(out, 0, QUESTION_HEAD_BYTES);
    put_u16(out, next_id(resolver));
    out[2] = 1; /* recursion is wanted */
    out[3] = resolver->wants_authentic ? FLAG_AUTHENTIC : 0;
    out[5] = 1; /* question */
    unsigned char *behind = out + QUESTION_HEAD_BYTES + len;
    put_u16(behind, query->type);
    put_u16(behind + 2, DNS_CLASS_IN);
    return QUESTION_HEAD_BYTES + len + 4;
}

/* The question as c-ares writes it, and in it the AD bit, for which it has no option. */
static void send_authentic(struct resolver_channel *channel, struct resolver_query *query)
{
    unsigned char *bytes = NULL;
    int len = 0;
    int status = ares_create_query(query->name, DNS_CLASS_IN, query->type,
                                   next_id(channel->resolver), 1, &bytes, &len, 0);
    if (status != ARES_SUCCESS) {
        channel->resolver->open--;
        tell_late(channel->resolver, query, status);
        return;
    }
    bytes[3] |= FLAG_AUTHENTIC;
    ares_send(channel->ares, bytes, len, on_answer, query);
    ares_free_string(bytes);
}

static void send_query(struct resolver_channel *channel, struct resolver_query *query)
{
    UNFILLED unsigned char question[QUESTION_BYTES_MAX];
    size_t len = write_question(channel->resolver, query, question);
    if (len > 0) {
        ares_send(channel->ares, question, (int)len, on_answer, query);
    } else if (channel->resolver->wants_authentic) {
        send_authentic(channel, query);
    } else {
        ares_query(channel->ares, query->name, DNS_CLASS_IN, query->type, on_answer, query);
    }
}

static bool can_take(struct uv_resolver *resolver)
{
    return !resolver->is_closing && (resolver->channels[CHANNEL_TAKES].is_open ||
                                     channel_open(resolver, CHANNEL_TAKES) == ARES_SUCCESS);
}

static void on_answer(void *context, int status, int timeouts, unsigned char *message, int len)
{
    (void)timeouts;
    struct resolver_query *query = context;
    struct uv_resolver *resolver = ((struct uv_door *)(void *)query->door)->resolver;
    resolver->open--;
    if (resolver->is_asking) {
        tell_late(resolver, query, status);
        return;
    }
    if (status == ARES_ECONNREFUSED && !query->is_second && can_take(resolver)) {
        query->is_second = true;
        resolver->open++;
        send_query(&resolver->channels[CHANNEL_TAKES], query);
        return;
    }
    struct slice bytes = SLICE_NONE;
    if (message != NULL && len > 0 && status != ARES_ETIMEOUT) {
        bytes = slice_make((const char *)message, (size_t)len);
    }
    answer(query, status, bytes);
}

void uv_resolver_close(struct uv_resolver *resolver)
{
    if (resolver == NULL) {
        return;
    }
    resolver->is_closing = true;
    for (size_t i = 0; i < CHANNELS; i++) {
        if (resolver->channels[i].is_open) {
            ares_destroy(resolver->channels[i].ares); /* ends each question: ARES_EDESTRUCTION */
        }
    }
    while (resolver->late != NULL) {
        struct resolver_query *query = resolver->late;
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the one before took itself out of the list, by its place */
        door_timer_stop(query->door, &query->late);
        query->status = ARES_EDESTRUCTION; /* nobody is there to act on anything better */
        on_late(query);
    }
    while (resolver->sockets != NULL) {
        socket_drop(&resolver->sockets);
    }
    door_timer_stop(&resolver->door->door, &resolver->tick);
    ares_library_cleanup();
    free(resolver);
}

enum err uv_resolver_open(struct uv_door *door, const struct uv_door_config *config,
                          struct uv_resolver **out, struct fault *out_fault)
{
    struct uv_resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    resolver->door = door;
    resolver->wants_authentic = config->wants_authentic;
    resolver->tick = (struct timer){.fired = on_tick, .context = resolver};
    resolver->timeout_ms =
        (int)(config->query_timeout_ms == 0 ? RESOLVER_QUERY_TIMEOUT_MS : config->query_timeout_ms);
    resolver->tries = (int)(config->query_tries == 0 ? RESOLVER_TRIES : config->query_tries);
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status != ARES_SUCCESS) {
        free(resolver);
        return fault_set(out_fault, ERR_SYSTEM, 0, "cannot set up DNS: %s", ares_strerror(status));
    }
    enum err e = read_servers(resolver, config, out_fault);
    status = e == ERR_NONE ? channel_open(resolver, CHANNEL_SEEKS) : ARES_SUCCESS;
    if (status != ARES_SUCCESS) {
        e = fault_set(out_fault, ERR_SYSTEM, 0, "cannot set up DNS: %s", ares_strerror(status));
    }
    if (e != ERR_NONE) {
        uv_resolver_close(resolver);
        return e;
    }
    *out = resolver;
    return ERR_NONE;
}

void uv_resolver_query(struct door *base, struct slice name, uint16_t type, query_fn fn,
                       void *context)
{
    struct uv_resolver *resolver = ((struct uv_door *)(void *)base)->resolver;
    struct resolver_query *query = malloc(sizeof *query);
    must(query != NULL); /* the answer could not be told from the loop: there is no way on */
    memset(query, 0, offsetof(struct resolver_query, name));
    query->fn = fn;
    query->context = context;
    query->door = base;
    query->type = type;
    bool is_name = name.len < sizeof query->name && slice_find_byte(name, '\0', 0) == name.len;
    if (!is_name || resolver->is_closing) {
        tell_late(resolver, query, is_name ? ARES_EDESTRUCTION : ARES_EBADNAME);
        return;
    }
    memcpy(query->name, name.at, name.len);
    query->name[name.len] = '\0';
    resolver->open++;
    resolver->is_asking = true;
    send_query(&resolver->channels[CHANNEL_SEEKS], query);
    resolver->is_asking = false;
    set_tick(resolver);
}
