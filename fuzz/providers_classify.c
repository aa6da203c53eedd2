/* fuzz/providers_classify: any reply text against a small set of rules of every kind. The first two bytes
 * choose stage and code; a recipient and our own words are cut from the front. Before RCPT the answer
 * must never speak of a mailbox.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "providers/classify.h"
#include "providers/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char book_text[] = "source s\ndate 2026-11\n"
                                "provider default\nlabel x\nclass isp\n"
                                "provider google\nlabel x\nclass isp\n";

static const char rules_text[] =
    "section \"a\"\nprovider google\nsource s\ndate 2026-11\n"
    "rule exists\ntext \"receiving mail\"\nexample \"450 receiving mail\"\n"
    "section \"b\"\nlayer us\nsource s\ndate 2026-11\n"
    "rule policy_blocked\ntext \"spf\" /blocked .{0,40}(by|using)/\nwithout \"user\"\n"
    "example \"550 spf\"\n"
    "section \"c\"\nlayer greylist\nsource s\ndate 2026-11\n"
    "rule greylisted\ncode 4xx\ntext \"grey\" \"try again\"\nretry 60\nexample \"450 grey\"\n"
    "section \"d\"\nlayer no_user\nsource s\ndate 2026-11\n"
    "rule mailbox_full\nenhanced x.2.2\nexample \"550 5.2.2 x\"\n"
    "rule mailbox_unknown\ntext \"unknown\" /<@> (not|nicht)/\nwith \"user\" \"<@>\"\n"
    "example \"550 user unknown\"\n";

struct world {
    struct provider_book *book;
    struct rules *rules;
};

static struct world *open_world(void)
{
    static struct world world;
    if (world.rules == NULL) {
        const struct provider_source book = {.name = SLICE("book"), .text = slice_of(book_text)};
        must(provider_book_compile(&book, 1, &world.book, NULL) == ERR_NONE);
        const struct rules_source rules = {SLICE("rules"), slice_of(rules_text)};
        must(rules_compile(&rules, 1, world.book, &world.rules, NULL) == ERR_NONE);
    }
    return &world;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const struct world *world = open_world();
    struct slice rest = slice_make((const char *)data + 2, size - 2);
    enum hel_smtp_stage stage = (enum hel_smtp_stage)(data[0] % HEL_SMTP_STAGE_COUNT);
    struct slice rcpt = slice_cut(&rest, '\n');
    struct slice own = rest.at == NULL ? SLICE_NONE : slice_cut(&rest, '\n');
    struct hel_reply reply = {.code = (uint16_t)(200 + data[1] * 2)};
    reply.text = rest.at == NULL ? SLICE_NONE : rest;
    (void)hel_enhanced_parse(reply.text, &reply.enhanced);
    const struct classify_question question = {.stage = stage,
                                               .provider =
                                                   data[0] >= 128 ? SLICE("google") : SLICE_NONE,
                                               .reply = &reply,
                                               .own_words = &own,
                                               .own_word_count = 1,
                                               .rcpt = rcpt};
    struct classification c = rules_classify(world->rules, &question);
    must(c.rule != NULL);
    must(stage >= HEL_SMTP_RCPT || c.scope != SCOPE_MAILBOX);
    must(c.retry_after_s <= 24 * 60 * 60);
    return 0;
}
