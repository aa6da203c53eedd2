/* net/http_client: requests as libcurl wants them, and what came of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/slice.h"
#include "net/http_private.h"

enum {
    HTTP_HEADER_BYTES_MAX = 65536,     /* of an answer, all hops together: what browsers take */
    HTTP_HEADER_LINE_BYTES_MAX = 8192, /* of a request, one */
    HTTP_DETAIL_BYTES = CURL_ERROR_SIZE + 64,
};

struct http_exchange {
    struct http_client *client;
    struct http_exchange *previous, *next;
    http_client_fn fn;
    void *context;
    CURL *easy;
    struct curl_slist *headers;        /* for any origin */
    struct curl_slist *origin_headers; /* the same and those for the origin */
    struct curl_slist *connect_to;     /* NULL: where the name leads */
    struct buf request_body, answer_body;
    size_t response_bytes_max;
    size_t header_bytes;             /* of the answer so far */
    struct http_place origin, place; /* first, and now */
    uint64_t due_ms;
    uint32_t connect_timeout_ms;
    unsigned redirects_left;
    bool is_too_large, was_let_connect;
    struct ip refused; /* the last address that we do not go to; IP_NONE: there was none */
    char detail[HTTP_DETAIL_BYTES];
    char curl_words[CURL_ERROR_SIZE];
};

const char *http_end_name(enum http_client_end end)
{
    switch (end) {
    case HTTP_CLIENT_END_ANSWERED: return "answered";
    case HTTP_CLIENT_END_TIMEOUT: return "timeout";
    case HTTP_CLIENT_END_FORBIDDEN: return "forbidden";
    case HTTP_CLIENT_END_REDIRECTED: return "redirected";
    case HTTP_CLIENT_END_TOO_LARGE: return "too_large";
    case HTTP_CLIENT_END_TLS: return "tls";
    case HTTP_CLIENT_END_UNREACHABLE: return "unreachable";
    case HTTP_CLIENT_END_LOCAL: return "local";
    }
    return "unknown";
}

/* What libcurl calls. */

/* Every connection is made here, whatever name it was asked for by. */
static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_exchange *exchange = context;
    struct sockaddr_storage far = {0};
    struct ip ip;
    if (purpose != CURLSOCKTYPE_IPCXN || address->addrlen > sizeof far) {
        return CURL_SOCKET_BAD;
    }
    memcpy(&far, &address->addr, address->addrlen);
    if (!uv_link_ip(&far, &ip)) {
        return CURL_SOCKET_BAD;
    }
    if (!http_address_is_allowed(exchange->client, &ip)) {
        exchange->refused = ip;
        return CURL_SOCKET_BAD;
    }
    exchange->was_let_connect = true;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t on_body(const char *at, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    exchange->is_too_large |=
        size * count > exchange->response_bytes_max - exchange->answer_body.len;
    if (exchange->is_too_large) {
        return 0;
    }
    enum err e = buf_append(&exchange->answer_body, slice_make(at, size * count));
    return e == ERR_NONE ? size * count : 0;
}

static size_t on_header(const char *at, size_t size, size_t count, void *context)
{
    (void)at;
    struct http_exchange *exchange = context;
    exchange->header_bytes += size * count;
    exchange->is_too_large |= exchange->header_bytes > HTTP_HEADER_BYTES_MAX;
    return exchange->is_too_large ? 0 : size * count;
}

/* Making one. */

static bool is_text(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static enum err add_line(const struct curl *curl, struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl->curl_slist_append(*list, line);
    if (longer == NULL) {
        return ERR_NOMEM;
    }
    *list = longer;
    return ERR_NONE;
}

static enum err add_header(struct http_exchange *exchange, const struct http_client_header *header,
                           struct fault *out_fault)
{
    const struct curl *curl = &exchange->client->curl;
    char line[HTTP_HEADER_LINE_BYTES_MAX];
    /* "Name;" is libcurl's way to say a header without a value. */
    int len = snprintf(line, sizeof line, header->value.len == 0 ? "%s;" : "%s: %.*s", header->name,
                       SLICE_ARG(header->value));
    if (len < 0 || (size_t)len >= sizeof line || !is_text(header->value)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "the header %.40s is too long, or is no text",
                         header->name);
    }
    enum err e = header->is_for_origin ? ERR_NONE : add_line(curl, &exchange->headers, line);
    return e != ERR_NONE ? e : add_line(curl, &exchange->origin_headers, line);
}

