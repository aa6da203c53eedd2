/* SPDX-License-Identifier: Apache-2.0 */
#include "address/lists.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "address/lists_private.h"
#include "address/normal.h"
#include "base/reader.h"
#include "base/slice.h"

static const char *const list_names[LIST_COUNT] = {
    [LIST_DISPOSABLE] = "disposable",
    [LIST_DISPOSABLE_WILDCARD] = "disposable-wildcard",
    [LIST_FREE] = "free",
    [LIST_POPULAR] = "popular",
    [LIST_ROLES] = "roles",
    [LIST_TLDS] = "tlds",
};

enum {
    ENTRY_BYTES_MAX = 253,
    INDEX_GAP_BYTES = 512,          /* of text between two marks: some thirty entries */
    INDEX_TEXT_BYTES_MIN = 1 << 12, /* less has few steps to save */
};

const char *list_name(enum list_kind kind)
{
    return list_names[kind];
}

bool list_parse(struct slice name, enum list_kind *out)
{
    for (int i = 0; i < LIST_COUNT; i++) {
        if (slice_equal(name, slice_of(list_names[i]))) {
            *out = (enum list_kind)i;
            return true;
        }
    }
    return false;
}

/* The bytes at `at` and seven more as one number in the order of strings; those beyond the text count as 0. */
static uint64_t first_eight(struct slice text, size_t at)
{
    uint64_t word = 0;
    size_t left = text.len - at;
    if (left >= sizeof word) {
        memcpy(&word, text.at + at, sizeof word);
    } else if (left > 0) {
        memcpy(&word, text.at + at, left);
    }
    return be64toh(word);
}

/* The line feed is below all bytes of entries, so that most are told from the word by their first eight bytes,
 * whatever their length. */
static bool is_below(struct slice text, size_t begin, struct slice word, uint64_t word_eight)
{
    uint64_t eight = first_eight(text, begin);
    if (eight != word_eight) {
        return eight < word_eight;
    }
    size_t end = slice_find_byte(text, '\n', begin);
    return slice_compare(slice_sub(text, begin, end), word) < 0;
}

/* How many marks are below the word, or not above it. */
static size_t count_below(const struct list_index *index, uint64_t word, bool counts_equal)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_below =
            index->words[middle] < word || (counts_equal && index->words[middle] == word);
        low = is_below ? middle + 1 : low;
        high = is_below ? high : middle;
    }
    return low;
}

/* Between which marks the word stands, or would. */
static void narrow(const struct list_index *index, uint64_t word, size_t *low, size_t *high)
{
    size_t below = count_below(index, word, false);
    bool has_equal = below < index->count && index->words[below] == word;
    size_t above = has_equal ? count_below(index, word, true) : below;
    *low = below == 0 ? *low : index->begins[below - 1];
    *high = above == index->count ? *high : index->begins[above];
}

struct slice list_from(const struct list *list, struct slice word)
{
    struct slice text = list->text;
    uint64_t word_eight = first_eight(word, 0);
    size_t low = 0; /* both where an entry begins, or at the end */
    size_t high = text.len;
    if (list->index != NULL) {
        narrow(list->index, word_eight, &low, &high);
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *before = memrchr(text.at + low, '\n', middle - low);
        size_t begin = before == NULL ? low : (size_t)(before - text.at) + 1;
        if (is_below(text, begin, word, word_eight)) {
            low = slice_find_byte(text, '\n', middle) + 1;
        } else {
            high = begin;
        }
    }
    return slice_sub(text, low, text.len);
}

struct slice list_find(const struct list *list, struct slice word)
{
    struct slice rest = list_from(list, word);
    struct slice entry = slice_sub(rest, 0, slice_find_byte(rest, '\n', 0));
    return slice_equal(word, entry) ? entry : SLICE_NONE;
}

bool list_has(const struct address_lists *lists, enum list_kind kind, struct slice word)
{
    return list_filter_may_have(&lists->filter, word) &&
           list_find(&lists->lists[kind], word).len > 0;
}

/* Loading. */

enum err list_entries_add(struct entries *entries, struct slice entry)
{
    if (entries->count == entries->cap) {
        size_t cap = entries->cap == 0 ? 256 : entries->cap * 2;
        struct slice *grown = realloc(entries->at, cap * sizeof *grown);
        if (grown == NULL) {
            return ERR_NOMEM;
        }
        entries->at = grown;
        entries->cap = cap;
    }
    entries->at[entries->count++] = entry;
    return ERR_NONE;
}

