/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ticker.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TICKER_COLUMNS = 80 };

void ticker_init(struct ticker *ticker, bool is_wanted)
{
    *ticker = (struct ticker){.is_on = is_wanted && isatty(STDERR_FILENO) == 1};
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col
                                                                           : TICKER_COLUMNS;
}

void ticker_show(struct ticker *ticker, const char *text)
{
    if (ticker->is_on) {
        /* A full last column would wrap, and what has wrapped is not cleared. */
        (void)fprintf(stderr, "\r\033[K%.*s", columns() - 1, text);
        (void)fflush(stderr);
        ticker->has_line = true;
    }
}

void ticker_clear(struct ticker *ticker)
{
    if (ticker->has_line) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
        ticker->has_line = false;
    }
}
