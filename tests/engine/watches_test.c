/* engine/watches on the virtual clock and network: lists that are checked again when they are due; only what is stale is
 * asked; what changed is stored and told once, a death at any moment notwithstanding.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/watches.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../net/rig.h"
#include "../store/scratch.h"
#include "base/slice.h"
#include "engine/batch_upload.h"
#include "engine/webhooks.h"
#include "known.h"
#include "sim/peer.h"
#include "sim/world.h"

enum { ID_BYTES = STORE_BATCH_ID_BYTES, KILLS = 12 };

#define HOUR_MS  (INT64_C(3600) * 1000)
#define EVERY_MS (INT64_C(7) * 24 * HOUR_MS)
#define LIST     "n,email\n1,live0@d.test\n2,live1@d.test\n3,left@d.test\n4,dead@d.test\nx,none\n"

struct desk {
    struct world *world;
    struct knocker *knocker;
    struct store *store;
    struct batches *batches;
    struct webhooks *webhooks;
    struct watches *watches;
    struct rig *rig; /* a door of webhooks that never runs: what is put stays to be counted */
    struct knocker_config config;
    char db[SCRATCH_PATH_BYTES], folder[SCRATCH_PATH_BYTES];
    char batch[ID_BYTES], watch[ID_BYTES];
    struct timer stop;
    unsigned rcpts;
};

static bool has_left; /* the one who was there */

static const char *mailbox(const void *context, struct slice path)
{
    (void)context;
    bool is_live =
        slice_starts(path, SLICE("live")) || (slice_starts(path, SLICE("left")) && !has_left);
    return is_live ? "" : NULL;
}

static void on_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct desk *desk = context;
    (void)t_ms;
    bool is_ours = slice_find_nocase(line, SLICE("live")) < line.len ||
                   slice_find_nocase(line, SLICE("left")) < line.len ||
                   slice_find_nocase(line, SLICE("dead")) < line.len;
    desk->rcpts += direction == 'C' && slice_starts(line, SLICE("RCPT")) && is_ours ? 1 : 0;
}

static void start_service(struct desk *desk)
{
    struct fault fault = {0};
    struct door *door = world_door(desk->world);
    desk->store = scratch_open(desk->db);
    assert_int_equal(knocker_new(door, known(), &desk->config, desk->store, &desk->knocker),
                     ERR_NONE);
    assert_int_equal(
        batches_new(door, desk->knocker, desk->store, desk->folder, &desk->batches, &fault),
        ERR_NONE);
    struct webhooks_config hooks;
    webhooks_config_init(&hooks);
    assert_int_equal(webhooks_open(desk->rig->door, desk->store, &hooks, &desk->webhooks, &fault),
                     ERR_NONE);
    const struct watches_config config = {door, desk->store, desk->batches, desk->webhooks,
                                          desk->folder};
    assert_int_equal(watches_new(&config, &desk->watches, &fault), ERR_NONE);
}

static void stop_service(struct desk *desk)
{
    watches_free(desk->watches);
    batches_free(desk->batches);
    webhooks_close(desk->webhooks);
    knocker_free(desk->knocker);
    store_close(desk->store);
}

static void desk_init(struct desk *desk, void **state)
{
    static const struct traffic_egress way_out = {
        .name = SLICE_LITERAL("default"), .helo_name = SLICE_LITERAL("probe.test"), .weight = 1};
    static const struct peer_script honest = {.mailbox = mailbox};
    static const struct world_host host = {
        .ip = "5.9.3.1", .behaviour = WORLD_ACCEPT, .script = &honest};
    void *rig;
    *desk = (struct desk){0};
    assert_int_equal(rig_open(&rig), 0);
    desk->rig = rig;
    has_left = false;
    scratch_path(state, "s.db", desk->db);
    scratch_path(state, "s.db.batches", desk->folder);
    const struct world_config config = {.seed = 3};
    assert_int_equal(world_new(&config, &desk->world), ERR_NONE);
    knocker_config_init(&desk->config);
    desk->config.egresses = &way_out;
    desk->config.is_budget_wall_clock = false;
    desk->config.observe = on_line;
    desk->config.observe_context = desk;
    struct zone *zone = world_zone(desk->world);
    assert_int_equal(zone_add(zone, "d.test", DNS_MX, "10 mx.d.test", 3600), ERR_NONE);
    assert_int_equal(zone_add(zone, "mx.d.test", DNS_A, "5.9.3.1", 3600), ERR_NONE);
    assert_int_equal(world_host_add(desk->world, &host), ERR_NONE);
    start_service(desk);
}

