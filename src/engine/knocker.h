/* engine/knocker: the engine of the knock half: takes addresses, gives records. It joins the machines
 * (dns lookup, verify case, traffic site, SMTP client) to a door, owns sites and domains, shares one
 * probe between callers that ask the same address, and keeps what it learns in a store where given.
 * One knocker belongs to one door and thread. See ARCHITECTURE.md for the flow.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_KNOCKER_H
#define ENGINE_KNOCKER_H

#include "dns/route.h"
#include "engine/knowledge.h"
#include "engine/transcript.h"
#include "net/door.h"
#include "net/proxy.h"
#include "store/store.h"
#include "traffic/egress.h"
#include "verify/case.h"
#include "verify/record.h"

struct knocker;

enum {
    KNOCKER_NETS_MAX = 16,
    KNOCKER_PORT = 25,
};

#define KNOCKER_HELO "localhost.localdomain" /* of a way out that has no name */

/* Several knockers can share the work, each in a thread of its own (engine/crew). A domain is looked up by the one
 * that its name falls to, an address is asked by the one that its site falls to: so the limits of a site are one
 * knocker's own plain numbers. An address that was given to one and belongs to another is sent there. */
struct knocker_errand {
    unsigned to; /* the knocker it belongs to */
    struct slice text, domain;
    void *context; /* the asking call's */
    /* What is known of the domain, where the other has not been told yet, else NULL; borrowed for the call. */
    const struct route *route;
    uint64_t route_until_ms;
    uint32_t dns_ms;
    bool wants_route; /* it was not known: who looked the domain up sends it again, with it */
};
struct knocker_crew {
    unsigned index, count; /* this one, of so many; count 0 or 1: it is alone */
    /* The address is the other's from now on, and gets no answer here. */
    void (*send)(void *context, const struct knocker_errand *errand);
    void *context;
    bool has_claims; /* whoever asks has claimed the address before, in the store */
};

struct knocker_config {
    struct verify_config verify;
    enum hel_address_mode address_mode;
    /* The ways out; traffic_egresses_check holds for them. Where they are several, one with a source of a single
     * family leaves by that family only. Borrowed. */
    const struct traffic_egress *egresses;
    size_t egress_count;
    uint16_t port;                                /* 25 */
    struct ip_net allowed_nets[KNOCKER_NETS_MAX]; /* special networks that may be contacted */
    size_t allowed_net_count;
    uint32_t timeout_ms[HEL_SMTP_STAGE_COUNT];
    unsigned
        fixed_timeouts; /* bits by stage: before those of the provider, who is asked first otherwise */
    uint32_t budget_ms;        /* for one address; 0: none */
    bool is_budget_wall_clock; /* from the question on (someone waits), else only while talking */
    uint32_t flush_ms; /* what is written to the store is committed that soon: others wait for it */
    uint32_t queue_wait_ms_max;    /* a site's hourly limit that binds for longer ends as skipped */
    unsigned connections_max;      /* at once, all sites; one of a crew uses its part of them */
    unsigned per_site_max;         /* 0: the provider's limit */
    unsigned rcpts_per_connection; /* 0: the provider's limit */
    unsigned pipelined_rcpts;   /* 0: the provider's limit; at most PROVIDER_PIPELINED_RCPTS_MAX */
    unsigned invalids_per_hour; /* 0: the provider's limit */
    uint32_t
        park_ms_min; /* who waits so long is kept as a few bytes meanwhile, unless it is watched or a transcript
                             is kept; UINT32_MAX: nobody is */
    bool no_tls;
    bool is_fresh;            /* do not read the cache */
    int64_t cache_age_ms_max; /* 0: as long as the verdict's life */
    bool keeps_transcript;    /* in records */
    bool keeps_preludes;   /* of conversations, for those who want a transcript: knocker_wishes */
    transcript_fn observe; /* every line as it happens; NULL: nobody */
    void *observe_context;
    int64_t began_at_ms; /* see knocker_began_at; 0: when the knocker was made */
    struct signals
        *signals; /* external services, asked last; borrowed; NULL: none. Not in a crew */
    struct knocker_crew crew;
    /* Loads this part of the knowledge, and those before it: the providers when the first route is known, the rest with
     * the first connection. False: it cannot be done; everything asked ends as cancelled. Where
     * it is NULL all is there. */
    bool (*learn)(void *context, enum knowledge_part part);
    void *learn_context;
};

