/* providers/rules: reads rule files into their compiled form. The language stands in
 * data/rules/README.md. One struct rules_reader walks one file; each key of a rule is one function.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/rules_reader_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/codes.h"

enum {
    RETRY_SECONDS_MAX = 24 * 60 * 60,
    STAGES_ALL = (1 << HEL_SMTP_STAGE_COUNT) - 1,
    STAGES_FROM_RCPT = 1 << HEL_SMTP_RCPT | 1 << HEL_SMTP_DATA | 1 << HEL_SMTP_BODY,
    STAGES_FROM_MAIL = STAGES_FROM_RCPT | 1 << HEL_SMTP_MAIL,
};

static bool reason_parse(struct slice name, enum reply_reason *out)
{
    for (enum reply_reason i = 0; i < REASON_COUNT; i++) {
        if (slice_equal(name, slice_of(reply_reason_name(i)))) {
            *out = i;
            return true;
        }
    }
    return false;
}

static enum err key_scope(struct rules_reader *r)
{
    for (enum reply_scope i = SCOPE_MAILBOX; r->lines.count == 2 && i <= SCOPE_UNKNOWN; i++) {
        if (slice_equal(r->lines.words[1].text, slice_of(reply_scope_name(i)))) {
            r->now->rule.result.scope = i;
            r->now->has_scope = true;
            return ERR_NONE;
        }
    }
    return lines_fault(&r->lines, r->fault,
                       "scope is one of mailbox domain us message server unknown");
}

static enum err key_block(struct rules_reader *r)
{
    for (enum block_kind i = BLOCK_IP_LIST; r->lines.count == 2 && i <= BLOCK_GEO; i++) {
        if (slice_equal(r->lines.words[1].text, slice_of(block_kind_name(i)))) {
            r->now->rule.result.block_kind = i;
            return ERR_NONE;
        }
    }
    return lines_fault(&r->lines, r->fault,
                       "block is one of ip_list ip_reputation helo sender ptr spf_dkim_dmarc "
                       "policy geo");
}

/* ---- results ---- */

static enum err flag(struct rules_reader *r, bool *out)
{
    if (r->lines.count != 1) {
        return lines_fault(&r->lines, r->fault, "%.*s takes no value", SLICE_ARG(rules_key(r)));
    }
    *out = true;
    return ERR_NONE;
}

static enum err key_in_progress(struct rules_reader *r)
{
    return flag(r, &r->now->rule.result.is_in_progress);
}

static enum err key_forwarded(struct rules_reader *r)
{
    return flag(r, &r->now->rule.result.is_forwarded);
}

static enum err key_retry(struct rules_reader *r)
{
    uint64_t seconds = 0;
    struct reader digits = reader_over(r->lines.count == 2 ? r->lines.words[1].text : SLICE_NONE);
    if (!reader_number(&digits, RETRY_SECONDS_MAX, &seconds) || !reader_is_done(&digits) ||
        seconds == 0) {
        return lines_fault(&r->lines, r->fault, "retry takes seconds, 1 to %d", RETRY_SECONDS_MAX);
    }
    r->now->rule.retry_s = (uint32_t)seconds;
    return ERR_NONE;
}

static enum err key_source(struct rules_reader *r)
{
    struct slice ignored;
    enum err e = lines_value(&r->lines, &r->rules->arena, &ignored, r->fault);
    *(r->now == NULL ? &r->has_source : &r->now->has_source) = true;
    return e;
}

static enum err key_date(struct rules_reader *r)
{
    struct slice ignored;
    enum err e = lines_date(&r->lines, &ignored, r->fault);
    *(r->now == NULL ? &r->has_date : &r->now->has_date) = true;
    return e;
}

static enum err key_layer(struct rules_reader *r)
{
    static const struct {
        const char *name;
        enum rule_layer layer;
    } names[] = {{"stage", LAYER_STAGE},       {"us", LAYER_US},
                 {"greylist", LAYER_GREYLIST}, {"exists", LAYER_EXISTS},
                 {"disabled", LAYER_DISABLED}, {"no_user", LAYER_NO_USER},
                 {"rest", LAYER_REST}};
    for (size_t i = 0; r->lines.count == 2 && i < sizeof names / sizeof *names; i++) {
        if (slice_equal(r->lines.words[1].text, slice_of(names[i].name))) {
            r->layer = names[i].layer;
            return ERR_NONE;
        }
    }
    return lines_fault(&r->lines, r->fault,
                       "layer is one of stage us greylist exists disabled no_user rest");
}