static bool is_entry_byte(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte > ' ' && byte != 0x7f && (byte < 'A' || byte > 'Z');
}

bool list_takes_entry(struct slice entry)
{
    bool is_good =
        entry.len > 0 && entry.len <= ENTRY_BYTES_MAX && entry.at[0] != '#' && entry.at[0] != '!';
    for (size_t i = 0; i < entry.len; i++) {
        is_good &= is_entry_byte(entry.at[i]);
    }
    return is_good;
}

/* The same for all bytes of a text, line feeds aside. In octets and without a branch, so that it is done many at a
 * time: it is most of a start's reading. */
static bool has_entry_bytes(struct slice text)
{
    uint8_t bad = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.at[i];
        uint8_t is_blank = (uint8_t)((c <= ' ') & (c != '\n'));
        uint8_t is_upper = (uint8_t)((uint8_t)(c - 'A') < 26);
        bad |= (uint8_t)(is_blank | is_upper | (c == 0x7f));
    }
    return bad == 0;
}

static struct slice without_head(struct slice text)
{
    while (text.len > 0 && (text.at[0] == '#' || text.at[0] == '\n')) {
        text = slice_sub(text, slice_find_byte(text, '\n', 0) + 1, text.len);
    }
    return text;
}

/* Every line is an entry, and not below the one before it. Each goes into the filter on the way. */
static bool is_in_order(struct slice text, struct list_filter *filter)
{
    struct slice before = SLICE_NONE;
    uint64_t before_word = 0;
    if (!has_entry_bytes(text)) {
        return false;
    }
    for (size_t begin = 0; begin < text.len;) {
        size_t end = slice_find_byte(text, '\n', begin);
        struct slice entry = slice_make(text.at + begin, end - begin);
        uint64_t word = first_eight(text, begin);
        bool is_above =
            word > before_word || (word == before_word && slice_compare(before, entry) <= 0);
        if (entry.len == 0 || entry.len > ENTRY_BYTES_MAX || entry.at[0] == '#' ||
            entry.at[0] == '!' || !is_above) {
            return false;
        }
        list_filter_add(filter, entry);
        before = entry;
        before_word = word;
        begin = end + 1;
    }
    return true;
}

enum err list_entries_read(const struct address_list_source *source, struct entries *entries,
                           struct entries *removed, struct fault *out_fault)
{
    struct reader r = reader_over(source->text);
    struct slice line;
    for (unsigned number = 1; reader_line(&r, &line); number++) {
        struct slice entry = slice_trim(line);
        if (entry.len == 0 || entry.at[0] == '#') {
            continue;
        }
        bool is_removed = removed != NULL && entry.at[0] == '!';
        entry = slice_sub(entry, is_removed ? 1 : 0, entry.len);
        if (!list_takes_entry(entry)) {
            return fault_set(out_fault, ERR_SYNTAX, 0,
                             "%.*s:%u: not one lower-case entry without spaces%s",
                             SLICE_ARG(source->name), number,
                             removed != NULL ? ", with '!' before one that is taken out" : "");
        }
        if (list_entries_add(is_removed ? removed : entries, entry) != ERR_NONE) {
            return fault_set(out_fault, ERR_NOMEM, 0, "%.*s: no memory", SLICE_ARG(source->name));
        }
    }
    return ERR_NONE;
}

