/* net/listen_socket: a listening TCP socket for those who accept by themselves (the HTTP library).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LISTEN_SOCKET_H
#define NET_LISTEN_SOCKET_H

#include "base/err.h"
#include "base/ip.h"

/* Port 0: any free one; *out_port is the one it is. The descriptor is the caller's, not blocking, closed in other programs.
 * ERR_SYSTEM with what is wrong. */
enum err listen_socket_open(const struct ip *ip, uint16_t port, int *out_fd, uint16_t *out_port,
                            struct fault *out_fault) MUST_USE;

#endif
