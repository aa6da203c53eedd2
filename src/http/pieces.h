/* http/pieces: a large answer that is made piece by piece, each of any size, as the client takes them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_PIECES_H
#define HTTP_PIECES_H

#include "http/request.h"

struct http_pieces {
    /* Appends what comes next to an empty buffer, which may stay so. ERR_CLOSED: that was all; any other error breaks the
     * answer off. On the library's thread. */
    enum err (*next)(void *context, struct buf *out);
    void (*done)(void *context); /* once, at the end of all */
    void *context;
};

/* Answers the request; done is owed to this from then on. */
void http_answer_pieces(struct http_request *request, unsigned status, const char *type,
                        const struct http_pieces *pieces);

#endif
