/* http/static_files: the page: the files of one folder read into memory at the start, compressed once where that helps, each
 * with its ETag; "index.html" is "/". Nothing outside the folder is ever read for a request.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_STATIC_FILES_H
#define HTTP_STATIC_FILES_H

#include "base/err.h"
#include "http/request.h"

enum {
    STATIC_FILES_MAX = 512,
    STATIC_FILE_BYTES_MAX = 8 << 20,
    STATIC_DEPTH_MAX = 6,
};

struct static_files;

/* ERR_SYSTEM (it cannot be read), ERR_LIMIT (too many, too large), ERR_NOMEM, with what is wrong. */
enum err static_files_open(const char *folder, struct static_files **out, struct fault *out_fault)
    MUST_USE;
void static_files_close(struct static_files *files); /* NULL is fine */

/* Answers a GET or HEAD, where path is one of them; false: it is not. */
bool static_files_answer(const struct static_files *files, struct http_request *request);

#endif
