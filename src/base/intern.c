/* SPDX-License-Identifier: Apache-2.0 */
#include "base/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"

struct interned {
    size_t holders;
    size_t len;
    char bytes[];
};

void intern_init(struct intern *intern, uint64_t seed)
{
    map_init(&intern->map, seed);
}

void intern_done(struct intern *intern)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&intern->map, &cursor, &key, &value)) {
        free(value);
    }
    map_done(&intern->map);
}

static struct interned *add(struct intern *intern, struct slice bytes)
{
    struct interned *made = malloc(sizeof *made + bytes.len);
    if (made == NULL) {
        return NULL;
    }
    made->holders = 0;
    made->len = bytes.len;
    if (bytes.len > 0) {
        memcpy(made->bytes, bytes.at, bytes.len);
    }
    if (map_put(&intern->map, interned_view(made), made) != ERR_NONE) {
        free(made);
        return NULL;
    }
    return made;
}

struct interned *intern_hold(struct intern *intern, struct slice bytes)
{
    struct interned *found = map_find(&intern->map, bytes);
    if (found == NULL) {
        found = add(intern, bytes);
    }
    if (found != NULL) {
        found->holders++;
    }
    return found;
}

void intern_drop(struct intern *intern, struct interned *interned)
{
    must(interned->holders > 0);
    interned->holders--;
    if (interned->holders == 0) {
        must(map_remove(&intern->map, interned_view(interned)) == interned);
        free(interned);
    }
}

struct slice interned_view(const struct interned *interned)
{
    return slice_make(interned->bytes, interned->len);
}
