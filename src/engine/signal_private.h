/* engine/signal_private: what one service is to engine/signals: how it is asked, and what its answers mean. One file each:
 * signal_gravatar.c, signal_github.c, signal_hibp.c, signal_rdap.c; with their documentation named there. Nothing here
 * touches the network.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_SIGNAL_PRIVATE_H
#define ENGINE_SIGNAL_PRIVATE_H

#include "engine/signals.h"
#include "net/digest.h"

enum { SIGNAL_HEADERS_MAX = 4, SIGNAL_HEADER_BYTES = 600 };

struct signal_question {
    const struct digester *digester;
    struct slice ascii, domain; /* of the address */
    struct slice key;           /* of the service; empty: none */
};

struct signal_headers {
    struct http_client_header at[SIGNAL_HEADERS_MAX];
    size_t count;
    char text[SIGNAL_HEADER_BYTES]; /* of one that was made */
};

enum signal_reading {
    SIGNAL_READ,         /* YES or NO is in *out */
    SIGNAL_READ_LIMITED, /* it is asked too much */
    SIGNAL_READ_DENIED,  /* the key is wrong, or there should be one */
    SIGNAL_READ_BROKEN,  /* trouble of its own, or nothing that can be understood */
};

struct signal_kind {
    struct signal_config config; /* by default */
    bool needs_key, is_of_domain;
    /* Appends the path to the URL. ERR_SYNTAX: it cannot be asked about that; ERR_NOMEM, ERR_LIMIT. */
    enum err (*write_path)(const struct signal_question *question, struct buf *url);
    void (*add_headers)(const struct signal_question *question, struct signal_headers *out);
    /* The answer is whole. */
    enum signal_reading (*read)(const struct http_client_answer *answer, struct verify_signal *out);
};

extern const struct signal_kind signal_gravatar, signal_github, signal_hibp, signal_rdap;
const struct signal_kind *signal_kind_of(enum signal_service service);

/* Percent-encoding of all but unreserved characters (RFC 3986 2.3). */
enum err signal_escape(struct slice text, struct buf *out) MUST_USE;
/* For statuses that mean the same everywhere. */
enum signal_reading signal_read_status(unsigned status);

#endif
