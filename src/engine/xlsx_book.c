/* engine/xlsx_book: from the package's relations to the workbook, from its relations to the sheets (ECMA-376 part 1,
 * 18.2; part 2, 9.3). Relations are told by the end of their type, which transitional and strict files share.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/xlsx_private.h"

enum {
    SHEETS_MAX = 4096,
    NAMES_SHOWN = 8, /* in a message */
    PATH_BYTES_MAX = 512,
    NAMES_BYTES_MAX = 300,
    NAME_BYTES_MAX = 128, /* Excel allows 31 characters */
};

static const char package_relations[] = "_rels/.rels";

struct walk {
    struct xlsx_book *book;
    struct slice folder; /* of the part whose relations are read, with its slash */
    bool is_workbook_known;
};

static enum err keep(struct walk *walk, const char *text, struct slice *out)
{
    return arena_copy(walk->book->arena, slice_of(text), out);
}

/* A target is a path from the package's root, or from the part's folder; steps up are not followed. */
static enum err keep_target(struct walk *walk, const char *target, struct slice *out)
{
    struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    bool is_absolute = target[0] == '/';
    enum err e = is_absolute ? ERR_NONE : buf_append(&path, walk->folder);
    e = e == ERR_NONE ? buf_append(&path, slice_of(is_absolute ? target + 1 : target)) : e;
    e = e == ERR_NONE ? arena_copy(walk->book->arena, buf_view(&path), out) : e;
    buf_done(&path);
    return e == ERR_LIMIT ? ERR_NONE : e;
}

static enum err begin_package_relation(void *context, const char *name, const char **attributes)
{
    struct walk *walk = context;
    struct slice type = slice_of(xlsx_attribute(attributes, "Type"));
    const char *target = xlsx_attribute(attributes, "Target");
    if (strcmp(name, "Relationship") != 0 || target == NULL || walk->is_workbook_known ||
        !slice_ends(type, SLICE("/officeDocument"))) {
        return ERR_NONE;
    }
    walk->is_workbook_known = true;
    return keep_target(walk, target, &walk->book->path);
}

static enum err end_nothing(void *context, const char *name)
{
    (void)context;
    (void)name;
    return ERR_NONE;
}

static bool is_true(const char *value)
{
    return value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

static enum err add_sheet(struct walk *walk, const char **attributes)
{
    struct xlsx_book *book = walk->book;
    const char *name = xlsx_attribute(attributes, "name");
    /* r:id; sheetId has another name even without its prefix. */
    const char *id = xlsx_attribute(attributes, "id");
    const char *state = xlsx_attribute(attributes, "state");
    if (name == NULL || id == NULL || book->sheet_count == SHEETS_MAX) {
        return ERR_NONE;
    }
    struct xlsx_sheet_entry *sheet = &book->sheets[book->sheet_count];
    sheet->is_hidden = state != NULL && strcmp(state, "visible") != 0;
    if (keep(walk, name, &sheet->name) != ERR_NONE || keep(walk, id, &sheet->id) != ERR_NONE) {
        return ERR_NOMEM;
    }
    book->sheet_count++;
    return ERR_NONE;
}

static enum err begin_workbook(void *context, const char *name, const char **attributes)
{
    struct walk *walk = context;
    if (strcmp(name, "workbookPr") == 0) {
        walk->book->is_1904 = is_true(xlsx_attribute(attributes, "date1904"));
    }
    return strcmp(name, "sheet") == 0 ? add_sheet(walk, attributes) : ERR_NONE;
}

/* Sheets of charts and dialogs have other types: they leave no path, and so are no sheets. */
static enum err begin_relation(void *context, const char *name, const char **attributes)
{
    struct walk *walk = context;
    struct xlsx_book *book = walk->book;
    const char *target = xlsx_attribute(attributes, "Target");
    struct slice type = slice_of(xlsx_attribute(attributes, "Type"));
    struct slice id = slice_of(xlsx_attribute(attributes, "Id"));
    if (strcmp(name, "Relationship") != 0 || target == NULL) {
        return ERR_NONE;
    }
    if (slice_ends(type, SLICE("/sharedStrings"))) {
        return keep_target(walk, target, &book->strings_path);
    }
    if (slice_ends(type, SLICE("/styles"))) {
        return keep_target(walk, target, &book->styles_path);
    }
    bool is_wanted = book->sheet != NULL && slice_equal(book->sheet->id, id);
    return is_wanted && slice_ends(type, SLICE("/worksheet"))
               ? keep_target(walk, target, &book->sheet_path)
               : ERR_NONE;
}

/* What people take for a workbook and is none. */
static enum err refuse_foreign(struct xlsx_zip *zip, struct fault *out_fault)
{
    static const struct {
        const char *part, *what;
    } foreign[] = {
        {"content.xml", "an OpenDocument file; save it as XLSX or CSV"},
        {"xl/workbook.bin", "a binary workbook (XLSB); save it as XLSX or CSV"},
        {"word/document.xml", "a text document; a list is needed"},
        {"ppt/presentation.xml", "a presentation; a list is needed"},
    };
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (xlsx_zip_has(zip, foreign[i].part)) {
            return fault_set(out_fault, ERR_SYNTAX, 0, "%.*s is %s",
                             SLICE_ARG(zip->config->file_name), foreign[i].what);
        }
    }
    if (!xlsx_zip_has(zip, "[Content_Types].xml") || !xlsx_zip_has(zip, package_relations)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "%.*s is an archive; unpack it first",
                         SLICE_ARG(zip->config->file_name));
    }
    return ERR_NONE;
}

