/* providers/provider: the book: reads the entries and answers by host, domain, banner and name. Text
 * is copied into the book's arena. Host suffixes match whole labels and are walked longest first, so
 * the first hit is the longest.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/provider.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/slice.h"
#include "providers/lines.h"

enum {
    BOOK_BYTES_MAX = 8 * 1024 * 1024,
    HOST_BYTES_MAX = 255, /* RFC 1035 2.3.4 */
    BANNER_BYTES_MIN = 4, /* shorter fragments fit too many greetings */
    LIMIT_MAX = 100000,
};

/* A host suffix with `*` for one label, or a banner fragment. */
struct form {
    struct form *next;
    struct slice text;
    struct provider *provider;
};

struct provider_book {
    struct arena arena;
    struct map names, suffixes, domains;
    struct form *globs;
    struct form *banners;
    struct provider *fallback;
};

/* One file being read. */
struct book_reader {
    struct provider_book *book;
    struct lines lines;
    struct fault *fault;
    struct provider *now; /* NULL before the first entry */
    struct slice default_source, default_date;
    struct slice source, date;
    bool has_class;
};

typedef enum err (*key_fn)(struct book_reader *r);

static struct slice key_of(const struct book_reader *r)
{
    return r->lines.words[0].text;
}

static enum err lower_copy(struct book_reader *r, struct slice word, struct slice *out)
{
    char text[HOST_BYTES_MAX];
    if (word.len == 0 || word.len > sizeof text) {
        return lines_fault(&r->lines, r->fault, "a name of 1 to %d bytes is needed here",
                           HOST_BYTES_MAX);
    }
    for (size_t i = 0; i < word.len; i++) {
        text[i] = ascii_lower(word.at[i]);
    }
    return arena_copy(&r->book->arena, slice_make(text, word.len), out);
}

/* ---- keys ---- */

static enum err add_unique(struct book_reader *r, struct map *map, struct slice key)
{
    const struct provider *other = map_find(map, key);
    if (other != NULL) {
        return lines_fault(&r->lines, r->fault, "%.*s \"%.*s\" belongs to %.*s (%.*s); remove one",
                           SLICE_ARG(key_of(r)), SLICE_ARG(key), SLICE_ARG(other->name),
                           SLICE_ARG(other->where));
    }
    return map_put(map, key, r->now);
}

