/* cli/serve: `heloise serve`: the engine as an HTTP service, until a signal.
 *
 * Signals are waited for by the main thread alone: TERM and INT stop gracefully (a second one at once), HUP reads
 * certificates, the page and the lists again: a new server takes the same sockets, then the old one ends as at a stop.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/serve_keys.h"
#include "cli/workbench.h"
#include "engine/service.h"
#include "engine/upkeep.h"
#include "http/api.h"
#include "http/server.h"
#include "net/listen_socket.h"
#include "net/notify.h"
#include "net/wall_clock.h"
#include "tools/list_desk.h"
#include "tools/probe_desk.h"

enum {
    PORT_DEFAULT = 8025,
    OPENAPI_BYTES_MAX = 4 << 20,
    DESCRIPTORS_SPARE = 1024, /* beside connections: mail servers, the store, files */
};

enum { KEY_LISTEN = 0x400 };

static const struct argp_option option_table[] = {
    {"listen", KEY_LISTEN, "ADDR[:PORT]", 0,
     "where to listen (127.0.0.1:8025; repeatable; port 0: any free one)", -1},
    {0},
};

struct serve_options {
    struct probe_options probe;
};

/* All that a running service has. */
struct serving {
    const struct config *config;
    struct knowledge *knowledge;
    struct service *service;
    struct health_desk *health;
    struct list_stamps lists_loaded;
    struct list_desk *lists;
    struct probe_terms probe_terms;
    struct probe_desk *probes;
    struct webhooks_config webhooks;
    struct signals_config signals;
    struct serve_keys keys;
    struct upkeep upkeep;
    struct static_files *files;
    struct buf openapi;
    int sockets[HTTP_LISTENERS_MAX];
    size_t socket_count;
    struct http_server *server;
    struct http_metrics metrics;
    struct http_log log;
    struct http_api api;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct serve_options *options = state->input;
    struct fault why;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->probe; return 0;
    case KEY_LISTEN:
        if (config_set_word(&options->probe.given, "serve.listen", slice_of(arg), &why) !=
            ERR_NONE) {
            argp_error(state, "--listen: %s", why.text);
        }
        return 0;
    case ARGP_KEY_ARG: argp_error(state, "serve takes no argument like '%.60s'", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- sockets ---- */

/* While nobody has a key, whoever can connect may ask: nobody from elsewhere must. */
static bool may_listen_at(const struct serving *s, const struct ip *ip, const char *text)
{
    if (http_is_loopback(ip) || serve_keys_any(&s->keys)) {
        return true;
    }
    complain("%s is not this machine alone, and there is no API key; make one with 'heloise key "
             "add', or listen at 127.0.0.1 or [::1]",
             text);
    return false;
}

static int listen_at(struct serving *s, const char *text)
{
    struct ip ip;
    struct fault fault;
    struct slice place = slice_of(text);
    uint16_t port = PORT_DEFAULT;
    if (!ip_port_parse(place, &ip, &port)) { /* checked when it was read: its port is 0 */
        port = 0;
        (void)ip_port_parse(slice_sub(place, 0, place.len - 2), &ip, &port);
    }
    if (!may_listen_at(s, &ip, text)) {
        return EXIT_BAD_CONFIG;
    }
    char shown[IP_TEXT_BYTES];
    if (listen_socket_open(&ip, port, &s->sockets[s->socket_count], &port, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    s->socket_count++;
    const char *scheme = s->config->serve.tls_key.len > 0 ? "https" : "http";
    bool is_v6 = ip.family == IP_V6;
    complain("listening at %s://%s%s%s:%u/", scheme, is_v6 ? "[" : "", ip_format(&ip, shown),
             is_v6 ? "]" : "", (unsigned)port);
    return EXIT_SUCCESS;
}

static int open_sockets(struct serving *s)
{
    const struct config_texts *listen = &s->config->serve.listen;
    int code = listen->count == 0 ? listen_at(s, "127.0.0.1") : EXIT_SUCCESS;
    for (size_t i = 0; i < listen->count && code == EXIT_SUCCESS; i++) {
        code = listen_at(s, listen->at[i]);
    }
    if (code == EXIT_SUCCESS) {
        complain("%s", serve_keys_any(&s->keys)
                           ? "callers need an API key"
                           : "there is no API key: only this machine is served");
    }
    return code;
}

/* As many descriptors as connections may be open, where the system lets us. */
static void raise_descriptors(const struct config *config)
{
    struct rlimit limit;
    rlim_t wanted =
        (rlim_t)config->serve.connections_max + config->connections_max + DESCRIPTORS_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
        return;
    }
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
        complain("the system allows %llu open files, less than serve.connections may need (%llu)",
                 (unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
    }
}

/* ---- files ---- */

static const char *data_folder(const struct config *config)
{
    return config->data_dir.len > 0 ? config->data_dir.at : HELOISE_DATA_DIR;
}

static int read_openapi(struct serving *s)
{
    char path[CONFIG_PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/api/openapi.json", data_folder(s->config));
    FILE *file = len < CONFIG_PATH_BYTES ? fopen(path, "re") : NULL;
    buf_init(&s->openapi, OPENAPI_BYTES_MAX);
    bool is_read = file != NULL;
    while (is_read && !feof(file)) {
        is_read = buf_reserve(&s->openapi, 65536) == ERR_NONE;
        s->openapi.len += is_read ? fread(s->openapi.at + s->openapi.len, 1, 65536, file) : 0;
        is_read = is_read && ferror(file) == 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!is_read) {
        complain("%s cannot be read; --data names the folder of rules, providers and lists", path);
        return EXIT_BAD_DATA;
    }
    s->api.openapi = buf_view(&s->openapi);
    return EXIT_SUCCESS;
}

/* The page stands beside the data in the sources, inside it when it is installed. */
static const char *page_folder(const struct config *config, char room[CONFIG_PATH_BYTES])
{
    static const char *const places[] = {"web", "../web"};
    struct stat about;
    if (config->serve.page_dir.len > 0) {
        return config->serve.page_dir.at;
    }
    for (size_t i = 0; i < 2; i++) {
        int len = snprintf(room, CONFIG_PATH_BYTES, "%s/%s", data_folder(config), places[i]);
        if (len < CONFIG_PATH_BYTES && stat(room, &about) == 0 && S_ISDIR(about.st_mode)) {
            return room;
        }
    }
    return NULL;
}

static int read_page(struct serving *s, struct static_files **out)
{
    char room[CONFIG_PATH_BYTES];
    struct fault fault;
    const char *folder = page_folder(s->config, room);
    *out = NULL;
    if (folder != NULL && static_files_open(folder, out, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_BAD_DATA;
    }
    return EXIT_SUCCESS;
}

/* ---- server ---- */

static int open_server(struct serving *s, const struct static_files *files,
                       struct http_server **out)
{
    const struct config_serve *serve = &s->config->serve;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const struct http_server_config config = {
        .sockets = s->sockets,
        .socket_count = s->socket_count,
        .threads = serve->threads > 0 ? serve->threads
                   : processors > 0   ? (unsigned)processors
                                      : 1,
        .connections_max = serve->connections_max,
        .connections_client_max = serve->connections_client_max,
        .idle_ms = (uint32_t)serve->idle_ms,
        .tls_certificate = serve->tls_key.len > 0 ? serve->tls_certificate.at : NULL,
        .tls_key = serve->tls_key.len > 0 ? serve->tls_key.at : NULL,
        .trusted_proxies = {serve->trusted_proxies.at, serve->trusted_proxies.count},
        .cors_origins = {serve->cors_origins.at, serve->cors_origins.count},
        .routes = http_all_routes,
        .routes_count = http_all_routes_count,
        .auth = &s->keys.auth,
        .files = files,
        .metrics = &s->metrics,
        .log = &s->log,
        .api = &s->api,
    };
    struct fault fault;
    if (http_server_open(&config, out, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

static int open_service(struct serving *s, const struct serve_options *options)
{
    config_apply_webhooks(s->config, &s->webhooks);
    config_apply_signals(s->config, &s->signals);
    const char *obstacle = signals_config_obstacle(&s->signals);
    bool has_signals = false;
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        has_signals = has_signals || s->signals.of[i].is_enabled;
    }
    struct service_config config = {
        .knowledge = s->knowledge,
        .door = workbench_door_config(&options->probe),
        .store_path = s->config->store.path.at,
        .webhooks = &s->webhooks,
        .signals = has_signals ? &s->signals : NULL,
    };
    /* Not above: gcc 12 loses part of it there, with -ftrivial-auto-var-init=zero. */
    config.knocker = options->probe.knocker;
    struct fault fault;
    if (obstacle != NULL) {
        complain("%s", obstacle);
        return EXIT_BAD_CONFIG;
    }
    if (s->config->store.is_none || s->config->store.path.len == 0) {
        complain("serve needs a store: give --store FILE");
        return EXIT_BAD_USAGE;
    }
    if (service_open(&config, &s->service, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    s->api.service = s->service;
    if (serve_keys_open(&s->keys, s->config->store.path.at, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

/* ---- desks ---- */

/* Why one could not be opened: files that are not right, or what this machine does not have. */
static int say_closed_desk(const struct fault *fault)
{
    complain("%s", fault->text);
    return fault->err == ERR_SYNTAX ? EXIT_BAD_DATA : EXIT_INTERNAL;
}

/* Before the service: libcurl is loaded by one thread at a time. */
static int open_health(struct serving *s, const struct serve_options *options)
{
    const struct health_desk_config config = {
        .door = workbench_door_config(&options->probe),
        .data_dir = s->config->data_dir.at,
        .lists_dir = s->config->lists_dir.at,
        .rules = knowledge_rules(s->knowledge),
        .allowed_nets = s->config->allowed_nets.at,
        .allowed_net_count = s->config->allowed_nets.count,
        .helo = s->config->helo,
        .source_v4 = options->probe.ways.egresses[0].source_v4,
        .source_v6 = options->probe.ways.egresses[0].source_v6,
        .port = s->config->asks_smtp ? (uint16_t)s->config->port : 0,
    };
    struct fault fault;
    if (health_desk_open(&config, &s->health, &fault) != ERR_NONE) {
        return say_closed_desk(&fault);
    }
    s->api.health = s->health;
    return EXIT_SUCCESS;
}

static void tell_lists(void *context, const struct fault *fault)
{
    struct serving *s = context;
    http_log_event(&s->log, fault == NULL ? "info" : "error", "lists",
                   fault == NULL ? SLICE("read again") : slice_of(fault->text));
}

static int open_lists(struct serving *s)
{
    const struct list_desk_config config = {
        .knowledge = s->knowledge,
        .place = workbench_list_place(s->config),
        .loaded = &s->lists_loaded,
        .told = tell_lists,
        .context = s,
    };
    struct fault fault;
    if (list_desk_open(&config, &s->lists, &fault) != ERR_NONE) {
        return say_closed_desk(&fault);
    }
    s->api.lists = s->lists;
    return EXIT_SUCCESS;
}

/* The same holds for it. */
static int open_probes(struct serving *s, const struct serve_options *options)
{
    const struct probe_desk_config config = {
        .door = workbench_door_config(&options->probe),
        .allowed_nets = s->config->allowed_nets.at,
        .allowed_net_count = s->config->allowed_nets.count,
        .workers = s->config->serve.probes_max,
    };
    struct fault fault;
    s->api.probes_obstacle = probe_terms_read(s->config, &s->probe_terms);
    s->api.probe_terms = &s->probe_terms;
    if (s->api.probes_obstacle != NULL) {
        return EXIT_SUCCESS;
    }
    if (probe_desk_open(&config, &s->probes, &fault) != ERR_NONE) {
        return say_closed_desk(&fault);
    }
    s->api.probes = s->probes;
    return EXIT_SUCCESS;
}

static int open_all(struct serving *s, const struct serve_options *options)
{
    const struct list_place place = workbench_list_place(s->config);
    const struct config_serve *serve = &s->config->serve;
    if ((serve->tls_key.len > 0) != (serve->tls_certificate.len > 0)) {
        complain("TLS needs both serve.tls-certificate and serve.tls-key");
        return EXIT_BAD_CONFIG;
    }
    http_log_init(&s->log, STDERR_FILENO);
    s->log.has_requests = serve->logs_requests;
    s->log.has_addresses = serve->logs_addresses;
    s->api.config = s->config;
    s->api.metrics = &s->metrics;
    s->api.started_at_ms = wall_clock_ms();
    raise_descriptors(s->config);
    list_stamps_take(&place, &s->lists_loaded);
    int code = workbench_open_knowledge(&options->probe, &s->knowledge);
    code = code != EXIT_SUCCESS ? code : read_openapi(s);
    code = code != EXIT_SUCCESS ? code : read_page(s, &s->files);
    code = code != EXIT_SUCCESS ? code : open_health(s, options);
    code = code != EXIT_SUCCESS ? code : open_probes(s, options);
    code = code != EXIT_SUCCESS ? code : open_service(s, options);
    code = code != EXIT_SUCCESS ? code : open_lists(s);
    code = code != EXIT_SUCCESS ? code : open_sockets(s);
    return code != EXIT_SUCCESS ? code : open_server(s, s->files, &s->server);
}

static void close_all(struct serving *s)
{
    atomic_store(&s->api.is_ready, false);
    http_server_close(s->server, (uint32_t)s->config->serve.stop_ms);
    if (s->keys.keys != NULL) {
        serve_keys_save(&s->keys, s->service);
    }
    list_desk_close(s->lists);
    service_close(s->service);
    health_desk_close(s->health);
    probe_desk_close(s->probes);
    serve_keys_close(&s->keys);
    for (size_t i = 0; i < s->socket_count; i++) {
        (void)close(s->sockets[i]);
    }
    static_files_close(s->files);
    knowledge_free(s->knowledge);
    buf_done(&s->openapi);
    http_log_done(&s->log);
}

static void reload_lists(struct serving *s)
{
    struct fault fault;
    tell_lists(s, list_desk_reload(s->lists, &fault) == ERR_NONE ? NULL : &fault);
}

/* What is wrong leaves everything as it was. */
static void reload(struct serving *s)
{
    reload_lists(s);
    struct static_files *files = NULL;
    struct http_server *server = NULL;
    if (read_page(s, &files) == EXIT_SUCCESS && open_server(s, files, &server) == EXIT_SUCCESS) {
        http_server_close(s->server, (uint32_t)s->config->serve.stop_ms);
        static_files_close(s->files);
        s->server = server;
        s->files = files;
        http_log_event(&s->log, "info", "reloaded", SLICE("certificates and page"));
        return;
    }
    static_files_close(files);
    http_log_event(&s->log, "error", "reload", SLICE("what was there before is still served"));
}

static void *end_at_once(void *context)
{
    const sigset_t *stops = context;
    int which;
    (void)sigwait(stops, &which);
    _exit(EXIT_STOPPED);
}

static void keep_up_at_desk(struct desk *desk, void *context)
{
    struct serving *s = context;
    struct store_retention retention;
    int64_t now_ms = wall_clock_ms();
    config_retention(s->config, now_ms, &retention);
    upkeep_turn(&s->upkeep, desk, now_ms, &retention);
}

static void keep_up(struct serving *s)
{
    if (service_call(s->service, keep_up_at_desk, s) && s->upkeep.fault.err != ERR_NONE) {
        http_log_event(&s->log, "error", "retention", slice_of(s->upkeep.fault.text));
    }
}

/* Until a signal says to stop. */
static void wait_for_signals(struct serving *s, const sigset_t *signals)
{
    const char *manager = getenv("NOTIFY_SOCKET");
    int which = 0;
    atomic_store(&s->api.is_ready, true);
    (void)notify_send(manager, SLICE("READY=1\nSTATUS=serving"));
    while (which != SIGTERM && which != SIGINT) {
        const struct timespec turn = {.tv_sec = KEYS_SAVE_MS / 1000};
        which = sigtimedwait(signals, NULL, &turn);
        serve_keys_save(&s->keys, s->service);
        keep_up(s);
        if (which != SIGHUP) {
            continue;
        }
        (void)notify_send(manager, SLICE("RELOADING=1"));
        reload(s);
        (void)notify_send(manager, SLICE("READY=1"));
    }
    (void)notify_send(manager, SLICE("STOPPING=1"));
    http_log_event(&s->log, "info", "stopping", SLICE("by a signal"));
}

static int serve(const struct serve_options *options)
{
    static struct serving s; /* large, and only one: counters of all routes */
    static sigset_t signals;
    pthread_t hasty;
    s.config = &options->probe.config;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* for all threads to come */
    int code = open_all(&s, options);
    if (code == EXIT_SUCCESS) {
        wait_for_signals(&s, &signals);
        (void)sigdelset(&signals, SIGHUP);
        if (pthread_create(&hasty, NULL, end_at_once, &signals) == 0) {
            (void)pthread_detach(hasty);
        }
    }
    close_all(&s);
    return code;
}

int cli_serve(int argc, char **argv)
{
    static const struct argp_child children[] = {{&probe_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        option_table,
        parse_option,
        NULL,
        "Serves the API and the page over HTTP, at http://127.0.0.1:8025/ where nothing else is "
        "said. While there is no API key only this machine is served.\v"
        "The section 'serve' of heloise.conf(5) sets the rest: TLS, proxies, limits, logs. "
        "SIGTERM and SIGINT stop it gracefully, SIGHUP reads certificates, the page and the lists "
        "again.\n\n"
        "Exit status: 0 stopped by a signal, 64 usage, 65 data, 70 internal, 73 the store or the "
        "port cannot be had, 78 configuration, 130 stopped twice.",
        children,
        NULL,
        NULL};
    struct serve_options options = {0};
    probe_options_init(&options.probe);
    options.probe.has_many_lines = true;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    int code = probe_options_settle(&options.probe);
    code = code != EXIT_SUCCESS ? code : serve(&options);
    probe_options_done(&options.probe);
    return code;
}
