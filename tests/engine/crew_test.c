/* A list that several loops share, against real servers on loopback: whoever asks, the answers are the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/crew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../net/rig.h"
#include "../store/scratch.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/record_json.h"
#include "sim/village.h"

enum { GONE = 12, OUTPUT_BYTES_MAX = 1 << 20 };

static struct knowledge *knowledge;

/* One run of the list, with its servers. */
struct run {
    struct rig *rig;
    struct village *village;
    char resolver[32];
    const char *resolvers[1];
    struct knocker_config knocker;
    char list[SCRATCH_PATH_BYTES], db[SCRATCH_PATH_BYTES];
    struct store *store;
    struct knocker *reader;
    struct crew *crew;
    struct bulk_config config;
    struct bulk_way way;
    struct bulk *bulk;
    bool is_finished;
    uint64_t rows;
    struct buf verdicts; /* "address status sub_status" of each row */
    struct knocker_counts counts;
    uint64_t unfinished;
};

static void on_finished(void *context)
{
    struct run *run = context;
    run->is_finished = true;
    door_stop(run->rig->door);
}

static void write_list(struct run *run)
{
    static const char *const live[] = {"jane", "paul.smith", "otto", "emil", "ada", "tom"};
    size_t houses;
    const struct house *house = village_houses(&houses);
    FILE *file = fopen(run->list, "w");
    must(file != NULL);
    (void)fputs("email\n", file);
    for (size_t i = 0; i < houses; i++) {
        bool is_slow = strcmp(house[i].domain, "slow.example") == 0;
        bool remembers = strcmp(house[i].domain, "grey.example") == 0; /* an earlier run */
        if (is_slow || remembers) {
            continue;
        }
        for (size_t n = 0; n < sizeof live / sizeof *live; n++) {
            (void)fprintf(file, "%s@%s\n", live[n], house[i].domain);
        }
        for (int n = 0; n < GONE; n++) {
            (void)fprintf(file, "gone.%d@%s\n", n, house[i].domain);
        }
    }
    for (int n = 0; n < GONE; n++) {
        (void)fprintf(file, "jane@nomail.example\nuser%d@unheard-of-%d.example\nno address\n", n,
                      n);
    }
    assert_int_equal(fclose(file), 0);
}

