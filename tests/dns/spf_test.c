/* Policies against a small world of names: the examples of RFC 7208, and what the open SPF test-suite looks at in
 * rows of our own: grammar, limits, macros, trouble. Every row is asked with its addresses and must come to its
 * result whatever the order of records.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/spf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../sim/zone_lines.h"
#include "base/slice.h"

enum { WIRE_BYTES = 1 << 20, QUESTIONS_MAX = 400, TTL_S = 300 };

struct row {
    const char *name;
    const char *zone; /* lines "NAME TYPE VALUE" */
    const char *ip;
    const char *sender; /* NULL: x@example.com */
    const char *says;   /* "RESULT" or "RESULT TERM", for errors "RESULT: FAULT TERM" */
};

/* ---- the world ---- */

/* RFC 7208 A: the zone of the examples. */
static const char rfc_zone[] =
    "example.com MX 10 mail-a.example.com\nexample.com MX 20 mail-b.example.com\n"
    "example.com A 192.0.2.10\nexample.com A 192.0.2.11\n"
    "amy.example.com A 192.0.2.65\nbob.example.com A 192.0.2.66\n"
    "mail-a.example.com A 192.0.2.129\nmail-b.example.com A 192.0.2.130\n"
    "www.example.com CNAME example.com\n"
    "example.org MX 10 mail-c.example.org\nmail-c.example.org A 192.0.2.140\n"
    "10.2.0.192.in-addr.arpa PTR example.com\n11.2.0.192.in-addr.arpa PTR example.com\n"
    "65.2.0.192.in-addr.arpa PTR amy.example.com\n66.2.0.192.in-addr.arpa PTR bob.example.com\n"
    "129.2.0.192.in-addr.arpa PTR mail-a.example.com\n"
    "130.2.0.192.in-addr.arpa PTR mail-b.example.com\n"
    "140.2.0.192.in-addr.arpa PTR mail-c.example.org\n"
    "4.0.0.10.in-addr.arpa PTR bob.example.com\n";

/* ---- asking ---- */

static void answer(struct spf *spf, const struct zone *zone, struct slice name, uint16_t type)
{
    static struct dns_message message;
    struct buf wire;
    buf_init(&wire, WIRE_BYTES);
    enum zone_failure failure = zone_ask(zone, name, type, 1, &message);
    assert_int_equal(dns_message_write(&message, &wire), ERR_NONE);
    spf_answered(spf, failure == ZONE_TIMEOUT ? DNS_TRANSPORT_TIMEOUT : DNS_TRANSPORT_ANSWERED,
                 buf_view(&wire));
    buf_done(&wire);
}

static struct spf *ask(const struct zone *zone, const char *ip, const char *sender)
{
    struct spf *spf;
    struct slice name;
    uint16_t type;
    unsigned count = 0;
    struct spf_request request = {.sender = slice_of(sender), .helo = SLICE("mail.helo.example")};
    assert_true(ip_parse(slice_of(ip), &request.ip));
    assert_int_equal(spf_new(&request, &spf), ERR_NONE);
    while (spf_next(spf, &name, &type)) {
        assert_false(spf_is_done(spf));
        assert_true(++count < QUESTIONS_MAX);
        struct slice nothing;
        uint16_t none;
        assert_false(spf_next(spf, &nothing, &none)); /* one at a time */
        answer(spf, zone, name, type);
    }
    assert_true(spf_is_done(spf));
    return spf;
}

static void print(const struct spf_outcome *outcome, char out[1024])
{
    static const char *const faults[] = {"",      "syntax",     "several",   "too_long", "lookups",
                                         "voids", "exchangers", "no_policy", "dns"};
    bool is_error = outcome->result == SPF_TEMPERROR || outcome->result == SPF_PERMERROR;
    (void)snprintf(out, 1024, "%s%s%s%s%s", spf_result_name(outcome->result), is_error ? ": " : "",
                   faults[outcome->fault], outcome->term[0] == '\0' ? "" : " ", outcome->term);
}

static void check_row(const struct row *row, const char *common)
{
    struct zone *zone;
    char text[1024];
    assert_int_equal(zone_new(&zone), ERR_NONE);
    zone_add_lines(zone, common, NULL);
    zone_add_lines(zone, row->zone, NULL);
    struct spf *spf = ask(zone, row->ip, row->sender == NULL ? "x@example.com" : row->sender);
    print(spf_outcome(spf), text);
    if (strcmp(text, row->says) != 0) {
        fail_msg("%s: is '%s', wanted '%s' (%s)", row->name, text, row->says,
                 spf_fault_text(spf_outcome(spf)->fault));
    }
    spf_free(spf);
    zone_free(zone);
}

#define CHECK_ROWS(rows, common)                              \
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) { \
        check_row(&rows[i], common);                          \
    }

#define SPF(text) "example.com TXT v=spf1 " text "\n"

