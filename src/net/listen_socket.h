/* net/listen_socket: a listening TCP or Unix socket for those who accept by themselves (the HTTP library,
 * net/stream_server).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LISTEN_SOCKET_H
#define NET_LISTEN_SOCKET_H

#include "base/err.h"
#include "base/ip.h"

/* Port 0: any free one; *out_port is the one it is. The descriptor is the caller's, not blocking, closed in other programs.
 * ERR_SYSTEM with what is wrong. */
enum err listen_socket_open(const struct ip *ip, uint16_t port, int *out_fd, uint16_t *out_port,
                            struct fault *out_fault) MUST_USE;

/* The same at a path of the file system, which anybody may connect to who may reach it; a socket that nobody listens at
 * any more is replaced. The path is the caller's to unlink. */
enum err listen_socket_open_unix(const char *path, int *out_fd, struct fault *out_fault) MUST_USE;

#endif
