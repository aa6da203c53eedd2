/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "engine/table_private.h"

enum {
    READ_BYTES = 65536,
    WINDOW_BYTES_MAX = 16 << 20, /* a sample and a row with what UTF-16 grows by; a safety net */
    LINES_BYTES_MAX = 64 << 20,  /* a line for every two bytes of the window */
    BEGIN_BYTES = 3,             /* an array is known by, without spaces */
    JUDGED_BYTES = 64,           /* the charset is found from */
};

void table_source_init(struct table_source *source, const struct table_reader_config *config,
                       FILE *file)
{
    *source = (struct table_source){
        .file = file,
        .name = config->file_name,
        .read_bytes = config->read_bytes > 0 ? config->read_bytes : READ_BYTES,
        .may_go_on = config->may_go_on,
        .context = config->context,
        .sheet_name = config->sheet,
        .array = {.line = 1, .column = 1},
    };
    buf_init(&source->bytes, WINDOW_BYTES_MAX);
    buf_init(&source->text, WINDOW_BYTES_MAX);
    buf_init(&source->lines, LINES_BYTES_MAX);
}

void table_source_done(struct table_source *source)
{
    xlsx_close(source->sheet);
    buf_done(&source->bytes);
    buf_done(&source->text);
    buf_done(&source->lines);
}

bool table_source_has_lines(const struct table_source *source)
{
    return source->sheet != NULL || source->is_array;
}

uint64_t table_source_take_line(struct table_source *source)
{
    uint64_t line;
    must(source->lines_pos + sizeof line <= source->lines.len);
    memcpy(&line, source->lines.at + source->lines_pos, sizeof line);
    source->lines_pos += sizeof line;
    if (source->lines_pos > source->lines.len / 2) {
        buf_drop_front(&source->lines, source->lines_pos);
        source->lines_pos = 0;
    }
    return line;
}

struct slice table_source_unread(const struct table_source *source)
{
    return slice_sub(buf_view(&source->bytes), source->pos, source->bytes.len);
}

/* Where what is read goes to. */
static struct buf *room_of(struct table_source *source)
{
    return source->is_array ? &source->text : &source->bytes;
}

static enum err append_code(struct buf *out, unsigned code)
{
    char bytes[TEXT_UTF8_BYTES];
    size_t len = text_utf8_write(code, bytes);
    return buf_append(out, slice_make(bytes, len));
}

static unsigned unit_at(const struct table_source *source, const unsigned char *at)
{
    unsigned first = at[0];
    unsigned second = at[1];
    return source->charset == CHARSET_UTF16_LE ? second << 8 | first : first << 8 | second;
}

/* The character at the start of bytes; returns how many bytes it takes, 0: it goes on in the next
 * read. Half a pair becomes the replacement character. */
static size_t next_utf16(const struct table_source *source, const unsigned char *bytes, size_t len,
                         unsigned *out_code)
{
    if (len < 2) {
        return 0;
    }
    unsigned unit = unit_at(source, bytes);
    *out_code = unit;
    if (unit < 0xd800 || unit > 0xdfff) {
        return 2;
    }
    *out_code = TEXT_REPLACEMENT;
    if (unit > 0xdbff) {
        return 2;
    }
    if (len < 4) {
        return 0;
    }
    unsigned low = unit_at(source, bytes + 2);
    if (low < 0xdc00 || low > 0xdfff) {
        return 2;
    }
    *out_code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    return 4;
}

/* What was held from the read before stands in front of bytes. */
static enum err append_utf16(struct table_source *source, const unsigned char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len) {
        unsigned code;
        size_t taken = next_utf16(source, bytes + at, len - at, &code);
        if (taken == 0) {
            break;
        }
        enum err e = append_code(room_of(source), code);
        if (e != ERR_NONE) {
            return e;
        }
        at += taken;
    }
    source->held_len = len - at;
    memcpy(source->held, bytes + at, source->held_len);
    return ERR_NONE;
}