/* Sensible values for everything: RFC 5321 timeouts scaled for probing, the null sender, one way out that is called
 * "default", with what the kernel chooses. */
void knocker_config_init(struct knocker_config *out);

/* The record is lent for the call. A callback may ask again. */
typedef void (*knocker_fn)(void *context, const struct record *record);

/* door, knowledge, config (copied; its slices borrowed) and store (may be NULL) must outlive it. */
enum err knocker_new(struct door *door, const struct knowledge *knowledge,
                     const struct knocker_config *config, struct store *store, struct knocker **out)
    MUST_USE;
/* For one that was made without a store, before it is asked for the first time; the store must outlive it. */
void knocker_use_store(struct knocker *knocker, struct store *store);
/* Begins to look up the domain of what will be asked soon: the name server answers while the store is being opened, at the
 * price of questions in vain where the store has the answer. Text that is no address is left to the question. */
void knocker_look_ahead(struct knocker *knocker, struct slice text);
void knocker_free(struct knocker *knocker); /* after everything was answered; drops open lines */

/* The answer comes from the loop, exactly once. text is copied. ERR_NOMEM. */
enum err knocker_ask(struct knocker *knocker, struct slice text, knocker_fn fn, void *context)
    MUST_USE;

/* What one who asks wants besides what the configuration says for all. Who asks what is being asked already joins it:
 * the transcript begins there. Of what was said before the first probe of a conversation only that is seen which
 * keeps_preludes keeps. */
struct knocker_wishes {
    bool is_fresh;         /* do not read the cache */
    bool keeps_transcript; /* in the record; then it is asked afresh too */
    transcript_fn
        observe; /* every line as it happens, with the context of the question; NULL: nobody. Needs the
                              transcript */
    bool
        is_patient; /* it has time, as lists have: it stands behind the others in every queue, and some of the
                         * connections are left to those; who asks the same and has no time takes it along */
    bool is_live;       /* for knocker_peek and knocker_let_go: somebody waits */
    int64_t age_ms_max; /* no stored answer that is older; 0: as the configuration says */
};
enum err knocker_ask_with(struct knocker *knocker, struct slice text,
                          const struct knocker_wishes *wishes, knocker_fn fn, void *context)
    MUST_USE;

/* What is known by now for who asked with this context, as the record would be if the time were over; it is lent for
 * the call of fn, and the question stays open. False: there is no such live one. Looks through all open ones. */
bool knocker_peek(struct knocker *knocker, void *context, knocker_fn fn) MUST_USE;

/* Who asked with this context gets no answer any more; the question itself goes on, and its answer is kept. Nothing
 * happens where there is no such live one. Looks through all open ones. */
void knocker_let_go(struct knocker *knocker, const void *context);

/* Somebody who asked wants no answers any more. */
struct knocker_leaver {
    void *of;
    bool (*is_leaving)(void *of, knocker_fn fn, const void *context); /* of one question */
    void (*left)(void *of, void *context); /* it gets no answer; context is its maker's again */
};
/* What nobody else asks is given up: at once, or with the answer of the server that it stands before just now. The rest goes
 * on for the others. From the loop, not from an answer; looks through all
 * open questions. ERR_LIMIT, ERR_NOMEM: some may be left, call again soon. */
enum err knocker_leave(struct knocker *knocker, const struct knocker_leaver *leaver) MUST_USE;

/* Which of so many looks a domain up: there an address of it is asked first. */
unsigned knocker_scout(struct slice domain, unsigned count);
/* The same as knocker_ask for an address that another one sent here; with wants_route: sent back. */
enum err knocker_ask_sent(struct knocker *knocker, struct slice text, bool wants_route,
                          knocker_fn fn, void *context) MUST_USE;
