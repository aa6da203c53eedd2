/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/extract_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/slice.h"
#include "base/text.h"
#include "engine/json_write.h"

enum {
    LINE_BYTES_MAX = 1 << 20, /* an address and a path, escaped */
    SLOTS_MIN = 1024,
    TEXT_BYTES_MAX = 65536, /* of a path */
};

/* A row: what is written of an address. Texts are borrowed. */
struct row {
    struct slice email, wire, file, member;
    enum document_unit unit;
    uint64_t number, column, offset;
};

static enum err append(struct buf *line, const char *text)
{
    return buf_append(line, slice_of(text));
}

/* 1 is A, 27 is AA. */
static enum err append_cell(struct buf *line, uint64_t column, uint64_t row)
{
    char letters[16];
    size_t at = sizeof letters;
    for (; column > 0 && at > 0; column = (column - 1) / 26) {
        letters[--at] = (char)('A' + (column - 1) % 26);
    }
    enum err e = buf_append(line, slice_make(letters + at, sizeof letters - at));
    return e == ERR_NONE ? buf_append_int(line, (int64_t)row) : e;
}

static enum err append_count(struct buf *line, uint64_t count, char behind)
{
    enum err e = buf_append_int(line, (int64_t)count);
    return e == ERR_NONE ? buf_append_byte(line, behind) : e;
}

/* "mails.zip/a.eml/part 2:14", "book.xlsx/Sheet1!B7", "letter.pdf:p3" */
static enum err append_place(struct buf *line, const struct row *row)
{
    enum err e = text_append_printable(line, row->file);
    if (e == ERR_NONE && row->member.len > 0) {
        e = buf_append_byte(line, '/');
        e = e == ERR_NONE ? text_append_printable(line, row->member) : e;
    }
    if (e != ERR_NONE || row->number == 0) {
        return e;
    }
    switch (row->unit) {
    case DOCUMENT_LINE: e = buf_append_byte(line, ':'); break;
    case DOCUMENT_PAGE: e = append(line, ":p"); break;
    case DOCUMENT_CELL:
        e = buf_append_byte(line, '!');
        return e == ERR_NONE ? append_cell(line, row->column, row->number) : e;
    }
    return e == ERR_NONE ? buf_append_int(line, (int64_t)row->number) : e;
}

static enum err put_text(struct extract_output *out, const struct row *row, uint64_t count)
{
    struct buf *line = &out->line;
    enum err e = out->config.wants_count ? append_count(line, count, '\t') : ERR_NONE;
    e = e == ERR_NONE ? text_append_printable(line, row->email) : e;
    if (e == ERR_NONE && out->config.wants_place) {
        e = buf_append_byte(line, '\t');
        e = e == ERR_NONE ? append_place(line, row) : e;
    }
    return e;
}

/* RFC 4180, quoted only where it must be. What a spreadsheet would take as a formula gets an apostrophe, as in the results
 * of `bulk`: names of members are strangers'. */
static enum err append_csv(struct buf *line, struct slice text)
{
    struct buf plain;
    buf_init(&plain, LINE_BYTES_MAX);
    bool is_formula = text.len > 0 && strchr("=+-@", text.at[0]) != NULL;
    enum err e = is_formula ? buf_append_byte(&plain, '\'') : ERR_NONE;
    e = e == ERR_NONE ? text_append_printable(&plain, text) : e;
    struct slice shown = buf_view(&plain);
    bool needs_quotes =
        slice_find_byte(shown, ',', 0) < shown.len || slice_find_byte(shown, '"', 0) < shown.len;
    if (e == ERR_NONE && !needs_quotes) {
        e = buf_append(line, shown);
    } else if (e == ERR_NONE) {
        e = buf_append_byte(line, '"');
        for (size_t i = 0; i < shown.len && e == ERR_NONE; i++) {
            e = shown.at[i] == '"' ? append(line, "\"\"") : buf_append_byte(line, shown.at[i]);
        }
        e = e == ERR_NONE ? buf_append_byte(line, '"') : e;
    }
    buf_done(&plain);
    return e;
}

static enum err put_csv(struct extract_output *out, const struct row *row, uint64_t count)
{
    struct buf *line = &out->line;
    enum err e = append_csv(line, row->email);
    if (e == ERR_NONE && out->config.wants_count) {
        e = buf_append_byte(line, ',');
        e = e == ERR_NONE ? buf_append_int(line, (int64_t)count) : e;
    }
    e = e == ERR_NONE ? buf_append_byte(line, ',') : e;
    e = e == ERR_NONE ? append_csv(line, row->file) : e;
    e = e == ERR_NONE ? buf_append_byte(line, ',') : e;
    e = e == ERR_NONE ? append_csv(line, row->member) : e;
    for (enum document_unit unit = DOCUMENT_LINE; unit <= DOCUMENT_CELL && e == ERR_NONE; unit++) {
        e = buf_append_byte(line, ',');
        if (e != ERR_NONE || unit != row->unit || row->number == 0) {
            continue;
        }
        e = unit == DOCUMENT_CELL ? append_cell(line, row->column, row->number)
                                  : buf_append_int(line, (int64_t)row->number);
    }
    return e;
}

