/* providers/rules_conditions: the keys of a rule that say when it holds, but for its texts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/rules_reader_private.h"

enum { STAGES_ALL = (1 << HEL_SMTP_STAGE_COUNT) - 1 };

enum err rules_key_stage(struct rules_reader *r)
{
    unsigned stages = 0;
    for (size_t i = 1; i < r->lines.count; i++) {
        enum hel_smtp_stage stage;
        if (slice_equal(r->lines.words[i].text, SLICE("any"))) {
            stages = STAGES_ALL;
        } else if (hel_smtp_stage_parse(r->lines.words[i].text, &stage)) {
            stages |= 1u << stage;
        } else {
            return lines_fault(&r->lines, r->fault,
                               "unknown stage \"%.*s\"; known: any connect banner ehlo starttls "
                               "mail rcpt data body rset quit",
                               SLICE_ARG(r->lines.words[i].text));
        }
    }
    if (stages == 0) {
        return lines_fault(&r->lines, r->fault, "stage needs at least one name");
    }
    r->now->rule.stages = stages;
    r->now->has_stage = true;
    return ERR_NONE;
}

/* "550", "55x", "5xx" as the first and last code of its range. */
static bool code_range(struct slice text, unsigned *out_first, unsigned *out_last)
{
    if (text.len != 3) {
        return false;
    }
    unsigned first = 0;
    unsigned last = 0;
    bool is_open = false;
    for (size_t i = 0; i < 3; i++) {
        bool is_any = text.at[i] == 'x';
        if (!is_any && (is_open || !ascii_is_digit(text.at[i]))) {
            return false;
        }
        is_open = is_open || is_any;
        first = first * 10 + (is_any ? 0 : (unsigned)(text.at[i] - '0'));
        last = last * 10 + (is_any ? 9 : (unsigned)(text.at[i] - '0'));
    }
    *out_first = first;
    *out_last = last;
    return first >= RULE_CODE_FIRST && last < RULE_CODE_FIRST + RULE_CODES;
}

void rules_code_set_add(struct code_set *set, unsigned first, unsigned last)
{
    for (unsigned code = first; code <= last; code++) {
        unsigned bit = code - RULE_CODE_FIRST;
        set->words[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
}

enum err rules_key_code(struct rules_reader *r)
{
    struct code_set set = {{0}};
    for (size_t i = 1; i < r->lines.count; i++) {
        unsigned first = 0;
        unsigned last = 0;
        if (!code_range(r->lines.words[i].text, &first, &last)) {
            return lines_fault(&r->lines, r->fault,
                               "\"%.*s\" is no code; write 550, 55x or 5xx, from 200 to 599",
                               SLICE_ARG(r->lines.words[i].text));
        }
        rules_code_set_add(&set, first, last);
    }
    if (r->lines.count < 2) {
        return lines_fault(&r->lines, r->fault, "code needs at least one value");
    }
    r->now->rule.codes = set;
    return ERR_NONE;
}

static bool enhanced_part(struct slice text, uint16_t *out)
{
    uint64_t value = 0;
    struct reader digits = reader_over(text);
    if (slice_equal(text, SLICE("x"))) {
        *out = ENHANCED_ANY;
        return true;
    }
    if (!reader_number(&digits, 999, &value) || !reader_is_done(&digits)) {
        return false;
    }
    *out = (uint16_t)value;
    return true;
}

static bool enhanced_form(struct slice text, struct enhanced_form *out)
{
    *out = (struct enhanced_form){.is_none = slice_equal(text, SLICE("none"))};
    if (out->is_none) {
        return true;
    }
    struct slice first = slice_cut(&text, '.');
    uint16_t class_digit = 0;
    if (text.at == NULL || !enhanced_part(first, &class_digit) ||
        (class_digit != ENHANCED_ANY && class_digit != 2 && class_digit != 4 && class_digit != 5)) {
        return false;
    }
    out->class_digit = class_digit == ENHANCED_ANY ? 0 : (uint8_t)class_digit;
    return enhanced_part(slice_cut(&text, '.'), &out->subject) && text.at != NULL &&
           enhanced_part(slice_cut(&text, '.'), &out->detail) && text.at == NULL;
}

enum err rules_key_enhanced(struct rules_reader *r)
{
    struct rule *rule = &r->now->rule;
    for (size_t i = 1; i < r->lines.count; i++) {
        if (rule->enhanced_count == RULE_ENHANCED_MAX) {
            return lines_fault(&r->lines, r->fault, "more than %d enhanced codes; split the rule",
                               RULE_ENHANCED_MAX);
        }
        if (!enhanced_form(r->lines.words[i].text, &rule->enhanced[rule->enhanced_count])) {
            return lines_fault(&r->lines, r->fault,
                               "\"%.*s\" is no enhanced code; write 5.1.1, x.2.2, 5.7.x or none",
                               SLICE_ARG(r->lines.words[i].text));
        }
        rule->enhanced_count++;
    }
    return r->lines.count > 1
               ? ERR_NONE
               : lines_fault(&r->lines, r->fault, "enhanced needs at least one value");
}

static enum err provider_id(struct rules_reader *r, struct slice name, size_t *out)
{
    const struct provider *provider = provider_by_name(r->book, name);
    const struct rule_provider *known =
        provider == NULL ? NULL : map_find(&r->rules->provider_ids, provider->name);
    if (known != NULL) {
        *out = known->id;
        return ERR_NONE;
    }
    if (provider == NULL) {
        return lines_fault(&r->lines, r->fault,
                           "unknown provider \"%.*s\"; add it to data/providers or mend the name",
                           SLICE_ARG(name));
    }
    if (r->rules->provider_count == RULE_PROVIDERS_MAX) {
        return lines_fault(&r->lines, r->fault, "rules name more than %d providers",
                           RULE_PROVIDERS_MAX);
    }
    struct rule_provider *added = rules_alloc(r, sizeof *added);
    if (added == NULL) {
        return ERR_NOMEM;
    }
    enum err e = arena_copy(&r->rules->arena, provider->name, &added->name);
    if (e != ERR_NONE) {
        return e;
    }
    added->id = r->rules->provider_count++;
    *out = added->id;
    return map_put(&r->rules->provider_ids, added->name, added);
}

enum err rules_key_provider(struct rules_reader *r)
{
    struct provider_set set = {{0}};
    for (size_t i = 1; i < r->lines.count; i++) {
        size_t id = 0;
        enum err e = provider_id(r, r->lines.words[i].text, &id);
        if (e != ERR_NONE) {
            return e;
        }
        set.words[id / 64] |= UINT64_C(1) << (id % 64);
    }
    if (r->lines.count < 2) {
        return lines_fault(&r->lines, r->fault, "provider needs at least one name");
    }
    if (r->now == NULL) {
        r->providers = set;
        r->has_providers = true;
        r->first_provider = r->lines.words[1].text;
    } else {
        r->now->rule.providers = set;
        r->now->rule.is_for_provider = true;
        r->rule_provider = r->lines.words[1].text;
    }
    return ERR_NONE;
}
