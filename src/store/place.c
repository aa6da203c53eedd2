/* SPDX-License-Identifier: Apache-2.0 */
#include "store/place.h"

#include "base/sip_hash.h"
#include "base/slice.h"
#include "store/store_private.h"

int64_t store_place(struct slice key)
{
    size_t at = slice_find_last_byte(key, '@');
    struct slice domain = at == key.len ? SLICE_NONE : slice_sub(key, at + 1, key.len);
    uint64_t high = sip_hash(domain, 0, 0) >> STORE_PLACE_KEY_BITS << STORE_PLACE_KEY_BITS;
    uint64_t low = sip_hash(key, 0, 0) >> (64 - STORE_PLACE_KEY_BITS);
    return (int64_t)(high | low);
}

static void answer(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    const char *text = (const char *)sqlite3_value_text(values[0]);
    struct slice key =
        text == NULL ? SLICE_NONE : slice_make(text, (size_t)sqlite3_value_bytes(values[0]));
    sqlite3_result_int64(context, store_place(key));
}

enum err store_place_teach(struct store *store, struct fault *out_fault)
{
    if (sqlite3_create_function(store->db, "place", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                answer, NULL, NULL) != SQLITE_OK) {
        return store_fail(store, out_fault, "cannot be used");
    }
    return ERR_NONE;
}
