/* message/dmarc: what a domain asks others to do with mail that pretends to come from it (RFC 7489), as records, their
 * search, and a pure judgement of a message. Organizational domains are arguments: engine/public_suffix finds them.
 *
 * Where the revision of DMARC (draft-ietf-dmarc-dmarcbis) differs, it is told here: it drops pct=, rf= and ri=, adds np=, psd=
 * and t=, and finds the organizational domain by a walk up the names instead of the Public Suffix List. Its tags are
 * read and given out (DMARC_FINDING_UNKNOWN_TAG is not for them); the judgement is that of RFC 7489, with np= and
 * t= told only.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MESSAGE_DMARC_H
#define MESSAGE_DMARC_H

#include "dns/answer.h"

enum {
    DMARC_TEXT_BYTES = 4096, /* of a record; longer ones are none */
    DMARC_URIS_MAX = 16,
    DMARC_FINDINGS_MAX = 32,
};

enum dmarc_policy {
    DMARC_POLICY_UNSET,
    DMARC_POLICY_NONE,
    DMARC_POLICY_QUARANTINE,
    DMARC_POLICY_REJECT
};

enum dmarc_alignment { DMARC_RELAXED, DMARC_STRICT };

/* RFC 7489 6.3, fo=: when failure reports are wanted. */
enum {
    DMARC_REPORT_ALL_FAIL = 1,
    DMARC_REPORT_ANY_FAIL = 2,
    DMARC_REPORT_DKIM = 4,
    DMARC_REPORT_SPF = 8
};

struct dmarc_uri {
    struct slice text; /* all of it, without the size */
    struct slice
        address; /* of a mailto: URI what stands behind "mailto:", still percent-encoded; empty: another scheme */
    struct slice host;  /* the domain of that address */
    uint64_t bytes_max; /* "!10m"; 0: none is named */
};

/* What is wrong with a record, or worth a word. */
enum dmarc_finding_kind {
    DMARC_FINDING_SYNTAX, /* a piece that is no tag */
    DMARC_FINDING_DOUBLE_TAG,
    DMARC_FINDING_UNKNOWN_TAG, /* is ignored */
    DMARC_FINDING_NO_POLICY,   /* p= is missing */
    DMARC_FINDING_POLICY_PLACE, /* p= is not the second tag (RFC 7489 6.4; DMARCbis takes it anywhere) */
    DMARC_FINDING_POLICY,       /* p= has no value that there is */
    DMARC_FINDING_SUBDOMAIN_POLICY,    /* the same of sp= */
    DMARC_FINDING_NON_EXISTENT_POLICY, /* of np= (RFC 9091) */
    DMARC_FINDING_ALIGNMENT,           /* of adkim=, aspf= */
    DMARC_FINDING_PERCENT,             /* pct= is no number up to 100 */
    DMARC_FINDING_OPTIONS,             /* fo= */
    DMARC_FINDING_FORMAT,              /* rf= */
    DMARC_FINDING_INTERVAL,            /* ri= */
    DMARC_FINDING_PSD,                 /* psd= */
    DMARC_FINDING_TESTING,             /* t= has no value that there is */
    DMARC_FINDING_URI,                 /* rua=, ruf=: no URI */
    DMARC_FINDING_URI_SCHEME,          /* no mailto: */
    DMARC_FINDING_URI_SIZE,            /* the size behind "!" */
    DMARC_FINDING_TOO_MANY_URIS,       /* beyond DMARC_URIS_MAX */
    DMARC_FINDING_DROPPED_TAG,         /* pct=, rf=, ri=: DMARCbis does without */
};

struct dmarc_finding {
    enum dmarc_finding_kind kind;
    struct slice text; /* the tag or value; borrowed from the record */
};

struct dmarc_record {
    enum dmarc_policy policy;                           /* p=; never UNSET of a record that holds */
    enum dmarc_policy subdomain_policy;                 /* sp=; UNSET: that of p= */
    enum dmarc_policy non_existent_policy;              /* np=; UNSET: that of sp= */
    enum dmarc_alignment dkim_alignment, spf_alignment; /* adkim=, aspf= */
    unsigned percent;                                   /* pct=; 100 */
    unsigned failure_options;                           /* fo= */
    uint32_t interval_s;                                /* ri=; 86400 */
    char psd;                                           /* psd=: 'y', 'n' or 'u' */
    bool is_testing;                                    /* t=y */
    size_t aggregate_count, failure_count;
    struct dmarc_uri aggregate[DMARC_URIS_MAX], failure[DMARC_URIS_MAX]; /* rua=, ruf= */
    size_t finding_count;
    struct dmarc_finding findings[DMARC_FINDINGS_MAX]; /* the first ones */
};

