/* engine/crew_post: the messages between desk and loops. Orders and answers are bytes of this process only.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/crew_private.h"

enum { ORDERS_BYTES_MAX = 64 << 20 };

struct order_head {
    uint64_t id;
    uint32_t len;
    uint32_t kind;
};

struct answer_head {
    uint64_t id;
    uint32_t is_asked;
    uint32_t status;
};

struct crew_post *crew_post_new(enum crew_post_kind kind)
{
    struct crew_post *post = calloc(1, sizeof *post);
    if (post != NULL) {
        post->kind = kind;
        buf_init(&post->bytes, kind == CREW_NEWS ? STORE_OUTBOX_BYTES_MAX : ORDERS_BYTES_MAX);
        post->last_route = &post->routes;
    }
    return post;
}

void crew_post_free(struct crew_post *post)
{
    while (post->routes != NULL) {
        struct crew_route *route = post->routes;
        post->routes = route->next;
        route_free(route->route);
        free(route);
    }
    buf_done(&post->bytes);
    free(post);
}

static enum err put(struct buf *out, const void *head, size_t head_len, struct slice body)
{
    size_t before = out->len;
    enum err e = buf_append(out, slice_make(head, head_len));
    e = e == ERR_NONE ? buf_append(out, body) : e;
    if (e != ERR_NONE) {
        out->len = before; /* whole, or not at all */
    }
    return e;
}

enum err crew_order_put(struct crew_post *post, const struct crew_order *order)
{
    struct order_head head = {order->id, (uint32_t)order->address.len, order->kind};
    return put(&post->bytes, &head, sizeof head, order->address);
}

bool crew_order_take(struct slice *rest, struct crew_order *out)
{
    struct order_head head;
    if (rest->len == 0) {
        return false;
    }
    must(rest->len >= sizeof head);
    memcpy(&head, rest->at, sizeof head);
    must(rest->len - sizeof head >= head.len);
    *out = (struct crew_order){head.id, (enum crew_order_kind)head.kind,
                               slice_sub(*rest, sizeof head, sizeof head + head.len)};
    *rest = slice_sub(*rest, sizeof head + head.len, rest->len);
    return true;
}

enum err crew_route_put(struct crew_post *post, const struct knocker_errand *errand)
{
    struct crew_route *route = malloc(sizeof *route + errand->domain.len);
    struct route *copy = route_copy(errand->route);
    if (route == NULL || copy == NULL) {
        free(route);
        free(copy);
        return ERR_NOMEM;
    }
    *route = (struct crew_route){
        .route = copy,
        .until_ms = errand->route_until_ms,
        .dns_ms = errand->dns_ms,
        .domain_len = errand->domain.len,
    };
    memcpy(route->domain, errand->domain.at, errand->domain.len);
    *post->last_route = route;
    post->last_route = &route->next;
    return ERR_NONE;
}

struct crew_post *crew_draft(struct crew_post **drafts, unsigned loop)
{
    if (drafts[loop] == NULL) {
        drafts[loop] = crew_post_new(CREW_ORDERS);
    }
    return drafts[loop];
}

void crew_drafts_send(struct crew *crew, struct crew_post **drafts)
{
    for (unsigned i = 0; i < crew->count; i++) {
        if (drafts[i] != NULL) {
            uv_mailbox_post(crew->loops[i].inbox, &drafts[i]->post);
            drafts[i] = NULL;
        }
    }
}

void crew_drafts_drop(struct crew_post **drafts)
{
    for (unsigned i = 0; i < CREW_LOOPS_MAX; i++) {
        if (drafts[i] != NULL) {
            crew_post_free(drafts[i]);
            drafts[i] = NULL;
        }
    }
}

enum err crew_answer_put(struct buf *outbox, struct buf *room, const struct crew_answer *answer)
{
    struct answer_head head = {answer->id, answer->is_asked, answer->status};
    buf_clear(room);
    enum err e = put(room, &head, sizeof head, answer->result);
    return e == ERR_NONE ? store_courier_note(outbox, buf_view(room)) : e;
}

bool crew_answer_take(struct slice note, struct crew_answer *out)
{
    struct answer_head head;
    if (note.len < sizeof head) {
        return false;
    }
    memcpy(&head, note.at, sizeof head);
    *out = (struct crew_answer){head.id, head.is_asked != 0, (enum verdict_status)head.status,
                                slice_sub(note, sizeof head, note.len)};
    return true;
}
