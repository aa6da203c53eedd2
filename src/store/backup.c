/* store/backup: copies by SQLite's backup interface, whose source stays usable and whose destination changes in one
 * transaction.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/slice.h"
#include "store/store_private.h"

enum {
    IN_USE_MS = 2000, /* so long a store that somebody is leaving is waited for */
    COMPLAINT_BYTES = 120,
};

/* Files. */

static enum err say_system(struct fault *out_fault, const char *doing, const char *path)
{
    return fault_set(out_fault, ERR_SYSTEM, errno, "cannot %s %.300s", doing, path);
}

/* What was done in the folder of the file is on the disk. */
static enum err sync_folder(const char *path, struct fault *out_fault)
{
    char folder[STORE_ASIDE_BYTES];
    size_t len = slice_find_last_byte(slice_of(path), '/');
    bool has_folder = path[len] == '/';
    (void)snprintf(folder, sizeof folder, "%.*s", has_folder && len > 0 ? (int)len : 1,
                   has_folder ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_synced ? ERR_NONE : say_system(out_fault, "write to the folder of", path);
}

static enum err sync_file(const char *path, struct fault *out_fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_synced ? ERR_NONE : say_system(out_fault, "write", path);
}

static enum err say_exists(struct fault *out_fault, const char *path)
{
    return fault_set(out_fault, ERR_STATE, 0, "%.300s is there already", path);
}

/* From its first name to its last, which nobody else has taken meanwhile. */
static enum err name_file(const char *from, const char *to, bool overwrites,
                          struct fault *out_fault)
{
    int result = renameat2(AT_FDCWD, from, AT_FDCWD, to, overwrites ? 0 : RENAME_NOREPLACE);
    if (result != 0 && !overwrites && errno == EINVAL) { /* a file system that cannot promise it */
        result = rename(from, to);
    }
    if (result != 0) {
        return errno == EEXIST ? say_exists(out_fault, to) : say_system(out_fault, "write", to);
    }
    return sync_folder(to, out_fault);
}

/* Copies. */

/* All of it as it is at one moment. */
static enum err copy_pages(struct store *from, struct store *to, struct fault *out_fault)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->db, "main", from->db, "main");
    if (backup == NULL) {
        return store_fail(to, out_fault, "cannot be written");
    }
    int result = sqlite3_backup_step(backup, -1);
    (void)sqlite3_backup_finish(backup);
    return result == SQLITE_DONE ? ERR_NONE : store_fail(to, out_fault, "cannot be written");
}

/* Into a new file that nobody reads before it is complete: no journal, and one sync at its end. Without a log of its
 * own, it is one file wherever it is carried. */
static enum err fill_new(struct store *from, struct store *to, struct fault *out_fault)
{
    enum err e = store_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", out_fault);
    e = e != ERR_NONE ? e : copy_pages(from, to, out_fault);
    return e != ERR_NONE ? e : store_exec(to, "PRAGMA journal_mode=DELETE", out_fault);
}

static enum err write_new(struct store *from, const char *path, struct fault *out_fault)
{
    struct store *to = NULL;
    enum err e = store_open_plain(path, SQLITE_OPEN_READWRITE, &to, out_fault);
    e = e != ERR_NONE ? e : fill_new(from, to, out_fault);
    store_close(to);
    return e != ERR_NONE ? e : sync_file(path, out_fault);
}

/* A whole copy under that name, or none. */
static enum err copy_to_file(struct store *from, const char *path, bool overwrites,
                             struct fault *out_fault)
{
    char partial[STORE_ASIDE_BYTES];
    if ((size_t)snprintf(partial, sizeof partial, "%s.XXXXXX", path) >= sizeof partial) {
        return fault_set(out_fault, ERR_LIMIT, 0, "the path is too long");
    }
    int fd = mkostemp(partial, O_CLOEXEC);
    if (fd < 0) {
        return say_system(out_fault, "write", path);
    }
    (void)close(fd);
    enum err e = write_new(from, partial, out_fault);
    e = e != ERR_NONE ? e : name_file(partial, path, overwrites, out_fault);
    if (e != ERR_NONE) {
        (void)unlink(partial);
    }
    return e;
}

/* Sources. */

/* The first thing that is wrong with it. */
struct first {
    char text[COMPLAINT_BYTES];
    size_t count;
};

static void keep_first(void *context, struct slice text)
{
    struct first *first = context;
    if (first->count++ == 0) {
        (void)snprintf(first->text, sizeof first->text, "%.*s", SLICE_ARG(text));
    }
}