static enum err key_example(struct rules_reader *r)
{
    struct example_node *node = rules_alloc(r, sizeof *node);
    if (node == NULL) {
        return ERR_NOMEM;
    }
    *node = (struct example_node){.example = {.rule = r->now->rule.where.at}};
    enum err e = lines_value(&r->lines, &r->rules->arena, &node->example.reply, r->fault);
    if (e != ERR_NONE) {
        return e;
    }
    if (r->last_example == NULL) {
        r->examples = node;
    } else {
        r->last_example->next = node;
    }
    r->last_example = node;
    r->now->example_count++;
    r->rules->example_count++;
    return ERR_NONE;
}

/* ---- rules and sections ---- */

static enum hel_smtp_stage example_stage(unsigned stages)
{
    enum hel_smtp_stage stage = HEL_SMTP_RCPT;
    if ((stages >> HEL_SMTP_RCPT & 1) == 0) {
        for (stage = HEL_SMTP_CONNECT; (stages >> stage & 1) == 0;) {
            stage++;
        }
    }
    return stage;
}

/* Tells the rule's examples where they are said; they are the last ones of the list. */
static enum err settle_examples(struct rules_reader *r)
{
    struct slice provider = SLICE_NONE;
    if (r->now->rule.is_for_provider) {
        enum err e = arena_copy(&r->rules->arena, r->rule_provider, &provider);
        if (e != ERR_NONE) {
            return e;
        }
    }
    for (struct example_node *n = r->examples; n != NULL; n = n->next) {
        if (n->example.rule == r->now->rule.where.at) {
            n->example.stage = example_stage(r->now->rule.stages);
            n->example.provider = provider;
        }
    }
    return ERR_NONE;
}

static void settle_stages(struct rule_node *node)
{
    enum reply_scope scope = node->rule.result.scope;
    if (node->has_stage) {
        return;
    }
    node->rule.stages = scope == SCOPE_MAILBOX || scope == SCOPE_DOMAIN ? STAGES_FROM_RCPT
                        : scope == SCOPE_MESSAGE                        ? STAGES_FROM_MAIL
                                                                        : STAGES_ALL;
}

static const char *what_rule_lacks(const struct rules_reader *r)
{
    const struct rule_node *node = r->now;
    const struct rule *rule = &node->rule;
    bool has_condition =
        rule->needs != NULL || rule->enhanced_count > 0 || rule->codes.words[0] != 0;
    for (size_t i = 1; i < RULE_CODE_WORDS; i++) {
        has_condition = has_condition || rule->codes.words[i] != 0;
    }
    return !has_condition                        ? "a condition (text, enhanced or code)"
           : node->example_count == 0            ? "an example that it decides"
           : !node->has_source && !r->has_source ? "a source (its own or the section's)"
           : !node->has_date && !r->has_date     ? "a date (its own or the section's)"
           : !rule->is_for_provider && r->layer == LAYER_COUNT
               ? "a place in the order: the section's layer, or a provider"
               : NULL;
}

static enum err end_rule(struct rules_reader *r)
{
    struct rule_node *node = r->now;
    if (node == NULL) {
        return ERR_NONE;
    }
    struct rule *rule = &node->rule;
    const char *lacks = what_rule_lacks(r);
    if (lacks != NULL) {
        return fault_set(r->fault, ERR_SYNTAX, 0, "%.*s: the rule lacks %s", SLICE_ARG(rule->where),
                         lacks);
    }
    if (!node->has_scope) {
        rule->result.scope = codes_scope_of(rule->result.reason);
    }
    settle_stages(node);
    if (rule->result.scope == SCOPE_MAILBOX && (rule->stages & ~(unsigned)STAGES_FROM_RCPT) != 0) {
        return fault_set(r->fault, ERR_SYNTAX, 0,
                         "%.*s: before RCPT nothing is said about a mailbox; give the rule another "
                         "scope or stage",
                         SLICE_ARG(rule->where));
    }
    if (rule->result.block_kind == BLOCK_NONE && rule->result.reason == REASON_POLICY_BLOCKED) {
        rule->result.block_kind = BLOCK_POLICY;
    }
    struct code_set none = {{0}};
    if (memcmp(&rule->codes, &none, sizeof none) == 0) {
        rules_code_set_add(&rule->codes, 400, RULE_CODE_FIRST + RULE_CODES - 1);
    }
    rule->layer = rule->is_for_provider ? LAYER_PROVIDER : r->layer;
    struct rule_list *list = &r->layers[rule->layer];
    *(list->first == NULL ? &list->first : &list->last->next) = node;
    list->last = node;
    r->rules->count++;
    return settle_examples(r);
}

