/* engine/batch_hooks with the real store and outbox, on the virtual clock and network: whatever refuses for however long, a
 * batch has each of its events exactly once, never without what it speaks of, and comes to its end when the store lets go.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/batch_hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "../net/rig.h"
#include "../store/scratch.h"
#include "base/slice.h"
#include "engine/batch_upload.h"
#include "known.h"
#include "sim/peer.h"
#include "sim/world.h"

enum {
    ID_BYTES = STORE_BATCH_ID_BYTES,
    ADDRESSES = 20,
    LIST_BYTES_MAX = 1 << 20,
    SQL_BYTES = 256,
    REFUSED_MS = 10 * 60 * 1000, /* so long nothing can be written */
    LONG_LINE = 5000,
};

struct desk {
    struct world *world;
    struct rig *rig; /* a door of webhooks that never runs: what is put stays to be counted */
    struct knocker *knocker;
    struct store *store;
    struct batches *batches;
    struct webhooks *webhooks;
    struct batch_hooks hooks;
    struct knocker_config config;
    char db[SCRATCH_PATH_BYTES], folder[SCRATCH_PATH_BYTES];
    char id[ID_BYTES];
    const struct scratch_refusal *refusal; /* that stands; NULL: none */
    struct timer relief;
    unsigned rcpts, pause_at_rcpt, refuse_at_rcpt;
};

static long long count(const struct desk *desk, const char *what)
{
    char sql[SQL_BYTES];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", what);
    return scratch_sql(desk->db, sql);
}

/* Refusing. */

static void refuse(struct desk *desk, const struct scratch_refusal *refusal)
{
    struct fault fault = {0};
    desk->refusal = refusal;
    if (store_flush(desk->store, &fault) != ERR_NONE) { /* another connection is to write */
        fail_msg("%s", fault.text);
    }
    scratch_refuse(desk->db, refusal);
}

static void relieve(struct desk *desk)
{
    if (desk->refusal != NULL) {
        scratch_relieve(desk->db, desk->refusal);
        desk->refusal = NULL;
    }
}

/* Whatever stands in the file when the disk is full is whole. */
static void check_whole(const struct desk *desk)
{
    assert_int_equal(count(desk, "batch b WHERE state IN (4,5) AND NOT EXISTS(SELECT 1 FROM webhook"
                                 " WHERE batch=b.id AND kind IN ('batch.done','batch.failed'))"),
                     0);
    assert_int_equal(count(desk, "webhook w WHERE kind IN ('batch.done','batch.failed') AND EXISTS("
                                 "SELECT 1 FROM batch WHERE id=w.batch AND state<4)"),
                     0);
    assert_true(count(desk, "webhook WHERE kind='batch.result'") >= count(desk, "job_result"));
}

static void on_relief(void *context)
{
    struct desk *desk = context;
    struct fault fault;
    (void)!store_flush(desk->store, &fault); /* what is gathered need not be waited for */
    check_whole(desk);
    relieve(desk);
}

static void refuse_for_a_while(struct desk *desk, const struct scratch_refusal *refusal)
{
    struct door *door = world_door(desk->world);
    refuse(desk, refusal);
    desk->relief = (struct timer){.fired = on_relief, .context = desk};
    door_timer_start(door, &desk->relief, door_now_ms(door) + REFUSED_MS);
}

/* The service. */

static enum err order(struct desk *desk, enum batches_order what)
{
    struct fault fault = {0};
    enum err e = batches_order(desk->batches, slice_of(desk->id), what, &fault);
    assert_true(e == ERR_NONE || fault.text[0] != '\0');
    return e;
}

static const char *mailbox(const void *context, struct slice path)
{
    (void)context;
    return slice_starts(path, SLICE("live")) ? "" : NULL;
}

static const struct scratch_refusal *refusal_at_rcpt;

static void on_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct desk *desk = context;
    (void)t_ms;
    if (direction != 'C' || !slice_starts(line, SLICE("RCPT"))) {
        return;
    }
    desk->rcpts++;
    if (desk->rcpts == desk->pause_at_rcpt) {
        assert_int_equal(order(desk, BATCHES_PAUSE), ERR_NONE);
    }
    if (desk->rcpts == desk->refuse_at_rcpt) {
        refuse_for_a_while(desk, refusal_at_rcpt);
    }
}

