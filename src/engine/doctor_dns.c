/* engine/doctor_dns: questions to the DNS, so many at once, and the machines that ask them: SPF and routes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/doctor_private.h"
#include "engine/transport.h"

enum run_kind { RUN_SPF, RUN_ROUTE };

/* A machine with its questions; freed with the last of them. */
struct run {
    enum run_kind kind;
    struct doctor *doctor;
    struct doctor_about about;
    bool is_helo; /* RUN_SPF */
    unsigned open;
    struct spf *spf;
    struct dns_lookup *lookup;
};

struct doctor_query {
    TAILQ_ENTRY(doctor_query) link;
    struct doctor *doctor; /* NULL: nobody waits any more */
    bool is_sent;
    uint16_t type;
    unsigned aliases; /* followed over several answers */
    char name[DNS_NAME_BYTES];
    doctor_answer_fn fn; /* NULL: it is a machine's */
    struct doctor_about about;
    struct run *run;
    unsigned id; /* of the lookup's question */
};

static void send_waiting(struct doctor *doctor);
static void pump(struct run *run);

/* ---- questions ---- */

static struct doctor_query *add_query(struct doctor *doctor, struct slice name, uint16_t type)
{
    struct doctor_query *query = calloc(1, sizeof *query);
    if (query == NULL || name.len >= sizeof query->name) {
        free(query);
        return NULL;
    }
    query->doctor = doctor;
    query->type = type;
    for (size_t i = 0; i < name.len; i++) {
        query->name[i] = ascii_lower(name.at[i]); /* answers are compared so */
    }
    doctor->begun++;
    doctor->open++;
    TAILQ_INSERT_TAIL(&doctor->queries, query, link);
    return query;
}

/* True: the end of a chain of aliases is asked about in place of this one. */
static bool asks_on(struct doctor *doctor, const struct doctor_query *query,
                    const struct dns_answer *answer)
{
    unsigned aliases = query->aliases + answer->aliases;
    if (answer->kind != DNS_ANSWER_CUT || aliases > DNS_ALIASES_MAX) {
        return false;
    }
    struct doctor_query *next = add_query(doctor, slice_of(answer->name), query->type);
    if (next == NULL) {
        return false;
    }
    next->aliases = aliases;
    next->fn = query->fn;
    next->about = query->about;
    return true;
}

static void take_answer(struct doctor *doctor, const struct doctor_query *query,
                        enum dns_transport transport, struct slice message)
{
    struct dns_answer answer;
    dns_answer_read(query->name, query->type, transport, message, &answer);
    if (!asks_on(doctor, query, &answer)) {
        query->fn(doctor, &query->about, &answer);
    }
}

static void take_run_answer(const struct doctor_query *query, enum dns_transport transport,
                            struct slice message)
{
    struct run *run = query->run;
    run->open--;
    if (run->kind == RUN_SPF) {
        spf_answered(run->spf, transport, message);
    } else {
        dns_lookup_answered(run->lookup, query->id, transport, message);
    }
    pump(run);
}

static void on_answer(void *context, enum query_status status, struct slice message)
{
    struct doctor_query *query = context;
    struct doctor *doctor = query->doctor;
    if (doctor != NULL) {
        TAILQ_REMOVE(&doctor->queries, query, link);
        doctor->queries_sent--;
        if (query->fn != NULL) {
            take_answer(doctor, query, transport_of(status), message);
        } else {
            take_run_answer(query, transport_of(status), message);
        }
        send_waiting(doctor);
        doctor_one_over(doctor);
    }
    free(query);
}

static void send_waiting(struct doctor *doctor)
{
    struct doctor_query *query;
    TAILQ_FOREACH(query, &doctor->queries, link)
    {
        if (doctor->queries_sent == DOCTOR_QUERIES_MAX) {
            return;
        }
        if (!query->is_sent) {
            query->is_sent = true;
            doctor->queries_sent++;
            door_query(doctor->door, slice_of(query->name), query->type, on_answer, query);
        }
    }
}

void doctor_ask(struct doctor *doctor, struct slice name, uint16_t type, doctor_answer_fn fn,
                const struct doctor_about *about)
{
    struct doctor_query *query = add_query(doctor, name, type);
    if (query != NULL) {
        query->fn = fn;
        query->about = *about;
        send_waiting(doctor);
    }
}

/* ---- machines ---- */

