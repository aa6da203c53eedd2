/* engine/survey: who serves the domains of a list: each is looked up in the DNS, a bounded number at a time, and
 * falls to a site with its limits, as it will when it is asked. No mail server is contacted. Without DNS, domains
 * of their own providers are known by name, and the others are a site each of which nothing is known.
 *
 *     survey_new -> survey_start ... (door runs, finished() is called) -> survey_first, survey_count
 *                -> the door is closed -> survey_free
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_SURVEY_H
#define ENGINE_SURVEY_H

#include "engine/census.h"
#include "engine/knocker.h"
#include "traffic/forecast.h"

enum { SURVEY_LOOKUPS_MAX = 128 }; /* at once: resolvers drop what comes in floods */

struct survey;

struct survey_config {
    const struct knocker_config *knocker;
    const struct knowledge *knowledge;
    struct store *store;               /* what was learned of sites; NULL: nothing */
    int64_t wall_ms;                   /* now, Unix */
    uint64_t seed;                     /* random */
    void (*progressed)(void *context); /* after each domain; may be NULL */
    void (*finished)(void *context);   /* all were looked up, or survey_cancel was called */
    void *context;
};

struct survey_site {
    struct slice key; /* "@google", or the hosts of a server of its own; NUL-terminated */
    const struct provider *provider;
    bool
        is_unknown; /* one domain, of which only the name is known: counted with the limits of strangers */
    uint64_t domains;
    struct forecast_demand demand;
    struct traffic_site traffic;
    struct survey_site *next;
};

struct survey_tally {
    uint64_t domains, addresses;
};
struct survey_counts {
    uint64_t domains_done;
    struct survey_tally no_mail;    /* no such domain, or it takes no mail: nobody is asked */
    struct survey_tally unanswered; /* the name service gave no answer; part of the unknown sites */
    struct survey_tally not_asked;  /* a provider that is set to be skipped, or no SMTP at all */
};

/* door NULL: without DNS. config and census are borrowed. ERR_NOMEM. */
enum err survey_new(struct door *door, const struct survey_config *config,
                    const struct census *census, struct survey **out) MUST_USE;
/* finished() may be called from within. */
void survey_start(struct survey *survey);
void survey_cancel(struct survey *survey);
void survey_free(struct survey *survey); /* safe on NULL */

bool survey_has_failed(const struct survey *survey); /* no memory: a domain or more is missing */
/* In the order in which they were found; the others by next. */
const struct survey_site *survey_first(const struct survey *survey);
const struct traffic_pool *survey_pool(const struct survey *survey);
void survey_count(const struct survey *survey, struct survey_counts *out);

#endif
