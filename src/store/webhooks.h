/* store/webhooks: what is to be told to others over HTTP, kept until they have taken it: an outbox of events, and the
 * endpoints that they go to, each with its secret. engine/webhooks sends them.
 *
 * Puts and tries go with the group that is open, so an event is committed together with what it speaks of. An event has
 * one id for ever. `once` names what happened ("batch 7 done"): a second event of the same endpoint for it is not
 * stored, so whoever repeats its work after a crash repeats no event.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_WEBHOOKS_H
#define STORE_WEBHOOKS_H

#include "store/store.h"

enum {
    STORE_WEBHOOK_DUE_MAX = 64, /* asked for at once */
};

/* Numbers are kept in the store: they are not changed, only added to. */
enum store_webhook_state { STORE_WEBHOOK_WAITING, STORE_WEBHOOK_DELIVERED, STORE_WEBHOOK_FAILED };

/* Slices are lent: by the caller, or for the call of a function. */
struct store_webhook_endpoint {
    int64_t id;          /* the store's choice */
    struct slice owner;  /* whose it is, such as an API key's id; empty: nobody's */
    struct slice url;    /* with owner: known by these two */
    struct slice origin; /* "host:port" of the URL */
    struct slice secret; /* as it is shown: whsec_... */
};
/* The one of that owner and URL, with the secret it has, is made with this one's where there is none yet. */
enum err store_webhook_endpoint_open(struct store *store,
                                     const struct store_webhook_endpoint *endpoint, int64_t now_ms,
                                     int64_t *out_id) MUST_USE;
/* ERR_CLOSED: there is none of that id. */
enum err store_webhook_endpoint_secret(struct store *store, int64_t id, struct buf *out_secret)
    MUST_USE;
enum err store_webhook_endpoint_set_secret(struct store *store, int64_t id, struct slice secret)
    MUST_USE;

struct store_webhook {
    int64_t number;  /* grows: newer ones have higher ones. The store's choice */
    struct slice id; /* what the receiver knows it by */
    struct slice kind;
    struct slice batch;   /* the id of a batch; empty: none */
    struct slice about;   /* an address's key; empty: none. For erasure */
    struct slice once;    /* empty: it may happen again */
    struct slice body;    /* JSON */
    struct slice headers; /* beside those of every event, as engine/webhook_headers has them */
    struct store_webhook_endpoint endpoint;
    enum store_webhook_state state;
    unsigned tries;
    int64_t created_at_ms, changed_at_ms, next_at_ms; /* the last one while it waits */
    unsigned last_status;                             /* of HTTP; 0: there was no answer */
    struct slice last_error;                          /* for people; empty: none */
};

/* id, kind, batch, about, once, body, headers, endpoint.id, created_at_ms and next_at_ms are looked at. *out_is_new: false where
 * `once` has an event already. */
enum err store_webhook_put(struct store *store, const struct store_webhook *event, bool *out_is_new)
    MUST_USE;

/* The endpoint after this one (0: the first) that has something waiting; 0: there is none. */
int64_t store_webhook_endpoint_after(struct store *store, int64_t endpoint);
/* The numbers of its events that are due, the longest due first; how many. limit: up to STORE_WEBHOOK_DUE_MAX. */
size_t store_webhook_due(struct store *store, int64_t endpoint, int64_t now_ms, size_t limit,
                         int64_t *out_numbers);
/* When the next one after now_ms is due; INT64_MAX: none. */
int64_t store_webhook_next_at(struct store *store, int64_t now_ms);

/* What came of a try. last_status, last_error, state, next_at_ms, tries and changed_at_ms are looked at. One that was
 * erased meanwhile stays so. */
enum err store_webhook_tried(struct store *store, int64_t number, const struct store_webhook *after)
    MUST_USE;
/* It waits again, as if it had never been tried. ERR_CLOSED: there is none of that id. */
enum err store_webhook_replay(struct store *store, struct slice id, int64_t now_ms) MUST_USE;

typedef void (*store_webhook_fn)(void *context, const struct store_webhook *event);
/* ERR_CLOSED: there is none. */
enum err store_webhook_read(struct store *store, int64_t number, store_webhook_fn fn, void *context)
    MUST_USE;
enum err store_webhook_find(struct store *store, struct slice id, store_webhook_fn fn,
                            void *context) MUST_USE;
/* Newest first, at most limit, those older than number before (0: from the newest on). */
struct store_webhook_page {
    const struct slice *owner; /* NULL: of all */
    const struct slice *batch; /* NULL: of all */
    const enum store_webhook_state *state;
    int64_t before;
    size_t limit;
};
enum err store_webhook_each(struct store *store, const struct store_webhook_page *page,
                            store_webhook_fn fn, void *context) MUST_USE;

/* What is over and was last changed before then goes, at most limit of them; how many. */
enum err store_webhook_prune(struct store *store, int64_t before_ms, size_t limit,
                             size_t *out_count) MUST_USE;
/* All that speak of that address go. */
enum err store_webhook_erase(struct store *store, struct slice about, size_t *out_count) MUST_USE;

#endif
