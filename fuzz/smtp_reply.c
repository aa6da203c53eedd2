/* fuzz/smtp_reply: any bytes as replies. The first byte sets how much text is kept, the second the size of
 * the pieces. Whole, in pieces and byte by byte the same replies come out, what is kept stays below its
 * ceiling, and a reply written back reads as itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/slice.h"
#include "heloise/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES_MAX = 1 << 21 };

static void check_reply(const struct hel_reply *reply, size_t kept)
{
    must(reply->code >= 200 && reply->code <= 599);
    must(reply->line_count > 0);
    must(reply->text.len <= kept);
    must(!reply->is_cut || reply->text.len == kept);
    unsigned class_digit = reply->enhanced.class_digit;
    must(class_digit == 0 || class_digit == 2 || class_digit == 4 || class_digit == 5);
    must(reply->enhanced.subject <= 999 && reply->enhanced.detail <= 999);
}

/* parse(write(reply)) = reply, where nothing was cut or mixed. */
static void check_written(const struct hel_reply *reply)
{
    struct buf wire;
    buf_init(&wire, TEXT_BYTES_MAX);
    struct slice rest = reply->text;
    for (bool is_last = false; !is_last;) {
        struct slice line = slice_cut(&rest, '\n');
        is_last = rest.at == NULL;
        must(buf_printf(&wire, "%d%c", reply->code, is_last ? ' ' : '-') == ERR_NONE);
        must(buf_append(&wire, line) == ERR_NONE);
        must(buf_append(&wire, SLICE("\r\n")) == ERR_NONE);
    }
    char *scratch = malloc(wire.len);
    must(scratch != NULL);
    struct hel_reply again;
    must(hel_reply_parse(buf_view(&wire), scratch, wire.len, &again) == ERR_NONE);
    must(again.code == reply->code && again.line_count == reply->line_count);
    must(slice_equal(again.text, reply->text));
    must(again.enhanced.detail == reply->enhanced.detail);
    free(scratch);
    buf_done(&wire);
}

static void log_reply(struct buf *log, const struct hel_reply *reply)
{
    must(buf_printf(log, "%d %d.%d.%d %d %d %d ", reply->code, reply->enhanced.class_digit,
                    reply->enhanced.subject, reply->enhanced.detail, reply->line_count,
                    reply->has_mixed_codes, reply->is_cut) == ERR_NONE);
    must(buf_append(log, reply->text) == ERR_NONE);
    must(buf_append_byte(log, '\n') == ERR_NONE);
}

static void run_in_pieces(struct slice bytes, size_t kept, size_t step, struct buf *log)
{
    struct hel_reply_parser *parser = NULL;
    must(hel_reply_parser_new(kept, &parser) == ERR_NONE);
    enum hel_reply_status status = HEL_REPLY_DONE;
    for (size_t at = 0; at < bytes.len && status != HEL_REPLY_BROKEN;) {
        size_t end = at + step - at % step;
        size_t used = SIZE_MAX;
        struct hel_reply reply;
        struct slice piece = slice_sub(bytes, at, end);
        status = hel_reply_parser_feed(parser, piece, &used, &reply);
        must(used <= piece.len);
        must(status != HEL_REPLY_MORE || used == piece.len);
        if (status == HEL_REPLY_DONE) {
            check_reply(&reply, kept);
            log_reply(log, &reply);
            if (step == bytes.len && !reply.is_cut && !reply.has_mixed_codes &&
                reply.text.len < 4096) {
                check_written(&reply);
            }
        }
        at += used;
        must(status == HEL_REPLY_BROKEN || used > 0);
    }
    must(buf_printf(log, "%d", (int)status) == ERR_NONE);
    hel_reply_parser_free(parser);
}

static void parse_whole(struct slice text)
{
    char *scratch = malloc(text.len + 1);
    must(scratch != NULL);
    struct hel_reply reply;
    if (hel_reply_parse(text, scratch, text.len, &reply) == ERR_NONE) {
        check_reply(&reply, text.len);
        must(!reply.is_cut);
    }
    free(scratch);
    struct hel_enhanced enhanced;
    (void)hel_enhanced_parse(text, &enhanced);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    size_t kept = data[0] + 1u;
    struct slice bytes = slice_make((const char *)data + 2, size - 2);
    size_t steps[] = {bytes.len, data[1] + 1u, 1};
    struct buf logs[3];
    for (size_t i = 0; i < 3; i++) {
        buf_init(&logs[i], (size_t)1 << 26);
        run_in_pieces(bytes, kept, steps[i], &logs[i]);
    }
    must(slice_equal(buf_view(&logs[0]), buf_view(&logs[1])));
    must(slice_equal(buf_view(&logs[0]), buf_view(&logs[2])));
    for (size_t i = 0; i < 3; i++) {
        buf_done(&logs[i]);
    }
    parse_whole(bytes);
    return 0;
}
