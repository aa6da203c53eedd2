/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../sim/zone_lines.h"
#include "base/slice.h"
#include "engine/doctor_report.h"
#include "engine/knowledge.h"

enum { TEXT_BYTES = 65536 };

static const char list_text[] =
    "source s\ndate 2026-11\n"
    "blocklist heavy\nlabel Heavy\nzone heavy.bl\npage https://heavy.bl/\nasks ipv4 ipv6\nweight "
    "heavy\n"
    "listed 127.0.0.2 \"spam\"\nrefused 127.255.255.254 \"it does not answer public resolvers\"\n"
    "blocklist light\nlabel Light\nzone light.bl\npage https://light.bl/\nasks ipv4\n"
    "blocklist names\nlabel Names\nzone names.bl\npage https://names.bl/\nasks domain\nweight "
    "heavy\n"
    "harmless 127.0.0.4 \"grey\"\n";

/* "NAME TYPE VALUE" in each line. */
static const char fit_zone[] =
    "gmail-smtp-in.l.google.com A 5.9.1.1\nmx01.mail.icloud.com A 5.9.1.2\nmx00.gmx.net A 5.9.1.3\n"
    "7.7.9.5.in-addr.arpa PTR mail.sender.test\nmail.sender.test A " OWN "\n"
    "mail.sender.test TXT v=spf1 a -all\n"
    "sender.test MX 10 mx.sender.test\nmx.sender.test A 5.9.1.9\n"
    "sender.test TXT v=spf1 ip4:" OWN " -all\n"
    "2.0.0.127.heavy.bl A 127.0.0.2\n2.0.0.127.light.bl A 127.0.0.2\n"
    "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.heavy.bl A 127.0.0.2\n"
    "test.names.bl A 127.0.0.2\n";

