/* Scenarios 110 to 122: lists: limits of sites, dead exchangers, duplicates, death in the middle, files of every
 * kind, formulas, cancelling, the cache and shared questions. Rows 116, 117 and 119 are also played by the real
 * program in tests/cli, and every kind of file by tests/engine/table_test.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../engine/known.h"
#include "base/must.h"
#include "engine/bulk.h"
#include "engine/knowledge.h"
#include "stage.h"
#include "store/job_list.h"

enum {
    PATH_BYTES = 256,
    OUTPUT_BYTES_MAX = 64 << 20,
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    BIG_LIST = 20000, /* a sanitizer makes the list five times as slow */
#else
    BIG_LIST = 100000,
#endif
    BIG_RCPTS = 20,
    BIG_CONNECTIONS = 3,
    MANY_DOMAINS = 2000,
    VAGUE_ADDRESSES = 14, /* fewer than may be refused in an hour */
    ADDRESSES_EACH = 10,
};

/* One list in one world; the store is a file, so that a second run finds it. */
struct run {
    struct world *world;
    struct store *store;
    struct knocker *knocker;
    struct bulk *bulk;
    char folder[PATH_BYTES], input[PATH_BYTES + 8], db[PATH_BYTES + 8];
    struct knocker_config config;
    struct bulk_counts counts;
    struct buf output;
    uint64_t unfinished;
    unsigned kill_after, cancel_after, jump_after, wish_after, answers;
    int64_t jump_ms;
    uint64_t elapsed_ms, wished_ms, last_asked_ms;
    enum store_job_wish wish;
};

static void run_init(struct run *run)
{
    *run = (struct run){0};
    (void)snprintf(run->folder, sizeof run->folder, "/tmp/heloise-bulk-test-XXXXXX");
    assert_non_null(mkdtemp(run->folder));
    (void)snprintf(run->input, sizeof run->input, "%s/in.csv", run->folder);
    (void)snprintf(run->db, sizeof run->db, "%s/s.db", run->folder);
    struct world_config config = {.seed = 3};
    assert_int_equal(world_new(&config, &run->world), ERR_NONE);
    knocker_config_init(&run->config);
    static const struct traffic_egress egress = {
        .name = SLICE_LITERAL("default"), .helo_name = SLICE_LITERAL(STAGE_HELO), .weight = 1};
    run->config.egresses = &egress;
    run->config.egress_count = 1;
    run->config.is_budget_wall_clock = false;
    buf_init(&run->output, OUTPUT_BYTES_MAX);
}

static void run_done(struct run *run)
{
    world_free(run->world);
    buf_done(&run->output);
    DIR *entries = opendir(run->folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char path[PATH_BYTES + sizeof entry->d_name + 2];
        (void)snprintf(path, sizeof path, "%s/%s", run->folder, entry->d_name);
        (void)unlink(path); /* fails for . and .. */
    }
    (void)closedir(entries);
    assert_int_equal(rmdir(run->folder), 0);
}

static void add_domain(struct run *run, const char *domain, const char *ip,
                       enum world_behaviour behaviour, const struct peer_script *script)
{
    char host[128], mx[160];
    struct world_host made = {.ip = ip, .behaviour = behaviour, .script = script};
    (void)snprintf(host, sizeof host, "mx.%s", domain);
    (void)snprintf(mx, sizeof mx, "10 %s", host);
    assert_int_equal(zone_add(world_zone(run->world), domain, DNS_MX, mx, 3600), ERR_NONE);
    assert_int_equal(zone_add(world_zone(run->world), host, DNS_A, ip, 3600), ERR_NONE);
    assert_int_equal(world_host_add(run->world, &made), ERR_NONE);
}

static FILE *open_list(struct run *run)
{
    FILE *file = fopen(run->input, "w");
    must(file != NULL);
    return file;
}

