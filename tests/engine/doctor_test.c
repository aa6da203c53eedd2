/* A fit machine and many that are not, in the virtual world: every finding that is not "ok" is expected, and no
 * other. And an examination may be dropped at any time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "doctor_stage.h"

enum { EGRESSES_MAX = 3 };

#define CHECK_ROWS(rows)                                      \
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) { \
        doctor_check_row(&rows[i]);                           \
    }

#define IP4(a, b, c, d)                          \
    {                                            \
        .family = IP_V4, .bytes = { a, b, c, d } \
    }

static const struct peer_script names_us = {
    .name = "mx.far.test",
    .rules = {{PEER_AT_EHLO, .say = "250-mx.far.test at your service, [5.9.7.7]\n250 SIZE 1000"}}};
static const struct peer_script names_another = {
    .name = "mx.far.test",
    .rules = {{PEER_AT_EHLO, .say = "250 mx.far.test at your service, [5.9.7.8]"}}};
static const struct peer_script refuses_all = {
    .name = "mx.far.test",
    .rules = {{PEER_AT_BANNER, .say = "554 5.7.1 Bad DNS PTR resource record", .closes = true}}};
static const struct peer_script dislikes_ehlo = {
    .name = "mx.far.test",
    .rules = {{PEER_AT_EHLO, .say = "550 5.7.1 \033[31mbad\033[0m name"},
              {PEER_AT_HELO, .say = "550 5.7.1 \033[31mbad\033[0m name"}}};
static const struct peer_script is_busy = {
    .name = "mx.far.test",
    .rules = {{PEER_AT_BANNER, .say = "421 4.7.0 Try again later", .closes = true}}};
static const struct peer_script is_silent = {.tongue = PEER_SPEAKS_NOTHING};
static const struct peer_script is_web = {.tongue = PEER_SPEAKS_HTTP};

static const struct doctor_row machine_rows[] = {
    {.name = "a fit machine", .wanted = ""},
    {.name = "a fit machine says so", .wanted = "", .says = "Fit to ask."},
    {.name = "the resolver is silent",
     .with = "* FAIL timeout\n",
     .wanted =
         "mend resolver; unknown block_lists; unknown port_25; unknown reverse_name; unknown spf; "
         "unknown spf; unknown ehlo_name; unknown mail_from",
     .says = "the resolver does not answer"},
    {.name = "the resolver fails",
     .with = "* FAIL servfail\n",
     .wanted =
         "mend resolver; unknown block_lists; unknown port_25; unknown reverse_name; unknown spf; "
         "unknown spf; unknown ehlo_name; unknown mail_from",
     .says = "the resolver fails"},
    {.name = "the resolver sees another world",
     .without = "gmail-smtp-in.l.google.com mx01.mail.icloud.com mx00.gmx.net",
     .wanted = "mend resolver; unknown port_25"},
    {.name = "the resolver makes up names",
     .with = "*.com A 6.6.6.6\n",
     .wanted = "mend nxdomain",
     .says = "said to be at 6.6.6.6"},
    {.name = "the resolver makes up empty names",
     .with = "*.com TXT here\n",
     .wanted = "mend nxdomain",
     .says = "a name exists which cannot exist"},
    {.name = "the clock is years behind",
     .wanted = "mend clock",
     .wall_ms = 1000000000000,
     .machine = {.earliest_ms = 1767225600000}},
    {.name = "nothing keeps the clock right",
     .wanted = "advice clock",
     .machine = {.clock = FITNESS_CLOCK_ALONE, .earliest_ms = 1}},
    {.name = "few files may be open",
     .wanted = "advice open_files",
     .says = "ulimit -n 564",
     .machine = {.files_max = 256, .files_wanted = 564}},
    {.name = "the store cannot be written",
     .wanted = "mend store",
     .says = "no room",
     .machine = {.store = "no room"}},
    {.name = "no route at all",
     .no_ipv4 = true,
     .wanted = "mend public_ip",
     .says = "no route into the internet"},
    {.name = "nothing but DNS",
     .no_smtp = true,
     .wanted = "",
     .far = {WORLD_REFUSE, WORLD_REFUSE, WORLD_REFUSE}},
};

static void machines_are_examined(void **state)
{
    (void)state;
    CHECK_ROWS(machine_rows)
}

static const struct doctor_row port_rows[] = {
    {.name = "port 25 is blocked without a word",
     .wanted = "mend port_25",
     .says = "no answer",
     .far = {WORLD_BLACKHOLE, WORLD_BLACKHOLE, WORLD_BLACKHOLE}},
    {.name = "port 25 is refused",
     .wanted = "mend port_25",
     .says = "port 25 is blocked from here",
     .far = {WORLD_REFUSE, WORLD_REFUSE, WORLD_REFUSE}},
    {.name = "no way there",
     .wanted = "mend port_25",
     .far = {WORLD_UNREACHABLE, WORLD_UNREACHABLE, WORLD_UNREACHABLE}},
    {.name = "one of three will do",
     .wanted = "",
     .says = "1 of 3 large providers",
     .far = {WORLD_REFUSE, WORLD_BLACKHOLE, WORLD_ACCEPT}},
    {.name = "lines are taken and dropped",
     .wanted = "mend port_25",
     .says = "closed without a word",
     .far = {WORLD_RESET, WORLD_RESET, WORLD_RESET}},
    {.name = "somebody takes the line and keeps silent",
     .wanted = "mend port_25",
     .says = "nobody greets",
     .script = &is_silent},
    {.name = "somebody else answers",
     .wanted = "mend port_25",
     .says = "no mail server",
     .script = &is_web},
    {.name = "the providers refuse us",
     .wanted = "mend port_25; mend port_25; mend port_25",
     .says = "gmail-smtp-in.l.google.com turns us away: 554 5.7.1 Bad DNS PTR resource record",
     .script = &refuses_all},
    {.name = "the providers dislike our name",
     .wanted = "mend port_25; mend port_25; mend port_25",
     .says = "\\x1b[31mbad",
     .script = &dislikes_ehlo},
    {.name = "the providers are busy",
     .wanted = "advice port_25; advice port_25; advice port_25",
     .script = &is_busy},
    {.name = "some names are not found",
     .without = "gmail-smtp-in.l.google.com",
     .wanted = "",
     .says = "2 of 2 large providers"},
    {.name = "addresses that are not public are left alone",
     .without = "gmail-smtp-in.l.google.com mx01.mail.icloud.com mx00.gmx.net",
     .with = "gmail-smtp-in.l.google.com A 127.0.0.1\nmx01.mail.icloud.com A 10.0.0.1\n"
             "mx00.gmx.net A 192.168.0.1\n",
     .wanted = "unknown port_25"},
    {.name = "a source that is not ours", .wanted = "", .egress = {.source_v4 = IP4(5, 9, 7, 7)}},
    {.name = "IPv6 as well",
     .has_ipv6 = true,
     .with = "gmail-smtp-in.l.google.com AAAA 2a01:4f8::101\n"
             "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.f.4.0.1.0.a.2.ip6.arpa PTR "
             "mail.sender.test\n"
             "mail.sender.test AAAA " OWN_V6 "\n",
     .wanted = "mend spf", /* which allows the other family only */
     .says = "let the SPF record of sender.test allow ip6:" OWN_V6},
    {.name = "IPv6 without names",
     .has_ipv6 = true,
     .with = "gmail-smtp-in.l.google.com AAAA 2a01:4f8::101\n",
     .wanted = "mend reverse_name; mend spf; mend spf; mend ehlo_name",
     .says = OWN_V6 " has no reverse name"},
};

