/* tests/store/scratch: a folder for one test, other processes, and a look into a file behind the store's back.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_STORE_SCRATCH_H
#define TESTS_STORE_SCRATCH_H

#include <sys/types.h>

#include "store/store.h"

enum { SCRATCH_PATH_BYTES = 512 };

/* cmocka's setup and teardown: *state is the folder's path. */
int scratch_make(void **state);
int scratch_remove(void **state);

/* The path of a file in the folder. */
void scratch_path(void **state, const char *name, char out[SCRATCH_PATH_BYTES]);
struct store *scratch_open(const char *path);

/* A verdict that never ends, and whether it is found. */
enum err scratch_put(struct store *store, const char *key, const char *json) MUST_USE;
bool scratch_has(struct store *store, const char *key, const char *json);

/* Another process. body gets the descriptor of a pipe: it reads one byte from there when the parent says go,
 * and its answer is the exit code. It must not use cmocka's assertions. */
struct scratch_process {
    pid_t pid;
    int go, ready;
};
struct scratch_ends {
    int go, ready;
};
typedef int (*scratch_fn)(const void *context, const struct scratch_ends *ends);
struct scratch_process scratch_start(scratch_fn body, const void *context);
void scratch_tell_ready(const struct scratch_ends *ends);     /* in the child */
void scratch_wait_go(const struct scratch_ends *ends);        /* in the child */
void scratch_wait_ready(const struct scratch_process *child); /* in the parent */
void scratch_tell_go(const struct scratch_process *child);    /* in the parent */
int scratch_finish(struct scratch_process *child);            /* exit code, or 256 + signal */

/* How a store may refuse to be written. */
struct scratch_refusal {
    const char *name; /* of the case */
    const char *when; /* "BEFORE INSERT ON webhook"; NULL: no file can be written */
    const char *
        how; /* "ABORT": this write; "ROLLBACK": with it all that was gathered, as SQLite does on a full disk */
};
/* From now on, until scratch_relieve. Nobody may be writing. */
void scratch_refuse(const char *path, const struct scratch_refusal *refusal);
void scratch_relieve(const char *path, const struct scratch_refusal *refusal);

/* Runs SQL on the file with SQLite alone; the first column of the first row, -1 where there is none. */
long long scratch_sql(const char *path, const char *sql);

#endif
