/* engine/key_words: what is said of an API key in words, and back: scopes, rates, quotas. No clock, no store.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_KEY_WORDS_H
#define ENGINE_KEY_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* What a key may be used for. The numbers stand in stores and never change. */
enum key_scope {
    KEY_SCOPE_VERIFY = 1, /* single addresses, and many in one call */
    KEY_SCOPE_BATCH = 2,  /* uploads, batches, watched lists, webhooks */
    KEY_SCOPE_READ = 4,   /* what is known: domains, histories, egresses, sites */
    KEY_SCOPE_ADMIN = 8,  /* all of that and what follows, and erasure */
    KEY_SCOPE_LEARN = 16, /* tells what became of messages, which corrects what everybody is told */
    KEY_SCOPE_PROBE = 32, /* tests of mail servers: logins among them */
};
enum { KEY_SCOPES_COUNT = 6 };
extern const enum key_scope key_scopes_all[KEY_SCOPES_COUNT]; /* in their usual order */
enum { KEY_SCOPES_USUAL = KEY_SCOPE_VERIFY | KEY_SCOPE_BATCH | KEY_SCOPE_READ };

enum { KEY_RATE_MAX = 10000000 };
#define KEY_QUOTA_MAX UINT64_C(1000000000000)

/* "verify,batch". ERR_SYNTAX with what is wrong. */
enum err key_scopes_read(struct slice text, unsigned *out_scopes, struct fault *out_why) MUST_USE;
/* The same words in their usual order, with "," between. ERR_NOMEM, ERR_LIMIT. */
enum err key_scopes_write(unsigned scopes, struct buf *out) MUST_USE;
/* The word of one. Static. */
const char *key_scope_name(enum key_scope scope);
/* Whether a set allows it: admin allows everything. */
bool key_scopes_allow(unsigned scopes, enum key_scope scope);

/* "60/min": 1 to KEY_RATE_MAX. ERR_SYNTAX with what is wrong. */
enum err key_rate_read(struct slice text, uint32_t *out_per_minute, struct fault *out_why) MUST_USE;
/* "10000/day": 1 to KEY_QUOTA_MAX. The same. */
enum err key_quota_read(struct slice text, uint64_t *out_per_day, struct fault *out_why) MUST_USE;

#endif