/* RFC 7208 A.1 to A.4 */
static const struct row rfc_rows[] = {
    {"anybody", SPF("+all"), "192.0.2.1", NULL, "pass +all"},
    {"a: the first", SPF("a -all"), "192.0.2.10", NULL, "pass a"},
    {"a: the second", SPF("a -all"), "192.0.2.11", NULL, "pass a"},
    {"a: another", SPF("a -all"), "192.0.2.12", NULL, "fail -all"},
    {"a of another domain", SPF("a:example.org -all"), "192.0.2.10", NULL, "fail -all"},
    {"mx", SPF("mx -all"), "192.0.2.129", NULL, "pass mx"},
    {"mx: the second", SPF("mx -all"), "192.0.2.130", NULL, "pass mx"},
    {"mx: not its address", SPF("mx -all"), "192.0.2.10", NULL, "fail -all"},
    {"mx of another domain", SPF("mx:example.org -all"), "192.0.2.140", NULL,
     "pass mx:example.org"},
    {"mx of both, the other's", SPF("mx mx:example.org -all"), "192.0.2.140", NULL,
     "pass mx:example.org"},
    {"mx/30: a neighbour", SPF("mx/30 mx:example.org/30 -all"), "192.0.2.131", NULL, "pass mx/30"},
    {"mx/30: the other's neighbour", SPF("mx/30 mx:example.org/30 -all"), "192.0.2.143", NULL,
     "pass mx:example.org/30"},
    {"mx/30: too far", SPF("mx/30 mx:example.org/30 -all"), "192.0.2.144", NULL, "fail -all"},
    {"ptr", SPF("ptr -all"), "192.0.2.65", NULL, "pass ptr"},
    {"ptr: the other domain", SPF("ptr -all"), "192.0.2.140", NULL, "fail -all"},
    {"ptr: a reverse name that lies", SPF("ptr -all"), "10.0.0.4", NULL, "fail -all"},
    {"ip4", SPF("ip4:192.0.2.128/28 -all"), "192.0.2.65", NULL, "fail -all"},
    {"ip4: within", SPF("ip4:192.0.2.128/28 -all"), "192.0.2.129", NULL, "pass ip4:192.0.2.128/28"},
    /* A.2 */
    {"redirect",
     "example.com TXT v=spf1 redirect=_spf.example.com\n_spf.example.com TXT v=spf1 mx:example.com "
     "-all\n",
     "192.0.2.129", NULL, "pass mx:example.com"},
    {"include, then refuse", SPF("include:example.org -all") "example.org TXT v=spf1 mx -all\n",
     "192.0.2.140", NULL, "pass include:example.org"},
    {"include, not in it", SPF("include:example.org -all") "example.org TXT v=spf1 mx -all\n",
     "192.0.2.10", NULL, "fail -all"},
    {"a host of its own policy", "mail-c.example.org TXT v=spf1 a -all\n", "192.0.2.140",
     "x@mail-c.example.org", "pass a"},
    /* A.3 */
    {"a list of users by exists: known",
     SPF("mx include:mobile-users._spf.%{d} -all") "mobile-users._spf.example.com TXT v=spf1 "
                                                   "exists:%{l1r+}.%{d}\n"
                                                   "mary.mobile-users._spf.example.com A "
                                                   "127.0.0.2\n",
     "203.0.113.9", "mary@example.com", "pass include:mobile-users._spf.%{d}"},
    {"a list of users by exists: not known",
     SPF("mx include:mobile-users._spf.%{d} -all") "mobile-users._spf.example.com TXT v=spf1 "
                                                   "exists:%{l1r+}.%{d}\n"
                                                   "mary.mobile-users._spf.example.com A "
                                                   "127.0.0.2\n",
     "203.0.113.9", "bob@example.com", "fail -all"},
    {"a list of addresses and users",
     SPF("mx exists:%{ir}.%{l1r+-}._spf.%{d} -all") "9.113.0.203.mary._spf.example.com A "
                                                    "127.0.0.2\n",
     "203.0.113.9", "mary@example.com", "pass exists:%{ir}.%{l1r+-}._spf.%{d}"},
    /* A.4 */
    {"two conditions: both hold",
     SPF("-include:ip4._spf.%{d} -include:ptr._spf.%{d} +all") "ip4._spf.example.com TXT v=spf1 "
                                                               "-ip4:192.0.2.0/24 +all\n"
                                                               "ptr._spf.example.com TXT v=spf1 "
                                                               "-ptr:example.com +all\n",
     "192.0.2.10", NULL, "pass +all"},
    {"two conditions: one does not",
     SPF("-include:ip4._spf.%{d} -include:ptr._spf.%{d} +all") "ip4._spf.example.com TXT v=spf1 "
                                                               "-ip4:192.0.2.0/24 +all\n"
                                                               "ptr._spf.example.com TXT v=spf1 "
                                                               "-ptr:example.com +all\n",
     "192.0.2.140", NULL, "fail -include:ptr._spf.%{d}"},
};

static void the_rfcs_examples_hold(void **state)
{
    (void)state;
    CHECK_ROWS(rfc_rows, rfc_zone)
}

