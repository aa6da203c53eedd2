/* SPDX-License-Identifier: Apache-2.0 */
#include "load_lists.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "address_case.h"

enum { FILES = 6, FILE_BYTES_MAX = 1 << 23 };

static const char *const names[FILES] = {"disposable.txt", "disposable-wildcard.txt",
                                         "free.txt",       "popular.txt",
                                         "roles.txt",      "tlds.txt"};
static char *texts[FILES];

static struct slice load_file(const char *name, char **out)
{
    char path[500];
    int length = snprintf(path, sizeof path, "%s/%s", LISTS_DIR, name);
    assert_true(length > 0 && (size_t)length < sizeof path);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("cannot open %s", path);
    }
    *out = malloc(FILE_BYTES_MAX);
    assert_non_null(*out);
    size_t len = fread(*out, 1, FILE_BYTES_MAX, file);
    assert_true(len < FILE_BYTES_MAX);
    assert_int_equal(fclose(file), 0);
    return slice_make(*out, len);
}

struct address_lists *load_shipped_lists(void)
{
    struct address_list_source sources[FILES];
    for (size_t i = 0; i < FILES; i++) {
        sources[i] =
            (struct address_list_source){slice_of(names[i]), load_file(names[i], &texts[i])};
    }
    struct address_lists *lists = NULL;
    struct fault fault = {.err = ERR_NONE};
    if (address_lists_load(sources, FILES, &lists, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return lists;
}

void close_shipped_lists(struct address_lists *lists)
{
    address_lists_free(lists);
    for (size_t i = 0; i < FILES; i++) {
        free(texts[i]);
        texts[i] = NULL;
    }
}

enum err load_list(const char *name, const char *text, struct address_lists **out,
                   struct fault *out_fault)
{
    const struct address_list_source source = {slice_of(name), slice_of(text)};
    return address_lists_load(&source, 1, out, out_fault);
}
