/* sim/peer_link: a scripted server on real connections: takes an accepted link and plays one peer on it
 * until the line is over, then frees both.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_PEER_LINK_H
#define SIM_PEER_LINK_H

#include "net/listener.h"
#include "net/tls.h"
#include "sim/peer.h"

/* The lines of one server; a plain value that knows which are open. */
struct peer_links {
    struct peer_server *server;
    struct tls_server *tls; /* NULL: STARTTLS is answered, and the line dropped then */
    struct peer_link *first;
};

/* For net_listen: context is the struct peer_links. */
void peer_links_accept(void *context, struct link *link);
void peer_links_close(struct peer_links *links); /* drops those that are open */

#endif