/* RFC 7208 2.6, 4.3, 4.5, 4.7, 5.2, 6.1 */
static const struct row result_rows[] = {
    {"no domain", "", "192.0.2.1", NULL, "none"},
    {"no policy", "example.com TXT hello\n", "192.0.2.1", NULL, "none"},
    {"a policy of another version", "example.com TXT v=spf10 -all\n", "192.0.2.1", NULL, "none"},
    {"a policy of the other kind", "example.com TXT spf2.0/pra -all\n", "192.0.2.1", NULL, "none"},
    {"the version alone", "example.com TXT v=spf1\n", "192.0.2.1", NULL, "neutral"},
    {"in any case", "example.com TXT V=sPf1 -ALL\n", "192.0.2.1", NULL, "fail -ALL"},
    {"many spaces", "example.com TXT v=spf1    a   -all  \nexample.com A 192.0.2.1\n", "192.0.2.1",
     NULL, "pass a"},
    {"a tab is no space", "example.com TXT v=spf1\t-all\n", "192.0.2.1", NULL, "none"},
    {"a tab between terms", SPF("a\t-all"), "192.0.2.1", NULL, "permerror: syntax a\t-all"},
    {"two policies", SPF("-all") SPF("+all"), "192.0.2.1", NULL, "permerror: several"},
    {"other texts beside it", SPF("-all") "example.com TXT google-site-verification=x\n",
     "192.0.2.1", NULL, "fail -all"},
    {"nothing matches", SPF("ip4:192.0.2.2"), "192.0.2.1", NULL, "neutral"},
    {"neutral", SPF("?all"), "192.0.2.1", NULL, "neutral ?all"},
    {"softfail", SPF("~all"), "192.0.2.1", NULL, "softfail ~all"},
    {"what follows a match counts no more", SPF("+all -all"), "192.0.2.1", NULL, "pass +all"},
    {"a name of one label", "", "192.0.2.1", "x@localhost", "none"},
    {"no name", "", "192.0.2.1", "x@a..b", "none"},
    {"an empty sender asks for the EHLO name",
     "mail.helo.example TXT v=spf1 exists:%{l}.ok.example -all\n"
     "postmaster.ok.example A 127.0.0.2\n",
     "192.0.2.1", "", "pass exists:%{l}.ok.example"},
    {"a sender without local part",
     "example.com TXT v=spf1 exists:%{l}.ok.example -all\n"
     "postmaster.ok.example A 127.0.0.2\n",
     "192.0.2.1", "@example.com", "pass exists:%{l}.ok.example"},
    {"the servers fail", "example.com FAIL servfail\n", "192.0.2.1", NULL, "temperror: dns"},
    {"the servers are silent", "example.com FAIL timeout\n", "192.0.2.1", NULL, "temperror: dns"},
    {"an alias", "example.com CNAME other.example\nother.example TXT v=spf1 +all\n", "192.0.2.1",
     NULL, "pass +all"},
    /* RFC 7208 5.2 */
    {"include: pass", SPF("include:b.example -all") "b.example TXT v=spf1 +all\n", "192.0.2.1",
     NULL, "pass include:b.example"},
    {"include: the qualifier is the outer one",
     SPF("~include:b.example -all") "b.example TXT v=spf1 +all\n", "192.0.2.1", NULL,
     "softfail ~include:b.example"},
    {"include: fail is no match", SPF("include:b.example ?all") "b.example TXT v=spf1 -all\n",
     "192.0.2.1", NULL, "neutral ?all"},
    {"include: softfail is no match", SPF("include:b.example ?all") "b.example TXT v=spf1 ~all\n",
     "192.0.2.1", NULL, "neutral ?all"},
    {"include: neutral is no match", SPF("include:b.example -all") "b.example TXT v=spf1\n",
     "192.0.2.1", NULL, "fail -all"},
    {"include: none", SPF("include:b.example -all") "b.example A 192.0.2.1\n", "192.0.2.1", NULL,
     "permerror: no_policy"},
    {"include: no such domain", SPF("include:b.example -all"), "192.0.2.1", NULL,
     "permerror: no_policy"},
    {"include: temporary", SPF("include:b.example -all") "b.example FAIL timeout\n", "192.0.2.1",
     NULL, "temperror: dns"},
    {"include: bad", SPF("include:b.example -all") "b.example TXT v=spf1 foo\n", "192.0.2.1", NULL,
     "permerror: syntax foo"},
    {"include: no name", SPF("include:%{l}.b.example +all"), "192.0.2.1", "a..b@example.com",
     "permerror: no_policy include:%{l}.b.example"},
    {"include: of an include",
     SPF("include:b.example -all") "b.example TXT v=spf1 include:c.example\nc.example TXT v=spf1 "
                                   "ip4:192.0.2.1\n",
     "192.0.2.1", NULL, "pass include:b.example"},
    {"include: back from two",
     SPF("include:b.example -all") "b.example TXT v=spf1 -include:c.example ip4:192.0.2.2\n"
                                   "c.example TXT v=spf1 -all\n",
     "192.0.2.2", NULL, "pass include:b.example"},
    {"include: redirect within",
     SPF("include:b.example -all") "b.example TXT v=spf1 redirect=c.example\n"
                                   "c.example TXT v=spf1 +all\n",
     "192.0.2.1", NULL, "pass include:b.example"},
    {"include: itself", SPF("include:example.com -all"), "192.0.2.1", NULL,
     "permerror: lookups include:example.com"},
    /* RFC 7208 6.1 */
    {"redirect after all terms",
     SPF("redirect=b.example ip4:192.0.2.1") "b.example TXT v=spf1 -all\n", "192.0.2.1", NULL,
     "pass ip4:192.0.2.1"},
    {"redirect is unused beside all", SPF("redirect=b.example ?all") "b.example TXT v=spf1 -all\n",
     "192.0.2.1", NULL, "neutral ?all"},
    {"redirect: the new domain is d",
     SPF("redirect=b.example") "b.example TXT v=spf1 a -all\nb.example A 192.0.2.1\n", "192.0.2.1",
     NULL, "pass a"},
    {"redirect: none", SPF("redirect=b.example"), "192.0.2.1", NULL, "permerror: no_policy"},
    {"redirect: to itself", SPF("redirect=example.com"), "192.0.2.1", NULL,
     "permerror: lookups redirect=example.com"},
    {"redirect: a chain",
     SPF("redirect=b.example") "b.example TXT v=spf1 redirect=c.example\n"
                               "c.example TXT v=spf1 ~all\n",
     "192.0.2.1", NULL, "softfail ~all"},
    {"an explanation changes nothing", SPF("-all exp=why.example"), "192.0.2.1", NULL, "fail -all"},
    {"an unknown modifier is left alone", SPF("moo.x-1_y=%{t}/%-,%% -all"), "192.0.2.1", NULL,
     "fail -all"},
};

