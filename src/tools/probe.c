/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/route_find.h"
#include "tools/probe_private.h"

static const uint16_t compared_ports[PROBE_PORTS] = {25, 465, 587, 2525};

const char *probe_answer_name(enum probe_answer answer)
{
    switch (answer) {
    case PROBE_NOT_TRIED: return "not_tried";
    case PROBE_YES: return "yes";
    case PROBE_NO: return "no";
    case PROBE_UNKNOWN: break;
    }
    return "unknown";
}

uint16_t probe_port_of(const struct probe_plan *plan)
{
    if (plan->target.port != 0) {
        return plan->target.port;
    }
    if (plan->port != 0) {
        return plan->port;
    }
    switch (plan->target.scheme) {
    case PROBE_SMTPS: return 465; /* RFC 8314 3.3 */
    case PROBE_LMTP: return 24;   /* RFC 2033 5 leaves it open; IANA's "any private mail system" */
    case PROBE_SMTP: break;
    }
    return 25;
}

void probe_tell(const struct probe_run *run, const char *format, ...)
{
    char text[PROBE_DETAIL_BYTES + PROBE_NAME_BYTES];
    va_list args;
    if (run->plan->moved == NULL) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    run->plan->moved(run->plan->talk.context, slice_of(text));
}

bool probe_is_off(const struct probe_run *run)
{
    const bool *is_called_off = run->plan->talk.is_called_off;
    return run->is_stopped || (is_called_off != NULL && *is_called_off);
}

/* ---- one conversation ---- */

void probe_talk_prepare(const struct probe_run *run, const struct probe_host *host,
                        const struct ip *ip, struct probe_talk_config *out)
{
    const struct probe_plan *plan = run->plan;
    *out = plan->talk;
    out->ip = *ip;
    out->port = probe_port_of(plan);
    out->source = ip->family == IP_V6 ? plan->source_v6 : plan->source_v4;
    out->server_name = plan->server_name.len > 0 ? plan->server_name : slice_of(host->name);
    out->tls = run->tls;
    out->digester = run->digester;
    if (plan->target.scheme == PROBE_SMTPS && out->tls_mode != PROBE_TLS_NEVER) {
        out->tls_mode = PROBE_TLS_AT_ONCE;
    }
    out->is_lmtp = out->is_lmtp || plan->target.scheme == PROBE_LMTP;
}

void probe_talk_quieten(struct probe_talk_config *config)
{
    config->stop = PROBE_STOP_NEVER;
    config->drops = false;
    config->has_envelope = config->has_message = false;
    config->login.mechanism_count = 0;
    config->xclient_count = config->xforward_count = 0;
    config->trial_count = 0;
    config->demands_certificate = false;
}

enum err probe_talk_once(struct probe_run *run, const struct probe_talk_config *config,
                         struct probe_talk *out)
{
    enum err e = probe_talk_run(run->door, config, out);
    run->is_stopped = probe_is_off(run) || (e == ERR_NONE && out->end == PROBE_END_STOPPED);
    return e;
}

/* ---- hosts ---- */

static struct probe_host *add_host(struct probe_run *run, const char *name)
{
    struct probe_host *host = &run->out->hosts[run->out->host_count++];
    (void)snprintf(host->name, sizeof host->name, "%s", name);
    return host;
}

/* The addresses of one host, in the order to try. */
struct way {
    struct probe_host *host;
    const struct ip *addresses;
    size_t count;
};

static bool is_family_wanted(const struct probe_plan *plan, const struct ip *ip)
{
    return ip->family == IP_V6 ? !plan->no_ipv6 : !plan->no_ipv4;
}

/* The first address that can be reached has the conversation. */
static enum err talk_to(struct probe_run *run, const struct way *way)
{
    struct probe_host *host = way->host;
    bool was_tried = false;
    enum err e = ERR_NONE;
    for (size_t i = 0; i < way->count && e == ERR_NONE && !run->is_stopped; i++) {
        if (!is_family_wanted(run->plan, &way->addresses[i])) {
            continue;
        }
        struct probe_talk_config config;
        if (was_tried) {
            probe_talk_done(&host->talk);
        }
        probe_talk_prepare(run, host, &way->addresses[i], &config);
        e = probe_talk_once(run, &config, &host->talk);
        was_tried = true;
        if (e == ERR_NONE && host->talk.end != PROBE_END_UNREACHED) {
            break;
        }
    }
    host->status = was_tried ? HOST_OK : HOST_NO_FAMILY;
    return e;
}

