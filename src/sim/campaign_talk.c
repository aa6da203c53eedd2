/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/slice.h"
#include "base/text.h"

enum {
    KEPT_MAX = 12,             /* conversations that are over */
    TEXT_BYTES_MAX = 64 << 10, /* of one */
    ADDRESS_BYTES = 128,
};

struct conversation_text {
    TAILQ_ENTRY(conversation_text) link;
    uint32_t line;
    bool is_over;
    struct buf text;
};
TAILQ_HEAD(text_list, conversation_text);

struct campaign_talk {
    char address[ADDRESS_BYTES];
    struct text_list texts;
    unsigned over;
};

enum err campaign_talk_new(struct slice address, struct campaign_talk **out)
{
    struct campaign_talk *talk = calloc(1, sizeof *talk);
    if (talk == NULL) {
        return ERR_NOMEM;
    }
    TAILQ_INIT(&talk->texts);
    (void)snprintf(talk->address, sizeof talk->address, "%.*s", SLICE_ARG(address));
    *out = talk;
    return ERR_NONE;
}

static void forget(struct campaign_talk *talk, struct conversation_text *text)
{
    TAILQ_REMOVE(&talk->texts, text, link);
    talk->over -= text->is_over ? 1 : 0;
    buf_done(&text->text);
    free(text);
}

void campaign_talk_free(struct campaign_talk *talk)
{
    if (talk == NULL) {
        return;
    }
    struct conversation_text *text = TAILQ_FIRST(&talk->texts);
    while (text != NULL) {
        struct conversation_text *next = TAILQ_NEXT(text, link);
        buf_done(&text->text);
        free(text);
        text = next;
    }
    free(talk);
}

static struct conversation_text *find(struct campaign_talk *talk, uint32_t line)
{
    struct conversation_text *text;
    TAILQ_FOREACH(text, &talk->texts, link)
    {
        if (text->line == line) {
            return text;
        }
    }
    return NULL;
}

static struct conversation_text *get(struct campaign_talk *talk, uint32_t line)
{
    struct conversation_text *text = find(talk, line);
    if (text != NULL) {
        return text;
    }
    text = calloc(1, sizeof *text);
    if (text != NULL) {
        text->line = line;
        buf_init(&text->text, TEXT_BYTES_MAX);
        TAILQ_INSERT_TAIL(&talk->texts, text, link);
    }
    return text;
}

static enum err note(struct buf *text, uint64_t now_ms, const char *what, struct slice said)
{
    enum err e = buf_printf(text, "  %10" PRIu64 ".%03u %s ", now_ms / 1000,
                            (unsigned)(now_ms % 1000), what);
    e = e == ERR_NONE ? text_append_printable(text, said) : e;
    return e == ERR_NONE ? buf_append_byte(text, '\n') : e;
}

void campaign_talk_note(struct campaign_talk *talk, uint32_t line, uint64_t now_ms,
                        const char *what, struct slice bytes)
{
    struct conversation_text *text = get(talk, line);
    if (text == NULL) {
        return;
    }
    struct slice rest = bytes;
    enum err e = ERR_NONE;
    while (rest.at != NULL && e == ERR_NONE) {
        struct slice said = slice_cut(&rest, '\n');
        if (slice_ends(said, SLICE("\r"))) {
            said.len--;
        }
        if (said.len > 0 || bytes.len == 0) {
            e = note(&text->text, now_ms, what, said);
        }
    }
}

void campaign_talk_closed(struct campaign_talk *talk, uint32_t line)
{
    struct conversation_text *text = find(talk, line);
    if (text == NULL) {
        return;
    }
    struct slice said = buf_view(&text->text);
    if (slice_find_nocase(said, slice_of(talk->address)) == said.len) {
        forget(talk, text);
        return;
    }
    text->is_over = true;
    if (++talk->over <= KEPT_MAX) {
        return;
    }
    TAILQ_FOREACH(text, &talk->texts, link)
    {
        if (text->is_over) {
            forget(talk, text);
            return;
        }
    }
}

enum err campaign_talk_write(const struct campaign_talk *talk, struct buf *out)
{
    enum err e = ERR_NONE;
    const struct conversation_text *text;
    TAILQ_FOREACH(text, &talk->texts, link)
    {
        struct slice said = buf_view(&text->text);
        bool is_about = slice_find_nocase(said, slice_of(talk->address)) < said.len;
        if (is_about && e == ERR_NONE) {
            e = buf_printf(out, "connection %u%s\n", text->line, text->is_over ? "" : ", open");
            e = e == ERR_NONE ? buf_append(out, said) : e;
        }
    }
    return e;
}
