/* tools/asks: questions to the DNS through a door, so many at once, each answered to a function of its asker; aliases
 * are followed over as many answers as it takes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_ASKS_H
#define TOOLS_ASKS_H

#include <sys/queue.h>

#include "dns/answer.h"
#include "net/door.h"

struct asks_query;

/* asked: the name as it was asked first. answer->aliases counts all that were followed. */
typedef void (*asks_fn)(void *owner, void *subject, size_t index, const char *asked,
                        const struct dns_answer *answer);

/* Its fields are its own; the owner keeps it. */
struct asks {
    struct door *door;
    void *owner;
    void (*over)(void *owner); /* after each answer was told */
    unsigned at_once_max;
    unsigned begun, sent;
    TAILQ_HEAD(asks_queries, asks_query) queries;
};

void asks_init(struct asks *asks, struct door *door, unsigned at_once_max, void *owner,
               void (*over)(void *owner));

/* False: it cannot be asked (too long a name, no memory), and fn is not called. */
bool asks_put(struct asks *asks, struct slice name, uint16_t type, asks_fn fn, void *subject,
              size_t index);

/* No answer is told any more. */
void asks_drop(struct asks *asks);

#endif
