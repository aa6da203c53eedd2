/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_change.h"

#include <stdio.h>

#include "base/reader.h"
#include "base/slice.h"
#include "heloise/address.h"
#include "tools/list_folder.h"

enum { NAME_BYTES = 64, READ_BYTES_MAX = LIST_FILE_BYTES_MAX * 2 };

/* ---- entries ---- */

static enum err refuse_entry(struct fault *out_fault, struct slice text, const char *what)
{
    return fault_set(out_fault, ERR_SYNTAX, 0, "'%.*s' is no %s", SLICE_ARG(slice_sub(text, 0, 80)),
                     what);
}

static enum err read_domain(struct slice text, char out[LIST_WORD_BYTES], struct fault *out_fault)
{
    char address[LIST_WORD_BYTES + 8];
    struct hel_address read;
    struct hel_address_error error;
    int len = snprintf(address, sizeof address, "a@%.*s", SLICE_ARG(slice_sub(text, 0, 250)));
    struct slice whole = slice_make(address, (size_t)len);
    if (text.len > 250 ||
        hel_address_parse(whole, HEL_ADDRESS_PRACTICAL, &read, &error) != ERR_NONE) {
        return refuse_entry(out_fault, text, "domain like example.com");
    }
    struct slice domain = hel_address_domain(&read);
    if (slice_find_byte(domain, '.', 0) == domain.len || domain.at[0] == '[') {
        return refuse_entry(out_fault, text, "domain like example.com");
    }
    (void)snprintf(out, LIST_WORD_BYTES, "%.*s", SLICE_ARG(domain));
    return ERR_NONE;
}

enum err list_entry_read(enum list_kind kind, struct slice text, char out[LIST_WORD_BYTES],
                         struct fault *out_fault)
{
    if (kind != LIST_ROLES && kind != LIST_TLDS) {
        return read_domain(text, out, out_fault);
    }
    char lower[LIST_WORD_BYTES];
    size_t len = text.len < sizeof lower ? text.len : sizeof lower - 1;
    for (size_t i = 0; i < len; i++) {
        lower[i] = ascii_lower(text.at[i]);
    }
    struct slice word = slice_make(lower, len);
    if (text.len >= sizeof lower || !list_takes_entry(word) ||
        slice_find_byte(word, '@', 0) < word.len) {
        return refuse_entry(out_fault, text,
                            kind == LIST_ROLES ? "local part like postmaster"
                                               : "top-level domain like com");
    }
    (void)snprintf(out, LIST_WORD_BYTES, "%.*s", SLICE_ARG(word));
    return ERR_NONE;
}

/* ---- own entries ---- */

static struct slice without_mark(struct slice word)
{
    return slice_sub(word, word.len > 0 && word.at[0] == '!' ? 1 : 0, word.len);
}

/* Copies the file without the lines of the entry; whether they were there. */
struct own_lines {
    struct buf text;
    bool was_added, was_removed;
};

static enum err drop_lines(struct slice text, struct slice entry, struct own_lines *out)
{
    struct reader r = reader_over(text);
    struct slice line;
    enum err e = ERR_NONE;
    while (e == ERR_NONE && reader_line(&r, &line)) {
        struct slice word = slice_trim(line);
        if (slice_equal(word, entry)) {
            out->was_added = true;
        } else if (slice_equal(without_mark(word), entry)) {
            out->was_removed = true;
        } else {
            e = buf_append(&out->text, line);
            e = e != ERR_NONE ? e : buf_append_byte(&out->text, '\n');
        }
    }
    return e;
}

static enum err begin_file(enum list_kind kind, struct buf *out)
{
    return buf_printf(out,
                      "# Your own entries of the list '%s', one a line; '!' before one takes it "
                      "out of the list.\n",
                      list_name(kind));
}

/* Who is on the list when the own file is left out of account. */
struct base_list {
    struct buf text;
    struct address_lists *lists;
};

static void base_done(struct base_list *base)
{
    address_lists_free(base->lists);
    buf_done(&base->text);
}

static enum err base_read(const struct list_place *place, enum list_kind kind,
                          struct base_list *out, struct fault *out_fault)
{
    char path[LIST_PATH_BYTES];
    buf_init(&out->text, READ_BYTES_MAX);
    enum err e = list_path(place, kind, list_part_now(place, kind), path, out_fault);
    e = e != ERR_NONE ? e : list_file_read(path, &out->text, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    const struct address_list_source source = {slice_of(path), buf_view(&out->text)};
    return address_lists_load(&source, 1, &out->lists, out_fault);
}

/* What the user's file is to say of an entry. */
struct wish {
    struct slice entry;
    bool is_wanted; /* on the list */
};

static enum list_change decide(const struct wish *wish, const struct own_lines *lines,
                               const struct list_match *match, bool is_listed)
{
    bool is_itself = is_listed && slice_equal(match->entry, wish->entry);
    if (wish->is_wanted) {
        return lines->was_added                  ? LIST_CHANGE_NONE
               : is_itself && lines->was_removed ? LIST_CHANGE_RESTORED
               : is_itself                       ? LIST_CHANGE_NONE
                                                 : LIST_CHANGE_ADDED;
    }
    return lines->was_removed ? LIST_CHANGE_NONE
           : is_listed        ? LIST_CHANGE_REMOVED
           : lines->was_added ? LIST_CHANGE_DROPPED
                              : LIST_CHANGE_NONE;
}

/* One change of the user's file. */
struct edit {
    const struct list_place *place;
    enum list_kind kind;
    struct wish wish;
    struct list_folder folder;
    struct buf before; /* the file */
    struct own_lines lines;
    struct base_list base;
};

static void edit_done(struct edit *edit)
{
    base_done(&edit->base);
    buf_done(&edit->before);
    buf_done(&edit->lines.text);
    list_folder_close(&edit->folder);
}

static enum err write_own(const struct edit *edit, struct fault *out_fault)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "%s.own", list_name(edit->kind));
    const struct list_file file = {name, SLICE_NONE, buf_view(&edit->lines.text)};
    return list_folder_write(&edit->folder, &file, out_fault);
}

