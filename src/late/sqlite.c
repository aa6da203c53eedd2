/* late/sqlite: SQLite: what is asked without a store does without it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>

#include "late/late.h"

/* clang-format off */
#define FUNCTIONS(gives, does) \
    gives(int, sqlite3_backup_finish, (sqlite3_backup *backup), (backup)) \
    gives(sqlite3_backup *, sqlite3_backup_init, \
          (sqlite3 *to, const char *to_name, sqlite3 *from, const char *from_name), (to, to_name, from, from_name)) \
    gives(int, sqlite3_backup_step, (sqlite3_backup *backup, int pages), (backup, pages)) \
    gives(int, sqlite3_bind_blob, (sqlite3_stmt *statement, int place, const void *at, int len, void (*done)(void *)), \
          (statement, place, at, len, done)) \
    gives(int, sqlite3_bind_double, (sqlite3_stmt *statement, int place, double value), (statement, place, value)) \
    gives(int, sqlite3_bind_int, (sqlite3_stmt *statement, int place, int value), (statement, place, value)) \
    gives(int, sqlite3_bind_int64, (sqlite3_stmt *statement, int place, sqlite3_int64 value), \
          (statement, place, value)) \
    gives(int, sqlite3_bind_parameter_count, (sqlite3_stmt *statement), (statement)) \
    gives(int, sqlite3_bind_text, (sqlite3_stmt *statement, int place, const char *at, int len, void (*done)(void *)), \
          (statement, place, at, len, done)) \
    gives(int, sqlite3_busy_timeout, (sqlite3 *db, int ms), (db, ms)) \
    gives(int, sqlite3_changes, (sqlite3 *db), (db)) \
    gives(int, sqlite3_clear_bindings, (sqlite3_stmt *statement), (statement)) \
    gives(int, sqlite3_close, (sqlite3 *db), (db)) \
    gives(const void *, sqlite3_column_blob, (sqlite3_stmt *statement, int place), (statement, place)) \
    gives(int, sqlite3_column_bytes, (sqlite3_stmt *statement, int place), (statement, place)) \
    gives(double, sqlite3_column_double, (sqlite3_stmt *statement, int place), (statement, place)) \
    gives(int, sqlite3_column_int, (sqlite3_stmt *statement, int place), (statement, place)) \
    gives(sqlite3_int64, sqlite3_column_int64, (sqlite3_stmt *statement, int place), (statement, place)) \
    gives(const unsigned char *, sqlite3_column_text, (sqlite3_stmt *statement, int place), (statement, place)) \
    gives(int, sqlite3_column_type, (sqlite3_stmt *statement, int place), (statement, place)) \
    gives(int, sqlite3_create_function, \
          (sqlite3 *db, const char *name, int arguments, int text, void *context, \
           void (*call)(sqlite3_context *, int, sqlite3_value **), \
           void (*step)(sqlite3_context *, int, sqlite3_value **), void (*final)(sqlite3_context *)), \
          (db, name, arguments, text, context, call, step, final)) \
    gives(int, sqlite3_errcode, (sqlite3 *db), (db)) \
    gives(const char *, sqlite3_errmsg, (sqlite3 *db), (db)) \
    gives(int, sqlite3_exec, \
          (sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *context, char **error), \
          (db, sql, row, context, error)) \
    gives(int, sqlite3_extended_result_codes, (sqlite3 *db, int is_on), (db, is_on)) \
    gives(int, sqlite3_finalize, (sqlite3_stmt *statement), (statement)) \
    gives(int, sqlite3_get_autocommit, (sqlite3 *db), (db)) \
    gives(int, sqlite3_initialize, (void), ()) \
    gives(sqlite3_int64, sqlite3_last_insert_rowid, (sqlite3 *db), (db)) \
    gives(int, sqlite3_open_v2, (const char *path, sqlite3 **out, int flags, const char *system), \
          (path, out, flags, system)) \
    gives(int, sqlite3_prepare_v2, (sqlite3 *db, const char *sql, int len, sqlite3_stmt **out, const char **rest), \
          (db, sql, len, out, rest)) \
    gives(int, sqlite3_prepare_v3, \
          (sqlite3 *db, const char *sql, int len, unsigned flags, sqlite3_stmt **out, const char **rest), \
          (db, sql, len, flags, out, rest)) \
    gives(int, sqlite3_reset, (sqlite3_stmt *statement), (statement)) \
    does(void, sqlite3_result_int64, (sqlite3_context *context, sqlite3_int64 value), (context, value)) \
    does(void, sqlite3_result_text, (sqlite3_context *context, const char *at, int len, void (*done)(void *)), \
         (context, at, len, done)) \
    gives(int, sqlite3_sleep, (int ms), (ms)) \
    gives(int, sqlite3_step, (sqlite3_stmt *statement), (statement)) \
    gives(int, sqlite3_total_changes, (sqlite3 *db), (db)) \
    gives(int, sqlite3_value_bytes, (sqlite3_value *value), (value)) \
    gives(const unsigned char *, sqlite3_value_text, (sqlite3_value *value), (value)) \
    gives(int, sqlite3_wal_checkpoint_v2, (sqlite3 *db, const char *name, int mode, int *log, int *copied), \
          (db, name, mode, log, copied))
/* clang-format on */

LATE_LIBRARY(FUNCTIONS, "libsqlite3-0", "libsqlite3.so.0")
