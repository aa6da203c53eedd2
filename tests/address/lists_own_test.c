/* The user's own entries over a list: added, taken out, at its ends, in any order; what is refused; every allocation.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../base/fail_alloc.h"
#include "address/lists_private.h"
#include "base/slice.h"

static enum err load(const char *base, const char *own, struct address_lists **out,
                     struct fault *out_fault)
{
    const struct address_list_source sources[] = {
        {SLICE("own/disposable.own"), slice_of(own)}, /* before what it is merged into */
        {SLICE("disposable.txt"), slice_of(base)},
    };
    return address_lists_load(sources, 2, out, out_fault);
}

static void merged(void **state)
{
    (void)state;
    static const struct {
        const char *base, *own, *wanted;
    } rows[] = {
        {"b.x\nd.x\n", "", "b.x\nd.x\n"},
        {"b.x\nd.x\n", "# a comment\n\n  c.x \r\n", "b.x\nc.x\nd.x\n"},
        {"b.x\nd.x\n", "e.x\na.x\n", "a.x\nb.x\nd.x\ne.x\n"},
        {"b.x\nd.x", "e.x", "b.x\nd.x\ne.x\n"},
        {"b.x\nd.x", "!d.x\n", "b.x\n"},
        {"b.x\nd.x\n", "!b.x\n", "d.x\n"},
        {"b.x\nd.x\n", "!d.x\n!b.x\n", ""},
        {"b.x\nd.x\n", "b.x\nb.x\nd.x\n", "b.x\nd.x\n"},
        {"b.x\nd.x\n", "!c.x\nc.x.y\nc.x.y\n", "b.x\nc.x.y\nd.x\n"},
        {"# head\nd.x\nb.x\n", "c.x\n!d.x\n", "b.x\nc.x\n"},
        {"", "a.x\n!b.x\n", "a.x\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address_lists *lists = NULL;
        assert_int_equal(load(rows[i].base, rows[i].own, &lists, NULL), ERR_NONE);
        struct slice text = lists->lists[LIST_DISPOSABLE].text;
        if (!slice_equal(text, slice_of(rows[i].wanted))) {
            fail_msg("row %zu: %.*s", i, SLICE_ARG(text));
        }
        size_t lines = 0;
        for (const char *c = rows[i].wanted; *c != '\0'; c++) {
            lines += *c == '\n' ? 1 : 0;
        }
        assert_int_equal(list_count(lists, LIST_DISPOSABLE), lines);
        address_lists_free(lists);
    }
}

static void matched(void **state)
{
    (void)state;
    static const struct {
        const char *word, *entry;
        bool is_exception;
    } rows[] = {
        {"bad.example", "bad.example", false},
        {"sub.bad.example", "bad.example", false},
        {"good.bad.example", "good.bad.example", true},
        {"sub.good.bad.example", "good.bad.example", true},
        {"worse.good.bad.example", "worse.good.bad.example", false},
        {"mine.example", "mine.example", false},
        {"other.example", NULL, false},
        {"example", NULL, false},
        {"", NULL, false},
    };
    struct address_lists *lists = NULL;
    assert_int_equal(load("bad.example\n",
                          "!good.bad.example\nworse.good.bad.example\nmine.example\n", &lists,
                          NULL),
                     ERR_NONE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct list_match match = {.entry = SLICE_NONE};
        struct domain_flags flags;
        bool is_matched = list_match(lists, LIST_DISPOSABLE, slice_of(rows[i].word), &match);
        assert_int_equal(is_matched, rows[i].entry != NULL);
        assert_true(slice_equal(match.entry, slice_of(rows[i].entry)));
        assert_int_equal(match.is_exception, rows[i].is_exception);
        domain_flags(lists, slice_of(rows[i].word), NULL, 0, &flags);
        assert_int_equal(flags.is_disposable, is_matched && !match.is_exception);
    }
    address_lists_free(lists);
}

/* What the user took out is not disposable for being hosted by one that is. */
static void hosts_of_exceptions(void **state)
{
    (void)state;
    struct address_lists *lists = NULL;
    struct domain_flags flags;
    const struct slice host = SLICE("mx.bad.example");
    assert_int_equal(load("bad.example\n", "!mine.example\n", &lists, NULL), ERR_NONE);
    domain_flags(lists, SLICE("other.example"), &host, 1, &flags);
    assert_true(flags.is_disposable);
    domain_flags(lists, SLICE("sub.mine.example"), &host, 1, &flags);
    assert_false(flags.is_disposable);
    address_lists_free(lists);
}

enum { LONG_ENTRIES = 6000, LONG_BYTES = LONG_ENTRIES * 24 };

/* Long enough for an index, with many entries that begin alike: each is found, and what would stand before, between and
 * behind them is not. */
static void a_long_list(void **state)
{
    (void)state;
    static char text[LONG_BYTES];
    size_t len = 0;
    for (int i = 0; i < LONG_ENTRIES; i++) {
        const char *front = i < 2000 ? "a" : i < 4000 ? "same-begin-" : "z";
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%04d.x\n", front, i);
    }
    struct address_lists *lists = NULL;
    assert_int_equal(load(text, "m.x\n!a0007.x\n", &lists, NULL), ERR_NONE);
    const struct list *list = &lists->lists[LIST_DISPOSABLE];
    assert_non_null(list->index);
    struct slice rest = slice_make(text, len);
    while (rest.len > 0) {
        struct slice entry = slice_sub(rest, 0, slice_find_byte(rest, '\n', 0));
        char beside[64];
        (void)snprintf(beside, sizeof beside, "%.*s0", SLICE_ARG(entry));
        bool is_removed = slice_equal(entry, SLICE("a0007.x"));
        assert_int_equal(list_find(list, entry).len, is_removed ? 0 : entry.len);
        assert_int_equal(list_find(list, slice_of(beside)).len, 0);
        rest = slice_sub(rest, entry.len + 1, rest.len);
    }
    static const char *const others[] = {"", "0", "a", "b", "same-beg", "same-begin-", "zz", "~"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(list_find(list, slice_of(others[i])).len, 0);
    }
    assert_int_equal(list_find(list, SLICE("m.x")).len, 3);
    address_lists_free(lists);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *own, *fault;
    } rows[] = {
        {"a.x\nB.x\n", "own/disposable.own:2: not one lower-case entry"},
        {"!!a.x\n", "own/disposable.own:1: not one lower-case entry"},
        {"!\n", "own/disposable.own:1: not one lower-case entry"},
        {"a b\n", "own/disposable.own:1: not one lower-case entry"},
        {"b.x\na.x\n!a.x\n", "own/disposable.own: 'a.x' stands there with '!' and without"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address_lists *lists = NULL;
        struct fault fault;
        assert_int_equal(load("z.x\n", rows[i].own, &lists, &fault), ERR_SYNTAX);
        assert_memory_equal(fault.text, rows[i].fault, strlen(rows[i].fault));
    }
    struct address_lists *lists = NULL;
    struct fault fault;
    const struct address_list_source unknown = {SLICE("nonsense.own"), SLICE("")};
    assert_int_equal(address_lists_load(&unknown, 1, &lists, &fault), ERR_SYNTAX);
}

static void every_allocation(void **state)
{
    (void)state;
    for (size_t number = 1;; number++) {
        struct address_lists *lists = NULL;
        fail_alloc_at(number);
        enum err e = load("d.x\nb.x\n", "c.x\n!d.x\na.x\n", &lists, NULL);
        bool has_failed = fail_alloc_happened();
        if (e == ERR_NONE) {
            address_lists_free(lists);
        }
        assert_int_equal(fail_alloc_end(), 0);
        assert_int_equal(e, has_failed ? ERR_NOMEM : ERR_NONE);
        if (!has_failed) {
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged),           cmocka_unit_test(matched),
        cmocka_unit_test(refused),          cmocka_unit_test(hosts_of_exceptions),
        cmocka_unit_test(every_allocation), cmocka_unit_test(a_long_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
