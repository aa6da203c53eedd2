/* Scenarios 96 to 108: odd, long, foreign and hostile addresses on their way through the engine. The parser alone
 * is under test in tests/address.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "stage.h"

static bool was_asked(const struct stage *stage, const char *ip, const char *path)
{
    const struct peer_names *names = &stage_seen(stage, ip)->recipients;
    for (unsigned i = 0; i < names->count; i++) {
        if (strcmp(names->at[i], path) == 0) {
            return true;
        }
    }
    return false;
}

static void sent_quoted(struct stage *stage)
{
    assert_true(was_asked(stage, "5.9.1.1", "\"john doe\"@d.test"));
    assert_true(was_asked(stage, "5.9.1.1", "\"a@b\"@d.test"));
    assert_true(was_asked(stage, "5.9.1.1", "\"a\\\"b\"@d.test"));
}

static void asked_nobody(struct stage *stage)
{
    struct world_counts counts;
    world_count(stage_world(stage), &counts);
    assert_int_equal(counts.connects, 0);
    assert_int_equal(counts.queries, 0);
}

static void be_strict(struct stage *stage, struct knocker_config *config)
{
    (void)stage;
    config->address_mode = HEL_ADDRESS_STRICT;
}

static void kept_case(struct stage *stage)
{
    assert_true(was_asked(stage, "5.9.1.1", "User@d.test"));
    assert_true(was_asked(stage, "5.9.1.1", "user@d.test"));
}

static void asked_in_unicode(struct stage *stage)
{
    assert_true(
        was_asked(stage, "5.9.1.1", "\xE7\x94\xA8\xE6\x88\xB7@xn--fsqu00a.example") ||
        was_asked(stage, "5.9.1.1", "\xE7\x94\xA8\xE6\x88\xB7@\xE4\xBE\x8B\xE5\xAD\x90.example"));
}

static void add_second_exchanger(struct stage *stage, struct knocker_config *config)
{
    (void)config;
    static const struct peer_script able = {.has_smtputf8 = true,
                                            .live = {"\xE7\x94\xA8\xE6\x88\xB7"}};
    struct world_host host = {.ip = "5.9.1.2", .script = &able};
    assert_int_equal(world_host_add(stage_world(stage), &host), ERR_NONE);
}

/* Seven ways to write one address: one probe. */
static void probed_once(struct stage *stage)
{
    assert_int_equal(stage_seen(stage, "5.9.1.1")->accepted, 1);
}

static void kept_wire_form(struct stage *stage)
{
    assert_true(slice_equal(stage_record(stage, 0)->normalized, SLICE("abc@gmail.com")));
    assert_true(was_asked(stage, "5.9.1.1", "a.b.c+x@googlemail.com"));
}

static void is_role(struct stage *stage)
{
    assert_true(stage_record(stage, 0)->flags.is_role);
    assert_true(stage_record(stage, 1)->flags.is_role);
}

static void is_disposable(struct stage *stage)
{
    for (size_t i = 0; i < 3; i++) {
        assert_true(stage_record(stage, i)->flags.is_disposable);
    }
}

static void suggests(struct stage *stage)
{
    static const char *const wanted[] = {
        "a@gmail.com", "a@hotmail.fr", "a@yahoo.co.uk", "", "", ""};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!slice_equal(stage_record(stage, i)->did_you_mean, slice_of(wanted[i]))) {
            fail_msg("suggestion %zu: '%.*s', expected '%s'", i,
                     SLICE_ARG(stage_record(stage, i)->did_you_mean), wanted[i]);
        }
    }
}

#define L64    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"
#define YONGHU "\xE7\x94\xA8\xE6\x88\xB7"
#define LIZI   "\xE4\xBE\x8B\xE5\xAD\x90"

