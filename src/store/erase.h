/* store/erase: everything that is stored of one address goes: its verdicts under all options, its facts, claims and outcome, what
 * external services said of it, webhooks that speak of it (sent or not), and what jobs hold of it. A job's row stays without the address, so that the rest of the job goes on; the list it was made
 * of, and what was written beside it, are files of their owner and not the store's.
 * What an answer has in common with others of its domain (servers, limits, whether it takes everything) holds no address,
 * and stays. Who asks about the address at this moment stores it again when the answer comes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_ERASE_H
#define STORE_ERASE_H

#include "store/store.h"

struct store_erased {
    uint64_t verdicts, facts;
    uint64_t items, results; /* of jobs */
    size_t signals, webhooks;
    bool
        is_log_clean; /* false: others read the store just now, and its log keeps what was written before until it is
                        * used anew: after the next 4096 pages at the latest, or when the last one closes the store */
};

/* key: address_key. Overwritten in the file, not only unlinked from it. One change, committed when it returns; before
 * that the items of all jobs are looked through, some tenths of a second for a million. ERR_STORE, ERR_NOMEM. */
enum err store_erase(struct store *store, struct slice key, struct store_erased *out,
                     struct fault *out_fault) MUST_USE;

#endif
