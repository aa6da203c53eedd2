/* engine/batch_upload: a list on its way into the folder of batches, from any thread: its bytes go to a file of their own as
 * they come, and once it is committed the file is safe on the disk under its final name. It is a batch when
 * engine/batches has taken it; until then nobody knows of it, and the next start of the service removes it.
 *
 * The files are private to the user (0600), as the folder is (0700).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_BATCH_UPLOAD_H
#define ENGINE_BATCH_UPLOAD_H

#include "base/err.h"
#include "base/slice.h"

#define BATCH_UPLOAD_PART ".part" /* while it comes */
#define BATCH_UPLOAD_LIST ".list" /* then */

enum { BATCH_UPLOAD_BYTES_MAX = 1 << 30 }; /* of one list, where nothing else is said */

struct batch_upload;

/* The folder is one that batches_new made. ERR_SYSTEM, ERR_NOMEM. */
enum err batch_upload_begin(const char *folder, uint64_t bytes_max, struct batch_upload **out,
                            struct fault *out_fault) MUST_USE;
/* ERR_LIMIT: the list is too large. ERR_SYSTEM: the disk is full, with what to do. */
enum err batch_upload_write(struct batch_upload *upload, struct slice bytes,
                            struct fault *out_fault) MUST_USE;
/* ERR_SYNTAX: an empty list. ERR_SYSTEM. On success the file is safe. */
enum err batch_upload_commit(struct batch_upload *upload, struct fault *out_fault) MUST_USE;
/* Whether it can be read as a list, by its first megabyte: ERR_SYNTAX with the reason. After commit. file_name and column
 * as in struct table_reader_config. */
enum err batch_upload_check(const struct batch_upload *upload, struct slice file_name,
                            struct slice column, struct fault *out_fault) MUST_USE;

struct slice batch_upload_id(const struct batch_upload *upload);   /* of the batch it will be */
struct slice batch_upload_file(const struct batch_upload *upload); /* its name in the folder */
uint64_t batch_upload_bytes(const struct batch_upload *upload);

void batch_upload_keep(struct batch_upload *upload); /* it is a batch: the file stays. Frees */
void batch_upload_drop(struct batch_upload *upload); /* the file goes. Frees; safe on NULL */

#endif
