/* Lines of standard input, and signals that come while it is looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"

enum {
    SIGNALS = 2000,
    SIGNAL_EVERY_US = 100,
    STUCK_SIGNALS = 1000, /* in a row without a look at the input: it waits */
};

/* A pipe as standard input; the end to write to. */
static int open_input(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(ends[0]), 0);
    return ends[1];
}

static void expect_line(struct input *input, const char *wanted)
{
    struct slice line;
    assert_int_equal(input_next(input, &line), INPUT_LINE);
    assert_true(slice_equal(line, slice_of(wanted)));
}

/* Whatever comes in one piece or byte by byte, the same lines come out; the last one needs no line end. */
static void lines_come_out_whole(void **state)
{
    (void)state;
    static const char text[] = "one\n\ntwo\nlast";
    for (size_t step = 1; step <= sizeof text - 1; step++) {
        static const char *const wanted[] = {"one", "", "two", "last"};
        struct input input = {0};
        struct slice line;
        size_t count = 0;
        int far = open_input();
        for (size_t at = 0; at < sizeof text - 1; at += step) {
            size_t len = sizeof text - 1 - at < step ? sizeof text - 1 - at : step;
            assert_int_equal(write(far, text + at, len), len);
            while (input_next(&input, &line) == INPUT_LINE) {
                assert_true(slice_equal(line, slice_of(wanted[count])));
                count++;
            }
        }
        assert_int_equal(count, 3);
        assert_int_equal(input_next(&input, &line), INPUT_NOT_YET);
        assert_int_equal(close(far), 0);
        expect_line(&input, wanted[3]);
        assert_int_equal(input_next(&input, &line), INPUT_END);
        input_done(&input);
    }
}

static volatile sig_atomic_t signals, idle_signals, has_stuck;
static volatile int far_end;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    signals++;
    idle_signals++;
    if (idle_signals == STUCK_SIGNALS) {
        has_stuck = 1;
        if (write(far_end, "\n", 1) != 1) { /* wakes it, so that the test ends */
            _exit(1);
        }
    }
}

/* poll fails when a signal comes, and a read after it would wait for input while nobody acts on the signal. The
 * handler is installed as libuv installs its own. */
static void signals_do_not_make_it_wait(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    const struct itimerval often = {{0, SIGNAL_EVERY_US}, {0, SIGNAL_EVERY_US}};
    const struct itimerval never = {0};
    struct input input = {0};
    struct slice line;
    far_end = open_input();
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    enum input_result result = INPUT_NOT_YET;
    while (signals < SIGNALS && result == INPUT_NOT_YET) {
        result = input_next(&input, &line);
        idle_signals = 0;
    }
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(has_stuck, 0);
    assert_int_equal(result, INPUT_NOT_YET);
    assert_int_equal(close(far_end), 0);
    assert_int_equal(input_next(&input, &line), INPUT_END);
    input_done(&input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_out_whole),
        cmocka_unit_test(signals_do_not_make_it_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
