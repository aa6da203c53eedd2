/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/slice.h"
#include "base/text.h"
#include "net/digest.h"

enum { READ_BYTES = 65536 };

static bool has_own_dir(const struct list_place *place)
{
    return place->own_dir != NULL && place->own_dir[0] != '\0';
}

enum err list_path(const struct list_place *place, enum list_kind kind, enum list_part part,
                   char out[LIST_PATH_BYTES], struct fault *out_fault)
{
    static const char *const endings[] = {".txt", ".txt", ".txt.former", ".own"};
    if (part != LIST_PART_SHIPPED && !has_own_dir(place)) {
        return fault_set(out_fault, ERR_LIMIT, 0,
                         "there is no folder for lists of your own; name one with --lists");
    }
    int len = part == LIST_PART_SHIPPED ? snprintf(out, LIST_PATH_BYTES, "%s/lists/%s%s",
                                                   place->data_dir, list_name(kind), endings[part])
                                        : snprintf(out, LIST_PATH_BYTES, "%s/%s%s", place->own_dir,
                                                   list_name(kind), endings[part]);
    return len > 0 && len < LIST_PATH_BYTES
               ? ERR_NONE
               : fault_set(out_fault, ERR_LIMIT, 0, "the path of the lists is too long");
}

enum err list_file_read(const char *path, struct buf *out, struct fault *out_fault)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL && errno == ENOENT) {
        return ERR_NONE;
    }
    if (file == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "%.200s: %s", path, strerrordesc_np(errno));
    }
    enum err e = ERR_NONE;
    while (e == ERR_NONE && feof(file) == 0) {
        e = buf_reserve(out, READ_BYTES);
        out->len += e == ERR_NONE ? fread(out->at + out->len, 1, READ_BYTES, file) : 0;
        if (ferror(file) != 0) {
            e = fault_set(out_fault, ERR_SYSTEM, errno, "%.200s: cannot be read", path);
        }
    }
    (void)fclose(file); /* it was only read */
    if (e == ERR_LIMIT) {
        return fault_set(out_fault, e, 0, "%.200s: larger than %zu bytes", path, out->max);
    }
    return e == ERR_NOMEM ? fault_set(out_fault, e, 0, "out of memory") : e;
}

static bool is_there(const struct list_place *place, enum list_kind kind, enum list_part part)
{
    char path[LIST_PATH_BYTES];
    return list_path(place, kind, part, path, NULL) == ERR_NONE && access(path, F_OK) == 0;
}

enum list_part list_part_now(const struct list_place *place, enum list_kind kind)
{
    return is_there(place, kind, LIST_PART_UPDATED) ? LIST_PART_UPDATED : LIST_PART_SHIPPED;
}

static void keep_word(struct slice line, struct slice mark, char out[LIST_WORD_BYTES])
{
    if (out[0] != '\0' || !slice_starts_nocase(line, mark)) {
        return;
    }
    struct buf text;
    buf_init(&text, (size_t)LIST_WORD_BYTES * 8);
    struct slice value = slice_trim(slice_sub(line, mark.len, line.len));
    if (text_append_printable(&text, slice_sub(value, 0, LIST_WORD_BYTES - 1)) == ERR_NONE) {
        (void)snprintf(out, LIST_WORD_BYTES, "%.*s", SLICE_ARG(buf_view(&text)));
    }
    buf_done(&text);
}

static void read_head(struct slice text, struct list_about *out)
{
    struct reader r = reader_over(text);
    struct slice line;
    while (reader_line(&r, &line) && line.len > 0 && line.at[0] == '#') {
        struct slice said = slice_trim(slice_sub(line, 1, line.len));
        keep_word(said, SLICE("Source:"), out->source);
        keep_word(said, SLICE("Licence:"), out->licence);
        keep_word(said, SLICE("Date:"), out->date);
    }
}

/* Of the marked ones, or of the others. */
static size_t count_entries(struct slice text, bool is_marked)
{
    struct reader r = reader_over(text);
    struct slice line;
    size_t count = 0;
    while (reader_line(&r, &line)) {
        struct slice entry = slice_trim(line);
        bool is_entry = entry.len > 0 && entry.at[0] != '#';
        count += is_entry && (entry.at[0] == '!') == is_marked ? 1 : 0;
    }
    return count;
}

