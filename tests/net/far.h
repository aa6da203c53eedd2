/* tests/net/far: the other end of a TLS conversation over memory, by OpenSSL itself and not by net/tls: it
 * speaks the versions it is told to, old ones too.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NET_FAR_H
#define TESTS_NET_FAR_H

#include "net/tls.h"

struct far_end;

enum far_version { FAR_TLS1_0, FAR_TLS1_1, FAR_TLS1_2, FAR_TLS1_3 };

struct far_end *far_client(enum far_version version, const char *server_name);
struct far_end *far_server(enum far_version version);
void far_free(struct far_end *end);
void far_done(void); /* the certificate of far servers */

/* True: the handshake is over. */
bool far_shake(struct far_end *end);
void far_received(struct far_end *end, struct slice bytes);
size_t far_outgoing(struct far_end *end, char *at, size_t room);
size_t far_read(struct far_end *end, char *at, size_t room);
void far_write(struct far_end *end, struct slice bytes);
const char *far_sni(struct far_end *end); /* of a server: the name asked for, or NULL */

#endif