static void results_are_those_of_the_rfc(void **state)
{
    (void)state;
    CHECK_ROWS(result_rows, "")
}

/* RFC 7208 5, 5.6, 7.1, 12. A fault anywhere spoils all, also behind a match (4.6). */
static const char *const bad_terms[] = {
    "foo",
    "all:",
    "all/8",
    "all:example.com",
    "-",
    "+-all",
    "++all",
    "*all",
    "ip4",
    "ip4:",
    "ip4:1.2.3",
    "ip4:1.2.3.4.5",
    "ip4:256.2.3.4",
    "ip4:01.2.3.4",
    "ip4:1.2.3.4/",
    "ip4:1.2.3.4/33",
    "ip4:1.2.3.4/032",
    "ip4:1.2.3.4/x",
    "ip4:1.2.3.4//32",
    "ip4:example.com",
    "ip4:::1",
    "ip4/8",
    ":1.2.3.4",
    "ip6",
    "ip6:",
    "ip6:1.2.3.4",
    "ip6:::1/129",
    "ip6:::1//64",
    "ip6:::1/",
    "ip6:2001:db8:::1",
    "a:",
    "a/",
    "a/33",
    "a/24/",
    "a//",
    "a//129",
    "a/24/64",
    "a/024",
    "a:/24",
    "a:example.com:8080",
    "a:localhost",
    "a:example.1",
    "a:example.-x",
    "a:example.x-",
    "a:example.c_m",
    "a:exam%ple.com",
    "a:%",
    "a:%(d).com",
    "a:%{x}.com",
    "a:%{d",
    "a:%{}",
    "a:%{d0}",
    "a:%{d1rr}",
    "a:%{dr1}",
    "a:%{d}x",
    "a:%{d.x}",
    "a:%{c}.com",
    "a:%{r}",
    "a:%{t}",
    "a:%{dd}",
    "a.example.com",
    "a:example.com/24x",
    "mx:",
    "mx/33",
    "mx//129",
    "ptr:",
    "ptr/24",
    "ptr:x",
    "exists",
    "exists:",
    "exists/24",
    "exists:localhost",
    "include",
    "include:",
    "include:x",
    "include:example.com/24",
    "redirect=",
    "redirect=x",
    "redirect=a.example/24",
    "exp=",
    "exp=x",
    "redirect:a.example",
    "moo=%{x}",
    "moo=%",
    "1moo=x",
    "moo=\xc3\xa4",
    "a:\xc3\xa4.com",
    "default=x=y %",
    "redirect=a.example redirect=b.example",
    "exp=a.example exp=b.example",
    "exp=a.example EXP=a.example",
};

static void bad_policies_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_terms / sizeof *bad_terms; i++) {
        char zone[512];
        const char *last = strrchr(bad_terms[i], ' ');
        (void)snprintf(zone, sizeof zone, SPF("+all %s"), bad_terms[i]);
        char says[512];
        (void)snprintf(says, sizeof says, "permerror: syntax %s",
                       last != NULL ? last + 1 : bad_terms[i]);
        struct row row = {bad_terms[i], zone, "192.0.2.1", NULL, says};
        check_row(&row, "");
    }
}

