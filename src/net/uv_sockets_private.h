/* net/uv_sockets_private: what the two ways of uv_sockets do for it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_UV_SOCKETS_PRIVATE_H
#define NET_UV_SOCKETS_PRIVATE_H

#include "net/uv_sockets.h"

/* Of uv_sockets.c: its owner is told, and what is left to send is sent. */
void uv_sockets_tell(struct uv_sockets *sockets, struct uv_socket *socket, uint32_t events);
/* Its reader sees the end of the line and why, after what had come before. */
void uv_socket_give_up(struct uv_socket *socket, int error);
/* Bytes that the kernel did not take wait for it. */
void uv_socket_keep(struct uv_socket *socket, struct slice bytes);

int uv_epoll_open(struct uv_sockets *sockets);
void uv_epoll_close(struct uv_sockets *sockets);
int uv_epoll_take(struct uv_sockets *sockets, struct uv_socket *socket, int fd);
void uv_epoll_rearm(struct uv_sockets *sockets, struct uv_socket *socket);
/* As recv() says it, or an error of libuv. */
ssize_t uv_epoll_receive(struct uv_socket *socket, char *at, size_t room);

/* NULL: the kernel does not offer what it takes. */
struct uv_ring *uv_ring_new(struct uv_sockets *sockets);
/* No request is left behind; none is waited for. The loop is to run until its handles are closed. NULL is fine. */
void uv_ring_close(struct uv_ring *ring);
/* False: this thread is not the ring's, and asks for nothing; it may close. */
bool uv_ring_is_here(const struct uv_ring *ring);
void uv_ring_take(struct uv_socket *socket);
void uv_ring_connect(struct uv_socket *socket, const struct sockaddr *far, socklen_t len);
void uv_ring_rearm(struct uv_socket *socket);
ssize_t uv_ring_receive(struct uv_socket *socket, char *at, size_t room);
void uv_ring_want_room(struct uv_socket *socket); /* ready() is told EPOLLOUT */
/* Its descriptor is closed at the end of the turn. */
void uv_ring_leave(struct uv_socket *socket);
/* A completion may name it still. */
bool uv_ring_holds(const struct uv_socket *socket);
/* The part of the outbox is lent until uv_ring_submit. */
void uv_ring_send(struct uv_socket *socket, struct slice part);
/* All that was asked for goes to the kernel; what it did not take of the outbox is kept. */
void uv_ring_submit(struct uv_ring *ring);
/* The same, and waits until something comes, to the loop's descriptors too: so long at most, below 0: any time. */
void uv_ring_wait(struct uv_ring *ring, int timeout_ms);
/* The owners of those to whom something came. */
void uv_ring_tell(struct uv_ring *ring);

#endif