static void ports_are_tried(void **state)
{
    (void)state;
    CHECK_ROWS(port_rows)
}

static const struct doctor_row address_rows[] = {
    {.name = "behind a router, and a server tells",
     .own = "192.168.1.2",
     .script = &names_us,
     .wanted = "",
     .says = "so gmail-smtp-in.l.google.com sees us; here it is 192.168.1.2"},
    {.name = "behind a router, and nobody tells",
     .own = "192.168.1.2",
     .wanted = "unknown public_ip",
     .says = "give it with --public-ip"},
    {.name = "behind a router, and told by the user",
     .own = "192.168.1.2",
     .wanted = "",
     .says = "as you say",
     .egress = {.public_v4 = IP4(5, 9, 7, 7)}},
    {.name = "the user errs",
     .own = "192.168.1.2",
     .script = &names_another,
     .wanted = "mend public_ip",
     .says = "sees us as 5.9.7.8",
     .egress = {.public_v4 = IP4(5, 9, 7, 7)}},
    {.name = "a private source behind a router",
     .script = &names_us,
     .wanted = "",
     .egress = {.source_v4 = IP4(10, 0, 0, 9)},
     .says = "here it is 10.0.0.9"},
    {.name = "no reverse name",
     .without = "7.7.9.5.in-addr.arpa",
     .wanted = "mend reverse_name",
     .says = "has no reverse name"},
    {.name = "the reverse zone fails",
     .with = "7.7.9.5.in-addr.arpa FAIL x\n",
     .wanted = "unknown reverse_name"},
    {.name = "a reverse name that leads elsewhere",
     .without = "7.7.9.5.in-addr.arpa",
     .with = "7.7.9.5.in-addr.arpa PTR x.other.test\nx.other.test A 5.9.7.9\n",
     .wanted = "mend reverse_name",
     .says = "in the DNS, give x.other.test the A record " OWN},
    {.name = "a reverse name that leads nowhere",
     .without = "7.7.9.5.in-addr.arpa",
     .with = "7.7.9.5.in-addr.arpa PTR x.other.test\n",
     .wanted = "mend reverse_name",
     .says = "which has no address"},
    {.name = "a reverse name whose servers fail",
     .without = "7.7.9.5.in-addr.arpa",
     .with = "7.7.9.5.in-addr.arpa PTR x.other.test\nx.other.test FAIL timeout\n",
     .wanted = "unknown reverse_name"},
    {.name = "one of two reverse names leads back",
     .with = "7.7.9.5.in-addr.arpa PTR x.other.test\nx.other.test A 5.9.7.9\n",
     .wanted = ""},
    {.name = "the reverse name is an alias",
     .without = "7.7.9.5.in-addr.arpa",
     .with = "7.7.9.5.in-addr.arpa CNAME 7.0-63.7.9.5.in-addr.arpa\n"
             "7.0-63.7.9.5.in-addr.arpa PTR mail.sender.test\n",
     .wanted = ""},
    {.name = "a reverse name of a provider's making",
     .without = "7.7.9.5.in-addr.arpa",
     .with =
         "7.7.9.5.in-addr.arpa PTR 5-9-7-7.dynamic.isp.test\n5-9-7-7.dynamic.isp.test A " OWN "\n",
     .wanted = "advice reverse_name"},
    {.name = "a reverse name that is not the EHLO name",
     .without = "7.7.9.5.in-addr.arpa",
     .with = "7.7.9.5.in-addr.arpa PTR mx.sender2.test\nmx.sender2.test A " OWN "\n",
     .wanted = "",
     .says = "it is not the EHLO name"},
};