static enum err read_files(struct edit *edit, struct fault *out_fault)
{
    char path[LIST_PATH_BYTES];
    enum err e = list_folder_open(edit->place->own_dir, &edit->folder, out_fault);
    e = e != ERR_NONE ? e : list_path(edit->place, edit->kind, LIST_PART_OWN, path, out_fault);
    e = e != ERR_NONE ? e : list_file_read(path, &edit->before, out_fault);
    return e != ERR_NONE ? e : base_read(edit->place, edit->kind, &edit->base, out_fault);
}

static enum err write_lines(struct edit *edit, enum list_change *out)
{
    struct list_match match = {.entry = SLICE_NONE};
    struct slice entry = edit->wish.entry;
    enum err e = edit->before.len == 0 ? begin_file(edit->kind, &edit->lines.text) : ERR_NONE;
    e = e != ERR_NONE ? e : drop_lines(buf_view(&edit->before), entry, &edit->lines);
    bool is_listed = list_match(edit->base.lists, edit->kind, entry, &match);
    *out = decide(&edit->wish, &edit->lines, &match, is_listed);
    bool has_line = *out == LIST_CHANGE_ADDED || *out == LIST_CHANGE_REMOVED;
    return e != ERR_NONE || !has_line
               ? e
               : buf_printf(&edit->lines.text, "%s%.*s\n", *out == LIST_CHANGE_REMOVED ? "!" : "",
                            SLICE_ARG(entry));
}

static enum err change(struct edit *edit, enum list_change *out, struct fault *out_fault)
{
    buf_init(&edit->before, READ_BYTES_MAX);
    buf_init(&edit->lines.text, LIST_FILE_BYTES_MAX);
    edit->folder.fd = -1;
    enum err e = read_files(edit, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    if (write_lines(edit, out) != ERR_NONE) {
        return fault_set(out_fault, ERR_LIMIT, 0, "too many own entries, or out of memory");
    }
    return *out == LIST_CHANGE_NONE ? ERR_NONE : write_own(edit, out_fault);
}

enum err list_add(const struct list_place *place, enum list_kind kind, struct slice entry,
                  enum list_change *out, struct fault *out_fault)
{
    DEFER(edit_done)
    struct edit edit = {.place = place, .kind = kind, .wish = {.entry = entry, .is_wanted = true}};
    return change(&edit, out, out_fault);
}

enum err list_remove(const struct list_place *place, enum list_kind kind, struct slice entry,
                     enum list_change *out, struct fault *out_fault)
{
    DEFER(edit_done) struct edit edit = {.place = place, .kind = kind, .wish = {.entry = entry}};
    return change(&edit, out, out_fault);
}

/* ---- whole lists ---- */

static enum err check_entry(enum list_kind kind, struct slice name, unsigned number,
                            struct slice entry, struct fault *out_fault)
{
    char read[LIST_WORD_BYTES];
    struct fault why;
    if (list_entry_read(kind, entry, read, &why) == ERR_NONE &&
        slice_equal(entry, slice_of(read))) {
        return ERR_NONE;
    }
    return fault_set(out_fault, ERR_SYNTAX, 0,
                     "%.*s:%u: '%.*s' is no entry of the list '%s'; nothing was changed",
                     SLICE_ARG(slice_sub(name, 0, 200)), number, SLICE_ARG(slice_sub(entry, 0, 80)),
                     list_name(kind));
}

enum err list_check(enum list_kind kind, struct slice name, struct slice text, size_t *out_entries,
                    struct fault *out_fault)
{
    struct reader r = reader_over(text);
    struct slice line;
    size_t count = 0;
    enum err e = ERR_NONE;
    for (unsigned number = 1; e == ERR_NONE && reader_line(&r, &line); number++) {
        struct slice entry = slice_trim(line);
        if (entry.len > 0 && entry.at[0] != '#') {
            e = check_entry(kind, name, number, entry, out_fault);
            count++;
        }
    }
    if (e == ERR_NONE && count == 0) {
        e = fault_set(out_fault, ERR_SYNTAX, 0,
                      "%.*s: there is no entry in it; nothing was changed",
                      SLICE_ARG(slice_sub(name, 0, 200)));
    }
    if (e == ERR_NONE) {
        *out_entries = count;
    }
    return e;
}

enum err list_replace(const struct list_place *place, enum list_kind kind, struct slice head,
                      struct slice text, struct fault *out_fault)
{
    char name[NAME_BYTES];
    size_t entries;
    enum err e = list_check(kind, SLICE("the new list"), text, &entries, out_fault);
    (void)snprintf(name, sizeof name, "%s.txt", list_name(kind));
    const struct list_file file = {name, head, text};
    return e != ERR_NONE ? e : list_folder_put(place->own_dir, &file, out_fault);
}

/* Whichever of the two is missing stands for ours. */
enum err list_rollback(const struct list_place *place, enum list_kind kind, struct fault *out_fault)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "%s.txt", list_name(kind));
    return list_folder_rollback(place->own_dir, name, out_fault);
}
