/* tests/engine/doctor_stage: a machine in the virtual world, fit but for what a row changes, and its examination.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ENGINE_DOCTOR_STAGE_H
#define TESTS_ENGINE_DOCTOR_STAGE_H

#include "engine/doctor.h"
#include "sim/peer.h"
#include "sim/world.h"

enum { FAR_HOSTS = 3 };

#define OWN    "5.9.7.7"
#define OWN_V6 "2a01:4f8::7"

struct doctor_row {
    const char *name;
    const char *without; /* names of the fit zone that are left out, parted by spaces; NULL: none */
    const char *with;    /* further lines; "NAME FAIL x": its servers fail; NULL: none */
    const char *wanted;  /* all findings that are not "ok": "LEVEL CHECK", parted by "; " */
    const char *says;    /* stands in one of the texts or hints; NULL: nothing is looked for */
    enum world_behaviour far[FAR_HOSTS];
    const struct peer_script *script; /* of the far servers; NULL: an honest one */
    const struct peer_script *mx;     /* of mx.sender.test; NULL: the same */
    struct doctor_egress egress;      /* zeroed fields: those of the fit machine */
    bool no_mail_from, no_helo;
    const char *own; /* NULL: OWN */
    bool has_ipv6, no_ipv4, asks_mailbox, no_smtp;
    int64_t wall_ms;
    struct fitness_machine machine;
};

struct examination {
    struct world *world;
    struct doctor *doctor;
    struct blocklist_book *lists;
    unsigned done;
    uint64_t done_at_ms;
};

/* The world of a row and a doctor at its beginning, whose one way out is *egress; door_run plays it. */
void doctor_begin(const struct doctor_row *row, struct examination *x,
                  struct doctor_egress *egress);
void doctor_end(struct examination *x);

/* Another doctor in place of the one that began. done and context are set here. */
void doctor_begin_again(struct examination *x, struct doctor_config *config);

/* Begin to end: the findings must be those wanted, and manners kept: never DATA, no line without QUIT. */
void doctor_check_row(const struct doctor_row *row);

#endif
