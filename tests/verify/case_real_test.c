/* What each answer about the real address leads to: see tests/verify/play.h for the language.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "play.h"

static void says_null_sender(const struct stand *stand)
{
    size_t count;
    const struct evidence *list = verify_case_evidence(stand_case(stand), &count);
    assert_int_equal(count, 2);
    assert_int_equal(list[0].stage, HEL_SMTP_MAIL);
}

static void block_is_named(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->block_kind, BLOCK_SENDER);
}

static void greylist_is_told(const struct stand *stand)
{
    struct verify_summary summary = play_summary(stand);
    assert_true(summary.greylist_seen);
    assert_int_equal(summary.greylist_first_ms, PLAY_START_MS);
    assert_int_equal(summary.greylist_passed_ms, PLAY_START_MS + 300000);
    assert_int_equal(play_domain(stand)->greylist_delay_s, 300);
    assert_int_equal(summary.attempts, 2);
}

static void attempts_are_three(const struct stand *stand)
{
    assert_int_equal(play_summary(stand).attempts, 3);
}

static void is_full(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->is_full, TRI_YES);
    assert_int_equal(play_verdict(stand)->is_disabled, TRI_NO);
}

static void is_disabled(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->is_disabled, TRI_YES);
    assert_int_equal(play_verdict(stand)->is_full, TRI_NO);
}

static void nothing_is_known_of_the_mailbox(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->is_full, TRI_UNKNOWN);
    assert_int_equal(play_verdict(stand)->is_disabled, TRI_UNKNOWN);
    assert_int_equal(play_verdict(stand)->is_catch_all, TRI_UNKNOWN);
}

static void others_are_alive(struct verify_domain *domain)
{
    domain->live_seen = 3;
}

static void was_not_asked(const struct stand *stand)
{
    assert_int_equal(play_summary(stand).attempts, 0);
}

static const struct play plays[] = {
    /* Statements about the mailbox end it. */
    {"no such user", .script = "real0 no =mailbox_not_found"},
    {"no such user, accepted lately", .script = "real0 no real0+ no =mailbox_not_found",
     .accepted_by = "mx1.d.test"},
    {"accepted lately, and again at a second look",
     .script = "real0 no real0+ yes control0 no =accepted", .accepted_by = "mx1.d.test"},
    {"accepted lately, and like everybody at a second look",
     .script = "real0 no real0+ yes control0 yes =catch_all", .accepted_by = "mx1.d.test"},
    {"accepted lately by another server", .script = "real0 no =mailbox_not_found",
     .accepted_by = "mx2.d.test"},
    {"accepted lately, and still", .script = "real0 yes control0 no =accepted",
     .accepted_by = "mx1.d.test"},
    {"disabled", .script = "real0 disabled =mailbox_disabled", .check = is_disabled},
    {"moved", .script = "real0 moved =mailbox_moved"},
    {"full", .script = "real0 full =mailbox_full", .check = is_full},
    {"receives too quickly", .script = "real0 exists =accepted_rate_limited"},
    {"a no of the best is not asked of the next", .script = "real0 no =mailbox_not_found",
     .mx = "10 20"},
    {"a no in lines of differing codes", .script = "real0 no% real0+ no =mailbox_not_found"},
    {"a no that was a yes", .script = "real0 no% real0+ yes control0 no =accepted"},

    /* What is said vaguely in a tired session is asked again in a fresh one. */
    {"vague after eight refusals", .script = "real0 vague!8 real0+ yes control0 no =accepted"},
    {"vague after seven refusals", .script = "real0 vague!7 control0 yes =mailbox_not_found"},

    /* An acceptance after refusals means nothing. */
    {"yes after two refusals", .script = "real0 yes!2 real0+ no =mailbox_not_found"},
    {"yes after one refusal", .script = "real0 yes!1 control0 no =accepted"},
    {"yes after refusals for ever",
     .script = "real0 yes!2 real0+ yes!2 real0+ yes!2 =accepted_unconfirmed"},
    {"large ones are patient", .script = "real0 yes!9 control0 no =accepted", .is_large = true},
    {"but not for ever", .script = "real0 yes!10 real0+ no =mailbox_not_found", .is_large = true},

    /* Time. */
    {"greylisted", .script = "real0 grey wait:300 real0 yes control0 no =accepted",
     .check = greylist_is_told},
    {"greylisted, and a second look after it",
     .script = "real0 grey wait:300 real0 yes% real0+ yes control0 no =accepted"},
    {"greylisted for ever", .script = "real0 grey wait:300 real0 grey wait:600 real0 grey "
                                      "wait:1200 real0 grey wait:2400 real0 grey "
                                      "=greylisted"},
    {"greylisting stays with its exchanger",
     .script = "real0 grey wait:300 real0 no =mailbox_not_found", .mx = "10 20"},
    {"greylisting, and no time", .script = "real0 grey =greylisted", .no_retry = true},
    {"verification in progress", .script = "real0 checking wait:10 real0 checking wait:20 real0 no "
                                           "=mailbox_not_found"},
    {"rated", .script = "real0 rated wait:60 real0+ yes control0 no =accepted"},
    {"rated in a used session", .script = "real0 rated!1 real0+ yes control0 no =accepted"},
    {"rated for good", .script = "real0 rated-for-good =rate_limited"},
    {"rated at the door: the others, then all again",
     .script = "real0 rated-at-door real1 rated-at-door wait:60 real0 yes control0 no =accepted",
     .mx = "10 10"},
    {"busy: the others first", .script = "real0 busy real1 yes control1 no =accepted",
     .mx = "10 20"},
    {"busy, all of them", .script = "real0 busy real1 busy wait:60 real0 no =mailbox_not_found",
     .mx = "10 20"},
    {"busy, and no time", .script = "real0 busy =temp_failure", .no_retry = true,
     .check = nothing_is_known_of_the_mailbox},
    {"the longest delay named in a round counts",
     .script = "real0 busy+120 real1 busy+30 wait:123 real0 no =mailbox_not_found", .mx = "10 10"},
    {"attempts are bounded",
     .script = "real0 busy wait:60 real0 busy wait:120 real0 busy =temp_failure",
     .config = {.attempts_max = 3}, .check = attempts_are_three},

    /* A temporary "no such user" is believed when it stays and others are answered otherwise. */
    {"a soft no with a catch-all beside it",
     .script = "real0 soft-no wait:60 real0 soft-no wait:120 real0 soft-no control0 yes "
               "=mailbox_not_found"},
    {"a soft no for all, nobody alive",
     .script = "real0 soft-no wait:60 real0 soft-no wait:120 real0 soft-no control0 soft-no "
               "postmaster0 soft-no =temp_failure"},
    {"a soft no for all but postmaster",
     .script = "real0 soft-no wait:60 real0 soft-no wait:120 real0 soft-no control0 soft-no "
               "postmaster0 yes =mailbox_not_found"},
    {"a soft no for all but the living",
     .script = "real0 soft-no wait:60 real0 soft-no wait:120 real0 soft-no control0 soft-no "
               "=mailbox_not_found",
     .remember = others_are_alive},
    {"a soft no once", .script = "real0 soft-no wait:60 real0 yes control0 no =accepted"},
    {"a soft no, and no time", .script = "real0 soft-no =temp_failure", .no_retry = true},

    /* Said about us. */
    {"blocked", .script = "real0 blocked =blocked", .check = nothing_is_known_of_the_mailbox},
    {"blocked by two is enough", .script = "real0 blocked real1 blocked =blocked",
     .mx = "10 20 30"},
    {"blocked by one of two", .script = "real0 blocked real1 yes control1 no =accepted",
     .mx = "10 10"},
    {"blocked, and another way out is well",
     .script = "real0 blocked^ real0^ yes control0 no =accepted", .mx = "10 20"},
    {"blocked through one after the other", .script = "real0 blocked^ real0^ blocked^ real0^ "
                                                      "blocked =blocked"},
    {"four others are enough",
     .script = "real0 blocked^ real0^ blocked^ real0^ blocked^ real0^ blocked^ real0^ blocked^ "
               "=blocked"},
    {"the other sender comes before another way out",
     .script = "real0 sender^ real0<> sender^ real0<>^ yes control0<> no =accepted"},
    {"too much for one of them", .script = "real0 rated^ real0^ no =mailbox_not_found"},
    {"not asked, since nobody may", .script = "real0 blocked? =blocked", .mx = "10 20",
     .check = was_not_asked},
    {"greylisted, then nobody may", .script = "real0 grey wait:300 real0 blocked? =greylisted"},
    {"blocked at the door", .script = "real0 blocked-at-door =blocked"},
    {"the other sender is liked better",
     .script = "real0 sender real0<> yes control0<> no =accepted"},
    {"neither sender is liked", .script = "real0 sender real0<> sender =blocked",
     .check = says_null_sender},
    {"there is no other sender", .script = "real0 sender =blocked", .no_sender = true,
     .check = block_is_named},
    {"the null sender first", .script = "real0<> blocked real0 yes control0 no =accepted",
     .config = {.null_sender_first = true}},
    {"a null sender refused at MAIL", .script = "real0<> sequence real0 no =mailbox_not_found",
     .config = {.null_sender_first = true}},

    /* Trouble. */
    {"lost lines", .script = "real0 drop real0+ drop real0+ drop =disconnected"},
    {"a lost line", .script = "real0 drop real0+ no =mailbox_not_found"},
    {"lost lines, then the next",
     .script = "real0 drop real0+ drop real0+ drop real1 yes control1 no =accepted", .mx = "10 10"},
    {"broken", .script = "real0 broken real0+ broken real1 no =mailbox_not_found", .mx = "10 20"},
    {"broken for good", .script = "real0 broken real0+ broken =temp_failure"},
    {"bad sequence in a used session", .script = "real0 sequence real0<> no =mailbox_not_found"},
    {"our own trouble", .script = "real0 local real0+ local =internal_error"},
    {"our own trouble passes", .script = "real0 local real0+ no =mailbox_not_found"},
    {"time is over at one, the next answers", .script = "real0 slow real1 no =mailbox_not_found",
     .mx = "10 20"},
    {"time is over", .script = "real0 slow =smtp_timeout"},
    {"no SMTP", .script = "real0 garble =protocol_error"},
    {"TLS fails", .script = "real0 tls-fails =tls_required_failed"},
    {"TLS is wanted", .script = "real0 wants-tls =tls_required_failed"},
    {"nobody there", .script = "real0 unreached real1 unreached =connect_failed", .mx = "10 20"},
    {"silence", .script = "real0 silent real1 unreached =connect_timeout", .mx = "10 20"},
    {"the one there says more", .script = "real0 slow real1 unreached =smtp_timeout",
     .mx = "10 20"},
    {"skipped", .script = "real0 skip =skipped"},
    {"no SMTPUTF8 anywhere", .script = "real0 no-utf8 real1 no-utf8 =smtputf8_unsupported",
     .mx = "10 20", .address = "j\xc3\xb6rg@d.test"},
    {"no SMTPUTF8 here, nobody there", .script = "real0 no-utf8 real1 unreached =connect_failed",
     .mx = "10 20", .address = "j\xc3\xb6rg@d.test"},

    /* The domain. */
    {"closed by its greeting", .script = "real0 closed =domain_not_hosted"},
    {"closed by all", .script = "real0 closed real1 closed =domain_not_hosted", .mx = "10 20"},
    {"closed by one, the other is away", .script = "real0 closed real1 unreached =blanket_reject",
     .mx = "10 20"},
    {"closed by one, the other takes it", .script = "real0 closed real1 yes control1 no =accepted",
     .mx = "10 10"},
    {"relay denied by all", .script = "real0 relay real1 relay control1 relay =domain_not_hosted",
     .mx = "10 10"},
    {"relay denied by one", .script = "real0 relay real1 no =mailbox_not_found", .mx = "10 20"},
    {"relay denied, one could not be found in DNS",
     .script = "real0 relay control0 relay =blanket_reject", .mx = "10 20?"},
    {"relay denied to this one only", .script = "real0 relay control0 yes =mailbox_not_found"},
};

int main(void)
{
    return play_all("case_real", plays, sizeof plays / sizeof plays[0]);
}
