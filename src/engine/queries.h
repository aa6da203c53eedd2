/* engine/queries: questions to the DNS through a door, so many at once, each answered to a function of its asker: as an
 * answer, aliases followed over as many messages as it takes, or as the message that came, for machines that read it
 * themselves.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_QUERIES_H
#define ENGINE_QUERIES_H

#include <sys/queue.h>

#include "dns/answer.h"
#include "net/door.h"

struct queries_one;

/* asked: the name as it was asked first. answer->aliases counts all that were followed. */
typedef void (*queries_answer_fn)(void *owner, void *subject, size_t index, const char *asked,
                                  const struct dns_answer *answer);
/* message until it returns. */
typedef void (*queries_message_fn)(void *owner, void *subject, size_t index,
                                   enum dns_transport transport, struct slice message);

/* Its fields are its own; the owner keeps it. */
struct queries {
    struct door *door;
    void *owner;
    void (*over)(void *owner); /* after each answer was told */
    unsigned at_once_max;
    unsigned begun, sent;
    TAILQ_HEAD(queries_open, queries_one) open;
};

void queries_init(struct queries *queries, struct door *door, unsigned at_once_max, void *owner,
                  void (*over)(void *owner));

/* False: it cannot be asked (too long a name, no memory), and fn is not called. */
bool queries_put(struct queries *queries, struct slice name, uint16_t type, queries_answer_fn fn,
                 void *subject, size_t index);
/* The same; what comes is not read here, and no alias is followed. */
bool queries_put_plain(struct queries *queries, struct slice name, uint16_t type,
                       queries_message_fn fn, void *subject, size_t index);

/* No answer is told any more. */
void queries_drop(struct queries *queries);

#endif