static const struct proxy socks = {.kind = PROXY_SOCKS5, .ip = IP4(5, 9, 7, 7), .port = 1080};
static const struct proxy relay = {.kind = PROXY_V2, .ip = IP4(5, 9, 6, 6), .port = 25};
static const struct peer_script names_client = {
    .name = "mx.far.test",
    .rules = {{PEER_AT_EHLO, .say = "250-mx.far.test Hello [%i]\n250 SIZE 1000"}}};

static const struct doctor_row proxy_rows[] = {
    {.name = "an egress that cannot be used",
     .wanted = "mend port_25",
     .says = "the proxy has no password",
     .egress = {.obstacle = "the proxy has no password"}},
    {.name = "an egress that cannot be used asks nobody",
     .asks_mailbox = true,
     .wanted = "mend port_25",
     .egress = {.obstacle = "no"}},
    {.name = "behind a proxy, and a server tells",
     .script = &names_client,
     .wanted = "",
     .says = "sees us; it is a proxy's",
     .own = "192.168.1.2",
     .egress = {.proxy = &socks}},
    {.name = "behind a proxy, and nobody tells",
     .wanted = "unknown public_ip",
     .says = "not known (it is a proxy's)",
     .egress = {.proxy = &socks}},
    {.name = "behind a proxy, and told by the user",
     .script = &names_client,
     .wanted = "",
     .says = "as you say",
     .egress = {.proxy = &socks, .public_v4 = IP4(5, 9, 7, 7)}},
    {.name = "a relay that is told where to connect from",
     .script = &names_client,
     .wanted = "",
     .own = "192.168.1.2",
     .egress = {.proxy = &relay, .source_v4 = IP4(5, 9, 7, 7)}},
    {.name = "no route but a proxy",
     .no_ipv4 = true,
     .script = &names_client,
     .wanted = "",
     .egress = {.proxy = &socks}},
};

