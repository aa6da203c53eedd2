/* engine/keys: the API keys of a store as a service asks about them at every request: answered from memory, by any
 * number of threads at once.
 *
 *     keys_open -> keys_check for each request (from any thread) -> keys_save every KEYS_SAVE_MS, and before
 *     keys_close (from the thread that has the store)
 *
 * What other processes do to keys ('heloise key revoke') is seen within a second: the store is looked at, through a
 * connection of this module's own, at most every KEYS_LOOK_MS, by whichever request comes next. Where that fails nobody
 * is let in.
 * The usage of the day outlives a restart: keys_save adds it to the store. What was used since the last keys_save is lost
 * where the process is killed; rates begin with a full bucket after every start. Two services on one store each count
 * for themselves until they start again.
 * Times are Unix milliseconds and arguments.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_KEYS_H
#define ENGINE_KEYS_H

#include "engine/key_words.h"
#include "net/digest.h"
#include "store/store.h"

enum {
    KEYS_LOOK_MS = 500,
    KEYS_SAVE_MS = 1000,
    KEY_LABEL_BYTES_MAX = 100,
};

struct keys;

/* store_path: of a file that store_open has opened; NULL: there is no store, and no key. The digester is borrowed.
 * ERR_STORE, ERR_NOMEM. */
enum err keys_open(const char *store_path, const struct digester *digester, struct keys **out,
                   struct fault *out_fault) MUST_USE;
void keys_close(struct keys *keys);

/* How many keys there are, revoked and expired ones too: where there was ever one, nobody is let in without. From any
 * thread. ERR_STORE, ERR_NOMEM: it is not known. */
enum err keys_count(struct keys *keys, int64_t now_ms, size_t *out_count) MUST_USE;

enum key_answer {
    KEY_ALLOWED,
    KEY_UNKNOWN, /* there is no key with this secret, or it has not the form of one */
    KEY_EXPIRED,
    KEY_REVOKED,
    KEY_LACKS_SCOPE,
    KEY_TOO_FAST,      /* more than its rate */
    KEY_QUOTA_USED_UP, /* more than its quota of today, UTC */
};

struct key_decision {
    enum key_answer answer;
    int64_t key;                         /* its number; 0: KEY_UNKNOWN */
    unsigned scopes;                     /* all that it has */
    uint32_t retry_after_s;              /* KEY_TOO_FAST, KEY_QUOTA_USED_UP: at least 1 */
    char label[KEY_LABEL_BYTES_MAX + 1]; /* for logs; NUL-terminated */
};

/* Whether the holder of the secret may do something of that scope that costs so much, and takes the cost where it
 * may. cost: 1 for a usual request, 0 where only the right to it is asked. From any thread. ERR_STORE, ERR_NOMEM:
 * nothing is known and *out untouched; the holder is not to be let in. */
enum err keys_check(struct keys *keys, struct slice secret, enum key_scope scope, uint32_t cost,
                    int64_t now_ms, struct key_decision *out) MUST_USE;

/* Takes so much more from the quota of the day of a key that was let in: the rows of an upload, which are known only
 * when it was read. Its rate is not looked at. KEY_UNKNOWN where it is gone. The same errors. */
enum err keys_charge(struct keys *keys, int64_t key, uint64_t cost, int64_t now_ms,
                     struct key_decision *out) MUST_USE;

/* Writes what was used since the last time into the store, and flushes it. ERR_STORE, ERR_NOMEM: the next call tries
 * again. */
enum err keys_save(struct keys *keys, struct store *store, struct fault *out_fault) MUST_USE;

#endif
