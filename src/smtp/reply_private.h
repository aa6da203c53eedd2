/* smtp/reply_private: the parser's fields, for whoever has one inside of something else, and what it tells only its own
 * module.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_REPLY_PRIVATE_H
#define SMTP_REPLY_PRIVATE_H

#include "base/buf.h"
#include "heloise/reply.h"

struct hel_reply_parser {
    struct buf text;
    size_t wire_bytes, wire_bytes_max;
    size_t line_start; /* of the present line, in text */
    unsigned column;   /* bytes of the present line, counted up to the separator */
    uint16_t code, first_code;
    uint16_t line_count;
    bool has_more; /* the separator was '-' */
    bool has_mixed_codes, is_cut, is_line_cut;
    bool has_cr;     /* a CR is held back: part of the line's end, or of its text */
    bool is_given;   /* the last call gave a whole reply */
    bool is_starved; /* the allocator said no */
    struct hel_enhanced enhanced;
};

/* As hel_reply_parser_new, in the caller's storage; room is lent for the first bytes of text. */
void reply_parser_init(struct hel_reply_parser *parser, size_t bytes_max, char *room,
                       size_t room_bytes);
void reply_parser_done(struct hel_reply_parser *parser);

/* Where all of bytes are one reply of one line, as nearly always, and nothing came before: true, and the reply's text is a
 * view into them. Else false, and the parser is to be fed. */
bool reply_parser_take_line(struct hel_reply_parser *parser, struct slice bytes,
                            struct hel_reply *out);

/* After HEL_REPLY_BROKEN: it was the allocator, not the peer. */
bool reply_parser_is_starved(const struct hel_reply_parser *parser);

#endif
