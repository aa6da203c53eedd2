/* engine/public_suffix: the Public Suffix List (publicsuffix.org) through libpsl: where the names begin that anybody can
 * register, and so which domain is whose. Does not change once it is open: threads may share one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_PUBLIC_SUFFIX_H
#define ENGINE_PUBLIC_SUFFIX_H

#include "base/err.h"
#include "dns/route.h"

struct public_suffix;

/* path: a list as publicsuffix.org has it, or its compiled form; NULL: that of the Debian package publicsuffix, else the
 * one built into libpsl. ERR_SYSTEM: it cannot be read; the fault says which. ERR_NOMEM. */
enum err public_suffix_open(const char *path, struct public_suffix **out, struct fault *out_fault)
    MUST_USE;
void public_suffix_close(struct public_suffix *list); /* NULL is fine */

/* The public suffix and one label in front of it (RFC 7489 3.2: the organizational domain): "example.co.uk" of
 * "mail.example.co.uk". Of a public suffix itself, and of what is under no known one, as of RFC 7489: unknown ones
 * count as public suffixes of one label; the domain itself if nothing is left. In ASCII, lower case, without the last
 * dot; domain may be Unicode. False: it is no name of DNS. */
bool public_suffix_organizational(const struct public_suffix *list, struct slice domain,
                                  char out[DNS_NAME_BYTES]);

/* Whether the name itself is a public suffix. */
bool public_suffix_is(const struct public_suffix *list, struct slice domain);

#endif
