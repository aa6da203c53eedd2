/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/sniff.h"

#include <stdint.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "decode/tar.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

enum {
    JUDGED_BYTES = 64,
    CHARSET_BYTES_MAX = 40,
};

static bool holds_nocase(struct slice head, struct slice text)
{
    return slice_find_nocase(head, text) < head.len;
}

static bool starts_tag(struct slice text, struct slice tag)
{
    if (!slice_starts_nocase(text, tag)) {
        return false;
    }
    char next = text.len > tag.len ? text.at[tag.len] : '>';
    return !ascii_is_alnum(next) && next != '@' && next != '.' && next != ':';
}

/* The tags that a document or a piece of one begins with (WHATWG MIME sniffing 7.1). */
static bool is_html(struct slice text)
{
    static const struct slice tags[] = {
        SLICE_LITERAL("<!doctype html"),
        SLICE_LITERAL("<html"),
        SLICE_LITERAL("<head"),
        SLICE_LITERAL("<script"),
        SLICE_LITERAL("<h1"),
        SLICE_LITERAL("<div"),
        SLICE_LITERAL("<font"),
        SLICE_LITERAL("<a"),
        SLICE_LITERAL("<table"),
        SLICE_LITERAL("<style"),
        SLICE_LITERAL("<b"),
        SLICE_LITERAL("<title"),
        SLICE_LITERAL("<body"),
        SLICE_LITERAL("<br"),
        SLICE_LITERAL("<p"),
        SLICE_LITERAL("<ul"),
        SLICE_LITERAL("<span"),
        SLICE_LITERAL("<h2"),
        SLICE_LITERAL("<meta"),
        SLICE_LITERAL("<li"),
        SLICE_LITERAL("<ol"),
        SLICE_LITERAL("<section"),
        SLICE_LITERAL("<td"),
        SLICE_LITERAL("<img"),
        SLICE_LITERAL("<!--"),
    };
    for (size_t i = 0; i < COUNT(tags); i++) {
        if (starts_tag(text, tags[i])) {
            return true;
        }
    }
    return false;
}

static enum sniff_kind kind_of_markup(struct slice text)
{
    if (!slice_starts(text, SLICE("<?xml"))) {
        return is_html(text) ? SNIFF_HTML : SNIFF_TEXT;
    }
    if (holds_nocase(text, SLICE("<html"))) {
        return SNIFF_HTML;
    }
    bool is_office = holds_nocase(text, SLICE("schemas.openxmlformats.org")) ||
                     holds_nocase(text, SLICE("purl.oclc.org/ooxml")) ||
                     holds_nocase(text, SLICE("urn:oasis:names:tc:opendocument"));
    return is_office ? SNIFF_OFFICE : SNIFF_XML;
}

