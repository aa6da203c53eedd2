/* engine/park: addresses that wait (for a greylist, for a rate, for what another case is finding out) as a few bytes,
 * so that a million of them may wait at once. Those of a site stand in one queue by time with one timer of the door;
 * those that await a change of their domain's memory stand with the domain.
 *
 * When their time comes they are made whole again by the handful, so many of a site and so many in all: a round of a
 * hundred thousand retries needs the memory of some thousand, and sites take turns. An ask that was made whole has
 * room; it gives that back when it is answered, waits again, or awaits its domain. None that has room ever waits for
 * one that has none yet: who would is parked first.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"
#include "verify/case_pack.h"

enum {
    PARK_ROOM = 4096,     /* asks made whole and not yet answered, of all knockers of a crew */
    PARK_SITE_ROOM = 512, /* of one site: as many as its connections can be busy with */
    PARK_HANDFUL = 16,    /* of a site at a time, then the next site's turn */
    PARK_BYTES_MAX = 65536,
    PARK_LEAVE_MAX = 4096, /* at a time: a fraction of a second */
    PARK_RETRY_MS = 1000,  /* where there was no memory to make one whole */
};

static struct slice bytes_of(const struct parked *parked)
{
    return slice_make((const char *)parked->bytes, parked->len);
}

/* The line of sites where some may go on. */

static bool is_ready(const struct site *site)
{
    const struct park_site *here = &site->park;
    return !TAILQ_EMPTY(&here->woken) ||
           (here->queue.count > 0 &&
            (site->knocker->is_cancelled || here->queue.at[0]->due_ms <= site_now_ms(site)));
}

static void begin_turn(struct knocker *knocker, uint64_t in_ms)
{
    struct park *park = &knocker->park;
    if (park->turn.place == 0) {
        door_timer_start(knocker->door, &park->turn, door_now_ms(knocker->door) + in_ms);
    }
}

static void stand_in_line(struct site *site)
{
    struct park *park = &site->knocker->park;
    if (site->park.is_in_line || site->park.room_taken >= PARK_SITE_ROOM || !is_ready(site)) {
        return; /* in the last two cases it comes back by itself: as room is given back, or in time */
    }
    site->park.is_in_line = true;
    TAILQ_INSERT_TAIL(&park->line, site, park.line_link);
    if (park->room_taken < park->room_max) {
        begin_turn(site->knocker, 0);
    }
}

static void on_due(void *context)
{
    stand_in_line(context);
}

/* The site goes on when the first of its queue may. */
static void expect_first(struct site *site)
{
    struct park_site *here = &site->park;
    if (is_ready(site)) {
        stand_in_line(site);
    } else if (here->queue.count == 0) {
        door_timer_stop(site->knocker->door, &here->due);
    } else if (here->due.place == 0 || here->due.due_ms != here->queue.at[0]->due_ms) {
        door_timer_start(site->knocker->door, &here->due, here->queue.at[0]->due_ms);
    }
}

void park_site_init(struct site *site)
{
    site->park.due = (struct timer){.fired = on_due, .context = site};
    TAILQ_INIT(&site->park.woken);
}

void park_site_done(struct site *site)
{
    must(site->park.queue.count == 0 && !site->park.is_in_line);
    door_timer_stop(site->knocker->door, &site->park.due);
    park_queue_done(&site->park.queue);
}

void park_domain_done(struct domain *domain)
{
    park_queue_done(&domain->park.awaiting);
    park_queue_done(&domain->park.woken);
}

void park_give_back_room(struct ask *ask)
{
    if (!ask->has_room) {
        return;
    }
    struct site *site = ask->domain->site;
    struct park *park = &ask->knocker->park;
    ask->has_room = false;
    site->park.room_taken--;
    park->room_taken--;
    stand_in_line(site);
    if (!TAILQ_EMPTY(&park->line)) {
        begin_turn(ask->knocker, 0);
    }
}

/* Parking. */

