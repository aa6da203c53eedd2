/* providers/provider_read: reads the entries of provider files into the book. Text is copied into the
 * book's arena. One struct book_reader walks one file; each key is one function. A wrong line is told
 * and passed over, so that one reading finds all that is wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/slip.h"
#include "base/text.h"
#include "providers/provider_reader_private.h"

enum {
    BOOK_BYTES_MAX = 8 * 1024 * 1024,
    SOURCE_NAME_BYTES_MAX = 200, /* of what is shown; longer ones lose their beginning */
    ALL_FIRST = 256,
};

/* ---- what is wrong ---- */

static void tell(struct teller *teller, const struct fault *fault)
{
    teller->count++;
    struct buf text;
    buf_init(&text, 8 * sizeof fault->text + 1);
    enum err e = text_append_printable(&text, slice_of(fault->text));
    if (e == ERR_NONE && teller->count == 1) {
        struct slice shown = buf_view(&text);
        (void)fault_set(teller->first, ERR_SYNTAX, 0, "%.*s", SLICE_ARG(shown));
    }
    if (e == ERR_NONE && teller->report != NULL && teller->count <= PROVIDER_FAULTS_MAX) {
        e = buf_append_byte(&text, '\n');
        e = e != ERR_NONE ? e : buf_append(teller->report, buf_view(&text));
    }
    buf_done(&text);
    if (e == ERR_NOMEM) {
        teller->trouble = e;
    }
}

/* ---- entries ---- */

/* Of all providers, the one whose name is nearest; empty: none is near. */
static struct slice nearest_provider(const struct book_reader *r)
{
    unsigned best = PROVIDER_SLIPS_MAX + 1;
    struct slice found = SLICE_NONE;
    for (size_t i = 0; i < r->book->count; i++) {
        if (r->book->all[i] == r->now) {
            continue;
        }
        struct slice name = r->book->all[i]->name;
        unsigned slips = slip_distance(r->now->name, name, PROVIDER_SLIPS_MAX);
        if (slips < best && slips < name.len / 2) {
            best = slips;
            found = name;
        }
    }
    return found;
}

/* Of an entry that makes a provider; one that changes it may say as little as it likes. Of a user's own
 * only the class is needed: it says whether all its hosts are one site. */
static const char *what_entry_lacks(const struct book_reader *r)
{
    const struct provider *p = r->now;
    if (p->origin->class.source == 0) {
        return "a class";
    }
    if (r->is_overlay) {
        return NULL;
    }
    return p->source.len == 0  ? "a source"
           : p->date.len == 0  ? "a date"
           : p->label.len == 0 ? "a label"
                               : NULL;
}

static void end_entry(struct book_reader *r)
{
    struct provider *p = r->now;
    if (p == NULL || r->is_lost || !r->is_new) {
        return;
    }
    p->source = p->source.len == 0 ? r->default_source : p->source;
    p->date = p->date.len == 0 ? r->default_date : p->date;
    const char *lacks = what_entry_lacks(r);
    if (lacks == NULL) {
        p->label = p->label.len == 0 ? p->name : p->label;
        return;
    }
    struct fault fault;
    struct slice meant = r->is_overlay ? nearest_provider(r) : SLICE_NONE;
    if (meant.len > 0) {
        (void)fault_set(&fault, ERR_SYNTAX, 0,
                        "%.*s: no provider is named %.*s; did you mean %.*s? A new one needs %s",
                        SLICE_ARG(p->where), SLICE_ARG(p->name), SLICE_ARG(meant), lacks);
    } else {
        (void)fault_set(&fault, ERR_SYNTAX, 0, "%.*s: provider %.*s lacks %s; add the line",
                        SLICE_ARG(p->where), SLICE_ARG(p->name), lacks);
    }
    tell(r->teller, &fault);
}

static enum err add_provider(struct provider_book *book, struct provider *provider)
{
    if (book->count == book->cap) {
        size_t cap = book->cap == 0 ? ALL_FIRST : book->cap * 2;
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are kept, and that is the size of one */
        struct provider **grown = realloc(book->all, cap * sizeof *grown);
        if (grown == NULL) {
            return ERR_NOMEM;
        }
        book->all = grown;
        book->cap = cap;
    }
    book->all[book->count++] = provider;
    return ERR_NONE;
}

static enum err new_provider(struct book_reader *r, struct slice name, struct provider **out)
{
    struct provider *p = arena_alloc(&r->book->arena, sizeof *p);
    struct provider_origin *origin = arena_alloc(&r->book->arena, sizeof *origin);
    if (p == NULL || origin == NULL) {
        return ERR_NOMEM;
    }
    *origin = (struct provider_origin){.entry = reader_place(r)};
    *p = (struct provider){.name = name, .origin = origin};
    *out = p;
    return lines_where(&r->lines, &r->book->arena, &p->where);
}

