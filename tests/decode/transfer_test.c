/* decode/transfer: what is decoded, however it is cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "split.h"

struct transfer_case {
    const char *name;
    enum transfer_kind kind;
    struct slice input, expected;
};

static void decode(const void *how, struct slice input, size_t first, size_t step, struct buf *out)
{
    const struct transfer_case *c = how;
    struct transfer transfer;
    transfer_init(&transfer, c->kind);
    for (size_t at = 0; at < input.len;) {
        struct slice piece;
        char *copy = split_piece(input, &at, first, step, &piece);
        must(transfer_feed(&transfer, piece, out) == ERR_NONE);
        free(copy);
    }
    must(transfer_end(&transfer, out) == ERR_NONE);
}

/* RFC 2045 6.7, 6.8 */
static void test_transfer(void **state)
{
    (void)state;
#define QP     TRANSFER_QUOTED_PRINTABLE
#define BASE64 TRANSFER_BASE64
    static const struct transfer_case cases[] = {
        {"plain", TRANSFER_PLAIN, SLICE_LITERAL("a=40b"), SLICE_LITERAL("a=40b")},
        {"quoted", QP, SLICE_LITERAL("a=40b=C3=a9."), SLICE_LITERAL("a@b\xc3\xa9.")},
        {"soft breaks", QP, SLICE_LITERAL("jane=\r\n@ex=\nample=2Ecom\r\n"),
         SLICE_LITERAL("jane@example.com\r\n")},
        {"no digits", QP, SLICE_LITERAL("a=b =4g ==40 =\rx =4"),
         SLICE_LITERAL("a=b =4g =@ =\rx =4")},
        {"base64", BASE64, SLICE_LITERAL("amFuZUBleGFtcGxlLmNvbQ=="),
         SLICE_LITERAL("jane@example.com")},
        {"lines", BASE64, SLICE_LITERAL("amFu\r\nZUBl\n eGFt"), SLICE_LITERAL("jane@exam")},
        {"joined", BASE64, SLICE_LITERAL("YQ==YmI=Y2Nj"), SLICE_LITERAL("abbccc")},
        {"for URLs", BASE64, SLICE_LITERAL("-_-_"), SLICE_LITERAL("\xfb\xff\xbf")},
        {"cut", BASE64, SLICE_LITERAL("amFuZ"), SLICE_LITERAL("jan")},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wrong += split_check(cases[i].name, decode, &cases[i], cases[i].input, cases[i].expected);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
