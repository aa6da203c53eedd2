/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "engine/knowledge.h"
#include "store/store.h"

enum {
    BUDGET_MS = 6 * 3600 * 1000,
    JSON_BYTES_MAX = 1 << 20,
    RECORDS_BYTES_MAX = 4 << 20,
    NAME_TTL_S = 600,
    EXTRA_ANSWERS = 8,
};

struct stage_answer {
    struct stage *stage;
    struct record record;
    uint64_t at_ms;
    unsigned count; /* must be one */
};

struct stage {
    const struct scene *scene;
    struct world *world;
    struct knowledge *own_knowledge; /* where the scene has providers of its own */
    struct store *store;
    struct knocker *knocker;
    struct stage_answer answers[STAGE_ASKS_MAX + EXTRA_ANSWERS];
    size_t asked, answered;
    uint64_t started_ms;
    bool is_whole;                               /* who waits is not kept as a few bytes */
    struct peer_script scripts[STAGE_HOSTS_MAX]; /* of this playing */
    size_t split_bytes;
};

static const struct knowledge *shared_knowledge(void)
{
    static struct knowledge *knowledge;
    if (knowledge == NULL) {
        struct fault fault;
        if (knowledge_open(DATA_DIR, &knowledge, &fault) != ERR_NONE) {
            fail_msg("%s", fault.text);
        }
    }
    return knowledge;
}