/* Without Expect a body goes out at once, and a POST of none has its Content-Type from us alone. */
static enum err add_headers(struct http_exchange *exchange,
                            const struct http_client_request *request, struct fault *out_fault)
{
    static const struct http_client_header ours[] = {
        {.name = "User-Agent", .value = SLICE_LITERAL("Heloise/" HELOISE_VERSION)},
    };
    const struct curl *curl = &exchange->client->curl;
    enum err e = add_line(curl, &exchange->headers, "Expect:");
    e = e != ERR_NONE ? e : add_line(curl, &exchange->origin_headers, "Expect:");
    e = e != ERR_NONE ? e : add_header(exchange, ours, out_fault);
    must(request->header_count <= HTTP_CLIENT_HEADERS_MAX);
    for (size_t i = 0; e == ERR_NONE && i < request->header_count; i++) {
        e = add_header(exchange, &request->headers[i], out_fault);
    }
    return e;
}

/* Options whose values are ours cannot fail but for memory: one failure among them is told by the last one's value. */
static CURLcode set_rules(const struct http_exchange *exchange)
{
    const struct curl *curl = &exchange->client->curl;
    CURL *easy = exchange->easy;
    const char *ca_file = exchange->client->config.ca_file;
    const CURLcode codes[] = {
        curl->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L),
        curl->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
        curl->curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L),
        curl->curl_easy_setopt(easy, CURLOPT_PROXY, ""), /* and none of the environment's */
        curl->curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED),
        curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L),
        curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L),
        curl->curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2),
        ca_file == NULL ? CURLE_OK : curl->curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file),
        ca_file == NULL ? CURLE_OK : curl->curl_easy_setopt(easy, CURLOPT_CAPATH, NULL),
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] != CURLE_OK) {
            return codes[i];
        }
    }
    return CURLE_OK;
}

/* In libcurl's form "HOST:PORT:OTHER:PORT", where nothing stands for anything. Only redirects lead elsewhere. */
static bool set_connect_to(struct http_exchange *exchange,
                           const struct http_client_request *request)
{
    char ip[IP_TEXT_BYTES];
    char line[IP_TEXT_BYTES + 16];
    char port[8] = "";
    const struct curl *curl = &exchange->client->curl;
    if (request->connect_ip.family == IP_NONE) {
        return true;
    }
    if (request->connect_port > 0) {
        (void)snprintf(port, sizeof port, "%u", request->connect_port);
    }
    (void)snprintf(line, sizeof line, request->connect_ip.family == IP_V6 ? "::[%s]:%s" : "::%s:%s",
                   ip_format(&request->connect_ip, ip), port);
    return add_line(curl, &exchange->connect_to, line) == ERR_NONE &&
           curl->curl_easy_setopt(exchange->easy, CURLOPT_CONNECT_TO, exchange->connect_to) ==
               CURLE_OK;
}

static CURLcode set_callbacks(struct http_exchange *exchange)
{
    const struct curl *curl = &exchange->client->curl;
    CURL *easy = exchange->easy;
    const CURLcode codes[] = {
        curl->curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange),
        curl->curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->curl_words),
        curl->curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open),
        curl->curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange),
        curl->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body),
        curl->curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange),
        curl->curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header),
        curl->curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange),
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] != CURLE_OK) {
            return codes[i];
        }
    }
    return CURLE_OK;
}

static CURLcode set_method(struct http_exchange *exchange, enum http_client_method method)
{
    const struct curl *curl = &exchange->client->curl;
    CURL *easy = exchange->easy;
    if (method == HTTP_CLIENT_GET) {
        return curl->curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    const char *body = exchange->request_body.len == 0 ? "" : exchange->request_body.at;
    CURLcode code = curl->curl_easy_setopt(easy, CURLOPT_POST, 1L);
    code = code != CURLE_OK ? code
                            : curl->curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                                     (curl_off_t)exchange->request_body.len);
    return code != CURLE_OK ? code : curl->curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
}

