/* Each connection has its thread (net/stream_server), which asks the service and waits. All that wait share one condition:
 * answers are rare beside what finding them costs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/policy_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/record_json.h"
#include "net/stream_server.h"
#include "net/wall_clock.h"
#include "tools/netstring.h"

enum {
    QUESTION_MS = 10000, /* from its first byte to its last */
    SEND_MS = 10000,
    READ_BYTES = 4096,
    ANSWER_BYTES_MAX = 1024,
    LOG_BYTES_MAX = 8192,
    JSON_BYTES_MAX = 1 << 20,
    MAP_BYTES_MAX = 4096, /* a socketmap question: a name and an address */
    ROLES = 2,
};

struct policy_server {
    struct policy_server_config config;
    struct stream_server *streams;
    pthread_mutex_t mutex; /* over what is answered, and: */
    pthread_cond_t answered;
    bool is_closing;
};

/* One connection. */
struct talk {
    struct policy_server *server;
    struct stream *stream;
    char bytes[READ_BYTES];
    struct slice rest; /* of what was read */
    uint64_t until_ms; /* for the question that has begun */
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- asking ---- */

/* One address of a question. */
struct asking {
    struct policy_server *server;
    struct service_ticket *ticket; /* NULL: it is not waited for */
    struct policy_finding finding;
    bool is_asked, is_answered;
};

static void on_answered(void *context, const struct record *record, bool is_pending)
{
    struct asking *asking = context;
    struct policy_server *server = asking->server;
    (void)pthread_mutex_lock(&server->mutex);
    asking->finding = (struct policy_finding){.status = record->status,
                                              .sub = record->sub,
                                              .is_pending = is_pending,
                                              .is_cached = record->is_cached};
    asking->is_answered = true;
    (void)pthread_cond_broadcast(&server->answered);
    (void)pthread_mutex_unlock(&server->mutex);
}

static bool find_kept(struct policy_server *server, struct slice address,
                      struct policy_finding *out)
{
    struct service_cached cached;
    struct record record = {.transcript_count = 0};
    DEFER(buf_done) struct buf json;
    buf_init(&json, JSON_BYTES_MAX);
    if (!service_find_cached(server->config.service, address, &json, &cached) ||
        record_read_json(buf_view(&json), &record) != ERR_NONE) {
        return false;
    }
    *out = (struct policy_finding){.status = record.status, .sub = record.sub, .is_cached = true};
    record_done(&record);
    return true;
}

/* What cannot be asked for want of memory is as if its time were over. */
static void begin_asking(struct policy_server *server, struct slice address, struct asking *out)
{
    *out = (struct asking){.server = server, .is_asked = true, .finding = {.is_pending = true}};
    out->is_answered = find_kept(server, address, &out->finding);
    if (out->is_answered) {
        return;
    }
    const struct service_question question = {
        .address = address,
        .timeout_ms = (uint32_t)server->config.settings->timeout_ms,
        .answered = on_answered,
        .context = out,
    };
    if (service_ask(server->config.service, &question, &out->ticket) != ERR_NONE) {
        out->ticket = NULL;
    }
}

static void end_asking(struct asking *asking)
{
    struct policy_server *server = asking->server;
    if (asking->ticket == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&server->mutex);
    while (!asking->is_answered && !server->is_closing) {
        (void)pthread_cond_wait(&server->answered, &server->mutex);
    }
    (void)pthread_mutex_unlock(&server->mutex);
    service_leave(asking->ticket);
    asking->ticket = NULL;
}

/* ---- what is not asked ---- */

/* Our own probes of a server that asks us about them: they would wait for each other. */
static bool is_ourselves(const struct policy_server *server, struct slice helo)
{
    const struct knocker_config *knocker = server->config.knocker;
    for (size_t i = 0; i < knocker->egress_count; i++) {
        if (helo.len > 0 && slice_equal_nocase(helo, knocker->egresses[i].helo_name)) {
            return true;
        }
    }
    return false;
}

/* A name without a domain is the mail server's own business, and what it took for an address is not ours to refuse. */
static bool is_address(struct slice text)
{
    struct hel_address address;
    struct hel_address_error error;
    return hel_address_parse(text, HEL_ADDRESS_PRACTICAL, &address, &error) == ERR_NONE;
}

/* Why nobody is asked about anything; NULL: there is no reason. */
static const char *reason_to_skip(const struct policy_server *server,
                                  const struct policy_request *request)
{
    struct ip client;
    if (is_ourselves(server, policy_request_value(request, POLICY_HELO_NAME))) {
        return "ourselves";
    }
    if (ip_parse(policy_request_value(request, POLICY_CLIENT_ADDRESS), &client) &&
        policy_except_has_client(server->config.except, &client)) {
        return "client_excepted";
    }
    return NULL;
}

static const char *reason_to_skip_address(const struct policy_server *server, struct slice address)
{
    if (!is_address(address)) {
        return "no_address";
    }
    return policy_except_has_address(server->config.except, address) ? "address_excepted" : NULL;
}

/* ---- the log ---- */

struct log_entry {
    const char *event; /* "policy", "socketmap" */
    enum policy_role role;
    struct slice address, client, queue_id;
    const struct policy_finding *finding; /* NULL: not asked */
    const char *why_not;                  /* then */
    const char *action;
    uint64_t since_ms;
};

static void write_entry(struct json_writer *w, const struct log_entry *entry, bool has_addresses)
{
    struct slice domain = slice_sub(entry->address, slice_find_last_byte(entry->address, '@') + 1,
                                    entry->address.len);
    json_open(w, NULL, '{');
    json_time(w, "time", wall_clock_ms());
    json_string(w, "level", SLICE("info"));
    json_string(w, "event", slice_of(entry->event));
    json_string(w, "role",
                entry->role == POLICY_ROLE_SENDER ? SLICE("sender") : SLICE("recipient"));
    json_string(w, "domain", domain);
    if (has_addresses) {
        json_string(w, "address", entry->address);
        json_string(w, "client", entry->client);
    }
    if (entry->queue_id.len > 0) {
        json_string(w, "queue_id", entry->queue_id);
    }
    if (entry->finding == NULL) {
        json_string(w, "skipped", slice_of(entry->why_not));
    } else {
        json_string(w, "status", slice_of(verdict_status_name(entry->finding->status)));
        json_string(w, "sub_status", slice_of(verdict_sub_name(entry->finding->sub)));
        json_bool(w, "cached", entry->finding->is_cached);
        json_bool(w, "pending", entry->finding->is_pending);
    }
    json_string(w, "action", slice_of(entry->action));
    json_int(w, "ms", (int64_t)(now_ms() - entry->since_ms));
    json_close(w, '}');
}

/* In one write, so that lines of several threads do not mix. What cannot be written is lost. */
static void log_entry(const struct policy_server *server, const struct log_entry *entry)
{
    struct json_writer w;
    DEFER(buf_done) struct buf line;
    buf_init(&line, LOG_BYTES_MAX);
    json_begin(&w, &line);
    write_entry(&w, entry, server->config.settings->logs_addresses);
    if (w.err == ERR_NONE && buf_append_byte(&line, '\n') == ERR_NONE) {
        ssize_t written = write(server->config.log_fd, line.at, line.len);
        (void)written;
    }
}

/* ---- policy delegation ---- */

static struct slice address_of(const struct policy_request *request, enum policy_role role)
{
    return policy_request_value(request,
                                role == POLICY_ROLE_SENDER ? POLICY_SENDER : POLICY_RECIPIENT);
}

/* Both are asked at the same time. The stronger action counts, the recipient's before the sender's. */
static void decide(struct policy_server *server, const struct policy_request *request,
                   char out_action[POLICY_ACTION_BYTES])
{
    struct asking askings[ROLES] = {{.is_asked = false}, {.is_asked = false}};
    const struct config_policy *settings = server->config.settings;
    const char *why_not[ROLES] = {NULL, NULL};
    enum config_policy_do best = CONFIG_POLICY_DUNNO;
    unsigned roles = policy_roles(settings, request);
    const char *skip = reason_to_skip(server, request);
    uint64_t since_ms = now_ms();
    (void)snprintf(out_action, POLICY_ACTION_BYTES, "DUNNO");
    for (int role = 0; role < ROLES; role++) {
        struct slice address = address_of(request, (enum policy_role)role);
        why_not[role] = skip != NULL ? skip : reason_to_skip_address(server, address);
        if ((roles & 1u << role) != 0 && why_not[role] == NULL) {
            begin_asking(server, address, &askings[role]);
        }
    }
    for (int role = 0; role < ROLES; role++) {
        char action[POLICY_ACTION_BYTES] = "DUNNO";
        struct asking *asking = &askings[role];
        if ((roles & 1u << role) == 0) {
            continue;
        }
        if (asking->is_asked) {
            end_asking(asking);
            (void)policy_action(settings, (enum policy_role)role, &asking->finding, action);
            enum config_policy_do what = policy_decide(settings, &asking->finding);
            if (what < best) {
                best = what;
                (void)snprintf(out_action, POLICY_ACTION_BYTES, "%s", action);
            }
        }
        const struct log_entry entry = {
            .event = "policy",
            .role = (enum policy_role)role,
            .address = address_of(request, (enum policy_role)role),
            .client = policy_request_value(request, POLICY_CLIENT_ADDRESS),
            .queue_id = policy_request_value(request, POLICY_QUEUE_ID),
            .finding = asking->is_asked ? &asking->finding : NULL,
            .why_not = why_not[role],
            .action = action,
            .since_ms = since_ms,
        };
        log_entry(server, &entry);
    }
}

/* More bytes of a question, or of none yet: then it may take long. */
static enum err read_more(struct talk *talk, bool has_begun)
{
    uint64_t now = now_ms();
    uint64_t idle_ms = talk->server->config.settings->idle_ms;
    if (has_begun && now >= talk->until_ms) {
        return ERR_TIMEOUT;
    }
    uint32_t timeout_ms = has_begun ? (uint32_t)(talk->until_ms - now) : (uint32_t)idle_ms;
    size_t len = 0;
    enum err e = stream_read(talk->stream, talk->bytes, sizeof talk->bytes, timeout_ms, &len);
    if (e == ERR_NONE) {
        talk->rest = slice_make(talk->bytes, len);
        talk->until_ms = has_begun ? talk->until_ms : now_ms() + QUESTION_MS;
    }
    return e;
}

static enum policy_progress read_request(struct talk *talk, struct policy_request *request)
{
    enum policy_progress progress = POLICY_MORE;
    talk->until_ms = now_ms() + QUESTION_MS; /* where the question is there already */
    while (progress == POLICY_MORE) {
        size_t used = 0;
        if (talk->rest.len == 0 && read_more(talk, request->has_begun) != ERR_NONE) {
            return POLICY_MORE;
        }
        progress = policy_request_feed(request, talk->rest, &used);
        talk->rest = slice_sub(talk->rest, used, talk->rest.len);
    }
    return progress;
}

static enum err send_action(struct talk *talk, const char *action)
{
    char answer[ANSWER_BYTES_MAX];
    int len = snprintf(answer, sizeof answer, "action=%s\n\n", action);
    return stream_send(talk->stream, slice_make(answer, (size_t)len), SEND_MS);
}

/* A line that sends what is no question is closed without an answer, as Postfix's own servers do: it then goes by
 * smtpd_policy_service_default_action. */
static void serve_policy(struct talk *talk)
{
    struct policy_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return;
    }
    char action[POLICY_ACTION_BYTES];
    policy_request_init(request);
    while (read_request(talk, request) == POLICY_WHOLE) {
        decide(talk->server, request, action);
        if (send_action(talk, action) != ERR_NONE) {
            break;
        }
        policy_request_clear(request);
    }
    policy_request_done(request);
    free(request);
}

