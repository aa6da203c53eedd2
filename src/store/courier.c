/* store/courier: writes as bytes, and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/courier.h"

#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "store/store_private.h"

enum parcel {
    PARCEL_VERDICT,
    PARCEL_VERDICT_PACKED,
    PARCEL_DOMAIN,
    PARCEL_FACT,
    PARCEL_RELEASE,
    PARCEL_NOTE,
};

enum { SLICES_MAX = 6, TIMES_MAX = 2 };

/* What every kind of write consists of: texts and times, in the order of its struct. */
struct parcel_parts {
    struct slice texts[SLICES_MAX];
    size_t text_count;
    int64_t times[TIMES_MAX];
    size_t time_count;
};

static const struct {
    uint8_t texts, times;
} shapes[] = {
    [PARCEL_VERDICT] = {5, 2}, [PARCEL_VERDICT_PACKED] = {5, 2}, [PARCEL_DOMAIN] = {3, 2},
    [PARCEL_FACT] = {5, 1},    [PARCEL_RELEASE] = {1, 0},        [PARCEL_NOTE] = {1, 0},
};
enum { PARCELS = sizeof shapes / sizeof *shapes };

static enum err put_u32(struct buf *out, uint32_t value)
{
    char bytes[] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
    return buf_append(out, slice_make(bytes, sizeof bytes));
}

static enum err put_parts(struct buf *out, enum parcel kind, const struct parcel_parts *parts)
{
    size_t before = out->len;
    enum err e = buf_append_byte(out, (char)kind);
    for (size_t i = 0; e == ERR_NONE && i < parts->text_count; i++) {
        e = put_u32(out, (uint32_t)parts->texts[i].len);
        e = e == ERR_NONE ? buf_append(out, parts->texts[i]) : e;
    }
    for (size_t i = 0; e == ERR_NONE && i < parts->time_count; i++) {
        uint64_t time = (uint64_t)parts->times[i];
        e = put_u32(out, (uint32_t)(time >> 32));
        e = e == ERR_NONE ? put_u32(out, (uint32_t)time) : e;
    }
    if (e != ERR_NONE) {
        out->len = before; /* whole, or not at all */
    }
    return e;
}

static bool take_parts(struct reader *r, enum parcel *out_kind, struct parcel_parts *out)
{
    uint8_t kind;
    if (!reader_u8(r, &kind) || kind >= PARCELS) {
        return false;
    }
    *out_kind = (enum parcel)kind;
    out->text_count = shapes[kind].texts;
    out->time_count = shapes[kind].times;
    for (size_t i = 0; i < out->text_count; i++) {
        uint32_t len;
        if (!reader_u32(r, &len) || !reader_take(r, len, &out->texts[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < out->time_count; i++) {
        uint32_t high, low;
        if (!reader_u32(r, &high) || !reader_u32(r, &low)) {
            return false;
        }
        out->times[i] = (int64_t)((uint64_t)high << 32 | low);
    }
    return true;
}

enum err courier_verdict_put(struct store *store, const struct store_verdict *verdict,
                             bool is_packed)
{
    const struct parcel_parts parts = {
        .texts = {verdict->key, verdict->domain, verdict->status, verdict->sub_status,
                  verdict->json},
        .text_count = 5,
        .times = {verdict->checked_at_ms, verdict->expires_at_ms},
        .time_count = 2,
    };
    return put_parts(store->outbox, is_packed ? PARCEL_VERDICT_PACKED : PARCEL_VERDICT, &parts);
}

enum err courier_domain_put(struct store *store, struct slice domain, struct slice name,
                            struct slice value, int64_t at_ms, int64_t expires_at_ms)
{
    const struct parcel_parts parts = {
        .texts = {domain, name, value},
        .text_count = 3,
        .times = {at_ms, expires_at_ms},
        .time_count = 2,
    };
    return put_parts(store->outbox, PARCEL_DOMAIN, &parts);
}

enum err courier_fact_put(struct store *store, const struct store_fact *fact)
{
    const struct parcel_parts parts = {
        .texts = {fact->key, fact->domain, fact->kind, fact->source, fact->detail},
        .text_count = 5,
        .times = {fact->at_ms},
        .time_count = 1,
    };
    return put_parts(store->outbox, PARCEL_FACT, &parts);
}

enum err courier_claim_release(struct store *store, struct slice key)
{
    const struct parcel_parts parts = {.texts = {key}, .text_count = 1};
    return put_parts(store->outbox, PARCEL_RELEASE, &parts);
}

enum err store_courier_note(struct buf *out_box, struct slice bytes)
{
    const struct parcel_parts parts = {.texts = {bytes}, .text_count = 1};
    return put_parts(out_box, PARCEL_NOTE, &parts);
}

static enum err carry(struct store *store, enum parcel kind, const struct parcel_parts *parts,
                      store_note_fn note, void *context)
{
    const struct slice *texts = parts->texts;
    switch (kind) {
    case PARCEL_VERDICT:
    case PARCEL_VERDICT_PACKED: {
        const struct store_verdict verdict = {texts[0],        texts[1],        texts[2], texts[3],
                                              parts->times[0], parts->times[1], texts[4]};
        return store_verdict_write(store, &verdict, kind == PARCEL_VERDICT_PACKED);
    }
    case PARCEL_DOMAIN:
        return store_domain_put(store, texts[0], texts[1], texts[2], parts->times[0],
                                parts->times[1]);
    case PARCEL_FACT: {
        const struct store_fact fact = {texts[0], texts[1], texts[2],
                                        texts[3], texts[4], parts->times[0]};
        return store_fact_put(store, &fact);
    }
    case PARCEL_RELEASE: return store_claim_release(store, texts[0]);
    case PARCEL_NOTE: note(context, texts[0]); return ERR_NONE;
    }
    return ERR_NONE;
}

enum err store_carry(struct store *store, struct slice outbox, store_note_fn note, void *context)
{
    struct reader r = reader_over(outbox);
    enum err first = ERR_NONE;
    while (!reader_is_done(&r)) {
        enum parcel kind = PARCEL_NOTE;
        struct parcel_parts parts = {.text_count = 0};
        if (!take_parts(&r, &kind, &parts)) {
            return ERR_SYNTAX;
        }
        enum err e = carry(store, kind, &parts, note, context);
        first = first != ERR_NONE ? first : e;
    }
    return first;
}

enum err store_courier_open(const char *path, struct buf *out_box, struct store **out,
                            struct fault *out_fault)
{
    struct store *store;
    enum err e = store_open_to_read(path, &store, out_fault);
    if (e == ERR_NONE) {
        store->outbox = out_box;
        *out = store;
    }
    return e;
}
