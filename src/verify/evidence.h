/* verify/evidence: one thing that was learned while knocking, as a plain value. The engine makes it from
 * a conversation, the case (verify/case) collects it, the verdict is a pure function of it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_EVIDENCE_H
#define VERIFY_EVIDENCE_H

#include "base/ip.h"
#include "providers/classify.h"

enum {
    EVIDENCE_TEXT_BYTES = 512, /* of a reply's text; more is cut */
};

enum probe_role {
    PROBE_REAL,       /* the address asked for */
    PROBE_CONTROL,    /* a local part that cannot exist */
    PROBE_POSTMASTER, /* must exist everywhere (RFC 5321 4.5.1): tells blanket refusals */
};

enum evidence_kind {
    EVIDENCE_REPLY,           /* a reply at `stage` that decided the probe: RCPT's answer, or an
                                 earlier refusal */
    EVIDENCE_CONNECT_REFUSED, /* no address of the exchanger could be reached */
    EVIDENCE_CONNECT_TIMEOUT,
    EVIDENCE_TIMEOUT,          /* waiting at `stage` */
    EVIDENCE_DISCONNECTED,     /* the line ended at `stage` */
    EVIDENCE_PROTOCOL_ERROR,   /* the peer does not speak SMTP */
    EVIDENCE_TLS_FAILED,       /* the server demands TLS, and the handshake failed */
    EVIDENCE_UTF8_UNSUPPORTED, /* the local part needs SMTPUTF8 (RFC 6531), which is not offered */
    EVIDENCE_SKIPPED,          /* not asked; `skip` says why */
    EVIDENCE_LOCAL,            /* our own trouble: descriptors, memory, source address, proxy */
};

enum skip_reason {
    SKIP_NONE,
    SKIP_PROVIDER_POLICY,  /* the provider is set to skip */
    SKIP_EGRESS_UNHEALTHY, /* blocked there, no other way out */
    SKIP_BUDGET, /* a limit (invalid RCPTs per hour) leaves no room within the time given */
    SKIP_CANCELLED,
};

struct evidence {
    enum probe_role role;
    enum evidence_kind kind;
    enum hel_smtp_stage stage;
    enum skip_reason skip;
    uint8_t exchanger; /* index into the route */
    uint8_t egress;    /* the way out it was asked through, as the engine numbers them */
    bool is_null_sender;
    bool has_other_egress; /* another way out was well there when this came */
    bool
        is_hearsay; /* said to others who asked there, when no way out is left: this one was not asked */
    struct ip ip; /* family IP_NONE: none was reached */
    uint64_t at_ms;

    /* EVIDENCE_REPLY; text (at the end) also for TLS and local trouble (our own words then) */
    uint16_t code;
    struct hel_enhanced enhanced;
    bool has_mixed_codes;
    struct classification class;

    /* The session this was asked in: poisoned sessions are told by these. */
    uint32_t session;          /* number of the connection, unique in a run */
    uint16_t session_rcpts;    /* RCPTs answered in it before this one */
    uint16_t session_refusals; /* of these, refused ones */
    bool is_vindicated;  /* an acceptance: the same session refused an unknown mailbox after it */
    uint32_t latency_ms; /* of the deciding answer */

    char text
        [EVIDENCE_TEXT_BYTES]; /* raw, NUL bytes replaced, NUL-terminated; last: see evidence_copy */
};

/* The same as assignment, without the bytes behind the text: most are short, and there are many. */
void evidence_copy(struct evidence *to, const struct evidence *from);

const char *probe_role_name(enum probe_role role);
const char *evidence_kind_name(enum evidence_kind kind);
const char *skip_reason_name(enum skip_reason reason);

#endif