/* ---- socketmap ---- */

static enum err answer_key(struct policy_server *server, struct slice map, struct slice key,
                           struct buf *out)
{
    bool is_sender = slice_equal(map, SLICE("sender"));
    bool is_verdict = slice_equal(map, SLICE("verdict"));
    enum policy_role role = is_sender ? POLICY_ROLE_SENDER : POLICY_ROLE_RECIPIENT;
    struct asking asking = {.is_asked = false};
    char action[POLICY_ACTION_BYTES] = "NOTFOUND";
    if (!is_sender && !is_verdict && !slice_equal(map, SLICE("recipient"))) {
        return buf_append(out, SLICE("PERM there is no such map: recipient, sender or verdict"));
    }
    uint64_t since_ms = now_ms();
    const char *why_not = reason_to_skip_address(server, key);
    if (why_not == NULL) {
        begin_asking(server, key, &asking);
        end_asking(&asking);
        (void)policy_action(server->config.settings, role, &asking.finding, action);
    }
    const struct log_entry entry = {.event = "socketmap",
                                    .role = role,
                                    .address = key,
                                    .client = SLICE_NONE,
                                    .queue_id = SLICE_NONE,
                                    .finding = asking.is_asked ? &asking.finding : NULL,
                                    .why_not = why_not,
                                    .action = action,
                                    .since_ms = since_ms};
    log_entry(server, &entry);
    bool is_known = asking.is_asked && !asking.finding.is_pending;
    if (is_verdict && asking.is_asked) {
        return is_known ? buf_printf(out, "OK %s %s", verdict_status_name(asking.finding.status),
                                     verdict_sub_name(asking.finding.sub))
                        : buf_append(out, SLICE("TEMP it is being verified"));
    }
    bool has_action = asking.is_asked && !slice_equal(slice_of(action), SLICE("DUNNO"));
    return has_action ? buf_printf(out, "OK %s", action) : buf_append(out, SLICE("NOTFOUND "));
}

