/* message/dkim_hash: the hashes that signing and verifying share.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "dns/tags.h"
#include "message/dkim_private.h"

enum err dkim_hash_begin(struct dkim_hash *hash, const struct crypto *crypto)
{
    *hash = (struct dkim_hash){.crypto = crypto};
    return crypto->hasher_new(crypto->context, &hash->hasher);
}

enum err dkim_hash_write(void *hash, struct slice bytes)
{
    const struct dkim_hash *to = hash;
    return to->crypto->hasher_add(to->hasher, bytes);
}

enum err dkim_hash_end(struct dkim_hash *hash, struct crypto_digest *out)
{
    enum err e = hash->crypto->hasher_end(hash->hasher, out);
    dkim_hash_done(hash);
    return e;
}

void dkim_hash_done(struct dkim_hash *hash)
{
    if (hash->hasher != NULL) {
        hash->crypto->hasher_free(hash->hasher);
    }
    hash->hasher = NULL;
}

/* ---- the fields that are named ---- */

/* The lowest field of that name below which none is left; header->count: there is none. */
static size_t take_lowest(const struct message_header *header, struct slice name, bool *is_taken)
{
    for (size_t i = header->count; i-- > 0;) {
        if (!is_taken[i] && slice_equal_nocase(header->fields[i].name, name)) {
            is_taken[i] = true;
            return i;
        }
    }
    return header->count;
}

static enum err write_named(const struct dkim_header_hash *what, bool *is_taken,
                            struct dkim_hash *hash)
{
    struct slice rest = what->names;
    struct slice name;
    enum err e = ERR_NONE;
    while (e == ERR_NONE && tag_item_next(&rest, ':', &name)) {
        size_t i = take_lowest(what->header, name, is_taken);
        if (i < what->header->count) {
            e = dkim_field_write(&what->header->fields[i], what->canon, dkim_hash_write, hash);
            e = e != ERR_NONE ? e : dkim_hash_write(hash, SLICE("\r\n"));
        }
    }
    return e;
}

/* ---- the signature's own field ---- */

/* Where the value of b= begins and ends in a field's value; both are its length where there is none. */
static void find_signature(struct slice value, size_t *out_from, size_t *out_to)
{
    size_t at = 0;
    while (at < value.len) {
        size_t end = slice_find_byte(value, ';', at);
        size_t equals = slice_find_byte(value, '=', at);
        if (equals < end && slice_equal(slice_trim(slice_sub(value, at, equals)), SLICE("b"))) {
            *out_from = equals + 1;
            *out_to = end;
            return;
        }
        at = end + 1;
    }
    *out_from = value.len;
    *out_to = value.len;
}

/* RFC 6376 3.7: as it was before its signature was put in. */
static enum err write_own(const struct dkim_header_hash *what, struct dkim_hash *hash)
{
    const struct message_field *own = &what->own;
    struct buf raw;
    size_t from, to;
    find_signature(own->value, &from, &to);
    size_t value_at = (size_t)(own->value.at - own->raw.at);
    buf_init(&raw, own->raw.len);
    enum err e = buf_append(&raw, slice_sub(own->raw, 0, value_at + from));
    e = e != ERR_NONE ? e : buf_append(&raw, slice_sub(own->raw, value_at + to, own->raw.len));
    if (e == ERR_NONE) {
        struct slice text = buf_view(&raw);
        struct message_field bare = {text, own->name, slice_sub(text, value_at, text.len - 2)};
        e = dkim_field_write(&bare, what->canon, dkim_hash_write, hash);
    }
    buf_done(&raw);
    return e;
}

enum err dkim_header_digest(const struct dkim_header_hash *what, struct crypto_digest *out)
{
    struct dkim_hash hash;
    enum err e = dkim_hash_begin(&hash, what->crypto);
    if (e != ERR_NONE) {
        return e;
    }
    bool *is_taken = calloc(what->header->count + 1, sizeof *is_taken);
    e = is_taken == NULL ? ERR_NOMEM : write_named(what, is_taken, &hash);
    e = e != ERR_NONE ? e : write_own(what, &hash);
    free(is_taken);
    if (e == ERR_NONE) {
        return dkim_hash_end(&hash, out);
    }
    dkim_hash_done(&hash);
    return e;
}
