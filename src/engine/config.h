/* engine/config: the settings of a run: what the configuration file, the environment and the command line say,
 * over the defaults. heloise.conf(5) tells what each key means; the table of keys is engine/config_keys.
 *
 *     config_init -> config_load (the file; all that is wrong with it is told at once)
 *                 -> config_overlay (what the command line set in a config of its own)
 *                 -> config_settle (egresses complete) -> config_apply (to a knocker's config)
 *
 * The file has the form of those under data/ (providers/lines): one statement a line, a key and its values;
 * sections in braces. Not libconfuse: it stops at the first error, keeps no line of a value, and its scanner is
 * global and puts the environment into strings; the line and all errors are what is wanted here.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "engine/knocker.h"
#include "engine/signals.h"
#include "engine/webhooks.h"
#include "store/retention.h"

enum {
    CONFIG_BYTES_MAX = 256 * 1024, /* of a file: thousands of egresses would fit */
    CONFIG_PATH_BYTES = 4096,      /* as PATH_MAX, with its NUL */
    CONFIG_EGRESSES_MAX = 64,
    CONFIG_TEXTS_MAX = 16,
    CONFIG_RESOLVERS_MAX = 8,
    CONFIG_KEYS_MAX = 128,
    CONFIG_EGRESS_KEYS_MAX = 16, /* of one egress */
    CONFIG_COMPLAINTS_MAX = 50,
    CONFIG_COMPLAINT_BYTES = 480,
};

#define CONFIG_NO_SPAN UINT64_MAX /* a time that nobody gave */

/* Where a value comes from; a later one is stronger. */
enum config_origin { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_COMMAND_LINE };

struct config_mark {
    enum config_origin origin;
    unsigned line; /* of the file; 0 elsewhere */
};

struct config_texts {
    const char *at[CONFIG_TEXTS_MAX];
    size_t count;
};

struct config_nets {
    struct ip_net at[KNOCKER_NETS_MAX];
    size_t count;
};

struct config_store {
    struct slice path; /* empty: the default place */
    bool is_none;      /* nothing is kept and nothing read */
};

struct config_proxy {
    enum proxy_kind kind;
    struct slice host; /* a name, or an address without brackets */
    struct ip ip;      /* IP_NONE where host is a name */
    uint16_t port;
    struct slice user, password; /* decoded; empty: none */
};

/* How an egress becomes known to the world: on its first day `first_day` recipients to one provider, each day
 * `growth_percent` more. Neither start nor age: it is warm. */
struct config_warm_up {
    uint32_t start_day; /* days since 1970-01-01; 0: not given */
    uint64_t age_ms;    /* on the day it is first used; CONFIG_NO_SPAN: not given */
    uint32_t first_day;
    uint32_t growth_percent;
};

/* One way out. */
struct config_egress {
    struct slice name;              /* letters, digits, '.', '-', '_' */
    unsigned line;                  /* where it begins; 0: made of the settings outside egresses */
    struct ip source_v4, source_v6; /* IP_NONE: the system chooses */
    struct config_proxy proxy;
    struct slice proxy_password_file; /* its first line is the proxy's password; empty: none */
    struct slice helo;                /* settled: the common one where it has none of its own */
    struct slice mail_from;           /* the same; empty: the null sender only */
    uint32_t weight;                  /* its share among those with room */
    struct config_warm_up warm_up;
    uint32_t budget; /* recipients a day; 0: no limit of its own */
    bool is_enabled;
    struct config_mark marks[CONFIG_EGRESS_KEYS_MAX];
};

/* The HTTP service. */
struct config_serve {
    struct config_texts listen;                       /* ADDR[:PORT]; none: 127.0.0.1:8025 */
    struct slice tls_certificate, tls_key;            /* PEM files; empty: plain HTTP */
    struct slice page_dir;                            /* empty: the one beside the data */
    uint32_t threads;                                 /* 0: as many as there are processors */
    uint32_t connections_max, connections_client_max; /* the latter 0: no limit */
    uint64_t idle_ms, stop_ms;
    struct config_nets trusted_proxies;
    struct config_texts cors_origins; /* "https://a.example" */
    bool logs_requests, logs_addresses;
    bool probe_sends;                /* a probe may send a message */
    struct config_texts probe_relay; /* hosts that may be tested for relaying: names, addresses */
    uint32_t probes_max;             /* under way at once */
};

