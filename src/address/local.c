/* address/local: the part before the @: Dot-string or Quoted-string (RFC 5321 4.1.2), with UTF-8 (RFC 6531 3.3)
 * in its composed form (NFC).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>

#include "address/parse_private.h"
#include "base/slice.h"
#include "base/text.h"

static bool is_atext(char c)
{
    return ascii_is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Letters, marks, digits, signs of any script; no spaces, controls, private or unassigned ones. U+037E is a
 * semicolon in its composed form. */
static bool is_utext(unsigned code)
{
    return code != 0x37e &&
           !uc_is_general_category_withtable(code, UC_CATEGORY_MASK_Z | UC_CATEGORY_MASK_C);
}

static enum err check_char(struct parse *parse, size_t at, struct slice *rest)
{
    if (ascii_is_alnum(rest->at[0])) { /* as most are */
        *rest = slice_sub(*rest, 1, rest->len);
        return ERR_NONE;
    }
    unsigned code = 0;
    size_t step = text_utf8_next(*rest, &code);
    if (code >= 0x80) {
        if (!is_utext(code)) {
            return address_fail(parse, at, "character U+%04X is not allowed before @", code);
        }
        parse->out->needs_smtputf8 = true;
    } else if (code < ' ' || code == 0x7f) {
        return address_fail(parse, at, "a control character (%u) stands here", code);
    } else if (!is_atext((char)code)) {
        return address_fail(parse, at, "%s '%c' is not allowed here without quotes",
                            code == ' ' ? "a space" : "the character", (int)code);
    }
    *rest = slice_sub(*rest, step, rest->len);
    return ERR_NONE;
}

/* Ends at the '@'. */
static enum err dot_string(struct parse *parse, size_t *at)
{
    struct slice rest = slice_make(parse->text, parse->len);
    bool follows_dot = true;
    size_t begin = *at;
    while (rest.len > 0 && rest.at[0] != '@') {
        size_t offset = parse->len - rest.len;
        if (rest.at[0] == '.') {
            if (follows_dot) {
                return address_fail(parse, offset,
                                    offset == begin ? "the part before @ begins with a dot"
                                                    : "two dots stand together");
            }
            follows_dot = true;
            rest = slice_sub(rest, 1, rest.len);
            continue;
        }
        follows_dot = false;
        enum err e = check_char(parse, offset, &rest);
        if (e != ERR_NONE) {
            return e;
        }
    }
    *at = parse->len - rest.len;
    if (rest.len == 0) {
        return address_fail(parse, parse->len, "there is no @");
    }
    if (*at == begin) {
        return address_fail(parse, begin, "nothing stands before @");
    }
    if (follows_dot) {
        return address_fail(parse, *at - 1, "the part before @ ends with a dot");
    }
    return ERR_NONE;
}

/* One character of a Quoted-string, or a backslash with the printable ASCII character behind it. */
static enum err check_quoted(struct parse *parse, size_t *at)
{
    bool is_pair = parse->text[*at] == '\\';
    *at += is_pair ? 1 : 0;
    unsigned code = 0;
    size_t step =
        text_utf8_next(slice_sub(slice_make(parse->text, parse->len), *at, parse->len), &code);
    if (step == 0) {
        return ERR_NONE; /* the caller misses the closing quote */
    }
    if (code >= 0x80 && is_pair) {
        return address_fail(parse, *at, "a backslash stands before U+%04X", code);
    }
    if (uc_is_general_category_withtable(code, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Zl |
                                                   UC_CATEGORY_MASK_Zp)) {
        return address_fail(parse, *at, "a control character stands in the quoted part");
    }
    *at += step;
    parse->out->needs_smtputf8 = parse->out->needs_smtputf8 || code >= 0x80;
    return ERR_NONE;
}

static enum err quoted_string(struct parse *parse, size_t *at)
{
    size_t i = *at + 1;
    while (i < parse->len && parse->text[i] != '"') {
        enum err e = check_quoted(parse, &i);
        if (e != ERR_NONE) {
            return e;
        }
    }
    if (i >= parse->len) {
        return address_fail(parse, *at, "the quote that opens here is not closed");
    }
    i++;
    if (i >= parse->len || parse->text[i] != '@') {
        return address_fail(parse, i, "@ must follow the quoted part");
    }
    parse->out->is_quoted = true;
    *at = i;
    return ERR_NONE;
}

/* %0d, %0a, %00: of the grammar, but never a mailbox: somebody hopes for a decoder further on. */
static enum err check_escapes(struct parse *parse, size_t begin, size_t end)
{
    static const struct slice escapes[] = {SLICE_LITERAL("%0d"), SLICE_LITERAL("%0a"),
                                           SLICE_LITERAL("%00")};
    struct slice local = slice_sub(slice_make(parse->text, parse->len), 0, end);
    for (size_t i = slice_find_byte(local, '%', begin); i < end;
         i = slice_find_byte(local, '%', i + 1)) {
        for (size_t j = 0; j < sizeof escapes / sizeof escapes[0]; j++) {
            if (slice_starts_nocase(slice_sub(local, i, end), escapes[j])) {
                return address_fail(parse, i, "an encoded control character stands here");
            }
        }
    }
    return ERR_NONE;
}

/* Composing may have put a character that is not ASCII behind a backslash (\A and U+030A become \ U+00C5), which
 * is no quoted pair any more (RFC 6531 3.3, RFC 5321 4.1.2). */
static bool has_broken_pair(struct slice local)
{
    for (size_t i = 0; i + 1 < local.len; i++) {
        if (local.at[i] != '\\') {
            continue;
        }
        i++;
        if ((unsigned char)local.at[i] >= 0x80) {
            return true;
        }
    }
    return false;
}

/* U+0041 U+030A and U+00C5 are one name (RFC 6531 3.3 asks for NFC). */
static enum err put_local(struct parse *parse, struct slice local)
{
    struct hel_address *address = parse->out;
    if (!address->needs_smtputf8) {
        if (local.len > HEL_LOCAL_BYTES_PRACTICAL_MAX) {
            return address_fail(parse, 0, "the part before @ is too long (%zu bytes)", local.len);
        }
        memcpy(address->wire, local.at, local.len);
        address->local_len = (unsigned short)local.len;
        return ERR_NONE;
    }
    size_t len = 0;
    uint8_t *normal = u8_normalize(UNINORM_NFC, (const uint8_t *)local.at, local.len, NULL, &len);
    if (normal == NULL) {
        return ERR_NOMEM;
    }
    enum err e = ERR_NONE;
    if (len > HEL_LOCAL_BYTES_PRACTICAL_MAX) {
        e = address_fail(parse, 0, "the part before @ is too long (%zu bytes)", len);
    } else if (address->is_quoted && has_broken_pair(slice_make((const char *)normal, len))) {
        e = address_fail(parse, 0, "a combining character follows a backslash pair");
    } else {
        memcpy(address->wire, normal, len);
        address->local_len = (unsigned short)len;
        address->needs_smtputf8 = !text_is_ascii(slice_make(address->wire, len));
    }
    free(normal);
    return e;
}

enum err address_parse_local(struct parse *parse, size_t *at)
{
    size_t begin = *at;
    enum err e = parse->text[begin] == '"' ? quoted_string(parse, at) : dot_string(parse, at);
    if (e == ERR_NONE) {
        e = check_escapes(parse, begin, *at);
    }
    if (e != ERR_NONE) {
        return e;
    }
    return put_local(parse, slice_sub(slice_make(parse->text, parse->len), begin, *at));
}
