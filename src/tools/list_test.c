/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_test.h"

#include <stdio.h>
#include <string.h>

#include "address/normal.h"
#include "base/slice.h"

bool list_subject_read(struct slice text, struct list_subject *out)
{
    struct hel_address_error error;
    char whole[LIST_WORD_BYTES * 2];
    out->has_local = slice_find_byte(text, '@', 0) < text.len;
    int len = snprintf(whole, sizeof whole, "%s%.*s", out->has_local ? "" : "a@", SLICE_ARG(text));
    if (text.len >= sizeof whole || len < 0 || (size_t)len >= sizeof whole ||
        hel_address_parse(slice_make(whole, (size_t)len), HEL_ADDRESS_PRACTICAL, &out->address,
                          &error) != ERR_NONE) {
        return false;
    }
    out->domain = hel_address_domain(&out->address);
    return true;
}

static void test_list(const struct list_sources *sources, enum list_kind kind, struct slice word,
                      struct list_test *out)
{
    struct list_hit *hit = &out->hits[out->count];
    hit->kind = kind;
    if (list_match(sources->lists, kind, word, &hit->match) &&
        list_find_spot(sources->place, kind, hit->match.entry, hit->match.is_exception,
                       &hit->spot)) {
        hit->is_parent = !slice_equal(hit->match.entry, word);
        out->count++;
    }
}

/* As the flags look for it: lower case, without a tag. */
static struct slice role_word(const struct hel_address *address, char room[HEL_WIRE_BYTES])
{
    struct slice local = hel_address_local(address);
    struct slice tag;
    size_t len = address_tag(address, &tag) ? local.len - tag.len - 1 : local.len;
    for (size_t i = 0; i < len; i++) {
        room[i] = ascii_lower(local.at[i]);
    }
    return slice_make(room, len);
}

void list_test(const struct list_sources *sources, const struct list_subject *subject,
               struct list_test *out)
{
    static const enum list_kind of_domains[] = {LIST_DISPOSABLE, LIST_DISPOSABLE_WILDCARD,
                                                LIST_FREE, LIST_POPULAR};
    char room[HEL_WIRE_BYTES];
    out->count = 0;
    for (size_t i = 0; i < sizeof of_domains / sizeof *of_domains; i++) {
        test_list(sources, of_domains[i], subject->domain, out);
    }
    if (subject->has_local) {
        test_list(sources, LIST_ROLES, role_word(&subject->address, room), out);
    }
    struct address_flags flags;
    const struct address_lists *lists = sources->lists;
    domain_flags(lists, subject->domain, NULL, 0, &out->flags);
    address_flags(lists, &subject->address, &out->flags, &flags);
    out->is_role = subject->has_local && flags.is_role;
    out->provider = provider_by_domain(sources->providers, subject->domain);
    out->meant = address_suggest_domain(lists, subject->domain);
}

static struct slice name_of(struct slice whole, enum list_naming naming)
{
    size_t slash = slice_find_last_byte(whole, '/');
    bool is_whole = naming == LIST_NAMING_PATHS || slash == whole.len;
    return is_whole ? whole : slice_sub(whole, slash + 1, whole.len);
}

struct slice list_file_name(const char *path, enum list_naming naming)
{
    return name_of(slice_of(path), naming);
}

static void write_provider(struct json_writer *w, const struct provider *provider,
                           enum list_naming naming)
{
    if (provider == NULL) {
        json_null(w, "provider");
        return;
    }
    json_open(w, "provider", '{');
    json_string(w, "name", provider->name);
    json_string(w, "where", name_of(provider->where, naming));
    json_close(w, '}');
}

static void write_hit(struct json_writer *w, const struct list_hit *hit, enum list_naming naming)
{
    json_open(w, NULL, '{');
    json_string(w, "list", slice_of(list_name(hit->kind)));
    json_string(w, "entry", hit->match.entry);
    json_string(w, "rule", hit->is_parent ? SLICE("parent") : SLICE("itself"));
    json_bool(w, "is_exception", hit->match.is_exception);
    json_string(w, "file", list_file_name(hit->spot.path, naming));
    json_int(w, "line", hit->spot.line);
    json_bool(w, "is_own", hit->spot.is_own);
    json_close(w, '}');
}

void list_test_write(struct json_writer *w, struct slice input, const struct list_subject *subject,
                     const struct list_test *test, enum list_naming naming)
{
    json_open(w, NULL, '{');
    json_string(w, "input", input);
    json_string(w, "domain", subject->domain);
    json_open(w, "matches", '[');
    for (size_t i = 0; i < test->count; i++) {
        write_hit(w, &test->hits[i], naming);
    }
    json_close(w, ']');
    json_bool(w, "is_disposable", test->flags.is_disposable);
    json_bool(w, "is_free", test->flags.is_free);
    json_bool(w, "is_role", test->is_role);
    json_string(w, "did_you_mean", test->meant);
    write_provider(w, test->provider, naming);
    json_close(w, '}');
}