static enum err add_form(struct book_reader *r, struct form **list, struct slice text)
{
    for (const struct form *f = *list; f != NULL; f = f->next) {
        if (slice_equal_nocase(f->text, text)) {
            return lines_fault(&r->lines, r->fault, "%.*s \"%.*s\" belongs to %.*s; remove one",
                               SLICE_ARG(key_of(r)), SLICE_ARG(text), SLICE_ARG(f->provider->name));
        }
    }
    struct form *form = arena_alloc(&r->book->arena, sizeof *form);
    if (form == NULL) {
        return ERR_NOMEM;
    }
    *form = (struct form){.next = *list, .text = text, .provider = r->now};
    *list = form;
    return ERR_NONE;
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

static enum err each_name(struct book_reader *r, bool is_suffix)
{
    for (size_t i = 1; i < r->lines.count; i++) {
        struct slice name;
        enum err e = lower_copy(r, r->lines.words[i].text, &name);
        if (e != ERR_NONE) {
            return e;
        }
        bool is_glob = slice_find_byte(name, '*', 0) < name.len;
        if (!is_host_form(name) || (is_glob && !is_suffix)) {
            return lines_fault(&r->lines, r->fault,
                               "\"%.*s\" is no host name; no dot at the ends, * only for a whole "
                               "label of an mx",
                               SLICE_ARG(name));
        }
        e = is_glob ? add_form(r, &r->book->globs, name)
                    : add_unique(r, is_suffix ? &r->book->suffixes : &r->book->domains, name);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return r->lines.count > 1 ? ERR_NONE
                              : lines_fault(&r->lines, r->fault, "at least one name is needed");
}

static enum err key_mx(struct book_reader *r)
{
    return each_name(r, true);
}

static enum err key_domain(struct book_reader *r)
{
    return each_name(r, false);
}

static enum err key_banner(struct book_reader *r)
{
    struct slice text;
    enum err e = lines_value(&r->lines, &r->book->arena, &text, r->fault);
    if (e != ERR_NONE) {
        return e;
    }
    if (text.len < BANNER_BYTES_MIN) {
        return lines_fault(&r->lines, r->fault, "a banner fragment needs at least %d bytes",
                           BANNER_BYTES_MIN);
    }
    return add_form(r, &r->book->banners, text);
}

/* Other names that people use for it. */
static enum err key_alias(struct book_reader *r)
{
    for (size_t i = 1; i < r->lines.count; i++) {
        struct slice name;
        enum err e = lower_copy(r, r->lines.words[i].text, &name);
        if (e == ERR_NONE) {
            e = add_unique(r, &r->book->names, name);
        }
        if (e != ERR_NONE) {
            return e;
        }
    }
    return r->lines.count > 1 ? ERR_NONE
                              : lines_fault(&r->lines, r->fault, "at least one name is needed");
}

static enum err key_label(struct book_reader *r)
{
    return lines_value(&r->lines, &r->book->arena, &r->now->label, r->fault);
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

static enum err key_class(struct book_reader *r)
{
    static const enum provider_class all[] = {
        PROVIDER_WEBMAIL, PROVIDER_BUSINESS,  PROVIDER_GATEWAY,    PROVIDER_ISP,
        PROVIDER_HOSTING, PROVIDER_FORWARDER, PROVIDER_SELFHOSTED,
    };
    for (size_t i = 0; r->lines.count == 2 && i < sizeof all / sizeof *all; i++) {
        if (slice_equal(r->lines.words[1].text, slice_of(provider_class_name(all[i])))) {
            r->now->class = all[i];
            r->has_class = true;
            return ERR_NONE;
        }
    }
    return lines_fault(&r->lines, r->fault,
                       "class is one of webmail business gateway isp hosting forwarder selfhosted");
}

static const struct {
    const char *name;
    enum provider_trait trait;
} trait_names[] = {
    {"accepts_all", PROVIDER_ACCEPTS_ALL},
    {"selective", PROVIDER_SELECTIVE},
    {"needs_tls", PROVIDER_NEEDS_TLS},
    {"forbids_probing", PROVIDER_FORBIDS_PROBING},
    {"skip", PROVIDER_SKIP},
    {"control_meaningless", PROVIDER_CONTROL_MEANINGLESS},
    {"one_rcpt", PROVIDER_ONE_RCPT},
    {"tarpits", PROVIDER_TARPITS},
};

static unsigned trait_of(struct slice name)
{
    for (size_t i = 0; i < sizeof trait_names / sizeof *trait_names; i++) {
        if (slice_equal(name, slice_of(trait_names[i].name))) {
            return trait_names[i].trait;
        }
    }
    return 0;
}

static enum err key_traits(struct book_reader *r)
{
    for (size_t i = 1; i < r->lines.count; i++) {
        unsigned trait = trait_of(r->lines.words[i].text);
        if (trait == 0) {
            return lines_fault(&r->lines, r->fault,
                               "unknown trait \"%.*s\"; known: accepts_all selective needs_tls "
                               "forbids_probing skip control_meaningless one_rcpt tarpits",
                               SLICE_ARG(r->lines.words[i].text));
        }
        r->now->traits |= trait;
    }
    return ERR_NONE;
}

static enum err number(struct book_reader *r, unsigned *out)
{
    uint64_t value = 0;
    struct reader digits = reader_over(r->lines.count == 2 ? r->lines.words[1].text : SLICE_NONE);
    if (!reader_number(&digits, LIMIT_MAX, &value) || !reader_is_done(&digits) || value == 0) {
        return lines_fault(&r->lines, r->fault, "%.*s takes a number from 1 to %d",
                           SLICE_ARG(key_of(r)), LIMIT_MAX);
    }
    *out = (unsigned)value;
    return ERR_NONE;
}

static enum err key_connections(struct book_reader *r)
{
    return number(r, &r->now->connections_max);
}

static enum err key_rcpts(struct book_reader *r)
{
    return number(r, &r->now->rcpts_per_connection);
}

static enum err key_invalids_per_session(struct book_reader *r)
{
    return number(r, &r->now->invalids_per_session);
}

static enum err key_invalids_per_hour(struct book_reader *r)
{
    return number(r, &r->now->invalids_per_hour);
}

static enum err key_gap_ms(struct book_reader *r)
{
    return number(r, &r->now->connection_gap_ms);
}

static enum err key_source(struct book_reader *r)
{
    return lines_value(&r->lines, &r->book->arena, r->now == NULL ? &r->default_source : &r->source,
                       r->fault);
}

static enum err key_date(struct book_reader *r)
{
    return lines_date(&r->lines, r->now == NULL ? &r->default_date : &r->date, r->fault);
}

/* ---- entries ---- */

static enum err end_entry(struct book_reader *r)
{
    if (r->now == NULL) {
        return ERR_NONE;
    }
    const char *lacks = r->source.len == 0       ? "a source"
                        : r->date.len == 0       ? "a date"
                        : !r->has_class          ? "a class"
                        : r->now->label.len == 0 ? "a label"
                                                 : NULL;
    if (lacks == NULL) {
        return ERR_NONE;
    }
    return fault_set(r->fault, ERR_SYNTAX, 0, "%.*s: provider %.*s lacks %s; add the line",
                     SLICE_ARG(r->now->where), SLICE_ARG(r->now->name), lacks);
}

static enum err key_provider(struct book_reader *r)
{
    enum err e = end_entry(r);
    if (e != ERR_NONE) {
        return e;
    }
    struct provider *p = arena_alloc(&r->book->arena, sizeof *p);
    if (p == NULL) {
        return ERR_NOMEM;
    }
    e = lines_value(&r->lines, &r->book->arena, &p->name, r->fault);
    if (e == ERR_NONE) {
        e = lower_copy(r, p->name, &p->name);
    }
    if (e != ERR_NONE) {
        return e;
    }
    e = lines_where(&r->lines, &r->book->arena, &p->where);
    if (e != ERR_NONE) {
        return e;
    }
    r->now = p;
    r->source = r->default_source;
    r->date = r->default_date;
    r->has_class = false;
    if (slice_equal(p->name, SLICE("default"))) {
        r->book->fallback = p;
    }
    return add_unique(r, &r->book->names, p->name);
}

static const struct {
    const char *name;
    key_fn read;
    bool is_header; /* may stand before the first entry */
} keys[] = {
    {"provider", key_provider, true},
    {"source", key_source, true},
    {"date", key_date, true},
    {"label", key_label, false},
    {"alias", key_alias, false},
    {"class", key_class, false},
    {"mx", key_mx, false},
    {"domain", key_domain, false},
    {"banner", key_banner, false},
    {"traits", key_traits, false},
    {"connections", key_connections, false},
    {"rcpts", key_rcpts, false},
    {"invalids_per_session", key_invalids_per_session, false},
    {"invalids_per_hour", key_invalids_per_hour, false},
    {"gap_ms", key_gap_ms, false},
};

static enum err read_line(struct book_reader *r)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!slice_equal(key_of(r), slice_of(keys[i].name))) {
            continue;
        }
        if (r->now == NULL && !keys[i].is_header) {
            return lines_fault(&r->lines, r->fault,
                               "%s stands before any entry; start one with: provider NAME",
                               keys[i].name);
        }
        return keys[i].read(r);
    }
    return lines_fault(&r->lines, r->fault,
                       "unknown key \"%.*s\"; see the header of this folder's "
                       "README.md for those that exist",
                       SLICE_ARG(key_of(r)));
}

