/* SPDX-License-Identifier: Apache-2.0 */
#include "net/uv_mailbox.h"

#include <stdlib.h>

#include "net/uv_private.h"

struct uv_mailbox {
    uv_async_t bell;
    uv_mutex_t mutex; /* held for a few instructions: over these two only */
    struct uv_post *first;
    struct uv_post **last;
    uv_mailbox_fn fn;
    void *context;
};

static void on_bell(uv_async_t *bell)
{
    struct uv_mailbox *mailbox = bell->data;
    struct uv_post *first = uv_mailbox_take(mailbox);
    if (first != NULL) {
        mailbox->fn(mailbox->context, first);
    }
}

enum err uv_mailbox_open(struct door *door, uv_mailbox_fn fn, void *context,
                         struct uv_mailbox **out)
{
    struct uv_door *own = (struct uv_door *)(void *)door;
    struct uv_mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (mailbox == NULL) {
        return ERR_NOMEM;
    }
    mailbox->fn = fn;
    mailbox->context = context;
    mailbox->last = &mailbox->first;
    if (uv_mutex_init(&mailbox->mutex) != 0) {
        free(mailbox);
        return ERR_SYSTEM;
    }
    if (uv_async_init(&own->loop, &mailbox->bell, on_bell) != 0) {
        uv_mutex_destroy(&mailbox->mutex);
        free(mailbox);
        return ERR_SYSTEM;
    }
    mailbox->bell.data = mailbox;
    *out = mailbox;
    return ERR_NONE;
}

void uv_mailbox_post(struct uv_mailbox *mailbox, struct uv_post *post)
{
    post->next = NULL;
    uv_mutex_lock(&mailbox->mutex);
    *mailbox->last = post;
    mailbox->last = &post->next;
    uv_mutex_unlock(&mailbox->mutex);
    (void)uv_async_send(&mailbox->bell);
}

struct uv_post *uv_mailbox_take(struct uv_mailbox *mailbox)
{
    uv_mutex_lock(&mailbox->mutex);
    struct uv_post *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    uv_mutex_unlock(&mailbox->mutex);
    return first;
}

static void on_closed(uv_handle_t *handle)
{
    struct uv_mailbox *mailbox = handle->data;
    uv_mutex_destroy(&mailbox->mutex);
    free(mailbox);
}

void uv_mailbox_close(struct uv_mailbox *mailbox)
{
    if (mailbox != NULL) {
        uv_close((uv_handle_t *)&mailbox->bell, on_closed);
    }
}