static void proxies_are_tried(void **state)
{
    (void)state;
    CHECK_ROWS(proxy_rows)
}

static void addresses_and_reverse_names(void **state)
{
    (void)state;
    CHECK_ROWS(address_rows)
}

static const struct doctor_row name_rows[] = {
    {.name = "no EHLO name",
     .no_helo = true,
     .wanted = "mend ehlo_name",
     .says = "this machine's name has no domain"},
    {.name = "an EHLO name without domain",
     .egress = {.helo = SLICE_LITERAL("host")},
     .wanted = "mend ehlo_name"},
    {.name = "an EHLO name that does not exist",
     .egress = {.helo = SLICE_LITERAL("no.sender.test")},
     .wanted = "mend ehlo_name",
     .says = "has no address in the DNS"},
    {.name = "an EHLO name of another machine",
     .egress = {.helo = SLICE_LITERAL("other.sender.test")},
     .with = "other.sender.test A 5.9.7.99\n",
     .wanted = "mend ehlo_name",
     .says = "leads to 5.9.7.99, not to us at " OWN},
    {.name = "an EHLO name in capitals",
     .egress = {.helo = SLICE_LITERAL("MAIL.Sender.Test")},
     .wanted = ""},
    {.name = "an EHLO name of several machines, ours among them",
     .egress = {.helo = SLICE_LITERAL("all.sender.test")},
     .with = "all.sender.test A 5.9.7.99\nall.sender.test A " OWN "\n",
     .wanted = ""},
    {.name = "an EHLO name whose servers fail",
     .egress = {.helo = SLICE_LITERAL("x.sender.test")},
     .with = "x.sender.test FAIL x\n",
     .wanted = "unknown spf; unknown ehlo_name"},
    {.name = "our address for a name",
     .egress = {.helo = SLICE_LITERAL("[" OWN "]")},
     .wanted = "advice ehlo_name"},
    {.name = "another address for a name",
     .egress = {.helo = SLICE_LITERAL("[5.9.7.9]")},
     .wanted = "mend ehlo_name",
     .says = "is not our address"},
    {.name = "an address for a name where ours is not known",
     .own = "192.168.1.2",
     .egress = {.helo = SLICE_LITERAL("[5.9.7.9]")},
     .wanted = "unknown public_ip; unknown ehlo_name"},
    {.name = "nonsense for an address",
     .egress = {.helo = SLICE_LITERAL("[x]")},
     .wanted = "mend ehlo_name"},
};

static void names_are_looked_up(void **state)
{
    (void)state;
    CHECK_ROWS(name_rows)
}

#define SPF(text) "sender.test MX 10 mx.sender.test\nsender.test TXT v=spf1 " text "\n"

static const struct doctor_row spf_rows[] = {
    {.name = "no SPF",
     .without = "sender.test",
     .with = "sender.test MX 10 mx.sender.test\n",
     .wanted = "advice spf",
     .says = "MAIL FROM's domain (sender.test) has no SPF record"},
    {.name = "SPF refuses us",
     .without = "sender.test",
     .with = SPF("mx -all"),
     .wanted = "mend spf",
     .says = "does not allow " OWN ": fail (-all)"},
    {.name = "SPF half refuses us",
     .without = "sender.test",
     .with = SPF("mx ~all"),
     .wanted = "mend spf"},
    {.name = "SPF is neutral",
     .without = "sender.test",
     .with = SPF("?all"),
     .wanted = "advice spf"},
    {.name = "SPF by include",
     .without = "sender.test",
     .with = SPF("include:spf.host.test -all") "spf.host.test TXT v=spf1 ip4:5.9.0.0/16 -all\n",
     .wanted = "",
     .says = "allows " OWN " (include:spf.host.test)"},
    {.name = "SPF is broken",
     .without = "sender.test",
     .with = SPF("ipv4:" OWN " -all"),
     .wanted = "mend spf",
     .says = "it is not written as RFC 7208 asks: ipv4:" OWN},
    {.name = "SPF is there twice",
     .with = "sender.test TXT v=spf1 +all\n",
     .wanted = "mend spf",
     .says = "there are several policies"},
    {.name = "SPF leads nowhere",
     .without = "sender.test",
     .with = SPF("include:none.test -all"),
     .wanted = "mend spf"},
    {.name = "SPF leads to servers that fail",
     .without = "sender.test",
     .with = SPF("include:none.test -all") "none.test FAIL timeout\n",
     .wanted = "unknown spf"},
    {.name = "SPF of the EHLO name refuses us",
     .without = "mail.sender.test",
     .with = "mail.sender.test A " OWN "\nmail.sender.test TXT v=spf1 -all\n",
     .wanted = "mend spf",
     .says = "SPF of the EHLO name does not allow"},
    {.name = "the EHLO name needs no SPF",
     .without = "mail.sender.test",
     .with = "mail.sender.test A " OWN "\n",
     .wanted = ""},
};

