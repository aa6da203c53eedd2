/* engine/sentence: every sub-status and kind of block has a sentence of its own, in the same style.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/sentence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

enum { SENTENCE_BYTES_MAX = 100 };

/* One line of printable ASCII, no capital in front but for names, no full stop at the end. */
static void check_style(const char *sentence)
{
    size_t len = strlen(sentence);
    assert_in_range(len, 10, SENTENCE_BYTES_MAX);
    for (size_t i = 0; i < len; i++) {
        assert_true(sentence[i] >= 0x20 && sentence[i] < 0x7f);
    }
    bool is_capital = sentence[0] >= 'A' && sentence[0] <= 'Z';
    assert_true(!is_capital || slice_starts(slice_of(sentence), SLICE("DNS ")));
    assert_int_not_equal(sentence[len - 1], '.');
    assert_null(strchr(sentence, '_'));
}

static void test_sub_statuses(void **state)
{
    (void)state;
    for (int sub = 0; sub < SUB_COUNT; sub++) {
        const char *sentence = sentence_of((enum verdict_sub)sub);
        assert_non_null(sentence);
        check_style(sentence);
        for (int other = 0; other < sub; other++) {
            assert_string_not_equal(sentence, sentence_of((enum verdict_sub)other));
        }
    }
}

static void test_blocks(void **state)
{
    (void)state;
    assert_string_equal(sentence_of_block(BLOCK_NONE), "");
    for (int kind = BLOCK_NONE + 1; kind <= BLOCK_GEO; kind++) {
        const char *sentence = sentence_of_block((enum block_kind)kind);
        check_style(sentence);
        for (int other = BLOCK_NONE; other < kind; other++) {
            assert_string_not_equal(sentence, sentence_of_block((enum block_kind)other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sub_statuses),
        cmocka_unit_test(test_blocks),
    };
    return cmocka_run_group_tests_name("engine/sentence", tests, NULL, NULL);
}