static bool may_be_parked(const struct ask *ask)
{
    const struct knocker_config *config = &ask->knocker->config;
    return !ask->keeps_transcript && config->observe == NULL && !ask->is_expired && !ask->is_live &&
           config->park_ms_min != UINT32_MAX && ask->domain->site != NULL;
}

static struct parked *make_parked(struct ask *ask, struct buf *bytes)
{
    struct parked *parked = malloc(offsetof(struct parked, bytes) + bytes->len);
    if (parked == NULL) {
        return NULL;
    }
    *parked = (struct parked){
        .domain = ask->domain,
        .hash = park_table_hash(&ask->knocker->park.table, ask->key),
        .is_owner = verify_case_asks_for_others(ask->verify),
        .len = (uint16_t)bytes->len,
    };
    memcpy(parked->bytes, bytes->at, bytes->len);
    return parked;
}

/* The ask is gone, and what stands for it is in the queue; or there was no memory, and it is as before. */
static bool put(struct ask *ask, struct park_queue *queue, uint64_t due_ms)
{
    struct knocker *knocker = ask->knocker;
    struct park *park = &knocker->park;
    if (park_table_reserve(&park->table) != ERR_NONE || park_queue_reserve(queue) != ERR_NONE) {
        return false;
    }
    buf_clear(&park->scratch);
    if (park_bytes_write(ask, &park->scratch) != ERR_NONE) {
        return false;
    }
    struct parked *parked = make_parked(ask, &park->scratch);
    if (parked == NULL) {
        park_bytes_drop(ask, buf_view(&park->scratch));
        return false;
    }
    parked->due_ms = due_ms;
    park_table_put(&park->table, parked);
    park_queue_put(queue, parked);
    ask->domain->park.owners += parked->is_owner ? 1 : 0;
    knocker->counts.waiting++;
    knocker->counts.parked++;
    park_give_back_room(ask);
    ask_unlink(ask);
    ask_leave_table(ask);
    door_timer_stop(knocker->door, &ask->work->budget);
    verify_case_forget(ask->verify);
    ask->verify = NULL;
    ask_dispose(ask);
    return true;
}

/* Those that await what a case is finding out which now waits itself: they would be whole for as long. */
static void park_awaiting(struct domain *domain)
{
    struct ask *ask = TAILQ_FIRST(&domain->waiting);
    while (ask != NULL) {
        struct ask *next = TAILQ_NEXT(ask, link);
        if (ask->verify != NULL) {
            (void)park_until_woken(ask);
        }
        ask = next;
    }
}

bool park_until(struct ask *ask, uint64_t until_ms)
{
    struct domain *domain = ask->domain;
    uint64_t now = door_now_ms(ask->knocker->door);
    if (until_ms < now + ask->knocker->config.park_ms_min || !may_be_parked(ask) ||
        !put(ask, &domain->site->park.queue, until_ms)) {
        return false;
    }
    expect_first(domain->site);
    if (domain->park.owners > 0) {
        park_awaiting(domain);
    }
    return true;
}

bool park_until_woken(struct ask *ask)
{
    const struct knocker_config *config = &ask->knocker->config;
    bool is_long = ask->has_room || ask->domain->park.owners > 0;
    bool has_end =
        config->budget_ms != 0 && config->is_budget_wall_clock; /* which may come first */
    return is_long && !has_end && may_be_parked(ask) && put(ask, &ask->domain->park.awaiting, 0);
}

/* Going on. */

static struct park_queue *queue_of(const struct parked *parked)
{
    struct domain *domain = parked->domain;
    return park_queue_has(&domain->park.awaiting, parked) ? &domain->park.awaiting
           : park_queue_has(&domain->park.woken, parked)  ? &domain->park.woken
                                                          : &domain->site->park.queue;
}

/* All that await the domain at this moment; who awaits it anew meanwhile is of the next wave. */
static void begin_wave(struct domain *domain)
{
    struct park_queue none = domain->park.woken;
    domain->park.woken = domain->park.awaiting;
    domain->park.awaiting = none;
    domain->park.is_woken_again = false;
}

