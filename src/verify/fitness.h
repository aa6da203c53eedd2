/* verify/fitness: whether a machine is fit to ask mail servers: what was found out about it and its egresses as
 * plain values, and a pure function that says what is right, what to mend and how. Gathered by engine/doctor.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_FITNESS_H
#define VERIFY_FITNESS_H

#include "dns/spf.h"
#include "providers/blocklist.h"
#include "verify/evidence.h"

enum {
    FITNESS_EGRESSES_MAX = 64,
    FITNESS_NAMES_MAX =
        8, /* reverse names of an address, addresses of a name; further ones are cut */
    FITNESS_FAR_MAX = 3, /* far servers that are tried */
    FITNESS_TEXT_BYTES = 640,
    FITNESS_FINDINGS_MAX = 4096,
};

/* ---- what was found out ---- */

enum fitness_clock { FITNESS_CLOCK_UNKNOWN, FITNESS_CLOCK_KEPT, FITNESS_CLOCK_ALONE };

struct fitness_machine {
    enum dns_answer_kind
        resolver; /* to a name that everybody knows; DNS_ANSWER_OPEN: nothing came */
    enum dns_failure resolver_failure;
    enum dns_answer_kind invented; /* to a name that cannot exist */
    struct ip invented_ip;         /* where it was said to be; IP_NONE */
    int64_t wall_ms;               /* Unix time here */
    int64_t earliest_ms;           /* it cannot be earlier than this; 0: nothing is known */
    enum fitness_clock clock;      /* whether something keeps it right */
    uint64_t files_max,
        files_wanted;  /* descriptors that may be open, and that a run needs; 0: not looked */
    const char *store; /* NULL: not looked at; "": writable; else what is wrong */
    bool has_ipv6;
};

/* One list and what it said of one subject. */
struct fitness_listing {
    enum dns_answer_kind kind; /* DNS_ANSWER_OPEN: not asked */
    struct blocklist_word word;
};

/* Of the subjects in the order of enum blocklist_subject. */
enum { FITNESS_ADDRESS_V4, FITNESS_ADDRESS_V6, FITNESS_DOMAIN, FITNESS_SUBJECTS };

/* A list's test points (RFC 5782 5). */
struct fitness_list_test {
    struct fitness_listing listed, clean; /* must be in it, must not be */
};

struct fitness_reverse {
    char name[DNS_NAME_BYTES];
    enum dns_answer_kind forward; /* of its address records */
    bool is_confirmed;            /* one of them is our address */
};

/* A try to speak with a large provider's server. */
enum fitness_far_state {
    FITNESS_FAR_OPEN,
    FITNESS_FAR_NO_NAME,
    FITNESS_FAR_FAILED,
    FITNESS_FAR_TALKED
};
struct fitness_far {
    enum fitness_far_state state;
    const char *host;
    struct evidence evidence; /* FITNESS_FAR_FAILED */
    struct ip seen;           /* how it calls us; IP_NONE */
};

enum fitness_origin {
    FITNESS_ORIGIN_NONE,
    FITNESS_ORIGIN_GIVEN, /* by the user */
    FITNESS_ORIGIN_OWN,   /* it is that of an interface */
    FITNESS_ORIGIN_SEEN,  /* a far server said so */
};

struct fitness_spf {
    bool is_asked;
    struct spf_outcome outcome;
};

/* One egress in one address family. */
struct fitness_address {
    bool is_used;
    struct ip
        local; /* that connections leave from here; IP_NONE: there is no way, or it is a proxy's */
    struct ip public; /* that others see; IP_NONE: not known */
    enum fitness_origin origin;
    const char *seen_by; /* FITNESS_ORIGIN_SEEN */
    struct fitness_far far[FITNESS_FAR_MAX];
    size_t far_count;
    enum dns_answer_kind reverse;
    size_t reverse_count;
    struct fitness_reverse reverses[FITNESS_NAMES_MAX];
    struct fitness_spf mail_from, helo;
    struct fitness_listing listings[BLOCKLISTS_MAX];
};

enum { FITNESS_V4, FITNESS_V6, FITNESS_FAMILIES };

struct fitness_name {
    struct slice name; /* empty: there is none */
    struct fitness_listing listings[BLOCKLISTS_MAX];
};

struct fitness_egress {
    struct slice label;     /* for people; empty: the only one */
    struct slice helo;      /* EHLO name or address literal; empty: none that could be used */
    struct slice mail_from; /* empty: the null sender */
    const char *obstacle;   /* why nothing can leave there at all; NULL: it can */
    enum dns_answer_kind helo_kind[FITNESS_FAMILIES];
    size_t helo_count;
    struct ip helo_ips[FITNESS_FAMILIES * FITNESS_NAMES_MAX];
    const struct route *bounces; /* of MAIL FROM's domain; NULL: not looked up */
    bool has_mailbox;            /* its server was asked for MAIL FROM */
    struct evidence mailbox;
    struct fitness_address addresses[FITNESS_FAMILIES];
    struct fitness_name domains[2]; /* of the EHLO name and of MAIL FROM */
};

struct fitness_facts {
    struct fitness_machine machine;
    const struct blocklist_book *lists; /* NULL: none are asked */
    struct fitness_list_test tests[BLOCKLISTS_MAX][FITNESS_SUBJECTS];
    size_t egress_count;
    struct fitness_egress *egresses;
};

/* ---- what that means ---- */

enum fitness_check {
    FITNESS_RESOLVER,
    FITNESS_HONESTY, /* of the resolver, about names that do not exist */
    FITNESS_CLOCK,
    FITNESS_FILES,
    FITNESS_STORE,
    FITNESS_IPV6,
    FITNESS_PUBLIC_IP,
    FITNESS_PORT_25,
    FITNESS_REVERSE_NAME,
    FITNESS_EHLO_NAME,
    FITNESS_SPF,
    FITNESS_BLOCK_LISTS,
    FITNESS_MAIL_FROM,
    FITNESS_BOUNCE,
};

enum fitness_level {
    FITNESS_OK,
    FITNESS_ADVICE,  /* it works; better so */
    FITNESS_UNKNOWN, /* it could not be found out, and it matters */
    FITNESS_MEND,
};

struct fitness_finding {
    enum fitness_check check;
    enum fitness_level level;
    int egress;                    /* its place; -1: the machine */
    struct ip ip;                  /* the address it is about; IP_NONE */
    char text[FITNESS_TEXT_BYTES]; /* what is; words of strangers in it are raw */
    char hint[FITNESS_TEXT_BYTES]; /* what to do; may be empty */
};

struct fitness_report {
    struct fitness_finding *findings; /* in the order to show: the machine, then each egress */
    size_t count, room;
};

/* ERR_NOMEM; ERR_LIMIT above FITNESS_FINDINGS_MAX. */
enum err fitness_judge(const struct fitness_facts *facts, struct fitness_report *out) MUST_USE;
void fitness_report_done(struct fitness_report *report); /* safe on a zeroed one */

/* The worst of all findings. */
enum fitness_level fitness_level_of(const struct fitness_report *report);

const char *fitness_check_name(enum fitness_check check); /* "port_25" */
const char *fitness_level_name(enum fitness_level level); /* "ok", "advice", "unknown", "mend" */

#endif
