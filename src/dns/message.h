/* dns/message: reading DNS answers and writing messages (RFC 1035 4.1), as far as mail routing needs: A, AAAA,
 * MX, CNAME, PTR, SOA, TXT, and what is said beside it: NS, SRV, TLSA. Compression pointers only go backwards, and names are bounded, so no message can
 * make reading long. Names come out lower-case, without the last dot, odd octets as \DDD.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include "base/buf.h"
#include "base/ip.h"
#include "dns/route.h"

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_DS = 43,
    DNS_TLSA = 52
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5
};

enum { DNS_RECORDS_MAX = 64 }; /* of one answer; further ones are not looked at */

struct dns_record {
    char owner[DNS_NAME_BYTES];
    uint16_t type;
    uint32_t ttl_s;
    uint16_t preference;         /* MX; SRV: its priority */
    uint16_t weight, port;       /* SRV */
    char target[DNS_NAME_BYTES]; /* MX, CNAME, NS, PTR, SRV; "" is the root */
    struct ip ip;                /* A, AAAA */
    uint32_t serial;             /* SOA */
    uint32_t minimum_s;          /* SOA: the life of a negative answer (RFC 2308) */
    struct slice
        text; /* TXT: strings, each behind its length; TLSA: the data; within the bytes that were read */
};

struct dns_message {
    uint16_t id;
    bool is_response, is_truncated;
    bool is_authoritative, is_authentic; /* AA (RFC 1035 4.1.1), AD (RFC 4035 3.2.3); not written */
    uint8_t rcode;
    char question[DNS_NAME_BYTES]; /* of the first question; "" where there is none */
    uint16_t question_type;
    size_t answer_count;
    struct dns_record answers[DNS_RECORDS_MAX];
    bool has_negative_ttl; /* an SOA in the authority section */
    uint32_t negative_ttl_s;
};

/* ERR_SYNTAX for what is no DNS message, or one that lies about its own size. Texts of TXT records are borrowed
 * from bytes; all else is copied. */
enum err dns_message_parse(struct slice bytes, struct dns_message *out) MUST_USE;

/* Writes header, question and answers, uncompressed; with negative_ttl_s above zero also an SOA in the
 * authority section. ERR_LIMIT, ERR_NOMEM, ERR_SYNTAX for a name that cannot be written. */
enum err dns_message_write(const struct dns_message *message, struct buf *out) MUST_USE;

/* A question that a name server itself is asked: no recursion wanted. Errors as above. */
enum err dns_question_write(uint16_t id, const char *name, uint16_t type, struct buf *out) MUST_USE;

/* The strings of a TXT record put together, as all who read policies do (RFC 7208 3.3). ERR_LIMIT, ERR_NOMEM. */
enum err dns_text_join(struct slice text, struct buf *out) MUST_USE;

/* The strings of a TXT record one by one, cut from the front of *rest (RFC 1035 3.3.14). False at the end. */
bool dns_text_next(struct slice *rest, struct slice *out);

#endif
