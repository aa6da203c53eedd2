/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/signals.h"

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
#include "verify/score.h"

enum { URL_BYTES = 256, VALUE_BYTES = 512, REPLY_BYTES = 4096, DAY_1997_09_15 = 10119 };

/* All four services on one server, each answering as it is told. */
struct stage {
    struct rig *rig;
    struct store *store;
    struct signals *signals;
    struct signals_config config;
    struct ip_net net;
    struct web web;
    char base_url[URL_BYTES];
    char reply[REPLY_BYTES];
    bool is_silent;
};

static struct slice answer(void *context, const struct web_request *request)
{
    struct stage *stage = context;
    (void)request;
    return stage->is_silent ? (struct slice){NULL, 0} : slice_of(stage->reply);
}

static void set_reply(struct stage *stage, unsigned status, const char *headers, const char *body)
{
    (void)snprintf(stage->reply, sizeof stage->reply,
                   "HTTP/1.1 %u Word\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
                   strlen(body), body);
}

static int stage_open(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    void *rig;
    assert_int_equal(rig_open(&rig), 0);
    stage->rig = rig;
    stage->store = scratch_open(":memory:");
    assert_true(ip_net_parse(SLICE("127.0.0.1"), &stage->net));
    web_open(&stage->web, stage->rig, "127.0.0.1", answer, stage);
    (void)web_url(&stage->web, "127.0.0.1", "", stage->base_url);
    signals_config_init(&stage->config);
    stage->config.http.allowed_nets = &stage->net;
    stage->config.http.allowed_net_count = 1;
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        assert_false(stage->config.of[i].is_enabled);
        stage->config.of[i].base_url = slice_of(stage->base_url);
        stage->config.of[i].key = SLICE("k3y");
    }
    *state = stage;
    return 0;
}

