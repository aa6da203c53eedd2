/* http/auth: who may ask what. The server takes the key out of the request and asks the hook, which knows keys, rates and
 * quotas. Without a hook, or while it has no keys, only this machine is served, and only under its own names, so that a page
 * of another site cannot reach it through a browser here.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include "http/request.h"

enum http_admitted {
    HTTP_ADMITTED,
    HTTP_KEY_UNKNOWN, /* no such key; revoked; expired */
    HTTP_KEY_SCOPE,   /* it may do other things */
    HTTP_KEY_RATE,    /* too often */
    HTTP_KEY_QUOTA,   /* nothing left for today */
};

struct http_admission {
    enum http_admitted outcome;
    uint32_t retry_after_s;       /* of the last two */
    char label[HTTP_LABEL_BYTES]; /* of the key, for logs */
    int64_t key_id;
};

struct http_caller {
    struct slice key;  /* as it was sent; empty only where the key is known already: */
    int64_t key_id;    /* more units for it */
    const char *scope; /* NULL: none is needed */
    struct ip client;
    uint64_t units; /* addresses, or 1 */
};

/* Called on the library's threads, for every request: quick. */
struct http_auth {
    void *context;
    bool (*has_keys)(void *context);
    void (*admit)(void *context, const struct http_caller *caller, struct http_admission *out);
};

/* Whether the request goes on; false: it was answered. auth may be NULL. cors_origins: origins whose pages may ask. */
struct http_origins {
    const char *const *at;
    size_t count;
};
bool http_auth_passes(struct http_request *request, const struct http_auth *auth,
                      const struct http_origins *origins, struct slice key);

/* The key that came with the request: where its route looks, Authorization: Bearer KEY, X-Api-Key: KEY; empty: none. */
struct slice http_sent_key(const struct http_request *request);

bool http_origin_is_listed(const struct http_origins *origins, struct slice origin);

/* 127.0.0.0/8, ::1, and the first mapped into IPv6. */
bool http_is_loopback(const struct ip *ip);

#endif
