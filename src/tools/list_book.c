/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_book.h"

#include <stdio.h>
#include <unistd.h>

#include "base/slice.h"
#include "tools/list_folder.h"

static const char *const names[LIST_BOOK_COUNT] = {
    [LIST_BOOK_PROVIDERS] = "providers",
    [LIST_BOOK_BLOCKLISTS] = "blocklists",
};
static const char *const files_of[LIST_BOOK_COUNT] = {
    [LIST_BOOK_PROVIDERS] = "providers.conf",
    [LIST_BOOK_BLOCKLISTS] = "blocklists.conf",
};

const char *list_book_name(enum list_book book)
{
    return names[book];
}

bool list_book_parse(struct slice name, enum list_book *out)
{
    for (int i = 0; i < LIST_BOOK_COUNT; i++) {
        if (slice_equal(name, slice_of(names[i]))) {
            *out = (enum list_book)i;
            return true;
        }
    }
    return false;
}

static enum err count_providers(const struct knowledge_files *files, struct list_about *out,
                                struct fault *out_fault)
{
    struct knowledge *knowledge = NULL;
    struct provider_counts counts;
    enum err e = knowledge_new(files, &knowledge, out_fault);
    e = e != ERR_NONE ? e : knowledge_load(knowledge, KNOWLEDGE_PROVIDERS, out_fault);
    if (e == ERR_NONE) {
        provider_book_count(knowledge_providers(knowledge), &counts);
        out->entries = counts.providers;
        out->added = counts.changed + counts.added;
    }
    knowledge_free(knowledge);
    return e;
}

static enum err count_blocklists(const struct knowledge_files *files, struct list_about *out,
                                 struct fault *out_fault)
{
    struct blocklist_book *book = NULL;
    enum err e = knowledge_blocklists_open(files, &book, out_fault);
    if (e == ERR_NONE) {
        out->entries = blocklist_count(book);
        out->added = out->is_updated ? out->entries : 0;
    }
    blocklist_book_free(book);
    return e;
}

/* False: there is no folder, or the path is too long. */
static bool own_path(const struct list_place *place, enum list_book book, const char *ending,
                     char out[LIST_PATH_BYTES])
{
    bool has_folder = place->own_dir != NULL && place->own_dir[0] != '\0';
    int len = has_folder ? snprintf(out, LIST_PATH_BYTES, "%s/%s%s", place->own_dir, files_of[book],
                                    ending)
                         : -1;
    return len > 0 && len < LIST_PATH_BYTES;
}

enum err list_book_look(const struct list_place *place, const struct knowledge_files *files,
                        enum list_book book, struct list_about *out, struct fault *out_fault)
{
    char path[LIST_PATH_BYTES];
    *out = (struct list_about){.is_updated =
                                   own_path(place, book, "", path) && access(path, F_OK) == 0};
    (void)snprintf(out->path, sizeof out->path, "%s/%s",
                   out->is_updated ? place->own_dir : place->data_dir,
                   out->is_updated ? files_of[book] : names[book]);
    out->has_former = own_path(place, book, ".former", path) && access(path, F_OK) == 0;
    enum err e = out->is_updated ? list_look_at_file(out, out_fault) : ERR_NONE;
    if (e != ERR_NONE) {
        return e;
    }
    return book == LIST_BOOK_PROVIDERS ? count_providers(files, out, out_fault)
                                       : count_blocklists(files, out, out_fault);
}

static enum err check_blocklists(const struct list_book_text *text, struct fault *out_fault)
{
    const struct blocklist_source source = {text->name, text->text};
    struct blocklist_book *book = NULL;
    enum err e = blocklist_book_compile(&source, 1, &book, out_fault);
    bool is_empty = e == ERR_NONE && blocklist_count(book) == 0;
    blocklist_book_free(book);
    return is_empty ? fault_set(out_fault, ERR_SYNTAX, 0,
                                "%.*s: there is no block list in it; nothing was changed",
                                SLICE_ARG(slice_sub(text->name, 0, 200)))
                    : e;
}

enum err list_book_replace(const struct knowledge_files *files, enum list_book book,
                           const struct list_book_text *text, struct fault *out_fault)
{
    const struct list_file file = {files_of[book], text->head, text->text};
    enum err e = book == LIST_BOOK_PROVIDERS
                     ? knowledge_check_providers(files, text->name, text->text, out_fault)
                     : check_blocklists(text, out_fault);
    return e != ERR_NONE ? e : list_folder_put(files->lists_dir, &file, out_fault);
}

enum err list_book_rollback(const struct list_place *place, enum list_book book,
                            struct fault *out_fault)
{
    return list_folder_rollback(place->own_dir, files_of[book], out_fault);
}
