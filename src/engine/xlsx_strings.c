/* engine/xlsx_strings: the shared texts of a workbook, in a temporary file: each with its length in front. Where every
 * thirty-second begins is kept in memory, and some blocks of the file, since cells ask for texts nearly in the order in
 * which they stand there.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "engine/xlsx_private.h"

enum {
    STRIDE = 32,
    INDEX_BYTES_MAX = 64 << 20, /* for 268 million texts */
    PENDING_BYTES = 65536,
    BLOCK_BYTES = 16384,
    BLOCKS = 64,
    LENGTH_BYTES = 4,
    ESCAPE_BYTES = 7, /* _xHHHH_ */
};
#define SPILL_BYTES_MAX (UINT64_C(8) << 30)

/* Writing. */

struct walk {
    struct xlsx_strings *strings;
    struct buf text;
    bool is_in_item, takes_text, is_phonetic;
    int os_errno; /* of the temporary file */
};

static enum err flush(struct walk *walk)
{
    struct xlsx_strings *strings = walk->strings;
    struct buf *pending = &strings->pending;
    errno = 0;
    if (pending->len > 0 && fwrite(pending->at, 1, pending->len, strings->spill) != pending->len) {
        walk->os_errno = errno;
        return ERR_SYSTEM;
    }
    buf_clear(pending);
    return ERR_NONE;
}

static enum err put_text(struct walk *walk, struct slice text)
{
    struct xlsx_strings *strings = walk->strings;
    uint32_t len = (uint32_t)text.len;
    enum err e = ERR_NONE;
    if (strings->count % STRIDE == 0) {
        e = buf_append(&strings->index,
                       slice_make((const char *)&strings->bytes, sizeof strings->bytes));
    }
    if (strings->pending.len + text.len + LENGTH_BYTES > PENDING_BYTES) {
        e = e == ERR_NONE ? flush(walk) : e;
    }
    e = e == ERR_NONE ? buf_append(&strings->pending, slice_make((const char *)&len, sizeof len))
                      : e;
    e = e == ERR_NONE ? buf_append(&strings->pending, text) : e;
    strings->count++;
    strings->bytes += LENGTH_BYTES + text.len;
    return e == ERR_NONE && strings->bytes > SPILL_BYTES_MAX ? ERR_LIMIT : e;
}

/* Of an item: its text, or those of its runs; how it is pronounced (rPh) is no part of it. */
static enum err begin_item(void *context, const char *name, const char **attributes)
{
    (void)attributes;
    struct walk *walk = context;
    if (strcmp(name, "si") == 0) {
        buf_clear(&walk->text);
        walk->is_in_item = true;
    } else if (strcmp(name, "rPh") == 0) {
        walk->is_phonetic = true;
    } else if (strcmp(name, "t") == 0) {
        walk->takes_text = walk->is_in_item && !walk->is_phonetic;
    }
    return ERR_NONE;
}

static enum err end_item(void *context, const char *name)
{
    struct walk *walk = context;
    if (strcmp(name, "t") == 0) {
        walk->takes_text = false;
    } else if (strcmp(name, "rPh") == 0) {
        walk->is_phonetic = false;
    } else if (strcmp(name, "si") == 0) {
        walk->is_in_item = false;
        walk->text.len = xlsx_unescape(walk->text.at, walk->text.len);
        return put_text(walk, buf_view(&walk->text));
    }
    return ERR_NONE;
}

/* What is longer than a row may be is cut there: its row will be told to be too long. */
static enum err take_text(void *context, struct slice text)
{
    struct walk *walk = context;
    size_t room = walk->text.max - walk->text.len;
    return walk->takes_text ? buf_append(&walk->text, slice_sub(text, 0, room)) : ERR_NONE;
}

static enum err why_not(const struct walk *walk, enum err e, struct fault *out_fault)
{
    char text[128];
    if (e == ERR_LIMIT) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "%.*s holds more text than a list can; save it as CSV",
                         SLICE_ARG(walk->strings->config->file_name));
    }
    return fault_set(out_fault, e, walk->os_errno, "cannot write a temporary file: %s",
                     strerror_r(walk->os_errno, text, sizeof text));
}

static enum err read_items(struct xlsx_zip *zip, const char *part_name, struct walk *walk,
                           struct fault *out_fault)
{
    static const struct xlsx_xml_events events = {begin_item, end_item, take_text};
    struct fault fault = {.err = ERR_NONE};
    enum err e = xlsx_xml_read(zip, part_name, &events, walk, &fault);
    e = e == ERR_NONE ? flush(walk) : e;
    if (e == ERR_NONE && fflush(walk->strings->spill) != 0) {
        walk->os_errno = errno;
        e = ERR_SYSTEM;
    }
    bool is_told = fault.text[0] != '\0';
    if (e != ERR_NONE && !is_told) {
        return why_not(walk, e, out_fault);
    }
    if (e != ERR_NONE) {
        *out_fault = fault;
    }
    return e;
}

