/* SPDX-License-Identifier: Apache-2.0 */
#include "zone_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/slice.h"

enum { TTL_S = 300 };

static const struct {
    const char *word;
    enum dns_type type;
} types[] = {
    {"A", DNS_A},     {"AAAA", DNS_AAAA}, {"MX", DNS_MX},
    {"TXT", DNS_TXT}, {"PTR", DNS_PTR},   {"CNAME", DNS_CNAME},
};

static bool is_in_words(const char *words, struct slice word)
{
    struct slice rest = slice_of(words == NULL ? "" : words);
    while (rest.at != NULL) {
        if (slice_equal(slice_cut(&rest, ' '), word)) {
            return true;
        }
    }
    return false;
}

static void add_line(struct zone *zone, struct slice name, struct slice type, struct slice value)
{
    char name_text[300], value_text[2048];
    (void)snprintf(name_text, sizeof name_text, "%.*s", SLICE_ARG(name));
    (void)snprintf(value_text, sizeof value_text, "%.*s", SLICE_ARG(value));
    if (slice_equal(type, SLICE("FAIL"))) {
        bool is_silent = slice_equal(value, SLICE("timeout"));
        assert_int_equal(zone_fail(zone, name_text, is_silent ? ZONE_TIMEOUT : ZONE_SERVFAIL),
                         ERR_NONE);
        return;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (slice_equal(type, slice_of(types[i].word))) {
            assert_int_equal(zone_add(zone, name_text, types[i].type, value_text, TTL_S), ERR_NONE);
            return;
        }
    }
    fail_msg("no record: %s %.*s", name_text, SLICE_ARG(type));
}

void zone_add_lines(struct zone *zone, const char *lines, const char *without)
{
    struct slice rest = slice_of(lines == NULL ? "" : lines);
    while (rest.at != NULL) {
        struct slice value = slice_cut(&rest, '\n');
        if (value.len == 0) {
            continue;
        }
        struct slice name = slice_cut(&value, ' ');
        struct slice type = slice_cut(&value, ' ');
        if (!is_in_words(without, name)) {
            add_line(zone, name, type, value.at == NULL ? SLICE_NONE : value);
        }
    }
}
