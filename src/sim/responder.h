/* sim/responder: a name server on loopback for a zone, over UDP and TCP (RFC 1035 4.2), for the demo
 * village and tests. Answers that do not fit a datagram are truncated; the question comes again over
 * TCP. Not a name server for anybody else: no authority, no recursion, no DNSSEC.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_RESPONDER_H
#define SIM_RESPONDER_H

#include "base/err.h"
#include "net/door.h"
#include "sim/zone.h"

struct responder;

/* door must be a real one; port 0: the system chooses. zone is borrowed. */
enum err responder_open(struct door *door, const struct zone *zone, const struct ip *ip,
                        uint16_t port, struct responder **out, struct fault *out_fault) MUST_USE;
void responder_close(struct responder *responder); /* before the door; NULL is fine */
uint16_t responder_port(const struct responder *responder);
uint64_t responder_questions(const struct responder *responder); /* answered so far */

#endif
