/* dns/answer: what came back for one question, judged: records, none, or trouble; aliases followed to their end
 * (RFC 1034 3.6.2, RFC 2308). For all machines that ask.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include "dns/message.h"

enum { DNS_ALIASES_MAX = 8 }; /* links followed for one name; more is a loop (RFC 1034 3.6.2) */

/* What became of a question on its way. */
enum dns_transport {
    DNS_TRANSPORT_ANSWERED,
    DNS_TRANSPORT_TIMEOUT,
    DNS_TRANSPORT_REFUSED, /* no resolver could be reached */
    DNS_TRANSPORT_FAILED,
};

enum dns_answer_kind {
    DNS_ANSWER_OPEN,      /* for who waits: nothing came yet */
    DNS_ANSWER_RECORDS,   /* dns_answer_next has them */
    DNS_ANSWER_NOT_FOUND, /* NXDOMAIN */
    DNS_ANSWER_NO_DATA,   /* the name exists and has no such records */
    DNS_ANSWER_CUT,       /* the chain of aliases was cut short: ask for `name` */
    DNS_ANSWER_ERROR,     /* says nothing; `failure` tells why */
};

struct dns_answer {
    enum dns_answer_kind kind;
    enum dns_failure failure;
    uint16_t type;             /* asked for */
    char name[DNS_NAME_BYTES]; /* the end of the aliases */
    unsigned aliases;          /* links followed */
    uint32_t ttl_s;            /* the least of links and records; UINT32_MAX: there were none */
    struct dns_message message;
};

/* name: as it was asked, lower case, without the last dot. bytes must live as long as texts of TXT records are
 * wanted. Fills all of *out. */
void dns_answer_read(const char *name, uint16_t type, enum dns_transport transport,
                     struct slice bytes, struct dns_answer *out);

/* The records that answer, in the order of the message: NULL starts; NULL at the end. */
const struct dns_record *dns_answer_next(const struct dns_answer *answer,
                                         const struct dns_record *after);

#endif
