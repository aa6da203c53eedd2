/* engine/doctor: examines whether this machine is fit to ask: gathers the facts of verify/fitness through a door.
 * Asks the DNS (names, reverse names, SPF, block lists), speaks with the mail servers of a few large providers as
 * far as EHLO, and, where it may, asks the server of each MAIL FROM's domain whether it takes mail for it, as far
 * as RCPT TO. Never DATA.
 *
 *     doctor_new -> door_run until done() -> doctor_facts -> fitness_judge -> doctor_free
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DOCTOR_H
#define ENGINE_DOCTOR_H

#include "net/door.h"
#include "net/proxy.h"
#include "providers/classify.h"
#include "verify/fitness.h"

struct doctor;

struct doctor_egress {
    struct slice label;             /* for people; empty: the only one */
    struct slice helo, mail_from;   /* empty: none; only the null sender */
    struct ip source_v4, source_v6; /* IP_NONE: the kernel chooses */
    struct ip public_v4, public_v6; /* as the user says; IP_NONE: to be found out */
    const struct proxy *proxy;      /* that connections go through; NULL: none */
    const char *obstacle;           /* why it cannot be used at all; NULL: it can */
};

struct doctor_config {
    const struct doctor_egress *egresses; /* at most FITNESS_EGRESSES_MAX */
    size_t egress_count;
    const struct rules *rules;          /* for what servers say */
    const struct blocklist_book *lists; /* NULL: none are asked */
    uint16_t port;
    const struct ip_net *allowed_nets; /* special networks that may be contacted */
    size_t allowed_net_count;
    bool asks_mailbox; /* whether the servers of MAIL FROM's domain may be asked for it */
    bool only_port;    /* nothing but the resolver and port 25 */
    bool no_smtp;      /* no mail server is contacted */
    uint32_t step_ms;  /* of one step of a conversation; 0: 10 s */
    uint32_t limit_ms; /* of everything; what has no answer then stays open; 0: 60 s */
    struct fitness_machine machine; /* clock, files and store as the caller found them */
    void (*done)(void *context);    /* once, from the loop */
    void *context;
};

/* Begins; everything in the config is borrowed while the doctor lives. ERR_NOMEM; ERR_LIMIT for too many
 * egresses. */
enum err doctor_new(struct door *door, const struct doctor_config *config, struct doctor **out)
    MUST_USE;
/* At any time; what is under way is dropped. NULL is fine. */
void doctor_free(struct doctor *doctor);

/* Questions and conversations: how many were begun, and how many of them are over. More may follow. */
void doctor_progress(const struct doctor *doctor, unsigned *out_begun, unsigned *out_over);

/* What is known by now. Lives as long as the doctor. */
const struct fitness_facts *doctor_facts(const struct doctor *doctor);

#endif
