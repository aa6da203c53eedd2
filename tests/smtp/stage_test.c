/* SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static const char *const names[HEL_SMTP_STAGE_COUNT] = {
    [HEL_SMTP_CONNECT] = "connect",   [HEL_SMTP_BANNER] = "banner", [HEL_SMTP_EHLO] = "ehlo",
    [HEL_SMTP_STARTTLS] = "starttls", [HEL_SMTP_MAIL] = "mail",     [HEL_SMTP_RCPT] = "rcpt",
    [HEL_SMTP_DATA] = "data",         [HEL_SMTP_BODY] = "body",     [HEL_SMTP_RSET] = "rset",
    [HEL_SMTP_QUIT] = "quit",         [HEL_SMTP_AUTH] = "auth",     [HEL_SMTP_XCLIENT] = "xclient",
};

/* parse(name(stage)) = stage, and the words are those of records and rule files. */
static void every_name_reads_back(void **state)
{
    (void)state;
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        enum hel_smtp_stage stage = (enum hel_smtp_stage)i;
        assert_string_equal(hel_smtp_stage_name(stage), names[i]);
        enum hel_smtp_stage read = HEL_SMTP_STAGE_COUNT;
        assert_true(hel_smtp_stage_parse(slice_of(names[i]), &read));
        assert_int_equal(read, stage);
    }
    assert_string_equal(hel_smtp_stage_name(HEL_SMTP_STAGE_COUNT), "none");
}

static void case_does_not_matter(void **state)
{
    (void)state;
    enum hel_smtp_stage stage;
    assert_true(hel_smtp_stage_parse(SLICE("RCPT"), &stage));
    assert_int_equal(stage, HEL_SMTP_RCPT);
    assert_true(hel_smtp_stage_parse(SLICE("StartTLS"), &stage));
    assert_int_equal(stage, HEL_SMTP_STARTTLS);
}

static void other_words_are_no_stage(void **state)
{
    (void)state;
    static const char *const words[] = {"", "none", "rcp", "rcpts", " rcpt", "rcpt ", "helo"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        enum hel_smtp_stage stage = HEL_SMTP_QUIT;
        if (hel_smtp_stage_parse(slice_of(words[i]), &stage) || stage != HEL_SMTP_QUIT) {
            fail_msg("\"%s\" was read as %s", words[i], hel_smtp_stage_name(stage));
        }
    }
    assert_false(hel_smtp_stage_parse(SLICE("mail\0"), &(enum hel_smtp_stage){HEL_SMTP_QUIT}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_reads_back),
        cmocka_unit_test(case_does_not_matter),
        cmocka_unit_test(other_words_are_no_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
