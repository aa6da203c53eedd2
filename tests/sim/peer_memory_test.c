/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "talk.h"

#define GREY(who, s) \
    "S: 451 4.7.1 <" who ">: Recipient address rejected: Greylisted, see you in " s " seconds\n"
#define AGAIN "C: RSET\nS: 250 2.0.0 Ok\nC: MAIL FROM:<b@us.example>\nS: 250 2.1.0 Ok\n"
#define BLOCKED                                                                                 \
    "S: 550 5.7.1 Client host 192.0.2.1 blocked: too many invalid recipients, try again in an " \
    "hour\n"
#define JANE TALK_RCPT("jane@d.example")
#define JOE  TALK_RCPT("joe@d.example")

static const char *mailbox(const void *context, struct slice path)
{
    bool is_ours = slice_ends(path, slice_of(context));
    return !is_ours                                   ? "554 5.7.1 <%r>: Relay access denied"
           : slice_starts(path, SLICE("full@"))       ? "452 4.2.2 <%r>: over quota"
           : slice_starts(path, SLICE("user-12345@")) ? ""
                                                      : NULL;
}

static const struct talk talks[] = {
    {"greylisting of triplets",
     {.live = {"jane", "joe"}, .greylist_s = 300},
     TALK_MAIL JANE GREY("jane@d.example", "300") "T+ 1000\n" JOE GREY("joe@d.example", "300")
         JANE GREY("jane@d.example", "299") "T+ 299000\n" JANE TALK_OK JOE GREY("joe@d.example",
                                                                                "1")
             AGAIN JANE GREY("jane@d.example", "300") "NEW 192.0.2.2\n" TALK_MAIL JANE GREY(
                 "jane@d.example", "300") "NEW 192.0.2.1\n" TALK_MAIL JANE TALK_OK},
    {"greylisting of clients",
     {.live = {"jane", "joe"}, .greylist_s = 60, .greylist_kind = PEER_GREYLIST_CLIENT},
     TALK_MAIL JANE GREY("jane@d.example", "60") "T+ 60000\n" JOE TALK_OK AGAIN JANE TALK_OK},
    {"greylisting at MAIL",
     {.live = {"jane"}, .greylist_s = 60, .greylist_kind = PEER_GREYLIST_MAIL},
     TALK_HELLO "C: MAIL FROM:<>\n"
                "S: 451 4.7.1 Greylisting in action, please come back in 60 seconds\n"
                "T+ 60000\nC: MAIL FROM:<>\nS: 250 2.1.0 Ok\n" JANE TALK_OK},
    {"greylisting that starts again",
     {.live = {"jane"}, .greylist_s = 60, .greylist_restarts = true},
     TALK_MAIL JANE GREY("jane@d.example", "60") "T+ 59000\n" JANE GREY(
         "jane@d.example", "60") "T+ 59000\n" JANE GREY("jane@d.example",
                                                        "60") "T+ 60000\n" JANE TALK_OK
                                                              "T+ 1000\n" JANE TALK_OK},
    {"greylisting that spares the dead",
     {.live = {"jane"},
      .greylist_s = 60,
      .greylist_spares_dead = true,
      .greylist_say = "450 %d %l"},
     TALK_MAIL JANE "S: 450 60 jane\n" JOE TALK_UNKNOWN("joe@d.example")},
    {"greylisting of all",
     {.live = {"jane"}, .greylist_s = 60},
     TALK_MAIL JOE GREY("joe@d.example", "60") "T+ 60000\n" JOE TALK_UNKNOWN("joe@d.example")},
    {"more mailboxes than a list can hold",
     {.live = {"jane"}, .mailbox = mailbox, .mailbox_context = "@d.example"},
     TALK_MAIL JANE TALK_OK TALK_RCPT("user-12345@d.example")
         TALK_OK JOE TALK_UNKNOWN("joe@d.example")
             TALK_RCPT("full@d.example") "S: 452 4.2.2 <full@d.example>: over quota\n" TALK_RCPT(
                 "full@e.example") "S: 554 5.7.1 <full@e.example>: Relay access denied\n"},
    {"a block after bad ones",
     {.live = {"jane"}, .block_after_bad = 2, .block_s = 600},
     TALK_MAIL JANE TALK_OK JOE TALK_UNKNOWN("joe@d.example") JANE TALK_OK JOE TALK_UNKNOWN(
         "joe@d.example") JANE BLOCKED "NEW 192.0.2.2\n" TALK_MAIL JANE TALK_OK
                                       "NEW 192.0.2.1\n" TALK_MAIL "T+ 600000\n" JANE TALK_OK},
    {"a block that outlasts the hour",
     {.live = {"jane"}, .block_after_bad = 2, .block_s = 7200},
     TALK_MAIL JOE TALK_UNKNOWN("joe@d.example")
         JOE TALK_UNKNOWN("joe@d.example") "T+ 3600000\n" JANE BLOCKED JANE BLOCKED},
    {"bad ones that are an hour apart",
     {.live = {"jane"}, .block_after_bad = 2, .block_s = 600},
     TALK_MAIL JOE TALK_UNKNOWN("joe@d.example") "T+ 3600000\n" JOE TALK_UNKNOWN("joe@d.example")
         JANE TALK_OK},
};

