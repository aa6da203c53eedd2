/* A watch that sees nothing would let everything pass: here each thing that must never be is done.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../engine/known.h"
#include "base/slice.h"
#include "sim/campaign_world.h"

enum { LINES_MAX = 40, SESSIONS_MAX = 1200, SAY_BYTES = 512, TALK_BYTES_MAX = 1 << 20 };

/* One world without faults, watched, and clients without manners. */
struct rig {
    struct campaign_plan *plan;
    struct campaign_world *stage;
    struct campaign_talk *talk;
    struct campaign_watch *watch;
    struct link *links[LINES_MAX];
    unsigned count;
};

static void rig_init(struct rig *rig)
{
    const struct campaign_options options = {.seed = 2, .addresses = 400};
    *rig = (struct rig){0};
    assert_int_equal(campaign_plan_new(&options, &rig->plan), ERR_NONE);
    rig->plan->settings.knocker.pipelined_rcpts = 1;
    assert_int_equal(campaign_world_new(rig->plan, &rig->stage), ERR_NONE);
    assert_int_equal(campaign_talk_new(SLICE_NONE, &rig->talk), ERR_NONE);
    assert_int_equal(campaign_watch_new(rig->plan, known(), campaign_world_net(rig->stage),
                                        rig->talk, 0, &rig->watch),
                     ERR_NONE);
}

static void run(struct rig *rig)
{
    door_run(world_door(campaign_world_net(rig->stage)));
}

static void rig_done(struct rig *rig)
{
    for (unsigned i = 0; i < rig->count; i++) {
        link_close(rig->links[i]);
    }
    run(rig);
    campaign_watch_free(rig->watch);
    campaign_world_free(rig->stage);
    campaign_talk_free(rig->talk);
    campaign_plan_free(rig->plan);
}

static void on_nothing(void *context)
{
    (void)context;
}
static void on_bytes(void *context, struct slice bytes)
{
    (void)context;
    (void)bytes;
}
static void on_secured(void *context, const struct tls_info *info)
{
    (void)context;
    (void)info;
}
static void on_ended(void *context, enum link_end why, const char *detail)
{
    (void)context;
    (void)why;
    (void)detail;
}
static const struct link_handler handler = {on_nothing, on_bytes, on_secured, on_ended};

static struct link *call(struct rig *rig, const char *ip)
{
    struct link_request request = {.port = 25};
    assert_true(ip_parse(slice_of(ip), &request.ip));
    struct link *link =
        door_connect(world_door(campaign_world_net(rig->stage)), &request, &handler, rig);
    assert_non_null(link);
    rig->links[rig->count++] = link;
    return link;
}

static void say(struct rig *rig, struct link *link, const char *line)
{
    assert_int_equal(link_send(link, slice_of(line)), ERR_NONE);
    run(rig);
}

static const char *site_ip(const struct rig *rig)
{
    return rig->plan->sites[0].hosts[0].ip;
}

static struct link *greet(struct rig *rig)
{
    struct link *link = call(rig, site_ip(rig));
    run(rig);
    say(rig, link, "EHLO probe.heloise.test\r\n");
    say(rig, link, "MAIL FROM:<>\r\n");
    return link;
}

/* An address of the plan with this truth, at the first site or (is_elsewhere) another. */
static void find(const struct rig *rig, enum campaign_truth truth, bool is_elsewhere,
                 char out[CAMPAIGN_ADDRESS_BYTES])
{
    for (uint32_t i = 0; i < rig->plan->options.addresses; i++) {
        uint32_t site = rig->plan->domains[campaign_domain_of(rig->plan, i)].site;
        if (campaign_truth(rig->plan, i) == truth && (site != 0) == is_elsewhere) {
            campaign_address(rig->plan, i, out);
            return;
        }
    }
    fail_msg("no such address");
}

static void expect(const struct rig *rig, const char *words)
{
    const struct campaign_flaw *flaw = campaign_watch_flaw(rig->watch);
    if (words == NULL) {
        assert_false(flaw->is_found);
        return;
    }
    if (!flaw->is_found || strstr(flaw->text, words) == NULL) {
        fail_msg("expected '%s', found '%s'", words, flaw->text);
    }
}

static void a_polite_client_passes(void **state)
{
    (void)state;
    struct rig rig;
    char address[CAMPAIGN_ADDRESS_BYTES], line[SAY_BYTES];
    rig_init(&rig);
    struct link *link = greet(&rig);
    find(&rig, CAMPAIGN_LIVE, false, address);
    (void)snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", address);
    say(&rig, link, line);
    say(&rig, link, "QUIT\r\n");
    link_close(link);
    rig.count = 0;
    run(&rig);
    campaign_watch_end(rig.watch);
    expect(&rig, NULL);
    struct buf text;
    buf_init(&text, TALK_BYTES_MAX);
    assert_int_equal(campaign_talk_write(rig.talk, &text), ERR_NONE);
    assert_true(slice_find_nocase(buf_view(&text), slice_of(address)) < text.len);
    buf_done(&text);
    rig_done(&rig);
}