/* Fields that mail has and other text has not. */
static bool is_mail_field(struct slice name)
{
    static const struct slice names[] = {
        SLICE_LITERAL("Return-Path"),
        SLICE_LITERAL("Received"),
        SLICE_LITERAL("Delivered-To"),
        SLICE_LITERAL("From"),
        SLICE_LITERAL("To"),
        SLICE_LITERAL("Cc"),
        SLICE_LITERAL("Subject"),
        SLICE_LITERAL("Date"),
        SLICE_LITERAL("Message-ID"),
        SLICE_LITERAL("MIME-Version"),
        SLICE_LITERAL("Content-Type"),
        SLICE_LITERAL("Reply-To"),
        SLICE_LITERAL("DKIM-Signature"),
        SLICE_LITERAL("Authentication-Results"),
        SLICE_LITERAL("Received-SPF"),
        SLICE_LITERAL("ARC-Seal"),
        SLICE_LITERAL("Sender"),
        SLICE_LITERAL("X-Original-To"),
        SLICE_LITERAL("List-Id"),
        SLICE_LITERAL("In-Reply-To"),
        SLICE_LITERAL("Bcc"),
        SLICE_LITERAL("Envelope-To"),
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        if (slice_equal_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_field_byte(char byte)
{
    return byte > ' ' && byte < 127 && byte != ':';
}

/* Fields alone, from the first line on, at least two of them mail's; up to an empty line. */
static bool is_mail(struct slice text)
{
    struct reader r = reader_over(text);
    struct slice line;
    size_t known = 0;
    size_t lines = 0;
    while (reader_line(&r, &line) && line.len > 0) {
        bool is_more = line.at[0] == ' ' || line.at[0] == '\t';
        struct reader field = reader_over(line);
        struct slice name = reader_while(&field, is_field_byte);
        bool is_field = name.len > 0 && reader_literal(&field, SLICE(":"));
        bool is_cut = reader_is_done(&r);
        if ((is_more && lines == 0) || (!is_more && !is_field)) {
            return known >= 2 && is_cut;
        }
        known += !is_more && is_mail_field(name) ? 1 : 0;
        lines++;
    }
    return known >= 2;
}

static bool is_mbox(struct slice text)
{
    struct reader r = reader_over(text);
    struct slice line;
    return slice_starts(text, SLICE("From ")) && reader_line(&r, &line) && is_mail(r.rest);
}

/* RFC 2849: a version, or the name of an entry, behind comments. */
static bool is_ldif(struct slice text)
{
    struct reader r = reader_over(text);
    struct slice line;
    while (reader_line(&r, &line)) {
        if (line.len > 0 && line.at[0] != '#') {
            struct slice value = slice_sub(line, 3, line.len);
            bool is_name =
                slice_starts_nocase(line, SLICE("dn:")) &&
                (slice_find_byte(value, '=', 0) < value.len || slice_starts(value, SLICE(":")));
            return is_name || slice_equal(line, SLICE("version: 1")) ||
                   slice_equal(line, SLICE("version:1"));
        }
    }
    return false;
}

enum sniff_kind sniff_kind_of(struct slice head)
{
    struct tar_header tar;
    head = slice_sub(head, 0, SNIFF_BYTES);
    if (slice_starts(head, SLICE("\x1f\x8b\x08"))) {
        return SNIFF_GZIP;
    }
    if (slice_starts(head, SLICE("PK\x03\x04")) || slice_starts(head, SLICE("PK\x05\x06"))) {
        return SNIFF_ZIP;
    }
    if (tar_header_read(head, &tar)) {
        return SNIFF_TAR;
    }
    struct slice text =
        slice_starts(head, SLICE("\xef\xbb\xbf")) ? slice_sub(head, 3, head.len) : head;
    struct slice first = slice_trim(text);
    if (slice_starts(first, SLICE("<"))) {
        return kind_of_markup(first);
    }
    if (slice_starts(first, SLICE("%PDF-"))) {
        return SNIFF_PDF;
    }
    if (slice_starts_nocase(first, SLICE("BEGIN:VCARD"))) {
        return SNIFF_VCARD;
    }
    if (is_mbox(text)) {
        return SNIFF_MBOX;
    }
    if (is_mail(text)) {
        return SNIFF_MAIL;
    }
    return is_ldif(text) ? SNIFF_LDIF : SNIFF_TEXT;
}

/* The first line that is not blank is whole, and nothing but text begins so. */
bool sniff_is_decided(struct slice head)
{
    if (head.len >= SNIFF_BYTES) {
        return true;
    }
    size_t begin = 0;
    while (begin < head.len && ascii_is_space(head.at[begin])) {
        begin++;
    }
    struct slice line = slice_sub(head, begin, slice_find_byte(head, '\n', begin));
    struct reader field = reader_over(line);
    struct slice name = reader_while(&field, is_field_byte);
    bool is_marked = line.len == 0 || strchr("<#%\x1f", line.at[0]) != NULL ||
                     (unsigned char)line.at[0] >= 0xe0 || slice_starts(line, SLICE("PK")) ||
                     slice_starts(line, SLICE("From ")) ||
                     (name.len > 0 && reader_literal(&field, SLICE(":")));
    return !is_marked && begin + line.len < head.len && slice_find_byte(line, '\0', 0) == line.len;
}

struct slice sniff_wide_charset(struct slice head, size_t *out_mark)
{
    static const struct {
        struct slice mark, charset;
    } marks[] = {
        /* UTF-32's begins with UTF-16's */
        {{"\xff\xfe\0\0", 4}, SLICE_LITERAL("UTF-32LE")},
        {{"\0\0\xfe\xff", 4}, SLICE_LITERAL("UTF-32BE")},
        {{"\xff\xfe", 2}, SLICE_LITERAL("UTF-16LE")},
        {{"\xfe\xff", 2}, SLICE_LITERAL("UTF-16BE")},
    };
    for (size_t i = 0; i < COUNT(marks); i++) {
        if (slice_starts(head, marks[i].mark)) {
            *out_mark = marks[i].mark.len;
            return marks[i].charset;
        }
    }
    *out_mark = 0;
    size_t units = (head.len < JUDGED_BYTES ? head.len : JUDGED_BYTES) / 2;
    size_t little = 0;
    size_t big = 0;
    for (size_t i = 0; i < units; i++) {
        bool is_first_zero = head.at[2 * i] == '\0';
        bool is_second_zero = head.at[2 * i + 1] == '\0';
        little += is_second_zero && ascii_is_alnum(head.at[2 * i]) ? 1 : 0;
        big += is_first_zero && ascii_is_alnum(head.at[2 * i + 1]) ? 1 : 0;
    }
    if (units >= 4 && little * 4 >= units * 3) {
        return SLICE("UTF-16LE");
    }
    return units >= 4 && big * 4 >= units * 3 ? SLICE("UTF-16BE") : SLICE_NONE;
}

static bool is_charset_byte(char byte)
{
    return ascii_is_alnum(byte) || byte == '-' || byte == '_' || byte == '.' || byte == ':';
}

struct slice sniff_declared_charset(struct slice head)
{
    head = slice_sub(head, 0, SNIFF_BYTES);
    bool is_xml = slice_starts(slice_trim(head), SLICE("<?xml"));
    struct slice first_line = slice_sub(head, 0, slice_find_byte(head, '>', 0));
    struct slice text = is_xml && holds_nocase(first_line, SLICE("encoding=")) ? first_line : head;
    struct slice key = text.len < head.len ? SLICE("encoding=") : SLICE("charset=");
    size_t at = slice_find_nocase(text, key);
    if (at == text.len) {
        return SLICE_NONE;
    }
    struct reader r = reader_over(slice_sub(text, at + key.len, text.len));
    if (!reader_literal(&r, SLICE("\""))) {
        (void)reader_literal(&r, SLICE("'"));
    }
    struct slice name = reader_while(&r, is_charset_byte);
    return name.len <= CHARSET_BYTES_MAX ? name : SLICE_NONE;
}
