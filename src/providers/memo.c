/* providers/memo: which rule decided a reply, by everything that rules look at; and what came out of a reply that says
 * the same to everybody, byte for byte, so that it need not even be folded. Fixed tables: what falls into a place that is
 * taken replaces what was there.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "providers/rules_private.h"

enum {
    MEMO_PLACES = 256,
    MEMO_TEXT_BYTES = 256, /* longer replies are rare and not kept */
    MEMO_REPLIES = 64,
    MEMO_PROVIDER_BYTES = 32,
};

struct memo_entry {
    unsigned stage_bit, code;
    struct hel_enhanced enhanced;
    size_t provider;
    const struct rule *rule; /* NULL: no rule fits */
    size_t text_len;
    char text[MEMO_TEXT_BYTES];
};

struct memo_reply {
    uint16_t code;
    enum hel_smtp_stage stage;
    struct hel_enhanced enhanced;
    size_t provider_len, text_len;
    char provider[MEMO_PROVIDER_BYTES];
    char text[MEMO_TEXT_BYTES];
    struct classification result;
};

/* The places are large and few of them are taken by a short run: until then they are not touched. */
struct rules_memo {
    bool is_taken[MEMO_PLACES];
    bool has_reply[MEMO_REPLIES];
    struct memo_entry places[MEMO_PLACES];
    struct memo_reply replies[MEMO_REPLIES];
};

enum err rules_memo_new(struct rules_memo **out)
{
    struct rules_memo *memo = malloc(sizeof *memo);
    if (memo == NULL) {
        return ERR_NOMEM;
    }
    memset(memo, 0, offsetof(struct rules_memo, places));
    *out = memo;
    return ERR_NONE;
}

void rules_memo_free(struct rules_memo *memo)
{
    free(memo);
}

static size_t place_of(const struct matter *m)
{
    uint64_t seed = m->code ^ (uint64_t)m->stage_bit << 10 ^ (uint64_t)m->provider << 26;
    return (size_t)(slice_mix(m->text, seed) % MEMO_PLACES);
}

static bool are_equal(struct hel_enhanced a, struct hel_enhanced b)
{
    return a.class_digit == b.class_digit && a.subject == b.subject && a.detail == b.detail;
}

static bool is_same(const struct memo_entry *entry, const struct matter *m)
{
    return entry->stage_bit == m->stage_bit && entry->code == m->code &&
           are_equal(entry->enhanced, m->enhanced) && entry->provider == m->provider &&
           slice_equal(slice_make(entry->text, entry->text_len), m->text);
}

bool memo_find(const struct rules_memo *memo, const struct matter *m, const struct rule **out)
{
    size_t place = place_of(m);
    if (!memo->is_taken[place] || !is_same(&memo->places[place], m)) {
        return false;
    }
    *out = memo->places[place].rule;
    return true;
}

void memo_put(struct rules_memo *memo, const struct matter *m, const struct rule *rule)
{
    if (m->text.len > MEMO_TEXT_BYTES) {
        return;
    }
    size_t place = place_of(m);
    struct memo_entry *entry = &memo->places[place];
    memo->is_taken[place] = true;
    entry->stage_bit = m->stage_bit;
    entry->code = m->code;
    entry->enhanced = m->enhanced;
    entry->provider = m->provider;
    entry->rule = rule;
    entry->text_len = m->text.len;
    if (m->text.len > 0) {
        memcpy(entry->text, m->text.at, m->text.len);
    }
}

static size_t place_of_reply(const struct classify_question *q)
{
    return (size_t)(slice_mix(q->reply->text, q->reply->code) % MEMO_REPLIES);
}

bool memo_recall(const struct rules_memo *memo, const struct classify_question *q,
                 struct classification *out)
{
    size_t place = place_of_reply(q);
    const struct memo_reply *entry = &memo->replies[place];
    const struct hel_reply *reply = q->reply;
    if (!memo->has_reply[place] || entry->code != reply->code || entry->stage != q->stage ||
        !are_equal(entry->enhanced, reply->enhanced) ||
        !slice_equal(slice_make(entry->text, entry->text_len), reply->text) ||
        !slice_equal(slice_make(entry->provider, entry->provider_len), q->provider)) {
        return false;
    }
    *out = entry->result;
    return true;
}

void memo_keep(struct rules_memo *memo, const struct classify_question *q,
               const struct classification *result)
{
    const struct hel_reply *reply = q->reply;
    if (reply->text.len > MEMO_TEXT_BYTES || q->provider.len > MEMO_PROVIDER_BYTES) {
        return;
    }
    size_t place = place_of_reply(q);
    struct memo_reply *entry = &memo->replies[place];
    memo->has_reply[place] = true;
    entry->code = reply->code;
    entry->stage = q->stage;
    entry->enhanced = reply->enhanced;
    entry->text_len = reply->text.len;
    entry->provider_len = q->provider.len;
    entry->result = *result;
    if (reply->text.len > 0) {
        memcpy(entry->text, reply->text.at, reply->text.len);
    }
    if (q->provider.len > 0) {
        memcpy(entry->provider, q->provider.at, q->provider.len);
    }
}