static const struct row match_rows[] = {
    {"ip4 without length", SPF("ip4:192.0.2.1"), "192.0.2.1", NULL, "pass ip4:192.0.2.1"},
    {"ip4/0 is all of IPv4", SPF("ip4:1.1.1.1/0 -all"), "192.0.2.1", NULL, "pass ip4:1.1.1.1/0"},
    {"ip4 says nothing of IPv6", SPF("ip4:1.1.1.1/0 -all"), "2001:db8::1", NULL, "fail -all"},
    {"ip4 of a mapped address", SPF("ip4:192.0.2.1 -all"), "::ffff:192.0.2.1", NULL,
     "pass ip4:192.0.2.1"},
    {"ip6", SPF("ip6:2001:db8::/32 -all"), "2001:db8:1::1", NULL, "pass ip6:2001:db8::/32"},
    {"ip6: outside", SPF("ip6:2001:db8::/32 -all"), "2001:db9::1", NULL, "fail -all"},
    {"ip6 with dots", SPF("ip6:::192.0.2.1 -all"), "::192.0.2.1", NULL, "pass ip6:::192.0.2.1"},
    {"ip6/0 says nothing of IPv4", SPF("ip6:::/0 -all"), "192.0.2.1", NULL, "fail -all"},
    {"a of IPv6", SPF("a -all") "example.com AAAA 2001:db8::1\n", "2001:db8::1", NULL, "pass a"},
    {"a: IPv6 is not asked for IPv4", SPF("a -all") "example.com A 192.0.2.1\n", "2001:db8::1",
     NULL, "fail -all"},
    {"a/24//64, IPv4", SPF("a/24//64 -all") "example.com A 192.0.2.1\n", "192.0.2.77", NULL,
     "pass a/24//64"},
    {"a/24//64, IPv6", SPF("a/24//64 -all") "example.com AAAA 2001:db8::1\n", "2001:db8::77", NULL,
     "pass a/24//64"},
    {"a//64", SPF("a//64 -all") "example.com AAAA 2001:db8::1\n", "2001:db8:0:1::1", NULL,
     "fail -all"},
    {"a/0", SPF("a/0 -all") "example.com A 1.2.3.4\n", "192.0.2.1", NULL, "pass a/0"},
    {"a/0 without addresses", SPF("a/0 -all"), "192.0.2.1", NULL, "fail -all"},
    {"a with a slash in the name", SPF("a:b/c.example -all") "b/c.example A 192.0.2.1\n",
     "192.0.2.1", NULL, "pass a:b/c.example"},
    {"a with a slash in a macro", SPF("a:%{l1r/}.b.example -all") "y.b.example A 192.0.2.1\n",
     "192.0.2.1", "x/y@example.com", "fail -all"},
    {"a of a name with a last dot", SPF("a:b.example. -all") "b.example A 192.0.2.1\n", "192.0.2.1",
     NULL, "pass a:b.example."},
    {"a: upper case", SPF("A:B.Example -all") "b.example A 192.0.2.1\n", "192.0.2.1", NULL,
     "pass A:B.Example"},
    {"a of an alias", SPF("a:b.example -all") "b.example CNAME c.example\nc.example A 192.0.2.1\n",
     "192.0.2.1", NULL, "pass a:b.example"},
    {"a: the servers fail", SPF("a:b.example -all") "b.example FAIL servfail\n", "192.0.2.1", NULL,
     "temperror: dns a:b.example"},
    {"a: a hyphen in the last label", SPF("a:b.x-1 -all") "b.x-1 A 192.0.2.1\n", "192.0.2.1", NULL,
     "pass a:b.x-1"},
    {"mx: null", SPF("mx -all") "example.com MX 0 .\n", "192.0.2.1", NULL, "fail -all"},
    {"mx: no fall back to A", SPF("mx -all") "example.com A 192.0.2.1\n", "192.0.2.1", NULL,
     "fail -all"},
    {"mx: of a host, the servers fail",
     SPF("mx -all") "example.com MX 1 b.example\nb.example FAIL servfail\n", "192.0.2.1", NULL,
     "temperror: dns mx"},
    {"mx//64", SPF("mx//64 -all") "example.com MX 1 b.example\nb.example AAAA 2001:db8::1\n",
     "2001:db8::2", NULL, "pass mx//64"},
    {"exists", SPF("exists:b.example -all") "b.example A 127.0.0.9\n", "192.0.2.1", NULL,
     "pass exists:b.example"},
    {"exists asks for A also for IPv6", SPF("exists:b.example -all") "b.example A 127.0.0.9\n",
     "2001:db8::1", NULL, "pass exists:b.example"},
    {"exists: only AAAA", SPF("exists:b.example -all") "b.example AAAA 2001:db8::1\n", "192.0.2.1",
     NULL, "fail -all"},
    {"exists: the servers fail", SPF("exists:b.example -all") "b.example FAIL timeout\n",
     "192.0.2.1", NULL, "temperror: dns exists:b.example"},
    /* RFC 7208 5.5 */
    {"ptr: below the target",
     SPF("ptr:b.example -all") "1.2.0.192.in-addr.arpa PTR x.b.example\nx.b.example A 192.0.2.1\n",
     "192.0.2.1", NULL, "pass ptr:b.example"},
    {"ptr: only its letters",
     SPF("ptr:b.example -all") "1.2.0.192.in-addr.arpa PTR xb.example\nxb.example A 192.0.2.1\n",
     "192.0.2.1", NULL, "fail -all"},
    {"ptr: one of several",
     SPF("ptr:b.example -all") "1.2.0.192.in-addr.arpa PTR a.example\n1.2.0.192.in-addr.arpa PTR "
                               "b.example\n"
                               "a.example A 192.0.2.1\nb.example A 192.0.2.1\n",
     "192.0.2.1", NULL, "pass ptr:b.example"},
    {"ptr: trouble is no match", SPF("ptr -all") "1.2.0.192.in-addr.arpa FAIL servfail\n",
     "192.0.2.1", NULL, "fail -all"},
    {"ptr: trouble with a name is no match",
     SPF("ptr -all") "1.2.0.192.in-addr.arpa PTR example.com\n"
                     "example.com A 192.0.2.9\n",
     "192.0.2.1", NULL, "fail -all"},
    {"ptr: IPv6",
     SPF("ptr -all") "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR "
                     "m.example.com\n"
                     "m.example.com AAAA 2001:db8::1\n",
     "2001:db8::1", NULL, "pass ptr"},
};