static enum err put_json(struct extract_output *out, const struct row *row, uint64_t count)
{
    struct json_writer w;
    char cell_text[64];
    struct buf cell = {.at = cell_text, .cap = sizeof cell_text, .max = sizeof cell_text};
    json_begin(&w, &out->line);
    json_open(&w, NULL, '{');
    json_string(&w, "email", row->email);
    json_string(&w, "wire", row->wire);
    if (out->config.wants_count) {
        json_int(&w, "count", (int64_t)count);
    }
    json_string(&w, "file", row->file);
    if (row->member.len > 0) {
        json_string(&w, "member", row->member);
    }
    if (row->number > 0) {
        switch (row->unit) {
        case DOCUMENT_LINE: json_int(&w, "line", (int64_t)row->number); break;
        case DOCUMENT_PAGE: json_int(&w, "page", (int64_t)row->number); break;
        case DOCUMENT_CELL:
            w.err = w.err == ERR_NONE ? append_cell(&cell, row->column, row->number) : w.err;
            json_string(&w, "cell", buf_view(&cell));
            break;
        }
    }
    json_int(&w, "offset", (int64_t)row->offset);
    json_close(&w, '}');
    return w.err;
}

static enum err put(struct extract_output *out, const struct row *row, uint64_t count)
{
    enum err e = ERR_NONE;
    buf_clear(&out->line);
    switch (out->config.format) {
    case EXTRACT_TEXT: e = put_text(out, row, count); break;
    case EXTRACT_CSV: e = put_csv(out, row, count); break;
    case EXTRACT_JSON: e = put_json(out, row, count); break;
    }
    e = e == ERR_NONE ? buf_append_byte(&out->line, '\n') : e;
    if (e != ERR_NONE) {
        return e;
    }
    out->written++;
    bool is_written = fwrite(out->line.at, 1, out->line.len, stdout) == out->line.len;
    return is_written ? ERR_NONE : ERR_SYSTEM;
}

enum err extract_output_open(const struct extract_output_config *config, struct extract_output *out)
{
    *out = (struct extract_output){.config = *config};
    buf_init(&out->line, LINE_BYTES_MAX);
    if (getrandom(&out->seed, sizeof out->seed, 0) != (ssize_t)sizeof out->seed) {
        return ERR_SYSTEM;
    }
    if (config->wants_count) {
        out->waiting = tmpfile();
        if (out->waiting == NULL) {
            return ERR_SYSTEM;
        }
    }
    if (config->format != EXTRACT_CSV) {
        return ERR_NONE;
    }
    bool is_written = fputs(config->wants_count ? "email,count,file,member,line,page,cell\n"
                                                : "email,file,member,line,page,cell\n",
                            stdout) >= 0;
    return is_written ? ERR_NONE : ERR_SYSTEM;
}

void extract_output_close(struct extract_output *out)
{
    if (out->waiting != NULL) {
        (void)fclose(out->waiting); /* nobody else sees it */
    }
    hash_set_done(&out->seen);
    free(out->slots);
    free(out->counts);
    buf_done(&out->line);
}

static struct count_slot *find_slot(struct count_slot *slots, size_t slot_count, uint64_t hash)
{
    size_t i = (size_t)hash & (slot_count - 1);
    while (slots[i].hash != 0 && slots[i].hash != hash) {
        i = (i + 1) & (slot_count - 1);
    }
    return &slots[i];
}

/* Half of the slots stay free. */
static enum err grow(struct extract_output *out)
{
    if (out->count_count * 2 < out->slot_count) {
        return ERR_NONE;
    }
    size_t slot_count = out->slot_count == 0 ? SLOTS_MIN : out->slot_count * 2;
    struct count_slot *slots = calloc(slot_count, sizeof *slots);
    uint64_t *counts = realloc(out->counts, slot_count / 2 * sizeof *counts);
    out->counts = counts != NULL ? counts : out->counts;
    if (slots == NULL || counts == NULL) {
        free(slots);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < out->slot_count; i++) {
        if (out->slots[i].hash != 0) {
            *find_slot(slots, slot_count, out->slots[i].hash) = out->slots[i];
        }
    }
    free(out->slots);
    out->slots = slots;
    out->slot_count = slot_count;
    return ERR_NONE;
}

