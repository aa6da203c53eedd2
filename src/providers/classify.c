/* providers/classify: applies compiled rules to a reply. The text is folded once, fragments are found
 * in one pass, then the rules are tried in their order; the first that fits decides. What no rule knows
 * falls to the codes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/rules_private.h"

#include "base/slice.h"
#include "providers/codes.h"
#include "providers/fold.h"
#include "providers/hint.h"

enum {
    OWN_WORD_BYTES_MIN = 4, /* shorter words stand in replies by chance */
};

bool rule_pattern_matches(const struct rules *rules, const struct rule_item *item,
                          struct slice text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (data == NULL) {
        return false;
    }
    int n = pcre2_match(item->pattern, (PCRE2_SPTR)text.at, text.len, 0, 0, data, rules->match);
    pcre2_match_data_free(data);
    return n >= 0;
}

/* A matter and the fragments that stand in its text. */
struct search {
    const struct matter *matter;
    struct fragment_hits hits;
};

static bool item_fits(const struct search *s, const struct rule_item *item)
{
    if (item->fragment != RULE_NO_FRAGMENT && !fragment_is_hit(&s->hits, item->fragment)) {
        return false;
    }
    return item->pattern == NULL || rule_pattern_matches(s->matter->rules, item, s->matter->text);
}

static bool any_fits(const struct search *s, const struct rule_item *item)
{
    for (; item != NULL; item = item->next) {
        if (item_fits(s, item)) {
            return true;
        }
    }
    return false;
}

static bool enhanced_fits(const struct rule *rule, struct hel_enhanced enhanced)
{
    for (size_t i = 0; i < rule->enhanced_count; i++) {
        const struct enhanced_form *form = &rule->enhanced[i];
        bool is_none = enhanced.class_digit == 0;
        if (form->is_none || is_none) {
            if (form->is_none && is_none) {
                return true;
            }
            continue;
        }
        if ((form->class_digit == 0 || form->class_digit == enhanced.class_digit) &&
            (form->subject == ENHANCED_ANY || form->subject == enhanced.subject) &&
            (form->detail == ENHANCED_ANY || form->detail == enhanced.detail)) {
            return true;
        }
    }
    return rule->enhanced_count == 0;
}

static bool rule_fits(const struct search *s, const struct rule *rule)
{
    const struct matter *m = s->matter;
    unsigned bit = m->code - RULE_CODE_FIRST;
    if ((rule->stages & m->stage_bit) == 0 ||
        (rule->codes.words[bit / 64] >> (bit % 64) & 1) == 0) {
        return false;
    }
    bool is_theirs = m->provider < m->rules->provider_count &&
                     (rule->providers.words[m->provider / 64] >> (m->provider % 64) & 1) != 0;
    if ((rule->is_for_provider && !is_theirs) || !enhanced_fits(rule, m->enhanced)) {
        return false;
    }
    for (const struct rule_group *group = rule->needs; group != NULL; group = group->next) {
        if (!any_fits(s, group->items)) {
            return false;
        }
    }
    return !any_fits(s, rule->excludes);
}

static const struct rule *first_fit(const struct matter *m)
{
    struct search s = {.matter = m};
    fragments_find(&m->rules->fragments, m->text, &s.hits);
    for (size_t i = 0; i < m->rules->count; i++) {
        if (rule_fits(&s, m->rules->list[i])) {
            return m->rules->list[i];
        }
    }
    return NULL;
}

static const struct rule *deciding_rule(const struct matter *m, struct rules_memo *memo)
{
    const struct rule *rule = NULL;
    if (memo != NULL && memo_find(memo, m, &rule)) {
        return rule;
    }
    rule = first_fit(m);
    if (memo != NULL) {
        memo_put(memo, m, rule);
    }
    return rule;
}

static bool has_own_word(const struct classify_question *q, struct slice text)
{
    for (size_t i = 0; i < q->own_word_count; i++) {
        UNFILLED char folded[FOLD_BYTES_MAX];
        struct slice word = slice_make(folded, fold_text(q->own_words[i], folded, sizeof folded));
        if (word.len >= OWN_WORD_BYTES_MIN && fold_has_word(text, word)) {
            return true;
        }
    }
    return false;
}

/* What no rule decided. A refusal that cannot be told and names us is about us. */
static struct classification by_codes(const struct matter *m, const struct classify_question *q)
{
    struct classification c = codes_fallback(q->stage, (uint16_t)m->code, m->enhanced);
    if (c.rule == NULL) {
        c.rule = m->rules->code_names[m->code - RULE_CODE_FIRST];
    }
    bool is_weak = c.reason == REASON_UNKNOWN || c.reason == REASON_MAILBOX_UNKNOWN;
    if (m->code >= 400 && is_weak && has_own_word(q, m->text)) {
        c = (struct classification){.scope = SCOPE_US,
                                    .reason = REASON_POLICY_BLOCKED,
                                    .block_kind = BLOCK_POLICY,
                                    .rule = "own-words"};
    }
    return c;
}

static bool takes_hint(const struct matter *m, enum reply_reason reason)
{
    return m->code / 100 == 4 || reason == REASON_GREYLISTED || reason == REASON_RATE_LIMITED ||
           reason == REASON_POLICY_BLOCKED;
}

static unsigned code_within(uint16_t code)
{
    unsigned last = RULE_CODE_FIRST + RULE_CODES - 1;
    return code < RULE_CODE_FIRST ? RULE_CODE_FIRST : code > last ? last : code;
}

/* is_for_all: who is asked about, and who we are, was not looked at. */
static struct classification classify(const struct rules *rules,
                                      const struct classify_question *question, bool *is_for_all)
{
    UNFILLED char text[FOLD_BYTES_MAX];
    size_t len = fold_text(question->reply->text, text, sizeof text);
    bool may_echo = fold_may_echo(slice_make(text, len));
    len = may_echo ? fold_mask(text, len, question->rcpt) : len;
    const struct rule_provider *provider = map_find(&rules->provider_ids, question->provider);
    struct matter m = {
        .rules = rules,
        .stage_bit = 1u << question->stage,
        .code = code_within(question->reply->code),
        .enhanced = question->reply->enhanced,
        .provider = provider == NULL ? rules->provider_count : provider->id,
        .text = slice_make(text, len),
    };
    if (m.enhanced.class_digit == 0) {
        (void)fold_enhanced_within(m.text, &m.enhanced);
    }
    const struct rule *rule = deciding_rule(&m, question->memo);
    struct classification c = rule == NULL ? by_codes(&m, question) : rule->result;
    if (m.code >= 400 && takes_hint(&m, c.reason)) {
        c.retry_after_s = hint_delay(m.text);
        if (c.retry_after_s == 0 && rule != NULL) {
            c.retry_after_s = rule->retry_s;
        }
    }
    *is_for_all = !may_echo && (rule != NULL || m.code < 400);
    return c;
}

struct classification rules_classify(const struct rules *rules,
                                     const struct classify_question *question)
{
    struct rules_memo *memo = question->memo;
    struct classification c;
    if (memo != NULL && memo_recall(memo, question, &c)) {
        return c;
    }
    bool is_for_all;
    c = classify(rules, question, &is_for_all);
    if (memo != NULL && is_for_all) {
        memo_keep(memo, question, &c);
    }
    return c;
}