static void start_service(struct desk *desk)
{
    struct fault fault = {0};
    struct webhooks_config hooks;
    struct door *door = world_door(desk->world);
    desk->store = scratch_open(desk->db);
    webhooks_config_init(&hooks);
    assert_int_equal(knocker_new(door, known(), &desk->config, desk->store, &desk->knocker),
                     ERR_NONE);
    if (webhooks_open(desk->rig->door, desk->store, &hooks, &desk->webhooks, &fault) != ERR_NONE ||
        batches_new(door, desk->knocker, desk->store, desk->folder, &desk->batches, &fault) !=
            ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    batch_hooks_start(&desk->hooks, desk->batches, desk->webhooks);
}

static void stop_service(struct desk *desk)
{
    batch_hooks_stop(&desk->hooks);
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
    scratch_path(state, "s.db", desk->db);
    scratch_path(state, "s.db.batches", desk->folder);
    assert_int_equal(rig_open(&rig), 0);
    desk->rig = rig;
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
    relieve(desk);
    stop_service(desk);
    world_free(desk->world);
    assert_int_equal(rig_close(&rig), 0);
}

static void run(struct desk *desk)
{
    door_run(world_door(desk->world));
    assert_false(world_is_cut(desk->world));
}

static void add_batch(struct desk *desk, struct slice list, const char *file_name,
                      const char *extra)
{
    struct fault fault = {0};
    struct batch_upload *made;
    assert_int_equal(batch_upload_begin(desk->folder, LIST_BYTES_MAX, &made, &fault), ERR_NONE);
    assert_int_equal(batch_upload_write(made, list, &fault), ERR_NONE);
    assert_int_equal(batch_upload_commit(made, &fault), ERR_NONE);
    const struct store_batch batch = {.id = batch_upload_id(made),
                                      .owner = SLICE("k_1"),
                                      .file = batch_upload_file(made),
                                      .file_name = slice_of(file_name),
                                      .bytes = batch_upload_bytes(made),
                                      .webhook = SLICE("https://receiver.example/hook"),
                                      .webhook_extra = slice_of(extra),
                                      .tells_results = true};
    (void)snprintf(desk->id, sizeof desk->id, "%.*s", SLICE_ARG(batch.id));
    if (batches_add(desk->batches, &batch, NULL, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    batch_upload_keep(made);
}

static void add_list(struct desk *desk)
{
    struct buf list;
    buf_init(&list, LIST_BYTES_MAX);
    assert_int_equal(buf_append(&list, SLICE("email\n")), ERR_NONE);
    for (int i = 0; i < ADDRESSES; i++) {
        assert_int_equal(buf_printf(&list, "%s%d@d.test\n", i % 2 == 0 ? "live" : "dead", i),
                         ERR_NONE);
    }
    add_batch(desk, buf_view(&list), "list.csv", "");
    buf_done(&list);
}

static void check_done(const struct desk *desk, const char *name)
{
    print_message("%s\n", name);
    assert_int_equal(count(desk, "batch WHERE state=4"), 1);
    assert_int_equal(count(desk, "job_result"), ADDRESSES);
    assert_int_equal(count(desk, "webhook WHERE kind='batch.done'"), 1);
    assert_int_equal(count(desk, "webhook WHERE kind='batch.result'"), ADDRESSES);
    assert_int_equal(count(desk, "webhook"), ADDRESSES + 1);
    assert_int_equal(scratch_sql(desk->db, "SELECT sum(deliverable+undeliverable+risky+unknown)"
                                           " FROM batch_provider"),
                     ADDRESSES);
}

#define ON_EVENT(kind)  "BEFORE INSERT ON webhook WHEN NEW.kind='" kind "'"
#define ON_STATE(state) "BEFORE UPDATE OF state ON batch WHEN NEW.state=" state

static const struct scratch_refusal refusals[] = {
    {"the end's event", ON_EVENT("batch.done"), "ABORT"},
    {"the end's event, with all", ON_EVENT("batch.done"), "ROLLBACK"},
    {"the end", ON_STATE("4"), "ABORT"},
    {"the end, with all", ON_STATE("4"), "ROLLBACK"},
    {"a result's event", ON_EVENT("batch.result"), "ABORT"},
    {"a result's event, with all", ON_EVENT("batch.result"), "ROLLBACK"},
    {"a result", "BEFORE INSERT ON job_result", "ABORT"},
    {"a result, with all", "BEFORE INSERT ON job_result", "ROLLBACK"},
    {"a row", "BEFORE INSERT ON job_item", "ROLLBACK"},
    {"the order of the list", "BEFORE INSERT ON job_turn", "ROLLBACK"},
    {"the end of the list", ON_STATE("1"), "ABORT"},
    {"an endpoint", "BEFORE INSERT ON webhook_endpoint", "ABORT"},
    {"a cache beside it, with all", "BEFORE INSERT ON verdict", "ROLLBACK"},
    {"all", NULL, NULL},
};

static void refused_from_the_beginning(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct desk desk;
        desk_init(&desk, state);
        add_list(&desk);
        refuse_for_a_while(&desk, &refusals[i]);
        run(&desk);
        check_done(&desk, refusals[i].name);
        desk_done(&desk);
        assert_int_equal(unlink(desk.db), 0);
    }
}

static void refused_in_the_middle(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct desk desk;
        desk_init(&desk, state);
        add_list(&desk);
        refusal_at_rcpt = &refusals[i];
        desk.refuse_at_rcpt = ADDRESSES / 2;
        run(&desk);
        check_done(&desk, refusals[i].name);
        desk_done(&desk);
        assert_int_equal(unlink(desk.db), 0);
    }
}

static void on_stop(void *context)
{
    struct desk *desk = context;
    door_stop(world_door(desk->world));
}

/* Ended while it is refused: the next start goes on. */
static void stopped_while_it_is_refused(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct desk desk;
        struct timer stop = {.fired = on_stop, .context = &desk};
        desk_init(&desk, state);
        add_list(&desk);
        refuse(&desk, &refusals[i]);
        struct door *door = world_door(desk.world);
        door_timer_start(door, &stop, door_now_ms(door) + REFUSED_MS);
        door_run(door);
        stop_service(&desk);
        relieve(&desk);
        check_whole(&desk);
        start_service(&desk);
        run(&desk);
        check_done(&desk, refusals[i].name);
        desk_done(&desk);
        assert_int_equal(unlink(desk.db), 0);
    }
}

