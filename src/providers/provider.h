/* providers/provider: who is on the other side: recognition of a provider by MX suffix, domain and
 * banner, with its traits and limits, from data/providers/. Pure: texts of files are arguments.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_PROVIDER_H
#define PROVIDERS_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum provider_class {
    PROVIDER_WEBMAIL,
    PROVIDER_BUSINESS,
    PROVIDER_GATEWAY,
    PROVIDER_ISP,
    PROVIDER_HOSTING,
    PROVIDER_FORWARDER,
    PROVIDER_SELFHOSTED, /* the default for those nobody knows */
};

enum provider_trait {
    PROVIDER_ACCEPTS_ALL = 1 << 0, /* a 2xx at RCPT carries no signal */
    PROVIDER_SELECTIVE = 1 << 1,   /* a 2xx is selective by itself: no control probe is needed */
    PROVIDER_NEEDS_TLS = 1 << 2,
    PROVIDER_FORBIDS_PROBING = 1 << 3, /* says so in public: asked with the least pressure */
    PROVIDER_SKIP = 1 << 4,            /* not probed at all (a user's setting) */
    PROVIDER_CONTROL_MEANINGLESS = 1 << 5,
    PROVIDER_ONE_RCPT = 1 << 6, /* one RCPT a transaction */
    PROVIDER_TARPITS = 1 << 7,
};

struct provider {
    struct slice name;  /* "google", "microsoft365": as in rule files */
    struct slice label; /* for people: "Google" */
    enum provider_class class;
    unsigned traits;
    unsigned connections_max; /* at once from one egress; 0: the default */
    unsigned rcpts_per_connection;
    unsigned invalids_per_session;
    unsigned invalids_per_hour;
    unsigned connection_gap_ms; /* least time between two new connections */
    struct slice where;         /* file:line */
};

struct provider_book;

struct provider_source {
    struct slice name;
    struct slice text;
};

enum err provider_book_compile(const struct provider_source *sources, size_t count,
                               struct provider_book **out, struct fault *out_fault) MUST_USE;
void provider_book_free(struct provider_book *book);

/* Never NULL: the entry named "default" answers for those nobody knows. Longest MX suffix wins. */
const struct provider *provider_by_host(const struct provider_book *book, struct slice mx_host);
/* A domain that is listed by itself (gmail.com); NULL where it is not. */
const struct provider *provider_by_domain(const struct provider_book *book, struct slice domain);
/* By fragments of the greeting; NULL where none fits. */
const struct provider *provider_by_banner(const struct provider_book *book, struct slice banner);
/* By its name or another that people use for it ("hotmail"), in any case; NULL where there is none. */
const struct provider *provider_by_name(const struct provider_book *book, struct slice name);
const char *provider_class_name(enum provider_class class);

#endif
