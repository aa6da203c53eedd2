/* late/late: libraries that the program loads when it first calls them, not when it starts: to load one costs a run that
 * does not need it about as much as everything else that it does before its first question.
 *
 * A file for each library has functions with its functions' names, which load it and hand on. Who calls them does not know:
 * modules, and their tests, are written and built against the library itself, and only the program `heloise` is linked with
 * these instead (but for a static one, which loads nothing). A file lists what the program calls, what gives a value by
 * gives, the others by does:
 *
 *     #define FUNCTIONS(gives, does) \
 *         gives(int, foo_open, (const char *path, struct foo **out), (path, out)) \
 *         does(void, foo_close, (struct foo *foo), (foo))
 *     LATE_LIBRARY(FUNCTIONS, "libfoo", "libfoo.so.1")
 *
 * A program that lacks one of its libraries does not start. This one ends where it first needs it, with the same number.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LATE_LATE_H
#define LATE_LATE_H

#include <pthread.h>

#include "net/library.h"

enum { LATE_EXIT_MISSING = 127 }; /* ld.so's */

/* Fills the table, or says on standard error what to install and ends the process. */
void late_load(const struct library *library, void *table);

/* NOLINTBEGIN(bugprone-macro-parentheses): types, names and lists */
#define LATE_MEMBER(type, name, parameters, arguments) LIBRARY_MEMBER(name)
#define LATE_ROW(type, name, parameters, arguments)    LIBRARY_ROW(table, name)
#define LATE_GIVES(type, name, parameters, arguments) \
    type name parameters                              \
    {                                                 \
        return loaded()->name arguments;              \
    }
#define LATE_DOES(type, name, parameters, arguments) \
    type name parameters                             \
    {                                                \
        loaded()->name arguments;                    \
    }

/* After the package come the names of the versions whose functions are the same. */
#define LATE_TABLE(functions, package, ...)                                                  \
    struct table {                                                                           \
        functions(LATE_MEMBER, LATE_MEMBER)                                                  \
    };                                                                                       \
    static struct table table;                                                               \
    static void load(void)                                                                   \
    {                                                                                        \
        static const char *const names[] = {__VA_ARGS__, NULL};                              \
        static const struct library_function rows[] = {functions(LATE_ROW, LATE_ROW)};       \
        const struct library library = {names, package, rows, sizeof rows / sizeof rows[0]}; \
        late_load(&library, &table);                                                         \
    }                                                                                        \
    static const struct table *loaded(void)                                                  \
    {                                                                                        \
        static pthread_once_t once = PTHREAD_ONCE_INIT;                                      \
        (void)pthread_once(&once, load);                                                     \
        return &table;                                                                       \
    }
#define LATE_LIBRARY(functions, package, ...)   \
    LATE_TABLE(functions, package, __VA_ARGS__) \
    functions(LATE_GIVES, LATE_DOES)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
