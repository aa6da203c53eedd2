/* fuzz/providers_rules: any bytes as a rule file and as a provider file. What compiles must also answer:
 * every example is classified, and freeing leaves nothing.
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
                                "provider google\nlabel x\nclass isp\n"
                                "provider yandex\nlabel x\nclass isp\n";

static void compile_providers(struct slice text)
{
    const struct provider_source source = {SLICE("fuzz"), text};
    struct provider_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    enum err e = provider_book_compile(&source, 1, &book, &fault);
    must((e == ERR_NONE) == (book != NULL));
    must(e == ERR_NONE || fault.text[0] != '\0');
    if (e == ERR_NONE) {
        must(provider_by_host(book, text) != NULL);
        (void)provider_by_domain(book, text);
        (void)provider_by_banner(book, text);
    }
    provider_book_free(book);
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
    compile_providers(text);
    const struct provider_source book_source = {SLICE("book"), slice_of(book_text)};
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
    }
    rules_free(rules);
    provider_book_free(book);
    return 0;
}