/* What cannot be worked off is told each time, and an order that is refused has changed nothing. */
static void each_failure_is_told(void **state)
{
    static const struct scratch_refusal of_events = {"", ON_EVENT("batch.failed"), "ABORT"};
    struct desk desk;
    desk_init(&desk, state);
    add_batch(&desk, SLICE("name,town\nJane,Oslo\n"), "list.csv", "");
    refuse_for_a_while(&desk, &of_events);
    run(&desk);
    assert_int_equal(count(&desk, "batch WHERE state=5 AND cause<>''"), 1);
    assert_int_equal(count(&desk, "webhook WHERE kind='batch.failed'"), 1);
    static const struct scratch_refusal of_states = {"", ON_STATE("0"), "ABORT"};
    refuse(&desk, &of_states);
    assert_int_equal(order(&desk, BATCHES_RESUME), ERR_STORE);
    assert_int_equal(count(&desk, "batch WHERE state=5 AND cause<>''"), 1);
    relieve(&desk);
    assert_int_equal(order(&desk, BATCHES_RESUME), ERR_NONE);
    run(&desk);
    assert_int_equal(count(&desk, "batch WHERE state=5 AND cause<>''"), 1);
    assert_int_equal(count(&desk, "webhook WHERE kind='batch.failed'"), 2);
    desk_done(&desk);
}

/* Where it is read, where it is asked: one order, one event. */
static void a_pause_is_told_once(void **state)
{
    static const struct scratch_refusal of_pauses = {"", ON_EVENT("batch.paused"), "ABORT"};
    static const unsigned moments[] = {0, 1, ADDRESSES / 2};
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        struct desk desk;
        desk_init(&desk, state);
        add_list(&desk);
        desk.pause_at_rcpt = moments[i];
        if (moments[i] == 0) {
            refuse(&desk, &of_pauses);
            assert_int_equal(order(&desk, BATCHES_PAUSE), ERR_STORE);
            assert_int_equal(count(&desk, "batch WHERE state=0"), 1);
            relieve(&desk);
            assert_int_equal(order(&desk, BATCHES_PAUSE), ERR_NONE);
        }
        run(&desk);
        assert_int_equal(count(&desk, "batch WHERE state=2"), 1);
        assert_int_equal(count(&desk, "webhook WHERE kind='batch.paused'"), 1);
        desk.pause_at_rcpt = 0;
        assert_int_equal(order(&desk, BATCHES_RESUME), ERR_NONE);
        assert_int_equal(order(&desk, BATCHES_PAUSE), ERR_NONE);
        assert_int_equal(order(&desk, BATCHES_PAUSE), ERR_NONE);
        assert_int_equal(order(&desk, BATCHES_RESUME), ERR_NONE);
        run(&desk);
        assert_int_equal(count(&desk, "webhook WHERE kind='batch.paused'"), 2);
        assert_int_equal(count(&desk, "webhook WHERE kind='batch.done'"), 1);
        desk_done(&desk);
        assert_int_equal(unlink(desk.db), 0);
    }
}

