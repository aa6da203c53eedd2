/* address/lists: what kind of address it is, by lists (data/lists): role, free, disposable, known top-level
 * domains, and which well-known domain a misspelt one probably means. Pure: the texts of the files are
 * arguments and stay borrowed; one entry a line, '#' begins a comment line, entries are lower case.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ADDRESS_LISTS_H
#define ADDRESS_LISTS_H

#include "base/err.h"
#include "heloise/address.h"

struct address_lists;

enum list_kind {
    LIST_DISPOSABLE,
    LIST_DISPOSABLE_WILDCARD,
    LIST_FREE,
    LIST_POPULAR,
    LIST_ROLES,
    LIST_TLDS,
    LIST_COUNT,
};

/* "disposable", "disposable-wildcard", "free", "popular", "roles", "tlds". */
const char *list_name(enum list_kind kind);
bool list_parse(struct slice name, enum list_kind *out);

/* By file name: a list's name and ".txt", which replaces an earlier one of that name; or ".own": the user's own
 * entries over it, '!' before one that is taken out of the list and, where parents count, keeps what is below it out. */
struct address_list_source {
    struct slice name;
    struct slice text; /* must outlive the lists */
};

/* ERR_SYNTAX with file and line for an entry that cannot be one, or a file of another name; ERR_NOMEM. */
enum err address_lists_load(const struct address_list_source *sources, size_t count,
                            struct address_lists **out, struct fault *out_fault) MUST_USE;
void address_lists_free(struct address_lists *lists);

/* What holds for every address of a domain. */
struct domain_flags {
    bool is_disposable, is_free, is_gov, is_edu;
    struct slice
        disposable_entry; /* the list entry that decided: the domain, a parent, an MX host */
};

/* domain: lower-case A-labels. mx_hosts: lower case; may be empty. */
void domain_flags(const struct address_lists *lists, struct slice domain,
                  const struct slice *mx_hosts, size_t mx_count, struct domain_flags *out);

/* What holds for this address of such a domain. */
struct address_flags {
    struct domain_flags domain;
    bool is_role, is_plus_tagged, is_noreply, is_idn, is_gibberish;
};
void address_flags(const struct address_lists *lists, const struct hel_address *address,
                   const struct domain_flags *domain, struct address_flags *out);

/* The address with the domain that was probably meant, NUL-terminated; false: nothing to suggest. Never leads away
 * from a domain that is itself well known. */
bool address_suggest(const struct address_lists *lists, const struct hel_address *address,
                     char out[HEL_WIRE_BYTES]);

/* The address with another domain, NUL-terminated; false: it would be too long. */
bool address_with_domain(const struct hel_address *address, struct slice domain,
                         char out[HEL_WIRE_BYTES]);

/* The domain alone, an entry of the lists; empty: nothing to suggest. domain: lower-case A-labels. */
struct slice address_suggest_domain(const struct address_lists *lists, struct slice domain);

/* The entry that speaks of the word: itself or, in the lists of disposable domains, a parent with two labels or more.
 * False: none does. */
struct list_match {
    struct slice entry; /* of the lists */
    bool is_exception;  /* taken out by the user: the word is not on the list */
};
bool list_match(const struct address_lists *lists, enum list_kind kind, struct slice word,
                struct list_match *out);

/* Entries that hold, without those taken out. */
size_t list_count(const struct address_lists *lists, enum list_kind kind);

/* Whether it may stand in a list: 1 to 253 bytes, lower case, no blanks, no '#' or '!' in front. */
bool list_takes_entry(struct slice entry);

/* label: lower-case U-label. */
bool address_is_top_domain(const struct address_lists *lists, struct slice label);

#endif
