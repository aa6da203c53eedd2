/* http/extract_routes: POST /v1/extract: the mail addresses in a file of any kind, told by its content and read as it
 * comes; nobody is asked about them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/hash_set.h"
#include "base/slice.h"
#include "document/document.h"
#include "engine/json_write.h"
#include "engine/knowledge.h"
#include "http/stored.h"

enum {
    TEXT_BYTES_MAX = 16 << 20,
    ADDRESSES_MAX = 10000, /* of one answer */
    ANSWER_BYTES_MAX = 4 << 20,
    UNREAD_MAX = 100, /* members that are named */
    UNREAD_BYTES_MAX = 1 << 20,
};

/* Tighter than those of the command: others wait. */
static const struct document_limits limits = {
    .depth_max = 8,
    .unpacked_bytes_max = 256 << 20,
    .spool_bytes_max = 32 << 20,
    .tool_ms = 10000,
    .tools_ms = 10000,
};

struct extraction {
    struct document *document;
    struct list_reader lists; /* the same to the end */
    struct hash_set seen;
    struct buf body, unread;
    struct json_writer w, unread_w;
    size_t count, unread_count;
    enum err err;  /* that ended the reading */
    bool has_more; /* than ADDRESSES_MAX */
};

static void free_extraction(void *state)
{
    struct extraction *extraction = state;
    document_close(extraction->document);
    list_reader_done(&extraction->lists);
    hash_set_done(&extraction->seen);
    buf_done(&extraction->body);
    buf_done(&extraction->unread);
    free(extraction);
}

static const struct http_state_ops extraction_ops = {.free = free_extraction};

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

/* A member's name and why it could not be read. */
static void note_unread(void *context, const char *text)
{
    struct extraction *extraction = context;
    if (extraction->unread_count < UNREAD_MAX) {
        extraction->unread_count++;
        json_string(&extraction->unread_w, NULL, slice_of(text));
    }
}

static void put_place(struct json_writer *w, const struct document_place *place)
{
    if (place->member.len > 0) {
        json_string(w, "member", place->member);
    }
    if (place->number == 0) {
        return;
    }
    switch (place->unit) {
    case DOCUMENT_LINE: json_int(w, "line", (int64_t)place->number); break;
    case DOCUMENT_PAGE: json_int(w, "page", (int64_t)place->number); break;
    case DOCUMENT_CELL:
        json_int(w, "row", (int64_t)place->number);
        json_int(w, "column", (int64_t)place->column);
        break;
    }
}

static enum err take_found(void *context, const struct extract_found *found,
                           const struct document_place *place)
{
    struct extraction *extraction = context;
    if (!is_new(extraction, &found->address)) {
        return ERR_NONE;
    }
    if (extraction->count == ADDRESSES_MAX) {
        extraction->has_more = true;
        return ERR_NONE;
    }
    extraction->count++;
    json_open(&extraction->w, NULL, '{');
    json_string(&extraction->w, "email", found->text);
    json_string(&extraction->w, "ascii", hel_address_wire(&found->address));
    put_place(&extraction->w, place);
    json_int(&extraction->w, "offset", (int64_t)found->offset);
    json_close(&extraction->w, '}');
    return ERR_NONE;
}

static void begin_extract(struct http_request *request)
{
    static const char *const names[] = {"obfuscated", "hidden", NULL};
    struct document_config config = {
        .limits = limits, .fd = -1, .found = take_found, .trouble = note_unread};
    if (!http_takes_arguments(request, names) ||
        !http_flag_argument(request, "obfuscated", &config.wants_obfuscated) ||
        !http_flag_argument(request, "hidden", &config.wants_hidden)) {
        return;
    }
    if (!http_has_service(request)) {
        return;
    }
    struct extraction *extraction = calloc(1, sizeof *extraction);
    config.context = extraction;
    if (extraction != NULL) {
        extraction->lists.shelf = knowledge_list_shelf(service_knowledge(request->api->service));
        (void)list_reader_renew(&extraction->lists); /* they are there since the start */
        config.lists = list_reader_lists(&extraction->lists);
    }
    if (extraction == NULL || document_open(&config, &extraction->document) != ERR_NONE) {
        if (extraction != NULL) {
            list_reader_done(&extraction->lists);
        }
        free(extraction);
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    buf_init(&extraction->body, ANSWER_BYTES_MAX);
    buf_init(&extraction->unread, UNREAD_BYTES_MAX);
    json_begin(&extraction->unread_w, &extraction->unread);
    json_open(&extraction->unread_w, NULL, '[');
    json_begin(&extraction->w, &extraction->body);
    json_open(&extraction->w, NULL, '{');
    json_open(&extraction->w, "addresses", '[');
    request->state = extraction;
    request->state_ops = &extraction_ops;
}

static void receive_text(struct http_request *request, struct slice piece)
{
    struct extraction *extraction = request->state;
    if (extraction->err == ERR_NONE) {
        extraction->err = document_feed(extraction->document, piece);
    }
}

static void end_extract(struct http_request *request)
{
    struct extraction *extraction = request->state;
    if (extraction->err == ERR_NONE) {
        extraction->err = document_end(extraction->document);
    }
    json_close(&extraction->unread_w, ']');
    json_close(&extraction->w, ']');
    json_bool(&extraction->w, "more", extraction->has_more);
    json_raw(&extraction->w, "unread",
             extraction->unread_w.err == ERR_NONE ? buf_view(&extraction->unread) : SLICE("[]"));
    json_close(&extraction->w, '}');
    if (extraction->err != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    } else if (extraction->w.err == ERR_NONE) {
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
