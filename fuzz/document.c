/* fuzz/document: any bytes as a file of any kind, whole and in pieces: the same addresses and the same trouble in both,
 * in the memory and depth that were given; or as the pages of a PDF's text. PDFs are passed over: they are read by a
 * program.
 * SPDX-License-Identifier: Apache-2.0 */
#include "document/document.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "document/document_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_BYTES_MAX = 1 << 18,
    UNPACKED_BYTES_MAX = 1 << 22,
    DEPTH_MAX = 3,
};

struct tally {
    uint64_t hash;
    bool is_too_much; /* where what is read ends depends on the pieces */
};

static const struct address_lists *load_lists(void)
{
    static struct address_lists *lists; /* kept until the end, as the process is */
    static const struct address_list_source source = {SLICE_LITERAL("tlds.txt"),
                                                      SLICE_LITERAL("com\norg\nde\n")};
    struct fault fault;
    must(lists != NULL || address_lists_load(&source, 1, &lists, &fault) == ERR_NONE);
    return lists;
}

static enum err found(void *context, const struct extract_found *found,
                      const struct document_place *place)
{
    struct tally *tally = context;
    must(text_is_utf8(found->text) && found->address.local_len > 0);
    must(place->member.len <= DOCUMENT_MEMBER_BYTES_MAX);
    uint64_t hash = slice_hash(found->text, tally->hash + (uint64_t)place->unit);
    tally->hash = slice_hash(place->member, hash + place->number) + place->column;
    return ERR_NONE;
}

static void trouble(void *context, const char *text)
{
    struct tally *tally = context;
    tally->hash = slice_hash(slice_of(text), tally->hash);
    tally->is_too_much = tally->is_too_much || strstr(text, "too much") != NULL;
}

static struct tally read_document(struct document_config config, struct slice text, size_t step)
{
    struct tally tally = {.hash = 0};
    struct document *document = NULL;
    config.context = &tally;
    must(document_open(&config, &document) == ERR_NONE);
    for (size_t at = 0; at < text.len; at += step) {
        must(document_feed(document, slice_sub(text, at, at + step)) == ERR_NONE);
    }
    must(document_end(document) == ERR_NONE);
    must(document->unpacked <= UNPACKED_BYTES_MAX || document_has_trouble(document));
    document_close(document);
    return tally;
}

static struct tally read_pages(struct document_config config, struct slice text, size_t step)
{
    struct tally tally = {.hash = 0};
    config.context = &tally;
    struct document document = {.config = config};
    const struct reader reader = {.document = &document};
    struct finder finder;
    must(finder_open(&finder, &reader) == ERR_NONE);
    finder_begin_pages(&finder);
    for (size_t at = 0; at < text.len; at += step) {
        must(finder_feed_pages(&finder, slice_sub(text, at, at + step)) == ERR_NONE);
    }
    must(finder_end(&finder) == ERR_NONE);
    finder_close(&finder);
    extract_free(document.idle);
    return tally;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_BYTES_MAX) {
        return 0;
    }
    const struct document_config config = {
        .lists = load_lists(),
        .wants_obfuscated = (data[0] & 1) != 0,
        .wants_hidden = (data[0] & 2) != 0,
        .limits = {.depth_max = DEPTH_MAX,
                   .unpacked_bytes_max = UNPACKED_BYTES_MAX,
                   .spool_bytes_max = UNPACKED_BYTES_MAX},
        .fd = -1,
        .found = found,
        .trouble = trouble,
    };
    bool is_pages = (data[0] & 4) != 0;
    struct slice text = slice_make((const char *)data + 2, size - 2);
    size_t step = (size_t)data[1] * 16 + 1;
    struct tally whole =
        is_pages ? read_pages(config, text, size) : read_document(config, text, size);
    struct tally pieces =
        is_pages ? read_pages(config, text, step) : read_document(config, text, step);
    must(whole.hash == pieces.hash || whole.is_too_much || pieces.is_too_much);
    return 0;
}
