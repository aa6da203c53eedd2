/* providers/provider_names: the keys that tell a provider: mx, domain, alias, banner. A name of a user's file is
 * taken from whoever had it; within one level it may stand once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/provider_reader_private.h"

enum { BANNER_BYTES_MIN = 4 }; /* shorter fragments fit too many greetings */

enum err provider_lower_copy(struct book_reader *r, struct slice word, struct slice *out)
{
    char text[PROVIDER_HOST_BYTES_MAX];
    if (word.len == 0 || word.len > sizeof text) {
        return lines_fault(&r->lines, &r->fault, "a name of 1 to %d bytes is needed here",
                           PROVIDER_HOST_BYTES_MAX);
    }
    for (size_t i = 0; i < word.len; i++) {
        text[i] = ascii_lower(word.at[i]);
    }
    return arena_copy(&r->book->arena, slice_make(text, word.len), out);
}

enum err provider_belongs_to(struct book_reader *r, struct slice name, const struct provider *owner,
                             struct provider_place place)
{
    char where[PROVIDER_WHERE_BYTES];
    provider_place_write(r->book, place, where);
    return lines_fault(&r->lines, &r->fault, "%.*s \"%.*s\" belongs to %.*s (%s); remove one",
                       SLICE_ARG(reader_key(r)), SLICE_ARG(name), SLICE_ARG(owner->name), where);
}

/* Gives a name that is known to this entry, unless a file of the same level gave it away before. */
static enum err take_name(struct book_reader *r, struct provider_name *name, struct slice text)
{
    if (provider_level_of(r->book, name->place) == r->level) {
        return provider_belongs_to(r, text, name->provider, name->place);
    }
    name->provider = r->now;
    name->place = reader_place(r);
    return ERR_NONE;
}

static enum err new_name(struct book_reader *r, struct slice text, struct provider_name **out)
{
    struct provider_name *name = arena_alloc(&r->book->arena, sizeof *name);
    if (name == NULL) {
        return ERR_NOMEM;
    }
    *name = (struct provider_name){.text = text, .provider = r->now, .place = reader_place(r)};
    *out = name;
    return ERR_NONE;
}

static enum err add_to_map(struct book_reader *r, struct map *map, struct slice text)
{
    struct provider_name *name = map_find(map, text);
    if (name != NULL) {
        return take_name(r, name, text);
    }
    enum err e = new_name(r, text, &name);
    return e != ERR_NONE ? e : map_put(map, text, name);
}

static enum err add_to_list(struct book_reader *r, struct provider_name **list, struct slice text)
{
    for (struct provider_name *name = *list; name != NULL; name = name->next) {
        if (slice_equal_nocase(name->text, text)) {
            return take_name(r, name, text);
        }
    }
    struct provider_name *name;
    enum err e = new_name(r, text, &name);
    if (e == ERR_NONE) {
        name->next = *list;
        *list = name;
    }
    return e;
}

/* Letters, digits, '-', '_', '.', and `*` as a label of its own. */
static bool is_host_form(struct slice s)
{
    if (s.len == 0 || s.at[0] == '.' || s.at[s.len - 1] == '.') {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (!ascii_is_alnum(c) && c != '-' && c != '.' && c != '_' && c != '*') {
            return false;
        }
    }
    return true;
}

static enum err each_name(struct book_reader *r,
                          enum err (*add)(struct book_reader *r, struct slice name))
{
    for (size_t i = 1; i < r->lines.count; i++) {
        struct slice name = SLICE_NONE;
        enum err e = provider_lower_copy(r, r->lines.words[i].text, &name);
        e = e != ERR_NONE ? e : add(r, name);
        if (e != ERR_NONE) {
            return e;
        }
        r->book->counts.names += r->is_overlay ? 1 : 0;
    }
    return r->lines.count > 1 ? ERR_NONE
                              : lines_fault(&r->lines, &r->fault, "at least one name is needed");
}

static enum err no_host_name(struct book_reader *r, struct slice name)
{
    return lines_fault(&r->lines, &r->fault,
                       "\"%.*s\" is no host name; no dot at the ends, * only for a whole "
                       "label of an mx",
                       SLICE_ARG(name));
}

static enum err add_mx(struct book_reader *r, struct slice name)
{
    if (!is_host_form(name)) {
        return no_host_name(r, name);
    }
    bool is_glob = slice_find_byte(name, '*', 0) < name.len;
    return r->is_lost ? ERR_NONE
           : is_glob  ? add_to_list(r, &r->book->globs, name)
                      : add_to_map(r, &r->book->suffixes, name);
}

static enum err add_domain(struct book_reader *r, struct slice name)
{
    if (!is_host_form(name) || slice_find_byte(name, '*', 0) < name.len) {
        return no_host_name(r, name);
    }
    return r->is_lost ? ERR_NONE : add_to_map(r, &r->book->domains, name);
}

static enum err add_alias(struct book_reader *r, struct slice name)
{
    if (r->is_lost) {
        return ERR_NONE;
    }
    const struct provider_name *known = map_find(&r->book->names, name);
    bool is_own_name = known != NULL && slice_equal(known->provider->name, name);
    return is_own_name ? provider_belongs_to(r, name, known->provider, known->place)
                       : add_to_map(r, &r->book->names, name);
}

enum err provider_key_mx(struct book_reader *r)
{
    return each_name(r, add_mx);
}

enum err provider_key_domain(struct book_reader *r)
{
    return each_name(r, add_domain);
}

/* Other names that people use for it. */
enum err provider_key_alias(struct book_reader *r)
{
    return each_name(r, add_alias);
}

enum err provider_key_banner(struct book_reader *r)
{
    struct slice text;
    enum err e = lines_value(&r->lines, &r->book->arena, &text, &r->fault);
    if (e != ERR_NONE) {
        return e;
    }
    if (text.len < BANNER_BYTES_MIN) {
        return lines_fault(&r->lines, &r->fault, "a banner fragment needs at least %d bytes",
                           BANNER_BYTES_MIN);
    }
    r->book->counts.names += r->is_overlay ? 1 : 0;
    return r->is_lost ? ERR_NONE : add_to_list(r, &r->book->banners, text);
}

enum err provider_add_own_name(struct book_reader *r, struct slice name)
{
    return add_to_map(r, &r->book->names, name);
}
