/* http/form: a body of multipart/form-data, taken apart as it comes (RFC 7578), in bounded memory.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include "http/request.h"

struct http_form;

/* A piece of a field, in order; file_name is empty where it is no file. False: no more is wanted. */
struct http_form_part {
    struct slice field, file_name, bytes;
    uint64_t offset; /* of bytes in the field */
};
typedef bool (*http_form_fn)(void *context, const struct http_form_part *part);

bool http_form_is(const struct http_request *request); /* by its Content-Type */

/* NULL: no memory, or no boundary is named. */
struct http_form *http_form_open(struct http_request *request, http_form_fn fn, void *context);
/* False: it is no such body, or fn said so. */
bool http_form_feed(struct http_form *form, struct slice piece);
/* False: it was not whole. NULL is fine. */
bool http_form_close(struct http_form *form);

#endif
