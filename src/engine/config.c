/* engine/config: the defaults, what the command line sets, and what the engine gets of it all.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"
#include "engine/config_private.h"
#include "providers/lines.h"

enum {
    ARENA_BYTES_MAX = 4 << 20, /* the words of a file, and paths made whole */
    COMPLAINT_ESCAPED_MAX = 8 * CONFIG_COMPLAINT_BYTES,
    WARM_UP_FIRST_DAY = 50,
    WARM_UP_GROWTH_PERCENT = 50,
    DAY_MS = 86400000,
    SERVE_CONNECTIONS = 12000,
    SERVE_IDLE_MS = 60000,
    SERVE_STOP_MS = 10000,
    SERVE_PROBES = 4,
    POLICY_TIMEOUT_MS = 10000,
    POLICY_IDLE_MS = 600000, /* Postfix ends its idle lines after 300 s */
    POLICY_CONNECTIONS = 500,
};

/* Likewise, in webhooks_config_init and signals_config_init. */
static void init_outward(struct config *out)
{
    struct webhooks_config webhooks;
    struct signals_config signals;
    webhooks_config_init(&webhooks);
    signals_config_init(&signals);
    out->webhooks = (struct config_webhooks){.timeout_ms = webhooks.timeout_ms,
                                             .keep_ms = (uint64_t)webhooks.keep_ms,
                                             .at_once_max = webhooks.at_once_max,
                                             .per_host_max = webhooks.per_host_max};
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        const struct signal_config *from = &signals.of[i];
        out->signals[i] = (struct config_signal){.url = from->base_url,
                                                 .key_file = SLICE_NONE,
                                                 .key = SLICE_NONE,
                                                 .timeout_ms = from->timeout_ms,
                                                 .cache_ms = from->cache_ms,
                                                 .per_minute = from->per_minute};
    }
}

void config_apply_webhooks(const struct config *config, struct webhooks_config *out)
{
    const struct config_webhooks *from = &config->webhooks;
    *out = (struct webhooks_config){.http = {.allowed_nets = from->allowed_nets.at,
                                             .allowed_net_count = from->allowed_nets.count},
                                    .timeout_ms = (uint32_t)from->timeout_ms,
                                    .at_once_max = from->at_once_max,
                                    .per_host_max = from->per_host_max,
                                    .keep_ms = (int64_t)from->keep_ms};
}

/* Their URLs are the operator's own: where mail servers may be asked, they may be, too. */
void config_apply_signals(const struct config *config, struct signals_config *out)
{
    *out = (struct signals_config){.http = {.allowed_nets = config->allowed_nets.at,
                                            .allowed_net_count = config->allowed_nets.count}};
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        const struct config_signal *from = &config->signals[i];
        out->of[i] = (struct signal_config){.is_enabled = from->is_enabled,
                                            .base_url = from->url,
                                            .key = from->key,
                                            .timeout_ms = (uint32_t)from->timeout_ms,
                                            .cache_ms = from->cache_ms,
                                            .per_minute = from->per_minute};
    }
}