/* Of a list in Reacher's form what is no address is told too, each once, however long, whatever bytes are in it. */
static void what_is_no_address_is_told(void **state)
{
    static const struct scratch_refusal of_results = {"", ON_EVENT("reacher.result"), "ROLLBACK"};
    struct desk desk;
    struct buf list;
    buf_init(&list, LIST_BYTES_MAX);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(buf_printf(&list, "{\"email\":\"%0*d\"}\n", LONG_LINE, i % 2), ERR_NONE);
        assert_int_equal(buf_printf(&list, "{\"email\":\"a\\u0001%d\"}\n", i % 2), ERR_NONE);
    }
    assert_int_equal(buf_append(&list, SLICE("{\"email\":\"live0@d.test\"}\n")), ERR_NONE);
    desk_init(&desk, state);
    add_batch(&desk, buf_view(&list), "list.ndjson", "{\"a\":1}");
    refuse_for_a_while(&desk, &of_results);
    run(&desk);
    assert_int_equal(count(&desk, "batch WHERE state=4"), 1);
    assert_int_equal(count(&desk, "webhook WHERE kind='reacher.result'"), 5);
    assert_int_equal(count(&desk, "webhook"), 5);
    buf_done(&list);
    desk_done(&desk);
}

/* A list that is deleted while the disk is full leaves nothing once it is not. */
static void deleted_while_it_is_refused(void **state)
{
    static const struct scratch_refusal kinds[] = {
        {"a state", ON_STATE("6"), "ABORT"},
        {"the last row", "BEFORE DELETE ON batch", "ROLLBACK"},
        {"addresses", "BEFORE DELETE ON job_item", "ROLLBACK"},
        {"results", "BEFORE DELETE ON job_result", "ROLLBACK"},
        {"its end", "BEFORE DELETE ON job", "ROLLBACK"},
        {"all", NULL, NULL},
    };
    static const char *const tables[] = {"batch", "job", "job_item", "job_turn", "job_result"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct desk desk;
        desk_init(&desk, state);
        add_list(&desk);
        run(&desk);
        refuse_for_a_while(&desk, &kinds[i]);
        bool is_deleted = order(&desk, BATCHES_DELETE) == ERR_NONE;
        run(&desk);
        assert_int_equal(is_deleted || order(&desk, BATCHES_DELETE) == ERR_NONE, 1);
        run(&desk);
        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
            assert_int_equal(count(&desk, tables[t]), 0);
        }
        desk_done(&desk);
        assert_int_equal(unlink(desk.db), 0);
    }
}

/* The same of a list whose addresses have no turn yet. */
static void deleted_before_it_is_asked(void **state)
{
    static const struct scratch_refusal of_turns = {"", "BEFORE INSERT ON job_turn", "ABORT"};
    static const struct scratch_refusal of_the_end = {"", "BEFORE DELETE ON job", "ROLLBACK"};
    struct desk desk;
    struct fault fault = {0};
    struct timer stop = {.fired = on_stop, .context = &desk};
    desk_init(&desk, state);
    add_list(&desk);
    refuse(&desk, &of_turns);
    struct door *door = world_door(desk.world);
    door_timer_start(door, &stop, door_now_ms(door) + REFUSED_MS);
    door_run(door);
    assert_int_equal(store_flush(desk.store, &fault), ERR_NONE);
    assert_int_equal(count(&desk, "job_item"), ADDRESSES);
    relieve(&desk);
    refuse_for_a_while(&desk, &of_the_end);
    assert_int_equal(order(&desk, BATCHES_DELETE), ERR_NONE);
    run(&desk);
    assert_int_equal(count(&desk, "job_item"), 0);
    assert_int_equal(count(&desk, "job"), 0);
    assert_int_equal(count(&desk, "batch"), 0);
    desk_done(&desk);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CASE(refused_from_the_beginning),  CASE(refused_in_the_middle),
        CASE(stopped_while_it_is_refused), CASE(each_failure_is_told),
        CASE(a_pause_is_told_once),        CASE(what_is_no_address_is_told),
        CASE(deleted_while_it_is_refused), CASE(deleted_before_it_is_asked),
    };
    return cmocka_run_group_tests(tests, known_open, known_close);
}
