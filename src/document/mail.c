/* document/mail: fields of headers with their encoded words, and bodies by what their header says of them. What a program
 * made up is no address, though it looks like one: Message-ID and the fields that name it, signatures, boundaries.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "decode/encoded_word.h"
#include "decode/mime.h"
#include "document/document_private.h"

enum { STEP_BYTES = 65536 };

struct mail_reader {
    struct reader base;
    struct mime *mime;
    bool is_mbox;
    struct finder fields;
    struct reader *part; /* NULL: the body is not looked at */
    struct transfer transfer;
    struct buf member, field_member, text, word;
};

static bool is_made_up(struct slice name)
{
    static const struct slice names[] = {
        SLICE_LITERAL("Message-ID"),     SLICE_LITERAL("In-Reply-To"),
        SLICE_LITERAL("References"),     SLICE_LITERAL("Content-ID"),
        SLICE_LITERAL("Content-Type"),   SLICE_LITERAL("Resent-Message-ID"),
        SLICE_LITERAL("DKIM-Signature"), SLICE_LITERAL("X-Google-DKIM-Signature"),
        SLICE_LITERAL("ARC-Seal"),       SLICE_LITERAL("ARC-Message-Signature"),
        SLICE_LITERAL("X-Message-Id"),   SLICE_LITERAL("X-Gm-Message-State"),
        SLICE_LITERAL("Supersedes"),     SLICE_LITERAL("DomainKey-Signature"),
        SLICE_LITERAL("Content-Base"),   SLICE_LITERAL("X-MS-Exchange-MessageSentRepresentingType"),
        SLICE_LITERAL("Thread-Index"),   SLICE_LITERAL("X-Mailing-List-Message-ID"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_equal_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

static enum err append_word(struct mail_reader *mail, const struct encoded_word *word)
{
    struct charset *charset = &mail->base.document->charset;
    buf_clear(&mail->word);
    enum err e = encoded_word_decode(word, &mail->word);
    charset_set(charset, word->charset);
    e = e == ERR_NONE ? charset_feed(charset, buf_view(&mail->word), &mail->text) : e;
    return e == ERR_NONE ? charset_end(charset, &mail->text) : e;
}

/* RFC 2047 6.2: spaces between two words mean nothing. */
static enum err append_value(struct mail_reader *mail, struct slice value)
{
    enum err e = ERR_NONE;
    bool was_word = false;
    while (value.len > 0 && e == ERR_NONE) {
        struct encoded_word word;
        size_t len;
        size_t gap = 0;
        while (was_word && gap < value.len && ascii_is_space(value.at[gap])) {
            gap++;
        }
        if (encoded_word_read(slice_sub(value, gap, value.len), &word, &len)) {
            e = append_word(mail, &word);
            len += gap;
            was_word = true;
        } else {
            len = slice_find_byte(value, '=', 1);
            e = buf_append(&mail->text, slice_sub(value, 0, len));
            was_word = false;
        }
        value = slice_sub(value, len, value.len);
    }
    return e;
}

static enum err take_field(struct mail_reader *mail, const struct mime_event *event)
{
    if (is_made_up(event->name)) {
        return ERR_NONE;
    }
    char name[DOCUMENT_MEMBER_BYTES_MAX / 4];
    int len = mail->is_mbox ? snprintf(name, sizeof name, "message %llu/%.*s",
                                       (unsigned long long)event->part.message,
                                       (int)(event->name.len % 256), event->name.at)
                            : snprintf(name, sizeof name, "%.*s", (int)(event->name.len % 256),
                                       event->name.at);
    buf_clear(&mail->field_member);
    enum err e = reader_member_write(&mail->base, slice_make(name, len > 0 ? (size_t)len : 0),
                                     &mail->field_member);
    mail->fields.place.member = buf_view(&mail->field_member);
    buf_clear(&mail->text);
    e = e == ERR_NONE ? append_value(mail, event->value) : e;
    e = e == ERR_NONE ? finder_feed(&mail->fields, buf_view(&mail->text)) : e;
    return e == ERR_NONE ? finder_end(&mail->fields) : e;
}

/* "message 3/part 2.1 letter.pdf" */
static enum err name_part(struct mail_reader *mail, const struct mime_part *part)
{
    char name[DOCUMENT_MEMBER_BYTES_MAX / 4];
    char message[32] = "";
    bool has_path = part->path.len > 0;
    if (mail->is_mbox) {
        (void)snprintf(message, sizeof message, "message %llu/", (unsigned long long)part->message);
    }
    int len = snprintf(name, sizeof name, "%s%s%.*s%s%.*s", message, has_path ? "part " : "body",
                       SLICE_ARG(part->path), part->file_name.len > 0 ? " " : "",
                       SLICE_ARG(part->file_name));
    buf_clear(&mail->member);
    return reader_member_write(&mail->base, slice_make(name, len > 0 ? (size_t)len : 0),
                               &mail->member);
}

/* Pictures, sounds and keys hold no addresses that anybody wrote there. */
static bool is_worthless(struct slice type)
{
    static const struct slice starts[] = {
        SLICE_LITERAL("image/"),
        SLICE_LITERAL("audio/"),
        SLICE_LITERAL("video/"),
        SLICE_LITERAL("font/"),
        SLICE_LITERAL("application/pgp-"),
        SLICE_LITERAL("application/pkcs7-signature"),
        SLICE_LITERAL("application/x-pkcs7-signature"),
    };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (slice_starts(type, starts[i])) {
            return true;
        }
    }
    return false;
}

static bool is_plain_text(struct slice type)
{
    return type.len == 0 || slice_equal(type, SLICE("text/plain")) ||
           slice_equal(type, SLICE("message/delivery-status")) ||
           slice_starts(type, SLICE("multipart/"));
}

static enum err begin_part(struct mail_reader *mail, const struct mime_part *part)
{
    reader_free(mail->part);
    mail->part = NULL;
    transfer_init(&mail->transfer, part->transfer);
    if (is_worthless(part->type)) {
        return ERR_NONE;
    }
    enum err e = name_part(mail, part);
    struct reader place = mail->base;
    place.member = buf_view(&mail->member);
    if (e != ERR_NONE) {
        return e;
    }
    bool is_html = slice_equal(part->type, SLICE("text/html"));
    if (is_html) {
        e = markup_reader_new(&place, SNIFF_HTML, &mail->part);
    } else if (is_plain_text(part->type)) {
        e = text_reader_new(&place, &mail->part);
    } else {
        e = any_reader_new(&place, place.member, &mail->part);
    }
    bool is_text = is_html || is_plain_text(part->type);
    return e == ERR_NONE && is_text && charset_is_foreign(part->charset)
               ? charset_reader_new(&place, part->charset, mail->part, &mail->part)
               : e;
}

static enum err give_text(struct mail_reader *mail, enum err e)
{
    e = e == ERR_NONE ? reader_feed(mail->part, buf_view(&mail->text)) : e;
    buf_clear(&mail->text);
    return e;
}

static enum err take_body(struct mail_reader *mail, struct slice body)
{
    if (mail->part == NULL) {
        return ERR_NONE;
    }
    if (mail->transfer.kind == TRANSFER_PLAIN) {
        return reader_feed(mail->part, body);
    }
    enum err e = ERR_NONE;
    buf_clear(&mail->text);
    while (body.len > 0 && e == ERR_NONE) {
        e = give_text(mail,
                      transfer_feed(&mail->transfer, slice_sub(body, 0, STEP_BYTES), &mail->text));
        body = slice_sub(body, STEP_BYTES, body.len);
    }
    return e;
}

static enum err end_part(struct mail_reader *mail)
{
    if (mail->part == NULL) {
        return ERR_NONE;
    }
    buf_clear(&mail->text);
    enum err e = give_text(mail, transfer_end(&mail->transfer, &mail->text));
    e = e == ERR_NONE ? reader_end(mail->part) : e;
    reader_free(mail->part);
    mail->part = NULL;
    return e;
}

static enum err take_events(struct mail_reader *mail)
{
    for (;;) {
        struct mime_event event;
        bool is_event;
        enum err e = mime_next(mail->mime, &event, &is_event);
        if (e != ERR_NONE || !is_event) {
            return e;
        }
        switch (event.kind) {
        case MIME_EVENT_FIELD: e = take_field(mail, &event); break;
        case MIME_EVENT_PART: e = begin_part(mail, &event.part); break;
        case MIME_EVENT_BODY: e = take_body(mail, event.body); break;
        case MIME_EVENT_END: e = end_part(mail); break;
        }
        if (e != ERR_NONE) {
            return e;
        }
    }
}

static enum err feed(struct reader *reader, struct slice bytes)
{
    struct mail_reader *mail = (struct mail_reader *)reader;
    mime_feed(mail->mime, bytes);
    return take_events(mail);
}

static enum err end(struct reader *reader)
{
    struct mail_reader *mail = (struct mail_reader *)reader;
    mime_end(mail->mime);
    return take_events(mail);
}

static void mail_free(struct reader *reader)
{
    struct mail_reader *mail = (struct mail_reader *)reader;
    reader_free(mail->part);
    finder_close(&mail->fields);
    mime_free(mail->mime);
    buf_done(&mail->member);
    buf_done(&mail->field_member);
    buf_done(&mail->text);
    buf_done(&mail->word);
    free(mail);
}

enum err mail_reader_new(const struct reader *parent, bool is_mbox, struct reader **out)
{
    static const struct reader_ops ops = {.feed = feed, .end = end, .free = mail_free};
    struct mail_reader *mail = calloc(1, sizeof *mail);
    if (mail == NULL) {
        return ERR_NOMEM;
    }
    reader_init(&mail->base, &ops, parent, parent->member);
    mail->is_mbox = is_mbox;
    buf_init(&mail->member, DOCUMENT_MEMBER_BYTES_MAX);
    buf_init(&mail->field_member, DOCUMENT_MEMBER_BYTES_MAX);
    buf_init(&mail->text, DOCUMENT_TEXT_BYTES_MAX);
    buf_init(&mail->word, DOCUMENT_TEXT_BYTES_MAX);
    enum err e = mime_new(is_mbox, &mail->mime);
    e = e == ERR_NONE ? finder_open(&mail->fields, &mail->base) : e;
    mail->fields.counts_lines = false;
    if (e != ERR_NONE) {
        mail_free(&mail->base);
        return e;
    }
    *out = &mail->base;
    return ERR_NONE;
}
