/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "talk.h"

#define JANE      .live = {"jane"}
#define BANNER    "S: 220 mx.peer.example ESMTP ready\n"
#define ASK(a)    TALK_RCPT(a)
#define RULE(...) .rules = {{__VA_ARGS__}}

static const struct talk honest[] = {
    {"a whole conversation",
     {JANE},
     BANNER "C: EHLO us\nS: 250-mx.peer.example\nS: 250-PIPELINING\nS: 250-SIZE 52428800\n"
            "S: 250-8BITMIME\nS: 250 ENHANCEDSTATUSCODES\nC: mail from:<a@us.example> SIZE=1\n"
            "S: 250 2.1.0 Ok\n" ASK("Jane@d.example") TALK_OK ASK("joe@d.example")
                TALK_UNKNOWN("joe@d.example") "C: RSET\nS: 250 2.0.0 Ok\nC: QUIT\n"
                                              "S: 221 2.0.0 Bye\nEND\n"},
    {"out of order",
     {JANE},
     BANNER "C: MAIL FROM:<a@us.example>\nS: 503 5.5.1 Bad sequence of commands\n" ASK(
         "jane@d.example") "S: 503 5.5.1 Error: need MAIL command\nC: HELO us\nS: 250 "
                           "mx.peer.example\n"
                           "C: MAIL FROM:<>\nS: 250 2.1.0 Ok\nC: MAIL FROM:<>\n"
                           "S: 503 5.5.1 Bad sequence of commands\n"},
    {"not understood",
     {JANE},
     TALK_MAIL "C: MAIL TO:<x>\nS: 501 5.5.4 Syntax: MAIL FROM:<address>\nC: RCPT TO:jane\n"
               "S: 501 5.5.4 Syntax: RCPT TO:<address>\nC: NOOP\nS: 250 2.0.0 Ok\nC: HOWDY\n"
               "S: 502 5.5.2 Error: command not recognized\nC: STARTTLS\n"
               "S: 502 5.5.1 Command not implemented\n"},
    {"a quoted local part", {.live = {"\"a>b\""}}, TALK_MAIL ASK("\"a>b\"@d.example") TALK_OK},
    {"data is taken and forgotten",
     {JANE},
     TALK_MAIL ASK("jane@d.example") TALK_OK
     "C: DATA\nS: 354 End data with <CR><LF>.<CR><LF>\nC: QUIT\nC: ..\nC: .\n"
     "S: 250 2.0.0 Ok: taken and forgotten\nC: QUIT\nS: 221 2.0.0 Bye\nEND\n"},
    {"a name of its own",
     {.name = "mail.x.example"},
     "S: 220 mail.x.example ESMTP ready\nC: HELO us\nS: 250 mail.x.example\n"},
    {"other words",
     {JANE, .ok = "250 fine", .unknown = "551 %l? no", .relay_denied = "550 not here",
      .domains = {"d.example"}},
     TALK_MAIL ASK("jane@d.example") "S: 250 fine\n" ASK("joe@d.example") "S: 551 joe? no\n" ASK(
         "jane@e.example") "S: 550 not here\n"},
    {"domains",
     {JANE, .domains = {"d.example"}},
     TALK_MAIL ASK("jane@D.example")
         TALK_OK ASK("jane@e.example") "S: 554 5.7.1 <jane@e.example>: Relay access denied\n"},
    {"whole addresses",
     {.live = {"jane@d.example"}},
     TALK_MAIL ASK("jane@d.example") TALK_OK ASK("jane@e.example") TALK_UNKNOWN("jane@e.example")},
    {"case sensitive",
     {JANE, .is_case_sensitive = true},
     TALK_MAIL ASK("jane@d.example") TALK_OK ASK("Jane@d.example") TALK_UNKNOWN("Jane@d.example")},
    {"catch-all", {.catch_all = PEER_CATCH_ALL_YES}, TALK_MAIL ASK("x@d.example") TALK_OK},
    {"catch-all of short ones",
     {.catch_all = PEER_CATCH_ALL_SHORT, .catch_all_bytes = 3},
     TALK_MAIL ASK("abc@d.example") TALK_OK ASK("abcd@d.example") TALK_UNKNOWN("abcd@d.example")},
    {"catch-all of names",
     {.catch_all = PEER_CATCH_ALL_NAMES},
     TALK_MAIL ASK("jo.do@d.example") TALK_OK ASK("jo.d0@d.example") TALK_UNKNOWN("jo.d0@d.example")
         ASK("jodo@d.example") TALK_UNKNOWN("jodo@d.example")},
    {"extensions",
     {.extensions = {"SIZE 10", "DSN"}, .has_smtputf8 = true, .tls = PEER_TLS_GOOD},
     BANNER "C: EHLO us\nS: 250-mx.peer.example\nS: 250-SIZE 10\nS: 250-DSN\nS: 250-STARTTLS\n"
            "S: 250 SMTPUTF8\n"},
    {"no extensions", {.extensions = {""}}, BANNER "C: EHLO us\nS: 250 mx.peer.example\n"},
    {"no EHLO",
     {.has_no_ehlo = true},
     BANNER
     "C: EHLO us\nS: 502 5.5.1 Command not implemented\nC: HELO us\nS: 250 mx.peer.example\n"},
    {"many lines",
     {.banner_lines = 3, .ehlo_lines = 2, .extensions = {""}},
     "S: 220-line 1 of a long story\nS: 220-line 2 of a long story\n" BANNER
     "C: EHLO us\nS: 250-line 1 of a long story\nS: 250 mx.peer.example\n"},
    {"UTF-8 without and with the extension",
     {.catch_all = PEER_CATCH_ALL_YES, .has_smtputf8 = true},
     TALK_MAIL ASK("j\xc3\xb6@d.example") "S: 553 5.6.7 Address requires SMTPUTF8\nC: RSET\n"
                                          "S: 250 2.0.0 Ok\nC: MAIL FROM:<a@us.example> "
                                          "SMTPUTF8\nS: 250 2.1.0 Ok\n" ASK("j\xc3\xb6@d.example")
                                              TALK_OK},
    {"SMTPUTF8 where it is not offered",
     {JANE},
     TALK_HELLO "C: MAIL FROM:<> SMTPUTF8\nS: 555 5.5.4 Unsupported option: SMTPUTF8\n"},
    {"TLS",
     {JANE, .tls = PEER_TLS_GOOD, .is_tls_required = true},
     TALK_HELLO
     "C: MAIL FROM:<>\nS: 530 5.7.0 Must issue a STARTTLS command first\nC: STARTTLS\n"
     "S: 220 2.0.0 Ready to start TLS\nTLS\nC: MAIL FROM:<>\n"
     "S: 503 5.5.1 Bad sequence of commands\nC: EHLO us\nS: 250-mx.peer.example\n"
     "S: 250-PIPELINING\nS: 250-SIZE 52428800\nS: 250-8BITMIME\nS: 250 ENHANCEDSTATUSCODES\n"
     "C: MAIL FROM:<>\nS: 250 2.1.0 Ok\nC: STARTTLS\nS: 502 5.5.1 Command not implemented\n"},
    {"TLS with a reply behind the 220",
     {.tls = PEER_TLS_INJECTED},
     TALK_HELLO "C: STARTTLS\nS: 220 2.0.0 Ready to start TLS\nS: 250 2.1.5 Ok, and again ok\n"
                "S: 250 2.1.5 Ok\nTLS\nC: NOOP\nS: 250 2.0.0 Ok\n"},
    {"garbage for TLS",
     {.tls = PEER_TLS_GARBAGE},
     TALK_HELLO "C: STARTTLS\nS: 220 2.0.0 Ready to start TLS\nS: this is not TLS at all\nEND\n"},
};

