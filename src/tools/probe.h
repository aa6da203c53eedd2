/* tools/probe: the test of a mail server: finds the hosts of a target, holds the conversation that the plan describes
 * with each, and looks closer where the plan says so: versions of TLS, the STARTTLS injection, DANE, each way to log in,
 * other ports, relaying. tools/probe_judge says what of it is wrong, tools/probe_report shows it.
 *
 * The caller waits: the loop of the door runs until all is done, or somebody stops it: sets what talk.is_called_off points
 * to, then calls door_stop. What was seen by then is the result.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_H
#define TOOLS_PROBE_H

#include "dns/answer.h"
#include "net/http_client.h"
#include "tools/probe_talk.h"
#include "tools/probe_target.h"

enum {
    PROBE_HOSTS_MAX = ROUTE_EXCHANGERS_MAX,
    PROBE_VERSIONS = 4, /* TLS 1.0 to 1.3 */
    PROBE_PORTS = 4,    /* 25, 465, 587, 2525 */
    PROBE_RCPTS_MAX = 32,
    PROBE_TRIALS_MAX = 16,
};

enum probe_answer { PROBE_NOT_TRIED, PROBE_YES, PROBE_NO, PROBE_UNKNOWN };
const char *probe_answer_name(enum probe_answer answer);

struct probe_plan {
    struct probe_target target;
    uint16_t port;                     /* 0: the target's, or that of its scheme */
    bool all_hosts;                    /* of a domain; else the first that can be reached */
    struct slice only_host;            /* of a domain: this exchanger alone; empty: any */
    bool trusts_named_ip;              /* an address that was named itself may be private */
    const struct ip_net *allowed_nets; /* private networks that may be contacted */
    size_t allowed_net_count;
    bool no_ipv4, no_ipv6;
    struct ip source_v4, source_v6;
    struct slice server_name; /* SNI instead of the host's name; empty: that */
    /* What is said; the runner fills in ip, port, source, server_name, tls, dane, digester and, for smtps and lmtp,
     * tls_mode and is_lmtp. */
    struct probe_talk_config talk;
    struct tls_settings tls;
    bool examines_tls, compares_ports, tests_logins;
    struct http_client *http; /* for the MTA-STS policy of a domain; NULL: it is not looked at */
    uint16_t policy_port;     /* where policies are served; 0: that of https */
    const struct probe_trial *relay; /* forms to try; none: relay_count 0 */
    size_t relay_count;
    const char *const *relay_words; /* what each form is */
    /* Told what is done next, with talk.context; NULL: nobody cares. */
    void (*moved)(void *context, struct slice what);
    struct slice added; /* lines that were put before the message, for show; see probe_message */
};

struct probe_version {
    enum probe_answer offered;
    char detail[PROBE_DETAIL_BYTES];
};

enum probe_injection {
    PROBE_INJECTION_NOT_TRIED,
    PROBE_INJECTION_DROPPED, /* right: what came in the clear was thrown away (RFC 3207 4.2) */
    PROBE_INJECTION_REFUSED, /* right: the server did not go on */
    PROBE_INJECTION_IN_CLEAR, /* answered before the handshake, which then breaks: clumsy, not dangerous */
    PROBE_INJECTION_VULNERABLE, /* answered inside TLS (CVE-2011-0411) */
    PROBE_INJECTION_UNKNOWN,
};
const char *probe_injection_name(enum probe_injection injection);

enum probe_dane_state {
    PROBE_DANE_NOT_TRIED,
    PROBE_DANE_NONE,     /* no TLSA records */
    PROBE_DANE_UNUSABLE, /* none that senders of mail look at (RFC 7672 3.1) */
    PROBE_DANE_MATCH,
    PROBE_DANE_MISMATCH,
    PROBE_DANE_NOT_SECURE, /* DNSSEC proves the records, and not what leads to the host: dane_gap (RFC 7672 2.2) */
    PROBE_DANE_UNKNOWN, /* DNS or the connection failed */
};
const char *probe_dane_name(enum probe_dane_state state);

/* What lacks DNSSEC on the way to the host. */
enum probe_dane_gap { PROBE_GAP_NONE, PROBE_GAP_MX, PROBE_GAP_ADDRESS };

/* The MTA-STS policy of a domain (RFC 8461). */
enum probe_sts_state {
    PROBE_STS_NOT_TRIED,
    PROBE_STS_NONE,
    PROBE_STS_FOUND,
    PROBE_STS_BROKEN, /* a record, and no policy that can be read: detail says why */
    PROBE_STS_UNKNOWN,
};
const char *probe_sts_name(enum probe_sts_state state);

struct probe_sts {
    enum probe_sts_state state;
    char mode[16]; /* PROBE_STS_FOUND: "enforce", "testing", "none" */
    char detail[PROBE_DETAIL_BYTES];
};

struct probe_login_result {
    bool is_offered;
    enum probe_answer worked;
    char detail[PROBE_DETAIL_BYTES];
};

struct probe_port {
    uint16_t port;
    struct probe_talk talk;
};

struct probe_host {
    char name[PROBE_NAME_BYTES]; /* "" for an address that was named */
    bool is_exchanger;
    uint16_t preference;
    enum host_status status; /* HOST_OK: talk is set */
    struct probe_talk talk;
    struct probe_version versions[PROBE_VERSIONS];
    enum probe_injection injection;
    enum probe_dane_state dane;
    unsigned dane_count, dane_usable_count;
    bool has_dane_proof; /* the resolver says that the answer is authentic (DNSSEC) */
    enum probe_dane_gap dane_gap;
    uint8_t dane_usage;             /* with PROBE_DANE_MATCH: of the record that fits */
    enum probe_answer sts_names_it; /* the MTA-STS policy of the domain */
    struct probe_login_result logins[SASL_MECHANISM_COUNT];
    struct probe_talk relay; /* with relay_count: one RCPT step for each form that got so far */
    bool has_relay;
    struct probe_port ports[PROBE_PORTS];
    size_t port_count;
};

struct probe_result {
    struct route *route; /* of a domain; NULL: none was looked up */
    struct probe_host *hosts;
    size_t host_count;
    struct probe_sts sts;
    bool is_stopped;
};

/* Sets all of *out, which probe_result_done frees. ERR_NOMEM, ERR_SYSTEM (no OpenSSL, with a plan that needs it),
 * ERR_SYNTAX (a setting of TLS): the fault says so. */
enum err probe_run(struct door *door, const struct probe_plan *plan, struct probe_result *out,
                   struct fault *out_fault) MUST_USE;
void probe_result_done(struct probe_result *result);

/* Which port the plan means. */
uint16_t probe_port_of(const struct probe_plan *plan);

#endif