/* One hop: the next place, within what is left of the time. False: no memory. */
static bool start_hop(struct http_exchange *exchange, const char *url)
{
    struct http_client *client = exchange->client;
    const struct curl *curl = &client->curl;
    uint64_t now_ms = door_now_ms(&client->door->door);
    uint64_t left_ms = exchange->due_ms > now_ms ? exchange->due_ms - now_ms : 1;
    bool is_origin = strcmp(exchange->place.origin, exchange->origin.origin) == 0 &&
                     exchange->place.is_secure == exchange->origin.is_secure;
    exchange->refused = (struct ip){0};
    exchange->was_let_connect = false;
    exchange->curl_words[0] = '\0';
    buf_clear(&exchange->answer_body);
    CURL *easy = exchange->easy;
    const CURLcode codes[] = {
        curl->curl_easy_setopt(easy, CURLOPT_URL, url),
        curl->curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                               is_origin ? exchange->origin_headers : exchange->headers),
        curl->curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left_ms),
        curl->curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)exchange->connect_timeout_ms),
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] != CURLE_OK) {
            return false;
        }
    }
    return curl->curl_multi_add_handle(client->multi, easy) == CURLM_OK;
}

static void unlink_exchange(struct http_exchange *exchange)
{
    struct http_client *client = exchange->client;
    if (exchange->previous != NULL) {
        exchange->previous->next = exchange->next;
    } else {
        client->first = exchange->next;
    }
    if (exchange->next != NULL) {
        exchange->next->previous = exchange->previous;
    }
    client->count--;
}

static void link_exchange(struct http_exchange *exchange)
{
    struct http_client *client = exchange->client;
    exchange->next = client->first;
    if (client->first != NULL) {
        client->first->previous = exchange;
    }
    client->first = exchange;
    client->count++;
}

/* Of one that libcurl does not work on. */
static void free_exchange(struct http_exchange *exchange)
{
    const struct curl *curl = &exchange->client->curl;
    curl->curl_easy_cleanup(exchange->easy);
    curl->curl_slist_free_all(exchange->headers);
    curl->curl_slist_free_all(exchange->origin_headers);
    curl->curl_slist_free_all(exchange->connect_to);
    buf_done_wipe(&exchange->request_body);
    buf_done(&exchange->answer_body);
    free(exchange);
}

static enum err fill_exchange(struct http_exchange *exchange,
                              const struct http_client_request *request, struct fault *out_fault)
{
    struct http_client *client = exchange->client;
    char url[HTTP_CLIENT_URL_BYTES + 1];
    enum err e = http_place_read(client, request->url, &exchange->place, out_fault);
    e = e != ERR_NONE ? e : add_headers(exchange, request, out_fault);
    e = e != ERR_NONE ? e : buf_append(&exchange->request_body, request->body);
    if (e != ERR_NONE) {
        return e;
    }
    exchange->origin = exchange->place;
    exchange->due_ms = door_now_ms(&client->door->door) + request->timeout_ms;
    exchange->connect_timeout_ms = request->connect_timeout_ms;
    exchange->redirects_left = request->redirects_max;
    memcpy(url, request->url.at, request->url.len);
    url[request->url.len] = '\0';
    exchange->easy = client->curl.curl_easy_init();
    bool is_set = exchange->easy != NULL && set_rules(exchange) == CURLE_OK &&
                  set_callbacks(exchange) == CURLE_OK && set_connect_to(exchange, request) &&
                  set_method(exchange, request->method) == CURLE_OK && start_hop(exchange, url);
    return is_set ? ERR_NONE : ERR_NOMEM;
}

