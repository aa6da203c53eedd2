/* sim/campaign_site: the temper of one far end, drawn from the faults that are allowed. Every answer to RCPT names
 * its recipient, so that an answer given to the wrong question shows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"
#include "base/slice.h"
#include "sim/campaign_plan.h"
#include "verify/control.h"

enum {
    PLAIN_PERCENT = 35,
    FAULT_PERCENT = 16,
    INVALIDS_PER_SESSION = 5, /* ours, of servers nobody knows (data/providers/default.conf) */
    PATIENCE_MAX = 10, /* refusals after which we distrust an acceptance, at most (verify/claim) */
};

static bool happens(struct random *r, unsigned percent)
{
    return random_below(r, 100) < percent;
}

static unsigned between(struct random *r, unsigned least, unsigned most)
{
    return least + random_below(r, most - least + 1);
}

static bool has(const struct campaign_site *site, enum campaign_fault fault)
{
    return (site->faults & 1u << fault) != 0;
}

static const char *mailbox(const void *context, struct slice path)
{
    const struct campaign_site *site = context;
    uint32_t number = campaign_number(site->plan, path);
    if (number == UINT32_MAX) {
        return NULL;
    }
    if (site->plan->domains[campaign_domain_of(site->plan, number)].site != site->number) {
        return "554 5.7.1 <%r>: Relay access denied";
    }
    switch (campaign_truth(site->plan, number)) {
    case CAMPAIGN_LIVE: return "";
    case CAMPAIGN_UNKNOWN: return NULL;
    case CAMPAIGN_FULL: return "452 4.2.2 <%r>: The recipient's mailbox is over quota";
    case CAMPAIGN_DISABLED: return "550 5.2.1 <%r>: The email account is disabled";
    case CAMPAIGN_MOVED: return "551 5.1.6 <%r>: Recipient has moved";
    case CAMPAIGN_FORWARDED: return "251 2.1.5 <%r>: User not local; will forward";
    case CAMPAIGN_AWAY: return "450 4.2.0 <%r>: Mailbox temporarily unavailable";
    }
    return NULL;
}

static void add_rule(struct campaign_site *site, const struct peer_rule *rule)
{
    struct peer_rule *at = site->script.rules;
    while (at->say != NULL || at->delay_ms != 0 || at->closes) {
        at++;
    }
    *at = *rule;
}

static void draw_greylist(struct campaign_site *site, struct random *r)
{
    static const char *const says[] = {NULL, "451 4.7.1 <%r>: Greylisted, please try again later",
                                       "450 4.2.0 <%r>: Recipient address rejected: Greylisted, "
                                       "see https://postgrey.schweikert.ch/"};
    site->script.greylist_s = between(r, 1, happens(r, 20) ? 3000 : 600);
    site->script.greylist_kind = (enum peer_greylist)random_below(r, 3);
    site->script.greylist_say = says[random_below(r, 3)];
    site->script.greylist_restarts = happens(r, 20);
    site->script.greylist_spares_dead = happens(r, 20);
}

/* In words that say nothing of us, only after more refusals than one of our sessions may have: nobody could
 * tell such an answer from a true one. */
static void draw_poison(struct campaign_site *site, struct random *r)
{
    unsigned ceiling = site->plan->settings.knocker.rcpts_per_connection;
    unsigned ours = ceiling != 0 ? ceiling : INVALIDS_PER_SESSION;
    struct peer_rule rule = {.at = PEER_AT_RCPT, .after_bad = between(r, 2, 12)};
    switch (random_below(r, 6)) {
    case 0: rule.delay_ms = between(r, 1000, 60000); break;
    case 1: rule.say = "550 5.7.1 <%r>: Too many invalid recipients from your host"; break;
    case 2: rule.say = "450 4.7.1 <%r>: Too many errors, try again later"; break;
    case 3:
        rule.say = "421 4.7.0 %h Error: too many errors";
        rule.closes = true;
        break;
    case 4:
        rule.say = "250 2.1.5 <%r>: Recipient ok";
        rule.after_bad = site->mx_suffix != NULL ? PATIENCE_MAX : rule.after_bad;
        break;
    default:
        rule.say = "550 5.1.1 <%r>: Recipient address rejected: User unknown";
        rule.after_bad = ours + random_below(r, 3);
        break;
    }
    add_rule(site, &rule);
}

