/* tests/base/fail_alloc: makes the n-th allocation of the code under test fail, and counts those that are not
 * given back. Programs that use it depend on fail_alloc_dep, which links them with --wrap.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_BASE_FAIL_ALLOC_H
#define TESTS_BASE_FAIL_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Begins to count anew. The next allocation is number 1; 0: none fails. Requests above half of the address
 * space, which no system can give, always fail here, so that a sanitizer has nothing to say about them. */
void fail_alloc_at(size_t number);

/* True where the allocation named last was reached. */
bool fail_alloc_happened(void);

/* Allocations asked for since fail_alloc_at, until fail_alloc_end. */
size_t fail_alloc_count(void);

/* Nothing fails and nothing is counted any more. Returns how many of the allocations counted still live. */
long fail_alloc_end(void);

#endif
