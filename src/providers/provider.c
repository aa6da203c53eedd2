/* providers/provider: the book's answers by host, domain, banner and name. Host suffixes match whole
 * labels and are walked longest first, so the first hit is the longest.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/provider.h"

#include <stdlib.h>

#include "base/slice.h"
#include "providers/provider_private.h"

void provider_book_free(struct provider_book *book)
{
    if (book == NULL) {
        return;
    }
    map_done(&book->names);
    map_done(&book->suffixes);
    map_done(&book->domains);
    arena_done(&book->arena);
    free(book->all);
    free(book);
}

void provider_book_count(const struct provider_book *book, struct provider_counts *out)
{
    *out = book->counts;
}

const struct provider *provider_at(const struct provider_book *book, size_t index)
{
    return index < book->count ? book->all[index] : NULL;
}

const char *provider_class_name(enum provider_class class)
{
    switch (class) {
    case PROVIDER_WEBMAIL: return "webmail";
    case PROVIDER_BUSINESS: return "business";
    case PROVIDER_GATEWAY: return "gateway";
    case PROVIDER_ISP: return "isp";
    case PROVIDER_HOSTING: return "hosting";
    case PROVIDER_FORWARDER: return "forwarder";
    case PROVIDER_SELFHOSTED: return "selfhosted";
    }
    return "unknown";
}

/* Lower case without the root's dot; the empty slice where it cannot be a host. */
static struct slice host_key(struct slice host, char key[PROVIDER_HOST_BYTES_MAX])
{
    if (host.len > 0 && host.at[host.len - 1] == '.') {
        host.len--;
    }
    if (host.len > PROVIDER_HOST_BYTES_MAX) {
        return SLICE_NONE;
    }
    for (size_t i = 0; i < host.len; i++) {
        key[i] = ascii_lower(host.at[i]);
    }
    return slice_make(key, host.len);
}

static bool glob_fits(struct slice glob, struct slice name)
{
    while (glob.at != NULL && name.at != NULL) {
        struct slice form = slice_cut(&glob, '.');
        struct slice label = slice_cut(&name, '.');
        if (!slice_equal(form, SLICE("*")) && !slice_equal(form, label)) {
            return false;
        }
    }
    return glob.at == NULL && name.at == NULL;
}

static const struct provider_name *by_suffix(const struct provider_book *book, struct slice suffix)
{
    const struct provider_name *found = map_find(&book->suffixes, suffix);
    for (const struct provider_name *n = book->globs; n != NULL && found == NULL; n = n->next) {
        if (glob_fits(n->text, suffix)) {
            found = n;
        }
    }
    return found;
}

static const struct provider_name *find_host(const struct provider_book *book, struct slice mx_host)
{
    UNFILLED char key[PROVIDER_HOST_BYTES_MAX];
    struct slice suffix = host_key(mx_host, key);
    while (suffix.len > 0) {
        const struct provider_name *found = by_suffix(book, suffix);
        if (found != NULL) {
            return found;
        }
        suffix = slice_sub(suffix, slice_find_byte(suffix, '.', 0) + 1, suffix.len);
    }
    return NULL;
}

static const struct provider_name *find_in(const struct map *map, struct slice name)
{
    UNFILLED char key[PROVIDER_HOST_BYTES_MAX];
    return map_find(map, host_key(name, key));
}

const struct provider *provider_by_host(const struct provider_book *book, struct slice mx_host)
{
    const struct provider_name *found = find_host(book, mx_host);
    return found == NULL ? book->fallback : found->provider;
}

const struct provider *provider_by_domain(const struct provider_book *book, struct slice domain)
{
    const struct provider_name *found = find_in(&book->domains, domain);
    return found == NULL ? NULL : found->provider;
}

const struct provider *provider_by_banner(const struct provider_book *book, struct slice banner)
{
    const struct provider_name *best = NULL;
    for (const struct provider_name *n = book->banners; n != NULL; n = n->next) {
        bool is_better = best == NULL || n->text.len > best->text.len;
        if (is_better && slice_find_nocase(banner, n->text) < banner.len) {
            best = n;
        }
    }
    return best == NULL ? NULL : best->provider;
}

const struct provider *provider_by_name(const struct provider_book *book, struct slice name)
{
    const struct provider_name *found = find_in(&book->names, name);
    return found == NULL ? NULL : found->provider;
}

const struct provider *provider_serving(const struct provider_book *book, struct slice domain,
                                        struct slice mx_host)
{
    const struct provider *provider = provider_by_host(book, mx_host.len > 0 ? mx_host : domain);
    if (provider->class == PROVIDER_SELFHOSTED) {
        const struct provider *listed = provider_by_domain(book, domain);
        provider = listed == NULL ? provider : listed;
    }
    return provider;
}

static void show_match(const struct provider_book *book, const struct provider_name *found,
                       struct provider_match *out)
{
    *out = (struct provider_match){.provider = NULL, .name = SLICE_NONE};
    if (found != NULL) {
        out->provider = found->provider;
        out->name = found->text;
        provider_place_write(book, found->place, out->where);
    }
}

void provider_match_host(const struct provider_book *book, struct slice mx_host,
                         struct provider_match *out)
{
    show_match(book, find_host(book, mx_host), out);
}

void provider_match_domain(const struct provider_book *book, struct slice domain,
                           struct provider_match *out)
{
    show_match(book, find_in(&book->domains, domain), out);
}