/* The entry that the line begins cannot be; what follows belongs to nobody. */
static enum err lose_entry(struct book_reader *r)
{
    enum err e = r->nobody != NULL ? ERR_NONE : new_provider(r, SLICE_NONE, &r->nobody);
    r->is_lost = true;
    r->now = r->nobody;
    return e;
}

static enum err begin_new(struct book_reader *r, struct slice name)
{
    struct provider *p;
    enum err e = new_provider(r, name, &p);
    e = e != ERR_NONE ? e : add_provider(r->book, p);
    if (e != ERR_NONE) {
        return e;
    }
    r->now = p;
    r->is_new = true;
    if (slice_equal(p->name, SLICE("default"))) {
        r->book->fallback = p;
    }
    r->book->counts.added += r->is_overlay ? 1 : 0;
    return provider_add_own_name(r, p->name);
}

static enum err begin_known(struct book_reader *r, struct provider_name *known)
{
    struct provider *p = known->provider;
    if (provider_level_of(r->book, p->origin->entry) == r->level) {
        enum err told = provider_belongs_to(r, known->text, p, p->origin->entry);
        enum err e = lose_entry(r);
        return e != ERR_NONE ? e : told;
    }
    r->now = p;
    p->origin->entry = reader_place(r);
    r->book->counts.changed++;
    return ERR_NONE;
}

static enum err key_provider(struct book_reader *r)
{
    end_entry(r);
    r->is_lost = r->is_new = false;
    struct slice name;
    enum err e = lines_value(&r->lines, &r->book->arena, &name, &r->fault);
    e = e != ERR_NONE ? e : provider_lower_copy(r, name, &name);
    if (e == ERR_SYNTAX) {
        enum err trouble = lose_entry(r);
        return trouble != ERR_NONE ? trouble : e;
    }
    if (e != ERR_NONE) {
        return e;
    }
    struct provider_name *known = map_find(&r->book->names, name);
    return known == NULL ? begin_new(r, name) : begin_known(r, known);
}

/* ---- lines ---- */

static const struct {
    const char *name;
    provider_key_fn read;
    bool is_header; /* may stand before the first entry */
} keys[] = {
    {"provider", key_provider, true},         {"source", provider_key_source, true},
    {"date", provider_key_date, true},        {"label", provider_key_label, false},
    {"alias", provider_key_alias, false},     {"class", provider_key_class, false},
    {"mx", provider_key_mx, false},           {"domain", provider_key_domain, false},
    {"banner", provider_key_banner, false},   {"traits", provider_key_traits, false},
    {"timeout", provider_key_timeout, false},
};
enum { KEY_COUNT = sizeof keys / sizeof *keys };

static const char *key_name_at(size_t i)
{
    return i < KEY_COUNT ? keys[i].name : provider_limit_key(i - KEY_COUNT);
}

/* "rcpts=3", "rcpts = 3" */
static bool has_equals(const struct book_reader *r)
{
    struct slice key = reader_key(r);
    return slice_find_byte(key, '=', 0) < key.len ||
           (r->lines.count > 1 && slice_equal(r->lines.words[1].text, SLICE("=")));
}

static enum err unknown_key(struct book_reader *r)
{
    struct slice key = reader_key(r);
    if (provider_trait_of(key) < PROVIDER_TRAIT_COUNT) {
        return lines_fault(&r->lines, &r->fault, "%.*s is a trait; write: traits %.*s",
                           SLICE_ARG(key), SLICE_ARG(key));
    }
    return provider_unknown_word(
        r, "key", key, provider_nearest(key, key_name_at, KEY_COUNT + PROVIDER_LIMIT_COUNT),
        "provider label alias class mx domain banner traits connections gap_ms rcpts "
        "transactions rcpts_per_transaction pipelined_rcpts rcpt_gap_ms "
        "invalids_per_session invalids_per_hour cooldown_s timeout source date");
}

static enum err before_any_entry(struct book_reader *r)
{
    return lines_fault(&r->lines, &r->fault,
                       "%.*s stands before any entry; start one with: provider NAME",
                       SLICE_ARG(reader_key(r)));
}

