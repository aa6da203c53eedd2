/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_report.h"

#include "base/reader.h"
#include "base/slice.h"

const char *list_purpose(enum list_kind kind)
{
    static const char *const purposes[LIST_COUNT] = {
        [LIST_DISPOSABLE] = "domains of throw-away mailboxes",
        [LIST_DISPOSABLE_WILDCARD] = "domains whose every subdomain is one of throw-away mailboxes",
        [LIST_FREE] = "providers where anybody may open a mailbox",
        [LIST_POPULAR] = "what a misspelt domain most often means",
        [LIST_ROLES] = "local parts that name a function, not a person",
        [LIST_TLDS] = "top-level domains",
    };
    return purposes[kind];
}

const char *list_change_name(enum list_change change)
{
    switch (change) {
    case LIST_CHANGE_NONE: return "none";
    case LIST_CHANGE_ADDED: return "added";
    case LIST_CHANGE_RESTORED: return "restored";
    case LIST_CHANGE_DROPPED: return "dropped";
    case LIST_CHANGE_REMOVED: return "removed";
    }
    return "none";
}

void list_about_write(struct json_writer *w, enum list_kind kind, const struct list_about *about,
                      enum list_naming naming)
{
    json_open(w, NULL, '{');
    json_string(w, "list", slice_of(list_name(kind)));
    json_string(w, "purpose", slice_of(list_purpose(kind)));
    json_string(w, "file", list_file_name(about->path, naming));
    json_int(w, "entries", (int64_t)about->entries);
    json_int(w, "bytes", (int64_t)about->bytes);
    json_string(w, "sha256", slice_of(about->sha256));
    json_bool(w, "is_updated", about->is_updated);
    json_bool(w, "has_former", about->has_former);
    json_time(w, "changed_at", about->changed_at_ms);
    json_string(w, "date", slice_of(about->date));
    json_string(w, "source", slice_of(about->source));
    json_string(w, "licence", slice_of(about->licence));
    json_string(w, "own_file", list_file_name(about->own_path, naming));
    json_int(w, "added", (int64_t)about->added);
    json_int(w, "removed", (int64_t)about->removed);
    json_close(w, '}');
}

static void write_entry(struct json_writer *w, struct slice entry, unsigned line)
{
    bool is_exception = entry.at[0] == '!';
    json_open(w, NULL, '{');
    json_string(w, "entry", slice_sub(entry, is_exception ? 1 : 0, entry.len));
    json_bool(w, "is_exception", is_exception);
    json_int(w, "line", line);
    json_close(w, '}');
}

enum err list_own_write(struct json_writer *w, const struct list_place *place, enum list_kind kind,
                        const struct list_page *page, struct fault *out_fault)
{
    char path[LIST_PATH_BYTES];
    DEFER(buf_done) struct buf text;
    buf_init(&text, (size_t)LIST_FILE_BYTES_MAX * 2);
    bool has_folder = place->own_dir != NULL && place->own_dir[0] != '\0';
    enum err e = !has_folder ? ERR_NONE : list_path(place, kind, LIST_PART_OWN, path, out_fault);
    e = e != ERR_NONE || !has_folder ? e : list_file_read(path, &text, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    struct reader r = reader_over(buf_view(&text));
    struct slice line;
    uint64_t total = 0;
    json_open(w, "entries", '[');
    for (unsigned number = 1; reader_line(&r, &line); number++) {
        struct slice entry = slice_trim(line);
        if (entry.len == 0 || entry.at[0] == '#') {
            continue;
        }
        if (total >= page->offset && total - page->offset < page->limit) {
            write_entry(w, entry, number);
        }
        total++;
    }
    json_close(w, ']');
    json_int(w, "total", (int64_t)total);
    return ERR_NONE;
}
