/* fuzz/address_extract: any bytes as text, whole and in pieces: the same addresses in both, each in its place, and each
 * one an address by itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "address/extract.h"
#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    uint64_t count, end, hash;
};

static struct address_lists *load_lists(void)
{
    static const struct address_list_source sources[] = {
        {SLICE_LITERAL("tlds.txt"), SLICE_LITERAL("com\norg\nuk\n")},
    };
    struct address_lists *lists = NULL;
    must(address_lists_load(sources, sizeof sources / sizeof sources[0], &lists, NULL) == ERR_NONE);
    return lists;
}

static void note(const struct extract_found *found, size_t size, struct tally *tally)
{
    struct hel_address again;
    must(found->offset >= tally->end && found->offset < found->end && found->end <= size);
    must(found->line >= 1 && text_is_utf8(found->text));
    must(hel_address_parse(found->text, HEL_ADDRESS_STRICT, &again, NULL) == ERR_NONE);
    must(strcmp(again.wire, found->address.wire) == 0);
    tally->count++;
    tally->end = found->end;
    tally->hash = slice_hash(found->text, tally->hash + found->offset + found->line);
}

static struct tally extract_all(const struct extract_config *config, struct slice text, size_t step)
{
    struct tally tally = {.count = 0};
    struct extract_found found;
    struct extract *x = NULL;
    must(extract_new(config, &x) == ERR_NONE);
    for (size_t at = 0; at < text.len; at += step) {
        extract_feed(x, slice_sub(text, at, at + step));
        while (extract_next(x, &found)) {
            note(&found, text.len, &tally);
        }
    }
    extract_end(x);
    while (extract_next(x, &found)) {
        note(&found, text.len, &tally);
    }
    extract_free(x);
    return tally;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct address_lists *lists; /* kept until the end, as the process is */
    if (size < 2) {
        return 0;
    }
    lists = lists == NULL ? load_lists() : lists;
    const struct extract_config config = {.lists = lists, .wants_obfuscated = (data[0] & 1) != 0};
    struct slice text = slice_make((const char *)data + 2, size - 2);
    struct tally whole = extract_all(&config, text, text.len + 1);
    struct tally pieces = extract_all(&config, text, (size_t)data[1] + 1);
    must(whole.count == pieces.count && whole.end == pieces.end && whole.hash == pieces.hash);
    return 0;
}