static void desk_done(struct desk *desk)
{
    void *rig = desk->rig;
    stop_service(desk);
    world_free(desk->world);
    assert_int_equal(rig_close(&rig), 0);
}

static void on_stop(void *context)
{
    struct desk *desk = context;
    door_stop(world_door(desk->world));
}

static void run_for(struct desk *desk, int64_t ms)
{
    struct door *door = world_door(desk->world);
    desk->stop = (struct timer){.fired = on_stop, .context = desk};
    door_timer_start(door, &desk->stop, door_now_ms(door) + (uint64_t)ms);
    door_run(door);
}

static void add_batch(struct desk *desk)
{
    struct fault fault = {0};
    struct batch_upload *made;
    assert_int_equal(batch_upload_begin(desk->folder, 1 << 20, &made, &fault), ERR_NONE);
    assert_int_equal(batch_upload_write(made, SLICE(LIST), &fault), ERR_NONE);
    assert_int_equal(batch_upload_commit(made, &fault), ERR_NONE);
    const struct store_batch batch = {.id = batch_upload_id(made),
                                      .owner = SLICE("1"),
                                      .label = SLICE("customers"),
                                      .file = batch_upload_file(made),
                                      .file_name = SLICE("list.csv"),
                                      .bytes = batch_upload_bytes(made)};
    (void)snprintf(desk->batch, ID_BYTES, "%.*s", SLICE_ARG(batch.id));
    assert_int_equal(batches_add(desk->batches, &batch, NULL, &fault), ERR_NONE);
    batch_upload_keep(made);
}