/* What the engine does without a word from anybody stands in knocker_config_init alone. */
void config_init(struct config *out)
{
    struct knocker_config knocker;
    knocker_config_init(&knocker);
    *out = (struct config){
        .helo = SLICE_NONE,
        .mail_from = SLICE_NONE,
        .port = knocker.port,
        .wants_tls = !knocker.no_tls,
        .uses_io_uring = true,
        .proxy = {.host = SLICE_NONE, .user = SLICE_NONE, .password = SLICE_NONE},
        .proxy_password_file = SLICE_NONE,
        .store = {.path = SLICE_NONE},
        .data_dir = SLICE_NONE,
        .lists_dir = SLICE_NONE,
        .connections_max = knocker.connections_max,
        .budget_ms = knocker.budget_ms,
        .queue_wait_ms = knocker.queue_wait_ms_max,
        .greylist_wait_ms = VERIFY_GREYLIST_WAIT_S * 1000ull,
        .longest_wait_ms = VERIFY_WAIT_S_MAX * 1000ull,
        .attempts = VERIFY_ATTEMPTS_MAX,
        .asks_control = true,
        .asks_smtp = true,
        .retries = knocker.verify.retry_temporary,
        .is_strict = knocker.address_mode == HEL_ADDRESS_STRICT,
        .null_sender_first = true,
        .risky_if = knocker.verify.risky_if,
        .cache_age_ms_max = CONFIG_NO_SPAN,
        .serve = {.tls_certificate = SLICE_NONE,
                  .tls_key = SLICE_NONE,
                  .page_dir = SLICE_NONE,
                  .connections_max = SERVE_CONNECTIONS,
                  .idle_ms = SERVE_IDLE_MS,
                  .stop_ms = SERVE_STOP_MS,
                  .logs_requests = true,
                  .probes_max = SERVE_PROBES},
        .policy = {.timeout_ms = POLICY_TIMEOUT_MS,
                   .idle_ms = POLICY_IDLE_MS,
                   .connections_max = POLICY_CONNECTIONS,
                   .undeliverable = CONFIG_POLICY_REJECT,
                   .risky = CONFIG_POLICY_DUNNO,
                   .temporary = CONFIG_POLICY_DEFER,
                   .unknown = CONFIG_POLICY_DUNNO,
                   .pending = CONFIG_POLICY_DUNNO,
                   .except = SLICE_NONE},
        .keep_verdicts_ms = CONFIG_NO_SPAN,
        .keep_facts_ms = CONFIG_NO_SPAN,
        .keep_batches_ms = CONFIG_NO_SPAN,
        .file = SLICE_NONE,
    };
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        out->timeout_ms[i] = knocker.timeout_ms[i];
    }
    init_outward(out);
    arena_init(&out->arena, ARENA_BYTES_MAX);
}

void config_egress_init(struct config_egress *out)
{
    *out = (struct config_egress){
        .name = SLICE_NONE,
        .proxy = {.host = SLICE_NONE, .user = SLICE_NONE, .password = SLICE_NONE},
        .proxy_password_file = SLICE_NONE,
        .helo = SLICE_NONE,
        .mail_from = SLICE_NONE,
        .weight = 1,
        .warm_up = {.age_ms = CONFIG_NO_SPAN},
        .is_enabled = true,
    };
}

void config_done(struct config *config)
{
    arena_done(&config->arena);
}

void config_complain(struct config_complaints *complaints, bool is_warning, struct slice name,
                     unsigned line, const char *format, ...)
{
    *(is_warning ? &complaints->warnings : &complaints->errors) += 1;
    if (complaints->count == CONFIG_COMPLAINTS_MAX) {
        return;
    }
    struct config_complaint *complaint = &complaints->at[complaints->count++];
    complaint->is_warning = is_warning;
    char said[CONFIG_COMPLAINT_BYTES];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(said, sizeof said, format, args);
    va_end(args);
    char where[24] = "";
    if (line > 0) {
        (void)snprintf(where, sizeof where, ":%u", line);
    }
    struct buf text;
    buf_init(&text, COMPLAINT_ESCAPED_MAX);
    struct slice said_view = slice_make(said, len < 0 ? 0 : strnlen(said, sizeof said));
    if (text_append_printable(&text, slice_sub(name, 0, CONFIG_COMPLAINT_BYTES / 2)) != ERR_NONE ||
        buf_printf(&text, "%s: %s", where, is_warning ? "warning: " : "") != ERR_NONE ||
        text_append_printable(&text, said_view) != ERR_NONE) {
        buf_clear(&text);
    }
    struct slice all = text.len > 0 ? buf_view(&text) : SLICE("no memory to say what is wrong");
    (void)snprintf(complaint->text, sizeof complaint->text, "%.*s", SLICE_ARG(all));
    buf_done(&text);
}

/* ---- the command line ---- */

