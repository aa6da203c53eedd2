/* providers/provider_settings: the kinds of values an entry has, as tables: what they are called, their
 * range, what holds where nobody says anything, and what traits imply.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/slice.h"
#include "providers/provider_private.h"

enum {
    MANY = 100000,
    DAY_S = 86400,
    HOUR_MS = 3600000,
};

/* Usual values are those of a careful stranger: about what the entries with nothing published have. */
static const struct {
    const char *key, *meaning;
    unsigned min, max, usual;
} limit_forms[PROVIDER_LIMIT_COUNT] = {
    [PROVIDER_CONNECTIONS] = {"connections", "connections at once, from one address of ours", 1,
                              MANY, 2},
    [PROVIDER_CONNECTION_GAP_MS] = {"gap_ms", "least time between two new connections, in ms", 0,
                                    HOUR_MS, 500},
    [PROVIDER_RCPTS_PER_CONNECTION] = {"rcpts", "recipients on one connection", 1, MANY, 5},
    /* 0 is settled to as many as recipients: no limit of its own */
    [PROVIDER_TRANSACTIONS_PER_CONNECTION] = {"transactions", "transactions on one connection", 1,
                                              MANY, 0},
    [PROVIDER_RCPTS_PER_TRANSACTION] = {"rcpts_per_transaction", "recipients in one transaction", 1,
                                        MANY, 20},
    [PROVIDER_PIPELINED_RCPTS] = {"pipelined_rcpts",
                                  "recipients sent and not answered yet, on one connection", 1,
                                  PROVIDER_PIPELINED_RCPTS_MAX, 1},
    [PROVIDER_RCPT_GAP_MS] = {"rcpt_gap_ms", "least time between two recipients, in ms", 0, HOUR_MS,
                              0},
    [PROVIDER_INVALIDS_PER_SESSION] = {"invalids_per_session",
                                       "refused recipients before a connection is left", 1, MANY,
                                       2},
    [PROVIDER_INVALIDS_PER_HOUR] = {"invalids_per_hour", "refused recipients in an hour", 1, MANY,
                                    20},
    [PROVIDER_COOLDOWN_S] = {"cooldown_s", "rest after a word about rate or reputation, in s", 0,
                             DAY_S, 0},
};

static const char *const trait_names[PROVIDER_TRAIT_COUNT] = {
    "accepts_all", "selective",           "needs_tls", "forbids_probing",
    "skip",        "control_meaningless", "one_rcpt",  "tarpits",
};

static const char *const trait_meanings[PROVIDER_TRAIT_COUNT] = {
    "an accepted recipient says nothing",
    "an accepted recipient exists; no control is asked",
    "plain text is no way out where TLS breaks",
    "says in public that it does not want to be asked: least pressure, no controls",
    "not asked at all",
    "the answer to a control says nothing; none is asked",
    "one recipient in a transaction",
    "slow on purpose: waited out",
};

static const struct {
    enum provider_trait trait;
    enum provider_limit limit;
    unsigned value;
} implied_limits[] = {
    {PROVIDER_ONE_RCPT, PROVIDER_RCPTS_PER_TRANSACTION, 1},
    {PROVIDER_TARPITS, PROVIDER_CONNECTIONS, 1},
    {PROVIDER_TARPITS, PROVIDER_PIPELINED_RCPTS, 1},
    {PROVIDER_FORBIDS_PROBING, PROVIDER_CONNECTIONS, 1},
    {PROVIDER_FORBIDS_PROBING, PROVIDER_CONNECTION_GAP_MS, 10000},
    {PROVIDER_FORBIDS_PROBING, PROVIDER_RCPTS_PER_CONNECTION, 1},
    {PROVIDER_FORBIDS_PROBING, PROVIDER_PIPELINED_RCPTS, 1},
    {PROVIDER_FORBIDS_PROBING, PROVIDER_INVALIDS_PER_SESSION, 1},
    {PROVIDER_FORBIDS_PROBING, PROVIDER_INVALIDS_PER_HOUR, 5},
};

/* RFC 5321 4.5.3.2: the greeting, MAIL and RCPT may each take five minutes. */
static const struct {
    enum provider_trait trait;
    enum hel_smtp_stage stage;
    uint32_t value_ms;
} implied_timeouts[] = {
    {PROVIDER_TARPITS, HEL_SMTP_BANNER, 300000},
    {PROVIDER_TARPITS, HEL_SMTP_EHLO, 300000},
    {PROVIDER_TARPITS, HEL_SMTP_MAIL, 300000},
    {PROVIDER_TARPITS, HEL_SMTP_RCPT, 300000},
};

const char *provider_limit_key(size_t limit)
{
    return limit_forms[limit].key;
}

enum provider_limit provider_limit_of(struct slice key)
{
    for (enum provider_limit i = 0; i < PROVIDER_LIMIT_COUNT; i++) {
        if (slice_equal(key, slice_of(limit_forms[i].key))) {
            return i;
        }
    }
    return PROVIDER_LIMIT_COUNT;
}

void provider_limit_range(enum provider_limit limit, unsigned *out_min, unsigned *out_max)
{
    *out_min = limit_forms[limit].min;
    *out_max = limit_forms[limit].max;
}

const char *provider_trait_name(size_t trait)
{
    return trait_names[trait];
}

