/* sim/peer: a scripted SMTP server as a machine without I/O: what real servers do to those who knock, as
 * data. One struct peer_server is the far end with its memory (greylist, visits, counts); one struct peer is
 * one connection to it. The demo village runs peers on loopback, sim/world on the virtual network.
 *
 *     static const struct peer_script grey = {.live = {"jane"}, .greylist_s = 300};
 *     static const struct peer_script full = {.live = {"jane"}, .rules = {
 *         {PEER_AT_RCPT, .who = "full", .say = "452 4.2.2 The recipient's mailbox is over quota"}}};
 *
 * Not a mail server: it keeps no message, and what it accepts it forgets.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

enum {
    PEER_LIVE_MAX = 24,
    PEER_RULES_MAX = 16,
    PEER_EXTENSIONS_MAX = 12,
    PEER_NAMES_MAX = 256, /* distinct names remembered of each kind */
    PEER_LINE_BYTES_MAX = 4096,
};

enum peer_at {
    PEER_AT_BANNER,
    PEER_AT_EHLO,
    PEER_AT_HELO,
    PEER_AT_STARTTLS,
    PEER_AT_MAIL,
    PEER_AT_RCPT,
    PEER_AT_DATA,
    PEER_AT_RSET,
    PEER_AT_QUIT,
    PEER_AT_COUNT,
};

/* When all conditions hold (a zero one always does), `say` is the answer instead of the honest one. The first
 * rule that fits decides. Text: lines separated by "\n", each with its code as sent; CRLF is added. In it
 * %r is the recipient (RCPT), %f the sender, %l the local part, %i the client's address, %h the peer's name,
 * %0 a NUL byte, %8 a byte that is not ASCII, %% a percent sign. say NULL: the honest answer, with this
 * rule's delay and close. */
struct peer_rule {
    enum peer_at at;
    const char *
        who; /* RCPT: a local part, "*" everybody, "+" those who exist, "-" those who do not; NULL: everybody.
                        MAIL: the sender's path ("" is the null sender), "*" everybody. EHLO: the name. */
    const char *say;
    unsigned from, to; /* the n-th command of this kind in the session, from 1; to 0: for ever */
    unsigned from_in_transaction;  /* RCPT: at least the n-th of its transaction */
    unsigned from_visit, to_visit; /* the n-th connection of this client's address, from 1 */
    unsigned after_bad; /* at least so many recipients were refused with 5xx in this session */
    unsigned times;  /* only the first n times that this rule fits for this recipient (or client) */
    uint32_t for_ms; /* only so long after this recipient (or client) was first seen */
    uint32_t delay_ms;  /* before the answer */
    const char *client; /* only from this address; NULL: from any */
    bool is_plain_only; /* only before TLS */
    bool counts_as_bad; /* counts for after_bad though its code is not 5xx */
    bool closes;        /* after the answer; say "" closes without a word */
};

enum peer_catch_all {
    PEER_CATCH_ALL_NO,
    PEER_CATCH_ALL_YES,
    PEER_CATCH_ALL_SHORT, /* local parts up to catch_all_bytes */
    PEER_CATCH_ALL_NAMES, /* first.last only: two runs of letters with one dot */
};

enum peer_greylist {
    PEER_GREYLIST_TRIPLET, /* client address, sender, recipient; at RCPT */
    PEER_GREYLIST_MAIL,    /* client address and sender; at MAIL */
    PEER_GREYLIST_CLIENT,  /* client address alone; at RCPT */
};

enum peer_tls {
    PEER_TLS_NONE,    /* STARTTLS is not offered */
    PEER_TLS_GOOD,    /* the certificate is its owner's choice (is_cert_expired) */
    PEER_TLS_GARBAGE, /* 220, then bytes that are no TLS, then closed */
    PEER_TLS_INJECTED, /* a plaintext reply follows the 220 in the same packet, then TLS as it should be */
};

/* What becomes of two RCPTs that came together (RFC 2920), of a server that offers PIPELINING and does not bear it. */
enum peer_grouping {
    PEER_GROUPS_GOOD,
    PEER_GROUPS_SWALLOWED, /* the second is never answered */
    PEER_GROUPS_REFUSED,   /* the second is 503 */
    PEER_GROUPS_CROSSED,   /* the second is answered first */
};

enum peer_tongue {
    PEER_SPEAKS_SMTP,
    PEER_SPEAKS_HTTP, /* an HTTP/1.0 error for whatever comes, at once */
    PEER_SPEAKS_ECHO, /* a banner, then all it hears */
    PEER_SPEAKS_TLS,  /* a TLS alert at once, as servers of port 465 send to plaintext */
    PEER_SPEAKS_NOTHING,
    PEER_SPEAKS_FLOOD, /* flood_bytes of banner lines that never end */
};

struct peer_script {
    const char *name; /* in banner and EHLO; NULL: "mx.peer.example" */
    const char *live
        [PEER_LIVE_MAX]; /* local parts, or whole addresses; any case unless is_case_sensitive */
    const char *domains
        [PEER_LIVE_MAX]; /* others are refused as relaying; none given: every domain is served */
    const char *ok, *unknown, *relay_denied; /* instead of the usual 250, 550 5.1.1, 554 5.7.1 */
    /* What is at a path that `live` does not name. NULL: no such mailbox; "": one that takes mail; else the
     * answer to RCPT, as in a rule. For servers with more mailboxes than a list can hold. */
    const char *(*mailbox)(const void *context, struct slice path);
    const void *mailbox_context;
    enum peer_catch_all catch_all;
    unsigned catch_all_bytes;
    struct peer_rule rules[PEER_RULES_MAX]; /* up to the first with neither say, delay nor close */