static int compare(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

void list_entries_sort(struct entries *entries)
{
    if (entries->count > 0) {
        qsort(entries->at, entries->count, sizeof *entries->at, compare);
    }
}

void list_entries_done(struct entries *entries)
{
    free(entries->at);
    *entries = (struct entries){.count = 0};
}

enum err list_join(struct entries *entries, struct list *out)
{
    size_t bytes = 0;
    for (size_t i = 0; i < entries->count; i++) {
        bytes += entries->at[i].len + 1;
    }
    char *own = malloc(bytes + 1);
    if (own == NULL) {
        return ERR_NOMEM;
    }
    list_entries_sort(entries);
    size_t len = 0;
    for (size_t i = 0; i < entries->count; i++) {
        memcpy(own + len, entries->at[i].at, entries->at[i].len);
        len += entries->at[i].len;
        own[len++] = '\n';
    }
    *out = (struct list){.text = slice_make(own, len), .own = own};
    return ERR_NONE;
}

/* A file as people write it: in any order, with spaces and comments anywhere. */
static enum err load_sorted(struct list *list, struct list_filter *filter,
                            const struct address_list_source *source, struct fault *out_fault)
{
    struct entries entries = {.count = 0};
    enum err e = list_entries_read(source, &entries, NULL, out_fault);
    list_filter_add_all(filter, &entries);
    if (e == ERR_NONE && list_join(&entries, list) != ERR_NONE) {
        e = fault_set(out_fault, ERR_NOMEM, 0, "%.*s: no memory", SLICE_ARG(source->name));
    }
    list_entries_done(&entries);
    return e;
}

void list_done(struct list *list)
{
    if (list->removed != NULL) {
        free(list->removed->own);
        free(list->removed);
    }
    free(list->index);
    free(list->own);
    *list = (struct list){.text = SLICE_NONE};
}

static enum err load(struct list *list, struct list_filter *filter,
                     const struct address_list_source *source, struct fault *out_fault)
{
    struct slice body = without_head(source->text);
    list_done(list);
    *list = (struct list){.text = body};
    return is_in_order(body, filter) ? ERR_NONE : load_sorted(list, filter, source, out_fault);
}

/* The list whose name the file has before that ending; NULL: none. */
static struct list *list_of_file(struct address_lists *lists, struct slice path,
                                 struct slice ending)
{
    size_t slash = slice_find_last_byte(path, '/');
    struct slice name = slash == path.len ? path : slice_sub(path, slash + 1, path.len);
    enum list_kind kind;
    if (!slice_ends(name, ending) ||
        !list_parse(slice_sub(name, 0, name.len - ending.len), &kind)) {
        return NULL;
    }
    return &lists->lists[kind];
}

static enum err refuse_name(const struct address_list_source *source, struct fault *out_fault)
{
    return fault_set(out_fault, ERR_SYNTAX, 0,
                     "%.*s: no list of this name is known; see data/lists/README.md",
                     SLICE_ARG(source->name));
}

/* Whole lists first, so that own entries find what they are merged into. */
static enum err load_named(struct address_lists *lists, const struct address_list_source *source,
                           bool wants_own, struct fault *out_fault)
{
    struct list *own = list_of_file(lists, source->name, SLICE(".own"));
    struct list *whole = list_of_file(lists, source->name, SLICE(".txt"));
    if (own == NULL && whole == NULL) {
        return refuse_name(source, out_fault);
    }
    if (own != NULL) {
        return wants_own ? list_merge_own(own, &lists->filter, source, out_fault) : ERR_NONE;
    }
    return wants_own ? ERR_NONE : load(whole, &lists->filter, source, out_fault);
}

/* In one piece: the words, then the places, behind the head. */
static enum err add_index(struct list *list)
{
    struct slice text = list->text;
    size_t marks = text.len / INDEX_GAP_BYTES;
    if (text.len < INDEX_TEXT_BYTES_MIN || text.len > UINT32_MAX) {
        return ERR_NONE;
    }
    struct list_index *index =
        malloc(sizeof *index + marks * (sizeof *index->words + sizeof *index->begins));
    if (index == NULL) {
        return ERR_NOMEM;
    }
    index->count = 0;
    index->words = (uint64_t *)(void *)(index + 1);
    index->begins = (uint32_t *)(void *)(index->words + marks);
    for (size_t i = 0; i < marks; i++) {
        size_t begin = slice_find_byte(text, '\n', i * INDEX_GAP_BYTES) + 1;
        if (begin < text.len) {
            index->words[index->count] = first_eight(text, begin);
            index->begins[index->count++] = (uint32_t)begin;
        }
    }
    list->index = index;
    return ERR_NONE;
}

static enum err add_indexes(struct address_lists *lists, struct fault *out_fault)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        if (add_index(&lists->lists[i]) != ERR_NONE) {
            return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the lists");
        }
    }
    return ERR_NONE;
}

enum err address_lists_load(const struct address_list_source *sources, size_t count,
                            struct address_lists **out, struct fault *out_fault)
{
    struct address_lists *lists = calloc(1, sizeof *lists);
    if (lists == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the lists");
    }
    enum err e = ERR_NONE;
    suggest_prepare(lists);
    for (size_t i = 0; i < 2 * count && e == ERR_NONE; i++) {
        e = load_named(lists, &sources[i % count], i >= count, out_fault);
    }
    e = e != ERR_NONE ? e : add_indexes(lists, out_fault);
    if (e != ERR_NONE) {
        address_lists_free(lists);
        return e;
    }
    *out = lists;
    return ERR_NONE;
}

