/* tests/engine/known: data/, read once for all tests of a program: the group's set-up and tear-down.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ENGINE_KNOWN_H
#define TESTS_ENGINE_KNOWN_H

#include "engine/knowledge.h"

/* Between known_open and known_close. */
const struct knowledge *known(void);
/* For cmocka_run_group_tests. */
int known_open(void **state);
int known_close(void **state);

#endif