static bool is_reached(const struct probe_host *host)
{
    return host->status == HOST_OK && host->talk.end != PROBE_END_UNREACHED &&
           host->talk.end != PROBE_END_LOCAL;
}

static enum err look_at_ports(struct probe_run *run, struct probe_host *host)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < PROBE_PORTS && e == ERR_NONE && !run->is_stopped; i++) {
        struct probe_talk_config config;
        struct probe_port *port = &host->ports[i];
        probe_talk_prepare(run, host, &host->talk.ip, &config);
        probe_talk_quieten(&config);
        config.observe = NULL;
        config.is_lmtp = false;
        config.port = port->port = compared_ports[i];
        probe_tell(run, "looking at port %u", port->port);
        config.tls_mode = port->port == 465 ? PROBE_TLS_AT_ONCE : PROBE_TLS_MAY;
        e = probe_talk_once(run, &config, &port->talk);
        host->port_count += e == ERR_NONE ? 1 : 0;
    }
    return e;
}

static void judge_login(const struct probe_talk *talk, struct probe_login_result *out)
{
    bool is_answered = talk->end == PROBE_END_DONE || talk->end == PROBE_END_REFUSED ||
                       talk->end == PROBE_END_GARBAGE;
    out->worked = talk->is_logged_in && talk->is_server_proven ? PROBE_YES
                  : is_answered && talk->has_login             ? PROBE_NO
                                                               : PROBE_UNKNOWN;
    (void)snprintf(out->detail, sizeof out->detail, "%s",
                   talk->is_logged_in && !talk->is_server_proven
                       ? "the server did not prove that it knows the password"
                       : talk->detail);
}

/* A login with each mechanism that is offered, each on a line of its own. */
static enum err test_logins(struct probe_run *run, struct probe_host *host)
{
    enum err e = ERR_NONE;
    for (int i = 0; i < SASL_MECHANISM_COUNT && e == ERR_NONE && !run->is_stopped; i++) {
        const enum sasl_mechanism mechanism = (enum sasl_mechanism)i;
        struct probe_login_result *result = &host->logins[i];
        struct probe_talk talk;
        struct probe_talk_config config;
        result->is_offered = probe_offers_mechanism(slice_of(host->talk.extension_lines),
                                                    slice_of(sasl_mechanism_name(mechanism)));
        if (!result->is_offered) {
            continue;
        }
        probe_talk_prepare(run, host, &host->talk.ip, &config);
        struct probe_login login = config.login;
        probe_talk_quieten(&config);
        config.login = login;
        config.login.mechanisms = &mechanism;
        config.login.mechanism_count = 1;
        config.stop = PROBE_STOP_AUTH;
        config.observe = NULL;
        probe_tell(run, "logging in with %s", sasl_mechanism_name(mechanism));
        e = probe_talk_once(run, &config, &talk);
        if (e == ERR_NONE) {
            judge_login(&talk, result);
            probe_talk_done(&talk);
        }
    }
    return e;
}

static enum err test_relay(struct probe_run *run, struct probe_host *host)
{
    struct probe_talk_config config;
    probe_talk_prepare(run, host, &host->talk.ip, &config);
    probe_talk_quieten(&config);
    probe_tell(run, "trying %zu forms of a stranger's address", run->plan->relay_count);
    config.trials = run->plan->relay;
    config.trial_count = run->plan->relay_count;
    enum err e = probe_talk_once(run, &config, &host->relay);
    host->has_relay = e == ERR_NONE;
    return e;
}

static enum err examine(struct probe_run *run, const struct way *way)
{
    const struct probe_plan *plan = run->plan;
    struct probe_host *host = way->host;
    probe_tell(run, "talking to %s", host->name[0] == '\0' ? "the server" : host->name);
    enum err e = talk_to(run, way);
    if (e != ERR_NONE || !is_reached(host) || run->is_stopped) {
        return e;
    }
    if (plan->tests_logins) {
        e = test_logins(run, host);
    }
    if (e == ERR_NONE && plan->examines_tls && plan->talk.tls_mode != PROBE_TLS_NEVER) {
        e = probe_examine_tls(run, host);
    }
    if (e == ERR_NONE && plan->relay_count > 0 && !run->is_stopped) {
        e = test_relay(run, host);
    }
    if (e == ERR_NONE && plan->compares_ports) {
        e = look_at_ports(run, host);
    }
    return e;
}