/* What a mail server that asks us is to do. */
enum config_policy_do { CONFIG_POLICY_REJECT, CONFIG_POLICY_DEFER, CONFIG_POLICY_DUNNO };

/* The policy server. */
struct config_policy {
    struct config_texts listen, socketmap; /* "inet:ADDR:PORT", "unix:/path" */
    uint64_t timeout_ms;                   /* for an answer */
    uint64_t idle_ms;                      /* between questions of one connection */
    uint32_t connections_max;
    enum config_policy_do undeliverable, risky, temporary, unknown, pending;
    bool checks_senders;
    struct slice except; /* a file; empty: none */
    bool logs_addresses;
};

/* Who is told what has happened. */
struct config_webhooks {
    struct config_nets allowed_nets; /* special networks that may be told */
    uint64_t timeout_ms, keep_ms;
    uint32_t at_once_max, per_host_max;
};

/* An external service. */
struct config_signal {
    bool is_enabled;
    struct slice url;
    struct slice key_file; /* its first line is the key; empty: none */
    struct slice key;
    uint64_t timeout_ms, cache_ms;
    uint32_t per_minute;
};

/* Slices are NUL-terminated and live as long as the config. */
struct config {
    struct slice helo; /* empty: this machine's name */
    struct slice mail_from;
    struct ip source_v4, source_v6;
    struct config_proxy proxy;
    struct slice proxy_password_file;
    uint32_t port;
    bool wants_tls;
    struct config_texts resolvers; /* ADDR[:PORT]; none: the system's */
    struct config_nets allowed_nets;
    struct config_store store;
    struct slice data_dir;         /* empty: the installation's */
    struct slice lists_dir;        /* the user's own lists and entries; empty: none */
    struct config_texts providers; /* files of the user's own, merged over ours in this order */

    uint32_t connections_max;
    bool uses_io_uring; /* where there is one, for many lines */
    uint32_t loops;     /* that share a list; 0: as many as there are processors */
    /* 0: the provider's */
    uint32_t per_site_max, rcpts_per_connection, pipelined_rcpts, invalids_per_hour;
    uint64_t budget_ms, queue_wait_ms, greylist_wait_ms, longest_wait_ms;
    uint32_t attempts;
    uint64_t timeout_ms[HEL_SMTP_STAGE_COUNT];

    bool asks_control, asks_smtp, retries, is_strict, null_sender_first, is_fresh;
    uint32_t risky_if;
    uint64_t
        cache_age_ms_max; /* 0: not believed at all; CONFIG_NO_SPAN: the life of the status counts */

    struct config_serve serve;
    struct config_policy policy;
    struct config_webhooks webhooks;
    struct config_signal signals[SIGNAL_SERVICE_COUNT];
    uint64_t keep_verdicts_ms, keep_facts_ms, keep_batches_ms; /* CONFIG_NO_SPAN: for good */

    struct config_egress egresses[CONFIG_EGRESSES_MAX];
    size_t egress_count;
    struct config_mark marks[CONFIG_KEYS_MAX];
    struct slice file; /* that was read; empty: none */
    struct arena arena;
};

/* What is wrong, in the order of the lines: "FILE:LINE: what; hint", safe to show. */
struct config_complaint {
    bool is_warning;
    char text[CONFIG_COMPLAINT_BYTES];
};
struct config_complaints {
    struct config_complaint at[CONFIG_COMPLAINTS_MAX];
    size_t count;
    size_t errors, warnings; /* all of them, also those that found no room */
};

/* The defaults. */
void config_init(struct config *out);
void config_done(struct config *config);

/* Reads a file's text. name is how complaints call it; relative paths in it are meant from folder (empty: as they
 * are). Nothing outside the text is looked at. ERR_SYNTAX where there are errors; ERR_NOMEM. */
enum err config_read(struct config *config, struct slice name, struct slice folder,
                     struct slice text, struct config_complaints *complaints) MUST_USE;

