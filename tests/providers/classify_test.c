/* The shipped rules against their own examples and against the stored replies of tests/replies.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/slice.h"
#include "load.h"
#include "providers/codes.h"

enum {
    REPLIES_MIN = 450,
    MISLEADING_MIN = 120,
    SCRATCH_BYTES = 8192,
    COLUMNS = 7,
};

struct world {
    struct provider_book *book;
    struct rules *rules;
};

static int open_world(void **state)
{
    static struct world world;
    world.book = load_providers();
    world.rules = load_rules(world.book);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    rules_free(world->rules);
    provider_book_free(world->book);
    return 0;
}

static void each_rule_decides_its_examples(void **state)
{
    const struct world *world = *state;
    unsigned wrong = 0;
    for (size_t i = 0; i < rules_example_count(world->rules); i++) {
        struct rules_example example = rules_example_at(world->rules, i);
        char scratch[SCRATCH_BYTES];
        struct hel_reply reply;
        assert_int_equal(hel_reply_parse(example.reply, scratch, sizeof scratch, &reply), ERR_NONE);
        const struct classify_question question = {
            .stage = example.stage, .provider = example.provider, .reply = &reply};
        struct classification c = rules_classify(world->rules, &question);
        if (strcmp(c.rule, example.rule) != 0) {
            print_error("%s: decided by %s: %.*s\n", example.rule, c.rule,
                        SLICE_ARG(example.reply));
            wrong++;
        }
    }
    print_message("%zu rules, %zu examples\n", rules_count(world->rules),
                  rules_example_count(world->rules));
    assert_int_equal(wrong, 0);
}

static bool is_same(const struct classification *a, const struct classification *b)
{
    return a->scope == b->scope && a->reason == b->reason && a->block_kind == b->block_kind &&
           a->is_in_progress == b->is_in_progress && a->is_forwarded == b->is_forwarded &&
           a->retry_after_s == b->retry_after_s && strcmp(a->rule, b->rule) == 0;
}

/* More different replies than it has room for, at several stages, each asked again and again. */
static void a_memo_changes_no_answer(void **state)
{
    const struct world *world = *state;
    const struct slice own = SLICE("probe.example");
    struct rules_memo *memo;
    assert_int_equal(rules_memo_new(&memo), ERR_NONE);
    for (size_t i = 0; i < 4 * rules_example_count(world->rules); i++) {
        struct rules_example example = rules_example_at(world->rules, i / 4);
        char scratch[SCRATCH_BYTES];
        struct hel_reply reply;
        assert_int_equal(hel_reply_parse(example.reply, scratch, sizeof scratch, &reply), ERR_NONE);
        struct classify_question question = {
            .stage = i % 4 == 3 ? HEL_SMTP_MAIL : example.stage,
            .provider = i % 4 == 2 ? SLICE_NONE : example.provider,
            .reply = &reply,
            .own_words = &own,
            .own_word_count = 1,
            .rcpt = SLICE("jane@example.com"),
        };
        struct classification plain = rules_classify(world->rules, &question);
        question.memo = memo;
        struct classification first = rules_classify(world->rules, &question);
        struct classification again = rules_classify(world->rules, &question);
        if (!is_same(&plain, &first) || !is_same(&plain, &again)) {
            fail_msg("%s, %s, %s: %.*s", plain.rule, first.rule, again.rule,
                     SLICE_ARG(example.reply));
        }
    }
    rules_memo_free(memo);
}

