/* engine/outcome_list: a list of what became of messages, as senders log it: a column of addresses, a column `outcome` and,
 * maybe, one of providers; any kind of list that engine/table reads. A row that cannot be used says why, and reading goes
 * on behind it.
 *
 *     outcome_list_open -> outcome_list_next, outcome_learn, ... -> outcome_list_close, store_flush
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_OUTCOME_LIST_H
#define ENGINE_OUTCOME_LIST_H

#include <stdio.h>

#include "engine/knowledge.h"
#include "engine/likely.h"

struct outcome_list;

struct outcome_row {
    uint64_t line;         /* from 1 */
    struct slice address;  /* trimmed; until the next call, as provider is */
    struct slice provider; /* a name, as it stands; empty: not told */
    enum likely_outcome outcome;
    const char *why; /* it cannot be used: a sentence without full stop, static; else NULL */
};

/* file_name: its ending tells the kind; it and file must outlive the list. ERR_SYNTAX: no list, or no column of addresses
 * or outcomes; ERR_SYSTEM: it cannot be read; ERR_NOMEM. */
enum err outcome_list_open(struct slice file_name, FILE *file, struct outcome_list **out,
                           struct fault *out_fault) MUST_USE;
void outcome_list_close(struct outcome_list *list); /* NULL is fine */

/* ERR_CLOSED: that was all; otherwise as table_reader_next. */
enum err outcome_list_next(struct outcome_list *list, struct outcome_row *out,
                           struct fault *out_fault) MUST_USE;

/* Where outcomes are learned. Borrowed. */
struct outcome_means {
    struct store *store;
    struct likely_means likely;
    const struct provider_book *providers;
};
void outcome_means_init(struct outcome_means *out, struct store *store,
                        const struct knowledge *knowledge);

struct outcome_counts {
    uint64_t alive, gone;
    uint64_t silent; /* said nothing of a mailbox */
    uint64_t unused;
};

/* Learns a row and counts it. ERR_SYNTAX: it could not be used, and why; ERR_STORE, ERR_NOMEM. now_ms: Unix time. */
enum err outcome_learn(const struct outcome_means *means, const struct outcome_row *row,
                       int64_t now_ms, struct outcome_counts *counts, struct fault *out_fault)
    MUST_USE;

/* The members alive, gone, silent and unused of an object that is open. */
struct json_writer;
void outcome_counts_write(struct json_writer *w, const struct outcome_counts *counts);

/* The provider that the name in a list, or a domain, is known by; empty: none. */
struct slice outcome_provider(const struct provider_book *providers, struct slice name,
                              struct slice domain);

#endif
