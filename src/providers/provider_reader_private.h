/* providers/provider_reader_private: the state of reading one provider file, shared by the files that read it:
 * provider_read.c (files, lines, entries), provider_names.c (the keys that tell a provider) and
 * provider_values.c (all other keys).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_PROVIDER_READER_PRIVATE_H
#define PROVIDERS_PROVIDER_READER_PRIVATE_H

#include "base/slice.h"
#include "providers/lines.h"
#include "providers/provider_private.h"

enum { PROVIDER_SLIPS_MAX = 2 }; /* between a word and the one that was probably meant */

/* What is wrong, over all files. */
struct teller {
    struct buf *report;  /* may be NULL */
    struct fault *first; /* may be NULL */
    unsigned count;
    enum err trouble; /* ours: no memory */
};

/* One file being read. */
struct book_reader {
    struct provider_book *book;
    struct lines lines;
    struct fault fault; /* of this line */
    struct teller *teller;
    struct provider *now;    /* NULL before the first entry */
    struct provider *nobody; /* stands for entries that cannot be; made when it is needed */
    bool is_lost;            /* `now` is nobody: its lines are only looked at */
    bool is_new;             /* `now` was made by this entry */
    bool is_overlay;
    unsigned level;
    uint16_t number; /* of the file, from 1 */
    struct slice default_source, default_date;
};

static inline struct slice reader_key(const struct book_reader *r)
{
    return r->lines.words[0].text;
}

static inline struct provider_place reader_place(const struct book_reader *r)
{
    return (struct provider_place){.source = r->number, .line = r->lines.number};
}

/* Each returns ERR_SYNTAX with the fault in r->fault, or ERR_NOMEM. */
typedef enum err (*provider_key_fn)(struct book_reader *r);

/* provider_names.c */
enum err provider_key_mx(struct book_reader *r);
enum err provider_key_domain(struct book_reader *r);
enum err provider_key_alias(struct book_reader *r);
enum err provider_key_banner(struct book_reader *r);
/* A copy in lower case, of 1 to 255 bytes. */
enum err provider_lower_copy(struct book_reader *r, struct slice word, struct slice *out);
/* Makes this name one of the book's own for r->now. */
enum err provider_add_own_name(struct book_reader *r, struct slice name);
/* The fault of a name that is somebody's since that place. */
enum err provider_belongs_to(struct book_reader *r, struct slice name, const struct provider *owner,
                             struct provider_place place);

/* provider_values.c */
enum err provider_key_label(struct book_reader *r);
enum err provider_key_class(struct book_reader *r);
enum err provider_key_traits(struct book_reader *r);
enum err provider_key_timeout(struct book_reader *r);
enum err provider_key_source(struct book_reader *r);
enum err provider_key_date(struct book_reader *r);
enum err provider_key_limit(struct book_reader *r, enum provider_limit limit);
/* The known word that was probably meant; empty: none is near. */
struct slice provider_nearest(struct slice word, const char *(*name_at)(size_t), size_t count);
enum err provider_unknown_word(struct book_reader *r, const char *what, struct slice word,
                               struct slice meant, const char *known);

#endif