static void mechanisms_match(void **state)
{
    (void)state;
    CHECK_ROWS(match_rows, "")
}

#define ASK(expanded, spec, sender, ip)                                          \
    {                                                                            \
        spec, SPF("exists:" spec " -all") expanded " A 127.0.0.2\n", ip, sender, \
            "pass exists:" spec                                                  \
    }

/* RFC 7208 7.4, and the corners of 7.3 */
static const struct row macro_rows[] = {
    ASK("strong-bad.x.y", "%{l}.x.y", "strong-bad@example.com", "192.0.2.3"),
    ASK("example.com.x.y", "%{o}.x.y", "strong-bad@example.com", "192.0.2.3"),
    ASK("example.com.x.y", "%{d}.x.y", NULL, "192.0.2.3"),
    ASK("example.com.x.y", "%{d4}.x.y", NULL, "192.0.2.3"),
    ASK("com.x.y", "%{d1}.x.y", NULL, "192.0.2.3"),
    ASK("com.example.x.y", "%{dr}.x.y", NULL, "192.0.2.3"),
    ASK("example.x.y", "%{d1r}.x.y", NULL, "192.0.2.3"),
    ASK("strong.bad.x.y", "%{l-}.x.y", "strong-bad@example.com", "192.0.2.3"),
    ASK("bad.strong.x.y", "%{lr-}.x.y", "strong-bad@example.com", "192.0.2.3"),
    ASK("strong.x.y", "%{l1r-}.x.y", "strong-bad@example.com", "192.0.2.3"),
    ASK("strong-bad@example.com.x.y", "%{s}.x.y", "strong-bad@example.com", "192.0.2.3"),
    ASK("3.2.0.192.in-addr._spf.example.com", "%{ir}.%{v}._spf.%{d2}", NULL, "192.0.2.3"),
    ASK("bad.strong.lp._spf.example.com", "%{lr-}.lp._spf.%{d2}", "strong-bad@example.com",
        "192.0.2.3"),
    ASK("bad.strong.lp.3.2.0.192.in-addr._spf.example.com", "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
        "strong-bad@example.com", "192.0.2.3"),
    ASK("example.com.trusted-domains.example.net", "%{d2}.trusted-domains.example.net", NULL,
        "192.0.2.3"),
    ASK("1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
        "%{ir}.%{v}._spf.%{d2}", NULL, "2001:db8::cb01"),
    ASK("mail.helo.example.h", "%{h}.h", NULL, "192.0.2.3"),
    ASK("192.0.2.3.i.x", "%{i}.i.x", NULL, "192.0.2.3"),
    ASK("0.2.3.x.y", "%{i3}.x.y", NULL, "192.0.2.3"),
    ASK("a%b.x.y", "a%%b.x.y", NULL, "192.0.2.3"),
    ASK("a%20b.x.y", "a%-b.x.y", NULL, "192.0.2.3"),
    ASK("jack%26jill%3dup.x.y", "%{L}.x.y", "jack&jill=up@example.com", "192.0.2.3"),
    ASK("a.b.c.d.x.y", "%{l.-+,/_=}.x.y", "a-b+c=d@example.com", "192.0.2.3"),
    ASK("example.com", "%{D}", NULL, "192.0.2.3"),
    ASK("unknown.x.y", "%{p}.x.y", NULL, "192.0.2.3"),
};

static void macros_are_expanded(void **state)
{
    (void)state;
    CHECK_ROWS(macro_rows, "")
}

/* RFC 7208 7.3: p is the domain, else a name below it, else any that is validated. */
static void the_validated_name_is_chosen(void **state)
{
    (void)state;
    static const char world[] = "a.other.example A 192.0.2.1\nm.example.com A 192.0.2.1\n"
                                "example.com A 192.0.2.1\nliar.example.com A 192.0.2.9\n";
    static const struct row rows[] = {
        {"any",
         SPF("exists:%{p}.x -all") "1.2.0.192.in-addr.arpa PTR a.other.example\na.other.example.x "
                                   "A 127.0.0.2\n",
         "192.0.2.1", NULL, "pass exists:%{p}.x"},
        {"below",
         SPF("exists:%{p}.x -all") "1.2.0.192.in-addr.arpa PTR a.other.example\n"
                                   "1.2.0.192.in-addr.arpa PTR m.example.com\nm.example.com.x A "
                                   "127.0.0.2\n",
         "192.0.2.1", NULL, "pass exists:%{p}.x"},
        {"the domain",
         SPF("exists:%{p}.x -all") "1.2.0.192.in-addr.arpa PTR m.example.com\n"
                                   "1.2.0.192.in-addr.arpa PTR example.com\nexample.com.x A "
                                   "127.0.0.2\n",
         "192.0.2.1", NULL, "pass exists:%{p}.x"},
        {"not one that lies",
         SPF("exists:%{p}.x -all") "1.2.0.192.in-addr.arpa PTR liar.example.com\nunknown.x A "
                                   "127.0.0.2\n",
         "192.0.2.1", NULL, "pass exists:%{p}.x"},
    };
    CHECK_ROWS(rows, world)
}

