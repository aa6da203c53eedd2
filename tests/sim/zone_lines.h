/* tests/sim/zone_lines: a small world of names from text.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_ZONE_LINES_H
#define TESTS_SIM_ZONE_LINES_H

#include "sim/zone.h"

/* Lines "NAME TYPE VALUE"; "NAME FAIL timeout" is silence and "NAME FAIL" with any other word SERVFAIL, of "*" for
 * all names. Lines of the names in `without` (parted by spaces; NULL: none) are left out. The test fails on a line
 * that is none; lines NULL: nothing. */
void zone_add_lines(struct zone *zone, const char *lines, const char *without);

#endif