static void end_wave(struct domain *domain)
{
    if (domain->park.woken.count > 0 || !domain->park.is_woken) {
        return;
    }
    if (domain->park.is_woken_again) {
        begin_wave(domain);
    }
    if (domain->park.woken.count == 0) {
        domain->park.is_woken = false;
        TAILQ_REMOVE(&domain->site->park.woken, domain, park.woken_link);
    }
}

void park_wake(struct domain *domain)
{
    if (domain->park.is_woken) {
        domain->park.is_woken_again = true;
    } else if (domain->park.awaiting.count > 0) {
        begin_wave(domain);
        domain->park.is_woken = true;
        TAILQ_INSERT_TAIL(&domain->site->park.woken, domain, park.woken_link);
        stand_in_line(domain->site);
    }
}

/* NULL: no memory, and it stays where it is. */
static struct ask *make_whole(struct parked *parked)
{
    struct domain *domain = parked->domain;
    struct knocker *knocker = domain->knocker;
    struct ask *ask;
    if (park_bytes_read(domain, bytes_of(parked), &ask) != ERR_NONE) {
        return NULL;
    }
    park_queue_remove(queue_of(parked), parked);
    park_table_remove(&knocker->park.table, parked);
    domain->park.owners -= parked->is_owner ? 1 : 0;
    free(parked);
    end_wave(domain);
    knocker->counts.waiting--;
    knocker->counts.parked--;
    must(ask_begin_budget(ask) == ERR_NONE); /* who was whole has its work */
    return ask;
}

static struct parked *first_ready(const struct site *site)
{
    const struct domain *woken = TAILQ_FIRST(&site->park.woken);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): who went on before took itself out of its queue */
    return woken != NULL ? woken->park.woken.at[0] : site->park.queue.at[0];
}

/* False: there was no memory. */
static bool go_on(struct site *site)
{
    struct knocker *knocker = site->knocker;
    struct ask *ask = make_whole(first_ready(site));
    if (ask == NULL) {
        return false;
    }
    ask->has_room = true;
    knocker->park.room_taken++;
    site->park.room_taken++;
    if (knocker->is_cancelled) {
        ask_expire(ask, SKIP_CANCELLED);
    } else {
        ask->is_woken = true;
        knocker_make_ready(ask);
    }
    return true;
}

static bool serve(struct site *site)
{
    const struct park *park = &site->knocker->park;
    for (unsigned i = 0; i < PARK_HANDFUL && park->room_taken < park->room_max &&
                         site->park.room_taken < PARK_SITE_ROOM && is_ready(site);
         i++) {
        if (!go_on(site)) {
            return false;
        }
    }
    return true;
}

static void on_turn(void *context)
{
    struct knocker *knocker = context;
    struct park *park = &knocker->park;
    while (!TAILQ_EMPTY(&park->line) && park->room_taken < park->room_max) {
        struct site *site = TAILQ_FIRST(&park->line);
        TAILQ_REMOVE(&park->line, site, park.line_link);
        site->park.is_in_line = false;
        bool has_memory = serve(site);
        expect_first(site);
        if (!has_memory) {
            door_timer_start(knocker->door, &park->turn,
                             door_now_ms(knocker->door) + PARK_RETRY_MS);
            return;
        }
    }
}

void park_cancel(struct knocker *knocker)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->domains, &cursor, &key, &value)) {
        park_wake(value);
    }
    cursor = 0;
    while (map_next(&knocker->sites, &cursor, &key, &value)) {
        stand_in_line(value);
    }
}

/* Questions about those that wait. */

static bool has_key(const struct parked *parked, struct slice key)
{
    struct slice domain = slice_of(parked->domain->name);
    struct park_view view;
    if (key.len <= domain.len || !slice_ends(key, domain)) {
        return false;
    }
    park_bytes_view(parked->domain, bytes_of(parked), &view);
    struct slice local = slice_sub(key, 0, key.len - domain.len - 1);
    return view.folds ? slice_equal_nocase(local, view.local) : slice_equal(local, view.local);
}

