/* cli/policy: `heloise policy`: answers mail servers that ask whether to take a recipient or believe a sender, until a
 * signal.
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/slice.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/workbench.h"
#include "engine/service.h"
#include "net/listen_socket.h"
#include "net/notify.h"
#include "net/stream_server.h"
#include "tools/list_desk.h"
#include "tools/list_files.h"
#include "tools/policy_server.h"

enum { KEY_LISTEN = 0x400, KEY_SOCKETMAP, KEY_EXCEPT, KEY_SENDERS };

enum {
    PASSED_FIRST = 3, /* the first descriptor of sd_listen_fds(3) */
    EXCEPT_BYTES_MAX = 8 << 20,
};

static const struct argp_option option_table[] = {
    {"listen", KEY_LISTEN, "PLACE", 0,
     "where Postfix' policy delegation protocol is spoken: inet:127.0.0.1:10040 (which it is "
     "where nothing is said) or unix:/PATH (repeatable)",
     0},
    {"socketmap", KEY_SOCKETMAP, "PLACE", 0,
     "where the socketmap protocol is spoken, likewise (repeatable)", 0},
    {"senders", KEY_SENDERS, NULL, 0, "check senders at RCPT too, without policy_context", 0},
    {"except", KEY_EXCEPT, "FILE", 0,
     "domains, addresses and clients' networks that nobody is asked about", -1},
    {0},
};

struct policy_options {
    struct probe_options probe;
};

/* All that a running server has. */
struct policing {
    const struct policy_options *options;
    const struct config *config;
    struct knowledge *knowledge;
    struct list_stamps lists_loaded;
    struct list_desk *lists;
    struct service *service;
    struct policy_except *except;
    struct policy_server *server;
    int sockets[STREAM_SOCKETS_MAX];
    size_t policy_count, socketmap_count;
};

