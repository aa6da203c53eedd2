/* document/tool: what a program writes, and that it ends whatever it does.
 * SPDX-License-Identifier: Apache-2.0 */
#include "document/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "base/buf.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

enum { OUT_BYTES_MAX = 1 << 16, A_MINUTE_MS = 60000, MEMORY_BYTES = 1 << 30 };

struct play {
    struct buf out;
    enum err take_err;
    bool is_stopped;
};

static enum err take(void *context, struct slice output)
{
    struct play *play = context;
    must(buf_append(&play->out, output) == ERR_NONE);
    return play->take_err;
}

static bool may_go_on(void *context)
{
    return !((struct play *)context)->is_stopped;
}

/* What a shell does with script, its standard input being text. */
static enum err run(const char *script, struct tool tool, struct play *play,
                    struct tool_outcome *out)
{
    char words[3][256] = {"sh", "-c", ""};
    char *const argv[] = {words[0], words[1], words[2], NULL};
    FILE *in = tmpfile();
    must(in != NULL && strlen(script) < sizeof words[2]);
    must(fputs("some text\n", in) >= 0 && fflush(in) == 0);
    memcpy(words[2], script, strlen(script) + 1);
    tool.argv = tool.argv != NULL ? tool.argv : argv;
    tool.in_fd = fileno(in);
    tool.memory_bytes = MEMORY_BYTES;
    tool.may_go_on = may_go_on;
    tool.context = play;
    buf_init(&play->out, OUT_BYTES_MAX);
    enum err e = tool_run(&tool, take, play, out);
    must(fclose(in) == 0);
    return e;
}

static void test_ends(void **state)
{
    (void)state;
    static const struct {
        const char *script, *out; /* NULL: any */
        uint32_t time_ms;
        uint64_t output_bytes_max;
        enum tool_end end;
    } cases[] = {
        {"cat; echo more", "some text\nmore\n", A_MINUTE_MS, 100, TOOL_DONE},
        {"true", "", A_MINUTE_MS, 100, TOOL_DONE},
        {"echo this >&2; cat <&2 2>/dev/null || echo nothing", "nothing\n", A_MINUTE_MS, 100,
         TOOL_DONE},
        {"echo x; exit 3", "x\n", A_MINUTE_MS, 100, TOOL_FAILED},
        {"kill -9 $$", "", A_MINUTE_MS, 100, TOOL_FAILED},
        {"exit 127", "", A_MINUTE_MS, 100, TOOL_MISSING},
        {"echo x; exec sleep 1000", "x\n", 300, 100, TOOL_TOO_LONG},
        {"while :; do :; done", "", 300, 100, TOOL_TOO_LONG},
        {"exec yes", NULL, A_MINUTE_MS, 1000, TOOL_TOO_MUCH},
        {"test $(ulimit -v) -le 1048576 && test $(ulimit -c) = 0 && test $(ulimit -n) -le 64", "",
         A_MINUTE_MS, 100, TOOL_DONE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct play play = {.take_err = ERR_NONE};
        const struct tool tool = {.time_ms = cases[i].time_ms,
                                  .output_bytes_max = cases[i].output_bytes_max};
        struct tool_outcome outcome = {.end = TOOL_FAILED};
        assert_int_equal(run(cases[i].script, tool, &play, &outcome), ERR_NONE);
        if (outcome.end != cases[i].end ||
            (cases[i].out != NULL && !slice_equal(buf_view(&play.out), slice_of(cases[i].out)))) {
            fail_msg("%s: %d %.*s", cases[i].script, (int)outcome.end,
                     SLICE_ARG(buf_view(&play.out)));
        }
        buf_done(&play.out);
    }
}

static void test_missing(void **state)
{
    (void)state;
    char name[] = "no-such-program-as-this";
    char *const argv[] = {name, NULL};
    struct play play = {.take_err = ERR_NONE};
    struct tool_outcome outcome = {.end = TOOL_DONE};
    const struct tool tool = {.argv = argv, .time_ms = A_MINUTE_MS, .output_bytes_max = 100};
    assert_int_equal(run("", tool, &play, &outcome), ERR_NONE);
    assert_int_equal(outcome.end, TOOL_MISSING);
    buf_done(&play.out);
}

/* Whoever stops it waits for no more than its killing. */
static void test_stopped(void **state)
{
    (void)state;
    struct play play = {.is_stopped = true};
    struct tool_outcome outcome;
    const struct tool tool = {.time_ms = A_MINUTE_MS, .output_bytes_max = 100};
    assert_int_equal(run("exec sleep 1000", tool, &play, &outcome), ERR_STATE);
    buf_done(&play.out);
    play = (struct play){.take_err = ERR_NOMEM};
    const struct tool talker = {.time_ms = A_MINUTE_MS, .output_bytes_max = 1 << 20};
    assert_int_equal(run("exec yes", talker, &play, &outcome), ERR_NOMEM);
    buf_done(&play.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
