/* engine/public_suffix: the Public Suffix List (publicsuffix.org) through libpsl: where the names begin that anybody can
 * register, and so which domain is whose. Does not change once it is open: threads may share one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_PUBLIC_SUFFIX_H
#define ENGINE_PUBLIC_SUFFIX_H

#include "base/err.h"
#include "dns/route.h"

struct public_suffix;

/* path: a list as publicsuffix.org has it, or its compiled form; NULL: the later one of that of the Debian package
 * publicsuffix and the one built into libpsl. ERR_SYSTEM: it cannot be read; the fault says which. ERR_NOMEM. */
enum err public_suffix_open(const char *path, struct public_suffix **out, struct fault *out_fault)
    MUST_USE;
void public_suffix_close(struct public_suffix *list); /* NULL is fine */

/* The public suffix and one label in front of it: "example.co.uk" of "mail.example.co.uk"; a top-level domain that the
 * list does not know is a public suffix. domain: A-labels, or UTF-8; out has it in the same form, in lower case, without
 * the last dot. False: it is a public suffix itself, or no name of DNS. */
bool public_suffix_registrable(const struct public_suffix *list, struct slice domain,
                               char out[DNS_NAME_BYTES]);

/* The organizational domain as DMARC has it (RFC 7489 3.2): the registrable one, or the domain itself where there is
 * none. False: it is no name of DNS. */
bool public_suffix_organizational(const struct public_suffix *list, struct slice domain,
                                  char out[DNS_NAME_BYTES]);

#endif
