/* tests/engine/sample_record: records to write, read and show: one with everything in it, and random ones.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ENGINE_SAMPLE_RECORD_H
#define TESTS_ENGINE_SAMPLE_RECORD_H

#include "base/random.h"
#include "verify/record.h"

/* Every field has a value of its own. Texts are static. */
void sample_record_full(struct record *out);

/* Random fields of random texts (valid UTF-8 without controls, or any bytes where is_hostile); record_done
 * is owed. Only what a record can hold: no reply without a conversation, no exchangers without DNS. */
void sample_record_random(struct random *random, bool is_hostile, struct record *out);

/* What strangers send to break terminals and parsers; *out_count of them. */
const struct slice *sample_hostile_texts(size_t *out_count);

#endif
