/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_keys.h"

#include <stdio.h>

#include "base/slice.h"
#include "net/wall_clock.h"

static bool has_keys(void *context)
{
    size_t count = 0;
    return keys_count(context, wall_clock_ms(), &count) != ERR_NONE || count > 0;
}

static enum key_scope scope_of(const char *name)
{
    static const enum key_scope scopes[] = {KEY_SCOPE_VERIFY, KEY_SCOPE_BATCH, KEY_SCOPE_READ,
                                            KEY_SCOPE_PROBE};
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        if (slice_equal(slice_of(key_scope_name(scopes[i])), slice_of(name))) {
            return scopes[i];
        }
    }
    return KEY_SCOPE_ADMIN;
}

static enum http_admitted outcome_of(enum key_answer answer)
{
    switch (answer) {
    case KEY_ALLOWED: return HTTP_ADMITTED;
    case KEY_UNKNOWN:
    case KEY_EXPIRED:
    case KEY_REVOKED: break;
    case KEY_LACKS_SCOPE: return HTTP_KEY_SCOPE;
    case KEY_TOO_FAST: return HTTP_KEY_RATE;
    case KEY_QUOTA_USED_UP: return HTTP_KEY_QUOTA;
    }
    return HTTP_KEY_UNKNOWN;
}

/* Where the store cannot be read out stays what it was: not let in. */
static void admit(void *context, const struct http_caller *caller, struct http_admission *out)
{
    struct key_decision decision = {.answer = KEY_UNKNOWN};
    uint32_t cost = caller->units < UINT32_MAX ? (uint32_t)caller->units : UINT32_MAX;
    enum err e = caller->key_id != 0 ? keys_charge(context, caller->key_id, caller->units,
                                                   wall_clock_ms(), &decision)
                                     : keys_check(context, caller->key, scope_of(caller->scope),
                                                  cost, wall_clock_ms(), &decision);
    out->outcome = e == ERR_NONE ? outcome_of(decision.answer) : HTTP_KEY_UNKNOWN;
    out->retry_after_s = decision.retry_after_s;
    out->key_id = decision.key;
    (void)snprintf(out->label, sizeof out->label, "%.*s", (int)sizeof out->label - 1,
                   decision.label);
}

enum err serve_keys_open(struct serve_keys *out, const char *store_path, struct fault *out_fault)
{
    enum err e = digester_new(&out->digester, out_fault);
    e = e != ERR_NONE ? e : keys_open(store_path, out->digester, &out->keys, out_fault);
    out->auth = (struct http_auth){.context = out->keys, .has_keys = has_keys, .admit = admit};
    return e;
}

void serve_keys_close(struct serve_keys *keys)
{
    if (keys->keys != NULL) {
        keys_close(keys->keys);
    }
    if (keys->digester != NULL) {
        digester_free(keys->digester);
    }
    *keys = (struct serve_keys){.keys = NULL};
}

bool serve_keys_any(const struct serve_keys *keys)
{
    return has_keys(keys->keys);
}

static void save_at_desk(struct desk *desk, void *context)
{
    struct fault fault;
    enum err e = keys_save(context, desk->store, &fault);
    if (e != ERR_NONE) {
        return; /* the next time it is tried again, with all that was used since */
    }
}

void serve_keys_save(struct serve_keys *keys, struct service *service)
{
    bool was_called = service_call(service, save_at_desk, keys->keys);
    if (!was_called) {
        return; /* it is closing */
    }
}
