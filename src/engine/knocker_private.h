/* engine/knocker_private: what the files of the knocker share: asks (one address each), domains (route
 * and memory), sites (limits) with their hosts (queues of probes and open conversations).
 *
 *     knocker.c   takes questions, shares them, gives answers      ask.c     drives one case
 *     domain.c    finds and keeps routes                           site.c    queues, connections, limits
 *     session.c   one conversation: gives it probes, hands on what it answered
 *     egress.c    the ways out, what is kept of them between runs, sites where none is left
 *     ask_memory.c  what an ask is made of
 *     answer.c    makes the record of a finished case
 *     knocker_key.c  under which key an address is known
 *     leave.c     those who want no answers any more
 *     errand.c    addresses and routes between the knockers of a crew
 *     park.c      who waits for long, as a few bytes
 *
 * An ask is in at most one list at a time: the ready list (to be stepped in the next turn), a domain's
 * waiting list, or a host's queue.
 *
 * The first question of an address is known before its case is made. So most stand in a queue without one, and what an
 * address needs while it is asked is made, used and freed while it is still in the processor's caches.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_KNOCKER_PRIVATE_H
#define ENGINE_KNOCKER_PRIVATE_H

#include <sys/queue.h>

#include "address/lists.h"
#include "base/intern.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/slab.h"
#include "dns/lookup.h"
#include "engine/conversation.h"
#include "engine/knocker.h"
#include "engine/park_private.h"
#include "traffic/saved.h"

enum {
    KNOCKER_DOMAINS_IDLE_MAX = 20000, /* routes and memories kept without anybody asking */
    KNOCKER_LOOKUPS_MAX = 256,        /* at once: resolvers drop what comes in floods */
    KNOCKER_REQUEUES_MAX = 3,         /* of one probe whose session was cut under it */
    KNOCKER_SPARE_PART = 8,           /* one connection in so many is kept from the patient ones */
    KNOCKER_DOWN_MS = 60000,          /* how long a dead host is believed dead */
    DOMAIN_QUESTIONS_MAX = DNS_LOOKUP_IDS,
    KNOCKER_FAILURES_MAX = 3, /* lines lost in a row before the queue is told */
    KNOCKER_IDLE_MS_MAX =
        10000, /* a line waits no longer for the site's pace; it is left, and opened again */
    KNOCKER_SPARE_ASKS = 1024, /* memory of asks that are over, kept for the next ones */
    KNOCKER_SPARE_WORKS = 512,
    KNOCKER_SPARE_CASES = 512,
    KNOCKER_SPARE_LOOKUPS = 64,    /* and of lookups, 16 KB each, */
    KNOCKER_SPARE_INQUIRIES = 256, /* and of their questions */
    KNOCKER_SPARE_EVIDENCE = 256,
    KNOCKER_SPARE_SESSIONS = 128, /* with their conversations */
    KNOCKER_SLAB_PIECES = 16,     /* domains, sites, or hosts whose memory is asked for at once */
    KNOCKER_NAME_BYTES = 40, /* of the name of one, with its end; those of longer ones are alone */
    KNOCKER_WIRE_BYTES = 40, /* an ask of an address that is no longer has its memory from there */
    KNOCKER_HISTORY_MS = 3600000, /* what is younger at the start belongs to the same run */
    KNOCKER_CLAIM_MS = 300,       /* between looks at an answer that another process is finding */
    KNOCKER_SAVE_MS = 30000, /* what was learned of a site is kept that often while it is busy, */
    KNOCKER_SAVE_IDLE_MS = 1000, /* and that often when its last conversation ends */
};

struct caller {
    struct caller *next;
    knocker_fn fn; /* NULL: gone without an answer */
    void *context;
    transcript_fn observe; /* NULL: it does not watch */
    struct slice
        text; /* as it was asked; stands behind it, or is the wire of the first one's ask */
};

enum ask_place { ASK_NOWHERE, ASK_READY, ASK_DOMAIN, ASK_QUEUE, ASK_ASKED, ASK_HELD };

/* What an address needs from the moment on when it is asked, or watched, or anything else happens to it than waiting in a
 * line for the first time. */
