/* The service against real servers on loopback: questions from another thread, shared, watched, left and timed out;
 * stored answers; calls onto the desk.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../net/rig.h"
#include "../store/scratch.h"
#include "base/must.h"
#include "base/slice.h"
#include "net/uv_mailbox.h"
#include "sim/village.h"

enum { TEXT_BYTES_MAX = 1 << 16, ANSWERS_MAX = 8 };

static struct knowledge *knowledge;

struct scene {
    struct rig *rig;
    struct village *village;
    struct uv_mailbox *bell; /* wakes the rig's loop when the desk has said something */
    char db[SCRATCH_PATH_BYTES];
    struct service *service;
};

/* What one who asked was told; written by the desk's thread, read once is_answered says so. */
struct listener_log {
    struct scene *scene;
    struct service_ticket *ticket;
    struct buf lines, news;
    enum verdict_status status;
    enum verdict_sub sub;
    bool is_pending, is_cached;
    size_t transcript_count;
    unsigned answers;
    atomic_bool is_answered;
};

static void free_posts(struct uv_post *first)
{
    while (first != NULL) {
        struct uv_post *next = first->next;
        free(first);
        first = next;
    }
}

static void on_bell(void *context, struct uv_post *first)
{
    struct scene *scene = context;
    door_stop(scene->rig->door);
    free_posts(first);
}

static void ring(struct scene *scene)
{
    struct uv_post *post = malloc(sizeof *post);
    must(post != NULL);
    uv_mailbox_post(scene->bell, post);
}

static void on_said(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct listener_log *log = context;
    (void)t_ms;
    must(buf_printf(&log->lines, "%c %.*s\n", direction, SLICE_ARG(line)) == ERR_NONE);
}

static void on_moved(void *context, struct slice what)
{
    struct listener_log *log = context;
    must(buf_printf(&log->news, "%.*s\n", SLICE_ARG(what)) == ERR_NONE);
}

static void on_answered(void *context, const struct record *record, bool is_pending)
{
    struct listener_log *log = context;
    log->status = record->status;
    log->sub = record->sub;
    log->is_pending = is_pending;
    log->is_cached = record->is_cached;
    log->transcript_count = record->transcript_count;
    log->answers++;
    atomic_store(&log->is_answered, true);
    ring(log->scene);
}