static enum err key_rule(struct rules_reader *r)
{
    enum err e = end_rule(r);
    if (e != ERR_NONE) {
        return e;
    }
    struct rule_node *node = rules_alloc(r, sizeof *node);
    if (node == NULL) {
        return ERR_NOMEM;
    }
    *node = (struct rule_node){.next = NULL};
    if (r->lines.count != 2 || !reason_parse(r->lines.words[1].text, &node->rule.result.reason)) {
        return lines_fault(&r->lines, r->fault,
                           "\"rule\" takes one reason: accepted mailbox_unknown mailbox_full "
                           "mailbox_disabled mailbox_moved exists greylisted rate_limited "
                           "policy_blocked spam_content relay_denied ... unknown");
    }
    node->rule.providers = r->providers;
    node->rule.is_for_provider = r->has_providers;
    r->rule_provider = r->first_provider;
    r->now = node;
    e = lines_where(&r->lines, &r->rules->arena, &node->rule.where);
    node->rule.result.rule = node->rule.where.at;
    return e;
}

static enum err key_section(struct rules_reader *r)
{
    struct slice ignored;
    enum err e = lines_value(&r->lines, &r->rules->arena, &ignored, r->fault);
    if (e == ERR_NONE) {
        e = end_rule(r);
    }
    r->now = NULL;
    r->layer = LAYER_COUNT;
    r->has_source = r->has_date = r->has_providers = false;
    r->providers = (struct provider_set){{0}};
    return e;
}

static const struct rule_key {
    const char *name;
    enum err (*read)(struct rules_reader *r);
    bool in_section, in_rule;
} keys[] = {
    {"section", key_section, true, true},
    {"rule", key_rule, true, true},
    {"layer", key_layer, true, false},
    {"provider", rules_key_provider, true, true},
    {"source", key_source, true, true},
    {"date", key_date, true, true},
    {"stage", rules_key_stage, false, true},
    {"code", rules_key_code, false, true},
    {"enhanced", rules_key_enhanced, false, true},
    {"text", rules_key_text, false, true},
    {"with", rules_key_with, false, true},
    {"without", rules_key_without, false, true},
    {"scope", key_scope, false, true},
    {"block", key_block, false, true},
    {"in_progress", key_in_progress, false, true},
    {"forwarded", key_forwarded, false, true},
    {"retry", key_retry, false, true},
    {"example", key_example, false, true},
};

static enum err read_line(struct rules_reader *r)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!slice_equal(rules_key(r), slice_of(keys[i].name))) {
            continue;
        }
        if (r->now == NULL ? keys[i].in_section : keys[i].in_rule) {
            return keys[i].read(r);
        }
        return r->now == NULL
                   ? lines_fault(&r->lines, r->fault,
                                 "%s belongs to a rule; start one with: "
                                 "rule REASON",
                                 keys[i].name)
                   : lines_fault(&r->lines, r->fault,
                                 "%s belongs to a section; start one with: section \"title\"",
                                 keys[i].name);
    }
    return lines_fault(&r->lines, r->fault,
                       "unknown key \"%.*s\"; data/rules/README.md lists those that exist",
                       SLICE_ARG(slice_sub(rules_key(r), 0, 40)));
}