void address_lists_free(struct address_lists *lists)
{
    if (lists == NULL) {
        return;
    }
    for (size_t i = 0; i < LIST_COUNT; i++) {
        list_done(&lists->lists[i]);
    }
    free(lists);
}

static bool match_word(const struct list *list, struct slice word, struct list_match *out)
{
    struct slice removed = list->removed == NULL ? SLICE_NONE : list_find(list->removed, word);
    struct slice found = removed.len > 0 ? removed : list_find(list, word);
    if (found.len == 0) {
        return false;
    }
    *out = (struct list_match){.entry = found, .is_exception = removed.len > 0};
    return true;
}

/* The name itself, then each parent with at least two labels. */
static bool match_parents(const struct list *list, struct slice name, struct list_match *out)
{
    while (slice_find_byte(name, '.', 0) < name.len) {
        if (match_word(list, name, out)) {
            return true;
        }
        name = slice_sub(name, slice_find_byte(name, '.', 0) + 1, name.len);
    }
    return false;
}

bool list_match(const struct address_lists *lists, enum list_kind kind, struct slice word,
                struct list_match *out)
{
    const struct list *list = &lists->lists[kind];
    bool has_parents = kind == LIST_DISPOSABLE || kind == LIST_DISPOSABLE_WILDCARD;
    return has_parents ? match_parents(list, word, out) : match_word(list, word, out);
}

size_t list_count(const struct address_lists *lists, enum list_kind kind)
{
    struct slice text = lists->lists[kind].text;
    size_t count = text.len > 0 && text.at[text.len - 1] != '\n' ? 1 : 0;
    for (size_t i = 0; i < text.len; i++) {
        count += text.at[i] == '\n' ? 1 : 0;
    }
    return count;
}

static bool has_parents_in(const struct list *list, struct slice name)
{
    struct list_match match;
    return match_parents(list, name, &match) && !match.is_exception;
}

/* The name or a parent of it, in whichever list. */
static bool may_have_parents(const struct address_lists *lists, struct slice name)
{
    size_t dot = slice_find_byte(name, '.', 0);
    while (dot < name.len) {
        if (list_filter_may_have(&lists->filter, name)) {
            return true;
        }
        name = slice_sub(name, dot + 1, name.len);
        dot = slice_find_byte(name, '.', 0);
    }
    return false;
}

/* What the user took out of either list is on neither. */
static bool find_disposable(const struct address_lists *lists, struct slice domain,
                            struct list_match *out)
{
    struct list_match wildcard;
    if (!may_have_parents(lists, domain)) {
        return false;
    }
    bool has_wildcard = list_match(lists, LIST_DISPOSABLE_WILDCARD, domain, &wildcard);
    bool has_plain = list_match(lists, LIST_DISPOSABLE, domain, out);
    if (has_wildcard && (!has_plain || (wildcard.is_exception && !out->is_exception))) {
        *out = wildcard;
    }
    return has_plain || has_wildcard;
}

/* A provider that serves many is never disposable for hosting one that is. */
static struct slice find_disposable_host(const struct address_lists *lists, struct slice host)
{
    struct list_match match;
    bool is_listed = find_disposable(lists, host, &match) && !match.is_exception &&
                     !has_parents_in(&lists->lists[LIST_POPULAR], host);
    return is_listed ? match.entry : SLICE_NONE;
}

/* Who gives names out there: the top-level domain, and the label before it where that is a country's and the domain
 * has a name of its own: hmrc.gov.uk, but neither gov.com nor gov.example.com. */
struct registry {
    struct slice top;
    struct slice sector;
};

static struct registry registry_of(struct slice domain)
{
    size_t last = slice_find_last_byte(domain, '.');
    struct slice before = slice_sub(domain, 0, last);
    struct registry registry = {.top = slice_sub(domain, last + 1, domain.len)};
    if (registry.top.len == 2) {
        size_t dot = slice_find_last_byte(before, '.');
        registry.sector = slice_sub(before, dot + 1, before.len);
    }
    return registry;
}

static bool is_government(const struct registry *registry)
{
    return slice_equal(registry->top, SLICE("gov")) || slice_equal(registry->top, SLICE("mil")) ||
           slice_equal(registry->sector, SLICE("gov")) ||
           slice_equal(registry->sector, SLICE("gob")) ||
           slice_equal(registry->sector, SLICE("gouv")) ||
           slice_equal(registry->sector, SLICE("mil")) ||
           slice_equal(registry->sector, SLICE("govt"));
}