static enum err no_such_key(struct slice section, struct slice name, struct fault *out_why)
{
    const char *other = config_section_of(name);
    const char *near = config_key_near(section, name);
    if (other != NULL) {
        return fault_set(out_why, ERR_SYNTAX, 0, "there is no such setting; did you mean %s%s%.*s?",
                         other, other[0] == '\0' ? "" : ".", SLICE_ARG(name));
    }
    if (near != NULL) {
        return fault_set(out_why, ERR_SYNTAX, 0, "there is no such setting; did you mean %.*s%s%s?",
                         SLICE_ARG(section), section.len == 0 ? "" : ".", near);
    }
    return fault_set(out_why, ERR_SYNTAX, 0,
                     "there is no such setting; 'heloise config show' lists them");
}

static enum err find_key(struct slice path, const struct config_key **out, struct fault *out_why)
{
    size_t dot = slice_find_byte(path, '.', 0);
    struct slice section = dot < path.len ? slice_sub(path, 0, dot) : SLICE_NONE;
    struct slice name = dot < path.len ? slice_sub(path, dot + 1, path.len) : path;
    if (slice_equal(section, SLICE("egress"))) {
        return fault_set(out_why, ERR_SYNTAX, 0,
                         "an egress is set in the file only; source-v4, source-v6, proxy, helo "
                         "and mail-from can be given without one");
    }
    const struct config_key *key = config_key_find(section, name);
    if (key == NULL) {
        return no_such_key(section, name, out_why);
    }
    *out = key;
    return ERR_NONE;
}

static enum err set(struct config *config, const struct config_key *key,
                    const struct config_given *given, struct fault *out_why)
{
    struct config_mark *mark = &config->marks[config_mark_index(key)];
    void *field = config_field(key, config);
    if (config_kind_is_list(key->kind) && mark->origin != CONFIG_COMMAND_LINE) {
        memset(field, 0, key->size);
    }
    enum err e = config_value_read(key, given, &config->arena, field, out_why);
    if (e == ERR_NONE) {
        *mark = (struct config_mark){.origin = CONFIG_COMMAND_LINE};
    }
    return e;
}

enum err config_set_word(struct config *config, const char *key, struct slice word,
                         struct fault *out_why)
{
    const struct config_key *found = NULL;
    struct config_word only = {.is_quoted = true};
    enum err e = find_key(slice_of(key), &found, out_why);
    if (found == NULL) {
        return e;
    }
    e = arena_copy(&config->arena, word, &only.text);
    struct config_given given = {.words = &only, .count = 1, .takes_seconds = true};
    return e != ERR_NONE ? e : set(config, found, &given, out_why);
}

enum err config_set_text(struct config *config, const char *key, struct slice text,
                         struct fault *out_why)
{
    const struct config_key *found = NULL;
    struct lines lines;
    struct config_word words[LINE_WORDS_MAX];
    struct config_given given = {.words = words};
    enum err e = find_key(slice_of(key), &found, out_why);
    if (found == NULL) {
        return e;
    }
    lines_init(&lines, SLICE_NONE, text);
    lines.has_paths = true;
    e = lines_next(&lines, out_why);
    for (; e == ERR_NONE && given.count < lines.count; given.count++) {
        words[given.count].is_quoted = lines.words[given.count].kind == WORD_QUOTED;
        e = word_copy(&config->arena, &lines.words[given.count], &words[given.count].text);
    }
    return e != ERR_NONE && e != ERR_CLOSED ? e : set(config, found, &given, out_why);
}

void config_overlay(struct config *config, const struct config *over)
{
    for (size_t i = 0; !config_key_is_egress(&config_keys[i]); i++) {
        if (over->marks[i].origin == CONFIG_COMMAND_LINE) {
            const struct config_key *key = &config_keys[i];
            memcpy(config_field(key, config), config_field_view(key, over), key->size);
            config->marks[i] = over->marks[i];
        }
    }
}

/* ---- what holds in the end ---- */

/* An egress takes the common value where it has none, or where the command line gave one. */
static void inherit(const struct config *config, struct config_egress *egress, const char *name)
{
    const struct config_key *common = config_key_find(SLICE_NONE, slice_of(name));
    const struct config_key *own = config_key_find(SLICE("egress"), slice_of(name));
    struct config_mark *mark = &egress->marks[config_mark_index(own)];
    struct config_mark from = config->marks[config_mark_index(common)];
    if (from.origin == CONFIG_COMMAND_LINE || mark->origin == CONFIG_DEFAULT) {
        memcpy(config_field(own, egress), config_field_view(common, config), own->size);
        *mark = from;
    }
}