/* The same words, which mean another thing when they name the one who was asked about, or us. */
static void a_memo_forgets_nobody_who_is_named(void **state)
{
    const struct world *world = *state;
    static const struct {
        const char *name, *reply, *own;
        const char *rcpts[2];
    } rows[] = {
        {"a domain that says what is wrong",
         "550 mailbox.full.example",
         "probe.example",
         {"a@mailbox.full.example", "b@other.example"}},
        {"a quoted name",
         "550 \"user unknown\" here",
         "probe.example",
         {"user@d.example", "x@d.example"}},
        {"an address",
         "450 4.2.1 <jane@d.example> later",
         "probe.example",
         {"jane@d.example", "joe@d.example"}},
        {"our name, or not", "550 no thanks", "thanks", {"a@d.example", "b@d.example"}},
        {"the same for all",
         "550 5.1.1 No such user here",
         "probe.example",
         {"a@d.example", "b@d.example"}},
        {"no text", "550", "probe.example", {"a@d.example", "b@d.example"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rules_memo *memo;
        assert_int_equal(rules_memo_new(&memo), ERR_NONE);
        for (size_t j = 0; j < 8; j++) {
            char scratch[SCRATCH_BYTES];
            struct hel_reply reply;
            assert_int_equal(
                hel_reply_parse(slice_of(rows[i].reply), scratch, sizeof scratch, &reply),
                ERR_NONE);
            const struct slice own = j % 4 < 2 ? slice_of(rows[i].own) : SLICE("another.example");
            struct classify_question question = {
                .stage = j < 4 ? HEL_SMTP_RCPT : HEL_SMTP_MAIL,
                .provider = SLICE_NONE,
                .reply = &reply,
                .own_words = &own,
                .own_word_count = 1,
                .rcpt = slice_of(rows[i].rcpts[j % 2]),
            };
            struct classification plain = rules_classify(world->rules, &question);
            question.memo = memo;
            struct classification known = rules_classify(world->rules, &question);
            if (!is_same(&plain, &known)) {
                fail_msg("%s: %s, %s", rows[i].name, plain.rule, known.rule);
            }
        }
        rules_memo_free(memo);
    }
}

struct tally {
    unsigned replies, misleading, wrong;
};

/* "\n" written as two characters becomes a line end. */
static struct slice unescape(struct slice text, char out[SCRATCH_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < text.len && n < SCRATCH_BYTES; i++) {
        bool is_break = text.at[i] == '\\' && i + 1 < text.len && text.at[i + 1] == 'n';
        out[n++] = is_break ? '\n' : text.at[i];
        i += is_break ? 1 : 0;
    }
    return slice_make(out, n);
}

static void check_line(const struct world *world, struct slice line, struct tally *tally)
{
    struct slice column[COLUMNS];
    struct slice rest = line;
    for (size_t i = 0; i < COLUMNS; i++) {
        if (rest.at == NULL) {
            fail_msg("a column is missing: %.*s", SLICE_ARG(line));
        }
        column[i] = slice_cut(&rest, '\t');
    }
    char text[SCRATCH_BYTES];
    char scratch[SCRATCH_BYTES];
    struct hel_reply reply;
    enum hel_smtp_stage stage;
    assert_true(hel_smtp_stage_parse(column[0], &stage));
    bool has_provider = !slice_equal(column[1], SLICE("-"));
    if (has_provider && provider_by_name(world->book, column[1]) == NULL) {
        fail_msg("unknown provider: %.*s", SLICE_ARG(line));
    }
    assert_int_equal(hel_reply_parse(unescape(column[2], text), scratch, sizeof scratch, &reply),
                     ERR_NONE);
    const struct classify_question question = {
        .stage = stage, .provider = has_provider ? column[1] : SLICE_NONE, .reply = &reply};
    struct classification c = rules_classify(world->rules, &question);
    bool is_right = slice_equal(column[3], slice_of(reply_scope_name(c.scope))) &&
                    slice_equal(column[4], slice_of(reply_reason_name(c.reason)));
    /* The claim of the column is held against what the numbers say by themselves. */
    const char *reading = reply_reason_name(codes_reading(reply.code, reply.enhanced));
    bool is_misleading = !slice_equal(column[4], slice_of(reading));
    if (is_misleading != slice_equal(column[5], SLICE("yes"))) {
        print_error("misleads? the numbers say %s: %.*s\n", reading, SLICE_ARG(line));
        is_right = false;
    }
    if (!is_right) {
        print_error("%s %s by %s: %.*s\n", reply_scope_name(c.scope), reply_reason_name(c.reason),
                    c.rule, SLICE_ARG(line));
    }
    tally->replies++;
    tally->misleading += is_misleading ? 1 : 0;
    tally->wrong += is_right ? 0 : 1;
}

static void check_file(const struct world *world, const char *path, struct tally *tally)
{
    struct tally before = *tally;
    char *text = load_file(path);
    struct slice rest = slice_of(text);
    while (rest.at != NULL) {
        struct slice line = slice_cut(&rest, '\n');
        if (line.len > 0 && line.at[0] != '#') {
            check_line(world, line, tally);
        }
    }
    free(text);
    print_message("%s: %u replies, %u of them with misleading codes, %u wrong\n",
                  strrchr(path, '/') + 1, tally->replies - before.replies,
                  tally->misleading - before.misleading, tally->wrong - before.wrong);
}

static void stored_replies_are_understood(void **state)
{
    const struct world *world = *state;
    static const char *const files[] = {REPLIES_DIR "/first.tsv", REPLIES_DIR "/corpus.tsv",
                                        REPLIES_DIR "/public.tsv"};
    struct tally tally = {0, 0, 0};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        check_file(world, files[i], &tally);
    }
    print_message("%u replies, %u with misleading codes\n", tally.replies, tally.misleading);
    struct tally made_up = {0, 0, 0};
    check_file(world, REPLIES_DIR "/tricky.tsv", &made_up);
    assert_int_equal(made_up.wrong, 0);
    assert_int_equal(tally.wrong, 0);
    assert_true(tally.replies >= REPLIES_MIN);
    assert_true(tally.misleading >= MISLEADING_MIN);
}

static struct classification ask(const struct world *world, const char *text, const char *rcpt,
                                 const struct slice *own, size_t own_count)
{
    static char scratch[SCRATCH_BYTES];
    struct hel_reply reply;
    assert_int_equal(hel_reply_parse(slice_of(text), scratch, sizeof scratch, &reply), ERR_NONE);
    const struct classify_question question = {.stage = HEL_SMTP_RCPT,
                                               .provider = SLICE_NONE,
                                               .reply = &reply,
                                               .own_words = own,
                                               .own_word_count = own_count,
                                               .rcpt = slice_of(rcpt)};
    return rules_classify(world->rules, &question);
}

static void an_echoed_recipient_never_decides(void **state)
{
    const struct world *world = *state;
    static const struct {
        const char *reply, *rcpt;
        enum reply_reason reason;
    } cases[] = {
        {"550 5.1.1 <blacklist@example.org>: User unknown", "blacklist@example.org",
         REASON_MAILBOX_UNKNOWN},
        {"550 5.1.1 <mailbox-full@spamhaus.example>: User unknown", "mailbox-full@spamhaus.example",
         REASON_MAILBOX_UNKNOWN},
        {"550 5.1.1 MAILBOX-FULL@Spamhaus.Example... User unknown", "mailbox-full@spamhaus.example",
         REASON_MAILBOX_UNKNOWN},
        {"550 'greylisted' user unknown", "greylisted@example.org", REASON_MAILBOX_UNKNOWN},
        {"550 \"over quota\": user unknown", "\"over quota\"@example.org", REASON_MAILBOX_UNKNOWN},
        {"550 User unknown at spamhaus.example", "jane@spamhaus.example", REASON_MAILBOX_UNKNOWN},
        {"550 rejected <no-such-user@example.org>", "", REASON_UNKNOWN},
        {"550 rejected <no-such-user@example.org>", "no-such-user@example.org", REASON_UNKNOWN},
        {"550 user unknown", "user@unknown.example", REASON_MAILBOX_UNKNOWN}, /* not an echo */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct classification c = ask(world, cases[i].reply, cases[i].rcpt, NULL, 0);
        if (c.reason != cases[i].reason) {
            fail_msg("%s: %s by %s", cases[i].reply, reply_reason_name(c.reason), c.rule);
        }
    }
}

static void our_own_name_in_a_refusal_is_about_us(void **state)
{
    const struct world *world = *state;
    const struct slice own[] = {SLICE_LITERAL("203.0.113.5"),
                                SLICE_LITERAL("Probe.Sender.example")};
    static const struct {
        const char *reply;
        enum reply_scope scope;
        const char *rule; /* NULL: not looked at */
    } cases[] = {
        {"550 5.1.1 refused 203.0.113.5", SCOPE_US, NULL},
        {"550 refused [203.0.113.5]", SCOPE_US, "own-words"},
        {"554 probe.sender.EXAMPLE refused", SCOPE_US, "own-words"},
        {"550 refused [203.0.113.51]", SCOPE_UNKNOWN, "code:550"},
        {"550 refused xprobe.sender.example", SCOPE_UNKNOWN, "code:550"},
        {"550 user unknown (203.0.113.5)", SCOPE_MAILBOX, NULL}, /* the text is stronger */
        {"250 fine, 203.0.113.5", SCOPE_MAILBOX, "code:250"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct classification c = ask(world, cases[i].reply, "", own, 2);
        if (c.scope != cases[i].scope ||
            (cases[i].rule != NULL && strcmp(c.rule, cases[i].rule) != 0)) {
            fail_msg("%s: %s by %s", cases[i].reply, reply_scope_name(c.scope), c.rule);
        }
    }
}

static void a_named_delay_is_read(void **state)
{
    const struct world *world = *state;
    static const struct {
        const char *reply;
        uint32_t seconds;
    } cases[] = {
        {"451 4.7.1 Greylisting in action, please come back in 00:05:00", 300},
        {"451 Greylisted for 5 minutes", 300},
        {"450 4.2.0 Greylisted for 300 seconds", 300},
        {"450 4.2.0 greylisted, try again in 60s", 60},
        {"450 greylisted: retry after 1 hour", 3600},
        {"450 greylisted: wait 10 min.", 600},
        {"450 Greylisted, bitte in 10 Minuten erneut versuchen", 600},
        {"450 liste grise: réessayez dans 2 heures", 7200},
        {"450 greylisted, 5分後", 300},
        {"450 greylisted, подождите 15 минут", 900},
        {"450 greylisted: come back in 100 days", 86400},
        {"450 4.7.1 Greylisted", 0},
        {"450 greylisted by 192.0.2.1 at 10:15:00", 0},
        {"421 4.7.0 Rate limit: more than 100 messages per 60 minutes", 0},
        {"550 5.1.1 User unknown for 5 minutes", 0},
        {"421 too many errors in the last 10 minutes, wait 1 hour", 3600},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct classification c = ask(world, cases[i].reply, "", NULL, 0);
        if (c.retry_after_s != cases[i].seconds) {
            fail_msg("%s: %u seconds by %s", cases[i].reply, c.retry_after_s, c.rule);
        }
    }
}

/* Before RCPT nothing may be said of a mailbox, whatever the words. */
static void no_early_stage_speaks_of_a_mailbox(void **state)
{
    const struct world *world = *state;
    for (size_t i = 0; i < rules_example_count(world->rules); i++) {
        struct rules_example example = rules_example_at(world->rules, i);
        char scratch[SCRATCH_BYTES];
        struct hel_reply reply;
        assert_int_equal(hel_reply_parse(example.reply, scratch, sizeof scratch, &reply), ERR_NONE);
        for (enum hel_smtp_stage s = HEL_SMTP_CONNECT; s < HEL_SMTP_RCPT; s++) {
            const struct classify_question question = {
                .stage = s, .provider = example.provider, .reply = &reply};
            struct classification c = rules_classify(world->rules, &question);
            assert_int_not_equal(c.scope, SCOPE_MAILBOX);
            if (c.scope == SCOPE_DOMAIN && s != HEL_SMTP_CONNECT && s != HEL_SMTP_BANNER) {
                fail_msg("%s at %s: %s", c.rule, hel_smtp_stage_name(s), example.rule);
            }
        }
    }
}

static void odd_replies_are_bounded(void **state)
{
    const struct world *world = *state;
    char text[4000];
    memset(text, 'a', sizeof text);
    for (unsigned code = 0; code < 1000; code += 37) {
        for (size_t len = 0; len <= sizeof text; len += 1000) {
            struct hel_reply reply = {.code = (uint16_t)code, .text = {text, len}};
            const struct classify_question question = {
                .stage = HEL_SMTP_RCPT, .provider = SLICE_NONE, .reply = &reply};
            assert_non_null(rules_classify(world->rules, &question).rule);
        }
    }
    memset(text, '@', sizeof text);
    struct hel_reply reply = {.code = 550, .text = {text, sizeof text}};
    const struct classify_question question = {
        .stage = HEL_SMTP_RCPT, .provider = SLICE_NONE, .reply = &reply, .rcpt = SLICE("@@@.@")};
    assert_non_null(rules_classify(world->rules, &question).rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_memo_changes_no_answer),
        cmocka_unit_test(a_memo_forgets_nobody_who_is_named),
        cmocka_unit_test(each_rule_decides_its_examples),
        cmocka_unit_test(stored_replies_are_understood),
        cmocka_unit_test(an_echoed_recipient_never_decides),
        cmocka_unit_test(our_own_name_in_a_refusal_is_about_us),
        cmocka_unit_test(a_named_delay_is_read),
        cmocka_unit_test(no_early_stage_speaks_of_a_mailbox),
        cmocka_unit_test(odd_replies_are_bounded),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
