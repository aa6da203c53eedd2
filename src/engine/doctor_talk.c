/* engine/doctor_talk: conversations: with the far servers, as far as EHLO; with the server of MAIL FROM's domain,
 * as far as RCPT TO from the null sender.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "engine/doctor_private.h"

enum { STEP_MS = 10000 };

struct doctor_talk {
    TAILQ_ENTRY(doctor_talk) link;
    struct doctor *doctor;
    struct doctor_about about;
    bool is_mailbox;
    bool was_asked;
    struct conversation *conversation;
    struct conversation_config config;
    struct conversation_probe probe; /* is_mailbox */
};

static struct fitness_far *far_of(const struct doctor_talk *talk)
{
    return &doctor_address(talk->doctor, &talk->about)->far[talk->about.index];
}

static const struct conversation_probe *on_wants_probe(void *context, struct conversation *c,
                                                       unsigned rcpts, unsigned refusals)
{
    (void)c;
    (void)rcpts;
    (void)refusals;
    struct doctor_talk *talk = context;
    bool asks = talk->is_mailbox && !talk->was_asked;
    talk->was_asked = true;
    return asks ? &talk->probe : NULL;
}

static void on_failed(void *context, struct conversation *c, const struct evidence *evidence)
{
    (void)c;
    struct doctor_talk *talk = context;
    if (talk->is_mailbox) {
        struct fitness_egress *egress = &talk->doctor->facts.egresses[talk->about.egress];
        egress->has_mailbox = true;
        egress->mailbox = *evidence;
    } else {
        far_of(talk)->state = FITNESS_FAR_FAILED;
        far_of(talk)->evidence = *evidence;
    }
}

static void on_probed(void *context, struct conversation *c, const struct conversation_probe *probe,
                      enum probe_end end, const struct evidence *evidence,
                      unsigned transaction_rcpts)
{
    (void)probe;
    (void)end; /* a session of one probe is never cut after earlier ones */
    (void)transaction_rcpts;
    on_failed(context, c, evidence);
}

static void on_ready(void *context, struct conversation *c, struct slice banner)
{
    (void)c;
    (void)banner;
    struct doctor_talk *talk = context;
    if (!talk->is_mailbox) {
        far_of(talk)->state = FITNESS_FAR_TALKED;
    }
}

static void on_closed(void *context, struct conversation *c)
{
    (void)c;
    struct doctor_talk *talk = context;
    struct doctor *doctor = talk->doctor;
    TAILQ_REMOVE(&doctor->talks, talk, link);
    if (!doctor->is_over && !talk->is_mailbox) {
        if (far_of(talk)->state == FITNESS_FAR_OPEN) {
            far_of(talk)->state = FITNESS_FAR_FAILED;
            far_of(talk)->evidence.kind = EVIDENCE_DISCONNECTED;
        }
        doctor_far_over(doctor, &talk->about);
    }
    free(talk);
    doctor_one_over(doctor);
}

/* Many servers name the client in their answer to EHLO: "250-mx.example at your service, [192.0.2.1]". */
static void on_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    (void)t_ms;
    const struct doctor_talk *talk = context;
    struct fitness_far *far = far_of(talk);
    if (direction != 'S' || far->seen.family != IP_NONE || !slice_starts(line, SLICE("250"))) {
        return;
    }
    uint8_t family = talk->about.family == FITNESS_V6 ? IP_V6 : IP_V4;
    for (size_t open = slice_find_byte(line, '[', 0); open < line.len;
         open = slice_find_byte(line, '[', open + 1)) {
        struct slice inside = slice_sub(line, open + 1, slice_find_byte(line, ']', open));
        struct ip ip;
        if (slice_starts_nocase(inside, SLICE("ipv6:"))) {
            inside = slice_sub(inside, 5, inside.len);
        }
        if (ip_parse(inside, &ip) && ip.family == family && !ip_is_special(&ip)) {
            far->seen = ip;
            return;
        }
    }
}

static struct doctor_talk *new_talk(struct doctor *doctor, const struct doctor_about *about)
{
    static const struct conversation_handler handler = {.wants_probe = on_wants_probe,
                                                        .probed = on_probed,
                                                        .failed = on_failed,
                                                        .ready = on_ready,
                                                        .closed = on_closed};
    const struct doctor_egress *egress = &doctor->config.egresses[about->egress];
    struct doctor_talk *talk = calloc(1, sizeof *talk);
    if (talk == NULL) {
        return NULL;
    }
    talk->doctor = doctor;
    talk->about = *about;
    talk->config = (struct conversation_config){
        .helo_name = egress->helo.len > 0 ? egress->helo : SLICE("localhost.localdomain"),
        .mail_from = egress->mail_from,
        .port = doctor->config.port,
        .source_v4 = egress->source_v4,
        .source_v6 = egress->source_v6,
        .proxy = egress->proxy,
        .rules = doctor->config.rules,
        .handler = &handler,
        .rcpts_per_transaction = 1,
        .pipelined_rcpts = 1,
    };
    for (size_t i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        talk->config.timeout_ms[i] = doctor->config.step_ms == 0 ? STEP_MS : doctor->config.step_ms;
    }
    return talk;
}

static void begin(struct doctor_talk *talk, const struct exchanger *exchanger)
{
    struct doctor *doctor = talk->doctor;
    if (conversation_new(doctor->door, &talk->config, exchanger, doctor->begun, talk,
                         &talk->conversation) != ERR_NONE) {
        free(talk);
        return;
    }
    doctor->begun++;
    doctor->open++;
    TAILQ_INSERT_TAIL(&doctor->talks, talk, link);
}

void doctor_talk_far(struct doctor *doctor, const struct doctor_about *about)
{
    struct doctor_talk *talk = new_talk(doctor, about);
    if (talk != NULL) {
        talk->config.no_tls = true; /* EHLO tells enough */
        talk->config.observe = on_line;
        talk->config.observe_context = talk;
        begin(talk, &doctor->far[about->index].exchangers[about->family]);
    }
}

void doctor_talk_mailbox(struct doctor *doctor, size_t egress)
{
    const struct route *route = doctor->bounces[egress];
    const struct doctor_about about = {.egress = egress};
    const struct exchanger *exchanger = NULL;
    for (size_t i = 0; i < route->exchanger_count && exchanger == NULL; i++) {
        exchanger = route->exchangers[i].status == HOST_OK ? &route->exchangers[i] : NULL;
    }
    struct doctor_talk *talk = exchanger == NULL ? NULL : new_talk(doctor, &about);
    if (talk != NULL) {
        struct slice mail_from = doctor->config.egresses[egress].mail_from;
        talk->is_mailbox = true;
        talk->probe = (struct conversation_probe){
            .role = PROBE_REAL, .is_null_sender = true, .rcpt = mail_from};
        begin(talk, exchanger);
    }
}

void doctor_drop_talks(struct doctor *doctor)
{
    while (!TAILQ_EMPTY(&doctor->talks)) {
        conversation_drop(TAILQ_FIRST(&doctor->talks)->conversation);
    }
}
