/* engine/outdated: an older answer counts as long as the lists say the same of its address.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/outdated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

enum { CHANGED_AT_MS = 1000 };

#define TEXT(s)                         \
    {                                   \
        .at = (s), .len = sizeof(s) - 1 \
    }

static const struct row {
    const char *name;
    struct slice lists[LIST_COUNT];
    struct slice ascii, disposable_entry, did_you_mean;
    struct record_flags flags;
    int64_t checked_at_ms;
    bool is_outdated;
} rows[] = {
    {"the same",
     {[LIST_FREE] = TEXT("d.example\n")},
     TEXT("a@d.example"),
     .flags = {.is_free = true}},
    {"younger than the lists",
     {[LIST_FREE] = TEXT("d.example\n")},
     TEXT("a@d.example"),
     .checked_at_ms = CHANGED_AT_MS},
    {"free by now", {[LIST_FREE] = TEXT("d.example\n")}, TEXT("a@d.example"), .is_outdated = true},
    {"free no more",
     {[LIST_ROLES] = TEXT("desk\n")},
     TEXT("a@d.example"),
     .flags = {.is_free = true},
     .is_outdated = true},
    {"a role by now", {[LIST_ROLES] = TEXT("desk\n")}, TEXT("desk@d.example"), .is_outdated = true},
    {"disposable by a parent, by now",
     {[LIST_DISPOSABLE] = TEXT("d.example\n")},
     TEXT("a@sub.d.example"),
     .is_outdated = true},
    {"disposable by the same parent",
     {[LIST_DISPOSABLE] = TEXT("d.example\n")},
     TEXT("a@sub.d.example"),
     TEXT("d.example"),
     .flags = {.is_disposable = true}},
    {"disposable by its mail host",
     {[LIST_DISPOSABLE] = TEXT("mx.example\n")},
     TEXT("a@d.example"),
     TEXT("mx.example"),
     .flags = {.is_disposable = true}},
    {"its mail host was taken out",
     {[LIST_FREE] = TEXT("other.example\n")},
     TEXT("a@d.example"),
     TEXT("mx.example"),
     .flags = {.is_disposable = true},
     .is_outdated = true},
    {"something is suggested by now",
     {[LIST_POPULAR] = TEXT("gmail.com\n")},
     TEXT("a@gmial.com"),
     .is_outdated = true},
    {"the same is suggested",
     {[LIST_POPULAR] = TEXT("gmail.com\n")},
     TEXT("a@gmial.com"),
     .did_you_mean = TEXT("a@gmail.com")},
    {"what is no address",
     {[LIST_FREE] = TEXT("d.example\n")},
     TEXT("nonsense"),
     .is_outdated = false},
};

static struct list_shelf *shelf_of(const struct row *row)
{
    struct list_shelf *shelf = NULL;
    struct arena texts;
    struct address_list_source sources[LIST_COUNT];
    struct address_lists *lists = NULL;
    struct fault fault;
    static const struct slice names[LIST_COUNT] = {
        TEXT("disposable.txt"), TEXT("disposable-wildcard.txt"),
        TEXT("free.txt"),       TEXT("popular.txt"),
        TEXT("roles.txt"),      TEXT("tlds.txt")};
    for (size_t i = 0; i < LIST_COUNT; i++) {
        sources[i] = (struct address_list_source){names[i], row->lists[i]};
    }
    arena_init(&texts, 1 << 16);
    must(list_shelf_new(&shelf) == ERR_NONE);
    must(address_lists_load(sources, LIST_COUNT, &lists, &fault) == ERR_NONE);
    must(list_shelf_put(shelf, lists, &texts) == ERR_NONE);
    list_shelf_date(shelf, CHANGED_AT_MS);
    return shelf;
}

static void counts_while_the_lists_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct list_shelf *shelf = shelf_of(row);
        struct list_reader reader = {.shelf = shelf};
        const struct record record = {.ascii = row->ascii,
                                      .disposable_entry = row->disposable_entry,
                                      .did_you_mean = row->did_you_mean,
                                      .flags = row->flags,
                                      .checked_at_ms = row->checked_at_ms};
        if (answer_is_outdated(&reader, &record) != row->is_outdated) {
            fail_msg("%s", row->name);
        }
        list_reader_done(&reader);
        list_shelf_free(shelf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_while_the_lists_agree)};
    return cmocka_run_group_tests_name("engine/outdated", tests, NULL, NULL);
}
