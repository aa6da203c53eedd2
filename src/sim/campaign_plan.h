/* sim/campaign_plan: what one seed stands for: far ends with their tempers, domains, addresses, and for every
 * address the truth about its mailbox. Addresses are not kept: each is made from its number, and its number is
 * read back from its text, so that a million of them cost nothing and a control cannot hit one by chance.
 * The same options give the same plan, whatever the machine.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_PLAN_H
#define SIM_CAMPAIGN_PLAN_H

#include "base/err.h"
#include "base/ip.h"
#include "engine/knocker.h"
#include "sim/peer.h"
#include "sim/world.h"

enum {
    CAMPAIGN_HOSTS_MAX = 3,
    CAMPAIGN_NAME_BYTES = 64,
    CAMPAIGN_ADDRESS_BYTES = 96,
    CAMPAIGN_WEATHER_MAX = 16,
};

/* What may be wrong with a far end or with the way to it; a plan draws from those that are allowed. */
enum campaign_fault {
    CAMPAIGN_GREYLIST, /* of the triplet, the sender or the client; some restart the time */
    CAMPAIGN_POISON, /* after some refused RCPTs a session is slowed, refused, or accepts whatever comes */
    CAMPAIGN_BLOCK,     /* after so many refused RCPTs an hour our address is refused */
    CAMPAIGN_CATCH_ALL, /* takes any name, or any of a shape */
    CAMPAIGN_DEAD,      /* exchangers that refuse, are silent, or go down and come back */
    CAMPAIGN_SLOW,      /* late banners and answers, some later than anybody waits */
    CAMPAIGN_TARPIT,    /* refusals are late */
    CAMPAIGN_BUSY,      /* 421 in the greeting or in the middle, 451 for a while */
    CAMPAIGN_CUT,       /* the line ends in the middle */
    CAMPAIGN_TLS,       /* handshakes that fail, hang or are asked for in vain */
    CAMPAIGN_DNS,       /* domains without a way, and name servers that fail, some for a while */
    CAMPAIGN_MAILBOX,   /* full, disabled, moved, forwarded, temporarily away */
    CAMPAIGN_LIMITS,    /* fewer connections or RCPTs than we would use */
    CAMPAIGN_PACKETS,   /* jitter, and answers in pieces */
    CAMPAIGN_GROUPS, /* RCPTs that go out together are refused, lost or answered in another order */
    CAMPAIGN_PROVIDER, /* one far end behind many names of a known provider */
    CAMPAIGN_VANITY,   /* one far end behind a name of its own for each domain */
    CAMPAIGN_FAULTS,
};
/* Left out: sites are told apart by the names of their exchangers, so one machine under many names is many
 * sites to us, each with limits of its own. */
#define CAMPAIGN_FAULTS_USUAL ((1u << CAMPAIGN_FAULTS) - 1 - (1u << CAMPAIGN_VANITY))

const char *campaign_fault_name(enum campaign_fault fault);

struct campaign_options {
    uint64_t seed;
    uint32_t addresses;
    unsigned faults;   /* set of 1 << enum campaign_fault */
    unsigned egresses; /* ways out, at most CAMPAIGN_EGRESSES_MAX; 0: one */
};

enum { CAMPAIGN_EGRESSES_MAX = 3 };

enum campaign_truth {
    CAMPAIGN_LIVE,
    CAMPAIGN_UNKNOWN, /* no such mailbox */
    CAMPAIGN_FULL,
    CAMPAIGN_DISABLED,
    CAMPAIGN_MOVED,
    CAMPAIGN_FORWARDED,
    CAMPAIGN_AWAY, /* always a temporary error */
};