/* ac is a sector of many countries and also a top-level domain open to all. */
static bool is_academic(const struct registry *registry)
{
    return slice_equal(registry->top, SLICE("edu")) ||
           slice_equal(registry->sector, SLICE("edu")) ||
           slice_equal(registry->sector, SLICE("ac"));
}

static bool is_noreply(struct slice word)
{
    static const struct slice words[] = {
        SLICE_LITERAL("noreply"),    SLICE_LITERAL("no-reply"),     SLICE_LITERAL("no_reply"),
        SLICE_LITERAL("donotreply"), SLICE_LITERAL("do-not-reply"), SLICE_LITERAL("no.reply"),
    };
    bool may_be = word.len >= 7 && word.len <= 12 && word.at[word.len - 1] == 'y';
    for (size_t i = 0; may_be && i < sizeof words / sizeof words[0]; i++) {
        if (slice_equal(word, words[i])) {
            return true;
        }
    }
    return false;
}

/* Of the letters from a to z. */
static bool is_vowel(char c)
{
    const uint32_t vowels = 1u << ('a' - '`') | 1u << ('e' - '`') | 1u << ('i' - '`') |
                            1u << ('o' - '`') | 1u << ('u' - '`') | 1u << ('y' - '`');
    return (vowels >> (c - '`') & 1) != 0;
}

/* Generated strings: long, and either without vowels for long stretches or mixing digits and letters often. A
 * hint for the score only; names of any language must not fall in. */
static bool is_gibberish(struct slice word)
{
    if (word.len < 8) {
        return false;
    }
    size_t consonants = 0;
    size_t longest = 0;
    size_t switches = 0;
    bool was_digit = ascii_is_digit(word.at[0]);
    for (size_t i = 0; i < word.len; i++) {
        char c = word.at[i];
        bool is_digit = ascii_is_digit(c);
        bool is_letter = c >= 'a' && c <= 'z'; /* it is in lower case */
        bool is_sign = !is_digit && !is_letter;
        if (is_sign && ((unsigned char)c >= 0x80 || c == '.' || c == '-' || c == '_')) {
            return false;
        }
        consonants = is_letter && !is_vowel(c) ? consonants + 1 : 0;
        longest = consonants > longest ? consonants : longest;
        switches += is_digit != was_digit ? 1 : 0;
        was_digit = is_digit;
    }
    return longest >= 9 || switches >= 4;
}

void domain_flags(const struct address_lists *lists, struct slice domain,
                  const struct slice *mx_hosts, size_t mx_count, struct domain_flags *out)
{
    struct list_match match;
    bool is_known = find_disposable(lists, domain, &match);
    bool is_excepted = is_known && match.is_exception;
    const struct registry registry = registry_of(domain);
    *out = (struct domain_flags){
        .is_free = list_has(lists, LIST_FREE, domain),
        .is_gov = is_government(&registry),
        .is_edu = is_academic(&registry),
        .disposable_entry = is_known && !is_excepted ? match.entry : SLICE_NONE,
    };
    for (size_t i = 0; i < mx_count && !is_excepted && out->disposable_entry.len == 0; i++) {
        out->disposable_entry = find_disposable_host(lists, mx_hosts[i]);
    }
    out->is_disposable = out->disposable_entry.len > 0;
}

void address_flags(const struct address_lists *lists, const struct hel_address *address,
                   const struct domain_flags *domain, struct address_flags *out)
{
    struct slice local = hel_address_local(address);
    struct slice tag;
    UNFILLED char lower[HEL_WIRE_BYTES];
    bool is_tagged = address_tag(address, &tag);
    size_t len = is_tagged ? local.len - tag.len - 1 : local.len;
    for (size_t i = 0; i < len; i++) {
        lower[i] = ascii_lower(local.at[i]);
    }
    struct slice word = slice_make(lower, len);
    *out = (struct address_flags){
        .domain = *domain,
        .is_plus_tagged = is_tagged,
        .is_role = list_has(lists, LIST_ROLES, word),
        .is_noreply = is_noreply(word),
        .is_idn = address->is_idn,
        .is_gibberish = is_gibberish(word),
    };
}

bool address_is_top_domain(const struct address_lists *lists, struct slice label)
{
    return list_find(&lists->lists[LIST_TLDS], label).len > 0;
}
