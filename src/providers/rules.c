/* providers/rules: reads rule files into their compiled form. The language stands in
 * data/rules/README.md. One struct rules_reader walks one file; each key of a rule is one function.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/rules_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "providers/codes.h"
#include "providers/fold.h"
#include "providers/lines.h"
#include "providers/provider.h"

enum {
    PATTERN_BYTES_MAX = 500,
    RETRY_SECONDS_MAX = 24 * 60 * 60,
    STAGES_ALL = (1 << HEL_SMTP_STAGE_COUNT) - 1,
    STAGES_FROM_RCPT = 1 << HEL_SMTP_RCPT | 1 << HEL_SMTP_DATA | 1 << HEL_SMTP_BODY,
    STAGES_FROM_MAIL = STAGES_FROM_RCPT | 1 << HEL_SMTP_MAIL,
};

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

static struct slice key_of(const struct rules_reader *r)
{
    return r->lines.words[0].text;
}

static void *reader_alloc(struct rules_reader *r, size_t size)
{
    return arena_alloc(&r->rules->arena, size);
}

/* ---- words that stand for values ---- */

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

static enum err key_stage(struct rules_reader *r)
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

static void code_set_add(struct code_set *set, unsigned first, unsigned last)
{
    for (unsigned code = first; code <= last; code++) {
        unsigned bit = code - RULE_CODE_FIRST;
        set->words[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
}

static enum err key_code(struct rules_reader *r)
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
        code_set_add(&set, first, last);
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

static enum err key_enhanced(struct rules_reader *r)
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
    void *known = map_find(&r->rules->provider_ids, name);
    if (known != NULL) {
        *out = (size_t)((uintptr_t)known - 1);
        return ERR_NONE;
    }
    const struct provider *provider = provider_by_name(r->book, name);
    if (provider == NULL) {
        return lines_fault(&r->lines, r->fault,
                           "unknown provider \"%.*s\"; add it to data/providers or mend the name",
                           SLICE_ARG(name));
    }
    if (r->rules->provider_count == RULE_PROVIDERS_MAX) {
        return lines_fault(&r->lines, r->fault, "rules name more than %d providers",
                           RULE_PROVIDERS_MAX);
    }
    struct slice copy;
    enum err e = arena_copy(&r->rules->arena, name, &copy);
    if (e != ERR_NONE) {
        return e;
    }
    size_t id = r->rules->provider_count++;
    *out = id;
    return map_put(&r->rules->provider_ids, copy, (void *)(uintptr_t)(id + 1));
}

static enum err key_provider(struct rules_reader *r)
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

/* ---- texts ---- */

static bool is_plain_byte(char c)
{
    return ascii_is_alnum(c) || c == ' ' || (unsigned char)c >= 0x80 ||
           (c != '\0' && strchr("<>@'\"=_:;,!%&-/", c) != NULL);
}

/* The longest run of plain bytes outside of groups, sets and repeats: without it the pattern cannot
 * match, so it is looked for first. Empty where an alternative at the top makes all runs optional. */
static struct slice required_run(struct slice pattern)
{
    struct slice best = SLICE_NONE;
    size_t run = 0;
    unsigned depth = 0;
    for (size_t i = 0; i <= pattern.len; i++) {
        char c = i < pattern.len ? pattern.at[i] : '$';
        if (depth == 0 && is_plain_byte(c)) {
            run++;
            continue;
        }
        bool is_optional = c == '?' || c == '*' || c == '{';
        size_t kept = is_optional && run > 0 ? run - 1 : run;
        if (kept > best.len) {
            best = slice_sub(pattern, i - run, i - run + kept);
        }
        run = 0;
        if (c == '\\') {
            i++;
        } else if (c == '(' || c == '[' || c == '{') {
            depth++;
        } else if ((c == ')' || c == ']' || c == '}') && depth > 0) {
            depth--;
        } else if (c == '|' && depth == 0) {
            return SLICE_NONE;
        }
    }
    return best;
}

/* The run as a fragment. One that begins inside a word would be missed by the word rule: it is cut to
 * its first blank. */
static enum err add_required(struct rules_reader *r, struct rule_item *item)
{
    item->fragment = RULE_NO_FRAGMENT;
    struct slice run = required_run(item->text);
    size_t blank = 0;
    while (blank < run.len && ascii_is_alnum(run.at[blank])) {
        blank++;
    }
    bool is_at_start = run.at == item->text.at;
    if (!is_at_start) {
        run = slice_sub(run, blank, run.len);
    } else {
        run = slice_sub(run, 0, 0);
    }
    if (run.len < FRAGMENT_BYTES_MIN || run.len > FRAGMENT_BYTES_MAX) {
        return ERR_NONE;
    }
    return fragments_add(&r->rules->fragments, run, &item->fragment);
}

static enum err compile_pattern(struct rules_reader *r, struct rule_item *item)
{
    int number = 0;
    PCRE2_SIZE at = 0;
    item->pattern =
        pcre2_compile((PCRE2_SPTR)item->text.at, item->text.len,
                      PCRE2_CASELESS | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
                          PCRE2_NO_AUTO_CAPTURE | PCRE2_DOTALL,
                      &number, &at, NULL);
    if (item->pattern == NULL) {
        PCRE2_UCHAR why[100] = {0};
        (void)pcre2_get_error_message(number, why, sizeof why);
        return lines_fault(&r->lines, r->fault, "pattern /%.*s/: %s, at byte %zu",
                           SLICE_ARG(slice_sub(item->text, 0, 60)), (const char *)why, at + 1);
    }
    item->next_pattern = r->rules->patterns;
    r->rules->patterns = item;
    /* Without JIT (a platform, a locked-down kernel) the interpreter does the same, slower. */
    (void)pcre2_jit_compile(item->pattern, PCRE2_JIT_COMPLETE);
    if (rule_pattern_matches(r->rules, item, SLICE_NONE)) {
        return lines_fault(&r->lines, r->fault,
                           "pattern /%.*s/ fits the empty text; make it say something",
                           SLICE_ARG(item->text));
    }
    return add_required(r, item);
}

static enum err pattern_item(struct rules_reader *r, const struct word *word,
                             struct rule_item *item)
{
    if (word->text.len == 0 || word->text.len > PATTERN_BYTES_MAX) {
        return lines_fault(&r->lines, r->fault, "a pattern has 1 to %d bytes", PATTERN_BYTES_MAX);
    }
    enum err e = arena_copy(&r->rules->arena, word->text, &item->text);
    return e == ERR_NONE ? compile_pattern(r, item) : e;
}

static enum err fragment_item(struct rules_reader *r, const struct word *word,
                              struct rule_item *item)
{
    char folded[FRAGMENT_BYTES_MAX + 1];
    struct slice plain;
    enum err e = word_copy(&r->rules->arena, word, &plain);
    if (e != ERR_NONE) {
        return e;
    }
    size_t len = fold_text(plain, folded, sizeof folded);
    if (word->kind == WORD_BARE || len < FRAGMENT_BYTES_MIN || len > FRAGMENT_BYTES_MAX) {
        return lines_fault(&r->lines, r->fault,
                           "\"%.*s\": a text is a \"fragment\" of %d to %d bytes or a /pattern/",
                           SLICE_ARG(slice_sub(word->text, 0, 60)), FRAGMENT_BYTES_MIN,
                           FRAGMENT_BYTES_MAX);
    }
    e = arena_copy(&r->rules->arena, slice_make(folded, len), &item->text);
    return e == ERR_NONE ? fragments_add(&r->rules->fragments, item->text, &item->fragment) : e;
}

/* The words after the key, put behind *last. */
static enum err read_items(struct rules_reader *r, struct rule_item **last)
{
    while (*last != NULL) {
        last = &(*last)->next;
    }
    for (size_t i = 1; i < r->lines.count; i++) {
        const struct word *word = &r->lines.words[i];
        struct rule_item *item = reader_alloc(r, sizeof *item);
        if (item == NULL) {
            return ERR_NOMEM;
        }
        *item = (struct rule_item){.next = NULL};
        enum err e =
            word->kind == WORD_PATTERN ? pattern_item(r, word, item) : fragment_item(r, word, item);
        if (e != ERR_NONE) {
            return e;
        }
        *last = item;
        last = &item->next;
    }
    return r->lines.count > 1 ? ERR_NONE
                              : lines_fault(&r->lines, r->fault, "%.*s needs at least one text",
                                            SLICE_ARG(key_of(r)));
}

static enum err new_group(struct rules_reader *r, struct rule_group **out)
{
    struct rule_group *group = reader_alloc(r, sizeof *group);
    if (group == NULL) {
        return ERR_NOMEM;
    }
    *group = (struct rule_group){.next = NULL};
    *out = group;
    return ERR_NONE;
}

/* All text lines of a rule are one group, always the first. */
static enum err key_text(struct rules_reader *r)
{
    struct rule *rule = &r->now->rule;
    if (rule->needs == NULL) {
        enum err e = new_group(r, &rule->needs);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return read_items(r, &rule->needs->items);
}

static enum err key_with(struct rules_reader *r)
{
    struct rule *rule = &r->now->rule;
    if (rule->needs == NULL) {
        return lines_fault(&r->lines, r->fault, "with adds to text; write the text line first");
    }
    struct rule_group *last = rule->needs;
    while (last->next != NULL) {
        last = last->next;
    }
    enum err e = new_group(r, &last->next);
    return e == ERR_NONE ? read_items(r, &last->next->items) : e;
}

static enum err key_without(struct rules_reader *r)
{
    return read_items(r, &r->now->rule.excludes);
}

/* ---- results ---- */

static enum err flag(struct rules_reader *r, bool *out)
{
    if (r->lines.count != 1) {
        return lines_fault(&r->lines, r->fault, "%.*s takes no value", SLICE_ARG(key_of(r)));
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
    struct example_node *node = reader_alloc(r, sizeof *node);
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
        code_set_add(&rule->codes, 400, RULE_CODE_FIRST + RULE_CODES - 1);
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
    struct rule_node *node = reader_alloc(r, sizeof *node);
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
    {"provider", key_provider, true, true},
    {"source", key_source, true, true},
    {"date", key_date, true, true},
    {"stage", key_stage, false, true},
    {"code", key_code, false, true},
    {"enhanced", key_enhanced, false, true},
    {"text", key_text, false, true},
    {"with", key_with, false, true},
    {"without", key_without, false, true},
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
        if (!slice_equal(key_of(r), slice_of(keys[i].name))) {
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
                       SLICE_ARG(slice_sub(key_of(r), 0, 40)));
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
    rules->list = reader_alloc(r, (rules->count + 1) * sizeof(struct rule *));
    rules->examples = reader_alloc(r, (rules->example_count + 1) * sizeof *rules->examples);
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
    if (e == ERR_NONE) {
        e = rules_check(rules, out_fault);
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
