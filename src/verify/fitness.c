/* verify/fitness: the report, and what is the machine's own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/fitness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "verify/fitness_private.h"

enum { REPORT_FIRST = 32, DAY_MS = 86400000 };

void fitness_report_done(struct fitness_report *report)
{
    free(report->findings);
    *report = (struct fitness_report){0};
}

enum fitness_level fitness_level_of(const struct fitness_report *report)
{
    enum fitness_level worst = FITNESS_OK;
    for (size_t i = 0; i < report->count; i++) {
        worst = report->findings[i].level > worst ? report->findings[i].level : worst;
    }
    return worst;
}

const char *fitness_check_name(enum fitness_check check)
{
    switch (check) {
    case FITNESS_RESOLVER: return "resolver";
    case FITNESS_HONESTY: return "nxdomain";
    case FITNESS_CLOCK: return "clock";
    case FITNESS_FILES: return "open_files";
    case FITNESS_STORE: return "store";
    case FITNESS_IPV6: return "ipv6";
    case FITNESS_PUBLIC_IP: return "public_ip";
    case FITNESS_PORT_25: return "port_25";
    case FITNESS_REVERSE_NAME: return "reverse_name";
    case FITNESS_EHLO_NAME: return "ehlo_name";
    case FITNESS_SPF: return "spf";
    case FITNESS_BLOCK_LISTS: return "block_lists";
    case FITNESS_MAIL_FROM: return "mail_from";
    case FITNESS_BOUNCE: return "bounce";
    }
    return "unknown";
}

const char *fitness_level_name(enum fitness_level level)
{
    switch (level) {
    case FITNESS_OK: return "ok";
    case FITNESS_ADVICE: return "advice";
    case FITNESS_UNKNOWN: return "unknown";
    case FITNESS_MEND: return "mend";
    }
    return "unknown";
}

static enum err make_room(struct fitness_report *report)
{
    if (report->count < report->room) {
        return ERR_NONE;
    }
    if (report->count == FITNESS_FINDINGS_MAX) {
        return ERR_LIMIT;
    }
    size_t room = report->room == 0 ? REPORT_FIRST : 2 * report->room;
    struct fitness_finding *grown = realloc(report->findings, room * sizeof *grown);
    if (grown == NULL) {
        return ERR_NOMEM;
    }
    report->findings = grown;
    report->room = room;
    return ERR_NONE;
}

void fitness_add(struct fitness_judge *j, enum fitness_check check, enum fitness_level level,
                 const char *hint, const char *format, ...)
{
    if (j->err == ERR_NONE) {
        j->err = make_room(j->report);
    }
    if (j->err != ERR_NONE) {
        return;
    }
    struct fitness_finding *finding = &j->report->findings[j->report->count++];
    *finding =
        (struct fitness_finding){.check = check, .level = level, .egress = j->egress, .ip = j->ip};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
    (void)snprintf(finding->hint, sizeof finding->hint, "%s", hint == NULL ? "" : hint);
}

/* ---- the machine ---- */

static void judge_resolver(struct fitness_judge *j)
{
    const struct fitness_machine *machine = &j->facts->machine;
    if (machine->resolver == DNS_ANSWER_RECORDS) {
        fitness_add(j, FITNESS_RESOLVER, FITNESS_OK, NULL, "the resolver answers");
    } else if (machine->resolver == DNS_ANSWER_ERROR || machine->resolver == DNS_ANSWER_OPEN) {
        const char *how = machine->resolver_failure == DNS_FAILURE_REFUSED
                              ? "refuses us, or is not there"
                          : machine->resolver_failure == DNS_FAILURE_SERVFAIL ? "fails"
                          : machine->resolver_failure == DNS_FAILURE_BROKEN   ? "answers nonsense"
                                                                              : "does not answer";
        fitness_add(j, FITNESS_RESOLVER, FITNESS_MEND,
                    "check /etc/resolv.conf, or name a DNS server with --resolver",
                    "the resolver %s", how);
    } else {
        fitness_add(j, FITNESS_RESOLVER, FITNESS_MEND,
                    "use a resolver that sees the public DNS; --resolver names one",
                    "the resolver does not find the names of large mail providers");
    }
}

