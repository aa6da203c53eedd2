/* http/uri: the target of a request taken apart (RFC 3986): path, query arguments, patterns of routes. Bytes of strangers go
 * in; what comes out is UTF-8 without control characters, or nothing. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include <stdbool.h>

#include "base/arena.h"

enum {
    URI_PARAMS_MAX = 4,     /* "{name}" in one pattern */
    URI_ARGUMENTS_MAX = 24, /* of a query */
};

struct uri_argument {
    struct slice name, value;
};

struct uri_query {
    struct uri_argument at[URI_ARGUMENTS_MAX];
    size_t count;
};

/* The target cut at '?'; the query is empty where there is none. A fragment is no part of a target. */
void uri_split(struct slice target, struct slice *out_path, struct slice *out_query);

/* Percent-decoded into the arena. ERR_SYNTAX: a '%' without two hex digits, or what it means is a control character or no
 * UTF-8; ERR_NOMEM. RFC 3986 2.1 */
enum err uri_decode(struct slice text, struct arena *arena, struct slice *out) MUST_USE;

/* "a=1&b=two+words": '+' is a space, as forms send it. ERR_SYNTAX as uri_decode, for a name that stands twice (*out_name
 * is it), and for more than there may be (ERR_LIMIT); ERR_NOMEM. */
enum err uri_query_read(struct slice query, struct arena *arena, struct uri_query *out,
                        struct slice *out_name) MUST_USE;

/* NULL: there is no such argument. */
const struct slice *uri_query_find(const struct uri_query *query, const char *name);

/* Whether "/v1/domains/a.example" is one of "/v1/domains/{domain}"; the parts in braces are given as they stand. A part is
 * never empty and has no '/'. */
bool uri_matches(const char *pattern, struct slice path, struct slice out_params[URI_PARAMS_MAX]);

#endif
