/* SPDX-License-Identifier: Apache-2.0 */
#include "store/place.h"

#include "base/sip_hash.h"
#include "base/slice.h"
#include "store/store_private.h"

static uint64_t place_of_domain(struct slice domain)
{
    return sip_hash(domain, 0, 0) >> STORE_PLACE_KEY_BITS << STORE_PLACE_KEY_BITS;
}

int64_t store_place(struct slice key)
{
    struct slice address = slice_sub(key, 0, key.len - store_variant(key).len);
    size_t at = slice_find_last_byte(address, '@');
    struct slice domain = at == address.len ? SLICE_NONE : slice_sub(address, at + 1, address.len);
    uint64_t high = place_of_domain(domain);
    uint64_t low = sip_hash(address, 0, 0) >> (64 - STORE_PLACE_KEY_BITS);
    return (int64_t)(high | low);
}

void store_place_range(struct slice domain, int64_t *out_first, int64_t *out_last)
{
    uint64_t high = place_of_domain(domain);
    *out_first = (int64_t)high;
    *out_last = (int64_t)(high | ((UINT64_C(1) << STORE_PLACE_KEY_BITS) - 1));
}

struct slice store_variant(struct slice key)
{
    size_t at = slice_find_last_byte(key, '@');
    return at == key.len ? SLICE_NONE : slice_sub(key, slice_find_byte(key, ' ', at), key.len);
}

static struct slice key_of(sqlite3_value *value)
{
    const char *text = (const char *)sqlite3_value_text(value);
    return text == NULL ? SLICE_NONE : slice_make(text, (size_t)sqlite3_value_bytes(value));
}

static void answer_place(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    sqlite3_result_int64(context, store_place(key_of(values[0])));
}

static void answer_variant(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct slice variant = store_variant(key_of(values[0]));
    sqlite3_result_text(context, variant.at, (int)variant.len, SQLITE_TRANSIENT);
}

enum err store_place_teach(struct store *store, struct fault *out_fault)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
    if (sqlite3_create_function(store->db, "place", 1, flags, NULL, answer_place, NULL, NULL) !=
            SQLITE_OK ||
        sqlite3_create_function(store->db, "variant", 1, flags, NULL, answer_variant, NULL, NULL) !=
            SQLITE_OK) {
        return store_fail(store, out_fault, "cannot be used");
    }
    return ERR_NONE;
}
