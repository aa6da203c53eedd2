/* SPDX-License-Identifier: Apache-2.0 */
#include "heloise/reply.h"

#include "base/reader.h"
#include "base/slice.h"

enum { ENHANCED_PART_MAX = 999 }; /* RFC 3463 2: one to three digits */

bool hel_enhanced_parse(struct slice text, struct hel_enhanced *out)
{
    struct reader r = reader_over(text);
    uint64_t class_digit;
    uint64_t subject;
    uint64_t detail;
    (void)reader_literal(&r, SLICE("#")); /* "550 #5.1.0 Address rejected", as IronPort writes it */
    if (!reader_number(&r, 9, &class_digit) || !reader_literal(&r, SLICE(".")) ||
        !reader_number(&r, ENHANCED_PART_MAX, &subject) || !reader_literal(&r, SLICE(".")) ||
        !reader_number(&r, ENHANCED_PART_MAX, &detail)) {
        return false;
    }
    char next;
    bool goes_on = reader_peek(&r, &next) && (ascii_is_alnum(next) || next == '.');
    if (goes_on || (class_digit != 2 && class_digit != 4 && class_digit != 5)) {
        return false;
    }
    *out = (struct hel_enhanced){(uint8_t)class_digit, (uint16_t)subject, (uint16_t)detail};
    return true;
}
