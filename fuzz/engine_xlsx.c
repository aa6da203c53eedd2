/* fuzz/engine_xlsx: any bytes as a workbook. Those that begin like an archive are one as they stand; others are its parts,
 * parted by the byte 0x1e: sheet, shared texts, styles, workbook, relations; empty ones are sound. They are put into an
 * archive, so that the fuzzer need not guess checksums. The same rows come out again.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "engine/table.h"
#include "engine/xlsx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARCHIVE_BYTES_MAX = 8 << 20, PARTS = 7 };

#define TYPES "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"

static const struct {
    struct slice name, sound;
} parts[PARTS] = {
    {SLICE_LITERAL("xl/worksheets/sheet1.xml"),
     SLICE_LITERAL("<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c "
                   "s=\"1\"><v>45351.5</v>"
                   "</c></row></sheetData></worksheet>")},
    {SLICE_LITERAL("xl/sharedStrings.xml"), SLICE_LITERAL("<sst><si><t>a@b.c</t></si></sst>")},
    {SLICE_LITERAL("xl/styles.xml"),
     SLICE_LITERAL(
         "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>")},
    {SLICE_LITERAL("xl/workbook.xml"),
     SLICE_LITERAL("<workbook><sheets><sheet name=\"S\" r:id=\"r1\"/></sheets></workbook>")},
    {SLICE_LITERAL("xl/_rels/workbook.xml.rels"),
     SLICE_LITERAL("<Relationships><Relationship Id=\"r1\" Type=\"" TYPES
                   "worksheet\" Target=\"worksheets/sheet1.xml\"/>"
                   "<Relationship Id=\"r2\" Type=\"" TYPES
                   "sharedStrings\" Target=\"sharedStrings.xml\"/>"
                   "<Relationship Id=\"r3\" Type=\"" TYPES
                   "styles\" Target=\"styles.xml\"/></Relationships>")},
    {SLICE_LITERAL("_rels/.rels"), SLICE_LITERAL("<Relationships><Relationship Type=\"" TYPES
                                                 "officeDocument\" Target=\"xl/workbook.xml\"/>"
                                                 "</Relationships>")},
    {SLICE_LITERAL("[Content_Types].xml"), SLICE_LITERAL("<Types/>")},
};

/* An archive. */

static uint32_t checksum(struct slice text)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < text.len; i++) {
        crc ^= (unsigned char)text.at[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc & 1u) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        }
    }
    return ~crc;
}

static void put(struct buf *out, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        must(buf_append_byte(out, (char)(value >> 8 * i & 0xffu)) == ERR_NONE);
    }
}

static void put_text(struct buf *out, struct slice text)
{
    must(buf_append(out, text) == ERR_NONE);
}

/* What local header and directory share: versions and flags, stored, a date, checksum, sizes. */
static void put_entry(struct buf *out, struct slice name, struct slice text)
{
    put(out, 20, 2);
    put(out, 0, 2);
    put(out, 0, 2);
    put(out, 0x21 << 16, 4);
    put(out, checksum(text), 4);
    put(out, (uint32_t)text.len, 4);
    put(out, (uint32_t)text.len, 4);
    put(out, (uint32_t)name.len, 2);
    put(out, 0, 2);
}

static void put_archive(const struct slice *texts, struct buf *out)
{
    uint32_t places[PARTS];
    for (size_t i = 0; i < PARTS; i++) {
        places[i] = (uint32_t)out->len;
        put_text(out, SLICE("PK\x03\x04"));
        put_entry(out, parts[i].name, texts[i]);
        put_text(out, parts[i].name);
        put_text(out, texts[i]);
    }
    uint32_t directory = (uint32_t)out->len;
    for (size_t i = 0; i < PARTS; i++) {
        put_text(out, SLICE("PK\x01\x02"));
        put(out, 20, 2);
        put_entry(out, parts[i].name, texts[i]);
        put(out, 0, 4);
        put(out, 0, 2);
        put(out, 0, 4);
        put(out, places[i], 4);
        put_text(out, parts[i].name);
    }
    uint32_t length = (uint32_t)out->len - directory;
    put_text(out, SLICE("PK\x05\x06"));
    put(out, 0, 4);
    put(out, PARTS, 2);
    put(out, PARTS, 2);
    put(out, length, 4);
    put(out, directory, 4);
    put(out, 0, 2);
}

static void make_archive(struct slice input, struct buf *out)
{
    struct slice texts[PARTS];
    for (size_t i = 0; i < PARTS; i++) {
        struct slice part = input.at != NULL ? slice_cut(&input, '\x1e') : SLICE_NONE;
        texts[i] = part.len > 0 ? part : parts[i].sound;
    }
    put_archive(texts, out);
}

/* Its rows. */

static void note_row(const struct table_row *row, uint64_t *line, struct buf *seen)
{
    must(row->is_bad == (row->why != NULL) && row->line > *line);
    *line = row->line;
    for (size_t i = 0; i < row->cell_count; i++) {
        must(text_is_utf8(row->cells[i]));
        if (buf_append(seen, row->cells[i]) != ERR_NONE) {
            return; /* enough to compare */
        }
    }
}

static void read_rows(FILE *file, struct buf *seen)
{
    const struct table_reader_config config = {.file_name = SLICE_LITERAL("f.xlsx"),
                                               .column = SLICE_LITERAL("1")};
    struct table_reader *reader = NULL;
    struct table_row row;
    struct fault fault;
    uint64_t line = 0;
    rewind(file);
    enum err e = table_reader_open(&config, file, &reader, &fault);
    while (e == ERR_NONE && (e = table_reader_next(reader, &row, &fault)) == ERR_NONE) {
        note_row(&row, &line, seen);
    }
    must(e == ERR_CLOSED || (e == ERR_SYNTAX && fault.text[0] != '\0'));
    table_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_make((const char *)data, size);
    struct buf archive;
    struct buf first;
    struct buf second;
    buf_init(&archive, ARCHIVE_BYTES_MAX);
    buf_init(&first, ARCHIVE_BYTES_MAX);
    buf_init(&second, ARCHIVE_BYTES_MAX);
    if (xlsx_is_archive(input)) {
        put_text(&archive, input);
    } else {
        make_archive(input, &archive);
    }
    FILE *file = fmemopen(archive.at, archive.len, "r");
    must(file != NULL);
    read_rows(file, &first);
    read_rows(file, &second);
    must(slice_equal(buf_view(&first), buf_view(&second)));
    must(fclose(file) == 0);
    buf_done(&archive);
    buf_done(&first);
    buf_done(&second);
    return 0;
}