static enum err cannot_read(const struct table_source *source, int os_errno,
                            struct fault *out_fault)
{
    char text[128];
    return fault_set(out_fault, ERR_SYSTEM, os_errno, "cannot read %.*s: %s",
                     SLICE_ARG(source->name), strerror_r(os_errno, text, sizeof text));
}

static enum err out_of_room(enum err e, struct fault *out_fault)
{
    return fault_set(out_fault, e, 0, "%s", e == ERR_LIMIT ? "a row is too long" : "out of memory");
}

/* Reads a block as UTF-8 or an ASCII superset. */
static enum err read_bytes(struct table_source *source, struct fault *out_fault)
{
    if (source->may_go_on != NULL && !source->may_go_on(source->context)) {
        return fault_set(out_fault, ERR_STATE, 0, "stopped");
    }
    unsigned char block[READ_BYTES + sizeof source->held];
    size_t wanted = source->read_bytes < READ_BYTES ? source->read_bytes : READ_BYTES;
    size_t held = source->held_len;
    memcpy(block, source->held, held);
    errno = 0;
    size_t got = fread(block + held, 1, wanted, source->file);
    if (got == 0 && ferror(source->file) != 0) {
        return cannot_read(source, errno, out_fault);
    }
    source->is_at_end = got == 0;
    if (got == 0) {
        bool is_cut = held > 0;
        source->held_len = 0;
        enum err e = is_cut ? append_code(room_of(source), TEXT_REPLACEMENT) : ERR_NONE;
        return e == ERR_NONE ? e : out_of_room(e, out_fault);
    }
    source->held_len = 0;
    enum err e = source->charset == CHARSET_BYTES
                     ? buf_append(room_of(source), slice_make((const char *)block, got))
                     : append_utf16(source, block, held + got);
    return e == ERR_NONE ? e : out_of_room(e, out_fault);
}

static enum err cut_array(struct table_source *source, struct fault *out_fault)
{
    enum err e = table_array_cut(&source->array, source->name, buf_view(&source->text),
                                 &source->bytes, &source->lines, out_fault);
    buf_clear(&source->text);
    return e == ERR_NONE && source->is_at_end
               ? table_array_end(&source->array, source->name, out_fault)
               : e;
}

static enum err read_sheet(struct table_source *source, struct fault *out_fault)
{
    enum err e = xlsx_read(source->sheet, &source->bytes, &source->lines, out_fault);
    source->is_at_end = e == ERR_CLOSED;
    return e == ERR_CLOSED ? ERR_NONE : e;
}

/* Into the window: as it stands, or as rows. */
static enum err read_block(struct table_source *source, struct fault *out_fault)
{
    if (source->sheet != NULL) {
        return read_sheet(source, out_fault);
    }
    enum err e = read_bytes(source, out_fault);
    return e == ERR_NONE && source->is_array ? cut_array(source, out_fault) : e;
}