static bool wants_null_sender_first(const struct config *config, bool has_sender)
{
    bool is_set = config_mark(config, "verify", "null-sender-first").origin != CONFIG_DEFAULT;
    return is_set ? config->null_sender_first : !has_sender;
}

static void settle_warm_up(struct config_warm_up *warm_up)
{
    if (warm_up->start_day == 0 && warm_up->age_ms == CONFIG_NO_SPAN) {
        return;
    }
    if (warm_up->first_day == 0) {
        warm_up->first_day = WARM_UP_FIRST_DAY;
    }
    if (warm_up->growth_percent == 0) {
        warm_up->growth_percent = WARM_UP_GROWTH_PERCENT;
    }
}

static bool is_given(const struct config *config, const char *name)
{
    return config_mark(config, "", name).origin == CONFIG_COMMAND_LINE;
}

/* A proxy of the command line does not take the password of another. */
static void make_default_egress(struct config *config)
{
    struct config_egress *egress = &config->egresses[0];
    bool is_of_another = is_given(config, "proxy") && !is_given(config, "proxy-password-file");
    config_egress_init(egress);
    egress->name = SLICE("default");
    egress->source_v4 = config->source_v4;
    egress->source_v6 = config->source_v6;
    egress->proxy = config->proxy;
    egress->proxy_password_file = is_of_another ? SLICE_NONE : config->proxy_password_file;
    config->egress_count = 1;
}

void config_settle(struct config *config)
{
    if (config->egress_count == 0 || is_given(config, "source-v4") ||
        is_given(config, "source-v6") || is_given(config, "proxy")) {
        make_default_egress(config);
    }
    config->null_sender_first = wants_null_sender_first(config, config->mail_from.len > 0);
    for (size_t i = 0; i < config->egress_count; i++) {
        inherit(config, &config->egresses[i], "helo");
        inherit(config, &config->egresses[i], "mail-from");
        settle_warm_up(&config->egresses[i].warm_up);
    }
}

const char *config_egress_obstacle(const struct config_egress *egress)
{
    const struct config_proxy *proxy = &egress->proxy;
    bool has_source = egress->source_v4.family != IP_NONE || egress->source_v6.family != IP_NONE;
    if (proxy->kind == PROXY_NONE) {
        return NULL;
    }
    if (proxy->ip.family == IP_NONE) {
        return "the host of the proxy is a name, and names of proxies are not looked up; give its "
               "address";
    }
    if (proxy->kind != PROXY_V2 && has_source) {
        return "a SOCKS or HTTP proxy chooses the address that it connects from; leave out the "
               "source or the proxy";
    }
    if (proxy->user.len > 0 && proxy->password.len == 0) {
        return "the proxy has a user and no password; name a file that holds one with "
               "proxy-password-file, or set HELOISE_PROXY_PASSWORD";
    }
    return NULL;
}

static struct proxy proxy_of(const struct config_proxy *proxy)
{
    return (struct proxy){.kind = proxy->kind,
                          .ip = proxy->ip,
                          .port = proxy->port,
                          .user = proxy->user,
                          .password = proxy->password};
}

static struct traffic_ramp ramp_of(const struct config_warm_up *warm_up)
{
    struct traffic_ramp ramp = {.first = warm_up->first_day,
                                .growth_percent = warm_up->growth_percent};
    if (warm_up->start_day != 0) {
        ramp.since_ms = (uint64_t)warm_up->start_day * DAY_MS;
    } else if (warm_up->age_ms != CONFIG_NO_SPAN) {
        ramp.since_ms = TRAFFIC_SINCE_FIRST_USE;
        ramp.age_ms = warm_up->age_ms;
    }
    return ramp;
}

