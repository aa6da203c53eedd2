/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/way_out.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/text.h"
#include "cli/workbench.h"
#include "engine/doctor.h"
#include "engine/knocker.h"
#include "net/uv_door.h"

enum { WAY_OUT_MS = 5000, TEXT_BYTES_MAX = 16 * FITNESS_TEXT_BYTES };

/* As a sentence. */
static void print_line(const char *text)
{
    struct buf out;
    buf_init(&out, TEXT_BYTES_MAX);
    if (text[0] != '\0' && text_append_printable(&out, slice_of(text)) == ERR_NONE) {
        if (out.at[0] >= 'a' && out.at[0] <= 'z') {
            out.at[0] = (char)(out.at[0] - 'a' + 'A');
        }
        (void)printf("%.*s.\n", SLICE_ARG(buf_view(&out)));
    }
    buf_done(&out);
}

/* What was found about the resolver, if it is ill, else about port 25. */
static void print(const struct fitness_facts *facts)
{
    struct fitness_report report;
    if (fitness_judge(facts, &report) != ERR_NONE) {
        complain("out of memory");
        return;
    }
    for (size_t i = 0; i < report.count; i++) {
        const struct fitness_finding *finding = &report.findings[i];
        bool is_ill = finding->check == FITNESS_RESOLVER && finding->level != FITNESS_OK;
        if (is_ill || finding->check == FITNESS_PORT_25) {
            print_line(finding->text);
            print_line(finding->hint);
        }
        if (is_ill) {
            break;
        }
    }
    fitness_report_done(&report);
}

static void on_done(void *context)
{
    door_stop(context);
}

static void look(struct door *door, const struct knowledge *knowledge)
{
    char name[256] = "";
    bool has_name = gethostname(name, sizeof name - 1) == 0 && strchr(name, '.') != NULL;
    const struct doctor_egress egress = {.helo = has_name ? slice_of(name) : SLICE_NONE};
    const struct doctor_config config = {.egresses = &egress,
                                         .egress_count = 1,
                                         .rules = knowledge_rules(knowledge),
                                         .port = KNOCKER_PORT,
                                         .only_port = true,
                                         .limit_ms = WAY_OUT_MS,
                                         .step_ms = WAY_OUT_MS - 500,
                                         .done = on_done,
                                         .context = door};
    struct doctor *doctor;
    if (doctor_new(door, &config, &doctor) != ERR_NONE) {
        complain("out of memory");
        return;
    }
    door_run(door);
    print(doctor_facts(doctor));
    doctor_free(doctor);
}

void way_out_report(void)
{
    struct uv_door_config config = {.query_timeout_ms = 1500, .query_tries = 2};
    struct knowledge *knowledge;
    struct door *door;
    struct fault fault;
    if (knowledge_open(NULL, &knowledge, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return;
    }
    if (uv_door_open(&config, &door, &fault) != ERR_NONE) {
        complain("%s", fault.text);
    } else {
        look(door, knowledge);
        uv_door_close(door);
    }
    knowledge_free(knowledge);
}
