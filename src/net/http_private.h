/* net/http_private: what the files of the HTTP client share: http_client.c (requests and answers), http_loop.c (libcurl's
 * sockets and clock on a door's loop), http_url.c (where requests may go).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HTTP_PRIVATE_H
#define NET_HTTP_PRIVATE_H

#include "net/curl.h"
#include "net/http_client.h"
#include "net/uv_private.h"

struct http_client {
    struct uv_door *door;
    struct http_client_config config;
    struct curl curl;
    CURLM *multi;
    struct timer alarm; /* libcurl's */
    struct http_exchange *first;
    size_t count;
};

/* Where a URL leads, as libcurl understands it. */
struct http_place {
    bool is_secure; /* https */
    char origin[HTTP_ORIGIN_BYTES];
};

/* ERR_SYNTAX: no request goes there, the fault says why; ERR_NOMEM. */
enum err http_place_read(const struct http_client *client, struct slice url, struct http_place *out,
                         struct fault *out_fault) MUST_USE;
bool http_address_is_allowed(const struct http_client *client, const struct ip *ip);

/* Joins client->multi to the loop; the alarm stops with http_loop_leave, which comes after curl_multi_cleanup. */
void http_loop_join(struct http_client *client);
void http_loop_leave(struct http_client *client);
/* http_client.c: after libcurl was told something: what is over is settled. */
void http_client_settle(struct http_client *client);

#endif