void config_list_ways(const struct config *config, struct config_ways *out)
{
    out->count = 0;
    for (size_t i = 0; i < config->egress_count; i++) {
        const struct config_egress *egress = &config->egresses[i];
        if (!egress->is_enabled) {
            continue;
        }
        struct proxy *proxy = &out->proxies[out->count];
        *proxy = proxy_of(&egress->proxy);
        out->egresses[out->count++] = (struct traffic_egress){
            .proxy = proxy->kind == PROXY_NONE ? NULL : proxy,
            .name = egress->name,
            .source_v4 = egress->source_v4,
            .source_v6 = egress->source_v6,
            .helo_name = egress->helo.len > 0 ? egress->helo : SLICE(KNOCKER_HELO),
            .mail_from = egress->mail_from,
            .weight = egress->weight,
            .rcpts_per_day = egress->budget,
            .warm_up = ramp_of(&egress->warm_up),
        };
    }
}

static bool has_sender(const struct config_ways *ways)
{
    for (size_t i = 0; i < ways->count; i++) {
        if (ways->egresses[i].mail_from.len > 0) {
            return true;
        }
    }
    return false;
}

/* Bits by stage: what somebody chose goes before what a provider's entry says. */
static unsigned chosen_timeouts(const struct config *config)
{
    unsigned chosen = 0;
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        const char *name = hel_smtp_stage_name((enum hel_smtp_stage)i);
        const struct config_key *key = config_key_find(SLICE("timeouts"), slice_of(name));
        if (key != NULL && config->marks[config_mark_index(key)].origin != CONFIG_DEFAULT) {
            chosen |= 1u << i;
        }
    }
    return chosen;
}

void config_apply(const struct config *config, struct config_ways *out_ways,
                  struct knocker_config *out)
{
    config_list_ways(config, out_ways);
    out->egresses = out_ways->egresses;
    out->egress_count = out_ways->count;
    out->verify.has_sender = has_sender(out_ways);
    out->verify.null_sender_first = wants_null_sender_first(config, out->verify.has_sender);
    out->verify.no_smtp = !config->asks_smtp;
    out->verify.no_control = !config->asks_control;
    out->verify.retry_temporary = config->retries;
    out->verify.greylist_wait_s = (uint32_t)((config->greylist_wait_ms + 999) / 1000);
    out->verify.wait_s_max = (uint32_t)((config->longest_wait_ms + 999) / 1000);
    out->verify.attempts_max = (uint8_t)config->attempts;
    out->verify.risky_if = config->risky_if;
    out->address_mode = config->is_strict ? HEL_ADDRESS_STRICT : HEL_ADDRESS_PRACTICAL;
    out->port = (uint16_t)config->port;
    memcpy(out->allowed_nets, config->allowed_nets.at, sizeof out->allowed_nets);
    out->allowed_net_count = config->allowed_nets.count;
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        out->timeout_ms[i] = (uint32_t)config->timeout_ms[i];
    }
    out->fixed_timeouts = chosen_timeouts(config);
    out->budget_ms = (uint32_t)config->budget_ms;
    out->queue_wait_ms_max = (uint32_t)config->queue_wait_ms;
    out->connections_max = config->connections_max;
    out->per_site_max = config->per_site_max;
    out->rcpts_per_connection = config->rcpts_per_connection;
    out->pipelined_rcpts = config->pipelined_rcpts;
    out->invalids_per_hour = config->invalids_per_hour;
    out->no_tls = !config->wants_tls;
    out->is_fresh = config->is_fresh || config->cache_age_ms_max == 0;
    out->cache_age_ms_max =
        config->cache_age_ms_max == CONFIG_NO_SPAN ? 0 : (int64_t)config->cache_age_ms_max;
}

static int64_t before(uint64_t keep_ms, int64_t now_ms)
{
    return keep_ms == CONFIG_NO_SPAN ? INT64_MIN : now_ms - (int64_t)keep_ms;
}

void config_retention(const struct config *config, int64_t now_ms, struct store_retention *out)
{
    *out = (struct store_retention){
        .verdicts_before_ms = before(config->keep_verdicts_ms, now_ms),
        .facts_before_ms = before(config->keep_facts_ms, now_ms),
        .jobs_before_ms = before(config->keep_batches_ms, now_ms),
    };
}
