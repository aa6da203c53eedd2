/* providers/blocklist: the block lists of the DNS that receivers look at (RFC 5782), from data/blocklists: where
 * each is asked, what its answers mean, and which of them are no listing but a refusal to answer us. Pure: texts
 * of files are arguments; questions and answers are the caller's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_BLOCKLIST_H
#define PROVIDERS_BLOCKLIST_H

#include <stdbool.h>

#include "base/err.h"
#include "base/ip.h"

enum { BLOCKLISTS_MAX = 64 };

enum blocklist_subject {
    BLOCKLIST_IPV4 = 1 << 0,
    BLOCKLIST_IPV6 = 1 << 1,
    BLOCKLIST_DOMAIN = 1 << 2, /* the name itself stands before the zone */
};

struct blocklist_code;

struct blocklist {
    struct slice name;  /* "spamhaus-zen" */
    struct slice label; /* for people: "Spamhaus ZEN" */
    struct slice zone;  /* "zen.spamhaus.org" */
    struct slice page;  /* where one looks an entry up and has it removed */
    struct slice test; /* a domain that is always listed (RFC 5782 5); "test" where none is named */
    unsigned subjects; /* a set of enum blocklist_subject */
    bool is_heavy;     /* many refuse mail because of it alone */
    struct slice where; /* file:line */
    struct blocklist_code *codes;
};

struct blocklist_book;

struct blocklist_source {
    struct slice name;
    struct slice text;
};

/* ERR_SYNTAX with file and line in *out_fault, ERR_NOMEM, ERR_LIMIT: more than BLOCKLISTS_MAX. */
enum err blocklist_book_compile(const struct blocklist_source *sources, size_t count,
                                struct blocklist_book **out, struct fault *out_fault) MUST_USE;
void blocklist_book_free(struct blocklist_book *book); /* NULL is fine */

size_t blocklist_count(const struct blocklist_book *book);
const struct blocklist *blocklist_at(const struct blocklist_book *book, size_t index);

/* What an answer means, the weightier the later: of several answers the weightiest counts. */
enum blocklist_meaning {
    BLOCKLIST_CLEAN,    /* no answer */
    BLOCKLIST_HARMLESS, /* a mark that is no reproach */
    BLOCKLIST_BROKEN, /* no address of 127.0.0.0/8: the list is gone, or somebody lies (RFC 5782 2.1) */
    BLOCKLIST_REFUSED, /* it does not answer us, or our resolver: nothing is known */
    BLOCKLIST_LISTED,
};
struct blocklist_word {
    enum blocklist_meaning meaning;
    struct slice text; /* what the list says by it; may be empty */
};
struct blocklist_word blocklist_read(const struct blocklist *list, const struct ip *answer);

#endif