size_t provider_trait_of(struct slice name)
{
    size_t i = 0;
    while (i < PROVIDER_TRAIT_COUNT && !slice_equal(name, slice_of(trait_names[i]))) {
        i++;
    }
    return i;
}

static size_t number_of(enum provider_trait trait)
{
    size_t number = 0;
    while ((1u << number) != (unsigned)trait) {
        number++;
    }
    return number;
}

unsigned provider_level_of(const struct provider_book *book, struct provider_place place)
{
    return place.source == 0 ? 0 : book->sources[place.source - 1].level;
}

/* Whether a value yields to what the trait implies: it is nobody's, or of an earlier level. */
static bool yields(const struct provider_book *book, const struct provider *provider,
                   struct provider_place place, enum provider_trait trait,
                   struct provider_place *out_place)
{
    size_t number = number_of(trait);
    if ((provider->traits & (unsigned)trait) == 0) {
        return false;
    }
    unsigned level = provider_level_of(book, provider->origin->traits[number]);
    if (place.source != 0 && provider_level_of(book, place) >= level) {
        return false;
    }
    *out_place = (struct provider_place){.trait = (uint8_t)(number + 1)};
    return true;
}

void provider_settle(const struct provider_book *book, struct provider *provider)
{
    struct provider_origin *origin = provider->origin;
    for (size_t i = 0; i < PROVIDER_LIMIT_COUNT; i++) {
        if (origin->limits[i].source == 0) {
            provider->limits[i] = limit_forms[i].usual;
        }
    }
    for (size_t i = 0; i < sizeof implied_limits / sizeof *implied_limits; i++) {
        enum provider_limit limit = implied_limits[i].limit;
        struct provider_place place = origin->limits[limit];
        if (yields(book, provider, place, implied_limits[i].trait, &origin->limits[limit])) {
            provider->limits[limit] = implied_limits[i].value;
        }
    }
    for (size_t i = 0; i < sizeof implied_timeouts / sizeof *implied_timeouts; i++) {
        enum hel_smtp_stage stage = implied_timeouts[i].stage;
        struct provider_place place = origin->timeouts[stage];
        if (yields(book, provider, place, implied_timeouts[i].trait, &origin->timeouts[stage])) {
            provider->timeout_ms[stage] = implied_timeouts[i].value_ms;
        }
    }
    if (provider->limits[PROVIDER_TRANSACTIONS_PER_CONNECTION] == 0) {
        provider->limits[PROVIDER_TRANSACTIONS_PER_CONNECTION] =
            provider->limits[PROVIDER_RCPTS_PER_CONNECTION];
    }
}

/* ---- for people ---- */

void provider_place_write(const struct provider_book *book, struct provider_place place,
                          char out[PROVIDER_WHERE_BYTES])
{
    if (place.source != 0) {
        struct slice name = book->sources[place.source - 1].name;
        (void)snprintf(out, PROVIDER_WHERE_BYTES, "%.*s:%u", SLICE_ARG(name), place.line);
    } else if (place.trait != 0) {
        (void)snprintf(out, PROVIDER_WHERE_BYTES, "trait %s", trait_names[place.trait - 1]);
    } else {
        (void)snprintf(out, PROVIDER_WHERE_BYTES, "default");
    }
}

/* Stages that a conversation of ours passes. */
static const enum hel_smtp_stage stages[] = {
    HEL_SMTP_CONNECT, HEL_SMTP_BANNER, HEL_SMTP_EHLO, HEL_SMTP_STARTTLS,
    HEL_SMTP_MAIL,    HEL_SMTP_RCPT,   HEL_SMTP_RSET, HEL_SMTP_QUIT,
};

bool provider_setting_at(const struct provider_book *book, const struct provider *provider,
                         size_t index, struct provider_setting *out)
{
    if (index < PROVIDER_LIMIT_COUNT) {
        *out = (struct provider_setting){.meaning = limit_forms[index].meaning,
                                         .value = provider->limits[index]};
        (void)snprintf(out->key, sizeof out->key, "%s", limit_forms[index].key);
        provider_place_write(book, provider->origin->limits[index], out->where);
        return true;
    }
    index -= PROVIDER_LIMIT_COUNT;
    if (index >= sizeof stages / sizeof *stages) {
        return false;
    }
    enum hel_smtp_stage stage = stages[index];
    *out = (struct provider_setting){.meaning = "longest wait for this step, in s",
                                     .value = provider->timeout_ms[stage] / 1000};
    (void)snprintf(out->key, sizeof out->key, "timeout %s", hel_smtp_stage_name(stage));
    provider_place_write(book, provider->origin->timeouts[stage], out->where);
    return true;
}

bool provider_trait_at(const struct provider_book *book, const struct provider *provider,
                       size_t index, struct provider_setting *out)
{
    for (size_t i = 0; i < PROVIDER_TRAIT_COUNT; i++) {
        if ((provider->traits >> i & 1) == 0) {
            continue;
        }
        if (index > 0) {
            index--;
            continue;
        }
        *out = (struct provider_setting){.meaning = trait_meanings[i], .value = 1};
        (void)snprintf(out->key, sizeof out->key, "%s", trait_names[i]);
        provider_place_write(book, provider->origin->traits[i], out->where);
        return true;
    }
    return false;
}
