/* SPDX-License-Identifier: Apache-2.0 */
#include "fail_alloc.h"

#include <stdint.h>

static size_t left;
static int happened;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void fail_alloc_at(size_t number)
{
    left = number;
    happened = 0;
}

int fail_alloc_happened(void)
{
    return happened;
}

static int fails(size_t size)
{
    if (size > SIZE_MAX / 2) {
        return 1;
    }
    if (left == 0 || --left > 0) {
        return 0;
    }
    happened = 1;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return fails(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(size) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(size) ? NULL : __real_realloc(old, size);
}
