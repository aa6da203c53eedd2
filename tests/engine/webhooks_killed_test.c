/* Whenever the sender is killed: what was committed is delivered, and each happening has one id.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../net/web.h"
#include "../store/scratch.h"
#include "base/slice.h"
#include "engine/webhooks.h"

enum { HAPPENINGS = 6, EARLY_LIVES = 8, LIVES = 24, URL_BYTES = 256, VALUE_BYTES = 512 };

/* The receiver, in the parent; and who sends, in a child. */
struct scene {
    char path[SCRATCH_PATH_BYTES];
    char url[URL_BYTES];
    struct scratch_process child;
    uint32_t kill_after_ms; /* at any moment of its start; 0: not then */
    unsigned kill_at;       /* the request at which the child dies, from 1 on; 0: none */
    bool kills_before_reply;
    unsigned asked; /* of this child */
    bool is_child_dead;
};

static void kill_child(struct scene *scene)
{
    assert_int_equal(kill(scene->child.pid, SIGKILL), 0);
    scene->is_child_dead = true;
}

static struct slice answer(void *context, const struct web_request *request)
{
    struct scene *scene = context;
    (void)request;
    scene->asked++;
    if (scene->asked == scene->kill_at) {
        kill_child(scene);
        if (scene->kills_before_reply) {
            return (struct slice){NULL, 0};
        }
    }
    return SLICE("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

/* Does what is not done yet, each with its event in the same commit, and sends until it is killed or all is sent. */
static bool do_and_tell(struct store *store, struct webhooks *webhooks, const char *url)
{
    for (int i = 0; i < HAPPENINGS; i++) {
        char what[32], where[URL_BYTES + 8];
        (void)snprintf(what, sizeof what, "batch %d done", i);
        (void)snprintf(where, sizeof where, "%s%d", url, i);
        if (scratch_has(store, what, "{}")) {
            continue;
        }
        const struct webhook_event event = {.kind = WEBHOOK_BATCH_DONE,
                                            .url = slice_of(where),
                                            .batch = slice_of(what),
                                            .once = slice_of(what),
                                            .data = SLICE("{}")};
        if (webhooks_put(webhooks, &event, NULL) != ERR_NONE ||
            scratch_put(store, what, "{}") != ERR_NONE) {
            return false;
        }
    }
    return true;
}

static void stop_when_sent(void *context)
{
    door_stop(context);
}

static int live(const void *context, const struct scratch_ends *ends)
{
    const struct scene *scene = context;
    struct store *store;
    struct door *door;
    struct webhooks *webhooks;
    struct webhooks_config config;
    struct ip_net net;
    const struct uv_door_config door_config = {0};
    webhooks_config_init(&config);
    config.at_once_max = 2;
    config.http.allowed_nets = &net;
    config.http.allowed_net_count = 1;
    if (!ip_net_parse(SLICE("127.0.0.1"), &net) ||
        store_open(scene->path, &store, NULL) != ERR_NONE ||
        uv_door_open(&door_config, &door, NULL) != ERR_NONE ||
        webhooks_open(door, store, &config, &webhooks, NULL) != ERR_NONE ||
        !do_and_tell(store, webhooks, scene->url)) {
        return 1;
    }
    scratch_tell_ready(ends);
    struct timer pause = {.fired = stop_when_sent, .context = door};
    while (store_webhook_endpoint_after(store, 0) != 0 || store_flush(store, NULL) != ERR_NONE) {
        door_timer_start(door, &pause, door_now_ms(door) + 1);
        door_run(door);
    }
    webhooks_close(webhooks);
    uv_door_close(door);
    store_close(store);
    return 0;
}

/* True: it went through. */
static bool one_life(struct rig *rig, struct scene *scene)
{
    int status = 0;
    scene->asked = 0;
    scene->is_child_dead = false;
    scene->child = scratch_start(live, scene);
    for (uint32_t ms = 1; waitpid(scene->child.pid, &status, WNOHANG) == 0; ms++) {
        if (ms == scene->kill_after_ms) {
            kill_child(scene);
        }
        rig_rest(rig, 1);
    }
    assert_true(scene->is_child_dead || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    (void)close(scene->child.go);
    (void)close(scene->child.ready);
    return !scene->is_child_dead;
}

/* Every happening was told, under one id each. */
static void check_told(const struct web *web)
{
    for (int i = 0; i < HAPPENINGS; i++) {
        char path[8], id[VALUE_BYTES] = "", value[VALUE_BYTES];
        (void)snprintf(path, sizeof path, "/%d", i);
        for (size_t at = 0; at < web->count; at++) {
            const struct web_request *request = web_request(web, at);
            (void)web_header(request, "Webhook-Id", value);
            if (strcmp(request->path, path) == 0) {
                assert_true(id[0] == '\0' || strcmp(id, value) == 0);
                memcpy(id, value, sizeof id);
            }
        }
        assert_true(id[0] != '\0');
    }
}

static void nothing_is_lost_and_nothing_has_two_ids(void **state)
{
    void *made;
    struct scene scene = {0};
    struct web web;
    assert_int_equal(rig_open(&made), 0);
    struct rig *rig = made;
    scratch_path(state, "x.db", scene.path);
    web_open(&web, rig, "127.0.0.1", answer, &scene);
    (void)web_url(&web, "127.0.0.1", "/", scene.url);
    bool is_through = false;
    for (unsigned i = 0; i < LIVES && !is_through; i++) {
        scene.kill_after_ms = i < EARLY_LIVES ? 1 + 7 * i : 0;
        scene.kill_at = i < EARLY_LIVES ? 1 : i == LIVES - 1 ? 0 : 1 + i % 2;
        scene.kills_before_reply = i % 4 < 2;
        is_through = one_life(rig, &scene);
    }
    assert_true(is_through);
    assert_int_equal(scratch_sql(scene.path, "SELECT count(*) FROM webhook"), HAPPENINGS);
    assert_int_equal(scratch_sql(scene.path, "SELECT count(DISTINCT once) FROM webhook"),
                     HAPPENINGS);
    assert_int_equal(scratch_sql(scene.path, "SELECT count(*) FROM webhook WHERE state=1"),
                     HAPPENINGS);
    assert_true(web.count > HAPPENINGS); /* some were sent again */
    check_told(&web);
    web_close(&web);
    assert_int_equal(rig_close(&made), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_lost_and_nothing_has_two_ids, scratch_make,
                                        scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
