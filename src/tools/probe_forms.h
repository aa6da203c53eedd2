/* tools/probe_forms: what is said to a server in odd shapes: the recipients of a test for open relaying, and the header
 * of the PROXY protocol. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_FORMS_H
#define TOOLS_PROBE_FORMS_H

#include "tools/probe.h"

enum { PROBE_FORM_BYTES = 600 };

struct probe_relay_forms {
    struct probe_trial trials[PROBE_TRIALS_MAX];
    const char *words[PROBE_TRIALS_MAX]; /* what each is */
    size_t count;
    char rooms[PROBE_TRIALS_MAX * 2][PROBE_FORM_BYTES];
};

/* own: a domain of the server; stranger: an address of none of its domains (at NULL: relay-test@example.net); sender:
 * whose MAIL FROM is nobody's there (empty: relay-test@example.org). Sets all of *out, which must stay where it is and
 * refers to none of them. ERR_SYNTAX: stranger is no address; ERR_LIMIT: too long. */
enum err probe_relay_forms(struct slice own, struct slice stranger, struct slice sender,
                           struct probe_relay_forms *out) MUST_USE;

/* "v1" or "v2", then ",SOURCE:PORT,DESTINATION:PORT" or nothing (unknown, local):
 * https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt. ERR_SYNTAX; ERR_NOMEM, ERR_LIMIT. */
enum err probe_proxy_header(struct slice text, struct buf *out) MUST_USE;

#endif
