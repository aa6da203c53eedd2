/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/village.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../net/rig.h"
#include "base/slice.h"

static struct village *new_village(struct rig *rig)
{
    struct village *village = NULL;
    struct fault fault = {0};
    if (village_open(rig->door, &(struct village_config){0}, &village, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return village;
}

/* Says lines and waits for as many answers' line ends, in total. */
static void talk(struct owner *us, const char *lines, size_t answers)
{
    assert_int_equal(owner_send(us, slice_of(lines)), ERR_NONE);
    size_t ends = 0;
    while (ends < answers) {
        rig_step(us->rig);
        ends = 0;
        for (size_t i = 0; i < us->bytes.len; i++) {
            ends += us->bytes.at[i] == '\n';
        }
    }
}

static void visit(struct owner *us, struct rig *rig, const struct village *village, size_t house)
{
    char ip[IP_TEXT_BYTES];
    (void)snprintf(ip, sizeof ip, "127.0.83.%zu", house + 1);
    owner_init(us, rig);
    owner_connect(us, ip, village_port(village), NULL);
    RIG_UNTIL(rig, us->connected == 1);
}

static size_t house_of(const char *domain)
{
    size_t count;
    const struct house *houses = village_houses(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(houses[i].domain, domain) == 0) {
            return i;
        }
    }
    fail_msg("no house %s", domain);
    return 0;
}

static void every_house_answers(void **state)
{
    struct rig *rig = *state;
    struct village *village = new_village(rig);
    size_t count;
    const struct house *houses = village_houses(&count);
    assert_true(count > 5);
    for (size_t i = 0; i < count; i++) {
        struct owner us;
        visit(&us, rig, village, i);
        RIG_UNTIL(rig, us.bytes.len > 4);
        assert_memory_equal(us.bytes.at, "220 ", 4);
        assert_true(houses[i].about[0] != '\0');
        owner_done(&us);
    }
    village_close(village);
    village_close(NULL);
}

static void the_honest_house_is_honest(void **state)
{
    struct rig *rig = *state;
    struct village *village = new_village(rig);
    struct owner us;
    visit(&us, rig, village, house_of("plain.example"));
    talk(&us, "HELO us\r\nMAIL FROM:<>\r\n", 3);
    buf_clear(&us.bytes);
    talk(&us, "RCPT TO:<jane@plain.example>\r\n", 1);
    assert_memory_equal(us.bytes.at, "250 ", 4);
    buf_clear(&us.bytes);
    talk(&us, "RCPT TO:<nobody@plain.example>\r\n", 1);
    assert_memory_equal(us.bytes.at, "550 5.1.1", 9);
    buf_clear(&us.bytes);
    talk(&us, "QUIT\r\n", 1);
    RIG_UNTIL(rig, us.ended == 1);
    assert_int_equal(us.why, LINK_END_CLOSED);
    owner_done(&us);
    village_close(village);
}

static void the_tls_house_shakes_hands(void **state)
{
    struct rig *rig = *state;
    struct village *village = new_village(rig);
    struct owner us;
    visit(&us, rig, village, house_of("tls.example"));
    talk(&us, "HELO us\r\nMAIL FROM:<>\r\n", 3);
    assert_true(slice_find_nocase(buf_view(&us.bytes), SLICE("530 ")) < us.bytes.len);
    buf_clear(&us.bytes);
    talk(&us, "STARTTLS\r\n", 1);
    buf_clear(&us.bytes);
    owner_start_tls(&us, "mx.tls.example");
    RIG_UNTIL(rig, us.secured == 1);
    assert_true(us.info.is_cert_for_host);
    assert_false(us.info.is_cert_trusted);
    talk(&us, "HELO us\r\nMAIL FROM:<>\r\nRCPT TO:<emil@tls.example>\r\n", 3);
    assert_true(slice_find_nocase(buf_view(&us.bytes), SLICE("250 2.1.5")) < us.bytes.len);
    village_close(village); /* with a line open: it ends */
    RIG_UNTIL(rig, us.ended == 1);
    owner_done(&us);
}

static void a_taken_port_is_said_so(void **state)
{
    struct rig *rig = *state;
    struct village *village = new_village(rig), *second = NULL;
    struct fault fault = {0};
    const struct village_config config = {.port = village_port(village)};
    assert_int_equal(village_open(rig->door, &config, &second, &fault), ERR_SYSTEM);
    assert_null(second);
    assert_non_null(strstr(fault.text, "address already in use"));
    assert_int_not_equal(village_dns_port(village), 0);
    village_close(village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_house_answers, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(the_honest_house_is_honest, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(the_tls_house_shakes_hands, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(a_taken_port_is_said_so, rig_open, rig_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