enum campaign_way {
    CAMPAIGN_WAY_MX,
    CAMPAIGN_WAY_IMPLICIT, /* no MX, an address */
    CAMPAIGN_WAY_ALIAS,    /* a CNAME to a name with an MX */
    CAMPAIGN_WAY_NXDOMAIN,
    CAMPAIGN_WAY_NULL_MX,
    CAMPAIGN_WAY_NO_HOST,    /* its exchanger does not exist */
    CAMPAIGN_WAY_UNROUTABLE, /* its exchanger has a private address */
    CAMPAIGN_WAY_SERVFAIL,
    CAMPAIGN_WAY_TIMEOUT,
    CAMPAIGN_WAY_REFUSED,
    CAMPAIGN_WAY_BROKEN,
};

struct campaign_host {
    char ip[IP_TEXT_BYTES], ip6[IP_TEXT_BYTES]; /* ip6 empty: none */
    enum world_behaviour behaviour, behaviour6;
    uint32_t latency_ms;
};

struct campaign_plan;

/* A far end: one to three exchangers that speak by one script. */
struct campaign_site {
    const struct campaign_plan *plan;
    uint32_t number;
    unsigned faults;       /* of those allowed, what it has */
    bool is_plain;         /* an honest server: each answer can be foretold */
    const char *mx_suffix; /* of a known provider; NULL: its own names */
    uint8_t live_percent;  /* of its mailboxes */
    struct peer_script script;
    enum world_tls tls;
    uint32_t jitter_ms;
    size_t split_bytes;
    unsigned host_count;
    struct campaign_host hosts[CAMPAIGN_HOSTS_MAX];
    uint32_t domain_count;
};

struct campaign_domain {
    uint32_t site, first; /* number of its first address */
    enum campaign_way way;
};

/* Something that goes wrong at a time and is well again later. */
struct campaign_weather {
    uint64_t from_ms, to_ms; /* after the start */
    bool is_dns;
    uint32_t domain; /* is_dns: this one's names fail */
    uint32_t site;   /* else: this one's hosts */
    enum zone_failure failure;
    enum world_behaviour behaviour;
};

/* How our side asks. */
struct campaign_settings {
    struct knocker_config knocker; /* its egresses are these: */
    struct traffic_egress egresses[CAMPAIGN_EGRESSES_MAX];
    bool is_patient; /* no budget and no limit ends a question: every answer must be found */
    bool has_store;
    bool is_interleaved; /* domains in turn, not one after the other */
};

struct campaign_plan {
    struct campaign_options options;
    struct campaign_settings settings;
    uint32_t site_count, domain_count;
    struct campaign_site *sites;
    struct campaign_domain *domains;
    unsigned weather_count;
    struct campaign_weather weather[CAMPAIGN_WEATHER_MAX];
};

/* ERR_NOMEM. */
enum err campaign_plan_new(const struct campaign_options *options, struct campaign_plan **out)
    MUST_USE;
void campaign_plan_free(struct campaign_plan *plan);

/* The text of an address, and its number back; UINT32_MAX where the path is none of the plan's. */
void campaign_address(const struct campaign_plan *plan, uint32_t number,
                      char out[CAMPAIGN_ADDRESS_BYTES]);
uint32_t campaign_number(const struct campaign_plan *plan, struct slice path);
uint32_t campaign_domain_of(const struct campaign_plan *plan, uint32_t number);
enum campaign_truth campaign_truth(const struct campaign_plan *plan, uint32_t number);

/* The n-th exchanger's name as this domain's MX record has it. */
void campaign_exchanger(const struct campaign_plan *plan, uint32_t domain, unsigned n,
                        char out[CAMPAIGN_NAME_BYTES]);

/* The site that stands at an address of the world; NULL: none. */
const struct campaign_site *campaign_site_at(const struct campaign_plan *plan, const struct ip *ip);

/* sim/campaign_site: draws the temper of a far end; plan->settings are drawn. */
void campaign_site_draw(struct campaign_site *site, uint64_t seed);
/* sim/campaign_settings */
void campaign_settings_draw(struct campaign_settings *settings, uint64_t seed, unsigned egresses);

#endif
