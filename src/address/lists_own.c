/* address/lists_own: the user's own entries, merged into a list when it is loaded: what is asked often then costs what
 * it did without them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "address/lists_private.h"
#include "base/reader.h"
#include "base/slice.h"

/* The user's entries, in the order of their bytes. */
struct own {
    struct entries added, removed;
};

static void own_done(struct own *own)
{
    list_entries_done(&own->added);
    list_entries_done(&own->removed);
}

struct merge {
    struct slice from; /* what is left of the list */
    char *at;
    size_t len;
};

static void copy(struct merge *merge, struct slice bytes)
{
    if (bytes.len > 0) {
        memcpy(merge->at + merge->len, bytes.at, bytes.len);
        merge->len += bytes.len;
    }
}

static void copy_line(struct merge *merge, struct slice entry)
{
    copy(merge, entry);
    merge->at[merge->len++] = '\n';
}

/* All of the list below the entry; whether the entry itself comes next, which is passed over then. */
static void copy_below(struct merge *merge, struct slice entry)
{
    const struct list rest = {.text = merge->from};
    struct slice at = list_from(&rest, entry);
    copy(merge, slice_sub(merge->from, 0, merge->from.len - at.len));
    if (merge->len > 0 && merge->at[merge->len - 1] != '\n') {
        merge->at[merge->len++] = '\n';
    }
    size_t end = slice_find_byte(at, '\n', 0);
    bool is_next = slice_equal(slice_sub(at, 0, end), entry);
    merge->from = is_next ? slice_sub(at, end + 1, at.len) : at;
}

static void merge_all(struct merge *merge, const struct own *own)
{
    size_t a = 0;
    size_t r = 0;
    while (a < own->added.count || r < own->removed.count) {
        bool is_added =
            r == own->removed.count ||
            (a < own->added.count && slice_compare(own->added.at[a], own->removed.at[r]) < 0);
        struct slice entry = is_added ? own->added.at[a++] : own->removed.at[r++];
        copy_below(merge, entry);
        bool is_again = is_added && a > 1 && slice_equal(entry, own->added.at[a - 2]);
        if (is_added && !is_again) {
            copy_line(merge, entry);
        }
    }
    copy(merge, merge->from);
}

/* An entry that is both: nobody can tell which was meant. */
static enum err check_both(const struct address_list_source *source, const struct own *own,
                           struct fault *out_fault)
{
    size_t a = 0;
    size_t r = 0;
    while (a < own->added.count && r < own->removed.count) {
        int order = slice_compare(own->added.at[a], own->removed.at[r]);
        if (order == 0) {
            return fault_set(out_fault, ERR_SYNTAX, 0,
                             "%.*s: '%.*s' stands there with '!' and without; leave one out",
                             SLICE_ARG(source->name), SLICE_ARG(own->added.at[a]));
        }
        a += order < 0 ? 1 : 0;
        r += order > 0 ? 1 : 0;
    }
    return ERR_NONE;
}

static enum err keep_removed(struct own *own, struct list **out)
{
    if (own->removed.count == 0) {
        return ERR_NONE;
    }
    struct list *removed = calloc(1, sizeof *removed);
    if (removed == NULL || list_join(&own->removed, removed) != ERR_NONE) {
        free(removed);
        return ERR_NOMEM;
    }
    *out = removed;
    return ERR_NONE;
}

static enum err merge_into(struct list *list, struct own *own)
{
    size_t bytes = list->text.len + 1;
    for (size_t i = 0; i < own->added.count; i++) {
        bytes += own->added.at[i].len + 1;
    }
    struct merge merge = {.from = list->text, .at = malloc(bytes)};
    struct list *removed = NULL;
    if (merge.at == NULL || keep_removed(own, &removed) != ERR_NONE) {
        free(merge.at);
        return ERR_NOMEM;
    }
    merge_all(&merge, own);
    list_done(list);
    *list =
        (struct list){.text = slice_make(merge.at, merge.len), .own = merge.at, .removed = removed};
    return ERR_NONE;
}

enum err list_merge_own(struct list *list, struct list_filter *filter,
                        const struct address_list_source *source, struct fault *out_fault)
{
    DEFER(own_done) struct own own = {.added = {.count = 0}};
    enum err e = list_entries_read(source, &own.added, &own.removed, out_fault);
    list_entries_sort(&own.added);
    list_entries_sort(&own.removed);
    e = e != ERR_NONE ? e : check_both(source, &own, out_fault);
    if (e == ERR_NONE && merge_into(list, &own) != ERR_NONE) {
        e = fault_set(out_fault, ERR_NOMEM, 0, "%.*s: no memory", SLICE_ARG(source->name));
    }
    if (e == ERR_NONE) {
        list_filter_add_all(filter, &own.added);
        list_filter_add_all(filter, &own.removed);
    }
    return e;
}
