/* engine/service: the engine as others' threads use it: one thread, the desk, has the door, the knocker and the
 * writing connection of the store; everybody else gives it questions and calls from any thread, and reads what is
 * stored through connections of their own. Callers that ask the same address at the same time share one probe; an
 * answer that is still alive is given at once, from memory or the store.
 *
 *     service_open -> service_find_cached, service_ask -> answered() -> service_leave ... -> service_close
 *
 * What is said back comes from the desk's thread and must not wait.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_SERVICE_H
#define ENGINE_SERVICE_H

#include "engine/batch_results.h"
#include "engine/batches.h"
#include "engine/watches.h"
#include "net/uv_door.h"

struct service;
struct service_ticket;
struct signals_config;
struct webhooks;
struct webhooks_config;

enum {
    SERVICE_READERS_MAX = 64,       /* connections that are kept for those who read */
    SERVICE_CACHE_BYTES = 64 << 20, /* answers in memory */
    SERVICE_NEWS_MS = 250,          /* so often who watches is told what it waits for */
};

struct service_config {
    const struct knowledge *knowledge; /* all of it is there */
    struct uv_door_config door;        /* borrowed during open */
    struct knocker_config knocker;     /* what it borrows must outlive the service */
    const char *store_path;            /* a file; borrowed during open */
    /* What they borrow must outlive the service. NULL: nobody is told; no external service is asked. */
    const struct webhooks_config *webhooks;
    const struct signals_config *signals;
    /* Neither batches nor watched lists, which belong to one service of a store: others then only answer. */
    bool has_no_batches;
};

/* Starts the desk. ERR_STORE, ERR_SYSTEM, ERR_SYNTAX, ERR_NOMEM with what is wrong. */
enum err service_open(const struct service_config *config, struct service **out,
                      struct fault *out_fault) MUST_USE;
/* Every open question is answered with what is known (skipped, cancelled), lines are left politely, what was learned
 * is stored. Nobody else may use the service any more, tickets are given back before or after. NULL is fine. */
void service_close(struct service *service);

/* A question, from any thread. All functions are called on the desk's thread with the ticket locked: they must not
 * call the service, nor wait for a lock that is held around service_leave. */
struct service_question {
    struct slice address;
    bool is_fresh;         /* no stored answer will do */
    bool keeps_transcript; /* in the record; then it is asked afresh */
    uint32_t
        timeout_ms; /* 0: none; then answered() tells what is known by then, and the work goes on */
    /* Each line of the conversation as it happens, raw; direction 'C', 'S' or 'T' (a note of ours). NULL: not wanted. */
    void (*said)(void *context, uint32_t t_ms, char direction, struct slice line);
    /* What it waits for, printable, whenever that changes: "talking to mx.d.example". NULL: not wanted. */
    void (*moved)(void *context, struct slice what);
    /* Exactly once, unless service_leave came first. The record is lent for the call. is_pending: the time is over, and
     * the answer will be in the store when it is there. */
    void (*answered)(void *context, const struct record *record, bool is_pending);
    void *context;
};
/* ERR_NOMEM, ERR_LIMIT (an address longer than any can be). *out is owed to service_leave, once. */
enum err service_ask(struct service *service, const struct service_question *question,
                     struct service_ticket **out) MUST_USE;
/* When it returns no function of the question is called any more. The work goes on, and its answer is kept. */
void service_leave(struct service_ticket *ticket);

/* An answer that is kept and still alive, from any thread: appends the record as JSON, with "email" as it is asked now
 * and "cached" true. False: there is none, it is no address, or memory is short. */
struct service_cached {
    int64_t checked_at_ms, expires_at_ms; /* Unix time */
};
bool service_find_cached(struct service *service, struct slice address, struct buf *out_json,
                         struct service_cached *out) MUST_USE;
/* What is kept in memory of an address goes: for erasure, after the store's. */
void service_forget(struct service *service, struct slice address);

/* Runs fn on the desk's thread and waits for it: for rare things that write. False: the service is closing. */
struct desk {
    struct door *door;
    struct knocker *knocker;
    struct store *store;
    struct batches *batches;   /* NULL: the service is closing, or has none */
    struct watches *watches;   /* the same */
    struct webhooks *webhooks; /* NULL: there are none */
};
bool service_call(struct service *service, void (*fn)(struct desk *desk, void *context),
                  void *context) MUST_USE;

/* A connection that reads what is committed, for the calling thread alone until it is given back. */
enum err service_lend_store(struct service *service, struct store **out, struct fault *out_fault)
    MUST_USE;
void service_give_back_store(struct service *service, struct store *store);

/* For batch_upload_begin; and for batches_live from other threads than the desk's. */
const char *service_batches_folder(const struct service *service);
struct batches *service_batches(const struct service *service);
const struct knowledge *service_knowledge(const struct service *service); /* all of it is there */
/* Of a query for results what the service knows; the rest of it is zero. */
void service_results_query(const struct service *service, struct batch_results_query *out);

/* As they were SERVICE_NEWS_MS ago at most. */
struct service_counts {
    struct knocker_counts knocker;
    uint64_t questions; /* put by service_ask */
    uint64_t open;      /* of them, not answered yet */
    uint64_t cache_hits, cache_misses;
    uint64_t by_status[4]; /* answers of the knocker to those questions, by enum verdict_status */
};
void service_count(struct service *service, struct service_counts *out);

#endif
