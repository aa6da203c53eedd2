/* SPDX-License-Identifier: Apache-2.0 */
#include "heloise/reply.h"

#include <string.h>

#include "base/slice.h"
#include "smtp/reply_private.h"

enum { REPLY_WHOLE_BYTES_MAX = 65536 };

enum err hel_reply_parse(struct slice text, char *scratch, size_t scratch_len,
                         struct hel_reply *out)
{
    if (text.len == 0 || text.len > REPLY_WHOLE_BYTES_MAX || scratch_len < text.len) {
        return ERR_SYNTAX;
    }
    struct hel_reply_parser *parser;
    enum err e = hel_reply_parser_new(text.len + 1, &parser);
    if (e != ERR_NONE) {
        return e;
    }
    size_t used;
    struct hel_reply reply;
    enum hel_reply_status status = hel_reply_parser_feed(parser, text, &used, &reply);
    if (status == HEL_REPLY_MORE) { /* the last line may lack its end */
        status = hel_reply_parser_feed(parser, SLICE("\n"), &used, &reply);
        used = text.len;
    }
    if (status == HEL_REPLY_DONE && used == text.len) {
        if (reply.text.len > 0) {
            memcpy(scratch, reply.text.at, reply.text.len);
        }
        reply.text = slice_make(scratch, reply.text.len);
        *out = reply;
    } else {
        e = reply_parser_is_starved(parser) ? ERR_NOMEM : ERR_SYNTAX;
    }
    hel_reply_parser_free(parser);
    return e;
}
