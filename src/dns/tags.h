/* dns/tags: the "tag=value" lists that policies in TXT records are made of: DKIM keys (RFC 6376 3.2), DMARC
 * (RFC 7489 6.4), MTA-STS (RFC 8461 3.1), TLS reporting (RFC 8460 3), BIMI.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_TAGS_H
#define DNS_TAGS_H

#include <stdbool.h>

#include "base/attr.h"

struct dns_tag {
    struct slice name, value; /* without white space around them; within the text */
};

enum dns_tag_read { DNS_TAG_READ, DNS_TAG_END, DNS_TAG_BAD };

/* Cuts the next one from the front of *rest. DNS_TAG_BAD: a part that is no tag; it is in out->name, and reading may
 * go on behind it. */
enum dns_tag_read dns_tag_next(struct slice *rest, struct dns_tag *out);

/* The first of that name, whose case does not matter. False: there is none. */
bool dns_tag_find(struct slice list, struct slice name, struct slice *out_value);

/* A part of it is no tag: that part; empty where all are. */
struct slice dns_tags_bad(struct slice list);

#endif
