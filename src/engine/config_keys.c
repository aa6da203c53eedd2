/* engine/config_keys: the keys of heloise.conf, their types and ranges, and hints for those that are not among them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/slip.h"
#include "engine/config_private.h"

enum {
    SLIPS_MAX = 2,
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
    CONNECTIONS_MAX = 100000,
    SERVE_THREADS_MAX = 256,
    LOOPS_MAX = 64,
    SERVE_PROBES_MAX = 16,
};

#define WEEK_MS (7ull * DAY)
#define YEAR_MS (365ull * DAY)

/* Where a value stands and how large it is. */
#define FIELD(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)
#define EGRESS_FIELD(member) \
    offsetof(struct config_egress, member), sizeof(((struct config_egress *)0)->member)

#define BY_PROVIDER "the provider's limit"
#define BY_COMMON   "the one outside the egresses"
#define KEPT        "kept for good"

/* What all external services have. */
#define SIGNAL_KEYS(section, service)                                                             \
    {section, "enabled", CONFIG_SWITCH, FIELD(signals[service].is_enabled), 0, 0, NULL},          \
        {section, "url", CONFIG_URL, FIELD(signals[service].url), 0, 0, NULL},                    \
        {section, "timeout", CONFIG_SPAN, FIELD(signals[service].timeout_ms), 100, MINUTE, NULL}, \
        {section, "cache", CONFIG_SPAN, FIELD(signals[service].cache_ms), 0, YEAR_MS, NULL},      \
    {                                                                                             \
        section, "per-minute", CONFIG_COUNT, FIELD(signals[service].per_minute), 1, 60000, NULL   \
    }