static enum err look_through(struct store *store, store_complaint_fn fn, void *context,
                             struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(store->db, "PRAGMA integrity_check(100)", -1, &statement, NULL);
    while (result == SQLITE_OK || result == SQLITE_ROW) {
        result = sqlite3_step(statement);
        if (result == SQLITE_ROW && !slice_equal(store_column(statement, 0), SLICE("ok"))) {
            fn(context, store_column(statement, 0));
        }
    }
    enum err e = ERR_NONE;
    if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB) {
        fn(context, slice_of(sqlite3_errmsg(store->db)));
    } else if (result != SQLITE_DONE) {
        e = store_fail(store, out_fault, "cannot be read");
    }
    sqlite3_finalize(statement);
    return e;
}

/* A store of ours that may be read, of any schema up to this one's. */
static enum err open_source(const char *path, struct store **out, int *out_schema,
                            struct fault *out_fault)
{
    struct store *store = NULL;
    if (access(path, R_OK) != 0) {
        (void)say_system(out_fault, "read", path);
        return ERR_CLOSED;
    }
    enum err e = store_open_to_read(path, &store, out_fault);
    e = e != ERR_NONE ? e : store_schema_check(store, out_schema, out_fault);
    if (e == ERR_NONE && *out_schema == 0) {
        e = fault_set(out_fault, ERR_CLOSED, 0, "%.300s is empty, and no store", path);
    }
    if (e != ERR_NONE) {
        store_close(store);
        return e == ERR_NOMEM ? e : ERR_CLOSED;
    }
    *out = store;
    return ERR_NONE;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

static bool is_there(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

enum err store_backup(const char *from, const char *to, bool overwrites, struct fault *out_fault)
{
    struct store *source = NULL;
    int schema = 0;
    if (is_same_file(from, to)) {
        return fault_set(out_fault, ERR_STATE, 0, "%.300s is the store itself", to);
    }
    if (!overwrites && is_there(to)) {
        return say_exists(out_fault, to);
    }
    enum err e = open_source(from, &source, &schema, out_fault);
    if (e == ERR_NONE) {
        e = copy_to_file(source, to, overwrites, out_fault);
        store_close(source);
    }
    return e;
}

/* Restoring. */

static void name_aside(const char *path, int64_t now_ms, char out[STORE_ASIDE_BYTES])
{
    struct date at = date_of_unix(now_ms / 1000);
    (void)snprintf(out, STORE_ASIDE_BYTES, "%.4000s.before-%04d%02d%02d-%02d%02d%02d", path,
                   at.year, at.month, at.day, at.hour, at.minute, at.second);
}

/* What belongs to a file that is put aside, or to one that is gone: it must never be taken for the new one's. */
static enum err move_companion(const char *path, const char *aside, const char *ending,
                               struct fault *out_fault)
{
    char from[STORE_ASIDE_BYTES + 16];
    char to[STORE_ASIDE_BYTES + 16];
    (void)snprintf(from, sizeof from, "%s%s", path, ending);
    (void)snprintf(to, sizeof to, "%s%s", aside, ending);
    return rename(from, to) == 0 || errno == ENOENT ? ERR_NONE
                                                    : say_system(out_fault, "move", from);
}

/* Where there is none, or one that SQLite cannot use: a new file takes its name. */
static enum err replace_file(struct store *source, const char *to, const char *aside,
                             bool keeps_aside, struct fault *out_fault)
{
    if (keeps_aside && link(to, aside) != 0) {
        return say_system(out_fault, "write", aside);
    }
    enum err e = move_companion(to, aside, "-wal", out_fault);
    e = e != ERR_NONE ? e : move_companion(to, aside, "-journal", out_fault);
    return e != ERR_NONE ? e : copy_to_file(source, to, true, out_fault);
}

/* Nobody else has it open, and nobody can open it until it is closed. */
static enum err hold_alone(struct store *store, struct fault *out_fault)
{
    (void)sqlite3_busy_timeout(store->db, IN_USE_MS);
    if (sqlite3_exec(store->db, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT", NULL,
                     NULL, NULL) == SQLITE_OK) {
        return ERR_NONE;
    }
    if (sqlite3_errcode(store->db) == SQLITE_BUSY) {
        return fault_set(out_fault, ERR_STATE, 0,
                         "somebody uses the store %.300s; stop the service and all runs first",
                         store->path);
    }
    return store_fail(store, out_fault, "cannot be used");
}

/* In place, in one transaction with a journal: so nobody who opens the file meanwhile is left with the old one. */
static enum err overwrite(struct store *source, struct store *target, const char *aside,
                          struct fault *out_fault)
{
    int schema = 0;
    enum err e = hold_alone(target, out_fault);
    e = e != ERR_NONE ? e : store_schema_check(target, &schema, out_fault);
    e = e != ERR_NONE ? e : copy_to_file(target, aside, false, out_fault);
    e = e != ERR_NONE
            ? e
            : store_exec(target, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL", out_fault);
    return e != ERR_NONE ? e : copy_pages(source, target, out_fault);
}

static bool is_broken(const struct store *store)
{
    int code = sqlite3_errcode(store->db);
    return code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
}

static enum err restore_over(struct store *source, const char *to, const char *aside,
                             struct fault *out_fault)
{
    struct store *target = NULL;
    enum err e = store_open_plain(to, SQLITE_OPEN_READWRITE, &target, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = overwrite(source, target, aside, out_fault);
    bool is_beyond_use = e == ERR_STORE && is_broken(target);
    store_close(target);
    return is_beyond_use ? replace_file(source, to, aside, !is_there(aside), out_fault) : e;
}

static enum err check_source(struct store *source, const char *path, struct fault *out_fault)
{
    struct first first = {.count = 0};
    enum err e = look_through(source, keep_first, &first, out_fault);
    if (e == ERR_NONE && first.count > 0) {
        return fault_set(out_fault, ERR_CLOSED, 0, "the backup %.250s is damaged: %s", path,
                         first.text);
    }
    return e == ERR_NONE || e == ERR_NOMEM ? e : ERR_CLOSED;
}

enum err store_restore(const char *from, const char *to, int64_t now_ms,
                       char out_aside[STORE_ASIDE_BYTES], struct fault *out_fault)
{
    char aside[STORE_ASIDE_BYTES];
    struct store *source = NULL;
    int schema = 0;
    if (is_same_file(from, to)) {
        return fault_set(out_fault, ERR_STATE, 0, "%.300s is the store itself", from);
    }
    enum err e = open_source(from, &source, &schema, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    /* One moment of it is checked and copied. */
    e = store_exec(source, "BEGIN", out_fault);
    e = e != ERR_NONE ? e : check_source(source, from, out_fault);
    name_aside(to, now_ms, aside);
    bool has_old = is_there(to);
    if (e == ERR_NONE) {
        e = has_old ? restore_over(source, to, aside, out_fault)
                    : replace_file(source, to, aside, false, out_fault);
    }
    store_close(source);
    if (e == ERR_NONE) {
        (void)snprintf(out_aside, STORE_ASIDE_BYTES, "%s", has_old ? aside : "");
    }
    return e;
}

/* What a store says of itself. */

enum err store_check(const char *path, store_complaint_fn fn, void *context,
                     struct fault *out_fault)
{
    struct store *store = NULL;
    int schema = 0;
    enum err e = open_source(path, &store, &schema, out_fault);
    if (e == ERR_NONE) {
        e = look_through(store, fn, context, out_fault);
        store_close(store);
    }
    return e;
}

static enum err read_counts(struct store *store, struct store_info *out, struct fault *out_fault)
{
    static const char sql[] =
        "SELECT (SELECT count(*) FROM verdict), (SELECT count(*) FROM fact),"
        " (SELECT count(*) FROM domain), (SELECT count(*) FROM job),"
        " (SELECT count(*) FROM api_key), (SELECT at FROM fact ORDER BY id LIMIT 1),"
        " (SELECT freelist_count FROM pragma_freelist_count)*"
        "(SELECT page_size FROM pragma_page_size)";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return store_fail(store, out_fault, "cannot be read");
    }
    out->verdicts = (uint64_t)sqlite3_column_int64(statement, 0);
    out->facts = (uint64_t)sqlite3_column_int64(statement, 1);
    out->domains = (uint64_t)sqlite3_column_int64(statement, 2);
    out->jobs = (uint64_t)sqlite3_column_int64(statement, 3);
    out->keys = (uint64_t)sqlite3_column_int64(statement, 4);
    out->oldest_fact_ms = sqlite3_column_int64(statement, 5);
    out->free_bytes = (uint64_t)sqlite3_column_int64(statement, 6);
    sqlite3_finalize(statement);
    return ERR_NONE;
}

static uint64_t bytes_of(const char *path, const char *ending)
{
    char name[STORE_ASIDE_BYTES + 16];
    struct stat about;
    (void)snprintf(name, sizeof name, "%s%s", path, ending);
    return stat(name, &about) == 0 ? (uint64_t)about.st_size : 0;
}

enum err store_info(const char *path, struct store_info *out, struct fault *out_fault)
{
    struct store *store = NULL;
    struct store_info info = {.schema = 0};
    enum err e = open_source(path, &store, &info.schema, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    info.file_bytes = bytes_of(path, "");
    info.log_bytes = bytes_of(path, "-wal");
    if (info.schema < STORE_SCHEMA_VERSION) {
        e = fault_set(out_fault, ERR_CLOSED, 0,
                      "store %.300s has the older schema %d; the next run brings it up to date",
                      path, info.schema);
    }
    e = e != ERR_NONE ? e : read_counts(store, &info, out_fault);
    store_close(store);
    if (e == ERR_NONE) {
        *out = info;
    }
    return e == ERR_NONE || e == ERR_NOMEM ? e : ERR_CLOSED;
}
