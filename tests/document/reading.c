/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "../decode/split.h"

enum { OUT_BYTES_MAX = 1 << 20, PIECE_BYTES = 4096 };

static struct address_lists *lists;

struct sink {
    const struct reading *reading;
    struct buf *out;
    unsigned questions;
};

int reading_lists_open(void **state)
{
    (void)state;
    static const struct address_list_source source = {SLICE_LITERAL("tlds.txt"),
                                                      SLICE_LITERAL("com\norg\nde\n")};
    struct fault fault;
    must(address_lists_load(&source, 1, &lists, &fault) == ERR_NONE);
    return 0;
}

const struct address_lists *reading_lists(void)
{
    return lists;
}

int reading_lists_close(void **state)
{
    (void)state;
    address_lists_free(lists);
    lists = NULL;
    return 0;
}

static enum err found(void *context, const struct extract_found *found,
                      const struct document_place *place)
{
    struct sink *sink = context;
    enum err e = buf_printf(sink->out, "%.*s (%.*s%s", SLICE_ARG(found->text),
                            SLICE_ARG(place->member), place->member.len > 0 ? ", " : "");
    must(e == ERR_NONE);
    unsigned long long number = place->number;
    switch (place->unit) {
    case DOCUMENT_LINE: e = buf_printf(sink->out, "line %llu)\n", number); break;
    case DOCUMENT_PAGE: e = buf_printf(sink->out, "page %llu)\n", number); break;
    case DOCUMENT_CELL:
        e = buf_printf(sink->out, "row %llu, column %llu)\n", number,
                       (unsigned long long)place->column);
        break;
    }
    must(e == ERR_NONE);
    return sink->reading->found_err;
}

static void trouble(void *context, const char *text)
{
    must(buf_printf(((struct sink *)context)->out, "! %s\n", text) == ERR_NONE);
}

static bool may_go_on(void *context)
{
    struct sink *sink = context;
    return ++sink->questions != sink->reading->stops_at;
}

static struct document *open_document(struct sink *sink, int fd)
{
    const struct document_config config = {
        .lists = lists,
        .wants_obfuscated = sink->reading->wants_obfuscated,
        .wants_hidden = sink->reading->wants_hidden,
        .limits = sink->reading->limits,
        .fd = fd,
        .found = found,
        .trouble = trouble,
        .may_go_on = may_go_on,
        .context = sink,
    };
    struct document *document = NULL;
    must(document_open(&config, &document) == ERR_NONE);
    return document;
}

enum err reading_run(const struct reading *reading, struct slice input, size_t first, size_t step,
                     struct buf *out)
{
    struct sink sink = {.reading = reading, .out = out};
    struct document *document = open_document(&sink, -1);
    enum err e = ERR_NONE;
    for (size_t at = 0; at < input.len && e == ERR_NONE;) {
        struct slice piece;
        char *copy = split_piece(input, &at, first, step, &piece);
        e = document_feed(document, piece);
        free(copy);
    }
    e = e == ERR_NONE ? document_end(document) : e;
    document_close(document);
    return e;
}

enum err reading_run_file(const struct reading *reading, int fd, struct buf *out)
{
    struct sink sink = {.reading = reading, .out = out};
    struct document *document = open_document(&sink, fd);
    enum err e = ERR_NONE;
    char piece[PIECE_BYTES];
    must(lseek(fd, 0, SEEK_SET) == 0);
    while (e == ERR_NONE && document_wants_bytes(document)) {
        ssize_t got = read(fd, piece, sizeof piece);
        must(got >= 0);
        if (got == 0) {
            break;
        }
        e = document_feed(document, slice_make(piece, (size_t)got));
    }
    e = e == ERR_NONE ? document_end(document) : e;
    document_close(document);
    return e;
}

static void run(const void *how, struct slice input, size_t first, size_t step, struct buf *out)
{
    enum err e = reading_run(how, input, first, step, out);
    if (e != ERR_NONE) {
        must(buf_printf(out, "error %d\n", (int)e) == ERR_NONE);
    }
}

size_t reading_check(const char *name, const struct reading *reading, struct slice input,
                     const char *expected)
{
    return split_check(name, run, reading, input, slice_of(expected));
}

size_t reading_check_large(const char *name, const struct reading *reading, struct slice input,
                           const char *expected)
{
    static const size_t steps[] = {SIZE_MAX / 2, 1, 511, 4097};
    size_t wrong = 0;
    struct buf out;
    buf_init(&out, OUT_BYTES_MAX);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        buf_clear(&out);
        run(reading, input, steps[i], steps[i], &out);
        if (!slice_equal(buf_view(&out), slice_of(expected))) {
            print_message("%s, in steps of %zu:\n%.*s\n", name, steps[i],
                          SLICE_ARG(buf_view(&out)));
            wrong++;
        }
    }
    buf_done(&out);
    return wrong;
}

void reading_check_all(const struct reading_case *cases, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        wrong += reading_check(cases[i].name, &cases[i].reading, cases[i].input, cases[i].expected);
    }
    assert_int_equal(wrong, 0);
}