const struct config_key config_keys[] = {
    {"", "helo", CONFIG_HELO, FIELD(helo), 0, 0, "this machine's full name"},
    {"", "mail-from", CONFIG_SENDER, FIELD(mail_from), 0, 0, "the null sender only"},
    {"", "source-v4", CONFIG_IP_V4, FIELD(source_v4), 0, 0, "the system chooses"},
    {"", "source-v6", CONFIG_IP_V6, FIELD(source_v6), 0, 0, "the system chooses"},
    {"", "proxy", CONFIG_PROXY, FIELD(proxy), 0, 0, "none"},
    {"", "proxy-password-file", CONFIG_PATH, FIELD(proxy_password_file), 0, 0, "none"},
    {"", "port", CONFIG_COUNT, FIELD(port), 1, 65535, NULL},
    {"", "tls", CONFIG_SWITCH, FIELD(wants_tls), 0, 0, NULL},
    {"", "resolvers", CONFIG_RESOLVERS, FIELD(resolvers), 0, CONFIG_RESOLVERS_MAX, "the system's"},
    {"", "allow-net", CONFIG_NETS, FIELD(allowed_nets), 0, KNOCKER_NETS_MAX, "public ones only"},
    {"", "store", CONFIG_STORE, FIELD(store), 0, 0, "below the user's folder"},
    {"", "data", CONFIG_PATH, FIELD(data_dir), 0, 0, "the installed one"},
    {"", "lists", CONFIG_PATH, FIELD(lists_dir), 0, 0, "beside this file"},
    {"", "providers", CONFIG_PATHS, FIELD(providers), 0, CONFIG_TEXTS_MAX, "ours only"},

    {"limits", "max-connections", CONFIG_COUNT, FIELD(connections_max), 1, CONNECTIONS_MAX, NULL},
    {"limits", "loops", CONFIG_COUNT, FIELD(loops), 1, LOOPS_MAX, "one for each processor"},
    {"limits", "io-uring", CONFIG_SWITCH, FIELD(uses_io_uring), 0, 0, NULL},
    {"limits", "max-per-site", CONFIG_COUNT, FIELD(per_site_max), 1, CONNECTIONS_MAX, BY_PROVIDER},
    {"limits", "rcpts-per-connection", CONFIG_COUNT, FIELD(rcpts_per_connection), 1, 10000,
     BY_PROVIDER},
    {"limits", "pipelined-rcpts", CONFIG_COUNT, FIELD(pipelined_rcpts), 1,
     PROVIDER_PIPELINED_RCPTS_MAX, BY_PROVIDER},
    {"limits", "invalids-per-hour", CONFIG_COUNT, FIELD(invalids_per_hour), 1, 10000000,
     BY_PROVIDER},
    {"limits", "timeout", CONFIG_SPAN, FIELD(budget_ms), SECOND, DAY, NULL},
    {"limits", "queue-wait", CONFIG_SPAN, FIELD(queue_wait_ms), SECOND, WEEK_MS, NULL},
    {"limits", "greylist-wait", CONFIG_SPAN, FIELD(greylist_wait_ms), SECOND, DAY, NULL},
    {"limits", "longest-wait", CONFIG_SPAN, FIELD(longest_wait_ms), SECOND, WEEK_MS, NULL},
    {"limits", "attempts", CONFIG_COUNT, FIELD(attempts), 1, 20, NULL},

    {"timeouts", "connect", CONFIG_SPAN, FIELD(timeout_ms[HEL_SMTP_CONNECT]), SECOND, HOUR, NULL},
    {"timeouts", "banner", CONFIG_SPAN, FIELD(timeout_ms[HEL_SMTP_BANNER]), SECOND, HOUR, NULL},
    {"timeouts", "ehlo", CONFIG_SPAN, FIELD(timeout_ms[HEL_SMTP_EHLO]), SECOND, HOUR, NULL},
    {"timeouts", "starttls", CONFIG_SPAN, FIELD(timeout_ms[HEL_SMTP_STARTTLS]), SECOND, HOUR, NULL},
    {"timeouts", "mail", CONFIG_SPAN, FIELD(timeout_ms[HEL_SMTP_MAIL]), SECOND, HOUR, NULL},
    {"timeouts", "rcpt", CONFIG_SPAN, FIELD(timeout_ms[HEL_SMTP_RCPT]), SECOND, HOUR, NULL},
    {"timeouts", "rset", CONFIG_SPAN, FIELD(timeout_ms[HEL_SMTP_RSET]), SECOND, HOUR, NULL},
    {"timeouts", "quit", CONFIG_SPAN, FIELD(timeout_ms[HEL_SMTP_QUIT]), SECOND, HOUR, NULL},

    {"verify", "smtp", CONFIG_SWITCH, FIELD(asks_smtp), 0, 0, NULL},
    {"verify", "control", CONFIG_SWITCH, FIELD(asks_control), 0, 0, NULL},
    {"verify", "retry", CONFIG_SWITCH, FIELD(retries), 0, 0, NULL},
    {"verify", "strict", CONFIG_SWITCH, FIELD(is_strict), 0, 0, NULL},
    {"verify", "null-sender-first", CONFIG_SWITCH, FIELD(null_sender_first), 0, 0, NULL},
    {"verify", "risky-if", CONFIG_RISKY, FIELD(risky_if), 0, 3, NULL},
    {"verify", "fresh", CONFIG_SWITCH, FIELD(is_fresh), 0, 0, NULL},
    {"verify", "cache-ttl", CONFIG_SPAN, FIELD(cache_age_ms_max), 0, YEAR_MS,
     "the life of each status"},

    {"serve", "listen", CONFIG_LISTEN, FIELD(serve.listen), 0, CONFIG_TEXTS_MAX, "127.0.0.1:8025"},
    {"serve", "tls-certificate", CONFIG_PATH, FIELD(serve.tls_certificate), 0, 0, "plain HTTP"},
    {"serve", "tls-key", CONFIG_PATH, FIELD(serve.tls_key), 0, 0, "plain HTTP"},
    {"serve", "page", CONFIG_PATH, FIELD(serve.page_dir), 0, 0, "the installed one"},
    {"serve", "threads", CONFIG_COUNT, FIELD(serve.threads), 1, SERVE_THREADS_MAX,
     "one for each processor"},
    {"serve", "connections", CONFIG_COUNT, FIELD(serve.connections_max), 1, 1000000, NULL},
    {"serve", "connections-per-client", CONFIG_COUNT, FIELD(serve.connections_client_max), 1,
     1000000, "no limit of its own"},
    {"serve", "idle-timeout", CONFIG_SPAN, FIELD(serve.idle_ms), SECOND, HOUR, NULL},
    {"serve", "stop-timeout", CONFIG_SPAN, FIELD(serve.stop_ms), 0, HOUR, NULL},
    {"serve", "trusted-proxies", CONFIG_NETS, FIELD(serve.trusted_proxies), 0, KNOCKER_NETS_MAX,
     "none"},
    {"serve", "cors-origins", CONFIG_ORIGINS, FIELD(serve.cors_origins), 0, CONFIG_TEXTS_MAX,
     "none"},
    {"serve", "log-requests", CONFIG_SWITCH, FIELD(serve.logs_requests), 0, 0, NULL},
    {"serve", "log-addresses", CONFIG_SWITCH, FIELD(serve.logs_addresses), 0, 0, NULL},
    {"serve", "probes", CONFIG_COUNT, FIELD(serve.probes_max), 1, SERVE_PROBES_MAX, NULL},
    {"serve", "probe-send", CONFIG_SWITCH, FIELD(serve.probe_sends), 0, 0, NULL},
    {"serve", "probe-relay", CONFIG_HOSTS, FIELD(serve.probe_relay), 0, CONFIG_TEXTS_MAX, "none"},

    {"policy", "listen", CONFIG_SOCKETS, FIELD(policy.listen), 0, CONFIG_TEXTS_MAX,
     "inet:127.0.0.1:10040"},
    {"policy", "socketmap", CONFIG_SOCKETS, FIELD(policy.socketmap), 0, CONFIG_TEXTS_MAX, "none"},
    {"policy", "timeout", CONFIG_SPAN, FIELD(policy.timeout_ms), 100, 5ull * MINUTE, NULL},
    {"policy", "idle-timeout", CONFIG_SPAN, FIELD(policy.idle_ms), SECOND, DAY, NULL},
    {"policy", "connections", CONFIG_COUNT, FIELD(policy.connections_max), 1, 10000, NULL},
    {"policy", "undeliverable", CONFIG_POLICY, FIELD(policy.undeliverable), 0, 0, NULL},
    {"policy", "risky", CONFIG_POLICY, FIELD(policy.risky), 0, 0, NULL},
    {"policy", "temporary", CONFIG_POLICY, FIELD(policy.temporary), 0, 0, NULL},
    {"policy", "unknown", CONFIG_POLICY, FIELD(policy.unknown), 0, 0, NULL},
    {"policy", "pending", CONFIG_POLICY, FIELD(policy.pending), 0, 0, NULL},
    {"policy", "senders", CONFIG_SWITCH, FIELD(policy.checks_senders), 0, 0, NULL},
    {"policy", "except", CONFIG_PATH, FIELD(policy.except), 0, 0, "nobody"},
    {"policy", "log-addresses", CONFIG_SWITCH, FIELD(policy.logs_addresses), 0, 0, NULL},

    {"webhooks", "allow-net", CONFIG_NETS, FIELD(webhooks.allowed_nets), 0, KNOCKER_NETS_MAX,
     "public ones only"},
    {"webhooks", "timeout", CONFIG_SPAN, FIELD(webhooks.timeout_ms), SECOND, 5ull * MINUTE, NULL},
    {"webhooks", "at-once", CONFIG_COUNT, FIELD(webhooks.at_once_max), 1, WEBHOOKS_AT_ONCE_MAX,
     NULL},
    {"webhooks", "per-host", CONFIG_COUNT, FIELD(webhooks.per_host_max), 1, WEBHOOKS_AT_ONCE_MAX,
     NULL},
    {"webhooks", "keep", CONFIG_SPAN, FIELD(webhooks.keep_ms), 0, YEAR_MS, NULL},

    SIGNAL_KEYS("gravatar", SIGNAL_GRAVATAR),
    SIGNAL_KEYS("github", SIGNAL_GITHUB),
    {"github", "key-file", CONFIG_PATH, FIELD(signals[SIGNAL_GITHUB].key_file), 0, 0, "none"},
    SIGNAL_KEYS("hibp", SIGNAL_HIBP),
    {"hibp", "key-file", CONFIG_PATH, FIELD(signals[SIGNAL_HIBP].key_file), 0, 0, "none"},
    SIGNAL_KEYS("rdap", SIGNAL_RDAP),

    {"retention", "verdicts", CONFIG_SPAN, FIELD(keep_verdicts_ms), HOUR, 10 * YEAR_MS, KEPT},
    {"retention", "facts", CONFIG_SPAN, FIELD(keep_facts_ms), HOUR, 10 * YEAR_MS, KEPT},
    {"retention", "batches", CONFIG_SPAN, FIELD(keep_batches_ms), HOUR, 10 * YEAR_MS, KEPT},

    {"egress", "source-v4", CONFIG_IP_V4, EGRESS_FIELD(source_v4), 0, 0, "the system chooses"},
    {"egress", "source-v6", CONFIG_IP_V6, EGRESS_FIELD(source_v6), 0, 0, "the system chooses"},
    {"egress", "proxy", CONFIG_PROXY, EGRESS_FIELD(proxy), 0, 0, "none"},
    {"egress", "proxy-password-file", CONFIG_PATH, EGRESS_FIELD(proxy_password_file), 0, 0, "none"},
    {"egress", "helo", CONFIG_HELO, EGRESS_FIELD(helo), 0, 0, BY_COMMON},
    {"egress", "mail-from", CONFIG_SENDER, EGRESS_FIELD(mail_from), 0, 0, BY_COMMON},
    {"egress", "weight", CONFIG_COUNT, EGRESS_FIELD(weight), 1, 1000, NULL},
    {"egress", "warm-up-start", CONFIG_DATE, EGRESS_FIELD(warm_up.start_day), 0, 0, "it is warm"},
    {"egress", "warm-up-age", CONFIG_SPAN, EGRESS_FIELD(warm_up.age_ms), DAY, 10 * YEAR_MS,
     "it is warm"},
    {"egress", "warm-up-first-day", CONFIG_COUNT, EGRESS_FIELD(warm_up.first_day), 1, 1000000,
     "it is warm"},
    {"egress", "warm-up-growth", CONFIG_PERCENT, EGRESS_FIELD(warm_up.growth_percent), 1, 900,
     "it is warm"},
    {"egress", "budget", CONFIG_COUNT, EGRESS_FIELD(budget), 1, 100000000, "no limit of its own"},
    {"egress", "enabled", CONFIG_SWITCH, EGRESS_FIELD(is_enabled), 0, 0, NULL},
};

