/* tools/probe_private: a run of the test, for probe.c (hosts, logins, ports, relaying) and probe_tls.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_PRIVATE_H
#define TOOLS_PROBE_PRIVATE_H

#include "tools/probe.h"

enum { PROBE_ANSWER_BYTES = 65536 }; /* of a DNS message */

struct probe_run {
    struct door *door;
    const struct probe_plan *plan;
    struct probe_result *out;
    struct tls_client *tls;    /* as the plan has it; NULL: no TLS */
    struct digester *digester; /* NULL: no login */
    struct buf bytes;          /* of the last DNS answer */
    bool is_stopped;
};

/* The plan's conversation with a host at this address. */
void probe_talk_prepare(const struct probe_run *run, const struct probe_host *host,
                        const struct ip *ip, struct probe_talk_config *out);
/* Says what is done next. */
void probe_tell(const struct probe_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
/* Whether it is called off. */
bool probe_is_off(const struct probe_run *run);
/* Only as far as EHLO: no login, no envelope, no message. */
void probe_talk_quieten(struct probe_talk_config *config);
enum err probe_talk_once(struct probe_run *run, const struct probe_talk_config *config,
                         struct probe_talk *out) MUST_USE;

/* probe_tls.c: versions, injection, DANE of a host that was talked to. */
enum err probe_examine_tls(struct probe_run *run, struct probe_host *host) MUST_USE;

/* probe_sts.c: after all hosts of a domain. */
enum err probe_find_sts(struct probe_run *run) MUST_USE;

#endif
