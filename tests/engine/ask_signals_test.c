/* An address of the village with an external service switched on: what the service says stands in the record, and is
 * stored with it; whatever it says or does not say, the verdict is the one without it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../net/web.h"
#include "../store/scratch.h"
#include "base/slice.h"
#include "engine/knocker.h"
#include "engine/signals.h"
#include "sim/village.h"

enum { URL_BYTES = 256, RESOLVER_BYTES = 32 };

static struct knowledge *knowledge;

struct scene {
    struct rig *rig;   /* of the servers */
    struct door *door; /* of those who ask: it knows the village's name server */
    struct village *village;
    struct web web;
    struct store *store;
    struct signals *signals;
    struct signals_config signals_config;
    struct knocker *knocker;
    struct knocker_config config;
    struct ip_net net;
    char base_url[URL_BYTES];
    bool is_silent;
};

static struct slice answer(void *context, const struct web_request *request)
{
    const struct scene *scene = context;
    (void)request;
    return scene->is_silent ? (struct slice){NULL, 0}
                            : SLICE("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\npng");
}

static const struct traffic_egress way_out = {
    .name = SLICE_LITERAL("default"), .helo_name = SLICE_LITERAL("probe.test"), .weight = 1};

static void open_scene(struct scene *scene, struct rig *rig)
{
    struct fault fault = {0};
    char resolver[RESOLVER_BYTES];
    const char *resolvers[] = {resolver};
    *scene = (struct scene){.rig = rig};
    assert_int_equal(village_open(rig->door, &(struct village_config){0}, &scene->village, &fault),
                     ERR_NONE);
    (void)snprintf(resolver, sizeof resolver, "%s:%u", village_dns_ip,
                   (unsigned)village_dns_port(scene->village));
    const struct uv_door_config door = {.resolvers = resolvers, .resolver_count = 1};
    assert_int_equal(uv_door_open(&door, &scene->door, &fault), ERR_NONE);
    web_open(&scene->web, rig, "127.0.0.1", answer, scene);
    (void)web_url(&scene->web, "127.0.0.1", "", scene->base_url);
    assert_true(ip_net_parse(SLICE("127.0.0.0/8"), &scene->net));
    scene->store = scratch_open(":memory:");
    signals_config_init(&scene->signals_config);
    scene->signals_config.http.allowed_nets = &scene->net;
    scene->signals_config.http.allowed_net_count = 1;
    scene->signals_config.of[SIGNAL_GRAVATAR].is_enabled = true;
    scene->signals_config.of[SIGNAL_GRAVATAR].base_url = slice_of(scene->base_url);
    knocker_config_init(&scene->config);
    scene->config.egresses = &way_out;
    scene->config.egress_count = 1;
    scene->config.port = village_port(scene->village);
    scene->config.allowed_nets[0] = scene->net;
    scene->config.allowed_net_count = 1;
}

static void open_knocker(struct scene *scene)
{
    struct fault fault = {0};
    assert_int_equal(
        signals_open(scene->door, scene->store, &scene->signals_config, &scene->signals, &fault),
        ERR_NONE);
    scene->config.signals = scene->signals;
    assert_int_equal(
        knocker_new(scene->door, knowledge, &scene->config, scene->store, &scene->knocker),
        ERR_NONE);
}

static void close_knocker(struct scene *scene)
{
    knocker_free(scene->knocker);
    signals_close(scene->signals);
}

static void close_scene(struct scene *scene)
{
    store_close(scene->store);
    uv_door_close(scene->door);
    web_close(&scene->web);
    village_close(scene->village);
}

struct told {
    unsigned count;
    enum verdict_sub sub;
    int score;
    bool is_cached;
    struct verify_signals signals;
    char code[64];
};

static void hear(void *context, const struct record *record)
{
    struct told *told = context;
    told->count++;
    told->sub = record->sub;
    told->score = record->score;
    told->is_cached = record->is_cached;
    told->signals = record->signals;
    for (uint8_t i = 0; i < record->reason_count; i++) {
        if (strcmp(record->reasons[i].code, "has_gravatar") == 0) {
            (void)snprintf(told->code, sizeof told->code, "%s", record->reasons[i].code);
        }
    }
}

