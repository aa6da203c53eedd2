/* providers/rules_check: finds rules that can never decide. A later rule is dead when every reply that
 * fits it also fits one earlier rule: its stages, providers, codes and enhanced codes lie within the
 * earlier one's, and its texts imply the earlier one's texts. Within a rule, a text that contains
 * another of the same group adds nothing and is reported as well.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/rules_private.h"

#include <string.h>

#include "base/slice.h"

static bool words_within(const uint64_t *inner, const uint64_t *outer, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((inner[i] & ~outer[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool form_within(const struct enhanced_form *inner, const struct enhanced_form *outer)
{
    if (inner->is_none || outer->is_none) {
        return inner->is_none == outer->is_none;
    }
    return (outer->class_digit == 0 || outer->class_digit == inner->class_digit) &&
           (outer->subject == ENHANCED_ANY || outer->subject == inner->subject) &&
           (outer->detail == ENHANCED_ANY || outer->detail == inner->detail);
}

static bool enhanced_within(const struct rule *inner, const struct rule *outer)
{
    if (outer->enhanced_count == 0) {
        return true;
    }
    for (size_t i = 0; i < inner->enhanced_count; i++) {
        bool is_within = false;
        for (size_t k = 0; k < outer->enhanced_count && !is_within; k++) {
            is_within = form_within(&inner->enhanced[i], &outer->enhanced[k]);
        }
        if (!is_within) {
            return false;
        }
    }
    return inner->enhanced_count > 0;
}

/* A pattern that looks at its surroundings may fit a fragment alone and not the text around it. */
static bool looks_around(struct slice pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.at[i];
        bool is_around =
            c == '^' || c == '$' || (c == '(' && i + 1 < pattern.len && pattern.at[i + 1] == '?');
        bool is_edge =
            c == '\\' && i + 1 < pattern.len && strchr("bBAzZG", pattern.at[i + 1]) != NULL;
        if (is_around || is_edge) {
            return true;
        }
    }
    return false;
}

/* Every text with inner has outer as well. */
static bool item_implies(const struct rules *rules, const struct rule_item *inner,
                         const struct rule_item *outer)
{
    if (inner->pattern != NULL) {
        return outer->pattern != NULL && slice_equal(inner->text, outer->text);
    }
    return outer->pattern != NULL
               ? !looks_around(outer->text) && rule_pattern_matches(rules, outer, inner->text)
               : fragment_stands_in(outer->text, inner->text);
}

static bool item_implies_any(const struct rules *rules, const struct rule_item *inner,
                             const struct rule_item *outer)
{
    for (; outer != NULL; outer = outer->next) {
        if (item_implies(rules, inner, outer)) {
            return true;
        }
    }
    return false;
}

/* Whichever item of inner was found, one of outer stands there too. */
static bool group_implies(const struct rules *rules, const struct rule_group *inner,
                          const struct rule_group *outer)
{
    for (const struct rule_item *item = inner->items; item != NULL; item = item->next) {
        if (!item_implies_any(rules, item, outer->items)) {
            return false;
        }
    }
    return true;
}

static bool texts_imply(const struct rules *rules, const struct rule *inner,
                        const struct rule *outer)
{
    for (const struct rule_group *need = outer->needs; need != NULL; need = need->next) {
        bool is_implied = false;
        for (const struct rule_group *g = inner->needs; g != NULL && !is_implied; g = g->next) {
            is_implied = group_implies(rules, g, need);
        }
        if (!is_implied) {
            return false;
        }
    }
    /* What keeps the earlier rule from deciding must keep the later one too. */
    for (const struct rule_item *item = outer->excludes; item != NULL; item = item->next) {
        bool is_kept = false;
        for (const struct rule_item *i = inner->excludes; i != NULL && !is_kept; i = i->next) {
            is_kept = item_implies(rules, item, i);
        }
        if (!is_kept) {
            return false;
        }
    }
    return true;
}

/* inner: the later rule, outer: the earlier one. */
static bool is_shadowed(const struct rules *rules, const struct rule *inner,
                        const struct rule *outer)
{
    bool has_providers_within =
        !outer->is_for_provider ||
        (inner->is_for_provider &&
         words_within(inner->providers.words, outer->providers.words, RULE_PROVIDER_WORDS));
    return has_providers_within && (inner->stages & ~outer->stages) == 0 &&
           words_within(inner->codes.words, outer->codes.words, RULE_CODE_WORDS) &&
           enhanced_within(inner, outer) && texts_imply(rules, inner, outer);
}

static enum err check_group(const struct rules *rules, const struct rule *rule,
                            const struct rule_group *group, struct fault *out_fault)
{
    for (const struct rule_item *item = group->items; item != NULL; item = item->next) {
        for (const struct rule_item *other = group->items; other != NULL; other = other->next) {
            if (other != item && item_implies(rules, item, other)) {
                return fault_set(out_fault, ERR_SYNTAX, 0,
                                 "%.*s: \"%.*s\" is covered by \"%.*s\" of the same rule; remove "
                                 "the longer one",
                                 SLICE_ARG(rule->where), SLICE_ARG(slice_sub(item->text, 0, 60)),
                                 SLICE_ARG(slice_sub(other->text, 0, 60)));
            }
        }
    }
    return ERR_NONE;
}

static enum err check_rule(const struct rules *rules, size_t at, struct fault *out_fault)
{
    const struct rule *rule = rules->list[at];
    for (const struct rule_group *g = rule->needs; g != NULL; g = g->next) {
        enum err e = check_group(rules, rule, g, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
    }
    for (size_t i = 0; i < at; i++) {
        if (is_shadowed(rules, rule, rules->list[i])) {
            return fault_set(out_fault, ERR_SYNTAX, 0,
                             "%.*s: this rule can never decide, %.*s always does first; narrow "
                             "that one or remove this one",
                             SLICE_ARG(rule->where), SLICE_ARG(rules->list[i]->where));
        }
    }
    return ERR_NONE;
}

enum err rules_check(const struct rules *rules, struct fault *out_fault)
{
    for (size_t i = 0; i < rules->count; i++) {
        enum err e = check_rule(rules, i, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}
