/* engine/sentence: what a verdict means, in one plain sentence, for reports, CSV and the page.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_SENTENCE_H
#define ENGINE_SENTENCE_H

#include "verify/record.h"

/* Static text without the address in it; no full stop. */
const char *sentence_of(enum verdict_sub sub);

/* What displeased the server, for SUB_BLOCKED; empty where it is not known. */
const char *sentence_of_block(enum block_kind kind);

#endif