static enum err read_source(struct provider_book *book, const struct provider_source *source,
                            struct fault *out_fault)
{
    struct book_reader r = {.book = book, .fault = out_fault};
    lines_init(&r.lines, source->name, source->text);
    enum err e = lines_next(&r.lines, out_fault);
    while (e == ERR_NONE) {
        e = read_line(&r);
        if (e == ERR_NONE) {
            e = lines_next(&r.lines, out_fault);
        }
    }
    return e == ERR_CLOSED ? end_entry(&r) : e;
}

enum err provider_book_compile(const struct provider_source *sources, size_t count,
                               struct provider_book **out, struct fault *out_fault)
{
    struct provider_book *book = calloc(1, sizeof *book);
    if (book == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the provider data");
    }
    arena_init(&book->arena, BOOK_BYTES_MAX);
    map_init(&book->names, 0);
    map_init(&book->suffixes, 0);
    map_init(&book->domains, 0);
    enum err e = ERR_NONE;
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        e = read_source(book, &sources[i], out_fault);
    }
    if (e == ERR_NONE && book->fallback == NULL) {
        e = fault_set(out_fault, ERR_SYNTAX, 0,
                      "no provider is named \"default\"; add the entry for those nobody knows");
    }
    if (e == ERR_NOMEM) {
        e = fault_set(out_fault, ERR_NOMEM, 0, "no memory for the provider data");
    }
    if (e != ERR_NONE) {
        provider_book_free(book);
        return e;
    }
    *out = book;
    return ERR_NONE;
}

