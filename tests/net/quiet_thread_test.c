/* SPDX-License-Identifier: Apache-2.0 */
#include "net/quiet_thread.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void *look_at_mask(void *context)
{
    (void)pthread_sigmask(SIG_BLOCK, NULL, context);
    return NULL;
}

static void it_takes_none_and_its_maker_does(void **state)
{
    (void)state;
    sigset_t before, after, theirs;
    pthread_t thread;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
    assert_int_equal(quiet_thread_start(&thread, look_at_mask, &theirs), ERR_NONE);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        assert_int_equal(sigismember(&theirs, signals[i]), 1);
        assert_int_equal(sigismember(&after, signals[i]), sigismember(&before, signals[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_takes_none_and_its_maker_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
