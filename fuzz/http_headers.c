/* fuzz/http_headers: header fields of strangers, a line "name:value" each: those of a request, whose framing must have one
 * reading, and those that an uploader wants with its webhook, which come back as they were taken and make no line more.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/text.h"
#include "engine/webhook_headers.h"
#include "http/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void frame(struct slice rest)
{
    struct framing framing = {.hosts = 0};
    while (rest.len > 0) {
        struct slice value = slice_cut(&rest, '\n');
        struct slice name = slice_cut(&value, ':');
        framing_take(&framing, name, value);
    }
    if (framing_fault(&framing, SLICE("HTTP/1.1")) == NULL) {
        must(framing.hosts == 1 && framing.lengths + framing.codings <= 1);
        must(framing.codings == 0 || framing.is_chunked);
    }
    must(framing_fault(&framing, SLICE("HTTP/1.1")) != NULL ||
         framing_fault(&framing, SLICE("HTTP/1.0")) == NULL || framing.codings > 0);
}

static void check_line(struct slice name, struct slice value)
{
    must(text_is_http_token(name));
    for (size_t i = 0; i < value.len; i++) {
        must(value.at[i] >= ' ' && value.at[i] < 0x7f);
    }
}

static void hook(struct slice rest)
{
    struct buf lines;
    struct fault fault;
    struct webhook_headers read;
    size_t taken = 0;
    buf_init(&lines, WEBHOOK_HEADERS_BYTES_MAX);
    while (rest.len > 0) {
        struct slice value = slice_cut(&rest, '\n');
        struct slice name = slice_cut(&value, ':');
        size_t before = lines.len;
        enum err e = webhook_headers_add(&lines, name, value, &fault);
        must(e == ERR_NONE || lines.len == before);
        taken += lines.len > before ? 1 : 0;
    }
    webhook_headers_read(buf_view(&lines), &read);
    must(read.count == taken && taken <= WEBHOOK_HEADERS_MAX);
    for (size_t i = 0; i < read.count; i++) {
        check_line(slice_of(read.at[i].name), read.at[i].value);
    }
    buf_done(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct webhook_headers read;
    frame(text);
    hook(text);
    webhook_headers_read(text, &read);
    must(read.count <= WEBHOOK_HEADERS_MAX);
    return 0;
}