struct ask_work {
    /* The probe under way. */
    struct conversation_probe probe;
    struct conversation *conversation; /* with ASK_ASKED */
    struct session *holder;            /* with ASK_HELD */
    struct evidence *held;
    struct evidence *pending; /* to be told in the next turn */
    uint64_t shun;            /* egresses that it is not asked through any more, by bit */
    uint64_t talk_began_ms, talk_until_ms; /* the latter: as long as the budget lasts */
    uint32_t spent_ms;                     /* of the budget, where only talking counts */
    uint32_t prelude_told; /* the number of the conversation whose beginning the watchers saw */
    struct timer wait, budget;

    char *folded_key;                 /* what the key is a view of; NULL: of the address */
    struct hel_address_error *syntax; /* NULL: it is an address */
    struct record *cached;            /* a stored answer */
    struct ask_signals *signals;      /* what external services say of it; NULL: not asked */

    /* For the record: the line that gave the last real answer. */
    bool was_tried;
    struct ask_line {
        const char *host; /* the site's */
        uint8_t egress;
        struct ip ip;
        unsigned extensions;
        uint32_t latency_ms[HEL_SMTP_STAGE_COUNT], latency_control_ms;
        bool is_secured;
        struct tls_info *tls; /* may be NULL even where it is */
    } line;
    struct transcript transcript;
};

/* Those that stand in a queue are many, and memory that is touched is what they cost: so an ask is small. */
struct ask {
    TAILQ_ENTRY(ask) link;
    enum ask_place place;
    bool is_listed;  /* in the knocker's table */
    bool is_unbegun; /* stands or stood in a queue before its case was made */
    bool is_patient; /* nobody waits for it but lists */
    bool is_first;   /* of the queue: a follow-up on the same line */
    bool wants_fresh;
    bool keeps_egress; /* the one of its last answer */
    uint8_t egress;    /* of its last answer */
    uint8_t requeues;
    bool is_waiting; /* for a time, as verify asked */
    bool is_woken;   /* the domain's memory changed while it was awaited */
    bool is_expired;
    bool is_over;   /* decided: answered in the next turn */
    bool has_claim; /* of the store: no other process asks this address meanwhile */
    bool is_behind; /* another process has it */
    bool is_sent;   /* here by another knocker, which has looked the domain up */
    bool has_room;  /* of those that waited as a few bytes: given back (engine/park) */
    bool is_fresh;  /* no stored answer will do */
    bool keeps_transcript;
    bool is_watched; /* a caller observes */
    bool is_live;    /* a caller can be found by its context: it is never parked */
    enum skip_reason expired_why;
    struct knocker *knocker;
    struct domain *domain;
    struct lane *lane;
    struct verify_case *verify; /* NULL before it is needed, or for bad syntax */
    struct ask_work *work; /* the knocker's blank one, which is not written to, until ask_equip */
    struct slice key;      /* under which the same address is found */
    struct caller *callers;
    uint64_t asked_ms;
    int64_t asked_wall_ms;
    int64_t age_ms_max;  /* of a stored answer; until it is parked, which comes after the look */
    unsigned left;       /* callers that left it, the last ones: it is given up */
    struct caller first; /* of those, where it wrote the address as it is */
    struct hel_address
        address; /* last: no more memory is taken than its wire fills; without domain_text */
};
TAILQ_HEAD(ask_list, ask);

struct domain {
    TAILQ_ENTRY(domain) idle_link;
    bool is_idle;
    struct knocker *knocker;
    struct dns_lookup *lookup; /* while it runs */
    TAILQ_ENTRY(domain) lookup_link;
    bool is_lookup_queued;   /* waits for its turn to be looked up */
    struct inquiry *inquiry; /* the questions of the lookup that are on their way; NULL: none yet */
    struct route *route;
    uint64_t route_until_ms;
    unsigned owner;     /* of a crew: which knocker its site belongs to */
    bool is_owner_told; /* of the route */
    uint32_t dns_ms;    /* how long the lookup took */
    uint64_t lookup_began_ms;
    const struct provider *provider;
    uint64_t described_by;   /* the edition of the lists that says the next two; 0: none yet */
    struct slice suggestion; /* the domain that was probably meant; empty: none */
    struct domain_flags flags;
    struct site *site;            /* NULL where there is no route */
    struct likeness_known *known; /* of its addresses, read when it was first needed; or NULL */
    struct verify_domain memory;
    unsigned memory_changes_seen, memory_changes_stored;
    struct ask_list waiting; /* for the route, or for a change of the memory */
    unsigned ask_count;
    struct park_domain {
        struct park_queue awaiting; /* a change of the memory */
        struct park_queue woken;    /* by one, and not yet gone on */
        bool is_woken, is_woken_again;
        unsigned owners; /* parked ones whose answer others may await */
        TAILQ_ENTRY(domain) woken_link;
    } park;
    char name[];
};
TAILQ_HEAD(domain_list, domain);