static void policies_are_held_against_the_address(void **state)
{
    (void)state;
    CHECK_ROWS(spf_rows)
}

static const struct doctor_row list_rows[] = {
    {.name = "on a heavy list",
     .with = "7.7.9.5.heavy.bl A 127.0.0.2\n",
     .wanted = "mend block_lists",
     .says = OWN " is on the list Heavy: spam"},
    {.name = "the hint leads to its page",
     .with = "7.7.9.5.heavy.bl A 127.0.0.2\n",
     .wanted = "mend block_lists",
     .says = "ask for removal: https://heavy.bl/"},
    {.name = "on a light list",
     .with = "7.7.9.5.light.bl A 127.0.0.7\n",
     .wanted = "advice block_lists"},
    {.name = "on both",
     .with = "7.7.9.5.heavy.bl A 127.0.0.2\n7.7.9.5.light.bl A 127.0.0.7\n",
     .wanted = "mend block_lists; advice block_lists"},
    {.name = "two marks of one list count once",
     .wanted = "mend block_lists",
     .with = "7.7.9.5.heavy.bl A 127.0.0.2\n7.7.9.5.heavy.bl A 127.0.0.3\n"},
    {.name = "the EHLO name is on a list",
     .with = "mail.sender.test.names.bl A 127.0.0.2\n",
     .wanted = "mend block_lists",
     .says = "the EHLO name mail.sender.test is on the list Names"},
    {.name = "MAIL FROM's domain is on a list",
     .with = "sender.test.names.bl A 127.0.0.2\n",
     .wanted = "mend block_lists"},
    {.name = "a mark that is no reproach",
     .with = "sender.test.names.bl A 127.0.0.4\n",
     .wanted = ""},
    {.name = "the list refuses our resolver",
     .without = "2.0.0.127.heavy.bl",
     .with = "*.heavy.bl A 127.255.255.254\n",
     .wanted = "unknown block_lists",
     .says = "not to be asked from here: Heavy (it does not answer public resolvers)"},
    {.name = "a light list refuses our resolver",
     .without = "2.0.0.127.light.bl",
     .with = "*.light.bl A 127.255.255.254\n",
     .wanted = "advice block_lists"},
    {.name = "the list is gone",
     .without = "2.0.0.127.heavy.bl",
     .wanted = "unknown block_lists",
     .says = "Heavy (it does not know its own test entry)"},
    {.name = "the list's domain was sold",
     .without = "2.0.0.127.heavy.bl",
     .with = "*.heavy.bl A 6.6.6.6\n",
     .wanted = "unknown block_lists",
     .says = "Heavy (what answers is no block list)"},
    {.name = "the list lists everybody",
     .with = "*.heavy.bl A 127.0.0.2\n",
     .wanted = "unknown block_lists",
     .says = "Heavy (it lists everybody)"},
    {.name = "the list is silent",
     .with = "2.0.0.127.heavy.bl FAIL timeout\n7.7.9.5.heavy.bl FAIL timeout\n",
     .wanted = "unknown block_lists",
     .says = "Heavy (it does not answer)"},
    {.name = "both are out of reach",
     .without = "2.0.0.127.heavy.bl 2.0.0.127.light.bl",
     .wanted = "unknown block_lists",
     .says = "entry), Light (it does not know"},
};

static void block_lists_are_asked(void **state)
{
    (void)state;
    CHECK_ROWS(list_rows)
}

static const struct peer_script mx_full = {
    .name = "mx.sender.test", .rules = {{PEER_AT_RCPT, .say = "452 4.2.2 The mailbox is full"}}};
static const struct peer_script mx_unknown = {.name = "mx.sender.test", .live = {"jane"}};
static const struct peer_script mx_blocks = {
    .name = "mx.sender.test",
    .rules = {
        {PEER_AT_RCPT,
         .say = "550 5.7.1 Service unavailable; client [%i] blocked using zen.spamhaus.org"}}};
