/* tools/list_files: the files behind the lists of address/lists, for people: where a list's entries stand, how many there
 * are, where they come from and how old they are. Ours stand in data/lists; the user's folder has NAME.txt in place of one
 * of ours, NAME.txt.former, which it replaced, and NAME.own, entries over it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_LIST_FILES_H
#define TOOLS_LIST_FILES_H

#include "address/lists.h"
#include "base/buf.h"

enum {
    LIST_FILE_BYTES_MAX = 15 << 20, /* engine/knowledge reads less than 16 MB */
    LIST_PATH_BYTES = 4096,
    LIST_WORD_BYTES = 256,
    LIST_SHA256_BYTES = 65, /* in hexadecimal, with its NUL */
};

/* Both borrowed. */
struct list_place {
    const char *data_dir; /* that has lists/ */
    const char *own_dir;  /* NULL or empty: none; it need not be there */
};

enum list_part {
    LIST_PART_SHIPPED,
    LIST_PART_UPDATED, /* stands for the shipped one */
    LIST_PART_FORMER,
    LIST_PART_OWN,
};

/* ERR_LIMIT: the path is too long, or there is no own folder. */
enum err list_path(const struct list_place *place, enum list_kind kind, enum list_part part,
                   char out[LIST_PATH_BYTES], struct fault *out_fault) MUST_USE;

/* All of a file; none is empty. The ceiling is *out's. ERR_SYSTEM, ERR_LIMIT, ERR_NOMEM with what is wrong. */
enum err list_file_read(const char *path, struct buf *out, struct fault *out_fault) MUST_USE;

/* The file that holds the list's entries now: the updated one where there is one. */
enum list_part list_part_now(const struct list_place *place, enum list_kind kind);

struct list_about {
    char path[LIST_PATH_BYTES],
        own_path[LIST_PATH_BYTES]; /* the latter may be empty, or of no file yet */
    bool is_updated, has_former;
    size_t entries;        /* in the file */
    size_t added, removed; /* in the user's */
    uint64_t bytes;
    int64_t changed_at_ms; /* of the file; Unix time */
    char sha256[LIST_SHA256_BYTES];
    /* What the file says of itself in its first comment lines; printable; empty: nothing. */
    char source[LIST_WORD_BYTES], licence[LIST_WORD_BYTES], date[LIST_WORD_BYTES];
};
/* Of the file at out->path, where it has one: bytes, time, SHA-256 and what it says of itself; entries by lines. */
enum err list_look_at_file(struct list_about *out, struct fault *out_fault) MUST_USE;
enum err list_look(const struct list_place *place, enum list_kind kind, struct list_about *out,
                   struct fault *out_fault) MUST_USE;

/* Where an entry stands. An own one goes before one of the file. False: nowhere. */
struct list_spot {
    char path[LIST_PATH_BYTES];
    unsigned line;
    bool is_own;
};
bool list_find_spot(const struct list_place *place, enum list_kind kind, struct slice entry,
                    bool is_exception, struct list_spot *out);

#endif