enum err table_source_more(struct table_source *source, struct fault *out_fault)
{
    if (source->pos > source->bytes.len / 2) {
        buf_drop_front(&source->bytes, source->pos);
        source->pos = 0;
    }
    size_t before = source->bytes.len;
    while (source->bytes.len == before && !source->is_at_end) {
        enum err e = read_block(source, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

/* A mark, or nearly every second byte zero as in unmarked UTF-16 of Western text. */
static enum table_charset judge(struct slice head, size_t *out_mark)
{
    *out_mark = 0;
    if (slice_starts(head, SLICE("\xef\xbb\xbf"))) {
        *out_mark = 3;
        return CHARSET_BYTES;
    }
    if (slice_starts(head, SLICE("\xff\xfe"))) {
        *out_mark = 2;
        return CHARSET_UTF16_LE;
    }
    if (slice_starts(head, SLICE("\xfe\xff"))) {
        *out_mark = 2;
        return CHARSET_UTF16_BE;
    }
    size_t units = (head.len < JUDGED_BYTES ? head.len : JUDGED_BYTES) / 2;
    size_t little = 0;
    size_t big = 0;
    for (size_t i = 0; i < units; i++) {
        bool is_first_zero = head.at[2 * i] == '\0';
        bool is_second_zero = head.at[2 * i + 1] == '\0';
        little += is_second_zero && !is_first_zero ? 1 : 0;
        big += is_first_zero && !is_second_zero ? 1 : 0;
    }
    if (units >= 2 && little * 4 >= units * 3) {
        return CHARSET_UTF16_LE;
    }
    return units >= 2 && big * 4 >= units * 3 ? CHARSET_UTF16_BE : CHARSET_BYTES;
}

/* What came before the charset was known is converted once. */
static enum err settle_charset(struct table_source *source)
{
    size_t mark;
    source->charset = judge(buf_view(&source->bytes), &mark);
    buf_drop_front(&source->bytes, mark);
    if (source->charset == CHARSET_BYTES) {
        return ERR_NONE;
    }
    struct buf first = source->bytes;
    buf_init(&source->bytes, WINDOW_BYTES_MAX);
    enum err e = append_utf16(source, (const unsigned char *)first.at, first.len);
    buf_done(&first);
    if (e == ERR_NONE && source->is_at_end && source->held_len > 0) {
        source->held_len = 0;
        e = append_code(&source->bytes, TEXT_REPLACEMENT);
    }
    return e;
}

static enum err fill(struct table_source *source, size_t wanted, struct fault *out_fault)
{
    enum err e = ERR_NONE;
    while (e == ERR_NONE && source->bytes.len < wanted && !source->is_at_end) {
        e = table_source_more(source, out_fault);
    }
    return e;
}

/* The sheet's rows take the place of the file's bytes. The line in front says what parts the cells. */
static enum err begin_sheet(struct table_source *source, struct fault *out_fault)
{
    const struct xlsx_config config = {
        .file_name = source->name,
        .sheet = source->sheet_name,
        .row_bytes_max = TABLE_ROW_BYTES_MAX,
        .may_go_on = source->may_go_on,
        .context = source->context,
    };
    enum err e = xlsx_open(&config, source->file, &source->sheet, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    buf_clear(&source->bytes);
    source->is_at_end = false;
    e = buf_append(&source->bytes, SLICE("sep=,\n"));
    return e == ERR_NONE ? e : out_of_room(e, out_fault);
}

/* What came before it was known as an array is cut once. */
static enum err begin_array(struct table_source *source, struct fault *out_fault)
{
    enum err e = ERR_NONE;
    while (e == ERR_NONE && slice_trim(buf_view(&source->bytes)).len < BEGIN_BYTES &&
           source->bytes.len < TABLE_SAMPLE_BYTES && !source->is_at_end) {
        e = table_source_more(source, out_fault);
    }
    source->is_array = e == ERR_NONE && table_array_looks_like(buf_view(&source->bytes));
    if (!source->is_array) {
        return e;
    }
    struct buf first = source->bytes;
    source->bytes = source->text;
    source->text = first;
    return cut_array(source, out_fault);
}

enum err table_source_begin(struct table_source *source, struct fault *out_fault)
{
    enum err e = fill(source, JUDGED_BYTES, out_fault);
    if (e == ERR_NONE && xlsx_is_archive(buf_view(&source->bytes))) {
        e = begin_sheet(source, out_fault);
    } else if (e == ERR_NONE && source->bytes.len > 0) {
        e = settle_charset(source);
        e = e == ERR_NONE ? begin_array(source, out_fault) : out_of_room(e, out_fault);
    }
    return e == ERR_NONE ? fill(source, TABLE_SAMPLE_BYTES, out_fault) : e;
}

/* 0x80 to 0x9f; those that Windows leaves open are the C1 controls, as browsers have it. */
static const unsigned short windows_1252[32] = {
    0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
    0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
};

enum err table_to_utf8(struct slice text, struct buf *scratch, struct slice *out)
{
    if (text_is_utf8(text)) {
        *out = text;
        return ERR_NONE;
    }
    buf_clear(scratch);
    for (size_t i = 0; i < text.len; i++) {
        unsigned byte = (unsigned char)text.at[i];
        enum err e =
            append_code(scratch, byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte);
        if (e != ERR_NONE) {
            return e;
        }
    }
    *out = buf_view(scratch);
    return ERR_NONE;
}
