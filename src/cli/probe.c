/* cli/probe: `heloise probe`: the test of a mail server, through tools/probe: makes the plan, shows the lines as they
 * happen, then what was found; again and again where it is to watch.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/password.h"
#include "cli/probe_arguments.h"
#include "cli/workbench.h"
#include "engine/json_write.h"
#include "net/uv_door.h"
#include "tools/probe_report.h"
#include "tools/probe_sign.h"
#include "tools/probe_way.h"

enum {
    FILE_BYTES_MAX = 32 * 1024 * 1024,
    PEM_BYTES_MAX = 1024 * 1024,
    HEADER_BYTES_MAX = 256,
    LINE_BYTES_MAX = 64 * 1024,
};

/* What a figure was in all runs. */
struct statistic {
    uint64_t count, least, most;
    double sum, squares;
};

struct bench {
    struct probe_arguments arguments;
    struct probe_plan plan;
    struct config_ways ways;
    struct door *door;
    struct http_client *http; /* NULL: no policy is fetched */
    struct buf password, proxy_header, certificate, key, dkim_key, raw, text;
    struct buf attachments[PROBE_ATTACHMENTS_MAX];
    struct probe_message message;
    struct probe_relay_forms relay;
    bool has_colour, is_interrupted;
    unsigned runs, failures;
    struct statistic connect_ms, total_ms;
    enum probe_level worst;
};

/* ---- reading what is named ---- */

static int read_file(const char *path, size_t bytes_max, struct buf *out)
{
    bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "re");
    if (file == NULL) {
        complain("cannot read %.300s: %s", path, strerrordesc_np(errno));
        return EXIT_NO_INPUT;
    }
    char block[16384];
    enum err e = ERR_NONE;
    buf_init(out, bytes_max);
    for (size_t len; e == ERR_NONE && (len = fread(block, 1, sizeof block, file)) > 0;) {
        e = buf_append(out, slice_make(block, len));
    }
    bool is_broken = ferror(file) != 0;
    if (!is_input) {
        (void)fclose(file);
    }
    if (e != ERR_NONE || is_broken) {
        complain("cannot read %.300s: %s", path,
                 is_broken ? "an error while reading" : "it is too large");
        return EXIT_NO_INPUT;
    }
    return EXIT_SUCCESS;
}

/* ---- the plan ---- */

