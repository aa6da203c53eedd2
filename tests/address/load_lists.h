/* tests/address/load_lists: the shipped lists, and small ones given as text.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ADDRESS_LOAD_LISTS_H
#define TESTS_ADDRESS_LOAD_LISTS_H

#include "address/lists.h"

/* The shipped files; the test fails with the fault's text where they are in error. To be closed. */
struct address_lists *load_shipped_lists(void);
void close_shipped_lists(struct address_lists *lists);

/* One list of that file name. */
enum err load_list(const char *name, const char *text, struct address_lists **out,
                   struct fault *out_fault);

#endif