static void draw_busy(struct campaign_site *site, struct random *r)
{
    struct peer_rule rule = {
        .at = PEER_AT_RCPT, .say = "421 4.3.2 %h Service shutting down", .closes = true};
    switch (random_below(r, 5)) {
    case 0: rule.from = between(r, 1, 6); break;
    case 1:
        rule.at = PEER_AT_BANNER;
        rule.times = between(r, 1, 5);
        break;
    case 2:
        rule.at = PEER_AT_BANNER;
        rule.for_ms = between(r, 1000, 3600 * 1000);
        break;
    case 3:
        rule = (struct peer_rule){.at = PEER_AT_RCPT,
                                  .say = "451 4.3.0 <%r>: Temporary lookup failure",
                                  .times = between(r, 1, 3)};
        break;
    default:
        rule = (struct peer_rule){.at = PEER_AT_MAIL,
                                  .say = "451 4.3.2 System is busy, try again later",
                                  .for_ms = between(r, 1000, 1200 * 1000)};
        break;
    }
    add_rule(site, &rule);
}

static void draw_cut(struct campaign_site *site, struct random *r)
{
    static const enum peer_at places[] = {PEER_AT_BANNER, PEER_AT_EHLO, PEER_AT_MAIL, PEER_AT_RCPT,
                                          PEER_AT_RCPT};
    struct peer_rule rule = {.at = places[random_below(r, 5)], .say = "", .closes = true};
    if (rule.at == PEER_AT_RCPT) {
        rule.from = between(r, 1, 8);
    } else if (happens(r, 80)) {
        rule.times = between(r, 1, 6);
    }
    add_rule(site, &rule);
}

static void draw_limits(struct campaign_site *site, struct random *r)
{
    if (happens(r, 60)) {
        site->script.connections_max = between(r, 1, 3);
    }
    unsigned most = between(r, 1, 10);
    if (happens(r, 50)) {
        struct peer_rule rule = {.at = PEER_AT_RCPT,
                                 .say = "452 4.5.3 Error: too many recipients",
                                 .from_in_transaction = most + 1};
        add_rule(site, &rule);
    } else {
        struct peer_rule rule = {.at = PEER_AT_RCPT,
                                 .say = "421 4.7.0 %h Too many recipients in this session",
                                 .from = most + 1,
                                 .closes = true};
        add_rule(site, &rule);
    }
}

static void draw_tls(struct campaign_site *site, struct random *r)
{
    static const enum peer_tls kinds[] = {PEER_TLS_GOOD, PEER_TLS_GOOD, PEER_TLS_GOOD,
                                          PEER_TLS_GARBAGE, PEER_TLS_INJECTED};
    static const enum world_tls ends[] = {WORLD_TLS_OK, WORLD_TLS_OK, WORLD_TLS_FAIL,
                                          WORLD_TLS_HANG, WORLD_TLS_RESET};
    site->script.tls = kinds[random_below(r, 5)];
    site->tls = ends[random_below(r, 5)];
    site->script.is_cert_expired = happens(r, 30);
    site->script.is_tls_required = happens(r, 30);
}

static void draw_slow(struct campaign_site *site, struct random *r)
{
    site->script.banner_delay_ms = happens(r, 50) ? between(r, 1000, 45000) : 0;
    site->script.delay_ms = between(r, 10, happens(r, 30) ? 50000 : 5000);
    site->script.rcpt_delay_max_ms = happens(r, 30) ? between(r, 100, 60000) : 0;
}

static void draw_hosts(struct campaign_site *site, struct random *r)
{
    static const enum world_behaviour behaviours[] = {
        WORLD_ACCEPT, WORLD_ACCEPT, WORLD_REFUSE, WORLD_BLACKHOLE, WORLD_UNREACHABLE, WORLD_RESET};
    site->host_count = between(r, 1, CAMPAIGN_HOSTS_MAX);
    for (unsigned i = 0; i < site->host_count; i++) {
        struct campaign_host *host = &site->hosts[i];
        host->latency_ms = between(r, 1, happens(r, 10) ? 1500 : 150);
        if (has(site, CAMPAIGN_DEAD)) {
            host->behaviour = behaviours[random_below(r, 6)];
            host->ip6[0] = happens(r, 50) ? '6' : '\0'; /* it gets one */
            host->behaviour6 = behaviours[random_below(r, 6)];
        }
    }
}

