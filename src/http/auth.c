/* SPDX-License-Identifier: Apache-2.0 */
#include "http/auth.h"

#include <stdio.h>

#include "base/slice.h"
#include "http/server_private.h"

bool http_is_loopback(const struct ip *ip)
{
    static const struct ip_net loopback = {.ip = {IP_V4, {127}}, .bits = 8};
    static const struct ip_net loopback_mapped = {
        .ip = {IP_V6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127}}, .bits = 104};
    static const struct ip loopback_v6 = {IP_V6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    return ip->family == IP_V4
               ? ip_net_contains(&loopback, ip)
               : ip_equal(ip, &loopback_v6) || ip_net_contains(&loopback_mapped, ip);
}

bool http_origin_is_listed(const struct http_origins *origins, struct slice origin)
{
    for (size_t i = 0; i < origins->count; i++) {
        struct slice listed = slice_of(origins->at[i]);
        if (slice_equal(listed, SLICE("*")) || slice_equal_nocase(listed, origin)) {
            return true;
        }
    }
    return false;
}

/* "name", "name:port", "[::1]:port" -> the name. */
static struct slice host_name(struct slice host)
{
    if (slice_starts(host, SLICE("["))) {
        return slice_sub(host, 1, slice_find_byte(host, ']', 0));
    }
    return slice_sub(host, 0, slice_find_byte(host, ':', 0));
}

static bool is_local_name(struct slice host)
{
    struct ip ip;
    struct slice name = host_name(host);
    return slice_equal_nocase(name, SLICE("localhost")) ||
           (ip_parse(name, &ip) && http_is_loopback(&ip));
}

/* "https://a.example:8443" is a page of the host "a.example:8443". */
static bool is_same_site(struct slice origin, struct slice host)
{
    size_t scheme = slice_find_nocase(origin, SLICE("://"));
    struct slice rest =
        scheme < origin.len ? slice_sub(origin, scheme + 3, origin.len) : SLICE_NONE;
    return slice_equal_nocase(rest, host);
}

/* Nobody has a key: what a browser on this machine is made to ask by a stranger's page, under whatever name, is told by Host,
 * Origin and Sec-Fetch-Site. */
static bool passes_without_keys(struct http_request *request, const struct http_origins *origins)
{
    struct slice host = http_header(request, "Host");
    struct slice origin = http_header(request, "Origin");
    if (!http_is_loopback(&request->client)) {
        http_refuse(request, PROBLEM_NO_KEY,
                    "there are no API keys yet, so only this machine is served; 'heloise key add' "
                    "makes one");
        return false;
    }
    if (host.len > 0 && !is_local_name(host)) {
        http_refuse(request, PROBLEM_WRONG_HOST,
                    "without API keys the server answers to localhost, 127.0.0.1 and [::1] only");
        return false;
    }
    bool is_foreign =
        origin.len > 0 ? !is_same_site(origin, host)
                       : slice_equal(http_header(request, "Sec-Fetch-Site"), SLICE("cross-site"));
    if (is_foreign && !http_origin_is_listed(origins, origin)) {
        http_refuse(request, PROBLEM_WRONG_ORIGIN,
                    "a page of another site asks; list its origin under cors-origins to allow it");
        return false;
    }
    return true;
}

struct slice http_sent_key(const struct http_request *request)
{
    if (request->route->key != NULL) {
        return request->route->key(request);
    }
    struct slice value = slice_trim(http_header(request, "Authorization"));
    if (slice_starts_nocase(value, SLICE("Bearer "))) {
        return slice_trim(slice_sub(value, 7, value.len));
    }
    return slice_trim(http_header(request, "X-Api-Key"));
}

/* RFC 9110 11.6.1, RFC 6750 3 */
static void refuse(struct http_request *request, const struct http_admission *admission)
{
    struct problem problem;
    switch (admission->outcome) {
    case HTTP_ADMITTED:
    case HTTP_KEY_UNKNOWN:
        problem_set(&problem, PROBLEM_BAD_KEY, "this key is not known here, or was revoked");
        http_add_header(request, "WWW-Authenticate", SLICE("Bearer error=\"invalid_token\""));
        break;
    case HTTP_KEY_SCOPE:
        problem_set(&problem, PROBLEM_WRONG_SCOPE, "this key lacks the scope '%s'",
                    request->route->scope);
        break;
    case HTTP_KEY_RATE:
        problem_set(&problem, PROBLEM_TOO_MANY, "this key's rate is reached; ask again in %u s",
                    admission->retry_after_s);
        break;
    case HTTP_KEY_QUOTA:
        problem_set(&problem, PROBLEM_QUOTA, "this key's quota is used up; ask again in %u s",
                    admission->retry_after_s);
        break;
    }
    problem.retry_after_s = admission->retry_after_s;
    http_answer_problem(request, &problem);
}

bool http_auth_passes(struct http_request *request, const struct http_auth *auth,
                      const struct http_origins *origins, struct slice key)
{
    if (request->route->scope == NULL) {
        return true;
    }
    if (auth == NULL || !auth->has_keys(auth->context)) {
        return passes_without_keys(request, origins);
    }
    struct http_caller caller = {
        .key = key, .scope = request->route->scope, .client = request->client, .units = 1};
    if (caller.key.len == 0) {
        http_add_header(request, "WWW-Authenticate", SLICE("Bearer"));
        http_refuse(request, PROBLEM_NO_KEY,
                    "send the key as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'");
        return false;
    }
    struct http_admission admission = {.outcome = HTTP_KEY_UNKNOWN};
    auth->admit(auth->context, &caller, &admission);
    if (admission.outcome != HTTP_ADMITTED) {
        refuse(request, &admission);
        return false;
    }
    request->key_id = admission.key_id;
    (void)snprintf(request->key_label, sizeof request->key_label, "%s", admission.label);
    return true;
}

bool http_charge(struct http_request *request, uint64_t units)
{
    const struct http_auth *auth = http_exchange_auth(request);
    if (units == 0 || auth == NULL || request->key_id == 0) {
        return true;
    }
    struct http_caller caller = {.key = SLICE_NONE,
                                 .key_id = request->key_id,
                                 .scope = request->route->scope,
                                 .client = request->client,
                                 .units = units};
    struct http_admission admission = {.outcome = HTTP_KEY_UNKNOWN};
    auth->admit(auth->context, &caller, &admission);
    if (admission.outcome != HTTP_ADMITTED) {
        refuse(request, &admission);
    }
    return admission.outcome == HTTP_ADMITTED;
}