/* ---- targets ---- */

static bool may_contact(const struct probe_plan *plan, const struct ip *ip)
{
    if (!ip_is_special(ip)) {
        return true;
    }
    for (size_t i = 0; i < plan->allowed_net_count; i++) {
        if (ip_net_contains(&plan->allowed_nets[i], ip)) {
            return true;
        }
    }
    return false;
}

static enum err examine_ip(struct probe_run *run)
{
    const struct probe_plan *plan = run->plan;
    struct probe_host *host = add_host(run, "");
    const struct way way = {host, &plan->target.ip, 1};
    if (!plan->trusts_named_ip && !may_contact(plan, &plan->target.ip)) {
        host->status = HOST_UNROUTABLE;
        return ERR_NONE;
    }
    return examine(run, &way);
}

enum { HOST_ADDRESSES_MAX = 2 * ROUTE_ADDRESSES_MAX };

/* What a host's name resolves to, as far as we may go there. */
struct host_addresses {
    struct ip at[HOST_ADDRESSES_MAX];
    size_t count;
    bool was_forbidden, was_error, was_found;
};

static enum err resolve(struct probe_run *run, const char *name, uint16_t type,
                        struct host_addresses *out)
{
    struct dns_answer *answer = malloc(sizeof *answer);
    enum err e = answer == NULL ? ERR_NOMEM
                                : route_ask(run->door, slice_of(name), type, &run->bytes, answer);
    if (e == ERR_NONE) {
        out->was_error = out->was_error || answer->kind == DNS_ANSWER_ERROR;
        out->was_found = out->was_found || answer->kind != DNS_ANSWER_NOT_FOUND;
        for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
             record = dns_answer_next(answer, record)) {
            if (!may_contact(run->plan, &record->ip)) {
                out->was_forbidden = true;
            } else if (out->count < HOST_ADDRESSES_MAX) {
                out->at[out->count++] = record->ip;
            }
        }
    }
    free(answer);
    if (e == ERR_CLOSED) {
        run->is_stopped = out->was_error = true;
        return ERR_NONE;
    }
    return e;
}

static enum host_status status_of(const struct host_addresses *addresses)
{
    return addresses->was_error       ? HOST_DNS_ERROR
           : addresses->was_forbidden ? HOST_UNROUTABLE
           : addresses->was_found     ? HOST_NO_ADDRESS
                                      : HOST_NOT_FOUND;
}

static enum err examine_host(struct probe_run *run)
{
    const char *name = run->plan->target.name;
    struct probe_host *host = add_host(run, name);
    struct host_addresses addresses = {.count = 0};
    enum err e = ERR_NONE;
    if (strcmp(name, "localhost") == 0) { /* RFC 6761 6.3: no question for the DNS */
        if (!ip_parse(SLICE("127.0.0.1"), &addresses.at[0])) {
            return ERR_SYNTAX;
        }
        addresses.count = run->plan->trusts_named_ip || may_contact(run->plan, &addresses.at[0]);
        addresses.was_forbidden = true;
    } else {
        probe_tell(run, "looking up %s", name);
        e = resolve(run, name, DNS_A, &addresses);
        if (e == ERR_NONE && !run->is_stopped && !run->plan->no_ipv6 && door_has_ipv6(run->door)) {
            e = resolve(run, name, DNS_AAAA, &addresses);
        }
    }
    if (e != ERR_NONE || addresses.count == 0 || run->is_stopped) {
        host->status = status_of(&addresses);
        return e;
    }
    const struct way way = {host, addresses.at, addresses.count};
    return examine(run, &way);
}

