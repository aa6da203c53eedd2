/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_order.h"

#include <stdlib.h>

#include "base/slice.h"
#include "base/text.h"
#include "heloise/address.h"
#include "tools/health.h"
#include "tools/probe_way.h"

enum {
    ARENA_BYTES_MAX = 256 * 1024,
    PASSWORD_BYTES_MAX = 1024,
};

const char *probe_terms_read(const struct config *config, struct probe_terms *out)
{
    *out = (struct probe_terms){.own_port = (uint16_t)config->port,
                                .wants_tls = config->wants_tls,
                                .may_send = config->serve.probe_sends,
                                .relay_hosts = &config->serve.probe_relay};
    if (!config->asks_smtp) {
        return "mail servers are not contacted (smtp)";
    }
    /* What is there is shown, also what is weak. */
    out->base.tls =
        (struct tls_settings){.version_min = TLS_OLDEST, .allows_weak = true, .asks_ocsp = true};
    return probe_way_choose(config, &out->ways, &out->base);
}

/* An order in the making. */
struct maker {
    const struct probe_terms *terms;
    const struct probe_wish *wish;
    struct probe_order *order;
    const char *member; /* that is wrong */
    struct fault *fault;
};

static enum err refuse(struct maker *maker, const char *member, const char *what)
{
    maker->member = member;
    return fault_set(maker->fault, ERR_SYNTAX, 0, "%s", what);
}

static enum err keep(struct maker *maker, struct slice text, struct slice *out)
{
    return arena_copy(&maker->order->arena, text, out);
}

/* ---- where to ---- */

static bool is_mail_port(const struct probe_terms *terms, uint16_t port)
{
    static const uint16_t ports[] = {24, 25, 465, 587, 2525}; /* 24: LMTP */
    bool is_one = port == terms->own_port;
    for (size_t i = 0; i < sizeof ports / sizeof *ports && !is_one; i++) {
        is_one = port == ports[i];
    }
    return is_one;
}

static enum err read_target(struct maker *maker)
{
    const struct probe_wish *wish = maker->wish;
    struct probe_plan *plan = &maker->order->plan;
    if (probe_target_parse(wish->target, &plan->target, maker->fault) != ERR_NONE) {
        maker->member = "target";
        return ERR_SYNTAX;
    }
    if (plan->target.kind == PROBE_TARGET_SOCKET) {
        return refuse(maker, "target", "sockets of this machine are not spoken to from elsewhere");
    }
    plan->port = wish->port == 0 ? plan->port : (uint16_t)wish->port;
    if (!is_mail_port(maker->terms, probe_port_of(plan))) {
        return refuse(maker, wish->port == 0 ? "target" : "port",
                      "only ports of mail are asked: 24, 25, 465, 587, 2525, and that of the "
                      "configuration");
    }
    plan->all_hosts = wish->all_hosts;
    return keep(maker, wish->host, &plan->only_host);
}

/* ---- TLS ---- */

static enum err read_tls(struct maker *maker)
{
    static const struct {
        const char *name;
        enum probe_tls_mode mode;
    } modes[] = {{"may", PROBE_TLS_MAY},
                 {"never", PROBE_TLS_NEVER},
                 {"must", PROBE_TLS_MUST},
                 {"at_once", PROBE_TLS_AT_ONCE}};
    const struct probe_wish *wish = maker->wish;
    struct probe_plan *plan = &maker->order->plan;
    char name[DNS_NAME_BYTES];
    bool is_known = wish->tls.at == NULL;
    plan->talk.tls_mode = maker->terms->wants_tls ? PROBE_TLS_MAY : PROBE_TLS_NEVER;
    for (size_t i = 0; i < sizeof modes / sizeof *modes && !is_known; i++) {
        is_known = slice_equal(wish->tls, slice_of(modes[i].name));
        plan->talk.tls_mode = is_known ? modes[i].mode : plan->talk.tls_mode;
    }
    if (!is_known) {
        return refuse(maker, "tls", "may, never, must or at_once is wanted");
    }
    plan->examines_tls = wish->examines;
    if (wish->server_name.at == NULL) {
        return ERR_NONE;
    }
    if (!health_domain_read(wish->server_name, name)) {
        return refuse(maker, "server_name", "this is no host name");
    }
    return keep(maker, slice_of(name), &plan->server_name);
}

