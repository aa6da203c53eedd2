/* fuzz/decode: any bytes as mail, markup, vCard and LDIF, whole and in pieces: the same comes out of both, and not more than
 * is promised.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "decode/folded.h"
#include "decode/markup.h"
#include "decode/mime.h"
#include "decode/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_BYTES_MAX = 16 << 20 };

static uint64_t mix(uint64_t hash, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) { /* the same however text is cut */
        hash = (hash ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t take_mail(struct mime *mime, uint64_t hash)
{
    struct mime_event event;
    bool is_event = true;
    while (is_event) {
        must(mime_next(mime, &event, &is_event) == ERR_NONE);
        if (is_event) {
            hash = event.kind == MIME_EVENT_BODY ? hash : hash + (uint64_t)event.kind + 1;
            hash = mix(mix(mix(hash, event.name), event.value), event.body);
            hash = event.kind == MIME_EVENT_PART ? mix(mix(hash, event.part.type), event.part.path)
                                                 : hash;
        }
    }
    return hash;
}

static uint64_t read_mail(struct slice text, size_t step, bool is_mbox)
{
    struct mime *mime = NULL;
    uint64_t hash = 0;
    must(mime_new(is_mbox, &mime) == ERR_NONE);
    for (size_t at = 0; at < text.len; at += step) {
        mime_feed(mime, slice_sub(text, at, at + step));
        hash = take_mail(mime, hash);
    }
    mime_end(mime);
    hash = take_mail(mime, hash);
    mime_free(mime);
    return hash;
}

static uint64_t take_lines(struct folded *folded, uint64_t hash)
{
    struct folded_line line;
    bool is_line = true;
    while (is_line) {
        must(folded_next(folded, &line, &is_line) == ERR_NONE);
        hash = is_line ? mix(mix(hash + line.number, line.name), line.value) : hash;
    }
    return hash;
}

static uint64_t read_lines(struct slice text, size_t step, enum folded_kind kind)
{
    struct folded *folded = NULL;
    uint64_t hash = 0;
    must(folded_new(kind, &folded) == ERR_NONE);
    for (size_t at = 0; at < text.len; at += step) {
        folded_feed(folded, slice_sub(text, at, at + step));
        hash = take_lines(folded, hash);
    }
    folded_end(folded);
    hash = take_lines(folded, hash);
    folded_free(folded);
    return hash;
}

static uint64_t read_markup(struct slice text, size_t step, const struct markup_config *config)
{
    struct markup *markup = NULL;
    struct buf out;
    buf_init(&out, OUT_BYTES_MAX);
    must(markup_new(config, &markup) == ERR_NONE);
    for (size_t at = 0; at < text.len; at += step) {
        must(markup_feed(markup, slice_sub(text, at, at + step), &out) == ERR_NONE);
    }
    must(markup_end(markup, &out) == ERR_NONE);
    must(out.len <= text.len * 2 + (1 << 18));
    uint64_t hash = mix(0, buf_view(&out));
    markup_free(markup);
    buf_done(&out);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1 << 20) {
        return 0;
    }
    struct slice text = slice_make((const char *)data + 2, size - 2);
    size_t step = (size_t)data[1] + 1;
    bool flag = (data[0] & 4) != 0;
    size_t whole = text.len + 1;
    size_t mark;
    (void)sniff_kind_of(text);
    (void)sniff_declared_charset(text);
    (void)sniff_wide_charset(text, &mark);
    const struct markup_config config = {.dialect = (enum markup_dialect)(data[0] % 3),
                                         .wants_hidden = flag};
    must(read_mail(text, whole, flag) == read_mail(text, step, flag));
    enum folded_kind kind = flag ? FOLDED_LDIF : FOLDED_VCARD;
    must(read_lines(text, whole, kind) == read_lines(text, step, kind));
    must(read_markup(text, whole, &config) == read_markup(text, step, &config));
    return 0;
}