static bool keep_text(FILE *to, struct slice text)
{
    uint32_t len = (uint32_t)(text.len < TEXT_BYTES_MAX ? text.len : TEXT_BYTES_MAX);
    return fwrite(&len, sizeof len, 1, to) == 1 && fwrite(text.at, 1, len, to) == len;
}

static enum err keep(struct extract_output *out, const struct row *row)
{
    const uint64_t numbers[] = {row->unit, row->number, row->column, row->offset};
    FILE *to = out->waiting;
    bool is_kept = keep_text(to, row->email) && keep_text(to, row->wire) &&
                   keep_text(to, row->file) && keep_text(to, row->member) &&
                   fwrite(numbers, sizeof numbers, 1, to) == 1;
    return is_kept ? ERR_NONE : ERR_SYSTEM;
}

static enum err count(struct extract_output *out, uint64_t hash, const struct row *row)
{
    enum err e = grow(out);
    if (e != ERR_NONE) {
        return e;
    }
    hash = hash == 0 ? 1 : hash;
    struct count_slot *slot = find_slot(out->slots, out->slot_count, hash);
    if (slot->hash != 0) {
        out->counts[slot->index]++;
        return ERR_NONE;
    }
    if (out->count_count == EXTRACT_COUNTED_MAX) {
        out->is_full = true;
        return ERR_NONE;
    }
    *slot = (struct count_slot){.hash = hash, .index = out->count_count};
    out->counts[out->count_count++] = 1;
    return keep(out, row);
}

/* Local parts in another case are the same mailbox nearly everywhere. */
static uint64_t hash_of(const struct extract_output *out, struct slice wire)
{
    char lower[HEL_WIRE_BYTES];
    for (size_t i = 0; i < wire.len; i++) {
        lower[i] = ascii_lower(wire.at[i]);
    }
    return slice_hash(slice_make(lower, wire.len), out->seed);
}

enum err extract_output_add(struct extract_output *out, struct slice file,
                            const struct extract_found *found, const struct document_place *place)
{
    const struct row row = {
        .email = found->text,
        .wire = hel_address_wire(&found->address),
        .file = file,
        .member = place->member,
        .unit = place->unit,
        .number = place->number,
        .column = place->column,
        .offset = found->offset,
    };
    bool is_new = true;
    enum err e = ERR_NONE;
    out->found++;
    if (out->config.wants_count) {
        return count(out, hash_of(out, row.wire), &row);
    }
    if (!out->config.wants_all && out->seen.count < EXTRACT_SEEN_MAX) {
        e = hash_set_add(&out->seen, hash_of(out, row.wire), &is_new);
    } else if (!out->config.wants_all) {
        out->is_full = true;
    }
    return e == ERR_NONE && is_new ? put(out, &row, 1) : e;
}

static bool take_text(FILE *from, char *room, struct slice *out)
{
    uint32_t len;
    if (fread(&len, sizeof len, 1, from) != 1 || len > TEXT_BYTES_MAX ||
        fread(room, 1, len, from) != len) {
        return false;
    }
    *out = slice_make(room, len);
    return true;
}

/* rooms: of four texts. */
static enum err put_waiting(struct extract_output *out, char *rooms)
{
    FILE *from = out->waiting;
    enum err e = ERR_NONE;
    for (size_t i = 0; i < out->count_count && e == ERR_NONE; i++) {
        struct row row;
        uint64_t numbers[4];
        if (!take_text(from, rooms, &row.email) ||
            !take_text(from, rooms + TEXT_BYTES_MAX, &row.wire) ||
            !take_text(from, rooms + (size_t)2 * TEXT_BYTES_MAX, &row.file) ||
            !take_text(from, rooms + (size_t)3 * TEXT_BYTES_MAX, &row.member) ||
            fread(numbers, sizeof numbers, 1, from) != 1) {
            return ERR_SYSTEM;
        }
        row.unit = (enum document_unit)numbers[0];
        row.number = numbers[1];
        row.column = numbers[2];
        row.offset = numbers[3];
        e = put(out, &row, out->counts[i]);
    }
    return e;
}

enum err extract_output_finish(struct extract_output *out)
{
    if (out->waiting == NULL) {
        return fflush(stdout) == 0 ? ERR_NONE : ERR_SYSTEM;
    }
    char *rooms = malloc((size_t)4 * TEXT_BYTES_MAX);
    if (rooms == NULL) {
        return ERR_NOMEM;
    }
    bool is_there = fflush(out->waiting) == 0 && fseeko(out->waiting, 0, SEEK_SET) == 0;
    enum err e = is_there ? put_waiting(out, rooms) : ERR_SYSTEM;
    free(rooms);
    return e == ERR_NONE && fflush(stdout) != 0 ? ERR_SYSTEM : e;
}