/* Probes that wait before a host: for any way out, or for one. */
struct lane {
    struct lane *next;
    struct host *host;
    uint8_t egress;              /* of the latter */
    struct ask_list queue;       /* any session will do */
    struct ask_list fresh_queue; /* a new session is wanted */
    /* The first patient one of either queue: from there on all are. Those that were put in front are not counted. */
    struct ask *patient, *fresh_patient;
    unsigned queued, fresh_queued;
    unsigned connecting, talking; /* sessions that serve it */
    unsigned pacing; /* of those that talk: wait on the line until one more RCPT may be asked */
};

struct host {
    struct host *next;
    struct site *site;
    struct lane any;    /* for whatever way out there is */
    struct lane *lanes; /* one for each that was used, where there are several */
    unsigned lost_in_a_row;
    bool avoids_tls;
    uint64_t unreached; /* set of ways out that did not lead here lately */
    uint64_t unreached_until_ms;
    uint64_t down_until_ms;     /* no way out leads here */
    struct evidence *down;      /* and what it said; NULL: it never was */
    struct exchanger exchanger; /* last: no more memory is taken than its name fills */
};

struct site {
    TAILQ_ENTRY(site) hungry_link;
    bool is_hungry; /* waits for a free connection of the knocker */
    struct knocker *knocker;
    struct traffic_site traffic;
    const struct provider *provider;
    bool has_one_host;
    struct evidence *closed; /* what closed the last path; NULL: none did in this run */
    uint64_t turned_away;    /* addresses answered without being asked, since no way out was left */
    uint64_t saved_hash, saved_ms; /* of what the store has; 0: not saved in this run */
    unsigned open;                 /* sessions */
    struct host *hosts;
    struct timer wake;
    unsigned domain_count;
    bool has_outcomes;           /* read: */
    struct prior_tally outcomes; /* of its provider */
    struct park_site {
        struct park_queue queue;  /* those that wait for a time */
        struct timer due;         /* of the first */
        struct domain_list woken; /* whose addresses may go on */
        unsigned room_taken;
        bool is_in_line;
        TAILQ_ENTRY(site) line_link;
    } park;
    struct traffic_path path; /* the first one's room, and not cleared */
    char key[];
};
TAILQ_HEAD(site_list, site);

/* One open conversation, as its site sees it. */
struct session {
    TAILQ_ENTRY(session) link;
    struct host *host;
    struct lane *lane; /* of its way out; NULL: there is only one */
    struct traffic_path *path;
    struct conversation *conversation;
    struct ask_list asked;              /* under way, in the order of their answers */
    struct timer budget;                /* comes no later than the first of their budgets is over */
    uint64_t answered_ms;               /* when the last answer came; 0: none did yet */
    enum traffic_word last_word;        /* what it said of us */
    struct ask_list held;               /* engine/held.c */
    struct conversation_probe *closing; /* the control being asked for them; NULL: none */
    bool is_ready;                      /* EHLO was accepted */
    bool asked_any;
    bool is_trial; /* of a blocked path, for one probe */
    bool is_pacing;
    bool has_vindicated; /* just now: those who were held may want to ask more in the next turn */
    bool is_suspect;     /* the closing control was not refused: no more is asked */
    struct conversation_config config; /* last: filled as a whole, so not cleared before */
};
TAILQ_HEAD(session_list, session);

