/* tests/net/web: a web server on the rig's own door, which plays whatever a test tells it, over http or https. It keeps
 * what it was asked. Loopback only.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NET_WEB_H
#define TESTS_NET_WEB_H

#include "rig.h"

enum { WEB_REQUESTS_MAX = 64, WEB_LINKS_MAX = 128, WEB_HEAD_BYTES = 4096, WEB_BODY_BYTES = 8192 };

struct web_request {
    char method[8];
    char path[256];
    char head[WEB_HEAD_BYTES]; /* the request line and all headers, NUL-terminated */
    char body[WEB_BODY_BYTES]; /* NUL-terminated */
    size_t body_len;
};

/* The answer's bytes, lent until the next call; at NULL: none comes. */
typedef struct slice (*web_reply_fn)(void *context, const struct web_request *request);

struct web_link;
struct web {
    struct rig *rig;
    struct listener *listener;
    struct tls_server *tls; /* borrowed; NULL: http */
    web_reply_fn reply;
    void *context;
    struct web_link *links[WEB_LINKS_MAX];
    size_t link_count;
    struct web_request *requests; /* the last ones, in order */
    size_t count;                 /* of all there were */
};

void web_open(struct web *web, struct rig *rig, const char *ip, web_reply_fn reply, void *context);
void web_close(struct web *web);
/* "http://IP:PORT/path", or https, in storage of the caller. */
const char *web_url(const struct web *web, const char *host, const char *path, char out[256]);
/* The i-th request; a test must not have more than WEB_REQUESTS_MAX. */
const struct web_request *web_request(const struct web *web, size_t i);
/* The value of a header of that request, NUL-terminated; "" where it is not there. */
const char *web_header(const struct web_request *request, const char *name, char out[512]);

#endif