enum err http_client_ask(struct http_client *client, const struct http_client_request *request,
                         http_client_fn fn, void *context, struct http_exchange **out,
                         struct fault *out_fault)
{
    must(request->timeout_ms > 0 && request->connect_timeout_ms > 0);
    if (client->count == HTTP_CLIENT_EXCHANGES_MAX) {
        return fault_set(out_fault, ERR_LIMIT, 0, "too many requests are under way");
    }
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for a request");
    }
    exchange->client = client;
    exchange->fn = fn;
    exchange->context = context;
    buf_init(&exchange->request_body, request->body.len + 1);
    buf_init(&exchange->answer_body, request->response_bytes_max + 1);
    exchange->response_bytes_max = request->response_bytes_max;
    enum err e = fill_exchange(exchange, request, out_fault);
    if (e != ERR_NONE) {
        free_exchange(exchange);
        return e == ERR_NOMEM ? fault_set(out_fault, e, 0, "no memory for a request") : e;
    }
    link_exchange(exchange);
    *out = exchange;
    return ERR_NONE;
}

void http_client_cancel(struct http_exchange *exchange)
{
    struct http_client *client = exchange->client;
    (void)client->curl.curl_multi_remove_handle(client->multi, exchange->easy);
    unlink_exchange(exchange);
    free_exchange(exchange);
}

/* The end of one. */

static enum http_client_end end_of_refusal(struct http_exchange *exchange)
{
    char text[IP_TEXT_BYTES];
    (void)snprintf(exchange->detail, sizeof exchange->detail,
                   "%.200s is at %s, which is not a public address; its network is not allowed",
                   exchange->place.origin, ip_format(&exchange->refused, text));
    return HTTP_CLIENT_END_FORBIDDEN;
}

static enum http_client_end end_of_failure(struct http_exchange *exchange, CURLcode code)
{
    if (exchange->is_too_large) {
        (void)snprintf(exchange->detail, sizeof exchange->detail,
                       "the answer is longer than is taken");
        return HTTP_CLIENT_END_TOO_LARGE;
    }
    if (exchange->refused.family != IP_NONE && !exchange->was_let_connect) {
        return end_of_refusal(exchange);
    }
    (void)snprintf(exchange->detail, sizeof exchange->detail, "%s",
                   exchange->curl_words[0] != '\0'
                       ? exchange->curl_words
                       : exchange->client->curl.curl_easy_strerror(code));
    /* Codes of libcurl are many; what is not named here is a line that broke or speaks no HTTP. */
    static const struct {
        CURLcode code;
        enum http_client_end end;
    } ends[] = {
        {CURLE_OPERATION_TIMEDOUT, HTTP_CLIENT_END_TIMEOUT},
        {CURLE_SSL_CONNECT_ERROR, HTTP_CLIENT_END_TLS},
        {CURLE_PEER_FAILED_VERIFICATION, HTTP_CLIENT_END_TLS},
        {CURLE_SSL_CERTPROBLEM, HTTP_CLIENT_END_TLS},
        {CURLE_SSL_CIPHER, HTTP_CLIENT_END_TLS},
        {CURLE_SSL_INVALIDCERTSTATUS, HTTP_CLIENT_END_TLS},
        {CURLE_SSL_CACERT_BADFILE, HTTP_CLIENT_END_LOCAL},
        {CURLE_OUT_OF_MEMORY, HTTP_CLIENT_END_LOCAL},
        {CURLE_WRITE_ERROR, HTTP_CLIENT_END_LOCAL}, /* of the body's buffer, and not its ceiling */
        {CURLE_FAILED_INIT, HTTP_CLIENT_END_LOCAL},
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends[i].code == code) {
            return ends[i].end;
        }
    }
    return HTTP_CLIENT_END_UNREACHABLE;
}

static unsigned status_of(const struct http_exchange *exchange)
{
    long status = 0;
    (void)exchange->client->curl.curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    return status < 0 ? 0 : (unsigned)status;
}

static bool is_followed(unsigned status)
{
    return status == 301 || status == 302 || status == 307 || status == 308;
}

