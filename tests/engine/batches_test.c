/* engine/batches on the virtual clock and network: uploads become batches, are worked off beside single questions, wait,
 * go on, end; a death at any moment loses nothing that was acknowledged; results are handed out piece by piece.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/batches.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../store/scratch.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/batch_json.h"
#include "engine/batch_results.h"
#include "engine/batch_upload.h"
#include "known.h"
#include "sim/peer.h"
#include "sim/world.h"

enum {
    TEXT_BYTES_MAX = 64 << 20,
    LIVE = 4, /* mailboxes of each domain that exist */
    ID_BYTES = STORE_BATCH_ID_BYTES,
    PIECES_MAX = 100000,
    HOSTS = 25,
};

/* A service without its threads: what the desk has, in a world of some domains. */
struct desk {
    struct world *world;
    struct knocker *knocker;
    struct store *store;
    struct batches *batches;
    struct knocker_config config;
    char db[SCRATCH_PATH_BYTES], folder[SCRATCH_PATH_BYTES];
    struct batches_listener listener;
    struct batches_keeper keeper;
    unsigned over, changed, results;
    unsigned rcpts, kill_at_rcpt;
    /* What happens at that question, counted from 1. */
    unsigned act_at_rcpt;
    void (*act)(struct desk *desk);
    char id[ID_BYTES]; /* whom it is done to */
    unsigned single_answers, rcpts_at_single;
    enum verdict_sub single_sub;
};

static const char *mailbox(const void *context, struct slice path)
{
    (void)context;
    bool is_user = slice_starts(path, SLICE("user")) && ascii_is_digit(path.at[4]); /* no control */
    bool is_live = is_user || (slice_starts(path, SLICE("live")) && path.at[4] < '0' + LIVE);
    return is_live ? "" : NULL;
}

static void add_hosts(struct desk *desk)
{
    static const struct peer_script honest = {.mailbox = mailbox};
    for (int i = 0; i < HOSTS; i++) {
        char domain[32], mx[48], host[48], ip[32];
        (void)snprintf(domain, sizeof domain, "d%d.test", i);
        (void)snprintf(host, sizeof host, "mx.d%d.test", i);
        (void)snprintf(mx, sizeof mx, "10 mx.d%d.test", i);
        (void)snprintf(ip, sizeof ip, "5.9.3.%d", i + 1);
        const struct world_host made = {.ip = ip, .behaviour = WORLD_ACCEPT, .script = &honest};
        struct zone *zone = world_zone(desk->world);
        assert_int_equal(zone_add(zone, domain, DNS_MX, mx, 3600), ERR_NONE);
        assert_int_equal(zone_add(zone, host, DNS_A, ip, 3600), ERR_NONE);
        assert_int_equal(world_host_add(desk->world, &made), ERR_NONE);
    }
}

static void on_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct desk *desk = context;
    (void)t_ms;
    if (direction != 'C' || !slice_starts(line, SLICE("RCPT"))) {
        return;
    }
    desk->rcpts++;
    if (desk->rcpts == desk->kill_at_rcpt) {
        struct fault fault;
        must(store_flush(desk->store, &fault) == ERR_NONE);
        (void)kill(getpid(), SIGKILL);
    }
    if (desk->rcpts == desk->act_at_rcpt) {
        desk->act(desk);
    }
}

static void on_news(void *context, const struct batches_news *news)
{
    struct desk *desk = context;
    desk->over += news->event == BATCHES_OVER ? 1 : 0;
    desk->changed += news->event == BATCHES_CHANGED ? 1 : 0;
    assert_null(news->record);
}

static enum err keep(void *context, const struct batches_news *news, struct fault *out_fault)
{
    struct desk *desk = context;
    (void)out_fault;
    desk->results += news->event == BATCHES_RESULT ? 1 : 0;
    bool has_record = news->event == BATCHES_RESULT || news->event == BATCHES_NO_ADDRESS;
    assert_true(has_record == (news->record != NULL));
    return ERR_NONE;
}

