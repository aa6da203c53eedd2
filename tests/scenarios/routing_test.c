/* Scenarios 61 to 78: DNS and the way to the exchangers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

static void never_connected(struct stage *stage)
{
    struct world_counts counts;
    world_count(stage_world(stage), &counts);
    assert_int_equal(counts.connects, 0);
}

static void fail_names(struct stage *stage, struct knocker_config *config)
{
    (void)config;
    struct zone *zone = world_zone(stage_world(stage));
    assert_int_equal(zone_fail(zone, "servfail.test", ZONE_SERVFAIL), ERR_NONE);
    assert_int_equal(zone_fail(zone, "silent.test", ZONE_TIMEOUT), ERR_NONE);
    assert_int_equal(zone_fail(zone, "refused.test", ZONE_REFUSED), ERR_NONE);
    assert_int_equal(zone_fail(zone, "broken.test", ZONE_BROKEN), ERR_NONE);
    assert_int_equal(zone_fail(zone, "unreached.test", ZONE_NONE_REACHED), ERR_NONE);
    assert_int_equal(zone_fail(zone, "mx.half.test", ZONE_SERVFAIL), ERR_NONE);
}

static void within_connect_timeout(struct stage *stage)
{
    assert_true(stage_elapsed_ms(stage, 0) < 15000);
}

static void suggests_gmail(struct stage *stage)
{
    assert_true(slice_equal(stage_record(stage, 0)->did_you_mean, SLICE("jane@gmail.com")));
}

static void add_parking(struct stage *stage, struct knocker_config *config)
{
    (void)config;
    static const struct peer_script parking = {.catch_all = PEER_CATCH_ALL_YES};
    struct world_host host = {.ip = "5.9.7.7", .script = &parking};
    assert_int_equal(world_host_add(stage_world(stage), &host), ERR_NONE);
}

#define L63 "aaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"

/* 63 octets a label are the most, and 253 of a name; nothing here may be remembered for a moment. */
static void add_names_without_life(struct stage *stage, struct knocker_config *config)
{
    (void)config;
    struct zone *zone = world_zone(stage_world(stage));
    assert_int_equal(zone_add(zone, "d.test", DNS_MX, "10 mx.d.test", 0), ERR_NONE);
    assert_int_equal(zone_add(zone, "mx.d.test", DNS_A, "5.9.1.1", 0), ERR_NONE);
    assert_int_equal(zone_add(zone, "long.test", DNS_MX, "10 " L63 "." L63 "." L63 ".long.test", 0),
                     ERR_NONE);
    assert_int_equal(zone_add(zone, L63 "." L63 "." L63 ".long.test", DNS_A, "5.9.1.1", 0),
                     ERR_NONE);
}

static void probed_once(struct stage *stage)
{
    assert_int_equal(stage_seen(stage, "5.9.1.1")->accepted, 1);
}

