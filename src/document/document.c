/* SPDX-License-Identifier: Apache-2.0 */
#include "document/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "document/document_private.h"

enum {
    RATIO_MAX = 1100, /* deflate cannot do better than 1032 to 1; an archive in an archive can */
    RATIO_FREE_BYTES = 64 << 20, /* unpacked before the ratio counts */
};

struct document_limits document_usual_limits(void)
{
    return (struct document_limits){
        .depth_max = 8,
        .unpacked_bytes_max = UINT64_C(1) << 40,
        .spool_bytes_max = UINT64_C(1) << 30,
        .tool_ms = 60000,
        .tools_ms = 6 * 3600 * 1000u,
    };
}

enum err document_open(const struct document_config *config, struct document **out)
{
    struct document *document = calloc(1, sizeof *document);
    if (document == NULL) {
        return ERR_NOMEM;
    }
    document->config = *config;
    if (config->limits.depth_max == 0) {
        document->config.limits = document_usual_limits();
    }
    const struct reader none = {.document = document, .member = SLICE_NONE};
    enum err e = any_reader_new(&none, SLICE_NONE, &document->root);
    if (e != ERR_NONE) {
        document_close(document);
        return e;
    }
    *out = document;
    return ERR_NONE;
}

void document_close(struct document *document)
{
    if (document != NULL) {
        reader_free(document->root);
        charset_done(&document->charset);
        extract_free(document->idle);
        free(document);
    }
}

enum err document_feed(struct document *document, struct slice bytes)
{
    document->packed += bytes.len;
    return reader_feed(document->root, bytes);
}

enum err document_end(struct document *document)
{
    return reader_end(document->root);
}

bool document_wants_bytes(const struct document *document)
{
    return !document->is_direct && !document->root->is_dead;
}

bool document_has_trouble(const struct document *document)
{
    return document->has_trouble;
}

void reader_init(struct reader *reader, const struct reader_ops *ops, const struct reader *parent,
                 struct slice member)
{
    *reader = (struct reader){
        .ops = ops, .document = parent->document, .member = member, .depth = parent->depth};
}

void reader_free(struct reader *reader)
{
    if (reader != NULL) {
        reader->ops->free(reader);
    }
}

enum err reader_fail(struct reader *reader, enum err err, const char *format, ...)
{
    struct fault *fault = &reader->document->fault;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    fault->err = err;
    return err;
}

enum err reader_settle(struct reader *reader, enum err e)
{
    struct document *document = reader->document;
    if (e == ERR_NONE || document->fault.err != e) {
        return e;
    }
    if (document->config.trouble != NULL) {
        char text[sizeof document->fault.text + DOCUMENT_MEMBER_BYTES_MAX];
        (void)snprintf(text, sizeof text, "%.*s%s%s", SLICE_ARG(reader->member),
                       reader->member.len > 0 ? ": " : "", document->fault.text);
        document->config.trouble(document->config.context, text);
    }
    document->fault.err = ERR_NONE;
    document->has_trouble = true;
    reader->is_dead = true;
    return ERR_NONE;
}

enum err reader_feed(struct reader *reader, struct slice bytes)
{
    return reader->is_dead ? ERR_NONE : reader_settle(reader, reader->ops->feed(reader, bytes));
}

enum err reader_end(struct reader *reader)
{
    return reader->is_dead ? ERR_NONE : reader_settle(reader, reader->ops->end(reader));
}

enum err reader_check_go_on(struct reader *reader)
{
    const struct document_config *config = &reader->document->config;
    return config->may_go_on == NULL || config->may_go_on(config->context) ? ERR_NONE : ERR_STATE;
}

enum err reader_count_unpacked(struct reader *reader, size_t bytes)
{
    struct document *document = reader->document;
    document->unpacked += bytes;
    bool is_bomb =
        document->unpacked > RATIO_FREE_BYTES && document->unpacked / RATIO_MAX > document->packed;
    if (is_bomb || document->unpacked > document->config.limits.unpacked_bytes_max) {
        return reader_fail(reader, ERR_LIMIT, "it unpacks to too much; unpack it first");
    }
    return reader_check_go_on(reader);
}

enum err reader_member_write(const struct reader *parent, struct slice name, struct buf *out)
{
    struct slice before = slice_sub(parent->member, 0, DOCUMENT_MEMBER_BYTES_MAX / 2);
    enum err e = buf_append(out, before);
    if (e == ERR_NONE && before.len > 0) {
        e = buf_append_byte(out, '/');
    }
    size_t room = DOCUMENT_MEMBER_BYTES_MAX - out->len;
    return e == ERR_NONE ? buf_append(out, slice_sub(name, 0, room)) : e;
}
