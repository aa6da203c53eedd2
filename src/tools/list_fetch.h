/* tools/list_fetch: a list from a file or a URL, and the proof that it is the one that was meant.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_LIST_FETCH_H
#define TOOLS_LIST_FETCH_H

#include "base/buf.h"
#include "net/http_client.h"
#include "net/uv_door.h"
#include "tools/list_files.h"

/* What is asked of the bytes; nothing set: nothing. */
struct list_proof {
    const char *sha256;    /* 64 hexadecimal digits; NULL: not asked */
    const char *signature; /* a file with an Ed25519 signature; NULL: not asked */
    const char *key;       /* the file with the public key in PEM, where there is a signature */
};

struct list_fetch {
    const char *from; /* "https://..." or "http://..."; else a file */
    struct uv_door_config door;
    struct http_client_config http;
    struct list_proof proof;
};

/* Appends what is there to *out, whose ceiling holds, once the proof is right; out_hex is its SHA-256, NUL-terminated.
 * ERR_SYSTEM: it cannot be had; ERR_SYNTAX: the proof is wrong; ERR_LIMIT: it is too large; ERR_NOMEM. */
enum err list_fetch(const struct list_fetch *fetch, struct buf *out,
                    char out_hex[LIST_SHA256_BYTES], struct fault *out_fault) MUST_USE;

#endif
