/* tools/probe_target: what a person names to be probed: a domain (its mail servers), a host, an address, a socket; with
 * or without a scheme and a port.
 *
 *     example.com              the exchangers of the domain, or itself where it names none (RFC 5321 5.1)
 *     jane@example.com         the same, and the recipient
 *     mx.example.com:587       this host, at this port
 *     192.0.2.1, [2001:db8::1]:25
 *     smtp://HOST[:PORT], smtps://HOST[:PORT] (TLS from the first byte), lmtp://HOST[:PORT]
 *     lmtp:///run/dovecot/lmtp a socket of this machine
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_TARGET_H
#define TOOLS_PROBE_TARGET_H

#include <stdbool.h>

#include "base/err.h"
#include "base/ip.h"

enum { PROBE_NAME_BYTES = 256, PROBE_PATH_BYTES = 108 /* of a socket, with its NUL: unix(7) */ };

enum probe_scheme { PROBE_SMTP, PROBE_SMTPS, PROBE_LMTP };

enum probe_target_kind {
    PROBE_TARGET_DOMAIN, /* name; its exchangers are asked */
    PROBE_TARGET_HOST,   /* name; its addresses are */
    PROBE_TARGET_IP,
    PROBE_TARGET_SOCKET,
};

struct probe_target {
    enum probe_target_kind kind;
    enum probe_scheme scheme;
    uint16_t port;               /* 0: none was named */
    char name[PROBE_NAME_BYTES]; /* A-labels, lower case; NUL-terminated */
    struct ip ip;
    char path[PROBE_PATH_BYTES];
    char rcpt[PROBE_NAME_BYTES * 2]; /* of an address that was named; empty: none */
};

/* ERR_SYNTAX: the fault says what is wrong and what is right. */
enum err probe_target_parse(struct slice text, struct probe_target *out, struct fault *out_fault)
    MUST_USE;

#endif
