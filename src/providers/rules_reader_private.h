/* providers/rules_reader: the state of reading one rule file, shared by the files that read its keys:
 * rules.c (rules, sections, the whole), rules_conditions.c (stage, code, enhanced, provider) and
 * rules_texts.c (text, with, without).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_RULES_READER_PRIVATE_H
#define PROVIDERS_RULES_READER_PRIVATE_H

#include "base/slice.h"
#include "providers/lines.h"
#include "providers/provider.h"
#include "providers/rules_private.h"

/* A rule while it is read, in a list of its layer. */
struct rule_node {
    struct rule_node *next;
    struct rule rule;
    size_t example_count;
    bool has_stage, has_scope, has_source, has_date;
};

struct example_node {
    struct example_node *next;
    struct rules_example example;
};

struct rule_list {
    struct rule_node *first, *last;
};

struct rules_reader {
    struct rules *rules;
    const struct provider_book *book;
    struct lines lines;
    struct fault *fault;
    struct rule_node *now;         /* NULL: the lines speak of the section */
    enum rule_layer layer;         /* of the section; LAYER_COUNT: none */
    bool has_source, has_date;     /* of the section */
    struct provider_set providers; /* of the section */
    struct slice first_provider;
    struct slice rule_provider; /* the first one of the rule, for its examples */
    bool has_providers;
    struct rule_list layers[LAYER_COUNT];
    struct example_node *examples, *last_example;
};

static inline struct slice rules_key(const struct rules_reader *r)
{
    return r->lines.words[0].text;
}

static inline void *rules_alloc(struct rules_reader *r, size_t size)
{
    return arena_alloc(&r->rules->arena, size);
}

void rules_code_set_add(struct code_set *set, unsigned first, unsigned last);

/* One for each key; each reads the words of the present line. */
enum err rules_key_stage(struct rules_reader *r) MUST_USE;
enum err rules_key_code(struct rules_reader *r) MUST_USE;
enum err rules_key_enhanced(struct rules_reader *r) MUST_USE;
enum err rules_key_provider(struct rules_reader *r) MUST_USE;
enum err rules_key_text(struct rules_reader *r) MUST_USE;
enum err rules_key_with(struct rules_reader *r) MUST_USE;
enum err rules_key_without(struct rules_reader *r) MUST_USE;

#endif