static void start_service(struct desk *desk)
{
    struct fault fault = {0};
    desk->store = scratch_open(desk->db);
    assert_int_equal(
        knocker_new(world_door(desk->world), known(), &desk->config, desk->store, &desk->knocker),
        ERR_NONE);
    if (batches_new(world_door(desk->world), desk->knocker, desk->store, desk->folder,
                    &desk->batches, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    desk->listener = (struct batches_listener){.told = on_news, .context = desk};
    batches_subscribe(desk->batches, &desk->listener);
    desk->keeper = (struct batches_keeper){.keep = keep, .context = desk};
    batches_keep(desk->batches, &desk->keeper);
}

static void stop_service(struct desk *desk)
{
    batches_unsubscribe(desk->batches, &desk->listener);
    batches_free(desk->batches);
    desk->batches = NULL;
    knocker_cancel(desk->knocker);
    door_run(world_door(desk->world));
    knocker_free(desk->knocker);
    store_close(desk->store);
}

static void desk_init(struct desk *desk, void **state)
{
    static const struct traffic_egress way_out = {
        .name = SLICE_LITERAL("default"), .helo_name = SLICE_LITERAL("probe.test"), .weight = 1};
    *desk = (struct desk){0};
    scratch_path(state, "s.db", desk->db);
    scratch_path(state, "s.db.batches", desk->folder);
    const struct world_config config = {.seed = 3};
    assert_int_equal(world_new(&config, &desk->world), ERR_NONE);
    knocker_config_init(&desk->config);
    desk->config.egresses = &way_out;
    desk->config.is_budget_wall_clock = false;
    desk->config.observe = on_line;
    desk->config.observe_context = desk;
    add_hosts(desk);
    start_service(desk);
}

static void desk_done(struct desk *desk)
{
    stop_service(desk);
    world_free(desk->world);
}

static void run(struct desk *desk)
{
    door_run(world_door(desk->world));
    assert_false(world_is_cut(desk->world));
}

/* Uploads in pieces of an odd size, as a network brings them. */
static struct batch_upload *upload(struct desk *desk, struct slice list)
{
    struct batch_upload *made;
    struct fault fault = {0};
    assert_int_equal(batch_upload_begin(desk->folder, 1 << 20, &made, &fault), ERR_NONE);
    while (list.len > 0) {
        size_t part = list.len < 777 ? list.len : 777;
        assert_int_equal(batch_upload_write(made, slice_sub(list, 0, part), &fault), ERR_NONE);
        list = slice_sub(list, part, list.len);
    }
    assert_int_equal(batch_upload_commit(made, &fault), ERR_NONE);
    return made;
}

static void add_batch(struct desk *desk, struct slice list, char out_id[ID_BYTES])
{
    struct fault fault = {0};
    struct batch_upload *made = upload(desk, list);
    const struct store_batch batch = {
        .id = batch_upload_id(made),
        .owner = SLICE("k_1"),
        .label = SLICE("my list"),
        .file = batch_upload_file(made),
        .file_name = SLICE("list.csv"),
        .bytes = batch_upload_bytes(made),
    };
    (void)snprintf(out_id, ID_BYTES, "%.*s", SLICE_ARG(batch.id));
    if (batches_add(desk->batches, &batch, NULL, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    batch_upload_keep(made);
}

/* each addresses of every domain, LIVE of them with a mailbox; one that is none, and one twice. */
static struct slice make_list(struct buf *out, int each)
{
    buf_init(out, TEXT_BYTES_MAX);
    must(buf_append(out, SLICE("n,email\n")) == ERR_NONE);
    for (int n = 0; n < each; n++) {
        for (int i = 0; i < HOSTS; i++) {
            must(buf_printf(out, "%d,%s%d@d%d.test\n", n, n < LIVE ? "live" : "dead", n, i) ==
                 ERR_NONE);
        }
    }
    must(buf_append(out, SLICE("x,no address\ny,live0@D0.TEST\n")) == ERR_NONE);
    return buf_view(out);
}

static void read_results(struct desk *desk, const struct batch_results_query *query,
                         struct buf *out)
{
    struct store *store = scratch_open(desk->db);
    struct batch_results *results;
    struct fault fault = {0};
    if (batch_results_open(store, query, &results, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    enum err e = ERR_NONE;
    buf_init(out, TEXT_BYTES_MAX);
    for (unsigned i = 0; i < PIECES_MAX && e == ERR_NONE; i++) {
        size_t before = out->len;
        e = batch_results_read(results, out, &fault);
        assert_true(out->len - before < BATCH_RESULTS_PIECE * 2);
        assert_true(e != ERR_CLOSED || out->len == before);
    }
    assert_int_equal(e, ERR_CLOSED);
    batch_results_close(results);
    store_close(store);
}

static struct batch_results_query query_of(const struct desk *desk, const char *id)
{
    return (struct batch_results_query){.folder = desk->folder,
                                        .id = slice_of(id),
                                        .knowledge = known(),
                                        .address_mode = HEL_ADDRESS_PRACTICAL,
                                        .format = TABLE_CSV};
}

static bool has(struct slice text, const char *part)
{
    return *part == '\0' || slice_find_nocase(text, slice_of(part)) < text.len;
}

static size_t count_lines(const struct buf *text, const char *with)
{
    size_t count = 0;
    struct slice rest = buf_view(text);
    while (rest.at != NULL && rest.len > 0) {
        struct slice line = slice_cut(&rest, '\n');
        count += has(line, with) ? 1 : 0;
    }
    return count;
}

/* All rows are there with the results that such a list gives. */
static void check_results(struct desk *desk, const char *id, int each)
{
    struct buf text;
    struct batch_results_query query = query_of(desk, id);
    read_results(desk, &query, &text);
    assert_int_equal(count_lines(&text, ","), (size_t)each * HOSTS + 3);
    assert_int_equal(count_lines(&text, ",accepted,"), LIVE * HOSTS + 1);
    assert_int_equal(count_lines(&text, ",mailbox_not_found,"), (size_t)(each - LIVE) * HOSTS);
    assert_int_equal(count_lines(&text, ",invalid_syntax,"), 1);
    buf_done(&text);
}

struct look {
    enum store_batch_state state;
    struct store_batch_counts counts;
    char cause[200];
};

static void look_at(void *context, const struct store_batch *batch)
{
    struct look *look = context;
    look->state = batch->state;
    look->counts = batch->counts;
    (void)snprintf(look->cause, sizeof look->cause, "%.*s", SLICE_ARG(batch->cause));
}

static struct look look_up(struct desk *desk, const char *id)
{
    struct look look = {.state = STORE_BATCH_STATE_COUNT};
    struct fault fault = {0};
    enum err e = store_batch_find(desk->store, slice_of(id), look_at, &look, &fault);
    assert_true(e == ERR_NONE || e == ERR_CLOSED);
    return look;
}

static uint64_t accepted_by_all(struct desk *desk)
{
    uint64_t sum = 0;
    for (int i = 0; i < HOSTS; i++) {
        char ip[32];
        (void)snprintf(ip, sizeof ip, "5.9.3.%d", i + 1);
        sum += peer_server_seen(world_host_server(desk->world, ip, 25))->accepted;
    }
    return sum;
}

static void from_upload_to_results(void **state)
{
    struct desk desk;
    struct buf list;
    char id[ID_BYTES];
    desk_init(&desk, state);
    add_batch(&desk, make_list(&list, 12), id);
    struct batches_live live;
    assert_true(batches_live(desk.batches, slice_of(id), &live));
    assert_int_equal(live.state, STORE_BATCH_LOADING);
    run(&desk);
    struct look look = look_up(&desk, id);
    assert_int_equal(look.state, STORE_BATCH_DONE);
    assert_int_equal(look.counts.rows, 12 * HOSTS + 2);
    assert_int_equal(look.counts.invalid_rows, 1);
    assert_int_equal(look.counts.items, 12 * HOSTS);
    assert_int_equal(look.counts.done, 12 * HOSTS);
    assert_int_equal(look.counts.by_status[VERDICT_DELIVERABLE], LIVE * HOSTS);
    assert_int_equal(look.counts.by_status[VERDICT_UNDELIVERABLE], 8 * HOSTS);
    assert_int_equal(desk.over, 1);
    assert_int_equal(desk.results, 12 * HOSTS);
    assert_true(desk.changed >= 2);
    assert_false(batches_live(desk.batches, slice_of(id), &live));
    check_results(&desk, id, 12);
    buf_done(&list);
    desk_done(&desk);
}

static void filters(void **state)
{
    static const struct {
        const char *name;
        unsigned statuses;
        uint64_t subs;
        enum table_format format;
        const char *with;
        size_t lines; /* without the header */
    } rows[] = {
        {"all", 0, 0, TABLE_CSV, ",", 8 * HOSTS + 2},
        {"deliverable", 1u << VERDICT_DELIVERABLE, 0, TABLE_CSV, ",accepted,", LIVE * HOSTS + 1},
        {"two", 1u << VERDICT_DELIVERABLE | 1u << VERDICT_UNDELIVERABLE, 0, TABLE_CSV, ",",
         8 * HOSTS + 2},
        {"none", 1u << VERDICT_RISKY, 0, TABLE_CSV, ",", 0},
        {"sub", 0, UINT64_C(1) << SUB_INVALID_SYNTAX, TABLE_CSV, ",invalid_syntax,", 1},
        {"both", 1u << VERDICT_DELIVERABLE, UINT64_C(1) << SUB_INVALID_SYNTAX, TABLE_CSV, ",", 0},
        {"ndjson", 1u << VERDICT_UNDELIVERABLE, 0, TABLE_NDJSON, "\"undeliverable\"",
         4 * HOSTS + 1},
    };
    struct desk desk;
    struct buf list;
    char id[ID_BYTES];
    desk_init(&desk, state);
    add_batch(&desk, make_list(&list, 8), id);
    run(&desk);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf text;
        struct batch_results_query query = query_of(&desk, id);
        query.statuses = rows[i].statuses;
        query.sub_statuses = rows[i].subs;
        query.format = rows[i].format;
        read_results(&desk, &query, &text);
        size_t header = rows[i].format == TABLE_CSV ? 1 : 0;
        size_t with = count_lines(&text, rows[i].with);
        if (count_lines(&text, "") != rows[i].lines + header ||
            (strcmp(rows[i].with, ",") != 0 && with != rows[i].lines)) {
            fail_msg("%s: %zu lines, %zu with %s", rows[i].name, count_lines(&text, ""), with,
                     rows[i].with);
        }
        buf_done(&text);
    }
    buf_done(&list);
    desk_done(&desk);
}

static void two_share_each_probe(void **state)
{
    struct desk desk;
    struct buf list;
    char id[2][ID_BYTES];
    desk_init(&desk, state);
    make_list(&list, 12);
    add_batch(&desk, buf_view(&list), id[0]);
    add_batch(&desk, buf_view(&list), id[1]);
    run(&desk);
    assert_int_equal(accepted_by_all(&desk), LIVE * HOSTS);
    check_results(&desk, id[0], 12);
    check_results(&desk, id[1], 12);
    buf_done(&list);
    desk_done(&desk);
}

/* Orders in the middle. */

static void order(struct desk *desk, enum batches_order what, enum err expected)
{
    struct fault fault = {0};
    enum err e = batches_order(desk->batches, slice_of(desk->id), what, &fault);
    if (e != expected) {
        fail_msg("order %d: %s", (int)what, fault.text);
    }
}

static void pause_it(struct desk *desk)
{
    order(desk, BATCHES_PAUSE, ERR_NONE);
}

static void cancel_it(struct desk *desk)
{
    order(desk, BATCHES_CANCEL, ERR_NONE);
}

static void delete_it(struct desk *desk)
{
    order(desk, BATCHES_DELETE, ERR_NONE);
}

static void one_pauses_the_other_goes_on(void **state)
{
    struct desk desk;
    struct buf list, other;
    char id[ID_BYTES];
    desk_init(&desk, state);
    make_list(&list, 12);
    buf_init(&other, TEXT_BYTES_MAX);
    assert_int_equal(buf_append(&other, SLICE("live0@d0.test\nlive7@d1.test\n")), ERR_NONE);
    add_batch(&desk, buf_view(&list), desk.id);
    add_batch(&desk, buf_view(&other), id);
    desk.act_at_rcpt = 20;
    desk.act = pause_it;
    run(&desk);
    assert_int_equal(look_up(&desk, id).state, STORE_BATCH_DONE);
    struct look paused = look_up(&desk, desk.id);
    assert_int_equal(paused.state, STORE_BATCH_PAUSED);
    assert_true(paused.counts.done < 12 * HOSTS);
    /* Rows without a result are there, or left out. */
    struct buf text;
    struct batch_results_query query = query_of(&desk, desk.id);
    read_results(&desk, &query, &text);
    assert_int_equal(count_lines(&text, ""), 12 * HOSTS + 3);
    buf_done(&text);
    query.only_with_result = true;
    read_results(&desk, &query, &text);
    assert_true(count_lines(&text, "") < 12 * HOSTS);
    buf_done(&text);
    order(&desk, BATCHES_PAUSE, ERR_NONE); /* again */
    order(&desk, BATCHES_RESUME, ERR_NONE);
    run(&desk);
    assert_int_equal(look_up(&desk, desk.id).state, STORE_BATCH_DONE);
    check_results(&desk, desk.id, 12);
    order(&desk, BATCHES_PAUSE, ERR_STATE);
    order(&desk, BATCHES_CANCEL, ERR_STATE);
    buf_done(&list);
    buf_done(&other);
    desk_done(&desk);
}

static void on_single(void *context, const struct record *record)
{
    struct desk *desk = context;
    desk->single_answers++;
    desk->single_sub = record->sub;
    desk->rcpts_at_single = desk->rcpts;
}

static void cancel_leaves_single_questions(void **state)
{
    struct desk desk;
    struct buf list;
    desk_init(&desk, state);
    add_batch(&desk, make_list(&list, 12), desk.id);
    desk.act_at_rcpt = 10;
    desk.act = cancel_it;
    /* One that the batch asks too, late in the list. */
    assert_int_equal(knocker_ask(desk.knocker, SLICE("dead11@d4.test"), on_single, &desk),
                     ERR_NONE);
    assert_int_equal(knocker_ask(desk.knocker, SLICE("live1@d3.test"), on_single, &desk), ERR_NONE);
    run(&desk);
    assert_int_equal(desk.single_answers, 2);
    assert_true(desk.single_sub == SUB_ACCEPTED || desk.single_sub == SUB_MAILBOX_NOT_FOUND);
    struct look look = look_up(&desk, desk.id);
    assert_int_equal(look.state, STORE_BATCH_CANCELLED);
    assert_true(look.counts.done < 12 * HOSTS);
    assert_int_equal(desk.over >= 1, 1);
    order(&desk, BATCHES_CANCEL, ERR_NONE);
    order(&desk, BATCHES_RESUME, ERR_STATE);
    buf_done(&list);
    desk_done(&desk);
}

static void ask_one(struct desk *desk)
{
    assert_int_equal(knocker_ask(desk->knocker, SLICE("live3@d2.test"), on_single, desk), ERR_NONE);
}

/* Two hundred addresses of its site stand before it, but not in its way. */
static void single_questions_go_first(void **state)
{
    struct desk desk;
    struct buf list;
    char id[ID_BYTES];
    desk_init(&desk, state);
    buf_init(&list, TEXT_BYTES_MAX);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(buf_printf(&list, "user%d@d2.test\n", i), ERR_NONE);
    }
    add_batch(&desk, buf_view(&list), id);
    desk.act_at_rcpt = 10;
    desk.act = ask_one;
    run(&desk);
    assert_int_equal(desk.single_answers, 1);
    assert_int_equal(desk.single_sub, SUB_ACCEPTED);
    assert_true(desk.rcpts_at_single < 100);
    assert_true(desk.rcpts >= 200);
    buf_done(&list);
    desk_done(&desk);
}

static void deleted_ones_leave_nothing(void **state)
{
    static const unsigned moments[] = {0, 10}; /* before anything was done, in the middle */
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        struct desk desk;
        struct buf list;
        char path[SCRATCH_PATH_BYTES + ID_BYTES + 8];
        struct stat info;
        desk_init(&desk, state);
        add_batch(&desk, make_list(&list, 12), desk.id);
        (void)snprintf(path, sizeof path, "%s/%s.list", desk.folder, desk.id);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
        desk.act_at_rcpt = moments[i];
        desk.act = delete_it;
        if (moments[i] == 0) {
            delete_it(&desk);
        }
        run(&desk);
        assert_int_equal(look_up(&desk, desk.id).state, STORE_BATCH_STATE_COUNT);
        assert_int_not_equal(stat(path, &info), 0);
        order(&desk, BATCHES_DELETE, ERR_CLOSED);
        buf_done(&list);
        desk_done(&desk);
        static const char *const tables[] = {"batch",     "job",      "job_item",
                                             "job_place", "job_turn", "job_result"};
        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
            char sql[64];
            (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[t]);
            assert_int_equal(scratch_sql(desk.db, sql), 0);
        }
    }
}

static void lists_that_are_none(void **state)
{
    struct desk desk;
    char id[ID_BYTES];
    struct fault fault = {0};
    struct batch_upload *made;
    desk_init(&desk, state);
    assert_int_equal(batch_upload_begin(desk.folder, 10, &made, &fault), ERR_NONE);
    assert_int_equal(batch_upload_write(made, SLICE("0123456789"), &fault), ERR_NONE);
    assert_int_equal(batch_upload_write(made, SLICE("x"), &fault), ERR_LIMIT);
    batch_upload_drop(made);
    assert_int_equal(batch_upload_begin(desk.folder, 10, &made, &fault), ERR_NONE);
    assert_int_equal(batch_upload_commit(made, &fault), ERR_SYNTAX);
    batch_upload_drop(made);
    made = upload(&desk, SLICE("name,town\nJane,Oslo\n"));
    assert_int_equal(batch_upload_check(made, SLICE("a.csv"), SLICE_NONE, &fault), ERR_SYNTAX);
    batch_upload_drop(made);
    made = upload(&desk, SLICE("name,mail\nJane,jane@d0.test\n"));
    assert_int_equal(batch_upload_check(made, SLICE("a.csv"), SLICE("mail"), &fault), ERR_NONE);
    assert_int_equal(batch_upload_check(made, SLICE("a.csv"), SLICE("post"), &fault), ERR_SYNTAX);
    batch_upload_drop(made);
    add_batch(&desk, SLICE("name,town\nJane,Oslo\n"), id); /* nobody checked it */
    run(&desk);
    struct look look = look_up(&desk, id);
    assert_int_equal(look.state, STORE_BATCH_FAILED);
    assert_true(strlen(look.cause) > 10);
    desk_done(&desk);
}

static void pages(void **state)
{
    struct desk desk;
    char id[5][ID_BYTES];
    struct fault fault = {0};
    struct slice owner = SLICE("k_1");
    struct slice nobody = SLICE("k_2");
    struct buf text;
    desk_init(&desk, state);
    for (size_t i = 0; i < 5; i++) {
        add_batch(&desk, SLICE("live0@d0.test\n"), id[i]);
    }
    buf_init(&text, TEXT_BYTES_MAX);
    struct store_page page = {.owner = &owner, .limit = 2};
    assert_int_equal(batch_list_json(desk.store, desk.batches, &page, &text, &fault), ERR_NONE);
    assert_true(has(buf_view(&text), id[4]));
    assert_true(has(buf_view(&text), id[3]));
    assert_false(has(buf_view(&text), id[2]));
    assert_true(has(buf_view(&text), "\"next\":\"4\""));
    page.before = 4;
    page.limit = 10;
    buf_clear(&text);
    assert_int_equal(batch_list_json(desk.store, desk.batches, &page, &text, &fault), ERR_NONE);
    assert_true(has(buf_view(&text), id[0]));
    assert_true(has(buf_view(&text), "\"next\":null"));
    page = (struct store_page){.owner = &nobody, .limit = 2};
    buf_clear(&text);
    assert_int_equal(batch_list_json(desk.store, NULL, &page, &text, &fault), ERR_NONE);
    assert_true(slice_equal(buf_view(&text), SLICE("{\"batches\":[],\"next\":null}")));
    run(&desk);
    buf_clear(&text);
    assert_int_equal(batch_find_json(desk.store, desk.batches, slice_of(id[0]), &text, &fault),
                     ERR_NONE);
    assert_true(has(buf_view(&text), "\"state\":\"done\""));
    assert_true(has(buf_view(&text), "\"deliverable\":1"));
    assert_true(has(buf_view(&text), "\"providers\":[{\"name\":"));
    assert_int_equal(batch_find_json(desk.store, NULL, SLICE("b_none"), &text, &fault), ERR_CLOSED);
    buf_done(&text);
    desk_done(&desk);
}

static void a_folder_has_one_service(void **state)
{
    struct desk desk;
    struct batches *second;
    struct fault fault = {0};
    desk_init(&desk, state);
    assert_int_equal(
        batches_new(world_door(desk.world), desk.knocker, desk.store, desk.folder, &second, &fault),
        ERR_STATE);
    desk_done(&desk);
}

/* Deaths. */

static void stopped_and_started(void **state)
{
    struct desk desk;
    struct buf list;
    char id[ID_BYTES];
    desk_init(&desk, state);
    add_batch(&desk, make_list(&list, 12), id);
    stop_service(&desk); /* before a row was read */
    start_service(&desk);
    run(&desk);
    assert_int_equal(look_up(&desk, id).state, STORE_BATCH_DONE);
    check_results(&desk, id, 12);
    buf_done(&list);
    desk_done(&desk);
}

static void killed_while_it_runs(void **state)
{
    static const unsigned moments[] = {1, 30, 100};
    struct buf list;
    make_list(&list, 12);
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        char path[SCRATCH_PATH_BYTES], folder[SCRATCH_PATH_BYTES], id[ID_BYTES] = "";
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            struct desk desk;
            desk_init(&desk, state);
            add_batch(&desk, buf_view(&list), desk.id);
            (void)!write(ends[1], desk.id, sizeof desk.id);
            (void)!batch_upload_begin(desk.folder, 100, &(struct batch_upload *){NULL}, NULL);
            desk.kill_at_rcpt = moments[i];
            run(&desk);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(read(ends[0], id, sizeof id), sizeof id);
        (void)close(ends[0]);
        (void)close(ends[1]);
        struct desk desk;
        desk_init(&desk, state);
        run(&desk);
        assert_int_equal(look_up(&desk, id).state, STORE_BATCH_DONE);
        check_results(&desk, id, 12);
        scratch_path(state, "s.db", path);
        scratch_path(state, "s.db.batches", folder);
        (void)snprintf(desk.id, sizeof desk.id, "%s", id);
        order(&desk, BATCHES_DELETE, ERR_NONE);
        run(&desk);
        assert_int_equal(rmdir(folder),
                         0); /* nothing is left there: the unfinished upload neither */
        assert_int_equal(mkdir(folder, 0700), 0);
        desk_done(&desk);
        assert_int_equal(unlink(path), 0);
    }
    buf_done(&list);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CASE(from_upload_to_results),
        CASE(filters),
        CASE(two_share_each_probe),
        CASE(one_pauses_the_other_goes_on),
        CASE(cancel_leaves_single_questions),
        CASE(single_questions_go_first),
        CASE(deleted_ones_leave_nothing),
        CASE(lists_that_are_none),
        CASE(pages),
        CASE(a_folder_has_one_service),
        CASE(stopped_and_started),
        CASE(killed_while_it_runs),
    };
    return cmocka_run_group_tests(tests, known_open, known_close);
}
