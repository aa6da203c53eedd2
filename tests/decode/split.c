/* SPDX-License-Identifier: Apache-2.0 */
#include "split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

enum { DUMP_BYTES_MAX = 1 << 20 };

char *split_piece(struct slice input, size_t *at, size_t first, size_t step, struct slice *out)
{
    struct slice piece = slice_sub(input, *at, *at == 0 ? first : *at + step);
    char *copy = malloc(piece.len + 1);
    must(copy != NULL);
    memcpy(copy, piece.at, piece.len);
    *at += piece.len;
    *out = slice_make(copy, piece.len);
    return copy;
}

static size_t compare(const char *name, struct buf *out, struct slice expected, size_t first)
{
    if (slice_equal(buf_view(out), expected)) {
        return 0;
    }
    print_message("%s, cut at %zu:\n%.*s\n", name, first, SLICE_ARG(buf_view(out)));
    return 1;
}

size_t split_check(const char *name, split_fn run, const void *how, struct slice input,
                   struct slice expected)
{
    size_t wrong = 0;
    struct buf out;
    buf_init(&out, DUMP_BYTES_MAX);
    for (size_t first = input.len; first > 0 && wrong == 0; first--) {
        buf_clear(&out);
        run(how, input, first, input.len, &out);
        wrong += compare(name, &out, expected, first);
    }
    buf_clear(&out);
    run(how, input, 1, 1, &out);
    wrong += compare(name, &out, expected, 1);
    buf_done(&out);
    return wrong;
}
