/* engine/doctor_dns: questions to the DNS, and the machines that ask them: SPF and routes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/doctor_private.h"

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

/* What a question is about, kept until it is answered or dropped. */
struct doctor_question {
    TAILQ_ENTRY(doctor_question) link;
    doctor_answer_fn fn; /* NULL: it is a machine's */
    struct doctor_about about;
    struct run *run;
};

static void pump(struct run *run);

/* ---- questions ---- */

static void remove_question(struct doctor *doctor, struct doctor_question *question)
{
    TAILQ_REMOVE(&doctor->questions, question, link);
    free(question);
}

static struct doctor_question *add_question(struct doctor *doctor)
{
    struct doctor_question *question = calloc(1, sizeof *question);
    if (question != NULL) {
        TAILQ_INSERT_TAIL(&doctor->questions, question, link);
    }
    return question;
}

static void count_begun(struct doctor *doctor)
{
    doctor->begun++;
    doctor->open++;
}

static void take_answer(void *owner, void *subject, size_t index, const char *asked,
                        const struct dns_answer *answer)
{
    struct doctor *doctor = owner;
    struct doctor_question *question = subject;
    (void)index;
    (void)asked;
    question->fn(doctor, &question->about, answer);
    remove_question(doctor, question);
}

static void take_run_answer(void *owner, void *subject, size_t id, enum dns_transport transport,
                            struct slice message)
{
    struct doctor_question *question = subject;
    struct run *run = question->run;
    remove_question(owner, question);
    run->open--;
    if (run->kind == RUN_SPF) {
        spf_answered(run->spf, transport, message);
    } else {
        dns_lookup_answered(run->lookup, (unsigned)id, transport, message);
    }
    pump(run);
}

void doctor_ask(struct doctor *doctor, struct slice name, uint16_t type, doctor_answer_fn fn,
                const struct doctor_about *about)
{
    struct doctor_question *question = add_question(doctor);
    if (question == NULL) {
        return;
    }
    question->fn = fn;
    question->about = *about;
    if (queries_put(&doctor->queries, name, type, take_answer, question, 0)) {
        count_begun(doctor);
    } else {
        remove_question(doctor, question);
    }
}

static bool ask_for_run(struct run *run, struct slice name, uint16_t type, unsigned id)
{
    struct doctor *doctor = run->doctor;
    struct doctor_question *question = add_question(doctor);
    if (question == NULL) {
        return false;
    }
    question->run = run;
    if (!queries_put_plain(&doctor->queries, name, type, take_run_answer, question, id)) {
        remove_question(doctor, question);
        return false;
    }
    run->open++;
    count_begun(doctor);
    return true;
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
        is_stuck = !ask_for_run(run, name, type, id);
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
}

void doctor_drop_queries(struct doctor *doctor)
{
    queries_drop(&doctor->queries);
    while (!TAILQ_EMPTY(&doctor->questions)) {
        struct doctor_question *question = TAILQ_FIRST(&doctor->questions);
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the one before was taken out of the list */
        if (question->run != NULL && --question->run->open == 0) {
            free_run(question->run);
        }
        remove_question(doctor, question);
    }
}