static const struct talk manners[] = {
    {"closes after a refusal",
     {JANE, .closes_after_bad = true},
     TALK_MAIL ASK("jane@d.example") TALK_OK ASK("joe@d.example")
         TALK_UNKNOWN("joe@d.example") "END\n"},
    {"delays",
     {JANE, .banner_delay_ms = 500, .delay_ms = 200, .bad_delay_ms = 1000},
     "T+ 499\nT+ 1\n" BANNER "C: HELO us\nT+ 199\nT+ 1\nS: 250 mx.peer.example\nC: MAIL FROM:<>\n"
     "T+ 200\nS: 250 2.1.0 Ok\n" ASK("jane@d.example") "T+ 200\n" TALK_OK ASK(
         "joe@d.example") "T+ 1199\nT+ 1\n" TALK_UNKNOWN("joe@d.example")},
    {"a random delay between two bounds",
     {JANE, .rcpt_delay_min_ms = 50, .rcpt_delay_max_ms = 60},
     TALK_MAIL ASK("jane@d.example") "T+ 49\nT+ 11\n" TALK_OK},
    {"HTTP",
     {.tongue = PEER_SPEAKS_HTTP},
     "S: HTTP/1.0 400 Bad Request\nS: Content-Type: text/html\nS: \nS: <h1>Bad "
     "Request</h1>\nEND\n"},
    {"an echo", {.tongue = PEER_SPEAKS_ECHO}, "S: 220 echo here\nC: EHLO us\nS: EHLO us\n"},
    {"nothing", {.tongue = PEER_SPEAKS_NOTHING}, "T+ 100000\nC: EHLO us\nT+ 100000\n"},
};

