/* http/json_body: a body of JSON read into a struct by a table of its members. Strict: one object, no member twice, none that
 * is not known, nothing nested deeper than JSON_BODY_DEPTH_MAX. What is wrong is a problem with a JSON pointer.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_JSON_BODY_H
#define HTTP_JSON_BODY_H

#include <stdbool.h>

#include "http/problem.h"

struct json_t; /* of jansson */

enum { JSON_BODY_DEPTH_MAX = 16 };

enum json_kind {
    JSON_BODY_TEXT,  /* struct slice; max bytes */
    JSON_BODY_FLAG,  /* bool */
    JSON_BODY_COUNT, /* uint64_t from min to max */
    JSON_BODY_LIST,  /* struct json_t *: an array of min to max texts; its values are checked */
};

struct json_member {
    const char *name;
    enum json_kind kind;
    bool is_required;
    uint64_t min, max;
    size_t offset; /* in the struct that is filled */
};

/* Fills *out, whose members keep what they had where the body does not name them; null is taken as not named. Texts and lists
 * live as long as *out_body, which json_body_free frees. False with *out_problem: not JSON (400) or wrong (422). */
bool json_body_read(struct slice text, const struct json_member *members, size_t count, void *out,
                    struct json_t **out_body, struct problem *out_problem);
/* Any JSON, no deeper than that, for who walks through it himself. NULL with *out_problem: not JSON. */
struct json_t *json_body_parse(struct slice text, struct problem *out_problem);
void json_body_free(struct json_t *body); /* NULL is fine */
/* Overwrites a text of the object's, where there is one of that name: a password. */
void json_body_wipe(struct json_t *body, const char *name);

size_t json_body_list_length(const struct json_t *list);
struct slice json_body_list_text(const struct json_t *list, size_t index);

#endif