/* ---- the envelope ---- */

/* As it goes over the wire. */
static enum err read_address(struct maker *maker, const char *member, struct slice text,
                             struct slice *out)
{
    struct hel_address address;
    struct hel_address_error error;
    if (hel_address_parse(text, HEL_ADDRESS_PRACTICAL, &address, &error) != ERR_NONE) {
        maker->member = member;
        return fault_set(maker->fault, ERR_SYNTAX, 0, "this is no address: %s", error.text);
    }
    struct slice wire = hel_address_wire(&address);
    return keep(maker, wire, out);
}

static enum err read_envelope(struct maker *maker)
{
    const struct probe_wish *wish = maker->wish;
    struct probe_order *order = maker->order;
    struct probe_talk_config *talk = &order->plan.talk;
    size_t count = 0;
    enum err e = ERR_NONE;
    if (wish->mail_from.at != NULL) {
        talk->mail_from = SLICE("");
        e = wish->mail_from.len == 0
                ? ERR_NONE
                : read_address(maker, "from", wish->mail_from, &talk->mail_from);
    }
    if (order->plan.target.rcpt[0] != '\0') {
        order->rcpts[count++] = slice_of(order->plan.target.rcpt);
    }
    for (size_t i = 0; i < wish->rcpt_count && e == ERR_NONE; i++) {
        if (count == PROBE_ORDER_RCPTS_MAX) {
            return refuse(maker, "to", "that are more than 10 recipients");
        }
        e = read_address(maker, "to", wish->rcpts[i], &order->rcpts[count++]);
    }
    talk->needs_smtputf8 = !text_is_ascii(talk->mail_from);
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        talk->needs_smtputf8 = talk->needs_smtputf8 || !text_is_ascii(order->rcpts[i]);
    }
    talk->rcpts = order->rcpts;
    talk->rcpt_count = count;
    talk->has_envelope = count > 0;
    return e;
}

/* ---- the login ---- */

static enum err read_login(struct maker *maker)
{
    const struct probe_wish *wish = maker->wish;
    struct probe_order *order = maker->order;
    struct probe_login *login = &order->plan.talk.login;
    bool has_user = wish->user.len > 0, has_password = wish->password.len > 0;
    if (has_user != has_password) {
        return refuse(maker, has_user ? "password" : "user",
                      "a login needs both user and password");
    }
    if (!has_user) {
        bool is_half = wish->tests_logins || wish->mechanism.at != NULL;
        return is_half ? refuse(maker, "user", "a login needs both user and password") : ERR_NONE;
    }
    login->mechanisms = wish->mechanism.at == NULL ? sasl_usual : &order->mechanism;
    login->mechanism_count = wish->mechanism.at == NULL ? SASL_USUAL_COUNT : 1;
    if (wish->mechanism.at != NULL && !sasl_mechanism_parse(wish->mechanism, &order->mechanism)) {
        return refuse(maker, "mechanism", "there is no such mechanism; SCRAM-SHA-256 is one");
    }
    order->plan.tests_logins = wish->tests_logins;
    buf_init(&order->password, PASSWORD_BYTES_MAX);
    enum err e = buf_append(&order->password, wish->password);
    login->password = buf_view(&order->password);
    return e != ERR_NONE ? e : keep(maker, wish->user, &login->user);
}

/* ---- what the operator must allow ---- */

static enum err read_message(struct maker *maker)
{
    const struct probe_wish *wish = maker->wish;
    struct probe_order *order = maker->order;
    if (!wish->sends) {
        return wish->message.at == NULL
                   ? ERR_NONE
                   : refuse(maker, "message", "it is sent with \"send\": true only");
    }
    if (!maker->terms->may_send) {
        return refuse(maker, "send",
                      "messages are not sent here; the operator allows it with "
                      "serve.probe-send");
    }
    if (order->plan.talk.rcpt_count == 0) {
        return refuse(maker, "send", "there is nobody to send it to: name recipients in \"to\"");
    }
    order->sends = true;
    return keep(maker, wish->message, &order->raw);
}