static const struct talk rules[] = {
    {"at the banner",
     {RULE(PEER_AT_BANNER, .say = "554 no\n", .closes = true)},
     "S: 554 no\nS: \nEND\n"},
    {"at EHLO by name",
     {RULE(PEER_AT_EHLO, .who = "BAD", .say = "550 %h and %i, 100%%")},
     BANNER "C: EHLO bad\nS: 550 mx.peer.example and 192.0.2.1, 100%\nC: MAIL FROM:<>\n"
            "S: 503 5.5.1 Bad sequence of commands\n"},
    {"at HELO",
     {RULE(PEER_AT_HELO, .say = "421 go", .closes = true)},
     BANNER "C: HELO us\nS: 421 go\nEND\n"},
    {"at STARTTLS",
     {.tls = PEER_TLS_GOOD, RULE(PEER_AT_STARTTLS, .say = "454 later")},
     TALK_HELLO "C: STARTTLS\nS: 454 later\nC: NOOP\nS: 250 2.0.0 Ok\n"},
    {"at MAIL for the null sender",
     {RULE(PEER_AT_MAIL, .who = "", .say = "550 null")},
     TALK_HELLO "C: MAIL FROM:<>\nS: 550 null\nC: MAIL FROM:<a@us.example>\nS: 250 2.1.0 Ok\n"},
    {"at RCPT by local part",
     {JANE, RULE(PEER_AT_RCPT, .who = "otto", .say = "452 %r %l %f full")},
     TALK_MAIL ASK("Otto@d.example") "S: 452 Otto@d.example Otto a@us.example full\n" ASK(
         "jane@d.example") TALK_OK},
    {"at RCPT by address",
     {.catch_all = PEER_CATCH_ALL_YES, RULE(PEER_AT_RCPT, .who = "a@d.example", .say = "450 x")},
     TALK_MAIL ASK("a@d.example") "S: 450 x\n" ASK("a@e.example") TALK_OK},
    {"those who exist",
     {JANE, RULE(PEER_AT_RCPT, .who = "+", .say = "450 x")},
     TALK_MAIL ASK("jane@d.example") "S: 450 x\n" ASK("joe@d.example")
         TALK_UNKNOWN("joe@d.example")},
    {"those who do not",
     {JANE, RULE(PEER_AT_RCPT, .who = "-", .say = "450 x")},
     TALK_MAIL ASK("jane@d.example") TALK_OK ASK("joe@d.example") "S: 450 x\n"},
    {"the n-th of a session",
     {JANE, RULE(PEER_AT_RCPT, .who = "*", .from = 2, .to = 2, .say = "450 x")},
     TALK_MAIL ASK("jane@d.example")
         TALK_OK ASK("jane@d.example") "S: 450 x\n" ASK("jane@d.example") TALK_OK},
    {"the n-th of a transaction",
     {JANE, RULE(PEER_AT_RCPT, .from_in_transaction = 2, .say = "452 x")},
     TALK_MAIL ASK("jane@d.example") TALK_OK ASK(
         "jane@d.example") "S: 452 x\nC: RSET\nS: 250 2.0.0 Ok\n"
                           "C: MAIL FROM:<>\nS: 250 2.1.0 Ok\n" ASK("jane@d.example") TALK_OK},
    {"visits",
     {RULE(PEER_AT_BANNER, .from_visit = 2, .to_visit = 2, .say = "421 x")},
     BANNER "NEW 192.0.2.1\nS: 421 x\nNEW 192.0.2.2\n" BANNER "NEW 192.0.2.1\n" BANNER},
    {"after bad ones",
     {JANE, RULE(PEER_AT_RCPT, .after_bad = 2, .say = "421 enough", .closes = true)},
     TALK_MAIL ASK("a@d.example") TALK_UNKNOWN("a@d.example") ASK("b@d.example")
         TALK_UNKNOWN("b@d.example") ASK("jane@d.example") "S: 421 enough\nEND\n"},
    {"what counts as bad",
     {JANE, .rules = {{PEER_AT_RCPT, .who = "a", .say = "450 a", .counts_as_bad = true},
                      {PEER_AT_RCPT, .after_bad = 1, .say = "450 b"}}},
     TALK_MAIL ASK("jane@d.example")
         TALK_OK ASK("a@d.example") "S: 450 a\n" ASK("jane@d.example") "S: 450 b\n"},
    {"so many times for each recipient",
     {JANE, RULE(PEER_AT_RCPT, .times = 1, .say = "450 x")},
     TALK_MAIL ASK("jane@d.example") "S: 450 x\n" ASK("joe@d.example") "S: 450 x\n" ASK(
         "jane@d.example") TALK_OK},
    {"so many times for each client",
     {RULE(PEER_AT_BANNER, .times = 1, .say = "421 x")},
     "S: 421 x\nNEW 192.0.2.1\n" BANNER "NEW 192.0.2.2\nS: 421 x\n"},
    {"for so long",
     {JANE, RULE(PEER_AT_RCPT, .for_ms = 1000, .say = "450 x")},
     TALK_MAIL ASK("jane@d.example") "S: 450 x\nT+ 999\n" ASK(
         "jane@d.example") "S: 450 x\nT+ 1\n" ASK("jane@d.example") TALK_OK},
    {"before TLS only",
     {JANE, .tls = PEER_TLS_GOOD, RULE(PEER_AT_MAIL, .is_plain_only = true, .say = "550 x")},
     TALK_HELLO "C: MAIL FROM:<>\nS: 550 x\nC: STARTTLS\nS: 220 2.0.0 Ready to start TLS\nTLS\n"
                "C: HELO us\nS: 250 mx.peer.example\nC: MAIL FROM:<>\nS: 250 2.1.0 Ok\n"},
    {"a delay alone",
     {JANE, RULE(PEER_AT_RCPT, .who = "jane", .delay_ms = 300)},
     TALK_MAIL ASK("jane@d.example") "T+ 299\nT+ 1\n" TALK_OK},
    {"a close without a word",
     {RULE(PEER_AT_RCPT, .say = "", .closes = true, .delay_ms = 10)},
     TALK_MAIL ASK("jane@d.example") "T+ 10\nEND\n"},
    {"at DATA, RSET and QUIT",
     {.rules = {{PEER_AT_DATA, .say = "554 d"},
                {PEER_AT_RSET, .say = "421 r"},
                {PEER_AT_QUIT, .say = "500 q"}}},
     TALK_MAIL "C: DATA\nS: 554 d\nC: RSET\nS: 421 r\nC: QUIT\nS: 500 q\nEND\n"},
};

static void plays_all(const struct talk *talks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        talk_play(&talks[i]);
    }
}

static void is_honest(void **state)
{
    (void)state;
    plays_all(honest, sizeof honest / sizeof *honest);
}

static void has_manners_of_its_own(void **state)
{
    (void)state;
    plays_all(manners, sizeof manners / sizeof *manners);
}

static void follows_its_rules(void **state)
{
    (void)state;
    plays_all(rules, sizeof rules / sizeof *rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_honest),
        cmocka_unit_test(has_manners_of_its_own),
        cmocka_unit_test(follows_its_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
