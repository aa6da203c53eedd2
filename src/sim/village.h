/* sim/village: a small world on loopback to try things on: scripted mail servers of several characters
 * (village_houses) and a name server for their domains, on a real door.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_VILLAGE_H
#define SIM_VILLAGE_H

#include "base/err.h"
#include "net/door.h"
#include "sim/peer.h"
#include "sim/zone.h"

struct village;

/* One mail server of the village and the domains it is exchanger for. */
struct house {
    const char *domain;
    const char *about; /* its character, for people */
    struct peer_script script;
};

/* The demo village's houses; *out_count of them. */
const struct house *village_houses(size_t *out_count);

struct village_config {
    uint16_t port;     /* of every mail server; 0: the system chooses */
    uint16_t dns_port; /* 0: the system chooses */
};

/* ERR_SYSTEM where the ports are taken; the fault says which. */
enum err village_open(struct door *door, const struct village_config *config, struct village **out,
                      struct fault *out_fault) MUST_USE;
void village_close(struct village *village); /* before the door; NULL is fine */

uint16_t village_port(const struct village *village);
uint16_t village_dns_port(const struct village *village);
extern const char village_dns_ip[]; /* where its name server is */

#endif
