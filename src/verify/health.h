/* verify/health: whether a domain's DNS does its mail good: what was found out about it as plain values, and a pure
 * function that says what to mend, why, and which record to publish. Gathered by tools/health.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_HEALTH_H
#define VERIFY_HEALTH_H

#include "base/arena.h"
#include "dns/spf_tree.h"
#include "message/dkim_key.h"
#include "message/dmarc.h"
#include "verify/fitness.h"

enum {
    HEALTH_MX_MAX = ROUTE_EXCHANGERS_MAX,
    HEALTH_NS_MAX = 13,
    HEALTH_ADDRESSES_MAX = ROUTE_ADDRESSES_MAX, /* of one host */
    HEALTH_TLSA_MAX = 16,
    HEALTH_KEYS_MAX = 96,
    HEALTH_SELECTOR_BYTES = 64,
    HEALTH_EGRESSES_MAX = 16,
    HEALTH_REPORTS_MAX = 8,  /* of a DMARC policy: domains that reports go to */
    HEALTH_SERVICES_MAX = 9, /* SRV names of autodiscovery */
    HEALTH_TARGETS_MAX = 4,  /* of one of them */
    HEALTH_TEXT_BYTES_MAX = 8192,
    HEALTH_WORDS_BYTES = 200,
    HEALTH_FINDINGS_MAX = 512,
    HEALTH_MEMORY_BYTES_MAX = 16 << 20, /* of what is known of one domain */
};

/* ---- what was found out ---- */

/* A policy in TXT records. */
struct health_text {
    char name[DNS_NAME_BYTES]; /* where it was looked for */
    enum dns_answer_kind kind; /* DNS_ANSWER_OPEN: not asked */
    enum dns_failure failure;
    unsigned count;    /* records there that are meant for this */
    struct slice text; /* of the first of them, its strings joined; raw */
    bool is_cut;       /* it was longer than HEALTH_TEXT_BYTES_MAX */
};

enum health_port_state {
    HEALTH_PORT_OPEN, /* not asked */
    HEALTH_PORT_FAILED,
    HEALTH_PORT_TURNED_AWAY, /* it answers, and says that it does not want us */
    HEALTH_PORT_TALKED,
};

/* An address of a mail server, or one that mail leaves from. */
struct health_address {
    struct ip ip;
    bool is_special; /* not public, and in no network that may be contacted */
    enum dns_answer_kind reverse;
    size_t reverse_count;
    char reverse_name[DNS_NAME_BYTES]; /* the first, or one that leads back */
    bool is_confirmed;                 /* it leads back to the address */
    enum health_port_state port;
    bool has_starttls;
    char port_words[HEALTH_WORDS_BYTES]; /* what went wrong; raw */
    struct fitness_listing listings[BLOCKLISTS_MAX];
};

struct health_host {
    char name[DNS_NAME_BYTES]; /* "" is the root */
    enum dns_answer_kind kinds[FITNESS_FAMILIES];
    enum dns_failure failure; /* where one of them is an error */
    bool is_alias;
    size_t address_count;
    struct health_address *addresses[HEALTH_ADDRESSES_MAX];
};

/* RFC 6698 2.1 */
struct health_tlsa {
    uint8_t usage, selector, matching;
    size_t data_bytes;
};

struct health_mx {
    uint16_t preference;
    struct health_host host;
    enum dns_answer_kind tlsa_kind;
    bool is_tlsa_authentic;
    size_t tlsa_count;
    struct health_tlsa tlsa[HEALTH_TLSA_MAX];
};

enum health_ns_state {
    HEALTH_NS_OPEN,   /* not asked */
    HEALTH_NS_SILENT, /* no connection, or no answer */
    HEALTH_NS_LAME,   /* it answers, and not for this domain (RFC 1912 2.8) */
    HEALTH_NS_ANSWERED,
};

struct health_ns {
    struct health_host host;
    enum health_ns_state state;
    bool is_asked;
    uint32_t serial; /* HEALTH_NS_ANSWERED */
};

enum health_key_from { HEALTH_KEY_GIVEN, HEALTH_KEY_MAIL, HEALTH_KEY_COMMON };

struct health_key {
    char selector[HEALTH_SELECTOR_BYTES];
    enum health_key_from from;
    char name[DNS_NAME_BYTES]; /* where it was looked for */
    enum dns_answer_kind kind; /* DNS_ANSWER_OPEN: not asked */
    enum dns_failure failure;
    enum dkim_fault fault; /* DNS_ANSWER_RECORDS: as dkim_key_answer has it */
    struct dkim_key key;   /* the same */
};

/* Of another organizational domain, which DMARC reports go to (RFC 7489 7.1). */
struct health_report_target {
    char domain[DNS_NAME_BYTES];
    char name[DNS_NAME_BYTES]; /* of the record by which it agrees */
    enum dns_answer_kind kind;
    bool is_authorised;
};

enum health_fetch { HEALTH_FETCH_OPEN, HEALTH_FETCH_FAILED, HEALTH_FETCH_DONE };

/* RFC 8461 3.3 */
struct health_policy_file {
    enum health_fetch state;
    char words[HEALTH_WORDS_BYTES]; /* HEALTH_FETCH_FAILED; raw */
    unsigned status;
    struct slice content_type, body; /* raw */
};

struct health_service {
    const char *label; /* "_submissions._tcp" */
    enum dns_answer_kind kind;
    size_t target_count;
    struct {
        uint16_t port;
        struct health_host host; /* "" where the service is said not to be there (RFC 6186 3.4) */
    } targets[HEALTH_TARGETS_MAX];
};

struct health_egress {
    struct health_address *address;
    struct spf_outcome spf;
    bool has_spf;
};

