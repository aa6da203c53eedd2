/* net/curl: the functions of libcurl that this program calls, loaded when the first request goes out, as net/openssl
 * does it and for the same reason: libcurl brings OpenSSL and a dozen libraries with it, and a run that only knocks
 * needs none of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_CURL_H
#define NET_CURL_H

/* The checks are macros over the functions' names, which members of a table cannot go through. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "net/library.h"

/* clang-format off */
#define CURL_FUNCTIONS(each) \
    each(curl_easy_cleanup) \
    each(curl_easy_getinfo) \
    each(curl_easy_init) \
    each(curl_easy_setopt) \
    each(curl_easy_strerror) \
    each(curl_free) \
    each(curl_global_init) \
    each(curl_multi_add_handle) \
    each(curl_multi_assign) \
    each(curl_multi_cleanup) \
    each(curl_multi_info_read) \
    each(curl_multi_init) \
    each(curl_multi_remove_handle) \
    each(curl_multi_setopt) \
    each(curl_multi_socket_action) \
    each(curl_slist_append) \
    each(curl_slist_free_all) \
    each(curl_url) \
    each(curl_url_cleanup) \
    each(curl_url_get) \
    each(curl_url_set) \
    each(curl_url_strerror)
/* clang-format on */

/* Each function under its own name, with the type that its header gives it. */
struct curl {
    CURL_FUNCTIONS(LIBRARY_MEMBER)
};

/* Fills the table; the library stays until the process ends. ERR_SYSTEM: it is not installed, lacks a function or does
 * not start; *out_fault says which. From one thread at a time. */
enum err curl_load(struct curl *out, struct fault *out_fault) MUST_USE;

#endif