static void set_word(struct argp_state *state, const char *option, const char *key,
                     const char *word)
{
    struct policy_options *options = state->input;
    struct fault why = {.text = "out of memory"};
    if (config_set_word(&options->probe.given, key, slice_of(word), &why) != ERR_NONE) {
        argp_error(state, "--%s: %s", option, why.text);
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct policy_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->probe; return 0;
    case KEY_LISTEN: set_word(state, "listen", "policy.listen", arg); return 0;
    case KEY_SOCKETMAP: set_word(state, "socketmap", "policy.socketmap", arg); return 0;
    case KEY_EXCEPT: set_word(state, "except", "policy.except", arg); return 0;
    case KEY_SENDERS: set_word(state, "senders", "policy.senders", "yes"); return 0;
    case ARGP_KEY_ARG: argp_error(state, "policy takes no argument like '%.60s'", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- sockets ---- */

static size_t socket_count(const struct policing *p)
{
    return p->policy_count + p->socketmap_count;
}

/* Policy sockets come before those of socketmaps. */
static int keep_socket(struct policing *p, int fd, bool is_socketmap)
{
    size_t count = socket_count(p);
    if (count == STREAM_SOCKETS_MAX) {
        complain("more than %d places to listen at", STREAM_SOCKETS_MAX);
        (void)close(fd);
        return EXIT_BAD_USAGE;
    }
    size_t at = is_socketmap ? count : p->policy_count;
    memmove(&p->sockets[at + 1], &p->sockets[at], (count - at) * sizeof *p->sockets);
    p->sockets[at] = fd;
    *(is_socketmap ? &p->socketmap_count : &p->policy_count) += 1;
    return EXIT_SUCCESS;
}

static int listen_at(struct policing *p, const char *place, bool is_socketmap)
{
    struct fault fault;
    struct ip ip;
    uint16_t port = 0;
    int fd = -1;
    const char *what = is_socketmap ? "socketmap" : "policy delegation";
    struct slice rest = slice_sub(slice_of(place), 5, strlen(place)); /* behind inet: or unix: */
    bool is_unix = slice_starts(slice_of(place), SLICE("unix:"));
    if (!is_unix && !ip_port_parse(rest, &ip, &port)) { /* checked when it was read: port 0 */
        port = 0;
        (void)ip_port_parse(slice_sub(rest, 0, rest.len - 2), &ip, &port);
    }
    enum err e = is_unix ? listen_socket_open_unix(place + 5, &fd, &fault)
                         : listen_socket_open(&ip, port, &fd, &port, &fault);
    if (e != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    char shown[IP_TEXT_BYTES];
    if (is_unix) {
        complain("%s at %s", what, place);
    } else {
        complain("%s at inet:%s:%u", what, ip_format(&ip, shown), (unsigned)port);
    }
    return keep_socket(p, fd, is_socketmap);
}

/* Those that systemd has opened, when it did (sd_listen_fds(3)): one called "socketmap" is for socketmaps. */
static int take_passed(struct policing *p)
{
    const char *names = getenv("LISTEN_FDNAMES");
    struct slice rest = slice_of(names);
    struct reader pid = reader_over(slice_of(getenv("LISTEN_PID")));
    struct reader number = reader_over(slice_of(getenv("LISTEN_FDS")));
    uint64_t whose = 0;
    uint64_t count = 0;
    bool is_ours = reader_number(&pid, INT32_MAX, &whose) && whose == (uint64_t)getpid() &&
                   reader_number(&number, STREAM_SOCKETS_MAX, &count);
    int code = EXIT_SUCCESS;
    for (int i = 0; is_ours && i < (int)count && code == EXIT_SUCCESS; i++) {
        struct slice name = rest.at == NULL ? SLICE_NONE : slice_cut(&rest, ':');
        (void)fcntl(PASSED_FIRST + i, F_SETFL, O_NONBLOCK);
        code = keep_socket(p, PASSED_FIRST + i, slice_equal(name, SLICE("socketmap")));
    }
    if (is_ours && code == EXIT_SUCCESS && count > 0) {
        complain("%zu sockets of the service manager", socket_count(p));
    }
    return code;
}

static int open_sockets(struct policing *p)
{
    const struct config_policy *policy = &p->config->policy;
    int code = take_passed(p);
    for (size_t i = 0; i < policy->listen.count && code == EXIT_SUCCESS; i++) {
        code = listen_at(p, policy->listen.at[i], false);
    }
    for (size_t i = 0; i < policy->socketmap.count && code == EXIT_SUCCESS; i++) {
        code = listen_at(p, policy->socketmap.at[i], true);
    }
    bool has_none = socket_count(p) == 0;
    return code == EXIT_SUCCESS && has_none ? listen_at(p, "inet:127.0.0.1:10040", false) : code;
}

/* ---- life ---- */

static int read_except(struct policing *p)
{
    struct slice path = p->config->policy.except;
    struct fault fault;
    DEFER(buf_done) struct buf text;
    buf_init(&text, EXCEPT_BYTES_MAX);
    if (path.len == 0) {
        return EXIT_SUCCESS;
    }
    if (access(path.at, R_OK) != 0) {
        complain("%.200s: cannot be read", path.at);
        return EXIT_NO_INPUT;
    }
    enum err e = list_file_read(path.at, &text, &fault);
    e = e != ERR_NONE ? e : policy_except_read(path, buf_view(&text), &p->except, &fault);
    if (e != ERR_NONE) {
        complain("%s", fault.text);
        return e == ERR_SYNTAX ? EXIT_BAD_DATA : EXIT_NO_INPUT;
    }
    return EXIT_SUCCESS;
}

static int open_service(struct policing *p)
{
    struct service_config config = {
        .knowledge = p->knowledge,
        .door = workbench_door_config(&p->options->probe),
        .store_path = p->config->store.path.at,
        .has_no_batches = true, /* so that it runs beside 'heloise serve' */
    };
    /* Not above: gcc 12 loses part of it there, with -ftrivial-auto-var-init=zero. */
    config.knocker = p->options->probe.knocker;
    struct fault fault;
    if (p->config->store.is_none || p->config->store.path.len == 0) {
        complain("policy needs a store: give --store FILE");
        return EXIT_BAD_USAGE;
    }
    if (service_open(&config, &p->service, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

static int open_server(struct policing *p)
{
    const struct policy_server_config config = {
        .service = p->service,
        .settings = &p->config->policy,
        .knocker = &p->options->probe.knocker,
        .except = p->except,
        .sockets = p->sockets,
        .policy_count = p->policy_count,
        .socketmap_count = p->socketmap_count,
        .log_fd = STDERR_FILENO,
    };
    struct fault fault;
    if (policy_server_open(&config, &p->server, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

static void tell_lists(void *context, const struct fault *fault)
{
    (void)context;
    complain("%s", fault == NULL ? "the lists were read again" : fault->text);
}

static int open_lists(struct policing *p)
{
    const struct list_desk_config config = {
        .knowledge = p->knowledge,
        .place = workbench_list_place(p->config),
        .loaded = &p->lists_loaded,
        .told = tell_lists,
    };
    struct fault fault;
    if (list_desk_open(&config, &p->lists, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

static int open_all(struct policing *p)
{
    const struct list_place place = workbench_list_place(p->config);
    int code = read_except(p);
    list_stamps_take(&place, &p->lists_loaded);
    code =
        code != EXIT_SUCCESS ? code : workbench_open_knowledge(&p->options->probe, &p->knowledge);
    code = code != EXIT_SUCCESS ? code : open_service(p);
    code = code != EXIT_SUCCESS ? code : open_lists(p);
    code = code != EXIT_SUCCESS ? code : open_sockets(p);
    return code != EXIT_SUCCESS ? code : open_server(p);
}

static void close_all(struct policing *p)
{
    policy_server_close(p->server);
    list_desk_close(p->lists);
    service_close(p->service);
    for (size_t i = 0; i < socket_count(p); i++) {
        (void)close(p->sockets[i]);
    }
    const struct config_policy *policy = &p->config->policy;
    for (size_t i = 0; i < policy->listen.count + policy->socketmap.count; i++) {
        const char *place = i < policy->listen.count
                                ? policy->listen.at[i]
                                : policy->socketmap.at[i - policy->listen.count];
        if (p->server != NULL && slice_starts(slice_of(place), SLICE("unix:"))) {
            (void)unlink(place + 5);
        }
    }
    policy_except_free(p->except);
    knowledge_free(p->knowledge);
}

/* Until one says to stop; SIGHUP: the lists are read again. */
static void wait_for_signals(struct policing *p, const sigset_t *signals)
{
    struct fault fault;
    int which = SIGHUP;
    while (sigwait(signals, &which) == 0 && which == SIGHUP) {
        tell_lists(p, list_desk_reload(p->lists, &fault) == ERR_NONE ? NULL : &fault);
    }
}

static int run(const struct policy_options *options)
{
    struct policing p = {.options = options, .config = &options->probe.config};
    sigset_t signals;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* for all threads to come */
    int code = open_all(&p);
    if (code == EXIT_SUCCESS) {
        (void)notify_send(getenv("NOTIFY_SOCKET"), SLICE("READY=1\nSTATUS=answering"));
        wait_for_signals(&p, &signals);
        (void)notify_send(getenv("NOTIFY_SOCKET"), SLICE("STOPPING=1"));
    }
    close_all(&p);
    return code;
}

int cli_policy(int argc, char **argv)
{
    static const struct argp_child children[] = {{&probe_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        option_table,
        parse_option,
        NULL,
        "Answers mail servers that ask whether to take a recipient or believe a sender: Postfix by "
        "its policy delegation protocol (check_policy_service), Postfix and Sendmail by "
        "socketmaps, Exim by readsocket.\v"
        "What each answer leads to stands in section policy of heloise.conf(5); tested "
        "configurations of mail servers in docs/policy.md.",
        children,
        NULL,
        NULL,
    };
    struct policy_options options;
    probe_options_init(&options.probe);
    options.probe.has_many_lines = true;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    int code = probe_options_settle(&options.probe);
    code = code != EXIT_SUCCESS ? code : run(&options);
    probe_options_done(&options.probe);
    return code;
}
