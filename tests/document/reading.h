/* document/reading: bytes read as a document, and all that it tells as text, a line each:
 *     jane@example.com (a.zip/b.txt, line 3)
 *     ! a.zip/c.txt: damaged in its archive
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_READING_H
#define DOCUMENT_READING_H

#include "base/buf.h"
#include "document/document.h"

/* What a test says of the reading; zeros: all as usual. */
struct reading {
    bool wants_obfuscated, wants_hidden;
    struct document_limits limits;
    unsigned stops_at; /* the how manieth question whether to go on is answered with no; 0: none */
    enum err found_err;
};

/* Lists with com, org and de, before and after the tests of a program. 0. */
int reading_lists_open(void **state);
int reading_lists_close(void **state);
const struct address_lists *reading_lists(void);

/* Fed in pieces of first and then of step bytes; appends to *out. */
enum err reading_run(const struct reading *reading, struct slice input, size_t first, size_t step,
                     struct buf *out) MUST_USE;
/* The same of the file behind fd, with its descriptor given. */
enum err reading_run_file(const struct reading *reading, int fd, struct buf *out) MUST_USE;

/* How many ways of cutting input gave something else than expected; each is said. */
size_t reading_check(const char *name, const struct reading *reading, struct slice input,
                     const char *expected);
/* The same of large inputs: whole, byte by byte, and in pieces of a few odd sizes. */
size_t reading_check_large(const char *name, const struct reading *reading, struct slice input,
                           const char *expected);

struct reading_case {
    const char *name;
    struct slice input;
    const char *expected;
    struct reading reading;
};

/* Fails the test where a case is wrong. */
void reading_check_all(const struct reading_case *cases, size_t count);

#endif
