/* tests/verify/play: a case against a script. Words in the order in which things happen, parted by spaces:
 *
 *     real0 yes          asks for the real address at exchanger 0, and is answered "yes" (tests/verify/answers)
 *     real0+ real0<>     ... through a fresh connection; ... with the null sender
 *     real0^             ... through another egress
 *     control0 no        the same with a control; postmaster0 with postmaster
 *     wait:300           asks to wait 300 seconds, and so it does
 *     await              asks for a change of the domain's memory; the next word comes from outside:
 *     live settled:refused  ... a mailbox was seen alive; ... the control was settled by another case
 *     expire:budget      is told to stop
 *     =accepted          is done, with this sub-status
 *
 * Every play is given once as written, once for each word with an expiry before it, and once for each
 * allocation with that one failing; and all of that again with a case that is packed and unpacked before each step,
 * which must come to the same. A case must then still come to an end, with a verdict that keeps the
 * principles, and leave nothing behind.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_VERIFY_PLAY_H
#define TESTS_VERIFY_PLAY_H

#include "verify/decide.h"

struct stand; /* one running play */

struct play {
    const char *name;
    const char *script;
    const char *address; /* NULL: jane@d.test */
    const char *mx;      /* a preference for each exchanger: "10 20"; behind it "?" for one that DNS
                            could not find, "!" for one that is not routable; NULL: "10" */
    enum route_status dns;
    bool is_large; /* a large provider's */
    unsigned traits;
    struct verify_config config; /* has_sender, but for no_sender; retries, but for no_retry */
    bool no_sender, no_retry;
    struct verify_hints hints;
    const char *accepted_by; /* this server, some hours ago: "mx1.d.test"; NULL: none did */
    void (*remember)(struct verify_domain *domain); /* what is known before */
    void (*check)(const struct stand *stand);
};

/* One cmocka test over the whole table. Returns cmocka's result. */
int play_all(const char *group, const struct play *plays, size_t count);

/* For check(), after the end. */
const struct verdict *play_verdict(const struct stand *stand);
const struct verify_domain *play_domain(const struct stand *stand);
struct verify_summary play_summary(const struct stand *stand);
bool play_has_reason(const struct stand *stand, const char *code);

enum { PLAY_START_MS = 1000000000 };

/* The pieces, for tests that drive a case by themselves. domain may be NULL: it has its own. */
struct stand *stand_new(const struct play *play, struct verify_domain *domain);
void stand_begin(struct stand *stand); /* makes the case */
void stand_free(struct stand *stand);
struct verify_case *stand_case(const struct stand *stand);
uint64_t stand_now_ms(const struct stand *stand);
/* Drives to the end with the words that pick returns for each probe. Fails where there is no end. */
typedef const char *(*pick_fn)(void *context, const struct verify_probe *probe);
void stand_drive(struct stand *stand, pick_fn pick, void *context);

/* Every principle that holds for any verdict whatsoever. */
void check_principles(const struct stand *stand);

#endif
