/* bench/limit_dns: names of the benchmarks; see limit_dns.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "limit_dns.h"

#include <string.h>
#include <sys/socket.h>

#include "limit.h"

enum {
    ANSWER_BYTES = 256, /* kept free for what is answered: two exchangers */
    HEADER_BYTES = 12,
    TTL_SECONDS = 3600,
    RECEIVE_BYTES = 4 << 20,
};

static void put16(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

/* The name at the question as text, and where it ends; 0: it is none, or too long. */
static size_t name_read(const unsigned char *packet, size_t len, char out[LIMIT_NAME_BYTES])
{
    size_t at = HEADER_BYTES;
    size_t used = 0;
    while (at < len && packet[at] != 0) {
        size_t label = packet[at];
        if (at + 1 + label >= len || used + label + 2 > LIMIT_NAME_BYTES) {
            return 0;
        }
        if (used > 0) {
            out[used++] = '.';
        }
        memcpy(out + used, packet + at + 1, label);
        used += label;
        at += label + 1;
    }
    out[used] = '\0';
    return at + 5 <= len ? at + 5 : 0; /* root label, type, class */
}

/* The wire form of a name; its length. */
static size_t name_write(unsigned char *at, const char *name)
{
    size_t used = 0;
    while (*name != '\0') {
        size_t label = strcspn(name, ".");
        at[used] = (unsigned char)label;
        memcpy(at + used + 1, name, label);
        used += label + 1;
        name += label + (name[label] == '.' ? 1 : 0);
    }
    at[used] = 0;
    return used + 1;
}

/* A record of the name asked for, its data to follow; the length. */
static size_t record_head(unsigned char *at, unsigned type, size_t data_len)
{
    put16(at, 0xc000 | HEADER_BYTES);
    put16(at + 2, type);
    put16(at + 4, 1);
    put16(at + 6, 0);
    put16(at + 8, TTL_SECONDS);
    put16(at + 10, (unsigned)data_len);
    return 12;
}

static size_t records_write(unsigned char *at, unsigned type, const struct limit_names *names,
                            unsigned *out_count)
{
    size_t used = 0;
    *out_count = 0;
    if (type == LIMIT_DNS_A && names->has_address) {
        used = record_head(at, type, 4);
        memcpy(at + used, &names->address, 4);
        *out_count = 1;
        return used + 4;
    }
    for (unsigned i = 0; type == LIMIT_DNS_MX && i < names->mx_count; i++) {
        size_t len = strlen(names->mx[i]) + 2;
        used += record_head(at + used, type, len + 2);
        put16(at + used, 10 * (i + 1)); /* preference */
        used += 2 + name_write(at + used + 2, names->mx[i]);
        ++*out_count;
    }
    return used;
}

/* Turns the query into its answer in place; the new length, 0: do not answer. */
static size_t answer(unsigned char *packet, size_t len, limit_names_fn fn, const void *context)
{
    char name[LIMIT_NAME_BYTES];
    size_t end = name_read(packet, len, name);
    if (end == 0) {
        return 0;
    }
    struct limit_names names = {0};
    fn(context, name, &names);
    unsigned count = 0;
    unsigned type = (unsigned)packet[end - 4] << 8 | packet[end - 3];
    size_t more = records_write(packet + end, type, &names, &count);
    packet[2] = 0x84 | (packet[2] & 1); /* an answer, authoritative */
    packet[3] = (unsigned char)(0x80 | (names.is_known ? 0 : 3));
    put16(packet + 4, 1);
    put16(packet + 6, count);
    put16(packet + 8, 0);
    put16(packet + 10, 0);
    return end + more;
}

int limit_dns_open(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        limit_die("bind");
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){RECEIVE_BYTES}, sizeof(int));
    return fd;
}

bool limit_dns_next(int fd, limit_names_fn fn, const void *context, struct limit_dns_reply *out)
{
    socklen_t to_len = sizeof out->to;
    ssize_t n = recvfrom(fd, out->packet, LIMIT_PACKET_BYTES - ANSWER_BYTES, MSG_DONTWAIT,
                         (struct sockaddr *)&out->to, &to_len);
    if (n <= HEADER_BYTES) {
        return false;
    }
    out->len = answer(out->packet, (size_t)n, fn, context);
    return true;
}

void limit_dns_send(int fd, const struct limit_dns_reply *reply)
{
    if (reply->len > 0) {
        sendto(fd, reply->packet, reply->len, 0, (const struct sockaddr *)&reply->to,
               sizeof reply->to);
    }
}

unsigned limit_dns_serve(int fd, limit_names_fn fn, const void *context)
{
    struct limit_dns_reply reply = {0};
    unsigned count = 0;
    for (; limit_dns_next(fd, fn, context, &reply); count++) {
        limit_dns_send(fd, &reply);
    }
    return count;
}

int limit_dns_client(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        limit_die("connect");
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){RECEIVE_BYTES}, sizeof(int));
    return fd;
}

void limit_dns_ask(int fd, uint16_t id, const char *name, unsigned type)
{
    unsigned char packet[LIMIT_PACKET_BYTES] = {0};
    put16(packet, id);
    packet[2] = 1; /* recursion desired */
    put16(packet + 4, 1);
    size_t len = HEADER_BYTES + name_write(packet + HEADER_BYTES, name);
    put16(packet + len, type);
    put16(packet + len + 2, 1);
    if (send(fd, packet, len + 4, 0) < 0) {
        limit_die("send");
    }
}

int limit_dns_answered(int fd)
{
    unsigned char packet[LIMIT_PACKET_BYTES];
    ssize_t n = recv(fd, packet, sizeof packet, 0);
    return n < HEADER_BYTES ? -1 : (int)((unsigned)packet[0] << 8 | packet[1]);
}
