/* engine/signals: external services asked about an address: each is off unless it is switched on, has a time limit, a
 * cache in the store and a rate, and is left alone for a while when it says that it is asked too much or that the key is
 * wrong. What they say is evidence beside a verdict (verify/signals).
 *
 *     signals_open -> signals_ask -> answered() -> signals_apply ... -> signals_close
 *
 * Belongs to the thread of its door, which has the store. The address goes to the services that are switched on (to
 * Gravatar as a hash, to RDAP only the domain): that is why they are off by default.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_SIGNALS_H
#define ENGINE_SIGNALS_H

#include "net/http_client.h"
#include "store/signals.h"
#include "verify/record.h"

struct signals;
struct signals_ticket;

struct signal_config {
    bool is_enabled;
    struct slice base_url; /* without a slash at the end */
    struct slice key;      /* empty: none */
    uint32_t timeout_ms;
    uint64_t cache_ms;   /* how long an answer lives */
    uint32_t per_minute; /* questions; above 0 */
};

/* Slices are borrowed and must outlive the signals. */
struct signals_config {
    struct signal_config of[SIGNAL_SERVICE_COUNT];
    struct http_client_config http;
};
/* All are off; what else their documentation says. */
void signals_config_init(struct signals_config *out);
/* Why one that is switched on cannot be used as it is set: "hibp needs a key"; NULL: all can. Static. */
const char *signals_config_obstacle(const struct signals_config *config);

/* store NULL: nothing is kept. ERR_SYSTEM: libcurl or OpenSSL is not there; ERR_NOMEM. */
enum err signals_open(struct door *door, struct store *store, const struct signals_config *config,
                      struct signals **out, struct fault *out_fault) MUST_USE;
/* Open questions are dropped. NULL is fine. */
void signals_close(struct signals *signals);

/* ascii is the address as it is sent, key what it is kept by. fn is called once, from the loop, when all that are
 * switched on have answered or had their time; the ticket is gone then. ERR_NOMEM. */
typedef void (*signals_fn)(void *context, const struct verify_signals *told);
enum err signals_ask(struct signals *signals, struct slice ascii, struct slice key, signals_fn fn,
                     void *context, struct signals_ticket **out) MUST_USE;
void signals_cancel(struct signals_ticket *ticket);

/* Into the record: what they say, the reasons, and their part in the score. Status, sub-status and confidence stay. */
void signals_apply(const struct verify_signals *told, struct record *record);

#endif