const size_t config_key_count = sizeof config_keys / sizeof *config_keys;

static_assert(sizeof config_keys / sizeof *config_keys <= CONFIG_KEYS_MAX, "each has its mark");

static const char *const sections[] = {"limits", "timeouts",  "verify",   "serve",
                                       "policy", "retention", "webhooks", "gravatar",
                                       "github", "hibp",      "rdap",     "egress"};
enum { SECTIONS = sizeof sections / sizeof *sections };

const struct config_key *config_key_find(struct slice section, struct slice name)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (slice_equal(slice_of(config_keys[i].section), section) &&
            slice_equal(slice_of(config_keys[i].name), name)) {
            return &config_keys[i];
        }
    }
    return NULL;
}

bool config_key_is_egress(const struct config_key *key)
{
    return slice_equal(slice_of(key->section), SLICE("egress"));
}

size_t config_mark_index(const struct config_key *key)
{
    size_t index = (size_t)(key - config_keys);
    if (config_key_is_egress(key)) {
        size_t first = index;
        while (first > 0 && config_key_is_egress(&config_keys[first - 1])) {
            first--;
        }
        index -= first;
        must(index < CONFIG_EGRESS_KEYS_MAX);
    }
    return index;
}

struct config_mark config_mark(const struct config *config, const char *section, const char *name)
{
    const struct config_key *key = config_key_find(slice_of(section), slice_of(name));
    must(key != NULL);
    return config->marks[config_mark_index(key)];
}

