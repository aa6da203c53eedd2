/* fuzz/address: any bytes as an address. What parses has no control on the wire, fits its limits, and parses
 * again into the same value; strict is a part of practical; flags, normal form and suggestion have an answer.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "address/lists.h"
#include "address/normal.h"
#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct hel_address *a)
{
    struct slice wire = hel_address_wire(a);
    must(wire.len == strlen(a->wire) && wire.len <= HEL_ADDRESS_BYTES_MAX);
    must(a->domain_text_len == strlen(a->domain_text));
    must(a->local_len >= 1 && a->local_len <= HEL_LOCAL_BYTES_PRACTICAL_MAX);
    must(a->wire[a->local_len] == '@' && text_is_utf8(wire));
    for (size_t i = 0; i < wire.len; i++) {
        unsigned char byte = (unsigned char)wire.at[i];
        must(byte >= ' ' && byte != 0x7f);
        must(a->is_quoted || (byte != ' ' && byte != '<' && byte != '>' && byte != '"'));
        must(i <= a->local_len || byte < 0x80);
    }
    must(a->is_literal == (a->wire[a->local_len + 1] == '['));
    must(a->is_quoted == (a->wire[0] == '"'));
}

static void check_again(const struct hel_address *a, enum hel_address_mode mode)
{
    struct hel_address again;
    must(hel_address_parse(hel_address_wire(a), mode, &again, NULL) == ERR_NONE);
    must(strcmp(again.wire, a->wire) == 0 && strcmp(again.domain_text, a->domain_text) == 0);
    must(again.local_len == a->local_len && again.needs_smtputf8 == a->needs_smtputf8);
    must(again.is_quoted == a->is_quoted && again.is_literal == a->is_literal);
    must(again.is_idn == a->is_idn);
}

static struct address_lists *load_lists(void)
{
    static const struct address_list_source sources[] = {
        {SLICE_LITERAL("popular.txt"), SLICE_LITERAL("gmail.com\nhotmail.co.uk\nprotonmail.com\n")},
        {SLICE_LITERAL("disposable.txt"), SLICE_LITERAL("mailinator.com\n")},
        {SLICE_LITERAL("roles.txt"), SLICE_LITERAL("info\n")},
        {SLICE_LITERAL("tlds.txt"), SLICE_LITERAL("com\nuk\n")},
    };
    struct address_lists *lists = NULL;
    must(address_lists_load(sources, sizeof sources / sizeof sources[0], &lists, NULL) == ERR_NONE);
    return lists;
}

static void ask(const struct hel_address *a, struct slice text)
{
    static struct address_lists *lists; /* kept until the end, as the process is */
    if (lists == NULL) {
        lists = load_lists();
    }
    char out[HEL_WIRE_BYTES];
    address_normal(a, out);
    must(strchr(out, '@') != NULL);
    address_key(a, out);
    must(strlen(out) == a->wire_len);
    struct domain_flags domain;
    struct address_flags flags;
    domain_flags(lists, hel_address_domain(a), &text, 1, &domain);
    address_flags(lists, a, &domain, &flags);
    must(domain.is_disposable == (domain.disposable_entry.len > 0));
    must(flags.is_idn == a->is_idn);
    struct hel_address meant;
    if (address_suggest(lists, a, out)) {
        must(hel_address_parse(slice_of(out), HEL_ADDRESS_PRACTICAL, &meant, NULL) == ERR_NONE);
        must(!address_suggest(lists, &meant, out));
    }
}

/* A blank in front has the whole parser read what the quick way reads otherwise. */
static void check_whole(struct slice text, const struct hel_address *quick)
{
    char blank[256] = " ";
    if (text.len >= sizeof blank) {
        return;
    }
    memcpy(blank + 1, text.at, text.len);
    struct hel_address whole;
    must(hel_address_parse(slice_make(blank, text.len + 1), HEL_ADDRESS_PRACTICAL, &whole, NULL) ==
         ERR_NONE);
    must(strcmp(whole.wire, quick->wire) == 0);
    must(strcmp(whole.domain_text, quick->domain_text) == 0);
    must(whole.local_len == quick->local_len && whole.is_idn == quick->is_idn);
    must(whole.is_quoted == quick->is_quoted && whole.is_literal == quick->is_literal);
    must(whole.needs_smtputf8 == quick->needs_smtputf8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct hel_address strict;
    struct hel_address practical;
    struct hel_address_error error = {.column = 0};
    enum err e = hel_address_parse(text, HEL_ADDRESS_PRACTICAL, &practical, &error);
    enum err e_strict = hel_address_parse(text, HEL_ADDRESS_STRICT, &strict, NULL);
    must(e == ERR_NONE || e == ERR_SYNTAX);
    must(e == ERR_NONE || (error.column > 0 && error.column <= size + 1 && error.text[0] != '\0'));
    must(e_strict != ERR_NONE || e == ERR_NONE);
    if (e == ERR_NONE) {
        check_value(&practical);
        check_again(&practical, HEL_ADDRESS_PRACTICAL);
        check_whole(text, &practical);
        ask(&practical, text);
    }
    if (e_strict == ERR_NONE) {
        must(strict.local_len <= HEL_LOCAL_BYTES_MAX);
        must(strcmp(strict.wire, practical.wire) == 0);
        check_again(&strict, HEL_ADDRESS_STRICT);
    }
    return 0;
}