struct parked *park_find(const struct knocker *knocker, struct slice key)
{
    const struct park_table *table = &knocker->park.table;
    if (table->count == 0) {
        return NULL;
    }
    uint32_t hash = park_table_hash(table, key);
    uint32_t cursor = hash;
    struct parked *parked = park_table_find(table, hash, &cursor);
    while (parked != NULL && !has_key(parked, key)) {
        parked = park_table_find(table, hash, &cursor);
    }
    return parked;
}

/* It waits as it did before it was made whole. */
static void wait_on(struct ask *ask, uint64_t due_ms, bool is_woken)
{
    if (due_ms != 0) {
        ask_hold(ask, due_ms);
    } else if (is_woken) {
        ask->is_woken = true;
        knocker_make_ready(ask);
    } else {
        ask_await(ask);
    }
}

enum err park_add_caller(struct parked *parked, struct slice text,
                         const struct knocker_wishes *wishes, knocker_fn fn, void *context)
{
    uint64_t due_ms = parked->due_ms;
    bool is_woken = park_queue_has(&parked->domain->park.woken, parked);
    struct ask *ask = make_whole(parked);
    if (ask == NULL) {
        return ERR_NOMEM;
    }
    enum err e = ask_add_caller(ask, text, wishes, fn, context);
    ask->is_patient = ask->is_patient && wishes->is_patient;
    wait_on(ask, due_ms, is_woken);
    return e;
}

/* False: no memory. */
static bool leave_one(struct parked *parked, const struct knocker_leaver *leaver)
{
    uint64_t due_ms = parked->due_ms;
    bool is_woken = park_queue_has(&parked->domain->park.woken, parked);
    struct ask *ask = make_whole(parked);
    if (ask == NULL) {
        return false;
    }
    if (ask_lose_callers(ask, leaver)) {
        wait_on(ask, due_ms, is_woken);
        return true;
    }
    ask->is_expired = true;
    ask->expired_why = SKIP_CANCELLED;
    ask_step(ask);
    return true;
}

/* Made whole one after the other, so that many need the memory of one. */
enum err park_leave(struct knocker *knocker, const struct knocker_leaver *leaver)
{
    const struct park_table *table = &knocker->park.table;
    unsigned left = 0;
    uint32_t i = 0;
    while (i < table->cap) {
        struct parked *parked = table->slots[i];
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): who went on left the table */
        if (parked == NULL || !park_bytes_is_leaving(bytes_of(parked), leaver)) {
            i++;
            continue;
        }
        uint32_t cap = table->cap;
        if (left++ == PARK_LEAVE_MAX) {
            return ERR_LIMIT;
        }
        if (!leave_one(parked, leaver)) {
            return ERR_NOMEM;
        }
        i = table->cap == cap ? i : 0; /* another one may stand there now */
    }
    return ERR_NONE;
}

const struct parked *park_of(const struct knocker *knocker, const void *context)
{
    const struct park_table *table = &knocker->park.table;
    for (uint32_t i = 0; i < table->cap; i++) {
        if (table->slots[i] != NULL && park_bytes_has_context(bytes_of(table->slots[i]), context)) {
            return table->slots[i];
        }
    }
    return NULL;
}

void park_view(const struct parked *parked, struct park_view *out)
{
    park_bytes_view(parked->domain, bytes_of(parked), out);
}

/* The knocker's part. */

void park_init(struct knocker *knocker, uint64_t seed)
{
    struct park *park = &knocker->park;
    park->room_max = PARK_ROOM / knocker->config.crew.count;
    park->table.seed = seed;
    intern_init(&park->shared, seed);
    buf_init(&park->scratch, PARK_BYTES_MAX);
    park->turn = (struct timer){.fired = on_turn, .context = knocker};
    TAILQ_INIT(&park->line);
}

void park_done(struct knocker *knocker)
{
    struct park *park = &knocker->park;
    must(park->table.count == 0 && park->room_taken == 0);
    door_timer_stop(knocker->door, &park->turn);
    park_table_done(&park->table);
    intern_done(&park->shared);
    buf_done(&park->scratch);
}