/* True: it goes on elsewhere. False: this is the end, *out_end. */
static bool follow(struct http_exchange *exchange, enum http_client_end *out_end)
{
    struct http_client *client = exchange->client;
    struct fault fault = {0};
    char *url = NULL; /* whole, whatever Location says; the handle's own */
    (void)client->curl.curl_easy_getinfo(exchange->easy, CURLINFO_REDIRECT_URL, &url);
    *out_end = HTTP_CLIENT_END_REDIRECTED;
    if (url == NULL || exchange->redirects_left == 0) {
        (void)snprintf(exchange->detail, sizeof exchange->detail,
                       url == NULL ? "it redirects to nowhere"
                                   : "it redirects more often than is followed");
        return false;
    }
    struct http_place place;
    bool was_secure = exchange->place.is_secure;
    enum err e = http_place_read(client, slice_of(url), &place, &fault);
    if (e == ERR_NONE && was_secure && !place.is_secure) {
        e = fault_set(&fault, ERR_SYNTAX, 0, "https may not lead to http");
    }
    if (e != ERR_NONE) {
        *out_end = e == ERR_SYNTAX ? HTTP_CLIENT_END_FORBIDDEN : HTTP_CLIENT_END_LOCAL;
        (void)snprintf(exchange->detail, sizeof exchange->detail,
                       "a redirect is not followed: %.200s", fault.text);
        return false;
    }
    char copy[HTTP_CLIENT_URL_BYTES + 1];
    (void)snprintf(copy, sizeof copy, "%s", url);
    exchange->redirects_left--;
    exchange->place = place;
    *out_end = HTTP_CLIENT_END_LOCAL;
    return start_hop(exchange, copy);
}

static void tell(struct http_exchange *exchange, enum http_client_end end)
{
    const struct curl *curl = &exchange->client->curl;
    curl_off_t retry_after_s = 0;
    char *content_type = NULL;
    (void)curl->curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    (void)curl->curl_easy_getinfo(exchange->easy, CURLINFO_CONTENT_TYPE, &content_type);
    const struct http_client_answer answer = {
        .end = end,
        .status = status_of(exchange),
        .retry_after_s = retry_after_s <= 0           ? 0
                         : retry_after_s > UINT32_MAX ? UINT32_MAX
                                                      : (uint32_t)retry_after_s,
        .content_type = slice_of(content_type),
        .body = buf_view(&exchange->answer_body),
        .detail = exchange->detail,
    };
    unlink_exchange(exchange);
    exchange->fn(exchange->context, &answer);
    free_exchange(exchange);
}

static void finish(struct http_exchange *exchange, CURLcode code)
{
    struct http_client *client = exchange->client;
    (void)client->curl.curl_multi_remove_handle(client->multi, exchange->easy);
    enum http_client_end end = HTTP_CLIENT_END_ANSWERED;
    if (code != CURLE_OK) {
        end = end_of_failure(exchange, code);
    } else if (is_followed(status_of(exchange)) && follow(exchange, &end)) {
        return;
    }
    tell(exchange, end);
}

void http_client_settle(struct http_client *client)
{
    const struct curl *curl = &client->curl;
    int left = 0;
    const CURLMsg *message = curl->curl_multi_info_read(client->multi, &left);
    while (message != NULL) {
        char *private = NULL;
        CURLcode code = message->data.result;
        must(message->msg == CURLMSG_DONE);
        (void)curl->curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        finish((struct http_exchange *)(void *)private, code);
        message = curl->curl_multi_info_read(client->multi, &left);
    }
}

enum err http_client_open(struct door *door, const struct http_client_config *config,
                          struct http_client **out, struct fault *out_fault)
{
    struct http_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for an HTTP client");
    }
    client->door = (struct uv_door *)(void *)door;
    client->config = *config;
    enum err e = curl_load(&client->curl, out_fault);
    if (e == ERR_NONE) {
        client->multi = client->curl.curl_multi_init();
        e = client->multi != NULL
                ? ERR_NONE
                : fault_set(out_fault, ERR_NOMEM, 0, "no memory for an HTTP client");
    }
    if (e != ERR_NONE) {
        free(client);
        return e;
    }
    http_loop_join(client);
    *out = client;
    return ERR_NONE;
}

void http_client_close(struct http_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->first != NULL) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself out of the list */
        http_client_cancel(client->first);
    }
    (void)client->curl.curl_multi_cleanup(client->multi);
    http_loop_leave(client);
    free(client);
}
