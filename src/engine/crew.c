/* engine/crew: the desk of a crew: gives orders out, does what comes back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/crew.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/crew_private.h"
#include "engine/knocker_private.h"

/* An address that another process is asking: tried again until that one has let go of it. */
struct crew_behind {
    struct crew_behind *next;
    uint64_t id;
    unsigned loop;
    size_t key_len, address_len;
    char texts[]; /* the key it is claimed by, the address */
};

unsigned crew_loops(const struct knocker_config *config, unsigned wanted)
{
    cpu_set_t ours;
    unsigned loops = wanted;
    if (loops == 0) {
        loops = sched_getaffinity(0, sizeof ours, &ours) == 0 ? (unsigned)CPU_COUNT(&ours) : 1;
    }
    for (size_t i = 0; i < config->egress_count; i++) {
        if (config->egresses[i].rcpts_per_day != 0) {
            return 1;
        }
    }
    loops = loops < config->connections_max ? loops : config->connections_max;
    return loops < 1 ? 1 : loops > CREW_LOOPS_MAX ? CREW_LOOPS_MAX : loops;
}

/* Orders. */

static enum err order(struct crew *crew, unsigned loop, uint64_t id, struct slice address)
{
    const struct crew_order order = {.id = id, .kind = CREW_ORDER_NEW, .address = address};
    struct crew_post *draft = crew_draft(crew->drafts, loop);
    return draft == NULL ? ERR_NOMEM : crew_order_put(draft, &order);
}

static void asked(void *context)
{
    struct crew *crew = context;
    for (unsigned i = 0; i < crew->count; i++) {
        crew->is_idle[i] = crew->is_idle[i] && crew->drafts[i] == NULL;
    }
    crew_drafts_send(crew, crew->drafts);
}

static void look_soon(struct crew *crew)
{
    if (crew->look.place == 0) {
        door_timer_start(crew->desk, &crew->look, door_now_ms(crew->desk) + KNOCKER_CLAIM_MS);
    }
}

static enum err wait_behind(struct crew *crew, unsigned loop, const struct store_item *item,
                            struct slice key)
{
    struct crew_behind *behind = malloc(sizeof *behind + key.len + item->address.len);
    if (behind == NULL) {
        return ERR_NOMEM;
    }
    *behind = (struct crew_behind){crew->behind, item->id, loop, key.len, item->address.len};
    memcpy(behind->texts, key.at, key.len);
    memcpy(behind->texts + key.len, item->address.at, item->address.len);
    crew->behind = behind;
    look_soon(crew);
    return ERR_NONE;
}

/* Where the store knows nothing it is asked without. */
static bool has_claim(struct crew *crew, struct slice key)
{
    bool is_mine = true;
    if (crew->config.store_path == NULL || !knocker_claims(crew->config.knocker)) {
        return true;
    }
    if (store_claim_try(crew->store, key, door_wall_ms(crew->desk), &is_mine) != ERR_NONE) {
        return true;
    }
    return is_mine;
}

static enum err ask(void *context, struct bulk *bulk, const struct store_item *item)
{
    struct crew *crew = context;
    char room[KNOCKER_KEY_BYTES];
    struct slice key = knocker_store_key(crew->config.knocker, item->key, room);
    unsigned scout = knocker_scout(item->domain, crew->count);
    crew->bulk = bulk;
    if (!has_claim(crew, key)) {
        return wait_behind(crew, scout, item, key);
    }
    return order(crew, scout, item->id, item->address);
}

static void on_look(void *context)
{
    struct crew *crew = context;
    struct crew_behind **at = &crew->behind;
    while (*at != NULL) {
        struct crew_behind *behind = *at;
        struct slice key = slice_make(behind->texts, behind->key_len);
        if (!has_claim(crew, key) ||
            order(crew, behind->loop, behind->id,
                  slice_make(behind->texts + behind->key_len, behind->address_len)) != ERR_NONE) {
            at = &behind->next;
            continue;
        }
        *at = behind->next;
        free(behind);
    }
    asked(crew);
    if (crew->behind != NULL) {
        look_soon(crew);
    }
}

static void forget_behind(struct crew *crew)
{
    door_timer_stop(crew->desk, &crew->look);
    while (crew->behind != NULL) {
        struct crew_behind *behind = crew->behind;
        crew->behind = behind->next;
        free(behind);
        if (crew->bulk != NULL) {
            bulk_unasked(crew->bulk);
        }
    }
}

static void tell(struct crew *crew, unsigned loop, enum crew_post_kind kind, int64_t wall_ms)
{
    struct crew_post *post = crew_post_new(kind);
    must(post != NULL); /* a few bytes; there is no other way to end a thread */
    post->began_ms = wall_ms;
    uv_mailbox_post(crew->loops[loop].inbox, &post->post);
}

static void cancel(void *context)
{
    struct crew *crew = context;
    asked(crew);
    for (unsigned i = 0; i < crew->count; i++) {
        tell(crew, i, CREW_CANCEL, 0);
    }
    forget_behind(crew);
}