void provider_book_free(struct provider_book *book)
{
    if (book == NULL) {
        return;
    }
    map_done(&book->names);
    map_done(&book->suffixes);
    map_done(&book->domains);
    arena_done(&book->arena);
    free(book);
}

/* ---- questions ---- */

/* Lower case without the root's dot; the empty slice where it cannot be a host. */
static struct slice host_key(struct slice host, char key[HOST_BYTES_MAX])
{
    if (host.len > 0 && host.at[host.len - 1] == '.') {
        host.len--;
    }
    if (host.len > HOST_BYTES_MAX) {
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

static const struct provider *by_suffix(const struct provider_book *book, struct slice suffix)
{
    const struct provider *found = map_find(&book->suffixes, suffix);
    for (const struct form *f = book->globs; f != NULL && found == NULL; f = f->next) {
        if (glob_fits(f->text, suffix)) {
            found = f->provider;
        }
    }
    return found;
}

const struct provider *provider_by_host(const struct provider_book *book, struct slice mx_host)
{
    char key[HOST_BYTES_MAX];
    struct slice suffix = host_key(mx_host, key);
    while (suffix.len > 0) {
        const struct provider *found = by_suffix(book, suffix);
        if (found != NULL) {
            return found;
        }
        suffix = slice_sub(suffix, slice_find_byte(suffix, '.', 0) + 1, suffix.len);
    }
    return book->fallback;
}

const struct provider *provider_by_domain(const struct provider_book *book, struct slice domain)
{
    char key[HOST_BYTES_MAX];
    return map_find(&book->domains, host_key(domain, key));
}

const struct provider *provider_by_banner(const struct provider_book *book, struct slice banner)
{
    const struct form *best = NULL;
    for (const struct form *f = book->banners; f != NULL; f = f->next) {
        bool is_better = best == NULL || f->text.len > best->text.len;
        if (is_better && slice_find_nocase(banner, f->text) < banner.len) {
            best = f;
        }
    }
    return best == NULL ? NULL : best->provider;
}

const struct provider *provider_by_name(const struct provider_book *book, struct slice name)
{
    char key[HOST_BYTES_MAX];
    return map_find(&book->names, host_key(name, key));
}
