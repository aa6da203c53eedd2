/* http/extract_routes: POST /v1/extract: the mail addresses in any text, read as it comes; nobody is asked about them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "address/extract.h"
#include "base/hash_set.h"
#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/knowledge.h"
#include "http/api.h"

enum {
    TEXT_BYTES_MAX = 16 << 20,
    ADDRESSES_MAX = 10000, /* of one answer */
    ANSWER_BYTES_MAX = 4 << 20,
};

struct extraction {
    struct extract *extract;
    struct hash_set seen;
    struct buf body;
    struct json_writer w;
    size_t count;
    bool has_more; /* than ADDRESSES_MAX */
};

static void free_extraction(void *state)
{
    struct extraction *extraction = state;
    extract_free(extraction->extract);
    hash_set_done(&extraction->seen);
    buf_done(&extraction->body);
    free(extraction);
}

static const struct http_state_ops extraction_ops = {.free = free_extraction};

static void begin_extract(struct http_request *request)
{
    static const char *const names[] = {"obfuscated", NULL};
    struct batch_results_query known; /* what the service knows: its lists among it */
    struct extract_config config = {.lists = NULL};
    if (!http_takes_arguments(request, names) ||
        !http_flag_argument(request, "obfuscated", &config.wants_obfuscated)) {
        return;
    }
    if (request->api->service == NULL) {
        http_refuse(request, PROBLEM_NOT_READY, "the engine is not running");
        return;
    }
    service_results_query(request->api->service, &known);
    config.lists = knowledge_lists(known.knowledge);
    struct extraction *extraction = calloc(1, sizeof *extraction);
    if (extraction == NULL || extract_new(&config, &extraction->extract) != ERR_NONE) {
        free(extraction);
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    buf_init(&extraction->body, ANSWER_BYTES_MAX);
    json_begin(&extraction->w, &extraction->body);
    json_open(&extraction->w, NULL, '{');
    json_open(&extraction->w, "addresses", '[');
    request->state = extraction;
    request->state_ops = &extraction_ops;
}

/* Local parts in another case are the same mailbox nearly everywhere. False: it came before. */
static bool is_new(struct extraction *extraction, const struct hel_address *address)
{
    struct slice wire = hel_address_wire(address);
    char lower[HEL_WIRE_BYTES];
    bool is_added = true;
    for (size_t i = 0; i < wire.len; i++) {
        lower[i] = ascii_lower(wire.at[i]);
    }
    enum err e =
        hash_set_add(&extraction->seen, slice_hash(slice_make(lower, wire.len), 0), &is_added);
    return e != ERR_NONE || is_added; /* without memory it is told twice */
}

static void take_found(struct extraction *extraction)
{
    struct extract_found found;
    while (extract_next(extraction->extract, &found)) {
        if (!is_new(extraction, &found.address)) {
            continue;
        }
        if (extraction->count == ADDRESSES_MAX) {
            extraction->has_more = true;
            continue;
        }
        extraction->count++;
        json_open(&extraction->w, NULL, '{');
        json_string(&extraction->w, "email", found.text);
        json_string(&extraction->w, "ascii", hel_address_wire(&found.address));
        json_int(&extraction->w, "line", (int64_t)found.line);
        json_int(&extraction->w, "offset", (int64_t)found.offset);
        json_close(&extraction->w, '}');
    }
}

static void receive_text(struct http_request *request, struct slice piece)
{
    struct extraction *extraction = request->state;
    extract_feed(extraction->extract, piece);
    take_found(extraction);
}

static void end_extract(struct http_request *request)
{
    struct extraction *extraction = request->state;
    extract_end(extraction->extract);
    take_found(extraction);
    json_close(&extraction->w, ']');
    json_bool(&extraction->w, "more", extraction->has_more);
    json_close(&extraction->w, '}');
    if (extraction->w.err == ERR_NONE) {
        http_answer_json(request, 200, &extraction->body);
    } else {
        http_refuse(request, PROBLEM_INTERNAL, "the answer would be larger than %d bytes",
                    ANSWER_BYTES_MAX);
    }
}

static const struct http_route routes[] = {
    {.method = "POST",
     .pattern = "/v1/extract",
     .scope = "read",
     .body = HTTP_BODY_STREAM,
     .body_bytes_max = TEXT_BYTES_MAX,
     .handle = end_extract,
     .begin = begin_extract,
     .received = receive_text},
};

const struct http_routes http_extract_routes = {routes, sizeof routes / sizeof *routes};