static void open_signals(struct stage *stage)
{
    struct fault fault = {0};
    signals_close(stage->signals);
    if (signals_open(stage->rig->door, stage->store, &stage->config, &stage->signals, &fault) !=
        ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

static void switch_on(struct stage *stage, enum signal_service only)
{
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        stage->config.of[i].is_enabled = i == (int)only;
    }
    open_signals(stage);
}

static int stage_close(void **state)
{
    struct stage *stage = *state;
    signals_close(stage->signals);
    web_close(&stage->web);
    store_close(stage->store);
    void *rig = stage->rig;
    free(stage);
    return rig_close(&rig);
}

struct told {
    struct rig *rig;
    unsigned count;
    struct verify_signals signals;
};

static void hear(void *context, const struct verify_signals *signals)
{
    struct told *told = context;
    assert_false(told->rig->is_asking);
    told->count++;
    told->signals = *signals;
    door_stop(told->rig->door);
}

static struct signals_ticket *ask(struct stage *stage, const char *address, struct told *out)
{
    struct signals_ticket *ticket;
    *out = (struct told){.rig = stage->rig};
    stage->rig->is_asking = true;
    assert_int_equal(
        signals_ask(stage->signals, slice_of(address), slice_of(address), hear, out, &ticket),
        ERR_NONE);
    stage->rig->is_asking = false;
    return ticket;
}

static struct verify_signals ask_and_wait(struct stage *stage, const char *address)
{
    struct told told;
    (void)ask(stage, address, &told);
    RIG_UNTIL(stage->rig, told.count == 1);
    return told.signals;
}

#define RDAP_BODY(date)                                                        \
    "{\"objectClassName\":\"domain\",\"ldhName\":\"D.EXAMPLE\",\"events\":["   \
    "{\"eventAction\":\"expiration\",\"eventDate\":\"2030-01-01T00:00:00Z\"}," \
    "{\"eventAction\":\"registration\",\"eventDate\":\"" date "\"}]}"

static void documented_answers_are_understood(void **state)
{
    static const struct {
        enum signal_service service;
        unsigned status;
        const char *body;
        enum signal_result result;
        uint32_t number;
    } rows[] = {
        {SIGNAL_GRAVATAR, 200, "png", SIGNAL_YES, 1},
        {SIGNAL_GRAVATAR, 404, "404 Not Found", SIGNAL_NO, 0},
        {SIGNAL_GRAVATAR, 500, "", SIGNAL_NO_ANSWER, 0},
        {SIGNAL_GITHUB, 200,
         "{\"total_count\":2,\"incomplete_results\":false,\"items\":[{\"login\":\"j\"}]}",
         SIGNAL_YES, 2},
        {SIGNAL_GITHUB, 200, "{\"total_count\":0,\"incomplete_results\":false,\"items\":[]}",
         SIGNAL_NO, 0},
        {SIGNAL_GITHUB, 200, "{\"total_count\":0,\"incomplete_results\":true,\"items\":[]}",
         SIGNAL_NO_ANSWER, 0},
        {SIGNAL_GITHUB, 200, "<html>", SIGNAL_NO_ANSWER, 0},
        {SIGNAL_GITHUB, 200, "{\"total_count\":-1}", SIGNAL_NO_ANSWER, 0},
        {SIGNAL_GITHUB, 422, "{\"message\":\"Validation Failed\"}", SIGNAL_NO_ANSWER, 0},
        {SIGNAL_HIBP, 200, "[{\"Name\":\"Adobe\"},{\"Name\":\"Gawker\"}]", SIGNAL_YES, 2},
        {SIGNAL_HIBP, 404, "", SIGNAL_NO, 0},
        {SIGNAL_HIBP, 200, "{}", SIGNAL_NO_ANSWER, 0},
        {SIGNAL_HIBP, 200, "[]", SIGNAL_NO_ANSWER, 0},
        {SIGNAL_RDAP, 200, RDAP_BODY("1997-09-15T04:00:00Z"), SIGNAL_YES, DAY_1997_09_15},
        {SIGNAL_RDAP, 200, RDAP_BODY("1970-01-01T00:00:00Z"), SIGNAL_YES, 0},
        {SIGNAL_RDAP, 200, RDAP_BODY("2024-03-01T00:00:00+02:00"), SIGNAL_YES, 19783},
        {SIGNAL_RDAP, 200, RDAP_BODY("1969-12-31T00:00:00Z"), SIGNAL_NO, 0},
        {SIGNAL_RDAP, 200, RDAP_BODY("2024-13-01T00:00:00Z"), SIGNAL_NO, 0},
        {SIGNAL_RDAP, 200, RDAP_BODY("yesterday"), SIGNAL_NO, 0},
        {SIGNAL_RDAP, 200, "{\"events\":[7,null,{\"eventAction\":3}]}", SIGNAL_NO, 0},
        {SIGNAL_RDAP, 200, "[]", SIGNAL_NO_ANSWER, 0},
        {SIGNAL_RDAP, 404, "{\"errorCode\":404}", SIGNAL_NO, 0},
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char address[64]; /* each its own, and so none of them kept */
        (void)snprintf(address, sizeof address, "jane@d%zu.example", i);
        switch_on(stage, rows[i].service);
        set_reply(stage, rows[i].status, "", rows[i].body);
        struct verify_signals told = ask_and_wait(stage, address);
        const struct verify_signal *one = &told.of[rows[i].service];
        if (one->result != rows[i].result || one->number != rows[i].number) {
            fail_msg("%s %u %s: %d, %u", signal_service_name(rows[i].service), rows[i].status,
                     rows[i].body, (int)one->result, one->number);
        }
        for (int other = 0; other < SIGNAL_SERVICE_COUNT; other++) {
            assert_true(other == (int)rows[i].service || told.of[other].result == SIGNAL_OFF);
        }
    }
}

static void questions_are_those_of_the_documentation(void **state)
{
    static const struct {
        enum signal_service service;
        const char *path, *header, *value;
    } rows[] = {
        /* SHA-256 of "jane.o'hara+x@d.example" */
        {SIGNAL_GRAVATAR,
         "/avatar/"
         "74a5f8576ee4b3e73748894e4fad8935f063b67d204bac62275299232d47cf1b"
         "?d=404&s=1",
         "Authorization", ""},
        {SIGNAL_GITHUB, "/search/users?per_page=1&q=%22Jane.O%27Hara%2Bx%40d.example%22+in%3Aemail",
         "Authorization", "Bearer k3y"},
        {SIGNAL_HIBP, "/api/v3/breachedaccount/Jane.O%27Hara%2Bx%40d.example?truncateResponse=true",
         "hibp-api-key", "k3y"},
        {SIGNAL_RDAP, "/domain/d.example", "Accept", "application/rdap+json"},
    };
    struct stage *stage = *state;
    char value[VALUE_BYTES];
    set_reply(stage, 404, "", "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        switch_on(stage, rows[i].service);
        (void)ask_and_wait(stage, "Jane.O'Hara+x@d.example");
        const struct web_request *request = web_request(&stage->web, i);
        assert_string_equal(request->method, "GET");
        assert_string_equal(request->path, rows[i].path);
        assert_string_equal(web_header(request, rows[i].header, value), rows[i].value);
        assert_string_equal(web_header(request, "User-Agent", value), "Heloise/" HELOISE_VERSION);
    }
}

static void what_was_said_is_kept(void **state)
{
    struct stage *stage = *state;
    switch_on(stage, SIGNAL_RDAP);
    set_reply(stage, 200, "", RDAP_BODY("1997-09-15T04:00:00Z"));
    (void)ask_and_wait(stage, "a@d.example");
    open_signals(stage);
    struct verify_signals told = ask_and_wait(stage, "b@d.example"); /* of the domain */
    assert_int_equal(told.of[SIGNAL_RDAP].number, DAY_1997_09_15);
    assert_int_equal(stage->web.count, 1);
    stage->config.of[SIGNAL_HIBP].cache_ms = 0;
    switch_on(stage, SIGNAL_HIBP);
    set_reply(stage, 404, "", "");
    (void)ask_and_wait(stage, "a@d.example");
    (void)ask_and_wait(stage, "a@d.example");
    assert_int_equal(stage->web.count, 3);
}

static void what_is_dead_leaves_the_store(void **state)
{
    struct stage *stage = *state;
    struct store_signal signal = {
        .key = SLICE("x@y"), .service = SLICE("hibp"), .at_ms = 1, .expires_at_ms = 2};
    assert_int_equal(store_signal_put(stage->store, &signal), ERR_NONE);
    assert_true(store_signal_find(stage->store, 1, &signal));
    switch_on(stage, SIGNAL_HIBP);
    set_reply(stage, 404, "", "");
    (void)ask_and_wait(stage, "a@d.example");
    assert_false(store_signal_find(stage->store, 1, &signal));
}

static void trouble_is_not_kept_and_ends_in_time(void **state)
{
    struct stage *stage = *state;
    stage->config.of[SIGNAL_GRAVATAR].timeout_ms = 30;
    switch_on(stage, SIGNAL_GRAVATAR);
    stage->is_silent = true;
    assert_int_equal(ask_and_wait(stage, "a@d.example").of[SIGNAL_GRAVATAR].result,
                     SIGNAL_NO_ANSWER);
    stage->is_silent = false;
    stage->config.of[SIGNAL_GRAVATAR].timeout_ms = 20000;
    open_signals(stage);
    set_reply(stage, 200, "", "png");
    assert_int_equal(ask_and_wait(stage, "a@d.example").of[SIGNAL_GRAVATAR].result, SIGNAL_YES);
}

/* After 429, 403 of GitHub and 401 nothing is asked for a while. */
static void a_service_that_wants_rest_gets_it(void **state)
{
    static const struct {
        enum signal_service service;
        unsigned status;
        const char *headers;
    } rows[] = {
        {SIGNAL_HIBP, 429, "Retry-After: 6\r\n"},
        {SIGNAL_HIBP, 401, ""},
        {SIGNAL_GITHUB, 403, ""},
        {SIGNAL_GITHUB, 429, "Retry-After: 6\r\n"},
        {SIGNAL_RDAP, 429, ""},
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        switch_on(stage, rows[i].service);
        set_reply(stage, rows[i].status, rows[i].headers, "{}");
        for (int times = 0; times < 2; times++) {
            struct verify_signals told = ask_and_wait(stage, "a@d.example");
            assert_int_equal(told.of[rows[i].service].result, SIGNAL_NO_ANSWER);
            assert_int_equal(stage->web.count, i + 1);
        }
    }
}

static void questions_have_their_rate(void **state)
{
    struct stage *stage = *state;
    char address[64];
    stage->config.of[SIGNAL_GRAVATAR].per_minute = 20; /* one in three seconds, a quarter at once */
    switch_on(stage, SIGNAL_GRAVATAR);
    set_reply(stage, 404, "", "");
    for (int i = 0; i < 12; i++) {
        (void)snprintf(address, sizeof address, "a%d@d.example", i);
        (void)ask_and_wait(stage, address);
    }
    assert_in_range(stage->web.count, 5, 7);
}

static void what_is_dropped_says_nothing(void **state)
{
    struct stage *stage = *state;
    struct told first, second;
    switch_on(stage, SIGNAL_HIBP);
    stage->is_silent = true;
    struct signals_ticket *ticket = ask(stage, "a@d.example", &first);
    (void)ask(stage, "b@d.example", &second);
    RIG_UNTIL(stage->rig, stage->web.count == 2);
    signals_cancel(ticket);
    signals_close(stage->signals);
    stage->signals = NULL;
    assert_int_equal(first.count + second.count, 0);
}

static void without_a_key_hibp_cannot_be_asked(void **state)
{
    struct stage *stage = *state;
    assert_null(signals_config_obstacle(&stage->config));
    stage->config.of[SIGNAL_HIBP].key = SLICE_NONE;
    assert_null(signals_config_obstacle(&stage->config)); /* it is off */
    stage->config.of[SIGNAL_HIBP].is_enabled = true;
    assert_non_null(strstr(signals_config_obstacle(&stage->config), "key"));
    stage->config.of[SIGNAL_HIBP].key = SLICE("k");
    stage->config.of[SIGNAL_HIBP].per_minute = 0;
    assert_non_null(strstr(signals_config_obstacle(&stage->config), "rate"));
}

/* Every sub-status, whatever the services say. */
static void no_status_rests_on_them(void **state)
{
    (void)state;
    for (int sub = 0; sub < SUB_COUNT; sub++) {
        for (unsigned said = 0; said < 256; said++) {
            static struct record record;
            struct verify_signals told;
            for (unsigned i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
                told.of[i] = (struct verify_signal){
                    .result = (enum signal_result)(said >> (2 * i) & 3), .number = 20000};
            }
            memset(&record, 0, sizeof record);
            record.sub = (enum verdict_sub)sub;
            record.status = verdict_status_of(record.sub);
            record.score = score_base(record.sub);
            record.confidence = score_confidence(record.sub);
            record.checked_at_ms = INT64_C(20001) * 86400 * 1000;
            signals_apply(&told, &record);
            assert_int_equal(record.sub, sub);
            assert_int_equal(record.status, verdict_status_of((enum verdict_sub)sub));
            assert_true(record.confidence == score_confidence((enum verdict_sub)sub));
            assert_true(abs(record.score - score_base((enum verdict_sub)sub)) <=
                        SIGNALS_EFFECT_MAX);
            assert_memory_equal(&record.signals, &told, sizeof told);
        }
    }
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(documented_answers_are_understood),
        ON_STAGE(questions_are_those_of_the_documentation),
        ON_STAGE(what_was_said_is_kept),
        ON_STAGE(what_is_dead_leaves_the_store),
        ON_STAGE(trouble_is_not_kept_and_ends_in_time),
        ON_STAGE(a_service_that_wants_rest_gets_it),
        ON_STAGE(questions_have_their_rate),
        ON_STAGE(what_is_dropped_says_nothing),
        ON_STAGE(without_a_key_hibp_cannot_be_asked),
        cmocka_unit_test(no_status_rests_on_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