/* Ours with the scene's provider file over them. */
static struct knowledge *knowledge_with(const char *providers)
{
    char path[] = "/tmp/heloise-stage-XXXXXX";
    int descriptor = mkstemp(path);
    must(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    must(file != NULL && fputs(providers, file) >= 0 && fclose(file) == 0);
    const char *const paths[] = {path};
    const struct knowledge_files files = {
        .data_dir = DATA_DIR, .provider_files = paths, .provider_file_count = 1};
    struct knowledge *knowledge = NULL;
    struct fault fault;
    enum err e = knowledge_open_files(&files, &knowledge, &fault);
    must(remove(path) == 0);
    if (e != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return knowledge;
}

static void add_name(struct stage *stage, const char *name, enum dns_type type, const char *value)
{
    if (zone_add(world_zone(stage->world), name, type, value, NAME_TTL_S) != ERR_NONE) {
        fail_msg("cannot add %s %s", name, value);
    }
}

static void add_host(struct stage *stage, size_t index, const struct stage_host *host)
{
    stage->scripts[index] = host->script;
    struct world_host made = {.ip = host->ip,
                              .behaviour = host->behaviour,
                              .tls = host->tls,
                              .is_cert_bad = host->is_cert_bad,
                              .script = &stage->scripts[index],
                              .split_bytes = stage->split_bytes};
    assert_int_equal(world_host_add(stage->world, &made), ERR_NONE);
    if (host->mx == NULL) {
        return;
    }
    char value[300];
    (void)snprintf(value, sizeof value, "%u %s", (unsigned)host->preference, host->mx);
    add_name(stage, "d.test", DNS_MX, value);
    bool is_v6 = strchr(host->ip, ':') != NULL;
    add_name(stage, host->mx, is_v6 ? DNS_AAAA : DNS_A, host->ip);
}

static void build_world(struct stage *stage)
{
    const struct scene *scene = stage->scene;
    struct world_config config = {.seed = 7, .no_ipv6 = scene->no_ipv6};
    assert_int_equal(world_new(&config, &stage->world), ERR_NONE);
    if (scene->hosts[0].ip == NULL && !scene->no_domain) {
        struct stage_host host = {
            .ip = "5.9.1.1", .mx = "mx.d.test", .preference = 10, .script = scene->script};
        add_host(stage, 0, &host);
    }
    for (size_t i = 0; i < STAGE_HOSTS_MAX && scene->hosts[i].ip != NULL; i++) {
        add_host(stage, i, &scene->hosts[i]);
    }
    for (size_t i = 0; i < STAGE_NAMES_MAX && scene->names[i].name != NULL; i++) {
        add_name(stage, scene->names[i].name, scene->names[i].type, scene->names[i].value);
    }
}

void stage_name_sender(struct knocker_config *config)
{
    static const struct traffic_egress named = {
        .name = SLICE_LITERAL("default"),
        .helo_name = SLICE_LITERAL(STAGE_HELO),
        .mail_from = SLICE_LITERAL("knock@heloise.test"),
        .weight = 1,
    };
    config->egresses = &named;
    config->verify.has_sender = true;
}

static void build_engine(struct stage *stage)
{
    struct knocker_config config;
    knocker_config_init(&config);
    static const struct traffic_egress egress = {
        .name = SLICE_LITERAL("default"), .helo_name = SLICE_LITERAL(STAGE_HELO), .weight = 1};
    config.egresses = &egress;
    config.egress_count = 1;
    config.budget_ms = stage->scene->budget_s == 0 ? BUDGET_MS : stage->scene->budget_s * 1000;
    if (stage->is_whole) {
        config.park_ms_min = UINT32_MAX;
    }
    if (stage->scene->tune != NULL) {
        stage->scene->tune(stage, &config);
    }
    const struct knowledge *knowledge = shared_knowledge();
    if (stage->scene->providers != NULL) {
        if (stage->own_knowledge == NULL) {
            stage->own_knowledge = knowledge_with(stage->scene->providers);
        }
        knowledge = stage->own_knowledge;
    }
    /* The store follows, as in `heloise verify`; tests of the service have it from the start. */
    struct door *door = world_door(stage->world);
    assert_int_equal(knocker_new(door, knowledge, &config, NULL, &stage->knocker), ERR_NONE);
    knocker_use_store(stage->knocker, stage->store);
}

static void build_store(struct stage *stage)
{
    struct fault fault;
    if (store_open(":memory:", &stage->store, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

/* Asking. */

static void on_answer(void *context, const struct record *record)
{
    struct stage_answer *answer = context;
    struct stage *stage = answer->stage;
    answer->at_ms = door_now_ms(world_door(stage->world));
    if (answer->count++ == 0) {
        struct buf json;
        buf_init(&json, JSON_BYTES_MAX);
        assert_int_equal(record_write_json(record, &json), ERR_NONE);
        assert_int_equal(record_read_json(buf_view(&json), &answer->record), ERR_NONE);
        buf_done(&json);
    }
    stage->answered++;
}

static void ask(struct stage *stage, const char *address)
{
    must(stage->asked < STAGE_ASKS_MAX + EXTRA_ANSWERS);
    struct stage_answer *answer = &stage->answers[stage->asked++];
    answer->stage = stage;
    assert_int_equal(knocker_ask(stage->knocker, slice_of(address), on_answer, answer), ERR_NONE);
}

static void run_world(struct stage *stage)
{
    door_run(world_door(stage->world));
    if (world_is_cut(stage->world)) {
        fail_msg("row %s: the world did not come to rest", stage->scene->row);
    }
}

static void ask_all(struct stage *stage)
{
    const struct scene *scene = stage->scene;
    stage->started_ms = door_now_ms(world_door(stage->world));
    for (size_t i = 0; i < STAGE_ASKS_MAX && scene->asks[i].address != NULL; i++) {
        ask(stage, scene->asks[i].address);
        if (scene->is_one_by_one) {
            run_world(stage);
        }
    }
    run_world(stage);
}

/* Checking. */

static bool is_among(struct slice words, const char *word)
{
    while (words.at != NULL) {
        if (slice_equal(slice_cut(&words, '|'), slice_of(word))) {
            return true;
        }
    }
    return false;
}

static void check_answers(const struct stage *stage)
{
    const struct scene *scene = stage->scene;
    for (size_t i = 0; i < STAGE_ASKS_MAX && scene->asks[i].address != NULL; i++) {
        const struct stage_answer *answer = &stage->answers[i];
        if (answer->count != 1) {
            fail_msg("row %s, %s: answered %u times", scene->row, scene->asks[i].address,
                     answer->count);
        }
        const struct record *record = &answer->record;
        const char *sub = verdict_sub_name(record->sub);
        if (!is_among(slice_of(scene->asks[i].sub), sub)) {
            for (size_t r = 0; r < record->reason_count; r++) {
                print_message("  %s: %s\n", record->reasons[r].code, record->reasons[r].detail);
            }
            fail_msg("row %s, %s (split %zu): %s, expected %s; last reply at %s: %u %.*s",
                     scene->row, scene->asks[i].address, stage->split_bytes, sub,
                     scene->asks[i].sub, hel_smtp_stage_name(record->smtp.stage),
                     (unsigned)record->smtp.code, SLICE_ARG(record->smtp.text));
        }
    }
}

static void check_names(const struct scene *scene, const struct peer_names *names,
                        const char *const *allowed, const char *what)
{
    for (unsigned i = 0; i < names->count; i++) {
        bool is_known = false;
        for (const char *const *at = allowed; *at != NULL; at++) {
            is_known = is_known || strcmp(names->at[i], *at) == 0;
        }
        if (!is_known) {
            fail_msg("row %s: %s was '%s'", scene->row, what, names->at[i]);
        }
    }
}

static void check_manners(const struct stage *stage, const struct peer_seen *seen)
{
    static const char *const helo[] = {STAGE_HELO, NULL};
    static const char *const senders[] = {"", "knock@heloise.test", NULL};
    const struct scene *scene = stage->scene;
    if (seen->commands[PEER_AT_DATA] + seen->bdat + seen->vrfy + seen->expn + seen->others > 0) {
        fail_msg("row %s: a command was sent that never may be", scene->row);
    }
    if (seen->left_without_quit > 0 && !scene->may_drop) {
        fail_msg("row %s: %u lines were left without QUIT", scene->row,
                 (unsigned)seen->left_without_quit);
    }
    if (seen->early_commands > 0) {
        fail_msg("row %s: %u commands came too early", scene->row, (unsigned)seen->early_commands);
    }
    check_names(scene, &seen->helo, helo, "the EHLO name");
    check_names(scene, &seen->senders, senders, "a sender");
}

static void check_all_manners(const struct stage *stage)
{
    const struct scene *scene = stage->scene;
    if (scene->hosts[0].ip == NULL && !scene->no_domain) {
        check_manners(stage, stage_seen(stage, "5.9.1.1"));
    }
    for (size_t i = 0; i < STAGE_HOSTS_MAX && scene->hosts[i].ip != NULL; i++) {
        check_manners(stage, stage_seen(stage, scene->hosts[i].ip));
    }
}

static void take_down(struct stage *stage)
{
    knocker_free(stage->knocker);
    store_close(stage->store);
    world_free(stage->world);
    knowledge_free(stage->own_knowledge);
    for (size_t i = 0; i < stage->asked; i++) {
        record_done(&stage->answers[i].record);
    }
    free(stage);
}

/* What was answered to the scene's questions, as JSON. */
static void keep_records(const struct stage *stage, struct buf *out)
{
    const struct scene *scene = stage->scene;
    for (size_t i = 0; i < STAGE_ASKS_MAX && scene->asks[i].address != NULL; i++) {
        assert_int_equal(record_write_json(&stage->answers[i].record, out), ERR_NONE);
        assert_int_equal(buf_append_byte(out, '\n'), ERR_NONE);
    }
}

static void play(const struct scene *scene, size_t split_bytes, bool is_whole,
                 struct buf *out_records)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage->scene = scene;
    stage->split_bytes = split_bytes;
    stage->is_whole = is_whole;
    build_world(stage);
    build_store(stage);
    build_engine(stage);
    ask_all(stage);
    check_answers(stage);
    keep_records(stage, out_records);
    if (scene->check != NULL) {
        scene->check(stage);
    }
    check_all_manners(stage);
    take_down(stage);
}

static void play_scene(void **state)
{
    static const size_t splits[] = {0, 1, 7};
    const struct scene *scene = *state;
    struct buf records[2];
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        buf_init(&records[0], RECORDS_BYTES_MAX);
        play(scene, splits[i], false, &records[0]);
        if (i == 0 &&
            !scene
                 ->is_order_open) { /* an address that waited as a few bytes has the same record as one that did not */
            buf_init(&records[1], RECORDS_BYTES_MAX);
            play(scene, splits[i], true, &records[1]);
            if (!slice_equal(buf_view(&records[0]), buf_view(&records[1]))) {
                fail_msg("row %s: the records differ:\n%.*s\nand:\n%.*s", scene->row,
                         SLICE_ARG(buf_view(&records[0])), SLICE_ARG(buf_view(&records[1])));
            }
            buf_done(&records[1]);
        }
        buf_done(&records[0]);
    }
}

int stage_play_all(const char *group, const struct scene *scenes, size_t count)
{
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    char(*names)[128] = calloc(count, sizeof *names);
    must(tests != NULL && names != NULL);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "row %s: %s", scenes[i].row, scenes[i].name);
        tests[i].name = names[i];
        tests[i].test_func = play_scene;
        tests[i].initial_state = (void *)(uintptr_t)&scenes[i];
    }
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    free(names);
    free(tests);
    return failed;
}

/* For checks. */

const struct record *stage_record(const struct stage *stage, size_t index)
{
    return &stage->answers[index].record;
}

const struct peer_seen *stage_seen(const struct stage *stage, const char *ip)
{
    struct peer_server *server = world_host_server(stage->world, ip, 25);
    assert_non_null(server);
    return peer_server_seen(server);
}

void stage_host_counts(const struct stage *stage, const char *ip, struct world_host_counts *out)
{
    world_host_count(stage->world, ip, 25, out);
}

struct world *stage_world(const struct stage *stage)
{
    return stage->world;
}

struct knocker *stage_knocker(const struct stage *stage)
{
    return stage->knocker;
}

static void wake(void *context)
{
    (void)context;
}

void stage_sleep(struct stage *stage, uint32_t seconds)
{
    struct door *door = world_door(stage->world);
    struct timer timer = {.fired = wake};
    door_timer_start(door, &timer, door_now_ms(door) + (uint64_t)seconds * 1000);
    run_world(stage);
}

void stage_restart(struct stage *stage)
{
    knocker_free(stage->knocker);
    build_engine(stage);
}

uint64_t stage_elapsed_ms(const struct stage *stage, size_t index)
{
    return stage->answers[index].at_ms - stage->started_ms;
}

const struct record *stage_ask_again(struct stage *stage, const char *address)
{
    ask(stage, address);
    run_world(stage);
    assert_int_equal(stage->answers[stage->asked - 1].count, 1);
    return &stage->answers[stage->asked - 1].record;
}
