/* providers/memo: which rule decided a reply, by everything that rules look at. A fixed table: what falls into
 * a place that is taken replaces what was there.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "providers/rules_private.h"

enum {
    MEMO_PLACES = 256,
    MEMO_TEXT_BYTES = 256, /* longer replies are rare and not kept */
};

struct memo_entry {
    bool is_taken;
    unsigned stage_bit, code;
    struct hel_enhanced enhanced;
    size_t provider;
    const struct rule *rule; /* NULL: no rule fits */
    size_t text_len;
    char text[MEMO_TEXT_BYTES];
};

struct rules_memo {
    struct memo_entry places[MEMO_PLACES];
};

enum err rules_memo_new(struct rules_memo **out)
{
    struct rules_memo *memo = calloc(1, sizeof *memo);
    if (memo == NULL) {
        return ERR_NOMEM;
    }
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
    return (size_t)(slice_hash(m->text, seed) % MEMO_PLACES);
}

static bool is_same(const struct memo_entry *entry, const struct matter *m)
{
    return entry->is_taken && entry->stage_bit == m->stage_bit && entry->code == m->code &&
           entry->enhanced.class_digit == m->enhanced.class_digit &&
           entry->enhanced.subject == m->enhanced.subject &&
           entry->enhanced.detail == m->enhanced.detail && entry->provider == m->provider &&
           slice_equal(slice_make(entry->text, entry->text_len), m->text);
}

bool memo_find(const struct rules_memo *memo, const struct matter *m, const struct rule **out)
{
    const struct memo_entry *entry = &memo->places[place_of(m)];
    if (!is_same(entry, m)) {
        return false;
    }
    *out = entry->rule;
    return true;
}

void memo_put(struct rules_memo *memo, const struct matter *m, const struct rule *rule)
{
    if (m->text.len > MEMO_TEXT_BYTES) {
        return;
    }
    struct memo_entry *entry = &memo->places[place_of(m)];
    entry->is_taken = true;
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