/* The same for a file, with the passwords in the files that it names; warns where others may read one.
 * ERR_SYSTEM where it cannot be read, which is a complaint too. */
enum err config_load(struct config *config, const char *path, struct config_complaints *complaints)
    MUST_USE;

/* Which file to read: wanted (may be NULL), else what HELOISE_CONFIG names, else the first of these that is
 * there: heloise/heloise.conf in XDG_CONFIG_HOME (by default ~/.config), /etc/heloise/heloise.conf. NULL: none. What is
 * found on the way is written to room. */
const char *config_find(const char *wanted, char room[CONFIG_PATH_BYTES]);

/* What the environment says: HELOISE_DATA; and XDG_STATE_HOME or HOME for the store where nobody named one. */
enum err config_read_environment(struct config *config) MUST_USE;

/* Where the user's own lists stand when nobody said it: the folder "lists" beside the configuration file that was read,
 * else heloise/lists in XDG_CONFIG_HOME. It need not be there. ERR_NOMEM. */
enum err config_find_lists(struct config *config) MUST_USE;

/* One setting of the command line; key is "port" or "limits.timeout". A second call for a list adds to it. ERR_SYNTAX
 * with what is wrong in *out_why, ERR_NOMEM. */
enum err config_set_text(struct config *config, const char *key, struct slice text,
                         struct fault *out_why) MUST_USE; /* as in the file */
enum err config_set_word(struct config *config, const char *key, struct slice word,
                         struct fault *out_why)
    MUST_USE; /* one value as it is; a time without unit is in seconds */

/* What `over` was told by the command line replaces what config has. Texts stay over's, which must live as long. */
void config_overlay(struct config *config, const struct config *over);

/* Makes the egresses complete: those without an EHLO name or sender of their own get the common one, all of them
 * that of the command line; where there is none, or the command line names a source or a proxy, there is one of
 * the settings outside egresses, called "default". */
void config_settle(struct config *config);

/* The password of the default egress' proxy where its URL has none: from the file that is named for it, else from
 * the environment's HELOISE_PROXY_PASSWORD. After config_settle. ERR_SYSTEM, ERR_SYNTAX with a complaint;
 * ERR_NOMEM. */
enum err config_find_password(struct config *config, struct config_complaints *complaints) MUST_USE;

/* The keys of external services, from the files that are named for them; config_load does that for those of the file.
 * Keys that are there stay. ERR_SYSTEM, ERR_SYNTAX with a complaint; ERR_NOMEM. */
enum err config_find_keys(struct config *config, struct config_complaints *complaints) MUST_USE;

/* Sets all of *out; what it borrows is the config's. */
void config_apply_webhooks(const struct config *config, struct webhooks_config *out);
void config_apply_signals(const struct config *config, struct signals_config *out);

/* Why the engine cannot go out by it, and what to do; NULL: it can. Static. */
const char *config_egress_obstacle(const struct config_egress *egress);

/* All that are enabled, as the knocker wants them. */
struct config_ways {
    struct traffic_egress egresses[CONFIG_EGRESSES_MAX];
    struct proxy proxies[CONFIG_EGRESSES_MAX];
    size_t count;
};

/* Slices stay the config's, proxies those of *out, which stays where it is. */
void config_list_ways(const struct config *config, struct config_ways *out);

/* Sets what the config speaks of. Slices stay the config's, the ways out are those of *out_ways, which point into
 * it: it must outlive *out, and stay where it is. */
void config_apply(const struct config *config, struct config_ways *out_ways,
                  struct knocker_config *out);

/* What of a store is too old at that time. */
void config_retention(const struct config *config, int64_t now_ms, struct store_retention *out);

/* All that holds, as a file that says it, each line with where it comes from; passwords as ***. What nobody set and
 * has no value stands behind '#'. ERR_NOMEM, ERR_LIMIT. */
enum err config_show(const struct config *config, struct buf *out) MUST_USE;

/* The keys there are: "limits.timeout", "egress.helo"; NULL after the last. For tests and completion. */
const char *config_key_name(size_t index, char out[64]);

#endif
