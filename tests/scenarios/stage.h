/* tests/scenarios/stage: plays one scene: a virtual world with scripted servers, the whole engine against it,
 * and the answers held against what is expected. After every scene, whatever it was about: no DATA, BDAT, VRFY
 * or EXPN was sent, the line was left with QUIT, nothing was said too early, and EHLO name and senders were
 * those of the configuration (row 95 of docs/scenarios.md). Every scene is played whole and with the servers'
 * bytes cut to pieces. And once more with nobody kept as a few bytes while waiting: the records are the same.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SCENARIOS_STAGE_H
#define TESTS_SCENARIOS_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/slice.h"
#include "engine/knocker.h"
#include "engine/record_json.h"
#include "sim/peer.h"
#include "sim/world.h"

enum {
    STAGE_HOSTS_MAX = 4,
    STAGE_NAMES_MAX = 12,
    STAGE_ASKS_MAX = 40,
};

struct stage;

/* One exchanger. ip NULL: the end of the list. mx NULL: no MX record names it. */
struct stage_host {
    const char *ip, *mx;
    uint16_t preference;
    enum world_behaviour behaviour;
    enum world_tls tls;
    bool is_cert_bad;
    struct peer_script script;
};

struct stage_name {
    const char *name;
    enum dns_type type;
    const char *value;
};

struct stage_ask {
    const char *address;
    const char *sub; /* the sub-status expected, or two with "|" between them */
};

struct scene {
    const char *row, *name; /* the row's number in docs/scenarios.md */
    struct peer_script
        script; /* of mx.d.test at 5.9.1.1, exchanger of d.test, where no hosts are given */
    struct stage_host hosts[STAGE_HOSTS_MAX];
    struct stage_name names[STAGE_NAMES_MAX];
    struct stage_ask asks[STAGE_ASKS_MAX];
    const char *providers; /* a user's provider file over ours; NULL: none */
    uint32_t budget_s;     /* 0: six hours */
    bool no_domain;        /* d.test gets no records but those of names */
    bool no_ipv6;
    bool
        is_order_open; /* several wait until the same instant: which of them goes on first may differ */
    bool may_drop;     /* lines that cannot be left with QUIT are expected */
    bool is_one_by_one; /* each address is asked when the one before is answered */
    void (*tune)(struct stage *stage,
                 struct knocker_config *config); /* before the engine is made */
    void (*check)(struct stage *stage);          /* after all answers */
};

/* Plays all; one cmocka test each. Returns cmocka's result. */
int stage_play_all(const char *group, const struct scene *scenes, size_t count);

/* For tune(): the only way out has a MAIL FROM, knock@heloise.test. */
void stage_name_sender(struct knocker_config *config);

/* For check(). */
const struct record *stage_record(const struct stage *stage, size_t index);
const struct peer_seen *stage_seen(const struct stage *stage, const char *ip);
void stage_host_counts(const struct stage *stage, const char *ip, struct world_host_counts *out);
struct world *stage_world(const struct stage *stage);
struct knocker *stage_knocker(const struct stage *stage);
uint64_t stage_elapsed_ms(const struct stage *stage,
                          size_t index); /* from the start to the answer */

/* Lets time pass. */
void stage_sleep(struct stage *stage, uint32_t seconds);
/* The engine ends, and another one begins with the same store, in the same world. */
void stage_restart(struct stage *stage);

/* Asks once more in the same engine and returns the answer (owned by the stage). */
const struct record *stage_ask_again(struct stage *stage, const char *address);

#define STAGE_HELO "probe.heloise.test"

#endif
