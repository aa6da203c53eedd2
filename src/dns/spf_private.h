/* dns/spf_private: what spf.c (the evaluation), spf_record.c (terms) and spf_macro.c (macro strings) share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_SPF_PRIVATE_H
#define DNS_SPF_PRIVATE_H

#include "base/reader.h"
#include "dns/spf.h"

enum spf_kind {
    SPF_ALL,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP4,
    SPF_IP6,
    SPF_EXISTS,
    SPF_REDIRECT,
    SPF_EXPLANATION,
    SPF_MODIFIER, /* unknown ones are ignored (RFC 7208 6) */
};

struct spf_term {
    enum spf_kind kind;
    enum spf_result result;   /* of a match, by the qualifier */
    struct slice text;        /* all of it */
    struct slice domain_spec; /* empty: the domain itself */
    struct ip_net net;        /* ip4, ip6 */
    uint8_t bits_v4, bits_v6; /* a, mx */
};

enum spf_read { SPF_READ_TERM, SPF_READ_END, SPF_READ_BAD };

/* The next term. r: what follows "v=spf1". With SPF_READ_BAD out->text is the bad one. */
enum spf_read spf_term_next(struct reader *r, struct spf_term *out);

/* The modifiers that mean something; empty text: there is none. */
struct spf_modifiers {
    struct spf_term redirect, explanation;
};

/* Reads all of it, since a fault anywhere spoils the whole (RFC 7208 4.6). False: *out_bad is the term at fault. */
bool spf_record_check(struct slice terms, struct spf_modifiers *out, struct slice *out_bad);

/* What macros stand for (RFC 7208 7.2). */
struct spf_names {
    struct slice sender, local, sender_domain; /* s, l, o */
    struct slice domain;                       /* d */
    struct slice helo;                         /* h */
    struct slice validated;                    /* p; "unknown" */
    struct ip ip;                              /* i, c, v */
    struct slice receiver;                     /* r */
    int64_t now_s;                             /* t */
};

enum spf_macro_place {
    SPF_MACRO_VALUE, /* of an unknown modifier */
    SPF_MACRO_TARGET, /* a domain-spec, which ends as a domain does and has no macros of explanations */
    SPF_MACRO_EXPLANATION, /* which has spaces (RFC 7208 6.2) */
};

bool spf_macro_check(struct slice text, enum spf_macro_place place);
bool spf_macro_uses(struct slice text, char letter);

/* text has been checked. ERR_LIMIT: too long for out; ERR_NOMEM. */
enum err spf_macro_expand(struct slice text, const struct spf_names *names, struct buf *out)
    MUST_USE;

#endif