struct knocker {
    struct door *door;
    const struct knowledge *knowledge;
    struct list_reader lists; /* renewed where nothing is lent of them: as an answer begins */
    struct knocker_config config;
    struct store *store;
    struct rules_memo *memo;
    struct conversation_config conversation; /* what all have in common */
    uint64_t saved_ms;                       /* when the ways out were kept */
    struct random random;
    struct traffic_pool pool;
    uint64_t
        calendar_ms; /* Unix time less the door's at the start: traffic counts on a clock of its own */
    struct pool spare_asks, spare_works, spare_cases, spare_lookups, spare_inquiries;
    struct pool spare_evidence; /* that is held, or told in the next turn */
    struct pool spare_sessions, spare_conversations;
    struct slab domain_slab, site_slab, host_slab;
    struct ask_work blank; /* of all that have none of their own */
    struct map asks;       /* key -> struct ask: shared questions */
    struct map domains;    /* name -> struct domain */
    struct map sites;      /* key -> struct site */
    struct domain_list idle_domains;
    unsigned idle_domain_count;
    struct domain_list lookups; /* that wait for their turn */
    unsigned lookups_open;
    struct site_list hungry;
    struct session_list sessions;
    struct ask_list ready;
    struct park {
        struct park_table table;
        struct intern shared;  /* what many of them hold */
        struct buf scratch;    /* of the one that is being parked */
        struct site_list line; /* sites where some may go on */
        struct timer turn;
        unsigned room_taken; /* by asks made whole and not yet answered */
        unsigned room_max;
    } park;
    struct timer turn;
    struct timer flush; /* runs while the store holds what is not committed */
    bool is_turning;
    bool is_answering;      /* with these: */
    struct verdict verdict; /* here because of their size, */
    struct record answer;   /* one at a time */
    bool is_cancelled;
    bool has_history;              /* there are facts from before: */
    int64_t history_before_ms;     /* only what was seen before then counts; Unix time */
    bool is_ignorant;              /* the knowledge could not be loaded */
    enum knowledge_part next_part; /* the first one that may not be there yet */
    struct timer stop;             /* then: cancels everything in the next turn */
    uint32_t conversation_number;
    void (*idle_fn)(void *context);
    void *idle_context;
    struct knocker_counts counts;
};

static inline uint64_t site_now_ms(const struct site *site)
{
    return door_now_ms(site->knocker->door);
}

/* knocker.c */
void knocker_make_ready(struct ask *ask); /* out of its list, stepped in the next turn */
void ask_unlink(struct ask *ask);
void ask_link(struct ask *ask, struct ask_list *list, enum ask_place place, bool is_first);
void knocker_finish(struct ask *ask);
void knocker_drop(struct ask *ask); /* without an answer: it is another's now */
/* wishes: NULL where it has none. */
enum err ask_add_caller(struct ask *ask, struct slice text, const struct knocker_wishes *wishes,
                        knocker_fn fn, void *context) MUST_USE;
void ask_watched(void *context, uint32_t t_ms, char direction,
                 struct slice line); /* tells who does */
void ask_leave_table(struct ask *ask);
/* What was said there to others is its answer, too. Without memory it is as if it had not been tried. */
void ask_was_tried(struct ask *ask, const struct host *host, const struct evidence *evidence);

/* ask_memory.c */
void ask_memory_init(struct knocker *knocker);
void ask_memory_done(struct knocker *knocker);
/* One of the knocker's for an address of that many bytes: blank, without an address. NULL: no memory. */
struct ask *ask_alloc(struct knocker *knocker, size_t wire_len) MUST_USE;
/* Sees to it that it has work of its own. False: no memory. */
bool ask_equip(struct ask *ask) MUST_USE;
void ask_drop_cached(struct ask *ask);
void ask_free_caller(struct ask *ask, struct caller *caller); /* one of its callers, taken out */
void ask_dispose(struct ask *ask); /* its memory alone: nothing knows of it any more */

/* knocker.c */
/* Takes answers from the store and gives them to others through it. */
bool ask_shares_answers(const struct ask *ask);
/* Whether addresses are claimed in the store before they are asked, where there is one. */
bool knocker_claims(const struct knocker_config *config);
bool ask_find_cached(struct ask *ask); /* fills ask->cached */
struct slice ask_store_key(const struct ask *ask, char out[KNOCKER_KEY_BYTES]);
void knocker_wrote(struct knocker *knocker); /* something to the store: it is flushed soon */
void knocker_flush(struct knocker *knocker); /* now */
/* Sees to it that this part of the knowledge and those before it are there. False: they cannot be. */
bool knocker_learn(struct knocker *knocker, enum knowledge_part part);

/* The time of src/traffic, which never goes back and means the same in the next run; and the door's. */
uint64_t knocker_traffic_ms(const struct knocker *knocker);
uint64_t knocker_door_ms(const struct knocker *knocker, uint64_t traffic_ms);

