/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/key_words.h"

#include "base/reader.h"
#include "base/slice.h"

enum { SHOWN_BYTES_MAX = 60 /* of what was written, in a message */ };

const enum key_scope key_scopes_all[KEY_SCOPES_COUNT] = {KEY_SCOPE_VERIFY, KEY_SCOPE_BATCH,
                                                         KEY_SCOPE_READ,   KEY_SCOPE_LEARN,
                                                         KEY_SCOPE_PROBE,  KEY_SCOPE_ADMIN};

static struct slice shown(struct slice text)
{
    return slice_sub(text, 0, SHOWN_BYTES_MAX);
}

static unsigned scope_of(struct slice word)
{
    for (size_t i = 0; i < KEY_SCOPES_COUNT; i++) {
        if (slice_equal(word, slice_of(key_scope_name(key_scopes_all[i])))) {
            return key_scopes_all[i];
        }
    }
    return 0;
}

enum err key_scopes_read(struct slice text, unsigned *out_scopes, struct fault *out_why)
{
    unsigned scopes = 0;
    struct slice rest = text;
    while (rest.at != NULL) {
        struct slice word = slice_cut(&rest, ',');
        unsigned scope = scope_of(word);
        if (scope == 0) {
            return fault_set(
                out_why, ERR_SYNTAX, 0,
                "'%.*s' is no scope; there are verify, batch, read, learn, probe and admin",
                SLICE_ARG(shown(word)));
        }
        scopes |= scope;
    }
    *out_scopes = scopes;
    return ERR_NONE;
}

enum err key_scopes_write(unsigned scopes, struct buf *out)
{
    const char *gap = "";
    enum err e = ERR_NONE;
    for (size_t i = 0; i < KEY_SCOPES_COUNT && e == ERR_NONE; i++) {
        if ((scopes & (unsigned)key_scopes_all[i]) != 0) {
            e = buf_printf(out, "%s%s", gap, key_scope_name(key_scopes_all[i]));
            gap = ",";
        }
    }
    return e;
}

const char *key_scope_name(enum key_scope scope)
{
    switch (scope) {
    case KEY_SCOPE_VERIFY: return "verify";
    case KEY_SCOPE_BATCH: return "batch";
    case KEY_SCOPE_READ: return "read";
    case KEY_SCOPE_LEARN: return "learn";
    case KEY_SCOPE_PROBE: return "probe";
    case KEY_SCOPE_ADMIN: break;
    }
    return "admin";
}

bool key_scopes_allow(unsigned scopes, enum key_scope scope)
{
    return (scopes & ((unsigned)scope | (unsigned)KEY_SCOPE_ADMIN)) != 0;
}

/* A number from 1 to max, and after it exactly the unit. */
static bool read_per(struct slice text, struct slice unit, uint64_t max, uint64_t *out)
{
    struct reader r = reader_over(text);
    uint64_t number = 0;
    if (!reader_number(&r, max, &number) || number == 0 || !slice_equal(r.rest, unit)) {
        return false;
    }
    *out = number;
    return true;
}

enum err key_rate_read(struct slice text, uint32_t *out_per_minute, struct fault *out_why)
{
    uint64_t number = 0;
    if (!read_per(text, SLICE("/min"), KEY_RATE_MAX, &number)) {
        return fault_set(out_why, ERR_SYNTAX, 0,
                         "'%.*s' is not a rate from 1/min to %d/min, such as 60/min",
                         SLICE_ARG(shown(text)), (int)KEY_RATE_MAX);
    }
    *out_per_minute = (uint32_t)number;
    return ERR_NONE;
}

enum err key_quota_read(struct slice text, uint64_t *out_per_day, struct fault *out_why)
{
    uint64_t number = 0;
    if (!read_per(text, SLICE("/day"), KEY_QUOTA_MAX, &number)) {
        return fault_set(out_why, ERR_SYNTAX, 0,
                         "'%.*s' is not a quota from 1/day to %llu/day, such as 10000/day",
                         SLICE_ARG(shown(text)), (unsigned long long)KEY_QUOTA_MAX);
    }
    *out_per_day = number;
    return ERR_NONE;
}
