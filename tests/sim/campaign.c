/* tests/sim/campaign: plays whole campaigns on the virtual clock, one for each seed, and stops at the first in
 * which something is wrong: its seed, what is wrong, when, and the conversations that show it. docs/simulation.md.
 * Exit: 0 all held, 1 a flaw was found, 64 wrong usage, 70 it could not be played.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign.h"
#include "sim/campaign_engine.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>

#include "base/reader.h"
#include "base/slice.h"

enum { KEY_DATA = 0x100, KEY_KILLS, KEY_SHOW, BULK_OUT_OF = 4, KILLS_MAX = 4 };

enum way { WAY_MIXED, WAY_ONE, WAY_BULK };

struct arguments {
    uint64_t first, last;
    uint32_t addresses;
    unsigned faults;
    enum way way;
    unsigned kills;
    bool has_kills, shows_all;
    unsigned egresses, loops;
    const char *data;
};

struct totals {
    uint64_t seeds, addresses, answers, conversations, probes, events, elapsed_ms, lists;
    uint64_t by_sub[SUB_COUNT];
    size_t memory_peak;
};

static const struct argp_option option_table[] = {
    {"seed", 's', "N", 0, "this seed alone", 0},
    {"seeds", 'S', "A-B", 0, "these seeds (1-30)", 0},
    {"addresses", 'n', "N", 0, "addresses of each campaign (200)", 0},
    {"faults", 'f', "LIST", 0,
     "what may go wrong: names with commas between, all, none (all but vanity)", 0},
    {"way", 'w', "WAY", 0,
     "one: questions one by one; bulk: a list; mixed: every fourth seed is a list (mixed)", 0},
    {"kills", KEY_KILLS, "N", 0,
     "how often the process that works on a list dies (0 to 3, by the seed)", 0},
    {"egresses", 'e', "N", 0, "ways out, 1 to 3 (1)", 0},
    {"loops", 'l', "N", 0, "knockers that share the sites, 1 to 8 (1)", 0},
    {"data", KEY_DATA, "FOLDER", 0, "rules, providers and lists (those of the source)", 0},
    {"show", KEY_SHOW, NULL, 0, "how many answers there were of each kind", 0},
    {0},
};

static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
    struct reader r = reader_over(slice_of(text));
    return reader_number(&r, max, out) && r.rest.len == 0;
}

static bool read_range(const char *text, struct arguments *arguments)
{
    struct reader r = reader_over(slice_of(text));
    return reader_number(&r, UINT64_MAX / 2, &arguments->first) && reader_literal(&r, SLICE("-")) &&
           reader_number(&r, UINT64_MAX / 2, &arguments->last) && r.rest.len == 0 &&
           arguments->first <= arguments->last;
}

static bool read_fault(struct slice name, unsigned *faults)
{
    if (slice_equal(name, SLICE("all"))) {
        *faults |= CAMPAIGN_FAULTS_USUAL;
        return true;
    }
    if (slice_equal(name, SLICE("none"))) {
        return true;
    }
    for (unsigned i = 0; i < CAMPAIGN_FAULTS; i++) {
        if (slice_equal(name, slice_of(campaign_fault_name((enum campaign_fault)i)))) {
            *faults |= 1u << i;
            return true;
        }
    }
    return false;
}

static void read_faults(const char *text, struct arguments *arguments, struct argp_state *state)
{
    arguments->faults = 0;
    struct slice rest = slice_of(text);
    while (rest.at != NULL) {
        struct slice name = slice_cut(&rest, ',');
        if (!read_fault(name, &arguments->faults)) {
            (void)fprintf(stderr, "faults:");
            for (unsigned i = 0; i < CAMPAIGN_FAULTS; i++) {
                (void)fprintf(stderr, " %s", campaign_fault_name((enum campaign_fault)i));
            }
            (void)fprintf(stderr, "\n");
            argp_error(state, "--faults: there is no '%.*s'", SLICE_ARG(name));
        }
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    uint64_t number = 0;
    switch (key) {
    case 's':
        if (!read_number(arg, UINT64_MAX / 2, &arguments->first)) {
            argp_error(state, "--seed: '%s' is no number", arg);
        }
        arguments->last = arguments->first;
        return 0;
    case 'S':
        if (!read_range(arg, arguments)) {
            argp_error(state, "--seeds: '%s' is not like 1-100", arg);
        }
        return 0;
    case 'n':
        if (!read_number(arg, 10000000, &number) || number == 0) {
            argp_error(state, "--addresses: '%s' is not a number from 1 to 10000000", arg);
        }
        arguments->addresses = (uint32_t)number;
        return 0;
    case 'f': read_faults(arg, arguments, state); return 0;
    case 'w':
        if (strcmp(arg, "one") != 0 && strcmp(arg, "bulk") != 0 && strcmp(arg, "mixed") != 0) {
            argp_error(state, "--way: '%s' is none of one, bulk, mixed", arg);
        }
        arguments->way = arg[0] == 'o' ? WAY_ONE : arg[0] == 'b' ? WAY_BULK : WAY_MIXED;
        return 0;
    case KEY_KILLS:
        if (!read_number(arg, 100, &number)) {
            argp_error(state, "--kills: '%s' is not a number from 0 to 100", arg);
        }
        arguments->kills = (unsigned)number;
        arguments->has_kills = true;
        return 0;
    case 'e':
        if (!read_number(arg, CAMPAIGN_EGRESSES_MAX, &number) || number == 0) {
            argp_error(state, "--egresses: '%s' is not a number from 1 to %d", arg,
                       CAMPAIGN_EGRESSES_MAX);
        }
        arguments->egresses = (unsigned)number;
        return 0;
    case 'l':
        if (!read_number(arg, CAMPAIGN_LOOPS_MAX, &number) || number == 0) {
            argp_error(state, "--loops: '%s' is not a number from 1 to %d", arg,
                       CAMPAIGN_LOOPS_MAX);
        }
        arguments->loops = (unsigned)number;
        return 0;
    case KEY_DATA: arguments->data = arg; return 0;
    case KEY_SHOW: arguments->shows_all = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static struct campaign_config config_of(const struct arguments *arguments, uint64_t seed)
{
    struct campaign_config config = {
        .options = {.seed = seed,
                    .addresses = arguments->addresses,
                    .faults = arguments->faults,
                    .egresses = arguments->egresses},
        .loops = arguments->loops,
        .number = CAMPAIGN_NOBODY,
    };
    switch (arguments->way) {
    case WAY_ONE: break;
    case WAY_BULK: config.is_bulk = true; break;
    case WAY_MIXED: config.is_bulk = seed % BULK_OUT_OF == BULK_OUT_OF - 1; break;
    }
    const char *folder = getenv("TMPDIR");
    config.folder = folder == NULL ? "/tmp" : folder;
    config.kills =
        arguments->has_kills ? arguments->kills : (unsigned)(seed / BULK_OUT_OF % KILLS_MAX);
    return config;
}

static void add(struct totals *totals, const struct campaign_config *config,
                const struct campaign_outcome *outcome)
{
    totals->seeds++;
    totals->lists += config->is_bulk ? 1 : 0;
    totals->addresses += config->options.addresses;
    totals->answers += outcome->answers;
    totals->conversations += outcome->conversations;
    totals->probes += outcome->probes;
    totals->events += outcome->events;
    totals->elapsed_ms += outcome->elapsed_ms;
    for (size_t i = 0; i < SUB_COUNT; i++) {
        totals->by_sub[i] += outcome->by_sub[i];
    }
    if (outcome->memory_peak > totals->memory_peak) {
        totals->memory_peak = outcome->memory_peak;
    }
}

/* The same once more, with the conversations of the far end where it went wrong. */
static void show_flaw(const struct campaign_config *config, const struct knowledge *knowledge,
                      const struct campaign_outcome *first)
{
    struct campaign_config again = *config;
    struct campaign_outcome second;
    struct fault fault;
    const struct campaign_flaw *flaw = &first->flaw;
    printf("seed %" PRIu64 ": %s\n", config->options.seed, flaw->text);
    printf("  at %" PRIu64 ".%03u s of virtual time", flaw->at_ms / 1000,
           (unsigned)(flaw->at_ms % 1000));
    if (flaw->site != CAMPAIGN_NOBODY) {
        printf(", far end s%u", flaw->site);
    }
    printf(", traffic %016" PRIx64 "\n", first->traffic_hash);
    again.shows_site = flaw->site != CAMPAIGN_NOBODY;
    again.site = flaw->site;
    again.number = flaw->number;
    if (campaign_run(&again, knowledge, &second, &fault) != ERR_NONE) {
        printf("  %s\n", fault.text);
        return;
    }
    bool is_same = strcmp(second.flaw.text, flaw->text) == 0 && second.flaw.at_ms == flaw->at_ms &&
                   second.traffic_hash == first->traffic_hash;
    printf("  %s\n", is_same ? "once more: the same" : "once more: not the same");
    printf("%.*s", SLICE_ARG(buf_view(&second.talk)));
    campaign_outcome_done(&second);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void show_totals(const struct totals *totals, double took_s, bool shows_all)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("%" PRIu64 " seeds (%" PRIu64 " of them lists), %" PRIu64 " addresses, %" PRIu64
           " answers\n",
           totals->seeds, totals->lists, totals->addresses, totals->answers);
    printf("%" PRIu64 " conversations, %" PRIu64 " RCPTs, %" PRIu64
           " events, %.1f days of virtual time\n",
           totals->conversations, totals->probes, totals->events,
           (double)totals->elapsed_ms / 86400000);
    printf("%.1f s, at most %.0f MB of heap for one campaign, %.0f MB resident\n", took_s,
           (double)totals->memory_peak / 1e6, (double)usage.ru_maxrss * 1024 / 1e6);
    for (size_t i = 0; i < SUB_COUNT && shows_all; i++) {
        printf("  %-24s %10" PRIu64 "\n", verdict_sub_name((enum verdict_sub)i), totals->by_sub[i]);
    }
}

