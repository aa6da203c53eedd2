/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "address/lists_private.h"
#include "base/slice.h"

enum { ENTRIES = 130000, STRANGERS = 100000, WORD_BYTES = 64, LEN_MAX = 40 };

static struct list_filter filter;

static struct slice word_of(unsigned number, const char *top, char out[WORD_BYTES])
{
    int len = snprintf(out, WORD_BYTES, "mail%u.%s", number, top);
    assert_true(len > 0 && len < WORD_BYTES);
    return slice_make(out, (size_t)len);
}

/* Filled as the shipped lists fill it, it lets few others through. */
static void knows_all_that_it_has(void **state)
{
    (void)state;
    char room[WORD_BYTES];
    unsigned strangers = 0;
    memset(&filter, 0, sizeof filter);
    for (unsigned i = 0; i < ENTRIES; i++) {
        list_filter_add(&filter, word_of(i, "example", room));
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        assert_true(list_filter_may_have(&filter, word_of(i, "example", room)));
    }
    for (unsigned i = 0; i < STRANGERS; i++) {
        strangers += list_filter_may_have(&filter, word_of(i, "test", room)) ? 1 : 0;
    }
    assert_true(strangers < STRANGERS / 10);
}

/* Words of every length: both ends and the length are looked at, and nothing beyond the word. */
static void tells_words_of_any_length(void **state)
{
    (void)state;
    char word[LEN_MAX + 1];
    for (size_t len = 0; len <= LEN_MAX; len++) {
        memset(&filter, 0, sizeof filter);
        memset(word, 'a', sizeof word);
        list_filter_add(&filter, slice_make(word, len));
        word[len] = 'b';
        assert_true(list_filter_may_have(&filter, slice_make(word, len)));
        assert_false(list_filter_may_have(&filter, slice_make(word, len + 1)));
        if (len > 0) {
            word[0] = 'c';
            assert_false(list_filter_may_have(&filter, slice_make(word, len)));
            word[0] = 'a';
            word[len - 1] = 'c';
            assert_false(list_filter_may_have(&filter, slice_make(word, len)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_all_that_it_has),
        cmocka_unit_test(tells_words_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