/* Both doors take turns: one thread has the servers and those who ask. */
static struct told ask(struct scene *scene, const char *address)
{
    struct told told = {0};
    assert_int_equal(knocker_ask(scene->knocker, slice_of(address), hear, &told), ERR_NONE);
    while (told.count == 0) {
        door_turn(scene->door);
        rig_rest(scene->rig, 1);
    }
    assert_int_equal(told.count, 1);
    return told;
}

static void what_they_say_stands_in_the_record(void **state)
{
    struct scene scene;
    open_scene(&scene, *state);
    open_knocker(&scene);
    struct told told = ask(&scene, "jane@plain.example");
    assert_int_equal(told.sub, SUB_ACCEPTED);
    assert_int_equal(told.signals.of[SIGNAL_GRAVATAR].result, SIGNAL_YES);
    assert_string_equal(told.code, "has_gravatar");
    assert_int_equal(told.score, 100);
    assert_int_equal(scene.web.count, 1);
    told = ask(&scene, "jane@plain.example"); /* from the store, the service's word with it */
    assert_true(told.is_cached);
    assert_int_equal(told.signals.of[SIGNAL_GRAVATAR].result, SIGNAL_YES);
    told = ask(&scene, "g.fischer@plain.example");
    assert_int_equal(told.sub, SUB_MAILBOX_NOT_FOUND);
    assert_int_equal(told.score, 3);
    assert_int_equal(told.signals.of[SIGNAL_GRAVATAR].result, SIGNAL_YES);
    assert_int_equal(scene.web.count, 2);
    assert_int_equal(ask(&scene, "no address").sub, SUB_INVALID_SYNTAX); /* asks nobody */
    assert_int_equal(scene.web.count, 2);
    close_knocker(&scene);
    close_scene(&scene);
}

static void a_silent_service_costs_its_time_only(void **state)
{
    struct scene scene;
    open_scene(&scene, *state);
    scene.is_silent = true;
    scene.signals_config.of[SIGNAL_GRAVATAR].timeout_ms = 50;
    open_knocker(&scene);
    struct told told = ask(&scene, "jane@plain.example");
    assert_int_equal(told.sub, SUB_ACCEPTED);
    assert_int_equal(told.score, 95);
    assert_int_equal(told.signals.of[SIGNAL_GRAVATAR].result, SIGNAL_NO_ANSWER);
    close_knocker(&scene);
    close_scene(&scene);
}

/* Who asked has no more time: the verdict is there, and what the services say is not awaited. */
static void the_time_of_the_question_is_theirs_too(void **state)
{
    struct scene scene;
    open_scene(&scene, *state);
    scene.is_silent = true;
    scene.signals_config.of[SIGNAL_GRAVATAR].timeout_ms = 100000;
    open_knocker(&scene);
    struct told told = {0};
    assert_int_equal(knocker_ask(scene.knocker, SLICE("jane@plain.example"), hear, &told),
                     ERR_NONE);
    while (scene.web.count == 0) {
        door_turn(scene.door);
        rig_rest(scene.rig, 1);
    }
    knocker_cancel(scene.knocker);
    while (told.count == 0) {
        door_turn(scene.door);
        rig_rest(scene.rig, 1);
    }
    assert_int_equal(told.sub, SUB_ACCEPTED);
    assert_int_equal(told.signals.of[SIGNAL_GRAVATAR].result, SIGNAL_OFF);
    close_knocker(&scene);
    close_scene(&scene);
}

static int load(void **state)
{
    (void)state;
    return knowledge_open(DATA_DIR, &knowledge, NULL) == ERR_NONE ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    knowledge_free(knowledge);
    return 0;
}

#define ON_RIG(test) cmocka_unit_test_setup_teardown(test, rig_open, rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_RIG(what_they_say_stands_in_the_record),
        ON_RIG(a_silent_service_costs_its_time_only),
        ON_RIG(the_time_of_the_question_is_theirs_too),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