static enum err read_digest(struct slice text, struct list_about *out, struct fault *out_fault)
{
    struct digester *digester = NULL;
    struct digest digest;
    enum err e = digester_new(&digester, out_fault);
    if (e == ERR_NONE && digest_sha256(digester, text, &digest) != ERR_NONE) {
        e = fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    digester_free(digester);
    if (e == ERR_NONE) {
        digest_write_hex(&digest, out->sha256);
        out->sha256[DIGEST_HEX_BYTES] = '\0';
    }
    return e;
}

enum err list_look_at_file(struct list_about *out, struct fault *out_fault)
{
    struct stat about;
    DEFER(buf_done) struct buf text;
    buf_init(&text, LIST_FILE_BYTES_MAX + READ_BYTES);
    enum err e = list_file_read(out->path, &text, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    out->bytes = text.len;
    out->entries = count_entries(buf_view(&text), false);
    read_head(buf_view(&text), out);
    if (stat(out->path, &about) == 0) {
        out->changed_at_ms = (int64_t)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
    }
    return read_digest(buf_view(&text), out, out_fault);
}

enum err list_look(const struct list_place *place, enum list_kind kind, struct list_about *out,
                   struct fault *out_fault)
{
    enum list_part now = list_part_now(place, kind);
    *out = (struct list_about){.is_updated = now == LIST_PART_UPDATED,
                               .has_former = is_there(place, kind, LIST_PART_FORMER)};
    enum err e = list_path(place, kind, now, out->path, out_fault);
    e = e != ERR_NONE ? e : list_look_at_file(out, out_fault);
    if (e != ERR_NONE || !has_own_dir(place)) {
        return e;
    }
    DEFER(buf_done) struct buf own;
    buf_init(&own, LIST_FILE_BYTES_MAX + READ_BYTES);
    e = list_path(place, kind, LIST_PART_OWN, out->own_path, out_fault);
    e = e != ERR_NONE ? e : list_file_read(out->own_path, &own, out_fault);
    if (e == ERR_NONE) {
        out->added = count_entries(buf_view(&own), false);
        out->removed = count_entries(buf_view(&own), true);
    }
    return e;
}

/* From 1 on; 0: it is not there. */
static unsigned line_of(struct slice text, struct slice entry, bool is_marked)
{
    struct reader r = reader_over(text);
    struct slice line;
    for (unsigned number = 1; reader_line(&r, &line); number++) {
        struct slice word = slice_trim(line);
        bool has_mark = word.len > 0 && word.at[0] == '!';
        if (has_mark == is_marked &&
            slice_equal(slice_sub(word, has_mark ? 1 : 0, word.len), entry)) {
            return number;
        }
    }
    return 0;
}

static bool find_in(const struct list_place *place, enum list_kind kind, enum list_part part,
                    struct slice entry, struct list_spot *out)
{
    DEFER(buf_done) struct buf text;
    buf_init(&text, LIST_FILE_BYTES_MAX + READ_BYTES);
    if (list_path(place, kind, part, out->path, NULL) != ERR_NONE ||
        list_file_read(out->path, &text, NULL) != ERR_NONE) {
        return false;
    }
    out->line = line_of(buf_view(&text), entry, false);
    return out->line > 0;
}

bool list_find_spot(const struct list_place *place, enum list_kind kind, struct slice entry,
                    bool is_exception, struct list_spot *out)
{
    DEFER(buf_done) struct buf own;
    buf_init(&own, LIST_FILE_BYTES_MAX + READ_BYTES);
    out->is_own = true;
    if (list_path(place, kind, LIST_PART_OWN, out->path, NULL) == ERR_NONE &&
        list_file_read(out->path, &own, NULL) == ERR_NONE) {
        out->line = line_of(buf_view(&own), entry, is_exception);
        if (out->line > 0) {
            return true;
        }
    }
    out->is_own = false;
    return !is_exception && find_in(place, kind, list_part_now(place, kind), entry, out);
}
