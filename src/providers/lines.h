/* providers/lines: the common ground of the files under data/: one statement a line, made of words.
 * A word is bare, "quoted" (with \" \\ and \n inside) or, in files that have them, a /pattern/; `#` where a
 * word could start begins a comment. Every complaint names file and line.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_LINES_H
#define PROVIDERS_LINES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/reader.h"

enum {
    LINE_BYTES_MAX = 4096,
    LINE_WORDS_MAX = 64,
};

enum word_kind { WORD_BARE, WORD_QUOTED, WORD_PATTERN };

struct word {
    enum word_kind kind;
    struct slice text; /* without quotes or slashes; escapes still in it */
};

struct lines {
    struct slice name;
    struct reader reader;
    unsigned number; /* of the line read last, from 1 */
    struct word words[LINE_WORDS_MAX];
    size_t count;
    bool has_paths; /* a slash is like any other byte: no patterns; set it after lines_init */
};

/* Both are borrowed. With an empty name complaints are without a place: their reader adds it. */
void lines_init(struct lines *lines, struct slice name, struct slice text);

/* Reads on to the next line that says something. ERR_CLOSED: there is none. ERR_SYNTAX. */
enum err lines_next(struct lines *lines, struct fault *out_fault) MUST_USE;

/* ERR_SYNTAX with "name:line: ..." in *out_fault (may be NULL). */
enum err lines_fault(const struct lines *lines, struct fault *out_fault, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* "name:line", kept in the arena and NUL-terminated. ERR_NOMEM. */
enum err lines_where(const struct lines *lines, struct arena *arena, struct slice *out) MUST_USE;

/* A copy without escapes. ERR_NOMEM. */
enum err word_copy(struct arena *arena, const struct word *word, struct slice *out) MUST_USE;

/* The one word after the key, of any kind but a pattern; ERR_SYNTAX where there are none or several,
 * or it is empty. */
enum err lines_value(const struct lines *lines, struct arena *arena, struct slice *out,
                     struct fault *out_fault) MUST_USE;

/* The same for a date: YYYY-MM or YYYY-MM-DD. */
enum err lines_date(const struct lines *lines, struct slice *out, struct fault *out_fault) MUST_USE;

#endif
