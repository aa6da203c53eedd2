/* How long is waited: what was named, else what the domain taught, else a first guess; doubled while the
 * answer stays the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "play.h"

static void delay_was_learned(struct verify_domain *domain)
{
    domain->greylist_delay_s = 600;
}

static void retry_is_advised(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->retry_after_s, 4061);
    assert_int_equal(play_verdict(stand)->life_s, 4061);
}

static void first_delay_is_advised(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->retry_after_s, 300);
    assert_int_equal(play_verdict(stand)->life_s, 300);
}

static void longer_life_is_bounded(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->retry_after_s, 87841);
    assert_int_equal(play_verdict(stand)->life_s, 3 * 3600);
}

static void delay_is_what_it_took(const struct stand *stand)
{
    assert_int_equal(play_domain(stand)->greylist_delay_s, 900);
}

static const struct play plays[] = {
    {"the first guess", .script = "real0 grey wait:300 real0 no =mailbox_not_found"},
    {"the user's first guess", .script = "real0 grey wait:45 real0 no =mailbox_not_found",
     .config = {.greylist_wait_s = 45}},
    {"a named delay and a little more",
     .script = "real0 grey+600 wait:611 real0 no =mailbox_not_found"},
    {"a short named delay", .script = "real0 grey+5 wait:6 real0 no =mailbox_not_found"},
    {"what the domain taught", .script = "real0 grey wait:611 real0 no =mailbox_not_found",
     .remember = delay_was_learned},
    {"a named delay is stronger than a learned one",
     .script = "real0 grey+60 wait:62 real0 no =mailbox_not_found", .remember = delay_was_learned},
    {"a first visit", .script = "real0 first-visit wait:15 real0 first-visit wait:30 real0 no "
                                "=mailbox_not_found"},
    {"doubled while it stays",
     .script = "real0 grey wait:300 real0 grey wait:600 real0 no "
               "=mailbox_not_found",
     .check = delay_is_what_it_took},
    {"not doubled when it changes",
     .script = "real0 rated wait:60 real0+ checking wait:10 real0 rated wait:60 real0+ no "
               "=mailbox_not_found"},
    {"in progress, at most two minutes", .script =
                                             "real0 checking wait:10 real0 checking wait:20 real0 "
                                             "checking wait:40 real0 checking wait:80 "
                                             "real0 checking wait:120 real0 no =mailbox_not_found"},
    {"rounds double too",
     .script =
         "real0 busy wait:60 real0 busy wait:120 real0 busy wait:240 real0 no =mailbox_not_found"},
    {"too long a wait becomes advice", .script = "real0 grey+3994 =greylisted",
     .check = retry_is_advised},
    {"the longest wait may be set", .script = "real0 grey =greylisted",
     .config = {.wait_s_max = 299}, .check = first_delay_is_advised},
    {"just short enough", .script = "real0 grey wait:300 real0 no =mailbox_not_found",
     .config = {.wait_s_max = 300}},
    {"advice may be longer than a life", .script = "real0 grey+86400 =greylisted",
     .check = longer_life_is_bounded},
    {"no time at all is advice as well", .script = "real0 grey =greylisted", .no_retry = true,
     .check = first_delay_is_advised},
    {"a rest of a wait is advised", .script =
                                        "real0 grey wait:300 real0 busy wait:60 expire:budget "
                                        "=greylisted"},
};

int main(void)
{
    return play_all("case_wait", plays, sizeof plays / sizeof plays[0]);
}