enum err xlsx_strings_read(struct xlsx_zip *zip, const char *part_name, struct xlsx_strings *out,
                           struct fault *out_fault)
{
    out->config = zip->config;
    buf_init(&out->index, INDEX_BYTES_MAX);
    buf_init(&out->pending, PENDING_BYTES + LENGTH_BYTES + zip->config->row_bytes_max + 1);
    out->blocks = malloc((size_t)BLOCKS * BLOCK_BYTES);
    out->block_numbers = calloc(BLOCKS, sizeof *out->block_numbers);
    if (out->blocks == NULL || out->block_numbers == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    errno = 0;
    out->spill = tmpfile();
    struct walk walk = {.strings = out, .os_errno = errno};
    if (out->spill == NULL) {
        return why_not(&walk, ERR_SYSTEM, out_fault);
    }
    buf_init(&walk.text, zip->config->row_bytes_max + 1);
    enum err e = read_items(zip, part_name, &walk, out_fault);
    buf_done(&walk.text);
    buf_done(&out->pending);
    return e;
}

void xlsx_strings_done(struct xlsx_strings *strings)
{
    if (strings->spill != NULL) {
        (void)fclose(strings->spill);
    }
    buf_done(&strings->index);
    buf_done(&strings->pending);
    free(strings->blocks);
    free(strings->block_numbers);
    *strings = (struct xlsx_strings){.config = strings->config};
}

/* Finding. */

static enum err cannot_read(int os_errno, struct fault *out_fault)
{
    char text[128];
    return fault_set(out_fault, ERR_SYSTEM, os_errno, "cannot read a temporary file: %s",
                     strerror_r(os_errno, text, sizeof text));
}

/* The block with that byte of the file, and from there to the block's end. */
static enum err find_block(struct xlsx_strings *strings, uint64_t at, struct slice *out,
                           struct fault *out_fault)
{
    uint64_t number = at / BLOCK_BYTES;
    size_t place = (size_t)(number % BLOCKS);
    unsigned char *block = strings->blocks + place * BLOCK_BYTES;
    uint64_t begin = number * BLOCK_BYTES;
    size_t len = strings->bytes - begin < BLOCK_BYTES ? (size_t)(strings->bytes - begin)
                                                      : (size_t)BLOCK_BYTES;
    if (strings->block_numbers[place] != number + 1) {
        strings->block_numbers[place] = 0;
        errno = 0;
        ssize_t got = pread(fileno(strings->spill), block, len, (off_t)begin);
        if (got != (ssize_t)len) {
            return cannot_read(errno, out_fault);
        }
        strings->block_numbers[place] = number + 1;
    }
    size_t from = (size_t)(at - begin);
    *out = slice_make((const char *)block + from, len - from);
    return ERR_NONE;
}

/* len bytes of the file from *at on; *at moves behind them. to NULL: into *out. */
static enum err take(struct xlsx_strings *strings, uint64_t *at, size_t len, char *to,
                     struct buf *out, struct fault *out_fault)
{
    while (len > 0) {
        struct slice block = SLICE_NONE;
        enum err e = find_block(strings, *at, &block, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
        size_t taken = len < block.len ? len : block.len;
        if (to != NULL) {
            memcpy(to, block.at, taken);
            to += taken;
        } else if ((e = buf_append(out, slice_sub(block, 0, taken))) != ERR_NONE) {
            return fault_set(out_fault, e, 0, "out of memory");
        }
        *at += taken;
        len -= taken;
    }
    return ERR_NONE;
}

static enum err take_length(struct xlsx_strings *strings, uint64_t *at, uint32_t *out,
                            struct fault *out_fault)
{
    return take(strings, at, sizeof *out, (char *)out, NULL, out_fault);
}

enum err xlsx_strings_find(struct xlsx_strings *strings, uint64_t number, struct buf *out,
                           bool *out_is_found, struct fault *out_fault)
{
    *out_is_found = number < strings->count;
    if (!*out_is_found) {
        return ERR_NONE;
    }
    uint64_t at = strings->walked_at;
    uint64_t here = strings->walked;
    if (number < here || number / STRIDE != here / STRIDE) {
        here = number / STRIDE * STRIDE;
        memcpy(&at, strings->index.at + number / STRIDE * sizeof at, sizeof at);
    }
    uint32_t len = 0;
    for (;; here++) {
        enum err e = take_length(strings, &at, &len, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
        if (here == number) {
            break;
        }
        at += len;
    }
    enum err e = take(strings, &at, len, NULL, out, out_fault);
    strings->walked = number + 1;
    strings->walked_at = at;
    return e;
}

/* Escapes. */

static bool hex_of(char c, unsigned *out)
{
    char lower = ascii_lower(c);
    bool is_letter = lower >= 'a' && lower <= 'f';
    *out = is_letter ? (unsigned)(lower - 'a') + 10 : (unsigned)(c - '0');
    return is_letter || ascii_is_digit(c);
}

/* Control characters and '_' itself are written so; what else is, stays. */
static bool escape_at(struct slice text, size_t at, char *out)
{
    if (text.len - at < ESCAPE_BYTES || text.at[at] != '_' || text.at[at + 1] != 'x' ||
        text.at[at + 6] != '_') {
        return false;
    }
    unsigned code = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        unsigned digit;
        if (!hex_of(text.at[i], &digit)) {
            return false;
        }
        code = code << 4 | digit;
    }
    *out = (char)code;
    return code > 0 && code < 0x80;
}

size_t xlsx_unescape(char *text, size_t len)
{
    size_t to = 0;
    for (size_t at = 0; at < len;) {
        char c;
        bool is_escape = escape_at(slice_make(text, len), at, &c);
        text[to++] = is_escape ? c : text[at];
        at += is_escape ? ESCAPE_BYTES : 1;
    }
    return to;
}
