/* The facts of a domain are truths like outcomes: an address that was accepted when that meant something shows how
 * addresses are made there, and each of them, alive or gone, tells how far the model is off there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/likely.h"

#include <string.h>

#include "address/normal.h"
#include "base/slice.h"
#include "verify/history.h"

struct gathering {
    const struct likely_means *means;
    struct likeness_known *known;
};

/* Of the local part alone; false: it is none that can be looked at. */
static bool said_of(const struct likely_means *means, struct slice key, double *out_said,
                    enum likeness_pattern *out_pattern, bool *out_is_role)
{
    struct hel_address address;
    struct hel_address_error error;
    if (hel_address_parse(key, HEL_ADDRESS_PRACTICAL, &address, &error) != ERR_NONE) {
        return false;
    }
    struct slice local = hel_address_local(&address);
    if (likeness_is_blind(local)) {
        return false;
    }
    static const struct domain_flags no_domain = {.is_free = false};
    struct address_flags flags;
    struct likeness likeness;
    address_flags(means->lists, &address, &no_domain, &flags);
    likeness_weigh(means->model, local, flags.is_role, NULL, &likeness);
    *out_said = likeness_of_odds(likeness.log_odds);
    *out_pattern = likeness.pattern;
    *out_is_role = flags.is_role;
    return true;
}

static void add(struct gathering *gathering, enum likeness_pattern pattern, bool is_role,
                double said, bool was_alive)
{
    struct likeness_known *known = gathering->known;
    prior_add(&known->domain, said, was_alive);
    if (was_alive && !is_role) {
        known->patterns[pattern]++;
    }
}

static void on_fact(void *context, const struct store_fact *fact)
{
    struct gathering *gathering = context;
    struct slice rest = fact->detail;
    enum verdict_sub sub;
    if (!slice_equal(fact->kind, SLICE("probe")) ||
        !verdict_sub_parse(slice_cut(&rest, ' '), &sub) || history_word(sub) == HISTORY_SILENT) {
        return;
    }
    double said;
    enum likeness_pattern pattern;
    bool is_role;
    if (said_of(gathering->means, fact->key, &said, &pattern, &is_role)) {
        add(gathering, pattern, is_role, said, history_word(sub) == HISTORY_LIVE);
    }
}

static void on_outcome(void *context, const struct store_outcome *outcome)
{
    struct gathering *gathering = context;
    double said;
    enum likeness_pattern pattern;
    bool is_role;
    if (said_of(gathering->means, outcome->key, &said, &pattern, &is_role)) {
        add(gathering, pattern, is_role, outcome->said, outcome->was_alive);
    }
}

void likely_of_domain(struct store *store, const struct likely_means *means, struct slice domain,
                      int64_t facts_before_ms, int64_t outcomes_before_ms,
                      struct likeness_known *out)
{
    memset(out, 0, sizeof *out);
    struct gathering gathering = {means, out};
    enum err e = store_fact_each_of_domain(store, domain, facts_before_ms, LIKELY_DOMAIN_ROWS_MAX,
                                           on_fact, &gathering);
    e = e != ERR_NONE ? e
                      : store_outcome_each(store, domain, outcomes_before_ms,
                                           LIKELY_DOMAIN_ROWS_MAX, on_outcome, &gathering);
    if (e != ERR_NONE) {
        memset(out, 0, sizeof *out);
    }
}

struct prior_tally likely_of_provider(struct store *store, struct slice provider, int64_t before_ms)
{
    struct store_outcome_sum sum = {.count = 0};
    if (store_outcome_sum(store, provider, before_ms, LIKELY_PROVIDER_ROWS_MAX, &sum) != ERR_NONE) {
        return (struct prior_tally){.count = 0};
    }
    return (struct prior_tally){.count = sum.count, .said = sum.said, .seen = sum.alive};
}

static const struct outcome_row {
    const char *word;
    enum likely_outcome outcome;
} outcome_rows[] = {
    {"alive", LIKELY_ALIVE},
    {"delivered", LIKELY_ALIVE},
    {"delivery", LIKELY_ALIVE},
    {"accepted", LIKELY_ALIVE},
    {"opened", LIKELY_ALIVE},
    {"open", LIKELY_ALIVE},
    {"clicked", LIKELY_ALIVE},
    {"click", LIKELY_ALIVE},
    {"replied", LIKELY_ALIVE},
    {"deliverable", LIKELY_ALIVE},
    {"valid", LIKELY_ALIVE},
    {"gone", LIKELY_GONE},
    {"bounced", LIKELY_GONE},
    {"bounce", LIKELY_GONE},
    {"hard_bounce", LIKELY_GONE},
    {"hard", LIKELY_GONE},
    {"undeliverable", LIKELY_GONE},
    {"invalid", LIKELY_GONE},
    {"mailbox_not_found", LIKELY_GONE},
    {"", LIKELY_SILENT},
    {"soft_bounce", LIKELY_SILENT},
    {"soft", LIKELY_SILENT},
    {"deferred", LIKELY_SILENT},
    {"blocked", LIKELY_SILENT},
    {"spam", LIKELY_SILENT},
    {"complaint", LIKELY_SILENT},
    {"unsubscribed", LIKELY_SILENT},
    {"dropped", LIKELY_SILENT},
    {"sent", LIKELY_SILENT},
    {"unknown", LIKELY_SILENT},
};

enum { WORD_BYTES_MAX = 32 };

bool likely_outcome_parse(struct slice word, enum likely_outcome *out)
{
    char plain[WORD_BYTES_MAX];
    struct slice given = slice_trim(word);
    if (given.len > sizeof plain) {
        return false;
    }
    for (size_t i = 0; i < given.len; i++) {
        bool is_gap = given.at[i] == '-' || given.at[i] == ' ';
        plain[i] = is_gap ? '_' : ascii_lower(given.at[i]);
    }
    for (size_t i = 0; i < sizeof outcome_rows / sizeof *outcome_rows; i++) {
        if (slice_equal(slice_make(plain, given.len), slice_of(outcome_rows[i].word))) {
            *out = outcome_rows[i].outcome;
            return true;
        }
    }
    return false;
}

enum err likely_learn(struct store *store, const struct likely_means *means,
                      const struct likely_report *report, struct fault *out_fault)
{
    struct hel_address address;
    struct hel_address_error error;
    enum err e = hel_address_parse(report->address, HEL_ADDRESS_PRACTICAL, &address, &error);
    if (e == ERR_SYNTAX) {
        return fault_set(out_fault, e, 0, "this is no address: column %u: %s", error.column,
                         error.text);
    }
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "out of memory");
    }
    char key[HEL_WIRE_BYTES];
    address_key(&address, key);
    double said;
    enum likeness_pattern pattern;
    bool is_role;
    if (!said_of(means, slice_of(key), &said, &pattern, &is_role)) {
        return fault_set(out_fault, ERR_STATE, 0, "no local part that the model looks at");
    }
    const struct store_outcome outcome = {
        .key = slice_of(key),
        .domain = hel_address_domain(&address),
        .provider = report->provider,
        .was_alive = report->was_alive,
        .said = said,
        .at_ms = report->at_ms,
    };
    return store_outcome_put(store, &outcome) == ERR_NONE ? ERR_NONE : store_why(store, out_fault);
}