static void draw_faults(struct campaign_site *site, struct random *r)
{
    unsigned allowed = site->plan->options.faults;
    unsigned harmless = 1u << CAMPAIGN_PACKETS | 1u << CAMPAIGN_MAILBOX;
    bool is_spared = happens(r, PLAIN_PERCENT);
    for (unsigned fault = 0; fault < CAMPAIGN_FAULTS; fault++) {
        bool is_drawn = happens(r, FAULT_PERCENT);
        if (is_drawn && (!is_spared || (harmless & 1u << fault) != 0)) {
            site->faults |= allowed & 1u << fault;
        }
    }
    site->is_plain = (site->faults & ~harmless) == 0;
}

static void draw_words(struct campaign_site *site, struct random *r)
{
    static const char *const unknowns[] = {
        "550 5.1.1 <%r>: Recipient address rejected: User unknown",
        "550 5.1.1 <%r>... User unknown", "550 <%r> No such user here",
        "550 5.1.1 <%r>: The email account that you tried to reach does not exist",
        "553 5.1.1 <%r>: no mailbox here by that name"};
    site->script.ok = "250 2.1.5 <%r>: Recipient ok";
    site->script.unknown = unknowns[random_below(r, 5)];
    site->script.mailbox = mailbox;
    site->script.mailbox_context = site;
}

void campaign_site_draw(struct campaign_site *site, uint64_t seed)
{
    static const uint8_t lives[] = {0, 10, 40, 50, 60, 90, 100};
    static const char *const suffixes[] = {"mail.protection.outlook.com", "mx.l.google.com",
                                           "zoho.com", "emailsrvr.com"};
    struct random r = {seed};
    (void)random_next(&r);
    draw_faults(site, &r);
    draw_words(site, &r);
    site->live_percent = lives[random_below(&r, 7)];
    site->mx_suffix = has(site, CAMPAIGN_PROVIDER) ? suffixes[random_below(&r, 4)] : NULL;
    draw_hosts(site, &r);
    if (has(site, CAMPAIGN_GREYLIST)) {
        draw_greylist(site, &r);
    }
    if (has(site, CAMPAIGN_POISON)) {
        draw_poison(site, &r);
    }
    if (has(site, CAMPAIGN_BLOCK)) {
        site->script.block_after_bad = between(&r, 1, 60);
        site->script.block_s = between(&r, 600, 86400);
    }
    if (has(site, CAMPAIGN_CATCH_ALL)) {
        site->script.catch_all = (enum peer_catch_all)between(&r, 1, 3);
        site->script.catch_all_bytes =
            CONTROL_SHORT_MAX; /* at another length it is not seen through */
    }
    if (has(site, CAMPAIGN_SLOW)) {
        draw_slow(site, &r);
    }
    site->script.bad_delay_ms = has(site, CAMPAIGN_TARPIT) ? between(&r, 2000, 55000) : 0;
    if (has(site, CAMPAIGN_BUSY)) {
        draw_busy(site, &r);
    }
    if (has(site, CAMPAIGN_CUT)) {
        draw_cut(site, &r);
    }
    if (has(site, CAMPAIGN_LIMITS)) {
        draw_limits(site, &r);
    }
    if (has(site, CAMPAIGN_TLS)) {
        draw_tls(site, &r);
    }
    if (has(site, CAMPAIGN_GROUPS)) {
        site->script.grouping =
            (enum peer_grouping)between(&r, PEER_GROUPS_SWALLOWED, PEER_GROUPS_CROSSED);
    }
    if (has(site, CAMPAIGN_PACKETS)) {
        site->jitter_ms = between(&r, 0, 400);
        site->split_bytes = happens(&r, 50) ? between(&r, 1, 40) : 0;
    }
}