static void remembers_as_its_script_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) {
        talk_play(&talks[i]);
    }
}

static void check_counts(const struct peer_seen *seen)
{
    assert_int_equal(seen->connections, 2);
    assert_int_equal(seen->open, 0);
    assert_int_equal(seen->open_peak, 1);
    assert_int_equal(seen->commands[PEER_AT_BANNER], 2);
    assert_int_equal(seen->commands[PEER_AT_RCPT], 3);
    assert_int_equal(seen->accepted, 1);
    assert_int_equal(seen->refused, 1);
    assert_int_equal(seen->deferred, 1);
    assert_int_equal(seen->bdat + seen->vrfy + seen->expn, 3);
    assert_int_equal(seen->others, 4);
    assert_int_equal(seen->left_without_quit, 1);
    assert_int_equal(seen->early_commands, 0);
    assert_int_equal(seen->rcpts_peak, 3);
    assert_int_equal(seen->bad_peak, 1);
    assert_int_equal(seen->helo.count, 1);
    assert_string_equal(seen->helo.at[0], "us");
    assert_int_equal(seen->senders.count, 1);
    assert_string_equal(seen->senders.at[0], "a@us.example");
    assert_int_equal(seen->recipients.count, 3);
}

static void counts_what_it_sees(void **state)
{
    (void)state;
    static const char other[] = "S: 502 5.5.2 Error: command not recognized\n";
    char play[2000];
    (void)snprintf(play, sizeof play,
                   TALK_MAIL JANE TALK_OK JOE TALK_UNKNOWN("joe@d.example")
                       TALK_RCPT("full@d.example") "S: 452 x\nNEW 192.0.2.1\n" TALK_HELLO
                                                   "C: BDAT 1\n%sC: VRFY x\n%sC: EXPN x\n%sC: "
                                                   "XYZ\n%sC: QUIT\nS: 221 2.0.0 Bye\nEND\n",
                   other, other, other, other);
    const struct talk talk = {
        "counts",
        {.live = {"jane"}, .rules = {{PEER_AT_RCPT, .who = "full", .say = "452 x"}}},
        play};
    talk_check(&talk, check_counts);
}

static void take(struct peer *peer, uint64_t now_ms, char out[300])
{
    struct slice bytes;
    uint64_t at_ms;
    size_t len = 0;
    while (peer_next_output(peer, now_ms, &bytes, &at_ms)) {
        assert_true(len + bytes.len < 300);
        memcpy(out + len, bytes.at, bytes.len);
        len += bytes.len;
    }
    out[len] = '\0';
}

