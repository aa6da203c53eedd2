/* fuzz/providers_rules: any bytes as a rule file, as a provider file, as a user's file over ours, and as one of
 * block lists. What compiles must also answer:
 * every example is classified, and freeing leaves nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "providers/blocklist.h"
#include "providers/classify.h"
#include "providers/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char book_text[] = "source s\ndate 2026-11\n"
                                "provider default\nlabel x\nclass isp\n"
                                "provider google\nlabel x\nclass isp\n"
                                "provider yandex\nlabel x\nclass isp\n";

/* A book answers every question, and shows every value that it answers with. */
static void ask_book(const struct provider_book *book, struct slice text)
{
    must(provider_by_host(book, text) != NULL);
    must(provider_serving(book, text, text) != NULL);
    (void)provider_by_domain(book, text);
    (void)provider_by_banner(book, text);
    struct provider_match match;
    provider_match_host(book, text, &match);
    const struct provider *provider;
    for (size_t i = 0; (provider = provider_at(book, i)) != NULL; i++) {
        struct provider_setting setting;
        for (size_t k = 0; provider_setting_at(book, provider, k, &setting); k++) {
            must(setting.where[0] != '\0');
        }
        for (size_t k = 0; provider_trait_at(book, provider, k, &setting); k++) {
            must(setting.where[0] != '\0');
        }
        must(provider->limits[PROVIDER_CONNECTIONS] > 0 &&
             provider->limits[PROVIDER_RCPTS_PER_CONNECTION] > 0 &&
             provider->limits[PROVIDER_TRANSACTIONS_PER_CONNECTION] > 0);
    }
}

/* Every fault is a line of the report; the first is the fault. */
static void check_faults(enum err e, const struct fault *fault, const struct buf *report)
{
    struct slice lines = buf_view(report);
    must((e == ERR_SYNTAX) == (lines.len > 0));
    must(e == ERR_NONE || fault->text[0] != '\0');
    if (e == ERR_SYNTAX) {
        must(lines.at[lines.len - 1] == '\n');
        must(slice_starts(lines, slice_of(fault->text)));
    }
}

static void compile_providers(const struct provider_source *sources, size_t count,
                              struct slice text)
{
    struct provider_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    struct buf report;
    buf_init(&report, PROVIDER_REPORT_BYTES_MAX);
    enum err e = provider_book_compile_telling(sources, count, &report, &book, &fault);
    must((e == ERR_NONE) == (book != NULL));
    check_faults(e, &fault, &report);
    if (e == ERR_NONE) {
        ask_book(book, text);
    }
    provider_book_free(book);
    buf_done(&report);
}

static void compile_blocklists(struct slice text)
{
    const struct blocklist_source source = {SLICE("fuzz"), text};
    struct blocklist_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    struct ip ip;
    must(ip_parse(SLICE("127.0.0.2"), &ip));
    enum err e = blocklist_book_compile(&source, 1, &book, &fault);
    must((e == ERR_NONE) == (book != NULL));
    must(e == ERR_NONE || fault.text[0] != '\0');
    for (size_t i = 0; e == ERR_NONE && i < blocklist_count(book); i++) {
        const struct blocklist *list = blocklist_at(book, i);
        must(list->zone.len > 0 && list->subjects != 0);
        must(blocklist_read(list, &ip).meaning != BLOCKLIST_CLEAN);
    }
    blocklist_book_free(book);
}

static void ask_examples(const struct rules *rules)
{
    for (size_t i = 0; i < rules_example_count(rules); i++) {
        struct rules_example example = rules_example_at(rules, i);
        const struct hel_reply reply = {.code = 550, .text = example.reply};
        const struct classify_question question = {
            .stage = example.stage, .provider = example.provider, .reply = &reply};
        must(rules_classify(rules, &question).rule != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    const struct provider_source book_source = {.name = SLICE("book"), .text = slice_of(book_text)};
    const struct provider_source over[] = {
        book_source, {.name = SLICE("fuzz"), .text = text, .is_overlay = true}};
    const struct provider_source alone = {.name = SLICE("fuzz"), .text = text};
    compile_providers(&alone, 1, text);
    compile_providers(over, 2, text);
    compile_blocklists(text);
    struct provider_book *book = NULL;
    must(provider_book_compile(&book_source, 1, &book, NULL) == ERR_NONE);
    const struct rules_source source = {SLICE("fuzz"), text};
    struct rules *rules = NULL;
    struct fault fault = {.err = ERR_NONE};
    enum err e = rules_compile(&source, 1, book, &rules, &fault);
    must((e == ERR_NONE) == (rules != NULL));
    must(e == ERR_NONE || fault.text[0] != '\0');
    if (e == ERR_NONE) {
        ask_examples(rules);
        e = rules_check(rules, &fault);
        must(e == ERR_NONE || fault.text[0] != '\0');
        rules_hasten(rules);
        ask_examples(rules);
    }
    rules_free(rules);
    provider_book_free(book);
    return 0;
}
