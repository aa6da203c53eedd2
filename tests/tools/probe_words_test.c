/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static const struct {
    uint16_t code;
    struct hel_enhanced enhanced;
    const char *words;
} cases[] = {
    {550, {5, 1, 1}, "5.1.1: there is no such mailbox, for good"},
    {452, {4, 2, 2}, "4.2.2: the mailbox is full, temporarily"},
    {250, {2, 0, 0}, "250: done"},
    {550, {0, 0, 0}, "550: refused: no such mailbox, or policy"},
    {599, {5, 999, 999}, "599: for good"},
    {499, {0, 0, 0}, "499: temporarily"},
};

static void replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char room[PROBE_WORDS_BYTES];
        assert_string_equal(probe_words_reply(cases[i].code, cases[i].enhanced, room),
                            cases[i].words);
    }
}

static void extensions(void **state)
{
    (void)state;
    assert_non_null(probe_words_extension(SLICE("size 1000")));
    assert_non_null(probe_words_extension(SLICE("AUTH=LOGIN")));
    assert_null(probe_words_extension(SLICE("X-OWN")));
    assert_null(probe_words_extension(SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
