/* tools/list_test: which lists speak of a domain or an address, and which entry of which file it is that does.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_LIST_TEST_H
#define TOOLS_LIST_TEST_H

#include "engine/json_write.h"
#include "heloise/address.h"
#include "providers/provider.h"
#include "tools/list_files.h"

/* What is asked of: an address, or a domain alone. */
struct list_subject {
    struct hel_address address;
    bool has_local;
    struct slice domain; /* lower-case A-labels; of the address, which must not move */
};
/* False: it is neither. */
bool list_subject_read(struct slice text, struct list_subject *out) MUST_USE;

struct list_hit {
    enum list_kind kind;
    struct list_match match;
    bool is_parent; /* the entry is a domain above the one that was asked of */
    struct list_spot spot;
};

struct list_test {
    struct list_hit hits[LIST_COUNT];
    size_t count;
    struct domain_flags flags;
    bool is_role;
    const struct provider *provider; /* that the domain is an entry of; NULL: of none */
    struct slice meant; /* the domain that was probably meant; empty: nothing to suggest */
};
/* What is looked at; slices of *out are of these and live as long. */
struct list_sources {
    const struct address_lists *lists;
    const struct provider_book *providers;
    const struct list_place *place; /* its files are read to find the lines */
};
void list_test(const struct list_sources *sources, const struct list_subject *subject,
               struct list_test *out);

/* An object. input: as it was asked. Files by their whole path, or by their name alone, for those who are not to know
 * where they stand. */
enum list_naming { LIST_NAMING_PATHS, LIST_NAMING_NAMES };
void list_test_write(struct json_writer *w, struct slice input, const struct list_subject *subject,
                     const struct list_test *test, enum list_naming naming);

/* "/usr/share/heloise/lists/free.txt" -> itself, or "free.txt". */
struct slice list_file_name(const char *path, enum list_naming naming);

#endif