/* RFC 7208 7.3: labels are cut from the left until the name fits. */
static void long_names_are_cut_from_the_left(void **state)
{
    (void)state;
#define L60  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"
#define SPEC "%{l}." L60 "." L60 "." L60 "." L60 ".example.com"
    /* Four labels of 61 octets and "example.com" have 255 octets: the first of them goes too. */
    static const struct row row = {
        "cut", SPF("exists:" SPEC " -all") L60 "." L60 "." L60 ".example.com A 127.0.0.2\n",
        "192.0.2.1", "some.body@example.com", "pass exists:%{l}." L60 "." L60 "." L60 "." L60};
    check_row(&row, "");
}

/* RFC 7208 4.6.4 */
static void limits_are_kept(void **state)
{
    (void)state;
#define MX(n)  "many.example MX 1 m" #n ".example\nm" #n ".example A 192.0.2.2" #n "\n"
#define TEN_MX MX(0) MX(1) MX(2) MX(3) MX(4) MX(5) MX(6) MX(7) MX(8) MX(9)
#define HOST   "h.example A 192.0.2.200\n"
#define A5     "a:h.example a:h.example a:h.example a:h.example a:h.example "
    static const struct row rows[] = {
        {"ten terms that ask", SPF(A5 A5 "-all") HOST, "192.0.2.1", NULL, "fail -all"},
        {"eleven", SPF(A5 A5 "a:h.example -all") HOST, "192.0.2.1", NULL,
         "permerror: lookups a:h.example"},
        {"those behind a match do not count", SPF(A5 A5 "ip4:192.0.2.1 a:h.example -all") HOST,
         "192.0.2.1", NULL, "pass ip4:192.0.2.1"},
        {"redirect counts", SPF(A5 A5 "redirect=b.example") HOST "b.example TXT v=spf1 -all\n",
         "192.0.2.1", NULL, "permerror: lookups redirect=b.example"},
        {"those of included policies count",
         SPF("include:b.example include:b.example -all") HOST "b.example TXT v=spf1 " A5 "\n",
         "192.0.2.1", NULL, "permerror: lookups a:h.example"},
        {"two names that are not there", SPF("a:x.example mx:y.example -all"), "192.0.2.1", NULL,
         "fail -all"},
        {"three", SPF("a:x.example mx:y.example exists:z.example -all"), "192.0.2.1", NULL,
         "permerror: voids exists:z.example"},
        {"names without such records count",
         SPF("mx:h.example mx:h.example mx:h.example -all") HOST, "192.0.2.1", NULL,
         "permerror: voids mx:h.example"},
        {"ten exchangers", SPF("mx:many.example -all") TEN_MX, "192.0.2.29", NULL,
         "pass mx:many.example"},
        {"eleven exchangers",
         SPF("mx:many.example -all") TEN_MX "many.example MX 1 h.example\n" HOST, "192.0.2.29",
         NULL, "permerror: exchangers mx:many.example"},
        {"the eleventh reverse name is not looked at",
         SPF("ptr:h.example -all") "1.2.0.192.in-addr.arpa PTR m0.example\n1.2.0.192.in-addr.arpa "
                                   "PTR m1.example\n"
                                   "1.2.0.192.in-addr.arpa PTR m2.example\n1.2.0.192.in-addr.arpa "
                                   "PTR m3.example\n"
                                   "1.2.0.192.in-addr.arpa PTR m4.example\n1.2.0.192.in-addr.arpa "
                                   "PTR m5.example\n"
                                   "1.2.0.192.in-addr.arpa PTR m6.example\n1.2.0.192.in-addr.arpa "
                                   "PTR m7.example\n"
                                   "1.2.0.192.in-addr.arpa PTR m8.example\n1.2.0.192.in-addr.arpa "
                                   "PTR m9.example\n"
                                   "1.2.0.192.in-addr.arpa PTR h.example\nh.example A 192.0.2.1\n",
         "192.0.2.1", NULL, "fail -all"},
        {"nine includes deep, the tenth term asks",
         SPF("include:c1.e") "c1.e TXT v=spf1 include:c2.e\nc2.e TXT v=spf1 include:c3.e\nc3.e TXT "
                             "v=spf1 include:c4.e\n"
                             "c4.e TXT v=spf1 include:c5.e\nc5.e TXT v=spf1 include:c6.e\nc6.e TXT "
                             "v=spf1 include:c7.e\n"
                             "c7.e TXT v=spf1 include:c8.e\nc8.e TXT v=spf1 include:c9.e\nc9.e TXT "
                             "v=spf1 a:h.example\n" HOST,
         "192.0.2.200", NULL, "pass include:c1.e"},
    };
    CHECK_ROWS(rows, "")
}