struct config_mark config_egress_mark(const struct config_egress *egress, const char *name)
{
    const struct config_key *key = config_key_find(SLICE("egress"), slice_of(name));
    must(key != NULL);
    return egress->marks[config_mark_index(key)];
}

bool config_is_section(struct slice name)
{
    for (size_t i = 0; i < SECTIONS; i++) {
        if (slice_equal(slice_of(sections[i]), name)) {
            return true;
        }
    }
    return false;
}

void config_list_sections(char out[CONFIG_SECTIONS_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < SECTIONS; i++) {
        const char *before = i == 0 ? "" : i + 1 == SECTIONS ? " and " : ", ";
        int more = snprintf(out + len, CONFIG_SECTIONS_BYTES - len, "%s%s", before, sections[i]);
        must(more > 0 && (size_t)more < CONFIG_SECTIONS_BYTES - len);
        len += (size_t)more;
    }
}

/* The better of two names for what was written; *best_slips is kept along. */
static const char *nearer(const char *best, unsigned *best_slips, const char *name,
                          struct slice given)
{
    struct slice known = slice_of(name);
    unsigned allowed = known.len <= 4 ? 1 : SLIPS_MAX;
    unsigned slips = slip_distance(given, known, allowed);
    if (slips > allowed || slips >= *best_slips) {
        return best;
    }
    *best_slips = slips;
    return name;
}