static const struct scene scenes[] = {
    {"61", "null MX though there is an address", .no_domain = true,
     .names = {{"d.test", DNS_MX, "0 ."}, {"d.test", DNS_A, "5.9.1.1"}},
     .asks = {{"live@d.test", "null_mx"}}, .check = never_connected},
    {"62", "'0 .' beside a real exchanger", .script = {.live = {"live"}},
     .names = {{"d.test", DNS_MX, "0 ."}},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}}},
    {"64", "no MX, only an IPv6 address, with IPv6",
     .hosts = {{"2a01:4f8:1:2::3", NULL, 0, .script = {.live = {"live"}}}},
     .names = {{"d.test", DNS_AAAA, "2a01:4f8:1:2::3"}}, .asks = {{"live@d.test", "accepted"}}},
    {"64b", "the same without IPv6",
     .hosts = {{"2a01:4f8:1:2::3", NULL, 0, .script = {.live = {"live"}}}},
     .names = {{"d.test", DNS_AAAA, "2a01:4f8:1:2::3"}},
     .asks = {{"live@d.test", "connect_failed"}}, .no_ipv6 = true},
    {"65", "no MX and no address", .no_domain = true, .names = {{"d.test", DNS_NS, "ns.d.test"}},
     .asks = {{"live@d.test", "no_mail_host"}}, .check = never_connected},
    {"66", "not found, no data, SERVFAIL, timeout, refused, broken", .no_domain = true,
     .names = {{"nodata.test", DNS_NS, "ns.test"},
               {"servfail.test", DNS_MX, "10 mx.test"},
               {"silent.test", DNS_MX, "10 mx.test"},
               {"half.test", DNS_MX, "10 mx.half.test"},
               {"mx.half.test", DNS_A, "5.9.1.1"}},
     .asks = {{"a@nowhere.test", "domain_not_found"},
              {"a@nodata.test", "no_mail_host"},
              {"a@servfail.test", "dns_error"},
              {"a@silent.test", "dns_error"},
              {"a@refused.test", "dns_error"},
              {"a@broken.test", "dns_error"},
              {"a@unreached.test", "dns_error"},
              {"a@half.test", "dns_error"}},
     .tune = fail_names, .check = never_connected},
    {"67", "exchangers at private, loopback and other special addresses", .no_domain = true,
     .names = {{"lo.test", DNS_MX, "10 h.lo.test"},
               {"h.lo.test", DNS_A, "127.0.0.1"},
               {"ten.test", DNS_MX, "10 h.ten.test"},
               {"h.ten.test", DNS_A, "10.1.2.3"},
               {"link.test", DNS_MX, "10 h.link.test"},
               {"h.link.test", DNS_A, "169.254.169.254"},
               {"six.test", DNS_MX, "10 h.six.test"},
               {"h.six.test", DNS_AAAA, "::1"},
               {"zero.test", DNS_A, "0.0.0.0"},
               {"map.test", DNS_AAAA, "::ffff:127.0.0.1"}},
     .asks = {{"a@lo.test", "mx_unroutable"},
              {"a@ten.test", "mx_unroutable"},
              {"a@link.test", "mx_unroutable"},
              {"a@six.test", "mx_unroutable"},
              {"a@zero.test", "mx_unroutable"},
              {"a@map.test", "mx_unroutable"}},
     .check = never_connected},
    {"68", "an IP address for an MX target", .no_domain = true,
     .names = {{"d.test", DNS_MX, "10 192.0.2.1"}}, .asks = {{"live@d.test", "mx_unroutable"}},
     .check = never_connected},
    {"69", "MX to CNAME to address", .hosts = {{"5.9.1.1", NULL, 0, .script = {.live = {"live"}}}},
     .names = {{"d.test", DNS_MX, "10 mail.d.test"},
               {"mail.d.test", DNS_CNAME, "real.e.test"},
               {"real.e.test", DNS_A, "5.9.1.1"}},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}}},
    {"70", "the first exchanger refuses connections",
     .hosts = {{"5.9.1.1", "mx1.d.test", 10, .behaviour = WORLD_REFUSE},
               {"5.9.1.2", "mx2.d.test", 20, .script = {.live = {"live"}}}},
     .asks = {{"live@d.test", "accepted"}, {"dead@d.test", "mailbox_not_found"}},
     .check = within_connect_timeout},
    {"70b", "the first exchanger is silent",
     .hosts = {{"5.9.1.1", "mx1.d.test", 10, .behaviour = WORLD_BLACKHOLE},
               {"5.9.1.2", "mx2.d.test", 20, .script = {.live = {"live"}}}},
     .asks = {{"live@d.test", "accepted"}}, .check = within_connect_timeout},
    {"72", "the first exchanger says 4xx, the backup takes everything",
     .hosts = {{"5.9.1.1", "mx1.d.test", 10,
                .script = {.rules = {{PEER_AT_RCPT, .say = "451 4.3.0 Temporary lookup failure"}}}},
               {"5.9.1.2", "mx2.d.test", 20, .script = {.catch_all = PEER_CATCH_ALL_YES}}},
     .asks = {{"live@d.test", "accepts_all_provider|temp_failure|accepted_unconfirmed"}}},
    {"73", "the first exchanger knows nobody, the backup takes everything",
     .hosts = {{"5.9.1.1", "mx1.d.test", 10, .script = {.live = {"live"}}},
               {"5.9.1.2", "mx2.d.test", 20, .script = {.catch_all = PEER_CATCH_ALL_YES}}},
     .asks = {{"dead@d.test", "mailbox_not_found"}, {"live@d.test", "accepted"}}},
    {"76", "a loop of aliases", .no_domain = true,
     .names = {{"d.test", DNS_MX, "10 a.test"},
               {"a.test", DNS_CNAME, "b.test"},
               {"b.test", DNS_CNAME, "a.test"},
               {"loop.test", DNS_CNAME, "pool.test"},
               {"pool.test", DNS_CNAME, "loop.test"}},
     .asks = {{"live@d.test", "dns_error|no_mail_host"},
              {"live@loop.test", "dns_error|no_mail_host"}},
     .check = never_connected},
    {"76b", "names as long as they may be and longer, TTL 0",
     .hosts = {{"5.9.1.1", NULL, 0, .script = {.live = {"live"}}}},
     .asks = {{"live@d.test", "accepted"},
              {"dead@d.test", "mailbox_not_found"},
              {"live@long.test", "accepted"},
              {"live@" L63 "a.test", "invalid_syntax"},
              {"live@" L63 "." L63 "." L63 "." L63 ".test", "invalid_syntax"}},
     .tune = add_names_without_life},
    {"77", "a parked look-alike that takes everything", .no_domain = true,
     .names = {{"*.gmaill.com", DNS_A, "5.9.7.7"}, {"gmaill.com", DNS_MX, "10 park.gmaill.com"}},
     .asks = {{"jane@gmaill.com", "catch_all"}}, .tune = add_parking, .check = suggests_gmail},
    {"78", "one domain in Unicode, in ASCII and in capitals",
     .hosts = {{"5.9.1.1", NULL, 0, .script = {.live = {"live"}}}},
     .names = {{"xn--bcher-kva.example", DNS_MX, "10 mx.e.test"}, {"mx.e.test", DNS_A, "5.9.1.1"}},
     .asks = {{"live@b\xC3\xBC"
               "cher.example",
               "accepted"},
              {"live@xn--bcher-kva.example", "accepted"},
              {"live@XN--Bcher-KVA.example", "accepted"}},
     .check = probed_once},
};

int main(void)
{
    return stage_play_all("routing", scenes, sizeof scenes / sizeof scenes[0]);
}
