/* bench/limit_dns: the name server beside a benchmark's SMTP servers: answers A and MX questions over UDP with what
 * its caller knows of a name; and the questions of the limit client. Nothing else: no EDNS, no TCP, no truncation.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_LIMIT_DNS_H
#define BENCH_LIMIT_DNS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LIMIT_NAME_BYTES = 64, LIMIT_MX_MAX = 2, LIMIT_PACKET_BYTES = 512 /* RFC 1035 4.2.1 */ };

struct limit_names {
    bool is_known; /* else the name does not exist */
    bool has_address;
    struct in_addr address;
    unsigned mx_count;
    char mx[LIMIT_MX_MAX][LIMIT_NAME_BYTES]; /* by preference */
};

/* What there is of a name ("d7.bench"); *out is zeroed. */
typedef void (*limit_names_fn)(const void *context, const char *name, struct limit_names *out);

/* A socket on 127.0.0.1. Ends the program where it cannot be had. */
int limit_dns_open(unsigned port);
struct limit_dns_reply {
    struct sockaddr_in to;
    size_t len; /* 0: there is nothing to say */
    unsigned char packet[LIMIT_PACKET_BYTES];
};
/* The answer to the next question that waits there; false: none does. */
bool limit_dns_next(int fd, limit_names_fn fn, const void *context, struct limit_dns_reply *out);
void limit_dns_send(int fd, const struct limit_dns_reply *reply);
/* Answers all that waits there; how many questions that were. */
unsigned limit_dns_serve(int fd, limit_names_fn fn, const void *context);

enum { LIMIT_DNS_A = 1, LIMIT_DNS_MX = 15 };
/* A socket that asks the server at that port, and does not block. Ends the program where it cannot be had. */
int limit_dns_client(unsigned port);
void limit_dns_ask(int fd, uint16_t id, const char *name, unsigned type);
/* The number of the question that the next answer belongs to; -1: there is none. The answer is believed unread. */
int limit_dns_answered(int fd);

#endif
