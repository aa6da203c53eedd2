/* http/status_routes: how the server is, for those who watch it: /healthz, /readyz, /version, /metrics; and /openapi.json.
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/resource.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "http/api.h"
#include "tools/probe_desk.h"
#include "verify/verdict.h"

enum { METRICS_BYTES_MAX = 4 << 20, SMALL_BYTES_MAX = 4096 };

static void answer_word(struct http_request *request, const char *word)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, SMALL_BYTES_MAX);
    json_begin(&w, &body);
    json_open(&w, NULL, '{');
    json_string(&w, "status", slice_of(word));
    json_close(&w, '}');
    http_answer_json(request, 200, &body);
    buf_done(&body);
}

/* The process runs and answers. */
static void get_healthz(struct http_request *request)
{
    answer_word(request, "ok");
}

static void get_readyz(struct http_request *request)
{
    if (!atomic_load(&request->api->is_ready)) {
        http_refuse(request, PROBLEM_NOT_READY, "the server is starting or stopping");
        return;
    }
    answer_word(request, "ready");
}

static void get_version(struct http_request *request)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, SMALL_BYTES_MAX);
    json_begin(&w, &body);
    json_open(&w, NULL, '{');
    json_string(&w, "name", SLICE("heloise"));
    json_string(&w, "version", SLICE(HELOISE_VERSION));
    json_string(&w, "api", SLICE("v1"));
    json_close(&w, '}');
    http_answer_json(request, 200, &body);
    buf_done(&body);
}

static void get_openapi(struct http_request *request)
{
    http_answer_static(request, 200, "application/json", request->api->openapi);
}

static enum err write_by_status(const struct service_counts *counts, struct buf *out)
{
    enum err e =
        buf_append(out, SLICE("# HELP heloise_verdicts_total Questions answered by the engine.\n"
                              "# TYPE heloise_verdicts_total counter\n"));
    for (size_t i = 0; i < sizeof counts->by_status / sizeof *counts->by_status && e == ERR_NONE;
         i++) {
        e = buf_printf(out, "heloise_verdicts_total{status=\"%s\"} %llu\n",
                       verdict_status_name((enum verdict_status)i),
                       (unsigned long long)counts->by_status[i]);
    }
    return e;
}

static enum err write_engine(struct service *service, struct buf *out)
{
    struct service_counts counts;
    service_count(service, &counts);
    const struct knocker_counts *knocker = &counts.knocker;
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } values[] = {
        {"heloise_questions_total", "counter", "Questions put to the engine.", counts.questions},
        {"heloise_questions_open", "gauge", "Questions not answered yet.", counts.open},
        {"heloise_cache_hits_total", "counter", "Questions answered from what is stored.",
         counts.cache_hits},
        {"heloise_cache_misses_total", "counter", "Questions for which nothing was stored.",
         counts.cache_misses},
        {"heloise_smtp_connections", "gauge", "Open connections to mail servers.",
         knocker->talking},
        {"heloise_smtp_conversations_total", "counter", "Conversations with mail servers.",
         knocker->conversations},
        {"heloise_smtp_connects_failed_total", "counter", "Mail servers that could not be reached.",
         knocker->connects_failed},
        {"heloise_probes_total", "counter", "Addresses asked of mail servers.", knocker->probes},
        {"heloise_control_probes_total", "counter", "Addresses asked that cannot exist.",
         knocker->control_probes},
        {"heloise_questions_waiting", "gauge",
         "Questions that wait for a time, as after greylisting.", knocker->waiting},
        {"heloise_store_errors_total", "counter", "Answers that could not be stored.",
         knocker->store_errors},
    };
    enum err e = write_by_status(&counts, out);
    for (size_t i = 0; i < sizeof values / sizeof *values && e == ERR_NONE; i++) {
        e = metrics_write_value(out, values[i].name, values[i].type, values[i].help,
                                values[i].value);
    }
    return e;
}

static enum err write_process(const struct http_api *api, struct buf *out)
{
    struct rusage usage;
    enum err e = buf_printf(out,
                            "# HELP heloise_build_info The version, in a label.\n"
                            "# TYPE heloise_build_info gauge\n"
                            "heloise_build_info{version=\"%s\"} 1\n",
                            HELOISE_VERSION);
    e = e != ERR_NONE ? e
                      : metrics_write_value(out, "heloise_start_time_seconds", "gauge",
                                            "When the server started, in Unix time.",
                                            (uint64_t)(api->started_at_ms / 1000));
    if (e != ERR_NONE || getrusage(RUSAGE_SELF, &usage) != 0) {
        return e;
    }
    return metrics_write_value(out, "heloise_resident_memory_max_bytes", "gauge",
                               "The most memory that was held.", (uint64_t)usage.ru_maxrss * 1024);
}

static enum err write_tests(struct probe_desk *probes, struct buf *out)
{
    uint64_t begun;
    unsigned open;
    probe_desk_count(probes, &begun, &open);
    enum err e = metrics_write_value(out, "heloise_server_tests_total", "counter",
                                     "Tests of mail servers begun.", begun);
    return e != ERR_NONE ? e
                         : metrics_write_value(out, "heloise_server_tests_open", "gauge",
                                               "Tests of mail servers under way.", open);
}

static void get_metrics(struct http_request *request)
{
    const struct http_api *api = request->api;
    struct buf body;
    buf_init(&body, METRICS_BYTES_MAX);
    enum err e = metrics_write(api->metrics, &body);
    e = e != ERR_NONE ? e : write_process(api, &body);
    if (e == ERR_NONE && api->service != NULL) {
        e = write_engine(api->service, &body);
    }
    if (e == ERR_NONE && api->probes != NULL) {
        e = write_tests(api->probes, &body);
    }
    if (e != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "no memory for the page");
    } else {
        http_answer_buf(request, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
    }
    buf_done(&body);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/healthz", .handle = get_healthz},
    {.method = "GET", .pattern = "/readyz", .handle = get_readyz},
    {.method = "GET", .pattern = "/version", .handle = get_version},
    {.method = "GET", .pattern = "/openapi.json", .handle = get_openapi},
    {.method = "GET", .pattern = "/metrics", .scope = "read", .handle = get_metrics},
};

const struct http_routes http_status_routes = {routes, sizeof routes / sizeof *routes};
