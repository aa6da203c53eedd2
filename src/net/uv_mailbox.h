/* net/uv_mailbox: how threads that have a door each speak to one another: whole messages, in the order in which one
 * sender posted them; the receiver is called from its loop.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_UV_MAILBOX_H
#define NET_UV_MAILBOX_H

#include "base/err.h"
#include "net/door.h"

struct uv_mailbox;

/* The head of every message; it lies in memory of the sender's making, which is the receiver's from then on. */
struct uv_post {
    struct uv_post *next;
};

/* Of a door of net/uv_door, from its thread or before that one runs; keeps its loop alive. fn is given all that has
 * come, as a chain. ERR_NOMEM, ERR_SYSTEM. */
typedef void (*uv_mailbox_fn)(void *context, struct uv_post *first);
enum err uv_mailbox_open(struct door *door, uv_mailbox_fn fn, void *context,
                         struct uv_mailbox **out) MUST_USE;
/* From any thread. */
void uv_mailbox_post(struct uv_mailbox *mailbox, struct uv_post *post);
/* What has come and was not given yet, for who does not run its loop any more; NULL: nothing. */
struct uv_post *uv_mailbox_take(struct uv_mailbox *mailbox);
/* From the door's thread, when nobody posts any more, before the door is closed. NULL is fine. */
void uv_mailbox_close(struct uv_mailbox *mailbox);

#endif
