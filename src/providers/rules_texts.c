/* providers/rules_texts: the keys of a rule that name texts: fragments and patterns.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/rules_reader_private.h"

#include <string.h>

#include "providers/fold.h"

enum { PATTERN_BYTES_MAX = 500 };

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
        struct rule_item *item = rules_alloc(r, sizeof *item);
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
                                            SLICE_ARG(rules_key(r)));
}

static enum err new_group(struct rules_reader *r, struct rule_group **out)
{
    struct rule_group *group = rules_alloc(r, sizeof *group);
    if (group == NULL) {
        return ERR_NOMEM;
    }
    *group = (struct rule_group){.next = NULL};
    *out = group;
    return ERR_NONE;
}

/* All text lines of a rule are one group, always the first. */
enum err rules_key_text(struct rules_reader *r)
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

enum err rules_key_with(struct rules_reader *r)
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

enum err rules_key_without(struct rules_reader *r)
{
    return read_items(r, &r->now->rule.excludes);
}