static const struct rules *shared_rules(void)
{
    static struct knowledge *knowledge;
    struct fault fault;
    if (knowledge == NULL && knowledge_open(DATA_DIR, &knowledge, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return knowledge_rules(knowledge);
}

/* ---- the world ---- */

static void build_world(const struct doctor_row *row, struct examination *x)
{
    static const struct peer_script honest = {.name = "mx.far.test", .live = {"probe"}};
    static const char *const far[FAR_HOSTS] = {"5.9.1.1", "5.9.1.2", "5.9.1.3"};
    static const char *const far_v6[FAR_HOSTS] = {"2a01:4f8::101", "2a01:4f8::102",
                                                  "2a01:4f8::103"};
    struct world_config config = {.seed = 7,
                                  .no_ipv6 = !row->has_ipv6,
                                  .no_ipv4 = row->no_ipv4,
                                  .wall_start_ms = row->wall_ms};
    assert_true(ip_parse(slice_of(row->own == NULL ? OWN : row->own), &config.own_v4));
    assert_true(ip_parse(SLICE(OWN_V6), &config.own_v6));
    assert_int_equal(world_new(&config, &x->world), ERR_NONE);
    for (size_t i = 0; i < FAR_HOSTS; i++) {
        struct world_host host = {.ip = far[i],
                                  .behaviour = row->far[i],
                                  .script = row->script == NULL ? &honest : row->script};
        assert_int_equal(world_host_add(x->world, &host), ERR_NONE);
        host.ip = far_v6[i];
        assert_int_equal(world_host_add(x->world, &host), ERR_NONE);
    }
    struct world_host mx = {.ip = "5.9.1.9", .script = row->mx == NULL ? &honest : row->mx};
    assert_int_equal(world_host_add(x->world, &mx), ERR_NONE);
    zone_add_lines(world_zone(x->world), fit_zone, row->without);
    zone_add_lines(world_zone(x->world), row->with, NULL);
}

static void on_done(void *context)
{
    struct examination *x = context;
    x->done++;
    x->done_at_ms = door_now_ms(world_door(x->world));
}

static struct doctor_egress egress_of(const struct doctor_row *row)
{
    struct doctor_egress egress = row->egress;
    if (egress.helo.len == 0 && !row->no_helo) {
        egress.helo = SLICE("mail.sender.test");
    }
    if (egress.mail_from.len == 0 && !row->no_mail_from) {
        egress.mail_from = SLICE("probe@sender.test");
    }
    return egress;
}

void doctor_begin(const struct doctor_row *row, struct examination *x, struct doctor_egress *egress)
{
    const struct blocklist_source source = {SLICE("lists"), slice_of(list_text)};
    struct fault fault;
    *x = (struct examination){0};
    build_world(row, x);
    if (blocklist_book_compile(&source, 1, &x->lists, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    *egress = egress_of(row);
    struct doctor_config config = {.egresses = egress,
                                   .egress_count = 1,
                                   .rules = shared_rules(),
                                   .lists = x->lists,
                                   .port = 25,
                                   .asks_mailbox = row->asks_mailbox,
                                   .no_smtp = row->no_smtp,
                                   .machine = row->machine,
                                   .done = on_done,
                                   .context = x};
    assert_int_equal(doctor_new(world_door(x->world), &config, &x->doctor), ERR_NONE);
}

void doctor_end(struct examination *x)
{
    doctor_free(x->doctor);
    door_run(world_door(x->world)); /* what was dropped comes to its end */
    blocklist_book_free(x->lists);
    world_free(x->world);
}

void doctor_begin_again(struct examination *x, struct doctor_config *config)
{
    config->rules = shared_rules();
    config->port = 25;
    config->done = on_done;
    config->context = x;
    doctor_free(x->doctor);
    assert_int_equal(doctor_new(world_door(x->world), config, &x->doctor), ERR_NONE);
}

/* ---- what was found ---- */

static void print_findings(const struct fitness_report *report, char out[TEXT_BYTES])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < report->count; i++) {
        const struct fitness_finding *finding = &report->findings[i];
        if (finding->level != FITNESS_OK) {
            len += (size_t)snprintf(out + len, TEXT_BYTES - len, "%s%s %s", len == 0 ? "" : "; ",
                                    fitness_level_name(finding->level),
                                    fitness_check_name(finding->check));
        }
    }
}

static void print_all(const struct fitness_facts *facts, const struct fitness_report *report,
                      char out[TEXT_BYTES])
{
    struct buf text;
    buf_init(&text, TEXT_BYTES - 1);
    assert_int_equal(doctor_write_text(facts, report, false, &text), ERR_NONE);
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    buf_done(&text);
}

static void check_manners(const struct examination *x)
{
    static const char *const hosts[] = {"5.9.1.1", "5.9.1.2", "5.9.1.3", "5.9.1.9",
                                        "2a01:4f8::101"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct peer_server *server = world_host_server(x->world, hosts[i], 25);
        if (server == NULL) {
            continue; /* it does not accept */
        }
        const struct peer_seen *seen = peer_server_seen(server);
        assert_int_equal(seen->commands[PEER_AT_DATA] + seen->bdat + seen->vrfy + seen->expn, 0);
        assert_int_equal(seen->left_without_quit, 0);
        assert_int_equal(seen->early_commands, 0);
        assert_true(seen->connections <= 1);
    }
}

void doctor_check_row(const struct doctor_row *row)
{
    static char found[TEXT_BYTES], all[TEXT_BYTES];
    struct examination x;
    struct doctor_egress egress;
    struct fitness_report report;
    doctor_begin(row, &x, &egress);
    door_run(world_door(x.world));
    assert_int_equal(x.done, 1);
    unsigned begun, over;
    doctor_progress(x.doctor, &begun, &over);
    assert_int_equal(begun, over);
    assert_true(begun > 0);
    assert_int_equal(fitness_judge(doctor_facts(x.doctor), &report), ERR_NONE);
    print_findings(&report, found);
    print_all(doctor_facts(x.doctor), &report, all);
    if (strcmp(found, row->wanted) != 0 || (row->says != NULL && strstr(all, row->says) == NULL)) {
        fail_msg("%s:\nis     %s\nwanted %s\nsays   %s\n%s", row->name, found, row->wanted,
                 row->says == NULL ? "" : row->says, all);
    }
    check_manners(&x);
    fitness_report_done(&report);
    doctor_end(&x);
}
