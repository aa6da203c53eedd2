/* tests/engine/json_check: what another parser makes of our JSON. Its names and ours do not fit into one file.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ENGINE_JSON_CHECK_H
#define TESTS_ENGINE_JSON_CHECK_H

#include <stdbool.h>

#include "base/buf.h"

/* False: no JSON, or a key stands twice. */
bool json_check_is_valid(struct slice json);

/* Appends the string that is the first element of an array. False: it is not that. */
bool json_check_first_text(struct slice json, struct buf *out);

#endif