static const struct peer_script mx_tls = {
    .name = "mx.sender.test", .live = {"probe"}, .tls = PEER_TLS_GOOD, .is_tls_required = true};

static const struct doctor_row bounce_rows[] = {
    {.name = "only the null sender", .no_mail_from = true, .wanted = "advice mail_from"},
    {.name = "a domain in capitals",
     .egress = {.mail_from = SLICE_LITERAL("Probe@SENDER.Test")},
     .wanted = ""},
    {.name = "an address literal for a domain",
     .egress = {.mail_from = SLICE_LITERAL("probe@[5.9.1.9]")},
     .wanted = "advice mail_from",
     .says = "in place of a domain"},
    {.name = "a domain that does not exist",
     .without = "sender.test",
     .wanted = "advice spf; mend mail_from",
     .says = "does not exist"},
    {.name = "a domain that takes no mail",
     .without = "sender.test",
     .with = "sender.test MX 0 .\nsender.test TXT v=spf1 ip4:" OWN " -all\n",
     .wanted = "mend mail_from",
     .says = "null MX"},
    {.name = "a domain without server",
     .without = "mx.sender.test",
     .wanted = "mend mail_from",
     .says = "has no mail server"},
    {.name = "a domain with a private server",
     .without = "mx.sender.test",
     .with = "mx.sender.test A 10.0.0.1\n",
     .wanted = "mend mail_from"},
    {.name = "a domain whose servers fail",
     .with = "sender.test FAIL x\n",
     .wanted = "unknown spf; unknown mail_from"},
    {.name = "a domain without MX",
     .without = "sender.test",
     .with = "sender.test A 5.9.1.9\nsender.test TXT v=spf1 ip4:" OWN "\n",
     .wanted = "",
     .says = "without MX"},
    {.name = "the mailbox takes bounces",
     .asks_mailbox = true,
     .wanted = "",
     .says = "probe@sender.test takes bounces: 250"},
    {.name = "the mailbox takes bounces, behind TLS",
     .asks_mailbox = true,
     .mx = &mx_tls,
     .wanted = ""},
    {.name = "there is no such mailbox",
     .asks_mailbox = true,
     .mx = &mx_unknown,
     .wanted = "mend bounce",
     .says = "takes no bounces: 550"},
    {.name = "the mailbox is full",
     .asks_mailbox = true,
     .mx = &mx_full,
     .wanted = "unknown bounce"},
    {.name = "its server blocks us",
     .asks_mailbox = true,
     .mx = &mx_blocks,
     .wanted = "unknown bounce"},
    {.name = "its server is silent",
     .asks_mailbox = true,
     .mx = &is_silent,
     .wanted = "unknown bounce",
     .says = "nobody greets"},
    {.name = "without permission nobody asks", .mx = &mx_unknown, .wanted = ""},
    {.name = "without SMTP nobody asks",
     .asks_mailbox = true,
     .no_smtp = true,
     .mx = &mx_unknown,
     .wanted = ""},
};

static void bounces_find_their_way(void **state)
{
    (void)state;
    CHECK_ROWS(bounce_rows)
}

/* An examination may be dropped in any millisecond, also after its end. */
static void it_may_be_dropped_at_any_time(void **state)
{
    (void)state;
    static const struct doctor_row row = {.asks_mailbox = true,
                                          .has_ipv6 = true,
                                          .with =
                                              "gmail-smtp-in.l.google.com AAAA 2a01:4f8::101\n"};
    struct examination x;
    struct doctor_egress egress;
    doctor_begin(&row, &x, &egress);
    uint64_t began_ms = door_now_ms(world_door(x.world));
    door_run(world_door(x.world));
    uint64_t took_ms = x.done_at_ms - began_ms;
    doctor_end(&x);
    assert_true(took_ms > 50);
    for (uint64_t at_ms = 0; at_ms <= took_ms + 10; at_ms += 5) {
        doctor_begin(&row, &x, &egress);
        struct door *door = world_door(x.world);
        struct timer stop = {.fired = (void (*)(void *))door_stop, .context = door};
        door_timer_start(door, &stop, began_ms + at_ms);
        door_run(door);
        doctor_end(&x);
        assert_int_equal(x.done, at_ms > took_ms);
    }
}

static const char *text_of(const struct fitness_report *report, enum fitness_check check)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->findings[i].check == check) {
            return report->findings[i].text;
        }
    }
    return "";
}

