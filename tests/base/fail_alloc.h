/* tests/base/fail_alloc: makes the n-th allocation of the code under test fail. Programs that use it
 * are linked with --wrap for malloc, calloc and realloc.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_BASE_FAIL_ALLOC_H
#define TESTS_BASE_FAIL_ALLOC_H

#include <stddef.h>

/* The next allocation is number 1; 0: none fails. Requests above half of the address space, which no
 * system can give, always fail here, so that a sanitizer has nothing to say about them. */
void fail_alloc_at(size_t number);

/* True where the allocation named last was reached. */
int fail_alloc_happened(void);

#endif
