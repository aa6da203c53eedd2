/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_owed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Lines in the order in which they cross the wire; "S " is the server's, "C " ours. */
struct talk {
    const char *name;
    const char *lines[12];
    unsigned others, rcpts; /* unanswered in the end */
    const char *wrong;      /* the first of our lines that must not be said; NULL: none */
};

static const struct talk talks[] = {
    {"nothing", {NULL}, 0, 0, NULL},
    {"the banner answers nobody", {"S 220 mx ready", "C EHLO x"}, 1, 0, NULL},
    {"a reply of several lines is one",
     {"C EHLO x", "S 250-mx", "S 250-SIZE", "S 250 HELP"},
     0,
     0,
     NULL},
    {"a bare code is a reply", {"C MAIL FROM:<>", "S 250"}, 0, 0, NULL},
    {"MAIL with its RCPT", {"C MAIL FROM:<>", "C RCPT TO:<a@d>"}, 1, 1, NULL},
    {"MAIL is answered first", {"C MAIL FROM:<>", "C RCPT TO:<a@d>", "S 250 ok"}, 0, 1, NULL},
    {"MAIL with two",
     {"C MAIL FROM:<>", "C RCPT TO:<a@d>", "C RCPT TO:<b@d>"},
     1,
     2,
     "C RCPT TO:<b@d>"},
    {"a group",
     {"C MAIL FROM:<>", "S 250 ok", "C RCPT TO:<a@d>", "C RCPT TO:<b@d>", "C RCPT TO:<c@d>",
      "S 250 ok", "S 550-no", "S 550 no"},
     0,
     1,
     NULL},
    {"RSET after a group",
     {"C RCPT TO:<a@d>", "C RCPT TO:<b@d>", "S 250 ok", "S 250 ok", "C RSET", "C MAIL FROM:<>",
      "C RCPT TO:<c@e>"},
     2,
     1,
     NULL},
    {"RSET behind one that is unanswered", {"C RCPT TO:<a@d>", "C RSET"}, 1, 1, "C RSET"},
    {"QUIT at any time", {"C RCPT TO:<a@d>", "C RCPT TO:<b@d>", "C QUIT"}, 0, 2, NULL},
    {"EHLO begins anew", {"C STARTTLS", "S 220 go", "S 250 injected", "C EHLO x"}, 1, 0, NULL},
    {"more replies than questions",
     {"C RSET", "S 250 ok", "S 250 ok", "C RCPT TO:<a@d>"},
     0,
     1,
     NULL},
};

static void hear(struct campaign_owed *owed, const char *line, size_t piece)
{
    char bytes[64];
    size_t len = strlen(line);
    assert_true(len + 2 < sizeof bytes);
    memcpy(bytes, line, len);
    memcpy(bytes + len, "\r\n", 2);
    struct slice all = slice_make(bytes, len + 2);
    for (size_t at = 0; at < all.len; at += piece) {
        campaign_owed_received(owed, slice_sub(all, at, at + piece));
    }
}

static void play(const struct talk *talk, size_t piece)
{
    struct campaign_owed owed = {0};
    const char *wrong = NULL;
    for (size_t i = 0; talk->lines[i] != NULL; i++) {
        const char *line = talk->lines[i];
        if (line[0] == 'S') {
            hear(&owed, line + 2, piece);
            continue;
        }
        struct slice command = slice_of(line + 2);
        bool may =
            campaign_owed_sent(&owed, slice_sub(command, 0, slice_find_byte(command, ' ', 0)));
        wrong = may || wrong != NULL ? wrong : line;
    }
    if (owed.others != talk->others || owed.rcpts != talk->rcpts) {
        fail_msg("%s: %u and %u RCPTs are owed", talk->name, owed.others, owed.rcpts);
    }
    assert_string_equal(wrong == NULL ? "" : wrong, talk->wrong == NULL ? "" : talk->wrong);
}

static void what_is_owed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++) {
        for (size_t piece = 1; piece <= 64; piece++) {
            play(&talks[i], piece);
        }
    }
}

static void counts_do_not_turn_over(void **state)
{
    (void)state;
    struct campaign_owed owed = {0};
    for (unsigned i = 0; i < 1000; i++) {
        (void)campaign_owed_sent(&owed, SLICE("RCPT"));
        (void)campaign_owed_sent(&owed, SLICE("RSET"));
    }
    assert_int_equal(owed.rcpts, UINT8_MAX);
    assert_int_equal(owed.others, UINT8_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_owed),
        cmocka_unit_test(counts_do_not_turn_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
