/* cli/serve_keys: the API keys of the store, as the HTTP server asks about them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SERVE_KEYS_H
#define CLI_SERVE_KEYS_H

#include "engine/keys.h"
#include "engine/service.h"
#include "http/auth.h"

struct serve_keys {
    struct digester *digester;
    struct keys *keys;
    struct http_auth auth; /* points here: it stays where it is */
};

/* store_path: of the service's store. ERR_STORE, ERR_SYSTEM, ERR_NOMEM with what is wrong; serve_keys_close is owed in any
 * case. */
enum err serve_keys_open(struct serve_keys *out, const char *store_path, struct fault *out_fault)
    MUST_USE;
void serve_keys_close(struct serve_keys *keys); /* safe on zeroed ones */

/* Whether there is, or ever was, one; true where that cannot be found out: nobody is let in then. */
bool serve_keys_any(const struct serve_keys *keys);

/* What was used goes into the store, on the desk's thread. Every KEYS_SAVE_MS, and before the service is closed. What cannot be
 * written is tried again the next time. */
void serve_keys_save(struct serve_keys *keys, struct service *service);

#endif
