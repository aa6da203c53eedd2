/* SPDX-License-Identifier: Apache-2.0 */
#include "document/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"

enum {
    PIECE_BYTES = 16384,
    WATCH_MS = 100, /* how often is asked whether to go on */
    NOT_FOUND = 127,
    FILES_MAX = 64,
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void limit(int what, uint64_t value)
{
    const struct rlimit both = {.rlim_cur = value, .rlim_max = value};
    (void)setrlimit((__rlimit_resource_t)what,
                    &both); /* a lower one that holds already is as good */
}

/* In the child: nothing here allocates or takes a lock. */
static _Noreturn void become(const struct tool *tool, int out_fd)
{
    int nowhere = open("/dev/null", O_WRONLY);
    if (lseek(tool->in_fd, 0, SEEK_SET) != 0 || dup2(tool->in_fd, STDIN_FILENO) < 0 ||
        dup2(out_fd, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0) {
        _exit(NOT_FOUND);
    }
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);
    limit(RLIMIT_AS, tool->memory_bytes);
    limit(RLIMIT_CPU, tool->time_ms / 1000 + 1);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, FILES_MAX);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)execvp(tool->argv[0], tool->argv);
    _exit(NOT_FOUND);
}

struct run {
    const struct tool *tool;
    int fd;
    uint64_t end_ms, taken;
};

/* One wait, or one piece. *out_is_over: nothing more comes, *out_end says why. */
static enum err step(struct run *run, enum err (*take)(void *, struct slice), void *context,
                     bool *out_is_over, enum tool_end *out_end)
{
    const struct tool *tool = run->tool;
    struct pollfd wait = {.fd = run->fd, .events = POLLIN};
    *out_is_over = true;
    *out_end = TOOL_TOO_LONG;
    if (now_ms() >= run->end_ms) {
        return ERR_NONE;
    }
    if (tool->may_go_on != NULL && !tool->may_go_on(tool->context)) {
        return ERR_STATE;
    }
    int ready = poll(&wait, 1, WATCH_MS);
    *out_is_over = false;
    if (ready <= 0) {
        return ERR_NONE;
    }
    char piece[PIECE_BYTES];
    ssize_t got = read(run->fd, piece, sizeof piece);
    if (got < 0 && errno == EINTR) {
        return ERR_NONE;
    }
    *out_end = got == 0 ? TOOL_DONE : TOOL_FAILED;
    *out_is_over = got <= 0;
    if (got <= 0) {
        return ERR_NONE;
    }
    run->taken += (uint64_t)got;
    *out_is_over = run->taken > tool->output_bytes_max;
    *out_end = TOOL_TOO_MUCH;
    return *out_is_over ? ERR_NONE : take(context, slice_make(piece, (size_t)got));
}

static enum tool_end judge(int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND) {
        return TOOL_MISSING;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? TOOL_DONE : TOOL_FAILED;
}

enum err tool_run(const struct tool *tool, enum err (*take)(void *context, struct slice output),
                  void *context, struct tool_outcome *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return ERR_SYSTEM;
    }
    pid_t child = fork();
    if (child == 0) {
        become(tool, ends[1]);
    }
    (void)close(ends[1]);
    if (child < 0) {
        (void)close(ends[0]);
        return ERR_SYSTEM;
    }
    uint64_t begin_ms = now_ms();
    struct run run = {.tool = tool, .fd = ends[0], .end_ms = begin_ms + tool->time_ms};
    bool is_over = false;
    enum tool_end end = TOOL_FAILED;
    enum err e = ERR_NONE;
    while (!is_over && e == ERR_NONE) {
        e = step(&run, take, context, &is_over, &end);
    }
    (void)close(ends[0]);
    if (e != ERR_NONE || end != TOOL_DONE) {
        (void)kill(child, SIGKILL);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    out->end = end == TOOL_DONE ? judge(status) : end;
    out->took_ms = (uint32_t)(now_ms() - begin_ms);
    return e;
}
