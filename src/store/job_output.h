/* store/job_output: the results of a job for who asks for all of them in the order of the list. Where each lies is read once,
 * in the order of the file, and items with their results are read ahead by the handful; so a result takes one look into the
 * file beside its neighbour's instead of three in no order. It is only a shortcut: where it does not know, or the file was
 * changed meanwhile, results are looked for one by one (store_job_result_find).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_JOB_OUTPUT_H
#define STORE_JOB_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

struct store;
struct job_output;

struct job_output_of {
    int64_t job, turn_first, turn_end;
};

/* ERR_NOMEM, ERR_STORE, ERR_LIMIT: its items lie too far apart. */
enum err job_output_new(struct store *store, const struct job_output_of *of,
                        struct job_output **out) MUST_USE;
void job_output_free(struct job_output *output);

/* The result of the next item, where the key is its own. False: it must be looked for. */
bool job_output_find(struct job_output *output, struct slice key, struct buf *out_json);

#endif