static void one_connection_too_many_is_sent_away(void **state)
{
    (void)state;
    static const struct peer_script script = {.connections_max = 1};
    struct peer_server *server;
    struct peer *first, *second, *third;
    struct ip ip;
    char said[300];
    assert_true(ip_parse(SLICE("192.0.2.1"), &ip));
    assert_int_equal(peer_server_new(&script, 1, &server), ERR_NONE);
    assert_int_equal(peer_new(server, &ip, 0, &first), ERR_NONE);
    assert_int_equal(peer_new(server, &ip, 0, &second), ERR_NONE);
    take(first, 0, said);
    assert_string_equal(said, "220 mx.peer.example ESMTP ready\r\n");
    take(second, 0, said);
    assert_string_equal(
        said, "421 4.7.0 mx.peer.example Too many concurrent connections from 192.0.2.1\r\n");
    assert_true(peer_wants_close(second));
    assert_false(peer_wants_close(first));
    peer_free(second);
    peer_free(first);
    assert_int_equal(peer_new(server, &ip, 0, &third), ERR_NONE);
    take(third, 0, said);
    assert_string_equal(said, "220 mx.peer.example ESMTP ready\r\n");
    assert_int_equal(peer_server_seen(server)->open_peak, 2);
    peer_free(third);
    peer_free(NULL);
    peer_server_free(server);
    peer_server_free(NULL);
}

struct observed {
    unsigned came, answered;
    struct peer_rcpt last;
    uint64_t at_ms;
};

static void on_came(void *context)
{
    struct observed *observed = context;
    observed->came++;
}

static void on_answered(void *context, const struct peer_rcpt *rcpt, uint64_t now_ms)
{
    struct observed *observed = context;
    observed->answered++;
    observed->last = *rcpt;
    observed->at_ms = now_ms;
}

static void an_observer_is_told_each_answer(void **state)
{
    (void)state;
    static const struct peer_observer observer = {on_came, on_answered};
    static const struct peer_script script = {.live = {"jane"}};
    static const struct {
        const char *line;
        unsigned code, rcpts, refused;
    } steps[] = {
        {"RCPT TO:<jane@d.example>\r\n", 503, 1,
         0}, /* about the order of commands, not about jane */
        {"MAIL FROM:<>\r\n", 503, 1, 0},
        {"RCPT TO:<jane@d.example>\r\n", 250, 2, 0},
        {"RCPT TO:<joe@d.example>\r\n", 550, 3, 1},
    };
    struct peer_server *server;
    struct peer *peer;
    struct ip client;
    struct observed observed = {0};
    char said[300];
    assert_true(ip_parse(SLICE("192.0.2.1"), &client));
    assert_int_equal(peer_server_new(&script, 1, &server), ERR_NONE);
    peer_server_observe(server, &observer, &observed);
    assert_int_equal(peer_new(server, &client, 1000, &peer), ERR_NONE);
    assert_int_equal(observed.came, 1);
    take(peer, 1000, said);
    peer_received(peer, SLICE("HELO us\r\n"), 1000);
    take(peer, 1000, said);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        peer_received(peer, slice_of(steps[i].line), 2000 + i);
        take(peer, 2000 + i, said);
        assert_int_equal(observed.last.code, steps[i].code);
        assert_int_equal(observed.last.rcpts, steps[i].rcpts);
        assert_int_equal(observed.last.refused, steps[i].refused);
    }
    assert_int_equal(observed.answered, 3);
    assert_int_equal(observed.at_ms, 2003);
    peer_free(peer);
    peer_server_free(server);
}

static void names_beyond_the_room_are_counted(void **state)
{
    (void)state;
    static const struct peer_script script = {.catch_all = PEER_CATCH_ALL_YES};
    struct peer_server *server;
    struct peer *peer;
    struct ip ip;
    char said[300], line[100];
    assert_true(ip_parse(SLICE("2001:db8::1"), &ip));
    assert_int_equal(peer_server_new(&script, 1, &server), ERR_NONE);
    assert_int_equal(peer_new(server, &ip, 0, &peer), ERR_NONE);
    for (int i = 0; i < 2 * (PEER_NAMES_MAX + 5); i++) { /* each twice */
        (void)snprintf(line, sizeof line, "RCPT TO:<n%d@d.example>\r\n", i / 2);
        peer_received(peer, slice_of(line), 0);
        take(peer, 0, said);
    }
    assert_int_equal(peer_server_seen(server)->recipients.count, PEER_NAMES_MAX);
    assert_int_equal(peer_server_seen(server)->recipients.dropped, 10);
    peer_free(peer);
    peer_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_as_its_script_says),
        cmocka_unit_test(counts_what_it_sees),
        cmocka_unit_test(one_connection_too_many_is_sent_away),
        cmocka_unit_test(names_beyond_the_room_are_counted),
        cmocka_unit_test(an_observer_is_told_each_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