static enum netstring_progress read_string(struct talk *talk, struct netstring *string)
{
    enum netstring_progress progress = NETSTRING_MORE;
    talk->until_ms = now_ms() + QUESTION_MS;
    while (progress == NETSTRING_MORE) {
        size_t used = 0;
        if (talk->rest.len == 0 && read_more(talk, string->has_begun) != ERR_NONE) {
            return NETSTRING_MORE;
        }
        progress = netstring_feed(string, talk->rest, &used);
        talk->rest = slice_sub(talk->rest, used, talk->rest.len);
    }
    return progress;
}

static enum err answer_string(struct talk *talk, struct slice question, struct buf *answer,
                              struct buf *wire)
{
    struct slice key = question;
    struct slice map = slice_cut(&key, ' ');
    buf_clear(answer);
    buf_clear(wire);
    enum err e = answer_key(talk->server, map, key.at == NULL ? SLICE_NONE : key, answer);
    e = e != ERR_NONE ? e : netstring_write(buf_view(answer), wire);
    return e != ERR_NONE ? e : stream_send(talk->stream, buf_view(wire), SEND_MS);
}

static void serve_socketmap(struct talk *talk)
{
    struct netstring string;
    struct buf answer;
    struct buf wire;
    netstring_init(&string, MAP_BYTES_MAX);
    buf_init(&answer, ANSWER_BYTES_MAX);
    buf_init(&wire, ANSWER_BYTES_MAX + 16);
    while (read_string(talk, &string) == NETSTRING_WHOLE &&
           answer_string(talk, buf_view(&string.text), &answer, &wire) == ERR_NONE) {
        netstring_clear(&string);
    }
    buf_done(&wire);
    buf_done(&answer);
    netstring_done(&string);
}

