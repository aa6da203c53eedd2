/* engine/key_issue: new API keys. A secret is "hel_" and 256 random bits in base64url; it is told once and kept by its
 * holder only (store/keys has its digest).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_KEY_ISSUE_H
#define ENGINE_KEY_ISSUE_H

#include <stdbool.h>

#include "net/digest.h"
#include "store/keys.h"

enum {
    KEY_SECRET_BYTES = 4 + 43,
    KEY_PREFIX_BYTES = 4 + 8, /* as lists show it: 48 of the 256 bits, which find no secret */
};

/* Whether these bytes could be a secret of ours. */
bool key_secret_has_form(struct slice secret);

struct key_grant {
    struct slice label;       /* 1 to KEY_LABEL_BYTES_MAX bytes of UTF-8 without controls */
    unsigned scopes;          /* of engine/key_words; at least one */
    uint32_t rate_per_minute; /* 0: no limit */
    uint64_t quota_per_day;   /* the same */
    uint64_t life_ms;         /* 0: for good */
};

struct key_issued {
    int64_t id;
    char secret[KEY_SECRET_BYTES + 1]; /* NUL-terminated; wipe it when it is told */
};

/* Makes a key and keeps it; committed when it returns. ERR_SYNTAX: the label is not one. ERR_LIMIT, ERR_STORE,
 * ERR_SYSTEM. */
enum err key_issue(struct store *store, const struct digester *digester,
                   const struct key_grant *grant, int64_t now_ms, struct key_issued *out,
                   struct fault *out_fault) MUST_USE;

#endif