/* A resolver that makes up answers turns every misspelt domain into one that exists. */
static void judge_honesty(struct fitness_judge *j)
{
    const struct fitness_machine *machine = &j->facts->machine;
    char ip[IP_TEXT_BYTES];
    switch (machine->invented) {
    case DNS_ANSWER_NOT_FOUND:
        fitness_add(j, FITNESS_HONESTY, FITNESS_OK, NULL,
                    "the resolver says so when a name does not exist");
        return;
    case DNS_ANSWER_RECORDS:
        fitness_add(
            j, FITNESS_HONESTY, FITNESS_MEND,
            "domains that do not exist would look alive; use a resolver of your own or another "
            "one with --resolver",
            "the resolver makes up answers: a name that cannot exist is said to be at %s",
            ip_format(&machine->invented_ip, ip));
        return;
    case DNS_ANSWER_NO_DATA:
    case DNS_ANSWER_CUT:
        fitness_add(
            j, FITNESS_HONESTY, FITNESS_MEND,
            "domains that do not exist would look alive; name another resolver with --resolver",
            "the resolver says that a name exists which cannot exist");
        return;
    case DNS_ANSWER_OPEN:
    case DNS_ANSWER_ERROR: break;
    }
    if (machine->resolver == DNS_ANSWER_RECORDS) {
        fitness_add(j, FITNESS_HONESTY, FITNESS_UNKNOWN,
                    "try again; name another resolver with --resolver",
                    "the resolver gave no answer about a name that cannot exist");
    }
}

static void judge_clock(struct fitness_judge *j)
{
    const struct fitness_machine *machine = &j->facts->machine;
    if (machine->earliest_ms > 0 && machine->wall_ms < machine->earliest_ms) {
        fitness_add(
            j, FITNESS_CLOCK, FITNESS_MEND,
            "set it, and let chrony or systemd-timesyncd keep it; verdicts would be kept too long "
            "or not at all, and certificates look invalid",
            "the clock is wrong: it stands %" PRId64 " days before this program was made",
            (machine->earliest_ms - machine->wall_ms) / DAY_MS + 1);
    } else if (machine->clock == FITNESS_CLOCK_ALONE) {
        fitness_add(j, FITNESS_CLOCK, FITNESS_ADVICE, "let chrony or systemd-timesyncd keep it",
                    "the clock looks right, and nothing keeps it right");
    } else {
        fitness_add(j, FITNESS_CLOCK, FITNESS_OK, NULL, "the clock looks right%s",
                    machine->clock == FITNESS_CLOCK_KEPT ? " and is kept right" : "");
    }
}

static void judge_files(struct fitness_judge *j)
{
    const struct fitness_machine *machine = &j->facts->machine;
    if (machine->files_max == 0) {
        return;
    }
    char hint[FITNESS_TEXT_BYTES];
    if (machine->files_max < machine->files_wanted) {
        (void)snprintf(hint, sizeof hint,
                       "'ulimit -n %" PRIu64 "', or fewer with --max-connections",
                       machine->files_wanted);
        fitness_add(j, FITNESS_FILES, FITNESS_ADVICE, hint,
                    "%" PRIu64
                    " files may be open, and as many connections as allowed need %" PRIu64,
                    machine->files_max, machine->files_wanted);
        return;
    }
    fitness_add(j, FITNESS_FILES, FITNESS_OK, NULL,
                "%" PRIu64 " files may be open, %" PRIu64 " are needed", machine->files_max,
                machine->files_wanted);
}

static void judge_rest(struct fitness_judge *j)
{
    const struct fitness_machine *machine = &j->facts->machine;
    if (machine->store != NULL && machine->store[0] != '\0') {
        fitness_add(j, FITNESS_STORE, FITNESS_MEND,
                    "name another with --store, or keep nothing with --no-store", "%s",
                    machine->store);
    } else if (machine->store != NULL) {
        fitness_add(j, FITNESS_STORE, FITNESS_OK, NULL, "the store can be written");
    }
    fitness_add(j, FITNESS_IPV6, FITNESS_OK, NULL,
                machine->has_ipv6 ? "there is a way to IPv6"
                                  : "there is no way to IPv6; few mail servers need it");
}

enum err fitness_judge(const struct fitness_facts *facts, struct fitness_report *out)
{
    struct fitness_report report = {0};
    struct fitness_judge j = {.facts = facts, .report = &report, .egress = -1};
    judge_resolver(&j);
    judge_honesty(&j);
    judge_clock(&j);
    judge_files(&j);
    judge_rest(&j);
    fitness_judge_lists(&j);
    for (size_t i = 0; i < facts->egress_count; i++) {
        j.egress = (int)i;
        j.ip = (struct ip){0};
        fitness_judge_egress(&j, &facts->egresses[i]);
    }
    if (j.err != ERR_NONE) {
        fitness_report_done(&report);
        return j.err;
    }
    *out = report;
    return ERR_NONE;
}
