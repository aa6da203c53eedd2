/* SPDX-License-Identifier: Apache-2.0 */
#include "store/job_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/slice.h"
#include "store/store_private.h"

enum {
    TEXT_BYTES = 512, /* of the file that are read: its holder, and more wishes than anybody has */
    LOOK_TRIES = 20,
    LOOK_STEP_MS = 5,
};

static const struct slice wish_words[] = {
    [STORE_WISH_PAUSE] = SLICE_LITERAL("pause"),
    [STORE_WISH_CANCEL] = SLICE_LITERAL("cancel"),
};

static bool is_in_memory(const struct store *store)
{
    return strcmp(store->path, ":memory:") == 0;
}

static void lock_path(const struct store *store, int64_t job, char out[JOB_LOCK_PATH_BYTES])
{
    (void)snprintf(out, JOB_LOCK_PATH_BYTES, "%s.job-%lld.lock", store->path, (long long)job);
}

static size_t read_text(int fd, char out[TEXT_BYTES])
{
    ssize_t len = pread(fd, out, TEXT_BYTES, 0);
    return len > 0 ? (size_t)len : 0;
}

/* "PID MILLISECONDS" in the first line. */
static void read_holder(int fd, struct store_job_holder *out)
{
    char text[TEXT_BYTES];
    uint64_t pid = 0;
    uint64_t since_ms = 0;
    struct reader r = reader_over(slice_make(text, read_text(fd, text)));
    bool is_known = reader_number(&r, INT32_MAX, &pid) && reader_literal(&r, SLICE(" ")) &&
                    reader_number(&r, INT64_MAX, &since_ms);
    *out = (struct store_job_holder){.pid = is_known ? (long)pid : 0,
                                     .since_ms = is_known ? (int64_t)since_ms : 0};
}

static enum err say_held(int fd, struct fault *out_fault)
{
    struct store_job_holder holder;
    char since[32] = "?";
    struct tm parts;
    read_holder(fd, &holder);
    time_t seconds = (time_t)(holder.since_ms / 1000);
    if (gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S UTC", &parts);
    }
    return fault_set(out_fault, ERR_STATE, 0,
                     "another process (%ld, since %s) runs this job already; wait for it, or stop "
                     "it with 'heloise jobs pause'",
                     holder.pid, since);
}

/* Somebody who only looks holds it for a moment. */
static bool lock_patiently(int fd)
{
    bool is_locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    for (int i = 0; i < LOOK_TRIES && !is_locked; i++) {
        (void)sqlite3_sleep(LOOK_STEP_MS);
        is_locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    }
    return is_locked;
}

enum err job_lock_take(const struct store *store, int64_t job, int64_t now_ms, struct job_lock *out,
                       struct fault *out_fault)
{
    *out = (struct job_lock){.fd = -1};
    if (is_in_memory(store)) {
        return ERR_NONE;
    }
    lock_path(store, job, out->path);
    int fd = open(out->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "cannot open %.180s", out->path);
    }
    if (!lock_patiently(fd)) {
        enum err e = say_held(fd, out_fault);
        (void)close(fd);
        return e;
    }
    char text[64];
    int len = snprintf(text, sizeof text, "%ld %lld\n", (long)getpid(), (long long)now_ms);
    if (ftruncate(fd, 0) != 0 || write(fd, text, (size_t)len) != len) {
        enum err e =
            fault_set(out_fault, ERR_SYSTEM, errno,
                      "cannot write %.150s; make room and run the same command again", out->path);
        (void)close(fd);
        return e;
    }
    out->fd = fd;
    return ERR_NONE;
}

bool job_lock_is_there(const struct job_lock *lock)
{
    struct stat about;
    return lock->fd < 0 || (fstat(lock->fd, &about) == 0 && about.st_nlink > 0);
}

void job_lock_release(struct job_lock *lock)
{
    if (lock->fd >= 0) {
        (void)close(lock->fd);
        lock->fd = -1;
    }
}

void job_lock_remove(struct job_lock *lock)
{
    if (lock->fd >= 0) {
        (void)unlink(lock->path);
    }
    job_lock_release(lock);
}

enum store_job_wish job_lock_wish(const struct job_lock *lock)
{
    char text[TEXT_BYTES];
    enum store_job_wish wish = STORE_WISH_NONE;
    if (lock->fd < 0) {
        return wish;
    }
    struct slice rest = slice_make(text, read_text(lock->fd, text));
    while (rest.at != NULL) {
        struct slice line = slice_cut(&rest, '\n');
        if (slice_equal(line, wish_words[STORE_WISH_CANCEL])) {
            return STORE_WISH_CANCEL;
        }
        wish = slice_equal(line, wish_words[STORE_WISH_PAUSE]) ? STORE_WISH_PAUSE : wish;
    }
    return wish;
}

/* A descriptor where another process holds the lock, else -1. */
static int open_held(const struct store *store, int64_t job)
{
    char path[JOB_LOCK_PATH_BYTES];
    if (is_in_memory(store)) {
        return -1;
    }
    lock_path(store, job, path);
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

bool job_lock_holder(const struct store *store, int64_t job, struct store_job_holder *out)
{
    int fd = open_held(store, job);
    if (fd < 0) {
        return false;
    }
    read_holder(fd, out);
    (void)close(fd);
    return true;
}

enum err job_lock_ask(const struct store *store, int64_t job, enum store_job_wish wish,
                      struct fault *out_fault)
{
    int fd = open_held(store, job);
    if (fd < 0) {
        return fault_set(out_fault, ERR_CLOSED, 0, "no process runs this job");
    }
    char line[32];
    int len = snprintf(line, sizeof line, "%.*s\n", SLICE_ARG(wish_words[wish]));
    bool is_written = write(fd, line, (size_t)len) == len;
    int os_errno = errno;
    (void)close(fd);
    return is_written ? ERR_NONE
                      : fault_set(out_fault, ERR_SYSTEM, os_errno,
                                  "cannot ask the process that runs it: its lock cannot be "
                                  "written; stop it with Ctrl-C or a termination signal");
}
