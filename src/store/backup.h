/* store/backup: a store as one file to keep, and back; and what a store says of itself.
 *
 * A backup is what was committed at one moment, however much is written meanwhile by others, and nobody waits for it. It
 * is a store of its own. It appears under its name when all of it is on the disk.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/store.h"

enum { STORE_ASIDE_BYTES = 4200 };

/* ERR_STATE: there is a file of that name, and overwrites is false; or it is the store itself. ERR_CLOSED: from cannot be
 * read or is not a store. ERR_STORE, ERR_SYSTEM: the backup cannot be written. */
enum err store_backup(const char *from, const char *to, bool overwrites, struct fault *out_fault)
    MUST_USE;

/* Makes the store at `to` what the backup `from` is: wholly or, where it is killed meanwhile, not at all. What was there
 * is kept beside it as "TO.before-YYYYMMDD-HHMMSS", whose name is written to out_aside; empty: nothing was there.
 * ERR_STATE: somebody uses the store. ERR_CLOSED: the backup cannot be read, is not a store, is damaged, or of a newer
 * heloise. ERR_STORE, ERR_SYSTEM: the store cannot be written. */
enum err store_restore(const char *from, const char *to, int64_t now_ms,
                       char out_aside[STORE_ASIDE_BYTES], struct fault *out_fault) MUST_USE;

/* Reads all of it and calls fn for each thing that is wrong (at most 100), lent for the call. Others go on using it.
 * ERR_CLOSED: it cannot be read or is not a store. */
typedef void (*store_complaint_fn)(void *context, struct slice text);
enum err store_check(const char *path, store_complaint_fn fn, void *context,
                     struct fault *out_fault) MUST_USE;

struct store_info {
    int schema;
    uint64_t file_bytes, log_bytes; /* the file, and what is written but not in it yet */
    uint64_t free_bytes;            /* of the file: what was deleted, and is used again */
    uint64_t verdicts, facts, domains, jobs, keys;
    int64_t oldest_fact_ms; /* 0: there is none */
};
/* ERR_CLOSED: it cannot be read, or is not a store of this schema. */
enum err store_info(const char *path, struct store_info *out, struct fault *out_fault) MUST_USE;

#endif