/* RFC 7208 3.3: strings are joined without anything between them; a text beyond the ceiling is refused. */
static void long_policies_are_joined_and_bounded(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *says;
    } cases[] = {{300, "fail -all"},
                 {4000, "fail -all"},
                 {SPF_RECORD_BYTES_MAX, "fail -all"},
                 {SPF_RECORD_BYTES_MAX + 1, "permerror: too_long"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static char text[SPF_RECORD_BYTES_MAX + 2];
        struct zone *zone;
        char says[1024];
        memset(text, ' ', sizeof text);
        memcpy(text, "v=spf1", 6);
        memcpy(text + cases[i].len - 5, " -all", 6);
        assert_int_equal(zone_new(&zone), ERR_NONE);
        assert_int_equal(zone_add(zone, "example.com", DNS_TXT, text, TTL_S), ERR_NONE);
        struct spf *spf = ask(zone, "192.0.2.1", "x@example.com");
        print(spf_outcome(spf), says);
        assert_string_equal(says, cases[i].says);
        assert_string_equal(spf_outcome(spf)->domain, "example.com");
        spf_free(spf);
        zone_free(zone);
    }
}

static void requests_that_cannot_be_are_refused(void **state)
{
    (void)state;
    char endless[400];
    memset(endless, 'x', sizeof endless);
    struct spf *spf;
    struct spf_request request = {.sender = SLICE("x@example.com"), .helo = SLICE("h.example")};
    assert_int_equal(spf_new(&request, &spf), ERR_SYNTAX); /* no address */
    assert_true(ip_parse(SLICE("192.0.2.1"), &request.ip));
    request.helo = slice_make(endless, sizeof endless);
    assert_int_equal(spf_new(&request, &spf), ERR_SYNTAX);
    request.helo = SLICE("h.example");
    request.sender = slice_make(endless, sizeof endless);
    assert_int_equal(spf_new(&request, &spf), ERR_SYNTAX);
    spf_free(NULL);
}

/* RFC 7208 4.3 */
static void who_gives_no_name_has_no_policy(void **state)
{
    (void)state;
    struct spf *spf;
    struct slice name;
    uint16_t type;
    struct spf_request request = {.sender = SLICE_NONE, .helo = SLICE_NONE};
    assert_true(ip_parse(SLICE("192.0.2.1"), &request.ip));
    assert_int_equal(spf_new(&request, &spf), ERR_NONE);
    assert_false(spf_next(spf, &name, &type));
    assert_true(spf_is_done(spf));
    assert_int_equal(spf_outcome(spf)->result, SPF_NONE);
    spf_free(spf);
}

/* An answer that ends with an alias: its end is asked for, eight times at most in all. */
static void cut_aliases_are_followed(void **state)
{
    (void)state;
    for (unsigned links = 1; links <= 10; links++) {
        struct spf *spf;
        struct slice name;
        uint16_t type;
        struct spf_request request = {.sender = SLICE("x@example.com"), .helo = SLICE("h.example")};
        assert_true(ip_parse(SLICE("192.0.2.1"), &request.ip));
        assert_int_equal(spf_new(&request, &spf), ERR_NONE);
        unsigned asked = 0;
        while (spf_next(spf, &name, &type)) {
            static struct dns_message message;
            struct buf wire;
            bool is_end = asked++ == links;
            message = (struct dns_message){.is_response = true, .answer_count = 1};
            struct dns_record *record = &message.answers[0];
            record->type = is_end ? DNS_TXT : DNS_CNAME;
            (void)snprintf(record->owner, sizeof record->owner, "%.*s", SLICE_ARG(name));
            (void)snprintf(record->target, sizeof record->target, "c%u.example", asked);
            record->text = SLICE("\13v=spf1 -all");
            buf_init(&wire, WIRE_BYTES);
            assert_int_equal(dns_message_write(&message, &wire), ERR_NONE);
            spf_answered(spf, DNS_TRANSPORT_ANSWERED, buf_view(&wire));
            buf_done(&wire);
        }
        assert_int_equal(spf_outcome(spf)->result,
                         links <= DNS_ALIASES_MAX ? SPF_FAIL : SPF_TEMPERROR);
        spf_free(spf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_examples_hold),
        cmocka_unit_test(results_are_those_of_the_rfc),
        cmocka_unit_test(bad_policies_are_refused),
        cmocka_unit_test(mechanisms_match),
        cmocka_unit_test(macros_are_expanded),
        cmocka_unit_test(the_validated_name_is_chosen),
        cmocka_unit_test(long_names_are_cut_from_the_left),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(long_policies_are_joined_and_bounded),
        cmocka_unit_test(requests_that_cannot_be_are_refused),
        cmocka_unit_test(who_gives_no_name_has_no_policy),
        cmocka_unit_test(cut_aliases_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
