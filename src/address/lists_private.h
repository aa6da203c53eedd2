/* address/lists_private: the loaded lists, for lists.c (loading, flags) and suggest.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ADDRESS_LISTS_PRIVATE_H
#define ADDRESS_LISTS_PRIVATE_H

#include "address/lists.h"

enum list_kind {
    LIST_DISPOSABLE,
    LIST_DISPOSABLE_WILDCARD,
    LIST_FREE,
    LIST_POPULAR,
    LIST_ROLES,
    LIST_TLDS,
    LIST_COUNT,
};

/* Entries in the order of their bytes, each but perhaps the last with its line feed: found in logarithmic time,
 * and a file that is in order is its own list, which costs a start nothing. */
struct list {
    struct slice text;
    char *own; /* what text is a view of; NULL: of the file */
};

struct address_lists {
    struct list lists[LIST_COUNT];
};

/* The entries from this one on, or from where it would stand: whole lines, to the end. */
struct slice list_from(const struct list *list, struct slice word);

/* The entry, or an empty slice. */
struct slice list_find(const struct list *list, struct slice word);

#endif