static void open_scene(struct scene *scene, struct rig *rig, void **folder)
{
    static const struct traffic_egress way_out = {
        .name = SLICE_LITERAL("default"), .helo_name = SLICE_LITERAL("probe.test"), .weight = 1};
    struct fault fault = {0};
    *scene = (struct scene){.rig = rig};
    assert_int_equal(scratch_make(folder), 0);
    scratch_path(folder, "store.db", scene->db);
    if (village_open(rig->door, &(struct village_config){0}, &scene->village, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    assert_int_equal(uv_mailbox_open(rig->door, on_bell, scene, &scene->bell), ERR_NONE);
    char resolver[32];
    const char *resolvers[] = {resolver};
    (void)snprintf(resolver, sizeof resolver, "%s:%u", village_dns_ip,
                   (unsigned)village_dns_port(scene->village));
    struct service_config config = {
        .knowledge = knowledge,
        .door = {.resolvers = resolvers, .resolver_count = 1},
        .store_path = scene->db,
    };
    knocker_config_init(&config.knocker);
    config.knocker.egresses = &way_out;
    config.knocker.port = village_port(scene->village);
    config.knocker.is_budget_wall_clock = false;
    config.knocker.allowed_net_count = 1;
    must(ip_net_parse(SLICE("127.0.0.0/8"), &config.knocker.allowed_nets[0]));
    if (service_open(&config, &scene->service, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

static void close_scene(struct scene *scene, void **folder)
{
    service_close(scene->service);
    free_posts(uv_mailbox_take(scene->bell));
    uv_mailbox_close(scene->bell);
    village_close(scene->village);
    (void)scratch_remove(folder);
}

static void ask(struct scene *scene, struct listener_log *log, const char *address,
                struct service_question question)
{
    *log = (struct listener_log){.scene = scene};
    buf_init(&log->lines, TEXT_BYTES_MAX);
    buf_init(&log->news, TEXT_BYTES_MAX);
    question.address = slice_of(address);
    question.answered = on_answered;
    question.context = log;
    assert_int_equal(service_ask(scene->service, &question, &log->ticket), ERR_NONE);
}

static void forget(struct listener_log *log)
{
    service_leave(log->ticket);
    buf_done(&log->lines);
    buf_done(&log->news);
}

#define UNTIL_ANSWERED(scene, log) RIG_UNTIL((scene)->rig, atomic_load(&(log)->is_answered))

/* What another thread brings about unasked: looked for again and again, for a while. */
#define SOON(scene, claim)                 \
    for (int look = 0; !(claim); look++) { \
        assert_true(look < 500);           \
        rig_rest((scene)->rig, 20);        \
    }

static bool has(const struct buf *text, const char *part)
{
    return memmem(text->at, text->len, part, strlen(part)) != NULL;
}

static void an_address_is_answered_and_kept(void **state)
{
    void *folder = NULL;
    struct scene scene;
    struct listener_log log;
    struct service_cached cached;
    struct service_counts counts;
    struct buf json;
    buf_init(&json, TEXT_BYTES_MAX);
    open_scene(&scene, *state, &folder);
    assert_false(service_find_cached(scene.service, SLICE("jane@plain.example"), &json, &cached));
    ask(&scene, &log, "jane@plain.example", (struct service_question){.timeout_ms = 0});
    UNTIL_ANSWERED(&scene, &log);
    assert_int_equal(log.status, VERDICT_DELIVERABLE);
    assert_false(log.is_pending);
    assert_int_equal(log.transcript_count, 0);
    forget(&log);
    assert_true(service_find_cached(scene.service, SLICE("jane@PLAIN.example"), &json, &cached));
    assert_true(has(&json, "{\"email\":\"jane@PLAIN.example\",\"normalized\":"));
    assert_true(has(&json, "\"status\":\"deliverable\""));
    assert_true(has(&json, "\"cached\":true"));
    assert_true(cached.expires_at_ms > cached.checked_at_ms);
    service_forget(scene.service, SLICE("jane@plain.example"));
    buf_clear(&json);
    SOON(&scene, service_find_cached(scene.service, SLICE("jane@plain.example"), &json,
                                     &cached)); /* from the store */
    assert_true(has(&json, "\"status\":\"deliverable\""));
    service_count(scene.service, &counts);
    assert_int_equal(counts.questions, 1);
    assert_int_equal(counts.open, 0);
    assert_int_equal(counts.by_status[VERDICT_DELIVERABLE], 1);
    assert_true(counts.cache_hits >= 2 && counts.cache_misses >= 1);
    buf_done(&json);
    close_scene(&scene, &folder);
}

static void what_is_no_address_is_answered(void **state)
{
    void *folder = NULL;
    struct scene scene;
    struct listener_log log;
    struct service_ticket *ticket;
    open_scene(&scene, *state, &folder);
    ask(&scene, &log, "no address", (struct service_question){.timeout_ms = 1000});
    UNTIL_ANSWERED(&scene, &log);
    assert_int_equal(log.sub, SUB_INVALID_SYNTAX);
    forget(&log);
    ask(&scene, &log, "", (struct service_question){.timeout_ms = 0});
    UNTIL_ANSWERED(&scene, &log);
    assert_int_equal(log.sub, SUB_INVALID_SYNTAX);
    forget(&log);
    char *large = calloc(1, TEXT_BYTES_MAX);
    must(large != NULL);
    const struct service_question question = {.address = slice_make(large, TEXT_BYTES_MAX)};
    assert_int_equal(service_ask(scene.service, &question, &ticket), ERR_LIMIT);
    free(large);
    close_scene(&scene, &folder);
}

static void a_conversation_can_be_watched(void **state)
{
    void *folder = NULL;
    struct scene scene;
    struct listener_log log;
    open_scene(&scene, *state, &folder);
    ask(&scene, &log, "jane@plain.example",
        (struct service_question){.said = on_said, .moved = on_moved});
    UNTIL_ANSWERED(&scene, &log);
    assert_int_equal(log.status, VERDICT_DELIVERABLE);
    assert_true(log.transcript_count > 0);
    assert_true(has(&log.lines, "S 220"));
    assert_true(has(&log.lines, "C EHLO probe.test"));
    assert_true(has(&log.lines, "C RCPT TO:<jane@plain.example>"));
    const char *first = memmem(log.lines.at, log.lines.len, "C STARTTLS", 10);
    assert_non_null(first);
    size_t behind = log.lines.len - (size_t)(first + 10 - log.lines.at);
    assert_true(memmem(log.lines.at, log.lines.len, "S 220", 5) < (const void *)first);
    assert_null(memmem(first + 10, behind, "C STARTTLS", 10)); /* nothing is told twice */
    assert_true(has(&log.news, "looking up plain.example") || has(&log.news, "talking to"));
    forget(&log);
    ask(&scene, &log, "jane@plain.example", (struct service_question){.said = on_said});
    UNTIL_ANSWERED(&scene, &log);
    assert_false(log.is_cached); /* a kept answer has no conversation to show */
    assert_true(has(&log.lines, "C RCPT TO:<jane@plain.example>"));
    forget(&log);
    close_scene(&scene, &folder);
}

static void callers_share_a_probe(void **state)
{
    void *folder = NULL;
    struct scene scene;
    struct listener_log logs[ANSWERS_MAX];
    struct service_counts counts;
    open_scene(&scene, *state, &folder);
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        ask(&scene, &logs[i], "paul.smith@plain.example",
            (struct service_question){.timeout_ms = 0});
    }
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        UNTIL_ANSWERED(&scene, &logs[i]);
        assert_int_equal(logs[i].status, logs[0].status);
        forget(&logs[i]);
    }
    SOON(&scene, (service_count(scene.service, &counts), counts.knocker.answered > 0));
    assert_int_equal(counts.knocker.probes - counts.knocker.control_probes, 1);
    close_scene(&scene, &folder);
}

static void time_is_over_before_the_answer(void **state)
{
    void *folder = NULL;
    struct scene scene;
    struct listener_log log, late;
    open_scene(&scene, *state, &folder);
    ask(&scene, &log, "jane@grey.example", (struct service_question){.timeout_ms = 300});
    ask(&scene, &late, "jane@grey.example", (struct service_question){.timeout_ms = 0});
    UNTIL_ANSWERED(&scene, &log);
    assert_true(log.is_pending);
    assert_int_equal(log.status, VERDICT_UNKNOWN);
    forget(&log);
    UNTIL_ANSWERED(&scene, &late); /* the other one gets what came of it */
    assert_false(late.is_pending);
    forget(&late);
    close_scene(&scene, &folder);
}

static void who_left_hears_nothing(void **state)
{
    void *folder = NULL;
    struct scene scene;
    struct listener_log log;
    struct service_cached cached;
    struct buf json;
    buf_init(&json, TEXT_BYTES_MAX);
    open_scene(&scene, *state, &folder);
    ask(&scene, &log, "jane@plain.example", (struct service_question){.said = on_said});
    service_leave(log.ticket);
    log.ticket = NULL;
    size_t said = log.lines.len;
    SOON(&scene, service_find_cached(scene.service, SLICE("jane@plain.example"), &json,
                                     &cached)); /* the work went on */
    assert_int_equal(log.lines.len, said);
    assert_int_equal(log.answers, 0);
    forget(&log);
    buf_done(&json);
    close_scene(&scene, &folder);
}

static void the_end_answers_all(void **state)
{
    void *folder = NULL;
    struct scene scene;
    struct listener_log logs[ANSWERS_MAX];
    open_scene(&scene, *state, &folder);
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        ask(&scene, &logs[i], i % 2 == 0 ? "jane@grey.example" : "jane@slow.example",
            (struct service_question){.timeout_ms = 60000});
    }
    service_close(scene.service);
    scene.service = NULL;
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        assert_int_equal(logs[i].answers, 1);
        assert_int_equal(logs[i].status, VERDICT_UNKNOWN);
        forget(&logs[i]);
    }
    close_scene(&scene, &folder);
}

static void note_desk(struct desk *desk, void *context)
{
    struct fault fault;
    struct slice *value = context;
    must(desk->knocker != NULL && desk->door != NULL);
    must(store_domain_put(desk->store, SLICE("d.example"), SLICE("n"), *value, 1, INT64_MAX) ==
         ERR_NONE);
    must(store_flush(desk->store, &fault) == ERR_NONE);
}

static void calls_write_and_readers_see_it(void **state)
{
    void *folder = NULL;
    struct scene scene;
    struct fault fault;
    struct store *readers[SERVICE_READERS_MAX + 1];
    struct buf text;
    struct slice value = SLICE("written");
    buf_init(&text, TEXT_BYTES_MAX);
    open_scene(&scene, *state, &folder);
    assert_true(service_call(scene.service, note_desk, &value));
    for (size_t i = 0; i < SERVICE_READERS_MAX + 1; i++) {
        assert_int_equal(service_lend_store(scene.service, &readers[i], &fault), ERR_NONE);
    }
    assert_true(store_domain_find(readers[0], SLICE("d.example"), SLICE("n"), 2, &text));
    assert_string_equal((buf_append_byte(&text, '\0') == ERR_NONE ? text.at : ""), "written");
    assert_int_not_equal(
        store_domain_put(readers[0], SLICE("d.example"), SLICE("n"), value, 1, INT64_MAX),
        ERR_NONE);
    for (size_t i = 0; i < SERVICE_READERS_MAX + 1; i++) {
        service_give_back_store(scene.service, readers[i]);
    }
    assert_int_equal(service_lend_store(scene.service, &readers[0], &fault), ERR_NONE);
    service_give_back_store(scene.service, readers[0]);
    buf_done(&text);
    close_scene(&scene, &folder);
}

static void a_store_that_cannot_be_opened_is_said(void **state)
{
    (void)state;
    struct service_config config = {.knowledge = knowledge, .store_path = "/dev/null/store.db"};
    struct service *service = NULL;
    struct fault fault = {0};
    knocker_config_init(&config.knocker);
    assert_int_not_equal(service_open(&config, &service, &fault), ERR_NONE);
    assert_null(service);
    assert_true(fault.text[0] != '\0');
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
        cmocka_unit_test_setup_teardown(an_address_is_answered_and_kept, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(what_is_no_address_is_answered, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(a_conversation_can_be_watched, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(callers_share_a_probe, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(time_is_over_before_the_answer, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(who_left_hears_nothing, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(the_end_answers_all, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(calls_write_and_readers_see_it, rig_open, rig_close),
        cmocka_unit_test(a_store_that_cannot_be_opened_is_said),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    knowledge_free(knowledge);
    return failed;
}