static void write_list(struct run *run, const char *text)
{
    FILE *file = open_list(run);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void on_finished(void *context)
{
    (void)context; /* the world comes to rest by itself */
}

/* Watches answers through the engine's own conversation lines: dies or cancels in the middle. */
static void on_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    (void)t_ms;
    struct run *run = context;
    if (direction != 'C' || !slice_starts(line, SLICE("RCPT"))) {
        return;
    }
    run->answers++;
    run->last_asked_ms = door_now_ms(world_door(run->world));
    if (run->kill_after > 0 && run->answers == run->kill_after) {
        struct fault fault;
        must(store_flush(run->store, &fault) == ERR_NONE);
        (void)kill(getpid(), SIGKILL);
    }
    if (run->cancel_after > 0 && run->answers == run->cancel_after) {
        bulk_cancel(run->bulk);
    }
    if (run->jump_after > 0 && run->answers == run->jump_after) {
        world_set_wall(run->world, run->jump_ms);
    }
    if (run->wish_after > 0 && run->answers == run->wish_after) {
        struct fault fault;
        must(store_job_ask(run->store, bulk_number(run->bulk), STORE_WISH_PAUSE, &fault) ==
             ERR_NONE);
        run->wished_ms = door_now_ms(world_door(run->world));
    }
}

