/* heloise/reply: an SMTP reply (RFC 5321 4.2) with its enhanced status code (RFC 3463, 2034).
 * The parser is fed bytes in any pieces and gives whole replies. It takes what is seen in the wild:
 * LF-only lines, codes without text, 8-bit text and NUL, differing codes within one reply (the last
 * line counts, RFC 5321 4.2.1, and the reply is marked), over-long lines (cut and marked). Memory is
 * bounded by bytes_max.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HELOISE_REPLY_H
#define HELOISE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "heloise/types.h"

struct hel_enhanced {
    uint8_t class_digit; /* 2, 4 or 5; 0: the reply carries none */
    uint16_t subject;
    uint16_t detail;
};

struct hel_reply {
    uint16_t code;                /* 200 to 599; of the last line */
    struct hel_enhanced enhanced; /* the first one found in the lines */
    uint16_t line_count;
    bool has_mixed_codes; /* the lines did not all carry the same code */
    bool is_cut;          /* text was longer than the parser keeps */
    struct slice text;    /* lines without codes, enhanced codes kept, joined by LF; raw bytes of a
                             stranger: pass through base/text before showing */
};

static inline bool hel_reply_is_success(const struct hel_reply *reply)
{
    return reply->code / 100 == 2;
}
static inline bool hel_reply_is_transient(const struct hel_reply *reply)
{
    return reply->code / 100 == 4;
}
static inline bool hel_reply_is_permanent(const struct hel_reply *reply)
{
    return reply->code / 100 == 5;
}

/* Reads one reply given as a whole (several lines or one, LF or CRLF, the last may lack it); for
 * stored replies and `classify`. The text stays a view into the input only for one-line replies;
 * scratch (scratch_len bytes, at least text.len) holds joined lines. ERR_SYNTAX when it is no reply. */
HEL_PUBLIC enum err hel_reply_parse(struct slice text, char *scratch, size_t scratch_len,
                                    struct hel_reply *out) MUST_USE;

/* The enhanced code at the start of a reply line's text, if there is one. */
HEL_PUBLIC bool hel_enhanced_parse(struct slice text, struct hel_enhanced *out);

struct hel_reply_parser;

/* bytes_max bounds the text kept of one reply; ten times as much of one reply on the wire is
 * an error. ERR_NOMEM. */
HEL_PUBLIC enum err hel_reply_parser_new(size_t bytes_max, struct hel_reply_parser **out) MUST_USE;
HEL_PUBLIC void hel_reply_parser_free(struct hel_reply_parser *parser);
HEL_PUBLIC void hel_reply_parser_reset(struct hel_reply_parser *parser);

enum hel_reply_status {
    HEL_REPLY_MORE,   /* all bytes were used, the reply is not complete */
    HEL_REPLY_DONE,   /* *out is a reply; valid until the next call */
    HEL_REPLY_BROKEN, /* not SMTP, too long, or out of memory; the parser must be reset */
};

/* Uses bytes up to the end of the first complete reply and says how many in *out_used. */
HEL_PUBLIC enum hel_reply_status hel_reply_parser_feed(struct hel_reply_parser *parser,
                                                       struct slice bytes, size_t *out_used,
                                                       struct hel_reply *out);

#endif
