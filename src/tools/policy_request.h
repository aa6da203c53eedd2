/* tools/policy_request: one question of Postfix's policy delegation protocol (SMTPD_POLICY_README), without I/O: lines
 * "name=value" up to an empty line. What is not looked at is read over; everything is bounded.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_POLICY_REQUEST_H
#define TOOLS_POLICY_REQUEST_H

#include <stdbool.h>

#include "base/buf.h"

enum {
    POLICY_REQUEST_BYTES_MAX = 64 * 1024, /* with certificates' names it is some 4 KB */
    POLICY_ATTRIBUTES_MAX = 256,
    POLICY_VALUE_BYTES_MAX = 1024, /* of those that are kept: longer than any address may be */
};

enum policy_attribute {
    POLICY_REQUEST, /* "smtpd_access_policy" */
    POLICY_PROTOCOL_STATE,
    POLICY_CONTEXT, /* policy_context, Postfix 3.1 */
    POLICY_SENDER,
    POLICY_RECIPIENT,
    POLICY_CLIENT_ADDRESS,
    POLICY_HELO_NAME,
    POLICY_QUEUE_ID,
    POLICY_ATTRIBUTE_COUNT,
};

enum policy_progress {
    POLICY_MORE,    /* it is not whole yet */
    POLICY_WHOLE,   /* values may be looked at */
    POLICY_INVALID, /* no such question; nothing more is to be expected of this line */
};

/* Zeroed, then policy_request_init; begins again after each. */
struct policy_request {
    struct buf line;
    char values[POLICY_ATTRIBUTE_COUNT][POLICY_VALUE_BYTES_MAX + 1];
    size_t bytes, attributes;
    bool has_begun;   /* bytes of it have come */
    const char *what; /* POLICY_INVALID: what is wrong; static */
};

void policy_request_init(struct policy_request *out);
void policy_request_done(struct policy_request *request);
/* For the next one: nothing is known again. */
void policy_request_clear(struct policy_request *request);

/* Takes the bytes up to the end of the question; *out_used is how many. */
enum policy_progress policy_request_feed(struct policy_request *request, struct slice bytes,
                                         size_t *out_used) MUST_USE;

/* Empty where it was not given. Until the next clear. */
struct slice policy_request_value(const struct policy_request *request,
                                  enum policy_attribute attribute);

#endif