/* What another one found out of a domain; route is owned. Where memory is short it is not learned, and addresses that
 * need it go back for it. */
void knocker_learn_route(struct knocker *knocker, struct slice domain, struct route *route,
                         uint64_t until_ms, uint32_t dns_ms);

/* Stops: whatever is still open is answered at once with what is known (skipped, cancelled), lines are
 * left politely. */
void knocker_cancel(struct knocker *knocker);

/* Of what the store knows of an address from earlier only that counts which was seen at least an hour before the run
 * began: the moment at which the knocker was made, or this one. So a run that goes on where it was stopped weighs what it
 * would have weighed without the stop. Unix time. */
void knocker_began_at(struct knocker *knocker, int64_t wall_ms);

/* After everything was answered: what is worth keeping goes to the store, which is not used any more and may be closed.
 * Best done while the last lines wait for the answer to QUIT. ERR_STORE: not all was kept. */
enum err knocker_leave_store(struct knocker *knocker, struct fault *out_fault) MUST_USE;

/* After everything was answered: the knowledge's lists are not held any more, so that they may be dropped. */
void knocker_leave_lists(struct knocker *knocker);

/* Called whenever everything asked was answered and every line is closed. NULL: nobody. */
void knocker_on_idle(struct knocker *knocker, void (*fn)(void *context), void *context);

/* Calls that function now if it is idle already. */
void knocker_settle(struct knocker *knocker);

/* Appends what holds up the answer for whoever asked with this context: "talking to mx.d.example"; printable.
 * Nothing where no such question is open. Looks through all open questions. ERR_LIMIT, ERR_NOMEM. */
enum err knocker_describe(const struct knocker *knocker, const void *context, struct buf *out)
    MUST_USE;

/* Sites that let none of our ways out ask any more, where addresses were answered for that (blocked, or skipped
 * where nothing is known of the cause but that it was so in an earlier run). */
struct knocker_block {
    struct slice who;    /* the provider, or the hosts of a server of its own; lent for the call */
    struct slice said;   /* the last words; empty: in an earlier run */
    unsigned code;       /* of them */
    uint64_t addresses;  /* answered without being asked */
    uint64_t again_in_s; /* when one of them is tried again */
};
typedef void (*knocker_block_fn)(void *context, const struct knocker_block *block);
void knocker_each_block(const struct knocker *knocker, knocker_block_fn fn, void *context);

/* For lists: the key under which equal addresses fall together and the domain; or false for text that is
 * no address, with the record that says why (record_done is owed then). */
struct knocker_identity {
    char key[HEL_WIRE_BYTES];
    char wire[HEL_WIRE_BYTES];
    char domain[HEL_WIRE_BYTES];
};
bool knocker_identify(struct knocker *knocker, struct slice text, struct knocker_identity *out,
                      struct record *out_invalid);

/* The record of what is no address, from any thread; knowledge may be NULL. record_done is owed. */
void knocker_refuse(const struct knowledge *knowledge, const struct hel_address_error *error,
                    int64_t wall_ms, struct record *out);

/* Under which a knocker of this configuration claims an address and stores its verdict: its key, and what else changes
 * the answer: options other than the usual ones. */
enum { KNOCKER_KEY_BYTES = HEL_WIRE_BYTES + 64 };
struct slice knocker_store_key(const struct knocker_config *config, struct slice key,
                               char out[KNOCKER_KEY_BYTES]);

struct knocker_counts {
    uint64_t asked, answered, cached;
    unsigned talking; /* open connections */
    unsigned talking_peak;
    unsigned waiting; /* asks that wait for a time (greylisting), or for one that does */
    unsigned parked;  /* of these, kept as a few bytes */
    uint64_t conversations, probes, control_probes;
    uint64_t connects_failed, connects_good;
    uint64_t store_errors; /* answers that could not be kept */
};
void knocker_count(const struct knocker *knocker, struct knocker_counts *out);
void knocker_counts_add(struct knocker_counts *sum, const struct knocker_counts *one);

#endif