static int plan_target(struct bench *bench)
{
    struct probe_arguments *a = &bench->arguments;
    struct probe_plan *plan = &bench->plan;
    struct fault fault;
    if (probe_target_parse(slice_of(a->target), &plan->target, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_BAD_USAGE;
    }
    if (plan->target.kind == PROBE_TARGET_SOCKET) {
        complain(
            "%s: sockets of this machine are not spoken to; let the server listen on 127.0.0.1",
            plan->target.path);
        return EXIT_BAD_USAGE;
    }
    if (plan->target.rcpt[0] != '\0' && a->rcpt_count < PROBE_RCPTS_MAX) {
        a->rcpts[a->rcpt_count++] = slice_of(plan->target.rcpt);
    }
    if (a->sends && a->rcpt_count == 0) {
        complain("whom to send to: --to ADDRESS");
        return EXIT_BAD_USAGE;
    }
    plan->all_hosts = a->all_hosts;
    plan->only_host = a->only_host;
    plan->trusts_named_ip = true;
    plan->talk.is_called_off = &bench->is_interrupted;
    return EXIT_SUCCESS;
}

static int plan_way(struct bench *bench)
{
    struct probe_plan *plan = &bench->plan;
    const char *obstacle = probe_way_choose(&bench->arguments.common.config, &bench->ways, plan);
    if (obstacle != NULL) {
        complain("%s", obstacle);
        return EXIT_BAD_USAGE;
    }
    plan->no_ipv4 = bench->arguments.only_v6;
    plan->no_ipv6 = bench->arguments.only_v4;
    return EXIT_SUCCESS;
}

static int plan_tls(struct bench *bench)
{
    const struct probe_arguments *a = &bench->arguments;
    struct probe_plan *plan = &bench->plan;
    int code = EXIT_SUCCESS;
    if (a->certificate_file != NULL) {
        code = read_file(a->certificate_file, PEM_BYTES_MAX, &bench->certificate);
        code = code != EXIT_SUCCESS ? code : read_file(a->key_file, PEM_BYTES_MAX, &bench->key);
    }
    plan->tls = (struct tls_settings){
        /* What is there is shown, also what is weak; the findings say so. */
        .version_min = a->version_min == 0 ? TLS_OLDEST : a->version_min,
        .version_max = a->version_max,
        .allows_weak = true,
        .ciphers = a->ciphers,
        .ca_path = a->ca_file,
        .certificate = buf_view(&bench->certificate),
        .key = buf_view(&bench->key),
        .asks_ocsp = true,
    };
    bool wants_tls = a->common.config.wants_tls;
    plan->talk.tls_mode = a->has_tls_mode ? a->tls_mode
                          : wants_tls     ? PROBE_TLS_MAY
                                          : PROBE_TLS_NEVER;
    plan->talk.demands_certificate = a->demands_certificate;
    plan->server_name = slice_of(a->server_name);
    bool is_short = a->rcpt_count == 0 && !a->wants_login && a->stop == PROBE_STOP_NEVER;
    plan->examines_tls = a->examines || (is_short && !a->no_examine);
    return code;
}

static int plan_login(struct bench *bench)
{
    const struct probe_arguments *a = &bench->arguments;
    struct probe_plan *plan = &bench->plan;
    struct fault fault;
    if (!a->wants_login && !a->tests_logins) {
        return EXIT_SUCCESS;
    }
    buf_init(&bench->password, PASSWORD_BYTES);
    if (password_find(a->password_file, "HELOISE_PROBE_PASSWORD", "Password: ", &bench->password,
                      &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_BAD_USAGE;
    }
    plan->tests_logins = a->tests_logins;
    plan->talk.login = (struct probe_login){
        .mechanisms = a->mechanisms,
        .mechanism_count = a->mechanism_count,
        .user = slice_of(a->user),
        .password = buf_view(&bench->password),
        .authorization = slice_of(a->act_as),
        .is_clear_fine = a->is_clear_fine,
        .is_optional = a->is_login_optional,
        .shows_secrets = a->shows_secrets,
    };
    return EXIT_SUCCESS;
}

static int plan_text(struct bench *bench, struct slice *out)
{
    const char *text = bench->arguments.text;
    if (text == NULL || text[0] != '@') {
        *out = slice_of(text);
        return EXIT_SUCCESS;
    }
    int code = read_file(text + 1, FILE_BYTES_MAX, &bench->text);
    *out = buf_view(&bench->text);
    return code;
}

static struct slice last_part(const char *path)
{
    struct slice all = slice_of(path);
    size_t slash = slice_find_last_byte(all, '/');
    return slash == all.len ? all : slice_sub(all, slash + 1, all.len);
}

static int make_message(struct bench *bench, const struct probe_message_plan *plan)
{
    enum err e = probe_message_make(plan, &bench->message);
    if (e == ERR_SYNTAX) {
        complain("--header: a field is like 'Subject: hello', on one line");
        return EXIT_BAD_USAGE;
    }
    if (e != ERR_NONE) {
        complain(e == ERR_LIMIT ? "the message is too large" : "out of memory");
        return e == ERR_LIMIT ? EXIT_BAD_DATA : EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

static int sign_message(struct bench *bench, int64_t now_s)
{
    const struct probe_arguments *a = &bench->arguments;
    struct fault fault;
    if (a->dkim_key_file == NULL) {
        return EXIT_SUCCESS;
    }
    int code = read_file(a->dkim_key_file, PEM_BYTES_MAX, &bench->dkim_key);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    const struct probe_signing signing = {
        .key = buf_view(&bench->dkim_key),
        .domain = slice_of(a->dkim_domain),
        .selector = slice_of(a->dkim_selector),
        .header_canon = a->dkim_header_canon,
        .body_canon = a->dkim_body_canon,
        .now_s = now_s,
    };
    enum err e = probe_sign(&signing, &bench->message, &fault);
    if (e != ERR_NONE) {
        complain("--dkim-key %.200s: %s", a->dkim_key_file, fault.text);
        return e == ERR_SYNTAX || e == ERR_LIMIT ? EXIT_BAD_DATA : EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

static int plan_message(struct bench *bench)
{
    const struct probe_arguments *a = &bench->arguments;
    const struct probe_talk_config *talk = &bench->plan.talk;
    struct probe_attachment attachments[PROBE_ATTACHMENTS_MAX];
    struct probe_message_plan plan = {
        .adds_nothing = a->adds_nothing,
        .from = talk->mail_from,
        .to = a->rcpt_count > 0 ? a->rcpts[0] : SLICE_NONE,
        .host = talk->helo,
        .headers = a->headers,
        .header_count = a->header_count,
        .attachments = attachments,
        .attachment_count = a->attachment_count,
        .now_s = door_wall_ms(bench->door) / 1000,
    };
    int code = EXIT_SUCCESS;
    if (!a->sends) {
        return code;
    }
    if (a->message_file != NULL) {
        code = read_file(a->message_file, FILE_BYTES_MAX, &bench->raw);
        plan.raw = buf_view(&bench->raw);
        if (code == EXIT_SUCCESS && plan.raw.len == 0) {
            complain("%.300s is empty", a->message_file);
            return EXIT_BAD_DATA;
        }
    }
    code = code != EXIT_SUCCESS ? code : plan_text(bench, &plan.text);
    for (size_t i = 0; i < a->attachment_count && code == EXIT_SUCCESS; i++) {
        code = read_file(a->attachment_files[i], FILE_BYTES_MAX, &bench->attachments[i]);
        attachments[i] = (struct probe_attachment){.name = last_part(a->attachment_files[i]),
                                                   .type = slice_of(a->attachment_types[i]),
                                                   .content = buf_view(&bench->attachments[i])};
    }
    door_random_bytes(bench->door, &plan.random, sizeof plan.random);
    code = code != EXIT_SUCCESS ? code : make_message(bench, &plan);
    code = code != EXIT_SUCCESS ? code : sign_message(bench, plan.now_s);
    bench->plan.added = buf_view(&bench->message.added);
    bench->plan.talk.has_message = true;
    bench->plan.talk.message = buf_view(&bench->message.bytes);
    bench->plan.talk.needs_8bit = bench->message.needs_8bit;
    return code;
}

static bool has_utf8(const struct probe_talk_config *talk)
{
    bool has = !text_is_ascii(talk->mail_from);
    for (size_t i = 0; i < talk->rcpt_count; i++) {
        has = has || !text_is_ascii(talk->rcpts[i]);
    }
    return has;
}

static int plan_said(struct bench *bench)
{
    struct probe_arguments *a = &bench->arguments;
    struct probe_talk_config *talk = &bench->plan.talk;
    talk->is_lmtp = a->is_lmtp;
    talk->prefers_helo = a->prefers_helo;
    talk->pipelines = a->pipelines;
    talk->uses_bdat = a->uses_bdat;
    talk->shows_data = a->shows_data;
    talk->stop = a->stop;
    talk->drops = a->drops;
    talk->xclient = a->xclient;
    talk->xclient_count = a->xclient_count;
    talk->xforward = a->xforward;
    talk->xforward_count = a->xforward_count;
    talk->has_envelope = a->rcpt_count > 0;
    talk->rcpts = a->rcpts;
    talk->rcpt_count = a->rcpt_count;
    talk->mail_parameters = slice_of(a->mail_parameters);
    talk->rcpt_parameters = slice_of(a->rcpt_parameters);
    talk->needs_smtputf8 = has_utf8(talk);
    bench->plan.compares_ports = a->compares_ports;
    if (a->proxy_header != NULL) {
        buf_init(&bench->proxy_header, HEADER_BYTES_MAX);
        if (probe_proxy_header(slice_of(a->proxy_header), &bench->proxy_header) != ERR_NONE) {
            complain("--proxy-header: '%.100s' is not like v1 or v2,192.0.2.1:4711,192.0.2.25:25",
                     a->proxy_header);
            return EXIT_BAD_USAGE;
        }
        talk->hello_bytes = buf_view(&bench->proxy_header);
    }
    return EXIT_SUCCESS;
}

static int plan_relay(struct bench *bench)
{
    const struct probe_arguments *a = &bench->arguments;
    if (a->relay_domain == NULL) {
        return EXIT_SUCCESS;
    }
    if (probe_relay_forms(slice_of(a->relay_domain), a->relay_rcpt, bench->plan.talk.mail_from,
                          &bench->relay) != ERR_NONE) {
        complain("--open-relay DOMAIN --relay-to ADDRESS: a domain of the server, and an address "
                 "of another");
        return EXIT_BAD_USAGE;
    }
    bench->plan.relay = bench->relay.trials;
    bench->plan.relay_count = bench->relay.count;
    bench->plan.relay_words = bench->relay.words;
    return EXIT_SUCCESS;
}

/* MTA-STS is a promise of a domain. */
static int plan_policy(struct bench *bench)
{
    struct probe_plan *plan = &bench->plan;
    const struct http_client_config http = {.allowed_nets = plan->allowed_nets,
                                            .allowed_net_count = plan->allowed_net_count,
                                            .ca_file = bench->arguments.policy_ca};
    struct fault fault;
    if (plan->target.kind != PROBE_TARGET_DOMAIN || !plan->examines_tls) {
        return EXIT_SUCCESS;
    }
    if (http_client_open(bench->door, &http, &bench->http, &fault) != ERR_NONE) {
        complain("%s; MTA-STS policies are not fetched", fault.text);
    }
    plan->http = bench->http;
    plan->policy_port = bench->arguments.policy_port;
    return EXIT_SUCCESS;
}

static int make_plan(struct bench *bench)
{
    static int (*const parts[])(struct bench *) = {plan_target, plan_way,   plan_said,
                                                   plan_tls,    plan_login, plan_message,
                                                   plan_relay,  plan_policy};
    int code = EXIT_SUCCESS;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && code == EXIT_SUCCESS; i++) {
        code = parts[i](bench);
    }
    return code;
}

/* ---- showing ---- */

static void on_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    const struct bench *bench = context;
    struct buf out;
    buf_init(&out, LINE_BYTES_MAX);
    struct writer w = {.out = &out, .has_colour = bench->has_colour};
    probe_write_line(&w, t_ms, direction, line, !bench->arguments.no_words);
    if (w.err == ERR_NONE) {
        (void)fwrite(out.at, 1, out.len, stdout);
        (void)fflush(stdout);
    }
    buf_done(&out);
}

static void show_added(const struct bench *bench)
{
    struct slice rest = bench->plan.added;
    while (rest.at != NULL && rest.len > 0) {
        struct buf out;
        struct slice line = slice_cut(&rest, '\n');
        buf_init(&out, LINE_BYTES_MAX);
        if (text_append_printable(&out, line) == ERR_NONE) {
            (void)printf("added to the message: %.*s\n", SLICE_ARG(buf_view(&out)));
        }
        buf_done(&out);
    }
}

static int write_out(const struct buf *out)
{
    if (fwrite(out->at, 1, out->len, stdout) != out->len || fflush(stdout) != 0) {
        complain("cannot write to standard output");
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

static int show(struct bench *bench, const struct probe_result *result,
                const struct probe_findings *findings)
{
    struct buf out;
    enum err e;
    int code;
    buf_init(&out, PROBE_REPORT_BYTES);
    if (bench->arguments.is_json) {
        e = probe_write_json(&bench->plan, result, findings, &out);
        e = e != ERR_NONE ? e : buf_append_byte(&out, '\n');
    } else {
        e = probe_write_text(&bench->plan, result, findings, bench->has_colour, &out);
    }
    if (e == ERR_NONE) {
        code = write_out(&out);
    } else {
        complain(e == ERR_LIMIT ? "too much was found for one report" : "out of memory");
        code = EXIT_INTERNAL;
    }
    buf_done(&out);
    return code;
}

/* ---- statistics ---- */

static void count(struct statistic *statistic, uint64_t value)
{
    statistic->least = statistic->count == 0 || value < statistic->least ? value : statistic->least;
    statistic->most = value > statistic->most ? value : statistic->most;
    statistic->count++;
    statistic->sum += (double)value;
    statistic->squares += (double)value * (double)value;
}

static double mean_of(const struct statistic *statistic)
{
    return statistic->count == 0 ? 0 : statistic->sum / (double)statistic->count;
}

static double deviation_of(const struct statistic *statistic)
{
    double mean = mean_of(statistic);
    double variance =
        statistic->count == 0 ? 0 : statistic->squares / (double)statistic->count - mean * mean;
    return variance <= 0 ? 0 : sqrt(variance);
}

static void put_statistic(struct json_writer *w, const char *key, const struct statistic *statistic)
{
    json_open(w, key, '{');
    json_int(w, "least", (int64_t)statistic->least);
    json_real(w, "mean", mean_of(statistic));
    json_int(w, "most", (int64_t)statistic->most);
    json_real(w, "deviation", deviation_of(statistic));
    json_close(w, '}');
}

static int show_statistics(const struct bench *bench)
{
    const struct statistic *c = &bench->connect_ms, *t = &bench->total_ms;
    if (!bench->arguments.is_json) {
        (void)printf(
            "\n%u runs, %u not well; connect least/mean/most/deviation %llu/%.1f/%llu/%.1f ms, "
            "all %llu/%.1f/%llu/%.1f ms\n",
            bench->runs, bench->failures, (unsigned long long)c->least, mean_of(c),
            (unsigned long long)c->most, deviation_of(c), (unsigned long long)t->least, mean_of(t),
            (unsigned long long)t->most, deviation_of(t));
        return EXIT_SUCCESS;
    }
    struct buf out;
    struct json_writer w;
    buf_init(&out, LINE_BYTES_MAX);
    json_begin(&w, &out);
    json_open(&w, NULL, '{');
    json_int(&w, "runs", bench->runs);
    json_int(&w, "not_well", bench->failures);
    put_statistic(&w, "connect_ms", c);
    put_statistic(&w, "total_ms", t);
    json_close(&w, '}');
    enum err e = w.err != ERR_NONE ? w.err : buf_append_byte(&out, '\n');
    int code = e == ERR_NONE ? write_out(&out) : EXIT_INTERNAL;
    buf_done(&out);
    return code;
}

/* ---- runs ---- */

static void on_signal(void *context)
{
    struct bench *bench = context;
    if (bench->is_interrupted) {
        _exit(EXIT_STOPPED); /* asked twice: at once */
    }
    bench->is_interrupted = true;
    door_stop(bench->door);
}

static void take_statistics(struct bench *bench, const struct probe_result *result,
                            enum probe_level level)
{
    bench->runs++;
    bench->failures += level >= PROBE_LEVEL_UNKNOWN ? 1 : 0;
    bench->worst = level > bench->worst ? level : bench->worst;
    for (size_t i = 0; i < result->host_count; i++) {
        const struct probe_host *host = &result->hosts[i];
        if (host->status == HOST_OK && host->talk.end != PROBE_END_UNREACHED) {
            count(&bench->connect_ms, host->talk.connect_ms);
            count(&bench->total_ms, host->talk.total_ms);
        }
    }
}

static int run_once(struct bench *bench)
{
    struct probe_result result = {.host_count = 0};
    struct fault fault;
    struct probe_findings *findings = malloc(sizeof *findings);
    enum err e = findings == NULL ? fault_set(&fault, ERR_NOMEM, 0, "out of memory")
                                  : probe_run(bench->door, &bench->plan, &result, &fault);
    if (e != ERR_NONE) {
        complain("%s", fault.text);
        free(findings);
        return e == ERR_SYNTAX ? EXIT_BAD_USAGE : EXIT_INTERNAL;
    }
    probe_judge(&bench->plan, &result, door_wall_ms(bench->door) / 1000, findings);
    int code = show(bench, &result, findings);
    take_statistics(bench, &result, probe_level_of(findings));
    bench->is_interrupted = bench->is_interrupted || result.is_stopped;
    probe_result_done(&result);
    free(findings);
    return code;
}

static void on_wait_over(void *context)
{
    door_stop(context);
}

static void wait_for_next(struct bench *bench)
{
    struct timer timer = {.fired = on_wait_over, .context = bench->door};
    door_timer_start(bench->door, &timer, door_now_ms(bench->door) + bench->arguments.watch_ms);
    door_run(bench->door);
    door_timer_stop(bench->door, &timer);
}

static int run_all(struct bench *bench)
{
    const struct probe_arguments *a = &bench->arguments;
    int code = EXIT_SUCCESS;
    while (code == EXIT_SUCCESS && !bench->is_interrupted) {
        code = run_once(bench);
        bool is_last = a->watch_ms == 0 || (a->runs_max > 0 && bench->runs >= a->runs_max);
        if (is_last) {
            break;
        }
        wait_for_next(bench);
    }
    if (code == EXIT_SUCCESS && a->watch_ms > 0) {
        code = show_statistics(bench);
    }
    if (code != EXIT_SUCCESS) {
        return code;
    }
    if (bench->is_interrupted) {
        return EXIT_STOPPED;
    }
    return bench->worst == PROBE_LEVEL_MEND      ? EXIT_UNFIT
           : bench->worst == PROBE_LEVEL_UNKNOWN ? EXIT_UNKNOWN
                                                 : EXIT_SUCCESS;
}

static void done(struct bench *bench)
{
    http_client_close(bench->http);
    uv_door_close(bench->door);
    buf_done_wipe(&bench->password);
    buf_done_wipe(&bench->key);
    buf_done_wipe(&bench->dkim_key);
    buf_done(&bench->certificate);
    buf_done(&bench->proxy_header);
    buf_done(&bench->raw);
    buf_done(&bench->text);
    for (size_t i = 0; i < PROBE_ATTACHMENTS_MAX; i++) {
        buf_done(&bench->attachments[i]);
    }
    probe_message_done(&bench->message);
    probe_arguments_done(&bench->arguments);
    free(bench);
}

static int probe(struct bench *bench)
{
    struct probe_arguments *a = &bench->arguments;
    (void)signal(SIGPIPE, SIG_IGN); /* a closed line is an ordinary event */
    int code = probe_options_read(&a->common);
    code = code != EXIT_SUCCESS ? code
                                : workbench_open_door(&a->common, on_signal, bench, &bench->door);
    code = code != EXIT_SUCCESS ? code : make_plan(bench);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    bench->has_colour = workbench_has_colour(&a->common, stdout);
    if (!a->is_json && !a->common.is_quiet) {
        bench->plan.talk.observe = on_line;
        bench->plan.talk.context = bench;
        show_added(bench);
    }
    return run_all(bench);
}

int cli_probe(int argc, char **argv)
{
    struct bench *bench = calloc(1, sizeof *bench);
    if (bench == NULL) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    probe_arguments_init(&bench->arguments);
    (void)argp_parse(&probe_arguments_argp, argc, argv, 0, NULL, &bench->arguments);
    int code = probe(bench);
    done(bench);
    return code;
}