static void too_many_connections(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    for (unsigned i = 0; i < 20; i++) {
        struct world *world = campaign_world_net(rig.stage);
        (void)call(&rig, site_ip(&rig));
        world_run_until(world, door_now_ms(world_door(world)) + 1000);
    }
    expect(&rig, "connections at once");
    rig_done(&rig);
}

static void too_soon_after_another(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    (void)call(&rig, site_ip(&rig));
    run(&rig);
    (void)call(&rig, site_ip(&rig));
    (void)call(&rig, site_ip(&rig));
    expect(&rig, "after the one before");
    rig_done(&rig);
}

static void forbidden_commands(void **state)
{
    (void)state;
    static const char *const lines[] = {"DATA\r\n", "VRFY anna\r\n", "EXPN staff\r\n",
                                        "BDAT 0 LAST\r\n", "HELP\r\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct rig rig;
        rig_init(&rig);
        struct link *link = greet(&rig);
        expect(&rig, NULL);
        say(&rig, link, lines[i]);
        expect(&rig, "no command of a probe");
        rig_done(&rig);
    }
}

static void where_nothing_stands(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    (void)call(&rig, "10.1.2.3");
    expect(&rig, "nothing should be contacted");
    rig_done(&rig);
}

static void at_the_wrong_server(void **state)
{
    (void)state;
    struct rig rig;
    char address[CAMPAIGN_ADDRESS_BYTES], line[SAY_BYTES];
    rig_init(&rig);
    struct link *link = greet(&rig);
    find(&rig, CAMPAIGN_LIVE, true, address);
    (void)snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", address);
    say(&rig, link, line);
    expect(&rig, "another domain");
    rig_done(&rig);
}

static void too_many_in_a_session(void **state)
{
    (void)state;
    static const struct {
        const char *local, *words;
    } cases[] = {{"live", "RCPTs in one session"}, {"nobody", "refused RCPTs in one session"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        char address[CAMPAIGN_ADDRESS_BYTES], line[SAY_BYTES];
        rig_init(&rig);
        struct link *link = greet(&rig);
        find(&rig, CAMPAIGN_LIVE, false, address);
        const char *at = strchr(address, '@');
        for (unsigned n = 0; n < 60 && !campaign_watch_flaw(rig.watch)->is_found; n++) {
            (void)snprintf(line, sizeof line, "RCPT TO:<%s%s>\r\n", i == 0 ? "" : cases[i].local,
                           i == 0 ? address : at);
            say(&rig, link, line);
        }
        expect(&rig, cases[i].words);
        rig_done(&rig);
    }
}

static void too_many_unanswered(void **state)
{
    (void)state;
    static const struct {
        const char *lines[3], *words;
    } cases[] = {
        {{"RCPT TO:<a@d0.test>\r\n", "RCPT TO:<b@d0.test>\r\n"}, "RCPTs unanswered at once"},
        {{"RSET\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<a@d0.test>\r\nRCPT TO:<b@d0.test>\r\n"},
         "unanswered: RCPT TO:<b@d0.test>"},
        {{"RCPT TO:<a@d0.test>\r\n", "RSET\r\n"}, "unanswered: RSET"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        rig_init(&rig);
        struct link *link = greet(&rig);
        for (size_t n = 0; n < 3 && cases[i].lines[n] != NULL; n++) {
            assert_int_equal(link_send(link, slice_of(cases[i].lines[n])), ERR_NONE);
        }
        expect(&rig, cases[i].words);
        rig_done(&rig);
    }
}

/* One refusal in each session, and a session a second. */
static void too_many_refusals_in_an_hour(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    struct world *world = campaign_world_net(rig.stage);
    for (unsigned n = 0; n < SESSIONS_MAX && !campaign_watch_flaw(rig.watch)->is_found; n++) {
        struct link *link = greet(&rig);
        say(&rig, link, "RCPT TO:<nobody@d0.test>\r\n");
        link_close(link);
        rig.count--;
        world_run_until(world, door_now_ms(world_door(world)) + 1000);
    }
    expect(&rig, "within an hour");
    rig_done(&rig);
}

static void lines_left_open(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    (void)call(&rig, site_ip(&rig));
    run(&rig);
    campaign_watch_end(rig.watch);
    expect(&rig, "left open");
    rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_polite_client_passes), cmocka_unit_test(too_many_connections),
        cmocka_unit_test(too_soon_after_another), cmocka_unit_test(forbidden_commands),
        cmocka_unit_test(where_nothing_stands),   cmocka_unit_test(at_the_wrong_server),
        cmocka_unit_test(too_many_in_a_session),  cmocka_unit_test(too_many_refusals_in_an_hour),
        cmocka_unit_test(lines_left_open),        cmocka_unit_test(too_many_unanswered),
    };
    return cmocka_run_group_tests(tests, known_open, known_close);
}
