/* dns/spf: whether a domain lets an address send mail in its name (RFC 7208): a machine that evaluates its
 * policy. It sends nothing: take its questions, give it the answers; one question is open at a time.
 *
 *     spf_new -> loop { next -> question; answered(...) } until is_done -> outcome -> free
 *
 * Bounded by the limits of RFC 7208 4.6.4: ten terms that ask, two answers without records, ten names each. The
 * explanation of a fail (exp=) is fetched on request only; else only its grammar is looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_SPF_H
#define DNS_SPF_H

#include "dns/answer.h"

enum {
    SPF_LOOKUPS_MAX = 10,
    SPF_VOIDS_MAX = 2,
    SPF_NAMES_MAX = 10,          /* exchangers of an mx, names of a ptr */
    SPF_RECORD_BYTES_MAX = 8192, /* many times what RFC 7208 3.4 advises */
    SPF_TERM_BYTES = 256,
    SPF_EXPLANATION_BYTES = 1024,
};

/* RFC 7208 2.6 */
enum spf_result {
    SPF_NONE, /* the domain says nothing */
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR,
    SPF_PERMERROR,
};

/* What is behind an error. */
enum spf_fault {
    SPF_FAULT_NONE,
    SPF_FAULT_SYNTAX,
    SPF_FAULT_SEVERAL_RECORDS,
    SPF_FAULT_TOO_LONG,
    SPF_FAULT_LOOKUPS,    /* more than SPF_LOOKUPS_MAX terms that ask */
    SPF_FAULT_VOIDS,      /* more than SPF_VOIDS_MAX questions without an answer */
    SPF_FAULT_EXCHANGERS, /* an mx with more than SPF_NAMES_MAX of them */
    SPF_FAULT_NO_POLICY,  /* an include or redirect leads to a domain without one */
    SPF_FAULT_DNS,        /* a question failed: this may be over soon */
};

struct spf_request {
    struct ip ip; /* who sends; an IPv4-mapped IPv6 address is taken as the IPv4 inside */
    struct slice
        sender; /* MAIL FROM, "local@domain"; empty: postmaster of the EHLO name (RFC 7208 2.4) */
    struct slice helo;      /* the EHLO name */
    bool wants_explanation; /* of a fail; takes further questions, which do not count */
    /* For the macros of explanations (RFC 7208 7.2), with wants_explanation: */
    struct slice receiver; /* r: the name of who asks; empty: "unknown" */
    int64_t now_s;         /* t: Unix time */
};

struct spf_outcome {
    enum spf_result result;
    enum spf_fault fault;        /* SPF_FAULT_NONE unless the result is an error */
    char domain[DNS_NAME_BYTES]; /* whose policy decided or is at fault */
    char term[SPF_TERM_BYTES];   /* of it, that matched or is at fault; cut; empty: none */
    unsigned lookups, voids;     /* counted towards the limits */
    char explanation
        [SPF_EXPLANATION_BYTES]; /* of a fail, in ASCII, a stranger's words; empty: none */
};

struct spf;

/* ERR_SYNTAX for no address or names that are too long; ERR_NOMEM. The request is copied. */
enum err spf_new(const struct spf_request *request, struct spf **out) MUST_USE;
void spf_free(struct spf *spf); /* NULL is fine */

/* True: ask this; the name is valid until it is answered. */
bool spf_next(struct spf *spf, struct slice *out_name, uint16_t *out_type);
void spf_answered(struct spf *spf, enum dns_transport transport, struct slice message);
bool spf_is_done(const struct spf *spf);

/* Of one that is done. Lives as long as the machine. */
const struct spf_outcome *spf_outcome(const struct spf *spf);

const char *spf_result_name(enum spf_result result); /* "none", "pass", ...: RFC 8601 2.7.2 */
const char *spf_fault_text(enum spf_fault fault);    /* in words, without full stop; "" for none */

#endif