static enum err read_source(struct rules_reader *r, const struct rules_source *source)
{
    lines_init(&r->lines, source->name, source->text);
    r->now = NULL;
    r->layer = LAYER_COUNT;
    r->has_source = r->has_date = r->has_providers = false;
    r->providers = (struct provider_set){{0}};
    enum err e = lines_next(&r->lines, r->fault);
    while (e == ERR_NONE) {
        e = read_line(r);
        if (e == ERR_NONE) {
            e = lines_next(&r->lines, r->fault);
        }
    }
    return e == ERR_CLOSED ? end_rule(r) : e;
}

/* ---- the whole ---- */

static enum err lay_out(struct rules_reader *r)
{
    struct rules *rules = r->rules;
    rules->list = rules_alloc(r, (rules->count + 1) * sizeof(struct rule *));
    rules->examples = rules_alloc(r, (rules->example_count + 1) * sizeof *rules->examples);
    if (rules->list == NULL || rules->examples == NULL) {
        return ERR_NOMEM;
    }
    size_t n = 0;
    for (size_t layer = 0; layer < LAYER_COUNT; layer++) {
        for (struct rule_node *node = r->layers[layer].first; node != NULL; node = node->next) {
            rules->list[n++] = &node->rule;
        }
    }
    n = 0;
    for (const struct example_node *node = r->examples; node != NULL; node = node->next) {
        rules->examples[n++] = node->example;
    }
    fragments_build(&rules->fragments);
    return ERR_NONE;
}

static enum err prepare(struct rules *rules)
{
    arena_init(&rules->arena, RULES_BYTES_MAX);
    map_init(&rules->provider_ids, 0);
    enum err e = fragments_init(&rules->fragments, &rules->arena);
    rules->match = pcre2_match_context_create(NULL);
    rules->code_names = arena_alloc(&rules->arena, RULE_CODES * sizeof *rules->code_names);
    if (e != ERR_NONE || rules->match == NULL || rules->code_names == NULL) {
        return ERR_NOMEM;
    }
    (void)pcre2_set_match_limit(rules->match, PATTERN_MATCH_LIMIT);
    for (unsigned i = 0; i < RULE_CODES; i++) {
        (void)snprintf(rules->code_names[i], sizeof rules->code_names[i], "code:%u",
                       RULE_CODE_FIRST + i);
    }
    return ERR_NONE;
}

static void set_version(struct rules *rules, const struct rules_source *sources, size_t count)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        hash = slice_hash(sources[i].text, slice_hash(sources[i].name, hash));
    }
    (void)snprintf(rules->version, sizeof rules->version, "%012llx",
                   (unsigned long long)(hash >> 16));
}

enum err rules_compile(const struct rules_source *sources, size_t count,
                       const struct provider_book *book, struct rules **out,
                       struct fault *out_fault)
{
    struct rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the reply rules");
    }
    struct rules_reader r = {.rules = rules, .book = book, .fault = out_fault};
    enum err e = prepare(rules);
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        e = read_source(&r, &sources[i]);
    }
    if (e == ERR_NONE) {
        e = lay_out(&r);
    }
    if (e == ERR_NOMEM || e == ERR_LIMIT) {
        (void)fault_set(out_fault, e, 0, "the reply rules: %s", err_name(e));
    }
    if (e != ERR_NONE) {
        rules_free(rules);
        return e;
    }
    set_version(rules, sources, count);
    *out = rules;
    return ERR_NONE;
}

void rules_hasten(struct rules *rules)
{
    for (struct rule_item *item = rules->patterns; item != NULL; item = item->next_pattern) {
        (void)pcre2_jit_compile(item->pattern, PCRE2_JIT_COMPLETE);
    }
}

void rules_free(struct rules *rules)
{
    if (rules == NULL) {
        return;
    }
    for (struct rule_item *item = rules->patterns; item != NULL; item = item->next_pattern) {
        pcre2_code_free(item->pattern);
    }
    pcre2_match_context_free(rules->match);
    map_done(&rules->provider_ids);
    fragments_done(&rules->fragments);
    arena_done(&rules->arena);
    free(rules);
}

const char *rules_version(const struct rules *rules)
{
    return rules->version;
}

size_t rules_count(const struct rules *rules)
{
    return rules->count;
}

size_t rules_example_count(const struct rules *rules)
{
    return rules->example_count;
}

struct rules_example rules_example_at(const struct rules *rules, size_t i)
{
    return rules->examples[i];
}