static enum err examine_exchangers(struct probe_run *run)
{
    const struct probe_plan *plan = run->plan;
    const struct route *route = run->out->route;
    enum err e = ERR_NONE;
    for (size_t i = 0; i < route->exchanger_count && e == ERR_NONE && !run->is_stopped; i++) {
        const struct exchanger *exchanger = &route->exchangers[i];
        if (plan->only_host.len > 0 &&
            !slice_equal_nocase(plan->only_host, slice_of(exchanger->host))) {
            continue;
        }
        struct probe_host *host = add_host(run, exchanger->host);
        host->is_exchanger = true;
        host->preference = exchanger->preference;
        host->status = exchanger->status;
        if (exchanger->status != HOST_OK) {
            continue;
        }
        const struct way way = {host, exchanger->addresses, exchanger->address_count};
        e = examine(run, &way);
        if (!plan->all_hosts && is_reached(host)) {
            break;
        }
    }
    return e;
}

static enum err examine_domain(struct probe_run *run)
{
    const struct probe_plan *plan = run->plan;
    const struct dns_lookup_options options = {
        .allowed_nets = plan->allowed_nets,
        .allowed_net_count = plan->allowed_net_count,
        .can_ipv4 = !plan->no_ipv4,
        .can_ipv6 = !plan->no_ipv6,
        .asks_ipv6_late = !door_has_ipv6(run->door),
    };
    probe_tell(run, "looking up the mail servers of %s", plan->target.name);
    enum err e = route_find(run->door, slice_of(plan->target.name), &options, &run->out->route);
    if (e == ERR_CLOSED) {
        run->is_stopped = true;
        return ERR_NONE;
    }
    if (e != ERR_NONE || run->out->route->status != ROUTE_OK) {
        return e;
    }
    e = examine_exchangers(run);
    bool wants_sts = plan->examines_tls && plan->http != NULL && plan->server_name.len == 0 &&
                     plan->talk.tls_mode != PROBE_TLS_NEVER;
    return e == ERR_NONE && wants_sts && !probe_is_off(run) ? probe_find_sts(run) : e;
}

/* ---- all of it ---- */

static enum err prepare(struct probe_run *run, struct fault *out_fault)
{
    const struct probe_plan *plan = run->plan;
    enum err e = ERR_NONE;
    if (plan->talk.tls_mode != PROBE_TLS_NEVER) {
        e = tls_client_new_with(&plan->tls, &run->tls, out_fault);
    }
    if (e == ERR_NONE && plan->talk.login.mechanism_count > 0) {
        e = digester_new(&run->digester, out_fault);
    }
    return e;
}

enum err probe_run(struct door *door, const struct probe_plan *plan, struct probe_result *out,
                   struct fault *out_fault)
{
    struct probe_run run = {.door = door, .plan = plan, .out = out};
    *out = (struct probe_result){.host_count = 0};
    buf_init(&run.bytes, PROBE_ANSWER_BYTES);
    out->hosts = calloc(PROBE_HOSTS_MAX, sizeof *out->hosts);
    enum err e = out->hosts == NULL ? fault_set(out_fault, ERR_NOMEM, 0, "out of memory")
                                    : prepare(&run, out_fault);
    if (e == ERR_NONE) {
        switch (plan->target.kind) {
        case PROBE_TARGET_DOMAIN: e = examine_domain(&run); break;
        case PROBE_TARGET_HOST: e = examine_host(&run); break;
        case PROBE_TARGET_IP:
        case PROBE_TARGET_SOCKET: e = examine_ip(&run); break;
        }
        if (e != ERR_NONE) {
            (void)fault_set(out_fault, e, 0, "out of memory");
        }
    }
    out->is_stopped = run.is_stopped;
    tls_client_free(run.tls);
    digester_free(run.digester);
    buf_done(&run.bytes);
    if (e != ERR_NONE) {
        probe_result_done(out);
    }
    return e;
}

void probe_result_done(struct probe_result *result)
{
    size_t count = result->hosts == NULL ? 0 : result->host_count;
    for (size_t i = 0; i < count; i++) {
        struct probe_host *host = &result->hosts[i];
        probe_talk_done(&host->talk);
        probe_talk_done(&host->relay);
        for (size_t j = 0; j < host->port_count; j++) {
            probe_talk_done(&host->ports[j].talk);
        }
    }
    free(result->hosts);
    route_free(result->route);
    *result = (struct probe_result){.host_count = 0};
}