static int play_all(const struct arguments *arguments, const struct knowledge *knowledge)
{
    struct totals totals = {0};
    double began_s = seconds();
    for (uint64_t seed = arguments->first; seed <= arguments->last; seed++) {
        struct campaign_config config = config_of(arguments, seed);
        struct campaign_outcome outcome;
        struct fault fault;
        if (campaign_run(&config, knowledge, &outcome, &fault) != ERR_NONE) {
            (void)fprintf(stderr, "campaign: seed %" PRIu64 ": %s\n", seed, fault.text);
            return EX_SOFTWARE;
        }
        bool is_flawed = outcome.flaw.is_found;
        if (is_flawed) {
            show_flaw(&config, knowledge, &outcome);
        }
        add(&totals, &config, &outcome);
        campaign_outcome_done(&outcome);
        if (is_flawed) {
            return EXIT_FAILURE;
        }
    }
    show_totals(&totals, seconds() - began_s, arguments->shows_all);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse_option,
        .doc = "Plays whole verification campaigns on a virtual clock and network, and checks at "
               "every step "
               "what must always be true.",
    };
    struct arguments arguments = {.first = 1,
                                  .last = 30,
                                  .addresses = 200,
                                  .faults = CAMPAIGN_FAULTS_USUAL,
                                  .data = DATA_DIR};
    argp_err_exit_status = EX_USAGE;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    struct knowledge *knowledge;
    struct fault fault;
    if (knowledge_open(arguments.data, &knowledge, &fault) != ERR_NONE) {
        (void)fprintf(stderr, "campaign: %s\n", fault.text);
        return EX_SOFTWARE;
    }
    int status = play_all(&arguments, knowledge);
    knowledge_free(knowledge);
    return status;
}
