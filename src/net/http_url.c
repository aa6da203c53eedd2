/* net/http_url: where requests may go.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "net/http_private.h"

bool http_address_is_allowed(const struct http_client *client, const struct ip *ip)
{
    if (!ip_is_special(ip)) {
        return true;
    }
    for (size_t i = 0; i < client->config.allowed_net_count; i++) {
        if (ip_net_contains(&client->config.allowed_nets[i], ip)) {
            return true;
        }
    }
    return false;
}

static bool is_plain(struct slice url)
{
    for (size_t i = 0; i < url.len; i++) {
        if (url.at[i] <= ' ' || url.at[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool has_part(const struct curl *curl, CURLU *parsed, CURLUPart part)
{
    char *text = NULL;
    bool is_there = curl->curl_url_get(parsed, part, &text, 0) == CURLUE_OK;
    curl->curl_free(text);
    return is_there;
}

/* An address in the URL is known now; one behind a name when it is connected to. */
static enum err check_host(const struct http_client *client, const char *host,
                           struct fault *out_fault)
{
    struct slice inside = slice_of(host);
    struct ip ip;
    if (slice_starts(inside, SLICE("[")) && slice_ends(inside, SLICE("]"))) {
        inside = slice_sub(inside, 1, inside.len - 1);
    }
    if (ip_parse(inside, &ip) && !http_address_is_allowed(client, &ip)) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "the URL names an address that is not a public one (%.60s): allow its "
                         "network, or give another",
                         host);
    }
    return ERR_NONE;
}

static enum err read_scheme(const struct curl *curl, CURLU *parsed, bool *out_is_secure,
                            struct fault *out_fault)
{
    char *scheme = NULL;
    if (curl->curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
        return ERR_NOMEM;
    }
    enum err e = ERR_NONE;
    *out_is_secure = strcmp(scheme, "https") == 0;
    if (!*out_is_secure && strcmp(scheme, "http") != 0) {
        e = fault_set(out_fault, ERR_SYNTAX, 0,
                      "the URL must begin with https:// or http://, not %.20s:", scheme);
    }
    curl->curl_free(scheme);
    return e;
}

static enum err read_origin(const struct http_client *client, CURLU *parsed,
                            char out[HTTP_ORIGIN_BYTES], struct fault *out_fault)
{
    const struct curl *curl = &client->curl;
    char *host = NULL;
    char *port = NULL;
    enum err e = ERR_NOMEM;
    if (curl->curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl->curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        int len = snprintf(out, HTTP_ORIGIN_BYTES, "%s:%s", host, port);
        e = len < 0 || len >= HTTP_ORIGIN_BYTES
                ? fault_set(out_fault, ERR_SYNTAX, 0, "the URL's host is longer than a name can be")
                : check_host(client, host, out_fault);
    }
    curl->curl_free(host);
    curl->curl_free(port);
    return e;
}

static enum err read_parts(const struct http_client *client, CURLU *parsed, struct http_place *out,
                           struct fault *out_fault)
{
    enum err e = read_scheme(&client->curl, parsed, &out->is_secure, out_fault);
    return e != ERR_NONE ? e : read_origin(client, parsed, out->origin, out_fault);
}

static enum err read_url(const struct http_client *client, CURLU *parsed, struct slice url,
                         struct http_place *out, struct fault *out_fault)
{
    const struct curl *curl = &client->curl;
    char text[HTTP_CLIENT_URL_BYTES + 1];
    memcpy(text, url.at, url.len);
    text[url.len] = '\0';
    CURLUcode code = curl->curl_url_set(parsed, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OUT_OF_MEMORY) {
        return ERR_NOMEM;
    }
    if (code != CURLUE_OK) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "the URL cannot be read: %.100s; give one like https://example.com/hook",
                         curl->curl_url_strerror(code));
    }
    if (has_part(curl, parsed, CURLUPART_USER) || has_part(curl, parsed, CURLUPART_PASSWORD)) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "the URL must not have a user or password in it");
    }
    if (has_part(curl, parsed, CURLUPART_ZONEID)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "the URL must not name a network interface");
    }
    return read_parts(client, parsed, out, out_fault);
}

enum err http_place_read(const struct http_client *client, struct slice url, struct http_place *out,
                         struct fault *out_fault)
{
    if (url.len == 0 || url.len > HTTP_CLIENT_URL_BYTES || !is_plain(url)) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "the URL must have from 1 to %d characters, of printable ASCII without "
                         "spaces",
                         HTTP_CLIENT_URL_BYTES);
    }
    CURLU *parsed = client->curl.curl_url();
    if (parsed == NULL) {
        return ERR_NOMEM;
    }
    enum err e = read_url(client, parsed, url, out, out_fault);
    client->curl.curl_url_cleanup(parsed);
    return e;
}

enum err http_client_check_url(struct http_client *client, struct slice url,
                               char out_origin[HTTP_ORIGIN_BYTES], struct fault *out_fault)
{
    struct http_place place;
    enum err e = http_place_read(client, url, &place, out_fault);
    if (e == ERR_NONE) {
        memcpy(out_origin, place.origin, sizeof place.origin);
    }
    return e;
}
