/* tests/providers/load: the shipped data, and small sources given as text.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PROVIDERS_LOAD_H
#define TESTS_PROVIDERS_LOAD_H

#include "providers/classify.h"
#include "providers/provider.h"

/* A file's content, for free(); the test fails where it cannot be read. */
char *load_file(const char *path);

/* The shipped files; the test fails with the fault's text where they are in error. */
struct provider_book *load_providers(void);
struct rules *load_rules(const struct provider_book *book);

/* Compiles texts under the names "test", and "own" for what goes over it; with every fault in report (may be
 * NULL). over may be NULL. */
enum err compile_books(const char *text, const char *over, struct buf *report,
                       struct provider_book **out, struct fault *fault);
/* Compiles one text under the name "test". */
enum err compile_book(const char *text, struct provider_book **out, struct fault *fault);
enum err compile_rules(const char *text, const struct provider_book *book, struct rules **out,
                       struct fault *fault);

#endif
