/* The receiver in examples/webhook_receiver.py takes what is sent, once, and nothing that is not signed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
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

#include "../net/rig.h"
#include "../store/scratch.h"
#include "base/slice.h"
#include "engine/webhooks.h"

enum { URL_BYTES = 512, LINE_BYTES = 256 };

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

struct receiver {
    pid_t pid;
    FILE *says;
};

static struct receiver start_receiver(void)
{
    int says[2];
    assert_int_equal(pipe(says), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)alarm(120);
        if (dup2(says[1], STDOUT_FILENO) >= 0) {
            (void)execlp("python3", "python3", EXAMPLES_DIR "/webhook_receiver.py", SECRET, NULL);
        }
        _exit(127);
    }
    assert_int_equal(close(says[1]), 0);
    FILE *file = fdopen(says[0], "r");
    assert_non_null(file);
    return (struct receiver){pid, file};
}

static void read_line(struct receiver *receiver, char out[LINE_BYTES])
{
    assert_non_null(fgets(out, LINE_BYTES, receiver->says));
    out[strcspn(out, "\n")] = '\0';
}

struct told {
    struct rig *rig;
    unsigned status;
};

static void hear(void *context, const struct http_client_answer *answer)
{
    struct told *told = context;
    told->status = answer->end == HTTP_CLIENT_END_ANSWERED ? answer->status : 1;
    door_stop(told->rig->door);
}

/* Somebody else's, with a signature that is none. */
static unsigned forge(struct rig *rig, const struct webhooks_config *config, const char *url)
{
    static const struct http_client_header headers[] = {
        {.name = "Webhook-Id", .value = SLICE_LITERAL("evt_1")},
        {.name = "Webhook-Timestamp", .value = SLICE_LITERAL("1614265330")},
        {.name = "Webhook-Signature", .value = SLICE_LITERAL("v1,AAAA")},
    };
    const struct http_client_request request = {.method = HTTP_CLIENT_POST,
                                                .url = slice_of(url),
                                                .headers = headers,
                                                .header_count = 3,
                                                .body = SLICE("{}"),
                                                .timeout_ms = 20000,
                                                .connect_timeout_ms = 20000};
    struct http_client *client;
    struct http_exchange *exchange;
    struct told told = {.rig = rig};
    assert_int_equal(http_client_open(rig->door, &config->http, &client, NULL), ERR_NONE);
    assert_int_equal(http_client_ask(client, &request, hear, &told, &exchange, NULL), ERR_NONE);
    RIG_UNTIL(rig, told.status != 0);
    http_client_close(client);
    return told.status;
}

static void see_id(void *context, const struct store_webhook *event)
{
    (void)snprintf(context, LINE_BYTES, "%.*s", SLICE_ARG(event->id));
}

static void wait_for(struct rig *rig, struct webhooks *webhooks, uint64_t delivered)
{
    while (webhooks_count(webhooks).delivered < delivered) {
        assert_int_equal(webhooks_count(webhooks).tries, webhooks_count(webhooks).delivered);
        rig_rest(rig, 1);
    }
}

static void put(struct webhooks *webhooks, const char *url, enum webhook_kind kind)
{
    const struct webhook_event event = {
        .kind = kind, .url = slice_of(url), .data = SLICE("{\"id\": \"b1\"}")};
    assert_int_equal(webhooks_put(webhooks, &event, NULL), ERR_NONE);
}

static void the_example_receives(void **state)
{
    struct rig *rig = *state;
    struct receiver receiver = start_receiver();
    struct ip_net net;
    struct webhooks_config config;
    struct webhooks *webhooks;
    struct buf secret;
    char url[URL_BYTES], line[LINE_BYTES], id[LINE_BYTES];
    assert_true(ip_net_parse(SLICE("127.0.0.1"), &net));
    webhooks_config_init(&config);
    config.http.allowed_nets = &net;
    config.http.allowed_net_count = 1;
    struct store *store = scratch_open(":memory:");
    read_line(&receiver, line);
    assert_int_equal(strncmp(line, "listening on port ", 18), 0);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%s/", line + 18);
    assert_int_equal(webhooks_open(rig->door, store, &config, &webhooks, NULL), ERR_NONE);
    buf_init(&secret, LINE_BYTES);
    assert_int_equal(
        webhooks_secret(webhooks, SLICE_NONE, slice_of(url), SLICE(SECRET), &secret, NULL),
        ERR_NONE);

    put(webhooks, url, WEBHOOK_BATCH_DONE);
    wait_for(rig, webhooks, 1);
    read_line(&receiver, line);
    assert_string_equal(line, "batch.done {\"id\": \"b1\"}");
    assert_int_equal(store_webhook_read(store, 1, see_id, id), ERR_NONE);
    assert_int_equal(webhooks_replay(webhooks, slice_of(id), NULL),
                     ERR_NONE); /* taken, and not done again */
    wait_for(rig, webhooks, 2);
    assert_int_equal(forge(rig, &config, url), 401);
    put(webhooks, url, WEBHOOK_WATCH_CHANGED);
    wait_for(rig, webhooks, 3);
    read_line(&receiver, line);
    assert_string_equal(line, "watch.changed {\"id\": \"b1\"}");

    buf_done(&secret);
    webhooks_close(webhooks);
    store_close(store);
    assert_int_equal(kill(receiver.pid, SIGKILL), 0);
    assert_int_equal(waitpid(receiver.pid, NULL, 0), receiver.pid);
    assert_int_equal(fclose(receiver.says), 0);
}

/* What the manual shows of it stands in it. */
static void the_manual_shows_it(void **state)
{
    (void)state;
    static char manual[65536], example[65536];
    static const char *const paths[] = {DOCS_DIR "/webhooks.md",
                                        EXAMPLES_DIR "/webhook_receiver.py"};
    char *const texts[] = {manual, example};
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(paths[i], "re");
        assert_non_null(file);
        texts[i][fread(texts[i], 1, sizeof manual - 1, file)] = '\0';
        assert_int_equal(fclose(file), 0);
    }
    char *from = strstr(manual, "```python\n");
    assert_non_null(from);
    from += strlen("```python\n");
    char *end = strstr(from, "```");
    assert_non_null(end);
    *end = '\0';
    assert_true(strlen(from) > 0);
    assert_non_null(strstr(example, from));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_example_receives, rig_open, rig_close),
        cmocka_unit_test(the_manual_shows_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
