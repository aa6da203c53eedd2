/* engine/outdated: whether a stored answer says of lists what they no longer say: then it is asked afresh. Answers that are
 * younger than the last change of the lists, nearly all, are told by their time alone.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_OUTDATED_H
#define ENGINE_OUTDATED_H

#include "engine/list_shelf.h"
#include "verify/record.h"

/* By the lists that hold now: the reader is renewed. */
bool answer_is_outdated(struct list_reader *lists, const struct record *record);

#endif
