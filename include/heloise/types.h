/* heloise/types: the two types that every public header speaks in: borrowed bytes and error codes.
 * A slice never owns what it points to and is not NUL-terminated; its lender says how long it lives.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HELOISE_TYPES_H
#define HELOISE_TYPES_H

#include <stddef.h>

struct slice {
    const char *at;
    size_t len;
};

/* What went wrong on our own side. Bad news from a peer is data (a reply, a verdict), never an err. */
enum err {
    ERR_NONE,
    ERR_NOMEM,   /* the allocator said no */
    ERR_LIMIT,   /* a ceiling set by the maker of the object was reached */
    ERR_SYNTAX,  /* the input is not in the language asked for */
    ERR_STATE,   /* the call does not fit the state of the object */
    ERR_CLOSED,  /* the other side is gone */
    ERR_TIMEOUT, /* the time given is over */
    ERR_SYSTEM,  /* the operating system said no; errno kept where a fault travels along */
    ERR_STORE,   /* the data store said no */
};

#if defined(__GNUC__)
#    define HEL_PUBLIC __attribute__((visibility("default")))
#    define MUST_USE   __attribute__((warn_unused_result))
#else
#    define HEL_PUBLIC
#    define MUST_USE
#endif

#endif
