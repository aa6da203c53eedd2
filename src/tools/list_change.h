/* tools/list_change: changes to the lists in the user's folder: own entries, a newer file in place of ours, and the way
 * back. A file is there as it was or as it is to be, never half of it, whatever stops the process; who changes the same
 * folder at the same time waits.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_LIST_CHANGE_H
#define TOOLS_LIST_CHANGE_H

#include "tools/list_files.h"

/* As it stands in the list: lower case, domains as A-labels. text: a domain, a local part (roles), or a top-level domain.
 * ERR_SYNTAX with what is wrong. */
enum err list_entry_read(enum list_kind kind, struct slice text, char out[LIST_WORD_BYTES],
                         struct fault *out_fault) MUST_USE;

enum list_change {
    LIST_CHANGE_NONE,     /* it held already */
    LIST_CHANGE_ADDED,    /* an own entry now */
    LIST_CHANGE_RESTORED, /* no longer taken out */
    LIST_CHANGE_DROPPED,  /* was an own entry */
    LIST_CHANGE_REMOVED,  /* taken out: an exception now */
};
/* Puts the entry on the list, or takes it off. ERR_SYNTAX: a file is wrong; ERR_SYSTEM, ERR_LIMIT, ERR_NOMEM. */
enum err list_add(const struct list_place *place, enum list_kind kind, struct slice entry,
                  enum list_change *out, struct fault *out_fault) MUST_USE;
enum err list_remove(const struct list_place *place, enum list_kind kind, struct slice entry,
                     enum list_change *out, struct fault *out_fault) MUST_USE;

/* The whole of a text: at least one entry, each of them one that the list can have. ERR_SYNTAX with the line. */
enum err list_check(enum list_kind kind, struct slice name, struct slice text, size_t *out_entries,
                    struct fault *out_fault) MUST_USE;

/* Checks the text and puts it in the place of the list; the one before it is kept. head: comment lines about where it
 * comes from, each with '#' and a line feed. */
enum err list_replace(const struct list_place *place, enum list_kind kind, struct slice head,
                      struct slice text, struct fault *out_fault) MUST_USE;
/* Back to what was there before the last update or rollback. ERR_STATE: there is nothing to go back to. */
enum err list_rollback(const struct list_place *place, enum list_kind kind, struct fault *out_fault)
    MUST_USE;

#endif
