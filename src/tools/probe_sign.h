/* tools/probe_sign: puts a DKIM signature in front of the message that a probe sends (RFC 6376, RFC 8463).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_SIGN_H
#define TOOLS_PROBE_SIGN_H

#include "base/err.h"
#include "message/dkim.h"
#include "tools/probe_message.h"

struct probe_signing {
    struct slice key; /* a PEM file's content: RSA or Ed25519, which decides the algorithm */
    struct slice domain, selector;
    enum dkim_canon header_canon, body_canon;
    int64_t now_s; /* Unix time, for t= */
};

/* "relaxed/simple", as c= has it: header, then body, which is simple where it is not named (RFC 6376 3.5). */
bool probe_canon_parse(struct slice text, enum dkim_canon *out_header, enum dkim_canon *out_body);

/* The field becomes the first of message->bytes, and the last of message->added. On failure the message is unchanged.
 * ERR_SYNTAX: the key, the domain, the selector or the message cannot be used; ERR_LIMIT: a header that is too large;
 * ERR_SYSTEM: no OpenSSL; ERR_NOMEM. The fault says what is wrong. */
enum err probe_sign(const struct probe_signing *signing, struct probe_message *message,
                    struct fault *out_fault) MUST_USE;

#endif
