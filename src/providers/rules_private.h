/* providers/rules: the compiled form of rule files, shared by the reader (rules.c), the checker
 * (rules_check.c) and the classifier (classify.c), and by nobody else.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_RULES_PRIVATE_H
#define PROVIDERS_RULES_PRIVATE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "providers/classify.h"
#include "providers/fragments.h"

enum {
    RULES_BYTES_MAX = 32 * 1024 * 1024,
    RULE_CODES = 400, /* 200 to 599 */
    RULE_CODE_FIRST = 200,
    RULE_CODE_WORDS = (RULE_CODES + 63) / 64,
    RULE_PROVIDERS_MAX = 256, /* that rules name; those in the book may be more */
    RULE_PROVIDER_WORDS = RULE_PROVIDERS_MAX / 64,
    RULE_ENHANCED_MAX = 24,
    RULE_NO_FRAGMENT = 0xFFFF,
    PATTERN_MATCH_LIMIT = 20000, /* steps of PCRE2; a pattern that needs more does not match */
    ENHANCED_ANY = 0xFFFF,
};

/* The order of decision; see data/rules/README.md. */
enum rule_layer {
    LAYER_PROVIDER, /* rules that name a provider */
    LAYER_STAGE,
    LAYER_US,
    LAYER_GREYLIST,
    LAYER_EXISTS,
    LAYER_DISABLED,
    LAYER_NO_USER,
    LAYER_REST,
    LAYER_COUNT,
};

struct code_set {
    uint64_t words[RULE_CODE_WORDS];
};

struct provider_set {
    uint64_t words[RULE_PROVIDER_WORDS];
};

/* "5.1.1", "x.2.2", "5.7.x", or none. */
struct enhanced_form {
    bool is_none;
    uint8_t class_digit;      /* 0: any */
    uint16_t subject, detail; /* ENHANCED_ANY */
};

/* A fragment, or a pattern with the fragment (if one is known) without which it cannot match. */
struct rule_item {
    struct rule_item *next;
    struct slice text; /* folded fragment, or the pattern's source */
    pcre2_code *pattern;
    struct rule_item *next_pattern;
    uint16_t fragment;
};

/* Items of which one must (or none may) be found. */
struct rule_group {
    struct rule_group *next;
    struct rule_item *items;
};

/* A provider that rules name: the index of its bit in a provider_set. */
struct rule_provider {
    struct slice name;
    size_t id;
};

struct rule {
    unsigned stages; /* bits 1 << enum hel_smtp_stage */
    bool is_for_provider;
    struct provider_set providers;
    struct code_set codes;
    struct enhanced_form enhanced[RULE_ENHANCED_MAX];
    size_t enhanced_count;    /* 0: any */
    struct rule_group *needs; /* each group must be found */
    struct rule_item *excludes;
    enum rule_layer layer;
    struct classification result;
    uint32_t retry_s; /* where the text names no delay */
    struct slice where;
};

struct rules {
    struct arena arena;
    struct rule **list; /* in the order of decision */
    size_t count;
    struct rules_example *examples;
    size_t example_count;
    struct map provider_ids; /* name -> struct rule_provider */
    size_t provider_count;
    struct fragments fragments;
    struct rule_item *patterns; /* all, by next_pattern, to free their code */
    pcre2_match_context *match;
    char (*code_names)[10]; /* "code:200" ... */
    char version[17];
};

/* A reply in the form that rules look at. */
struct matter {
    const struct rules *rules;
    unsigned stage_bit;
    unsigned code;
    struct hel_enhanced enhanced;
    size_t provider;   /* id; rules->provider_count: no rule names it */
    struct slice text; /* folded and masked */
};

/* What was decided about the same matter: true, and the rule; NULL: none fits. */
bool memo_find(const struct rules_memo *memo, const struct matter *m, const struct rule **out);
void memo_put(struct rules_memo *memo, const struct matter *m, const struct rule *rule);
/* The same for whole replies, as they came: only of those may be kept whose classification rests on no more than the
 * question's reply, stage and provider. */
bool memo_recall(const struct rules_memo *memo, const struct classify_question *q,
                 struct classification *out);
void memo_keep(struct rules_memo *memo, const struct classify_question *q,
               const struct classification *result);

/* Does the item stand in folded text? For patterns without a pre-check. */
bool rule_pattern_matches(const struct rules *rules, const struct rule_item *item,
                          struct slice text);

#endif
