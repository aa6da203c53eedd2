/* engine/insight: what is known, as JSON for those who look: of an address' past, of a domain, of the ways out, of the far
 * ends. Nobody is asked for it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_INSIGHT_H
#define ENGINE_INSIGHT_H

#include "base/buf.h"
#include "engine/knocker.h"

enum { INSIGHT_SITES_MAX = 1000, INSIGHT_FACTS_MAX = 200 };

/* {"email":...,"history":[{"at":...,"kind":...,"status":...,"sub_status":...,"server":...,"egress":...}]}, the newest first. From any
 * thread, with a reader's connection. ERR_SYNTAX: it is no address; ERR_STORE, ERR_NOMEM, ERR_LIMIT. */
enum err insight_write_history(struct store *store, struct slice address, size_t limit,
                               struct buf *out) MUST_USE;

/* The rest belongs to the knocker's thread. ERR_NOMEM, ERR_LIMIT. */

/* {"domain":...,"known":...} with its flags from the lists, and where it was looked up in this run and is still remembered:
 * its mail servers, provider and site. ERR_SYNTAX: it is no domain. */
enum err insight_write_domain(struct knocker *knocker, struct slice text, struct buf *out) MUST_USE;

/* {"egresses":[...]}: each way out, what it asked within 24 hours (in this run, where it has no budget), and at how many sites it is not well. */
enum err insight_write_egresses(struct knocker *knocker, struct buf *out) MUST_USE;

/* Which far ends, in the order of their names. */
struct insight_sites {
    struct slice after;    /* those behind this one */
    struct slice provider; /* of this name only; empty: of all */
    struct slice health;   /* with a way that is so ("blocked"); empty: however it is */
    size_t limit;          /* 1 to INSIGHT_SITES_MAX */
};
/* {"sites":[...],"next":name or null}: far ends that were met in this run, each with its limits, what is under way, and the
 * health of each way to it. next: what to go on after. */
enum err insight_write_sites(struct knocker *knocker, const struct insight_sites *wanted,
                             struct buf *out) MUST_USE;
bool insight_is_health(struct slice name);

#endif
