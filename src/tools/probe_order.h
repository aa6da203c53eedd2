/* tools/probe_order: a probe that somebody else asks for, as words, held against what the operator of this machine
 * allows, and made a plan of tools/probe.
 *
 *     probe_terms_read -> probe_order_make -> probe_order_complete -> probe_run(&order->plan) -> probe_order_free
 *
 * Never: private addresses but those of the operator's networks, ports that are not those of mail, sockets of this
 * machine, passwords on a line without TLS.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_ORDER_H
#define TOOLS_PROBE_ORDER_H

#include "base/arena.h"
#include "engine/config.h"
#include "tools/probe_forms.h"
#include "tools/probe_message.h"

enum {
    PROBE_ORDER_RCPTS_MAX = 10,
    PROBE_ORDER_MESSAGE_BYTES = 64 * 1024,
    PROBE_ORDER_MS_MIN = 1000,
    PROBE_ORDER_MS_MAX = 180000,
    PROBE_ORDER_MS = 60000, /* where nothing is said */
};

/* What the operator says. */
struct probe_terms {
    struct probe_plan base; /* from where, how patiently, where not */
    struct config_ways ways;
    uint16_t own_port; /* may be asked for beside those of mail */
    bool wants_tls, may_send;
    const struct config_texts
        *relay_hosts; /* names and addresses that may be tested for relaying */
};

/* Sets all of *out, which must stay where it is and points into the configuration. Returns what is in the way, static;
 * NULL: nothing. */
const char *probe_terms_read(const struct config *config, struct probe_terms *out);

/* What is asked for; texts are borrowed. Slices whose `at` is NULL were not named. */
struct probe_wish {
    struct slice target;      /* as tools/probe_target has it */
    uint64_t port;            /* 0: the target's, or that of its scheme */
    struct slice host;        /* of a domain: this exchanger alone */
    bool all_hosts;           /* of a domain */
    struct slice tls;         /* may, never, must, at_once */
    struct slice server_name; /* for SNI and the certificate */
    bool examines;            /* TLS in depth */
    bool compares_ports;
    struct slice mail_from; /* empty: the null sender */
    const struct slice *rcpts;
    size_t rcpt_count; /* at most PROBE_ORDER_RCPTS_MAX */
    struct slice user, password;
    struct slice mechanism; /* the only one that is used */
    bool tests_logins;      /* each that is offered */
    bool sends;
    struct slice message; /* a whole one; else one is generated */
    struct slice relay_domain, relay_to;
    uint64_t timeout_ms; /* of all of it; PROBE_ORDER_MS_MIN to _MAX */
};

struct probe_order {
    struct probe_plan plan;
    uint32_t limit_ms; /* of all of it */
    struct slice rcpts[PROBE_ORDER_RCPTS_MAX];
    enum sasl_mechanism mechanism; /* the only one, where one was named */
    struct buf password;
    bool sends;
    struct slice raw; /* the message as it was given */
    struct probe_message message;
    struct probe_relay_forms relay;
    struct arena arena;
};

/* All that the order needs is copied, but for the terms, which must outlive it. ERR_SYNTAX: the fault says what is
 * wrong, and *out_member, static, which member of the wish it is ("target"); ERR_NOMEM. */
enum err probe_order_make(const struct probe_terms *terms, const struct probe_wish *wish,
                          struct probe_order **out, const char **out_member,
                          struct fault *out_fault) MUST_USE;
/* Makes the message, where one is to be sent. ERR_NOMEM, ERR_LIMIT. */
enum err probe_order_complete(struct probe_order *order, int64_t now_s, uint64_t random) MUST_USE;
void probe_order_free(struct probe_order *order); /* wipes the password; NULL is fine */

#endif