const char *config_key_near(struct slice section, struct slice name)
{
    const char *best = NULL;
    unsigned slips = SLIP_FAR;
    for (size_t i = 0; i < config_key_count; i++) {
        if (slice_equal(slice_of(config_keys[i].section), section)) {
            best = nearer(best, &slips, config_keys[i].name, name);
        }
    }
    return best;
}

const struct config_key *config_key_near_any(struct slice name)
{
    const struct config_key *best = NULL;
    unsigned slips = SLIP_FAR;
    for (size_t i = 0; i < config_key_count; i++) {
        unsigned before = slips;
        (void)nearer(NULL, &slips, config_keys[i].name, name);
        best = slips < before ? &config_keys[i] : best;
    }
    return best;
}

const char *config_section_near(struct slice name)
{
    const char *best = NULL;
    unsigned slips = SLIP_FAR;
    for (size_t i = 0; i < SECTIONS; i++) {
        best = nearer(best, &slips, sections[i], name);
    }
    return best;
}

const char *config_section_of(struct slice name)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (slice_equal(slice_of(config_keys[i].name), name)) {
            return config_keys[i].section;
        }
    }
    return NULL;
}

const char *config_key_name(size_t index, char out[64])
{
    if (index >= config_key_count) {
        return NULL;
    }
    const struct config_key *key = &config_keys[index];
    (void)snprintf(out, 64, "%s%s%s", key->section, key->section[0] == '\0' ? "" : ".", key->name);
    return out;
}

bool config_kind_is_list(enum config_kind kind)
{
    return kind == CONFIG_PATHS || kind == CONFIG_RESOLVERS || kind == CONFIG_NETS ||
           kind == CONFIG_LISTEN || kind == CONFIG_SOCKETS || kind == CONFIG_HOSTS ||
           kind == CONFIG_ORIGINS;
}
