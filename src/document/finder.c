/* SPDX-License-Identifier: Apache-2.0 */
#include "base/attr.h"
#include "base/slice.h"
#include "document/document_private.h"

/* The extraction of a text that is over serves the next one: mail has many short ones. */
enum err finder_open(struct finder *finder, const struct reader *reader)
{
    struct document *document = reader->document;
    *finder = (struct finder){
        .document = document, .place = {.member = reader->member}, .counts_lines = true};
    if (document->idle != NULL) {
        finder->extract = TAKE(document->idle);
        return ERR_NONE;
    }
    const struct extract_config config = {.lists = document->config.lists,
                                          .wants_obfuscated = document->config.wants_obfuscated,
                                          .has_no_lines = document->config.has_no_lines};
    return extract_new(&config, &finder->extract);
}

void finder_close(struct finder *finder)
{
    if (finder->extract == NULL) {
        return;
    }
    if (finder->document->idle == NULL) {
        extract_restart(finder->extract);
        finder->document->idle = TAKE(finder->extract);
    }
    extract_free(TAKE(finder->extract));
}

static enum err tell_all(struct finder *finder)
{
    const struct document_config *config = &finder->document->config;
    struct extract_found found;
    enum err e = ERR_NONE;
    while (e == ERR_NONE && extract_next(finder->extract, &found)) {
        struct document_place place = finder->place;
        place.number = finder->counts_lines ? found.line : place.number;
        e = config->found(config->context, &found, &place);
    }
    return e;
}

enum err finder_feed(struct finder *finder, struct slice text)
{
    extract_feed(finder->extract, text);
    return tell_all(finder);
}

enum err finder_end(struct finder *finder)
{
    extract_end(finder->extract);
    enum err e = tell_all(finder);
    extract_restart(finder->extract);
    return e;
}

void finder_begin_pages(struct finder *finder)
{
    finder->counts_lines = false;
    finder->place.unit = DOCUMENT_PAGE;
    finder->place.number = 1;
}

enum err finder_feed_pages(struct finder *finder, struct slice text)
{
    for (;;) {
        size_t end = slice_find_byte(text, '\f', 0);
        enum err e = finder_feed(finder, slice_sub(text, 0, end));
        if (e != ERR_NONE || end == text.len) {
            return e;
        }
        e = finder_end(finder);
        if (e != ERR_NONE) {
            return e;
        }
        finder->place.number++;
        text = slice_sub(text, end + 1, text.len);
    }
}