static void watch(struct desk *desk)
{
    struct fault fault = {0};
    const struct watches_wish wish = {.batch = slice_of(desk->batch),
                                      .owner = SLICE("1"),
                                      .webhook = SLICE("https://receiver.example/hook"),
                                      .every_ms = EVERY_MS};
    if (watches_add(desk->watches, &wish, desk->watch, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

static void order(struct desk *desk, enum watches_order what)
{
    struct fault fault = {0};
    if (watches_order(desk->watches, slice_of(desk->watch), what, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

struct seen {
    struct store_watch watch; /* without its texts */
    bool is_running, is_from_run;
    char label[32], batch[ID_BYTES], run[ID_BYTES];
};

static void look_at(void *context, const struct store_watch *watch)
{
    struct seen *seen = context;
    seen->watch = *watch;
    seen->is_running = watch->run.len > 0;
    seen->is_from_run = slice_starts(watch->batch, SLICE(WATCHES_RUN_PREFIX));
    (void)snprintf(seen->label, sizeof seen->label, "%.*s", SLICE_ARG(watch->label));
    (void)snprintf(seen->batch, sizeof seen->batch, "%.*s", SLICE_ARG(watch->batch));
    (void)snprintf(seen->run, sizeof seen->run, "%.*s", SLICE_ARG(watch->run));
}

static struct seen look_up(struct desk *desk)
{
    struct seen seen = {.is_running = false};
    struct fault fault = {0};
    assert_int_equal(store_watch_find(desk->store, slice_of(desk->watch), look_at, &seen, &fault),
                     ERR_NONE);
    return seen;
}

struct changes {
    size_t count;
    char text[512];
};

static void keep_change(void *context, const struct store_watch_change *change)
{
    struct changes *changes = context;
    changes->count++;
    (void)snprintf(changes->text, sizeof changes->text, "%.*s %.*s/%.*s %.*s/%.*s",
                   SLICE_ARG(change->address), SLICE_ARG(change->status_before),
                   SLICE_ARG(change->sub_before), SLICE_ARG(change->status_after),
                   SLICE_ARG(change->sub_after));
}

static struct changes changes_of(struct desk *desk)
{
    struct changes changes = {.count = 0};
    struct fault fault = {0};
    const struct store_watch_change_page page = {.watch = look_up(desk).watch.number, .limit = 100};
    assert_int_equal(store_watch_change_each(desk->store, &page, keep_change, &changes, &fault),
                     ERR_NONE);
    return changes;
}

static void count_batch(void *context, const struct store_batch *batch)
{
    (void)batch;
    ++*(unsigned *)context;
}

static unsigned batches_there(struct desk *desk)
{
    unsigned count = 0;
    struct fault fault = {0};
    const struct store_page page = {.limit = 100};
    assert_int_equal(store_batch_each(desk->store, &page, count_batch, &count, &fault), ERR_NONE);
    return count;
}

#define LEFT "left@d.test deliverable/accepted undeliverable/mailbox_not_found"

static void each_week(void **state)
{
    struct desk desk;
    desk_init(&desk, state);
    add_batch(&desk);
    run_for(&desk, HOUR_MS);
    watch(&desk);
    assert_string_equal(look_up(&desk).label, "customers");
    assert_int_equal(look_up(&desk).watch.addresses, 4);
    has_left = true;
    unsigned before = desk.rcpts;
    run_for(&desk, EVERY_MS - HOUR_MS);
    assert_int_equal(desk.rcpts, before); /* not due */
    run_for(&desk, 2 * HOUR_MS);
    struct seen seen = look_up(&desk);
    assert_false(seen.is_running);
    assert_true(seen.is_from_run);
    assert_int_equal(seen.watch.asked, 4);
    assert_int_equal(seen.watch.changed, 1);
    assert_true(seen.watch.last_at_ms > 0 && seen.watch.next_at_ms > seen.watch.last_at_ms);
    assert_int_equal(desk.rcpts, before + 4);
    assert_string_equal(changes_of(&desk).text, LEFT);
    run_for(&desk, EVERY_MS); /* the run that was compared with goes; the uploaded batch stays */
    seen = look_up(&desk);
    assert_int_equal(seen.watch.asked, 4);
    assert_int_equal(seen.watch.changed, 0);
    assert_int_equal(changes_of(&desk).count, 1);
    assert_int_equal(batches_there(&desk), 2);
    desk_done(&desk);
}

static void only_stale_ones_are_asked(void **state)
{
    struct desk desk;
    desk_init(&desk, state);
    add_batch(&desk);
    watch(&desk); /* of one that runs */
    run_for(&desk, HOUR_MS);
    has_left = true;
    unsigned before = desk.rcpts;
    order(&desk, WATCHES_RUN);
    order(&desk, WATCHES_RUN); /* it runs */
    run_for(&desk, HOUR_MS);
    assert_int_equal(desk.rcpts, before);
    struct seen seen = look_up(&desk);
    assert_true(seen.is_from_run);
    assert_int_equal(seen.watch.asked, 0);
    assert_int_equal(seen.watch.addresses, 4);
    assert_int_equal(changes_of(&desk).count, 0);
    desk_done(&desk);
}

static void orders(void **state)
{
    struct desk desk;
    struct fault fault = {0};
    desk_init(&desk, state);
    add_batch(&desk);
    run_for(&desk, HOUR_MS);
    watch(&desk);
    order(&desk, WATCHES_PAUSE);
    unsigned before = desk.rcpts;
    run_for(&desk, 3 * EVERY_MS);
    assert_int_equal(desk.rcpts, before);
    order(&desk, WATCHES_RESUME);
    assert_int_equal(look_up(&desk).watch.state, STORE_WATCH_WAITING);
    run_for(&desk, HOUR_MS);
    assert_int_equal(desk.rcpts, before); /* what was missed is not made up for */
    run_for(&desk, EVERY_MS);
    assert_int_equal(desk.rcpts, before + 4);
    struct seen seen = look_up(&desk);
    assert_int_equal(batches_order(desk.batches, slice_of(seen.batch), BATCHES_DELETE, &fault),
                     ERR_STATE);
    order(&desk, WATCHES_DELETE);
    run_for(&desk, HOUR_MS);
    assert_int_equal(watches_order(desk.watches, slice_of(desk.watch), WATCHES_RUN, &fault),
                     ERR_CLOSED);
    assert_int_equal(scratch_sql(desk.db, "SELECT count(*) FROM watch"), 0);
    assert_int_equal(scratch_sql(desk.db, "SELECT count(*) FROM watch_change"), 0);
    assert_int_equal(batches_there(&desk), 1);
    assert_int_equal(batches_order(desk.batches, slice_of(desk.batch), BATCHES_DELETE, &fault),
                     ERR_NONE);
    desk_done(&desk);
}

static void what_cannot_be_watched(void **state)
{
    struct desk desk;
    struct fault fault = {0};
    char id[ID_BYTES];
    desk_init(&desk, state);
    const struct watches_wish none = {.batch = SLICE("b_none"), .every_ms = EVERY_MS};
    assert_int_equal(watches_add(desk.watches, &none, id, &fault), ERR_CLOSED);
    add_batch(&desk);
    assert_int_equal(batches_order(desk.batches, slice_of(desk.batch), BATCHES_CANCEL, &fault),
                     ERR_NONE);
    const struct watches_wish over = {.batch = slice_of(desk.batch), .every_ms = EVERY_MS};
    assert_int_equal(watches_add(desk.watches, &over, id, &fault), ERR_STATE);
    desk_done(&desk);
}

static void a_run_that_is_cancelled(void **state)
{
    struct desk desk;
    struct fault fault = {0};
    desk_init(&desk, state);
    add_batch(&desk);
    run_for(&desk, HOUR_MS);
    watch(&desk);
    order(&desk, WATCHES_RUN);
    run_for(&desk, 1); /* it is made */
    struct seen seen = look_up(&desk);
    assert_true(seen.is_running);
    assert_int_equal(batches_order(desk.batches, slice_of(seen.run), BATCHES_CANCEL, &fault),
                     ERR_NONE);
    run_for(&desk, HOUR_MS);
    seen = look_up(&desk);
    assert_false(seen.is_running);
    assert_string_equal(seen.batch, desk.batch);
    assert_int_equal(batches_there(&desk), 1);
    desk_done(&desk);
}

/* The service of a child, which is killed after so many milliseconds of a run. */
static void dies(struct desk *desk, int64_t after_ms)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        start_service(desk);
        order(desk, WATCHES_RUN);
        run_for(desk, after_ms);
        (void)kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void deaths_in_a_run(void **state)
{
    for (int64_t i = 0; i < KILLS; i++) {
        struct desk desk;
        char name[SCRATCH_PATH_BYTES];
        desk_init(&desk, state);
        stop_service(&desk);
        (void)snprintf(name, sizeof name, "s%d.db", (int)i);
        scratch_path(state, name, desk.db);
        (void)snprintf(name, sizeof name, "s%d.db.batches", (int)i);
        scratch_path(state, name, desk.folder);
        start_service(&desk);
        add_batch(&desk);
        run_for(&desk, HOUR_MS);
        watch(&desk);
        order(&desk, WATCHES_PAUSE);
        run_for(&desk, EVERY_MS + HOUR_MS);
        has_left = true;
        stop_service(&desk);
        dies(&desk, i == 0 ? 0 : (int64_t)1 << i);
        start_service(&desk);
        run_for(&desk, HOUR_MS);
        struct seen seen = look_up(&desk);
        assert_false(seen.is_running);
        assert_true(seen.is_from_run);
        assert_int_equal(seen.watch.changed, 1);
        assert_int_equal(changes_of(&desk).count, 1);
        assert_string_equal(changes_of(&desk).text, LEFT);
        assert_int_equal(batches_there(&desk), 2);
        desk_done(&desk);
    }
}

/* Whatever refuses for ten minutes, the change is stored and told once. */
static void refused_in_a_run(void **state)
{
    static const struct scratch_refusal refusals[] = {
        {"the event", "BEFORE INSERT ON webhook", "ABORT"},
        {"the event, with all", "BEFORE INSERT ON webhook", "ROLLBACK"},
        {"the change", "BEFORE INSERT ON watch_change", "ABORT"},
        {"the change, with all", "BEFORE INSERT ON watch_change", "ROLLBACK"},
        {"the end", "BEFORE UPDATE ON watch WHEN NEW.run='' AND OLD.run<>''", "ABORT"},
        {"the end, with all", "BEFORE UPDATE ON watch WHEN NEW.run='' AND OLD.run<>''", "ROLLBACK"},
        {"all", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct desk desk;
        struct fault fault = {0};
        desk_init(&desk, state);
        add_batch(&desk);
        run_for(&desk, HOUR_MS);
        watch(&desk);
        order(&desk, WATCHES_PAUSE);
        run_for(&desk, EVERY_MS + HOUR_MS);
        has_left = true;
        order(&desk, WATCHES_RUN);
        run_for(&desk, 1); /* it is made */
        assert_int_equal(store_flush(desk.store, &fault), ERR_NONE);
        scratch_refuse(desk.db, &refusals[i]);
        run_for(&desk, HOUR_MS);
        (void)!store_flush(desk.store, &fault);
        assert_true(look_up(&desk).is_running);
        assert_int_equal(scratch_sql(desk.db, "SELECT count(*) FROM webhook"), 0);
        scratch_relieve(desk.db, &refusals[i]);
        run_for(&desk, HOUR_MS);
        print_message("%s\n", refusals[i].name);
        struct seen seen = look_up(&desk);
        assert_false(seen.is_running);
        assert_int_equal(seen.watch.changed, 1);
        assert_string_equal(changes_of(&desk).text, LEFT);
        assert_int_equal(scratch_sql(desk.db, "SELECT count(*) FROM webhook"), 1);
        desk_done(&desk);
        assert_int_equal(unlink(desk.db), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_week, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(only_stale_ones_are_asked, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(orders, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_watched, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_run_that_is_cancelled, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(deaths_in_a_run, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(refused_in_a_run, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, known_open, known_close);
}
