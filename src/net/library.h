/* net/library: functions of a shared library that is loaded when it is first wanted, not with the program: what a short run
 * does not need does not cost its start. Each such library has a table of its own, whose members have the functions' names
 * and the types that the library's header gives them:
 *
 *     #define FOO_FUNCTIONS(each) each(foo_open) each(foo_close)
 *     struct foo {
 *         FOO_FUNCTIONS(LIBRARY_MEMBER)
 *     };
 *     #define FOO_ROW(name) LIBRARY_ROW(foo, name)
 *     static const struct library_function functions[] = {FOO_FUNCTIONS(FOO_ROW)};
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LIBRARY_H
#define NET_LIBRARY_H

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct library_function {
    const char *name;
    size_t place; /* in the table */
};

struct library {
    const char *const *names; /* of the versions whose functions are the same, until a NULL */
    const char *package;      /* what a user is told to install: a name, and the least version */
    const struct library_function *functions;
    size_t count;
};

#define LIBRARY_MEMBER(name) \
    TYPE_OF(&(name)) name; /* NOLINT(bugprone-macro-parentheses): the name of a member */
#define LIBRARY_ROW(table, name) {#name, offsetof(struct table, name)},

/* Fills the table, or leaves it as it was; the library stays until the process ends. Again costs little. ERR_SYSTEM: it is
 * not installed, or lacks a function; *out_fault says which. */
enum err library_load(const struct library *library, void *table, struct fault *out_fault) MUST_USE;

#endif
