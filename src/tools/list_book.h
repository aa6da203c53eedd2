/* tools/list_book: newer data of providers and block lists in the user's folder of lists: providers.conf, whose entries
 * stand over ours, and blocklists.conf, in place of ours. They are no lists of words, and are replaced as a whole.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_LIST_BOOK_H
#define TOOLS_LIST_BOOK_H

#include "engine/knowledge.h"
#include "tools/list_files.h"

enum list_book { LIST_BOOK_PROVIDERS, LIST_BOOK_BLOCKLISTS, LIST_BOOK_COUNT };

/* "providers", "blocklists". Static. */
const char *list_book_name(enum list_book book);
bool list_book_parse(struct slice name, enum list_book *out);

/* *out of the user's file where there is one, else with our folder as its path, and nothing of a file; entries in all, of
 * which those that the user's file changed or added are `added`. Errors as those of knowledge_open_files. */
enum err list_book_look(const struct list_place *place, const struct knowledge_files *files,
                        enum list_book book, struct list_about *out, struct fault *out_fault)
    MUST_USE;

/* Checks the text as `heloise providers check` does, or as the block lists are read, and puts it in place; the one before
 * it is kept. name: of the text, for faults; head: comment lines. ERR_SYNTAX: nothing was changed; list_folder_put's. */
struct list_book_text {
    struct slice name, head, text;
};
enum err list_book_replace(const struct knowledge_files *files, enum list_book book,
                           const struct list_book_text *text, struct fault *out_fault) MUST_USE;
/* As list_rollback. */
enum err list_book_rollback(const struct list_place *place, enum list_book book,
                            struct fault *out_fault) MUST_USE;

#endif