/* ---- life ---- */

static void serve(void *context, struct stream *stream, size_t socket)
{
    struct talk talk = {.server = context, .stream = stream, .rest = SLICE_NONE};
    if (socket < talk.server->config.policy_count) {
        serve_policy(&talk);
    } else {
        serve_socketmap(&talk);
    }
}

static void server_free(struct policy_server *server)
{
    (void)pthread_cond_destroy(&server->answered);
    (void)pthread_mutex_destroy(&server->mutex);
    free(server);
}

enum err policy_server_open(const struct policy_server_config *config, struct policy_server **out,
                            struct fault *out_fault)
{
    struct policy_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    server->config = *config;
    (void)pthread_mutex_init(&server->mutex, NULL);
    (void)pthread_cond_init(&server->answered, NULL);
    const struct stream_server_config streams = {
        .sockets = config->sockets,
        .socket_count = config->policy_count + config->socketmap_count,
        .connections_max = config->settings->connections_max,
        .serve = serve,
        .context = server,
    };
    enum err e = stream_server_open(&streams, &server->streams, out_fault);
    if (e != ERR_NONE) {
        server_free(server);
        return e;
    }
    *out = server;
    return ERR_NONE;
}

void policy_server_close(struct policy_server *server)
{
    if (server == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&server->mutex);
    server->is_closing = true;
    (void)pthread_cond_broadcast(&server->answered);
    (void)pthread_mutex_unlock(&server->mutex);
    stream_server_close(server->streams);
    server_free(server);
}