static struct slice folder_of(struct slice path)
{
    size_t slash = slice_find_last_byte(path, '/');
    return slash == path.len ? SLICE_NONE : slice_sub(path, 0, slash + 1);
}

static const struct xlsx_sheet_entry *find_named(const struct xlsx_book *book, struct slice name)
{
    for (size_t i = 0; i < book->sheet_count; i++) {
        if (slice_equal_nocase(book->sheets[i].name, name)) {
            return &book->sheets[i];
        }
    }
    struct reader r = reader_over(name);
    uint64_t number = 0;
    bool is_number = reader_number(&r, SHEETS_MAX, &number) && reader_is_done(&r);
    return is_number && number > 0 && number <= book->sheet_count ? &book->sheets[number - 1]
                                                                  : NULL;
}

static const struct xlsx_sheet_entry *find_visible(const struct xlsx_book *book)
{
    for (size_t i = 0; i < book->sheet_count; i++) {
        if (!book->sheets[i].is_hidden) {
            return &book->sheets[i];
        }
    }
    return book->sheet_count > 0 ? &book->sheets[0] : NULL;
}

static enum err no_such_sheet(const struct xlsx_book *book, const struct xlsx_config *config,
                              struct fault *out_fault)
{
    struct buf names;
    buf_init(&names, NAMES_BYTES_MAX);
    enum err e = ERR_NONE;
    for (size_t i = 0; i < book->sheet_count && i < NAMES_SHOWN && e == ERR_NONE; i++) {
        struct slice name = slice_sub(book->sheets[i].name, 0, NAME_BYTES_MAX);
        e = buf_printf(&names, "%s%.*s", i == 0 ? "" : ", ", SLICE_ARG(name));
    }
    bool has_more = e != ERR_NONE || book->sheet_count > NAMES_SHOWN;
    e = fault_set(out_fault, ERR_SYNTAX, 0, "%.*s has no sheet '%.*s'; its sheets: %.*s%s",
                  SLICE_ARG(config->file_name), SLICE_ARG(slice_sub(config->sheet, 0, 60)),
                  SLICE_ARG(buf_view(&names)), has_more ? ", ..." : "");
    buf_done(&names);
    return e;
}

static enum err read_sheets(struct xlsx_zip *zip, struct walk *walk, struct fault *out_fault)
{
    static const struct xlsx_xml_events events = {begin_workbook, end_nothing, NULL};
    struct xlsx_book *book = walk->book;
    book->sheets = arena_alloc(book->arena, SHEETS_MAX * sizeof *book->sheets);
    if (book->sheets == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    enum err e = xlsx_xml_read(zip, book->path.at, &events, walk, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    struct slice wanted = zip->config->sheet;
    book->sheet = wanted.len > 0 ? find_named(book, wanted) : find_visible(book);
    if (book->sheet == NULL && wanted.len > 0) {
        return no_such_sheet(book, zip->config, out_fault);
    }
    return book->sheet != NULL ? ERR_NONE
                               : fault_set(out_fault, ERR_SYNTAX, 0, "%.*s has no sheets",
                                           SLICE_ARG(zip->config->file_name));
}

static enum err read_relations(struct xlsx_zip *zip, struct walk *walk, struct fault *out_fault)
{
    static const struct xlsx_xml_events events = {begin_relation, end_nothing, NULL};
    struct slice path = walk->book->path;
    walk->folder = folder_of(path);
    struct slice name = slice_sub(path, walk->folder.len, path.len);
    struct buf relations;
    buf_init(&relations, PATH_BYTES_MAX + 16);
    enum err e =
        buf_printf(&relations, "%.*s_rels/%.*s.rels", SLICE_ARG(walk->folder), SLICE_ARG(name));
    e = e == ERR_NONE ? buf_append_byte(&relations, '\0') : e;
    e = e == ERR_NONE ? xlsx_xml_read(zip, relations.at, &events, walk, out_fault)
                      : fault_set(out_fault, e, 0, "out of memory");
    buf_done(&relations);
    return e;
}

enum err xlsx_book_read(struct xlsx_zip *zip, const struct xlsx_config *config, struct arena *arena,
                        struct xlsx_book *out, struct fault *out_fault)
{
    static const struct xlsx_xml_events events = {begin_package_relation, end_nothing, NULL};
    enum err e = refuse_foreign(zip, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    *out = (struct xlsx_book){.arena = arena};
    struct walk walk = {.book = out, .folder = SLICE_NONE};
    e = xlsx_xml_read(zip, package_relations, &events, &walk, out_fault);
    if (e == ERR_NONE && out->path.len == 0) {
        e = fault_set(out_fault, ERR_SYNTAX, 0, "%.*s holds no workbook; a list is needed",
                      SLICE_ARG(config->file_name));
    }
    e = e == ERR_NONE ? read_sheets(zip, &walk, out_fault) : e;
    e = e == ERR_NONE ? read_relations(zip, &walk, out_fault) : e;
    if (e == ERR_NONE && out->sheet_path.len == 0) {
        e = fault_set(out_fault, ERR_SYNTAX, 0, "%.*s: sheet '%.*s' holds no rows to read",
                      SLICE_ARG(config->file_name),
                      SLICE_ARG(slice_sub(out->sheet->name, 0, NAME_BYTES_MAX)));
    }
    return e;
}