static enum err read_line(struct book_reader *r)
{
    if (has_equals(r)) {
        return lines_fault(&r->lines, &r->fault,
                           "no = here; a key and its value are parted by a space, like: "
                           "connections 2");
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (slice_equal(reader_key(r), slice_of(keys[i].name))) {
            return r->now == NULL && !keys[i].is_header ? before_any_entry(r) : keys[i].read(r);
        }
    }
    enum provider_limit limit = provider_limit_of(reader_key(r));
    if (limit == PROVIDER_LIMIT_COUNT) {
        return unknown_key(r);
    }
    return r->now == NULL ? before_any_entry(r) : provider_key_limit(r, limit);
}

/* ---- files ---- */

static enum err shown_name(struct provider_book *book, struct slice name, struct slice *out)
{
    char text[SOURCE_NAME_BYTES_MAX + 4];
    if (name.len <= SOURCE_NAME_BYTES_MAX) {
        return arena_copy(&book->arena, name, out);
    }
    struct slice end = slice_sub(name, name.len - SOURCE_NAME_BYTES_MAX, name.len);
    (void)snprintf(text, sizeof text, "...%.*s", SLICE_ARG(end));
    return arena_copy(&book->arena, slice_of(text), out);
}

static enum err read_source(struct provider_book *book, size_t number,
                            const struct provider_source *source, struct teller *teller)
{
    struct book_reader r = {.book = book,
                            .teller = teller,
                            .is_overlay = source->is_overlay,
                            .level = book->sources[number].level,
                            .number = (uint16_t)(number + 1)};
    lines_init(&r.lines, book->sources[number].name, source->text);
    enum err e = ERR_NONE;
    while (e != ERR_CLOSED) {
        e = lines_next(&r.lines, &r.fault);
        e = e != ERR_NONE ? e : read_line(&r);
        if (e == ERR_SYNTAX) {
            tell(teller, &r.fault);
        } else if (e != ERR_NONE && e != ERR_CLOSED) {
            return e;
        }
    }
    end_entry(&r);
    return teller->trouble;
}

static enum err read_all(struct provider_book *book, const struct provider_source *sources,
                         size_t count, struct teller *teller)
{
    if (count > PROVIDER_SOURCES_MAX) {
        return fault_set(teller->first, ERR_LIMIT, 0, "more than %d provider files",
                         (int)PROVIDER_SOURCES_MAX);
    }
    book->sources = arena_alloc(&book->arena, count * sizeof *book->sources);
    if (book->sources == NULL) {
        return ERR_NOMEM;
    }
    unsigned level = 0;
    for (size_t i = 0; i < count; i++) {
        level += sources[i].is_overlay ? 1 : 0;
        book->sources[i].level = level;
        book->source_count = i + 1;
        enum err e = shown_name(book, sources[i].name, &book->sources[i].name);
        e = e != ERR_NONE ? e : read_source(book, i, &sources[i], teller);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

static enum err conclude(struct provider_book *book, struct teller *teller)
{
    if (book->fallback == NULL) {
        struct fault fault;
        (void)fault_set(&fault, ERR_SYNTAX, 0,
                        "no provider is named \"default\"; add the entry for those nobody knows");
        tell(teller, &fault);
    }
    for (size_t i = 0; i < book->count; i++) {
        provider_settle(book, book->all[i]);
    }
    book->counts.providers = (unsigned)book->count;
    if (teller->count > PROVIDER_FAULTS_MAX && teller->report != NULL) {
        enum err e =
            buf_printf(teller->report, "and %u more faults\n", teller->count - PROVIDER_FAULTS_MAX);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return teller->trouble != ERR_NONE ? teller->trouble
           : teller->count > 0         ? ERR_SYNTAX
                                       : ERR_NONE;
}

static struct provider_book *book_new(void)
{
    struct provider_book *book = calloc(1, sizeof *book);
    if (book != NULL) {
        arena_init(&book->arena, BOOK_BYTES_MAX);
        map_init(&book->names, 0);
        map_init(&book->suffixes, 0);
        map_init(&book->domains, 0);
    }
    return book;
}

enum err provider_book_compile_telling(const struct provider_source *sources, size_t count,
                                       struct buf *out_report, struct provider_book **out,
                                       struct fault *out_fault)
{
    struct teller teller = {.report = out_report, .first = out_fault};
    struct provider_book *book = book_new();
    enum err e = book == NULL ? ERR_NOMEM : read_all(book, sources, count, &teller);
    e = e != ERR_NONE ? e : conclude(book, &teller);
    if (e == ERR_NONE) {
        *out = book;
        return e;
    }
    provider_book_free(book);
    return e == ERR_NOMEM ? fault_set(out_fault, e, 0, "no memory for the provider data") : e;
}

enum err provider_book_compile(const struct provider_source *sources, size_t count,
                               struct provider_book **out, struct fault *out_fault)
{
    return provider_book_compile_telling(sources, count, NULL, out, out_fault);
}