void crew_count(const struct crew *crew, struct knocker_counts *out)
{
    *out = (struct knocker_counts){.store_errors = crew->store_errors};
    for (unsigned i = 0; i < crew->count; i++) {
        knocker_counts_add(out, &crew->counts[i]);
    }
}

static void began(void *context, int64_t wall_ms)
{
    struct crew *crew = context;
    for (unsigned i = 0; i < crew->count; i++) {
        tell(crew, i, CREW_BEGAN, wall_ms);
    }
}

static void count(void *context, struct knocker_counts *out)
{
    crew_count(context, out);
}

struct bulk_way crew_way(struct crew *crew)
{
    return (struct bulk_way){.context = crew,
                             .ask = ask,
                             .asked = asked,
                             .cancel = cancel,
                             .began = began,
                             .count = count};
}

/* News. */

static void on_note(void *context, struct slice note)
{
    struct crew *crew = context;
    struct crew_answer answer;
    must(crew_answer_take(note, &answer));
    if (answer.is_asked) {
        bulk_answered(crew->bulk, answer.id, answer.status, answer.result);
    } else {
        bulk_unasked(crew->bulk);
    }
}

static void take_news(struct crew *crew, const struct crew_post *post)
{
    if (!post->is_last) {
        crew->counts[post->from] = post->counts;
        crew->is_idle[post->from] = post->is_idle;
    }
    if (store_carry(crew->store, buf_view(&post->bytes), on_note, crew) != ERR_NONE) {
        crew->store_errors++; /* an answer is a result first: what it teaches is kept where it can be */
    }
    if (post->lost > 0) {
        struct fault fault;
        (void)fault_set(&fault, ERR_NOMEM, 0, "out of memory");
        bulk_fail(crew->bulk, &fault);
    }
    for (unsigned i = 0; i < post->lost; i++) {
        bulk_unasked(crew->bulk);
    }
}

bool crew_is_idle(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        if (!crew->is_idle[i]) {
            return false;
        }
    }
    return true;
}

static void on_posts(void *context, struct uv_post *first)
{
    struct crew *crew = context;
    while (first != NULL) {
        struct crew_post *post = (struct crew_post *)(void *)first;
        first = first->next;
        take_news(crew, post);
        crew_post_free(post);
    }
    if (crew->idle_fn != NULL && crew_is_idle(crew)) {
        crew->idle_fn(crew->idle_context);
    }
}

void crew_on_idle(struct crew *crew, void (*fn)(void *context), void *context)
{
    crew->idle_fn = fn;
    crew->idle_context = context;
}

/* Life. */

enum err crew_open(const struct crew_config *config, struct door *desk, struct store *store,
                   struct crew **out, struct fault *out_fault)
{
    struct crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    crew->config = *config;
    crew->desk = desk;
    crew->store = store;
    crew->count = config->loops;
    crew->look = (struct timer){.fired = on_look, .context = crew};
    enum err e = uv_mailbox_open(desk, on_posts, crew, &crew->inbox);
    if (e != ERR_NONE) {
        (void)fault_set(out_fault, e, 0, "cannot make a mailbox: %s", err_name(e));
    }
    for (unsigned i = 0; i < crew->count && e == ERR_NONE; i++) {
        crew->is_idle[i] = true;
        e = crew_loop_open(&crew->loops[i], crew, i, out_fault);
    }
    for (unsigned i = 0; i < crew->count && e == ERR_NONE; i++) {
        e = crew_loop_start(&crew->loops[i]);
        if (e != ERR_NONE) {
            (void)fault_set(out_fault, e, 0, "cannot start a thread");
        }
    }
    crew->config.door = NULL; /* used up */
    if (e != ERR_NONE) {
        crew_stop(crew);
        crew_close(crew);
        return e;
    }
    *out = crew;
    return ERR_NONE;
}

void crew_stop(struct crew *crew)
{
    if (crew->is_stopped) {
        return;
    }
    crew->is_stopped = true;
    crew->idle_fn = NULL;
    for (unsigned i = 0; i < crew->count; i++) {
        struct crew_loop *loop = &crew->loops[i];
        if (loop->is_running) {
            tell(crew, i, CREW_STOP, 0);
        }
    }
    for (unsigned i = 0; i < crew->count; i++) {
        crew_loop_join(&crew->loops[i]);
    }
    struct uv_post *first = crew->inbox == NULL ? NULL : uv_mailbox_take(crew->inbox);
    if (first != NULL) {
        on_posts(crew, first);
    }
}

void crew_close(struct crew *crew)
{
    if (crew == NULL) {
        return;
    }
    crew->bulk = NULL;
    forget_behind(crew);
    crew_drafts_drop(crew->drafts);
    for (unsigned i = 0; i < crew->count; i++) {
        crew_loop_close(&crew->loops[i]);
    }
    uv_mailbox_close(crew->inbox);
    free(crew);
}

void crew_each_block(const struct crew *crew, knocker_block_fn fn, void *context)
{
    for (unsigned i = 0; i < crew->count; i++) {
        for (const struct crew_block *one = crew->loops[i].blocks; one != NULL; one = one->next) {
            fn(context, &one->block);
        }
    }
}