static bool may_test_relaying(const struct probe_terms *terms, const struct probe_target *target)
{
    for (size_t i = 0; i < terms->relay_hosts->count; i++) {
        struct ip ip;
        struct slice named = slice_of(terms->relay_hosts->at[i]);
        bool is_ip = ip_parse(named, &ip);
        if (target->kind == PROBE_TARGET_IP
                ? is_ip && ip_equal(&ip, &target->ip)
                : !is_ip && target->kind == PROBE_TARGET_HOST &&
                      slice_equal_nocase(named, slice_of(target->name))) {
            return true;
        }
    }
    return false;
}

static enum err read_relay(struct maker *maker)
{
    const struct probe_wish *wish = maker->wish;
    struct probe_order *order = maker->order;
    char domain[DNS_NAME_BYTES];
    if (wish->relay_domain.at == NULL) {
        return wish->relay_to.at == NULL
                   ? ERR_NONE
                   : refuse(maker, "relay_to", "\"relay_domain\" is wanted beside it");
    }
    if (!may_test_relaying(maker->terms, &order->plan.target)) {
        return refuse(maker, "relay_domain",
                      "only hosts that the operator names in serve.probe-relay are tested for "
                      "relaying, as the target HOST:PORT");
    }
    if (!health_domain_read(wish->relay_domain, domain)) {
        return refuse(maker, "relay_domain", "a domain of the server is wanted");
    }
    if (probe_relay_forms(slice_of(domain), wish->relay_to, order->plan.talk.mail_from,
                          &order->relay) != ERR_NONE) {
        return refuse(maker, "relay_to",
                      "an address of a domain that is not the server's is wanted");
    }
    order->plan.relay = order->relay.trials;
    order->plan.relay_count = order->relay.count;
    order->plan.relay_words = order->relay.words;
    return ERR_NONE;
}

/* ---- all of it ---- */

static enum err read_wish(struct maker *maker)
{
    static enum err (*const parts[])(struct maker *) = {read_target, read_tls,     read_envelope,
                                                        read_login,  read_message, read_relay};
    enum err e = ERR_NONE;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && e == ERR_NONE; i++) {
        e = parts[i](maker);
    }
    return e;
}

enum err probe_order_make(const struct probe_terms *terms, const struct probe_wish *wish,
                          struct probe_order **out, const char **out_member,
                          struct fault *out_fault)
{
    struct probe_order *order = calloc(1, sizeof *order);
    struct maker maker = {
        .terms = terms, .wish = wish, .order = order, .member = "", .fault = out_fault};
    if (order == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    arena_init(&order->arena, ARENA_BYTES_MAX);
    order->plan = terms->base;
    order->plan.compares_ports = wish->compares_ports;
    order->limit_ms = wish->timeout_ms == 0 ? PROBE_ORDER_MS : (uint32_t)wish->timeout_ms;
    enum err e = read_wish(&maker);
    if (e != ERR_NONE) {
        probe_order_free(order);
        *out_member = maker.member;
        return e == ERR_SYNTAX ? e : fault_set(out_fault, e, 0, "out of memory");
    }
    *out = order;
    return ERR_NONE;
}

enum err probe_order_complete(struct probe_order *order, int64_t now_s, uint64_t random)
{
    struct probe_talk_config *talk = &order->plan.talk;
    const struct probe_message_plan plan = {
        .raw = order->raw,
        .from = talk->mail_from,
        .to = talk->rcpt_count > 0 ? talk->rcpts[0] : SLICE_NONE,
        .host = talk->helo,
        .now_s = now_s,
        .random = random,
    };
    if (!order->sends) {
        return ERR_NONE;
    }
    enum err e = probe_message_make(&plan, &order->message);
    order->plan.added = buf_view(&order->message.added);
    talk->has_message = true;
    talk->message = buf_view(&order->message.bytes);
    talk->needs_8bit = order->message.needs_8bit;
    return e;
}

void probe_order_free(struct probe_order *order)
{
    if (order == NULL) {
        return;
    }
    buf_done_wipe(&order->password);
    probe_message_done(&order->message);
    arena_done(&order->arena);
    free(order);
}