static void free_run(struct run *run)
{
    spf_free(run->spf);
    dns_lookup_free(run->lookup);
    free(run);
}

static void finish(struct run *run)
{
    struct doctor *doctor = run->doctor;
    if (run->kind == RUN_SPF) {
        struct fitness_address *address = doctor_address(doctor, &run->about);
        struct fitness_spf *spf = run->is_helo ? &address->helo : &address->mail_from;
        *spf = (struct fitness_spf){true, *spf_outcome(run->spf)};
        return;
    }
    size_t egress = run->about.egress;
    if (dns_lookup_take(run->lookup, &doctor->bounces[egress]) == ERR_NONE) {
        doctor->facts.egresses[egress].bounces = doctor->bounces[egress];
        doctor_route_known(doctor, egress);
    }
}

static bool next_question(struct run *run, struct slice *out_name, uint16_t *out_type,
                          unsigned *out_id)
{
    struct dns_question question;
    if (run->kind == RUN_SPF) {
        *out_id = 0;
        return spf_next(run->spf, out_name, out_type);
    }
    if (!dns_lookup_next(run->lookup, &question)) {
        return false;
    }
    *out_name = question.name;
    *out_type = question.type;
    *out_id = question.id;
    return true;
}

/* Puts what it wants to ask; what it comes to once nothing is open. */
static void pump(struct run *run)
{
    struct slice name;
    uint16_t type;
    unsigned id;
    bool is_stuck = false;
    while (!is_stuck && next_question(run, &name, &type, &id)) {
        struct doctor_query *query = add_query(run->doctor, name, type);
        if (query != NULL) {
            query->run = run;
            query->id = id;
            run->open++;
        }
        is_stuck = query == NULL;
    }
    bool is_done = run->kind == RUN_SPF ? spf_is_done(run->spf) : dns_lookup_is_done(run->lookup);
    if (is_done) {
        finish(run);
    }
    if (run->open == 0) {
        free_run(run);
    }
}

static struct run *new_run(struct doctor *doctor, enum run_kind kind,
                           const struct doctor_about *about)
{
    struct run *run = calloc(1, sizeof *run);
    if (run != NULL) {
        run->kind = kind;
        run->doctor = doctor;
        run->about = *about;
    }
    return run;
}

void doctor_ask_spf(struct doctor *doctor, const struct doctor_about *about, bool is_helo)
{
    const struct fitness_egress *egress = &doctor->facts.egresses[about->egress];
    struct spf_request request = {
        .ip = doctor_address(doctor, about)->public,
        .sender = is_helo ? SLICE_NONE : egress->mail_from,
        .helo = egress->helo,
    };
    struct run *run = new_run(doctor, RUN_SPF, about);
    if (run == NULL) {
        return;
    }
    run->is_helo = is_helo;
    if (spf_new(&request, &run->spf) != ERR_NONE) {
        free_run(run);
        return;
    }
    pump(run);
    send_waiting(doctor);
}

void doctor_ask_route(struct doctor *doctor, size_t egress)
{
    struct slice domain = doctor_domain_of(doctor->facts.egresses[egress].mail_from);
    struct dns_lookup_options options = {
        .allowed_nets = doctor->config.allowed_nets,
        .allowed_net_count = doctor->config.allowed_net_count,
        .can_ipv4 = true,
        .can_ipv6 = doctor->facts.machine.has_ipv6,
        .asks_ipv6_late = !doctor->facts.machine.has_ipv6,
    };
    const struct doctor_about about = {.egress = egress};
    struct run *run = new_run(doctor, RUN_ROUTE, &about);
    if (run == NULL) {
        return;
    }
    door_random_bytes(doctor->door, &options.seed, sizeof options.seed);
    if (dns_lookup_new(domain, &options, &run->lookup) != ERR_NONE) {
        free_run(run);
        return;
    }
    pump(run);
    send_waiting(doctor);
}

void doctor_drop_queries(struct doctor *doctor)
{
    while (!TAILQ_EMPTY(&doctor->queries)) {
        struct doctor_query *query = TAILQ_FIRST(&doctor->queries);
        TAILQ_REMOVE(&doctor->queries, query, link);
        if (query->run != NULL && --query->run->open == 0) {
            free_run(query->run);
        }
        query->doctor = NULL;
        query->run = NULL;
        if (!query->is_sent) {
            free(query); /* others are freed with their answer */
        }
    }
}