static void run_init(struct run *run, struct rig *rig, void **folder)
{
    static const struct traffic_egress way_out = {
        .name = SLICE_LITERAL("default"), .helo_name = SLICE_LITERAL("probe.test"), .weight = 1};
    struct fault fault = {0};
    *run = (struct run){.rig = rig};
    scratch_path(folder, "list.csv", run->list);
    scratch_path(folder, "store.db", run->db);
    if (village_open(rig->door, &(struct village_config){0}, &run->village, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    (void)snprintf(run->resolver, sizeof run->resolver, "%s:%u", village_dns_ip,
                   (unsigned)village_dns_port(run->village));
    run->resolvers[0] = run->resolver;
    knocker_config_init(&run->knocker);
    run->knocker.egresses = &way_out;
    run->knocker.port = village_port(run->village);
    run->knocker.is_budget_wall_clock = false;
    run->knocker.verify.retry_temporary = false;
    run->knocker.allowed_net_count = 1;
    must(ip_net_parse(SLICE("127.0.0.0/8"), &run->knocker.allowed_nets[0]));
    write_list(run);
    buf_init(&run->verdicts, OUTPUT_BYTES_MAX);
}

static void run_done(struct run *run)
{
    village_close(run->village);
    buf_done(&run->verdicts);
}

static void open_run(struct run *run, unsigned loops)
{
    struct fault fault = {0};
    const struct uv_door_config door = {.resolvers = run->resolvers, .resolver_count = 1};
    const struct crew_config crew = {.knocker = &run->knocker,
                                     .knowledge = knowledge,
                                     .door = &door,
                                     .store_path = run->db,
                                     .loops = loops,
                                     .output_format = TABLE_NDJSON};
    run->config = (struct bulk_config){
        .input_path = run->list,
        .name = {.fingerprint = SLICE("the same"), .label = SLICE("list.csv")},
        .table = {.file_name = SLICE("list.csv")},
        .output_format = TABLE_NDJSON,
        .finished = on_finished,
        .context = run,
    };
    run->is_finished = false;
    run->store = scratch_open(run->db);
    assert_int_equal(
        knocker_new(run->rig->door, knowledge, &run->knocker, run->store, &run->reader), ERR_NONE);
    assert_int_equal(crew_open(&crew, run->rig->door, run->store, &run->crew, &fault), ERR_NONE);
    run->way = crew_way(run->crew);
    run->config.way = &run->way;
    if (bulk_open(&run->config, run->rig->door, run->reader, run->store, &run->bulk, &fault) !=
            ERR_NONE ||
        bulk_load(run->bulk, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    bulk_start(run->bulk);
}

static void note_verdict(struct run *run, struct slice row)
{
    struct slice name = SLICE("\"heloise\":");
    struct record record;
    size_t at = slice_find_nocase(row, name);
    if (at == row.len || slice_starts(slice_sub(row, at + name.len, row.len), SLICE("null"))) {
        return; /* not asked yet */
    }
    assert_int_equal(record_read_json(slice_sub(row, at + name.len, row.len - 1), &record),
                     ERR_NONE);
    assert_int_equal(buf_printf(&run->verdicts, "%.*s %s %s\n", SLICE_ARG(record.email),
                                verdict_status_name(record.status), verdict_sub_name(record.sub)),
                     ERR_NONE);
    run->rows++;
    record_done(&record);
}

static void note_rows(struct run *run)
{
    char *text = NULL;
    size_t len = 0;
    struct fault fault;
    FILE *to = open_memstream(&text, &len);
    must(to != NULL);
    assert_int_equal(bulk_write(run->bulk, to, &run->unfinished, &fault), ERR_NONE);
    assert_int_equal(fclose(to), 0);
    struct slice rest = slice_make(text, len);
    buf_clear(&run->verdicts);
    run->rows = 0;
    while (rest.at != NULL) {
        note_verdict(run, slice_cut(&rest, '\n'));
    }
    free(text);
}

static void close_run(struct run *run)
{
    assert_int_equal(bulk_fault(run->bulk)->err, ERR_NONE);
    crew_stop(run->crew);
    crew_count(run->crew, &run->counts);
    note_rows(run);
    bulk_close(run->bulk);
    crew_close(run->crew);
    knocker_free(run->reader);
    store_close(run->store);
    run->crew = NULL;
}

static void play(struct run *run, unsigned loops)
{
    open_run(run, loops);
    RIG_UNTIL(run->rig, run->is_finished);
    close_run(run);
}

static void remove_store(const struct run *run)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[SCRATCH_PATH_BYTES + 8];
        (void)snprintf(path, sizeof path, "%s%s", run->db, suffixes[i]);
        (void)remove(path);
    }
}

static void the_same_answers_whoever_asks(void **state)
{
    static const unsigned loops[] = {2, 5};
    struct run run;
    void *folder;
    assert_int_equal(scratch_make(&folder), 0);
    run_init(&run, *state, &folder);
    play(&run, 1);
    char *alone = buf_take_text(&run.verdicts);
    uint64_t rows = run.rows;
    assert_true(rows > 150);
    assert_int_equal(run.unfinished, 0);
    assert_non_null(strstr(alone, "jane@plain.example deliverable accepted\n"));
    assert_non_null(strstr(alone, "gone.3@plain.example undeliverable mailbox_not_found\n"));
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        remove_store(&run);
        buf_init(&run.verdicts, OUTPUT_BYTES_MAX);
        play(&run, loops[i]);
        assert_int_equal(run.unfinished, 0);
        assert_int_equal(run.rows, rows);
        assert_true(slice_equal(slice_of(alone), buf_view(&run.verdicts)));
        assert_int_equal(run.counts.asked, run.counts.answered);
        buf_done(&run.verdicts);
    }
    free(alone);
    run_done(&run);
    (void)scratch_remove(&folder);
}

/* What the loops learned is in the store when they have gone. */
static void answers_are_kept(void **state)
{
    struct run run;
    void *folder;
    struct fault fault;
    assert_int_equal(scratch_make(&folder), 0);
    run_init(&run, *state, &folder);
    play(&run, 3);
    char *first = buf_take_text(&run.verdicts);
    assert_true(run.counts.conversations > 0);
    assert_true(scratch_sql(run.db, "SELECT count(*) FROM verdict") > 100);
    assert_true(scratch_sql(run.db, "SELECT count(*) FROM domain") > 0);
    assert_int_equal(scratch_sql(run.db, "SELECT count(*) FROM claim"), 0);
    buf_init(&run.verdicts, OUTPUT_BYTES_MAX);
    open_run(&run, 2); /* the job was not ended: it is there with all its results */
    RIG_UNTIL(run.rig, run.is_finished);
    assert_int_equal(bulk_end(run.bulk, STORE_JOB_DONE, &fault), ERR_NONE);
    crew_stop(run.crew);
    crew_count(run.crew, &run.counts);
    assert_int_equal(run.counts.asked, 0);
    bulk_close(run.bulk);
    crew_close(run.crew);
    knocker_free(run.reader);
    store_close(run.store);
    run.crew = NULL;
    play(&run, 2); /* a new job: each address has its verdict, but for what is not worth keeping */
    assert_true(run.counts.cached > 100);
    assert_true(run.counts.cached + 50 > run.counts.asked);
    assert_true(slice_equal(slice_of(first), buf_view(&run.verdicts)));
    free(first);
    run_done(&run);
    (void)scratch_remove(&folder);
}

static void stopped_in_the_middle_it_goes_on(void **state)
{
    struct run run;
    void *folder;
    assert_int_equal(scratch_make(&folder), 0);
    run_init(&run, *state, &folder);
    play(&run, 1);
    char *whole = buf_take_text(&run.verdicts);
    remove_store(&run);
    buf_init(&run.verdicts, OUTPUT_BYTES_MAX);
    open_run(&run, 3);
    rig_rest(run.rig, 3); /* by then addresses are on their way between the loops */
    bulk_cancel(run.bulk);
    RIG_UNTIL(run.rig, run.is_finished);
    close_run(&run);
    assert_true(run.unfinished > 0);
    play(&run, 3);
    assert_int_equal(run.unfinished, 0);
    assert_true(slice_equal(slice_of(whole), buf_view(&run.verdicts)));
    free(whole);
    run_done(&run);
    (void)scratch_remove(&folder);
}

/* Another process is asking two of the addresses; it finds an answer for one, and gives the other up. */
static void waits_for_another_process(void **state)
{
    static const char *const keys[] = {"jane@plain.example", "gone.1@plain.example"};
    struct run run;
    void *folder;
    bool is_mine = false;
    assert_int_equal(scratch_make(&folder), 0);
    run_init(&run, *state, &folder);
    struct store *other = scratch_open(run.db);
    char rooms[2][KNOCKER_KEY_BYTES];
    struct slice claims[2];
    for (size_t i = 0; i < 2; i++) {
        claims[i] = knocker_store_key(&run.knocker, slice_of(keys[i]), rooms[i]);
        assert_int_equal(store_claim_try(other, claims[i], door_wall_ms(run.rig->door), &is_mine),
                         ERR_NONE);
        assert_true(is_mine);
    }
    assert_int_equal(store_flush(other, NULL), ERR_NONE);
    open_run(&run, 3);
    struct bulk_counts counts = {0};
    for (uint64_t before = UINT64_MAX; before != counts.done || counts.done + 2 < counts.items;) {
        before = counts.done;
        rig_rest(run.rig, 1500);
        bulk_count(run.bulk, &counts);
        assert_false(run.is_finished);
        assert_true(counts.done + 2 <= counts.items);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(store_claim_release(other, claims[i]), ERR_NONE);
    }
    assert_int_equal(store_flush(other, NULL), ERR_NONE);
    RIG_UNTIL(run.rig, run.is_finished);
    close_run(&run);
    assert_int_equal(run.unfinished, 0);
    store_close(other);
    run_done(&run);
    (void)scratch_remove(&folder);
}

static void as_many_loops_as_make_sense(void **state)
{
    (void)state;
    struct traffic_egress egress = {.name = SLICE_LITERAL("a"), .weight = 1};
    struct knocker_config config;
    knocker_config_init(&config);
    assert_true(crew_loops(&config, 0) >= 1);
    assert_int_equal(crew_loops(&config, 3), 3);
    assert_int_equal(crew_loops(&config, 1000), CREW_LOOPS_MAX);
    config.connections_max = 2; /* one connection each at least */
    assert_int_equal(crew_loops(&config, 3), 2);
    config.egresses = &egress;
    config.egress_count = 1;
    egress.rcpts_per_day = 100; /* one counts them */
    assert_int_equal(crew_loops(&config, 3), 1);
}

int main(void)
{
    struct fault fault = {0};
    if (knowledge_open(DATA_DIR, &knowledge, &fault) != ERR_NONE) {
        (void)fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    knowledge_hasten(knowledge);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_answers_whoever_asks, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(answers_are_kept, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(stopped_in_the_middle_it_goes_on, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(waits_for_another_process, rig_open, rig_close),
        cmocka_unit_test(as_many_loops_as_make_sense),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    knowledge_free(knowledge);
    return failed;
}
