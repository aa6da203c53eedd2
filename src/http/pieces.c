/* SPDX-License-Identifier: Apache-2.0 */
#include "http/pieces.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES_MAX = 8 << 20 };

struct handing {
    struct http_pieces pieces;
    struct buf piece;
    size_t sent; /* of it */
    bool has_ended;
};

/* False: it broke off. At the end the piece is empty. */
static bool next_piece(struct handing *handing)
{
    buf_clear(&handing->piece);
    handing->sent = 0;
    while (handing->piece.len == 0 && !handing->has_ended) {
        enum err e = handing->pieces.next(handing->pieces.context, &handing->piece);
        handing->has_ended = e == ERR_CLOSED;
        if (e != ERR_NONE && e != ERR_CLOSED) {
            return false;
        }
    }
    return true;
}

static int64_t pull(void *context, char *at, size_t bytes_max)
{
    struct handing *handing = context;
    if (handing->sent == handing->piece.len && !next_piece(handing)) {
        return -1;
    }
    size_t left = handing->piece.len - handing->sent;
    size_t len = left < bytes_max ? left : bytes_max;
    if (len > 0) {
        memcpy(at, handing->piece.at + handing->sent, len);
        handing->sent += len;
    }
    return (int64_t)len;
}

static void done(void *context)
{
    struct handing *handing = context;
    handing->pieces.done(handing->pieces.context);
    buf_done(&handing->piece);
    free(handing);
}

void http_answer_pieces(struct http_request *request, unsigned status, const char *type,
                        const struct http_pieces *pieces)
{
    struct handing *handing = calloc(1, sizeof *handing);
    if (handing == NULL) {
        pieces->done(pieces->context);
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    handing->pieces = *pieces;
    buf_init(&handing->piece, PIECE_BYTES_MAX);
    const struct http_pull answer = {pull, done, handing};
    http_answer_pull(request, status, type, &answer);
}