static const struct scene scenes[] = {
    {"96", "quoted local parts", .script = {.live = {"\"john doe\"", "\"a@b\"", "\"a\\\"b\""}},
     .asks = {{"\"john doe\"@d.test", "accepted"},
              {"\"a@b\"@d.test", "accepted"},
              {"\"a\\\"b\"@d.test", "accepted"},
              {"\"c d\"@d.test", "mailbox_not_found"}},
     .check = sent_quoted},
    {"97", "no addresses", .script = {.catch_all = PEER_CATCH_ALL_YES},
     .asks = {{"a..b@d.test", "invalid_syntax"},
              {".a@d.test", "invalid_syntax"},
              {"a.@d.test", "invalid_syntax"},
              {"a@d..com", "invalid_syntax"},
              {"a@-d.com", "invalid_syntax"},
              {"@d.test", "invalid_syntax"},
              {"a@", "invalid_syntax"},
              {"a b@d.test", "invalid_syntax"},
              {"a@b@d.test", "invalid_syntax"},
              {"a@d", "invalid_syntax"},
              {"", "invalid_syntax"}},
     .check = asked_nobody},
    {"98", "local parts of 64 and 65 octets, strict", .script = {.live = {L64}},
     .asks = {{L64 "@d.test", "accepted"}, {L64 "x@d.test", "invalid_syntax"}}, .tune = be_strict},
    {"98b", "the same asked leniently", .script = {.live = {L64}},
     .asks = {{L64 "@d.test", "accepted"}, {L64 "x@d.test", "mailbox_not_found"}}},
    {"100", "a server that tells capitals from small letters",
     .script = {.live = {"User"}, .is_case_sensitive = true},
     .asks = {{"User@d.test", "accepted"}, {"user@d.test", "mailbox_not_found"}},
     .check = kept_case},
    {"101", "a local part in Chinese, with SMTPUTF8",
     .hosts = {{"5.9.1.1", NULL, 0, .script = {.live = {YONGHU}, .has_smtputf8 = true}}},
     .names = {{"xn--fsqu00a.example", DNS_MX, "10 mx.e.test"}, {"mx.e.test", DNS_A, "5.9.1.1"}},
     .asks = {{YONGHU "@" LIZI ".example", "accepted"}}, .check = asked_in_unicode},
    {"101b", "the same without SMTPUTF8",
     .hosts = {{"5.9.1.1", NULL, 0, .script = {.live = {YONGHU}}}},
     .names = {{"xn--fsqu00a.example", DNS_MX, "10 mx.e.test"}, {"mx.e.test", DNS_A, "5.9.1.1"}},
     .asks = {{YONGHU "@" LIZI ".example", "smtputf8_unsupported"}}},
    {"101c", "only the second exchanger has SMTPUTF8",
     .hosts = {{"5.9.1.1", NULL, 0, .script = {.live = {YONGHU}}}},
     .names = {{"xn--fsqu00a.example", DNS_MX, "10 mx.e.test"},
               {"mx.e.test", DNS_A, "5.9.1.1"},
               {"xn--fsqu00a.example", DNS_MX, "20 mx2.e.test"},
               {"mx2.e.test", DNS_A, "5.9.1.2"}},
     .asks = {{YONGHU "@" LIZI ".example", "accepted|accepted_unconfirmed"}},
     .tune = add_second_exchanger},
    {"102", "address literals, public and not", .script = {.live = {"user"}},
     .asks = {{"user@[5.9.1.1]", "accepted"},
              {"user@[192.168.2.1]", "mx_unroutable"},
              {"user@[IPv6:::1]", "mx_unroutable"}}},
    {"103", "line ends, NUL and brackets inside", .script = {.catch_all = PEER_CATCH_ALL_YES},
     .asks = {{"a@d.test\r\nRCPT TO:<b@d.test>", "invalid_syntax"},
              {"a\r\nDATA@d.test", "invalid_syntax"},
              {"a@d.test>\r\nDATA", "invalid_syntax"},
              {"\"a\r\nDATA\"@d.test", "invalid_syntax"},
              {"a>b@d.test", "invalid_syntax"},
              {"a<b@d.test", "invalid_syntax"}},
     .check = asked_nobody},
    {"104", "what people paste", .script = {.live = {"live"}},
     .asks = {{" Jane Doe <live@d.test> ", "accepted"},
              {"mailto:live@d.test", "accepted"},
              {"live@d.test.", "accepted"},
              {"live@d.test;", "accepted"},
              {"\xEF\xBB\xBFlive@d.test", "accepted"},
              {"live\xEF\xBC\xA0"
               "d.test",
               "accepted"},
              {"live@D.TEST", "accepted"}},
     .check = probed_once},
    {"105", "dots, tags and the other name of Gmail",
     .hosts = {{"5.9.1.1", NULL, 0, .script = {.live = {"a.b.c+x"}}}},
     .names = {{"googlemail.com", DNS_MX, "5 gmail-smtp-in.l.google.com"},
               {"gmail-smtp-in.l.google.com", DNS_A, "5.9.1.1"}},
     .asks = {{"a.b.c+x@googlemail.com", "accepted"}}, .check = kept_wire_form},
    {"106", "a role, dead and live", .script = {.live = {"info"}},
     .asks = {{"support@d.test", "mailbox_not_found"}, {"info@d.test", "accepted"}},
     .check = is_role},
    {"107", "a disposable domain, one below it, one with its exchanger",
     .hosts = {{"5.9.1.1", NULL, 0, .script = {.live = {"live"}}}},
     .names = {{"mailinator.com", DNS_MX, "10 mail.mailinator.com"},
               {"sub.mailinator.com", DNS_MX, "10 mail.mailinator.com"},
               {"innocent.test", DNS_MX, "10 mail.mailinator.com"},
               {"mail.mailinator.com", DNS_A, "5.9.1.1"}},
     .asks = {{"live@mailinator.com", "disposable"},
              {"live@sub.mailinator.com", "disposable"},
              {"live@innocent.test", "disposable"}},
     .check = is_disposable},
    {"108", "misspelt domains and those that only look so", .no_domain = true,
     .asks = {{"a@gmial.com", "domain_not_found"},
              {"a@hotmial.fr", "domain_not_found"},
              {"a@yaho.co.uk", "domain_not_found"},
              {"a@gmx.com", "dns_error"},
              {"a@ymail.com", "dns_error"},
              {"a@mail.com", "dns_error"}},
     .check = suggests},
};

int main(void)
{
    return stage_play_all("address", scenes, sizeof scenes / sizeof scenes[0]);
}
