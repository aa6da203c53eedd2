/* SPDX-License-Identifier: Apache-2.0 */
#include "fail_alloc.h"

#include <stdint.h>

static struct {
    bool is_on, has_happened;
    size_t count, failing; /* from 1; 0: none */
    long live;
} heap;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

void fail_alloc_at(size_t number)
{
    heap.is_on = true;
    heap.has_happened = false;
    heap.count = 0;
    heap.failing = number;
    heap.live = 0;
}

bool fail_alloc_happened(void)
{
    return heap.has_happened;
}

size_t fail_alloc_count(void)
{
    return heap.count;
}

long fail_alloc_end(void)
{
    heap.is_on = false;
    return heap.live;
}

static bool fails(size_t size)
{
    if (size > SIZE_MAX / 2) {
        return true;
    }
    if (!heap.is_on || ++heap.count != heap.failing) {
        return false;
    }
    heap.has_happened = true;
    return true;
}

static void *counted(void *got)
{
    heap.live += heap.is_on && got != NULL ? 1 : 0;
    return got;
}

void *__wrap_malloc(size_t size)
{
    return fails(size) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(size) ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails(size)) {
        return NULL;
    }
    return old == NULL ? counted(__real_realloc(old, size)) : __real_realloc(old, size);
}

void __wrap_free(void *old)
{
    heap.live -= heap.is_on && old != NULL ? 1 : 0;
    __real_free(old);
}
