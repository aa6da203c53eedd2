/* address/lists_private: the loaded lists, for lists.c (loading, flags), lists_own.c (the user's entries),
 * lists_filter.c and suggest.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ADDRESS_LISTS_PRIVATE_H
#define ADDRESS_LISTS_PRIVATE_H

#include <stdint.h>

#include "address/lists.h"

/* Entries in the order of their bytes, each but perhaps the last with its line feed: found in logarithmic time,
 * and a file that is in order is its own list, which costs a start nothing. */
struct list {
    struct slice text;
    char *own;                /* what text is a view of; NULL: of the file */
    struct list *removed;     /* what the user took out of it; NULL: nothing */
    struct list_index *index; /* NULL: it is short */
};

/* Some entries of a long list, evenly spread: their first eight bytes close together, so that a search meets the text,
 * which is in no cache, in its last steps only. */
struct list_index {
    size_t count;
    uint64_t *words;  /* as numbers in the order of strings */
    uint32_t *begins; /* where in the text */
};

/* Of all entries of all lists, those that were taken out included. Eight bits for each that is shipped. */
enum { LIST_FILTER_WORDS = 1 << 14 };
struct list_filter {
    uint64_t words[LIST_FILTER_WORDS];
};
struct entries;
void list_filter_add(struct list_filter *filter, struct slice entry);
void list_filter_add_all(struct list_filter *filter, const struct entries *entries);
bool list_filter_may_have(const struct list_filter *filter, struct slice word);

enum { SURE_NAMES_MAX = 64, SURE_LENS = 16 };
struct address_lists {
    struct list lists[LIST_COUNT];
    struct list_filter filter;
    uint32_t sure_letters
        [SURE_NAMES_MAX]; /* which letters the names have that suggest.c knows, by bits */
    uint64_t sure_of_len[SURE_LENS]; /* which of these a name of that length may be meant for */
};

/* Fills sure_letters and sure_of_len. */
void suggest_prepare(struct address_lists *lists);

/* The word itself is an entry. */
bool list_has(const struct address_lists *lists, enum list_kind kind, struct slice word);

/* The entries from this one on, or from where it would stand: whole lines, to the end. */
struct slice list_from(const struct list *list, struct slice word);

/* The entry, or an empty slice. */
struct slice list_find(const struct list *list, struct slice word);

/* Entries in any order, views of the file's text. */
struct entries {
    struct slice *at;
    size_t count, cap;
};
enum err list_entries_add(struct entries *entries, struct slice entry) MUST_USE;
/* Those of a file: one a line, '#' before a comment, and, where removed is not NULL, '!' before one that goes there.
 * ERR_SYNTAX with file and line, ERR_NOMEM. */
enum err list_entries_read(const struct address_list_source *source, struct entries *entries,
                           struct entries *removed, struct fault *out_fault) MUST_USE;
void list_entries_sort(struct entries *entries);
void list_entries_done(struct entries *entries);

/* The entries as a list of their own: sorted, each with its line feed. ERR_NOMEM. */
enum err list_join(struct entries *entries, struct list *out) MUST_USE;
void list_done(struct list *list);

/* Merges the user's entries into the list, and into the filter. ERR_SYNTAX with file and line, ERR_NOMEM. */
enum err list_merge_own(struct list *list, struct list_filter *filter,
                        const struct address_list_source *source, struct fault *out_fault) MUST_USE;

#endif
