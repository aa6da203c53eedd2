/* engine/ask_memory: what an ask is made of: little while it waits for its turn, its work from then on.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "engine/knocker_private.h"
#include "engine/record_json.h"

enum { HEAD_BYTES = offsetof(struct ask, address) + offsetof(struct hel_address, wire) };

void ask_memory_init(struct knocker *knocker)
{
    pool_init(&knocker->spare_asks, HEAD_BYTES + KNOCKER_WIRE_BYTES + 1, KNOCKER_SPARE_ASKS);
    pool_init(&knocker->spare_works, sizeof(struct ask_work), KNOCKER_SPARE_WORKS);
    pool_init(&knocker->spare_cases, verify_case_bytes(), KNOCKER_SPARE_CASES);
    pool_init(&knocker->spare_evidence, sizeof(struct evidence), KNOCKER_SPARE_EVIDENCE);
}

void ask_memory_done(struct knocker *knocker)
{
    static const char zeroes[sizeof(struct ask_work)];
    const void *blank = &knocker->blank;
    must(memcmp(blank, zeroes, sizeof zeroes) == 0);
    pool_done(&knocker->spare_asks);
    pool_done(&knocker->spare_works);
    pool_done(&knocker->spare_cases);
    pool_done(&knocker->spare_evidence);
}

struct ask *ask_alloc(struct knocker *knocker, size_t wire_len)
{
    struct ask *ask = wire_len <= KNOCKER_WIRE_BYTES ? pool_take(&knocker->spare_asks)
                                                     : malloc(HEAD_BYTES + wire_len + 1);
    if (ask == NULL) {
        return NULL;
    }
    memset(ask, 0, HEAD_BYTES);
    ask->address.wire_len = (unsigned short)wire_len;
    ask->knocker = knocker;
    ask->work = &knocker->blank;
    return ask;
}

static bool has_own_work(const struct ask *ask)
{
    return ask->work != &ask->knocker->blank;
}

bool ask_equip(struct ask *ask)
{
    if (has_own_work(ask)) {
        return true;
    }
    struct ask_work *work = pool_take(&ask->knocker->spare_works);
    if (work == NULL) {
        return false;
    }
    memset(work, 0, sizeof *work);
    transcript_init(&work->transcript, ask->asked_ms, ask_watched, ask);
    ask->work = work;
    return true;
}

void ask_drop_cached(struct ask *ask)
{
    if (ask->work->cached != NULL) {
        record_done(ask->work->cached);
        free(ask->work->cached);
        ask->work->cached = NULL;
    }
}

/* What few have, so it is looked for first. */
static void drop_extras(struct ask *ask)
{
    struct ask_work *work = ask->work;
    struct pool *evidence = &ask->knocker->spare_evidence;
    if (work->pending != NULL || work->held != NULL) {
        pool_give(evidence, work->pending);
        pool_give(evidence, work->held);
    }
    if (work->line.tls != NULL || work->syntax != NULL || work->folded_key != NULL) {
        free(work->line.tls);
        free(work->syntax);
        free(work->folded_key);
    }
    if (ask->keeps_transcript || ask->is_watched) {
        transcript_done(&work->transcript);
    }
}

static void drop_work(struct ask *ask)
{
    struct ask_work *work = ask->work;
    ask_drop_cached(ask);
    drop_extras(ask);
    pool_give(&ask->knocker->spare_works, work);
    ask->work = &ask->knocker->blank;
}

void ask_free_caller(struct ask *ask, struct caller *caller)
{
    if (caller != &ask->first) {
        free(caller);
    }
}

void ask_dispose(struct ask *ask)
{
    if (has_own_work(ask)) {
        drop_work(ask);
    }
    while (ask->callers != NULL) {
        struct caller *caller = ask->callers;
        ask->callers = caller->next;
        ask_free_caller(ask, caller);
    }
    if (ask->address.wire_len <= KNOCKER_WIRE_BYTES) {
        pool_give(&ask->knocker->spare_asks, ask);
    } else {
        free(ask);
    }
}
