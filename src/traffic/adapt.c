/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/adapt.h"

#include "traffic/window.h"

enum {
    LATE_FACTOR = 4,        /* times the baseline, */
    LATE_MORE_US = 300000,  /* and so much: quick answers may vary */
    SAMPLES_MIN = 8,        /* before latency is judged */
    RECENT_SHARE = 8,       /* of an answer in the recent latency */
    DRIFT_SHARE = 256,      /* of a slower answer in the baseline */
    TARPIT_ANSWERS = 3,     /* in a row, to believe it */
    PROMPT_ANSWERS = 8,     /* in a row, to forget it */
    LATENCY_MS_MAX = 600000 /* longer than any timeout */
};

static unsigned first_of(const struct traffic_pace *pace)
{
    unsigned first = pace->connections_first;
    return first != 0 && first < pace->connections ? first : pace->connections;
}

void traffic_adapt_init(struct traffic_adapt *adapt, const struct traffic_pace *pace)
{
    *adapt = (struct traffic_adapt){
        .pace = *pace,
        .ceiling = pace->connections,
        .connections = first_of(pace),
    };
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned most(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

void traffic_adapt_tighten(struct traffic_adapt *adapt, const struct traffic_pace *pace)
{
    struct traffic_pace *own = &adapt->pace;
    own->connections = least(own->connections, pace->connections);
    own->connection_gap_ms = most(own->connection_gap_ms, pace->connection_gap_ms);
    own->rcpt_gap_ms = most(own->rcpt_gap_ms, pace->rcpt_gap_ms);
    own->cooldown_ms = most(own->cooldown_ms, pace->cooldown_ms);
    adapt->ceiling = least(adapt->ceiling, own->connections);
    adapt->connections = least(adapt->connections, adapt->ceiling);
}

static unsigned connections_now(const struct traffic_adapt *adapt)
{
    return adapt->is_tarpit && adapt->connections > TRAFFIC_TARPIT_CONNECTIONS
               ? TRAFFIC_TARPIT_CONNECTIONS
               : adapt->connections;
}

uint64_t traffic_adapt_connect_at(const struct traffic_adapt *adapt, uint64_t now_ms)
{
    if (adapt->open >= connections_now(adapt)) {
        return TRAFFIC_NEVER;
    }
    return adapt->not_before_ms > now_ms ? adapt->not_before_ms : now_ms;
}

static void not_before(struct traffic_adapt *adapt, uint64_t at_ms)
{
    if (adapt->not_before_ms < at_ms) {
        adapt->not_before_ms = at_ms;
    }
}

void traffic_adapt_opened(struct traffic_adapt *adapt, uint64_t now_ms)
{
    adapt->open++;
    not_before(adapt, now_ms + adapt->pace.connection_gap_ms);
}

void traffic_adapt_closed(struct traffic_adapt *adapt)
{
    adapt->open--;
}

uint64_t traffic_adapt_ask_at(const struct traffic_adapt *adapt, uint64_t now_ms)
{
    return adapt->ask_not_before_ms > now_ms ? adapt->ask_not_before_ms : now_ms;
}

void traffic_adapt_asked(struct traffic_adapt *adapt, uint64_t now_ms)
{
    adapt->ask_not_before_ms = now_ms + adapt->pace.rcpt_gap_ms;
}

static void set_connections(struct traffic_adapt *adapt, unsigned connections)
{
    adapt->connections = connections > 1 ? connections : 1;
    adapt->credit = 0;
}

static void rise(struct traffic_adapt *adapt)
{
    adapt->credit++;
    if (adapt->connections < adapt->ceiling &&
        adapt->credit >= adapt->connections * TRAFFIC_RISE_ANSWERS) {
        set_connections(adapt, adapt->connections + 1);
    }
}

static uint8_t one_more(uint8_t count, uint8_t max)
{
    return count < max ? (uint8_t)(count + 1) : max;
}

static void recognise_tarpit(struct traffic_adapt *adapt, uint32_t latency_ms)
{
    if (latency_ms >= TRAFFIC_TARPIT_MS) {
        adapt->prompt = 0;
        adapt->held_back = one_more(adapt->held_back, TARPIT_ANSWERS);
        adapt->is_tarpit = adapt->is_tarpit || adapt->held_back == TARPIT_ANSWERS;
        return;
    }
    adapt->held_back = 0;
    adapt->prompt = one_more(adapt->prompt, PROMPT_ANSWERS);
    if (adapt->prompt == PROMPT_ANSWERS) {
        adapt->is_tarpit = false;
    }
}

static void measure(struct traffic_adapt *adapt, uint32_t latency_us)
{
    if (adapt->baseline_us == 0) {
        adapt->baseline_us = adapt->recent_us = latency_us;
    } else if (latency_us < adapt->baseline_us) {
        adapt->baseline_us = latency_us;
    } else {
        adapt->baseline_us += (latency_us - adapt->baseline_us) / DRIFT_SHARE;
    }
    adapt->recent_us -= adapt->recent_us / RECENT_SHARE;
    adapt->recent_us += latency_us / RECENT_SHARE;
    adapt->samples = one_more(adapt->samples, SAMPLES_MIN);
}

/* A quarter less, and then a new measure: one crowded moment is judged once. */
static bool falls_for_latency(struct traffic_adapt *adapt)
{
    uint64_t late_us = (uint64_t)adapt->baseline_us * LATE_FACTOR + LATE_MORE_US;
    if (adapt->is_tarpit || adapt->samples < SAMPLES_MIN || adapt->recent_us <= late_us) {
        return false;
    }
    set_connections(adapt, adapt->connections - (adapt->connections + 3) / 4);
    adapt->samples = 0;
    return true;
}

static uint32_t take_latency(struct traffic_adapt *adapt, uint32_t latency_ms, uint32_t usual_ms)
{
    uint32_t ms = latency_ms < LATENCY_MS_MAX ? latency_ms : LATENCY_MS_MAX;
    adapt->pause_ms /= 2;
    recognise_tarpit(adapt, ms);
    if (ms > usual_ms / 2 && usual_ms != 0) {
        adapt->patience = one_more(adapt->patience, TRAFFIC_PATIENCE_MAX);
    }
    return ms;
}

void traffic_adapt_answered(struct traffic_adapt *adapt, uint32_t latency_ms, uint32_t usual_ms)
{
    uint32_t ms = take_latency(adapt, latency_ms, usual_ms);
    measure(adapt, (ms == 0 ? 1 : ms) * 1000);
    if (!falls_for_latency(adapt)) {
        rise(adapt);
    }
}

void traffic_adapt_followed(struct traffic_adapt *adapt, uint32_t latency_ms, uint32_t usual_ms)
{
    (void)take_latency(adapt, latency_ms, usual_ms);
    rise(adapt);
}

void traffic_adapt_slowed(struct traffic_adapt *adapt, uint32_t hint_s, uint64_t now_ms)
{
    set_connections(adapt, (adapt->connections + 1) / 2);
    uint32_t hint_ms = hint_s > TRAFFIC_PAUSE_MS_MAX / 1000 ? TRAFFIC_PAUSE_MS_MAX : hint_s * 1000;
    uint32_t pause_ms = adapt->pause_ms == 0 ? TRAFFIC_PAUSE_MS_MIN : adapt->pause_ms * 2;
    pause_ms = pause_ms > hint_ms ? pause_ms : hint_ms;
    adapt->pause_ms = pause_ms < TRAFFIC_PAUSE_MS_MAX ? pause_ms : TRAFFIC_PAUSE_MS_MAX;
    not_before(adapt, now_ms + most(adapt->pause_ms, adapt->pace.cooldown_ms));
}

void traffic_adapt_crowded(struct traffic_adapt *adapt)
{
    if (adapt->open > 1 && adapt->open - 1 < adapt->ceiling) {
        adapt->ceiling = adapt->open - 1;
    }
    if (adapt->connections > adapt->ceiling) {
        set_connections(adapt, adapt->ceiling);
    }
}

void traffic_adapt_timed_out(struct traffic_adapt *adapt)
{
    adapt->patience = 0;
    set_connections(adapt, (adapt->connections + 1) / 2);
}

uint32_t traffic_adapt_timeout_ms(const struct traffic_adapt *adapt, uint32_t usual_ms,
                                  uint32_t max_ms)
{
    uint64_t timeout_ms = usual_ms + (uint64_t)usual_ms * adapt->patience / 2;
    uint32_t most_ms = max_ms > usual_ms ? max_ms : usual_ms;
    return timeout_ms < most_ms ? (uint32_t)timeout_ms : most_ms;
}

bool traffic_adapt_has_learned(const struct traffic_adapt *adapt)
{
    return adapt->connections != first_of(&adapt->pace) ||
           adapt->ceiling < adapt->pace.connections || adapt->is_tarpit || adapt->patience > 0 ||
           adapt->pause_ms > 0;
}
