/* net/http_client: requests that go out over HTTP and HTTPS, through libcurl on the loop of a real door (net/uv_door),
 * for addresses that strangers may have given: webhooks and external services.
 *
 * What always holds: only http and https; the address that is connected to, after every name was resolved, is a public
 * one or lies in a network that is allowed, so that no name can lead inside; certificates are verified; proxies of the
 * environment are not used, cookies and passwords not kept. A redirect (301, 302, 307, 308) is followed by the same
 * rules with method and body as they are (RFC 9110 15.4 leaves that open for the first two), never from https to http,
 * and headers for the origin stay with it. 303 is an answer: what was sent has arrived.
 *
 * One client belongs to the thread of its door. Callbacks come from the loop, never from inside the call that asked.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/err.h"
#include "net/door.h"

struct http_client;
struct http_exchange;

enum {
    HTTP_CLIENT_URL_BYTES = 2048,
    HTTP_CLIENT_HEADERS_MAX = 16,
    HTTP_CLIENT_EXCHANGES_MAX = 256, /* under way in one client */
};

struct http_client_config {
    const struct ip_net *allowed_nets; /* special networks that may be contacted; borrowed */
    size_t allowed_net_count;
    const char *ca_file; /* PEM, borrowed; NULL: the system's roots */
};

enum http_client_method { HTTP_CLIENT_GET, HTTP_CLIENT_POST };

struct http_client_header {
    const char *name;
    struct slice value; /* no control characters */
    bool
        is_for_origin; /* a key: is not sent to where a redirect leads, unless that is the same origin */
};

/* All of it is lent during the call. */
struct http_client_request {
    enum http_client_method method;
    struct slice url;
    const struct http_client_header *headers;
    size_t header_count;
    struct slice body;           /* of a POST */
    uint32_t timeout_ms;         /* of all of it, redirects included; above 0 */
    uint32_t connect_timeout_ms; /* of one connection; above 0 */
    size_t response_bytes_max;   /* of a body */
    unsigned redirects_max;
    /* Where the first place was found to be, by whoever asks: no name is looked up. Family IP_NONE: it is; port 0: the
     * URL's. The certificate must still be that of the URL's name. */
    struct ip connect_ip;
    uint16_t connect_port;
};

enum http_client_end {
    HTTP_CLIENT_END_ANSWERED,   /* status and body are whole */
    HTTP_CLIENT_END_TIMEOUT,    /* the time was over */
    HTTP_CLIENT_END_FORBIDDEN,  /* it leads to where we do not go: address, scheme */
    HTTP_CLIENT_END_REDIRECTED, /* more redirects than were allowed, or one without a place */
    HTTP_CLIENT_END_TOO_LARGE, /* the body is longer than wanted, or the headers are than is decent */
    HTTP_CLIENT_END_TLS,       /* handshake or certificate */
    HTTP_CLIENT_END_UNREACHABLE, /* no such name, no connection, or it broke */
    HTTP_CLIENT_END_LOCAL,       /* our own trouble: memory, descriptors */
};

struct http_client_answer {
    enum http_client_end end;
    unsigned status;           /* of the last answer; 0: there was none */
    uint32_t retry_after_s;    /* what Retry-After says; 0: nothing */
    struct slice content_type; /* empty: none was told */
    struct slice body;         /* what came of it */
    const char *detail;        /* for people; "" where it was answered */
};

/* The exchange is gone when it returns; what the answer points to, too. Must not close the client. */
typedef void (*http_client_fn)(void *context, const struct http_client_answer *answer);

/* ERR_SYSTEM: there is no libcurl; ERR_NOMEM. */
enum err http_client_open(struct door *door, const struct http_client_config *config,
                          struct http_client **out, struct fault *out_fault) MUST_USE;
/* Cancels what is under way. Before uv_door_close. NULL is fine. */
void http_client_close(struct http_client *client);

/* Whether a request may go there, as far as the text tells; the origin as "host:port" goes to out_origin, NUL-terminated.
 * ERR_SYNTAX with what is wrong and what to do; ERR_NOMEM. */
enum { HTTP_ORIGIN_BYTES = 256 + 8 };
enum err http_client_check_url(struct http_client *client, struct slice url,
                               char out_origin[HTTP_ORIGIN_BYTES], struct fault *out_fault)
    MUST_USE;

/* fn is called exactly once, unless the exchange is cancelled. ERR_SYNTAX: the URL or a header; ERR_LIMIT: too many at
 * once; ERR_NOMEM. */
enum err http_client_ask(struct http_client *client, const struct http_client_request *request,
                         http_client_fn fn, void *context, struct http_exchange **out,
                         struct fault *out_fault) MUST_USE;
/* Drops it; fn is not called any more. */
void http_client_cancel(struct http_exchange *exchange);

/* A word for logs: "answered", "timeout". */
const char *http_end_name(enum http_client_end end);

#endif
