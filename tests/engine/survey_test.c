/* engine/census, engine/survey and the forecast of both: what stands in a list, who serves its domains, that no mail
 * server hears of it, and that the time told is about the time a run takes, on the virtual clock.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../sim/zone_lines.h"
#include "base/slice.h"
#include "engine/forecast_report.h"
#include "engine/knowledge.h"
#include "sim/peer.h"
#include "sim/world.h"

enum {
    REPORT_BYTES_MAX = 65536,
    RTT_MS = 20,        /* of the world's hosts: 10 ms each way */
    DOMAINS_MANY = 700, /* more than are looked up at once */
};

static const char names[] = "alone.test MX 10 mx.alone.test\nmx.alone.test A 5.9.1.1\n"
                            "one.test MX 10 b.shared.test\none.test MX 10 a.shared.test\n"
                            "two.test MX 20 a.shared.test\ntwo.test MX 20 b.shared.test\n"
                            "a.shared.test A 5.9.1.2\nb.shared.test A 5.9.1.3\n"
                            "firm.test MX 1 aspmx.l.google.com\naspmx.l.google.com A 5.9.1.4\n"
                            "null.test MX 0 .\nbroken.test FAIL servfail\n";

static const struct knowledge *shared_knowledge(void)
{
    static struct knowledge *knowledge;
    struct fault fault;
    if (knowledge == NULL && knowledge_open(DATA_DIR, &knowledge, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return knowledge;
}

/* One forecast in a world. */
struct look {
    struct world *world;
    struct store *store;
    struct knocker_config knocker;
    struct survey_config config;
    struct census census;
    struct survey *survey;
    unsigned finished, progressed;
};

static void on_finished(void *context)
{
    struct look *look = context;
    look->finished++;
    door_stop(world_door(look->world));
}

static void on_progress(void *context)
{
    struct look *look = context;
    look->progressed++;
}

static void look_begin(struct look *look)
{
    const struct world_config config = {.seed = 7, .no_ipv6 = true};
    *look = (struct look){.finished = 0};
    assert_int_equal(world_new(&config, &look->world), ERR_NONE);
    zone_add_lines(world_zone(look->world), names, NULL);
    knocker_config_init(&look->knocker);
}

static void look_end(struct look *look)
{
    struct world_counts counts;
    survey_free(look->survey);
    census_done(&look->census);
    store_close(look->store);
    world_count(look->world, &counts);
    assert_int_equal(counts.connects, 0);
    world_free(look->world);
}

static void read_list(struct look *look, const char *text)
{
    const struct census_config config = {
        .knocker = &look->knocker,
        .store = look->store,
        .wall_ms = door_wall_ms(world_door(look->world)),
        .seed = 3,
        .table = {.file_name = SLICE_LITERAL("list.txt")},
    };
    struct fault fault;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    rewind(file);
    if (census_take(&config, file, &look->census, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    assert_int_equal(fclose(file), 0);
}

static void look_up(struct look *look, bool has_dns)
{
    struct door *door = world_door(look->world);
    look->config = (struct survey_config){
        .knocker = &look->knocker,
        .knowledge = shared_knowledge(),
        .store = look->store,
        .wall_ms = door_wall_ms(door),
        .progressed = on_progress,
        .finished = on_finished,
        .context = look,
    };
    assert_int_equal(survey_new(has_dns ? door : NULL, &look->config, &look->census, &look->survey),
                     ERR_NONE);
    survey_start(look->survey);
    if (look->finished == 0) {
        door_run(door);
    }
    assert_int_equal(look->finished, 1);
    assert_int_equal(look->progressed, look->census.domain_count);
    assert_false(survey_has_failed(look->survey));
}

static const struct survey_site *find_site(const struct look *look, const char *key)
{
    for (const struct survey_site *site = survey_first(look->survey); site != NULL;
         site = site->next) {
        if (slice_equal(site->key, slice_of(key))) {
            return site;
        }
    }
    fail_msg("no site %s", key);
    abort(); /* not reached; cmocka's function does not say so to the compiler */
}

static size_t count_sites(const struct look *look)
{
    size_t count = 0;
    for (const struct survey_site *site = survey_first(look->survey); site; site = site->next) {
        count++;
    }
    return count;
}

static const char list[] = "jane@alone.test\njane@one.test\njane@two.test\nJANE@two.test\n"
                           "first.last@two.test\nx@firm.test\ny@gmail.com\njane@null.test\n"
                           "jane@nowhere.test\njane@broken.test\njane@one.test\nno address\n";

static void test_sites_by_dns(void **state)
{
    (void)state;
    struct look look;
    struct survey_counts counts;
    look_begin(&look);
    read_list(&look, list);
    assert_int_equal(look.census.rows, 12);
    assert_int_equal(look.census.invalid_rows, 1);
    assert_int_equal(look.census.duplicates, 1);
    assert_int_equal(look.census.addresses, 10);
    look_up(&look, true);
    survey_count(look.survey, &counts);
    assert_int_equal(counts.no_mail.domains, 2);
    /* gmail.com is denied here, which nobody believes. */
    assert_int_equal(counts.unanswered.domains, 2);
    assert_int_equal(count_sites(&look), 4);
    const struct survey_site *shared = find_site(&look, "a.shared.test b.shared.test ");
    assert_int_equal(shared->domains, 2);
    assert_int_equal(shared->demand.addresses, 4);
    assert_int_equal(shared->demand.controls, 3); /* shapes: one at one.test, two at the other */
    assert_true(shared->demand.has_ipv4 && !shared->demand.has_ipv6);
    assert_true(shared->demand.may_greylist);
    const struct survey_site *google = find_site(&look, "@google");
    assert_int_equal(google->domains, 2);
    assert_false(google->demand.may_greylist);
    assert_true(find_site(&look, "broken.test")->is_unknown);
    look_end(&look);
}

static void test_sites_by_name(void **state)
{
    (void)state;
    struct look look;
    look_begin(&look);
    read_list(&look, list);
    look_up(&look, false);
    assert_int_equal(count_sites(&look), 8); /* seven domains nobody knows, and Google */
    assert_true(find_site(&look, "firm.test")->is_unknown);
    assert_false(find_site(&look, "@google")->is_unknown);
    struct world_counts counts;
    world_count(look.world, &counts);
    assert_int_equal(counts.queries, 0);
    look_end(&look);
}

static void test_nothing_is_asked(void **state)
{
    (void)state;
    struct look look;
    struct survey_counts counts;
    look_begin(&look);
    look.knocker.verify.no_smtp = true;
    read_list(&look, "a@alone.test\nb@alone.test\n");
    look_up(&look, true);
    survey_count(look.survey, &counts);
    assert_int_equal(counts.not_asked.addresses, 2);
    assert_null(survey_first(look.survey));
    look_end(&look);
}

static void test_many_domains(void **state)
{
    (void)state;
    struct look look;
    static char text[DOMAINS_MANY * 24];
    size_t used = 0;
    for (unsigned i = 0; i < DOMAINS_MANY; i++) {
        /* Literals need no question: they are done while others wait. */
        int len = i % 3 == 0 ? snprintf(text + used, sizeof text - used, "a@[5.9.%u.%u]\n",
                                        i / 200 + 1, i % 200 + 1)
                             : snprintf(text + used, sizeof text - used, "a@d%u.test\n", i);
        used += (size_t)len;
    }
    look_begin(&look);
    read_list(&look, text);
    assert_int_equal(look.census.domain_count, DOMAINS_MANY);
    look_up(&look, true);
    assert_int_equal(count_sites(&look), (DOMAINS_MANY + 2) / 3);
    look_end(&look);
}

static void test_cancel(void **state)
{
    (void)state;
    struct look look;
    look_begin(&look);
    read_list(&look, list);
    look.config = (struct survey_config){.knocker = &look.knocker,
                                         .knowledge = shared_knowledge(),
                                         .finished = on_finished,
                                         .context = &look};
    assert_int_equal(survey_new(world_door(look.world), &look.config, &look.census, &look.survey),
                     ERR_NONE);
    survey_start(look.survey);
    survey_cancel(look.survey);
    assert_int_equal(look.finished, 1);
    door_run(world_door(look.world)); /* the answers that were on their way */
    assert_int_equal(look.finished, 1);
    look_end(&look);
}

/* What is known already costs nothing; what was learned of a site counts. */
static void test_store(void **state)
{
    (void)state;
    struct look look;
    struct fault fault;
    look_begin(&look);
    assert_int_equal(store_open(":memory:", &look.store, &fault), ERR_NONE);
    int64_t now = door_wall_ms(world_door(look.world));
    const struct store_verdict verdict = {.key = SLICE_LITERAL("jane@alone.test"),
                                          .domain = SLICE_LITERAL("alone.test"),
                                          .status = SLICE_LITERAL("deliverable"),
                                          .sub_status = SLICE_LITERAL("accepted"),
                                          .checked_at_ms = now - 1000,
                                          .expires_at_ms = now + 100000,
                                          .json = SLICE_LITERAL("{}")};
    assert_int_equal(store_verdict_put(look.store, &verdict), ERR_NONE);
    assert_int_equal(store_domain_put(look.store, SLICE("mx.alone.test "), SLICE("traffic"),
                                      SLICE("rcpts=3,1"), now - 1000, now + 100000),
                     ERR_NONE);
    assert_int_equal(store_flush(look.store, &fault), ERR_NONE);
    read_list(&look, "jane@alone.test\nother@alone.test\n");
    assert_int_equal(look.census.fresh, 1);
    assert_int_equal(look.census.addresses, 1);
    look_up(&look, true);
    assert_int_equal(find_site(&look, "mx.alone.test ")->traffic.limits.rcpts_per_connection, 3);
    look_end(&look);
}

/* ---- the report ---- */

static const struct forecast_assumptions assumed = {
    .invalid_share = 0.1,
    .rtt_ms = RTT_MS,
    .greylist_wait_ms = 300000,
    .queue_wait_ms = 300000,
    .connections_max = 500,
};

static void assert_holds(const struct buf *out, const char *words)
{
    struct slice text = buf_view(out);
    if (slice_find_nocase(text, slice_of(words)) == text.len) {
        fail_msg("\"%s\" is not in:\n%.*s", words, SLICE_ARG(text));
    }
}

static void test_report(void **state)
{
    (void)state;
    struct look look;
    struct forecast_report report;
    struct buf out;
    look_begin(&look);
    read_list(&look, list);
    look_up(&look, true);
    assert_int_equal(forecast_report_make(&look.census, look.survey, &assumed, 0, &report),
                     ERR_NONE);
    buf_init(&out, REPORT_BYTES_MAX);
    assert_int_equal(report.row_count, 3);
    assert_int_equal(report.total.addresses, 8);
    assert_int_equal(forecast_write_text(&report, 0, &out), ERR_NONE);
    assert_holds(&out, "12 rows: 10 addresses to ask at 8 domains");
    assert_holds(&out, "own servers (2)");
    assert_holds(&out, "unknown (1)");
    buf_clear(&out);
    assert_int_equal(forecast_write_text(&report, 1, &out), ERR_NONE);
    assert_holds(&out, "2 more");
    buf_clear(&out);
    assert_int_equal(forecast_write_json(&report, &out), ERR_NONE);
    assert_holds(&out, "\"provider\":\"google\"");
    buf_done(&out);
    forecast_report_done(&report);
    look_end(&look);
}

/* ---- held against a run ---- */

struct race {
    const char *name;
    unsigned addresses, dead;
    unsigned per_site, rcpts, per_hour;
    uint32_t queue_wait_ms;
    unsigned pipelined; /* 0: one after the other */
};

/* Those that begin with "d" do not exist. */
static const char *mailbox(const void *context, struct slice path)
{
    (void)context;
    return path.len > 0 && path.at[0] == 'l' ? "" : NULL;
}

static void on_record(void *context, const struct record *record)
{
    unsigned *answers = context;
    assert_int_not_equal(record->sub, SUB_SKIPPED);
    (*answers)++;
}

static const struct peer_script honest = {.mailbox = mailbox};

static void address_of(const struct race *race, unsigned i, char out[64])
{
    bool is_dead = i % (race->addresses / race->dead) == 0;
    (void)snprintf(out, 64, "%s%06u@alone.test", is_dead ? "d" : "l", i);
}

static uint64_t run_race(const struct race *race, const struct knocker_config *config)
{
    const struct world_config world_config = {.seed = 7, .no_ipv6 = true};
    const struct world_host host = {.ip = "5.9.1.1", .script = &honest};
    struct world *world;
    struct knocker *knocker;
    unsigned answers = 0;
    assert_int_equal(world_new(&world_config, &world), ERR_NONE);
    zone_add_lines(world_zone(world), names, NULL);
    assert_int_equal(world_host_add(world, &host), ERR_NONE);
    assert_int_equal(knocker_new(world_door(world), shared_knowledge(), config, NULL, &knocker),
                     ERR_NONE);
    uint64_t began = door_now_ms(world_door(world));
    for (unsigned i = 0; i < race->addresses; i++) {
        char address[64];
        address_of(race, i, address);
        assert_int_equal(knocker_ask(knocker, slice_of(address), on_record, &answers), ERR_NONE);
    }
    door_run(world_door(world));
    assert_int_equal(answers, race->addresses);
    uint64_t took = door_now_ms(world_door(world)) - began;
    knocker_free(knocker);
    world_free(world);
    return took;
}

static uint64_t forecast_race(const struct race *race, const struct knocker_config *config)
{
    static char text[65536];
    struct look look;
    struct forecast_report report;
    struct forecast_assumptions mine = assumed;
    size_t used = 0;
    for (unsigned i = 0; i < race->addresses; i++) {
        char address[64];
        address_of(race, i, address);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", address);
    }
    look_begin(&look);
    look.knocker = *config;
    mine.invalid_share = (double)race->dead / race->addresses;
    mine.queue_wait_ms = race->queue_wait_ms;
    read_list(&look, text);
    look_up(&look, true);
    assert_int_equal(
        forecast_report_make(&look.census, look.survey, &mine, look.config.wall_ms, &report),
        ERR_NONE);
    assert_int_equal(report.total.skipped, 0);
    uint64_t told = report.total.time_ms;
    forecast_report_done(&report);
    look_end(&look);
    return told;
}

/* The time told is between half of the time taken and twice that. */
static void test_against_a_run(void **state)
{
    (void)state;
    static const struct race races[] = {
        {"connections", 800, 8, 1, 10, 100000, 300000, 0},
        {"more of them", 800, 8, 4, 10, 100000, 300000, 0},
        {"refusals an hour", 800, 80, 2, 20, 20, 4000000, 0},
        {"groups", 800, 8, 1, 40, 100000, 300000, 10},
    };
    for (size_t i = 0; i < sizeof races / sizeof *races; i++) {
        const struct race *race = &races[i];
        struct knocker_config config;
        knocker_config_init(&config);
        config.is_budget_wall_clock = false;
        config.per_site_max = race->per_site;
        config.rcpts_per_connection = race->rcpts;
        config.invalids_per_hour = race->per_hour;
        config.pipelined_rcpts = race->pipelined;
        config.queue_wait_ms_max = race->queue_wait_ms;
        config.no_tls = true;
        uint64_t took = run_race(race, &config);
        uint64_t told = forecast_race(race, &config);
        print_message("%s: told %llu ms, took %llu ms\n", race->name, (unsigned long long)told,
                      (unsigned long long)took);
        assert_in_range(told, took / 2, took * 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sites_by_dns),     cmocka_unit_test(test_sites_by_name),
        cmocka_unit_test(test_nothing_is_asked), cmocka_unit_test(test_many_domains),
        cmocka_unit_test(test_cancel),           cmocka_unit_test(test_store),
        cmocka_unit_test(test_report),           cmocka_unit_test(test_against_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
