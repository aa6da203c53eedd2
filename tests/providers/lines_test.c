/* providers/lines: how a line is split into words, what they say, and where they stand.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

enum { ARENA_BYTES = 1 << 20 };

static const struct {
    const char *line;
    const char
        *words; /* each after its kind: b, q or p, and before a '|'; NULL: it cannot be split */
} rows[] = {
    {"one two", "bone|btwo|"},
    {"  one\t two  \r", "bone|btwo|"},
    {"one two # three", "bone|btwo|"},
    {"one#two", "bone#two|"},
    {"# one", ""},
    {"", ""},
    {" \t ", ""},
    {"\x01one", "b\x01one|"},
    {"\xc3\xa4 \xff", "b\xc3\xa4|b\xff|"},
    {"a \"b c\" d", "ba|qb c|bd|"},
    {"a \"\"", "ba|q|"},
    {"a \"b\"c", "ba|qb|bc|"},
    {"a \"b\\\"c\" d", "ba|qb\"c|bd|"},
    {"a \"b\\\\\" d", "ba|qb\\|bd|"},
    {"a \"b\\nc\"", "ba|qb\nc|"},
    {"a \"b\\\\nc\"", "ba|qb\\nc|"},
    {"a \"b\\\"\\\"\"", "ba|qb\"\"|"},
    {"a /b\\/c d/ e", "ba|pb\\/c d|be|"},
    {"a /b\\\\/", "ba|pb\\\\|"},
    {"a b/c \"d/\"", "ba|bb/c|qd/|"},
    {"a \"b", NULL},
    {"a \"b\\\"", NULL},
    {"a \"b\\", NULL},
    {"a \"", NULL},
    {"a /b", NULL},
    {"a /b\\/", NULL},
};

static void write_words(const struct lines *lines, struct arena *arena, char *out, size_t room)
{
    static const char kinds[] = {[WORD_BARE] = 'b', [WORD_QUOTED] = 'q', [WORD_PATTERN] = 'p'};
    size_t len = 0;
    for (size_t i = 0; i < lines->count; i++) {
        struct slice text;
        assert_int_equal(word_copy(arena, &lines->words[i], &text), ERR_NONE);
        assert_int_equal(text.at[text.len], '\0');
        int n = snprintf(out + len, room - len, "%c%.*s|", kinds[lines->words[i].kind],
                         SLICE_ARG(text));
        assert_true(n > 0 && (size_t)n < room - len);
        len += (size_t)n;
    }
}

static void splits(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lines lines;
        struct fault fault;
        char words[128] = "";
        lines_init(&lines, SLICE("a.conf"), slice_of(rows[i].line));
        enum err e = lines_next(&lines, &fault);
        if (rows[i].words == NULL) {
            assert_int_equal(e, ERR_SYNTAX);
            assert_non_null(strstr(fault.text, "a.conf:1: no closing"));
            continue;
        }
        write_words(&lines, &arena, words, sizeof words);
        assert_string_equal(words, rows[i].words);
        assert_int_equal(e, rows[i].words[0] == '\0' ? ERR_CLOSED : ERR_NONE);
    }
    arena_done(&arena);
}

/* Whatever the number of digits; of a long name its beginning. */
static void tells_where(void **state)
{
    (void)state;
    enum { LINES = 12345, NAME_BYTES_SHOWN = 100 };
    static char text[2 * LINES + 1];
    static char name[NAME_BYTES_SHOWN + 20];
    for (size_t i = 0; i < LINES; i++) {
        memcpy(text + 2 * i, "a\n", 2);
    }
    memset(name, 'n', sizeof name);
    struct arena arena;
    struct lines lines;
    struct fault fault;
    arena_init(&arena, 4 * ARENA_BYTES);
    lines_init(&lines, slice_make(name, sizeof name), slice_of(text));
    for (unsigned number = 1; number <= LINES; number++) {
        char wanted[NAME_BYTES_SHOWN + 16];
        struct slice where;
        assert_int_equal(lines_next(&lines, &fault), ERR_NONE);
        assert_int_equal(lines_where(&lines, &arena, &where), ERR_NONE);
        (void)snprintf(wanted, sizeof wanted, "%.*s:%u", NAME_BYTES_SHOWN, name, number);
        assert_string_equal(where.at, wanted);
        assert_int_equal(where.len, strlen(wanted));
    }
    assert_int_equal(lines_next(&lines, &fault), ERR_CLOSED);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(tells_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