/* Whether the text is taken for a DMARC record at all: begins with v=DMARC1 (RFC 7489 6.6.3 step 2). */
bool dmarc_is_record(struct slice text);

/* Reads one; slices borrow from text. True: it holds. False: others see no policy, because it is no record, or p= or
 * sp= is wrong and there is no report address (RFC 7489 6.6.3 step 6; with one, p=none is taken). out is filled either
 * way, findings say why. */
bool dmarc_record_read(struct slice text, struct dmarc_record *out);

const char *dmarc_policy_name(enum dmarc_policy policy);      /* "none", ...; "" for UNSET */
const char *dmarc_finding_text(enum dmarc_finding_kind kind); /* in words, without full stop */

/* ---- the search (RFC 7489 6.6.3) ---- */

enum dmarc_search_state {
    DMARC_SEARCH_ASKING,
    DMARC_SEARCH_FOUND,
    DMARC_SEARCH_NONE,    /* nobody has one */
    DMARC_SEARCH_SEVERAL, /* more than one, which counts as none */
    DMARC_SEARCH_BROKEN,  /* one that does not hold: see record.findings */
    DMARC_SEARCH_FAILED,  /* DNS: this may be over soon; failure tells why */
};

/* A machine: init -> loop { next -> question; answered(...) } until the state is another than ASKING. */
struct dmarc_search {
    enum dmarc_search_state state;
    enum dns_failure failure;
    char domain[DNS_NAME_BYTES]; /* asked about */
    char organizational[DNS_NAME_BYTES];
    bool
        is_organizational; /* the record is, or was last looked for, at the organizational domain */
    char name[DNS_NAME_BYTES]; /* of the question, and of the record that was found */
    bool is_sent;
    unsigned aliases;
    char text[DMARC_TEXT_BYTES]; /* of the record, with FOUND and BROKEN */
    size_t text_bytes;
    struct dmarc_record record;
};

/* Names in ASCII, without the last dot. organizational may be the domain itself. ERR_SYNTAX: one is too long. The struct
 * must not be moved afterwards: its record borrows from its text. */
enum err dmarc_search_init(struct dmarc_search *search, struct slice domain,
                           struct slice organizational) MUST_USE;
bool dmarc_search_next(struct dmarc_search *search, struct slice *out_name, uint16_t *out_type);
void dmarc_search_answered(struct dmarc_search *search, enum dns_transport transport,
                           struct slice message);

/* What the record of a search that found one asks for mail from its domain: sp= where it is the record of the
 * organizational domain and the domain is below it, else p=. */
enum dmarc_policy dmarc_policy_for(const struct dmarc_search *search);

/* ---- a message (RFC 7489 3.1, 6.6.2) ---- */

enum { DMARC_DKIM_MAX = 16 };

/* A domain that was authenticated. Lower case, without the last dot. */
struct dmarc_identity {
    struct slice domain, organizational;
};

struct dmarc_facts {
    struct dmarc_identity from; /* of the From field */
    bool has_spf;               /* SPF passed */
    struct dmarc_identity spf;  /* for MAIL FROM, or the EHLO name where that is empty */
    size_t dkim_count;          /* signatures that passed */
    struct dmarc_identity dkim[DMARC_DKIM_MAX]; /* their d= */
    unsigned
        draw; /* 0 to 99, drawn at random by the caller: whether pct= takes the message (RFC 7489 6.6.4) */
};

enum dmarc_result { DMARC_RESULT_PASS, DMARC_RESULT_FAIL };

struct dmarc_outcome {
    enum dmarc_result result;
    bool is_spf_aligned, is_dkim_aligned;
    enum dmarc_policy policy; /* that the domain asks for */
    enum dmarc_policy
        disposition; /* of this message: the next milder one where pct= leaves it out */
};

/* policy: of dmarc_policy_for. */
struct dmarc_outcome dmarc_judge(const struct dmarc_record *record, enum dmarc_policy policy,
                                 const struct dmarc_facts *facts);

/* RFC 7489 3.1.1, 3.1.2: strict, they are the same; relaxed, their organizational domains are. Case apart. */
bool dmarc_is_aligned(const struct dmarc_identity *a, const struct dmarc_identity *b,
                      enum dmarc_alignment alignment);

/* ---- report addresses elsewhere (RFC 7489 7.1) ---- */

/* Whether the host must agree to get reports about the domain: their organizational domains differ. */
bool dmarc_report_is_external(struct slice domain_organizational, struct slice host_organizational);

/* The name that says so: DOMAIN._report._dmarc.HOST; of type TXT. False: it would be too long. */
bool dmarc_report_name(struct slice domain, struct slice host, char out[DNS_NAME_BYTES]);

/* The answer to that question: whether it agrees. One that failed does not; answer->kind tells the difference. */
bool dmarc_report_is_authorised(const struct dns_answer *answer);

#endif