static void play(struct run *run, bool forgets)
{
    struct fault fault = {0};
    struct bulk_config config = {
        .input_path = run->input,
        .name = {.fingerprint = SLICE("the same"), .label = SLICE("in.csv")},
        .table = {.file_name = SLICE("in.csv")},
        .output_format = TABLE_CSV,
        .finished = on_finished,
    };
    run->config.observe = on_line;
    run->config.observe_context = run;
    assert_int_equal(store_open(run->db, &run->store, &fault), ERR_NONE);
    assert_int_equal(
        knocker_new(world_door(run->world), known(), &run->config, run->store, &run->knocker),
        ERR_NONE);
    if (bulk_open(&config, world_door(run->world), run->knocker, run->store, &run->bulk, &fault) !=
            ERR_NONE ||
        bulk_load(run->bulk, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    uint64_t began_ms = door_now_ms(world_door(run->world));
    bulk_start(run->bulk);
    door_run(world_door(run->world));
    run->elapsed_ms = door_now_ms(world_door(run->world)) - began_ms;
    assert_false(world_is_cut(run->world));
    assert_int_equal(bulk_fault(run->bulk)->err, ERR_NONE);
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    must(to != NULL);
    assert_int_equal(bulk_write(run->bulk, to, &run->unfinished, &fault), ERR_NONE);
    assert_int_equal(fclose(to), 0);
    buf_clear(&run->output);
    assert_int_equal(buf_append(&run->output, slice_make(text, len)), ERR_NONE);
    free(text);
    bulk_count(run->bulk, &run->counts);
    run->wish = bulk_wish(run->bulk);
    if (forgets) {
        assert_int_equal(bulk_forget(run->bulk, &fault), ERR_NONE);
    }
    bulk_close(run->bulk);
    knocker_free(run->knocker);
    store_close(run->store);
}

/* How many lines of the output hold the text. */
static size_t lines_with(const struct run *run, const char *text)
{
    size_t count = 0;
    struct slice rest = buf_view(&run->output);
    while (rest.at != NULL) {
        struct slice line = slice_cut(&rest, '\n');
        count += slice_find_nocase(line, slice_of(text)) < line.len;
    }
    return count;
}

static size_t line_count(const struct run *run)
{
    return lines_with(run, ",");
}

static const struct peer_seen *seen_at(struct run *run, const char *ip)
{
    return peer_server_seen(world_host_server(run->world, ip, 25));
}

static void row_110_one_large_domain(void **state)
{
    (void)state;
    static const struct peer_script large = {.catch_all = PEER_CATCH_ALL_YES,
                                             .connections_max = BIG_CONNECTIONS};
    static const struct peer_script small = {.live = {"live"}};
    struct run run;
    run_init(&run);
    run.config.per_site_max = BIG_CONNECTIONS;
    add_domain(&run, "large.test", "5.9.1.1", WORLD_ACCEPT, &large);
    FILE *list = open_list(&run);
    (void)fputs("email\n", list);
    for (int i = 0; i < BIG_LIST; i++) {
        (void)fprintf(list, "user%d@large.test\n", i);
    }
    for (int i = 0; i < 50; i++) {
        char domain[32], ip[32];
        (void)snprintf(domain, sizeof domain, "small%d.test", i);
        (void)snprintf(ip, sizeof ip, "5.9.2.%d", i + 1);
        add_domain(&run, domain, ip, WORLD_ACCEPT, &small);
        (void)fprintf(list, "live@%s\ndead@%s\n", domain, domain);
    }
    assert_int_equal(fclose(list), 0);
    play(&run, true);
    const struct peer_seen *seen = seen_at(&run, "5.9.1.1");
    assert_true(seen->open_peak <= BIG_CONNECTIONS);
    assert_true(seen->rcpts_peak <= BIG_RCPTS);
    assert_int_equal(run.unfinished, 0);
    assert_int_equal(line_count(&run), BIG_LIST + 101);
    assert_int_equal(lines_with(&run, "risky,catch_all,"), BIG_LIST);
    assert_int_equal(lines_with(&run, ",accepted,"), 50);
    assert_int_equal(lines_with(&run, ",mailbox_not_found,"), 50);
    run_done(&run);
}

static void row_111_dead_exchangers(void **state)
{
    (void)state;
    static const struct peer_script honest = {
        .live = {"live1", "live2", "live3", "live4", "live5"}};
    struct run run;
    run_init(&run);
    FILE *list = open_list(&run);
    (void)fputs("email\n", list);
    for (int i = 0; i < MANY_DOMAINS; i++) {
        char domain[32], ip[32];
        (void)snprintf(domain, sizeof domain, "d%d.test", i);
        (void)snprintf(ip, sizeof ip, "5.%d.%d.1", 10 + i / 250, i % 250);
        add_domain(&run, domain, ip, i % 5 == 0 ? WORLD_BLACKHOLE : WORLD_ACCEPT, &honest);
    }
    for (int n = 0; n < ADDRESSES_EACH; n++) {
        for (int i = 0; i < MANY_DOMAINS; i++) {
            (void)fprintf(list, "%s%d@d%d.test\n", n % 2 == 0 ? "live" : "dead", n / 2 + 1, i);
        }
    }
    assert_int_equal(fclose(list), 0);
    play(&run, true);
    size_t good = MANY_DOMAINS / 5 * 4;
    assert_int_equal(lines_with(&run, ",accepted,"), good * 5);
    assert_int_equal(lines_with(&run, ",mailbox_not_found,"), good * 5);
    assert_int_equal(lines_with(&run, ",connect_timeout,"), MANY_DOMAINS / 5 * ADDRESSES_EACH);
    /* A dead exchanger is tried a few times, not once for each address. */
    struct world_host_counts counts;
    world_host_count(run.world, "5.10.0.1", 25, &counts);
    assert_true(counts.tried <= 8);
    assert_true(run.elapsed_ms < 30 * 60 * 1000);
    run_done(&run);
}

static void row_112_duplicates(void **state)
{
    (void)state;
    static const struct peer_script honest = {.live = {"live"}};
    struct run run;
    run_init(&run);
    add_domain(&run, "d.test", "5.9.1.1", WORLD_ACCEPT, &honest);
    write_list(
        &run,
        "n,email\n1,live@d.test\n2, live@D.TEST \n3,dead@d.test\n4,<live@d.test>\n5,dead@d.test\n");
    play(&run, true);
    assert_int_equal(run.counts.items, 2);
    assert_int_equal(seen_at(&run, "5.9.1.1")->accepted, 1);
    static const char *const starts[] = {"n,email,", "1,live@d.test,deliverable",
                                         "2,",       "3,dead@d.test,undeliverable",
                                         "4,",       "5,dead@d.test,undeliverable"};
    struct slice rest = buf_view(&run.output);
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        assert_true(slice_starts(slice_cut(&rest, '\n'), slice_of(starts[i])));
    }
    assert_int_equal(lines_with(&run, ",accepted,"), 3);
    run_done(&run);
}

static void add_five_hundred(struct run *run)
{
    static const struct peer_script honest = {
        .live = {"live1", "live2", "live3", "live4", "live5"}};
    FILE *list = open_list(run);
    (void)fputs("email\n", list);
    for (int i = 0; i < 50; i++) {
        char domain[32], ip[32];
        (void)snprintf(domain, sizeof domain, "d%d.test", i);
        (void)snprintf(ip, sizeof ip, "5.9.3.%d", i + 1);
        add_domain(run, domain, ip, WORLD_ACCEPT, &honest);
        for (int n = 0; n < ADDRESSES_EACH; n++) {
            (void)fprintf(list, "%s%d@%s\n", n % 2 == 0 ? "live" : "dead", n / 2 + 1, domain);
        }
    }
    assert_int_equal(fclose(list), 0);
}

/* Distinct addresses of the list that this world was asked for; controls look otherwise. */
static uint64_t asked_of_list(struct run *run)
{
    uint64_t sum = 0;
    for (int i = 0; i < 50; i++) {
        char ip[32];
        (void)snprintf(ip, sizeof ip, "5.9.3.%d", i + 1);
        const struct peer_names *names = &seen_at(run, ip)->recipients;
        for (unsigned n = 0; n < names->count; n++) {
            bool is_live = strncmp(names->at[n], "live", 4) == 0;
            bool is_ours =
                (is_live || strncmp(names->at[n], "dead", 4) == 0) && names->at[n][5] == '@';
            sum += is_ours && names->at[n][4] >= '1' && names->at[n][4] <= '5';
        }
    }
    return sum;
}

static void row_113_killed_in_the_middle(void **state)
{
    (void)state;
    static const unsigned moments[] = {1, 60, 300, 520};
    for (size_t m = 0; m < sizeof moments / sizeof moments[0]; m++) {
        struct run run;
        run_init(&run);
        add_five_hundred(&run);
        pid_t child = fork();
        if (child == 0) {
            run.kill_after = moments[m];
            play(&run, false);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        play(&run, true);
        assert_int_equal(run.unfinished, 0);
        assert_int_equal(line_count(&run), 501);
        assert_int_equal(lines_with(&run, ",accepted,"), 250);
        assert_int_equal(lines_with(&run, ",mailbox_not_found,"), 250);
        assert_int_equal(asked_of_list(&run),
                         500 - run.counts.done_before); /* none of them again */
        assert_true(m < 2 || run.counts.done_before > 0);
        run_done(&run);
    }
}

/* Refusals that do not say whom they are about mean something beside a mailbox that was seen alive, and it was seen
 * before the kill. */
static void row_113_killed_after_a_live_one(void **state)
{
    (void)state;
    /* The one whose place comes before those of the others: it is asked first. */
    static const struct peer_script vague = {.live = {"emil"},
                                             .unknown = "550 Requested action not taken"};
    struct run run;
    run_init(&run);
    run.config.per_site_max = 1;
    add_domain(&run, "d.test", "5.9.1.1", WORLD_ACCEPT, &vague);
    FILE *list = open_list(&run);
    (void)fputs("email\nemil@d.test\n", list);
    for (int i = 0; i < VAGUE_ADDRESSES; i++) {
        (void)fprintf(list, "dead%c@d.test\n", 'a' + i);
    }
    assert_int_equal(fclose(list), 0);
    pid_t child = fork();
    if (child == 0) {
        run.kill_after = 8;
        play(&run, false);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    play(&run, true);
    assert_in_range(run.counts.done_before, 1, VAGUE_ADDRESSES / 2);
    assert_int_equal(lines_with(&run, ",accepted,"), 1);
    assert_int_equal(lines_with(&run, ",mailbox_not_found,"), VAGUE_ADDRESSES);
    run_done(&run);
}

static void row_116_117_odd_files(void **state)
{
    (void)state;
    static const struct peer_script honest = {.live = {"live"}};
    static const struct {
        const char *name, *text, *kept;
        size_t lines;
    } rows[] = {
        {"BOM and semicolons", "\xEF\xBB\xBFname;email\nJ\xC3\xB6rg;live@d.test\n",
         "J\xC3\xB6rg,live@d.test,deliverable", 2},
        {"tabs, CRLF", "name\temail\r\nJane\tlive@d.test\r\n", "Jane,live@d.test,deliverable", 2},
        {"a quoted newline", "name,email\n\"Jane\nDoe\",live@d.test\n",
         "Doe\",live@d.test,deliverable", 2},
        {"Latin-1", "name;email\nJ\xF6rg;live@d.test\n", "J\xC3\xB6rg,live@d.test,deliverable", 2},
        {"no header", "Jane,live@d.test\nPaul,dead@d.test\n", "Jane,live@d.test,deliverable", 3},
        {"header in column seven", "a,b,c,d,e,f,E-Mail\n1,2,3,4,5,6,live@d.test\n",
         "6,live@d.test,deliverable", 2},
        {"empty lines", "email\n\nlive@d.test\n\n\ndead@d.test\n", "live@d.test,deliverable", 3},
        {"a formula", "name,email\n=cmd(),live@d.test\n", "'=cmd(),live@d.test,deliverable", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run;
        run_init(&run);
        add_domain(&run, "d.test", "5.9.1.1", WORLD_ACCEPT, &honest);
        write_list(&run, rows[i].text);
        play(&run, true);
        if (lines_with(&run, rows[i].kept) != 1 || line_count(&run) != rows[i].lines) {
            fail_msg("%s: %.*s", rows[i].name, SLICE_ARG(buf_view(&run.output)));
        }
        run_done(&run);
    }
}

static void row_119_cancelled(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    add_five_hundred(&run);
    run.cancel_after = 200;
    play(&run, false);
    assert_true(run.elapsed_ms < 60000);
    if (run.answers > 210) { /* those that were being written go out: a group, or two */
        fail_msg("%u questions after the cancellation", run.answers - 200);
    }
    assert_true(run.unfinished > 0);
    assert_int_equal(line_count(&run), 501); /* what is done can be had */
    run.cancel_after = 0;
    play(&run, true);
    assert_int_equal(run.unfinished, 0);
    assert_int_equal(lines_with(&run, ",accepted,"), 250);
    run_done(&run);
}

/* Asked from elsewhere, by what it does to the store. */
static void row_119_paused(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    add_five_hundred(&run);
    run.wish_after = 200;
    play(&run, false);
    assert_int_equal(run.wish, STORE_WISH_PAUSE);
    assert_true(run.last_asked_ms - run.wished_ms <= 1000);
    assert_true(run.unfinished > 0);
    assert_int_equal(line_count(&run), 501);
    run.wish_after = 0;
    play(&run, true);
    assert_true(run.counts.done_before > 0);
    assert_int_equal(run.unfinished, 0);
    assert_int_equal(lines_with(&run, ",accepted,"), 250);
    run_done(&run);
}

/* People and time servers set clocks; nothing but the times in the output may show it. */
static void row_122_clock_jumps(void **state)
{
    (void)state;
    static const int64_t jumps[] = {0, 10 * INT64_C(31557600000), -10 * INT64_C(31557600000),
                                    3600000, -3600000};
    static const struct peer_script grey = {.live = {"live"}, .greylist_s = 60};
    uint64_t elapsed_ms = 0;
    unsigned questions = 0;
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        struct run run;
        run_init(&run);
        add_five_hundred(&run);
        add_domain(&run, "grey.test", "5.9.4.1", WORLD_ACCEPT, &grey);
        FILE *list = fopen(run.input, "a");
        assert_non_null(list);
        assert_true(fputs("live@grey.test\ndead@grey.test\n", list) >= 0);
        assert_int_equal(fclose(list), 0);
        run.jump_after = 300;
        run.jump_ms = jumps[i];
        play(&run, true);
        assert_int_equal(run.unfinished, 0);
        assert_int_equal(lines_with(&run, ",accepted,"), 251);
        assert_int_equal(lines_with(&run, ",mailbox_not_found,"), 251);
        assert_true(i == 0 || (run.elapsed_ms == elapsed_ms && run.answers == questions));
        elapsed_ms = run.elapsed_ms;
        questions = run.answers;
        run_done(&run);
    }
}

/* Stopped, and gone on with when the clock says otherwise: what is done stays done. */
static void row_122_clock_set_between_runs(void **state)
{
    (void)state;
    static const int64_t jumps[] = {10 * INT64_C(31557600000), -10 * INT64_C(31557600000)};
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        struct run run;
        run_init(&run);
        add_five_hundred(&run);
        run.cancel_after = 300;
        play(&run, false);
        uint64_t done = 500 - run.unfinished;
        assert_true(done > 0);
        run.cancel_after = 0;
        world_set_wall(run.world, jumps[i]);
        play(&run, true);
        assert_int_equal(run.counts.done_before, done);
        assert_int_equal(run.unfinished, 0);
        assert_int_equal(lines_with(&run, ",accepted,"), 250);
        assert_int_equal(lines_with(&run, ",mailbox_not_found,"), 250);
        run_done(&run);
    }
}

/* Rows 120 to 122 on the stage. */

static void is_cached_then_fresh(struct stage *stage)
{
    assert_false(stage_record(stage, 0)->is_cached);
    assert_true(stage_ask_again(stage, "live@d.test")->is_cached);
    assert_int_equal(stage_seen(stage, "5.9.1.1")->accepted, 1);
}

static void asks_afresh(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    config->is_fresh = true;
}

static void is_probed_again(struct stage *stage)
{
    assert_false(stage_ask_again(stage, "live@d.test")->is_cached);
    assert_int_equal(stage_seen(stage, "5.9.1.1")->accepted, 2);
}

static void was_one_probe(struct stage *stage)
{
    assert_int_equal(stage_seen(stage, "5.9.1.1")->accepted, 1);
}

/* What the address of rows 120c to 120e gets at present. */
struct mood {
    const char *answer; /* of a mailbox, see sim/peer.h */
};
static struct mood mood = {.answer = ""}; /* each check leaves it so */

static const char *by_mood(const void *context, struct slice path)
{
    const struct mood *now = context;
    return slice_starts(path, SLICE("jane@")) ? now->answer : NULL;
}

static const struct verdict_reason *reason_of(const struct record *record, const char *code)
{
    for (size_t i = 0; i < record->reason_count; i++) {
        if (strcmp(record->reasons[i].code, code) == 0) {
            return &record->reasons[i];
        }
    }
    return NULL;
}

static const struct record *next_run(struct stage *stage, uint32_t days)
{
    stage_sleep(stage, days * 86400);
    stage_restart(stage);
    const struct record *record = stage_ask_again(stage, "jane@d.test");
    assert_false(record->is_cached);
    return record;
}

/* Runs that lie days apart: the same, trouble, the opposite, which stays; none of them decides for another. */
static void days_count(struct stage *stage)
{
    double first = stage_record(stage, 0)->confidence;
    assert_null(reason_of(stage_record(stage, 0), "seen_before"));
    const struct record *again = next_run(stage, 8);
    assert_int_equal(again->sub, SUB_ACCEPTED);
    assert_non_null(reason_of(again, "seen_before"));
    assert_true(again->confidence > first);
    mood.answer = "451 4.3.0 Temporary local problem";
    const struct record *trouble = next_run(stage, 8);
    assert_int_equal(trouble->sub, SUB_TEMP_FAILURE);
    assert_int_equal(trouble->status, VERDICT_UNKNOWN);
    const struct verdict_reason *before = reason_of(trouble, "accepted_before");
    must(before != NULL);
    assert_int_equal(before->effect, 15);
    mood.answer = NULL;
    const struct record *gone = next_run(stage, 1);
    assert_int_equal(gone->sub, SUB_MAILBOX_NOT_FOUND);
    assert_int_equal(gone->smtp.attempts, 1);
    assert_non_null(reason_of(gone, "answer_changed"));
    assert_true(gone->confidence < 0.97);
    const struct record *still = next_run(stage, 4);
    assert_int_equal(still->sub, SUB_MAILBOX_NOT_FOUND);
    assert_null(reason_of(still, "answer_changed"));
    assert_non_null(reason_of(still, "seen_before"));
    mood.answer = "";
}

/* Two hours later the same server says the opposite: it is asked twice before that is believed. */
static void hours_ask_twice(struct stage *stage)
{
    mood.answer = NULL;
    stage_sleep(stage, 7200);
    stage_restart(stage);
    const struct record *gone = stage_ask_again(stage, "jane@d.test");
    assert_int_equal(gone->sub, SUB_MAILBOX_NOT_FOUND);
    assert_int_equal(gone->smtp.attempts, 2);
    assert_non_null(reason_of(gone, "answer_changed"));
    mood.answer = "";
}

/* Within the hour it is the same run, stopped and gone on with. */
static void minutes_do_not_count(struct stage *stage)
{
    mood.answer = NULL;
    stage_sleep(stage, 1800);
    stage_restart(stage);
    const struct record *gone = stage_ask_again(stage, "jane@d.test");
    assert_int_equal(gone->sub, SUB_MAILBOX_NOT_FOUND);
    assert_int_equal(gone->smtp.attempts, 1);
    assert_null(reason_of(gone, "answer_changed"));
    mood.answer = "";
}

static void fail_all_names(struct stage *stage, struct knocker_config *config)
{
    (void)config;
    assert_int_equal(zone_fail(world_zone(stage_world(stage)), "*", ZONE_NONE_REACHED), ERR_NONE);
}

static void ring(void *context)
{
    (void)context;
}

/* The record says when to ask again; until then the cause stands. */
static void is_right_when_names_are_back(struct stage *stage)
{
    struct door *door = world_door(stage_world(stage));
    struct timer later = {.fired = ring};
    uint32_t retry_s = stage_record(stage, 0)->retry_after_s;
    assert_in_range(retry_s, 60, 3600);
    assert_int_equal(zone_fail(world_zone(stage_world(stage)), "*", ZONE_WELL), ERR_NONE);
    door_timer_start(door, &later, door_now_ms(door) + (retry_s + 1) * 1000);
    door_run(door);
    assert_int_equal(stage_ask_again(stage, "live@d.test")->sub, SUB_ACCEPTED);
    assert_int_equal(stage_ask_again(stage, "dead@d.test")->sub, SUB_MAILBOX_NOT_FOUND);
}

static const struct scene scenes[] = {
    {"120", "the same address twice", .script = {.live = {"live"}},
     .asks = {{"live@d.test", "accepted"}}, .check = is_cached_then_fresh},
    {"120b", "twice, afresh", .script = {.live = {"live"}}, .asks = {{"live@d.test", "accepted"}},
     .tune = asks_afresh, .check = is_probed_again},
    {"120c", "in other runs, days apart", .script = {.mailbox = by_mood, .mailbox_context = &mood},
     .asks = {{"jane@d.test", "accepted"}}, .check = days_count},
    {"120d", "in another run, hours later",
     .script = {.mailbox = by_mood, .mailbox_context = &mood},
     .asks = {{"jane@d.test", "accepted"}}, .tune = asks_afresh, .check = hours_ask_twice},
    {"120e", "in another run, minutes later",
     .script = {.mailbox = by_mood, .mailbox_context = &mood},
     .asks = {{"jane@d.test", "accepted"}}, .tune = asks_afresh, .check = minutes_do_not_count},
    {"121", "two callers at once", .script = {.live = {"live"}},
     .asks = {{"live@d.test", "accepted"},
              {"live@d.test", "accepted"},
              {"live@D.test", "accepted"}},
     .check = was_one_probe},
    {"122", "the name servers are away for a time", .script = {.live = {"live"}},
     .asks = {{"live@d.test", "dns_error"}, {"dead@d.test", "dns_error"}}, .tune = fail_all_names,
     .check = is_right_when_names_are_back},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_110_one_large_domain),
        cmocka_unit_test(row_111_dead_exchangers),
        cmocka_unit_test(row_112_duplicates),
        cmocka_unit_test(row_113_killed_in_the_middle),
        cmocka_unit_test(row_113_killed_after_a_live_one),
        cmocka_unit_test(row_116_117_odd_files),
        cmocka_unit_test(row_119_cancelled),
        cmocka_unit_test(row_119_paused),
        cmocka_unit_test(row_122_clock_jumps),
        cmocka_unit_test(row_122_clock_set_between_runs),
    };
    int failed = cmocka_run_group_tests(tests, known_open, known_close);
    return failed + stage_play_all("bulk", scenes, sizeof scenes / sizeof scenes[0]);
}