    uint32_t greylist_s; /* 0: none */
    enum peer_greylist greylist_kind;
    const char *greylist_say;  /* NULL: 451 4.7.1; %d is the number of seconds left */
    bool greylist_restarts;    /* asking too early starts the time again */
    bool greylist_spares_dead; /* unknown recipients get their 550 at once */

    const char *extensions
        [PEER_EXTENSIONS_MAX];      /* EHLO lines; none given: PIPELINING, SIZE 52428800, 8BITMIME,
                                                    ENHANCEDSTATUSCODES; "" alone: none at all */
    bool has_smtputf8, has_no_ehlo; /* the latter: EHLO is 502, HELO works */
    enum peer_tls tls;
    bool is_tls_required; /* MAIL before TLS is answered with 530 */
    bool is_cert_expired; /* for who shows the certificate */

    unsigned connections_max; /* the next gets 421 and is closed; 0: any number */
    unsigned block_after_bad; /* so many refused recipients of a client's address in an hour ... */
    uint32_t block_s;         /* ... and all it asks is refused with 550 5.7.1 for so long */
    bool is_case_sensitive;
    bool closes_after_bad; /* right after the first 5xx to RCPT */

    uint32_t banner_delay_ms, delay_ms; /* before the banner; before every other answer */
    uint32_t rcpt_delay_min_ms, rcpt_delay_max_ms; /* a random time between them, RCPT only */
    uint32_t bad_delay_ms;                         /* before each 5xx to RCPT: a tarpit */
    unsigned banner_lines, ehlo_lines;             /* at least so many lines */
    unsigned chunk_bytes; /* 0: whole answers at once; else so many bytes together ... */
    uint32_t chunk_ms;    /* ... and so long between them */
    bool is_bunching; /* answers to commands that came together leave in one piece (RFC 2920 3.2) */
    enum peer_grouping grouping;
    bool has_bare_lf; /* lines end with LF alone */
    enum peer_tongue tongue;
    uint32_t flood_bytes;
};

struct peer_server;
struct peer;

/* Distinct names as they were first seen; names are owned by the server. */
struct peer_names {
    unsigned count;
    unsigned dropped; /* did not fit any more */
    char *at[PEER_NAMES_MAX];
};

/* What the server saw: for asserts on every run. */
struct peer_seen {
    uint64_t connections, open, open_peak;
    uint64_t commands[PEER_AT_COUNT];     /* BANNER counts banners sent */
    uint64_t bdat, vrfy, expn, others;    /* others: verbs that are none of ours */
    uint64_t accepted, refused, deferred; /* answers to RCPT: 2xx, 5xx, 4xx */
    uint64_t blocked;                     /* answers given because of block_after_bad */
    uint64_t left_without_quit; /* lines that the client closed while ours was up, without QUIT */
    uint64_t
        early_commands;  /* sent before banner or EHLO's answer was out, or pipelined unoffered */
    unsigned rcpts_peak; /* RCPTs in one session */
    unsigned bad_peak;   /* refused RCPTs in one session */
    struct peer_names helo, senders, recipients;
};

/* One answer to RCPT, as it was decided. */
struct peer_rcpt {
    struct slice path;
    unsigned code;           /* 0: closed without a word */
    unsigned rcpts, refused; /* of this session, this one included */
};

/* Somebody who keeps count beside the server. */
struct peer_observer {
    void (*came)(void *context); /* a connection, counted in seen.open already */
    void (*answered)(void *context, const struct peer_rcpt *rcpt, uint64_t now_ms);
};

/* script is borrowed. seed: for random delays. ERR_NOMEM. */
enum err peer_server_new(const struct peer_script *script, uint64_t seed, struct peer_server **out)
    MUST_USE;
void peer_server_free(struct peer_server *server); /* after its peers */
const struct peer_seen *peer_server_seen(const struct peer_server *server);
/* Speaks by this one from now on; the memory stays. */
void peer_server_change(struct peer_server *server, const struct peer_script *script);
const struct peer_script *peer_server_script(const struct peer_server *server);
/* observer and context are borrowed. */
void peer_server_observe(struct peer_server *server, const struct peer_observer *observer,
                         void *context);

/* A connection from this address. server must outlive it. ERR_NOMEM. */
enum err peer_new(struct peer_server *server, const struct ip *client, uint64_t now_ms,
                  struct peer **out) MUST_USE;
void peer_free(struct peer *peer);

/* Bytes from the client (decrypted after peer_tls_done). */
void peer_received(struct peer *peer, struct slice bytes, uint64_t now_ms);

/* True: *out_bytes are to be sent now (lent until the next call) and *out_at_ms is when they were due; call
 * again. False: nothing now; *out_at_ms is when to call again, UINT64_MAX: not before something is received. */
bool peer_next_output(struct peer *peer, uint64_t now_ms, struct slice *out_bytes,
                      uint64_t *out_at_ms);

/* Both are true only after all output was taken. */
bool peer_wants_tls(const struct peer *peer); /* shake hands as a server, then call peer_tls_done */
bool peer_wants_close(const struct peer *peer);
void peer_tls_done(struct peer *peer, uint64_t now_ms);

/* The client closed or the line broke; peer_free follows. */
void peer_left(struct peer *peer);

#endif
