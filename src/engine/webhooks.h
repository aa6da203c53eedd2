/* engine/webhooks: tells others over HTTP what has happened. An event is put into the store with what it speaks of, in
 * the same commit; from there it is sent until its receiver takes it, or about a day is over (engine/webhook_schedule).
 * Whatever happens to this process, the event is sent with the same id: a receiver that looks at it sees each
 * happening once. Nothing is sent before it is committed.
 *
 *     webhooks_open -> webhooks_put, store_flush, ... -> webhooks_close
 *
 * Belongs to the thread of its door, which has the store. What was sent is read from the store (store_webhook_each,
 * any connection) and shown by webhook_log_write.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WEBHOOKS_H
#define ENGINE_WEBHOOKS_H

#include "engine/json_write.h"
#include "engine/webhook_sign.h"
#include "net/http_client.h"
#include "store/webhooks.h"

struct webhooks;

enum { WEBHOOKS_AT_ONCE_MAX = 64, WEBHOOK_BODY_BYTES_MAX = 1 << 20 };

struct webhooks_config {
    struct http_client_config
        http; /* which special networks may be told; what it borrows must outlive the webhooks */
    uint32_t timeout_ms;  /* of one try */
    unsigned at_once_max; /* up to WEBHOOKS_AT_ONCE_MAX */
    unsigned per_host_max;
    int64_t keep_ms; /* how long the log has what is over */
};
/* 15 s, 16, 4, 30 days; public addresses only. */
void webhooks_config_init(struct webhooks_config *out);

/* door is a real one; the store is the one that is written. Both are borrowed. What an earlier process did not send is
 * sent. ERR_SYSTEM: libcurl or OpenSSL is not there; ERR_NOMEM. */
enum err webhooks_open(struct door *door, struct store *store, const struct webhooks_config *config,
                       struct webhooks **out, struct fault *out_fault) MUST_USE;
/* What is under way is dropped, and sent again by who opens the store next. NULL is fine. */
void webhooks_close(struct webhooks *webhooks);

enum webhook_kind {
    WEBHOOK_BATCH_DONE,
    WEBHOOK_BATCH_FAILED,
    WEBHOOK_BATCH_PAUSED,
    WEBHOOK_BATCH_RESULT,   /* one address of a batch */
    WEBHOOK_REACHER_RESULT, /* the same in Reacher's form: its data is the whole body */
    WEBHOOK_WATCH_CHANGED,
    WEBHOOK_KIND_COUNT,
};
/* "batch.done" */
const char *webhook_kind_name(enum webhook_kind kind);

struct webhook_event {
    enum webhook_kind kind;
    struct slice owner; /* as in struct store_webhook_endpoint; empty: nobody */
    struct slice url;
    struct slice batch; /* empty: none */
    struct slice about; /* an address's key, so that erasure finds it; empty: none */
    struct slice
        once; /* what happened, within the owner's URL: a second event for it is none. Empty: may repeat */
    struct slice data;    /* a JSON object, trusted */
    struct slice headers; /* beside ours, as engine/webhook_headers has them; empty: none */
};

/* Goes into the store's group that is open; sent when that is committed. Where `once` is given, put before the change
 * that it speaks of, or with it: who repeats both after a crash repeats no event. A URL that may not be told, or not any
 * more, is none of its errors: the log says why the event is not taken. ERR_LIMIT: data is too long; ERR_STORE, ERR_NOMEM. */
enum err webhooks_put(struct webhooks *webhooks, const struct webhook_event *event,
                      struct fault *out_fault) MUST_USE;

/* Whether that URL may be told. ERR_SYNTAX: no, and why; where a name leads is seen only when it is told. ERR_NOMEM. */
enum err webhooks_check_url(struct webhooks *webhooks, struct slice url, struct fault *out_fault)
    MUST_USE;

/* The secret of an owner's URL, which need not be known yet: made where there is none; wanted (empty: none) replaces it.
 * Appended to out_secret. ERR_SYNTAX: the URL or the secret; ERR_STORE, ERR_NOMEM. */
enum err webhooks_secret(struct webhooks *webhooks, struct slice owner, struct slice url,
                         struct slice wanted, struct buf *out_secret, struct fault *out_fault)
    MUST_USE;

/* Sends it once more, with its id. ERR_CLOSED: there is none; ERR_STORE. */
enum err webhooks_replay(struct webhooks *webhooks, struct slice id, struct fault *out_fault)
    MUST_USE;

struct webhooks_counts {
    uint64_t tries, delivered, failed; /* since it was opened */
    unsigned under_way;
};
struct webhooks_counts webhooks_count(const struct webhooks *webhooks);

/* "waiting", "delivered", "failed" */
const char *webhook_state_name(enum store_webhook_state state);
/* One event as an object of a log: all but its secret. */
void webhook_log_write(struct json_writer *w, const struct store_webhook *event);

#endif