enum health_age { HEALTH_AGE_OPEN, HEALTH_AGE_UNKNOWN, HEALTH_AGE_KNOWN };

struct health_facts {
    struct arena arena;
    char domain[DNS_NAME_BYTES]; /* A-labels */
    int64_t wall_ms;             /* when it was asked */
    bool is_partial;             /* the time was over before all had answered */
    enum dns_answer_kind soa;    /* of the domain; NOT_FOUND: it does not exist */
    enum dns_failure failure;
    bool is_authentic; /* the resolver says so of it (RFC 4035 3.2.3) */
    enum dns_answer_kind ds;
    enum dns_answer_kind mx_kind;
    enum dns_failure mx_failure;
    bool is_mx_authentic;
    size_t mx_count, mx_beyond; /* that stand in the DNS beyond HEALTH_MX_MAX */
    struct health_mx *mx;
    bool is_implicit_mx; /* mx[0] is the domain itself */
    bool has_null_mx;    /* one of the records is "0 ." (RFC 7505) */
    enum dns_answer_kind ns_kind;
    size_t ns_count;
    struct health_ns *ns;
    uint16_t port; /* that mail servers were tried at */
    const struct spf_tree_view *spf;
    bool has_dmarc;            /* its search is over */
    struct dmarc_search dmarc; /* of the domain, or of its organizational domain */
    size_t report_count;
    struct health_report_target reports[HEALTH_REPORTS_MAX];
    size_t key_count;
    struct health_key *keys;
    struct health_text sts;
    struct health_policy_file sts_policy;
    struct health_text tls_rpt, bimi;
    size_t service_count;
    struct health_service services[HEALTH_SERVICES_MAX];
    struct health_host autoconfig, autodiscover;
    size_t egress_count;
    struct health_egress egresses[HEALTH_EGRESSES_MAX];
    const struct blocklist_book *lists; /* NULL: none are asked */
    struct fitness_list_test tests[BLOCKLISTS_MAX][FITNESS_SUBJECTS];
    struct fitness_listing listings[BLOCKLISTS_MAX]; /* of the domain */
    enum health_age age;
    uint32_t registered_day; /* since 1970; HEALTH_AGE_KNOWN */
};

/* ---- what that means ---- */

enum health_area {
    HEALTH_DNS,
    HEALTH_MX,
    HEALTH_SPF,
    HEALTH_DKIM,
    HEALTH_DMARC,
    HEALTH_MTA_STS,
    HEALTH_TLS_RPT,
    HEALTH_DANE,
    HEALTH_BIMI,
    HEALTH_AUTODISCOVERY,
    HEALTH_LISTS,
    HEALTH_AREAS,
};

enum health_level {
    HEALTH_UNKNOWN, /* it could not be found out */
    HEALTH_ADVICE,
    HEALTH_WARNING,
    HEALTH_ERROR,
    HEALTH_CRITICAL,
};

struct health_judge;

/* One check: what it is called, how much it weighs, why it matters. It adds any number of findings. */
struct health_check {
    const char *name; /* "spf_too_many_lookups" */
    enum health_area area;
    enum health_level level;
    const char *why;
    void (*look)(struct health_judge *judge);
};

struct health_finding {
    const struct health_check *check;
    const char *text; /* what is; words of strangers in it are raw */
    const char *todo; /* what to do */
    const char
        *record; /* what to publish, as a line of a zone file; "" where that is not one record */
};

struct health_report {
    struct health_finding findings[HEALTH_FINDINGS_MAX];
    size_t count;
    bool is_cut;             /* there are more findings */
    unsigned score;          /* 0 to 100 */
    char grade;              /* 'A' to 'F' */
    enum health_level worst; /* HEALTH_UNKNOWN also where there is none */
};

/* Texts of the findings are kept in the arena of the facts. ERR_NOMEM. */
enum err health_judge(struct health_facts *facts, struct health_report *out) MUST_USE;

const char *health_area_name(enum health_area area);    /* "mta_sts" */
const char *health_area_label(enum health_area area);   /* "MTA-STS" */
const char *health_level_name(enum health_level level); /* "critical" */
const char *health_key_from_name(enum health_key_from from);

/* Every check, for lists of them. */
const struct health_check *health_check_at(size_t index); /* NULL behind the last */

/* Whether a record stands there that is meant for a key: a usual name may be answered by a wildcard with something else
 * (RFC 6376 6.1.2 has such records ignored). */
bool health_key_is_there(const struct health_key *key);
const char *health_key_kind(const struct health_key *key); /* "rsa", "ed25519", "unknown" */

/* Whether there is a DMARC record, one that holds or not; the policy of the domain is then dmarc_policy_for. */
bool health_has_dmarc_record(const struct health_facts *facts);
/* The domain whose policy it is, or was looked for last. */
const char *health_dmarc_domain(const struct health_facts *facts);

/* Whether senders of mail look at this record (RFC 7672 3.1). */
bool health_tlsa_is_usable(const struct health_tlsa *tlsa);

/* The values of a line "key: value" of an MTA-STS policy, one after the other: *rest starts as all of it. */
bool health_policy_value(struct slice *rest, struct slice key, struct slice *out);
/* Whether one of its lines "mx: NAME" is for this host (RFC 8461 4.1). */
bool health_policy_names(struct slice policy, struct slice host);

/* Selectors of the DKIM-Signature fields at the top of a message (RFC 6376 3.5): those of domain, as many as there is
 * room for; how many. None of a header beyond the ceilings of message/header. */
size_t health_mail_selectors(struct slice message, struct slice domain,
                             char (*out)[HEALTH_SELECTOR_BYTES], size_t room);

#endif