/* ask.c */
void ask_step(struct ask *ask);
/* Makes the case of one that stands in a queue without, and its first question. False: no memory. */
bool ask_begin(struct ask *ask);
void ask_unexpect(struct ask *ask); /* its case is made, or never will be */
void ask_expire(struct ask *ask, enum skip_reason why);
void ask_talks(struct ask *ask, struct session *session);
void ask_talked(struct ask *ask);
void ask_overspent(struct ask *ask); /* its budget is over */
void ask_told(struct ask *ask, const struct evidence *evidence);
enum err ask_begin_budget(struct ask *ask) MUST_USE; /* ERR_NOMEM */
void ask_hurry(struct ask *ask);                     /* somebody without patience asks the same */
/* leave.c: those callers that leave are gone. False: nobody is left. */
bool ask_lose_callers(struct ask *ask, const struct knocker_leaver *leaver);
void ask_hold(struct ask *ask, uint64_t until_ms); /* then it goes on; it may be gone on return */
void ask_await(struct ask *ask); /* a change of the domain's memory; it may be gone on return */

/* park.c */
void park_init(struct knocker *knocker, uint64_t seed);
void park_done(struct knocker *knocker);
void park_site_init(struct site *site);
void park_site_done(struct site *site);
void park_domain_done(struct domain *domain);
/* True: the ask is gone, and will be there again when it is time, or the domain's memory changed. False: it is not worth
 * while, it is watched, or there is no memory. */
bool park_until(struct ask *ask, uint64_t until_ms);
bool park_until_woken(struct ask *ask);
void park_wake(struct domain *domain);     /* its memory changed */
void park_give_back_room(struct ask *ask); /* where it has some */
void park_cancel(struct knocker *knocker); /* all go on, to be told so */
enum err park_leave(struct knocker *knocker, const struct knocker_leaver *leaver)
    MUST_USE; /* see knocker_leave */
struct parked *park_find(const struct knocker *knocker, struct slice key);
/* Somebody else asks the same. ERR_NOMEM. */
enum err park_add_caller(struct parked *parked, struct slice text,
                         const struct knocker_wishes *wishes, knocker_fn fn, void *context)
    MUST_USE;
const struct parked *park_of(const struct knocker *knocker, const void *context); /* NULL: none */
void park_view(const struct parked *parked, struct park_view *out);

/* domain.c */
void domains_init(struct knocker *knocker, uint64_t seed);
void domains_done(struct knocker *knocker);   /* all are freed */
void domains_recall(struct knocker *knocker); /* what the store knows of those that are there */
enum err domain_get(struct knocker *knocker, struct slice name, struct domain **out) MUST_USE;
bool domain_is_ready(struct domain *domain);
void domain_look_up(struct domain *domain);
void domain_hurry(
    struct domain *domain); /* its lookup is the next one, where it waits for its turn */
void domain_changed(struct domain *domain); /* wakes those that await a change of its memory */
void domain_release(struct domain *domain);
/* It has a route now: who serves it, its site where that is ours. Without memory it has none. */
void domain_settle(struct domain *domain, struct route *route, uint64_t until_ms);
/* What the lists say of it; all of them must be there. Again with a new route. */
void domain_describe(struct domain *domain);
/* Puts what its servers taught into the store, where that changed. */
void domain_keep(struct domain *domain);

static inline uint64_t site_traffic_ms(const struct site *site)
{
    return knocker_traffic_ms(site->knocker);
}

/* errand.c */
/* Whose the site of a route is. */
unsigned errand_owner(const struct knocker *knocker, const struct route *route,
                      const struct provider *provider);
/* True: the address belongs to another knocker, or must be looked up by it, and was sent there; ask is gone. */
bool errand_leaves(struct ask *ask);

/* egress.c */
enum err egress_pool_init(struct knocker *knocker) MUST_USE; /* ERR_NOMEM */
void egress_pool_recall(struct knocker *knocker); /* what the store knows of the ways out */
/* The pool and a site as a knocker would find them, for who only wants to know: nothing is written. store may be
 * NULL. Times are Unix milliseconds. ERR_NOMEM; traffic_pool_done is owed all the same. */
enum err egress_pool_read(const struct knocker_config *config, struct store *store, int64_t wall_ms,
                          struct traffic_pool *out) MUST_USE;
enum err egress_site_read(struct store *store, struct slice key, int64_t wall_ms,
                          struct traffic_pool *pool, struct traffic_site *site) MUST_USE;
