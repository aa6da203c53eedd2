/* SPDX-License-Identifier: Apache-2.0 */
#include "known.h"

#include <stdio.h>

static struct knowledge *knowledge;

const struct knowledge *known(void)
{
    return knowledge;
}

int known_open(void **state)
{
    (void)state;
    struct fault fault;
    if (knowledge_open(DATA_DIR, &knowledge, &fault) != ERR_NONE) {
        (void)fprintf(stderr, "%s\n", fault.text);
        return -1;
    }
    return 0;
}

int known_close(void **state)
{
    (void)state;
    knowledge_free(knowledge);
    knowledge = NULL;
    return 0;
}
