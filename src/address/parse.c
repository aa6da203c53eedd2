/* address/parse: the whole address: cleaned text, local part, domain, lengths.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/address.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "address/parse_private.h"
#include "base/slice.h"
#include "base/text.h"

enum err address_fail(struct parse *parse, size_t offset, const char *format, ...)
{
    struct hel_address_error *error = parse->out_error;
    if (error == NULL) {
        return ERR_SYNTAX;
    }
    unsigned column = parse->first_column;
    struct slice before = slice_sub(slice_make(parse->text, parse->len), 0, offset);
    while (before.len > 0) {
        unsigned code;
        size_t step = text_utf8_next(before, &code);
        before = slice_sub(before, step == 0 ? 1 : step, before.len);
        column++;
    }
    error->column = column;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return ERR_SYNTAX;
}

static enum err check_lengths(struct parse *parse, enum hel_address_mode mode)
{
    const struct hel_address *address = parse->out;
    size_t local_max =
        mode == HEL_ADDRESS_STRICT ? HEL_LOCAL_BYTES_MAX : HEL_LOCAL_BYTES_PRACTICAL_MAX;
    if (address->local_len > local_max) {
        return address_fail(parse, 0, "the part before @ has %u bytes, at most %zu are allowed",
                            (unsigned)address->local_len, local_max);
    }
    if (address->wire_len > HEL_ADDRESS_BYTES_MAX) {
        return address_fail(parse, 0, "the address has %u bytes, at most %d are allowed",
                            (unsigned)address->wire_len, (int)HEL_ADDRESS_BYTES_MAX);
    }
    return ERR_NONE;
}

static enum err parse_parts(struct parse *parse)
{
    size_t at = 0;
    enum err e = address_parse_local(parse, &at);
    if (e != ERR_NONE) {
        return e;
    }
    parse->out->wire[parse->out->local_len] = '@';
    return address_parse_domain(parse, at + 1);
}

enum err hel_address_parse(struct slice text, enum hel_address_mode mode, struct hel_address *out,
                           struct hel_address_error *out_error)
{
    if (address_is_plain(text, out)) {
        return ERR_NONE;
    }
    struct hel_address address = {.is_quoted = false};
    UNFILLED struct parse parse;
    parse.len = 0;
    parse.first_column = 1;
    parse.out = &address;
    parse.out_error = out_error;
    enum err e = address_clean(text, &parse);
    if (e == ERR_NONE) {
        e = parse_parts(&parse);
    }
    if (e == ERR_NONE) {
        e = check_lengths(&parse, mode);
    }
    if (e == ERR_NONE) {
        *out = address;
    }
    return e;
}

struct slice hel_address_wire(const struct hel_address *address)
{
    return slice_make(address->wire, address->wire_len);
}

struct slice hel_address_local(const struct hel_address *address)
{
    return slice_make(address->wire, address->local_len);
}

struct slice hel_address_domain(const struct hel_address *address)
{
    return slice_sub(hel_address_wire(address), address->local_len + 1u, address->wire_len);
}