/* What has no answer when the time is over stays open, and the end comes on time. */
static void the_limit_ends_it(void **state)
{
    (void)state;
    static const struct doctor_row row = {
        .far = {WORLD_BLACKHOLE, WORLD_BLACKHOLE, WORLD_BLACKHOLE}};
    struct examination x;
    struct doctor_egress egress;
    doctor_begin(&row, &x, &egress);
    struct doctor_config config = {.egresses = &egress, .egress_count = 1, .limit_ms = 3000};
    struct door *door = world_door(x.world);
    uint64_t began_ms = door_now_ms(door);
    doctor_begin_again(&x, &config);
    door_run(door);
    assert_int_equal(x.done, 1);
    assert_int_equal(x.done_at_ms - began_ms, 3000);
    struct fitness_report report;
    assert_int_equal(fitness_judge(doctor_facts(x.doctor), &report), ERR_NONE);
    assert_int_equal(fitness_level_of(&report), FITNESS_UNKNOWN);
    assert_non_null(strstr(text_of(&report, FITNESS_PORT_25), "when the time was over"));
    fitness_report_done(&report);
    doctor_end(&x);
}

/* Several ways out are examined side by side, and each gets its own findings. */
static void several_egresses(void **state)
{
    (void)state;
    static const struct doctor_row row = {
        .with = "8.7.9.5.in-addr.arpa PTR two.sender.test\ntwo.sender.test A 5.9.7.8\n"
                "8.7.9.5.heavy.bl A 127.0.0.2\n"};
    const struct doctor_egress egresses[EGRESSES_MAX] = {
        {.label = SLICE("one"),
         .helo = SLICE("mail.sender.test"),
         .mail_from = SLICE("a@sender.test")},
        {.label = SLICE("two"),
         .helo = SLICE("two.sender.test"),
         .mail_from = SLICE("b@sender.test"),
         .source_v4 = IP4(5, 9, 7, 8)},
        {.label = SLICE("three"), .helo = SLICE("three.sender.test"), .source_v4 = IP4(5, 9, 7, 9)},
    };
    struct examination x;
    struct doctor_egress unused;
    struct fitness_report report;
    char found[EGRESSES_MAX][256] = {"", "", ""};
    doctor_begin(&row, &x, &unused);
    struct doctor_config config = {
        .egresses = egresses, .egress_count = EGRESSES_MAX, .lists = x.lists};
    doctor_begin_again(&x, &config);
    door_run(world_door(x.world));
    assert_int_equal(fitness_judge(doctor_facts(x.doctor), &report), ERR_NONE);
    for (size_t i = 0; i < report.count; i++) {
        const struct fitness_finding *finding = &report.findings[i];
        if (finding->egress >= 0 && finding->level != FITNESS_OK) {
            char *text = found[finding->egress];
            size_t len = strlen(text);
            (void)snprintf(text + len, sizeof found[0] - len, "%s %s;",
                           fitness_level_name(finding->level), fitness_check_name(finding->check));
        }
    }
    assert_string_equal(found[0], "");
    assert_string_equal(found[1], "mend spf;mend block_lists;");
    assert_string_equal(found[2], "mend reverse_name;mend ehlo_name;advice mail_from;");
    fitness_report_done(&report);
    doctor_end(&x);
}

static void too_many_egresses_are_refused(void **state)
{
    (void)state;
    struct examination x;
    struct doctor_egress egress;
    struct doctor *doctor;
    static const struct doctor_row row = {0};
    doctor_begin(&row, &x, &egress);
    const struct doctor_config config = {.egresses = &egress,
                                         .egress_count = FITNESS_EGRESSES_MAX + 1};
    assert_int_equal(doctor_new(world_door(x.world), &config, &doctor), ERR_LIMIT);
    door_run(world_door(x.world));
    doctor_end(&x);
    doctor_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machines_are_examined),
        cmocka_unit_test(ports_are_tried),
        cmocka_unit_test(proxies_are_tried),
        cmocka_unit_test(addresses_and_reverse_names),
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(policies_are_held_against_the_address),
        cmocka_unit_test(block_lists_are_asked),
        cmocka_unit_test(bounces_find_their_way),
        cmocka_unit_test(it_may_be_dropped_at_any_time),
        cmocka_unit_test(the_limit_ends_it),
        cmocka_unit_test(several_egresses),
        cmocka_unit_test(too_many_egresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