void egress_pool_save(struct knocker *knocker);
const struct traffic_egress *egress_at(const struct knocker *knocker, size_t index);
bool egress_has_proxy(const struct knocker *knocker);  /* one of them */
enum err egress_site_load(struct site *site) MUST_USE; /* ERR_NOMEM */
void egress_site_save(struct site *site);              /* what is worth it goes to the store */
void egress_keep(struct site *site); /* the same from time to time, after a session ended */
struct traffic_wish egress_wish(const struct host *host, const struct ask *ask); /* ask NULL: any */
/* This closed the path: the last word of the site, should no way out be left. rcpt: whom it was said of, or empty. */
void egress_closed(struct site *site, const struct evidence *evidence, struct slice rcpt);
/* No way out is left until then: answered with what closed the last one. */
void egress_turn_away(struct host *host, struct ask *ask, uint64_t again_ms);

/* site.c */
void sites_init(struct knocker *knocker, uint64_t seed);
void sites_done(struct knocker *knocker); /* all are freed */
/* What holds for a site of this provider, before anything is learned. */
struct traffic_limits site_limits(const struct knocker_config *config,
                                  const struct provider *provider);
enum err site_get(struct knocker *knocker, const struct route *route,
                  const struct provider *provider, struct site **out) MUST_USE;
void site_enqueue(struct site *site, struct ask *ask, const struct exchanger *exchanger);
void site_remove(struct ask *ask); /* out of a queue, or off the line */
void site_tell_later(struct ask *ask,
                     const struct evidence *evidence); /* in the next turn, unasked */
void lane_put(struct lane *lane, struct ask *ask, bool is_first);
void lane_remove(struct ask *ask);
struct ask *lane_first(struct lane *lane); /* NULL: nobody waits there */
/* The lane of a way out, made where there is none yet. NULL: no memory. */
struct lane *host_lane(struct host *host, size_t egress) MUST_USE;
/* Who it is by its greeting, where its name told nothing: from now on with that provider's limits. */
void site_recognise(struct site *site, struct slice banner);
void site_pump(struct site *site);
void site_feed_hungry(struct knocker *knocker);

/* session.c */
void sessions_init(struct knocker *knocker);
void sessions_done(struct knocker *knocker);                      /* all are closed */
enum err session_open(struct host *host, size_t egress) MUST_USE; /* ERR_NOMEM */
/* Then it is looked whose budget is over, of those that are asked. */
void session_watch_budget(struct session *session, uint64_t until_ms);
/* No longer waited for: its line is left, and the others that are under way there are asked anew. */
void session_abandon(struct ask *ask);
extern const struct conversation_handler session_handler;

/* held.c */
/* False: there is no need, or no memory; tell the evidence now. */
bool held_keep(struct session *session, struct ask *ask, const struct evidence *evidence);
void held_release(struct ask *ask, bool is_vindicated); /* the held evidence is told next turn */
void held_release_all(struct session *session, bool is_vindicated);
void held_judge(struct session *session,
                const struct evidence *evidence); /* a plain refusal vindicates all */
/* Whether a control may be asked there, and means anything. */
bool held_has_control(const struct session *session);
/* The control that decides for all that are held, of which there are some; it lives until held_closed. NULL: no
 * memory. */
const struct conversation_probe *held_closing(struct session *session);
void held_closed(struct session *session);

/* ask_signals.c. True: what external services say of it is awaited, and the ask comes again when it is there. */
bool ask_awaits_signals(struct ask *ask);
void ask_drop_signals(struct ask *ask);
void ask_apply_signals(const struct ask *ask, struct record *record);

/* answer_likeness.c: what is known for a likeness of the ask, whose answer is ambiguous. False: there is no model, or no
 * memory. */
bool answer_likeness(struct ask *ask, struct verify_likeness *out);

/* history.c: what the store remembers of an address, as far as it counts. False: nothing. */
bool history_read(const struct ask *ask, struct verify_history *out);
/* As a fact's detail: the sub-status and who said it. A view of out, or of what never ends. */
struct slice history_detail(const struct ask *ask, enum verdict_sub sub, struct buf *out);

/* answer.c */
void answer_build(struct ask *ask, struct record *out);
void answer_build_so_far(struct ask *ask, struct record *out); /* it is still open */
/* A record for text that is no address. */
void answer_invalid(struct knocker *knocker, const struct hel_address_error *error,
                    struct record *out);
void answer_store(struct ask *ask, const struct record *record);

#endif
