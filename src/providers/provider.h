/* providers/provider: who is on the other side: recognition of a provider by MX suffix, domain and
 * banner, with its traits, limits and timeouts, from data/providers/ and from a user's own files, which
 * are merged over ours value by value. Everything is settled when the files are compiled: a question
 * costs a look into a table. Pure: texts of files are arguments.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_PROVIDER_H
#define PROVIDERS_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "heloise/smtp_client.h"

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
    PROVIDER_NEEDS_TLS = 1 << 2,   /* plain text is no way out where TLS breaks */
    PROVIDER_FORBIDS_PROBING = 1 << 3, /* says so in public: asked with the least pressure */
    PROVIDER_SKIP = 1 << 4,            /* not probed at all (a user's setting) */
    PROVIDER_CONTROL_MEANINGLESS = 1 << 5,
    PROVIDER_ONE_RCPT = 1 << 6, /* one RCPT a transaction */
    PROVIDER_TARPITS = 1 << 7,  /* waited out: the timeouts of RFC 5321 4.5.3.2 */
};

enum { PROVIDER_TRAIT_COUNT = 8 };

enum provider_limit {
    PROVIDER_CONNECTIONS,       /* at once from one egress */
    PROVIDER_CONNECTION_GAP_MS, /* least time between two new connections */
    PROVIDER_RCPTS_PER_CONNECTION,
    PROVIDER_TRANSACTIONS_PER_CONNECTION,
    PROVIDER_RCPTS_PER_TRANSACTION,
    PROVIDER_PIPELINED_RCPTS,      /* sent and not answered yet, on one connection */
    PROVIDER_RCPT_GAP_MS,          /* least time between two RCPTs, on whatever connection */
    PROVIDER_INVALIDS_PER_SESSION, /* refused RCPTs before the connection is left */
    PROVIDER_INVALIDS_PER_HOUR,
    PROVIDER_COOLDOWN_S, /* no new connection for so long after a word about rate or reputation */
    PROVIDER_LIMIT_COUNT,
};

/* What Postfix, which offers and uses PIPELINING everywhere, sends in one go (default_destination_recipient_limit). */
enum { PROVIDER_PIPELINED_RCPTS_MAX = 50 };

struct provider {
    struct slice name;  /* "google", "microsoft365": as in rule files */
    struct slice label; /* for people: "Google" */
    enum provider_class class;
    unsigned traits;
    unsigned limits[PROVIDER_LIMIT_COUNT];     /* every one is set */
    uint32_t timeout_ms[HEL_SMTP_STAGE_COUNT]; /* 0: the engine's own */
    struct slice source, date;                 /* where this is known from, and since when */
    struct slice where;                        /* file:line of its entry */
    struct provider_origin *origin;            /* the book's: which line said what */
};

struct provider_book;

struct provider_source {
    struct slice name;
    struct slice text;
    /* A user's own file. It goes over all sources before it: its entries may name providers that are there,
     * and change only what they say; its names (mx, domain, alias, banner) are taken from whoever had them. */
    bool is_overlay;
};

enum {
    PROVIDER_FAULTS_MAX = 100, /* that are told; the others are only counted */
    PROVIDER_REPORT_BYTES_MAX = 1 << 18,
};

/* ERR_SYNTAX with the first fault in *out_fault ("FILE:LINE: what"), ERR_NOMEM. */
enum err provider_book_compile(const struct provider_source *sources, size_t count,
                               struct provider_book **out, struct fault *out_fault) MUST_USE;
/* The same, and appends every fault to out_report (which may be NULL), a line for each; printable. */
enum err provider_book_compile_telling(const struct provider_source *sources, size_t count,
                                       struct buf *out_report, struct provider_book **out,
                                       struct fault *out_fault) MUST_USE;
void provider_book_free(struct provider_book *book);

/* What the user's own files did. */
struct provider_counts {
    unsigned providers; /* in the book */
    unsigned changed;   /* entries for providers that were there */
    unsigned added;
    unsigned values; /* limits, timeouts, traits and other values set */
    unsigned names;  /* mx, domain, alias, banner */
};
void provider_book_count(const struct provider_book *book, struct provider_counts *out);

/* In the order of the files; NULL behind the last. */
const struct provider *provider_at(const struct provider_book *book, size_t index);

/* Never NULL: the entry named "default" answers for those nobody knows. Longest MX suffix wins. */
const struct provider *provider_by_host(const struct provider_book *book, struct slice mx_host);
/* A domain that is listed by itself (gmail.com); NULL where it is not. */
const struct provider *provider_by_domain(const struct provider_book *book, struct slice domain);
/* By fragments of the greeting; NULL where none fits. */
const struct provider *provider_by_banner(const struct provider_book *book, struct slice banner);
/* By its name or another that people use for it ("hotmail"), in any case; NULL where there is none. */
const struct provider *provider_by_name(const struct provider_book *book, struct slice name);
/* Who serves a domain: its best exchanger tells it; where nobody knows that host, a listed domain does.
 * mx_host may be empty. Never NULL. */
const struct provider *provider_serving(const struct provider_book *book, struct slice domain,
                                        struct slice mx_host);

const char *provider_class_name(enum provider_class class);

/* For people: what holds, and who said so. */

enum { PROVIDER_WHERE_BYTES = 256 };

/* The name of the file that told the provider; provider NULL: none did. */
struct provider_match {
    const struct provider *provider;
    struct slice name;
    char where[PROVIDER_WHERE_BYTES]; /* "FILE:LINE" */
};
void provider_match_host(const struct provider_book *book, struct slice mx_host,
                         struct provider_match *out);
void provider_match_domain(const struct provider_book *book, struct slice domain,
                           struct provider_match *out);

struct provider_setting {
    char key[32]; /* as in the files: "rcpts", "timeout rcpt" */
    const char *meaning;
    uint32_t value;                   /* timeouts in seconds, 0: the engine's own; traits: 1 */
    char where[PROVIDER_WHERE_BYTES]; /* "FILE:LINE", "default", or the trait that implies it */
};
/* Limits and timeouts, from index 0; false behind the last. */
bool provider_setting_at(const struct provider_book *book, const struct provider *provider,
                         size_t index, struct provider_setting *out);
/* The traits it has, in the same way. */
bool provider_trait_at(const struct provider_book *book, const struct provider *provider,
                       size_t index, struct provider_setting *out);

#endif
